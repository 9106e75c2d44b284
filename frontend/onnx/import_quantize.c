/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_quantize.c - QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, and what all
 * operators on quantised tensors share: scales and zero points.
 *
 * q = saturate(round_half_to_even(x / scale) + zero), x = (q - zero) * scale: the operations
 * `quantize` and `dequantize`, one for one. Integers stay integers: a dequantised constant is not
 * folded here, since a base layer wants its weights as they are.
 * A scale with one element holds for the whole tensor, whatever `axis` says; one with more has one
 * for each element of dimension `axis`. Scales of blocks (opset 21) have no such form: weights that
 * have them become floats.
 */
#include "onnx_node.h"

#include <float.h>
#include <math.h>

/* ---- scales and zero points ---- */

/* Rank 0 where there is one element. */
static struct ir_value *parameter(struct onnx_node *n, struct ir_value *v)
{
    return v && ir_count(&v->type) == 1 ? onnx_reshape(n, v, NULL, 0, false) : v;
}

static bool check_scales(struct onnx_node *n, const struct ir_value *scale)
{
    if (!onnx_is_const(scale))
        return true;
    const struct ir_op *c = scale->def;
    int64_t count = c->attrs->constant.data->splat ? 1 : ir_count(&scale->type);
    for (int64_t i = 0; i < count; i++) {
        double s = ir_const_f64(c, i);
        if (!isnormal(s) || s < (double)FLT_MIN)
            return onnx_error(n, "scale %lld is %g, which is no positive normal number",
                              (long long)i, s);
    }
    return true;
}

bool onnx_make_params(struct onnx_node *n, struct ir_value *scale, struct ir_value *zero,
                      const struct ir_type *x, int64_t axis, struct onnx_params *out)
{
    if (!scale)
        return false;
    if (scale->type.dtype != IR_F32)
        return onnx_error(n, "the scale is %s, not f32",
                          ir_dtype_name((enum ir_dtype)scale->type.dtype));
    int64_t count = ir_count(&scale->type);
    if (zero && ir_count(&zero->type) != count)
        return onnx_error(n, "%lld scales, but %lld zero points", (long long)count,
                          (long long)ir_count(&zero->type));
    *out = (struct onnx_params){parameter(n, scale), parameter(n, zero), 0};
    if (!out->scale || (zero && !out->zero) || !check_scales(n, out->scale))
        return false;
    if (count == 1)
        return true;
    if (scale->type.rank != 1 || (zero && zero->type.rank != 1))
        return onnx_error(n, "scale and zero point have %u dimensions; at most 1 is supported",
                          scale->type.rank);
    if (!onnx_axis(n, axis, x->rank, &out->axis))
        return false;
    return count == x->dim[out->axis] ||
           onnx_error(n, "%lld scales for dimension %lld, which is %lld", (long long)count,
                      (long long)out->axis, (long long)x->dim[out->axis]);
}

bool onnx_read_params(struct onnx_node *n, size_t scale, size_t zero, const struct ir_type *x,
                      int64_t axis, struct onnx_params *out)
{
    struct ir_value *s = onnx_in(n, scale), *z = NULL;
    if (!s || (onnx_has_in(n, zero) && !(z = onnx_in(n, zero))))
        return false;
    return onnx_make_params(n, s, z, x, axis, out);
}

/* ---- to float ---- */

/* The zero point of 32-bit integers, such as a bias, can only be 0. */
static bool is_zero(const struct ir_value *zero)
{
    if (!onnx_is_const(zero))
        return false;
    int64_t count = zero->def->attrs->constant.data->splat ? 1 : ir_count(&zero->type);
    for (int64_t i = 0; i < count; i++)
        if (ir_const_i64(zero->def, i) != 0)
            return false;
    return true;
}

