/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* text_out.h - a stream of stdio as what the library writes to. */
#ifndef CIMC_TEXT_OUT_H
#define CIMC_TEXT_OUT_H

#include <stdbool.h>
#include <stdio.h>

/* A cimc_write_fn; `file` is a FILE. Errors stay in the stream, main.c looks for them. */
static inline bool write_text(void *file, const void *bytes, size_t n)
{
    fwrite(bytes, 1, n, file);
    return true;
}

#endif
