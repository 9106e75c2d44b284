/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* heap_internal.h - what the heap and the door say to each other; private to ir/base. */
#ifndef CIMC_HEAP_INTERNAL_H
#define CIMC_HEAP_INTERNAL_H

#include "base/base.h"

/* The ring of this thread's door; NULL without one. */
struct heap_link *door_blocks(void);
/* They are their owners' from now on, and in no account. */
void heap_keep(struct heap_link *ring);
/* Releases and frees them, the newest first. */
void heap_give_back(struct heap_link *ring);

#endif
