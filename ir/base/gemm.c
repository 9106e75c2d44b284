/* gemm.c - oneDNN's sgemm behind our own signature. */
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

static void multiply(char stored_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                     const float *b, int64_t ldb, float *c, int64_t ldc, bool accumulate)
{
    if (m == 0 || n == 0)
        return;
    if (k == 0) {
        for (int64_t i = 0; i < m && !accumulate; i++)
            memset(c + i * ldc, 0, (size_t)n * sizeof *c);
        return;
    }
    omp_set_num_threads(1); /* the order of a sum must not vary */
    dnnl_status_t s =
        dnnl_sgemm('N', stored_b, m, n, k, 1.0f, a, lda, b, ldb, accumulate ? 1.0f : 0.0f, c, ldc);
    if (s == dnnl_out_of_memory)
        out_of_memory(0);
    if (s != dnnl_success)
        BUG("dnnl_sgemm(%ld, %ld, %ld) answers %d", (long)m, (long)n, (long)k, (int)s);
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
