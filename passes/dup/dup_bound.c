/*
 * dup_bound.c - a Lagrangian bound that says which numbers of copies an optimum can have at all.
 *
 * In: the problem and any feasible copies. Out: the core, every item with the few counts left open.
 * For a price >= 0 per PE, m_i = min over d of t_i/d + price*c_i*d and L = sum m_i - price*F is a
 * lower bound of the objective. An optimum costs at most what the given copies cost, U. The
 * difference between its cost and L is the sum of its items' slacks (t_i/d + price*c_i*d - m_i)
 * plus price * unused PEs; all are >= 0, so a count whose slack alone exceeds U - L is in no
 * optimum. (Everett, Generalized Lagrange multiplier method, Operations Research 11 (1963).)
 * Invariant: integers throughout; quotients are rounded so that the bound stays a bound.
 */
#include "dup.h"

#include <string.h>

/* |t| < 2^60, PEs <= 2^40, and price * PEs < 2^122. */
enum { MAX_CYCLE_BITS = 60, MAX_PES_BITS = 40, MAX_SHIFT = 60, VALUE_BITS = 82 };

/* The lower convex hull of an item's points (count, units): the only minimisers for some price. */
struct hull {
    size_t n;
    const uint32_t *at; /* indices of counts */
};

struct bound {
    const struct dup_problem *problem;
    unsigned shift;
    int64_t budget; /* F, or less where that much cannot be used */
    struct hull *hulls;
};

static dup_units units_of(const struct bound *b, size_t item, size_t k)
{
    const struct dup_item *it = &b->problem->items[item];
    return ((dup_units)it->cycles << b->shift) / it->counts[k];
}

static unsigned bits_of(dup_units x)
{
    unsigned n = 0;
    for (; x > 0; x >>= 1)
        n++;
    return n;
}

static bool choose_range(struct bound *b, struct diag *d)
{
    const struct dup_problem *p = b->problem;
    dup_units cycles = 0, most = 0;
    for (size_t i = 0; i < p->n_items; i++) {
        const struct dup_item *it = &p->items[i];
        cycles += it->cycles;
        most += (dup_units)it->pes * it->counts[it->n_counts - 1];
    }
    if (most > p->pes)
        most = p->pes;
    unsigned cycle_bits = bits_of(cycles);
    if (cycle_bits > MAX_CYCLE_BITS || bits_of(most) > MAX_PES_BITS)
        return diag_error(d, (struct loc){0}, DIAG_DUPLICATION,
                          "more than 2^%d cycles or 2^%d PEs are out of range", MAX_CYCLE_BITS,
                          MAX_PES_BITS);
    b->budget = (int64_t)most;
    b->shift = VALUE_BITS - cycle_bits < MAX_SHIFT ? VALUE_BITS - cycle_bits : MAX_SHIFT;
    return true;
}

/* Is point k on or above the line from j to l? */
static bool is_above(const struct bound *b, size_t item, size_t j, size_t k, size_t l)
{
    const int64_t *x = b->problem->items[item].counts;
    dup_units yj = units_of(b, item, j), yk = units_of(b, item, k), yl = units_of(b, item, l);
    return (yk - yj) * (x[l] - x[k]) >= (yl - yk) * (x[k] - x[j]);
}

static struct hull find_hull(const struct bound *b, size_t item, struct arena *a)
{
    size_t n = 0, n_counts = b->problem->items[item].n_counts;
    uint32_t *at = ARENA_ARRAY(a, uint32_t, n_counts);
    for (size_t k = 0; k < n_counts; k++) {
        while (n >= 2 && is_above(b, item, at[n - 2], at[n - 1], k))
            n--;
        at[n++] = (uint32_t)k;
    }
    return (struct hull){.n = n, .at = at};
}

/* Smallest count index with the least units + price * PEs. */
static size_t cheapest(const struct bound *b, size_t item, dup_units price)
{
    const struct dup_item *it = &b->problem->items[item];
    const struct hull *h = &b->hulls[item];
    size_t low = 0, high = h->n - 1; /* slopes fall: the last step that pays is found by halving */
    while (low < high) {
        size_t middle = (low + high) / 2, here = h->at[middle], next = h->at[middle + 1];
        dup_units gain = units_of(b, item, here) - units_of(b, item, next);
        if (gain > price * it->pes * (it->counts[next] - it->counts[here]))
            low = middle + 1;
        else
            high = middle;
    }
    return h->at[low];
}

static bool price_is_enough(const struct bound *b, dup_units price)
{
    dup_units used = 0;
    for (size_t i = 0; i < b->problem->n_items; i++) {
        const struct dup_item *it = &b->problem->items[i];
        used += (dup_units)it->pes * it->counts[cheapest(b, i, price)];
    }
    return used <= b->budget;
}

