/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_pool.c - blocks in bins by size, four for each power of two: one that is idle serves every
 * request of its bin. Invariant: a block knows its bin by the bytes that it was taken for.
 */
#include "sim_pool.h"

#include "base/asan.h"

#include <stdlib.h>

#ifdef BASE_ASAN /* each block ends where it is said to, so that who goes beyond is seen */
#define WATCHED true
#else
#define WATCHED false
#endif

enum { SMALLEST = 1 << 10 };

static uint64_t bin_bytes(unsigned bin)
{
    return (uint64_t)(4 + bin % 4) * SMALLEST << bin / 4;
}

static unsigned bin_of(uint64_t bytes)
{
    unsigned bin = 0;
    while (bin < POOL_BINS && bin_bytes(bin) < bytes)
        bin++;
    return bin;
}

static void *take_idle(struct sim_pool *p, unsigned bin)
{
    return p->idle[bin].n > 0 ? p->idle[bin].at[--p->idle[bin].n] : NULL;
}

static void trim(struct sim_pool *p, uint64_t bytes)
{
    for (unsigned bin = POOL_BINS; bin-- > 0;)
        while (p->idle[bin].n > 0 && p->total + bytes > p->most) {
            heap_free(take_idle(p, bin));
            p->total -= bin_bytes(bin);
        }
}

void *pool_take(struct sim_pool *p, uint64_t bytes)
{
    if (WATCHED)
        return heap_raw_unless_huge(bytes);
    unsigned bin = bin_of(bytes);
    if (bin == POOL_BINS)
        return NULL;
    void *block = take_idle(p, bin);
    if (block)
        return block;
    bytes = bin_bytes(bin);
    trim(p, bytes);
    block = heap_in_large_pages(heap_raw_unless_huge(bytes), bytes);
    p->total += block ? bytes : 0;
    return block;
}

void pool_give(struct sim_pool *p, void *block, uint64_t bytes)
{
    if (WATCHED)
        heap_free(block);
    else
        VEC_PUSH(&p->idle[bin_of(bytes)], block);
}

void pool_free(struct sim_pool *p)
{
    for (unsigned bin = 0; bin < POOL_BINS; bin++) {
        while (p->idle[bin].n > 0)
            heap_free(take_idle(p, bin));
        VEC_FREE(&p->idle[bin]);
    }
}
