/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * lanes.c - elementwise operations as lanes of vector programs.
 *
 * A lane reads operands a and b, lanes before it, and constants: one value as the lane's immediate,
 * one for each channel as a row of the program's constants view. An u8 is an i32 in a program; that
 * it lies in 0..255 is left to the store behind the last lane, and made sure of by lanes where a
 * program goes on (term.below, above).
 */
#include "lanes.h"

#include <math.h>
#include <string.h>

enum { F2I_MOST = IR_MOST_QUANTIZED }; /* of f2i's results */

struct lanes lanes_new(void)
{
    return (struct lanes){.program.arity = 1, .result.code = LANE_A};
}

bool lanes_fit(const struct lanes *l, unsigned spare)
{
    return !l->full && l->program.n_ops + spare <= ISA_MAX_LANE_OPS;
}

/* ---- operands ---- */

/* A constant that a vector program can hold: one value, or one per channel. */
static bool is_vector(const struct ir_value *v)
{
    return ir_is(v, IR_constant) && v->type.rank == 3 && v->type.dim[0] == 1 && v->type.dim[1] == 1;
}

/* Is the value spread over the result of the operation? */
static bool is_spread(const struct ir_value *v, const struct ir_op *op)
{
    return memcmp(v->type.dim, op->out->type.dim, 3 * sizeof *v->type.dim) != 0;
}

static bool binary_runtime(const struct ir_op *op, unsigned i)
{
    const struct ir_value *other = op->in[1 - i].value;
    return !is_vector(op->in[i].value) || ir_is(other, IR_constant) || is_spread(other, op);
}

unsigned lanes_runtime(const struct ir_op *op, unsigned at[2])
{
    unsigned n = 0;
    switch (op->opcode) {
    case IR_quantize:
    case IR_dequantize:
    case IR_requantize:
        for (unsigned i = 1; i < op->n_in; i++)
            if (!is_vector(op->in[i].value))
                return 0;
        at[0] = 0;
        return 1;
    case IR_cast:
    case IR_table: at[0] = 0; return 1;
    default: break;
    }
    unsigned traits = ir_op_descs[op->opcode].traits;
    if (!(traits & (IR_UNARY | IR_BINARY)))
        return 0;
    for (unsigned i = 0; i < op->n_in; i++)
        if (op->n_in == 1 || binary_runtime(op, i))
            at[n++] = i;
    return n;
}

static struct term number(int64_t value)
{
    return (struct term){.code = LANE_IMM, .imm = (uint32_t)value};
}

static struct term real(float value)
{
    return (struct term){.code = LANE_IMM, .imm = f32_bits(value)};
}

static struct term row(struct lanes *l, const struct ir_value *constant)
{
    l->full |= l->n_vectors == ISA_MAX_LANE_OPS;
    if (!l->full)
        l->vector[l->n_vectors++] = constant->def;
    return (struct term){.code = (uint8_t)(LANE_CONST0 + l->n_vectors - 1)};
}

static struct term constant(struct lanes *l, const struct ir_value *c)
{
    if (c->type.dim[2] != 1)
        return row(l, c);
    double value = ir_const_f64(c->def, 0);
    return c->type.dtype == IR_F32 ? real((float)value) : number((int64_t)value);
}

/* Is the constant one value, the given one? */
static bool is_only(const struct ir_value *c, double value)
{
    return c->type.dim[2] == 1 && ir_const_f64(c->def, 0) == value;
}

/* ---- lanes ---- */

static struct term add(struct lanes *l, struct isa_lane lane)
{
    l->full |= l->program.n_ops == ISA_MAX_LANE_OPS;
    if (!l->full)
        l->program.ops[l->program.n_ops++] = lane;
    return (struct term){.code = (uint8_t)(l->program.n_ops - 1)};
}

static struct term unary(struct lanes *l, enum isa_lane_op op, struct term x)
{
    return add(l, (struct isa_lane){.op = (uint8_t)op, .x = x.code});
}

static struct term binary(struct lanes *l, enum isa_lane_op op, struct term x, struct term y)
{
    uint32_t imm = x.code == LANE_IMM ? x.imm : y.imm;
    return add(l, (struct isa_lane){(uint8_t)op, x.code, y.code, imm});
}

/* min(max(x, lo), hi), an u8: bounds that are its own are left to who reads it. */
static struct term bounded(struct lanes *l, struct term x, int64_t lo, int64_t hi)
{
    bool below = lo <= 0, above = hi >= UINT8_MAX;
    if (!below)
        x = binary(l, LANE_IMAX, x, number(lo));
    if (!above)
        x = binary(l, LANE_IMIN, x, number(hi));
    x.below = below;
    x.above = above;
    return x;
}

/* The value itself, where it is no longer left to a store. */
static struct term settled(struct lanes *l, struct term x)
{
    if (x.below)
        x = (struct term){.code = binary(l, LANE_IMAX, x, number(0)).code, .above = x.above};
    if (x.above)
        x = binary(l, LANE_IMIN, x, number(UINT8_MAX));
    return x;
}

/* ---- operations ---- */

