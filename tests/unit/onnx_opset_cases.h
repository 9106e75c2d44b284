/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_opset_cases.h - part of onnx_test.c: what operators say otherwise at opset 6, and what those
 * beyond 21 add. Numbers by hand.
 */
#ifndef CIMC_ONNX_OPSET_CASES_H
#define CIMC_ONNX_OPSET_CASES_H

static struct model legacy_add(int64_t broadcast, const int64_t *axis, struct text b)
{
    struct text add = node("Add", "", "x b", "y");
    if (broadcast)
        attr_int(&add, "broadcast", 1);
    if (axis)
        attr_int(&add, "axis", *axis);
    struct model m = one_node(6, add, DIMS(2, 2, 2));
    model_init(&m, b);
    return m;
}

/* Dimensions of the second operand are the last ones, or those from `axis` on. */
START_TEST(broadcasting_before_opset_7)
{
    const float *x = AT(0, 0, 0, 0, 0, 0, 0, 0);
    struct model m = legacy_add(1, NULL, FLOATS("b", DIMS(2), 1, 2));
    EXPECT(&m, x, 1, 2, 1, 2, 1, 2, 1, 2);
    m = legacy_add(1, &(int64_t){1}, FLOATS("b", DIMS(2), 1, 2));
    EXPECT(&m, x, 1, 1, 2, 2, 1, 1, 2, 2);
    m = legacy_add(1, &(int64_t){0}, FLOATS("b", DIMS(2), 1, 2));
    EXPECT(&m, x, 1, 1, 1, 1, 2, 2, 2, 2);
    m = legacy_add(1, &(int64_t){-3}, FLOATS("b", DIMS(2, 1), 1, 2));
    EXPECT(&m, x, 1, 1, 1, 1, 2, 2, 2, 2);
    m = legacy_add(0, NULL, FLOATS("b", DIMS(2), 1, 2));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "wants it without broadcast=1"));
    m = legacy_add(1, &(int64_t){2}, FLOATS("b", DIMS(2, 2), 1, 2, 3, 4));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "from axis on"));
}
END_TEST

/* Training is what opset 6 does unless is_test says otherwise. */
START_TEST(batch_norm_6)
{
    struct text bn = node("BatchNormalization", "", "x s b m v", "y");
    attr_float(&bn, "epsilon", 0);
    if (_i)
        attr_int(&bn, "is_test", 1);
    struct model m = one_node(6, bn, DIMS(1, 1, 2));
    model_init(&m, FLOATS("s", DIMS(1), 2));
    model_init(&m, FLOATS("b", DIMS(1), 1));
    model_init(&m, FLOATS("m", DIMS(1), 3));
    model_init(&m, FLOATS("v", DIMS(1), 4));
    if (_i)
        EXPECT(&m, AT(3, 5), 1, 3);
    else
        ck_assert(rejected(&m, DIAG_ONNX_ATTR, "is_test=0"));
}
END_TEST

START_TEST(slopes_by_channel_before_opset_7)
{
    struct model m = one_node(6, node("PRelu", "", "x s", "y"), DIMS(1, 2, 1, 2));
    model_init(&m, FLOATS("s", DIMS(2), 0.5f, 0.25f));
    EXPECT(&m, AT(-4, 4, -4, 4), -2, 4, -1, 4);
}
END_TEST

START_TEST(upsample_6)
{
    struct text up = node("Upsample", "", "x", "y");
    attr_float(&up, "height_scale", 1);
    attr_float(&up, "width_scale", 2);
    struct model m = one_node(6, up, DIMS(1, 1, 1, 2));
    EXPECT(&m, AT(1, 2), 1, 1, 2, 2);
}
END_TEST

START_TEST(dequantize_to_a_type)
{
    struct text dq = node("DequantizeLinear", "", "q s", "f");
    attr_int(&dq, "output_dtype", _i ? 17 : FLOAT16);
    struct model m = one_node(23, node("Add", "", "x f", "y"), DIMS(2));
    model_node(&m, dq);
    model_init(&m, tensor("q", INT8, DIMS(2), (const int8_t[]){2, -3}, 2));
    model_init(&m, tensor("s", FLOAT, 0, NULL, AT(0.5f), 4));
    if (_i)
        ck_assert(rejected(&m, DIAG_ONNX_ATTR, "output_dtype is float8e4m3fn"));
    else
        EXPECT(&m, AT(0, 0), 1, -1.5f);
}
END_TEST

/* Mean square 4, epsilon 0. */
START_TEST(rms_norm)
{
    struct text rms = node("RMSNormalization", "", "x s", "y");
    attr_float(&rms, "epsilon", 0);
    struct model m = one_node(23, rms, DIMS(1, 4));
    model_init(&m, FLOATS("s", DIMS(4), 1, 2, 3, 4));
    EXPECT(&m, AT(2, -2, 2, -2), 1, -2, 3, -4);
}
END_TEST

/* 3 / (1 + e^-6) and -3 / (1 + e^6) */
START_TEST(swish)
{
    struct text s = node("Swish", "", "x", "y");
    attr_float(&s, "alpha", 2);
    struct model m = one_node(24, s, DIMS(3));
    EXPECT(&m, AT(-3, 0, 3), -0.00741786974f, 0, 2.99258213f);
}
END_TEST

/* Sorted, and of operators that there are. */
START_TEST(int_forms_are_of_operators)
{
    static const char *const listed[] = {
#define INT_FORM(name, form) name,
#include "int_forms.def"
#undef INT_FORM
    };
    const char *const *name = onnx_operators();
    for (size_t i = 0; i < sizeof listed / sizeof *listed; i++) {
        while (*name && strcmp(*name, listed[i]) != 0)
            name++;
        ck_assert_msg(*name != NULL, "%s is no operator, or out of order", listed[i]);
    }
}
END_TEST

static void add_opset_cases(TCase *tc)
{
    tcase_add_test(tc, int_forms_are_of_operators);
    tcase_add_test(tc, broadcasting_before_opset_7);
    tcase_add_loop_test(tc, batch_norm_6, 0, 2);
    tcase_add_test(tc, slopes_by_channel_before_opset_7);
    tcase_add_test(tc, upsample_6);
    tcase_add_loop_test(tc, dequantize_to_a_type, 0, 2);
    tcase_add_test(tc, rms_norm);
    tcase_add_test(tc, swish);
}

#endif
