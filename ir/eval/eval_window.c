/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_window.c - pooling and its transpose. Both layouts are [outer][h][w][inner]; cells of a
 * window are visited in raster order. Padding holds no value: a maximum skips it, a mean divides by
 * the cells it counts.
 */
#include "eval_internal.h"

#include <math.h>
#include <stdlib.h>

struct window {
    struct image in, out;
    const int64_t *kernel, *stride, *dilation, *pad;
};

/* The taps of a window starting at `start` that lie in least..end-1: from..to-1. Computed, not
 * searched: a kernel may be far larger than the input. */
struct span {
    int64_t from, to;
};
static struct span inside(int64_t start, int64_t dilation, int64_t kernel, int64_t least,
                          int64_t end)
{
    int64_t from = start < least ? ceil_div_i64(least - start, dilation) : 0;
    int64_t to = start < end ? ceil_div_i64(end - start, dilation) : 0;
    return (struct span){from, max_i64(from, min_i64(to, kernel))};
}

/* One output pixel: its taps inside the input, and how many cells its mean counts. */
struct pixel {
    int64_t y0, x0; /* input position of tap 0, maybe outside */
    struct span rows, cols;
};
static struct pixel pixel_at(const struct window *v, int64_t oh, int64_t ow)
{
    struct pixel p = {.y0 = oh * v->stride[0] - v->pad[0], .x0 = ow * v->stride[1] - v->pad[1]};
    p.rows = inside(p.y0, v->dilation[0], v->kernel[0], 0, v->in.h);
    p.cols = inside(p.x0, v->dilation[1], v->kernel[1], 0, v->in.w);
    return p;
}

static void max_into(float *restrict out, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = x[i] > out[i] || x[i] != x[i] ? x[i] : out[i];
}

static void add_into(float *restrict out, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] += x[i];
}

static void reduce_pixel(const struct window *v, const struct pixel *p, const float *plane,
                         void (*reduce)(float *restrict out, const float *x, int64_t n), float *out)
{
    for (int64_t kh = p->rows.from; kh < p->rows.to; kh++) {
        for (int64_t kw = p->cols.from; kw < p->cols.to; kw++) {
            int64_t y = p->y0 + kh * v->dilation[0], x = p->x0 + kw * v->dilation[1];
            reduce(out, plane + (y * v->in.w + x) * v->in.inner, v->in.inner);
        }
    }
}

/* The same for integers, whose sums are exact in 64 bits: the maximum or the sum of a pixel's cells
 * in each of `inner` channels. `first` is the plane's first element. */
static void integer_cells(const struct window *v, const struct pixel *p, const struct tensor *x,
                          int64_t first, bool is_max, int64_t *cell)
{
    for (int64_t c = 0; c < v->in.inner; c++)
        cell[c] = is_max ? INT64_MIN : 0;
    for (int64_t kh = p->rows.from; kh < p->rows.to; kh++) {
        for (int64_t kw = p->cols.from; kw < p->cols.to; kw++) {
            int64_t y = p->y0 + kh * v->dilation[0], column = p->x0 + kw * v->dilation[1];
            int64_t at = first + (y * v->in.w + column) * v->in.inner;
            for (int64_t c = 0; c < v->in.inner; c++) {
                int64_t e = tensor_load_i64(x, at + c);
                cell[c] = is_max ? max_i64(cell[c], e) : cell[c] + e;
            }
        }
    }
}

/* Calls done() with the cells of each output pixel; `at` is its first element. */
static void integer_pixels(const struct window *v, const struct tensor *x, bool is_max,
                           void (*done)(void *self, const struct pixel *p, const int64_t *cell,
                                        int64_t at),
                           void *self)
{
    int64_t *cell = heap_alloc((size_t)v->in.inner * sizeof *cell);
    int64_t pixels = v->out.h * v->out.w;
    for (int64_t i = 0; i < v->out.outer * pixels; i++) {
        struct pixel p = pixel_at(v, i % pixels / v->out.w, i % pixels % v->out.w);
        integer_cells(v, &p, x, i / pixels * v->in.h * v->in.w * v->in.inner, is_max, cell);
        done(self, &p, cell, i * v->out.inner);
    }
    heap_free(cell);
}

/* What a finished pixel is put into. */
struct results {
    const struct window *window;
    const struct ir_attrs_avg_pool *at;
    struct tensor *out;
};

static void put_maximum(void *self, const struct pixel *p, const int64_t *cell, int64_t at)
{
    const struct results *r = self;
    (void)p;
    for (int64_t c = 0; c < r->window->out.inner; c++)
        tensor_store_i64(r->out, at + c, cell[c]);
}

bool eval_max_pool(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                   struct diag *d)
{
    (void)d;
    const struct ir_attrs_max_pool *at = &op->attrs->max_pool;
    struct window v = {.in = image_of(op, &in[0]->type),
                       .out = image_of(op, &out->type),
                       .kernel = at->kernel,
                       .stride = at->stride,
                       .dilation = at->dilation,
                       .pad = at->pad};
    if (in[0]->type.dtype != IR_F32) {
        integer_pixels(&v, in[0], true, put_maximum, &(struct results){&v, NULL, out});
        return true;
    }
    float *to = tensor_f32(out);
    for (int64_t plane = 0; plane < v.out.outer; plane++) {
        const float *from = tensor_f32(in[0]) + plane * v.in.h * v.in.w * v.in.inner;
        for (int64_t i = 0; i < v.out.h * v.out.w; i++, to += v.out.inner) {
            struct pixel p = pixel_at(&v, i / v.out.w, i % v.out.w);
            for (int64_t c = 0; c < v.out.inner; c++)
                to[c] = -INFINITY;
            reduce_pixel(&v, &p, from, max_into, to);
        }
    }
    return true;
}

