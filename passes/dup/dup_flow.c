/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_flow.c - when every pixel is done, for one choice of copies.
 *
 * A set starts when its copy has finished the set before and all it reads is done, and takes the
 * time of its products, each of a patch of pixels; values derived from others are done with the
 * last pixel they read.
 * Windows are separable: maxima over rows, then over columns. Work: O(pixels * window side); a
 * trial recomputes only what lies behind a change.
 */
#include "dup_flow.h"

#include "mvm_mapping.h"

#include <string.h>

struct flow_times *flow_times_new(const struct flow *f, struct arena *a)
{
    struct flow_times *t = ARENA_NEW(a, struct flow_times);
    t->done = ARENA_ARRAY(a, int32_t *, f->nodes.n);
    t->own = ARENA_ARRAY(a, int32_t *, f->nodes.n);
    t->end = ARENA_ARRAY(a, int32_t, f->nodes.n);
    for (size_t i = 0; i < f->nodes.n; i++) {
        const struct flow_node *n = &f->nodes.at[i];
        t->own[i] = ARENA_ARRAY(a, int32_t, (size_t)n->rows * (size_t)n->columns);
    }
    t->ready = ARENA_ARRAY(a, int32_t, f->most_pixels);
    t->line = ARENA_ARRAY(a, int32_t, f->most_pixels);
    return t;
}

/* out[o] = max of itself and what o reads of in[0 .. n_in), for a line of outputs. */
static void line_max(const struct axis_map *m, const int32_t *in, int32_t n_in, int32_t *out,
                     int32_t n_out)
{
    if (m->kind == MAP_ALL) {
        int32_t latest = 0;
        for (int32_t i = 0; i < n_in; i++)
            latest = max_i32(latest, in[i]);
        for (int32_t o = 0; o < n_out; o++)
            out[o] = max_i32(out[o], latest);
        return;
    }
    if (m->kind == MAP_TABLE || m->kind == MAP_ZERO) {
        for (int32_t o = 0; o < n_out; o++) {
            int32_t at = need_tap(m, o, 0);
            out[o] = max_i32(out[o], at < 0 ? 0 : in[at]);
        }
        return;
    }
    for (int64_t k = 0; k < m->kernel; k++) {
        int64_t at = k * m->dilation - m->pad;
        if (m->kind == MAP_OVERLAP) { /* each element goes to one output */
            for (int64_t i = 0, o = at; i < n_in; i++, o += m->stride)
                if (o >= 0 && o < n_out)
                    out[o] = max_i32(out[o], in[i]);
            continue;
        }
        if (m->stride == 1) {
            int64_t from = max_i64(0, -at), to = min_i64(n_out, n_in - at);
            for (int64_t o = from; o < to; o++)
                out[o] = max_i32(out[o], in[o + at]);
            continue;
        }
        for (int32_t o = 0; o < n_out; o++, at += m->stride)
            if (at >= 0 && at < n_in)
                out[o] = max_i32(out[o], in[at]);
    }
}

static void include_row(int32_t *out, const int32_t *in, int32_t n)
{
    for (int32_t x = 0; x < n; x++)
        out[x] = max_i32(out[x], in[x]);
}

/* Rows of the operand that output row o reads: calls include_row for each. */
static void include_rows(const struct axis_map *m, int32_t o, const int32_t *in, int32_t *out,
                         int32_t width)
{
    struct need_taps taps = need_taps_of(m, o);
    for (int32_t k = taps.from; k < taps.to; k++) {
        int32_t at = need_tap(m, o, k);
        if (at >= 0)
            include_row(out, in + (size_t)at * (size_t)width, width);
    }
}

/* What a row costs besides its pixels. */
enum { ROW_STEPS = 20 };

/* Of line_max. */
static int64_t operand_steps(const struct axis_map *m, const struct flow_node *n,
                             const struct flow_node *from)
{
    return m->kind == MAP_ALL ? from->columns + n->columns : (int64_t)need_taps(m) * n->columns;
}

