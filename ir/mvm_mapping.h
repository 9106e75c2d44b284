/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mvm_mapping.h - how a base layer sits on crossbars, and how copies of it share the output: the
 * one answer that tiling, duplication, placement and emission share. What a matrix row multiplies
 * and what a column computes is known here and nowhere else (below the backend, by isa_mapping.h).
 */
#ifndef CIMC_IR_MVM_MAPPING_H
#define CIMC_IR_MVM_MAPPING_H

#include "ir.h"

/*
 * One product makes a patch of a x b output pixels, from the window of the operand that they read
 * together. With q a conv group, C input channels and KO output channels in each:
 *   row    (wy * window_w + wx) * C + c              position (wy, wx) of the window, channel c of
 * q column ((q * a + py) * b + px) * KO + ko         pixel (py, px) of the patch, channel q * KO +
 * ko Positions lie `step` pixels of the operand apart: of a single pixel (im2col, CLSA-CIM section
 * III-A) they are its kernel's taps, of several all pixels of the window, also those between the
 * taps of a dilated kernel (kernel windows; VW-SDK).
 *
 * A block is a range of columns: those of a conv group are cut every `cols`; or, where all that a
 * conv group multiplies fits a PE, `per_pe` groups lie in it, block by block along the diagonal,
 * per_pe = min(floor(rows / rows read), floor(cols / columns)). A block holds the rows that some
 * pixel of it reads, by position, never by value, and they are cut every `rows` into its slices:
 * blocks may differ in them. PEs of a copy = the sum of the slices of all blocks.
 */
struct ir_mapping {
    int64_t k, n, groups;      /* of the matrix: rows, columns; conv groups */
    int64_t channels, columns; /* of a conv group: input channels, columns */
    int64_t pixel_columns;     /* of a conv group and one pixel: output channels */
    int64_t patch[2], window[2], kernel[2];
    int64_t stride[2], dilation[2]; /* in positions */
    int64_t step[2];                /* from position to position, in pixels of the operand */
    int64_t rows, cols;             /* of a PE: rows, logical columns */
    int64_t per_pe;                 /* conv groups in a PE, 0 where one does not fit */
    int64_t n_slices, n_blocks;     /* slices: of the block with most of them */
    int64_t n_pes;                  /* of a copy */
};
/* What a matrix row multiplies: a position of the window and a channel of the operand. */
struct ir_mapping_tap {
    int64_t row, column, channel;
};
/* What a matrix column computes: a pixel of the patch and an output channel. */
struct ir_mapping_pixel {
    int64_t row, column, channel;
};
/* The rows of a slice of a block, one run after the other. */
struct ir_mapping_rows {
    const struct ir_mapping *m;
    int64_t pixel[2];                     /* first and last of the block, row by row */
    int64_t position, passed, first, end; /* rows of the block passed; those of the slice */
};

/* `mvm` must be a verified mvm; rows, cols >= 1. Takes time for each block of a conv group. */
struct ir_mapping ir_mapping_of(const struct ir_op *mvm, int64_t rows, int64_t cols);
/* The same with another patch, of at most the output's extent. */
struct ir_mapping ir_mapping_with(const struct ir_op *mvm, int64_t rows, int64_t cols,
                                  const int64_t patch[2]);
/* Rows and columns of the matrix; false if these are more than a program should hold. */
bool ir_mapping_matrix(const struct ir_op *mvm, const int64_t patch[2],
                       int64_t extent[2]) CHECK_RESULT;
/* Have weights of `bits` bits a code for zero, which stands where a pixel of a patch does not read
 * a row? A center is added to all. */
bool ir_mapping_has_zero(const struct ir_op *mvm, int64_t bits);
static inline bool ir_mapping_has_patch(const struct ir_mapping *m)
{
    return m->patch[0] > 1 || m->patch[1] > 1;
}
static inline int64_t ir_mapping_pes(const struct ir_mapping *m)
{
    return m->n_pes;
}
/* Products that h x w output pixels take; of a copy: those of its part of the output. */
int64_t ir_mapping_products(const struct ir_mapping *m, int64_t h, int64_t w);
int64_t ir_mapping_slices(const struct ir_mapping *m, int64_t block);
/* Matrix rows of a slice. */
int64_t ir_mapping_slice_rows(const struct ir_mapping *m, int64_t block, int64_t slice);
/* Columns of the fullest PE. */
int64_t ir_mapping_most_columns(const struct ir_mapping *m);
struct ir_mapping_rows ir_mapping_rows_of(const struct ir_mapping *m, int64_t block, int64_t slice);
/* The next run of matrix rows [lo, hi), ascending and never adjacent; false if there is none. */
bool ir_mapping_next_run(struct ir_mapping_rows *rows, int64_t *lo, int64_t *hi);
/* Weights in the PE of a slice of a block, and in all PEs of a copy; a weight has a place for each
 * pixel of the patch. The other places of the matrix hold nothing, or what stands for 0. */
int64_t ir_mapping_weights(const struct ir_mapping *m, int64_t block, int64_t slice);
int64_t ir_mapping_all_weights(const struct ir_mapping *m);
/* Matrix columns [lo, hi) of a block; the block of a column. */
void ir_mapping_block(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi);
int64_t ir_mapping_block_of(const struct ir_mapping *m, int64_t column);
/* Output channels [lo, hi) that a block computes, of some pixel or other. */
void ir_mapping_channels(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi);
/* What matrix row `row` multiplies in the columns of conv group `group`. */
struct ir_mapping_tap ir_mapping_tap(const struct ir_mapping *m, int64_t group, int64_t row);
struct ir_mapping_pixel ir_mapping_pixel(const struct ir_mapping *m, int64_t column);
/* Bounds [lo, hi) of what slices [slice0, slice1) of a block multiply: rows and columns of
 * positions, channels of the operand. */
void ir_mapping_taps(const struct ir_mapping *m, int64_t block, int64_t slice0, int64_t slice1,
                     int64_t lo[3], int64_t hi[3]);

/* Copies share a layer's output: each axis is cut into `parts` ranges, and coordinate x of `extent`
 * is part floor(x * parts / extent)'s; coordinates are patches. */
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
