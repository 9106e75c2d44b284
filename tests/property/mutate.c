/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* mutate.c - the mutations, by kind: of waits, instructions, routes and views; mutate_tables.c. */
#include "mutate_pick.h"

#include <stdlib.h>
#include <string.h>

/* ---- copying ---- */

static void *copy(struct arena *a, const void *from, size_t n, size_t bytes)
{
    void *to = arena_alloc_array(a, n + 1, bytes);
    if (n)
        memcpy(to, from, n * bytes);
    return to;
}
#define COPY(a, table, n) ((table) = copy((a), (table), (n), sizeof *(table)))

static void copy_tile(struct arena *a, struct isa_tile *t)
{
    COPY(a, t->views, t->n_views);
    COPY(a, t->groups, t->n_groups);
    COPY(a, t->windows, t->n_windows);
    COPY(a, t->programs, t->n_programs);
    COPY(a, t->routes, t->n_routes);
    COPY(a, t->gathers, t->n_gathers);
    COPY(a, t->preloads, t->n_preloads);
    COPY(a, t->tables, t->n_tables);
    COPY(a, t->step, t->n_steps);
    for (uint32_t i = 0; i < t->n_groups; i++) {
        struct isa_group *g = &t->groups[i];
        COPY(a, g->pes, g->n_pes);
        for (uint32_t k = 0; k < g->n_pes; k++)
            COPY(a, g->pes[k].runs, g->pes[k].n_runs);
    }
    for (uint32_t i = 0; i < t->n_routes; i++)
        COPY(a, t->routes[i].targets, t->routes[i].n_targets);
    for (uint32_t i = 0; i < t->n_gathers; i++) {
        struct isa_gather *g = &t->gathers[i];
        COPY(a, g->rows, g->n_rows);
        COPY(a, g->cols, g->n_cols);
        COPY(a, g->channels, g->n_channels);
    }
    COPY(a, t->insts, t->n_insts);
    t->stream = t->source_map = (struct isa_bytes){0}; /* not encoded yet */
}

struct isa_program *mutate_clone(const struct isa_program *p)
{
    struct isa_program *q = isa_program_new();
    struct arena *a = q->arena;
    *q = *p;
    q->arena = a;
    q->file = (struct file){0};
    COPY(a, q->tiles, q->n_tiles);
    COPY(a, q->bindings, q->n_bindings);
    COPY(a, q->images, q->n_images);
    for (uint32_t i = 0; i < q->n_images; i++)
        COPY(a, q->images[i].shift, q->images[i].n_shift);
    for (uint32_t t = 0; t < q->n_tiles; t++)
        copy_tile(a, &q->tiles[t]);
    return q;
}

/* ---- instructions of a program ---- */

/* An instruction of the program, and what becomes of it. */
struct site {
    struct isa_tile *t;
    uint32_t index;
    struct isa_inst in;
};

static void put(const struct site *s)
{
    struct isa_inst *to = (struct isa_inst *)s->t->insts + s->index;
    *to = s->in;
    if (to->op == ISA_vmap && s->t->programs[to->obj].arity == 1)
        to->b = (struct isa_region){0, to->dst.y, to->dst.x};
}

typedef bool predicate(const struct site *s);

/* The first that fits, from a random tile and instruction on. */
static bool find_site(struct isa_program *p, uint64_t *state, predicate *fits, struct site *out)
{
    uint32_t tile = (uint32_t)pick(state, 0, (int64_t)p->n_tiles - 1);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        struct site s = {.t = &p->tiles[(tile + i) % p->n_tiles]};
        uint32_t n = s.t->n_insts, from = n ? (uint32_t)pick(state, 0, (int64_t)n - 1) : 0;
        for (uint32_t k = 0; k < n; k++) {
            s.index = (from + k) % n;
            s.in = s.t->insts[s.index];
            if (fits(&s)) {
                *out = s;
                return true;
            }
        }
    }
    return false;
}

static bool has_fields(const struct site *s)
{
    return s->in.op != ISA_nop && s->in.op != ISA_wait && s->in.op != ISA_signal;
}

static bool is_io(const struct site *s)
{
    return s->in.op == ISA_load || s->in.op == ISA_store;
}

static bool has_dst(const struct site *s)
{
    return has_fields(s) && s->in.op != ISA_send && s->in.op != ISA_store;
}

static bool has_a(const struct site *s)
{
    return has_fields(s) && s->in.op != ISA_mvm && s->in.op != ISA_load;
}

static bool has_b(const struct site *s)
{
    return s->in.op == ISA_vmap && s->t->programs[s->in.obj].arity == 2;
}

/* ---- waits ---- */

static bool has_wait(const struct site *s)
{
    return s->in.n_waits > 0;
}

