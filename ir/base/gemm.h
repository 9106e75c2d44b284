/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* gemm.h - dense matrix products; gemm.c is the one door to oneDNN. */
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

/* As gemm_f32 for u8 and i8, exact as long as no sum leaves 32 bits. */
void gemm_u8s8(int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda, const int8_t *b,
               int64_t ldb, int32_t *c, int64_t ldc, bool accumulate);

/* Ways to that result. BYTES is oneDNN's own, which saturates silently on processors that multiply
 * pairs of bytes in 16 bits; the others are exact on all. */
enum gemm_way { GEMM_BYTES, GEMM_NIBBLES, GEMM_FLOATS, N_GEMM_WAYS };
/* The one that gemm_u8s8 takes: exact here, and fast. Found out once a thread. */
enum gemm_way gemm_u8s8_way(void);
void gemm_u8s8_by(enum gemm_way way, int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda,
                  const int8_t *b, int64_t ldb, int32_t *c, int64_t ldc, bool accumulate);
/* What GEMM_BYTES is. */
void gemm_u8s8_onednn(int64_t m, int64_t n, int64_t k, const uint8_t *a, int64_t lda,
                      const int8_t *b, int64_t ldb, int32_t *c, int64_t ldc, bool accumulate);

#endif
