/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* element.c - the table of element.def as functions. */
#include "base/element.h"

#include <string.h>

static const struct {
    const char *name;
    size_t bytes;
    unsigned may, can;
} elements[N_ELEMENTS] = {
#define ELEMENT(name, bytes, may, can) {#name, bytes, may, can},
#include "base/element.def"
#undef ELEMENT
};

static bool exists(enum element e)
{
    return (unsigned)e < N_ELEMENTS;
}

const char *element_name(enum element e)
{
    return exists(e) ? elements[e].name : NULL;
}

size_t element_bytes(enum element e)
{
    return exists(e) ? elements[e].bytes : 0;
}

bool element_may_be(enum element e, enum element_place place, bool now)
{
    return exists(e) && (now ? elements[e].can : elements[e].may) & (unsigned)place;
}

enum element element_find(const char *name, size_t n)
{
    unsigned e = 0;
    while (e < N_ELEMENTS &&
           (strlen(elements[e].name) != n || memcmp(elements[e].name, name, n) != 0))
        e++;
    return (enum element)e;
}
