/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gemm_u8s8.c - exact products of bytes on any processor.
 *
 * oneDNN's own product is exact and fast with VNNI instructions; without them it saturates sums of
 * two products at 16 bits and says nothing, and for some processors it has no fast kernel. Two ways
 * around: the upper and the lower four bits of a, times b, whose sums of two fit (2 * 15 * 128);
 * and f32, exact while sums stay below 2^24. So each way is tried once for whether it is right and
 * how long it takes. All that are right give the same bits: which one is taken is no part of a
 * result.
 */
#include "base/gemm.h"

#include "base/base.h"
#include "base/clones.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Rows of b that f32 sums exactly: 512 * 255 * 128 < 2^24. */
enum { EXACT_ROWS = 512 };

/* ---- four bits at a time ---- */

CLONES static void split(const uint8_t *a, int64_t lda, int64_t m, int64_t k, uint8_t *high,
                         uint8_t *low)
{
    for (int64_t i = 0; i < m; i++, a += lda, high += k, low += k)
        for (int64_t j = 0; j < k; j++) {
            high[j] = a[j] >> 4;
            low[j] = a[j] & 15;
        }
}

/* c += 16 * high */
CLONES static void add_high(const int32_t *high, int64_t m, int64_t n, int32_t *c, int64_t ldc)
{
    for (int64_t i = 0; i < m; i++, high += n, c += ldc)
        for (int64_t j = 0; j < n; j++)
            c[j] = (int32_t)((uint32_t)c[j] + (uint32_t)high[j] * 16);
}

static void by_nibbles(int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda,
                       const int8_t *b, int64_t ldb, int32_t *c, int64_t ldc, bool accumulate)
{
    uint8_t *high = heap_alloc((size_t)(2 * m * k)), *low = high + m * k;
    int32_t *product = heap_alloc((size_t)(m * n) * sizeof *product);
    split(a, lda, m, k, high, low);
    gemm_u8s8_onednn(m, n, k, low, k, b, ldb, c, ldc, accumulate);
    gemm_u8s8_onednn(m, n, k, high, k, b, ldb, product, n, false);
    add_high(product, m, n, c, ldc);
    heap_free(high);
    heap_free(product);
}

/* ---- floats ---- */

CLONES static void widen_u8(const uint8_t *in, int64_t pitch, int64_t m, int64_t k, float *out)
{
    for (int64_t i = 0; i < m; i++, in += pitch, out += k)
        for (int64_t j = 0; j < k; j++)
            out[j] = in[j];
}

CLONES static void widen_i8(const int8_t *in, int64_t pitch, int64_t k, int64_t n, float *out)
{
    for (int64_t i = 0; i < k; i++, in += pitch, out += n)
        for (int64_t j = 0; j < n; j++)
            out[j] = in[j];
}

/* c = product, or c += product. */
CLONES static void add_floats(const float *product, int64_t m, int64_t n, int32_t *c, int64_t ldc,
                              bool accumulate)
{
    for (int64_t i = 0; i < m; i++, product += n, c += ldc)
        for (int64_t j = 0; j < n; j++) {
            uint32_t before = accumulate ? (uint32_t)c[j] : 0;
            c[j] = (int32_t)(before + (uint32_t)(int32_t)product[j]);
        }
}

static void by_floats(int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda,
                      const int8_t *b, int64_t ldb, int32_t *c, int64_t ldc, bool accumulate)
{
    int64_t most = k < EXACT_ROWS ? k : EXACT_ROWS;
    float *x = heap_alloc((size_t)(m * most + most * n + m * n) * sizeof *x);
    float *w = x + m * most, *product = w + most * n;
    for (int64_t first = 0; first < k; first += most) {
        int64_t rows = most < k - first ? most : k - first;
        widen_u8(a + first, lda, m, rows, x);
        widen_i8(b + first * ldb, ldb, rows, n, w);
        gemm_f32(m, n, rows, x, rows, w, n, product, n, false);
        add_floats(product, m, n, c, ldc, accumulate || first > 0);
    }
    heap_free(x);
}

