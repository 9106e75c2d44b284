/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * batch_touch.c - which cells an instruction reads and writes.
 *
 * In: a decoded instruction. Out: spans of cells, exactly those of the elements that it reads and
 * writes (rounded to cells). Stores that no instruction writes have no cells: nothing depends on
 * them.
 */
#include "sim_view.h"

/* Spans of one instruction; what touches more is taken to touch all of the store. */
enum { MOST_SPANS = 1 << 22 };

struct toucher {
    struct sim *s;
    uint32_t tile;
    struct sim_spans *to;
    bool writes, too_many;
    uint32_t left;   /* the cell left of the first one that is written */
    int64_t to_tags; /* of an unrolled row at hand: cells from its own to those of its slot */
};

static void touch_bytes(struct toucher *t, const struct sim_store *m, uint64_t from, uint64_t bytes)
{
    uint64_t first = from / m->cell_bytes, last = (from + bytes - 1) / m->cell_bytes;
    if (t->to->n >= MOST_SPANS) {
        t->too_many = true;
        first = 0;
        last = m->n_cells - 1;
    }
    struct sim_span span = {.cell = (uint32_t)(m->cells + first),
                            .n = (uint32_t)(last - first + 1)};
    const struct sim_span *before = t->to->n > 0 ? &t->to->at[t->to->n - 1] : NULL;
    if (before && before->cell == span.cell && before->n == span.n) /* a pitch of 0 */
        return;
    span.unrolled = m->unrolled;
    span.framed = m->framed;
    span.tag = (uint32_t)((int64_t)(m->tags + first) + t->to_tags);
    VEC_PUSH(t->to, span);
}

static void touch_pixel(struct toucher *t, const struct sim_view *v, const struct sim_store *m,
                        uint64_t at, const struct run *r)
{
    if (v->pixel_bytes > 0) {
        touch_bytes(t, m, at + r->c0 * v->element_bytes, r->nc * v->element_bytes);
        return;
    }
    for (uint32_t c = r->c0; c < r->c0 + r->nc; c++)
        touch_bytes(t, m, at + (uint64_t)(c * v->v.channel_pitch), v->element_bytes);
}

static int64_t modulo(int64_t x, int64_t n)
{
    int64_t rest = x % n;
    return rest < 0 ? rest + n : rest;
}

/* From an unrolled row, counted from the store's first one, to its slot. */
static int64_t cells_to_slot(const struct sim_store *m, int64_t row)
{
    int64_t slot = modulo(row + m->row0, m->ring_rows);
    return (slot - modulo(row, m->rows)) * (int64_t)m->row_cells;
}

/* What the view holds of the run; the rest is padding, or dropped. */
static void touch_run(struct toucher *t, uint32_t view, struct run r)
{
    const struct sim_view *v = &t->s->tiles[t->tile].views[view];
    if (v->store == SIM_NONE)
        return;
    const struct sim_store *m = &t->s->stores.at[v->store];
    if (!m->written || !clip_run(&v->v, &r))
        return;
    uint64_t at = view_address(&v->v, t->s->at_frame, r.y, r.x);
    if (m->unrolled && t->writes)
        t->to_tags = cells_to_slot(m, view_row(&v->v, t->s->at_frame, r.y));
    int64_t col = r.step * v->v.col_pitch;
    if (t->writes && t->to->n == 0 && r.x > v->v.x0 && col > 0)
        t->left = (uint32_t)(m->cells + (at - (uint64_t)col) / m->cell_bytes);
    if (v->pixel_bytes > 0 && (uint64_t)col == (uint64_t)r.nc * v->element_bytes) {
        touch_bytes(t, m, at + r.c0 * v->element_bytes, (uint64_t)col * r.n);
        return;
    }
    for (uint32_t i = 0; i < r.n; i++, at += (uint64_t)col)
        touch_pixel(t, v, m, at, &r);
}

static void touch_region(struct toucher *t, const struct isa_region *at, uint32_t h, uint32_t w)
{
    uint32_t channels = view_of(t->s, t->tile, at->view)->channels;
    for (uint32_t i = 0; i < h; i++)
        touch_run(
            t, at->view,
            (struct run){.y = (int64_t)at->y + i, .x = at->x, .step = 1, .n = w, .nc = channels});
}

/* ---- reads ---- */

/* Columns x * stride + k - pad of one row, for w pixels and the kernel's n columns from k0 on. */
struct taps {
    int64_t y, x; /* of the first pixel's first tap */
    uint32_t w, n, stride, dilation, c0, nc;
};

static void touch_taps(struct toucher *t, uint32_t view, const struct taps *k)
{
    struct run r = {.y = k->y, .x = k->x, .step = 1, .c0 = k->c0, .nc = k->nc};
    if (k->dilation == 1 && k->stride <= k->n) { /* windows touch or overlap */
        r.n = (k->w - 1) * k->stride + k->n;
        touch_run(t, view, r);
        return;
    }
    r.step = k->stride;
    r.n = k->w;
    for (uint32_t i = 0; i < k->n; i++, r.x += k->dilation)
        touch_run(t, view, r);
}