static struct isa_wait *pick_wait(struct isa_inst *in, uint64_t *state)
{
    return &in->wait[pick(state, 0, in->n_waits - 1)];
}

static bool drop_wait(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, has_wait, &s))
        return false;
    *pick_wait(&s.in, state) = s.in.wait[s.in.n_waits - 1];
    s.in.n_waits--;
    put(&s);
    return true;
}

static bool lower_threshold(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, has_wait, &s))
        return false;
    struct isa_wait *w = pick_wait(&s.in, state);
    if (w->threshold == 0 && !p->frames)
        return false;
    int64_t by = pick(state, 0, 2) ? 1 : pick(state, 1, max_i64(1, w->threshold));
    w->threshold = (uint32_t)(w->threshold - by) & ((1u << ISA_THRESHOLD_BITS) - 1);
    put(&s);
    return true;
}

static bool other_counter(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, has_wait, &s))
        return false;
    struct isa_wait *w = pick_wait(&s.in, state);
    uint32_t queues = isa_n_queues(s.t), number = w->counter;
    if (number >= ISA_FIRST_INBOUND)
        number = number - ISA_FIRST_INBOUND + queues;
    if (!pick_other(state, queues + s.t->n_inbound, number, &number))
        return false;
    w->counter = (uint16_t)(number < queues ? number : number - queues + ISA_FIRST_INBOUND);
    put(&s);
    return true;
}

/* ---- instructions ---- */

static bool shift_dst(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, has_dst, &s))
        return false;
    int32_t *at = pick(state, 0, 1) ? &s.in.dst.y : &s.in.dst.x;
    *at += one_up_or_down(state);
    put(&s);
    return true;
}

static bool shift_source(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, has_a, &s))
        return false;
    struct isa_region *r = has_b(&s) && pick(state, 0, 1) ? &s.in.b : &s.in.a;
    int32_t *at = pick(state, 0, 1) ? &r->y : &r->x;
    *at += one_up_or_down(state);
    put(&s);
    return true;
}

static bool shift_io(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, is_io, &s))
        return false;
    switch (pick(state, 0, 2)) {
    case 0: s.in.y += one_up_or_down(state); break;
    case 1: s.in.x += one_up_or_down(state); break;
    default: s.in.c++;
    }
    put(&s);
    return true;
}

static bool other_view(struct isa_program *p, uint64_t *state)
{
    struct site s;
    uint32_t view;
    if (!find_site(p, state, has_fields, &s))
        return false;
    struct isa_region *r = has_dst(&s) ? &s.in.dst : &s.in.a;
    if (has_a(&s) && pick(state, 0, 1))
        r = has_b(&s) && pick(state, 0, 1) ? &s.in.b : &s.in.a;
    if (!pick_other(state, s.t->n_views, r->view, &view))
        return false;
    r->view = (uint16_t)view;
    put(&s);
    return true;
}

static bool other_extent(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, has_fields, &s))
        return false;
    uint16_t *extent = pick(state, 0, 1) ? &s.in.h : &s.in.w;
    *extent = (uint16_t)(*extent + (*extent == 1 ? 1 : one_up_or_down(state)));
    put(&s);
    return true;
}

static uint32_t objects(const struct isa_program *p, const struct site *s)
{
    switch (s->in.op) {
    case ISA_mvm: return s->t->n_groups;
    case ISA_vmap: return s->t->n_programs;
    case ISA_vwin: return s->t->n_windows;
    case ISA_vgat: return s->t->n_gathers;
    case ISA_send: return s->t->n_routes;
    case ISA_signal: return s->t->n_routes;
    case ISA_load: return p->n_bindings;
    case ISA_store: return p->n_bindings;
    default: return 0;
    }
}

static bool has_flags(const struct site *s)
{
    return s->in.op == ISA_vred || s->in.op == ISA_vdot || s->in.op == ISA_vtake;
}

static bool has_object(const struct site *s)
{
    return !has_flags(s) && (has_fields(s) || s->in.op == ISA_signal);
}

static bool other_object(struct isa_program *p, uint64_t *state)
{
    struct site s;
    uint32_t obj;
    if (!find_site(p, state, has_object, &s) || !pick_other(state, objects(p, &s), s.in.obj, &obj))
        return false;
    s.in.obj = (uint16_t)obj;
    if (s.in.op == ISA_mvm && pick(state, 0, 3))
        s.in.queue = (uint8_t)obj;
    put(&s);
    return true;
}

/* Another reduction, another order of a matrix, another axis of a take. */
static bool other_flags(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, has_flags, &s))
        return false;
    uint8_t old = s.in.flags;
    do
        s.in.flags = (uint8_t)pick(state, 0, 15);
    while (s.in.flags == old || isa_inst_illegal(&s.in));
    put(&s);
    return true;
}

