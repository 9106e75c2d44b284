/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_opt.c - `cimc opt`: any pipeline of passes on IR text or an ONNX model, written as either. */
#include "transition.h"

#include "driver.h"
#include "onnx_export.h"

#include <string.h>

/* IR text begins with `graph` or a comment; no ONNX file does. */
static bool is_ir_text(const struct file *f)
{
    static const char word[] = "graph";
    size_t at = 0, n = sizeof word - 1;
    while (at < f->size && strchr(" \t\r\n", f->data[at]) && f->data[at])
        at++;
    return at < f->size &&
           (f->data[at] == ';' || (f->size - at >= n && memcmp(f->data + at, word, n) == 0));
}

static bool load(const struct command_line *l, struct build *b, const struct cimc_options *s,
                 struct diag *d)
{
    const char *path = l->args.at[0];
    struct file f;
    if (!file_open(path, b->arena, d, &f))
        return false;
    bool is_text = is_ir_text(&f), ok = true;
    if (is_text) {
        b->graph = ir_parse((const char *)f.data, f.size, f.path, d);
        ok = b->graph != NULL;
    } else if (strcmp(path, "-") == 0) {
        ok = diag_error(d, (struct loc){.file = f.path}, DIAG_IO,
                        "is not IR text; an ONNX model is read from a file");
    }
    file_close(&f);
    return ok && (is_text || (driver_take_models(b, s, &l->args, d) && driver_import(b, s, d) &&
                              driver_take_image(b, &b->models[0], d)));
}

static const char *output_path(const struct cimc_options *s)
{
    return s->output ? s->output : "-";
}

static bool writes_onnx(const struct cimc_options *s)
{
    return !s->dot && ends_with(output_path(s), ".onnx");
}

/* IR text, or as the name of the output says an ONNX model. */
static bool print(const struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct text t = {0};
    bool ok = true;
    if (s->dot)
        ir_print_dot(b->graph, &t);
    else if (writes_onnx(s))
        ok = onnx_export(b->graph, &t, d);
    else
        ir_print(b->graph, &(struct ir_print_options){.inline_blobs = s->inline_blobs}, &t);
    ok = ok && driver_write_text(&t, output_path(s), d);
    text_free(&t);
    return ok;
}

/* The plan of a graph that has come down to CROSSBAR, on as many PEs as it takes. */
static bool print_plan(struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct backend_options o = driver_backend_options(b, s);
    struct backend_result result;
    if (!s->print_plan)
        return true;
    if (b->graph->stage != IR_CROSSBAR)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--print-plan: the graph is not lowered to crossbars");
    o.pes = INT64_MAX;
    return backend_schedule(b->graph, &b->arch, &o, b->arena, &result, d) &&
           driver_write_plan(&result, s->print_plan, d);
}

static bool opt_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    struct build b;
    struct pass_options o = {.print_before = s->print_before,
                             .print_after = s->print_after,
                             .stop_after = s->stop_after,
                             .skip = s->skip,
                             .time_passes = s->time_passes,
                             .stats = s->pass_stats,
                             .no_verify = s->no_verify,
                             .roundtrip_each = s->roundtrip_each,
                             .dot = s->dot,
                             .print_to = stderr};
    const char *pipeline = s->passes ? s->passes : pass_default_pipeline;
    if (writes_onnx(s) && !s->passes && !s->stop_after)
        o.stop_after = "partition"; /* behind it there is what ONNX has no operators for */
    bool ok = start_build(l, &b, s, d) && load(l, &b, s, d) &&
              driver_calibrate(&b, s, b.n_models ? &b.models[0] : NULL, d) &&
              driver_run_passes(&b, s, pipeline, &o, d) && print_plan(&b, s, d) && print(&b, s, d);
    driver_free(&b);
    return ok;
}

enum cimc_status cmd_opt(struct command_line *l)
{
    return run_inner(l, opt_inner);
}
