/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * emit.h - state of emission: the program being built, tile by tile.
 *   emit_tables.c  views, vector programs, windows, groups, gathers, routes, bindings, constants
 *   emit_sync.c    counters: data waits, ring reuse (credits), barriers
 *   emit_leads.c   waits for what lies far back, rounded
 *   emit.c         walks L and writes instructions
 */
#ifndef CIMC_EMIT_H
#define CIMC_EMIT_H

#include "plan.h"

/* Messages of one counter arrive in order, so each kind has counters of its own: a SIGNAL on a long
 * way holds up no data, and a credit no news of a layer's end. */
enum message_kind { MESSAGE_DATA, MESSAGE_CREDIT, MESSAGE_LAYER_END };
/* A message counter of a tile: counts what one queue of one tile sends there, of one kind. */
struct inbound {
    uint32_t from_queue; /* global */
    enum message_kind kind;
    uint32_t count;
    VEC(struct sent) sent; /* in order */
};
struct sent { /* the last message that is sent for the task */
    uint32_t task, number;
};
/* A wait for what is counted for a task, `back` iterations of the body earlier. Its threshold is
 * known when all is counted. `place`: that of the task in L, from the same iteration's beginning.
 */
struct waiting {
    uint16_t counter;
    uint32_t task, back;
    int64_t place;
};
struct emit_tile {
    VEC(struct isa_inst) insts;
    VEC(uint32_t) sources;
    VEC(struct isa_view) views;
    VEC(struct isa_window) windows;
    VEC(struct isa_program_entry) programs;
    VEC(struct isa_table) tables;
    VEC(struct isa_route) routes;
    VEC(struct isa_gather) gathers;
    VEC(struct isa_preload) preloads;
    VEC(struct inbound) inbound;
    VEC(struct waiting) waits; /* of the instructions: a wait's threshold is its number here */
    /* indices: of views and routes by what they say, of inbound counters by sender and kind, of
     * tables of lanes and programs by their contents, all that emit_tables.c makes by what it is
     * for */
    struct map view_of, route_of, inbound_of, table_of, program_of, made;
    uint64_t bytes; /* of the buffer */
};
/* A queue that reads a ring buffer. Rows are counted on from frame to frame. */
struct ring_reader {
    uint32_t queue; /* global */
    /* per row: the last task that reads it or NONE; which row that it reads was the last one in the
     * row's slot before or NONE, and how many frames earlier */
    uint32_t *last_task, *before, *back;
};
struct ring_writer { /* a tile that sends into a ring buffer */
    uint32_t tile;
    uint8_t *writes; /* per row */
};
struct ring {
    VEC(struct ring_reader) readers;
    VEC(struct ring_writer) writers;
};
struct barrier_end { /* last task of a base layer at one home */
    uint32_t layer, task;
};

struct emitter {
    const struct plan *p;
    struct isa_program *out;
    struct arena *arena; /* scratch */
    struct emit_tile *tiles;
    VEC(struct isa_place) order; /* of the instructions of all tiles: that of L */
    VEC(uint32_t) order_task;    /* of each: the task whose work it does, or NONE */
    uint32_t *queue_count;       /* per global queue: instructions so far */
    /* Per global queue and stage: the place of the last one waited for, by counter. What another
     * stage has waited for does not count: there are iterations in which that is skipped. */
    struct waited {
        VEC(int64_t) at;
    } * waited;
    uint32_t *count_after;                /* per task: its queue's counter when it is complete */
    struct ring *rings;                   /* per buffer; used where rows share slots */
    struct map reader_of, writer_of;      /* by (buffer, queue or tile) within a ring */
    VEC(struct barrier_end) barrier_ends; /* layer by layer */
    uint32_t *first_barrier_end;          /* per layer, and one more */
    uint32_t *barrier_end_of;             /* per task: index + 1, or 0 */
    uint32_t *signalled, n_signals;       /* per tile: the last signal that goes there */
    bool *has_successor;                  /* per task */
    VEC(uint8_t) constants;
    uint64_t *constant_offset; /* per op: offset + 1 in the constants section, or 0 */
    struct map row_of; /* rows of constants that are not so in the graph, by op and length */
    VEC(uint64_t) row_offset;
    uint32_t constants_section;
    uint32_t *image_of;   /* per layer */
    uint32_t *binding_of; /* per op */
    /* waits of the instruction being built */
    VEC(struct waiting) waits;
    uint32_t task; /* that is being emitted, and its stage */
    uint8_t stage;
    bool failed;
};

