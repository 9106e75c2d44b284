/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_simulation.c - runs and evaluations: their values, what they compute, what is said of it. */
#include "api_handles.h"

#include "common_json.h"
#include "mapping.h"
#include "options.h"
#include "report.h"
#include "time_trace.h"

#include <string.h>

/* ---- a simulation ---- */

static struct cimc_simulation *simulation_new(cimc_context *c, const struct cimc_options *o)
{
    struct cimc_simulation *s = heap_alloc(sizeof *s);
    struct cimc_options whole = options_whole(o);
    s->arena = arena_new();
    s->options = options_copy(&whole);
    s->run.settings = &s->options;
    s->run.progress = &c->progress;
    return s;
}

void cimc_simulation_free(cimc_simulation *s)
{
    if (!s)
        return;
    trials_free(&s->trials);
    simulation_free(&s->run);
    driver_free(&s->build);
    cimc_options_free(&s->options);
    arena_free(s->arena);
    heap_free(s);
}

static bool give(struct cimc_simulation *s, bool ok, cimc_simulation **out)
{
    s->run.progress = NULL; /* the next call may be in another context */
    if (ok)
        *out = s;
    else
        cimc_simulation_free(s);
    return ok;
}

struct load_call {
    const struct cimc_model *model;
    const struct cimc_program *program;
    const struct cimc_options *options;
    const struct cimc_values *values;
    cimc_simulation **out;
};

/* ---- values before a run ---- */

static bool of_model(cimc_context *c, void *call)
{
    const struct load_call *k = call;
    const struct build *b = &k->model->build;
    struct cimc_simulation *s = simulation_new(c, k->options);
    s->model = k->model;
    s->run.is_compiled = true;
    s->run.models = driver_io_models(b, s->arena);
    bool ok = values_given(&s->run.given, k->values, s->arena, c->diag) &&
              driver_has_weights(b, NULL, c->diag) && driver_keeps_images(b, c->diag) &&
              simulation_load(&s->run, cimc_model_frames(k->model, k->options), c->diag);
    return give(s, ok, k->out);
}

enum cimc_status cimc_simulation_of_model(cimc_context *c, const cimc_model *m,
                                          const struct cimc_options *o, const struct cimc_values *v,
                                          cimc_simulation **out)
{
    *out = NULL;
    return guard_run(c, of_model, &(struct load_call){m, NULL, o, v, out});
}

/* What noise and converters do is measured against the models without them. */
static struct io_models models_as_read(const struct io_models *all, struct arena *a)
{
    struct io_model *own = ARENA_ARRAY(a, struct io_model, all->n);
    for (size_t i = 0; i < all->n; i++) {
        own[i] = all->at[i];
        own[i].reference = own[i].described;
        own[i].reference_images = own[i].images;
    }
    return (struct io_models){.at = own, .n = all->n};
}

/* The program's models give descriptions and references. */
static void take_program(struct cimc_simulation *s, const struct cimc_program *p)
{
    s->program = p;
    s->run.program = p->isa;
    s->run.is_compiled = p->is_compiled;
    s->run.graph = p->build.graph;
    s->run.models = p->has_models ? driver_io_models(&p->build, s->arena) : (struct io_models){0};
    if (s->options.trials > 0)
        s->run.models = models_as_read(&s->run.models, s->arena);
}

bool simulation_of_program(cimc_context *c, const struct cimc_program *p,
                           const struct cimc_options *o, const struct cimc_values *v,
                           cimc_simulation **out)
{
    struct cimc_simulation *s = simulation_new(c, o);
    take_program(s, p);
    s->run.may_lack_values = !s->options.needs_values;
    bool ok = values_given(&s->run.given, v, s->arena, c->diag) &&
              simulation_load(&s->run, p->isa->frames, c->diag);
    return give(s, ok, out);
}

static bool of_program(cimc_context *c, void *call)
{
    const struct load_call *k = call;
    return simulation_of_program(c, k->program, k->options, k->values, k->out);
}

enum cimc_status cimc_simulation_of_program(cimc_context *c, const cimc_program *p,
                                            const struct cimc_options *o,
                                            const struct cimc_values *v, cimc_simulation **out)
{
    *out = NULL;
    return guard_run(c, of_program, &(struct load_call){NULL, p, o, v, out});
}

/* ---- runs ---- */

struct run_call {
    struct cimc_simulation *simulation;
    const struct cimc_program *program;
    const struct cimc_options *options;
};

