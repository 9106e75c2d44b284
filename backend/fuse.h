/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fuse.h - between nodes.c, which goes through the operations in order, and fuse.c, which makes the
 * nodes of elementwise ones.
 */
#ifndef CIMC_FUSE_H
#define CIMC_FUSE_H

#include "nodes.h"

struct builder {
    struct node_list list;
    VEC(struct node) nodes; /* out = NULL: part of another by now */
    VEC(uint32_t) into;     /* of which: node_now() */
    uint32_t *made_in;      /* op id -> node that computed it at first, or NONE */
    struct arena *arena;
    struct diag *diag;
};

struct node node_of(enum node_kind kind, const struct ir_op *op);
struct node *add_node(struct builder *b, struct node n);
/* What operation `op` reads as its operand i becomes the node's next. */
void add_operand(struct node *n, const struct ir_op *op, unsigned i);

/* Makes an operation that has lanes (lanes_runtime) a node, or part of some. */
void add_elementwise(struct builder *b, const struct ir_op *op);

#endif
