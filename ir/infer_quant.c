/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * infer_quant.c - result types of what leads into integers, between them and out of them. Their
 * parameters are operands: one number for all of operand 0, or one for each index of an axis.
 */
#include "ir_internal.h"

#include <float.h>
#include <math.h>

static const unsigned QUANTIZED = 1u << IR_U8 | 1u << IR_I8 | 1u << IR_I32;

/* Types a parameter may have: one element, or one for each index of operand 0's `axis`. */
static struct ir_type parameter_type(const struct ir_op *op, enum ir_dtype dtype, int64_t axis)
{
    bool crossbar = ir_at_crossbar(op), per_axis = axis >= 0;
    struct ir_type t =
        ir_type_of(dtype, crossbar ? 3 : per_axis, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 1});
    if (per_axis)
        t.dim[crossbar ? axis : 0] = ir_in(op, 0)->dim[axis];
    return t;
}

static bool want_parameter(const struct ir_op *op, uint32_t i, enum ir_dtype dtype, int64_t axis,
                           struct diag *d)
{
    const struct ir_type *x = ir_in(op, 0);
    if (ir_at_crossbar(op) && x->rank != 3)
        return ir_misfit(op, d, "operand 0 has rank %u, wants (h, w, c)", x->rank);
    struct ir_type one = parameter_type(op, dtype, -1);
    if (ir_type_equal(ir_in(op, i), &one))
        return true;
    if (axis < 0 || axis >= x->rank)
        return ir_misfit(op, d, "axis %lld of rank %u", (long long)axis, x->rank);
    struct ir_type each = parameter_type(op, dtype, axis);
    char have[200], want_one[200], want_each[200];
    return ir_type_equal(ir_in(op, i), &each) ||
           ir_misfit(op, d, "operand %u is %s, wants %s or %s", i,
                     ir_type_text(ir_in(op, i), have, sizeof have),
                     ir_type_text(&one, want_one, sizeof want_one),
                     ir_type_text(&each, want_each, sizeof want_each));
}

/* Elements of a constant are `least` or more, and finite; what is known at run time only may be
 * anything. */
static bool want_finite(const struct ir_op *op, uint32_t i, float least, const char *what,
                        struct diag *d)
{
    const struct ir_op *c = op->in[i].value->def;
    int64_t n = c->opcode == IR_constant ? ir_count(&c->out->type) : 0;
    if (n && ir_op_blob(c)->splat)
        n = 1;
    for (int64_t k = 0; k < n; k++) {
        double x = ir_const_f64(c, k);
        if (!(x >= (double)least) || isinf(x))
            return ir_misfit(op, d, "operand %u has %g; %s", i, x, what);
    }
    return true;
}

static bool want_scale(const struct ir_op *op, int64_t axis, struct diag *d)
{
    return want_parameter(op, 1, IR_F32, axis, d) &&
           want_finite(op, 1, FLT_MIN, "a scale is positive, finite and normal", d);
}

/* The zero point goes with the scale: as many elements. */
static bool want_zero(const struct ir_op *op, enum ir_dtype dtype, struct diag *d)
{
    if (op->n_in < 3)
        return true;
    struct ir_type want = *ir_in(op, 1);
    want.dtype = (uint8_t)dtype;
    char have_text[200], want_text[200];
    return ir_type_equal(ir_in(op, 2), &want) ||
           ir_misfit(op, d, "the zero point is %s, wants %s",
                     ir_type_text(ir_in(op, 2), have_text, sizeof have_text),
                     ir_type_text(&want, want_text, sizeof want_text));
}

