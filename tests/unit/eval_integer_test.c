/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_integer_test.c - what quantised graphs compute, against numbers worked out by hand and base
 * layers against plain loops in 64 bits.
 */
#include "eval_rig.h"
#include "../run_suite.h"

static struct tensor number(enum ir_dtype dtype, double x)
{
    return make(dtype, SCALAR, &x);
}

/* ---- quantize, dequantize ---- */

static union ir_attrs to_u8(void)
{
    return (union ir_attrs){.quantize = {.dtype = IR_U8, .lo = 0, .hi = 255}};
}

START_TEST(quantize_rounds_halves_to_even_then_adds_zero)
{
    union ir_attrs at = to_u8();
    /* 2.5 -> 2 -> 3, 3.5 -> 4 -> 5, -0.5 -> 0 -> 1, -1.5 -> -2 -> -1 -> 0, 300 -> 301 -> 255, NaN
     */
    EXPECT(RUN(IR_quantize, &at,
               line(IR_F32, 8, VALUES(2.5, 3.5, -0.5, -1.5, 300, NAN, INFINITY, -INFINITY)),
               number(IR_F32, 1), number(IR_U8, 1)),
           IR_U8, SHAPE(8), VALUES(3, 5, 1, 0, 255, 1, 255, 0));
    /* The sum with zero comes after rounding: 0.5 -> 0, + 1 = 1; rounding 1.5 would give 2. */
    EXPECT(RUN(IR_quantize, &at, line(IR_F32, 1, VALUES(0.5)), number(IR_F32, 1), number(IR_U8, 1)),
           IR_U8, SHAPE(1), VALUES(1));
    at.quantize.dtype = IR_I8;
    at.quantize.lo = -7; /* 4 bits, symmetric */
    at.quantize.hi = 7;
    EXPECT(RUN(IR_quantize, &at, line(IR_F32, 4, VALUES(0.9, -9, 1.25, 100)), number(IR_F32, 0.5)),
           IR_I8, SHAPE(4), VALUES(2, -7, 2, 7));
    at.quantize.dtype = IR_I32;
    at.quantize.lo = -(1 << 30);
    at.quantize.hi = 1 << 30;
    EXPECT(RUN(IR_quantize, &at, line(IR_F32, 3, VALUES(-16777216, 3e38, -2.5)), number(IR_F32, 1)),
           IR_I32, SHAPE(3), VALUES(-16777216, 1 << 30, -2));
}
END_TEST

/* 11.5 * 0.02 in f32 gives 11.5 again when divided by 0.02, a tie; 1/0.02 times it is below. */
START_TEST(quantize_divides)
{
    union ir_attrs at = to_u8();
    float s = 0.02f, x = 11.5f * s, inverse = 1.0f / s, product = x * inverse;
    ck_assert(x / s == 11.5f && product < 11.5f);
    EXPECT(RUN(IR_quantize, &at, line(IR_F32, 1, VALUES((double)x)), number(IR_F32, (double)s)),
           IR_U8, SHAPE(1), VALUES(12));
}
END_TEST

START_TEST(parameters_along_an_axis)
{
    union ir_attrs at = {.quantize = {.dtype = IR_I8, .axis = 1, .lo = -128, .hi = 127}};
    EXPECT(RUN(IR_quantize, &at, make(IR_F32, SHAPE(1, 2, 2), VALUES(1, 2, 3, 4)),
               line(IR_F32, 2, VALUES(1, 0.5)), line(IR_I8, 2, VALUES(10, -10))),
           IR_I8, SHAPE(1, 2, 2), VALUES(11, 12, -4, -2));
    union ir_attrs back = {.dequantize = {.axis = 1}};
    EXPECT(RUN(IR_dequantize, &back, make(IR_I8, SHAPE(1, 2, 2), VALUES(11, 12, -4, -2)),
               line(IR_F32, 2, VALUES(1, 0.5)), line(IR_I8, 2, VALUES(10, -10))),
           IR_F32, SHAPE(1, 2, 2), VALUES(1, 2, 3, 4));
    union ir_attrs rows = {.dequantize = {.axis = 0}};
    EXPECT(RUN_AT(IR_CROSSBAR, IR_dequantize, &rows,
                  make(IR_U8, SHAPE(2, 1, 2), VALUES(1, 2, 3, 4)),
                  make(IR_F32, SHAPE(2, 1, 1), VALUES(1, 10))),
           IR_F32, SHAPE(2, 1, 2), VALUES(1, 2, 30, 40));
}
END_TEST

