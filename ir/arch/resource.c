/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * resource.c - the events of a machine in order of time, and reservation of its units.
 *
 * Every unit is private to its queue so far: it is busy for the first stage of a cost. What comes
 * after that stage, DRAM's answer or a message's way, is never contended.
 */
#include "resource.h"

#include <stdlib.h>

void resource_init(struct resources *r, const struct arch *arch, uint32_t n_queues)
{
    *r = (struct resources){.units = heap_alloc(n_queues * sizeof *r->units),
                            .n_units = n_queues,
                            .inflight = (uint32_t)arch->inflight,
                            .complete_cycles = (uint64_t)arch->complete_cycles};
}

void resource_free(struct resources *r)
{
    for (uint32_t i = 0; i < r->n_units; i++)
        heap_free(r->units[i].counted);
    heap_free(r->units);
    r->units = NULL;
    VEC_FREE(&r->events);
}

/* ---- events ---- */

static bool earlier(const struct event *a, const struct event *b)
{
    return a->time != b->time ? a->time < b->time : a->rank < b->rank;
}

void event_add(struct resources *r, struct event e)
{
    VEC_PUSH(&r->events, e);
    struct event *h = r->events.at;
    size_t i = r->events.n - 1;
    for (; i > 0 && earlier(&e, &h[(i - 1) / 2]); i = (i - 1) / 2)
        h[i] = h[(i - 1) / 2];
    h[i] = e;
}

bool resource_next_time(struct resources *r)
{
    if (r->events.n == 0)
        return false;
    r->now = r->events.at[0].time;
    return true;
}

bool resource_next_event(struct resources *r, struct event *out)
{
    struct event *h = r->events.at;
    if (r->events.n == 0 || h[0].time != r->now)
        return false;
    *out = h[0];
    struct event last = h[--r->events.n];
    size_t n = r->events.n, i = 0;
    for (size_t child = 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && earlier(&h[child + 1], &h[child]))
            child++;
        if (!earlier(&h[child], &last))
            break;
        h[i] = h[child];
        i = child;
    }
    h[i] = last;
    return true;
}

/* ---- reservation ---- */

static uint64_t after(uint64_t time, uint64_t cycles)
{
    return cycles > UINT64_MAX - time ? UINT64_MAX : time + cycles;
}

/* One more is in flight; where all are, the one that is counted first makes room. */
static void enter_flight(struct resources *r, struct unit *u, uint64_t counted)
{
    if (u->n == r->inflight) {
        u->first = (u->first + 1) % u->cap;
        u->n--;
    }
    if (u->n == u->cap) { /* so far nothing has left: the ring begins at 0 */
        u->cap = 2 * u->cap + 1 < r->inflight ? 2 * u->cap + 1 : r->inflight;
        u->counted = heap_realloc(u->counted, u->cap * sizeof *u->counted);
    }
    u->counted[(u->first + u->n++) % u->cap] = counted;
}

/* Of two that end, or are counted, one after the other. */
static uint64_t next_after(const struct resources *r, uint64_t time)
{
    return after(time, r->complete_cycles > 0);
}

struct reservation resource_reserve(struct resources *r, uint32_t queue, uint64_t start,
                                    const struct cost *c, uint64_t extra)
{
    struct unit *u = &r->units[queue];
    if (resource_takes_unit(c))
        u->free_at = after(start, c->stage[0].cycles);
    u->last_end = max_u64(u->next_end, after(after(start, cost_latency_cycles(c)), extra));
    u->next_end = next_after(r, u->last_end);
    uint64_t counted = after(u->last_end, r->complete_cycles);
    if (r->inflight > 0)
        enter_flight(r, u, counted);
    return (struct reservation){.unit_free = u->free_at,
                                .end = u->last_end,
                                .counted = counted,
                                .arrival = after(counted, cost_flight_cycles(c))};
}

uint64_t channel_count(const struct resources *r, struct channel *c, uint64_t arrival)
{
    uint64_t counted = max_u64(c->next_counted, arrival);
    c->next_counted = next_after(r, counted);
    return counted;
}
