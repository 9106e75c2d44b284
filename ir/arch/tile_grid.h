/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * tile_grid.h - where tiles stand, and how many links lie between them. Scheduler, simulator and
 * reports ask here; machine and number of tiles are all it needs.
 */
#ifndef CIMC_TILE_GRID_H
#define CIMC_TILE_GRID_H

#include "arch.h"

/* Tile t stands at (t mod columns, t div columns) of the smallest square grid that holds all of the
 * machine's tiles, or of those used where their number is not fixed. */
struct tile_grid {
    bool ideal; /* one link between any two */
    uint32_t columns;
};
struct tile_grid tile_grid_of(const struct arch *arch, uint32_t n_tiles);
/* Links between two tiles: 0 in a tile; ideal: 1; mesh: distance in X plus distance in Y. */
uint32_t tile_grid_hops(const struct tile_grid *g, uint32_t from, uint32_t to);

/* A set of tiles, as far as the way to the farthest of them goes; {0}: none. */
struct tile_reach {
    uint32_t n, first;         /* tiles added; the first of them */
    bool several;              /* ... and another one */
    int64_t least[2], most[2]; /* on the grid: x + y, x - y */
};
void tile_reach_add(const struct tile_grid *g, struct tile_reach *r, uint32_t tile);
uint32_t tile_reach_hops(const struct tile_grid *g, uint32_t from, const struct tile_reach *r);

#endif
