/* verdict.h - are the outputs right? */
#ifndef CIMC_VERDICT_H
#define CIMC_VERDICT_H

#include "simulate.h"

/* Compares the outputs with the references; false with MISMATCH errors where one fails. */
bool verdict(struct simulation *sim, struct diag *d) CHECK_RESULT;
/* Of `n` > 0 values; NaN equals NaN and infinity itself, else they are infinitely far. */
struct difference compare_f32(const float *got, const float *want, int64_t n, double tolerance);
/* So small that the value was rounded away beside others of this magnitude. */
bool is_rounded_away(const struct difference *r, double largest, double tolerance);

#endif
