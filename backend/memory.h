/* memory.h - where buffers lie: ring sizes from the schedule, then addresses. memplan.c. */
#ifndef CIMC_MEMORY_H
#define CIMC_MEMORY_H

#include "schedule.h"

/* When the elements of a row are first written and last read, in cycles and in L. */
struct row_life {
    uint64_t write_start, read_end;
    uint32_t write_order, read_order;
    bool written;
};
/* Of one buffer: its rows share slots modulo `ring`. */
struct storage {
    uint32_t ring;         /* slots */
    struct row_life *life; /* per row of held */
    uint64_t base, bytes;
    int64_t pitch[3]; /* bytes per row, column, channel */
};
struct memory {
    const struct storage *of;   /* buffer -> where it lies */
    const uint64_t *tile_bytes; /* of all buffers of a tile */
};

#endif
