/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pass_cache.c - graphs that are kept between runs, and how far a run is the one before.
 *
 * Invariant: at[0] is the graph that runs begin with; at[i + 1] is what the passes from at[i] on
 * make of at[i] where the first of them is given at[i]'s `given`. The others in between read
 * nothing that none before them has read, so they are given the same again, too.
 */
#include "pass_steps.h"

struct pass_kept {
    struct ir_graph *graph;
    size_t step;           /* of the pass that comes next */
    uint64_t given;        /* what that was given, as a hash */
    struct dup_result dup; /* as the passes before left it */
    struct diag *said;     /* by them */
};

/* ---- what is kept ---- */

static void free_kept(struct pass_kept *k)
{
    ir_graph_free(k->graph);
    diag_free(k->said);
    heap_free(k);
}

/* The first n stay. */
static void cut(struct pass_cache *c, size_t n)
{
    size_t end = c->n;
    if (end <= n)
        return;
    c->n = n;
    c->n_sure = c->n_sure < n ? c->n_sure : n;
    c->serial++;
    while (end > n)
        free_kept(c->at[--end]);
}

void pass_cache_drop(struct pass_cache *c)
{
    cut(c, 0);
}

void pass_cache_settle(struct pass_cache *c, bool has_ended)
{
    if (has_ended)
        c->n_sure = c->n;
    else
        c->n = c->n_sure;
}

struct ir_graph *pass_cache_start(const struct pass_cache *c)
{
    return c->n ? c->at[0]->graph : NULL;
}

/* ---- a run ---- */

static uint64_t hash_given(const struct pass_steps *s, size_t step, const struct pass_ctx *ctx)
{
    struct pass_given given;
    uint64_t hash = 0;
    if (step < s->n) {
        pass_give(s->at[step].pass, ctx, &given);
        hash = given.hash;
    }
    return step == 0 ? hash_bytes(&hash, sizeof hash, s->hash) : hash;
}

/* How many of the graphs are what this run would come to. */
static size_t count_same(const struct pass_cache *c, const struct pass_steps *s,
                         const struct pass_ctx *ctx)
{
    size_t n = 1;
    while (n < c->n && hash_given(s, c->at[n - 1]->step, ctx) == c->at[n - 1]->given)
        n++;
    return n;
}

size_t pass_cache_resume(struct pass_cache *c, const struct pass_steps *s, struct ir_graph **g,
                         struct pass_ctx *ctx)
{
    double start = now_seconds();
    size_t n = count_same(c, s, ctx);
    const struct pass_kept *k = c->at[n - 1];
    cut(c, n);
    c->at[n - 1]->given = hash_given(s, k->step, ctx);
    ir_graph_free(*g);
    *g = ir_clone(k->graph);
    for (const struct diag_entry *e = k->said->first; e; e = e->next)
        diag_repeat(ctx->diag, e);
    if (ctx->dup_result && k->dup.objective) {
        *ctx->dup_result = k->dup;
        if (k->dup.bottleneck)
            ctx->dup_result->bottleneck = arena_strdup((*g)->arena, k->dup.bottleneck);
    }
    c->n_passes = 0;
    for (size_t i = 0; i < k->step; i++)
        c->n_passes += !s->at[i].skipped;
    c->seconds = now_seconds() - start;
    return k->step;
}

void pass_cache_keep(struct pass_cache *c, const struct pass_steps *s, size_t step,
                     const struct ir_graph *g, const struct pass_ctx *ctx)
{
    if (c->n == PASS_CACHE_MOST || (c->n > 0 && c->at[c->n - 1]->step == step))
        return;
    struct pass_kept *k = heap_alloc(sizeof *k);
    k->graph = ir_clone(g);
    k->step = step;
    k->given = hash_given(s, step, ctx);
    k->said = diag_new();
    const struct diag_entry *first = s->said_before ? s->said_before->next : ctx->diag->first;
    for (const struct diag_entry *e = first; e; e = e->next)
        diag_repeat(k->said, e);
    if (ctx->dup_result) {
        k->dup = *ctx->dup_result;
        if (k->dup.bottleneck)
            k->dup.bottleneck = arena_strdup(k->graph->arena, k->dup.bottleneck);
    }
    c->serial++;
    c->at[c->n++] = k;
}
