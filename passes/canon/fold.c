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

/* Of a value, by id of its operation: a base layer made it; it is one's weights or bias. All three
 * also through moves. */
struct ways {
    bool from_layer, to_weights, to_bias;
};

static void go_back(const struct ir_op *op, uint32_t i, struct ways *by_id)
{
    struct ways *w = &by_id[op->in[i].value->def->id];
    switch (op->opcode) {
    case IR_conv:
        w->to_weights |= i == 1;
        w->to_bias |= i == 2;
        break;
    case IR_matmul: w->to_weights |= is_matrix(&op->in[i].value->type); break;
    case IR_add: w->to_bias |= by_id[op->in[1 - i].value->def->id].from_layer; break;
    default: break;
    }
    if (pass_has_trait(op, IR_MOVES)) {
        w->to_weights |= by_id[op->id].to_weights;
        w->to_bias |= by_id[op->id].to_bias;
    }
}

/* Operands come first, so a walk in list order knows all that is in front, one back all behind. */
static struct ways *find_ways(struct ir_graph *g, struct arena *scratch)
{
    struct ways *by_id = ARENA_ARRAY(scratch, struct ways, ir_number(g) + 1);
    for (const struct ir_op *op = g->first; op; op = op->next)
        by_id[op->id].from_layer =
            pass_has_trait(op, IR_BASE) ||
            (pass_has_trait(op, IR_MOVES) && by_id[op->in[0].value->def->id].from_layer);
    for (const struct ir_op *op = g->last; op; op = op->prev) {
        for (uint32_t i = 0; i < op->n_in; i++)
            go_back(op, i, by_id);
    }
    return by_id;
}

static bool stays(const struct ir_op *op, const struct ways *by_id)
{
    if (!by_id || op->opcode != IR_dequantize)
        return false;
    bool is_i32 = op->in[0].value->type.dtype == IR_I32;
    return is_i32 ? by_id[op->id].to_bias : by_id[op->id].to_weights;
}

static enum pass_result run_fold(struct pass_ctx *ctx, struct ir_graph *g)
{
    unsigned n_errors = ctx->diag->n_errors;
    bool is_early = g->stage == IR_TENSOR || g->stage == IR_CANONICAL;
    const struct ways *by_id =
        ctx->mode == PASS_MODE_INT && is_early ? find_ways(g, ctx->scratch) : NULL;
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        if (op->n_in && !pass_has_trait(op, IR_IO) && !stays(op, by_id) &&
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
