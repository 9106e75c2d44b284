/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_search.c - better choices by exchange: give one item of the longest path a choice that
 * shortens it, take PEs where they hurt least until it fits, spend what is left; keep the best such
 * exchange; repeat.
 *
 * A step is to any choice of the next PEs there are, more or fewer: [lo, hi) of equal PEs are a
 * group. Only an item on the longest path can shorten it, and every path seen bounds what follows:
 * a choice that leaves some known path too long is not timed (dup_path.c). Candidates are tried in
 * list order and replaced by strictly better ones only, so the answer depends on nothing but the
 * problem. The flow model judges; the real schedule is asked later.
 */
#include "dup_flow.h"

#include <string.h>

/* Paths that are remembered; the oldest make way, but for the first, the longest of the base. */
enum { MOST_PATHS = 200 };
/* Work for one item of a path, in the steps of dup_flow.h. */
enum { ITEM_STEPS = 3 };

/* Choices under way: an index for each item. */
struct choice {
    uint32_t *at;
    int64_t spare; /* PEs; negative: does not fit */
    int32_t makespan;
};

static int64_t pes_of(const struct dup_search *s, size_t item, size_t at)
{
    return s->problem->items[item].choices[at].pes;
}

static void set_at(const struct dup_search *s, struct choice *c, size_t item, size_t at)
{
    c->spare += pes_of(s, item, c->at[item]) - pes_of(s, item, at);
    c->at[item] = (uint32_t)at;
}

static struct choice choice_new(const struct dup_search *s, struct arena *a)
{
    return (struct choice){.at = ARENA_ARRAY(a, uint32_t, s->problem->n_items)};
}

static void choice_copy(const struct dup_search *s, const struct choice *from, struct choice *to)
{
    memcpy(to->at, from->at, s->problem->n_items * sizeof *to->at);
    to->spare = from->spare;
    to->makespan = from->makespan;
}

static void choice_from(const struct dup_search *s, const uint32_t *chosen, struct choice *c)
{
    c->spare = s->problem->pes;
    for (size_t i = 0; i < s->problem->n_items; i++) {
        c->at[i] = chosen[i];
        c->spare -= pes_of(s, i, chosen[i]);
    }
}

bool dup_search_is_spent(const struct dup_search *s)
{
    int64_t work = *s->flow->work;
    if (work < s->max_work)
        progress_tell(s->progress, "search for copies", (uint64_t)work, (uint64_t)s->all_work);
    return work >= s->max_work;
}

/* ---- known paths ---- */

static double length_of(const struct flow_cut *path, size_t item, size_t at)
{
    return path->length[item] ? path->length[item][at] : 0;
}

static void sum_path(struct dup_search *s, const struct choice *c, size_t at)
{
    double sum = 0;
    *s->flow->work += (int64_t)s->problem->n_items * ITEM_STEPS;
    for (size_t i = 0; i < s->problem->n_items; i++)
        sum += length_of(&s->paths.at[at].cut, i, c->at[i]);
    s->path_sum[at] = sum;
}

/* Length of every known path with the choice. */
static void sum_paths(struct dup_search *s, const struct choice *c)
{
    for (size_t j = 0; j < s->paths.n; j++)
        sum_path(s, c, j);
}

/* Does a known path, of the lengths last summed up for `c`, exclude another choice for the item? */
static bool is_excluded(const struct dup_search *s, const struct choice *c, size_t item, size_t at,
                        int32_t limit)
{
    *s->flow->work += (int64_t)s->paths.n * ITEM_STEPS;
    for (size_t j = 0; j < s->paths.n; j++) {
        const struct flow_cut *path = &s->paths.at[j].cut;
        double change = length_of(path, item, at) - length_of(path, item, c->at[item]);
        if (s->path_sum[j] + change > limit - 0.5)
            return true;
    }
    return false;
}

