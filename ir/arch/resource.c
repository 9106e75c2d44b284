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

void resource_init(struct resources *r, uint32_t n_queues)
{
    *r = (struct resources){.units = heap_alloc(n_queues * sizeof *r->units)};
}

void resource_free(struct resources *r)
{
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

bool resource_takes_unit(const struct cost *c)
{
    return c->n_stages > 0 && c->stage[0].unit != UNIT_LINK;
}

struct reservation resource_reserve(struct resources *r, uint32_t queue, const struct cost *c,
                                    uint64_t extra)
{
    struct unit *u = &r->units[queue];
    if (resource_takes_unit(c))
        u->free_at = after(r->now, c->stage[0].cycles);
    u->last_end = max_u64(u->last_end, after(after(r->now, cost_latency_cycles(c)), extra));
    return (struct reservation){.unit_free = u->free_at,
                                .end = u->last_end,
                                .arrival = after(u->last_end, cost_flight_cycles(c))};
}

uint64_t channel_count(struct channel *c, uint64_t arrival)
{
    c->last_counted = max_u64(c->last_counted, arrival);
    return c->last_counted;
}
