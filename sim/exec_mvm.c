/*
 * exec_mvm.c - crossbar products: gather the window of each pixel once, then few large GEMMs.
 *
 * In: a group's PE table, its source view, the mapped image. Out: its pixels in the destination
 * view. ISA.md section 5. Formula: D[pixel][n] = sum over k of panel[pixel][k] * image[k][n]; the
 * panel has only the K rows that some PE of the group holds. PEs that touch are merged: K ranges of
 * equal N range into one block, equal lists of blocks of adjacent N ranges into one strip.
 * Invariant: blocks of a strip ascend in K.
 */
#include "sim_internal.h"

#include "base/gemm.h"

#include <stdlib.h>
#include <string.h>

/* ---- plan, once for a group ---- */

struct range {
    uint32_t begin, end;
};

static int by_begin(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Sorts ranges and joins those that touch; returns how many are left. */
static uint32_t join_ranges(struct range *r, uint32_t n)
{
    if (n == 0)
        return 0;
    qsort(r, n, sizeof *r, by_begin);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < n; i++) {
        if (r[i].begin > r[kept - 1].end)
            r[kept++] = r[i];
        else if (r[i].end > r[kept - 1].end)
            r[kept - 1].end = r[i].end;
    }
    return kept;
}

/* K rows that any PE of the group holds; the panel has these, packed in ascending order. */
static uint32_t needed_rows(const struct isa_group *g, struct range *out)
{
    for (uint32_t i = 0; i < g->n_pes; i++)
        out[i] = (struct range){g->pes[i].k0, g->pes[i].k0 + g->pes[i].k};
    return join_ranges(out, g->n_pes);
}

static uint32_t panel_column(const struct range *rows, uint32_t n, uint32_t k)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (k < rows[i].end)
            return at + k - rows[i].begin;
        at += rows[i].end - rows[i].begin;
    }
    BUG("K row %u is in no range", k);
}

/* Appends the taps of K rows [r.begin, r.end) to the plan's segments: whole taps of a kernel row
 * together, parts of one alone. */
static void plan_segments(const struct isa_group *g, struct range r, struct mvm_plan *plan)
{
    uint32_t channels = g->in_channels;
    for (uint32_t k = r.begin; k < r.end;) {
        uint32_t tap = k / channels, kw = tap % g->kernel[1], ci = k % channels;
        uint32_t n = channels - ci < r.end - k ? channels - ci : r.end - k;
        uint32_t whole = n == channels ? (r.end - k) / channels : 1;
        uint32_t taps = whole < g->kernel[1] - kw ? whole : g->kernel[1] - kw;
        plan->segments[plan->n_segments++] =
            (struct mvm_segment){.kh = tap / g->kernel[1],
                                 .kw = kw,
                                 .taps = taps,
                                 .channel = ci - g->source_channel0,
                                 .n = n,
                                 .at = plan->panel_width};
        plan->panel_width += taps * n;
        k += taps * n;
    }
}

/* The blocks of image columns [n.begin, n.end), all held by the same PEs. */
static uint32_t strip_blocks(const struct isa_group *g, struct range n, struct range *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < g->n_pes; i++) {
        const struct isa_pe *pe = &g->pes[i];
        if (pe->n0 <= n.begin && n.end <= pe->n0 + pe->n)
            out[count++] = (struct range){pe->k0, pe->k0 + pe->k};
    }
    return join_ranges(out, count);
}

static bool same_blocks(const struct mvm_plan *plan, const struct mvm_strip *s,
                        const struct range *r, uint32_t n)
{
    if (s->n_blocks != n)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct mvm_block *b = &plan->blocks[s->first_block + i];
        if (b->row != r[i].begin || b->k != r[i].end - r[i].begin)
            return false;
    }
    return true;
}

struct planner {
    const struct isa_group *g;
    struct range *rows, *blocks, *columns; /* rows: of the panel */
    uint32_t n_rows, n_blocks_total;
};

static void plan_strip(struct planner *w, struct range n, struct mvm_plan *plan)
{
    uint32_t count = strip_blocks(w->g, n, w->blocks);
    struct mvm_strip *last = plan->n_strips > 0 ? &plan->strips[plan->n_strips - 1] : NULL;
    if (last && last->n0 + last->n == n.begin && same_blocks(plan, last, w->blocks, count)) {
        last->n += n.end - n.begin;
        return;
    }
    plan->strips[plan->n_strips++] =
        (struct mvm_strip){n.begin, n.end - n.begin, w->n_blocks_total, count};
    for (uint32_t i = 0; i < count; i++)
        plan->blocks[w->n_blocks_total++] =
            (struct mvm_block){panel_column(w->rows, w->n_rows, w->blocks[i].begin),
                               w->blocks[i].end - w->blocks[i].begin, w->blocks[i].begin};
}

