/*
 * dup_pass.c - how many copies of its weights each base layer gets.
 *
 * In: a CROSSBAR graph with slices (pass tile). Out: `copies` and `cut` of every mvm, and a
 * dup_result. Invariant: users of one `weights` object have the same number of copies, and its PEs
 * count once.
 */
#include "dup_flow.h"
#include "dup_items.h"

#include <stdlib.h>
#include <string.h>

static struct loc nowhere(void)
{
    return (struct loc){0};
}

static void set_copies(struct ir_op *op, int64_t copies, enum dup_cut cut)
{
    struct ir_attrs_mvm *a = &op->attrs->mvm;
    int64_t parts[2];
    if (!dup_find_cut(cut, copies, op->out->type.dim[0], op->out->type.dim[1], parts))
        BUG("%lld copies of '%s' have no cut", (long long)copies, op->name);
    a->copies = copies;
    a->cut[0] = parts[0];
    a->cut[1] = parts[1];
}

static void apply(const struct dup_items *x, const int64_t *copies, enum dup_cut cut)
{
    for (size_t i = 0; i < x->ops.n; i++)
        set_copies(x->ops.at[i], copies[x->item_of.at[i]], cut);
}

/* ---- objective makespan ---- */

struct trial {
    const struct dup_items *x;
    struct ir_graph *g;
    const struct pass_ctx *ctx;
};

static bool ask_schedule(void *self, const int64_t *copies, struct dup_timing *out)
{
    struct trial *t = self;
    const struct dup_schedule *s = t->ctx->schedule;
    apply(t->x, copies, t->ctx->dup->cut);
    return s->makespan(s->self, t->g, out);
}

/* The layer whose largest copy works longest. */
static void find_bottleneck(const struct dup_items *x, const struct pass_ctx *ctx,
                            struct dup_result *out)
{
    for (size_t i = 0; i < x->ops.n; i++) {
        const struct ir_op *op = x->ops.at[i];
        const struct ir_attrs_mvm *a = &op->attrs->mvm;
        uint64_t cycles = dup_cycles(op, ctx->arch, ceil_div_i64(op->out->type.dim[0], a->cut[0]),
                                     ceil_div_i64(op->out->type.dim[1], a->cut[1]));
        if (cycles > out->bottleneck_cycles) {
            out->bottleneck_cycles = cycles;
            out->bottleneck = op->name;
        }
    }
}

/* The copies with the least sum and those with the least interval are where the search starts. */
static bool choose_makespan(const struct dup_items *x, const struct dup_problem *p,
                            struct pass_ctx *ctx, struct ir_graph *g, int64_t *copies,
                            struct dup_result *out)
{
    if (!ctx->schedule)
        return diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
                          "duplication for the makespan needs a schedule; use sum or none here");
    ir_number(g);
    uint32_t *item_of = ARENA_ARRAY(ctx->scratch, uint32_t, g->n_ops);
    for (size_t i = 0; i < x->ops.n; i++)
        item_of[x->ops.at[i]->id] = x->item_of.at[i];
    struct trial trial = {x, g, ctx};
    struct dup_real real = {.schedule = ctx->schedule,
                            .cut = ctx->dup->cut,
                            .arch = ctx->arch,
                            .lp_file = ctx->dup->lp_file,
                            .progress = ctx->progress,
                            .ask = ask_schedule,
                            .self = &trial};
    int64_t *starts[DUP_N_STARTS], interval;
    uint64_t cycles;
    for (size_t i = 0; i < DUP_N_STARTS; i++)
        starts[i] = ARENA_ARRAY(ctx->scratch, int64_t, p->n_items);
    bool least_sum;
    if (!dup_solve(p, NULL, ctx->diag, starts[0], &least_sum) ||
        !dup_solve_interval(p, dup_find_loads(x, p, ctx), NULL, ctx->diag, starts[1], &interval) ||
        !dup_solve_makespan(p, g, item_of, &real, starts, ctx->diag, copies, &cycles, out))
        return false;
    bool proved = p->n_items == 0 || (out->has_bound && out->lower_bound_cycles == cycles);
    out->objective = "makespan";
    out->status = proved ? "optimal" : "feasible";
    out->value = (double)cycles;
    return true;
}

/* What the user fixed: nothing is solved. */
static bool take_fixed(const struct dup_items *x, const struct dup_problem *p,
                       const struct pass_ctx *ctx, int64_t *copies, struct dup_result *out)
{
    if (!dup_take_fixed(x, p->pes, ctx, copies))
        return false;
    out->objective = "given";
    out->status = "none";
    out->value = dup_objective(p, copies);
    return true;
}

