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
#include "backend_internal.h"

#include <stdlib.h>
#include <string.h>

struct ready { /* tasks of a queue in order of readiness */
    uint32_t first, last;
};
struct woken {
    uint32_t task, by;
};
struct run {
    struct plan *p;
    struct isa_program machine; /* arch and number of tiles, for hops */
    struct resources time;
    uint64_t n_events;
    struct ready *ready; /* of each queue */
    uint32_t *cursor, *first_waiter, *next_waiter;
    uint8_t *state;
    VEC(struct woken) work; /* tasks whose next predecessor is to be looked at */
    uint32_t completed;     /* what the task being looked at waited for last, or NONE */
    struct map channel_of;  /* (from tile, to tile) -> channels */
    VEC(struct channel) channels;
};
enum { WAITING, READY, STARTED, COMPLETE };

/* Of several at one time the one that was known first: nearly the order of L so far. */
static void add_event(struct run *r, uint64_t time, enum event_kind kind, uint32_t what)
{
    event_add(&r->time, (struct event){time, r->n_events++, kind, what});
}

static bool is_message(const struct task *t)
{
    return t->kind == TASK_send || t->kind == TASK_partial;
}

uint64_t plan_arrival(const struct plan *p, uint32_t id, uint32_t tile)
{
    if (!is_message(&p->tasks.at[id]))
        return p->tasks.at[id].end;
    uint32_t i = map_find_u64(&p->arrival_of, map_pair(id, tile));
    return i == MAP_NONE ? UINT64_MAX : p->arrival.at[i];
}

/* Is what the task makes there for the tile's tasks? */
static bool is_there(const struct run *r, uint32_t id, uint32_t tile)
{
    if (r->state[id] < STARTED)
        return false;
    return is_message(&r->p->tasks.at[id]) ? plan_arrival(r->p, id, tile) <= r->time.now
                                           : r->state[id] == COMPLETE;
}

/* Those who waited for the task, if what it makes is there for them, look for what else they need.
 */
