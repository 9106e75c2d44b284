/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_run.c - `cimc run`: compile (or take a program), simulate, compare. */
#include "commands.h"
#include "text_out.h"

/* What a run needs; each is freed at the end. */
struct work {
    cimc_model *model;
    cimc_program *program;
    cimc_simulation *simulation;
};

/* The inputs' files say how many frames there are. */
static enum cimc_status compile(struct command_line *l, struct work *w)
{
    cimc_context *c = l->context;
    struct cimc_options *o = &l->options;
    struct sources s = sources_of(&l->args);
    enum cimc_status status = cimc_import(c, s.at, s.n, o, &w->model);
    if (status == CIMC_OK)
        status = cimc_simulation_of_model(c, w->model, o, NULL, &w->simulation);
    if (status == CIMC_OK && cimc_simulation_frames(w->simulation) > 1)
        o->frames = cimc_simulation_frames(w->simulation);
    if (status == CIMC_OK)
        status = cimc_compile(c, w->model, o, &w->program);
    return status == CIMC_OK ? cimc_write_files(c, w->program, o) : status;
}

static enum cimc_status take_program(struct command_line *l, struct work *w)
{
    cimc_context *c = l->context;
    struct cimc_options *o = &l->options;
    struct sources s = sources_of(&l->args);
    o->needs_values = true;
    enum cimc_status status = read_program(l, o->program, &w->program);
    if (status == CIMC_OK)
        status = cimc_program_set_noise(c, w->program, o->noise_seed);
    if (status == CIMC_OK)
        status = cimc_program_bind(c, w->program, s.at, s.n, o);
    return status == CIMC_OK ? cimc_simulation_of_program(c, w->program, o, NULL, &w->simulation)
                             : status;
}

static enum cimc_status check_options(const struct command_line *l)
{
    const struct cimc_options *o = &l->options;
    bool has_view = o->schedule_out || o->schedule_svg || o->trace || o->print_plan;
    if (o->program && o->output)
        return usage_error(l->context, "--program compiles nothing that -o could write");
    if (o->program && has_view)
        return usage_error(l->context, "--program schedules nothing that there could be a view of");
    return CIMC_OK;
}

enum cimc_status cmd_run(struct command_line *l)
{
    struct work w = {0};
    enum cimc_status status = check_options(l);
    if (status == CIMC_OK)
        status = l->options.program ? take_program(l, &w) : compile(l, &w);
    if (status == CIMC_OK)
        status = simulate_and_show(l, w.simulation, w.program);
    cimc_simulation_free(w.simulation);
    cimc_program_free(w.program);
    cimc_model_free(w.model);
    return status;
}
