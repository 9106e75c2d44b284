/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_order.h - what an instruction of a body must come after, whatever frames a run has.
 */
#ifndef CIMC_CHECK_ORDER_H
#define CIMC_CHECK_ORDER_H

#include <stdint.h>

/* The instruction comes after event (dim, number) of tile `of`, which is `back` frames older. */
struct order {
    uint32_t of, dim, number;
    int32_t back;
};
/* Those of an instruction in check.orders. */
struct order_range {
    uint32_t first, n;
};

struct check;
struct actor;
struct tile_state;
/* check_order.c */
/* The instruction must come after the event: kept for the runs of few frames. */
void check_keep_order(struct actor *a, const struct tile_state *of, uint32_t dim, uint32_t number);
/* All that the instruction has to keep has been. */
void check_orders_kept(struct actor *a);
/* In a run of few frames: are those kept that are between the run's first frame and its last? */
void check_orders_hold(struct actor *a);
/* The next greater number of frames that some order spans; 0: there is none. */
int64_t check_orders_next(const struct check *k);

#endif
