/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_store.c - the memory behind a tile's views.
 *
 * In: the views of all tiles. Out: stores, the least pieces of a tile's buffer that no view
 * crosses; each view translated to its store's memory. A ring may be *unrolled*: every logical row
 * then has a place of its own, so that a row can wait to be read while its slot is written again;
 * tags remember which row a slot holds, as batch.c replays the program, so that a program that
 * reads another row than it names is found out. Dependencies are kept for cells: the largest pieces
 * of a store that no pixel of a view crosses.
 */
#include "sim_view.h"

#include <stdlib.h>
#include <string.h>

/* Cells of all stores together; beyond this they are made coarser, and nothing is unrolled. */
#define MOST_CELLS (UINT64_C(1) << 24)
#define POISON UINT32_C(0x7fc0dead) /* a quiet NaN that is easy to recognise */

struct extent {
    struct isa_extent at;
    uint32_t view;
};

static int by_extent(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    if (x->at.lo != y->at.lo)
        return x->at.lo < y->at.lo ? -1 : 1;
    return (x->view > y->view) - (x->view < y->view);
}

/* ---- which stores there are ---- */

/* Views whose bytes overlap share a store. */
static void group_views(struct sim *s, uint32_t tile)
{
    const struct isa_tile *from = &s->p->tiles[tile];
    struct sim_tile *t = &s->tiles[tile];
    struct extent *e = ARENA_ARRAY(s->arena, struct extent, from->n_views);
    uint32_t n = 0;
    t->views = ARENA_ARRAY(s->arena, struct sim_view, from->n_views);
    for (uint32_t i = 0; i < from->n_views; i++) {
        t->views[i] =
            (struct sim_view){.v = from->views[i],
                              .element_bytes = (uint32_t)element_bytes(from->views[i].element),
                              .store = SIM_NONE};
        e[n].view = i;
        if (!isa_view_is_empty(&from->views[i]) && isa_view_extent(&from->views[i], &e[n].at))
            n++;
    }
    if (n > 0)
        qsort(e, n, sizeof *e, by_extent);
    t->first_store = (uint32_t)s->stores.n;
    struct sim_store *last = NULL;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t lo = (uint64_t)e[i].at.lo, hi = (uint64_t)e[i].at.hi;
        if (!last || lo >= last->hi) {
            struct sim_store new = {.tile = tile, .lo = lo, .hi = hi};
            VEC_PUSH(&s->stores, new);
            last = &s->stores.at[s->stores.n - 1];
        }
        last->hi = hi > last->hi ? hi : last->hi;
        t->views[e[i].view].store = (uint32_t)(s->stores.n - 1);
    }
    t->n_stores = (uint32_t)s->stores.n - t->first_store;
}

static void mark_written(struct sim *s, uint32_t tile, uint32_t view)
{
    uint32_t store = s->tiles[tile].views[view].store;
    if (store != SIM_NONE)
        s->stores.at[store].written = true;
}

/* The first of n stores that ends behind the byte: they are ascending and apart. */
static uint32_t store_behind(const struct sim_store *stores, uint32_t n, uint64_t byte)
{
    uint32_t first = 0;
    while (n > 0) {
        bool before = stores[first + n / 2].hi <= byte;
        first += before ? n / 2 + 1 : 0;
        n = before ? n - n / 2 - 1 : n / 2;
    }
    return first;
}

static void mark_preloaded(const struct isa_tile *t, struct sim_store *stores, uint32_t n)
{
    for (uint32_t i = 0; i < t->n_preloads; i++) {
        const struct isa_preload *l = &t->preloads[i];
        uint32_t k = store_behind(stores, n, l->address);
        for (; k < n && stores[k].lo < l->address + l->length; k++)
            stores[k].preloaded = true;
    }
}

/* ---- cells, unrolling ---- */

static uint64_t magnitude(int64_t x)
{
    return x < 0 ? (uint64_t)-x : (uint64_t)x;
}

static uint64_t cell_of_view(const struct isa_view *v, const struct sim_store *m)
{
    uint64_t g = gcd_u64(magnitude((int64_t)(v->base - m->lo)), magnitude(v->row_pitch));
    g = gcd_u64(g, magnitude(v->col_pitch));
    uint64_t element = element_bytes(v->element);
    bool dense = v->channel_pitch == (int64_t)element || v->channels == 1;
    return gcd_u64(g, dense ? v->channels * element : element);
}

