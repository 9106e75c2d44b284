/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * driver.c - the pipeline: import, passes, backend, checker, file. Every command that needs a part
 * of it comes here; this is where rooms are bound to each other.
 *
 * In: settings and a model. Out: struct build, as far as it got. Invariant: a program that leaves
 * driver_compile has passed the checker.
 */
#include "driver.h"

#include "base/closest.h"
#include "images.h"
#include "eval.h"
#include "machine.h"
#include "mapping.h"
#include "models.h"
#include "onnx.h"
#include "options.h"
#include "outputs.h"
#include "views.h"

#include <stdlib.h>
#include <string.h>

/* Of a program with sets of --set auto: about so many instructions. More take longer to schedule,
 * emit and check than to find copies for, but not where these are searched for the makespan. */
static const int64_t AUTO_INSTRUCTIONS = 100000, SEARCHED_INSTRUCTIONS = 600000;

static bool parse_extent(const char **at, int64_t *out)
{
    if (**at == '*') {
        (*at)++;
        *out = 0;
        return true;
    }
    char *end;
    long long x = strtoll(*at, &end, 10);
    bool ok = **at >= '0' && **at <= '9' && x >= 1 && x <= INT32_MAX;
    *at = end;
    *out = x;
    return ok;
}

static bool no_set(const char *text, struct diag *d)
{
    struct closest near = {.to = text};
    closest_offer(&near, "auto");
    closest_offer(&near, "best");
    closest_offer(&near, "pixel");
    return diag_error(d, (struct loc){0}, DIAG_USAGE,
                      "--set: '%s' is none of auto, best, pixel, RxC (R, C: a number or *)%s%s%s",
                      text, CLOSEST(&near));
}

/* auto with that budget, best, pixel, or RxC with * for the whole extent. */
static bool parse_set(const char *text, int64_t budget, struct set_shape *out, struct diag *d)
{
    *out = (struct set_shape){.budget = strcmp(text, "auto") == 0 ? budget : 0};
    if (out->budget)
        return true;
    /* Until `best` is chosen the sets are pixels. */
    const char *at = strcmp(text, "pixel") == 0 || strcmp(text, "best") == 0 ? "1x1" : text;
    if (!parse_extent(&at, &out->rows) || *at++ != 'x' || !parse_extent(&at, &out->cols) || *at)
        return no_set(text, d);
    return true;
}

void driver_set_noise(struct arch *a, int64_t seed, struct loc loc, struct diag *d)
{
    if (seed >= 0)
        a->noise_seed = seed;
    if (seed > 0 && !arch_has_noise(a))
        diag_note(d, loc,
                  "the machine's cells have no noise (cimc list arch: program_sigma_*, "
                  "stuck_*, drift_permille): seeds change nothing");
    if (a->noise_seed > 0 && arch_noise_is_lost(a))
        diag_note(d, loc,
                  "deviations or losses of cells (program_sigma_*, drift_permille) are less than "
                  "half a step of what a cell holds, and mostly rounded away: cell_fraction_bits "
                  "makes steps finer");
}

bool driver_start(struct build *b, const struct cimc_options *s, const struct arch *arch,
                  const struct progress *progress, struct diag *d)
{
    *b = (struct build){.arena = arena_new(), .writes = s, .progress = progress};
    bool searched = s->duplicate == CIMC_DUPLICATE_MAKESPAN && !s->copies;
    if (!parse_set(s->set, searched ? SEARCHED_INSTRUCTIONS : AUTO_INSTRUCTIONS, &b->set, d))
        return false;
    b->wants_best = strcmp(s->set, "best") == 0;
    if (s->pes >= 0 && s->extra_pes >= 0)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--pes and --extra-pes exclude each other");
    if (arch) {
        b->arch = *arch;
        return true;
    }
    const struct arch_notes *notes;
    if (!machine_load(s, s->arch ? s->arch : "clsa", b->arena, d, &b->arch, &notes))
        return false;
    return true;
}

