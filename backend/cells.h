/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cells.h - the cells that every stored value is cut into, the least units of scheduling, and the
 * tile that finishes each. sets.c cuts, home.c finds homes.
 */
#ifndef CIMC_CELLS_H
#define CIMC_CELLS_H

#include "backend.h"
#include "placement.h"

/* Sorted cut points of one axis: cell i = [at[i], at[i+1]); cell_of[coordinate] = i. */
struct grid {
    uint32_t n; /* cells */
    int32_t *at;
    uint32_t *cell_of;
};
/* Of one node: cell (y, x, z) is number (y * columns + x) * channels + z. */
struct node_cells {
    struct grid grid[3];
    uint32_t n;
    uint32_t *home;  /* tile of each cell; NULL where the value is there from the start */
    uint32_t *block; /* mvm: N block of each channel cell, the first where several were joined */
};
/* The sets of a copy: the rectangle of cells that it owns. */
struct copy_sets {
    uint32_t n, rows, columns; /* cells */
    uint32_t iy0, ix0;         /* first cell */
};
struct cells {
    struct set_shape set;                /* of the base layers, also where it was chosen here */
    const struct node_cells *of;         /* node -> its cells */
    const struct copy_sets *const *sets; /* layer, copy */
};

static inline uint32_t cell_number(const struct node_cells *c, uint32_t iy, uint32_t ix,
                                   uint32_t iz)
{
    return (iy * c->grid[AXIS_W].n + ix) * c->grid[AXIS_C].n + iz;
}
/* Places in the grids of a cell. */
void cell_place(const struct node_cells *c, uint32_t cell, uint32_t at[3]);
struct box cell_box(const struct node_cells *c, uint32_t cell);

#endif
