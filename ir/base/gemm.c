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
#include "base/base.h"
#include "base/gemm_catch.h"

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

/* Of libgomp, whose threads Debian's oneDNN uses (its omp.h is gcc's alone). */
void omp_set_num_threads(int n);
int omp_get_max_threads(void);

/* What is asked of oneDNN, and what came of it. */
struct request {
    void (*ask)(struct request *r); /* sets status; nothing leaves it by the door */
    dnnl_status_t status;
    const char *what;
    int64_t m, n, k;
};

static void ask(void *request)
{
    struct request *r = request;
    r->ask(r);
}

/* A kernel that was half made stays half made in oneDNN's cache: it is emptied. */
static void forget_kernels(void)
{
    int capacity;
    if (dnnl_get_primitive_cache_capacity(&capacity) == dnnl_success &&
        dnnl_set_primitive_cache_capacity(0) == dnnl_success)
        dnnl_set_primitive_cache_capacity(capacity);
}

/* With one thread, for the order of a sum must not vary; how many the caller has, stays. */
static bool throws_alone(struct request *r)
{
    int n = omp_get_max_threads();
    if (n != 1)
        omp_set_num_threads(1);
    bool thrown = gemm_throws(ask, r);
    if (n != 1)
        omp_set_num_threads(n);
    return thrown;
}

