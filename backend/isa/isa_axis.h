/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_axis.h - along one axis, which positions the windows of a region read. What is asked of each
 * instruction takes no longer for large kernels than for small ones.
 */
#ifndef CIMC_ISA_AXIS_H
#define CIMC_ISA_AXIS_H

#include "isa_mapping.h"

#include "base/map.h"

/* What isa_patches_inside has said: a patch may have 65535 pixels along an axis, but a stream that
 * asks of those asks for the same few places again and again. Zero at first. */
struct isa_reach {
    int64_t first, last;
};
struct isa_reaches {
    struct map known;
    VEC(struct isa_reach) at;
};
void isa_reaches_free(struct isa_reaches *r);

/* Positions o*stride + k*dilation - pad, o in [o0, o0+n), k in [k0, k1]. Of a patch of pixels k are
 * the positions of its window; its pixels are those of axis `which` of `m`. */
struct isa_axis {
    int64_t o0, n, stride, k0, k1, dilation, pad;
    const struct isa_mapping *m;
    unsigned which;
    struct isa_reaches *reaches;
};
struct isa_axis isa_window_axis(const struct isa_window *w, unsigned axis, int64_t o0, int64_t n);
/* First and last position inside [0, extent); false if there is none. Of patches: the last one may
 * be cut off, and its rest reads nothing. */
bool isa_positions_inside(const struct isa_axis *a, int64_t extent, int64_t *first, int64_t *last);
bool isa_patches_inside(const struct isa_axis *a, int64_t extent, int64_t *first, int64_t *last);
/* First and last i inside [0, extent) with i*stride + k*dilation - pad = o; false if none. */
bool isa_sources_inside(const struct isa_axis *a, int64_t extent, int64_t *first, int64_t *last);
/* Has each o, with k from 0 on, a position inside [lo, hi)? */
bool isa_axis_counts(const struct isa_axis *a, int64_t lo, int64_t hi);

#endif
