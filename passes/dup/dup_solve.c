/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_solve.c - problem in, exact choices out: start, the solver on the core, exact search with
 * ties broken.
 *
 * Choices that cannot fit (beyond what is left beside the fewest PEs of all others), or that
 * another one beats whatever the others are, are cut off first. The result does not depend on what
 * the solver answers, only the time does.
 */
#include "dup.h"

#include <string.h>

bool dup_is_faster(const struct dup_choice *a, const struct dup_choice *b)
{
    return (dup_units)a->cycles * b->copies < (dup_units)b->cycles * a->copies;
}

int dup_prefer(const struct dup_choice *a, const struct dup_choice *b)
{
    dup_units x = (dup_units)a->patch[0] * a->patch[1], y = (dup_units)b->patch[0] * b->patch[1];
    if (x != y)
        return x < y ? -1 : 1;
    if (a->patch[1] != b->patch[1])
        return a->patch[1] > b->patch[1] ? -1 : 1;
    return (a->copies > b->copies) - (a->copies < b->copies);
}

bool dup_follows(const struct dup_choice *a, const struct dup_choice *b)
{
    return b->copies == a->copies + 1 && a->cycles == b->cycles && a->patch[0] == b->patch[0] &&
           a->patch[1] == b->patch[1] && a->pes % a->copies == 0 &&
           b->pes - a->pes == a->pes / a->copies;
}

/* ---- what can be of use ---- */

/* The problem without the rest, and where its choices stand in the whole. */
struct trimmed {
    struct dup_problem problem;
    uint32_t **at; /* by item and choice left */
};

/* At equal PEs: does `a` come before `b` in every answer? */
static bool is_before(const struct dup_choice *a, const struct dup_choice *b)
{
    if (dup_is_faster(a, b) || dup_is_faster(b, a))
        return dup_is_faster(a, b);
    return a->copies != b->copies ? a->copies < b->copies : dup_prefer(a, b) < 0;
}

/* Of choices of equal PEs the first by is_before stays, if it is faster than all of fewer PEs. */
static struct dup_item trim_item(const struct dup_item *it, int64_t most, uint32_t *at,
                                 struct dup_choice *kept)
{
    size_t n = 0;
    for (uint32_t k = 0, best = 0; k < it->n_choices && it->choices[k].pes <= most; k++) {
        const struct dup_choice *c = &it->choices[k];
        best = k == 0 || it->choices[k - 1].pes < c->pes || is_before(c, &it->choices[best]) ? k
                                                                                             : best;
        bool last = k + 1 == it->n_choices || it->choices[k + 1].pes > c->pes;
        if (!last || (n > 0 && !dup_is_faster(&it->choices[best], &kept[n - 1])))
            continue;
        at[n] = best;
        kept[n++] = it->choices[best];
    }
    return (struct dup_item){.n_choices = n, .choices = kept};
}

static struct trimmed trim(const struct dup_problem *p, int64_t spare_pes, struct arena *a)
{
    struct dup_item *items = ARENA_ARRAY(a, struct dup_item, p->n_items);
    struct trimmed t = {.problem = *p, .at = ARENA_ARRAY(a, uint32_t *, p->n_items)};
    for (size_t i = 0; i < p->n_items; i++) {
        const struct dup_item *it = &p->items[i];
        t.at[i] = ARENA_ARRAY(a, uint32_t, it->n_choices);
        items[i] = trim_item(it, it->choices[0].pes + spare_pes, t.at[i],
                             ARENA_ARRAY(a, struct dup_choice, it->n_choices));
    }
    t.problem.items = items;
    return t;
}

/* -1: the items do not fit. */
static int64_t spare_pes_of(const struct dup_problem *p)
{
    int64_t spare = p->pes;
    for (size_t i = 0; i < p->n_items && spare >= 0; i++) {
        int64_t least = p->items[i].choices[0].pes;
        spare = least <= spare ? spare - least : -1;
    }
    return spare;
}

static size_t count_choices(const struct dup_problem *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_items; i++)
        n += p->items[i].n_choices;
    return n;
}

/* ---- the solution ---- */

/* The items that the bound leaves open, as a problem of their own. */
static struct dup_problem open_problem(const struct dup_core *core, struct arena *a)
{
    struct dup_item *items = ARENA_ARRAY(a, struct dup_item, core->n_items);
    for (size_t i = 0; i < core->n_items; i++) {
        const struct dup_core_item *c = &core->items[i];
        struct dup_choice *choices = ARENA_ARRAY(a, struct dup_choice, c->n_choices);
        for (size_t k = 0; k < c->n_choices; k++)
            choices[k] = c->choices[k].choice;
        items[i] = (struct dup_item){c->n_choices, choices};
    }
    return (struct dup_problem){items, core->n_items, core->budget, core->fewest_pes};
}

/* The solver on what the bound leaves open; its answer replaces `chosen` where it is better. */
static bool improve(const struct dup_problem *p, struct arena *a, struct diag *d, uint32_t *chosen)
{
    struct dup_core core;
    if (!dup_find_core(p, a, d, chosen, &core))
        return false;
    struct dup_problem open = open_problem(&core, a);
    uint32_t *answer = ARENA_ARRAY(a, uint32_t, core.n_items);
    int64_t left = core.budget;
    double before = 0;
    if (core.n_items == 0 || !dup_program_solve(&open, answer))
        return true;
    for (size_t i = 0; i < core.n_items; i++) {
        const struct dup_choice *c =
            &p->items[core.items[i].item].choices[chosen[core.items[i].item]];
        left -= open.items[i].choices[answer[i]].pes;
        before += (double)c->cycles / (double)c->copies;
    }
    if (left < 0 || dup_objective(&open, answer) >= before)
        return true;
    for (size_t i = 0; i < core.n_items; i++)
        chosen[core.items[i].item] = core.items[i].choices[answer[i]].at;
    return true;
}

static bool solve_trimmed(const struct dup_problem *p, const char *lp_file, struct arena *a,
                          struct diag *d, uint32_t *chosen, bool *out_proven)
{
    return (!lp_file || dup_program_write(p, lp_file, d)) && dup_find_start(p, d, chosen) &&
           improve(p, a, d, chosen) && dup_break_ties(p, d, chosen, out_proven);
}

bool dup_solve(const struct dup_problem *p, const char *lp_file, struct diag *d, uint32_t *chosen,
               bool *out_proven)
{
    int64_t spare = spare_pes_of(p);
    if (spare < 0)
        return diag_error(d, (struct loc){0}, DIAG_CAPACITY,
                          "the layers do not fit %lld PEs even once", (long long)p->pes);
    struct arena *a = arena_new();
    struct trimmed t = trim(p, spare, a);
    size_t n = count_choices(&t.problem);
    bool ok = n <= DUP_MAX_CHOICES
                  ? solve_trimmed(&t.problem, lp_file, a, d, chosen, out_proven)
                  : diag_error(d, (struct loc){0}, DIAG_DUPLICATION,
                               "%zu candidates, more than %d; give fewer PEs", n, DUP_MAX_CHOICES);
    for (size_t i = 0; ok && i < p->n_items; i++)
        chosen[i] = t.at[i][chosen[i]];
    arena_free(a);
    return ok;
}

double dup_objective(const struct dup_problem *p, const uint32_t *chosen)
{
    double sum = 0;
    for (size_t i = 0; i < p->n_items; i++) {
        const struct dup_choice *c = &p->items[i].choices[chosen[i]];
        sum += (double)c->cycles / (double)c->copies;
    }
    return sum;
}