void driver_free(struct build *b)
{
    ir_graph_free(b->graph);
    ir_graph_free(b->rest);
    for (size_t i = 0; i < b->n_models; i++) {
        ir_graph_free(b->models[i].imported);
        ir_graph_free(b->models[i].graph);
    }
    isa_program_free(b->program);
    calibration_free(&b->calibration);
    calibration_free(&b->test);
    VEC_FREE(&b->spans.list);
    arena_free(b->arena);
}

/* Of a stage that ends now: its seconds. */
static double add_stage(struct build *b, const char *name, double start)
{
    double end = now_seconds();
    spans_add(&b->spans, "stage", name, start, end);
    return end - start;
}

/* ---- import ---- */

static struct ir_op *fold(void *self, struct ir_op *op)
{
    return eval_fold(op, EVAL_FOLD_BYTES, self);
}

static bool may_read(void *self, const char *path, struct diag *d)
{
    const struct build *b = self;
    return outputs_check_input(b->writes, path, d);
}

/* b->graph */
static bool import_model(struct build *b, const struct cimc_options *s, struct model *m,
                         struct diag *d)
{
    struct text assumed = {0};
    struct onnx_options o = {.memory = {m->bytes, m->n_bytes},
                             .fold = fold,
                             .fold_self = d,
                             .may_read = may_read,
                             .may_read_self = b,
                             .no_weights = s->no_weights,
                             .n_missing = &m->n_missing,
                             .assumed = &assumed,
                             .rest = &b->rest};
    if (!model_options(m, s, b->arena, &o, d))
        return false;
    double start = now_seconds();
    b->graph = onnx_import(m->path, &o, d);
    b->import_seconds += add_stage(b, "import", start);
    b->n_missing += m->n_missing;
    m->assumed = arena_strdup(b->arena, assumed.n ? assumed.at : "");
    text_free(&assumed);
    return b->graph && states_bind(b->graph, m, &s->states, d);
}

bool driver_import(struct build *b, const struct cimc_options *s, struct diag *d)
{
    return models_check_options(b, s, d) && import_model(b, s, &b->models[0], d);
}

/* Of the file's batch; a state passes from one image to the next. */
static int64_t count_images(const struct ir_graph *g)
{
    bool has_state = false;
    for (const struct ir_op *op = g->first; op; op = op->next)
        has_state |= op->opcode == IR_input && op->attrs->input.state;
    return has_state ? 1 : ir_batch(g);
}

/* A batch whose images are mixed is one frame: outputs need not have a part of each image. */
static void count_frames(struct model *m)
{
    struct diag *silent = diag_new();
    m->batch = count_images(m->imported);
    m->images = m->batch > 1 && ir_keeps_images(m->imported, m->batch, silent) ? m->batch : 1;
    diag_free(silent);
}

bool driver_take_image(struct build *b, struct model *m, struct diag *d)
{
    m->batch = m->images = count_images(b->graph);
    return m->images == 1 || ir_take_image(b->graph, m->images, d);
}

/* NULL: none. A report on the quality is made by the passes themselves. */
static struct pass_cache *cache_of_model(const struct build *b)
{
    return b->cache && !b->wants_quality ? &b->cache->model : NULL;
}

static bool has_start(const struct build *b)
{
    const struct pass_cache *c = cache_of_model(b);
    return c && pass_cache_start(c);
}

bool driver_calibrate(struct build *b, const struct cimc_options *s, const struct model *m,
                      struct diag *d)
{
    bool is_batch = m && m->images > 1;
    bool has_test = b->held_out && b->held_out->n;
    const struct ir_graph *g = has_start(b) ? pass_cache_start(cache_of_model(b)) : b->graph;
    const struct calibration_source from = {g, is_batch, s, b->writes};
    return (!s->calibrate.n ||
            calibration_read(&b->calibration, &from, "calibrate", &s->calibrate, d)) &&
           (!has_test || calibration_read(&b->test, &from, "test-data", b->held_out, d));
}

/* ---- passes ---- */

/* Pass dup asks the scheduler, which it does not know. */
struct scheduler {
    struct diag *diag;
    struct backend_trials *trials; /* of the graph that was asked about, or NULL */
};

