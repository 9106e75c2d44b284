/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * timeline.h - when the instructions of a body run, frame by frame. timeline.c.
 */
#ifndef CIMC_TIMELINE_H
#define CIMC_TIMELINE_H

#include "isa.h"

struct timeline {
    uint64_t cycles; /* the last completion of all frames */
    /* From the start of a frame's first instruction that works to its last completion: of frame 0,
     * the least and the most. */
    uint64_t first_latency, latency_min, latency_max;
};
/* Who is told of each instruction that is evaluated, by its number in `order`: when each target of
 * its route counts its message, then when it runs. */
struct timeline_watch {
    void (*arrives)(void *self, uint32_t number, uint32_t target, uint64_t time);
    void (*runs)(void *self, uint32_t number, uint64_t start, uint64_t end);
    void *self;
};
/* `order`: all n instructions, so that each iteration waits only for earlier ones and for
 * iterations before. `watch` may be NULL. False: the frames are very many, and nothing repeats. */
bool timeline_of(const struct isa_program *p, const struct isa_place *order, uint32_t n,
                 const struct timeline_watch *watch, struct timeline *out) CHECK_RESULT;

#endif
