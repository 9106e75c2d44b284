/*
 * dup_search.c - better copies by exchange: give one item its next count, take copies where they
 * hurt least until it fits, spend what is left; keep the best such exchange; repeat.
 *
 * Candidates are tried in list order and replaced by strictly better ones only, so the answer
 * depends on nothing but the problem. The flow model judges; the real schedule is asked later.
 */
#include "dup_flow.h"

#include <string.h>

/* A choice of copies under way: index into each item's counts. */
struct choice {
    size_t *at;
    int64_t *copies;
    int64_t spare; /* PEs; negative: does not fit */
    int32_t makespan;
};

static void set_count(const struct dup_search *s, struct choice *c, size_t item, size_t at)
{
    const struct dup_item *it = &s->problem->items[item];
    c->spare += (c->copies[item] - it->counts[at]) * it->pes;
    c->at[item] = at;
    c->copies[item] = it->counts[at];
}

static struct choice choice_new(const struct dup_search *s, struct arena *a)
{
    size_t n = s->problem->n_items;
    return (struct choice){.at = ARENA_ARRAY(a, size_t, n), .copies = ARENA_ARRAY(a, int64_t, n)};
}

static void choice_copy(const struct dup_search *s, const struct choice *from, struct choice *to)
{
    memcpy(to->at, from->at, s->problem->n_items * sizeof *to->at);
    memcpy(to->copies, from->copies, s->problem->n_items * sizeof *to->copies);
    to->spare = from->spare;
    to->makespan = from->makespan;
}

static void choice_from(const struct dup_search *s, const int64_t *copies, struct choice *c)
{
    c->spare = s->problem->pes;
    for (size_t i = 0; i < s->problem->n_items; i++) {
        const struct dup_item *it = &s->problem->items[i];
        c->at[i] = 0;
        while (c->at[i] + 1 < it->n_counts && it->counts[c->at[i]] < copies[i])
            c->at[i]++;
        c->copies[i] = it->counts[c->at[i]];
        c->spare -= c->copies[i] * it->pes;
    }
}

bool dup_search_is_spent(const struct dup_search *s)
{
    int64_t work = s->base->work + s->trial->work;
    if (work < s->max_work)
        progress_tell(s->progress, "search for copies", (uint64_t)work, (uint64_t)s->max_work);
    return work >= s->max_work;
}

/* With count `at` for the item; a value >= limit says no more than that. */
static int32_t try_count(struct dup_search *s, struct choice *c, size_t item, size_t at,
                         int32_t limit)
{
    size_t before = c->at[item];
    set_count(s, c, item, at);
    int32_t makespan = flow_try(s->flow, c->copies, s->base, s->base_copies, limit, s->trial);
    set_count(s, c, item, before);
    return makespan;
}

/* Takes copies of items other than `keep` until the choice fits. False: not within the limit. */
static bool repair(struct dup_search *s, struct choice *c, size_t keep, int32_t limit)
{
    while (c->spare < 0) {
        size_t donor = keep;
        int32_t best = limit;
        for (size_t i = 0; i < s->problem->n_items; i++) {
            if (i == keep || c->at[i] == 0)
                continue;
            int32_t makespan = try_count(s, c, i, c->at[i] - 1, best);
            if (makespan < best) {
                best = makespan;
                donor = i;
            }
        }
        if (donor == keep)
            return false;
        set_count(s, c, donor, c->at[donor] - 1);
        c->makespan = best;
    }
    return true;
}

static bool fits_one_more(const struct dup_search *s, const struct choice *c, size_t item)
{
    const struct dup_item *it = &s->problem->items[item];
    return c->at[item] + 1 < it->n_counts &&
           (it->counts[c->at[item] + 1] - c->copies[item]) * it->pes <= c->spare;
}

/* Spends spare PEs where they help most, as long as they help. */
static void spend(struct dup_search *s, struct choice *c)
{
    for (bool helped = true; helped && !dup_search_is_spent(s);) {
        size_t taker = 0;
        helped = false;
        for (size_t i = 0; i < s->problem->n_items; i++) {
            if (!fits_one_more(s, c, i))
                continue;
            int32_t makespan = try_count(s, c, i, c->at[i] + 1, c->makespan);
            if (makespan < c->makespan) {
                c->makespan = makespan;
                taker = i;
                helped = true;
            }
        }
        if (helped)
            set_count(s, c, taker, c->at[taker] + 1);
    }
}

static void rebase(struct dup_search *s, struct choice *c)
{
    flow_run(s->flow, c->copies, s->base);
    memcpy(s->base_copies, c->copies, s->problem->n_items * sizeof *c->copies);
    c->makespan = s->base->makespan;
}

/* The best exchange; false if none helps. */
static bool exchange(struct dup_search *s, const struct choice *now, struct choice *next,
                     struct choice *best)
{
    best->makespan = now->makespan;
    for (size_t i = 0; i < s->problem->n_items && !dup_search_is_spent(s); i++) {
        if (now->at[i] + 1 >= s->problem->items[i].n_counts)
            continue;
        choice_copy(s, now, next);
        next->makespan = try_count(s, next, i, now->at[i] + 1, best->makespan);
        if (next->makespan >= best->makespan)
            continue;
        set_count(s, next, i, now->at[i] + 1);
        if (!repair(s, next, i, best->makespan))
            continue;
        spend(s, next);
        choice_copy(s, next, best);
    }
    return best->makespan < now->makespan;
}

void dup_descend(struct dup_search *s, int64_t *copies)
{
    struct arena *a = arena_new();
    struct choice now = choice_new(s, a), next = choice_new(s, a), best = choice_new(s, a);
    choice_from(s, copies, &now);
    rebase(s, &now);
    spend(s, &now);
    rebase(s, &now);
    while (exchange(s, &now, &next, &best)) {
        choice_copy(s, &best, &now);
        rebase(s, &now);
    }
    memcpy(copies, now.copies, s->problem->n_items * sizeof *copies);
    if (now.makespan < s->makespan) {
        s->makespan = now.makespan;
        memcpy(s->copies, copies, s->problem->n_items * sizeof *copies);
    }
    arena_free(a);
}

void dup_search_start(struct dup_search *s, const struct flow *f, const struct dup_problem *p,
                      const int64_t *copies)
{
    *s = (struct dup_search){.flow = f, .problem = p, .arena = arena_new()};
    s->base = flow_times_new(f, s->arena);
    s->trial = flow_times_new(f, s->arena);
    s->copies = ARENA_ARRAY(s->arena, int64_t, p->n_items);
    s->base_copies = ARENA_ARRAY(s->arena, int64_t, p->n_items);
    memcpy(s->copies, copies, p->n_items * sizeof *copies);
    flow_run(f, copies, s->base);
    s->makespan = s->base->makespan;
}

void dup_search_free(struct dup_search *s)
{
    arena_free(s->arena);
}
