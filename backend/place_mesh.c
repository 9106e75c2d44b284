/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * place_mesh.c - which tile stands where on a mesh.
 *
 * In: a trial plan with its tasks, tiles numbered in layer order. Out: a new number (position, row
 * by row) for each tile, so that the sum of bytes x hops over all messages is small. The bytes are
 * exact: they are those of the tasks' messages, and do not depend on the numbers. What has no place
 * of its own runs on tile 0, so tile 0 stays.
 *
 * Two starts, the given order and a serpentine (neighbours in layer order are neighbours on the
 * grid); each is improved by exchanging two tiles as long as that helps, in a fixed order, in at
 * most MAX_ROUNDS rounds. A tile only tries places at and beside its heaviest partners. The better
 * result is taken, so it is never worse than the given order. O(rounds x tiles x partners).
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ROUNDS = 16, MAX_PARTNERS = 12 };

struct partner {
    uint32_t tile;
    uint64_t bytes;
};
struct grid_map {
    uint32_t n;
    struct tile_grid grid;
    uint32_t *start; /* partners of tile t: [start[t], start[t+1]), heaviest first */
    struct partner *partner;
    uint32_t *at, *tile; /* position of each tile, tile at each position */
};

static int heavier(const void *a, const void *b)
{
    const struct partner *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return (x->tile > y->tile) - (x->tile < y->tile);
}

static void list_partners(struct grid_map *m, const struct plan *p)
{
    struct arena *a = p->arena;
    uint32_t n_ways;
    const struct traffic_report *way = plan_traffic(p, a, &n_ways);
    m->start = ARENA_ARRAY(a, uint32_t, (size_t)m->n + 2);
    for (uint32_t i = 0; i < n_ways; i++) {
        m->start[way[i].from + 2]++;
        m->start[way[i].to + 2]++;
    }
    for (uint32_t t = 0; t < m->n; t++)
        m->start[t + 2] += m->start[t + 1];
    m->partner = ARENA_ARRAY(a, struct partner, (size_t)n_ways * 2);
    for (uint32_t i = 0; i < n_ways; i++) {
        m->partner[m->start[way[i].from + 1]++] = (struct partner){way[i].to, way[i].bytes};
        m->partner[m->start[way[i].to + 1]++] = (struct partner){way[i].from, way[i].bytes};
    }
    for (uint32_t t = 0; t < m->n; t++)
        if (m->start[t + 1] - m->start[t] > 1)
            qsort(m->partner + m->start[t], m->start[t + 1] - m->start[t], sizeof *m->partner,
                  heavier);
}

/* Bytes x hops of all that tile t exchanges, if it stood at `position` and `other` at t's. */
static uint64_t carried(const struct grid_map *m, uint32_t t, uint32_t position, uint32_t other)
{
    uint64_t sum = 0;
    for (uint32_t i = m->start[t]; i < m->start[t + 1]; i++) {
        uint32_t u = m->partner[i].tile;
        uint32_t there = u == other ? m->at[t] : m->at[u];
        sum += m->partner[i].bytes * tile_grid_hops(&m->grid, position, there);
    }
    return sum;
}

static uint64_t total(const struct grid_map *m)
{
    uint64_t sum = 0;
    for (uint32_t t = 0; t < m->n; t++)
        sum += carried(m, t, m->at[t], NONE);
    return sum / 2;
}

/* Exchanges tile t with the one at `position` if that helps. */
static bool try_swap(struct grid_map *m, uint32_t t, uint32_t position)
{
    uint32_t from = m->at[t], other = m->tile[position];
    if (other == 0 || other == t)
        return false;
    uint64_t before = carried(m, t, from, NONE) + carried(m, other, position, NONE);
    uint64_t after = carried(m, t, position, other) + carried(m, other, from, t);
    if (after >= before)
        return false;
    m->at[t] = position;
    m->tile[position] = t;
    m->at[other] = from;
    m->tile[from] = other;
    return true;
}

static bool improve_tile(struct grid_map *m, uint32_t t)
{
    bool changed = false;
    for (uint32_t i = m->start[t]; i < m->start[t + 1] && i < m->start[t] + MAX_PARTNERS; i++) {
        uint32_t near = m->at[m->partner[i].tile], x = near % m->grid.columns;
        changed |= try_swap(m, t, near);
        if (x > 0)
            changed |= try_swap(m, t, near - 1);
        if (x + 1 < m->grid.columns && near + 1 < m->n)
            changed |= try_swap(m, t, near + 1);
        if (near >= m->grid.columns)
            changed |= try_swap(m, t, near - m->grid.columns);
        if (near + m->grid.columns < m->n)
            changed |= try_swap(m, t, near + m->grid.columns);
    }
    return changed;
}

/* Every second row backwards; the last one ends where the tiles end. */
static uint32_t serpentine(const struct grid_map *m, uint32_t i)
{
    uint32_t row = i / m->grid.columns, first = row * m->grid.columns;
    uint32_t last = first + m->grid.columns < m->n ? first + m->grid.columns - 1 : m->n - 1;
    return row % 2 ? last - (i - first) : i;
}

static uint64_t arrange(struct grid_map *m, bool snake)
{
    for (uint32_t t = 0; t < m->n; t++) {
        m->at[t] = snake ? serpentine(m, t) : t;
        m->tile[m->at[t]] = t;
    }
    bool changed = true;
    for (int round = 0; changed && round < MAX_ROUNDS; round++) {
        changed = false;
        for (uint32_t t = 1; t < m->n; t++)
            changed |= improve_tile(m, t);
    }
    return total(m);
}

uint32_t *plan_mesh_positions(const struct plan *p, struct arena *a)
{
    struct grid_map m = {.n = p->segment->n_tiles};
    m.grid = tile_grid_of(p->arch, m.n);
    list_partners(&m, p);
    uint32_t *best = ARENA_ARRAY(a, uint32_t, m.n);
    m.at = ARENA_ARRAY(p->arena, uint32_t, m.n);
    m.tile = ARENA_ARRAY(p->arena, uint32_t, m.n);
    uint64_t plain = arrange(&m, false);
    memcpy(best, m.at, m.n * sizeof *best);
    if (arrange(&m, true) < plain)
        memcpy(best, m.at, m.n * sizeof *best);
    return best;
}
