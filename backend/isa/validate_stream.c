/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * validate_stream.c - every instruction of a tile: decodes, sits in its queue, names what exists,
 * writes and reads only what its views hold (ISA.md 2-8). All operands are static, so after this no
 * execution needs to check an index or a coordinate.
 */
#include "isa_internal.h"

#include <inttypes.h>

struct stream_check {
    const struct isa_program *p;
    const struct isa_tile *t;
    const struct group_facts *facts;
    struct route_use *uses;
    struct fault_sink *s;
    struct isa_reaches *reaches;
    uint32_t index; /* of the instruction */
    const char *op;
};

#define REJECT(c, ...) isa_fault((c)->s, "instruction", (c)->index, __VA_ARGS__)

/* The view of a region; NULL if there is none. */
static const struct isa_view *view_of(const struct stream_check *c, const struct isa_region *r)
{
    if (r->view < c->t->n_views)
        return &c->t->views[r->view];
    REJECT(c, "%s: no view %u", c->op, r->view);
    return NULL;
}

/* h x w pixels at the region's origin must be held (written, sent and stored ones). */
static const struct isa_view *held_region(const struct stream_check *c, const struct isa_region *r,
                                          uint32_t h, uint32_t w)
{
    const struct isa_view *v = view_of(c, r);
    if (!v)
        return NULL;
    if (r->y >= v->y0 && (int64_t)r->y + h <= v->y1 && r->x >= v->x0 && (int64_t)r->x + w <= v->x1)
        return v;
    REJECT(c, "%s: %u x %u at (%d, %d) is not held by view %u: [%d, %d) x [%d, %d)", c->op, h, w,
           r->y, r->x, r->view, v->y0, v->y1, v->x0, v->x1);
    return NULL;
}

/* What of n rows, columns or channels has one place; NULL where none has. In which order elements
 * are written is open, so what would be there is, too. */
static const char *shared_place(const struct isa_view *v, int64_t h, int64_t w)
{
    if (h > 1 && (v->row_pitch == 0 || h > v->ring_rows))
        return "rows";
    if (w > 1 && v->col_pitch == 0)
        return "columns";
    return v->channels > 1 && v->channel_pitch == 0 ? "channels" : NULL;
}

static const struct isa_view *written_region(const struct stream_check *c,
                                             const struct isa_region *r, uint32_t h, uint32_t w)
{
    const struct isa_view *v = held_region(c, r, h, w);
    const char *shared = v ? shared_place(v, h, w) : NULL;
    if (!shared)
        return v;
    REJECT(c, "%s: several %s of view %u are written at one place", c->op, shared, r->view);
    return NULL;
}

/* n positions from o0 on, of something without a kernel. */
static struct isa_axis plain_axis(int64_t o0, int64_t n)
{
    return (struct isa_axis){.o0 = o0, .n = n, .stride = 1, .dilation = 1};
}

typedef bool inside_fn(const struct isa_axis *a, int64_t extent, int64_t *first, int64_t *last);

/* What is read inside the view's extents must be held. */
static bool reads_held(const struct stream_check *c, const struct isa_view *v, inside_fn *inside,
                       const struct isa_axis *y, const struct isa_axis *x)
{
    int64_t top, bottom, left, right;
    if (!inside(y, v->height, &top, &bottom) || !inside(x, v->width, &left, &right))
        return true;
    if (top >= v->y0 && bottom < v->y1 && left >= v->x0 && right < v->x1)
        return true;
    return REJECT(c,
                  "%s: reads rows %" PRId64 "..%" PRId64 ", columns %" PRId64 "..%" PRId64
                  " of view %td, which holds [%d, %d) x [%d, %d)",
                  c->op, top, bottom, left, right, v - c->t->views, v->y0, v->y1, v->x0, v->x1);
}

