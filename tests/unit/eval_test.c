/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_test.c - the evaluator: every operation against values worked out by hand, convolution
 * against plain loops, both layouts against each other, broadcasting.
 */
#include "eval_rig.h"
#include "../run_suite.h"

/* ---- elementwise ---- */

static struct tensor unary(enum ir_opcode opcode, enum ir_dtype dtype, int64_t n,
                           const double *values)
{
    return RUN(opcode, NULL, line(dtype, n, values));
}

START_TEST(unary_floats)
{
    const double *x = VALUES(-2, 0, 0.5, 3);
    EXPECT(unary(IR_relu, IR_F32, 4, x), IR_F32, SHAPE(4), VALUES(0, 0, 0.5, 3));
    EXPECT(unary(IR_neg, IR_F32, 4, x), IR_F32, SHAPE(4), VALUES(2, 0, -0.5, -3));
    EXPECT(unary(IR_abs, IR_F32, 4, x), IR_F32, SHAPE(4), VALUES(2, 0, 0.5, 3));
    EXPECT(unary(IR_sqrt, IR_F32, 3, VALUES(0, 2.25, 16)), IR_F32, SHAPE(3), VALUES(0, 1.5, 4));
    EXPECT(unary(IR_floor, IR_F32, 3, VALUES(-1.5, 2, 2.9)), IR_F32, SHAPE(3), VALUES(-2, 2, 2));
    EXPECT(unary(IR_ceil, IR_F32, 3, VALUES(-1.5, 2, 2.1)), IR_F32, SHAPE(3), VALUES(-1, 2, 3));
    EXPECT(unary(IR_round, IR_F32, 5, VALUES(-1.5, 0.5, 2.5, 2.6, NAN)), IR_F32, SHAPE(5),
           VALUES(-2, 0, 2, 3, NAN));
    /* erf 0.5 = 0.520499878, erf -2 = -0.995322265; sin 1 = 0.841470985, cos 1 = 0.540302306 */
    expect_near(unary(IR_erf, IR_F32, 3, VALUES(0, 0.5, -2)), IR_F32, SHAPE(3),
                VALUES(0, 0.520499878, -0.995322265), 1e-7);
    expect_near(unary(IR_sin, IR_F32, 2, VALUES(0, 1)), IR_F32, SHAPE(2), VALUES(0, 0.841470985),
                1e-7);
    expect_near(unary(IR_cos, IR_F32, 2, VALUES(0, 1)), IR_F32, SHAPE(2), VALUES(1, 0.540302306),
                1e-7);
    expect_near(unary(IR_exp, IR_F32, 2, VALUES(0, 1)), IR_F32, SHAPE(2), VALUES(1, 2.718281828),
                1e-6);
    /* ln e^2 = 2, ln 0.5 = -0.693147181 */
    expect_near(unary(IR_log, IR_F32, 3, VALUES(1, 7.389056099, 0.5)), IR_F32, SHAPE(3),
                VALUES(0, 2, -0.693147181), 1e-6);
    EXPECT(unary(IR_log, IR_F32, 2, VALUES(0, -1)), IR_F32, SHAPE(2), VALUES(-INFINITY, NAN));
    /* 1 / (1 + e^-2) = 0.880797078, tanh 0.5 = 0.462117157 */
    expect_near(unary(IR_sigmoid, IR_F32, 4, VALUES(0, 2, -200, 200)), IR_F32, SHAPE(4),
                VALUES(0.5, 0.880797078, 0, 1), 1e-7);
    expect_near(unary(IR_tanh, IR_F32, 3, VALUES(0, 0.5, -50)), IR_F32, SHAPE(3),
                VALUES(0, 0.462117157, -1), 1e-7);
    EXPECT(unary(IR_relu, IR_F32, 1, VALUES(NAN)), IR_F32, SHAPE(1), VALUES(NAN));
    union ir_attrs leaky = {.leaky_relu = {.alpha = 0.25f}};
    EXPECT(RUN(IR_leaky_relu, &leaky, line(IR_F32, 4, x)), IR_F32, SHAPE(4),
           VALUES(-0.5, 0, 0.5, 3));
    union ir_attrs quarter = {.hard_sigmoid = {.alpha = 0.25f, .beta = 0.5f}};
    EXPECT(RUN(IR_hard_sigmoid, &quarter, line(IR_F32, 4, VALUES(-3, 0, 0.5, 3))), IR_F32, SHAPE(4),
           VALUES(0, 0.5, 0.625, 1));
    union ir_attrs six = {.clip = {.lo = 0, .hi = 2}}, crossed = {.clip = {.lo = 5, .hi = 1}};
    EXPECT(RUN(IR_clip, &six, line(IR_F32, 4, x)), IR_F32, SHAPE(4), VALUES(0, 0, 0.5, 2));
    EXPECT(RUN(IR_clip, &crossed, line(IR_F32, 2, VALUES(0, 9))), IR_F32, SHAPE(2), VALUES(1, 1));
}
END_TEST

START_TEST(unary_other_types)
{
    EXPECT(unary(IR_neg, IR_I64, 2, VALUES(5, -7)), IR_I64, SHAPE(2), VALUES(-5, 7));
    EXPECT(unary(IR_abs, IR_I32, 2, VALUES(5, -7)), IR_I32, SHAPE(2), VALUES(5, 7));
    EXPECT(unary(IR_relu, IR_I8, 2, VALUES(5, -7)), IR_I8, SHAPE(2), VALUES(5, 0));
    EXPECT(unary(IR_neg, IR_F64, 2, VALUES(0.1, -7)), IR_F64, SHAPE(2), VALUES(-0.1, 7));
    EXPECT(unary(IR_abs, IR_F16, 2, VALUES(-0.5, 7)), IR_F16, SHAPE(2), VALUES(0.5, 7));
    union ir_attrs bound = {.clip = {.lo = -2.5f, .hi = INFINITY}};
    EXPECT(RUN(IR_clip, &bound, line(IR_I64, 3, VALUES(-9, 0, 1e15))), IR_I64, SHAPE(3),
           VALUES(-2, 0, 1e15));
}
END_TEST

static struct tensor binary(enum ir_opcode opcode, enum ir_dtype dtype, const double *a,
                            const double *b)
{
    return RUN(opcode, NULL, line(dtype, 4, a), line(dtype, 4, b));
}

