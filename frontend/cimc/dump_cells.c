/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dump_cells.c - what the cells of crossbars are programmed to: files of DUMP.md, or text. */
#include "dump.h"

#include "crossbar_cells.h"

#include <inttypes.h>
#include <string.h>

static bool write_cells(const struct dump *dump, const char *what, uint32_t tile, uint32_t pe,
                        const char *head, const void *data, size_t n, struct diag *d)
{
    const char *name =
        arena_printf(dump->folder.arena, "tile_%04" PRIu32 "/%s_%03" PRIu32, tile, what, pe);
    return dump_words(dump, name, head, data, n, 1, d);
}

bool dump_cells(const struct dump *dump, uint32_t tile, const struct isa_group *g,
                const struct isa_pe *pe, struct diag *d)
{
    const struct isa_program *p = dump->program;
    const struct arch *m = &p->arch;
    struct arena *a = arena_new();
    struct crossbar x = crossbar_of(p, g, pe, a);
    size_t n = (size_t)x.rows * x.columns;
    const char *extent =
        arena_printf(a, "%" PRIu32 " crossbar rows of %" PRIu32 " columns", x.rows, x.columns);
    const char *levels = arena_printf(a, "%s: levels of %d bits", extent, (int)m->cell_bits);
    bool ok = write_cells(dump, "cells", tile, pe->pe, levels, x.level, n, d) &&
              write_cells(dump, "inverted", tile, pe->pe, "columns of the crossbar", x.inverted,
                          x.columns, d);
    if (ok && m->noise_seed) {
        const char *noisy =
            arena_printf(a, "%s: conductances in 1/%d of a level, noise seed %" PRId64, extent,
                         1 << m->cell_fraction_bits, m->noise_seed);
        ok = write_cells(dump, "conductances", tile, pe->pe, noisy, x.conductance, n, d);
    }
    arena_free(a);
    return ok;
}

/* ---- as text ---- */

static void print_matrix(const struct crossbar *x, const uint8_t *values, FILE *out)
{
    unsigned most = 0;
    size_t n = (size_t)x->rows * x->columns;
    for (size_t i = 0; i < n; i++)
        most = values[i] > most ? values[i] : most;
    int width = most > 99 ? 3 : most > 9 ? 2 : 1;
    struct text t = {0};
    for (uint32_t row = 0; row < x->rows; row++) {
        text_add(&t, "row %5" PRIu32 ":", row);
        for (uint32_t k = 0; k < x->columns; k++) {
            size_t at = (size_t)row * x->columns + k;
            if (x->held[at])
                text_add(&t, " %*u", width, values[at]);
            else
                text_add(&t, " %*s", width, ".");
        }
        text_add(&t, "\n");
        text_flush(&t, out);
    }
    text_free(&t);
}

/* The columns with a bit of `inverted`, under a name; nothing if there are none. */
static void print_inverted(const struct crossbar *x, unsigned bit, const char *name, FILE *out)
{
    bool any = false;
    for (uint32_t k = 0; k < x->columns; k++) {
        if (x->inverted[k] >> bit & 1) {
            fprintf(out, "%s%" PRIu32, any ? ", " : name, k);
            any = true;
        }
    }
    if (any)
        fprintf(out, "\n");
}

static void print_pe(const struct isa_program *p, uint32_t tile, const struct isa_group *g,
                     const struct isa_pe *pe, FILE *out)
{
    const struct arch *m = &p->arch;
    const struct isa_image *image = &p->images[g->image];
    struct arena *a = arena_new();
    struct crossbar x = crossbar_of(p, g, pe, a);
    struct weight_cells w = weight_cells_of(p, g->image);
    fprintf(out, "tile %" PRIu32 ", PE %" PRIu32 ": '", tile, pe->pe);
    print_plain(image->node < p->n_nodes ? p->nodes[image->node].name : "", out);
    fprintf(out, "', %" PRIu32 " x %" PRIu32 " cells of %u bits, a weight has %u x %u\n", x.rows,
            x.columns, w.rule.cell_bits, w.down, w.across);
    print_inverted(&x, 0, w.down > 1 ? "inverted, positive rows: " : "inverted: ", out);
    print_inverted(&x, 1, "inverted, negative rows: ", out);
    print_matrix(&x, x.level, out);
    if (m->noise_seed) {
        fprintf(out, "conductances in 1/%d of a level, noise seed %" PRId64 "\n",
                1 << m->cell_fraction_bits, m->noise_seed);
        print_matrix(&x, x.conductance, out);
    }
    arena_free(a);
}

bool dump_is_asked(const char *which, uint32_t tile, uint32_t pe)
{
    int64_t t, n;
    return strcmp(which, "all") == 0 ||
           (crossbar_parse_pair(which, '.', &t, &n) && t == tile && n == pe);
}

bool dump_find_cells(const struct isa_program *p, const char *which, uint32_t *out_tile,
                     const struct isa_group **out_group, const struct isa_pe **out_pe,
                     struct diag *d)
{
    struct loc nowhere = {0};
    int64_t tile, number;
    uint32_t group = 0;
    if (!crossbar_parse_pair(which, '.', &tile, &number))
        return diag_error(d, nowhere, DIAG_USAGE, "--cells: '%s' is not TILE.PE or all", which);
    if (tile >= p->n_tiles)
        return crossbar_out_of_range(d, "tile", tile, p->n_tiles);
    const struct isa_tile *t = &p->tiles[tile];
    *out_pe = crossbar_pe(t, (uint32_t)number, &group);
    if (!*out_pe)
        return diag_error(d, nowhere, DIAG_WHERE, "PE %lld of tile %lld holds nothing",
                          (long long)number, (long long)tile);
    *out_tile = (uint32_t)tile;
    *out_group = &t->groups[group];
    return crossbar_has_levels(p, *out_group) ||
           diag_error(d, nowhere, DIAG_WHERE,
                      "PE %lld of tile %lld holds floats, which have no levels: compile with "
                      "--mode int",
                      (long long)number, (long long)tile);
}

bool dump_print_cells(const struct isa_program *p, const char *which, FILE *out, struct diag *d)
{
    uint32_t tile;
    const struct isa_group *g;
    const struct isa_pe *pe;
    if (strcmp(which, "all") == 0)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--cells all: give the folder to write, -o DIR");
    if (!dump_find_cells(p, which, &tile, &g, &pe, d))
        return false;
    print_pe(p, tile, g, pe, out);
    return true;
}
