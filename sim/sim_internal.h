/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_internal.h - one run: its state, and the doors between preparation (sim_prepare.c), events
 * (engine.c, deadlock.c) and function (batch.c, exec_*.c). Records are in sim_events.h,
 * sim_store.h and sim_plan.h; access to elements in sim_view.h.
 */
#ifndef CIMC_SIM_INTERNAL_H
#define CIMC_SIM_INTERNAL_H

#include "base/map.h"
#include "sim.h"
#include "sim_events.h"
#include "sim_plan.h"
#include "sim_pool.h"
#include "sim_store.h"

struct sim_tile {
    struct sim_view *views; /* NULL without function */
    uint32_t first_store, n_stores;
    uint32_t first_queue, first_counter, n_queues, n_counters;
    uint32_t first_inst, n_insts;
    uint32_t pc, iteration; /* next to dispatch, relative to first_inst */
    uint64_t issue_at;      /* no earlier is it dispatched */
    bool listed, wake_set;
    struct mvm_plan *mvm;
    struct lane_plan *lanes;
};

/* Cycles of all PEs; of 2^62 cycles they may be more than 64 bits. */
__extension__ typedef unsigned __int128 sim_pe_cycles;

struct sim {
    const struct isa_program *p;
    struct sim_options o;
    const void *const *inputs;
    void *const *outputs;
    struct diag *d;
    struct arena *arena;

    struct sim_tile *tiles;
    struct sim_inst *insts;
    VEC(struct sim_wait) waits;
    struct sim_target *targets;
    struct sim_queue *queues;
    struct sim_counter *counters;
    uint32_t n_insts, n_targets, n_queues, depth;
    uint32_t frames, iterations; /* of the body */
    uint32_t pace_counter; /* number of the one counter that all tiles read; it has no count */

    struct resources time;
    uint64_t issue_cycles, start_cycles;
    uint64_t last_end, n_done, n_skipped;
    sim_pe_cycles pe_busy;
    struct sim_frame {
        uint64_t begin, end;
    } * frame;                 /* of each: first start of work, last end */
    struct sim_begins *begins; /* of each queue, or NULL: nobody looks on */
    uint32_t *family;          /* of each instruction; SIM_NONE: it has no function */
    VEC(uint32_t) completed;   /* instructions with function in the order of completion, if lazy */
    uint32_t *work; /* queues, then tiles (numbered from n_queues), with something to do now */
    uint32_t n_work;
    uint64_t random;

    VEC(struct sim_family) families;
    struct map family_of; /* by tile, operation and tables: index into families */
    VEC(struct sim_store) stores;
    struct sim_pool pool;
    uint64_t n_cells, n_tags;
    bool poisoned;                 /* unwritten bytes are to be recognised */
    uint32_t guess, guesser, step; /* batch.c, batch_run.c */

    uint32_t at_tile, at_inst, at_frame, at_iteration; /* what is executed */
    bool failed;
    struct read_state read;
    void *panel;   /* gathered windows of a crossbar product */
    void *scratch; /* sim_scratch */
    size_t scratch_bytes;
    void *slot[N_SLOTS]; /* SIM_CHUNK lanes each */
    uint8_t *bytes;      /* SIM_CHUNK elements of 1 byte, on their way from or to lanes */
};

/* ---- sim_prepare.c ---- */
bool sim_prepare(struct sim *s) CHECK_RESULT;
bool sim_prepare_function(struct sim *s) CHECK_RESULT;
/* Function comes after time, in batches; else each instruction is executed at its completion, for
 * who looks on. */
static inline bool sim_is_lazy(const struct sim *s)
{
    return !s->o.no_function && !s->o.executed;
}
void sim_release(struct sim *s);
/* isa_frame_of */
static inline uint32_t sim_frame_of(const struct sim *s, const struct sim_inst *i,
                                    uint32_t iteration)
{
    return isa_frame_of(i->stage, i->frames, iteration, s->frames);
}
static inline uint64_t sim_n_instances(const struct sim *s)
{
    return (uint64_t)s->n_insts * s->iterations;
}

/* ---- batch.c: executes what has completed ---- */
bool sim_run_batches(struct sim *s) CHECK_RESULT;

/* ---- engine.c: runs until nothing can happen; false after a fault ---- */
bool sim_engine(struct sim *s) CHECK_RESULT;

/* ---- deadlock.c ---- */
bool sim_finished(const struct sim *s);
bool sim_diagnose_deadlock(struct sim *s); /* always false */

/* Room for n lanes, valid until the next call. */
void *sim_scratch(struct sim *s, size_t n);

/* ---- function of one instruction at its completion; false after a fault ---- */
bool sim_execute(struct sim *s, uint32_t tile, uint32_t index,
                 const struct isa_inst *inst) CHECK_RESULT;
bool exec_mvm(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vmap(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vwin(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vred(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vgat(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vdot(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vtake(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_send(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_load(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_store(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;

/* ---- diagnostics: name tile, instruction and node; always false ---- */
bool sim_fault(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct loc sim_loc(struct sim *s, uint32_t tile, uint32_t index, uint32_t frame);

#endif
