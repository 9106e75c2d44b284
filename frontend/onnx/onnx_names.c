/*
 * onnx_names.c - who is called what, and in which order nodes can be walked.
 *
 * Symbols (graph inputs, initializers, results of nodes) sit in one array sorted by name, so a
 * lookup is a binary search whatever the names are. A graph input that also has an initializer is
 * that initializer. Nodes need not be sorted in the file; a file in order keeps its order.
 */
#include "onnx_importer.h"

#include <stdlib.h>
#include <string.h>

/* ---- symbols ---- */

static int by_name(const void *a, const void *b)
{
    const struct onnx_symbol *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    if (c == 0)
        c = (x->kind > y->kind) - (x->kind < y->kind);
    return c ? c : (x->index > y->index) - (x->index < y->index);
}

static void list_symbols(struct onnx_importer *im)
{
    const Onnx__GraphProto *g = im->graph;
    size_t most = g->n_input + g->n_initializer;
    for (size_t i = 0; i < g->n_node; i++)
        most += g->node[i]->n_output;
    struct onnx_symbol *at = im->symbols = ARENA_ARRAY(im->arena, struct onnx_symbol, most);
    for (uint32_t i = 0; i < g->n_input; i++)
        *at++ = (struct onnx_symbol){
            .name = g->input[i]->name ? g->input[i]->name : "", .kind = ONNX_INPUT, .index = i};
    for (uint32_t i = 0; i < g->n_initializer; i++)
        *at++ = (struct onnx_symbol){.name = g->initializer[i]->name ? g->initializer[i]->name : "",
                                     .kind = ONNX_INITIALIZER,
                                     .index = i,
                                     .tensor = g->initializer[i],
                                     .source = &im->model};
    for (uint32_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            if (*g->node[i]->output[k])
                *at++ = (struct onnx_symbol){
                    .name = g->node[i]->output[k], .kind = ONNX_NODE_OUTPUT, .index = i};
    im->n_symbols = (size_t)(at - im->symbols);
}

bool onnx_collect_symbols(struct onnx_importer *im)
{
    struct loc loc = {.file = im->path};
    size_t kept = 0;
    bool ok = true;
    list_symbols(im);
    if (im->n_symbols)
        qsort(im->symbols, im->n_symbols, sizeof *im->symbols, by_name);
    for (size_t i = 0, end; i < im->n_symbols; i = end) {
        const struct onnx_symbol *s = &im->symbols[i];
        for (end = i + 1; end < im->n_symbols && strcmp(im->symbols[end].name, s->name) == 0;)
            end++;
        bool shadowed = end - i == 2 && s->kind == ONNX_INPUT && s[1].kind == ONNX_INITIALIZER;
        if (!*s->name)
            ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                            "a graph input or initializer has no name");
        else if (end - i > 1 && !shadowed)
            ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "'%s' is defined %zu times", s->name,
                            end - i);
        im->symbols[kept++] = im->symbols[end - 1];
    }
    im->n_symbols = kept;
    return ok;
}

static int name_of(const void *key, const void *symbol)
{
    return strcmp(key, ((const struct onnx_symbol *)symbol)->name);
}

struct onnx_symbol *onnx_symbol_find(const struct onnx_importer *im, const char *name)
{
    if (im->n_symbols == 0)
        return NULL;
    return bsearch(name, im->symbols, im->n_symbols, sizeof *im->symbols, name_of);
}