/* A plain region as a source: h x w pixels from its origin on. */
static const struct isa_view *read_region(const struct stream_check *c, const struct isa_region *r,
                                          const struct isa_inst *i)
{
    const struct isa_view *v = view_of(c, r);
    struct isa_axis y = plain_axis(r->y, i->h), x = plain_axis(r->x, i->w);
    return v && reads_held(c, v, isa_positions_inside, &y, &x) ? v : NULL;
}

static bool same_channels(const struct stream_check *c, const struct isa_view *a, uint32_t channels)
{
    return a->channels == channels || REJECT(c, "%s: view %td has %u channels, not %u", c->op,
                                             a - c->t->views, a->channels, channels);
}

static bool table_entry(const struct stream_check *c, const struct isa_inst *i, uint32_t n,
                        const char *what)
{
    return i->obj < n || REJECT(c, "%s: no %s %u", c->op, what, i->obj);
}

/* ---- operations ---- */

/* Rows of the kernel, or of the patch's window, from..to-1 as an MVM's region reads them. */
static struct isa_axis mvm_axis(const struct isa_mapping *m, unsigned axis, int64_t o0, int64_t n,
                                struct isa_span k)
{
    const struct isa_group *g = m->group;
    return (struct isa_axis){.o0 = o0,
                             .n = n,
                             .stride = g->stride[axis],
                             .k0 = k.from,
                             .k1 = (int64_t)k.to - 1,
                             .dilation = g->dilation[axis],
                             .pad = axis ? g->pad_left : g->pad_top,
                             .m = m,
                             .which = axis};
}

/* A block of the kernel, or of the window. */
static bool block_held(const struct stream_check *c, const struct isa_inst *i, struct isa_span rows,
                       struct isa_span columns)
{
    const struct isa_mapping *m = &c->facts[i->obj].mapping;
    const struct isa_group *g = m->group;
    struct isa_axis y = mvm_axis(m, 0, i->dst.y, i->h, rows);
    struct isa_axis x = mvm_axis(m, 1, i->dst.x, i->w, columns);
    if (rows.from >= rows.to || columns.from >= columns.to)
        return true;
    y.reaches = x.reaches = c->reaches;
    return reads_held(c, &c->t->views[g->source_view],
                      isa_has_patch(g) ? isa_patches_inside : isa_positions_inside, &y, &x);
}

/* A range of image rows is the end of one kernel row, whole ones, and the start of another. */
static bool mvm_reads_held(const struct stream_check *c, const struct isa_inst *i,
                           struct isa_span k)
{
    const struct isa_mapping *m = &c->facts[i->obj].mapping;
    uint32_t width = m->window_width;
    uint32_t first = k.from / m->channels, last = (k.to - 1) / m->channels;
    uint32_t top = first / width, bottom = last / width;
    uint32_t from = first % width, to = last % width + 1;
    if (top == bottom)
        return block_held(c, i, (struct isa_span){top, top + 1}, (struct isa_span){from, to});
    struct isa_span all = {0, width};
    return block_held(c, i, (struct isa_span){top, top + 1}, (struct isa_span){from, all.to}) &&
           block_held(c, i, (struct isa_span){top + 1, bottom}, all) &&
           block_held(c, i, (struct isa_span){bottom, bottom + 1}, (struct isa_span){0, to});
}

/* Whole patches, but for what the tensor's end cuts off. */
static bool patches_whole(const struct isa_group *g, const struct isa_inst *i,
                          const struct isa_view *dst)
{
    uint32_t y = (uint32_t)i->dst.y, x = (uint32_t)i->dst.x, a = isa_patch(g, 0),
             b = isa_patch(g, 1);
    return y % a == 0 && x % b == 0 && (i->h % a == 0 || y + i->h == dst->height) &&
           (i->w % b == 0 || x + i->w == dst->width);
}

