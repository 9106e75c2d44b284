/*
 * mvm_mapping.h - how a base layer sits on crossbars, and how copies of it share the output: the
 * one answer that tiling, duplication, placement and emission share. What a matrix row multiplies
 * and what a column computes is known here and nowhere else (below the backend, by isa_mapping.h).
 */
#ifndef CIMC_IR_MVM_MAPPING_H
#define CIMC_IR_MVM_MAPPING_H

#include "ir.h"

/*
 * The K x N matrix of an mvm, K = KH*KW*C/groups rows and N output channels, cut for PEs of
 * `rows` x `cols`. PEs of a copy = slices * blocks. Source: CLSA-CIM, section III-A.
 *   IM2COL    a product is one output pixel; row (kh*KW + kw)*C + c, column = output channel. Each
 *             conv group is cut by itself into ceil(K / rows) slices and ceil(N/groups / cols)
 *             blocks; without groups this is the plain cut of the matrix.
 *   DIAGONAL  the same where conv groups fit a PE: `per_pe` of them lie in it block by block along
 *             the diagonal, g = min(floor(rows / K), floor(cols / (N / groups))); one slice.
 */
enum ir_mapping_kind { MAPPING_IM2COL, MAPPING_DIAGONAL };
struct ir_mapping {
    enum ir_mapping_kind kind;
    int64_t k, n, groups;      /* of the matrix; conv groups */
    int64_t channels, columns; /* of a conv group: input channels, columns */
    int64_t kernel_width;
    int64_t rows, cols; /* of a PE: rows, logical columns */
    int64_t per_pe;     /* DIAGONAL: conv groups in a PE */
    int64_t n_slices, n_blocks;
};
/* What a matrix row multiplies: a kernel tap and a channel of the operand. */
struct ir_mapping_tap {
    int64_t row, column, channel;
};

/* `mvm` must be a verified mvm; rows, cols >= 1. */
struct ir_mapping ir_mapping_of(const struct ir_op *mvm, int64_t rows, int64_t cols);
/* Products that h x w output pixels take; of a copy: those of its part of the output. */
int64_t ir_mapping_products(const struct ir_mapping *m, int64_t h, int64_t w);
/* Columns of the fullest PE. */
int64_t ir_mapping_most_columns(const struct ir_mapping *m);
/* A slice of a block is a list of runs of matrix rows, ascending: its i-th run [lo, hi); false if
 * there is none. */
bool ir_mapping_run(const struct ir_mapping *m, int64_t block, int64_t slice, uint32_t i,
                    int64_t *lo, int64_t *hi);
/* Matrix columns [lo, hi) of a block. */
void ir_mapping_block(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi);
/* Output channels [lo, hi) that a block computes; the block that computes a channel. */
void ir_mapping_channels(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi);
int64_t ir_mapping_block_of(const struct ir_mapping *m, int64_t channel);
/* What matrix row `row` multiplies in the columns of conv group `group`. */
struct ir_mapping_tap ir_mapping_tap(const struct ir_mapping *m, int64_t group, int64_t row);
/* Bounds [lo, hi) of the taps that slices [slice0, slice1) of a block multiply: kernel rows, kernel
 * columns, channels of the operand. */
void ir_mapping_taps(const struct ir_mapping *m, int64_t block, int64_t slice0, int64_t slice1,
                     int64_t lo[3], int64_t hi[3]);

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
