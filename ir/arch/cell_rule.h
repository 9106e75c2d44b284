/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cell_rule.h - what the cells of a crossbar hold of a weight: levels, as programmed, and
 * conductances, as read, noise included. ISA.md 5.2 has the rules.
 */
#ifndef CIMC_CELL_RULE_H
#define CIMC_CELL_RULE_H

#include "base/base.h"

struct arch;

/* How the weights of one object become cells. */
struct cell_rule {
    int encoding; /* enum arch_encoding */
    unsigned weight_bits, cell_bits, fraction_bits;
    bool flip; /* columns with large cells are stored inverted */
    /* Noise: deviations in 1/1000 of the largest level, stuck cells in a million, loss in 1/1000;
     * seed 0 = none of it. */
    unsigned sigma_low, sigma_high, stuck_low, stuck_high, drift;
    uint64_t seed;
    uint32_t object; /* number of the image in the program */
};
/* weight_bits 0: the machine's */
struct cell_rule cell_rule_of(const struct arch *arch, int64_t weight_bits, uint32_t object);
unsigned cell_slices(const struct cell_rule *r); /* that a weight has, the lowest bits first */
unsigned cell_parts(const struct cell_rule *r);  /* 1, or 2: positive and negative */
/* What the slice of a weight's part is, 0 .. 2^cell_bits - 1; the weight has weight_bits bits. */
unsigned cell_level(const struct cell_rule *r, unsigned part, unsigned slice, int weight);
/* Is a column stored inverted whose `rows` cells would have levels of this sum? */
bool cell_column_flips(const struct cell_rule *r, uint64_t levels, uint64_t rows);
/* What the cell at a row and column of the image conducts where `level` was programmed, in units of
 * 2^-fraction_bits of a level. */
unsigned cell_conductance(const struct cell_rule *r, unsigned part, unsigned slice, uint64_t row,
                          uint64_t column, unsigned level);
/* The same of n cells from there on in the row; a conductance is less than 2^8. */
void cell_conductances(const struct cell_rule *r, unsigned part, unsigned slice, uint64_t row,
                       uint64_t column, uint32_t n, const uint8_t *levels, uint8_t *to);

#endif
