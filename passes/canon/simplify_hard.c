/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * simplify_hard.c - hard_sigmoid recovered from what exporters write for it:
 *   clip(x * alpha + beta, 0, 1);   clip(x + b, 0, h) / h, also with another factor before the
 * division
 */
#include "simplify_internal.h"

static struct ir_op *only(struct ir_value *v, enum ir_opcode opcode)
{
    return v->def->opcode == opcode && ir_has_one_use(v) ? v->def : NULL;
}

static struct ir_value *hard_sigmoid(struct ir_op *op, struct ir_value *x, float alpha, float beta)
{
    struct pass_place at = pass_before(op);
    union ir_attrs attrs = {.hard_sigmoid = {.alpha = alpha, .beta = beta}};
    struct ir_new desc = {
        .opcode = IR_hard_sigmoid, .in = &x, .n_in = 1, .attrs = &attrs, .name = op->name};
    return pass_emit(&at, &desc);
}

struct ir_value *rule_hard_sigmoid_by_clip(struct ir_op *op)
{
    struct ir_value *x = op->in[0].value;
    float alpha, beta;
    bool matches = op->graph->stage == IR_TENSOR && op->attrs->clip.lo == 0 &&
                   op->attrs->clip.hi == 1 && simplify_number(only(x, IR_add), &x, &beta) &&
                   simplify_number(only(x, IR_mul), &x, &alpha);
    return matches ? hard_sigmoid(op, x, alpha, beta) : NULL;
}

/* v = clip(x + b, 0, h), which nobody else reads, and inverse = 1/h: the hard sigmoid v * inverse,
 * in front of op; or NULL. */
static struct ir_value *ramp(struct ir_op *op, struct ir_value *v, float inverse)
{
    const struct ir_op *clip = only(v, IR_clip);
    struct ir_value *x;
    float b;
    if (!clip || clip->attrs->clip.lo != 0 || !(inverse > 0) ||
        1 / clip->attrs->clip.hi != inverse ||
        !simplify_number(only(clip->in[0].value, IR_add), &x, &b))
        return NULL;
    return hard_sigmoid(op, x, inverse, b * inverse);
}

/* op = v * inverse: v is the ramp or its product with something, as in a hard swish. */
static struct ir_value *scaled(struct ir_op *op, struct ir_value *v, float inverse)
{
    if (op->graph->stage != IR_TENSOR)
        return NULL;
    struct ir_value *ramped = ramp(op, v, inverse);
    const struct ir_op *product = only(v, IR_mul);
    for (uint32_t i = 0; product && !ramped && i < 2; i++) {
        struct ir_value *f = ramp(op, product->in[i].value, inverse);
        struct ir_value *in[] = {product->in[1 - i].value, f};
        struct pass_place at = pass_before(op);
        if (f)
            ramped = pass_emit(
                &at, &(struct ir_new){.opcode = IR_mul, .in = in, .n_in = 2, .name = op->name});
    }
    return ramped;
}

struct ir_value *rule_hard_sigmoid_by_division(struct ir_op *op)
{
    const struct ir_op *c = pass_f32_constant(op->in[1].value);
    struct ir_value *v = op->in[0].value;
    if (!c || ir_count(&c->out->type) != 1 || !ir_type_equal(&v->type, &op->out->type))
        return NULL;
    struct pass_floats height = pass_floats(c);
    return scaled(op, v, 1 / pass_float(&height, 0));
}

struct ir_value *rule_hard_sigmoid_by_inverse(struct ir_op *op)
{
    struct ir_value *v;
    float inverse;
    return simplify_number(op, &v, &inverse) ? scaled(op, v, inverse) : NULL;
}
