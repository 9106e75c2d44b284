/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col_axes.c - slice, pad and gather_grid: what changes each dimension by itself.
 *
 * All dimensions change in one operation if a layout has each of those on an axis of its own: the
 * operand's own layout, else the canonical one. A slice or gather of dimensions that are digits of
 * the operand's axes picks along those axes, in place: a channel shuffle and the half of it that is
 * kept are one strided slice. Else, in a tensor of many dimensions or with a batch, dimensions
 * change one after another: (before, dimension, after) is a layout of any tensor.
 */
#include "im2col.h"

/* Applies the operation at hand to the dimensions in `changed` of a view, in this layout. */
typedef void change_fn(struct lowering *lo, struct view *x, const struct layout *l,
                       const bool changed[IR_MAX_RANK]);

/* A layout that has each changed dimension alone on an axis. */
static bool layout_for_changes(const struct view *x, const bool changed[IR_MAX_RANK],
                               struct layout *out)
{
    if (!layout_of_view(x, out) && !layout_canonical(&x->type, out))
        return false;
    for (uint32_t d = 0; d < x->type.rank; d++) {
        if (changed[d] && !layout_add(out, &x->type, d))
            return false;
    }
    return true;
}

static struct view change_dimensions(struct lowering *lo, struct view x,
                                     const bool changed[IR_MAX_RANK], change_fn *change)
{
    struct layout l;
    if (layout_for_changes(&x, changed, &l)) {
        change(lo, &x, &l, changed);
        return x;
    }
    for (uint32_t d = 0; d < x.type.rank; d++) {
        bool only[IR_MAX_RANK] = {false};
        only[d] = true;
        l = layout_around(&x.type, d, 1);
        if (changed[d])
            change(lo, &x, &l, only);
    }
    return x;
}

/* ---- index lists ---- */

/* One list after another, `count[a]` elements on axis a; a NULL list is start, start + step, ... */
struct index_lists {
    const int64_t *list[3];
    int64_t start[3], step[3], count[3];
};

static struct ir_value *emit_gather_grid(struct lowering *lo, struct ir_value *x,
                                         const struct index_lists *by, float value)
{
    int64_t n = by->count[0] + by->count[1] + by->count[2];
    int64_t *index = ARENA_ARRAY(lo->ctx->scratch, int64_t, (size_t)n), *next = index;
    for (int a = 0; a < 3; a++) {
        for (int64_t i = 0; i < by->count[a]; i++)
            *next++ = by->list[a] ? by->list[a][i] : by->start[a] + i * by->step[a];
    }
    struct pass_place at = lowering_place(lo);
    union ir_attrs attrs = {
        .gather_grid = {.count = {3, by->count}, .index = {(uint32_t)n, index}, .value = value}};
    struct ir_new desc = {
        .opcode = IR_gather_grid, .in = &x, .n_in = 1, .attrs = &attrs, .name = lo->op->name};
    return pass_emit(&at, &desc);
}

/* Everything on every axis. */
static struct index_lists whole_axes(const struct ir_value *x)
{
    const int64_t *dim = x->type.dim;
    return (struct index_lists){.step = {1, 1, 1}, .count = {dim[0], dim[1], dim[2]}};
}

/* ---- digits of axes ---- */

/* What a slice or gather keeps of one dimension. */
struct picks {
    const int64_t *list; /* NULL: start, start + step, ... */
    int64_t start, step, count;
};

static int64_t pick_at(const struct picks *p, int64_t i)
{
    return p->list ? p->list[i] : p->start + i * p->step;
}

static bool is_run(const struct picks *p)
{
    bool run = true;
    for (int64_t i = 0; run && i < p->count; i++)
        run = pick_at(p, i) == pick_at(p, 0) + i && pick_at(p, i) >= 0;
    return run;
}

/* Every position of the axis whose digit is picked; a run of the outermost digit is a slice. */
static struct ir_value *emit_picks(struct lowering *lo, struct ir_value *x, const struct digit *g,
                                   const struct picks *p, float value)
{
    if (g->outer == 1 && is_run(p))
        return emit_run(lo, x, g->axis, pick_at(p, 0) * g->inner, p->count * g->inner,
                        lo->op->name);
    struct index_lists by = whole_axes(x);
    int64_t n = g->outer * p->count * g->inner;
    int64_t *list = ARENA_ARRAY(lo->ctx->scratch, int64_t, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        int64_t outer = i / g->inner / p->count, digit = pick_at(p, i / g->inner % p->count);
        list[i] = digit < 0 ? -1 : (outer * g->size + digit) * g->inner + i % g->inner;
    }
    by.list[g->axis] = list;
    by.count[g->axis] = n;
    return emit_gather_grid(lo, x, &by, value);
}

enum { MOST_LISTED = 1 << 20 }; /* lists of positions are spelled out */

/* Is each of these dimensions a digit of an axis, and no axis long on the way? */
static bool are_digits(const struct view *x, const bool changed[IR_MAX_RANK],
                       const struct picks p[IR_MAX_RANK])
{
    struct digit g;
    int64_t extent[3];
    memcpy(extent, x->base->type.dim, sizeof extent);
    for (uint32_t d = 0; d < x->type.rank; d++) {
        if (!changed[d])
            continue;
        if (x->type.dim[d] == 1 || !view_digit(x, d, &g) || p[d].count > MOST_LISTED ||
            extent[g.axis] > MOST_LISTED)
            return false;
        extent[g.axis] = extent[g.axis] / g.size * p[d].count;
        if (extent[g.axis] > MOST_LISTED)
            return false;
    }
    return true;
}

/* False, with nothing made, unless each of these dimensions is a digit of an axis. p[d]: what is
 * kept of dimension d. */