void gemm_u8s8_by(enum gemm_way way, int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda,
                  const int8_t *b, int64_t ldb, int32_t *c, int64_t ldc, bool accumulate)
{
    typedef void gemm(int64_t, int64_t, int64_t, const uint8_t *, int64_t, const int8_t *, int64_t,
                      int32_t *, int64_t, bool);
    static gemm *const ways[N_GEMM_WAYS] = {
        [GEMM_BYTES] = gemm_u8s8_onednn, [GEMM_NIBBLES] = by_nibbles, [GEMM_FLOATS] = by_floats};
    bool empty = m == 0 || n == 0 || k == 0; /* which oneDNN's way handles */
    ways[empty ? GEMM_BYTES : way](m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}

/* ---- which way ---- */

/* Of the product that is timed, large enough for kernels to show; as fast as a kernel for bytes is
 * at least, in products of plain loops. (f32 is not timed: oneDNN takes 30 ms to make its kernel.)
 */
enum { ROWS = 64, COLUMNS = 256, FAST = 2, N_SHAPES = 4 };

/* Operands over the whole range, and what is expected of c. */
struct probe {
    uint8_t a[ROWS * COLUMNS];
    int8_t b[COLUMNS * COLUMNS];
    int32_t want[ROWS * COLUMNS], c[ROWS * COLUMNS];
};

static void fill(struct probe *p)
{
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof p->b; i++) {
        uint64_t bits = random_next(&state);
        p->b[i] = bits & 4 ? (int8_t)(bits >> 16) : bits & 8 ? INT8_MIN : INT8_MAX;
        if (i < sizeof p->a)
            p->a[i] = bits & 3 ? (uint8_t)(bits >> 8) : UINT8_MAX;
    }
}

/* want += a * b, row by row. */
CLONES static void plain(struct probe *p, int64_t m, int64_t n, int64_t k)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < k; j++)
            for (int64_t c = 0; c < n; c++)
                p->want[i * n + c] += p->a[i * k + j] * p->b[j * n + c];
}

static bool is_exact(struct probe *p, const int64_t *shape)
{
    int64_t m = shape[0], n = shape[1], k = shape[2];
    for (int64_t i = 0; i < m * n; i++) /* on top of values that no f32 holds */
        p->want[i] = p->c[i] = (1 << 24) + 1 + (int32_t)i;
    plain(p, m, n, k);
    gemm_u8s8_onednn(m, n, k, p->a, k, p->b, n, p->c, n, true);
    return memcmp(p->c, p->want, (size_t)(m * n) * sizeof *p->c) == 0;
}

/* Whole blocks and their ends; vectors; the shape that is timed. */
static bool bytes_are_exact(struct probe *p)
{
    static const int64_t shapes[N_SHAPES][3] = {
        {33, 47, 67}, {1, 64, 130}, {64, 1, 130}, {ROWS, COLUMNS, COLUMNS}};
    for (int i = 0; i < N_SHAPES; i++)
        if (!is_exact(p, shapes[i]))
            return false;
    return true;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The least of a few: the kernels have been made. */
static bool bytes_are_fast(struct probe *p)
{
    double bytes = 1e9, loops = 1e9;
    for (int run = 0; run < 3; run++) {
        double start = cpu_seconds();
        gemm_u8s8_onednn(ROWS, COLUMNS, COLUMNS, p->a, COLUMNS, p->b, COLUMNS, p->c, COLUMNS,
                         false);
        double between = cpu_seconds();
        plain(p, ROWS, COLUMNS, COLUMNS);
        double end = cpu_seconds();
        bytes = between - start < bytes ? between - start : bytes;
        loops = end - between < loops ? end - between : loops;
    }
    return bytes * FAST < loops;
}

static enum gemm_way find_way(void)
{
    struct probe *p = heap_alloc(sizeof *p);
    fill(p);
    enum gemm_way way = bytes_are_exact(p) ? GEMM_BYTES : GEMM_NIBBLES;
    if (!bytes_are_fast(p))
        way = GEMM_FLOATS;
    heap_free(p);
    return way;
}

enum gemm_way gemm_u8s8_way(void)
{
    /* Outlives the call, as a fact about the processor may; a thread finds it out for itself. */
    static _Thread_local bool known;
    static _Thread_local enum gemm_way way;
    if (!known)
        way = find_way();
    known = true;
    return way;
}

void gemm_u8s8(int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda, const int8_t *b,
               int64_t ldb, int32_t *c, int64_t ldc, bool accumulate)
{
    gemm_u8s8_by(gemm_u8s8_way(), m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}
