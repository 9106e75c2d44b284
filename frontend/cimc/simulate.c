/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * simulate.c - one program, one set of inputs: runs it, finds the references, compares, reports.
 *
 * Shared by `run` and `sim`. References are the test data's outputs, and the evaluator's where
 * those are missing and there is a model.
 */
#include "simulate.h"

#include "driver.h"
#include "layers.h"
#include "times.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

static bool has_any(const struct tensor *given, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (given[i].data)
            return true;
    return false;
}

/* The cycles do not depend on values, neither of inputs nor of weights. */
static bool lacks_values(const struct simulation *sim)
{
    const struct cimc_options *s = sim->settings;
    bool some = sim->io.n_inputs > 0 || (sim->program && sim->program->no_weights);
    return sim->may_lack_values && some && !s->test_data.n && !s->inputs.n &&
           !has_any(sim->given.inputs, sim->given.n_inputs) && !s->input_fill &&
           !s->compare_layers && !s->save_outputs && !s->labels && s->trials < 1;
}

/* Nothing is compared with values that are given where there are none. */
static bool load_times(struct simulation *sim, struct diag *d)
{
    const struct io_given *g = &sim->given;
    if (g->n_labels || has_any(g->expected, g->n_expected))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "%s are given, but no values of the inputs",
                          g->n_labels ? "labels" : "expected outputs");
    io_settle_frames(&sim->io, sim->settings);
    return true;
}

bool simulation_load(struct simulation *sim, int64_t frames, struct diag *d)
{
    if (!io_describe(&sim->io, sim->program, sim->models, d))
        return false;
    sim->io.given = sim->given;
    sim->io.frames = max_i64(frames, 1);
    sim->times_only = lacks_values(sim);
    if (sim->times_only)
        return load_times(sim, d);
    return driver_has_weights(NULL, sim->program, d) &&
           io_load_inputs(&sim->io, sim->settings, d) &&
           io_load_references(&sim->io, sim->settings, d) && simulation_load_labels(sim, d);
}

bool simulation_load_labels(struct simulation *sim, struct diag *d)
{
    const char *path = sim->settings->labels;
    const struct io_given *g = &sim->io.given;
    if (g->n_labels)
        return labels_take(&sim->labels, g->labels, g->n_labels, &sim->io, d);
    return !path || labels_read(&sim->labels, path, &sim->io, d);
}

struct difference *simulation_difference(const struct simulation *sim, size_t k, int64_t frame)
{
    if (!sim->differences)
        return NULL;
    return &sim->differences[k * (size_t)sim->io.frames + (size_t)frame];
}

static bool prepare(struct simulation *sim, struct diag *d)
{
    const struct isa_program *p = sim->program;
    if (!sim->io.arena && !simulation_load(sim, p->frames, d))
        return false;
    struct io *io = &sim->io;
    io->models = sim->models;
    if (io->frames > 1 && !p->frames)
        return diag_error(d, (struct loc){0}, DIAG_DATA,
                          "the program is for one frame, the run has %lld; compile --frames N "
                          "makes one for several",
                          (long long)io->frames);
    if (io->frames > 1 && sim->settings->compare_layers)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "--compare-layers takes one frame");
    if (sim->times_only)
        return true;
    if (!sim->labels.of_frame.n && !simulation_load_labels(sim, d))
        return false;
    io_alloc_outputs(io);
    return true;
}

/* Who looks on while the program runs. */
struct watchers {
    struct layers *layers; /* or NULL */
    struct times *times;
};

static void executed(void *self, const struct sim *s, uint32_t tile, uint32_t frame,
                     uint32_t inst_index, const struct isa_inst *inst)
{
    const struct watchers *w = self;
    (void)inst;
    (void)frame;
    layers_executed(w->layers, s, tile, inst_index);
}

static void completed(void *self, const struct isa_inst *inst, const struct sim_times *times)
{
    const struct watchers *w = self;
    (void)inst;
    times_completed(w->times, times);
}

/* Of a stage that ends now: its seconds. */
static double add_stage(struct simulation *sim, const char *name, double start)
{
    double end = now_seconds();
    spans_add(&sim->spans, "stage", name, start, end);
    return end - start;
}

static bool execute(struct simulation *sim, struct watchers *watchers, struct diag *d)
{
    struct io *io = &sim->io;
    const void **inputs = ARENA_ARRAY(io->arena, const void *, io->n_inputs);
    void **outputs = ARENA_ARRAY(io->arena, void *, io->n_outputs);
    struct sim_options o = {.latency_seed = (uint64_t)sim->settings->latency_seed,
                            .max_extra_cycles = (uint64_t)sim->settings->max_extra_cycles,
                            .no_function = sim->times_only,
                            .frames = (uint32_t)io->frames,
                            .executed = watchers->layers ? executed : NULL,
                            .completed = watchers->times ? completed : NULL,
                            .self = watchers,
                            .progress = sim->progress};
    for (size_t k = 0; k < io->n_inputs; k++)
        inputs[k] = io->inputs[k].data;
    for (size_t k = 0; k < io->n_outputs; k++)
        outputs[k] = io->outputs[k].data;
    double start = now_seconds();
    sim->ran = sim_run(sim->program, inputs, outputs, &o, &sim->result, d);
    sim->simulate_seconds += add_stage(sim, "simulate", start);
    return sim->ran;
}