static bool ask_makespan(const struct dup_schedule *schedule, const struct ir_graph *g,
                         struct dup_timing *out)
{
    struct scheduler *s = schedule->self;
    struct backend_options o = {
        .mode = schedule->layer_by_layer ? SCHEDULE_LAYER_BY_LAYER : SCHEDULE_CROSS_LAYER,
        .set = {schedule->set_rows, schedule->set_columns, schedule->set_budget},
        .pes = INT64_MAX, /* the pass itself keeps to the PEs */
        .frames = schedule->frames};
    struct backend_makespan found;
    if (!s->trials)
        s->trials = backend_trials_new(g, schedule->arch, s->diag);
    if (!s->trials || !backend_trial_makespan(s->trials, &o, &found))
        return false;
    *out = (struct dup_timing){.cycles = found.cycles,
                               .set_rows = found.set.rows,
                               .set_columns = found.set.cols,
                               .n_tasks = found.n_tasks};
    return true;
}

static enum schedule_mode schedule_mode(const struct cimc_options *s)
{
    return s->schedule == CIMC_LAYER_BY_LAYER ? SCHEDULE_LAYER_BY_LAYER : SCHEDULE_CROSS_LAYER;
}

bool driver_run_passes(struct build *b, const struct cimc_options *s, const char *pipeline,
                       const struct pass_options *o, struct diag *d)
{
    static const enum dup_cut cuts[] = {CUT_AUTO, CUT_W, CUT_H, CUT_2D};
    static const enum dup_objective objectives[] = {DUP_NONE, DUP_SUM, DUP_MAKESPAN, DUP_INTERVAL};
    struct dup_options dup = {.objective = objectives[s->duplicate],
                              .cut = cuts[s->cut],
                              .pes = s->pes == CIMC_ALL_PES ? -1 : s->pes,
                              .extra_pes = s->extra_pes,
                              .windows = s->mapping == CIMC_MAPPING_WINDOW,
                              .lp_file = s->lp_file};
    b->cut = s->cut;
    if (s->lp_file && (s->copies || (s->duplicate == CIMC_DUPLICATE_NONE && !dup.windows)))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--lp-file: with %s there is no duplication problem to write",
                          s->copies ? "--copies" : "--duplicate none");
    if (s->pes == CIMC_ALL_PES && b->arch.tiles == 0)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--pes all: the machine has as many tiles as needed; give --arch-field "
                          "tiles=N");
    int64_t frames = driver_frames(b, s);
    if (frames > ISA_MAX_FRAMES)
        return diag_error(d, (struct loc){.file = b->model}, DIAG_PROGRAM,
                          "%lld frames, more than %d", (long long)frames, ISA_MAX_FRAMES);
    struct quant_options quant;
    if (!calibration_options(s, &b->arch, b->arena, &quant, d) ||
        (s->copies && !mapping_parse_copies(s->copies, b->arena, &dup, d)) ||
        !mapping_parse_patches(&s->patches, b->arena, &dup, d))
        return false;
    struct scheduler scheduler = {d, NULL};
    struct arch timed = arch_without_noise(&b->arch);
    struct dup_schedule schedule = {.makespan = ask_makespan,
                                    .self = &scheduler,
                                    .arch = &timed,
                                    .set_rows = b->set.rows,
                                    .set_columns = b->set.cols,
                                    .set_budget = b->set.budget,
                                    .layer_by_layer = s->schedule == CIMC_LAYER_BY_LAYER,
                                    .frames = (uint32_t)frames};
    struct pass_ctx ctx = {.diag = d,
                           .arch = &b->arch,
                           .scratch = b->arena,
                           .dup = &dup,
                           .dup_result = &b->dup,
                           .schedule = dup.objective == DUP_MAKESPAN ? &schedule : NULL,
                           .progress = b->progress,
                           .mode = b->mode_reason ? b->mode : (enum pass_mode)s->mode,
                           .mode_reason = b->mode_reason,
                           .unquantised_is_error = s->unquantised == 1,
                           .quant = s->calibrate.n ? &quant : NULL,
                           .quant_report = b->wants_quality ? &b->quality : NULL,
                           .quant_test = b->test.tensors.n_images ? &b->test.tensors : NULL,
                           .calibration =
                               b->calibration.tensors.n_images ? &b->calibration.tensors : NULL};
    double start = now_seconds();
    b->quality.arena = b->arena;
    struct pass_options with_log = *o;
    with_log.print_to = b->log;
    bool ok = pass_run_pipeline(pipeline, &b->graph, &ctx, &with_log);
    b->mode = ctx.mode;
    b->mode_reason = ctx.mode_reason;
    if (b->dup.has_sets)
        b->set = (struct set_shape){.rows = b->dup.set_rows, .cols = b->dup.set_columns};
    else if (b->set.rows != 1 && b->set.cols != 0)
        b->dup.has_bound = false; /* these sets have another order than single products */
    backend_trials_free(scheduler.trials);
    b->passes_seconds += add_stage(b, "passes", start);
    return ok;
}

