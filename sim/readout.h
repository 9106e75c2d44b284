/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * readout.h - products as crossbars with converters, or with noisy cells, give them: ISA.md 5.2.
 *
 * An *array* is what a PE holds of a strip: what is converted apart. A *line* is a column of its
 * cells: of a part (P or N), a slice and an image column. The sum that a strip's exact product
 * makes differs from what is read by the sum over lines and phases of (read(a) - a) * 2^(c*j +
 * d*f), and where a column cannot be driven beyond the converter's range there is no difference. So
 * planes (phases x lines) are multiplied only where that is possible: for lines whose cells are
 * large enough, for inputs whose phase is full enough. With noise there is no exact product to
 * start from: all planes are multiplied, from 0.
 */
#ifndef CIMC_READOUT_H
#define CIMC_READOUT_H

#include "base/map.h"
#include "arch.h"
#include "cell_rule.h"
#include "isa.h"

enum { READ_MOST_SLICES = 8 };

/* How the columns of a group are read. */
struct reading {
    struct cell_rule rule;
    unsigned slices, phases, dac_bits;
    unsigned drop[READ_MOST_SLICES];  /* bits that a code leaves out, of each slice */
    bool is_signed, noisy, collapses; /* collapses: codes within the range are the sums */
    uint32_t input_most, cell_most;   /* x_f; a cell's conductance */
    uint32_t code_most;
};
/* Adjacent lines of adjacent columns. */
struct read_run {
    uint32_t line, column, n; /* column: from the strip's first */
    unsigned part, slice;
};
/* Of an array: the lines that may differ from the exact sum, by slice, part and column. */
struct read_lines {
    uint32_t n, n_runs, k, most;          /* most: the largest cell */
    uint32_t first[READ_MOST_SLICES + 1]; /* of each slice */
    struct read_run *runs;
    int32_t *scale;  /* what a unit read from a line counts in its column's sum */
    uint8_t *invert; /* largest level where the column is stored inverted, else 0 */
    int32_t *center; /* with noise, of each column of the strip: what the sum of inputs counts */
    int8_t *cells;   /* k x read_columns, or NULL: made when they are used */
};

/* Of a run. */
struct read_state {
    struct map lines_of; /* by image, columns and rows: index into lines */
    VEC(struct read_lines *) lines;
    uint64_t room;   /* bytes of cells that may still be kept */
    int8_t *passing; /* cells that are not */
    struct read_row *rows;
    uint8_t *planes;
    uint32_t *sums;
    size_t passing_bytes, rows_bytes, planes_bytes, sums_bytes;
};

struct sim;
struct mvm_plan;
struct mvm_strip;
struct mvm_block;
struct mvm_factor;

/* An array's part of an image. */
struct read_holding {
    uint32_t image, x_bits;
    const struct reading *r;
    const int8_t *weights; /* of the strip's first column in row 0 */
    size_t pitch;
    uint32_t n0, n, n_blocks;
    const struct mvm_block *blocks;
    const int32_t *center; /* of the strip's first column, or NULL */
};

/* False: products of the group are exact. `every_plane`: no use is made of what cannot saturate. */
bool reading_of(const struct isa_program *p, const struct isa_group *g, bool every_plane,
                struct reading *out);
/* Its lines; found once for all copies. */
struct read_lines *read_lines_of(struct sim *s, const struct read_holding *h);
/* Their cells, less read_bias; valid until the next call. */
const int8_t *read_cells_of(struct sim *s, const struct read_holding *h, struct read_lines *l);
/* out (pixels x columns of the strip): the exact sums, or with noise 0, become what is read. */
void read_out(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
              const struct mvm_strip *strip, const struct mvm_factor *in, int64_t pixels,
              uint32_t *out, int64_t pitch);
void read_release(struct sim *s);

/* What is cut into slices: P or N of each weight. */
static inline __attribute__((always_inline)) void read_part(const struct cell_rule *r,
                                                            unsigned part, const int8_t *w,
                                                            uint32_t n, uint8_t *restrict out)
{
    const unsigned half = 1u << (r->weight_bits - 1);
    if (r->encoding == ARCH_OFFSET)
        for (uint32_t i = 0; i < n; i++)
            out[i] = (uint8_t)(w[i] + half);
    else if (part == 0)
        for (uint32_t i = 0; i < n; i++)
            out[i] = w[i] > 0 ? (uint8_t)w[i] : 0;
    else
        for (uint32_t i = 0; i < n; i++)
            out[i] = w[i] < 0 ? (uint8_t)-w[i] : 0;
}

/* Do differences of two cells not fit i8? Then both are multiplied. (Of ideal cells one is empty.)
 */
static inline bool read_is_wide(const struct reading *r)
{
    return r->is_signed && r->noisy && r->cell_most > INT8_MAX;
}
/* What is taken off cells that do not fit i8. */
static inline uint32_t read_bias(const struct reading *r)
{
    return r->cell_most > INT8_MAX && (!r->is_signed || r->noisy) ? 128 : 0;
}
/* Columns of an array's cells. */
static inline size_t read_columns(const struct reading *r, const struct read_lines *l)
{
    return (size_t)l->n << read_is_wide(r);
}

#endif