START_TEST(binary_floats)
{
    const double *a = VALUES(1, -2, 3, 8), *b = VALUES(2, 4, -0.5, 8);
    EXPECT(binary(IR_add, IR_F32, a, b), IR_F32, SHAPE(4), VALUES(3, 2, 2.5, 16));
    EXPECT(binary(IR_sub, IR_F32, a, b), IR_F32, SHAPE(4), VALUES(-1, -6, 3.5, 0));
    EXPECT(binary(IR_mul, IR_F32, a, b), IR_F32, SHAPE(4), VALUES(2, -8, -1.5, 64));
    EXPECT(binary(IR_div, IR_F32, a, b), IR_F32, SHAPE(4), VALUES(0.5, -0.5, -6, 1));
    EXPECT(binary(IR_min, IR_F32, a, b), IR_F32, SHAPE(4), VALUES(1, -2, -0.5, 8));
    EXPECT(binary(IR_max, IR_F32, a, b), IR_F32, SHAPE(4), VALUES(2, 4, 3, 8));
    EXPECT(binary(IR_pow, IR_F32, VALUES(2, -2, 9, 5), VALUES(3, 2, 0.5, 0)), IR_F32, SHAPE(4),
           VALUES(8, 4, 3, 1));
    EXPECT(binary(IR_mod, IR_F32, VALUES(5.5, -5.5, 5.5, 6), VALUES(2, 2, -2, 3)), IR_F32, SHAPE(4),
           VALUES(1.5, -1.5, 1.5, 0));
    EXPECT(binary(IR_equal, IR_F32, a, b), IR_BOOL, SHAPE(4), VALUES(0, 0, 0, 1));
    EXPECT(binary(IR_equal, IR_F32, VALUES(NAN, 0, INFINITY, 1), VALUES(NAN, -0.0, INFINITY, 2)),
           IR_BOOL, SHAPE(4), VALUES(0, 1, 1, 0));
    EXPECT(binary(IR_less, IR_F32, a, b), IR_BOOL, SHAPE(4), VALUES(1, 1, 0, 0));
    EXPECT(binary(IR_greater, IR_F32, a, b), IR_BOOL, SHAPE(4), VALUES(0, 0, 1, 0));
    EXPECT(binary(IR_max, IR_F32, VALUES(NAN, 1, NAN, 0), VALUES(1, NAN, NAN, 0)), IR_F32, SHAPE(4),
           VALUES(NAN, NAN, NAN, 0));
    EXPECT(binary(IR_add, IR_F16, VALUES(1, 2048, 0, 0), VALUES(1, 1, 0, 0)), IR_F16, SHAPE(4),
           VALUES(2, 2048, 0, 0));
    EXPECT(binary(IR_mul, IR_F64, VALUES(0.1, 1, 1, 1), VALUES(3, 1, 1, 1)), IR_F64, SHAPE(4),
           VALUES(0.1 * 3, 1, 1, 1));
}
END_TEST

START_TEST(binary_integers)
{
    const double *a = VALUES(7, -7, 7, -7), *b = VALUES(2, 2, -2, -2);
    EXPECT(binary(IR_div, IR_I64, a, b), IR_I64, SHAPE(4), VALUES(3, -3, -3, 3));
    EXPECT(binary(IR_mod, IR_I64, a, b), IR_I64, SHAPE(4), VALUES(1, 1, -1, -1));
    EXPECT(binary(IR_sub, IR_I32, a, b), IR_I32, SHAPE(4), VALUES(5, -9, 9, -5));
    EXPECT(binary(IR_mul, IR_I64, a, b), IR_I64, SHAPE(4), VALUES(14, -14, -14, 14));
    EXPECT(binary(IR_min, IR_I64, a, b), IR_I64, SHAPE(4), VALUES(2, -7, -2, -7));
    EXPECT(binary(IR_max, IR_I8, a, b), IR_I8, SHAPE(4), VALUES(7, 2, 7, -2));
    EXPECT(binary(IR_pow, IR_I64, VALUES(3, -2, 2, -1), VALUES(4, 3, -1, -3)), IR_I64, SHAPE(4),
           VALUES(81, -8, 0, -1));
    EXPECT(binary(IR_add, IR_U8, VALUES(250, 1, 0, 0), VALUES(10, 1, 0, 0)), IR_U8, SHAPE(4),
           VALUES(4, 2, 0, 0));
    EXPECT(binary(IR_add, IR_I8, VALUES(127, 1, 0, 0), VALUES(1, 1, 0, 0)), IR_I8, SHAPE(4),
           VALUES(-128, 2, 0, 0));
    EXPECT(binary(IR_min, IR_BOOL, VALUES(0, 1, 0, 1), VALUES(0, 0, 1, 1)), IR_BOOL, SHAPE(4),
           VALUES(0, 0, 0, 1));
    EXPECT(binary(IR_max, IR_BOOL, VALUES(0, 1, 0, 1), VALUES(0, 0, 1, 1)), IR_BOOL, SHAPE(4),
           VALUES(0, 1, 1, 1));
    EXPECT(binary(IR_equal, IR_I64, a, b), IR_BOOL, SHAPE(4), VALUES(0, 0, 0, 0));
    EXPECT(binary(IR_less, IR_I64, a, b), IR_BOOL, SHAPE(4), VALUES(0, 1, 0, 1));
    EXPECT(binary(IR_greater, IR_I32, a, b), IR_BOOL, SHAPE(4), VALUES(1, 0, 1, 0));
}
END_TEST

/* Of what a machine computes it is 0. */
START_TEST(integer_division_by_zero_is_an_error)
{
    static const enum ir_opcode opcodes[] = {IR_div, IR_mod};
    for (int i = 0; i < 2; i++) {
        struct tensor t = binary(opcodes[i], IR_I64, VALUES(1, 1, 1, 1), VALUES(1, 0, 1, 1));
        ck_assert_ptr_null(t.data);
        ck_assert_uint_eq(diag->n_errors, i + 1);
    }
    EXPECT(binary(IR_div, IR_I32, VALUES(7, -7, 0, 8), VALUES(0, 0, 0, 2)), IR_I32, SHAPE(4),
           VALUES(0, 0, 0, 4));
    EXPECT(binary(IR_mod, IR_I32, VALUES(7, -7, 0, 8), VALUES(0, 0, 0, 3)), IR_I32, SHAPE(4),
           VALUES(0, 0, 0, 2));
    /* The one quotient that does not fit its type wraps. */
    struct tensor least = line(IR_I64, 1, VALUES(-0x1p63)), one = line(IR_I64, 1, VALUES(-1));
    EXPECT(RUN(IR_div, NULL, least, one), IR_I64, SHAPE(1), VALUES(-0x1p63));
}
END_TEST

