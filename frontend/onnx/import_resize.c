/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_resize.c - Resize and Upsample (resize_axis.c has the formulas).
 *
 * Nearest: each result dimension is a list of source indices, so the whole is one gather_grid.
 * Linear: one dimension after the other, low + (high - low) * weight, where low and high are
 * gathered and the weight is a constant along that dimension. Cubic and antialias: the sum of all
 * elements that count, each gathered and multiplied, in ascending order.
 */
#include "onnx_node.h"
#include "resize_axis.h"

#include <math.h>
#include <string.h>

struct resize {
    unsigned mode; /* resize_mode */
    struct resize_filter filter;
    enum resize_rounding rounding;
    float extrapolation;
    struct resize_axis axis[IR_MAX_RANK];
};

/* ---- attributes and operands ---- */

static bool has_elements(struct onnx_node *n, size_t i)
{
    struct ir_value *v = onnx_has_in(n, i) ? onnx_in(n, i) : NULL;
    return v && ir_count(&v->type) > 0;
}

static bool set_scale(struct onnx_node *n, uint32_t i, float scale, struct resize_axis *a)
{
    float size = floorf((float)a->in * scale);
    if (!(scale > 0) || !(size <= (float)ONNX_MOST_PICKED))
        return onnx_error(n, "scale %g of dimension %u; the result must be 1 to %d long",
                          (double)scale, i, ONNX_MOST_PICKED);
    a->scale = scale;
    a->out = (int64_t)size;
    return true;
}

/* Which dimensions the lists are for: attribute `axes` since opset 18, else all. */
struct listed {
    uint32_t n;
    int64_t at[IR_MAX_RANK];
};

static bool read_axes(struct onnx_node *n, uint32_t rank, struct listed *out)
{
    bool seen[IR_MAX_RANK], given = n->im->opset >= 18 && onnx_has_attr(n, "axes");
    struct ir_ints axes = given ? onnx_attr_ints(n, "axes") : (struct ir_ints){0};
    if (!onnx_axes(n, axes, rank, seen))
        return false;
    out->n = given ? axes.n : rank;
    for (uint32_t i = 0; i < out->n; i++) {
        out->at[i] = i;
        if (given && !onnx_axis(n, axes.at[i], rank, &out->at[i]))
            return false;
    }
    return true;
}

static bool read_scales(struct onnx_node *n, size_t operand, const struct listed *axes,
                        struct resize *r)
{
    const float *scales;
    size_t count;
    if (!onnx_const_f32s(n, operand, &scales, &count))
        return false;
    if (count != axes->n)
        return onnx_error(n, "%zu scales for %u dimensions", count, axes->n);
    for (uint32_t i = 0; i < axes->n; i++)
        if (!set_scale(n, (uint32_t)axes->at[i], scales[i], &r->axis[axes->at[i]]))
            return false;
    return true;
}

/* The sizes themselves, or what keeps the ratio of the dimensions' lengths: the least or the
 * greatest of all scales, each length rounded to nearest, halves up. */
static bool read_sizes(struct onnx_node *n, const struct listed *axes, struct resize *r)
{
    struct ir_ints sizes;
    unsigned policy = RESIZE_STRETCH;
    double scale = 0;
    if (!onnx_const_ints(n, 3, &sizes) ||
        (n->im->opset >= 18 &&
         !onnx_attr_choice(n, "keep_aspect_ratio_policy", CHOICES_resize_policy, &policy)))
        return false;
    if (sizes.n != axes->n)
        return onnx_error(n, "%u sizes for %u dimensions", sizes.n, axes->n);
    for (uint32_t i = 0; i < axes->n; i++) {
        struct resize_axis *a = &r->axis[axes->at[i]];
        a->out = sizes.at[i];
        double own = (double)a->out / (double)a->in;
        if (i == 0 || (policy == RESIZE_NOT_LARGER ? own < scale : own > scale))
            scale = own;
    }
    for (uint32_t i = 0; policy != RESIZE_STRETCH && i < axes->n; i++) {
        struct resize_axis *a = &r->axis[axes->at[i]];
        double size = floor(scale * (double)a->in + 0.5);
        a->ratio = scale;
        a->out = size >= 1 && size <= (double)ONNX_MOST_PICKED ? (int64_t)size : 0;
    }
    return true;
}

