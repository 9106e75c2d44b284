/* mutate.c - the mutations, by kind: of waits, instructions, routes, views and the other tables. */
#include "mutate.h"

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
    for (uint32_t i = 0; i < t->n_groups; i++)
        COPY(a, t->groups[i].pes, t->groups[i].n_pes);
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
    for (uint32_t t = 0; t < q->n_tiles; t++)
        copy_tile(a, &q->tiles[t]);
    return q;
}

/* ---- choosing ---- */

static int64_t pick(uint64_t *state, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(random_next(state) % (uint64_t)(hi - lo + 1));
}

static int one_up_or_down(uint64_t *state)
{
    return pick(state, 0, 1) ? 1 : -1;
}

/* Another value of the element, a little off; of integers now and then 0, as of one that forgot the
 * zero point. */
static uint32_t other_value(uint64_t *state, uint32_t is, bool real)
{
    if (real)
        return f32_bits(f32_of_bits(is) + (float)pick(state, 1, 2) * 0.5f);
    return is && pick(state, 0, 1) ? 0 : is + (uint32_t)one_up_or_down(state);
}

/* Another number below n; false if there is none. */
static bool pick_other(uint64_t *state, uint32_t n, uint32_t is, uint32_t *out)
{
    if (n < 2)
        return false;
    *out = (uint32_t)pick(state, 0, (int64_t)n - 2);
    *out += *out >= is;
    return true;
}

static struct isa_tile *pick_tile(struct isa_program *p, uint64_t *state,
                                  bool (*fits)(const struct isa_tile *))
{
    uint32_t from = (uint32_t)pick(state, 0, (int64_t)p->n_tiles - 1);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        struct isa_tile *t = &p->tiles[(from + i) % p->n_tiles];
        if (fits(t))
            return t;
    }
    return NULL;
}

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
    if (w->threshold == 0)
        return false;
    w->threshold -= (uint32_t)(pick(state, 0, 2) ? 1 : pick(state, 1, w->threshold));
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

/* ---- other tables ---- */

static bool has_program(const struct isa_tile *t)
{
    return t->n_programs > 0;
}

static bool other_lane(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_program);
    if (!t)
        return false;
    struct isa_program_entry *e = &t->programs[pick(state, 0, (int64_t)t->n_programs - 1)];
    struct isa_lane *l = &e->ops[pick(state, 0, (int64_t)e->n_ops - 1)];
    uint32_t op;
    switch (pick(state, 0, 3)) {
    case 0:
        pick_other(state, N_LANE_OPS, l->op, &op);
        l->op = (uint8_t)op;
        break;
    case 1: l->imm = other_value(state, l->imm, isa_lane_operand(l->op, 0) == ISA_TYPE_F32); break;
    case 2: {
        uint8_t x = l->x;
        l->x = l->y;
        l->y = x;
        return l->x != l->y;
    }
    default:
        if (e->n_ops < 2)
            return false;
        e->n_ops--;
    }
    return true;
}

static bool has_table(const struct isa_tile *t)
{
    return t->n_tables > 0;
}

/* Another of the tile's tables, or the same bytes from another place or as other numbers. */
static bool other_table(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_table);
    if (!t)
        return false;
    struct isa_table *table = &t->tables[pick(state, 0, (int64_t)t->n_tables - 1)];
    switch (pick(state, 0, 2)) {
    case 0: *table = t->tables[pick(state, 0, (int64_t)t->n_tables - 1)]; break;
    case 1: table->offset += (uint64_t)(4 * one_up_or_down(state)); break;
    default: table->element = table->element == ELEMENT_f32 ? ELEMENT_i32 : ELEMENT_f32;
    }
    return true;
}

static bool has_group(const struct isa_tile *t)
{
    return t->n_groups > 0;
}

static struct isa_group *pick_group(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_group);
    return t ? &t->groups[pick(state, 0, (int64_t)t->n_groups - 1)] : NULL;
}

static bool other_pe(struct isa_program *p, uint64_t *state)
{
    struct isa_group *g = pick_group(p, state);
    if (!g || !g->n_pes)
        return false;
    struct isa_pe *pe = &g->pes[pick(state, 0, (int64_t)g->n_pes - 1)];
    uint32_t *field[] = {&pe->k0, &pe->n0, &pe->k, &pe->n, &pe->pe};
    *field[pick(state, 0, 4)] += (uint32_t)one_up_or_down(state);
    return true;
}

