/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_base.c - base layers in exact integers.
 *
 * A column n of a layer computes sum over k of (x - z) * (w[k][n] - zw[n]), x u8. The crossbar
 * holds w' i8 and, where one is needed, a center (int_weights.c); what is left of z does not depend
 * on x:
 *
 *   sum = product(x, w' + center) - z * sum over k of (w' + center)      all K rows, for padding is
 * z
 *
 * and stands for sum * (scale of x * scale of w[n]).
 */
#include "int.h"

#include <math.h>

/* By column, where they broadcast against a value whose dimension `axis` is the columns; `data` is
 * from heap_alloc and taken over. */
static struct ir_value *by_column(const struct pass_place *at, const struct ir_type *t,
                                  uint32_t axis, enum ir_dtype dtype, void *data)
{
    int64_t dims[IR_MAX_RANK] = {0}, n = t->dim[axis];
    for (uint32_t d = axis; d < t->rank; d++)
        dims[d - axis] = d == axis ? n : 1;
    return pass_constant(at, ir_type_of(dtype, t->rank - axis, dims),
                         blob_own(data, (size_t)n * ir_dtype_bytes(dtype)));
}

static struct ir_value *sums_by_column(const struct pass_place *at, const struct ir_type *t,
                                       uint32_t axis, const int64_t *x, int64_t factor)
{
    int32_t *data = heap_alloc((size_t)t->dim[axis] * sizeof *data + 1);
    for (int64_t i = 0; i < t->dim[axis]; i++)
        data[i] = (int32_t)(x[i] * factor);
    return by_column(at, t, axis, IR_I32, data);
}

/* What a layer reads: bytes whose scale and zero point (NULL = 0) are one for all, if not always
 * known before run time. */
struct input {
    struct ir_value *q, *scale, *zero;
};

static bool input_of(const struct ir_value *v, struct input *out)
{
    const struct ir_op *dq = v->def;
    if (dq->opcode != IR_dequantize || dq->in[0].value->type.dtype != IR_U8 ||
        ir_is(dq->in[0].value, IR_constant) || ir_count(&dq->in[1].value->type) != 1)
        return false;
    *out = (struct input){dq->in[0].value, dq->in[1].value, dq->n_in > 2 ? dq->in[2].value : NULL};
    return true;
}

/* sum minus what the zero point of x contributes. */
static struct ir_value *corrected(const struct pass_place *at, struct ir_value *sum, uint32_t axis,
                                  const struct ir_value *zero, const struct held *h)
{
    int64_t z = zero && ir_is(zero, IR_constant) ? int_at(zero->def, 0) : 0;
    bool any = false;
    for (int64_t n = 0; n < sum->type.dim[axis]; n++)
        any = any || h->sum[n];
    if (!zero || !any || (ir_is(zero, IR_constant) && z == 0))
        return sum;
    if (ir_is(zero, IR_constant))
        return pass_emit2(at, IR_add, NULL, sum, sums_by_column(at, &sum->type, axis, h->sum, -z));
    struct ir_value *each = sums_by_column(at, &sum->type, axis, h->sum, 1);
    struct ir_value *z32 = int_cast(at, zero->def->out, IR_I32);
    return pass_emit2(at, IR_sub, NULL, sum, pass_emit2(at, IR_mul, NULL, each, z32));
}

/* Scale of x times scale of w, rounded once: the scale of the sums. NULL if one is no scale. */
static float *sum_scales(float x_scale, const struct weights *w)
{
    int64_t n = ir_count(&w->scale->out->type);
    float *data = heap_alloc((size_t)n * sizeof *data + 1);
    bool good = true;
    for (int64_t i = 0; i < n; i++) {
        data[i] = x_scale * int_f32_at(w->scale, i);
        good = good && isnormal(data[i]);
    }
    if (good)
        return data;
    heap_free(data);
    return NULL;
}