static void wake(struct run *r, uint32_t id)
{
    uint32_t kept = NONE, *end = &kept;
    for (uint32_t w = r->first_waiter[id], next; w != NONE; w = next) {
        next = r->next_waiter[w];
        if (is_there(r, id, r->p->tasks.at[w].tile)) {
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
    struct plan *p = r->p;
    uint64_t channel = map_pair(p->tasks.at[id].tile, tile), message = map_pair(id, tile);
    uint32_t c = map_intern_u64(&r->channel_of, channel, (uint32_t)r->channels.n);
    if (c == r->channels.n)
        VEC_PUSH(&r->channels, (struct channel){0});
    uint64_t time = channel_count(&r->channels.at[c], arrival);
    if (map_intern_u64(&p->arrival_of, message, (uint32_t)p->arrival.n) == p->arrival.n)
        VEC_PUSH(&p->arrival, time);
    return time;
}

static void send_messages(struct run *r, uint32_t id, uint64_t arrival)
{
    const struct plan *p = r->p;
    const struct task *t = &p->tasks.at[id];
    const struct node *n = &p->nodes.at[t->node];
    uint64_t told = t->end;
    for (uint32_t i = 0; i < (t->kind == TASK_send ? n->targets.n : 1); i++) {
        uint32_t tile = n->home[t->cell];
        if (t->kind == TASK_send) {
            if (n->targets.at[i].class != t->aux || !node_sends(n, t->cell, i))
                continue;
            tile = p->buffers.at[n->targets.at[i].buffer].tile;
        }
        uint64_t time = arrive_at(r, id, tile, arrival);
        if (time != told)
            add_event(r, time, EVENT_ARRIVE, id);
        told = time;
    }
}

static void demand(struct run *r, uint32_t id);

/* While an MVM runs, its PEs' next one has its rows loaded: double buffering. Where loads take no
 * time this would cost memory for nothing. */
static void load_ahead(struct run *r, uint32_t id)
{
    const struct plan *p = r->p;
    if (p->arch->dram_cycles == 0 && p->arch->dram_bytes_per_cycle == 0)
        return;
    for (uint32_t w = r->first_waiter[id]; w != NONE; w = r->next_waiter[w]) {
        const struct task *next = &p->tasks.at[w];
        for (uint32_t i = 0; i < next->n_preds && next->pred0 == id; i++)
            demand(r, p->preds.at[next->preds + i]);
    }
}

static void start(struct run *r, uint32_t id)
{
    struct plan *p = r->p;
    struct task *t = &p->tasks.at[id];
    struct cost_work work = plan_task_work(p, &r->machine, t);
    struct cost cost = arch_cost(p->arch, &work);
    struct reservation times = resource_reserve(&r->time, t->queue, &cost, 0);
    t->start = r->time.now;
    t->end = times.end;
    t->order = p->n_order;
    p->order[p->n_order++] = id;
    if (p->n_order % PROGRESS_TASKS == 0)
        progress_tell(p->options->progress, "schedule", p->n_order, p->tasks.n);
    p->makespan = t->end > p->makespan ? t->end : p->makespan;
    if (is_message(t))
        send_messages(r, id, times.arrival);
    if (t->kind == TASK_mvm)
        p->pe_busy_cycles += (t->end - t->start) * p->groups.at[t->aux].n_pes;
    r->state[id] = STARTED;
    if (t->end == t->start)
        complete(r, id);
    else
        add_event(r, t->end, EVENT_COMPLETE, id);
    if (times.unit_free > t->start && times.unit_free != t->end)
        add_event(r, times.unit_free, EVENT_UNIT_FREE, t->queue);
    if (t->kind == TASK_mvm && t->end > t->start)
        load_ahead(r, id);
}

static void start_ready(struct run *r, uint32_t queue)
{
    struct ready *ready = &r->ready[queue];
    while (ready->first != NONE && r->time.units[queue].free_at <= r->time.now) {
        uint32_t id = ready->first;
        ready->first = r->next_waiter[id];
        if (ready->first == NONE)
            ready->last = NONE;
        start(r, id);
    }
}

/* How long a home's SIGNAL to all tiles of base layer `next` is under way: to the farthest of them.
 */
static uint64_t signal_cycles(const struct run *r, uint32_t from, const struct layer *next)
{
    const struct plan *p = r->p;
    struct cost_work work = {.kind = COST_SIGNAL};
    for (uint32_t c = 0; c < next->n_copies; c++)
        for (uint32_t g = 0; g < next->copy[c].n_groups; g++) {
            uint32_t to = p->groups.at[next->copy[c].first_group + g].tile;
            uint32_t hops = isa_hops(&r->machine, from, to);
            work.hops = hops > work.hops ? hops : work.hops;
        }
    struct cost cost = arch_cost(p->arch, &work);
    return cost_flight_cycles(&cost);
}

/* The news of the last cells travels from their homes. */
static void pass_barrier(struct run *r, uint32_t id)
{
    struct plan *p = r->p;
    struct task *t = &p->tasks.at[id];
    t->start = t->end = r->time.now;
    t->order = p->n_order;
    p->order[p->n_order++] = id;
    const struct layer *next = &p->layers.at[p->nodes.at[t->node].layer + 1];
    uint32_t home = NONE;
    uint64_t way_cycles = 0;
    for (uint32_t i = 0; i < t->n_preds && p->arch->hop_cycles > 0; i++) {
        const struct task *cell = &p->tasks.at[p->preds.at[t->preds + i]];
        if (cell->tile != home) /* cells of a home come in runs */
            way_cycles = signal_cycles(r, home = cell->tile, next);
        uint64_t there = cell->end + (cell->tile == t->tile ? 0 : way_cycles);
        t->end = there > t->end ? there : t->end;
    }
    r->state[id] = STARTED;
    if (t->end == t->start)
        complete(r, id);
    else
        add_event(r, t->end, EVENT_COMPLETE, id);
}

static void make_ready(struct run *r, uint32_t id)
{
    struct task *t = &r->p->tasks.at[id];
    r->state[id] = READY;
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
    struct task *t = &r->p->tasks.at[id];
    if (!t->demand || r->state[id] != WAITING)
        return;
    t->pred0 = r->completed;
    make_ready(r, id);
}

/* Looks for the next incomplete predecessor and waits on it; ready if there is none. */
static void advance(struct run *r, uint32_t id)
{
    const struct plan *p = r->p;
    const struct task *t = &p->tasks.at[id];
    for (; r->cursor[id] <= t->n_preds; r->cursor[id]++) {
        uint32_t pred = r->cursor[id] ? p->preds.at[t->preds + r->cursor[id] - 1] : t->pred0;
        if (pred == NONE || is_there(r, pred, t->tile))
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
        if (r->p->tasks.at[e->what].queue != NONE)
            start_ready(r, r->p->tasks.at[e->what].queue);
        break;
    case EVENT_UNIT_FREE: start_ready(r, e->what); break;
    case EVENT_ARRIVE: wake(r, e->what); break;
    }
}

void plan_schedule(struct plan *p)
{
    size_t n = p->tasks.n;
    struct run r = {.p = p, .machine = {.arch = *p->arch, .n_tiles = (uint32_t)p->tiles.n}};
    resource_init(&r.time, p->n_queues);
    r.ready = heap_alloc(p->n_queues * sizeof *r.ready);
    memset(r.ready, 0xff, p->n_queues * sizeof *r.ready);
    r.cursor = heap_alloc(n * sizeof *r.cursor);
    r.first_waiter = heap_alloc(n * sizeof *r.first_waiter);
    r.next_waiter = heap_alloc(n * sizeof *r.next_waiter);
    r.state = heap_alloc(n);
    memset(r.first_waiter, 0xff, n * sizeof *r.first_waiter);
    p->order = ARENA_ARRAY(p->arena, uint32_t, n);

    for (size_t i = n; i-- > 0;) /* the worklist is a stack: first tasks first */
        if (!p->tasks.at[i].demand)
            VEC_PUSH(&r.work, ((struct woken){(uint32_t)i, NONE}));
    run_worklist(&r);
    struct event e;
    while (resource_next_time(&r.time)) {
        while (resource_next_event(&r.time, &e))
            handle(&r, &e);
        run_worklist(&r);
    }
    progress_tell(p->options->progress, "schedule", n, n);
    for (size_t i = 0; i < n; i++)
        if (r.state[i] != COMPLETE && !(p->tasks.at[i].demand && r.state[i] == WAITING))
            BUG("task %zu of node %s never starts", i, p->nodes.at[p->tasks.at[i].node].out->name);
    resource_free(&r.time);
    free(r.ready);
    free(r.cursor);
    free(r.first_waiter);
    free(r.next_waiter);
    free(r.state);
    VEC_FREE(&r.work);
    VEC_FREE(&r.channels);
    map_free(&r.channel_of);
}
