/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_window.c - windows, gather tables, reductions, products of two values and takes against the
 * graph's max_pool, avg_pool, global_avg_pool, overlap_add, moving operations, reduce, dot, take.
 */
#include "check_meaning.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const struct isa_view *dst_view(const struct actor *a)
{
    return a->t->views[a->in->dst.view].v;
}

static const struct ir_op *claimed_op(const struct actor *a)
{
    uint32_t value = dst_view(a)->value;
    return a->k->g && value < a->k->tags.n_ops ? a->k->tags.ops[value] : NULL;
}

/* ---- VWIN ---- */

/* A windowed operation, spelled out. */
struct window {
    enum isa_window_kind kind;
    int64_t kernel[2], stride[2], dilation[2], pad[2], counted[4];
    bool pads;
};

static struct window window_new(enum isa_window_kind kind, const int64_t kernel[2],
                                const int64_t stride[2], const int64_t dilation[2],
                                const int64_t pad[4])
{
    struct window p = {.kind = kind};
    for (unsigned i = 0; i < 2; i++) {
        p.kernel[i] = kernel[i];
        p.stride[i] = stride[i];
        p.dilation[i] = dilation[i];
        p.pad[i] = pad[i];
    }
    p.pads = pad[0] || pad[1] || pad[2] || pad[3];
    return p;
}

static bool window_of(const struct ir_op *op, struct window *p)
{
    const struct ir_attrs_avg_pool *avg = &op->attrs->avg_pool;
    const struct ir_attrs_max_pool *max = &op->attrs->max_pool;
    const struct ir_attrs_overlap_add *add = &op->attrs->overlap_add;
    switch (op->opcode) {
    case IR_max_pool:
        *p = window_new(WINDOW_MAX, max->kernel, max->stride, max->dilation, max->pad);
        return true;
    case IR_avg_pool:
        *p = window_new(WINDOW_AVERAGE, avg->kernel, avg->stride, avg->dilation, avg->pad);
        if (avg->count_pad)
            memcpy(p->counted, avg->counted, sizeof p->counted);
        return true;
    case IR_global_avg_pool:
        *p = (struct window){.kind = WINDOW_AVERAGE, .dilation = {1, 1}};
        for (unsigned i = 0; i < 2; i++)
            p->kernel[i] = p->stride[i] = check_dim(op->in[0].value->def, i);
        return true;
    case IR_overlap_add:
        *p = window_new(WINDOW_OVERLAP, add->kernel, add->stride, add->dilation, add->pad);
        return true;
    default: return false;
    }
}

static bool same_window(const struct isa_window *w, const struct window *p, bool single)
{
    if (w->kind != (uint32_t)p->kind || w->pad_top != p->pad[0] || w->pad_left != p->pad[1])
        return false;
    for (unsigned i = 0; i < 2; i++)
        if (w->kernel[i] != p->kernel[i] || (!single && w->stride[i] != p->stride[i]) ||
            (w->dilation[i] != p->dilation[i] && p->kernel[i] > 1))
            return false;
    for (unsigned i = 0; i < 4 && p->kind == WINDOW_AVERAGE; i++)
        if (w->counted[i] != p->counted[i])
            return false;
    return true;
}

/* Padding must not change a maximum, and adds nothing to a mean; an overlap_add has none. */
static bool harmless_padding(const struct window *p, const struct isa_view *v)
{
    if (!p->pads || p->kind == WINDOW_OVERLAP)
        return true;
    bool least = p->kind == WINDOW_MAX && v->element == ELEMENT_f32; /* of u8 it is 0 */
    return v->pad_value == (least ? f32_bits(-INFINITY) : 0);
}

