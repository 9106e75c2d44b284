/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * report_json.c - what `compile`, `run`, `sim` and `eval` tell machines. CLI.md lists the keys,
 * cimc.schema.json has them all.
 */
#include "report_parts.h"

#include "common_json.h"
#include "mapping.h"

#include <math.h>

static void integers_json(const int64_t *x, int64_t n, const char *key, struct json *j)
{
    json_open_array(j, key);
    for (int64_t i = 0; i < n; i++)
        json_integer(j, NULL, x[i]);
    json_close_array(j);
}

static void layer_json(const struct layer_report *l, const struct energy_report *energy,
                       struct json *j)
{
    json_open_map(j, NULL);
    json_text(j, "name", l->name);
    integers_json(l->ofm, 3, "ofm", j);
    json_integer(j, "pes", l->pes);
    json_integer(j, "cycles", l->cycles);
    json_integer(j, "copies", l->copies);
    integers_json(l->patch, 2, "patch", j);
    integers_json(l->matrix, 2, "matrix", j);
    integers_json(l->slices, 2, "slices", j);
    integers_json(l->slice_rows, l->slices[0], "slice_rows", j);
    integers_json(l->block_columns, l->slices[1], "block_columns", j);
    json_integer(j, "weight_bits", l->weight_bits);
    json_integer(j, "cells_used", (int64_t)l->cells_used);
    json_real(j, "fill", l->fill);
    json_integer(j, "start", (int64_t)l->start_cycle);
    json_integer(j, "end", (int64_t)l->end_cycle);
    json_integer(j, "busy_cycles", (int64_t)l->busy_cycles);
    json_open_array(j, "tiles");
    for (uint32_t i = 0; i < l->n_tiles; i++)
        json_integer(j, NULL, l->tiles[i]);
    json_close_array(j);
    if (energy->has_prices)
        energy_json(j, "energy_pj", energy_of(energy->arch, &l->counts));
    json_close_map(j);
}

/* The layer whose copies take longest. */
static void bottleneck_json(const struct build *b, struct json *j)
{
    const struct dup_result *r = &b->dup;
    if (!r->bottleneck) {
        json_null(j, "bottleneck");
        return;
    }
    json_open_map(j, "bottleneck");
    json_text(j, "layer", r->bottleneck);
    json_cycles(j, "", r->bottleneck_cycles, b->arch.cycle_ps);
    json_real(j, "share", report_bottleneck_share(b));
    json_close_map(j);
}

static void duplication_json(const struct build *b, struct json *j)
{
    const struct dup_result *r = &b->dup;
    json_open_map(j, "duplication");
    json_text(j, "objective", r->objective);
    json_real(j, "value", r->value);
    json_text(j, "status", r->status);
    if (r->has_interval)
        json_cycles(j, "interval_bound", r->interval_bound_cycles, b->arch.cycle_ps);
    if (r->has_interval && r->next_pes)
        json_integer(j, "next_pes", r->next_pes);
    else if (r->has_interval)
        json_null(j, "next_pes");
    json_close_map(j);
}

static void latency_json(uint64_t least, uint64_t most, int64_t cycle_ps, struct json *j)
{
    json_open_map(j, "latency_cycles");
    json_integer(j, "min", (int64_t)least);
    json_integer(j, "max", (int64_t)most);
    json_close_map(j);
    json_open_map(j, "latency_seconds");
    json_cycles_seconds(j, "min", least, cycle_ps);
    json_cycles_seconds(j, "max", most, cycle_ps);
    json_close_map(j);
}

/* Of a program for several frames; else what copies were chosen for. */
static void frames_json(const struct build *b, struct json *j)
{
    const struct backend_result *r = &b->backend;
    int64_t cycle_ps = b->arch.cycle_ps;
    if (!r->frames && b->dup.has_interval)
        json_cycles(j, "initiation_interval", (uint64_t)b->dup.value, cycle_ps);
    if (!r->frames)
        return;
    json_integer(j, "frames", r->frames);
    latency_json(r->latency_min_cycles, r->latency_max_cycles, cycle_ps, j);
    json_cycles(j, "initiation_interval", r->interval_cycles, cycle_ps);
    json_cycles(j, "interval_bound", r->interval_bound_cycles, cycle_ps);
    json_real(j, "steady_utilisation", r->steady_utilisation);
    json_real(j, "images_per_second", report_images_per_second(b));
}

