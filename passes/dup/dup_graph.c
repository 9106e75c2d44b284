/*
 * dup_graph.c - from a CROSSBAR graph to the flow model: who reads which rows and columns of whom.
 *
 * Inputs and constants are there from the start and are left out; so are elementwise operations on
 * one value, which take no time. What cannot be said axis by axis reads the whole axis, as in the
 * schedule (DUP.md).
 */
#include "dup_flow.h"

#include <stdlib.h>
#include <string.h>

static const struct flow_axis identity = {
    .kind = FLOW_WINDOW, .kernel = 1, .stride = 1, .dilation = 1};
static const struct flow_axis broadcast = {.kind = FLOW_WINDOW, .kernel = 1, .dilation = 1};
static const struct flow_axis everything = {.kind = FLOW_ALL};

static struct flow_axis window(const int64_t *kernel, const int64_t *stride,
                               const int64_t *dilation, int64_t pad, int a)
{
    return (struct flow_axis){.kind = FLOW_WINDOW,
                              .kernel = kernel[a],
                              .stride = stride[a],
                              .dilation = dilation[a],
                              .pad = pad};
}

static struct flow_axis pad_axis(const struct ir_attrs_pad *p, int a)
{
    struct flow_axis m = identity;
    if (p->mode[0] != 'c' && (p->before.at[a] || p->after.at[a]))
        return everything;
    m.pad = p->before.at[a];
    return m;
}

static struct flow_axis slice_axis(const struct ir_attrs_slice *s, int a)
{
    struct flow_axis m = identity;
    m.stride = s->step.at[a];
    m.pad = -s->start.at[a];
    return m;
}

static struct flow_axis concat_axis(const struct ir_op *op, uint32_t i, int a)
{
    struct flow_axis m = identity;
    for (uint32_t k = 0; a == op->attrs->concat.axis && k < i; k++)
        m.pad += op->in[k].value->type.dim[a];
    return m;
}

static struct flow_axis table_axis(const struct ir_attrs_gather_grid *g, int a)
{
    return (struct flow_axis){.kind = FLOW_TABLE, .table = g->index.at + (a ? g->count.at[0] : 0)};
}

static struct flow_axis overlap_axis(const struct ir_attrs_overlap_add *o, int a)
{
    struct flow_axis m = window(o->kernel, o->stride, o->dilation, o->pad[a], a);
    m.kind = FLOW_OVERLAP;
    return m;
}

static struct flow_axis reduce_axis(const struct ir_attrs_reduce *r, int a)
{
    for (uint32_t i = 0; i < r->axes.n; i++)
        if (r->axes.at[i] == a)
            return everything;
    return identity;
}

static struct flow_axis find_axis(const struct ir_op *op, uint32_t i, int a)
{
    const union ir_attrs *t = op->attrs;
    switch (op->opcode) {
    case IR_mvm: return window(t->mvm.kernel, t->mvm.stride, t->mvm.dilation, 0, a);
    case IR_max_pool:
        return window(t->max_pool.kernel, t->max_pool.stride, t->max_pool.dilation,
                      t->max_pool.pad[a], a);
    case IR_avg_pool:
        return window(t->avg_pool.kernel, t->avg_pool.stride, t->avg_pool.dilation,
                      t->avg_pool.pad[a], a);
    case IR_overlap_add: return overlap_axis(&t->overlap_add, a);
    case IR_reduce: return reduce_axis(&t->reduce, a);
    case IR_pad: return pad_axis(&t->pad, a);
    case IR_slice: return slice_axis(&t->slice, a);
    case IR_concat: return concat_axis(op, i, a);
    case IR_gather_grid: return table_axis(&t->gather_grid, a);
    case IR_softmax: return a == t->softmax.axis ? everything : identity;
    default: break;
    }
    if (!(ir_op_descs[op->opcode].traits & (IR_UNARY | IR_BINARY)))
        return everything;
    return op->in[i].value->type.dim[a] == op->out->type.dim[a] ? identity : broadcast;
}

