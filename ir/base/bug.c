/* bug.c - the one place that ends the process, and allocation that cannot fail. */
#include "base/asan.h"
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

static const char *context = ""; /* read by bug_at only */

void bug_context(const char *what)
{
    context = what;
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "cimc: internal error at %s:%d%s%s: ", file, line, *context ? " in " : "",
            context);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(3);
}

void *heap_alloc(size_t bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p)
        BUG("out of memory (%zu bytes)", bytes);
    return p;
}

void *heap_realloc(void *p, size_t bytes)
{
    p = realloc(p, bytes ? bytes : 1);
    if (!p)
        BUG("out of memory (%zu bytes)", bytes);
    return p;
}

/* Under AddressSanitizer small arrays move with each new element, so that a pointer kept across a
 * push is seen. */
static size_t grown(size_t cap)
{
#ifdef BASE_ASAN
    enum { MOVES_EACH_TIME = 256 };
    if (cap < MOVES_EACH_TIME)
        return cap;
#endif
    return cap ? cap * 2 : 8;
}

void *vec_reserve(void *at, size_t *cap, size_t want, size_t elem_bytes)
{
    if (want <= *cap)
        return at;
    size_t new_cap = grown(*cap), bytes;
    if (new_cap < want)
        new_cap = want;
    if (__builtin_mul_overflow(new_cap, elem_bytes, &bytes))
        BUG("array of %zu x %zu bytes", new_cap, elem_bytes);
    *cap = new_cap;
    return heap_realloc(at, bytes);
}
