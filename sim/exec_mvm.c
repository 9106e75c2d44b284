/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * exec_mvm.c - crossbar products: gather the window of each patch of pixels once, then few large
 * GEMMs.
 *
 * In: a group's plan (mvm_plan.c), its source view, the mapped image. Out: its pixels in the
 * destination view. ISA.md section 5. Formula: D[product][n] = sum over k of panel[product][k] *
 * image[k][n], in f32, or u8 x i8 in i32; column n is a pixel of the product's patch and a channel.
 */
#include "sim_view.h"

#include "base/clones.h"
#include "base/gemm.h"

#include <string.h>

/* What one call works on: h x w products, the first of which makes the pixel (y, x) of the
 * destination; pixels from (y_end, x_end) on are dropped. */
struct piece {
    int64_t y, x, y_end, x_end;
    uint32_t h, w;
};

/* The view's element: what the panel holds. */
static size_t source_bytes(const struct sim *s, const struct isa_group *g)
{
    return s->tiles[s->at_tile].views[g->source_view].element_bytes;
}

/* The products whose taps of this segment are all held and lie one after the other: copied whole.
 * Returns how many, from *first on. */
static uint32_t copy_windows(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                             const struct mvm_segment *seg, struct run r, uint8_t *out,
                             size_t pitch, uint32_t *first)
{
    const struct isa_view *v = view_of(s, s->at_tile, g->source_view);
    size_t bytes = seg->taps * seg->n * source_bytes(s, g);
    int64_t end = (int64_t)v->x1 - seg->taps + 1;
    *first = 0;
    if (s->tiles[s->at_tile].views[g->source_view].col != seg->n || plan->m.step[1] != 1 ||
        r.y < v->y0 || r.y >= v->y1 || r.x >= end)
        return 0;
    uint32_t skipped = r.x < v->x0 ? (uint32_t)((v->x0 - r.x + r.step - 1) / r.step) : 0;
    int64_t last = (end - r.x + r.step - 1) / r.step;
    uint32_t n = last < r.n ? (uint32_t)last : r.n;
    if (skipped >= n)
        return 0;
    r.x += skipped * r.step;
    r.n = 1;
    const uint8_t *from = view_pixels(s, s->at_tile, g->source_view, r);
    if (!from)
        return 0;
    out += skipped * pitch;
    for (uint32_t i = skipped; i < n; i++, from += v->col_pitch * r.step, out += pitch)
        memcpy(out, from, bytes);
    *first = skipped;
    return n - skipped;
}

/* Where `pixels` columns of the patch's pixels are kept; taps that none of them reads are 0. */
static bool read_taps(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                      const struct mvm_segment *seg, struct run r, uint32_t pixels, uint8_t *out,
                      size_t pitch)
{
    size_t size = source_bytes(s, g);
    uint32_t x = seg->x;
    for (uint32_t k = 0; k < seg->taps && r.n > 0;
         k++, x += plan->m.step[1], r.x += plan->m.step[1], out += seg->n * size) {
        if (isa_mapping_reader(&plan->m, 1, x) < pixels) {
            if (!view_read(s, s->at_tile, g->source_view, r, out, pitch / size))
                return false;
            continue;
        }
        for (uint32_t i = 0; i < r.n; i++)
            memset(out + i * pitch, 0, seg->n * size);
    }
    return true;
}

/* Products of the panel are `pitch` bytes apart. The last one of the row may be cut off. */
static bool gather_segment(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                           const struct mvm_segment *seg, struct run r, uint32_t last_pixels,
                           uint8_t *out, size_t pitch)
{
    const uint32_t whole = plan->m.patch[1];
    struct run left = r, right = r, last = r;
    r.n -= last_pixels < whole;
    uint32_t first, n = copy_windows(s, g, plan, seg, r, out, pitch, &first);
    left.n = first;
    right.x += (int64_t)(first + n) * r.step;
    right.n = r.n - first - n;
    last.x += (int64_t)r.n * r.step;
    last.n -= r.n;
    return read_taps(s, g, plan, seg, left, whole, out, pitch) &&
           read_taps(s, g, plan, seg, right, whole, out + (first + n) * pitch, pitch) &&
           read_taps(s, g, plan, seg, last, last_pixels, out + r.n * pitch, pitch);
}

