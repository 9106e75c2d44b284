/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* weights.h - inputs of a model that are weights. */
#ifndef CIMC_WEIGHTS_H
#define CIMC_WEIGHTS_H

#include "base.h"
#include "cimc.h"

/* --constant-weights: what --test-data holds for inputs that no operator reads as data becomes
 * `--constant`s, the other inputs `--input`s. `model`: the only one. */
bool weights_bind(struct cimc_options *o, const char *model, struct diag *d) CHECK_RESULT;

#endif
