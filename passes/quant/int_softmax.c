/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_softmax.c - softmax of bytes without a mathematical library: with m the largest of n,
 *
 *   e = E[m - q], E[d] = rint(2^B * exp(-d * scale)), B = min(20, 30 - ceil(log2 n))
 *   p = (f32)e / (f32)(sum of e)
 *
 * The sum is exact, for n * 2^B < 2^31.
 */
#include "int.h"

#include <math.h>

enum { ENTRIES = 256, MOST_BITS = 20, SUM_BITS = 30 };

static struct ir_value *exponentials(const struct pass_place *at, float scale, int64_t n)
{
    int bits = SUM_BITS;
    while (bits > 0 && n > (int64_t)1 << (SUM_BITS - bits))
        bits--;
    bits = bits < MOST_BITS ? bits : MOST_BITS;
    int32_t *e = heap_alloc(ENTRIES * sizeof *e);
    for (int d = 0; d < ENTRIES; d++)
        e[d] = (int32_t)rint(ldexp(exp(-(double)d * (double)scale), bits));
    return pass_constant(at, ir_type_of(IR_I32, 1, (int64_t[]){ENTRIES}),
                         blob_own(e, ENTRIES * sizeof *e));
}

struct ir_value *int_rule_softmax(struct ir_op *op, struct pass_ctx *ctx)
{
    struct affine a;
    (void)ctx;
    if (!int_affine(op->in[0].value, &a))
        return NULL;
    struct pass_place at = pass_before(op);
    int64_t axis = op->attrs->softmax.axis, n = a.q->type.dim[axis];
    union ir_attrs most = {.reduce = {.kind = IR_REDUCE_MAX, .axes = {1, &axis}}};
    union ir_attrs sum = {.reduce = {.kind = IR_REDUCE_SUM, .axes = {1, &axis}}};
    struct ir_value *largest = int_cast(&at, pass_emit1(&at, IR_reduce, &most, a.q), IR_I32);
    struct ir_value *below = pass_emit2(&at, IR_sub, NULL, largest, int_cast(&at, a.q, IR_I32));
    struct ir_value *e = pass_emit2(&at, IR_table, NULL, below, exponentials(&at, a.scale, n));
    struct ir_value *total = pass_emit1(&at, IR_reduce, &sum, e);
    struct ir_value *in[2];
    in[0] = int_cast(&at, e, IR_F32);
    in[1] = int_cast(&at, total, IR_F32);
    return pass_emit(&at,
                     &(struct ir_new){.opcode = IR_div, .in = in, .n_in = 2, .name = op->name});
}
