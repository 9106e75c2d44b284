/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_options.c - the patches that a base layer's products can yield.
 *
 * In: weights objects, the PEs of the machine, what the user fixed. Out: options of each object,
 * the preferred ones first. Along an axis only patches that are the smallest of those with as few
 * products come into question; of all that could fit, the smallest by area are looked at, a bounded
 * number. That a patch does not fit is mostly seen from its columns alone, without its rows.
 */
#include "dup_items.h"

#include "map.h"
#include "mvm_mapping.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_PATCHES = 400 };
/* Images hold windows whole, also what is in no crossbar because no pixel of a block reads it: at
 * most so many times the cells of the PEs. */
static const int64_t MOST_IMAGE = 2;

/* ---- one option ---- */

static struct ir_mapping mapping_with(const struct ir_op *mvm, const struct arch *arch,
                                      const int64_t patch[2])
{
    return ir_mapping_with(mvm, arch_logical_rows(arch),
                           arch_logical_cols(arch, mvm->attrs->mvm.weight_bits), patch);
}

/* Cycles of one product. */
static uint64_t product_cycles(const struct ir_op *mvm, const struct ir_mapping *m,
                               const struct arch *arch)
{
    int64_t columns =
        ir_mapping_most_columns(m) * arch_weight_columns(arch, mvm->attrs->mvm.weight_bits);
    struct cost cost =
        arch_cost(arch, &(struct cost_work){.kind = COST_MVM,
                                            .products = 1,
                                            .x_bits = (uint32_t)mvm->attrs->mvm.x_bits,
                                            .columns = (uint64_t)columns});
    return cost_occupancy_cycles(&cost);
}

/* Cycles and copies of all users. False: more cycles than can be counted. */
static bool add_users(const struct dup_items *x, const struct dup_object *it,
                      const struct pass_ctx *ctx, struct dup_option *o)
{
    int64_t products = 0;
    o->most_copies = INT64_MAX;
    for (uint32_t i = it->first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        const struct ir_op *op = x->ops.at[i];
        int64_t rows = ceil_div_i64(op->out->type.dim[0], o->patch[0]), n;
        int64_t columns = ceil_div_i64(op->out->type.dim[1], o->patch[1]);
        o->most_copies = min_i64(o->most_copies, dup_most_copies(ctx->dup->cut, rows, columns));
        if (!mul_i64(rows, columns, &n) || !add_i64(products, n, &products) ||
            !mul_i64(products, o->product, &o->cycles))
            return diag_error(ctx->diag, op->loc, DIAG_DUPLICATION,
                              "mvm '%s' takes more than 2^63 cycles", op->name);
    }
    return true;
}

static bool make_option(const struct dup_items *x, const struct dup_object *it,
                        const int64_t patch[2], const struct pass_ctx *ctx, struct dup_option *out)
{
    const struct ir_op *mvm = x->ops.at[it->first_user];
    bool single = patch[0] == 1 && patch[1] == 1;
    struct ir_mapping m = mapping_with(mvm, ctx->arch, patch);
    uint64_t product = product_cycles(mvm, &m, ctx->arch);
    *out = (struct dup_option){
        .patch = {patch[0], patch[1]},
        .slices = {single ? it->slices[0] : m.n_slices, single ? it->slices[1] : m.n_blocks},
        .pes = single ? it->pes : ir_mapping_pes(&m),
        .product = product < INT64_MAX ? (int64_t)product : INT64_MAX};
    return add_users(x, it, ctx, out);
}

/* ---- which patches ---- */

/* Do all users read the same window, so that they can share its image? */
static bool agree(const struct dup_items *x, const struct dup_object *it)
{
    const struct ir_attrs_mvm *a = &x->ops.at[it->first_user]->attrs->mvm;
    for (uint32_t i = it->first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        const struct ir_attrs_mvm *b = &x->ops.at[i]->attrs->mvm;
        if (memcmp(a->kernel, b->kernel, sizeof a->kernel) != 0 ||
            memcmp(a->stride, b->stride, sizeof a->stride) != 0 ||
            memcmp(a->dilation, b->dilation, sizeof a->dilation) != 0)
            return false;
    }
    return true;
}