static bool window_means(struct actor *a, const struct isa_window *w, const struct ir_op *op)
{
    struct window p;
    const struct isa_view *v = a->t->views[a->in->a.view].v, *dst = dst_view(a);
    const char *name = check_op_name(a->k, dst->value);
    if (!op || !window_of(op, &p))
        return check_fault(a, "its result '%s' is no pooling and no overlap_add of the graph",
                           name);
    if (!same_window(w, &p, op->opcode == IR_global_avg_pool))
        return check_fault(a, "window %u is not that of '%s'", a->in->obj, name);
    const struct ir_op *x = op->in[0].value->def;
    if (v->height != check_dim(x, 0) || v->width != check_dim(x, 1))
        return check_fault(
            a, "the source is %u x %u, but the operand of '%s' is %" PRId64 " x %" PRId64,
            v->height, v->width, name, check_dim(x, 0), check_dim(x, 1));
    if (!harmless_padding(&p, v))
        return check_fault(a, "pads '%s' with %s", name,
                           check_bits_text(a->k, v->pad_value, v->element));
    if (p.kind == WINDOW_OVERLAP && (dst->channel0 != 0 || dst->channels != check_dim(op, 2)))
        return check_fault(a, "makes a part of the channels of '%s' from all taps", name);
    return check_inside(a, op, a->in->h, a->in->w);
}

/* ---- VWIN, overlap ---- */

/* The elements that tap (kh, kw) adds to the pixels of row oy: neighbours in one row of the
 * source. */
static bool read_tap(struct actor *a, const struct isa_window *w, int64_t oy, const uint32_t k[2],
                     const struct leaf *leaf)
{
    const struct isa_view *v = a->t->views[a->in->a.view].v;
    int64_t sh = w->stride[0], sw = w->stride[1], n = dst_view(a)->channels;
    int64_t up = oy + w->pad_top - (int64_t)k[0] * w->dilation[0];
    int64_t left = a->in->dst.x + (int64_t)w->pad_left - (int64_t)k[1] * w->dilation[1];
    int64_t right = left + a->in->w - 1;
    if (up < 0 || up % sh || up / sh >= v->height || right < 0)
        return true;
    int64_t first = left > 0 ? (left + sw - 1) / sw : 0, end = min_i64(right / sw + 1, v->width);
    int64_t at[3] = {up / sh, first, ((int64_t)k[0] * w->kernel[1] + k[1]) * n};
    struct span s = {at[0], first, end - first, at[2], n};
    return check_read_span(a, a->in->a.view, s, leaf, at);
}

static void check_overlap(struct actor *a, const struct isa_window *w)
{
    const struct ir_op *op = claimed_op(a);
    bool known = a->k->g && window_means(a, w, op);
    struct leaf source = {known ? op->in[0].value->def : NULL, 0, CHECK_NONE};
    struct leaf result = {op, 0, CHECK_NONE};
    uint32_t k[2];
    for (int64_t i = 0; i < a->in->h; i++)
        for (k[0] = 0; k[0] < w->kernel[0]; k[0]++)
            for (k[1] = 0; k[1] < w->kernel[1] && !a->faulted; k[1]++)
                read_tap(a, w, a->in->dst.y + i, k, known ? &source : NULL);
    check_write_dst(a, a->in->h, a->in->w, known ? &result : NULL);
}

void check_vwin(struct actor *a)
{
    const struct isa_window *w = &a->t->t->windows[a->in->obj];
    if (w->kind == WINDOW_OVERLAP) {
        check_overlap(a, w);
        return;
    }
    const struct tap_boxes **boxes = &a->t->window_boxes[a->in->obj];
    if (!*boxes)
        *boxes = check_boxes_of_kernel(a->k, w->kernel);
    const struct ir_op *op = claimed_op(a);
    bool known = a->k->g && window_means(a, w, op);
    struct walk walk = {.kernel = {w->kernel[0], w->kernel[1]},
                        .stride = {w->stride[0], w->stride[1]},
                        .dilation = {w->dilation[0], w->dilation[1]},
                        .first = {a->in->dst.y, a->in->dst.x},
                        .n = {a->in->h, a->in->w},
                        .pad = {w->pad_top, w->pad_left},
                        .view = a->in->a.view,
                        .channel0 = dst_view(a)->channel0,
                        .whole = true,
                        .boxes = *boxes};
    struct leaf source = {known ? op->in[0].value->def : NULL, 0, CHECK_NONE};
    struct leaf result = {op, 0, CHECK_NONE};
    check_walk(a, &walk, known ? &source : NULL);
    check_write_dst(a, a->in->h, a->in->w, known ? &result : NULL);
}

