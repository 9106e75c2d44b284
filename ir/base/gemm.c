/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gemm.c - oneDNN's products behind our own signatures.
 *
 * f32 goes two ways. dnnl_sgemm takes any matrices, but its first call in a process makes kernels
 * for 30 ms. A matmul primitive has a kernel for its shape, made in some 0.2 ms and kept by oneDNN,
 * and wants rows without gaps: on processors with AVX-512. On others it is dnnl_sgemm in disguise.
 */
#include "base/gemm.h"
#include "base/asan.h"
#include "base/base.h"

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#ifndef BASE_ASAN /* it has its own */
/* C++'s operator new, which oneDNN calls: nobody would catch what that throws. */
__attribute__((visibility("default"))) void *operator_new(size_t bytes) __asm__("_Znwm");

void *operator_new(size_t bytes)
{
    void *p = malloc(bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}
#endif

/* Of libgomp, whose threads Debian's oneDNN uses (its omp.h is gcc's alone). */
void omp_set_num_threads(int n);

static void must_be_good(dnnl_status_t s, const char *what, int64_t m, int64_t n, int64_t k)
{
    if (s == dnnl_out_of_memory)
        out_of_memory(0);
    if (s != dnnl_success)
        BUG("%s(%ld, %ld, %ld) answers %d", what, (long)m, (long)n, (long)k, (int)s);
}

/* Is there nothing to multiply? Then C, of 4-byte elements, is finished. */
static bool is_empty(int64_t m, int64_t n, int64_t k, void *c, int64_t ldc, bool accumulate)
{
    if (m != 0 && n != 0 && k != 0)
        return false;
    for (int64_t i = 0; i < m && !accumulate; i++)
        memset((int32_t *)c + i * ldc, 0, (size_t)n * sizeof(int32_t));
    return true;
}

/* ---- f32 ---- */

/* Of what a product must be, in multiplications, to be worth a kernel of its own; how many there
 * must be for each element that is copied; and elements of a copy that stays in the cache. */
enum { KERNEL_WORK = 1 << 16, COPY_WORK = 16, COPY = 1 << 17 };
/* Rows of B that are copied at a time, at most and at least. */
enum { MOST_ROWS = 512, LEAST_ROWS = 64 };
/* What is fetched in time: rows, and elements of a line of the cache. */
enum { AHEAD = 2, LINE = 16 };

static void by_sgemm(char stored_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                     const float *b, int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    must_be_good(
        dnnl_sgemm('N', stored_b, m, n, k, 1.0f, a, lda, b, ldb, accumulate ? 1.0f : 0.0f, c, ldc),
        "dnnl_sgemm", m, n, k);
}

/* Of matrices without gaps. */
struct kernel {
    int64_t m, n, k;
    bool accumulate;
    dnnl_engine_t engine;
    dnnl_memory_desc_t a, b, c;
    dnnl_primitive_t product;
};

static void good(const struct kernel *x, dnnl_status_t s)
{
    must_be_good(s, "dnnl_matmul", x->m, x->n, x->k);
}

static dnnl_memory_desc_t matrix(const struct kernel *x, int64_t rows, int64_t columns)
{
    dnnl_memory_desc_t out;
    good(x, dnnl_memory_desc_init_by_tag(&out, 2, (dnnl_dims_t){rows, columns}, dnnl_f32, dnnl_ab));
    return out;
}

/* Once oneDNN has the code of a shape, this takes some microseconds. */
static void open_kernel(struct kernel *x)
{
    dnnl_matmul_desc_t what;
    dnnl_primitive_attr_t how;
    dnnl_post_ops_t then;
    dnnl_primitive_desc_t found;
    good(x, dnnl_engine_create(&x->engine, dnnl_cpu, 0));
    x->a = matrix(x, x->m, x->k);
    x->b = matrix(x, x->k, x->n);
    x->c = matrix(x, x->m, x->n);
    good(x, dnnl_matmul_desc_init(&what, &x->a, &x->b, NULL, &x->c));
    good(x, dnnl_primitive_attr_create(&how));
    good(x, dnnl_post_ops_create(&then));
    if (x->accumulate)
        good(x, dnnl_post_ops_append_sum(then, 1.0f));
    good(x, dnnl_primitive_attr_set_post_ops(how, then));
    good(x, dnnl_primitive_desc_create(&found, &what, how, x->engine, NULL));
    good(x, dnnl_primitive_create(&x->product, found));
    good(x, dnnl_primitive_desc_destroy(found));
    good(x, dnnl_post_ops_destroy(then));
    good(x, dnnl_primitive_attr_destroy(how));
}

static void run_kernel(const struct kernel *x, const float *a, const float *b, float *c)
{
    const float *at[] = {a, b, c};
    const dnnl_memory_desc_t *as[] = {&x->a, &x->b, &x->c};
    dnnl_exec_arg_t in[] = {
        {.arg = DNNL_ARG_SRC}, {.arg = DNNL_ARG_WEIGHTS}, {.arg = DNNL_ARG_DST}};
    dnnl_stream_t stream;
    for (int i = 0; i < 3; i++)
        good(x, dnnl_memory_create(&in[i].memory, as[i], x->engine, (void *)at[i]));
    good(x, dnnl_stream_create(&stream, x->engine, dnnl_stream_default_flags));
    good(x, dnnl_primitive_execute(x->product, stream, 3, in));
    good(x, dnnl_stream_wait(stream));
    good(x, dnnl_stream_destroy(stream));
    for (int i = 0; i < 3; i++)
        good(x, dnnl_memory_destroy(in[i].memory));
}

static void by_kernel(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c,
                      bool accumulate)
{
    struct kernel x = {.m = m, .n = n, .k = k, .accumulate = accumulate};
    open_kernel(&x);
    run_kernel(&x, a, b, c);
    good(&x, dnnl_primitive_destroy(x.product));
    good(&x, dnnl_engine_destroy(x.engine));
}

/* Fetches ahead, for processors do not foresee rows that are far apart. */
static void copy_rows(const float *from, int64_t from_pitch, int64_t rows, int64_t columns,
                      float *to, int64_t to_pitch)
{
    for (int64_t i = 0; i < rows; i++, from += from_pitch, to += to_pitch) {
        for (int64_t j = 0; j < columns && i + AHEAD < rows; j += LINE)
            __builtin_prefetch(from + AHEAD * from_pitch + j);
        memcpy(to, from, (size_t)columns * sizeof *to);
    }
}

/* The matrix itself, if there is nothing between its rows, or a copy. */
static const float *without_gaps(const float *x, int64_t pitch, int64_t rows, int64_t columns,
                                 float **room)
{
    if (pitch == columns)
        return x;
    *room = heap_realloc(*room, (size_t)(rows * columns) * sizeof **room);
    copy_rows(x, pitch, rows, columns, *room, columns);
    return *room;
}

/* C's place, or a copy. */
static float *sum_without_gaps(float *c, int64_t pitch, int64_t m, int64_t n, bool accumulate)
{
    if (pitch == n)
        return c;
    float *room = heap_realloc(NULL, (size_t)(m * n) * sizeof *room);
    if (accumulate)
        copy_rows(c, pitch, m, n, room, n);
    return room;
}

static void by_kernels(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                       int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    int64_t step = ldb == n ? k : MOST_ROWS;
    while (ldb != n && step * n > COPY)
        step /= 2;
    float *room_a = NULL, *room_b = NULL, *sum = sum_without_gaps(c, ldc, m, n, accumulate);
    for (int64_t i = 0; i < k; i += step) {
        int64_t rows = step < k - i ? step : k - i;
        by_kernel(m, n, rows, without_gaps(a + i, lda, m, rows, &room_a),
                  without_gaps(b + i * ldb, ldb, rows, n, &room_b), sum, accumulate || i > 0);
    }
    heap_free(room_a);
    heap_free(room_b);
    if (sum == c)
        return;
    copy_rows(sum, n, m, n, c, ldc);
    heap_free(sum);
}

static bool has_kernels(void)
{
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

/* Large enough, with little to copy. */
static bool suits_kernels(int64_t m, int64_t n, int64_t k, bool whole_a, bool whole_b, bool whole_c)
{
    int64_t work = m * n * k;
    int64_t copied = (whole_a ? 0 : m * k) + (whole_b ? 0 : k * n) + (whole_c ? 0 : m * n);
    return work >= KERNEL_WORK && work / COPY_WORK >= copied &&
           (whole_b || LEAST_ROWS * n <= COPY) && (whole_c || m * n <= COPY);
}

void gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
              int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    if (is_empty(m, n, k, c, ldc, accumulate))
        return;
    omp_set_num_threads(1); /* the order of a sum must not vary */
    if (has_kernels() && suits_kernels(m, n, k, lda == k, ldb == n, ldc == n))
        by_kernels(m, n, k, a, lda, b, ldb, c, ldc, accumulate);
    else
        by_sgemm('N', m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}

void gemm_f32_by_transpose(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                           const float *b, int64_t ldb, float *c, int64_t ldc)
{
    if (is_empty(m, n, k, c, ldc, false))
        return;
    omp_set_num_threads(1);
    by_sgemm('T', m, n, k, a, lda, b, ldb, c, ldc, false);
}

void gemm_u8s8_onednn(int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda,
                      const int8_t *b, int64_t ldb, int32_t *c, int64_t ldc, bool accumulate)
{
    const int32_t no_offset = 0;
    if (is_empty(m, n, k, c, ldc, accumulate))
        return;
    omp_set_num_threads(1);
    must_be_good(dnnl_gemm_u8s8s32('N', 'N', 'F', m, n, k, 1.0f, a, lda, 0, b, ldb, 0,
                                   accumulate ? 1.0f : 0.0f, c, ldc, &no_offset),
                 "dnnl_gemm_u8s8s32", m, n, k);
}
