/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* mapping_file.h - `--copies @FILE` and `--patch @FILE`. */
#ifndef CIMC_MAPPING_FILE_H
#define CIMC_MAPPING_FILE_H

#include "base.h"
#include "cimc.h"

/* The options that may be given as a file, whose entries become the option's value: lines of what
 * may stand behind the option, or what `compile --json` printed. */
bool mapping_is_file(const struct cimc_option_info *option, const char *value);
bool mapping_put_file(struct cimc_options *o, const struct cimc_option_info *option,
                      const char *value, struct diag *d) CHECK_RESULT;

#endif
