/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_makespan.c - choices for the shortest schedule: the flow model proposes, the real schedule
 * decides.
 *
 * In: choices to start from. Out: choices whose real makespan is never longer than any of theirs,
 * nor than with the fewest PEs, and a lower bound. On a machine where nothing but crossbars takes
 * time the flow model's makespan is the schedule's, and the bound meets it where the search ends in
 * time; elsewhere the model only ranks, and its bound, being free of all other costs, still holds.
 * All effort is counted, in steps of the model and tasks scheduled; no clock is asked.
 */
#include "dup_flow.h"

#include <math.h>
#include <string.h>

/* Steps of the model, about half a nanosecond each: until the search with other sets ends, that
 * with the schedule's, the proof; and what the fill bound may take beyond. */
static const int64_t MAX_WORK = 10000000000, OTHER_WORK = 1500000000, SEARCH_WORK = 3500000000,
                     FILL_WORK = 1000000000;
/* And where there is no search at all. */
static const int64_t BOUND_WORK = 20000000;
/* Tasks of all schedules after the starts' own. */
static const int64_t MAX_TASKS = 6000000;

/* What is known of the problem while it is solved. */
struct run {
    const struct dup_problem *problem, *all;
    const struct dup_real *real;
    struct diag *diag;
    struct flow flow;
    struct arena *arena;
    uint32_t *const *starts;
    uint32_t *chosen; /* the best of those that were scheduled */
    struct dup_timing timing;
    bool has_best;
    uint32_t *found; /* by a search with other sets than the schedule's, or NULL */
    int64_t tasks;   /* scheduled so far */
    int32_t bound;
};

/* Asks the schedule; of equals the first stays. */
static bool judge(struct run *r, const uint32_t *chosen)
{
    size_t bytes = r->problem->n_items * sizeof *chosen;
    struct dup_timing timing;
    if (r->has_best &&
        (r->tasks > MAX_TASKS / r->real->share || memcmp(chosen, r->chosen, bytes) == 0))
        return true;
    if (!r->real->ask(r->real->self, chosen, &timing))
        return false;
    r->tasks += (int64_t)timing.n_tasks;
    if (!r->has_best || timing.cycles < r->timing.cycles) {
        memcpy(r->chosen, chosen, bytes);
        r->timing = timing;
        r->has_best = true;
    }
    return true;
}

/* What is searched from, and the fewest PEs: where other work takes time than MVMs, copies can cost
 * more than they save, and no search in the model would find out. */
static bool judge_starts(struct run *r)
{
    uint32_t *fewest = ARENA_ARRAY(r->arena, uint32_t, r->problem->n_items);
    bool ok = true;
    for (size_t i = 0; ok && i <= DUP_N_STARTS; i++) {
        ok = judge(r, i < DUP_N_STARTS ? r->starts[i] : fewest);
        r->tasks = 0;
    }
    return ok;
}

static bool shares_crossbars(const struct flow *f)
{
    for (size_t i = 0; i < f->nodes.n; i++)
        if (f->nodes.at[i].before != FLOW_NONE)
            return true;
    return false;
}

/* ---- the model ---- */

static void start_search(struct run *r, struct dup_search *s, int64_t max_work)
{
    dup_search_start(s, &r->flow, r->chosen);
    s->has_paths = !r->flow.one_by_one && !shares_crossbars(&r->flow);
    s->progress = r->real->progress;
    s->all_work = MAX_WORK / r->real->share;
    s->max_work = max_work;
}

/* From all that is known so far, the fastest in the model first. */
static void descend_from_all(struct run *r, struct dup_search *s)
{
    const uint32_t *starts[DUP_N_STARTS + 1];
    int32_t makespan[DUP_N_STARTS + 1];
    size_t n = 0, bytes = r->problem->n_items * sizeof **starts;
    uint32_t *chosen = ARENA_ARRAY(r->arena, uint32_t, r->problem->n_items);
    for (size_t i = 0; i < DUP_N_STARTS + (r->found != NULL); i++) {
        const uint32_t *from = i < DUP_N_STARTS ? r->starts[i] : r->found;
        flow_run(&r->flow, from, s->base);
        size_t at = n++;
        for (; at > 0 && makespan[at - 1] > s->base->makespan; at--) {
            makespan[at] = makespan[at - 1];
            starts[at] = starts[at - 1];
        }
        makespan[at] = s->base->makespan;
        starts[at] = from;
    }
    for (size_t i = 0; i < n && !dup_search_is_spent(s); i++) {
        memcpy(chosen, starts[i], bytes);
        dup_descend(s, chosen);
    }
}

/* What is good with other sets may be so with the schedule's. */
static bool search_others(struct run *r, int32_t set_columns, bool thoroughly)
{
    struct dup_search s;
    r->flow.set_rows = 1;
    r->flow.set_columns = set_columns;
    start_search(r, &s, OTHER_WORK / r->real->share);
    descend_from_all(r, &s);
    bool ok = judge(r, s.chosen);
    s.max_work = MAX_WORK / 2 / r->real->share;
    if (ok && thoroughly && s.has_paths)
        ok = dup_prove(&s, NULL, r->diag) && judge(r, s.chosen);
    r->found = ARENA_ARRAY(r->arena, uint32_t, r->problem->n_items);
    memcpy(r->found, s.chosen, r->problem->n_items * sizeof *s.chosen);
    dup_search_free(&s);
    return ok;
}

