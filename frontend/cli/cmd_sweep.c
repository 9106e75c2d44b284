/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cmd_sweep.c - `cimc sweep`: many points, as a table, or as rows in a file. */
#include "commands.h"
#include "text_out.h"

#include <string.h>
#include <sys/stat.h>

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

/* NULL: all can be read more than once. */
static const char *first_stream(const struct cimc_strings *files)
{
    struct stat st;
    for (size_t i = 0; i < files->n; i++) {
        const char *path = files->at[i];
        if (strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
            return path;
    }
    return NULL;
}

static enum cimc_status merge(const struct command_line *l)
{
    const struct cimc_options *o = &l->options;
    enum cimc_status status = CIMC_OK;
    const char *stream = o->output && o->csv ? first_stream(&l->args) : NULL;
    if (stream)
        return usage_error(l->context,
                           "--merge reads '%s' for -o and for --csv, but it is no file that can be "
                           "read twice; the table can be made of what -o writes",
                           stream);
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

/* Rows are a result as far as they came. */
static bool write_rows(void *line, const void *bytes, size_t n)
{
    struct command_line *l = line;
    l->has_result |= n > 0;
    return write_text(stdout, bytes, n);
}

static enum cimc_status sweep(struct command_line *l)
{
    struct cimc_options *o = &l->options;
    bool to_stdout = o->json || (o->output && strcmp(o->output, "-") == 0);
    if (to_stdout && o->output)
        o->output = NULL;
    enum cimc_status status =
        to_stdout ? cimc_sweep(l->context, &l->args, o, CIMC_JSON, write_rows, l)
                  : cimc_sweep(l->context, &l->args, o, CIMC_TABLE, write_text, report_stream(o));
    if (status == CIMC_OK && o->csv)
        status = merge_to(l, &(struct cimc_strings){.at = &o->output, .n = 1}, CIMC_CSV, o->csv);
    return status;
}

enum cimc_status cmd_sweep(struct command_line *l)
{
    const struct cimc_options *o = &l->options;
    bool has_file = o->output && strcmp(o->output, "-") != 0;
    if (o->merge && (o->missing || o->shard || o->vary.n))
        return usage_error(l->context, "--merge takes rows as they are: no --missing, no --shard, "
                                       "no lists");
    if (o->missing && !has_file)
        return usage_error(l->context, "--missing: -o FILE says which rows there are");
    if (o->missing)
        return cimc_sweep_missing(l->context, &l->args, o, write_text, stdout);
    if (o->json && has_file)
        return usage_error(l->context, "--json and -o exclude each other: both are the rows");
    if (o->csv && !has_file && (o->json || o->output))
        return usage_error(l->context, "--csv with rows on standard output: give -o FILE");
    if (o->merge)
        return merge(l);
    return o->csv && !has_file ? sweep_to_csv(l) : sweep(l);
}