/* Remembers the longest path of `t`, which holds the times for `chosen`, as path number `at`. */
static void learn(struct dup_search *s, size_t at, const uint32_t *chosen, struct flow_times *t)
{
    if (at == s->paths.n)
        VEC_PUSH(&s->paths, (struct known_path){0});
    struct known_path *path = &s->paths.at[at];
    arena_free(path->arena);
    path->arena = arena_new();
    path->cut = flow_cut_new(s->flow, s->all_allowed, chosen, t, path->arena);
}

/* ---- trials ---- */

/* With choice `at` for the item; a value >= limit says no more than that. */
static int32_t try_at(struct dup_search *s, struct choice *c, size_t item, size_t at, int32_t limit)
{
    size_t before = c->at[item];
    if (is_excluded(s, c, item, at, limit))
        return limit;
    set_at(s, c, item, at);
    int32_t makespan = flow_try(s->flow, c->at, s->base, s->base_chosen, limit, s->trial);
    size_t path = 1 + s->n_trials % (MOST_PATHS - 1);
    bool is_new = makespan >= limit && s->has_paths;
    s->n_trials += is_new;
    if (is_new)
        learn(s, path, c->at, s->trial);
    set_at(s, c, item, before);
    if (is_new)
        sum_path(s, c, path);
    return makespan;
}

/* ---- groups of equal PEs ---- */

struct group {
    size_t lo, hi;
};

static struct group group_at(const struct dup_search *s, size_t item, size_t at)
{
    struct group g = {at, at + 1};
    while (g.lo > 0 && pes_of(s, item, g.lo - 1) == pes_of(s, item, at))
        g.lo--;
    while (g.hi < s->problem->items[item].n_choices && pes_of(s, item, g.hi) == pes_of(s, item, at))
        g.hi++;
    return g;
}

/* Of the next fewer PEs; none: empty. */
static struct group group_below(const struct dup_search *s, size_t item, size_t at)
{
    size_t lo = group_at(s, item, at).lo;
    return lo > 0 ? group_at(s, item, lo - 1) : (struct group){0, 0};
}

/* Of equal and of the next more PEs, as far as these fit. */
static struct group group_above(const struct dup_search *s, const struct choice *c, size_t item)
{
    struct group g = group_at(s, item, c->at[item]);
    if (g.hi < s->problem->items[item].n_choices &&
        pes_of(s, item, g.hi) - pes_of(s, item, c->at[item]) <= c->spare)
        g.hi = group_at(s, item, g.hi).hi;
    return g;
}

/* ---- exchange ---- */

/* The best step of those that some items can make, below *makespan. */
struct step {
    size_t item, at;
    int32_t makespan;
    bool found;
};

static void try_group(struct dup_search *s, struct choice *c, size_t item, struct group g,
                      struct step *best)
{
    for (size_t at = g.lo; at < g.hi; at++) {
        if (at == c->at[item])
            continue;
        int32_t makespan = try_at(s, c, item, at, best->makespan);
        if (makespan < best->makespan)
            *best = (struct step){item, at, makespan, true};
    }
}

static void take(const struct dup_search *s, struct choice *c, const struct step *step)
{
    set_at(s, c, step->item, step->at);
    c->makespan = step->makespan;
}

/* Takes PEs of items other than `keep` until all fits. False: not within the limit. */
static bool repair(struct dup_search *s, struct choice *c, size_t keep, int32_t limit)
{
    while (c->spare < 0 && !dup_search_is_spent(s)) {
        struct step best = {.makespan = limit};
        sum_paths(s, c);
        for (size_t i = 0; i < s->problem->n_items; i++)
            if (i != keep)
                try_group(s, c, i, group_below(s, i, c->at[i]), &best);
        if (!best.found)
            return false;
        take(s, c, &best);
    }
    return c->spare >= 0;
}

/* Spends spare PEs where they help most, as long as they help. */
static void spend(struct dup_search *s, struct choice *c)
{
    for (bool helped = true; helped && !dup_search_is_spent(s);) {
        struct step best = {.makespan = c->makespan};
        sum_paths(s, c);
        for (size_t i = 0; i < s->problem->n_items; i++)
            try_group(s, c, i, group_above(s, c, i), &best);
        helped = best.found;
        if (helped)
            take(s, c, &best);
    }
}

