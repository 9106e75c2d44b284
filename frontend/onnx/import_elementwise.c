/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_elementwise.c - ONNX operators that work element by element, with numpy broadcasting.
 */
#include "onnx_node.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- operands ---- */

/* Before opset 7 the second operand has the first's shape, or with `broadcast` = 1 that of some of
 * its dimensions, from `axis` on, by default the last ones: a 1 for each behind is numpy's rule. */
static struct ir_value *legacy_operand(struct onnx_node *n, const struct ir_type *a,
                                       struct ir_value *b)
{
    bool broadcasts = onnx_attr_i64(n, "broadcast", 0) != 0;
    int64_t axis = onnx_attr_i64(n, "axis", a->rank - b->type.rank), dims[IR_MAX_RANK];
    uint32_t rank = b->type.rank;
    if (!broadcasts)
        axis = 0;
    axis += axis < 0 ? a->rank : 0;
    bool fits = axis >= 0 && axis <= (int64_t)a->rank - rank && (broadcasts || rank == a->rank);
    for (uint32_t i = 0; fits && i < rank; i++) {
        dims[i] = b->type.dim[i];
        fits = dims[i] == a->dim[axis + i] || (broadcasts && dims[i] == 1);
    }
    if (!fits) {
        onnx_error(n, "the second operand has not the first's shape, %s",
                   broadcasts ? "nor that of the dimensions from axis on"
                              : "as opset 6 wants it without broadcast=1");
        return NULL;
    }
    for (; axis + rank < a->rank; rank++)
        dims[rank] = 1;
    return onnx_reshape(n, b, dims, rank, false);
}

bool onnx_pair(struct onnx_node *n, struct ir_value *in[2])
{
    for (size_t i = 0; i < 2; i++)
        if (!(in[i] = onnx_in(n, i)))
            return false;
    if (n->im->opset < 7)
        in[1] = legacy_operand(n, &in[0]->type, in[1]);
    return in[1] != NULL;
}

/* ---- arithmetic ---- */

/* Relu, Exp, Sqrt, ...; also GlobalAveragePool: one operand, no attributes. */
bool import_unary(struct onnx_node *n)
{
    return onnx_set_out(n, 0, onnx_emit1(n, n->op->opcode, NULL, onnx_in(n, 0)));
}

/* Add and Sub of a product of integers and a bias: the bias is dequantised by 1, as the product. */
static bool exact_sum(struct onnx_node *n)
{
    struct ir_value *in[2];
    for (size_t i = 0; i < 2; i++)
        if (!(in[i] = onnx_is_exact(n, i) ? n->in[i]->exact : onnx_as_float(n, onnx_in(n, i))))
            return false;
    return onnx_set_exact(n, onnx_emit(n, n->op->opcode, NULL, in, 2));
}

bool import_binary(struct onnx_node *n)
{
    bool sums = n->op->opcode == IR_add || n->op->opcode == IR_sub;
    struct ir_value *in[2];
    if (sums && (onnx_is_exact(n, 0) || onnx_is_exact(n, 1)))
        return exact_sum(n);
    return onnx_pair(n, in) && onnx_set_out(n, 0, onnx_emit(n, n->op->opcode, NULL, in, 2));
}

/* 1 / x */
bool import_reciprocal(struct onnx_node *n)
{
    return onnx_set_out(n, 0, onnx_helper2(n, IR_div, onnx_scalar(n, 1), onnx_in(n, 0)));
}

/* Sum, Min, Max of any number of operands, from left to right. */
bool import_chain(struct onnx_node *n)
{
    struct ir_value *v = onnx_in(n, 0);
    for (size_t i = 1; v && i < n->proto->n_input; i++) {
        struct ir_value *in[] = {v, onnx_in(n, i)};
        bool last = i + 1 == n->proto->n_input;
        v = last ? onnx_emit(n, n->op->opcode, NULL, in, 2)
                 : onnx_emit_helper(n, n->op->opcode, NULL, in, 2);
    }
    return onnx_set_out(n, 0, v);
}

/* The sum of all operands, divided by their number. */
bool import_mean(struct onnx_node *n)
{
    struct ir_value *v = onnx_in(n, 0);
    size_t count = n->proto->n_input;
    for (size_t i = 1; v && i < count; i++)
        v = onnx_helper2(n, IR_add, v, onnx_in(n, i));
    if (count > 1)
        v = onnx_helper2(n, IR_div, v, onnx_scalar(n, (float)count));
    return onnx_set_out(n, 0, v);
}

/* ---- Clip ---- */

