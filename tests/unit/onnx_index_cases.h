/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_index_cases.h - part of onnx_test.c: what becomes of indices, and which are refused. Values
 * are compared in tests/onnx and tests/numeric/cases.
 */
#ifndef CIMC_ONNX_INDEX_CASES_H
#define CIMC_ONNX_INDEX_CASES_H

/* Indices known now that are the same for all are a list, others an operand. */
START_TEST(indices_known_now)
{
    struct text same = node("Gather", "g", "x i", "y"),
                each = node("GatherElements", "e", "x k", "z");
    attr_int(&same, "axis", 1);
    attr_int(&each, "axis", -1);
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(2, 3));
    model_init(&m, INTS("i", 2, -3));
    model_init(&m, tensor("k", INT64, DIMS(2, 1), (const int64_t[]){-1, 0}, 16));
    model_node(&m, same);
    model_node(&m, each);
    model_output(&m, "y");
    model_output(&m, "z");
    struct ir_graph *g = import_model(&m);
    static const int64_t list[] = {0, 1, 2, 0};
    ck_assert_mem_eq(nth(g, IR_gather_grid, 0)->attrs->gather_grid.index.at, list, sizeof list);
    const struct ir_op *take = nth(g, IR_take, 0);
    ck_assert_int_eq(take->attrs->take.axis, 1);
    ck_assert(ir_is(take->in[1].value, IR_constant));
    ck_assert_int_eq(ir_const_i64(take->in[1].value->def, 0), -1);
    ck_assert_ptr_null(nth(g, IR_take, 1));
    ir_graph_free(g);
}
END_TEST

/* [2,2] token ids of a table [5,3]: one take of four rows. */
START_TEST(indices_of_run_time)
{
    struct model m = model_new(13);
    put_msg(&m.graph, 11, value_info("ids", INT32, DIMS(2, 2), NULL));
    model_input(&m, "x", DIMS(5, 3));
    model_node(&m, node("Gather", "g", "x ids", "y"));
    model_output(&m, "y");
    struct ir_graph *g = import_model(&m);
    const struct ir_op *take = nth(g, IR_take, 0);
    const struct ir_type rows = ir_type_of(IR_I32, DIMS(4, 1));
    const struct ir_type all = ir_type_of(IR_F32, DIMS(2, 2, 3));
    ck_assert(ir_type_equal(&take->in[1].value->type, &rows));
    ck_assert(ir_type_equal(&nth(g, IR_output, 0)->in[0].value->type, &all));
    ir_graph_free(g);
}
END_TEST

static const struct {
    const char *op, *in;
    int64_t index[2]; /* i, and k */
    enum diag_code code;
    const char *says;
} bad_indices[] = {
    {"Gather", "x i", {0, 4}, DIAG_ONNX_ATTR, "index 4 of a dimension of 4"},
    {"GatherElements", "x i", {0, 0}, DIAG_ONNX_ATTR, "indices have rank 1, the input 2"},
    {"GatherND", "x i", {4, 0}, DIAG_ONNX_ATTR, "index 4 of a dimension of 4"},
    {"ScatterND", "x i u", {0, 0}, DIAG_ONNX_ATTR, "indices and updates do not fit the input"},
    {"Gather", "x x", {0, 0}, DIAG_ONNX_ATTR, "indices are f32"},
    {"TopK", "x k", {6, 0}, DIAG_ONNX_ATTR, "k is 6 of 5; 1 to 255 are supported"},
    {"TopK", "x x", {0, 0}, DIAG_ONNX_ATTR, "is not known at compile time"},
    {"OneHot", "x k u", {0, 0}, DIAG_ONNX_ATTR, "a depth of 0"},
    {"Compress", "x x", {0, 0}, DIAG_ONNX_UNSUPPORTED, "shape of its result depends on data"},
    {"NonZero", "x", {0, 0}, DIAG_ONNX_UNSUPPORTED, "shape of its result depends on data"},
    {"Unique", "x", {0, 0}, DIAG_ONNX_UNSUPPORTED, "shape of its result depends on data"},
};
enum { N_BAD_INDICES = sizeof bad_indices / sizeof *bad_indices };

START_TEST(indices_that_cannot_be)
{
    struct model m =
        one_node(16, node(bad_indices[_i].op, "", bad_indices[_i].in, "y"), DIMS(4, 5));
    const int64_t *at = bad_indices[_i].index;
    model_init(&m, tensor("i", INT64, DIMS(2), at, 16));
    model_init(&m, tensor("k", INT64, DIMS(1), at, 8));
    model_init(&m, FLOATS("u", DIMS(2), 0, 1));
    ck_assert(rejected(&m, bad_indices[_i].code, bad_indices[_i].says));
}
END_TEST

/* A tensor without elements may have any number of rows. */
START_TEST(tuples_of_nothing)
{
    const int64_t rows = INT64_C(1) << 40;
    struct model m = one_node(16, node("ScatterND", "", "none i u", "y"), DIMS(1));
    model_init(&m, tensor("none", FLOAT, DIMS(0), "", 0));
    model_init(&m, tensor("i", INT64, DIMS(rows, 0), "", 0));
    model_init(&m, tensor("u", FLOAT, DIMS(rows, 0), "", 0));
    ck_assert(rejected(&m, DIAG_SHAPE, "has no elements"));
}
END_TEST

START_TEST(many_of_a_long_line)
{
    struct model m = one_node(16, node("TopK", "", "x k", "y"), DIMS(1 << 24));
    model_init(&m, INTS("k", 255));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "k is 255 of 16777216; their product may be"));
}
END_TEST

static void add_index_cases(TCase *tc)
{
    tcase_add_test(tc, indices_known_now);
    tcase_add_test(tc, indices_of_run_time);
    tcase_add_loop_test(tc, indices_that_cannot_be, 0, N_BAD_INDICES);
    tcase_add_test(tc, tuples_of_nothing);
    tcase_add_test(tc, many_of_a_long_line);
}

#endif
