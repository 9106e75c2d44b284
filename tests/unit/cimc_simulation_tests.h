/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cimc_simulation_tests.h - part of cimc_test.c: values, runs, what a run that fails leaves. */
#ifndef CIMC_CIMC_SIMULATION_TESTS_H
#define CIMC_CIMC_SIMULATION_TESTS_H

/* The convolution of other images: n x 1 x h x h, its input by another name; `more`: with an input
 * that is added, and a second output. */
static struct text other_model(const char *input, int64_t n, int64_t h, bool more)
{
    struct model m = model_new(13);
    char inputs[16];
    snprintf(inputs, sizeof inputs, "%s w", input);
    model_input(&m, input, DIMS(n, 1, h, h));
    model_init(&m, FLOATS("w", DIMS(1, 1, 2, 2), 1, 2, 3, 4));
    model_node(&m, node("Conv", "conv", inputs, "y"));
    model_output(&m, "y");
    if (more) {
        model_input(&m, "b", DIMS(n, 1, h - 1, h - 1));
        model_node(&m, node("Add", "add", "y b", "sum"));
        model_output(&m, "sum");
    }
    return model_bytes(&m);
}

static cimc_simulation *values_of_model(struct rig *r)
{
    struct cimc_array in = array(ramp, 3, 3);
    struct cimc_values v = {.size = sizeof v, .inputs = &in, .n_inputs = 1};
    cimc_simulation *s = NULL;
    ck_assert_int_eq(cimc_simulation_of_model(r->c, r->model, &r->o, &v, &s), CIMC_OK);
    return s;
}

static cimc_simulation *values_of_program(struct rig *r, const cimc_program *p)
{
    struct cimc_array in = array(ramp, 3, 3);
    struct cimc_values v = {.size = sizeof v, .inputs = &in, .n_inputs = 1};
    cimc_simulation *s = NULL;
    ck_assert_int_eq(cimc_simulation_of_program(r->c, p, &r->o, &v, &s), CIMC_OK);
    return s;
}

/* The run is there, with the values by hand. */
static void expect_values(const cimc_simulation *s)
{
    struct cimc_array y = {.size = sizeof y};
    ck_assert(cimc_simulation_values(s, 0, &y));
    ck_assert_mem_eq(y.data, by_hand, sizeof by_hand);
}

START_TEST(values_of_another_model)
{
    static const struct {
        const char *input;
        int64_t n, h;
        bool more;
        enum cimc_status status;
    } cases[] = {{"x", 1, 3, false, CIMC_OK},           {"x", 1, 2, false, CIMC_WRONG_USAGE},
                 {"x", 1, 64, false, CIMC_WRONG_USAGE}, {"x", 2, 3, false, CIMC_WRONG_USAGE},
                 {"z", 1, 3, false, CIMC_WRONG_USAGE},  {"x", 1, 3, true, CIMC_WRONG_USAGE}};
    struct rig r;
    rig_open(&r);
    rig_compile(&r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig other = {.c = r.c,
                            .o = r.o,
                            .bytes =
                                other_model(cases[i].input, cases[i].n, cases[i].h, cases[i].more)};
        rig_compile(&other);
        cimc_simulation *s = values_of_model(&r);
        ck_assert_int_eq(cimc_simulate(r.c, s, other.program, &r.o), cases[i].status);
        if (cases[i].status != CIMC_OK) /* they are still for their own */
            ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
        expect_values(s);
        cimc_simulation_free(s);
        cimc_program_free(other.program);
        cimc_model_free(other.model);
        text_free(&other.bytes);
    }
    rig_close(&r);
}
END_TEST

/* What it reads is the same, whether it knows its model or not. */
START_TEST(values_of_the_model_of_a_program_that_was_read)
{
    struct rig r;
    cimc_program *p = NULL;
    rig_open(&r);
    rig_compile(&r);
    WRITTEN(file, cimc_program_write(r.c, r.program, collect, &file));
    struct cimc_source bytes = in_memory(file.at, file.n), model = in_memory(r.bytes.at, r.bytes.n);
    ck_assert_int_eq(cimc_program_read(r.c, &bytes, &p), CIMC_OK);
    cimc_simulation *s = values_of_model(&r);
    ck_assert_int_eq(cimc_simulate(r.c, s, p, &r.o), CIMC_OK);
    expect_values(s);
    cimc_simulation_free(s);
    s = values_of_program(&r, p);
    ck_assert_int_eq(cimc_program_bind(r.c, p, &model, 1, NULL), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, p, &r.o), CIMC_OK);
    expect_values(s);
    cimc_simulation_free(s);
    cimc_program_free(p);
    text_free(&file);
    rig_close(&r);
}
END_TEST

