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

static void count_at(struct sim *s, uint64_t time, uint32_t queue, uint32_t inst, uint32_t counter)
{
    if (time == s->time.now)
        bump(s, counter);
    else
        add_event(s, time, EVENT_ARRIVE, queue, inst, counter);
}

static struct sim_place at_place(const struct sim *s)
{
    return (struct sim_place){s->at_tile, s->at_inst, s->at_iteration, s->at_frame};
}

static void tell_message(struct sim *s, const struct sim_target *to, uint64_t time)
{
    const struct sim_tile *t = &s->tiles[to->tile];
    uint32_t counter = to->counter - t->first_counter - t->n_queues + ISA_FIRST_INBOUND;
    s->o.sent(s->o.self, &(struct sim_message){at_place(s), to->tile, counter, time});
}

/* Data is in place at completion; the counters follow when the messages are there (and some cycles
 * later in random mode). */
static void deliver(struct sim *s, uint32_t queue, uint32_t inst, bool skipped)
{
    const struct sim_inst *i = &s->insts[inst];
    uint64_t arrival = s->time.now + s->time.complete_cycles;
    arrival += skipped ? 0 : cost_flight_cycles(&i->cost);
    for (uint32_t k = 0; k < i->n_targets; k++) {
        const struct sim_target *to = &s->targets[i->route + k];
        uint64_t extra = skipped ? 0 : extra_cycles(s);
        uint64_t time = channel_count(&s->time, &s->counters[to->counter].channel, arrival + extra);
        if (s->o.sent)
            tell_message(s, to, time);
        count_at(s, time, queue, inst, to->counter);
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

static void note_dispatch(struct sim_begins *r, uint64_t time)
{
    if (r->n == r->cap) { /* full: it becomes twice as long, from its first one on */
        struct sim_begin *at = heap_alloc((2 * (size_t)r->n + 1) * sizeof *at);
        for (uint32_t i = 0; i < r->n; i++)
            at[i] = r->at[(r->first + i) % r->n];
        heap_free(r->at);
        *r = (struct sim_begins){at, 2 * r->n + 1, 0, r->n};
    }
    r->at[(r->first + r->n++) % r->cap].dispatch = time;
}

static struct sim_begin take_begin(struct sim_begins *r)
{
    struct sim_begin b = r->at[r->first];
    r->first = (r->first + 1) % r->cap;
    r->n--;
    return b;
}

static void tell_times(struct sim *s, uint32_t queue)
{
    struct sim_begin b = take_begin(&s->begins[queue]);
    uint64_t end = s->time.now;
    s->o.completed(
        s->o.self, &s->p->tiles[s->at_tile].insts[s->at_inst],
        &(struct sim_times){at_place(s), b.dispatch, b.start, end, end + s->time.complete_cycles});
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
    return true;
}

/* The oldest running instruction of the queue ends now. */
static bool complete(struct sim *s, uint32_t queue)
{
    struct sim_queue *q = &s->queues[queue];
    uint32_t id = q->oldest, frame = sim_frame_of(s, &s->insts[id], q->oldest_iteration);
    bool skipped = frame == ISA_NO_FRAME;
    s->at_tile = q->tile;
    s->at_inst = id - s->tiles[q->tile].first_inst;
    s->at_frame = frame;
    s->at_iteration = q->oldest_iteration;
    if (!skipped) {
        if (!run_function(s, queue, s->at_inst))
            return false;
        s->frame[frame].end = s->last_end = s->time.now;
    }
    if (s->begins)
        tell_times(s, queue);
    go_on(s, q->first, &q->oldest, &q->oldest_iteration);
    q->running--;
    s->n_done++;
    s->n_skipped += skipped;
    count_at(s, s->time.now + s->time.complete_cycles, queue, id, q->counter);
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
    if (isa_op_works(i->op) && s->time.now < s->frame[frame].begin)
        s->frame[frame].begin = s->time.now;
}

/* What the queue's head costs in that frame: nothing, if it is skipped. */
static const struct cost *head_cost(const struct sim *s, uint32_t queue, uint32_t frame)
{
    static const struct cost none = {0};
    return frame == ISA_NO_FRAME ? &none : &s->insts[s->queues[queue].head].cost;
}

/* Starts the queue's head, which acts on the frame, or is skipped; completes it if it takes no
 * time. */
static bool start(struct sim *s, uint32_t queue, uint32_t frame)
{
    struct sim_queue *q = &s->queues[queue];
    uint32_t id = q->head;
    const struct sim_inst *i = &s->insts[id];
    bool skipped = frame == ISA_NO_FRAME;
    struct reservation r = resource_reserve(
        &s->time, queue, s->time.now, head_cost(s, queue, frame), skipped ? 0 : extra_cycles(s));
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
        s->pe_busy += (sim_pe_cycles)(r.unit_free - s->time.now) *
                      t->groups[queue - s->tiles[q->tile].first_queue].n_pes;
    }
    if (s->begins)
        s->begins[queue].at[(s->begins[queue].first + q->running) % s->begins[queue].cap].start =
            s->time.now;
    go_on(s, q->first, &q->head, &q->head_iteration);
    q->waiting--;
    q->running++;
    list_tile(s, q->tile);
    if (r.end == s->time.now)
        return complete(s, queue);
    add_event(s, r.end, EVENT_COMPLETE, queue, id, queue);
    return true;
}

/* True while the queue's unit is busy, or all that may are in flight; makes sure that the queue is
 * listed when that is over: by the completion of its last instruction, or by an event of its own.
 */
static bool unit_busy(struct sim *s, uint32_t queue, uint32_t frame)
{
    struct sim_queue *q = &s->queues[queue];
    bool takes_unit = resource_takes_unit(head_cost(s, queue, frame));
    uint64_t ready_at = resource_ready_at(&s->time, queue, takes_unit);
    if (ready_at <= s->time.now)
        return false;
    if (!q->wake_set && ready_at != s->time.units[queue].last_end) {
        q->wake_set = true;
        add_event(s, ready_at, EVENT_UNIT_FREE, queue, q->head, queue);
    }
    return true;
}

/* All holds that the head waits for. True: it starts now; else it is listed when it does. */
static bool starts_now(struct sim *s, uint32_t queue)
{
    struct sim_queue *q = &s->queues[queue];
    if (!q->starting) {
        q->start_at = s->time.now + s->start_cycles;
        if (q->start_at == s->time.now)
            return true;
        q->starting = true;
        add_event(s, q->start_at, EVENT_UNIT_FREE, queue, q->head, queue);
    }
    q->starting = q->start_at > s->time.now;
    return !q->starting;
}

static bool advance_queue(struct sim *s, uint32_t queue)
{
    struct sim_queue *q = &s->queues[queue];
    while (q->waiting > 0 && q->parked_on == SIM_NONE) {
        uint32_t frame = sim_frame_of(s, &s->insts[q->head], q->head_iteration);
        bool waits = !q->starting && (unit_busy(s, queue, frame) ||
                                      (frame != ISA_NO_FRAME && !head_ready(s, queue)));
        if (waits || !starts_now(s, queue))
            return !s->failed;
        if (!start(s, queue, frame))
            return false;
    }
    return true;
}

/* The tile's next instruction can be dispatched now; else the tile is listed when it can. */
static bool may_issue(struct sim *s, uint32_t tile)
{
    struct sim_tile *t = &s->tiles[tile];
    if (t->issue_at <= s->time.now)
        return true;
    if (!t->wake_set) {
        t->wake_set = true;
        add_event(s, t->issue_at, EVENT_ISSUE, t->first_queue, t->first_inst + t->pc, tile);
    }
    return false;
}

/* The sequencer: hands out instructions in order, body by body, until one meets a full queue. */
static void dispatch(struct sim *s, uint32_t tile)
{
    struct sim_tile *t = &s->tiles[tile];
    while (t->pc < t->n_insts) {
        uint32_t queue = s->insts[t->first_inst + t->pc].queue;
        if (s->queues[queue].waiting == s->depth || !may_issue(s, tile))
            return;
        if (s->queues[queue].waiting++ == 0)
            list_queue(s, queue);
        if (s->begins)
            note_dispatch(&s->begins[queue], s->time.now);
        t->issue_at = s->time.now + s->issue_cycles;
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
    case EVENT_ISSUE:
        s->tiles[e->what].wake_set = false;
        list_tile(s, e->what);
        break;
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
