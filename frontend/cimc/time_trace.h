/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* time_trace.h - where the compiler's own time went, as trace events. */
#ifndef CIMC_TIME_TRACE_H
#define CIMC_TIME_TRACE_H

#include "driver.h"
#include "simulate.h"

/* Of what there is (`sim` may be NULL). */
void time_trace_print(const struct build *b, const struct simulation *sim, FILE *out);

#endif
