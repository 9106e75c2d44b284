/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * memplan.c - ring sizes from the schedule, then addresses.
 *
 * A buffer's rows share slots modulo `ring`. The ring is the least number for which, in L and in
 * time, every row is read for the last time before the row that takes its slot is first written. So
 * reuse never delays the schedule; the emitted waits on readers only make it certain at other
 * latencies. Rows of the next frame follow those of a frame.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN_BYTES = 64 };

static int32_t held_rows(const struct buffer *b)
{
    return b->held.hi[0] - b->held.lo[0];
}

static void note(const struct plan *p, struct storage *of, uint32_t id, const struct access *a,
                 uint64_t signal_cycles)
{
    const struct schedule *s = p->schedule;
    const struct buffer *b = &p->tasks->buffers.at[a->buffer];
    uint64_t place = (uint64_t)schedule_place(s, id);
    if (b->constant)
        return;
    for (int32_t y = a->rows.lo; y < a->rows.hi; y++) {
        struct row_life *life = &of[a->buffer].life[y - b->held.lo[0]];
        /* what is written but never read must at least have arrived */
        uint64_t end =
            (a->write ? schedule_arrival(p->tasks, s, id, b->tile) : s->end[id]) + signal_cycles;
        if (life->read_end < end)
            life->read_end = end;
        if (life->read_place < place)
            life->read_place = place;
        if (!a->write)
            continue;
        if (!life->written || life->write_start > s->start[id])
            life->write_start = s->start[id];
        if (!life->written || life->write_place > place)
            life->write_place = place;
        life->written = true;
    }
}

/* The reader is counted, the SIGNAL starts, is counted, is on its way, and the writer starts. */
uint64_t plan_signal_cycles(const struct plan *p)
{
    uint64_t registers = 2 * (uint64_t)(p->arch->start_cycles + p->arch->complete_cycles);
    struct tile_grid grid = tile_grid_of(p->arch, p->segment->n_tiles);
    struct cost_work work = {.kind = COST_SIGNAL};
    for (uint32_t t = 0; t < p->segment->n_tiles; t++) { /* no way is longer than through tile 0 */
        uint32_t hops = 2 * tile_grid_hops(&grid, 0, t);
        work.hops = hops > work.hops ? hops : work.hops;
    }
    struct cost cost = arch_cost(p->arch, &work);
    return registers + cost_flight_cycles(&cost);
}

static void find_lives(const struct plan *p, struct storage *of)
{
    for (size_t i = 0; i < p->tasks->buffers.n; i++)
        of[i].life =
            ARENA_ARRAY(p->arena, struct row_life, (size_t)held_rows(&p->tasks->buffers.at[i]));
    struct accesses accesses = {0};
    uint64_t signal_cycles = plan_signal_cycles(p);
    for (uint32_t i = 0; i < p->schedule->n; i++) {
        uint32_t id = p->schedule->order[i];
        task_accesses(p, &p->tasks->tasks.at[id], &accesses);
        for (size_t k = 0; k < accesses.v.n; k++)
            note(p, of, id, &accesses.v.at[k], signal_cycles);
    }
    VEC_FREE(&accesses.v);
}

/*
 * Rows 0..n-1. With R(r) the latest read of any row <= r and W(w) the earliest write of any row >=
 * w, row w may take the slot of the last row r with R(r) before W(w); the ring is the largest such
 * distance.
 */
