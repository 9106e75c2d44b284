/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_guard.c - the one place where bytes from a file are looked at before protobuf-c sees them.
 *
 * In: the bytes of a file and the descriptor of the message they claim to be. Out: the same
 * message, smaller, and a table of what was cut out. protobuf-c has no nesting limit (its recursion
 * overflows the stack), merges repeated occurrences of a singular message in quadratic space, and
 * copies every payload; so this scan, driven by the same descriptors,
 * - bounds nesting, the number of messages and the number of fields,
 * - checks every length against its parent, every varint's form, every field's wire type,
 * - refuses a singular message that occurs twice and strings that hold a NUL byte,
 * - drops unknown fields and writes known ones back with canonical tags,
 * - replaces a large payload of a TensorProto by a mark: field ONNX_MARK, the index into the table.
 * Since unknown fields are dropped, a file cannot forge a mark. Lengths are 64 bits wide here, so a
 * GraphProto of more than 2 GiB is fine as long as what is left over is smaller than that.
 */
#include "onnx_source.h"

#include "base/protobuf_wire.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_DEPTH = 64,
    MAX_MESSAGES = 1 << 21, /* some 250 bytes each once unpacked */
    MAX_FIELDS = 1 << 23,   /* some 40 bytes each while a message is unpacked */
    CUT_BYTES = 4096,
    LENGTH_BYTES = 5, /* a length of a rebuilt message, filled in when it is known */
};
struct scan {
    const uint8_t *start; /* of the file */
    size_t size;
    struct onnx_wire *out;
    struct diag *diag;
    struct loc loc;
    uint32_t n_messages, n_fields;
};
static bool fail(struct scan *s, const uint8_t *at, const ProtobufCMessageDescriptor *desc,
                 const char *what)
{
    const char *kind = onnx_kind_of(s->start, s->size);
    if (kind)
        return diag_error(s->diag, s->loc, DIAG_ONNX_WIRE, "no ONNX file: it is %s", kind);
    return diag_error(s->diag, s->loc, DIAG_ONNX_WIRE,
                      "no ONNX file that can be read: byte %zu, in %s: %s", (size_t)(at - s->start),
                      desc->short_name, what);
}

static bool read_field(struct scan *s, struct wire_span *in, const ProtobufCMessageDescriptor *desc,
                       struct wire_field *out)
{
    const uint8_t *start = in->at;
    if (++s->n_fields > MAX_FIELDS)
        return fail(s, start, desc, "the file has too many fields");
    const char *wrong = wire_take(in, out);
    return !wrong || fail(s, start, desc, wrong);
}

static void write_varint(struct text *out, uint64_t x)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; x >= 128; x >>= 7)
        bytes[n++] = (uint8_t)(x | 128);
    bytes[n++] = (uint8_t)x;
    text_add_bytes(out, bytes, n);
}

static void write_tag(struct text *out, uint64_t number, enum wire_type wire)
{
    write_varint(out, number << 3 | wire);
}

/* ---- what a field may look like ---- */

static enum wire_type natural_wire(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT: return WIRE_32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return WIRE_64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE: return WIRE_LENGTH;
    default: return WIRE_VARINT;
    }
}

/* Numbers packed into one field must fill it exactly. */
static bool packed_is_whole(struct wire_span body, enum wire_type element)
{
    uint64_t ignored;
    if (element == WIRE_32 || element == WIRE_64)
        return (body.end - body.at) % (element == WIRE_32 ? 4 : 8) == 0;
    while (body.at < body.end)
        if (!wire_varint(&body, &ignored))
            return false;
    return true;
}

static bool check_form(struct scan *s, const ProtobufCMessageDescriptor *desc,
                       const ProtobufCFieldDescriptor *known, const struct wire_field *f)
{
    enum wire_type natural = natural_wire(known->type);
    size_t n = (size_t)(f->body.end - f->body.at);
    if (f->wire != natural) {
        bool packed = known->label == PROTOBUF_C_LABEL_REPEATED && f->wire == WIRE_LENGTH;
        if (!packed)
            return fail(s, f->body.at, desc, "a field has another type than in the ONNX schema");
        if (!packed_is_whole(f->body, natural))
            return fail(s, f->body.at, desc, "malformed list of numbers");
    }
    if (known->type == PROTOBUF_C_TYPE_STRING && n && memchr(f->body.at, 0, n))
        return fail(s, f->body.at, desc, "a string holds a NUL byte");
    return true;
}

/* ---- payloads ---- */

static bool is_payload(uint64_t number)
{
    return number == ONNX_RAW_DATA || number == ONNX_FLOAT_DATA || number == ONNX_DOUBLE_DATA;
}

/* The number of the payload field that is the only one of its tensor and large enough to cut out;
 * 0 if there is none. Malformed input is left for the scan proper to report. */