/* N ranges of PEs are equal or disjoint: each distinct one in ascending order is tried as a strip.
 */
static void plan_strips(struct planner *w, struct mvm_plan *plan)
{
    const struct isa_group *g = w->g;
    for (uint32_t i = 0; i < g->n_pes; i++)
        w->columns[i] = (struct range){g->pes[i].n0, g->pes[i].n0 + g->pes[i].n};
    qsort(w->columns, g->n_pes, sizeof *w->columns, by_begin);
    for (uint32_t i = 0; i < g->n_pes; i++)
        if (i == 0 || w->columns[i].begin != w->columns[i - 1].begin)
            plan_strip(w, w->columns[i], plan);
}

void mvm_plan_make(struct arena *a, const struct isa_group *g, struct mvm_plan *plan)
{
    struct planner w = {.g = g,
                        .rows = ARENA_ARRAY(a, struct range, g->n_pes),
                        .blocks = ARENA_ARRAY(a, struct range, g->n_pes),
                        .columns = ARENA_ARRAY(a, struct range, g->n_pes)};
    w.n_rows = needed_rows(g, w.rows);
    /* A range of K rows touches at most its length / channels + 2 taps. */
    uint64_t most = 0;
    for (uint32_t i = 0; i < w.n_rows; i++)
        most += (w.rows[i].end - w.rows[i].begin) / g->in_channels + 2;
    *plan = (struct mvm_plan){.segments = ARENA_ARRAY(a, struct mvm_segment, most),
                              .strips = ARENA_ARRAY(a, struct mvm_strip, g->n_pes),
                              .blocks = ARENA_ARRAY(a, struct mvm_block, g->n_pes)};
    for (uint32_t i = 0; i < w.n_rows; i++)
        plan_segments(g, w.rows[i], plan);
    plan_strips(&w, plan);
}

/* ---- execution ---- */

/* What one call works on: rows [y, y + h), columns [x, x + w) of the destination. */
struct patch {
    int64_t y, x;
    uint32_t h, w;
};

/* The pixels whose taps of this segment are all held and lie one after the other: copied whole.
 * Returns how many, from *first on. */
static uint32_t copy_windows(struct sim *s, const struct isa_group *g,
                             const struct mvm_segment *seg, struct run r, float *out, size_t pitch,
                             uint32_t *first)
{
    const struct isa_view *v = view_of(s, s->at_tile, g->source_view);
    int64_t floats = v->col_pitch / (int64_t)sizeof(float);
    int64_t end = (int64_t)v->x1 - seg->taps + 1;
    *first = 0;
    if (floats != seg->n || g->dilation[1] != 1 || r.y < v->y0 || r.y >= v->y1 || r.x >= end)
        return 0;
    uint32_t skipped = r.x < v->x0 ? (uint32_t)((v->x0 - r.x + r.step - 1) / r.step) : 0;
    int64_t last = (end - r.x + r.step - 1) / r.step;
    uint32_t n = last < r.n ? (uint32_t)last : r.n;
    if (skipped >= n)
        return 0;
    r.x += skipped * r.step;
    r.n = 1;
    const float *from = view_pixels(s, s->at_tile, g->source_view, r);
    if (!from)
        return 0;
    out += skipped * pitch;
    for (uint32_t i = skipped; i < n; i++, from += floats * r.step, out += pitch)
        memcpy(out, from, (size_t)seg->taps * seg->n * sizeof *out);
    *first = skipped;
    return n - skipped;
}

static bool read_taps(struct sim *s, const struct isa_group *g, const struct mvm_segment *seg,
                      struct run r, float *out, size_t pitch)
{
    for (uint32_t k = 0; k < seg->taps && r.n > 0; k++, r.x += g->dilation[1], out += seg->n)
        if (!view_read(s, s->at_tile, g->source_view, r, out, pitch))
            return false;
    return true;
}

static bool gather_segment(struct sim *s, const struct isa_group *g, const struct mvm_segment *seg,
                           struct run r, float *out, size_t pitch)
{
    uint32_t first, n = copy_windows(s, g, seg, r, out, pitch, &first);
    struct run left = r, right = r;
    left.n = first;
    right.x += (int64_t)(first + n) * r.step;
    right.n = r.n - first - n;
    return read_taps(s, g, seg, left, out, pitch) &&
           read_taps(s, g, seg, right, out + (first + n) * pitch, pitch);
}

