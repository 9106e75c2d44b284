/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_name_cases.h - part of onnx_test.c: names, order, versions, inputs and outputs.
 */
#ifndef CIMC_ONNX_NAME_CASES_H
#define CIMC_ONNX_NAME_CASES_H

/* Domains that are others than ONNX's hold their own operators, and none of ONNX's. */
START_TEST(operators_of_other_domains)
{
    struct text n = node("Relu", "r", "x", "y");
    put_str(&n, 7, "com.microsoft");
    struct model m = one_node(13, n, DIMS(1));
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "com.microsoft.Relu"));
    m = one_node(13, node("com.microsoft.QLinearAdd", "q", "x", "y"), DIMS(1));
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "com.microsoft.QLinearAdd"));
}
END_TEST

START_TEST(operator_table_is_sorted)
{
    const char *const *names = onnx_operators();
    for (size_t i = 1; names[i]; i++)
        ck_assert_int_lt(strcmp(names[i - 1], names[i]), 0);
}
END_TEST

/* Last node first; the file's order returns where it is one. */
START_TEST(nodes_are_sorted)
{
    struct model m = model_new(13);
    model_node(&m, node("Sigmoid", "s", "b", "y"));
    model_node(&m, node("Relu", "r", "a", "b"));
    model_node(&m, node("Tanh", "t", "x", "a"));
    model_input(&m, "x", DIMS(2));
    model_output(&m, "y");
    struct ir_graph *g = import_model(&m);
    ck_assert_str_eq(nth(g, IR_tanh, 0)->next->name, "r");
    ck_assert_str_eq(nth(g, IR_relu, 0)->next->name, "s");
    ck_assert_str_eq(nth(g, IR_sigmoid, 0)->loc.entity, "node 0 's' (Sigmoid)");
    ir_graph_free(g);
}
END_TEST

START_TEST(cycles_are_named)
{
    struct model m = model_new(13);
    model_node(&m, node("Relu", "first", "b", "a"));
    model_node(&m, node("Relu", "second", "a", "b"));
    model_output(&m, "b");
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "cycle: 'first' <- 'second' <- 'first'"));
}
END_TEST

START_TEST(names_must_be_defined_once)
{
    struct model m = one_node(13, node("Relu", "", "nowhere", "y"), DIMS(1));
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "operand 0, 'nowhere', is not defined"));
    m = one_node(13, node("Relu", "", "x", "y"), DIMS(1));
    model_node(&m, node("Tanh", "", "x", "y"));
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "'y' is defined 2 times"));
    m = one_node(13, node("Relu", "", "x", "z"), DIMS(1));
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "graph output 0, 'y', is not defined"));
}
END_TEST

/* Own name; Op_index if empty or repeated; never one that another node carries. */
START_TEST(layer_names_are_unique)
{
    struct model m = model_new(13);
    static const char *const given[] = {"a", "", "b", "b", "Relu_1"};
    static const char *const want[] = {"a", "Relu_1_", "Relu_2", "Relu_3", "Relu_1"};
    model_input(&m, "v0", DIMS(1));
    for (int i = 0; i < 5; i++) {
        char in[8], out[8];
        snprintf(in, sizeof in, "v%d", i);
        snprintf(out, sizeof out, "v%d", i + 1);
        model_node(&m, node("Relu", given[i], in, out));
    }
    model_output(&m, "v5");
    struct ir_graph *g = import_model(&m);
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(nth(g, IR_relu, i)->name, want[i]);
    ir_graph_free(g);
}
END_TEST

START_TEST(all_unsupported_operators_at_once)
{
    struct model m = model_new(13);
    struct text custom = node("Relu", "mine", "x", "d"), body = {0},
                branch = attr("then_branch", 5);
    put_str(&custom, 7, "my.domain");
    put_msg(&body, 1, node("Inner", "inside", "x", "i"));
    put_msg(&branch, 6, body);
    struct text branching = node("If", "", "x", "e");
    put_msg(&branching, 5, branch);
    model_input(&m, "x", DIMS(1));
    model_node(&m, node("Foo", "f1", "nowhere", "a")); /* found before the missing operand */
    model_node(&m, node("Relu", "", "a", "b"));
    model_node(&m, node("Foo", "", "b", "c"));
    model_node(&m, custom);
    model_node(&m, branching);
    model_output(&m, "c");
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "operator Foo is not supported at opset 13"));
    ck_assert(reports(diag, DIAG_ONNX_UNSUPPORTED, "operator my.domain.Relu is not"));
    ck_assert(reports(diag, DIAG_ONNX_UNSUPPORTED, "operator Inner is not"));
    ck_assert(reports(diag, DIAG_ONNX_MODEL, "'nowhere', is not defined anywhere"));
    ck_assert_int_eq(diag->n_errors, 5); /* Foo twice */
}
END_TEST

