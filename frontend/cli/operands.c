/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* operands.c - files of the command line: what is read as sources of the library, where reports go.
 */
#include "commands.h"

struct sources sources_of(const struct cimc_strings *files)
{
    struct sources s = {.n = files->n < MOST_MODELS ? files->n : MOST_MODELS};
    for (size_t i = 0; i < s.n; i++)
        s.at[i] = (struct cimc_source){.size = sizeof *s.at, .path = files->at[i]};
    return s;
}

enum cimc_status read_program(const struct command_line *l, const char *path, cimc_program **out)
{
    const struct cimc_source file = {.size = sizeof file, .path = path};
    return cimc_program_read(l->context, &file, out);
}

FILE *report_stream(const struct cimc_options *o)
{
    return cimc_files_to_stdout(o) ? stderr : stdout;
}

enum cimc_status write_time_trace(const struct command_line *l, const cimc_program *p,
                                  const cimc_simulation *s)
{
    const struct cimc_options *o = &l->options;
    cimc_context *c = l->context;
    cimc_output *out = NULL;
    enum cimc_status status = cimc_output_open(c, o->time_trace, &out);
    if (status != CIMC_OK)
        return status;
    status = s ? cimc_print_simulation(c, s, CIMC_TIME_TRACE, o, cimc_output_write, out)
               : cimc_print_program(c, p, CIMC_TIME_TRACE, o, cimc_output_write, out);
    if (status == CIMC_OK)
        return cimc_output_commit(c, out);
    cimc_output_discard(c, out);
    return status;
}
