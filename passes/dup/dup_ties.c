/*
 * dup_ties.c - the exact optimum of the duplication problem, and among equal ones the one the rule
 * names.
 *
 * In: the problem and feasible copies near the optimum (GLPK works in doubles). Out: exact copies.
 * A dynamic program over the core's items in list order. State: PEs used, objective so far, copies
 * so far. A state is dropped if another one uses no more PEs and is better (objective, then
 * copies), or if the bound of dup_bound.c shows that no optimum goes through it. Objectives are
 * compared in fixed point; where their error intervals overlap, as rationals (GMP), over the items
 * in which the two differ. Tracing back from the last item and taking the smallest number of copies
 * that still reaches the optimum gives "fewest on the last layer, then on the one before".
 * Invariant: states of a stage ascend in PEs and strictly improve.
 */
#include "dup.h"

#include <gmp.h>
#include <stdlib.h>

enum { MAX_STATES = 1 << 22 };

struct state {
    dup_units value; /* sum of units: the true objective is in [value, value + items so far) */
    dup_units slack;
    int64_t pes, copies;
    uint32_t parent; /* in the stage before */
    uint32_t choice; /* index into the item's counts */
};

struct search {
    const struct dup_core *core;
    VEC(struct state) states;
    size_t *stage;  /* stage[k]..stage[k + 1] = states after k items */
    int64_t *least; /* least[k], most[k]: PEs that items k.. take at least and at most */
    int64_t *most;
    mpq_t difference, term;
};

static const struct state *parent_of(const struct search *s, size_t stage, const struct state *x)
{
    return &s->states.at[s->stage[stage - 1] + x->parent];
}

static void add_term(struct search *s, int sign, int64_t cycles, int64_t copies)
{
    mpq_set_ui(s->term, (unsigned long)cycles, (unsigned long)copies);
    mpq_canonicalize(s->term);
    if (sign > 0)
        mpq_add(s->difference, s->difference, s->term);
    else
        mpq_sub(s->difference, s->difference, s->term);
}

/* Sign of objective(a) - objective(b), both after `stage` items, as rationals. */
static int compare_exactly(struct search *s, size_t stage, const struct state *a,
                           const struct state *b)
{
    mpq_set_ui(s->difference, 0, 1);
    for (; stage > 0; stage--) {
        const struct dup_core_item *it = &s->core->items[stage - 1];
        if (a->choice != b->choice) {
            add_term(s, 1, it->cycles, it->counts[a->choice]);
            add_term(s, -1, it->cycles, it->counts[b->choice]);
        }
        if (a->parent == b->parent)
            break;
        a = parent_of(s, stage, a);
        b = parent_of(s, stage, b);
    }
    return mpq_sgn(s->difference);
}

static int compare_objectives(struct search *s, size_t stage, const struct state *a,
                              const struct state *b)
{
    if (a->value + (dup_units)stage <= b->value)
        return -1;
    if (b->value + (dup_units)stage <= a->value)
        return 1;
    return compare_exactly(s, stage, a, b);
}

static bool is_better(struct search *s, size_t stage, const struct state *a, const struct state *b)
{
    int order = compare_objectives(s, stage, a, b);
    return order ? order < 0 : a->copies < b->copies;
}

static struct state extend(const struct search *s, size_t stage, size_t parent, size_t choice)
{
    const struct dup_core_item *it = &s->core->items[stage - 1];
    const struct state *x = &s->states.at[s->stage[stage - 1] + parent];
    return (struct state){.value = x->value + it->units[choice],
                          .slack = x->slack + it->slack[choice],
                          .pes = x->pes + it->pes * it->counts[choice],
                          .copies = x->copies + it->counts[choice],
                          .parent = (uint32_t)parent,
                          .choice = (uint32_t)choice};
}

/* Can an optimum go through this state after `stage` items? */
static bool is_open(const struct search *s, size_t stage, const struct state *x)
{
    int64_t unused = s->core->budget - x->pes - s->most[stage];
    return x->pes + s->least[stage] <= s->core->budget &&
           x->slack + (unused > 0 ? s->core->price * unused : 0) <= s->core->gap;
}

static int by_pes(const void *x, const void *y)
{
    const struct state *a = x, *b = y;
    if (a->pes != b->pes)
        return a->pes < b->pes ? -1 : 1;
    if (a->parent != b->parent)
        return a->parent < b->parent ? -1 : 1;
    return (a->choice > b->choice) - (a->choice < b->choice);
}

