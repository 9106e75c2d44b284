/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_products.c - products of two quantised values of run time in exact integers.
 *
 *   sum over k of (a - za) * (b - zb)
 *     = product(a, b) - zb * (sums of a's rows) - za * (sums of b's columns) + K * za * zb
 *
 * and stands for itself times f32(scale of a * scale of b). Rows and columns are summed by products
 * with ones, which lie as the operands do for the product itself.
 */
#include "int.h"

#include <math.h>

/* All in which no sum of products of two differences of bytes leaves 32 bits. */
static const int64_t MOST_PRODUCTS = INT32_MAX / (UINT8_MAX * UINT8_MAX);

/* A vector as a matrix of one row or one column. */
static struct ir_value *as_matrix(const struct pass_place *at, struct ir_value *v, bool is_row)
{
    int64_t n = v->type.dim[0];
    struct ir_type t =
        ir_type_of((enum ir_dtype)v->type.dtype, 2, (int64_t[]){is_row ? 1 : n, is_row ? n : 1});
    return v->type.rank == 1 ? pass_reshape(at, v, &t) : v;
}

/* For each matrix of v's stack a column of ones to sum v's rows, or a row of ones to sum its
 * columns. */
static struct ir_value *ones(const struct pass_place *at, const struct ir_value *v, bool is_row)
{
    static const uint8_t element = 1;
    struct ir_type t = v->type;
    uint32_t row = t.rank - 2u, column = row + 1;
    t.dim[is_row ? column : row] = v->type.dim[is_row ? row : column];
    t.dim[is_row ? row : column] = 1;
    return pass_constant(at, t, blob_splat(&element, sizeof element));
}

static struct ir_value *less(const struct pass_place *at, struct ir_value *sum, int64_t zero,
                             struct ir_value *a, struct ir_value *b)
{
    struct ir_value *sums = pass_emit2(at, IR_matmul, NULL, a, b);
    struct ir_value *part = pass_emit2(at, IR_mul, NULL, sums, int_const_i32(at, zero));
    return pass_emit2(at, IR_sub, NULL, sum, part);
}

struct ir_value *int_rule_products(struct ir_op *op, struct pass_ctx *ctx)
{
    (void)ctx;
    struct affine x[2];
    if (!int_affine(op->in[0].value, &x[0]) || !int_affine(op->in[1].value, &x[1]))
        return NULL;
    struct pass_place at = pass_before(op);
    struct ir_value *a = x[0].q, *b = x[1].q;
    int64_t n_k = a->type.dim[a->type.rank - 1];
    float scale = x[0].scale * x[1].scale;
    if (n_k > MOST_PRODUCTS || !isnormal(scale))
        return NULL;
    a = as_matrix(&at, a, true);
    b = as_matrix(&at, b, false);
    struct ir_value *in[] = {a, b};
    struct ir_new desc = {
        .opcode = IR_matmul, .in = in, .n_in = 2, .attrs = op->attrs, .name = op->name};
    struct ir_value *sum = pass_emit(&at, &desc);
    if (x[1].zero)
        sum = less(&at, sum, x[1].zero, a, ones(&at, a, false));
    if (x[0].zero)
        sum = less(&at, sum, x[0].zero, ones(&at, b, true), b);
    if (x[0].zero && x[1].zero)
        sum = pass_emit2(&at, IR_add, NULL, sum, int_const_i32(&at, n_k * x[0].zero * x[1].zero));
    struct ir_type t = op->out->type;
    t.dtype = IR_I32;
    if (!ir_type_equal(&sum->type, &t))
        sum = pass_reshape(&at, sum, &t);
    return int_dequantize(&at, sum, int_const_f32(&at, scale), NULL, 0);
}
