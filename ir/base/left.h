/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* left.h - blocks of a call that was left by the door while it changed something older. */
#ifndef CIMC_LEFT_H
#define CIMC_LEFT_H

#include "base/base.h"

/* Instead of door_give_back, where that may point at the call's blocks by now: they become its own,
 * in `left`, zero at first. What is not memory is given back at once. */
void door_leave_to(struct door *d, struct heap_link *left);
/* Frees them, with what points at them. */
void left_free(struct heap_link *left);

#endif
