/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_plan.h - what a group and a vector program come to, worked out once: exec_mvm.c,
 * exec_map.c.
 */
#ifndef CIMC_SIM_PLAN_H
#define CIMC_SIM_PLAN_H

#include "isa_mapping.h"
#include "readout.h"
#include "sim.h"

enum { SIM_PANEL_PRODUCTS = 256 }; /* of a group, at a time */

/* A stretch of image rows that the group needs: `taps` adjacent positions of a row of the window, n
 * adjacent channels each. */
struct mvm_segment {
    uint32_t y, x;          /* source pixels from the window's first */
    uint32_t taps, channel; /* of the source view */
    uint32_t n, at;         /* at: position in the panel */
    uint32_t reader;        /* the first row of the patch's pixels that reads it, or `patch` */
};
struct mvm_block {
    uint32_t at, k, row; /* panel columns [at, at + k) meet image rows [row, row + k) */
};
/* What one PE holds of a strip, if that matters (it is read, or sums have their order): its rows,
 * which are not merged with others'. */
struct mvm_array {
    uint32_t first_block, n_blocks, k;
    struct read_lines *lines; /* NULL: not asked for yet */
};
/* Columns [n0, n0 + n) of the image, the sum of its blocks; without any, 0. */
struct mvm_strip {
    uint32_t n0, n, first_block, n_blocks, first_array, n_arrays;
};
/* Channels [channel, channel + n) of each pixel of the patch, from as many of the panel at each
 * position; n = 0: not of this kind. */
struct mvm_depthwise {
    uint32_t channel, n, pixels;
    const void *weights;   /* of the image's element: [pixel][position][channel] */
    const int32_t *center; /* [pixel][channel], or NULL */
};
struct mvm_plan {
    struct isa_mapping m;
    struct mvm_depthwise depthwise;
    uint32_t n_segments, n_strips, panel_width;
    struct mvm_segment *segments;
    struct mvm_strip *strips;
    struct mvm_block *blocks;
    const struct reading *reading; /* NULL: products are exact */
    struct mvm_array *arrays;      /* NULL: nobody asks for single PEs */
    struct mvm_block *held;        /* by arrays */
};
/* Operand numbers of a vector program: results, then a, b, then immediates and constants as used.
 */
struct lane_plan {
    uint8_t x[ISA_MAX_LANE_OPS], y[ISA_MAX_LANE_OPS];
    uint8_t add[ISA_MAX_LANE_OPS]; /* rq */
    uint32_t n_constants;
    uint8_t constants[3 * ISA_MAX_LANE_OPS]; /* rows of the constants view */
};
enum {
    SLOT_A = ISA_MAX_LANE_OPS,
    SLOT_B,
    SLOT_IMM,
    SLOT_CONST = SLOT_IMM + ISA_MAX_LANE_OPS,
    N_SLOTS = SLOT_CONST + 3 * ISA_MAX_LANE_OPS
};

/* The left factor of products: `pitch` elements apart. */
struct mvm_factor {
    const void *at;
    int64_t pitch;
};

/* mvm_depthwise.c: fills depthwise and the segments; false if the group is another. */
bool depthwise_plan(struct arena *a, const struct isa_program *p, const struct isa_group *g,
                    struct mvm_plan *plan);
/* Of each product pixels * n values. */
void depthwise_multiply(const struct mvm_plan *plan, bool floats, const struct mvm_factor *in,
                        int64_t products, void *out, int64_t pitch);

/* Of n products or rows of them, what a panel takes at a time: as few equal parts as fit, so that
 * there are few shapes of matrices. */
static inline uint32_t mvm_panel_part(uint32_t n, uint32_t most)
{
    uint32_t parts = (uint32_t)ceil_div_i64(n, most);
    return (uint32_t)ceil_div_i64(n, parts);
}

void mvm_plan_make(struct arena *a, const struct isa_program *p, const struct isa_group *g,
                   const struct sim_options *o, struct mvm_plan *plan);
void lane_plan_make(const struct isa_program_entry *program, struct lane_plan *plan);

#endif
