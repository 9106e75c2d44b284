/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * schedule.c - start times of all tasks (paper section IV, stages III and IV).
 *
 * A discrete-event run: a task is ready when its predecessors are complete, and starts when its
 * unit is free; the longest-ready first. A base layer's sets start in raster order. What a SEND
 * sends is there for a tile's tasks when its message has come, in order of the messages from tile
 * to tile. Costs come from arch_cost, units and events from resource.h, as in the simulator. The
 * order in which tasks start is L: it is sorted by time, and a task follows all it depends on, so
 * streams that are slices of L run exactly as scheduled and cannot deadlock (ISA-level argument:
 * BACKEND.md). Work: O((tasks + dependencies) log units).
 */
#include "plan.h"
#include "resource.h"

#include <stdlib.h>
#include <string.h>

struct ready { /* tasks of a queue in order of readiness */
    uint32_t first, last;
};
struct woken {
    uint32_t task, by;
};
/* When the end of a base layer is known: last of all by SIGNAL from tile `from`, and without its.
 */
struct news {
    uint32_t node, from;
    uint64_t all, others;
};
struct run {
    const struct plan *p;
    const struct task_graph *g;
    struct schedule *s;
    struct tile_grid grid;
    struct resources time;
    uint64_t start_cycles, issue_cycles;
    uint64_t *issue_at;  /* per tile: no earlier is the next task dispatched */
    struct ready *ready; /* of each queue */
    uint32_t *cursor, *first_waiter, *next_waiter;
    uint8_t *state;
    VEC(struct woken) work; /* tasks whose next predecessor is to be looked at */
    uint32_t completed;     /* what the task being looked at waited for last, or NONE */
    uint32_t *ready_by;     /* per task: that, when it became ready */
    struct map channel_of;  /* (from tile, to tile) -> channels */
    VEC(struct channel) channels;
    struct news news; /* of the layer whose barriers are passed */
};
enum { WAITING, READY, STARTED, COMPLETE }; /* one after the other */

/* Of several events at one time the first by tile, queue and position in it, as in the simulator:
 * queues are numbered tile by tile, positions are those in L. Barriers, without a queue, are last.
 */
static uint64_t rank_of(const struct run *r, uint32_t id)
{
    return (uint64_t)r->g->tasks.at[id].queue << 32 | r->s->rank[id];
}

uint64_t schedule_arrival(const struct task_graph *g, const struct schedule *s, uint32_t task,
                          uint32_t tile)
{
    if (!task_is_message(&g->tasks.at[task]))
        return s->end[task];
    if (schedule_repeats(s)) {
        uint32_t way = map_find_u64(&s->way_of, map_pair(g->tasks.at[task].tile, tile));
        return s->end[task] + (way == MAP_NONE ? 0 : s->way.at[way]);
    }
    uint32_t i = map_find_u64(&s->arrival_of, map_pair(task, tile));
    return i == MAP_NONE ? UINT64_MAX : s->arrival.at[i];
}

uint64_t schedule_known(const struct task_graph *g, const struct schedule *s, uint32_t task,
                        const struct task *reader)
{
    const struct task *t = &g->tasks.at[task];
    bool at_once = task_is_message(t) || t->queue == reader->queue || t->kind == TASK_barrier;
    return schedule_arrival(g, s, task, reader->tile) + (at_once ? 0 : s->complete_cycles);
}

static const struct task *task_at(const struct run *r, uint32_t id)
{
    return &r->g->tasks.at[id];
}

/* Is what the task makes there for that one? */
static bool is_there(const struct run *r, uint32_t id, const struct task *reader)
{
    return r->state[id] >= (task_is_message(task_at(r, id)) ? STARTED : COMPLETE) &&
           schedule_known(r->g, r->s, id, reader) <= r->time.now;
}

/* Those who waited for the task, if what it makes is there for them, look for what else they need.
 */
static void wake(struct run *r, uint32_t id)
{
    uint32_t kept = NONE, *end = &kept;
    for (uint32_t w = r->first_waiter[id], next; w != NONE; w = next) {
        next = r->next_waiter[w];
        if (is_there(r, id, task_at(r, w))) {
            VEC_PUSH(&r->work, ((struct woken){w, id}));
            continue;
        }
        *end = w;
        end = &r->next_waiter[w];
        *end = NONE;
    }
    r->first_waiter[id] = kept;
}

static void complete(struct run *r, uint32_t id)
{
    r->state[id] = COMPLETE;
    wake(r, id);
}