/* Can all users' products yield the patch? */
static bool is_possible(const struct dup_items *x, const struct dup_object *it,
                        const int64_t patch[2], const struct arch *arch)
{
    const struct ir_op *first = x->ops.at[it->first_user];
    int64_t ignored[2], bits = first->attrs->mvm.weight_bits;
    if (patch[0] == 1 && patch[1] == 1)
        return true;
    for (uint32_t i = it->first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        const int64_t *dim = x->ops.at[i]->out->type.dim;
        if (patch[0] > dim[0] || patch[1] > dim[1])
            return false;
    }
    return agree(x, it) && ir_mapping_matrix(first, patch, ignored) &&
           ir_mapping_has_zero(first, bits ? bits : arch->weight_bits);
}

/* Smallest extent above `patch` that takes some user fewer products along the axis; 0: none. */
static int64_t next_extent(const struct dup_items *x, const struct dup_object *it, int axis,
                           int64_t patch)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = it->first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        int64_t extent = x->ops.at[i]->out->type.dim[axis];
        int64_t products = ceil_div_i64(extent, patch);
        next = min_i64(next, products > 1 ? ceil_div_i64(extent, products - 1) : INT64_MAX);
    }
    return next == INT64_MAX ? 0 : next;
}

struct candidate {
    int64_t patch[2];
};
typedef VEC(struct candidate) candidates;

static int by_preference(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;
    struct dup_choice one = {.patch = {a->patch[0], a->patch[1]}};
    struct dup_choice other = {.patch = {b->patch[0], b->patch[1]}};
    return dup_prefer(&one, &other);
}

/* No fewer PEs hold that many columns of the rows that a pixel reads. */
static bool may_fit(const struct ir_mapping *single, int64_t area, int64_t most_pes)
{
    int64_t columns;
    return mul_i64(area, single->n, &columns) &&
           ceil_div_i64(columns, single->cols) <= most_pes / ceil_div_i64(single->k, single->rows);
}

static void list_patches(const struct dup_items *x, const struct dup_object *it, int64_t most_pes,
                         const struct arch *arch, candidates *out)
{
    const int64_t pixel[2] = {1, 1};
    struct ir_mapping single = mapping_with(x->ops.at[it->first_user], arch, pixel);
    int64_t patch[2];
    for (patch[0] = 1; patch[0]; patch[0] = next_extent(x, it, 0, patch[0])) {
        for (patch[1] = 1; patch[1]; patch[1] = next_extent(x, it, 1, patch[1])) {
            if (!may_fit(&single, patch[0] * patch[1], most_pes))
                break;
            if (is_possible(x, it, patch, arch))
                VEC_PUSH(out, ((struct candidate){{patch[0], patch[1]}}));
        }
        if (!may_fit(&single, patch[0], most_pes))
            break;
    }
    qsort(out->at, out->n, sizeof *out->at, by_preference);
}

/* Is most of the image in no crossbar? */
static bool is_wasteful(const struct dup_items *x, const struct dup_object *it,
                        const struct dup_option *o, const struct arch *arch)
{
    if (o->patch[0] == 1 && o->patch[1] == 1)
        return false;
    struct ir_mapping m = mapping_with(x->ops.at[it->first_user], arch, o->patch);
    return m.k * m.n / MOST_IMAGE / m.rows / m.cols >= o->pes;
}

