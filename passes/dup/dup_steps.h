/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_steps.h - what the core leaves open, as further copies that are equal in PEs and gain.
 */
#ifndef CIMC_DUP_STEPS_H
#define CIMC_DUP_STEPS_H

#include "dup.h"

/* One copy more of an item whose open choices are a run: from choices[level] to the next. */
struct dup_step {
    uint32_t item; /* of the core */
    uint32_t level;
    uint32_t class, rank; /* its class, and its place in it, in list order, from 0 */
    int64_t pes;
    uint64_t gain[2]; /* cycles saved: numerator, denominator, in lowest terms */
    dup_units slack_taken, slack_left;
};
/* Steps of equal PEs and gain; an optimum takes the first so many of them. Or one item whose open
 * choices are no run: the place of its choice in `list` is what is taken. */
struct dup_class {
    int64_t pes;                        /* of a copy; of a list: the fewest of it */
    int64_t most;                       /* that can be taken */
    const struct dup_core_choice *list; /* as dup_prefer has them, else NULL */
    uint64_t gain[2];                   /* of each; each costs so much slack: */
    dup_units slack_taken, slack_left;
};
struct dup_steps {
    const struct dup_core *core;
    struct dup_class *classes;
    size_t n_classes;
    struct dup_step *steps; /* by item and level */
    size_t *first;          /* by item: first[i] .. first[i + 1] are its steps; none for a list */
    uint32_t *list_class;   /* by item with a list: its class */
    int64_t budget;         /* PEs beside the fewest of all items */
};
/* O(n log n) in the open choices. */
void dup_find_steps(const struct dup_core *core, struct arena *a, struct dup_steps *out);

#endif
