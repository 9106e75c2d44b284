/*
 * sim_internal.h - what the files of sim/ share: flat records of the run, and the doors between
 * events (engine.c), function (batch*.c, exec_*.c, sim_view.c), memory (sim_store.c), preparation
 * (sim_prepare.c) and diagnosis (deadlock.c).
 */
#ifndef CIMC_SIM_INTERNAL_H
#define CIMC_SIM_INTERNAL_H

#include "base/map.h"
#include "resource.h"
#include "sim.h"

#define SIM_NONE UINT32_MAX
enum { SIM_CHUNK = 1024 };       /* floats that a vector operation works on at a time */
enum { SIM_PANEL_PIXELS = 256 }; /* pixels of a crossbar product at a time */

/* An instruction, decoded once for the engine. Instructions of all tiles are numbered through. */
struct sim_inst {
    struct cost cost;
    uint64_t start; /* once started */
    uint32_t next;  /* next one of the same queue, or SIM_NONE */
    uint32_t wait;  /* first of n_waits in sim.waits */
    uint32_t route; /* first of its targets in sim.targets (SEND, SIGNAL) */
    uint32_t queue; /* numbered through all tiles */
    uint32_t n_targets;
    uint8_t op, n_waits;
};
struct sim_wait {
    uint32_t counter, threshold; /* counters are numbered through all tiles */
};
/* A target of a route. `queue` sends to it. */
struct sim_target {
    uint32_t tile, counter, queue;
    bool used; /* some instruction names the route */
};
/* Instructions of a queue are a list: [oldest .. head) run, [head .. ] wait; `waiting` of these
 * have been dispatched. */
struct sim_queue {
    uint32_t tile, head, oldest, waiting, running, counter;
    uint32_t parked_on, threshold, next_parked; /* counter the head waits for, or SIM_NONE */
    bool listed, wake_set;
};
struct sim_counter {
    struct channel channel; /* of the messages that it counts */
    uint32_t count;
    uint32_t parked; /* first queue waiting on it */
};

/* Instructions of a tile that are alike in all but their place. */
struct sim_family {
    struct isa_inst inst; /* the first of them */
    uint32_t tile;
    uint32_t rank, last; /* batch.c */
};
/* A piece of a tile's buffer that shares no byte with any other. sim_store.c. */
struct sim_store {
    uint64_t lo, hi; /* bytes [lo, hi) of the buffer */
    uint64_t bytes;  /* of its memory: the same, or those of all its rows */
    uint8_t *memory; /* NULL: not open */
    uint64_t cell_bytes, n_cells;
    uint64_t cells, tags; /* where its cells and tags start */
    uint32_t tile, ring_rows;
    int64_t row0; /* unrolled: of its first row, the slot before it was taken modulo */
    uint64_t row_pitch, row_cells; /* unrolled */
    bool written, preloaded, unrolled;
    uint32_t rank, raised_by, first, last; /* batch.c */
};
struct sim_view {
    struct isa_view v; /* base and ring are those in the store's memory */
    uint32_t store;    /* SIM_NONE: it holds nothing, and what follows is 0 */
    uint32_t element_bytes;
    int64_t row, col, channel; /* pitches in elements */
    uint64_t pixel_bytes;      /* 0: channels are apart */
};
/* n cells from `cell` on. Unrolled and written: where the tags of its slot are. */
struct sim_span {
    uint32_t cell, n, tag;
    bool unrolled;
};
struct sim_spans {
    struct sim_span *at;
    size_t n, cap;
};

/* A stretch of image rows that the group needs: `taps` adjacent columns of a kernel row, n adjacent
 * channels each. */
struct mvm_segment {
    uint32_t kh, kw, taps, channel, n, at; /* channel of the source view; position in the panel */
};
struct mvm_block {
    uint32_t at, k, row; /* panel columns [at, at + k) meet image rows [row, row + k) */
};
/* Columns [n0, n0 + n) of the image, the sum of its blocks. */
struct mvm_strip {
    uint32_t n0, n, first_block, n_blocks;
};
struct mvm_plan {
    bool depthwise; /* one strip: tap by tap, panel column i meets image column n0 + i */
    uint32_t n_segments, n_strips, panel_width;
    struct mvm_segment *segments;
    struct mvm_strip *strips;
    struct mvm_block *blocks;
};
/* Operand numbers of a vector program: results, then a, b, then immediates and constants as used.
 */
