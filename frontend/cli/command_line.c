/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * command_line.c - what stands behind a command's name (getopt_long), and the help that explains
 * it.
 *
 * In: the groups of options that the command has, and argv. Out: options and operands. What an
 * option means and which values it takes is the library's table.
 */
#include "commands.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Those that the command line has beside the library's. */
static const struct cimc_option_info quiet = {
    .name = "quiet",
    .letter = 'q',
    .kind = CIMC_OPTION_FLAG,
    .help = "no progress line; no warnings and notes where there is no error"};
static const struct cimc_option_info help = {
    .name = "help", .letter = 'h', .kind = CIMC_OPTION_FLAG, .help = "prints this and ends"};

/* ---- all options of a command, one after another ---- */

const struct cimc_option_info *next_option(struct option_cursor *c)
{
    const char *group;
    for (; (group = c->command->groups[c->group]); c->group++) {
        for (const struct cimc_option_info *o; (o = cimc_option_at(c->option++));) {
            if (strcmp(o->group, group) == 0)
                return o;
        }
        c->option = 0;
    }
    switch (c->option++) {
    case 0: return &quiet;
    case 1: return &help;
    default: return NULL;
    }
}

/* ---- parsing ---- */

/* getopt's tables, for the options of a command. */
struct getopt_tables {
    struct option *options;
    const struct cimc_option_info **infos;
    const char **names;
    char *letters;
    size_t n;
};
/* What getopt calls the i-th, so that no two that begin alike are one to it; letters are less. */
enum { FIRST_VALUE = 256 };

static void tables_free(struct getopt_tables *t)
{
    free(t->options);
    free(t->infos);
    free(t->names);
    free(t->letters);
}

static size_t count_options(const struct command *c)
{
    struct option_cursor at = {.command = c};
    size_t n = 0;
    while (next_option(&at))
        n++;
    return n;
}

/* False: there is no memory. */
static bool tables_make(struct getopt_tables *t, const struct command *c)
{
    size_t most = count_options(c);
    struct option_cursor at = {.command = c};
    t->options = calloc(most + 1, sizeof *t->options);
    t->infos = calloc(most, sizeof(void *));
    t->names = calloc(most, sizeof(void *));
    t->letters = calloc(2 * most + 2, 1);
    if (!t->options || !t->infos || !t->names || !t->letters)
        return false;
    char *letter = t->letters;
    *letter++ = ':';
    for (const struct cimc_option_info *o; (o = next_option(&at)); t->n++) {
        int has = o->kind == CIMC_OPTION_FLAG       ? no_argument
                  : o->kind == CIMC_OPTION_MAY_TEXT ? optional_argument
                                                    : required_argument;
        t->options[t->n] = (struct option){o->name, has, NULL, FIRST_VALUE + (int)t->n};
        t->infos[t->n] = o;
        t->names[t->n] = o->name;
        if (o->letter)
            *letter++ = o->letter;
        if (o->letter && has == required_argument)
            *letter++ = ':';
    }
    return true;
}

static const struct cimc_option_info *find_option(const struct getopt_tables *t, int value)
{
    size_t i = 0;
    if (value >= FIRST_VALUE)
        return t->infos[value - FIRST_VALUE];
    while (i < t->n && t->infos[i]->letter != value)
        i++;
    return i < t->n ? t->infos[i] : NULL;
}

static enum cimc_status wrong(const struct command_line *l, const char *what, const char *detail)
{
    return usage_error(l->context, "%s%s; see cimc %s --help", what, detail, l->command->name);
}

/* "--s", with what it may mean. */
static enum cimc_status ambiguous(const struct command_line *l, const struct getopt_tables *t,
                                  const char *word, size_t n)
{
    char *all = NULL;
    size_t size = 0;
    const char *before = "";
    FILE *f = open_memstream(&all, &size);
    if (!f)
        return CIMC_NO_MEMORY;
    for (size_t i = 0; i < t->n; i++) {
        if (strncmp(t->names[i], word, n) != 0)
            continue;
        fprintf(f, "%s--%s", before, t->names[i]);
        before = ", ";
    }
    fclose(f);
    enum cimc_status status =
        usage_error(l->context, "ambiguous option --%.*s: %s", (int)n, word, all);
    free(all);
    return status;
}