void flow_find_ready(const struct flow *f, const struct flow_node *n, struct flow_times *t,
                     int32_t *ready)
{
    memset(ready, 0, (size_t)n->rows * (size_t)n->columns * sizeof *ready);
    for (uint32_t i = 0; i < n->n_operands; i++) {
        const struct flow_operand *o = &n->operand[i];
        const struct flow_node *from = &f->nodes.at[o->node];
        const int32_t *in = t->done[o->node];
        const struct axis_map *m = &o->axis[1];
        bool straight = m->kind == MAP_WINDOW && m->kernel == 1 && m->stride == 1 && m->pad == 0 &&
                        from->columns == n->columns;
        *f->work +=
            (int64_t)n->rows * (ROW_STEPS + (int64_t)need_taps(&o->axis[0]) * from->columns +
                                operand_steps(m, n, from));
        for (int32_t y = 0; y < n->rows; y++) {
            int32_t *out = ready + (size_t)y * (size_t)n->columns;
            int32_t *line = straight ? out : t->line;
            if (!straight)
                memset(line, 0, (size_t)from->columns * sizeof *line);
            include_rows(&o->axis[0], y, in, line, from->columns);
            if (!straight)
                line_max(m, line, from->columns, out, n->columns);
        }
    }
}

/* ---- one base layer ---- */

struct flow_layout flow_layout(const struct flow *f, const struct flow_node *n,
                               const struct dup_choice *c)
{
    struct flow_layout l = {.pixels = {n->rows, n->columns},
                            .product = (int32_t)((uint64_t)c->product / f->unit_cycles)};
    for (int a = 0; a < 2; a++) {
        l.patch[a] = (int32_t)c->patch[a];
        l.size[a] = (int32_t)ceil_div_i64(l.pixels[a], c->patch[a]);
    }
    if (!dup_find_cut(f->cut, c->copies, l.size[0], l.size[1], l.cut))
        BUG("%lld copies have no cut", (long long)c->copies);
    return l;
}

struct flow_part flow_part(const struct flow_layout *l, int64_t i, int64_t j)
{
    const int64_t part[2] = {i, j};
    struct flow_part p;
    for (int a = 0; a < 2; a++) {
        p.lo[a] = (int32_t)ir_cut_start(part[a], l->cut[a], l->size[a]);
        p.hi[a] = (int32_t)ir_cut_start(part[a] + 1, l->cut[a], l->size[a]);
    }
    return p;
}

static bool is_pixel(const struct flow_layout *l)
{
    return l->patch[0] == 1 && l->patch[1] == 1;
}

const int32_t *flow_to_products(const struct flow *f, const struct flow_layout *l,
                                const int32_t *pixels, int32_t *products)
{
    size_t width = (size_t)l->pixels[1];
    if (is_pixel(l))
        return pixels;
    *f->work += (int64_t)l->pixels[0] * l->pixels[1];
    memset(products, 0, (size_t)l->size[0] * (size_t)l->size[1] * sizeof *products);
    for (int32_t y = 0; y < l->pixels[0]; y++) {
        int32_t *out = products + (size_t)(y / l->patch[0]) * (size_t)l->size[1];
        const int32_t *in = pixels + (size_t)y * width;
        for (int32_t x = 0, to; x < l->pixels[1]; out++)
            for (to = min_i32(x + l->patch[1], l->pixels[1]); x < to; x++)
                *out = max_i32(*out, in[x]);
    }
    return products;
}

void flow_to_pixels(const struct flow *f, const struct flow_layout *l, const int32_t *products,
                    int32_t *pixels)
{
    size_t width = (size_t)l->pixels[1];
    if (products == pixels)
        return;
    *f->work += (int64_t)l->pixels[0] * l->pixels[1];
    for (int32_t y = 0; y < l->pixels[0]; y++) {
        const int32_t *in = products + (size_t)(y / l->patch[0]) * (size_t)l->size[1];
        int32_t *out = pixels + (size_t)y * width;
        for (int32_t x = 0, to; x < l->pixels[1]; in++)
            for (to = min_i32(x + l->patch[1], l->pixels[1]); x < to; x++)
                out[x] = *in;
    }
}

