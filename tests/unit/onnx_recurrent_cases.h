/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_recurrent_cases.h - part of onnx_test.c: LSTM, GRU, RNN. Numbers by hand, with functions
 * that need no more than a pencil; ONNX's own tests and those in tests/numeric/cases have the usual
 * ones.
 */
#ifndef CIMC_ONNX_RECURRENT_CASES_H
#define CIMC_ONNX_RECURRENT_CASES_H

static void attr_strs(struct text *node, const char *name, int n, const char *const *at)
{
    struct text a = attr(name, 8);
    for (int i = 0; i < n; i++)
        put_str(&a, 9, at[i]);
    put_msg(node, 5, a);
}
#define NAMES(...)                                                                                 \
    (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)),                      \
        ((const char *const[]){__VA_ARGS__})

/* x of [steps, 1, 1], one hidden value, W = 1, R = 2. */
static struct model small_rnn(struct text n, int64_t steps)
{
    struct model m = one_node(14, n, DIMS(steps, 1, 1));
    model_init(&m, FLOATS("w", DIMS(1, 1, 1), 1));
    model_init(&m, FLOATS("r", DIMS(1, 1, 1), 2));
    return m;
}

START_TEST(rnn_runs_forward_and_in_reverse)
{
    struct text n = node("RNN", "", "x w r", "y");
    attr_strs(&n, "activations", NAMES("Relu"));
    struct model m = small_rnn(n, 3);
    EXPECT(&m, AT(1, 2, 3), 1, 4, 11);
    n = node("RNN", "", "x w r", "y");
    attr_strs(&n, "activations", NAMES("Relu"));
    attr_str(&n, "direction", "reverse");
    m = small_rnn(n, 3);
    EXPECT(&m, AT(1, 2, 3), 17, 8, 3);
}
END_TEST

/* In reverse it begins where the sequence ends; behind the end are zeros. */
START_TEST(rnn_of_a_shorter_sequence)
{
    struct text n = node("RNN", "", "x w r - l", "y");
    attr_strs(&n, "activations", NAMES("relu"));
    attr_str(&n, "direction", "reverse");
    struct model m = small_rnn(n, 3);
    model_init(&m, INTS("l", 2));
    EXPECT(&m, AT(1, 2, 3), 5, 2, 0);
    n = node("RNN", "", "x w r - l", "y");
    m = small_rnn(n, 3);
    model_init(&m, INTS("l", 4));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "sequence 0 has 4 steps; 1 to 3 are supported"));
}
END_TEST

/* i = clip(x/2), f = 1 - i, o = 1, g and h the identity: c = f*c + i*x. */
START_TEST(lstm_with_coupled_gates_and_clip)
{
    struct text n = node("LSTM", "", "x w r b", "y");
    attr_strs(&n, "activations", NAMES("Affine", "Affine", "Affine"));
    attr_int(&n, "input_forget", 1);
    attr_float(&n, "clip", 1);
    struct model m = one_node(14, n, DIMS(3, 1, 1));
    model_init(&m, FLOATS("w", DIMS(1, 4, 1), 0.5f, 0, 0, 1));
    model_init(&m, FLOATS("r", DIMS(1, 4, 1), 0, 0, 0, 0));
    model_init(&m, FLOATS("b", DIMS(1, 8), 0, 0.5f, 0, 0, 0, 0.5f, 0, 0));
    EXPECT(&m, AT(0.5f, 1, 4), 0.125f, 0.5625f, 1);
}
END_TEST

/* z = 1/4: h' = t + (h - t)/4. r halves h before R, or the product and its bias after. */
START_TEST(gru_resets_before_or_after_the_product)
{
    static const float want[2][2] = {{4.5f, 12}, {3.75f, 10.5f}};
    struct text n = node("GRU", "", "x w r b", "y");
    attr_strs(&n, "activations", NAMES("Affine", "Relu"));
    attr_int(&n, "linear_before_reset", _i);
    struct model m = one_node(14, n, DIMS(2, 1, 1));
    model_init(&m, FLOATS("w", DIMS(1, 3, 1), 0, 0, 1));
    model_init(&m, FLOATS("r", DIMS(1, 3, 1), 0, 0, 2));
    model_init(&m, FLOATS("b", DIMS(1, 6), 0.125f, 0.25f, 0, 0.125f, 0.25f, 2));
    expect(&m, AT(4, 8), want[_i], 2);
}
END_TEST

/* One product of all inputs; those of the states share their crossbars. */
START_TEST(recurrent_steps_share_weights)
{
    struct text n = node("RNN", "layer", "x w r - - h", "y");
    struct model m = small_rnn(n, 3);
    model_init(&m, FLOATS("h", DIMS(1, 1, 1), 1));
    struct ir_graph *g = import_model(&m);
    ck_assert_str_eq(nth(g, IR_matmul, 0)->name, "layer");
    ck_assert_int_eq(nth(g, IR_matmul, 0)->attrs->matmul.weights, 0);
    for (int i = 1; i < 3; i++) /* the first one is folded */
        ck_assert_int_eq(nth(g, IR_matmul, i)->attrs->matmul.weights, 1);
    ck_assert_ptr_null(nth(g, IR_matmul, 3));
    ir_graph_free(g);
}
END_TEST

START_TEST(recurrent_nodes_that_are_wrong)
{
    static const struct {
        const char *operands, *direction, *activation, *says;
    } c[] = {
        {"x r w", "forward", "Tanh", "operand 1, 'r', is not [1x1x1]"},
        {"x w r - - w", "forward", "Tanh", "operand 5, 'w', is not [1x1x2]"},
        {"x w r", "back", "Tanh", "direction is 'back'; forward, reverse and bidirectional are"},
        {"x w r", "forward", "Sine", "activation 'Sine' is not supported; Sigmoid, Tanh"},
        {"x w r", "bidirectional", "Tanh", "operand 1, 'w', is not [2x2x1]"},
    };
    struct text n = node("RNN", "", c[_i].operands, "y");
    attr_str(&n, "direction", c[_i].direction);
    attr_strs(&n, "activations", NAMES(c[_i].activation));
    struct model m = one_node(14, n, DIMS(1, 1, 1));
    model_init(&m, FLOATS("w", DIMS(1, 2, 1), 1, 1));
    model_init(&m, FLOATS("r", DIMS(1, 2, 2), 1, 1, 1, 1));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, c[_i].says));
}
END_TEST

/* 2^30 steps in a file of 200 bytes. */
START_TEST(recurrent_steps_are_bounded)
{
    struct model m = small_rnn(node("RNN", "", "x w r", "y"), INT64_C(1) << 30);
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "written out, are more than 65536 nodes"));
}
END_TEST

static void add_recurrent_cases(TCase *tc)
{
    tcase_add_test(tc, rnn_runs_forward_and_in_reverse);
    tcase_add_test(tc, rnn_of_a_shorter_sequence);
    tcase_add_test(tc, lstm_with_coupled_gates_and_clip);
    tcase_add_loop_test(tc, gru_resets_before_or_after_the_product, 0, 2);
    tcase_add_test(tc, recurrent_steps_share_weights);
    tcase_add_loop_test(tc, recurrent_nodes_that_are_wrong, 0, 5);
    tcase_add_test(tc, recurrent_steps_are_bounded);
}

#endif
