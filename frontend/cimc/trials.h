/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* trials.h - one program on many machines, whose cells differ by their noise. */
#ifndef CIMC_TRIALS_H
#define CIMC_TRIALS_H

#include "json.h"
#include "simulate.h"

/* What one machine made of all frames. */
struct trial {
    int64_t seed;
    int64_t n_right; /* with labels */
    double *snr_db;  /* of each output: infinite if all is equal; NaN: no reference, not finite */
};
struct trials {
    VEC(struct trial) at;
};
/* Runs `p` with --trials seeds, from that of its machine on. The references are those of sim. */
bool trials_run(struct simulation *sim, struct isa_program *p, struct trials *out,
                struct diag *d) CHECK_RESULT;
void trials_report(const struct trials *t, const struct simulation *sim, FILE *out);
/* Key `trials`. */
void trials_report_json(const struct trials *t, const struct simulation *sim, struct json *j);
void trials_free(struct trials *t);

#endif