static uint64_t payload_to_cut(struct wire_span in)
{
    uint64_t found = 0;
    unsigned n_payloads = 0;
    struct wire_field f;
    while (in.at < in.end) {
        if (wire_take(&in, &f))
            return 0;
        if (!is_payload(f.number))
            continue;
        n_payloads++;
        found = f.wire == WIRE_LENGTH && f.body.end - f.body.at >= CUT_BYTES ? f.number : 0;
    }
    return n_payloads == 1 ? found : 0;
}

static void cut_out(struct scan *s, const struct wire_field *f)
{
    struct onnx_wire *out = s->out;
    uint32_t index = (uint32_t)out->n_cuts;
    VEC(struct onnx_cut) cuts = {out->cuts, out->n_cuts, out->cap_cuts};
    VEC_PUSH(&cuts, ((struct onnx_cut){.field = (uint32_t)f->number,
                                       .data = f->body.at,
                                       .bytes = (size_t)(f->body.end - f->body.at)}));
    out->cuts = cuts.at;
    out->n_cuts = cuts.n;
    out->cap_cuts = cuts.cap;
    write_tag(&out->message, ONNX_MARK, WIRE_32);
    text_add_bytes(&out->message, &index, sizeof index);
}

/* ---- the scan ---- */

static bool scan_message(struct scan *s, struct wire_span in,
                         const ProtobufCMessageDescriptor *desc, unsigned depth);

/* Copies a nested message with a length written in five bytes, which any reader accepts. */
static bool scan_nested(struct scan *s, const struct wire_field *f,
                        const ProtobufCFieldDescriptor *known, unsigned depth)
{
    struct text *out = &s->out->message;
    write_tag(out, f->number, WIRE_LENGTH);
    size_t at = out->n;
    text_add_bytes(out, "\0\0\0\0\0", LENGTH_BYTES);
    if (!scan_message(s, f->body, known->descriptor, depth + 1))
        return false;
    uint64_t length = out->n - at - LENGTH_BYTES;
    if (length > INT_MAX)
        return fail(s, f->body.at, known->descriptor, "more than 2 GiB that are not large tensors");
    for (unsigned i = 0; i < LENGTH_BYTES; i++, length >>= 7)
        out->at[at + i] = (char)((length & 127) | (i + 1 < LENGTH_BYTES ? 128 : 0));
    return true;
}

static void copy_field(struct text *out, const struct wire_field *f)
{
    size_t n = (size_t)(f->body.end - f->body.at);
    write_tag(out, f->number, f->wire);
    if (f->wire == WIRE_LENGTH)
        write_varint(out, n);
    text_add_bytes(out, f->body.at, n);
}

static bool scan_message(struct scan *s, struct wire_span in,
                         const ProtobufCMessageDescriptor *desc, unsigned depth)
{
    if (depth > MAX_DEPTH)
        return fail(s, in.at, desc, "messages are nested too deep");
    if (++s->n_messages > MAX_MESSAGES)
        return fail(s, in.at, desc, "the file has too many messages");
    bool is_tensor = desc == &onnx__tensor_proto__descriptor;
    uint64_t to_cut = is_tensor ? payload_to_cut(in) : 0, seen = 0;
    struct wire_field f = {0};
    while (in.at < in.end) {
        if (!read_field(s, &in, desc, &f))
            return false;
        const ProtobufCFieldDescriptor *known =
            protobuf_c_message_descriptor_get_field(desc, (unsigned)f.number);
        if (!known)
            continue;
        if (!check_form(s, desc, known, &f))
            return false;
        if (known->type != PROTOBUF_C_TYPE_MESSAGE) {
            if (f.number == to_cut)
                cut_out(s, &f);
            else
                copy_field(&s->out->message, &f);
            continue;
        }
        uint64_t bit = UINT64_C(1) << ((known - desc->fields) & 63);
        if (known->label != PROTOBUF_C_LABEL_REPEATED && seen & bit)
            return fail(s, f.body.at, desc, "a part that can occur once occurs twice");
        seen |= bit;
        if (!scan_nested(s, &f, known, depth))
            return false;
    }
    return true;
}

bool onnx_guard(const struct file *f, const ProtobufCMessageDescriptor *root, struct onnx_wire *out,
                struct diag *d)
{
    *out = (struct onnx_wire){0};
    struct scan s = {
        .start = f->data, .size = f->size, .out = out, .diag = d, .loc = {.file = f->path}};
    if (f->size == 0)
        return diag_error(d, s.loc, DIAG_ONNX_WIRE, "the file is empty");
    struct wire_span all = {f->data, f->data + f->size};
    if (scan_message(&s, all, root, 1)) {
        if (out->message.n <= INT_MAX)
            return true;
        fail(&s, f->data, root, "more than 2 GiB that are not large tensors");
    }
    onnx_wire_free(out);
    return false;
}

void onnx_wire_free(struct onnx_wire *w)
{
    text_free(&w->message);
    heap_free(w->cuts);
    *w = (struct onnx_wire){0};
}
