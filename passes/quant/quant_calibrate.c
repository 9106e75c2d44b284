/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_calibrate.c - runs the float graph on the calibration tensors, image after image, and
 * keeps how each value that becomes bytes is spread.
 */
#include "quant.h"

struct watch {
    struct quant_plan *plan;
    bool ok;
};

static void seen(void *self, const struct ir_op *op, const struct tensor *value)
{
    struct watch *w = self;
    struct quant_value *v = w->plan->value_of[op->id];
    if (!v || spread_add(&v->spread, value->data, ir_count(&value->type), w->plan->arena))
        return;
    if (w->ok)
        diag_error(w->plan->ctx->diag, op->loc, DIAG_DATA,
                   "%s: on the calibration tensors a result is no finite number",
                   pass_op_text(op, w->plan->arena));
    w->ok = false;
}

bool quant_calibrate(struct quant_plan *p)
{
    struct watch w = {p, true};
    struct eval_observer observer = {.seen = seen, .self = &w, .all = true};
    if (!pass_run_images(p->graph, p->ctx, "calibrate", &observer) || !w.ok)
        return false;
    for (size_t i = 0; i < p->n_values; i++) {
        struct quant_value *v = &p->values[i];
        v->grid = spread_best_grid(&v->spread, v->bits);
    }
    for (size_t i = 0; i < p->n_layers; i++) {
        struct quant_layer *l = &p->layers[i];
        if (l->reads)
            l->grid = l->reads->grid;
    }
    return true;
}
