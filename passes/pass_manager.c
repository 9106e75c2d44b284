/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pass_manager.c - runs a pipeline of passes and holds every pass to its word.
 *
 * Input: comma-separated pass names and a verified graph, or one that a cache has. A pass is given
 * what it says it reads. After it: "unchanged" is proved by the fingerprint, a change is verified,
 * and with roundtrip_each the graph is printed, parsed back and replaced by the parsed one. A pass
 * that fails must have said why; a pass that breaks the graph is a BUG.
 */
#include "pass_steps.h"

#include "base/closest.h"

/* layout before fold-bn: a scale may reach its convolution only once the transpose between them is
 * gone. */
const char pass_default_pipeline[] = "fold,cse,dce,simplify,layout,fold-bn,simplify,fold,cse,dce,"
                                     "partition,quant,int,fold,cse,dce,im2col,cse,dce,tile,dup,"
                                     "readout";

#define PASS(id, file) &pass_##id,
static const struct pass *const passes[] = {
#include "passes.def"
};
#undef PASS

enum { N_PASSES = sizeof passes / sizeof *passes };

struct run {
    struct pass_ctx *ctx;
    const struct pass_options *o;
    struct pass_steps steps;
    struct arena *names; /* what bug_context points to */
    FILE *to;
    struct text table; /* of the passes that ran */
    double seconds;
    bool blocked; /* a pass was: the graph is good for looking at only */
};

const struct pass *const *pass_list(size_t *n)
{
    *n = N_PASSES;
    return passes;
}

const struct pass *pass_find(const char *name)
{
    for (size_t i = 0; i < N_PASSES; i++) {
        if (strcmp(passes[i]->name, name) == 0)
            return passes[i];
    }
    return NULL;
}

/* ---- lists of names ---- */

/* Cuts the next name off *list, without blanks around it; false at the end. */
static bool next_name(const char **list, struct arena *a, const char **out)
{
    const char *s = *list;
    if (!s || !*s)
        return false;
    size_t n = strcspn(s, ",");
    *list = s[n] ? s + n + 1 : s + n;
    while (n && (*s == ' ' || *s == '\n'))
        s++, n--;
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\n'))
        n--;
    *out = arena_strndup(a, s, n);
    return true;
}

static bool list_has(const char *list, const char *name, struct arena *a)
{
    const char *item;
    while (next_name(&list, a, &item)) {
        if (strcmp(item, name) == 0)
            return true;
    }
    return false;
}

static bool no_pass(const char *what, const char *name, struct diag *d)
{
    struct closest near = {.to = name};
    for (size_t i = 0; i < N_PASSES; i++)
        closest_offer(&near, passes[i]->name);
    return diag_error(d, (struct loc){0}, DIAG_PASS, "%s: there is no pass '%s'%s%s%s", what, name,
                      CLOSEST(&near));
}

/* All names of a list exist ("" and NULL are empty lists); `more` is one further word allowed. */
static bool check_names(const char *list, const char *more, const char *what, struct run *r)
{
    const char *item;
    while (next_name(&list, r->names, &item)) {
        if (!pass_find(item) && (!more || strcmp(item, more) != 0))
            return no_pass(what, item, r->ctx->diag);
    }
    return true;
}

static bool check_options(const char *pipeline, struct run *r)
{
    const struct pass_options *o = r->o;
    return check_names(pipeline, NULL, "pipeline", r) && check_names(o->skip, NULL, "--skip", r) &&
           check_names(o->stop_after, NULL, "--stop-after", r) &&
           check_names(o->print_before, "all", "--print-before", r) &&
           check_names(o->print_after, "all", "--print-after", r);
}

/* ---- one pass ---- */

static bool is_wanted(struct run *r, const char *list, const struct pass *p)
{
    return list_has(list, "all", r->names) || list_has(list, p->name, r->names);
}

