/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_where.c - `cimc where`: which cells hold a weight of a layer, which weight a cell holds. */
#include "commands.h"
#include "text_out.h"

enum cimc_status cmd_where(struct command_line *l)
{
    cimc_program *program = NULL;
    enum cimc_form form = l->options.json ? CIMC_JSON : CIMC_TEXT;
    enum cimc_status status = read_program(l, l->args.at[0], &program);
    if (status == CIMC_OK)
        status = cimc_where(l->context, program, &l->options, form, write_text, stdout);
    cimc_program_free(program);
    return status;
}
