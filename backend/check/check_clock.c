/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_clock.c - what an instruction can be sure of when it starts.
 *
 * A clock counts, for each queue of the tile, the instructions known to be complete, and for each
 * channel the messages known to have arrived. An instruction knows what its predecessor in the
 * queue knew; in the queues of groups and of the VU also that the predecessor is complete. A wait
 * for count n of a queue adds all that the n-th instruction of that queue knew at its completion; a
 * wait for a message adds that message and all before it on its counter.
 *
 * Of other tiles a tile knows what their SIGNALs tell: a SIGNAL's clock is that of its queue when
 * the predecessor has completed. Only the TX queue needs it, since only SENDs write elsewhere.
 */
#include "check_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BACK = 255 }; /* iterations: of all stages, and of all frames in a ring */

static bool is_in_order_unit(const struct tile_state *t, uint32_t queue)
{
    return queue <= isa_queue_vu(t->t); /* groups and VU: one instruction at a time */
}

static void join(uint32_t *into, const uint32_t *other, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        into[i] = into[i] > other[i] ? into[i] : other[i];
}

/* ---- set-up ---- */

static struct counter *inbound(struct tile_state *t, uint32_t counter)
{
    return &t->counters[t->n_queues + (counter - ISA_FIRST_INBOUND)];
}

static bool is_pace(const struct check *k, const struct isa_wait *w)
{
    return k->p->pace && w->counter == ISA_PACE_COUNTER;
}

struct counter *check_counter(struct tile_state *t, const struct isa_wait *w)
{
    return w->counter < ISA_FIRST_INBOUND ? &t->counters[w->counter] : inbound(t, w->counter);
}

int64_t check_awaited(const struct check *k, struct tile_state *t, const struct isa_wait *w)
{
    if (is_pace(k, w))
        return 0; /* it counts by itself */
    return isa_threshold(w->threshold) + (int64_t)k->iteration * check_counter(t, w)->step;
}

static struct channel *channel_of(struct tile_state *t, uint32_t counter)
{
    return &t->channels[counter - ISA_FIRST_INBOUND];
}

static bool add_target(struct check *k, const struct tile_state *from, uint32_t index,
                       const struct isa_inst *in, const struct isa_target *to)
{
    struct tile_state *t = &k->tiles[to->tile];
    struct channel *c = channel_of(t, to->counter);
    if (c->tile == CHECK_NONE) {
        c->tile = from->number;
        c->queue = in->queue;
    }
    if (c->tile != from->number || c->queue != in->queue)
        return check_fault_at(k, from->number, index,
                              "counter %u of tile %u has another writer: "
                              "queue %u of tile %u",
                              to->counter, to->tile, c->queue, c->tile);
    inbound(t, to->counter)->step++;
    if (in->op == ISA_send)
        t->views[to->view].written = true;
    return true;
}

static bool add_route(struct check *k, struct tile_state *t, uint32_t index,
                      const struct isa_inst *in)
{
    const struct isa_route *r = &t->t->routes[in->obj];
    t->sends[in->obj] |= in->op == ISA_send;
    for (uint32_t i = 0; i < r->n_targets; i++)
        if (!add_target(k, t, index, in, &r->targets[i]))
            return false;
    return true;
}

/* Counts of an iteration, which views are written, who sends where. */
static bool scan_stream(struct check *k, struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_insts; i++) {
        const struct isa_inst *in = &t->t->insts[i];
        t->counters[in->queue].step++;
        if ((in->op == ISA_send || in->op == ISA_signal) && !add_route(k, t, i, in))
            return false;
        if (isa_op_has_dst(in->op))
            t->views[in->dst.view].written = true;
        if (in->op == ISA_load && in->flags & DMA_FIRST)
            t->views[in->dst.view].state = true;
    }
    return true;
}

static unsigned counter_name(const struct tile_state *t, unsigned dim)
{
    return dim < t->n_queues ? dim : dim - t->n_queues + ISA_FIRST_INBOUND;
}