static bool find_all(const struct dup_items *x, struct dup_object *it, int64_t most_pes,
                     const struct pass_ctx *ctx)
{
    candidates list = {0};
    list_patches(x, it, most_pes, ctx->arch, &list);
    size_t most = list.n < MOST_PATCHES ? list.n : MOST_PATCHES, n = 0;
    struct dup_option *options = ARENA_ARRAY(ctx->scratch, struct dup_option, most);
    bool ok = true;
    for (size_t i = 0; i < most && ok; i++) {
        ok = make_option(x, it, list.at[i].patch, ctx, &options[n]);
        n += options[n].pes <= most_pes && !is_wasteful(x, it, &options[n], ctx->arch);
    }
    VEC_FREE(&list);
    it->options = options;
    it->n_options = n;
    return ok;
}

/* ---- what the user fixed ---- */

/* By item: the patch that the user gave, or NULL. False: DUPLICATION. */
static bool take_patches(const struct dup_items *x, const struct pass_ctx *ctx,
                         const struct dup_patch **out)
{
    struct map by_name = dup_index_names(x);
    bool ok = true;
    for (size_t i = 0; ok && i < ctx->dup->n_patches; i++) {
        const struct dup_patch *p = &ctx->dup->patches[i];
        uint32_t at = dup_find_layer(x, &by_name, p->layer, "patch", ctx->diag);
        uint32_t item = at == DUP_NO_USER ? 0 : x->item_of.at[at];
        if (at == DUP_NO_USER)
            ok = false;
        else if (out[item] && memcmp(out[item]->patch, p->patch, sizeof p->patch) != 0)
            ok = diag_error(ctx->diag, (struct loc){0}, DIAG_DUPLICATION,
                            "patch: '%s', or a layer with the same weights, is given two of them",
                            p->layer);
        else if (p->patch[0] < 1 || p->patch[1] < 1 ||
                 !is_possible(x, &x->items.at[item], p->patch, ctx->arch))
            ok = diag_error(ctx->diag, x->ops.at[at]->loc, DIAG_DUPLICATION,
                            "patch: '%s' cannot have %lld x %lld: its output is %lld x %lld, its "
                            "weights must have a zero, layers that share them one window, and a "
                            "patch's matrix is limited",
                            p->layer, (long long)p->patch[0], (long long)p->patch[1],
                            (long long)x->ops.at[at]->out->type.dim[0],
                            (long long)x->ops.at[at]->out->type.dim[1]);
        else
            out[item] = p;
    }
    map_free(&by_name);
    return ok;
}

/* What was fixed may need more PEs than there are. */
static bool check_pes(const struct dup_items *x, int64_t pes, const struct pass_ctx *ctx)
{
    int64_t least = 0;
    for (size_t i = 0; i < x->items.n; i++)
        if (!add_i64(least, dup_least_pes(&x->items.at[i]), &least))
            least = INT64_MAX;
    return least <= pes ||
           diag_error(
               ctx->diag, (struct loc){0}, DIAG_CAPACITY,
               "with the patches asked for the network needs %lld PEs, the machine has %lld: "
               "raise --pes or --extra-pes, or the machine's tiles",
               (long long)least, (long long)pes);
}

int64_t dup_least_pes(const struct dup_object *it)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < it->n_options; i++)
        least = min_i64(least, it->options[i].pes);
    return least;
}

bool dup_find_options(struct dup_items *x, int64_t pes, const struct pass_ctx *ctx)
{
    const struct dup_patch **given =
        ARENA_ARRAY(ctx->scratch, const struct dup_patch *, x->items.n);
    bool choose = ctx->dup->windows && ctx->dup->n_fixed == 0;
    if (!take_patches(x, ctx, given))
        return false;
    for (size_t i = 0; i < x->items.n; i++) {
        struct dup_object *it = &x->items.at[i];
        struct dup_option *one = ARENA_NEW(ctx->scratch, struct dup_option);
        const int64_t pixel[2] = {1, 1};
        it->options = one;
        it->n_options = 1;
        if (!(choose && !given[i]
                  ? find_all(x, it, pes - (x->pe_min - it->pes), ctx)
                  : make_option(x, it, given[i] ? given[i]->patch : pixel, ctx, one)))
            return false;
    }
    return check_pes(x, pes, ctx);
}
