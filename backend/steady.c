/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * steady.c - the schedule of frames that follow each other, all alike, an interval apart.
 *
 * In: the schedule of one frame. Its tasks, in the order in which they start there, take the first
 * time when their unit is idle in every frame: a time is taken modulo the interval (modulo
 * scheduling). The products of a group are a chain that a frame leaves before the next one enters:
 * where waiting for data makes a chain longer than the interval it begins later, until the whole
 * settles. Every cycle of dependencies goes through one chain once and is as long as the work of
 * its group, so where only products take time the least interval, the largest work of a unit, is
 * reached. Elsewhere it is searched from there up. An interval of a whole frame always does.
 *
 * If all frames start so, nothing ever waits for space or for a unit; run by themselves they are
 * never later (BACKEND.md). Work: that of a few passes over tasks and dependencies.
 */
#include "gaps.h"
#include "plan.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PASSES = 12, MOST_HALVES = 5 };
enum { MOST_UNDER_WAY = 60 }; /* frames of which anything is kept at one time */

struct queue_time {
    bool chain; /* the products of one group */
    bool used;  /* in this pass */
    uint32_t group;
    uint64_t load;       /* cycles of a frame */
    uint64_t flight;     /* of all its tasks, from what they waited for to their counts */
    uint64_t release;    /* its chain begins no earlier */
    uint64_t first, end; /* of its chain */
    struct gaps idle;
};
/* When the rows of a buffer that holds one frame at a time are used. */
struct use {
    uint32_t buffer, task;
    bool write;
};
struct steady {
    const struct plan *p;
    const struct task_graph *g;
    const struct schedule *one; /* of one frame */
    struct schedule *s;
    uint64_t signal_cycles; /* longest way of a credit */
    uint64_t start_cycles;
    uint64_t *busy;      /* per task: cycles of its unit, with those before its start */
    uint64_t *held_back; /* per task: when the frame before has left what it reads */
    struct queue_time *queue;
    VEC(struct use) uses; /* by buffer */
};

static const struct task *task_at(const struct steady *t, uint32_t id)
{
    return &t->g->tasks.at[id];
}

/* ---- what a frame needs ---- */

/* A transfer is complete some time after its unit is free; all else when it is. */
static uint64_t busy_cycles(const struct steady *t, uint32_t id)
{
    uint64_t cycles = t->one->end[id] - t->one->start[id];
    bool dram = task_kinds[task_at(t, id)->kind].unit == QUEUE_DMA;
    return t->start_cycles + (dram ? cycles - (uint64_t)t->p->arch->dram_cycles : cycles);
}

static void find_loads(struct steady *t)
{
    for (uint32_t i = 0; i < t->one->n; i++) {
        uint32_t id = t->one->order[i];
        const struct task *task = task_at(t, id);
        if (task->queue == NONE)
            continue;
        struct queue_time *q = &t->queue[task->queue];
        bool product = task->kind == TASK_mvm;
        t->busy[id] = busy_cycles(t, id);
        if (!q->used)
            q->group = product ? task->mvm.group : NONE;
        q->chain = product && q->group == task->mvm.group && (q->chain || !q->used);
        q->used = true;
        q->load += t->busy[id];
        q->flight +=
            t->start_cycles + t->one->end[id] - t->one->start[id] + t->one->complete_cycles;
    }
}

/* Of a queue's unit, of the places in flight, or of a sequencer. */
static uint64_t largest_load(const struct steady *t)
{
    uint64_t most = 0, *issue = heap_alloc((t->p->segment->n_tiles + 1) * sizeof *issue);
    uint64_t places = (uint64_t)t->p->arch->inflight;
    for (uint32_t q = 0; q < t->g->n_queues; q++) {
        uint64_t flight = places ? (t->queue[q].flight + places - 1) / places : 0;
        most = max_u64(most, max_u64(t->queue[q].load, flight));
    }
    for (uint32_t i = 0; i < t->one->n; i++) {
        const struct task *task = task_at(t, t->one->order[i]);
        if (task->queue != NONE)
            issue[task->tile] += (uint64_t)t->p->arch->issue_cycles;
    }
    for (uint32_t i = 0; i < t->p->segment->n_tiles; i++)
        most = max_u64(most, issue[i]);
    heap_free(issue);
    return most;
}

/* Cycles from the start of a task that reads the buffer until it is sent there for the next frame:
 * no frame begins earlier after the one before. Per task `longest` has the longest way to its end.
 */
