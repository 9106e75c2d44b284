/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_diff.c - `cimc diff`: what is different in two results; exit status 1 if anything is. */
#include "commands.h"
#include "text_out.h"

enum cimc_status cmd_diff(struct command_line *l)
{
    bool equal = false;
    enum cimc_form form = l->options.json ? CIMC_JSON : CIMC_TABLE;
    enum cimc_status status =
        cimc_diff(l->context, l->args.at[0], l->args.at[1], form, &equal, write_text, stdout);
    l->has_result = status == CIMC_OK;
    return status == CIMC_OK && !equal ? CIMC_WRONG_INPUT : status;
}
