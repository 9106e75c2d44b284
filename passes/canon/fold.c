/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fold.c - constant folding: an operation whose operands are all constants becomes a constant. One
 * walk in list order suffices, since operands come first. What a result may cost is bounded.
 *
 * In mode int the integers that a base layer's weights and bias are given in stay until pass int
 * has read them: as f32 they would be other weights, and a bias of i32 would lose digits.
 */
#include "passes_internal.h"

#include "eval.h"

/* [K,N], or with ones in front. */
static bool is_matrix(const struct ir_type *t)
{
    for (int d = 0; d + 2 < t->rank; d++) {
        if (t->dim[d] != 1)
            return false;
    }
    return true;
}

static bool is_base_layer(const struct ir_value *v)
{
    while (pass_has_trait(v->def, IR_MOVES))
        v = v->def->in[0].value;
    return pass_has_trait(v->def, IR_BASE);
}

/* Is this use, of what `dtype` stands behind, one of weights or of a bias? */
static bool feeds_layer(const struct ir_use *u, enum ir_dtype dtype)
{
    const struct ir_op *op = u->user;
    uint32_t i = u == &op->in[0] ? 0 : u == &op->in[1] ? 1 : 2;
    switch (op->opcode) {
    case IR_conv: return dtype == IR_I32 ? i == 2 : i == 1;
    case IR_matmul: return dtype != IR_I32 && is_matrix(&u->value->type);
    case IR_add: return dtype == IR_I32 && is_base_layer(op->in[1 - i].value);
    default: return false;
    }
}

/* Also through moves, which are few: each dequantize is asked once. */
static bool reaches_layer(const struct ir_value *v, enum ir_dtype dtype)
{
    bool reaches = false;
    for (const struct ir_use *u = v->uses; u && !reaches; u = u->next)
        reaches = feeds_layer(u, dtype) ||
                  (pass_has_trait(u->user, IR_MOVES) && reaches_layer(u->user->out, dtype));
    return reaches;
}

static bool stays(const struct ir_op *op, const struct pass_ctx *ctx)
{
    bool early = op->graph->stage == IR_TENSOR || op->graph->stage == IR_CANONICAL;
    return ctx->mode == PASS_MODE_INT && early && op->opcode == IR_dequantize &&
           reaches_layer(op->out, (enum ir_dtype)op->in[0].value->type.dtype);
}

static enum pass_result run_fold(struct pass_ctx *ctx, struct ir_graph *g)
{
    unsigned n_errors = ctx->diag->n_errors;
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        if (op->n_in && !pass_has_trait(op, IR_IO) && !stays(op, ctx) &&
            eval_fold(op, EVAL_FOLD_BYTES, ctx->diag))
            ctx->stats[0]++;
    }
    if (ctx->diag->n_errors > n_errors)
        return PASS_FAILED;
    return ctx->stats[0] ? PASS_CHANGED : PASS_UNCHANGED;
}

static const char *const stats[] = {"operations folded", NULL};
const struct pass pass_fold = {
    .name = "fold",
    .summary = "compute what depends on constants only",
    .needs = IR_TENSOR | IR_CANONICAL | IR_INTEGER | IR_CROSSBAR,
    .reads = READS_MODE,
    .stats = stats,
    .run = run_fold,
};
