/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * exec_window.c - VWIN and VRED: what windows and reductions come to. ISA.md section 6.
 *
 * In: regions of a view. Out: a region of the destination view. Works on chunks as VMAP does; cells
 * are taken into the results one after the other, as lanes of the type of the source: f32 for f32,
 * i32 for u8 and i32.
 */
#include "lane_ops.h"
#include "sim_view.h"

#include <math.h>

static bool is_float(struct sim *s, const struct isa_region *r)
{
    return view_of(s, s->at_tile, r->view)->element == ELEMENT_f32;
}

/* What results start from. A maximum of bytes starts from 0, of which padding counts as one. */
static void start(struct sim *s, const struct isa_region *r, uint32_t *results, size_t n, bool max)
{
    static const uint32_t LEAST_I32 = 0x80000000u;
    enum element of = view_of(s, s->at_tile, r->view)->element;
    uint32_t least = of == ELEMENT_f32 ? f32_bits(-INFINITY) : of == ELEMENT_i32 ? LEAST_I32 : 0;
    uint32_t from = max ? least : 0;
    for (size_t i = 0; i < n; i++)
        results[i] = from;
}

/* ---- VWIN ---- */

/* Coordinates of a counted cell lie in [lo, hi). */
struct limits {
    int64_t lo, hi;
};

static struct limits counted(const struct isa_window *w, const struct isa_view *v, unsigned axis)
{
    uint32_t extent = axis == 0 ? v->height : v->width;
    if (w->kind == WINDOW_MAX && v->element == ELEMENT_u8) /* 0 is no less than any other */
        return (struct limits){0, extent};
    if (w->kind != WINDOW_AVERAGE)
        return (struct limits){INT64_MIN, INT64_MAX};
    return (struct limits){-(int64_t)w->counted[axis], (int64_t)extent + w->counted[axis + 2]};
}

/* Pixels [*first, *end) of the run whose column counts. */
static void counted_pixels(struct run r, struct limits l, uint32_t *first, uint32_t *end)
{
    *first = 0;
    *end = r.n;
    while (*first < r.n && r.x + (int64_t)*first * r.step < l.lo)
        ++*first;
    while (*end > *first && r.x + (int64_t)(*end - 1) * r.step >= l.hi)
        --*end;
}

static uint32_t cells_in(int64_t at, uint32_t kernel, uint32_t dilation, struct limits l)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < kernel; k++, at += dilation)
        n += at >= l.lo && at < l.hi;
    return n;
}

/* Divides each pixel's sum by the number of its counted cells. */
static void divide(const struct isa_window *w, const struct isa_view *v, struct run r, float *sums)
{
    uint32_t rows = cells_in(r.y, w->kernel[0], w->dilation[0], counted(w, v, 0));
    for (uint32_t i = 0; i < r.n; i++, sums += r.nc) {
        uint32_t columns =
            cells_in(r.x + (int64_t)i * r.step, w->kernel[1], w->dilation[1], counted(w, v, 1));
        float count = (float)(rows * columns);
        for (uint32_t c = 0; c < r.nc; c++)
            sums[c] = sums[c] / count;
    }
}

/* Takes one cell of each pixel's window into the results. */
static bool window_cell(struct sim *s, const struct isa_inst *inst, struct run cell,
                        uint32_t *results)
{
    const struct isa_window *w = &s->p->tiles[s->at_tile].windows[inst->obj];
    const struct isa_view *v = view_of(s, s->at_tile, inst->a.view);
    struct limits rows = counted(w, v, 0);
    uint32_t first, end;
    counted_pixels(cell, counted(w, v, 1), &first, &end);
    if (cell.y < rows.lo || cell.y >= rows.hi || first == end)
        return true;
    const uint32_t *x = lanes_read(s, s->at_tile, inst->a.view, cell, s->slot[SLOT_A]);
    if (!x)
        return false;
    lane_taker(w->kind == WINDOW_MAX, is_float(s, &inst->a))(
        results + first * cell.nc, x + first * cell.nc, (end - first) * cell.nc);
    return true;
}

struct overlap_row overlap_row(const struct isa_window *w, const struct isa_view *a, uint32_t tap,
                               int64_t y, int64_t x, uint32_t n)
{
    int64_t sh = w->stride[0], sw = w->stride[1];
    int64_t up = y + w->pad_top - (int64_t)(tap / w->kernel[1]) * w->dilation[0];
    int64_t left = x + w->pad_left - (int64_t)(tap % w->kernel[1]) * w->dilation[1];
    struct overlap_row r = {0};
    if (up < 0 || up % sh != 0 || up / sh >= a->height)
        return r;
    int64_t first = left < 0 ? -left : (sw - left % sw) % sw; /* to the next multiple, from 0 on */
    if (first >= n || (left + first) / sw >= a->width)
        return r;
    r.y = up / sh;
    r.x = (left + first) / sw;
    r.first = (uint32_t)first;
    r.n = (uint32_t)min_i64((n - 1 - first) / sw + 1, a->width - r.x);
    return r;
}

/* Adds one tap to the pixels of the chunk that meet it: every stride-th, from neighbouring pixels
 * of a. */
