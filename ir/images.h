/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * images.h - a batch as frames: images that stand side by side in the tensors of a TENSOR graph and
 * know nothing of one another become one image, and a number of them.
 */
#ifndef CIMC_IR_IMAGES_H
#define CIMC_IR_IMAGES_H

#include "ir.h"

/* How many images the inputs hold that a convolution takes as its batch: the length of their first
 * dimension; 1 where there are none. A batch that is made inside the graph is a dimension like
 * others. */
int64_t ir_batch(const struct ir_graph *g);
/* Makes it a graph of one image; `n` > 1 is ir_batch's. An input whose first dimension is n has a
 * part of each image in it, other inputs are the same for all; each output must have the images
 * along its first dimension. False with a diagnostic (LOWER) at an operation that mixes images;
 * the graph is damaged then. */
bool ir_take_image(struct ir_graph *g, int64_t n, struct diag *d) CHECK_RESULT;

/* Whether ir_take_image would make it one; it stays as it is. */
bool ir_keeps_images(const struct ir_graph *g, int64_t n, struct diag *d) CHECK_RESULT;

#endif
