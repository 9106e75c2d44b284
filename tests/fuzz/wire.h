/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * wire.h - a protobuf message as a tree of fields, to change it at random and write it back with
 * lengths that are right. Knows no message type: bytes that parse as a message are taken for one.
 */
#ifndef CIMC_WIRE_H
#define CIMC_WIRE_H

#include "base/base.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct wire_field {
    struct wire_field *next;
    uint64_t number;
    enum wire_type type;
    uint64_t value;       /* of a number */
    const uint8_t *bytes; /* of WIRE_BYTES that are no message */
    size_t n;
    struct wire_field *inner; /* of a message: its fields */
};

/* The fields of a message in order; false if it is none. Bytes are not copied. */
bool wire_parse(const uint8_t *at, size_t n, struct arena *a, struct wire_field **out) CHECK_RESULT;
void wire_write(const struct wire_field *fields, struct text *out);
/* One to four changes: a value, a field left out, twice, elsewhere, or with another's content. */
void wire_mutate(struct wire_field **fields, struct arena *a, uint64_t *state);
/* A copy of the bytes, changed by libFuzzer; its length may differ by a few. */
const uint8_t *wire_mutate_bytes(const uint8_t *at, size_t n, struct arena *a, size_t *out_n);

/* The first field of that number from `f` on; NULL if there is none. */
struct wire_field *wire_find(struct wire_field *f, uint64_t number);
/* The value of a number among the fields; 0 if there is none. */
uint64_t wire_value(struct wire_field *fields, uint64_t number);
/* Gives the field of that number this value; adds it where it is missing. */
void wire_set(struct wire_field **fields, uint64_t number, enum wire_type type, uint64_t value,
              struct arena *a);

#endif
