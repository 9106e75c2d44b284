/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * timeline.c - when the instructions of a body, or of a stream that runs once, run: the equations
 * of SIM.md 2, evaluated in the order of L.
 *
 * Nothing in L waits for what comes after it, so one walk over the body for each iteration gives
 * all times; there are no events. When the times of an iteration have been those of one before, so
 * much later, for as many iterations as anything looks back, they stay so; and the frames that are
 * left but for the last ones are passed over.
 */
#include "timeline.h"

#include "resource.h"

#include <stdlib.h>
#include <string.h>

/* What is counted in an iteration: by the queues of a tile, then by its inbound counters. */
struct counter {
    uint32_t step;  /* of it in an iteration */
    uint32_t first; /* number of its first event of an iteration among all */
    uint32_t now;   /* so many in this iteration */
    uint64_t next;  /* no earlier is the next one */
};
/* The waiting line, and the unit, of a queue. */
struct line {
    uint64_t *starts;            /* of the last `depth` instructions, by number modulo depth */
    uint64_t *counted;           /* of the last `inflight` ones, likewise; 0: of none */
    uint64_t depth, inflight, n; /* n: instructions so far */
    uint64_t last_start, unit_free, next_end;
};
/* For an event, `back` iterations before; or (event PACE) for tick `back` less than the iteration.
 */
#define PACE UINT32_MAX
struct wait_time {
    uint32_t event;
    int32_t back;
};
struct timed {
    uint32_t tile, queue;  /* queue: number of its counter */
    uint8_t stage, frames; /* isa_frame_flags */
    bool takes_unit, works;
    uint64_t occupancy, latency, flight;
    uint32_t wait, n_waits, target, n_targets; /* ranges of the lists */
};
struct frame_times {
    uint64_t begin, end;
};
enum { MOST_PERIOD = 4 };
enum { PATIENCE = 1024 };              /* iterations until it is said that nothing repeats, */
#define MOST_STEPS (UINT64_C(1) << 31) /* if there are more instructions left than these */
struct run {
    const struct isa_program *p;
    uint32_t n, n_events, n_stages, frames, iterations;
    uint32_t *first_counter; /* of each tile; one more */
    bool waits_for_pace;
    struct counter *counters;
    struct line *lines; /* by counter; of those of queues */
    uint64_t issue_cycles, start_cycles, complete_cycles;
    uint64_t *issue_at;  /* per tile: no earlier is the next instruction dispatched */
    struct timed *insts; /* in the order of L */
    VEC(struct wait_time) waits;
    VEC(uint32_t) targets; /* counters */
    /* Of the last iterations, by number modulo `kept`: time of each event, start of each
     * instruction, and issue_at behind them. */
    uint32_t kept;
    size_t n_times; /* of an iteration */
    uint64_t *times;
    struct period {
        uint32_t n;  /* iterations in a row that were like the one so many before */
        uint64_t by; /* but so much later */
    } alike[MOST_PERIOD + 1];
    uint64_t passed_over;      /* cycles of frames */
    struct frame_times *frame; /* of those under way, by number modulo n_stages */
    const struct timeline_watch *watch;
    struct timeline out;
};

/* ---- the body ---- */

/* Number of the tile's counter of that id. */
static uint32_t counter_of(const struct run *r, uint32_t tile, uint32_t id)
{
    uint32_t queues = isa_n_queues(&r->p->tiles[tile]);
    return r->first_counter[tile] + (id < ISA_FIRST_INBOUND ? id : id - ISA_FIRST_INBOUND + queues);
}

/* Adds what the tile's instructions count in an iteration. */
static void count_steps(struct run *r, uint32_t tile)
{
    const struct isa_tile *t = &r->p->tiles[tile];
    for (uint32_t i = 0; i < t->n_insts; i++) {
        const struct isa_inst *inst = &t->insts[i];
        r->counters[r->first_counter[tile] + inst->queue].step++;
        if (inst->op != ISA_send && inst->op != ISA_signal)
            continue;
        const struct isa_route *route = &t->routes[inst->obj];
        for (uint32_t k = 0; k < route->n_targets; k++)
            r->counters[counter_of(r, route->targets[k].tile, route->targets[k].counter)].step++;
    }
}

static void count_counters(struct run *r)
{
    const struct isa_program *p = r->p;
    uint32_t n = 0;
    r->first_counter = heap_alloc((p->n_tiles + 1) * sizeof *r->first_counter);
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        r->first_counter[t] = n;
        n += isa_n_queues(&p->tiles[t]) + p->tiles[t].n_inbound;
    }
    r->first_counter[p->n_tiles] = n;
    r->counters = heap_alloc((n + 1) * sizeof *r->counters);
    r->lines = heap_alloc((n + 1) * sizeof *r->lines);
    for (uint32_t t = 0; t < p->n_tiles; t++)
        count_steps(r, t);
    for (uint32_t i = 0; i < n; i++) {
        r->counters[i].first = r->n_events;
        r->n_events += r->counters[i].step;
    }
}