/* Counters go on from iteration to iteration, with no wait further behind than the stages reach. */
static bool check_totals(struct check *k, const struct tile_state *t)
{
    bool ok = true;
    for (unsigned i = 0; i < t->n_dims; i++) {
        uint64_t span = (uint64_t)t->counters[i].step * (k->body ? k->n_stages + 1 : 1);
        if (span > ISA_MAX_COUNT)
            ok = check_fault_program(k, "tile %u: counter %u reaches %" PRIu64, t->number,
                                     counter_name(t, i), span);
    }
    return ok;
}

/* Where the n-th completion of queue q is kept, n from 1 on. */
static size_t kept_at(const struct tile_state *t, uint32_t q, uint32_t n)
{
    const struct counter *c = &t->counters[q];
    return ((size_t)c->first + (n - 1) % c->step) * t->n_laps + (n - 1) / c->step % t->n_laps;
}

/* A wait of iteration 0 must ask for something that happens by then. */
static bool scan_wait(struct check *k, struct tile_state *t, uint32_t index,
                      const struct isa_wait *w)
{
    const struct counter *c = check_counter(t, w);
    int64_t awaited = isa_threshold(w->threshold);
    if (awaited > c->step)
        return check_fault_at(k, t->number, index,
                              "waits for counter %u >= %" PRId64 ", which ends%s at %u", w->counter,
                              awaited, k->body ? " the iteration" : "", c->step);
    if ((!k->body && awaited == 0) || c->step == 0 || w->counter >= ISA_FIRST_INBOUND)
        return true;
    int64_t back = -floor_div_i64(awaited - 1, c->step); /* iterations */
    if (back > MAX_BACK)
        return check_fault_at(k, t->number, index,
                              "waits for what counter %u counted %" PRId64 " iterations before: "
                              "more than %d",
                              w->counter, back, MAX_BACK);
    t->n_laps = back >= t->n_laps ? (uint32_t)back + 1 : t->n_laps;
    t->wanted[c->first + awaited - 1 + back * c->step]++;
    return true;
}

/* Thresholds that are reached, and whose clocks will be asked for. */
static bool scan_waits(struct check *k, struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_insts; i++)
        for (unsigned j = 0; j < t->t->insts[i].n_waits; j++)
            if (!is_pace(k, &t->t->insts[i].wait[j]) &&
                !scan_wait(k, t, i, &t->t->insts[i].wait[j]))
                return false;
    return true;
}

/* What the first frame loads belongs to the frame before it, as all of a state that a frame reads.
 */
static uint8_t stage_of_result(const struct isa_inst *in)
{
    bool state = in->op == ISA_load && in->flags & DMA_FIRST;
    return (uint8_t)(in->stage + state);
}

/* Stages of what each counter counts, in the order in which it does. */
static void list_stages(struct check *k, struct tile_state *t)
{
    for (uint32_t i = 0; i < t->t->n_insts; i++) {
        const struct isa_inst *in = &t->t->insts[i];
        struct counter *own = &t->counters[in->queue];
        t->stages[own->first + own->count++] = stage_of_result(in);
        if (in->op != ISA_send && in->op != ISA_signal)
            continue;
        const struct isa_route *r = &t->t->routes[in->obj];
        for (uint32_t j = 0; j < r->n_targets; j++) {
            struct tile_state *to = &k->tiles[r->targets[j].tile];
            struct counter *c = inbound(to, r->targets[j].counter);
            to->stages[c->first + c->count++] = in->stage;
        }
    }
}

static void make_clocks(struct check *k, struct tile_state *t)
{
    for (unsigned q = 0; q < t->n_queues; q++)
        t->queues[q].clock = ARENA_ARRAY(k->arena, uint32_t, t->n_dims);
    t->clock_apart = ARENA_ARRAY(k->arena, uint32_t, t->n_dims);
    uint32_t first = 0;
    for (unsigned i = 0; i < t->n_dims; i++) {
        t->counters[i].first = first;
        first += t->counters[i].step;
    }
    t->n_laps = 1;
    t->stages = heap_alloc((size_t)first + 1);
    t->wanted = heap_alloc((t->t->n_insts + (size_t)1) * sizeof *t->wanted);
}