/* One layer after the other, no path of the pipeline: at least the sum of latencies. */
static int32_t sum_bound(const struct run *r)
{
    double sum = dup_objective(r->problem, r->starts[0]) / (double)r->flow.unit_cycles;
    return (int32_t)ceil(sum - 1e-6 * fmax(sum, 1));
}

static bool may_choose_sets(const struct run *r)
{
    return r->real->schedule->set_budget > 0;
}

/* Does what is so of the model's sets hold for all that the schedule may choose? The finest are the
 * fastest. */
static bool has_finest_sets(const struct run *r)
{
    return !may_choose_sets(r) || (r->flow.set_rows == 1 && r->flow.set_columns == 1);
}

static int32_t fill_bound(const struct run *r, int32_t known)
{
    struct flow f = r->flow;
    f.problem = r->all;
    if (!has_finest_sets(r))
        f.set_rows = f.set_columns = 1;
    return flow_fill_bound(&f, known, *f.work + FILL_WORK / r->real->share);
}

static bool prove(struct run *r, struct dup_search *s)
{
    const char *lp_file = r->real->lp_file;
    s->max_work = MAX_WORK / r->real->share;
    if (!s->has_paths) {
        r->bound = r->flow.one_by_one ? sum_bound(r) : fill_bound(r, s->makespan);
        return !lp_file || dup_program_write(r->problem, lp_file, r->diag);
    }
    if (!dup_prove(s, lp_file, r->diag))
        return false;
    bool is_bound = has_finest_sets(r) && r->all == r->problem;
    if (s->bound < s->makespan || !is_bound)
        r->bound = fill_bound(r, s->makespan);
    if (is_bound)
        r->bound = max_i32(r->bound, s->bound);
    return judge(r, s->chosen);
}

static void use_real_sets(struct run *r)
{
    r->flow.set_rows = (int32_t)r->timing.set_rows;
    r->flow.set_columns = (int32_t)r->timing.set_columns;
}

/* With the schedule's sets. */
static bool search(struct run *r)
{
    struct dup_search s;
    use_real_sets(r);
    start_search(r, &s, SEARCH_WORK / r->real->share);
    descend_from_all(r, &s);
    bool ok = judge(r, s.chosen) && prove(r, &s);
    dup_search_free(&s);
    return ok;
}

/* Does the model know the schedule's time? */
static bool is_exact(struct run *r)
{
    struct arena *a = arena_new();
    struct flow_times *t = flow_times_new(&r->flow, a);
    use_real_sets(r);
    flow_run(&r->flow, r->chosen, t);
    bool same = (uint64_t)t->makespan * r->flow.unit_cycles == r->timing.cycles;
    arena_free(a);
    return same;
}

/* The finest sets are the fastest in the model, so they come first. A schedule that knows more than
 * the model, and may take any sets, may be faster with what is good for others: half of the effort
 * is for those. */
static bool solve(struct run *r)
{
    bool coarse = r->timing.set_rows != 1 || r->timing.set_columns != 1, ok = true;
    bool is_open = may_choose_sets(r) && !is_exact(r);
    if (!r->flow.one_by_one && (coarse || is_open))
        ok = search_others(r, coarse ? 1 : 2, is_open);
    ok = ok && search(r);
    progress_tell(r->real->progress, "search for copies", 1, 1);
    return ok;
}

bool dup_bound_pipeline(const struct dup_problem *all, const struct ir_graph *g,
                        const uint32_t *item_of, enum dup_cut cut, const uint32_t *known,
                        uint64_t *out_cycles)
{
    struct flow f = {.cut = cut, .set_rows = 1, .set_columns = 1};
    bool has_model = all->n_items > 0 && flow_build(&f, all, g, item_of);
    if (has_model) {
        struct arena *a = arena_new();
        struct flow_times *t = flow_times_new(&f, a);
        flow_run(&f, known, t);
        int32_t bound = flow_fill_bound(&f, t->makespan, *f.work + BOUND_WORK);
        *out_cycles = (uint64_t)bound * f.unit_cycles;
        arena_free(a);
    }
    flow_free(&f);
    return has_model && *out_cycles > 0;
}

bool dup_solve_makespan(const struct dup_problem *p, const struct dup_problem *all,
                        const struct ir_graph *g, const uint32_t *item_of,
                        const struct dup_real *real, uint32_t *const starts[DUP_N_STARTS],
                        struct diag *d, uint32_t *chosen, uint64_t *out_cycles,
                        struct dup_result *out)
{
    struct run r = {.problem = p,
                    .all = all,
                    .real = real,
                    .diag = d,
                    .flow = {.cut = real->cut, .one_by_one = real->schedule->layer_by_layer},
                    .arena = arena_new(),
                    .starts = starts,
                    .chosen = chosen};
    bool ok = judge_starts(&r);
    bool has_model = ok && p->n_items > 0 && flow_build(&r.flow, all, g, item_of);
    r.flow.problem = p; /* units and limits are those of all */
    if (has_model)
        ok = solve(&r);
    else if (ok && real->lp_file)
        ok = dup_program_write(p, real->lp_file, d);
    *out_cycles = r.timing.cycles;
    out->has_sets = ok;
    out->set_rows = r.timing.set_rows;
    out->set_columns = r.timing.set_columns;
    out->has_bound = ok && r.bound > 0;
    out->lower_bound_cycles = (uint64_t)r.bound * r.flow.unit_cycles;
    flow_free(&r.flow);
    arena_free(r.arena);
    return ok;
}
