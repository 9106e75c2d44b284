/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cmd_quantize.c - `cimc quantize`: a float model becomes a quantised one, as an ONNX model that
 * any runtime takes, and a table of what that did to each layer.
 */
#include "transition.h"

#include "driver.h"
#include "common_json.h"
#include "onnx_export.h"
#include "outputs.h"
#include "quality.h"

static bool write_model(const struct build *b, const char *path, struct diag *d)
{
    struct text t = {0};
    bool ok = onnx_export(b->graph, &t, d) && driver_write_text(&t, path, d);
    text_free(&t);
    return ok;
}

static void report(const struct build *b, const struct cimc_options *s)
{
    FILE *out = outputs_to_stdout(s) ? stderr : stdout;
    if (!s->json) {
        quality_print(&b->quality, out);
        outputs_report(s, out);
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    asked_json(s, &b->arch, j);
    json_text(j, "model", b->model);
    quality_json(&b->quality, j);
    json_open_map(j, "seconds");
    json_seconds(j, "import", b->import_seconds);
    json_seconds(j, "passes", b->passes_seconds);
    json_close_map(j);
    json_integer(j, "peak_rss_bytes", (int64_t)peak_rss_bytes());
    json_close_map(j);
    json_finish(j, stdout);
}

/* b->graph with quantize and dequantize in it. */
static bool quantize(struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct pass_options o = {.stop_after = "quant",
                             .time_passes = s->time_passes,
                             .stats = s->pass_stats,
                             .print_to = stderr};
    b->wants_quality = true;
    b->held_out = &s->test_data;
    if (!driver_import_all(b, s, false, d) || !driver_has_weights(b, NULL, d) ||
        !driver_lower_model(b, s, &b->models[0], &o, d))
        return false;
    return b->quality.n_rows || diag_error(d, (struct loc){.file = b->model}, DIAG_LOWER,
                                           "there is nothing to quantise: no base layer has float "
                                           "weights and a float input");
}

static bool quantize_inner(const struct command_line *l, const struct cimc_options *s,
                           struct diag *d)
{
    struct build b;
    struct cimc_options all = *s;
    if (!s->calibrate.n)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--calibrate is missing: tensors that the model's inputs are like");
    bool ok = start_build(l, &b, s, d) && take_operands(l, &b, s, d);
    if (ok && !s->output && !s->json)
        all.output = driver_output_name(b.model, ".qdq.onnx", b.arena);
    b.writes = &all;
    ok = ok && outputs_check(&all, &l->args, d) && quantize(&b, s, d) &&
         (!all.output || write_model(&b, all.output, d));
    if (ok)
        report(&b, &all);
    driver_free(&b);
    return ok;
}

enum cimc_status cmd_quantize(struct command_line *l)
{
    return run_inner(l, quantize_inner);
}
