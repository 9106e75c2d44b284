/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fuse.c - elementwise operations share nodes: what runs as one vector program.
 *
 * One on one runtime value joins the node in front (an mvm's epilogue, a map) while its value has
 * no other reader; one on two takes over the maps that compute them for it alone. Values with
 * several readers become lanes where all of these do: where(x > 0, x, 0.1 * x) is one program that
 * reads x. So nothing is stored between.
 */
#include "fuse.h"

#include <string.h>

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

/* What grows (an u8 that becomes f32) is not stored grown where the one that reads it in the end
 * can do the rest. */
static bool grows_for_two(const struct ir_value *x, const struct ir_op *op)
{
    return bytes_of(op->out) > bytes_of(x) && leads_to_two(op);
}

/* Joins an operation on one value to the node in front of it, if that can take it and, a base
 * layer, still add a partial sum; but what grows only where it is taken over with the node. */
static bool join_front(struct builder *b, const struct ir_op *op, unsigned i)
{
    uint32_t front = front_node(b, op, i);
    const struct ir_value *x = op->in[i].value;
    if (front == NONE)
        return false;
    struct node *n = &b->nodes.at[front];
    bool taken_over = n->kind == NODE_map && n->n_operands == 1 &&
                      bytes_of(n->operand[0].value->out) <= bytes_of(x);
    if (!taken_over && grows_for_two(x, op))
        return false;
    struct lanes longer = n->lanes;
    const struct term result[2] = {longer.result};
    lanes_append(&longer, op, result);
    if (!lanes_fit(&longer, n->kind == NODE_mvm))
        return false;
    n->lanes = longer;
    n->out = op;
    forget_value(b, x->def);
    b->list.node_of[op->id] = b->made_in[op->id] = front;
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

/* Node `part` becomes a part of node `whole`. */
static void hand_over(struct builder *b, uint32_t part, uint32_t whole)
{
    forget_value(b, b->nodes.at[part].out);
    b->nodes.at[part].out = NULL;
    b->into.at[part] = whole;
}

/* A map of its own; of two values, it takes over the chains in front as far as they fit. Its
 * number. */
static uint32_t add_map(struct builder *b, const struct ir_op *op)
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
    uint32_t whole = (uint32_t)b->nodes.n;
    for (unsigned i = 0; i < 2; i++)
        if (ways[way][i] != NONE)
            hand_over(b, ways[way][i], whole);
    add_node(b, n);
    return whole;
}

/* ---- values with several readers ---- */

/* A map, which grows towards its operands: `at` are nodes of which all but the first are read by
 * those before them alone, and `leaf` what they read from outside. */
enum { MOST_PARTS = ISA_MAX_LANE_OPS, MOST_LEAVES = MOST_PARTS + 2 };
struct region {
    unsigned n, n_leaves;
    uint32_t at[MOST_PARTS];
    struct operand leaf[MOST_LEAVES];
};

static uint32_t node_now(struct builder *b, uint32_t node)
{
    while (b->into.at[node] != node)
        node = b->into.at[node] = b->into.at[b->into.at[node]];
    return node;
}

/* Do only nodes of the region read the value? More readers than lanes are not counted. */
static bool read_inside(struct builder *b, const struct region *r, const struct ir_op *value)
{
    unsigned n = 0;
    for (const struct ir_use *use = value->out->uses; use; use = use->next) {
        uint32_t reader = b->made_in[use->user->id];
        bool inside = false;
        reader = reader == NONE ? NONE : node_now(b, reader);
        for (unsigned i = 0; i < r->n; i++)
            inside |= r->at[i] == reader;
        if (!inside || ++n > 2 * ISA_MAX_LANE_OPS)
            return false;
    }
    return true;
}

/* The node that makes leaf i, if it is of this kind and can become a part. */
static uint32_t part_at(struct builder *b, const struct region *r, unsigned i, enum node_kind kind)
{
    const struct ir_op *value = r->leaf[i].value;
    uint32_t node = b->list.node_of[value->id];
    if (node == NONE || b->nodes.at[node].kind != kind ||
        !same_extents(value->out, b->nodes.at[r->at[0]].out->out) || !read_inside(b, r, value))
        return NONE;
    return node;
}

static void add_leaves(struct region *r, const struct node *n)
{
    for (unsigned k = 0; k < n->n_operands; k++) {
        unsigned i = 0;
        while (i < r->n_leaves && r->leaf[i].value != n->operand[k].value)
            i++;
        if (i == r->n_leaves)
            r->leaf[r->n_leaves++] = n->operand[k];
    }
}

/* Takes in the latest node that can become a part; false if there is none. */
static bool grow(struct builder *b, struct region *r)
{
    uint32_t latest = NONE;
    unsigned at = 0;
    for (unsigned i = 0; i < r->n_leaves; i++) {
        uint32_t node = part_at(b, r, i, NODE_map);
        if (node != NONE && (latest == NONE || node > latest)) {
            latest = node;
            at = i;
        }
    }
    if (latest == NONE || r->n == MOST_PARTS)
        return false;
    r->leaf[at] = r->leaf[--r->n_leaves];
    r->at[r->n++] = latest;
    add_leaves(r, &b->nodes.at[latest]);
    return true;
}

static size_t bytes_read(const struct region *r)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < r->n_leaves; i++)
        bytes += bytes_of(r->leaf[i].value->out);
    return bytes;
}

