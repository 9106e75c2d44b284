/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * where.h - which weight sits in which cell: found in a program's tables, reported by
 * where_print.c.
 *
 * A layer is what MVM instructions of one node do with one image and geometry; layers are numbered
 * in graph order, as in compile's table. Rows and columns are those of the kernel's matrix; where a
 * product makes a patch of pixels, a weight sits in a cell for each of them.
 */
#ifndef CIMC_WHERE_H
#define CIMC_WHERE_H

#include "crossbar_cells.h"

struct where_layer {
    uint32_t node, image;
    const struct isa_group *group; /* one of its groups: for its geometry */
};
/* One copy's cells, for a pixel of the patch: in a logical row and column of a PE. */
struct where_place {
    uint32_t tile, group, row, logical, pixel[2];
    const struct isa_pe *pe;
};
struct where {
    const struct isa_program *program;
    struct arena *arena;
    struct where_layer *layers;
    size_t n_layers;
    /* of the weight that was asked for */
    const struct where_layer *layer;
    struct isa_weight weight;
    VEC(struct where_place) places;
};
void where_open(struct where *w, const struct isa_program *p);
void where_free(struct where *w);
/* The layer of that name or number, else the only one whose name begins with it (a '/' in front
 * left out), else the only one with it anywhere; NULL with a diagnostic that names near ones. */
const struct where_layer *where_layer(const struct where *w, const char *name,
                                      struct diag *d) CHECK_RESULT;
const char *where_layer_name(const struct where *w, const struct where_layer *l);
/* Fills `places` with the cells of a weight: every copy, by tile and PE. */
void where_find(struct where *w, const struct where_layer *layer, struct isa_weight weight);
/* The weight in a cell: layer, weight, and its places. False if the cell holds nothing, with a
 * diagnostic. `column` is a column of the crossbar. */
bool where_cell(struct where *w, uint32_t tile, uint32_t pe, uint32_t row, uint32_t column,
                struct diag *d) CHECK_RESULT;
/* Other layers with the same weights. */
bool where_shares(const struct where *w, const struct where_layer *l);

/* ---- where_print.c ---- */

/* The cell that was asked for, or none. */
struct where_asked {
    bool is_given;
    uint32_t tile, pe, row, column;
};
void where_print_text(const struct where *w, const struct where_asked *asked, FILE *out);
void where_print_json(const struct where *w, const struct where_asked *asked, const char *program,
                      FILE *out);

#endif
