/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* failing_malloc.c - malloc, calloc and realloc for tests in which memory runs out. */
#include "failing_malloc.h"

#include "base/asan.h"

#include <errno.h>
#include <stddef.h>

#ifdef BASE_ASAN
#define OURS(name) __wrap_##name
#define REAL(name) __real_##name
#else
#define OURS(name) name
#define REAL(name) __libc_##name
#endif

void *REAL(malloc)(size_t n);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t n);
void *OURS(malloc)(size_t n);
void *OURS(calloc)(size_t n, size_t size);
void *OURS(realloc)(void *p, size_t n);

static _Thread_local long fails_at; /* 0: never */
static _Thread_local bool has_failed;

void malloc_fails_at(long n)
{
    fails_at = n;
    has_failed = false;
}

bool malloc_has_failed(void)
{
    return has_failed;
}

long malloc_pause(void)
{
    long paused = fails_at;
    fails_at = 0;
    return paused;
}

void malloc_resume(long paused)
{
    fails_at = paused;
}

static bool fails(void)
{
    if (fails_at == 0 || --fails_at > 0)
        return false;
    has_failed = true;
    errno = ENOMEM;
    return true;
}

void *OURS(malloc)(size_t n)
{
    return fails() ? NULL : REAL(malloc)(n);
}

void *OURS(calloc)(size_t n, size_t size)
{
    return fails() ? NULL : REAL(calloc)(n, size);
}

void *OURS(realloc)(void *p, size_t n)
{
    return fails() ? NULL : REAL(realloc)(p, n);
}
