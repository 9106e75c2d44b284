/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * cmd_compile.c - `cimc compile`: a model becomes a checked program file and a table.
 *
 * A program that nobody asked for by name is written only if nothing else was asked for.
 */
#include "commands.h"
#include "text_out.h"

static enum cimc_status name_files(struct command_line *l, const struct sources *s)
{
    enum cimc_status status = CIMC_OK;
    if (!cimc_files_wanted(&l->options))
        status = cimc_name_output(l->context, s->at, s->n, ".cim", &l->options);
    return status == CIMC_OK ? cimc_check_files(l->context, &l->options, &l->args) : status;
}

/* Files and what is said of them. */
static enum cimc_status show(struct command_line *l, cimc_program *p)
{
    const struct cimc_options *o = &l->options;
    cimc_context *c = l->context;
    enum cimc_status status = cimc_write_files(c, p, o);
    if (status == CIMC_OK && o->time_trace)
        status = write_time_trace(l, p, NULL);
    if (status == CIMC_OK && o->json)
        status = cimc_print_program(c, p, CIMC_JSON, o, write_text, stdout);
    else if (status == CIMC_OK)
        status = cimc_print_program(c, p, CIMC_TABLE, o, write_text, report_stream(o));
    if (status == CIMC_OK && o->time_passes)
        status = cimc_print_program(c, p, CIMC_TIMES, o, write_text, stderr);
    return status;
}

enum cimc_status cmd_compile(struct command_line *l)
{
    cimc_model *model = NULL;
    cimc_program *program = NULL;
    struct sources s = sources_of(&l->args);
    enum cimc_status status = name_files(l, &s);
    if (status == CIMC_OK)
        status = cimc_import(l->context, s.at, s.n, &l->options, &model);
    if (status == CIMC_OK)
        status = cimc_compile_last(l->context, model, &l->options, &program);
    if (status == CIMC_OK)
        status = show(l, program);
    cimc_program_free(program);
    return status;
}
