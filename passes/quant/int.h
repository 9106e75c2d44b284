/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int.h - what the rules of int.def share: reading quantisation parameters, making constants and
 * integer operations. PASSES.md has the rules in words.
 *
 * Signs: a quantised value q stands for the real number (q - zero) * scale. From INTEGER on every
 * quantised value is u8; weights, which are constants, are i8.
 */
#ifndef CIMC_INT_H
#define CIMC_INT_H

#include "passes_internal.h"

#include "eval.h"

/* ---- int_params.c: what is known of a value ---- */

/* A dequantize of a u8 value that is known at run time only, by one constant scale for all. */
struct affine {
    struct ir_value *q;
    float scale;
    int64_t zero;
};
bool int_affine(const struct ir_value *v, struct affine *out);

/* A quantize to bytes by one constant scale for all. */
struct target {
    float scale;
    int64_t zero, lo, hi;
};
bool int_target(const struct ir_op *quantize, struct target *out);
/* What it makes of a number. */
int64_t int_quantized(const struct target *t, float x);

/* The dimension that parameters of a value of type t belong to, and its extent. The attribute of
 * one number for all may say anything: then it is dimension 0. */
uint32_t int_axis(int64_t axis, const struct ir_type *t, int64_t *out_n);

/* The dimension of a base layer's result that is its columns. */
uint32_t int_column_axis(const struct ir_op *layer);

/* A dequantize of an accumulator: (product + bias) * scale, scale and bias by index of dimension
 * `axis`. */
struct accumulator {
    struct ir_value *product; /* i32 */
    const struct ir_op *bias; /* constant, or NULL for 0 */
    const struct ir_op *scale;
    uint32_t axis;
    int64_t n; /* extent of the axis */
};
bool int_accumulator(const struct ir_value *v, struct accumulator *out);
/* Element n of a constant that has one, or one for each index of an axis; 0 of NULL. */
int64_t int_at(const struct ir_op *constant, int64_t n);
float int_f32_at(const struct ir_op *constant, int64_t n);

/* The only element of a constant of one element. */
bool int_scalar(const struct ir_value *v, float *out);

/* ---- int_params.c: making operations ---- */

struct ir_value *int_const_f32(const struct pass_place *at, float x);
struct ir_value *int_const_u8(const struct pass_place *at, int64_t x);
/* One i32 for all. */
struct ir_value *int_const_i32(const struct pass_place *at, int64_t x);
/* A vector of n elements; `data` is from heap_alloc and taken over. One element if all are alike.
 */
struct ir_value *int_const_each(const struct pass_place *at, enum ir_dtype dtype, int64_t n,
                                void *data);
struct ir_value *int_cast(const struct pass_place *at, struct ir_value *x, enum ir_dtype to);
/* zero may be NULL. */
struct ir_value *int_dequantize(const struct pass_place *at, struct ir_value *q,
                                struct ir_value *scale, struct ir_value *zero, int64_t axis);
struct ir_value *int_quantize(const struct pass_place *at, struct ir_value *x,
                              const struct target *t, const char *name);
/* `op` with these attributes on x, with its name; NULL if it does not fit. */
struct ir_value *int_again(struct ir_op *op, const union ir_attrs *attrs, struct ir_value *x);

/* ---- int_weights.c ---- */

/* Constant weights behind a dequantize: k elements for each of n columns, those of a column
 * together, or a row of all columns together. */
struct weights {
    const struct ir_op *c, *scale, *zero; /* zero may be NULL */
    int64_t n, k;
    bool by_rows;
};

/* Those of v, whose columns are its dimension `axis` (0 or the last); false if it has none. */
bool int_weights(const struct ir_value *v, int64_t axis, struct weights *out);

/* Of the elements w + shift of a column: the sum of the positive ones, of the negative ones'
 * magnitudes, the least and the largest. */
struct column {
    int64_t up, down;
    int least, most;
};
enum { INT_MOST_SHIFT = 512 };
/* Of n columns of a constant of bytes, in `a`; by_rows as above, shift[i] of column i, at most
 * INT_MOST_SHIFT either way. */
struct column *int_columns(const struct ir_op *w, bool by_rows, int64_t n, const int64_t *shift,
                           struct arena *a);

/* How the crossbar holds them, by column: w' = w - offset, center = offset - zero; the sum of all
 * w - zero. */
struct held {
    int64_t *zero, *offset, *sum;
    bool is_shifted, has_center;
};

struct held int_hold(const struct weights *w, struct arena *a);
/* w', the constant itself where nothing changes; the centers, NULL where there are none. */
struct ir_value *int_held_weights(const struct pass_place *at, const struct weights *w,
                                  const struct held *h);
struct ir_value *int_centers(const struct pass_place *at, const struct weights *w,
                             const struct held *h);

/* int_base.c: do 32 bits hold the bias of output channel n? Says so if not. */
bool int_bias_fits(const struct ir_op *layer, int64_t n, double bias, struct pass_ctx *ctx);

/* ---- the pass ---- */

/* ---- int_u8.c, int_cast.c: values become f32, u8 and i32 ---- */

enum { INT_SHIFT = 128 }; /* of signed bytes, to u8 */
struct int_types {
    uint8_t *was;   /* by id of an operation: the dtype of its value at CANONICAL */
    int16_t *shift; /* by the same id: how much higher a value of i8 or u8 is from now on */
};
/* i8 values become u8 values, INT_SHIFT higher or from 0 up, truth becomes bytes of 0 and 1. How
 * many did. */
uint64_t int_bring_to_bytes(struct ir_graph *g, struct pass_ctx *ctx);
/* A constant of i8 or truth as such a byte; other values as they are. */
struct ir_value *int_byte(const struct pass_place *at, struct ir_value *v);
/* The result of an operation that has no form for its types from INTEGER on, made of those that
 * have; NULL of one that has. Its operands are f32, u8 and i32 already. */
struct ir_value *int_in_forms(const struct pass_place *at, struct ir_op *op,
                              const struct int_types *t);

/* int_dynamic.c: reports base layers that the rules so far left float, as a warning or an error;
 * false for an error. */
bool int_report_float_layers(const struct ir_graph *g, struct pass_ctx *ctx);
/* int_bounds.c: reports base layers of an INTEGER graph whose sums may leave 32 bits. */
bool int_check_sums(const struct ir_graph *g, struct pass_ctx *ctx) CHECK_RESULT;

/* Rules: rewrite.h says what they return. Those that can fail report it to the context. */
#define RULE(when, root, name, doc)                                                                \
    struct ir_value *int_rule_##name(struct ir_op *op, struct pass_ctx *ctx);
#include "int.def"
#undef RULE

#endif
