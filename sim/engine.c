/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * engine.c - what happens when: dispatch, start, completion and delivery on an integer time axis.
 *
 * In: the flat records of sim_prepare. Out: cycle counts; the order of completions, or else calls
 * the function of each instruction at its completion. SIM.md has the rules. Everything that can
 * happen now is run to a fixpoint before time advances; counters only grow, so the order inside an
 * instant changes neither values nor times. Invariant: a queue whose head is blocked on a counter
 * sits on exactly that counter's list.
 */
#include "sim_internal.h"

#include <stdlib.h>

enum { PROGRESS_INSTANTS = 1 << 13 }; /* from one word about progress to the next */

/* Times beyond this are a fault, so that no sum of two can wrap. */
#define LAST_CYCLE (UINT64_C(1) << 62)

/* ---- work of this instant ---- */

static void list_queue(struct sim *s, uint32_t queue)
{
    if (!s->queues[queue].listed) {
        s->queues[queue].listed = true;
        s->work[s->n_work++] = queue;
    }
}

static void list_tile(struct sim *s, uint32_t tile)
{
    if (!s->tiles[tile].listed) {
        s->tiles[tile].listed = true;
        s->work[s->n_work++] = s->n_queues + tile;
    }
}

static uint64_t extra_cycles(struct sim *s)
{
    if (s->o.latency_seed == 0)
        return 0;
    uint64_t most = s->o.max_extra_cycles < UINT32_MAX ? s->o.max_extra_cycles : UINT32_MAX;
    return random_next(&s->random) % (most + 1);
}

/* ---- counters ---- */

static bool wait_holds(const struct sim *s, const struct sim_wait *w)
{
    uint32_t ahead = s->counters[w->counter].count - w->threshold;
    return (ahead & ((1u << ISA_THRESHOLD_BITS) - 1)) < 1u << (ISA_THRESHOLD_BITS - 1);
}

/* Modulo 2^32, of which the comparison takes the low 22 bits; a body may count on for ever. */
static void bump(struct sim *s, uint32_t counter)
{
    struct sim_counter *c = &s->counters[counter];
    if (++c->count > ISA_MAX_COUNT && s->iterations == 1)
        sim_fault(s, "a counter exceeds %d", (int)ISA_MAX_COUNT);
    uint32_t *link = &c->parked;
    while (*link != SIM_NONE) {
        struct sim_queue *q = &s->queues[*link];
        uint32_t queue = *link;
        if (!wait_holds(s, &(struct sim_wait){counter, q->threshold})) {
            link = &q->next_parked;
            continue;
        }
        *link = q->next_parked;
        q->parked_on = SIM_NONE;
        list_queue(s, queue);
    }
}

/* Of several at one time: by tile, queue and position. */
static void add_event(struct sim *s, uint64_t time, enum event_kind kind, uint32_t queue,
                      uint32_t inst, uint32_t what)
{
    uint64_t rank = (uint64_t)queue << 32 | inst;
    event_add(&s->time, (struct event){time, rank, kind, what});
}

/* Data is in place at completion; the counters follow when the messages are there (and some cycles
 * later in random mode). */
static void deliver(struct sim *s, uint32_t queue, uint32_t inst, bool skipped)
{
    const struct sim_inst *i = &s->insts[inst];
    uint64_t arrival = s->time.now + (skipped ? 0 : cost_flight_cycles(&i->cost));
    for (uint32_t k = 0; k < i->n_targets; k++) {
        uint32_t counter = s->targets[i->route + k].counter;
        uint64_t extra = skipped ? 0 : extra_cycles(s);
        uint64_t time = channel_count(&s->counters[counter].channel, arrival + extra);
        if (time == s->time.now)
            bump(s, counter);
        else
            add_event(s, time, EVENT_ARRIVE, queue, inst, counter);
    }
}

/* ---- an instruction's life ---- */

/* The next one of a queue's list, in the next iteration after the last one. */
static void go_on(const struct sim *s, uint32_t first, uint32_t *id, uint32_t *iteration)
{
    *id = s->insts[*id].next;
    if (*id == SIM_NONE && *iteration + 1 < s->iterations) {
        *id = first;
        ++*iteration;
    }
}

static void note_start(struct sim_starts *r, uint32_t n, uint64_t time)
{
    if (n == r->cap) { /* full: it becomes twice as long, from its first one on */
        uint64_t *at = heap_alloc((2 * (size_t)n + 1) * sizeof *at);
        for (uint32_t i = 0; i < n; i++)
            at[i] = r->at[(r->first + i) % n];
        heap_free(r->at);
        *r = (struct sim_starts){at, 2 * n + 1, 0};
    }
    r->at[(r->first + n) % r->cap] = time;
}

