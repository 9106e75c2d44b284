/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* sweep_table.h - a sweep for people. */
#ifndef CIMC_SWEEP_TABLE_H
#define CIMC_SWEEP_TABLE_H

#include "sweep.h"

void sweep_table_head(const struct sweep_plan *p, FILE *out);
/* A line: what varies, and then the result or why there is none. */
void sweep_table_point(const struct sweep_plan *p, uint64_t point, FILE *out);
void sweep_table_result(const struct sweep_plan *p, const struct cimc_program_info *r, FILE *out);
void sweep_table_failure(const struct diag *d, FILE *out);

#endif
