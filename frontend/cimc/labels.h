/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* labels.h - which class each frame is of, and how many outputs say so. */
#ifndef CIMC_LABELS_H
#define CIMC_LABELS_H

#include "tensors.h"

struct labels {
    VEC(int64_t) of_frame; /* none: --labels was not given */
};
/* One for each of io's frames, each an element of output 0. */
bool labels_read(struct labels *l, const char *path, const struct io *io,
                 struct diag *d) CHECK_RESULT;
/* The same of numbers in memory. */
bool labels_take(struct labels *l, const int64_t *classes, size_t n, const struct io *io,
                 struct diag *d) CHECK_RESULT;
/* How many frames have the largest element of output 0 where their label says. */
int64_t labels_right(const struct labels *l, const struct io *io);
void labels_free(struct labels *l);

#endif