/* (1, 2; 3, 4) by (5, 6; 7, 8), also transposed; one matrix for two rows; 255 * 255 twice. */
START_TEST(products_of_two_values)
{
    union ir_attrs nk = {0}, kn = {.dot = {.kn = 1}}, none = {0};
    struct tensor a = make(IR_F32, SHAPE(1, 2, 2), VALUES(1, 2, 3, 4));
    struct tensor b = make(IR_F32, SHAPE(1, 2, 2), VALUES(5, 6, 7, 8));
    EXPECT(RUN_AT(IR_CROSSBAR, IR_dot, &kn, a, b), IR_F32, SHAPE(1, 2, 2), VALUES(19, 22, 43, 50));
    a = make(IR_F32, SHAPE(1, 2, 2), VALUES(1, 2, 3, 4));
    b = make(IR_F32, SHAPE(1, 2, 2), VALUES(5, 6, 7, 8));
    EXPECT(RUN_AT(IR_CROSSBAR, IR_dot, &nk, a, b), IR_F32, SHAPE(1, 2, 2), VALUES(17, 23, 39, 53));
    /* 1e8 + 1 is 1e8, and only then comes -1e8 */
    EXPECT(RUN_AT(IR_CROSSBAR, IR_dot, &nk, make(IR_F32, SHAPE(2, 1, 3), VALUES(1, 1, 1, 2, 0, 1)),
                  make(IR_F32, SHAPE(1, 1, 3), VALUES(1e8, 1, -1e8))),
           IR_F32, SHAPE(2, 1, 1), VALUES(0, 1e8));
    EXPECT(RUN_AT(IR_CROSSBAR, IR_dot, &nk, make(IR_U8, SHAPE(1, 1, 2), VALUES(255, 255)),
                  make(IR_U8, SHAPE(1, 2, 2), VALUES(255, 255, 1, 0))),
           IR_I32, SHAPE(1, 1, 2), VALUES(130050, 255));
    EXPECT(RUN_AT(IR_INTEGER, IR_matmul, &none, make(IR_U8, SHAPE(2, 1, 2), VALUES(1, 2, 3, 4)),
                  make(IR_U8, SHAPE(2, 2), VALUES(5, 6, 7, 8))),
           IR_I32, SHAPE(2, 1, 2), VALUES(19, 22, 43, 50));
}
END_TEST

START_TEST(dequantize_of_i32_rounds_once)
{
    /* 2^24 + 1 is no f32: half to even is 2^24; 2^24 + 3 is 2^24 + 4 */
    EXPECT(RUN(IR_dequantize, NULL, line(IR_I32, 3, VALUES(16777217, 16777219, -2147483648.0)),
               number(IR_F32, 0.5)),
           IR_F32, SHAPE(3), VALUES(8388608, 8388610, -1073741824));
    /* -128 - 127 is no i8 */
    EXPECT(RUN(IR_dequantize, NULL, line(IR_I8, 1, VALUES(-128)), number(IR_F32, 1),
               number(IR_I8, 127)),
           IR_F32, SHAPE(1), VALUES(-255));
}
END_TEST

/* ---- requantize ---- */

static struct tensor requantize(union ir_attrs *at, double acc, double mult, double add)
{
    bool fixed = at->requantize.kind == IR_REQUANT_FIXED;
    struct tensor in[4] = {line(IR_I32, 1, &acc), number(IR_I32, 0),
                           number(fixed ? IR_I32 : IR_F32, mult)};
    if (fixed)
        in[3] = number(IR_I32, add);
    return run_at(IR_INTEGER, IR_requantize, at, fixed ? 4 : 3, in);
}

