/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_list.c - `cimc list`: the tables the compiler is made of, as Markdown for the documents, or
 * for tools. */
#include "write.h"

enum cimc_status cmd_list(struct command_line *l)
{
    static const enum cimc_form forms[] = {CIMC_TABLE, CIMC_SV, CIMC_C, CIMC_JSON};
    return cimc_print_table(l->context, l->args.at[0], forms[l->options.list_format], write_text,
                            stdout);
}
