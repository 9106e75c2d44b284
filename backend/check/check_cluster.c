/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_cluster.c - which memory of a tile is looked at together, and how finely.
 *
 * In: the views of all tiles. Out: clusters, the views that overlap in memory; each view placed in
 * its cluster; the slots of a ring where all written views of a cluster agree on its rows; marks
 * for each grain, those of preloaded elements set.
 */
#include "check_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PIECES = 1024 };

void check_row_bytes(const struct isa_view *v, int64_t *lo, int64_t *hi)
{
    int64_t x = (int64_t)(v->x1 - v->x0 - 1) * v->col_pitch;
    int64_t c = ((int64_t)v->channels - 1) * v->channel_pitch;
    *lo = min_i64(x, 0) + min_i64(c, 0);
    *hi = max_i64(x, 0) + max_i64(c, 0) + (int64_t)element_bytes(v->element);
}

static bool view_bytes(const struct isa_view *v, uint64_t *lo, uint64_t *hi)
{
    if (v->y0 >= v->y1 || v->x0 >= v->x1 || v->channels == 0)
        return false;
    int64_t ring = v->ring_rows, rows = v->y1 - (int64_t)v->y0;
    int64_t first =
        v->y0 - (int64_t)v->ring_origin - ring * floor_div_i64(v->y0 - v->ring_origin, ring);
    bool wraps = first + rows > ring || v->frame_rows % ring != 0; /* then every slot in turn */
    int64_t top = (wraps ? 0 : first) * v->row_pitch;
    int64_t bottom = (wraps ? ring - 1 : first + rows - 1) * v->row_pitch;
    int64_t row_lo, row_hi;
    check_row_bytes(v, &row_lo, &row_hi);
    *lo = v->base + (uint64_t)(min_i64(top, bottom) + row_lo);
    *hi = v->base + (uint64_t)(max_i64(top, bottom) + row_hi);
    return true;
}

struct extent {
    uint64_t lo, hi;
    uint32_t view;
};

static int by_lo(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;
    return x->lo != y->lo ? (x->lo < y->lo ? -1 : 1) : (x->view > y->view) - (x->view < y->view);
}

/* Elements of another size at the same place would be other places: no program needs that. */
static bool one_size(struct check *k, const struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        const struct cluster *c = t->views[i].cluster;
        if (c && c->place_bytes != element_bytes(t->t->views[i].element))
            return check_fault_program(k, "tile %u: view %u overlaps one of other elements",
                                       t->number, i);
    }
    return true;
}

static void make_clusters(struct check *k, struct tile_state *t)
{
    struct extent *e = heap_alloc(((size_t)t->t->n_views + 1) * sizeof *e);
    size_t n = 0;
    for (uint32_t i = 0; i < t->t->n_views; i++)
        if (view_bytes(&t->t->views[i], &e[n].lo, &e[n].hi))
            e[n++].view = i;
    qsort(e, n, sizeof *e, by_lo);
    t->clusters = ARENA_ARRAY(k->arena, struct cluster, n + 1);
    struct cluster *c = t->clusters;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && e[i].lo >= c->hi)
            c++;
        if (c->hi == 0) {
            c->lo = e[i].lo;
            c->place_bytes = element_bytes(t->t->views[e[i].view].element);
        }
        c->hi = c->hi > e[i].hi ? c->hi : e[i].hi;
        t->views[e[i].view].cluster = c;
    }
    t->n_clusters = n ? (uint32_t)(c - t->clusters) + 1 : 0;
    heap_free(e);
}

/* Do the rows of the view coincide with the cluster's slots? */
static bool fits_slots(const struct check_view *v, const struct cluster *c)
{
    int64_t lo, hi;
    check_row_bytes(v->v, &lo, &hi);
    uint64_t from = v->v->base + (uint64_t)lo;
    return v->v->ring_rows == c->n_slots && from >= c->slot_lo &&
           v->v->base + (uint64_t)hi <= c->slot_lo + c->slot_bytes &&
           (c->n_slots == 1 || v->v->row_pitch == (int64_t)c->slot_bytes);
}

/* A view that shows more channels in front of the written ones has the same slots, which then begin
 * there, if what is written stays inside. */
static void begin_slots_earlier(struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        const struct check_view *v = &t->views[i];
        struct cluster *c = v->cluster;
        if (v->written || !c || !c->written || v->v->ring_rows != c->n_slots ||
            v->v->row_pitch != (int64_t)c->slot_bytes)
            continue;
        int64_t lo, hi;
        check_row_bytes(v->v, &lo, &hi);
        uint64_t from = v->v->base + (uint64_t)lo;
        if (from < c->slot_lo && c->slot_hi <= from + c->slot_bytes)
            c->slot_lo = from;
    }
}