/* One row of products. */
static bool gather_row(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                       const struct piece *at, int64_t y, uint8_t *row)
{
    size_t size = source_bytes(s, g), pitch = plan->panel_width * size;
    const uint32_t *patch = plan->m.patch;
    int64_t rows = min_i64(at->y_end - y, patch[0]);
    int64_t last = min_i64(at->x_end - (at->x + (int64_t)(at->w - 1) * patch[1]), patch[1]);
    for (uint32_t k = 0; k < plan->n_segments; k++) {
        const struct mvm_segment *seg = &plan->segments[k];
        uint8_t *out = row + seg->at * size;
        struct run r = {.y = y * g->stride[0] + (int64_t)seg->y - g->pad_top,
                        .x = at->x * g->stride[1] + (int64_t)seg->x - g->pad_left,
                        .step = (int64_t)patch[1] * g->stride[1],
                        .n = at->w,
                        .c0 = seg->channel,
                        .nc = seg->n};
        if (seg->reader >= rows)
            for (uint32_t i = 0; i < at->w; i++)
                memset(out + i * pitch, 0, seg->taps * seg->n * size);
        else if (!gather_segment(s, g, plan, seg, r, (uint32_t)last, out, pitch))
            return false;
    }
    return true;
}

static bool gather(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                   const struct piece *at)
{
    size_t row = at->w * plan->panel_width * source_bytes(s, g);
    for (uint32_t i = 0; i < at->h; i++)
        if (!gather_row(s, g, plan, at, at->y + (int64_t)i * plan->m.patch[0],
                        (uint8_t *)s->panel + i * row))
            return false;
    return true;
}

/* A kernel of one tap, stride 1, that reads held pixels at equal distances: no need to gather. */
static bool in_source(struct sim *s, const struct isa_inst *inst, const struct piece *at,
                      struct mvm_factor *out)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    const struct sim_view *views = s->tiles[s->at_tile].views;
    int64_t pitch = views[g->source_view].col;
    const struct mvm_segment *seg = plan->segments;
    if (plan->n_segments != 1 || seg->taps != 1 || isa_has_patch(g) || g->stride[0] != 1 ||
        g->stride[1] != 1 || views[g->source_view].store == views[inst->dst.view].store ||
        pitch < seg->n)
        return false;
    struct run r = {.y = at->y + (int64_t)seg->y - g->pad_top,
                    .x = at->x + (int64_t)seg->x - g->pad_left,
                    .step = 1,
                    .n = at->w,
                    .c0 = seg->channel,
                    .nc = seg->n};
    out->pitch = pitch;
    out->at = view_rows(s, s->at_tile, g->source_view, r, at->h);
    return out->at != NULL;
}

static void clear(void *out, uint32_t n, int64_t pixels, int64_t pitch)
{
    for (int64_t i = 0; i < pixels; i++)
        memset((uint32_t *)out + i * pitch, 0, n * sizeof(uint32_t));
}

/* ---- f32 ---- */

static void multiply_f32(const struct isa_program *p, uint32_t image, const struct mvm_plan *plan,
                         const struct mvm_strip *strip, const struct mvm_factor *in, int64_t pixels,
                         float *out, int64_t pitch)
{
    int64_t columns = p->images[image].n;
    const float *w = (const float *)isa_image_data(p, image) + strip->n0;
    for (uint32_t i = 0; i < strip->n_blocks; i++) {
        const struct mvm_block *b = &plan->blocks[strip->first_block + i];
        gemm_f32(pixels, strip->n, b->k, (const float *)in->at + b->at, in->pitch,
                 w + b->row * columns, columns, out, pitch, i > 0);
    }
}

/* sum(c) += x(k) * w(k, c), k after k; products and sums are rounded each */
CLONES static void add_in_order(const float *x, uint32_t k, const float *w, int64_t columns,
                                float *restrict sum, uint32_t n)
{
    for (uint32_t i = 0; i < k; i++, w += columns)
        for (uint32_t c = 0; c < n; c++)
            sum[c] += x[i] * w[c];
}

CLONES static void add_all(const float *restrict from, float *restrict to, uint32_t n)
{
    for (uint32_t c = 0; c < n; c++)
        to[c] += from[c];
}

/* PE by PE in the order of the table, the rows of each ascending, from +0 on both. */
static void multiply_in_order(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                              const struct mvm_strip *strip, const struct mvm_factor *in,
                              int64_t pixels, float *out, int64_t pitch)
{
    int64_t columns = s->p->images[g->image].n;
    const float *w = (const float *)isa_image_data(s->p, g->image) + strip->n0;
    float *sum = heap_alloc(strip->n * sizeof *sum);
    clear(out, strip->n, pixels, pitch);
    for (int64_t pixel = 0; pixel < pixels; pixel++, out += pitch) {
        const float *x = (const float *)in->at + pixel * in->pitch;
        for (uint32_t i = 0; i < strip->n_arrays; i++) {
            const struct mvm_array *pe = &plan->arrays[strip->first_array + i];
            memset(sum, 0, strip->n * sizeof *sum);
            for (uint32_t r = 0; r < pe->n_blocks; r++) {
                const struct mvm_block *b = &plan->held[pe->first_block + r];
                add_in_order(x + b->at, b->k, w + b->row * columns, columns, sum, strip->n);
            }
            add_all(sum, out, strip->n);
        }
    }
    heap_free(sum);
}