/* s_x .02, s_w .005, s_y .1, zero 3 of i8, which is 131 of u8. */
START_TEST(requantize_by_float)
{
    static const double cases[][2] = {
        {12345, 15 + 128}, {-4500, -1 + 128}, {127500, 127 + 128}, {499, 3 + 128}, {501, 4 + 128}};
    union ir_attrs at = {.requantize = {.kind = IR_REQUANT_F32, .zero = 131, .hi = 255}};
    float product = 0.02f * 0.005f, m = product / 0.1f;
    ck_assert(m == 0x1.0624dcp-10f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        EXPECT(requantize(&at, cases[i][0], (double)m, 0), IR_U8, SHAPE(1), &cases[i][1]);
    at.requantize.zero = 10;
    EXPECT(requantize(&at, -3, 0.5, 0), IR_U8, SHAPE(1), VALUES(10 - 2)); /* -1.5, half to even */
    EXPECT(requantize(&at, 5, 0.5, 0), IR_U8, SHAPE(1), VALUES(10 + 2));
    at.requantize.zero = 0;
    EXPECT(requantize(&at, 16777217, 0x1p-17, 0), IR_U8, SHAPE(1), VALUES(128));
    at.requantize.lo = 7; /* a relu */
    EXPECT(requantize(&at, -100, 1, 0), IR_U8, SHAPE(1), VALUES(7));
}
END_TEST

START_TEST(requantize_by_fixed_point)
{
    union ir_attrs at = {
        .requantize = {.kind = IR_REQUANT_FIXED, .shift = 31, .zero = 10, .hi = 255}};
    EXPECT(requantize(&at, -3, 1 << 30, 0), IR_U8, SHAPE(1), VALUES(10 - 1)); /* half up */
    EXPECT(requantize(&at, 5, 1 << 30, 0), IR_U8, SHAPE(1), VALUES(10 + 3));
    at.requantize.zero = 0;
    at.requantize.shift = 16;
    EXPECT(requantize(&at, 64, 514, 0), IR_U8, SHAPE(1), VALUES(1));
    EXPECT(requantize(&at, 63, 514, 0), IR_U8, SHAPE(1), VALUES(0));
    EXPECT(requantize(&at, -25088, 514, 0), IR_U8, SHAPE(1), VALUES(0));
    EXPECT(requantize(&at, 32444, 514, 0), IR_U8, SHAPE(1), VALUES(254));
    /* (3*2^10 + 40*2^16) >> 16 = 40; without a shift there is no half */
    EXPECT(requantize(&at, 3, 1024, 40 << 16), IR_U8, SHAPE(1), VALUES(40));
    at.requantize.shift = 0;
    EXPECT(requantize(&at, 3, 2, 1), IR_U8, SHAPE(1), VALUES(7));
    /* 2^31 - 1 squared is the largest product; shifted by 62 it is below 1, with half it is 1 */
    at.requantize.shift = 62;
    EXPECT(requantize(&at, INT32_MAX, INT32_MAX, 0), IR_U8, SHAPE(1), VALUES(1));
}
END_TEST

START_TEST(bias_of_2_to_the_30_is_exact)
{
    union ir_attrs at = {.requantize = {.kind = IR_REQUANT_F32, .hi = 255}};
    struct tensor acc = line(IR_I32, 1, VALUES(-1073741952.0 + 7));
    EXPECT(
        RUN_AT(IR_INTEGER, IR_requantize, &at, acc, number(IR_I32, 1073741952), number(IR_F32, 1)),
        IR_U8, SHAPE(1), VALUES(7));
    struct tensor most = line(IR_I32, 1, VALUES(INT32_MAX));
    struct tensor t =
        RUN_AT(IR_INTEGER, IR_requantize, &at, most, number(IR_I32, 1), number(IR_F32, 1));
    ck_assert_ptr_null(t.data);
    ck_assert_uint_eq(diag->n_errors, 1);
}
END_TEST

START_TEST(tables)
{
    double squares[256];
    for (int i = 0; i < 256; i++)
        squares[i] = i * i;
    EXPECT(RUN_AT(IR_INTEGER, IR_table, NULL, line(IR_U8, 3, VALUES(0, 16, 255)),
                  line(IR_I32, 256, squares)),
           IR_I32, SHAPE(3), VALUES(0, 256, 65025));
    /* the low 8 bits count */
    EXPECT(RUN_AT(IR_INTEGER, IR_table, NULL, line(IR_I32, 2, VALUES(258, -1)),
                  line(IR_F32, 256, squares)),
           IR_F32, SHAPE(2), VALUES(4, 65025));
}
END_TEST

/* ---- chains of the worked examples ---- */

/* q -> (q - z) * s as f32 */
static double real(int q, int z, float s)
{
    struct tensor t = RUN(IR_dequantize, NULL, line(IR_U8, 1, VALUES(q)), number(IR_F32, (double)s),
                          number(IR_U8, z));
    double x = get(&t, 0);
    tensor_free(&t);
    return x;
}

/* 91 (z 0, s .05) + 100 (z 20, s .03) -> s .08, z 10: 86.875 -> 87 + 10 */
START_TEST(addition_of_two_scales)
{
    struct tensor sum = RUN(IR_add, NULL, line(IR_F32, 1, VALUES(real(91, 0, 0.05f))),
                            line(IR_F32, 1, VALUES(real(100, 20, 0.03f))));
    union ir_attrs at = to_u8();
    EXPECT(RUN(IR_quantize, &at, sum, number(IR_F32, (double)0.08f), number(IR_U8, 10)), IR_U8,
           SHAPE(1), VALUES(97));
}
END_TEST

/* s = .1, q = (10, 0, -20) of i8; E = 2^20 * exp(-d*s); s_y = 1/256, z = -128 of i8, 0 of u8. */
START_TEST(softmax_by_table)
{
    double e[256];
    for (int i = 0; i < 256; i++)
        e[i] = rint(0x1p20 * exp(-i * (double)0.1f));
    ck_assert(e[0] == 1048576 && e[10] == 385750 && e[30] == 52206);
    struct tensor terms = RUN_AT(IR_INTEGER, IR_table, NULL, line(IR_I32, 3, VALUES(0, 10, 30)),
                                 line(IR_I32, 256, e));
    struct tensor copy = tensor_copy(&terms);
    union ir_attrs along = {.reduce = {.kind = IR_REDUCE_SUM, .axes = INTS(0)}};
    struct tensor sum = RUN_AT(IR_INTEGER, IR_reduce, &along, copy);
    ck_assert(get(&sum, 0) == 1486532);
    union ir_attrs to_f32 = {.cast = {.to = IR_F32}};
    struct tensor p = RUN_AT(IR_INTEGER, IR_div, NULL, RUN_AT(IR_INTEGER, IR_cast, &to_f32, terms),
                             RUN_AT(IR_INTEGER, IR_cast, &to_f32, sum));
    copy = tensor_copy(&p);
    expect_near(copy, IR_F32, SHAPE(3), VALUES(.70538408, .25949660, .03511932), 5e-9 + 6e-8);
    union ir_attrs at = to_u8();
    EXPECT(RUN_AT(IR_INTEGER, IR_quantize, &at, p, number(IR_F32, 0x1p-8)), IR_U8, SHAPE(3),
           VALUES(53 + 128, -62 + 128, -119 + 128));
}
END_TEST

/* ---- windows, reductions ---- */

/* (3, 4) -> 3.5 -> 4, (4, 5) -> 4.5 -> 4 */
START_TEST(average_of_bytes)
{
    union ir_attrs pool = {.avg_pool = {.kernel = {1, 2}, .stride = {1, 2}, .dilation = {1, 1}}};
    struct tensor means =
        RUN_AT(IR_INTEGER, IR_avg_pool, &pool, make(IR_U8, SHAPE(1, 1, 1, 4), VALUES(3, 4, 4, 5)));
    union ir_attrs at = to_u8();
    EXPECT(RUN_AT(IR_INTEGER, IR_quantize, &at, means, number(IR_F32, 1)), IR_U8, SHAPE(1, 1, 1, 2),
           VALUES(4, 4));
    /* sums that f32 would round: 3 * 255 / 3, and the border has fewer cells */
    union ir_attrs padded = {
        .avg_pool = {.kernel = {1, 3}, .stride = {1, 1}, .dilation = {1, 1}, .pad = {0, 1, 0, 1}}};
    EXPECT(RUN_AT(IR_CROSSBAR, IR_avg_pool, &padded,
                  make(IR_U8, SHAPE(1, 3, 1), VALUES(255, 254, 10))),
           IR_F32, SHAPE(1, 3, 1), VALUES(254.5, 173, 132));
    padded.avg_pool.count_pad = 1;
    padded.avg_pool.counted[1] = 1;
    EXPECT(RUN_AT(IR_CROSSBAR, IR_avg_pool, &padded,
                  make(IR_U8, SHAPE(1, 3, 1), VALUES(255, 255, 10))),
           IR_F32, SHAPE(1, 3, 1), VALUES(170, 520.0f / 3, 132.5));
}
END_TEST

START_TEST(maximum_of_bytes)
{
    union ir_attrs pool = {
        .max_pool = {.kernel = {2, 2}, .stride = {1, 1}, .dilation = {1, 1}, .pad = {1, 1, 0, 0}}};
    EXPECT(RUN(IR_max_pool, &pool, make(IR_I8, SHAPE(1, 1, 2, 2), VALUES(-128, -100, -7, -128))),
           IR_I8, SHAPE(1, 1, 2, 2), VALUES(-128, -100, -7, -7));
    EXPECT(RUN_AT(IR_CROSSBAR, IR_max_pool, &pool,
                  make(IR_U8, SHAPE(2, 2, 2), VALUES(1, 200, 2, 100, 3, 50, 255, 0))),
           IR_U8, SHAPE(2, 2, 2), VALUES(1, 200, 2, 200, 3, 200, 255, 200));
}
END_TEST

START_TEST(reductions_of_integers)
{
    union ir_attrs sum = {.reduce = {.kind = IR_REDUCE_SUM, .axes = INTS(1)}};
    union ir_attrs most = {.reduce = {.kind = IR_REDUCE_MAX, .axes = INTS(0)}};
    EXPECT(RUN_AT(IR_INTEGER, IR_reduce, &sum,
                  make(IR_U8, SHAPE(2, 3), VALUES(255, 255, 255, 1, 2, 3))),
           IR_I32, SHAPE(2, 1), VALUES(765, 6));
    EXPECT(
        RUN_AT(IR_INTEGER, IR_reduce, &most, make(IR_U8, SHAPE(2, 3), VALUES(255, 0, 7, 1, 2, 3))),
        IR_U8, SHAPE(1, 3), VALUES(255, 2, 7));
    EXPECT(RUN_AT(IR_INTEGER, IR_reduce, &sum,
                  make(IR_I32, SHAPE(1, 2), VALUES(2147483647, 2147483647))),
           IR_I32, SHAPE(1, 1), VALUES(-2)); /* wraps */
    EXPECT(
        RUN_AT(IR_INTEGER, IR_reduce, &most, make(IR_I32, SHAPE(2, 1), VALUES(-2147483648.0, -5))),
        IR_I32, SHAPE(1, 1), VALUES(-5));
}
END_TEST

START_TEST(arithmetic_of_i32_wraps)
{
    struct tensor a = line(IR_I32, 2, VALUES(2147483647, -2147483648.0));
    EXPECT(RUN_AT(IR_INTEGER, IR_add, NULL, tensor_copy(&a), number(IR_I32, 1)), IR_I32, SHAPE(2),
           VALUES(-2147483648.0, -2147483647));
    EXPECT(RUN_AT(IR_INTEGER, IR_sub, NULL, tensor_copy(&a), number(IR_I32, 1)), IR_I32, SHAPE(2),
           VALUES(2147483646, 2147483647));
    EXPECT(RUN_AT(IR_INTEGER, IR_mul, NULL, tensor_copy(&a), number(IR_I32, 3)), IR_I32, SHAPE(2),
           VALUES(2147483645, -2147483648.0));
    EXPECT(RUN_AT(IR_INTEGER, IR_max, NULL, a, number(IR_I32, 5)), IR_I32, SHAPE(2),
           VALUES(2147483647, 5));
    union ir_attrs bounds = {.clip = {.lo = 10, .hi = INFINITY}};
    EXPECT(RUN_AT(IR_INTEGER, IR_clip, &bounds, line(IR_U8, 2, VALUES(3, 255))), IR_U8, SHAPE(2),
           VALUES(10, 255));
}
END_TEST

/* ---- base layers ---- */

static const union ir_attrs one_tap = {
    .mvm = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1, .x_bits = 8}};

