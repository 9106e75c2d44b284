/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_requantize.c - a quantize meets what stands in front of it: a dequantize of the same grid, a
 * relu or clip, sums of a base layer.
 *
 * Sums of scale s become steps of scale s_y by one f32 multiplier m = s / s_y, rounded once; the
 * order of operations, and that m is rounded before it multiplies, are ONNX Runtime's.
 */
#include "int.h"

#include <math.h>

struct ir_value *int_rule_same_grid(struct ir_op *op, struct pass_ctx *ctx)
{
    struct affine a;
    struct target t;
    (void)ctx;
    if (!int_target(op, &t) || !int_affine(op->in[0].value, &a) || a.scale != t.scale ||
        a.zero != t.zero)
        return NULL;
    if (t.lo == 0 && t.hi == UINT8_MAX)
        return a.q;
    struct pass_place at = pass_before(op);
    union ir_attrs attrs = {.clip = {.lo = (float)t.lo, .hi = (float)t.hi}};
    return pass_emit1(&at, IR_clip, &attrs, a.q);
}

/* Rounding keeps order, so a bound on x is the rounded bound on what is made of it. */
struct ir_value *int_rule_bounds(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_op *f = op->in[0].value->def;
    struct target t;
    (void)ctx;
    if ((f->opcode != IR_relu && f->opcode != IR_clip) || !int_target(op, &t))
        return NULL;
    int64_t lo = int_quantized(&t, f->opcode == IR_relu ? 0.0f : f->attrs->clip.lo);
    int64_t hi = f->opcode == IR_relu ? t.hi : int_quantized(&t, f->attrs->clip.hi);
    if (lo >= hi)
        return NULL; /* one value is left */
    t.lo = lo;
    t.hi = hi;
    struct pass_place at = pass_before(op);
    return int_quantize(&at, f->in[0].value, &t, op->name);
}

/* ---- activations of quantised values ---- */

static struct ir_value *clipped(struct ir_op *op, const struct affine *a, int64_t lo, int64_t hi)
{
    const struct ir_op *dq = op->in[0].value->def, *inner = a->q->def;
    struct pass_place at = pass_before(op);
    union ir_attrs attrs = {.clip = {.lo = (float)lo, .hi = (float)hi}};
    struct ir_value *q = a->q;
    if (inner->opcode == IR_clip && attrs.clip.lo <= inner->attrs->clip.hi &&
        attrs.clip.hi >= inner->attrs->clip.lo) { /* two are one */
        q = inner->in[0].value;
        attrs.clip.lo = fmaxf(attrs.clip.lo, inner->attrs->clip.lo);
        attrs.clip.hi = fminf(attrs.clip.hi, inner->attrs->clip.hi);
    }
    if (attrs.clip.lo > 0 || attrs.clip.hi < UINT8_MAX)
        q = pass_emit(
            &at, &(struct ir_new){
                     .opcode = IR_clip, .in = &q, .n_in = 1, .attrs = &attrs, .name = op->name});
    return int_dequantize(&at, q, dq->in[1].value, dq->n_in > 2 ? dq->in[2].value : NULL, 0);
}

struct ir_value *int_rule_relu(struct ir_op *op, struct pass_ctx *ctx)
{
    struct affine a;
    (void)ctx;
    return int_affine(op->in[0].value, &a) ? clipped(op, &a, a.zero, UINT8_MAX) : NULL;
}

/* The q that a bound cuts to: exactly on the grid, or beyond all of it. */
static bool grid_bound(const struct affine *a, float x, int64_t *out)
{
    for (*out = 0; *out <= UINT8_MAX; ++*out) {
        if ((float)(*out - a->zero) * a->scale >= x)
            break;
    }
    bool below = *out == 0, beyond = *out > UINT8_MAX;
    if (beyond)
        *out = UINT8_MAX;
    return below || beyond || (float)(*out - a->zero) * a->scale == x;
}

struct ir_value *int_rule_clip(struct ir_op *op, struct pass_ctx *ctx)
{
    struct affine a;
    int64_t lo, hi;
    (void)ctx;
    if (!int_affine(op->in[0].value, &a))
        return NULL;
    float first = (float)-a.zero * a.scale, last = (float)(UINT8_MAX - a.zero) * a.scale;
    const struct ir_attrs_clip *clip = &op->attrs->clip;
    bool misses = !(clip->lo <= last) || !(clip->hi >= first) || !(clip->lo <= clip->hi);
    if (misses || !grid_bound(&a, clip->lo, &lo) || !grid_bound(&a, clip->hi, &hi))
        return NULL; /* to a number that the grid has not, at least in part */
    return clipped(op, &a, lo, hi);
}

/* The bounds of what makes bytes; false of anything else. */
static bool byte_bounds(enum ir_opcode opcode, union ir_attrs *attrs, int64_t **lo, int64_t **hi)
{
    bool requantizes = opcode == IR_requantize;
    *lo = requantizes ? &attrs->requantize.lo : &attrs->quantize.lo;
    *hi = requantizes ? &attrs->requantize.hi : &attrs->quantize.hi;
    return requantizes || opcode == IR_quantize;
}

