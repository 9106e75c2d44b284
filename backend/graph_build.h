/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * graph_build.h - the task graph while it is made: tasks.c takes node by node, reads.c finds who
 * delivers what they read. Nothing else includes this.
 */
#ifndef CIMC_GRAPH_BUILD_H
#define CIMC_GRAPH_BUILD_H

#include "plan.h"

struct building {
    const struct plan *p;
    struct task_graph *g;
    struct number_list preds; /* of the task being made */
    uint32_t reader;          /* serial number of whoever asks for cells */
    uint32_t **asked;         /* node, cell: who last asked for it */
    struct map target_of;     /* (buffer, part) -> index into the targets of the part's node */
    VEC(uint32_t *) loads;    /* buffer: [part][piece] -> task, or NONE; NULL: no inputs */
    uint32_t *last_mvm;       /* group that owns PEs: last MVM given to its queue so far, or NONE */
    bool stores_state;        /* is the output being stored one that the next frame continues? */
    uint32_t *barrier; /* layer by layer, per tile: the task that says the layer before has ended */
};
/* How a node's instruction reads one part of one operand: per axis and per output cell (or set) the
 * cells of the part's node; for an input the pieces. List i of axis a = at[a][start[a][i] ..
 * start[a][i+1]). */
struct reads {
    uint32_t part; /* index into the value's parts */
    uint32_t *start[3], *at[3];
};

/* ---- tasks.c ---- */
/* Adds a task that waits for `preds`. */
uint32_t add_task(struct building *b, struct task t, const uint32_t *preds, uint32_t n);

/* ---- reads.c ---- */
static inline void value_dims(const struct ir_op *value, int32_t dim[3])
{
    for (int a = 0; a < 3; a++)
        dim[a] = (int32_t)value->out->type.dim[a];
}
/* The buffer of a value on a tile, made at first use. */
uint32_t value_buffer(struct building *b, uint32_t tile, const struct ir_op *value);
uint32_t new_buffer(struct building *b, uint32_t tile, const struct ir_op *shows,
                    const int32_t dim[3], const struct box *held);
/* A buffer that is read holds all channels, also where a window sees nothing but padding: what
 * messages carry does not depend on who reads what. */
void hold(struct building *b, uint32_t buffer, struct box read);
/* Read lists of operand `o` for output intervals cut[a][0..n[a]] on each axis; one entry a part. */
struct reads *list_reads(const struct building *b, const struct operand *o, const uint32_t n[3],
                         int32_t *const cut[3], const struct axis_map map[3]);
/* Adds to b->preds what delivers list (i[0], i[1], i[2]) of every part into `buffer`; cells that
 * the reader already asked for are left out; it has serial numbers reader, reader+1, ... for the
 * parts. Returns the rows of the cells added, in the value's coordinates. */
struct rows add_reads(struct building *b, const struct operand *o, const struct reads *reads,
                      const uint32_t i[3], uint32_t buffer, uint32_t reader);
/* The number of the target that is part `part` of what the buffer shows, among those of its node.
 */
uint32_t find_target(struct building *b, uint32_t buffer, uint32_t part);
/* The cell goes to the target, too. */
void add_target(struct delivery *d, uint32_t target, uint32_t cell);
/* The LOAD of one piece of the value into the buffer, made at first request. */
uint32_t load_piece(struct building *b, uint32_t buffer, uint32_t part, uint32_t piece);

/* ---- state.c ---- */
/* What a frame leaves to the next one, when all tasks that read are made. False with a diagnostic.
 */
bool add_states(struct building *b) CHECK_RESULT;

#endif
