/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* arena.c - bump allocation in growing chunks; ASan sees the gaps between objects as poisoned. */
#include "base/asan.h"
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

#ifdef BASE_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
enum { REDZONE = 16 };
#else
#define POISON(p, n) ((void)0)
#define UNPOISON(p, n) ((void)0)
enum { REDZONE = 0 };
#endif

enum { ALIGN = 16, FIRST_CHUNK = 16 * 1024, LARGEST_CHUNK = 4 * 1024 * 1024 };

struct chunk {
    struct chunk *next;
    size_t used, size; /* of the bytes after this header */
    _Alignas(ALIGN) char bytes[];
};
struct arena {
    struct chunk *chunks; /* newest first */
    size_t next_size;
};

struct arena *arena_new(void)
{
    struct arena *a = heap_alloc(sizeof *a);
    a->next_size = FIRST_CHUNK;
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        UNPOISON(c->bytes, c->size);
        heap_free(c);
    }
    heap_free(a);
}

static struct chunk *add_chunk(struct arena *a, size_t at_least)
{
    size_t size = a->next_size > at_least ? a->next_size : at_least;
    if (a->next_size < LARGEST_CHUNK)
        a->next_size *= 2;
    struct chunk *c = heap_alloc_beside(a, sizeof *c + size);
    c->size = size;
    POISON(c->bytes, size);
    /* A big object gets its own chunk; the current one keeps serving small ones. */
    if (a->chunks && at_least > a->next_size / 2) {
        c->next = a->chunks->next;
        a->chunks->next = c;
    } else {
        c->next = a->chunks;
        a->chunks = c;
    }
    return c;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        BUG("allocation of %zu bytes", bytes);
    size_t need = ((bytes ? bytes : 1) + REDZONE + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct chunk *c = a->chunks;
    if (!c || c->size - c->used < need)
        c = add_chunk(a, need);
    void *p = c->bytes + c->used;
    c->used += need;
    UNPOISON(p, bytes);
    return p; /* chunks come zeroed and are never reused */
}

void *arena_alloc_array(struct arena *a, size_t n, size_t elem_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, elem_bytes, &bytes))
        BUG("allocation of %zu x %zu bytes", n, elem_bytes);
    return arena_alloc(a, bytes);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *copy = arena_alloc(a, n + 1);
    memcpy(copy, s, n);
    return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    struct text t = {0};
    va_list ap;
    va_start(ap, fmt);
    text_addv(&t, fmt, ap);
    va_end(ap);
    char *s = arena_strndup(a, t.at, t.n);
    text_free(&t);
    return s;
}

void *arena_hook_alloc(void *arena, size_t bytes)
{
    return arena_alloc(arena, bytes);
}

void arena_hook_free(void *arena, void *at)
{
    (void)arena;
    (void)at;
}
