/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * man.c - `cimc man`: manual pages in man(7) format from the command and option tables.
 *
 * In: a command, or none for the overview. Out: the page on standard output. What comes from the
 * tables is escaped, so that no text can become a request.
 */
#include "commands.h"

#include <string.h>

static const char overview_examples[] =
    ".SH EXAMPLES\n"
    ".nf\n"
    "  cimc compile model.onnx \\-o model.cim\n"
    "  cimc run model.onnx \\-\\-extra\\-pes 32 \\-\\-input\\-fill random:1\n"
    "  cimc report model.onnx \\-o report.html\n"
    ".fi\n";

/* The same on each page. */
static const char common_sections[] =
    ".SH FILES\n"
    ".TP\n"
    ".I " CIMC_DATADIR "/cimc/archs\n"
    "The machines that \\-\\-arch knows by name, as files to copy and change.\n"
    ".TP\n"
    ".I " CIMC_DATADIR "/doc/cimc\n"
    "What machines, programs and texts are made of: README.md has the way through it.\n"
    ".PP\n"
    "Outputs appear whole or not at all.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n"
    ".B NO_COLOR\n"
    "If it is set and not empty, no progress line is drawn.\n"
    ".TP\n"
    ".B TERM\n"
    "If it is not set, empty or\n"
    ".IR dumb ,\n"
    "no progress line is drawn either, nor where standard error is no terminal.\n"
    ".SH \"EXIT STATUS\"\n"
    "0 success, 1 wrong input or result, 2 wrong command line, 3 internal error or out of memory.\n"
    ".SH BUGS\n"
    "What is not supported is refused by an error that names it.\n"
    "A wrong answer, a crash or exit status 3 with memory left is a bug; a report needs\n"
    ".BR \"cimc version\" ,\n"
    "the command line and the model or program file.\n";

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

/* `command` "": the overview. */
static void put_title(const char *command, const char *summary)
{
    const char *dash = *command ? "\\-" : "";
    printf(".TH \"cimc%s%s\" 1 \"\" \"cimc %s\" \"User Commands\"\n", dash, command,
           cimc_version());
    printf(".SH NAME\ncimc%s%s \\- ", dash, command);
    put(summary);
    fputs("\n.SH SYNOPSIS\n", stdout);
}

/* Paragraphs up to `end`; indented lines stay as they are. */
static void put_body(const char *text, const char *end)
{
    bool is_plain = false, is_new = false;
    for (size_t n; text < end; text += n + (text[n] == '\n')) {
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

/* Pages beside the program's own: of the machine's file, and of what --json prints. */
static void put_see_also(const struct command *c)
{
    struct option_cursor at = {.command = c};
    fputs(".SH \"SEE ALSO\"\n.BR cimc (1)\n", stdout);
    for (const struct cimc_option_info *o; (o = next_option(&at));) {
        if (strcmp(o->name, "arch") == 0)
            fputs(".br\n.BR cimc\\-arch (5)\n", stdout);
        if (strcmp(o->name, "json") == 0)
            fputs(".br\n.BR cimc\\-json (5)\n", stdout);
    }
}

/* A text may end in "Examples:" and indented lines: they are a section of their own. */
static void put_command_page(const struct command *c)
{
    static const char mark[] = "Examples:\n";
    struct option_cursor at = {.command = c};
    const char *end = c->text + strlen(c->text), *examples = strstr(c->text, mark);
    put_title(c->name, c->summary);
    printf("\\fBcimc %s\\fR [OPTION...] ", c->name);
    put(c->operands);
    fputs("\n.SH DESCRIPTION\n", stdout);
    put_body(c->text, examples ? examples : end);
    fputs(".SH OPTIONS\n", stdout);
    for (const struct cimc_option_info *o; (o = next_option(&at));)
        put_option(o);
    if (examples) {
        fputs(".SH EXAMPLES\n", stdout);
        put_body(examples + strlen(mark), end);
    }
    fputs(common_sections, stdout);
    put_see_also(c);
}

static void put_overview_page(void)
{
    size_t n;
    const struct command *commands = command_list(&n);
    put_title("", "compiles ONNX models for tiled compute-in-memory chips");
    fputs("\\fBcimc\\fR COMMAND [OPTION...] [FILE...]\n.SH COMMANDS\n", stdout);
    for (size_t i = 0; i < n; i++) {
        printf(".TP\n.BR cimc\\-%s (1)\n", commands[i].name);
        put(commands[i].summary);
        fputc('\n', stdout);
    }
    fputs(overview_examples, stdout);
    fputs(common_sections, stdout);
    fputs(".SH \"SEE ALSO\"\n.BR cimc\\-arch (5)\n.br\n.BR cimc\\-json (5)\n", stdout);
}

enum cimc_status cmd_man(struct command_line *l)
{
    if (l->args.n == 0) {
        put_overview_page();
        return CIMC_OK;
    }
    const struct command *c = command_find(l->context, l->args.at[0]);
    if (c)
        put_command_page(c);
    return c ? CIMC_OK : CIMC_WRONG_USAGE;
}
