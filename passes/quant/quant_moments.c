/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_moments.c - sums over what a base layer reads: of each row, and of the products of two.
 *
 * In: a layer's input, image after image. Out: sums in f64, in a fixed order, over pixels that are
 * spread evenly over all images: some thousand more than there are rows tell as much as all. Rows
 * are taken apart into blocks of at most MOST_ROWS, in which alone products of two are kept, so
 * that memory and time are linear in the rows of a layer.
 */
#include "quant.h"

#include "base/clones.h"

enum { MOST_ROWS = 1024, MORE_PIXELS = 2048, TOGETHER = 4 };

/* ---- shapes ---- */

static int64_t block_rows(const struct quant_layer *l)
{
    int64_t k = l->weights.k, n_blocks = ceil_div_i64(k, MOST_ROWS);
    return ceil_div_i64(k, n_blocks);
}

static int64_t n_blocks(const struct quant_layer *l)
{
    return ceil_div_i64(l->weights.k, block_rows(l));
}

size_t quant_moments_bytes(const struct quant_layer *l, bool second)
{
    int64_t block = block_rows(l);
    return second ? (size_t)(l->weights.groups * n_blocks(l) * block * block) * sizeof(double) : 0;
}

/* Pixels of one image: products that the layer makes. */
static int64_t n_pixels(const struct quant_layer *l)
{
    return ir_count(&l->op->out->type) / l->weights.n;
}

struct quant_moments *quant_moments_new(const struct quant_layer *l, bool second, bool mean,
                                        size_t n_images)
{
    struct quant_moments *m = heap_alloc(sizeof *m);
    int64_t rows = l->weights.groups * l->weights.k;
    *m = (struct quant_moments){
        .layer = l, .block = block_rows(l), .n_all = n_pixels(l) * (int64_t)n_images};
    if (second)
        m->second = heap_alloc(quant_moments_bytes(l, second));
    if (mean)
        m->mean = heap_alloc((size_t)(2 * rows) * sizeof(double));
    return m;
}

void quant_moments_free(struct quant_moments *m)
{
    heap_free(m->second);
    heap_free(m->mean);
    heap_free(m);
}

/* ---- the rows of a pixel ---- */

/* Of conv: pixel `at` of the output, group g; rows (channel, kh, kw) as in the kernel. */
static void gather_window(const struct ir_op *conv, const struct tensor *x, int64_t at, int64_t g,
                          float *row)
{
    const struct ir_attrs_conv *a = &conv->attrs->conv;
    const int64_t *dim = x->type.dim;
    int64_t ow = conv->out->type.dim[3], pixels = conv->out->type.dim[2] * ow;
    int64_t image = at / pixels, h = at % pixels / ow * a->stride[0], w = at % ow * a->stride[1];
    int64_t channels = dim[1] / a->group;
    const float *data = x->data;
    for (int64_t c = image * dim[1] + g * channels, end = c + channels; c < end; c++)
        for (int64_t y = 0; y < a->kernel[0]; y++)
            for (int64_t z = 0; z < a->kernel[1]; z++)
                *row++ =
                    data[(c * dim[2] + h + y * a->dilation[0]) * dim[3] + w + z * a->dilation[1]];
}

/* Of matmul: the vector that product number `at` multiplies. */
static void gather_vector(const struct quant_layer *l, const struct tensor *x, int64_t at,
                          float *row)
{
    int64_t k = l->weights.k;
    const float *data = x->data;
    bool columns = l->data == 1 && x->type.rank == 2; /* of the right operand */
    int64_t step = columns ? x->type.dim[1] : 1, first = columns ? at : at * k;
    for (int64_t i = 0; i < k; i++)
        row[i] = data[first + i * step];
}

static void gather(const struct quant_layer *l, const struct tensor *x, int64_t at, int64_t g,
                   float *row)
{
    if (l->op->opcode == IR_conv)
        gather_window(l->op, x, at, g, row);
    else
        gather_vector(l, x, at, row);
}

/* ---- sums ---- */

/* h[i][j] += sum over the TOGETHER rows r of x[r][i] * x[r][j], j >= i */
CLONES static void add_moments(double *h, int64_t block, int64_t k, const double *x)
{
    const double *x0 = x, *x1 = x + k, *x2 = x + 2 * k, *x3 = x + 3 * k;
    for (int64_t i = 0; i < k; i++) {
        double a = x0[i], b = x1[i], c = x2[i], d = x3[i];
        if (a == 0 && b == 0 && c == 0 && d == 0)
            continue;
        for (int64_t j = i; j < k; j++)
            h[i * block + j] += a * x0[j] + b * x1[j] + (c * x2[j] + d * x3[j]);
    }
}

/* What the layer's grid makes of x. */
static double on_grid(const struct target *grid, float x)
{
    return (double)quant_real(grid, int_quantized(grid, x));
}

static void add_rows(struct quant_moments *m, int64_t g, const float *rows)
{
    const struct quant_layer *l = m->layer;
    int64_t k = l->weights.k, blocks = n_blocks(l);
    double x[TOGETHER * MOST_ROWS];
    for (int64_t b = 0; b < blocks && m->second; b++) {
        int64_t first = b * m->block, n = min_i64(m->block, k - first);
        for (int r = 0; r < TOGETHER; r++)
            for (int64_t i = 0; i < n; i++)
                x[r * n + i] = (double)rows[r * k + first + i];
        add_moments(m->second + (g * blocks + b) * m->block * m->block, m->block, n, x);
    }
    for (int64_t i = 0; i < k && m->mean; i++) {
        double *mean = &m->mean[2 * (g * k + i)];
        for (int r = 0; r < TOGETHER; r++) {
            mean[0] += (double)rows[r * k + i];
            mean[1] += on_grid(&l->grid, rows[r * k + i]);
        }
    }
}

/* Pixel number i of all is taken where i * wanted / all reaches another whole number. */
static bool is_wanted(const struct quant_moments *m, int64_t i)
{
    int64_t wanted = min_i64(m->n_all, 2 * m->block + MORE_PIXELS);
    return i * wanted / m->n_all != (i + 1) * wanted / m->n_all;
}

void quant_moments_add(struct quant_moments *m, const struct tensor *x)
{
    const struct quant_layer *l = m->layer;
    int64_t k = l->weights.k, groups = l->weights.groups, n = n_pixels(l);
    float *rows = heap_alloc((size_t)(TOGETHER * k) * sizeof *rows);
    for (int64_t g = 0; g < groups; g++) {
        int r = 0;
        for (int64_t at = 0; at <= n; at++) {
            if (at < n && is_wanted(m, m->n_seen + at))
                gather(l, x, at, g, rows + k * r++);
            if (r < TOGETHER && (at < n || r == 0))
                continue;
            memset(rows + k * r, 0, (size_t)(k * (TOGETHER - r)) * sizeof *rows);
            add_rows(m, g, rows);
            m->n_taken += g == 0 ? r : 0;
            r = 0;
        }
    }
    m->n_seen += n;
    heap_free(rows);
}
