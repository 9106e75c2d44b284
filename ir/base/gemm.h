/* gemm.h - dense matrix products; the one door to oneDNN. */
#ifndef CIMC_GEMM_H
#define CIMC_GEMM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * C[m x n] = A[m x k] * B[k x n], or C += A * B with `accumulate`. All row-major f32; lda, ldb, ldc
 * are the distances in elements between rows (lda >= k, ldb >= n, ldc >= n). One thread.
 * Any of m, n, k may be 0.
 */
void gemm_f32(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
              int64_t ldb, float *c, int64_t ldc, bool accumulate);
/* C = A * B where B is stored as its transpose [n x k], ldb >= k. */
void gemm_f32_by_transpose(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                           const float *b, int64_t ldb, float *c, int64_t ldc);

#endif