static uint32_t least_ring(const struct row_life *life, int32_t n)
{
    struct row_life *first = heap_alloc((size_t)n * sizeof *first); /* W */
    struct row_life w = {.write_start = UINT64_MAX, .write_place = UINT64_MAX};
    for (int32_t i = n - 1; i >= 0; i--) {
        if (life[i].written && life[i].write_start < w.write_start)
            w.write_start = life[i].write_start;
        if (life[i].written && life[i].write_place < w.write_place)
            w.write_place = life[i].write_place;
        first[i] = w;
    }
    struct row_life r = {0};
    int32_t free_below = 0, ring = 1; /* rows < free_below are read before first[i] */
    for (int32_t i = 0; i < n; i++) {
        while (free_below < i) {
            struct row_life next = r;
            const struct row_life *row = &life[free_below];
            next.read_end = row->read_end > next.read_end ? row->read_end : next.read_end;
            next.read_place = row->read_place > next.read_place ? row->read_place : next.read_place;
            if (next.read_end > first[i].write_start || next.read_place >= first[i].write_place)
                break;
            r = next;
            free_below++;
        }
        ring = i - free_below + 1 > ring ? i - free_below + 1 : ring;
    }
    heap_free(first);
    return (uint32_t)ring;
}

/* How many frames use the buffer at one time, at most. */
static uint64_t frames_alive(const struct schedule *s, const struct row_life *life, int32_t n)
{
    struct row_life all = {.write_start = UINT64_MAX, .write_place = UINT64_MAX};
    for (int32_t i = 0; i < n; i++) {
        const struct row_life *row = &life[i];
        if (!row->written)
            continue;
        if (row->write_start < all.write_start)
            all.write_start = row->write_start;
        if (row->write_place < all.write_place)
            all.write_place = row->write_place;
        all.read_end = row->read_end > all.read_end ? row->read_end : all.read_end;
        all.read_place = row->read_place > all.read_place ? row->read_place : all.read_place;
        all.written = true;
    }
    if (!all.written)
        return 1;
    uint64_t by_time = (all.read_end - all.write_start) / s->interval;
    uint64_t by_place = (all.read_place - all.write_place) / s->n;
    return 1 + (by_time > by_place ? by_time : by_place);
}

/* The ring of rows of so many frames that the frame in the middle meets all that it can meet. */
static uint32_t ring_of_frames(const struct schedule *s, const struct row_life *life, int32_t n)
{
    uint64_t frames = 2 * frames_alive(s, life, n) + 1;
    struct row_life *all = heap_alloc((size_t)n * frames * sizeof *all);
    for (uint64_t f = 0; f < frames; f++)
        for (int32_t i = 0; i < n; i++) {
            struct row_life *row = &all[f * (uint64_t)n + (uint64_t)i];
            *row = life[i];
            row->write_start += f * s->interval;
            row->read_end += f * s->interval;
            row->write_place += f * s->n;
            row->read_place += f * s->n;
        }
    uint32_t ring = least_ring(all, (int32_t)((uint64_t)n * frames));
    heap_free(all);
    return ring;
}

/* Pitches of a dense block nested in the given order ("hwc", "chw", ...), outermost first. */
static void nest(struct storage *s, enum element element, enum ir_order order,
                 const int32_t extent[3])
{
    const uint8_t *axes = ir_order_axes(order);
    int64_t pitch = (int64_t)element_bytes(element);
    for (int i = 2; i >= 0; i--) {
        s->pitch[axes[i]] = pitch;
        pitch *= extent[axes[i]];
    }
    s->bytes = (uint64_t)pitch;
}

/* The reshape that fills the buffer through a view of its operand's shape, or NULL. */
static const struct ir_op *made_by_reshape(const struct plan *p, const struct buffer *b)
{
    uint32_t node = b->value ? p->nodes->node_of[b->value->id] : NONE;
    if (node == NONE || p->nodes->at[node].kind != NODE_reshape)
        return NULL;
    return p->cells->of[node].home[0] == b->tile ? p->nodes->at[node].root : NULL;
}

/* May it lie in a stack, or get what lies in one? */
static bool is_of_family(const struct plan *p, const struct buffer *b)
{
    if (p->nodes->family[b->shows->id].family != NONE)
        return true;
    const struct value_parts *parts = b->value ? parts_of(p->nodes, b->value) : NULL;
    for (uint32_t i = 0; parts && i < parts->n; i++)
        if (p->nodes->family[p->nodes->at[parts->part[i].node].out->id].family != NONE)
            return true;
    return false;
}

