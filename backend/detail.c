/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * detail.c - what a report shows of a finished plan: work of each unit, crossbars and buffers and
 * how full they are, traffic between tiles.
 *
 * In: a plan with schedule and memory. Out: backend_result.detail. Nothing is scheduled or sized
 * here again: times are the tasks', a row's life is the one that memplan.c sized its ring from.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

/* ---- work of each tile ---- */

static void count_task(const struct plan *p, const struct tile_grid *grid, const struct task *t,
                       struct tile_report *r)
{
    struct cost_work work = task_work(p, grid, t);
    struct cost cost = arch_cost(p->arch, &work);
    uint64_t busy = cost_occupancy_cycles(&cost);
    switch (work.kind) {
    case COST_MVM: r->busy_cycles[UNIT_PE] += busy * p->segment->group[t->mvm.group].n_pes; break;
    case COST_VECTOR:
        r->busy_cycles[UNIT_VECTOR] += busy;
        r->vector_elements += work.elements;
        break;
    case COST_SEND:
        r->busy_cycles[UNIT_NETWORK] += busy;
        *(work.hops ? &r->sent_bytes : &r->copied_bytes) += work.bytes;
        break;
    case COST_DMA:
        r->busy_cycles[UNIT_DRAM] += busy;
        *(t->kind == TASK_load ? &r->read_bytes : &r->written_bytes) += work.bytes;
        break;
    case COST_SIGNAL:
    case COST_NONE: break;
    }
}

static void report_tiles(const struct plan *p, struct arena *a, struct backend_detail *d)
{
    const struct tile_grid grid = tile_grid_of(p->arch, p->segment->n_tiles);
    d->tiles = ARENA_ARRAY(a, struct tile_report, p->segment->n_tiles);
    for (size_t i = 0; i < p->segment->n_tiles; i++) {
        d->tiles[i].n_pes = p->segment->tile[i].n_pes;
        d->tiles[i].buffer_bytes = p->memory->tile_bytes[i];
    }
    for (uint32_t i = 0; i < p->schedule->n; i++) {
        const struct task *t = &p->tasks->tasks.at[p->schedule->order[i]];
        count_task(p, &grid, t, &d->tiles[t->tile]);
    }
}

/* ---- crossbars ---- */

static int compare_crossbars(const void *a, const void *b)
{
    const struct crossbar_report *x = a, *y = b;
    if (x->tile != y->tile)
        return x->tile < y->tile ? -1 : 1;
    return x->pe < y->pe ? -1 : x->pe > y->pe;
}

/* Those of one group, in the order of its PEs. */
static void report_group(const struct plan *p, const struct group *g, struct backend_detail *d)
{
    const struct layer *l = &p->segment->layer[g->layer];
    int64_t bits = p->nodes->at[l->node].root->attrs->mvm.weight_bits, pe = g->first_pe;
    for (uint32_t i = 0; i < g->n_columns; i++)
        for (uint32_t slice = g->column[i].pv0; slice < g->column[i].pv1; slice++, pe++)
            d->crossbars[d->n_crossbars++] = (struct crossbar_report){
                .tile = g->tile,
                .pe = (uint32_t)pe,
                .layer = g->layer,
                .copy = g->copy,
                .cells = (uint64_t)(ir_mapping_weights(&l->mapping, g->column[i].ph, slice) *
                                    arch_weight_cells(p->arch, bits))};
}

static void report_crossbars(const struct plan *p, struct arena *a, struct backend_detail *d)
{
    size_t n = 0;
    for (uint32_t t = 0; t < p->segment->n_tiles; t++)
        n += p->segment->tile[t].n_pes;
    d->crossbars = ARENA_ARRAY(a, struct crossbar_report, n);
    for (uint32_t i = 0; i < p->segment->n_groups; i++)
        if (p->segment->group[i].owner == i)
            report_group(p, &p->segment->group[i], d);
    if (n)
        qsort(d->crossbars, d->n_crossbars, sizeof *d->crossbars, compare_crossbars);
}

/* ---- buffers ---- */

/* Bytes come into use or are let go. */
struct change {
    uint64_t time;
    int64_t bytes;
    uint32_t tile;
};
typedef VEC(struct change) changes;

static int compare_changes(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes); /* what is let go comes first */
}

