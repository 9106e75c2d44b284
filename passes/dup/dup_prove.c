/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_prove.c - bound and best choices close in on each other (logic-based Benders decomposition:
 * Hooker, Ottosson, "Logic-based Benders decomposition", Mathematical Programming 96, 2003).
 *
 * The master is an integer program: least T over what fits, T at least the length of
 * every path known so far, each a sum over layers (dup_path.c). Its answer is timed with the flow
 * model; the longest path found there joins the master, which is exact for these choices from then
 * on. The master's optimum is a lower bound on every makespan; the timed answers, improved by
 * exchange, are what is chosen from. They meet at the optimum, or the nodes are spent first.
 */
#include "dup_flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The largest matrix; rounds in vain before it is left. */
enum { MAX_ELEMENTS = 300000, MAX_STALLED = 40 };

struct prover {
    struct dup_search *s;
    struct arena *arena;
    bool **allowed;
    VEC(struct flow_cut) cuts;
    double bound;
    int n_stalled; /* rounds since bound or best choices improved */
};

/* What nothing faster can have goes; false: nothing is faster. */
static bool narrow(struct prover *x)
{
    int32_t longest;
    struct dup_search *s = x->s;
    if (!flow_filter(s->flow, s->makespan - 1, s->max_work, x->allowed, &longest))
        return false;
    x->bound = fmax(x->bound, longest);
    return true;
}

static bool same_cut(const struct prover *x, const struct flow_cut *a, const struct flow_cut *b)
{
    for (size_t i = 0; i < x->s->problem->n_items; i++) {
        if (!a->length[i] != !b->length[i])
            return false;
        for (size_t k = 0; a->length[i] && k < x->s->problem->items[i].n_choices; k++)
            if (x->allowed[i][k] && fabs(a->length[i][k] - b->length[i][k]) >= 0.5)
                return false;
    }
    return true;
}

/* Times what is chosen and learns its longest path. */
static void learn(struct prover *x, const uint32_t *chosen)
{
    struct dup_search *s = x->s;
    flow_run(s->flow, chosen, s->trial);
    struct flow_cut cut = flow_cut_new(s->flow, x->allowed, chosen, s->trial, x->arena);
    for (size_t i = 0; i < x->cuts.n; i++)
        if (same_cut(x, &cut, &x->cuts.at[i]))
            return;
    VEC_PUSH(&x->cuts, cut);
}

/* The neighbours with fewer PEs for one item say what its PEs are good for. */
static void learn_around(struct prover *x, uint32_t *chosen)
{
    const struct dup_problem *p = x->s->problem;
    learn(x, chosen);
    for (size_t i = 0; i < p->n_items; i++) {
        if (chosen[i] == 0)
            continue;
        chosen[i]--;
        learn(x, chosen);
        chosen[i]++;
    }
}

/* Elements of the master's matrix, as if it were dense, without what is not allowed. */
static double n_elements(const struct prover *x)
{
    double columns = 1;
    for (size_t i = 0; i < x->s->problem->n_items; i++)
        for (size_t k = 0; k < x->s->problem->items[i].n_choices; k++)
            columns += x->allowed[i][k];
    return columns * (double)(x->cuts.n + x->s->problem->n_items);
}

static bool is_over(const struct prover *x)
{
    const struct dup_search *s = x->s;
    return x->bound > s->makespan - 0.5 || x->n_stalled >= MAX_STALLED ||
           n_elements(x) > MAX_ELEMENTS || dup_search_is_spent(s);
}

/* One round of master and timing; false: no round can follow. */
static bool go_on(struct prover *x, uint32_t *chosen)
{
    struct dup_search *s = x->s;
    struct dup_path_program master = {.problem = s->problem,
                                      .allowed = x->allowed,
                                      .cuts = x->cuts.at,
                                      .n_cuts = x->cuts.n,
                                      .limit = s->makespan - 1,
                                      .max_work = s->max_work - *s->flow->work};
    int32_t before = s->makespan;
    double bound_before = x->bound;
    *s->flow->work += (int64_t)n_elements(x);
    enum dup_answer answer = dup_program_choose(&master, chosen, &x->bound, s->flow->work);
    if (answer == DUP_NO_CHOICE)
        x->bound = s->makespan;
    if (answer != DUP_SOME_CHOICE)
        return false;
    learn(x, chosen);
    dup_descend(s, chosen);
    learn(x, chosen);
    bool improved = s->makespan < before || x->bound > bound_before + 0.5;
    x->n_stalled = improved ? 0 : x->n_stalled + 1;
    if (s->makespan < before && !narrow(x))
        x->bound = s->makespan;
    return true;
}

/* Lengths are integers; the solver's bound is right to far less than half of one. */
static int32_t round_bound(const struct prover *x)
{
    double least = ceil(x->bound - 0.5);
    return least < x->s->makespan ? (int32_t)least : x->s->makespan;
}

bool dup_prove(struct dup_search *s, const char *lp_file, struct diag *d)
{
    struct prover x = {.s = s, .arena = arena_new()};
    size_t n = s->problem->n_items;
    uint32_t *chosen = ARENA_ARRAY(x.arena, uint32_t, n);
    x.allowed = flow_allowed_new(s->problem, x.arena);
    if (narrow(&x)) {
        memcpy(chosen, s->chosen, n * sizeof *chosen);
        learn_around(&x, chosen);
        while (!is_over(&x) && go_on(&x, chosen))
            ;
        s->bound = round_bound(&x);
    } else {
        s->bound = s->makespan;
    }
    struct dup_path_program master = {.problem = s->problem,
                                      .allowed = x.allowed,
                                      .cuts = x.cuts.at,
                                      .n_cuts = x.cuts.n,
                                      .limit = s->makespan};
    bool ok = !lp_file || dup_program_write_paths(&master, lp_file, d);
    VEC_FREE(&x.cuts);
    arena_free(x.arena);
    return ok;
}
