/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_bound.c - a Lagrangian bound that says which choices an optimum can have at all.
 *
 * In: the problem and anything that fits. Out: the core, every item with the few choices left open.
 * For a price >= 0 per PE, m_i = min over the choices of latency + price*PEs and L = sum m_i -
 * price*F is a lower bound of the objective. An optimum costs at most what the given choices cost,
 * U. The difference between its cost and L is the sum of its items' slacks (latency + price*PEs -
 * m_i) plus price * unused PEs; all are >= 0, so a choice whose slack alone exceeds U - L is in no
 * optimum. (Everett, Generalized Lagrange multiplier method, Operations Research 11 (1963).)
 * Invariant: integers throughout; quotients are rounded so that the bound stays a bound.
 */
#include "dup.h"

#include <string.h>

/* |t| < 2^60, PEs <= 2^40, and price * PEs < 2^122. */
enum { MAX_CYCLE_BITS = 60, MAX_PES_BITS = 40, MAX_SHIFT = 60, VALUE_BITS = 82 };

/* The lower convex hull of an item's points (PEs, units): the only minimisers for some price. */
struct hull {
    size_t n;
    const uint32_t *at; /* indices of choices */
};

struct bound {
    const struct dup_problem *problem;
    unsigned shift;
    int64_t budget; /* F, or less where that much cannot be used */
    struct hull *hulls;
};

static const struct dup_choice *choice_at(const struct bound *b, size_t item, size_t k)
{
    return &b->problem->items[item].choices[k];
}

static dup_units units_of(const struct bound *b, size_t item, size_t k)
{
    const struct dup_choice *c = choice_at(b, item, k);
    return ((dup_units)c->cycles << b->shift) / c->copies;
}

static int64_t most_cycles(const struct dup_item *it)
{
    int64_t most = 0;
    for (size_t k = 0; k < it->n_choices; k++)
        most = max_i64(most, it->choices[k].cycles);
    return most;
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
        cycles += most_cycles(it);
        most += it->choices[it->n_choices - 1].pes;
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
    const struct dup_choice *x = b->problem->items[item].choices;
    dup_units yj = units_of(b, item, j), yk = units_of(b, item, k), yl = units_of(b, item, l);
    return (yk - yj) * (x[l].pes - x[k].pes) >= (yl - yk) * (x[k].pes - x[j].pes);
}

static struct hull find_hull(const struct bound *b, size_t item, struct arena *a)
{
    size_t n = 0, n_choices = b->problem->items[item].n_choices;
    uint32_t *at = ARENA_ARRAY(a, uint32_t, n_choices);
    for (size_t k = 0; k < n_choices; k++) {
        while (n >= 2 && is_above(b, item, at[n - 2], at[n - 1], k))
            n--;
        at[n++] = (uint32_t)k;
    }
    return (struct hull){.n = n, .at = at};
}

/* Smallest index with the least units + price * PEs. */
static size_t cheapest(const struct bound *b, size_t item, dup_units price)
{
    const struct dup_choice *x = b->problem->items[item].choices;
    const struct hull *h = &b->hulls[item];
    size_t low = 0, high = h->n - 1; /* slopes fall: the last step that pays is found by halving */
    while (low < high) {
        size_t middle = (low + high) / 2, here = h->at[middle], next = h->at[middle + 1];
        dup_units gain = units_of(b, item, here) - units_of(b, item, next);
        if (gain > price * (x[next].pes - x[here].pes))
            low = middle + 1;
        else
            high = middle;
    }
    return h->at[low];
}

static bool price_is_enough(const struct bound *b, dup_units price)
{
    dup_units used = 0;
    for (size_t i = 0; i < b->problem->n_items; i++)
        used += choice_at(b, i, cheapest(b, i, price))->pes;
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
    return units_of(b, item, k) + price * choice_at(b, item, k)->pes;
}

/* U - L in units, rounded up. */
static dup_units find_gap(const struct bound *b, dup_units price, const uint32_t *chosen)
{
    dup_units gap = price * b->budget;
    for (size_t i = 0; i < b->problem->n_items; i++) {
        const struct dup_choice *c = choice_at(b, i, chosen[i]);
        gap += (((dup_units)c->cycles << b->shift) + c->copies - 1) / c->copies;
        gap -= cost_at(b, i, cheapest(b, i, price), price);
    }
    return gap;
}

/* The choices of an item whose slack is at most `gap`. */
static struct dup_core_item open_choices(const struct bound *b, size_t item, dup_units price,
                                         dup_units gap, struct arena *a)
{
    const struct dup_item *it = &b->problem->items[item];
    dup_units least = cost_at(b, item, cheapest(b, item, price), price);
    size_t n_open = 0, n = 0;
    for (size_t k = 0; k < it->n_choices; k++)
        n_open += cost_at(b, item, k, price) - least <= gap;
    struct dup_core_choice *open = ARENA_ARRAY(a, struct dup_core_choice, n_open);
    for (size_t k = 0; k < it->n_choices; k++) {
        dup_units slack = cost_at(b, item, k, price) - least;
        if (slack <= gap)
            open[n++] =
                (struct dup_core_choice){it->choices[k], (uint32_t)k, units_of(b, item, k), slack};
    }
    return (struct dup_core_item){item, n_open, open};
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

/* Raises one item to the last choice, up to `most`, that `left` PEs allow; what is left then. */
static int64_t raise_choice(const struct dup_item *it, size_t most, int64_t left, uint32_t *chosen)
{
    const struct dup_choice *x = it->choices;
    size_t k = most;
    while (k > *chosen && x[k].pes - x[*chosen].pes > left)
        k--;
    if (k <= *chosen)
        return left;
    left -= x[k].pes - x[*chosen].pes;
    *chosen = (uint32_t)k;
    return left;
}

bool dup_find_start(const struct dup_problem *p, struct diag *d, uint32_t *chosen)
{
    struct arena *a = arena_new();
    struct bound b;
    bool ok = start_bound(&b, p, a, d);
    if (ok) {
        dup_units price = find_price(&b);
        int64_t left = b.budget;
        for (size_t i = 0; i < p->n_items; i++) {
            chosen[i] = (uint32_t)cheapest(&b, i, price);
            left -= choice_at(&b, i, chosen[i])->pes;
        }
        /* First what is worth just less than the price, then anything. */
        for (size_t i = 0; i < p->n_items && price > 0; i++)
            left = raise_choice(&p->items[i], cheapest(&b, i, price - 1), left, &chosen[i]);
        for (size_t i = 0; i < p->n_items; i++)
            left = raise_choice(&p->items[i], p->items[i].n_choices - 1, left, &chosen[i]);
    }
    arena_free(a);
    return ok;
}

bool dup_find_core(const struct dup_problem *p, struct arena *a, struct diag *d, uint32_t *chosen,
                   struct dup_core *out)
{
    struct bound b;
    if (!start_bound(&b, p, a, d))
        return false;
    dup_units price = find_price(&b), gap = find_gap(&b, price, chosen);
    *out = (struct dup_core){.items = ARENA_ARRAY(a, struct dup_core_item, p->n_items),
                             .fewest_pes = p->fewest_pes,
                             .budget = b.budget,
                             .shift = b.shift,
                             .price = price,
                             .gap = gap};
    for (size_t i = 0; i < p->n_items; i++) {
        struct dup_core_item it = open_choices(&b, i, price, gap, a);
        if (it.n_choices > 1) {
            out->items[out->n_items++] = it;
            continue;
        }
        chosen[i] = it.choices[0].at;
        out->budget -= it.choices[0].choice.pes;
        out->gap -= it.choices[0].slack;
    }
    return true;
}