/* When the task's message to the tile is counted; one counter counts all from tile to tile. */
static uint64_t arrive_at(struct run *r, uint32_t id, uint32_t tile, uint64_t arrival)
{
    struct schedule *s = r->s;
    uint64_t channel = map_pair(task_at(r, id)->tile, tile), message = map_pair(id, tile);
    uint32_t c = map_intern_u64(&r->channel_of, channel, (uint32_t)r->channels.n);
    if (c == r->channels.n)
        VEC_PUSH(&r->channels, (struct channel){0});
    uint64_t time = channel_count(&r->time, &r->channels.at[c], arrival);
    if (map_intern_u64(&s->arrival_of, message, (uint32_t)s->arrival.n) == s->arrival.n)
        VEC_PUSH(&s->arrival, time);
    return time;
}

/* A message comes to a tile; returns when. `told`: a time at which those who wait look anyway. */
static uint64_t send_message(struct run *r, uint32_t id, uint32_t tile, uint64_t arrival,
                             uint64_t told)
{
    uint64_t time = arrive_at(r, id, tile, arrival);
    if (time != told)
        event_add(&r->time, (struct event){time, rank_of(r, id), EVENT_ARRIVE, id});
    return time;
}

static void send_messages(struct run *r, uint32_t id, uint64_t arrival)
{
    const struct task *t = task_at(r, id);
    const struct delivery *d = &r->g->delivery[t->node];
    uint64_t told = r->s->end[id];
    uint32_t link = NONE;
    if (t->kind != TASK_send) {
        send_message(r, id, r->p->cells->of[t->node].home[t->cell], arrival, told);
        return;
    }
    for (const struct target *to; (to = next_target(d, t->send.class, t->cell, &link));)
        told = send_message(r, id, r->g->buffers.at[to->buffer].tile, arrival, told);
}

static void demand(struct run *r, uint32_t id);

/* While an MVM runs, its PEs' next one has its rows loaded: double buffering. Where loads take no
 * time this would cost memory for nothing. */
static void load_ahead(struct run *r, uint32_t id)
{
    const struct arch *arch = r->p->arch;
    if (arch->dram_cycles == 0 && arch->dram_bytes_per_cycle == 0 &&
        !arch_instructions_take_time(arch))
        return;
    r->completed = r->ready_by[id];
    for (uint32_t w = r->first_waiter[id]; w != NONE; w = r->next_waiter[w]) {
        const struct task *next = task_at(r, w);
        for (uint32_t i = 1; i < next->n_preds && first_pred(r->g, next) == id; i++)
            demand(r, r->g->preds.at[next->preds + i]);
    }
}

/* The task, which starts then, has the next place in L. */
static void enter(struct run *r, uint32_t id, uint64_t start)
{
    struct schedule *s = r->s;
    s->start[id] = start;
    s->rank[id] = s->n;
    s->order[s->n++] = id;
    r->state[id] = STARTED;
}

static void finish_at(struct run *r, uint32_t id, uint64_t end)
{
    if (end == r->time.now)
        complete(r, id);
    else
        event_add(&r->time, (struct event){end, rank_of(r, id), EVENT_COMPLETE, id});
    if (r->time.complete_cycles > 0)
        event_add(&r->time,
                  (struct event){end + r->time.complete_cycles, rank_of(r, id), EVENT_ARRIVE, id});
}

/* When the task starts of which all else holds now. What is dispatched goes ahead of what starts,
 * so only the number of the tile's instructions so far can hold it up. */
static uint64_t start_time(struct run *r, const struct task *t)
{
    uint64_t *issue_at = &r->issue_at[t->tile], time = max_u64(r->time.now, *issue_at);
    *issue_at += r->issue_cycles;
    return time + r->start_cycles;
}

static void start(struct run *r, uint32_t id)
{
    const struct plan *p = r->p;
    struct schedule *s = r->s;
    const struct task *t = task_at(r, id);
    struct cost_work work = task_work(p, &r->grid, t);
    struct cost cost = arch_cost(p->arch, &work);
    uint64_t now = r->time.now, start = start_time(r, t);
    struct reservation times = resource_reserve(&r->time, t->queue, start, &cost, 0);
    uint64_t end = s->end[id] = times.end;
    enter(r, id, start);
    if (s->n % PROGRESS_TASKS == 0)
        progress_tell(p->options->progress, "schedule", s->n, r->g->tasks.n);
    s->makespan = end > s->makespan ? end : s->makespan;
    if (task_is_message(t))
        send_messages(r, id, times.arrival);
    if (t->kind == TASK_mvm)
        s->pe_busy_cycles += (times.unit_free - start) * p->segment->group[t->mvm.group].n_pes;
    finish_at(r, id, end);
    uint64_t ready_at = resource_ready_at(&r->time, t->queue, resource_takes_unit(&cost));
    if (ready_at > now && ready_at != end)
        event_add(&r->time, (struct event){ready_at, rank_of(r, id), EVENT_UNIT_FREE, t->queue});
    if (t->kind == TASK_mvm && end > now)
        load_ahead(r, id);
}

