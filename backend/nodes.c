/*
 * nodes.c - from operations to nodes: what is stored, what is fused, what is only an address map.
 *
 * A node stores one value. Elementwise operations on one runtime value join the node in front (an
 * mvm's epilogue, a map) while its value has no other reader; one on two takes over the maps that
 * compute them for it alone, so that nothing is stored between. Concat and slice store
 * nothing: a reader's value is a list of parts of stored nodes. Base layers read through a constant
 * pad in front of them (need_source): it stores nothing either.
 */
#include "nodes.h"

#include <stdlib.h>
#include <string.h>

struct builder {
    struct node_list list;
    VEC(struct node) nodes;
    struct arena *arena;
    struct diag *diag;
};

static void value_dims(const struct ir_op *op, int32_t dim[3])
{
    for (int a = 0; a < 3; a++)
        dim[a] = (int32_t)op->out->type.dim[a];
}

static struct node node_of(enum node_kind kind, const struct ir_op *op)
{
    struct node n = {.kind = kind, .root = op, .out = op, .lanes = lanes_new()};
    value_dims(op, n.dim);
    return n;
}

static struct node *add_node(struct builder *b, struct node n)
{
    b->list.node_of[n.out->id] = (uint32_t)b->nodes.n;
    VEC_PUSH(&b->nodes, n);
    return &b->nodes.at[b->nodes.n - 1];
}

static struct node *node_new(struct builder *b, enum node_kind kind, const struct ir_op *op)
{
    return add_node(b, node_of(kind, op));
}

static void add_operand(struct node *n, const struct ir_op *op, unsigned i)
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

static void alias_slice(struct builder *b, const struct ir_op *op)
{
    int32_t shift[3], dim[3];
    value_dims(op, dim);
    struct box whole = box_whole(dim);
    for (int a = 0; a < 3; a++)
        shift[a] = (int32_t)-op->attrs->slice.start.at[a];
    add_shifted(b, alias_new(b, op), op->in[0].value->def, shift, &whole);
}

static void stored_part(struct builder *b, const struct ir_op *op)
{
    struct value_parts *v = &b->list.parts[op->id];
    int32_t dim[3];
    value_dims(op, dim);
    *v = (struct value_parts){1, ARENA_NEW(b->arena, struct part)};
    *v->part = (struct part){.node = b->list.node_of[op->id], .where = box_whole(dim)};
}

/* ---- elementwise operations ---- */

/* The node in front whose value only `op` reads; NONE if there is none that runs a program. */
static uint32_t front_node(const struct builder *b, const struct ir_op *op, unsigned i)
{
    const struct ir_value *x = op->in[i].value;
    uint32_t node = b->list.node_of[x->def->id];
    if (node == NONE || !ir_has_one_use(x))
        return NONE;
    enum node_kind kind = b->nodes.at[node].kind;
    return kind == NODE_mvm || kind == NODE_map ? node : NONE;
}

/* The value is no longer stored: its node goes on, or is part of another. */
static void forget_value(struct builder *b, const struct ir_op *value)
{
    b->list.node_of[value->id] = NONE;
    b->list.parts[value->id].n = 0;
}

static size_t bytes_of(const struct ir_value *x)
{
    return element_bytes(value_element(x->def));
}

static bool same_extents(const struct ir_value *x, const struct ir_value *y)
{
    return memcmp(x->type.dim, y->type.dim, 3 * sizeof *x->type.dim) == 0;
}

/* Is the value on its way, by operations on it alone, to one on two values, which can compute them
 * from what is in front? */
static bool leads_to_two(const struct ir_op *op)
{
    unsigned at[2], n = 1;
    for (int steps = 0; n == 1 && steps < ISA_MAX_LANE_OPS; steps++) {
        const struct ir_op *user = ir_has_one_use(op->out) ? op->out->uses->user : NULL;
        if (!user || !user->out || !same_extents(op->out, user->out))
            return false;
        op = user;
        n = lanes_runtime(op, at);
    }
    return n == 2;
}

/* Joins an operation on one value to the node in front of it, if that can take it and, a base
 * layer, still add a partial sum. What grows (an u8 that becomes f32) is not stored grown where the
 * one that reads it in the end can do the rest; unless the node in front will be taken over. */
