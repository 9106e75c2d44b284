/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sabotage.c - a library to be preloaded that lets things go wrong: hostile_test.py.
 *
 * In: CIMC_FAIL_MALLOC=N, the N-th allocation after main begins fails; CIMC_KILL_AT=N, the process
 * is killed before its N-th call that changes the file system.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static long allocations_left, changes_left; /* 0: for ever */

/* Libraries' constructors have run; theirs is not the program's failure. */
typedef int main_function(int argc, char **argv, char **environment);
int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*exit_hook)(void), void *stack_end)
{
    int (*real)(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                void *) = (__typeof__(real))dlsym(RTLD_NEXT, "__libc_start_main");
    const char *fail = getenv("CIMC_FAIL_MALLOC"), *kill_at = getenv("CIMC_KILL_AT");
    allocations_left = fail ? atol(fail) : 0;
    changes_left = kill_at ? atol(kill_at) : 0;
    return real(main, argc, argv, init, fini, exit_hook, stack_end);
}

static int fails(void)
{
    if (allocations_left == 0 || --allocations_left > 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}

static void change(void)
{
    if (changes_left > 0 && --changes_left == 0)
        kill(getpid(), SIGKILL);
}

#define CHANGE(type, name, parameters, ...)                                                        \
    type name parameters                                                                           \
    {                                                                                              \
        type(*real) parameters = (__typeof__(real))dlsym(RTLD_NEXT, #name);                        \
        change();                                                                                  \
        return real(__VA_ARGS__);                                                                  \
    }

CHANGE(int, mkdir, (const char *path, mode_t mode), path, mode)
CHANGE(FILE *, fopen, (const char *path, const char *mode), path, mode)
CHANGE(int, fclose, (FILE * f), f)
CHANGE(int, rename, (const char *from, const char *to), from, to)
CHANGE(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), a, from, b,
       to, flags)
CHANGE(int, unlinkat, (int folder, const char *path, int flags), folder, path, flags)
