/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* eval_internal.h - what the kernel families share. */
#ifndef CIMC_EVAL_INTERNAL_H
#define CIMC_EVAL_INTERNAL_H

#include "eval.h"

/* One kernel an operation: operands as in the graph, out->data is allocated and zero. */
typedef bool eval_kernel(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                         struct diag *d);
#define OP(name, min_in, max_in, n_out, stages, traits) eval_kernel eval_##name;
#define ATTR(op, kind, field)
#define END(op)
#include "ops.def"
#undef OP
#undef ATTR
#undef END

/* ---- tensors ---- */
static inline float *tensor_f32(const struct tensor *t)
{
    return t->data;
}
/* f16, f32, f64 */
static inline bool dtype_is_float(uint8_t dtype)
{
    return dtype == IR_F32 || dtype == IR_F16 || dtype == IR_F64;
}
/* Element i as the widest type of its class. Loads of the other class convert (float to integer
 * saturates, NaN is 0); stores of integers wrap to the element type, stores of floats saturate. */
double tensor_load_f64(const struct tensor *t, int64_t i);
int64_t tensor_load_i64(const struct tensor *t, int64_t i);
void tensor_store_f64(struct tensor *t, int64_t i, double x);
void tensor_store_i64(struct tensor *t, int64_t i, int64_t x);
/* Row-major distances between elements. */
void dense_strides(const struct ir_type *t, int64_t stride[IR_MAX_RANK]);

/* a * b * c bytes are allowed for one value; more is a damaged model rather than a network. */
bool value_fits(int64_t a, int64_t b, int64_t c);
/* Is the type's value within that limit? */
bool type_fits(const struct ir_type *t);
/* The elements of a constant: data may point into its blob (*owned false) or be expanded. */
struct tensor constant_tensor(const struct ir_op *constant, bool *owned);
/* Is the graph what the machine computes, functions of f32 (base/fmath.h) included? */
static inline bool by_machine(const struct ir_op *op)
{
    return op->graph->stage == IR_INTEGER || op->graph->stage == IR_CROSSBAR;
}
/* All operands and the result are f32; says so if not. */
bool want_f32(const struct ir_op *op, const struct tensor *const *in, struct diag *d) CHECK_RESULT;

/* ---- broadcasting ---- */
enum { BROADCAST_OPERANDS = 3 };
/* The result's elements as rows: in row r, operand k starts at `at[k]` and steps by step[k] (0 or
 * 1). */
struct broadcast_row {
    int64_t n, out_at;
    int64_t at[BROADCAST_OPERANDS], step[BROADCAST_OPERANDS];
};
/* Calls row() for all rows. Neighbouring dimensions are joined where every operand allows it: equal
 * shapes are one row, an NCHW per-channel constant is a row with step 0 for each plane. */
void broadcast_rows(const struct ir_type *out, const struct tensor *const *in, unsigned n_in,
                    void (*row)(void *self, const struct broadcast_row *r), void *self);

/* ---- separable copies ---- */
/* out[i0, i1, ...] = x[offset[0][i0] + offset[1][i1] + ...]; a negative offset gives the fill. */
struct grid {
    unsigned rank;
    int64_t dim[IR_MAX_RANK];
    int64_t *offset[IR_MAX_RANK];
};
/* Tables for a result of this shape, zero; release with grid_free. */
struct grid grid_new(unsigned rank, const int64_t *dim);
void grid_free(struct grid *g);
/* offset[k][i] = i * stride */
void grid_linear(struct grid *g, unsigned k, int64_t stride);
/* `fill` is one element. */
void grid_copy(const struct grid *g, size_t elem_bytes, const void *x, const void *fill, void *out);

/* ---- base layers ---- */
/* Sizes and window of a base layer over (h, w, c), as mvm has them. */
struct layer {
    int64_t h, w, c, oh, ow, n, group;
    const int64_t *kernel, *stride, *dilation;
};
/* One tap for `pixels` output pixels that lie side by side: where its first input pixel, its rows
 * of the matrix and the first output pixel begin; `step` elements are between input pixels. c, n
 * are of one group. */
struct layer_tap {
    int64_t x, w, out, pixels, step, c, n;
};
/* Calls add() until each tap of each output pixel was there once. */
void layer_taps(const struct layer *l, void (*add)(void *self, const struct layer_tap *t),
                void *self);
/* u8 (h,w,c) by i8 [K,N]; center [N] may be NULL; out is zero before. */
struct integers {
    const uint8_t *x;
    const int8_t *w;
    const int32_t *center;
    int32_t *out;
};
bool integer_layer(const struct ir_op *op, const struct layer *l, const struct integers *v,
                   struct diag *d) CHECK_RESULT;
/* The same of a machine with read-out attributes. `observer` may be NULL. */
bool readout_layer(const struct ir_op *mvm, const struct layer *l, const struct integers *v,
                   const struct eval_observer *observer, struct diag *d) CHECK_RESULT;
/* eval_op, watched: `observer` may be NULL. */
bool eval_op_observed(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                      const struct eval_observer *observer, struct diag *d) CHECK_RESULT;
bool eval_mvm_observed(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                       const struct eval_observer *observer, struct diag *d) CHECK_RESULT;
eval_kernel integer_conv, integer_matmul;

/* Height, width and what surrounds them, at either layout: [outer][h][w][inner]. */
struct image {
    int64_t outer, h, w, inner;
};
/* CROSSBAR: (h,w,c) = [1][h][w][c]; else [N,C,H,W] = [N*C][h][w][1]. */
struct image image_of(const struct ir_op *op, const struct ir_type *t);

#endif
