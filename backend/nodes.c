/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * nodes.c - from operations to nodes: what is stored, what is fused, what is only an address map.
 *
 * A node stores one value. Elementwise operations share nodes (fuse.c). Concat and slice store
 * nothing: a reader's value is a list of parts of stored nodes. Base layers read through a constant
 * pad in front of them (need_source): it stores nothing either.
 */
#include "fuse.h"

#include <stdlib.h>
#include <string.h>

static void value_dims(const struct ir_op *op, int32_t dim[3])
{
    for (int a = 0; a < 3; a++)
        dim[a] = (int32_t)op->out->type.dim[a];
}

struct node node_of(enum node_kind kind, const struct ir_op *op)
{
    struct node n = {.kind = kind, .root = op, .out = op, .lanes = lanes_new()};
    value_dims(op, n.dim);
    return n;
}

struct node *add_node(struct builder *b, struct node n)
{
    uint32_t index = (uint32_t)b->nodes.n;
    b->list.node_of[n.out->id] = b->made_in[n.out->id] = index;
    VEC_PUSH(&b->nodes, n);
    VEC_PUSH(&b->into, index);
    return &b->nodes.at[index];
}

static struct node *node_new(struct builder *b, enum node_kind kind, const struct ir_op *op)
{
    return add_node(b, node_of(kind, op));
}

void add_operand(struct node *n, const struct ir_op *op, unsigned i)
{
    struct need_source s = need_source(op, i);
    struct operand *o = &n->operand[n->n_operands++];
    *o = (struct operand){.value = s.value, .pad_value = s.pad_value};
    memcpy(o->map, s.map, sizeof o->map);
}

/* An alias: the parts of its operands, each moved along; room for all of them at once. */
static struct value_parts *alias_new(struct builder *b, const struct ir_op *op)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < op->n_in; i++)
        most += b->list.parts[op->in[i].value->def->id].n;
    struct value_parts *v = &b->list.parts[op->id];
    v->part = ARENA_ARRAY(b->arena, struct part, most);
    return v;
}

/* Adds the parts of `from`, moved by `shift` and cut to `where` of the alias. */
static void add_shifted(const struct builder *b, struct value_parts *v, const struct ir_op *from,
                        const int32_t shift[3], const struct box *where)
{
    const struct value_parts *src = &b->list.parts[from->id];
    for (uint32_t i = 0; i < src->n; i++) {
        struct part part = src->part[i];
        struct box moved = box_shift(&part.where, shift, 1);
        part.where = box_intersect(&moved, where);
        for (int a = 0; a < 3; a++)
            part.shift[a] += shift[a];
        if (!box_empty(&part.where))
            v->part[v->n++] = part;
    }
}

static void alias_concat(struct builder *b, const struct ir_op *op)
{
    struct value_parts *v = alias_new(b, op);
    int axis = (int)op->attrs->concat.axis;
    int32_t shift[3] = {0}, dim[3];
    value_dims(op, dim);
    struct box whole = box_whole(dim);
    for (uint32_t i = 0; i < op->n_in; i++) {
        add_shifted(b, v, op->in[i].value->def, shift, &whole);
        shift[axis] += (int32_t)op->in[i].value->type.dim[axis];
    }
}

static bool alias_slice(struct builder *b, const struct ir_op *op)
{
    const struct ir_attrs_slice *s = &op->attrs->slice;
    int32_t shift[3], dim[3];
    for (int a = 0; a < 3; a++) {
        if (s->step.at[a] != 1 && s->count.at[a] > 1)
            return diag_error(b->diag, op->loc, DIAG_LOWER,
                              "a slice with step %lld has no mapping; no pass makes one",
                              (long long)s->step.at[a]);
    }
    value_dims(op, dim);
    struct box whole = box_whole(dim);
    for (int a = 0; a < 3; a++)
        shift[a] = (int32_t)-s->start.at[a];
    add_shifted(b, alias_new(b, op), op->in[0].value->def, shift, &whole);
    return true;
}

static void stored_part(struct builder *b, const struct ir_op *op)
{
    struct value_parts *v = &b->list.parts[op->id];
    int32_t dim[3];
    value_dims(op, dim);
    *v = (struct value_parts){1, ARENA_NEW(b->arena, struct part)};
    *v->part = (struct part){.node = b->list.node_of[op->id], .where = box_whole(dim)};
}

static void add_dot(struct builder *b, const struct ir_op *op)
{
    struct node *n = node_new(b, NODE_dot, op);
    add_operand(n, op, 0);
    add_operand(n, op, 1);
}

