/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fmath_pow.h - fmath.h goes on: powers, by a logarithm in sums of two f32.
 */
#ifndef CIMC_FMATH_POW_H
#define CIMC_FMATH_POW_H

#include "base/fmath.h"

/* log2(x) of a positive finite x: k + 2 / ln(2) * atanh(s), atanh(s) = s + s * (s^2 / 3 + q) */
static inline struct fmath_pair fmath_log2(float x)
{
    float k, m = fmath_parts(x, &k);
    float f = m - 1, d = m + 1, d_lo = m - (d - 1);
    float s = f / d;
    struct fmath_pair sd = fmath_product(s, d);
    float s_lo = (((f - sd.hi) - sd.lo) - s * d_lo) / d;
    struct fmath_pair u = fmath_product(s, s);
    float q = u.hi * 0x1.dfa302p-4f + 0x1.24527ap-3f;
    q = u.hi * q + 0x1.999ap-3f;
    q = u.hi * u.hi * q;
    struct fmath_pair t = fmath_product(u.hi, 0x1.555556p-2f);
    t.lo = t.lo + u.hi * -0x1.555556p-27f + (u.lo + (s + s) * s_lo) * 0x1.555556p-2f + q;
    struct fmath_pair w = fmath_product(s, t.hi);
    struct fmath_pair a = fmath_sum(s, w.hi);
    a.lo = a.lo + (w.lo + s * t.lo + s_lo * t.hi + s_lo);
    struct fmath_pair c = fmath_product(a.hi, 0x1.715476p1f);
    c.lo = c.lo + a.hi * 0x1.4ae0cp-25f + a.lo * 0x1.715476p1f;
    struct fmath_pair l = fmath_sum(k, c.hi);
    l.lo = l.lo + c.lo;
    return l;
}

/* 2^(p.hi + p.lo), p.lo small beside 1 */
static inline float fmath_exp2(struct fmath_pair p)
{
    float t = p.hi + FMATH_ROUND;
    float r = (p.hi - (t - FMATH_ROUND)) + p.lo;
    float q = r * 0x1.4172b8p-13f + 0x1.5f0976p-10f;
    q = r * q + 0x1.3b2ddap-7f;
    q = r * q + 0x1.c6af7ap-5f;
    q = r * q + 0x1.ebfbdcp-3f;
    q = r * q + 0x1.62e43p-1f;
    return fmath_scale(1 + r * q, fmath_integer(t));
}

/* As in C: x^0 and 1^y are 1, a negative x has powers of integers only. */
static inline float fmath_pow(float x, float y)
{
    float a = fabsf(x), most = fabsf(y) > 0x1p32f ? 0x1p32f : fabsf(y), v = copysignf(most, y);
    struct fmath_pair l = fmath_log2(a), p = fmath_product(v, l.hi);
    p.lo = p.lo + v * l.lo;
    float limit = copysignf(160, p.hi);
    p.lo = fabsf(p.hi) > 160 ? 0 : p.lo;
    p.hi = fabsf(p.hi) > 160 ? limit : p.hi;
    float z = fmath_exp2(p);
    float at_end = (a == 0) == (y < 0) ? INFINITY : 0;
    z = ((a == 0) | (a == INFINITY)) ? at_end : z;

    float half = most * 0.5f;
    uint32_t whole = fmath_rint(most) == most, odd = whole & (fmath_rint(half) != half);
    z = f32_of_bits(f32_bits(z) | (odd ? f32_bits(x) & 0x80000000 : 0));
    z = ((x < 0) & (a < INFINITY) & !whole) ? NAN : z;
    z = ((x != x) | (y != y)) ? NAN : z;
    return ((x == 1) | (y == 0)) ? 1 : z;
}

#endif