static struct line new_line(const struct arch *arch, uint64_t instances)
{
    struct line l = {.depth = (uint64_t)arch->queue_depth, .inflight = (uint64_t)arch->inflight};
    l.depth = l.depth < instances ? l.depth : instances;
    l.inflight = l.inflight < instances ? l.inflight : 0; /* it is never reached */
    l.starts = heap_alloc((l.depth + 1) * sizeof *l.starts);
    l.counted = heap_alloc((l.inflight + 1) * sizeof *l.counted);
    return l;
}

static struct wait_time wait_time_of(struct run *r, uint32_t tile, const struct isa_wait *w)
{
    int32_t threshold = isa_threshold(w->threshold);
    if (w->counter == ISA_PACE_COUNTER) {
        r->waits_for_pace = true;
        return (struct wait_time){PACE, 1 - threshold};
    }
    const struct counter *c = &r->counters[counter_of(r, tile, w->counter)];
    int32_t step = (int32_t)c->step, back = (step - threshold) / step;
    if (r->kept <= (uint32_t)back)
        r->kept = (uint32_t)back + 1;
    return (struct wait_time){c->first + (uint32_t)(threshold + back * step - 1), back};
}

static void add_targets(struct run *r, const struct isa_route *route, struct timed *out)
{
    out->n_targets = route->n_targets;
    for (uint32_t i = 0; i < route->n_targets; i++) {
        const struct isa_target *t = &route->targets[i];
        VEC_PUSH(&r->targets, counter_of(r, t->tile, t->counter));
    }
}

static struct timed timed_of(struct run *r, const struct isa_place *at)
{
    const struct isa_tile *tile = &r->p->tiles[at->tile];
    const struct isa_inst *inst = &tile->insts[at->inst];
    struct cost_work work = isa_inst_work(r->p, at->tile, inst);
    struct cost cost = arch_cost(&r->p->arch, &work);
    struct timed out = {.tile = at->tile,
                        .queue = r->first_counter[at->tile] + inst->queue,
                        .stage = inst->stage,
                        .takes_unit = resource_takes_unit(&cost),
                        .works = isa_op_works(inst->op),
                        .frames = isa_frame_flags(inst),
                        .occupancy = cost_occupancy_cycles(&cost),
                        .latency = cost_latency_cycles(&cost),
                        .flight = cost_flight_cycles(&cost),
                        .wait = (uint32_t)r->waits.n,
                        .n_waits = inst->n_waits,
                        .target = (uint32_t)r->targets.n};
    for (unsigned i = 0; i < inst->n_waits; i++) {
        struct wait_time w = wait_time_of(r, at->tile, &inst->wait[i]);
        VEC_PUSH(&r->waits, w);
    }
    if (inst->op == ISA_send || inst->op == ISA_signal)
        add_targets(r, &tile->routes[inst->obj], &out);
    return out;
}

static void begin(struct run *r, const struct isa_place *order)
{
    count_counters(r);
    r->kept = r->frames > 1 ? MOST_PERIOD + 1 : 1;
    r->iterations = r->frames + r->n_stages - 1;
    r->issue_cycles = (uint64_t)r->p->arch.issue_cycles;
    r->start_cycles = (uint64_t)r->p->arch.start_cycles;
    r->complete_cycles = (uint64_t)r->p->arch.complete_cycles;
    r->issue_at = heap_alloc((r->p->n_tiles + 1) * sizeof *r->issue_at);
    r->insts = heap_alloc((r->n + 1) * sizeof *r->insts);
    r->frame = heap_alloc(r->n_stages * sizeof *r->frame);
    for (uint32_t i = 0; i < r->n; i++)
        r->insts[i] = timed_of(r, &order[i]);
    r->n_times = (size_t)r->n_events + r->n + r->p->n_tiles;
    r->times = heap_alloc(r->kept * r->n_times * sizeof *r->times);
    for (uint32_t t = 0; t < r->p->n_tiles; t++)
        for (uint32_t q = 0; q < isa_n_queues(&r->p->tiles[t]); q++) {
            uint32_t counter = r->first_counter[t] + q;
            uint64_t instances = (uint64_t)r->counters[counter].step * r->iterations;
            r->lines[counter] = new_line(&r->p->arch, instances);
        }
}

