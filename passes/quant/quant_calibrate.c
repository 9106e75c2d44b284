/*
 * quant_calibrate.c - runs the float graph on the calibration tensors, image after image, and
 * keeps how each value that becomes bytes is spread.
 */
#include "quant.h"

size_t quant_count_outputs(const struct ir_graph *g)
{
    int64_t n = 0;
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (op->opcode == IR_output)
            n = max_i64(n, op->attrs->output.index + 1);
    return (size_t)n;
}

bool quant_run_images(struct quant_plan *p, const char *what,
                      void (*seen)(void *self, const struct ir_op *op, const struct tensor *value),
                      void *self)
{
    const struct pass_calibration *c = p->ctx->calibration;
    struct eval_observer observer = {.seen = seen, .self = self};
    size_t n_outputs = quant_count_outputs(p->graph);
    bool ok = true;
    struct tensor *outputs = ARENA_ARRAY(p->arena, struct tensor, n_outputs);
    for (size_t i = 0; i < c->n_images && ok; i++) {
        progress_tell(p->ctx->progress, what, i, c->n_images);
        ok = eval_graph(p->graph, c->inputs + i * c->n_inputs, c->n_inputs, outputs, n_outputs,
                        &observer, p->ctx->diag);
        for (size_t k = 0; k < n_outputs && ok; k++)
            tensor_free(&outputs[k]);
    }
    progress_tell(p->ctx->progress, what, c->n_images, c->n_images);
    return ok;
}

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
    if (!quant_run_images(p, "calibrate", seen, &w) || !w.ok)
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
