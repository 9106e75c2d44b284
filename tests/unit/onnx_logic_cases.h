/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_logic_cases.h - part of onnx_test.c: functions of one operand, conditions, bounds and types
 * at run time, evaluated. Functions by PyTorch, in f64; the rest by hand.
 */
#ifndef CIMC_ONNX_LOGIC_CASES_H
#define CIMC_ONNX_LOGIC_CASES_H

/* Each at -20 -1.5 -0.25 0.001 0.5 3, or where it is defined. */
static const struct {
    const char *op, *attr;
    float value; /* of the attribute */
    float want[6];
} unary_functions[] = {
    {"Erf", NULL, 0, {-1, -0.966105146f, -0.27632639f, 0.00112837884f, 0.520499878f, 0.99997791f}},
    {"Sinh",
     NULL,
     0,
     {-2.42582598e8f, -2.12927946f, -0.252612317f, 0.00100000021f, 0.521095305f, 10.0178749f}},
    {"Cosh",
     NULL,
     0,
     {2.42582598e8f, 2.35240962f, 1.0314131f, 1.0000005f, 1.12762597f, 10.067662f}},
    {"Asinh",
     NULL,
     0,
     {-3.68950387f, -1.19476322f, -0.247466462f, 0.000999999881f, 0.481211825f, 1.81844646f}},
    {"Tan",
     NULL,
     0,
     {-2.23716094f, -14.1014199f, -0.255341921f, 0.00100000038f, 0.54630249f, -0.142546543f}},
    {"Gelu",
     NULL,
     0,
     {0, -0.100210802f, -0.100323419f, 0.000500398966f, 0.345731231f, 2.99595031f}},
    {"com.microsoft.FastGelu",
     NULL,
     0,
     {0, -0.100428423f, -0.100324649f, 0.000500398966f, 0.34571401f, 2.99636261f}},
    {"com.microsoft.QuickGelu",
     NULL,
     0,
     {0, -0.108337802f, -0.0988003501f, 0.000500425524f, 0.350388437f, 2.98192869f}},
    {"Shrink", "bias", 0.5f, {-19.5f, -1, 0, 0, 0, 2.5f}},
    {"ThresholdedRelu", "alpha", 0.25f, {0, 0, 0, 0, 0.5f, 3}},
    {"Sign", NULL, 0, {-1, -1, -1, 1, 1, 1}},
    {"Round", NULL, 0, {-20, -2, 0, 0, 0, 3}},
    {"Floor", NULL, 0, {-20, -2, -1, 0, 0, 3}},
    {"Ceil", NULL, 0, {-20, -1, 0, 1, 1, 3}},
};
enum { N_FUNCTIONS = sizeof unary_functions / sizeof *unary_functions };

START_TEST(unary_operators)
{
    const char *op = unary_functions[_i].op, *dot = strrchr(op, '.');
    struct text f = node(dot ? dot + 1 : op, "f", "x", "y");
    if (dot)
        put_str(&f, 7, "com.microsoft");
    if (unary_functions[_i].attr)
        attr_float(&f, unary_functions[_i].attr, unary_functions[_i].value);
    struct model m = one_node(20, f, DIMS(6));
    expect(&m, AT(-20, -1.5f, -0.25f, 1e-3f, 0.5f, 3), unary_functions[_i].want, 6);
}
END_TEST

/* Where one plus or minus x is close to 1, and where x^2 is no number. */
START_TEST(inverse_hyperbolic_functions)
{
    struct model m = one_node(22, node("Acosh", "", "x", "y"), DIMS(6));
    EXPECT(&m, AT(1, 1.0001f, 1.5f, 3, 1e4f, 1e18f), 0, 0.0141431911f, 0.96242365f, 1.76274717f,
           9.90348755f, 42.1396788f);
    m = one_node(22, node("Atanh", "", "x", "y"), DIMS(6));
    EXPECT(&m, AT(-0.999f, -0.5f, -1e-4f, 0, 0.25f, 0.9f), -3.80020761f, -0.549306144f,
           -9.99999978e-05f, 0, 0.255412812f, 1.47221936f);
    m = one_node(22, node("Asinh", "", "x", "y"), DIMS(2)); /* log(2e30), of numbers of 24 bits */
    EXPECT(&m, AT(1e30f, -1e30f), 69.7707f, -69.7707f);
}
END_TEST

/* y = the condition as a float; x is -1, 0, 1, NaN. */
START_TEST(conditions)
{
    static const struct {
        const char *op, *in;
        float want[4];
    } c[] = {{"Less", "x zero", {1, 0, 0, 0}},    {"LessOrEqual", "x zero", {1, 1, 0, 0}},
             {"Greater", "x zero", {0, 0, 1, 0}}, {"GreaterOrEqual", "x zero", {0, 1, 1, 0}},
             {"Equal", "x zero", {0, 1, 0, 0}},   {"IsNaN", "x", {0, 0, 0, 1}},
             {"And", "low high", {0, 0, 0, 0}},   {"Or", "low high", {1, 0, 1, 0}},
             {"Xor", "low yes", {0, 1, 1, 1}},    {"Not", "low", {0, 1, 1, 1}}};
    struct text cast = node("Cast", "", "c", "y");
    attr_int(&cast, "to", FLOAT);
    struct model m = one_node(13, cast, DIMS(4));
    model_node(&m, node(c[_i].op, "", c[_i].in, "c"));
    model_node(&m, node("Less", "", "x zero", "low"));
    model_node(&m, node("Greater", "", "x zero", "high"));
    model_init(&m, tensor("zero", FLOAT, 0, NULL, AT(0), 4));
    model_init(&m, tensor("yes", BOOL, DIMS(1), "\1", 1));
    expect(&m, AT(-1, 0, 1, NAN), c[_i].want, 4);
}
END_TEST