START_TEST(broadcast_by_hand)
{
    /* column + row */
    EXPECT(RUN(IR_sub, NULL, make(IR_F32, SHAPE(2, 1), VALUES(10, 20)),
               make(IR_F32, SHAPE(3), VALUES(1, 2, 3))),
           IR_F32, SHAPE(2, 3), VALUES(9, 8, 7, 19, 18, 17));
    EXPECT(RUN(IR_mul, NULL, make(IR_F32, SCALAR, VALUES(2)),
               make(IR_F32, SHAPE(2, 2), VALUES(1, 2, 3, 4))),
           IR_F32, SHAPE(2, 2), VALUES(2, 4, 6, 8));
    /* NCHW per channel */
    EXPECT(RUN(IR_add, NULL, make(IR_F32, SHAPE(1, 2, 1, 2), VALUES(1, 2, 3, 4)),
               make(IR_F32, SHAPE(2, 1, 1), VALUES(10, 20))),
           IR_F32, SHAPE(1, 2, 1, 2), VALUES(11, 12, 23, 24));
    EXPECT(RUN(IR_add, NULL, make(IR_F32, SCALAR, VALUES(2)), make(IR_F32, SCALAR, VALUES(3))),
           IR_F32, SCALAR, VALUES(5));
    EXPECT(
        RUN(IR_add, NULL, make(IR_F32, SHAPE(0, 3), NULL), make(IR_F32, SHAPE(3), VALUES(1, 2, 3))),
        IR_F32, SHAPE(0, 3), NULL);
}
END_TEST

/* Element of t, broadcast, at position `at` of the result. */
static double broadcast_get(const struct tensor *t, unsigned rank, const int64_t *at)
{
    int64_t index = 0;
    for (unsigned k = 0; k < t->type.rank; k++) {
        int64_t i = at[k + rank - t->type.rank];
        index = index * t->type.dim[k] + (t->type.dim[k] == 1 ? 0 : i);
    }
    return get(t, index);
}

START_TEST(broadcast_of_random_shapes)
{
    uint64_t seed = 7;
    for (int round = 0; round < 300; round++) {
        unsigned rank = (unsigned)random_below(&seed, 5);
        int64_t dim[4], dim_a[4], dim_b[4], at[4] = {0};
        for (unsigned k = 0; k < rank; k++) {
            dim[k] = 1 + random_below(&seed, 4);
            int64_t which = random_below(&seed, 4);
            dim_a[k] = which == 0 ? 1 : dim[k];
            dim_b[k] = which == 1 ? 1 : dim[k];
        }
        unsigned drop = rank ? (unsigned)random_below(&seed, rank + 1) : 0;
        struct tensor a = random_tensor(&seed, rank, dim_a),
                      b = random_tensor(&seed, rank - drop, dim_b + drop), ka = tensor_copy(&a),
                      kb = tensor_copy(&b);
        struct tensor out = RUN(IR_sub, NULL, a, b);
        for (unsigned k = 0; k < drop; k++)
            dim[k] = dim_a[k];
        struct ir_type type = ir_type_of(IR_F32, rank, dim);
        ck_assert(out.data && ir_type_equal(&out.type, &type));
        for (int64_t i = 0; i < ir_count(&type); i++) {
            int64_t rest = i;
            for (unsigned k = rank; k-- > 0; rest /= dim[k])
                at[k] = rest % dim[k];
            float want = (float)broadcast_get(&ka, rank, at) - (float)broadcast_get(&kb, rank, at);
            ck_assert(get(&out, i) == (double)want);
        }
        tensor_free(&out);
        tensor_free(&ka);
        tensor_free(&kb);
    }
}
END_TEST

/* ---- base layers ---- */

struct geometry {
    int64_t n, c, h, w, o, kernel[2], stride[2], dilation[2], pad[4], group;
};

static struct geometry random_geometry(uint64_t *seed, bool crossbar)
{
    struct geometry v = {.n = crossbar ? 1 : 1 + random_below(seed, 2),
                         .group = 1 + random_below(seed, 3)};
    v.c = v.group * (1 + random_below(seed, 4));
    v.o = v.group * (1 + random_below(seed, 5));
    if (random_below(seed, 4) == 0) /* depthwise */
        v.o = v.c = v.group = 1 + random_below(seed, 9);
    for (int i = 0; i < 2; i++) {
        v.kernel[i] = 1 + random_below(seed, 4);
        v.stride[i] = 1 + random_below(seed, 3);
        v.dilation[i] = 1 + random_below(seed, 3);
        v.pad[i] = crossbar ? 0 : random_below(seed, 4);
        v.pad[i + 2] = crossbar ? 0 : random_below(seed, 4);
    }
    v.h = (v.kernel[0] - 1) * v.dilation[0] + 1 + random_below(seed, 8);
    v.w = (v.kernel[1] - 1) * v.dilation[1] + 1 + random_below(seed, 8);
    return v;
}

static union ir_attrs conv_attrs(const struct geometry *v)
{
    union ir_attrs at = {.conv = {.group = v->group}};
    memcpy(at.conv.kernel, v->kernel, sizeof v->kernel);
    memcpy(at.conv.stride, v->stride, sizeof v->stride);
    memcpy(at.conv.dilation, v->dilation, sizeof v->dilation);
    memcpy(at.conv.pad, v->pad, sizeof v->pad);
    return at;
}

/* One element of a convolution from its definition. */
static double conv_element(const struct geometry *v, const struct tensor *x, const struct tensor *w,
                           const int64_t at[4])
{
    int64_t cg = v->c / v->group, first = at[1] / (v->o / v->group) * cg;
    double sum = 0;
    for (int64_t c = 0; c < cg; c++) {
        for (int64_t kh = 0; kh < v->kernel[0]; kh++) {
            for (int64_t kw = 0; kw < v->kernel[1]; kw++) {
                int64_t y = at[2] * v->stride[0] + kh * v->dilation[0] - v->pad[0];
                int64_t z = at[3] * v->stride[1] + kw * v->dilation[1] - v->pad[1];
                if (y < 0 || y >= v->h || z < 0 || z >= v->w)
                    continue;
                sum += get(x, ((at[0] * v->c + first + c) * v->h + y) * v->w + z) *
                       get(w, ((at[1] * cg + c) * v->kernel[0] + kh) * v->kernel[1] + kw);
            }
        }
    }
    return sum;
}

START_TEST(conv_equals_plain_loops)
{
    uint64_t seed = 3;
    for (int round = 0; round < 150; round++) {
        struct geometry v = random_geometry(&seed, false);
        union ir_attrs attrs = conv_attrs(&v);
        struct tensor x = random_tensor(&seed, SHAPE(v.n, v.c, v.h, v.w)),
                      w = random_tensor(&seed, SHAPE(v.o, v.c / v.group, v.kernel[0], v.kernel[1])),
                      b = random_tensor(&seed, SHAPE(v.o));
        struct tensor kx = tensor_copy(&x), kw = tensor_copy(&w), kb = tensor_copy(&b);
        struct tensor out = RUN(IR_conv, &attrs, x, w, b);
        ck_assert(out.data != NULL);
        const int64_t *dim = out.type.dim;
        ck_assert(dim[0] == v.n && dim[1] == v.o);
        for (int64_t i = 0; i < ir_count(&out.type); i++) {
            int64_t at[4] = {i / (dim[3] * dim[2] * dim[1]), i / (dim[3] * dim[2]) % dim[1],
                             i / dim[3] % dim[2], i % dim[3]};
            double want = conv_element(&v, &kx, &kw, at) + get(&kb, at[1]);
            ck_assert_msg(fabs(get(&out, i) - want) < 1e-5, "round %d, element %ld: %g, not %g",
                          round, (long)i, get(&out, i), want);
        }
        tensor_free(&out);
        tensor_free(&kx);
        tensor_free(&kw);
        tensor_free(&kb);
    }
}
END_TEST

