/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* calibration.h - the tensors of --calibrate. */
#ifndef CIMC_CALIBRATION_H
#define CIMC_CALIBRATION_H

#include "eval.h"
#include "pass.h"
#include "base.h"
#include "cimc.h"

/* Values for a graph's inputs, image after image; its arrays and data are its own. */
struct calibration {
    struct pass_calibration tensors;
    VEC(void *) buffers;
};
struct calibration_source {
    const struct ir_graph *graph;                 /* of one image */
    bool is_batch;                                /* the model's file takes several at once */
    const struct cimc_options *settings, *writes; /* --input-scale; what must not be read */
};
/* The tensors of the entries [INPUT=]PATH of --`option`. False with a diagnostic; calibration_free
 * all the same.
 */
bool calibration_read(struct calibration *c, const struct calibration_source *from,
                      const char *option, const struct cimc_strings *entries,
                      struct diag *d) CHECK_RESULT;
/* What options say of the integers of a float model; false where they say it without --calibrate.
 */
bool calibration_options(const struct cimc_options *s, const struct arch *machine, struct arena *a,
                         struct quant_options *out, struct diag *d) CHECK_RESULT;
void calibration_free(struct calibration *c);

#endif
