/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * options.c - command line options from tables: parsing (getopt_long), help, and the line that a
 * program keeps so that its passes can be run again.
 *
 * In: a command's option groups and argv. Out: struct settings. One table entry is everything there
 * is to say about an option.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const struct option_desc options_help[] = {
    {.name = "help",
     .letter = 'h',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct settings, help),
     .help = "prints this and ends"},
    {0},
};

void settings_init(struct settings *s)
{
    *s = (struct settings){.pes = -1,
                           .extra_pes = -1,
                           .row = -1,
                           .col = -1,
                           .tile = -1,
                           .pe = -1,
                           .at = -1,
                           .noise_seed = -1,
                           .pace = PACE_STEADY,
                           .duplicate = CHOOSE_SUM,
                           .mapping = CHOOSE_WINDOW,
                           .set = "auto",
                           .tolerance = DEFAULT_TOLERANCE};
}

void settings_free(struct settings *s)
{
    VEC_FREE(&s->args);
    VEC_FREE(&s->dims);
    VEC_FREE(&s->calibrate);
    VEC_FREE(&s->quantised_layers);
    VEC_FREE(&s->patches);
    VEC_FREE(&s->constants);
    VEC_FREE(&s->input_types);
    VEC_FREE(&s->arch_fields);
    VEC_FREE(&s->inputs);
    VEC_FREE(&s->input_scales);
    VEC_FREE(&s->test_data);
    VEC_FREE(&s->models);
    VEC_FREE(&s->rates);
    VEC_FREE(&s->states);
}

/* ---- all options of a command, one after another ---- */

const struct option_desc *options_next(struct option_cursor *c)
{
    while (!c->at || !c->at->name) {
        if (c->at == &options_help[1])
            return NULL;
        c->at = c->command->groups[c->group];
        if (c->at)
            c->group++;
        else
            c->at = options_help;
    }
    return c->at++;
}

/* ---- parsing ---- */

static bool usage_error(const struct settings *s, struct diag *d, const char *what,
                        const char *detail)
{
    return diag_error(d, (struct loc){0}, DIAG_USAGE, "%s%s; see %s --help", what, detail,
                      s->program_name);
}

static bool set_choice(const struct option_desc *o, const char *value, int64_t *out)
{
    int64_t index = 0;
    for (const char *c = o->choices; c; index++) {
        size_t n = strcspn(c, "|");
        if (strlen(value) == n && strncmp(c, value, n) == 0) {
            *out = index;
            return true;
        }
        c = c[n] ? c + n + 1 : NULL;
    }
    return false;
}

static bool set_integer(const struct option_desc *o, const char *value, int64_t *out)
{
    char *end;
    errno = 0;
    if (o->all && strcmp(value, o->all) == 0) {
        *out = o->most;
        return true;
    }
    long long x = strtoll(value, &end, 10);
    if (errno || end == value || *end || x < o->least || x > o->most)
        return false;
    *out = x;
    return true;
}

static bool set_real(const struct option_desc *o, const char *value, double *out)
{
    char *end;
    double x = strtod(value, &end);
    if (end == value || *end || !(x >= (double)o->least && x <= (double)o->most))
        return false;
    *out = x;
    return true;
}

static bool set_option(const struct option_desc *o, const char *value, struct settings *s,
                       struct diag *d)
{
    void *field = (char *)s + o->offset;
    switch (o->kind) {
    case OPTION_FLAG: *(bool *)field = true; return true;
    case OPTION_TEXT: *(const char **)field = value; return true;
    case OPTION_MAY_TEXT: *(const char **)field = value ? value : o->fallback; return true;
    case OPTION_LIST: VEC_PUSH((string_list *)field, value); return true;
    case OPTION_INTEGER:
        if (set_integer(o, value, field))
            return true;
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--%s: '%s' is not %s%san integer from %lld to %lld", o->name, value,
                          o->all ? o->all : "", o->all ? " or " : "", (long long)o->least,
                          (long long)o->most);
    case OPTION_REAL:
        if (set_real(o, value, field))
            return true;
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--%s: '%s' is not a number from %lld to %lld", o->name, value,
                          (long long)o->least, (long long)o->most);
    case OPTION_CHOICE:
        if (set_choice(o, value, field))
            return true;
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "--%s: '%s' is none of %s", o->name,
                          value, o->choices);
    }
    return true;
}

