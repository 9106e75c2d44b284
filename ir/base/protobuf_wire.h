/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * protobuf_wire.h - protobuf's wire format, read without trust: one field at a time, every length
 * checked against what is around it. protobuf.dev/programming-guides/encoding.
 */
#ifndef CIMC_PROTOBUF_WIRE_H
#define CIMC_PROTOBUF_WIRE_H

#include "base/base.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_LENGTH = 2, WIRE_32 = 5 };

struct wire_span {
    const uint8_t *at, *end;
};
/* One field as it stands in the file; `body` is what follows tag and length. */
struct wire_field {
    uint64_t number;
    enum wire_type wire;
    struct wire_span body;
};

bool wire_varint(struct wire_span *in, uint64_t *out) CHECK_RESULT;
/* Takes the next field; NULL if it is whole, else what is wrong with it. */
const char *wire_take(struct wire_span *in, struct wire_field *out) CHECK_RESULT;

#endif
