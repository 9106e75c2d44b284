/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* machine.h - the machine that options ask for. */
#ifndef CIMC_MACHINE_H
#define CIMC_MACHINE_H

#include "arch.h"
#include "cimc.h"

/* A preset or a file, with the fields that options change. */
bool machine_load(const struct cimc_options *s, const char *name_or_path, struct arena *a,
                  struct diag *d, struct arch *out, const struct arch_notes **notes) CHECK_RESULT;

#endif
