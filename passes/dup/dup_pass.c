/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_pass.c - how many copies of its weights each base layer gets, and how many output pixels one
 * of its products yields.
 *
 * In: a CROSSBAR graph with slices (pass tile). Out: `copies`, `cut`, `patch` and the `slices` that
 * it takes of every mvm, and a dup_result. Invariant: users of one `weights` object have the same
 * copies and patch, and its PEs count once.
 */
#include "dup_flow.h"
#include "dup_items.h"

#include <math.h>
#include <string.h>

static const struct dup_option *option_of(const struct dup_object *it, const struct dup_choice *c)
{
    const struct dup_option *o = it->options;
    while (memcmp(o->patch, c->patch, sizeof o->patch) != 0)
        o++;
    return o;
}

static void set_choice(struct ir_op *op, const struct dup_object *it, const struct dup_choice *c,
                       enum dup_cut cut)
{
    struct ir_attrs_mvm *a = &op->attrs->mvm;
    memcpy(a->patch, c->patch, sizeof a->patch);
    memcpy(a->slices, option_of(it, c)->slices, sizeof a->slices);
    if (!dup_set_copies(op, cut, c->copies))
        BUG("%lld copies of '%s' have no cut", (long long)c->copies, op->name);
}

static const struct dup_choice *choice_of(const struct dup_problem *p, const uint32_t *chosen,
                                          size_t item)
{
    return &p->items[item].choices[chosen[item]];
}

static void apply(const struct dup_items *x, const struct dup_problem *p, const uint32_t *chosen,
                  enum dup_cut cut)
{
    for (size_t i = 0; i < x->ops.n; i++) {
        uint32_t item = x->item_of.at[i];
        set_choice(x->ops.at[i], &x->items.at[item], choice_of(p, chosen, item), cut);
    }
}

/* ---- objective makespan ---- */

struct trial {
    const struct dup_items *x;
    const struct dup_problem *problem;
    struct ir_graph *g;
    const struct pass_ctx *ctx;
};

static bool ask_schedule(void *self, const uint32_t *chosen, struct dup_timing *out)
{
    struct trial *t = self;
    const struct dup_schedule *s = t->ctx->schedule;
    apply(t->x, t->problem, chosen, t->ctx->dup->cut);
    return s->makespan(s, t->g, out);
}

static uint32_t *number_items(const struct dup_items *x, struct ir_graph *g, struct arena *a)
{
    ir_number(g);
    uint32_t *item_of = ARENA_ARRAY(a, uint32_t, g->n_ops);
    for (size_t i = 0; i < x->ops.n; i++)
        item_of[x->ops.at[i]->id] = x->item_of.at[i];
    return item_of;
}

/* From the starts, with so many parts of the effort, to what is chosen and its cycles. */
static bool search(struct trial *t, const struct dup_problem *all, int64_t share,
                   uint32_t *const starts[DUP_N_STARTS], uint32_t *chosen, uint64_t *cycles,
                   struct dup_result *out)
{
    const struct pass_ctx *ctx = t->ctx;
    struct dup_real real = {.schedule = ctx->schedule,
                            .cut = ctx->dup->cut,
                            .share = share,
                            .lp_file = out ? ctx->dup->lp_file : NULL,
                            .progress = ctx->progress,
                            .ask = ask_schedule,
                            .self = t};
    struct dup_result ignored;
    return dup_solve_makespan(t->problem, all, t->g, number_items(t->x, t->g, ctx->scratch), &real,
                              starts, ctx->diag, chosen, cycles, out ? out : &ignored);
}

/* Of several frames, what is fastest among the choices with the least interval: `chosen`, which is
 * one of these, becomes that. */
static bool search_within(struct trial t, int64_t interval, uint32_t *chosen)
{
    const struct dup_problem *p = t.problem;
    struct arena *a = t.ctx->scratch;
    uint32_t **at = ARENA_ARRAY(a, uint32_t *, p->n_items);
    uint32_t *start = ARENA_ARRAY(a, uint32_t, p->n_items);
    uint32_t *found = ARENA_ARRAY(a, uint32_t, p->n_items);
    struct dup_problem within = dup_within(p, interval, a, at);
    uint64_t cycles;
    t.problem = &within;
    for (size_t i = 0; i < p->n_items; i++)
        while (at[i][start[i]] != chosen[i])
            start[i]++;
    if (!search(&t, &within, 2, (uint32_t *[DUP_N_STARTS]){start, start}, found, &cycles, NULL))
        return false;
    for (size_t i = 0; i < p->n_items; i++)
        chosen[i] = at[i][found[i]];
    return true;
}

