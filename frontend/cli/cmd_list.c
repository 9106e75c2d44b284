/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_list.c - `cimc list`: the tables the compiler is made of, as Markdown for the documents. */
#include "write.h"

enum cimc_status cmd_list(struct command_line *l)
{
    return cimc_print_table(l->context, l->args.at[0], write_text, stdout);
}
