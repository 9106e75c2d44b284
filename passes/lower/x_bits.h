/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* x_bits.h - bits of values that are bytes. */
#ifndef CIMC_X_BITS_H
#define CIMC_X_BITS_H

#include "passes_internal.h"

/* By id of an operation, which this numbers, whose value is u8: the bits that no element exceeds, 1
 * to 8. Of a CROSSBAR graph. */
uint8_t *x_bits_of(struct ir_graph *g, struct arena *a);

#endif