/* ---- nodes ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All node names, sorted. */
static const char **sorted_names(struct onnx_importer *im, size_t *n_out)
{
    const char **names = ARENA_ARRAY(im->arena, const char *, im->graph->n_node);
    size_t n = 0;
    for (size_t i = 0; i < im->graph->n_node; i++)
        if (im->graph->node[i]->name && *im->graph->node[i]->name)
            names[n++] = im->graph->node[i]->name;
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

/* The node's own name, or Op_index if it has none or shares it. Underscores are added where a node
 * carries that very name; operator names hold none, so generated names never meet. */
static const char *layer_name(struct onnx_importer *im, const Onnx__NodeProto *p, uint32_t index,
                              const char *const *names, size_t n)
{
    if (p->name && *p->name && occurrences(names, n, p->name) == 1)
        return p->name;
    const char *made = arena_printf(im->arena, "%s_%u", p->op_type, index);
    while (occurrences(names, n, made))
        made = arena_printf(im->arena, "%s_", made);
    return made;
}

static bool resolve(struct onnx_node *n)
{
    const Onnx__NodeProto *p = n->proto;
    bool ok = true;
    n->in = ARENA_ARRAY(n->im->arena, struct onnx_symbol *, p->n_input);
    n->out = ARENA_ARRAY(n->im->arena, struct onnx_symbol *, p->n_output);
    for (size_t i = 0; i < p->n_input; i++) {
        if (!*p->input[i])
            continue;
        n->in[i] = onnx_symbol_find(n->im, p->input[i]);
        if (n->in[i])
            n->in[i]->used = true;
        else
            ok = diag_error(n->im->diag, n->loc, DIAG_ONNX_MODEL,
                            "operand %zu, '%s', is not defined anywhere", i, p->input[i]);
    }
    for (size_t k = 0; k < p->n_output; k++)
        n->out[k] = *p->output[k] ? onnx_symbol_find(n->im, p->output[k]) : NULL;
    return ok;
}

bool onnx_collect_nodes(struct onnx_importer *im)
{
    size_t n_names;
    const char **names = sorted_names(im, &n_names);
    bool ok = true;
    im->nodes = ARENA_ARRAY(im->arena, struct onnx_node, im->graph->n_node);
    for (uint32_t i = 0; i < im->graph->n_node; i++) {
        const Onnx__NodeProto *p = im->graph->node[i];
        struct onnx_node *n = &im->nodes[i];
        *n = (struct onnx_node){
            .im = im,
            .proto = p,
            .op = onnx_operator_find(p->domain, p->op_type),
            .index = i,
            .name = layer_name(im, p, i, names, n_names),
            .loc = {.file = im->path, .entity = onnx_node_entity(im->arena, p, i)},
        };
        ok &= resolve(n);
    }
    for (size_t i = 0; i < im->graph->n_output; i++) {
        const char *name = im->graph->output[i]->name ? im->graph->output[i]->name : "";
        struct onnx_symbol *s = onnx_symbol_find(im, name);
        if (s)
            s->used = true;
        else
            ok = diag_error(im->diag, (struct loc){.file = im->path}, DIAG_ONNX_MODEL,
                            "graph output %zu, '%s', is not defined anywhere", i, name);
    }
    return ok;
}

/* ---- order ---- */

enum mark { UNSEEN, OPEN, DONE };
struct visit {
    uint32_t node;
    size_t next_in;
};

/* The node on which the next operand of v waits, or UINT32_MAX when there is no more. */
static uint32_t next_needed(const struct onnx_importer *im, struct visit *v, const uint8_t *marks)
{
    const struct onnx_node *n = &im->nodes[v->node];
    while (v->next_in < n->proto->n_input) {
        const struct onnx_symbol *s = n->in[v->next_in++];
        if (s && s->kind == ONNX_NODE_OUTPUT && marks[s->index] != DONE)
            return s->index;
    }
    return UINT32_MAX;
}

static bool report_cycle(struct onnx_importer *im, const struct visit *stack, size_t depth,
                         uint32_t again)
{
    struct text t = {0};
    size_t from = depth;
    while (from > 0 && stack[from - 1].node != again)
        from--;
    for (size_t i = from ? from - 1 : 0; i < depth; i++)
        text_add(&t, "'%s' <- ", im->nodes[stack[i].node].name);
    diag_error(im->diag, im->nodes[again].loc, DIAG_ONNX_MODEL, "the nodes form a cycle: %s'%s'",
               t.at, im->nodes[again].name);
    text_free(&t);
    return false;
}

/* Depth-first from each node in file order, with a stack of our own: a chain may be long. */
bool onnx_order_nodes(struct onnx_importer *im)
{
    size_t n = im->graph->n_node, n_ordered = 0;
    uint8_t *marks = ARENA_ARRAY(im->arena, uint8_t, n);
    struct visit *stack = ARENA_ARRAY(im->arena, struct visit, n);
    im->order = ARENA_ARRAY(im->arena, uint32_t, n);
    for (uint32_t root = 0; root < n; root++) {
        size_t depth = 0;
        if (marks[root] == UNSEEN) {
            stack[depth++] = (struct visit){root, 0};
            marks[root] = OPEN;
        }
        while (depth) {
            struct visit *top = &stack[depth - 1];
            uint32_t needed = next_needed(im, top, marks);
            if (needed == UINT32_MAX) {
                marks[top->node] = DONE;
                im->order[n_ordered++] = top->node;
                depth--;
                continue;
            }
            if (marks[needed] == OPEN)
                return report_cycle(im, stack, depth, needed);
            marks[needed] = OPEN;
            stack[depth++] = (struct visit){needed, 0};
        }
    }
    return true;
}
