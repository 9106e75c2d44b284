/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_node.h - what import functions work with: operands, attributes, new operations, results.
 *
 * Every value may be NULL, meaning that an error was reported; functions given a NULL do nothing
 * and return NULL or false.
 */
#ifndef CIMC_ONNX_NODE_H
#define CIMC_ONNX_NODE_H

#include "onnx_importer.h"

bool onnx_error(struct onnx_node *n, const char *fmt, ...) PRINTF_LIKE(2, 3); /* DIAG_ONNX_ATTR */

/* The value of a symbol, an initializer made a constant now; NULL if it has none. `asking` is the
 * place of an error. */
struct ir_value *onnx_graph_value(struct onnx_importer *im, struct onnx_symbol *s,
                                  struct loc asking);
bool onnx_has_in(const struct onnx_node *n, size_t i);
struct ir_value *onnx_in(struct onnx_node *n, size_t i);
/* Operands 0 and 1 of an operator that broadcasts, so that numpy's rule means what the opset's
 * does. */
bool onnx_pair(struct onnx_node *n, struct ir_value *in[2]) CHECK_RESULT;
bool onnx_is_const(const struct ir_value *v);
/* v, or the constant that it will be if it is a dequantised one; NULL stays that. */
struct ir_value *onnx_known(struct onnx_node *n, struct ir_value *v);
/* A constant operand of integers, of rank 0 or 1. */
bool onnx_const_ints(struct onnx_node *n, size_t i, struct ir_ints *out) CHECK_RESULT;
/* A constant operand with exactly one element, of any type of numbers, which f32 holds unless
 * it is a float itself; or a list of floats. */
bool onnx_const_f32(struct onnx_node *n, size_t i, float *out) CHECK_RESULT;
bool onnx_const_f32s(struct onnx_node *n, size_t i, const float **out, size_t *n_out) CHECK_RESULT;

/* Attributes; a missing one gives the default. A wrong type sets n->failed. */
bool onnx_has_attr(struct onnx_node *n, const char *name);
int64_t onnx_attr_i64(struct onnx_node *n, const char *name, int64_t otherwise);
float onnx_attr_f32(struct onnx_node *n, const char *name, float otherwise);
const char *onnx_attr_str(struct onnx_node *n, const char *name, const char *otherwise);
/* The place of the attribute's value in a set of choices.def, 0 where it is missing. False with an
 * error if the set has no such choice at the model's opset. */
bool onnx_attr_choice(struct onnx_node *n, const char *name, enum onnx_choices set,
                      unsigned *out) CHECK_RESULT;
struct ir_ints onnx_attr_ints(struct onnx_node *n, const char *name);
const float *onnx_attr_f32s(struct onnx_node *n, const char *name, size_t *n_out);
const char *const *onnx_attr_strs(struct onnx_node *n, const char *name, size_t *n_out);
const Onnx__TensorProto *onnx_attr_tensor(struct onnx_node *n, const char *name);
/* An integer, a float, or a tensor of one number. */
double onnx_attr_number(struct onnx_node *n, const char *name, double otherwise);
void onnx_ignore_attr(struct onnx_node *n, const char *name);
/* Reports attributes nobody asked for, as a warning. */
void onnx_warn_unread(struct onnx_node *n);

/* 0 <= axis < rank after counting negative ones from the end. */
bool onnx_axis(struct onnx_node *n, int64_t axis, int64_t rank, int64_t *out) CHECK_RESULT;
/* Axes that may be negative -> a flag for each dimension; refuses repeated ones. */
bool onnx_axes(struct onnx_node *n, struct ir_ints axes, int64_t rank,
               bool flags[IR_MAX_RANK]) CHECK_RESULT;

/* Makes an operation and folds it where it can be. The base operation carries the node's name, or
 * what onnx_emit makes; if there is neither, the operation that yields the first result does. */
struct ir_value *onnx_emit(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                           struct ir_value *const *in, uint32_t n_in);
struct ir_value *onnx_emit_helper(struct onnx_node *n, enum ir_opcode opcode,
                                  const union ir_attrs *attrs, struct ir_value *const *in,
                                  uint32_t n_in);
struct ir_value *onnx_emit1(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                            struct ir_value *x);
struct ir_value *onnx_emit2(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                            struct ir_value *a, struct ir_value *b);
/* One and two operands, without a name. */
struct ir_value *onnx_helper1(struct onnx_node *n, enum ir_opcode opcode,
                              const union ir_attrs *attrs, struct ir_value *x);
struct ir_value *onnx_helper2(struct onnx_node *n, enum ir_opcode opcode, struct ir_value *a,
                              struct ir_value *b);
