/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_check.c - `cimc check`: proves a program file, with its model also what it means. */
#include "commands.h"
#include "text_out.h"

enum cimc_status cmd_check(struct command_line *l)
{
    const struct cimc_options *o = &l->options;
    cimc_program *program = NULL;
    struct sources models = sources_of(&o->models);
    enum cimc_status status = read_program(l, l->args.at[0], &program);
    if (status == CIMC_OK && models.n)
        status = cimc_program_bind(l->context, program, models.at, models.n, o);
    if (status == CIMC_OK)
        status =
            cimc_check(l->context, program, o->json ? CIMC_JSON : CIMC_TEXT, write_text, stdout);
    cimc_program_free(program);
    return status;
}
