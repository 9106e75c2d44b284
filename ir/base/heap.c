/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * heap.c - allocation that cannot fail, and the account of it that each door keeps.
 *
 * In front of each block stands where it is in an account: a ring through the account's own link,
 * newest first. A block of no account has no neighbours; it is nobody's but its owner's.
 */
#include "base/asan.h"
#include "base/heap_internal.h"

#include <stdlib.h>

enum { HUGE_BYTES = 1 << 30 };

struct block {
    struct heap_link link;
    void (*release)(void *bytes); /* of what is not memory; or NULL */
    _Alignas(16) char bytes[];
};

static struct block *block_of(const void *bytes)
{
    return (struct block *)((char *)(uintptr_t)bytes - offsetof(struct block, bytes));
}

static void link_behind(struct heap_link *before, struct heap_link *l)
{
    *l = (struct heap_link){.prev = before, .next = before->next};
    before->next->prev = l;
    before->next = l;
}

static void unlink_block(struct heap_link *l)
{
    if (!l->next)
        return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
}

/* The caller's part of a new block, in the account behind `before` unless that is in none; NULL if
 * `b` is, or is too large to have a head. */
static void *opened(struct block *b, struct heap_link *before)
{
    if (!b)
        return NULL;
    *b = (struct block){0};
    if (before && before->next)
        link_behind(before, &b->link);
    return b->bytes;
}

/* With its head; SIZE_MAX, which there is not, if that is no number of bytes. */
static size_t with_head(size_t bytes)
{
    size_t sum;
    return __builtin_add_overflow(bytes, sizeof(struct block) + 1, &sum) ? SIZE_MAX : sum;
}

static void *unless_huge(void *p, size_t bytes)
{
    if (!p && bytes < HUGE_BYTES)
        out_of_memory(bytes);
    return p;
}

static void *must_be_there(void *p, size_t bytes)
{
    if (!p)
        out_of_memory(bytes);
    return p;
}

/* door_blocks may leave, so it comes before there is something to lose. */

void *heap_unless_huge(size_t bytes)
{
    struct heap_link *account = door_blocks();
    return unless_huge(opened(calloc(1, with_head(bytes)), account), bytes);
}

void *heap_raw_unless_huge(size_t bytes)
{
    struct heap_link *account = door_blocks();
    return unless_huge(opened(malloc(with_head(bytes)), account), bytes);
}

void *heap_alloc(size_t bytes)
{
    struct heap_link *account = door_blocks();
    return must_be_there(opened(calloc(1, with_head(bytes)), account), bytes);
}

void *heap_alloc_beside(const void *p, size_t bytes)
{
    return must_be_there(opened(calloc(1, with_head(bytes)), &block_of(p)->link), bytes);
}

void *heap_alloc_released(size_t bytes, void (*release)(void *p))
{
    void *p = heap_alloc(bytes);
    block_of(p)->release = release;
    return p;
}

bool heap_outlives_call(const void *p)
{
    return !block_of(p)->link.next;
}

void *heap_realloc(void *p, size_t bytes)
{
    if (!p)
        return heap_alloc(bytes);
    leave_if_cancelled();
    struct block *b = realloc(block_of(p), with_head(bytes));
    if (!b)
        out_of_memory(bytes);
    if (b->link.next) {
        b->link.next->prev = &b->link;
        b->link.prev->next = &b->link;
    }
    return b->bytes;
}

void heap_free(void *p)
{
    if (!p)
        return;
    unlink_block(&block_of(p)->link);
    free(block_of(p));
}

static struct block *linked_block(struct heap_link *l)
{
    return (struct block *)((char *)l - offsetof(struct block, link));
}

void heap_keep(struct heap_link *ring)
{
    for (struct heap_link *l = ring->next, *next; l != ring; l = next) {
        next = l->next;
        *l = (struct heap_link){0};
    }
    *ring = (struct heap_link){ring, ring};
}

void heap_give_back(struct heap_link *ring)
{
    while (ring->next != ring) {
        struct block *b = linked_block(ring->next);
        if (b->release)
            b->release(b->bytes);
        heap_free(b->bytes);
    }
}

static void give_back_held(void *held)
{
    struct hold *h = held;
    if (h->thing)
        h->give_back(h->thing);
}

struct hold *hold_new(void (*give_back)(void *thing))
{
    struct hold *h = heap_alloc_released(sizeof *h, give_back_held);
    h->give_back = give_back;
    return h;
}

/* ---- growable arrays ---- */

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
    at = heap_realloc(at, bytes); /* may not come back: then all is as before */
    *cap = new_cap;
    return at;
}
