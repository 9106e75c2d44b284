/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fuzz_machine.c - fuzz target: a machine as YAML. What is read prints and reads back; a small
 * network is compiled for it.
 */
#include "fuzz.h"

#include <string.h>

/* A base layer of several slices and copies, vector work, a window, two readers of one value. */
static const char network[] =
    "graph \"small\" tensor {\n"
    "  %0 = input {index=0, dtype=\"f32\", shape=[1,2,5,6]}\n"
    "  %1 = constant {dtype=\"f32\", shape=[4,2,3,3], data=splat(0.25)}\n"
    "  %2 = conv %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], pad=[1,1,1,1], group=1}\n"
    "  %3 = relu %2\n"
    "  %4 = constant {dtype=\"f32\", shape=[4,4,1,1], data=splat(-0.5)}\n"
    "  %5 = conv %3, %4 {kernel=[1,1], stride=[1,1], dilation=[1,1], pad=[0,0,0,0], group=1}\n"
    "  %6 = add %5, %3\n"
    "  %7 = max_pool %6 {kernel=[2,2], stride=[2,2], dilation=[1,1], pad=[0,0,0,0]}\n"
    "  output %7 {index=0, dtype=\"f32\", shape=[1,4,2,3]}\n"
    "}\n";

static void read_back(const struct arch *arch, const struct text *t, struct diag *d)
{
    struct arch again;
    struct text u = {0}, v = {0};
    fuzz_require(arch_parse(t->at, t->n, "printed", d->arena, d, &again),
                 "a printed machine parses", d);
    fuzz_require(arch_fingerprint(&again, ARCH_structure) ==
                         arch_fingerprint(arch, ARCH_structure) &&
                     arch_fingerprint(&again, ARCH_timing) == arch_fingerprint(arch, ARCH_timing) &&
                     strcmp(again.name, arch->name) == 0,
                 "a printed machine parses to the same one", d);
    arch_print(arch, &u);
    arch_print(&again, &v);
    fuzz_require(strcmp(u.at, v.at) == 0, "it prints the same: prices too", d);
    text_free(&u);
    text_free(&v);
}

static void read_back_both(const struct arch *arch, const struct arch_notes *notes, struct diag *d)
{
    struct text plain = {0}, commented = {0};
    arch_print(arch, &plain);
    read_back(arch, &plain, d);
    arch_print_commented(arch, notes, &commented);
    read_back(arch, &commented, d);
    text_free(&plain);
    text_free(&commented);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct diag *d = diag_new();
    struct arch arch;
    const struct arch_notes *notes;
    bool ok = arch_parse_noted((const char *)data, n, "input", d->arena, d, &arch, &notes);
    fuzz_judge(ok, d);
    if (ok) {
        read_back_both(&arch, notes, d);
        struct ir_graph *g = ir_parse(network, sizeof network - 1, "network", d);
        fuzz_require(g != NULL, "the network of the harness is right", d);
        fuzz_graph(g, &arch);
    }
    diag_free(d);
    return 0;
}
