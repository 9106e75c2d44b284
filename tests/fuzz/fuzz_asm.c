/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* fuzz_asm.c - fuzz target: assembly text. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct diag *d = diag_new();
    struct isa_program *p = isa_assemble((const char *)data, n, "input", d);
    fuzz_judge(p != NULL, d);
    if (p)
        fuzz_program(p);
    isa_program_free(p);
    diag_free(d);
    return 0;
}
