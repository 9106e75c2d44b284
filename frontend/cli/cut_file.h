/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cut_file.h - a file that becomes shorter while it is read is wrong input. */
#ifndef CIMC_CUT_FILE_H
#define CIMC_CUT_FILE_H

#include "cimc.h"

/* For the files that are read in this context. */
void cut_file_watch(cimc_context *c);

#endif
