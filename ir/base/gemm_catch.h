/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* gemm_catch.h - how gemm.c, in C, learns that oneDNN, in C++, has thrown; private to ir/base. */
#ifndef CIMC_GEMM_CATCH_H
#define CIMC_GEMM_CATCH_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Calls work(with). True: something was thrown out of it. */
bool gemm_throws(void (*work)(void *with), void *with);

#ifdef __cplusplus
}
#endif
#endif
