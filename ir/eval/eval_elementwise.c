/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_elementwise.c - operations of two operands with numpy broadcasting.
 *
 * One table gives each operation's value for f32, for f64 (f16 computes there and rounds) and for
 * integers (64-bit, wrapping to the element type). f32 to f32 runs in whole rows that the compiler
 * vectorises; everything else goes element by element.
 */
#include "eval_internal.h"

#include "base/fmath_pow.h"

#include <math.h>

/* Two's complement without undefined overflow. */
static int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}
static int64_t wrap_sub(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}
static int64_t wrap_mul(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* The quotient toward zero; INT64_MIN / -1 wraps. By 0 both are 0, as machines have it. */
static int64_t quotient(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? wrap_sub(0, a) : a / b;
}

/* ONNX Mod of integers: the remainder has the divisor's sign. */
static int64_t modulo(int64_t a, int64_t b)
{
    int64_t r = b == -1 || b == 0 ? 0 : a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* By squaring; a negative exponent truncates 1 / a^-b toward zero. */
static int64_t power(int64_t a, int64_t b)
{
    if (b < 0)
        return a == 1 ? 1 : a == -1 ? 1 - 2 * (b & 1) : 0;
    int64_t product = 1;
    for (; b > 0; b >>= 1, a = wrap_mul(a, a)) {
        if (b & 1)
            product = wrap_mul(product, a);
    }
    return product;
}

/* For which integers the operation has a value. */
static bool always(int64_t a, int64_t b)
{
    (void)a;
    (void)b;
    return true;
}
static bool divisor_not_zero(int64_t a, int64_t b)
{
    (void)a;
    return b != 0;
}
static bool power_defined(int64_t a, int64_t b)
{
    return b >= 0 || a != 0;
}

struct binary {
    void (*f32)(const struct broadcast_row *r, const float *a, const float *b, float *out);
    void (*machine)(const struct broadcast_row *r, const float *a, const float *b, float *out);
    double (*f64)(double a, double b);
    int64_t (*i64)(int64_t a, int64_t b);
    bool (*defined)(int64_t a, int64_t b);
};

struct run {
    const struct binary *kernel;
    const struct tensor *a, *b;
    struct tensor *out;
    bool by_machine;
    bool undefined; /* set when the result of integers does not exist in mathematics */
};

static void row_f32(void *self, const struct broadcast_row *r)
{
    const struct run *run = self;
    (run->by_machine ? run->kernel->machine : run->kernel->f32)(r, tensor_f32(run->a) + r->at[0],
                                                                tensor_f32(run->b) + r->at[1],
                                                                tensor_f32(run->out) + r->out_at);
}

static void row_f64(void *self, const struct broadcast_row *r)
{
    const struct run *run = self;
    for (int64_t i = 0; i < r->n; i++) {
        double a = tensor_load_f64(run->a, r->at[0] + i * r->step[0]);
        double b = tensor_load_f64(run->b, r->at[1] + i * r->step[1]);
        tensor_store_f64(run->out, r->out_at + i, run->kernel->f64(a, b));
    }
}

static void row_i64(void *self, const struct broadcast_row *r)
{
    struct run *run = self;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t a = tensor_load_i64(run->a, r->at[0] + i * r->step[0]);
        int64_t b = tensor_load_i64(run->b, r->at[1] + i * r->step[1]);
        tensor_store_i64(run->out, r->out_at + i, run->kernel->i64(a, b));
        run->undefined = run->undefined || !run->kernel->defined(a, b);
    }
}

static bool run_binary(const struct binary *kernel, const struct ir_op *op,
                       const struct tensor *const *in, struct tensor *out, struct diag *d)
{
    struct run run = {
        .kernel = kernel, .a = in[0], .b = in[1], .out = out, .by_machine = by_machine(op)};
    uint8_t a = in[0]->type.dtype, b = in[1]->type.dtype;
    if (a == IR_F32 && b == IR_F32 && out->type.dtype == IR_F32)
        broadcast_rows(&out->type, in, 2, row_f32, &run);
    else if (dtype_is_float(a) || dtype_is_float(b))
        broadcast_rows(&out->type, in, 2, row_f64, &run);
    else
        broadcast_rows(&out->type, in, 2, row_i64, &run);
    /* Of integers that exist at compile time only it is the model's mistake. */
    if (run.undefined && a == IR_I64)
        return diag_error(d, op->loc, DIAG_ONNX_ATTR, "%s: integer division by zero",
                          ir_op_descs[op->opcode].name);
    return true;
}

/* One loop for each way the operands repeat, each simple enough to be vectorised. */
#define ROW(name, value)                                                                           \
    static inline float name##_of_f32(float a, float b)                                            \
    {                                                                                              \
        return value;                                                                              \
    }                                                                                              \
    static void name##_row(const struct broadcast_row *r, const float *a, const float *b,          \
                           float *restrict out)                                                    \
    {                                                                                              \
        if (r->step[0] && r->step[1]) {                                                            \
            for (int64_t i = 0; i < r->n; i++)                                                     \
                out[i] = name##_of_f32(a[i], b[i]);                                                \
        } else if (r->step[0]) {                                                                   \
            for (int64_t i = 0; i < r->n; i++)                                                     \
                out[i] = name##_of_f32(a[i], *b);                                                  \
        } else {                                                                                   \
            for (int64_t i = 0; i < r->n; i++)                                                     \
                out[i] = name##_of_f32(*a, b[r->step[1] * i]);                                     \
        }                                                                                          \
    }
#define KERNEL(name, machine_row, f64_value, i64_value, defined_where)                             \
    static double name##_of_f64(double a, double b)                                                \
    {                                                                                              \
        return f64_value;                                                                          \
    }                                                                                              \
    static int64_t name##_of_i64(int64_t a, int64_t b)                                             \
    {                                                                                              \
        return i64_value;                                                                          \
    }                                                                                              \
    bool eval_##name(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,   \
                     struct diag *d)                                                               \
    {                                                                                              \
        static const struct binary kernel = {name##_row, machine_row, name##_of_f64,               \
                                             name##_of_i64, defined_where};                        \
        return run_binary(&kernel, op, in, out, d);                                                \
    }
#define BINARY(name, f32_value, f64_value, i64_value, defined_where)                               \
    ROW(name, f32_value)                                                                           \
    KERNEL(name, name##_row, f64_value, i64_value, defined_where)

/* min, max: a NaN in either operand is the result, as in numpy. */
BINARY(add, a + b, a + b, wrap_add(a, b), always)
BINARY(sub, a - b, a - b, wrap_sub(a, b), always)
BINARY(mul, a *b, a *b, wrap_mul(a, b), always)
BINARY(div, a / b, a / b, quotient(a, b), divisor_not_zero)
BINARY(min, a < b || a != a ? a : b, a < b || a != a ? a : b, a < b ? a : b, always)
BINARY(max, a > b || a != a ? a : b, a > b || a != a ? a : b, a > b ? a : b, always)
ROW(pow, powf(a, b))
ROW(pow_on_machine, fmath_pow(a, b))
KERNEL(pow, pow_on_machine_row, pow(a, b), power(a, b), power_defined)
BINARY(mod, fmodf(a, b), fmod(a, b), modulo(a, b), divisor_not_zero)
BINARY(equal, a == b, a == b, a == b, always)
BINARY(less, a < b, a < b, a < b, always)
BINARY(greater, a > b, a > b, a > b, always)
