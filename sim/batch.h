/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * batch.h - between batch.c, which makes batches, and batch_run.c, which executes them.
 */
#ifndef CIMC_BATCH_H
#define CIMC_BATCH_H

#include "sim_internal.h"

#define GONE UINT32_MAX

/* Who wrote a cell last, and the highest rank that has read it since. */
struct cell {
    uint32_t writer; /* batch; 0 = nobody; GONE: another row is in its slot now */
    uint32_t read_rank;
};
/* Like instructions on h x w adjacent pixels from (y, x) on. */
struct batch {
    uint32_t rank, family, frame, inst; /* inst: the first of them */
    int32_t y, x;
    uint16_t h, w;
    int32_t dy[2], dx[2]; /* of the other regions, from (y, x) */
    uint32_t c;
};
/* What is executed at one time: a batch, and the one on its results, rows after rows; 0: none. */
struct step {
    uint32_t batch, map;
};
struct batcher {
    struct sim *s;
    struct cell *cells;
    uint32_t *tags; /* cell + 1 that is in a slot's place for it */
    VEC(struct batch) batches;
    VEC(struct step) steps;
    struct sim_spans reads, writes; /* of the instruction at hand */
    uint32_t left;                  /* see sim_touch */
    bool unrolls;
    uint32_t *seen;                  /* of each instruction: in how many frames so far */
    uint32_t depth;                  /* ranks that a frame is likely to take; 0: not known */
    uint32_t store_rank, last_store; /* STOREs keep their order */
};

static inline const struct isa_inst *inst_of(const struct sim *s, uint32_t id, uint32_t tile)
{
    return &s->p->tiles[tile].insts[id - s->tiles[tile].first_inst];
}
static inline void raise(uint32_t *x, uint32_t least)
{
    if (*x < least)
        *x = least;
}

/* Which steps are executed together with one before them, and how long each store is needed. False
 * if too much is in use at one time. */
bool batch_plan_steps(struct batcher *b) CHECK_RESULT;
bool batch_run_steps(struct batcher *b) CHECK_RESULT;

#endif