static void sort_changes(changes *c)
{
    if (c->n)
        qsort(c->at, c->n, sizeof *c->at, compare_changes);
}

static enum buffer_kind kind_of(const struct buffer *b)
{
    if (b->constant)
        return BUFFER_CONSTANT;
    return b->value ? BUFFER_VALUE : BUFFER_SUMS;
}

/* What a report shows of: the time of a frame, or an interval, in which several are under way. */
static uint64_t shown_cycles(const struct schedule *s)
{
    return schedule_repeats(s) ? s->interval : s->makespan;
}

static void add_use(uint64_t from, uint64_t to, uint64_t bytes, uint32_t tile, changes *out)
{
    VEC_PUSH(out, ((struct change){from, (int64_t)bytes, tile}));
    VEC_PUSH(out, ((struct change){to, -(int64_t)bytes, tile}));
}

/* A row's bytes are in use in [first write, last read); with frames, those of all within an
 * interval. */
static void add_row_lives(const struct schedule *s, const struct row_life *of, uint64_t rows,
                          uint64_t row_bytes, uint32_t tile, changes *out)
{
    for (uint64_t r = 0; r < rows; r++) {
        const struct row_life *life = &of[r];
        if (!life->written || life->read_end <= life->write_start)
            continue;
        uint64_t length = schedule_repeats(s) ? s->interval : UINT64_MAX;
        uint64_t first = life->write_start, begin = first - first % length;
        for (; begin < life->read_end; begin += length) {
            uint64_t left = life->read_end - begin;
            add_use(first - begin, left < length ? left : length, row_bytes, tile, out);
            if (left <= length)
                break;
            first = begin + length;
        }
    }
}

static uint64_t most_at_once(const changes *c)
{
    int64_t now = 0, most = 1; /* what lives for no time has its slot all the same */
    for (size_t i = 0; i < c->n; i++) {
        now += c->at[i].bytes > 0 ? 1 : -1;
        most = now > most ? now : most;
    }
    return (uint64_t)most;
}

static void report_buffer(const struct plan *p, const struct buffer *b, const struct storage *s,
                          struct arena *a, struct buffer_report *r, changes *own)
{
    const struct ir_op *op = b->value ? b->value : b->shows;
    *r = (struct buffer_report){.name = op_title(op, a),
                                .kind = kind_of(b),
                                .tile = b->tile,
                                .rows = (uint64_t)(b->held.hi[0] - b->held.lo[0]),
                                .ring_rows = s->ring,
                                .row_bytes = s->bytes / s->ring,
                                .bytes = s->bytes};
    own->n = 0;
    if (b->constant)
        VEC_PUSH(own, ((struct change){0, (int64_t)s->bytes, b->tile}));
    else
        add_row_lives(p->schedule, s->life, r->rows, r->row_bytes, b->tile, own);
    sort_changes(own);
    r->peak_rows = b->constant ? s->ring : most_at_once(own);
}

/* All bytes in use over time: the most of each tile, the most of all tiles in each part. */
static void sweep(const struct plan *p, const changes *all, struct backend_detail *d)
{
    int64_t *in_use = heap_alloc(p->segment->n_tiles * sizeof *in_use), total = 0;
    double part = (double)shown_cycles(p->schedule) / DETAIL_PARTS;
    size_t at = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct change *c = &all->at[i];
        size_t k = part > 0 ? (size_t)((double)c->time / part) : 0;
        for (k = k < DETAIL_PARTS ? k : DETAIL_PARTS - 1; at < k;)
            d->in_use[++at] = (uint64_t)total;
        total += c->bytes;
        in_use[c->tile] += c->bytes;
        struct tile_report *t = &d->tiles[c->tile];
        t->peak_bytes = (uint64_t)max_i64((int64_t)t->peak_bytes, in_use[c->tile]);
        d->in_use[at] = (uint64_t)max_i64((int64_t)d->in_use[at], total);
        d->peak_bytes = (uint64_t)max_i64((int64_t)d->peak_bytes, total);
    }
    while (at + 1 < DETAIL_PARTS)
        d->in_use[++at] = (uint64_t)total;
    heap_free(in_use);
}