static bool add_op(struct builder *b, const struct ir_op *op)
{
    unsigned at[2];
    struct node *node;
    switch (op->opcode) {
    case IR_output: return true;
    case IR_input:
        if (ir_count(&op->out->type) == 0)
            return diag_error(b->diag, op->loc, DIAG_LOWER, "an input has no elements");
        node_new(b, NODE_input, op);
        break;
    case IR_constant:
        if (op->out->type.rank == 3)
            node_new(b, NODE_constant, op);
        else
            return true; /* weights of an mvm */
        break;
    case IR_mvm: add_operand(node_new(b, NODE_mvm, op), op, 0); break;
    case IR_concat:
        for (uint32_t i = 0; i < op->n_in; i++)
            if (ir_is(op->in[i].value, IR_constant))
                return diag_error(b->diag, op->loc, DIAG_LOWER,
                                  "concatenation with a constant has no mapping yet");
        alias_concat(b, op);
        return true;
    case IR_slice: return alias_slice(b, op);
    case IR_pad:
        if (need_reads_through(op))
            return true;
        add_operand(node_new(b, NODE_gather, op), op, 0);
        break;
    case IR_gather_grid: add_operand(node_new(b, NODE_gather, op), op, 0); break;
    case IR_max_pool:
    case IR_avg_pool:
    case IR_overlap_add:
    case IR_global_avg_pool: add_operand(node_new(b, NODE_window, op), op, 0); break;
    case IR_reduce: add_operand(node_new(b, NODE_reduce, op), op, 0); break;
    case IR_dot: add_dot(b, op); break;
    case IR_take:
        node = node_new(b, NODE_take, op);
        add_operand(node, op, 0);
        add_operand(node, op, 1);
        break;
    case IR_reshape: add_operand(node_new(b, NODE_reshape, op), op, 0); break;
    case IR_transpose: add_operand(node_new(b, NODE_transpose, op), op, 0); break;
    default:
        if (lanes_runtime(op, at) == 0)
            return diag_error(b->diag, op->loc, DIAG_LOWER, "%s has no lanes for these operands",
                              ir_op_descs[op->opcode].name);
        add_elementwise(b, op);
    }
    stored_part(b, op);
    return true;
}

_Static_assert((int)NEED_MOST_STEP == ISA_MAX_STEP && (int)NEED_MOST_PAD == ISA_MAX_EXTENT,
               "need.h has the machine's limits");

static bool fits_coordinates(struct builder *b, const struct ir_op *op)
{
    static const int most[] = {ISA_MAX_EXTENT, ISA_MAX_EXTENT, ISA_MAX_CHANNELS};
    if (op->opcode == IR_pad && need_reads_through(op))
        return true; /* nobody makes it */
    for (int a = 0; op->out && op->out->type.rank == 3 && a < 3; a++)
        if (op->out->type.dim[a] > most[a])
            return diag_error(b->diag, op->loc, DIAG_CAPACITY,
                              "an extent of %ld exceeds the machine's coordinates (%d)",
                              (long)op->out->type.dim[a], most[a]);
    return true;
}

static bool fits_bindings(struct builder *b)
{
    uint32_t n = 0;
    for (const struct ir_op *op = b->list.graph->first; op; op = op->next)
        n += op->opcode == IR_input || op->opcode == IR_output;
    return n <= ISA_MAX_BINDINGS ||
           diag_error(b->diag, (struct loc){0}, DIAG_CAPACITY,
                      "the network has %u inputs and outputs, an instruction can name %d", n,
                      ISA_MAX_BINDINGS);
}

/* Numbers the nodes that still store a value, in their order. */
static void keep_nodes(struct builder *b)
{
    struct node_list *l = &b->list;
    uint32_t *number = heap_alloc((b->nodes.n + 1) * sizeof *number);
    l->at = ARENA_ARRAY(b->arena, struct node, b->nodes.n);
    for (size_t i = 0; i < b->nodes.n; i++) {
        number[i] = l->n;
        if (b->nodes.at[i].out)
            l->at[l->n++] = b->nodes.at[i];
    }
    for (uint32_t op = 0; op < l->n_ops; op++) {
        l->node_of[op] = l->node_of[op] == NONE ? NONE : number[l->node_of[op]];
        for (uint32_t i = 0; i < l->parts[op].n; i++)
            l->parts[op].part[i].node = number[l->parts[op].part[i].node];
    }
    heap_free(number);
}

const struct node_list *plan_nodes(const struct ir_graph *g, struct arena *a, struct diag *d)
{
    struct builder b = {.list = {.graph = g, .n_ops = g->n_ops}, .arena = a, .diag = d};
    struct node_list *out = ARENA_NEW(a, struct node_list);
    b.list.ops = ARENA_ARRAY(a, const struct ir_op *, g->n_ops);
    b.list.node_of = ARENA_ARRAY(a, uint32_t, g->n_ops);
    b.list.parts = ARENA_ARRAY(a, struct value_parts, g->n_ops);
    b.made_in = heap_alloc((g->n_ops + 1) * sizeof *b.made_in);
    memset(b.list.node_of, 0xff, g->n_ops * sizeof *b.list.node_of);
    memset(b.made_in, 0xff, g->n_ops * sizeof *b.made_in);
    bool ok = fits_bindings(&b);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        b.list.ops[op->id] = op;
        ok &= fits_coordinates(&b, op) && need_check(op, b.diag) && add_op(&b, op);
    }
    keep_nodes(&b);
    find_families(&b.list, a);
    *out = b.list;
    VEC_FREE(&b.nodes);
    VEC_FREE(&b.into);
    heap_free(b.made_in);
    return ok ? out : NULL;
}