static int64_t extent(const struct geometry *v, int axis)
{
    int64_t in = axis ? v->w : v->h;
    return (in - ((v->kernel[axis] - 1) * v->dilation[axis] + 1)) / v->stride[axis] + 1;
}

START_TEST(mvm_equals_conv)
{
    uint64_t seed = 5;
    for (int round = 0; round < 150; round++) {
        struct geometry v = random_geometry(&seed, true);
        union ir_attrs attrs = conv_attrs(&v), mvm = {.mvm = {.copies = 0}};
        memcpy(mvm.mvm.kernel, v.kernel, sizeof v.kernel);
        memcpy(mvm.mvm.stride, v.stride, sizeof v.stride);
        memcpy(mvm.mvm.dilation, v.dilation, sizeof v.dilation);
        mvm.mvm.group = v.group;
        int64_t taps = v.kernel[0] * v.kernel[1], oh = extent(&v, 0), ow = extent(&v, 1);
        int64_t channels = v.c / v.group;
        struct tensor x = random_tensor(&seed, SHAPE(1, v.c, v.h, v.w)),
                      w = random_tensor(&seed, SHAPE(v.o, channels, v.kernel[0], v.kernel[1]));
        struct tensor hwc = random_tensor(&seed, SHAPE(v.h, v.w, v.c)),
                      kn = random_tensor(&seed, SHAPE(taps * channels, v.o));
        for (int64_t i = 0; i < v.h * v.w * v.c; i++)
            put(&hwc, i, get(&x, i % v.c * v.h * v.w + i / v.c));
        for (int64_t i = 0; i < taps * channels * v.o; i++) {
            int64_t o = i % v.o, c = i / v.o % channels, tap = i / v.o / channels;
            put(&kn, i, get(&w, (o * channels + c) * taps + tap));
        }
        struct tensor a = RUN(IR_conv, &attrs, x, w),
                      b = run_at(IR_CROSSBAR, IR_mvm, &mvm, 2, (struct tensor[]){hwc, kn});
        ck_assert(a.data && b.data && b.type.dim[0] == oh && b.type.dim[1] == ow);
        for (int64_t i = 0; i < oh * ow * v.o; i++)
            ck_assert_double_le(fabs(get(&b, i) - get(&a, i % v.o * oh * ow + i / v.o)), 1e-5);
        tensor_free(&a);
        tensor_free(&b);
    }
}
END_TEST