/* What the last patch of a row of products reads where it is cut off. */
static void cut_off_reads(struct toucher *t, const struct isa_inst *inst,
                          const struct mvm_segment *seg, const struct taps *whole)
{
    const struct isa_group *g = &t->s->p->tiles[t->tile].groups[inst->obj];
    const struct mvm_plan *plan = &t->s->tiles[t->tile].mvm[inst->obj];
    uint32_t pixels = inst->w % plan->m.patch[1];
    struct taps one = *whole;
    one.x += (int64_t)whole->w * whole->stride;
    one.w = one.n = 1;
    for (uint32_t k = 0; k < seg->taps && pixels > 0; k++, one.x += plan->m.step[1])
        if (isa_mapping_reader(&plan->m, 1, seg->x + k * plan->m.step[1]) < pixels)
            touch_taps(t, g->source_view, &one);
}

static void mvm_reads(struct toucher *t, const struct isa_inst *inst)
{
    const struct isa_group *g = &t->s->p->tiles[t->tile].groups[inst->obj];
    const struct mvm_plan *plan = &t->s->tiles[t->tile].mvm[inst->obj];
    const uint32_t *patch = plan->m.patch;
    for (uint32_t i = 0; i < inst->h; i += patch[0])
        for (uint32_t k = 0; k < plan->n_segments; k++) {
            const struct mvm_segment *seg = &plan->segments[k];
            struct taps taps = {
                .y = (inst->dst.y + (int64_t)i) * g->stride[0] + (int64_t)seg->y - g->pad_top,
                .x = (int64_t)inst->dst.x * g->stride[1] + (int64_t)seg->x - g->pad_left,
                .w = inst->w / patch[1],
                .n = seg->taps,
                .stride = patch[1] * g->stride[1],
                .dilation = plan->m.step[1],
                .c0 = seg->channel,
                .nc = seg->n};
            if (seg->reader >= inst->h - i)
                continue;
            if (taps.w > 0)
                touch_taps(t, g->source_view, &taps);
            cut_off_reads(t, inst, seg, &taps);
        }
}

static void overlap_reads(struct toucher *t, const struct isa_inst *inst)
{
    const struct isa_window *w = &t->s->p->tiles[t->tile].windows[inst->obj];
    const struct isa_view *a = view_of(t->s, t->tile, inst->a.view);
    uint32_t channels = view_of(t->s, t->tile, inst->dst.view)->channels;
    for (uint32_t i = 0; i < inst->h; i++)
        for (uint32_t tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++) {
            struct overlap_row row =
                overlap_row(w, a, tap, inst->dst.y + (int64_t)i, inst->dst.x, inst->w);
            struct run r = {.y = row.y, .x = row.x, .step = 1, .n = row.n, .nc = channels};
            r.c0 = tap * channels;
            if (row.n > 0)
                touch_run(t, inst->a.view, r);
        }
}

static void vwin_reads(struct toucher *t, const struct isa_inst *inst)
{
    const struct isa_window *w = &t->s->p->tiles[t->tile].windows[inst->obj];
    uint32_t channels = view_of(t->s, t->tile, inst->a.view)->channels;
    if (w->kind == WINDOW_OVERLAP) {
        overlap_reads(t, inst);
        return;
    }
    for (uint32_t i = 0; i < inst->h; i++)
        for (uint32_t k = 0; k < w->kernel[0]; k++) {
            struct taps taps = {.y = (inst->dst.y + (int64_t)i) * w->stride[0] +
                                     (int64_t)k * w->dilation[0] - w->pad_top,
                                .x = (int64_t)inst->dst.x * w->stride[1] - w->pad_left,
                                .w = inst->w,
                                .n = w->kernel[1],
                                .stride = w->stride[1],
                                .dilation = w->dilation[1],
                                .nc = channels};
            touch_taps(t, inst->a.view, &taps);
        }
}

static void vgat_reads(struct toucher *t, const struct isa_inst *inst)
{
    const struct isa_gather *g = &t->s->p->tiles[t->tile].gathers[inst->obj];
    uint32_t channels = view_of(t->s, t->tile, inst->a.view)->channels;
    for (uint32_t i = 0; i < inst->h; i++)
        for (uint32_t j = 0; j < inst->w; j++) {
            int64_t y = (int64_t)inst->dst.y + i, x = (int64_t)inst->dst.x + j;
            struct run r = {.y = g->n_rows > 0 ? g->rows[y] : y,
                            .x = g->n_cols > 0 ? g->cols[x] : x,
                            .step = 1,
                            .n = 1,
                            .nc = channels};
            if (g->n_channels == 0) {
                touch_run(t, inst->a.view, r);
                continue;
            }
            for (uint32_t c = 0; c < g->n_channels; c += r.nc) {
                r.c0 = (uint32_t)g->channels[c];
                r.nc = gather_run(g, c, g->n_channels);
                if (g->channels[c] != -1)
                    touch_run(t, inst->a.view, r);
            }
        }
}

