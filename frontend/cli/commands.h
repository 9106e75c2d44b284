/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * commands.h - a command is an entry of the table in main.c and a function of what the command line
 * says: command_line.c reads that, by the library's table of options.
 *
 * Commands know the library by cimc.h alone. What is wrong goes into the context's diagnostics;
 * main.c prints them and turns the status into an exit code.
 */
#ifndef CIMC_COMMANDS_H
#define CIMC_COMMANDS_H

#include "cimc.h"

#include <stdio.h>

struct command_line {
    cimc_context *context;
    const struct command *command;
    struct cimc_options options;
    struct cimc_strings args; /* operands: files and names */
    bool help, quiet;
    bool has_result; /* on standard output, though the command may fail */
};
enum { MOST_OPTION_GROUPS = 28, MOST_MODELS = 255 };
struct command {
    const char *name, *summary;
    const char *operands;                   /* "MODEL", for the usage line */
    const char *text;                       /* the manual page's body */
    const char *groups[MOST_OPTION_GROUPS]; /* of options; NULL-terminated */
    unsigned min_args, max_args;
    bool takes_lists; /* of values, where an option varies */
    enum cimc_status (*run)(struct command_line *l);
};

enum cimc_status cmd_arch(struct command_line *l);
enum cimc_status cmd_compile(struct command_line *l);
enum cimc_status cmd_report(struct command_line *l);
enum cimc_status cmd_run(struct command_line *l);
enum cimc_status cmd_sim(struct command_line *l);
enum cimc_status cmd_eval(struct command_line *l);
enum cimc_status cmd_sweep(struct command_line *l);
enum cimc_status cmd_diff(struct command_line *l);
enum cimc_status cmd_opt(struct command_line *l);
enum cimc_status cmd_quantize(struct command_line *l);
enum cimc_status cmd_dis(struct command_line *l);
enum cimc_status cmd_asm(struct command_line *l);
enum cimc_status cmd_dump(struct command_line *l);
enum cimc_status cmd_where(struct command_line *l);
enum cimc_status cmd_check(struct command_line *l);
enum cimc_status cmd_list(struct command_line *l);
enum cimc_status cmd_completion(struct command_line *l);
enum cimc_status cmd_man(struct command_line *l);

/* ---- main.c ---- */

const struct command *command_list(size_t *n);
/* NULL, reported: there is no such command. */
const struct command *command_find(cimc_context *c, const char *name);
/* An error of code "usage". */
enum cimc_status usage_error(cimc_context *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- operands.c ---- */

struct sources {
    struct cimc_source at[MOST_MODELS];
    size_t n;
};
struct sources sources_of(const struct cimc_strings *files);
enum cimc_status read_program(const struct command_line *l, const char *path, cimc_program **out);
/* time_trace: of a program, or of a simulation where it is not NULL. */
enum cimc_status write_time_trace(const struct command_line *l, const cimc_program *p,
                                  const cimc_simulation *s);
/* Where a report for people goes: not where a file goes. */
FILE *report_stream(const struct cimc_options *o);

/* ---- cmd_sim.c ---- */

/* Runs it, and shows what came of it, also where it is wrong. */
enum cimc_status simulate_and_show(struct command_line *l, cimc_simulation *s,
                                   const cimc_program *p);

/* ---- command_line.c ---- */

/* All options of a command, one after another, --help last; then NULL. */
struct option_cursor {
    const struct command *command;
    size_t group, option; /* index into the command's groups and the library's options */
};
const struct cimc_option_info *next_option(struct option_cursor *c);
/* argv[0] is the command's name. Reads all into `l`, which has context and command and is freed
 * even after a failure. */
enum cimc_status command_line_read(struct command_line *l, int argc, char **argv);
void command_line_free(struct command_line *l);
void print_command_help(const struct command *c, FILE *out);

#endif