static bool before_another(const struct site *s)
{
    return s->index + 1 < s->t->n_insts;
}

static bool swap_with(struct site *s, uint32_t other)
{
    struct site o = {s->t, other, s->t->insts[other]};
    uint32_t index = s->index;
    if (isa_inst_equal(&s->in, &o.in))
        return false;
    s->index = other;
    o.index = index;
    put(s);
    put(&o);
    return true;
}

static bool swap_neighbours(struct isa_program *p, uint64_t *state)
{
    struct site s;
    return find_site(p, state, before_another, &s) && swap_with(&s, s.index + 1);
}

static bool swap_in_queue(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, before_another, &s))
        return false;
    for (uint32_t i = s.index + 1; i < s.t->n_insts; i++)
        if (s.t->insts[i].queue == s.in.queue)
            return swap_with(&s, i);
    return false;
}

static bool does_something(const struct site *s)
{
    return s->in.op != ISA_nop;
}

/* The instruction still counts and waits, but does nothing. */
static bool drop_instruction(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!find_site(p, state, does_something, &s))
        return false;
    struct isa_inst old = s.in;
    bool keep_waits = old.op != ISA_wait && old.n_waits && pick(state, 0, 1);
    s.in = isa_inst_new(keep_waits ? ISA_wait : ISA_nop, old.queue);
    for (unsigned k = 0; keep_waits && k < old.n_waits; k++)
        isa_inst_wait(&s.in, old.wait[k].counter, old.wait[k].threshold);
    put(&s);
    return true;
}

/* ---- frames ---- */

static bool any(const struct site *s)
{
    (void)s;
    return true;
}

static bool other_stage(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!p->frames || !find_site(p, state, any, &s))
        return false;
    s.in.stage = (uint8_t)(s.in.stage ? s.in.stage + one_up_or_down(state) : 1);
    put(&s);
    return true;
}

/* In the first or the last frame only. */
static bool in_some_frames(struct isa_program *p, uint64_t *state)
{
    struct site s;
    if (!p->frames || !find_site(p, state, is_io, &s))
        return false;
    s.in.flags ^= pick(state, 0, 1) ? DMA_FIRST : DMA_LAST;
    put(&s);
    return true;
}

static bool has_step(const struct isa_tile *t)
{
    return t->n_steps > 0;
}

/* Other numbers of messages in a body, of rows and of elements from frame to frame. */
static bool other_step(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_step);
    if (!t)
        return false;
    t->step[pick(state, 0, (int64_t)t->n_steps - 1)] += (uint32_t)one_up_or_down(state);
    return true;
}

static bool other_frame_stride(struct isa_program *p, uint64_t *state)
{
    if (!p->frames || !p->n_bindings)
        return false;
    struct isa_binding *b = &p->bindings[pick(state, 0, (int64_t)p->n_bindings - 1)];
    b->frame_stride = pick(state, 0, 1) ? 0 : b->frame_stride + one_up_or_down(state);
    return true;
}

/* ---- routes ---- */

static bool has_route(const struct isa_tile *t)
{
    return t->n_routes > 0;
}

static struct isa_route *pick_route(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_route);
    return t ? &t->routes[pick(state, 0, (int64_t)t->n_routes - 1)] : NULL;
}

static struct isa_target *pick_target(struct isa_program *p, uint64_t *state)
{
    struct isa_route *r = pick_route(p, state);
    return r && r->n_targets ? &r->targets[pick(state, 0, (int64_t)r->n_targets - 1)] : NULL;
}

static bool other_target_tile(struct isa_program *p, uint64_t *state)
{
    struct isa_target *t = pick_target(p, state);
    return t && pick_other(state, p->n_tiles, t->tile, &t->tile);
}

static bool other_target_view(struct isa_program *p, uint64_t *state)
{
    struct isa_target *t = pick_target(p, state);
    return t && pick_other(state, p->tiles[t->tile].n_views, t->view, &t->view);
}

static bool other_target_counter(struct isa_program *p, uint64_t *state)
{
    struct isa_target *t = pick_target(p, state);
    if (!t)
        return false;
    uint32_t number = t->counter - ISA_FIRST_INBOUND;
    if (!pick_other(state, p->tiles[t->tile].n_inbound, number, &number))
        return false;
    t->counter = number + ISA_FIRST_INBOUND;
    return true;
}

static bool drop_target(struct isa_program *p, uint64_t *state)
{
    struct isa_route *r = pick_route(p, state);
    if (!r || r->n_targets < 2)
        return false;
    uint32_t at = (uint32_t)pick(state, 0, (int64_t)r->n_targets - 1);
    r->targets[at] = r->targets[--r->n_targets];
    return true;
}

/* ---- views ---- */

static bool has_view(const struct isa_tile *t)
{
    return t->n_views > 0;
}

