/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* arch_rig.h - what tests of machines need: an arena and diagnostics for each, machines of text. */
#ifndef CIMC_TEST_ARCH_RIG_H
#define CIMC_TEST_ARCH_RIG_H

#include "arch.h"

#include <check.h>
#include <string.h>

static struct arena *arena;
static struct diag *diag;

static inline void setup(void)
{
    arena = arena_new();
    diag = diag_new();
}

static inline void teardown(void)
{
    arena_free(arena);
    diag_free(diag);
}

static inline bool parse(const char *yaml, struct arch *out)
{
    return arch_parse(yaml, strlen(yaml), "m.yaml", arena, diag, out);
}

static inline struct arch clsa(void)
{
    struct arch arch;
    ck_assert(arch_load("clsa", arena, diag, &arch));
    return arch;
}

#endif
