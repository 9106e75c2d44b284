/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_gather.c - elements that indices name: Gather, GatherElements, GatherND, ReverseSequence.
 *
 * Indices known now become lists (gather_grid) where they are the same for all other dimensions,
 * else a constant operand of `take`; those of run time are i32. Negative ones count from the end.
 */
#include "onnx_node.h"

#include <string.h>

/* ---- lists ---- */

struct ir_value *onnx_grid_lists(struct onnx_node *n, struct ir_value *x, const int64_t *counts,
                                 const struct ir_ints *index, float value)
{
    union ir_attrs attrs = {
        .gather_grid = {.count = {x->type.rank, counts}, .index = *index, .value = value}};
    return onnx_helper1(n, IR_gather_grid, &attrs, x);
}

static bool can_pick(struct onnx_node *n, int64_t axis, int64_t count)
{
    return count <= ONNX_MOST_PICKED ||
           onnx_error(n, "dimension %lld of %lld is too large to be picked from", (long long)axis,
                      (long long)count);
}

int64_t *onnx_pick_list(struct onnx_node *n, int64_t axis, int64_t count)
{
    return can_pick(n, axis, count) ? ARENA_ARRAY(n->im->arena, int64_t, (size_t)count) : NULL;
}

struct ir_value *onnx_grid(struct onnx_node *n, struct ir_value *x, const int64_t *counts,
                           int64_t axis, const int64_t *list, float value)
{
    VEC(int64_t) index = {0};
    struct ir_value *v = NULL;
    if (!x)
        return NULL;
    bool ok = true;
    for (int64_t i = 0; ok && i < x->type.rank; i++) {
        ok = can_pick(n, i, counts[i]);
        for (int64_t k = 0; ok && k < counts[i]; k++)
            VEC_PUSH(&index, i == axis ? list[k] : k);
    }
    if (ok)
        v = onnx_grid_lists(n, x, counts, &(struct ir_ints){(uint32_t)index.n, index.at}, value);
    VEC_FREE(&index);
    return v;
}

/* ---- indices ---- */

/* Constants are spelled out; and a float can name so many places. */
static bool few_enough(struct onnx_node *n, int64_t count)
{
    enum { MOST = 1 << 24 };
    return count <= MOST ||
           onnx_error(n, "%lld indices; at most %d are supported", (long long)count, MOST);
}

struct ir_value *onnx_steps(struct onnx_node *n, enum ir_dtype dtype, uint32_t rank, int64_t axis,
                            int64_t count, int64_t first, int64_t step)
{
    int64_t dims[IR_MAX_RANK];
    if (!few_enough(n, count))
        return NULL;
    uint32_t *data = heap_alloc(((size_t)count + 1) * sizeof *data);
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = i == axis ? count : 1;
    for (int64_t i = 0; i < count; i++) {
        int32_t whole = (int32_t)(first + i * step);
        float real = (float)whole;
        memcpy(data + i, dtype == IR_F32 ? (void *)&real : &whole, sizeof *data);
    }
    return onnx_const(n, ir_type_of(dtype, rank, dims), blob_own(data, (size_t)count * 4));
}

struct ir_value *onnx_whole(struct onnx_node *n, int64_t x)
{
    return onnx_steps(n, IR_I32, 0, 0, 1, x, 0);
}

bool onnx_indices_fit(struct onnx_node *n, const struct ir_value *index, int64_t dim)
{
    int64_t count = ir_count(&index->type);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = ir_const_i64(index->def, i);
        if (at < -dim || at >= dim)
            return onnx_error(n, "index %lld of a dimension of %lld", (long long)at,
                              (long long)dim);
    }
    return true;
}

struct ir_value *onnx_indices(struct onnx_node *n, size_t i)
{
    struct ir_value *v = onnx_in(n, i);
    if (v && v->type.dtype != IR_I64 && v->type.dtype != IR_I32) {
        onnx_error(n, "indices are %s", ir_dtype_name((enum ir_dtype)v->type.dtype));
        return NULL;
    }
    return v && onnx_is_const(v) && !few_enough(n, ir_count(&v->type)) ? NULL : v;
}

struct ir_value *onnx_from_start(struct onnx_node *n, struct ir_value *index, int64_t dim)
{
    struct ir_value *below = onnx_helper2(n, IR_less, index, onnx_whole(n, 0));
    struct ir_value *more =
        onnx_helper2(n, IR_mul, onnx_cast(n, below, IR_I32), onnx_whole(n, dim));
    return onnx_helper2(n, IR_add, index, more);
}

