/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_reduce.c - many elements to one: the Reduce operators, GlobalMaxPool, GlobalLpPool.
 *
 * The IR keeps reduced dimensions as 1. A mean is the sum times 1/n, except over all dimensions
 * after the second: that is global_avg_pool.
 */
#include "onnx_node.h"

#include <float.h>
#include <string.h>

struct ir_value *onnx_reduce(struct onnx_node *n, enum ir_reduce_kind kind, struct ir_value *x,
                             const bool *axes)
{
    int64_t list[IR_MAX_RANK];
    uint32_t count = 0;
    for (int64_t i = 0; x && i < x->type.rank; i++)
        if (axes[i])
            list[count++] = i;
    if (!x || count == 0)
        return x;
    union ir_attrs attrs = {.reduce = {.kind = kind, .axes = {count, list}}};
    return onnx_helper1(n, IR_reduce, &attrs, x);
}

/* The dimensions to reduce: attribute or operand `axes`, all if there are none, unless
 * noop_with_empty_axes says that nothing happens then. */
static bool read_axes(struct onnx_node *n, const struct ir_type *x, bool axes[IR_MAX_RANK])
{
    int64_t operand_since = n->op->variant == REDUCE_SUM ? 13 : 18;
    struct ir_ints list = {0};
    bool noop = false;
    if (n->im->opset < operand_since) {
        list = onnx_attr_ints(n, "axes");
    } else {
        noop = onnx_attr_i64(n, "noop_with_empty_axes", 0) != 0;
        if (onnx_has_in(n, 1) && !onnx_const_ints(n, 1, &list))
            return false;
    }
    if (!onnx_axes(n, list, x->rank, axes))
        return false;
    for (int i = 0; list.n == 0 && !noop && i < x->rank; i++)
        axes[i] = true;
    return true;
}

struct ir_value *onnx_mean(struct onnx_node *n, struct ir_value *x, const bool *axes)
{
    if (!x)
        return NULL;
    bool is_pool = x->type.rank >= 3 && x->type.dtype == IR_F32;
    int64_t count = 1;
    for (int i = 0; i < x->type.rank; i++) {
        is_pool &= axes[i] == (i >= 2);
        count *= axes[i] ? x->type.dim[i] : 1;
    }
    if (is_pool)
        return onnx_helper1(n, IR_global_avg_pool, NULL, x);
    struct ir_value *sum = onnx_reduce(n, IR_REDUCE_SUM, x, axes);
    if (count == 1)
        return sum;
    if (x->type.dtype != IR_F32)
        return onnx_helper2(n, IR_div, sum, onnx_cast(n, onnx_scalar(n, (float)count), IR_I32));
    return onnx_helper2(n, IR_mul, sum, onnx_scalar(n, 1.0f / (float)count));
}

struct ir_value *onnx_lp(struct onnx_node *n, struct ir_value *x, int64_t p, const bool *axes)
{
    struct ir_value *v = p % 2 ? onnx_helper1(n, IR_abs, NULL, x) : x;
    v = onnx_reduce(n, IR_REDUCE_SUM, onnx_power(n, v, (double)p, true), axes);
    return onnx_power(n, v, 1 / (double)p, true);
}

struct ir_value *onnx_reversed(struct onnx_node *n, struct ir_value *x)
{
    static const int32_t MINUS_ONE = -1;
    if (!x || x->type.dtype == IR_F32)
        return onnx_helper1(n, IR_neg, NULL, x);
    struct blob *b = blob_splat(&MINUS_ONE, sizeof MINUS_ONE);
    return onnx_helper2(n, IR_sub, onnx_const(n, ir_type_of(IR_I32, 0, NULL), b), x);
}

static struct ir_value *minimum(struct onnx_node *n, struct ir_value *x, const bool *axes)
{
    return onnx_reversed(n, onnx_reduce(n, IR_REDUCE_MAX, onnx_reversed(n, x), axes));
}

/* The product of no elements. */
static struct ir_value *ones(struct onnx_node *n, const struct ir_value *x, int axis)
{
    const float one = 1;
    struct ir_type type = x->type;
    type.dtype = IR_F32;
    type.dim[axis] = 1;
    struct ir_value *v = onnx_const(n, type, blob_splat(&one, sizeof one));
    return onnx_cast(n, v, (enum ir_dtype)x->type.dtype);
}

/* Along one dimension, by halves: n elements in log2(n) products of what is left. */
static struct ir_value *product_along(struct onnx_node *n, struct ir_value *x, int axis)
{
    struct ir_value *odd = NULL; /* of those that had no partner, the product */
    if (x->type.dim[axis] == 0)
        return ones(n, x, axis);
    while (x && x->type.dim[axis] > 1) {
        int64_t length = x->type.dim[axis], half = length / 2;
        if (length % 2) {
            struct ir_value *last = onnx_run(n, x, axis, length - 1, 1);
            odd = odd ? onnx_helper2(n, IR_mul, odd, last) : last;
        }
        x = onnx_helper2(n, IR_mul, onnx_run(n, x, axis, 0, half),
                         onnx_run(n, x, axis, half, half));
    }
    return odd ? onnx_helper2(n, IR_mul, x, odd) : x;
}

