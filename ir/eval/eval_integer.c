/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_integer.c - base layers of integers: u8 by i8, summed exactly in i32. conv and matmul are
 * laid out as mvm has it, (h,w,c) by [K,N], so that there is one product.
 *
 * Sums are taken modulo 2^32. They are exact because no sum of a column can leave i32 whatever the
 * input is, which its weights say before anything is multiplied.
 */
#include "eval_internal.h"

#include <stdlib.h>

struct run {
    const struct layer *layer;
    const struct integers *data;
};

/* out[n] += factor * row[n] */
static void add_scaled(uint32_t *restrict out, const int8_t *row, int64_t n, uint32_t factor)
{
    for (int64_t i = 0; i < n; i++)
        out[i] += factor * (uint32_t)row[i];
}

static void add_pixel(const struct run *r, const struct layer_tap *t, const uint8_t *x,
                      const int8_t *w, const int32_t *center, uint32_t *out)
{
    uint32_t sum = 0;
    for (int64_t k = 0; k < t->c; k++) {
        sum += x[k];
        if (x[k]) /* after a relu most are not */
            add_scaled(out, w + k * r->layer->n, t->n, x[k]);
    }
    for (int64_t i = 0; center && i < t->n; i++)
        out[i] += sum * (uint32_t)center[i];
}

static void add_tap(void *self, const struct layer_tap *t)
{
    const struct run *r = self;
    const struct integers *v = r->data;
    for (int64_t i = 0; i < t->pixels; i++) {
        for (int64_t q = 0; q < r->layer->group; q++)
            add_pixel(r, t, v->x + t->x + i * t->step + q * t->c, v->w + t->w + q * t->n,
                      v->center ? v->center + q * t->n : NULL,
                      (uint32_t *)v->out + t->out + i * r->layer->n + q * t->n);
    }
}

/* No input of u8 takes a sum of a column out of i32. */
static bool columns_fit(const struct ir_op *op, const struct layer *l, const struct integers *v,
                        struct diag *d)
{
    int64_t rows = l->kernel[0] * l->kernel[1] * (l->c / l->group);
    for (int64_t n = 0; n < l->n; n++) {
        int64_t above = 0, below = 0, center = v->center ? v->center[n] : 0;
        for (int64_t k = 0; k < rows; k++) {
            int64_t w = v->w[k * l->n + n] + center;
            *(w > 0 ? &above : &below) += w;
        }
        if (above > INT32_MAX / UINT8_MAX || below < INT32_MIN / UINT8_MAX)
            return diag_error(d, op->loc, DIAG_DATA,
                              "%s: column %lld of the weights can sum to %lld, beyond 32 bits",
                              ir_op_descs[op->opcode].name, (long long)n,
                              (long long)(UINT8_MAX * (above > -below ? above : below)));
    }
    return true;
}

bool integer_layer(const struct ir_op *op, const struct layer *l, const struct integers *v,
                   struct diag *d)
{
    if (!columns_fit(op, l, v, d))
        return false;
    layer_taps(l, add_tap, &(struct run){l, v});
    return true;
}

bool integer_matmul(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                    struct diag *d)
{
    static const int64_t one[2] = {1, 1};
    int64_t k = in[1]->type.dim[0], n = in[1]->type.dim[1], rows = ir_count(&out->type) / n;
    struct layer l = {.h = 1,
                      .w = rows,
                      .c = k,
                      .oh = 1,
                      .ow = rows,
                      .n = n,
                      .group = 1,
                      .kernel = one,
                      .stride = one,
                      .dilation = one};
    return integer_layer(
        op, &l,
        &(struct integers){in[0]->data, in[1]->data, op->n_in == 3 ? in[2]->data : NULL, out->data},
        d);
}

/* out[j][i] = x[i][j] */
static void transpose(int64_t rows, int64_t columns, size_t elem, const void *x, void *out)
{
    struct grid g = grid_new(2, (int64_t[]){columns, rows});
    grid_linear(&g, 0, 1);
    grid_linear(&g, 1, columns);
    grid_copy(&g, elem, x, NULL, out);
    grid_free(&g);
}

/* [O, C/g, KH, KW] -> [KH*KW*C/g, O] */
static int8_t *matrix_of(const struct tensor *w)
{
    const int64_t *dim = w->type.dim;
    int64_t taps = dim[2] * dim[3], channels = dim[1];
    struct grid g = grid_new(3, (int64_t[]){taps, channels, dim[0]});
    grid_linear(&g, 0, 1);
    grid_linear(&g, 1, taps);
    grid_linear(&g, 2, taps * channels);
    int8_t *matrix = heap_alloc((size_t)ir_count(&w->type));
    grid_copy(&g, 1, w->data, NULL, matrix);
    grid_free(&g);
    return matrix;
}

bool integer_conv(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                  struct diag *d)
{
    const struct ir_attrs_conv *at = &op->attrs->conv;
    const int64_t *x = in[0]->type.dim, *y = out->type.dim;
    struct layer l = {.h = x[2],
                      .w = x[3],
                      .c = x[1],
                      .oh = y[2],
                      .ow = y[3],
                      .n = y[1],
                      .group = at->group,
                      .kernel = at->kernel,
                      .stride = at->stride,
                      .dilation = at->dilation};
    int64_t image = l.c * l.h * l.w, result = l.n * l.oh * l.ow;
    uint8_t *pixels = heap_alloc((size_t)image);
    int8_t *matrix = matrix_of(in[1]);
    bool ok = true;
    for (int64_t i = 0; i < x[0] && ok; i++) {
        int32_t *sums = heap_alloc((size_t)result * sizeof *sums);
        transpose(l.c, l.h * l.w, 1, (const uint8_t *)in[0]->data + i * image, pixels);
        ok = integer_layer(
            op, &l, &(struct integers){pixels, matrix, op->n_in == 3 ? in[2]->data : NULL, sums},
            d);
        transpose(l.oh * l.ow, l.n, sizeof *sums, sums, (int32_t *)out->data + i * result);
        heap_free(sums);
    }
    heap_free(matrix);
    heap_free(pixels);
    return ok;
}
