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
    const struct plan *p;
    const struct isa_program *program;
    const struct place *order;
    struct schedule *s;
    uint32_t n;      /* places of L so far */
    uint32_t number; /* of the last instruction that worked */
    uint32_t task;   /* its */
};

static const struct isa_inst *inst_at(const struct walk *w, uint32_t number)
{
    const struct place *at = &w->order[number];
    return &w->program->tiles[at->tile].insts[at->index];
}

/* It is over with the last of what it waits for. */
static void pass_barrier(struct walk *w, uint32_t id)
{
    const struct task *t = &w->p->tasks->tasks.at[id];
    uint64_t end = 0;
    for (uint32_t i = 0; i < t->n_preds; i++)
        end = max_u64(end, w->s->end[w->p->tasks->preds.at[t->preds + i]]);
    w->s->start[id] = w->s->end[id] = end;
}

/* The task that the instruction is for; NONE: it only waits or tells. */
static uint32_t task_of(struct walk *w, uint32_t number)
{
    const struct isa_inst *inst = inst_at(w, number);
    if (inst->op == ISA_wait || inst->op == ISA_signal || inst->op == ISA_nop)
        return NONE;
    if (w->number == number)
        return w->task;
    uint32_t id = w->s->order[w->n++];
    for (; w->p->tasks->tasks.at[id].kind == TASK_barrier; id = w->s->order[w->n++])
        pass_barrier(w, id);
    w->number = number;
    return w->task = id;
}

static void arrives(void *self, uint32_t number, uint32_t target, uint64_t time)
{
    struct walk *w = self;
    uint32_t id = task_of(w, number);
    if (id == NONE)
        return;
    const struct isa_tile *tile = &w->program->tiles[w->order[number].tile];
    uint32_t to = tile->routes[inst_at(w, number)->obj].targets[target].tile;
    uint32_t at = map_intern_u64(&w->s->arrival_of, map_pair(id, to), (uint32_t)w->s->arrival.n);
    if (at == w->s->arrival.n)
        VEC_PUSH(&w->s->arrival, 0);
    w->s->arrival.at[at] = max_u64(w->s->arrival.at[at], time);
}

static void runs(void *self, uint32_t number, uint64_t start, uint64_t end)
{
    struct walk *w = self;
    uint32_t id = task_of(w, number);
    if (id == NONE)
        return;
    w->s->start[id] = start;
    w->s->end[id] = end;
}

const struct schedule *plan_as_run(const struct plan *p, const struct isa_program *program,
                                   const struct place *order, uint32_t n)
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
    struct walk w = {.p = p, .program = program, .order = order, .s = s, .number = NONE};
    struct timeline_watch watch = {arrives, runs, &w};
    if (!timeline_of(program, order, n, &watch, &times))
        BUG("one frame has too many times");
    for (; w.n < s->n; w.n++) /* behind all that works */
        pass_barrier(&w, s->order[w.n]);
    s->makespan = times.cycles;
    return s;
}
