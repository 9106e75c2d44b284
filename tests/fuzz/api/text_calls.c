/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* text_calls.c - what is printed and written: programs, graphs, tables, sweeps, files. */
#include "fuzz_api.h"

#include <string.h>

/* ---- of programs ---- */

/* print C P FORM O B */
static void print_program(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_program *p = api_program(a);
    enum cimc_form form = api_form(a);
    const struct cimc_options *o = api_options(a);
    if (!p)
        return;
    API_PRINT(a, c, api_buffer(a), cimc_print_program(c, p, form, o, api_write, &sink));
}

/* write C P B */
static void write_program(struct api *a)
{
    cimc_context *c = api_context(a);
    cimc_program *p = api_program(a);
    if (!p)
        return;
    API_PRINT(a, c, api_buffer(a), cimc_program_write(c, p, api_write, &sink));
}

/* check C P FORM B; without B nothing is written */
static void check(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_program *p = api_program(a);
    enum cimc_form form = api_form(a);
    if (!p)
        return;
    struct buffer *to = api_has_word(a) ? api_buffer(a) : NULL;
    API_PRINT(a, c, to, cimc_check(c, p, form, to ? api_write : NULL, &sink));
}

/* disassemble C P O B */
static void disassemble(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_program *p = api_program(a);
    const struct cimc_options *o = api_options(a);
    if (!p)
        return;
    API_PRINT(a, c, api_buffer(a), cimc_disassemble(c, p, o, api_write, &sink));
}

/* where C P O FORM B */
static void where(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_program *p = api_program(a);
    const struct cimc_options *o = api_options(a);
    enum cimc_form form = api_form(a);
    if (!p)
        return;
    API_PRINT(a, c, api_buffer(a), cimc_where(c, p, o, form, api_write, &sink));
}

/* dump C P O B */
static void dump(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_program *p = api_program(a);
    const struct cimc_options *o = api_options(a);
    if (!p)
        return;
    API_PRINT(a, c, api_buffer(a), cimc_dump(c, p, o, api_write, &sink));
}

/* write_files C P O */
static void write_files(struct api *a)
{
    cimc_context *c = api_context(a);
    cimc_program *p = api_program(a);
    const struct cimc_options *o = api_options(a);
    if (p && o)
        API_CALL(a, c, cimc_write_files(c, p, o));
}

/* ---- of models and graphs ---- */

/* pass_run C SOURCE O FORM B */
static void run_passes(struct api *a)
{
    cimc_context *c = api_context(a);
    struct cimc_source source = api_source(a);
    const struct cimc_options *o = api_options(a);
    enum cimc_form form = api_form(a);
    API_PRINT(a, c, api_buffer(a), cimc_pass_run(c, &source, o, form, api_write, &sink));
}

/* quantize C Q M O */
static void quantize(struct api *a)
{
    cimc_context *c = api_context(a);
    cimc_quantized **q = &a->quantized[api_place(a, N_PLACES)];
    const cimc_model *m = api_model(a);
    const struct cimc_options *o = api_options(a);
    cimc_quantized_free(*q);
    *q = NULL;
    if (m)
        API_CALL(a, c, cimc_quantize(c, m, o, q));
}

/* print_quantized C Q FORM O B */
static void print_quantized(struct api *a)
{
    cimc_context *c = api_context(a);
    const cimc_quantized *q = a->quantized[api_place(a, N_PLACES)];
    api_require_written(a, q != NULL, "there is such a quantised model");
    enum cimc_form form = api_form(a);
    const struct cimc_options *o = api_options(a);
    if (!q)
        return;
    API_PRINT(a, c, api_buffer(a), cimc_print_quantized(c, q, form, o, api_write, &sink));
}

/* bind_weights C O OPERAND... */
static void bind_weights(struct api *a)
{
    const char *operands[2];
    struct cimc_strings list = {.at = operands};
    cimc_context *c = api_context(a);
    struct cimc_options *o = api_options(a);
    while (list.n < 2 && api_has_word(a))
        operands[list.n++] = api_word(a);
    if (o)
        API_CALL(a, c, cimc_bind_weights(c, &list, o));
}

/* ---- of the compiler ---- */

/* machine C NAME FORM O B */
static void print_machine(struct api *a)
{
    cimc_context *c = api_context(a);
    const char *name = api_word(a);
    enum cimc_form form = api_form(a);
    const struct cimc_options *o = api_options(a);
    API_PRINT(a, c, api_buffer(a), cimc_print_machine(c, name, form, o, api_write, &sink));
}

/* table C NAME FORM B */
static void print_table(struct api *a)
{
    cimc_context *c = api_context(a);
    const char *name = api_word(a);
    enum cimc_form form = api_form(a);
    API_PRINT(a, c, api_buffer(a), cimc_print_table(c, name, form, api_write, &sink));
}

/* ---- of many points ---- */