struct lane_plan {
    uint8_t x[ISA_MAX_LANE_OPS], y[ISA_MAX_LANE_OPS];
    uint32_t n_constants;
    uint8_t constants[2 * ISA_MAX_LANE_OPS]; /* rows of the constants view */
};
enum {
    SLOT_A = ISA_MAX_LANE_OPS,
    SLOT_B,
    SLOT_IMM,
    SLOT_CONST = SLOT_IMM + ISA_MAX_LANE_OPS,
    N_SLOTS = SLOT_CONST + 2 * ISA_MAX_LANE_OPS
};

struct sim_tile {
    struct sim_view *views; /* NULL without function */
    uint32_t first_store, n_stores;
    uint32_t first_queue, first_counter, n_queues, n_counters;
    uint32_t first_inst, n_insts; /* without HALT */
    uint32_t pc;                  /* next to dispatch, relative to first_inst */
    bool listed, halts;
    struct mvm_plan *mvm;
    struct lane_plan *lanes;
};

struct sim {
    const struct isa_program *p;
    struct sim_options o;
    const float *const *inputs;
    float *const *outputs;
    struct diag *d;
    struct arena *arena;

    struct sim_tile *tiles;
    struct sim_inst *insts;
    VEC(struct sim_wait) waits;
    struct sim_target *targets;
    struct sim_queue *queues;
    struct sim_counter *counters;
    uint32_t n_insts, n_targets, n_queues, depth;

    struct resources time;
    uint64_t last_end, n_done, pe_busy;
    uint32_t *family;    /* of each instruction; SIM_NONE: it has no function */
    uint32_t *completed; /* instructions in the order of completion; NULL: each is executed then */
    uint32_t *work;      /* queues, then tiles (numbered from n_queues), with something to do now */
    uint32_t n_work;
    uint64_t random;

    VEC(struct sim_family) families;
    struct map family_of; /* by tile, operation and tables: index into families */
    VEC(struct sim_store) stores;
    uint64_t n_cells, n_tags;
    bool poisoned;                 /* unwritten bytes are to be recognised */
    uint32_t guess, guesser, step; /* batch.c */

