/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * emit_leads.c - waits for what lies far back are rounded, so that streams repeat themselves.
 *
 * A stream says how far behind what it has come to that lies which an instruction waits for: the
 * wait's lead. Between layers, or copies, that work at different paces leads grow and shrink, and
 * each number of them costs bytes. So waits are for a little more than they need: leads become
 * powers of two, and at least half of each is left. Where that saves a tile no bytes nothing is.
 *
 * Only where an instruction in front, or of the iteration before, has waited for as much: as it
 * starts no later by the schedule, what it waited for is there. So nothing starts later than
 * scheduled, and all waits still point backwards in L. Equal leads stay equal: where one of them
 * could not be rounded so, none is.
 */
#include "emit.h"
#include "isa_stream.h"

#include <string.h>

#define NOT_YET INT64_MIN
enum { LEAST_LEAD = 8 };

struct leads {
    struct emit_tile *tile;
    uint32_t n_counters;
    int64_t *begin;       /* per counter: what was waited for in the iteration before; or NOT_YET */
    int64_t *reached;     /* per counter: what was waited for so far */
    int64_t *dispatched;  /* per queue of the tile */
    struct map number_of; /* (queue, counter, lead) -> number */
    VEC(uint8_t) stays;   /* per number: is it too late for one of them? */
    uint32_t n_rounded;
};

/* Of a message: behind the last one that was waited for. 0: none. */
static int64_t lead_of(const struct leads *l, const struct isa_wait *w)
{
    bool own = w->counter < ISA_FIRST_INBOUND;
    int64_t from = own ? l->dispatched[w->counter] : l->reached[w->counter];
    return from == NOT_YET ? 0 : from - isa_threshold(w->threshold);
}

static int64_t rounded(int64_t lead)
{
    int64_t power = LEAST_LEAD;
    while (2 * power <= lead)
        power *= 2;
    return power;
}

/* Waits of a queue for a counter with the same lead have the same number. */
static uint32_t number_of(struct leads *l, const struct isa_inst *i, const struct isa_wait *w,
                          int64_t lead)
{
    uint64_t key = map_pair((uint32_t)i->queue << 16 | w->counter, (uint32_t)lead);
    uint32_t k = map_intern_u64(&l->number_of, key, (uint32_t)l->stays.n);
    if (k == l->stays.n)
        VEC_PUSH(&l->stays, false);
    return k;
}

typedef void visit(struct leads *l, uint32_t number, struct isa_wait *w, int64_t threshold);

static void note(struct leads *l, uint32_t number, struct isa_wait *w, int64_t threshold)
{
    l->stays.at[number] |= threshold > l->reached[w->counter];
}

static void round_wait(struct leads *l, uint32_t number, struct isa_wait *w, int64_t threshold)
{
    if (l->stays.at[number])
        return;
    w->threshold = (uint32_t)threshold & ((1u << ISA_THRESHOLD_BITS) - 1);
    l->n_rounded++;
}

/* Goes along the stream; `f` sees the waits that can be rounded, and what they then wait for. */
static void walk(struct leads *l, visit *f)
{
    memcpy(l->reached, l->begin, l->n_counters * sizeof *l->reached);
    memset(l->dispatched, 0, ISA_N_QUEUES * sizeof *l->dispatched);
    for (size_t k = 0; k < l->tile->insts.n; k++) {
        struct isa_inst *i = &l->tile->insts.at[k];
        for (struct isa_wait *w = i->wait; w < i->wait + i->n_waits; w++) {
            if (w->counter == ISA_PACE_COUNTER)
                continue;
            int64_t needed = isa_threshold(w->threshold), lead = lead_of(l, w);
            if (f && lead > LEAST_LEAD)
                f(l, number_of(l, i, w, lead), w, needed + lead - rounded(lead));
            l->reached[w->counter] = max_i64(l->reached[w->counter], needed);
        }
        l->dispatched[i->queue]++;
    }
}

/* With frames the iteration before has waited for the same, a body's counts less. */
static void find_begin(const struct emitter *e, uint32_t tile, struct leads *l)
{
    for (uint32_t c = 0; c < l->n_counters; c++)
        l->begin[c] = NOT_YET;
    if (!schedule_repeats(e->p->schedule))
        return;
    walk(l, NULL);
    for (uint32_t c = 0; c < l->n_counters; c++)
        if (l->reached[c] != NOT_YET)
            l->begin[c] = l->reached[c] - sync_step(e, tile, c);
}

/* What a stream of them takes. */
static uint64_t stream_bytes(const struct isa_inst *insts, size_t n)
{
    struct arena *a = arena_new();
    struct isa_stream_bytes s = {0};
    uint64_t bytes = isa_stream_encode(insts, (uint32_t)n, a, &s) ? s.section.n : UINT64_MAX;
    arena_free(a);
    return bytes;
}

static void round_all(struct leads *l, struct arena *a)
{
    size_t n = l->tile->insts.n;
    struct isa_inst *exact = ARENA_ARRAY(a, struct isa_inst, n);
    walk(l, note);
    memcpy(exact, l->tile->insts.at, n * sizeof *exact);
    walk(l, round_wait);
    if (l->n_rounded && stream_bytes(l->tile->insts.at, n) >= stream_bytes(exact, n))
        memcpy(l->tile->insts.at, exact, n * sizeof *exact);
}

void leads_round(struct emitter *e, uint32_t tile)
{
    struct arena *a = arena_new();
    struct leads l = {.tile = &e->tiles[tile]};
    l.n_counters = ISA_FIRST_INBOUND + (uint32_t)l.tile->inbound.n;
    l.begin = ARENA_ARRAY(a, int64_t, l.n_counters);
    l.reached = ARENA_ARRAY(a, int64_t, l.n_counters);
    l.dispatched = ARENA_ARRAY(a, int64_t, ISA_N_QUEUES);
    find_begin(e, tile, &l);
    if (l.tile->insts.n)
        round_all(&l, a);
    map_free(&l.number_of);
    VEC_FREE(&l.stays);
    arena_free(a);
}
