/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * options.h - options and commands as tables (option_tables.c, main.c), and what is made of them:
 * settings, help, the line that a program keeps.
 */
#ifndef CIMC_OPTIONS_H
#define CIMC_OPTIONS_H

#include "settings.h"

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* const char * */
    OPTION_MAY_TEXT, /* const char *; without a value `fallback` */
    OPTION_LIST,     /* string_list, given more than once */
    OPTION_INTEGER,  /* int64_t in least..most */
    OPTION_CHOICE,   /* int64_t: index into `choices` */
    OPTION_REAL,     /* double in least..most */
};
struct option_desc {
    const char *name;
    char letter; /* 0 = none */
    enum option_kind kind;
    bool recorded;               /* in a program's `options`, so that the passes can be run again */
    size_t offset;               /* into struct settings */
    const char *argument, *help; /* argument: "word|word|NAME", capitals where it is free */
    const char *choices;         /* "a|b" */
    const char *(*known)(size_t i); /* values that a free one may have, NULL behind the last */
    const char *fallback;
    int64_t least, most;
    const char *all; /* of an integer: a word for `most` */
};
/* Groups of options, ended by an entry without name. */
extern const struct option_desc options_model[], options_mode[], options_calibrate[],
    options_machine[], options_mapping[], options_held_out[], options_noise[], options_trials[],
    options_several[], options_frames[], options_flow[], options_decisions[], options_output[],
    options_table[], options_energy[], options_json[], options_passes[], options_simulation[],
    options_run_program[], options_sim_model[], options_times[], options_inline[], options_views[],
    options_page[], options_timing[], options_values[], options_scale[], options_weights[],
    options_stage[], options_verdict[], options_dump[], options_where[];

enum { MOST_OPTION_GROUPS = 28, MOST_MODELS = 255 };
struct command {
    const char *name, *summary;
    const char *operands;                                 /* "MODEL", for the usage line */
    const char *text;                                     /* the manual page's body */
    const struct option_desc *groups[MOST_OPTION_GROUPS]; /* NULL-terminated */
    unsigned min_args, max_args;
    bool (*run)(const struct settings *s, struct diag *d);
};
/* All options of a command, one after another, --help last; then NULL. */
struct option_cursor {
    const struct command *command;
    size_t group;
    const struct option_desc *at; /* NULL at the start */
};
const struct option_desc *options_next(struct option_cursor *c);
/* argv[0] is the command's name. False: usage error, reported. */
bool options_parse(const struct command *c, int argc, char **argv, struct settings *s,
                   struct diag *d) CHECK_RESULT;
void options_print_help(const struct command *c, FILE *out);
/* The recorded options as one line, and back (other settings get their defaults; settings_free even
 * after a failure). */
void options_record(const struct settings *s, struct text *out);
bool options_recall(const char *line, struct arena *a, struct settings *s,
                    struct diag *d) CHECK_RESULT;

#endif