static bool same_name(const char *a, const char *b)
{
    return !a || !b || !*a || !*b || strcmp(a, b) == 0;
}

/* Of a program without models: which of its bytes are truths it does not know. */
static bool same_type(const struct io_tensor *own, const struct io_tensor *port, bool has_models)
{
    struct ir_type type = port->type;
    if (!has_models && type.dtype == IR_U8 && own->type.dtype == IR_BOOL)
        type.dtype = IR_BOOL;
    return ir_type_equal(&own->type, &type);
}

static int64_t images_of(const struct io_tensor *t)
{
    return max_i64(t->images, 1); /* a program without models says nothing of them */
}

static bool fits_port(const struct io_tensor *own, const struct io_tensor *port,
                      const struct cimc_program *p)
{
    if (!port->known)
        return true; /* it does not use it */
    if (!own->known || !same_name(own->name, port->name) || !same_type(own, port, p->has_models) ||
        (p->isa->frames && own->is_state != port->is_state))
        return false;
    return !p->has_models || (own->state == port->state && images_of(own) == images_of(port));
}

static const char *port_text(const struct io_tensor *t, struct arena *a)
{
    char type[200];
    if (!t->known)
        return "unknown";
    return arena_printf(a, "'%s', %s%s, %lld at once", t->name,
                        ir_type_text(&t->type, type, sizeof type), t->is_state ? ", a state" : "",
                        (long long)images_of(t));
}

static bool fit_ports(const struct cimc_simulation *s, const struct cimc_program *p,
                      const struct io_tensor *own, const struct io_tensor *ports, size_t n,
                      const char *what, struct diag *d)
{
    for (size_t k = 0; k < n; k++) {
        if (!fits_port(&own[k], &ports[k], p))
            return diag_error(d, (struct loc){0}, DIAG_USAGE,
                              "the values are for another program: %s %zu is %s, the program's %s",
                              what, k, port_text(&own[k], s->arena),
                              port_text(&ports[k], s->arena));
    }
    return true;
}

/* The program reads and writes what the simulation has. One without models does not know inputs
 * that it does not use. */
static bool fits_program(const struct cimc_simulation *s, const struct cimc_program *p,
                         struct diag *d)
{
    const struct io *own = &s->run.io, *its = &p->ports;
    if (own->n_outputs != its->n_outputs || own->n_inputs < its->n_inputs ||
        (p->has_models && own->n_inputs > its->n_inputs))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "the values are for another program: of inputs there are %zu, the "
                          "program has %zu; of outputs %zu, %zu",
                          own->n_inputs, its->n_inputs, own->n_outputs, its->n_outputs);
    return fit_ports(s, p, own->inputs, its->inputs, its->n_inputs, "input", d) &&
           fit_ports(s, p, own->outputs, its->outputs, its->n_outputs, "output", d);
}

static bool asks_for_values(const struct cimc_options *o)
{
    return o->compare_layers || o->labels || o->save_outputs || o->trials > 0 || o->needs_values;
}

static bool check_run(const struct cimc_simulation *s, const struct cimc_program *p, struct diag *d)
{
    const struct cimc_options *o = &s->options;
    if (s->program && s->program != p)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "the values are for another program");
    if (s->run.times_only && asks_for_values(o))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--compare-layers, --labels, --save-outputs, --trials need values of the "
                          "inputs");
    if (o->trials > 0 && (o->compare_layers || o->times || o->save_outputs))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--trials excludes --compare-layers, --times, --save-outputs");
    if (o->compare_layers && !p->build.graph)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "--compare-layers needs --model");
    return fits_program(s, p, d);
}

static bool run_trials(struct cimc_simulation *s, struct diag *d)
{
    struct isa_program other_chip = *s->run.program; /* it differs by its noise */
    s->run.program = &other_chip;
    bool ok = trials_run(&s->run, &other_chip, &s->trials, d);
    s->run.program = s->program->isa;
    s->has_trials = s->run.ran = ok;
    return ok;
}

/* What a run makes is put into places of its own: if it fails, or the call is left, the simulation
 * is as before. */
