/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* outputs.h - the files that a command is to write. */
#ifndef CIMC_OUTPUTS_H
#define CIMC_OUTPUTS_H

#include "base.h"
#include "cimc.h"

/* No file that would be written is one that they or the operands (FILE or NAME=FILE) name to be
 * read, or another one that would be written, and at
 * most one goes to standard output. */
bool outputs_check(const struct cimc_options *s, const struct cimc_strings *operands,
                   struct diag *d) CHECK_RESULT;
/* The same for one more file that turns out to be read, before anything is written. */
bool outputs_check_input(const struct cimc_options *s, const char *input,
                         struct diag *d) CHECK_RESULT;
/* A file goes to standard output, so that nothing else may. */
bool outputs_to_stdout(const struct cimc_options *s);
/* Something is asked for by name, or as JSON. */
bool outputs_wanted(const struct cimc_options *s);
/* "wrote a.cim, a.svg"; nothing if there is nothing. */
void outputs_report(const struct cimc_options *s, FILE *to);

#endif
