/*
 * exec_mvm.c - crossbar products: gather the window of each pixel once, then few large GEMMs.
 *
 * In: a group's plan (mvm_plan.c), its source view, the mapped image. Out: its pixels in the
 * destination view. ISA.md section 5. Formula: D[pixel][n] = sum over k of panel[pixel][k] *
 * image[k][n], in f32, or u8 x i8 in i32.
 */
#include "sim_view.h"

#include "base/clones.h"
#include "base/gemm.h"

#include <string.h>

/* What one call works on: rows [y, y + h), columns [x, x + w) of the destination. */
struct patch {
    int64_t y, x;
    uint32_t h, w;
};

/* The view's element: what the panel holds. */
static size_t source_bytes(const struct sim *s, const struct isa_group *g)
{
    return s->tiles[s->at_tile].views[g->source_view].element_bytes;
}

/* The pixels whose taps of this segment are all held and lie one after the other: copied whole.
 * Returns how many, from *first on. */
static uint32_t copy_windows(struct sim *s, const struct isa_group *g,
                             const struct mvm_segment *seg, struct run r, uint8_t *out,
                             size_t pitch, uint32_t *first)
{
    const struct isa_view *v = view_of(s, s->at_tile, g->source_view);
    size_t bytes = seg->taps * seg->n * source_bytes(s, g);
    int64_t end = (int64_t)v->x1 - seg->taps + 1;
    *first = 0;
    if (s->tiles[s->at_tile].views[g->source_view].col != seg->n || g->dilation[1] != 1 ||
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

static bool read_taps(struct sim *s, const struct isa_group *g, const struct mvm_segment *seg,
                      struct run r, uint8_t *out, size_t pitch)
{
    size_t size = source_bytes(s, g);
    for (uint32_t k = 0; k < seg->taps && r.n > 0; k++, r.x += g->dilation[1], out += seg->n * size)
        if (!view_read(s, s->at_tile, g->source_view, r, out, pitch / size))
            return false;
    return true;
}

/* Pixels of the panel are `pitch` bytes apart. */
static bool gather_segment(struct sim *s, const struct isa_group *g, const struct mvm_segment *seg,
                           struct run r, uint8_t *out, size_t pitch)
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
    size_t size = source_bytes(s, g), pitch = plan->panel_width * size;
    for (uint32_t i = 0; i < at.h; i++) {
        uint8_t *rows = (uint8_t *)s->panel + (size_t)i * at.w * pitch;
        for (uint32_t k = 0; k < plan->n_segments; k++) {
            const struct mvm_segment *seg = &plan->segments[k];
            struct run r = {
                .y = (at.y + i) * g->stride[0] + (int64_t)seg->kh * g->dilation[0] - g->pad_top,
                .x = at.x * g->stride[1] + (int64_t)seg->kw * g->dilation[1] - g->pad_left,
                .step = g->stride[1],
                .n = at.w,
                .c0 = seg->channel,
                .nc = seg->n};
            if (!gather_segment(s, g, seg, r, rows + seg->at * size, pitch))
                return false;
        }
    }
    return true;
}

/* The left factor of a patch's products: pixels of `columns` values, `pitch` elements apart. */
struct factor {
    const void *at;
    int64_t pitch;
};

/* A kernel of one tap, stride 1, that reads held pixels at equal distances: no need to gather. */
static bool in_source(struct sim *s, const struct isa_inst *inst, struct patch at,
                      struct factor *out)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    const struct sim_view *views = s->tiles[s->at_tile].views;
    int64_t pitch = views[g->source_view].col;
    const struct mvm_segment *seg = plan->segments;
    if (plan->n_segments != 1 || seg->taps != 1 || g->stride[0] != 1 || g->stride[1] != 1 ||
        views[g->source_view].store == views[inst->dst.view].store || pitch < seg->n)
        return false;
    struct run r = {.y = at.y + (int64_t)seg->kh * g->dilation[0] - g->pad_top,
                    .x = at.x + (int64_t)seg->kw * g->dilation[1] - g->pad_left,
                    .step = 1,
                    .n = at.w,
                    .c0 = seg->channel,
                    .nc = seg->n};
    out->pitch = pitch;
    out->at = view_rows(s, s->at_tile, g->source_view, r, at.h);
    return out->at != NULL;
}

/* ---- f32 ---- */

/* out(i, c) = sum over taps of panel(i, tap, c) * image(tap, c) */
CLONES static void channels_f32(const struct mvm_plan *plan, const float *w, int64_t columns,
                                const struct factor *in, int64_t pixels, float *out, int64_t pitch)
{
    uint32_t n = plan->strips[0].n;
    for (int64_t i = 0; i < pixels; i++) {
        const float *restrict x = (const float *)in->at + i * in->pitch;
        float *restrict to = out + i * pitch;
        for (uint32_t c = 0; c < n; c++)
            to[c] = x[c] * w[c];
        for (uint32_t k = 1; k < plan->n_segments; k++) {
            const float *restrict tap = x + (size_t)k * n, *restrict weight = w + k * columns;
            for (uint32_t c = 0; c < n; c++)
                to[c] += tap[c] * weight[c];
        }
    }
}

