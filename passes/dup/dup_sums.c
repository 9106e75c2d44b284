/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dup_sums.c - the sign of a sum of fractions, exactly, without large numbers.
 *
 * The sum is written digit by digit, to the base 2^64: each fraction gives its next digit and keeps
 * a rest below one. What is written so far is `whole`, and the rests of n fractions are less than n
 * of its last place: where it is n or more its sign is that of the sum. It stays small until then.
 * A sum that is not 0 is at least 1 / D, the common denominator: 0 it is where so many digits are
 * written that such a sum would have shown.
 */
#include "dup_sums.h"

__extension__ typedef unsigned __int128 wide;

static unsigned bits_of(uint64_t x)
{
    return x ? 64 - (unsigned)__builtin_clzll(x) : 0;
}

void dup_sum_add(struct dup_sum *s, int sign, uint64_t top, uint64_t below)
{
    s->whole += sign * (dup_units)(top / below);
    if (top % below == 0)
        return;
    struct dup_fraction f = {top % below, below, sign < 0};
    s->bits += bits_of(below);
    VEC_PUSH(&s->fractions, f);
}

static void write_digit(struct dup_sum *s)
{
    s->whole *= (dup_units)1 << 64;
    for (size_t i = 0; i < s->fractions.n; i++) {
        struct dup_fraction *f = &s->fractions.at[i];
        wide x = (wide)f->rest << 64;
        dup_units digit = (dup_units)(x / f->below);
        f->rest = (uint64_t)(x % f->below);
        s->whole += f->is_less ? -digit : digit;
    }
}

int dup_sum_sign(struct dup_sum *s)
{
    dup_units most = (dup_units)s->fractions.n; /* of all rests */
    uint64_t places = s->bits + bits_of(2 * s->fractions.n), written = 0;
    while (s->whole < most && s->whole > -most && written < places) {
        write_digit(s);
        written += 64;
    }
    bool shows = s->whole >= most || s->whole <= -most;
    int sign = shows ? (s->whole > 0) - (s->whole < 0) : 0;
    s->whole = 0;
    s->bits = s->fractions.n = 0;
    return sign;
}

void dup_sum_free(struct dup_sum *s)
{
    VEC_FREE(&s->fractions);
}
