/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* blob_internal.h - how a derived payload is made; private to blob*.c. */
#ifndef CIMC_BLOB_INTERNAL_H
#define CIMC_BLOB_INTERNAL_H

#include "ir_internal.h"

void derivation_free(struct derivation *d);
/* All of it; the source is forgotten. */
void derivation_make(const struct derivation *d, void *to);
/* What it is made from is not read now. */
void derivation_forget(const struct derivation *d);
/* The bits of its i-th four bytes. */
void derivation_element(const struct derivation *d, int64_t i, void *to);

#endif
