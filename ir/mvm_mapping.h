/*
 * mvm_mapping.h - how a base layer's matrix sits on crossbars (im2col), and how copies of it share
 * the output: the one answer that tiling, duplication, placement and emission share.
 */
#ifndef CIMC_IR_MVM_MAPPING_H
#define CIMC_IR_MVM_MAPPING_H

#include "ir.h"

/*
 * The K x N matrix of an mvm, K = KH*KW*C/groups rows and N output channels, cut for PEs of
 * `rows` x `cols`. Where at least one conv group fits a PE, `per_pe` of them lie in it block by
 * block along the diagonal: g = min(floor(rows / K), floor(cols / (N / groups))), one block of
 * columns for each PE, one slice. Where none fits (per_pe = 0) each conv group is cut by itself
 * into ceil(K / rows) slices and ceil(N/groups / cols) blocks. PEs of a copy = slices * blocks.
 * Without groups (groups = 1) this is the plain cut of the matrix. Source: CLSA-CIM, section III-A.
 */
struct ir_mapping {
    int64_t k, n, groups;      /* of the matrix; conv groups */
    int64_t channels, columns; /* of a conv group: input channels, columns */
    int64_t rows, cols;        /* of a PE: rows, logical columns */
    int64_t per_pe;
    int64_t n_slices, n_blocks;
};

/* `mvm` must be a verified mvm; rows, cols >= 1. */
struct ir_mapping ir_mapping_of(const struct ir_op *mvm, int64_t rows, int64_t cols);
/* Matrix rows [lo, hi) of a slice, columns [lo, hi) of a block. */
void ir_mapping_slice(const struct ir_mapping *m, int64_t slice, int64_t *lo, int64_t *hi);
void ir_mapping_block(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi);
/* The block that holds a column. */
int64_t ir_mapping_block_of(const struct ir_mapping *m, int64_t column);
/* Conv groups [lo, hi) that have columns in the block. */
void ir_mapping_groups(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi);

/* Copies share a layer's output: each axis is cut into `parts` ranges, and coordinate x of `extent`
 * is part floor(x * parts / extent)'s. */
static inline int64_t ir_cut_owner(int64_t x, int64_t parts, int64_t extent)
{
    return x * parts / extent;
}
/* First coordinate of part i; of part `parts`, the extent. */
static inline int64_t ir_cut_start(int64_t i, int64_t parts, int64_t extent)
{
    return ceil_div_i64(i * extent, parts);
}

#endif
