/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * read_cells.c - what the cells of lines conduct.
 *
 * In: the lines of an array, its weights. Out: a matrix of cells, row by row. Cells of an image
 * with slices are several times its bytes: some are kept, the others are made again when they are
 * used.
 */
#include "sim_internal.h"

#include "base/clones.h"

#include <stdlib.h>

enum { RUN_COLUMNS = 256 };

/* The levels of a slice of a row, P less N where the two are read as one. */
CLONES static void ideal_cells(const struct reading *r, const struct read_run *run, const int8_t *w,
                               uint32_t n, const uint8_t *invert, int8_t *to)
{
    const unsigned low = r->rule.cell_bits * run->slice, top = (1u << r->rule.cell_bits) - 1;
    const unsigned bias = read_bias(r);
    uint8_t one[RUN_COLUMNS], other[RUN_COLUMNS] = {0};
    read_part(&r->rule, run->part, w, n, one);
    if (r->is_signed)
        read_part(&r->rule, 1, w, n, other);
    for (uint32_t i = 0; i < n; i++)
        to[i] = (int8_t)(((one[i] >> low & top) ^ invert[i]) - (other[i] >> low & top) - bias);
}

CLONES static void levels_of(const struct reading *r, unsigned part, unsigned slice,
                             const int8_t *w, uint32_t n, const uint8_t *invert,
                             uint8_t *restrict to)
{
    const unsigned low = r->rule.cell_bits * slice, top = (1u << r->rule.cell_bits) - 1;
    read_part(&r->rule, part, w, n, to);
    for (uint32_t i = 0; i < n; i++)
        to[i] = (uint8_t)((to[i] >> low & top) ^ invert[i]);
}

static void conductances(const struct reading *r, unsigned part, unsigned slice, uint32_t row,
                         uint32_t column, const int8_t *w, uint32_t n, const uint8_t *invert,
                         uint8_t *to)
{
    uint8_t levels[RUN_COLUMNS];
    levels_of(r, part, slice, w, n, invert, levels);
    cell_conductances(&r->rule, part, slice, row, column, n, levels, to);
}

/* column: of the first weight in the image; others: where N stays apart from P */
static void noisy_cells(const struct reading *r, const struct read_run *run, uint32_t row,
                        uint32_t column, const int8_t *w, uint32_t n, const uint8_t *invert,
                        int8_t *to, int8_t *others)
{
    const unsigned bias = read_bias(r);
    const bool wide = read_is_wide(r);
    uint8_t one[RUN_COLUMNS], other[RUN_COLUMNS] = {0};
    conductances(r, run->part, run->slice, row, column, w, n, invert, one);
    if (r->is_signed)
        conductances(r, 1, run->slice, row, column, w, n, invert, other);
    for (uint32_t i = 0; i < n; i++)
        to[i] = (int8_t)(one[i] - bias - (wide ? 0 : other[i]));
    for (uint32_t i = 0; wide && i < n; i++)
        others[i] = (int8_t)(other[i] - bias);
}

static void row_cells(const struct read_holding *h, const struct read_lines *l, uint32_t row,
                      int8_t *to)
{
    const int8_t *weights = h->weights + row * h->pitch;
    for (uint32_t i = 0; i < l->n_runs; i++) {
        struct read_run run = l->runs[i];
        for (uint32_t at = 0; at < run.n; at += RUN_COLUMNS) {
            const uint32_t n = run.n - at < RUN_COLUMNS ? run.n - at : RUN_COLUMNS;
            const uint32_t column = run.column + at, line = run.line + at;
            if (h->r->noisy)
                noisy_cells(h->r, &run, row, h->n0 + column, weights + column, n, l->invert + line,
                            to + line, to + l->n + line);
            else
                ideal_cells(h->r, &run, weights + column, n, l->invert + line, to + line);
        }
    }
}

/* Memory that stays if there is still room for it, else that of the cells before. */
static int8_t *new_cells(struct sim *s, struct read_lines *l, size_t bytes)
{
    if (bytes <= s->read.room) {
        s->read.room -= bytes;
        return l->cells = heap_alloc(bytes);
    }
    if (bytes > s->read.passing_bytes) {
        heap_free(s->read.passing);
        s->read.passing = heap_alloc(s->read.passing_bytes = bytes);
    }
    return s->read.passing;
}

const int8_t *read_cells_of(struct sim *s, const struct read_holding *h, struct read_lines *l)
{
    if (l->cells)
        return l->cells;
    const size_t columns = read_columns(h->r, l);
    int8_t *cells = new_cells(s, l, l->k * columns), *to = cells;
    for (uint32_t b = 0; b < h->n_blocks; b++)
        for (uint32_t k = 0; k < h->blocks[b].k; k++, to += columns)
            row_cells(h, l, h->blocks[b].row + k, to);
    return cells;
}
