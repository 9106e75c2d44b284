/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_pass.c - any pipeline of passes on IR text or an ONNX model, printed as either. */
#include "api_handles.h"

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

static bool load(struct build *b, const struct cimc_source *source, const struct cimc_options *o,
                 struct diag *d)
{
    struct file f;
    if (!source_open(source, b->arena, d, &f))
        return false;
    bool is_text = is_ir_text(&f), ok = true;
    if (is_text) {
        b->graph = ir_parse((const char *)f.data, f.size, f.path, d);
        ok = b->graph != NULL;
    } else if (!source->bytes && strcmp(source->path, "-") == 0) {
        ok = diag_error(d, (struct loc){.file = f.path}, DIAG_IO,
                        "is not IR text; an ONNX model is read from a file");
    }
    file_close(&f);
    return ok && (is_text || (driver_take_models(b, o, source, 1, d) && driver_import(b, o, d) &&
                              driver_take_image(b, &b->models[0], d)));
}

static bool print_graph(const struct build *b, enum cimc_form form, bool inline_blobs,
                        struct text *out, struct diag *d)
{
    switch (form) {
    case CIMC_DOT: ir_print_dot(b->graph, out); return true;
    case CIMC_ONNX: return onnx_export(b->graph, out, d);
    default:
        ir_print(b->graph, &(struct ir_print_options){.inline_blobs = inline_blobs}, out);
        return true;
    }
}

/* The plan of a graph that has come down to CROSSBAR, on as many PEs as it takes. */
static bool write_plan(struct build *b, const struct cimc_options *s, struct diag *d)
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

struct pass_call {
    const struct cimc_source *source;
    const struct cimc_options *options;
    enum cimc_form form;
    cimc_write_fn write;
    void *user;
};

/* b->graph, and what passes print on the way. */
static bool run_passes(cimc_context *c, struct build *b, const struct cimc_options *s,
                       enum cimc_form form)
{
    const char *pipeline = s->passes ? s->passes : pass_default_pipeline;
    struct writer log;
    struct pass_options o = {.print_before = s->print_before,
                             .print_after = s->print_after,
                             .print_changed = s->print_changed,
                             .stop_after = s->stop_after,
                             .skip = s->skip,
                             .time_passes = s->time_passes,
                             .stats = s->pass_stats,
                             .no_verify = s->no_verify,
                             .roundtrip_each = s->roundtrip_each,
                             .dot = form == CIMC_DOT};
    if (form == CIMC_ONNX && !s->passes && !s->stop_after)
        o.stop_after = "partition"; /* behind it there is what ONNX has no operators for */
    log_open(c, &log);
    b->log = log.f;
    bool ok = driver_run_passes(b, s, pipeline, &o, c->diag);
    return writer_close(&log, c->diag) && ok;
}

static bool pass_run(cimc_context *c, void *call)
{
    const struct pass_call *p = call;
    struct cimc_options s = options_whole(p->options);
    struct diag *d = c->diag;
    struct build b;
    struct text t = {0};
    if (!form_is_known(c, p->form, FORM(CIMC_IR) | FORM(CIMC_DOT) | FORM(CIMC_ONNX)))
        return false;
    bool ok = build_start(&b, c, &s);
    if (ok)
        driver_set_noise(&b.arch, s.noise_seed, (struct loc){0}, d);
    ok = ok && load(&b, sources_whole(p->source, 1, b.arena), &s, d) &&
         driver_calibrate(&b, &s, b.n_models ? &b.models[0] : NULL, d) &&
         run_passes(c, &b, &s, p->form) && write_plan(&b, &s, d) &&
         print_graph(&b, p->form, s.inline_blobs, &t, d);
    driver_free(&b);
    ok = ok && writer_put(c, &t, p->write, p->user);
    text_free(&t);
    return ok;
}

enum cimc_status cimc_pass_run(cimc_context *c, const struct cimc_source *source,
                               const struct cimc_options *o, enum cimc_form form,
                               cimc_write_fn write, void *user)
{
    return guard_run(c, pass_run, &(struct pass_call){source, o, form, write, user});
}