/* ---- integers: modulo 2^32, though no sum of a program that the compiler makes leaves it ---- */

CLONES static uint32_t sum_u8(const uint8_t *x, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

/* out(i, n) += center(n) * sum of the inputs of pixel i */
static void add_center(const uint8_t *in, int64_t in_pitch, uint32_t k, const int32_t *center,
                       uint32_t n, int64_t pixels, uint32_t *out, int64_t pitch)
{
    for (int64_t i = 0; i < pixels; i++, in += in_pitch, out += pitch) {
        uint32_t sum = sum_u8(in, k);
        for (uint32_t c = 0; c < n; c++)
            out[c] += (uint32_t)center[c] * sum;
    }
}

static void multiply_u8(const struct isa_program *p, uint32_t image, const struct mvm_plan *plan,
                        const struct mvm_strip *strip, const struct mvm_factor *in, int64_t pixels,
                        int32_t *out, int64_t pitch)
{
    int64_t columns = p->images[image].n;
    const int8_t *w = (const int8_t *)isa_image_data(p, image) + strip->n0;
    const int32_t *center = isa_image_center(p, image);
    center = center ? center + strip->n0 : NULL;
    for (uint32_t i = 0; i < strip->n_blocks; i++) {
        const struct mvm_block *b = &plan->blocks[strip->first_block + i];
        const uint8_t *x = (const uint8_t *)in->at + b->at;
        gemm_u8s8(pixels, strip->n, b->k, x, in->pitch, w + b->row * columns, columns, out, pitch,
                  i > 0);
        if (center)
            add_center(x, in->pitch, b->k, center, strip->n, pixels, (uint32_t *)out, pitch);
    }
}

/* Exact sums, and what reading them does to them. */
static void multiply_integers(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                              const struct mvm_strip *strip, const struct mvm_factor *in,
                              int64_t pixels, int32_t *out, int64_t pitch)
{
    if (plan->reading && plan->reading->noisy)
        clear(out, strip->n, pixels, pitch);
    else
        multiply_u8(s->p, g->image, plan, strip, in, pixels, out, pitch);
    if (plan->reading)
        read_out(s, g, plan, strip, in, pixels, (uint32_t *)out, pitch);
}

static void multiply(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                     const struct mvm_strip *strip, const struct mvm_factor *in, int64_t pixels,
                     void *out, int64_t pitch)
{
    if (strip->n_blocks == 0)
        clear(out, strip->n, pixels, pitch);
    else if (s->p->images[g->image].element == ELEMENT_f32 && plan->arrays)
        multiply_in_order(s, g, plan, strip, in, pixels, out, pitch);
    else if (s->p->images[g->image].element == ELEMENT_f32)
        multiply_f32(s->p, g->image, plan, strip, in, pixels, out, pitch);
    else
        multiply_integers(s, g, plan, strip, in, pixels, out, pitch);
}

/* ---- one piece ---- */

/* The channels of one pixel of the patch, of all products, which are `pitch` elements apart: as
 * many as the destination shows, in the pixels that it keeps. */
static bool put_pixel(struct sim *s, const struct isa_inst *inst, const struct piece *at,
                      struct isa_pixel pixel, uint32_t channels, const uint32_t *out, size_t pitch)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const uint32_t *patch = s->tiles[s->at_tile].mvm[inst->obj].m.patch;
    int64_t shown = (int64_t)g->channel0 + view_of(s, s->at_tile, inst->dst.view)->channels;
    int64_t from = max_i64(pixel.channel, g->channel0);
    int64_t end = min_i64((int64_t)pixel.channel + channels, shown);
    int64_t width = at->x_end - at->x - pixel.column;
    if (from >= end || width <= 0)
        return true;
    struct run r = {.y = at->y + pixel.row,
                    .x = at->x + pixel.column,
                    .step = patch[1],
                    .n = (uint32_t)ceil_div_i64(width, patch[1]),
                    .c0 = (uint32_t)from - g->channel0,
                    .nc = (uint32_t)(end - from)};
    out += from - pixel.channel;
    for (uint32_t i = 0; i < at->h && r.y < at->y_end; i++, r.y += patch[0])
        if (!view_write(s, s->at_tile, inst->dst.view, r, out + (size_t)i * at->w * pitch, pitch))
            return false;
    return true;
}

