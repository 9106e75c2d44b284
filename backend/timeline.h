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
    uint64_t cycles;                   /* the last completion of all frames */
    uint64_t first_latency;            /* of frame 0: from its first LOAD to its last completion */
    uint64_t latency_min, latency_max; /* of all frames */
};
/* `order`: all n instructions, so that each iteration waits only for earlier ones and for
 * iterations before. The interval must be the program's. */
struct timeline timeline_of(const struct isa_program *p, const struct place *order, uint32_t n);

#endif
