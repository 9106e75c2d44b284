/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * task_graph.h - one task an instruction, with every data dependency, and the buffers they work on.
 * tasks.c and reads.c make it, work.c prices tasks, access.c says what they touch.
 */
#ifndef CIMC_TASK_GRAPH_H
#define CIMC_TASK_GRAPH_H

#include "base/map.h"

#include "cells.h"
#include "tile_grid.h"

struct number_list {
    VEC(uint32_t) v;
};
/* Which of a tile's queues a task is in. */
enum task_unit { QUEUE_GROUP, QUEUE_VU, QUEUE_TX, QUEUE_DMA, QUEUE_NONE };
enum task_kind {
#define TASK(name, inst, unit, work) TASK_##name,
#include "tasks.def"
#undef TASK
};
extern const struct task_kind_info {
    const char *name;
    enum isa_op op;
    enum task_unit unit;
    const char *work; /* for reports */
} task_kinds[];

struct task {
    uint8_t kind;
    bool demand; /* starts only when some task asks for it (load) */
    uint32_t tile;
    uint32_t queue; /* global number; NONE for a barrier */
    uint32_t node, cell;
    union {
        struct {
            uint32_t group;
        } mvm;
        struct {
            uint32_t group, contributor; /* index of the group's share in its block */
        } partial;
        struct {
            uint32_t contributor; /* which is added, from 1 on; the last runs the epilogue */
        } sum;
        struct {
            uint32_t class; /* of the node's deliveries */
        } send;
        struct {
            uint32_t buffer, part;
            uint32_t piece; /* number of the piece of the buffer's value */
        } load;
        struct {
            uint32_t output; /* index into the graph's stores */
        } store;
    };
    /* rows of the cells that it, and no earlier task of its group, waits for: per operand */
    struct rows awaits[2];
    uint32_t preds, n_preds; /* range of the graph's preds; an mvm's first is the mvm before it */
};

/* Inputs, and outputs that no tile makes, move in pieces: a row each, but more of them where one
 * has very many, and as many columns as one instruction covers. Pieces are numbered row by row. */
struct pieces {
    int32_t rows, columns; /* of a piece; the last ones may be smaller */
    uint32_t down, across; /* how many of them */
};
struct pieces pieces_of(const int32_t dim[3]);
struct box piece_box(const int32_t dim[3], uint32_t piece);

/* Memory of one tile that holds rows of one value. */
struct buffer {
    uint32_t tile;
    const struct ir_op *value; /* what readers see; NULL for partial sums */
    const struct ir_op *shows; /* the operation whose elements it holds (partial sums: the mvm) */
    struct box held;           /* in the coordinates of `value` */
    int32_t dim[3];            /* logical extent */
    enum element element;
    bool constant;
    bool state; /* what it shows is, but in the first frame, left by the frame before */
};
/* Numbers of parts of a buffer's value: those of the value; from STATE_PART on the graph's
 * state_parts, which are of what the next frame has there. */
enum { STATE_PART = 1 << 30 };
/* A buffer that cells are sent to, as part `part` of its value. Targets that want the same channels
 * of the node are one class: a message carries the channels of a cell that its class wants. */
struct target {
    uint32_t buffer, part, class;
};
struct send_class {
    int32_t lo, hi; /* channels of the node */
    bool state;     /* for the next frame */
    uint32_t *send; /* per cell: the task that sends it, or NONE */
    uint32_t *last; /* per cell: the last link of its targets, or NONE */
};
/* The targets of a message, ascending, are a ring of links: the last one's next is the first. */
struct target_link {
    uint32_t target, next;
};
/* How a node's cells come to those who read them. */
struct delivery {
    uint32_t *done; /* task that completes each cell */
    VEC(struct send_class) classes;
    VEC(struct target) targets; /* buffers on other tiles, or of aliases, that receive cells */
    VEC(struct target_link) links;
};
/* The reader of the buffer waits for the send of the frame before. */
struct carry {
    uint32_t reader, send, buffer;
};
/* What a group works on. */
struct group_work {
    uint32_t acc, source;   /* buffers: of its products, of the operand */
    uint32_t *mvm;          /* task of each set */
    struct axis_map map[3]; /* what its K slices see of the operand: fewer taps, channels */
};
/* At the home of a channel cell of a copy, for contributor k: where its share lands (k >= 1), and
 * the sum up to it (but for the last). */
