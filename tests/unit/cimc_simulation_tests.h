/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cimc_simulation_tests.h - part of cimc_test.c: values, runs, what a run that fails leaves. */
#ifndef CIMC_CIMC_SIMULATION_TESTS_H
#define CIMC_CIMC_SIMULATION_TESTS_H

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

static void add_simulation_tests(TCase *tests)
{
    tcase_add_test(tests, trials_that_are_not_given);
    tcase_add_test(tests, runs_that_fail);
}

#endif
