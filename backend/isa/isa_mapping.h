/*
 * isa_mapping.h - what a group's crossbars multiply (ISA.md 5): from image rows and columns to
 * kernel taps, channels and crossbar rows. The one answer for whoever reads a program: validation,
 * simulator, `where`, `dump`. The tables must be valid.
 */
#ifndef CIMC_ISA_MAPPING_H
#define CIMC_ISA_MAPPING_H

#include "isa.h"

/* Of one conv group: rows and columns of the image, input channels. */
struct isa_mapping {
    uint32_t k, columns, channels, kernel_width;
};
struct isa_span {
    uint32_t from, to; /* [from, to) */
};
struct isa_tap { /* kernel row and column, channel of the operand */
    uint32_t row, column, channel;
};
/* Image rows one after the other: `taps` adjacent columns of a kernel row from `tap` on, `n`
 * adjacent channels each. */
struct isa_segment {
    struct isa_tap tap;
    uint32_t taps, n;
};

struct isa_mapping isa_mapping_of(const struct isa_program *p, const struct isa_group *g);
/* The conv group of an image column; those of a PE's columns. */
uint32_t isa_mapping_group(const struct isa_mapping *m, uint32_t column);
struct isa_span isa_mapping_groups(const struct isa_mapping *m, const struct isa_pe *pe);
/* What an image row multiplies in the columns of a conv group. */
struct isa_tap isa_mapping_tap(const struct isa_mapping *m, uint32_t group, uint32_t row);
/* The longest segment that starts at `row` and ends before `end`: whole taps of a kernel row
 * together, a part of one alone. */
struct isa_segment isa_mapping_segment(const struct isa_mapping *m, uint32_t group, uint32_t row,
                                       uint32_t end);
/* Crossbar rows that a PE uses: its conv groups lie block by block along the diagonal. */
uint32_t isa_mapping_rows(const struct isa_mapping *m, const struct isa_pe *pe);
/* Crossbar row of the image row `row` in image column `column`; both must be the PE's. */
uint32_t isa_mapping_crossbar_row(const struct isa_mapping *m, const struct isa_pe *pe,
                                  uint32_t row, uint32_t column);
/* The image row that a crossbar row holds in an image column of the PE; false if none. */
bool isa_mapping_image_row(const struct isa_mapping *m, const struct isa_pe *pe,
                           uint32_t crossbar_row, uint32_t column, uint32_t *out);

#endif
