/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * crossbar_cells.h - the cells of a crossbar: which of them a weight takes, and what is programmed
 * there (ARCH.md). Rows and columns are the crossbar's own, also where a weight takes several.
 */
#ifndef CIMC_CROSSBAR_CELLS_H
#define CIMC_CROSSBAR_CELLS_H

#include "cell_rule.h"
#include "isa_mapping.h"

/* The cells of the weights of an image. */
struct weight_cells {
    struct cell_rule rule;
    unsigned slices, parts;
    unsigned across, down; /* columns and rows that a weight takes */
};
struct crossbar_cell {
    uint32_t row, column;
};
struct weight_cells weight_cells_of(const struct isa_program *p, uint32_t image);
/* The cell of a weight in a logical row and column of a PE (ISA.md 5). */
struct crossbar_cell weight_cell(const struct weight_cells *w, uint32_t row, uint32_t column,
                                 unsigned part, unsigned slice);

/* Two numbers with a separator between them, and nothing else; each of at most 9 digits. */
bool crossbar_parse_pair(const char *text, char separator, int64_t *first, int64_t *second);
/* An error: of n things there is none of that number. */
bool crossbar_out_of_range(struct diag *d, const char *what, int64_t number, int64_t n);
/* Do the group's weights have levels? Floats have none. */
bool crossbar_has_levels(const struct isa_program *p, const struct isa_group *g);
/* What a PE holds, and its group's number; NULL: nothing. */
const struct isa_pe *crossbar_pe(const struct isa_tile *t, uint32_t pe, uint32_t *out_group);

/* A slice of one part of a logical column of integers: what its rows' cells are programmed to. */
struct cell_column {
    uint32_t row, n; /* the first logical row, and how many there are */
    uint8_t *level;
    bool inverted; /* the levels are largest - level of the weight */
};
struct cell_column cell_column_of(const struct isa_program *p, const struct isa_group *g,
                                  const struct isa_pe *pe, uint32_t column, unsigned part,
                                  unsigned slice, struct arena *a);

/* All cells that a PE with integers uses, row by row. */
struct crossbar {
    uint32_t rows, columns;
    uint8_t *level, *conductance; /* conductance: of the machine's noise, in 2^-fraction_bits */
    bool *held;                   /* is it a weight's? */
    uint8_t *inverted;            /* [columns]: bit 0; bit 1: the cells of negative parts in rows */
};
struct crossbar crossbar_of(const struct isa_program *p, const struct isa_group *g,
                            const struct isa_pe *pe, struct arena *a);

#endif
