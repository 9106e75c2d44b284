/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * resize_axis.c - where the elements of a resized dimension come from.
 *
 * Element x of the result lies at x_in of the source (ONNX, Resize, attribute
 * coordinate_transformation_mode); it takes the value of an integer next to it (nearest_mode), or
 * of both weighted by their distance (linear). Where `scales` are given the arithmetic is in float,
 * as they are; where `sizes` are, the scale is the exact ratio of sizes.
 */
#include "resize_axis.h"

#include <math.h>

/* x / scale */
static double scaled_back(const struct resize_axis *a, double x)
{
    if (a->scale > 0)
        return (double)((float)x / a->scale);
    return a->ratio > 0 ? x / a->ratio : x * (double)a->in / (double)a->out;
}

static double source_of(const struct resize_axis *a, int64_t at)
{
    double x = (double)at, last = (double)(a->in - 1), shift = 0;
    switch (a->transform) {
    case RESIZE_ASYMMETRIC: return scaled_back(a, x);
    case RESIZE_TF_HALF_PIXEL: return scaled_back(a, x + 0.5);
    case RESIZE_PYTORCH_HALF_PIXEL:
        if (a->out == 1)
            return 0;
        break;
    case RESIZE_ALIGN_CORNERS: return a->out == 1 ? 0 : x * last / (double)(a->out - 1);
    case RESIZE_TF_CROP:
        if (a->out == 1)
            return 0.5 * ((double)a->roi_start + (double)a->roi_end) * last;
        return (double)a->roi_start * last +
               x * ((double)a->roi_end - (double)a->roi_start) * last / (double)(a->out - 1);
    case RESIZE_HALF_PIXEL_SYMMETRIC: /* keeps the centre where a scale does not give a whole size
                                       */
        if (a->scale > 0)
            shift = (double)a->in / 2 * (1 - (double)a->out / ((double)a->in * (double)a->scale));
        break;
    case RESIZE_HALF_PIXEL: break;
    }
    return shift + scaled_back(a, x + 0.5) - 0.5;
}

static bool is_outside(const struct resize_axis *a, double x)
{
    return a->transform == RESIZE_TF_CROP && !(x >= 0 && x <= (double)(a->in - 1));
}

int64_t resize_nearest(const struct resize_axis *a, enum resize_rounding rounding, int64_t at)
{
    double x = source_of(a, at), whole = 0;
    if (is_outside(a, x))
        return -1;
    switch (rounding) {
    case RESIZE_ROUND_PREFER_FLOOR: whole = ceil(x - 0.5); break;
    case RESIZE_ROUND_PREFER_CEIL: whole = floor(x + 0.5); break;
    case RESIZE_FLOOR: whole = floor(x); break;
    case RESIZE_CEIL: whole = ceil(x); break;
    }
    if (!(whole > 0))
        return 0;
    return whole >= (double)a->in ? a->in - 1 : (int64_t)whole;
}

struct resize_pair resize_linear(const struct resize_axis *a, int64_t at)
{
    double x = source_of(a, at);
    if (is_outside(a, x))
        return (struct resize_pair){-1, -1, 0};
    x = fmin(fmax(x, 0), (double)(a->in - 1));
    int64_t low = (int64_t)x;
    return (struct resize_pair){low, min_i64(low + 1, a->in - 1), (float)(x - (double)low)};
}

/* ---- filters ---- */

static double scale_of(const struct resize_axis *a)
{
    if (a->scale > 0)
        return (double)a->scale;
    return a->ratio > 0 ? a->ratio : (double)a->out / (double)a->in;
}

/* Of the kernel, which never becomes narrower than it is. */
static double shrink_of(const struct resize_axis *a, const struct resize_filter *f)
{
    return f->smooths ? fmin(scale_of(a), 1) : 1;
}

bool resize_is_filtered(const struct resize_axis *a, const struct resize_filter *f)
{
    double scale = scale_of(a);
    return f->is_cubic ? scale != 1 || a->transform == RESIZE_TF_CROP : f->smooths && scale < 1;
}

int64_t resize_reach(const struct resize_axis *a, const struct resize_filter *f)
{
    double width = (f->is_cubic ? 2 : 1) / shrink_of(a, f);
    return 2 * (int64_t)ceil(fmin(width, 1 << 20)); /* far more than anyone takes */
}

/* The kernel at a distance; cubic: R. Keys, 1981. */
static double kernel(const struct resize_filter *f, double distance)
{
    double x = fabs(distance), c = (double)f->cubic_a;
    if (!f->is_cubic)
        return fmax(1 - x, 0);
    if (x <= 1)
        return ((c + 2) * x - (c + 3)) * x * x + 1;
    return x < 2 ? ((c * x - 5 * c) * x + 8 * c) * x - 4 * c : 0;
}

void resize_taps(const struct resize_axis *a, const struct resize_filter *f, int64_t at,
                 int64_t n_taps, int64_t *index, double *weight)
{
    double x = source_of(a, at), shrink = shrink_of(a, f), sum = 0;
    bool outside = is_outside(a, x);
    /* As many below x, itself among them, as above; no x outside need fit an integer. */
    int64_t first = outside ? 0 : (int64_t)ceil(x) - n_taps / 2;
    for (int64_t k = 0; k < n_taps; k++) {
        int64_t i = first + k;
        bool beyond = i < 0 || i >= a->in;
        index[k] = outside ? -1 : min_i64(max_i64(i, 0), a->in - 1);
        weight[k] = outside                         ? (k == 0)
                    : beyond && f->excludes_outside ? 0
                                                    : kernel(f, ((double)i - x) * shrink);
        sum += weight[k];
    }
    for (int64_t k = 0; k < n_taps && (f->smooths || f->excludes_outside); k++)
        weight[k] /= sum;
}
