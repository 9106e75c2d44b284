/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* memory.h - where buffers lie: ring sizes from the schedule, then addresses. memplan.c, stacks.c.
 */
#ifndef CIMC_MEMORY_H
#define CIMC_MEMORY_H

#include "schedule.h"

/* When the elements of a row of frame 0 are first written and last read, in cycles and in L. */
struct row_life {
    uint64_t write_start, read_end;
    uint64_t write_place, read_place;
    bool written;
};
/* Of one buffer: its rows, counted on from frame to frame, share slots modulo `ring`. */
struct storage {
    uint32_t ring;         /* slots */
    struct row_life *life; /* per row of held */
    uint64_t base, bytes;
    int64_t pitch[3]; /* bytes per row, column, channel */
    uint32_t stack;   /* or NONE */
    uint32_t row;     /* of the stack */
};
/* Buffers of one row each, of the values of one family on one tile, lie one after another. All of
 * them are shown by one view, in which a buffer is a row: as many values take one entry of each
 * table. */
struct stack {
    uint64_t base;
    uint32_t rows;
    uint32_t first, last; /* members of the family */
    uint32_t members;     /* that are there */
    bool needed;          /* by a group that several layers share */
};
struct memory {
    const struct stack *stacks;
    const struct storage *of;   /* buffer -> where it lies */
    const uint64_t *tile_bytes; /* of all buffers of a tile */
};

#endif
