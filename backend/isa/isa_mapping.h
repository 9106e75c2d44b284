/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_mapping.h - what a group's crossbars multiply (ISA.md 5): from image rows and columns to
 * positions of the window, kernel taps, channels, pixels of the patch and crossbar rows. The one
 * answer for whoever reads a program: validation, simulator, `where`, `dump`. The tables must be
 * valid.
 */
#ifndef CIMC_ISA_MAPPING_H
#define CIMC_ISA_MAPPING_H

#include "isa.h"

/* Along an axis: pixels `period` apart can read the same positions of the window, those that are a
 * multiple of `common`; inverse * stride = common, modulo the dilation. */
struct isa_readers {
    uint32_t common, period, inverse;
};
/* Of one conv group: rows and columns of the image, columns of one pixel, input channels. */
struct isa_mapping {
    const struct isa_group *group;
    uint32_t k, columns, pixel_columns, channels;
    struct isa_readers readers[2];
    uint32_t patch[2], window_width; /* pixels of a product; positions in a row of the window */
    uint32_t step[2];                /* source pixels from one position to the next */
};
struct isa_span {
    uint32_t from, to; /* [from, to) */
};
/* Source pixels from the first that the patch's window covers; channel of the operand. */
struct isa_position {
    uint32_t row, column, channel;
};
/* Kernel row and column, channel of the operand. */
struct isa_tap {
    uint32_t row, column, channel;
};
/* A weight by its place in the kernel's matrix, whatever the patch: row (kernel row * kernel_w +
 * kernel column) * channels + channel in its conv group, column = output channel. */
struct isa_weight {
    uint32_t row, column;
};
/* A pixel of the patch, and a channel of the result. */
struct isa_pixel {
    uint32_t row, column, channel;
};
/* Image rows one after the other: `positions` adjacent ones of a row of the window from `at` on, of
 * which some pixel reads each or none does, `n` adjacent channels each. */
struct isa_segment {
    struct isa_position at;
    uint32_t positions, n;
};

struct isa_mapping isa_mapping_of(const struct isa_program *p, const struct isa_group *g);
/* The conv group of an image column; those of a PE's columns. */
uint32_t isa_mapping_group(const struct isa_mapping *m, uint32_t column);
struct isa_span isa_mapping_groups(const struct isa_mapping *m, const struct isa_pe *pe);
/* What an image row multiplies in the columns of a conv group; what an image column computes. */
struct isa_position isa_mapping_position(const struct isa_mapping *m, uint32_t group, uint32_t row);
struct isa_pixel isa_mapping_pixel(const struct isa_mapping *m, uint32_t column);
/* The weight that an image row and column hold; false: that column's pixel does not read the row,
 * and what is there stands for 0. */
bool isa_mapping_weight(const struct isa_mapping *m, uint32_t row, uint32_t column,
                        struct isa_weight *out);
/* The image row and column that hold a weight for a pixel of the patch. */
void isa_mapping_cell(const struct isa_mapping *m, struct isa_weight weight, uint32_t pixel_row,
                      uint32_t pixel_column, uint32_t *out_row, uint32_t *out_column);
struct isa_tap isa_mapping_tap(const struct isa_mapping *m, struct isa_weight weight);
/* How many weights a PE holds: of each of its columns the rows that its pixel reads. */
uint64_t isa_mapping_held(const struct isa_mapping *m, const struct isa_pe *pe);
/* Rows and columns of the kernel's matrix. */
struct isa_weight isa_mapping_weights(const struct isa_mapping *m);
/* The first row (axis 0) or column of the patch's pixels that reads a row, or column, of the
 * window: patch[axis] if none does. */
uint32_t isa_mapping_reader(const struct isa_mapping *m, unsigned axis, uint32_t position);
/* The longest segment that starts at `row` and ends before `end`: whole positions of a row of the
 * window together, a part of one alone. */
struct isa_segment isa_mapping_segment(const struct isa_mapping *m, uint32_t group, uint32_t row,
                                       uint32_t end);
/* Crossbar rows that a PE uses: its conv groups lie block by block along the diagonal. */
uint32_t isa_mapping_rows(const struct isa_mapping *m, const struct isa_pe *pe);
/* Crossbar row of the image row `row` in image column `column`, which must be the PE's; false if
 * the row is not. */
bool isa_mapping_crossbar_row(const struct isa_mapping *m, const struct isa_pe *pe, uint32_t row,
                              uint32_t column, uint32_t *out);
/* The image row that a crossbar row holds in an image column of the PE; false if none. */
bool isa_mapping_image_row(const struct isa_mapping *m, const struct isa_pe *pe,
                           uint32_t crossbar_row, uint32_t column, uint32_t *out);

#endif