static inline const struct buffer *buffer_at(const struct emitter *e, uint32_t buffer)
{
    return &e->p->tasks->buffers.at[buffer];
}
static inline const struct storage *storage_of(const struct emitter *e, uint32_t buffer)
{
    return &e->p->memory->of[buffer];
}

/* NULL: it is in none. */
static inline const struct stack *stack_of(const struct emitter *e, uint32_t buffer)
{
    uint32_t stack = storage_of(e, buffer)->stack;
    return stack == NONE ? NULL : &e->p->memory->stacks[stack];
}

/* Does the group read and write rows of stacks? */
static inline bool group_is_stacked(const struct emitter *e, uint32_t group)
{
    const struct group_work *work = &e->p->tasks->group[group];
    const struct layer *l = &e->p->segment->layer[e->p->segment->group[group].layer];
    return stack_of(e, work->acc) && stack_of(e, work->source) &&
           node_is_stacked(e->p->nodes, &e->p->nodes->at[l->node]);
}

/* ---- emit_tables.c ---- */
/* A buffer's channels [lo, hi) in the coordinates of what it shows. */
uint32_t emit_view(struct emitter *e, uint32_t buffer, int32_t lo, int32_t hi, uint32_t pad_value);
/* The box of what a buffer shows: in the view of its stack, if it is in one. */
struct isa_region emit_place(struct emitter *e, uint32_t buffer, const struct box *box,
                             uint32_t pad_value);
/* Where a SEND of the box of buffer `source`, or a LOAD (NONE) of the box of an input, writes. */
uint32_t emit_target_view(struct emitter *e, const struct access *to, uint32_t source,
                          const struct box *box);
/* The box of a result of extents `dim` as read from a buffer: pitch 0 where the buffer's extent is
 * 1. Where the whole height is read there is nothing above or below it. */
struct isa_region emit_operand(struct emitter *e, uint32_t buffer, const struct operand *o,
                               const int32_t dim[3], const struct box *box, uint32_t pad_value);
/* A transpose's source as seen by its result; a reshape's result as seen by its source. */
uint32_t emit_permuted_view(struct emitter *e, uint32_t buffer, const int64_t *perm);
uint32_t emit_reshaped_view(struct emitter *e, uint32_t buffer, const struct ir_op *reshape);
uint32_t emit_program(struct emitter *e, const struct task *t, const struct box *box);
uint32_t emit_window(struct emitter *e, const struct task *t);
uint32_t emit_gather(struct emitter *e, const struct task *t, const struct box *box);
uint32_t emit_route(struct emitter *e, uint32_t tile, const struct isa_target *targets, uint32_t n);
void emit_constant_buffers(struct emitter *e);
/* n bytes more in the section of constants, at a multiple of 64: their place. */
uint64_t emit_bytes(struct emitter *e, const void *bytes, size_t n);
/* Where the constant's bytes are there. */
uint64_t emit_constant(struct emitter *e, const struct ir_op *c);

/* ---- emit_image.c ---- */
void emit_images(struct emitter *e);

/* ---- emit_program.c ---- */
void emit_bindings(struct emitter *e);
void emit_nodes(struct emitter *e);
void emit_groups(struct emitter *e);

/* ---- emit_sync.c ---- */
void sync_prepare(struct emitter *e);
/* Collects into e->waits what task `id` must wait for: data, ring slots, barriers. */
void sync_waits(struct emitter *e, uint32_t id, const struct accesses *a);
/* After the task's instruction: signals that free ring rows or end a layer. */
void sync_after(struct emitter *e, uint32_t id, const struct accesses *a);
/* The inbound counter of `tile` for messages from a queue. */
uint32_t sync_inbound(struct emitter *e, uint32_t tile, uint32_t from_queue,
                      enum message_kind kind);
/* A message of the task to the tile: its counter there. */
uint32_t sync_message(struct emitter *e, uint32_t tile, uint32_t task, enum message_kind kind);
/* Replaces what waits of emitted instructions refer to by thresholds. */
void sync_resolve(struct emitter *e);
/* What a counter of the tile counts in an iteration; known when all is emitted. */
uint32_t sync_step(const struct emitter *e, uint32_t tile, uint32_t counter);
void sync_free(struct emitter *e);

/* ---- emit_leads.c ---- */
/* Rounds waits of a tile's instructions for what lies far back. */
void leads_round(struct emitter *e, uint32_t tile);

/* ---- emit.c ---- */
/* Appends an instruction to its tile's stream (global queue number). */
void emit_inst(struct emitter *e, uint32_t tile, uint32_t queue, struct isa_inst inst,
               uint32_t source);

#endif
