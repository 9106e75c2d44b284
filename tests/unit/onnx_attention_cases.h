/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_attention_cases.h - part of onnx_test.c: Attention and RotaryEmbedding. Numbers by hand;
 * more, from ONNX Runtime, in tests/numeric/cases.
 */
#ifndef CIMC_ONNX_ATTENTION_CASES_H
#define CIMC_ONNX_ATTENTION_CASES_H

/* One head whose keys are all alike attends to all alike: the mean of the values that it sees. */
START_TEST(attention_without_preference)
{
    static const struct {
        int64_t causal;
        float want[3];
    } c[] = {{0, {3, 3, 3}}, {1, {1, 1.5f, 3}}};
    struct text n = node("Attention", "", "x k v", "y");
    attr_int(&n, "is_causal", c[_i].causal);
    struct model m = one_node(23, n, DIMS(1, 1, 3, 1));
    model_init(&m, FLOATS("k", DIMS(1, 1, 3, 1), 2, 2, 2));
    model_init(&m, FLOATS("v", DIMS(1, 1, 3, 1), 1, 2, 6));
    expect(&m, AT(5, -1, 0), c[_i].want, 3);
}
END_TEST

/* (a, b) with cos 0, sin 1 is (-b, a), with cos 1, sin 0 itself. */
START_TEST(rotary_turns_pairs)
{
    static const float want[2][8] = {{-3, -4, 1, 2, 5, 6, 7, 8}, {-2, 1, -4, 3, 5, 6, 7, 8}};
    struct text n = node("RotaryEmbedding", "", "x c s p", "y");
    attr_int(&n, "num_heads", 1);
    attr_int(&n, "interleaved", _i);
    struct model m = one_node(23, n, DIMS(1, 2, 4));
    model_init(&m, FLOATS("c", DIMS(3, 2), 1, 1, 9, 9, 0, 0));
    model_init(&m, FLOATS("s", DIMS(3, 2), 0, 0, 9, 9, 1, 1));
    const int64_t positions[] = {2, 0};
    model_init(&m, tensor("p", INT64, DIMS(1, 2), positions, sizeof positions));
    expect(&m, AT(1, 2, 3, 4, 5, 6, 7, 8), want[_i], 8);
}
END_TEST

START_TEST(attention_that_is_wrong)
{
    static const struct {
        const char *operands;
        int64_t heads;
        const char *says;
    } c[] = {
        {"x x x", 0, "6 elements are not 0 heads"},
        {"x x x", 4, "6 elements are not 4 heads"},
        {"x x w", 2, "queries, keys and values do not go together"},
        {"x x x - - - l", 2, "nonpad_kv_seqlen has 2 elements, not one a sequence"},
    };
    struct text n = node("Attention", "", c[_i].operands, "y");
    if (c[_i].heads)
        attr_int(&n, "q_num_heads", c[_i].heads);
    struct model m = one_node(24, n, DIMS(1, 2, 6));
    model_init(&m, FLOATS("w", DIMS(1, 1, 6), 1, 2, 3, 4, 5, 6));
    model_init(&m, INTS("l", 1, 2));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, c[_i].says));
}
END_TEST

static void add_attention_cases(TCase *tc)
{
    tcase_add_loop_test(tc, attention_without_preference, 0, 2);
    tcase_add_loop_test(tc, rotary_turns_pairs, 0, 2);
    tcase_add_loop_test(tc, attention_that_is_wrong, 0, 4);
}

#endif
