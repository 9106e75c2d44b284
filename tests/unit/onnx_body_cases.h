/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_body_cases.h - part of onnx_test.c: functions of the model, If, Loop and Scan, sequences.
 * Numbers by hand.
 */
#ifndef CIMC_ONNX_BODY_CASES_H
#define CIMC_ONNX_BODY_CASES_H

static void model_int(struct model *m, const char *name, int64_t x)
{
    model_init(m, tensor(name, INT64, 0, NULL, &x, sizeof x));
}

/* ---- functions ---- */

/* twice(x) = x + x + bias, bias an attribute of 1 by default; outer(x) = twice(twice(x)). */
static struct model functions(void)
{
    struct model m = model_new(13);
    struct text twice = function("mine", "Twice", "x", "y"), bias = node("Constant", "", "", "b");
    struct text outer = function("mine", "Outer", "x", "y"), otherwise = attr("bias", 1);
    attr_ref(&bias, "value_float", 1, "bias");
    put_msg(&twice, 7, bias);
    put_msg(&twice, 7, node("Add", "sum", "x x", "s"));
    put_msg(&twice, 7, node("Add", "", "s b", "y"));
    put_f32(&otherwise, 2, 1);
    put_msg(&twice, 11, otherwise);
    struct text second = call("mine", "Twice", "second", "t", "y");
    attr_float(&second, "bias", 100);
    put_msg(&outer, 7, call("mine", "Twice", "first", "x", "t"));
    put_msg(&outer, 7, second);
    model_function(&m, twice);
    model_function(&m, outer);
    model_input(&m, "x", DIMS(2));
    model_node(&m, call("mine", "Outer", "both", "x", "y"));
    model_output(&m, "y");
    return m;
}

START_TEST(functions_are_inlined)
{
    struct model m = functions();
    expect(&m, (const float[]){1, 10}, (const float[]){106, 142}, 2);
}
END_TEST

START_TEST(inlined_nodes_are_named_by_the_calls)
{
    struct model m = functions();
    struct ir_graph *g = import_model(&m);
    ck_assert_ptr_nonnull(g);
    ck_assert_str_eq(nth(g, IR_add, 0)->name, "both/first/sum");
    ck_assert_str_eq(nth(g, IR_add, 3)->name, "both/second/Add_2");
    ck_assert_str_eq(nth(g, IR_add, 0)->loc.entity,
                     "node 0 'both' (Outer): node 0 'first' (Twice): node 1 'sum' (Add)");
    ir_graph_free(g);
}
END_TEST

/* A function that is called with one initializer twice uses one set of crossbars. */
START_TEST(functions_share_weights)
{
    struct model m = model_new(13);
    struct text dense = function("mine", "Dense", "x w", "y");
    put_msg(&dense, 7, node("MatMul", "mm", "x w", "y"));
    model_function(&m, dense);
    model_input(&m, "x", DIMS(1, 2));
    model_init(&m, FLOATS("w", DIMS(2, 2), 1, 2, 3, 4));
    model_node(&m, call("mine", "Dense", "a", "x w", "h"));
    model_node(&m, call("mine", "Dense", "b", "h w", "y"));
    model_output(&m, "y");
    struct ir_graph *g = import_model(&m);
    ck_assert_ptr_nonnull(g);
    ck_assert_int_eq(nth(g, IR_matmul, 0)->attrs->matmul.weights, 1);
    ck_assert_int_eq(nth(g, IR_matmul, 1)->attrs->matmul.weights, 1);
    ir_graph_free(g);
}
END_TEST

START_TEST(functions_that_cannot_be)
{
    struct model m = functions();
    struct text self = function("mine", "Self", "x", "y");
    put_msg(&self, 7, call("mine", "Self", "", "x", "y"));
    model_function(&m, self);
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "function 'Self' calls itself"));
    m = functions();
    model_function(&m, function("mine", "Twice", "x", "y"));
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "function 'Twice' is defined twice"));
    m = functions();
    model_node(&m, call("mine", "Twice", "", "x x", "z"));
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "has 2 operands and 1 results; function 'Twice'"));
}
END_TEST

