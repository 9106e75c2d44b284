/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_items.c - from a CROSSBAR graph to the items of the problem, and what each can choose from.
 *
 * In: base layers with slices. Out: one item for every weights object; its choices, from its
 * options (dup_options.c) and the copies that each can have. N log n in layers and choices.
 */
#include "dup_items.h"

#include "base/closest.h"
#include "map.h"
#include "mvm_mapping.h"

#include <stdlib.h>
#include <string.h>

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
        VEC_PUSH(&x->items, ((struct dup_object){.first_user = user}));
    else
        x->next_user.at[x->items.at[at].last_user] = user;
    x->items.at[at].last_user = user;
    return at;
}

/* The slices of single pixels: what pass tile found, unless the graph has a patch already. */
static bool find_slices(const struct ir_op *op, const struct arch *arch, int64_t out_slices[2],
                        int64_t *out_pes)
{
    const struct ir_attrs_mvm *a = &op->attrs->mvm;
    memcpy(out_slices, a->slices, sizeof a->slices);
    if (a->patch[0] == 1 && a->patch[1] == 1)
        return mul_i64(a->slices[0], a->slices[1], out_pes);
    int64_t cols = arch_logical_cols(arch, a->weight_bits);
    struct ir_mapping m =
        ir_mapping_with(op, arch_logical_rows(arch), cols, (const int64_t[]){1, 1});
    out_slices[0] = m.n_slices;
    out_slices[1] = m.n_blocks;
    *out_pes = ir_mapping_pes(&m);
    return true;
}

/* The user's crossbars must be those of the item's other users. */
static bool add_pes(struct dup_items *x, struct dup_object *it, const struct ir_op *op,
                    const struct pass_ctx *ctx)
{
    struct diag *d = ctx->diag;
    int64_t pes, slices[2];
    if (op->attrs->mvm.slices[0] < 1 || op->attrs->mvm.slices[1] < 1)
        return diag_error(d, op->loc, DIAG_PASS, "mvm '%s' has no slices; run pass tile before dup",
                          op->name);
    if (!find_slices(op, ctx->arch, slices, &pes) || (it->pes && it->pes != pes))
        return diag_error(d, op->loc, DIAG_LOWER,
                          "mvm '%s' needs %lld x %lld crossbars, other users of weights %lld %lld",
                          op->name, (long long)slices[0], (long long)slices[1],
                          (long long)op->attrs->mvm.weights, (long long)it->pes);
    if (!it->pes && !add_i64(x->pe_min, pes, &x->pe_min))
        return diag_error(d, op->loc, DIAG_CAPACITY, "the network needs more than 2^63 crossbars");
    it->pes = pes;
    memcpy(it->slices, slices, sizeof slices);
    return true;
}