/* getopt's tables, for the options of a command. */
struct getopt_tables {
    VEC(struct option) options;
    VEC(const struct option_desc *) descs;
    struct text letters;
};

static void fill_tables(const struct command *c, struct getopt_tables *t)
{
    struct option_cursor at = {.command = c};
    text_add(&t->letters, ":");
    for (const struct option_desc *o; (o = options_next(&at));) {
        int has = o->kind == OPTION_FLAG       ? no_argument
                  : o->kind == OPTION_MAY_TEXT ? optional_argument
                                               : required_argument;
        VEC_PUSH(&t->options, ((struct option){o->name, has, NULL, 0}));
        VEC_PUSH(&t->descs, o);
        if (o->letter)
            text_add(&t->letters, "%c%s", o->letter, has == required_argument ? ":" : "");
    }
    VEC_PUSH(&t->options, ((struct option){0}));
}

static const struct option_desc *find_letter(const struct getopt_tables *t, int letter)
{
    for (size_t i = 0; i < t->descs.n; i++) {
        if (t->descs.at[i]->letter == letter)
            return t->descs.at[i];
    }
    return NULL;
}

static bool parse_all(const struct getopt_tables *t, int argc, char **argv, struct settings *s,
                      struct diag *d)
{
    optind = 0; /* starts getopt anew */
    opterr = 0;
    for (;;) {
        int index = 0, c = getopt_long(argc, argv, t->letters.at, t->options.at, &index);
        if (c == -1)
            break;
        if (c == '?')
            return usage_error(s, d, "unknown or ambiguous option ", argv[optind - 1]);
        if (c == ':')
            return usage_error(s, d, "a value is missing after ", argv[optind - 1]);
        const struct option_desc *o = c ? find_letter(t, c) : t->descs.at[index];
        if (!set_option(o, optarg, s, d))
            return false;
    }
    for (int i = optind; i < argc; i++)
        VEC_PUSH(&s->args, argv[i]);
    return true;
}

bool options_parse(const struct command *c, int argc, char **argv, struct settings *s,
                   struct diag *d)
{
    struct getopt_tables t = {0};
    fill_tables(c, &t);
    bool ok = parse_all(&t, argc, argv, s, d);
    VEC_FREE(&t.options);
    VEC_FREE(&t.descs);
    text_free(&t.letters);
    if (!ok || s->help)
        return ok;
    if (s->args.n < c->min_args)
        return usage_error(s, d, "missing operand: ", c->operands);
    if (s->args.n > c->max_args)
        return usage_error(s, d, "too many operands: ", s->args.at[c->max_args]);
    return true;
}

/* ---- help ---- */

enum { HELP_COLUMN = 28, HELP_WIDTH = 80 };

/* Words of `text` from the current column on, further lines indented. */
static void print_wrapped(const char *text, size_t column, FILE *out)
{
    size_t at = column;
    for (const char *word = text; *word;) {
        size_t n = strcspn(word, " ");
        if (word != text && at + 1 + n > HELP_WIDTH) {
            fprintf(out, "\n%*s", (int)column, "");
            at = column;
        } else if (word != text) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", (int)n, word);
        at += n;
        word += n + (word[n] == ' ');
    }
    fputc('\n', out);
}

