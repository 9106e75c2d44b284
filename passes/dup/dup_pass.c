/*
 * dup_pass.c - how many copies of its weights each base layer gets.
 *
 * In: a CROSSBAR graph with slices (pass tile). Out: `copies` and `cut` of every mvm, and a
 * dup_result. Invariant: users of one `weights` object have the same number of copies, and its PEs
 * count once.
 */
#include "dup_flow.h"

#include "base/map.h"

#include <stdlib.h>
#include <string.h>

/* An item of the problem while it is gathered: the users are mvm operations of one weights object.
 */
struct group {
    int64_t weights; /* attribute; 0 = an object of its own */
    int64_t cycles, pes, most_copies;
};
struct gathered {
    VEC(struct ir_op *) ops;
    VEC(uint32_t) group_of;   /* of ops.at[i] */
    VEC(struct group) groups; /* by first user in list order */
    struct map group_of_weights;
    int64_t pe_min;
};

static struct loc nowhere(void)
{
    return (struct loc){0};
}

static void free_gathered(struct gathered *x)
{
    VEC_FREE(&x->ops);
    VEC_FREE(&x->group_of);
    VEC_FREE(&x->groups);
    map_free(&x->group_of_weights);
}

static uint32_t find_group(struct gathered *x, int64_t weights)
{
    uint32_t n = (uint32_t)x->groups.n;
    uint32_t i = weights > 0 ? map_intern_u64(&x->group_of_weights, (uint64_t)weights, n) : n;
    if (i == n)
        VEC_PUSH(&x->groups, ((struct group){.weights = weights, .most_copies = INT64_MAX}));
    return i;
}

/* The user's crossbars must be those of the group's other users. */
static bool add_pes(struct gathered *x, struct group *g, const struct ir_op *op, struct diag *d)
{
    const struct ir_attrs_mvm *a = &op->attrs->mvm;
    int64_t pes;
    if (a->slices[0] < 1 || a->slices[1] < 1)
        return diag_error(d, op->loc, DIAG_PASS, "mvm '%s' has no slices; run pass tile before dup",
                          op->name);
    if (!mul_i64(a->slices[0], a->slices[1], &pes) || (g->pes && g->pes != pes))
        return diag_error(d, op->loc, DIAG_LOWER,
                          "mvm '%s' needs %lld x %lld crossbars, other users of weights %lld %lld",
                          op->name, (long long)a->slices[0], (long long)a->slices[1],
                          (long long)a->weights, (long long)g->pes);
    if (!g->pes && !add_i64(x->pe_min, pes, &x->pe_min))
        return diag_error(d, op->loc, DIAG_CAPACITY, "the network needs more than 2^63 crossbars");
    g->pes = pes;
    return true;
}

static bool add_op(struct gathered *x, struct ir_op *op, const struct pass_ctx *ctx)
{
    uint32_t at = find_group(x, op->attrs->mvm.weights);
    struct group *g = &x->groups.at[at];
    int64_t rows = op->out->type.dim[0], columns = op->out->type.dim[1];
    struct cost cost = arch_cost(
        ctx->arch, &(struct cost_work){.kind = COST_MVM, .products = (uint64_t)(rows * columns)});
    uint64_t cycles = cost_occupancy_cycles(&cost);
    if (!add_pes(x, g, op, ctx->diag))
        return false;
    if (cycles > INT64_MAX || !add_i64(g->cycles, (int64_t)cycles, &g->cycles))
        return diag_error(ctx->diag, op->loc, DIAG_DUPLICATION,
                          "mvm '%s' takes more than 2^63 cycles", op->name);
    g->most_copies = min_i64(g->most_copies, dup_most_copies(ctx->dup->cut, rows, columns));
    VEC_PUSH(&x->ops, op);
    VEC_PUSH(&x->group_of, at);
    return true;
}

static bool gather(struct gathered *x, const struct ir_graph *g, const struct pass_ctx *ctx)
{
    bool ok = true;
    for (struct ir_op *op = g->first; op && ok; op = op->next) {
        if (op->opcode == IR_mvm)
            ok = add_op(x, op, ctx);
    }
    return ok;
}

