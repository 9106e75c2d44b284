/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* protobuf_wire.c - fields of protobuf's wire format. */
#include "base/protobuf_wire.h"

bool wire_varint(struct wire_span *in, uint64_t *out)
{
    uint64_t x = 0;
    for (unsigned shift = 0; shift < 70 && in->at < in->end; shift += 7) {
        uint8_t byte = *in->at++;
        if (shift == 63 && byte > 1)
            return false;
        x |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *out = x;
            return true;
        }
    }
    return false;
}

const char *wire_take(struct wire_span *in, struct wire_field *out)
{
    uint64_t tag, length = 0;
    if (!wire_varint(in, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return "malformed tag";
    out->number = tag >> 3;
    out->wire = (enum wire_type)(tag & 7);
    out->body.at = in->at;
    switch (out->wire) {
    case WIRE_VARINT:
        if (!wire_varint(in, &length))
            return "malformed number";
        out->body.end = in->at;
        return NULL;
    case WIRE_64: length = 8; break;
    case WIRE_32: length = 4; break;
    case WIRE_LENGTH:
        if (!wire_varint(in, &length))
            return "malformed length";
        out->body.at = in->at;
        break;
    default: return "unknown wire type";
    }
    if (length > (uint64_t)(in->end - in->at))
        return "a field reaches beyond the end of its message";
    in->at += length;
    out->body.end = in->at;
    return NULL;
}