static bool overlap_tap(struct sim *s, const struct isa_inst *inst, const struct chunk *k,
                        uint32_t tap, uint32_t *results)
{
    const struct isa_window *w = &s->p->tiles[s->at_tile].windows[inst->obj];
    struct run at = chunk_run(&inst->dst, k);
    struct overlap_row row =
        overlap_row(w, view_of(s, s->at_tile, inst->a.view), tap, at.y, at.x, k->n);
    if (row.n == 0)
        return true;
    uint32_t channels = view_of(s, s->at_tile, inst->dst.view)->channels;
    struct run cell = {.y = row.y, .x = row.x, .step = 1, .n = row.n, .nc = k->nc};
    cell.c0 = tap * channels + k->c0;
    const uint32_t *x = lanes_read(s, s->at_tile, inst->a.view, cell, s->slot[SLOT_A]);
    if (!x)
        return false;
    lane_take *take = lane_taker(false, is_float(s, &inst->a));
    for (uint32_t i = 0; i < row.n; i++)
        take(results + (size_t)(row.first + i * w->stride[1]) * k->nc, x + (size_t)i * k->nc,
             k->nc);
    return true;
}

static bool write_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k,
                        const uint32_t *results)
{
    return lanes_write(s, s->at_tile, inst->dst.view, chunk_run(&inst->dst, k), results);
}

static bool overlap_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_window *w = &s->p->tiles[s->at_tile].windows[inst->obj];
    uint32_t *results = s->slot[0];
    start(s, &inst->a, results, k->n * k->nc, false);
    for (uint32_t tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++)
        if (!overlap_tap(s, inst, k, tap, results))
            return false;
    return write_chunk(s, inst, k, results);
}

static bool window_chunk(struct sim *s, const struct isa_inst *inst, const struct chunk *k)
{
    const struct isa_window *w = &s->p->tiles[s->at_tile].windows[inst->obj];
    uint32_t *results = s->slot[0];
    struct run corner = chunk_run(&inst->dst, k);
    corner.y = corner.y * w->stride[0] - w->pad_top;
    corner.x = corner.x * w->stride[1] - w->pad_left;
    corner.step = w->stride[1];
    start(s, &inst->a, results, k->n * k->nc, w->kind == WINDOW_MAX);
    for (uint32_t kh = 0; kh < w->kernel[0]; kh++)
        for (uint32_t kw = 0; kw < w->kernel[1]; kw++) {
            struct run cell = corner;
            cell.y += (int64_t)kh * w->dilation[0];
            cell.x += (int64_t)kw * w->dilation[1];
            if (!window_cell(s, inst, cell, results))
                return false;
        }
    if (w->kind == WINDOW_AVERAGE) {
        if (!is_float(s, &inst->a))
            lane_run(LANE_I2F, &(struct lane_work){.x = results}, results, k->n * k->nc);
        divide(w, view_of(s, s->at_tile, inst->a.view), corner, (float *)results);
    }
    return write_chunk(s, inst, k, results);
}

bool exec_vwin(struct sim *s, const struct isa_inst *inst)
{
    bool overlap = s->p->tiles[s->at_tile].windows[inst->obj].kind == WINDOW_OVERLAP;
    struct chunks all =
        chunks_of(inst->h, inst->w, view_of(s, s->at_tile, inst->dst.view)->channels);
    for (struct chunk k; chunks_next(&all, &k);)
        if (!(overlap ? overlap_chunk : window_chunk)(s, inst, &k))
            return false;
    return true;
}

/* ---- VRED ---- */

/* Extents of the result. */
struct reduction {
    uint32_t flags, h, w, c;
    lane_take *take;
    uint32_t *results;
};

/* Takes a chunk of a's region, in order, into the results. */
static void reduce_chunk(const struct reduction *r, const struct chunk *k, const uint32_t *x)
{
    size_t y = r->flags & VRED_H ? 0 : k->y;
    for (uint32_t i = 0; i < k->n; i++, x += k->nc) {
        size_t column = r->flags & VRED_W ? 0 : k->x + i;
        uint32_t *out = r->results + (y * r->w + column) * r->c;
        if (!(r->flags & VRED_C)) {
            r->take(out + k->c0, x, k->nc);
            continue;
        }
        for (uint32_t c = 0; c < k->nc; c++)
            r->take(out, x + c, 1);
    }
}

static bool reduce_region(struct sim *s, const struct isa_inst *inst, const struct reduction *r)
{
    struct chunks all = chunks_of(inst->h, inst->w, view_of(s, s->at_tile, inst->a.view)->channels);
    for (struct chunk k; chunks_next(&all, &k);) {
        const uint32_t *x =
            lanes_read(s, s->at_tile, inst->a.view, chunk_run(&inst->a, &k), s->slot[SLOT_A]);
        if (!x)
            return false;
        reduce_chunk(r, &k, x);
    }
    return true;
}

static bool write_results(struct sim *s, const struct isa_inst *inst, const struct reduction *r)
{
    struct chunks all = chunks_of(r->h, r->w, r->c);
    for (struct chunk k; chunks_next(&all, &k);) {
        const uint32_t *x = r->results + ((size_t)k.y * r->w + k.x) * r->c + k.c0;
        if (!write_chunk(s, inst, &k, x))
            return false;
    }
    return true;
}

bool exec_vred(struct sim *s, const struct isa_inst *inst)
{
    uint32_t channels = view_of(s, s->at_tile, inst->a.view)->channels;
    bool max = !(inst->flags & VRED_SUM), floats = is_float(s, &inst->a);
    struct reduction r = {.flags = inst->flags,
                          .h = inst->flags & VRED_H ? 1 : inst->h,
                          .w = inst->flags & VRED_W ? 1 : inst->w,
                          .c = inst->flags & VRED_C ? 1 : channels,
                          .take = lane_taker(max, floats)};
    size_t n = (size_t)r.h * r.w * r.c;
    r.results = sim_scratch(s, n);
    start(s, &inst->a, r.results, n, max);
    return reduce_region(s, inst, &r) && write_results(s, inst, &r);
}
