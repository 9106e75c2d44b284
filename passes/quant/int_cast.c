/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_cast.c - operations on types that no lane has, made of those that lanes have: arithmetic on
 * bytes is that of i32 between casts, casts go by way of i32, and what is true is what does not
 * equal 0.
 */
#include "int.h"

#include <math.h>

/* The value of an operand before it was brought to bytes, as an i32. */
static struct ir_value *as_i32(const struct pass_place *at, struct ir_value *v, enum ir_dtype was)
{
    struct ir_value *x = int_byte(at, v);
    if (x->type.dtype != IR_I32)
        x = int_cast(at, x, IR_I32);
    return was == IR_I8 ? pass_emit2(at, IR_sub, NULL, x, int_const_i32(at, INT_SHIFT)) : x;
}

static struct ir_value *named_cast(const struct pass_place *at, struct ir_value *x,
                                   enum ir_dtype to, const char *name)
{
    union ir_attrs attrs = {.cast = {.to = to}};
    struct ir_new desc = {.opcode = IR_cast, .in = &x, .n_in = 1, .attrs = &attrs, .name = name};
    return pass_emit(at, &desc);
}

/* The i32 as a value that was of this type at CANONICAL; integers wrap. */
static struct ir_value *from_i32(const struct pass_place *at, struct ir_value *x, enum ir_dtype to,
                                 const char *name)
{
    if (to == IR_I32)
        return x;
    if (to == IR_I8)
        x = pass_emit2(at, IR_add, NULL, x, int_const_i32(at, INT_SHIFT));
    return named_cast(at, x, to == IR_F32 ? IR_F32 : IR_U8, name);
}

/* x is not 0, where 0 is `zero`. */
static struct ir_value *is_true(const struct pass_place *at, struct ir_value *x, int64_t zero,
                                const char *name)
{
    struct ir_value *none = x->type.dtype == IR_F32   ? int_const_f32(at, (float)zero)
                            : x->type.dtype == IR_I32 ? int_const_i32(at, zero)
                                                      : int_const_u8(at, zero);
    struct ir_value *in[] = {pass_emit2(at, IR_equal, NULL, x, none), int_const_u8(at, 0)};
    return pass_emit(at, &(struct ir_new){.opcode = IR_equal, .in = in, .n_in = 2, .name = name});
}

static struct ir_value *cast(const struct pass_place *at, struct ir_op *op, enum ir_dtype was)
{
    struct ir_value *x = op->in[0].value;
    enum ir_dtype to = op->attrs->cast.to;
    if (was == to || (was == IR_BOOL && to == IR_U8))
        return int_byte(at, x);
    if (to == IR_BOOL)
        return is_true(at, int_byte(at, x), was == IR_I8 ? INT_SHIFT : 0, op->name);
    if (was == IR_I8 || to == IR_I8 || (was == IR_F32 && to == IR_U8)) /* by way of i32 */
        return from_i32(at, as_i32(at, x, was), to, op->name);
    return was == IR_BOOL ? named_cast(at, int_byte(at, x), to, op->name) : NULL;
}

/* The operation on i32. */
static struct ir_value *on_i32(const struct pass_place *at, struct ir_op *op,
                               const struct int_types *t)
{
    struct ir_value *in[2] = {NULL, NULL};
    struct ir_new desc = {.opcode = op->opcode, .in = in, .n_in = 2, .name = op->name};
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = as_i32(at, op->in[i].value, (enum ir_dtype)t->was[op->in[i].value->def->id]);
    if (op->opcode == IR_neg || op->opcode == IR_abs) {
        desc.opcode = IR_sub;
        in[1] = in[0];
        in[0] = int_const_i32(at, 0);
    }
    if (op->opcode == IR_abs) {
        in[0] = pass_emit2(at, IR_sub, NULL, in[0], in[1]);
        desc.opcode = IR_max;
    }
    return pass_emit(at, &desc);
}

/* A bound of a clip on the bytes or i32 that there are: an integer that they can be, or none. */
static float bound(float x, enum ir_dtype was, float none)
{
    float least = was == IR_I32 ? -0x1p31f : 0, most = was == IR_I32 ? 0x1.fffffep30f : UINT8_MAX;
    x = (none < 0 ? ceilf(x) : floorf(x)) + (was == IR_I8 ? (float)INT_SHIFT : 0.0f);
    float beyond = was == IR_I32 ? 0x1p31f : most; /* the largest i32 lies between two floats */
    bool idle = isnan(x) || (none < 0 ? x <= least : x >= beyond);
    return idle ? none : fminf(fmaxf(x, least), most);
}

static struct ir_value *clip(const struct pass_place *at, struct ir_op *op, enum ir_dtype was,
                             float lo, float hi)
{
    union ir_attrs attrs = {
        .clip = {.lo = bound(lo, was, -INFINITY), .hi = bound(hi, was, INFINITY)}};
    return pass_emit(at, &(struct ir_new){.opcode = IR_clip,
                                          .in = &op->in[0].value,
                                          .n_in = 1,
                                          .attrs = &attrs,
                                          .name = op->name});
}

struct ir_value *int_in_forms(const struct pass_place *at, struct ir_op *op,
                              const struct int_types *t)
{
    enum ir_dtype x = op->n_in ? (enum ir_dtype)t->was[op->in[0].value->def->id] : IR_F32;
    bool byte = x == IR_U8 || x == IR_I8 || x == IR_BOOL, integer = byte || x == IR_I32;
    const struct ir_attrs_clip *c = &op->attrs->clip;
    switch (op->opcode) {
    case IR_cast: return cast(at, op, x);
    case IR_clip: return integer ? clip(at, op, x, c->lo, c->hi) : NULL;
    case IR_relu:
        if (x == IR_U8 || x == IR_BOOL)
            return op->in[0].value; /* no byte is below 0 */
        return integer ? clip(at, op, x, 0, INFINITY) : NULL;
    case IR_neg:
    case IR_abs: return integer ? from_i32(at, on_i32(at, op, t), x, NULL) : NULL;
    case IR_add:
    case IR_sub:
    case IR_mul:
    case IR_div:
    case IR_mod: return byte ? from_i32(at, on_i32(at, op, t), x, NULL) : NULL;
    default: return NULL;
    }
}
