/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * partition_resize.c - an interpolation in operations that the machine has, a dimension after
 * another: low + (high - low) * weight,   low and high picked by gather_grid
 */
#include "partition.h"

/* x's elements index[.] along `axis`. */
static struct ir_value *picked(const struct pass_place *at, struct ir_value *x, int64_t axis,
                               const struct ir_ints *index, float value)
{
    int64_t count[IR_MAX_RANK], n = 0;
    for (int64_t i = 0; i < x->type.rank; i++)
        n += count[i] = i == axis ? index->n : x->type.dim[i];
    int64_t *list = heap_alloc((size_t)n * sizeof *list), *next = list;
    for (int64_t i = 0; i < x->type.rank; i++)
        for (int64_t k = 0; k < count[i]; k++)
            *next++ = i == axis ? index->at[k] : k;
    union ir_attrs attrs = {.gather_grid = {.count = {x->type.rank, count},
                                            .index = {(uint32_t)n, list},
                                            .value = value}};
    struct ir_value *v = pass_emit1(at, IR_gather_grid, &attrs, x);
    heap_free(list);
    return v;
}

static bool is_everything(const struct ir_ints *index, int64_t extent)
{
    bool all = index->n == extent;
    for (uint32_t i = 0; i < index->n && all; i++)
        all = index->at[i] == i;
    return all;
}

static struct ir_value *along(const struct pass_place *at, struct ir_value *x, int64_t axis,
                              const struct ir_ints *low, const struct ir_ints *high,
                              struct ir_value *weight, float value)
{
    int64_t dims[IR_MAX_RANK];
    for (int64_t i = 0; i < x->type.rank; i++)
        dims[i] = i == axis ? low->n : 1;
    struct ir_type shape = ir_type_of(IR_F32, x->type.rank, dims);
    struct ir_value *w = pass_f32_constant(weight)
                             ? pass_const_as(at, weight->def, shape.rank, dims)
                             : pass_reshape(at, weight, &shape);
    struct ir_value *a = x;
    if (!is_everything(low, x->type.dim[axis]))
        a = picked(at, x, axis, low, value);
    struct ir_value *b = picked(at, x, axis, high, value);
    struct ir_value *step = pass_emit2(at, IR_mul, NULL, pass_emit2(at, IR_sub, NULL, b, a), w);
    return pass_emit2(at, IR_add, NULL, a, step);
}

void partition_interpolate(struct ir_op *op)
{
    const struct ir_attrs_interpolate *a = &op->attrs->interpolate;
    struct pass_place at = pass_before(op);
    struct ir_value *x = op->in[0].value;
    const int64_t *low = a->low.at, *high = a->high.at;
    for (uint32_t i = 0; i < a->axes.n; i++) {
        struct ir_value *weight = op->in[i + 1].value;
        uint32_t n = (uint32_t)weight->type.dim[0];
        x = along(&at, x, a->axes.at[i], &(struct ir_ints){n, low}, &(struct ir_ints){n, high},
                  weight, a->value);
        low += n;
        high += n;
    }
    pass_replace(op, x);
}