/* A bound known now, of any number type; *out stays where there is none. */
static bool known_bound(struct onnx_node *n, size_t i, float *out)
{
    struct ir_value *v = onnx_has_in(n, i) ? onnx_known(n, onnx_in(n, i)) : NULL;
    if (v && onnx_is_const(v) && ir_count(&v->type) == 1)
        *out = (float)ir_const_f64(v->def, 0);
    return !onnx_has_in(n, i) || (v && onnx_is_const(v) && ir_count(&v->type) == 1);
}

/* min(max(x, operand 1), operand 2) */
static struct ir_value *clip_between(struct onnx_node *n, struct ir_value *x)
{
    static const enum ir_opcode bounds[] = {IR_max, IR_min};
    for (size_t i = 0; i < 2; i++) {
        struct ir_value *bound = onnx_has_in(n, i + 1) ? onnx_in(n, i + 1) : NULL;
        if (bound && ir_count(&bound->type) != 1) {
            onnx_error(n, "bound %zu is no scalar", i + 1);
            return NULL;
        }
        if (onnx_has_in(n, i + 1))
            x = onnx_helper2(n, bounds[i], x, onnx_reshape(n, bound, NULL, 0, false));
    }
    return x;
}

union ir_attrs onnx_bounds(float lo, float hi)
{
    return (union ir_attrs){
        .clip = {.lo = isnan(lo) ? -INFINITY : lo, .hi = isnan(hi) ? INFINITY : hi}};
}

/* Bounds are attributes before opset 11, operands since; either may be absent. The attributes of
 * `clip` are floats, which hold no large integers. */
bool import_clip(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    float lo = -FLT_MAX, hi = FLT_MAX;
    if (!x)
        return false;
    if (n->im->opset < 11) {
        lo = onnx_attr_f32(n, "min", lo);
        hi = onnx_attr_f32(n, "max", hi);
    } else if (x->type.dtype == IR_I32 || !known_bound(n, 1, &lo) || !known_bound(n, 2, &hi)) {
        return onnx_set_out(n, 0, clip_between(n, x));
    }
    union ir_attrs attrs = onnx_bounds(lo, hi);
    return onnx_set_out(n, 0, onnx_emit1(n, IR_clip, &attrs, x));
}

/* ---- integers ---- */

/* Integers: the remainder has the divisor's sign, as in Python, or with fmod = 1 the dividend's, as
 * in C. Floats need fmod = 1. */
bool import_mod(struct onnx_node *n)
{
    struct ir_value *in[2];
    bool fmod = onnx_attr_i64(n, "fmod", 0) != 0;
    if (!onnx_pair(n, in))
        return false;
    bool is_float = in[0]->type.dtype == IR_F32;
    if (is_float && !fmod)
        return onnx_error(n, "floats need fmod=1");
    if (is_float || !fmod)
        return onnx_set_out(n, 0, onnx_emit(n, IR_mod, NULL, in, 2));
    struct ir_value *quotient = onnx_helper2(n, IR_div, in[0], in[1]);
    struct ir_value *whole = onnx_helper2(n, IR_mul, quotient, in[1]);
    return onnx_set_out(n, 0, onnx_emit2(n, IR_sub, NULL, in[0], whole));
}

/* 2^y, up to a y by which nothing of 8 bits is left. */
static int32_t power_of_two(double y, int most)
{
    return 1 << (y < most ? (int)y : most);
}

/* x * 2^y or x / 2^y in 32 bits, of which 8 are kept. */
bool import_bit_shift(struct onnx_node *n)
{
    unsigned direction;
    struct ir_value *in[2];
    if (!onnx_attr_choice(n, "direction", CHOICES_shift_direction, &direction) || !onnx_pair(n, in))
        return false;
    if (!onnx_has_attr(n, "direction"))
        return onnx_error(n, "has no direction");
    if (in[0]->type.dtype != IR_U8)
        return onnx_error(n, "of %s is not supported; uint8 is",
                          ir_dtype_name((enum ir_dtype)in[0]->type.dtype));
    if (in[1]->type.dtype != IR_U8)
        return onnx_error(n, "operand 1, '%s', is %s; it must be of the type of operand 0",
                          n->in[1]->name, ir_dtype_name((enum ir_dtype)in[1]->type.dtype));
    if (!onnx_is_const(in[1]))
        return onnx_error(n, "operand 1, '%s', is not known at compile time", n->in[1]->name);
    struct ir_value *x = onnx_cast(n, in[0], IR_I32);
    x = onnx_helper2(n, direction == SHIFT_LEFT ? IR_mul : IR_div, x,
                     onnx_const_i32(n, in[1], power_of_two, 30));
    return onnx_set_out(n, 0, onnx_cast(n, x, IR_U8));
}