/* (f32)sum * (scale of x, known at run time * scale of w) */
static struct ir_value *scaled_late(const struct pass_place *at, struct ir_value *sum,
                                    uint32_t axis, struct ir_value *scale, const struct weights *w)
{
    int64_t n = sum->type.dim[axis];
    float *data = heap_alloc((size_t)n * sizeof *data + 1);
    for (int64_t i = 0; i < n; i++)
        data[i] = int_f32_at(w->scale, i);
    struct ir_value *each = by_column(at, &sum->type, axis, IR_F32, data);
    struct ir_value *factor = pass_emit2(at, IR_mul, NULL, each, scale);
    return pass_emit2(at, IR_mul, NULL, int_cast(at, sum, IR_F32), factor);
}

/* In place of the f32 layer, whose result has the columns as dimension `axis`. */
static struct ir_value *integer_layer(struct ir_op *op, const struct input *x,
                                      const struct weights *w, uint32_t axis, struct pass_ctx *ctx)
{
    struct pass_place at = pass_before(op);
    bool known = ir_is(x->scale, IR_constant);
    float *scales = known ? sum_scales(int_f32_at(x->scale->def, 0), w) : NULL;
    if (known && !scales)
        return NULL;
    struct held h = int_hold(w, ctx->scratch);
    struct ir_value *in[] = {x->q, NULL, NULL};
    in[1] = int_held_weights(&at, w, &h);
    in[2] = int_centers(&at, w, &h);
    struct ir_new desc = {.opcode = op->opcode,
                          .in = in,
                          .n_in = in[2] ? 3 : 2,
                          .attrs = op->attrs,
                          .name = op->name};
    struct ir_value *sum = corrected(&at, pass_emit(&at, &desc), axis, x->zero, &h);
    if (!known)
        return scaled_late(&at, sum, axis, x->scale, w);
    struct ir_value *scale = int_const_each(&at, IR_F32, ir_count(&w->scale->out->type), scales);
    return int_dequantize(&at, sum, scale, NULL, axis);
}

struct ir_value *int_rule_conv(struct ir_op *op, struct pass_ctx *ctx)
{
    struct input x;
    struct weights w;
    if (!input_of(op->in[0].value, &x) || !int_weights(op->in[1].value, 0, &w))
        return NULL;
    return integer_layer(op, &x, &w, 1, ctx);
}

/* A constant on the left: A x = (x^T A^T)^T. */
static struct ir_value *swap_operands(struct ir_op *op)
{
    struct pass_place at = pass_before(op);
    struct ir_value *a = op->in[0].value, *x = op->in[1].value;
    static const int64_t swap[2] = {1, 0};
    struct ir_value *in[2] = {x, pass_transpose(&at, a, swap)};
    if (x->type.rank == 2)
        in[0] = pass_transpose(&at, x, swap);
    struct ir_new desc = {
        .opcode = IR_matmul, .in = in, .n_in = 2, .attrs = op->attrs, .name = op->name};
    struct ir_value *y = pass_emit(&at, &desc);
    return x->type.rank == 2 ? pass_transpose(&at, y, swap) : y;
}

/* Weights of another rank become [K,N], the result keeps its shape. */
static struct ir_value *as_matrix(struct ir_op *op)
{
    struct pass_place at = pass_before(op);
    const struct ir_type *t = &op->in[1].value->type;
    int64_t dims[2] = {t->dim[0], 1};
    for (int d = 0; d + 2 < t->rank; d++) {
        if (t->dim[d] != 1)
            return NULL; /* several matrices */
    }
    if (t->rank > 2)
        memcpy(dims, &t->dim[t->rank - 2], sizeof dims);
    struct ir_type matrix = ir_type_of(IR_F32, 2, dims);
    struct ir_value *in[] = {op->in[0].value, pass_reshape(&at, op->in[1].value, &matrix)};
    struct ir_new desc = {
        .opcode = IR_matmul, .in = in, .n_in = 2, .attrs = op->attrs, .name = op->name};
    struct ir_value *y = pass_emit(&at, &desc);
    return ir_type_equal(&y->type, &op->out->type) ? y : pass_reshape(&at, y, &op->out->type);
}

