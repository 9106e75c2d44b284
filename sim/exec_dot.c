/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * exec_dot.c - VDOT: products of two values. ISA.md section 6.
 *
 * In: regions of two views. Out: a region of the destination view. A row of b is packed once, as
 * floats, into strips of STRIP results; then a few pixels of a meet it at a time. Each sum has a
 * lane of its own and takes its products in ascending order, so no bit depends on how many are
 * worked on at once. Integers go the same way, in pieces whose sums a float holds exactly.
 */
#include "lane_ops.h"
#include "sim_view.h"

#include "base/clones.h"

#include <string.h>

enum {
    VECTOR = 16,
    STRIP = 2 * VECTOR, /* results side by side */
    PIXELS = 4,         /* that meet a strip at a time */
    EXACT = 256,        /* products of two bytes each: 256 * 255 * 255 < 2^24 */
};

/* One instruction. All pointers are into the scratch memory. */
struct dot {
    struct sim *s;
    const struct isa_inst *inst;
    uint32_t n, k;  /* results and products of a pixel */
    bool floats;    /* else bytes */
    float *strips;  /* row of b: [strips][k][STRIP], zeros behind the last result */
    float *pixels;  /* [PIXELS][k] */
    uint32_t *sums; /* [PIXELS][n] of f32 or i32 */
    void *raw;      /* elements as they are: a row of b, or pixels of a */
};

/* sums[p][i] += pixels[p * pitch + k] * strip[k][i], k ascending. */
CLONES static void add_products(float sums[PIXELS][STRIP], const float *pixels, size_t pitch,
                                const float *strip, uint32_t n)
{
    typedef float vector __attribute__((vector_size(VECTOR * sizeof(float))));
    vector r[PIXELS][2], b[2];
    memcpy(r, sums, sizeof r);
    for (uint32_t k = 0; k < n; k++, strip += STRIP) {
        memcpy(b, strip, sizeof b);
        for (unsigned p = 0; p < PIXELS; p++) {
            r[p][0] = r[p][0] + pixels[p * pitch + k] * b[0];
            r[p][1] = r[p][1] + pixels[p * pitch + k] * b[1];
        }
    }
    memcpy(sums, r, sizeof r);
}

/* The sums of PIXELS pixels with one strip, in 32 bits of their type. */
static void strip_sums(const struct dot *d, const float *strip, uint32_t sums[PIXELS][STRIP])
{
    uint32_t piece = d->floats ? d->k : EXACT;
    memset(sums, 0, PIXELS * sizeof *sums);
    for (uint32_t k = 0; k < d->k; k += piece) {
        uint32_t n = d->k - k < piece ? d->k - k : piece;
        float part[PIXELS][STRIP] = {0};
        add_products(part, d->pixels + k, d->k, strip + (size_t)k * STRIP, n);
        if (d->floats) {
            memcpy(sums, part, sizeof part);
            return;
        }
        for (unsigned p = 0; p < PIXELS; p++)
            for (unsigned i = 0; i < STRIP; i++)
                sums[p][i] += (uint32_t)part[p][i];
    }
}

static float element(const struct dot *d, const void *at, size_t i)
{
    return d->floats ? ((const float *)at)[i] : (float)((const uint8_t *)at)[i];
}

/* n pixels of nc channels, packed; NULL after a fault. */
static const void *elements(const struct dot *d, uint32_t view, int64_t y, int64_t x, uint32_t n,
                            uint32_t nc)
{
    struct run r = {.y = y, .x = x, .step = 1, .n = n, .nc = nc};
    const void *direct = view_direct(d->s, d->s->at_tile, view, r);
    if (direct)
        return direct;
    return view_read(d->s, d->s->at_tile, view, r, d->raw, nc) ? d->raw : NULL;
}

static bool pack_row(const struct dot *d, int64_t y)
{
    bool kn = d->inst->flags & VDOT_KN;
    uint32_t columns = kn ? d->k : d->n, channels = kn ? d->n : d->k;
    const void *b = elements(d, d->inst->b.view, y, 0, columns, channels);
    for (uint32_t n = 0; b && n < d->n; n++) {
        float *to = d->strips + (size_t)(n / STRIP) * d->k * STRIP + n % STRIP;
        for (uint32_t k = 0; k < d->k; k++)
            to[(size_t)k * STRIP] =
                element(d, b, kn ? (size_t)k * channels + n : (size_t)n * channels + k);
    }
    return b != NULL;
}

/* `count` pixels from column x of row y on, both relative. */
static bool dot_pixels(const struct dot *d, uint32_t y, uint32_t x, uint32_t count)
{
    const struct isa_inst *i = d->inst;
    const void *a = elements(d, i->a.view, (int64_t)i->a.y + y, (int64_t)i->a.x + x, count, d->k);
    if (!a)
        return false;
    for (size_t j = 0; j < (size_t)count * d->k; j++)
        d->pixels[j] = element(d, a, j);
    for (uint32_t n = 0; n < d->n; n += STRIP) {
        uint32_t sums[PIXELS][STRIP], m = d->n - n < STRIP ? d->n - n : STRIP;
        strip_sums(d, d->strips + (size_t)n * d->k, sums);
        for (uint32_t p = 0; p < count; p++)
            memcpy(d->sums + (size_t)p * d->n + n, sums[p], m * sizeof *d->sums);
    }
    struct run to = {
        .y = (int64_t)i->dst.y + y, .x = (int64_t)i->dst.x + x, .step = 1, .n = count, .nc = d->n};
    return view_write(d->s, d->s->at_tile, i->dst.view, to, d->sums, d->n);
}

static struct dot dot_new(struct sim *s, const struct isa_inst *inst)
{
    struct dot d = {.s = s, .inst = inst};
    d.n = view_of(s, s->at_tile, inst->dst.view)->channels;
    d.k = view_of(s, s->at_tile, inst->a.view)->channels;
    d.floats = view_of(s, s->at_tile, inst->a.view)->element == ELEMENT_f32;
    size_t k = d.k, strips = (size_t)(d.n + STRIP - 1) / STRIP * STRIP * k;
    size_t pixels = PIXELS * k, sums = (size_t)PIXELS * d.n;
    size_t raw = d.n > PIXELS ? d.n * k : pixels;
    d.strips = sim_scratch(s, strips + pixels + sums + raw);
    d.pixels = d.strips + strips;
    d.sums = (uint32_t *)(d.pixels + pixels);
    d.raw = d.sums + sums;
    memset(d.strips, 0, (strips + pixels) * sizeof(float));
    return d;
}

bool exec_vdot(struct sim *s, const struct isa_inst *inst)
{
    struct dot d = dot_new(s, inst);
    for (uint32_t y = 0; y < inst->h; y++) {
        if (!pack_row(&d, (int64_t)inst->b.y + y))
            return false;
        for (uint32_t x = 0; x < inst->w; x += PIXELS)
            if (!dot_pixels(&d, y, x, inst->w - x < PIXELS ? inst->w - x : PIXELS))
                return false;
    }
    return true;
}
