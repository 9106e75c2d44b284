/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* bits.h - the pattern of a float, and back. */
#ifndef CIMC_BITS_H
#define CIMC_BITS_H

#include <stdint.h>

static inline uint32_t f32_bits(float x)
{
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float f32_of_bits(uint32_t bits)
{
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
