/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* gemm_catch.cc - in C++: oneDNN throws where memory runs out, and C cannot catch. */
#include "base/gemm_catch.h"

bool gemm_throws(void (*work)(void *), void *with)
{
    try {
        work(with);
        return false;
    } catch (...) {
        return true;
    }
}