START_TEST(trials_that_are_not_given)
{
    struct rig r;
    rig_open(&r);
    rig_compile(&r);
    r.o.trials = -1;
    cimc_simulation *s = values_of_program(&r, r.program);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
    WRITTEN(table, cimc_print_simulation(r.c, s, CIMC_TABLE, &r.o, collect, &table));
    ck_assert_ptr_nonnull(strstr(table.at, "output 0"));
    expect_values(s);
    text_free(&table);
    cimc_simulation_free(s);
    rig_close(&r);
}
END_TEST

/* The program, but that its last instruction waits for one that never comes. */
static cimc_program *that_hangs(struct rig *r, struct text *keep)
{
    cimc_program *p = NULL;
    r->o.inline_blobs = true;
    ck_assert_int_eq(cimc_disassemble(r->c, r->program, &r->o, collect, keep), CIMC_OK);
    r->o.inline_blobs = false;
    char *wait = strstr(keep->at, "wait q1>=1");
    ck_assert_ptr_nonnull(wait);
    wait[9] = '3';
    struct cimc_source text = in_memory(keep->at, keep->n);
    ck_assert_int_eq(cimc_assemble(r->c, &text, &p), CIMC_OK);
    return p;
}

static bool stop_at_evaluate(void *user, const char *what, uint64_t done, uint64_t total)
{
    (void)user;
    (void)done;
    (void)total;
    return strcmp(what, "evaluate") != 0;
}

/* Neither memory nor results of them stay. */
START_TEST(runs_that_fail)
{
    struct rig r;
    struct text text = {0};
    rig_open(&r);
    rig_compile(&r);
    cimc_program *hangs = that_hangs(&r, &text);
    cimc_simulation *s = values_of_model(&r);
    for (int i = 0; i < 4; i++) {
        r.o.trials = i % 2 ? 2 : 0;
        ck_assert_int_eq(cimc_simulate(r.c, s, hangs, &r.o), CIMC_WRONG_INPUT);
        ck_assert_int_eq(cimc_print_simulation(r.c, s, CIMC_TABLE, &r.o, refuse, NULL),
                         CIMC_WRONG_USAGE);
    }
    r.o.trials = 0;
    cimc_set_progress(r.c, stop_at_evaluate, NULL);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_CANCELLED);
    cimc_set_progress(r.c, NULL, NULL);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
    expect_values(s);
    WRITTEN(table, cimc_print_simulation(r.c, s, CIMC_TABLE, &r.o, collect, &table));
    ck_assert_ptr_null(strstr(table.at, "trial"));
    text_free(&table);
    cimc_simulation_free(s);
    cimc_program_free(hangs);
    text_free(&text);
    rig_close(&r);
}
END_TEST

/* The caller's array has the port's shape, or the frames in front of it. */
START_TEST(shapes_of_outputs)
{
    static const struct {
        uint32_t rank;
        int64_t dims[5];
        enum cimc_status status;
    } cases[] = {{4, {2, 1, 2, 2}, CIMC_OK},          {5, {2, 1, 1, 2, 2}, CIMC_OK},
                 {4, {1, 2, 2, 2}, CIMC_WRONG_USAGE}, {5, {1, 2, 1, 2, 2}, CIMC_WRONG_USAGE},
                 {1, {8}, CIMC_WRONG_USAGE},          {2, {-5, (int64_t)1 << 60}, CIMC_WRONG_USAGE},
                 {0, {0}, CIMC_WRONG_USAGE},          {77, {2, 1, 2, 2}, CIMC_WRONG_USAGE}};
    struct rig r;
    float x[18], y[8];
    rig_open(&r);
    r.o.frames = 2;
    rig_compile(&r);
    for (int i = 0; i < 18; i++)
        x[i] = ramp[i % 9];
    struct cimc_array in = array(x, 6, 3), out = array(y, 4, 2);
    in.dims[0] = 2;
    in.dims[2] = 3;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memset(y, 0, sizeof y);
        out.rank = cases[i].rank;
        memcpy(out.dims, cases[i].dims, sizeof cases[i].dims);
        ck_assert_msg(cimc_run(r.c, r.program, &r.o, &in, 1, &out, 1) == cases[i].status, "%zu", i);
        for (int k = 0; k < 8; k++)
            ck_assert_float_eq(y[k], cases[i].status == CIMC_OK ? by_hand[k % 4] : 0);
    }
    rig_close(&r);
}
END_TEST

