/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* progress_line.h - how far long work is, as one line on a terminal. */
#ifndef CIMC_PROGRESS_LINE_H
#define CIMC_PROGRESS_LINE_H

#include "base.h"

struct progress_line {
    struct progress progress;
    double started, drawn; /* seconds */
    bool is_drawn;
};
/* NULL where there is no terminal to show it. */
const struct progress *progress_start(struct progress_line *l);
void progress_end(struct progress_line *l);

#endif
