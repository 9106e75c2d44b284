/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cut_file.h - a file that becomes shorter while it is read is wrong input. */
#ifndef CIMC_CUT_FILE_H
#define CIMC_CUT_FILE_H

#include "base.h"

/* For the files that this thread reads; `d`: its door. */
void cut_file_watch(struct door *d);

#endif