/* The choices with the least sum and those with the least interval are where the search starts. */
static bool choose_makespan(const struct dup_items *x, const struct dup_problem *p,
                            struct pass_ctx *ctx, struct ir_graph *g, uint32_t *chosen,
                            struct dup_result *out)
{
    if (!ctx->schedule)
        return diag_error(ctx->diag, (struct loc){0}, DIAG_DUPLICATION,
                          "duplication for the makespan needs a schedule; use sum or none here");
    struct trial trial = {x, p, g, ctx};
    uint32_t *starts[DUP_N_STARTS], frames = ctx->schedule->frames;
    int64_t interval;
    uint64_t cycles;
    for (size_t i = 0; i < DUP_N_STARTS; i++)
        starts[i] = ARENA_ARRAY(ctx->scratch, uint32_t, p->n_items);
    struct dup_problem all = *p;
    if (ctx->dup->windows)
        all = dup_make_problem(x, p->pes, INT64_MAX, DUP_ALL, ctx);
    bool is_least, proven, several = frames > 1;
    if (!dup_solve(p, NULL, ctx->diag, starts[0], &is_least) ||
        !dup_solve_interval(p, NULL, ctx->diag, starts[1], &interval, &proven) ||
        (several && !search_within(trial, interval, starts[1])) ||
        !search(&trial, ctx->dup->windows ? &all : p, several ? 2 : 1, starts, chosen, &cycles,
                out))
        return false;
    if (ctx->schedule->layer_by_layer && !is_least)
        out->has_bound = false; /* it is the sum's */
    if (several)                /* no frame follows another sooner */
        out->lower_bound_cycles += (uint64_t)(frames - 1) * (uint64_t)interval;
    bool proved = p->n_items == 0 || (out->has_bound && out->lower_bound_cycles == cycles);
    out->objective = "makespan";
    out->status = proved ? "optimal" : "feasible";
    out->value = (double)cycles;
    return true;
}

/* ---- the others ---- */

static bool choose_sum(const struct dup_problem *p, const struct pass_ctx *ctx, uint32_t *chosen,
                       struct dup_result *out)
{
    bool proven;
    if (!dup_solve(p, ctx->dup->lp_file, ctx->diag, chosen, &proven))
        return false;
    out->objective = "sum";
    out->status = proven ? "optimal" : "feasible";
    out->value = dup_objective(p, chosen);
    return true;
}

/* Cycles times PEs of the choice that makes least of them: no choice works less in all. */
static double least_work(const struct dup_items *x, size_t item)
{
    const struct dup_object *it = &x->items.at[item];
    double least = (double)it->options->pes * (double)it->options->cycles;
    for (size_t i = 1; i < it->n_options; i++)
        least = fmin(least, (double)it->options[i].pes * (double)it->options[i].cycles);
    return least;
}

/* However the copies are cut, all PEs together work no faster. */
static uint64_t work_bound(const struct dup_items *x, int64_t pes)
{
    double work = 0;
    for (size_t i = 0; i < x->items.n; i++)
        work += least_work(x, i);
    return (uint64_t)ceil(work / (double)max_i64(pes, 1));
}

/* The fewest PEs with an interval below `interval`; 0: there are none, or too many. */
static int64_t next_pes(struct dup_items *x, int64_t pes, int64_t interval,
                        const struct pass_ctx *ctx)
{
    enum { MOST_MORE = 1 << 16 };
    int64_t most;
    for (int64_t more = 16; interval > 0 && more <= MOST_MORE; more *= 4) {
        if (!add_i64(pes, more, &most) || !dup_find_options(x, most, ctx))
            return 0;
        struct dup_problem p = dup_make_problem(x, most, INT64_MAX, DUP_USEFUL, ctx);
        int64_t enough = dup_interval_pes(&p, interval - 1);
        if (enough > 0 && enough <= most)
            return enough;
    }
    return 0;
}

