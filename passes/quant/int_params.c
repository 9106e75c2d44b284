/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* int_params.c - quantisation parameters, read and made: see int.h. */
#include "int.h"

#include <math.h>

/* ---- reading ---- */

static const struct ir_op *constant(const struct ir_value *v)
{
    return ir_is(v, IR_constant) ? v->def : NULL;
}

int64_t int_at(const struct ir_op *c, int64_t n)
{
    if (!c)
        return 0;
    return ir_const_i64(c, ir_count(&c->out->type) == 1 ? 0 : n);
}

float int_f32_at(const struct ir_op *c, int64_t n)
{
    return (float)ir_const_f64(c, ir_count(&c->out->type) == 1 ? 0 : n);
}

bool int_scalar(const struct ir_value *v, float *out)
{
    const struct ir_op *c = pass_f32_constant(v);
    if (!c || ir_count(&v->type) < 1)
        return false;
    if (ir_count(&v->type) > 1 && !c->attrs->constant.data->splat)
        return false;
    *out = (float)ir_const_f64(c, 0);
    return true;
}

/* Scale and zero of a quantize or dequantize, where both are constants of one element. */
static bool scalar_parameters(const struct ir_op *op, float *scale, int64_t *zero)
{
    const struct ir_op *s = constant(op->in[1].value);
    const struct ir_op *z = op->n_in > 2 ? constant(op->in[2].value) : NULL;
    if (!s || ir_count(&s->out->type) != 1 || (op->n_in > 2 && !z))
        return false;
    *scale = int_f32_at(s, 0);
    *zero = int_at(z, 0);
    return true;
}

bool int_affine(const struct ir_value *v, struct affine *out)
{
    const struct ir_op *op = v->def;
    if (op->opcode != IR_dequantize || !scalar_parameters(op, &out->scale, &out->zero))
        return false;
    out->q = op->in[0].value;
    return out->q->type.dtype == IR_U8 && !ir_is(out->q, IR_constant);
}

bool int_target(const struct ir_op *op, struct target *out)
{
    if (op->opcode != IR_quantize || op->out->type.dtype != IR_U8 ||
        !scalar_parameters(op, &out->scale, &out->zero))
        return false;
    out->lo = op->attrs->quantize.lo;
    out->hi = op->attrs->quantize.hi;
    return true;
}

static int64_t clamp(int64_t x, int64_t lo, int64_t hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

int64_t int_quantized(const struct target *t, float x)
{
    float steps = nearbyintf(x / t->scale); /* halves to even */
    if (isnan(steps))
        steps = 0;
    steps = fminf(fmaxf(steps, -1024.0f), 1024.0f); /* beyond every zero point and bound */
    return clamp((int64_t)steps + t->zero, t->lo, t->hi);
}

uint32_t int_axis(int64_t axis, const struct ir_type *t, int64_t *out_n)
{
    bool is_one = axis >= 0 && axis < t->rank;
    *out_n = t->rank ? t->dim[is_one ? axis : 0] : 1;
    return is_one ? (uint32_t)axis : 0;
}

uint32_t int_column_axis(const struct ir_op *layer)
{
    return layer->opcode == IR_conv ? 1 : layer->out->type.rank - 1u;
}

/* What is added to a base layer's sums, if it is one number, or one for each index of an axis that
 * the scale allows: one scale for all belongs to any. */
static void take_bias(struct accumulator *acc)
{
    const struct ir_op *add = acc->product->def;
    if (add->opcode != IR_add || !pass_has_trait(add->in[0].value->def, IR_BASE) ||
        !constant(add->in[1].value))
        return;
    struct ir_value *sums = add->in[0].value;
    bool is_one = ir_count(&acc->scale->out->type) == 1;
    int64_t n;
    uint32_t axis = int_axis(is_one ? int_column_axis(sums->def) : acc->axis, &sums->type, &n);
    if (!pass_is_per_channel(&add->in[1].value->type, &sums->type, axis))
        return;
    acc->product = sums;
    acc->bias = add->in[1].value->def;
    acc->axis = axis;
    acc->n = n;
}

bool int_accumulator(const struct ir_value *v, struct accumulator *out)
{
    const struct ir_op *op = v->def;
    if (op->opcode != IR_dequantize || op->in[0].value->type.dtype != IR_I32 ||
        ir_is(op->in[0].value, IR_constant) || !constant(op->in[1].value))
        return false;
    *out = (struct accumulator){.product = op->in[0].value, .scale = op->in[1].value->def};
    out->axis = int_axis(op->attrs->dequantize.axis, &v->type, &out->n);
    take_bias(out);
    return true;
}

/* ---- making ---- */

static struct ir_value *splat(const struct pass_place *at, enum ir_dtype dtype, const void *element)
{
    return pass_constant(at, ir_type_of(dtype, 0, NULL),
                         blob_splat(element, ir_dtype_bytes(dtype)));
}

struct ir_value *int_const_f32(const struct pass_place *at, float x)
{
    return splat(at, IR_F32, &x);
}

struct ir_value *int_const_u8(const struct pass_place *at, int64_t x)
{
    uint8_t element = (uint8_t)x;
    return splat(at, IR_U8, &element);
}

struct ir_value *int_const_i32(const struct pass_place *at, int64_t x)
{
    int32_t element = (int32_t)x;
    return splat(at, IR_I32, &element);
}

struct ir_value *int_const_each(const struct pass_place *at, enum ir_dtype dtype, int64_t n,
                                void *data)
{
    size_t element = ir_dtype_bytes(dtype), bytes = (size_t)n * element;
    if (n && memcmp(data, (char *)data + element, bytes - element) == 0) {
        struct ir_value *one = splat(at, dtype, data);
        heap_free(data);
        return one;
    }
    return pass_constant(at, ir_type_of(dtype, 1, &n), blob_own(data, bytes));
}

struct ir_value *int_cast(const struct pass_place *at, struct ir_value *x, enum ir_dtype to)
{
    return pass_emit1(at, IR_cast, &(union ir_attrs){.cast = {.to = to}}, x);
}

struct ir_value *int_dequantize(const struct pass_place *at, struct ir_value *q,
                                struct ir_value *scale, struct ir_value *zero, int64_t axis)
{
    union ir_attrs attrs = {.dequantize = {.axis = axis}};
    struct ir_value *in[] = {q, scale, zero};
    return pass_emit(
        at,
        &(struct ir_new){.opcode = IR_dequantize, .in = in, .n_in = zero ? 3 : 2, .attrs = &attrs});
}

struct ir_value *int_quantize(const struct pass_place *at, struct ir_value *x,
                              const struct target *t, const char *name)
{
    union ir_attrs attrs = {.quantize = {.dtype = IR_U8, .lo = t->lo, .hi = t->hi}};
    struct ir_value *in[] = {x, NULL, NULL};
    in[1] = int_const_f32(at, t->scale);
    in[2] = t->zero ? int_const_u8(at, t->zero) : NULL;
    return pass_emit(
        at,
        &(struct ir_new){
            .opcode = IR_quantize, .in = in, .n_in = in[2] ? 3 : 2, .attrs = &attrs, .name = name});
}

struct ir_value *int_again(struct ir_op *op, const union ir_attrs *attrs, struct ir_value *x)
{
    struct ir_new desc = {.opcode = op->opcode,
                          .in = &x,
                          .n_in = 1,
                          .attrs = attrs,
                          .name = op->name,
                          .loc = op->loc};
    struct diag *d = diag_new();
    struct ir_op *made = ir_op_new(op->graph, op, &desc, d);
    diag_free(d);
    return made ? made->out : NULL;
}
