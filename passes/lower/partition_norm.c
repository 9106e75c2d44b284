/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * partition_norm.c - a layer normalisation in operations that the machine has:
 *   d = x - mean(x);   d * (1 / sqrt(mean(d * d) + epsilon))
 * The variance is taken in a second pass over the values; mean(x * x) - mean(x)^2 loses all digits
 * where the mean is large.
 */
#include "partition.h"

/* Over all dimensions after the second it is a pooling. */
static struct ir_value *mean(const struct pass_place *at, struct ir_value *x,
                             const struct ir_ints *axes)
{
    bool is_pool = x->type.rank >= 3 && axes->n == x->type.rank - 2u && axes->at[0] == 2;
    if (is_pool)
        return pass_emit1(at, IR_global_avg_pool, NULL, x);
    int64_t count = 1;
    for (uint32_t i = 0; i < axes->n; i++)
        count *= x->type.dim[axes->at[i]];
    union ir_attrs sum = {.reduce = {.kind = IR_REDUCE_SUM, .axes = *axes}};
    struct ir_value *v = pass_emit1(at, IR_reduce, &sum, x);
    return pass_emit2(at, IR_mul, NULL, v, pass_const_splat(at, 0, NULL, 1.0f / (float)count));
}

void partition_norm(struct ir_op *norm)
{
    struct pass_place at = pass_before(norm);
    const struct ir_attrs_layer_norm *a = &norm->attrs->layer_norm;
    struct ir_value *x = norm->in[0].value;
    struct ir_value *d = pass_emit2(&at, IR_sub, NULL, x, mean(&at, x, &a->axes));
    struct ir_value *variance = mean(&at, pass_emit2(&at, IR_mul, NULL, d, d), &a->axes);
    struct ir_value *epsilon = pass_const_splat(&at, 0, NULL, a->epsilon);
    struct ir_value *deviation =
        pass_emit1(&at, IR_sqrt, NULL, pass_emit2(&at, IR_add, NULL, variance, epsilon));
    struct ir_value *one = pass_const_splat(&at, 0, NULL, 1);
    pass_replace(norm,
                 pass_emit2(&at, IR_mul, NULL, d, pass_emit2(&at, IR_div, NULL, one, deviation)));
}