/* Of several. */
static void models_json(const struct build *b, struct json *j)
{
    json_open_array(j, "models");
    for (size_t i = 0; i < b->n_models; i++) {
        const struct model *m = &b->models[i];
        json_open_map(j, NULL);
        json_text(j, "name", m->name);
        json_text(j, "model", m->path);
        json_integer(j, "rate", m->rate);
        json_text(j, "mode", report_mode_name(m->mode));
        json_text(j, "mode_reason", m->mode_reason);
        json_integer(j, "missing_tensors", (int64_t)m->n_missing);
        json_close_map(j);
    }
    json_close_array(j);
}

static void schedule_json(const struct build *b, struct json *j)
{
    const struct backend_result *r = &b->backend;
    int64_t cycle_ps = b->arch.cycle_ps;
    json_integer(j, "cycle_ps", cycle_ps);
    json_cycles(j, "layer_by_layer", r->layer_by_layer_cycles, cycle_ps);
    json_cycles(j, "makespan", report_all_cycles(b), cycle_ps);
    json_real(j, "speedup", report_speedup(r));
    json_real(j, "utilisation", r->utilisation);
    if (b->dup.has_bound) {
        json_cycles(j, "lower_bound", b->dup.lower_bound_cycles, cycle_ps);
    } else {
        json_null(j, "lower_bound_cycles");
        json_null(j, "lower_bound_seconds");
    }
    bottleneck_json(b, j);
    duplication_json(b, j);
    frames_json(b, j);
}

void report_build_json(const struct build *b, struct json *j)
{
    const struct backend_result *r = &b->backend;
    struct energy_report energy = report_build_energy(b);
    char set[64];
    bool is_alone = !*b->models[0].name;
    origin_json(b->program->options, &b->arch, j);
    json_text(j, "model", b->model);
    if (!is_alone)
        models_json(b, j);
    json_text(j, "arch", b->arch.name);
    json_text(j, "mode", report_mode_name(b->mode));
    json_text(j, "mode_reason", is_alone ? b->mode_reason : NULL);
    json_integer(j, "missing_tensors", (int64_t)b->n_missing);
    json_text(j, "set", mapping_set_text(&r->set, set));
    json_text(j, "cut", mapping_cut_name(b->cut));
    json_integer(j, "n_tiles", r->n_tiles);
    json_open_array(j, "base_layers");
    for (uint32_t i = 0; i < r->n_layers; i++)
        layer_json(&r->layers[i], &energy, j);
    json_close_array(j);
    json_integer(j, "pe_min", b->dup.pe_min);
    json_integer(j, "pes", b->dup.pes);
    json_integer(j, "pes_used", b->dup.pes_used);
    schedule_json(b, j);
    json_integer(j, "crossbar_macs", (int64_t)r->crossbar_macs);
    json_integer(j, "vector_macs", (int64_t)r->vector_macs);
    json_bool(j, "vector_is_free", b->arch.lanes == 0);
    json_integer(j, "n_instructions", (int64_t)r->n_instructions);
    json_integer(j, "code_bytes", (int64_t)r->code_bytes);
    json_integer(j, "most_code_bytes", (int64_t)r->most_code_bytes);
    if (b->program_bytes)
        json_integer(j, "program_bytes", (int64_t)b->program_bytes);
    else
        json_null(j, "program_bytes");
    energy_report_json(&energy, j);
}

void report_tile_json(const struct isa_program *p, uint32_t tile, struct json *j)
{
    struct isa_tile_bytes bytes = isa_tile_bytes(p, tile);
    json_integer(j, "pes", isa_tile_pes(&p->tiles[tile]));
    json_integer(j, "n_instructions", p->tiles[tile].n_insts);
    json_integer(j, "code_bytes", (int64_t)bytes.code);
    json_integer(j, "table_bytes", (int64_t)bytes.tables);
    json_integer(j, "weight_bytes", (int64_t)bytes.weights);
    json_integer(j, "buffer_bytes", (int64_t)bytes.buffer);
}

