/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * report.c - what `compile`, `run` and `sim` tell people; report_json.c tells machines.
 */
#include "report_parts.h"

#include "mapping.h"

#include "base/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double report_speedup(const struct backend_result *r)
{
    return r->makespan_cycles ? (double)r->layer_by_layer_cycles / (double)r->makespan_cycles : NAN;
}

double report_bottleneck_share(const struct build *b)
{
    uint64_t makespan = b->backend.makespan_cycles;
    return makespan ? (double)b->dup.bottleneck_cycles / (double)makespan : NAN;
}

const char *report_time_text(double cycles, int64_t cycle_ps, char buffer[REPORT_TIME_TEXT])
{
    static const char *const units[] = {"ps", "ns", "us", "ms", "s"};
    unsigned unit = 0;
    double time = cycles * (double)cycle_ps;
    for (; time >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        time /= 1000;
    snprintf(buffer, REPORT_TIME_TEXT, "%.*g %s", time < 999.5 ? 3 : 6, time, units[unit]);
    return buffer;
}

/* ---- layers ---- */

/* A row of the table: a layer, or all that use its crossbars, at the place of the first. */
struct table_row {
    char name[256];
    const struct layer_report *first;
    int64_t cycles, uses;
};
struct table_rows {
    size_t n;
    struct table_row *at;
};

static struct table_rows table_rows(const struct backend_result *r)
{
    struct table_rows t = {.at = heap_alloc(r->n_layers * sizeof *t.at)};
    struct map row_of = {0}; /* by weights */
    for (uint32_t i = 0; i < r->n_layers; i++) {
        const struct layer_report *l = &r->layers[i];
        uint32_t row = (uint32_t)t.n;
        if (l->weights > 0)
            row = map_intern_u64(&row_of, (uint64_t)l->weights, row);
        if (row == t.n)
            t.at[t.n++].first = l;
        t.at[row].cycles += l->cycles;
        t.at[row].uses++;
    }
    for (size_t i = 0; i < t.n; i++) {
        struct table_row *row = &t.at[i];
        char times[32] = "";
        if (row->uses > 1)
            snprintf(times, sizeof times, " x%lld", (long long)row->uses);
        snprintf(row->name, sizeof row->name, "%.*s%s", (int)(sizeof row->name - sizeof times),
                 row->first->name, times);
    }
    map_free(&row_of);
    return t;
}

static bool has_patches(const struct backend_result *r)
{
    for (uint32_t i = 0; i < r->n_layers; i++)
        if (r->layers[i].patch[0] * r->layers[i].patch[1] > 1)
            return true;
    return false;
}

/* A further column, where there is anything to say. */
static void print_patch(const struct layer_report *l, FILE *out)
{
    char patch[48];
    snprintf(patch, sizeof patch, "%lldx%lld", (long long)l->patch[0], (long long)l->patch[1]);
    fprintf(out, "  %6s", patch);
}

static void print_layers(const struct backend_result *r, bool fill, FILE *out)
{
    struct table_rows t = table_rows(r);
    bool patches = has_patches(r);
    int width = (int)strlen("layer");
    for (size_t i = 0; i < t.n; i++)
        width = max_i32(width, plain_columns(t.at[i].name));
    width = min_i32(width, 40);
    fprintf(out, "%-*s  %20s  %6s  %10s  %6s%s%s\n", width, "layer", "output h x w x c", "PEs",
            "cycles", "copies", patches ? "   patch" : "", fill ? "    fill" : "");
    for (size_t i = 0; i < t.n; i++) {
        const struct table_row *row = &t.at[i];
        const struct layer_report *l = row->first;
        char ofm[64];
        snprintf(ofm, sizeof ofm, "%lld x %lld x %lld", (long long)l->ofm[0], (long long)l->ofm[1],
                 (long long)l->ofm[2]);
        print_plain(row->name, out);
        fprintf(out, "%*s  %20s  %6lld  %10lld  %6lld",
                max_i32(width - plain_columns(row->name), 0), "", ofm, (long long)l->pes,
                (long long)row->cycles, (long long)l->copies);
        if (patches)
            print_patch(l, out);
        if (fill)
            fprintf(out, "  %5.1f %%", 100 * l->fill);
        fputc('\n', out);
    }
    heap_free(t.at);
}

/* "name value", value with a unit; "-" where there is none. */
static void print_real(FILE *out, const char *name, double value, const char *unit)
{
    if (isnan(value))
        fprintf(out, "%s -", name);
    else
        fprintf(out, "%s %.4g%s", name, value, unit);
}

const char *report_mode_name(enum pass_mode mode)
{
    return mode == PASS_MODE_INT ? "int" : "f32";
}

static void print_model(const struct model *m, FILE *out)
{
    print_plain(m->name, out);
    fprintf(out, "%smode %s: %s\n", *m->name ? ": " : "", report_mode_name(m->mode),
            m->mode_reason);
    if (m->n_missing)
        fprintf(out, "no weights: the data of %zu tensors is missing\n", m->n_missing);
    if (*m->assumed) {
        print_plain(m->assumed, out);
        fputc('\n', out);
    }
}

static void print_interval(const struct build *b, FILE *out)
{
    const struct dup_result *r = &b->dup;
    char time[REPORT_TIME_TEXT];
    fprintf(out, "all PEs together work no faster than an image in %llu cycles = %s",
            (unsigned long long)r->interval_bound_cycles,
            report_time_text((double)r->interval_bound_cycles, b->arch.cycle_ps, time));
    if (r->next_pes)
        fprintf(out, "; with %lld PEs the interval falls", (long long)r->next_pes);
    fputc('\n', out);
}

/* Of the models of a frame, where there is one in each `interval`. */
static double images_per_second(double interval, int64_t cycle_ps, int64_t images)
{
    return interval > 0 ? 1e12 * (double)images / (interval * (double)cycle_ps) : NAN;
}

static int64_t images_of(const struct build *b)
{
    int64_t n = 0;
    for (size_t i = 0; i < b->n_models; i++)
        n += b->models[i].rate;
    return n;
}

double report_images_per_second(const struct build *b)
{
    return images_per_second((double)b->backend.interval_cycles, b->arch.cycle_ps, images_of(b));
}

static void print_per_second(double images, FILE *out)
{
    if (isnan(images))
        fputs(": - images/s", out);
    else
        fprintf(out, ": %.*f images/s", images >= 100 ? 0 : 2, images);
}

/* "latency 815 to 830 cycles = 1.16 ms", how often a frame comes and what that makes. */
static void print_throughput(uint64_t least, uint64_t most, double interval, double per_second,
                             double utilisation, int64_t cycle_ps, FILE *out)
{
    char latency[REPORT_TIME_TEXT], time[REPORT_TIME_TEXT];
    fprintf(out, "latency %llu", (unsigned long long)least);
    if (most != least)
        fprintf(out, " to %llu", (unsigned long long)most);
    fprintf(out, " cycles = %s, one every %.10g = %s",
            report_time_text((double)most, cycle_ps, latency), interval,
            report_time_text(interval, cycle_ps, time));
    print_per_second(per_second, out);
    print_real(out, "; utilisation", 100 * utilisation, " % in the steady state");
    fputc('\n', out);
}

static void print_frames(const struct build *b, FILE *out)
{
    const struct backend_result *r = &b->backend;
    fprintf(out, "%u frame%s in %llu cycles: ", r->frames, r->frames == 1 ? "" : "s",
            (unsigned long long)b->program->scheduled_cycles);
    print_throughput(r->latency_min_cycles, r->latency_max_cycles, (double)r->interval_cycles,
                     report_images_per_second(b), r->steady_utilisation, b->arch.cycle_ps, out);
    if (r->interval_bound_cycles < r->interval_cycles)
        fprintf(out, "no schedule of these copies has one more often than every %llu cycles\n",
                (unsigned long long)r->interval_bound_cycles);
}

struct energy_report report_build_energy(const struct build *b)
{
    return energy_report_new(b->program, &b->backend.energy, b->program->scheduled_cycles);
}

static void print_energy(const struct energy_report *r, bool all, FILE *out)
{
    energy_report_line(r, out);
    if (all)
        energy_report_table(r, out);
}

static void print_bottleneck(const struct build *b, FILE *out)
{
    const struct dup_result *r = &b->dup;
    char time[REPORT_TIME_TEXT];
    if (!r->bottleneck)
        return;
    fputs("bottleneck ", out);
    print_plain(r->bottleneck, out);
    fprintf(out, ", %llu cycles = %s", (unsigned long long)r->bottleneck_cycles,
            report_time_text((double)r->bottleneck_cycles, b->arch.cycle_ps, time));
    print_real(out, ",", 100 * report_bottleneck_share(b), " % of the makespan");
    fputc('\n', out);
}

/* Of all frames, where there are such. */
uint64_t report_all_cycles(const struct build *b)
{
    return b->backend.frames ? b->program->scheduled_cycles : b->backend.makespan_cycles;
}

static void print_duplication(const struct build *b, FILE *out)
{
    const struct dup_result *r = &b->dup;
    fprintf(out, "duplication %s: %.10g cycles", r->objective, r->value);
    if (strcmp(r->status, "none") != 0) /* nothing was searched */
        fprintf(out, " (%s)", r->status);
    if (r->has_interval)
        print_per_second(images_per_second(r->value, b->arch.cycle_ps, images_of(b)), out);
    fputc('\n', out);
    if (r->has_interval)
        print_interval(b, out);
    if (r->has_bound) {
        double bound = (double)r->lower_bound_cycles; /* of all frames, if several */
        double makespan = (double)report_all_cycles(b);
        fprintf(out, "no copies that fit take less than %.10g cycles", bound);
        print_real(out, ": gap", makespan > 0 ? 100 * (makespan - bound) / makespan : 0, " %\n");
    }
    print_bottleneck(b, out);
}

static void print_makespan(const struct build *b, FILE *out)
{
    const struct backend_result *r = &b->backend;
    char time[2][REPORT_TIME_TEXT];
    fprintf(out, "makespan %llu cycles = %s, layer by layer %llu = %s, ",
            (unsigned long long)r->makespan_cycles,
            report_time_text((double)r->makespan_cycles, b->arch.cycle_ps, time[0]),
            (unsigned long long)r->layer_by_layer_cycles,
            report_time_text((double)r->layer_by_layer_cycles, b->arch.cycle_ps, time[1]));
    print_real(out, "speedup", report_speedup(r), "");
    print_real(out, ", utilisation", 100 * r->utilisation, " %");
    fputc('\n', out);
}

void report_build(const struct build *b, const struct cimc_options *s, FILE *out)
{
    const struct backend_result *r = &b->backend;
    char set[64];
    print_layers(r, s->fill, out);
    fprintf(out, "\n%u base layers, %lld of %lld PEs needed, ", r->n_layers,
            (long long)b->dup.pe_min, (long long)b->dup.pes);
    if (b->dup.pes_used < b->dup.pes)
        fprintf(out, "%lld of %lld PEs used, ", (long long)b->dup.pes_used, (long long)b->dup.pes);
    fprintf(out, "%u tile%s, sets %s\n", r->n_tiles, r->n_tiles == 1 ? "" : "s",
            mapping_set_text(&r->set, set));
    print_duplication(b, out);
    print_makespan(b, out);
    if (r->frames)
        print_frames(b, out);
    fprintf(out, "%llu instructions, %llu bytes of code", (unsigned long long)r->n_instructions,
            (unsigned long long)r->code_bytes);
    if (b->program_bytes)
        fprintf(out, ", program %llu bytes", (unsigned long long)b->program_bytes);
    fputc('\n', out);
    fprintf(out, "multiply-adds: %llu on crossbars, %llu on vector units%s\n",
            (unsigned long long)r->crossbar_macs, (unsigned long long)r->vector_macs,
            r->vector_macs && !b->arch.lanes
                ? ", whose work takes no time on this machine (lanes 0)"
                : "");
    for (size_t i = 0; i < b->n_models; i++)
        print_model(&b->models[i], out);
    struct energy_report energy = report_build_energy(b);
    print_energy(&energy, s->energy, out);
}

/* One that fails, if any does; of those the one with the largest error. Without a reference
   nothing is compared. */
int64_t report_worst_frame(const struct simulation *sim, size_t k)
{
    int64_t worst = 0, frames = io_frames(&sim->io, &sim->io.outputs[k]);
    for (int64_t f = 1; f < frames && sim->io.references[k].data; f++) {
        const struct difference *a = simulation_difference(sim, k, f),
                                *b = simulation_difference(sim, k, worst);
        if (a->pass != b->pass ? b->pass : a->max_abs_error > b->max_abs_error)
            worst = f;
    }
    return worst;
}

static void print_output(const struct simulation *sim, size_t k, FILE *out)
{
    const struct io_tensor *t = &sim->io.outputs[k];
    int64_t frame = report_worst_frame(sim, k), frames = io_frames(&sim->io, t);
    const struct difference *r = simulation_difference(sim, k, frame);
    char type[200];
    fprintf(out, "output %zu '", k);
    print_plain(t->name, out);
    fprintf(out, "' %s", ir_type_text(&t->type, type, sizeof type));
    if (!sim->io.references[k].data) {
        fputs(": no reference\n", out);
        return;
    }
    if (frames > 1)
        fprintf(out, ", worst of %lld frames %lld", (long long)frames, (long long)frame);
    fputs(": ", out);
    struct text how = {0};
    if (r->step > 0)
        verdict_add_steps(r, &how);
    else
        text_add(&how, "largest error %.3g of %.3g", r->max_abs_error, r->max_abs_reference);
    fprintf(out, "%s: %s\n", how.at,
            !r->pass         ? "FAIL"
            : r->is_absolute ? "PASS (absolute)"
                             : "PASS");
    text_free(&how);
}

void report_outputs(const struct simulation *sim, FILE *out)
{
    for (size_t k = 0; k < sim->io.n_outputs && !sim->times_only; k++)
        if (sim->io.outputs[k].known)
            print_output(sim, k, out);
    if (sim->labels.of_frame.n)
        fprintf(out, "accuracy: %lld of %zu\n", (long long)sim->n_right, sim->labels.of_frame.n);
}

double report_run_per_second(const struct simulation *sim)
{
    return images_per_second(sim->result.interval_cycles, sim->program->arch.cycle_ps,
                             sim->io.models.n ? (int64_t)sim->io.models.n : 1);
}

static void print_run(const struct simulation *sim, FILE *out)
{
    const struct sim_result *r = &sim->result;
    fprintf(out, "%lld frames: ", (long long)sim->io.frames);
    print_throughput(r->latency_min_cycles, r->latency_max_cycles, r->interval_cycles,
                     report_run_per_second(sim), r->steady_utilisation, sim->program->arch.cycle_ps,
                     out);
}

struct energy_report report_run_energy(const struct simulation *sim, struct arena *a)
{
    struct isa_energy *counts = ARENA_NEW(a, struct isa_energy);
    *counts = isa_program_energy(sim->program, (uint32_t)sim->io.frames, a);
    return energy_report_new(sim->program, counts, sim->result.cycles);
}

void report_simulation(const struct simulation *sim, FILE *out)
{
    char time[REPORT_TIME_TEXT];
    report_outputs(sim, out);
    if (sim->times_only)
        fputs("no values, so times only: --test-data, --input or --input-fill gives the inputs\n",
              out);
    if (sim->settings->compare_layers)
        fprintf(out, "%u stored values compared with the evaluator\n", sim->n_compared);
    fprintf(out, "cycles: %llu simulated", (unsigned long long)sim->result.cycles);
    if (simulation_is_scheduled(sim))
        fprintf(out, ", %llu scheduled", (unsigned long long)sim->program->scheduled_cycles);
    fprintf(out, " = %s",
            report_time_text((double)sim->result.cycles, sim->program->arch.cycle_ps, time));
    print_real(out, "; utilisation", 100 * sim->result.utilisation, " %");
    fputc('\n', out);
    if (sim->io.frames > 1)
        print_run(sim, out);
    if (sim->is_compiled) /* else the build has told it, and it is the same */
        return;
    struct arena *a = arena_new();
    struct energy_report energy = report_run_energy(sim, a);
    print_energy(&energy, sim->settings->energy, out);
    arena_free(a);
}

/* ---- seconds of the compiler ---- */

/* Tells each stage there is. */
void report_each_time(const struct build *b, const struct simulation *sim,
                      void (*tell)(void *self, const char *stage, double seconds), void *self)
{
    if (b) {
        tell(self, "import", b->import_seconds);
        tell(self, "passes", b->passes_seconds);
        tell(self, "schedule", b->backend.seconds_schedule);
        tell(self, "emit", b->backend.seconds_emit);
        tell(self, "check", b->check_seconds);
        tell(self, "write", b->write_seconds);
    }
    if (sim) {
        tell(self, "simulate", sim->simulate_seconds);
        tell(self, "evaluate", sim->evaluate_seconds);
    }
}

static void time_line(void *out, const char *stage, double seconds)
{
    fprintf(out, "%-12s  %9.6f\n", stage, seconds);
}

void report_times(const struct build *b, const struct simulation *sim, FILE *out)
{
    fprintf(out, "%-12s    seconds\n", "stage");
    report_each_time(b, sim, time_line, out);
}
