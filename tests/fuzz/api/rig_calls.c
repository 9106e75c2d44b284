/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * rig_calls.c - what a program of calls does beside calling: bytes, files, what goes wrong in the
 * next call; contexts and options.
 */
#include "fuzz_api.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

/* Options that make the work of one call long. */
enum { MOST_FRAMES = 4, MOST_TRIALS = 2, MOST_VALUES = 3 };

/* ---- what goes wrong in the next call ---- */

static void fail(struct api *a)
{
    a->fails_at = (long)api_place(a, 1 << 20);
}

static void stop(struct api *a)
{
    a->stops_at = api_place(a, 1 << 16);
}

static void lose_patience(struct api *a)
{
    a->patience = api_place(a, 1 << 16);
}

/* ---- buffers and files ---- */

/* text B WORD... */
static void add_line(struct api *a)
{
    struct buffer *b = api_buffer(a);
    struct text t = {0};
    text_add_bytes(&t, b->at, b->n);
    for (bool first = true; api_has_word(a); first = false)
        text_add(&t, "%s%s", first ? "" : " ", api_word(a));
    text_add(&t, "\n");
    api_set_buffer(a, b, t.at, t.n);
    text_free(&t);
}

/* hex B DIGITS... */
static void add_hex(struct api *a)
{
    struct buffer *b = api_buffer(a);
    struct text t = {0};
    text_add_bytes(&t, b->at, b->n);
    while (api_has_word(a)) {
        unsigned byte;
        for (const char *at = api_word(a); at[0] && at[1] && sscanf(at, "%2x", &byte) == 1; at += 2)
            text_add_bytes(&t, &(uint8_t){(uint8_t)byte}, 1);
    }
    api_set_buffer(a, b, t.at, t.n);
    text_free(&t);
}

static void empty(struct api *a)
{
    api_set_buffer(a, api_buffer(a), NULL, 0);
}

/* cut B N: to so many bytes */
static void cut(struct api *a)
{
    struct buffer *b = api_buffer(a);
    struct text t = {0};
    text_add_bytes(&t, b->at, b->n);
    api_set_buffer(a, b, t.at, api_place(a, b->n + 1));
    text_free(&t);
}

/* flip B AT: a bit of a copy */
static void flip(struct api *a)
{
    struct buffer *b = api_buffer(a);
    struct text t = {0};
    if (!b->n)
        return;
    text_add_bytes(&t, b->at, b->n);
    size_t bit = api_place(a, 8 * b->n);
    t.at[bit / 8] = (char)((uint8_t)t.at[bit / 8] ^ 1u << bit % 8);
    api_set_buffer(a, b, t.at, t.n);
    text_free(&t);
}

FILE *api_new_file(const char *name)
{
    unlink(name);
    return *name ? fopen(name, "w") : NULL;
}

/* file NAME B */
static void make_file(struct api *a)
{
    FILE *f = api_new_file(api_word(a));
    const struct buffer *b = api_buffer(a);
    if (!f)
        return;
    if (b->n > 0)
        fwrite(b->at, 1, b->n, f);
    fclose(f);
}

/* ---- contexts ---- */

static void new_context(struct api *a)
{
    cimc_context **c = &a->contexts[api_place(a, N_CONTEXTS)];
    api_discard_outputs(a, *c);
    cimc_context_free(*c);
    *c = cimc_context_new();
    fuzz_require(*c != NULL, "there is a context", NULL);
}

/* One that comes while no call runs. */
static void cancel(struct api *a)
{
    cimc_cancel(api_context(a));
}

static void discard_unfinished(struct api *a)
{
    cimc_discard_unfinished(api_context(a));
}

static void clear(struct api *a)
{
    cimc_context *c = api_context(a);
    API_CALL(a, c, cimc_diagnostics_clear(c));
}

/* print_diagnostics C FORM VERBOSE B */
static void print_diagnostics(struct api *a)
{
    cimc_context *c = api_context(a);
    enum cimc_form form = api_form(a);
    bool verbose = api_number(a) % 2;
    API_PRINT(a, c, api_buffer(a), cimc_print_diagnostics(c, form, verbose, api_write, &sink));
}

/* complain C CODE TEXT FILE. The text is the caller's, who may have none; judge asks for the
 * library's. */
static void complain(struct api *a)
{
    cimc_context *c = api_context(a);
    const char *code = api_word(a), *text = api_word(a);
    const char *file = api_has_word(a) ? api_word(a) : NULL;
    API_CALL(a, c, cimc_complain(c, code, file, *text ? text : "-"));
}

/* ---- options ---- */

/* options O LACKING: of a caller whose structure is so many bytes shorter */
static void new_options(struct api *a)
{
    struct cimc_options **o = &a->options[api_place(a, N_PLACES)];
    size_t whole = sizeof **o, size = whole - 8 * api_place(a, whole / 8);
    if (*o)
        cimc_options_free(*o);
    free(*o);
    *o = malloc(size < offsetof(struct cimc_options, dims) ? offsetof(struct cimc_options, dims)
                                                           : size);
    fuzz_require(*o != NULL, "there is memory", NULL);
    (*o)->memory = NULL;
    cimc_options_init(*o, size);
    a->are_poked[o - a->options] = false;
}