/* Does numpy's rule make `from` into a tensor of exactly the dimensions of `to`? */
bool onnx_broadcasts_to(const struct ir_type *from, const struct ir_type *to);
/* And along which dimension of `to` does it vary? -1: none. False too if along several. */
bool onnx_varying_axis(const struct ir_type *from, const struct ir_type *to,
                       int64_t *out) CHECK_RESULT;
/* A constant of this node; takes over the blob. */
struct ir_value *onnx_const(struct onnx_node *n, struct ir_type type, struct blob *b);
struct ir_value *onnx_scalar(struct onnx_node *n, float x);
/* Of each element of the constant x what `of` makes of it. */
struct ir_value *onnx_const_i8(struct onnx_node *n, const struct ir_value *x, int8_t (*of)(double));
struct ir_value *onnx_const_i32(struct onnx_node *n, const struct ir_value *x,
                                int32_t (*of)(double x, int parameter), int parameter);
struct ir_value *onnx_ints_const(struct onnx_node *n, const int64_t *at, uint32_t count);
/* Helpers without a name that give x itself where there is nothing to do. */
struct ir_value *onnx_reshape(struct onnx_node *n, struct ir_value *x, const int64_t *dims,
                              uint32_t rank, bool named);
struct ir_value *onnx_transpose(struct onnx_node *n, struct ir_value *x, const int64_t *perm,
                                bool named);
/* start, step, count for each dimension of x. */
struct ir_value *onnx_slice(struct onnx_node *n, struct ir_value *x, const int64_t *start,
                            const int64_t *step, const int64_t *count, bool named);
/* `count` of x along one dimension, from `start` on. */
struct ir_value *onnx_run(struct onnx_node *n, struct ir_value *x, int64_t axis, int64_t start,
                          int64_t count);

/* x with one more dimension, of 1, at `axis`; x without its dimension `axis`, which is 1. */
struct ir_value *onnx_with_axis(struct onnx_node *n, struct ir_value *x, int64_t axis);
struct ir_value *onnx_without_axis(struct onnx_node *n, struct ir_value *x, int64_t axis);
/* Any number of values along `axis`; one alone is itself. */
struct ir_value *onnx_concat(struct onnx_node *n, struct ir_value *const *in, size_t n_in,
                             int64_t axis, bool named);

/* Of a dimension that an index list picks: lists are spelled out, and no sensible one is longer. */
enum { ONNX_MOST_PICKED = 1 << 20 };
/* Room for the list of dimension `axis`; NULL, reported, where it would be too long. */
int64_t *onnx_pick_list(struct onnx_node *n, int64_t axis, int64_t count);
/* gather_grid: x with dimension `axis` picked by a list of counts[axis] entries, the others as they
 * are; or with lists of all dimensions, one after another. An index of -1 gives `value`. */
struct ir_value *onnx_grid(struct onnx_node *n, struct ir_value *x, const int64_t *counts,
                           int64_t axis, const int64_t *list, float value);
struct ir_value *onnx_grid_lists(struct onnx_node *n, struct ir_value *x, const int64_t *counts,
                                 const struct ir_ints *index, float value);

/* ---- import_gather.c ---- */

/* Operand i, integers. */
struct ir_value *onnx_indices(struct onnx_node *n, size_t i);
/* Each element of the constant lies in a dimension of `dim`, or so counted from its end. */
bool onnx_indices_fit(struct onnx_node *n, const struct ir_value *index, int64_t dim) CHECK_RESULT;
/* As they are counted from the start, where negative ones are counted from the end. */
struct ir_value *onnx_from_start(struct onnx_node *n, struct ir_value *index, int64_t dim);
/* Of index tuples [.., depth]: row-major positions [.., 1] in dimensions of dims[0 .. depth). */
struct ir_value *onnx_positions(struct onnx_node *n, struct ir_value *index, const int64_t *dims,
                                int64_t depth);
/* x where along `axis` the indices say, which have x's rank; other dimensions of either may be 1.
 */
struct ir_value *onnx_take(struct onnx_node *n, struct ir_value *x, struct ir_value *index,
                           int64_t axis);
/* As the operator Gather. */
struct ir_value *onnx_gather(struct onnx_node *n, struct ir_value *x, struct ir_value *index,
                             int64_t axis);
/* first, first + step, ... along one dimension, the others 1; f32 or i32. */
struct ir_value *onnx_steps(struct onnx_node *n, enum ir_dtype dtype, uint32_t rank, int64_t axis,
                            int64_t count, int64_t first, int64_t step);
struct ir_value *onnx_whole(struct onnx_node *n, int64_t x); /* an i32 */
/* ---- import_logic.c ---- */

struct ir_value *onnx_is_nan(struct onnx_node *n, struct ir_value *x);

/* ---- import_arg.c ---- */