static bool add_op(struct dup_items *x, struct map *object_of, struct ir_op *op,
                   const struct pass_ctx *ctx)
{
    uint32_t at = find_item(x, object_of, op->attrs->mvm.weights);
    VEC_PUSH(&x->ops, op);
    VEC_PUSH(&x->item_of, at);
    VEC_PUSH(&x->next_user, DUP_NO_USER);
    return add_pes(x, &x->items.at[at], op, ctx);
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

struct map dup_index_names(const struct dup_items *x)
{
    struct map by_name = {0};
    for (uint32_t i = 0; i < x->ops.n; i++)
        (void)map_intern(&by_name, x->ops.at[i]->name, strlen(x->ops.at[i]->name), i);
    return by_name;
}

uint32_t dup_find_layer(const struct dup_items *x, const struct map *by_name, const char *layer,
                        const char *what, struct diag *d)
{
    uint32_t at = map_find(by_name, layer, strlen(layer));
    char *end;
    unsigned long long index = strtoull(layer, &end, 10);
    if (at == MAP_NONE && *layer >= '0' && *layer <= '9' && !*end && index < x->ops.n)
        return (uint32_t)index;
    if (at != MAP_NONE)
        return at;
    struct closest near = {.to = layer};
    for (size_t i = 0; i < x->ops.n; i++)
        closest_offer(&near, x->ops.at[i]->name);
    diag_error(d, (struct loc){0}, DIAG_DUPLICATION,
               "%s: there is no base layer '%s' (a name, or a number from 0 to %zu)%s%s%s", what,
               layer, x->ops.n ? x->ops.n - 1 : 0, CLOSEST(&near));
    return DUP_NO_USER;
}

bool dup_set_copies(struct ir_op *op, enum dup_cut cut, int64_t copies)
{
    struct ir_attrs_mvm *a = &op->attrs->mvm;
    const int64_t *dim = op->out->type.dim;
    a->copies = copies;
    return dup_find_cut(cut, copies, ceil_div_i64(dim[0], a->patch[0]),
                        ceil_div_i64(dim[1], a->patch[1]), a->cut);
}

/* ---- choices ---- */

bool dup_make_choice(const struct dup_items *x, const struct dup_object *it,
                     const struct dup_option *o, int64_t copies, enum dup_cut cut,
                     struct dup_choice *out)
{
    int64_t load = 0, parts[2];
    for (uint32_t i = it->first_user; i != DUP_NO_USER; i = x->next_user.at[i]) {
        const int64_t *dim = x->ops.at[i]->out->type.dim;
        int64_t rows = ceil_div_i64(dim[0], o->patch[0]),
                columns = ceil_div_i64(dim[1], o->patch[1]);
        if (!dup_find_cut(cut, copies, rows, columns, parts))
            return false;
        /* copy (0, 0) has the largest part (ir_cut_start rounds up) */
        load += ceil_div_i64(rows, parts[0]) * ceil_div_i64(columns, parts[1]) * o->product;
    }
    *out = (struct dup_choice){.copies = copies,
                               .pes = copies * o->pes,
                               .cycles = o->cycles,
                               .load = load,
                               .product = o->product,
                               .patch = {o->patch[0], o->patch[1]}};
    return true;
}

static int by_pes(const void *x, const void *y)
{
    const struct dup_choice *a = x, *b = y;
    if (a->pes != b->pes)
        return a->pes < b->pes ? -1 : 1;
    if (dup_is_faster(a, b) || dup_is_faster(b, a))
        return dup_is_faster(a, b) ? -1 : 1;
    if (a->load != b->load)
        return a->load < b->load ? -1 : 1;
    return a->copies != b->copies ? (a->copies < b->copies ? -1 : 1) : dup_prefer(a, b);
}

/* A larger patch makes what reads it wait: one that is a quarter faster is taken to be worth it. */
static bool is_worth_it(const struct dup_choice *a, const struct dup_choice *b)
{
    bool smaller = a->patch[0] <= b->patch[0] && a->patch[1] <= b->patch[1];
    bool faster = (dup_units)5 * a->cycles * b->copies <= (dup_units)4 * b->cycles * a->copies &&
                  (dup_units)5 * a->load <= (dup_units)4 * b->load;
    return smaller || faster;
}

/* Is `a`, which comes before `b`, no worse in anything that an objective or tie looks at? */
static bool beats(const struct dup_choice *a, const struct dup_choice *b)
{
    if (dup_is_faster(b, a) || a->load > b->load || !is_worth_it(a, b))
        return false;
    return a->pes < b->pes || dup_is_faster(a, b) || a->copies < b->copies ||
           (a->copies == b->copies && dup_prefer(a, b) < 0);
}

/* Drops what others beat, of choices by PEs. Only those that no later one beats need be looked at:
 * `front`. */
static size_t keep_useful(struct dup_choice *at, size_t n, struct arena *a)
{
    size_t kept = 0, n_front = 0;
    uint32_t *front = ARENA_ARRAY(a, uint32_t, n);
    for (size_t k = 0; k < n; k++) {
        struct dup_choice c = at[k];
        size_t f = 0, left = 0;
        while (f < n_front && !beats(&at[front[f]], &c))
            f++;
        if (f < n_front)
            continue;
        for (f = 0; f < n_front; f++)
            if (!beats(&c, &at[front[f]]))
                front[left++] = front[f];
        n_front = left;
        front[n_front++] = (uint32_t)kept;
        at[kept++] = c;
    }
    return kept;
}

typedef VEC(struct dup_choice) choice_list;

/* Of `n_options` options, by PEs; those of the last ones are left out where there would be more
 * than `most`, but not of the first one. */
static void list_choices(const struct dup_items *x, const struct dup_object *it, size_t n_options,
                         const int64_t limits[2], size_t most, enum dup_cut cut, choice_list *out)
{
    struct dup_choice c;
    out->n = 0;
    for (size_t i = 0; i < n_options; i++) {
        const struct dup_option *o = &it->options[i];
        int64_t most_copies = min_i64(min_i64(o->most_copies, limits[1]), limits[0] / o->pes);
        most_copies = min_i64(most_copies, DUP_MAX_CHOICES + 1); /* dup_solve refuses that many */
        if (i > 0 && out->n + (size_t)most_copies > most)
            continue;
        for (int64_t copies = 1; copies <= most_copies; copies++)
            if (dup_make_choice(x, it, o, copies, cut, &c))
                VEC_PUSH(out, c);
    }
    if (out->n)
        qsort(out->at, out->n, sizeof *out->at, by_pes);
}

/* limits: PEs, copies. */
static struct dup_item make_item(const struct dup_items *x, const struct dup_object *it,
                                 const int64_t limits[2], enum dup_range range,
                                 const struct pass_ctx *ctx)
{
    enum { MOST_LOOKED_AT = 1 << 16 };
    enum dup_cut cut = ctx->dup->cut;
    size_t share = DUP_MAX_CHOICES / x->items.n;
    choice_list all = {0};
    list_choices(x, it, it->n_options, limits, range == DUP_ALL ? share : MOST_LOOKED_AT, cut,
                 &all);
    size_t n = all.n;
    if (it->n_options > 1 && range == DUP_USEFUL)
        n = keep_useful(all.at, n, ctx->scratch);
    if (it->n_options > 1 && n > share) { /* as if there were single pixels only */
        list_choices(x, it, 1, limits, share, cut, &all);
        n = all.n;
    }
    struct dup_choice *choices = ARENA_ARRAY(ctx->scratch, struct dup_choice, n);
    if (n)
        memcpy(choices, all.at, n * sizeof *choices);
    VEC_FREE(&all);
    return (struct dup_item){.n_choices = n, .choices = choices};
}

struct dup_problem dup_make_problem(const struct dup_items *x, int64_t pes, int64_t most_copies,
                                    enum dup_range range, const struct pass_ctx *ctx)
{
    struct dup_item *items = ARENA_ARRAY(ctx->scratch, struct dup_item, x->items.n);
    int64_t spare = pes;
    for (size_t i = 0; i < x->items.n; i++)
        spare -= dup_least_pes(&x->items.at[i]);
    for (size_t i = 0; i < x->items.n; i++) {
        const struct dup_object *it = &x->items.at[i];
        const int64_t limits[2] = {dup_least_pes(it) + spare, most_copies};
        items[i] = make_item(x, it, limits, range, ctx);
    }
    return (struct dup_problem){
        .items = items, .n_items = x->items.n, .pes = pes, .fewest_pes = ctx->dup->windows};
}
