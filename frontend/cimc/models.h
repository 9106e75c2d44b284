/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* models.h - several models in one program: their names, whose option is whose, one graph of all.
 */
#ifndef CIMC_MODELS_H
#define CIMC_MODELS_H

#include "driver.h"

/* The file of an operand FILE or NAME=FILE. */
const char *models_file(const char *operand);
/* What an option says of the model: `text` without MODEL/, all of it where the model is alone; NULL
 * if it speaks of another. */
const char *models_own(const struct model *m, const char *text);
struct onnx_options;
/* What options say of the model's tensors goes to the importer's (model_options.c). */
bool model_options(const struct model *m, const struct cimc_options *s, struct arena *a,
                   struct onnx_options *out, struct diag *d) CHECK_RESULT;
/* OUT=IN of --state becomes an attribute of the input (states.c). */
bool states_bind(struct ir_graph *g, const struct model *m, const struct cimc_strings *states,
                 struct diag *d) CHECK_RESULT;
/* Whether what options about tensors name is a tensor of one of the models. */
bool models_check_options(const struct build *b, const struct cimc_options *s,
                          struct diag *d) CHECK_RESULT;
/* b->graph: all lowered graphs beside each other, each as often as its rate says. */
void models_join(struct build *b);

#endif
