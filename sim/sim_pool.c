/*
 * sim_pool.c - blocks in classes of size, four for each power of two: one that is idle serves every
 * request of its class. Invariant: a block knows its class by the bytes that it was taken for.
 */
#include "sim_pool.h"

#include <stdlib.h>

enum { SMALLEST = 1 << 10 };

static uint64_t class_bytes(unsigned class)
{
    return (uint64_t)(4 + class % 4) * SMALLEST << class / 4;
}

static unsigned class_of(uint64_t bytes)
{
    unsigned class = 0;
    while (class < POOL_CLASSES && class_bytes(class) < bytes)
        class ++;
    return class;
}

static void *take_idle(struct sim_pool *p, unsigned class)
{
    return p->idle[class].n > 0 ? p->idle[class].at[--p->idle[class].n] : NULL;
}

static void trim(struct sim_pool *p, uint64_t bytes)
{
    for (unsigned class = POOL_CLASSES; class -- > 0;)
        while (p->idle[class].n > 0 && p->total + bytes > p->most) {
            free(take_idle(p, class));
            p->total -= class_bytes(class);
        }
}

void *pool_take(struct sim_pool *p, uint64_t bytes)
{
    unsigned class = class_of(bytes);
    if (class == POOL_CLASSES)
        return heap_unless_huge(NULL, bytes);
    void *block = take_idle(p, class);
    if (block)
        return block;
    bytes = class_bytes(class);
    trim(p, bytes);
    block = heap_in_large_pages(heap_unless_huge(malloc(bytes), bytes), bytes);
    p->total += block ? bytes : 0;
    return block;
}

void pool_give(struct sim_pool *p, void *block, uint64_t bytes)
{
    VEC_PUSH(&p->idle[class_of(bytes)], block);
}

void pool_free(struct sim_pool *p)
{
    for (unsigned class = 0; class < POOL_CLASSES; class ++) {
        while (p->idle[class].n > 0)
            free(take_idle(p, class));
        VEC_FREE(&p->idle[class]);
    }
}
