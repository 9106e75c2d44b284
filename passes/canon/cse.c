/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cse.c - operations with the same opcode, attributes and operands become one: the first of the
 * list.
 *
 * One walk in list order with a hash table: operands of an operation are already merged when its
 * own turn comes. Base layers merge only if they name the same `weights`: with weights = 0 a layer
 * has crossbars of its own, which is a statement about the machine and not about the value.
 */
#include "passes_internal.h"

#include <string.h>

struct table {
    struct ir_op **slot;
    uint64_t *hash;
    size_t mask;
};

/* Operand i in an order that does not depend on how a commuting operation was written. */
static const struct ir_value *operand(const struct ir_op *op, uint32_t i)
{
    bool swapped =
        pass_has_trait(op, IR_COMMUTES) && op->in[0].value->def->id > op->in[1].value->def->id;
    return op->in[swapped ? 1 - i : i].value;
}

static uint64_t hash_op(const struct ir_op *op)
{
    const struct ir_op_desc *desc = &ir_op_descs[op->opcode];
    uint64_t h = op->opcode;
    for (uint32_t i = 0; i < op->n_in; i++)
        h = hash_bytes(&operand(op, i)->def->id, sizeof op->id, h);
    for (unsigned i = 0; i < desc->n_attrs; i++)
        h = ir_attr_hash((const char *)op->attrs + desc->attrs[i].offset, desc->attrs[i].kind, h);
    return h;
}

static bool op_equal(const struct ir_op *a, const struct ir_op *b)
{
    const struct ir_op_desc *desc = &ir_op_descs[a->opcode];
    if (a->opcode != b->opcode || a->n_in != b->n_in)
        return false;
    for (uint32_t i = 0; i < a->n_in; i++) {
        if (operand(a, i) != operand(b, i))
            return false;
    }
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        size_t at = desc->attrs[i].offset;
        if (!ir_attr_equal((const char *)a->attrs + at, (const char *)b->attrs + at,
                           desc->attrs[i].kind))
            return false;
    }
    return true;
}

/* The first slot from `i` on that is free or holds an operation of hash h. */
static size_t find(const struct table *t, uint64_t h, size_t i)
{
    i &= t->mask;
    while (t->slot[i] && t->hash[i] != h)
        i = (i + 1) & t->mask;
    return i;
}

/* The equal operation seen before, or NULL after remembering this one. hash_op looks at a few
 * elements of a constant: many that differ elsewhere are told apart by all of them. */
static struct ir_op *find_or_add(struct table *t, struct ir_op *op)
{
    uint64_t h = hash_op(op);
    size_t i = find(t, h, h);
    if (t->slot[i] && !op_equal(t->slot[i], op)) {
        h += op->opcode == IR_constant ? blob_hash(op->attrs->constant.data) : 1;
        i = find(t, h, h);
    }
    while (t->slot[i] && !op_equal(t->slot[i], op))
        i = find(t, h, i + 1);
    if (t->slot[i])
        return t->slot[i];
    t->slot[i] = op;
    t->hash[i] = h;
    return NULL;
}

static bool may_merge(const struct ir_op *op)
{
    if (pass_has_trait(op, IR_IO))
        return false;
    switch (op->opcode) {
    case IR_conv: return op->attrs->conv.weights > 0;
    case IR_matmul: return op->attrs->matmul.weights > 0;
    case IR_mvm: return op->attrs->mvm.weights > 0;
    default: return true;
    }
}

static enum pass_result run_cse(struct pass_ctx *ctx, struct ir_graph *g)
{
    uint32_t n = ir_number(g);
    struct table t = {.mask = 15};
    while (t.mask < (size_t)n * 2)
        t.mask = t.mask * 2 + 1;
    t.slot = ARENA_ARRAY(ctx->scratch, struct ir_op *, t.mask + 1);
    t.hash = ARENA_ARRAY(ctx->scratch, uint64_t, t.mask + 1);
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        struct ir_op *same = may_merge(op) ? find_or_add(&t, op) : NULL;
        if (!same)
            continue;
        pass_replace(op, same->out);
        ctx->stats[0]++;
    }
    return ctx->stats[0] ? PASS_CHANGED : PASS_UNCHANGED;
}

static const char *const stats[] = {"operations merged", NULL};
const struct pass pass_cse = {
    .name = "cse",
    .summary = "merge equal operations",
    .needs = IR_TENSOR | IR_CANONICAL | IR_INTEGER | IR_CROSSBAR,
    .stats = stats,
    .run = run_cse,
};