START_TEST(products_by_hand)
{
    /* 200*-5 + 3*7 */
    EXPECT(RUN_AT(IR_CROSSBAR, IR_mvm, &one_tap, make(IR_U8, SHAPE(1, 1, 2), VALUES(200, 3)),
                  make(IR_I8, SHAPE(2, 1), VALUES(-5, 7))),
           IR_I32, SHAPE(1, 1, 1), VALUES(-979));
    /* w_u = (0, 255), z_w = 121: stored (-128, 127), center 7; 2*-121 + 3*134 */
    EXPECT(RUN_AT(IR_CROSSBAR, IR_mvm, &one_tap, make(IR_U8, SHAPE(1, 1, 2), VALUES(2, 3)),
                  make(IR_I8, SHAPE(2, 1), VALUES(-128, 127)), line(IR_I32, 1, VALUES(7))),
           IR_I32, SHAPE(1, 1, 1), VALUES(160));
    EXPECT(RUN_AT(IR_INTEGER, IR_matmul, NULL, make(IR_U8, SHAPE(1, 2), VALUES(2, 3)),
                  make(IR_I8, SHAPE(2, 1), VALUES(-128, 127)), line(IR_I32, 1, VALUES(7))),
           IR_I32, SHAPE(1, 1), VALUES(160));
}
END_TEST