static bool pick_in_place(struct lowering *lo, struct view *x, const bool changed[IR_MAX_RANK],
                          const struct picks p[IR_MAX_RANK], float value)
{
    struct layout own;
    struct digit g;
    bool fits = x->base && !layout_of_view(x, &own) && are_digits(x, changed, p);
    for (uint32_t d = 0; fits && d < x->type.rank; d++) {
        if (!changed[d])
            continue;
        if (!view_digit(x, d, &g))
            BUG("picking one digit took another away");
        struct ir_value *made = emit_picks(lo, x->base, &g, &p[d], value);
        view_pick(x, d, &g, p[d].count);
        x->base = made;
    }
    return fits;
}

/* ---- slice ---- */

static void change_slice(struct lowering *lo, struct view *x, const struct layout *l,
                         const bool changed[IR_MAX_RANK])
{
    const struct ir_attrs_slice *a = &lo->op->attrs->slice;
    struct ir_value *in = view_materialise(lo, x, l), *made;
    struct index_lists by = whole_axes(in);
    struct ir_type to = x->type;
    bool contiguous = true;
    for (uint32_t d = 0; d < to.rank; d++) {
        if (!changed[d])
            continue;
        int axis = l->axis[d];
        by.start[axis] = a->start.at[d];
        by.step[axis] = a->step.at[d];
        by.count[axis] = to.dim[d] = a->count.at[d];
        contiguous = contiguous && (a->step.at[d] == 1 || a->count.at[d] == 1);
    }
    static const int64_t ones[3] = {1, 1, 1};
    union ir_attrs attrs = {
        .slice = {.start = {3, by.start}, .step = {3, ones}, .count = {3, by.count}}};
    made = contiguous ? lower_same(lo, &attrs, &in, 1) : emit_gather_grid(lo, in, &by, 0.0f);
    *x = view_of_layout(made, &to, l);
}

bool lower_slice(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    const struct ir_attrs_slice *a = &op->attrs->slice;
    struct picks p[IR_MAX_RANK];
    bool changed[IR_MAX_RANK];
    *out = lowered_view(lo, op->in[0].value);
    if (!out->base && view_slice(out, &op->out->type, a->start.at, a->step.at))
        return true;
    for (uint32_t d = 0; d < out->type.rank; d++) {
        int64_t dim = out->type.dim[d];
        changed[d] = a->count.at[d] != dim || (dim > 1 && a->step.at[d] != 1);
        p[d] =
            (struct picks){.start = a->start.at[d], .step = a->step.at[d], .count = a->count.at[d]};
    }
    if (!pick_in_place(lo, out, changed, p, 0.0f))
        *out = change_dimensions(lo, *out, changed, change_slice);
    return true;
}

/* ---- pad ---- */

static void change_pad(struct lowering *lo, struct view *x, const struct layout *l,
                       const bool changed[IR_MAX_RANK])
{
    const struct ir_attrs_pad *a = &lo->op->attrs->pad;
    int64_t before[3] = {0}, after[3] = {0};
    struct ir_type to = x->type;
    for (uint32_t d = 0; d < to.rank; d++) {
        if (!changed[d])
            continue;
        before[l->axis[d]] = a->before.at[d];
        after[l->axis[d]] = a->after.at[d];
        to.dim[d] += a->before.at[d] + a->after.at[d];
    }
    struct ir_value *in = view_materialise(lo, x, l);
    union ir_attrs attrs = {
        .pad = {.before = {3, before}, .after = {3, after}, .mode = a->mode, .value = a->value}};
    *x = view_of_layout(lower_same(lo, &attrs, &in, 1), &to, l);
}

bool lower_pad(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    const struct ir_attrs_pad *a = &op->attrs->pad;
    bool changed[IR_MAX_RANK];
    *out = lowered_view(lo, op->in[0].value);
    for (uint32_t d = 0; d < out->type.rank; d++)
        changed[d] = a->before.at[d] || a->after.at[d];
    *out = change_dimensions(lo, *out, changed, change_pad);
    return true;
}

/* ---- gather_grid ---- */

static void change_gather(struct lowering *lo, struct view *x, const struct layout *l,
                          const bool changed[IR_MAX_RANK])
{
    const struct ir_attrs_gather_grid *a = &lo->op->attrs->gather_grid;
    const int64_t *list = a->index.at;
    struct ir_value *in = view_materialise(lo, x, l);
    struct index_lists by = whole_axes(in);
    struct ir_type to = x->type;
    for (uint32_t d = 0; d < to.rank; list += a->count.at[d++]) {
        if (!changed[d])
            continue;
        by.list[l->axis[d]] = list;
        by.count[l->axis[d]] = to.dim[d] = a->count.at[d];
    }
    *x = view_of_layout(emit_gather_grid(lo, in, &by, a->value), &to, l);
}

bool lower_gather_grid(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    const struct ir_attrs_gather_grid *a = &op->attrs->gather_grid;
    const int64_t *list = a->index.at;
    struct picks p[IR_MAX_RANK];
    bool changed[IR_MAX_RANK];
    *out = lowered_view(lo, op->in[0].value);
    for (uint32_t d = 0; d < out->type.rank; list += a->count.at[d++]) {
        changed[d] = a->count.at[d] != out->type.dim[d];
        for (int64_t i = 0; i < a->count.at[d] && !changed[d]; i++)
            changed[d] = list[i] != i;
        p[d] = (struct picks){.list = list, .count = a->count.at[d]};
    }
    if (!pick_in_place(lo, out, changed, p, a->value))
        *out = change_dimensions(lo, *out, changed, change_gather);
    return true;
}
