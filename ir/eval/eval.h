/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval.h - the reference evaluator: what a graph means, computed the simple way, at any stage.
 * Serves constant folding, per-pass equivalence and the end-to-end check. Shares with sim/ only
 * gemm.c and, for lowered graphs, fmath.h.
 */
#ifndef CIMC_EVAL_H
#define CIMC_EVAL_H

#include "ir.h"

/* Dense row-major elements; owned by whoever holds the struct. Release with tensor_free. */
struct tensor {
    struct ir_type type;
    void *data;
    bool transposed; /* a matrix whose data is its transpose; only eval_matmul's B may be one */
};
struct tensor tensor_new(const struct ir_type *t); /* zeroed */
void tensor_free(struct tensor *t);
struct tensor tensor_copy(const struct tensor *t);

/* Computes one operation (not input/output) from its operand tensors; out->data is allocated here.
 * False with a diagnostic where the operation is not computable (never for a verified graph). */
bool eval_op(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
             struct diag *d) CHECK_RESULT;

enum { EVAL_FOLD_BYTES = 256 << 20 }; /* what a folded result may cost, of passes and at import */
/* Replaces an operation whose operands are all constants by a constant before it; returns the new
 * const op, or NULL if the op was left alone (not all constant, input/output, or result over
 * `max_bytes`, or one element that stands for more of an operand). Uses are moved; the old op is
 * removed. */
struct ir_op *eval_fold(struct ir_op *op, size_t max_bytes, struct diag *d);

struct eval_observer {
    /* Called after each operation with its result (valid during the call only). May be NULL. */
    void (*seen)(void *self, const struct ir_op *op, const struct tensor *value);
    /* Called with what the converters of an mvm are given, n sums of cells of a slice in units of
     * 2^-fraction_bits. May be NULL. */
    void (*converted)(void *self, const struct ir_op *mvm, unsigned slice, const int64_t *a,
                      int64_t n);
    void *self;
    bool all;                        /* operations that no output depends on are computed, too */
    const struct progress *progress; /* may be NULL */
};
/*
 * Runs a whole graph. inputs[k]/outputs[k] belong to index k of the input/output operations, in the
 * OUTSIDE tensor's shape and dtype (attributes; f32 for f16), at every stage; at CROSSBAR the
 * strides apply. outputs[k] are allocated here. Values are released after their last use. What no
 * output depends on is not computed, nor can it be in the way, unless the observer asks for `all`.
 */
bool eval_graph(const struct ir_graph *g, const struct tensor *inputs, size_t n_inputs,
                struct tensor *outputs, size_t n_outputs, const struct eval_observer *observer,
                struct diag *d) CHECK_RESULT;

#endif
