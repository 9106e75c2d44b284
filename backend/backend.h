/*
 * backend.h - from a frozen CROSSBAR graph to a checked program. BACKEND.md.
 */
#ifndef CIMC_BACKEND_H
#define CIMC_BACKEND_H

#include "arch.h"
#include "ir.h"
#include "isa.h"

enum schedule_mode { SCHEDULE_CROSS_LAYER, SCHEDULE_LAYER_BY_LAYER };
struct set_shape {
    bool automatic;
    int64_t rows, cols; /* 0 = whole extent ("*") */
};
struct backend_options {
    enum schedule_mode mode;
    struct set_shape set;
    int64_t pes;      /* PEs of the machine */
    bool report_sets; /* fill backend_result.sets */
};
/* Per base layer, for tables and reports; index = base layer in list order. */
struct layer_report {
    const char *name;
    int64_t ofm[3]; /* h, w, c */
    int64_t pes, cycles, copies;
};
/* One set on one PE group: what a schedule is made of, for views. */
struct set_report {
    uint32_t layer, copy;           /* index of the base layer; copy of it */
    uint32_t tile, first_pe, n_pes; /* PEs first_pe .. first_pe + n_pes - 1 of the tile */
    int32_t y, x, h, w;             /* rectangle of the OFM */
    uint64_t start_cycle, end_cycle;
};
struct backend_result {
    uint64_t makespan_cycles, layer_by_layer_cycles;
    double utilisation; /* NaN where the makespan is 0 */
    uint64_t n_instructions, code_bytes, pe_busy_cycles;
    uint32_t n_tiles, n_layers;
    struct layer_report *layers; /* in the program's arena */
    struct set_report *sets;     /* if asked for: in order of start; in the program's arena */
    uint32_t n_sets;
    double seconds_schedule, seconds_emit;
};
/* NULL with diagnostics (CAPACITY, LOWER). `g` must be numbered and verified. */
struct isa_program *backend_compile(const struct ir_graph *g, const struct arch *arch,
                                    const struct backend_options *o, struct backend_result *out,
                                    struct diag *d) CHECK_RESULT;

/* The makespan alone, without emission: what pass dup asks for each choice of copies. */
bool backend_makespan(const struct ir_graph *g, const struct arch *arch,
                      const struct backend_options *o, uint64_t *out_cycles,
                      struct diag *d) CHECK_RESULT;

/*
 * The checker: shares only the ISA tables with the emitter. Form, progress (no deadlock for any
 * timing) and races; with a graph also meaning: every output element produced once, every read sees
 * the right element. Reports faults with tile, instruction and node (code CHECK).
 */
bool backend_check(const struct isa_program *p, const struct ir_graph *g,
                   struct diag *d) CHECK_RESULT;

#endif
