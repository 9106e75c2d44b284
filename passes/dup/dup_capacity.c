/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_capacity.c - how many PEs there are to spend, and what to say where the network does not fit.
 *
 * A machine with a fixed number of tiles is used whole unless --pes or --extra-pes says otherwise;
 * one that has as many tiles as needed gives each layer one copy. Where the network does not fit,
 * the answer names the layers that take most, and machines that would hold it.
 */
#include "dup_items.h"

#include "mvm_mapping.h"

#include <stdlib.h>

enum { N_LARGEST = 5 };

/* ---- the layers that take most ---- */

struct ranked {
    int64_t pes;
    uint32_t item;
};

static int by_pes(const void *x, const void *y)
{
    const struct ranked *a = x, *b = y;
    if (a->pes != b->pes)
        return a->pes > b->pes ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

static void note_largest(const struct dup_items *x, const struct pass_ctx *ctx)
{
    struct ranked *all = ARENA_ARRAY(ctx->scratch, struct ranked, x->items.n);
    struct text t = {0};
    for (uint32_t i = 0; i < x->items.n; i++)
        all[i] = (struct ranked){x->items.at[i].pes, i};
    qsort(all, x->items.n, sizeof *all, by_pes);
    for (size_t i = 0; i < x->items.n && i < N_LARGEST; i++)
        text_add(&t, "%s'%s' %lld", i ? ", " : "",
                 x->ops.at[x->items.at[all[i].item].first_user]->name, (long long)all[i].pes);
    if (x->items.n)
        diag_note(ctx->diag, (struct loc){0}, "largest layers, in PEs: %s%s", t.at,
                  x->items.n > N_LARGEST ? ", ..." : "");
    text_free(&t);
}

/* ---- machines that would fit ---- */

/* PEs of all items on crossbars of that size; INT64_MAX where they are more. */
static int64_t pe_min_on(const struct dup_items *x, const struct arch *arch)
{
    int64_t total = 0;
    for (size_t i = 0; i < x->items.n; i++) {
        const struct ir_op *mvm = x->ops.at[x->items.at[i].first_user];
        int64_t cols = arch_logical_cols(arch, mvm->attrs->mvm.weight_bits);
        struct ir_mapping m = ir_mapping_of(mvm, arch_logical_rows(arch), cols);
        int64_t pes;
        if (!mul_i64(m.n_slices, m.n_blocks, &pes) || !add_i64(total, pes, &total))
            return INT64_MAX;
    }
    return total;
}

static void add_way(struct text *t, const char *way)
{
    text_add(t, "%s%s", t->n ? "; " : "", way);
}

/* Sets a field, and says so; false where the field cannot be that large. */
static bool enlarge(struct arch *arch, const char *field, int64_t to, struct text *t)
{
    struct diag *ignored = diag_new();
    struct text assignment = {0};
    text_add(&assignment, "%s=%lld", field, (long long)to);
    bool ok = arch_set(arch, assignment.at, ignored);
    if (ok)
        text_add(t, "%s--arch-field %s", t->n ? " " : "", assignment.at);
    text_free(&assignment);
    diag_free(ignored);
    return ok;
}

static void add_field(const struct arch *arch, const char *field, int64_t to, struct text *ways)
{
    struct arch larger = *arch;
    struct text t = {0};
    if (enlarge(&larger, field, to, &t))
        add_way(ways, t.at);
    text_free(&t);
}

/* Crossbars of twice the side, four times ..., the first on which `pes` PEs are enough. */
static void add_crossbars(const struct dup_items *x, const struct arch *arch, int64_t pes,
                          struct text *ways)
{
    struct arch larger = *arch;
    int64_t needed = INT64_MAX;
    struct text t = {0};
    bool fits = false;
    while (!fits) {
        text_free(&t);
        if (!enlarge(&larger, "rows", 2 * larger.rows, &t) ||
            !enlarge(&larger, "cols", 2 * larger.cols, &t))
            break;
        needed = pe_min_on(x, &larger);
        fits = needed <= pes;
    }
    if (fits) {
        text_add(&t, " (%lld PEs)", (long long)needed);
        add_way(ways, t.at);
    }
    text_free(&t);
}

static void note_what_fits(const struct dup_items *x, int64_t pes, bool by_option,
                           const struct pass_ctx *ctx)
{
    const struct arch *arch = ctx->arch;
    struct text ways = {0};
    if (by_option) {
        text_add(&ways, "--pes %lld", (long long)x->pe_min);
    } else {
        add_field(arch, "tiles", ceil_div_i64(x->pe_min, arch->crossbars), &ways);
        add_field(arch, "crossbars", ceil_div_i64(x->pe_min, arch->tiles), &ways);
    }
    add_crossbars(x, arch, pes, &ways);
    if (ways.n)
        diag_note(ctx->diag, (struct loc){0}, "would fit: %s", ways.at);
    text_free(&ways);
}

/* ---- both ---- */

/* By what --pes gives, or by all that the machine has. */
static bool refuse_network(const struct dup_items *x, int64_t pes, bool by_option,
                           const struct pass_ctx *ctx)
{
    const struct arch *arch = ctx->arch;
    if (by_option)
        diag_error(ctx->diag, (struct loc){0}, DIAG_CAPACITY,
                   "the network needs %lld PEs, --pes gives %lld", (long long)x->pe_min,
                   (long long)pes);
    else
        diag_error(
            ctx->diag, (struct loc){0}, DIAG_CAPACITY,
            "the network needs %lld PEs, the machine has %lld (%lld tiles of %lld crossbars)",
            (long long)x->pe_min, (long long)pes, (long long)arch->tiles,
            (long long)arch->crossbars);
    note_largest(x, ctx);
    note_what_fits(x, pes, by_option, ctx);
    return false;
}

/* More than the chip has, though the network fits it. */
static bool refuse_option(const struct dup_items *x, int64_t pes, int64_t chip,
                          const struct pass_ctx *ctx)
{
    const struct arch *arch = ctx->arch;
    bool extra = ctx->dup->pes < 0;
    return diag_error(ctx->diag, (struct loc){0}, DIAG_CAPACITY,
                      "%s asks for %lld PEs, the machine has %lld (%lld tiles of %lld crossbars); "
                      "at most %s %lld",
                      extra ? "--extra-pes" : "--pes", (long long)pes, (long long)chip,
                      (long long)arch->tiles, (long long)arch->crossbars,
                      extra ? "--extra-pes" : "--pes",
                      (long long)(extra ? chip - x->pe_min : chip));
}

bool dup_find_pes(const struct dup_items *x, const struct pass_ctx *ctx, int64_t *out_pes)
{
    const struct dup_options *o = ctx->dup;
    const struct arch *arch = ctx->arch;
    int64_t chip = arch->tiles > 0 ? arch->tiles * arch->crossbars : INT64_MAX, pes = o->pes;
    if (pes < 0 && o->extra_pes < 0)
        pes = arch->tiles > 0 ? chip : x->pe_min;
    else if (pes < 0 && !add_i64(x->pe_min, o->extra_pes, &pes))
        pes = INT64_MAX;
    *out_pes = pes;
    if (chip < x->pe_min)
        return refuse_network(x, chip, false, ctx);
    if (pes < x->pe_min)
        return refuse_network(x, pes, true, ctx);
    return pes <= chip || refuse_option(x, pes, chip, ctx);
}
