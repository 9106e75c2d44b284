/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant.h - what the parts of pass quant share: a plan of which values and weights become bytes,
 * what calibration says of them, how they are rounded.
 *
 * A *value* is a result of the graph that gets a quantize and a dequantize behind it; a *layer* is
 * a base layer whose weights get a dequantize in front of them. PASSES.md has the rules in words.
 */
#ifndef CIMC_QUANT_H
#define CIMC_QUANT_H

#include "int.h"

/* ---- quant_spread.c: how the elements of a value are spread, in constant memory ---- */

enum { SPREAD_BINS = 1024 }; /* on each side of 0 */
/* The elements of one sign: bin i counts magnitudes from i to i + 1 times `width`, a power of 2. */
struct spread_side {
    double width;
    uint64_t *bins; /* NULL: there are none */
};
struct spread {
    float least, most; /* with 0 */
    uint64_t n, n_zeros;
    struct spread_side side[2]; /* negative ones, positive ones */
};
/* False where an element is not finite. The bins are in `a`. */
bool spread_add(struct spread *s, const float *x, int64_t n, struct arena *a) CHECK_RESULT;
/* The grid of 2^bits steps with 0 on it that loses least: the sum of squared errors of rounding and
 * cutting off, over the range of all elements and narrower ones. */
struct target spread_best_grid(const struct spread *s, int64_t bits);
/* The share of the elements that the grid cuts off. */
double spread_cut_off(const struct spread *s, const struct target *grid);

/* ---- quant_plan.c: what becomes integers ---- */

struct quant_value {
    struct ir_op *op; /* whose result it is */
    int64_t bits;
    struct spread spread;
    struct target grid;
    int64_t row; /* of the report */
};
/* Weights as a matrix: `k` rows of each of n columns; element (row, column) of the constant is at
 * row * row_step + column * column_step. Column j is of group j / (n / groups), and multiplies what
 * the group reads. */
struct quant_weights {
    const struct ir_op *constant; /* f32 */
    bool transposed;              /* the layer reads it through a transpose */
    int64_t n, k, groups, row_step, column_step;
    int64_t axis; /* of the constant: the columns; -1: one column, of a vector */
};
struct quant_layer {
    struct ir_op *op;
    uint32_t number; /* among the base layers */
    uint32_t data;   /* the operand that is no weights */
    int64_t weight_bits;
    bool has_weights; /* false: they are integers already */
    struct quant_weights weights;
    struct quant_value *reads; /* NULL: its input is quantised already, by: */
    struct target grid;
    const struct ir_op *end;  /* the last operation of its chain */
    int64_t row;              /* of the report */
    struct ir_op *bias;       /* the add of a constant by column behind it; NULL: none */
    struct quant_layer *same; /* rounds the same constant, and did so before; NULL: this one does */
    struct quant_layer *next; /* of those that share it */
    struct quant_layer *next_reader; /* of what `data` is */
    /* Results. */
    int8_t *q;             /* as the constant's elements */
    float *scale;          /* by column */
    double *correction;    /* by column, what the bias gains; NULL: nothing */
    struct ir_value *real; /* the dequantize of q */
};
/* A value that was put in for one of the float model. */
struct quant_swap {
    struct ir_value *on, *off;
    int64_t row; /* of the report */
};
struct quant_plan {
    struct ir_graph *graph; /* numbered */
    struct pass_ctx *ctx;
    struct arena *arena;
    struct quant_value *values;
    size_t n_values;
    struct quant_layer *layers;
    size_t n_layers;
    struct quant_value **value_of; /* by id of an operation */
    struct quant_swap *swaps;
    size_t n_swaps;
    struct ir_value **yields; /* of each row of the report: what its layer makes */
    size_t n_rows;
};
/* Fills values and layers. False with a diagnostic. */
bool quant_make_plan(struct quant_plan *p) CHECK_RESULT;
/* The dimension of the layer's result that is its columns. */
uint32_t quant_column_axis(const struct quant_layer *l);
/* Of an operation, or of the nearest in front of it that has a name; may be "". */
const char *quant_name(const struct ir_op *op);
/* Of a value: the operation behind moves and max pooling, which keep the grid. */
const struct ir_op *quant_source(const struct ir_value *v);
/* The number that a quantised element stands for. */
static inline float quant_real(const struct target *t, int64_t q)
{
    return (float)(q - t->zero) * t->scale;
}

/* ---- quant_calibrate.c ---- */

/* The spread on the calibration tensors and the grid of each value. */
bool quant_calibrate(struct quant_plan *p) CHECK_RESULT;

/* ---- quant_moments.c: what base layers read ---- */

/* Of the rows of one group, in blocks of rows that are rounded together. */
struct quant_moments {
    const struct quant_layer *layer;
    int64_t block;  /* rows of a block, the last may have fewer */
    double *second; /* sums of x[i] * x[j]: for each group, for each block block * block, j >= i */
    double *mean;   /* sums of x[i], then of what its grid makes of it; NULL if not asked for */
    int64_t n_seen, n_taken, n_all; /* pixels: looked at, taken, there are */
};
struct quant_moments *quant_moments_new(const struct quant_layer *l, bool second, bool mean,
                                        size_t n_images);
void quant_moments_free(struct quant_moments *m);
size_t quant_moments_bytes(const struct quant_layer *l, bool second);
/* The layer's input on one image. */
void quant_moments_add(struct quant_moments *m, const struct tensor *x);

/* ---- quant_round.c, quant_feedback.c: weights to integers ---- */

/* Weights and biases are finite, and what a step of a layer's sums stands for. */
bool quant_check_constants(const struct quant_plan *p) CHECK_RESULT;
bool quant_check_steps(const struct quant_plan *p) CHECK_RESULT;
/* q, scale, correction of the layer. `m`: NULL to round to nearest. */
void quant_round_layer(struct quant_plan *p, struct quant_layer *l, const struct quant_moments *m);
/*
 * Rows of n columns that are rounded one after another; the error of each is made up for by those
 * that are not rounded yet. w [k][n] is in steps of the columns' scales and becomes integers
 * within -most..most. second[i * stride + j], j >= i: sums of products of what rows i and j
 * multiply.
 */
void quant_feedback(double *w, int64_t k, int64_t n, double most, const double *second,
                    int64_t stride);

/* ---- quant_insert.c ---- */

/* The plan becomes operations; the float constants stay until quant_forget_floats. */
void quant_insert(struct quant_plan *p);
void quant_forget_floats(struct quant_plan *p);

/* ---- quant_report.c: ctx->quant_report ---- */

void quant_list_rows(struct quant_plan *p);
/* After quant_insert. False with a diagnostic. */
bool quant_measure(struct quant_plan *p) CHECK_RESULT;

#endif