/* Cells that the mean counts: those inside, with count_pad also those in the counted padding. */
static float cells(const struct window *v, const struct pixel *p,
                   const struct ir_attrs_avg_pool *at)
{
    struct span rows = p->rows, cols = p->cols;
    if (at->count_pad) {
        rows =
            inside(p->y0, v->dilation[0], v->kernel[0], -at->counted[0], v->in.h + at->counted[2]);
        cols =
            inside(p->x0, v->dilation[1], v->kernel[1], -at->counted[1], v->in.w + at->counted[3]);
    }
    return (float)((double)(rows.to - rows.from) * (double)(cols.to - cols.from));
}

static void put_mean(void *self, const struct pixel *p, const int64_t *cell, int64_t at)
{
    const struct results *r = self;
    float n = cells(r->window, p, r->at);
    for (int64_t c = 0; c < r->window->out.inner; c++)
        tensor_f32(r->out)[at + c] = (float)cell[c] / n;
}

bool eval_avg_pool(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                   struct diag *d)
{
    (void)d;
    const struct ir_attrs_avg_pool *at = &op->attrs->avg_pool;
    struct window v = {.in = image_of(op, &in[0]->type),
                       .out = image_of(op, &out->type),
                       .kernel = at->kernel,
                       .stride = at->stride,
                       .dilation = at->dilation,
                       .pad = at->pad};
    if (in[0]->type.dtype != IR_F32) {
        integer_pixels(&v, in[0], false, put_mean, &(struct results){&v, at, out});
        return true;
    }
    float *to = tensor_f32(out);
    for (int64_t plane = 0; plane < v.out.outer; plane++) {
        const float *from = tensor_f32(in[0]) + plane * v.in.h * v.in.w * v.in.inner;
        for (int64_t i = 0; i < v.out.h * v.out.w; i++, to += v.out.inner) {
            struct pixel p = pixel_at(&v, i / v.out.w, i % v.out.w);
            reduce_pixel(&v, &p, from, add_into, to);
            float n = cells(&v, &p, at);
            for (int64_t c = 0; c < v.out.inner; c++)
                to[c] /= n;
        }
    }
    return true;
}

/* Summed in double: the mean of a whole plane should not depend on the layout. */
bool eval_global_avg_pool(const struct ir_op *op, const struct tensor *const *in,
                          struct tensor *out, struct diag *d)
{
    if (!want_f32(op, in, d))
        return false;
    bool crossbar = op->graph->stage == IR_CROSSBAR;
    int64_t results = ir_count(&out->type), pixels = results ? ir_count(&in[0]->type) / results : 0;
    int64_t step = crossbar ? results : 1; /* between pixels of a channel */
    for (int64_t c = 0; c < results; c++) {
        const float *x = tensor_f32(in[0]) + (crossbar ? c : c * pixels);
        double sum = 0;
        for (int64_t i = 0; i < pixels; i++)
            sum += (double)x[i * step];
        tensor_f32(out)[c] = (float)(sum / (double)pixels);
    }
    return true;
}

/* The pixels of x that tap (kh, kw) adds to pixels of `out`, `inner` channels each. */
static void add_tap(const struct window *v, int64_t kh, int64_t kw, const float *x, float *out)
{
    int64_t y0 = kh * v->dilation[0] - v->pad[0], x0 = kw * v->dilation[1] - v->pad[1];
    struct span rows = inside(y0, v->stride[0], v->in.h, 0, v->out.h);
    struct span cols = inside(x0, v->stride[1], v->in.w, 0, v->out.w);
    for (int64_t i = rows.from; i < rows.to; i++) {
        float *to = out + (y0 + i * v->stride[0]) * v->out.w * v->out.inner;
        for (int64_t j = cols.from; j < cols.to; j++)
            add_into(to + (x0 + j * v->stride[1]) * v->out.inner,
                     x + (i * v->in.w + j) * v->in.inner, v->out.inner);
    }
}

/* Tap by tap, ascending: each adds to an output pixel at most once, so the order of a pixel's sum
 * is that of the taps. A tap's channels are planes (NCHW) or a part of each pixel (CROSSBAR). */
bool eval_overlap_add(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                      struct diag *d)
{
    if (!want_f32(op, in, d))
        return false;
    const struct ir_attrs_overlap_add *at = &op->attrs->overlap_add;
    struct window v = {.in = image_of(op, &in[0]->type),
                       .out = image_of(op, &out->type),
                       .kernel = at->kernel,
                       .stride = at->stride,
                       .dilation = at->dilation,
                       .pad = at->pad};
    bool crossbar = op->graph->stage == IR_CROSSBAR;
    int64_t planes = crossbar ? 1 : out->type.dim[1], taps = at->kernel[0] * at->kernel[1];
    int64_t tap_step = crossbar ? v.out.inner : planes * v.in.h * v.in.w;
    for (int64_t plane = 0; plane < v.out.outer; plane++) {
        int64_t first = plane / planes * planes * taps + plane % planes;
        const float *x = tensor_f32(in[0]) + first * v.in.h * v.in.w * v.in.inner;
        float *to = tensor_f32(out) + plane * v.out.h * v.out.w * v.out.inner;
        for (int64_t t = 0; t < taps; t++)
            add_tap(&v, t / at->kernel[1], t % at->kernel[1], x + t * tap_step, to);
    }
    return true;
}