/* z = 10, w = (-5, 7), bias 100: -899 = 190*-5 + -7*7 + 100; with the second tap padded by 10,
 * -850 = 190*-5 + 100. bias' = 100 - 10*2. */
START_TEST(zero_point_and_padding)
{
    union ir_attrs pad = {
        .pad = {.before = INTS(0, 0, 0, 0), .after = INTS(0, 0, 0, 1), .value = 10}};
    union ir_attrs conv = {
        .conv = {.kernel = {1, 2}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1}};
    struct tensor x =
        RUN_AT(IR_INTEGER, IR_pad, &pad, make(IR_U8, SHAPE(1, 1, 1, 3), VALUES(200, 3, 200)));
    struct tensor acc =
        RUN_AT(IR_INTEGER, IR_conv, &conv, x, make(IR_I8, SHAPE(1, 1, 1, 2), VALUES(-5, 7)));
    EXPECT(RUN_AT(IR_INTEGER, IR_add, NULL, acc, number(IR_I32, 80)), IR_I32, SHAPE(1, 1, 1, 3),
           VALUES(-899, 3 * -5 + 200 * 7 + 80, -850));
}
END_TEST

static struct tensor random_integers(uint64_t *seed, enum ir_dtype dtype, size_t rank,
                                     const int64_t *dim)
{
    struct ir_type type = ir_type_of(dtype, (uint32_t)rank, dim);
    struct tensor t = tensor_new(&type);
    for (int64_t i = 0; i < ir_count(&type); i++)
        put(&t, i,
            (double)(dtype == IR_U8 ? random_below(seed, 256) : random_below(seed, 256) - 128));
    return t;
}

