/*
 * schedule.h - start times of all tasks, and with them L, the law of all streams. schedule.c.
 */
#ifndef CIMC_SCHEDULE_H
#define CIMC_SCHEDULE_H

#include "task_graph.h"

/* What a schedule starts: a task of the graph for one frame. There is one frame so far. */
struct instance {
    uint32_t task, frame;
};
struct schedule {
    uint32_t n;             /* entries of `order` */
    struct instance *order; /* L: by start */
    /* per task */
    uint64_t *start, *end;
    uint32_t *rank;     /* place in L */
    uint32_t *asked_by; /* load: the task whose end let it start, or NONE; others NONE */
    uint64_t makespan, pe_busy_cycles;
    struct map arrival_of; /* (message, tile) -> arrival: when it is counted there */
    VEC(uint64_t) arrival;
};
/* When what the task makes is there for tasks of the tile: at its end; of a message at the arrival,
 * UINT64_MAX if there is none. */
uint64_t schedule_arrival(const struct task_graph *g, const struct schedule *s, uint32_t task,
                          uint32_t tile);

#endif
