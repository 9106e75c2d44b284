/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_program.c - programs: compiled, read, bound to their models, written. */
#include "api_handles.h"

#include "mapping.h"
#include "options.h"
#include "outputs.h"
#include "report.h"
#include "time_trace.h"
#include "views.h"

#include <string.h>

static struct cimc_program *program_new(const struct cimc_options *o)
{
    struct cimc_program *p = heap_alloc(sizeof *p);
    struct cimc_options whole = options_whole(o);
    p->options = options_copy(&whole);
    return p;
}

struct cimc_program *program_of(struct isa_program *isa)
{
    struct cimc_program *p = program_new(NULL);
    p->isa = isa;
    ports_describe(&p->ports, isa, &p->build);
    return p;
}

void cimc_program_free(cimc_program *p)
{
    if (!p)
        return;
    struct isa_program *read = p->is_compiled ? NULL : p->isa; /* else the build's */
    io_free(&p->ports);
    io_free(&p->first_ports);
    driver_free(&p->build);
    isa_program_free(read);
    cimc_options_free(&p->options);
    heap_free(p);
}

/* The caller's, or none: `ok` false after a diagnostic. */
static bool give(struct cimc_program *p, bool ok, cimc_program **out)
{
    bool is_shown = ok && !p->build.cache; /* else the sweep throws it away */
    p->build.progress = NULL;              /* the next call may be in another context */
    p->build.cache = NULL;
    if (is_shown)
        isa_program_settle(p->isa);
    if (ok) {
        ports_describe(&p->ports, p->isa, &p->build);
        *out = p;
    } else {
        cimc_program_free(p);
    }
    return ok;
}

/* ---- compiling ---- */

struct compile_call {
    const struct cimc_model *model;
    struct cimc_model *spent; /* the same, or NULL */
    struct build_cache *cache;
    const struct cimc_options *options;
    cimc_program **out;
};

void options_of_model(struct cimc_options *o, const struct cimc_options *model)
{
    o->dims = model->dims;
    o->constants = model->constants;
    o->input_types = model->input_types;
    o->rates = model->rates;
    o->states = model->states;
    o->no_weights = model->no_weights;
    o->cut_inputs = model->cut_inputs;
    o->cut_outputs = model->cut_outputs;
}

static bool compile(cimc_context *c, void *call)
{
    struct compile_call *k = call;
    bool has_models = !k->spent && !k->cache;
    struct cimc_options whole = options_whole(k->options);
    options_of_model(&whole, &k->model->options);
    struct cimc_program *p = program_new(&whole);
    struct build *b = &p->build;
    const struct cimc_options *o = &p->options;
    bool ok = build_start(b, c, o);
    b->wants_quality = o->report || o->keep_detail;
    b->cache = k->cache;
    if (ok) {
        driver_set_noise(&b->arch, o->noise_seed, (struct loc){0}, c->diag);
        driver_copy_models(b, &k->model->build);
    }
    cimc_model_free(k->spent);
    k->spent = NULL;
    struct writer log;
    log_open(c, &log);
    b->log = log.f;
    ok = ok && driver_take_images(b, has_models, c->diag) && driver_lower(b, o, c->diag) &&
         driver_compile(b, o, c->diag);
    b->log = NULL;
    ok = writer_close(&log, c->diag) && ok;
    p->is_compiled = true;
    p->has_models = has_models;
    p->isa = b->program;
    return give(p, ok, k->out);
}

enum cimc_status cimc_compile(cimc_context *c, const cimc_model *m, const struct cimc_options *o,
                              cimc_program **out)
{
    *out = NULL;
    return guard_run(c, compile, &(struct compile_call){m, NULL, NULL, o, out});
}

enum cimc_status compile_with(cimc_context *c, const cimc_model *m, const struct cimc_options *o,
                              struct build_cache *cache, cimc_program **out)
{
    *out = NULL;
    return guard_run(c, compile, &(struct compile_call){m, NULL, cache, o, out});
}

