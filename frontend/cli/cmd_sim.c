/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_sim.c - `cimc sim`: executes a program file; a model, if given, is the reference. */
#include "commands.h"
#include "text_out.h"

/* Results that differ are shown, too. */
static enum cimc_status show(struct command_line *l, const cimc_simulation *s,
                             enum cimc_status status)
{
    const struct cimc_options *o = &l->options;
    struct cimc_simulation_info info = {.size = sizeof info};
    cimc_simulation_info(s, &info);
    if (!info.ran)
        return status;
    l->has_result = true;
    enum cimc_status shown = o->time_trace ? write_time_trace(l, NULL, s) : CIMC_OK;
    if (shown == CIMC_OK)
        shown = cimc_print_simulation(l->context, s, o->json ? CIMC_JSON : CIMC_TABLE, o,
                                      write_text, o->json ? stdout : report_stream(o));
    if (shown == CIMC_OK && o->time_passes)
        shown = cimc_print_simulation(l->context, s, CIMC_TIMES, o, write_text, stderr);
    return status == CIMC_OK ? shown : status;
}

enum cimc_status simulate_and_show(struct command_line *l, cimc_simulation *s,
                                   const cimc_program *p)
{
    return show(l, s, cimc_simulate(l->context, s, p, NULL));
}

/* Noise without trials is off unless it is asked for. */
static int64_t noise_seed(const struct cimc_options *o)
{
    return o->trials && o->noise_seed < 1 ? 1 : o->noise_seed;
}

static enum cimc_status simulate(struct command_line *l, cimc_program *p)
{
    cimc_simulation *simulation = NULL;
    cimc_context *c = l->context;
    const struct cimc_options *o = &l->options;
    struct sources models = sources_of(&o->models);
    enum cimc_status status = cimc_program_set_noise(c, p, noise_seed(o));
    if (status == CIMC_OK && models.n)
        status = cimc_program_bind(c, p, models.at, models.n, o);
    if (status == CIMC_OK)
        status = cimc_simulation_of_program(c, p, o, NULL, &simulation);
    if (status == CIMC_OK)
        status = simulate_and_show(l, simulation, p);
    cimc_simulation_free(simulation);
    return status;
}

enum cimc_status cmd_sim(struct command_line *l)
{
    cimc_program *program = NULL;
    if (l->options.compare_layers && !l->options.models.n)
        return usage_error(l->context, "--compare-layers needs --model");
    enum cimc_status status = read_program(l, l->args.at[0], &program);
    if (status == CIMC_OK)
        status = simulate(l, program);
    cimc_program_free(program);
    return status;
}