/* Convolution in 64 bits, [N,C,H,W], element by element. */
static int64_t plain_sum(const struct ir_attrs_conv *at, const struct tensor *const in[3],
                         const int64_t o[4])
{
    const int64_t *x = in[0]->type.dim, *w = in[1]->type.dim;
    int64_t first = o[1] / (w[0] / at->group) * w[1], sum = 0;
    for (int64_t i = 0; i < w[1] * w[2] * w[3]; i++) {
        int64_t c = i / (w[2] * w[3]), kh = i / w[3] % w[2], kw = i % w[3];
        int64_t row = o[2] * at->stride[0] + kh * at->dilation[0];
        int64_t column = o[3] * at->stride[1] + kw * at->dilation[1];
        int64_t e = (int64_t)get(in[0], ((o[0] * x[1] + first + c) * x[2] + row) * x[3] + column);
        sum += e * (int64_t)(get(in[1], o[1] * w[1] * w[2] * w[3] + i) + get(in[2], o[1]));
    }
    return sum;
}

START_TEST(convolution_against_plain_loops)
{
    uint64_t seed = 77 + (uint64_t)_i;
    struct ir_attrs_conv at = {.group = 1 + random_below(&seed, 3)};
    int64_t dim[4] = {1 + random_below(&seed, 2), 0, 0, 0}, weights[4];
    weights[1] = 1 + random_below(&seed, 4);
    weights[0] = at.group * (1 + random_below(&seed, 3));
    dim[1] = weights[1] * at.group;
    for (int a = 0; a < 2; a++) {
        at.kernel[a] = weights[2 + a] = 1 + random_below(&seed, 3);
        at.stride[a] = 1 + random_below(&seed, 3);
        at.dilation[a] = 1 + random_below(&seed, 2);
        dim[2 + a] = (at.kernel[a] - 1) * at.dilation[a] + 1 + random_below(&seed, 5);
    }
    struct tensor x = random_integers(&seed, IR_U8, 4, dim);
    struct tensor w = random_integers(&seed, IR_I8, 4, weights);
    struct tensor center = random_integers(&seed, IR_I32, 1, weights);
    struct tensor out = RUN_AT(IR_INTEGER, IR_conv, &(union ir_attrs){.conv = at}, tensor_copy(&x),
                               tensor_copy(&w), tensor_copy(&center));
    ck_assert_ptr_nonnull(out.data);
    const int64_t *y = out.type.dim;
    for (int64_t i = 0; i < ir_count(&out.type); i++) {
        int64_t o[4] = {i / (y[1] * y[2] * y[3]), i / (y[2] * y[3]) % y[1], i / y[3] % y[2],
                        i % y[3]};
        int64_t want = plain_sum(&at, (const struct tensor *const[]){&x, &w, &center}, o);
        ck_assert_int_eq((int64_t)get(&out, i), want);
    }
    tensor_free(&x);
    tensor_free(&w);
    tensor_free(&center);
    tensor_free(&out);
}
END_TEST

