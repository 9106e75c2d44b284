/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * man.c - `cimc man`: manual pages in man(7) format from the command and option tables.
 *
 * In: a command, or none for the overview. Out: the page on standard output. What comes from the
 * tables is escaped, so that no text can become a request.
 */
#include "transition.h"

#include <string.h>

/* `n` bytes of text; at a line's start a . or ' would be a request. */
static void put_escaped(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if ((i == 0 || text[i - 1] == '\n') && (c == '.' || c == '\''))
            fputs("\\&", stdout);
        if (c == '\\')
            fputs("\\e", stdout);
        else if (c == '-')
            fputs("\\-", stdout);
        else
            fputc(c, stdout);
    }
}

static void put(const char *text)
{
    put_escaped(text, strlen(text));
}

static void put_title(const char *name, const char *summary)
{
    fputs(".TH \"", stdout);
    put(name);
    fputs("\" 1 \"\" \"cimc " CIMC_VERSION "\" \"User Commands\"\n.SH NAME\n", stdout);
    put(name);
    fputs(" \\- ", stdout);
    put(summary);
    fputs("\n.SH SYNOPSIS\n", stdout);
}

/* Paragraphs; indented lines stay as they are. */
static void put_body(const char *text)
{
    bool is_plain = false, is_new = false;
    for (size_t n; *text; text += n + (text[n] == '\n')) {
        n = strcspn(text, "\n");
        bool indented = *text == ' ';
        if (n == 0) {
            is_new = true;
            continue;
        }
        if (is_plain && !indented)
            fputs(".fi\n", stdout);
        if (is_new)
            fputs(".PP\n", stdout);
        if (indented && !is_plain)
            fputs(".nf\n", stdout);
        is_plain = indented;
        is_new = false;
        put_escaped(text, n);
        fputc('\n', stdout);
    }
    if (is_plain)
        fputs(".fi\n", stdout);
}

static void put_option(const struct cimc_option_info *o)
{
    const char *argument = o->choices ? o->choices : o->argument;
    fputs(".TP\n", stdout);
    if (o->letter)
        printf("\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", stdout);
    put(o->name);
    fputs("\\fR", stdout);
    if (argument) {
        fputs(o->kind == CIMC_OPTION_MAY_TEXT ? "[=\\fI" : "=\\fI", stdout);
        put(argument);
        fputs(o->kind == CIMC_OPTION_MAY_TEXT ? "\\fR]" : "\\fR", stdout);
    }
    fputc('\n', stdout);
    put(o->help);
    fputc('\n', stdout);
}

static void put_exit_status(void)
{
    fputs(".SH \"EXIT STATUS\"\n0 success, 1 wrong input or result, 2 wrong command line, "
          "3 internal error or out of memory.\n",
          stdout);
}

static void put_command_page(const struct command *c)
{
    struct text name = {0};
    struct option_cursor at = {.command = c};
    text_add(&name, "cimc-%s", c->name);
    put_title(name.at, c->summary);
    text_free(&name);
    printf("\\fBcimc %s\\fR [OPTION...] ", c->name);
    put(c->operands);
    fputs("\n.SH DESCRIPTION\n", stdout);
    put_body(c->text);
    fputs(".SH OPTIONS\n", stdout);
    for (const struct cimc_option_info *o; (o = next_option(&at));)
        put_option(o);
    put_exit_status();
    fputs(".SH \"SEE ALSO\"\n.BR cimc (1)\n", stdout);
}

static void put_overview_page(void)
{
    size_t n;
    const struct command *commands = command_list(&n);
    put_title("cimc", "compiles ONNX models for tiled compute-in-memory chips");
    fputs("\\fBcimc\\fR COMMAND [OPTION...] [FILE...]\n.SH COMMANDS\n", stdout);
    for (size_t i = 0; i < n; i++) {
        printf(".TP\n.BR cimc\\-%s (1)\n", commands[i].name);
        put(commands[i].summary);
        fputc('\n', stdout);
    }
    put_exit_status();
}

static bool man_inner(const struct command_line *l, const struct cimc_options *s, struct diag *d)
{
    (void)s;
    (void)d;
    if (l->args.n == 0) {
        put_overview_page();
        return true;
    }
    const struct command *c = command_find(l->context, l->args.at[0]);
    if (c)
        put_command_page(c);
    return c != NULL;
}

enum cimc_status cmd_man(struct command_line *l)
{
    return run_inner(l, man_inner);
}
