/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
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
    int64_t rows, cols; /* 0 = whole extent ("*") */
    /* > 0: found by the backend, for a program of at most about so many instructions. */
    int64_t budget;
};
enum { PACE_INTERVAL = -1 }; /* a frame each interval of the steady schedule */
struct backend_options {
    enum schedule_mode mode;
    struct set_shape set;
    int64_t pes;      /* PEs of the machine */
    uint32_t frames;  /* of the body's run; 0 = no body: one frame, run once */
    int64_t pace;     /* cycles from frame to frame; 0 = as fast as credits allow; PACE_INTERVAL */
    bool report_sets; /* fill backend_result.sets, .works */
    bool report_detail;              /* fill backend_result.detail */
    bool print_plan;                 /* fill backend_result.plan */
    const struct progress *progress; /* may be NULL */
};
/* Per base layer, for tables and reports; index = base layer in list order. */
struct layer_report {
    const char *name; /* of one without a name: the node it comes from */
    int64_t ofm[3];   /* h, w, c */
    int64_t patch[2]; /* output pixels of a product: rows, columns */
    int64_t pes, cycles, copies, weight_bits;
    int64_t weights; /* > 0: all layers with this number use one set of crossbars */
    /* Of the run: of its products, and what is fused behind them. */
    struct energy_counts counts;
    double fill;         /* of the cells of a copy's PEs: the share that holds a weight */
    uint64_t cells_used; /* they are so many */
    /* The matrix that a copy's PEs hold, cut into slices of rows and blocks of columns: slices of
     * the block with most of them, and blocks; rows and columns of each. */
    int64_t matrix[2], slices[2];
    const int64_t *slice_rows, *block_columns;
    /* In the schedule of one frame: from the first product to the end of the last; of all PEs
     * added up; the tiles that hold it, ascending. */
    uint64_t start_cycle, end_cycle, busy_cycles;
    uint32_t n_tiles;
    const uint32_t *tiles;
};
/* One set on one PE group: what a schedule is made of, for views. */
struct set_report {
    uint32_t layer, copy;           /* index of the base layer; copy of it */
    uint32_t tile, first_pe, n_pes; /* PEs first_pe .. first_pe + n_pes - 1 of the tile */
    int32_t y, x, h, w;             /* rectangle of the OFM */
    uint64_t start_cycle, end_cycle;
    uint32_t frames_ago; /* of steady_sets: it is of the frame so many before the one that begins */
    uint32_t task, waited_for; /* as of struct work_report */
};
/* What a vector unit, or the port into network or DRAM, of a tile is busy with. */
struct work_report {
    const char *name, *work; /* of the value; "vector", "send" ... */
    enum cost_unit unit;
    uint32_t tile, layer; /* base layer, or UINT32_MAX */
    /* Its number, and that of the set or work whose result came last of those that it needed, and
     * none before it in its group; UINT32_MAX: none. */
    uint32_t task, waited_for;
    uint64_t start_cycle, end_cycle;
};

/* ---- what a report shows of a plan (detail.c, critical.c) ---- */

struct tile_report {
    uint32_t n_pes;
    uint64_t busy_cycles[UNIT_DRAM + 1]; /* by enum cost_unit; PEs: the sum over all of them */
    uint64_t vector_elements;            /* results times lane operations */
    uint64_t sent_bytes;                 /* to other tiles; a message counts once */
    uint64_t copied_bytes;               /* by its network port, to buffers of its own */
    uint64_t read_bytes, written_bytes;  /* DRAM */
    uint64_t buffer_bytes;               /* of all its buffers */
    uint64_t peak_bytes;                 /* most bytes in use at one time */
};
enum buffer_kind { BUFFER_VALUE, BUFFER_SUMS, BUFFER_CONSTANT };
/* A buffer of a tile: rows of a value, in fewer slots. A row is in use from its first write to its
 * last read. */
