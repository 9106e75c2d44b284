/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* bug.c - the one way out of a room that cannot go on, and allocation that cannot fail. */
#include "base/asan.h"
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

enum { HUGE_BYTES = 1 << 30 };
enum { MESSAGE_BYTES = 1024 }; /* on the stack: there may be no memory */

static _Thread_local struct door *door;

void door_set(struct door *d)
{
    d->outer = door;
    door = d;
}

void door_reset(struct door *d)
{
    door = d->outer;
}

void leftover_note(struct leftover *l)
{
    if (!door)
        return;
    l->next = door->leftovers;
    door->leftovers = l;
}

void leftover_drop(struct leftover *l)
{
    struct leftover **at = door ? &door->leftovers : NULL;
    while (at && *at && *at != l)
        at = &(*at)->next;
    if (at && *at)
        *at = l->next;
}

void leftovers_remove(struct door *d)
{
    while (d->leftovers) {
        struct leftover *newest = d->leftovers;
        d->leftovers = newest->next;
        newest->remove(newest);
    }
}

static const char *activity(void)
{
    return door && door->activity ? door->activity : "";
}

void bug_context(const char *what)
{
    if (door)
        door->activity = what;
}

static _Noreturn void leave(enum mishap why, const char *message)
{
    if (!door) {
        fprintf(stderr, "%s\n", message);
        abort();
    }
    leftovers_remove(door);
    door->leave(door, why, message);
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
    char what[MESSAGE_BYTES], message[MESSAGE_BYTES + 256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    snprintf(message, sizeof message, "internal error at %s:%d%s%s: %s", file, line,
             *activity() ? " in " : "", activity(), what);
    leave(MISHAP_BUG, message);
}

void out_of_memory(size_t bytes)
{
    char message[MESSAGE_BYTES], size[64] = "";
    if (bytes)
        snprintf(size, sizeof size, " (%zu bytes)", bytes);
    snprintf(message, sizeof message, "out of memory%s%s%s", *activity() ? " in " : "", activity(),
             size);
    leave(MISHAP_MEMORY, message);
}

void *heap_alloc(size_t bytes)
{
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
    return p;
}

static void *unless_huge(void *p, size_t bytes)
{
    if (!p && bytes < HUGE_BYTES)
        out_of_memory(bytes);
    return p;
}

void *heap_unless_huge(size_t bytes)
{
    return unless_huge(calloc(1, bytes ? bytes : 1), bytes);
}

void *heap_raw_unless_huge(size_t bytes)
{
    return unless_huge(malloc(bytes ? bytes : 1), bytes);
}

void *heap_realloc(void *p, size_t bytes)
{
    p = realloc(p, bytes ? bytes : 1);
    if (!p)
        out_of_memory(bytes);
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

void heap_free(void *p)
{
    free(p);
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
