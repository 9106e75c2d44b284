/*
 * dup_items.c - from a CROSSBAR graph to the items of the problem and the copies each can have.
 *
 * In: base layers with slices. Out: one item for every weights object. Linear in layers and counts.
 */
#include "dup_items.h"

#include "map.h"
#include "mvm_mapping.h"

void dup_items_free(struct dup_items *x)
{
    VEC_FREE(&x->ops);
    VEC_FREE(&x->item_of);
    VEC_FREE(&x->next_user);
    VEC_FREE(&x->items);
}

/* The item of the op that is pushed next; `weights` = 0 is an object of its own. */
static uint32_t find_item(struct dup_items *x, struct map *object_of, int64_t weights)
{
    uint32_t fresh = (uint32_t)x->items.n, user = (uint32_t)x->ops.n;
    uint32_t at = weights > 0 ? map_intern_u64(object_of, (uint64_t)weights, fresh) : fresh;
    if (at == fresh)
        VEC_PUSH(&x->items, ((struct dup_object){.most_copies = INT64_MAX, .first_user = user}));
    else
        x->next_user.at[x->items.at[at].last_user] = user;
    x->items.at[at].last_user = user;
    return at;
}

/* The user's crossbars must be those of the item's other users. */
static bool add_pes(struct dup_items *x, struct dup_object *it, const struct ir_op *op,
                    struct diag *d)
{
    const struct ir_attrs_mvm *a = &op->attrs->mvm;
    int64_t pes;
    if (a->slices[0] < 1 || a->slices[1] < 1)
        return diag_error(d, op->loc, DIAG_PASS, "mvm '%s' has no slices; run pass tile before dup",
                          op->name);
    if (!mul_i64(a->slices[0], a->slices[1], &pes) || (it->pes && it->pes != pes))
        return diag_error(d, op->loc, DIAG_LOWER,
                          "mvm '%s' needs %lld x %lld crossbars, other users of weights %lld %lld",
                          op->name, (long long)a->slices[0], (long long)a->slices[1],
                          (long long)a->weights, (long long)it->pes);
    if (!it->pes && !add_i64(x->pe_min, pes, &x->pe_min))
        return diag_error(d, op->loc, DIAG_CAPACITY, "the network needs more than 2^63 crossbars");
    it->pes = pes;
    return true;
}

uint64_t dup_cycles(const struct ir_op *mvm, const struct arch *arch, int64_t rows, int64_t columns)
{
    int64_t cols = arch_logical_cols(arch, mvm->attrs->mvm.weight_bits);
    struct ir_mapping m = ir_mapping_of(mvm, arch_logical_rows(arch), cols);
    int64_t read =
        ir_mapping_most_columns(&m) * arch_weight_columns(arch, mvm->attrs->mvm.weight_bits);
    struct cost_work work = {.kind = COST_MVM,
                             .products = (uint64_t)ir_mapping_products(&m, rows, columns),
                             .x_bits = (uint32_t)mvm->attrs->mvm.x_bits,
                             .columns = (uint64_t)read};
    struct cost cost = arch_cost(arch, &work);
    return cost_occupancy_cycles(&cost);
}

static bool add_op(struct dup_items *x, struct map *object_of, struct ir_op *op,
                   const struct pass_ctx *ctx)
{
    int64_t rows = op->out->type.dim[0], columns = op->out->type.dim[1];
    uint64_t cycles = dup_cycles(op, ctx->arch, rows, columns);
    uint32_t at = find_item(x, object_of, op->attrs->mvm.weights);
    struct dup_object *it = &x->items.at[at];
    VEC_PUSH(&x->ops, op);
    VEC_PUSH(&x->item_of, at);
    VEC_PUSH(&x->next_user, DUP_NO_USER);
    it->most_copies = min_i64(it->most_copies, dup_most_copies(ctx->dup->cut, rows, columns));
    if (!add_pes(x, it, op, ctx->diag))
        return false;
    return (cycles <= INT64_MAX && add_i64(it->cycles, (int64_t)cycles, &it->cycles)) ||
           diag_error(ctx->diag, op->loc, DIAG_DUPLICATION, "mvm '%s' takes more than 2^63 cycles",
                      op->name);
}

