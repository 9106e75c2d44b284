/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fmath_errors.c - how far the functions of base/fmath.h are from the exact ones, in units in the
 * last place: over all 2^32 arguments, or every STRIDE-th; of pow over samples. Fails if one is
 * further than 2. The exact value is libm's in double, whose error does not show.
 *
 * usage: fmath_errors [STRIDE [FUNCTION]]
 */
#include "base/base.h"
#include "base/fmath_pow.h"
#include "base/fmath_sin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double most_allowed = 2;

struct worst {
    double error;
    float x, y;
};

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static const struct function {
    const char *name;
    float (*fixed)(float x);
    double (*exact)(double x);
} functions[] = {
    {"exp", fmath_exp, exp},    {"log", fmath_log, log}, {"sigmoid", fmath_sigmoid, sigmoid},
    {"tanh", fmath_tanh, tanh}, {"erf", fmath_erf, erf}, {"sin", fmath_sin, sin},
    {"cos", fmath_cos, cos}};

/* Of an f32 as large as x. */
static double unit_of(double x)
{
    int exponent;
    frexp(x, &exponent);
    return ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

/* What rounds to infinity is as far as 2^128. Zeros have the right sign. */
static double error_of(float got, double want)
{
    const double end = 0x1p128;
    double most = fabs(want) < end ? want : copysign(end, want);
    double value = isinf(got) ? copysign(end, (double)got) : (double)got;
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got) ? 0 : INFINITY;
    if (!signbit(got) != !signbit(want))
        return INFINITY;
    return fabs(value - most) / unit_of(fmin(fabs(most), 0x1.fffffep127));
}

static void take(struct worst *w, double error, float x, float y)
{
    if (!(error <= w->error))
        *w = (struct worst){error, x, y};
}

static struct worst worst_of(const struct function *f, uint32_t stride)
{
    struct worst w = {0};
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += stride) {
        float x = f32_of_bits((uint32_t)bits);
        take(&w, error_of(f->fixed(x), f->exact((double)x)), x, 0);
    }
    return w;
}

/* Anything, or pairs whose power is a number of binary32. */
static struct worst worst_power(uint32_t stride)
{
    static const float special[] = {0,   -0.0f,     1,        -1,       2,        -2,
                                    3,   -3,        0.5f,     -0.5f,    INFINITY, -INFINITY,
                                    NAN, 0x1p-149f, 16777216, 16777215, -8388607, 0x1.fffffep127f};
    enum { N = sizeof special / sizeof *special };
    struct worst w = {0};
    uint64_t seed = 1;
    for (uint64_t i = 0; i <= UINT32_MAX; i += stride) {
        uint64_t random = random_next(&seed);
        float x = f32_of_bits((uint32_t)random), y = f32_of_bits((uint32_t)(random >> 32));
        if (i % 4 == 0) {
            x = i % 8 ? x : special[random % N];
            y = special[(random >> 32) % N];
        } else if (i % 4 > 1) {
            x = i % 4 == 2 ? fabsf(x) : 1 + (float)(random & 0xffffff) * 0x1p-24f;
            y = (float)(((double)(random >> 40) * 0x1p-23 - 1) * 150 / log2((double)x));
        }
        take(&w, error_of(fmath_pow(x, y), pow((double)x, (double)y)), x, y);
    }
    return w;
}

static bool report(const char *name, struct worst w)
{
    printf("%-8s %.4f at %a", name, w.error, (double)w.x);
    if (w.y != 0)
        printf(", %a", (double)w.y);
    printf("\n");
    fflush(stdout);
    return w.error <= most_allowed;
}

int main(int argc, char **argv)
{
    long stride = argc > 1 ? strtol(argv[1], NULL, 0) : 1;
    const char *only = argc > 2 ? argv[2] : NULL;
    bool ok = stride > 0 && stride <= UINT32_MAX;
    for (size_t i = 0; ok && i < sizeof functions / sizeof *functions; i++)
        if (!only || strcmp(only, functions[i].name) == 0)
            ok &= report(functions[i].name, worst_of(&functions[i], (uint32_t)stride));
    if (ok && (!only || strcmp(only, "pow") == 0))
        ok &= report("pow", worst_power((uint32_t)stride));
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
