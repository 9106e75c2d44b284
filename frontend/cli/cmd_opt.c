/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_opt.c - `cimc opt`: any pipeline of passes on IR text or an ONNX model, written as either. */
#include "write.h"

#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* The name of the output says what it is. */
static enum cimc_form form_of(const struct cimc_options *o)
{
    if (o->dot)
        return CIMC_DOT;
    return o->output && ends_with(o->output, ".onnx") ? CIMC_ONNX : CIMC_IR;
}

/* In memory until all is well: while a file is written signals wait. */
enum cimc_status cmd_opt(struct command_line *l)
{
    struct cimc_source source = {.size = sizeof source, .path = l->args.at[0]};
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return CIMC_NO_MEMORY;
    enum cimc_status status =
        cimc_pass_run(l->context, &source, &l->options, form_of(&l->options), write_text, f);
    bool is_whole = !ferror(f);
    is_whole &= fclose(f) == 0;
    if (status == CIMC_OK)
        status = is_whole ? write_whole(l, text, n) : CIMC_NO_MEMORY;
    free(text);
    return status;
}
