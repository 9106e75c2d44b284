/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* heap_internal.h - what the heap and the door say to each other; private to ir/base. */
#ifndef CIMC_HEAP_INTERNAL_H
#define CIMC_HEAP_INTERNAL_H

#include "base/base.h"

/* The ring of this thread's door, for a new block; NULL without one. Leaves by a door that is to be
 * left. */
struct heap_link *door_blocks(void);
/* They are their owners' from now on, and in no account. */
void heap_keep(struct heap_link *ring);
/* Releases and frees them, the newest first. */
void heap_give_back(struct heap_link *ring);

/* Where this thread's door has its loans, NULL while there are none; NULL without a door. */
struct loans **door_loans(void);
void loans_give_back(struct loans *l); /* NULL is fine */
void loans_free(struct loans *l);

#endif