void report_tiles_json(const struct isa_program *p, struct json *j)
{
    json_open_array(j, "tiles");
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        json_open_map(j, NULL);
        report_tile_json(p, i, j);
        json_close_map(j);
    }
    json_close_array(j);
}

static void difference_json(const struct simulation *sim, size_t k, int64_t frame, struct json *j)
{
    const struct io_tensor *t = &sim->io.outputs[k];
    const struct difference *r = simulation_difference(sim, k, frame);
    bool compared = sim->io.references[k].data, in_steps = compared && r->step > 0;
    json_real(j, "max_abs_error", compared ? r->max_abs_error : NAN);
    json_real(j, "max_abs_reference", compared ? r->max_abs_reference : NAN);
    if (in_steps)
        json_integer(j, "n_different", ir_count(&t->type) - r->by_steps[0]);
    else
        json_null(j, "n_different");
    json_real(j, "max_steps", in_steps ? r->max_steps : NAN);
    if (compared)
        json_bool(j, "pass", r->pass);
    else
        json_null(j, "pass");
}

static void output_json(const struct simulation *sim, size_t k, struct json *j)
{
    const struct io_tensor *t = &sim->io.outputs[k];
    int64_t frames = io_frames(&sim->io, t);
    json_open_map(j, NULL);
    json_text(j, "name", t->known ? t->name : "");
    json_open_array(j, "shape");
    for (unsigned i = 0; i < t->type.rank; i++)
        json_integer(j, NULL, t->type.dim[i]);
    json_close_array(j);
    difference_json(sim, k, report_worst_frame(sim, k), j);
    if (frames > 1) {
        json_open_array(j, "frames");
        for (int64_t f = 0; f < frames; f++) {
            json_open_map(j, NULL);
            difference_json(sim, k, f, j);
            json_close_map(j);
        }
        json_close_array(j);
    }
    json_close_map(j);
}

void report_outputs_json(const struct simulation *sim, struct json *j)
{
    json_open_array(j, "outputs");
    for (size_t k = 0; k < sim->io.n_outputs; k++)
        output_json(sim, k, j);
    json_close_array(j);
    if (!sim->labels.of_frame.n)
        return;
    json_open_map(j, "accuracy");
    json_integer(j, "right", sim->n_right);
    json_integer(j, "images", (int64_t)sim->labels.of_frame.n);
    json_close_map(j);
}

/* What was seen of several frames. */
static void run_json(const struct simulation *sim, struct json *j)
{
    const struct sim_result *r = &sim->result;
    json_open_map(j, "simulated");
    json_integer(j, "frames", sim->io.frames);
    int64_t cycle_ps = sim->program->arch.cycle_ps;
    latency_json(r->latency_min_cycles, r->latency_max_cycles, cycle_ps, j);
    json_real(j, "interval_cycles", r->interval_cycles);
    json_real(j, "interval_seconds", 1e-12 * (double)cycle_ps * r->interval_cycles);
    json_real(j, "steady_utilisation", r->steady_utilisation);
    json_real(j, "images_per_second", report_run_per_second(sim));
    json_close_map(j);
}

void report_simulation_json(const struct simulation *sim, struct json *j)
{
    int64_t cycle_ps = sim->program->arch.cycle_ps;
    if (!sim->is_compiled) { /* else these stand among the build's keys, and are the same */
        origin_json(sim->program->options, &sim->program->arch, j);
        json_integer(j, "cycle_ps", cycle_ps);
        json_real(j, "utilisation", sim->result.utilisation);
    }
    json_cycles(j, "simulated", sim->result.cycles, cycle_ps);
    if (sim->io.frames > 1)
        run_json(sim, j);
    report_outputs_json(sim, j);
    if (sim->is_compiled)
        return;
    struct arena *a = arena_new();
    struct energy_report energy = report_run_energy(sim, a);
    energy_report_json(&energy, j);
    arena_free(a);
}

static void time_json(void *j, const char *stage, double seconds)
{
    json_seconds(j, stage, seconds);
}

void report_costs_json(const struct build *b, const struct simulation *sim, struct json *j)
{
    json_open_map(j, "seconds");
    report_each_time(b, sim, time_json, j);
    json_close_map(j);
    json_integer(j, "peak_rss_bytes", (int64_t)peak_rss_bytes());
}
