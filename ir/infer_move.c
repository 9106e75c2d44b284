/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* infer_move.c - result types of operations that move elements, and of shape arithmetic. */
#include "ir_internal.h"

#include <math.h>
#include <string.h>

static bool want_axis(const struct ir_op *op, int64_t axis, unsigned rank, struct diag *d)
{
    return (axis >= 0 && axis < rank) ||
           ir_misfit(op, d, "axis %lld of rank %u", (long long)axis, rank);
}

/* A list attribute has one entry for each of x's dimensions. */
static bool want_per_dim(const struct ir_op *op, const char *attr, const struct ir_ints *list,
                         struct diag *d)
{
    return list->n == ir_in(op, 0)->rank ||
           ir_misfit(op, d, "%s has %u entries, x has rank %u", attr, list->n, ir_in(op, 0)->rank);
}

bool infer_concat(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    int64_t axis = op->attrs->concat.axis;
    *out = *ir_in(op, 0);
    if (!want_axis(op, axis, out->rank, d))
        return false;
    for (uint32_t i = 1; i < op->n_in; i++) {
        struct ir_type x = *ir_in(op, i);
        int64_t along = x.dim[axis];
        x.dim[axis] = out->dim[axis];
        if (!ir_type_equal(&x, out)) {
            char first[200], other[200];
            return ir_misfit(op, d, "operands %s and %s do not join along axis %lld",
                             ir_type_text(ir_in(op, 0), first, sizeof first),
                             ir_type_text(ir_in(op, i), other, sizeof other), (long long)axis);
        }
        if (!add_i64(out->dim[axis], along, &out->dim[axis]))
            return ir_misfit(op, d, "the result has too many elements");
    }
    return true;
}

/* First and last element taken lie inside the dimension. */
static bool slice_inside(int64_t start, int64_t step, int64_t count, int64_t dim)
{
    int64_t last;
    if (count == 0)
        return true;
    return start >= 0 && start < dim && mul_i64(count - 1, step, &last) &&
           add_i64(last, start, &last) && last >= 0 && last < dim;
}

bool infer_slice(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_slice *at = &op->attrs->slice;
    *out = *ir_in(op, 0);
    if (!want_per_dim(op, "start", &at->start, d) || !want_per_dim(op, "step", &at->step, d) ||
        !want_per_dim(op, "count", &at->count, d) ||
        !ir_want_least(op, "count", at->count.at, at->count.n, 0, d))
        return false;
    for (unsigned i = 0; i < out->rank; i++) {
        int64_t step = at->step.at[i], most = out->dim[i] + 1;
        if (step == 0 || step > most || step < -most)
            return ir_misfit(op, d, "step is %lld in dimension %u of %lld", (long long)step, i,
                             (long long)out->dim[i]);
        if (!slice_inside(at->start.at[i], at->step.at[i], at->count.at[i], out->dim[i]))
            return ir_misfit(op, d, "start %lld, step %lld, count %lld leave dimension %u of %lld",
                             (long long)at->start.at[i], (long long)at->step.at[i],
                             (long long)at->count.at[i], i, (long long)out->dim[i]);
        out->dim[i] = at->count.at[i];
    }
    return true;
}

bool infer_transpose(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_ints *perm = &op->attrs->transpose.perm;
    const struct ir_type *x = ir_in(op, 0);
    unsigned seen = 0;
    *out = *x;
    if (!want_per_dim(op, "perm", perm, d))
        return false;
    for (unsigned i = 0; i < x->rank; i++) {
        int64_t from = perm->at[i];
        if (from < 0 || from >= x->rank || seen >> from & 1)
            return ir_misfit(op, d, "perm is no permutation of 0..%u", x->rank - 1);
        seen |= 1u << from;
        out->dim[i] = x->dim[from];
    }
    return true;
}

bool infer_reshape(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_reshape *at = &op->attrs->reshape;
    const struct ir_type *x = ir_in(op, 0);
    if (!ir_shape_type(op, (enum ir_dtype)x->dtype, &at->shape, d, out))
        return false;
    if (ir_count(out) != ir_count(x))
        return ir_misfit(op, d, "%lld elements into a shape of %lld", (long long)ir_count(x),
                         (long long)ir_count(out));
    if (!ir_at_crossbar(op))
        return true;
    if (x->rank != 3 || out->rank != 3)
        return ir_misfit(op, d, "rank %u to rank %u, wants (h, w, c)", x->rank, out->rank);
    return (at->from != IR_NO_ORDER && at->to != IR_NO_ORDER) ||
           ir_misfit(op, d, "from \"%s\" to \"%s\": each must be a permutation of \"hwc\"",
                     ir_order_name(at->from), ir_order_name(at->to));
}

