/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* mutate_onnx.c - mutants of ONNX files: mostly whole messages with something changed inside. */
#include "fuzz.h"
#include "wire.h"

#include <string.h>

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    uint64_t state = seed;
    struct arena *a = arena_new();
    struct wire_field *fields;
    struct text out = {0};
    if (random_next(&state) % 16 && wire_parse(data, n, a, &fields)) {
        wire_mutate(&fields, a, &state);
        wire_write(fields, &out);
    }
    if (out.n && out.n <= most)
        memcpy(data, out.at, n = out.n);
    else
        n = LLVMFuzzerMutate(data, n, most);
    text_free(&out);
    arena_free(a);
    return n;
}
