/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col.h - views: how a logical tensor of the graph before lowering lies in a (h, w, c) value.
 *
 * A view names a base and lists, dimension by dimension of the logical tensor in row-major order,
 * `atoms`: (size, stride) pairs, outermost first, whose sizes multiply to the dimension. Element i
 * of the tensor, written as digits in the atoms' mixed radix, is element offset + sum digit*stride
 * of the base. The base is a crossbar value counted in (h, w, c) order, and then a view is a
 * permutation of it, or the tensor outside of a model input, and then it may also leave elements
 * out. Reshape and transpose only rewrite the atoms; nothing moves until an operation needs its
 * operand laid out in a certain way.
 */
#ifndef CIMC_IM2COL_H
#define CIMC_IM2COL_H

#include "passes_internal.h"

enum { MAX_ATOMS = 20 };
struct atom {
    int64_t size, stride; /* size > 1 */
};
struct atoms {
    uint32_t n;
    struct atom at[MAX_ATOMS];
};
struct view {
    struct ir_type type;       /* of the logical tensor */
    struct ir_value *base;     /* NULL: the tensor outside of `input` */
    const struct ir_op *input; /* the old operation */
    int64_t offset;            /* 0 unless the base is an input's */
    struct atoms atoms;
};

/* The axis (0, 1, 2 = h, w, c) that each logical dimension lies on; -1 = none, for a dimension
 * of 1. Dimensions on one axis nest in their order. */
struct layout {
    int8_t axis[IR_MAX_RANK];
};

enum { INPUT_BUCKETS = 1024 };
/* One `input` operation made so far. */
struct made_input {
    struct made_input *next; /* of the same bucket */
    struct ir_value *value;
    int64_t extent[3], strides[3], offset;
};
/* One weight matrix made from an old constant, for the case that it is asked for again. */
struct made_weights;

/* Of what is longer than one instruction covers: each is an operation of its own, so that more
 * would take all the views of a tile. Enough for all columns, and 266,175 rows. */
enum { MOST_PARTS = 65 };

struct lowering {
    struct ir_graph *g;
    struct pass_ctx *ctx;
    const struct ir_op *op;        /* being lowered */
    struct view **views;           /* by id of the old operation */
    struct made_input **inputs;    /* INPUT_BUCKETS lists, by hash of what is asked for */
    bool *is_read;                 /* by id of an old `input`: it has a new one */
    struct made_weights **weights; /* by id of the old constant */
    uint64_t n_rearrangements;
};

/* ---- im2col_view.c ---- */

/* Joins neighbours that step through the base as one. */
void atoms_merge(struct atoms *a);
/* The atoms of dimensions dim[0..n) one after another; first[d] = index of d's first, first[n] =
 * the number. False if the atoms do not divide that way. first may be NULL. */
bool atoms_split(const struct atoms *a, const int64_t *dim, uint32_t n, struct atoms *out,
                 uint32_t *first);
bool atoms_equal(const struct atoms *a, const struct atoms *b);
void atoms_append(struct atoms *to, const struct atom *from, uint32_t n);
/* Elements of each axis between neighbours, in (h, w, c) order. */
void axis_strides(const int64_t dim[3], int64_t out[3]);

/* The view of a tensor that a base holds in a layout. */
struct view view_of_layout(struct ir_value *base, const struct ir_type *t, const struct layout *l);
/* The view of a whole input's outside tensor. */
struct view view_of_input(const struct ir_op *input);
/* The atoms of each dimension, as atoms_split: they divide that way by construction. */
void view_split(const struct view *v, struct atoms *out, uint32_t first[IR_MAX_RANK + 1]);
bool view_reshape(struct view *v, const struct ir_type *to); /* false: not expressible */
void view_raise(struct view *v, uint32_t rank);              /* ones in front; always expressible */
void view_transpose(struct view *v, const struct ir_type *to, const int64_t *perm);
void view_swap_last(struct view *v); /* the last two dimensions */
/* Only of an input; false if the result could not be shown by an `input` operation. */
bool view_slice(struct view *v, const struct ir_type *to, const int64_t *start,
                const int64_t *step);

/* A dimension that is one digit of an axis of the base: position on the axis = (outer digit * size
 * + this digit) * inner + inner digit. */
struct digit {
    int axis;
    int64_t outer, size, inner;
};
bool view_digit(const struct view *v, uint32_t dim, struct digit *out);
/* The view where `count` values of that digit were picked; its base is still to be made. */
void view_pick(struct view *v, uint32_t dim, const struct digit *g, int64_t count);

