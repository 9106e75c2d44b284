/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_phrases.c - units -> phrases: Re-Pair (Larsson, Moffat 1999). The most frequent pair of
 * neighbours becomes a rule as long as that saves bytes; ties go to the pair that appeared first.
 *
 * A pair of equals is never taken: a run is one symbol. A rule that is used once is no phrase of
 * its own but part of the one that uses it, so rules grow to phrases; rules that would nest deeper
 * than a decoder can are not made. Each step shortens the sequence, each place is in one list, and
 * the heap holds each change once: n log n.
 */
#include "stream_encode.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
typedef VEC(uint32_t) numbers;

struct rule {
    uint32_t left, right;
    uint32_t uses;         /* in the sequence and in other rules */
    uint32_t depth;        /* of phrases in it, with itself */
    uint32_t most, likely; /* bytes */
    bool is_phrase;
};
struct pair {
    uint32_t left, right;
    uint32_t count, first; /* places where it is, a list */
    uint32_t touched;      /* by which rule last */
};
struct entry { /* of the heap */
    uint32_t count, pair;
};
/* A place of the sequence; what a rule swallowed has symbol NONE. */
struct place {
    uint32_t symbol, before, after;
    uint32_t pair, list_before, list_after;
};
struct grammar {
    const struct stream_units *units;
    struct place *at;
    struct map pair_of;
    VEC(struct pair) pairs;
    VEC(struct entry) heap;
    VEC(struct rule) rules;
    VEC(uint32_t) touched; /* pairs that gained places by the rule at hand */
    uint32_t n_phrases;    /* at most: rules that are named twice */
    uint64_t memory;       /* of these, bytes at most */
};

enum { PHRASE_RECORD = 4, MOST_NUMBER_BYTES = 3 };
enum {
    MOST_PHRASE = (1 << STREAM_PHRASE_LENGTH_BITS) - 1,
    MOST_MEMORY = (1 << STREAM_PHRASE_START_BITS) - 1,
    MOST_PHRASES = 1 << 15
};

/* ---- heap: the most frequent pair, of equals the oldest ---- */

static bool goes_before(const struct entry *a, const struct entry *b)
{
    return a->count != b->count ? a->count > b->count : a->pair < b->pair;
}

