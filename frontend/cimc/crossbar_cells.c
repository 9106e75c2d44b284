/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* crossbar_cells.c - the cells of a crossbar; crossbar_cells.h has the terms. */
#include "crossbar_cells.h"

#include <stdlib.h>
#include <string.h>

bool crossbar_parse_pair(const char *text, char separator, int64_t *first, int64_t *second)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || text[digits] != separator)
        return false;
    const char *next = text + digits + 1;
    size_t more = strspn(next, "0123456789");
    if (more == 0 || more > 9 || next[more])
        return false;
    *first = strtoll(text, NULL, 10);
    *second = strtoll(next, NULL, 10);
    return true;
}

bool crossbar_out_of_range(struct diag *d, const char *what, int64_t number, int64_t n)
{
    if (n == 0)
        return diag_error(d, (struct loc){0}, DIAG_WHERE, "there is no %s %lld, there is none",
                          what, (long long)number);
    return diag_error(d, (struct loc){0}, DIAG_WHERE, "there is no %s %lld, they go from 0 to %lld",
                      what, (long long)number, (long long)n - 1);
}

bool crossbar_has_levels(const struct isa_program *p, const struct isa_group *g)
{
    return p->images[g->image].element == ELEMENT_i8;
}

struct weight_cells weight_cells_of(const struct isa_program *p, uint32_t image)
{
    const struct arch *a = &p->arch;
    struct weight_cells w = {.rule = cell_rule_of(a, p->images[image].weight_bits, image)};
    w.slices = cell_slices(&w.rule);
    w.parts = cell_parts(&w.rule);
    w.across = (unsigned)arch_weight_columns(a, p->images[image].weight_bits);
    w.down = w.slices * w.parts / w.across;
    return w;
}

/* Slices are neighbours in a row, the lowest first; the negative part is behind them or below. */
struct crossbar_cell weight_cell(const struct weight_cells *w, uint32_t row, uint32_t column,
                                 unsigned part, unsigned slice)
{
    bool below = w->down > 1;
    return (struct crossbar_cell){row * w->down + (below ? part : 0),
                                  column * w->across + (below ? 0 : part * w->slices) + slice};
}

const struct isa_pe *crossbar_pe(const struct isa_tile *t, uint32_t pe, uint32_t *out_group)
{
    for (uint32_t g = 0; g < t->n_groups; g++) {
        for (uint32_t i = 0; i < t->groups[g].n_pes; i++) {
            if (t->groups[g].pes[i].pe == pe && !t->groups[g].shares) {
                *out_group = g;
                return &t->groups[g].pes[i];
            }
        }
    }
    return NULL;
}

struct cell_column cell_column_of(const struct isa_program *p, const struct isa_group *g,
                                  const struct isa_pe *pe, uint32_t column, unsigned part,
                                  unsigned slice, struct arena *a)
{
    const struct isa_image *image = &p->images[g->image];
    const int8_t *weight = (const int8_t *)isa_image_data(p, g->image) + pe->n0 + column;
    struct weight_cells w = weight_cells_of(p, g->image);
    struct isa_mapping m = isa_mapping_of(p, g);
    struct cell_column c = {.n = pe->k, .level = ARENA_ARRAY(a, uint8_t, pe->k)};
    if (!isa_mapping_crossbar_row(&m, pe, pe->k0, pe->n0 + column, &c.row))
        BUG("PE %u does not hold its first row", pe->pe);
    uint64_t at = 0, sum = 0;
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++) {
        struct isa_run run = isa_pe_run(pe, i);
        for (uint32_t row = run.row; row < run.row + run.rows; row++, at++) {
            c.level[at] = (uint8_t)cell_level(&w.rule, part, slice, weight[(size_t)row * image->n]);
            sum += c.level[at];
        }
    }
    c.inverted = cell_column_flips(&w.rule, sum, c.n);
    for (uint32_t i = 0; c.inverted && i < c.n; i++)
        c.level[i] = (uint8_t)((1u << w.rule.cell_bits) - 1 - c.level[i]);
    return c;
}

/* Puts a column's cells in their places. */
static void place_column(const struct isa_pe *pe, const struct weight_cells *w,
                         const struct cell_column *c, uint32_t column, unsigned part,
                         unsigned slice, struct crossbar *out)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++) {
        struct isa_run run = isa_pe_run(pe, i);
        for (uint32_t row = run.row; row < run.row + run.rows; row++, at++) {
            struct crossbar_cell cell = weight_cell(w, c->row + at, column, part, slice);
            size_t k = (size_t)cell.row * out->columns + cell.column;
            out->held[k] = true;
            out->level[k] = c->level[at];
            out->conductance[k] = (uint8_t)cell_conductance(&w->rule, part, slice, row,
                                                            pe->n0 + column, c->level[at]);
            out->inverted[cell.column] |= (uint8_t)(c->inverted << (w->down > 1 ? part : 0));
        }
    }
}

struct crossbar crossbar_of(const struct isa_program *p, const struct isa_group *g,
                            const struct isa_pe *pe, struct arena *a)
{
    struct weight_cells w = weight_cells_of(p, g->image);
    struct isa_mapping m = isa_mapping_of(p, g);
    struct crossbar out = {.rows = isa_mapping_rows(&m, pe) * w.down, .columns = pe->n * w.across};
    size_t n = (size_t)out.rows * out.columns;
    out.level = ARENA_ARRAY(a, uint8_t, n);
    out.conductance = ARENA_ARRAY(a, uint8_t, n);
    out.held = ARENA_ARRAY(a, bool, n);
    out.inverted = ARENA_ARRAY(a, uint8_t, out.columns);
    struct arena *scratch = arena_new();
    for (uint32_t column = 0; column < pe->n; column++)
        for (unsigned part = 0; part < w.parts; part++)
            for (unsigned slice = 0; slice < w.slices; slice++) {
                struct cell_column c = cell_column_of(p, g, pe, column, part, slice, scratch);
                place_column(pe, &w, &c, column, part, slice, &out);
            }
    arena_free(scratch);
    return out;
}