enum cimc_status cimc_compile_last(cimc_context *c, cimc_model *m, const struct cimc_options *o,
                                   cimc_program **out)
{
    *out = NULL;
    struct compile_call call = {m, m, NULL, o, out};
    enum cimc_status status = guard_run(c, compile, &call);
    cimc_model_free(call.spent); /* where the call was left before it could do that */
    return status;
}

/* ---- reading and binding ---- */

struct read_call {
    const struct cimc_source *source;
    cimc_program **out;
};

static bool read_program(cimc_context *c, void *call)
{
    const struct read_call *r = call;
    struct cimc_source s = {0};
    struct_copy_in(&s, sizeof s, r->source);
    struct cimc_program *p = program_new(NULL);
    p->path = options_keep(&p->options, s.path ? s.path : "<memory>");
    p->isa = s.bytes ? isa_program_read_bytes(s.bytes, s.n_bytes, p->path, c->diag)
                     : isa_program_read(p->path, c->diag);
    return give(p, p->isa != NULL, r->out);
}

enum cimc_status cimc_program_read(cimc_context *c, const struct cimc_source *source,
                                   cimc_program **out)
{
    *out = NULL;
    return guard_run(c, read_program, &(struct read_call){source, out});
}

struct bind_call {
    struct cimc_program *program;
    const struct cimc_source *sources;
    size_t n;
    const struct cimc_options *options;
};

/* All that is new is made before the program is touched: it stays as it was if the call is left. */
static bool bind(cimc_context *c, void *call)
{
    const struct bind_call *k = call;
    struct cimc_program *p = k->program, bound = *p;
    if (p->has_models || p->is_compiled)
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE,
                          p->has_models ? "the program has its models"
                                        : "models are bound to programs that were read");
    struct arena *a = arena_new();
    struct cimc_options whole = options_whole(k->options);
    const struct cimc_source *sources = sources_whole(k->sources, k->n, a);
    bound.options = options_copy(&whole);
    bound.path = p->path ? options_keep(&bound.options, p->path) : NULL;
    bound.has_models = driver_lower_again(&bound.build, p->isa, &bound.options, sources, k->n,
                                          &c->progress, c->diag);
    bound.build.progress = NULL;
    arena_free(a);
    if (!bound.has_models) {
        driver_free(&bound.build);
        cimc_options_free(&bound.options);
        return false;
    }
    bound.first_ports = p->ports;
    ports_describe(&bound.ports, p->isa, &bound.build);
    bound.build.writes = &p->options;
    cimc_options_free(&p->options);
    *p = bound;
    return true;
}

enum cimc_status cimc_program_bind(cimc_context *c, cimc_program *p,
                                   const struct cimc_source *sources, size_t n,
                                   const struct cimc_options *o)
{
    return guard_run(c, bind, &(struct bind_call){p, sources, n, o});
}

struct noise_call {
    struct cimc_program *program;
    int64_t seed;
};

static bool set_noise(cimc_context *c, void *call)
{
    const struct noise_call *k = call;
    if (k->seed > INT32_MAX) /* as of the option */
        return diag_error(c->diag, (struct loc){.file = k->program->path}, DIAG_USAGE,
                          "noise seed %lld is more than %lld", (long long)k->seed,
                          (long long)INT32_MAX);
    driver_set_noise(&k->program->isa->arch, k->seed, (struct loc){.file = k->program->path},
                     c->diag);
    return true;
}

enum cimc_status cimc_program_set_noise(cimc_context *c, cimc_program *p, int64_t seed)
{
    return guard_run(c, set_noise, &(struct noise_call){p, seed});
}

/* ---- bytes and texts ---- */

struct write_call {
    struct cimc_program *program;
    const struct cimc_options *options;
    enum cimc_form form;
    cimc_write_fn write;
    void *user;
};

static bool write_bytes(cimc_context *c, void *call)
{
    const struct write_call *k = call;
    struct writer w;
    writer_open(&w, k->write, k->user);
    bool ok = isa_program_print(k->program->isa, w.f, &k->program->build.program_bytes, c->diag);
    return writer_close(&w, c->diag) && ok;
}

