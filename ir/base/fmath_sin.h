/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fmath_sin.h - fmath.h goes on: sine and cosine. |x| = q * pi/2 + r with |r| <= pi/4, q modulo 4;
 * r is within one unit in the last place for every x.
 */
#ifndef CIMC_FMATH_SIN_H
#define CIMC_FMATH_SIN_H

#include "base/fmath.h"

#define FMATH_NEAR 4096.0f /* up to here floats reduce */

struct fmath_angle {
    float r;
    uint32_t q;
};

/* 0 <= x <= FMATH_NEAR: pi/2 in parts whose products with q are exact, but for the last */
static inline struct fmath_angle fmath_reduce(float x)
{
    float t = x * 0x1.45f306p-1f + FMATH_ROUND, n = t - FMATH_ROUND;
    struct fmath_pair b = fmath_difference(x - n * 0x1.92p0f, n * 0x1.fb4p-12f);
    struct fmath_pair c = fmath_difference(b.hi, n * 0x1.444p-24f);
    float r = c.hi + ((b.lo + c.lo) - n * 0x1.68c234p-39f);
    return (struct fmath_angle){r, (uint32_t)fmath_integer(t)};
}

/* FMATH_NEAR < x: m * 2^e times the bits of 2/pi that matter, as a fraction of 4 in 64 bits. */
static inline struct fmath_angle fmath_reduce_far(float x)
{
    static const uint32_t two_over_pi[8] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1,
                                            0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
    __extension__ typedef __int128 wide;
    int e;
    uint64_t m = fmath_significand(x, &e), w[3];
    unsigned at = (unsigned)(e + 30); /* the first bit that matters */
    for (unsigned i = 0; i < 3; i++) {
        const uint32_t *word = two_over_pi + at / 32 + i;
        w[i] = (((uint64_t)word[0] << 32 | word[1]) << at % 32) >> 32;
    }
    uint64_t turns = (m * w[0] << 32) + m * w[1] + (m * w[2] >> 32);
    uint64_t q = (turns + (UINT64_C(1) << 61)) >> 62;
    int64_t rest = (int64_t)(turns - (q << 62));
    int64_t r = (int64_t)((wide)rest * 0x6487ed5110b4611a >> 64);
    return (struct fmath_angle){(float)r * 0x1p-60f, (uint32_t)q};
}

/* sin(q * pi/2 + r) */
static inline float fmath_sin_of(struct fmath_angle x)
{
    float u = x.r * x.r;
    float s = u * -0x1.9955bp-13f + 0x1.11077cp-7f;
    s = u * s + -0x1.555546p-3f;
    s = x.r + x.r * (u * s);
    float c = u * 0x1.99e0e4p-16f + -0x1.6c0c1ap-10f;
    c = u * c + 0x1.55554ap-5f;
    c = 1 - (u * 0.5f - u * u * c);
    return f32_of_bits(f32_bits(x.q & 1 ? c : s) ^ (x.q & 2) << 30);
}

/* Where |x| <= FMATH_NEAR; elsewhere something. */
static inline float fmath_sin_near(float x)
{
    float z = fmath_sin_of(fmath_reduce(fabsf(x)));
    return f32_of_bits(f32_bits(z) ^ (f32_bits(x) & 0x80000000));
}

static inline float fmath_cos_near(float x)
{
    struct fmath_angle a = fmath_reduce(fabsf(x));
    a.q = a.q + 1;
    return fmath_sin_of(a);
}

static inline float fmath_sin(float x)
{
    if (fabsf(x) <= FMATH_NEAR || !(fabsf(x) < INFINITY))
        return fabsf(x) < INFINITY ? fmath_sin_near(x) : NAN;
    float z = fmath_sin_of(fmath_reduce_far(fabsf(x)));
    return x < 0 ? -z : z;
}

static inline float fmath_cos(float x)
{
    if (fabsf(x) <= FMATH_NEAR || !(fabsf(x) < INFINITY))
        return fabsf(x) < INFINITY ? fmath_cos_near(x) : NAN;
    struct fmath_angle a = fmath_reduce_far(fabsf(x));
    a.q = a.q + 1;
    return fmath_sin_of(a);
}

#endif