bool infer_pad(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_pad *at = &op->attrs->pad;
    *out = *ir_in(op, 0);
    if (!want_per_dim(op, "before", &at->before, d) || !want_per_dim(op, "after", &at->after, d) ||
        !ir_want_least(op, "before", at->before.at, at->before.n, 0, d) ||
        !ir_want_least(op, "after", at->after.at, at->after.n, 0, d) ||
        !ir_want_element(op, "value", (enum ir_dtype)out->dtype, at->value, d))
        return false;
    for (unsigned i = 0; i < out->rank; i++) {
        int64_t before = at->before.at[i], after = at->after.at[i], dim = out->dim[i];
        /* edge repeats an element that must exist; reflect does not repeat the border. */
        int64_t most = at->mode == IR_PAD_CONSTANT ? INT64_MAX
                       : at->mode == IR_PAD_EDGE   ? (dim ? INT64_MAX : 0)
                                                   : max_i64(dim - 1, 0);
        if (max_i64(before, after) > most)
            return ir_misfit(op, d, "mode \"%s\" cannot add %lld to dimension %u of %lld",
                             ir_pad_mode_name(at->mode), (long long)max_i64(before, after), i,
                             (long long)dim);
        if (!add_i64(dim, before, &out->dim[i]) || !add_i64(out->dim[i], after, &out->dim[i]))
            return ir_misfit(op, d, "the result has too many elements");
    }
    return true;
}

bool infer_gather_grid(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_gather_grid *at = &op->attrs->gather_grid;
    const struct ir_type *x = ir_in(op, 0);
    int64_t used = 0;
    *out = *x;
    if (!want_per_dim(op, "count", &at->count, d) ||
        !ir_want_least(op, "count", at->count.at, at->count.n, 0, d) ||
        !ir_want_element(op, "value", (enum ir_dtype)out->dtype, at->value, d))
        return false;
    for (unsigned i = 0; i < x->rank; i++) {
        int64_t count = at->count.at[i];
        if (count > at->index.n - used)
            return ir_misfit(op, d, "index has %u entries, count wants more", at->index.n);
        for (int64_t k = used; k < used + count; k++) {
            if (at->index.at[k] < -1 || at->index.at[k] >= x->dim[i])
                return ir_misfit(op, d, "index %lld of dimension %u of %lld",
                                 (long long)at->index.at[k], i, (long long)x->dim[i]);
        }
        used += count;
        out->dim[i] = count;
    }
    return used == at->index.n ||
           ir_misfit(op, d, "index has %u entries, count wants %lld", at->index.n, (long long)used);
}

/* The indices of one axis: of what is there, or -1. */
static bool want_picks(const struct ir_op *op, const char *attr, const struct ir_ints *list,
                       int64_t first, int64_t n, int64_t extent, struct diag *d)
{
    if (n > list->n - first)
        return ir_misfit(op, d, "%s has %u entries, the weights want more", attr, list->n);
    for (int64_t i = first; i < first + n; i++) {
        if (list->at[i] < -1 || list->at[i] >= extent)
            return ir_misfit(op, d, "%s has %lld of a dimension of %lld", attr,
                             (long long)list->at[i], (long long)extent);
    }
    return true;
}

bool infer_interpolate(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_interpolate *at = &op->attrs->interpolate;
    int64_t first = 0;
    *out = *ir_in(op, 0);
    if (at->axes.n + 1 != op->n_in)
        return ir_misfit(op, d, "%u axes for weights of %u", at->axes.n, op->n_in - 1u);
    for (uint32_t i = 0; i < op->n_in; i++) {
        if (!ir_want_f32(op, i, d))
            return false;
    }
    for (uint32_t i = 0; i < at->axes.n; i++) {
        const struct ir_type *w = ir_in(op, i + 1);
        int64_t axis = at->axes.at[i];
        if (!want_axis(op, axis, out->rank, d))
            return false;
        if (w->rank != 1)
            return ir_misfit(op, d, "weights of rank %u, wants 1", w->rank);
        if (!want_picks(op, "low", &at->low, first, w->dim[0], out->dim[axis], d) ||
            !want_picks(op, "high", &at->high, first, w->dim[0], out->dim[axis], d))
            return false;
        out->dim[axis] = w->dim[0];
        first += w->dim[0];
    }
    return (first == at->low.n && first == at->high.n) ||
           ir_misfit(op, d, "%u and %u indices for %lld weights", at->low.n, at->high.n,
                     (long long)first);
}

