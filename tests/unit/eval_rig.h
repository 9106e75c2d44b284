/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* eval_rig.h - tensors, random numbers and single operations for the evaluator's tests. */
#ifndef CIMC_TEST_EVAL_RIG_H
#define CIMC_TEST_EVAL_RIG_H

#include "base/half.h"
#include "eval.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHAPE(...)                                                                                 \
    (sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[])                              \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define VALUES(...)                                                                                \
    (const double[])                                                                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define INTS(...)                                                                                  \
    {                                                                                              \
        sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[])                            \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define SCALAR 0, NULL

static struct diag *diag;

static inline void setup(void)
{
    diag = diag_new();
}

static inline void teardown(void)
{
    diag_free(diag);
}

static inline double get(const struct tensor *t, int64_t i)
{
    switch (t->type.dtype) {
    case IR_F32: return (double)((const float *)t->data)[i];
    case IR_F64: return ((const double *)t->data)[i];
    case IR_F16: return (double)f16_to_f32(((const uint16_t *)t->data)[i]);
    case IR_I64: return (double)((const int64_t *)t->data)[i];
    case IR_I32: return ((const int32_t *)t->data)[i];
    case IR_I8: return ((const int8_t *)t->data)[i];
    default: return ((const uint8_t *)t->data)[i];
    }
}

static inline void put(struct tensor *t, int64_t i, double x)
{
    switch (t->type.dtype) {
    case IR_F32: ((float *)t->data)[i] = (float)x; break;
    case IR_F64: ((double *)t->data)[i] = x; break;
    case IR_F16: ((uint16_t *)t->data)[i] = f32_to_f16((float)x); break;
    case IR_I64: ((int64_t *)t->data)[i] = (int64_t)x; break;
    case IR_I32: ((int32_t *)t->data)[i] = (int32_t)x; break;
    case IR_I8: ((int8_t *)t->data)[i] = (int8_t)x; break;
    default: ((uint8_t *)t->data)[i] = (uint8_t)x; break;
    }
}

static inline struct tensor make(enum ir_dtype dtype, size_t rank, const int64_t *dim,
                                 const double *values)
{
    struct ir_type type = ir_type_of(dtype, (uint32_t)rank, dim);
    struct tensor t = tensor_new(&type);
    for (int64_t i = 0; i < ir_count(&type); i++)
        put(&t, i, values[i]);
    return t;
}

static inline double random_unit(uint64_t *seed) /* -1..1, a multiple of 2^-20 */
{
    return (double)(int64_t)(random_next(seed) >> 43) / (1 << 20) - 1;
}

static inline int64_t random_below(uint64_t *seed, int64_t n)
{
    return (int64_t)(random_next(seed) % (uint64_t)n);
}

static inline struct tensor random_tensor(uint64_t *seed, size_t rank, const int64_t *dim)
{
    struct ir_type type = ir_type_of(IR_F32, (uint32_t)rank, dim);
    struct tensor t = tensor_new(&type);
    for (int64_t i = 0; i < ir_count(&type); i++)
        put(&t, i, random_unit(seed));
    return t;
}

static inline struct ir_op *constant(struct ir_graph *g, const struct tensor *t)
{
    struct tensor copy = tensor_copy(t);
    size_t bytes = (size_t)ir_count(&t->type) * ir_dtype_bytes((enum ir_dtype)t->type.dtype);
    return ir_const_new(g, NULL, t->type, blob_own(copy.data, bytes), "c", (struct loc){0});
}

enum { MOST_OPERANDS = 8 };

/* Builds `opcode` on constants and evaluates it. Takes over the operands. data NULL = failed. */
static inline struct tensor run_at(enum ir_stage stage, enum ir_opcode opcode,
                                   const union ir_attrs *attrs, uint32_t n, struct tensor *in)
{
    struct ir_graph *g = ir_graph_new("test", stage);
    struct ir_value *values[MOST_OPERANDS];
    const struct tensor *operands[MOST_OPERANDS];
    for (uint32_t i = 0; i < n; i++) {
        values[i] = constant(g, &in[i])->out;
        operands[i] = &in[i];
    }
    struct ir_op *op = ir_op_new(
        g, NULL, &(struct ir_new){.opcode = opcode, .in = values, .n_in = n, .attrs = attrs}, diag);
    struct tensor out = {0};
    if (op && !eval_op(op, operands, &out, diag))
        ck_assert_ptr_null(out.data);
    for (uint32_t i = 0; i < n; i++)
        tensor_free(&in[i]);
    ir_graph_free(g);
    return out;
}

static inline struct tensor run(enum ir_opcode opcode, const union ir_attrs *attrs, uint32_t n,
                                struct tensor *in)
{
    return run_at(IR_TENSOR, opcode, attrs, n, in);
}
#define RUN(opcode, attrs, ...)                                                                    \
    run(opcode, attrs, sizeof((struct tensor[]){__VA_ARGS__}) / sizeof(struct tensor),             \
        (struct tensor[]){__VA_ARGS__})

#define RUN_AT(stage, opcode, attrs, ...)                                                          \
    run_at(stage, opcode, attrs, sizeof((struct tensor[]){__VA_ARGS__}) / sizeof(struct tensor),   \
           (struct tensor[]){__VA_ARGS__})

/* Frees t. A NaN matches a NaN. */
static inline void expect_near(struct tensor t, enum ir_dtype dtype, size_t rank,
                               const int64_t *dim, const double *values, double tolerance)
{
    ck_assert_msg(t.data != NULL, "%s", diag->first ? diag->first->text : "not evaluated");
    struct ir_type want = ir_type_of(dtype, (uint32_t)rank, dim);
    char have_text[200], want_text[200];
    ck_assert_msg(ir_type_equal(&t.type, &want), "is %s, not %s",
                  ir_type_text(&t.type, have_text, sizeof have_text),
                  ir_type_text(&want, want_text, sizeof want_text));
    for (int64_t i = 0; i < ir_count(&want); i++) {
        double x = get(&t, i), y = values[i];
        bool same = x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= tolerance;
        ck_assert_msg(same, "[%ld] = %.9g, not %.9g", (long)i, x, y);
    }
    tensor_free(&t);
}
#define EXPECT(t, ...) expect_near(t, __VA_ARGS__, 0)

static inline struct tensor line(enum ir_dtype dtype, int64_t n, const double *values)
{
    return make(dtype, 1, &n, values);
}

#endif
