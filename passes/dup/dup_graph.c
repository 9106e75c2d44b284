/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_graph.c - from a CROSSBAR graph to the flow model: who reads which rows and columns of whom.
 *
 * Inputs and constants are there from the start and are left out; so are elementwise operations on
 * one value, which take no time.
 */
#include "dup_flow.h"

#include <stdlib.h>
#include <string.h>

static bool is_identity(const struct axis_map *m)
{
    return m->kind == MAP_WINDOW && m->kernel == 1 && m->stride == 1 && m->pad == 0;
}

/* The values that `op` waits for; constants and inputs are no nodes. */
static void add_operands(struct flow *f, struct flow_node *n, const struct ir_op *op,
                         const int32_t *node_of)
{
    n->operand = ARENA_ARRAY(f->arena, struct flow_operand, op->n_in);
    for (uint32_t i = 0; i < op->n_in; i++) {
        if (op->in[i].value->type.rank != 3) /* weights */
            continue;
        struct need_source from = need_source(op, i);
        if (node_of[from.value->id] == FLOW_NONE)
            continue;
        n->operand[n->n_operands++] = (struct flow_operand){
            .node = (uint32_t)node_of[from.value->id], .axis = {from.map[0], from.map[1]}};
    }
}

static bool is_alias(const struct flow *f, const struct flow_node *n)
{
    const struct flow_operand *o = n->operand;
    return n->n_operands == 1 && is_identity(&o->axis[0]) && is_identity(&o->axis[1]) &&
           f->nodes.at[o->node].rows == n->rows && f->nodes.at[o->node].columns == n->columns;
}

/* The node of the operation's value, or FLOW_NONE where it is there from the start. */
static int32_t add_op(struct flow *f, const struct ir_op *op, const int32_t *node_of,
                      const uint32_t *item_of)
{
    if (!op->out || op->out->type.rank != 3 || need_reads_through(op))
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
    VEC_PUSH(&f->nodes, n);
    return (int32_t)f->nodes.n - 1;
}

/* `before` of the base layers: who used the same crossbars last. */
static void link_users(struct flow *f, size_t n_items)
{
    int32_t *last = heap_alloc((n_items + 1) * sizeof *last);
    for (size_t i = 0; i < n_items; i++)
        last[i] = FLOW_NONE;
    for (size_t i = 0; i < f->nodes.n; i++) {
        struct flow_node *n = &f->nodes.at[i];
        if (n->item == FLOW_NONE)
            continue;
        n->before = last[n->item];
        last[n->item] = (int32_t)i;
    }
    heap_free(last);
}

/* 0 where products take no time. */
static uint64_t common_unit(const struct dup_problem *p)
{
    uint64_t unit = 0;
    for (size_t i = 0; i < p->n_items; i++)
        for (size_t k = 0; k < p->items[i].n_choices; k++)
            unit = gcd_u64(unit, (uint64_t)p->items[i].choices[k].product);
    return unit;
}

/* Can all products, one after the other, be timed? */
static bool fits_time(const struct dup_problem *p, uint64_t unit)
{
    uint64_t time = 0;
    for (size_t i = 0; i < p->n_items && time <= FLOW_MAX_TIME; i++) {
        int64_t most = 0;
        for (size_t k = 0; k < p->items[i].n_choices; k++)
            most = max_i64(most, p->items[i].choices[k].cycles);
        time += (uint64_t)most / unit;
    }
    return time <= FLOW_MAX_TIME;
}

bool flow_build(struct flow *f, const struct dup_problem *p, const struct ir_graph *g,
                const uint32_t *item_of)
{
    int32_t *node_of = heap_alloc((size_t)g->n_ops * sizeof *node_of);
    int64_t n_pixels = 0;
    f->problem = p;
    f->arena = arena_new();
    f->work = ARENA_NEW(f->arena, int64_t);
    f->unit_cycles = common_unit(p);
    bool fits = f->unit_cycles > 0 && fits_time(p, f->unit_cycles);
    for (const struct ir_op *op = g->first; op && fits; op = op->next) {
        int64_t pixels =
            op->out && op->out->type.rank == 3 ? op->out->type.dim[0] * op->out->type.dim[1] : 0;
        n_pixels += pixels;
        fits = pixels <= FLOW_MAX_PIXELS && n_pixels <= FLOW_MAX_PIXELS;
        if (!fits)
            break;
        f->most_pixels = (size_t)max_i64((int64_t)f->most_pixels, pixels);
        node_of[op->id] = add_op(f, op, node_of, item_of);
    }
    link_users(f, g->n_ops); /* no more items than operations */
    for (int i = 0; i < 2 && fits; i++)
        f->scratch[i] = ARENA_ARRAY(f->arena, int32_t, f->most_pixels);
    heap_free(node_of);
    return fits;
}

void flow_free(struct flow *f)
{
    VEC_FREE(&f->nodes);
    arena_free(f->arena);
}
