/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_state.c - the state of all memory between two iterations, as numbers that do not depend on
 * how many there have been: events count back from now, and rings begin where the next frame's row
 * 0 lies. Equal numbers are states that differ by a shift of frames.
 */
#include "check_run.h"

#include <stdlib.h>

static void add(struct words *w, uint64_t x)
{
    VEC_PUSH(w, x);
}

/* ---- marks, as runs of the same event with consecutive tags ---- */

struct run {
    uint64_t first, n;
};

static uint64_t relative_mark(const struct tile_state *t, uint32_t iteration, uint64_t mark)
{
    uint32_t event = (uint32_t)(mark >> 32);
    if (event)
        event -= iteration * t->counters[event_dim(event)].step;
    return (uint64_t)event << 32 | (uint32_t)mark;
}

static void end_run(const struct tile_state *t, uint32_t iteration, struct run *r, struct words *w)
{
    if (r->n) {
        add(w, r->n);
        add(w, relative_mark(t, iteration, r->first));
    }
    r->n = 0;
}

/* Marks [from, to), nothing outside of the cluster: it begins behind slot 0 where no view holds
 * that. */
static void add_marks(const struct tile_state *t, const struct cluster *c, uint32_t iteration,
                      int64_t from, int64_t to, struct words *w)
{
    struct run r = {0};
    const int64_t end = (int64_t)(check_n_places(c) / c->grain);
    for (int64_t i = from; i < to; i++) {
        uint64_t mark = i >= 0 && i < end ? c->marks[i] : 0;
        if (r.n == 0 || mark != (r.first ? r.first + r.n * c->grain : 0)) {
            end_run(t, iteration, &r, w);
            r.first = mark;
        }
        r.n++;
    }
    end_run(t, iteration, &r, w);
}

/* ---- slots ---- */

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* How long ago the instruction was; none: a number of its own. */
static uint32_t ago(const struct tile_state *t, uint32_t iteration, uint32_t dim, uint32_t number)
{
    return number ? iteration * t->counters[dim].step - number : UINT32_MAX;
}

/* Readers and writers in an order of their own: that of the first lap differs. */
static void add_users(const struct tile_state *t, const struct cluster *c,
                      const struct ring_slot *s, uint32_t iteration, struct words *w)
{
    size_t first = w->n;
    for (uint32_t i = 0; i < s->n_readers; i++) {
        const struct slot_reader *r = &s->readers[i];
        uint64_t who = (uint64_t)(r->queue << 8 | r->stage) << 32;
        if (r->now == 0 && r->before == 0)
            continue;
        add(w, who | ago(t, iteration, r->queue, r->now));
        add(w, who | (uint64_t)1 << 62 | ago(t, iteration, r->queue, r->before));
    }
    for (uint32_t i = 0; i < s->n_writers; i++) {
        const struct slot_writer *x = &s->writers[i];
        uint32_t since = c->frame_rows ? ago(t, iteration, x->dim, x->first) : 0; /* one life */
        add(w, (uint64_t)1 << 63 | (uint64_t)x->dim << 32 | since);
    }
    qsort(w->at + first, w->n - first, sizeof *w->at, by_number);
    add(w, w->n - first);
}

static void add_slot(const struct tile_state *t, const struct cluster *c, uint32_t iteration,
                     uint64_t slot, struct words *w)
{
    const struct ring_slot *s = &c->slots[slot];
    int64_t n = (int64_t)c->n_slots, row = s->life * n + (int64_t)slot;
    add(w, s->used);
    add(w, s->lapped);
    add(w, s->read);
    add(w, s->used ? (uint64_t)floor_div_i64(row - (int64_t)iteration * c->frame_rows, n) : 0);
    add_users(t, c, s, iteration, w);
}

static void add_cluster(const struct tile_state *t, const struct cluster *c, uint32_t iteration,
                        struct words *w)
{
    const uint64_t shift = (uint64_t)iteration * c->frame_rows % c->n_slots;
    const int64_t grain = (int64_t)(c->grain * c->place_bytes);
    const int64_t end = (int64_t)(check_n_places(c) / c->grain), n = (int64_t)c->n_slots;
    int64_t first = 0, each = end; /* marks of slot 0, and of a slot */
    if (n > 1) {
        first = (int64_t)(c->slot_lo - c->lo) / grain;
        each = (int64_t)c->slot_bytes / grain;
    }
    add(w, c->grain);
    add_marks(t, c, iteration, 0, first, w);
    for (uint64_t i = 0; i < c->n_slots; i++) {
        uint64_t slot = (i + shift) % c->n_slots;
        int64_t at = first + (int64_t)slot * each;
        add_marks(t, c, iteration, at, at + each, w);
        add_slot(t, c, iteration, slot, w);
    }
    add_marks(t, c, iteration, first + n * each, end, w);
}

void check_state(const struct check *k, uint32_t iteration, struct words *out)
{
    out->n = 0;
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        for (uint32_t j = 0; j < k->tiles[i].n_clusters; j++)
            if (k->tiles[i].clusters[j].written)
                add_cluster(&k->tiles[i], &k->tiles[i].clusters[j], iteration, out);
}
