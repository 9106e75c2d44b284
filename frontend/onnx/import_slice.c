/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* import_slice.c - parts of tensors: Slice, Split, Concat. */
#include "onnx_node.h"

#include <stdlib.h>
#include <string.h>

/* One entry for each dimension. */
struct part {
    int64_t start[IR_MAX_RANK], step[IR_MAX_RANK], count[IR_MAX_RANK];
};

static struct part whole(const struct ir_type *t)
{
    struct part p = {0};
    for (unsigned i = 0; i < t->rank; i++) {
        p.step[i] = 1;
        p.count[i] = t->dim[i];
    }
    return p;
}

static struct ir_value *take(struct onnx_node *n, struct ir_value *x, const struct part *p,
                             bool named)
{
    return onnx_slice(n, x, p->start, p->step, p->count, named);
}

/* ---- Slice ---- */

/* numpy's rule: negative bounds count from the end, then both are clamped to where the walk can be.
 * A step beyond the dimension takes one element, like any other such step. */
static void slice_dim(int64_t dim, int64_t start, int64_t end, int64_t step, struct part *p,
                      int64_t axis)
{
    int64_t least = step > 0 ? 0 : -1, most = step > 0 ? dim : dim - 1;
    start = start < 0 ? start + dim : start;
    end = end < 0 ? end + dim : end;
    start = min_i64(max_i64(start, step > 0 ? 0 : least), most);
    end = min_i64(max_i64(end, least), most);
    step = min_i64(max_i64(step, -dim - 1), dim + 1);
    int64_t span = step > 0 ? end - start : start - end;
    p->start[axis] = start;
    p->step[axis] = step;
    p->count[axis] = span > 0 ? ceil_div_i64(span, llabs(step)) : 0;
    if (p->count[axis] <= 1)
        p->step[axis] = 1;
    if (p->count[axis] == 0)
        p->start[axis] = 0;
}

struct slice_lists {
    struct ir_ints starts, ends, axes, steps;
};

/* Attributes before opset 10, operands since. Absent axes and steps have n = 0. */
static bool read_slice(struct onnx_node *n, struct slice_lists *l)
{
    *l = (struct slice_lists){0};
    if (n->im->opset < 10) {
        l->starts = onnx_attr_ints(n, "starts");
        l->ends = onnx_attr_ints(n, "ends");
        l->axes = onnx_attr_ints(n, "axes");
        if (n->failed)
            return false;
    } else if (!onnx_const_ints(n, 1, &l->starts) || !onnx_const_ints(n, 2, &l->ends) ||
               (onnx_has_in(n, 3) && !onnx_const_ints(n, 3, &l->axes)) ||
               (onnx_has_in(n, 4) && !onnx_const_ints(n, 4, &l->steps))) {
        return false;
    }
    if (l->ends.n != l->starts.n || (l->axes.n && l->axes.n != l->starts.n) ||
        (l->steps.n && l->steps.n != l->starts.n))
        return onnx_error(n, "starts, ends, axes and steps are of different lengths");
    return true;
}

bool import_slice(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct slice_lists l;
    bool seen[IR_MAX_RANK];
    if (!x || !read_slice(n, &l))
        return false;
    if (!l.axes.n && l.starts.n > x->type.rank)
        return onnx_error(n, "%u starts for %u dimensions", l.starts.n, x->type.rank);
    if (!onnx_axes(n, l.axes, x->type.rank, seen))
        return false;
    struct part p = whole(&x->type);
    for (uint32_t i = 0; i < l.starts.n; i++) {
        int64_t axis = i, step = l.steps.n ? l.steps.at[i] : 1;
        if (l.axes.n && !onnx_axis(n, l.axes.at[i], x->type.rank, &axis))
            return false;
        if (step == 0)
            return onnx_error(n, "a step is 0");
        slice_dim(x->type.dim[axis], l.starts.at[i], l.ends.at[i], step, &p, axis);
    }
    return onnx_set_out(n, 0, take(n, x, &p, true));
}

/* ---- Split ---- */