START_TEST(compile_time_operators_on_run_time_values)
{
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(2));
    model_node(&m, node("Range", "r", "x x x", "y"));
    model_output(&m, "y");
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED,
                       "operator Range is not supported on values computed at run time"));
}
END_TEST

START_TEST(versions)
{
    static const struct {
        int64_t ir, opset;
        const char *domain, *says;
    } v[] = {{2, 13, "", "IR version 2"},    {14, 13, "", "IR version 14"},
             {7, 5, "", "opset 5"},          {7, 25, "ai.onnx", "opset 25"},
             {7, 13, "other", "no version"}, {13, 21, "ai.onnx", NULL}};
    struct model m = one_node(v[_i].opset, node("Relu", "", "x", "y"), DIMS(1));
    m.ir_version = v[_i].ir;
    m.domain = v[_i].domain;
    if (v[_i].says) {
        ck_assert(rejected(&m, DIAG_ONNX_MODEL, v[_i].says));
    } else {
        ir_graph_free(import_model(&m));
        ck_assert_int_eq(diag->n_errors, 0);
    }
}
END_TEST

/* [N, 3, side, side]: N defaults to 1, side must be bound; a nameless one by input[axis]. */
START_TEST(symbolic_dimensions)
{
    static const char *const names[] = {"N", "", "side", ""};
    static const struct onnx_dim_binding dims[] = {{"side", 5}, {"x[3]", 7}, {"N", 2}, {"M", 1}};
    static const struct {
        size_t n;
        int64_t want[4];
    } cases[] = {{0, {0}}, {1, {0}}, {2, {1, 3, 5, 7}}, {3, {2, 3, 5, 7}}, {4, {2, 3, 5, 7}}};
    struct model m = model_new(13);
    put_msg(&m.graph, 11, value_info("x", FLOAT, DIMS(-1, 3, -1, -1), names));
    model_node(&m, node("Relu", "", "x", "y"));
    model_output(&m, "y");
    struct onnx_options o = {.dims = dims, .n_dims = cases[_i].n};
    struct ir_graph *g = import_bytes(model_bytes(&m), &o);
    if (g)
        ck_assert_mem_eq(g->first->out->type.dim, cases[_i].want, sizeof cases[_i].want);
    ck_assert(!g == (cases[_i].n < 2));
    ck_assert(reports(diag, DIAG_SHAPE, "dimension 2, 'side'") == (cases[_i].n < 1));
    ck_assert(reports(diag, DIAG_SHAPE, "dimension 3, 'x[3]'") == (cases[_i].n < 2));
    ck_assert(!diag->first == (cases[_i].n == 2 || cases[_i].n == 3)); /* "M" is warned about */
    ir_graph_free(g);
}
END_TEST

START_TEST(inputs_that_cannot_be)
{
    struct model m = model_new(13);
    put_msg(&m.graph, 11, value_info("words", STRING, DIMS(4), NULL));
    put_msg(&m.graph, 11, value_info("none", FLOAT, DIMS(4, 0), NULL));
    model_node(&m, node("Identity", "", "words", "y"));
    model_output(&m, "y");
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "is string; only float"));
    ck_assert(reports(diag, DIAG_SHAPE, "dimension 1 is 0"));
}
END_TEST

/* Numbers of a declared output that are not so are a warning; free dimensions fit anything. */
START_TEST(declared_outputs)
{
    static const struct {
        int n;
        int64_t dims[3];
        const char *says;
    } c[] = {{2, {1, 4}, NULL},
             {2, {-1, 4}, NULL},
             {2, {1, 3}, "is declared as [1x3] and computed as f32[1x4]"},
             {3, {1, -1, 4}, "is declared as [1x?x4] and computed as f32[1x4]"}};
    static const char *const names[] = {"N", "", ""};
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(1, 4));
    model_node(&m, node("Relu", "", "x", "y"));
    put_msg(&m.graph, 12, value_info("y", FLOAT, c[_i].n, c[_i].dims, names));
    struct ir_graph *g = import_model(&m);
    ck_assert(c[_i].says ? diag->first && strstr(diag->first->text, c[_i].says) : !diag->first);
    ir_graph_free(g);
}
END_TEST

START_TEST(outputs_without_elements)
{
    struct model m = one_node(13, node("Slice", "", "x from to", "y"), DIMS(4));
    model_init(&m, INTS("from", 2));
    model_init(&m, INTS("to", 2));
    ck_assert(rejected(&m, DIAG_SHAPE, "has no elements"));
}
END_TEST

START_TEST(fp16_outside_is_f32_inside)
{
    struct model m = model_new(13);
    put_msg(&m.graph, 11, value_info("x", FLOAT16, DIMS(4), NULL));
    model_node(&m, node("Relu", "", "x", "y"));
    put_msg(&m.graph, 12, value_info("y", FLOAT16, DIMS(4), NULL));
    struct ir_graph *g = import_model(&m);
    ck_assert_int_eq(g->first->attrs->input.dtype, IR_F16);
    ck_assert_int_eq(g->last->attrs->output.dtype, IR_F16);
    ck_assert_int_eq(g->first->out->type.dtype, IR_F32);
    ir_graph_free(g);
}
END_TEST