/* What is given counts, or is refused. */
START_TEST(values_without_inputs)
{
    struct rig r;
    rig_open(&r);
    rig_compile(&r);
    const int64_t label = 3;
    struct cimc_array none = {.size = sizeof none}, in = array(ramp, 3, 3);
    struct cimc_array want[] = {array(by_hand, 2, 2), array(by_hand, 2, 2)};
    const struct {
        struct cimc_values v;
        enum cimc_status status;
        bool times_only;
    } cases[] = {
        {{.n_inputs = 0}, CIMC_OK, true},
        {{.inputs = &none, .n_inputs = 1}, CIMC_OK, true},
        {{.inputs = &none, .n_inputs = 1, .expected = &none, .n_expected = 1}, CIMC_OK, true},
        {{.labels = &label, .n_labels = 1}, CIMC_WRONG_USAGE, false},
        {{.expected = want, .n_expected = 1}, CIMC_WRONG_USAGE, false},
        {{.inputs = &none, .n_inputs = 1, .expected = want, .n_expected = 1},
         CIMC_WRONG_USAGE,
         false},
        {{.inputs = &in, .n_inputs = 1, .labels = &label, .n_labels = 1}, CIMC_OK, false},
        {{.inputs = &in, .n_inputs = 1, .expected = want, .n_expected = 2},
         CIMC_WRONG_INPUT,
         false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cimc_simulation *s = NULL;
        struct cimc_values v = cases[i].v;
        struct cimc_simulation_info info = {.size = sizeof info};
        v.size = sizeof v;
        ck_assert_msg(cimc_simulation_of_program(r.c, r.program, &r.o, &v, &s) == cases[i].status,
                      "%zu", i);
        if (!s)
            continue;
        ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
        cimc_simulation_info(s, &info);
        ck_assert(info.times_only == cases[i].times_only);
        ck_assert_int_eq(info.n_right, v.n_labels ? 1 : -1); /* 67 is the largest */
        cimc_simulation_free(s);
    }
    rig_close(&r);
}
END_TEST

/* Options of the run that only runs with values can do. */
START_TEST(options_that_need_values)
{
    struct rig r;
    cimc_simulation *s = NULL;
    struct cimc_simulation_info info = {.size = sizeof info};
    rig_open(&r);
    rig_compile(&r);
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, &r.o, NULL, &s), CIMC_OK);
    struct cimc_options asks[5];
    for (int i = 0; i < 5; i++)
        asks[i] = r.o;
    asks[0].compare_layers = true;
    asks[1].save_outputs = "/nowhere/to/be/found";
    asks[2].trials = 2;
    asks[3].labels = "/nowhere/to/be/found";
    asks[4].needs_values = true;
    for (int i = 0; i < 5; i++)
        ck_assert_msg(cimc_simulate(r.c, s, r.program, &asks[i]) == CIMC_WRONG_USAGE, "%d", i);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
    cimc_simulation_free(s);
    /* labels of the run */
    struct memory_file right = memory_file("3\n", 2), wrong = memory_file("4\n", 2);
    s = values_of_program(&r, r.program);
    asks[3].labels = wrong.path;
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &asks[3]), CIMC_WRONG_INPUT);
    asks[3].labels = right.path;
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &asks[3]), CIMC_OK);
    cimc_simulation_info(s, &info);
    ck_assert_int_eq(info.n_right, 1);
    close(right.fd);
    close(wrong.fd);
    cimc_simulation_free(s);
    rig_close(&r);
}
END_TEST

static void add_simulation_tests(TCase *tests)
{
    tcase_add_test(tests, values_of_another_model);
    tcase_add_test(tests, values_of_the_model_of_a_program_that_was_read);
    tcase_add_test(tests, trials_that_are_not_given);
    tcase_add_test(tests, runs_that_fail);
    tcase_add_test(tests, shapes_of_outputs);
    tcase_add_test(tests, values_without_inputs);
    tcase_add_test(tests, options_that_need_values);
}

#endif
