/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* time_trace.h - where the compiler's own time went, as trace events. */
#ifndef CIMC_TIME_TRACE_H
#define CIMC_TIME_TRACE_H

#include "driver.h"
#include "simulate.h"

/* Of what there is (`sim` may be NULL). */
bool time_trace_write(struct build *b, const struct simulation *sim, const char *path,
                      struct diag *d) CHECK_RESULT;

#endif
