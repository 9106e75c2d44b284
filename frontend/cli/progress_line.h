/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* progress_line.h - how far long work is, as one line on a terminal. */
#ifndef CIMC_PROGRESS_LINE_H
#define CIMC_PROGRESS_LINE_H

#include "cimc.h"

struct progress_line {
    double started, drawn; /* seconds */
    bool is_drawn;
};
/* Shows nothing where there is no terminal. */
void progress_start(struct progress_line *l, cimc_context *c);
void progress_end(struct progress_line *l);

#endif