/* What getopt did not take. */
static enum cimc_status not_an_option(const struct command_line *l, const struct getopt_tables *t,
                                      const char *word)
{
    size_t n = strcspn(word, "="), found = 0;
    if (optopt >= FIRST_VALUE)
        return wrong(l, "no value is taken by --", t->names[optopt - FIRST_VALUE]);
    if (optopt)
        return wrong(l, "unknown option -", (char[]){(char)optopt, 0});
    for (size_t i = 0; i < t->n; i++)
        found += strncmp(t->names[i], word + 2, n - 2) == 0;
    if (found)
        return ambiguous(l, t, word + 2, n - 2);
    char *name = strndup(word + 2, n - 2);
    const char *near = name ? cimc_closest(name, t->names, t->n) : NULL;
    free(name);
    if (near)
        return usage_error(l->context, "unknown option %.*s; did you mean '--%s'?", (int)n, word,
                           near);
    return wrong(l, "unknown option ", word);
}

/* A list of values of an option that varies becomes one of --vary. */
static enum cimc_status put_list(struct command_line *l, const struct cimc_option_info *o,
                                 const char *list)
{
    char *text = NULL;
    if (asprintf(&text, "%s=%s", o->name, list) < 0)
        return CIMC_NO_MEMORY;
    enum cimc_status status = cimc_options_set(l->context, &l->options, "vary", text);
    free(text);
    return status;
}

static enum cimc_status read_options(struct command_line *l, const struct getopt_tables *t,
                                     int argc, char **argv)
{
    optind = 0; /* starts getopt anew */
    opterr = 0;
    for (;;) {
        int c = getopt_long(argc, argv, t->letters, t->options, NULL);
        if (c == -1)
            return CIMC_OK;
        if (c == '?')
            return not_an_option(l, t, argv[optind - 1]);
        if (c == ':')
            return wrong(l, "a value is missing after ", argv[optind - 1]);
        const struct cimc_option_info *o = find_option(t, c);
        enum cimc_status status = CIMC_OK;
        if (o == &help)
            l->help = true;
        else if (o == &quiet)
            l->quiet = true;
        else if (l->command->takes_lists && cimc_option_varies(o))
            status = put_list(l, o, optarg);
        else
            status = cimc_options_put(l->context, &l->options, o, optarg);
        if (status != CIMC_OK)
            return status;
    }
}

enum cimc_status command_line_read(struct command_line *l, int argc, char **argv)
{
    struct getopt_tables t = {0};
    cimc_options_init(&l->options, sizeof l->options);
    enum cimc_status status =
        tables_make(&t, l->command) ? read_options(l, &t, argc, argv) : CIMC_NO_MEMORY;
    tables_free(&t);
    if (status != CIMC_OK || l->help)
        return status;
    l->args =
        (struct cimc_strings){.at = (const char **)argv + optind, .n = (size_t)(argc - optind)};
    if (l->args.n < l->command->min_args)
        return wrong(l, "missing operand: ", l->command->operands);
    if (l->args.n > l->command->max_args)
        return wrong(l, "too many operands: ", l->args.at[l->command->max_args]);
    return CIMC_OK;
}

void command_line_free(struct command_line *l)
{
    cimc_options_free(&l->options);
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

static void print_option(const struct cimc_option_info *o, FILE *out)
{
    const char *argument = o->choices ? o->choices : o->argument;
    int n = o->letter ? fprintf(out, "  -%c, --%s", o->letter, o->name)
                      : fprintf(out, "      --%s", o->name);
    if (argument)
        n += fprintf(out, o->kind == CIMC_OPTION_MAY_TEXT ? "[=%s]" : "=%s", argument);
    if (n + 2 > HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", HELP_COLUMN - n, "");
    print_wrapped(o->help, HELP_COLUMN, out);
}

void print_command_help(const struct command *c, FILE *out)
{
    fprintf(out, "cimc %s - %s\n\nUsage: cimc %s [OPTION...]%s%s\n\n%s\nOptions:\n", c->name,
            c->summary, c->name, *c->operands ? " " : "", c->operands, c->text);
    struct option_cursor at = {.command = c};
    for (const struct cimc_option_info *o; (o = next_option(&at));)
        print_option(o, out);
    fputs("\nExit status: 0 success, 1 wrong input or result, 2 wrong command line, 3 internal "
          "error.\n",
          out);
}
