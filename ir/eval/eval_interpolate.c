/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* eval_interpolate.c - values between two elements, along one dimension after another. */
#include "eval_internal.h"

#include <stdlib.h>
#include <string.h>

/* One dimension: of `extent` elements, `inner` behind each, `count` are made. */
struct along {
    int64_t extent, inner, count;
    const int64_t *low, *high;
    const float *weight;
    float value; /* of an index of -1 */
};

static float element(const struct along *a, const float *x, int64_t index, int64_t i)
{
    return index < 0 ? a->value : x[index * a->inner + i];
}

static void interpolate(const struct along *a, const float *x, int64_t outer, float *y)
{
    for (int64_t o = 0; o < outer; o++, x += a->extent * a->inner)
        for (int64_t k = 0; k < a->count; k++)
            for (int64_t i = 0; i < a->inner; i++) {
                float low = element(a, x, a->low[k], i), high = element(a, x, a->high[k], i);
                *y++ = low + (high - low) * a->weight[k];
            }
}

/* The n-th dimension of the operation; x is let go but for the first. Without data: too large. */
static struct tensor interpolated(const struct ir_op *op, uint32_t n, struct along *a,
                                  struct tensor x, const struct tensor *weights)
{
    struct ir_type t = x.type;
    struct tensor y = {0};
    int64_t axis = op->attrs->interpolate.axes.at[n], outer = 1;
    a->extent = t.dim[axis];
    a->inner = 1;
    for (int64_t i = 0; i < t.rank; i++)
        *(i < axis ? &outer : &a->inner) *= i == axis ? 1 : t.dim[i];
    a->count = t.dim[axis] = ir_count(&weights->type);
    a->weight = tensor_f32(weights);
    if (type_fits(&t)) {
        y = tensor_new(&t);
        interpolate(a, tensor_f32(&x), outer, tensor_f32(&y));
    }
    if (n)
        tensor_free(&x);
    a->low += a->count;
    a->high += a->count;
    return y;
}

bool eval_interpolate(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                      struct diag *d)
{
    const struct ir_attrs_interpolate *at = &op->attrs->interpolate;
    struct along a = {.low = at->low.at, .high = at->high.at, .value = at->value};
    struct tensor x = *in[0];
    if (!want_f32(op, in, d))
        return false;
    for (uint32_t n = 0; n < at->axes.n && x.data; n++)
        x = interpolated(op, n, &a, x, in[n + 1]);
    if (!x.data)
        return diag_error(d, op->loc, DIAG_CAPACITY,
                          "interpolate: a value is too large to compute");
    tensor_free(out);
    *out = x;
    return true;
}