static void end(struct run *r)
{
    for (uint32_t i = 0; i < r->first_counter[r->p->n_tiles]; i++) {
        heap_free(r->lines[i].starts);
        heap_free(r->lines[i].counted);
    }
    heap_free(r->first_counter);
    heap_free(r->counters);
    heap_free(r->lines);
    heap_free(r->issue_at);
    heap_free(r->insts);
    heap_free(r->frame);
    heap_free(r->times);
    VEC_FREE(&r->waits);
    VEC_FREE(&r->targets);
}

/* ---- an iteration ---- */

static uint64_t *times_of(const struct run *r, uint32_t iteration)
{
    return r->times + iteration % r->kept * r->n_times;
}

/* When the wait comes to hold. */
static uint64_t holds_at(const struct run *r, uint32_t iteration, const struct wait_time *w)
{
    int64_t then = (int64_t)iteration - w->back;
    if (then < 0)
        return 0;
    if (w->event == PACE)
        return (uint64_t)then * r->p->pace;
    return times_of(r, (uint32_t)then)[w->event];
}

/* Where completion takes time one follows the other, else several may be at once. */
static uint64_t next_after(const struct run *r, uint64_t time)
{
    return time + (r->complete_cycles > 0);
}

/* An event of the counter is due at `time`: when it is. */
static uint64_t count(struct run *r, uint64_t *now, uint32_t counter, uint64_t time)
{
    struct counter *c = &r->counters[counter];
    time = max_u64(c->next, time);
    c->next = next_after(r, time);
    return now[c->first + c->now++] = time;
}

static uint64_t dispatch(struct run *r, const struct timed *i, const struct line *l)
{
    uint64_t *next = &r->issue_at[i->tile], time = *next;
    if (l->n >= l->depth)
        time = max_u64(time, l->starts[l->n % l->depth]);
    *next = time + r->issue_cycles;
    return time;
}

static uint64_t start_of(struct run *r, uint32_t iteration, const struct timed *i, bool active)
{
    struct line *l = &r->lines[i->queue];
    uint64_t start = max_u64(dispatch(r, i, l), l->last_start);
    if (l->inflight && l->n >= l->inflight)
        start = max_u64(start, l->counted[l->n % l->inflight]);
    if (active && i->takes_unit)
        start = max_u64(start, l->unit_free);
    for (uint32_t w = 0; active && w < i->n_waits; w++)
        start = max_u64(start, holds_at(r, iteration, &r->waits.at[i->wait + w]));
    start += r->start_cycles;
    if (active && i->takes_unit)
        l->unit_free = start + i->occupancy;
    l->last_start = l->starts[l->n % l->depth] = start;
    return start;
}

/* Of the queue's next instruction, which has started, and is counted from then on. */
static uint64_t end_of(struct run *r, uint32_t number, uint64_t start, bool active, uint64_t *now)
{
    const struct timed *i = &r->insts[number];
    struct line *l = &r->lines[i->queue];
    uint64_t end = max_u64(start + (active ? i->latency : 0), l->next_end);
    l->next_end = next_after(r, end);
    uint64_t counted = count(r, now, i->queue, end + r->complete_cycles);
    if (l->inflight)
        l->counted[l->n % l->inflight] = counted;
    l->n++;
    for (uint32_t k = 0; k < i->n_targets; k++) {
        uint64_t arrival = counted + (active ? i->flight : 0);
        arrival = count(r, now, r->targets.at[i->target + k], arrival);
        if (r->watch)
            r->watch->arrives(r->watch->self, number, k, arrival);
    }
    return end;
}

static void note_frame(struct run *r, const struct timed *i, uint32_t frame, uint64_t start,
                       uint64_t end)
{
    struct frame_times *f = &r->frame[frame % r->n_stages];
    if (i->works && start < f->begin)
        f->begin = start;
    f->end = max_u64(f->end, end);
    r->out.cycles = max_u64(r->out.cycles, end);
}

static void step(struct run *r, uint32_t iteration, uint32_t number, uint64_t *now)
{
    const struct timed *i = &r->insts[number];
    uint32_t frame = isa_frame_of(i->stage, i->frames, iteration, r->frames);
    bool active = frame != ISA_NO_FRAME;
    uint64_t start = start_of(r, iteration, i, active);
    now[r->n_events + number] = start;
    uint64_t end = end_of(r, number, start, active, now);
    if (r->watch)
        r->watch->runs(r->watch->self, number, start, end);
    if (active)
        note_frame(r, i, frame, start, end);
}