/* 66,311 rows of 127 are the most: 255 * 127 * 66,311 = 2^31 - 1,913. */
START_TEST(sums_beyond_32_bits_are_an_error)
{
    struct ir_type x = ir_type_of(IR_U8, 2, (int64_t[]){1, 66312}),
                   w = ir_type_of(IR_I8, 2, (int64_t[]){66312, 1});
    for (int64_t rows = 66311; rows <= 66312; rows++) {
        x.dim[1] = w.dim[0] = rows;
        struct tensor a = tensor_new(&x), b = tensor_new(&w);
        memset(a.data, 255, (size_t)rows);
        memset(b.data, 127, (size_t)rows);
        struct tensor t = RUN_AT(IR_INTEGER, IR_matmul, NULL, a, b);
        if (rows == 66311)
            EXPECT(t, IR_I32, SHAPE(1, 1), VALUES(255.0 * 127 * 66311));
        else
            ck_assert_ptr_null(t.data);
    }
    ck_assert_uint_eq(diag->n_errors, 1);
    ck_assert_ptr_nonnull(strstr(diag->first->text, "column 0"));
}
END_TEST

/* ---- ports ---- */

static struct tensor through(enum ir_stage stage, const char *ports, struct tensor in)
{
    struct text t = {0};
    text_add(&t, "graph \"g\" %s {\n%s}\n", stage == IR_CROSSBAR ? "crossbar" : "canonical", ports);
    struct ir_graph *g = ir_parse(t.at, t.n, "t.ir", diag);
    ck_assert_msg(g != NULL, "%s", g ? "" : diag->first->text);
    struct tensor out = {0};
    if (!eval_graph(g, &in, 1, &out, 1, NULL, diag))
        ck_assert_ptr_null(out.data);
    tensor_free(&in);
    text_free(&t);
    ir_graph_free(g);
    return out;
}

