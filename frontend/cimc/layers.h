/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* layers.h - what a program stores, beside the evaluator's values (`--compare-layers`). */
#ifndef CIMC_LAYERS_H
#define CIMC_LAYERS_H

#include "sim.h"
#include "verdict.h"

struct layers;
struct layers *layers_new(const struct isa_program *p, const struct ir_graph *g,
                          struct tolerance tolerance, struct diag *d);
void layers_free(struct layers *l);
/* To be called from sim_options.executed. */
void layers_executed(struct layers *l, const struct sim *s, uint32_t tile, uint32_t index);
/* To be given to io_evaluate_references. */
void layers_seen(void *layers, const struct ir_op *op, const struct tensor *value);
/* Reports the first node that differs (MISMATCH). */
bool layers_verdict(const struct layers *l, struct diag *d) CHECK_RESULT;
uint32_t layers_compared(const struct layers *l);

#endif
