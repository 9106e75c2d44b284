/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* tile_grid.c - links between tiles. */
#include "tile_grid.h"

#include <math.h>

struct tile_grid tile_grid_of(const struct arch *arch, uint32_t n_tiles)
{
    uint32_t tiles = arch->tiles > 0 ? (uint32_t)arch->tiles : n_tiles;
    return (struct tile_grid){.ideal = arch->topology == ARCH_IDEAL,
                              .columns = tiles > 1 /* exact below 2^52 */
                                             ? (uint32_t)ceil(sqrt((double)tiles))
                                             : 1};
}

uint32_t tile_grid_hops(const struct tile_grid *g, uint32_t from, uint32_t to)
{
    if (g->ideal)
        return from != to;
    int64_t dx = (int64_t)(from % g->columns) - to % g->columns;
    int64_t dy = (int64_t)(from / g->columns) - to / g->columns;
    return (uint32_t)((dx < 0 ? -dx : dx) + (dy < 0 ? -dy : dy));
}

/* On a grid the distance to a point is the greater of the distances in x + y and in x - y. */
static void diagonals(const struct tile_grid *g, uint32_t tile, int64_t out[2])
{
    int64_t x = tile % g->columns, y = tile / g->columns;
    out[0] = x + y;
    out[1] = x - y;
}

void tile_reach_add(const struct tile_grid *g, struct tile_reach *r, uint32_t tile)
{
    int64_t at[2];
    diagonals(g, tile, at);
    if (r->n++ == 0)
        r->first = tile;
    r->several |= tile != r->first;
    for (int i = 0; i < 2; i++) {
        r->least[i] = r->n == 1 ? at[i] : min_i64(r->least[i], at[i]);
        r->most[i] = r->n == 1 ? at[i] : max_i64(r->most[i], at[i]);
    }
}

uint32_t tile_reach_hops(const struct tile_grid *g, uint32_t from, const struct tile_reach *r)
{
    int64_t at[2], most = 0;
    if (r->n == 0)
        return 0;
    if (g->ideal)
        return r->several || r->first != from;
    diagonals(g, from, at);
    for (int i = 0; i < 2; i++)
        most = max_i64(most, max_i64(at[i] - r->least[i], r->most[i] - at[i]));
    return (uint32_t)most;
}
