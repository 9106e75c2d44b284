/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* half.h - IEEE 754 binary16 and bfloat16 to and from float, by bits. */
#ifndef CIMC_HALF_H
#define CIMC_HALF_H

#include <stdint.h>

float f16_to_f32(uint16_t h); /* exact; NaNs stay NaNs */
uint16_t f32_to_f16(float x); /* to nearest, ties to even; too large = infinity; NaN = quiet NaN */
/* The nearest fp16 value, as a float. */
float f16_round(float x);
/* The nearest bfloat16 value, ties to even, as a float; NaNs stay NaNs. */
float bf16_round(float x);

#endif
