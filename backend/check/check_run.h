/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_run.h - the run of a program through the checker. CHECK.md is the description.
 *
 * One abstract run of the program visits every instruction once. It carries three things along: a
 * clock for each queue (what it can be sure has happened in its tile), a mark for each element of
 * each buffer (which logical element lies there, and which event wrote it) and the readers of ring
 * slots.
 */
#ifndef CIMC_CHECK_RUN_H
#define CIMC_CHECK_RUN_H

#include "backend.h"

#include "base/map.h"

#include "check_clock.h"
#include "check_matrix.h"
#include "check_memory.h"
#include "check_order.h"
#include "check_tags.h"

enum { CHECK_MAX_FAULTS = 20 };

struct tile_state {
    uint32_t number;
    const struct isa_tile *t;
    unsigned n_queues, n_channels, n_dims; /* of the clock: queues, then channels */
    struct queue_state *queues;
    struct counter *counters; /* queues, then inbound */
    struct channel *channels; /* of each inbound counter */
    uint32_t n_knowledge;
    struct knowledge *knowledge;
    bool *sends; /* [route]: SENDs use it, not SIGNALs */
    /* Of each thing that counters count in an iteration, queues first: its stage; of completions
     * how many waits ask for their clock, and the clocks of the last n_laps iterations. */
    uint8_t *stages;
    uint32_t *wanted, n_laps;
    struct clock_copy *kept;
    struct order_range *orders;       /* [instruction], of a body: in check.orders */
    struct order_range *state_orders; /* in check.state_orders */
    VEC(uint32_t) pool, pool_free;
    uint32_t *clock_apart;
    uint32_t position, ready;
    bool listed;
    uint32_t n_clusters;
    struct cluster *clusters;
    struct check_view *views;
    uint32_t preload_writes; /* how often memory that was preloaded has been overwritten */
    const struct tap_boxes **window_boxes;     /* of each window */
    VEC(const struct tap_boxes *) group_boxes; /* found through a map by what they are of */
    VEC(struct mvm_plan *) mvm_plans;          /* found through maps by what they are of */
    VEC(struct map_plan *) map_plans;
    struct map group_boxes_of, mvm_plan_of, map_plan_of;
};
/* Elements of an outside tensor that have been stored. */
struct coverage {
    uint32_t index;
    const char *name;
    uint64_t n, n_stored;
    uint8_t *bits;
};
struct check {
    const struct isa_program *p;
    const struct ir_graph *g; /* NULL: meaning is not checked */
    struct diag *d;
    struct arena *arena;
    unsigned n_faults;
    bool body; /* streams are that of a program of frames: run again and again */
    uint32_t n_stages, iteration;
    int64_t n_frames;         /* of the run; CHECK_ENDLESS */
    bool orders_only;         /* the run proves orders that are known from another one */
    VEC(struct order) orders; /* of the endless run's present iteration; one tile's go together */
    uint32_t orders_of;       /* the iteration that they are of */
    VEC(struct order) state_orders; /* of frame 0: after what it alone loads */
    struct tile_state *tiles;
    struct tags tags;
    uint32_t n_coverage;
    struct coverage *coverage, **binding_coverage;
    const struct ir_op **binding_ops;
    VEC(struct interval) own_reads; /* of the instruction that runs */
    struct map equal_images; /* images and the weights and layers that they were compared with */
    VEC(struct part) parts;
    struct map part_of;  /* found by their pieces */
    bool *sums_fit;      /* [op]: of the integers that a base layer adds up, proved */
    uint8_t *most_bytes; /* [op]: the largest byte that its value can have */
};
/* An instruction that runs. */
struct actor {
    struct check *k;
    struct tile_state *t;
    const struct isa_inst *in;
    uint32_t index, queue, number; /* position in the stream; it completes as number of its queue */
    int64_t frame;
    size_t first_order, first_state_order; /* in check.orders, check.state_orders */
    const uint32_t *clock;
    bool faulted;
    /* Where its result lies, if it computes: what it reads there is kept in own_reads, since it
     * must not write it, unless each element is replaced by the one computed from it. */
    struct cluster *result;
    bool in_place, reads_sorted;
};
/* check.c */
/* Reports at most one fault an instruction, CHECK_MAX_FAULTS in all. Always false. */
bool check_fault(struct actor *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Of instruction `index` of a tile, without the limit of one. */
bool check_fault_at(struct check *k, uint32_t tile, uint32_t index, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
bool check_fault_program(struct check *k, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline bool check_gave_up(const struct check *k)
{
    return k->n_faults >= CHECK_MAX_FAULTS;
}

/* check_progress.c */
/* Runs all instructions of the iteration; false if some never start, or faults are too many. */
bool check_progress_run(struct check *k) CHECK_RESULT;
/* check_frames.c */
/* All runs that prove the program, or just the one. */
bool check_frames(struct check *k) CHECK_RESULT;

#endif