/* Operand k of part i: the result of an earlier part, or an operand of the whole. */
static bool part_operand(const struct builder *b, const struct region *r, unsigned i, unsigned k,
                         const uint8_t *result, struct node *whole, uint8_t *code)
{
    const struct operand *o = &b->nodes.at[r->at[i]].operand[k];
    for (unsigned j = i + 1; j < r->n; j++)
        if (b->nodes.at[r->at[j]].out == o->value) {
            *code = result[j];
            return true;
        }
    return operand_code(whole, o, code);
}

/* One program of all parts; false if that is more than a program holds. */
static bool join_parts(const struct builder *b, const struct region *r, struct node *whole)
{
    uint8_t result[MOST_PARTS];
    *whole = b->nodes.at[r->at[0]];
    whole->lanes = lanes_new();
    whole->n_operands = 0;
    for (unsigned i = r->n; i-- > 0;) {
        const struct node *part = &b->nodes.at[r->at[i]];
        uint8_t code[2];
        for (unsigned k = 0; k < part->n_operands; k++)
            if (!part_operand(b, r, i, k, result, whole, &code[k]))
                return false;
        lanes_join(&whole->lanes, &part->lanes, code);
        if (i > 0)
            lanes_settle(&whole->lanes);
        result[i] = whole->lanes.result.code;
    }
    whole->lanes.program.arity = whole->n_operands;
    return lanes_fit(&whole->lanes, 0);
}

/* Values in front of a map that only its own lanes read, however many they are, become lanes: where
 * that takes no more from outside, and fits. */
static void take_over_shared(struct builder *b, uint32_t map)
{
    struct region r = {.n = 1, .at = {map}}, best = {0};
    struct node whole, joined;
    add_leaves(&r, &b->nodes.at[map]);
    size_t bytes = bytes_read(&r);
    while (grow(b, &r))
        if (r.n_leaves <= 2 && bytes_read(&r) <= bytes && join_parts(b, &r, &joined)) {
            best = r;
            whole = joined;
        }
    for (unsigned i = 1; i < best.n; i++)
        hand_over(b, best.at[i], map);
    if (best.n > 0)
        b->nodes.at[map] = whole;
}

/* A map of a base layer's sums that no other node reads becomes its epilogue, if it leaves room to
 * add a partial sum. */
static void join_base_layer(struct builder *b, uint32_t map)
{
    struct region r = {.n = 1, .at = {map}};
    add_leaves(&r, &b->nodes.at[map]);
    uint32_t front = r.n_leaves == 1 ? part_at(b, &r, 0, NODE_mvm) : NONE;
    if (front == NONE)
        return;
    struct node *layer = &b->nodes.at[front];
    const struct ir_op *sums = layer->out, *out = b->nodes.at[map].out;
    if (grows_for_two(sums->out, out))
        return;
    struct lanes longer = layer->lanes;
    lanes_settle(&longer);
    lanes_join(&longer, &b->nodes.at[map].lanes, (uint8_t[2]){longer.result.code, 0});
    if (!lanes_fit(&longer, 1))
        return;
    layer->lanes = longer;
    layer->out = out;
    forget_value(b, sums);
    hand_over(b, map, front);
    b->list.node_of[out->id] = front;
}

void add_elementwise(struct builder *b, const struct ir_op *op)
{
    unsigned at[2];
    if (lanes_runtime(op, at) == 1 && join_front(b, op, at[0]))
        return;
    uint32_t map = add_map(b, op);
    take_over_shared(b, map);
    join_base_layer(b, map);
}
