/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * simplify_norm.c - layer_norm recovered from what exporters write for it:
 *   d = x - mean(x);   d / sqrt(mean(d * d) + epsilon), or d times the reciprocal of that
 */
#include "simplify_internal.h"

#include <math.h>
#include <string.h>

static const struct ir_op *is(const struct ir_value *v, enum ir_opcode opcode)
{
    return v->def->opcode == opcode ? v->def : NULL;
}

bool simplify_number(const struct ir_op *f, struct ir_value **other, float *out)
{
    uint32_t i;
    if (!f || !pass_constant_operand(f, &i))
        return false;
    const struct ir_op *c = f->in[i].value->def;
    if (c->out->type.dtype != IR_F32 || ir_count(&c->out->type) != 1)
        return false;
    struct pass_floats number = pass_floats(c);
    *out = pass_float(&number, 0);
    *other = f->in[1 - i].value;
    return ir_type_equal(&(*other)->type, &f->out->type);
}

/* v = the mean of *of over `axes`, which are kept as 1. */
static bool is_mean(const struct ir_value *v, const struct ir_value **of, bool axes[IR_MAX_RANK])
{
    const struct ir_op *mean = is(v, IR_global_avg_pool), *sum;
    struct ir_value *total;
    float factor;
    memset(axes, 0, IR_MAX_RANK * sizeof *axes);
    if (mean) {
        *of = mean->in[0].value;
        for (int i = 2; i < v->type.rank; i++)
            axes[i] = true;
        return true;
    }
    if (!simplify_number(is(v, IR_mul), &total, &factor) || !(sum = is(total, IR_reduce)) ||
        sum->attrs->reduce.kind != IR_REDUCE_SUM)
        return false;
    int64_t count = 1;
    *of = sum->in[0].value;
    for (uint32_t i = 0; i < sum->attrs->reduce.axes.n; i++) {
        int64_t axis = sum->attrs->reduce.axes.at[i];
        axes[axis] = true;
        count *= (*of)->type.dim[axis];
    }
    return factor == 1.0f / (float)count;
}

/* d = x - mean(x): x and the axes. */
static struct ir_value *centred(const struct ir_value *d, bool axes[IR_MAX_RANK])
{
    const struct ir_value *of;
    const struct ir_op *sub = is(d, IR_sub);
    return sub && is_mean(sub->in[1].value, &of, axes) && of == sub->in[0].value ? sub->in[0].value
                                                                                 : NULL;
}

/* v = sqrt(mean(d * d) + epsilon) over these axes. */
static bool is_deviation(const struct ir_value *v, const struct ir_value *d, const bool *axes,
                         float *epsilon)
{
    const struct ir_op *root = is(v, IR_sqrt), *square;
    struct ir_value *variance;
    const struct ir_value *of;
    bool over[IR_MAX_RANK];
    return root && simplify_number(is(root->in[0].value, IR_add), &variance, epsilon) &&
           is_mean(variance, &of, over) && memcmp(over, axes, sizeof over) == 0 &&
           (square = is(of, IR_mul)) && square->in[0].value == d && square->in[1].value == d &&
           *epsilon >= 0 && isfinite(*epsilon);
}

static struct ir_value *recovered(struct ir_op *op, const struct ir_value *d,
                                  const struct ir_value *deviation)
{
    bool axes[IR_MAX_RANK];
    union ir_attrs attrs = {0};
    struct ir_value *x = centred(d, axes);
    if (!x || op->graph->stage != IR_TENSOR || x->type.dtype != IR_F32 ||
        !ir_type_equal(&x->type, &op->out->type) ||
        !is_deviation(deviation, d, axes, &attrs.layer_norm.epsilon))
        return NULL;
    int64_t list[IR_MAX_RANK];
    attrs.layer_norm.axes.at = list;
    for (int i = 0; i < x->type.rank; i++)
        if (axes[i])
            list[attrs.layer_norm.axes.n++] = i;
    struct pass_place at = pass_before(op);
    const struct ir_new desc = {
        .opcode = IR_layer_norm, .in = &x, .n_in = 1, .attrs = &attrs, .name = op->name};
    return pass_emit(&at, &desc);
}

struct ir_value *rule_layer_norm_by_division(struct ir_op *op)
{
    return recovered(op, op->in[0].value, op->in[1].value);
}

struct ir_value *rule_layer_norm_by_inverse(struct ir_op *op)
{
    for (int i = 0; i < 2; i++) {
        const struct ir_value *numerator;
        const struct ir_op *inverse = is(op->in[i].value, IR_div);
        const struct ir_op *one = inverse ? pass_f32_constant(inverse->in[0].value) : NULL;
        if (!one || ir_count(&one->out->type) != 1)
            continue;
        struct pass_floats number = pass_floats(one);
        numerator = op->in[1 - i].value;
        if (pass_float(&number, 0) == 1)
            return recovered(op, numerator, inverse->in[1].value);
    }
    return NULL;
}
