/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * lane_ops.c - the inner loops of the vector unit (ISA.md 6).
 *
 * Each is a loop that compilers vectorise, compiled for several processors; which one is used
 * changes no bit: all operations are single IEEE ones, exact, or fixed sequences of such (fmath.h),
 * and none is contracted. Nothing calls libm.
 */
#include "lane_ops.h"

#include "base/clones.h"
#include "base/fmath_pow.h"
#include "base/fmath_sin.h"

#include <math.h>
#include <string.h>

/* z may be x or y, but no other element of theirs: iterations are independent. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed" /* not every one can be vectorised */
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

#define LOOP(expression)                                                                           \
    INDEPENDENT                                                                                    \
    for (uint32_t i = 0; i < n; i++)                                                               \
        z[i] = (expression);                                                                       \
    break

/* x >= 0 ? x : x * y, by bits: a product that only some elements need would be a branch. */
static inline float leaky(float x, float y)
{
    uint32_t keep = x >= 0 ? UINT32_MAX : 0;
    return f32_of_bits((f32_bits(x) & keep) | (f32_bits(x * y) & ~keep));
}

CLONES static void run_f32(unsigned op, float *z, const float *x, const float *y, uint32_t n)
{
    switch (op) {
    case LANE_ADD: LOOP(x[i] + y[i]);
    case LANE_SUB: LOOP(x[i] - y[i]);
    case LANE_MUL: LOOP(x[i] * y[i]);
    case LANE_DIV: LOOP(x[i] / y[i]);
    case LANE_MIN: LOOP(((x[i] < y[i]) | (x[i] != x[i])) ? x[i] : y[i]);
    case LANE_MAX: LOOP(((x[i] > y[i]) | (x[i] != x[i])) ? x[i] : y[i]);
    case LANE_LEAKY: LOOP(leaky(x[i], y[i]));
    case LANE_SQRT: LOOP(sqrtf(x[i]));
    case LANE_NEG: LOOP(-x[i]);
    case LANE_ABS: LOOP(fabsf(x[i]));
    case LANE_FLOOR: LOOP(fmath_floor(x[i]));
    case LANE_CEIL: LOOP(fmath_ceil(x[i]));
    case LANE_RINT: LOOP(fmath_rint(x[i]));
    case LANE_TRUNC: LOOP(fmath_trunc(x[i]));
    case LANE_FMOD: LOOP(fmath_fmod(x[i], y[i]));
    default: BUG("lane operation %u", op);
    }
}

CLONES static bool all_near(const float *x, uint32_t n)
{
    bool far = false;
    for (uint32_t i = 0; i < n; i++)
        far |= !(fabsf(x[i]) <= FMATH_NEAR);
    return !far;
}

CLONES static void run_sin(unsigned op, float *z, const float *x, uint32_t n)
{
    switch (op) {
    case LANE_SIN: LOOP(fmath_sin_near(x[i]));
    case LANE_COS: LOOP(fmath_cos_near(x[i]));
    default: BUG("lane operation %u", op);
    }
}

/* Some of the angles are large. */
static void run_sin_far(unsigned op, float *z, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        z[i] = op == LANE_SIN ? fmath_sin(x[i]) : fmath_cos(x[i]);
}

CLONES static void run_functions(unsigned op, float *z, const float *x, const float *y, uint32_t n)
{
    switch (op) {
    case LANE_EXP: LOOP(fmath_exp(x[i]));
    case LANE_LOG: LOOP(fmath_log(x[i]));
    case LANE_SIGMOID: LOOP(fmath_sigmoid(x[i]));
    case LANE_TANH: LOOP(fmath_tanh(x[i]));
    case LANE_ERF: LOOP(fmath_erf(x[i]));
    case LANE_POW: LOOP(fmath_pow(x[i], y[i]));
    default: BUG("lane operation %u", op);
    }
}

/* Toward zero; by 0 it is 0, and what leaves 32 bits wraps. */
static inline int32_t quotient(int32_t x, int32_t y)
{
    if (y == 0 || y == -1)
        return y == 0 ? 0 : (int32_t)(0 - (uint32_t)x);
    return x / y;
}

/* Of the divisor's sign; by 0 it is 0. */
static inline int32_t modulo(int32_t x, int32_t y)
{
    int32_t r = y == 0 || y == -1 ? 0 : x % y;
    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

CLONES static void run_i32(unsigned op, int32_t *z, const int32_t *x, const int32_t *y, uint32_t n)
{
    switch (op) {
    case LANE_IADD: LOOP((int32_t)((uint32_t)x[i] + (uint32_t)y[i]));
    case LANE_ISUB: LOOP((int32_t)((uint32_t)x[i] - (uint32_t)y[i]));
    case LANE_IMUL: LOOP((int32_t)((uint32_t)x[i] * (uint32_t)y[i]));
    case LANE_IMIN: LOOP(x[i] < y[i] ? x[i] : y[i]);
    case LANE_IMAX: LOOP(x[i] > y[i] ? x[i] : y[i]);
    case LANE_ILT: LOOP(x[i] < y[i]);
    case LANE_IEQ: LOOP(x[i] == y[i]);
    case LANE_IDIV: LOOP(quotient(x[i], y[i]));
    case LANE_IMOD: LOOP(modulo(x[i], y[i]));
    default: BUG("lane operation %u", op);
    }
}

CLONES static void compare_f32(unsigned op, int32_t *z, const float *x, const float *y, uint32_t n)
{
    switch (op) {
    case LANE_FLT: LOOP(x[i] < y[i]);
    case LANE_FEQ: LOOP(x[i] == y[i]);
    default: BUG("lane operation %u", op);
    }
}

CLONES static void run_bits(unsigned op, uint32_t *z, const uint32_t *x, const uint32_t *y,
                            uint32_t n)
{
    switch (op) {
    case LANE_IAND: LOOP(x[i] & y[i]);
    case LANE_IOR: LOOP(x[i] | y[i]);
    case LANE_MASK: LOOP(x[i] != 0 ? y[i] : 0);
    default: BUG("lane operation %u", op);
    }
}

CLONES static void run_i2f(float *z, const int32_t *x, uint32_t n)
{
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++)
        z[i] = (float)x[i];
}

