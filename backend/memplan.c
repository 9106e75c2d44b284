/*
 * memplan.c - ring sizes from the schedule, then addresses.
 *
 * A buffer's rows share slots modulo `ring`. The ring is the least number for which, in L and in
 * time, every row is read for the last time before the row that takes its slot is first written. So
 * reuse never delays the schedule; the emitted waits on readers only make it certain at other
 * latencies.
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
    if (b->constant)
        return;
    for (int32_t y = a->rows.lo; y < a->rows.hi; y++) {
        struct row_life *life = &of[a->buffer].life[y - b->held.lo[0]];
        /* what is written but never read must at least have arrived */
        uint64_t end =
            (a->write ? schedule_arrival(p->tasks, s, id, b->tile) : s->end[id]) + signal_cycles;
        if (life->read_end < end)
            life->read_end = end;
        if (life->read_order < s->rank[id])
            life->read_order = s->rank[id];
        if (!a->write)
            continue;
        if (!life->written || life->write_start > s->start[id])
            life->write_start = s->start[id];
        if (!life->written || life->write_order > s->rank[id])
            life->write_order = s->rank[id];
        life->written = true;
    }
}

/* Longest time a credit can travel on this machine. */
static uint64_t longest_signal_cycles(const struct plan *p)
{
    struct tile_grid grid = tile_grid_of(p->arch, p->segment->n_tiles);
    struct cost_work work = {.kind = COST_SIGNAL};
    for (uint32_t t = 0; t < p->segment->n_tiles; t++) { /* no way is longer than through tile 0 */
        uint32_t hops = 2 * tile_grid_hops(&grid, 0, t);
        work.hops = hops > work.hops ? hops : work.hops;
    }
    struct cost cost = arch_cost(p->arch, &work);
    return cost_flight_cycles(&cost);
}

static void find_lives(const struct plan *p, struct storage *of)
{
    for (size_t i = 0; i < p->tasks->buffers.n; i++)
        of[i].life =
            ARENA_ARRAY(p->arena, struct row_life, (size_t)held_rows(&p->tasks->buffers.at[i]));
    struct accesses accesses = {0};
    uint64_t signal_cycles = longest_signal_cycles(p);
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
    struct row_life w = {.write_start = UINT64_MAX, .write_order = UINT32_MAX};
    for (int32_t i = n - 1; i >= 0; i--) {
        if (life[i].written && life[i].write_start < w.write_start)
            w.write_start = life[i].write_start;
        if (life[i].written && life[i].write_order < w.write_order)
            w.write_order = life[i].write_order;
        first[i] = w;
    }
    struct row_life r = {0};
    int32_t free_below = 0, ring = 1; /* rows < free_below are read before first[i] */
    for (int32_t i = 0; i < n; i++) {
        while (free_below < i) {
            struct row_life next = r;
            const struct row_life *row = &life[free_below];
            next.read_end = row->read_end > next.read_end ? row->read_end : next.read_end;
            next.read_order = row->read_order > next.read_order ? row->read_order : next.read_order;
            if (next.read_end > first[i].write_start || next.read_order >= first[i].write_order)
                break;
            r = next;
            free_below++;
        }
        ring = i - free_below + 1 > ring ? i - free_below + 1 : ring;
    }
    free(first);
    return (uint32_t)ring;
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

static void size_ring(const struct plan *p, const struct buffer *b, struct storage *s)
{
    int32_t rows = held_rows(b);
    if (rows <= 0) { /* its readers see nothing but padding */
        s->ring = 1;
        return;
    }
    const struct ir_op *reshape = made_by_reshape(p, b);
    s->ring = b->constant || reshape ? (uint32_t)rows : least_ring(s->life, rows);
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
    find_lives(p, of);
    for (size_t i = 0; i < p->tasks->buffers.n; i++) {
        const struct buffer *b = &p->tasks->buffers.at[i];
        size_ring(p, b, &of[i]);
        if (of[i].bytes == 0)
            continue;
        if (of[i].stack == NONE)
            of[i].base = reserve(&used[b->tile], of[i].bytes);
        else
            place_in_stack(&stacks[of[i].stack], &of[i], &used[b->tile]);
    }
    *out = (struct memory){.stacks = stacks, .of = of, .tile_bytes = used};
    return out;
}