static bool other_group(struct isa_program *p, uint64_t *state)
{
    struct isa_group *g = pick_group(p, state);
    if (!g)
        return false;
    uint32_t up = (uint32_t)one_up_or_down(state);
    switch (pick(state, 0, 10)) {
    case 0: g->pad_top += (int32_t)up; break;
    case 1: g->pad_left += (int32_t)up; break;
    case 2: g->stride[pick(state, 0, 1)] += up; break;
    case 3: g->dilation[pick(state, 0, 1)] += up; break;
    case 4: g->source_channel0 += up; break;
    case 5: g->channel0 += up; break;
    case 6: return pick_other(state, p->n_images, g->image, &g->image);
    case 7: {
        uint32_t h = g->kernel[0];
        g->kernel[0] = g->kernel[1];
        g->kernel[1] = h;
        return h != g->kernel[0];
    }
    case 8: g->conv_groups += up; break;
    case 9: g->x_bits += up; break;
    default: g->source_view += up;
    }
    return true;
}

static bool has_window(const struct isa_tile *t)
{
    return t->n_windows > 0;
}

static bool other_window(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_window);
    if (!t)
        return false;
    struct isa_window *w = &t->windows[pick(state, 0, (int64_t)t->n_windows - 1)];
    uint32_t up = (uint32_t)one_up_or_down(state), kind;
    switch (pick(state, 0, 6)) {
    case 0: w->pad_top += (int32_t)up; break;
    case 1: w->pad_left += (int32_t)up; break;
    case 2: w->stride[pick(state, 0, 1)] += up; break;
    case 3: w->dilation[pick(state, 0, 1)] += up; break;
    case 4: w->kernel[pick(state, 0, 1)] += up; break;
    case 5: w->counted[pick(state, 0, 3)] += up; break;
    default: pick_other(state, 4, w->kind, &kind); w->kind = kind;
    }
    return true;
}

static bool has_gather(const struct isa_tile *t)
{
    return t->n_gathers > 0;
}

static bool other_gather(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_gather);
    if (!t)
        return false;
    struct isa_gather *g = &t->gathers[pick(state, 0, (int64_t)t->n_gathers - 1)];
    int32_t *lists[] = {g->rows, g->cols, g->channels};
    uint32_t n[] = {g->n_rows, g->n_cols, g->n_channels};
    int64_t which = pick(state, 0, 3);
    if (which == 3)
        g->fill = other_value(state, g->fill, pick(state, 0, 1));
    else if (!n[which])
        return false;
    else
        lists[which][pick(state, 0, (int64_t)n[which] - 1)] += one_up_or_down(state);
    return true;
}

static bool has_preload(const struct isa_tile *t)
{
    return t->n_preloads > 0;
}

static bool other_preload(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_preload);
    if (!t)
        return false;
    struct isa_preload *l = &t->preloads[pick(state, 0, (int64_t)t->n_preloads - 1)];
    int64_t by = 4 * one_up_or_down(state);
    switch (pick(state, 0, 2)) {
    case 0: l->address += (uint64_t)by; break;
    case 1: l->offset += (uint64_t)by; break;
    default: l->length += (uint64_t)by;
    }
    return true;
}

static bool other_image(struct isa_program *p, uint64_t *state)
{
    if (!p->n_images)
        return false;
    struct isa_image *i = &p->images[pick(state, 0, (int64_t)p->n_images - 1)];
    switch (pick(state, 0, 5)) {
    case 0: i->offset += 64; break;
    case 3: i->element = i->element == ELEMENT_f32 ? ELEMENT_i8 : ELEMENT_f32; break;
    case 4: i->center = i->center ? 0 : i->section + 1; break;
    case 5: i->center_offset += (uint64_t)(4 * one_up_or_down(state)); break;
    case 1: i->k += (uint32_t)one_up_or_down(state); break;
    default: i->n += (uint32_t)one_up_or_down(state);
    }
    return true;
}

static bool other_binding(struct isa_program *p, uint64_t *state)
{
    if (!p->n_bindings)
        return false;
    struct isa_binding *b = &p->bindings[pick(state, 0, (int64_t)p->n_bindings - 1)];
    int64_t kept = b->stride_h;
    switch (pick(state, 0, 6)) {
    case 0: b->stride_h += one_up_or_down(state); break;
    case 1: b->stride_w += one_up_or_down(state); break;
    case 2: b->stride_c += one_up_or_down(state); break;
    case 3: b->offset += (uint64_t)one_up_or_down(state); break;
    case 4:
        b->element = b->element == ELEMENT_f32  ? ELEMENT_f16
                     : b->element == ELEMENT_u8 ? ELEMENT_i8
                     : b->element == ELEMENT_i8 ? ELEMENT_u8
                                                : ELEMENT_f32;
        break;
    case 5:
        b->stride_h = b->stride_w;
        b->stride_w = kept;
        return kept != b->stride_h;
    default: b->height += (uint32_t)one_up_or_down(state);
    }
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
    {"group", other_group},
    {"window", other_window},
    {"gather table", other_gather},
    {"preload", other_preload},
    {"image", other_image},
    {"binding", other_binding},
};
const unsigned n_mutations = sizeof mutations / sizeof *mutations;