/* What the views of a store have in common, or do not. */
struct survey {
    uint64_t cell_bytes;
    int64_t row0, row1; /* rows, counted from the slot of ring origin */
    int64_t row_pitch;
    uint32_t ring_rows, frame_rows, n;
    bool alike; /* rings of the same rows, none of which leaves its slot; slot 0 is inside */
};

static void survey_view(const struct isa_view *v, const struct sim_store *m, struct survey *u)
{
    int64_t width = (v->x1 - (int64_t)v->x0 - 1) * v->col_pitch +
                    (v->channels - (int64_t)1) * v->channel_pitch +
                    (int64_t)element_bytes(v->element);
    int64_t row0 = (int64_t)v->y0 - v->ring_origin, row1 = (int64_t)v->y1 - v->ring_origin;
    if (u->n++ == 0)
        *u = (struct survey){0, row0, row1, v->row_pitch, v->ring_rows, v->frame_rows, 1, true};
    u->row0 = row0 < u->row0 ? row0 : u->row0;
    u->row1 = row1 > u->row1 ? row1 : u->row1;
    u->cell_bytes = gcd_u64(u->cell_bytes, cell_of_view(v, m));
    u->alike = u->alike && v->row_pitch == u->row_pitch && v->ring_rows == u->ring_rows &&
               v->frame_rows == u->frame_rows && v->row_pitch > 0 && v->col_pitch >= 0 &&
               v->channel_pitch >= 0 && v->base >= m->lo &&
               (int64_t)(v->base - m->lo) + width <= v->row_pitch;
}

/* Rows of a frame have memory of their own; the next frame's are there again, so they are as far
 * apart as its rows are, or a multiple of that. */
static void unroll(struct sim_store *m, const struct survey *u, uint32_t frames)
{
    m->rows = (uint64_t)(u->row1 - u->row0);
    m->framed = frames > 1 && u->frame_rows > 0;
    if (m->framed)
        m->rows = (m->rows + u->frame_rows - 1) / u->frame_rows * u->frame_rows;
    m->ring_rows = u->ring_rows;
    m->row0 = u->row0;
    m->row_pitch = (uint64_t)u->row_pitch;
    m->unrolled = true;
    m->bytes = m->rows * (uint64_t)u->row_pitch;
}

/* Tells its views where they lie in the store's memory. */
static void translate(struct sim *s, const struct sim_store *m, struct sim_view *v)
{
    const struct isa_view *from = &s->p->tiles[m->tile].views[v - s->tiles[m->tile].views];
    v->v.base = from->base - m->lo;
    if (m->unrolled) {
        v->v.ring_origin = (int32_t)(from->ring_origin + m->row0);
        v->v.ring_rows = (uint32_t)m->rows;
    }
    v->row = isa_in_elements(from, from->row_pitch);
    v->col = isa_in_elements(from, from->col_pitch);
    v->channel = isa_in_elements(from, from->channel_pitch);
    v->pixel_bytes = v->channel == 1 ? from->channels * v->element_bytes : 0;
}

static void lay_out(struct sim *s, uint32_t tile, bool may_unroll)
{
    const struct isa_tile *from = &s->p->tiles[tile];
    struct sim_tile *t = &s->tiles[tile];
    /* no tile may have any: nothing is added to a NULL */
    struct sim_store *stores = s->stores.n ? s->stores.at + t->first_store : NULL;
    struct survey *found = heap_alloc((t->n_stores + (size_t)1) * sizeof *found);
    for (uint32_t i = 0; i < from->n_views; i++) {
        uint32_t k = t->views[i].store - t->first_store;
        if (t->views[i].store != SIM_NONE)
            survey_view(&from->views[i], &stores[k], &found[k]);
    }
    mark_preloaded(from, stores, t->n_stores);
    for (uint32_t k = 0; k < t->n_stores; k++) {
        struct sim_store *m = &stores[k];
        m->bytes = m->hi - m->lo;
        m->cell_bytes = found[k].cell_bytes;
        if (may_unroll && m->written && !m->preloaded && found[k].alike &&
            found[k].row1 - found[k].row0 > found[k].ring_rows)
            unroll(m, &found[k], s->frames);
    }
    heap_free(found);
    for (uint32_t i = 0; i < from->n_views; i++)
        if (t->views[i].store != SIM_NONE)
            translate(s, &s->stores.at[t->views[i].store], &t->views[i]);
}

