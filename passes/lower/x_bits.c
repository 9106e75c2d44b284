/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * x_bits.c - how many bits the bytes of a value need, by what makes them: fewer than 8 where a
 * quantised layer keeps within fewer, or a table has no larger entry. Moves keep them.
 */
#include "x_bits.h"

enum { BYTE = 8 };

static uint8_t bits_of_value(int64_t most)
{
    uint8_t bits = 1;
    while (most >> bits)
        bits++;
    return bits;
}

static uint8_t bits_of_float(float most)
{
    return most >= 0 && most <= UINT8_MAX ? bits_of_value((int64_t)most) : BYTE;
}

/* Of min(max(x, lo), hi), x of so many bits. */
static uint8_t bits_of_clip(const struct ir_attrs_clip *clip, uint8_t x)
{
    uint8_t lo = clip->lo > 0 ? bits_of_float(clip->lo) : 1, hi = bits_of_float(clip->hi);
    uint8_t raised = lo > x ? lo : x;
    return hi < raised ? hi : raised;
}

static uint8_t bits_of_constant(const struct ir_op *constant)
{
    bool splat = constant->attrs->constant.data->splat;
    int64_t most = 0;
    for (int64_t i = 0, n = splat ? 1 : ir_count(&constant->out->type); i < n; i++)
        most = max_i64(most, ir_const_i64(constant, i));
    return bits_of_value(most);
}

/* The most that an operand of bytes has. */
static uint8_t bits_of_operands(const struct ir_op *op, const uint8_t *bits)
{
    uint8_t most = 1;
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_value *x = op->in[i].value;
        if (x->type.dtype == IR_U8 && bits[x->def->id] > most)
            most = bits[x->def->id];
    }
    return most;
}

/* Of a result of bytes. */
static uint8_t bits_of_result(const struct ir_op *op, const uint8_t *bits)
{
    uint8_t in = bits_of_operands(op, bits), other = 1;
    switch (op->opcode) {
    case IR_constant: return bits_of_constant(op);
    case IR_quantize: return bits_of_value(op->attrs->quantize.hi);
    case IR_requantize: return bits_of_value(op->attrs->requantize.hi);
    case IR_table:
        return ir_is(op->in[1].value, IR_constant) ? bits_of_constant(op->in[1].value->def) : BYTE;
    case IR_clip: return bits_of_clip(&op->attrs->clip, in);
    case IR_pad: other = bits_of_float(op->attrs->pad.value); break;
    case IR_gather_grid: other = bits_of_float(op->attrs->gather_grid.value); break;
    case IR_take: other = bits_of_float(op->attrs->take.value); break;
    case IR_concat:
    case IR_slice:
    case IR_reshape:
    case IR_max_pool:
    case IR_max:
    case IR_merge: break;
    default: return BYTE;
    }
    return other > in ? other : in;
}

uint8_t *x_bits_of(struct ir_graph *g, struct arena *a)
{
    uint8_t *bits = ARENA_ARRAY(a, uint8_t, (size_t)ir_number(g) + 1);
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (op->out && op->out->type.dtype == IR_U8)
            bits[op->id] = bits_of_result(op, bits);
    return bits;
}
