/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * critical.c - the slowest path: a chain of tasks without a gap from cycle 0 to the makespan.
 *
 * In: a scheduled plan. Out: backend_detail.path. From the last task backwards: a task started when
 * the last thing it needed was there, either its unit, which the task before it in its queue kept
 * busy until then, or its inputs (the predecessor whose result came last). DMA completes in order:
 * a task held up by its predecessor's end takes no time of its own; nor does a message held up by
 * the one before it. Shortening what is off the path cannot shorten the schedule. Where starts and
 * counts take time these belong to the task that they precede; and a task that was dispatched late,
 * or for which there was no room, goes on with the one before it in its queue.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

struct step {
    uint32_t task;
    uint64_t start; /* the path is with the task from here to `end` */
    uint64_t end;
    bool waited; /* for data */
};
struct walk {
    const struct plan *p;
    struct tile_grid grid;
    uint32_t *before;       /* in its queue, or NONE */
    VEC(struct step) steps; /* last first */
};

static void find_queue_order(struct walk *w)
{
    const struct plan *p = w->p;
    uint32_t *last = heap_alloc((p->tasks->n_queues + 1) * sizeof *last);
    memset(last, 0xff, p->tasks->n_queues * sizeof *last);
    w->before = heap_alloc((p->tasks->tasks.n + 1) * sizeof *w->before);
    for (uint32_t i = 0; i < p->single->n; i++) {
        uint32_t id = p->single->order[i], queue = p->tasks->tasks.at[id].queue;
        w->before[id] = queue == NONE ? NONE : last[queue];
        if (queue != NONE)
            last[queue] = id;
    }
    heap_free(last);
}

static uint64_t arrival(const struct plan *p, uint32_t task, uint32_t tile)
{
    return schedule_arrival(p->tasks, p->single, task, tile);
}

static uint64_t known_at(const struct plan *p, uint32_t task, uint32_t of)
{
    return schedule_known(p->tasks, p->single, of, &p->tasks->tasks.at[task]);
}

/* The predecessor whose result came last, other than the task before it in its queue; or NONE. */
static uint32_t last_input(const struct plan *p, uint32_t id, uint32_t before)
{
    const struct task *t = &p->tasks->tasks.at[id];
    uint32_t best = p->single->asked_by[id] == before ? NONE : p->single->asked_by[id];
    for (uint32_t i = 0; i < t->n_preds; i++) {
        uint32_t pred = p->tasks->preds.at[t->preds + i];
        if (pred != before && (best == NONE || known_at(p, id, pred) > known_at(p, id, best)))
            best = pred;
    }
    return best;
}

static struct cost cost_of(const struct walk *w, uint32_t id)
{
    struct cost_work work = task_work(w->p, &w->grid, &w->p->tasks->tasks.at[id]);
    return arch_cost(w->p->arch, &work);
}

static bool keeps_busy_until(const struct walk *w, uint32_t id, uint64_t time)
{
    struct cost cost = cost_of(w, id);
    uint64_t busy = cost_occupancy_cycles(&cost);
    return busy > 0 && w->p->single->start[id] + busy == time;
}

/* Of the SENDs whose messages to the tile were counted when that of `id` was: the one whose message
 * was under way until then. */
static uint32_t last_under_way(const struct walk *w, uint32_t id, uint32_t tile)
{
    uint64_t time = arrival(w->p, id, tile), complete = (uint64_t)w->p->arch->complete_cycles;
    for (uint32_t i = id; i != NONE; i = w->before[i]) {
        struct cost cost = cost_of(w, i);
        if (arrival(w->p, i, tile) == time &&
            w->p->single->end[i] + complete + cost_flight_cycles(&cost) == time)
            return i;
    }
    return id;
}

/* Adds the task as a step and returns what it waited for; NONE: nothing. */
static uint32_t step_back(struct walk *w, uint32_t id, uint64_t end)
{
    const struct plan *p = w->p;
    uint64_t start = p->single->start[id];
    struct step s = {.task = id, .start = start, .end = end};
    uint32_t before = w->before[id], input = last_input(p, id, before);
    uint32_t tile = p->tasks->tasks.at[id].tile;
    struct cost cost = cost_of(w, id);
    if (before != NONE &&
        p->single->end[id] > start + cost_latency_cycles(&cost)) { /* delivered in order */
        s.start = end;
        VEC_PUSH(&w->steps, s);
        return before;
    }
    bool has_queue = p->tasks->tasks.at[id].queue != NONE;
    uint64_t ready = start - (has_queue ? (uint64_t)p->arch->start_cycles : 0);
    bool unit_was_busy = before != NONE && keeps_busy_until(w, before, ready);
    bool waited = !unit_was_busy && input != NONE && known_at(p, id, input) == ready;
    s.waited = waited && start > 0; /* what is there from the start lets nothing wait */
    VEC_PUSH(&w->steps, s);
    return waited ? last_under_way(w, input, tile) : before;
}

/* Does the step go on with what the entry before it did? */
static bool continues(const struct task *last, const struct task *t)
{
    return last && last->node == t->node && last->tile == t->tile &&
           strcmp(task_kinds[last->kind].work, task_kinds[t->kind].work) == 0;
}

static void add_steps(const struct walk *w, struct arena *a, struct backend_detail *out)
{
    const struct plan *p = w->p;
    const struct task *last = NULL;
    bool waited = false;
    out->path = ARENA_ARRAY(a, struct path_report, w->steps.n);
    for (size_t i = w->steps.n; i-- > 0;) {
        const struct step *s = &w->steps.at[i];
        const struct task *t = &p->tasks->tasks.at[s->task];
        waited |= s->waited;
        if (s->start == s->end)
            continue;
        const struct node *n = &p->nodes->at[t->node];
        if (!continues(last, t))
            out->path[out->n_path++] = (struct path_report){.name = op_title(n->root, a),
                                                            .work = task_kinds[t->kind].work,
                                                            .tile = t->tile,
                                                            .layer = p->segment->layer_of[t->node],
                                                            .start_cycle = s->start};
        struct path_report *r = &out->path[out->n_path - 1];
        r->n_steps++;
        r->n_input_waits += waited;
        r->end_cycle = s->end;
        waited = false;
        last = t;
    }
}

void plan_report_path(const struct plan *p, struct arena *a, struct backend_detail *out)
{
    struct walk w = {.p = p, .grid = tile_grid_of(p->arch, p->segment->n_tiles)};
    uint32_t id = NONE;
    uint64_t end = p->single->makespan;
    for (uint32_t i = 0; i < p->single->n; i++)
        if (p->single->end[p->single->order[i]] == p->single->makespan)
            id = p->single->order[i];
    find_queue_order(&w);
    while (id != NONE) {
        id = step_back(&w, id, end);
        end = w.steps.at[w.steps.n - 1].start;
    }
    if (w.steps.n)
        w.steps.at[w.steps.n - 1].start = 0; /* its dispatch is its own */
    add_steps(&w, a, out);
    VEC_FREE(&w.steps);
    heap_free(w.before);
}