/* Which element of x, f32 or i32, is the greatest along the axis: f32, the dimension kept as 1; of
 * equal ones the first, or the last. `open`: 1 where an element may be chosen, or NULL. */
struct ir_value *onnx_greatest(struct onnx_node *n, struct ir_value *x, struct ir_value *open,
                               int64_t axis, bool last);

/* Gives output k its value. False if the value is NULL. */
bool onnx_set_out(struct onnx_node *n, size_t k, struct ir_value *v);
/* Output 0 is int32, and v the same integers as floats; who wants int32 gets it by a quantize. */
bool onnx_set_exact(struct onnx_node *n, struct ir_value *v);
/* Is operand i such a result? */
bool onnx_is_exact(const struct onnx_node *n, size_t i);
/* Does anything read output k? */
bool onnx_out_used(const struct onnx_node *n, size_t k);
/* A number for the value that operand i names; 0 for none. */
size_t onnx_operand_number(const struct onnx_node *n, size_t i);
/* Remembers that base operation v takes its weights from operand i, if those are constant. Uses of
 * one initializer with another `variant` hold another matrix. */
void onnx_note_weights(struct onnx_node *n, struct ir_value *v, size_t i, const char *variant);

/* ---- import_quantize.c ---- */

/* How integers stand for real numbers: operands of `quantize` and `dequantize`. */
struct onnx_params {
    struct ir_value *scale, *zero; /* [], or one for each element of dimension `axis`; NULL: 0 */
    int64_t axis;
};
/* For a tensor of x's dimensions; from values, or from the operands with these numbers, of which
 * the zero point may be absent. */
bool onnx_make_params(struct onnx_node *n, struct ir_value *scale, struct ir_value *zero,
                      const struct ir_type *x, int64_t axis, struct onnx_params *out) CHECK_RESULT;
bool onnx_read_params(struct onnx_node *n, size_t scale, size_t zero, const struct ir_type *x,
                      int64_t axis, struct onnx_params *out) CHECK_RESULT;
struct ir_value *onnx_quantize(struct onnx_node *n, struct ir_value *x, const struct onnx_params *p,
                               const struct onnx_integers *to);
struct ir_value *onnx_dequantize(struct onnx_node *n, struct ir_value *x,
                                 const struct onnx_params *p);
/* Integers as floats of the same value, and the reverse: i32 of at most 2^30 to either side. */
struct ir_value *onnx_as_float(struct onnx_node *n, struct ir_value *x);
struct ir_value *onnx_as_i32(struct onnx_node *n, struct ir_value *x);
/* Operand i as floats; i + 1 and i + 2 are its scale and zero point. */
struct ir_value *onnx_dequantized(struct onnx_node *n, size_t i, int64_t axis);
/* v as integers is result 0; operands i and i + 1 are its scale and zero point. */
bool onnx_set_quantized(struct onnx_node *n, struct ir_value *v, size_t i, int64_t axis);
/* v, steps of 1, rounded to integers is result 0; operand `zero` is its zero point. */
bool onnx_set_integers(struct onnx_node *n, struct ir_value *v, size_t zero);

/* ---- onnx_moved.c: a dequantised constant is moved as integers, which base layers want ---- */

bool onnx_is_dequantized(const struct ir_value *x);
/* Where the scales are afterwards: scale (i / each) % n belongs to index i of dimension `axis`. */
struct onnx_scale_place {
    int64_t axis, each;
};
/* False if no dimension of the new shape says which scale an element has. */
bool onnx_reshaped_scales(const struct ir_value *x, const int64_t *dims, uint32_t rank,
                          struct onnx_scale_place *out);
/* x's integers, moved, are q. */
struct ir_value *onnx_dequantize_moved(struct onnx_node *n, const struct ir_value *x,
                                       struct ir_value *q, const struct onnx_scale_place *place,
                                       bool named);

/* ---- import_requant.c ---- */

/* In a model of integers written as floats: such weights as integers, dequantised by 1. */
struct ir_value *onnx_integer_weights(struct onnx_node *n, struct ir_value *w);

/* ---- import_conv.c: base layers whose weights are operand `weights`, made as `variant` says ----
 */

struct ir_value *onnx_conv(struct onnx_node *n, struct ir_value *x, struct ir_value *w,
                           struct ir_value *bias, size_t weights, const char *variant);
/* Matrices, transposed where `across` says so. */
struct ir_value *onnx_product(struct onnx_node *n, struct ir_value *const ab[2],
                              const bool across[2], size_t weights, const char *variant);
/* alpha * A' * B' + beta * C, where ' is a transposition if transA, transB say so. */
struct ir_value *onnx_gemm(struct onnx_node *n);

/* ---- import_norm.c, import_pool.c ---- */