/* The first written view of a cluster proposes the slots; all written ones must agree. */
static void shape_clusters(struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        const struct check_view *v = &t->views[i];
        struct cluster *c = v->cluster;
        if (!v->written || !c)
            continue;
        int64_t lo, hi;
        check_row_bytes(v->v, &lo, &hi);
        uint64_t from = v->v->base + (uint64_t)lo, end = v->v->base + (uint64_t)hi;
        if (!c->written) {
            c->written = true;
            c->n_slots = v->v->ring_rows;
            c->ringed = c->n_slots == 1 || v->v->row_pitch > 0;
            c->slot_bytes = c->n_slots == 1 ? c->hi - c->lo : (uint64_t)v->v->row_pitch;
            c->slot_lo = from;
        }
        c->slot_lo = from < c->slot_lo ? from : c->slot_lo;
        c->slot_hi = end > c->slot_hi ? end : c->slot_hi;
    }
    begin_slots_earlier(t);
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        struct cluster *c = t->views[i].cluster;
        if (t->views[i].written && c && !fits_slots(&t->views[i], c))
            c->ringed = false;
    }
}

static void place_views(struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        struct check_view *v = &t->views[i];
        const struct isa_view *s = v->v;
        const int64_t size = (int64_t)element_bytes(s->element);
        v->row = s->row_pitch / size;
        v->col = s->col_pitch / size;
        v->ch = s->channel_pitch / size;
        v->claimed =
            v->ch == 1 && v->col >= v->ch * s->channels && (s->ring_rows == 1 || v->row >= v->col);
        if (!v->cluster)
            continue;
        v->origin = ((int64_t)s->base - (int64_t)v->cluster->lo) / size;
        v->in_ring = v->cluster->ringed && fits_slots(v, v->cluster);
        v->cluster->state |= v->state;
    }
}

/* The first cluster that ends behind the byte: clusters are ascending and apart. */
static uint32_t cluster_behind(const struct tile_state *t, uint64_t byte)
{
    uint32_t first = 0, n = t->n_clusters;
    while (n > 0) {
        bool before = t->clusters[first + n / 2].hi <= byte;
        first += before ? n / 2 + 1 : 0;
        n = before ? n - n / 2 - 1 : n / 2;
    }
    return first;
}

static void cut_grain(struct cluster *c, uint64_t byte)
{
    if (byte > c->lo && byte < c->hi)
        c->grain = gcd_u64(c->grain, (byte - c->lo) / c->place_bytes);
}

/* Places that all views of the cluster keep together. */
static void find_grain(const struct check_view *v)
{
    struct cluster *c = v->cluster;
    if (!c)
        return;
    if (v->ch != 1 && v->v->channels > 1)
        c->grain = 1;
    c->grain = gcd_u64(c->grain, gcd_u64((uint64_t)llabs(v->origin), v->v->channels));
    c->grain = gcd_u64(c->grain, gcd_u64((uint64_t)llabs(v->row), (uint64_t)llabs(v->col)));
}

static void find_grains(struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_views; i++)
        find_grain(&t->views[i]);
    for (uint32_t i = 0; i < t->t->n_preloads; i++) {
        uint64_t lo = t->t->preloads[i].address, hi = lo + t->t->preloads[i].length;
        for (uint32_t k = cluster_behind(t, lo); k < t->n_clusters && t->clusters[k].lo < hi; k++) {
            cut_grain(&t->clusters[k], lo);
            cut_grain(&t->clusters[k], hi);
        }
    }
}

uint64_t check_n_places(const struct cluster *c)
{
    return (c->hi - c->lo) / c->place_bytes;
}

uint64_t *check_new_marks(const struct cluster *c, uint64_t grain)
{
    size_t n = (size_t)(check_n_places(c) / grain + 1);
    return heap_unless_huge(n * sizeof(uint64_t));
}

/* Slots where views do not agree on rows: pieces of memory that begin where rows do, not too many.
 */
static void cut_pieces(const struct tile_state *t, struct cluster *c)
{
    const uint64_t size = c->hi - c->lo, grain = c->grain * c->place_bytes;
    uint64_t piece = 0;
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        const struct isa_view *v = &t->t->views[i];
        if (t->views[i].cluster != c)
            continue;
        piece = gcd_u64(piece, (uint64_t)llabs((int64_t)(v->base - c->lo)));
        piece = gcd_u64(piece, v->ring_rows > 1 ? (uint64_t)llabs(v->row_pitch) : 0);
    }
    piece = piece ? piece : (size + grain - 1) / grain * grain; /* whole grains, as rows are */
    piece *= (size / piece + MAX_PIECES) / MAX_PIECES;
    c->slot_lo = c->lo;
    c->slot_bytes = piece;
    c->n_slots = (size + piece - 1) / piece;
}

