/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_feedback.c - rounding with error feedback, after Frantar et al., GPTQ (2022).
 *
 * The error that rounding weights makes in a layer's sums is d^T H d for each column of errors d,
 * with H the second moments of the rows. Rows are rounded in ascending order; the error e of row i
 * is made up for as well as the rows behind it can, which is by w[j] -= e / U[i][i] * U[i][j],
 * where U is the upper triangular matrix with U^T U = H^-1. With H = R R^T, R upper triangular, U
 * is R^-1, so H is not inverted. 1 % of the mean of H's diagonal is added to it first.
 *
 * All in f64 and in a fixed order, whatever the processor.
 */
#include "quant.h"

#include "base/clones.h"

#include <math.h>

enum { LANES = 8 };

CLONES static double dot(const double *a, const double *b, int64_t n)
{
    double sum[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += a[i + l] * b[i + l];
    for (; i < n; i++)
        sum[0] += a[i] * b[i];
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

/* y += factor * x */
CLONES static void add_scaled(double *y, const double *x, double factor, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

/* ---- order ---- */

struct row {
    double moment;
    int64_t at;
};

static int by_moment(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->moment != y->moment)
        return x->moment < y->moment ? 1 : -1;
    return x->at < y->at ? -1 : 1;
}

static struct row *rows_in_order(const double *second, int64_t k, int64_t stride)
{
    struct row *rows = heap_alloc((size_t)k * sizeof *rows);
    for (int64_t i = 0; i < k; i++)
        rows[i] = (struct row){second[i * stride + i], i};
    qsort(rows, (size_t)k, sizeof *rows, by_moment);
    return rows;
}

/* H [k][k] in that order, of which j >= i counts, with more on its diagonal; NULL if it is zero. */
static double *ordered_moments(const double *second, int64_t k, int64_t stride,
                               const struct row *rows)
{
    double sum = 0;
    for (int64_t i = 0; i < k; i++)
        sum += rows[i].moment;
    if (!(sum > 0))
        return NULL;
    double *h = heap_alloc((size_t)(k * k) * sizeof *h);
    for (int64_t i = 0; i < k; i++) {
        for (int64_t j = i; j < k; j++) {
            int64_t x = min_i64(rows[i].at, rows[j].at), y = max_i64(rows[i].at, rows[j].at);
            h[i * k + j] = second[x * stride + y];
        }
        h[i * k + i] += 0.01 * sum / (double)k;
    }
    return h;
}

/* ---- U ---- */

/* The upper triangle of H becomes R. */
static void factor(double *h, int64_t k)
{
    for (int64_t j = k - 1; j >= 0; j--) {
        const double *row = h + j * k + j + 1;
        double *diagonal = h + j * k + j;
        *diagonal = sqrt(*diagonal - dot(row, row, k - j - 1));
        for (int64_t i = 0; i < j; i++) {
            double *at = h + i * k + j;
            *at = (*at - dot(at + 1, row, k - j - 1)) / *diagonal;
        }
    }
}

/* R becomes its inverse; `row` has room for k. */
static void invert(double *r, int64_t k, double *row)
{
    for (int64_t i = k - 1; i >= 0; i--) {
        double *own = r + i * k, scale = 1 / own[i];
        memcpy(row, own, (size_t)k * sizeof *row);
        memset(own + i + 1, 0, (size_t)(k - i - 1) * sizeof *own);
        for (int64_t m = i + 1; m < k; m++)
            add_scaled(own + m, r + m * k + m, -scale * row[m], k - m);
        own[i] = scale;
    }
}

/* ---- rounding ---- */

static double rounded(double x, double most)
{
    return fmin(fmax(rint(x), -most), most);
}

void quant_feedback(double *w, int64_t k, int64_t n, double most, const double *second,
                    int64_t stride)
{
    double *spare = heap_alloc((size_t)max_i64(k, n) * sizeof *spare);
    struct row *rows = rows_in_order(second, k, stride);
    double *u = ordered_moments(second, k, stride, rows);
    if (u) {
        factor(u, k);
        invert(u, k, spare);
    }
    for (int64_t i = 0; i < k; i++) {
        double *row = w + rows[i].at * n;
        for (int64_t c = 0; c < n; c++) {
            double q = rounded(row[c], most);
            spare[c] = row[c] - q;
            row[c] = q;
        }
        for (int64_t j = i + 1; j < k && u; j++)
            add_scaled(w + rows[j].at * n, spare, -u[i * k + j] / u[i * k + i], n);
    }
    heap_free(u);
    heap_free(rows);
    heap_free(spare);
}