/* What passes find in the way of a model of which not all could be imported. */
static void look_at_rest(struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct pass_options o = {.stop_after = "im2col"};
    struct cimc_options look = *s;
    look.mode = PASS_MODE_AUTO; /* what would be quantised may be what is lost */
    look.unquantised = 0;
    b->graph = b->rest;
    b->rest = NULL;
    bool clear = b->graph && driver_run_passes(b, &look, pass_default_pipeline, &o, d);
    (void)clear; /* or in the way of what follows: either way the model is refused */
}

bool driver_import_models(struct build *b, const struct cimc_options *s, struct diag *d)
{
    if (!models_check_options(b, s, d))
        return false;
    for (size_t i = 0; i < b->n_models; i++) {
        struct model *m = &b->models[i];
        if (!import_model(b, s, m, d)) {
            if (!b->graph)
                look_at_rest(b, s, d);
            return false;
        }
        m->imported = b->graph;
        b->graph = NULL; /* before what may leave the call: one of both frees it */
        count_frames(m);
    }
    return true;
}

void driver_copy_models(struct build *b, const struct build *from)
{
    b->model = arena_strdup(b->arena, from->model);
    b->models = ARENA_ARRAY(b->arena, struct model, from->n_models);
    b->n_models = from->n_models;
    b->n_missing = from->n_missing;
    b->import_seconds = from->import_seconds;
    for (size_t i = 0; i < from->spans.list.n; i++)
        VEC_PUSH(&b->spans.list, from->spans.list.at[i]);
    for (size_t i = 0; i < from->n_models; i++) {
        const struct model *m = &from->models[i];
        b->models[i] = (struct model){.name = arena_strdup(b->arena, m->name),
                                      .path = arena_strdup(b->arena, m->path),
                                      .rate = m->rate,
                                      .imported = has_start(b) ? NULL : ir_clone(m->imported),
                                      .batch = m->batch,
                                      .images = m->images,
                                      .n_missing = m->n_missing,
                                      .assumed = arena_strdup(b->arena, m->assumed)};
    }
}

bool driver_take_images(struct build *b, bool keep_imported, struct diag *d)
{
    for (size_t i = 0; i < b->n_models && !has_start(b); i++) {
        struct model *m = &b->models[i];
        m->graph = keep_imported ? ir_clone(m->imported) : m->imported;
        if (!keep_imported)
            m->imported = NULL;
        if (m->batch > 1 && !ir_take_image(m->graph, m->batch, d))
            return false;
    }
    return true;
}

bool driver_keeps_images(const struct build *b, struct diag *d)
{
    for (size_t i = 0; i < b->n_models; i++) {
        const struct model *m = &b->models[i];
        if (m->images < m->batch && !ir_keeps_images(m->imported, m->batch, d))
            return false;
    }
    return true;
}

bool driver_import_all(struct build *b, const struct cimc_options *s, bool keep_imported,
                       struct diag *d)
{
    return driver_import_models(b, s, d) && driver_take_images(b, keep_imported, d);
}

bool driver_lower_model(struct build *b, const struct cimc_options *s, struct model *m,
                        const struct pass_options *o, struct diag *d)
{
    struct pass_options with_cache = *o;
    with_cache.cache = cache_of_model(b);
    b->graph = m->graph;
    m->graph = NULL;
    bool ok = driver_calibrate(b, s, m, d) &&
              driver_run_passes(b, s, pass_default_pipeline, &with_cache, d);
    m->mode = b->mode;
    m->mode_reason = b->mode_reason;
    return ok;
}