/* Where `n` channels of the piece's pixels lie `*pitch` elements apart, one product after the
 * other, or NULL. */
static void *in_place(struct sim *s, const struct isa_inst *inst, const struct piece *at,
                      uint32_t channel, uint32_t n, int64_t *pitch)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    *pitch = s->tiles[s->at_tile].views[inst->dst.view].col;
    if (isa_has_patch(g) || *pitch < n)
        return NULL;
    struct run r = {
        .y = at->y, .x = at->x, .step = 1, .n = at->w, .c0 = channel - g->channel0, .nc = n};
    return view_rows(s, s->at_tile, inst->dst.view, r, at->h);
}

/* The columns of a strip: of one pixel after the other. */
static bool strip_products(struct sim *s, const struct isa_inst *inst,
                           const struct mvm_strip *strip, const struct mvm_factor *in,
                           const struct piece *at)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    int64_t products = (int64_t)at->h * at->w, pitch;
    void *place = in_place(s, inst, at, strip->n0, strip->n, &pitch);
    if (place) {
        multiply(s, g, plan, strip, in, products, place, pitch);
        return true;
    }
    uint32_t *out = sim_scratch(s, (size_t)products * strip->n); /* f32 or i32 */
    multiply(s, g, plan, strip, in, products, out, strip->n);
    uint32_t end = strip->n0 + strip->n, next;
    for (uint32_t n = strip->n0; n < end; n = next) {
        struct isa_pixel pixel = isa_mapping_pixel(&plan->m, n);
        next = isa_has_patch(g) ? n - n % plan->m.pixel_columns + plan->m.pixel_columns : end;
        next = next < end ? next : end;
        if (!put_pixel(s, inst, at, pixel, next - n, out + (n - strip->n0), strip->n))
            return false;
    }
    return true;
}

static bool depthwise_products(struct sim *s, const struct isa_inst *inst,
                               const struct mvm_factor *in, const struct piece *at)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    const struct mvm_depthwise *d = &plan->depthwise;
    bool floats = s->p->images[g->image].element == ELEMENT_f32;
    int64_t products = (int64_t)at->h * at->w, pitch;
    void *place = in_place(s, inst, at, d->channel, d->n, &pitch);
    if (place) {
        depthwise_multiply(plan, floats, in, products, place, pitch);
        return true;
    }
    size_t all = (size_t)d->pixels * d->n;
    uint32_t *out = sim_scratch(s, (size_t)products * all);
    depthwise_multiply(plan, floats, in, products, out, (int64_t)all);
    for (uint32_t i = 0; i < d->pixels; i++) {
        struct isa_pixel pixel = {i / plan->m.patch[1], i % plan->m.patch[1], d->channel};
        if (!put_pixel(s, inst, at, pixel, d->n, out + (size_t)i * d->n, all))
            return false;
    }
    return true;
}

static bool piece_products(struct sim *s, const struct isa_inst *inst, const struct piece *at)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    struct mvm_factor in;
    if (!in_source(s, inst, at, &in)) {
        in = (struct mvm_factor){s->panel, plan->panel_width};
        if (!gather(s, g, plan, at))
            return false;
    }
    if (plan->depthwise.n > 0 && !depthwise_products(s, inst, &in, at))
        return false;
    for (uint32_t i = 0; i < plan->n_strips; i++)
        if (!strip_products(s, inst, &plan->strips[i], &in, at))
            return false;
    return true;
}

bool exec_mvm(struct sim *s, const struct isa_inst *inst)
{
    const uint32_t *patch = s->tiles[s->at_tile].mvm[inst->obj].m.patch;
    uint32_t rows = (uint32_t)ceil_div_i64(inst->h, patch[0]);
    uint32_t columns = (uint32_t)ceil_div_i64(inst->w, patch[1]);
    uint32_t w = mvm_panel_part(columns, SIM_PANEL_PRODUCTS);
    uint32_t h = mvm_panel_part(rows, SIM_PANEL_PRODUCTS / w);
    for (uint32_t y = 0; y < rows; y += h)
        for (uint32_t x = 0; x < columns; x += w) {
            struct piece at = {.y = inst->dst.y + (int64_t)y * patch[0],
                               .x = inst->dst.x + (int64_t)x * patch[1],
                               .y_end = inst->dst.y + (int64_t)inst->h,
                               .x_end = inst->dst.x + (int64_t)inst->w,
                               .h = h < rows - y ? h : rows - y,
                               .w = w < columns - x ? w : columns - x};
            at.x_end = min_i64(at.x_end, at.x + (int64_t)at.w * patch[1]);
            if (!piece_products(s, inst, &at))
                return false;
        }
    return true;
}