static uint64_t recurrence(const struct steady *t, uint32_t buffer, uint64_t *longest)
{
    const struct task_graph *g = t->g;
    uint64_t most = 0;
    memset(longest, 0, g->tasks.n * sizeof *longest);
    for (size_t i = 0; i < g->carries.n; i++)
        if (g->carries.at[i].buffer == buffer)
            longest[g->carries.at[i].reader] = 1; /* and its own cycles */
    for (uint32_t i = 0; i < t->one->n; i++) {
        uint32_t id = t->one->order[i];
        for (uint32_t k = 0; k < task_at(t, id)->n_preds; k++) {
            uint64_t before = longest[g->preds.at[task_at(t, id)->preds + k]];
            longest[id] = max_u64(longest[id], before);
        }
        if (longest[id])
            longest[id] += t->one->end[id] - t->one->start[id];
    }
    for (size_t i = 0; i < g->carries.n; i++)
        if (g->carries.at[i].buffer == buffer)
            most = max_u64(most, longest[g->carries.at[i].send]);
    return most ? most - 1 : 0;
}

static uint64_t interval_bound(const struct steady *t, struct arena *a)
{
    uint64_t most = largest_load(t), *longest = ARENA_ARRAY(a, uint64_t, t->g->tasks.n);
    for (uint32_t i = 0; i < t->g->buffers.n; i++) {
        uint64_t cycles = t->g->buffers.at[i].state ? recurrence(t, i, longest) : 0;
        most = max_u64(most, cycles);
    }
    return most;
}

uint64_t plan_interval_bound(const struct plan *p)
{
    struct arena *a = arena_new();
    struct steady t = {.p = p,
                       .g = p->tasks,
                       .one = p->single,
                       .start_cycles = (uint64_t)p->arch->start_cycles,
                       .busy = ARENA_ARRAY(a, uint64_t, p->tasks->tasks.n),
                       .queue = ARENA_ARRAY(a, struct queue_time, p->tasks->n_queues)};
    find_loads(&t);
    uint64_t bound = interval_bound(&t, a);
    arena_free(a);
    return bound;
}

static void add_way(struct steady *t, uint32_t message, uint32_t tile)
{
    struct schedule *s = t->s;
    uint64_t key = map_pair(task_at(t, message)->tile, tile);
    uint64_t way = schedule_arrival(t->g, t->one, message, tile) - t->one->end[message];
    uint32_t at = map_intern_u64(&s->way_of, key, (uint32_t)s->way.n);
    if (at == s->way.n)
        VEC_PUSH(&s->way, way);
    s->way.at[at] = max_u64(s->way.at[at], way);
}

/* The longest way of a message from tile to tile, to the next frame too: what waits for those
 * before it is never longer. */
static void find_ways(struct steady *t)
{
    if (t->p->arch->hop_cycles == 0 && t->s->complete_cycles == 0)
        return;
    for (uint32_t id = 0; id < t->g->tasks.n; id++) {
        const struct task *task = task_at(t, id);
        for (uint32_t i = 0; i < task->n_preds; i++) {
            uint32_t pred = t->g->preds.at[task->preds + i];
            if (task_is_message(task_at(t, pred)))
                add_way(t, pred, task->tile);
        }
    }
    for (size_t i = 0; i < t->g->carries.n; i++) {
        const struct carry *c = &t->g->carries.at[i];
        add_way(t, c->send, t->g->buffers.at[c->buffer].tile);
    }
}

static int compare_uses(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    return (x->buffer > y->buffer) - (x->buffer < y->buffer);
}

static void find_uses(struct steady *t)
{
    struct arena *a = arena_new();
    const bool *alone = plan_frames_alone(t->p, a);
    struct accesses accesses = {0};
    for (uint32_t i = 0; i < t->one->n; i++) {
        task_accesses(t->p, task_at(t, t->one->order[i]), &accesses);
        for (size_t k = 0; k < accesses.v.n; k++) {
            const struct access *access = &accesses.v.at[k];
            struct use use = {access->buffer, t->one->order[i], access->write};
            if (alone[access->buffer] && !t->g->buffers.at[access->buffer].state)
                VEC_PUSH(&t->uses, use);
        }
    }
    if (t->uses.n)
        qsort(t->uses.at, t->uses.n, sizeof *t->uses.at, compare_uses);
    VEC_FREE(&accesses.v);
    arena_free(a);
}

/* Alone, a load is asked for when the MVM before its reader begins. Where MVMs are shorter than
 * loads that is too late for a chain without gaps: it is asked for as many MVMs earlier as it
 * takes. */
static void ask_earlier(struct steady *t)
{
    for (uint32_t id = 0; id < t->g->tasks.n; id++) {
        uint32_t by = t->s->asked_by[id] = t->one->asked_by[id];
        uint64_t cycles = t->one->end[id] - t->one->start[id];
        while (by != NONE && task_at(t, by)->kind == TASK_mvm && cycles > t->busy[by]) {
            uint32_t before = first_pred(t->g, task_at(t, by));
            cycles -= t->busy[by];
            bool chain = before != NONE && task_at(t, before)->kind == TASK_mvm;
            t->s->asked_by[id] = by = chain ? before : NONE;
        }
    }
}

