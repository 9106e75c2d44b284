/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * export_quantize.c - into integers and out of them. Fewer than 8 bits are a Clip of the integers,
 * as Brevitas writes it (QCDQ); what ONNX cannot say of 32-bit integers is computed step by step.
 */
#include "onnx_exporter.h"

/* Operand i, one number or one for each index of `axis`, in op's dimensions. */
static const char *spread(struct onnx_exporter *e, const struct ir_op *op, uint32_t i, int64_t axis)
{
    const struct ir_value *v = op->in[i].value;
    int64_t dims[IR_MAX_RANK];
    unsigned rank = op->in[0].value->type.rank;
    if (v->type.rank == 0)
        return export_value(e, v);
    for (unsigned k = 0; k < rank; k++)
        dims[k] = k == axis ? v->type.dim[0] : 1;
    if (ir_is(v, IR_constant))
        return export_constant_as(e, v->def, rank, dims);
    const struct export_node n = {
        "Reshape", EXPORT_IN(export_value(e, v), export_list(e, dims, rank)), .attrs = {{0}}};
    return export_helper(e, op, &n);
}

/* x clamped to lo..hi and converted, as op's value. */
static bool clamped(struct onnx_exporter *e, const struct ir_op *op, const char *x,
                    enum ir_dtype dtype, double lo, double hi)
{
    const struct export_node clip = {
        "Clip", EXPORT_IN(x, export_number(e, dtype, lo), export_number(e, dtype, hi)),
        .attrs = {{0}}};
    return export_result_of(e, op, &clip, dtype);
}

/* ---- quantize, dequantize ---- */

/* Scale and zero point are operands 1 and 2. The latter is written where it is 0, too: it tells the
 * type, and ONNX Runtime's fusions want it. An i32 has none. */
static struct export_node linear(struct onnx_exporter *e, const struct ir_op *op, const char *type,
                                 enum ir_dtype dtype, int64_t axis, const char *in[3])
{
    const struct ir_type *scale = &op->in[1].value->type;
    struct export_node n = {type, in, dtype == IR_I32 ? 2 : 3, {{0}}};
    in[0] = export_in(e, op, 0);
    in[1] = export_in(e, op, 1);
    in[2] = op->n_in == 3 ? export_in(e, op, 2)
            : scale->rank ? export_numbers(e, dtype, 0, scale->dim[0])
                          : export_number(e, dtype, 0);
    if (scale->rank)
        n.attrs[0] = (struct export_attr)INT_ATTR("axis", axis);
    return n;
}

/* clamp(rne(x / scale)) as int32 */
static bool quantize_wide(struct onnx_exporter *e, const struct ir_op *op)
{
    const struct ir_attrs_quantize *at = &op->attrs->quantize;
    const char *q = export_helper2(e, op, "Div", export_in(e, op, 0), spread(e, op, 1, at->axis));
    return clamped(e, op, export_helper1(e, op, "Round", q), IR_F32, (double)at->lo,
                   (double)at->hi);
}

bool export_quantize(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct ir_attrs_quantize *at = &op->attrs->quantize;
    const char *in[3];
    if (at->dtype == IR_I32)
        return quantize_wide(e, op);
    const struct export_node n = linear(e, op, type, at->dtype, at->axis, in);
    bool is_u8 = at->dtype == IR_U8;
    if (at->lo == (is_u8 ? 0 : INT8_MIN) && at->hi == (is_u8 ? UINT8_MAX : INT8_MAX))
        return export_result(e, op, &n);
    return clamped(e, op, export_helper(e, op, &n), at->dtype, (double)at->lo, (double)at->hi);
}

bool export_dequantize(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const char *in[3];
    const struct export_node n = linear(e, op, type, (enum ir_dtype)op->in[0].value->type.dtype,
                                        op->attrs->dequantize.axis, in);
    return export_result(e, op, &n);
}

/* ---- requantize ---- */

/* clamp(rne((f32)(acc + bias) * mult) + zero): clamped before the sum, in which all is exact then.
 */
static bool requantize_f32(struct onnx_exporter *e, const struct ir_op *op)
{
    const struct ir_attrs_requantize *at = &op->attrs->requantize;
    const char *v = export_helper2(e, op, "Add", export_in(e, op, 0), spread(e, op, 1, at->axis));
    v = export_cast(e, op, v, IR_I32, IR_F32);
    v = export_helper1(e, op, "Round", export_helper2(e, op, "Mul", v, spread(e, op, 2, at->axis)));
    const struct export_node clip = {
        "Clip",
        EXPORT_IN(v, export_number(e, IR_F32, (double)(at->lo - at->zero)),
                  export_number(e, IR_F32, (double)(at->hi - at->zero))),
        .attrs = {{0}}};
    const struct export_node sum = {
        "Add", EXPORT_IN(export_helper(e, op, &clip), export_number(e, IR_F32, (double)at->zero)),
        .attrs = {{0}}};
    return export_result_of(e, op, &sum, IR_F32);
}

static const char *wide(struct onnx_exporter *e, const struct ir_op *op, uint32_t i, int64_t axis)
{
    return export_cast(e, op, i ? spread(e, op, i, axis) : export_in(e, op, 0), IR_I32, IR_I64);
}

/* clamp((((acc + bias)*mult + add + half) >> shift) + zero) in 64 bits. What is left of a number by
 * Mod has the divisor's sign: without it the quotient is whole, as a shift gives it. */
static bool requantize_fixed(struct onnx_exporter *e, const struct ir_op *op)
{
    const struct ir_attrs_requantize *at = &op->attrs->requantize;
    double unit = (double)((int64_t)1 << at->shift);
    const char *v = export_helper2(e, op, "Add", export_in(e, op, 0), spread(e, op, 1, at->axis));
    v = export_helper2(e, op, "Mul", export_cast(e, op, v, IR_I32, IR_I64),
                       wide(e, op, 2, at->axis));
    v = export_helper2(e, op, "Add", v, wide(e, op, 3, at->axis));
    if (at->shift) {
        v = export_helper2(e, op, "Add", v, export_number(e, IR_I64, unit / 2));
        const char *divisor = export_number(e, IR_I64, unit);
        v = export_helper2(
            e, op, "Div", export_helper2(e, op, "Sub", v, export_helper2(e, op, "Mod", v, divisor)),
            divisor);
    }
    v = export_helper2(e, op, "Add", v, export_number(e, IR_I64, (double)at->zero));
    return clamped(e, op, v, IR_I64, (double)at->lo, (double)at->hi);
}

bool export_requantize(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    return op->attrs->requantize.kind == IR_REQUANT_FIXED ? requantize_fixed(e, op)
                                                          : requantize_f32(e, op);
}