/* What oneDNN throws is that there is no memory. `give_back` ends what was begun. */
static void must_be_good(struct request *r, void (*give_back)(struct request *r))
{
    bool thrown = throws_alone(r);
    if (give_back)
        give_back(r);
    if (thrown)
        forget_kernels();
    if (thrown || r->status == dnnl_out_of_memory)
        out_of_memory(0);
    if (r->status != dnnl_success)
        BUG("%s(%ld, %ld, %ld) answers %d", r->what, (long)r->m, (long)r->n, (long)r->k,
            (int)r->status);
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

struct product {
    struct request request; /* must stay first */
    char stored_b;
    const void *a, *b;
    void *c;
    int64_t lda, ldb, ldc;
    float kept; /* of C: 0 or 1 */
};

static void ask_sgemm(struct request *r)
{
    const struct product *p = (struct product *)r;
    r->status = dnnl_sgemm('N', p->stored_b, r->m, r->n, r->k, 1.0f, p->a, p->lda, p->b, p->ldb,
                           p->kept, p->c, p->ldc);
}

static void by_sgemm(char stored_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                     const float *b, int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    struct product p = {.request = {.ask = ask_sgemm, .what = "dnnl_sgemm", .m = m, .n = n, .k = k},
                        .stored_b = stored_b,
                        .a = a,
                        .b = b,
                        .c = c,
                        .lda = lda,
                        .ldb = ldb,
                        .ldc = ldc,
                        .kept = accumulate ? 1.0f : 0.0f};
    must_be_good(&p.request, NULL);
}

/* A, B and C of a matmul, matrices without gaps. */
enum { N_MATRICES = 3 };

/* What is NULL was not made. */
struct kernel {
    struct request request; /* must stay first */
    bool accumulate;
    void *data[N_MATRICES];
    dnnl_memory_desc_t shape[N_MATRICES];
    dnnl_memory_t matrix[N_MATRICES];
    dnnl_engine_t engine;
    dnnl_primitive_attr_t how;
    dnnl_post_ops_t then;
    dnnl_primitive_desc_t found;
    dnnl_primitive_t product;
    dnnl_stream_t stream;
};

/* The kernel's way through oneDNN ends where a step is not good. */
static bool good(struct kernel *x, dnnl_status_t s)
{
    x->request.status = s;
    return s == dnnl_success;
}

static bool make_matrix(struct kernel *x, int i, int64_t rows, int64_t columns)
{
    return good(x, dnnl_memory_desc_init_by_tag(&x->shape[i], 2, (dnnl_dims_t){rows, columns},
                                                dnnl_f32, dnnl_ab)) &&
           good(x, dnnl_memory_create(&x->matrix[i], &x->shape[i], x->engine, x->data[i]));
}

/* Once oneDNN has the code of a shape, this takes some microseconds. */
static bool make_product(struct kernel *x)
{
    dnnl_matmul_desc_t what;
    return good(x, dnnl_matmul_desc_init(&what, &x->shape[0], &x->shape[1], NULL, &x->shape[2])) &&
           good(x, dnnl_primitive_attr_create(&x->how)) &&
           good(x, dnnl_post_ops_create(&x->then)) &&
           (!x->accumulate || good(x, dnnl_post_ops_append_sum(x->then, 1.0f))) &&
           good(x, dnnl_primitive_attr_set_post_ops(x->how, x->then)) &&
           good(x, dnnl_primitive_desc_create(&x->found, &what, x->how, x->engine, NULL)) &&
           good(x, dnnl_primitive_create(&x->product, x->found));
}

static bool run_product(struct kernel *x)
{
    dnnl_exec_arg_t in[N_MATRICES] = {{.arg = DNNL_ARG_SRC, .memory = x->matrix[0]},
                                      {.arg = DNNL_ARG_WEIGHTS, .memory = x->matrix[1]},
                                      {.arg = DNNL_ARG_DST, .memory = x->matrix[2]}};
    return good(x, dnnl_stream_create(&x->stream, x->engine, dnnl_stream_default_flags)) &&
           good(x, dnnl_primitive_execute(x->product, x->stream, N_MATRICES, in)) &&
           good(x, dnnl_stream_wait(x->stream));
}

static void ask_kernel(struct request *r)
{
    struct kernel *x = (struct kernel *)r;
    bool ok = good(x, dnnl_engine_create(&x->engine, dnnl_cpu, 0)) &&
              make_matrix(x, 0, r->m, r->k) && make_matrix(x, 1, r->k, r->n) &&
              make_matrix(x, 2, r->m, r->n) && make_product(x) && run_product(x);
    (void)ok; /* r->status says it */
}

static void close_kernel(struct request *r)
{
    struct kernel *x = (struct kernel *)r;
    for (int i = 0; i < N_MATRICES; i++)
        if (x->matrix[i])
            dnnl_memory_destroy(x->matrix[i]);
    if (x->stream)
        dnnl_stream_destroy(x->stream);
    if (x->product)
        dnnl_primitive_destroy(x->product);
    if (x->found)
        dnnl_primitive_desc_destroy(x->found);
    if (x->then)
        dnnl_post_ops_destroy(x->then);
    if (x->how)
        dnnl_primitive_attr_destroy(x->how);
    if (x->engine)
        dnnl_engine_destroy(x->engine);
}

static void by_kernel(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c,
                      bool accumulate)
{
    struct kernel x = {
        .request = {.ask = ask_kernel, .what = "dnnl_matmul", .m = m, .n = n, .k = k},
        .data = {(void *)a, (void *)b, c},
        .accumulate = accumulate};
    must_be_good(&x.request, close_kernel);
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
    by_sgemm('T', m, n, k, a, lda, b, ldb, c, ldc, false);
}

static void ask_u8s8(struct request *r)
{
    const struct product *p = (struct product *)r;
    const int32_t no_offset = 0;
    r->status = dnnl_gemm_u8s8s32('N', 'N', 'F', r->m, r->n, r->k, 1.0f, p->a, p->lda, 0, p->b,
                                  p->ldb, 0, p->kept, p->c, p->ldc, &no_offset);
}

void gemm_u8s8_onednn(int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda,
                      const int8_t *b, int64_t ldb, int32_t *c, int64_t ldc, bool accumulate)
{
    if (is_empty(m, n, k, c, ldc, accumulate))
        return;
    struct product p = {
        .request = {.ask = ask_u8s8, .what = "dnnl_gemm_u8s8s32", .m = m, .n = n, .k = k},
        .a = a,
        .b = b,
        .c = c,
        .lda = lda,
        .ldb = ldb,
        .ldc = ldc,
        .kept = accumulate ? 1.0f : 0.0f};
    must_be_good(&p.request, NULL);
}