/* ---- one pass ---- */

static uint64_t ready_at(const struct steady *t, uint32_t id)
{
    const struct task *task = task_at(t, id);
    uint32_t asked_by = t->s->asked_by[id];
    uint64_t at = asked_by == NONE ? 0 : t->s->end[asked_by] + t->s->complete_cycles;
    at = max_u64(at, t->held_back[id]);
    for (uint32_t i = 0; i < task->n_preds; i++) {
        uint64_t there = schedule_known(t->g, t->s, t->g->preds.at[task->preds + i], task);
        at = max_u64(at, there);
    }
    return at;
}

/* When the queue's unit takes the task, not before `at`; UINT64_MAX: never. */
static uint64_t take_unit(struct queue_time *q, uint64_t busy, uint64_t at)
{
    if (!q->chain)
        return q->load == 0 || gaps_take(&q->idle, busy, &at) ? at : UINT64_MAX;
    at = max_u64(at, q->used ? q->end : q->release);
    if (!q->used)
        q->first = at;
    q->end = at + busy;
    q->used = true;
    return at;
}

static bool place_tasks(struct steady *t)
{
    for (uint32_t q = 0; q < t->g->n_queues; q++) {
        t->queue[q].used = false;
        gaps_reset(&t->queue[q].idle, t->s->interval);
    }
    for (uint32_t i = 0; i < t->one->n; i++) {
        uint32_t id = t->one->order[i];
        uint64_t at = take_unit(&t->queue[task_at(t, id)->queue], t->busy[id], ready_at(t, id));
        if (at == UINT64_MAX)
            return false;
        t->s->start[id] = at + t->start_cycles;
        t->s->end[id] = t->s->start[id] + t->one->end[id] - t->one->start[id];
    }
    return true;
}

/* Chains that are too long begin later; true if there are any. */
static bool delay_chains(struct steady *t)
{
    bool any = false;
    for (uint32_t i = 0; i < t->g->n_queues; i++) {
        struct queue_time *q = &t->queue[i];
        if (!q->chain || q->end <= q->first + t->s->interval)
            continue;
        q->release = q->end - t->s->interval;
        any = true;
    }
    return any;
}

/* Readers of what the frame before leaves too late begin later; true if there are any. */
static bool hold_back(struct steady *t)
{
    bool any = false;
    for (size_t i = 0; i < t->g->carries.n; i++) {
        const struct carry *c = &t->g->carries.at[i];
        uint64_t there = schedule_arrival(t->g, t->s, c->send, t->g->buffers.at[c->buffer].tile);
        if (there + t->start_cycles <= t->s->start[c->reader] + t->s->interval)
            continue;
        t->held_back[c->reader] = there - t->s->interval;
        any = true;
    }
    return any;
}

/* Is what the buffers hold of a frame done with when the next one comes? */
static bool buffers_are_free(const struct steady *t)
{
    uint64_t first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < t->uses.n; i++) {
        const struct use *u = &t->uses.at[i];
        uint32_t tile = t->g->buffers.at[u->buffer].tile;
        if (i == 0 || u->buffer != u[-1].buffer) {
            first = UINT64_MAX;
            last = 0;
        }
        uint64_t end = schedule_arrival(t->g, t->s, u->task, tile) + t->signal_cycles;
        if (!u->write)
            end = t->s->end[u->task] + t->signal_cycles;
        if (u->write && t->s->start[u->task] < first)
            first = t->s->start[u->task];
        last = max_u64(last, end);
        if (first != UINT64_MAX && last > first && last - first > t->s->interval)
            return false;
    }
    return true;
}

/* A frame starts its last task within the stages that there are (its body may begin earlier than
 * it), and is forgotten, all credits told, soon after. */
static bool frame_fits(const struct steady *t)
{
    uint64_t start = 0, end = 0;
    for (uint32_t i = 0; i < t->one->n; i++) {
        uint32_t id = t->one->order[i];
        start = max_u64(start, t->s->start[id]);
        end = max_u64(end, t->s->end[id]);
    }
    return start / t->s->interval < ISA_MAX_STAGE &&
           (end + 2 * t->signal_cycles) / t->s->interval < MOST_UNDER_WAY;
}

static bool settle(struct steady *t, uint64_t interval)
{
    t->s->interval = interval;
    for (uint32_t q = 0; q < t->g->n_queues; q++)
        t->queue[q].release = 0;
    memset(t->held_back, 0, t->g->tasks.n * sizeof *t->held_back);
    for (int i = 0; i < MOST_PASSES; i++) {
        if (!place_tasks(t))
            return false;
        bool delayed = delay_chains(t);
        if (!(hold_back(t) || delayed))
            return frame_fits(t) && buffers_are_free(t);
    }
    return false;
}