static int32_t step_to(int32_t from, int32_t step, int32_t end)
{
    int64_t next = step == 0 ? end : ((int64_t)from / step + 1) * step;
    return (int32_t)min_i64(next, end);
}

/* Sets of several products: all of a set is done together. */
static void scan_sets(const struct flow *f, const struct flow_layout *l, const struct flow_part *p,
                      const int32_t *ready, int32_t free_at, int32_t *done)
{
    size_t width = (size_t)l->size[1];
    int32_t now = free_at, y1, x1;
    for (int32_t y = p->lo[0]; y < p->hi[0]; y = y1) {
        y1 = step_to(y, f->set_rows, p->hi[0]);
        for (int32_t x = p->lo[1]; x < p->hi[1]; x = x1) {
            x1 = step_to(x, f->set_columns, p->hi[1]);
            for (int32_t r = y; r < y1; r++)
                for (int32_t c = x; c < x1; c++)
                    now = max_i32(now, ready[(size_t)r * width + (size_t)c]);
            now += (y1 - y) * (x1 - x) * l->product;
            for (int32_t r = y; r < y1; r++)
                for (int32_t c = x; c < x1; c++)
                    done[(size_t)r * width + (size_t)c] = now;
        }
    }
}

static void scan_products(const struct flow_layout *l, const struct flow_part *p,
                          const int32_t *ready, int32_t free_at, int32_t *done)
{
    int32_t now = free_at;
    for (int32_t y = p->lo[0]; y < p->hi[0]; y++) {
        const int32_t *in = ready + (size_t)y * (size_t)l->size[1];
        int32_t *out = done + (size_t)y * (size_t)l->size[1];
        for (int32_t x = p->lo[1]; x < p->hi[1]; x++)
            out[x] = now = max_i32(now, in[x]) + l->product;
    }
}

static void scan(const struct flow *f, const struct flow_layout *l, const struct flow_part *p,
                 const int32_t *ready, int32_t free_at, int32_t *done)
{
    *f->work += (int64_t)(p->hi[0] - p->lo[0]) * (p->hi[1] - p->lo[1]);
    if (f->set_rows == 1 && f->set_columns == 1)
        scan_products(l, p, ready, free_at, done);
    else
        scan_sets(f, l, p, ready, free_at, done);
}

/* Where done times of products go that then go to those of pixels, which may be the same. */
static int32_t *products_for(const struct flow *f, const struct flow_layout *l, int32_t *pixels)
{
    return is_pixel(l) ? pixels : f->scratch[1];
}

void flow_scan(const struct flow *f, const struct flow_node *n, const struct dup_choice *c,
               const int32_t *ready, int32_t *done)
{
    struct flow_layout l = flow_layout(f, n, c);
    const int32_t *in = flow_to_products(f, &l, ready, f->scratch[0]);
    int32_t *out = products_for(f, &l, done);
    for (int64_t i = 0; i < l.cut[0]; i++)
        for (int64_t j = 0; j < l.cut[1]; j++) {
            struct flow_part p = flow_part(&l, i, j);
            scan(f, &l, &p, in, 0, out);
        }
    flow_to_pixels(f, &l, out, done);
}

static int32_t last_of(const struct flow_layout *l, const struct flow_part *p,
                       const int32_t *products)
{
    return products[(size_t)(p->hi[0] - 1) * (size_t)l->size[1] + (size_t)p->hi[1] - 1];
}

