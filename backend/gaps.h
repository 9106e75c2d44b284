/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gaps.h - when a unit is idle within an interval that repeats. gaps.c.
 */
#ifndef CIMC_GAPS_H
#define CIMC_GAPS_H

#include "base/base.h"

/* An idle time [lo, hi); those before it are on its left in a tree, those behind it on its right.
 */
struct gap {
    uint64_t lo, hi, longest; /* longest: of the tree */
    uint32_t left, right;
};
struct gaps {
    uint64_t interval,
        origin; /* the interval of the tree begins at this time, modulo the interval */
    uint32_t root;
    VEC(struct gap) gaps;
};
/* All is idle; the memory of an earlier use serves again. */
void gaps_reset(struct gaps *g, uint64_t interval);
/* Takes `cycles` without a break from the first time on, not before *at, when the unit is idle;
 * that time into *at. False if it never is for so long. */
bool gaps_take(struct gaps *g, uint64_t cycles, uint64_t *at) CHECK_RESULT;
void gaps_free(struct gaps *g);

#endif