static bool is_constant_weights(const struct ir_value *v)
{
    return ir_is(v, IR_dequantize) && ir_is(v->def->in[0].value, IR_constant);
}

struct ir_value *int_rule_matmul(struct ir_op *op, struct pass_ctx *ctx)
{
    struct input x;
    struct weights w;
    const struct ir_value *a = op->in[0].value, *b = op->in[1].value;
    if (is_constant_weights(a) && a->type.rank == 2 && b->type.rank <= 2)
        return swap_operands(op);
    if (is_constant_weights(b) && b->type.rank != 2)
        return as_matrix(op);
    if (!input_of(a, &x) || b->type.rank != 2 || !int_weights(b, 1, &w))
        return NULL;
    return integer_layer(op, &x, &w, op->out->type.rank - 1u, ctx);
}

/* ---- bias ---- */

/* DQ(b), b an i32 constant that varies along the accumulator's axis at most. */
static bool integer_bias(const struct ir_value *v, const struct ir_type *t, uint32_t axis)
{
    const struct ir_op *dq = v->def;
    return dq->opcode == IR_dequantize && ir_is(dq->in[0].value, IR_constant) &&
           dq->in[0].value->type.dtype == IR_I32 && ir_is(dq->in[1].value, IR_constant) &&
           pass_is_per_channel(&v->type, t, axis);
}

/* As many steps of the accumulator as the bias is: its own integer where the scales are the same,
 * bit for bit, for i32 may have more digits than f32. */
static double bias_steps(const struct accumulator *acc, const struct ir_op *dq, int64_t n)
{
    float s = int_f32_at(acc->scale, n), s_b = int_f32_at(dq->in[1].value->def, n);
    double b = (double)int_at(dq->in[0].value->def, n);
    return s == s_b ? b : rint(b * (double)s_b / (double)s);
}

bool int_bias_fits(const struct ir_op *layer, int64_t n, double bias, struct pass_ctx *ctx)
{
    if (fabs(bias) < 0x1p31) /* not of NaN either */
        return true;
    return diag_error(ctx->diag, layer->loc, DIAG_LOWER,
                      "%s: the bias of output channel %lld is %.0f steps of its sums, which 32 "
                      "bits do not hold",
                      pass_op_text(layer, ctx->scratch), (long long)n, bias);
}

struct ir_value *int_rule_bias(struct ir_op *op, struct pass_ctx *ctx)
{
    struct accumulator acc;
    uint32_t i = int_accumulator(op->in[0].value, &acc) ? 0 : 1;
    if ((i == 1 && !int_accumulator(op->in[1].value, &acc)) ||
        !ir_type_equal(&op->in[i].value->type, &op->out->type) ||
        !integer_bias(op->in[1 - i].value, &op->out->type, acc.axis))
        return NULL;
    const struct ir_op *dq = op->in[1 - i].value->def;
    int64_t *x = ARENA_ARRAY(ctx->scratch, int64_t, (size_t)acc.n);
    for (int64_t n = 0; n < acc.n; n++) {
        double bias = (double)int_at(acc.bias, n) + bias_steps(&acc, dq, n);
        if (!int_bias_fits(acc.product->def, n, bias, ctx))
            return op->in[i].value;
        x[n] = (int64_t)bias;
    }
    struct pass_place at = pass_before(op);
    struct ir_value *sum = pass_emit2(&at, IR_add, NULL, acc.product,
                                      sums_by_column(&at, &acc.product->type, acc.axis, x, 1));
    return int_dequantize(&at, sum, op->in[i].value->def->in[1].value, NULL, acc.axis);
}