/* Adding 2^23 of the same sign, and taking it off again, rounds what is smaller to the nearest
 * integer, ties to even; what is not smaller is one, and 0 is added. */
CLONES static void run_f2i(int32_t *z, const float *x, uint32_t n)
{
    const float most = 1 << 30, whole = 1 << 23;
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++) {
        float v = x[i] == x[i] ? x[i] : 0.0f;
        v = v > -most ? v : -most;
        v = v < most ? v : most;
        float bias = v < 0 ? -whole : whole;
        bias = fabsf(v) < whole ? bias : 0.0f;
        z[i] = (int32_t)((v + bias) - bias);
    }
}

CLONES static void run_rq(const struct lane_work *w, int32_t *z, uint32_t n)
{
    const int32_t *x = w->x, *factor = w->y, *add = w->add;
    const unsigned shift = w->shift;
    const int64_t half = shift > 0 ? INT64_C(1) << (shift - 1) : 0;
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++) {
        int64_t v = ((int64_t)x[i] * factor[i] + add[i] + half) >> shift;
        int64_t low = v > INT32_MIN ? v : INT32_MIN;
        z[i] = (int32_t)(low < INT32_MAX ? low : INT32_MAX);
    }
}

static void run_tab(uint32_t *z, const uint32_t *x, const uint32_t *table, uint32_t n)
{
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++)
        z[i] = table[x[i] & (ISA_TABLE_ENTRIES - 1)];
}

void lane_run(unsigned op, const struct lane_work *w, void *z, uint32_t n)
{
    switch (op) {
    case LANE_MOV: memmove(z, w->x, n * sizeof(uint32_t)); return;
    case LANE_EXP:
    case LANE_LOG:
    case LANE_SIGMOID:
    case LANE_TANH:
    case LANE_ERF:
    case LANE_POW: run_functions(op, z, w->x, w->y, n); return;
    case LANE_SIN:
    case LANE_COS: (all_near(w->x, n) ? run_sin : run_sin_far)(op, z, w->x, n); return;
    case LANE_I2F: run_i2f(z, w->x, n); return;
    case LANE_F2I: run_f2i(z, w->x, n); return;
    case LANE_RQ: run_rq(w, z, n); return;
    case LANE_TAB: run_tab(z, w->x, w->table, n); return;
    default:
        if (isa_lane_operand(op, 1) == ISA_TYPE_NONE && isa_lane_arity(op) == 2)
            run_bits(op, z, w->x, w->y, n);
        else if (isa_lane_operand(op, 0) == ISA_TYPE_I32)
            run_i32(op, z, w->x, w->y, n);
        else if (isa_lane_result(op) == ISA_TYPE_I32)
            compare_f32(op, z, w->x, w->y, n);
        else
            run_f32(op, z, w->x, w->y, n);
    }
}

/* ---- windows and reductions ---- */

CLONES static void take_max_f32(void *to, const void *from, uint32_t n)
{
    float *r = to;
    const float *x = from;
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++)
        r[i] = ((x[i] > r[i]) | (x[i] != x[i])) ? x[i] : r[i];
}

CLONES static void take_sum_f32(void *to, const void *from, uint32_t n)
{
    float *r = to;
    const float *x = from;
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++)
        r[i] = r[i] + x[i];
}

CLONES static void take_max_i32(void *to, const void *from, uint32_t n)
{
    int32_t *r = to;
    const int32_t *x = from;
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++)
        r[i] = x[i] > r[i] ? x[i] : r[i];
}

CLONES static void take_sum_i32(void *to, const void *from, uint32_t n)
{
    uint32_t *r = to;
    const uint32_t *x = from;
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++)
        r[i] += x[i];
}

lane_take *lane_taker(bool max, bool floats)
{
    if (floats)
        return max ? take_max_f32 : take_sum_f32;
    return max ? take_max_i32 : take_sum_i32;
}

/* ---- elements of 8 bits ---- */

CLONES static void widen(int32_t *z, const uint8_t *in, uint32_t n)
{
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++)
        z[i] = in[i];
}

CLONES static void narrow(uint8_t *out, const int32_t *x, uint32_t n)
{
    INDEPENDENT
    for (uint32_t i = 0; i < n; i++) {
        int32_t v = x[i] < 0 ? 0 : x[i];
        out[i] = (uint8_t)(v > UINT8_MAX ? UINT8_MAX : v);
    }
}

void lanes_widen(void *lanes, const uint8_t *in, uint32_t n)
{
    widen(lanes, in, n);
}

void lanes_narrow(uint8_t *out, const void *lanes, uint32_t n)
{
    narrow(out, lanes, n);
}
