/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim.h - executes program bytes: function and timing in one pass. Never sees the compiler. SIM.md.
 */
#ifndef CIMC_SIM_H
#define CIMC_SIM_H

#include "isa.h"

struct sim;
/* Instruction `index` of a tile in an iteration of the body. */
struct sim_place {
    uint32_t tile, index, iteration;
    uint32_t frame; /* that it acts on; ISA_NO_FRAME: it is skipped (isa_frame_of) */
};
/* When it was what; `counted`: by its queue. */
struct sim_times {
    struct sim_place at;
    uint64_t dispatch, start, end, counted;
};
/* A message of a SEND or SIGNAL, an empty one if that is skipped; the counter counts it then. */
struct sim_message {
    struct sim_place from;
    uint32_t to_tile, counter;
    uint64_t counted;
};
static inline bool sim_is_skipped(const struct sim_place *at)
{
    return at->frame == ISA_NO_FRAME;
}
struct sim_options {
    uint64_t latency_seed;     /* 0 = the arch's costs; else random extra latencies and orders */
    uint64_t max_extra_cycles; /* with a seed: each instruction takes 0..max more cycles */
    bool no_function;          /* timing only */
    bool every_plane;          /* for tests: read-out has no shortcuts and keeps no cells */
    bool ordered_sums;         /* f32 sums of MVM in the order of DUMP.md, bit for bit; slower */
    uint32_t frames;           /* of the run; 0: as many as the program was made for */
    /* Called for each instruction but HALT when it has been executed: what it read and wrote can be
     * read by sim_read. May be NULL. What is skipped is not told here, but below. */
    void (*executed)(void *self, const struct sim *s, uint32_t tile, uint32_t frame,
                     uint32_t inst_index, const struct isa_inst *inst);
    /* Called for each instruction at completion. May be NULL. */
    void (*completed)(void *self, const struct isa_inst *inst, const struct sim_times *times);
    /* Called at the completion of SEND and SIGNAL for each target of the route, in its order; of
     * one counter in the order in which it counts. May be NULL. */
    void (*sent)(void *self, const struct sim_message *m);
    void *self;
    const struct progress *progress; /* may be NULL */
};
struct sim_result {
    uint64_t cycles;         /* makespan: last completion */
    uint64_t n_instructions; /* executed */
    uint64_t pe_busy_cycles; /* sum over PEs of busy cycles; saturates, utilisation does not */
    double utilisation;      /* pe_busy_cycles / (pes * cycles); NaN where cycles = 0 */
    uint32_t frames;
    uint64_t latency_min_cycles, latency_max_cycles; /* of a frame, from its first start on */
    /* From frame to frame, by the ends of the first and the last one, and the utilisation of a
     * machine that gets a frame so often; NaN of a single frame. */
    double interval_cycles, steady_utilisation;
};
/*
 * inputs[k] is the k-th input tensor in row-major order, of the element of its bindings (f16: as
 * f32, values are rounded to f16 in LOAD and STORE), at least as many elements as the bindings
 * reach (checked by the caller against binding->shape); outputs[k] likewise, written here. Of a
 * binding with a frame_stride there are as many such tensors as frames, one after the other.
 * False with diagnostics: SIM_FAULT (tile, instruction, node, what), DEADLOCK (who waits for whom).
 */
bool sim_run(const struct isa_program *p, const void *const *inputs, void *const *outputs,
             const struct sim_options *o, struct sim_result *out, struct diag *d) CHECK_RESULT;
/* How many frames a run has. */
uint32_t sim_frames(const struct isa_program *p, const struct sim_options *o);
/* One element through a view of a tile, inside `executed`: the bits of a float or an i32; a u8. */
uint32_t sim_read(const struct sim *s, uint32_t tile, uint32_t view, int32_t y, int32_t x,
                  uint32_t c);

#endif