/* Without a patch dst has the channels that the PEs make, with one no more than there are. */
static bool mvm_channels(const struct stream_check *c, const struct isa_inst *i,
                         const struct isa_view *dst)
{
    const struct group_facts *facts = &c->facts[i->obj];
    if (!isa_has_patch(&c->t->groups[i->obj]))
        return same_channels(c, dst, facts->n_columns);
    return dst->channels <= facts->n_columns ||
           REJECT(c, "mvm: view %u has %u channels, group %u makes %u", i->dst.view, dst->channels,
                  i->obj, facts->n_columns);
}

static bool check_mvm(const struct stream_check *c, const struct isa_inst *i)
{
    if (!table_entry(c, i, c->t->n_groups, "group"))
        return false;
    const struct group_facts *facts = &c->facts[i->obj];
    const struct isa_view *dst = written_region(c, &i->dst, i->h, i->w);
    if (!dst || !mvm_channels(c, i, dst))
        return false;
    const struct isa_group *g = &c->t->groups[i->obj];
    if (!patches_whole(g, i, dst))
        return REJECT(c, "mvm: %u x %u at (%d, %d) are not whole patches of %u x %u", i->h, i->w,
                      i->dst.y, i->dst.x, isa_patch(g, 0), isa_patch(g, 1));
    for (uint32_t k = 0; k < facts->n_spans; k++)
        if (!mvm_reads_held(c, i, facts->spans[k]))
            return false;
    return true;
}

static bool reads_constants(const struct isa_program_entry *e)
{
    for (uint32_t k = 0; k < e->n_ops; k++)
        if (e->ops[k].x >= LANE_CONST0 || e->ops[k].y >= LANE_CONST0)
            return true;
    return false;
}

static bool check_vmap(const struct stream_check *c, const struct isa_inst *i)
{
    if (!table_entry(c, i, c->t->n_programs, "program"))
        return false;
    const struct isa_program_entry *e = &c->t->programs[i->obj];
    const struct isa_view *dst = written_region(c, &i->dst, i->h, i->w);
    const struct isa_view *a = dst ? read_region(c, &i->a, i) : NULL;
    if (!a || !same_channels(c, a, dst->channels))
        return false;
    if (reads_constants(e) && !same_channels(c, &c->t->views[e->constants_view], dst->channels))
        return false;
    if (e->arity == 1)
        return isa_is_plain_b(i) ||
               REJECT(c, "vmap: program %u has one operand, b must be view 0 at dst's place",
                      i->obj);
    const struct isa_view *b = read_region(c, &i->b, i);
    return b && same_channels(c, b, dst->channels);
}

/* VWIN and VGAT find their source by coordinates of dst. */
static const struct isa_view *source_from_origin(const struct stream_check *c,
                                                 const struct isa_inst *i)
{
    if (i->a.y || i->a.x) {
        REJECT(c, "%s: the origin of a must be (0, 0)", c->op);
        return NULL;
    }
    return view_of(c, &i->a);
}

static bool check_vwin(const struct stream_check *c, const struct isa_inst *i)
{
    if (!table_entry(c, i, c->t->n_windows, "window"))
        return false;
    const struct isa_window *w = &c->t->windows[i->obj];
    const struct isa_view *dst = written_region(c, &i->dst, i->h, i->w);
    const struct isa_view *a = dst ? source_from_origin(c, i) : NULL;
    if (!a)
        return false;
    struct isa_axis y = isa_window_axis(w, 0, i->dst.y, i->h),
                    x = isa_window_axis(w, 1, i->dst.x, i->w);
    if (w->kind != WINDOW_OVERLAP)
        return same_channels(c, a, dst->channels) && reads_held(c, a, isa_positions_inside, &y, &x);
    uint64_t channels = (uint64_t)w->kernel[0] * w->kernel[1] * dst->channels;
    if (channels != a->channels)
        return REJECT(c, "vwin: view %td has %u channels, not %u x %u x %u", a - c->t->views,
                      a->channels, w->kernel[0], w->kernel[1], dst->channels);
    return reads_held(c, a, isa_sources_inside, &y, &x);
}