/* w is an input and an initializer: a constant, unless the caller binds another tensor to it. */
START_TEST(initializers_listed_as_inputs)
{
    struct model m = model_new(8);
    const float two[] = {2}, three[] = {3};
    model_input(&m, "w", DIMS(1));
    model_input(&m, "x", DIMS(1));
    model_init(&m, tensor("w", FLOAT, DIMS(1), two, 4));
    model_node(&m, node("Mul", "", "x w", "y"));
    model_output(&m, "y");
    struct text bytes = model_bytes(&m), pb = tensor("any", FLOAT, DIMS(1), three, 4);
    struct memory_file f = memory_file(pb.at, pb.n);
    text_free(&pb);
    struct onnx_constant_input bound = {"w", f.path};
    struct onnx_options o = {.constants = &bound, .n_constants = _i ? 1 : 0};
    struct ir_graph *g = import_bytes(bytes, &o);
    ck_assert_str_eq(g->first->name, "x");
    ck_assert_int_eq(g->first->attrs->input.index, 0);
    ck_assert(ir_const_f64(nth(g, IR_constant, 0), 0) == (_i ? 3 : 2));
    ir_graph_free(g);
    close(f.fd);
}
END_TEST

START_TEST(bound_constants_must_fit)
{
    struct text pb = tensor("t", FLOAT, DIMS(3), zeros, 12);
    struct memory_file f = memory_file(pb.at, pb.n);
    text_free(&pb);
    struct onnx_constant_input bound[] = {{"x", f.path}, {"z", f.path}};
    struct onnx_options o = {.constants = bound, .n_constants = 2};
    struct model m = one_node(13, node("Relu", "", "x", "y"), DIMS(2));
    ck_assert_ptr_null(import_bytes(model_bytes(&m), &o));
    ck_assert(reports(diag, DIAG_ONNX_MODEL, "does not have the input's shape"));
    ck_assert(reports(diag, DIAG_ONNX_MODEL, "no input of that name"));
    close(f.fd);
}
END_TEST

/* Equal numbers for one initializer named directly by two operations that hold the same matrix. */
START_TEST(shared_weights_are_numbered)
{
    struct model m = model_new(13);
    struct text across = node("Gemm", "g3", "x q", "c");
    attr_int(&across, "transB", 1);
    model_input(&m, "x", DIMS(4, 4));
    model_init(&m, tensor("w", FLOAT, DIMS(4, 4), zeros, 64));
    model_init(&m, tensor("q", FLOAT, DIMS(4, 4), zeros, 64));
    model_init(&m, tensor("once", FLOAT, DIMS(4, 4), zeros, 64));
    model_node(&m, node("MatMul", "m0", "x once", "o"));
    model_node(&m, node("MatMul", "m1", "o w", "a"));
    model_node(&m, node("MatMul", "m2", "a q", "b"));
    model_node(&m, across); /* q transposed: another matrix */
    model_node(&m, node("MatMul", "m4", "b q", "d"));
    model_node(&m, node("Gemm", "g5", "d w", "e"));
    model_node(&m, node("Identity", "", "w", "alias"));
    model_node(&m, node("MatMul", "m6", "e w", "y"));
    model_output(&m, "y");
    model_output(&m, "c");
    static const int64_t want[] = {0, 1, 2, 0, 2, 1, 1};
    struct ir_graph *g = import_model(&m);
    for (int i = 0; i < 7; i++)
        ck_assert_int_eq(nth(g, IR_matmul, i)->attrs->matmul.weights, want[i]);
    ir_graph_free(g);
}
END_TEST

static void add_name_cases(TCase *tc)
{
    tcase_add_test(tc, operator_table_is_sorted);
    tcase_add_test(tc, operators_of_other_domains);
    tcase_add_test(tc, nodes_are_sorted);
    tcase_add_test(tc, cycles_are_named);
    tcase_add_test(tc, names_must_be_defined_once);
    tcase_add_test(tc, layer_names_are_unique);
    tcase_add_test(tc, all_unsupported_operators_at_once);
    tcase_add_test(tc, compile_time_operators_on_run_time_values);
    tcase_add_loop_test(tc, versions, 0, 6);
    tcase_add_loop_test(tc, symbolic_dimensions, 0, 5);
    tcase_add_test(tc, inputs_that_cannot_be);
    tcase_add_loop_test(tc, declared_outputs, 0, 4);
    tcase_add_test(tc, outputs_without_elements);
    tcase_add_test(tc, fp16_outside_is_f32_inside);
    tcase_add_loop_test(tc, initializers_listed_as_inputs, 0, 2);
    tcase_add_test(tc, bound_constants_must_fit);
    tcase_add_test(tc, shared_weights_are_numbered);
}

#endif
