/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * options.h - options as a table (option_tables.c), and what is made of it: values from text, the
 * line that a program keeps.
 */
#ifndef CIMC_OPTIONS_H
#define CIMC_OPTIONS_H

#include "base.h"
#include "cimc.h"

/* By group, ended by an entry without name. */
extern const struct cimc_option_info option_table[];

/* `value` as on the command line; it is copied into `o`, which is as before after an error. NULL:
 * of a flag true, of CIMC_OPTION_MAY_TEXT its fallback. */
bool options_put(struct cimc_options *o, const struct cimc_option_info *option, const char *value,
                 struct diag *d) CHECK_RESULT;
/* The caller's structure has the field of option `name` of the table; else it is older than that.
 */
bool options_reach(const struct cimc_options *o, const char *name, struct diag *d) CHECK_RESULT;
/* What is not given has its default: integers less than their least, `set` without a text. */
void options_settle(struct cimc_options *o);
/* The first option whose value is none that the table allows, nor its default; NULL: there is none.
 */
const struct cimc_option_info *options_first_wrong(const struct cimc_options *o);
/* With strings of its own. */
struct cimc_options options_copy(const struct cimc_options *o);
/* A string of `o`, freed with it. */
const char *options_keep(struct cimc_options *o, const char *text);
void options_append(struct cimc_options *o, struct cimc_strings *list, const char *text);
/* The recorded options as one line, and back (others get their defaults; cimc_options_free even
 * after a failure). */
void options_record(const struct cimc_options *o, struct text *out);
/* The line's next word without its backslashes, in `a`; NULL at the end. */
char *options_next_word(const char **line, struct arena *a);
bool options_recall(const char *line, struct cimc_options *o, struct diag *d) CHECK_RESULT;

#endif