/* All of the source along the axis, and the indices. */
static void vtake_reads(struct toucher *t, const struct isa_inst *inst)
{
    const struct isa_view *a = view_of(t->s, t->tile, inst->a.view);
    struct isa_region from = inst->a;
    uint32_t h = inst->h, w = inst->w;
    if (inst->flags == VRED_H)
        from.y = 0, h = a->height;
    if (inst->flags == VRED_W)
        from.x = 0, w = a->width;
    touch_region(t, &from, h, w);
    touch_region(t, &inst->b, inst->h, inst->w);
}

static void vmap_reads(struct toucher *t, const struct isa_inst *inst)
{
    const struct isa_program_entry *program = &t->s->p->tiles[t->tile].programs[inst->obj];
    const struct lane_plan *plan = &t->s->tiles[t->tile].lanes[inst->obj];
    struct isa_region constants = {.view = (uint16_t)program->constants_view};
    touch_region(t, &inst->a, inst->h, inst->w);
    if (program->arity == 2)
        touch_region(t, &inst->b, inst->h, inst->w);
    for (uint32_t i = 0; i < plan->n_constants; i++) {
        constants.y = plan->constants[i];
        touch_region(t, &constants, 1, 1);
    }
}

static void vdot_reads(struct toucher *t, const struct isa_inst *inst)
{
    const struct isa_region rows = {.view = inst->b.view, .y = inst->b.y};
    touch_region(t, &inst->a, inst->h, inst->w);
    touch_region(t, &rows, inst->h, view_of(t->s, t->tile, rows.view)->width);
}

static void touch_reads(struct toucher *t, const struct isa_inst *inst)
{
    switch (inst->op) {
    case ISA_mvm: mvm_reads(t, inst); return;
    case ISA_vmap: vmap_reads(t, inst); return;
    case ISA_vwin: vwin_reads(t, inst); return;
    case ISA_vgat: vgat_reads(t, inst); return;
    case ISA_vdot: vdot_reads(t, inst); return;
    case ISA_vtake: vtake_reads(t, inst); return;
    case ISA_vred:
    case ISA_send:
    case ISA_store: touch_region(t, &inst->a, inst->h, inst->w); return;
    default: return;
    }
}

/* ---- writes ---- */

static void touch_writes(struct toucher *t, const struct isa_inst *inst)
{
    uint32_t h = inst->h, w = inst->w;
    if (inst->op == ISA_store)
        return;
    if (inst->op == ISA_send) {
        const struct isa_route *route = &t->s->p->tiles[t->tile].routes[inst->obj];
        for (uint32_t i = 0; i < route->n_targets; i++) {
            struct isa_region at = inst->a;
            at.view = (uint16_t)route->targets[i].view;
            t->tile = route->targets[i].tile;
            touch_region(t, &at, h, w);
        }
        return;
    }
    if (inst->op == ISA_vred) {
        h = inst->flags & VRED_H ? 1 : h;
        w = inst->flags & VRED_W ? 1 : w;
    }
    touch_region(t, &inst->dst, h, w);
}

bool sim_touch(struct sim *s, uint32_t tile, const struct isa_inst *inst, struct sim_spans *reads,
               struct sim_spans *writes, uint32_t *left)
{
    reads->n = writes->n = 0;
    struct toucher t = {.s = s, .tile = tile, .to = reads, .left = SIM_NONE};
    touch_reads(&t, inst);
    t.to = writes;
    t.writes = true;
    touch_writes(&t, inst);
    *left = t.left;
    return !t.too_many;
}

/* ---- views of a family ---- */

void sim_family_reads(struct sim *s, const struct sim_family *f, sim_view_body *body)
{
    const struct isa_tile *t = &s->p->tiles[f->tile];
    const struct isa_inst *i = &f->inst;
    if (i->op == ISA_load)
        return;
    body(s, f->tile, i->op == ISA_mvm ? t->groups[i->obj].source_view : i->a.view);
    if (i->op == ISA_vdot || i->op == ISA_vtake)
        body(s, f->tile, i->b.view);
    if (i->op != ISA_vmap)
        return;
    if (t->programs[i->obj].arity == 2)
        body(s, f->tile, i->b.view);
    if (s->tiles[f->tile].lanes[i->obj].n_constants > 0)
        body(s, f->tile, t->programs[i->obj].constants_view);
}

void sim_family_writes(struct sim *s, const struct sim_family *f, sim_view_body *body)
{
    const struct isa_inst *i = &f->inst;
    if (i->op == ISA_store)
        return;
    if (i->op != ISA_send) {
        body(s, f->tile, i->dst.view);
        return;
    }
    const struct isa_route *route = &s->p->tiles[f->tile].routes[i->obj];
    for (uint32_t k = 0; k < route->n_targets; k++)
        body(s, route->targets[k].tile, route->targets[k].view);
}
