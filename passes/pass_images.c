/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* pass_images.c - runs of a graph on tensors that it is given in use, image after image. */
#include "passes_internal.h"

#include "eval.h"

#include <stdlib.h>

static size_t count_outputs(const struct ir_graph *g)
{
    int64_t n = 0;
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (op->opcode == IR_output)
            n = max_i64(n, op->attrs->output.index + 1);
    return (size_t)n;
}

bool pass_run_image(const struct ir_graph *g, const struct pass_calibration *c, size_t image,
                    const struct eval_observer *observer, struct diag *d)
{
    size_t n_outputs = count_outputs(g);
    struct tensor *outputs = heap_alloc(n_outputs * sizeof *outputs);
    bool ok = eval_graph(g, c->inputs + image * c->n_inputs, c->n_inputs, outputs, n_outputs,
                         observer, d);
    for (size_t k = 0; k < n_outputs && ok; k++)
        tensor_free(&outputs[k]);
    heap_free(outputs);
    return ok;
}

bool pass_run_images(const struct ir_graph *g, struct pass_ctx *ctx, const char *what,
                     const struct eval_observer *observer)
{
    const struct pass_calibration *c = ctx->calibration;
    bool ok = true;
    for (size_t i = 0; i < c->n_images && ok; i++) {
        progress_tell(ctx->progress, what, i, c->n_images);
        ok = pass_run_image(g, c, i, observer, ctx->diag);
    }
    progress_tell(ctx->progress, what, c->n_images, c->n_images);
    return ok;
}