/* Every task takes the unit of its queue, whatever it costs. */
static bool is_ready(const struct run *r, uint32_t queue)
{
    return resource_ready_at(&r->time, queue, true) <= r->time.now;
}

static void start_ready(struct run *r, uint32_t queue)
{
    struct ready *ready = &r->ready[queue];
    while (ready->first != NONE && is_ready(r, queue)) {
        uint32_t id = ready->first;
        ready->first = r->next_waiter[id];
        if (ready->first == NONE)
            ready->last = NONE;
        start(r, id);
    }
}

/* How long a home's SIGNAL to these tiles is under way: to the farthest of them. */
static uint64_t signal_cycles(const struct run *r, uint32_t from, const struct tile_reach *tiles)
{
    struct cost_work work = {.kind = COST_SIGNAL, .hops = tile_reach_hops(&r->grid, from, tiles)};
    struct cost cost = arch_cost(r->p->arch, &work);
    return r->time.complete_cycles + cost_flight_cycles(&cost);
}

static struct tile_reach tiles_of_layer(const struct run *r, const struct layer *l)
{
    struct tile_reach tiles = {0};
    for (uint32_t c = 0; c < l->n_copies; c++)
        for (uint32_t g = 0; g < l->copy[c].n_groups; g++)
            tile_reach_add(&r->grid, &tiles, r->p->segment->group[l->copy[c].first_group + g].tile);
    return tiles;
}

/* When the SIGNALs that tell of the layer's last cells have come to the tiles of the next one. */
static void find_news(struct run *r, const struct task *barrier)
{
    struct tile_reach tiles = tiles_of_layer(r, node_layer(r->p, barrier->node) + 1);
    struct news n = {.node = barrier->node, .from = NONE};
    uint32_t home = NONE;
    uint64_t way_cycles = 0;
    for (uint32_t i = 0; i < barrier->n_preds; i++) {
        uint32_t cell = r->g->preds.at[barrier->preds + i], tile = task_at(r, cell)->tile;
        if (tile != home) /* cells of a home come in runs */
            way_cycles = signal_cycles(r, home = tile, &tiles);
        uint64_t there = r->s->end[cell] + way_cycles;
        if (tile != n.from && n.all < there) {
            n.others = n.all;
            n.from = tile;
        }
        if (tile == n.from)
            n.all = n.all > there ? n.all : there;
        else
            n.others = n.others > there ? n.others : there;
    }
    r->news = n;
}

/* The news of the last cells travels from their homes; a home knows its own at once. */
static void pass_barrier(struct run *r, uint32_t id)
{
    const struct task *t = task_at(r, id);
    if (r->news.node != t->node)
        find_news(r, t);
    uint64_t end = t->tile == r->news.from ? r->news.others : r->news.all;
    end = end > r->time.now ? end : r->time.now;
    r->s->end[id] = end;
    enter(r, id, r->time.now);
    finish_at(r, id, end);
}

static void make_ready(struct run *r, uint32_t id)
{
    const struct task *t = task_at(r, id);
    r->state[id] = READY;
    r->ready_by[id] = r->completed;
    if (t->kind == TASK_barrier) {
        pass_barrier(r, id);
        return;
    }
    struct ready *ready = &r->ready[t->queue];
    r->next_waiter[id] = NONE;
    if (ready->last == NONE)
        ready->first = id;
    else
        r->next_waiter[ready->last] = id;
    ready->last = id;
    start_ready(r, t->queue);
}

/* A LOAD starts when the first task that needs it has nothing else to wait for, or for an MVM that
 * runs. It really waits for what made that so (the task completed last), or the machine would run
 * ahead of the schedule. */
static void demand(struct run *r, uint32_t id)
{
    if (!task_at(r, id)->demand || r->state[id] != WAITING)
        return;
    r->s->asked_by[id] = r->completed;
    make_ready(r, id);
}

/* Looks for the next incomplete predecessor and waits on it; ready if there is none. */
static void advance(struct run *r, uint32_t id)
{
    const struct task *t = task_at(r, id);
    for (; r->cursor[id] < t->n_preds; r->cursor[id]++) {
        uint32_t pred = r->g->preds.at[t->preds + r->cursor[id]];
        if (is_there(r, pred, t))
            continue;
        r->next_waiter[id] = r->first_waiter[pred];
        r->first_waiter[pred] = id;
        demand(r, pred);
        return;
    }
    make_ready(r, id);
}

