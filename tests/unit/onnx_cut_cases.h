/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_cut_cases.h - part of onnx_test.c: parts of a graph, by names of tensors. Numbers by hand.
 */
#ifndef CIMC_ONNX_CUT_CASES_H
#define CIMC_ONNX_CUT_CASES_H

/* a = -x, b = a + a, c = b + m (another input), d = Foo(c), y = Relu(d); `a` has a declared type.
 */
static struct model chain(void)
{
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(2));
    model_input(&m, "m", DIMS(2));
    put_msg(&m.graph, 13, value_info("a", FLOAT, DIMS(2), NULL));
    model_node(&m, node("Neg", "", "x", "a"));
    model_node(&m, node("Add", "", "a a", "b"));
    model_node(&m, node("Add", "", "b m", "c"));
    model_node(&m, node("Foo", "", "c", "d"));
    model_node(&m, node("Relu", "", "d", "y"));
    model_output(&m, "y");
    return m;
}

static struct ir_graph *import_part(const char *input, const char *output)
{
    struct model m = chain();
    struct onnx_options o = folding();
    o.inputs = &input;
    o.n_inputs = input != NULL;
    o.outputs = &output;
    o.n_outputs = output != NULL;
    struct ir_graph *g = import_bytes(model_bytes(&m), &o);
    if (!g)
        diag_print(diag, stderr);
    return g;
}

/* Names of inputs, then of operations, in order. */
static void expect_names(struct ir_graph *g, const char *want)
{
    struct text have = {0};
    ck_assert_ptr_nonnull(g);
    for (const struct ir_op *op = g->first; op; op = op->next)
        text_add(&have, "%s%s", have.n ? " " : "", op->name);
    ck_assert_str_eq(have.at, want);
    text_free(&have);
    ir_graph_free(g);
}

START_TEST(parts_of_a_graph)
{
    expect_names(import_part(NULL, "b"), "x Neg_0 Add_1 b");
    expect_names(import_part("a", "b"), "a Add_1 b");
    expect_names(import_part("b", "c"), "b m Add_2 c"); /* its shape is computed */
    expect_names(import_part("d:4x5", NULL), "d Relu_4 y");
    expect_names(import_part("a", "a"), "a a");
}
END_TEST

START_TEST(parts_that_cannot_be)
{
    static const struct {
        const char *input, *output, *says;
    } bad[] = {{"aa", NULL, "--inputs: no tensor is named 'aa'"},
               {"d:2x0", NULL, "'2x0' is no shape"},
               {"d", NULL, "the shape of 'd' is not known; say --inputs d:DxDxD"},
               {NULL, "inner", "--outputs: no tensor is named 'inner'"}};
    ck_assert_ptr_null(import_part(bad[_i].input, bad[_i].output));
    ck_assert(reports(diag, DIAG_ONNX_MODEL, bad[_i].says) ||
              reports(diag, DIAG_SHAPE, bad[_i].says));
}
END_TEST

/* What can be compiled in spite of a node that is not supported. */
START_TEST(a_note_says_where_to_cut)
{
    ck_assert_ptr_null(import_part(NULL, NULL));
    ck_assert(reports(diag, DIAG_ONNX_UNSUPPORTED, "can be compiled: --outputs c"));
}
END_TEST

START_TEST(names_that_may_be_meant)
{
    struct model m = model_new(13);
    model_input(&m, "image", DIMS(2));
    model_node(&m, node("Rleu", "", "image", "y"));
    model_output(&m, "y");
    struct onnx_options o = folding();
    const struct onnx_constant_input constant = {"imgae", "nowhere"};
    o.constants = &constant;
    o.n_constants = 1;
    ck_assert_ptr_null(import_bytes(model_bytes(&m), &o));
    ck_assert(reports(diag, DIAG_ONNX_MODEL, "no input of that name; did you mean 'image'?"));
    ck_assert(reports(diag, DIAG_ONNX_UNSUPPORTED, "at opset 13; did you mean 'Relu'?"));
}
END_TEST

static void add_cut_cases(TCase *tc)
{
    tcase_add_test(tc, parts_of_a_graph);
    tcase_add_loop_test(tc, parts_that_cannot_be, 0, 4);
    tcase_add_test(tc, a_note_says_where_to_cut);
    tcase_add_test(tc, names_that_may_be_meant);
}

#endif
