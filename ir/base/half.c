/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * half.c - binary16 conversion with integer arithmetic only, so that it does not depend on the
 * host's rounding mode, its treatment of subnormals, or F16C. IEEE 754-2008, sections 3.4
 * and 4.3.1.
 */
#include "base/half.h"

#include "base/bits.h"

float f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31, fraction = h & 1023u;
    if (exponent == 31) /* infinity or NaN; the payload moves along */
        return f32_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent == 0) {
        if (fraction == 0)
            return f32_of_bits(sign);
        /* Subnormal, fraction * 2^-24: shift the leading one up to bit 10. */
        unsigned shift = (unsigned)__builtin_clz(fraction) - 21;
        fraction = (fraction << shift) & 1023u;
        exponent = 1 - shift; /* wraps; the sum below is again small and positive */
    }
    return f32_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

/* value / 2^shift to nearest, ties to even; 1 <= shift <= 31. */
static uint32_t shift_round(uint32_t value, unsigned shift)
{
    uint32_t rest = value & ((1u << shift) - 1), half = 1u << (shift - 1),
             quotient = value >> shift;
    return quotient + (rest > half || (rest == half && (quotient & 1)));
}

uint16_t f32_to_f16(float x)
{
    uint32_t bits = f32_bits(x);
    uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    uint32_t exponent = magnitude >> 23, fraction = magnitude & 0x7fffffu, half;
    if (magnitude > 0x7f800000u)
        half = 0x7e00u | fraction >> 13; /* NaN, made quiet */
    else if (exponent >= 143)            /* 2^16 and above, infinity */
        half = 0x7c00u;
    else if (exponent >= 113) /* normal; a carry out of the fraction moves into the exponent */
        half = shift_round((exponent - 112) << 23 | fraction, 13);
    else if (exponent >= 102) /* 2^-25 and above: multiples of 2^-24 */
        half = shift_round(fraction | 0x800000u, 126 - exponent);
    else
        half = 0;
    return (uint16_t)(sign | half);
}

float f16_round(float x)
{
    return f16_to_f32(f32_to_f16(x));
}

/* bfloat16 is the upper half of a float. */
float bf16_round(float x)
{
    uint32_t bits = f32_bits(x);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return f32_of_bits((bits | 0x400000u) & 0xffff0000u); /* made quiet */
    return f32_of_bits(shift_round(bits, 16) << 16);
}