static void print_option(const struct option_desc *o, FILE *out)
{
    struct text t = {0};
    const char *argument = o->choices ? o->choices : o->argument;
    if (o->letter)
        text_add(&t, "  -%c, --%s", o->letter, o->name);
    else
        text_add(&t, "      --%s", o->name);
    if (argument)
        text_add(&t, o->kind == OPTION_MAY_TEXT ? "[=%s]" : "=%s", argument);
    fputs(t.at, out);
    if (t.n + 2 > HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", (int)(HELP_COLUMN - t.n), "");
    text_free(&t);
    print_wrapped(o->help, HELP_COLUMN, out);
}

void options_print_help(const struct command *c, FILE *out)
{
    fprintf(out, "cimc %s - %s\n\nUsage: cimc %s [OPTION...]%s%s\n\n%s\nOptions:\n", c->name,
            c->summary, c->name, *c->operands ? " " : "", c->operands, c->text);
    struct option_cursor at = {.command = c};
    for (const struct option_desc *o; (o = options_next(&at));)
        print_option(o, out);
    fputs("\nExit status: 0 success, 1 wrong input or result, 2 wrong command line, 3 internal "
          "error.\n",
          out);
}

/* ---- the recorded options ---- */

static const struct option_desc *const recorded_groups[] = {
    options_model,   options_mode,    options_calibrate, options_scale,
    options_mapping, options_several, options_flow,      NULL};

/* One word of the line: blanks and backslashes get a backslash. */
static void add_word(struct text *out, const char *name, const char *value)
{
    text_add(out, "%s--%s=", out->n ? " " : "", name);
    for (; *value; value++)
        text_add(out, *value == ' ' || *value == '\\' ? "\\%c" : "%c", *value);
}

static void record_option(const struct option_desc *o, const struct settings *s, struct text *out)
{
    const void *field = (const char *)s + o->offset;
    if (o->kind == OPTION_FLAG && *(const bool *)field)
        text_add(out, "%s--%s", out->n ? " " : "", o->name);
    if (o->kind == OPTION_TEXT && *(const char *const *)field)
        add_word(out, o->name, *(const char *const *)field);
    if (o->kind == OPTION_INTEGER && o->all && *(const int64_t *)field == o->most)
        add_word(out, o->name, o->all);
    else if (o->kind == OPTION_INTEGER && *(const int64_t *)field >= o->least)
        text_add(out, "%s--%s=%lld", out->n ? " " : "", o->name,
                 (long long)*(const int64_t *)field);
    if (o->kind == OPTION_CHOICE) {
        const char *choice = o->choices;
        for (int64_t i = 0; i < *(const int64_t *)field; i++)
            choice += strcspn(choice, "|") + 1;
        text_add(out, "%s--%s=%.*s", out->n ? " " : "", o->name, (int)strcspn(choice, "|"), choice);
    }
    if (o->kind == OPTION_LIST) {
        const string_list *list = field;
        for (size_t i = 0; i < list->n; i++)
            add_word(out, o->name, list->at[i]);
    }
}

void options_record(const struct settings *s, struct text *out)
{
    for (size_t g = 0; recorded_groups[g]; g++) {
        for (const struct option_desc *o = recorded_groups[g]; o->name; o++) {
            if (o->recorded)
                record_option(o, s, out);
        }
    }
}

/* The line's next word without its backslashes; NULL at the end. */
static char *next_word(const char **line, struct arena *a)
{
    *line += strspn(*line, " ");
    if (!**line)
        return NULL;
    char *word = arena_alloc(a, strlen(*line) + 1);
    size_t n = 0;
    for (; **line && **line != ' '; (*line)++) {
        if (**line == '\\' && (*line)[1])
            (*line)++;
        word[n++] = **line;
    }
    return word;
}

bool options_recall(const char *line, struct arena *a, struct settings *s, struct diag *d)
{
    struct command c = {.name = "options", .operands = ""};
    memcpy(c.groups, recorded_groups, sizeof recorded_groups);
    VEC(char *) argv = {0};
    struct diag *reasons = diag_new(); /* wrong options in a file are not a wrong command line */
    settings_init(s);
    s->program_name = "cimc compile";
    VEC_PUSH(&argv, arena_strdup(a, "options"));
    for (char *word; (word = next_word(&line, a));)
        VEC_PUSH(&argv, word);
    int argc = (int)argv.n;
    VEC_PUSH(&argv, NULL);
    bool ok = options_parse(&c, argc, argv.at, s, reasons);
    if (!ok)
        diag_error(d, (struct loc){0}, DIAG_PROGRAM, "the program's options: %s",
                   reasons->first->text);
    diag_free(reasons);
    VEC_FREE(&argv);
    return ok;
}
