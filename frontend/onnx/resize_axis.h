/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * resize_axis.h - coordinates of one dimension of Resize.
 */
#ifndef CIMC_RESIZE_AXIS_H
#define CIMC_RESIZE_AXIS_H

#include "onnx_operator.h"

struct resize_axis {
    enum resize_transform transform;
    int64_t in, out;          /* both >= 1 */
    float scale;              /* as given; 0: none was, see `ratio` */
    double ratio;             /* scale that several dimensions share; 0 = out / in */
    float roi_start, roi_end; /* RESIZE_TF_CROP */
};

/* The source element; -1 where extrapolation gives the value. */
int64_t resize_nearest(const struct resize_axis *a, enum resize_rounding rounding, int64_t at);
/* (1 - weight) * source[low] + weight * source[high]; both -1 where extrapolation gives it. */
struct resize_pair {
    int64_t low, high;
    float weight;
};
struct resize_pair resize_linear(const struct resize_axis *a, int64_t at);

/* Weighted sums of more than two elements: mode cubic, and where a dimension becomes shorter with
 * antialias. */
struct resize_filter {
    bool is_cubic, smooths, excludes_outside;
    float cubic_a; /* ONNX's cubic_coeff_a */
};
/* Is the dimension made so, and not by resize_linear? */
bool resize_is_filtered(const struct resize_axis *a, const struct resize_filter *f);
/* How many elements: even, the same for all of a dimension. */
int64_t resize_reach(const struct resize_axis *a, const struct resize_filter *f);
/* index[k], weight[k] of each; all indices -1, the first weight 1, where extrapolation gives it. */
void resize_taps(const struct resize_axis *a, const struct resize_filter *f, int64_t at,
                 int64_t n_taps, int64_t *index, double *weight);

#endif
