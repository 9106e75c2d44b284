/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * completion.c - `cimc completion`: completion scripts for shells from the command and option
 * tables.
 *
 * In: bash, zsh or fish. Out: the script on standard output. It completes commands, options of a
 * command, values as far as they are known, and file names where one is meant.
 */
#include "commands.h"

#include <string.h>

/* "a|b" as words. */
static void put_choices(const char *choices)
{
    for (; *choices; choices++)
        fputc(*choices == '|' ? ' ' : *choices, stdout);
}

/* The value of the option may be a file or a folder. */
static bool takes_file(const struct cimc_option_info *o)
{
    return o->argument && (strstr(o->argument, "FILE") || strstr(o->argument, "DIR"));
}

/* The values of an option that are known: choices, what stands in the argument in small letters,
 * names of tables. */
struct value_cursor {
    const struct cimc_option_info *option;
    const char *word; /* the rest of "a|b" */
    size_t i;         /* of `known` */
};

static struct value_cursor values_of(const struct cimc_option_info *o)
{
    return (struct value_cursor){.option = o, .word = o->choices ? o->choices : o->argument};
}

/* The next and its length; NULL behind the last. */
static const char *next_value(struct value_cursor *c, size_t *n)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz";
    const struct cimc_option_info *o = c->option;
    while (c->word && *c->word) {
        const char *word = c->word;
        *n = strcspn(word, "|");
        c->word += *n + (word[*n] == '|');
        if (o->choices || strspn(word, small) == *n)
            return word;
    }
    const char *name = o->known ? o->known(c->i++) : NULL;
    *n = name ? strlen(name) : 0;
    return name;
}

static bool has_values(const struct cimc_option_info *o)
{
    struct value_cursor c = values_of(o);
    size_t n;
    return next_value(&c, &n) != NULL;
}

static void put_values(const struct cimc_option_info *o)
{
    struct value_cursor c = values_of(o);
    const char *before = "";
    size_t n;
    for (const char *word; (word = next_value(&c, &n)); before = " ")
        printf("%s%.*s", before, (int)n, word);
}

static void put_command_names(void)
{
    size_t n;
    const struct command *commands = command_list(&n);
    for (size_t i = 0; i < n; i++)
        printf("%s%s", i ? " " : "", commands[i].name);
}

static bool takes_command(const struct command *c)
{
    return strcmp(c->operands, "[COMMAND]") == 0;
}

/* The operands are words that are known, not files. */
static bool takes_words(const struct command *c)
{
    return takes_command(c) || strchr(c->operands, '|');
}

static void put_operands(const struct command *c)
{
    if (takes_command(c))
        put_command_names();
    else if (takes_words(c))
        put_choices(c->operands);
}

/* Text inside '...'; `special` gets a backslash, a quote becomes `quote`. */
static void put_quoted(const char *text, const char *special, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs(quote, stdout);
        else
            printf(strchr(special, *text) ? "\\%c" : "%c", *text);
    }
}

/* ---- bash ---- */

static void bash_command(const struct command *c)
{
    struct option_cursor at = {.command = c};
    printf("    %s)\n        options='", c->name);
    for (const struct cimc_option_info *o; (o = next_option(&at));) {
        if (o->letter)
            printf("-%c ", o->letter);
        printf("--%s%s ", o->name,
               o->kind == CIMC_OPTION_FLAG || o->kind == CIMC_OPTION_MAY_TEXT ? "" : "=");
    }
    fputs("'\n        operands='", stdout);
    put_operands(c);
    fputs("'\n        case $option in\n", stdout);
    at = (struct option_cursor){.command = c};
    for (const struct cimc_option_info *o; (o = next_option(&at));) {
        if (o->kind == CIMC_OPTION_FLAG)
            continue;
        printf("        --%s", o->name);
        if (o->letter)
            printf("|-%c", o->letter);
        fputs(") takes=1 values='", stdout);
        put_values(o);
        printf("' files=%s ;;\n", takes_file(o) ? "1" : "");
    }
    fputs("        esac ;;\n", stdout);
}

/* Readline may split --a=b at the sign (COMP_WORDBREAKS), so both forms arrive. */
static void put_bash(void)
{
    size_t n;
    const struct command *commands = command_list(&n);
    fputs("# bash completion for cimc\n_cimc()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} option= prefix= options= operands= values= "
          "takes= files=\n"
          "    local IFS=$' \\t\\n'\n"
          "    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W '",
          stdout);
    put_command_names();
    fputs(" --help --version' -- \"$cur\"))\n        return\n    fi\n"
          "    if [[ $cur == = ]]; then\n"
          "        option=${COMP_WORDS[COMP_CWORD-1]} cur=\n"
          "    elif [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]]; then\n"
          "        option=${COMP_WORDS[COMP_CWORD-2]}\n"
          "    elif [[ $cur == --*=* ]]; then\n"
          "        option=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}\n"
          "    else\n"
          "        option=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    fi\n"
          "    case ${COMP_WORDS[1]} in\n",
          stdout);
    for (size_t i = 0; i < n; i++)
        bash_command(&commands[i]);
    fputs("    esac\n"
          "    if [[ ! $takes && $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
          "        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
          "    else\n"
          "        [[ $takes ]] || values=$operands\n"
          "        [[ $takes || $operands ]] || files=1\n"
          "        COMPREPLY=($(compgen -P \"$prefix\" -W \"$values\" -- \"$cur\"))\n"
          "        if [[ $files ]]; then\n"
          "            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -P \"$prefix\" -f -- "
          "\"$cur\")\n"
          "            compopt -o filenames 2>/dev/null\n"
          "        fi\n"
          "    fi\n"
          "    return 0\n}\ncomplete -F _cimc cimc\n",
          stdout);
}

