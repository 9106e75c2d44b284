/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_arch.c - `cimc arch`: a machine as commented YAML, to begin one's own with. */
#include "commands.h"
#include "text_out.h"

static enum cimc_status write_yaml(struct command_line *l, const char *machine)
{
    const char *path = l->options.output;
    cimc_output *out;
    enum cimc_status status = cimc_output_open(l->context, path ? path : "-", &out);
    if (status != CIMC_OK)
        return status;
    status =
        cimc_print_machine(l->context, machine, CIMC_TEXT, &l->options, cimc_output_write, out);
    if (status == CIMC_OK)
        return cimc_output_commit(l->context, out);
    cimc_output_discard(l->context, out);
    return status;
}

enum cimc_status cmd_arch(struct command_line *l)
{
    const char *machine = l->args.n ? l->args.at[0] : "clsa";
    enum cimc_status status = CIMC_OK;
    if (l->options.output || !l->options.json)
        status = write_yaml(l, machine);
    if (status == CIMC_OK && l->options.json)
        status =
            cimc_print_machine(l->context, machine, CIMC_JSON, &l->options, write_text, stdout);
    return status;
}