struct ir_value *onnx_dequantize(struct onnx_node *n, struct ir_value *x,
                                 const struct onnx_params *p)
{
    enum ir_dtype dtype = (enum ir_dtype)x->type.dtype;
    struct ir_value *zero = p->zero;
    const char *wrong = NULL;
    if (dtype != IR_I8 && dtype != IR_U8 && dtype != IR_I32)
        wrong = "u8, i8 and i32 can be dequantised";
    else if (zero && zero->type.dtype != dtype)
        wrong = "its zero point is of another type";
    else if (zero && dtype == IR_I32 && !is_zero(zero))
        wrong = "its zero point is not 0";
    if (wrong) {
        onnx_error(n, "a tensor is %s; %s", ir_dtype_name(dtype), wrong);
        return NULL;
    }
    if (dtype == IR_I32)
        zero = NULL;
    union ir_attrs attrs = {.dequantize = {.axis = p->axis}};
    struct ir_value *in[] = {x, p->scale, zero};
    return onnx_emit_helper(n, IR_dequantize, &attrs, in, zero ? 3 : 2);
}

struct ir_value *onnx_as_float(struct onnx_node *n, struct ir_value *x)
{
    return x ? onnx_dequantize(n, x, &(struct onnx_params){.scale = onnx_scalar(n, 1)}) : NULL;
}

struct ir_value *onnx_dequantized(struct onnx_node *n, size_t i, int64_t axis)
{
    struct ir_value *x = onnx_in(n, i);
    struct onnx_params p;
    if (!x || !onnx_read_params(n, i + 1, i + 2, &x->type, axis, &p))
        return NULL;
    return onnx_dequantize(n, x, &p);
}

/* A constant, or a scale, in x's dimensions: each element along `axis` `block` times. */
static struct ir_value *spread_blocks(struct onnx_node *n, struct ir_value *v,
                                      const struct ir_type *x, int64_t axis, int64_t block)
{
    int64_t *list = onnx_pick_list(n, axis, x->dim[axis]);
    for (int64_t i = 0; list && i < x->dim[axis]; i++)
        list[i] = i / block;
    return list ? onnx_grid(n, onnx_cast(n, v, IR_F32), x->dim, axis, list, 0) : NULL;
}

static bool fits_blocks(const struct ir_type *v, const struct ir_type *x, int64_t axis,
                        int64_t block)
{
    bool fits = v->rank == x->rank;
    for (int i = 0; fits && i < x->rank; i++)
        fits = v->dim[i] == (i == axis ? ceil_div_i64(x->dim[i], block) : x->dim[i]);
    return fits;
}

/* (q - zero) * scale of a constant whose scale is another after each `block` elements. */
static bool dequantize_blocks(struct onnx_node *n, struct ir_value *x, int64_t axis, int64_t block)
{
    struct ir_value *scale = onnx_in(n, 1), *zero = NULL;
    if (!scale || (onnx_has_in(n, 2) && !(zero = onnx_in(n, 2))) ||
        !onnx_axis(n, axis, x->type.rank, &axis))
        return false;
    if (!onnx_is_const(x) || !onnx_is_const(scale) || (zero && !onnx_is_const(zero)))
        return onnx_error(n, "blocks (block_size) are supported in constants only");
    if (block < 1 || !fits_blocks(&scale->type, &x->type, axis, block) ||
        (zero && !fits_blocks(&zero->type, &x->type, axis, block)))
        return onnx_error(n, "scale and zero point do not fit blocks of %lld", (long long)block);
    if (!check_scales(n, scale))
        return false;
    diag_warn(n->im->diag, n->loc, DIAG_ONNX_ATTR,
              "scales of blocks of %lld elements: these weights are floats", (long long)block);
    struct ir_value *q = onnx_cast(n, x, IR_F32);
    if (zero)
        q = onnx_helper2(n, IR_sub, q, spread_blocks(n, zero, &x->type, axis, block));
    scale = spread_blocks(n, scale, &x->type, axis, block);
    return onnx_set_out(n, 0, onnx_helper2(n, IR_mul, q, scale));
}

