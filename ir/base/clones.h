/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * clones.h - CLONES before a function: it is compiled for several processors, and the loader takes
 * the one for this machine. For inner loops whose result does not depend on the instructions used;
 * only for static functions: clang 14 gives others a name that no other file finds. No two may have
 * one name: clang 14 makes it known to all files.
 */
#ifndef CIMC_CLONES_H
#define CIMC_CLONES_H

#include "base/asan.h"

#include <stdlib.h> /* defines __GLIBC__, whose loader can choose */

/* A sanitizer's runtime is not there yet when the loader chooses. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(BASE_ASAN) && !defined(BASE_TSAN)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

#endif
