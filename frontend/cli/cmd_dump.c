/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_dump.c - `cimc dump`: a program as files that hardware reads. */
#include "commands.h"
#include "text_out.h"

enum cimc_status cmd_dump(struct command_line *l)
{
    cimc_program *program = NULL;
    enum cimc_status status = read_program(l, l->args.at[0], &program);
    if (status == CIMC_OK)
        status = cimc_dump(l->context, program, &l->options, write_text, stdout);
    cimc_program_free(program);
    return status;
}
