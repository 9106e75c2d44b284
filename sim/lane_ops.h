/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * lane_ops.h - plain loops over lanes: the operations of vector programs, what windows and
 * reductions take in, and elements of 8 bits on their way to lanes and back.
 */
#ifndef CIMC_LANE_OPS_H
#define CIMC_LANE_OPS_H

#include "isa.h"

/* Operands of one lane operation. z may be x or y, or lie apart from them. rq: `y` is the
 * multiplier, `add` what is added. */
struct lane_work {
    const void *x, *y, *add;
    const uint32_t *table; /* tab */
    unsigned shift;        /* rq */
};
void lane_run(unsigned op, const struct lane_work *w, void *z, uint32_t n);

/* r[i] = r[i] and x[i], taken together. */
typedef void lane_take(void *r, const void *x, uint32_t n);
/* The greater or the sum, of f32 or i32. */
lane_take *lane_taker(bool max, bool floats);

void lanes_widen(void *lanes, const uint8_t *in, uint32_t n);
void lanes_narrow(uint8_t *out, const void *lanes, uint32_t n); /* saturated to 0..255 */

#endif
