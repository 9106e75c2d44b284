/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_quant.c - into integers, between them and out of them. Every float operation is one IEEE
 * operation, every integer one is exact in 64 bits, and no library is asked: each machine computes
 * the same bits.
 */
#include "eval_internal.h"

#include <string.h>

/* Floats beyond this many are out of the range of every integer that they may become. */
static const float FAR = IR_MOST_QUANTIZED;

/* The nearest integer, halves to the even one; 0 for a NaN. Adding 1.5 * 2^52 leaves a double no
 * bits for a fraction, and rounds as IEEE does. */
static int64_t nearest(float x)
{
    if (x != x)
        return 0;
    double inside = (double)(x > FAR ? FAR : x < -FAR ? -FAR : x);
    return (int64_t)(inside + 0x1.8p52 - 0x1.8p52);
}

static int64_t clamp(int64_t x, int64_t lo, int64_t hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* Which element of a parameter belongs to element i of the operand. */
struct along {
    int64_t inner, extent;
};
static struct along axis_of(const struct ir_type *x, int64_t axis)
{
    struct along a = {1, 1};
    if (axis < 0 || axis >= x->rank)
        return a;
    a.extent = x->dim[axis];
    for (unsigned k = (unsigned)axis + 1; k < x->rank; k++)
        a.inner *= x->dim[k];
    return a;
}
static int64_t parameter_at(const struct tensor *p, const struct along *a, int64_t i)
{
    return ir_count(&p->type) == 1 ? 0 : i / a->inner % a->extent;
}

bool eval_quantize(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                   struct diag *d)
{
    (void)d;
    const struct ir_attrs_quantize *at = &op->attrs->quantize;
    struct along a = axis_of(&in[0]->type, at->axis);
    for (int64_t i = 0, n = ir_count(&out->type); i < n; i++) {
        int64_t p = parameter_at(in[1], &a, i);
        int64_t zero = op->n_in == 3 ? tensor_load_i64(in[2], p) : 0;
        int64_t q = nearest(tensor_f32(in[0])[i] / tensor_f32(in[1])[p]) + zero;
        tensor_store_i64(out, i, clamp(q, at->lo, at->hi));
    }
    return true;
}

bool eval_dequantize(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                     struct diag *d)
{
    (void)d;
    struct along a = axis_of(&in[0]->type, op->attrs->dequantize.axis);
    for (int64_t i = 0, n = ir_count(&out->type); i < n; i++) {
        int64_t p = parameter_at(in[1], &a, i);
        int64_t zero = op->n_in == 3 ? tensor_load_i64(in[2], p) : 0;
        tensor_f32(out)[i] = (float)(tensor_load_i64(in[0], i) - zero) * tensor_f32(in[1])[p];
    }
    return true;
}

/* (sum*mult + add + half) >> shift: half up, toward minus infinity. */
static int64_t scaled_fixed(int64_t sum, int64_t mult, int64_t add, int64_t shift)
{
    int64_t half = shift ? (int64_t)1 << (shift - 1) : 0;
    int64_t t = sum * mult + add + half;
    return t >> shift;
}

bool eval_requantize(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                     struct diag *d)
{
    const struct ir_attrs_requantize *at = &op->attrs->requantize;
    struct along a = axis_of(&in[0]->type, at->axis);
    for (int64_t i = 0, n = ir_count(&out->type); i < n; i++) {
        int64_t bias = tensor_load_i64(in[1], parameter_at(in[1], &a, i));
        int64_t sum = tensor_load_i64(in[0], i) + bias, m = parameter_at(in[2], &a, i), v;
        if (sum != (int32_t)sum)
            return diag_error(d, op->loc, DIAG_DATA, "requantize: %lld does not fit 32 bits",
                              (long long)sum);
        if (at->kind == IR_REQUANT_F32)
            v = nearest((float)sum * tensor_f32(in[2])[m]);
        else
            v = scaled_fixed(sum, tensor_load_i64(in[2], m),
                             tensor_load_i64(in[3], parameter_at(in[3], &a, i)), at->shift);
        tensor_store_i64(out, i, clamp(v + at->zero, at->lo, at->hi));
    }
    return true;
}

bool eval_table(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                struct diag *d)
{
    (void)op;
    (void)d;
    size_t elem = ir_dtype_bytes((enum ir_dtype)out->type.dtype);
    for (int64_t i = 0, n = ir_count(&out->type); i < n; i++) {
        size_t entry = (size_t)(tensor_load_i64(in[0], i) & 255);
        memcpy((char *)out->data + (size_t)i * elem, (const char *)in[1]->data + entry * elem,
               elem);
    }
    return true;
}