/* F, and whether the network fits it and the chip. */
static bool find_pes(const struct pass_ctx *ctx, int64_t pe_min, int64_t *out_pes)
{
    const struct dup_options *o = ctx->dup;
    const struct arch *arch = ctx->arch;
    int64_t chip = arch->tiles > 0 ? arch->tiles * arch->crossbars : INT64_MAX, pes = o->pes;
    if (pes < 0 && !add_i64(pe_min, o->extra_pes, &pes))
        pes = INT64_MAX;
    *out_pes = pes;
    const char *option = o->pes < 0 ? "--extra-pes" : "--pes";
    if (pes < pe_min)
        return diag_error(ctx->diag, nowhere(), DIAG_CAPACITY,
                          "the network needs %lld PEs, the machine has %lld; enlarge %s",
                          (long long)pe_min, (long long)pes, option);
    if (pes <= chip)
        return true;
    diag_error(
        ctx->diag, nowhere(), DIAG_CAPACITY,
        "the network needs %lld PEs, %s asks for %lld, but %lld tiles of %lld crossbars have "
        "%lld; enlarge tiles or crossbars (--arch-field)%s%s",
        (long long)pe_min, option, (long long)pes, (long long)arch->tiles,
        (long long)arch->crossbars, (long long)chip, pe_min <= chip ? ", or lower " : "",
        pe_min <= chip ? option : "");
    return false;
}

static bool every_user_has_cut(const struct gathered *x, uint32_t group, enum dup_cut cut,
                               int64_t copies)
{
    int64_t ignored[2];
    for (size_t i = 0; i < x->ops.n; i++) {
        const struct ir_type *t = &x->ops.at[i]->out->type;
        if (x->group_of.at[i] == group && !dup_find_cut(cut, copies, t->dim[0], t->dim[1], ignored))
            return false;
    }
    return true;
}

/* The numbers of copies that all users of a group can be cut into and that can fit. */
static struct dup_item make_item(const struct gathered *x, uint32_t group, int64_t pes,
                                 const struct pass_ctx *ctx)
{
    const struct group *g = &x->groups.at[group];
    enum dup_cut cut = ctx->dup->cut;
    int64_t most = min_i64(g->most_copies, 1 + (pes - x->pe_min) / g->pes);
    most = min_i64(most, DUP_MAX_COUNTS + 1); /* dup_solve refuses that many */
    int64_t *counts = ARENA_ARRAY(ctx->scratch, int64_t, (size_t)most);
    size_t n = 0;
    for (int64_t copies = 1; copies <= most; copies++) {
        if (cut != CUT_2D || every_user_has_cut(x, group, cut, copies))
            counts[n++] = copies;
    }
    return (struct dup_item){.cycles = g->cycles, .pes = g->pes, .n_counts = n, .counts = counts};
}

static struct dup_problem make_problem(const struct gathered *x, int64_t pes,
                                       const struct pass_ctx *ctx)
{
    size_t n = x->groups.n;
    struct dup_item *items = ARENA_ARRAY(ctx->scratch, struct dup_item, n);
    int64_t spend = ctx->dup->objective == DUP_NONE ? x->pe_min : pes;
    for (uint32_t i = 0; i < n; i++)
        items[i] = make_item(x, i, spend, ctx);
    return (struct dup_problem){.items = items, .n_items = n, .pes = pes};
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

static void apply(const struct gathered *x, const int64_t *copies, enum dup_cut cut)
{
    for (size_t i = 0; i < x->ops.n; i++)
        set_copies(x->ops.at[i], copies[x->group_of.at[i]], cut);
}

/* ---- objective makespan ---- */

struct trial {
    const struct gathered *x;
    struct ir_graph *g;
    const struct pass_ctx *ctx;
};

static bool schedule_with(void *self, const int64_t *copies, uint64_t *out_cycles)
{
    struct trial *t = self;
    const struct dup_schedule *s = t->ctx->schedule;
    apply(t->x, copies, t->ctx->dup->cut);
    return s->makespan(s->self, t->g, out_cycles);
}

/* The layer whose largest copy works longest. */
static void find_bottleneck(const struct gathered *x, const struct pass_ctx *ctx,
                            struct dup_result *out)
{
    for (size_t i = 0; i < x->ops.n; i++) {
        const struct ir_op *op = x->ops.at[i];
        const struct ir_attrs_mvm *a = &op->attrs->mvm;
        int64_t pixels = ceil_div_i64(op->out->type.dim[0], a->cut[0]) *
                         ceil_div_i64(op->out->type.dim[1], a->cut[1]);
        struct cost cost = arch_cost(
            ctx->arch, &(struct cost_work){.kind = COST_MVM, .products = (uint64_t)pixels});
        uint64_t cycles = cost_occupancy_cycles(&cost);
        if (cycles > out->bottleneck_cycles) {
            out->bottleneck_cycles = cycles;
            out->bottleneck = op->name;
        }
    }
}

/* From the copies with the least sum to those with the least makespan. */
static bool choose_makespan(const struct gathered *x, const struct dup_problem *p,
                            struct pass_ctx *ctx, struct ir_graph *g, int64_t *copies,
                            struct dup_result *out)
{
    if (!ctx->schedule)
        return diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
                          "duplication for the makespan needs a schedule; use sum or none here");
    ir_number(g);
    uint32_t *item_of = ARENA_ARRAY(ctx->scratch, uint32_t, g->n_ops);
    for (size_t i = 0; i < x->ops.n; i++)
        item_of[x->ops.at[i]->id] = x->group_of.at[i];
    struct trial trial = {x, g, ctx};
    struct dup_real real = {.schedule = ctx->schedule,
                            .cut = ctx->dup->cut,
                            .cycles_per_product = (uint64_t)ctx->arch->mvm_cycles,
                            .lp_file = ctx->dup->lp_file,
                            .progress = ctx->progress,
                            .makespan = schedule_with,
                            .self = &trial};
    uint64_t cycles;
    if (!dup_solve_makespan(p, g, item_of, &real, ctx->diag, copies, &cycles, out))
        return false;
    out->value = (double)cycles;
    bool proved = p->n_items == 0 || (out->has_bound && out->lower_bound_cycles == cycles);
    out->status = proved ? "optimal" : "feasible";
    return true;
}