static void print_graph(struct run *r, const char *when, const struct pass *p,
                        const struct ir_graph *g)
{
    struct text t = {0};
    if (!r->to)
        return;
    if (r->o->dot)
        ir_print_dot(g, &t);
    else
        ir_print(g, &(struct ir_print_options){0}, &t);
    fprintf(r->to, "%s %s %s\n%s", r->o->dot ? "//" : ";", when, p->name, t.at ? t.at : "");
    text_free(&t);
}

/* Our mistake, not the user's. */
static _Noreturn void broken(const struct diag *d, const char *what)
{
    BUG("%s: %s", what, d->first ? d->first->text : "nobody says why");
}

static void verify(const struct ir_graph *g)
{
    struct diag *d = diag_new();
    if (!ir_verify(g, d))
        broken(d, "the pass left an invalid graph");
    diag_free(d);
}

static void round_trip(struct ir_graph **g)
{
    struct diag *d = diag_new();
    struct text t = {0};
    ir_print(*g, &(struct ir_print_options){.inline_blobs = true}, &t);
    struct ir_graph *again = ir_parse(t.at, t.n, "round-trip", d);
    if (!again)
        broken(d, "the printed graph does not parse");
    if (ir_fingerprint(again) != ir_fingerprint(*g))
        BUG("the printed graph parses to another graph");
    text_free(&t);
    diag_free(d);
    ir_graph_free(*g);
    *g = again;
}

/* A line of the table: name, seconds, operations left and by how many more, statistics. */
static void add_line(struct run *r, const struct pass *p, double seconds, uint32_t before,
                     uint32_t after)
{
    const char *separator = "  ";
    r->seconds += seconds;
    text_add(&r->table, "%-12s", p->name);
    if (r->o->time_passes)
        text_add(&r->table, "  %9.6f", seconds);
    text_add(&r->table, "  %10u  %+7lld", after, (long long)after - (long long)before);
    for (size_t i = 0; r->o->stats && p->stats && p->stats[i]; i++) {
        if (!r->ctx->stats[i])
            continue;
        text_add(&r->table, "%s%llu %s", separator, (unsigned long long)r->ctx->stats[i],
                 p->stats[i]);
        separator = ", ";
    }
    text_add(&r->table, "\n");
}

/* Also of a pipeline that failed: the passes up to there. */
static void print_table(struct run *r)
{
    if (!r->to || (!r->o->time_passes && !r->o->stats))
        return;
    fprintf(r->to, "%-12s%s  operations   change%s\n%s", "pass",
            r->o->time_passes ? "    seconds" : "", r->o->stats ? "  statistics" : "",
            r->table.at ? r->table.at : "");
    if (r->o->time_passes)
        fprintf(r->to, "%-12s  %9.6f\n", "all passes", r->seconds);
}

/* The pass with a fresh scratch arena; its result is checked against diagnostics and digest. */
static enum pass_result call(struct run *r, const struct pass *p, struct ir_graph *g)
{
    struct pass_given given;
    unsigned n_errors = r->ctx->diag->n_errors;
    uint64_t digest = ir_digest(g);
    pass_give(p, r->ctx, &given);
    given.ctx.scratch = arena_new();
    enum pass_result result = p->run(&given.ctx, g);
    arena_free(given.ctx.scratch);
    memcpy(r->ctx->stats, given.ctx.stats, sizeof given.ctx.stats);
    bool failed = result == PASS_FAILED || result == PASS_BLOCKED;
    if (failed != (r->ctx->diag->n_errors > n_errors))
        BUG("the pass %s", failed ? "failed without a reason" : "hid its errors");
    if (result == PASS_UNCHANGED && ir_digest(g) != digest)
        BUG("the pass changed the graph and denied it");
    return result;
}