struct ir_value *int_rule_into_bounds(struct ir_op *op, struct pass_ctx *ctx)
{
    const struct ir_attrs_clip *clip = &op->attrs->clip;
    struct ir_op *q = op->in[0].value->def;
    union ir_attrs attrs = *q->attrs;
    struct ir_value *in[4];
    int64_t *lo, *hi;
    (void)ctx;
    if (op->out->type.dtype != IR_U8 || !ir_has_one_use(q->out) ||
        !byte_bounds(q->opcode, &attrs, &lo, &hi))
        return NULL;
    *lo = (int64_t)fmaxf((float)*lo, clip->lo);
    *hi = (int64_t)fminf((float)*hi, clip->hi);
    if (*lo >= *hi)
        return NULL; /* one value is left */
    for (uint32_t i = 0; i < q->n_in; i++)
        in[i] = q->in[i].value;
    struct pass_place at = pass_before(op);
    return pass_emit(
        &at, &(struct ir_new){
                 .opcode = q->opcode, .in = in, .n_in = q->n_in, .attrs = &attrs, .name = q->name});
}

/* ---- sums ---- */

/* What a quantize reads: sums, their scale, and an f32 constant added to them. */
struct sums {
    struct accumulator acc;
    const struct ir_op *scale; /* instead of the accumulator's, whose own is 1 */
    const struct ir_op *bias;  /* f32, or NULL */
};

/* The constant, by channel of the accumulator, that `op` combines it with; NULL if there is none.
 */
static const struct ir_op *channel_constant(const struct ir_op *op, struct accumulator *acc)
{
    uint32_t i;
    if (!pass_constant_operand(op, &i) || !int_accumulator(op->in[1 - i].value, acc))
        return NULL;
    const struct ir_op *c = op->in[i].value->def;
    bool fits = ir_type_equal(&op->in[1 - i].value->type, &op->out->type) &&
                pass_is_per_channel(&c->out->type, &op->out->type, acc->axis);
    return fits ? c : NULL;
}

/* Sums as they are, plus a float bias, or, of ConvInteger and MatMulInteger, times their scale. */
static bool find_sums(const struct ir_value *x, struct sums *out)
{
    *out = (struct sums){.scale = NULL};
    if (int_accumulator(x, &out->acc))
        return true;
    if (x->def->opcode == IR_add)
        out->bias = channel_constant(x->def, &out->acc);
    if (x->def->opcode == IR_mul)
        out->scale = channel_constant(x->def, &out->acc);
    const struct ir_op *own = out->bias || out->scale ? out->acc.scale : NULL;
    return own && (out->bias || (ir_count(&own->out->type) == 1 && int_f32_at(own, 0) == 1.0f));
}

/* bias + the float bias in steps of the sums; false if one does not fit. */
static bool total_bias(const struct sums *s, int32_t *out, struct pass_ctx *ctx)
{
    for (int64_t n = 0; n < s->acc.n; n++) {
        double bias = (double)int_at(s->acc.bias, n);
        if (s->bias)
            bias += rint((double)int_f32_at(s->bias, n) / (double)int_f32_at(s->acc.scale, n));
        if (!int_bias_fits(s->acc.product->def, n, bias, ctx))
            return false;
        out[n] = (int32_t)bias;
    }
    return true;
}

/* NULL if one is no number that a requantize can have. */
static float *multipliers(const struct sums *s, const struct target *t)
{
    float *mult = heap_alloc((size_t)s->acc.n * sizeof *mult + 1);
    bool good = true;
    for (int64_t n = 0; n < s->acc.n; n++) {
        mult[n] = int_f32_at(s->scale ? s->scale : s->acc.scale, n) / t->scale;
        good = good && mult[n] >= 0 && isfinite(mult[n]);
    }
    if (good)
        return mult;
    heap_free(mult);
    return NULL;
}

struct ir_value *int_rule_requantize(struct ir_op *op, struct pass_ctx *ctx)
{
    struct sums s;
    struct target t;
    float *mult;
    if (!int_target(op, &t) || !find_sums(op->in[0].value, &s) || !(mult = multipliers(&s, &t)))
        return NULL;
    int64_t n = s.acc.n;
    int32_t *bias = heap_alloc((size_t)n * sizeof *bias + 1);
    total_bias(&s, bias, ctx); /* what does not fit was reported, and the pass will fail */
    struct pass_place at = pass_before(op);
    union ir_attrs attrs = {.requantize = {.kind = IR_REQUANT_F32,
                                           .axis = s.acc.axis,
                                           .zero = t.zero,
                                           .lo = t.lo,
                                           .hi = t.hi,
                                           .scale = t.scale}};
    struct ir_value *in[] = {s.acc.product, NULL, NULL};
    in[1] = int_const_each(&at, IR_I32, n, bias);
    in[2] = int_const_each(&at, IR_F32, n, mult);
    return pass_emit(
        &at, &(struct ir_new){
                 .opcode = IR_requantize, .in = in, .n_in = 3, .attrs = &attrs, .name = op->name});
}
