/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * api_quantize.c - a float model becomes a quantised one, as an ONNX model that any runtime takes,
 * and a table of what that did to each layer.
 */
#include "api_handles.h"
#include "common_json.h"
#include "onnx_export.h"
#include "options.h"
#include "outputs.h"
#include "quality.h"

struct cimc_quantized {
    struct build build; /* its graph has quantize and dequantize in it */
    struct cimc_options options;
};

void cimc_quantized_free(cimc_quantized *q)
{
    if (!q)
        return;
    driver_free(&q->build);
    cimc_options_free(&q->options);
    heap_free(q);
}

struct quantize_call {
    const struct cimc_model *model;
    const struct cimc_options *options;
    cimc_quantized **out;
};

/* b->graph, and what passes print on the way. */
static bool lower(struct build *b, cimc_context *c, const struct cimc_options *o)
{
    struct writer log;
    log_open(c, &log);
    struct pass_options passes = {.stop_after = "quant",
                                  .print_changed = o->print_changed,
                                  .time_passes = o->time_passes,
                                  .stats = o->pass_stats};
    b->log = log.f;
    bool ok = driver_lower_model(b, o, &b->models[0], &passes, c->diag);
    return writer_close(&log, c->diag) && ok;
}

static bool run(cimc_context *c, struct build *b, const struct cimc_model *m,
                const struct cimc_options *o)
{
    if (m->build.n_models != 1)
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE, "one model is quantised at a time");
    if (!o->calibrate.n)
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE,
                          "--calibrate is missing: tensors that the model's inputs are like");
    if (!build_start(b, c, o))
        return false;
    driver_copy_models(b, &m->build);
    b->wants_quality = true;
    b->held_out = &o->test_data;
    if (!driver_take_images(b, false, c->diag) || !driver_has_weights(b, NULL, c->diag) ||
        !lower(b, c, o))
        return false;
    return b->quality.n_rows || diag_error(c->diag, (struct loc){.file = b->model}, DIAG_LOWER,
                                           "there is nothing to quantise: no base layer has float "
                                           "weights and a float input");
}

static bool quantize(cimc_context *c, void *call)
{
    const struct quantize_call *k = call;
    struct cimc_quantized *q = heap_alloc(sizeof *q);
    struct cimc_options whole = options_whole(k->options);
    options_of_model(&whole, &k->model->options);
    q->options = options_copy(&whole);
    bool ok = run(c, &q->build, k->model, &q->options);
    q->build.progress = NULL;
    if (ok)
        *k->out = q;
    else
        cimc_quantized_free(q);
    return ok;
}

enum cimc_status cimc_quantize(cimc_context *c, const cimc_model *m, const struct cimc_options *o,
                               cimc_quantized **out)
{
    *out = NULL;
    return guard_run(c, quantize, &(struct quantize_call){m, o, out});
}

/* ---- what is printed ---- */

static void print_json(const struct cimc_quantized *q, FILE *out)
{
    const struct build *b = &q->build;
    struct json *j = json_new();
    json_open_map(j, NULL);
    asked_json(&q->options, &b->arch, j);
    json_text(j, "model", b->model);
    quality_json(&b->quality, j);
    json_open_map(j, "seconds");
    json_seconds(j, "import", b->import_seconds);
    json_seconds(j, "passes", b->passes_seconds);
    json_close_map(j);
    json_integer(j, "peak_rss_bytes", (int64_t)peak_rss_bytes());
    json_close_map(j);
    json_finish(j, out);
}

static bool print_model(const struct build *b, FILE *out, struct diag *d)
{
    struct text t = {0};
    bool ok = onnx_export(b->graph, &t, d);
    if (ok)
        text_flush(&t, out);
    text_free(&t);
    return ok;
}

struct print_call {
    const struct cimc_quantized *quantized;
    enum cimc_form form;
    const struct cimc_options *options;
    cimc_write_fn write;
    void *user;
};

static bool print(cimc_context *c, void *call)
{
    const struct print_call *k = call;
    const struct build *b = &k->quantized->build;
    struct cimc_options o = options_whole(k->options);
    struct writer w;
    bool ok = true;
    if (!form_is_known(c, k->form, FORM(CIMC_ONNX) | FORM(CIMC_TABLE) | FORM(CIMC_JSON)))
        return false;
    writer_open(&w, k->write, k->user);
    switch (k->form) {
    case CIMC_ONNX: ok = print_model(b, w.f, c->diag); break;
    case CIMC_JSON: print_json(k->quantized, w.f); break;
    default:
        quality_print(&b->quality, w.f);
        outputs_report(&o, w.f);
        break;
    }
    return writer_close(&w, c->diag) && ok;
}

enum cimc_status cimc_print_quantized(cimc_context *c, const cimc_quantized *q, enum cimc_form form,
                                      const struct cimc_options *o, cimc_write_fn write, void *user)
{
    return guard_run(c, print, &(struct print_call){q, form, o, write, user});
}
