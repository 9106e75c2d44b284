/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* report_parts.h - what tables for people and JSON both say. */
#ifndef CIMC_REPORT_PARTS_H
#define CIMC_REPORT_PARTS_H

#include "report.h"

double report_speedup(const struct backend_result *r); /* NaN where the makespan is 0 */
/* Of the schedule, of all frames where there are such. */
uint64_t report_all_cycles(const struct build *b);
const char *report_mode_name(enum pass_mode mode);
/* One that fails, if any does; of those the one with the largest error. Without a reference
 * nothing is compared. */
int64_t report_worst_frame(const struct simulation *sim, size_t k);
double report_run_per_second(const struct simulation *sim);
/* "4.75 ms": the time of so many cycles. */
enum { REPORT_TIME_TEXT = 32 };
const char *report_time_text(double cycles, int64_t cycle_ps, char buffer[REPORT_TIME_TEXT]);
/* How much of a frame's makespan the layer works whose copies take longest; NaN where that is 0. */
double report_bottleneck_share(const struct build *b);
/* What was executed; its counts are in `a`. */
struct energy_report report_run_energy(const struct simulation *sim, struct arena *a);
/* Tells each stage there is (either may be NULL). */
void report_each_time(const struct build *b, const struct simulation *sim,
                      void (*tell)(void *self, const char *stage, double seconds), void *self);

#endif
