/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* weights.h - inputs of a model that are weights. */
#ifndef CIMC_WEIGHTS_H
#define CIMC_WEIGHTS_H

#include "settings.h"

/* --constant-weights: what --test-data holds for inputs that no operator reads as data becomes
 * `--constant`s, the other inputs `--input`s; names and paths are in arena `a`. */
bool weights_bind(struct settings *s, const char *model, struct arena *a,
                  struct diag *d) CHECK_RESULT;

#endif
