/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* closest.h - the name that was meant where one is not known. */
#ifndef CIMC_CLOSEST_H
#define CIMC_CLOSEST_H

/*
 *     struct closest c = {.to = "Covn"};
 *     for (each name)
 *         closest_offer(&c, name);
 *     diag_error(..., "no operator '%s'%s%s%s", c.to, CLOSEST(&c));
 *
 * which adds "; did you mean 'Conv'?" where a name is close enough, the first of the closest.
 */
struct closest {
    const char *to, *name; /* NULL: none is close */
    unsigned distance;     /* changes of one character, neighbours swapped, or of case only */
};
void closest_offer(struct closest *c, const char *name);
#define CLOSEST(c)                                                                                 \
    (c)->name ? "; did you mean '" : "", (c)->name ? (c)->name : "", (c)->name ? "'?" : ""

#endif
