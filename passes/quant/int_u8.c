/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_u8.c - a machine has values of f32, u8 and i32. Signed bytes become unsigned ones: u = q +
 * 128, zero point + 128, bounds and padding + 128 (or fewer, shift_by_use); ports of dtype i8 flip
 * bit 7 outside. Truth becomes a byte, 0 or 1. Arithmetic on bytes is that of i32 between casts
 * (int_cast.c). Constants of i8 stay where they are weights.
 *
 * One walk in list order: operands of an operation are already such values when its turn comes.
 */
#include "int.h"

static bool was(const struct int_types *t, const struct ir_value *v, enum ir_dtype dtype)
{
    return t->was[v->def->id] == dtype;
}

/* How much higher the bytes are that a quantize makes or a dequantize reads. */
static int shift_of(const struct ir_op *op, const struct int_types *t)
{
    return t->shift[op->opcode == IR_quantize ? op->id : op->in[0].value->def->id];
}

/* Do all zero points that op has, constants, stay bytes when they are `shift` higher? */
static bool zeros_fit(const struct ir_op *op, int64_t shift)
{
    const struct ir_op *z = op->n_in > 2 ? op->in[2].value->def : NULL;
    bool fit = !z || z->opcode == IR_constant;
    int64_t n = z && fit ? ir_count(&z->out->type) : 1;
    for (int64_t i = 0; fit && i < n; i++)
        fit = int_at(z, i) + shift >= 0 && int_at(z, i) + shift <= UINT8_MAX;
    return fit;
}

/* Bytes that are only dequantised begin at 0, so that those of few bits drive crossbars by as few;
 * all others are as their type says. */
static int16_t shift_by_use(const struct ir_op *op)
{
    int64_t as_type = op->out->type.dtype == IR_I8 ? INT_SHIFT : 0;
    int64_t shift = op->opcode == IR_quantize ? -op->attrs->quantize.lo : as_type;
    bool fits = shift != as_type && op->out->type.dtype != IR_I32 && zeros_fit(op, shift);
    for (const struct ir_use *u = fits ? op->out->uses : NULL; u && fits; u = u->next)
        fits =
            u->user->opcode == IR_dequantize && u == &u->user->in[0] && zeros_fit(u->user, shift);
    return (int16_t)(fits ? shift : as_type);
}