static bool run_pass(struct run *r, const struct pass *p, struct ir_graph **g)
{
    if (!(p->needs & (*g)->stage))
        return diag_error(r->ctx->diag, (struct loc){0}, DIAG_PASS,
                          "pass '%s' does not accept a graph at this stage", p->name);
    if (is_wanted(r, r->o->print_before, p))
        print_graph(r, "before", p, *g);
    bug_context(arena_printf(r->names, "pass %s", p->name));
    uint32_t before = (*g)->n_ops;
    double start = now_seconds();
    enum pass_result result = call(r, p, *g);
    double end = now_seconds(), seconds = end - start;
    if (r->o->spans)
        spans_add(r->o->spans, "pass", p->name, start, end);
    if (result == PASS_FAILED)
        return false;
    if (p->gives && (*g)->stage != p->gives)
        BUG("the pass left the graph at another stage than it declares");
    r->blocked |= result == PASS_BLOCKED;
    if (result != PASS_UNCHANGED && !r->o->no_verify)
        verify(*g);
    if (r->o->roundtrip_each)
        round_trip(g);
    add_line(r, p, seconds, before, (*g)->n_ops);
    if (is_wanted(r, r->o->print_after, p) || (r->o->print_changed && result != PASS_UNCHANGED))
        print_graph(r, "after", p, *g);
    return true;
}

/* ---- the pipeline ---- */

/* Up to where the options say that it stops. */
static void list_steps(struct run *r, const char *pipeline)
{
    struct pass_steps *s = &r->steps;
    struct pass_readings read = {0};
    const char *name;
    bool stops = false;
    s->at = ARENA_ARRAY(r->names, struct pass_step, strlen(pipeline) + 1);
    s->said_before = r->ctx->diag->last;
    while (!stops && next_name(&pipeline, r->names, &name)) {
        const struct pass *p = pass_find(name);
        if (r->o->last_stage && p->gives > r->o->last_stage)
            break;
        bool skipped = list_has(r->o->skip, name, r->names);
        s->at[s->n++] = (struct pass_step){p, skipped, !skipped && pass_reads_more(&read, p)};
        s->hash = hash_bytes(name, strlen(name), s->hash + skipped);
        stops = list_has(r->o->stop_after, name, r->names);
    }
}

/* The first step to run; *g is the graph before it. */
static bool begin(struct run *r, struct ir_graph **g, size_t *first)
{
    struct pass_cache *cache = r->o->cache;
    struct ir_graph *kept = cache ? pass_cache_start(cache) : NULL;
    *first = 0;
    if (cache && r->ctx->quant_report)
        BUG("a cache keeps no report on quantising");
    if (cache)
        cache->n_passes = 0, cache->seconds = 0;
    if (cache && r->ctx->dup_result) /* what is kept of it is this run's */
        *r->ctx->dup_result = (struct dup_result){0};
    if ((!kept && !r->o->no_verify && !ir_verify(*g, r->ctx->diag)) ||
        !pass_settle_mode(kept ? kept : *g, r->ctx))
        return false;
    if (kept)
        *first = pass_cache_resume(cache, &r->steps, g, r->ctx);
    else if (cache)
        pass_cache_keep(cache, &r->steps, 0, *g, r->ctx);
    return true;
}

static bool run_steps(struct run *r, size_t first, struct ir_graph **g)
{
    const struct pass_steps *s = &r->steps;
    for (size_t i = first; i < s->n; i++) {
        if (r->blocked && (*g)->stage == IR_CROSSBAR)
            break;
        if (r->o->cache && s->at[i].reads_more && !r->blocked)
            pass_cache_keep(r->o->cache, s, i, *g, r->ctx);
        if (!s->at[i].skipped && !run_pass(r, s->at[i].pass, g))
            return false;
    }
    if (r->o->cache && !r->blocked)
        pass_cache_keep(r->o->cache, s, s->n, *g, r->ctx);
    return !r->blocked;
}

bool pass_run_pipeline(const char *pipeline, struct ir_graph **g, struct pass_ctx *ctx,
                       const struct pass_options *o)
{
    struct run r = {.ctx = ctx, .o = o, .names = arena_new(), .to = o->print_to};
    size_t first;
    bool ok = check_options(pipeline, &r);
    if (ok)
        list_steps(&r, pipeline);
    ok = ok && begin(&r, g, &first) && run_steps(&r, first, g);
    bug_context("");
    print_table(&r);
    text_free(&r.table);
    arena_free(r.names);
    return ok;
}