static bool gather(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                   struct patch at)
{
    for (uint32_t i = 0; i < at.h; i++) {
        float *rows = s->panel + (size_t)i * at.w * plan->panel_width;
        for (uint32_t k = 0; k < plan->n_segments; k++) {
            const struct mvm_segment *seg = &plan->segments[k];
            struct run r = {
                .y = (at.y + i) * g->stride[0] + (int64_t)seg->kh * g->dilation[0] - g->pad_top,
                .x = at.x * g->stride[1] + (int64_t)seg->kw * g->dilation[1] - g->pad_left,
                .step = g->stride[1],
                .n = at.w,
                .c0 = seg->channel,
                .nc = seg->n};
            if (!gather_segment(s, g, seg, r, rows + seg->at, plan->panel_width))
                return false;
        }
    }
    return true;
}

/* The left factor of a patch's products: pixels of `columns` values, `pitch` floats apart. */
struct factor {
    const float *at;
    int64_t pitch;
};

/* A kernel of one tap, stride 1, that reads held pixels at equal distances: no need to gather. */
static bool in_source(struct sim *s, const struct isa_inst *inst, struct patch at,
                      struct factor *out)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    const struct sim_view *views = s->tiles[s->at_tile].views;
    const struct isa_view *v = view_of(s, s->at_tile, g->source_view);
    const struct mvm_segment *seg = plan->segments;
    if (plan->n_segments != 1 || seg->taps != 1 || g->stride[0] != 1 || g->stride[1] != 1 ||
        views[g->source_view].store == views[inst->dst.view].store ||
        v->col_pitch < (int64_t)(seg->n * sizeof(float)))
        return false;
    struct run r = {.y = at.y + (int64_t)seg->kh * g->dilation[0] - g->pad_top,
                    .x = at.x + (int64_t)seg->kw * g->dilation[1] - g->pad_left,
                    .step = 1,
                    .n = at.w,
                    .c0 = seg->channel,
                    .nc = seg->n};
    out->pitch = v->col_pitch / (int64_t)sizeof(float);
    out->at = view_rows(s, s->at_tile, g->source_view, r, at.h);
    return out->at != NULL;
}

static void multiply(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                     const struct mvm_strip *strip, const struct factor *in, int64_t pixels,
                     float *out, int64_t pitch)
{
    const float *image = isa_image_data(s->p, g->image);
    int64_t columns = s->p->images[g->image].n;
    for (uint32_t i = 0; i < strip->n_blocks; i++) {
        const struct mvm_block *b = &plan->blocks[strip->first_block + i];
        gemm_f32(pixels, strip->n, b->k, in->at + b->at, in->pitch,
                 image + b->row * columns + strip->n0, columns, out, pitch, i > 0);
    }
}

static bool product(struct sim *s, const struct isa_inst *inst, const struct mvm_strip *strip,
                    const struct factor *in, struct patch at)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    struct run r = {
        .y = at.y, .x = at.x, .step = 1, .n = at.w, .c0 = strip->n0 - g->channel0, .nc = strip->n};
    int64_t pixels = (int64_t)at.h * at.w;
    int64_t pitch = view_of(s, s->at_tile, inst->dst.view)->col_pitch / (int64_t)sizeof(float);
    float *in_place = view_rows(s, s->at_tile, inst->dst.view, r, at.h);
    if (in_place && pitch >= strip->n) {
        multiply(s, g, plan, strip, in, pixels, in_place, pitch);
        return true;
    }
    float *out = sim_scratch(s, (size_t)pixels * strip->n);
    multiply(s, g, plan, strip, in, pixels, out, strip->n);
    for (uint32_t i = 0; i < at.h; i++, r.y++)
        if (!view_write(s, s->at_tile, inst->dst.view, r, out + (size_t)i * at.w * strip->n,
                        strip->n))
            return false;
    return true;
}

static bool patch_product(struct sim *s, const struct isa_inst *inst, struct patch at)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    struct factor in;
    if (!in_source(s, inst, at, &in)) {
        in = (struct factor){s->panel, plan->panel_width};
        if (!gather(s, g, plan, at))
            return false;
    }
    for (uint32_t i = 0; i < plan->n_strips; i++)
        if (!product(s, inst, &plan->strips[i], &in, at))
            return false;
    return true;
}

bool exec_mvm(struct sim *s, const struct isa_inst *inst)
{
    uint32_t w = inst->w < SIM_PANEL_PIXELS ? inst->w : SIM_PANEL_PIXELS;
    uint32_t h = SIM_PANEL_PIXELS / w;
    for (uint32_t y = 0; y < inst->h; y += h)
        for (uint32_t x = 0; x < inst->w; x += w) {
            struct patch at = {.y = inst->dst.y + (int64_t)y,
                               .x = inst->dst.x + (int64_t)x,
                               .h = h < inst->h - y ? h : inst->h - y,
                               .w = w < inst->w - x ? w : inst->w - x};
            if (!patch_product(s, inst, at))
                return false;
        }
    return true;
}
