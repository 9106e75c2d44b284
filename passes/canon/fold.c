/*
 * fold.c - constant folding: an operation whose operands are all constants becomes a constant. One
 * walk in list order suffices, since operands come first. What a result may cost is bounded.
 */
#include "passes_internal.h"

#include "eval.h"

static enum pass_result run_fold(struct pass_ctx *ctx, struct ir_graph *g)
{
    unsigned n_errors = ctx->diag->n_errors;
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        if (op->n_in && !pass_has_trait(op, IR_IO) && eval_fold(op, EVAL_FOLD_BYTES, ctx->diag))
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
    .needs = IR_TENSOR | IR_CANONICAL | IR_CROSSBAR,
    .stats = stats,
    .run = run_fold,
};
