/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* partition.h - between the files of pass partition. */
#ifndef CIMC_PARTITION_H
#define CIMC_PARTITION_H

#include "passes_internal.h"

enum { PARTITION_MOST_LAYERS = 1 << 14 };
/* As how many layers a convolution without padding and bias is lowered. */
int64_t partition_layers(const struct ir_op *conv);
/* A convolution without padding and bias becomes some of one image each, if it has several.
 * `last_weights`: the highest number of a set of crossbars so far. */
void partition_batch(struct ir_op *conv, int64_t *last_weights, struct arena *scratch);
/* A layer normalisation becomes what it is made of. */
void partition_norm(struct ir_op *norm);
/* An interpolation likewise. */
void partition_interpolate(struct ir_op *op);

#endif