/* An attribute that names an element type: absent, 0, or one that is f32 inside. */
static bool wants_float(struct onnx_node *n, const char *attribute)
{
    int64_t type = onnx_attr_i64(n, attribute, 0);
    enum ir_dtype inside = IR_F32;
    return (type == 0 || (onnx_dtype_inside(type, &inside) && inside == IR_F32)) ||
           onnx_error(n, "%s is %s; floats are supported", attribute, onnx_dtype_name(type));
}

/* Microsoft's has no default axis: it is for scales of one element then. */
bool import_dequantize(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct onnx_params p;
    int64_t axis = onnx_attr_i64(n, "axis", 1), block = onnx_attr_i64(n, "block_size", 0);
    if (!x || !wants_float(n, "output_dtype"))
        return false;
    if (block)
        return dequantize_blocks(n, x, axis, block);
    return onnx_read_params(n, 1, 2, &x->type, axis, &p) &&
           onnx_set_out(n, 0, onnx_dequantize(n, x, &p));
}

/* ---- to integers ---- */

static bool has_nan(const struct ir_value *x)
{
    int64_t count = x->def->attrs->constant.data->splat ? 1 : ir_count(&x->type);
    for (int64_t i = 0; i < count; i++)
        if (isnan(ir_const_f64(x->def, i)))
            return true;
    return false;
}

struct ir_value *onnx_quantize(struct onnx_node *n, struct ir_value *x, const struct onnx_params *p,
                               const struct onnx_integers *to)
{
    if (!x)
        return NULL;
    if (x->type.dtype != IR_F32 || (onnx_is_const(x) && has_nan(x))) {
        onnx_error(n, "%s cannot be quantised",
                   x->type.dtype == IR_F32 ? "a NaN" : ir_dtype_name((enum ir_dtype)x->type.dtype));
        return NULL;
    }
    union ir_attrs attrs = {
        .quantize = {.dtype = to->dtype, .axis = p->axis, .lo = to->lo, .hi = to->hi}};
    struct ir_value *in[] = {x, p->scale, p->zero};
    return onnx_emit_helper(n, IR_quantize, &attrs, in, p->zero ? 3 : 2);
}

struct ir_value *onnx_as_i32(struct onnx_node *n, struct ir_value *x)
{
    const struct onnx_integers most = {IR_I32, -IR_MOST_QUANTIZED, IR_MOST_QUANTIZED};
    return x && x->type.dtype != IR_I32
               ? onnx_quantize(n, x, &(struct onnx_params){.scale = onnx_scalar(n, 1)}, &most)
               : x;
}

/* What the zero point, operand i, is declared as: 4-bit ones are 8-bit ones inside. Without one it
 * is 0, uint8 if the node does not say otherwise. */
static bool target(struct onnx_node *n, size_t i, struct onnx_integers *out)
{
    int64_t declared = onnx_attr_i64(n, "output_dtype", 0), type = declared;
    const struct onnx_symbol *zero = onnx_has_in(n, i) ? n->in[i] : NULL;
    if (zero && zero->tensor)
        type = zero->tensor->data_type;
    else if (zero)
        type = zero->value->type.dtype == IR_I8   ? ONNX__TENSOR_PROTO__DATA_TYPE__INT8
               : zero->value->type.dtype == IR_U8 ? ONNX__TENSOR_PROTO__DATA_TYPE__UINT8
                                                  : ONNX__TENSOR_PROTO__DATA_TYPE__INT32;
    else if (!type)
        type = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8;
    if (zero && zero->tensor && declared && declared != type)
        return onnx_error(n, "output_dtype is %s, but the zero point is %s",
                          onnx_dtype_name(declared), onnx_dtype_name(type));
    return onnx_dtype_quantized(type, out) ||
           onnx_error(n, "to %s is not supported; integers of 8 bits or 4 are",
                      onnx_dtype_name(type));
}

