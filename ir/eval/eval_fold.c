/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_fold.c - replaces an operation on constants by its result.
 * Input: an operation in a graph. Output: a constant in its place; the operands stay for whoever
 * else uses them.
 */
#include "eval_internal.h"

#include <stdlib.h>
#include <string.h>

/* A result this large whose elements are all alike is kept as one element: weights made by filling
 * or expanding a scalar cost nothing. */
static const size_t SPLAT_LEAST_BYTES = 4096;

static bool costs_at_most(const struct ir_type *t, size_t bytes)
{
    int64_t n;
    return ir_type_count(t, &n) && (uint64_t)n <= bytes / ir_dtype_bytes((enum ir_dtype)t->dtype);
}

/* One element that stands for many is spelled out to be computed with, as a result is. */
static bool is_readable(const struct ir_value *v, size_t max_bytes)
{
    return ir_is(v, IR_constant) && type_fits(&v->type) &&
           (!v->def->attrs->constant.data->splat || costs_at_most(&v->type, max_bytes));
}

static bool foldable(const struct ir_op *op, size_t max_bytes)
{
    if (!op->out || op->opcode == IR_constant || (ir_op_descs[op->opcode].traits & IR_IO))
        return false;
    for (uint32_t i = 0; i < op->n_in; i++)
        if (!is_readable(op->in[i].value, max_bytes))
            return false;
    return costs_at_most(&op->out->type, max_bytes);
}

/* Takes over t's data. */
static struct blob *blob_of(struct tensor *t)
{
    size_t elem = ir_dtype_bytes((enum ir_dtype)t->type.dtype);
    size_t bytes = (size_t)ir_count(&t->type) * elem;
    /* Equal to itself one element further on: all elements are alike. */
    if (bytes >= SPLAT_LEAST_BYTES && memcmp(t->data, (char *)t->data + elem, bytes - elem) == 0) {
        struct blob *b = blob_splat(t->data, elem);
        tensor_free(t);
        return b;
    }
    return blob_own(t->data, bytes);
}

static struct ir_op *put_in_place(struct ir_op *op, struct ir_type type, struct blob *b)
{
    struct ir_op *constant = ir_const_new(op->graph, op, type, b, op->name, op->loc);
    ir_replace_uses(op->out, constant->out);
    ir_op_remove(op);
    return constant;
}

/* Moving equal elements around gives the same element: weights made by filling stay small. */
static struct blob *moved_splat(const struct ir_op *op)
{
    bool moves = op->opcode == IR_reshape || op->opcode == IR_transpose || op->opcode == IR_slice ||
                 op->opcode == IR_expand;
    if (!moves || !ir_is(op->in[0].value, IR_constant))
        return NULL;
    struct blob *b = op->in[0].value->def->attrs->constant.data;
    return b->splat ? blob_ref(b) : NULL;
}

/* What is made of missing data is missing, too: nothing is computed. NULL: all data is there. */
static struct blob *missing_result(const struct ir_op *op)
{
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct blob *b = op->in[i].value->def->attrs->constant.data;
        if (b->missing)
            return ir_missing_blob((enum ir_dtype)op->out->type.dtype, blob_hash(b));
    }
    return NULL;
}

struct ir_op *eval_fold(struct ir_op *op, size_t max_bytes, struct diag *d)
{
    struct blob *splat = moved_splat(op);
    if (splat)
        return put_in_place(op, op->out->type, splat);
    if (!foldable(op, max_bytes))
        return NULL;
    struct blob *missing = missing_result(op);
    if (missing)
        return put_in_place(op, op->out->type, missing);
    struct tensor *operand = heap_alloc(op->n_in * sizeof *operand), result;
    const struct tensor **in = heap_alloc(op->n_in * sizeof *in);
    bool *owned = heap_alloc(op->n_in * sizeof *owned);
    for (uint32_t i = 0; i < op->n_in; i++) {
        operand[i] = constant_tensor(op->in[i].value->def, &owned[i]);
        in[i] = &operand[i];
    }
    bool ok = eval_op(op, in, &result, d);
    for (uint32_t i = 0; i < op->n_in; i++) {
        if (owned[i])
            tensor_free(&operand[i]);
    }
    heap_free(operand);
    heap_free(in);
    heap_free(owned);
    if (!ok)
        return NULL;
    struct ir_type type = result.type;
    return put_in_place(op, type, blob_of(&result));
}
