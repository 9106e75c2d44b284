/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_dis.c - `cimc dis` and `cimc asm`: a program file as text, and back. */
#include "write.h"

#include <string.h>
#include <unistd.h>

static enum cimc_status print_text(struct command_line *l, cimc_program *p)
{
    cimc_output *out;
    enum cimc_status status = output_open(l, &out);
    if (status != CIMC_OK)
        return status;
    return output_close(l, out, cimc_disassemble(l->context, p, &l->options, write_output, out));
}

enum cimc_status cmd_dis(struct command_line *l)
{
    cimc_program *program = NULL;
    enum cimc_status status = read_program(l, l->args.at[0], &program);
    if (status == CIMC_OK)
        status = print_text(l, program);
    cimc_program_free(program);
    return status;
}

static enum cimc_status write_program(struct command_line *l, cimc_program *p)
{
    cimc_output *out;
    enum cimc_status status = output_open(l, &out);
    if (status != CIMC_OK)
        return status;
    return output_close(l, out, cimc_program_write(l->context, p, write_output, out));
}

enum cimc_status cmd_asm(struct command_line *l)
{
    const char *output = l->options.output;
    struct cimc_source text = {.size = sizeof text, .path = l->args.at[0]};
    cimc_program *program = NULL;
    if ((!output || strcmp(output, "-") == 0) && isatty(STDOUT_FILENO))
        return usage_error(l->context, "a program file is not for the terminal; give -o FILE");
    enum cimc_status status = cimc_assemble(l->context, &text, &program);
    if (status == CIMC_OK)
        status = write_program(l, program);
    cimc_program_free(program);
    return status;
}