static void heap_push(struct grammar *g, uint32_t pair)
{
    struct entry e = {g->pairs.at[pair].count, pair};
    size_t i = g->heap.n;
    VEC_PUSH(&g->heap, e);
    for (; i > 0 && goes_before(&e, &g->heap.at[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap.at[i] = g->heap.at[(i - 1) / 2];
    g->heap.at[i] = e;
}

static struct entry heap_pop(struct grammar *g)
{
    struct entry top = g->heap.at[0], e = g->heap.at[--g->heap.n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < g->heap.n; i = child) {
        child += child + 1 < g->heap.n && goes_before(&g->heap.at[child + 1], &g->heap.at[child]);
        if (!goes_before(&g->heap.at[child], &e))
            break;
        g->heap.at[i] = g->heap.at[child];
    }
    if (g->heap.n)
        g->heap.at[i] = e;
    return top;
}

/* ---- places ---- */

static void leave_pair(struct grammar *g, uint32_t place)
{
    struct place *p = &g->at[place];
    if (p->pair == NONE)
        return;
    struct pair *pair = &g->pairs.at[p->pair];
    if (p->list_before == NONE)
        pair->first = p->list_after;
    else
        g->at[p->list_before].list_after = p->list_after;
    if (p->list_after != NONE)
        g->at[p->list_after].list_before = p->list_before;
    pair->count--;
    p->pair = NONE;
}

/* The place and the one after it are a pair, if they differ. */
static void join_pair(struct grammar *g, uint32_t place)
{
    struct place *p = &g->at[place];
    if (p->after == NONE || p->symbol == g->at[p->after].symbol)
        return;
    uint32_t right = g->at[p->after].symbol;
    p->pair = map_intern_u64(&g->pair_of, map_pair(p->symbol, right), (uint32_t)g->pairs.n);
    if (p->pair == g->pairs.n)
        VEC_PUSH(&g->pairs, ((struct pair){p->symbol, right, 0, NONE, NONE}));
    struct pair *pair = &g->pairs.at[p->pair];
    p->list_before = NONE;
    p->list_after = pair->first;
    if (pair->first != NONE)
        g->at[pair->first].list_before = place;
    pair->first = place;
    pair->count++;
    if (pair->touched != g->rules.n) {
        pair->touched = (uint32_t)g->rules.n;
        VEC_PUSH(&g->touched, p->pair);
    }
}

static void push_touched(struct grammar *g)
{
    for (size_t i = 0; i < g->touched.n; i++)
        if (g->pairs.at[g->touched.at[i]].count > 1)
            heap_push(g, g->touched.at[i]);
    g->touched.n = 0;
}

static void open_grammar(struct grammar *g)
{
    size_t n = g->units->n;
    g->at = heap_alloc((n + 1) * sizeof *g->at);
    for (size_t i = 0; i < n; i++)
        g->at[i] = (struct place){.symbol = g->units->sequence[i],
                                  .before = i ? (uint32_t)i - 1 : NONE,
                                  .after = i + 1 < n ? (uint32_t)i + 1 : NONE,
                                  .pair = NONE};
    for (size_t i = 0; i < n; i++)
        join_pair(g, (uint32_t)i);
    push_touched(g);
}

/* ---- rules ---- */

static struct rule *rule_of(const struct grammar *g, uint32_t symbol)
{
    return symbol < g->units->n_units ? NULL : &g->rules.at[symbol - g->units->n_units];
}

/* Bytes of a symbol where it stands; at most, and as is most likely. */
static uint32_t most_bytes(const struct grammar *g, uint32_t symbol)
{
    if (rule_of(g, symbol))
        return MOST_NUMBER_BYTES;
    const struct stream_unit *u = &g->units->units[symbol];
    return u->order_bytes ? u->order_bytes : MOST_NUMBER_BYTES + stream_unit_bytes(u);
}

static uint32_t likely_bytes(const struct grammar *g, uint32_t symbol)
{
    uint32_t order = symbol < g->units->n_units ? g->units->units[symbol].order_bytes : 0;
    return order ? order : 1;
}

/* One side of a new rule that stands `count` times. */
static void add_side(const struct grammar *g, uint32_t symbol, uint32_t count, struct rule *rule,
                     int64_t *gain)
{
    const struct rule *r = rule_of(g, symbol);
    bool merges = r && r->uses == count; /* it stands nowhere else */
    uint32_t bytes = likely_bytes(g, symbol);
    rule->most += merges ? r->most : most_bytes(g, symbol);
    uint32_t depth = !r ? 1 : merges ? r->depth : r->depth + 1;
    rule->depth = depth > rule->depth ? depth : rule->depth;
    *gain += (int64_t)(count - 1) * bytes + (merges ? bytes + PHRASE_RECORD : 0);
}

/* Does the pair pay as a rule that can be a phrase? */
static bool is_worth(struct grammar *g, const struct pair *p, struct rule *out)
{
    int64_t gain = -(int64_t)p->count - PHRASE_RECORD;
    *out = (struct rule){.left = p->left, .right = p->right, .uses = p->count};
    add_side(g, p->left, p->count, out, &gain);
    add_side(g, p->right, p->count, out, &gain);
    return gain > 0 && out->depth <= STREAM_MAX_DEPTH && out->most <= MOST_PHRASE &&
           g->n_phrases < MOST_PHRASES && g->memory + out->most <= MOST_MEMORY;
}

static void use_less(struct grammar *g, uint32_t symbol, uint32_t count)
{
    struct rule *r = rule_of(g, symbol);
    if (!r)
        return;
    r->uses -= count - 1;
    if (r->uses > 1)
        return;
    g->memory -= r->most;
    g->n_phrases--;
}

/* The rule's symbol instead of the pair at a place. */
static void replace(struct grammar *g, uint32_t place, uint32_t symbol)
{
    struct place *p = &g->at[place];
    uint32_t gone = p->after;
    leave_pair(g, place);
    leave_pair(g, gone);
    if (p->before != NONE)
        leave_pair(g, p->before);
    p->symbol = symbol;
    p->after = g->at[gone].after;
    g->at[gone].symbol = NONE;
    if (p->after != NONE)
        g->at[p->after].before = place;
    if (p->before != NONE)
        join_pair(g, p->before);
    join_pair(g, place);
}

static void make_rule(struct grammar *g, uint32_t pair, const struct rule *rule)
{
    uint32_t symbol = g->units->n_units + (uint32_t)g->rules.n;
    VEC_PUSH(&g->rules, *rule);
    use_less(g, rule->left, rule->uses);
    use_less(g, rule->right, rule->uses);
    g->memory += rule->most;
    g->n_phrases++;
    while (g->pairs.at[pair].first != NONE)
        replace(g, g->pairs.at[pair].first, symbol);
    push_touched(g);
}

static void make_rules(struct grammar *g)
{
    while (g->heap.n && g->rules.n < NONE - g->units->n_units) {
        struct entry e = heap_pop(g);
        uint32_t count = g->pairs.at[e.pair].count;
        struct rule rule;
        if (count != e.count && count > 1)
            heap_push(g, e.pair);
        else if (count > 1 && is_worth(g, &g->pairs.at[e.pair], &rule))
            make_rule(g, e.pair, &rule);
    }
}

/* ---- phrases ---- */

/* How often each rule is named, where those that are no phrase are spelled out. With `all` each
 * rule that is named twice is a phrase, else one that saves bytes by `likely`. */
static void choose(struct grammar *g, bool all)
{
    for (size_t i = 0; i < g->rules.n; i++)
        g->rules.at[i].uses = 0;
    for (uint32_t i = g->units->n ? 0 : NONE; i != NONE; i = g->at[i].after)
        if (rule_of(g, g->at[i].symbol))
            rule_of(g, g->at[i].symbol)->uses++;
    for (size_t i = g->rules.n; i-- > 0;) {
        struct rule *r = &g->rules.at[i];
        int64_t saved = (int64_t)(r->uses - 1) * r->likely - r->uses - PHRASE_RECORD;
        r->is_phrase = r->uses > 1 && (all || saved > 0);
        uint32_t times = r->is_phrase ? 1 : r->uses;
        if (rule_of(g, r->left))
            rule_of(g, r->left)->uses += times;
        if (rule_of(g, r->right))
            rule_of(g, r->right)->uses += times;
    }
}

/* Bytes of each rule, spelled out; false if a phrase has too many, or all together. */
static bool measure(struct grammar *g)
{
    uint64_t memory = 0;
    bool ok = true;
    for (size_t i = 0; i < g->rules.n; i++) {
        struct rule *r = &g->rules.at[i];
        uint32_t side[] = {r->left, r->right};
        r->likely = r->most = 0;
        for (int k = 0; k < 2; k++) {
            const struct rule *in = rule_of(g, side[k]);
            bool named = !in || in->is_phrase;
            r->likely += named ? likely_bytes(g, side[k]) : in->likely;
            r->most += named ? most_bytes(g, side[k]) : in->most;
        }
        memory += r->is_phrase ? r->most : 0;
        ok &= !r->is_phrase || r->most <= MOST_PHRASE;
    }
    return ok && memory <= MOST_MEMORY;
}

/* Not all that is named twice pays. */
static void choose_phrases(struct grammar *g)
{
    choose(g, true);
    if (!measure(g))
        BUG("a phrase of too many bytes");
    choose(g, false);
    if (!measure(g))
        choose(g, true);
}

/* Units and phrases that a symbol stands for; `whole`: of a phrase, what is in it. */
static void spell(const struct grammar *g, uint32_t symbol, bool whole, const uint32_t *number,
                  numbers *stack, numbers *out)
{
    stack->n = 0;
    VEC_PUSH(stack, symbol);
    while (stack->n) {
        uint32_t s = stack->at[--stack->n];
        const struct rule *r = rule_of(g, s);
        if (!r || (r->is_phrase && !whole)) {
            VEC_PUSH(out, r ? g->units->n_units + number[r - g->rules.at] : s);
        } else {
            VEC_PUSH(stack, r->right);
            VEC_PUSH(stack, r->left);
        }
        whole = false;
    }
}

static void spell_all(const struct grammar *g, struct arena *a, struct stream_strings *out)
{
    numbers text = {0}, stack = {0};
    uint32_t *number = heap_alloc((g->rules.n + 1) * sizeof *number);
    out->n_phrases = 0;
    for (size_t i = 0; i < g->rules.n; i++)
        if (g->rules.at[i].is_phrase)
            number[i] = out->n_phrases++;
    out->first = ARENA_ARRAY(a, size_t, (size_t)out->n_phrases + 2);
    for (size_t i = 0; i < g->rules.n; i++) {
        if (!g->rules.at[i].is_phrase)
            continue;
        spell(g, g->units->n_units + (uint32_t)i, true, number, &stack, &text);
        out->first[number[i] + 1] = text.n;
    }
    for (uint32_t i = g->units->n ? 0 : NONE; i != NONE; i = g->at[i].after)
        spell(g, g->at[i].symbol, false, number, &stack, &text);
    out->first[out->n_phrases + 1] = text.n;
    out->at = ARENA_ARRAY(a, uint32_t, text.n);
    if (text.n)
        memcpy(out->at, text.at, text.n * sizeof *text.at);
    VEC_FREE(&text);
    VEC_FREE(&stack);
    heap_free(number);
}

void stream_phrases(const struct stream_units *units, struct arena *a, struct stream_strings *out)
{
    struct grammar g = {.units = units};
    open_grammar(&g);
    make_rules(&g);
    choose_phrases(&g);
    spell_all(&g, a, out);
    heap_free(g.at);
    map_free(&g.pair_of);
    VEC_FREE(&g.pairs);
    VEC_FREE(&g.heap);
    VEC_FREE(&g.rules);
    VEC_FREE(&g.touched);
}