/* Is it one for all positions along the other dimensions? */
static bool only_along(const struct ir_type *t, int64_t axis)
{
    return ir_count(t) == t->dim[axis];
}

static struct ir_value *take_known(struct onnx_node *n, struct ir_value *x,
                                   const struct ir_op *index, int64_t axis)
{
    int64_t counts[IR_MAX_RANK], dim = x->type.dim[axis], count = index->out->type.dim[axis];
    int64_t *list = onnx_pick_list(n, axis, count);
    for (int64_t i = 0; list && i < count; i++) {
        int64_t at = ir_const_i64(index, i);
        list[i] = at < 0 ? at + dim : at;
    }
    memcpy(counts, x->type.dim, sizeof counts);
    counts[axis] = count;
    return list ? onnx_grid(n, x, counts, axis, list, 0) : NULL;
}

struct ir_value *onnx_take(struct onnx_node *n, struct ir_value *x, struct ir_value *index,
                           int64_t axis)
{
    if (!x || !index)
        return NULL;
    bool known = onnx_is_const(index);
    if (known && !onnx_indices_fit(n, index, x->type.dim[axis]))
        return NULL;
    if (known && only_along(&index->type, axis))
        return take_known(n, x, index->def, axis);
    struct ir_value *in[] = {known ? x : onnx_at_run_time(n, x), onnx_cast(n, index, IR_I32)};
    union ir_attrs attrs = {.take = {.axis = axis}};
    return onnx_emit_helper(n, IR_take, &attrs, in, 2);
}

/* ---- Gather ---- */

/* One index after the other along the axis, then the dimensions that the indices have. */
struct ir_value *onnx_gather(struct onnx_node *n, struct ir_value *x, struct ir_value *index,
                             int64_t axis)
{
    int64_t line[IR_MAX_RANK], shape[2 * IR_MAX_RANK];
    uint32_t rank = 0;
    for (int64_t i = 0; i < x->type.rank; i++) {
        line[i] = i == axis ? ir_count(&index->type) : 1;
        for (unsigned k = 0; i == axis && k < index->type.rank; k++)
            shape[rank++] = index->type.dim[k];
        if (i != axis)
            shape[rank++] = x->type.dim[i];
    }
    index = onnx_reshape(n, index, line, x->type.rank, false);
    return onnx_reshape(n, onnx_take(n, x, index, axis), shape, rank, false);
}

bool import_gather(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *index = onnx_indices(n, 1);
    int64_t axis = onnx_attr_i64(n, "axis", 0);
    if (!x || !index || !onnx_axis(n, axis, x->type.rank, &axis))
        return false;
    union ir_attrs attrs = {.gather = {.axis = axis}};
    if (onnx_is_const(onnx_known(n, x)) && onnx_is_const(index))
        return onnx_set_out(n, 0, onnx_emit2(n, IR_gather, &attrs, x, index));
    return onnx_set_out(n, 0, onnx_gather(n, x, index, axis));
}

bool import_gather_elements(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *index = onnx_indices(n, 1);
    int64_t axis = onnx_attr_i64(n, "axis", 0);
    if (!x || !index || !onnx_axis(n, axis, x->type.rank, &axis))
        return false;
    if (index->type.rank != x->type.rank)
        return onnx_error(n, "indices have rank %u, the input %u", index->type.rank, x->type.rank);
    for (int i = 0; i < x->type.rank; i++) {
        int64_t most = index->type.dim[i];
        if (i != axis && most > x->type.dim[i])
            return onnx_error(n, "%lld indices along dimension %d of %lld", (long long)most, i,
                              (long long)x->type.dim[i]);
        x = i == axis ? x : onnx_run(n, x, i, 0, most);
    }
    return onnx_set_out(n, 0, onnx_take(n, x, index, axis));
}

/* ---- GatherND ---- */

/* Tuples of a constant as positions. */
static struct ir_value *known_positions(struct onnx_node *n, const struct ir_op *index,
                                        const int64_t *dims, int64_t depth)
{
    struct ir_type type = index->out->type;
    type.dtype = IR_I32;
    type.dim[type.rank - 1] = 1;
    int64_t count = ir_count(&type);
    if (!few_enough(n, count)) /* tuples of nothing may be any number */
        return NULL;
    int32_t *data = heap_alloc(((size_t)count + 1) * sizeof *data);
    for (int64_t i = 0; i < count; i++) {
        data[i] = 0;
        for (int64_t k = 0; k < depth; k++) {
            int64_t at = ir_const_i64(index, i * depth + k);
            if (at < -dims[k] || at >= dims[k]) {
                onnx_error(n, "index %lld of a dimension of %lld", (long long)at,
                           (long long)dims[k]);
                heap_free(data);
                return NULL;
            }
            data[i] = (int32_t)(data[i] * dims[k] + (at < 0 ? at + dims[k] : at));
        }
    }
    return onnx_const(n, type, blob_own(data, (size_t)count * sizeof *data));
}

