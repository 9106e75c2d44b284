/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * as_run.c - the schedule of one frame with the times at which its instructions run.
 *
 * In: a plan, the program that was emitted from it. Out: its makespan, and a schedule in the same
 * order with other times. Where instructions take time besides their work the scheduler does not
 * know all: what WAIT and SIGNAL add, which dispatch stands before a full queue, what waits for
 * room in flight. Each task but a barrier is one instruction that works, in the order of L; WAITs
 * and SIGNALs stand between them.
 */
#include "plan.h"

struct walk {
    const struct isa_program *program;
    const struct emitted_order *order;
    struct schedule *s;
};

static void arrives(void *self, uint32_t number, uint32_t target, uint64_t time)
{
    struct walk *w = self;
    uint32_t id = w->order->task[number];
    if (id == NONE)
        return;
    const struct isa_place *from = &w->order->at[number];
    const struct isa_tile *tile = &w->program->tiles[from->tile];
    uint32_t to = tile->routes[tile->insts[from->inst].obj].targets[target].tile;
    uint32_t at = map_intern_u64(&w->s->arrival_of, map_pair(id, to), (uint32_t)w->s->arrival.n);
    if (at == w->s->arrival.n)
        VEC_PUSH(&w->s->arrival, 0);
    w->s->arrival.at[at] = max_u64(w->s->arrival.at[at], time);
}

static void runs(void *self, uint32_t number, uint64_t start, uint64_t end)
{
    struct walk *w = self;
    uint32_t id = w->order->task[number];
    if (id == NONE)
        return;
    w->s->start[id] = start;
    w->s->end[id] = end;
}

/* A barrier is over with the last of what it waits for, which stands before it in L. */
static void pass_barriers(const struct task_graph *g, struct schedule *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t id = s->order[i];
        const struct task *t = &g->tasks.at[id];
        if (t->kind != TASK_barrier)
            continue;
        uint64_t end = 0;
        for (uint32_t k = 0; k < t->n_preds; k++)
            end = max_u64(end, s->end[g->preds.at[t->preds + k]]);
        s->start[id] = s->end[id] = end;
    }
}

const struct schedule *plan_as_run(const struct plan *p, const struct isa_program *program,
                                   const struct emitted_order *order)
{
    const struct schedule *planned = p->schedule;
    size_t tasks = p->tasks->tasks.n;
    struct schedule *s = ARENA_NEW(p->arena, struct schedule);
    struct timeline times;
    *s = (struct schedule){.n = planned->n,
                           .order = planned->order,
                           .n_stages = planned->n_stages,
                           .stage = planned->stage,
                           .start = ARENA_ARRAY(p->arena, uint64_t, tasks),
                           .end = ARENA_ARRAY(p->arena, uint64_t, tasks),
                           .rank = planned->rank,
                           .asked_by = planned->asked_by,
                           .pe_busy_cycles = planned->pe_busy_cycles,
                           .complete_cycles = planned->complete_cycles};
    struct walk w = {program, order, s};
    struct timeline_watch watch = {arrives, runs, &w};
    if (!timeline_of(program, order->at, order->n, &watch, &times))
        BUG("one frame has too many times");
    pass_barriers(p->tasks, s);
    s->makespan = times.cycles;
    return s;
}