struct buffer_report {
    const char *name; /* of the value, or the layer for sums */
    enum buffer_kind kind;
    uint32_t tile;
    uint64_t rows, ring_rows, peak_rows; /* held in all; slots; most in use at one time */
    uint64_t row_bytes, bytes;
};
/* What one tile sends to another; a message with several targets counts for each. */
struct traffic_report {
    uint32_t from, to, hops;
    uint64_t bytes, messages;
};
/* Consecutive steps of the slowest path: the same work of one value on one tile. */
struct path_report {
    const char *name, *work;         /* of the value; "MVM", "send" ... */
    uint32_t tile, layer;            /* base layer, or UINT32_MAX */
    uint32_t n_steps, n_input_waits; /* steps whose unit was idle before them */
    uint64_t start_cycle, end_cycle;
};
enum { DETAIL_PARTS = 400 }; /* of the makespan, or with frames of the interval */
/* A PE with weights: how many of its cells hold some. */
struct crossbar_report {
    uint32_t tile, pe, layer, copy;
    uint64_t cells;
};
struct backend_detail {
    struct tile_report *tiles;
    uint32_t n_crossbars, n_buffers, n_traffic, n_path;
    struct crossbar_report *crossbars; /* by tile, PE; of several layers' the first */
    struct buffer_report *buffers;     /* by tile, in order of address */
    struct traffic_report *traffic;    /* by `from`, `to`; `from` != `to` */
    struct path_report *path;          /* gapless from 0 to the makespan */
    uint64_t in_use[DETAIL_PARTS]; /* most bytes in use on all tiles, in each part of the time */
    uint64_t peak_bytes;           /* the largest of them */
};
struct backend_result {
    uint64_t makespan_cycles, layer_by_layer_cycles; /* of one frame */
    /* With frames: of all of them; from frame to frame in the steady state, and the most that a
     * unit has to do for one; the least and the most from a frame's first LOAD to its end. */
    uint32_t frames;
    uint64_t scheduled_cycles, interval_cycles, interval_bound_cycles;
    uint64_t latency_min_cycles, latency_max_cycles;
    double steady_utilisation; /* of the PEs within an interval */
    double utilisation;        /* NaN where the makespan is 0 */
    uint64_t n_instructions, code_bytes, most_code_bytes, pe_busy_cycles;
    /* Multiply-adds as the graph has them: of base layers, of products of two values. */
    uint64_t crossbar_macs, vector_macs;
    struct isa_energy energy; /* of all frames */
    struct set_shape set;     /* the sets of the schedule, also where they were its choice */
    uint32_t n_tiles, n_layers;
    struct layer_report *layers; /* in the program's arena */
    struct set_report *sets;     /* if asked for: in order of start; in the program's arena */
    uint32_t n_sets;
    struct work_report *works; /* with the sets: what else takes time; in order of start */
    uint32_t n_works;
    /* With frames, if asked for: the sets of all frames within one interval of the steady state,
     * cut at its ends; times from its beginning. */
    struct set_report *steady_sets;
    uint32_t n_steady_sets;
    struct backend_detail *detail; /* if asked for; in the program's arena */
    const char *plan;              /* if asked for: the plan as text; in the program's arena */
    double seconds_schedule, seconds_emit;
};
/* NULL with diagnostics (CAPACITY, LOWER). `g` must be numbered and verified, and outlive the
 * program, whose images are read from its constants. */
struct isa_program *backend_compile(const struct ir_graph *g, const struct arch *arch,
                                    const struct backend_options *o, struct backend_result *out,
                                    struct diag *d) CHECK_RESULT;

/* The same schedule without a program: all results but instructions and bytes, in `a`. */
bool backend_schedule(const struct ir_graph *g, const struct arch *arch,
                      const struct backend_options *o, struct arena *a, struct backend_result *out,
                      struct diag *d) CHECK_RESULT;

/* Makespans alone, without emission: what pass dup asks for each choice of copies, and the search
 * for sets. Between trials only patches, copies and cuts of the graph may change. NULL with
 * diagnostics; `arch`, `g` and `d` stay the caller's. */
struct backend_trials;
struct backend_trials *backend_trials_new(const struct ir_graph *g, const struct arch *arch,
                                          struct diag *d) CHECK_RESULT;
struct backend_makespan {
    uint64_t cycles;      /* of all frames, one each interval_bound_cycles */
    struct set_shape set; /* as in backend_result; with a budget the fastest of those within it */
    size_t n_tasks;       /* that were scheduled: the work it was */
};
bool backend_trial_makespan(const struct backend_trials *t, const struct backend_options *o,
                            struct backend_makespan *out) CHECK_RESULT;
void backend_trials_free(struct backend_trials *t); /* NULL is fine */

/*
 * The checker: shares only the ISA tables with the emitter. Form, progress (no deadlock for any
 * timing) and races; with a graph also meaning: every output element produced once, every read sees
 * the right element. Reports faults with tile, instruction and node (code CHECK).
 */
bool backend_check(const struct isa_program *p, const struct ir_graph *g,
                   struct diag *d) CHECK_RESULT;

#endif
