/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_math_cases.h - part of onnx_test.c: activations, normalisations, reductions and running sums
 * that become several operations, evaluated. Activations by PyTorch, in f64; the rest by hand.
 */
#ifndef CIMC_ONNX_MATH_CASES_H
#define CIMC_ONNX_MATH_CASES_H

static const struct {
    const char *op;
    int opset;
    float alpha; /* attribute; 0: none */
    float want[6];
} activations[] = {
    {"Elu", 7, 2, {-2, -1.9004259f, -0.78693868f, 0, 1, 30}},
    {"Selu", 7, 0, {-1.7580993f, -1.6705687f, -0.69175819f, 0, 1.0507010f, 31.521030f}},
    {"Celu", 12, 2, {-1.9999994f, -1.5537397f, -0.44239843f, 0, 1, 30}},
    {"Softplus", 7, 0, {0, 0.048587352f, 0.47407698f, 0.69314718f, 1.3132617f, 30}},
    {"Mish", 18, 0, {0, -0.14564746f, -0.22074377f, 0, 0.86509839f, 30}},
    {"Softsign", 7, 0, {-0.96774194f, -0.75f, -0.33333333f, 0, 0.5f, 0.96774194f}},
};
enum { N_ACTIVATIONS = sizeof activations / sizeof *activations };

START_TEST(activations_of_several_operations)
{
    struct text a = node(activations[_i].op, "a", "x", "y");
    if (activations[_i].alpha != 0)
        attr_float(&a, "alpha", activations[_i].alpha);
    struct model m = one_node(activations[_i].opset, a, DIMS(6));
    expect(&m, AT(-30, -3, -0.5f, 0, 1, 30), activations[_i].want, 6);
}
END_TEST

/* Means 2 and 6, variances 1 and 16; with epsilon 48 the deviations are 7 and 8. */
START_TEST(layer_norm_has_three_results)
{
    static const char *const results[] = {"y", "n y", "n - y"};
    struct text ln = node("LayerNormalization", "ln", "x s b", results[_i]);
    attr_float(&ln, "epsilon", 48);
    struct model m = one_node(17, ln, DIMS(2, 2));
    model_init(&m, FLOATS("s", DIMS(2), 7, 14));
    model_init(&m, FLOATS("b", DIMS(2), 0, 1));
    const float *x = AT(1, 3, 10, 2);
    if (_i == 0)
        EXPECT(&m, x, -1, 3, 3.5f, -6);
    else if (_i == 1)
        EXPECT(&m, x, 2, 6);
    else
        EXPECT(&m, x, 1.0f / 7, 0.125f);
}
END_TEST

/* Two groups, 1 3 5 7 and 2 2 4 4: means 4 and 3, variances 5 and 1; epsilon 4 and so 3 and sqrt 5.
 */
START_TEST(group_norm_before_and_since_opset_21)
{
    struct text gn = node("GroupNormalization", "gn", "x s b", "y");
    attr_int(&gn, "num_groups", 2);
    attr_float(&gn, "epsilon", 4);
    struct model m = one_node(_i ? 21 : 18, gn, DIMS(1, 4, 1, 2));
    int64_t each = _i ? 4 : 2;
    const float scale[] = {3, 6, 9, 12}, bias[] = {1, 2, 3, 4}, r = 2.23606798f;
    model_init(&m, tensor("s", FLOAT, DIMS(each), scale, (size_t)each * 4));
    model_init(&m, tensor("b", FLOAT, DIMS(each), bias, (size_t)each * 4));
    const float *x = AT(1, 3, 5, 7, 2, 2, 4, 4);
    if (_i)
        EXPECT(&m, x, -2, 0, 4, 8, 3 - 9 / r, 3 - 9 / r, 4 + 12 / r, 4 + 12 / r);
    else
        EXPECT(&m, x, -2, 0, 2, 4, 2 - 6 / r, 2 - 6 / r, 2 + 6 / r, 2 + 6 / r);
}
END_TEST

/* A mean far larger than the deviation: one pass over x^2 would lose the variance of 1. */
START_TEST(instance_norm_of_a_large_mean)
{
    struct text in = node("InstanceNormalization", "in", "x s b", "y");
    attr_float(&in, "epsilon", 0);
    struct model m = one_node(7, in, DIMS(1, 1, 4));
    model_init(&m, FLOATS("s", DIMS(1), 1));
    model_init(&m, FLOATS("b", DIMS(1), 0.5f));
    EXPECT(&m, AT(9999, 10001, 9999, 10001), -0.5f, 1.5f, -0.5f, 1.5f);
}
END_TEST

