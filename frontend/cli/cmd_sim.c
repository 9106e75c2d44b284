/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_sim.c - `cimc sim`: executes a program file; a model, if given, is the reference. */
#include "transition.h"

#include "outputs.h"
#include "report.h"
#include "trials.h"

static void report(const struct command_line *l, const struct simulation *sim,
                   const struct cimc_options *s)
{
    if (!s->json) {
        report_simulation(sim, outputs_to_stdout(s) ? stderr : stdout);
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    json_text(j, "program", l->args.at[0]);
    report_simulation_json(sim, j);
    report_costs_json(NULL, sim, j);
    json_close_map(j);
    json_finish(j, stdout);
}

static bool simulate_and_report(const struct command_line *l, const struct isa_program *p,
                                const struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct simulation sim = {.settings = s,
                             .progress = &l->context->progress,
                             .program = p,
                             .may_lack_values = true,
                             .models = driver_io_models(b),
                             .graph = b->graph};
    bool ok = simulate(&sim, d);
    if (sim.ran)
        report(l, &sim, s);
    simulation_free(&sim);
    return ok;
}

/* The references of trials: the models without converters and noise. */
static struct io_models models_as_read(const struct build *b)
{
    struct io_models all = driver_io_models(b);
    struct io_model *own = ARENA_ARRAY(b->arena, struct io_model, all.n);
    for (size_t i = 0; i < all.n; i++) {
        own[i] = all.at[i];
        own[i].reference = own[i].described;
        own[i].reference_images = own[i].images;
    }
    return (struct io_models){.at = own, .n = all.n};
}

static void report_trials(const struct command_line *l, const struct trials *t,
                          const struct simulation *sim, const struct cimc_options *s)
{
    if (!s->json) {
        trials_report(t, sim, stdout);
        return;
    }
    struct json *j = json_new();
    json_open_map(j, NULL);
    json_text(j, "program", l->args.at[0]);
    trials_report_json(t, sim, j);
    report_costs_json(NULL, sim, j);
    json_close_map(j);
    json_finish(j, stdout);
}

static bool run_trials(const struct command_line *l, struct isa_program *p, const struct build *b,
                       const struct cimc_options *s, struct diag *d)
{
    struct simulation sim = {.settings = s, .progress = &l->context->progress, .program = p};
    struct trials trials = {0};
    if (s->compare_layers || s->times || s->save_outputs)
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--trials excludes --compare-layers, --times, --save-outputs");
    if (b->arena)
        sim.models = models_as_read(b);
    bool ok = trials_run(&sim, p, &trials, d);
    if (ok)
        report_trials(l, &trials, &sim, s);
    trials_free(&trials);
    simulation_free(&sim);
    return ok;
}

static bool sim_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    if (s->compare_layers && !s->models.n)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "--compare-layers needs --model");
    struct cimc_options noisy = *s;
    if (s->trials)
        noisy.noise_seed = max_i64(s->noise_seed, 1);
    struct isa_program *p = driver_read_program(l->args.at[0], &noisy, d);
    if (!p)
        return false;
    struct build b = {0};
    bool ok = (!s->models.n || driver_lower_again(&b, p, s, &s->models, true, d)) &&
              (s->trials ? run_trials(l, p, &b, s, d) : simulate_and_report(l, p, &b, s, d));
    driver_free(&b);
    isa_program_free(p);
    return ok;
}

enum cimc_status cmd_sim(struct command_line *l)
{
    return run_inner(l, sim_inner);
}
