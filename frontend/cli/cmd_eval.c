/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_eval.c - `cimc eval`: what a model says, by the evaluator; nothing is compiled. */
#include "transition.h"

#include "images.h"
#include "report.h"
#include "tensors.h"

static void report(const struct build *b, const struct simulation *e, const struct cimc_options *s)
{
    if (!s->json) {
        report_outputs(e, stdout);
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    json_text(j, "model", b->model);
    report_outputs_json(e, j);
    json_open_map(j, "seconds");
    json_seconds(j, "import", b->import_seconds);
    json_seconds(j, "evaluate", e->evaluate_seconds);
    json_close_map(j);
    json_integer(j, "peak_rss_bytes", (int64_t)peak_rss_bytes());
    json_close_map(j);
    json_finish(j, stdout);
}

static bool evaluate(struct simulation *e, struct diag *d)
{
    struct io *io = &e->io;
    if (!io_load_inputs(io, e->settings, d) || !io_load_references(io, e->settings, d) ||
        !simulation_load_labels(e, d))
        return false;
    struct eval_observer watcher = {.progress = e->progress};
    struct tensor *out = ARENA_ARRAY(io->arena, struct tensor, io->n_outputs);
    double start = now_seconds();
    bool ran = io_evaluate(io, &watcher, out, d);
    e->evaluate_seconds = now_seconds() - start;
    for (size_t k = 0; k < io->n_outputs; k++)
        io->outputs[k].data = out[k].data;
    e->ran = ran;
    if (!ran)
        return false;
    e->n_right = labels_right(&e->labels, io);
    bool ok = verdict(e, d);
    if (e->settings->save_outputs)
        ok &= io_save_outputs(io, e->settings->save_outputs, d);
    return ok;
}

/* The graph as it was read, with all images of its batch, or that of one image at the end of a
 * later stage. */
static bool make_graph(const struct command_line *l, struct build *b, const struct cimc_options *s,
                       struct io_model *out, struct diag *d)
{
    static const enum ir_stage stages[] = {IR_TENSOR, IR_CANONICAL, IR_INTEGER, IR_CROSSBAR};
    bool asks_for_passes = s->mode != PASS_MODE_AUTO || s->calibrate.n;
    struct pass_options o = {.last_stage = asks_for_passes ? IR_CROSSBAR : IR_TENSOR};
    if (s->at >= 0)
        o.last_stage = stages[s->at];
    bool as_read = o.last_stage == IR_TENSOR;
    if (!start_build(l, b, s, d) || !driver_take_models(b, s, &l->args, d) ||
        !(as_read ? driver_import(b, s, d) : driver_import_all(b, s, true, d)))
        return false;
    struct model *m = &b->models[0];
    if (!as_read && !driver_lower_model(b, s, m, &o, d))
        return false;
    ir_number(b->graph);
    *out = (struct io_model){.prefix = "",
                             .described = as_read ? b->graph : m->imported,
                             .reference = b->graph,
                             .images = as_read ? ir_batch(b->graph) : m->images,
                             .assumed = m->assumed};
    out->reference_images = as_read ? out->images : 1;
    return driver_has_weights(b, NULL, d);
}

static bool eval_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    struct build b;
    struct io_model model;
    bool ok = make_graph(l, &b, s, &model, d);
    if (ok) {
        struct simulation e = {.settings = s, .progress = &l->context->progress};
        ok = io_describe(&e.io, NULL, (struct io_models){.at = &model, .n = 1}, d);
        e.io.frames = model.images;
        ok = ok && evaluate(&e, d);
        if (e.ran)
            report(&b, &e, s);
        simulation_free(&e);
    }
    driver_free(&b);
    return ok;
}

enum cimc_status cmd_eval(struct command_line *l)
{
    return run_inner(l, eval_inner);
}
