/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* write.c - where a command's output goes. */
#include "write.h"

bool write_output(void *output, const void *bytes, size_t n)
{
    cimc_output_write(output, bytes, n);
    return true;
}

enum cimc_status output_open(struct command_line *l, cimc_output **out)
{
    const char *path = l->options.output;
    return cimc_output_open(l->context, path ? path : "-", out);
}

enum cimc_status output_close(struct command_line *l, cimc_output *out, enum cimc_status status)
{
    if (status == CIMC_OK)
        return cimc_output_commit(l->context, out);
    cimc_output_discard(l->context, out);
    return status;
}

enum cimc_status write_whole(struct command_line *l, const void *bytes, size_t n)
{
    cimc_output *out;
    enum cimc_status status = output_open(l, &out);
    if (status != CIMC_OK)
        return status;
    write_output(out, bytes, n);
    return output_close(l, out, CIMC_OK);
}
