/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_report.c - `cimc report`: what `compile` finds out, as one HTML page or as JSON instead of a
 * program. */
#include "commands.h"
#include "text_out.h"

/* The page is the output; one that nobody asked for by name is not written beside JSON. */
static enum cimc_status name_page(struct command_line *l, const struct sources *s)
{
    struct cimc_options *o = &l->options;
    enum cimc_status status = CIMC_OK;
    if (!o->output && !o->json)
        status = cimc_name_output(l->context, s->at, s->n, ".html", o);
    o->keep_schedule = o->keep_detail = true;
    o->report = o->output;
    o->output = NULL;
    return status == CIMC_OK ? cimc_check_files(l->context, o, &l->args) : status;
}

enum cimc_status cmd_report(struct command_line *l)
{
    cimc_model *model = NULL;
    cimc_program *program = NULL;
    struct sources s = sources_of(&l->args);
    const struct cimc_options *o = &l->options;
    enum cimc_status status = name_page(l, &s);
    if (status == CIMC_OK)
        status = cimc_import(l->context, s.at, s.n, o, &model);
    if (status == CIMC_OK)
        status = cimc_compile_last(l->context, model, o, &program);
    if (status == CIMC_OK)
        status = cimc_write_files(l->context, program, o);
    if (status == CIMC_OK && o->json)
        status = cimc_print_program(l->context, program, CIMC_REPORT, o, write_text, stdout);
    if (status == CIMC_OK && o->time_trace)
        status = write_time_trace(l, program, NULL);
    if (status == CIMC_OK && o->time_passes)
        status = cimc_print_program(l->context, program, CIMC_TIMES, o, write_text, stderr);
    cimc_program_free(program);
    return status;
}
