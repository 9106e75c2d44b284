/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * resource.h - a machine in time: units that are busy, messages under way, what happens next.
 *
 * Scheduler and simulator own one `struct resources` each and step it by the same calls:
 *
 *     while (resource_next_time(&r))
 *         while (resource_next_event(&r, &e))
 *             ...                              resource_reserve for what starts, event_add for
 * later
 *
 * So what starts at the same time ends at the same time in both. SIM.md 2 has the rules.
 */
#ifndef CIMC_RESOURCE_H
#define CIMC_RESOURCE_H

#include "arch.h"

enum event_kind { EVENT_COMPLETE, EVENT_UNIT_FREE, EVENT_ARRIVE, EVENT_ISSUE };
/* Of several at one time the least rank comes first, which is the owner's: by tile, queue and
 * position. */
struct event {
    uint64_t time, rank;
    enum event_kind kind;
    uint32_t what; /* number of a queue, an instruction, a counter, a tile: the owner's, too */
};
/* Serves one queue. */
struct unit {
    uint64_t free_at;  /* takes the next piece of work */
    uint64_t last_end; /* of the one started last; a queue completes in order */
    uint64_t next_end; /* no earlier ends the next one */
    /* Of a machine with few in flight: when each of the last ones is counted, a ring. */
    uint64_t *counted;
    uint32_t cap, first, n;
};
/* The messages that one counter counts, in their order. */
struct channel {
    uint64_t next_counted; /* no earlier is the next one */
};
struct resources {
    uint64_t now;
    VEC(struct event) events; /* a heap */
    struct unit *units;       /* one for each queue of the machine */
    uint32_t n_units, inflight;
    uint64_t complete_cycles;
};

void resource_init(struct resources *r, const struct arch *arch,
                   uint32_t n_queues); /* at time 0, all free */
void resource_free(struct resources *r);

/* Goes on to the time of the first event; false if there is none. */
bool resource_next_time(struct resources *r);
/* Takes the next event of the present time; false if there is none. */
bool resource_next_event(struct resources *r, struct event *out);
void event_add(struct resources *r, struct event e);

/* Does the work need the unit of its queue? */
static inline bool resource_takes_unit(const struct cost *c)
{
    return c->n_stages > 0 && c->stage[0].unit != UNIT_LINK;
}
/* From when on the queue lets work begin: its unit is free, if it takes that, and few enough are in
 * flight. */
static inline uint64_t resource_ready_at(const struct resources *r, uint32_t queue, bool takes_unit)
{
    const struct unit *u = &r->units[queue];
    uint64_t free_at = takes_unit ? u->free_at : 0;
    bool all = r->inflight > 0 && u->n == r->inflight;
    return all ? max_u64(free_at, u->counted[u->first]) : free_at;
}
struct reservation {
    uint64_t unit_free, end, counted, arrival; /* arrival: of its messages; times saturate */
};
/* Work of this cost, and `extra` cycles more until it is complete, starts at `start`, when the
 * queue is ready for it. */
struct reservation resource_reserve(struct resources *r, uint32_t queue, uint64_t start,
                                    const struct cost *c, uint64_t extra);
/* When a message that arrives then is counted: not before the one before it, nor with it where
 * completion takes time. */
uint64_t channel_count(const struct resources *r, struct channel *c, uint64_t arrival);

#endif
