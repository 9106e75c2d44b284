/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dce.c - removes operations whose result nobody uses. One walk backwards suffices, since users
 * come later in the list. Inputs and outputs stay: they are the model's interface.
 */
#include "passes_internal.h"

static enum pass_result run_dce(struct pass_ctx *ctx, struct ir_graph *g)
{
    for (struct ir_op *op = g->last, *prev; op; op = prev) {
        prev = op->prev;
        if (pass_has_trait(op, IR_IO) || !op->out || op->out->uses)
            continue;
        ir_op_remove(op);
        ctx->stats[0]++;
    }
    return ctx->stats[0] ? PASS_CHANGED : PASS_UNCHANGED;
}

static const char *const stats[] = {"operations removed", NULL};
const struct pass pass_dce = {
    .name = "dce",
    .summary = "remove operations without users",
    .needs = IR_TENSOR | IR_CANONICAL | IR_INTEGER | IR_CROSSBAR,
    .stats = stats,
    .run = run_dce,
};
