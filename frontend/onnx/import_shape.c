/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_shape.c - the same elements in another shape or order: Reshape, Flatten, Squeeze,
 * Unsqueeze, Transpose, and Range.
 */
#include "onnx_node.h"

#include <string.h>

/* Fills in 0 (copy the input's dimension, unless allowzero) and one -1 (what is left over). */
static bool resolve_shape(struct onnx_node *n, const struct ir_type *x, struct ir_ints want,
                          bool allow_zero, int64_t dims[IR_MAX_RANK])
{
    int64_t infer = -1, known = 1, count = ir_count(x);
    if (want.n > IR_MAX_RANK)
        return onnx_error(n, "a shape of %u dimensions; at most %d are supported", want.n,
                          IR_MAX_RANK);
    for (uint32_t i = 0; i < want.n; i++) {
        dims[i] = want.at[i];
        if (dims[i] == 0 && !allow_zero) {
            if (i >= x->rank)
                return onnx_error(n, "shape copies dimension %u of %u", i, x->rank);
            dims[i] = x->dim[i];
        }
        if (dims[i] < -1 || (dims[i] == -1 && infer >= 0))
            return onnx_error(n, "shape holds %s", dims[i] < -1 ? "a negative number" : "-1 twice");
        if (dims[i] == -1)
            infer = i;
        else if (!mul_i64(known, dims[i], &known))
            return onnx_error(n, "shape has too many elements");
    }
    if (infer >= 0) {
        if (known == 0 || count % known)
            return onnx_error(n, "%lld elements do not fill the shape", (long long)count);
        dims[infer] = count / known;
        known = count;
    }
    return known == count ||
           onnx_error(n, "%lld elements into a shape of %lld", (long long)count, (long long)known);
}

bool import_reshape(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_ints want;
    int64_t dims[IR_MAX_RANK];
    bool allow_zero = onnx_attr_i64(n, "allowzero", 0) != 0;
    if (!x || !onnx_const_ints(n, 1, &want) || !resolve_shape(n, &x->type, want, allow_zero, dims))
        return false;
    return onnx_set_out(n, 0, onnx_reshape(n, x, dims, want.n, true));
}

/* To two dimensions: those before `axis`, those from it on. axis may be the rank itself. */
bool import_flatten(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t axis = onnx_attr_i64(n, "axis", 1), dims[2] = {1, 1};
    if (!x)
        return false;
    if (axis != x->type.rank && !onnx_axis(n, axis, x->type.rank, &axis))
        return false;
    for (int64_t i = 0; i < x->type.rank; i++)
        dims[i >= axis] *= x->type.dim[i];
    return onnx_set_out(n, 0, onnx_reshape(n, x, dims, 2, true));
}

/* `axes`: an attribute before opset 13, operand 1 since. *given is false where there are none. */
static bool read_axes(struct onnx_node *n, struct ir_ints *axes, bool *given)
{
    if (n->im->opset < 13) {
        *axes = onnx_attr_ints(n, "axes");
        *given = onnx_has_attr(n, "axes");
        return !n->failed;
    }
    *axes = (struct ir_ints){0};
    *given = onnx_has_in(n, 1);
    return !*given || onnx_const_ints(n, 1, axes);
}

bool import_squeeze(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_ints axes;
    bool given, drop[IR_MAX_RANK];
    int64_t dims[IR_MAX_RANK];
    uint32_t rank = 0;
    if (!x || !read_axes(n, &axes, &given) || !onnx_axes(n, axes, x->type.rank, drop))
        return false;
    for (unsigned i = 0; i < x->type.rank; i++) {
        if (given && drop[i] && x->type.dim[i] != 1)
            return onnx_error(n, "dimension %u is %lld, not 1", i, (long long)x->type.dim[i]);
        if (given ? !drop[i] : x->type.dim[i] != 1)
            dims[rank++] = x->type.dim[i];
    }
    return onnx_set_out(n, 0, onnx_reshape(n, x, dims, rank, true));
}

/* Axes count in the result. */
bool import_unsqueeze(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_ints axes;
    bool given, added[IR_MAX_RANK];
    int64_t dims[IR_MAX_RANK];
    if (!x || !read_axes(n, &axes, &given))
        return false;
    if (!given)
        return onnx_error(n, "has no axes");
    if (axes.n > (uint32_t)(IR_MAX_RANK - x->type.rank))
        return onnx_error(n, "a result of %u dimensions; at most %d are supported",
                          axes.n + x->type.rank, IR_MAX_RANK);
    uint32_t rank = axes.n + x->type.rank, from = 0;
    if (!onnx_axes(n, axes, rank, added))
        return false;
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = added[i] ? 1 : x->type.dim[from++];
    return onnx_set_out(n, 0, onnx_reshape(n, x, dims, rank, true));
}

static bool is_permutation(const int64_t *order, int64_t rank)
{
    bool seen[IR_MAX_RANK] = {false};
    bool fits = true;
    for (int64_t i = 0; fits && i < rank; i++) {
        fits = order[i] >= 0 && order[i] < rank && !seen[order[i]];
        seen[fits ? order[i] : 0] = true;
    }
    return fits;
}

/* By default the dimensions in reverse. */
bool import_transpose(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_ints perm = onnx_attr_ints(n, "perm");
    int64_t order[IR_MAX_RANK];
    if (!x)
        return false;
    int64_t rank = x->type.rank;
    bool given = onnx_has_attr(n, "perm");
    if (given && perm.n != rank)
        return onnx_error(n, "perm has %u entries, the input has %lld dimensions", perm.n,
                          (long long)rank);
    for (int64_t i = 0; i < rank; i++)
        order[i] = given ? perm.at[i] : rank - 1 - i;
    if (!is_permutation(order, rank))
        return onnx_error(n, "perm is no permutation of 0..%lld", (long long)rank - 1);
    return onnx_set_out(n, 0, onnx_transpose(n, x, order, true));
}

/* Its length is only known where its operands are. */
bool import_range(struct onnx_node *n)
{
    struct ir_value *in[] = {onnx_in(n, 0), onnx_in(n, 1), onnx_in(n, 2)};
    for (size_t i = 0; i < 3; i++)
        n->at_run_time |= in[i] && !onnx_is_const(in[i]);
    if (n->at_run_time)
        return false;
    return onnx_set_out(n, 0, onnx_emit(n, IR_range, NULL, in, 3));
}