/* An operation that is one lane, of f32 and of integers; greater is less, swapped. */
static enum isa_lane_op lane_of(enum ir_opcode opcode, bool integer)
{
    switch (opcode) {
    case IR_leaky_relu: return LANE_LEAKY;
    case IR_exp: return LANE_EXP;
    case IR_log: return LANE_LOG;
    case IR_sqrt: return LANE_SQRT;
    case IR_sigmoid: return LANE_SIGMOID;
    case IR_tanh: return LANE_TANH;
    case IR_neg: return LANE_NEG;
    case IR_abs: return LANE_ABS;
    case IR_erf: return LANE_ERF;
    case IR_sin: return LANE_SIN;
    case IR_cos: return LANE_COS;
    case IR_floor: return LANE_FLOOR;
    case IR_ceil: return LANE_CEIL;
    case IR_round: return LANE_RINT;
    case IR_pow: return LANE_POW;
    case IR_mask: return LANE_MASK;
    case IR_merge: return LANE_IOR;
    case IR_div: return integer ? LANE_IDIV : LANE_DIV;
    case IR_mod: return integer ? LANE_IMOD : LANE_FMOD;
    case IR_equal: return integer ? LANE_IEQ : LANE_FEQ;
    case IR_less:
    case IR_greater: return integer ? LANE_ILT : LANE_FLT;
    case IR_add: return integer ? LANE_IADD : LANE_ADD;
    case IR_sub: return integer ? LANE_ISUB : LANE_SUB;
    case IR_mul: return integer ? LANE_IMUL : LANE_MUL;
    case IR_min: return integer ? LANE_IMIN : LANE_MIN;
    case IR_max: return integer ? LANE_IMAX : LANE_MAX;
    default: BUG("%s is no lane", ir_op_descs[opcode].name);
    }
}

/* x times or divided by a scale; 1 changes nothing. */
static struct term scaled(struct lanes *l, enum isa_lane_op op, struct term x,
                          const struct ir_value *scale)
{
    return is_only(scale, 1) ? x : binary(l, op, x, constant(l, scale));
}

static struct term quantize(struct lanes *l, const struct ir_op *op, struct term x)
{
    const struct ir_attrs_quantize *q = &op->attrs->quantize;
    x = unary(l, LANE_F2I, scaled(l, LANE_DIV, x, op->in[1].value));
    if (op->n_in > 2 && !is_only(op->in[2].value, 0))
        x = binary(l, LANE_IADD, x, constant(l, op->in[2].value));
    if (q->dtype == IR_U8)
        return bounded(l, x, q->lo, q->hi);
    if (q->lo > -F2I_MOST)
        x = binary(l, LANE_IMAX, x, number(q->lo));
    return q->hi < F2I_MOST ? binary(l, LANE_IMIN, x, number(q->hi)) : x;
}

static struct term dequantize(struct lanes *l, const struct ir_op *op, struct term x)
{
    if (op->n_in > 2 && !is_only(op->in[2].value, 0))
        x = binary(l, LANE_ISUB, x, constant(l, op->in[2].value));
    return scaled(l, LANE_MUL, unary(l, LANE_I2F, x), op->in[1].value);
}

/* The fixed multiplication saturates: can its result be so large that adding `zero` wraps? */
static bool may_wrap(const struct ir_op *op)
{
    const struct ir_attrs_requantize *r = &op->attrs->requantize;
    double most[2] = {0, 0}; /* of mult, of add */
    for (unsigned k = 0; k < 2; k++)
        for (int64_t i = 0; i < ir_count(&op->in[2 + k].value->type); i++)
            most[k] = fmax(most[k], fabs(ir_const_f64(op->in[2 + k].value->def, i)));
    return ldexp(most[0] * 0x1p31 + most[1], (int)-r->shift) + 1 + (double)r->zero >= INT32_MAX;
}

static struct term requantize(struct lanes *l, const struct ir_op *op, struct term x)
{
    const struct ir_attrs_requantize *r = &op->attrs->requantize;
    if (!is_only(op->in[1].value, 0))
        x = binary(l, LANE_IADD, x, constant(l, op->in[1].value));
    if (r->kind == IR_REQUANT_FIXED) {
        struct term k = row(l, op->in[2].value);
        row(l, op->in[3].value); /* the row behind it */
        x = add(l, (struct isa_lane){LANE_RQ, x.code, k.code, (uint32_t)r->shift});
        if (r->zero && may_wrap(op))
            x = binary(l, LANE_IMIN, x, number(INT32_MAX - r->zero));
    } else {
        x = unary(l, LANE_F2I, scaled(l, LANE_MUL, unary(l, LANE_I2F, x), op->in[2].value));
    }
    if (r->zero)
        x = binary(l, LANE_IADD, x, number(r->zero));
    return bounded(l, x, r->lo, r->hi);
}

static struct term look_up(struct lanes *l, const struct ir_op *op, struct term x)
{
    l->full |= l->n_tables == ISA_MAX_LANE_OPS;
    if (l->full)
        return x;
    l->table[l->n_tables] = op->in[1].value->def;
    return add(l, (struct isa_lane){.op = LANE_TAB, .x = x.code, .imm = l->n_tables++});
}

