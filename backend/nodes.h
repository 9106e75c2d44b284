/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * nodes.h - the list of nodes: what is stored, what is fused, what is only an address map. It
 * follows from the graph alone, not from machine, copies or options. nodes.c makes it.
 */
#ifndef CIMC_NODES_H
#define CIMC_NODES_H

#include "box.h"
#include "lanes.h"
#include "need.h"

enum node_kind {
#define NODE(name, task) NODE_##name,
#include "nodes.def"
#undef NODE
};

/* Operand of a node: a value as it is read (an alias or a stored one). */
struct operand {
    const struct ir_op *value;
    struct axis_map map[3];
    float pad_value; /* NODE_mvm: what a window reads outside the value */
};
struct node {
    enum node_kind kind;
    const struct ir_op *root; /* the operation that starts the node */
    const struct ir_op *out;  /* the operation whose value is stored; fused operations in between */
    int32_t dim[3];           /* of the stored value */
    unsigned n_operands;
    struct operand operand[2];
    struct lanes lanes; /* of what is fused */
};
/* A value as a reader sees it is made of parts of stored nodes: element e of the value, inside
 * `where`, is element e - shift of the node. */
struct part {
    uint32_t node;
    struct box where;
    int32_t shift[3];
};
struct value_parts {
    uint32_t n;
    struct part *part;
};

/* A value's place among those that are made again and again (families.c). */
struct member {
    uint32_t family, number; /* NONE: it is in no family */
};

struct node_list {
    const struct ir_graph *graph;
    uint32_t n_ops, n;
    const struct ir_op **ops;  /* by id */
    uint32_t *node_of;         /* op id -> node whose stored value it is, or NONE */
    struct value_parts *parts; /* op id -> parts (aliases and stored values that are read) */
    struct node *at;
    struct member *family; /* op id -> of its value */
};
/* In `a`; NULL with a diagnostic (CAPACITY, LOWER). The graph must stay as it is but for what says
 * how base layers are placed: patches, copies and cuts. */
const struct node_list *plan_nodes(const struct ir_graph *g, struct arena *a,
                                   struct diag *d) CHECK_RESULT;

/* Is its value made on tiles? Else it is an input or a constant. */
static inline bool node_is_made(const struct node *n)
{
    return n->kind != NODE_input && n->kind != NODE_constant;
}
static inline const struct value_parts *parts_of(const struct node_list *l,
                                                 const struct ir_op *value)
{
    return &l->parts[value->id];
}
/* families.c, called by plan_nodes: fills l->family, in `a`. */
void find_families(struct node_list *l, struct arena *a);
/* Of a base layer: do its products and its source lie in rows of stacks (memory.h)? */
bool node_is_stacked(const struct node_list *l, const struct node *n);
/* Of two base layers with the same weights: do they differ only in which rows of stacks they read
 * and write, and that by the same distance? */
bool nodes_share_group(const struct node_list *l, const struct node *a, const struct node *b);
/* The window of a pooling or overlap-add. */
struct isa_window node_window(const struct node *n);
/* What outputs `out` read of an operand, as a box of the operand's coordinates. */
struct box read_box(const struct axis_map map[3], const struct box *out);
/* The elements of an operation's value in buffers and images; those of an input or output in DRAM.
 */
static inline enum element value_element(const struct ir_op *op)
{
    return ir_dtype_element((enum ir_dtype)op->out->type.dtype);
}
enum element port_element(const struct ir_op *port);
/* A value that an attribute of a float tells (a fill, a padding), as the bits of an element. */
static inline uint32_t element_bits(float value, enum element element)
{
    return element == ELEMENT_f32 ? f32_bits(value) : (uint32_t)(int32_t)value;
}
/* Its name, or "(add)" where it has none; in `a`. */
const char *op_title(const struct ir_op *op, struct arena *a);

#endif
