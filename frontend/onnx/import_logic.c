/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_logic.c - conditions: comparisons, logic, and what chooses by them. Of bool, `min` is and,
 * `max` is or, and x == false is not.
 */
#include "onnx_node.h"

#include <math.h>

static struct ir_value *negation(struct onnx_node *n, struct ir_value *x)
{
    uint8_t *no = heap_alloc(1);
    *no = 0;
    struct ir_value *falsehood = onnx_const(n, ir_type_of(IR_BOOL, 0, NULL), blob_own(no, 1));
    return onnx_helper2(n, IR_equal, x, falsehood);
}

/* LessOrEqual, GreaterOrEqual: with a NaN neither holds. */
bool import_or_equal(struct onnx_node *n)
{
    struct ir_value *in[2];
    if (!onnx_pair(n, in))
        return false;
    struct ir_value *v = onnx_helper2(n, n->op->opcode, in[0], in[1]);
    return onnx_set_out(n, 0, onnx_helper2(n, IR_max, v, onnx_helper2(n, IR_equal, in[0], in[1])));
}

static bool want_bool(struct onnx_node *n, const struct ir_value *v)
{
    return v && (v->type.dtype == IR_BOOL || onnx_error(n, "an operand is not bool"));
}

bool import_not(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    return want_bool(n, x) && onnx_set_out(n, 0, negation(n, x));
}

/* And, Or; Xor, which is not equal. */
bool import_logic(struct onnx_node *n)
{
    struct ir_value *in[2];
    if (!onnx_pair(n, in) || !want_bool(n, in[0]) || !want_bool(n, in[1]))
        return false;
    struct ir_value *v = onnx_helper2(n, n->op->opcode, in[0], in[1]);
    return onnx_set_out(n, 0, n->op->opcode == IR_equal ? negation(n, v) : v);
}

static struct ir_value *choose(struct onnx_node *n, struct ir_value *condition, struct ir_value *a,
                               struct ir_value *b)
{
    return onnx_emit_helper(n, IR_where, NULL, (struct ir_value *[]){condition, a, b}, 3);
}

bool import_where(struct onnx_node *n)
{
    struct ir_value *condition = onnx_in(n, 0), *a = onnx_in(n, 1), *b = onnx_in(n, 2);
    return onnx_set_out(n, 0, choose(n, condition, a, b));
}

/* ---- of one operand ---- */

struct ir_value *onnx_is_nan(struct onnx_node *n, struct ir_value *x)
{
    return negation(n, onnx_helper2(n, IR_equal, x, x));
}

/* (x > 0) - (x < 0), and a NaN is itself. */
bool import_sign(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    if (!x)
        return false;
    enum ir_dtype dtype = (enum ir_dtype)x->type.dtype;
    struct ir_value *zero = onnx_cast(n, onnx_scalar(n, 0), dtype);
    struct ir_value *above = onnx_cast(n, onnx_helper2(n, IR_greater, x, zero), dtype);
    struct ir_value *below = onnx_cast(n, onnx_helper2(n, IR_less, x, zero), dtype);
    struct ir_value *sign = onnx_helper2(n, IR_sub, above, below);
    if (dtype == IR_F32)
        sign = choose(n, onnx_helper2(n, IR_equal, x, x), sign, x);
    return onnx_set_out(n, 0, sign);
}

bool import_is_nan(struct onnx_node *n)
{
    return onnx_set_out(n, 0, onnx_is_nan(n, onnx_in(n, 0)));
}

/* Either infinity, or neither, may be asked for. */
bool import_is_inf(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    bool positive = onnx_attr_i64(n, "detect_positive", 1) != 0;
    bool negative = onnx_attr_i64(n, "detect_negative", 1) != 0;
    float wanted = positive ? INFINITY : negative ? -INFINITY : NAN; /* which nothing equals */
    if (positive && negative)
        x = onnx_helper1(n, IR_abs, NULL, x);
    return onnx_set_out(n, 0, onnx_helper2(n, IR_equal, x, onnx_scalar(n, wanted)));
}

/* x if it is above alpha, else 0 */
struct ir_value *onnx_thresholded(struct onnx_node *n, struct ir_value *x, float alpha)
{
    struct ir_value *above = onnx_helper2(n, IR_greater, x, onnx_scalar(n, alpha));
    return choose(n, above, x, onnx_scalar(n, 0));
}

bool import_thresholded_relu(struct onnx_node *n)
{
    float alpha = onnx_attr_f32(n, "alpha", 1);
    return onnx_set_out(n, 0, onnx_thresholded(n, onnx_in(n, 0), alpha));
}

/* x + bias below -lambd, x - bias above lambd, 0 between */
bool import_shrink(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *bias = onnx_scalar(n, onnx_attr_f32(n, "bias", 0));
    float lambd = onnx_attr_f32(n, "lambd", 0.5f);
    struct ir_value *above = onnx_helper2(n, IR_greater, x, onnx_scalar(n, lambd));
    struct ir_value *below = onnx_helper2(n, IR_less, x, onnx_scalar(n, -lambd));
    struct ir_value *v = choose(n, above, onnx_helper2(n, IR_sub, x, bias), onnx_scalar(n, 0));
    return onnx_set_out(n, 0, choose(n, below, onnx_helper2(n, IR_add, x, bias), v));
}
