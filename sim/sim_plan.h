/*
 * sim_plan.h - what a group and a vector program come to, worked out once: exec_mvm.c,
 * exec_map.c.
 */
#ifndef CIMC_SIM_PLAN_H
#define CIMC_SIM_PLAN_H

#include "isa.h"

enum { SIM_PANEL_PIXELS = 256 }; /* pixels of a crossbar product at a time */

/* A stretch of image rows that the group needs: `taps` adjacent columns of a kernel row, n adjacent
 * channels each. */
struct mvm_segment {
    uint32_t kh, kw, taps, channel, n, at; /* channel of the source view; position in the panel */
};
struct mvm_block {
    uint32_t at, k, row; /* panel columns [at, at + k) meet image rows [row, row + k) */
};
/* Columns [n0, n0 + n) of the image, the sum of its blocks. */
struct mvm_strip {
    uint32_t n0, n, first_block, n_blocks;
};
struct mvm_plan {
    bool depthwise; /* one strip: tap by tap, panel column i meets image column n0 + i */
    uint32_t n_segments, n_strips, panel_width;
    struct mvm_segment *segments;
    struct mvm_strip *strips;
    struct mvm_block *blocks;
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

void mvm_plan_make(struct arena *a, const struct isa_program *p, const struct isa_group *g,
                   struct mvm_plan *plan);
void lane_plan_make(const struct isa_program_entry *program, struct lane_plan *plan);

#endif
