/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* times.h - when each instruction ran. */
#ifndef CIMC_TIMES_H
#define CIMC_TIMES_H

#include "sim.h"

struct times;
struct times *times_new(const struct isa_program *p, uint32_t frames);
void times_free(struct times *t); /* NULL is fine */
void times_completed(struct times *t, const struct sim_times *of);
/* Of a run that came to its end. */
bool times_write(const struct times *t, const char *path, struct diag *d) CHECK_RESULT;

#endif