/* A buffer and where it lies, to be sorted. */
struct placed {
    const struct buffer *buffer;
    const struct storage *storage;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->buffer->tile != y->buffer->tile)
        return x->buffer->tile < y->buffer->tile ? -1 : 1;
    return (x->storage->base > y->storage->base) - (x->storage->base < y->storage->base);
}

static void report_buffers(const struct plan *p, struct arena *a, struct backend_detail *d)
{
    changes all = {0}, own = {0};
    size_t n = p->tasks->buffers.n;
    struct placed *sorted = heap_alloc((n + 1) * sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        if (p->memory->of[i].bytes > 0) /* else its readers see nothing but padding */
            sorted[d->n_buffers++] = (struct placed){&p->tasks->buffers.at[i], &p->memory->of[i]};
    qsort(sorted, d->n_buffers, sizeof *sorted, compare_placed);
    d->buffers = ARENA_ARRAY(a, struct buffer_report, d->n_buffers);
    for (uint32_t i = 0; i < d->n_buffers; i++) {
        report_buffer(p, sorted[i].buffer, sorted[i].storage, a, &d->buffers[i], &own);
        for (size_t k = 0; k < own.n; k++)
            VEC_PUSH(&all, own.at[k]);
    }
    sort_changes(&all);
    sweep(p, &all, d);
    VEC_FREE(&all);
    VEC_FREE(&own);
    heap_free(sorted);
}

/* ---- traffic ---- */

typedef VEC(struct traffic_report) traffic;

static void add_way(const struct tile_grid *grid, uint32_t from, uint32_t to, uint64_t bytes,
                    traffic *out)
{
    if (from != to)
        VEC_PUSH(out,
                 ((struct traffic_report){from, to, tile_grid_hops(grid, from, to), bytes, 1}));
}

static void add_message(const struct plan *p, const struct tile_grid *grid, const struct task *t,
                        traffic *out)
{
    const struct delivery *d = &p->tasks->delivery[t->node];
    if (!task_is_message(t))
        return;
    uint64_t bytes = task_work(p, grid, t).bytes;
    if (t->kind == TASK_partial)
        add_way(grid, t->tile, p->cells->of[t->node].home[t->cell], bytes, out);
    if (t->kind != TASK_send)
        return;
    uint32_t link = NONE;
    for (const struct target *to; (to = next_target(d, t->send.class, t->cell, &link));)
        add_way(grid, t->tile, p->tasks->buffers.at[to->buffer].tile, bytes, out);
}

static int compare_ways(const void *a, const void *b)
{
    const struct traffic_report *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

/* Sorted, and one entry a pair of tiles. */
static void join_ways(traffic *t)
{
    size_t kept = 0;
    if (t->n)
        qsort(t->at, t->n, sizeof *t->at, compare_ways);
    for (size_t i = 0; i < t->n; i++) {
        if (!kept || compare_ways(&t->at[kept - 1], &t->at[i]) != 0) {
            t->at[kept++] = t->at[i];
            continue;
        }
        t->at[kept - 1].bytes += t->at[i].bytes;
        t->at[kept - 1].messages += t->at[i].messages;
    }
    t->n = kept;
}

struct traffic_report *plan_traffic(const struct plan *p, struct arena *a, uint32_t *out_n)
{
    const struct tile_grid grid = tile_grid_of(p->arch, p->segment->n_tiles);
    traffic all = {0};
    size_t joined = 0;
    for (size_t i = 0; i < p->tasks->tasks.n; i++) {
        add_message(p, &grid, &p->tasks->tasks.at[i], &all);
        if (all.n > 2 * joined + 65536) { /* keeps memory near the number of pairs */
            join_ways(&all);
            joined = all.n;
        }
    }
    join_ways(&all);
    *out_n = (uint32_t)all.n;
    struct traffic_report *ways = ARENA_ARRAY(a, struct traffic_report, all.n);
    if (all.n)
        memcpy(ways, all.at, all.n * sizeof *all.at);
    VEC_FREE(&all);
    return ways;
}

void plan_report(const struct plan *p, struct arena *a, struct backend_result *out)
{
    out->detail = ARENA_NEW(a, struct backend_detail);
    report_tiles(p, a, out->detail);
    report_crossbars(p, a, out->detail);
    report_buffers(p, a, out->detail);
    out->detail->traffic = plan_traffic(p, a, &out->detail->n_traffic);
    plan_report_path(p, a, out->detail);
}
