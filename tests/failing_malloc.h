/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * failing_malloc.h - allocations of this thread that fail when a test wants it. With
 * AddressSanitizer, which has its own malloc, only those of our objects do (meson.build).
 */
#ifndef CIMC_FAILING_MALLOC_H
#define CIMC_FAILING_MALLOC_H

#include <stdbool.h>

/* The n-th from now on; 0: none. */
void malloc_fails_at(long n);
/* One has, since malloc_fails_at was last called. */
bool malloc_has_failed(void);
/* Between them, in a function that the library calls back, none fails. */
long malloc_pause(void);
void malloc_resume(long paused);

#endif
