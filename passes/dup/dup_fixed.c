/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_fixed.c - copies that the user chose, layer by layer; the other layers get one.
 *
 * In: the base layers, the choices. Out: copies of every item, or an error that names the choice.
 * Invariant: what is accepted has a cut for every user of the weights and fits the PEs.
 */
#include "dup_items.h"

#include "map.h"

#include <string.h>

/* Every user of the weights is cut into that many parts. */
static bool check_cuts(const struct dup_items *x, uint32_t item, int64_t copies,
                       const struct pass_ctx *ctx)
{
    for (uint32_t i = x->items.at[item].first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        const int64_t *dim = x->ops.at[i]->out->type.dim, *patch = x->items.at[item].options->patch;
        int64_t rows = ceil_div_i64(dim[0], patch[0]), columns = ceil_div_i64(dim[1], patch[1]);
        int64_t ignored[2];
        if (!dup_find_cut(ctx->dup->cut, copies, rows, columns, ignored))
            return diag_error(ctx->diag, x->ops.at[i]->loc, DIAG_DUPLICATION,
                              "%lld copies of '%s': its %lld x %lld %s no such cut (at "
                              "most %lld; with --cut 2d, factors that fit both sides)",
                              (long long)copies, x->ops.at[i]->name, (long long)rows,
                              (long long)columns,
                              patch[0] * patch[1] > 1 ? "patches have" : "output has",
                              (long long)dup_most_copies(ctx->dup->cut, rows, columns));
    }
    return true;
}

static bool take(const struct dup_items *x, const struct map *by_name, const struct dup_fixed *f,
                 const struct pass_ctx *ctx, int64_t *copies)
{
    uint32_t at = dup_find_layer(x, by_name, f->layer, "copies", ctx->diag);
    if (at == DUP_NO_USER)
        return false;
    uint32_t item = x->item_of.at[at];
    if (f->copies < 1)
        return diag_error(ctx->diag, (struct loc){0}, DIAG_DUPLICATION,
                          "copies: '%s' needs at least one, not %lld", f->layer,
                          (long long)f->copies);
    if (copies[item] && copies[item] != f->copies)
        return diag_error(ctx->diag, (struct loc){0}, DIAG_DUPLICATION,
                          "copies: '%s', or a layer with the same weights, is given %lld and %lld",
                          f->layer, (long long)copies[item], (long long)f->copies);
    if (copies[item])
        return true;
    copies[item] = f->copies;
    return check_cuts(x, item, f->copies, ctx);
}

/* PEs of all copies; INT64_MAX where they are more. */
static int64_t count_pes(const struct dup_items *x, const int64_t *copies)
{
    int64_t total = 0, pes;
    for (size_t i = 0; i < x->items.n; i++)
        if (!mul_i64(x->items.at[i].options->pes, copies[i], &pes) || !add_i64(total, pes, &total))
            return INT64_MAX;
    return total;
}

static bool take_all(const struct dup_items *x, const struct pass_ctx *ctx, int64_t *copies)
{
    struct map by_name = dup_index_names(x);
    bool ok = true;
    memset(copies, 0, x->items.n * sizeof *copies);
    for (size_t i = 0; ok && i < ctx->dup->n_fixed; i++)
        ok = take(x, &by_name, &ctx->dup->fixed[i], ctx, copies);
    map_free(&by_name);
    for (size_t i = 0; i < x->items.n; i++)
        copies[i] = max_i64(copies[i], 1);
    return ok;
}

static bool check_pes(const struct dup_items *x, int64_t pes, const struct pass_ctx *ctx,
                      const int64_t *copies)
{
    int64_t needed = count_pes(x, copies);
    return needed <= pes ||
           diag_error(ctx->diag, (struct loc){0}, DIAG_CAPACITY,
                      "the copies asked for need %lld PEs, the machine has %lld: raise %s",
                      (long long)needed, (long long)pes,
                      ctx->dup->pes >= 0         ? "--pes"
                      : ctx->dup->extra_pes >= 0 ? "--extra-pes"
                                                 : "--pes or --extra-pes, or the machine's tiles");
}

bool dup_take_fixed(const struct dup_items *x, int64_t pes, const struct pass_ctx *ctx,
                    struct dup_problem *out)
{
    struct dup_item *items = ARENA_ARRAY(ctx->scratch, struct dup_item, x->items.n);
    struct dup_choice *only = ARENA_ARRAY(ctx->scratch, struct dup_choice, x->items.n);
    int64_t *copies = ARENA_ARRAY(ctx->scratch, int64_t, x->items.n);
    if (!take_all(x, ctx, copies) || !check_pes(x, pes, ctx, copies))
        return false;
    for (size_t i = 0; i < x->items.n; i++) {
        const struct dup_object *it = &x->items.at[i];
        if (!dup_make_choice(x, it, it->options, copies[i], ctx->dup->cut, &only[i]))
            BUG("copies of '%s' have no cut", x->ops.at[it->first_user]->name);
        items[i] = (struct dup_item){1, &only[i]};
    }
    *out = (struct dup_problem){.items = items, .n_items = x->items.n, .pes = pes};
    return true;
}