/* What the models say, where no file does. */
static bool find_references(struct simulation *sim, struct diag *d)
{
    struct eval_observer watcher = {.progress = sim->progress};
    double start = now_seconds();
    bool ok = sim->settings->no_references || io_has_references(&sim->io) ||
              !io_can_evaluate(&sim->io) || io_evaluate_references(&sim->io, &watcher, d);
    sim->evaluate_seconds += add_stage(sim, "evaluate", start);
    return ok;
}

static bool evaluate(struct simulation *sim, struct layers *layers, struct diag *d)
{
    struct eval_observer observer = {
        .seen = layers_seen, .self = layers, .progress = sim->progress};
    bool ok = find_references(sim, d);
    double start = now_seconds();
    if (ok && layers)
        ok = io_observe(&sim->io, sim->graph, &observer, d);
    sim->evaluate_seconds += add_stage(sim, "evaluate", start);
    return ok;
}

bool simulation_prepare(struct simulation *sim, struct diag *d)
{
    return prepare(sim, d) && find_references(sim, d);
}

bool simulation_execute(struct simulation *sim, struct diag *d)
{
    struct watchers nobody = {0};
    return execute(sim, &nobody, d);
}

bool simulation_evaluate(struct simulation *sim, int64_t images, struct diag *d)
{
    struct io *io = &sim->io;
    if (!io_describe(io, NULL, sim->models, d))
        return false;
    io->given = sim->given;
    io->frames = images;
    if (!io_load_inputs(io, sim->settings, d) || !io_load_references(io, sim->settings, d) ||
        !simulation_load_labels(sim, d))
        return false;
    struct eval_observer watcher = {.progress = sim->progress};
    struct tensor *out = ARENA_ARRAY(io->arena, struct tensor, io->n_outputs);
    double start = now_seconds();
    sim->ran = io_evaluate(io, &watcher, out, d);
    sim->evaluate_seconds = now_seconds() - start;
    for (size_t k = 0; k < io->n_outputs; k++)
        io->outputs[k].data = out[k].data;
    if (!sim->ran)
        return false;
    sim->n_right = labels_right(&sim->labels, io);
    bool ok = verdict(sim, d);
    if (sim->settings->save_outputs)
        ok &= io_save_outputs(io, sim->settings->save_outputs, d);
    return ok;
}

bool simulation_is_scheduled(const struct simulation *sim)
{
    return sim->io.frames == max_i64(sim->program->frames, 1);
}

/* Only a program straight from the compiler must keep to its schedule; an edited one need not. */
static bool compare_cycles(const struct simulation *sim, struct diag *d)
{
    uint64_t got = sim->result.cycles, want = sim->program->scheduled_cycles;
    if (got == want || sim->settings->latency_seed != 0 || !simulation_is_scheduled(sim))
        return true;
    static const char text[] = "simulated cycles %llu, scheduled %llu";
    if (sim->is_compiled)
        return diag_error(d, (struct loc){0}, DIAG_MISMATCH, text, (unsigned long long)got,
                          (unsigned long long)want);
    diag_warn(d, (struct loc){0}, DIAG_MISMATCH, text, (unsigned long long)got,
              (unsigned long long)want);
    return true;
}

static bool run_and_compare(struct simulation *sim, struct watchers *watchers, struct diag *d)
{
    struct layers *layers = watchers->layers;
    if (!execute(sim, watchers, d) ||
        (watchers->times && !times_write(watchers->times, sim->settings->times, d)))
        return false;
    if (sim->times_only)
        return compare_cycles(sim, d);
    sim->n_right = labels_right(&sim->labels, &sim->io);
    if (!evaluate(sim, layers, d))
        return false;
    bool ok = verdict(sim, d);
    if (layers) {
        ok &= layers_verdict(layers, d);
        sim->n_compared = layers_compared(layers);
    }
    if (sim->settings->save_outputs)
        ok &= io_save_outputs(&sim->io, sim->settings->save_outputs, d);
    return compare_cycles(sim, d) && ok;
}

bool simulate(struct simulation *sim, struct diag *d)
{
    if (!prepare(sim, d))
        return false;
    struct watchers w = {0};
    if (sim->settings->compare_layers) {
        w.layers = layers_new(sim->program, sim->graph,
                              (struct tolerance){.relative = sim->settings->tolerance}, d);
        if (!w.layers)
            return false;
    }
    if (sim->settings->times)
        w.times = times_new(sim->program, (uint32_t)sim->io.frames);
    bool ok = run_and_compare(sim, &w, d);
    times_free(w.times);
    layers_free(w.layers);
    return ok;
}

void simulation_free(struct simulation *sim)
{
    labels_free(&sim->labels);
    io_free(&sim->io);
    VEC_FREE(&sim->spans.list);
}
