/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* fuzz_program.c - fuzz target: a program file. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct diag *d = diag_new();
    struct isa_program *p = isa_program_read(fuzz_file(data, n), d);
    fuzz_judge(p != NULL, d);
    if (p)
        fuzz_program(p);
    isa_program_free(p);
    diag_free(d);
    return 0;
}