static bool choose_interval(struct dup_items *x, const struct dup_problem *p,
                            const struct pass_ctx *ctx, uint32_t *chosen, struct dup_result *out)
{
    int64_t interval;
    bool proven;
    if (!dup_solve_interval(p, ctx->dup->lp_file, ctx->diag, chosen, &interval, &proven))
        return false;
    out->objective = "interval";
    out->status = "optimal"; /* as far as the interval goes */
    out->value = (double)interval;
    out->has_interval = true;
    out->interval_bound_cycles = work_bound(x, p->pes);
    return true;
}

/* One copy of each, of the best patch. */
static bool choose_none(const struct dup_problem *p, const struct pass_ctx *ctx, uint32_t *chosen,
                        struct dup_result *out)
{
    bool is_open = ctx->dup->windows;
    if (is_open && !choose_sum(p, ctx, chosen, out))
        return false;
    out->objective = "none";
    out->status = is_open ? out->status : "none";
    out->value = dup_objective(p, chosen);
    return true;
}

static bool choose(struct dup_items *x, struct dup_problem *p, struct pass_ctx *ctx,
                   struct ir_graph *g, uint32_t *chosen, struct dup_result *out)
{
    if (ctx->dup->n_fixed) { /* nothing is solved */
        out->objective = "given";
        out->status = "none";
        out->value = dup_objective(p, chosen);
        return true;
    }
    switch (ctx->dup->objective) {
    case DUP_NONE: break;
    case DUP_SUM: return choose_sum(p, ctx, chosen, out);
    case DUP_MAKESPAN: return choose_makespan(x, p, ctx, g, chosen, out);
    case DUP_INTERVAL: return choose_interval(x, p, ctx, chosen, out);
    }
    return choose_none(p, ctx, chosen, out);
}

/* ---- what the PEs allow ---- */

static uint32_t find_choice(const struct dup_item *it, const struct dup_choice *c)
{
    for (uint32_t i = 0; i < it->n_choices; i++)
        if (it->choices[i].copies == c->copies &&
            memcmp(it->choices[i].patch, c->patch, sizeof c->patch) == 0)
            return i;
    return 0;
}

/* Of all copies and patches that were open, where the objective did not find it. */
static void bound_makespan(const struct dup_items *x, const struct dup_problem *p,
                           struct pass_ctx *ctx, struct ir_graph *g, const uint32_t *chosen,
                           struct dup_result *out)
{
    struct dup_problem all = dup_make_problem(x, p->pes, INT64_MAX, DUP_ALL, ctx);
    uint32_t *known = ARENA_ARRAY(ctx->scratch, uint32_t, p->n_items);
    uint64_t cycles;
    for (size_t i = 0; i < p->n_items; i++)
        known[i] = find_choice(&all.items[i], choice_of(p, chosen, i));
    out->has_bound = dup_bound_pipeline(&all, g, number_items(x, g, ctx->scratch), ctx->dup->cut,
                                        known, &cycles);
    if (out->has_bound)
        out->lower_bound_cycles = max_u64(cycles, work_bound(x, p->pes));
}

/* ---- the pass ---- */

static void sum_up(const struct dup_items *x, const struct dup_problem *p, const uint32_t *chosen,
                   struct pass_ctx *ctx, struct dup_result *out)
{
    for (size_t i = 0; i < p->n_items; i++) {
        const struct dup_choice *c = choice_of(p, chosen, i);
        ctx->stats[0] += c->copies > 1;
        ctx->stats[1] += (uint64_t)(c->copies - 1);
        ctx->stats[2] += c->patch[0] * c->patch[1] > 1;
        out->pes_used += c->pes;
    }
    for (size_t i = 0; i < x->ops.n; i++) {
        struct dup_choice c = *choice_of(p, chosen, x->item_of.at[i]);
        const struct ir_op *op = x->ops.at[i];
        const struct ir_attrs_mvm *a = &op->attrs->mvm;
        uint64_t cycles =
            (uint64_t)(ceil_div_i64(ceil_div_i64(op->out->type.dim[0], c.patch[0]), a->cut[0]) *
                       ceil_div_i64(ceil_div_i64(op->out->type.dim[1], c.patch[1]), a->cut[1]) *
                       c.product);
        if (cycles > out->bottleneck_cycles) {
            out->bottleneck_cycles = cycles;
            out->bottleneck = op->name;
        }
    }
}