static struct cimc_simulation begin_run(cimc_context *c, const struct cimc_simulation *s,
                                        const struct cimc_options *o)
{
    struct cimc_simulation work = *s;
    struct io *io = &work.run.io;
    struct cimc_options whole = o ? options_whole(o) : s->options;
    work.options = options_copy(&whole);
    work.run.progress = &c->progress;
    io->outputs = ARENA_ARRAY(io->arena, struct io_tensor, io->n_outputs);
    io->references = ARENA_ARRAY(io->arena, struct io_tensor, io->n_outputs);
    for (size_t k = 0; k < io->n_outputs; k++) {
        io->outputs[k] = s->run.io.outputs[k];
        io->references[k] = s->run.io.references[k];
    }
    return work;
}

/* One that did not come to its end. */
static void drop_run(const struct cimc_simulation *s, struct cimc_simulation *work)
{
    const struct io *before = &s->run.io, *io = &work->run.io;
    for (size_t k = 0; k < io->n_outputs; k++) {
        heap_free(io->outputs[k].data);
        if (io->references[k].data != before->references[k].data)
            heap_free(io->references[k].data);
    }
    if (work->run.labels.of_frame.at != s->run.labels.of_frame.at)
        labels_free(&work->run.labels);
    trials_free(&work->trials);
    VEC_FREE(&work->run.spans.list);
    cimc_options_free(&work->options);
}

static void keep_run(struct cimc_simulation *s, const struct cimc_simulation *work)
{
    cimc_options_free(&s->options);
    *s = *work;
    s->run.settings = &s->options;
    s->run.progress = NULL; /* the next call may be in another context */
}

bool simulation_go(cimc_context *c, struct cimc_simulation *s, const struct cimc_program *p,
                   const struct cimc_options *o)
{
    if (s->is_evaluation || s->run.ran)
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE, "a simulation runs once");
    struct cimc_simulation work = begin_run(c, s, o);
    work.run.settings = &work.options;
    bool ok = check_run(&work, p, c->diag);
    if (ok) {
        take_program(&work, p); /* in mode int the references are known only now */
        ok = (work.run.times_only || driver_has_weights(&p->build, work.run.program, c->diag)) &&
             (work.options.trials > 0 ? run_trials(&work, c->diag) : simulate(&work.run, c->diag));
    }
    if (work.run.ran)
        keep_run(s, &work);
    else
        drop_run(s, &work);
    return ok;
}

static bool run(cimc_context *c, void *call)
{
    const struct run_call *k = call;
    return simulation_go(c, k->simulation, k->program, k->options);
}

enum cimc_status cimc_simulate(cimc_context *c, cimc_simulation *s, const cimc_program *p,
                               const struct cimc_options *o)
{
    return guard_run(c, run, &(struct run_call){s, p, o});
}

/* ---- evaluation ---- */

/* The graph as it was read, with all images of its batch, or that of one image at the end of a
 * later stage. */
static bool make_graph(struct cimc_simulation *s, const struct build *imported,
                       struct io_model *out, struct diag *d)
{
    static const enum ir_stage stages[] = {IR_TENSOR, IR_CANONICAL, IR_INTEGER, IR_CROSSBAR};
    const struct cimc_options *o = &s->options;
    struct build *b = &s->build;
    bool asks_for_passes = o->mode != CIMC_MODE_AUTO || o->calibrate.n;
    struct pass_options passes = {.last_stage = asks_for_passes ? IR_CROSSBAR : IR_TENSOR};
    if (o->at >= 0)
        passes.last_stage = stages[o->at];
    bool as_read = passes.last_stage == IR_TENSOR;
    driver_copy_models(b, imported);
    struct model *m = &b->models[0];
    if (as_read)
        b->graph = ir_clone(m->imported);
    else if (!driver_take_images(b, true, d) || !driver_lower_model(b, o, m, &passes, d))
        return false;
    ir_number(b->graph);
    *out = (struct io_model){.prefix = "",
                             .described = as_read ? b->graph : m->imported,
                             .reference = b->graph,
                             .images = m->images,
                             .assumed = m->assumed};
    out->reference_images = as_read ? out->images : 1;
    return driver_has_weights(b, NULL, d);
}

static bool evaluate(struct cimc_simulation *s, cimc_context *c, const struct load_call *k)
{
    struct io_model *model = ARENA_NEW(s->arena, struct io_model);
    if (k->model->build.n_models != 1)
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE, "one model is evaluated at a time");
    if (!values_given(&s->run.given, k->values, s->arena, c->diag) ||
        !build_start(&s->build, c, &s->options))
        return false;
    driver_set_noise(&s->build.arch, s->options.noise_seed, (struct loc){0}, c->diag);
    bool ok = make_graph(s, &k->model->build, model, c->diag);
    s->build.progress = NULL;
    s->run.models = (struct io_models){.at = model, .n = 1};
    return ok && simulation_evaluate(&s->run, model->images, c->diag);
}