/* Each function calls the one before twice: 2^40 nodes from a file of 3 KB. */
START_TEST(functions_that_explode)
{
    struct model m = model_new(13);
    char name[16], inner[16];
    for (int i = 0; i <= 40; i++) {
        snprintf(name, sizeof name, "F%d", i);
        snprintf(inner, sizeof inner, "F%d", i - 1);
        struct text f = function("mine", name, "x", "y");
        put_msg(&f, 7, i ? call("mine", inner, "", "x", "t") : node("Relu", "", "x", "t"));
        put_msg(&f, 7, i ? call("mine", inner, "", "t", "y") : node("Relu", "", "t", "y"));
        model_function(&m, f);
    }
    model_input(&m, "x", DIMS(1));
    model_node(&m, call("mine", "F40", "", "x", "y"));
    model_output(&m, "y");
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "written out, are more than 65536 nodes"));
}
END_TEST

START_TEST(calls_are_not_too_deep)
{
    struct model m = model_new(13);
    char name[16], inner[16];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "F%d", i);
        snprintf(inner, sizeof inner, "F%d", i - 1);
        struct text f = function("mine", name, "x", "y");
        put_msg(&f, 7, i ? call("mine", inner, "", "x", "y") : node("Relu", "", "x", "y"));
        model_function(&m, f);
    }
    model_input(&m, "x", DIMS(1));
    model_node(&m, call("mine", "F99", "", "x", "y"));
    model_output(&m, "y");
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "nested more than 64 deep"));
}
END_TEST

/* ---- If ---- */

/* y = Relu(x) where x has `size` elements, else -x; the branches see x and each other's names. */
static struct model branching(int64_t size)
{
    struct model m = model_new(13);
    struct text then_branch = body("", "r"), else_branch = body("", "r"),
                choice = node("If", "which", "small", "y");
    put_msg(&then_branch, 1, node("Relu", "", "x", "r"));
    put_msg(&else_branch, 1, node("Neg", "", "x", "r"));
    attr_graph(&choice, "then_branch", then_branch);
    attr_graph(&choice, "else_branch", else_branch);
    model_input(&m, "x", DIMS(2));
    model_int(&m, "limit", size);
    model_node(&m, node("Size", "", "x", "size"));
    model_node(&m, node("Equal", "", "size limit", "small"));
    model_node(&m, choice);
    model_output(&m, "y");
    return m;
}

START_TEST(branch_chosen_by_a_shape)
{
    struct model m = branching(2);
    expect(&m, (const float[]){-1, 5}, (const float[]){0, 5}, 2);
    m = branching(3);
    expect(&m, (const float[]){-1, 5}, (const float[]){1, -5}, 2);
}
END_TEST

/* A branch that is not taken may hold what is not supported. */
START_TEST(branch_that_is_not_taken)
{
    struct model m = model_new(13);
    struct text then_branch = body("", "r"), else_branch = body("", "s"),
                choice = node("If", "", "yes", "y");
    put_msg(&then_branch, 1, node("Relu", "", "x", "r"));
    put_msg(&else_branch, 1, node("Foo", "", "x", "s"));
    attr_graph(&choice, "then_branch", then_branch);
    attr_graph(&choice, "else_branch", else_branch);
    model_input(&m, "x", DIMS(2));
    model_init(&m, tensor("yes", BOOL, 0, NULL, "\1", 1));
    model_node(&m, choice);
    model_output(&m, "y");
    expect(&m, (const float[]){-1, 5}, (const float[]){0, 5}, 2);
}
END_TEST

/* Decided at run time: refused, and what the branches hold with it. */
START_TEST(branch_decided_at_run_time)
{
    struct model m = model_new(13);
    struct text then_branch = body("", "r"), else_branch = body("", "s"),
                choice = node("If", "i", "c", "y");
    put_msg(&then_branch, 1, node("Relu", "", "x", "r"));
    put_msg(&else_branch, 1, node("Foo", "f", "x", "s"));
    attr_graph(&choice, "then_branch", then_branch);
    attr_graph(&choice, "else_branch", else_branch);
    model_input(&m, "x", DIMS(1));
    model_node(&m, node("Identity", "", "x", "c"));
    model_node(&m, choice);
    model_output(&m, "y");
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "where its condition is computed at run time"));
    ck_assert(reports(diag, DIAG_ONNX_UNSUPPORTED, "operator Foo is not supported"));
}
END_TEST