/* ---- VGAT ---- */

static int64_t listed(const int32_t *list, uint32_t n, int64_t at)
{
    return n ? list[at] : at;
}

/* The source of dst element (y, x, c); false: the fill. */
static bool gathered(const struct actor *a, const struct isa_gather *g, const int64_t dst[3],
                     int64_t from[3])
{
    const struct isa_view *v = a->t->views[a->in->a.view].v;
    from[0] = listed(g->rows, g->n_rows, dst[0]);
    from[1] = listed(g->cols, g->n_cols, dst[1]);
    from[2] = listed(g->channels, g->n_channels, dst[2]);
    if (from[0] < 0 || from[1] < 0 || from[2] < 0)
        return false;
    return from[0] < v->height && from[1] < v->width;
}

/* Is there a pixel that is no fill? Its first element decides what the source is taken for. */
static bool gather_sample(const struct actor *a, const struct isa_gather *g, int64_t dst[3],
                          uint32_t *tag)
{
    const struct isa_inst *in = a->in;
    for (dst[0] = in->dst.y; dst[0] < in->dst.y + in->h; dst[0]++)
        for (dst[1] = in->dst.x; dst[1] < in->dst.x + in->w; dst[1]++)
            for (dst[2] = 0; dst[2] < dst_view(a)->channels; dst[2]++) {
                int64_t from[3];
                const struct check_view *v = &a->t->views[in->a.view];
                if (!gathered(a, g, dst, from) || !v->cluster)
                    continue;
                *tag = (uint32_t)check_mark(v, a->frame, from[0], from[1], from[2]);
                return true;
            }
    dst[0] = in->dst.y;
    dst[1] = in->dst.x;
    dst[2] = 0;
    *tag = 0;
    return false;
}

/* Channels from dst[2] on that come from neighbouring channels, at most n. */
static int64_t gather_run(const struct isa_gather *g, int64_t c, int64_t n)
{
    int64_t run = 1;
    if (g->n_channels == 0)
        return n;
    while (run < n && g->channels[c + run] == g->channels[c] + run && g->channels[c] >= 0)
        run++;
    return run;
}

static bool gather_pixel(struct actor *a, const struct isa_gather *g, int64_t y, int64_t x,
                         const struct leaf *leaf)
{
    int64_t n = dst_view(a)->channels, c0 = dst_view(a)->channel0;
    for (int64_t c = 0; c < n;) {
        int64_t dst[3] = {y, x, c}, at[3] = {y, x, c0 + c}, from[3], run;
        if (gathered(a, g, dst, from)) {
            run = gather_run(g, c, n - c);
            struct span s = {from[0], from[1], 1, from[2], run};
            if (!check_read_span(a, a->in->a.view, s, leaf, at))
                return false;
        } else {
            run = 1;
            const struct isa_view *v = a->t->views[a->in->a.view].v;
            bool outside = from[0] >= 0 && from[1] >= 0 && from[2] >= 0;
            struct expected e = {0};
            if (leaf)
                e = check_expect(a->k, leaf, at, 1);
            uint32_t fill = outside ? v->pad_value : g->fill;
            if (leaf && (!e.is_fill || check_pattern(e.fill, v->element) != fill))
                return check_fault(a,
                                   "fills element (%" PRId64 ", %" PRId64 ", %" PRId64 ") of '%s'",
                                   at[0], at[1], at[2], check_op_name(a->k, leaf->op->id));
        }
        c += run;
    }
    return true;
}