static bool check_vred(const struct stream_check *c, const struct isa_inst *i)
{
    const struct isa_view *a = read_region(c, &i->a, i);
    const struct isa_view *dst =
        written_region(c, &i->dst, i->flags & VRED_H ? 1 : i->h, i->flags & VRED_W ? 1 : i->w);
    return a && dst && same_channels(c, dst, i->flags & VRED_C ? 1 : a->channels);
}

/* Each row of b is read whole; its x has no meaning of its own. */
static bool check_vdot(const struct stream_check *c, const struct isa_inst *i)
{
    const struct isa_view *dst = written_region(c, &i->dst, i->h, i->w);
    const struct isa_view *a = dst ? read_region(c, &i->a, i) : NULL;
    const struct isa_view *b = a ? view_of(c, &i->b) : NULL;
    if (!b)
        return false;
    if (i->b.x != i->dst.x)
        return REJECT(c, "vdot: b must be at dst's column %d", i->dst.x);
    bool kn = i->flags & VDOT_KN;
    if (b->width != (kn ? a->channels : dst->channels) ||
        b->channels != (kn ? dst->channels : a->channels))
        return REJECT(c, "vdot: view %u is %u x %u, not %u sums of %u products", i->b.view,
                      b->width, b->channels, dst->channels, a->channels);
    struct isa_axis y = plain_axis(i->b.y, i->h), x = plain_axis(0, b->width);
    return reads_held(c, b, isa_positions_inside, &y, &x);
}

/* Are all of the dst positions in the list, and none with a source? */
static bool gathers_none(const int32_t *list, uint32_t n_list, struct isa_span dst)
{
    uint32_t k = dst.from;
    while (k < dst.to && k < n_list && list[k] < 0)
        k++;
    return k == dst.to;
}

static bool list_reaches(uint32_t n_list, struct isa_span dst)
{
    return n_list == 0 || dst.to <= n_list;
}

/* Source positions of dst positions [from, from+n): inside the list, held by the source. */
static bool gathered_axis(const struct stream_check *c, const int32_t *list, uint32_t n_list,
                          struct isa_span dst, struct isa_span held, uint32_t extent)
{
    if (n_list == 0) {
        uint32_t last = dst.to < extent ? dst.to : extent; /* beyond it: padding */
        return dst.from >= last || (dst.from >= held.from && last <= held.to) ||
               REJECT(c, "vgat: reads %u..%u, held is [%u, %u)", dst.from, last - 1, held.from,
                      held.to);
    }
    if (dst.to > n_list)
        return REJECT(c, "vgat: position %u, the table ends at %u", dst.to - 1, n_list);
    for (uint32_t k = dst.from; k < dst.to; k++)
        if (list[k] >= 0 && ((uint32_t)list[k] < held.from || (uint32_t)list[k] >= held.to))
            return REJECT(c, "vgat: reads %d, held is [%u, %u)", list[k], held.from, held.to);
    return true;
}

static bool check_vgat(const struct stream_check *c, const struct isa_inst *i)
{
    if (!table_entry(c, i, c->t->n_gathers, "gather table"))
        return false;
    const struct isa_gather *g = &c->t->gathers[i->obj];
    const struct isa_view *dst = written_region(c, &i->dst, i->h, i->w);
    const struct isa_view *a = dst ? source_from_origin(c, i) : NULL;
    if (!a)
        return false;
    struct isa_span rows = {(uint32_t)i->dst.y, (uint32_t)i->dst.y + i->h};
    struct isa_span cols = {(uint32_t)i->dst.x, (uint32_t)i->dst.x + i->w};
    struct isa_span held_y = {(uint32_t)a->y0, (uint32_t)a->y1};
    struct isa_span held_x = {(uint32_t)a->x0, (uint32_t)a->x1}, all = {0, a->channels};
    if (g->n_channels ? g->n_channels != dst->channels : a->channels != dst->channels)
        return REJECT(c, "vgat: %u channels of %u into %u", g->n_channels, a->channels,
                      dst->channels);
    struct isa_span channels = {0, dst->channels};
    if (list_reaches(g->n_rows, rows) && list_reaches(g->n_cols, cols) &&
        (gathers_none(g->rows, g->n_rows, rows) || gathers_none(g->cols, g->n_cols, cols) ||
         gathers_none(g->channels, g->n_channels, channels)))
        return true; /* the fill alone: nothing is read */
    return gathered_axis(c, g->rows, g->n_rows, rows, held_y, a->height) &&
           gathered_axis(c, g->cols, g->n_cols, cols, held_x, a->width) &&
           gathered_axis(c, g->channels, g->n_channels, channels, all, a->channels);
}

