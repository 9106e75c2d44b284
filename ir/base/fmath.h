/*
 * fmath.h - functions of f32 as fixed sequences of IEEE operations, rounded each, none contracted:
 * the same bits on every machine. backend/isa/ISA.md 6 has the same sequences in words; who changes
 * one changes both. Without branches, so that loops over them vectorise, but for fmath_fmod.
 */
#ifndef CIMC_FMATH_H
#define CIMC_FMATH_H

#include <math.h>
#include <stdint.h>

static inline uint32_t fmath_bits(float x)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float fmath_of_bits(uint32_t bits)
{
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

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
    uint32_t bits = fmath_bits(x) & 0x7fffffff, exponent = bits >> 23;
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
    float unit = fmath_of_bits(ey < -126 ? UINT32_C(1) << (ey + 149) : (uint32_t)(ey + 127) << 23);
    return copysignf((float)r * unit, x);
}

#endif
