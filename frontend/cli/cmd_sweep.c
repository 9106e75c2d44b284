/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_sweep.c - `cimc sweep`: many points, as a table, or as rows in a file. */
#include "commands.h"
#include "text_out.h"

#include <string.h>

/* Prints to `path`, a file whole or not at all; NULL: standard output. */
struct destination {
    cimc_context *context;
    cimc_output *file;
    cimc_write_fn write;
    void *user;
};

static enum cimc_status open_destination(struct destination *to, const char *path)
{
    to->write = path ? cimc_output_write : write_text;
    enum cimc_status status = path ? cimc_output_open(to->context, path, &to->file) : CIMC_OK;
    to->user = path ? (void *)to->file : (void *)stdout;
    return status;
}

static enum cimc_status close_destination(struct destination *to, enum cimc_status status)
{
    if (to->file && status == CIMC_OK)
        return cimc_output_commit(to->context, to->file);
    if (to->file)
        cimc_output_discard(to->context, to->file);
    return status;
}

static enum cimc_status merge_to(const struct command_line *l, const struct cimc_strings *files,
                                 enum cimc_form form, const char *path)
{
    struct destination to = {.context = l->context};
    enum cimc_status status = open_destination(&to, path);
    if (status == CIMC_OK)
        status = cimc_sweep_merge(l->context, files, form, to.write, to.user);
    return close_destination(&to, status);
}

static enum cimc_status merge(const struct command_line *l)
{
    const struct cimc_options *o = &l->options;
    enum cimc_status status = CIMC_OK;
    if (o->output || !o->csv)
        status = merge_to(l, &l->args, CIMC_JSON, o->output);
    if (status == CIMC_OK && o->csv)
        status = merge_to(l, &l->args, CIMC_CSV, o->csv);
    return status;
}

/* Only a table for programs: no file of rows. */
static enum cimc_status sweep_to_csv(const struct command_line *l)
{
    struct destination to = {.context = l->context};
    enum cimc_status status = open_destination(&to, l->options.csv);
    if (status == CIMC_OK)
        status = cimc_sweep(l->context, &l->args, &l->options, CIMC_CSV, to.write, to.user);
    return close_destination(&to, status);
}

static enum cimc_status sweep(struct command_line *l)
{
    struct cimc_options *o = &l->options;
    bool to_stdout = o->json || (o->output && strcmp(o->output, "-") == 0);
    if (to_stdout && o->output)
        o->output = NULL;
    enum cimc_form form = to_stdout ? CIMC_JSON : CIMC_TABLE;
    l->has_result = to_stdout; /* rows, as far as it came */
    enum cimc_status status = cimc_sweep(l->context, &l->args, o, form, write_text, stdout);
    if (status == CIMC_OK && o->csv)
        status = merge_to(l, &(struct cimc_strings){.at = &o->output, .n = 1}, CIMC_CSV, o->csv);
    return status;
}

enum cimc_status cmd_sweep(struct command_line *l)
{
    const struct cimc_options *o = &l->options;
    bool has_file = o->output && strcmp(o->output, "-") != 0;
    if (o->merge)
        return merge(l);
    if (o->missing && !has_file)
        return usage_error(l->context, "--missing: -o FILE says which rows there are");
    if (o->missing)
        return cimc_sweep_missing(l->context, &l->args, o, write_text, stdout);
    if (o->json && has_file)
        return usage_error(l->context, "--json and -o exclude each other: both are the rows");
    if (o->csv && !has_file && (o->json || o->output))
        return usage_error(l->context, "--csv with rows on standard output: give -o FILE");
    return o->csv && !has_file ? sweep_to_csv(l) : sweep(l);
}