struct ir_value *onnx_avg_pool(struct onnx_node *n, struct ir_value *x);
/* Along attribute `axis`, by default the last; `flattens`: over all dimensions from it on. */
struct ir_value *onnx_softmax(struct onnx_node *n, struct ir_value *x, bool flattens);
struct ir_value *onnx_log_softmax(struct onnx_node *n, struct ir_value *x, int64_t axis);

/* ---- import_cast.c: types ---- */

/* What a value of that type is when it is computed at run time: i32 for i64, f32 for other floats.
 */
enum ir_dtype onnx_runtime_dtype(enum ir_dtype dtype);
/* A constant of 64-bit integers as i32; NULL, reported, where one does not fit. */
struct ir_value *onnx_narrowed(struct onnx_node *n, struct ir_value *x);
/* To that type, or what stands for it at run time. Nothing if x has it already. */
struct ir_value *onnx_cast(struct onnx_node *n, struct ir_value *x, enum ir_dtype to);
/* Where one of these operands is computed at run time, constants of i64 become i32. False,
 * reported, if one does not fit. What is emitted with operands of one type is brought to it by
 * itself. */
bool onnx_common_types(struct onnx_node *n, struct ir_value **in, uint32_t n_in) CHECK_RESULT;
/* x, or where it is a constant of i64 the i32 that it is among values of run time. */
struct ir_value *onnx_at_run_time(struct onnx_node *n, struct ir_value *x);

/* ---- import_elementwise.c ---- */

/* Of a clip; one that is no number is none. */
union ir_attrs onnx_bounds(float lo, float hi);

/* ---- import_activation.c ---- */

/* min(max(scale*x + shift, 0), 1) */
struct ir_value *onnx_hard_sigmoid(struct onnx_node *n, struct ir_value *x, float scale,
                                   float shift);
/* relu(x) + alpha*(exp(min(x, 0) / scale) - 1); log(1 + exp(x)) */
struct ir_value *onnx_elu(struct onnx_node *n, struct ir_value *x, float alpha, float scale);
struct ir_value *onnx_softplus(struct onnx_node *n, struct ir_value *x);
/* import_logic.c: x above alpha, else 0 */
struct ir_value *onnx_thresholded(struct onnx_node *n, struct ir_value *x, float alpha);

/* ---- import_power.c ---- */

/* x^exponent, element by element, for special values too as IEEE 754's pow; is_positive: x has no
 * sign bit anywhere. */
struct ir_value *onnx_power(struct onnx_node *n, struct ir_value *x, double exponent,
                            bool is_positive);

/* ---- import_reduce.c ---- */

/* Over the dimensions flagged, which stay as 1. */
struct ir_value *onnx_reduce(struct onnx_node *n, enum ir_reduce_kind kind, struct ir_value *x,
                             const bool *axes);
/* -x; of i32 -1 - x, which all of them have: what was greater is less. */
struct ir_value *onnx_reversed(struct onnx_node *n, struct ir_value *x);
struct ir_value *onnx_mean(struct onnx_node *n, struct ir_value *x, const bool *axes);
/* (sum of |x|^p)^(1/p), p >= 1 */
struct ir_value *onnx_lp(struct onnx_node *n, struct ir_value *x, int64_t p, const bool *axes);

/* ---- onnx_window.c ---- */

/* Of a window, in one dimension: `before`, `after` are padding, of which that much was stated. */
struct onnx_span {
    int64_t kernel, stride, dilation, before, after, counted_before, counted_after;
};
/* Depth, rows, columns; of those that the input lacks the window has one cell. */
struct onnx_window {
    struct onnx_span axis[3];
};
static inline bool onnx_is_same(unsigned auto_pad)
{
    return auto_pad == AUTO_PAD_SAME_UPPER || auto_pad == AUTO_PAD_SAME_LOWER;
}
/* `kernel_shape`, or where `weights` is not NULL and there is none what that says; checked against
 * it. */
bool onnx_read_window(struct onnx_node *n, const struct ir_type *x, const int64_t *weights,
                      struct onnx_window *out) CHECK_RESULT;
/* Two of its dimensions, as the operations of the IR have them; of depth alone as rows. */
enum onnx_planes { ONNX_ROWS_AND_COLUMNS, ONNX_DEPTH };
struct onnx_plane {
    int64_t kernel[2], stride[2], dilation[2], pad[4], counted[4];
};
struct onnx_plane onnx_plane(const struct onnx_window *w, enum onnx_planes which);
/* [N,C,L] -> [N,C,1,L], [N,C,D,H,W] -> [N,C*D,H,W]; others as they are. */
struct ir_value *onnx_to_2d(struct onnx_node *n, struct ir_value *x);
/* A result for each channel of such an x: back to as many dimensions as x has. */
struct ir_value *onnx_from_2d(struct onnx_node *n, struct ir_value *v, const struct ir_value *x);

#endif