static void multiply_f32(const struct isa_program *p, uint32_t image, const struct mvm_plan *plan,
                         const struct mvm_strip *strip, const struct factor *in, int64_t pixels,
                         float *out, int64_t pitch)
{
    int64_t columns = p->images[image].n;
    const float *w = (const float *)isa_image_data(p, image) + strip->n0;
    if (plan->depthwise)
        channels_f32(plan, w, columns, in, pixels, out, pitch);
    for (uint32_t i = 0; i < strip->n_blocks; i++) {
        const struct mvm_block *b = &plan->blocks[strip->first_block + i];
        gemm_f32(pixels, strip->n, b->k, (const float *)in->at + b->at, in->pitch,
                 w + b->row * columns, columns, out, pitch, i > 0);
    }
}

/* ---- integers: modulo 2^32, though no sum of a program that the compiler makes leaves it ---- */

/* As channels_f32. What center adds to a weight is added to it: it meets the same input. */
CLONES static void channels_u8(const struct mvm_plan *plan, const int8_t *w, const int32_t *center,
                               int64_t columns, const struct factor *in, int64_t pixels,
                               uint32_t *out, int64_t pitch)
{
    uint32_t n = plan->strips[0].n;
    for (int64_t i = 0; i < pixels; i++) {
        const uint8_t *restrict x = (const uint8_t *)in->at + i * in->pitch;
        uint32_t *restrict to = out + i * pitch;
        memset(to, 0, n * sizeof *to);
        for (uint32_t k = 0; k < plan->n_segments; k++) {
            const uint8_t *restrict tap = x + (size_t)k * n;
            const int8_t *restrict weight = w + k * columns;
            for (uint32_t c = 0; c < n; c++)
                to[c] += (uint32_t)(tap[c] * weight[c]);
            for (uint32_t c = 0; center && c < n; c++)
                to[c] += tap[c] * (uint32_t)center[c];
        }
    }
}

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
                        const struct mvm_strip *strip, const struct factor *in, int64_t pixels,
                        int32_t *out, int64_t pitch)
{
    int64_t columns = p->images[image].n;
    const int8_t *w = (const int8_t *)isa_image_data(p, image) + strip->n0;
    const int32_t *center = isa_image_center(p, image);
    center = center ? center + strip->n0 : NULL;
    if (plan->depthwise)
        channels_u8(plan, w, center, columns, in, pixels, (uint32_t *)out, pitch);
    for (uint32_t i = 0; i < strip->n_blocks; i++) {
        const struct mvm_block *b = &plan->blocks[strip->first_block + i];
        const uint8_t *x = (const uint8_t *)in->at + b->at;
        gemm_u8s8(pixels, strip->n, b->k, x, in->pitch, w + b->row * columns, columns, out, pitch,
                  i > 0);
        if (center)
            add_center(x, in->pitch, b->k, center, strip->n, pixels, (uint32_t *)out, pitch);
    }
}

static void multiply(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
                     const struct mvm_strip *strip, const struct factor *in, int64_t pixels,
                     void *out, int64_t pitch)
{
    if (s->p->images[g->image].element == ELEMENT_f32)
        multiply_f32(s->p, g->image, plan, strip, in, pixels, out, pitch);
    else
        multiply_u8(s->p, g->image, plan, strip, in, pixels, out, pitch);
}

/* ---- one patch ---- */

static bool product(struct sim *s, const struct isa_inst *inst, const struct mvm_strip *strip,
                    const struct factor *in, struct patch at)
{
    const struct isa_group *g = &s->p->tiles[s->at_tile].groups[inst->obj];
    const struct mvm_plan *plan = &s->tiles[s->at_tile].mvm[inst->obj];
    struct run r = {
        .y = at.y, .x = at.x, .step = 1, .n = at.w, .c0 = strip->n0 - g->channel0, .nc = strip->n};
    int64_t pixels = (int64_t)at.h * at.w;
    int64_t pitch = s->tiles[s->at_tile].views[inst->dst.view].col;
    void *in_place = view_rows(s, s->at_tile, inst->dst.view, r, at.h);
    if (in_place && pitch >= strip->n) {
        multiply(s, g, plan, strip, in, pixels, in_place, pitch);
        return true;
    }
    uint32_t *out = sim_scratch(s, (size_t)pixels * strip->n); /* f32 or i32 */
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
