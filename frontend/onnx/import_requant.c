/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_requant.c - RequantShift, and models of integers that are written as floats around it.
 *
 * RequantShift(x, mul, add) = clip((x*mul + add + div/2) >> log2(div), lo, hi), where lo..hi is
 * 0..levels-1, or -levels/2..levels/2-1 if signed; halves go up. ONNX has no such operator: a model
 * that contains one holds integers in float tensors. Its inputs are therefore 8-bit integers, the
 * weights of its base layers too where they fit, and what it gives are integers again, as floats.
 */
#include "onnx_node.h"

#include <math.h>
#include <stdlib.h>

/* Is x one of lo..hi? */
static bool is_integer(double x, double lo, double hi)
{
    return x >= lo && x <= hi && x == floor(x);
}

/* ---- weights ---- */

static int8_t as_i8(double x)
{
    return (int8_t)x;
}

struct ir_value *onnx_integer_weights(struct onnx_node *n, struct ir_value *w)
{
    if (!w || !n->im->integral || !onnx_is_const(w) || w->type.dtype != IR_F32)
        return w;
    bool splat = w->def->attrs->constant.data->splat;
    int64_t count = splat ? 1 : ir_count(&w->type);
    for (int64_t i = 0; i < count; i++)
        if (!is_integer(ir_const_f64(w->def, i), INT8_MIN, INT8_MAX))
            return w;
    return onnx_as_float(n, onnx_const_i8(n, w, as_i8));
}

/* ---- RequantShift ---- */

/* Operand i, constant integers: i32 of [], or [D] of x's dimension *axis, which several share. */
static struct ir_value *integers(struct onnx_node *n, size_t i, const struct ir_type *x,
                                 int64_t *axis)
{
    struct ir_value *v = onnx_in(n, i);
    int64_t own;
    if (!v)
        return NULL;
    if (!onnx_is_const(v) || !onnx_varying_axis(&v->type, x, &own) ||
        (own >= 0 && *axis >= 0 && own != *axis)) {
        onnx_error(
            n, "operand %zu is not one constant number, nor one for each element of one dimension",
            i);
        return NULL;
    }
    int64_t count = ir_count(&v->type);
    if (v->def->attrs->constant.data->splat) { /* all are alike */
        own = -1;
        count = 1;
    }
    int32_t *at = heap_alloc((size_t)count * sizeof *at);
    for (int64_t k = 0; k < count; k++) {
        double number = ir_const_f64(v->def, k);
        if (!is_integer(number, INT32_MIN, INT32_MAX)) {
            heap_free(at);
            onnx_error(n, "operand %zu holds %g, which is no 32-bit integer", i, number);
            return NULL;
        }
        at[k] = (int32_t)number;
    }
    if (own >= 0)
        *axis = own;
    return onnx_const(n, ir_type_of(IR_I32, own >= 0, &count),
                      blob_own(at, (size_t)count * sizeof *at));
}

static struct ir_value *scalar_of(struct onnx_node *n, enum ir_dtype dtype, int32_t x)
{
    return onnx_const(n, ir_type_of(dtype, 0, NULL), blob_splat(&x, ir_dtype_bytes(dtype)));
}

/* The attributes: shift = log2(div), how many levels, signed or not. */
static bool read_levels(struct onnx_node *n, struct ir_attrs_requantize *at)
{
    double div = onnx_attr_number(n, "div", 0);
    double levels =
        onnx_attr_number(n, onnx_has_attr(n, "n_levels") ? "n_levels" : "n_levels_out", 256);
    bool is_signed = onnx_attr_number(n, "signed", 0) != 0;
    int exponent;
    onnx_ignore_attr(n, "rounding"); /* halves are added in any case */
    if (n->failed)
        return false;
    if (!(div >= 1) || frexp(div, &exponent) != 0.5 || exponent > 32)
        return onnx_error(n, "div is %g; powers of two up to 2^31 are supported", div);
    if (!is_integer(levels, 2, 256) || (is_signed && fmod(levels, 2) != 0))
        return onnx_error(n, "%g levels; 2 to 256 are supported, signed ones by twos", levels);
    at->shift = exponent - 1;
    at->zero = is_signed ? 128 : 0;
    at->lo = is_signed ? 128 - (int64_t)levels / 2 : 0;
    at->hi = at->lo + (int64_t)levels - 1;
    return true;
}

bool import_requant_shift(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    union ir_attrs attrs = {.requantize = {.kind = IR_REQUANT_FIXED, .axis = -1, .scale = 1}};
    if (!x || !read_levels(n, &attrs.requantize))
        return false;
    struct ir_value *mul = integers(n, 1, &x->type, &attrs.requantize.axis);
    struct ir_value *add = mul ? integers(n, 2, &x->type, &attrs.requantize.axis) : NULL;
    if (!add)
        return false;
    attrs.requantize.axis = max_i64(attrs.requantize.axis, 0);
    struct ir_value *in[] = {onnx_as_i32(n, x), scalar_of(n, IR_I32, 0), mul, add};
    struct ir_value *v = onnx_emit(n, IR_requantize, &attrs, in, 4);
    struct onnx_params p = {.scale = onnx_scalar(n, 1)};
    if (attrs.requantize.zero)
        p.zero = scalar_of(n, IR_U8, (int32_t)attrs.requantize.zero);
    return v && onnx_set_out(n, 0, onnx_dequantize(n, v, &p));
}
