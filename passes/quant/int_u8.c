/*
 * int_u8.c - signed 8-bit values become unsigned ones: u = q + 128, zero point + 128, bounds and
 * padding + 128. So the machine has one kind of activation; ports of dtype i8 flip bit 7 outside.
 * Constants of i8 stay where they are weights.
 *
 * One walk in list order: operands of an operation are already shifted when its turn comes.
 */
#include "int.h"

#include <math.h>

static const int64_t SHIFT = 128;

/* shifted[id of an old operation]: its value is 128 higher than it was. */
struct shift {
    bool *shifted;
    struct pass_ctx *ctx;
};

static bool is_shifted(const struct shift *s, const struct ir_value *v)
{
    return s->shifted[v->def->id];
}

/* A zero point as u8; one that was left out is 0. */
static struct ir_value *shifted_zero(const struct pass_place *at, const struct ir_op *op,
                                     const struct shift *s)
{
    struct ir_value *z = op->n_in > 2 ? op->in[2].value : NULL;
    if (z && !ir_is(z, IR_constant)) {
        if (!is_shifted(s, z))
            BUG("a zero point of i8 was not shifted");
        return z;
    }
    int64_t n = ir_count(&op->in[1].value->type);
    uint8_t *data = heap_alloc((size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        data[i] = (uint8_t)(int_at(z ? z->def : NULL, i) + SHIFT);
    struct ir_type type = ir_type_of(IR_U8, op->in[1].value->type.rank, op->in[1].value->type.dim);
    return pass_constant(at, type, blob_own(data, (size_t)n));
}

/* A constant of i8 that meets shifted values. */
static struct ir_value *shifted_constant(const struct pass_place *at, const struct ir_op *c)
{
    int64_t n = ir_count(&c->out->type);
    uint8_t *data = heap_alloc((size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        data[i] = (uint8_t)(ir_const_i64(c, i) + SHIFT);
    struct ir_type type = ir_type_of(IR_U8, c->out->type.rank, c->out->type.dim);
    return pass_constant(at, type, blob_own(data, (size_t)n));
}

/* The attributes of the operation on shifted values; relu is a clip to 0. */
static union ir_attrs shifted_attrs(const struct ir_op *op)
{
    union ir_attrs a = op->attrs ? *op->attrs : (union ir_attrs){0};
    switch (op->opcode) {
    case IR_quantize:
        a.quantize.dtype = IR_U8;
        a.quantize.lo += SHIFT;
        a.quantize.hi += SHIFT;
        break;
    case IR_relu: a.clip = (struct ir_attrs_clip){.lo = (float)SHIFT, .hi = INFINITY}; break;
    case IR_clip:
        a.clip.lo = fmaxf(a.clip.lo + (float)SHIFT, 0.0f); /* a bound may be infinite */
        a.clip.hi = fminf(a.clip.hi + (float)SHIFT, UINT8_MAX);
        break;
    case IR_pad:
        if (a.pad.mode == IR_PAD_CONSTANT)
            a.pad.value += (float)SHIFT;
        break;
    case IR_gather_grid: a.gather_grid.value += (float)SHIFT; break;
    default: break;
    }
    return a;
}

static void shift_op(struct ir_op *op, struct shift *s)
{
    struct pass_place at = pass_before(op);
    struct ir_value **in = ARENA_ARRAY(s->ctx->scratch, struct ir_value *, op->n_in + 1);
    uint32_t n_in = op->n_in;
    for (uint32_t i = 0; i < op->n_in; i++) {
        in[i] = op->in[i].value;
        if (ir_is(in[i], IR_constant) && in[i]->type.dtype == IR_I8)
            in[i] = shifted_constant(&at, in[i]->def);
    }
    if (op->opcode == IR_quantize || op->opcode == IR_dequantize) {
        in[2] = shifted_zero(&at, op, s);
        n_in = 3;
    }
    union ir_attrs attrs = shifted_attrs(op);
    struct ir_new desc = {.opcode = op->opcode == IR_relu ? IR_clip : op->opcode,
                          .in = in,
                          .n_in = n_in,
                          .attrs = &attrs,
                          .name = op->name};
    struct ir_value *made = pass_emit(&at, &desc);
    made->def->id = op->id; /* its users ask by it */
    s->shifted[op->id] = op->opcode != IR_dequantize;
    pass_replace(op, made);
}

/* No byte is below 0. */
static bool is_idle_relu(const struct ir_op *op)
{
    return op->opcode == IR_relu && op->out->type.dtype == IR_U8;
}

/* An output that is a constant. */
static bool shift_output(struct ir_op *op)
{
    struct ir_value *v = op->opcode == IR_output ? op->in[0].value : NULL;
    if (!v || !ir_is(v, IR_constant) || v->type.dtype != IR_I8)
        return false;
    struct pass_place at = pass_before(op);
    ir_set_operand(op, 0, shifted_constant(&at, v->def));
    return true;
}

/* A value of i8 that a machine would have to hold, or what reads one. */
static bool wants_shift(const struct ir_op *op, const struct shift *s)
{
    if (!op->out || op->opcode == IR_constant)
        return false;
    bool reads = false;
    for (uint32_t i = 0; i < op->n_in; i++)
        reads = reads || is_shifted(s, op->in[i].value);
    return reads || op->out->type.dtype == IR_I8;
}

uint64_t int_shift_to_u8(struct ir_graph *g, struct pass_ctx *ctx)
{
    struct shift s = {.ctx = ctx};
    uint64_t n = 0;
    s.shifted = ARENA_ARRAY(ctx->scratch, bool, ir_number(g) + 1);
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        bool shifts = wants_shift(op, &s);
        if (shifts)
            shift_op(op, &s);
        else if (op->out && is_idle_relu(op))
            pass_replace(op, op->in[0].value);
        n += shifts || shift_output(op);
    }
    return n;
}