bool dup_gather(struct dup_items *x, const struct ir_graph *g, const struct pass_ctx *ctx)
{
    struct map object_of = {0};
    bool ok = true;
    for (struct ir_op *op = g->first; op && ok; op = op->next) {
        if (op->opcode == IR_mvm)
            ok = add_op(x, &object_of, op, ctx);
    }
    map_free(&object_of);
    return ok;
}

static bool every_user_has_cut(const struct dup_items *x, const struct dup_object *it,
                               enum dup_cut cut, int64_t copies)
{
    int64_t ignored[2];
    for (uint32_t i = it->first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        const struct ir_type *t = &x->ops.at[i]->out->type;
        if (!dup_find_cut(cut, copies, t->dim[0], t->dim[1], ignored))
            return false;
    }
    return true;
}

/* The numbers of copies that all users can be cut into and that can fit. */
static struct dup_item make_item(const struct dup_items *x, const struct dup_object *it,
                                 int64_t pes, const struct pass_ctx *ctx)
{
    enum dup_cut cut = ctx->dup->cut;
    int64_t most = min_i64(it->most_copies, 1 + (pes - x->pe_min) / it->pes);
    most = min_i64(most, DUP_MAX_COUNTS + 1); /* dup_solve refuses that many */
    int64_t *counts = ARENA_ARRAY(ctx->scratch, int64_t, (size_t)most);
    size_t n = 0;
    for (int64_t copies = 1; copies <= most; copies++) {
        if (cut != CUT_2D || every_user_has_cut(x, it, cut, copies))
            counts[n++] = copies;
    }
    return (struct dup_item){.cycles = it->cycles, .pes = it->pes, .n_counts = n, .counts = counts};
}

struct dup_problem dup_make_problem(const struct dup_items *x, int64_t pes, int64_t spend,
                                    const struct pass_ctx *ctx)
{
    struct dup_item *items = ARENA_ARRAY(ctx->scratch, struct dup_item, x->items.n);
    for (size_t i = 0; i < x->items.n; i++)
        items[i] = make_item(x, &x->items.at[i], spend, ctx);
    return (struct dup_problem){.items = items, .n_items = x->items.n, .pes = pes};
}

/* Copy (0, 0) has the largest part of every user's output (ir_cut_start rounds up). */
static int64_t find_load(const struct dup_items *x, const struct dup_object *it, int64_t copies,
                         const struct pass_ctx *ctx)
{
    int64_t load = 0, cut[2];
    for (uint32_t i = it->first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        const struct ir_op *op = x->ops.at[i];
        const int64_t *dim = op->out->type.dim;
        if (!dup_find_cut(ctx->dup->cut, copies, dim[0], dim[1], cut))
            BUG("%lld copies of '%s' have no cut", (long long)copies, op->name);
        load += (int64_t)dup_cycles(op, ctx->arch, ceil_div_i64(dim[0], cut[0]),
                                    ceil_div_i64(dim[1], cut[1]));
    }
    return load;
}

const int64_t *const *dup_find_loads(const struct dup_items *x, const struct dup_problem *p,
                                     const struct pass_ctx *ctx)
{
    const int64_t **loads = ARENA_ARRAY(ctx->scratch, const int64_t *, p->n_items);
    for (size_t i = 0; i < p->n_items; i++) {
        int64_t *load = ARENA_ARRAY(ctx->scratch, int64_t, p->items[i].n_counts);
        for (size_t k = 0; k < p->items[i].n_counts; k++)
            load[k] = find_load(x, &x->items.at[i], p->items[i].counts[k], ctx);
        loads[i] = load;
    }
    return (const int64_t *const *)loads;
}
