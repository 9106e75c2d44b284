/*
 * dup_fixed.c - copies that the user chose, layer by layer; the other layers get one.
 *
 * In: the base layers, the choices. Out: copies of every item, or an error that names the choice.
 * Invariant: what is accepted has a cut for every user of the weights and fits the PEs.
 */
#include "dup_items.h"

#include "map.h"

#include <stdlib.h>
#include <string.h>

static struct loc nowhere(void)
{
    return (struct loc){0};
}

/* Of equal names the first layer's counts. */
static struct map index_names(const struct dup_items *x)
{
    struct map by_name = {0};
    for (uint32_t i = 0; i < x->ops.n; i++)
        (void)map_intern(&by_name, x->ops.at[i]->name, strlen(x->ops.at[i]->name), i);
    return by_name;
}

/* By name; else a number counts the base layers from 0. MAP_NONE if there is none. */
static uint32_t find_layer(const struct dup_items *x, const struct map *by_name, const char *layer)
{
    uint32_t at = map_find(by_name, layer, strlen(layer));
    char *end;
    unsigned long long index = strtoull(layer, &end, 10);
    if (at == MAP_NONE && *layer >= '0' && *layer <= '9' && !*end && index < x->ops.n)
        at = (uint32_t)index;
    return at;
}

/* Every user of the weights is cut into that many parts. */
static bool check_cuts(const struct dup_items *x, uint32_t item, int64_t copies,
                       const struct pass_ctx *ctx)
{
    for (uint32_t i = x->items.at[item].first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        const struct ir_type *t = &x->ops.at[i]->out->type;
        int64_t ignored[2];
        if (!dup_find_cut(ctx->dup->cut, copies, t->dim[0], t->dim[1], ignored))
            return diag_error(ctx->diag, x->ops.at[i]->loc, DIAG_DUPLICATION,
                              "%lld copies of '%s': its %lld x %lld output has no such cut (at "
                              "most %lld; with --cut 2d, factors that fit both sides)",
                              (long long)copies, x->ops.at[i]->name, (long long)t->dim[0],
                              (long long)t->dim[1],
                              (long long)dup_most_copies(ctx->dup->cut, t->dim[0], t->dim[1]));
    }
    return true;
}

static bool take(const struct dup_items *x, const struct map *by_name, const struct dup_fixed *f,
                 const struct pass_ctx *ctx, int64_t *copies)
{
    uint32_t at = find_layer(x, by_name, f->layer);
    if (at == MAP_NONE)
        return diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
                          "copies: there is no base layer '%s' (a name, or a number from 0 to %zu)",
                          f->layer, x->ops.n ? x->ops.n - 1 : 0);
    uint32_t item = x->item_of.at[at];
    if (f->copies < 1)
        return diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
                          "copies: '%s' needs at least one, not %lld", f->layer,
                          (long long)f->copies);
    if (copies[item] && copies[item] != f->copies)
        return diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
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
        if (!mul_i64(x->items.at[i].pes, copies[i], &pes) || !add_i64(total, pes, &total))
            return INT64_MAX;
    return total;
}

static bool take_all(const struct dup_items *x, const struct pass_ctx *ctx, int64_t *copies)
{
    struct map by_name = index_names(x);
    bool ok = true;
    memset(copies, 0, x->items.n * sizeof *copies);
    for (size_t i = 0; ok && i < ctx->dup->n_fixed; i++)
        ok = take(x, &by_name, &ctx->dup->fixed[i], ctx, copies);
    map_free(&by_name);
    for (size_t i = 0; i < x->items.n; i++)
        copies[i] = max_i64(copies[i], 1);
    return ok;
}

bool dup_take_fixed(const struct dup_items *x, int64_t pes, const struct pass_ctx *ctx,
                    int64_t *copies)
{
    if (!take_all(x, ctx, copies))
        return false;
    int64_t needed = count_pes(x, copies);
    return needed <= pes ||
           diag_error(ctx->diag, nowhere(), DIAG_CAPACITY,
                      "the copies asked for need %lld PEs, the machine has %lld: raise %s",
                      (long long)needed, (long long)pes,
                      ctx->dup->pes >= 0         ? "--pes"
                      : ctx->dup->extra_pes >= 0 ? "--extra-pes"
                                                 : "--pes or --extra-pes, or the machine's tiles");
}
