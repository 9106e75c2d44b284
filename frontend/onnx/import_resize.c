/*
 * import_resize.c - Resize and Upsample in mode "nearest": each result dimension is a list of
 * source indices, so the whole is one gather_grid.
 *
 * A coordinate x of the result comes from x_in of the source (ONNX, Resize, attribute
 * coordinate_transformation_mode) and then from an integer next to it (nearest_mode). Where
 * `scales` are given the arithmetic is in float, as they are; where `sizes` are, the scale is the
 * exact ratio of sizes.
 */
#include "onnx_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum transform {
    HALF_PIXEL,
    PYTORCH_HALF_PIXEL,
    ALIGN_CORNERS,
    ASYMMETRIC,
    TF_HALF_PIXEL,
    TF_CROP
};
enum nearest { ROUND_PREFER_FLOOR, ROUND_PREFER_CEIL, FLOOR, CEIL };

/* Index lists are spelled out; nothing sensible is larger. */
static const int64_t MAX_SIZE = 1 << 20;

struct resize {
    enum transform transform;
    enum nearest nearest;
    float extrapolation;
    const float *scales; /* one a dimension, or NULL: */
    const int64_t *sizes;
    const float *roi; /* starts, then ends; TF_CROP only */
};

/* ---- one dimension ---- */

struct axis {
    int64_t in, out;
    float scale; /* 0 = out / in */
    float roi_start, roi_end;
};

/* (x + shift) / scale */
static double scaled_back(const struct axis *a, double x)
{
    if (a->scale > 0)
        return (double)((float)x / a->scale);
    return x * (double)a->in / (double)a->out;
}

static double source_of(const struct resize *r, const struct axis *a, int64_t at)
{
    double x = (double)at, last = (double)(a->in - 1);
    switch (r->transform) {
    case ASYMMETRIC: return scaled_back(a, x);
    case TF_HALF_PIXEL: return scaled_back(a, x + 0.5);
    case PYTORCH_HALF_PIXEL:
        if (a->out == 1)
            return 0;
        break;
    case ALIGN_CORNERS: return a->out == 1 ? 0 : x * last / (double)(a->out - 1);
    case TF_CROP:
        if (a->out == 1)
            return 0.5 * ((double)a->roi_start + (double)a->roi_end) * last;
        return (double)a->roi_start * last +
               x * ((double)a->roi_end - (double)a->roi_start) * last / (double)(a->out - 1);
    case HALF_PIXEL: break;
    }
    return scaled_back(a, x + 0.5) - 0.5;
}

static int64_t nearest_index(const struct resize *r, const struct axis *a, double x)
{
    double at = 0;
    if (r->transform == TF_CROP && !(x >= 0 && x <= (double)(a->in - 1)))
        return -1;
    switch (r->nearest) {
    case ROUND_PREFER_FLOOR: at = ceil(x - 0.5); break;
    case ROUND_PREFER_CEIL: at = floor(x + 0.5); break;
    case FLOOR: at = floor(x); break;
    case CEIL: at = ceil(x); break;
    }
    if (!(at > 0))
        return 0;
    return at >= (double)a->in ? a->in - 1 : (int64_t)at;
}

static bool result_size(struct onnx_node *n, const struct resize *r, uint32_t i, struct axis *a)
{
    if (r->sizes) {
        a->out = r->sizes[i];
    } else {
        float scale = r->scales[i], size = floorf((float)a->in * scale);
        if (!(scale > 0) || !(size <= (float)MAX_SIZE))
            return onnx_error(n, "scale %g of dimension %u", (double)scale, i);
        a->scale = scale;
        a->out = (int64_t)size;
    }
    if (a->out < 1 || a->out > MAX_SIZE || a->in < 1)
        return onnx_error(n, "dimension %u of %lld becomes %lld", i, (long long)a->in,
                          (long long)a->out);
    return true;
}

static struct ir_value *resize(struct onnx_node *n, struct ir_value *x, const struct resize *r)
{
    int64_t counts[IR_MAX_RANK];
    VEC(int64_t) index = {0};
    bool ok = true;
    for (uint32_t i = 0; ok && i < x->type.rank; i++) {
        struct axis a = {.in = x->type.dim[i]};
        if (r->roi) {
            a.roi_start = r->roi[i];
            a.roi_end = r->roi[i + x->type.rank];
        }
        ok = result_size(n, r, i, &a);
        for (int64_t at = 0; ok && at < a.out; at++)
            VEC_PUSH(&index, nearest_index(r, &a, source_of(r, &a, at)));
        counts[i] = a.out;
    }
    struct ir_value *v = NULL;
    if (ok) {
        union ir_attrs attrs = {.gather_grid = {.count = {x->type.rank, counts},
                                                .index = {(uint32_t)index.n, index.at},
                                                .value = r->extrapolation}};
        v = onnx_emit1(n, IR_gather_grid, &attrs, x);
    }
    VEC_FREE(&index);
    return v;
}

/* ---- attributes and operands ---- */

