/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * own_list.h - what ONNX's own tests give: a verdict a test, with the reason of a refusal; as a
 * list of lines in a file:
 *
 *   node/test_abs passed
 *   node/test_adam refused onnx-unsupported: 1 operator is not supported at ...
 *   node/test_x disputed why the file is wrong
 *
 * Of a refusal the code has to be the same; its text is there to be read.
 */
#ifndef CIMC_OWN_LIST_H
#define CIMC_OWN_LIST_H

#include "base.h"

enum own_verdict { PASSED, FOLDED, REFUSED, DISPUTED, WRONG };
struct outcome {
    const char *test; /* "node/test_abs" */
    enum own_verdict verdict;
    const char *code, *text; /* "" where there is none */
};
struct outcomes {
    struct outcome *at;
    size_t n, cap;
};

void own_list_sort(struct outcomes *list);
/* Sorted; false if there is no such file. Texts are in arena `a`. */
bool own_list_read(const char *path, struct outcomes *out, struct arena *a) CHECK_RESULT;
/* What the tests give now, in place of what the file says; disputed tests stay so while they
 * differ. False if one is wrong, or the file cannot be written. */
bool own_list_write(const char *path, const struct outcomes *have,
                    const struct outcomes *want) CHECK_RESULT;
void own_list_print(const struct outcome *o, FILE *to);
/* A point for each of the sets (NULL-terminated), with a line for each test that is not as the list
 * says, and one for tests that are not there any more. `growing`: better than listed is fine too.
 * False if a point failed. */
bool own_list_report(const char *const *sets, const struct outcomes *have,
                     const struct outcomes *want, bool growing) CHECK_RESULT;

#endif
