/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fmath.h - functions of f32 as fixed sequences of IEEE operations, each rounded, none contracted:
 * the same bits on every machine. backend/isa/ISA.md 6.1 has the same sequences; who changes one
 * changes both. No result is further than 2 units in the last place from the exact one
 * (tests/numeric/fmath_errors.c). Without branches, so that loops over them vectorise, but for
 * fmath_fmod. Powers: fmath_pow.h; sine and cosine: fmath_sin.h.
 */
#ifndef CIMC_FMATH_H
#define CIMC_FMATH_H

#include "base/bits.h"

#include <math.h>

/* ---- to whole numbers ---- */

/* Adding 2^23 of x's sign and taking it off again rounds what is smaller to the nearest integer,
 * ties to even; what is not smaller is one already. */
static inline float fmath_rint(float x)
{
    float whole = copysignf(fabsf(x) < 0x1p23f ? 0x1p23f : 0, x);
    return copysignf((x + whole) - whole, x);
}

static inline float fmath_floor(float x)
{
    float r = fmath_rint(x);
    return copysignf(r - (r > x ? 1.0f : 0.0f), x);
}

static inline float fmath_ceil(float x)
{
    float r = fmath_rint(x);
    return copysignf(r + (r < x ? 1.0f : 0.0f), x);
}

static inline float fmath_trunc(float x)
{
    float r = fmath_rint(fabsf(x));
    return copysignf(r - (r > fabsf(x) ? 1.0f : 0.0f), x);
}

/* ---- remainder ---- */

/* |x| = m * 2^e with m < 2^24 */
static inline uint32_t fmath_significand(float x, int *e)
{
    uint32_t bits = f32_bits(x) & 0x7fffffff, exponent = bits >> 23;
    *e = exponent > 0 ? (int)exponent - 150 : -149;
    return exponent > 0 ? (bits & 0x7fffff) | 0x800000 : bits;
}

/* x - trunc(x / y) * y, exact, of x's sign: by long division. */
static inline float fmath_fmod(float x, float y)
{
    int ex, ey;
    uint64_t r = fmath_significand(x, &ex), divisor = fmath_significand(y, &ey);
    if (!(fabsf(x) < INFINITY) || !(fabsf(y) > 0))
        return NAN;
    if (fabsf(x) < fabsf(y))
        return x;
    while (ex > ey) {
        int step = ex - ey < 40 ? ex - ey : 40;
        r = (r << step) % divisor;
        ex -= step;
    }
    r %= divisor;
    float unit = f32_of_bits(ey < -126 ? UINT32_C(1) << (ey + 149) : (uint32_t)(ey + 127) << 23);
    return copysignf((float)r * unit, x);
}

/* ---- exponentials ---- */

/* The integer next to x, |x| < 2^22: in the low bits of x + 3 * 2^22. */
#define FMATH_ROUND 0x1.8p23f
static inline int32_t fmath_integer(float rounded)
{
    return (int32_t)(f32_bits(rounded) - f32_bits(FMATH_ROUND));
}

/* x * 2^n, -252 <= n <= 254, rounded once */
static inline float fmath_scale(float x, int32_t n)
{
    int32_t half = n >> 1;
    float a = f32_of_bits((uint32_t)(half + 127) << 23);
    float b = f32_of_bits((uint32_t)(n - half + 127) << 23);
    return x * a * b;
}