/* ---- zsh: specifications of _arguments ---- */

/* What completes the value. */
static void zsh_action(const struct cimc_option_info *o)
{
    bool is_file = takes_file(o);
    if (!has_values(o)) {
        fputs(is_file ? "_files" : " ", stdout);
        return;
    }
    fputs(is_file ? "{compadd -- " : "(", stdout);
    put_values(o);
    fputs(is_file ? "; _files}" : ")", stdout);
}

static void zsh_option(const struct cimc_option_info *o, bool is_letter)
{
    bool takes = o->kind != CIMC_OPTION_FLAG;
    fputs(o->kind == CIMC_OPTION_LIST ? " \\\n        '*" : " \\\n        '", stdout);
    if (is_letter)
        printf("-%c%s[", o->letter, takes ? "+" : "");
    else
        printf("--%s%s[", o->name, !takes ? "" : o->kind == CIMC_OPTION_MAY_TEXT ? "=-" : "=");
    put_quoted(o->help, "[]:\\", "'\\''");
    fputc(']', stdout);
    if (takes) {
        fputs(o->kind == CIMC_OPTION_MAY_TEXT ? "::" : ":", stdout);
        put_quoted(o->argument ? o->argument : o->name, "[]:\\", "'\\''");
        fputc(':', stdout);
        zsh_action(o);
    }
    fputc('\'', stdout);
}

static void zsh_command(const struct command *c)
{
    struct option_cursor at = {.command = c};
    printf("    %s)\n        _arguments", c->name);
    for (const struct cimc_option_info *o; (o = next_option(&at));) {
        zsh_option(o, false);
        if (o->letter)
            zsh_option(o, true);
    }
    fputs(" \\\n        '*:operand:", stdout);
    fputs(takes_words(c) ? "(" : "_files", stdout);
    put_operands(c);
    fputs(takes_words(c) ? ")' ;;\n" : "' ;;\n", stdout);
}

static void put_zsh(void)
{
    size_t n;
    const struct command *commands = command_list(&n);
    fputs("#compdef cimc\n_cimc()\n{\n    if (( CURRENT == 2 )); then\n"
          "        local -a commands=(",
          stdout);
    for (size_t i = 0; i < n; i++) {
        printf("\n            '%s:", commands[i].name);
        put_quoted(commands[i].summary, "\\", "'\\''");
        fputc('\'', stdout);
    }
    fputs(")\n        _describe command commands\n        return\n    fi\n"
          "    shift words\n    (( CURRENT-- ))\n    case $words[1] in\n",
          stdout);
    for (size_t i = 0; i < n; i++)
        zsh_command(&commands[i]);
    fputs("    esac\n}\n"
          "if [[ $funcstack[1] == _cimc ]]; then\n    _cimc \"$@\"\n"
          "else\n    compdef _cimc cimc\nfi\n",
          stdout);
}

/* ---- fish ---- */

static void fish_option(const struct command *c, const struct cimc_option_info *o)
{
    printf("complete -c cimc -n '__fish_seen_subcommand_from %s' -l %s", c->name, o->name);
    if (o->letter)
        printf(" -s %c", o->letter);
    if (o->kind != CIMC_OPTION_FLAG && o->kind != CIMC_OPTION_MAY_TEXT)
        fputs(takes_file(o) ? " -r" : " -x", stdout);
    if (has_values(o)) {
        fputs(" -a '", stdout);
        put_values(o);
        fputc('\'', stdout);
    }
    fputs(" -d '", stdout);
    put_quoted(o->help, "\\", "\\'");
    fputs("'\n", stdout);
}

static void put_fish(void)
{
    size_t n;
    const struct command *commands = command_list(&n);
    fputs("# fish completion for cimc\n", stdout);
    for (size_t i = 0; i < n; i++) {
        const struct command *c = &commands[i];
        struct option_cursor at = {.command = c};
        printf("complete -c cimc -n __fish_use_subcommand -f -a %s -d '", c->name);
        put_quoted(c->summary, "\\", "\\'");
        fputs("'\n", stdout);
        if (takes_words(c)) {
            printf("complete -c cimc -n '__fish_seen_subcommand_from %s' -f -a '", c->name);
            put_operands(c);
            fputs("'\n", stdout);
        }
        for (const struct cimc_option_info *o; (o = next_option(&at));)
            fish_option(c, o);
    }
}

enum cimc_status cmd_completion(struct command_line *l)
{
    const char *shell = l->args.at[0];
    if (strcmp(shell, "bash") == 0)
        put_bash();
    else if (strcmp(shell, "zsh") == 0)
        put_zsh();
    else if (strcmp(shell, "fish") == 0)
        put_fish();
    else
        return usage_error(l->context, "'%s' is none of bash|zsh|fish", shell);
    return CIMC_OK;
}