static struct isa_view *pick_view(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_view);
    return t ? &t->views[pick(state, 0, (int64_t)t->n_views - 1)] : NULL;
}

static bool shorter_ring(struct isa_program *p, uint64_t *state)
{
    for (int i = 0; i < 50; i++) {
        struct isa_view *v = pick_view(p, state);
        if (v && v->ring_rows > 1) {
            v->ring_rows--;
            return true;
        }
    }
    return false;
}

/* All views of the same ring: what a planner that is one row too tight would emit. */
static bool shorter_ring_everywhere(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_view);
    if (!t)
        return false;
    struct isa_view is = t->views[pick(state, 0, (int64_t)t->n_views - 1)];
    if (is.ring_rows < 2)
        return false;
    for (uint32_t i = 0; i < t->n_views; i++) {
        struct isa_view *v = &t->views[i];
        if (v->ring_rows == is.ring_rows && v->row_pitch == is.row_pitch &&
            llabs((long long)(v->base - is.base)) < is.row_pitch)
            v->ring_rows--;
    }
    return true;
}

static bool other_view_place(struct isa_program *p, uint64_t *state)
{
    struct isa_view *v = pick_view(p, state);
    if (!v)
        return false;
    int up = one_up_or_down(state);
    switch (pick(state, 0, 8)) {
    case 0: v->base = (uint64_t)((int64_t)v->base + 4 * up); break;
    case 1: v->ring_origin += up; break;
    case 2: v->y0 += up; break;
    case 3: v->y1 += up; break;
    case 4: v->x0 += up; break;
    case 5: v->x1 += up; break;
    case 6: v->row_pitch += 4 * up; break;
    case 7: v->col_pitch += 4 * up; break;
    default: v->channel_pitch += 4 * up;
    }
    return true;
}

static bool other_view_shape(struct isa_program *p, uint64_t *state)
{
    struct isa_view *v = pick_view(p, state);
    if (!v)
        return false;
    switch (pick(state, 0, 4)) {
    case 3: v->element = v->element == ELEMENT_f32 ? ELEMENT_i32 : ELEMENT_f32; break;
    case 0: v->height += (uint32_t)one_up_or_down(state); break;
    case 1: v->width += (uint32_t)one_up_or_down(state); break;
    case 2: v->channels += (uint32_t)one_up_or_down(state); break;
    default: v->pad_value = other_value(state, v->pad_value, v->element == ELEMENT_f32);
    }
    return true;
}

static bool other_frame_rows(struct isa_program *p, uint64_t *state)
{
    struct isa_view *v = p->frames ? pick_view(p, state) : NULL;
    if (!v)
        return false;
    if (!v->frame_rows)
        v->frame_rows = (uint32_t)(v->y1 - v->y0) + 1;
    else if (pick(state, 0, 3))
        v->frame_rows += (uint32_t)one_up_or_down(state);
    else
        v->frame_rows = 0;
    return true;
}

static bool other_claim(struct isa_program *p, uint64_t *state)
{
    struct isa_view *v = pick_view(p, state);
    if (!v)
        return false;
    if (pick(state, 0, 1))
        v->channel0++;
    else
        return pick_other(state, p->n_nodes, v->value, &v->value);
    return true;
}

const struct mutation mutations[] = {
    {"wait dropped", drop_wait},
    {"threshold lowered", lower_threshold},
    {"wait on another counter", other_counter},
    {"destination shifted", shift_dst},
    {"source shifted", shift_source},
    {"load or store shifted", shift_io},
    {"another view", other_view},
    {"another extent", other_extent},
    {"another object", other_object},
    {"other flags", other_flags},
    {"neighbours swapped", swap_neighbours},
    {"swapped in a queue", swap_in_queue},
    {"instruction dropped", drop_instruction},
    {"stage", other_stage},
    {"in some frames only", in_some_frames},
    {"messages in a body", other_step},
    {"elements between frames", other_frame_stride},
    {"rows between frames", other_frame_rows},
    {"route: another tile", other_target_tile},
    {"route: another view", other_target_view},
    {"route: another counter", other_target_counter},
    {"route: target dropped", drop_target},
    {"ring shorter", shorter_ring},
    {"ring shorter everywhere", shorter_ring_everywhere},
    {"view elsewhere", other_view_place},
    {"view of another shape", other_view_shape},
    {"view of another value", other_claim},
    {"lane operation", other_lane},
    {"table of lanes", other_table},
    {"PE range", other_pe},
    {"PE's runs of rows", other_run},
    {"group", other_group},
    {"window", other_window},
    {"gather table", other_gather},
    {"preload", other_preload},
    {"image", other_image},
    {"read-out", other_readout},
    {"binding", other_binding},
};
const unsigned n_mutations = sizeof mutations / sizeof *mutations;