/* A zero point as u8; one that was left out is 0. */
static struct ir_value *shifted_zero(const struct pass_place *at, const struct ir_op *op,
                                     const struct int_types *t)
{
    struct ir_value *z = op->n_in > 2 ? op->in[2].value : NULL;
    if (z && !ir_is(z, IR_constant)) {
        if (!was(t, z, IR_I8))
            BUG("a zero point of i8 was not shifted");
        return z;
    }
    int64_t n = ir_count(&op->in[1].value->type);
    uint8_t *data = heap_alloc((size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        data[i] = (uint8_t)(int_at(z ? z->def : NULL, i) + shift_of(op, t));
    struct ir_type type = ir_type_of(IR_U8, op->in[1].value->type.rank, op->in[1].value->type.dim);
    return pass_constant(at, type, blob_own(data, (size_t)n));
}

struct ir_value *int_byte(const struct pass_place *at, struct ir_value *v)
{
    enum ir_dtype dtype = (enum ir_dtype)v->type.dtype;
    if (!ir_is(v, IR_constant) || (dtype != IR_I8 && dtype != IR_BOOL))
        return v;
    int64_t n = ir_count(&v->type);
    uint8_t *data = heap_alloc((size_t)n + 1);
    for (int64_t i = 0; i < n; i++)
        data[i] = (uint8_t)(ir_const_i64(v->def, i) + (dtype == IR_I8 ? INT_SHIFT : 0));
    return pass_constant(at, ir_type_of(IR_U8, v->type.rank, v->type.dim),
                         blob_own(data, (size_t)n));
}

/* The attributes of the operation on shifted values. */
static union ir_attrs shifted_attrs(const struct ir_op *op, const struct int_types *t)
{
    union ir_attrs a = op->attrs ? *op->attrs : (union ir_attrs){0};
    switch (op->opcode) {
    case IR_quantize:
        a.quantize.dtype = IR_U8;
        a.quantize.lo += shift_of(op, t);
        a.quantize.hi += shift_of(op, t);
        break;
    case IR_pad:
        a.pad.value = a.pad.mode == IR_PAD_CONSTANT ? a.pad.value + (float)INT_SHIFT : 0;
        break;
    case IR_gather_grid: a.gather_grid.value += (float)INT_SHIFT; break;
    case IR_take: a.take.value += (float)INT_SHIFT; break;
    default: break;
    }
    return a;
}

static bool is_shifted(const struct ir_op *op, const struct int_types *t)
{
    if (op->opcode == IR_dequantize)
        return !ir_is(op->in[0].value, IR_constant) &&
               (was(t, op->in[0].value, IR_I8) || shift_of(op, t) != 0);
    return op->out->type.dtype == IR_I8 || (op->opcode == IR_quantize && shift_of(op, t) != 0);
}

/* The operation on bytes where it had others. */
static struct ir_value *on_bytes(const struct pass_place *at, struct ir_op *op,
                                 const struct int_types *t, struct arena *scratch)
{
    struct ir_value **in = ARENA_ARRAY(scratch, struct ir_value *, op->n_in + 1);
    uint32_t n_in = op->n_in;
    bool shifts = is_shifted(op, t);
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = int_byte(at, op->in[i].value);
    if (shifts && (op->opcode == IR_quantize || op->opcode == IR_dequantize)) {
        in[2] = shifted_zero(at, op, t);
        n_in = 3;
    }
    union ir_attrs attrs = shifts ? shifted_attrs(op, t) : *op->attrs;
    return pass_emit(
        at, &(struct ir_new){
                .opcode = op->opcode, .in = in, .n_in = n_in, .attrs = &attrs, .name = op->name});
}

/* A value of i8 or truth, or of other bytes than before, or what reads one; constants of i8 are
 * read as such by weights. */
static bool wants_bytes(const struct ir_op *op, const struct int_types *t)
{
    bool wants = is_shifted(op, t) || op->out->type.dtype == IR_BOOL;
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_value *v = op->in[i].value;
        wants = wants || was(t, v, IR_BOOL) || (was(t, v, IR_I8) && !ir_is(v, IR_constant));
    }
    return wants;
}

/* The operation's value by forms that a machine has; NULL where it has one itself. */
static struct ir_value *brought(struct ir_op *op, const struct int_types *t, struct arena *scratch)
{
    struct pass_place at = pass_before(op);
    struct ir_value *made = int_in_forms(&at, op, t);
    return !made && wants_bytes(op, t) ? on_bytes(&at, op, t, scratch) : made;
}

/* Constants of truth that are bytes now, and those that nobody asked for. */
static void remove_truth(struct ir_graph *g)
{
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        if (op->opcode == IR_constant && op->out->type.dtype == IR_BOOL && !op->out->uses)
            ir_op_remove(op);
    }
}

uint64_t int_bring_to_bytes(struct ir_graph *g, struct pass_ctx *ctx)
{
    uint32_t n_ops = ir_number(g);
    struct int_types t = {.was = ARENA_ARRAY(ctx->scratch, uint8_t, n_ops + 1),
                          .shift = ARENA_ARRAY(ctx->scratch, int16_t, n_ops + 1)};
    uint64_t n = 0;
    for (struct ir_op *op = g->first; op; op = op->next) {
        t.was[op->id] = op->out ? op->out->type.dtype : IR_N_DTYPES;
        t.shift[op->id] = op->out ? shift_by_use(op) : 0;
    }
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        struct pass_place at = pass_before(op);
        if (op->opcode == IR_output)
            ir_set_operand(op, 0, int_byte(&at, op->in[0].value));
        struct ir_value *made =
            op->out && op->opcode != IR_constant ? brought(op, &t, ctx->scratch) : NULL;
        if (!made)
            continue;
        if (op->n_in == 0 || made != op->in[0].value)
            made->def->id = op->id; /* its users ask by it */
        pass_replace(op, made);
        n++;
    }
    remove_truth(g);
    return n;
}
