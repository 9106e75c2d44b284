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
    free(high);
    free(product);
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
    free(x);
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

enum { PROBE = 256, N_SHAPES = 4 };

/* Operands over the whole range, and what is expected of c on top of values that no f32 holds. */
struct probe {
    uint8_t a[PROBE * PROBE];
    int8_t b[PROBE * PROBE];
    int32_t want[PROBE * PROBE], c[PROBE * PROBE];
};

static int32_t before(int64_t i)
{
    return (1 << 24) + 1 + (int32_t)i;
}

static void fill(struct probe *p)
{
    uint64_t state = 1;
    for (size_t i = 0; i < PROBE * PROBE; i++) {
        uint64_t bits = random_next(&state);
        p->a[i] = bits & 3 ? (uint8_t)(bits >> 8) : UINT8_MAX;
        p->b[i] = bits & 4 ? (int8_t)(bits >> 16) : bits & 8 ? INT8_MIN : INT8_MAX;
    }
}

/* The products of kernels that differ: whole blocks, their ends, vectors. */
static const int64_t shapes[N_SHAPES][3] = {{33, 47, 67}, {1, 64, 130}, {64, 1, 130}, {5, 3, 7}};

static bool is_exact(struct probe *p, enum gemm_way way, const int64_t *shape)
{
    int64_t m = shape[0], n = shape[1], k = shape[2];
    for (int64_t i = 0; i < m * n; i++) {
        p->want[i] = p->c[i] = before(i);
        for (int64_t j = 0; j < k; j++)
            p->want[i] += p->a[i / n * k + j] * p->b[j * n + i % n];
    }
    gemm_u8s8_by(way, m, n, k, p->a, k, p->b, n, p->c, n, true);
    for (int64_t i = 0; i < m * n; i++)
        if (p->c[i] != p->want[i])
            return false;
    return true;
}

/* Of a product of full size, after one that may make its kernel. */
static double seconds(struct probe *p, enum gemm_way way)
{
    double best = 1e9;
    for (int run = 0; run < 3; run++) {
        struct timespec from, to;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
        gemm_u8s8_by(way, PROBE, PROBE, PROBE, p->a, PROBE, p->b, PROBE, p->c, PROBE, false);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
        double took =
            (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
        best = took < best ? took : best;
    }
    return best;
}

static enum gemm_way find_way(void)
{
    struct probe *p = heap_alloc(sizeof *p);
    enum gemm_way found = N_GEMM_WAYS;
    double best = 0;
    fill(p);
    for (enum gemm_way way = 0; way < N_GEMM_WAYS; way++) {
        bool exact = true;
        for (int i = 0; exact && i < N_SHAPES; i++)
            exact = is_exact(p, way, shapes[i]);
        double took = exact ? seconds(p, way) : 0;
        if (exact && (found == N_GEMM_WAYS || took < best)) {
            found = way;
            best = took;
        }
    }
    if (found == N_GEMM_WAYS)
        BUG("no product of bytes is exact");
    free(p);
    return found;
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