/* Zero pages that are never touched cost nothing; what cannot be had at all is not our mistake. */
static bool allocate(struct check *k, struct tile_state *t)
{
    find_grains(t);
    for (uint32_t i = 0; i < t->n_clusters; i++) {
        struct cluster *c = &t->clusters[i];
        if (!c->ringed)
            cut_pieces(t, c);
        uint64_t *largest = check_new_marks(c, 1);
        heap_free(largest); /* it can be had if need be */
        c->marks = check_new_marks(c, c->grain);
        size_t n = (size_t)c->n_slots;
        c->slots = heap_unless_huge(n * sizeof *c->slots);
        if (!largest || !c->marks || !c->slots)
            return check_fault_program(k,
                                       "tile %u: %" PRIu64 " bytes of buffer are too many to check",
                                       t->number, c->hi - c->lo);
    }
    return true;
}

static void preload(struct check *k, struct tile_state *t, const struct isa_preload *p)
{
    const uint8_t *section = isa_section_data(&k->p->sections[p->section]);
    const uint8_t *bytes = section + p->offset;
    const uint64_t end = p->address + p->length;
    for (uint32_t i = cluster_behind(t, p->address); i < t->n_clusters; i++) {
        struct cluster *c = &t->clusters[i];
        uint64_t lo = c->lo > p->address ? c->lo : p->address, hi = c->hi < end ? c->hi : end;
        uint64_t size = c->place_bytes;
        if (lo >= hi)
            break;
        uint32_t range = check_range_raw(k, bytes, p->length / size, size);
        if (check_gave_up(k))
            return;
        uint64_t tag = k->tags.ranges.at[range].base + (lo - p->address) / size;
        for (uint64_t at = lo; at < hi; at += size * c->grain, tag += c->grain)
            c->marks[(at - c->lo) / size / c->grain] = tag;
        c->preloaded = true;
    }
}

bool check_clusters_prepare(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++) {
        struct tile_state *t = &k->tiles[i];
        make_clusters(k, t);
        shape_clusters(t);
        place_views(t);
        if (!one_size(k, t) || !allocate(k, t))
            return false;
        for (uint32_t j = 0; j < t->t->n_preloads; j++)
            preload(k, t, &t->t->preloads[j]);
    }
    return !check_gave_up(k);
}

void check_clusters_free(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        for (uint32_t j = 0; j < k->tiles[i].n_clusters; j++) {
            heap_free(k->tiles[i].clusters[j].marks);
            heap_free(k->tiles[i].clusters[j].slots);
        }
}

/* Rows of a ring move from frame to frame, all alike; whatever else shows the memory stays. */
static bool moves_alike(const struct check_view *v, const struct check_view *first)
{
    const struct cluster *c = v->cluster;
    if (v->in_ring && first)
        return v->v->frame_rows == first->v->frame_rows;
    return v->v->frame_rows % v->v->ring_rows == 0 &&
           (!c->ringed || c->frame_rows % c->n_slots == 0);
}

static bool frame_rows_of_tile(struct check *k, struct tile_state *t)
{
    bool ok = true;
    const struct check_view **first =
        ARENA_ARRAY(k->arena, const struct check_view *, (size_t)t->n_clusters + 1);
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        struct check_view *v = &t->views[i];
        if (!v->cluster || !v->in_ring || first[v->cluster - t->clusters])
            continue;
        first[v->cluster - t->clusters] = v;
        v->cluster->frame_rows = v->v->frame_rows;
    }
    for (uint32_t i = 0; i < t->t->n_views; i++) {
        const struct check_view *v = &t->views[i];
        if (v->cluster && !moves_alike(v, first[v->cluster - t->clusters]))
            ok = check_fault_program(k,
                                     "tile %u: view %u has %u rows a frame, others of its memory "
                                     "do not move alike",
                                     t->number, i, v->v->frame_rows);
    }
    return ok;
}

bool check_frame_rows(struct check *k)
{
    bool ok = true;
    for (uint32_t i = 0; k->body && i < k->p->n_tiles; i++)
        ok &= frame_rows_of_tile(k, &k->tiles[i]);
    return ok;
}

uint64_t check_place(const struct check_view *v, int64_t frame, int64_t y, int64_t x, int64_t c)
{
    int64_t u = check_ring_row(v, frame, y);
    int64_t slot = u - v->v->ring_rows * floor_div_i64(u, v->v->ring_rows);
    return (uint64_t)(v->origin + slot * v->row + (x - v->v->x0) * v->col + c * v->ch);
}

uint64_t check_mark(const struct check_view *v, int64_t frame, int64_t y, int64_t x, int64_t c)
{
    uint64_t place = check_place(v, frame, y, x, c), grain = v->cluster->grain;
    uint64_t mark = v->cluster->marks[place / grain];
    return (uint32_t)mark ? mark + place % grain : mark;
}