static bool same_axis(const struct flow_axis *a, const struct flow_axis *b)
{
    return a->kind == FLOW_WINDOW && b->kind == FLOW_WINDOW && a->kernel == b->kernel &&
           a->stride == b->stride && a->pad == b->pad;
}

/* A pad with a constant in front of a base layer: the layer reads through it. */
static bool is_read_through(const struct ir_op *op)
{
    if (op->opcode != IR_pad || op->attrs->pad.mode[0] != 'c')
        return false;
    for (const struct ir_use *u = op->out->uses; u; u = u->next)
        if (u->user->opcode != IR_mvm)
            return false;
    return true;
}

/* The values that `op` waits for; constants and inputs are no nodes. */
static void add_operands(struct flow *f, struct flow_node *n, const struct ir_op *op,
                         const int32_t *node_of)
{
    n->operand = ARENA_ARRAY(f->arena, struct flow_operand, op->n_in);
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_op *from = op->in[i].value->def;
        struct flow_operand o = {.axis = {find_axis(op, i, 0), find_axis(op, i, 1)}};
        if (is_read_through(from)) {
            for (int a = 0; a < 2; a++)
                o.axis[a].pad += from->attrs->pad.before.at[a];
            from = from->in[0].value->def;
        }
        if (node_of[from->id] == FLOW_NONE)
            continue;
        o.node = (uint32_t)node_of[from->id];
        n->operand[n->n_operands++] = o;
    }
}

static bool is_alias(const struct flow *f, const struct flow_node *n)
{
    const struct flow_operand *o = n->operand;
    return n->n_operands == 1 && same_axis(&o->axis[0], &identity) &&
           same_axis(&o->axis[1], &identity) && f->nodes.at[o->node].rows == n->rows &&
           f->nodes.at[o->node].columns == n->columns;
}

/* The node of the operation's value, or FLOW_NONE where it is there from the start. */
static int32_t add_op(struct flow *f, const struct ir_op *op, const int32_t *node_of,
                      const uint32_t *item_of)
{
    if (!op->out || op->out->type.rank != 3 || is_read_through(op))
        return FLOW_NONE;
    bool base = op->opcode == IR_mvm;
    struct flow_node n = {.rows = (int32_t)op->out->type.dim[0],
                          .columns = (int32_t)op->out->type.dim[1],
                          .item = base ? (int32_t)item_of[op->id] : FLOW_NONE,
                          .before = FLOW_NONE};
    add_operands(f, &n, op, node_of);
    if (!base && n.n_operands == 0)
        return FLOW_NONE;
    if (!base && is_alias(f, &n))
        return (int32_t)n.operand[0].node;
    for (size_t i = f->nodes.n; base && i-- > 0 && n.before == FLOW_NONE;) {
        if (f->nodes.at[i].item == n.item)
            n.before = (int32_t)i;
    }
    VEC_PUSH(&f->nodes, n);
    return (int32_t)f->nodes.n - 1;
}

bool flow_build(struct flow *f, const struct ir_graph *g, const uint32_t *item_of)
{
    int32_t *node_of = heap_alloc((size_t)g->n_ops * sizeof *node_of);
    int64_t n_pixels = 0, n_products = 0;
    bool fits = true;
    f->arena = arena_new();
    for (const struct ir_op *op = g->first; op && fits; op = op->next) {
        int64_t pixels =
            op->out && op->out->type.rank == 3 ? op->out->type.dim[0] * op->out->type.dim[1] : 0;
        n_pixels += pixels;
        n_products += op->opcode == IR_mvm ? pixels : 0;
        fits =
            pixels <= FLOW_MAX_PIXELS && n_pixels <= FLOW_MAX_PIXELS && n_products <= FLOW_MAX_TIME;
        if (!fits)
            break;
        f->most_pixels = (size_t)max_i64((int64_t)f->most_pixels, pixels);
        node_of[op->id] = add_op(f, op, node_of, item_of);
    }
    free(node_of);
    return fits;
}

void flow_free(struct flow *f)
{
    VEC_FREE(&f->nodes);
    arena_free(f->arena);
}
