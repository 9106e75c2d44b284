/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_body.c - bodies and their runs: the graph of the file, functions, branches of If, what Loop
 * and Scan repeat.
 *
 * A body is inlined: each run has names and nodes of its own, and makes its operations again. Names
 * of layers and locations say who ran it: "block/conv", "node 3 'block' (Block): node 0 'conv'
 * (Conv)". A file of a few bytes can ask for very many runs, so the nodes of all runs are counted.
 */
#include "onnx_node.h"

#include <string.h>

/* A run counts as one more, for a loop may hold no nodes. */
enum {
    MOST_EXPANDED = 1 << 16,
    FOLDED_PER_BYTE = 16,
    LEAST_FOLDED = 1 << 26,
    LEAST_HELD = 1 << 28,
    BYTES_PER_NODE = 256
};

static const char *info_name(const Onnx__ValueInfoProto *v)
{
    return v->name ? v->name : "";
}

static const char *const *names_of(struct onnx_importer *im, Onnx__ValueInfoProto *const *v,
                                   size_t n)
{
    const char **names = ARENA_ARRAY(im->arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        names[i] = info_name(v[i]);
    return names;
}

static struct onnx_body *new_body(struct onnx_importer *im, const Onnx__GraphProto *g)
{
    struct onnx_body *b = ARENA_NEW(im->arena, struct onnx_body);
    *b = (struct onnx_body){.inputs = names_of(im, g->input, g->n_input),
                            .n_inputs = g->n_input,
                            .outputs = names_of(im, g->output, g->n_output),
                            .n_outputs = g->n_output,
                            .nodes = g->node,
                            .n_nodes = g->n_node,
                            .n_initializers = g->n_initializer};
    b->initializers = ARENA_ARRAY(im->arena, struct onnx_symbol, g->n_initializer);
    for (uint32_t i = 0; i < g->n_initializer; i++)
        b->initializers[i] =
            (struct onnx_symbol){.name = g->initializer[i]->name ? g->initializer[i]->name : "",
                                 .kind = ONNX_INITIALIZER,
                                 .index = i,
                                 .number = ++im->n_symbols,
                                 .tensor = g->initializer[i],
                                 .source = &im->model};
    return b;
}

/* One for each graph, however often it is run: what its initializers hold is one constant. */
struct onnx_body *onnx_graph_body(struct onnx_importer *im, const Onnx__GraphProto *g)
{
    uint32_t next = (uint32_t)im->bodies.n;
    uint32_t i = map_intern(&im->body_of, &g, sizeof g, next);
    if (i == next)
        VEC_PUSH(&im->bodies, new_body(im, g));
    return im->bodies.at[i];
}

/* Once: what is behind it is not looked at. */
static bool refuse(struct onnx_importer *im, const char *what, unsigned long long most)
{
    if (!im->is_too_much)
        diag_error(im->diag, (struct loc){.file = im->path}, DIAG_ONNX_UNSUPPORTED,
                   "functions, loops and recurrent layers, written out, %s more than %llu %s", what,
                   most, what[0] == 'a' ? "nodes" : "elements of constants");
    im->is_too_much = true;
    return false;
}

bool onnx_may_expand(struct onnx_node *n, size_t n_nodes)
{
    struct onnx_importer *im = n->im;
    if (im->is_too_much || n_nodes >= (size_t)(MOST_EXPANDED - im->n_expanded))
        return refuse(im, "are", MOST_EXPANDED);
    im->n_expanded += (uint32_t)n_nodes + 1;
    return true;
}

bool onnx_may_name(struct onnx_node *n)
{
    size_t bytes = strlen(n->name) + strlen(n->loc.entity);
    return bytes < BYTES_PER_NODE || onnx_may_expand(n, bytes / BYTES_PER_NODE);
}

static bool is_in_body(const struct onnx_node *n)
{
    return n->scope && n->scope != n->im->top;
}

bool onnx_may_fold(struct onnx_node *n, const struct ir_op *op)
{
    struct onnx_importer *im = n->im;
    if (!is_in_body(n))
        return true;
    uint64_t most = LEAST_FOLDED + FOLDED_PER_BYTE * *im->model.bytes;
    uint64_t count = (uint64_t)ir_count(&op->out->type);
    for (uint32_t i = 0; i < op->n_in; i++)
        count += (uint64_t)ir_count(&op->in[i].value->type);
    im->n_folded += count;
    return im->n_folded <= most || refuse(im, "compute", most);
}

/* Bodies are limited by the elements that are read and made, for a file of a few bytes can run them
 * very often; the file's own graph by the bytes that stay. */
struct ir_op *onnx_fold(struct onnx_node *n, struct ir_op *op)
{
    struct onnx_importer *im = n->im;
    uint64_t most = LEAST_HELD + FOLDED_PER_BYTE * *im->model.bytes;
    if (!onnx_may_fold(n, op) || (!is_in_body(n) && im->folded_bytes > most))
        return NULL;
    struct ir_op *folded = im->options->fold(im->options->fold_self, op);
    im->folded_bytes += folded && !is_in_body(n) ? folded->attrs->constant.data->bytes : 0;
    return folded;
}

struct onnx_scope *onnx_run_body(struct onnx_node *n, const struct onnx_body *body,
                                 const char *label, struct onnx_symbol *const *in,
                                 const struct onnx_call *call)
{
    struct onnx_importer *im = n->im;
    size_t names = body->n_inputs + body->n_initializers + body->n_outputs;
    if (!onnx_may_expand(n, body->n_nodes + names) || !onnx_may_name(n))
        return NULL;
    struct onnx_scope *s = ARENA_NEW(im->arena, struct onnx_scope);
    *s = (struct onnx_scope){
        .im = im,
        .outer = call ? NULL : n->scope,
        .body = body,
        .call = call ? call : n->scope->call,
        .opset = n->scope->opset,
        .prefix = arena_printf(im->arena, "%s/%s%s", n->name, label, *label ? "/" : ""),
        .place = *label ? arena_printf(im->arena, "%s, %s", n->loc.entity, label) : n->loc.entity,
    };
    int64_t opset =
        call ? onnx_default_opset(call->function->opset_import, call->function->n_opset_import) : 0;
    if (opset > 0)
        s->opset = opset;
    s->nodes = ARENA_ARRAY(im->arena, struct onnx_node, body->n_nodes);
    if (!onnx_collect_symbols(s, in) || !onnx_collect_nodes(s) || !onnx_order_nodes(s))
        return NULL;
    onnx_walk(s);
    return s;
}

struct onnx_symbol *onnx_result(const struct onnx_scope *s, size_t k)
{
    const char *name = s->body->outputs[k];
    const struct onnx_name *found = onnx_name_find(s, name);
    if (found && found->symbol)
        return found->symbol;
    struct loc loc = {.file = s->im->path, .entity = *s->place ? s->place : NULL};
    diag_error(s->im->diag, loc, DIAG_ONNX_MODEL,
               found ? "output %zu, '%s', is an operand that the call leaves out"
                     : "graph output %zu, '%s', is not defined anywhere",
               k, name);
    return NULL;
}

void onnx_set_symbol(struct onnx_node *n, size_t k, struct onnx_symbol *from)
{
    struct onnx_symbol *to = k < n->proto->n_output ? n->out[k] : NULL;
    if (!to)
        return;
    to->value =
        from->kind == ONNX_INITIALIZER ? onnx_graph_value(n->im, from, n->loc) : from->value;
    to->exact = from->exact;
    to->tensor = from->tensor;
    to->source = from->source;
    to->sequence = from->sequence;
    to->lost = from->lost;
}