/* Any element along the axis may be read; along the others those of the region are. */
static bool check_vtake(const struct stream_check *c, const struct isa_inst *i)
{
    const struct isa_view *dst = written_region(c, &i->dst, i->h, i->w);
    const struct isa_view *a = dst ? view_of(c, &i->a) : NULL;
    const struct isa_view *b = a ? read_region(c, &i->b, i) : NULL;
    if (!b || !same_channels(c, b, dst->channels) ||
        (i->flags != VRED_C && !same_channels(c, a, dst->channels)))
        return false;
    struct isa_axis y = plain_axis(i->a.y, i->h), x = plain_axis(i->a.x, i->w);
    if (i->flags == VRED_H)
        y = plain_axis(0, a->height);
    if (i->flags == VRED_W)
        x = plain_axis(0, a->width);
    return reads_held(c, a, isa_positions_inside, &y, &x);
}

/* What a route's targets have to be, for whoever sends or signals by it. */
static bool targets_fit(const struct stream_check *c, const struct isa_inst *i,
                        const struct isa_view *source, struct route_use *use)
{
    const struct isa_route *r = &c->t->routes[i->obj];
    for (uint32_t k = 0; k < r->n_targets; k++) {
        const struct isa_target *to = &r->targets[k];
        const struct isa_tile *tile = &c->p->tiles[to->tile];
        if (!source && to->view)
            return REJECT(c, "signal: route %u names a view", i->obj);
        if (!source)
            continue;
        if (to->view >= tile->n_views)
            return REJECT(c, "send: tile %u has no view %u", to->tile, to->view);
        const struct isa_view *v = &tile->views[to->view];
        if (v->channels != source->channels)
            return REJECT(c, "send: %u channels into view %u of tile %u, which has %u",
                          source->channels, to->view, to->tile, v->channels);
        if (v->element != source->element)
            return REJECT(c, "send: %s elements into view %u of tile %u, which has others",
                          element_name(source->element), to->view, to->tile);
        use->shares |= shared_place(v, (int64_t)v->y1 - v->y0, (int64_t)v->x1 - v->x0) != NULL;
    }
    return true;
}

/* What of [from, from + n) is in [lo, hi). */
static int64_t n_within(int64_t from, int64_t n, int64_t lo, int64_t hi)
{
    return min_i64(from + n, hi) - max_i64(from, lo);
}

/* Of what is sent the targets' views hold a part. */
static bool deliveries_apart(const struct stream_check *c, const struct isa_inst *i)
{
    const struct isa_route *r = &c->t->routes[i->obj];
    for (uint32_t k = 0; k < r->n_targets; k++) {
        const struct isa_target *to = &r->targets[k];
        const struct isa_view *v = &c->p->tiles[to->tile].views[to->view];
        int64_t h = n_within(i->a.y, i->h, v->y0, v->y1), w = n_within(i->a.x, i->w, v->x0, v->x1);
        const char *shared = h > 0 && w > 0 ? shared_place(v, h, w) : NULL;
        if (shared)
            return REJECT(c, "send: several %s of view %u of tile %u are written at one place",
                          shared, to->view, to->tile);
    }
    return true;
}