static bool read_roi(struct onnx_node *n, const struct listed *axes, struct resize *r)
{
    const float *roi;
    size_t count;
    if (!onnx_const_f32s(n, 1, &roi, &count))
        return false;
    if (count != 2u * axes->n)
        return onnx_error(n, "roi has %zu numbers for %u dimensions", count, axes->n);
    for (uint32_t i = 0; i < axes->n; i++) {
        r->axis[axes->at[i]].roi_start = roi[i];
        r->axis[axes->at[i]].roi_end = roi[i + axes->n];
    }
    return true;
}

static bool read_resize_11(struct onnx_node *n, const struct ir_type *x, struct resize *r)
{
    unsigned transform, rounding;
    struct listed axes;
    if (!onnx_attr_choice(n, "coordinate_transformation_mode", CHOICES_resize_transform,
                          &transform) ||
        !onnx_attr_choice(n, "nearest_mode", CHOICES_resize_rounding, &rounding) ||
        !read_axes(n, x->rank, &axes))
        return false;
    for (uint32_t i = 0; i < x->rank; i++)
        r->axis[i].transform = (enum resize_transform)transform;
    r->rounding = (enum resize_rounding)rounding;
    r->extrapolation = onnx_attr_f32(n, "extrapolation_value", 0);
    bool smooths = n->im->opset >= 18 && onnx_attr_i64(n, "antialias", 0) != 0;
    r->filter =
        (struct resize_filter){.is_cubic = r->mode == RESIZE_CUBIC,
                               .smooths = smooths,
                               .excludes_outside = onnx_attr_i64(n, "exclude_outside", 0) != 0,
                               .cubic_a = onnx_attr_f32(n, "cubic_coeff_a", -0.75f)};
    if (transform == RESIZE_TF_CROP && !read_roi(n, &axes, r))
        return false;
    bool by_scale = has_elements(n, 2), by_size = has_elements(n, 3);
    if (by_scale == by_size)
        return onnx_error(n, "needs either scales or sizes");
    return by_scale ? read_scales(n, 2, &axes, r) : read_sizes(n, &axes, r);
}

/* Before opset 11 there is no more than the name of the mode: x / scale, and "nearest" is towards
 * zero when enlarging, up when reducing, which is what ONNX Runtime does. */
static bool read_resize_10(struct onnx_node *n, const struct ir_type *x, struct resize *r)
{
    struct listed all;
    bool enlarges = false, reduces = false;
    if (!read_axes(n, x->rank, &all) || !read_scales(n, 1, &all, r))
        return false;
    for (unsigned k = 0; k < x->rank; k++) {
        enlarges |= r->axis[k].scale > 1;
        reduces |= r->axis[k].scale < 1;
    }
    if (enlarges && reduces && r->mode == RESIZE_NEAREST)
        return onnx_error(n, "enlarges and reduces at once, which opset 10 leaves open");
    if (reduces)
        r->rounding = RESIZE_CEIL;
    return true;
}

/* Mode, and every dimension as it is. */
static bool init(struct onnx_node *n, const struct ir_type *x, struct resize *r)
{
    unsigned mode = RESIZE_LINEAR; /* whose name before opset 7 is bilinear */
    bool is_bilinear =
        n->im->opset < 7 && strcmp(onnx_attr_str(n, "mode", "nearest"), "bilinear") == 0;
    if (!is_bilinear && !onnx_attr_choice(n, "mode", CHOICES_resize_mode, &mode))
        return false;
    *r = (struct resize){.mode = mode, .rounding = RESIZE_FLOOR};
    for (uint32_t i = 0; i < x->rank; i++)
        r->axis[i] = (struct resize_axis){
            .transform = RESIZE_ASYMMETRIC, .in = x->dim[i], .out = x->dim[i], .roi_end = 1};
    return true;
}

/* ---- the operations ---- */

static bool check_sizes(struct onnx_node *n, const struct ir_type *x, const struct resize *r)
{
    for (uint32_t i = 0; i < x->rank; i++) {
        const struct resize_axis *a = &r->axis[i];
        if (a->out < 1 || a->out > ONNX_MOST_PICKED || a->in < 1)
            return onnx_error(n, "dimension %u of %lld becomes %lld; 1 to %d are supported", i,
                              (long long)a->in, (long long)a->out, ONNX_MOST_PICKED);
    }
    return true;
}

static struct ir_value *nearest(struct onnx_node *n, struct ir_value *x, const struct resize *r)
{
    int64_t counts[IR_MAX_RANK];
    VEC(int64_t) index = {0};
    for (uint32_t i = 0; i < x->type.rank; i++) {
        counts[i] = r->axis[i].out;
        for (int64_t at = 0; at < counts[i]; at++)
            VEC_PUSH(&index, resize_nearest(&r->axis[i], r->rounding, at));
    }
    struct ir_value *v = onnx_grid_lists(
        n, x, counts, &(struct ir_ints){(uint32_t)index.n, index.at}, r->extrapolation);
    VEC_FREE(&index);
    return v;
}

