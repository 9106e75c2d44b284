/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* arch_notes.h - comments of a YAML text, which libyaml passes over. */
#ifndef CIMC_ARCH_NOTES_H
#define CIMC_ARCH_NOTES_H

#include "base/base.h"

/* Lines of a text, looked at in ascending order. */
struct note_lines {
    const char *at, *end;
    size_t line; /* from 0, of `at` */
};
struct note_lines note_lines_of(const char *text, size_t n);
/* What follows column `column` of line `line`, both from 0, if it is a comment; else NULL. */
const char *note_behind(struct note_lines *x, size_t line, size_t column, struct arena *a);
/* The text's first lines, as long as they are comments, but for those that say under which licence
 * it is and whose; NULL: there are none. */
const char *note_head(const char *text, size_t n, struct arena *a);

#endif