/* Where reducing dimensions means reducing whole axes of the base: those axes, and the view of type
 * `to` of the base that has 1 there and is still to be made. */
bool view_reduce(const struct view *v, const bool reduced[IR_MAX_RANK], const struct ir_type *to,
                 bool on_axis[3], struct view *out);

/* [1,C,H,W] -> (H,W,C), rank 3 -> (0,1,2), [T,C] -> (1,T,C), rank <= 1 -> (1,1,n); false for a
 * batch. */
bool layout_canonical(const struct ir_type *t, struct layout *out);
/* The layout the base already has, if each dimension > 1 is exactly one axis of it. */
bool layout_of_view(const struct view *v, struct layout *out);
/* Dimension `axis` alone on one axis, those before and those after it on the other two:
 * (before, after, axis) with axis_on = 2, (before, axis, after) with 1. */
struct layout layout_around(const struct ir_type *t, uint32_t axis, int axis_on);
/* Everything on c, in row-major order. */
struct layout layout_flat(const struct ir_type *t);
/* Gives dimension d an axis that no other dimension is on, if it has none; false if all are taken.
 */
bool layout_add(struct layout *l, const struct ir_type *t, uint32_t d);
void layout_dims(const struct layout *l, const struct ir_type *t, int64_t out[3]);

/* ---- im2col_move.c ---- */

/* A value that holds the view's tensor in this layout; emits what is needed to get there. */
struct ir_value *view_materialise(struct lowering *lo, struct view *v, const struct layout *l);
/* `count` elements of x along an axis. */
struct ir_value *emit_run(struct lowering *lo, struct ir_value *x, int axis, int64_t start,
                          int64_t count, const char *name);
/* Gives a view of an input a base of its own, in some layout. */
void view_ground(struct lowering *lo, struct view *v);
struct pass_place lowering_place(const struct lowering *lo);
/* How much of an axis of a value one instruction covers. */
int64_t lowering_covers(int axis);

/* ---- im2col_base.c ---- */

bool lower_conv(struct lowering *lo, const struct ir_op *op, struct view *out);
bool lower_matmul(struct lowering *lo, const struct ir_op *op, struct view *out);
/* mvm that name one weights object but hold different matrices get crossbars of their own; how
 * many. */
uint64_t unshare_weights(struct ir_graph *g);

/* ---- im2col_dot.c ---- */

/* A matmul of two values of run time, or by a constant of several matrices. */
bool lower_dot(struct lowering *lo, const struct ir_op *op, struct view *out);

/* ---- im2col.c ---- */

/* The view of an old value; a copy, so that the caller may change it. */
struct view lowered_view(struct lowering *lo, const struct ir_value *old);
/* The base of a view, in whatever layout it has. */
struct ir_value *view_base(struct lowering *lo, struct view *v);
/* The operation at hand, with its name, on new operands with these attributes. */
struct ir_value *lower_same(struct lowering *lo, const union ir_attrs *attrs,
                            struct ir_value *const *in, uint32_t n_in);
/* Reports that the operation at hand cannot be laid out; false. */
bool lower_error(struct lowering *lo, const char *why);

/* ---- im2col_elementwise.c ---- */

bool same_dimensions(const struct ir_type *a, const struct ir_type *b);
/* A runtime value of these dimensions that lies one dimension an axis. */
bool runtime_layout(const struct view *v, const struct ir_type *t, struct layout *out);
bool lower_unary(struct lowering *lo, const struct ir_op *op, struct view *out);
bool lower_binary(struct lowering *lo, const struct ir_op *op, struct view *out);
bool lower_where(struct lowering *lo, const struct ir_op *op, struct view *out);
bool lower_table(struct lowering *lo, const struct ir_op *op, struct view *out);
/* quantize, dequantize, requantize */
bool lower_quantised(struct lowering *lo, const struct ir_op *op, struct view *out);

/* ---- im2col_axes.c ---- */

bool lower_slice(struct lowering *lo, const struct ir_op *op, struct view *out);
bool lower_pad(struct lowering *lo, const struct ir_op *op, struct view *out);
bool lower_gather_grid(struct lowering *lo, const struct ir_op *op, struct view *out);

/* ---- im2col_take.c ---- */

bool lower_take(struct lowering *lo, const struct ir_op *op, struct view *out);

/* ---- im2col_concat.c ---- */

/* Crossbar values side by side along an axis; some, not all, may be constants. */
struct ir_value *emit_concat(struct lowering *lo, struct ir_value *const *in, uint32_t n,
                             uint32_t axis);

#endif
