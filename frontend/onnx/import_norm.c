/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* import_norm.c - BatchNormalization at inference, Softmax, LogSoftmax, Hardmax, LRN. */
#include "onnx_node.h"

#include <string.h>

/* [C] -> [C,1,1,...], to be broadcast to x; NULL, reported, if it is none. */
static struct ir_value *by_channel(struct onnx_node *n, struct ir_value *v, const struct ir_type *x)
{
    int64_t dims[IR_MAX_RANK];
    if (!v || x->rank < 2)
        return v;
    if (v->type.rank != 1 || v->type.dim[0] != x->dim[1]) {
        onnx_error(n, "a parameter has not one number for each of %lld channels",
                   (long long)x->dim[1]);
        return NULL;
    }
    for (int i = 0; i + 1 < x->rank; i++)
        dims[i] = i ? 1 : x->dim[1];
    return onnx_reshape(n, v, dims, x->rank - 1u, false);
}

/* (x - mean) * (scale / sqrt(var + epsilon)) + bias */
static struct ir_value *computed_batch_norm(struct onnx_node *n, struct ir_value *const in[5],
                                            float epsilon)
{
    struct ir_value *x = in[0], *p[5]; /* as in ONNX: x, scale, bias, mean, var */
    for (int i = 1; x && i < 5; i++)
        if (!(p[i] = by_channel(n, in[i], &x->type)))
            return NULL;
    if (!x)
        return NULL;
    struct ir_value *deviation = onnx_helper2(n, IR_add, p[4], onnx_scalar(n, epsilon));
    deviation = onnx_helper1(n, IR_sqrt, NULL, deviation);
    struct ir_value *factor = onnx_helper2(n, IR_div, p[1], deviation);
    struct ir_value *v = onnx_helper2(n, IR_mul, onnx_helper2(n, IR_sub, x, p[3]), factor);
    return onnx_helper2(n, IR_add, v, p[2]);
}

bool import_batch_norm(struct onnx_node *n)
{
    struct ir_value *in[5];
    onnx_ignore_attr(n, "momentum"); /* of training */
    float epsilon = onnx_attr_f32(n, "epsilon", 1e-5f);
    if (onnx_attr_i64(n, "training_mode", 0) != 0)
        return onnx_error(n, "training mode is not supported");
    if (n->im->opset < 7 && onnx_attr_i64(n, "is_test", 0) == 0)
        return onnx_error(n, "training mode (is_test=0) is not supported");
    if (n->im->opset < 9 && onnx_attr_i64(n, "spatial", 1) != 1)
        return onnx_error(n, "spatial=0 is not supported");
    /* Until opset 13 the presence of further results is what asks for training mode. */
    for (size_t k = 1; k < n->proto->n_output; k++)
        if (n->im->opset < 14 ? *n->proto->output[k] != 0 : onnx_out_used(n, k))
            return onnx_error(n,
                              "training mode, in which alone result %zu, '%s', exists, is not "
                              "supported; export the model in inference mode",
                              k, n->proto->output[k]);
    bool known = true;
    for (size_t i = 0; i < 5; i++) {
        in[i] = onnx_in(n, i);
        known &= i == 0 || (in[i] && onnx_is_const(onnx_known(n, in[i])));
    }
    union ir_attrs attrs = {.batch_norm = {.epsilon = epsilon}};
    return onnx_set_out(n, 0,
                        known ? onnx_emit(n, IR_batch_norm, &attrs, in, 5)
                              : computed_batch_norm(n, in, epsilon));
}

/* ---- softmax ---- */

static struct ir_value *softmax(struct onnx_node *n, struct ir_value *x, int64_t axis)
{
    union ir_attrs attrs = {.softmax = {.axis = axis}};
    return onnx_helper1(n, IR_softmax, &attrs, x);
}

/* With d = x - max: d - log(sum(exp(d))). The logarithm of a softmax would lose what underflows. */
struct ir_value *onnx_log_softmax(struct onnx_node *n, struct ir_value *x, int64_t axis)
{
    bool axes[IR_MAX_RANK] = {0};
    axes[axis] = true;
    struct ir_value *d = onnx_helper2(n, IR_sub, x, onnx_reduce(n, IR_REDUCE_MAX, x, axes));
    struct ir_value *sum = onnx_reduce(n, IR_REDUCE_SUM, onnx_helper1(n, IR_exp, NULL, d), axes);
    return onnx_helper2(n, IR_sub, d, onnx_helper1(n, IR_log, NULL, sum));
}

/* 1 at the first of the largest elements, else 0. */
static struct ir_value *hardmax(struct onnx_node *n, struct ir_value *x, int64_t axis)
{
    struct ir_value *place = onnx_steps(n, IR_F32, x->type.rank, axis, x->type.dim[axis], 0, 1);
    struct ir_value *first = onnx_greatest(n, x, NULL, axis, false);
    return onnx_cast(n, onnx_helper2(n, IR_equal, place, first), IR_F32);
}

typedef struct ir_value *make_softmax(struct onnx_node *n, struct ir_value *x, int64_t axis);