/* What one dimension needs: indices below and above, the weight of those above. */
struct linear {
    int64_t *low, *high;
    float *weight; /* on the heap, for the constant */
    bool moves, blends;
};

static struct linear linear_of(struct onnx_node *n, const struct resize_axis *a)
{
    size_t count = (size_t)a->out;
    struct linear l = {ARENA_ARRAY(n->im->arena, int64_t, count),
                       ARENA_ARRAY(n->im->arena, int64_t, count), heap_alloc(count * sizeof(float)),
                       a->in != a->out, false};
    for (int64_t at = 0; at < a->out; at++) {
        struct resize_pair p = resize_linear(a, at);
        l.low[at] = p.low;
        l.high[at] = p.high;
        l.weight[at] = p.weight;
        l.moves |= p.low != at;
        l.blends |= p.weight != 0;
    }
    return l;
}

/* Dimensions that are interpolated by one operation. */
struct blend {
    int64_t axes[IR_MAX_RANK];
    VEC(int64_t) low, high;
    struct ir_value *in[1 + IR_MAX_RANK]; /* the weights from 1 on */
    uint32_t n;
};

static void add_axis(struct onnx_node *n, struct blend *b, uint32_t axis, const struct linear *l,
                     int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        VEC_PUSH(&b->low, l->low[i]);
        VEC_PUSH(&b->high, l->high[i]);
    }
    b->axes[b->n++] = axis;
    b->in[b->n] = onnx_const(n, ir_type_of(IR_F32, 1, &count),
                             blob_own(l->weight, (size_t)count * sizeof(float)));
}

/* x, interpolated along the dimensions of b, which has none after that. */
static struct ir_value *blended(struct onnx_node *n, struct ir_value *x, struct blend *b,
                                const struct resize *r)
{
    if (x && b->n) {
        b->in[0] = x;
        union ir_attrs attrs = {.interpolate = {.axes = {b->n, b->axes},
                                                .low = {(uint32_t)b->low.n, b->low.at},
                                                .high = {(uint32_t)b->high.n, b->high.at},
                                                .value = r->extrapolation}};
        x = onnx_emit_helper(n, IR_interpolate, &attrs, b->in, b->n + 1);
    }
    b->n = 0;
    b->low.n = b->high.n = 0;
    return x;
}

/* One dimension, which waits in b where it is interpolated. */
static struct ir_value *linear(struct onnx_node *n, struct ir_value *x, const struct resize *r,
                               uint32_t axis, struct blend *b)
{
    const struct resize_axis *a = &r->axis[axis];
    struct linear l = linear_of(n, a);
    if (l.blends) {
        add_axis(n, b, axis, &l, a->out);
        return x;
    }
    heap_free(l.weight);
    if (!l.moves || !(x = blended(n, x, b, r)))
        return x;
    int64_t counts[IR_MAX_RANK];
    for (uint32_t i = 0; i < x->type.rank; i++)
        counts[i] = i == axis ? a->out : x->type.dim[i];
    return onnx_grid(n, x, counts, axis, l.low, r->extrapolation);
}

/* Each element of a result dimension is a sum of so many at most. */
enum { MOST_TAPS = 256, MOST_WEIGHTS = 1 << 24 }; /* of an element; of a dimension */

/* x's elements index[.] times weight[.] along a dimension; takes over the weights. */
static struct ir_value *tap(struct onnx_node *n, struct ir_value *x, const struct resize *r,
                            uint32_t axis, const int64_t *index, float *weight)
{
    int64_t counts[IR_MAX_RANK], shape[IR_MAX_RANK];
    for (uint32_t i = 0; i < x->type.rank; i++) {
        counts[i] = i == axis ? r->axis[i].out : x->type.dim[i];
        shape[i] = i == axis ? r->axis[i].out : 1;
    }
    struct ir_value *w = onnx_const(n, ir_type_of(IR_F32, x->type.rank, shape),
                                    blob_own(weight, (size_t)shape[axis] * sizeof *weight));
    return onnx_helper2(n, IR_mul, onnx_grid(n, x, counts, axis, index, r->extrapolation), w);
}