bool onnx_set_quantized(struct onnx_node *n, struct ir_value *v, size_t i, int64_t axis)
{
    struct onnx_params p;
    struct onnx_integers to;
    if (!v || !onnx_read_params(n, i, i + 1, &v->type, axis, &p) || !target(n, i + 1, &to))
        return false;
    return onnx_set_out(n, 0, onnx_quantize(n, v, &p, &to));
}

bool onnx_set_integers(struct onnx_node *n, struct ir_value *v, size_t zero)
{
    struct onnx_params p;
    struct onnx_integers to;
    struct ir_value *z = onnx_has_in(n, zero) ? onnx_in(n, zero) : NULL;
    if (!v || (onnx_has_in(n, zero) && !z) ||
        !onnx_make_params(n, onnx_scalar(n, 1), z, &v->type, 0, &p) || !target(n, zero, &to))
        return false;
    return onnx_set_out(n, 0, onnx_quantize(n, v, &p, &to));
}

bool import_quantize(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t axis = onnx_attr_i64(n, "axis", 1);
    onnx_ignore_attr(n, "saturate"); /* of 8-bit floats */
    if (onnx_attr_i64(n, "block_size", 0) != 0)
        return onnx_error(n, "blocks (block_size) are not supported");
    if (!wants_float(n, "precision")) /* of the division */
        return false;
    if (x && x->type.dtype == IR_I32)
        x = onnx_as_float(n, x);
    return onnx_set_quantized(n, x, 1, axis);
}

/* ---- with the range of the values at hand ---- */

/* The larger of 0 and the maximum of x, or of its negation. */
static struct ir_value *reach(struct onnx_node *n, struct ir_value *x, bool negated)
{
    union ir_attrs positive = {.clip = {.lo = 0, .hi = FLT_MAX}};
    bool all[IR_MAX_RANK];
    for (int i = 0; i < IR_MAX_RANK; i++)
        all[i] = true;
    if (negated)
        x = onnx_helper1(n, IR_neg, NULL, x);
    x = onnx_reduce(n, IR_REDUCE_MAX, x, all);
    return onnx_reshape(n, onnx_helper1(n, IR_clip, &positive, x), NULL, 0, false);
}

/* x, or 1 where x is 0: x + clip(1 - x * 2^127 * 2^127) adds nothing to the least number either. */
static struct ir_value *never_zero(struct onnx_node *n, struct ir_value *x)
{
    union ir_attrs unit = {.clip = {.lo = 0, .hi = 1}};
    struct ir_value *v = onnx_helper2(n, IR_mul, x, onnx_scalar(n, 0x1p127f));
    v = onnx_helper2(n, IR_mul, v, onnx_scalar(n, 0x1p127f));
    v = onnx_helper2(n, IR_sub, onnx_scalar(n, 1), v);
    return onnx_helper2(n, IR_add, x, onnx_helper1(n, IR_clip, &unit, v));
}

/* scale = (max - min) / 255 of a range that holds 0, zero = saturate(round(-min / scale)). Where
 * all is 0 the scale is 1, as in ONNX Runtime. */
bool import_dynamic_quantize(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    const struct onnx_integers to = {IR_U8, 0, 255};
    if (!x)
        return false;
    struct ir_value *above = reach(n, x, false), *below = reach(n, x, true);
    struct ir_value *scale = onnx_helper2(n, IR_add, above, below);
    scale = never_zero(n, onnx_helper2(n, IR_div, scale, onnx_scalar(n, 255)));
    struct onnx_params p = {.scale = scale};
    if (!scale)
        return false;
    p.zero = onnx_quantize(n, below, &p, &to);
    return p.zero && onnx_set_out(n, 1, scale) && onnx_set_out(n, 2, p.zero) &&
           onnx_set_out(n, 0, onnx_quantize(n, x, &p, &to));
}
