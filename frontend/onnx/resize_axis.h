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

#endif
