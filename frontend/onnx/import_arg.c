/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_arg.c - where the greatest elements are: ArgMax, ArgMin, TopK.
 *
 * Positions are whole numbers in floats, which are exact up to 2^24: each element that equals the
 * greatest scores by its place, the best score tells the place. Elements are compared as what they
 * are, floats or integers; a NaN is greater than all else, as in numpy and PyTorch.
 */
#include "onnx_node.h"

#include <math.h>
#include <string.h>

static struct ir_value *along(struct onnx_node *n, struct ir_value *x, int64_t axis)
{
    bool axes[IR_MAX_RANK] = {false};
    axes[axis] = true;
    return onnx_reduce(n, IR_REDUCE_MAX, x, axes);
}

struct ir_value *onnx_greatest(struct onnx_node *n, struct ir_value *x, struct ir_value *open,
                               int64_t axis, bool last)
{
    if (!x)
        return NULL;
    int64_t dim = x->type.dim[axis];
    struct ir_value *best = onnx_helper2(n, IR_equal, x, along(n, x, axis));
    if (x->type.dtype == IR_F32) /* the greatest, if a NaN, equals nothing */
        best = onnx_helper2(n, IR_max, best, onnx_is_nan(n, x));
    struct ir_value *score =
        onnx_steps(n, IR_F32, x->type.rank, axis, dim, last ? 1 : dim, last ? 1 : -1);
    best = onnx_cast(n, best, IR_F32);
    best = open ? onnx_helper2(n, IR_mul, best, open) : best;
    best = along(n, onnx_helper2(n, IR_mul, best, score), axis);
    return last ? onnx_helper2(n, IR_sub, best, onnx_scalar(n, 1))
                : onnx_helper2(n, IR_sub, onnx_scalar(n, (float)dim), best);
}

/* The operand, bytes and truth as i32; its axis. */
static struct ir_value *read_operand(struct onnx_node *n, int64_t otherwise, int64_t *axis)
{
    enum { MOST = 1 << 24 };
    struct ir_value *x = onnx_in(n, 0);
    if (!x || !onnx_axis(n, onnx_attr_i64(n, "axis", otherwise), x->type.rank, axis))
        return NULL;
    if (x->type.dim[*axis] == 0 || x->type.dim[*axis] > MOST) {
        onnx_error(n, "a dimension of %lld", (long long)x->type.dim[*axis]);
        return NULL;
    }
    return x->type.dtype == IR_F32 ? x : onnx_cast(n, x, IR_I32);
}

bool import_arg(struct onnx_node *n)
{
    int64_t axis, dims[IR_MAX_RANK];
    bool keep = onnx_attr_i64(n, "keepdims", 1) != 0;
    bool last = onnx_attr_i64(n, "select_last_index", 0) != 0;
    struct ir_value *x = read_operand(n, 0, &axis);
    uint32_t rank = 0;
    if (x && n->op->variant == ARG_LEAST)
        x = onnx_reversed(n, x);
    for (int i = 0; x && i < x->type.rank; i++)
        if (keep || i != axis)
            dims[rank++] = i == axis ? 1 : x->type.dim[i];
    struct ir_value *at = onnx_cast(n, onnx_greatest(n, x, NULL, axis, last), IR_I32);
    return onnx_set_out(n, 0, onnx_reshape(n, at, dims, rank, false));
}

/* ---- TopK ---- */

/* Each of the k has a list of scores of its own: elements of all of them. */
enum { MOST_RANKED = 255, MOST_SCORES = 1 << 26 };

static struct ir_value *in_a_row(struct onnx_node *n, struct ir_value **v, int64_t k, int64_t axis)
{
    union ir_attrs attrs = {.concat = {.axis = axis}};
    return onnx_emit_helper(n, IR_concat, &attrs, v, (uint32_t)k);
}

/* What no element is less than. */
static struct ir_value *lowest(struct onnx_node *n, const struct ir_value *x)
{
    static const int32_t LEAST = INT32_MIN;
    if (x->type.dtype == IR_F32)
        return onnx_scalar(n, -INFINITY);
    return onnx_const(n, ir_type_of(IR_I32, 0, NULL), blob_splat(&LEAST, sizeof LEAST));
}

/* The greatest, k times, of those that are left. */
static bool rank_greatest(struct onnx_node *n, struct ir_value *x, int64_t axis, int64_t k,
                          struct ir_value **values, struct ir_value **places)
{
    struct ir_value *open = NULL, *left = x;
    struct ir_value *place = onnx_steps(n, IR_F32, x->type.rank, axis, x->type.dim[axis], 0, 1);
    for (int64_t i = 0; i < k; i++) {
        values[i] = along(n, left, axis);
        places[i] = onnx_greatest(n, left, open, axis, false);
        if (!values[i] || !places[i])
            return false;
        struct ir_value *taken = onnx_helper2(n, IR_equal, place, places[i]);
        struct ir_value *in[] = {taken, lowest(n, x), left};
        left = onnx_emit_helper(n, IR_where, NULL, in, 3);
        taken = onnx_cast(n, taken, IR_F32);
        open = open ? onnx_helper2(n, IR_sub, open, taken)
                    : onnx_helper2(n, IR_sub, onnx_scalar(n, 1), taken);
    }
    return true;
}

static bool read_k(struct onnx_node *n, int64_t *k)
{
    struct ir_ints list;
    *k = onnx_attr_i64(n, "k", -1);
    if (n->im->opset >= 10) {
        if (!onnx_const_ints(n, 1, &list))
            return false;
        *k = list.n == 1 ? list.at[0] : -1;
    }
    return true;
}

bool import_top_k(struct onnx_node *n)
{
    int64_t axis, k;
    struct ir_value *x = read_operand(n, -1, &axis), *values[MOST_RANKED], *places[MOST_RANKED];
    bool least = onnx_attr_i64(n, "largest", 1) == 0;
    onnx_ignore_attr(n, "sorted"); /* they are */
    if (!x || !read_k(n, &k))
        return false;
    if (k < 1 || k > x->type.dim[axis] || k > MOST_RANKED)
        return onnx_error(n, "k is %lld of %lld; 1 to %d are supported", (long long)k,
                          (long long)x->type.dim[axis], MOST_RANKED);
    if (k * x->type.dim[axis] > MOST_SCORES)
        return onnx_error(n, "k is %lld of %lld; their product may be at most %d", (long long)k,
                          (long long)x->type.dim[axis], MOST_SCORES);
    if (least)
        x = onnx_reversed(n, x);
    if (!x || !rank_greatest(n, x, axis, k, values, places))
        return false;
    struct ir_value *v = in_a_row(n, values, k, axis), *at = in_a_row(n, places, k, axis);
    if (least)
        v = onnx_reversed(n, v);
    v = onnx_cast(n, v, (enum ir_dtype)onnx_in(n, 0)->type.dtype);
    return onnx_set_out(n, 0, v) && onnx_set_out(n, 1, onnx_cast(n, at, IR_I32));
}