/* ---- the interval ---- */

/* One frame after the other: the next begins when all is over, and known. */
static void follow(struct steady *t)
{
    const struct schedule *one = t->one;
    size_t bytes = t->g->tasks.n * sizeof *one->start;
    if (bytes) {
        memcpy(t->s->start, one->start, bytes);
        memcpy(t->s->end, one->end, bytes);
    }
    t->s->interval = one->makespan + t->signal_cycles;
    t->s->interval += t->s->interval == 0;
}

/* Less than what settles, but more than what did not: halves the way a few times. */
static void approach(struct steady *t, uint64_t too_short, uint64_t interval)
{
    for (int i = 0; i < MOST_HALVES && interval - too_short > 1; i++) {
        uint64_t half = too_short + (interval - too_short) / 2;
        if (settle(t, half))
            interval = half;
        else
            too_short = half;
    }
    if (t->s->interval != interval && !settle(t, interval))
        BUG("an interval of %llu settles, and then not", (unsigned long long)interval);
}

/* From the bound, or the pace that is asked for, up to the time of a frame, in growing steps. */
static void find_interval(struct steady *t)
{
    int64_t pace = t->p->options->pace;
    uint64_t wanted = pace > 0 ? (uint64_t)pace : 0, most = t->one->makespan;
    uint64_t interval = t->s->interval_bound, too_short = interval - 1;
    interval = max_u64(interval, wanted);
    most = max_u64(most, wanted);
    if (t->p->options->mode == SCHEDULE_CROSS_LAYER) {
        for (uint64_t step = 1; interval <= most; step += step / 2 + interval / 64) {
            if (settle(t, interval)) {
                if (interval > wanted)
                    approach(t, max_u64(too_short, wanted), interval);
                return;
            }
            too_short = interval;
            interval += step;
        }
    }
    follow(t);
    t->s->interval = max_u64(t->s->interval, wanted);
}

/* ---- L ---- */

struct entry {
    uint64_t at; /* within the interval */
    uint32_t stage, rank, task;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->stage != y->stage) /* the later stage has the earlier frame */
        return x->stage > y->stage ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

static void order_tasks(struct steady *t)
{
    struct schedule *s = t->s;
    uint32_t n = s->n = t->one->n;
    uint64_t before = plan_stages(t->p, s);
    struct entry *entries = heap_alloc((n + 1) * sizeof *entries);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = t->one->order[i];
        entries[i] = (struct entry){(s->start[id] + before) % s->interval, s->stage[id], i, id};
    }
    qsort(entries, n, sizeof *entries, compare_entries);
    for (uint32_t i = 0; i < n; i++) {
        s->order[i] = entries[i].task;
        s->rank[entries[i].task] = i;
    }
    heap_free(entries);
}

const struct schedule *plan_frames(const struct plan *p)
{
    size_t n = p->tasks->tasks.n;
    struct arena *a = arena_new(), *own = p->arena;
    struct schedule *s = ARENA_NEW(own, struct schedule);
    *s = (struct schedule){.order = ARENA_ARRAY(own, uint32_t, n),
                           .start = ARENA_ARRAY(own, uint64_t, n),
                           .end = ARENA_ARRAY(own, uint64_t, n),
                           .stage = ARENA_ARRAY(own, uint8_t, n),
                           .rank = ARENA_ARRAY(own, uint32_t, n),
                           .asked_by = ARENA_ARRAY(own, uint32_t, n),
                           .complete_cycles = p->single->complete_cycles};
    struct steady t = {.p = p,
                       .g = p->tasks,
                       .one = p->single,
                       .s = s,
                       .signal_cycles = plan_signal_cycles(p),
                       .start_cycles = (uint64_t)p->arch->start_cycles,
                       .busy = ARENA_ARRAY(a, uint64_t, n),
                       .held_back = ARENA_ARRAY(a, uint64_t, n),
                       .queue = ARENA_ARRAY(a, struct queue_time, p->tasks->n_queues)};
    find_loads(&t);
    ask_earlier(&t);
    find_ways(&t);
    find_uses(&t);
    s->interval_bound = interval_bound(&t, a);
    s->interval_bound += s->interval_bound == 0;
    find_interval(&t);
    s->pace = p->options->pace == 0 ? 0 : s->interval;
    order_tasks(&t);
    for (uint32_t i = 0; i < n; i++)
        s->makespan = max_u64(s->makespan, s->end[i]);
    for (uint32_t q = 0; q < t.g->n_queues; q++)
        gaps_free(&t.queue[q].idle);
    VEC_FREE(&t.uses);
    arena_free(a);
    return s;
}
