/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* quantity.h - numbers as people write them: "64KiB", "1.4us", "700MHz", "1_024". ARCH.md. */
#ifndef CIMC_QUANTITY_H
#define CIMC_QUANTITY_H

#include "base/base.h"

/* What a number is for. */
struct quantity {
    const char *what, *name; /* "field", "rows": for messages */
    const char *unit;        /* of the plain number: "bytes", "cycles", "pJ", ... */
    int64_t scale;           /* the value is counted in this part of the unit: 1, 1000000 */
    int64_t cycle_ps;        /* length of a cycle, of cycles that are given as a time */
};
/* The number that `text` says; INT64_MAX for all that is larger. What does not come out even is
 * rounded with a note, if it may be at all. */
bool quantity_read(const struct quantity *q, const char *text, struct loc loc, struct diag *d,
                   int64_t *out) CHECK_RESULT;

#endif