/* Times the choice in full. */
static void rebase(struct dup_search *s, struct choice *c)
{
    flow_run(s->flow, c->at, s->base);
    memcpy(s->base_chosen, c->at, s->problem->n_items * sizeof *c->at);
    c->makespan = s->base->makespan;
    if (s->has_paths)
        learn(s, 0, c->at, s->base);
}

/* Does the choice shorten the longest path's way through the item? */
static bool is_shorter(const struct dup_search *s, const struct choice *c, size_t item, size_t at)
{
    const double *length = s->has_paths ? s->paths.at[0].cut.length[item] : NULL;
    return s->has_paths ? length && length[at] < length[c->at[item]] : at > c->at[item];
}

/* The choices of the fewest PEs, no fewer than now, of which one is; none: empty. */
static struct group shorter_ways(const struct dup_search *s, const struct choice *c, size_t item)
{
    size_t n = s->problem->items[item].n_choices, at = group_at(s, item, c->at[item]).lo;
    while (at < n && !is_shorter(s, c, item, at))
        at++;
    return at < n ? group_at(s, item, at) : (struct group){0, 0};
}

/* With choice `at` for the item, and others as they then fit best, if that is better than *best. */
static void exchange_at(struct dup_search *s, const struct choice *now, size_t item, size_t at,
                        struct choice *next, struct choice *best)
{
    choice_copy(s, now, next);
    sum_paths(s, next);
    next->makespan = try_at(s, next, item, at, best->makespan);
    if (next->makespan >= best->makespan)
        return;
    set_at(s, next, item, at);
    if (!repair(s, next, item, best->makespan))
        return;
    spend(s, next);
    choice_copy(s, next, best);
}

/* The best exchange; false if none helps. */
static bool exchange(struct dup_search *s, const struct choice *now, struct choice *next,
                     struct choice *best)
{
    best->makespan = now->makespan;
    for (size_t i = 0; i < s->problem->n_items && !dup_search_is_spent(s); i++) {
        struct group g = shorter_ways(s, now, i);
        for (size_t at = g.lo; at < g.hi; at++)
            if (is_shorter(s, now, i, at))
                exchange_at(s, now, i, at, next, best);
    }
    return best->makespan < now->makespan;
}

void dup_descend(struct dup_search *s, uint32_t *chosen)
{
    struct arena *a = arena_new();
    struct choice now = choice_new(s, a), next = choice_new(s, a), best = choice_new(s, a);
    choice_from(s, chosen, &now);
    rebase(s, &now);
    spend(s, &now);
    rebase(s, &now);
    while (exchange(s, &now, &next, &best)) {
        choice_copy(s, &best, &now);
        rebase(s, &now);
    }
    memcpy(chosen, now.at, s->problem->n_items * sizeof *chosen);
    if (now.makespan < s->makespan) {
        s->makespan = now.makespan;
        memcpy(s->chosen, chosen, s->problem->n_items * sizeof *chosen);
    }
    arena_free(a);
}

void dup_search_start(struct dup_search *s, const struct flow *f, const uint32_t *chosen)
{
    const struct dup_problem *p = f->problem;
    *s = (struct dup_search){.flow = f, .problem = p, .arena = arena_new()};
    s->base = flow_times_new(f, s->arena);
    s->trial = flow_times_new(f, s->arena);
    s->chosen = ARENA_ARRAY(s->arena, uint32_t, p->n_items);
    s->base_chosen = ARENA_ARRAY(s->arena, uint32_t, p->n_items);
    s->all_allowed = flow_allowed_new(p, s->arena);
    s->path_sum = ARENA_ARRAY(s->arena, double, MOST_PATHS);
    memcpy(s->chosen, chosen, p->n_items * sizeof *chosen);
    flow_run(f, chosen, s->base);
    s->makespan = s->base->makespan;
}

void dup_search_free(struct dup_search *s)
{
    for (size_t i = 0; i < s->paths.n; i++)
        arena_free(s->paths.at[i].arena);
    VEC_FREE(&s->paths);
    arena_free(s->arena);
}
