/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* run_suite.h - the end of every main of tests with Check: exit status 1 where a test failed. */
#ifndef CIMC_RUN_SUITE_H
#define CIMC_RUN_SUITE_H

#include <check.h>

static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}

#endif