/* Numbers the cells; false if there are too many. */
static bool number_cells(struct sim *s)
{
    s->n_cells = s->n_tags = 0;
    for (size_t i = 0; i < s->stores.n; i++) {
        struct sim_store *m = &s->stores.at[i];
        if (!m->written)
            continue;
        m->n_cells = m->bytes / m->cell_bytes + 1;
        m->cells = s->n_cells;
        m->tags = s->n_tags;
        if (m->n_cells > MOST_CELLS)
            return false;
        s->n_cells += m->n_cells;
        if (s->n_cells > MOST_CELLS + s->stores.n)
            return false;
        if (!m->unrolled)
            continue;
        m->row_cells = m->row_pitch / m->cell_bytes;
        s->n_tags += m->ring_rows * m->row_cells;
    }
    return true;
}

static bool coarsen(struct sim *s)
{
    bool unrolled = false;
    for (size_t i = 0; i < s->stores.n; i++) {
        unrolled = unrolled || s->stores.at[i].unrolled;
        s->stores.at[i].cell_bytes *= 2;
    }
    return !unrolled;
}

bool sim_prepare_stores(struct sim *s, bool may_unroll)
{
    s->stores.n = 0;
    for (uint32_t t = 0; t < s->p->n_tiles; t++)
        group_views(s, t);
    for (size_t f = 0; f < s->families.n; f++)
        sim_family_writes(s, &s->families.at[f], mark_written);
    for (uint32_t t = 0; t < s->p->n_tiles; t++)
        lay_out(s, t, may_unroll);
    while (!number_cells(s))
        if (!coarsen(s))
            return false;
    return true;
}

/* ---- memory ---- */

/* Copies what of the preload lies in the store. */
static void preload(const struct sim *s, struct sim_store *m, const struct isa_preload *l)
{
    uint64_t lo = l->address > m->lo ? l->address : m->lo;
    uint64_t end = l->address + l->length, hi = end < m->hi ? end : m->hi;
    const uint8_t *data = isa_section_data(&s->p->sections[l->section]);
    if (lo < hi)
        memcpy(m->memory + (lo - m->lo), data + l->offset + (lo - l->address), hi - lo);
}

/* Addresses keep their remainders, so that words are aligned. */
static size_t misalignment(const struct sim_store *m)
{
    return m->lo % ISA_WORD_BYTES;
}

static uint64_t words_of(const struct sim_store *m)
{
    return (m->bytes + misalignment(m) + ISA_WORD_BYTES - 1) / ISA_WORD_BYTES;
}

/* Of unrolled rows nothing is read that was not written. The rest is poison; buffers that are too
 * large to touch all of them are zero. */
static void *new_memory(struct sim *s, const struct sim_store *m)
{
    uint64_t n = words_of(m), bytes = n * ISA_WORD_BYTES;
    if (!m->unrolled && !s->poisoned)
        return heap_unless_huge(bytes);
    uint32_t *words = pool_take(&s->pool, bytes);
    for (uint64_t i = 0; words && !m->unrolled && i < n; i++)
        words[i] = POISON;
    return words;
}

bool sim_open_store(struct sim *s, struct sim_store *m)
{
    const struct isa_tile *t = &s->p->tiles[m->tile];
    if (m->memory)
        return true;
    uint8_t *memory = new_memory(s, m);
    if (!memory)
        return sim_fault(s, "no memory for the tile's %llu buffer bytes",
                         (unsigned long long)t->buffer_bytes);
    m->memory = memory + misalignment(m);
    for (uint32_t i = 0; m->preloaded && i < t->n_preloads; i++)
        preload(s, m, &t->preloads[i]);
    return true;
}

void sim_close_store(struct sim *s, struct sim_store *m)
{
    uint8_t *memory = m->memory ? m->memory - misalignment(m) : NULL;
    if (!m->unrolled && !s->poisoned)
        heap_free(memory);
    else if (memory)
        pool_give(&s->pool, memory, words_of(m) * ISA_WORD_BYTES);
    m->memory = NULL;
}