static bool duplicate(struct dup_items *x, struct pass_ctx *ctx, struct ir_graph *g)
{
    struct dup_result result = {.pe_min = x->pe_min};
    struct dup_problem problem;
    uint32_t *chosen = ARENA_ARRAY(ctx->scratch, uint32_t, x->items.n);
    if (!dup_find_pes(x, ctx, &result.pes) || !dup_find_options(x, result.pes, ctx))
        return false;
    if (ctx->dup->n_fixed == 0)
        problem = dup_make_problem(x, result.pes, ctx->dup->objective == DUP_NONE ? 1 : INT64_MAX,
                                   DUP_USEFUL, ctx);
    else if (!dup_take_fixed(x, result.pes, ctx, &problem))
        return false;
    if (!choose(x, &problem, ctx, g, chosen, &result))
        return false;
    apply(x, &problem, chosen, ctx->dup->cut);
    sum_up(x, &problem, chosen, ctx, &result);
    if (ctx->dup->n_fixed || ctx->dup->objective != DUP_MAKESPAN)
        bound_makespan(x, &problem, ctx, g, chosen, &result);
    if (result.has_interval)
        result.next_pes = next_pes(x, result.pes, (int64_t)result.value, ctx);
    if (ctx->dup_result)
        *ctx->dup_result = result;
    return true;
}

/* The attributes as they were: trials change them. */
static bool differ_from(const struct dup_items *x, const struct ir_attrs_mvm *before)
{
    for (size_t i = 0; i < x->ops.n; i++) {
        const struct ir_attrs_mvm *a = &x->ops.at[i]->attrs->mvm, *b = &before[i];
        if (a->copies != b->copies || memcmp(a->cut, b->cut, sizeof a->cut) != 0 ||
            memcmp(a->patch, b->patch, sizeof a->patch) != 0 ||
            memcmp(a->slices, b->slices, sizeof a->slices) != 0)
            return true;
    }
    return false;
}

static bool check_windows(const struct ir_graph *g, struct diag *d)
{
    bool ok = true;
    for (const struct ir_op *op = g->first; op; op = op->next)
        ok &= need_check(op, d);
    return ok;
}

static enum pass_result run_dup(struct pass_ctx *ctx, struct ir_graph *g)
{
    if (!ctx->arch)
        BUG("pass dup runs without a machine");
    struct dup_items x = {0};
    enum pass_result result = PASS_FAILED;
    if (check_windows(g, ctx->diag) && dup_gather(&x, g, ctx)) {
        struct ir_attrs_mvm *before = ARENA_ARRAY(ctx->scratch, struct ir_attrs_mvm, x.ops.n);
        for (size_t i = 0; i < x.ops.n; i++)
            before[i] = x.ops.at[i]->attrs->mvm;
        if (duplicate(&x, ctx, g))
            result = differ_from(&x, before) ? PASS_CHANGED : PASS_UNCHANGED;
    }
    dup_items_free(&x);
    return result;
}

static const char *const stats[] = {"weights objects duplicated", "copies added",
                                    "weights objects with patches", NULL};
/* What the schedule reads is with it. */
static const struct arch fields = {.tiles = 1,
                                   .crossbars = 1,
                                   .rows = 1,
                                   .cols = 1,
                                   .weight_bits = 1,
                                   .cell_bits = 1,
                                   .encoding = 1,
                                   .pair_axis = 1,
                                   .dac_bits = 1,
                                   .mvm_cycles = 1,
                                   .phase_cycles = 1,
                                   .adc_columns_per_cycle = 1};
const struct pass pass_dup = {
    .name = "dup",
    .summary =
        "choose how many copies each base layer's weights get, and what patch its products yield",
    .needs = IR_CROSSBAR,
    .reads = READS_DUP | READS_SCHEDULE,
    .fields = &fields,
    .stats = stats,
    .run = run_dup,
};
