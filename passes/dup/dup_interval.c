/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_interval.c - choices for the least initiation interval: no copy of any layer works longer
 * than T, and T is as small as the PEs allow.
 *
 * For a given T the fewest PEs of one item do not depend on the others, and a larger T never needs
 * more: bisection is exact. Choices whose load is above the least T go; what PEs are left are spent
 * on the sum of latencies (dup_solve.c). O(choices + items * log(choices) * log(T)).
 */
#include "dup.h"

struct interval {
    const struct dup_problem *problem;
    int64_t **least; /* by item and choice: least load of it and all of fewer PEs */
};

static struct interval interval_new(const struct dup_problem *p, struct arena *a)
{
    struct interval x = {.problem = p, .least = ARENA_ARRAY(a, int64_t *, p->n_items)};
    for (size_t i = 0; i < p->n_items; i++) {
        int64_t least = INT64_MAX;
        x.least[i] = ARENA_ARRAY(a, int64_t, p->items[i].n_choices);
        for (size_t k = 0; k < p->items[i].n_choices; k++)
            x.least[i][k] = least = min_i64(least, p->items[i].choices[k].load);
    }
    return x;
}

/* PEs of the item's smallest choice within the load; 0 if there is none. */
static int64_t fewest_within(const struct interval *x, size_t item, int64_t load)
{
    const struct dup_item *it = &x->problem->items[item];
    size_t low = 0, high = it->n_choices;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (x->least[item][middle] <= load)
            high = middle;
        else
            low = middle + 1;
    }
    return low < it->n_choices ? it->choices[low].pes : 0;
}

/* 0: none are enough. */
static int64_t pes_within(const struct interval *x, int64_t load)
{
    int64_t total = 0;
    for (size_t i = 0; i < x->problem->n_items; i++) {
        int64_t fewest = fewest_within(x, i, load);
        if (fewest == 0 || !add_i64(total, fewest, &total))
            return 0;
    }
    return total;
}

static bool fits(const struct interval *x, int64_t load)
{
    int64_t pes = pes_within(x, load);
    return pes > 0 && pes <= x->problem->pes;
}

/* The fewest PEs of everything are feasible, whatever load that is. */
static int64_t least_interval(const struct interval *x)
{
    int64_t low = 0, high = 0;
    for (size_t i = 0; i < x->problem->n_items; i++)
        high = max_i64(high, x->least[i][0]);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (fits(x, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct dup_item keep_within(const struct dup_item *it, int64_t load, struct arena *a,
                                   uint32_t **out_at)
{
    struct dup_choice *choices = ARENA_ARRAY(a, struct dup_choice, it->n_choices);
    uint32_t *at = ARENA_ARRAY(a, uint32_t, it->n_choices);
    size_t n = 0;
    for (uint32_t k = 0; k < it->n_choices; k++) {
        if (it->choices[k].load > load)
            continue;
        at[n] = k;
        choices[n++] = it->choices[k];
    }
    *out_at = at;
    return (struct dup_item){n, choices};
}

struct dup_problem dup_within(const struct dup_problem *p, int64_t load, struct arena *a,
                              uint32_t **at)
{
    struct dup_item *items = ARENA_ARRAY(a, struct dup_item, p->n_items);
    struct dup_problem within = *p;
    for (size_t i = 0; i < p->n_items; i++)
        items[i] = keep_within(&p->items[i], load, a, &at[i]);
    within.items = items;
    return within;
}

bool dup_solve_interval(const struct dup_problem *p, const char *lp_file, struct diag *d,
                        uint32_t *chosen, int64_t *out_interval, bool *out_proven)
{
    struct arena *a = arena_new();
    struct interval x = interval_new(p, a);
    uint32_t **at = ARENA_ARRAY(a, uint32_t *, p->n_items);
    *out_interval = least_interval(&x);
    struct dup_problem within = dup_within(p, *out_interval, a, at);
    bool ok = dup_solve(&within, lp_file, d, chosen, out_proven);
    for (size_t i = 0; ok && i < p->n_items; i++)
        chosen[i] = at[i][chosen[i]];
    arena_free(a);
    return ok;
}

int64_t dup_interval_pes(const struct dup_problem *p, int64_t load)
{
    struct arena *a = arena_new();
    struct interval x = interval_new(p, a);
    int64_t pes = pes_within(&x, load);
    arena_free(a);
    return pes;
}
