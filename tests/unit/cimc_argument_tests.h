/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cimc_argument_tests.h - part of cimc_test.c: arguments at the edge of what cimc.h allows. */
#ifndef CIMC_CIMC_ARGUMENT_TESTS_H
#define CIMC_CIMC_ARGUMENT_TESTS_H

START_TEST(options_that_are_not_given)
{
    struct rig r;
    struct cimc_simulation_info plain = {.size = sizeof plain}, info = plain;
    cimc_simulation *s = NULL;
    rig_open(&r);
    r.o.set = NULL;
    rig_compile(&r);
    r.o.input_fill = "ramp";
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, &r.o, NULL, &s), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
    cimc_simulation_info(s, &plain);
    cimc_simulation_free(s);
    for (size_t i = 0; cimc_option_at(i); i++) {
        const struct cimc_option_info *option = cimc_option_at(i);
        if (option->kind == CIMC_OPTION_INTEGER)
            *(int64_t *)((char *)&r.o + option->offset) = option->least - 1;
    }
    r.o.latency_seed = 1; /* else nobody asks for extra cycles */
    ck_assert_int_eq(cimc_simulation_of_program(r.c, r.program, &r.o, NULL, &s), CIMC_OK);
    ck_assert_int_eq(cimc_simulate(r.c, s, r.program, &r.o), CIMC_OK);
    cimc_simulation_info(s, &info);
    ck_assert(info.ran && info.cycles == plain.cycles && info.frames == plain.frames);
    cimc_simulation_free(s);
    rig_close(&r);
}
END_TEST

static void add_argument_tests(TCase *t)
{
    tcase_add_test(t, options_that_are_not_given);
}

#endif
