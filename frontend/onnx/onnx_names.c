/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_names.c - who is called what.
 *
 * The names of a scope (inputs, initializers, results of nodes) sit in one array sorted by name, so
 * a lookup is a binary search whatever the names are. A graph input that also has an initializer is
 * that initializer. The inputs of a branch, a loop or a function are the symbols of whoever runs
 * it: what one initializer is stays one, however deep it is used.
 */
#include "onnx_importer.h"

#include <stdlib.h>
#include <string.h>

/* ---- symbols ---- */

struct onnx_symbol *onnx_new_symbol(struct onnx_importer *im, const char *name,
                                    struct onnx_node *node)
{
    struct onnx_symbol *s = ARENA_NEW(im->arena, struct onnx_symbol);
    *s = (struct onnx_symbol){
        .name = name, .kind = ONNX_NODE_OUTPUT, .number = ++im->n_symbols, .node = node};
    return s;
}

static int by_name(const void *a, const void *b)
{
    const struct onnx_name *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    if (c || !x->symbol || !y->symbol)
        return c;
    c = (x->symbol->kind > y->symbol->kind) - (x->symbol->kind < y->symbol->kind);
    return c ? c
             : (x->symbol->number > y->symbol->number) - (x->symbol->number < y->symbol->number);
}

/* Of node `of`; results of the nodes are known here before the nodes are. */
static void list_results(struct onnx_scope *s, uint32_t of, struct onnx_name **at)
{
    const Onnx__NodeProto *p = s->body->nodes[of];
    for (size_t k = 0; k < p->n_output; k++)
        if (*p->output[k])
            *(*at)++ = (struct onnx_name){p->output[k],
                                          onnx_new_symbol(s->im, p->output[k], &s->nodes[of])};
}

static void list_symbols(struct onnx_scope *s, struct onnx_symbol *const *in)
{
    const struct onnx_body *b = s->body;
    size_t most = b->n_inputs + b->n_initializers;
    for (size_t i = 0; i < b->n_nodes; i++)
        most += b->nodes[i]->n_output;
    struct onnx_name *at = s->names = ARENA_ARRAY(s->im->arena, struct onnx_name, most);
    for (size_t i = 0; i < b->n_inputs; i++)
        *at++ = (struct onnx_name){b->inputs[i], in[i]};
    for (size_t i = 0; i < b->n_initializers; i++)
        *at++ = (struct onnx_name){b->initializers[i].name, &b->initializers[i]};
    for (uint32_t i = 0; i < b->n_nodes; i++)
        list_results(s, i, &at);
    s->n_names = (size_t)(at - s->names);
}

static bool is_shadowed(const struct onnx_name *pair)
{
    return pair[0].symbol && pair[0].symbol->kind == ONNX_INPUT && pair[1].symbol &&
           pair[1].symbol->kind == ONNX_INITIALIZER;
}

bool onnx_collect_symbols(struct onnx_scope *s, struct onnx_symbol *const *in)
{
    struct loc loc = {.file = s->im->path, .entity = *s->place ? s->place : NULL};
    size_t kept = 0;
    bool ok = true;
    list_symbols(s, in);
    if (s->n_names)
        qsort(s->names, s->n_names, sizeof *s->names, by_name);
    for (size_t i = 0, end; i < s->n_names; i = end) {
        const struct onnx_name *n = &s->names[i];
        for (end = i + 1; end < s->n_names && strcmp(s->names[end].name, n->name) == 0;)
            end++;
        if (!*n->name)
            ok = diag_error(s->im->diag, loc, DIAG_ONNX_MODEL,
                            "a graph input or initializer has no name");
        else if (end - i > 1 && !(end - i == 2 && is_shadowed(n)))
            ok = diag_error(s->im->diag, loc, DIAG_ONNX_MODEL, "'%s' is defined %zu times", n->name,
                            end - i);
        s->names[kept++] = s->names[end - 1];
    }
    s->n_names = kept;
    return ok;
}

static int name_of(const void *key, const void *name)
{
    return strcmp(key, ((const struct onnx_name *)name)->name);
}

const struct onnx_name *onnx_name_find(const struct onnx_scope *s, const char *name)
{
    const struct onnx_name *found = NULL;
    for (; s && !found; s = s->outer)
        found = s->n_names ? bsearch(name, s->names, s->n_names, sizeof *s->names, name_of) : NULL;
    return found;
}

struct onnx_symbol *onnx_symbol_find(const struct onnx_importer *im, const char *name)
{
    const struct onnx_name *found = onnx_name_find(im->top, name);
    return found ? found->symbol : NULL;
}

/* ---- names of layers ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All node names, sorted. */
static const char **sorted_names(const struct onnx_scope *s, size_t *n_out)
{
    const struct onnx_body *b = s->body;
    const char **names = ARENA_ARRAY(s->im->arena, const char *, b->n_nodes);
    size_t n = 0;
    for (size_t i = 0; i < b->n_nodes; i++)
        if (b->nodes[i]->name && *b->nodes[i]->name)
            names[n++] = b->nodes[i]->name;
    if (n)
        qsort(names, n, sizeof *names, by_text);
    *n_out = n;
    return names;
}

/* How often `name` is in the sorted list: 0, 1, or 2 for more. */
static int occurrences(const char *const *names, size_t n, const char *name)
{
    const char *const *at = n ? bsearch(&name, names, n, sizeof *names, by_text) : NULL;
    if (!at)
        return 0;
    bool before = at > names && strcmp(at[-1], name) == 0;
    bool after = at + 1 < names + n && strcmp(at[1], name) == 0;
    return before || after ? 2 : 1;
}

