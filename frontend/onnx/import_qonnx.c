/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_qonnx.c - QONNX's and Brevitas' Quant and BipolarQuant: values that stay floats, but are
 * rounded to what integers of a few bits times a scale can be.
 *
 * Quant(x, scale, zero, bits) = (clip(round(x / scale + zero), lo, hi) - zero) * scale. With halves
 * to even, a zero point of 0 and at most 8 bits that is `quantize` and `dequantize`. (With another
 * zero point the sum is rounded, not the quotient, which differs for halves.)
 * BipolarQuant(x, scale) = x >= 0 ? scale : -scale, here of constants.
 */
#include "onnx_node.h"

#include <math.h>
#include <string.h>

/* ---- what both share ---- */

/* A scale that broadcasts to x in all its dimensions: one for all, or one along one dimension. */
static bool read_scale(struct onnx_node *n, size_t i, const struct ir_type *x,
                       struct onnx_params *out)
{
    struct ir_value *scale = onnx_in(n, i);
    int64_t axis = 0, count;
    if (!scale)
        return false;
    if (!onnx_varying_axis(&scale->type, x, &axis))
        return onnx_error(n, "the scale varies along several dimensions");
    count = ir_count(&scale->type);
    if (count > 1)
        scale = onnx_reshape(n, scale, &count, 1, false);
    return onnx_make_params(n, scale, NULL, x, max_i64(axis, 0), out);
}

/* ---- Quant ---- */

static bool read_range(struct onnx_node *n, struct onnx_integers *out)
{
    float zero, bits;
    bool is_signed = onnx_attr_i64(n, "signed", 1) != 0,
         narrow = onnx_attr_i64(n, "narrow", 0) != 0;
    const char *rounding = onnx_attr_str(n, "rounding_mode", "ROUND");
    if (n->failed || !onnx_const_f32(n, 2, &zero) || !onnx_const_f32(n, 3, &bits))
        return false;
    if (strcasecmp(rounding, "ROUND") != 0 && strcasecmp(rounding, "HALF_EVEN") != 0)
        return onnx_error(n, "rounding_mode is '%s'; ROUND is supported", rounding);
    if (zero != 0)
        return onnx_error(n, "the zero point is %g; 0 is supported", (double)zero);
    int least = is_signed ? 2 : 1;
    if (bits != floorf(bits) || bits < (float)least || bits > 8)
        return onnx_error(n, "%g bits; %d to 8 are supported", (double)bits, least);
    int64_t levels = INT64_C(1) << (int)bits, lo = is_signed ? -levels / 2 : 0;
    *out = (struct onnx_integers){is_signed ? IR_I8 : IR_U8, lo + (is_signed && narrow),
                                  lo + levels - 1 - (!is_signed && narrow)};
    return true;
}

bool import_quant(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct onnx_params p;
    struct onnx_integers to;
    if (!x || !read_scale(n, 1, &x->type, &p) || !read_range(n, &to))
        return false;
    struct ir_value *q = onnx_quantize(n, x, &p, &to);
    return q && onnx_set_out(n, 0, onnx_dequantize(n, q, &p));
}

/* ---- BipolarQuant ---- */

static int8_t sign_of(double x)
{
    return x >= 0 ? 1 : -1;
}

bool import_bipolar_quant(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct onnx_params p;
    if (!x || !read_scale(n, 1, &x->type, &p))
        return false;
    if (!onnx_is_const(x))
        return diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                          "values computed at run time are not supported; constants are");
    return onnx_set_out(n, 0, onnx_dequantize(n, onnx_const_i8(n, x, sign_of), &p));
}
