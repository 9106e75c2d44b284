/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* yaml_text.h - which YAML texts are read at all, of machines and of sweeps. */
#ifndef CIMC_YAML_TEXT_H
#define CIMC_YAML_TEXT_H

#include "base/base.h"

struct yaml_mark_s; /* yaml_mark_t and yaml_parser_t of <yaml.h> */
struct yaml_parser_s;

enum { YAML_MOST_DEPTH = 8 };

/* Is it at most one document, without anchors, aliases and tags, at most YAML_MOST_DEPTH mappings
 * and sequences deep? Such a text libyaml reads in a time that grows as the text does. What is
 * between its words may still be wrong. Errors have `code`. */
bool yaml_text_check(const char *text, size_t n, const char *file, enum diag_code code,
                     struct diag *d) CHECK_RESULT;

/* Where libyaml's mark is in `file`. */
struct loc yaml_text_loc(const char *file, const struct yaml_mark_s *mark);

/* A parser of `text`, which stays the caller's. libyaml's memory is its own: it is freed also where
 * the call is left before yaml_text_close. */
struct yaml_parser_s *yaml_text_open(const char *text, size_t n);
void yaml_text_close(struct yaml_parser_s *parser);

#endif