/* A kernel of 3 taps 10^12 apart over as much padding: refused, not attempted. */
START_TEST(conv_with_absurd_padding_is_refused)
{
    int64_t far = 1000000000000;
    struct geometry v = {.kernel = {3, 3},
                         .stride = {1, 1},
                         .dilation = {far, far},
                         .pad = {far, far, far, far},
                         .group = 1};
    union ir_attrs attrs = conv_attrs(&v);
    double one[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct tensor t = RUN(IR_conv, &attrs, make(IR_F32, SHAPE(1, 1, 1, 1), one),
                          make(IR_F32, SHAPE(1, 1, 3, 3), one));
    ck_assert_ptr_null(t.data);
    ck_assert_int_eq(diag->first->code, DIAG_CAPACITY);
}
END_TEST

/* A stride may be of any size where there is one output only. */
START_TEST(windows_of_absurd_size)
{
    int64_t far = (int64_t)1 << 61;
    struct geometry v = {.kernel = {2, 2}, .stride = {far, far}, .dilation = {1, 1}, .group = 1};
    union ir_attrs conv = conv_attrs(&v), mvm = {.mvm = {.group = 1}};
    double x[4] = {1, 2, 3, 4}, w[4] = {1, 10, 100, 1000};
    EXPECT(
        RUN(IR_conv, &conv, make(IR_F32, SHAPE(1, 1, 2, 2), x), make(IR_F32, SHAPE(1, 1, 2, 2), w)),
        IR_F32, SHAPE(1, 1, 1, 1), VALUES(4321));
    memcpy(mvm.mvm.kernel, v.kernel, sizeof v.kernel);
    memcpy(mvm.mvm.stride, v.stride, sizeof v.stride);
    memcpy(mvm.mvm.dilation, v.dilation, sizeof v.dilation);
    EXPECT(run_at(IR_CROSSBAR, IR_mvm, &mvm, 2,
                  (struct tensor[]){make(IR_F32, SHAPE(2, 2, 1), x), make(IR_F32, SHAPE(4, 1), w)}),
           IR_F32, SHAPE(1, 1, 1), VALUES(4321));
    union ir_attrs pool = {
        .max_pool = {
            .kernel = {far, 1}, .stride = {1, 1}, .dilation = {1, 1}, .pad = {far - 2, 0, 0, 0}}};
    EXPECT(RUN(IR_max_pool, &pool, make(IR_F32, SHAPE(1, 1, 2, 2), x)), IR_F32, SHAPE(1, 1, 1, 2),
           VALUES(3, 4));
}
END_TEST

START_TEST(matmul_follows_numpy)
{
    const double *v6 = VALUES(1, 2, 3, 4, 5, 6);
    EXPECT(RUN(IR_matmul, NULL, make(IR_F32, SHAPE(2, 3), v6), make(IR_F32, SHAPE(3, 2), v6)),
           IR_F32, SHAPE(2, 2), VALUES(22, 28, 49, 64));
    EXPECT(RUN(IR_matmul, NULL, make(IR_F32, SHAPE(3), v6), make(IR_F32, SHAPE(3), v6)), IR_F32,
           SCALAR, VALUES(14));
    EXPECT(RUN(IR_matmul, NULL, make(IR_F32, SHAPE(2, 3), v6), make(IR_F32, SHAPE(3), v6)), IR_F32,
           SHAPE(2), VALUES(14, 32));
    EXPECT(RUN(IR_matmul, NULL, make(IR_F32, SHAPE(3), v6), make(IR_F32, SHAPE(3, 2), v6)), IR_F32,
           SHAPE(2), VALUES(22, 28));
    /* a stack on the left, one matrix on the right */
    EXPECT(RUN(IR_matmul, NULL, make(IR_F32, SHAPE(3, 1, 2), v6),
               make(IR_F32, SHAPE(2, 2), VALUES(1, 0, 0, 10))),
           IR_F32, SHAPE(3, 1, 2), VALUES(1, 20, 3, 40, 5, 60));
    /* stacks that broadcast: [2,1] x [3] of 1x1 matrices */
    EXPECT(RUN(IR_matmul, NULL, make(IR_F32, SHAPE(2, 1, 1, 1), VALUES(1, 10)),
               make(IR_F32, SHAPE(3, 1, 1), VALUES(1, 2, 3))),
           IR_F32, SHAPE(2, 3, 1, 1), VALUES(1, 2, 3, 10, 20, 30));
    EXPECT(RUN(IR_matmul, NULL, make(IR_F32, SHAPE(1, 2, 1), VALUES(1, 2)),
               make(IR_F32, SHAPE(2, 1, 1), VALUES(3, 5))),
           IR_F32, SHAPE(2, 2, 1), VALUES(3, 6, 5, 10));
    EXPECT(RUN(IR_matmul, NULL, make(IR_F32, SHAPE(2, 0), NULL), make(IR_F32, SHAPE(0, 1), NULL)),
           IR_F32, SHAPE(2, 1), VALUES(0, 0));
}
END_TEST

/* ---- normalisation, windows ---- */

START_TEST(batch_norm_by_hand)
{
    union ir_attrs at = {.batch_norm = {.epsilon = 1}};
    /* channel 0: 2*(x-1)/sqrt(3+1) + 5 = x + 4; channel 1: -3*(x-2)/sqrt(8+1) + 0 = 2 - x */
    EXPECT(RUN(IR_batch_norm, &at, make(IR_F32, SHAPE(1, 2, 2), VALUES(1, 2, 3, 4)),
               line(IR_F32, 2, VALUES(2, -3)), line(IR_F32, 2, VALUES(5, 0)),
               line(IR_F32, 2, VALUES(1, 2)), line(IR_F32, 2, VALUES(3, 8))),
           IR_F32, SHAPE(1, 2, 2), VALUES(5, 6, -1, -2));
}
END_TEST

START_TEST(layer_norm_by_hand)
{
    union ir_attrs rows = {.layer_norm = {.axes = {1, (int64_t[]){1}}, .epsilon = 7}};
    /* means 3 and 8, variances 9 and 1, square roots 4 and 2.8284 */
    EXPECT(RUN(IR_layer_norm, &rows, make(IR_F32, SHAPE(2, 2, 1), VALUES(0, 6, 7, 9))), IR_F32,
           SHAPE(2, 2, 1), VALUES(-0.75, 0.75, (float)-sqrt(0.125), (float)sqrt(0.125)));
    union ir_attrs all = {.layer_norm = {.axes = {2, (int64_t[]){0, 1}}}};
    EXPECT(RUN(IR_layer_norm, &all, make(IR_F32, SHAPE(2, 2), VALUES(1, 5, 1, 5))), IR_F32,
           SHAPE(2, 2), VALUES(-1, 1, -1, 1));
}
END_TEST

START_TEST(softmax_by_hand)
{
    union ir_attrs last = {.softmax = {.axis = 1}}, first = {.softmax = {.axis = 0}};
    double l2 = 0.69314718055994531, l3 = 1.0986122886681098; /* ln 2, ln 3 */
    expect_near(RUN(IR_softmax, &last, make(IR_F32, SHAPE(2, 2), VALUES(0, l3, 1000, 1000))),
                IR_F32, SHAPE(2, 2), VALUES(0.25, 0.75, 0.5, 0.5), 1e-7);
    expect_near(RUN(IR_softmax, &first, make(IR_F32, SHAPE(2, 2), VALUES(0, 0, l3, l2))), IR_F32,
                SHAPE(2, 2), VALUES(0.25, 1.0 / 3, 0.75, 2.0 / 3), 1e-7);
}
END_TEST

static struct tensor reduce(enum ir_reduce_kind kind, uint32_t n_axes, const int64_t *axes,
                            struct tensor x)
{
    union ir_attrs at = {.reduce = {.kind = kind, .axes = {n_axes, axes}}};
    return RUN(IR_reduce, &at, x);
}

START_TEST(reductions_by_hand)
{
    const double *six = VALUES(1, 2, 3, 4, 5, 6), *eight = VALUES(1, 2, 3, 4, 5, 6, 7, 8);
    static const int64_t axis0[] = {0}, axis1[] = {1}, both[] = {0, 1}, outer[] = {0, 2};
    EXPECT(reduce(IR_REDUCE_SUM, 1, axis0, make(IR_F32, SHAPE(2, 3), six)), IR_F32, SHAPE(1, 3),
           VALUES(5, 7, 9));
    EXPECT(reduce(IR_REDUCE_SUM, 1, axis1, make(IR_F32, SHAPE(2, 3), six)), IR_F32, SHAPE(2, 1),
           VALUES(6, 15));
    EXPECT(
        reduce(IR_REDUCE_MAX, 1, axis0, make(IR_F32, SHAPE(2, 3), VALUES(1, -2, NAN, -1, -3, 0))),
        IR_F32, SHAPE(1, 3), VALUES(1, -2, NAN));
    EXPECT(reduce(IR_REDUCE_MAX, 2, both, make(IR_F32, SHAPE(2, 3), six)), IR_F32, SHAPE(1, 1),
           VALUES(6));
    EXPECT(reduce(IR_REDUCE_SUM, 2, outer, make(IR_F32, SHAPE(2, 2, 2), eight)), IR_F32,
           SHAPE(1, 2, 1), VALUES(14, 22)); /* 1+2+5+6, 3+4+7+8 */
    /* 1e8 + 1 - 1e8: the sum is no chain of f32 additions */
    EXPECT(reduce(IR_REDUCE_SUM, 1, axis0, make(IR_F32, SHAPE(3), VALUES(1e8, 1, -1e8))), IR_F32,
           SHAPE(1), VALUES(1));
}
END_TEST

/* x as [1,taps,H,W], or (h, w, taps) with the same elements. */
static struct tensor of_taps(enum ir_stage stage, const int64_t dim[3], const double *planes)
{
    struct tensor x = make(IR_F32, SHAPE(1, dim[0], dim[1], dim[2]), planes);
    if (stage != IR_CROSSBAR)
        return x;
    struct tensor moved = make(IR_F32, SHAPE(dim[1], dim[2], dim[0]), planes);
    for (int64_t t = 0, pixels = dim[1] * dim[2]; t < dim[0]; t++)
        for (int64_t i = 0; i < pixels; i++)
            put(&moved, i * dim[0] + t, get(&x, t * pixels + i));
    tensor_free(&x);
    return moved;
}

START_TEST(overlap_add_by_hand)
{
    enum ir_stage stage = _i ? IR_CROSSBAR : IR_CANONICAL;
    /* tap (0,0): 1 2 / 3 4, (0,1) ten, (1,0) a hundred, (1,1) a thousand times as much */
    const double *four =
        VALUES(1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 300, 400, 1000, 2000, 3000, 4000);
    static const int64_t dim4[3] = {4, 2, 2}, dim2[3] = {2, 2, 1};
    union ir_attrs at = {.overlap_add = {.kernel = {2, 2}, .stride = {1, 2}, .dilation = {1, 1}}};
    struct tensor x = of_taps(stage, dim4, four);
    EXPECT(run_at(stage, IR_overlap_add, &at, 1, &x), IR_F32, _i ? 3 : 4,
           (_i ? (int64_t[]){3, 4, 1} : (int64_t[]){1, 1, 3, 4}),
           VALUES(1, 10, 2, 20, 103, 1030, 204, 2040, 300, 3000, 400, 4000));
    /* the first row and column cropped, a column of zeros at the end */
    memcpy(at.overlap_add.pad, (int64_t[]){1, 1, 0, -1}, sizeof at.overlap_add.pad);
    x = of_taps(stage, dim4, four);
    EXPECT(run_at(stage, IR_overlap_add, &at, 1, &x), IR_F32, _i ? 3 : 4,
           (_i ? (int64_t[]){2, 4, 1} : (int64_t[]){1, 1, 2, 4}),
           VALUES(1030, 204, 2040, 0, 3000, 400, 4000, 0));
    /* taps two rows apart, pixels two rows apart: row 1 and row 3 get nothing */
    at = (union ir_attrs){.overlap_add = {.kernel = {2, 1}, .stride = {2, 1}, .dilation = {2, 1}}};
    x = of_taps(stage, dim2, VALUES(1, 2, 10, 20));
    EXPECT(run_at(stage, IR_overlap_add, &at, 1, &x), IR_F32, _i ? 3 : 4,
           (_i ? (int64_t[]){5, 1, 1} : (int64_t[]){1, 1, 5, 1}), VALUES(1, 0, 12, 0, 20));
}
END_TEST

/* Channel c of tap t is channel t*C + c. */
START_TEST(overlap_add_keeps_channels_apart)
{
    union ir_attrs at = {.overlap_add = {.kernel = {1, 2}, .stride = {1, 1}, .dilation = {1, 1}}};
    EXPECT(
        RUN(IR_overlap_add, &at, make(IR_F32, SHAPE(2, 4, 1, 1), VALUES(1, 2, 3, 4, 5, 6, 7, 8))),
        IR_F32, SHAPE(2, 2, 1, 2), VALUES(1, 3, 2, 4, 5, 7, 6, 8));
    EXPECT(run_at(IR_CROSSBAR, IR_overlap_add, &at, 1,
                  (struct tensor[]){make(IR_F32, SHAPE(1, 1, 4), VALUES(1, 2, 3, 4))}),
           IR_F32, SHAPE(1, 2, 2), VALUES(1, 2, 3, 4));
}
END_TEST

/* 1 2 3 / 4 5 6 / 7 8 9 */
static struct tensor nine(enum ir_stage stage)
{
    const double *v = VALUES(1, 2, 3, 4, 5, 6, 7, 8, 9);
    return stage == IR_CROSSBAR ? make(IR_F32, SHAPE(3, 3, 1), v)
                                : make(IR_F32, SHAPE(1, 1, 3, 3), v);
}

START_TEST(pools_by_hand)
{
    enum ir_stage stage = _i ? IR_CROSSBAR : IR_CANONICAL;
    int64_t dim4[4] = {1, 1, 2, 2}, dim3[3] = {2, 2, 1};
    size_t rank = _i ? 3 : 4;
    const int64_t *dim = _i ? dim3 : dim4;
    union ir_attrs max = {
        .max_pool = {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}, .pad = {1, 1, 0, 0}}};
    union ir_attrs mean = {
        .avg_pool = {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}, .pad = {1, 1, 0, 0}}};
    struct tensor x = nine(stage);
    EXPECT(run_at(stage, IR_max_pool, &max, 1, &x), IR_F32, rank, dim, VALUES(1, 3, 7, 9));
    /* negative values: padding is no zero */
    x = nine(stage);
    for (int i = 0; i < 9; i++)
        put(&x, i, -get(&x, i));
    EXPECT(run_at(stage, IR_max_pool, &max, 1, &x), IR_F32, rank, dim, VALUES(-1, -2, -4, -5));
    x = nine(stage);
    EXPECT(run_at(stage, IR_avg_pool, &mean, 1, &x), IR_F32, rank, dim, VALUES(1, 2.5, 5.5, 7));
    mean.avg_pool.count_pad = 1; /* but only the row on top: windows count 2, 4, 2, 4 cells */
    mean.avg_pool.counted[0] = 1;
    x = nine(stage);
    EXPECT(run_at(stage, IR_avg_pool, &mean, 1, &x), IR_F32, rank, dim,
           VALUES(1 / 2.0, 5 / 4.0, 11 / 2.0, 28 / 4.0));
    mean.avg_pool.counted[1] = 1;
    x = nine(stage);
    EXPECT(run_at(stage, IR_avg_pool, &mean, 1, &x), IR_F32, rank, dim,
           VALUES(0.25, 1.25, 2.75, 7));
    max.max_pool.stride[0] = max.max_pool.stride[1] = 1; /* cells 2 apart, no padding */
    max.max_pool.dilation[0] = max.max_pool.dilation[1] = 2;
    memset(max.max_pool.pad, 0, sizeof max.max_pool.pad);
    x = nine(stage);
    EXPECT(run_at(stage, IR_max_pool, &max, 1, &x), IR_F32, rank,
           _i ? (int64_t[]){1, 1, 1} : (int64_t[]){1, 1, 1, 1}, VALUES(9));
    x = nine(stage);
    EXPECT(run_at(stage, IR_global_avg_pool, NULL, 1, &x), IR_F32, rank,
           _i ? (int64_t[]){1, 1, 1} : (int64_t[]){1, 1, 1, 1}, VALUES(5));
}
END_TEST