/* What t must know about the tiles it sends data to: their clocks, through their channels. */
static void make_knowledge(struct check *k, struct tile_state *t)
{
    const struct isa_tile *s = t->t;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_routes; i++)
        n += s->routes[i].n_targets;
    t->knowledge = ARENA_ARRAY(k->arena, struct knowledge, (size_t)n + 1);
    for (uint32_t i = 0; i < s->n_routes; i++)
        for (uint32_t j = 0; t->sends[i] && j < s->routes[i].n_targets; j++) {
            uint32_t of = s->routes[i].targets[j].tile, m = 0;
            while (m < t->n_knowledge && t->knowledge[m].tile != of)
                m++;
            if (of == t->number || m < t->n_knowledge)
                continue;
            struct knowledge *w = &t->knowledge[t->n_knowledge++];
            w->tile = of;
            w->clock = ARENA_ARRAY(k->arena, uint32_t, k->tiles[of].n_dims);
            w->channels = ARENA_ARRAY(k->arena, uint32_t, (size_t)t->n_channels + 1);
            for (uint32_t c = 0; c < t->n_channels; c++) {
                if (t->channels[c].tile != of)
                    continue;
                t->channels[c].wanted = true;
                t->channels[c].told = ARENA_ARRAY(k->arena, uint32_t, k->tiles[of].n_dims);
                w->channels[w->n_channels++] = c;
            }
        }
}

bool check_clock_prepare(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        if (!scan_stream(k, &k->tiles[i]))
            return false;
    bool ok = true;
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        ok &= check_totals(k, &k->tiles[i]);
    for (uint32_t i = 0; ok && i < k->p->n_tiles; i++)
        make_clocks(k, &k->tiles[i]);
    for (uint32_t i = 0; ok && i < k->p->n_tiles; i++) {
        struct tile_state *t = &k->tiles[i];
        make_knowledge(k, t);
        if (k->body)
            list_stages(k, t);
        ok = scan_waits(k, t);
        t->kept = heap_alloc((t->t->n_insts * (size_t)t->n_laps + 1) * sizeof *t->kept);
    }
    if (ok)
        check_clock_reset(k);
    return ok;
}

void check_clock_free(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++) {
        struct tile_state *t = &k->tiles[i];
        for (unsigned j = 0; j < t->n_channels; j++)
            VEC_FREE(&t->channels[j].news);
        VEC_FREE(&t->pool);
        VEC_FREE(&t->pool_free);
        heap_free(t->stages);
        heap_free(t->wanted);
        heap_free(t->kept);
    }
}

static void reset_tile(struct check *k, struct tile_state *t)
{
    for (unsigned i = 0; i < t->n_dims; i++)
        t->counters[i].count = 0;
    for (unsigned q = 0; q < t->n_queues; q++)
        memset(t->queues[q].clock, 0, t->n_dims * sizeof *t->queues[q].clock);
    for (uint32_t i = 0; i < t->n_channels; i++) {
        struct channel *c = &t->channels[i];
        c->n_messages = 0;
        c->news.n = c->heard = 0;
        if (c->told)
            memset(c->told, 0, k->tiles[c->tile].n_dims * sizeof *c->told);
    }
    for (uint32_t i = 0; i < t->n_knowledge; i++) {
        struct knowledge *w = &t->knowledge[i];
        memset(w->clock, 0, k->tiles[w->tile].n_dims * sizeof *w->clock);
    }
    t->pool.n = t->pool_free.n = 0;
    memset(t->kept, 0, t->t->n_insts * (size_t)t->n_laps * sizeof *t->kept);
}

void check_clock_reset(struct check *k)
{
    for (uint32_t i = 0; i < k->p->n_tiles; i++)
        reset_tile(k, &k->tiles[i]);
}

int64_t check_frame_of(const struct tile_state *t, uint32_t dim, uint32_t number)
{
    const struct counter *c = &t->counters[dim];
    return (int64_t)((number - 1) / c->step) - t->stages[c->first + (number - 1) % c->step];
}

/* ---- copies of clocks ---- */

static uint32_t *copy_at(struct tile_state *t, uint32_t place)
{
    return t->pool.at + (size_t)(place - 1) * t->n_dims;
}

