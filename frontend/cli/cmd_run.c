/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_run.c - `cimc run`: compile (or take a program), simulate, compare. */
#include "transition.h"

#include "mapping.h"
#include "outputs.h"
#include "report.h"
#include "time_trace.h"
#include "views.h"

static void report(const struct build *b, const struct simulation *sim,
                   const struct cimc_options *s)
{
    bool to_stderr = outputs_to_stdout(s);
    if (!s->json) {
        FILE *out = to_stderr ? stderr : stdout;
        if (sim->is_compiled) {
            report_build(b, s, out);
            mapping_report(b, out);
            fputc('\n', out);
        }
        report_simulation(sim, out);
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    if (sim->is_compiled) {
        report_build_json(b, j);
        mapping_report_json(b, j);
    } else {
        json_text(j, "model", b->model);
    }
    report_simulation_json(sim, j);
    report_costs_json(sim->is_compiled ? b : NULL, sim, j);
    json_close_map(j);
    json_finish(j, stdout);
}

static bool simulate_and_report(struct simulation *sim, struct build *b,
                                const struct cimc_options *s, struct diag *d)
{
    sim->program = b->program;
    sim->models = driver_io_models(b); /* in mode int the references are known only now */
    sim->graph = b->graph;
    bool ok = driver_has_weights(b, b->program, d) && simulate(sim, d);
    if (sim->ran && s->time_trace)
        ok &= time_trace_write(b, sim, s->time_trace, d);
    if (sim->ran)
        report(b, sim, s);
    if (sim->ran && s->time_passes)
        report_times(sim->is_compiled ? b : NULL, sim, stderr);
    return ok;
}

/* The inputs' files say how many frames there are. */
static bool compile(const struct command_line *l, struct build *b, struct simulation *sim,
                    const struct cimc_options *s, struct diag *d)
{
    struct cimc_options all = *s;
    if (!start_build(l, b, s, d) || !driver_take_models(b, s, &l->args, d) ||
        !driver_import_all(b, s, true, d) || !driver_has_weights(b, NULL, d))
        return false;
    sim->models = driver_io_models(b);
    if (!simulation_load(sim, driver_frames(b, s), d))
        return false;
    if (sim->io.frames > 1)
        all.frames = sim->io.frames;
    return driver_lower(b, &all, d) && driver_compile(b, &all, d) &&
           (!s->output || driver_write(b, s->output, d)) && views_write(b, &all, d);
}

static bool take_program(const struct command_line *l, struct build *b,
                         const struct cimc_options *s, struct diag *d)
{
    *b = (struct build){0};
    struct isa_program *p = driver_read_program(s->program, s, d);
    bool ok = p && driver_lower_again(b, p, s, &l->args, true, d);
    b->program = p;
    return ok;
}

static bool simulate_inner(const struct command_line *l, const struct cimc_options *s,
                           struct diag *d)
{
    struct build b;
    struct simulation sim = {
        .settings = s, .is_compiled = !s->program, .progress = &l->context->progress};
    if (s->output && s->program)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--program compiles nothing that -o could write");
    if ((views_wanted(s) || s->print_plan) && s->program)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--program schedules nothing that there could be a view of");
    bool ok = s->program ? take_program(l, &b, s, d) : compile(l, &b, &sim, s, d);
    ok = ok && simulate_and_report(&sim, &b, s, d);
    simulation_free(&sim);
    driver_free(&b);
    return ok;
}

enum cimc_status cmd_run(struct command_line *l)
{
    return run_inner(l, simulate_inner);
}
