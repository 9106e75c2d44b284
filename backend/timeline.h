/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * timeline.h - when the instructions of a body run, frame by frame. timeline.c.
 */
#ifndef CIMC_TIMELINE_H
#define CIMC_TIMELINE_H

#include "isa.h"

/* Instruction `index` of a tile. */
struct place {
    uint32_t tile, index;
};
struct timeline {
    uint64_t cycles; /* the last completion of all frames */
    /* From the start of a frame's first instruction that works to its last completion: of frame 0,
     * the least and the most. */
    uint64_t first_latency, latency_min, latency_max;
};
/* `order`: all n instructions, so that each iteration waits only for earlier ones and for
 * iterations before. False: the frames are very many, and nothing repeats. */
bool timeline_of(const struct isa_program *p, const struct place *order, uint32_t n,
                 struct timeline *out) CHECK_RESULT;

#endif