static bool has(const struct cimc_options *o, size_t end)
{
    return o->size >= end;
}
#define HAS(o, field) has((o), offsetof(struct cimc_options, field) + sizeof(o)->field)

/* Some values of options make work long; `list` may not be longer than it is. */
static bool is_short(const char *name, const char *value)
{
    size_t n = 0;
    if (strcmp(name, "vary") != 0)
        return true;
    for (const char *at = value; at && *at; at++)
        n += *at == ',';
    return n < MOST_VALUES && !strstr(value, "..");
}

static void keep_short(struct cimc_options *o)
{
    if (HAS(o, frames) && o->frames > MOST_FRAMES)
        o->frames = MOST_FRAMES;
    if (HAS(o, trials) && o->trials > MOST_TRIALS)
        o->trials = MOST_TRIALS;
    if (HAS(o, vary) && o->vary.n > 2)
        o->vary.n = 2;
}

/* set C O NAME [VALUE] */
static void set(struct api *a)
{
    cimc_context *c = api_context(a);
    struct cimc_options *o = api_options(a);
    const char *name = api_word(a), *value = api_has_word(a) ? api_word(a) : NULL;
    if (!o || (value && !is_short(name, value)))
        return;
    API_CALL(a, c, cimc_options_set(c, o, name, value));
    keep_short(o);
}

/* An option by its name or number; NULL: there is none. */
static const struct cimc_option_info *option(struct api *a)
{
    const char *word = api_has_word(a) ? a->words[a->next] : "";
    const struct cimc_option_info *named = cimc_option_find(word);
    size_t number = api_place(a, 200);
    const struct cimc_option_info *info = named ? named : cimc_option_at(number);
    api_require_written(a, info && (named || isdigit((unsigned char)*word)),
                        "there is such an option");
    return info;
}

/* put C O OPTION [VALUE] */
static void put(struct api *a)
{
    cimc_context *c = api_context(a);
    struct cimc_options *o = api_options(a);
    const struct cimc_option_info *info = option(a);
    const char *value = api_has_word(a) ? api_word(a) : NULL;
    if (!o || !info || (value && !is_short(info->name, value)))
        return;
    fuzz_require(cimc_option_find(info->name) != NULL, "an option of the table is found", NULL);
    API_CALL(a, c, cimc_options_put(c, o, info, value));
    keep_short(o);
}

/* keep O BITS [REPORT]: what is no option of the table */
static void keep(struct api *a)
{
    struct cimc_options *o = api_options(a);
    size_t bits = api_place(a, 32);
    api_require_written(a, o && HAS(o, no_references), "options have all fields");
    if (!o || !HAS(o, no_references))
        return;
    o->keep_schedule = bits & 1;
    o->keep_detail = bits & 2;
    o->keep_plan = bits & 4;
    o->needs_values = bits & 8;
    o->no_references = bits & 16;
    o->report = api_has_word(a) ? api_word(a) : NULL;
}

/* poke O OPTION VALUE: an integer that no function has looked at */
static void poke(struct api *a)
{
    struct cimc_options *o = api_options(a);
    const struct cimc_option_info *info = option(a);
    int64_t value = api_number(a);
    bool fits = o && info && info->offset + sizeof value <= o->size &&
                (info->kind == CIMC_OPTION_INTEGER || info->kind == CIMC_OPTION_CHOICE);
    api_require_written(a, fits, "options have this integer");
    if (!fits)
        return;
    memcpy((char *)o + info->offset, &value, sizeof value);
    *a->is_poked = true;
    keep_short(o);
}

/* print_options C O B */
static void print_options(struct api *a)
{
    cimc_context *c = api_context(a);
    const struct cimc_options *o = api_options(a);
    if (!o)
        return;
    API_PRINT(a, c, api_buffer(a), cimc_print_options(c, o, api_write, &sink));
}

static bool take(void *user, const void *bytes, size_t n)
{
    (void)user;
    (void)bytes;
    (void)n;
    return true;
}

static bool refuse(void *user, const void *bytes, size_t n)
{
    return n == 0 || !take(user, bytes, n);
}

/* log C TO: whether what passes print is taken; 0: it goes nowhere */
static void set_log(struct api *a)
{
    static const cimc_write_fn logs[] = {NULL, take, refuse};
    cimc_context *c = api_context(a);
    cimc_set_log(c, logs[api_place(a, 3)], NULL);
}

const struct api_call api_rig_calls[] = {{"fail", fail},
                                         {"stop", stop},
                                         {"patience", lose_patience},
                                         {"text", add_line},
                                         {"hex", add_hex},
                                         {"empty", empty},
                                         {"cut", cut},
                                         {"flip", flip},
                                         {"file", make_file},
                                         {"context", new_context},
                                         {"cancel", cancel},
                                         {"discard_unfinished", discard_unfinished},
                                         {"clear", clear},
                                         {"print_diagnostics", print_diagnostics},
                                         {"complain", complain},
                                         {"options", new_options},
                                         {"set", set},
                                         {"put", put},
                                         {"keep", keep},
                                         {"poke", poke},
                                         {"print_options", print_options},
                                         {"log", set_log},
                                         {0}};
