/*
 * schedule.c - start times of all tasks (paper section IV, stages III and IV).
 *
 * A discrete-event run: a task is ready when its predecessors are complete, and starts when its
 * unit is free; the longest-ready first. A base layer's sets start in raster order. What a SEND
 * sends is there for a tile's tasks when its message has come, in order of the messages from tile
 * to tile. Costs come from arch_cost, as in the simulator. The order in which tasks start is L: it
 * is sorted by time, and a task follows all it depends on, so streams that are slices of L run
 * exactly as scheduled and cannot deadlock (ISA-level argument: BACKEND.md). Work: O((tasks +
 * dependencies) log units).
 */
#include "backend_internal.h"

#include <stdlib.h>
#include <string.h>

struct event {
    uint64_t time, serial;
    uint32_t
        task; /* completes, or, without a queue, is a SEND that arrives at some tile; or NONE: */
    uint32_t queue; /* this queue's unit is free */
};
struct unit {
    uint64_t free_at, last_end;
    uint32_t first, last; /* ready tasks in order of readiness */
};
struct woken {
    uint32_t task, by;
};
struct run {
    struct plan *p;
    struct isa_program machine; /* arch and number of tiles, for hops */
    uint64_t now, serial;
    VEC(struct event) heap;
    struct unit *units;
    uint32_t *cursor, *first_waiter, *next_waiter;
    uint8_t *state;
    VEC(struct woken) work; /* tasks whose next predecessor is to be looked at */
    uint32_t completed;     /* what the task being looked at waited for last, or NONE */
    struct map channels;    /* (from tile, to tile) -> last_arrival */
    VEC(uint64_t) last_arrival;
};
enum { WAITING, READY, STARTED, COMPLETE };

static bool earlier(const struct event *a, const struct event *b)
{
    return a->time != b->time ? a->time < b->time : a->serial < b->serial;
}

