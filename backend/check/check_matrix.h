/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_matrix.h - the matrix that a base layer multiplies with: what its rows read, what its
 * columns compute, and which of its weights a sum has in it (ISA.md 5).
 */
#ifndef CIMC_CHECK_MATRIX_H
#define CIMC_CHECK_MATRIX_H

#include "ir.h"
#include "isa.h"

struct check;

/*
 * One product yields a patch of pixels, which read a window together. Of each conv group the matrix
 * has a row for each position of the window and each channel, ((y * window[1]) + x) * channels + c,
 * and a column for each pixel of the patch and each output channel, (py * patch[1] + px) * columns
 * + n. Pixel (py, px) reads positions p * stride + t * step of its taps t, and no others. Where a
 * patch is one pixel, only taps are positions: step is 1, whatever the dilation.
 */
struct matrix {
    int64_t patch[2], kernel[2], stride[2], step[2], window[2];
    int64_t groups, channels, columns; /* conv groups; of one: channels in and out */
};
struct matrix check_matrix_of_op(const struct ir_op *mvm);
struct matrix check_matrix_of_group(const struct isa_program *p, const struct isa_group *g);
/* Which positions of an axis the first `n` pixels of a patch read. */
void check_matrix_positions(const struct matrix *m, unsigned axis, int64_t n, bool *reads);
static inline int64_t check_matrix_pixels(const struct matrix *m)
{
    return m->patch[0] * m->patch[1];
}

/* check_image.c */
/* Does the image hold the weights and centers of the mvm, and zeros where no pixel reads? */
bool check_image(struct check *k, uint32_t image, const struct ir_op *mvm);

/* check_part.c: parts of a matrix, as numbers: equal ones have the same. */
struct part_piece {
    uint32_t n0, n1, k0, k1; /* columns [n0, n1), rows [k0, k1) */
};
struct part {
    uint32_t n;
    struct part_piece *at; /* ascending, no two touch in their rows */
};
/* CHECK_NONE if a weight is in two pieces, or their columns overlap and are not the same. */
uint32_t check_part(struct check *k, struct part_piece *pieces, uint32_t n);
uint32_t check_part_whole(struct check *k, const struct ir_op *mvm);
uint32_t check_part_join(struct check *k, uint32_t a, uint32_t b);
/* Does it hold all that pixels read, in the columns of channels [from, from + n)? */
bool check_part_complete(const struct check *k, uint32_t part, const struct ir_op *mvm,
                         int64_t from, int64_t n);
void check_part_text(const struct check *k, uint32_t part, char *buf, size_t n);

#endif
