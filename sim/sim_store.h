/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_store.h - the memory behind a tile's views, and the cells by which dependencies are kept.
 * sim_store.c, batch_touch.c.
 */
#ifndef CIMC_SIM_STORE_H
#define CIMC_SIM_STORE_H

#include "isa.h"

struct sim;

/* A piece of a tile's buffer that shares no byte with any other. sim_store.c. */
struct sim_store {
    uint64_t lo, hi; /* bytes [lo, hi) of the buffer */
    uint64_t bytes;  /* of its memory: the same, or those of all its rows */
    uint8_t *memory; /* NULL: not open */
    uint64_t cell_bytes, n_cells;
    uint64_t cells, tags; /* where its cells and tags start */
    uint32_t tile, ring_rows;
    int64_t row0; /* unrolled: of its first row, the slot before it was taken modulo */
    uint64_t row_pitch, row_cells, rows; /* unrolled */
    bool written, preloaded, unrolled,
        framed;               /* framed: its rows are taken again by later frames */
    uint32_t rank, raised_by; /* batch.c */
    uint32_t used_at, written_at, first, last; /* steps; batch_run.c */
};
struct sim_view {
    struct isa_view v; /* base and ring are those in the store's memory */
    uint32_t element_bytes;
    uint32_t store;            /* SIM_NONE: it holds nothing, and what follows is 0 */
    int64_t row, col, channel; /* pitches in elements */
    uint64_t pixel_bytes;      /* 0: channels are apart */
};
/* n cells from `cell` on. Unrolled and written: where the tags of its slot are. */
struct sim_span {
    uint32_t cell, n, tag;
    bool unrolled, framed;
};
struct sim_spans {
    struct sim_span *at;
    size_t n, cap;
};

/* Stores, views, cells. False if there is no room to unroll rings. */
bool sim_prepare_stores(struct sim *s, bool may_unroll) CHECK_RESULT;
bool sim_open_store(struct sim *s, struct sim_store *m) CHECK_RESULT;
void sim_close_store(struct sim *s, struct sim_store *m);

/* ---- batch_touch.c ---- */

/* Instructions of a tile that are alike in all but their place. */
struct sim_family {
    struct isa_inst inst; /* the first of them */
    uint32_t tile;
    uint32_t guess, rank, last; /* batch.c */
};

/* Spans of cells that the instruction reads and writes; *left: the cell left of the first one that
 * it writes, or SIM_NONE. False if they are so many that some stand for more than is touched. */
bool sim_touch(struct sim *s, uint32_t tile, const struct isa_inst *inst, struct sim_spans *reads,
               struct sim_spans *writes, uint32_t *left);
/* Calls `body` for each view that the family reads or writes (LOAD reads none, STORE writes none).
 */
typedef void sim_view_body(struct sim *s, uint32_t tile, uint32_t view);
void sim_family_reads(struct sim *s, const struct sim_family *f, sim_view_body *body);
void sim_family_writes(struct sim *s, const struct sim_family *f, sim_view_body *body);

#endif