static bool evaluate_call(cimc_context *c, void *call)
{
    const struct load_call *k = call;
    struct cimc_simulation *s = simulation_new(c, k->options);
    s->model = k->model;
    s->is_evaluation = true;
    bool ok = evaluate(s, c, k);
    return give(s, ok || s->run.ran, k->out) && ok;
}

enum cimc_status cimc_evaluate(cimc_context *c, const cimc_model *m, const struct cimc_options *o,
                               const struct cimc_values *v, cimc_simulation **out)
{
    *out = NULL;
    return guard_run(c, evaluate_call, &(struct load_call){m, NULL, o, v, out});
}

/* ---- what is said of it ---- */

struct print_call {
    const struct cimc_simulation *simulation;
    const struct cimc_options *options;
    enum cimc_form form;
    cimc_write_fn write;
    void *user;
};

static void print_table(const struct cimc_simulation *s, const struct cimc_options *o, FILE *out)
{
    if (s->is_evaluation) {
        report_outputs(&s->run, out);
        return;
    }
    if (s->has_trials) {
        trials_report(&s->trials, &s->run, out);
        return;
    }
    if (s->program->is_compiled) {
        report_build(&s->program->build, o, out);
        mapping_report(&s->program->build, out);
        fputc('\n', out);
    }
    report_simulation(&s->run, out);
}

static void evaluation_json(const struct cimc_simulation *s, struct json *j)
{
    asked_json(&s->options, &s->build.arch, j);
    json_text(j, "model", s->build.model);
    report_outputs_json(&s->run, j);
    json_open_map(j, "seconds");
    json_seconds(j, "import", s->build.import_seconds);
    json_seconds(j, "evaluate", s->run.evaluate_seconds);
    json_close_map(j);
    json_integer(j, "peak_rss_bytes", (int64_t)peak_rss_bytes());
}

static void simulation_json(const struct cimc_simulation *s, const struct cimc_options *o,
                            struct json *j)
{
    const struct cimc_program *p = s->program;
    if (p->is_compiled) {
        report_build_json(&p->build, j);
        report_tiles_json(p->isa, j);
        mapping_report_json(&p->build, j);
    } else if (o->program) {
        json_text(j, "model", p->build.model);
    } else {
        json_text(j, "program", p->path);
    }
    if (s->has_trials)
        trials_report_json(&s->trials, &s->run, j);
    else
        report_simulation_json(&s->run, j);
    report_costs_json(p->is_compiled ? &p->build : NULL, &s->run, j);
}

static void print_json(const struct cimc_simulation *s, const struct cimc_options *o, FILE *out)
{
    struct json *j = json_new();
    json_open_map(j, NULL);
    if (s->is_evaluation)
        evaluation_json(s, j);
    else
        simulation_json(s, o, j);
    json_close_map(j);
    json_finish(j, out);
}

static bool print(cimc_context *c, void *call)
{
    const struct print_call *k = call;
    const struct cimc_simulation *s = k->simulation;
    struct cimc_options o = options_whole(k->options);
    struct writer w;
    if (!form_is_known(c, k->form,
                       FORM(CIMC_TABLE) | FORM(CIMC_JSON) | FORM(CIMC_TIMES) |
                           FORM(CIMC_TIME_TRACE)))
        return false;
    if (!s->run.ran)
        return diag_error(c->diag, (struct loc){0}, DIAG_USAGE, "there are no results yet");
    writer_open(&w, k->write, k->user);
    if (k->form == CIMC_JSON)
        print_json(s, &o, w.f);
    else if (k->form == CIMC_TIMES)
        report_times(s->program && s->program->is_compiled ? &s->program->build : NULL, &s->run,
                     w.f);
    else if (k->form == CIMC_TIME_TRACE)
        time_trace_print(s->program ? &s->program->build : &s->build, &s->run, w.f);
    else
        print_table(s, &o, w.f);
    return writer_close(&w, c->diag);
}

enum cimc_status cimc_print_simulation(cimc_context *c, const cimc_simulation *s,
                                       enum cimc_form form, const struct cimc_options *o,
                                       cimc_write_fn write, void *user)
{
    return guard_run(c, print, &(struct print_call){s, o, form, write, user});
}