enum cimc_status cimc_program_write(cimc_context *c, cimc_program *p, cimc_write_fn write,
                                    void *user)
{
    return guard_run(c, write_bytes,
                     &(struct write_call){.program = p, .write = write, .user = user});
}

/* What the schedule was made with, and how it is to be shown. */
static struct cimc_options options_to_show(const struct cimc_program *p,
                                           const struct cimc_options *given)
{
    struct cimc_options o = p->options, whole = options_whole(given);
    o.output = whole.output;
    o.schedule_out = whole.schedule_out;
    o.schedule_svg = whole.schedule_svg;
    o.trace = whole.trace;
    o.report = whole.report;
    o.print_plan = whole.print_plan;
    o.report_arch = whole.report_arch;
    o.svg_layout = whole.svg_layout;
    o.against = whole.against;
    o.json = whole.json;
    o.fill = whole.fill;
    o.energy = whole.energy;
    return o;
}

static bool write_files(cimc_context *c, void *call)
{
    const struct write_call *k = call;
    struct cimc_program *p = k->program;
    struct cimc_options o = options_to_show(p, k->options);
    if (!p->is_compiled && views_wanted(&o))
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE,
                          "a program that was not compiled here has no schedule to show");
    return views_write(&p->build, &o, c->diag) &&
           (!o.output || driver_write(&p->build, p->isa, o.output, c->diag));
}

enum cimc_status cimc_write_files(cimc_context *c, cimc_program *p, const struct cimc_options *o)
{
    return guard_run(c, write_files, &(struct write_call){.program = p, .options = o});
}

static void print_table(const struct build *b, const struct cimc_options *o, FILE *out)
{
    report_build(b, o, out);
    mapping_report(b, out);
    outputs_report(o, out);
}

static void print_json(const struct build *b, FILE *out)
{
    struct json *j = json_new();
    json_open_map(j, NULL);
    report_build_json(b, j);
    report_tiles_json(b->program, j);
    mapping_report_json(b, j);
    report_costs_json(b, NULL, j);
    json_close_map(j);
    json_finish(j, out);
}

static bool print_form(const struct build *b, enum cimc_form form, const struct cimc_options *o,
                       FILE *out, struct diag *d)
{
    switch (form) {
    case CIMC_TABLE: print_table(b, o, out); return true;
    case CIMC_JSON: print_json(b, out); return true;
    case CIMC_TIMES: report_times(b, NULL, out); return true;
    case CIMC_TIME_TRACE: time_trace_print(b, NULL, out); return true;
    default: return views_print(b, o, form, out, d);
    }
}

static bool print(cimc_context *c, void *call)
{
    static const unsigned forms = FORM(CIMC_TABLE) | FORM(CIMC_JSON) | FORM(CIMC_TIMES) |
                                  FORM(CIMC_TIME_TRACE) | FORM(CIMC_CSV) | FORM(CIMC_SVG) |
                                  FORM(CIMC_TRACE) | FORM(CIMC_HTML) | FORM(CIMC_REPORT) |
                                  FORM(CIMC_PLAN);
    const struct write_call *k = call;
    const struct cimc_program *p = k->program;
    struct cimc_options o = options_to_show(p, k->options);
    struct writer w;
    if (!form_is_known(c, k->form, forms))
        return false;
    if (!p->is_compiled)
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE,
                          "a program that was not compiled here has no report");
    struct build shown = p->build; /* what is found out for this text goes with it */
    shown.arena = arena_new();
    writer_open(&w, k->write, k->user);
    bool ok = print_form(&shown, k->form, &o, w.f, c->diag);
    arena_free(shown.arena);
    return writer_close(&w, c->diag) && ok;
}

enum cimc_status cimc_print_program(cimc_context *c, const cimc_program *p, enum cimc_form form,
                                    const struct cimc_options *o, cimc_write_fn write, void *user)
{
    return guard_run(c, print, &(struct write_call){(cimc_program *)p, o, form, write, user});
}
