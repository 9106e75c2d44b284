/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_fused_cases.h - part of onnx_test.c: layers of com.microsoft that carry an activation or a
 * sum, and operators that become comparisons or integer operations. Numbers by hand.
 */
#ifndef CIMC_ONNX_FUSED_CASES_H
#define CIMC_ONNX_FUSED_CASES_H

static struct text contributed(const char *op, const char *in, const char *out)
{
    struct text n = node(op, "f", in, out);
    put_str(&n, 7, "com.microsoft");
    return n;
}

/* 2x + 1 + (-7, 1), then a slope of 0.5 below 0. */
START_TEST(fused_conv)
{
    struct text conv = contributed("FusedConv", "x w b z", "y");
    attr_str(&conv, "activation", _i ? "Softmax" : "LeakyRelu");
    attr_floats(&conv, "activation_params", 1, AT(0.5f));
    struct model m = one_node(13, conv, DIMS(1, 1, 1, 2));
    model_init(&m, FLOATS("w", DIMS(1, 1, 1, 1), 2));
    model_init(&m, FLOATS("b", DIMS(1), 1));
    model_init(&m, FLOATS("z", DIMS(1, 1, 1, 2), -7, 1));
    if (_i)
        ck_assert(rejected(&m, DIAG_ONNX_ATTR, "activation 'Softmax'"));
    else
        EXPECT(&m, AT(1, 2), -2, 6);
}
END_TEST

/* (1 2) times ((1 3), (5 -7)) is 11 -11; 2*(..) + (1 1) = 23 -21, between -4 and 30. */
START_TEST(fused_gemm)
{
    struct text gemm = contributed("FusedGemm", "x w c", "y");
    attr_float(&gemm, "alpha", 2);
    attr_str(&gemm, "activation", "Clip");
    attr_float(&gemm, "activation_alpha", -4);
    attr_float(&gemm, "activation_beta", 30);
    struct model m = one_node(13, gemm, DIMS(1, 2));
    model_init(&m, FLOATS("w", DIMS(2, 2), 1, 3, 5, -7));
    model_init(&m, FLOATS("c", DIMS(2), 1, 1));
    EXPECT(&m, AT(1, 2), 23, -4);
}
END_TEST

/* Both transposed: x^T = (1 3; 2 4), w^T = (1; 10). */
START_TEST(fused_matmul)
{
    struct text product = contributed("FusedMatMul", "x w", "y");
    attr_int(&product, "transA", 1);
    attr_int(&product, "transB", 1);
    attr_float(&product, "alpha", 0.5f);
    struct model m = one_node(13, product, DIMS(1, 2, 2));
    model_init(&m, FLOATS("w", DIMS(1, 2), 1, 10));
    EXPECT(&m, AT(1, 2, 3, 4), 15.5f, 21);
}
END_TEST

/* The sum is 1 3, its mean 2 and variance 1, with epsilon 3 the deviation 2; root mean square with
 * epsilon 4: 3. */
START_TEST(skip_layer_norm)
{
    bool simplified = _i > 1, wants_sum = _i & 1;
    struct text ln =
        contributed(simplified ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization",
                    simplified ? "x s g c" : "x s g b c", wants_sum ? "n - - y" : "y");
    attr_float(&ln, "epsilon", simplified ? 4 : 3);
    struct model m = one_node(17, ln, DIMS(1, 2));
    model_init(&m, FLOATS("s", DIMS(1, 2), 1, 1));
    model_init(&m, FLOATS("g", DIMS(2), 3, 6));
    model_init(&m, FLOATS("b", DIMS(2), 0, 1));
    model_init(&m, FLOATS("c", DIMS(2), -1, -1));
    if (wants_sum)
        EXPECT(&m, AT(1, 3), 1, 3);
    else if (simplified)
        EXPECT(&m, AT(1, 3), 1, 6);
    else
        EXPECT(&m, AT(1, 3), -1.5f, 4);
}
END_TEST

START_TEST(hardmax_takes_the_first)
{
    struct model m = one_node(13, node("Hardmax", "", "x", "y"), DIMS(2, 3));
    EXPECT(&m, AT(1, 3, 3, -5, -6, -7), 0, 1, 0, 1, 0, 0);
}
END_TEST

/* Variances are x^2: (x - 1) * (3 / sqrt(x^2 + 0)) + 2 for channel values 2 and -4. */
START_TEST(batch_norm_of_computed_statistics)
{
    struct text bn = node("BatchNormalization", "", "x s b m v", "y");
    attr_float(&bn, "epsilon", 0);
    struct model m = one_node(15, bn, DIMS(1, 2, 1));
    model_node(&m, node("Mul", "", "x x", "square"));
    model_node(&m, node("Flatten", "", "square", "row"));
    model_node(&m, node("Reshape", "", "row two", "v"));
    model_init(&m, INTS("two", 2));
    model_init(&m, FLOATS("s", DIMS(2), 3, 3));
    model_init(&m, FLOATS("b", DIMS(2), 2, 2));
    model_init(&m, FLOATS("m", DIMS(2), 1, 1));
    EXPECT(&m, AT(2, -4), 3.5f, -1.75f);
}
END_TEST

START_TEST(reductions_of_integers)
{
    static const struct {
        const char *op;
        float want;
    } c[] = {{"ReduceSum", 8}, {"ReduceMax", 7},  {"ReduceMin", -4},       {"ReduceProd", -140},
             {"ReduceL1", 16}, {"ReduceMean", 2}, {"ReduceSumSquare", 90}, {"ReduceL2", 0}};
    struct text cast = node("Cast", "", "x", "i"), back = node("Cast", "", "r", "y");
    struct text reduce = node(c[_i].op, "", "i", "r");
    attr_int(&cast, "to", INT64);
    attr_int(&back, "to", FLOAT);
    attr_int(&reduce, "keepdims", 0);
    struct model m = one_node(13, back, DIMS(3));
    model_node(&m, cast);
    model_node(&m, reduce);
    if (c[_i].want == 0)
        ck_assert(rejected(&m, DIAG_ONNX_ATTR, "of integers is not supported"));
    else
        EXPECT(&m, AT(5.5f, -4.5f, 7), c[_i].want);
}
END_TEST

static void add_fused_cases(TCase *tc)
{
    tcase_add_loop_test(tc, fused_conv, 0, 2);
    tcase_add_test(tc, fused_gemm);
    tcase_add_test(tc, fused_matmul);
    tcase_add_loop_test(tc, skip_layer_norm, 0, 4);
    tcase_add_test(tc, hardmax_takes_the_first);
    tcase_add_test(tc, batch_norm_of_computed_statistics);
    tcase_add_loop_test(tc, reductions_of_integers, 0, 8);
}

#endif
