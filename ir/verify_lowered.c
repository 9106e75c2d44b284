/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * verify_lowered.c - what holds from stage INTEGER on: activations are f32, u8 or i32, and each
 * operation has a form for only some of them, the ones that a machine computes.
 */
#include "ir_internal.h"

#include <math.h>

enum { F32 = 1u << IR_F32, U8 = 1u << IR_U8, I32 = 1u << IR_I32 };

/* Weights have an element that no activation has, constants alone. */
static bool dtype_is_legal(const struct ir_op *op)
{
    unsigned bit = 1u << op->out->type.dtype;
    return (bit & (F32 | U8 | I32)) || (op->opcode == IR_constant && op->out->type.dtype == IR_I8);
}

/* Which dtypes operation has a form for, where infer allows more. */
static unsigned forms(enum ir_opcode opcode)
{
    switch (opcode) {
    case IR_relu:
    case IR_neg:
    case IR_abs:
    case IR_pow: return F32;
    case IR_add:
    case IR_sub:
    case IR_mul:
    case IR_div:
    case IR_mod: return F32 | I32;
    case IR_min:
    case IR_max:
    case IR_clip:
    case IR_equal:
    case IR_less:
    case IR_greater: return F32 | I32 | U8;
    default: return ~0u;
    }
}

static bool cast_is_legal(const struct ir_op *op)
{
    unsigned from = ir_in(op, 0)->dtype, to = op->out->type.dtype;
    return from != to && !(from == IR_F32 && to == IR_U8);
}

/* A bound of integers is an i32, or none. */
static bool bound_is_exact(float bound, float none)
{
    return bound == none || (bound >= -0x1p31f && bound < 0x1p31f && floorf(bound) == bound);
}

/* First operand that must be a constant but is none; n_in if there is none. */
static uint32_t first_unknown(const struct ir_op *op)
{
    bool base = ir_op_descs[op->opcode].traits & IR_BASE;
    bool wants = op->opcode == IR_requantize || op->opcode == IR_table || op->opcode == IR_mvm ||
                 (base && ir_in(op, 0)->dtype != IR_F32 && ir_in(op, 1)->dtype != IR_U8);
    uint32_t i = wants ? 1 : op->n_in;
    while (i < op->n_in && ir_is(op->in[i].value, IR_constant))
        i++;
    return i;
}

void ir_verify_lowered(struct ir_verifier *v, const struct ir_op *op)
{
    const char *stage = ir_stage_name(v->graph->stage);
    if (op->out && !dtype_is_legal(op))
        ir_fault(v, op, "the result is %s, wants f32, u8 or i32 at stage %s",
                 ir_dtype_name((enum ir_dtype)op->out->type.dtype), stage);
    if (op->n_in == 0)
        return;
    enum ir_dtype x = (enum ir_dtype)ir_in(op, 0)->dtype;
    if (!(forms(op->opcode) >> x & 1))
        ir_fault(v, op, "there is none of %s at stage %s", ir_dtype_name(x), stage);
    if (op->opcode == IR_cast && !cast_is_legal(op))
        ir_fault(v, op, "there is none from %s to %s at stage %s", ir_dtype_name(x),
                 ir_dtype_name((enum ir_dtype)op->out->type.dtype), stage);
    const struct ir_attrs_clip *clip = &op->attrs->clip;
    if (op->opcode == IR_clip && x != IR_F32 &&
        !(bound_is_exact(clip->lo, -INFINITY) && bound_is_exact(clip->hi, INFINITY)))
        ir_fault(v, op, "bounds %g, %g of %s", (double)clip->lo, (double)clip->hi,
                 ir_dtype_name(x));
    uint32_t unknown = first_unknown(op);
    if (unknown < op->n_in)
        ir_fault(v, op, "operand %u is no constant", unknown);
}