bool infer_take(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_type *x = ir_in(op, 0), *index = ir_in(op, 1);
    int64_t axis = op->attrs->take.axis;
    if (!want_axis(op, axis, x->rank, d) ||
        !ir_want_element(op, "value", (enum ir_dtype)x->dtype, op->attrs->take.value, d))
        return false;
    if (index->dtype != IR_I32 || index->rank != x->rank)
        return ir_misfit(op, d, "indices are %s of rank %u, wants i32 of rank %u",
                         ir_dtype_name((enum ir_dtype)index->dtype), index->rank, x->rank);
    struct ir_type pixels = *x, spread = *index;
    pixels.dim[axis] = spread.dim[axis] = 1;
    spread.dtype = pixels.dtype;
    if (!ir_broadcast(op, &pixels, &spread, d, out))
        return false;
    out->dim[axis] = index->dim[axis];
    return true;
}

/* Constant indices are known now: a wrong one is found here, not when it is used. */
static bool want_indices(const struct ir_op *op, const struct ir_op *indices, int64_t dim,
                         struct diag *d)
{
    int64_t n = ir_count(&indices->out->type);
    if (ir_op_blob(indices)->splat)
        n = min_i64(n, 1);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = ir_const_i64(indices, i);
        if (at < -dim || at >= dim)
            return ir_misfit(op, d, "index %lld of a dimension of %lld", (long long)at,
                             (long long)dim);
    }
    return true;
}

bool infer_gather(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_type *x = ir_in(op, 0), *indices = ir_in(op, 1);
    int64_t axis = op->attrs->gather.axis;
    if (!want_axis(op, axis, x->rank, d))
        return false;
    if (indices->dtype != IR_I64 && indices->dtype != IR_I32)
        return ir_misfit(op, d, "indices are %s, wants i64 or i32",
                         ir_dtype_name((enum ir_dtype)indices->dtype));
    unsigned rank = x->rank - 1u + indices->rank;
    if (rank > IR_MAX_RANK)
        return ir_misfit(op, d, "the result has rank %u, the most is %d", rank, IR_MAX_RANK);
    *out = (struct ir_type){.dtype = x->dtype, .rank = (uint8_t)rank};
    unsigned at = 0;
    for (unsigned i = 0; i < x->rank; i++) {
        if (i != axis) {
            out->dim[at++] = x->dim[i];
            continue;
        }
        for (unsigned k = 0; k < indices->rank; k++)
            out->dim[at++] = indices->dim[k];
    }
    return !ir_is(op->in[1].value, IR_constant) ||
           want_indices(op, op->in[1].value->def, x->dim[axis], d);
}

bool infer_expand(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_type *x = ir_in(op, 0);
    struct ir_type shape;
    return ir_shape_type(op, (enum ir_dtype)x->dtype, &op->attrs->expand.shape, d, &shape) &&
           ir_broadcast(op, x, &shape, d, out);
}

/* max(ceil((limit - start) / delta), 0), exact for integers; false if it is no usable length. */
static bool range_length(const struct ir_op *op, int64_t *out)
{
    const struct ir_op *start = op->in[0].value->def, *limit = op->in[1].value->def,
                       *delta = op->in[2].value->def;
    if (start->out->type.dtype == IR_F32 || start->out->type.dtype == IR_F64) {
        double n = ceil((ir_const_f64(limit, 0) - ir_const_f64(start, 0)) / ir_const_f64(delta, 0));
        if (!(n < 0x1p62)) /* NaN too */
            return false;
        *out = n > 0 ? (int64_t)n : 0;
        return true;
    }
    __extension__ typedef __int128 wide; /* the difference of two i64 needs 65 bits */
    wide span = (wide)ir_const_i64(limit, 0) - ir_const_i64(start, 0),
         step = ir_const_i64(delta, 0);
    if (step == 0)
        return false;
    wide n = span / step + (span % step != 0 && (span < 0) == (step < 0));
    if (n > INT64_MAX)
        return false;
    *out = n > 0 ? (int64_t)n : 0;
    return true;
}

bool infer_range(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    uint8_t dtype = ir_in(op, 0)->dtype;
    if (dtype != IR_F32 && dtype != IR_F64 && dtype != IR_I64 && dtype != IR_I32)
        return ir_misfit(op, d, "operands are %s, wants f32, f64, i64 or i32",
                         ir_dtype_name((enum ir_dtype)dtype));
    for (uint32_t i = 0; i < 3; i++) {
        if (ir_in(op, i)->dtype != dtype)
            return ir_misfit(op, d, "operands are of different dtypes");
        if (ir_count(ir_in(op, i)) != 1)
            return ir_misfit(op, d, "operand %u is no scalar", i);
        if (!ir_is(op->in[i].value, IR_constant))
            return ir_misfit(op, d, "operand %u is no constant, so the length is unknown", i);
    }
    int64_t n;
    if (!range_length(op, &n))
        return ir_misfit(op, d, "start, limit and delta give no finite length");
    *out = ir_type_of((enum ir_dtype)dtype, 1, &n);
    return true;
}
