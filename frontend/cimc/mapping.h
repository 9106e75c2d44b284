/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* mapping.h - `--copies`, `--patch` and `--set`. */
#ifndef CIMC_MAPPING_H
#define CIMC_MAPPING_H

#include "driver.h"
#include "json.h"

bool mapping_parse_copies(const char *text, struct arena *a, struct dup_options *out,
                          struct diag *d) CHECK_RESULT;
bool mapping_parse_patches(const struct cimc_strings *texts, struct arena *a,
                           struct dup_options *out, struct diag *d) CHECK_RESULT;
/* What --patch, given so often, would say of this graph. */
void mapping_list_patches(const struct ir_graph *g, struct arena *a, struct cimc_strings *out);
/* What --copies would say of this graph; NULL where it has no base layer. */
const char *mapping_copies_text(const struct ir_graph *g, struct arena *a);
/* After the passes, for b->wants_best: sets and cut with the least makespan; fills b->set and
 * b->chosen and leaves b->graph with that cut. */
bool mapping_choose_best(struct build *b, const struct cimc_options *s,
                         struct diag *d) CHECK_RESULT;
const char *mapping_cut_name(int64_t cut); /* of --cut's choices */
/* As --set takes it: RxC, where * is all. */
const char *mapping_set_text(const struct set_shape *set, char buffer[64]);
/* What was chosen; nothing if there was no choice. */
void mapping_report(const struct build *b, FILE *out);
void mapping_report_json(const struct build *b, struct json *j);

#endif
