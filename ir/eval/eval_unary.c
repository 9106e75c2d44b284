/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_unary.c - elementwise operations of one operand. As in eval_elementwise.c: f32 in whole
 * rows; f64 and f16 in double; integers, where the operation has a meaning for them, in 64 bits.
 * Functions of f32 are libm's, of a lowered graph the machine's.
 */
#include "eval_internal.h"

#include "base/fmath_sin.h"

#include <math.h>

struct unary {
    void (*f32)(int64_t n, const float *x, float p, float q, float *out);
    void (*machine)(int64_t n, const float *x, float p, float q, float *out);
    double (*f64)(double x, double p, double q);
    int64_t (*i64)(int64_t x, double p, double q); /* NULL: floats only */
};

/* p, q: the operation's parameters (alpha; lo and hi). */
static bool run_unary(const struct unary *kernel, float p, float q, const struct ir_op *op,
                      const struct tensor *const *in, struct tensor *out, struct diag *d)
{
    const struct tensor *x = in[0];
    int64_t n = ir_count(&out->type);
    if (x->type.dtype == IR_F32) {
        (by_machine(op) ? kernel->machine : kernel->f32)(n, tensor_f32(x), p, q, tensor_f32(out));
        return true;
    }
    if (!dtype_is_float(x->type.dtype) && !kernel->i64)
        return diag_error(d, op->loc, DIAG_SHAPE, "%s of %s is not computed",
                          ir_op_descs[op->opcode].name,
                          ir_dtype_name((enum ir_dtype)x->type.dtype));
    for (int64_t i = 0; i < n; i++) {
        if (dtype_is_float(x->type.dtype))
            tensor_store_f64(out, i, kernel->f64(tensor_load_f64(x, i), (double)p, (double)q));
        else
            tensor_store_i64(out, i, kernel->i64(tensor_load_i64(x, i), (double)p, (double)q));
    }
    return true;
}

static int64_t negated(int64_t x)
{
    return (int64_t)(0 - (uint64_t)x);
}

/* Bounds are floats, infinite where there is none; those beyond 64 bits never bite. */
static int64_t clipped(int64_t x, double lo, double hi)
{
    if ((double)x < lo)
        x = lo < 0x1p63 ? (int64_t)ceil(lo) : INT64_MAX;
    if ((double)x > hi)
        x = hi >= -0x1p63 ? (int64_t)floor(hi) : INT64_MIN;
    return x;
}

#define ROW(row, value)                                                                            \
    static void row(int64_t n, const float *in, float p, float q, float *restrict out)             \
    {                                                                                              \
        (void)p;                                                                                   \
        (void)q;                                                                                   \
        for (int64_t i = 0; i < n; i++) {                                                          \
            float x = in[i];                                                                       \
            out[i] = value;                                                                        \
        }                                                                                          \
    }
#define KERNEL(name, p_value, q_value, f64_value, i64_function, f32_row, machine_row)              \
    static double name##_of_f64(double x, double p, double q)                                      \
    {                                                                                              \
        (void)p;                                                                                   \
        (void)q;                                                                                   \
        return f64_value;                                                                          \
    }                                                                                              \
    bool eval_##name(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,   \
                     struct diag *d)                                                               \
    {                                                                                              \
        static const struct unary kernel = {f32_row, machine_row, name##_of_f64, i64_function};    \
        return run_unary(&kernel, p_value, q_value, op, in, out, d);                               \
    }
#define UNARY(name, p_value, q_value, f32_value, f64_value, i64_function)                          \
    ROW(name##_row, f32_value)                                                                     \
    KERNEL(name, p_value, q_value, f64_value, i64_function, name##_row, name##_row)
#define FUNCTION(name, f32_value, f64_value)                                                       \
    ROW(name##_row, f32_value)                                                                     \
    ROW(name##_on_machine, fmath_##name(x))                                                        \
    KERNEL(name, 0, 0, f64_value, NULL, name##_row, name##_on_machine)

static int64_t relu_of_i64(int64_t x, double p, double q)
{
    (void)p;
    (void)q;
    return x < 0 ? 0 : x;
}
static int64_t neg_of_i64(int64_t x, double p, double q)
{
    (void)p;
    (void)q;
    return negated(x);
}
static int64_t abs_of_i64(int64_t x, double p, double q)
{
    (void)p;
    (void)q;
    return x < 0 ? negated(x) : x;
}
static int64_t same_i64(int64_t x, double p, double q)
{
    (void)p;
    (void)q;
    return x;
}

/* clip is min(max(x, lo), hi): hi wins where lo > hi. NaNs pass through relu and clip. */
static inline float clip_f32(float x, float lo, float hi)
{
    float raised = x < lo ? lo : x;
    return raised > hi ? hi : raised;
}
static inline double clip_f64(double x, double lo, double hi)
{
    double raised = x < lo ? lo : x;
    return raised > hi ? hi : raised;
}

UNARY(relu, 0, 0, x < 0 ? 0 : x, x < 0 ? 0 : x, relu_of_i64)
UNARY(leaky_relu, op->attrs->leaky_relu.alpha, 0, x < 0 ? p * x : x, x < 0 ? p * x : x, NULL)
UNARY(hard_sigmoid, op->attrs->hard_sigmoid.alpha, op->attrs->hard_sigmoid.beta,
      clip_f32(p *x + q, 0, 1), clip_f64(p *x + q, 0, 1), NULL)
UNARY(clip, op->attrs->clip.lo, op->attrs->clip.hi, clip_f32(x, p, q), clip_f64(x, p, q), clipped)
FUNCTION(exp, expf(x), exp(x))
FUNCTION(log, logf(x), log(x))
UNARY(sqrt, 0, 0, sqrtf(x), sqrt(x), NULL)
FUNCTION(sigmoid, 1.0f / (1.0f + expf(-x)), 1.0 / (1.0 + exp(-x)))
FUNCTION(tanh, tanhf(x), tanh(x))
UNARY(neg, 0, 0, -x, -x, neg_of_i64)
UNARY(abs, 0, 0, fabsf(x), fabs(x), abs_of_i64)
FUNCTION(erf, erff(x), erf(x))
FUNCTION(sin, sinf(x), sin(x))
FUNCTION(cos, cosf(x), cos(x))
UNARY(floor, 0, 0, floorf(x), floor(x), same_i64)
UNARY(ceil, 0, 0, ceilf(x), ceil(x), same_i64)
UNARY(round, 0, 0, rintf(x), rint(x), same_i64)