/* The node's place in the file. */
static uint32_t number_of(const struct onnx_scope *s, uint32_t index)
{
    return s->body->numbers ? s->body->numbers[index] : index;
}

/* The node's own name, or Op_index if it has none or shares it; behind the name of the node that
 * runs it. Underscores are added where a node carries that very name. */
static const char *layer_name(const struct onnx_scope *s, uint32_t index, const char *const *names,
                              size_t n)
{
    const Onnx__NodeProto *p = s->body->nodes[index];
    struct onnx_importer *im = s->im;
    const char *made = p->name;
    if (!made || !*made || occurrences(names, n, made) != 1) {
        made = arena_printf(im->arena, "%s_%u", p->op_type ? p->op_type : "", number_of(s, index));
        while (occurrences(names, n, made))
            made = arena_printf(im->arena, "%s_", made);
    }
    if (*s->prefix)
        made = arena_printf(im->arena, "%s%s", s->prefix, made);
    uint32_t number = im->layer_names.n < MAP_NONE ? (uint32_t)im->layer_names.n : 0;
    while (map_intern(&im->layer_names, made, strlen(made), number) != number)
        made = arena_printf(im->arena, "%s_", made);
    return made;
}

/* ---- nodes ---- */

static bool resolve(struct onnx_node *n)
{
    const Onnx__NodeProto *p = n->proto;
    bool ok = true;
    n->in = ARENA_ARRAY(n->im->arena, struct onnx_symbol *, p->n_input);
    n->out = ARENA_ARRAY(n->im->arena, struct onnx_symbol *, p->n_output);
    for (size_t i = 0; i < p->n_input; i++) {
        if (!*p->input[i])
            continue;
        const struct onnx_name *found = onnx_name_find(n->scope, p->input[i]);
        if (!found)
            ok = diag_error(n->im->diag, n->loc, DIAG_ONNX_MODEL,
                            "operand %zu, '%s', is not defined anywhere", i, p->input[i]);
        else if ((n->in[i] = found->symbol))
            n->in[i]->used = true;
    }
    for (size_t k = 0; k < p->n_output; k++)
        n->out[k] = *p->output[k] ? onnx_name_find(n->scope, p->output[k])->symbol : NULL;
    return ok;
}

/* ---- what the bodies of a node read of the scopes around it ---- */

typedef VEC(struct onnx_symbol *) symbols;

static void capture(const struct onnx_scope *s, const char *name, symbols *out)
{
    const struct onnx_name *found = onnx_name_find(s, name);
    if (!found || !found->symbol)
        return;
    found->symbol->used = true;
    VEC_PUSH(out, found->symbol);
}

/* Both return how many nodes they looked at. */
static size_t capture_of_node(const struct onnx_scope *s, const Onnx__NodeProto *p, symbols *out);

/* Names that a body defines itself cannot be those of a scope around it. */
static size_t capture_of_graph(const struct onnx_scope *s, const Onnx__GraphProto *g, symbols *out)
{
    size_t n = g->n_node;
    for (size_t i = 0; i < g->n_node; i++) {
        for (size_t k = 0; k < g->node[i]->n_input; k++)
            capture(s, g->node[i]->input[k], out);
        n += capture_of_node(s, g->node[i], out);
    }
    for (size_t i = 0; i < g->n_output; i++)
        capture(s, g->output[i]->name ? g->output[i]->name : "", out);
    return n;
}

static size_t capture_of_node(const struct onnx_scope *s, const Onnx__NodeProto *p, symbols *out)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_attribute; i++) {
        if (p->attribute[i]->g)
            n += capture_of_graph(s, p->attribute[i]->g, out);
        for (size_t k = 0; k < p->attribute[i]->n_graphs; k++)
            n += capture_of_graph(s, p->attribute[i]->graphs[k], out);
    }
    return n;
}

/* A loop looks at the bodies in its body each time: 16 nodes there count as one that is run. */
static bool find_captured(struct onnx_node *n)
{
    symbols found = {0};
    size_t seen = capture_of_node(n->scope, n->proto, &found);
    n->n_captured = found.n;
    n->captured = ARENA_ARRAY(n->im->arena, struct onnx_symbol *, found.n);
    if (found.n)
        memcpy(n->captured, found.at, found.n * sizeof *found.at);
    VEC_FREE(&found);
    return seen == 0 || n->scope == n->im->top || onnx_may_expand(n, seen / 16);
}

bool onnx_collect_nodes(struct onnx_scope *s)
{
    struct onnx_importer *im = s->im;
    size_t n_names;
    const char **names = sorted_names(s, &n_names);
    bool ok = true;
    for (uint32_t i = 0; i < s->body->n_nodes; i++) {
        const Onnx__NodeProto *p = s->body->nodes[i];
        struct onnx_node *n = &s->nodes[i];
        const char *entity = onnx_node_entity(im->arena, p, number_of(s, i));
        *n = (struct onnx_node){
            .im = im,
            .scope = s,
            .index = i,
            .name = layer_name(s, i, names, n_names),
            .loc = {.file = im->path,
                    .entity =
                        *s->place ? arena_printf(im->arena, "%s: %s", s->place, entity) : entity},
        };
        n->op = onnx_operator_find(p->domain, p->op_type ? p->op_type : "");
        n->function = onnx_function_find(im, p);
        n->proto = onnx_bind_attributes(s, p, n->loc);
        if (!n->proto || (s != im->top && !onnx_may_name(n)))
            return false;
        ok &= resolve(n);
        ok &= find_captured(n);
    }
    for (size_t k = 0; k < s->body->n_outputs; k++) {
        struct onnx_symbol *result = onnx_result(s, k);
        if (result)
            result->used = true;
        ok &= result != NULL;
    }
    return ok;
}
