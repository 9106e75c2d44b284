/*
 * dup_fixed.c - copies that the user chose, layer by layer; the other layers get one.
 *
 * In: the base layers, the choices. Out: copies of every item, or an error that names the choice.
 * Invariant: what is accepted has a cut for every user of the weights and fits the PEs.
 */
#include "dup.h"

#include <stdlib.h>
#include <string.h>

static struct loc nowhere(void)
{
    return (struct loc){0};
}

/* By name; else a number counts the base layers from 0. n_ops if there is none. */
static size_t find_layer(const struct dup_users *u, const char *layer)
{
    for (size_t i = 0; i < u->n_ops; i++) {
        if (strcmp(u->ops[i]->name, layer) == 0)
            return i;
    }
    char *end;
    unsigned long long index = strtoull(layer, &end, 10);
    bool is_number = *layer >= '0' && *layer <= '9' && !*end;
    return is_number && index < u->n_ops ? (size_t)index : u->n_ops;
}

/* Every user of the weights is cut into that many parts. */
static bool check_cuts(const struct dup_users *u, const struct dup_fixed *f, uint32_t item,
                       const struct pass_ctx *ctx)
{
    for (size_t i = 0; i < u->n_ops; i++) {
        const struct ir_type *t = &u->ops[i]->out->type;
        int64_t ignored[2];
        if (u->item_of[i] == item &&
            !dup_find_cut(ctx->dup->cut, f->copies, t->dim[0], t->dim[1], ignored))
            return diag_error(ctx->diag, u->ops[i]->loc, DIAG_DUPLICATION,
                              "%lld copies of '%s': its %lld x %lld output has no such cut (at "
                              "most %lld; with --cut 2d, factors that fit both sides)",
                              (long long)f->copies, u->ops[i]->name, (long long)t->dim[0],
                              (long long)t->dim[1],
                              (long long)dup_most_copies(ctx->dup->cut, t->dim[0], t->dim[1]));
    }
    return true;
}

static bool take(const struct dup_users *u, const struct dup_fixed *f, const struct pass_ctx *ctx,
                 int64_t *copies)
{
    size_t at = find_layer(u, f->layer);
    if (at == u->n_ops)
        return diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
                          "copies: there is no base layer '%s' (a name, or a number from 0 to %zu)",
                          f->layer, u->n_ops ? u->n_ops - 1 : 0);
    uint32_t item = u->item_of[at];
    if (f->copies < 1)
        return diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
                          "copies: '%s' needs at least one, not %lld", f->layer,
                          (long long)f->copies);
    if (copies[item] && copies[item] != f->copies)
        return diag_error(ctx->diag, nowhere(), DIAG_DUPLICATION,
                          "copies: '%s', or a layer with the same weights, is given %lld and %lld",
                          f->layer, (long long)copies[item], (long long)f->copies);
    copies[item] = f->copies;
    return check_cuts(u, f, item, ctx);
}

/* PEs of all copies; INT64_MAX where they are more. The users of an item share its crossbars. */
static int64_t count_pes(const struct dup_users *u, const int64_t *copies, struct arena *scratch)
{
    bool *counted = ARENA_ARRAY(scratch, bool, u->n_items);
    int64_t total = 0;
    for (size_t i = 0; i < u->n_ops; i++) {
        const int64_t *slices = u->ops[i]->attrs->mvm.slices;
        uint32_t item = u->item_of[i];
        int64_t pes;
        if (counted[item])
            continue;
        counted[item] = true;
        if (!mul_i64(slices[0], slices[1], &pes) || !mul_i64(pes, copies[item], &pes) ||
            !add_i64(total, pes, &total))
            return INT64_MAX;
    }
    return total;
}

bool dup_take_fixed(const struct dup_users *u, int64_t pes, const struct pass_ctx *ctx,
                    int64_t *copies)
{
    memset(copies, 0, u->n_items * sizeof *copies);
    for (size_t i = 0; i < ctx->dup->n_fixed; i++) {
        if (!take(u, &ctx->dup->fixed[i], ctx, copies))
            return false;
    }
    for (size_t i = 0; i < u->n_items; i++)
        copies[i] = max_i64(copies[i], 1);
    int64_t needed = count_pes(u, copies, ctx->scratch);
    if (needed > pes)
        return diag_error(ctx->diag, nowhere(), DIAG_CAPACITY,
                          "the copies asked for need %lld PEs, the machine has %lld; enlarge %s",
                          (long long)needed, (long long)pes,
                          ctx->dup->pes < 0 ? "--extra-pes" : "--pes");
    return true;
}
