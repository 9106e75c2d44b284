/*
 * lanes.c - elementwise operations as lanes of vector programs.
 *
 * A lane reads operands a and b, lanes before it, and constants: one value as the lane's immediate,
 * one for each channel as a row of the program's constants view.
 */
#include "lanes.h"

/* A constant that a vector program can hold: one value, or one per channel. */
static bool is_vector(const struct ir_value *v)
{
    return ir_is(v, IR_constant) && v->type.dim[0] == 1 && v->type.dim[1] == 1;
}

/* The lane operation of an elementwise operation; clip needs two and is handled apart. */
static enum isa_lane_op lane_of(enum ir_opcode opcode)
{
    switch (opcode) {
    case IR_relu: return LANE_MAX;
    case IR_leaky_relu: return LANE_LEAKY;
    case IR_exp: return LANE_EXP;
    case IR_log: return LANE_LOG;
    case IR_sqrt: return LANE_SQRT;
    case IR_sigmoid: return LANE_SIGMOID;
    case IR_tanh: return LANE_TANH;
    case IR_neg: return LANE_NEG;
    case IR_abs: return LANE_ABS;
    case IR_add: return LANE_ADD;
    case IR_sub: return LANE_SUB;
    case IR_mul: return LANE_MUL;
    case IR_div: return LANE_DIV;
    case IR_min: return LANE_MIN;
    case IR_max: return LANE_MAX;
    default: return N_LANE_OPS;
    }
}

unsigned lanes_runtime(const struct ir_op *op, unsigned at[2])
{
    unsigned traits = ir_op_descs[op->opcode].traits, n = 0;
    if (!(traits & (IR_UNARY | IR_BINARY)))
        return 0;
    for (unsigned i = 0; i < op->n_in; i++) { /* one that is spread over the result is no value */
        const struct ir_value *other = op->in[op->n_in - 1 - i].value;
        bool held = op->n_in == 2 && is_vector(op->in[i].value) && !ir_is(other, IR_constant) &&
                    ir_type_equal(&other->type, &op->out->type);
        if (!held)
            at[n++] = i;
    }
    return n;
}

struct term lanes_result(const struct lanes *l)
{
    return (struct term){l->program.n_ops ? (uint8_t)(l->program.n_ops - 1) : LANE_A, 0};
}

bool lanes_fit(const struct lanes *l, unsigned spare)
{
    return !l->full && l->program.n_ops + spare <= ISA_MAX_LANE_OPS;
}

static struct term add_lane(struct lanes *l, enum isa_lane_op op, struct term x, struct term y)
{
    struct isa_lane lane = {(uint8_t)op, x.code, y.code, x.code == LANE_IMM ? x.imm : y.imm};
    l->full |= l->program.n_ops == ISA_MAX_LANE_OPS;
    if (!l->full)
        l->program.ops[l->program.n_ops++] = lane;
    return lanes_result(l);
}

static struct term immediate(float value)
{
    return (struct term){LANE_IMM, isa_imm_f32(value)};
}

static uint8_t add_vector(struct lanes *l, const struct ir_op *constant)
{
    l->full |= l->n_vectors == ISA_MAX_LANE_OPS;
    if (!l->full)
        l->vector[l->n_vectors++] = constant;
    return (uint8_t)(LANE_CONST0 + l->n_vectors - 1);
}

static struct term constant_term(struct lanes *l, const struct ir_value *c)
{
    if (c->type.dim[2] == 1)
        return immediate((float)ir_const_f64(c->def, 0));
    return (struct term){add_vector(l, c->def), 0};
}

void lanes_append(struct lanes *l, const struct ir_op *op, const struct term x[2])
{
    static const struct term none = {0};
    unsigned at[2], n = lanes_runtime(op, at);
    enum isa_lane_op lane = lane_of(op->opcode);
    if (op->opcode == IR_clip) {
        struct term low = add_lane(l, LANE_MAX, x[0], immediate(op->attrs->clip.lo));
        add_lane(l, LANE_MIN, low, immediate(op->attrs->clip.hi));
    } else if (op->opcode == IR_relu) {
        add_lane(l, lane, x[0], immediate(0.0f));
    } else if (op->opcode == IR_leaky_relu) {
        add_lane(l, lane, x[0], immediate(op->attrs->leaky_relu.alpha));
    } else if (op->n_in == 1) {
        add_lane(l, lane, x[0], none);
    } else if (n == 2) {
        add_lane(l, lane, x[0], x[1]);
    } else {
        struct term c = constant_term(l, op->in[1 - at[0]].value);
        add_lane(l, lane, at[0] == 0 ? x[0] : c, at[0] == 0 ? c : x[0]);
    }
}

struct term lanes_add_sum(struct lanes *l)
{
    l->program.arity = 2;
    return add_lane(l, LANE_ADD, (struct term){LANE_A, 0}, (struct term){LANE_B, 0});
}

void lanes_add_copy(struct lanes *l)
{
    add_lane(l, LANE_MOV, (struct term){LANE_A, 0}, (struct term){0});
}

/* An operand code of a program that now begins at lane and row of the longer one. */
static uint8_t moved_code(uint8_t code, unsigned lane, unsigned row, const uint8_t operand[2])
{
    if (code == LANE_A || code == LANE_B)
        return operand[code - LANE_A];
    if (code < ISA_MAX_LANE_OPS)
        return (uint8_t)(code + lane);
    return code >= LANE_CONST0 ? (uint8_t)(code + row) : code;
}

struct term lanes_join(struct lanes *l, const struct lanes *front, const uint8_t code[2])
{
    struct term result = {code[0], 0};
    unsigned lane = l->program.n_ops, row = l->n_vectors;
    for (unsigned i = 0; i < front->n_vectors; i++)
        add_vector(l, front->vector[i]);
    for (unsigned i = 0; i < front->program.n_ops; i++) {
        const struct isa_lane *op = &front->program.ops[i];
        struct term x = {moved_code(op->x, lane, row, code), op->imm}, y = {op->y, op->imm};
        if (isa_lane_arity(op->op) == 2)
            y.code = moved_code(op->y, lane, row, code);
        result = add_lane(l, op->op, x, y);
    }
    return result;
}
