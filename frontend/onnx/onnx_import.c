/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_import.c - from an ONNX file to a TENSOR graph: the table of contents of this room.
 *
 * In: a path and options. Out: a graph in which every node became operations of ops.def, shapes are
 * static, and what can be computed now is a constant. Invariant: either a complete graph comes
 * back, or NULL with at least one error.
 */
#include "onnx_node.h"

#include <string.h>

/* ---- the walk ---- */

/* Operands known, operator supported: what its import function says. */
static bool import_supported(struct onnx_node *n)
{
    unsigned errors = n->im->diag->n_errors;
    n->before = n->im->g->last;
    bool ok = n->op->import(n) && !n->failed;
    if (!ok && !n->at_run_time && !n->im->is_too_much && n->im->diag->n_errors == errors)
        BUG("%s failed without a message", n->loc.entity);
    if (n->at_run_time)
        ok = diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                        "operator %s is not supported on values computed at run time", n->op->name);
    if (ok)
        onnx_warn_unread(n);
    return ok;
}

static bool import_node(struct onnx_node *n)
{
    if (n->function)
        return onnx_import_call(n);
    return onnx_check_operator(n) && !onnx_waits_for_lost(n) && import_supported(n);
}

/* Goes on behind a node that fails, so that one report names all that is in the way. */
void onnx_walk(struct onnx_scope *s)
{
    struct onnx_importer *im = s->im;
    int64_t opset = im->opset;
    im->opset = s->opset;
    for (size_t i = 0; i < s->body->n_nodes; i++) {
        struct onnx_node *n = &s->nodes[s->order[i]];
        if (im->is_too_much || !import_node(n))
            onnx_lose(n);
    }
    im->opset = opset;
}

/* ---- after the walk ---- */

/* Initializers and folded constants that nothing reads any more. */
void onnx_drop_unused_constants(struct ir_graph *g)
{
    for (struct ir_op *op = g->last, *prev; op; op = prev) {
        prev = op->prev;
        if (op->opcode == IR_constant && !op->out->uses)
            ir_op_remove(op);
    }
}

/* The graph of the file as a scope, whose inputs are its own. */
static bool open_top(struct onnx_importer *im)
{
    const Onnx__GraphProto *g = im->graph;
    struct onnx_symbol **in = ARENA_ARRAY(im->arena, struct onnx_symbol *, g->n_input);
    struct onnx_scope *s = im->top = ARENA_NEW(im->arena, struct onnx_scope);
    struct onnx_body *body = onnx_graph_body(im, g);
    body->numbers = im->numbers;
    *s = (struct onnx_scope){.im = im, .body = body, .opset = im->opset, .prefix = "", .place = ""};
    for (uint32_t i = 0; i < g->n_input; i++) {
        in[i] = onnx_new_symbol(im, s->body->inputs[i], NULL);
        in[i]->kind = ONNX_INPUT;
        in[i]->index = i;
    }
    s->nodes = ARENA_ARRAY(im->arena, struct onnx_node, g->n_node);
    return onnx_collect_symbols(s, in) && onnx_collect_nodes(s) && onnx_order_nodes(s);
}

static bool import(struct onnx_importer *im)
{
    unsigned errors = im->diag->n_errors;
    bool checked = onnx_check_model(im);
    if (checked && !onnx_cut_graph(im))
        return false;
    if (!checked || !open_top(im)) {
        if (im->graph)
            onnx_look_at(im, im->graph, "");
        return false;
    }
    onnx_bind_constants(im);
    for (size_t i = 0; i < im->graph->n_node; i++) {
        const struct onnx_operator *op = im->top->nodes[i].op;
        im->integral |= op && op->import == import_requant_shift;
    }
    im->g = ir_graph_new(im->graph->name, IR_TENSOR);
    onnx_make_inputs(im);
    onnx_walk(im->top);
    onnx_make_outputs(im);
    if (im->diag->n_errors > errors) {
        onnx_advise_cut(im);
        if (im->options->rest && !im->is_too_much && onnx_rest(im)) {
            *im->options->rest = im->g;
            im->g = NULL;
        }
        return false;
    }
    onnx_number_weights(im);
    onnx_drop_unused_constants(im->g);
    ir_number(im->g);
    return true;
}

static bool open_model(const char *path, struct onnx_importer *im)
{
    const struct onnx_memory *memory = &im->options->memory;
    const ProtobufCMessageDescriptor *root = &onnx__model_proto__descriptor;
    return memory->bytes ? onnx_source_read(memory, path, root, &im->model, im->diag)
                         : onnx_source_open(path, root, &im->model, im->diag);
}

struct ir_graph *onnx_import(const char *path, const struct onnx_options *o, struct diag *d)
{
    static const struct onnx_options none = {0};
    struct onnx_importer im = {.options = o ? o : &none, .diag = d};
    im.path = !path ? "<memory>" : strcmp(path, "-") == 0 ? "<stdin>" : path;
    if (!open_model(path, &im))
        return NULL;
    im.model.options = im.options;
    im.arena = arena_new();
    im.proto = (const Onnx__ModelProto *)im.model.root;
    if (!import(&im)) {
        ir_graph_free(im.g);
        im.g = NULL;
    }
    for (size_t i = 0; im.constants && i < im.options->n_constants; i++)
        onnx_source_close(&im.constants[i]);
    onnx_source_close(&im.model);
    map_free(&im.layer_names);
    map_free(&im.functions);
    map_free(&im.declared);
    map_free(&im.body_of);
    VEC_FREE(&im.bodies);
    VEC_FREE(&im.weights);
    arena_free(im.arena);
    return im.g;
}