START_TEST(lp_norm_of_zeros_is_zero)
{
    struct text lp = node("LpNormalization", "lp", "x", "y");
    attr_int(&lp, "p", _i ? 2 : 1);
    struct model m = one_node(7, lp, DIMS(2, 2));
    if (_i)
        EXPECT(&m, AT(0, 0, -3, 4), 0, 0, -0.6f, 0.8f);
    else
        EXPECT(&m, AT(0, 0, -1, 3), 0, 0, -0.25f, 0.75f);
}
END_TEST

/* Rows 1 2 3 4 5 and 2 2 2 1 -1. */
START_TEST(reductions_of_several_operations)
{
    static const struct {
        const char *op;
        float want[2];
    } c[] = {{"ReduceL1", {15, 8}},
             {"ReduceProd", {120, -8}},
             {"ReduceLogSum", {2.7080502f, 1.7917595f}},
             {"ReduceSumSquare", {55, 14}},
             /* log(e + e^2 + .. + e^5), log(3e^2 + e + 1/e) */
             {"ReduceLogSumExp", {5.4519144f, 3.2289580f}}};
    struct text r = node(c[_i].op, "r", "x axes", "y");
    attr_int(&r, "keepdims", 0);
    struct model m = one_node(18, r, DIMS(2, 5));
    model_init(&m, INTS("axes", -1));
    expect(&m, AT(1, 2, 3, 4, 5, 2, 2, 2, 1, -1), c[_i].want, 2);
}
END_TEST

/* e^1000 is no number; the logarithm of the sum of two of them is 1000 + log(2). */
START_TEST(log_sum_exp_does_not_overflow)
{
    struct model m = one_node(13, node("ReduceLogSumExp", "r", "x", "y"), DIMS(2));
    EXPECT(&m, AT(1000, 1000), 1000.6931f);
}
END_TEST

/* How exporters count the elements of a scalar. */
START_TEST(the_product_of_nothing_is_one)
{
    struct text cast = node("Cast", "", "p", "f");
    attr_int(&cast, "to", FLOAT);
    struct model m = one_node(13, node("Add", "", "x f", "y"), DIMS(1));
    model_node(&m, cast);
    model_node(&m, node("ReduceProd", "", "s", "p"));
    model_node(&m, node("Shape", "", "scalar", "s"));
    model_init(&m, tensor("scalar", FLOAT, 0, NULL, AT(7), 4));
    EXPECT(&m, AT(2), 3);
}
END_TEST

START_TEST(lp_pools)
{
    struct text pool = node("LpPool", "p", "x", "y");
    attr_int(&pool, "p", 3);
    attr_ints(&pool, "kernel_shape", 1, (const int64_t[]){2});
    attr_ints(&pool, "pads", 2, (const int64_t[]){1, 0});
    struct model m = one_node(11, pool, DIMS(1, 1, 3));
    EXPECT(&m, AT(-3, 0, 2), 3, 3, 2); /* the first window holds one cell of padding */
    m = one_node(11, node("GlobalLpPool", "p", "x", "y"), DIMS(1, 2, 2));
    EXPECT(&m, AT(3, 4, -5, 12), 5, 13);
}
END_TEST

START_TEST(running_sums)
{
    static const float want[][5] = {
        {1, 3, 6, 10, 15}, {0, 1, 3, 6, 10}, {15, 14, 12, 9, 5}, {14, 12, 9, 5, 0}};
    struct text sum = node("CumSum", "c", "x axis", "y");
    attr_int(&sum, "exclusive", _i & 1);
    attr_int(&sum, "reverse", _i >> 1);
    struct model m = one_node(14, sum, DIMS(5));
    model_init(&m, INTS("axis", 0));
    expect(&m, AT(1, 2, 3, 4, 5), want[_i], 5);
}
END_TEST

#include "onnx_fused_cases.h"
#include "onnx_logic_cases.h"
#include "onnx_opset_cases.h"

static void add_math_cases(TCase *tc)
{
    tcase_add_loop_test(tc, activations_of_several_operations, 0, N_ACTIVATIONS);
    tcase_add_loop_test(tc, layer_norm_has_three_results, 0, 3);
    tcase_add_loop_test(tc, group_norm_before_and_since_opset_21, 0, 2);
    tcase_add_test(tc, instance_norm_of_a_large_mean);
    tcase_add_loop_test(tc, lp_norm_of_zeros_is_zero, 0, 2);
    tcase_add_loop_test(tc, reductions_of_several_operations, 0, 5);
    tcase_add_test(tc, log_sum_exp_does_not_overflow);
    tcase_add_test(tc, the_product_of_nothing_is_one);
    tcase_add_test(tc, lp_pools);
    tcase_add_loop_test(tc, running_sums, 0, 4);
    add_logic_cases(tc);
    add_fused_cases(tc);
    add_opset_cases(tc);
}

#endif
