/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* spans.h - what took how long: stretches of this process' own time. */
#ifndef CIMC_SPANS_H
#define CIMC_SPANS_H

#include "base.h"

struct span {
    const char *kind, *name; /* the maker's, and outlive the list */
    double start, end;       /* of now_seconds */
};
struct spans {
    VEC(struct span) list; /* one begins inside of another or behind it */
};
void spans_add(struct spans *s, const char *kind, const char *name, double start, double end);
/* By start; of those with the same one the longest first. */
void spans_sort(struct spans *s);

#endif