/* The dimensions from `axis` on count as one: a reshape to two dimensions, unless all but one of
 * them are 1. axis = rank is legal: every row has one element. */
static struct ir_value *flattened(struct onnx_node *n, struct ir_value *x, make_softmax *make,
                                  int64_t axis)
{
    if (!x || (axis != x->type.rank && !onnx_axis(n, axis, x->type.rank, &axis)))
        return NULL;
    int64_t rows = 1, columns = 1, wide = axis, n_wide = 0;
    for (int64_t i = 0; i < x->type.rank; i++) {
        *(i < axis ? &rows : &columns) *= x->type.dim[i];
        if (i >= axis && x->type.dim[i] != 1) {
            wide = i;
            n_wide++;
        }
    }
    if (n_wide <= 1 && axis != x->type.rank)
        return make(n, x, wide);
    struct ir_value *flat = onnx_reshape(n, x, (const int64_t[]){rows, columns}, 2, false);
    struct ir_value *v = flat ? make(n, flat, 1) : NULL;
    return onnx_reshape(n, v, x->type.dim, x->type.rank, false);
}

static struct ir_value *along_axis(struct onnx_node *n, struct ir_value *x, make_softmax *make,
                                   int64_t axis)
{
    return x && onnx_axis(n, axis, x->type.rank, &axis) ? make(n, x, axis) : NULL;
}

struct ir_value *onnx_softmax(struct onnx_node *n, struct ir_value *x, bool flattens)
{
    int64_t axis = onnx_attr_i64(n, "axis", -1);
    return flattens ? flattened(n, x, softmax, axis) : along_axis(n, x, softmax, axis);
}

/* Since opset 13 along one axis, by default the last; before from one on, by default 1. */
bool import_softmax(struct onnx_node *n)
{
    make_softmax *make = n->op->variant == SOFTMAX   ? softmax
                         : n->op->variant == HARDMAX ? hardmax
                                                     : onnx_log_softmax;
    struct ir_value *x = onnx_in(n, 0);
    struct ir_value *v = n->im->opset < 13 ? flattened(n, x, make, onnx_attr_i64(n, "axis", 1))
                                           : along_axis(n, x, make, onnx_attr_i64(n, "axis", -1));
    return onnx_set_out(n, 0, v);
}

/* ---- LRN ---- */

/* The sum over channels c - before .. c + after of x, as far as there are any. */
static struct ir_value *sum_of_neighbours(struct onnx_node *n, struct ir_value *x, int64_t before,
                                          int64_t after)
{
    int64_t ahead[IR_MAX_RANK] = {0}, behind[IR_MAX_RANK] = {0}, start[IR_MAX_RANK] = {0};
    int64_t step[IR_MAX_RANK];
    uint32_t rank = x->type.rank;
    const int64_t *dims = x->type.dim;
    for (uint32_t i = 0; i < rank; i++)
        step[i] = 1;
    ahead[1] = before;
    behind[1] = after;
    union ir_attrs attrs = {
        .pad = {.before = {rank, ahead}, .after = {rank, behind}, .mode = IR_PAD_CONSTANT}};
    struct ir_value *padded = onnx_helper1(n, IR_pad, &attrs, x), *sum = NULL;
    for (int64_t k = 0; k <= before + after; k++) {
        start[1] = k;
        struct ir_value *part = onnx_slice(n, padded, start, step, dims, false);
        sum = k ? onnx_helper2(n, IR_add, sum, part) : part;
    }
    return sum;
}

/* x / (bias + alpha/size * (sum of the squares of `size` channels around))^beta */
bool import_lrn(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    float alpha = onnx_attr_f32(n, "alpha", 1e-4f), beta = onnx_attr_f32(n, "beta", 0.75f);
    float bias = onnx_attr_f32(n, "bias", 1);
    int64_t size = onnx_attr_i64(n, "size", 0);
    enum { MOST_NEIGHBOURS = 255 };
    if (!x)
        return false;
    if (x->type.rank < 3)
        return onnx_error(n, "an input of %u dimensions; at least 3 are supported", x->type.rank);
    if (size < 1)
        return onnx_error(n, "size is %lld; at least 1 is supported", (long long)size);
    int64_t most = x->type.dim[1] - 1; /* there are no further neighbours */
    int64_t before = min_i64((size - 1) / 2, most), after = min_i64(size / 2, most);
    if (before + after > MOST_NEIGHBOURS)
        return onnx_error(n, "%lld channels around are summed up; at most %d are supported",
                          (long long)(before + after), MOST_NEIGHBOURS);
    struct ir_value *v = onnx_helper2(n, IR_mul, x, x);
    v = v ? sum_of_neighbours(n, v, before, after) : NULL;
    v = onnx_helper2(n, IR_mul, v, onnx_scalar(n, alpha / (float)size));
    bool is_positive = alpha >= 0 && bias > 0;
    v = onnx_power(n, onnx_helper2(n, IR_add, v, onnx_scalar(n, bias)), beta, is_positive);
    return onnx_set_out(n, 0, onnx_helper2(n, IR_div, x, v));
}
