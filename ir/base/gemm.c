/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* gemm.c - oneDNN's products behind our own signatures. */
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

static void multiply(char stored_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                     const float *b, int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    if (is_empty(m, n, k, c, ldc, accumulate))
        return;
    omp_set_num_threads(1); /* the order of a sum must not vary */
    dnnl_status_t s =
        dnnl_sgemm('N', stored_b, m, n, k, 1.0f, a, lda, b, ldb, accumulate ? 1.0f : 0.0f, c, ldc);
    must_be_good(s, "dnnl_sgemm", m, n, k);
}

void gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
              int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    multiply('N', m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}

void gemm_f32_by_transpose(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                           const float *b, int64_t ldb, float *c, int64_t ldc)
{
    multiply('T', m, n, k, a, lda, b, ldb, c, ldc, false);
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