/* The frame that is in its last stage is over; a new one begins in its place. */
static void end_frame(struct run *r, uint32_t iteration)
{
    struct frame_times *f = &r->frame[(iteration + 1) % r->n_stages];
    uint64_t latency = f->end - (f->begin < f->end ? f->begin : f->end);
    if (iteration + 1 == r->n_stages)
        r->out.first_latency = r->out.latency_min = latency;
    if (iteration + 1 >= r->n_stages) {
        r->out.latency_min = latency < r->out.latency_min ? latency : r->out.latency_min;
        r->out.latency_max = max_u64(r->out.latency_max, latency);
    }
    *f = (struct frame_times){UINT64_MAX, 0};
}

/* Is the iteration like the one `period` before, all times the same later? */
static bool is_alike(const struct run *r, uint32_t iteration, uint32_t period, uint64_t *by)
{
    if (iteration + 1 < r->n_stages + period)
        return false;
    const uint64_t *now = times_of(r, iteration), *before = times_of(r, iteration - period);
    *by = r->n ? now[r->n_events] - before[r->n_events] : 0;
    size_t n = (size_t)r->n_events + r->n; /* where issue takes no time it follows from the rest */
    for (size_t i = 0; i < (r->issue_cycles ? r->n_times : n); i++)
        if (now[i] != before[i] + *by)
            return false;
    /* What has fallen behind the pace catches up with it, and then waits for it. */
    return !r->waits_for_pace || *by >= period * r->p->pace;
}

/* Iterations from the first start to the last one in an iteration, or where what is in flight
 * counts to the last event, if each is `by` later. */
static uint64_t overlap(const struct run *r, uint32_t iteration, uint64_t by)
{
    const uint64_t *time = times_of(r, iteration), *start = time + r->n_events;
    uint64_t first = UINT64_MAX, last = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        first = start[i] < first ? start[i] : first;
        last = max_u64(last, start[i]);
    }
    for (uint32_t i = 0; r->p->arch.inflight && i < r->n_events; i++)
        last = max_u64(last, time[i]);
    return by && r->n ? (last - first) / by : 0;
}

/* How many iterations back anything looks. Whose place in a queue, or in flight, an instruction
 * takes is long gone where there are many: it holds nothing up. */
static uint64_t looks_back(const struct run *r, uint32_t iteration, uint64_t by)
{
    uint64_t most = r->kept, enough = overlap(r, iteration, by) + 3;
    for (uint32_t i = 0; i < r->first_counter[r->p->n_tiles]; i++) {
        const struct line *l = &r->lines[i];
        uint64_t places = max_u64(l->depth, l->inflight);
        uint64_t depth = r->counters[i].step ? places / r->counters[i].step + 1 : 0;
        depth = depth < enough ? depth : enough;
        most = max_u64(most, depth);
    }
    return most;
}

/* Whole periods of the frames that are still to come, if all repeats. */
static void pass_over(struct run *r, uint32_t iteration)
{
    for (uint32_t period = 1; period <= MOST_PERIOD && r->passed_over == 0; period++) {
        struct period *p = &r->alike[period];
        uint64_t by = 0, before = p->by;
        bool alike = is_alike(r, iteration, period, &by);
        *p = (struct period){alike ? (before == by ? p->n : 0) + 1 : 0, by};
        uint32_t periods = iteration < r->frames ? (r->frames - 1 - iteration) / period : 0;
        if (p->n < r->kept || periods == 0 || p->n < looks_back(r, iteration, by / period))
            continue;
        r->passed_over = periods * by;
        r->frames -= periods * period;
        r->iterations = r->frames + r->n_stages - 1;
        return;
    }
}

bool timeline_of(const struct isa_program *p, const struct isa_place *order, uint32_t n,
                 const struct timeline_watch *watch, struct timeline *out)
{
    struct run r = {.p = p,
                    .n = n,
                    .n_stages = isa_stages(p),
                    .frames = p->frames ? p->frames : 1,
                    .watch = watch};
    bool ok = true;
    begin(&r, order);
    for (uint32_t s = 0; s < r.n_stages; s++)
        r.frame[s] = (struct frame_times){UINT64_MAX, 0};
    for (uint32_t i = 0; ok && i < r.iterations; i++) {
        for (uint32_t c = 0; c < r.first_counter[p->n_tiles]; c++)
            r.counters[c].now = 0;
        uint64_t *now = times_of(&r, i);
        for (uint32_t k = 0; k < n; k++)
            step(&r, i, k, now);
        memcpy(now + r.n_events + n, r.issue_at, p->n_tiles * sizeof *now);
        end_frame(&r, i);
        pass_over(&r, i);
        ok = i < PATIENCE || (uint64_t)(r.iterations - i) * n < MOST_STEPS;
    }
    *out = r.out;
    out->cycles += r.passed_over;
    end(&r);
    return ok;
}