static uint32_t take_place(struct tile_state *t)
{
    if (t->pool_free.n)
        return t->pool_free.at[--t->pool_free.n];
    VEC_RESERVE(&t->pool, t->pool.n + t->n_dims);
    t->pool.n += t->n_dims;
    return (uint32_t)(t->pool.n / t->n_dims);
}

void check_clock_complete(struct tile_state *t, uint32_t q, uint32_t number)
{
    uint32_t wanted = t->wanted[t->counters[q].first + (number - 1) % t->counters[q].step];
    if (!wanted)
        return;
    struct clock_copy *kept = &t->kept[kept_at(t, q, number)];
    /* Who is skipped has not asked for what lay there some iterations ago. */
    *kept = (struct clock_copy){kept->left ? kept->place : take_place(t), wanted};
    uint32_t *copy = copy_at(t, kept->place);
    memcpy(copy, t->queues[q].clock, t->n_dims * sizeof *copy);
    copy[q] = number;
}

/* ---- waits ---- */

static void learn_from_queue(struct tile_state *t, uint32_t *clock, uint32_t q, uint32_t awaited)
{
    struct clock_copy *kept = &t->kept[kept_at(t, q, awaited)];
    if (clock[q] < awaited)
        join(clock, copy_at(t, kept->place), t->n_dims);
    if (--kept->left == 0)
        VEC_PUSH(&t->pool_free, kept->place);
}

static void learn_from_messages(uint32_t *known, uint32_t awaited)
{
    *known = *known > awaited ? *known : awaited;
}

const uint32_t *check_clock_start(const struct check *k, struct tile_state *t, uint32_t q,
                                  bool skipped)
{
    struct queue_state *s = &t->queues[q];
    uint32_t *clock = s->clock;
    if (is_in_order_unit(t, q))
        clock[q] = t->counters[q].count;
    if (check_in_some_frames(s->head))
        clock = memcpy(t->clock_apart, clock, t->n_dims * sizeof *clock);
    for (unsigned i = 0; i < s->head->n_waits && !skipped; i++) {
        const struct isa_wait *w = &s->head->wait[i];
        int64_t awaited = check_awaited(k, t, w);
        if (awaited < 1)
            continue;
        if (w->counter < ISA_FIRST_INBOUND)
            learn_from_queue(t, clock, w->counter, (uint32_t)awaited);
        else
            learn_from_messages(&clock[check_counter(t, w) - t->counters], (uint32_t)awaited);
    }
    return clock;
}

/* ---- messages ---- */

/* A SIGNAL leaves when its predecessor is complete. */
static void tell(const struct actor *a, struct channel *c)
{
    for (uint32_t dim = 0; dim < a->t->n_dims; dim++) {
        uint32_t count = dim == a->queue ? a->number - 1 : a->clock[dim];
        if (count <= c->told[dim])
            continue;
        c->told[dim] = count;
        struct news n = {c->n_messages, dim, count};
        VEC_PUSH(&c->news, n);
    }
}

uint32_t check_clock_message(struct check *k, const struct actor *a, const struct isa_target *to)
{
    struct channel *c = channel_of(&k->tiles[to->tile], to->counter);
    c->n_messages++;
    if (a->in->op == ISA_signal && c->wanted)
        tell(a, c);
    return c->n_messages;
}

const uint32_t *check_clock_known(const struct actor *a, uint32_t of)
{
    struct tile_state *t = a->t;
    if (of == t->number)
        return a->clock;
    struct knowledge *w = t->knowledge;
    while (w < t->knowledge + t->n_knowledge && w->tile != of)
        w++;
    if (w == t->knowledge + t->n_knowledge)
        BUG("tile %u sends to tile %u unexpectedly", t->number, of);
    for (uint32_t i = 0; i < w->n_channels; i++) {
        struct channel *c = &t->channels[w->channels[i]];
        uint32_t arrived = a->clock[t->n_queues + w->channels[i]];
        for (; c->heard < c->news.n && c->news.at[c->heard].message <= arrived; c->heard++) {
            const struct news *n = &c->news.at[c->heard];
            w->clock[n->dim] = w->clock[n->dim] > n->count ? w->clock[n->dim] : n->count;
        }
    }
    return w->clock;
}
