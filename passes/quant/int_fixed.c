/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_fixed.c - networks that carry integers in floats: a quantize to i32 by 1 says that its
 * operand is such an integer, of which an operation on integers is made that needs no float.
 */
#include "int.h"

#include <math.h>

static bool is_one(const struct ir_value *scale)
{
    float x;
    return int_scalar(scale, &x) && x == 1.0f;
}

/* Is every element of the constant an integer? */
static bool holds_integers(const struct ir_op *c)
{
    struct pass_floats f = pass_floats(c);
    int64_t n = f.step ? ir_count(&c->out->type) : 1;
    for (int64_t i = 0; i < n; i++) {
        if (pass_float(&f, i) != rintf(pass_float(&f, i)))
            return false;
    }
    return true;
}

static bool is_integer(const struct ir_value *v)
{
    if (ir_is(v, IR_constant))
        return v->type.dtype == IR_F32 && holds_integers(v->def);
    return ir_is(v, IR_dequantize) && is_one(v->def->in[1].value);
}

/* The quantize to i32 of another value, into all that it may be; of a constant, at once. */
static struct ir_value *integer(const struct pass_place *at, const struct ir_op *op,
                                struct ir_value *x, struct pass_ctx *ctx)
{
    struct ir_value *in[] = {x, op->in[1].value};
    union ir_attrs whole = *op->attrs;
    whole.quantize.lo = -IR_MOST_QUANTIZED;
    whole.quantize.hi = IR_MOST_QUANTIZED;
    struct ir_new desc = {.opcode = IR_quantize, .in = in, .n_in = 2, .attrs = &whole};
    struct ir_value *q = pass_emit(at, &desc);
    struct ir_op *known = eval_fold(q->def, EVAL_FOLD_BYTES, ctx->diag);
    return known ? known->out : q;
}

/* Q(DQ(q)) = q - zero, Q(relu(x)) = clip(Q(x)), Q(a + b) = Q(a) + Q(b) of integers a, b; NULL: the
 * operand is none of these. */
static struct ir_value *unbounded(const struct pass_place *at, const struct ir_op *op,
                                  struct pass_ctx *ctx)
{
    struct ir_op *x = op->in[0].value->def;
    if (x->opcode == IR_relu) {
        union ir_attrs attrs = {.clip = {.lo = 0.0f, .hi = INFINITY}};
        return pass_emit1(at, IR_clip, &attrs, integer(at, op, x->in[0].value, ctx));
    }
    if (x->opcode == IR_add && is_integer(x->in[0].value) && is_integer(x->in[1].value)) {
        struct ir_value *a = integer(at, op, x->in[0].value, ctx);
        return pass_emit2(at, IR_add, NULL, a, integer(at, op, x->in[1].value, ctx));
    }
    if (!is_integer(x->out) || x->opcode != IR_dequantize)
        return NULL;
    struct affine a;
    if (x->in[0].value->type.dtype == IR_I32)
        return x->in[0].value;
    if (!int_affine(x->out, &a))
        return NULL;
    struct ir_value *q = int_cast(at, a.q, IR_I32);
    return a.zero ? pass_emit2(at, IR_sub, NULL, q, int_const_i32(at, a.zero)) : q;
}

/* Bounds that are less than all that an i32 may be are those of a clip; false: no clip has them. */
static bool bounds_of(const struct ir_attrs_quantize *q, struct ir_attrs_clip *out)
{
    bool low = q->lo > -IR_MOST_QUANTIZED, high = q->hi < IR_MOST_QUANTIZED;
    out->lo = low ? (float)q->lo : -INFINITY;
    out->hi = high ? (float)q->hi : INFINITY;
    return (!low || (int64_t)out->lo == q->lo) && (!high || (int64_t)out->hi == q->hi);
}

struct ir_value *int_rule_integer(struct ir_op *op, struct pass_ctx *ctx)
{
    union ir_attrs bounds;
    if (op->out->type.dtype != IR_I32 || op->n_in > 2 || !is_one(op->in[1].value) ||
        !bounds_of(&op->attrs->quantize, &bounds.clip))
        return NULL;
    struct pass_place at = pass_before(op);
    struct ir_value *q = unbounded(&at, op, ctx);
    bool is_bounded = !isinf(bounds.clip.lo) || !isinf(bounds.clip.hi);
    return q && is_bounded ? pass_emit1(&at, IR_clip, &bounds, q) : q;
}

/* requantize(sums + b, bias) = requantize(sums, bias + b), b by index of the requantize's axis. */
struct ir_value *int_rule_merge_bias(struct ir_op *op, struct pass_ctx *ctx)
{
    const struct ir_op *add = op->in[0].value->def;
    const struct ir_type *t = &op->out->type;
    int64_t n;
    uint32_t axis = int_axis(op->attrs->requantize.axis, t, &n);
    if (add->opcode != IR_add || !ir_is(add->in[1].value, IR_constant) ||
        !ir_type_equal(&add->in[0].value->type, &add->out->type) ||
        !pass_is_per_channel(&add->in[1].value->type, t, axis))
        return NULL;
    int32_t *sum = heap_alloc((size_t)n * sizeof *sum + 1);
    for (int64_t i = 0; i < n; i++) {
        int64_t b = int_at(op->in[1].value->def, i) + int_at(add->in[1].value->def, i);
        int_bias_fits(op, i, (double)b, ctx); /* reported if not, and the pass will fail */
        sum[i] = (int32_t)b;
    }
    struct pass_place at = pass_before(op);
    union ir_attrs attrs = *op->attrs;
    attrs.requantize.axis = axis;
    struct ir_value *in[4] = {add->in[0].value, int_const_each(&at, IR_I32, n, sum)};
    for (uint32_t i = 2; i < op->n_in; i++)
        in[i] = op->in[i].value;
    return pass_emit(&at, &(struct ir_new){.opcode = IR_requantize,
                                           .in = in,
                                           .n_in = op->n_in,
                                           .attrs = &attrs,
                                           .name = op->name});
}