/* The least price at which the cheapest choices fit: there L is largest (to one unit). */
static dup_units find_price(const struct bound *b)
{
    dup_units low = 0, high = (dup_units)1 << VALUE_BITS;
    while (low < high) {
        dup_units middle = (low + high) / 2;
        if (price_is_enough(b, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static dup_units cost_at(const struct bound *b, size_t item, size_t k, dup_units price)
{
    const struct dup_item *it = &b->problem->items[item];
    return units_of(b, item, k) + price * it->pes * it->counts[k];
}

/* U - L in units, rounded up. */
static dup_units find_gap(const struct bound *b, dup_units price, const int64_t *copies)
{
    dup_units gap = price * b->budget;
    for (size_t i = 0; i < b->problem->n_items; i++) {
        const struct dup_item *it = &b->problem->items[i];
        gap += (((dup_units)it->cycles << b->shift) + copies[i] - 1) / copies[i];
        gap -= cost_at(b, i, cheapest(b, i, price), price);
    }
    return gap;
}

/* The counts of an item whose slack is at most `gap`. */
static struct dup_core_item open_counts(const struct bound *b, size_t item, dup_units price,
                                        dup_units gap, struct arena *a)
{
    const struct dup_item *it = &b->problem->items[item];
    dup_units least = cost_at(b, item, cheapest(b, item, price), price);
    size_t n_open = 0;
    for (size_t k = 0; k < it->n_counts; k++)
        n_open += cost_at(b, item, k, price) - least <= gap;
    int64_t *counts = ARENA_ARRAY(a, int64_t, n_open);
    dup_units *units = ARENA_ARRAY(a, dup_units, n_open),
              *slack = ARENA_ARRAY(a, dup_units, n_open);
    size_t n = 0;
    for (size_t k = 0; k < it->n_counts; k++) {
        dup_units above = cost_at(b, item, k, price) - least;
        if (above > gap)
            continue;
        counts[n] = it->counts[k];
        units[n] = units_of(b, item, k);
        slack[n++] = above;
    }
    return (struct dup_core_item){item, it->cycles, it->pes, n, counts, units, slack};
}

static bool start_bound(struct bound *b, const struct dup_problem *p, struct arena *a,
                        struct diag *d)
{
    *b = (struct bound){.problem = p, .hulls = ARENA_ARRAY(a, struct hull, p->n_items)};
    if (!choose_range(b, d))
        return false;
    for (size_t i = 0; i < p->n_items; i++)
        b->hulls[i] = find_hull(b, i, a);
    return true;
}

/* Raises one item to the largest count, up to index `most`, that `left` PEs allow. */
static int64_t raise_count(const struct dup_item *it, size_t most, int64_t left, int64_t *copies)
{
    size_t k = most;
    while (k > 0 && it->counts[k] > *copies && it->pes * (it->counts[k] - *copies) > left)
        k--;
    if (it->counts[k] <= *copies)
        return left;
    left -= it->pes * (it->counts[k] - *copies);
    *copies = it->counts[k];
    return left;
}

bool dup_find_start(const struct dup_problem *p, struct diag *d, int64_t *copies)
{
    struct arena *a = arena_new();
    struct bound b;
    bool ok = start_bound(&b, p, a, d);
    if (ok) {
        dup_units price = find_price(&b);
        int64_t left = b.budget;
        for (size_t i = 0; i < p->n_items; i++) {
            copies[i] = p->items[i].counts[cheapest(&b, i, price)];
            left -= p->items[i].pes * copies[i];
        }
        /* First what is worth just less than the price, then anything. */
        for (size_t i = 0; i < p->n_items && price > 0; i++)
            left = raise_count(&p->items[i], cheapest(&b, i, price - 1), left, &copies[i]);
        for (size_t i = 0; i < p->n_items; i++)
            left = raise_count(&p->items[i], p->items[i].n_counts - 1, left, &copies[i]);
    }
    arena_free(a);
    return ok;
}

bool dup_find_core(const struct dup_problem *p, struct arena *a, struct diag *d, int64_t *copies,
                   struct dup_core *out)
{
    struct bound b;
    if (!start_bound(&b, p, a, d))
        return false;
    dup_units price = find_price(&b), gap = find_gap(&b, price, copies);
    *out = (struct dup_core){.items = ARENA_ARRAY(a, struct dup_core_item, p->n_items),
                             .budget = b.budget,
                             .shift = b.shift,
                             .price = price,
                             .gap = gap};
    for (size_t i = 0; i < p->n_items; i++) {
        struct dup_core_item it = open_counts(&b, i, price, gap, a);
        if (it.n_counts > 1) {
            out->items[out->n_items++] = it;
            continue;
        }
        copies[i] = it.counts[0];
        out->budget -= it.pes * it.counts[0];
        out->gap -= it.slack[0];
    }
    return true;
}
