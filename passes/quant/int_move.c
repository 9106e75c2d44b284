/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_move.c - a dequantize goes down past what moves elements or picks the largest, a quantize
 * goes up past it:
 *
 *   move(dequantize(q)) = dequantize(move(q))      quantize(move(x)) = move(quantize(x))
 *
 * so that bytes are moved instead of floats, and what computes on both sides meets. Scales are
 * positive, so the largest stays the largest. A value that a move puts in (of padding, of an index
 * of -1) must be on the grid going down, and is rounded as everything else going up.
 */
#include "int.h"

#include <string.h>

/* Operations of one operand whose result's elements are some of the operand's. */
static bool is_move(const struct ir_op *op)
{
    bool largest = op->opcode == IR_reduce && op->attrs->reduce.kind == IR_REDUCE_MAX;
    return op->n_in == 1 && (pass_has_trait(op, IR_MOVES) || op->opcode == IR_max_pool || largest);
}

/* The value that a move puts in where it has no element; NULL if it puts in none. */
static float *filling(const struct ir_op *op, union ir_attrs *attrs)
{
    if (op->opcode == IR_pad && attrs->pad.mode == IR_PAD_CONSTANT)
        return &attrs->pad.value;
    return op->opcode == IR_gather_grid ? &attrs->gather_grid.value : NULL;
}

/* ---- down ---- */

/* The dimension of the result that is dimension `axis` of the operand; false if none is. */
static bool moved_axis(const struct ir_op *op, int64_t axis, int64_t *out)
{
    const struct ir_type *from = &op->in[0].value->type, *to = &op->out->type;
    int64_t before = 1, left = 1;
    if (op->opcode == IR_transpose) {
        for (*out = 0; op->attrs->transpose.perm.at[*out] != axis;)
            ++*out;
        return true;
    }
    for (int64_t d = 0; d < axis; d++)
        before *= from->dim[d];
    for (*out = 0; *out < to->rank; left *= to->dim[(*out)++]) {
        if (left == before && to->dim[*out] == from->dim[axis])
            return op->opcode == IR_reshape;
    }
    return false;
}

/* The number that q has where the real value is x; false if none is exactly that. */
static bool on_grid(const struct affine *a, float x, float *out)
{
    for (int64_t q = 0; q <= UINT8_MAX; q++) {
        *out = (float)q;
        if ((float)(q - a->zero) * a->scale == x)
            return true;
    }
    return false;
}

/* Some parameters for each index of an axis move with it, and weights are moved at once. */
struct ir_value *int_rule_sink(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_op *dq = op->in[0].value->def;
    union ir_attrs attrs = *op->attrs;
    float *fill = filling(op, &attrs);
    struct affine a;
    if (!is_move(op) || dq->opcode != IR_dequantize)
        return NULL;
    bool constant = ir_is(dq->in[0].value, IR_constant);
    int64_t axis = dq->attrs->dequantize.axis;
    if (dq->in[0].value->type.dtype == IR_I32 && !constant)
        return NULL; /* an accumulator's operations stay together: the quantize comes up to it */
    if (ir_count(&dq->in[1].value->type) == 1)
        axis = 0;
    else if (!moved_axis(op, axis, &axis))
        return NULL;
    if (fill && !(int_affine(dq->out, &a) && on_grid(&a, *fill, fill)))
        return NULL;
    struct ir_value *q = int_again(op, &attrs, dq->in[0].value);
    struct ir_op *folded = q && constant ? eval_fold(q->def, EVAL_FOLD_BYTES, ctx->diag) : NULL;
    if (q && constant && !folded)
        pass_remove_unused(q);
    if (!q || (constant && !folded))
        return NULL;
    struct pass_place at = pass_before(op);
    return int_dequantize(&at, folded ? folded->out : q, dq->in[1].value,
                          dq->n_in > 2 ? dq->in[2].value : NULL, axis);
}

static bool same_grid(const struct affine *a, const struct affine *b)
{
    return a->scale == b->scale && a->zero == b->zero;
}

struct ir_value *int_rule_sink_concat(struct ir_op *op, struct pass_ctx *ctx)
{
    struct affine a, first;
    struct ir_value *q[255]; /* the most that a concat has */
    (void)ctx;
    for (uint32_t i = 0; i < op->n_in; i++) {
        if (!int_affine(op->in[i].value, &a))
            return NULL;
        if (i == 0)
            first = a;
        if (!same_grid(&a, &first))
            return NULL;
        q[i] = a.q;
    }
    struct pass_place at = pass_before(op);
    struct ir_new desc = {
        .opcode = IR_concat, .in = q, .n_in = op->n_in, .attrs = op->attrs, .name = op->name};
    struct ir_value *joined = pass_emit(&at, &desc);
    const struct ir_op *dq = op->in[0].value->def;
    return int_dequantize(&at, joined, dq->in[1].value, dq->n_in > 2 ? dq->in[2].value : NULL, 0);
}

/* ---- up ---- */

/* The same quantize of another value. */
static struct ir_value *quantize_as(const struct pass_place *at, const struct ir_op *op,
                                    struct ir_value *x, const char *name)
{
    struct ir_value *in[] = {x, op->in[1].value, op->n_in > 2 ? op->in[2].value : NULL};
    return pass_emit(
        at,
        &(struct ir_new){
            .opcode = IR_quantize, .in = in, .n_in = op->n_in, .attrs = op->attrs, .name = name});
}

static bool one_scale(const struct ir_op *op)
{
    return ir_count(&op->in[1].value->type) == 1;
}

/* An input seen in some order: the machine reads it so, and has nothing to move. */
static bool is_seen_input(const struct ir_value *x)
{
    while (ir_is(x, IR_transpose) || ir_is(x, IR_reshape) || ir_is(x, IR_slice))
        x = x->def->in[0].value;
    return ir_is(x, IR_input);
}

struct ir_value *int_rule_raise(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_op *move = op->in[0].value->def;
    union ir_attrs attrs = *move->attrs;
    float *fill = filling(move, &attrs);
    struct target t;
    (void)ctx;
    if (!is_move(move) || !ir_has_one_use(move->out) || !one_scale(op) ||
        is_seen_input(move->out) || (fill && !int_target(op, &t)))
        return NULL;
    if (fill)
        *fill = (float)int_quantized(&t, *fill);
    struct pass_place at = pass_before(op);
    struct ir_value *q = quantize_as(&at, op, move->in[0].value, op->name);
    struct ir_new desc = {.opcode = move->opcode,
                          .in = &q,
                          .n_in = 1,
                          .attrs = &attrs,
                          .name = move->name,
                          .loc = move->loc};
    struct diag *d = diag_new();
    struct ir_op *made = ir_op_new(op->graph, op, &desc, d);
    diag_free(d);
    if (!made)
        pass_remove_unused(q);
    return made ? made->out : NULL;
}

struct ir_value *int_rule_raise_concat(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_op *concat = op->in[0].value->def;
    struct ir_value *q[255];
    if (concat->opcode != IR_concat || !ir_has_one_use(concat->out) || !one_scale(op))
        return NULL;
    struct pass_place at = pass_before(op);
    for (uint32_t i = 0; i < concat->n_in; i++) {
        q[i] = quantize_as(&at, op, concat->in[i].value, NULL);
        struct ir_op *known = eval_fold(q[i]->def, EVAL_FOLD_BYTES, ctx->diag);
        q[i] = known ? known->out : q[i];
    }
    return pass_emit(&at, &(struct ir_new){.opcode = IR_concat,
                                           .in = q,
                                           .n_in = concat->n_in,
                                           .attrs = concat->attrs,
                                           .name = concat->name});
}