/* Does the task see its operand's rows as other than the operand's own? */
static bool reshapes_rows(const struct plan *p, const struct task *t, unsigned operand)
{
    const struct node *n = task_node(p, t);
    bool spread = n->operand[operand].map[AXIS_H].kind == MAP_ZERO && n->dim[0] > 1;
    return spread || n->kind == NODE_transpose;
}

/* Does it compute what a node that is no base layer makes? */
static bool derives(const struct plan *p, const struct task *t)
{
    return task_kinds[t->kind].unit == QUEUE_VU && task_node(p, t)->kind != NODE_mvm;
}

const bool *plan_frames_alone(const struct plan *p, struct arena *a)
{
    bool *alone = ARENA_ARRAY(a, bool, p->tasks->buffers.n);
    struct accesses accesses = {0};
    for (size_t i = 0; i < p->tasks->tasks.n; i++) {
        const struct task *t = &p->tasks->tasks.at[i];
        if (!derives(p, t))
            continue;
        task_accesses(p, t, &accesses);
        for (unsigned k = 0; k < task_node(p, t)->n_operands; k++)
            alone[accesses.v.at[k].buffer] |= reshapes_rows(p, t, k);
    }
    for (size_t i = 0; i < p->tasks->buffers.n; i++) {
        const struct buffer *b = &p->tasks->buffers.at[i];
        alone[i] |= made_by_reshape(p, b) || is_of_family(p, b) || b->state;
    }
    VEC_FREE(&accesses.v);
    return alone;
}

static void size_ring(const struct plan *p, const struct buffer *b, bool alone, struct storage *s)
{
    int32_t rows = held_rows(b);
    if (rows <= 0) { /* its readers see nothing but padding */
        s->ring = 1;
        return;
    }
    const struct ir_op *reshape = made_by_reshape(p, b);
    if (b->constant || reshape || alone)
        s->ring = (uint32_t)rows;
    else if (schedule_repeats(p->schedule))
        s->ring = ring_of_frames(p->schedule, s->life, rows);
    else
        s->ring = least_ring(s->life, rows);
    int32_t extent[3] = {(int32_t)s->ring, b->held.hi[1] - b->held.lo[1],
                         b->held.hi[2] - b->held.lo[2]};
    nest(s, b->element, reshape ? reshape->attrs->reshape.to : IR_HWC, extent);
}

/* Room on the tile for what is `bytes` long; where it begins. */
static uint64_t reserve(uint64_t *used, uint64_t bytes)
{
    uint64_t at = *used;
    *used += (bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    return at;
}

/* A row of its stack, which gets its room with the first of its buffers. */
static void place_in_stack(struct stack *s, struct storage *of, uint64_t *used)
{
    if (s->rows == 0) {
        s->rows = s->last - s->first + 1;
        s->base = reserve(used, s->rows * of->bytes);
    }
    of->base = s->base + of->row * of->bytes;
}

const struct memory *plan_memory(const struct plan *p)
{
    struct memory *out = ARENA_NEW(p->arena, struct memory);
    struct storage *of = ARENA_ARRAY(p->arena, struct storage, p->tasks->buffers.n);
    uint64_t *used = ARENA_ARRAY(p->arena, uint64_t, p->segment->n_tiles);
    struct stack *stacks = find_stacks(p, of);
    struct arena *a = arena_new();
    const bool *alone = schedule_repeats(p->schedule) ? plan_frames_alone(p, a) : NULL;
    find_lives(p, of);
    for (size_t i = 0; i < p->tasks->buffers.n; i++) {
        const struct buffer *b = &p->tasks->buffers.at[i];
        size_ring(p, b, alone && alone[i], &of[i]);
        if (of[i].bytes == 0)
            continue;
        if (of[i].stack == NONE)
            of[i].base = reserve(&used[b->tile], of[i].bytes);
        else
            place_in_stack(&stacks[of[i].stack], &of[i], &used[b->tile]);
    }
    arena_free(a);
    *out = (struct memory){.stacks = stacks, .of = of, .tile_bytes = used};
    return out;
}
