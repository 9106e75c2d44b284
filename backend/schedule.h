/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * schedule.h - start times of all tasks, and with them L, the law of all streams. schedule.c.
 */
#ifndef CIMC_SCHEDULE_H
#define CIMC_SCHEDULE_H

#include "task_graph.h"

/* L is an order of (task, frame). Frames begin an interval after each other and are all alike, so
 * one interval of it tells all: that in which frame 0 is of stage 0, frame -1 of stage 1 ... */
struct schedule {
    uint32_t n;      /* entries of `order` */
    uint32_t *order; /* L: tasks by start within the interval, of several the earlier frame first */
    uint64_t interval;       /* 0: there is one frame */
    uint64_t pace;           /* cycles between two of which no later one may begin; 0: any */
    uint64_t interval_bound; /* what the busiest unit does for a frame */
    uint32_t n_stages;       /* intervals that a frame is under way */
    /* per task */
    uint64_t *start, *end; /* of frame 0 */
    uint8_t *stage;        /* in which interval of its frame it starts */
    uint32_t *rank;        /* place in L */
    uint32_t *asked_by;    /* load: the task whose end let it start, or NONE; others NONE */
    uint64_t makespan, pe_busy_cycles;
    uint64_t complete_cycles; /* from an end to its count */
    struct map arrival_of;    /* (message, tile) -> arrival: when it is counted there */
    VEC(uint64_t) arrival;
    struct map way_of; /* of frames: (from tile, to tile) -> way: the longest of a message */
    VEC(uint64_t) way;
};
/* When what the task makes is there for tasks of the tile: at its end; of a message at the arrival,
 * UINT64_MAX if there is none. */
uint64_t schedule_arrival(const struct task_graph *g, const struct schedule *s, uint32_t task,
                          uint32_t tile);
/* When the reader knows of it: in the same queue that is at once. */
uint64_t schedule_known(const struct task_graph *g, const struct schedule *s, uint32_t task,
                        const struct task *reader);
/* Of all instances in L the place of frame 0's; frame f's is f * n further. */
static inline int64_t schedule_place(const struct schedule *s, uint32_t task)
{
    return (int64_t)s->stage[task] * s->n + s->rank[task];
}
/* Does the task ever start? A load that nobody asks for does not. */
static inline bool schedule_has(const struct schedule *s, uint32_t task)
{
    return s->rank[task] < s->n && s->order[s->rank[task]] == task;
}
/* Do frames follow each other? */
static inline bool schedule_repeats(const struct schedule *s)
{
    return s->interval > 0;
}

#endif