/* 0.5 is neither true nor false. */
START_TEST(condition_of_another_type)
{
    struct model m = model_new(13);
    struct text then_branch = body("", "r"), else_branch = body("", "s"),
                choice = node("If", "", "half", "y");
    put_msg(&then_branch, 1, node("Relu", "", "x", "r"));
    put_msg(&else_branch, 1, node("Neg", "", "x", "s"));
    attr_graph(&choice, "then_branch", then_branch);
    attr_graph(&choice, "else_branch", else_branch);
    model_input(&m, "x", DIMS(2));
    model_init(&m, FLOATS("half", DIMS(1), 0.5f));
    model_node(&m, choice);
    model_output(&m, "y");
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "its condition is f32, not bool"));
}
END_TEST

/* A node that stands before what its branch reads waits for it. */
START_TEST(branches_wait_for_what_they_read)
{
    struct model m = model_new(13);
    struct text branch = body("", "r"), choice = node("If", "", "yes", "y"), copy = {0};
    put_msg(&branch, 1, node("Relu", "", "later", "r"));
    text_add_bytes(&copy, branch.at, branch.n);
    attr_graph(&choice, "then_branch", branch);
    attr_graph(&choice, "else_branch", copy);
    model_input(&m, "x", DIMS(2));
    model_init(&m, tensor("yes", BOOL, 0, NULL, "\1", 1));
    model_node(&m, choice);
    model_node(&m, node("Neg", "", "x", "later"));
    model_output(&m, "y");
    expect(&m, (const float[]){-1, 5}, (const float[]){1, 0}, 2);
}
END_TEST

/* ---- Loop ---- */

/* v = v + v + x and the stacked v, `trips` times from x on; "" for no trip count. */
static struct model looping(const char *trips, struct text *condition)
{
    struct model m = model_new(13);
    struct text loop_body = body("i c v", "go w w2"), names = {0};
    put_msg(&loop_body, 1, node("Add", "", "v v", "d"));
    put_msg(&loop_body, 1, node("Add", "", "d x", "w"));
    put_msg(&loop_body, 1, node("Identity", "", "w", "w2"));
    put_msg(&loop_body, 1, *condition);
    *condition = (struct text){0};
    text_add(&names, "%s - x", trips);
    struct text loop = node("Loop", "rep", names.at, "last all");
    text_free(&names);
    attr_graph(&loop, "body", loop_body);
    model_input(&m, "x", DIMS(2));
    model_int(&m, "three", 3);
    model_int(&m, "many", INT64_MAX);
    model_node(&m, loop);
    return m;
}

START_TEST(loops_are_unrolled)
{
    struct text go = node("Identity", "", "c", "go");
    struct model m = looping("three", &go);
    model_output(&m, "last");
    expect(&m, (const float[]){1, 2}, (const float[]){15, 30}, 2);
    go = node("Identity", "", "c", "go");
    m = looping("three", &go);
    model_output(&m, "all");
    expect(&m, (const float[]){1, 2}, (const float[]){3, 6, 7, 14, 15, 30}, 6);
}
END_TEST

/* The condition is computed from the number of the iteration. */
START_TEST(loops_end_by_their_condition)
{
    struct text go = node("Less", "", "i one", "go");
    struct model m = looping("-", &go);
    model_int(&m, "one", 1);
    model_output(&m, "last");
    expect(&m, (const float[]){1, 2}, (const float[]){7, 14}, 2);
}
END_TEST

START_TEST(loops_without_end)
{
    struct text go = node("Identity", "", "c", "go");
    struct model m = looping(_i ? "many" : "-", &go);
    model_output(&m, "last");
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "written out, are more than 65536 nodes"));
}
END_TEST

/* Whether it goes on hangs on what is not supported: that is said, and what else is not. */
START_TEST(loops_over_what_is_lost)
{
    struct text go = node("Identity", "", "lost", "go");
    struct model m = looping("three", &go);
    model_node(&m, node("Foo", "f", "x", "lost"));
    model_node(&m, node("Bar", "b", "last", "y"));
    model_output(&m, "y");
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "operator Foo is not supported"));
    ck_assert(reports(diag, DIAG_ONNX_UNSUPPORTED, "operator Bar is not supported"));
    ck_assert_uint_eq(diag->n_errors, 2);
}
END_TEST