/* lo..hi is a range of the dtype. */
static bool want_range(const struct ir_op *op, enum ir_dtype dtype, int64_t lo, int64_t hi,
                       struct diag *d)
{
    static const int64_t far = IR_MOST_QUANTIZED;
    int64_t least = dtype == IR_I32 ? -far : dtype == IR_I8 ? INT8_MIN : 0;
    int64_t most = dtype == IR_I32 ? far : dtype == IR_I8 ? INT8_MAX : UINT8_MAX;
    if (lo < least || hi > most)
        return ir_misfit(op, d, "lo %lld, hi %lld leave %lld..%lld of %s", (long long)lo,
                         (long long)hi, (long long)least, (long long)most, ir_dtype_name(dtype));
    return lo <= hi || ir_misfit(op, d, "lo %lld is above hi %lld", (long long)lo, (long long)hi);
}

static bool want_no_zero_of_i32(const struct ir_op *op, enum ir_dtype dtype, struct diag *d)
{
    return dtype != IR_I32 || op->n_in == 2 || ir_misfit(op, d, "an i32 has no zero point");
}

bool infer_quantize(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_quantize *at = &op->attrs->quantize;
    *out = *ir_in(op, 0);
    out->dtype = (uint8_t)at->dtype;
    if (!(QUANTIZED >> at->dtype & 1))
        return ir_misfit(op, d, "to %s, wants u8, i8 or i32", ir_dtype_name(at->dtype));
    return ir_want_dtype(op, 0, 1u << IR_F32, d) && want_no_zero_of_i32(op, at->dtype, d) &&
           want_scale(op, at->axis, d) && want_zero(op, at->dtype, d) &&
           want_range(op, at->dtype, at->lo, at->hi, d);
}

bool infer_dequantize(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    enum ir_dtype dtype = (enum ir_dtype)ir_in(op, 0)->dtype;
    *out = *ir_in(op, 0);
    out->dtype = IR_F32;
    return ir_want_dtype(op, 0, QUANTIZED, d) && want_no_zero_of_i32(op, dtype, d) &&
           want_scale(op, op->attrs->dequantize.axis, d) && want_zero(op, dtype, d);
}

/* Two's complement in 64 bits holds (acc + bias)*mult + add + half for any shift up to this. */
enum { MAX_SHIFT = 62 };

bool infer_requantize(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_requantize *at = &op->attrs->requantize;
    bool fixed = at->kind == IR_REQUANT_FIXED;
    *out = *ir_in(op, 0);
    out->dtype = IR_U8;
    if (op->n_in != (fixed ? 4u : 3u))
        return ir_misfit(op, d, "has %u operands, kind \"%s\" wants %d", op->n_in,
                         ir_requant_name(at->kind), fixed ? 4 : 3);
    if (at->shift < 0 || at->shift > (fixed ? MAX_SHIFT : 0))
        return ir_misfit(op, d, "shift %lld, kind \"%s\" wants 0..%d", (long long)at->shift,
                         ir_requant_name(at->kind), fixed ? MAX_SHIFT : 0);
    if (at->zero < 0 || at->zero > UINT8_MAX)
        return ir_misfit(op, d, "zero %lld is no u8", (long long)at->zero);
    if (!ir_want_dtype(op, 0, 1u << IR_I32, d) || !want_range(op, IR_U8, at->lo, at->hi, d))
        return false;
    for (uint32_t i = 1; i < op->n_in; i++) {
        enum ir_dtype dtype = i == 2 && !fixed ? IR_F32 : IR_I32;
        if (!want_parameter(op, i, dtype, at->axis, d))
            return false;
    }
    return fixed || want_finite(op, 2, 0, "a multiplier is finite and not negative", d);
}

bool infer_table(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_type *t = ir_in(op, 1);
    *out = *ir_in(op, 0);
    out->dtype = t->dtype;
    if (!ir_want_dtype(op, 0, 1u << IR_U8 | 1u << IR_I32, d) ||
        !ir_want_dtype(op, 1, 1u << IR_U8 | 1u << IR_I32 | 1u << IR_F32, d))
        return false;
    return (t->rank == 1 && t->dim[0] == 256) || ir_misfit(op, d, "the table is not [256]");
}

bool infer_cast(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    (void)d;
    *out = *ir_in(op, 0);
    out->dtype = (uint8_t)op->attrs->cast.to;
    return true;
}