static bool choose_sum(const struct dup_problem *p, const struct pass_ctx *ctx, int64_t *copies,
                       struct dup_result *out)
{
    bool proven;
    out->objective = "sum";
    if (!dup_solve(p, ctx->dup->lp_file, ctx->diag, copies, &proven))
        return false;
    out->status = proven ? "optimal" : "feasible";
    out->value = dup_objective(p, copies);
    return true;
}

static bool choose_interval(const struct dup_items *x, const struct dup_problem *p,
                            const struct pass_ctx *ctx, int64_t *copies, struct dup_result *out)
{
    int64_t interval;
    out->objective = "interval";
    out->status = "optimal";
    if (!dup_solve_interval(p, dup_find_loads(x, p, ctx), ctx->dup->lp_file, ctx->diag, copies,
                            &interval))
        return false;
    out->value = (double)interval;
    return true;
}

static bool choose(const struct dup_items *x, const struct dup_problem *p, struct pass_ctx *ctx,
                   struct ir_graph *g, int64_t *copies, struct dup_result *out)
{
    for (size_t i = 0; i < p->n_items; i++)
        copies[i] = 1;
    if (ctx->dup->n_fixed)
        return take_fixed(x, p, ctx, copies, out);
    switch (ctx->dup->objective) {
    case DUP_NONE: break;
    case DUP_SUM: return choose_sum(p, ctx, copies, out);
    case DUP_MAKESPAN: return choose_makespan(x, p, ctx, g, copies, out);
    case DUP_INTERVAL: return choose_interval(x, p, ctx, copies, out);
    }
    out->objective = out->status = "none";
    out->value = dup_objective(p, copies);
    return true;
}

/* The attributes as they were: trials change them. */
static bool differ_from(const struct dup_items *x, const int64_t *before)
{
    for (size_t i = 0; i < x->ops.n; i++) {
        const struct ir_attrs_mvm *a = &x->ops.at[i]->attrs->mvm;
        if (a->copies != before[3 * i] || a->cut[0] != before[3 * i + 1] ||
            a->cut[1] != before[3 * i + 2])
            return true;
    }
    return false;
}

static enum pass_result duplicate(struct dup_items *x, struct pass_ctx *ctx, struct ir_graph *g)
{
    int64_t pes, *copies = ARENA_ARRAY(ctx->scratch, int64_t, x->items.n);
    int64_t *before = ARENA_ARRAY(ctx->scratch, int64_t, 3 * x->ops.n);
    struct dup_result result = {.pe_min = x->pe_min};
    for (size_t i = 0; i < x->ops.n; i++) {
        const struct ir_attrs_mvm *a = &x->ops.at[i]->attrs->mvm;
        memcpy(before + 3 * i, (int64_t[3]){a->copies, a->cut[0], a->cut[1]}, 3 * sizeof *before);
    }
    if (!dup_find_pes(x, ctx, &pes))
        return PASS_FAILED;
    int64_t spend = ctx->dup->objective == DUP_NONE ? x->pe_min : pes;
    struct dup_problem problem = dup_make_problem(x, pes, spend, ctx);
    if (!choose(x, &problem, ctx, g, copies, &result))
        return PASS_FAILED;
    apply(x, copies, ctx->dup->cut);
    for (size_t i = 0; i < x->items.n; i++) {
        ctx->stats[0] += copies[i] > 1;
        ctx->stats[1] += (uint64_t)(copies[i] - 1);
        result.pes_used += copies[i] * x->items.at[i].pes;
    }
    result.pes = pes;
    find_bottleneck(x, ctx, &result);
    if (ctx->dup_result)
        *ctx->dup_result = result;
    return differ_from(x, before) ? PASS_CHANGED : PASS_UNCHANGED;
}

static enum pass_result run_dup(struct pass_ctx *ctx, struct ir_graph *g)
{
    if (!ctx->arch)
        BUG("pass dup runs without a machine");
    struct dup_items x = {0};
    enum pass_result result = dup_gather(&x, g, ctx) ? duplicate(&x, ctx, g) : PASS_FAILED;
    dup_items_free(&x);
    return result;
}

static const char *const stats[] = {"weights objects duplicated", "copies added", NULL};
const struct pass pass_dup = {
    .name = "dup",
    .summary = "choose how many copies each base layer's weights get",
    .needs = IR_CROSSBAR,
    .stats = stats,
    .run = run_dup,
};
