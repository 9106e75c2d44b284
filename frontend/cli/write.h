/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* write.h - where a command's output goes. */
#ifndef CIMC_WRITE_H
#define CIMC_WRITE_H

#include "commands.h"
#include "text_out.h"

/* A cimc_write_fn for a cimc_output, which says at its end what it could not take. */
bool write_output(void *output, const void *bytes, size_t n);
/* To the file of -o, whole or not at all, or to standard output. */
enum cimc_status write_whole(struct command_line *l, const void *bytes, size_t n);
/* Opens that file; then, what was printed having come out as `status`, keeps it or not. */
enum cimc_status output_open(struct command_line *l, cimc_output **out);
enum cimc_status output_close(struct command_line *l, cimc_output *out, enum cimc_status status);

#endif
