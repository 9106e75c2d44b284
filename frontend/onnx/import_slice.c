/* import_slice.c - parts of tensors: Slice, Split, Gather, Concat, Pad. */
#include "onnx_internal.h"

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
    if (is_given && given.n != parts)
        return onnx_error(n, "split has %u numbers for %zu results", given.n, parts);
    if (!is_given && dim % (int64_t)parts)
        return onnx_error(n, "%lld does not split into %zu equal parts", (long long)dim, parts);
    int64_t left = dim;
    for (size_t i = 0; i < parts; i++) {
        out[i] = is_given ? given.at[i] : dim / (int64_t)parts;
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

/* ---- Gather ---- */

/* Indices known now pick along one dimension of a run-time value: a grid, then the shape that the
 * indices' own dimensions ask for. */
static struct ir_value *gather_known(struct onnx_node *n, struct ir_value *x,
                                     const struct ir_op *indices, int64_t axis)
{
    const struct ir_type *t = &indices->out->type;
    int64_t picks = ir_count(t), dim = x->type.dim[axis];
    int64_t *list = ARENA_ARRAY(n->im->arena, int64_t, (size_t)picks);
    for (int64_t i = 0; i < picks; i++) {
        int64_t at = ir_const_i64(indices, i);
        if (at < -dim || at >= dim)
            return onnx_error(n, "index %lld of a dimension of %lld", (long long)at,
                              (long long)dim),
                   NULL;
        list[i] = at < 0 ? at + dim : at;
    }
    int64_t shape[2 * IR_MAX_RANK], counts[IR_MAX_RANK];
    uint32_t rank = 0;
    for (int64_t i = 0; i < x->type.rank; i++) {
        counts[i] = i == axis ? picks : x->type.dim[i];
        for (unsigned k = 0; i == axis && k < t->rank; k++)
            shape[rank++] = t->dim[k];
        if (i != axis)
            shape[rank++] = x->type.dim[i];
    }
    struct ir_value *v = onnx_grid(n, x, counts, axis, list);
    return onnx_reshape(n, v, shape, rank, false);
}

bool import_gather(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *indices = onnx_in(n, 1);
    int64_t axis = onnx_attr_i64(n, "axis", 0);
    if (!x || !indices || !onnx_axis(n, axis, x->type.rank, &axis))
        return false;
    bool integers = indices->type.dtype == IR_I64 || indices->type.dtype == IR_I32;
    if (!onnx_is_const(x) && onnx_is_const(indices) && integers)
        return onnx_set_out(n, 0, gather_known(n, x, indices->def, axis));
    union ir_attrs attrs = {.gather = {.axis = axis}};
    return onnx_set_out(n, 0, onnx_emit2(n, IR_gather, &attrs, x, indices));
}

/* ---- Concat ---- */

enum { CONCAT_MOST = 255 };

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
    union ir_attrs attrs = {.concat = {.axis = axis}};
    struct ir_value *joined = NULL, *group[CONCAT_MOST];
    for (size_t at = 0; at < n_in;) {
        uint32_t count = 0;
        if (joined)
            group[count++] = joined;
        while (count < CONCAT_MOST && at < n_in)
            group[count++] = in[at++];
        joined = at == n_in ? onnx_emit(n, IR_concat, &attrs, group, count)
                            : onnx_emit_helper(n, IR_concat, &attrs, group, count);
        if (!joined)
            return false;
    }
    return onnx_set_out(n, 0, joined);
}

/* ---- Pad ---- */

/* Attributes before opset 11, operands since. */
static bool read_pad(struct onnx_node *n, struct ir_ints *pads, float *value)
{
    *value = 0;
    if (n->im->opset < 11) {
        *pads = onnx_attr_ints(n, "pads");
        *value = onnx_attr_f32(n, "value", 0);
        return !n->failed;
    }
    return onnx_const_ints(n, 1, pads) && (!onnx_has_in(n, 2) || onnx_const_f32(n, 2, value));
}

/* Negative pads crop; they are taken off first. */
static bool crop(struct onnx_node *n, struct ir_value *x, const struct ir_ints *pads,
                 struct part *kept)
{
    *kept = whole(&x->type);
    for (uint32_t i = 0; i < x->type.rank; i++) {
        int64_t before = max_i64(pads->at[i], -x->type.dim[i]);
        int64_t after = max_i64(pads->at[i + x->type.rank], -x->type.dim[i]);
        kept->start[i] = before < 0 ? -before : 0;
        kept->count[i] += min_i64(before, 0) + min_i64(after, 0);
        if (kept->count[i] < 1 && x->type.dim[i] > 0)
            return onnx_error(n, "pads crop all of dimension %u", i);
    }
    return true;
}

bool import_pad(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_ints pads;
    float value;
    const char *mode = onnx_attr_str(n, "mode", "constant");
    if (!x || !read_pad(n, &pads, &value))
        return false;
    if (strcmp(mode, "constant") != 0 && strcmp(mode, "edge") != 0 && strcmp(mode, "reflect") != 0)
        return onnx_error(n, "mode is '%s'; constant, edge and reflect are supported", mode);
    uint32_t rank = x->type.rank;
    if (pads.n != 2 * rank)
        return onnx_error(n, "%u pads for %u dimensions", pads.n, rank);
    struct part kept;
    int64_t before[IR_MAX_RANK], after[IR_MAX_RANK];
    bool adds = false;
    for (uint32_t i = 0; i < rank; i++) {
        before[i] = max_i64(pads.at[i], 0);
        after[i] = max_i64(pads.at[i + rank], 0);
        adds |= before[i] || after[i];
    }
    if (!crop(n, x, &pads, &kept))
        return false;
    x = take(n, x, &kept, !adds);
    union ir_attrs attrs = {
        .pad = {.before = {rank, before}, .after = {rank, after}, .mode = mode, .value = value}};
    return onnx_set_out(n, 0, adds ? onnx_emit1(n, IR_pad, &attrs, x) : x);
}