START_TEST(infinities)
{
    struct text cast = node("Cast", "", "c", "y"), is = node("IsInf", "", "x", "c");
    attr_int(&cast, "to", FLOAT);
    attr_int(&is, "detect_negative", _i & 1);
    attr_int(&is, "detect_positive", _i >> 1);
    struct model m = one_node(20, cast, DIMS(4));
    model_node(&m, is);
    EXPECT(&m, AT(-INFINITY, 5, NAN, INFINITY), (float)(_i & 1), 0, 0, (float)(_i >> 1));
}
END_TEST

/* What stands at run time for int64 is i32; constants that meet it must fit. */
START_TEST(constants_of_64_bits_meet_run_time_integers)
{
    const int64_t limit = _i ? (int64_t)1 << 40 : 3;
    struct text cast = node("Cast", "", "x", "i"), back = node("Cast", "", "m", "y");
    attr_int(&cast, "to", INT64);
    attr_int(&back, "to", FLOAT);
    struct model m = one_node(13, back, DIMS(3));
    model_node(&m, cast);
    model_node(&m, node("Min", "", "i limit", "m"));
    model_init(&m, tensor("limit", INT64, 0, NULL, &limit, 8));
    if (_i)
        ck_assert(rejected(&m, DIAG_ONNX_ATTR, "a constant is 1099511627776"));
    else
        EXPECT(&m, AT(-2.9f, 2.9f, 7), -2, 2, 3);
}
END_TEST

/* Both choices are constants of 64 bits; the result is one of run time. */
START_TEST(choice_between_constants_of_64_bits)
{
    struct text back = node("Cast", "", "w", "y");
    attr_int(&back, "to", FLOAT);
    struct model m = one_node(13, back, DIMS(2));
    model_node(&m, node("Greater", "", "x zero", "c"));
    model_node(&m, node("Where", "", "c five seven", "w"));
    model_init(&m, tensor("zero", FLOAT, 0, NULL, AT(0), 4));
    model_init(&m, INTS("five", 5));
    model_init(&m, INTS("seven", 7));
    EXPECT(&m, AT(1, -1), 5, 7);
}
END_TEST

/* Bounds that are computed; one of them absent. */
START_TEST(clip_by_run_time_bounds)
{
    struct model m = one_node(13, node("Clip", "", "x lo", "y"), DIMS(3));
    struct text lo = node("ReduceMean", "", "x", "lo");
    attr_int(&lo, "keepdims", 0);
    model_node(&m, lo);
    EXPECT(&m, AT(1, 2, 6), 3, 3, 6);
}
END_TEST

START_TEST(choice_by_a_condition)
{
    struct model m = one_node(13, node("Where", "", "c x tenth", "y"), DIMS(3));
    model_node(&m, node("Greater", "", "x zero", "c"));
    model_node(&m, node("Mul", "", "x factor", "tenth"));
    model_init(&m, tensor("zero", FLOAT, 0, NULL, AT(0), 4));
    model_init(&m, tensor("factor", FLOAT, 0, NULL, AT(0.125f), 4));
    EXPECT(&m, AT(-8, 0, 8), -1, 0, 8);
}
END_TEST

START_TEST(integers_to_a_power)
{
    struct text cast = node("Cast", "", "x", "i"), back = node("Cast", "", "p", "y");
    attr_int(&cast, "to", INT32);
    attr_int(&back, "to", FLOAT);
    struct model m = one_node(13, back, DIMS(3));
    model_node(&m, cast);
    model_node(&m, node("Pow", "", "i e", "p"));
    model_init(&m, _i == 0 ? INTS("e", 5) : _i == 1 ? INTS("e", 0, 9, 4) : INTS("e", 1, 2, -1));
    if (_i == 2)
        ck_assert(rejected(&m, DIAG_ONNX_ATTR, "whole exponents of 0 to 1024"));
    else if (_i == 1)
        EXPECT(&m, AT(5, -2, 10), 1, -512, 10000);
    else
        EXPECT(&m, AT(-3, 7, 0), -243, 16807, 0);
}
END_TEST

static void add_logic_cases(TCase *tc)
{
    tcase_add_loop_test(tc, unary_operators, 0, N_FUNCTIONS);
    tcase_add_test(tc, inverse_hyperbolic_functions);
    tcase_add_loop_test(tc, conditions, 0, 10);
    tcase_add_loop_test(tc, infinities, 0, 4);
    tcase_add_loop_test(tc, constants_of_64_bits_meet_run_time_integers, 0, 2);
    tcase_add_test(tc, choice_between_constants_of_64_bits);
    tcase_add_test(tc, clip_by_run_time_bounds);
    tcase_add_test(tc, choice_by_a_condition);
    tcase_add_loop_test(tc, integers_to_a_power, 0, 3);
}

#endif
