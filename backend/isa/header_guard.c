/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * header_guard.c - a program file's header before protobuf-c unpacks it.
 *
 * In: the header's bytes. Out: whether it is of this version, and unpacks into memory in proportion
 * to the file: an empty message has two bytes in a file and some hundred in memory. Messages of the
 * header do not contain themselves, so nesting is bounded; form is protobuf-c's to check.
 */
#include "isa_internal.h"

#include "base/protobuf_wire.h"

#include <inttypes.h>

/* What a field costs while its message is unpacked, a pointer to it, and the heap's own word. */
enum { FIELD_BYTES = 48, POINTER_BYTES = 8, HEAP_BYTES = 16 };
/* Programs of the compiler take less than their file. */
enum { BYTES_FOR_EACH = 16, BYTES_FOR_ANY = 16 << 20 };

struct guard {
    uint64_t bytes;
    uint64_t most;
};

/* Adds what a message takes; false where it is malformed or takes too much. */
static bool add_message(struct guard *g, struct wire_span in,
                        const ProtobufCMessageDescriptor *message)
{
    g->bytes += message->sizeof_message + POINTER_BYTES + HEAP_BYTES;
    while (in.at < in.end) {
        struct wire_field f;
        if (wire_take(&in, &f) || g->bytes > g->most)
            return false;
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(message, (unsigned)f.number);
        g->bytes += FIELD_BYTES;
        if (f.wire != WIRE_LENGTH)
            continue;
        if (known && known->type == PROTOBUF_C_TYPE_MESSAGE) {
            if (!add_message(g, f.body, known->descriptor))
                return false;
        } else { /* a string, or at most one number of 8 bytes for each byte */
            g->bytes += HEAP_BYTES + 8 * (uint64_t)(f.body.end - f.body.at);
        }
    }
    return g->bytes <= g->most;
}

/* The last one counts, as for protobuf-c. 0 if there is none. */
static uint64_t find_version(struct wire_span in)
{
    const ProtobufCFieldDescriptor *version =
        protobuf_c_message_descriptor_get_field_by_name(&cimc__program__descriptor, "isa_version");
    uint64_t found = 0;
    struct wire_field f;
    while (in.at < in.end && !wire_take(&in, &f)) {
        if (f.number == version->id && f.wire == WIRE_VARINT && !wire_varint(&f.body, &found))
            return 0;
    }
    return found;
}

bool isa_header_guard(const uint8_t *header, size_t n, const struct file *f, struct diag *d)
{
    struct loc at = {.file = f->path};
    struct wire_span all = {header, header + n};
    struct guard g = {.most = BYTES_FOR_EACH * (uint64_t)f->size + BYTES_FOR_ANY};
    uint64_t version = find_version(all);
    if (version != ISA_VERSION)
        return diag_error(d, at, DIAG_PROGRAM,
                          "instruction set version %" PRIu64 ", this reader knows %d", version,
                          ISA_VERSION);
    if (add_message(&g, all, &cimc__program__descriptor))
        return true;
    if (g.bytes > g.most)
        return diag_error(d, at, DIAG_PROGRAM,
                          "the header would take more than %" PRIu64 " bytes of memory", g.most);
    return diag_error(d, at, DIAG_PROGRAM, "the header does not parse");
}
