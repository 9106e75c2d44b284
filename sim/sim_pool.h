/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_pool.h - memory of stores that have been closed, for those that are opened next: pages that
 * the system must make anew cost more than what is computed on them.
 */
#ifndef CIMC_SIM_POOL_H
#define CIMC_SIM_POOL_H

#include "base/base.h"

enum { POOL_BINS = 4 * 40 };
struct sim_pool {
    uint64_t total; /* bytes of all blocks, those in use and the idle ones */
    uint64_t most;  /* before `total` exceeds it, no block is idle */
    VEC(void *) idle[POOL_BINS];
};
/* What it holds is undefined. NULL only for sizes that a program alone can ask for. */
void *pool_take(struct sim_pool *p, uint64_t bytes);
/* `bytes` as it was taken. */
void pool_give(struct sim_pool *p, void *block, uint64_t bytes);
/* Frees what is idle. */
void pool_free(struct sim_pool *p);

#endif
