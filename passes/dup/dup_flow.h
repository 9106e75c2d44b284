/*
 * dup_flow.h - the pipeline as pass dup sees it: when each value of a CROSSBAR graph is there, if
 * nothing but crossbars takes time. DUP.md states the model.
 *
 * Times are in products: one is `mvm_cycles` cycles of one copy.
 */
#ifndef CIMC_DUP_FLOW_H
#define CIMC_DUP_FLOW_H

#include "pass.h"

enum { FLOW_NO_ITEM = -1 };

/* What outputs read along one axis. */
struct flow_axis {
    enum { FLOW_WINDOW, FLOW_TABLE, FLOW_ALL } kind;
    int32_t kernel, stride, dilation, pad; /* WINDOW: o*stride + k*dilation - pad, k < kernel */
    const int64_t *table;                  /* TABLE: table[o]; -1 = nothing */
    int32_t extent;                        /* what falls outside the operand is not read */
};
struct flow_operand {
    uint32_t node;
    struct flow_axis axis[2];
};
/* A base layer, or a value derived from others in no time. */
struct flow_node {
    int32_t size[2]; /* rows, columns */
    uint32_t n_operands;
    struct flow_operand *operand;
    int64_t item;       /* index of the base layer's item, or FLOW_NO_ITEM */
    int64_t cut[2];     /* of a base layer: filled by flow_set_copies */
    uint32_t user_before; /* node: the item's user before this one; itself = none */
};
/* Cells of a node: rows x columns, and when each is done. */
struct flow_grid {
    uint32_t n[2];
    int32_t *at[2];       /* cell i = [at[i], at[i + 1]) */
    uint32_t *cell_of[2]; /* coordinate -> cell */
    int32_t *done;
};
struct flow {
    struct arena *arena;
    uint32_t n_nodes;
    struct flow_node *node; /* in list order: operands before users */
    int32_t set[2];         /* rows, columns of a set; 0 = whole extent */
    bool one_by_one;        /* layer by layer: a base layer starts when the one before is done */
    int32_t *scratch[2];
    uint32_t *range[2][2];
};

/* What reads `op`'s value i-th along rows and columns; the table over all operations. */
struct flow *flow_new(const struct ir_graph *g, const uint32_t *item_of_op, struct arena *a);

#endif