static struct ir_value *filter(struct onnx_node *n, struct ir_value *x, const struct resize *r,
                               uint32_t axis)
{
    const struct resize_axis *a = &r->axis[axis];
    int64_t taps = resize_reach(a, &r->filter), of[MOST_TAPS];
    double weight[MOST_TAPS];
    if (taps > MOST_TAPS) {
        onnx_error(
            n, "dimension %u becomes so short that an element is made of %lld; %d are supported",
            axis, (long long)taps, MOST_TAPS);
        return NULL;
    }
    if (taps * a->out > MOST_WEIGHTS) {
        onnx_error(n, "dimension %u: %lld elements of %lld each; at most %d in all are supported",
                   axis, (long long)a->out, (long long)taps, MOST_WEIGHTS);
        return NULL;
    }
    int64_t *index = ARENA_ARRAY(n->im->arena, int64_t, (size_t)(taps * a->out));
    float *all = ARENA_ARRAY(n->im->arena, float, (size_t)(taps * a->out));
    for (int64_t at = 0; at < a->out; at++) {
        resize_taps(a, &r->filter, at, taps, of, weight);
        for (int64_t k = 0; k < taps; k++) {
            index[k * a->out + at] = of[k];
            all[k * a->out + at] = (float)weight[k];
        }
    }
    struct ir_value *sum = NULL;
    for (int64_t k = 0; k < taps; k++) {
        size_t bytes = (size_t)a->out * sizeof(float);
        float *own = heap_alloc(bytes);
        memcpy(own, all + k * a->out, bytes);
        struct ir_value *v = tap(n, x, r, axis, index + k * a->out, own);
        if (!(sum = k ? onnx_helper2(n, IR_add, sum, v) : v))
            return NULL;
    }
    return sum;
}

static bool resize(struct onnx_node *n, struct ir_value *x, const struct resize *r)
{
    if (!check_sizes(n, &x->type, r))
        return false;
    if (r->mode == RESIZE_NEAREST)
        return onnx_set_out(n, 0, nearest(n, x, r));
    if (x->type.dtype != IR_F32)
        return onnx_error(n, "%s resizing of %s; f32 is supported",
                          r->mode == RESIZE_CUBIC ? "cubic" : "linear",
                          ir_dtype_name((enum ir_dtype)x->type.dtype));
    struct blend b = {0};
    for (uint32_t i = 0, rank = x->type.rank; x && i < rank; i++) {
        if (resize_is_filtered(&r->axis[i], &r->filter))
            x = (x = blended(n, x, &b, r)) ? filter(n, x, r, i) : NULL;
        else
            x = linear(n, x, r, i, &b);
    }
    x = blended(n, x, &b, r);
    VEC_FREE(&b.low);
    VEC_FREE(&b.high);
    return onnx_set_out(n, 0, x);
}

bool import_resize(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct resize r;
    if (!x || !init(n, &x->type, &r))
        return false;
    if (!(n->im->opset < 11 ? read_resize_10(n, &x->type, &r) : read_resize_11(n, &x->type, &r)))
        return false;
    return resize(n, x, &r);
}

/* PyTorch wrote its bilinear interpolation, which has half pixels, as this one, which has none. */
static void warn_of_pytorch(struct onnx_node *n)
{
    const char *producer = n->im->proto->producer_name;
    if (producer && strcmp(producer, "pytorch") == 0 &&
        strcmp(onnx_attr_str(n, "mode", "nearest"), "linear") == 0)
        diag_warn(n->im->diag, n->loc, DIAG_ONNX_ATTR,
                  "linear Upsample does not have the half pixels of PyTorch's interpolation: "
                  "results differ from PyTorch's; export with opset 11 or later");
}

/* Scales are two attributes before opset 7, one before 9, operand 1 in 9. */
bool import_upsample(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct resize r;
    if (!x || !init(n, &x->type, &r))
        return false;
    warn_of_pytorch(n);
    if (n->im->opset >= 9)
        return read_resize_10(n, &x->type, &r) && resize(n, x, &r);
    if (n->im->opset < 7)
        return x->type.rank == 4
                   ? set_scale(n, 2, onnx_attr_f32(n, "height_scale", 0), &r.axis[2]) &&
                         set_scale(n, 3, onnx_attr_f32(n, "width_scale", 0), &r.axis[3]) &&
                         resize(n, x, &r)
                   : onnx_error(n, "an input of %u dimensions, not 4", x->type.rank);
    size_t count;
    const float *scales = onnx_attr_f32s(n, "scales", &count);
    if (count != x->type.rank)
        return onnx_error(n, "%zu scales for %u dimensions", count, x->type.rank);
    for (uint32_t i = 0; i < x->type.rank; i++)
        if (!set_scale(n, i, scales[i], &r.axis[i]))
            return false;
    return resize(n, x, &r);
}