static void heap_push(struct run *r, struct event e)
{
    e.serial = r->serial++;
    VEC_PUSH(&r->heap, e);
    size_t i = r->heap.n - 1;
    while (i > 0 && earlier(&e, &r->heap.at[(i - 1) / 2])) {
        r->heap.at[i] = r->heap.at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    r->heap.at[i] = e;
}

static struct event heap_pop(struct run *r)
{
    struct event top = r->heap.at[0], e = r->heap.at[--r->heap.n];
    size_t i = 0, n = r->heap.n;
    while (2 * i + 1 < n) {
        size_t c = 2 * i + 1;
        if (c + 1 < n && earlier(&r->heap.at[c + 1], &r->heap.at[c]))
            c++;
        if (!earlier(&r->heap.at[c], &e))
            break;
        r->heap.at[i] = r->heap.at[c];
        i = c;
    }
    if (n)
        r->heap.at[i] = e;
    return top;
}

static uint64_t box_elements(const struct box *b)
{
    return (uint64_t)(b->hi[0] - b->lo[0]) * (uint64_t)(b->hi[1] - b->lo[1]) *
           (uint64_t)(b->hi[2] - b->lo[2]);
}

static bool is_message(const struct task *t)
{
    return t->kind == TASK_SEND || t->kind == TASK_PARTIAL;
}

uint64_t plan_arrival(const struct plan *p, uint32_t id, uint32_t tile)
{
    if (!is_message(&p->tasks.at[id]))
        return p->tasks.at[id].end;
    uint32_t i = map_find_u64(&p->arrival_of, map_pair(id, tile));
    return i == MAP_NONE ? UINT64_MAX : p->arrival.at[i];
}

static uint32_t send_hops(const struct plan *p, const struct isa_program *machine,
                          const struct task *t)
{
    const struct node *n = &p->nodes.at[t->node];
    if (t->kind == TASK_PARTIAL)
        return isa_hops(machine, t->tile, n->home[t->cell]);
    uint32_t most = 0;
    for (uint32_t i = 0; i < n->targets.n; i++)
        if (node_sends(n, t->cell, i) && n->targets.at[i].class == t->aux) {
            uint32_t hops = isa_hops(machine, t->tile, p->buffers.at[n->targets.at[i].buffer].tile);
            most = hops > most ? hops : most;
        }
    return most;
}

static bool is_half(const struct ir_op *port, bool output)
{
    return strcmp(output ? port->attrs->output.dtype : port->attrs->input.dtype, "f16") == 0;
}

/* Elements along an axis that a window or reduction takes for each element of its result. */
static uint64_t taken(const struct node *n, int a)
{
    const struct axis_map *m = &n->operand[0].map[a];
    if (m->kind == MAP_OVERLAP)
        return isa_overlap_taps((uint32_t)m->kernel, (uint32_t)m->stride, (uint32_t)m->dilation);
    return (uint64_t)(m->kind == MAP_ALL ? m->extent : m->kernel);
}

/* The same amounts as isa_inst_work gives for the instruction that will be emitted. */
struct cost_work plan_task_work(const struct plan *p, const struct isa_program *machine,
                                const struct task *t)
{
    const struct node *n = &p->nodes.at[t->node];
    struct box box = task_box(p, t);
    uint64_t elements = box_elements(&box), each = 1;
    struct isa_program_entry program;
    switch ((enum task_kind)t->kind) {
    case TASK_MVM:
        return (struct cost_work){.kind = COST_MVM,
                                  .products = (uint64_t)(box.hi[0] - box.lo[0]) *
                                              (uint64_t)(box.hi[1] - box.lo[1])};
    case TASK_PARTIAL:
    case TASK_SEND:
        return (struct cost_work){
            .kind = COST_SEND, .bytes = elements * 4, .hops = send_hops(p, machine, t)};
    case TASK_LOAD:
        return (struct cost_work){.kind = COST_DMA,
                                  .bytes = elements * (is_half(n->root, false) ? 2 : 4)};
    case TASK_STORE:
        return (struct cost_work){.kind = COST_DMA,
                                  .bytes = elements *
                                           (is_half(p->stores.at[t->aux].output, true) ? 2 : 4)};
    case TASK_MAP:
    case TASK_SUM:
        task_program(p, t, &program);
        each = program.n_ops;
        break;
    case TASK_WINDOW: each = taken(n, 0) * taken(n, 1); break;
    case TASK_REDUCE: each = taken(n, 0) * taken(n, 1) * taken(n, 2); break;
    case TASK_SOFTMAX: each = t->step == 1 ? 2 : 1; break;
    case TASK_BARRIER: return (struct cost_work){.kind = COST_NONE};
    case TASK_GATHER:
    case TASK_COPY: break;
    }
    return (struct cost_work){.kind = COST_VECTOR, .elements = elements * each};
}

/* Is what the task makes there for the tile's tasks? */
static bool is_there(const struct run *r, uint32_t id, uint32_t tile)
{
    if (r->state[id] < STARTED)
        return false;
    return is_message(&r->p->tasks.at[id]) ? plan_arrival(r->p, id, tile) <= r->now
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

/* DMA takes the next instruction before the last is complete; other units run one to its end. */
bool task_is_pipelined(const struct task *t)
{
    return t->kind == TASK_LOAD || t->kind == TASK_STORE;
}

/* The message counts when it is there and so are those before it from this tile. */
static uint64_t arrive_at(struct run *r, uint32_t id, uint32_t tile, uint64_t time)
{
    struct plan *p = r->p;
    uint64_t channel = map_pair(p->tasks.at[id].tile, tile), message = map_pair(id, tile);
    uint32_t c = map_intern_u64(&r->channels, channel, (uint32_t)r->last_arrival.n);
    if (c == r->last_arrival.n)
        VEC_PUSH(&r->last_arrival, 0);
    uint64_t *last = &r->last_arrival.at[c];
    *last = time > *last ? time : *last;
    if (map_intern_u64(&p->arrival_of, message, (uint32_t)p->arrival.n) == p->arrival.n)
        VEC_PUSH(&p->arrival, *last);
    return *last;
}

/* The messages of a SEND that is complete at its `end`. */
static void send_messages(struct run *r, uint32_t id, uint64_t flight)
{
    const struct plan *p = r->p;
    const struct task *t = &p->tasks.at[id];
    const struct node *n = &p->nodes.at[t->node];
    uint64_t told = t->end;
    for (uint32_t i = 0; i < (t->kind == TASK_SEND ? n->targets.n : 1); i++) {
        uint32_t tile = n->home[t->cell];
        if (t->kind == TASK_SEND) {
            if (n->targets.at[i].class != t->aux || !node_sends(n, t->cell, i))
                continue;
            tile = p->buffers.at[n->targets.at[i].buffer].tile;
        }
        uint64_t time = arrive_at(r, id, tile, t->end + flight);
        if (time != told)
            heap_push(r, (struct event){.time = time, .task = id, .queue = NONE});
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
    struct unit *u = &r->units[t->queue];
    t->start = r->now;
    t->order = p->n_order;
    p->order[p->n_order++] = id;
    if (p->n_order % PROGRESS_TASKS == 0)
        progress_tell(p->options->progress, "schedule", p->n_order, p->tasks.n);
    t->end = r->now + cost_latency_cycles(&cost);
    t->end = t->end > u->last_end ? t->end : u->last_end;
    u->last_end = t->end;
    u->free_at = task_is_pipelined(t) ? r->now + cost_occupancy_cycles(&cost) : t->end;
    p->makespan = t->end > p->makespan ? t->end : p->makespan;
    if (is_message(t))
        send_messages(r, id, cost_flight_cycles(&cost));
    if (t->kind == TASK_MVM)
        p->pe_busy_cycles += (t->end - t->start) * p->groups.at[t->aux].n_pes;
    r->state[id] = STARTED;
    if (t->end == r->now)
        complete(r, id);
    else
        heap_push(r, (struct event){.time = t->end, .task = id, .queue = t->queue});
    if (u->free_at > r->now && u->free_at != t->end)
        heap_push(r, (struct event){.time = u->free_at, .task = NONE, .queue = t->queue});
    if (t->kind == TASK_MVM && t->end > r->now)
        load_ahead(r, id);
}

static void start_ready(struct run *r, uint32_t queue)
{
    struct unit *u = &r->units[queue];
    while (u->first != NONE && u->free_at <= r->now) {
        uint32_t id = u->first;
        u->first = r->next_waiter[id];
        if (u->first == NONE)
            u->last = NONE;
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
    t->start = t->end = r->now;
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
    if (t->end == r->now)
        complete(r, id);
    else
        heap_push(r, (struct event){.time = t->end, .task = id, .queue = NONE});
}

static void make_ready(struct run *r, uint32_t id)
{
    struct task *t = &r->p->tasks.at[id];
    r->state[id] = READY;
    if (t->kind == TASK_BARRIER) {
        pass_barrier(r, id);
        return;
    }
    struct unit *u = &r->units[t->queue];
    r->next_waiter[id] = NONE;
    if (u->last == NONE)
        u->first = id;
    else
        r->next_waiter[u->last] = id;
    u->last = id;
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

void plan_schedule(struct plan *p)
{
    size_t n = p->tasks.n;
    struct run r = {.p = p, .machine = {.arch = *p->arch, .n_tiles = (uint32_t)p->tiles.n}};
    r.units = heap_alloc(p->n_queues * sizeof *r.units);
    for (uint32_t q = 0; q < p->n_queues; q++)
        r.units[q].first = r.units[q].last = NONE;
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
    while (r.heap.n) {
        r.now = r.heap.at[0].time;
        while (r.heap.n && r.heap.at[0].time == r.now) {
            struct event e = heap_pop(&r);
            if (e.task != NONE && e.time == p->tasks.at[e.task].end)
                complete(&r, e.task);
            else if (e.task != NONE)
                wake(&r, e.task);
            if (e.queue != NONE)
                start_ready(&r, e.queue);
        }
        run_worklist(&r);
    }
    progress_tell(p->options->progress, "schedule", n, n);
    for (size_t i = 0; i < n; i++)
        if (r.state[i] != COMPLETE && !(p->tasks.at[i].demand && r.state[i] == WAITING))
            BUG("task %zu of node %s never starts", i, p->nodes.at[p->tasks.at[i].node].out->name);
    free(r.units);
    free(r.cursor);
    free(r.first_waiter);
    free(r.next_waiter);
    free(r.state);
    VEC_FREE(&r.heap);
    VEC_FREE(&r.work);
    VEC_FREE(&r.last_arrival);
    map_free(&r.channels);
}