/* e^x = 2^n * e^r with |r| <= ln(2) / 2, e^r by a polynomial */
static inline float fmath_exp(float x)
{
    float v = x > 89 ? 89 : x;
    v = v < -104 ? -104 : v;
    float t = v * 0x1.715476p0f + FMATH_ROUND;
    float n = t - FMATH_ROUND;
    float r = (v - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
    float p = r * 0x1.6a4746p-10f + 0x1.1239a2p-7f;
    p = r * p + 0x1.5558b6p-5f;
    p = r * p + 0x1.555492p-3f;
    p = r * p + 0x1.fffffcp-2f;
    return fmath_scale(1 + (r + r * r * p), fmath_integer(t));
}

/* With e = e^-|x|: 1 / (1 + e) = 1 - e / (1 + e), or e / (1 + e) = e - e * e / (1 + e). */
static inline float fmath_sigmoid(float x)
{
    float e = fmath_exp(-fabsf(x));
    float whole = x < 0 ? e : 1;
    return whole - whole * (e / (1 + e));
}

static inline float fmath_tanh(float x)
{
    float a = fabsf(x), u = x * x;
    float far = 1 - 2 / (fmath_exp(a + a) + 1);
    float p = u * -0x1.9921ap-8f + 0x1.58e518p-6f;
    p = u * p + -0x1.b91e7ep-5f;
    p = u * p + 0x1.110ceep-3f;
    p = u * p + -0x1.55554ap-2f;
    float near = a + a * (u * p);
    return copysignf(a < 0.55f ? near : far, x);
}

/* Near 0 by a polynomial, else 1 - e^p(|x|). Coefficients: N. Juffa. */
static inline float fmath_erf(float x)
{
    float a = fabsf(x), u = x * x;
    float p = u * -0x1.38ep-11f + 0x1.471a58p-8f;
    p = u * p + -0x1.b691b2p-6f;
    p = u * p + 0x1.ce1c44p-4f;
    p = u * p + -0x1.8127p-2f;
    p = u * p + 0x1.06eba8p-3f;
    float near = a + a * p;
    float v = a > 4 ? 4 : a;
    p = v * -0x1.22p-16f + 0x1.91cfb2p-12f;
    p = v * p + -0x1.fd1438p-9f;
    p = v * p + 0x1.8d6342p-6f;
    p = v * p + -0x1.b55cb8p-4f;
    p = v * p + -0x1.450aap-1f;
    p = v * p + -0x1.079d0cp-3f;
    float far = 1 - fmath_exp(v * p - v);
    return copysignf(a < 0x1.dbp-1f ? near : far, x);
}

/* ---- logarithm ---- */

/* x = m * 2^k, sqrt(1/2) <= m < sqrt(2), of a positive finite x */
static inline float fmath_parts(float x, float *k)
{
    float up = x < 0x1p-126f ? 0x1p24f : 1, lower = x < 0x1p-126f ? 24 : 0;
    uint32_t bits = f32_bits(x * up) - 0x3f3504f3;
    *k = (float)((int32_t)bits >> 23) - lower;
    return f32_of_bits((bits & 0x7fffff) + 0x3f3504f3);
}

/* k * ln(2) + 2 * atanh(s), s = f / (2 + f). Method and coefficients: fdlibm. */
static inline float fmath_log(float x)
{
    float k, f = fmath_parts(x, &k) - 1;
    float s = f / (2 + f), u = s * s, h = f * f * 0.5f;
    float p = u * 0x1.f13c4cp-3f + 0x1.23d3dcp-2f;
    p = u * p + 0x1.999c26p-2f;
    p = u * p + 0x1.555554p-1f;
    float z = k * 0x1.62e3p-1f - ((h - (s * (h + u * p) + k * 0x1.2fefa2p-17f)) - f);
    z = x < INFINITY ? z : x;
    z = x < 0 ? NAN : z;
    return x == 0 ? -INFINITY : z;
}

/* ---- sums of two ---- */

/* hi + lo, lo at most half a unit in the last place of hi */
struct fmath_pair {
    float hi, lo;
};

/* x + y exactly, |x| >= |y| or x = 0 */
static inline struct fmath_pair fmath_sum(float x, float y)
{
    float hi = x + y;
    return (struct fmath_pair){hi, y - (hi - x)};
}

/* x * y exactly (Dekker), where nothing under- or overflows */
static inline struct fmath_pair fmath_product(float x, float y)
{
    float cx = x * 4097, cy = y * 4097;
    float xh = cx - (cx - x), yh = cy - (cy - y);
    float xl = x - xh, yl = y - yh;
    float hi = x * y;
    return (struct fmath_pair){hi, ((xh * yh - hi) + xh * yl + xl * yh) + xl * yl};
}

/* x - y exactly: the difference, and what its rounding left out */
static inline struct fmath_pair fmath_difference(float x, float y)
{
    float hi = x - y, back = hi - x;
    return (struct fmath_pair){hi, (x - (hi - back)) - (y + back)};
}

#endif
