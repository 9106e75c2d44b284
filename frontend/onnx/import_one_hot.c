/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_one_hot.c - ones in certain places: OneHot, EyeLike, Trilu; and what is chosen by
 * constants: Compress, NonZero.
 */
#include "onnx_node.h"

#include <stdlib.h>
#include <string.h>

/* ---- OneHot ---- */

/* values = [off, on]: on where the index along the new axis is that of the operand. */
bool import_one_hot(struct onnx_node *n)
{
    struct ir_value *index = onnx_in(n, 0), *values = onnx_in(n, 2), *choice[2];
    struct ir_value *depth = onnx_known(n, onnx_in(n, 1));
    int64_t axis, dims[IR_MAX_RANK];
    if (!index || !values || !depth)
        return false;
    if (!onnx_is_const(depth) || ir_count(&depth->type) != 1 || values->type.rank != 1 ||
        values->type.dim[0] != 2)
        return onnx_error(n, "depth is no constant of one element, or there are not two values");
    int64_t count = ir_const_i64(depth->def, 0);
    uint32_t rank = index->type.rank + 1u;
    if (count < 1 || count > ONNX_MOST_PICKED || rank > IR_MAX_RANK)
        return onnx_error(n, "a depth of %lld, or too many dimensions", (long long)count);
    if (!onnx_axis(n, onnx_attr_i64(n, "axis", -1), rank, &axis))
        return false;
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = i == axis ? 1 : index->type.dim[i - (i > axis)];
    index = onnx_reshape(n, onnx_cast(n, index, IR_I32), dims, rank, false);
    index = onnx_from_start(n, index, count);
    for (int i = 0; i < 2; i++)
        choice[i] =
            onnx_reshape(n, onnx_run(n, onnx_at_run_time(n, values), 0, 1 - i, 1), NULL, 0, false);
    struct ir_value *is_on =
        onnx_helper2(n, IR_equal, onnx_steps(n, IR_I32, rank, axis, count, 0, 1), index);
    struct ir_value *in[] = {is_on, choice[0], choice[1]};
    return onnx_set_out(n, 0, onnx_emit(n, IR_where, NULL, in, 3));
}

/* ---- matrices ---- */

/* [rows, columns] of bool: is the column `from` .. `to` places right of the row? */
static struct ir_value *band(struct onnx_node *n, int64_t rows, int64_t columns, int64_t from,
                             int64_t to)
{
    enum { MOST = 1 << 26 };
    int64_t elements;
    if (!mul_i64(rows, columns, &elements) || elements > MOST) {
        onnx_error(n, "a matrix of %lld x %lld; at most %d elements are supported", (long long)rows,
                   (long long)columns, MOST);
        return NULL;
    }
    size_t count = (size_t)elements;
    uint8_t *data = heap_alloc(count + 1);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            data[i * columns + k] = k - i >= from && k - i <= to;
    return onnx_const(n, ir_type_of(IR_BOOL, 2, (int64_t[]){rows, columns}), blob_own(data, count));
}

bool import_eye_like(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t to = onnx_attr_i64(n, "dtype", 0), k = onnx_attr_i64(n, "k", 0);
    enum ir_dtype dtype = x ? (enum ir_dtype)x->type.dtype : IR_F32;
    if (!x || (to != 0 && !onnx_dtype_inside(to, &dtype)))
        return x && onnx_error(n, "to %s is not supported", onnx_dtype_name(to));
    if (x->type.rank != 2)
        return onnx_error(n, "an input of %u dimensions", x->type.rank);
    return onnx_set_out(n, 0, onnx_cast(n, band(n, x->type.dim[0], x->type.dim[1], k, k), dtype));
}

/* The elements on and above (below) the k-th diagonal of each matrix; 0 for the others. */
bool import_trilu(struct onnx_node *n)
{
    struct ir_value *x = onnx_at_run_time(n, onnx_in(n, 0));
    struct ir_ints k = {0};
    bool upper = onnx_attr_i64(n, "upper", 1) != 0;
    if (!x || (onnx_has_in(n, 1) && !onnx_const_ints(n, 1, &k)))
        return false;
    if (x->type.rank < 2)
        return onnx_error(n, "an input of %u dimensions", x->type.rank);
    int64_t at = k.n ? k.at[0] : 0, rows = x->type.dim[x->type.rank - 2];
    int64_t columns = x->type.dim[x->type.rank - 1], most = INT64_MAX / 2;
    struct ir_value *kept = band(n, rows, columns, upper ? at : -most, upper ? most : at);
    struct ir_value *in[] = {kept, x,
                             onnx_cast(n, onnx_scalar(n, 0), (enum ir_dtype)x->type.dtype)};
    return onnx_set_out(n, 0, onnx_emit(n, IR_where, NULL, in, 3));
}

/* ---- chosen by constants ---- */

/* The indices of `axis` whose condition, a constant, is true; or all elements, in a line. */
bool import_compress(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *condition = onnx_in(n, 1);
    bool flat = !onnx_has_attr(n, "axis");
    int64_t axis = onnx_attr_i64(n, "axis", 0), count = x ? ir_count(&x->type) : 0, kept = 0;
    if (!x || !condition)
        return false;
    if (!onnx_is_const(condition))
        return onnx_depends_on_data(n);
    x = flat ? onnx_reshape(n, x, &count, 1, false) : x;
    if (!x || !onnx_axis(n, axis, x->type.rank, &axis))
        return false;
    int64_t most = min_i64(ir_count(&condition->type), x->type.dim[axis]);
    int64_t *list = onnx_pick_list(n, axis, most), counts[IR_MAX_RANK];
    for (int64_t i = 0; list && i < most; i++)
        if (ir_const_i64(condition->def, i))
            list[kept++] = i;
    memcpy(counts, x->type.dim, sizeof counts);
    counts[axis] = kept;
    return list && onnx_set_out(n, 0, onnx_grid(n, x, counts, axis, list, 0));
}

/* Coordinates of the elements that are not 0, a row for each dimension. */
bool import_non_zero(struct onnx_node *n)
{
    struct ir_value *x = onnx_known(n, onnx_in(n, 0));
    if (!x)
        return false;
    if (!onnx_is_const(x))
        return onnx_depends_on_data(n);
    enum { MOST = 1 << 26 };
    int64_t count = ir_count(&x->type), rank = x->type.rank, found = 0, at = 0;
    if (count > MOST / max_i64(rank, 1))
        return onnx_error(n,
                          "%lld elements of %lld dimensions; at most %d coordinates are supported",
                          (long long)count, (long long)rank, MOST);
    for (int64_t i = 0; i < count; i++)
        found += ir_const_f64(x->def, i) != 0;
    int64_t *data = heap_alloc(((size_t)(found * rank) + 1) * sizeof *data);
    for (int64_t i = 0; i < count; i++) {
        int64_t left = i;
        if (ir_const_f64(x->def, i) == 0)
            continue;
        for (int64_t d = rank; d-- > 0; left /= x->type.dim[d])
            data[d * found + at] = left % x->type.dim[d];
        at++;
    }
    struct ir_type type = ir_type_of(IR_I64, 2, (int64_t[]){rank, found});
    return onnx_set_out(n, 0,
                        onnx_const(n, type, blob_own(data, (size_t)(found * rank) * sizeof *data)));
}
