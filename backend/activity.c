/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * activity.c - what each unit does when: sets of the PE groups, and works of vector units and
 * ports.
 *
 * In: a scheduled plan. Out: backend_result.sets and .works. Each names the one that it waited for:
 * from the predecessor whose result came last backwards, until something takes time.
 */
#include "plan.h"

#include <string.h>

struct walk {
    const struct plan *p;
    struct tile_grid grid;
    struct arena *a;
    const char **title;   /* of each node, or NULL so far */
    uint32_t *waited_for; /* of each task that came so far */
    VEC(struct work_report) works;
};

struct set_report plan_set_of(const struct plan *p, const struct schedule *s, uint32_t task)
{
    const struct task *t = &p->tasks->tasks.at[task];
    const struct group *g = &p->segment->group[t->mvm.group];
    struct box b = task_box(p, t);
    return (struct set_report){.layer = g->layer,
                               .copy = g->copy,
                               .tile = g->tile,
                               .first_pe = g->first_pe,
                               .n_pes = g->n_pes,
                               .y = b.lo[0],
                               .x = b.lo[1],
                               .h = b.hi[0] - b.lo[0],
                               .w = b.hi[1] - b.lo[1],
                               .start_cycle = s->start[task],
                               .end_cycle = s->end[task],
                               .task = task,
                               .waited_for = NONE};
}

/* How long the task keeps its unit busy, and which; 0 = none. */
static uint64_t busy_cycles(const struct walk *w, const struct task *t, enum cost_unit *unit)
{
    struct cost_work work = task_work(w->p, &w->grid, t);
    struct cost cost = arch_cost(w->p->arch, &work);
    *unit = cost.n_stages ? cost.stage[0].unit : UNIT_LINK;
    return *unit == UNIT_LINK ? 0 : cost_occupancy_cycles(&cost);
}

static const char *title_of(struct walk *w, uint32_t node)
{
    if (!w->title[node])
        w->title[node] = op_title(w->p->nodes->at[node].root, w->a);
    return w->title[node];
}

static void add_work(struct walk *w, uint32_t task)
{
    const struct plan *p = w->p;
    const struct task *t = &p->tasks->tasks.at[task];
    enum cost_unit unit;
    uint64_t busy = busy_cycles(w, t, &unit);
    if (busy == 0)
        return;
    VEC_PUSH(&w->works, ((struct work_report){.name = title_of(w, t->node),
                                              .work = task_kinds[t->kind].work,
                                              .unit = unit,
                                              .tile = t->tile,
                                              .layer = p->segment->layer_of[t->node],
                                              .task = task,
                                              .waited_for = w->waited_for[task],
                                              .start_cycle = p->single->start[task],
                                              .end_cycle = p->single->start[task] + busy}));
}

/* Products of one group follow each other without any data between them. */
static bool is_input(const struct task *t, const struct task *pred)
{
    return t->kind != TASK_mvm || pred->kind != TASK_mvm || pred->queue != t->queue;
}

/* Of what the task reads: what came last, or NONE. */
static uint32_t find_last_input(const struct plan *p, uint32_t task)
{
    const struct task *t = &p->tasks->tasks.at[task];
    uint32_t best = NONE;
    uint64_t latest = 0;
    for (uint32_t i = 0; i < t->n_preds; i++) {
        uint32_t pred = p->tasks->preds.at[t->preds + i];
        uint64_t time = schedule_arrival(p->tasks, p->single, pred, t->tile);
        if (is_input(t, &p->tasks->tasks.at[pred]) && (best == NONE || time > latest)) {
            best = pred;
            latest = time;
        }
    }
    return best;
}

/* L has what a task needs before it. */
static uint32_t find_waited_for(const struct walk *w, uint32_t task)
{
    const struct schedule *s = w->p->single;
    uint32_t input = find_last_input(w->p, task);
    if (input == NONE || s->end[input] > s->start[input])
        return input;
    return w->waited_for[input];
}

static uint32_t count_sets(const struct plan *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->single->n; i++)
        n += p->tasks->tasks.at[p->single->order[i]].kind == TASK_mvm;
    return n;
}

void plan_report_activity(const struct plan *p, struct arena *a, struct backend_result *out)
{
    struct arena *own = arena_new();
    struct walk w = {.p = p, .grid = tile_grid_of(p->arch, p->segment->n_tiles), .a = a};
    w.title = ARENA_ARRAY(own, const char *, p->nodes->n);
    w.waited_for = ARENA_ARRAY(own, uint32_t, p->tasks->tasks.n);
    out->sets = ARENA_ARRAY(a, struct set_report, count_sets(p));
    for (uint32_t i = 0; i < p->single->n; i++) {
        uint32_t task = p->single->order[i];
        w.waited_for[task] = find_waited_for(&w, task);
        if (p->tasks->tasks.at[task].kind != TASK_mvm) {
            add_work(&w, task);
            continue;
        }
        out->sets[out->n_sets] = plan_set_of(p, p->single, task);
        out->sets[out->n_sets++].waited_for = w.waited_for[task];
    }
    out->n_works = (uint32_t)w.works.n;
    out->works = ARENA_ARRAY(a, struct work_report, w.works.n);
    if (w.works.n)
        memcpy(out->works, w.works.at, w.works.n * sizeof *w.works.at);
    VEC_FREE(&w.works);
    arena_free(own);
}
