/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * element.h - the types of elements in a tile's buffer, in DRAM and in crossbar images: the one
 * place that knows how many bytes each takes.
 */
#ifndef CIMC_ELEMENT_H
#define CIMC_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>

enum element_place { ELEMENT_IN_BUFFER = 1, ELEMENT_IN_DRAM = 2, ELEMENT_IN_IMAGE = 4 };
enum element {
#define ELEMENT(name, bytes, may, can) ELEMENT_##name,
#include "base/element.def"
#undef ELEMENT
    N_ELEMENTS
};

/* Numbers come from files: NULL for one that is no element; the other two then say 0 and false. */
const char *element_name(enum element e);
size_t element_bytes(enum element e);
/* May a program have such elements there? With `now`: can today's machine work on them? */
bool element_may_be(enum element e, enum element_place place, bool now);
/* The element of that name (not NUL-terminated), or N_ELEMENTS. */
enum element element_find(const char *name, size_t n);

#endif
