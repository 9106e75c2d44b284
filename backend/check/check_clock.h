/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_clock.h - events, and what the queues of a tile know of them: one clock for each.
 */
#ifndef CIMC_CHECK_CLOCK_H
#define CIMC_CHECK_CLOCK_H

#include "isa.h"

#define CHECK_NONE UINT32_MAX

/*
 * The dimensions of a tile's clocks: its queues, then its channels. A channel is the messages that
 * one inbound counter counts: they arrive in order. An event is (dimension, number): the number-th
 * completion of a queue, the number-th message of a channel. Event 0 is the preload.
 */
enum { EVENT_NUMBER_BITS = 22 };
static inline uint32_t check_event(uint32_t dim, uint32_t number)
{
    return dim << EVENT_NUMBER_BITS | number;
}
static inline uint32_t event_dim(uint32_t event)
{
    return event >> EVENT_NUMBER_BITS;
}
static inline uint32_t event_number(uint32_t event)
{
    return event & ((1u << EVENT_NUMBER_BITS) - 1);
}

/* From the message on, whoever knows of it knows that `dim` of the sending tile has reached
 * `count`. */
struct news {
    uint32_t message, dim, count;
};
struct channel {
    uint32_t tile, queue; /* who sends; CHECK_NONE = nobody */
    uint32_t n_messages;  /* so far */
    bool wanted;          /* the receiver sends data back: it must hear what SIGNALs tell */
    uint32_t *told;       /* clock of the sending tile, as far as told */
    VEC(struct news) news;
    size_t heard; /* news that the receiver's TX queue has taken in */
};
struct counter {
    uint32_t count, step;   /* so far; in one iteration of the streams */
    uint32_t first_blocked; /* queue whose head waits for it */
    uint32_t first; /* the n-th of an iteration is at [first + n - 1] of tile_state.stages */
};
struct queue_state {
    const struct isa_inst *head; /* the one instruction that has not started, if `full` */
    uint32_t head_index;
    bool full;
    uint32_t awaited; /* what the head waits for, if it is blocked */
    uint32_t next;    /* in a list of ready or blocked queues */
    uint32_t *clock;
};
/* The clock of a completed instruction: its place in the pool, and how many waits will still ask
 * for it. */
struct clock_copy {
    uint32_t place, left;
};
/* What the TX queue knows about another tile. */
struct knowledge {
    uint32_t tile;
    uint32_t *clock;
    uint32_t n_channels, *channels; /* from that tile */
};

struct check;
struct tile_state;
struct actor;
/* check_clock.c */
bool check_clock_prepare(struct check *k) CHECK_RESULT;
void check_clock_free(struct check *k);
/* Nothing has happened yet: before each run. */
void check_clock_reset(struct check *k);
/* The counter of a wait. */
struct counter *check_counter(struct tile_state *t, const struct isa_wait *w);
/* What a wait of this iteration asks for, counted from the start of the run; below 1: it holds. */
int64_t check_awaited(const struct check *k, struct tile_state *t, const struct isa_wait *w);
/* Of an event, in a body. */
int64_t check_frame_of(const struct tile_state *t, uint32_t dim, uint32_t number);
/* The head of q starts: its clock takes in the predecessor and, unless it is skipped, the waits.
 * The clock of what acts in some frames only is one for itself: in others nothing has waited. */
const uint32_t *check_clock_start(const struct check *k, struct tile_state *t, uint32_t q,
                                  bool skipped);
/* Does the instruction act in the first or last frame only? */
static inline bool check_in_some_frames(const struct isa_inst *in)
{
    return (in->op == ISA_load || in->op == ISA_store) && in->flags;
}
/* It has completed: keeps its clock for those who will wait for it. */
void check_clock_complete(struct tile_state *t, uint32_t q, uint32_t number);
/* A message on its way: counts it in its channel and returns its number there. */
uint32_t check_clock_message(struct check *k, const struct actor *a, const struct isa_target *to);
/* What the TX queue of `t` knows about tile `of`. */
const uint32_t *check_clock_known(const struct actor *a, uint32_t of);

#endif
