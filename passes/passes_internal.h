/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * passes_internal.h - what the passes share: making operations and constants, reading f32
 * constants.
 *
 * Passes rewrite verified graphs, so a new operation that does not fit its operands is our mistake:
 * these helpers BUG() instead of returning NULL.
 */
#ifndef CIMC_PASSES_INTERNAL_H
#define CIMC_PASSES_INTERNAL_H

#include "pass.h"

#include <string.h>

/* Of one value; what is larger has no place on a chip and would exhaust memory. */
#define PASS_MOST_ELEMENTS ((int64_t)1 << 28)

/* Where new operations go, and the node they are blamed on. */
struct pass_place {
    struct ir_graph *g;
    struct ir_op *before; /* NULL = at the end */
    struct loc loc;
};
/* Before `op`, with its location. */
struct pass_place pass_before(struct ir_op *op);

struct ir_value *pass_emit(const struct pass_place *at, const struct ir_new *desc);
/* Without a name; `attrs` may be NULL. */
struct ir_value *pass_emit1(const struct pass_place *at, enum ir_opcode opcode,
                            const union ir_attrs *attrs, struct ir_value *a);
struct ir_value *pass_emit2(const struct pass_place *at, enum ir_opcode opcode,
                            const union ir_attrs *attrs, struct ir_value *a, struct ir_value *b);
/* A TENSOR or CANONICAL reshape. */
struct ir_value *pass_reshape(const struct pass_place *at, struct ir_value *a,
                              const struct ir_type *to);
struct ir_value *pass_transpose(const struct pass_place *at, struct ir_value *a,
                                const int64_t *perm);
/* f32 constant; `data` is from heap_alloc and taken over. */
struct ir_value *pass_const(const struct pass_place *at, uint32_t rank, const int64_t *dims,
                            float *data);
struct ir_value *pass_const_splat(const struct pass_place *at, uint32_t rank, const int64_t *dims,
                                  float x);
/* f32, of this payload; takes over the reference. */
struct ir_value *pass_const_of(const struct pass_place *at, uint32_t rank, const int64_t *dims,
                               struct blob *b);
/* Of any type. */
struct ir_value *pass_constant(const struct pass_place *at, struct ir_type type, struct blob *b);
/* The elements of `old` along these axes of it, as another constant. */
struct ir_value *pass_const_permuted(const struct pass_place *at, const struct ir_op *old,
                                     uint32_t rank, const int64_t *dims,
                                     const struct blob_axis *axes, uint32_t n_axes);
/* The same payload under another shape. */
struct ir_value *pass_const_as(const struct pass_place *at, const struct ir_op *constant,
                               uint32_t rank, const int64_t *dims);

/* Moves the uses of `old` to `with` and removes it. */
void pass_replace(struct ir_op *old, struct ir_value *with);
/* Puts input number `index` in the place of an operation. False: an input has no such type. */
bool pass_lose(struct ir_op *op, int64_t index);
/* A hard_sigmoid becomes clip(x * alpha + beta, 0, 1): the product. */
struct ir_op *pass_expand_hard_sigmoid(struct ir_op *op);
/* Removes `v`'s operation if nothing uses it; then its operands' likewise. */
void pass_remove_unused(struct ir_value *v);

/* Elements of an f32 constant, at any alignment and splat or not. */
struct pass_floats {
    const unsigned char *at;
    size_t step; /* bytes; 0 for a splat */
};
struct pass_floats pass_floats(const struct ir_op *constant);
static inline float pass_float(const struct pass_floats *f, int64_t i)
{
    float x;
    memcpy(&x, f->at + (size_t)i * f->step, sizeof x);
    return x;
}

/* ---- pass_images.c ---- */

struct eval_observer;
/* Evaluates the graph on one image, watched; nothing is kept of its outputs. False with a
 * diagnostic. */
bool pass_run_image(const struct ir_graph *g, const struct pass_calibration *c, size_t image,
                    const struct eval_observer *observer, struct diag *d) CHECK_RESULT;
/* On all calibration tensors of the context; `what` is told to its progress. */
bool pass_run_images(const struct ir_graph *g, struct pass_ctx *ctx, const char *what,
                     const struct eval_observer *observer) CHECK_RESULT;

/* 1/x is exact and normal. */
bool pass_is_power_of_two(float x);

/* Does `k`, broadcast against a value of type t, vary along dimension `channel` at most? */
bool pass_is_per_channel(const struct ir_type *k, const struct ir_type *t, uint32_t channel);

/* The f32 constant that defines `v`, or NULL. */
const struct ir_op *pass_f32_constant(const struct ir_value *v);
/* The f32 constant that is `v` or whose two dimensions `v` swaps: transposing a matrix can wait
 * until the crossbars' order is made, so that no copy of it is needed in between. NULL if there is
 * none. */
const struct ir_op *pass_matrix_constant(const struct ir_value *v, bool *out_transposed);
/* Constants but for moves and, in mode int, their dequantize: what a base layer can hold. */
bool pass_is_weights(const struct ir_value *v);
/* Can pass int make of the operation what a machine computes: are its types those of run time? */
bool pass_has_form(const struct ir_op *op);
#define PASS_NO_FORM "of a type that exists at compile time only"
/* x is an elementwise operation of one runtime value and one f32 constant: which operand is it? */
bool pass_constant_operand(const struct ir_op *x, uint32_t *out_index);
/* ---- quant/mode.c ---- */
/* Settles ctx->mode if it is AUTO; false with a diagnostic where integers are asked for and the
 * graph has none. */
bool pass_settle_mode(struct ir_graph *g, struct pass_ctx *ctx) CHECK_RESULT;

bool pass_has_trait(const struct ir_op *op, unsigned trait);
/* "'conv1' (conv)": an operation in an error message. */
const char *pass_op_text(const struct ir_op *op, struct arena *a);

#endif