static uint64_t take_start(struct sim_starts *r)
{
    uint64_t time = r->at[r->first];
    r->first = (r->first + 1) % r->cap;
    return time;
}

static bool run_function(struct sim *s, uint32_t queue, uint32_t index)
{
    uint32_t tile = s->at_tile, id = s->queues[queue].oldest;
    if (sim_is_lazy(s)) {
        if (s->family[id] != SIM_NONE)
            VEC_PUSH(&s->completed, id);
    } else if (!s->o.no_function && !sim_execute(s, tile, index, &s->p->tiles[tile].insts[index])) {
        return false;
    }
    if (s->starts)
        s->o.completed(s->o.self, tile, s->at_frame, index, &s->p->tiles[tile].insts[index],
                       take_start(&s->starts[queue]), s->time.now);
    return true;
}

/* The oldest running instruction of the queue ends now. */
static bool complete(struct sim *s, uint32_t queue)
{
    struct sim_queue *q = &s->queues[queue];
    uint32_t id = q->oldest, frame = sim_frame_of(s, &s->insts[id], q->oldest_iteration);
    bool skipped = frame == SIM_NONE;
    s->at_tile = q->tile;
    s->at_inst = id - s->tiles[q->tile].first_inst;
    s->at_frame = frame;
    if (!skipped) {
        if (!run_function(s, queue, s->at_inst))
            return false;
        s->frame[frame].end = s->last_end = s->time.now;
    } else if (s->starts) {
        take_start(&s->starts[queue]);
    }
    go_on(s, q->first, &q->oldest, &q->oldest_iteration);
    q->running--;
    s->n_done++;
    s->n_skipped += skipped;
    bump(s, q->counter);
    deliver(s, queue, id, skipped);
    return !s->failed;
}

/* The pace counter is n from cycle (n - 1) * pace on: who waits is listed again then. */
static bool pace_holds(struct sim *s, uint32_t queue, const struct sim_wait *w)
{
    struct sim_queue *q = &s->queues[queue];
    uint64_t time;
    int64_t count = isa_threshold(w->threshold) + (int64_t)q->head_iteration;
    if (count <= 1)
        return true;
    if (__builtin_mul_overflow((uint64_t)count - 1, s->p->pace, &time) || time > LAST_CYCLE) {
        s->at_tile = q->tile;
        s->at_inst = q->head - s->tiles[q->tile].first_inst;
        return sim_fault(s, "it would start after 2^62 cycles");
    }
    if (time <= s->time.now)
        return true;
    q->parked_on = s->pace_counter;
    add_event(s, time, EVENT_UNIT_FREE, queue, q->head, queue);
    return false;
}

/* True where all waits of the queue's head hold; else the queue is parked on the first that does
 * not. */
static bool head_ready(struct sim *s, uint32_t queue)
{
    struct sim_queue *q = &s->queues[queue];
    const struct sim_inst *i = &s->insts[q->head];
    for (uint32_t k = 0; k < i->n_waits; k++) {
        struct sim_wait w = s->waits.at[i->wait + k];
        if (w.counter == s->pace_counter) {
            if (!pace_holds(s, queue, &w))
                return false;
            continue;
        }
        w.threshold += q->head_iteration * s->counters[w.counter].step;
        if (wait_holds(s, &w))
            continue;
        q->parked_on = w.counter;
        q->threshold = w.threshold;
        q->next_parked = s->counters[w.counter].parked;
        s->counters[w.counter].parked = queue;
        return false;
    }
    return true;
}

static void note_begin(struct sim *s, const struct sim_inst *i, uint32_t frame)
{
    bool works = i->op != ISA_nop && i->op != ISA_wait && i->op != ISA_signal;
    if (works && s->time.now < s->frame[frame].begin)
        s->frame[frame].begin = s->time.now;
}

/* Starts the queue's head, which acts on the frame, or is skipped; completes it if it takes no
 * time. */
