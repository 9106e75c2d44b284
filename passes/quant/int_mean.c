/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_mean.c - means of quantised values: with S the exact sum of n bytes,
 *
 *   mean = (f32)S / (f32)n        result = clamp(rne((mean - z) * (s / s_y)) + z_y)
 *
 * and rne(mean) where both grids are the same: then .5 is a tie, which goes to the even one.
 */
#include "int.h"

/* Bytes whose sum 32 bits hold. */
enum { MOST_SUMMED = INT32_MAX / UINT8_MAX };

/* The exact mean of the bytes, f32; NULL if `op` is no mean of a quantised value. */
static struct ir_value *mean_of_bytes(struct ir_op *op, const struct pass_place *at,
                                      struct affine *a);

/* S / n over the dimensions `axes`. */
static struct ir_value *divided_sum(const struct pass_place *at, struct ir_value *q,
                                    const int64_t *axes, uint32_t n_axes)
{
    union ir_attrs attrs = {.reduce = {.kind = IR_REDUCE_SUM, .axes = {n_axes, axes}}};
    int64_t n = 1;
    for (uint32_t i = 0; i < n_axes; i++)
        n *= q->type.dim[axes[i]];
    if (n > MOST_SUMMED)
        return NULL;
    struct ir_value *sum = int_cast(at, pass_emit1(at, IR_reduce, &attrs, q), IR_F32);
    return pass_emit2(at, IR_div, NULL, sum, int_const_f32(at, (float)n));
}

static struct ir_value *global_mean(struct ir_op *op, const struct pass_place *at, struct affine *a)
{
    int64_t axes[IR_MAX_RANK];
    uint32_t n = 0;
    if (!int_affine(op->in[0].value, a))
        return NULL;
    for (int64_t d = 2; d < op->out->type.rank; d++)
        axes[n++] = d;
    return divided_sum(at, a->q, axes, n);
}

/* mul(reduce sum(x), 1/n) is how a mean over other dimensions is written. */
static struct ir_value *scaled_sum(struct ir_op *op, const struct pass_place *at, struct affine *a)
{
    uint32_t i;
    float factor;
    if (!pass_constant_operand(op, &i) || !int_scalar(op->in[i].value, &factor))
        return NULL;
    const struct ir_op *sum = op->in[1 - i].value->def;
    if (sum->opcode != IR_reduce || sum->attrs->reduce.kind != IR_REDUCE_SUM ||
        !int_affine(sum->in[0].value, a) || !ir_type_equal(&sum->out->type, &op->out->type))
        return NULL;
    int64_t n = ir_count(&a->q->type) / ir_count(&op->out->type);
    if (factor != 1.0f / (float)n)
        return NULL;
    return divided_sum(at, a->q, sum->attrs->reduce.axes.at, sum->attrs->reduce.axes.n);
}

/* Do 32 bits hold the sum of each window, whose padding c is written out, and is that not too much?
 */
static bool window_fits(const struct ir_type *x, const int64_t *kernel, const int64_t *c)
{
    int64_t cells = 1, all = x->dim[0] * x->dim[1];
    for (int a = 0; a < 2; a++) {
        int64_t extent;
        if (!add_i64(c[a], c[a + 2], &extent) || !add_i64(extent, x->dim[a + 2], &extent) ||
            !mul_i64(all, extent, &all) || !mul_i64(cells, min_i64(kernel[a], extent), &cells))
            return false;
    }
    return cells <= MOST_SUMMED && all <= PASS_MOST_ELEMENTS;
}