/* Running sums of the rows, from the last on: state and scanned output. */
START_TEST(scans_are_unrolled)
{
    struct model m = model_new(13);
    struct text scan_body = body("s row", "t u"), scan = node("Scan", "", "zero x", "sum sums");
    put_msg(&scan_body, 1, node("Add", "", "s row", "t"));
    put_msg(&scan_body, 1, node("Identity", "", "t", "u"));
    attr_graph(&scan, "body", scan_body);
    attr_int(&scan, "num_scan_inputs", 1);
    attr_ints(&scan, "scan_input_directions", 1, (const int64_t[]){1});
    model_input(&m, "x", DIMS(3, 2));
    model_init(&m, FLOATS("zero", DIMS(2), 0, 0));
    model_node(&m, scan);
    model_output(&m, "sums");
    expect(&m, (const float[]){1, 2, 3, 4, 5, 6}, (const float[]){5, 6, 8, 10, 9, 12}, 6);
}
END_TEST

/* A loop without an iteration and a scan over no rows hand on what they were given. */
START_TEST(states_must_be_given)
{
    const bool scans = _i;
    struct model m = model_new(13);
    struct text states = scans ? body("s row", "s") : body("i c s", "c s");
    struct text n = scans ? node("Scan", "", "- none", "y") : node("Loop", "", "zero - -", "y");
    attr_graph(&n, "body", states);
    if (scans)
        attr_int(&n, "num_scan_inputs", 1);
    model_int(&m, "zero", 0);
    model_init(&m, tensor("none", FLOAT, DIMS(0, 2), "", 0));
    model_node(&m, n);
    model_output(&m, "y");
    ck_assert(
        rejected(&m, DIAG_ONNX_ATTR, scans ? "operand 0 is missing" : "operand 2 is missing"));
}
END_TEST

/* ---- sequences ---- */

/* [1..6] in parts of 2: the parts, the last one doubled and put in front, joined. */
START_TEST(sequences_exist_at_compile_time)
{
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(6));
    model_int(&m, "two", 2);
    model_int(&m, "last", -1);
    model_int(&m, "first", 0);
    model_node(&m, node("SplitToSequence", "", "x two", "parts"));
    model_node(&m, node("SequenceAt", "", "parts last", "p"));
    model_node(&m, node("Add", "", "p p", "q"));
    model_node(&m, node("SequenceErase", "", "parts", "fewer"));
    model_node(&m, node("SequenceInsert", "", "fewer q first", "more"));
    struct text join = node("ConcatFromSequence", "", "more", "y");
    attr_int(&join, "axis", 0);
    model_node(&m, join);
    model_output(&m, "y");
    expect(&m, (const float[]){1, 2, 3, 4, 5, 6}, (const float[]){10, 12, 1, 2, 3, 4}, 6);
}
END_TEST

START_TEST(sequences_are_no_tensors)
{
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(6));
    model_node(&m, node("SequenceConstruct", "", "x x", "s"));
    model_node(&m, node("Relu", "", "s", "y"));
    model_output(&m, "y");
    model_output(&m, "s");
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "operand 0, 's', is a sequence"));
    ck_assert(reports(diag, DIAG_ONNX_UNSUPPORTED, "is a sequence; only tensors"));
}
END_TEST

static void add_body_cases(TCase *tc)
{
    tcase_add_test(tc, functions_are_inlined);
    tcase_add_test(tc, inlined_nodes_are_named_by_the_calls);
    tcase_add_test(tc, functions_share_weights);
    tcase_add_test(tc, functions_that_cannot_be);
    tcase_add_test(tc, functions_that_explode);
    tcase_add_test(tc, calls_are_not_too_deep);
    tcase_add_test(tc, branch_chosen_by_a_shape);
    tcase_add_test(tc, branch_that_is_not_taken);
    tcase_add_test(tc, branch_decided_at_run_time);
    tcase_add_test(tc, condition_of_another_type);
    tcase_add_test(tc, branches_wait_for_what_they_read);
    tcase_add_test(tc, loops_are_unrolled);
    tcase_add_test(tc, loops_end_by_their_condition);
    tcase_add_loop_test(tc, loops_without_end, 0, 2);
    tcase_add_test(tc, loops_over_what_is_lost);
    tcase_add_test(tc, scans_are_unrolled);
    tcase_add_loop_test(tc, states_must_be_given, 0, 2);
    tcase_add_test(tc, sequences_exist_at_compile_time);
    tcase_add_test(tc, sequences_are_no_tensors);
}

#endif
