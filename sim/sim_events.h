/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_events.h - the flat records that the engine walks: instructions, queues, counters, targets,
 * all numbered through the tiles. Made by sim_prepare.c.
 */
#ifndef CIMC_SIM_EVENTS_H
#define CIMC_SIM_EVENTS_H

#include "arch.h"
#include "resource.h"

#define SIM_NONE UINT32_MAX

/* An instruction, decoded once for the engine. Instructions of all tiles are numbered through. */
struct sim_inst {
    struct cost cost;
    uint32_t next;  /* next one of the same queue, or SIM_NONE */
    uint32_t wait;  /* first of n_waits in sim.waits */
    uint32_t route; /* first of its targets in sim.targets (SEND, SIGNAL) */
    uint32_t queue; /* numbered through all tiles */
    uint32_t n_targets;
    uint8_t op, n_waits, stage, frames; /* frames: isa_frame_flags */
};
struct sim_wait {
    uint32_t counter, threshold; /* counters are numbered through all tiles */
};
/* A target of a route. `queue` sends to it. */
struct sim_target {
    uint32_t tile, counter, queue;
    bool used; /* some instruction names the route */
};
/* Instructions of a queue are a list, gone through once in each iteration: [oldest .. head) run,
 * [head .. ] wait; `waiting` of these have been dispatched. */
struct sim_queue {
    uint32_t tile, first, head, oldest, waiting, running, counter;
    uint32_t head_iteration, oldest_iteration;
    uint32_t parked_on, threshold, next_parked; /* counter the head waits for, or SIM_NONE */
    uint64_t start_at;                          /* of the head, if it is `starting` */
    bool listed, wake_set, starting;
};
/* When the instructions of a queue that are not complete were dispatched and started, oldest first:
 * a ring; for who looks on. */
struct sim_begins {
    struct sim_begin {
        uint64_t dispatch, start;
    } * at;
    uint32_t cap, first, n;
};
struct sim_counter {
    struct channel channel; /* of the messages that it counts */
    uint32_t count, step;   /* step: in an iteration */
    uint32_t parked;        /* first queue waiting on it */
};

#endif