    uint32_t at_tile, at_inst; /* what is executed: for faults */
    bool failed;
    float *panel;   /* gathered windows of a crossbar product */
    float *scratch; /* sim_scratch */
    size_t scratch_floats;
    float *slot[N_SLOTS]; /* SIM_CHUNK floats each */
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

/* ---- sim_store.c ---- */

/* Stores, views, cells. False if there is no room to unroll rings. */
bool sim_prepare_stores(struct sim *s, bool may_unroll) CHECK_RESULT;
bool sim_open_store(struct sim *s, struct sim_store *m) CHECK_RESULT;
void sim_close_store(struct sim_store *m);

/* ---- batch_touch.c ---- */

/* Spans of cells that the instruction reads and writes; *left: the cell left of the first one that
 * it writes, or SIM_NONE. False if they are so many that some stand for more than is touched. */
bool sim_touch(struct sim *s, uint32_t tile, const struct isa_inst *inst, struct sim_spans *reads,
               struct sim_spans *writes, uint32_t *left);
/* Calls `body` for each view that the family reads or writes (LOAD reads none, STORE writes none).
 */
typedef void sim_view_body(struct sim *s, uint32_t tile, uint32_t view);
void sim_family_reads(struct sim *s, const struct sim_family *f, sim_view_body *body);
void sim_family_writes(struct sim *s, const struct sim_family *f, sim_view_body *body);

/* ---- batch.c: executes what has completed ---- */
bool sim_run_batches(struct sim *s) CHECK_RESULT;

/* ---- engine.c: runs until nothing can happen; false after a fault ---- */
bool sim_engine(struct sim *s) CHECK_RESULT;

/* ---- deadlock.c ---- */
bool sim_finished(const struct sim *s);
bool sim_diagnose_deadlock(struct sim *s); /* always false */

/* At least n floats, valid until the next call. */
float *sim_scratch(struct sim *s, size_t n);

/* ---- function of one instruction at its completion; false after a fault ---- */
bool sim_execute(struct sim *s, uint32_t tile, uint32_t index,
                 const struct isa_inst *inst) CHECK_RESULT;
bool exec_mvm(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vmap(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vwin(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vred(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_vgat(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_send(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_load(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
bool exec_store(struct sim *s, const struct isa_inst *inst) CHECK_RESULT;
void mvm_plan_make(struct arena *a, const struct isa_program *p, const struct isa_group *g,
                   struct mvm_plan *plan);
void lane_plan_make(const struct isa_program_entry *program, struct lane_plan *plan);

/* ---- diagnostics: name tile, instruction and node; always false ---- */
bool sim_fault(struct sim *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct loc sim_loc(struct sim *s, uint32_t tile, uint32_t index);

/* ---- sim_view.c ---- */

/* n pixels of row y, columns x, x + step, ..., channels [c0, c0 + nc). */
struct run {
    int64_t y, x, step;
    uint32_t n, c0, nc;
};
/* To out, pixels `pitch` floats apart; padding where the view pads. */
bool view_read(struct sim *s, uint32_t tile, uint32_t view, struct run r, float *out,
               size_t pitch) CHECK_RESULT;
/* All of the run (step 1) must be held. */
bool view_write(struct sim *s, uint32_t tile, uint32_t view, struct run r, const float *in,
                size_t pitch) CHECK_RESULT;
/* Where the run lies, if all of it is held and a pixel's channels are contiguous; else NULL. */
float *view_pixels(struct sim *s, uint32_t tile, uint32_t view, struct run r);
/* As view_pixels, for `rows` rows whose pixels are all equally far apart. */
float *view_rows(struct sim *s, uint32_t tile, uint32_t view, struct run r, uint32_t rows);
/* As view_pixels, if its pixels are contiguous too. */
float *view_direct(struct sim *s, uint32_t tile, uint32_t view, struct run r);

/* Pixels of `channels` that a chunk holds (at least 1), and channels of a chunk (at most
 * SIM_CHUNK). */
static inline uint32_t chunk_channels(uint32_t channels)
{
    return channels < SIM_CHUNK ? channels : SIM_CHUNK;
}
static inline uint32_t chunk_pixels(uint32_t channels)
{
    return channels == 0 || channels > SIM_CHUNK ? 1 : SIM_CHUNK / channels;
}
static inline const struct isa_view *view_of(const struct sim *s, uint32_t tile, uint32_t view)
{
    return &s->tiles[tile].views[view].v;
}
/* A chunk of a region: n pixels from column x of row y on (both relative), channels c0 .. c0 + nc.
 */
struct chunk {
    uint32_t y, x, n, c0, nc;
};
static inline struct run chunk_run(const struct isa_region *r, const struct chunk *k)
{
    return (struct run){.y = r->y + (int64_t)k->y,
                        .x = r->x + (int64_t)k->x,
                        .step = 1,
                        .n = k->n,
                        .c0 = k->c0,
                        .nc = k->nc};
}
/* As isa_address: the remainder is rarely needed. */
static inline uint64_t view_address(const struct isa_view *v, int64_t y, int64_t x)
{
    int64_t slot = y - v->ring_origin;
    if (slot < 0 || slot >= v->ring_rows) {
        slot %= v->ring_rows;
        slot += slot < 0 ? v->ring_rows : 0;
    }
    return v->base + (uint64_t)(slot * v->row_pitch + (x - v->x0) * v->col_pitch);
}
/* Clips the run to what the view holds; false if that is nothing. */
static inline bool clip_run(const struct isa_view *v, struct run *r)
{
    if (r->y < v->y0 || r->y >= v->y1 || r->x >= v->x1 || r->nc == 0)
        return false;
    int64_t skipped = r->x < v->x0 ? (v->x0 - r->x + r->step - 1) / r->step : 0;
    int64_t end = (v->x1 - r->x + r->step - 1) / r->step;
    if (end > r->n)
        end = r->n;
    if (skipped >= end)
        return false;
    r->x += skipped * r->step;
    r->n = (uint32_t)(end - skipped);
    return true;
}
/* The pixels among n in a row, from (y, x) of dst on, that tap kh * kernel_w + kw of an overlap
 * window meets: every stride-th from the first on, and the pixels of `a` that it takes for them,
 * one after the other. */
struct overlap_row {
    int64_t y, x;      /* of a */
    uint32_t first, n; /* n = 0: none */
};
struct overlap_row overlap_row(const struct isa_window *w, const struct isa_view *a, uint32_t tap,
                               int64_t y, int64_t x, uint32_t n);

#endif
