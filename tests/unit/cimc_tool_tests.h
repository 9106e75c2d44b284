/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cimc_tool_tests.h - part of cimc_test.c: passes, texts of programs, cells, tables. */
#ifndef CIMC_CIMC_TOOL_TESTS_H
#define CIMC_CIMC_TOOL_TESTS_H

/* What the call wrote, which the caller frees; `status` is that of the call. */
#define WRITTEN(t, call)                                                                           \
    struct text t = {0};                                                                           \
    ck_assert_int_eq(call, CIMC_OK)

START_TEST(passes_take_models_and_texts_of_memory)
{
    struct rig r;
    rig_open(&r);
    struct cimc_source model = in_memory(r.bytes.at, r.bytes.n);
    r.o.stop_after = "partition";
    r.o.inline_blobs = true;
    WRITTEN(ir, cimc_pass_run(r.c, &model, &r.o, CIMC_IR, collect, &ir));
    ck_assert_ptr_nonnull(strstr(ir.at, "= conv %"));
    /* The text is read back, and passes that have nothing to do leave it. */
    struct cimc_source text = in_memory(ir.at, ir.n);
    r.o.passes = "dce";
    r.o.stop_after = NULL;
    WRITTEN(same, cimc_pass_run(r.c, &text, &r.o, CIMC_IR, collect, &same));
    ck_assert_str_eq(same.at, ir.at);
    WRITTEN(dot, cimc_pass_run(r.c, &text, &r.o, CIMC_DOT, collect, &dot));
    ck_assert(strncmp(dot.at, "digraph", 7) == 0);
    /* An ONNX model of it computes the same. */
    r.o.passes = NULL;
    WRITTEN(onnx, cimc_pass_run(r.c, &model, &r.o, CIMC_ONNX, collect, &onnx));
    struct rig again = {.c = cimc_context_new(), .bytes = onnx};
    cimc_options_init(&again.o, sizeof again.o);
    rig_compile(&again);
    expect_by_hand(again.c, again.program, &again.o);
    rig_close(&again);
    r.o.passes = "dcf";
    ck_assert_int_eq(cimc_pass_run(r.c, &text, &r.o, CIMC_IR, collect, &same), CIMC_WRONG_INPUT);
    r.o.passes = NULL;
    text_free(&ir);
    text_free(&same);
    text_free(&dot);
    rig_close(&r);
}
END_TEST

/* What the first of two would become is not what both are. */
START_TEST(one_model_is_quantised)
{
    struct rig r;
    rig_open(&r);
    struct cimc_source two[2] = {in_memory(r.bytes.at, r.bytes.n),
                                 in_memory(r.bytes.at, r.bytes.n)};
    two[0].path = "a=x";
    two[1].path = "b=x";
    cimc_quantized *q = NULL;
    ck_assert_int_eq(cimc_import(r.c, two, 2, &r.o, &r.model), CIMC_OK);
    ck_assert_int_eq(cimc_options_set(r.c, &r.o, "calibrate", "/dev/null"), CIMC_OK);
    ck_assert_int_eq(cimc_quantize(r.c, r.model, &r.o, &q), CIMC_WRONG_USAGE);
    ck_assert_ptr_null(q);
    struct cimc_diagnostic d = {.size = sizeof d};
    ck_assert(cimc_diagnostic_at(r.c, 0, &d));
    ck_assert_str_eq(d.text, "one model is quantised at a time");
    rig_close(&r);
}
END_TEST