/* SEND (with its source) or SIGNAL (source NULL). */
static bool check_message(const struct stream_check *c, const struct isa_inst *i,
                          const struct isa_view *source)
{
    if (!table_entry(c, i, c->t->n_routes, "route"))
        return false;
    struct route_use *use = &c->uses[i->obj];
    if (use->used && use->queue != i->queue)
        return REJECT(c, "%s: route %u is used by queue %u too", c->op, i->obj, use->queue);
    uint32_t channels = source ? source->channels : 0;
    enum element element = source ? source->element : ELEMENT_f32;
    bool checked = use->used && use->channels == channels && use->element == element;
    *use = (struct route_use){true,    i->queue,          channels,
                              element, use->messages + 1, checked && use->shares};
    return (checked || targets_fit(c, i, source, use)) &&
           (!source || !use->shares || deliveries_apart(c, i));
}

static bool check_send(const struct stream_check *c, const struct isa_inst *i)
{
    const struct isa_view *a = held_region(c, &i->a, i->h, i->w);
    return a && check_message(c, i, a);
}

/* LOAD writes the region, STORE reads it. */
static bool check_dma(const struct stream_check *c, const struct isa_inst *i,
                      const struct isa_region *r)
{
    if (!table_entry(c, i, c->p->n_bindings, "binding"))
        return false;
    const struct isa_binding *b = &c->p->bindings[i->obj];
    bool loads = i->op == ISA_load;
    const struct isa_view *v =
        loads ? written_region(c, r, i->h, i->w) : held_region(c, r, i->h, i->w);
    if (!v)
        return false;
    if (b->output == loads)
        return REJECT(c, "%s: binding %u is an %s", c->op, i->obj, b->output ? "output" : "input");
    if (i->y < 0 || (int64_t)i->y + i->h > b->height || i->x < 0 ||
        (int64_t)i->x + i->w > b->width || (int64_t)i->c + v->channels > b->channels)
        return REJECT(c, "%s: %u x %u x %u at (%d, %d, %u) leave binding %u", c->op, i->h, i->w,
                      v->channels, i->y, i->x, i->c, i->obj);
    return true;
}

static bool check_operands(const struct stream_check *c, const struct isa_inst *i)
{
    switch ((enum isa_op)i->op) {
    case ISA_mvm: return check_mvm(c, i);
    case ISA_vmap: return check_vmap(c, i);
    case ISA_vwin: return check_vwin(c, i);
    case ISA_vred: return check_vred(c, i);
    case ISA_vgat: return check_vgat(c, i);
    case ISA_vdot: return check_vdot(c, i);
    case ISA_vtake: return check_vtake(c, i);
    case ISA_send: return check_send(c, i);
    case ISA_signal: return check_message(c, i, NULL);
    case ISA_load: return check_dma(c, i, &i->dst);
    case ISA_store: return check_dma(c, i, &i->a);
    case ISA_nop:
    case ISA_wait: return true;
    }
    return REJECT(c, "unknown operation");
}

/* ---- what all instructions have in common ---- */

static bool check_queue(const struct stream_check *c, const struct isa_inst *i)
{
    const struct isa_tile *t = c->t;
    bool ok = i->queue < isa_n_queues(t);
    switch ((enum isa_op)i->op) {
    case ISA_mvm:
        /* a group that does not exist is reported as such */
        ok = ok && (i->obj >= t->n_groups || i->queue == isa_queue_group(t, i->obj));
        break;
    case ISA_vmap:
    case ISA_vwin:
    case ISA_vred:
    case ISA_vgat:
    case ISA_vdot:
    case ISA_vtake: ok = i->queue == isa_queue_vu(t); break;
    case ISA_send: ok = i->queue == isa_queue_tx(t); break;
    case ISA_load:
    case ISA_store: ok = i->queue == isa_queue_dma(t); break;
    default: break;
    }
    return ok || REJECT(c, "%s: does not belong in queue %u", c->op, i->queue);
}

