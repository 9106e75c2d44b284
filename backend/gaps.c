/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gaps.c - idle times of a unit, as a tree in which the first long enough is found.
 *
 * The shape of the tree follows from numbers of gaps as if these were random (a treap): depth log n
 * on average, and always the same. The interval begins with what is taken first, so that what is
 * taken seldom crosses its end: it never may.
 */
#include "gaps.h"

#define NO_GAP UINT32_MAX

static uint32_t priority(uint32_t number)
{
    uint32_t h = (number + 1) * 0x9e3779b1u;
    h ^= h >> 15;
    return h * 0x85ebca6bu;
}

static uint64_t longest_of(const struct gaps *g, uint32_t tree)
{
    return tree == NO_GAP ? 0 : g->gaps.at[tree].longest;
}

static void update(struct gaps *g, uint32_t tree)
{
    struct gap *t = &g->gaps.at[tree];
    uint64_t left = longest_of(g, t->left), right = longest_of(g, t->right);
    t->longest = max_u64(t->hi - t->lo, max_u64(left, right));
}

/* The gaps that begin before `at`, and the others. */
static void split(struct gaps *g, uint32_t tree, uint64_t at, uint32_t *before, uint32_t *behind)
{
    if (tree == NO_GAP) {
        *before = *behind = NO_GAP;
        return;
    }
    uint32_t left = g->gaps.at[tree].left, right = g->gaps.at[tree].right;
    if (g->gaps.at[tree].lo < at) {
        *before = tree;
        split(g, right, at, &right, behind);
        g->gaps.at[tree].right = right;
    } else {
        *behind = tree;
        split(g, left, at, before, &left);
        g->gaps.at[tree].left = left;
    }
    update(g, tree);
}

static uint32_t insert(struct gaps *g, uint32_t tree, uint32_t fresh)
{
    struct gap *f = &g->gaps.at[fresh], *t = &g->gaps.at[tree == NO_GAP ? fresh : tree];
    if (tree == NO_GAP || priority(fresh) > priority(tree)) {
        split(g, tree, f->lo, &f->left, &f->right);
        update(g, fresh);
        return fresh;
    }
    uint32_t *side = f->lo < t->lo ? &t->left : &t->right;
    *side = insert(g, *side, fresh);
    update(g, tree);
    return tree;
}

static bool has_room(const struct gap *t, uint64_t from, uint64_t cycles)
{
    from = max_u64(from, t->lo);
    return t->hi >= from && t->hi - from >= cycles;
}

/* The first gap with room from then on. */
static uint32_t find(const struct gaps *g, uint32_t tree, uint64_t from, uint64_t cycles)
{
    if (tree == NO_GAP || g->gaps.at[tree].longest < cycles)
        return NO_GAP;
    const struct gap *t = &g->gaps.at[tree];
    uint32_t found = from < t->lo ? find(g, t->left, from, cycles) : NO_GAP;
    if (found != NO_GAP)
        return found;
    return has_room(t, from, cycles) ? tree : find(g, t->right, from, cycles);
}

/* The gap, which begins where `at` says, is `hi` now. */
static void shorten(struct gaps *g, uint32_t tree, uint64_t at, uint64_t hi)
{
    struct gap *t = &g->gaps.at[tree];
    if (t->lo == at)
        t->hi = hi;
    else
        shorten(g, at < t->lo ? t->left : t->right, at, hi);
    update(g, tree);
}

void gaps_reset(struct gaps *g, uint64_t interval)
{
    g->interval = interval;
    g->gaps.n = 0;
}

bool gaps_take(struct gaps *g, uint64_t cycles, uint64_t *at)
{
    if (g->gaps.n == 0) {
        g->origin = *at % g->interval;
        g->root = 0;
        VEC_PUSH(&g->gaps, ((struct gap){0, g->interval, g->interval, NO_GAP, NO_GAP}));
    }
    uint64_t from = (*at % g->interval + g->interval - g->origin) % g->interval, wait = 0;
    uint32_t found = find(g, g->root, from, cycles);
    if (found == NO_GAP) {
        found = find(g, g->root, 0, cycles);
        wait = g->interval - from;
        from = 0;
    }
    if (found == NO_GAP)
        return false;
    struct gap gap = g->gaps.at[found];
    uint64_t begin = from > gap.lo ? from : gap.lo, end = begin + cycles;
    *at += wait + begin - from;
    if (cycles == 0)
        return true;
    shorten(g, g->root, gap.lo, begin);
    if (end < gap.hi) {
        VEC_PUSH(&g->gaps, ((struct gap){end, gap.hi, 0, NO_GAP, NO_GAP}));
        g->root = insert(g, g->root, (uint32_t)g->gaps.n - 1);
    }
    return true;
}

void gaps_free(struct gaps *g)
{
    VEC_FREE(&g->gaps);
}
