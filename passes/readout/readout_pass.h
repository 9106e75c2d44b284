/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* readout_pass.h - what the files of pass readout share. */
#ifndef CIMC_READOUT_PASS_H
#define CIMC_READOUT_PASS_H

#include "passes_internal.h"

/* A base layer of integers: what a read-out is of. */
static inline bool readout_has(const struct ir_op *op)
{
    return op->opcode == IR_mvm && op->in[1].value->type.dtype == IR_I8;
}

enum { READOUT_SLICES = 8 }; /* that a weight has at most */
/* Steps of a converter, as powers of two, by slice; mvms of one object have the same. */
struct readout_steps {
    uint32_t n_objects;
    int64_t (*at)[READOUT_SLICES]; /* by object, then slice */
};
/* The least step at which no sum of the layer's PEs saturates. */
int64_t readout_full_step(const struct ir_op *mvm);
/* Of least squared error over the context's calibration data; mvms have all other attributes. */
bool readout_calibrate(const struct ir_graph *g, struct pass_ctx *ctx,
                       const struct readout_steps *out) CHECK_RESULT;

#endif