START_TEST(ports_have_their_dtype)
{
    static const char canonical[] = "%0 = input {index=0, dtype=\"i8\", shape=[2]}\n"
                                    "%1 = max %0, %0\n"
                                    "output %1 {index=0, dtype=\"i8\", shape=[2]}\n";
    EXPECT(through(IR_CANONICAL, canonical, line(IR_I8, 2, VALUES(-128, 5))), IR_I8, SHAPE(2),
           VALUES(-128, 5));
    /* q + 128 inside; the maximum with 130 is that with 2 outside */
    static const char crossbar[] =
        "%0 = input {index=0, dtype=\"i8\", shape=[2], extent=[1,1,2], strides=[0,0,-1], "
        "offset=1}\n"
        "%1 = constant {dtype=\"u8\", shape=[1,1,1], data=splat(130)}\n"
        "%2 = max %0, %1\n"
        "output %2 {index=0, dtype=\"i8\", shape=[2], strides=[0,0,1]}\n";
    EXPECT(through(IR_CROSSBAR, crossbar, line(IR_I8, 2, VALUES(-128, 5))), IR_I8, SHAPE(2),
           VALUES(5, 2));
    static const char words[] =
        "%0 = input {index=0, dtype=\"i32\", shape=[2], extent=[1,1,2], strides=[0,0,1]}\n"
        "output %0 {index=0, dtype=\"i32\", shape=[2], strides=[0,0,1]}\n";
    EXPECT(through(IR_CROSSBAR, words, line(IR_I32, 2, VALUES(-2147483648.0, 16777217))), IR_I32,
           SHAPE(2), VALUES(-2147483648.0, 16777217));
    ck_assert_ptr_null(through(IR_CROSSBAR, words, line(IR_F32, 2, VALUES(1, 2))).data);
    ck_assert_ptr_nonnull(strstr(diag->first->text, "i32[2]"));
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("eval_integer");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    const TTest *const tests[] = {
        quantize_rounds_halves_to_even_then_adds_zero,
        quantize_divides,
        parameters_along_an_axis,
        dequantize_of_i32_rounds_once,
        requantize_by_float,
        requantize_by_fixed_point,
        bias_of_2_to_the_30_is_exact,
        tables,
        addition_of_two_scales,
        softmax_by_table,
        average_of_bytes,
        maximum_of_bytes,
        reductions_of_integers,
        arithmetic_of_i32_wraps,
        products_by_hand,
        products_of_two_values,
        zero_point_and_padding,
        sums_beyond_32_bits_are_an_error,
        ports_have_their_dtype,
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tc, tests[i]);
    tcase_add_loop_test(tc, convolution_against_plain_loops, 0, 60);
    Suite *suite = suite_create("eval_integer");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