START_TEST(pools_keep_channels_apart)
{
    union ir_attrs at = {.avg_pool = {.kernel = {1, 2}, .stride = {1, 1}, .dilation = {1, 1}}};
    const double *v = VALUES(1, 10, 3, 30);
    EXPECT(RUN(IR_avg_pool, &at, make(IR_F32, SHAPE(1, 2, 1, 2), v)), IR_F32, SHAPE(1, 2, 1, 1),
           VALUES(5.5, 16.5));
    EXPECT(run_at(IR_CROSSBAR, IR_avg_pool, &at, 1,
                  (struct tensor[]){make(IR_F32, SHAPE(1, 2, 2), v)}),
           IR_F32, SHAPE(1, 1, 2), VALUES(2, 20));
    EXPECT(RUN(IR_global_avg_pool, NULL, make(IR_F32, SHAPE(1, 2, 2), v)), IR_F32, SHAPE(1, 2, 1),
           VALUES(5.5, 16.5));
    EXPECT(run_at(IR_CROSSBAR, IR_global_avg_pool, NULL, 1,
                  (struct tensor[]){make(IR_F32, SHAPE(1, 2, 2), v)}),
           IR_F32, SHAPE(1, 1, 2), VALUES(2, 20));
}
END_TEST

/* ---- moving ---- */

