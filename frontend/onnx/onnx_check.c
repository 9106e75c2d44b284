/*
 * onnx_check.c - is this a model we can import at all? Asked before anything else is tried.
 *
 * All operators that are not supported come out in ONE error, with a note an operator type that
 * names every node, also those in the bodies of If and Loop; then versions and what a graph may not
 * hold.
 */
#include "onnx_importer.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_IR = 3, MOST_IR = 13, LEAST_OPSET = 6, MOST_OPSET = 24, MAX_ATTRIBUTES = 64 };

const char *onnx_node_entity(struct arena *a, const Onnx__NodeProto *p, uint32_t index)
{
    const char *op_type = p->op_type ? p->op_type : "";
    if (p->name && *p->name)
        return arena_printf(a, "node %u '%s' (%s)", index, p->name, op_type);
    return arena_printf(a, "node %u (%s)", index, op_type);
}

/* ---- unsupported operators ---- */

struct stranger {
    const char *type, *node;
    size_t order; /* in which it was found */
};
struct strangers {
    struct onnx_importer *im;
    VEC(struct stranger) list;
};

static int by_type(const void *a, const void *b)
{
    const struct stranger *x = a, *y = b;
    int c = strcmp(x->type, y->type);
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static const char *type_of(struct arena *a, const Onnx__NodeProto *p)
{
    const char *op_type = p->op_type && *p->op_type ? p->op_type : "(no operator)";
    return onnx_is_default_domain(p->domain) ? op_type
                                             : arena_printf(a, "%s.%s", p->domain, op_type);
}

static bool is_known(const struct onnx_importer *im, const Onnx__NodeProto *p)
{
    const struct onnx_operator *op = onnx_operator_find(p->domain, p->op_type ? p->op_type : "");
    if (!op)
        return false;
    /* A wrong opset of the whole model is its own error. */
    bool model_fits = im->opset >= LEAST_OPSET && im->opset <= MOST_OPSET;
    return !model_fits || (im->opset >= op->since && im->opset <= op->until);
}

static void find_strangers(struct strangers *s, const Onnx__GraphProto *g);

static void look_at(struct strangers *s, const Onnx__NodeProto *p, size_t index)
{
    struct arena *a = s->im->arena;
    if (!is_known(s->im, p)) {
        const char *node = p->name && *p->name
                               ? p->name
                               : arena_printf(a, "%s_%zu", p->op_type ? p->op_type : "", index);
        VEC_PUSH(&s->list, ((struct stranger){type_of(a, p), node, s->list.n}));
    }
    for (size_t i = 0; i < p->n_attribute; i++) {
        if (p->attribute[i]->g)
            find_strangers(s, p->attribute[i]->g);
        for (size_t k = 0; k < p->attribute[i]->n_graphs; k++)
            find_strangers(s, p->attribute[i]->graphs[k]);
    }
}

static void find_strangers(struct strangers *s, const Onnx__GraphProto *g)
{
    for (size_t i = 0; i < g->n_node; i++)
        look_at(s, g->node[i], i);
}

/* One error naming the types, then a note a type naming its nodes. */
static bool report_strangers(struct strangers *s)
{
    struct loc loc = {.file = s->im->path};
    struct text types = {0};
    size_t n = s->list.n, n_types = 0;
    qsort(s->list.at, n, sizeof *s->list.at, by_type);
    for (size_t i = 0; i < n; i++) {
        if (i && strcmp(s->list.at[i].type, s->list.at[i - 1].type) == 0)
            continue;
        text_add(&types, "%s%s", n_types++ ? ", " : "", s->list.at[i].type);
    }
    diag_error(s->im->diag, loc, DIAG_ONNX_UNSUPPORTED, "%zu %s not supported at opset %lld: %s",
               n_types, n_types == 1 ? "operator is" : "operators are", (long long)s->im->opset,
               types.at);
    text_free(&types);
    for (size_t i = 0, end; i < n; i = end) {
        struct text nodes = {0};
        end = i;
        do {
            text_add(&nodes, "%s'%s'", end > i ? ", " : "", s->list.at[end].node);
        } while (++end < n && strcmp(s->list.at[end].type, s->list.at[i].type) == 0);
        diag_note(s->im->diag, loc, "%s, %zu %s: %s", s->list.at[i].type, end - i,
                  end - i == 1 ? "node" : "nodes", nodes.at);
        text_free(&nodes);
    }
    return false;
}

static bool check_operators(struct onnx_importer *im)
{
    struct strangers s = {.im = im};
    find_strangers(&s, im->graph);
    bool ok = s.list.n == 0 || report_strangers(&s);
    VEC_FREE(&s.list);
    return ok;
}

/* ---- versions and form ---- */

/* The opset of the default domain; 0 if there is none, -1 if there are two. */
static int64_t default_opset(const Onnx__ModelProto *m)
{
    int64_t found = 0;
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = m->opset_import[i];
        if (!onnx_is_default_domain(o->domain))
            continue;
        if (found && found != o->version)
            return -1;
        found = o->version;
    }
    return found;
}

static bool check_versions(struct onnx_importer *im)
{
    struct loc loc = {.file = im->path};
    bool ok = true;
    if (im->proto->ir_version < LEAST_IR || im->proto->ir_version > MOST_IR)
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "IR version %lld; %d to %d are supported",
                        (long long)im->proto->ir_version, LEAST_IR, MOST_IR);
    if (im->opset < 0)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                          "imports two versions of the default operator set");
    if (im->opset == 0)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                          "imports no version of the default operator set");
    if (im->opset < LEAST_OPSET || im->opset > MOST_OPSET)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL, "opset %lld; %d to %d are supported",
                          (long long)im->opset, LEAST_OPSET, MOST_OPSET);
    return ok;
}

static bool check_node(struct onnx_importer *im, const Onnx__NodeProto *p, uint32_t index)
{
    struct loc loc = {.file = im->path, .entity = onnx_node_entity(im->arena, p, index)};
    const struct onnx_operator *op = onnx_operator_find(p->domain, p->op_type);
    bool unlimited = op->max_in == 255;
    bool ok = true;
    if (p->n_input < op->min_in || (p->n_input > op->max_in && !unlimited))
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "has %zu operands, not %d to %d",
                        p->n_input, op->min_in, op->max_in);
    if (p->n_output == 0)
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "has no result");
    if (p->n_attribute > MAX_ATTRIBUTES)
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "has %zu attributes", p->n_attribute);
    for (size_t i = 0; i < p->n_attribute; i++)
        if (p->attribute[i]->ref_attr_name && *p->attribute[i]->ref_attr_name)
            ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                            "refers to an attribute of a function that it is not in");
    return ok;
}

bool onnx_check_model(struct onnx_importer *im)
{
    struct loc loc = {.file = im->path};
    if (!im->proto->graph)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL, "holds no graph");
    im->graph = im->proto->graph;
    im->opset = default_opset(im->proto);
    bool known = check_operators(im);
    bool ok = check_versions(im) && known;
    if (im->graph->n_sparse_initializer)
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "sparse initializers are not supported");
    if (im->graph->n_output == 0)
        ok = diag_error(im->diag, loc, DIAG_ONNX_MODEL, "the graph has no output");
    for (uint32_t i = 0; known && i < im->graph->n_node; i++)
        ok &= check_node(im, im->graph->node[i], i);
    return ok;
}
