/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* verdict.h - are the outputs right? */
#ifndef CIMC_VERDICT_H
#define CIMC_VERDICT_H

#include "eval.h"
#include "base.h"
#include "cimc.h"

/* Elements that differ by 0, 1, 2 steps, by more. */
enum { STEP_CLASSES = 4 };
/* How two tensors of one type differ. */
struct difference {
    double max_abs_error, max_abs_reference; /* largest error and magnitude */
    int64_t worst;                           /* element */
    bool pass;                               /* within the tolerance, or is_absolute */
    bool is_absolute;
    double step; /* what is compared in steps: of what size; else 0 */
    int64_t by_steps[STEP_CLASSES];
    double max_steps;
};
static const double DEFAULT_TOLERANCE = 1e-4;
struct tolerance {
    double relative; /* largest error as a part of the largest magnitude */
    int64_t steps;   /* of each element, where there are steps */
};
struct tolerance verdict_tolerance(const struct cimc_options *s);
/* Of `n` > 0 elements; NaN equals NaN and infinity itself, else they are infinitely far. Integers
 * have steps of 1; floats that are multiples of a number have it as `step`, others 0. */
struct difference compare_values(enum ir_dtype dtype, const void *got, const void *want, int64_t n,
                                 double step, struct tolerance t);
/* So small that the value was rounded away beside others of this magnitude. */
bool is_rounded_away(const struct difference *r, double largest, double tolerance);
/* "9 of 10 equal, 1 by 1 step" */
void verdict_add_steps(const struct difference *r, struct text *out);

struct simulation;
/* Compares the outputs with the references; false with MISMATCH errors where one fails. */
bool verdict(struct simulation *sim, struct diag *d) CHECK_RESULT;

#endif