/* Begins anew where the model's graph may be another. */
static struct pass_cache *cache_of_named(const struct build *b)
{
    struct pass_cache *model = cache_of_model(b);
    if (!model)
        return NULL;
    if (model->serial != b->cache->model_serial)
        pass_cache_drop(&b->cache->named);
    b->cache->model_serial = model->serial;
    return &b->cache->named;
}

static bool lower_together(struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct pass_options o = {.print_changed = s->print_changed,
                             .time_passes = s->time_passes,
                             .stats = s->pass_stats,
                             .spans = &b->spans,
                             .stop_after = "tile"};
    enum pass_mode mode = PASS_MODE_F32;
    for (size_t i = 0; i < b->n_models; i++) {
        struct model *m = &b->models[i];
        if (!driver_lower_model(b, s, m, &o, d))
            return false;
        mode = m->mode == PASS_MODE_INT ? PASS_MODE_INT : mode;
        m->graph = b->graph;
        b->graph = NULL;
        b->mode_reason = NULL;
    }
    models_join(b);
    b->mode = mode;
    b->mode_reason = "";
    o.stop_after = NULL;
    o.cache = cache_of_named(b);
    return driver_run_passes(b, s, "cse,dup,readout", &o, d);
}

bool driver_lower(struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct pass_options o = {.print_changed = s->print_changed,
                             .time_passes = s->time_passes,
                             .stats = s->pass_stats,
                             .spans = &b->spans,
                             .skip = b->wants_best ? "readout" : NULL}; /* of the best one alone */
    bool is_alone = !*b->models[0].name;
    if (!is_alone && s->calibrate.n)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--calibrate: calibrating several models of one program, or one that has "
                          "a name in it, is not built yet");
    if (!(is_alone ? driver_lower_model(b, s, &b->models[0], &o, d) : lower_together(b, s, d)))
        return false;
    ir_number(b->graph);
    return !b->wants_best || mapping_choose_best(b, s, d);
}

bool driver_lower_again(struct build *b, const struct isa_program *p, const struct cimc_options *s,
                        const struct cimc_source *models, size_t n, const struct progress *progress,
                        struct diag *d)
{
    struct cimc_options recorded;
    *b = (struct build){0};
    bool ok = options_recall(p->options ? p->options : "", &recorded, d) &&
              driver_start(b, &recorded, &p->arch, progress, d);
    b->writes = s;
    ok = ok && driver_take_models(b, &recorded, models, n, d) &&
         driver_import_all(b, &recorded, true, d) && driver_lower(b, &recorded, d);
    cimc_options_free(&recorded);
    if (ok && ir_fingerprint(b->graph) != p->graph_fingerprint)
        ok = diag_error(d, (struct loc){.file = b->model}, DIAG_CHECK,
                        "the program was not made from %s (graph %016llx, not %016llx)",
                        b->n_models == 1 ? "this model" : "these models, in this order",
                        (unsigned long long)ir_fingerprint(b->graph),
                        (unsigned long long)p->graph_fingerprint);
    return ok;
}

/* ---- backend ---- */

/* What people and `check --model` want to know of the program. */
static void sign(struct isa_program *p, const struct build *b, const struct cimc_options *s)
{
    struct text options = {0};
    struct cimc_options recorded = *s;
    if (b->n_models < 2)
        recorded.mode = b->mode;
    if (b->chosen.set) {
        recorded.set = b->chosen.set;
        recorded.cut = b->chosen.cut;
    }
    struct cimc_strings patches = {0};
    if (s->duplicate == CIMC_DUPLICATE_MAKESPAN) { /* long to solve, and may be for other sets */
        recorded.copies = mapping_copies_text(b->graph, p->arena);
        mapping_list_patches(b->graph, p->arena, &patches);
        recorded.patches = patches;
    }
    char set[64];
    if (s->duplicate == CIMC_DUPLICATE_MAKESPAN && strcmp(s->set, "auto") == 0)
        recorded.set = mapping_set_text(&b->backend.set, set);
    options_record(&recorded, &options);
    VEC_FREE(&patches);
    p->compiler = "cimc " CIMC_VERSION;
    p->model = arena_strdup(p->arena, driver_file_name(b->model));
    p->options = arena_strdup(p->arena, options.at ? options.at : "");
    text_free(&options);
}