static bool counter_exists(const struct stream_check *c, uint32_t counter)
{
    if (counter < ISA_FIRST_INBOUND)
        return counter < isa_n_queues(c->t);
    return counter - ISA_FIRST_INBOUND < c->t->n_inbound ||
           (counter == ISA_PACE_COUNTER && c->p->pace > 0);
}

static bool check_waits(const struct stream_check *c, const struct isa_inst *i)
{
    for (unsigned k = 0; k < i->n_waits; k++) {
        const struct isa_wait *w = &i->wait[k];
        if (!counter_exists(c, w->counter))
            return REJECT(c, "%s: waits for counter %u, which does not exist", c->op, w->counter);
        if (w->threshold > ISA_MAX_COUNT && (!c->p->frames || w->threshold >> ISA_THRESHOLD_BITS))
            return REJECT(c, "%s: threshold %d is above %d, or below 0 without frames", c->op,
                          isa_threshold(w->threshold), ISA_MAX_COUNT);
    }
    return true;
}

/* Stages, and instructions of some frames only. */
static bool check_frames(const struct stream_check *c, const struct isa_inst *i)
{
    bool some = isa_frame_flags(i) != 0;
    return c->p->frames || (!i->stage && !some) ||
           REJECT(c, "%s: stage %u, flags %u in a program without frames", c->op, i->stage,
                  i->flags);
}

static bool check_types(const struct stream_check *c, const struct isa_inst *i)
{
    const char *fault = isa_type_fault(c->p, c->t, i);
    return !fault || REJECT(c, "%s: %s", c->op, fault);
}

static bool is_place(int32_t y, int32_t x)
{
    return isa_within(y, -ISA_MAX_EXTENT, ISA_MAX_EXTENT) &&
           isa_within(x, -ISA_MAX_EXTENT, ISA_MAX_EXTENT);
}

/* A stream has more bits for what lies from the region on. */
static bool check_places(const struct stream_check *c, const struct isa_inst *i)
{
    return (is_place(i->dst.y, i->dst.x) && is_place(i->a.y, i->a.x) && is_place(i->b.y, i->b.x)) ||
           REJECT(c, "%s: coordinates beyond +-%d", c->op, ISA_MAX_EXTENT);
}

static bool check_instruction(struct stream_check *c, const struct isa_inst *i)
{
    const char *reason = isa_inst_illegal(i);
    if (reason)
        return REJECT(c, "operation %u: %s", i->op, reason);
    c->op = isa_op_name(i->op);
    uint32_t node = c->t->sources[c->index];
    if (node >= c->p->n_nodes && node != ISA_NO_SOURCE)
        return REJECT(c, "%s: no node %u", c->op, node);
    if (isa_op_has_extent(i->op) && (i->h == 0 || i->w == 0))
        return REJECT(c, "%s: an empty region", c->op);
    return check_queue(c, i) && check_places(c, i) && check_frames(c, i) && check_waits(c, i) &&
           check_operands(c, i) && check_types(c, i);
}

bool isa_validate_stream(const struct isa_program *p, uint32_t tile,
                         const struct group_facts *facts, struct route_use *uses,
                         struct fault_sink *s)
{
    struct isa_reaches reaches = {0};
    struct stream_check c = {p, &p->tiles[tile], facts, uses, s, &reaches, 0, ""};
    uint32_t counts[ISA_N_QUEUES] = {0};
    bool ok = true;
    for (; c.index < c.t->n_insts && s->n <= ISA_MAX_FAULTS; c.index++) {
        const struct isa_inst *i = &c.t->insts[c.index];
        if (!check_instruction(&c, i))
            ok = false;
        else if (++counts[i->queue] == ISA_MAX_COUNT + 1)
            ok = REJECT(&c, "queue %u counts more than %d instructions", i->queue, ISA_MAX_COUNT);
    }
    isa_reaches_free(&reaches);
    return ok;
}