static bool start(struct sim *s, uint32_t queue, uint32_t frame)
{
    static const struct cost none = {0};
    struct sim_queue *q = &s->queues[queue];
    uint32_t id = q->head;
    const struct sim_inst *i = &s->insts[id];
    bool skipped = frame == SIM_NONE;
    struct reservation r = resource_reserve(&s->time, queue, skipped ? &none : &i->cost,
                                            skipped ? 0 : extra_cycles(s));
    if (r.end > LAST_CYCLE) {
        s->at_tile = q->tile;
        s->at_inst = id - s->tiles[q->tile].first_inst;
        s->at_frame = frame;
        return sim_fault(s, "it would end after 2^62 cycles");
    }
    if (!skipped)
        note_begin(s, i, frame);
    if (!skipped && i->op == ISA_mvm) {
        const struct isa_tile *t = &s->p->tiles[q->tile];
        s->pe_busy +=
            (r.unit_free - s->time.now) * t->groups[queue - s->tiles[q->tile].first_queue].n_pes;
    }
    if (s->starts)
        note_start(&s->starts[queue], q->running, s->time.now);
    go_on(s, q->first, &q->head, &q->head_iteration);
    q->waiting--;
    q->running++;
    list_tile(s, q->tile);
    if (r.end == s->time.now)
        return complete(s, queue);
    add_event(s, r.end, EVENT_COMPLETE, queue, id, queue);
    return true;
}

/* True while the unit is busy; makes sure that the queue is listed when it is free: by the
 * completion of its last instruction, or by an event of its own. */
static bool unit_busy(struct sim *s, uint32_t queue)
{
    struct sim_queue *q = &s->queues[queue];
    const struct unit *u = &s->time.units[queue];
    if (!resource_takes_unit(&s->insts[q->head].cost) || u->free_at <= s->time.now)
        return false;
    if (!q->wake_set && u->free_at != u->last_end) {
        q->wake_set = true;
        add_event(s, u->free_at, EVENT_UNIT_FREE, queue, q->head, queue);
    }
    return true;
}

static bool advance_queue(struct sim *s, uint32_t queue)
{
    struct sim_queue *q = &s->queues[queue];
    while (q->waiting > 0 && q->parked_on == SIM_NONE) {
        uint32_t frame = sim_frame_of(s, &s->insts[q->head], q->head_iteration);
        if (frame != SIM_NONE && (unit_busy(s, queue) || !head_ready(s, queue)))
            return !s->failed;
        if (!start(s, queue, frame))
            return false;
    }
    return true;
}

/* The sequencer: hands out instructions in order, body by body, until one meets a full queue. */
static void dispatch(struct sim *s, uint32_t tile)
{
    struct sim_tile *t = &s->tiles[tile];
    while (t->pc < t->n_insts) {
        uint32_t queue = s->insts[t->first_inst + t->pc].queue;
        if (s->queues[queue].waiting == s->depth)
            return;
        if (s->queues[queue].waiting++ == 0)
            list_queue(s, queue);
        if (++t->pc == t->n_insts && ++t->iteration < s->iterations)
            t->pc = 0;
    }
}

static uint32_t take_work(struct sim *s)
{
    uint32_t at = s->n_work - 1;
    if (s->o.latency_seed != 0)
        at = (uint32_t)(random_next(&s->random) % s->n_work);
    uint32_t item = s->work[at];
    s->work[at] = s->work[--s->n_work];
    return item;
}

static bool run_instant(struct sim *s)
{
    while (s->n_work > 0) {
        uint32_t item = take_work(s);
        if (item >= s->n_queues) {
            s->tiles[item - s->n_queues].listed = false;
            dispatch(s, item - s->n_queues);
            continue;
        }
        s->queues[item].listed = false;
        if (!advance_queue(s, item))
            return false;
    }
    return true;
}

static bool handle(struct sim *s, const struct event *e)
{
    switch (e->kind) {
    case EVENT_COMPLETE:
        if (s->queues[e->what].waiting > 0)
            list_queue(s, e->what);
        return complete(s, e->what);
    case EVENT_UNIT_FREE:
        s->queues[e->what].wake_set = false;
        if (s->queues[e->what].parked_on == s->pace_counter)
            s->queues[e->what].parked_on = SIM_NONE;
        list_queue(s, e->what);
        return true;
    case EVENT_ARRIVE: bump(s, e->what); break;
    }
    return !s->failed;
}

bool sim_engine(struct sim *s)
{
    for (uint32_t t = s->p->n_tiles; t-- > 0;)
        list_tile(s, t);
    uint64_t n_instants = 0;
    while (run_instant(s)) {
        if (!resource_next_time(&s->time))
            return true;
        if (++n_instants % PROGRESS_INSTANTS == 0)
            progress_tell(s->o.progress, "simulate: times", s->n_done, sim_n_instances(s));
        /* All that ends now ends before anything starts: completions of a queue stay in order. */
        struct event e;
        while (resource_next_event(&s->time, &e))
            if (!handle(s, &e))
                return false;
    }
    return false;
}