/* When copy (i, j) is done with the layer that uses the crossbars before. */
static int32_t free_after(const struct flow *f, const struct flow_node *before,
                          const struct dup_choice *c, int64_t i, int64_t j, const int32_t *done)
{
    struct flow_layout l = flow_layout(f, before, c);
    struct flow_part p = flow_part(&l, i, j);
    int32_t y = min_i32(p.hi[0] * l.patch[0], l.pixels[0]) - 1;
    int32_t x = min_i32(p.hi[1] * l.patch[1], l.pixels[1]) - 1;
    return done[(size_t)y * (size_t)l.pixels[1] + (size_t)x];
}

/* Returns when the layer's last pixel is done. */
static int32_t run_layer(const struct flow *f, uint32_t node, const struct dup_choice *c,
                         struct flow_times *t, int32_t start)
{
    const struct flow_node *n = &f->nodes.at[node];
    struct flow_layout l = flow_layout(f, n, c);
    const int32_t *in = flow_to_products(f, &l, t->ready, f->scratch[0]);
    int32_t *out = products_for(f, &l, t->own[node]), end = 0;
    for (int64_t i = 0; i < l.cut[0]; i++)
        for (int64_t j = 0; j < l.cut[1]; j++) {
            struct flow_part p = flow_part(&l, i, j);
            int32_t free_at = start;
            if (n->before != FLOW_NONE)
                free_at = max_i32(
                    free_at, free_after(f, &f->nodes.at[n->before], c, i, j, t->done[n->before]));
            scan(f, &l, &p, in, free_at, out);
            end = max_i32(end, last_of(&l, &p, out));
        }
    flow_to_pixels(f, &l, out, t->own[node]);
    return end;
}

/* ---- all of them ---- */

static void run_node(const struct flow *f, uint32_t i, const uint32_t *chosen, int32_t start,
                     struct flow_times *t)
{
    const struct flow_node *n = &f->nodes.at[i];
    if (n->item == FLOW_NONE) {
        flow_find_ready(f, n, t, t->own[i]);
    } else {
        flow_find_ready(f, n, t, t->ready);
        const struct dup_choice *c = &f->problem->items[n->item].choices[chosen[n->item]];
        t->end[i] = run_layer(f, i, c, t, f->one_by_one ? start : 0);
    }
    t->done[i] = t->own[i];
}

void flow_run(const struct flow *f, const uint32_t *chosen, struct flow_times *out)
{
    out->makespan = 0;
    for (uint32_t i = 0; i < f->nodes.n; i++) {
        run_node(f, i, chosen, out->makespan, out);
        out->makespan = max_i32(out->makespan, out->end[i]);
    }
}

static bool may_differ(const struct flow *f, uint32_t i, const uint32_t *chosen,
                       const struct flow_times *base, const uint32_t *base_chosen,
                       const struct flow_times *t)
{
    const struct flow_node *n = &f->nodes.at[i];
    if (n->item != FLOW_NONE &&
        (f->one_by_one || chosen[n->item] != base_chosen[n->item] ||
         (n->before != FLOW_NONE && t->done[n->before] != base->done[n->before])))
        return true;
    for (uint32_t k = 0; k < n->n_operands; k++)
        if (t->done[n->operand[k].node] != base->done[n->operand[k].node])
            return true;
    return false;
}

int32_t flow_try(const struct flow *f, const uint32_t *chosen, const struct flow_times *base,
                 const uint32_t *base_chosen, int32_t limit, struct flow_times *out)
{
    out->makespan = 0;
    for (uint32_t i = 0; i < f->nodes.n && out->makespan < limit; i++) {
        const struct flow_node *n = &f->nodes.at[i];
        out->end[i] = base->end[i];
        out->done[i] = base->done[i];
        if (may_differ(f, i, chosen, base, base_chosen, out)) {
            run_node(f, i, chosen, out->makespan, out);
            size_t bytes = (size_t)n->rows * (size_t)n->columns * sizeof **out->done;
            if (memcmp(out->done[i], base->done[i], bytes) == 0)
                out->done[i] = base->done[i];
        }
        out->makespan = max_i32(out->makespan, out->end[i]);
    }
    return out->makespan;
}