/* The place of attribute `name`'s value in a list of names that ends with NULL. */
static bool read_choice(struct onnx_node *n, const char *name, const char *const *choices, int *out)
{
    const char *text = onnx_attr_str(n, name, choices[0]);
    for (int i = 0; choices[i]; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return onnx_error(n, "%s is '%s', which is not supported", name, text);
}

static bool want_nearest(struct onnx_node *n)
{
    const char *mode = onnx_attr_str(n, "mode", "nearest");
    return strcmp(mode, "nearest") == 0 ||
           onnx_error(n, "mode is '%s'; only nearest is supported", mode);
}

static bool has_elements(struct onnx_node *n, size_t i)
{
    struct ir_value *v = onnx_has_in(n, i) ? onnx_in(n, i) : NULL;
    return v && ir_count(&v->type) > 0;
}

/* One float a dimension. */
static bool read_scales(struct onnx_node *n, size_t i, unsigned rank, const float **out)
{
    size_t count;
    if (!onnx_const_f32s(n, i, out, &count))
        return false;
    return count == rank || onnx_error(n, "%zu scales for %u dimensions", count, rank);
}

static bool read_resize_11(struct onnx_node *n, const struct ir_type *x, struct resize *r)
{
    static const char *const transforms[] = {
        "half_pixel", "pytorch_half_pixel",   "align_corners",
        "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize",
        NULL};
    static const char *const nearests[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                           "ceil", NULL};
    int transform = 0, nearest = 0;
    struct ir_ints sizes;
    if (!read_choice(n, "coordinate_transformation_mode", transforms, &transform) ||
        !read_choice(n, "nearest_mode", nearests, &nearest))
        return false;
    r->transform = (enum transform)transform;
    r->nearest = (enum nearest)nearest;
    r->extrapolation = onnx_attr_f32(n, "extrapolation_value", 0);
    onnx_ignore_attr(n, "cubic_coeff_a");
    onnx_ignore_attr(n, "exclude_outside");
    if (r->transform == TF_CROP) {
        size_t count;
        if (!onnx_const_f32s(n, 1, &r->roi, &count))
            return false;
        if (count != 2u * x->rank)
            return onnx_error(n, "roi has %zu numbers for %u dimensions", count, x->rank);
    }
    bool by_scale = has_elements(n, 2), by_size = has_elements(n, 3);
    if (by_scale == by_size)
        return onnx_error(n, "needs either scales or sizes");
    if (by_scale)
        return read_scales(n, 2, x->rank, &r->scales);
    if (!onnx_const_ints(n, 3, &sizes))
        return false;
    r->sizes = sizes.at;
    return sizes.n == x->rank || onnx_error(n, "%u sizes for %u dimensions", sizes.n, x->rank);
}

/* Opset 10 says only "nearest": x / scale, towards zero when enlarging, up when reducing, which is
 * what ONNX Runtime does. */
static bool read_resize_10(struct onnx_node *n, size_t i, const struct ir_type *x, struct resize *r)
{
    *r = (struct resize){.transform = ASYMMETRIC, .nearest = FLOOR};
    if (!read_scales(n, i, x->rank, &r->scales))
        return false;
    bool enlarges = false, reduces = false;
    for (unsigned k = 0; k < x->rank; k++) {
        enlarges |= r->scales[k] > 1;
        reduces |= r->scales[k] < 1;
    }
    if (enlarges && reduces)
        return onnx_error(n, "enlarges and reduces at once, which opset 10 leaves open");
    if (reduces)
        r->nearest = CEIL;
    return true;
}

bool import_resize(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct resize r = {0};
    if (!x || !want_nearest(n))
        return false;
    if (!(n->im->opset < 11 ? read_resize_10(n, 1, &x->type, &r) : read_resize_11(n, &x->type, &r)))
        return false;
    return onnx_set_out(n, 0, resize(n, x, &r));
}

/* Scales are an attribute before opset 9, operand 1 in 9. */
bool import_upsample(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct resize r = {.transform = ASYMMETRIC, .nearest = FLOOR};
    if (!x || !want_nearest(n))
        return false;
    if (n->im->opset >= 9)
        return read_resize_10(n, 1, &x->type, &r) && onnx_set_out(n, 0, resize(n, x, &r));
    size_t count;
    r.scales = onnx_attr_f32s(n, "scales", &count);
    if (count != x->type.rank)
        return onnx_error(n, "%zu scales for %u dimensions", count, x->type.rank);
    return onnx_set_out(n, 0, resize(n, x, &r));
}

/* ---- one dimension picked by a list ---- */

struct ir_value *onnx_grid(struct onnx_node *n, struct ir_value *x, const int64_t *counts,
                           int64_t axis, const int64_t *list)
{
    VEC(int64_t) index = {0};
    for (int64_t i = 0; i < x->type.rank; i++) {
        if (counts[i] > MAX_SIZE) {
            onnx_error(n, "dimension %lld of %lld is too large to be picked from", (long long)i,
                       (long long)counts[i]);
            VEC_FREE(&index);
            return NULL;
        }
        for (int64_t k = 0; k < counts[i]; k++)
            VEC_PUSH(&index, i == axis ? list[k] : k);
    }
    union ir_attrs attrs = {
        .gather_grid = {.count = {x->type.rank, counts}, .index = {(uint32_t)index.n, index.at}}};
    struct ir_value *v = onnx_emit1(n, IR_gather_grid, &attrs, x);
    VEC_FREE(&index);
    return v;
}