static struct term clip(struct lanes *l, const struct ir_op *op, struct term x, bool integer)
{
    float lo = op->attrs->clip.lo, hi = op->attrs->clip.hi;
    if (!integer)
        return binary(l, LANE_MIN, binary(l, LANE_MAX, x, real(lo)), real(hi));
    if (!isinf(lo))
        x = binary(l, LANE_IMAX, x, number((int64_t)lo));
    return isinf(hi) ? x : binary(l, LANE_IMIN, x, number((int64_t)hi));
}

/* An operation on two values, or on one and a constant. */
static struct term pair(struct lanes *l, const struct ir_op *op, const struct term x[2],
                        bool integer)
{
    unsigned at[2];
    struct term operand[2] = {x[0], x[1]};
    if (lanes_runtime(op, at) == 1) {
        operand[at[0]] = x[0];
        operand[1 - at[0]] = constant(l, op->in[1 - at[0]].value);
    }
    bool swap = op->opcode == IR_greater;
    return binary(l, lane_of(op->opcode, integer), operand[swap], operand[!swap]);
}

/* Floats lose their fraction, an u8 keeps its lowest 8 bits. */
static struct term cast(struct lanes *l, const struct ir_op *op, struct term x)
{
    uint8_t from = op->in[0].value->type.dtype, to = op->out->type.dtype;
    if (from != IR_F32 && to == IR_F32)
        return unary(l, LANE_I2F, x);
    if (from == IR_F32 && to != IR_F32)
        x = unary(l, LANE_F2I, unary(l, LANE_TRUNC, x));
    return from != IR_U8 && to == IR_U8 ? binary(l, LANE_IAND, x, number(UINT8_MAX)) : x;
}

static struct term elementwise(struct lanes *l, const struct ir_op *op, const struct term x[2])
{
    bool integer = op->in[0].value->type.dtype != IR_F32;
    switch (op->opcode) {
    case IR_quantize: return quantize(l, op, x[0]);
    case IR_dequantize: return dequantize(l, op, x[0]);
    case IR_requantize: return requantize(l, op, x[0]);
    case IR_table: return look_up(l, op, x[0]);
    case IR_cast: return cast(l, op, x[0]);
    case IR_clip: return clip(l, op, x[0], integer);
    case IR_relu: return binary(l, LANE_MAX, x[0], real(0));
    case IR_leaky_relu: return binary(l, LANE_LEAKY, x[0], real(op->attrs->leaky_relu.alpha));
    default:
        return op->n_in == 1 ? unary(l, lane_of(op->opcode, integer), x[0])
                             : pair(l, op, x, integer);
    }
}

void lanes_append(struct lanes *l, const struct ir_op *op, const struct term x[2])
{
    unsigned at[2];
    bool two = lanes_runtime(op, at) == 2;
    struct term operand[2] = {settled(l, x[0]), two ? settled(l, x[1]) : x[0]};
    l->result = elementwise(l, op, operand);
}

/* ---- whole programs ---- */

/* An operand code of a program that now begins at lane and row of a longer one. */
static uint8_t moved_code(uint8_t code, const struct lanes *before, const uint8_t operand[2])
{
    if (code == LANE_A || code == LANE_B)
        return operand[code - LANE_A];
    if (code < ISA_MAX_LANE_OPS)
        return (uint8_t)(code + before->program.n_ops);
    return code >= LANE_CONST0 ? (uint8_t)(code + before->n_vectors) : code;
}

void lanes_join(struct lanes *l, const struct lanes *front, const uint8_t code[2])
{
    const struct lanes before = *l;
    for (unsigned i = 0; i < front->n_vectors; i++)
        row(l, front->vector[i]->out);
    l->full |= before.n_tables + front->n_tables > ISA_MAX_LANE_OPS;
    for (unsigned i = 0; !l->full && i < front->n_tables; i++)
        l->table[l->n_tables++] = front->table[i];
    for (unsigned i = 0; i < front->program.n_ops; i++) {
        struct isa_lane lane = front->program.ops[i];
        lane.x = moved_code(lane.x, &before, code);
        if (isa_lane_arity(lane.op) == 2)
            lane.y = moved_code(lane.y, &before, code);
        if (lane.op == LANE_TAB)
            lane.imm += before.n_tables;
        add(l, lane);
    }
    l->result = front->result;
    l->result.code = moved_code(front->result.code, &before, code);
}

void lanes_settle(struct lanes *l)
{
    l->result = settled(l, l->result);
}

void lanes_add_sum(struct lanes *l, enum element element)
{
    enum isa_lane_op op = element == ELEMENT_f32 ? LANE_ADD : LANE_IADD;
    l->program.arity = 2;
    l->result = binary(l, op, (struct term){.code = LANE_A}, (struct term){.code = LANE_B});
}

void lanes_copy(struct lanes *l)
{
    if (l->program.n_ops == 0)
        l->result = unary(l, LANE_MOV, (struct term){.code = LANE_A});
}