static struct cimc_strings rest_of_line(struct api *a)
{
    struct cimc_strings list = {.at = a->words + a->next, .n = a->n_words - a->next};
    a->next = a->n_words;
    return list;
}

/* sweep C O FORM B OPERAND... */
static void sweep(struct api *a)
{
    cimc_context *c = api_context(a);
    const struct cimc_options *o = api_options(a);
    enum cimc_form form = api_form(a);
    struct buffer *to = api_buffer(a);
    struct cimc_strings operands = rest_of_line(a);
    API_PRINT(a, c, to, cimc_sweep(c, &operands, o, form, api_write, &sink));
}

/* sweep_missing C O OPERAND... */
static void sweep_missing(struct api *a)
{
    cimc_context *c = api_context(a);
    const struct cimc_options *o = api_options(a);
    struct cimc_strings operands = rest_of_line(a);
    API_PRINT(a, c, NULL, cimc_sweep_missing(c, &operands, o, api_write, &sink));
}

/* sweep_merge C FORM B FILE... */
static void sweep_merge(struct api *a)
{
    cimc_context *c = api_context(a);
    enum cimc_form form = api_form(a);
    struct buffer *to = api_buffer(a);
    struct cimc_strings files = rest_of_line(a);
    API_PRINT(a, c, to, cimc_sweep_merge(c, &files, form, api_write, &sink));
}

/* diff C FILE FILE FORM B */
static void diff(struct api *a)
{
    cimc_context *c = api_context(a);
    const char *first = api_word(a), *second = api_word(a);
    enum cimc_form form = api_form(a);
    bool equal;
    API_PRINT(a, c, api_buffer(a), cimc_diff(c, first, second, form, &equal, api_write, &sink));
}

/* ---- files ---- */

/* name_output C O ENDING SOURCE */
static void name_output(struct api *a)
{
    cimc_context *c = api_context(a);
    struct cimc_options *o = api_options(a);
    const char *ending = api_word(a);
    struct cimc_source source = api_source(a);
    if (o)
        API_CALL(a, c, cimc_name_output(c, &source, 1, ending, o));
}

/* check_files C O OPERAND... */
static void check_files(struct api *a)
{
    cimc_context *c = api_context(a);
    const struct cimc_options *o = api_options(a);
    struct cimc_strings operands = rest_of_line(a);
    if (!o)
        return;
    bool wanted = cimc_files_wanted(o);
    fuzz_require(wanted || !cimc_files_to_stdout(o), "what goes to standard output is wanted",
                 NULL);
    API_CALL(a, c, cimc_check_files(c, o, &operands));
}

/* open C F FILE */
static void open_output(struct api *a)
{
    cimc_context *c = api_context(a);
    size_t place = api_place(a, N_PLACES);
    const char *name = api_word(a);
    if (a->outputs[place].at)
        cimc_output_discard(a->outputs[place].context, a->outputs[place].at);
    a->outputs[place].at = NULL;
    a->outputs[place].context = c;
    API_CALL(a, c, cimc_output_open(c, name, &a->outputs[place].at));
}

/* put_bytes F B */
static void write_output(struct api *a)
{
    cimc_output *f = a->outputs[api_place(a, N_PLACES)].at;
    api_require_written(a, f != NULL, "there is such a file");
    const struct buffer *b = api_buffer(a);
    if (f)
        cimc_output_write(f, b->at, b->n);
}

/* The file of this place, which ends. */
static cimc_output *take_output(struct api *a, cimc_context **c)
{
    size_t place = api_place(a, N_PLACES);
    cimc_output *f = a->outputs[place].at;
    *c = a->outputs[place].context;
    api_require_written(a, f != NULL, "there is such a file");
    a->outputs[place].at = NULL;
    return f;
}

static void commit(struct api *a)
{
    cimc_context *c;
    cimc_output *f = take_output(a, &c);
    if (f)
        API_CALL(a, c, cimc_output_commit(c, f));
}

static void discard(struct api *a)
{
    cimc_context *c;
    cimc_output *f = take_output(a, &c);
    if (f)
        cimc_output_discard(c, f);
}

const struct api_call api_text_calls[] = {{"print", print_program},
                                          {"write", write_program},
                                          {"check", check},
                                          {"disassemble", disassemble},
                                          {"where", where},
                                          {"dump", dump},
                                          {"write_files", write_files},
                                          {"pass_run", run_passes},
                                          {"quantize", quantize},
                                          {"print_quantized", print_quantized},
                                          {"bind_weights", bind_weights},
                                          {"machine", print_machine},
                                          {"table", print_table},
                                          {"sweep", sweep},
                                          {"sweep_missing", sweep_missing},
                                          {"sweep_merge", sweep_merge},
                                          {"diff", diff},
                                          {"name_output", name_output},
                                          {"check_files", check_files},
                                          {"open", open_output},
                                          {"put_bytes", write_output},
                                          {"commit", commit},
                                          {"discard", discard},
                                          {0}};
