/*
 * dup_interval.c - copies for the least initiation interval: no copy of any layer works longer than
 * T, and T is as small as the PEs allow.
 *
 * For a given T the fewest copies of one item do not depend on the others, and a larger T never
 * needs more: bisection is exact. Counts whose load is above the least T go; what PEs are left are
 * spent on the sum of latencies (dup_solve.c). O(counts + items * log(counts) * log(T)).
 */
#include "dup.h"

struct interval {
    const struct dup_problem *problem;
    int64_t **least; /* by item and count: least load of it and all smaller counts */
};

static struct interval interval_new(const struct dup_problem *p, const int64_t *const *loads,
                                    struct arena *a)
{
    struct interval x = {.problem = p, .least = ARENA_ARRAY(a, int64_t *, p->n_items)};
    for (size_t i = 0; i < p->n_items; i++) {
        int64_t least = INT64_MAX;
        x.least[i] = ARENA_ARRAY(a, int64_t, p->items[i].n_counts);
        for (size_t k = 0; k < p->items[i].n_counts; k++)
            x.least[i][k] = least = min_i64(least, loads[i][k]);
    }
    return x;
}

/* Index of the fewest copies within the load; n_counts if there are none. */
static size_t fewest_within(const struct interval *x, size_t item, int64_t load)
{
    size_t low = 0, high = x->problem->items[item].n_counts;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (x->least[item][middle] <= load)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool is_feasible(const struct interval *x, int64_t load)
{
    int64_t left = x->problem->pes, pes;
    for (size_t i = 0; i < x->problem->n_items; i++) {
        const struct dup_item *it = &x->problem->items[i];
        size_t k = fewest_within(x, i, load);
        if (k == it->n_counts || !mul_i64(it->pes, it->counts[k], &pes) || pes > left)
            return false;
        left -= pes;
    }
    return true;
}

/* One copy of everything is feasible with the largest load of all. */
static int64_t least_interval(const struct interval *x)
{
    int64_t low = 0, high = 0;
    for (size_t i = 0; i < x->problem->n_items; i++)
        high = max_i64(high, x->least[i][0]);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (is_feasible(x, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct dup_item keep_within(const struct dup_item *it, const int64_t *loads, int64_t load,
                                   struct arena *a)
{
    int64_t *counts = ARENA_ARRAY(a, int64_t, it->n_counts);
    size_t n = 0;
    for (size_t k = 0; k < it->n_counts; k++)
        if (loads[k] <= load)
            counts[n++] = it->counts[k];
    return (struct dup_item){it->cycles, it->pes, n, counts};
}

bool dup_solve_interval(const struct dup_problem *p, const int64_t *const *loads,
                        const char *lp_file, struct diag *d, int64_t *copies, int64_t *out_interval)
{
    struct arena *a = arena_new();
    struct interval x = interval_new(p, loads, a);
    struct dup_item *items = ARENA_ARRAY(a, struct dup_item, p->n_items);
    *out_interval = least_interval(&x);
    for (size_t i = 0; i < p->n_items; i++)
        items[i] = keep_within(&p->items[i], loads[i], *out_interval, a);
    struct dup_problem within = {.items = items, .n_items = p->n_items, .pes = p->pes};
    bool proven, ok = dup_solve(&within, lp_file, d, copies, &proven);
    arena_free(a);
    return ok;
}