void check_vgat(struct actor *a)
{
    const struct isa_gather *g = &a->t->t->gathers[a->in->obj];
    const struct ir_op *op = claimed_op(a);
    struct leaf leaf = {0}, result = {op, 0, CHECK_NONE};
    bool known = op && op->out && check_inside(a, op, a->in->h, a->in->w);
    if (known) {
        int64_t dst[3];
        uint32_t tag;
        gather_sample(a, g, dst, &tag);
        dst[2] += dst_view(a)->channel0;
        known = check_find_leaf(a->k, op, dst, tag, &leaf);
        char found[256];
        if (!known)
            check_fault(a, "moves %s into (%" PRId64 ", %" PRId64 ", %" PRId64 ") of '%s'",
                        check_tag_text(a->k, tag, found, sizeof found), dst[0], dst[1], dst[2],
                        check_op_name(a->k, op->id));
    }
    for (int64_t i = 0; i < a->in->h; i++)
        for (int64_t j = 0; j < a->in->w && !a->faulted; j++)
            gather_pixel(a, g, a->in->dst.y + i, a->in->dst.x + j, known ? &leaf : NULL);
    check_write_dst(a, a->in->h, a->in->w, known ? &result : NULL);
}

/* ---- VRED ---- */

/* The axes in `flags` are `axes`, and of each the whole extent of x is reduced. */
static bool reduces_axes(struct actor *a, unsigned axes, const struct ir_op *x,
                         const struct ir_op *op)
{
    const struct isa_view *v = a->t->views[a->in->a.view].v;
    const int64_t extent[3] = {a->in->h, a->in->w, v->channels};
    const int64_t first[3] = {a->in->dst.y, a->in->dst.x, dst_view(a)->channel0};
    if ((a->in->flags & VRED_AXES) != axes)
        return check_fault(a, "reduces other axes than '%s'", check_op_name(a->k, op->id));
    for (unsigned i = 0; i < 3; i++)
        if (axes >> i & 1 && (extent[i] != check_dim(x, i) || first[i] != 0))
            return check_fault(a, "reduces %" PRId64 " of %" PRId64 " elements", extent[i],
                               check_dim(x, i));
    return true;
}

static bool reduction_means(struct actor *a, const struct ir_op *op, struct leaf *from,
                            struct leaf *made)
{
    const char *name = check_op_name(a->k, dst_view(a)->value);
    if (!op || op->opcode != IR_reduce)
        return check_fault(a, "its result '%s' is no reduction of the graph", name);
    const struct ir_attrs_reduce *r = &op->attrs->reduce;
    unsigned axes = 0;
    for (uint32_t i = 0; i < r->axes.n; i++)
        axes |= 1u << r->axes.at[i];
    *from = (struct leaf){op->in[0].value->def, 0, CHECK_NONE};
    *made = (struct leaf){op, 0, CHECK_NONE};
    bool sums = r->kind == IR_REDUCE_SUM;
    if (sums != ((a->in->flags & VRED_SUM) != 0))
        return check_fault(a, "'%s' reduces to the %s", name, ir_reduce_kind_name(r->kind));
    return reduces_axes(a, axes, from->op, op);
}

void check_vred(struct actor *a)
{
    struct leaf from, made;
    int64_t h = a->in->flags & VRED_H ? 1 : a->in->h, w = a->in->flags & VRED_W ? 1 : a->in->w;
    const struct ir_op *op = claimed_op(a);
    bool known = a->k->g && reduction_means(a, op, &from, &made) && check_inside(a, op, h, w);
    int64_t at[3] = {a->in->dst.y, a->in->dst.x, dst_view(a)->channel0};
    check_read_region(a, &a->in->a, known ? &from : NULL, at);
    check_write_dst(a, h, w, known ? &made : NULL);
}

/* ---- VDOT ---- */

static bool product_means(struct actor *a, const struct ir_op *op)
{
    const char *name = check_op_name(a->k, dst_view(a)->value);
    if (!op || op->opcode != IR_dot)
        return check_fault(a, "its result '%s' is no product of two values", name);
    if (op->attrs->dot.kn != (a->in->flags & VDOT_KN))
        return check_fault(a, "takes b in the other order than '%s'", name);
    const struct isa_view *from = a->t->views[a->in->a.view].v;
    if (from->channels != check_dim(op->in[0].value->def, 2) ||
        dst_view(a)->channels != check_dim(op, 2))
        return check_fault(a, "'%s' is %" PRId64 " sums of %" PRId64 " products", name,
                           check_dim(op, 2), check_dim(op->in[0].value->def, 2));
    return check_inside(a, op, a->in->h, a->in->w);
}