static bool join_front(struct builder *b, const struct ir_op *op, unsigned i)
{
    uint32_t front = front_node(b, op, i);
    const struct ir_value *x = op->in[i].value;
    if (front == NONE)
        return false;
    struct node *n = &b->nodes.at[front];
    bool taken_over = n->kind == NODE_map && n->n_operands == 1 &&
                      bytes_of(n->operand[0].value->out) <= bytes_of(x);
    if (!taken_over && bytes_of(op->out) > bytes_of(x) && leads_to_two(op))
        return false;
    struct lanes longer = n->lanes;
    const struct term result[2] = {longer.result};
    lanes_append(&longer, op, result);
    if (!lanes_fit(&longer, n->kind == NODE_mvm))
        return false;
    n->lanes = longer;
    n->out = op;
    forget_value(b, x->def);
    b->list.node_of[op->id] = front;
    return true;
}

/* The map in front that computes operand i for `op` alone, element by element, from nothing larger:
 * it becomes a part of `op`. What is spread over the result is computed once, if it takes a lane.
 */
static uint32_t chain_in_front(const struct builder *b, const struct ir_op *op, unsigned i)
{
    uint32_t front = front_node(b, op, i);
    if (front == NONE || b->nodes.at[front].kind != NODE_map)
        return NONE;
    const struct node *n = &b->nodes.at[front];
    for (unsigned k = 0; k < n->n_operands; k++)
        if (bytes_of(n->operand[k].value->out) > bytes_of(op->in[i].value))
            return NONE;
    return same_extents(op->in[i].value, op->out) || n->lanes.program.n_ops == 0 ? front : NONE;
}

/* The code of an operand of the node; false if it would be its third. */
static bool operand_code(struct node *n, const struct operand *o, uint8_t *code)
{
    unsigned i = 0;
    while (i < n->n_operands && n->operand[i].value != o->value)
        i++;
    if (i == 2)
        return false;
    if (i == n->n_operands)
        n->operand[n->n_operands++] = *o;
    *code = (uint8_t)(LANE_A + i);
    return true;
}

/* Operand i of `op` becomes the node's: by the lanes of the chain that computes it, or as it is. */
static bool take_operand(struct node *n, const struct ir_op *op, unsigned i,
                         const struct node *chain, struct term *x)
{
    struct node plain = {.lanes = lanes_new()};
    const struct node *from = chain && chain->lanes.program.n_ops ? chain : &plain;
    if (from == &plain) {
        add_operand(&plain, op, i);
        plain.operand[0].value = chain ? chain->operand[0].value : plain.operand[0].value;
    }
    uint8_t code[2] = {LANE_A, LANE_B};
    for (unsigned k = 0; k < from->n_operands; k++)
        if (!operand_code(n, &from->operand[k], &code[k]))
            return false;
    lanes_join(&n->lanes, &from->lanes, code);
    *x = n->lanes.result;
    return true;
}

/* Makes the map of `op`, which begins with the chains given (NONE: none); false if that is more
 * than a program holds. */
static bool make_map(const struct builder *b, const struct ir_op *op, const uint32_t chain[2],
                     struct node *n)
{
    unsigned at[2], n_at = lanes_runtime(op, at);
    bool swap = n_at == 2 && ir_is(op->in[0].value, IR_constant); /* a is made on a tile */
    struct term x[2];
    *n = node_of(NODE_map, op);
    for (unsigned k = 0; k < n_at; k++) {
        unsigned i = swap ? 1 - k : k;
        const struct node *front = chain[i] == NONE ? NULL : &b->nodes.at[chain[i]];
        if (!take_operand(n, op, at[i], front, &x[i]))
            return false;
    }
    lanes_append(&n->lanes, op, x);
    n->lanes.program.arity = n->n_operands;
    return lanes_fit(&n->lanes, 0);
}