/* What the user fixed: nothing is solved. */
static bool take_fixed(const struct gathered *x, const struct dup_problem *p,
                       const struct pass_ctx *ctx, int64_t *copies, struct dup_result *out)
{
    struct dup_users users = {
        .ops = x->ops.at, .item_of = x->group_of.at, .n_ops = x->ops.n, .n_items = p->n_items};
    if (!dup_take_fixed(&users, p->pes, ctx, copies))
        return false;
    out->objective = "given";
    out->status = "none";
    out->value = dup_objective(p, copies);
    return true;
}

static bool choose(const struct gathered *x, const struct dup_problem *p, struct pass_ctx *ctx,
                   struct ir_graph *g, int64_t *copies, struct dup_result *out)
{
    for (size_t i = 0; i < p->n_items; i++)
        copies[i] = 1;
    if (ctx->dup->n_fixed)
        return take_fixed(x, p, ctx, copies, out);
    enum dup_objective objective = ctx->dup->objective;
    if (objective != DUP_NONE &&
        !dup_solve(p, objective == DUP_SUM ? ctx->dup->lp_file : NULL, ctx->diag, copies))
        return false;
    out->objective = objective == DUP_NONE ? "none" : "sum";
    out->status = objective == DUP_NONE ? "none" : "optimal";
    out->value = dup_objective(p, copies);
    if (objective != DUP_MAKESPAN)
        return true;
    out->objective = "makespan";
    return choose_makespan(x, p, ctx, g, copies, out);
}

/* The attributes as they were: trials change them. */
static bool differ_from(const struct gathered *x, const int64_t *before)
{
    for (size_t i = 0; i < x->ops.n; i++) {
        const struct ir_attrs_mvm *a = &x->ops.at[i]->attrs->mvm;
        if (a->copies != before[3 * i] || a->cut[0] != before[3 * i + 1] ||
            a->cut[1] != before[3 * i + 2])
            return true;
    }
    return false;
}

static enum pass_result duplicate(struct gathered *x, struct pass_ctx *ctx, struct ir_graph *g)
{
    int64_t pes, *copies = ARENA_ARRAY(ctx->scratch, int64_t, x->groups.n);
    int64_t *before = ARENA_ARRAY(ctx->scratch, int64_t, 3 * x->ops.n);
    struct dup_result result = {.pe_min = x->pe_min};
    for (size_t i = 0; i < x->ops.n; i++) {
        const struct ir_attrs_mvm *a = &x->ops.at[i]->attrs->mvm;
        memcpy(before + 3 * i, (int64_t[3]){a->copies, a->cut[0], a->cut[1]}, 3 * sizeof *before);
    }
    if (!find_pes(ctx, x->pe_min, &pes))
        return PASS_FAILED;
    struct dup_problem problem = make_problem(x, pes, ctx);
    if (!choose(x, &problem, ctx, g, copies, &result))
        return PASS_FAILED;
    apply(x, copies, ctx->dup->cut);
    for (size_t i = 0; i < x->groups.n; i++) {
        ctx->stats[0] += copies[i] > 1;
        ctx->stats[1] += (uint64_t)(copies[i] - 1);
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
    struct gathered x = {0};
    enum pass_result result = gather(&x, g, ctx) ? duplicate(&x, ctx, g) : PASS_FAILED;
    free_gathered(&x);
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
