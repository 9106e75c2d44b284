/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * families.c - values that are made again and again, as the states of an unrolled recurrent layer.
 *
 * Operations are alike if they, their operands and the operands of these, a few deep, have the same
 * attributes, but for which rows and columns slices take; inputs and constants must be the same. A
 * family is what is alike, in list order. Being alike is only a hint: who makes use of a family
 * compares what it relies on.
 */
#include "nodes.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEPTH = 3,        /* operands looked through */
    LEAST_MEMBERS = 8 /* fewer values may as well have table entries of their own */
};

static uint64_t hash_op(const struct ir_op *op)
{
    const struct ir_op_desc *desc = &ir_op_descs[op->opcode];
    uint64_t h = hash_bytes(&op->opcode, sizeof op->opcode, op->out ? op->out->type.dtype : 0);
    if (op->opcode == IR_constant || op->opcode == IR_input)
        return hash_bytes(&op->id, sizeof op->id, h);
    if (op->out)
        h = hash_bytes(op->out->type.dim, op->out->type.rank * sizeof *op->out->type.dim, h);
    if (op->opcode == IR_slice) {
        const struct ir_attrs_slice *s = &op->attrs->slice;
        return hash_bytes(&s->start.at[2], sizeof *s->start.at,
                          hash_bytes(s->step.at, 3 * sizeof *s->step.at, h));
    }
    for (unsigned i = 0; i < desc->n_attrs; i++)
        h = ir_attr_hash((const char *)op->attrs + desc->attrs[i].offset, desc->attrs[i].kind, h);
    return h;
}

/* Of each operation by id, all alike having the same. */
static uint64_t *find_likeness(const struct node_list *l)
{
    uint64_t *own = heap_alloc(l->n_ops * sizeof *own), *now = heap_alloc(l->n_ops * sizeof *now);
    uint64_t *next = heap_alloc(l->n_ops * sizeof *next);
    for (uint32_t i = 0; i < l->n_ops; i++)
        own[i] = now[i] = hash_op(l->ops[i]);
    for (int depth = 0; depth < DEPTH; depth++) {
        for (uint32_t i = 0; i < l->n_ops; i++) {
            next[i] = own[i];
            for (uint32_t k = 0; k < l->ops[i]->n_in; k++)
                next[i] = hash_bytes(&now[l->ops[i]->in[k].value->def->id], sizeof *now, next[i]);
        }
        uint64_t *swap = now;
        now = next;
        next = swap;
    }
    heap_free(own);
    heap_free(next);
    return now;
}

/* Can its values lie one after another in rows? Those that are moved about are filled through views
 * of their own. */
static bool can_belong(const struct node_list *l, const struct ir_op *op)
{
    if (!op->out || op->out->type.rank != 3 || op->out->type.dim[0] != 1)
        return false;
    uint32_t node = l->node_of[op->id];
    if (node == NONE)
        return op->opcode == IR_mvm || l->parts[op->id].n > 0;
    return l->at[node].kind == NODE_mvm || l->at[node].kind == NODE_map;
}

void find_families(struct node_list *l, struct arena *a)
{
    struct map number = {0};
    uint64_t *like = find_likeness(l);
    uint32_t n = 0, *size = heap_alloc(l->n_ops * sizeof *size);
    l->family = ARENA_ARRAY(a, struct member, l->n_ops);
    for (uint32_t i = 0; i < l->n_ops; i++) {
        l->family[i].family = NONE;
        if (!can_belong(l, l->ops[i]))
            continue;
        uint32_t f = map_intern_u64(&number, like[i], n);
        n += f == n;
        l->family[i] = (struct member){f, size[f]++};
    }
    for (uint32_t i = 0; i < l->n_ops; i++)
        if (l->family[i].family != NONE && size[l->family[i].family] < LEAST_MEMBERS)
            l->family[i].family = NONE;
    heap_free(size);
    heap_free(like);
    map_free(&number);
}

static bool is_member(const struct node_list *l, const struct ir_op *value)
{
    return l->family[value->id].family != NONE;
}

/* Its source and its result are of one row, which the product reads as it is. */
static bool reads_one_row(const struct node *n)
{
    const struct axis_map *m = &n->operand[0].map[AXIS_H];
    return n->dim[AXIS_H] == 1 && m->extent == 1 && m->kernel == 1 && m->stride == 1 && m->pad == 0;
}

bool node_is_stacked(const struct node_list *l, const struct node *n)
{
    return n->kind == NODE_mvm && is_member(l, n->root) && is_member(l, n->operand[0].value) &&
           reads_one_row(n);
}

static int64_t distance(const struct node_list *l, const struct node *n)
{
    return (int64_t)l->family[n->root->id].number - l->family[n->operand[0].value->id].number;
}

bool nodes_share_group(const struct node_list *l, const struct node *a, const struct node *b)
{
    const struct operand *x = &a->operand[0], *y = &b->operand[0];
    return node_is_stacked(l, a) && node_is_stacked(l, b) && distance(l, a) == distance(l, b) &&
           l->family[a->root->id].family == l->family[b->root->id].family &&
           l->family[x->value->id].family == l->family[y->value->id].family &&
           memcmp(a->dim, b->dim, sizeof a->dim) == 0 &&
           memcmp(x->map, y->map, sizeof x->map) == 0 && x->pad_value == y->pad_value &&
           a->root->attrs->mvm.x_bits == b->root->attrs->mvm.x_bits;
}