struct ir_value *onnx_positions(struct onnx_node *n, struct ir_value *index, const int64_t *dims,
                                int64_t depth)
{
    struct ir_value *at = NULL;
    int64_t last = index->type.rank - 1;
    if (onnx_is_const(index) || depth == 0) /* tuples of nothing are all the same */
        return known_positions(n, index->def, dims, depth);
    for (int64_t k = 0; k < depth; k++) {
        struct ir_value *part = onnx_run(n, index, last, k, 1);
        part = onnx_from_start(n, part, dims[k]);
        if (at)
            at = onnx_helper2(n, IR_mul, at, onnx_whole(n, dims[k]));
        at = at ? onnx_helper2(n, IR_add, at, part) : part;
    }
    return at;
}

/* Row-major positions in the dimensions that tuples of indices count, after the first `batch`. */
bool import_gather_nd(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *index = onnx_indices(n, 1);
    int64_t batch = onnx_attr_i64(n, "batch_dims", 0);
    if (!x || !index)
        return false;
    const struct ir_type t = x->type, *k = &index->type;
    int64_t depth = k->rank ? k->dim[k->rank - 1] : 0;
    bool fits = batch >= 0 && batch < k->rank && depth >= 1 && batch + depth <= t.rank;
    for (int64_t i = 0; fits && i < batch; i++)
        fits = k->dim[i] == t.dim[i];
    if (!fits)
        return onnx_error(n, "indices do not fit the input");
    int64_t grid[3] = {1, 1, 1}, tuples[3] = {1, 1, depth}, shape[2 * IR_MAX_RANK];
    uint32_t rank = 0;
    for (int64_t i = 0; i < t.rank; i++)
        grid[i < batch ? 0 : i < batch + depth ? 1 : 2] *= t.dim[i];
    for (int64_t i = 0; i + 1 < k->rank; i++) {
        tuples[i < batch ? 0 : 1] *= k->dim[i];
        shape[rank++] = k->dim[i];
    }
    for (int64_t i = batch + depth; i < t.rank; i++)
        shape[rank++] = t.dim[i];
    index = onnx_reshape(n, index, tuples, 3, false);
    x = onnx_reshape(n, x, grid, 3, false);
    if (!x || !index)
        return false;
    x = onnx_take(n, x, onnx_positions(n, index, t.dim + batch, depth), 1);
    return onnx_set_out(n, 0, onnx_reshape(n, x, shape, rank, false));
}

/* ---- ReverseSequence ---- */

/* Position i of a sequence of `length` comes from length - 1 - i, those behind it from themselves.
 */
bool import_reverse_sequence(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *length = onnx_indices(n, 1);
    int64_t time = onnx_attr_i64(n, "time_axis", 0), batch = onnx_attr_i64(n, "batch_axis", 1);
    if (!x || !length)
        return false;
    const struct ir_type t = x->type;
    if (t.rank < 2 || time < 0 || batch < 0 || time > 1 || batch > 1 || time == batch)
        return onnx_error(n, "time_axis and batch_axis are not 0 and 1");
    if (length->type.rank != 1 || length->type.dim[0] != t.dim[batch])
        return onnx_error(n, "there is not a length for each sequence");
    int64_t lengths[3] = {1, 1, 1}, steps[3] = {t.dim[0], t.dim[1], 1};
    lengths[batch] = t.dim[batch];
    for (int d = 2; d < t.rank; d++)
        steps[2] *= t.dim[d];
    x = onnx_reshape(n, x, steps, 3, false);
    length = onnx_cast(n, onnx_reshape(n, length, lengths, 3, false), IR_I32);
    struct ir_value *i = onnx_steps(n, IR_I32, 3, time, t.dim[time], 0, 1);
    struct ir_value *from_end = onnx_helper2(n, IR_sub, length, onnx_whole(n, 1));
    struct ir_value *in[] = {onnx_helper2(n, IR_less, i, length),
                             onnx_helper2(n, IR_sub, from_end, i), i};
    struct ir_value *index = onnx_emit_helper(n, IR_where, NULL, in, 3);
    x = onnx_take(n, x, index, time);
    return onnx_set_out(n, 0, onnx_reshape(n, x, t.dim, t.rank, false));
}