START_TEST(moves_by_hand)
{
    const double *v = VALUES(1, 2, 3, 4, 5, 6);
    union ir_attrs concat0 = {.concat = {.axis = 0}}, concat1 = {.concat = {.axis = 1}};
    EXPECT(RUN(IR_concat, &concat1, make(IR_F32, SHAPE(2, 1), v), make(IR_F32, SHAPE(2, 2), v)),
           IR_F32, SHAPE(2, 3), VALUES(1, 1, 2, 2, 3, 4));
    EXPECT(RUN(IR_concat, &concat0, line(IR_I64, 2, v), line(IR_I64, 0, v), line(IR_I64, 1, v)),
           IR_I64, SHAPE(3), VALUES(1, 2, 1));
    union ir_attrs slice = {
        .slice = {.start = INTS(1, 2), .step = INTS(-1, -2), .count = INTS(2, 2)}};
    EXPECT(RUN(IR_slice, &slice, make(IR_I8, SHAPE(2, 3), v)), IR_I8, SHAPE(2, 2),
           VALUES(6, 4, 3, 1));
    union ir_attrs columns = {
        .slice = {.start = INTS(0, 1), .step = INTS(1, 1), .count = INTS(2, 2)}};
    EXPECT(RUN(IR_slice, &columns, make(IR_F64, SHAPE(2, 3), v)), IR_F64, SHAPE(2, 2),
           VALUES(2, 3, 5, 6));
    union ir_attrs swap = {.transpose = {.perm = INTS(2, 0, 1)}};
    EXPECT(RUN(IR_transpose, &swap, make(IR_F16, SHAPE(1, 3, 2), v)), IR_F16, SHAPE(2, 1, 3),
           VALUES(1, 3, 5, 2, 4, 6));
    union ir_attrs shape = {.reshape = {.shape = INTS(3, 2)}};
    EXPECT(RUN(IR_reshape, &shape, make(IR_F32, SHAPE(2, 3), v)), IR_F32, SHAPE(3, 2), v);
    union ir_attrs grid = {
        .gather_grid = {.count = INTS(2, 3), .index = INTS(1, -1, 2, 2, 0), .value = 9}};
    EXPECT(RUN(IR_gather_grid, &grid, make(IR_F32, SHAPE(2, 3), v)), IR_F32, SHAPE(2, 3),
           VALUES(6, 6, 4, 9, 9, 9));
    /* rows of 1.5, 2.5 (a quarter from 2 to 4), 9 and of 5.5, 6.5, 9; then a quarter from one to
     * the other */
    union ir_attrs between = {
        .interpolate = {
            .axes = INTS(1, 0), .low = INTS(0, 1, -1, 0), .high = INTS(1, 2, -1, 1), .value = 9}};
    EXPECT(RUN(IR_interpolate, &between, make(IR_F32, SHAPE(2, 3), VALUES(1, 2, 4, 5, 6, 8)),
               line(IR_F32, 3, VALUES(0.5, 0.25, 0)), line(IR_F32, 1, VALUES(0.25))),
           IR_F32, SHAPE(1, 3), VALUES(2.5, 3.5, 9));
    union ir_attrs columns_of = {.take = {.axis = 1, .value = 9}}, rows_of = {.take = {.axis = 0}};
    EXPECT(RUN(IR_take, &columns_of, make(IR_F32, SHAPE(2, 3), v),
               make(IR_I32, SHAPE(2, 4), VALUES(2, -1, -3, 3, 0, 1, -4, 2))),
           IR_F32, SHAPE(2, 4), VALUES(3, 3, 1, 9, 4, 5, 9, 6));
    EXPECT(RUN(IR_take, &rows_of, make(IR_I64, SHAPE(3, 2), v),
               make(IR_I32, SHAPE(2, 1), VALUES(-1, 0))),
           IR_I64, SHAPE(2, 2), VALUES(5, 6, 1, 2));
    EXPECT(RUN(IR_take, &columns_of, make(IR_U8, SHAPE(1, 3), v),
               make(IR_I32, SHAPE(2, 1), VALUES(1, 5))),
           IR_U8, SHAPE(2, 1), VALUES(2, 9));
}
END_TEST

/* x (h=1, w=2, c=3) holds 1..6, so "chw" order reads 1 4 2 5 3 6. */
START_TEST(crossbar_reshape_follows_nesting_orders)
{
    const double *v = VALUES(1, 2, 3, 4, 5, 6);
    union ir_attrs flatten = {.reshape = {.shape = INTS(1, 1, 6), .from = IR_CHW, .to = IR_HWC}};
    EXPECT(run_at(IR_CROSSBAR, IR_reshape, &flatten, 1,
                  (struct tensor[]){make(IR_F32, SHAPE(1, 2, 3), v)}),
           IR_F32, SHAPE(1, 1, 6), VALUES(1, 4, 2, 5, 3, 6));
    /* back into an image of 2 rows: sequence 1..6 laid down c outermost: c0 = 1,2; c1 = 3,4; c2 =
     * 5,6 */
    union ir_attrs image = {.reshape = {.shape = INTS(2, 1, 3), .from = IR_HWC, .to = IR_CHW}};
    EXPECT(run_at(IR_CROSSBAR, IR_reshape, &image, 1,
                  (struct tensor[]){make(IR_F32, SHAPE(1, 1, 6), v)}),
           IR_F32, SHAPE(2, 1, 3), VALUES(1, 3, 5, 2, 4, 6));
}
END_TEST

static struct tensor padded(enum ir_pad_mode mode, int64_t before, int64_t after)
{
    union ir_attrs at = {
        .pad = {.before = INTS(before), .after = INTS(after), .mode = mode, .value = -1}};
    return RUN(IR_pad, &at, line(IR_F32, 3, VALUES(1, 2, 3)));
}

START_TEST(pads_by_hand)
{
    EXPECT(padded(IR_PAD_CONSTANT, 1, 2), IR_F32, SHAPE(6), VALUES(-1, 1, 2, 3, -1, -1));
    EXPECT(padded(IR_PAD_EDGE, 2, 1), IR_F32, SHAPE(6), VALUES(1, 1, 1, 2, 3, 3));
    EXPECT(padded(IR_PAD_REFLECT, 2, 2), IR_F32, SHAPE(7), VALUES(3, 2, 1, 2, 3, 2, 1));
    union ir_attrs at = {
        .pad = {.before = INTS(1, 0), .after = INTS(0, 1), .mode = IR_PAD_CONSTANT, .value = 0.5f}};
    EXPECT(RUN(IR_pad, &at, make(IR_F32, SHAPE(1, 2), VALUES(1, 2))), IR_F32, SHAPE(2, 3),
           VALUES(0.5, 0.5, 0.5, 1, 2, 0.5));
}
END_TEST

