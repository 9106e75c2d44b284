/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_trigonometry.c - Tan and the hyperbolic functions and their inverses, of exponentials and
 * logarithms, in forms that lose no digits near 0.
 */
#include "onnx_node.h"

#include <float.h>

static struct ir_value *plus(struct onnx_node *n, struct ir_value *x, float constant)
{
    return onnx_helper2(n, IR_add, x, onnx_scalar(n, constant));
}

static struct ir_value *times(struct onnx_node *n, struct ir_value *x, float constant)
{
    return onnx_helper2(n, IR_mul, x, onnx_scalar(n, constant));
}

static struct ir_value *square_root(struct onnx_node *n, struct ir_value *x)
{
    return onnx_helper1(n, IR_sqrt, NULL, x);
}

/* sin(x) / cos(x) */
bool import_tan(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_value *sine = onnx_helper1(n, IR_sin, NULL, x);
    return onnx_set_out(n, 0, onnx_helper2(n, IR_div, sine, onnx_helper1(n, IR_cos, NULL, x)));
}

/* With e = exp(|x|/2): (e/2)*e + (1/2/e)/e, where e^2 may be no number yet. */
static struct ir_value *hyperbolic_cosine(struct onnx_node *n, struct ir_value *x)
{
    struct ir_value *e =
        onnx_helper1(n, IR_exp, NULL, times(n, onnx_helper1(n, IR_abs, NULL, x), 0.5f));
    struct ir_value *rising = onnx_helper2(n, IR_mul, times(n, e, 0.5f), e);
    struct ir_value *falling =
        onnx_helper2(n, IR_div, onnx_helper2(n, IR_div, onnx_scalar(n, 0.5f), e), e);
    return onnx_helper2(n, IR_add, rising, falling);
}

bool import_cosh(struct onnx_node *n)
{
    return onnx_set_out(n, 0, hyperbolic_cosine(n, onnx_in(n, 0)));
}

/* tanh(x) * cosh(x) */
bool import_sinh(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_value *tangent = onnx_helper1(n, IR_tanh, NULL, x);
    return onnx_set_out(n, 0, onnx_helper2(n, IR_mul, tangent, hyperbolic_cosine(n, x)));
}

/* log(1 + x): the logarithm of u = 1 + x as rounded, and to first order of what was lost:
 * log(u) + (x - (u - 1))/u. Beyond 2^24 nothing is lost that counts. */
static struct ir_value *log_of_one_plus(struct onnx_node *n, struct ir_value *x)
{
    union ir_attrs small = {.clip = {.lo = -1, .hi = 0x1p24f}};
    union ir_attrs divisor = {.clip = {.lo = FLT_MIN, .hi = FLT_MAX}};
    struct ir_value *cut = onnx_helper1(n, IR_clip, &small, x), *u = plus(n, cut, 1);
    struct ir_value *lost = onnx_helper2(n, IR_sub, cut, plus(n, u, -1));
    lost = onnx_helper2(n, IR_div, lost, onnx_helper1(n, IR_clip, &divisor, u));
    return onnx_helper2(n, IR_add, onnx_helper1(n, IR_log, NULL, plus(n, x, 1)), lost);
}

/* (log(1 + x) - log(1 - x)) / 2 */
bool import_atanh(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct ir_value *above = log_of_one_plus(n, x);
    struct ir_value *below = log_of_one_plus(n, onnx_helper1(n, IR_neg, NULL, x));
    return onnx_set_out(n, 0, times(n, onnx_helper2(n, IR_sub, above, below), 0.5f));
}

/* With h = (x - 1)/2: 2*log(sqrt(h + 1) + sqrt(h)), which does not overflow, nor, as
 * sqrt(h + 1) - 1 = h/(sqrt(h + 1) + 1), loses digits. There h is finite, so that inf gives inf. */
bool import_acosh(struct onnx_node *n)
{
    union ir_attrs finite = {.clip = {.lo = -FLT_MAX, .hi = FLT_MAX}};
    struct ir_value *h = times(n, plus(n, onnx_in(n, 0), -1), 0.5f);
    struct ir_value *root = plus(n, square_root(n, plus(n, h, 1)), 1);
    struct ir_value *v = onnx_helper2(n, IR_div, onnx_helper1(n, IR_clip, &finite, h), root);
    v = log_of_one_plus(n, onnx_helper2(n, IR_add, square_root(n, h), v));
    return onnx_set_out(n, 0, times(n, v, 2));
}

/* Of a = |x|, m = max(a, 1), t = a/m: log(m) + log(t + s) with s = sqrt(t^2 + 1/m^2), which neither
 * overflows nor, as t + s - 1 = t + (t^2 + (1/m^2 - 1))/(s + 1), loses digits. Of inf t is 1. The
 * sign is x's. */
bool import_asinh(struct onnx_node *n)
{
    union ir_attrs finite = {.clip = {.lo = 1, .hi = FLT_MAX}}, part = {.clip = {.lo = 0, .hi = 1}};
    struct ir_value *x = onnx_in(n, 0), *a = onnx_helper1(n, IR_abs, NULL, x);
    struct ir_value *m = onnx_helper2(n, IR_max, a, onnx_scalar(n, 1));
    struct ir_value *t = onnx_helper1(
        n, IR_clip, &part, onnx_helper2(n, IR_div, a, onnx_helper1(n, IR_clip, &finite, m)));
    struct ir_value *inverse = onnx_helper2(n, IR_div, onnx_scalar(n, 1), m);
    struct ir_value *square = onnx_helper2(n, IR_mul, t, t);
    struct ir_value *rest = onnx_helper2(n, IR_mul, inverse, inverse);
    struct ir_value *s = square_root(n, onnx_helper2(n, IR_add, square, rest));
    struct ir_value *v = onnx_helper2(n, IR_add, square, plus(n, rest, -1));
    v = onnx_helper2(n, IR_add, t, onnx_helper2(n, IR_div, v, plus(n, s, 1)));
    v = onnx_helper2(n, IR_add, onnx_helper1(n, IR_log, NULL, m), log_of_one_plus(n, v));
    struct ir_value *negative = onnx_helper2(n, IR_less, x, onnx_scalar(n, 0));
    struct ir_value *in[] = {negative, onnx_helper1(n, IR_neg, NULL, v), v};
    return onnx_set_out(n, 0, onnx_emit_helper(n, IR_where, NULL, in, 3));
}