/* Whole rows of b, as many as the result has. */
static bool read_matrices(struct actor *a, const struct leaf *leaf)
{
    const struct isa_region *r = &a->in->b;
    const struct isa_view *v = a->t->views[r->view].v;
    for (int64_t i = 0; i < a->in->h; i++) {
        struct span row = {r->y + i, 0, v->width, 0, v->channels};
        if (!check_read_span(a, r->view, row, leaf, (int64_t[3]){a->in->dst.y + i, 0, 0}))
            return false;
    }
    return true;
}

void check_vdot(struct actor *a)
{
    const struct ir_op *op = claimed_op(a);
    bool known = a->k->g && product_means(a, op);
    struct leaf x[2] = {0}, made = {op, 0, CHECK_NONE};
    for (unsigned i = 0; known && i < 2; i++)
        x[i] = (struct leaf){op->in[i].value->def, 0, CHECK_NONE};
    int64_t at[3] = {a->in->dst.y, a->in->dst.x, 0};
    if (check_read_region(a, &a->in->a, known ? &x[0] : NULL, at) &&
        read_matrices(a, known ? &x[1] : NULL))
        check_write_dst(a, a->in->h, a->in->w, known ? &made : NULL);
}

/* ---- VTAKE ---- */

/* How much of an axis the source shows. */
static int64_t shown(const struct isa_view *v, int64_t axis)
{
    return axis == 0 ? v->height : axis == 1 ? v->width : v->channels;
}

static bool take_means(struct actor *a, const struct ir_op *op)
{
    const char *name = check_op_name(a->k, dst_view(a)->value);
    const struct isa_view *v = a->t->views[a->in->a.view].v;
    if (!op || op->opcode != IR_take)
        return check_fault(a, "its result '%s' is no take of the graph", name);
    const struct ir_attrs_take *take = &op->attrs->take;
    int64_t extent = check_dim(op->in[0].value->def, (unsigned)take->axis);
    if (a->in->flags != 1u << take->axis)
        return check_fault(a, "takes along another axis than '%s'", name);
    if (shown(v, take->axis) != extent)
        return check_fault(a, "takes from %" PRId64 " of %" PRId64 " elements",
                           shown(v, take->axis), extent);
    if (v->pad_value != check_pattern(take->value, v->element))
        return check_fault(a, "is %s outside the operand of '%s'",
                           check_bits_text(a->k, v->pad_value, v->element), name);
    return check_inside(a, op, a->in->h, a->in->w);
}

/* All of the source along the axis, whatever the indices are. */
void check_vtake(struct actor *a)
{
    const struct isa_inst *in = a->in;
    const struct ir_op *op = claimed_op(a);
    bool known = a->k->g && take_means(a, op);
    struct leaf source = {0}, index = {0}, result = {op, 0, CHECK_NONE};
    const struct isa_view *v = a->t->views[in->a.view].v;
    int64_t at[3] = {in->dst.y, in->dst.x, dst_view(a)->channel0}, h = in->h, w = in->w;
    if (known) {
        source = (struct leaf){op->in[0].value->def, 0, CHECK_NONE};
        index = (struct leaf){op->in[1].value->def, 0, CHECK_NONE};
    }
    check_read_region(a, &in->b, known ? &index : NULL, at);
    struct isa_region from = in->a;
    if (in->flags == VRED_H)
        at[0] = from.y = 0, h = v->height;
    if (in->flags == VRED_W)
        at[1] = from.x = 0, w = v->width;
    if (in->flags == VRED_C)
        at[2] = 0;
    check_read_extent(a, &from, h, w, known ? &source : NULL, at);
    check_write_dst(a, in->h, in->w, known ? &result : NULL);
}