/* ---- conditions ---- */

/* As a machine has it: truth is a byte, what is masked out has no bit set. */
START_TEST(where_of_masks)
{
    struct tensor c = make(IR_U8, SHAPE(2, 1, 1), VALUES(1, 0));
    struct tensor a = make(IR_F32, SHAPE(1, 1, 2), VALUES(-0.0, NAN));
    struct tensor not = RUN_AT(IR_CROSSBAR, IR_equal, NULL, tensor_copy(&c),
                               make(IR_U8, SHAPE(1, 1, 1), VALUES(0)));
    struct tensor yes = RUN_AT(IR_CROSSBAR, IR_mask, NULL, c, a);
    struct tensor no =
        RUN_AT(IR_CROSSBAR, IR_mask, NULL, not, make(IR_F32, SHAPE(1, 1, 1), VALUES(2.5)));
    struct tensor both = RUN_AT(IR_CROSSBAR, IR_merge, NULL, yes, no);
    ck_assert(signbit(((const float *)both.data)[0]));
    EXPECT(both, IR_F32, SHAPE(2, 1, 2), VALUES(0, NAN, 2.5, 2.5));
}
END_TEST

/* ---- compile time ---- */

START_TEST(compile_time_by_hand)
{
    EXPECT(RUN(IR_where, NULL, make(IR_BOOL, SHAPE(2, 1), VALUES(1, 0)),
               line(IR_I64, 2, VALUES(1, 2)), make(IR_I64, SCALAR, VALUES(7))),
           IR_I64, SHAPE(2, 2), VALUES(1, 2, 7, 7));
    union ir_attrs axis1 = {.gather = {.axis = 1}}, axis0 = {.gather = {.axis = 0}};
    const double *v = VALUES(1, 2, 3, 4, 5, 6);
    EXPECT(RUN(IR_gather, &axis1, make(IR_F32, SHAPE(2, 3), v),
               make(IR_I64, SHAPE(1, 2), VALUES(-1, 0))),
           IR_F32, SHAPE(2, 1, 2), VALUES(3, 1, 6, 4));
    EXPECT(RUN(IR_gather, &axis0, line(IR_I64, 3, v), make(IR_I32, SCALAR, VALUES(2))), IR_I64,
           SCALAR, VALUES(3));
    union ir_attrs expand = {.expand = {.shape = INTS(2, 2, 3)}};
    EXPECT(RUN(IR_expand, &expand, make(IR_I64, SHAPE(2, 1), VALUES(4, 5))), IR_I64, SHAPE(2, 2, 3),
           VALUES(4, 4, 4, 5, 5, 5, 4, 4, 4, 5, 5, 5));
    EXPECT(RUN(IR_range, NULL, make(IR_I64, SCALAR, VALUES(10)), make(IR_I64, SCALAR, VALUES(3)),
               make(IR_I64, SCALAR, VALUES(-3))),
           IR_I64, SHAPE(3), VALUES(10, 7, 4));
    EXPECT(RUN(IR_range, NULL, make(IR_F32, SCALAR, VALUES(0)), make(IR_F32, SCALAR, VALUES(1)),
               make(IR_F32, SCALAR, VALUES(0.5))),
           IR_F32, SHAPE(2), VALUES(0, 0.5));
}
END_TEST

static struct tensor cast(enum ir_dtype from, enum ir_dtype to, int64_t n, const double *values)
{
    union ir_attrs at = {.cast = {.to = to}};
    return RUN(IR_cast, &at, line(from, n, values));
}

START_TEST(casts_by_hand)
{
    const double *x = VALUES(-1.9, 2.9, 300, NAN);
    EXPECT(cast(IR_F32, IR_I64, 4, x), IR_I64, SHAPE(4), VALUES(-1, 2, 300, 0));
    EXPECT(cast(IR_F32, IR_U8, 4, x), IR_U8, SHAPE(4), VALUES(255, 2, 44, 0));
    EXPECT(cast(IR_F32, IR_I8, 4, x), IR_I8, SHAPE(4), VALUES(-1, 2, 44, 0));
    EXPECT(cast(IR_F64, IR_I32, 3, VALUES(1e300, -1e300, 5.5)), IR_I32, SHAPE(3),
           VALUES(0x1p30, -0x1p30, 5));
    EXPECT(cast(IR_F32, IR_BOOL, 3, VALUES(0, 0.5, NAN)), IR_BOOL, SHAPE(3), VALUES(0, 1, 1));
    EXPECT(cast(IR_F32, IR_F16, 2, VALUES(0.1, 1e9)), IR_F16, SHAPE(2),
           VALUES(0.0999755859375, INFINITY));
    EXPECT(cast(IR_I64, IR_I8, 2, VALUES(300, -1)), IR_I8, SHAPE(2), VALUES(44, -1));
    EXPECT(cast(IR_I64, IR_F32, 2, VALUES(3, -1)), IR_F32, SHAPE(2), VALUES(3, -1));
    EXPECT(cast(IR_BOOL, IR_I64, 2, VALUES(1, 0)), IR_I64, SHAPE(2), VALUES(1, 0));
    EXPECT(cast(IR_F16, IR_F64, 1, VALUES(0.5)), IR_F64, SHAPE(1), VALUES(0.5));
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("eval");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, unary_floats);
    tcase_add_test(tc, unary_other_types);
    tcase_add_test(tc, binary_floats);
    tcase_add_test(tc, binary_integers);
    tcase_add_test(tc, integer_division_by_zero_is_an_error);
    tcase_add_test(tc, broadcast_by_hand);
    tcase_add_test(tc, broadcast_of_random_shapes);
    tcase_add_test(tc, conv_equals_plain_loops);
    tcase_add_test(tc, mvm_equals_conv);
    tcase_add_test(tc, conv_with_absurd_padding_is_refused);
    tcase_add_test(tc, windows_of_absurd_size);
    tcase_add_test(tc, matmul_follows_numpy);
    tcase_add_test(tc, batch_norm_by_hand);
    tcase_add_test(tc, layer_norm_by_hand);
    tcase_add_test(tc, softmax_by_hand);
    tcase_add_test(tc, reductions_by_hand);
    tcase_add_loop_test(tc, overlap_add_by_hand, 0, 2);
    tcase_add_test(tc, overlap_add_keeps_channels_apart);
    tcase_add_loop_test(tc, pools_by_hand, 0, 2);
    tcase_add_test(tc, pools_keep_channels_apart);
    tcase_add_test(tc, moves_by_hand);
    tcase_add_test(tc, crossbar_reshape_follows_nesting_orders);
    tcase_add_test(tc, pads_by_hand);
    tcase_add_test(tc, where_of_masks);
    tcase_add_test(tc, compile_time_by_hand);
    tcase_add_test(tc, casts_by_hand);
    Suite *suite = suite_create("eval");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