/* The text outlives what it was made of, and the program the text. */
START_TEST(texts_of_programs_assemble)
{
    struct rig r;
    rig_open(&r);
    rig_compile(&r);
    r.o.inline_blobs = true;
    WRITTEN(bytes, cimc_program_write(r.c, r.program, collect, &bytes));
    WRITTEN(text, cimc_disassemble(r.c, r.program, &r.o, collect, &text));
    struct cimc_source source = in_memory(text.at, text.n);
    cimc_program *again = NULL;
    ck_assert_int_eq(cimc_assemble(r.c, &source, &again), CIMC_OK);
    memset(text.at, 0, text.n);
    text_free(&text);
    WRITTEN(same, cimc_program_write(r.c, again, collect, &same));
    ck_assert_uint_eq(same.n, bytes.n);
    ck_assert_mem_eq(same.at, bytes.at, bytes.n);
    expect_by_hand(r.c, again, &r.o);
    struct cimc_port port = {.size = sizeof port};
    ck_assert(cimc_program_input(again, 0, &port) && port.rank == 4);
    WRITTEN(proved, cimc_check(r.c, again, CIMC_TEXT, collect, &proved));
    ck_assert_str_eq(proved.at, ": form, progress, races: proved\n");
    text_free(&proved);
    ck_assert_int_eq(cimc_check(r.c, r.program, CIMC_TEXT, collect, &proved), CIMC_OK);
    ck_assert_ptr_nonnull(strstr(proved.at, "meaning"));
    source = in_memory("isa 0", 5);
    cimc_program_free(again);
    ck_assert_int_eq(cimc_assemble(r.c, &source, &again), CIMC_WRONG_INPUT);
    ck_assert_ptr_null(again);
    text_free(&bytes);
    text_free(&same);
    text_free(&proved);
    rig_close(&r);
}
END_TEST

/* Row 3 of the kernel's matrix, (1, 1), holds 4. */
START_TEST(weights_are_found)
{
    struct rig r;
    rig_open(&r);
    rig_compile(&r);
    r.o.layer = "0";
    r.o.row = 3;
    r.o.col = 0;
    WRITTEN(t, cimc_where(r.c, r.program, &r.o, CIMC_TEXT, collect, &t));
    ck_assert_ptr_nonnull(strstr(t.at, "row 3 of 4, column 0 of 1: 4.0\n"));
    r.o.row = 4;
    ck_assert_int_eq(cimc_where(r.c, r.program, &r.o, CIMC_JSON, collect, &t), CIMC_WRONG_INPUT);
    r.o.row = -1;
    ck_assert_int_eq(cimc_where(r.c, r.program, &r.o, CIMC_JSON, collect, &t), CIMC_WRONG_USAGE);
    r.o.layer = NULL;
    ck_assert_int_eq(cimc_dump(r.c, r.program, &r.o, collect, &t), CIMC_WRONG_USAGE);
    text_free(&t);
    rig_close(&r);
}
END_TEST

START_TEST(tables_and_names)
{
    static const char *const names[] = {"compile", "check"};
    struct rig r;
    rig_open(&r);
    WRITTEN(t, cimc_print_table(r.c, "codes", CIMC_TABLE, collect, &t));
    ck_assert_ptr_nonnull(strstr(t.at, "| mismatch |"));
    ck_assert_int_eq(cimc_print_table(r.c, "cods", CIMC_TABLE, collect, &t), CIMC_WRONG_USAGE);
    ck_assert_int_eq(cimc_print_table(r.c, "codes", CIMC_SV, collect, &t), CIMC_WRONG_USAGE);
    ck_assert_int_eq(cimc_print_table(r.c, "isa", CIMC_ONNX, collect, &t), CIMC_WRONG_USAGE);
    WRITTEN(sv, cimc_print_table(r.c, "isa", CIMC_SV, collect, &sv));
    ck_assert_ptr_nonnull(strstr(sv.at, "\npackage cimc_pkg;\n"));
    text_free(&sv);
    ck_assert_int_eq(cimc_print_table(r.c, "codes", CIMC_TABLE, refuse, NULL), CIMC_WRONG_INPUT);
    ck_assert_str_eq(cimc_closest("chekc", names, 2), "check");
    ck_assert_ptr_null(cimc_closest("list", names, 2));
    ck_assert(*cimc_build_info() && !strchr(cimc_build_info(), '\n'));
    text_free(&t);
    rig_close(&r);
}
END_TEST

static void add_tool_tests(TCase *tests)
{
    tcase_add_test(tests, passes_take_models_and_texts_of_memory);
    tcase_add_test(tests, one_model_is_quantised);
    tcase_add_test(tests, texts_of_programs_assemble);
    tcase_add_test(tests, weights_are_found);
    tcase_add_test(tests, tables_and_names);
}

#endif