/* Padding that counts as cells is written out as bytes that stand for 0. */
static struct ir_value *window_mean(struct ir_op *op, const struct pass_place *at, struct affine *a)
{
    union ir_attrs attrs = *op->attrs;
    struct ir_attrs_avg_pool *p = &attrs.avg_pool;
    if (!p->count_pad)
        memset(p->counted, 0, sizeof p->counted);
    const int64_t *c = p->counted;
    if (!int_affine(op->in[0].value, a) || !window_fits(&op->in[0].value->type, p->kernel, c))
        return NULL;
    struct ir_value *q = a->q;
    if (c[0] || c[1] || c[2] || c[3]) {
        union ir_attrs pad = {.pad = {.before = {4, (int64_t[]){0, 0, c[0], c[1]}},
                                      .after = {4, (int64_t[]){0, 0, c[2], c[3]}},
                                      .mode = IR_PAD_CONSTANT,
                                      .value = (float)a->zero}};
        q = pass_emit1(at, IR_pad, &pad, q);
        for (int i = 0; i < 4; i++)
            p->pad[i] -= p->counted[i];
    }
    p->count_pad = 0;
    memset(p->counted, 0, sizeof p->counted);
    return pass_emit(
        at, &(struct ir_new){
                .opcode = IR_avg_pool, .in = &q, .n_in = 1, .attrs = &attrs, .name = op->name});
}

static struct ir_value *mean_of_bytes(struct ir_op *op, const struct pass_place *at,
                                      struct affine *a)
{
    switch (op->opcode) {
    case IR_avg_pool: return window_mean(op, at, a);
    case IR_global_avg_pool: return global_mean(op, at, a);
    case IR_mul: return scaled_sum(op, at, a);
    default: return NULL;
    }
}

/* (mean - zero) * factor */
static struct ir_value *rescaled(const struct pass_place *at, struct ir_value *mean, int64_t zero,
                                 float factor)
{
    if (zero)
        mean = pass_emit2(at, IR_sub, NULL, mean, int_const_f32(at, (float)zero));
    return pass_emit2(at, IR_mul, NULL, mean, int_const_f32(at, factor));
}

struct ir_value *int_rule_mean(struct ir_op *op, struct pass_ctx *ctx)
{
    struct pass_place at = pass_before(op);
    struct affine a;
    struct target t;
    (void)ctx;
    if (!int_target(op, &t))
        return NULL;
    struct ir_value *mean = mean_of_bytes(op->in[0].value->def, &at, &a);
    if (!mean)
        return NULL;
    struct target steps = {.scale = 1.0f, .lo = t.lo, .hi = t.hi};
    if (a.scale == t.scale && a.zero == t.zero)
        return int_quantize(&at, mean, &steps, op->name);
    steps.zero = t.zero;
    return int_quantize(&at, rescaled(&at, mean, a.zero, a.scale / t.scale), &steps, op->name);
}

/* A mean that stays float: exact up to its last two operations. */
struct ir_value *int_rule_float_mean(struct ir_op *op, struct pass_ctx *ctx)
{
    struct pass_place at = pass_before(op);
    struct affine a;
    (void)ctx;
    struct ir_value *mean = mean_of_bytes(op, &at, &a);
    return mean ? rescaled(&at, mean, a.zero, a.scale) : NULL;
}

/* A sum that stays float: exact up to its last operation, in whatever order it is taken. Not one
 * that a mean is made of. */
struct ir_value *int_rule_float_sum(struct ir_op *op, struct pass_ctx *ctx)
{
    struct pass_place at = pass_before(op);
    struct affine a;
    const struct ir_attrs_reduce *r = &op->attrs->reduce;
    const struct ir_use *u = op->out->uses;
    (void)ctx;
    if (r->kind != IR_REDUCE_SUM || (u && u->user->opcode == IR_mul) ||
        !int_affine(op->in[0].value, &a))
        return NULL;
    int64_t n = ir_count(&a.q->type) / ir_count(&op->out->type);
    if (n > MOST_SUMMED)
        return NULL;
    struct ir_value *sum = int_cast(&at, pass_emit1(&at, IR_reduce, op->attrs, a.q), IR_F32);
    return rescaled(&at, sum, a.zero * n, a.scale);
}
