/*
 * dup_solve.c - problem in, exact copies out: start, GLPK on the core, exact search with ties
 * broken.
 *
 * Counts that cannot fit (beyond what is left beside the fewest of all others), or of an item with
 * nothing to gain, are cut off first. The result does not depend on what GLPK answers, only the
 * time does.
 */
#include "dup.h"

#include <string.h>

static size_t count_fitting(const struct dup_item *it, int64_t spare_pes)
{
    int64_t most = it->counts[0] + (it->cycles > 0 ? spare_pes / it->pes : 0);
    size_t n = 1;
    while (n < it->n_counts && it->counts[n] <= most)
        n++;
    return n;
}

/* -1: the items do not fit. */
static int64_t spare_pes_of(const struct dup_problem *p)
{
    int64_t spare = p->pes;
    for (size_t i = 0; i < p->n_items && spare >= 0; i++) {
        int64_t least;
        bool fits = mul_i64(p->items[i].pes, p->items[i].counts[0], &least) && least <= spare;
        spare = fits ? spare - least : -1;
    }
    return spare;
}

/* GLPK on what the bound leaves open; its answer replaces `copies` where it is better. */
static bool improve(const struct dup_problem *p, struct arena *a, struct diag *d, int64_t *copies)
{
    struct dup_core core;
    if (!dup_find_core(p, a, d, copies, &core))
        return false;
    struct dup_item *items = ARENA_ARRAY(a, struct dup_item, core.n_items);
    int64_t *before = ARENA_ARRAY(a, int64_t, core.n_items);
    int64_t *answer = ARENA_ARRAY(a, int64_t, core.n_items);
    int64_t left = core.budget;
    for (size_t i = 0; i < core.n_items; i++) {
        const struct dup_core_item *c = &core.items[i];
        items[i] = (struct dup_item){c->cycles, c->pes, c->n_counts, c->counts};
        before[i] = copies[c->item];
    }
    struct dup_problem open = {.items = items, .n_items = core.n_items, .pes = core.budget};
    if (core.n_items == 0 || !dup_glpk_solve(&open, answer))
        return true;
    for (size_t i = 0; i < core.n_items; i++)
        left -= items[i].pes * answer[i];
    if (left < 0 || dup_objective(&open, answer) >= dup_objective(&open, before))
        return true;
    for (size_t i = 0; i < core.n_items; i++)
        copies[core.items[i].item] = answer[i];
    return true;
}

static bool solve_trimmed(const struct dup_problem *p, const char *lp_file, struct arena *a,
                          struct diag *d, int64_t *copies, bool *out_proven)
{
    return (!lp_file || dup_glpk_write(p, lp_file, d)) && dup_find_start(p, d, copies) &&
           improve(p, a, d, copies) && dup_break_ties(p, d, copies, out_proven);
}

bool dup_solve(const struct dup_problem *p, const char *lp_file, struct diag *d, int64_t *copies,
               bool *out_proven)
{
    int64_t spare = spare_pes_of(p);
    if (spare < 0)
        return diag_error(d, (struct loc){0}, DIAG_CAPACITY,
                          "the layers do not fit %lld PEs even once", (long long)p->pes);
    struct arena *a = arena_new();
    struct dup_item *items = ARENA_ARRAY(a, struct dup_item, p->n_items);
    size_t n_counts = 0;
    for (size_t i = 0; i < p->n_items; i++) {
        items[i] = p->items[i];
        items[i].n_counts = count_fitting(&p->items[i], spare);
        n_counts += items[i].n_counts;
    }
    struct dup_problem trimmed = {.items = items, .n_items = p->n_items, .pes = p->pes};
    bool ok =
        n_counts <= DUP_MAX_COUNTS
            ? solve_trimmed(&trimmed, lp_file, a, d, copies, out_proven)
            : diag_error(d, (struct loc){0}, DIAG_DUPLICATION,
                         "%zu candidates, more than %d; give fewer PEs", n_counts, DUP_MAX_COUNTS);
    arena_free(a);
    return ok;
}

double dup_objective(const struct dup_problem *p, const int64_t *copies)
{
    double sum = 0;
    for (size_t i = 0; i < p->n_items; i++)
        sum += (double)p->items[i].cycles / (double)copies[i];
    return sum;
}