static void run_worklist(struct run *r)
{
    while (r->work.n) {
        struct woken w = r->work.at[--r->work.n];
        r->completed = w.by;
        advance(r, w.task);
    }
}

static void handle(struct run *r, const struct event *e)
{
    switch (e->kind) {
    case EVENT_COMPLETE:
        complete(r, e->what);
        if (task_at(r, e->what)->queue != NONE)
            start_ready(r, task_at(r, e->what)->queue);
        break;
    case EVENT_UNIT_FREE: start_ready(r, e->what); break;
    case EVENT_ARRIVE: wake(r, e->what); break;
    case EVENT_ISSUE: break; /* the simulator's */
    }
}

static void *alloc_none(size_t n)
{
    uint32_t *list = heap_alloc(n * sizeof *list);
    return memset(list, 0xff, n * sizeof *list);
}

static void begin(struct run *r)
{
    size_t n = r->g->tasks.n;
    struct arena *a = r->p->arena;
    resource_init(&r->time, r->p->arch, r->g->n_queues);
    r->start_cycles = (uint64_t)r->p->arch->start_cycles;
    r->issue_cycles = (uint64_t)r->p->arch->issue_cycles;
    r->issue_at = heap_alloc((r->p->segment->n_tiles + 1) * sizeof *r->issue_at);
    r->ready = heap_alloc(r->g->n_queues * sizeof *r->ready);
    memset(r->ready, 0xff, r->g->n_queues * sizeof *r->ready);
    r->cursor = heap_alloc(n * sizeof *r->cursor);
    r->first_waiter = alloc_none(n);
    r->next_waiter = heap_alloc(n * sizeof *r->next_waiter);
    r->ready_by = heap_alloc(n * sizeof *r->ready_by);
    r->state = heap_alloc(n);
    *r->s = (struct schedule){.order = ARENA_ARRAY(a, uint32_t, n),
                              .n_stages = 1,
                              .complete_cycles = r->time.complete_cycles,
                              .stage = ARENA_ARRAY(a, uint8_t, n),
                              .start = ARENA_ARRAY(a, uint64_t, n),
                              .end = ARENA_ARRAY(a, uint64_t, n),
                              .rank = ARENA_ARRAY(a, uint32_t, n),
                              .asked_by = ARENA_ARRAY(a, uint32_t, n)};
    if (n)
        memset(r->s->asked_by, 0xff, n * sizeof *r->s->asked_by);
    for (size_t i = n; i-- > 0;) /* the worklist is a stack: first tasks first */
        if (!r->g->tasks.at[i].demand)
            VEC_PUSH(&r->work, ((struct woken){(uint32_t)i, NONE}));
}

static void end(struct run *r)
{
    for (uint32_t i = 0; i < r->g->tasks.n; i++)
        if (r->state[i] != COMPLETE && !(task_at(r, i)->demand && r->state[i] == WAITING))
            BUG("task %u of node %s never starts", i, task_node(r->p, task_at(r, i))->out->name);
    resource_free(&r->time);
    heap_free(r->issue_at);
    heap_free(r->ready);
    heap_free(r->cursor);
    heap_free(r->first_waiter);
    heap_free(r->next_waiter);
    heap_free(r->ready_by);
    heap_free(r->state);
    VEC_FREE(&r->work);
    VEC_FREE(&r->channels);
    map_free(&r->channel_of);
}

const struct schedule *plan_schedule(const struct plan *p)
{
    struct run r = {.p = p,
                    .g = p->tasks,
                    .s = ARENA_NEW(p->arena, struct schedule),
                    .grid = tile_grid_of(p->arch, p->segment->n_tiles),
                    .news = {.node = NONE}};
    struct event e;
    begin(&r);
    run_worklist(&r);
    while (resource_next_time(&r.time)) {
        while (resource_next_event(&r.time, &e))
            handle(&r, &e);
        run_worklist(&r);
    }
    progress_tell(p->options->progress, "schedule", p->tasks->tasks.n, p->tasks->tasks.n);
    end(&r);
    return r.s;
}

void schedule_free(const struct schedule *s)
{
    struct schedule *own = (struct schedule *)s; /* const to all but its end */
    if (!own)
        return;
    map_free(&own->arrival_of);
    VEC_FREE(&own->arrival);
    map_free(&own->way_of);
    VEC_FREE(&own->way);
}