/* A map of its own; of two values, it takes over the chains in front as far as they fit. */
static void add_map(struct builder *b, const struct ir_op *op)
{
    unsigned at[2];
    bool two = lanes_runtime(op, at) == 2;
    uint32_t front[2] = {two ? chain_in_front(b, op, 0) : NONE,
                         two ? chain_in_front(b, op, 1) : NONE};
    const uint32_t ways[4][2] = {
        {front[0], front[1]}, {front[0], NONE}, {NONE, front[1]}, {NONE, NONE}};
    struct node n;
    unsigned way = 0;
    while (!make_map(b, op, ways[way], &n))
        way++;
    for (unsigned i = 0; i < 2; i++)
        if (ways[way][i] != NONE) {
            forget_value(b, b->nodes.at[ways[way][i]].out);
            b->nodes.at[ways[way][i]].out = NULL;
        }
    add_node(b, n);
}

static void add_elementwise(struct builder *b, const struct ir_op *op)
{
    unsigned at[2];
    if (lanes_runtime(op, at) != 1 || !join_front(b, op, at[0]))
        add_map(b, op);
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
    switch (op->opcode) {
    case IR_output: return true;
    case IR_input: node_new(b, NODE_input, op); break;
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
    case IR_slice: alias_slice(b, op); return true;
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

static bool all_fit(const int64_t *v, unsigned n, int64_t most)
{
    for (unsigned i = 0; v && i < n; i++)
        if (v[i] < -most || v[i] > most)
            return false;
    return true;
}

struct window_attrs {
    const int64_t *kernel, *stride, *dilation, *pad; /* NULL: none */
};

static struct window_attrs window_attrs(const struct ir_op *op)
{
    const union ir_attrs *a = op->attrs;
    switch (op->opcode) {
    case IR_mvm: return (struct window_attrs){a->mvm.kernel, a->mvm.stride, a->mvm.dilation, NULL};
    case IR_max_pool:
        return (struct window_attrs){a->max_pool.kernel, a->max_pool.stride, a->max_pool.dilation,
                                     a->max_pool.pad};
    case IR_avg_pool:
        return (struct window_attrs){a->avg_pool.kernel, a->avg_pool.stride, a->avg_pool.dilation,
                                     a->avg_pool.pad};
    case IR_overlap_add:
        return (struct window_attrs){a->overlap_add.kernel, a->overlap_add.stride,
                                     a->overlap_add.dilation, a->overlap_add.pad};
    default: return (struct window_attrs){NULL, NULL, NULL, NULL};
    }
}

/* A stride of one step, or a dilation of one tap, may be larger than any extent. */
static bool fits_window(struct builder *b, const struct ir_op *op)
{
    struct window_attrs w = window_attrs(op);
    return (all_fit(w.kernel, 2, ISA_MAX_STEP) && all_fit(w.stride, 2, ISA_MAX_STEP) &&
            all_fit(w.dilation, 2, ISA_MAX_STEP) && all_fit(w.pad, 4, ISA_MAX_EXTENT)) ||
           diag_error(b->diag, op->loc, DIAG_CAPACITY,
                      "a kernel, stride or dilation exceeds the machine's %d, or a padding its %d",
                      ISA_MAX_STEP, ISA_MAX_EXTENT);
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
    free(number);
}

const struct node_list *plan_nodes(const struct ir_graph *g, struct arena *a, struct diag *d)
{
    struct builder b = {.list = {.graph = g, .n_ops = g->n_ops}, .arena = a, .diag = d};
    struct node_list *out = ARENA_NEW(a, struct node_list);
    b.list.ops = ARENA_ARRAY(a, const struct ir_op *, g->n_ops);
    b.list.node_of = ARENA_ARRAY(a, uint32_t, g->n_ops);
    b.list.parts = ARENA_ARRAY(a, struct value_parts, g->n_ops);
    memset(b.list.node_of, 0xff, g->n_ops * sizeof *b.list.node_of);
    bool ok = fits_bindings(&b);
    for (const struct ir_op *op = g->first; op; op = op->next) {
        b.list.ops[op->id] = op;
        ok &= fits_coordinates(&b, op) && fits_window(&b, op) && add_op(&b, op);
    }
    keep_nodes(&b);
    find_families(&b.list, a);
    *out = b.list;
    VEC_FREE(&b.nodes);
    return ok ? out : NULL;
}