static struct ir_value *product(struct onnx_node *n, struct ir_value *x, const bool *axes)
{
    for (int i = 0; x && i < x->type.rank; i++)
        if (axes[i])
            x = product_along(n, x, i);
    return x;
}

/* m + log(sum(exp(x - m))) with the maximum m, which is made finite so that x - m is a number. */
static struct ir_value *log_sum_exp(struct onnx_node *n, struct ir_value *x, const bool *axes)
{
    union ir_attrs finite = {.clip = {.lo = -FLT_MAX, .hi = FLT_MAX}};
    struct ir_value *m = onnx_reduce(n, IR_REDUCE_MAX, x, axes);
    m = onnx_helper1(n, IR_clip, &finite, m);
    struct ir_value *e = onnx_helper1(n, IR_exp, NULL, onnx_helper2(n, IR_sub, x, m));
    e = onnx_helper1(n, IR_log, NULL, onnx_reduce(n, IR_REDUCE_SUM, e, axes));
    return onnx_helper2(n, IR_add, m, e);
}

static struct ir_value *reduced(struct onnx_node *n, struct ir_value *x, const bool *axes)
{
    switch (n->op->variant) {
    case REDUCE_L1: return onnx_lp(n, x, 1, axes);
    case REDUCE_L2: return onnx_lp(n, x, 2, axes);
    case REDUCE_LOG_SUM:
        return onnx_helper1(n, IR_log, NULL, onnx_reduce(n, IR_REDUCE_SUM, x, axes));
    case REDUCE_LOG_SUM_EXP: return log_sum_exp(n, x, axes);
    case REDUCE_MAX: return onnx_reduce(n, IR_REDUCE_MAX, x, axes);
    case REDUCE_MEAN: return onnx_mean(n, x, axes);
    case REDUCE_MIN: return minimum(n, x, axes);
    case REDUCE_PROD: return product(n, x, axes);
    case REDUCE_SUM: return onnx_reduce(n, IR_REDUCE_SUM, x, axes);
    case REDUCE_SUM_SQUARE:
        return onnx_reduce(n, IR_REDUCE_SUM, onnx_helper2(n, IR_mul, x, x), axes);
    default: BUG("%s reduces nothing", n->op->name);
    }
}

static bool needs_floats(enum onnx_variant variant)
{
    return variant == REDUCE_L2 || variant == REDUCE_LOG_SUM || variant == REDUCE_LOG_SUM_EXP;
}

/* Integers are reduced as i32, and the result is of their type again; the largest byte is found
 * among bytes. */
static struct ir_value *reduced_integers(struct onnx_node *n, struct ir_value *x, const bool *axes)
{
    enum ir_dtype dtype = (enum ir_dtype)x->type.dtype;
    if (needs_floats(n->op->variant)) {
        onnx_error(n, "of integers is not supported");
        return NULL;
    }
    if (dtype == IR_U8 && n->op->variant == REDUCE_MAX)
        return reduced(n, x, axes);
    bool is_wide = dtype == IR_I64 && onnx_is_const(x);
    x = is_wide ? onnx_narrowed(n, x) : onnx_cast(n, x, IR_I32);
    return onnx_cast(n, x ? reduced(n, x, axes) : NULL, dtype);
}

bool import_reduce(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    bool axes[IR_MAX_RANK], keep = onnx_attr_i64(n, "keepdims", 1) != 0;
    int64_t dims[IR_MAX_RANK];
    uint32_t rank = 0;
    if (!x || !read_axes(n, &x->type, axes))
        return false;
    for (int i = 0; i < x->type.rank; i++)
        if (!keep && !axes[i])
            dims[rank++] = x->type.dim[i];
    struct ir_value *v =
        x->type.dtype == IR_F32 ? reduced(n, x, axes) : reduced_integers(n, x, axes);
    return onnx_set_out(n, 0, keep ? v : onnx_reshape(n, v, dims, rank, false));
}

/* ---- over maps ---- */

/* The dimensions after the second. */
static bool map_axes(struct onnx_node *n, const struct ir_value *x, bool axes[IR_MAX_RANK])
{
    if (!x)
        return false;
    if (x->type.rank < 3)
        return onnx_error(n, "an input of %u dimensions", x->type.rank);
    for (int i = 0; i < x->type.rank; i++)
        axes[i] = i >= 2;
    return true;
}

bool import_global_max_pool(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    bool axes[IR_MAX_RANK];
    return map_axes(n, x, axes) && onnx_set_out(n, 0, onnx_reduce(n, IR_REDUCE_MAX, x, axes));
}

bool import_global_lp_pool(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t p = onnx_attr_i64(n, "p", 2);
    bool axes[IR_MAX_RANK];
    if (p < 1)
        return onnx_error(n, "p is %lld; at least 1 is supported", (long long)p);
    return map_axes(n, x, axes) && onnx_set_out(n, 0, onnx_lp(n, x, p, axes));
}
