/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dup_sums.h - sums of fractions, of which only the sign is wanted, exactly. */
#ifndef CIMC_DUP_SUMS_H
#define CIMC_DUP_SUMS_H

#include "dup.h"

struct dup_fraction {
    uint64_t rest, below; /* rest / below < 1 */
    bool is_less;         /* it is subtracted */
};
/* whole + the fractions; {0} is 0. */
struct dup_sum {
    dup_units whole;
    uint64_t bits; /* their least common denominator has no more */
    VEC(struct dup_fraction) fractions;
};
/* Adds sign * top / below; sign 1 or -1. */
void dup_sum_add(struct dup_sum *s, int sign, uint64_t top, uint64_t below);
/* -1, 0 or 1. The sum is 0 afterwards. */
int dup_sum_sign(struct dup_sum *s);
void dup_sum_free(struct dup_sum *s);

#endif
