/*
 * dup_pass.c - how many copies of its weights each base layer gets.
 *
 * In: a CROSSBAR graph with slices (pass tile). Out: `copies` and `cut` of every mvm, and a
 * dup_result. Invariant: users of one `weights` object have the same number of copies, and its PEs
 * count once.
 */
#include "dup.h"

#include <stdlib.h>

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
}

static uint32_t find_group(struct gathered *x, int64_t weights)
{
    for (uint32_t i = 0; weights > 0 && i < x->groups.n; i++) {
        if (x->groups.at[i].weights == weights)
            return i;
    }
    VEC_PUSH(&x->groups, ((struct group){.weights = weights, .most_copies = INT64_MAX}));
    return (uint32_t)x->groups.n - 1;
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
        ctx->arch, &(struct cost_work){.kind = COST_MVM, .pixels = (uint64_t)(rows * columns)});
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

static bool choose(const struct gathered *x, int64_t pes, const struct pass_ctx *ctx,
                   int64_t *copies, double *out_value)
{
    size_t n = x->groups.n;
    bool solve = ctx->dup->objective == DUP_SUM && ctx->dup->n_fixed == 0;
    struct dup_item *items = ARENA_ARRAY(ctx->scratch, struct dup_item, n);
    for (uint32_t i = 0; i < n; i++) {
        items[i] = make_item(x, i, solve ? pes : x->pe_min, ctx);
        copies[i] = 1;
    }
    struct dup_problem problem = {.items = items, .n_items = n, .pes = pes};
    struct dup_users users = {
        .ops = x->ops.at, .item_of = x->group_of.at, .n_ops = x->ops.n, .n_items = n};
    bool ok = ctx->dup->n_fixed
                  ? dup_take_fixed(&users, pes, ctx, copies)
                  : !solve || dup_solve(&problem, ctx->dup->lp_file, ctx->diag, copies);
    *out_value = dup_objective(&problem, copies);
    return ok;
}

static bool set_copies(struct ir_op *op, int64_t copies, enum dup_cut cut)
{
    struct ir_attrs_mvm *a = &op->attrs->mvm;
    int64_t parts[2];
    if (!dup_find_cut(cut, copies, op->out->type.dim[0], op->out->type.dim[1], parts))
        BUG("%lld copies of '%s' have no cut", (long long)copies, op->name);
    bool same = a->copies == copies && a->cut[0] == parts[0] && a->cut[1] == parts[1];
    a->copies = copies;
    a->cut[0] = parts[0];
    a->cut[1] = parts[1];
    return !same;
}

static enum pass_result duplicate(struct gathered *x, struct pass_ctx *ctx)
{
    int64_t pes, *copies = ARENA_ARRAY(ctx->scratch, int64_t, x->groups.n);
    double value;
    if (!find_pes(ctx, x->pe_min, &pes) || !choose(x, pes, ctx, copies, &value))
        return PASS_FAILED;
    bool changed = false;
    for (size_t i = 0; i < x->ops.n; i++)
        changed |= set_copies(x->ops.at[i], copies[x->group_of.at[i]], ctx->dup->cut);
    for (size_t i = 0; i < x->groups.n; i++) {
        ctx->stats[0] += copies[i] > 1;
        ctx->stats[1] += (uint64_t)(copies[i] - 1);
    }
    bool fixed = ctx->dup->n_fixed > 0, solved = !fixed && ctx->dup->objective == DUP_SUM;
    if (ctx->dup_result)
        *ctx->dup_result = (struct dup_result){.objective = fixed    ? "given"
                                                            : solved ? "sum"
                                                                     : "none",
                                               .status = solved ? "optimal" : "none",
                                               .value = value,
                                               .pe_min = x->pe_min,
                                               .pes = pes};
    return changed ? PASS_CHANGED : PASS_UNCHANGED;
}

static enum pass_result run_dup(struct pass_ctx *ctx, struct ir_graph *g)
{
    if (!ctx->arch)
        BUG("pass dup runs without a machine");
    if (ctx->dup->objective == DUP_MAKESPAN && ctx->dup->n_fixed == 0) {
        diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
                   "duplication for the makespan is not available yet; use sum or none");
        return PASS_FAILED;
    }
    struct gathered x = {0};
    enum pass_result result = gather(&x, g, ctx) ? duplicate(&x, ctx) : PASS_FAILED;
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