/* Since opset 18 the last of `num_outputs` parts may be shorter. */
static bool split_evenly(struct onnx_node *n, int64_t dim, int64_t *out)
{
    int64_t parts = (int64_t)n->proto->n_output, asked = onnx_attr_i64(n, "num_outputs", parts);
    int64_t length = ceil_div_i64(dim, parts);
    if (asked != parts)
        return onnx_error(n, "num_outputs is %lld, but there are %lld results", (long long)asked,
                          (long long)parts);
    if (dim % parts && (n->im->opset < 18 || length * (parts - 1) >= dim))
        return onnx_error(n, "%lld does not split into %lld equal parts", (long long)dim,
                          (long long)parts);
    for (int64_t i = 0; i < parts; i++)
        out[i] = min_i64(length, dim - i * length);
    return true;
}

/* The lengths of the parts: given, or the dimension in equal parts. */
static bool split_lengths(struct onnx_node *n, int64_t dim, int64_t *out)
{
    struct ir_ints given = {0};
    size_t parts = n->proto->n_output;
    bool is_given = n->im->opset < 13 ? onnx_has_attr(n, "split") : onnx_has_in(n, 1);
    if (n->im->opset < 13)
        given = onnx_attr_ints(n, "split");
    else if (is_given && !onnx_const_ints(n, 1, &given))
        return false;
    if (!is_given)
        return split_evenly(n, dim, out);
    if (given.n != parts)
        return onnx_error(n, "split has %u numbers for %zu results", given.n, parts);
    int64_t left = dim;
    for (size_t i = 0; i < parts; i++) {
        out[i] = given.at[i];
        if (out[i] < 0 || out[i] > left)
            return onnx_error(n, "the parts do not add up to %lld", (long long)dim);
        left -= out[i];
    }
    return left == 0 || onnx_error(n, "the parts do not add up to %lld", (long long)dim);
}

bool import_split(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t axis;
    if (!x || !onnx_axis(n, onnx_attr_i64(n, "axis", 0), x->type.rank, &axis))
        return false;
    int64_t *lengths = ARENA_ARRAY(n->im->arena, int64_t, n->proto->n_output);
    if (!split_lengths(n, x->type.dim[axis], lengths))
        return false;
    struct part p = whole(&x->type);
    for (size_t k = 0; k < n->proto->n_output; k++) {
        p.count[axis] = lengths[k];
        if (onnx_out_used(n, k) && !onnx_set_out(n, k, take(n, x, &p, k == 0)))
            return false;
        p.start[axis] += lengths[k];
    }
    return true;
}

/* ---- Concat ---- */

enum { CONCAT_MOST = 255 };

/* A tree of operations where there are more operands than one has. */
struct ir_value *onnx_concat(struct onnx_node *n, struct ir_value *const *in, size_t n_in,
                             int64_t axis, bool named)
{
    union ir_attrs attrs = {.concat = {.axis = axis}};
    struct ir_value **at = ARENA_ARRAY(n->im->arena, struct ir_value *, n_in);
    memcpy(at, in, n_in * sizeof *at);
    while (n_in > CONCAT_MOST) {
        size_t groups = 0;
        for (size_t i = 0; i < n_in; i += CONCAT_MOST) {
            uint32_t count = (uint32_t)min_i64(CONCAT_MOST, (int64_t)(n_in - i));
            at[groups++] =
                count == 1 ? at[i] : onnx_emit_helper(n, IR_concat, &attrs, at + i, count);
        }
        n_in = groups;
    }
    if (n_in == 1 && !named)
        return at[0];
    return named ? onnx_emit(n, IR_concat, &attrs, at, (uint32_t)n_in)
                 : onnx_emit_helper(n, IR_concat, &attrs, at, (uint32_t)n_in);
}

bool import_concat(struct onnx_node *n)
{
    size_t n_in = n->proto->n_input;
    struct ir_value **in = ARENA_ARRAY(n->im->arena, struct ir_value *, n_in);
    int64_t axis;
    for (size_t i = 0; i < n_in; i++)
        if (!(in[i] = onnx_in(n, i)))
            return false;
    if (!onnx_has_attr(n, "axis"))
        return onnx_error(n, "has no axis");
    if (!onnx_axis(n, onnx_attr_i64(n, "axis", 0), in[0]->type.rank, &axis))
        return false;
    return onnx_set_out(n, 0, onnx_concat(n, in, n_in, axis, true));
}