/* Keeps the states that improve on all before them; those after the stage before are new. */
static void keep_best(struct search *s, size_t stage)
{
    size_t first = s->stage[stage], kept = first;
    struct state *at = s->states.at;
    qsort(at + first, s->states.n - first, sizeof *at, by_pes);
    for (size_t i = first; i < s->states.n; i++) {
        if (kept > first && !is_better(s, stage, &at[i], &at[kept - 1]))
            continue;
        if (kept > first && at[kept - 1].pes == at[i].pes)
            kept--;
        at[kept++] = at[i];
    }
    s->states.n = kept;
}

static bool run_stage(struct search *s, size_t stage)
{
    s->stage[stage] = s->states.n;
    size_t n_before = s->stage[stage] - s->stage[stage - 1];
    for (size_t parent = 0; parent < n_before; parent++) {
        for (size_t choice = 0; choice < s->core->items[stage - 1].n_counts; choice++) {
            struct state x = extend(s, stage, parent, choice);
            if (!is_open(s, stage, &x))
                continue;
            if (s->states.n == MAX_STATES)
                return false;
            VEC_PUSH(&s->states, x);
        }
    }
    keep_best(s, stage);
    if (s->states.n == s->stage[stage])
        BUG("no optimum within the bound after %zu items", stage);
    return true;
}

/* The best state of a stage that uses at most `pes`; NULL if there is none. */
static const struct state *best_within(const struct search *s, size_t stage, int64_t pes)
{
    size_t first = s->stage[stage], low = first, high = s->stage[stage + 1];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->states.at[middle].pes <= pes)
            low = middle + 1;
        else
            high = middle;
    }
    return low > first ? &s->states.at[low - 1] : NULL;
}

/* The smallest choice of the stage's item with which `target` is still reached within `pes`. */
static const struct state *step_back(struct search *s, size_t stage, int64_t pes,
                                     const struct state *target, size_t *out_choice)
{
    const struct dup_core_item *it = &s->core->items[stage - 1];
    for (size_t choice = 0; choice < it->n_counts; choice++) {
        const struct state *before = best_within(s, stage - 1, pes - it->pes * it->counts[choice]);
        if (!before)
            continue;
        size_t parent = (size_t)(before - &s->states.at[s->stage[stage - 1]]);
        struct state x = extend(s, stage, parent, choice);
        if (x.copies == target->copies && compare_objectives(s, stage, &x, target) == 0) {
            *out_choice = choice;
            return before;
        }
    }
    BUG("the optimum cannot be traced back through item %zu", stage);
}

static void trace_back(struct search *s, int64_t *copies)
{
    int64_t pes = s->core->budget;
    const struct state *target = best_within(s, s->core->n_items, pes);
    for (size_t stage = s->core->n_items; stage > 0; stage--) {
        const struct dup_core_item *it = &s->core->items[stage - 1];
        size_t choice = 0;
        target = step_back(s, stage, pes, target, &choice);
        copies[it->item] = it->counts[choice];
        pes -= it->pes * it->counts[choice];
    }
}

static void sum_rest(struct search *s)
{
    for (size_t k = s->core->n_items; k > 0; k--) {
        const struct dup_core_item *it = &s->core->items[k - 1];
        s->least[k - 1] = s->least[k] + it->pes * it->counts[0];
        s->most[k - 1] = s->most[k] + it->pes * it->counts[it->n_counts - 1];
    }
}

static bool search_core(const struct dup_core *core, struct arena *a, struct diag *d,
                        int64_t *copies)
{
    size_t n = core->n_items;
    struct search s = {.core = core,
                       .stage = ARENA_ARRAY(a, size_t, n + 2),
                       .least = ARENA_ARRAY(a, int64_t, n + 1),
                       .most = ARENA_ARRAY(a, int64_t, n + 1)};
    mpq_inits(s.difference, s.term, NULL);
    sum_rest(&s);
    VEC_PUSH(&s.states, (struct state){0});
    bool ok = true;
    for (size_t stage = 1; ok && stage <= n; stage++)
        ok = run_stage(&s, stage);
    s.stage[n + 1] = s.states.n;
    if (ok)
        trace_back(&s, copies);
    else
        diag_error(d, (struct loc){0}, DIAG_DUPLICATION,
                   "the choice of copies needs more than %d states; give another number of PEs",
                   MAX_STATES);
    mpq_clears(s.difference, s.term, NULL);
    VEC_FREE(&s.states);
    return ok;
}

bool dup_break_ties(const struct dup_problem *p, struct diag *d, int64_t *copies)
{
    struct arena *a = arena_new();
    struct dup_core core;
    bool ok = dup_find_core(p, a, d, copies, &core) && search_core(&core, a, d, copies);
    arena_free(a);
    return ok;
}