struct partial_sums {
    uint32_t *landing, *sum; /* buffers */
};
/* One STORE, or LOAD + STORE pair for outputs that are inputs. */
struct output_store {
    const struct ir_op *output;
    struct box where; /* in the stored node's coordinates */
    int32_t shift[3]; /* output coordinates = where + shift */
    uint32_t buffer;
    bool state; /* the next frame continues it: only that of the last one is stored */
};

struct task_graph {
    VEC(struct task) tasks;
    VEC(uint32_t) preds;
    VEC(struct buffer) buffers;
    struct map buffer_of; /* (op id, tile) -> the value's buffer there */
    VEC(struct output_store) stores;
    VEC(struct part) state_parts;
    VEC(struct carry) carries; /* by reader */
    uint32_t n_nodes;
    struct delivery *delivery;   /* of each node */
    struct group_work *group;    /* of each group */
    struct partial_sums ***sums; /* layer, copy, channel cell */
    uint32_t *barrier; /* per layer: a task that has all its cells as predecessors, or NONE */
    uint32_t n_queues;
    uint32_t *queue_base; /* per tile: global number of its queue 0 */
};

struct plan;
/* The buffer of a value on a tile; there must be one. */
uint32_t graph_buffer(const struct task_graph *g, uint32_t tile, const struct ir_op *value);
/* The next target of the message with the class's channels of the cell; *link is NONE at first.
 * NULL: there are no more. */
static inline const struct target *next_target(const struct delivery *d, uint32_t class,
                                               uint32_t cell, uint32_t *link)
{
    uint32_t last = d->classes.at[class].last[cell];
    if (last == NONE || *link == last)
        return NULL;
    *link = d->links.at[*link == NONE ? last : *link].next;
    return &d->targets.at[d->links.at[*link].target];
}
/* The part of that number of what the buffer shows. */
const struct part *buffer_part(const struct plan *p, const struct task_graph *g, uint32_t buffer,
                               uint32_t part);
/* Its first predecessor, or NONE. */
static inline uint32_t first_pred(const struct task_graph *g, const struct task *t)
{
    return t->n_preds ? g->preds.at[t->preds] : NONE;
}

/* ---- work.c ---- */
/* The instruction that the task is printed as; `window`: room for what it points to. */
struct isa_outline task_outline(const struct plan *p, const struct tile_grid *grid,
                                const struct task *t, struct isa_window *window);
/* The amounts of work that the task's times come from; `grid`: where the plan's tiles stand. */
struct cost_work task_work(const struct plan *p, const struct tile_grid *grid,
                           const struct task *t);
/* All products of a layer on one copy, where they take longest: on its fullest PEs. */
struct cost_work layer_work(const struct plan *p, const struct layer *l);
static inline bool task_is_message(const struct task *t)
{
    return t->kind == TASK_send || t->kind == TASK_partial;
}

/* ---- access.c ---- */
/* One buffer that a task reads or writes; the box is in the coordinates of what the buffer shows.
 */
struct access {
    uint32_t buffer;
    struct box box;
    /* A write: those of the box. A read: from the first to the last row of the box and of the cells
     * waited for. Every cell that comes to a tile so lies in the rows of a task that waited for it,
     * and whoever knows that task to be over may write there. */
    struct rows rows;
    bool write, next; /* next: for the next frame */
    uint32_t part;    /* send, load: the part of the buffer's value that is written; else NONE */
};
struct accesses {
    VEC(struct access) v;
};
/* What the task touches, reads first (operand order), then writes. Clears `out` first. */
void task_accesses(const struct plan *p, const struct task *t, struct accesses *out);
/* The box of its node's value that the task computes or moves. */
struct box task_box(const struct plan *p, const struct task *t);
/* Does it add a partial sum to which more will be added? */
bool task_adds_on(const struct plan *p, const struct task *t);
/* Its vector program: the node's, with the addition of a partial sum in front where it adds one. */
void task_program(const struct plan *p, const struct task *t, struct lanes *out);

#endif