int64_t driver_frames(const struct build *b, const struct cimc_options *s)
{
    int64_t frames = 0;
    for (size_t i = 0; i < b->n_models; i++) {
        const struct model *m = &b->models[i];
        if (m->images > 1)
            frames = max_i64(frames, ceil_div_i64(m->images, m->rate));
    }
    return s->frames > 0 ? s->frames : s->states.n ? max_i64(frames, 1) : frames;
}

struct backend_options driver_backend_options(const struct build *b, const struct cimc_options *s)
{
    int64_t frames = driver_frames(b, s);
    return (struct backend_options){.mode = schedule_mode(s),
                                    .set = b->set,
                                    .pes = b->dup.pes,
                                    .frames = (uint32_t)frames,
                                    .pace = s->pace == CIMC_PACE_STEADY ? PACE_INTERVAL : s->pace,
                                    .report_sets = s->keep_schedule || views_wanted(s),
                                    .report_detail = s->keep_detail || s->report || s->trace,
                                    .print_plan = s->keep_plan || s->print_plan,
                                    .progress = b->progress};
}

/* Converters and cells have no model of floats. */
static void note_read_out(const struct build *b, struct diag *d)
{
    if (b->mode == PASS_MODE_F32 && !arch_readout_is_ideal(&b->arch))
        diag_note(d, (struct loc){.file = b->model},
                  "crossbars hold floats: their products are exact, whatever the machine's "
                  "adc_bits and noise_seed are");
}

bool driver_compile(struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct backend_options o = driver_backend_options(b, s);
    double start = now_seconds();
    b->program = backend_compile(b->graph, &b->arch, &o, &b->backend, d);
    double scheduled = start + b->backend.seconds_schedule;
    spans_add(&b->spans, "stage", "schedule", start, scheduled);
    spans_add(&b->spans, "stage", "emit", scheduled, scheduled + b->backend.seconds_emit);
    if (!b->program)
        return false;
    sign(b->program, b, s);
    start = now_seconds();
    progress_tell(b->progress, "check", 0, 0);
    bool ok = backend_check(b->program, b->graph, d);
    progress_tell(b->progress, "check", 1, 1);
    if (b->n_missing)
        isa_program_drop_weights(b->program);
    b->check_seconds = add_stage(b, "check", start);
    if (ok)
        note_read_out(b, d);
    return ok;
}

bool driver_has_weights(const struct build *b, const struct isa_program *p, struct diag *d)
{
    if (!(b && b->n_missing) && !(p && p->no_weights))
        return true;
    return diag_error(d, (struct loc){.file = b ? b->model : NULL}, DIAG_DATA,
                      "weights are missing (--no-weights): there are times, but no values");
}

bool driver_write(struct build *b, const struct isa_program *p, const char *path, struct diag *d)
{
    double start = now_seconds();
    bool ok = isa_program_write(p, path, &b->program_bytes, d);
    b->write_seconds = add_stage(b, "write", start);
    return ok;
}

bool driver_write_text(const struct text *t, const char *path, struct diag *d)
{
    struct out o;
    if (!out_open(&o, path, d))
        return false;
    fwrite(t->at, 1, t->n, o.f);
    return out_commit(&o, d);
}

bool driver_write_plan(const struct backend_result *r, const char *path, struct diag *d)
{
    struct out o;
    if (!out_open(&o, path, d))
        return false;
    fputs(r->plan, o.f);
    return out_commit(&o, d);
}

const char *driver_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *driver_output_name(const char *model, const char *ending, struct arena *a)
{
    const char *name = driver_file_name(model);
    size_t n = strlen(name);
    if (strcmp(model, "-") == 0)
        return arena_printf(a, "program%s", ending);
    if (n > 5 && strcmp(name + n - 5, ".onnx") == 0)
        n -= 5;
    return arena_printf(a, "%.*s%s", (int)n, name, ending);
}
