/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * print_blob.c - payloads as text: splat(v), dense(v, ...), hex("..."), or for large ones that are
 * not wanted inline hash("...", bytes). Values are printed so that they read back bit for bit.
 */
#include "ir_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DENSE = 64 }; /* elements */

/* Would the decimal form lose bits? Only NaNs with a payload, and bools that are neither 0 nor 1.
 */
static bool needs_hex(enum ir_dtype t, const void *element)
{
    uint64_t bits = 0;
    memcpy(&bits, element, ir_dtype_bytes(t));
    switch (t) {
    case IR_F32: return (bits & 0x7fffffff) > 0x7f800000 && bits != IR_NAN_F32;
    case IR_F16: return (bits & 0x7fff) > 0x7c00 && bits != IR_NAN_F16;
    case IR_F64: return (bits & INT64_MAX) > 0x7ff0000000000000u && bits != IR_NAN_F64;
    case IR_BOOL: return bits > 1;
    default: return false;
    }
}

static void print_f64(double x, struct text *out)
{
    char buf[40];
    if (isnan(x) || isinf(x)) {
        text_add(out, "%s", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buf, sizeof buf, "%.*g", digits, x);
        if (strtod(buf, NULL) == x)
            break;
    }
    text_add(out, "%s%s", buf, strpbrk(buf, ".e") ? "" : ".0");
}

static void print_element(enum ir_dtype t, const void *element, struct text *out)
{
    float f;
    double d;
    uint16_t h;
    int64_t wide;
    int32_t word;
    switch (t) {
    case IR_F32: text_add_f32(out, (memcpy(&f, element, sizeof f), f)); break;
    case IR_F64: print_f64((memcpy(&d, element, sizeof d), d), out); break;
    case IR_F16: text_add_f32(out, (memcpy(&h, element, sizeof h), f16_to_f32(h))); break;
    case IR_I64:
        text_add(out, "%lld", (long long)(memcpy(&wide, element, sizeof wide), wide));
        break;
    case IR_I32: text_add(out, "%d", (memcpy(&word, element, sizeof word), word)); break;
    case IR_I8: text_add(out, "%d", *(const int8_t *)element); break;
    case IR_U8: text_add(out, "%d", *(const uint8_t *)element); break;
    default: text_add(out, "%s", *(const uint8_t *)element ? "true" : "false");
    }
}

static void print_hex(const void *data, size_t bytes, struct text *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = data;
    char chunk[4096];
    size_t n = 0;
    text_add(out, "hex(\"");
    for (size_t i = 0; i < bytes; i++) {
        chunk[n++] = digits[at[i] >> 4];
        chunk[n++] = digits[at[i] & 15];
        if (n == sizeof chunk || i + 1 == bytes) {
            text_add_bytes(out, chunk, n);
            n = 0;
        }
    }
    text_add(out, "\")");
}

static void print_dense(const struct blob *b, enum ir_dtype t, struct text *out)
{
    size_t elem = ir_dtype_bytes(t);
    text_add(out, "dense(");
    for (size_t at = 0; at < b->bytes; at += elem) {
        text_add(out, "%s", at ? ", " : "");
        print_element(t, (const char *)blob_data(b) + at, out);
    }
    text_add(out, ")");
}

void ir_print_blob(const struct ir_op *constant, const struct ir_print_options *o, struct text *out)
{
    const struct blob *b = ir_op_blob(constant);
    if (!b || !constant->out || !ir_blob_fits(b, &constant->out->type)) {
        text_add(out, "none"); /* a broken graph can still be looked at */
        return;
    }
    enum ir_dtype t = (enum ir_dtype)constant->out->type.dtype;
    size_t elem = ir_dtype_bytes(t), n = b->bytes / elem;
    bool small = b->splat || n <= MAX_DENSE, decimal = small;
    for (size_t i = 0; i < n && decimal; i++)
        decimal = !needs_hex(t, (const char *)blob_data(b) + i * elem);
    text_add(out, "%s", b->splat ? "splat(" : "");
    if (b->splat && decimal)
        print_element(t, blob_data(b), out);
    else if (decimal)
        print_dense(b, t, out);
    else if (small || o->inline_blobs)
        print_hex(blob_data(b), b->bytes, out);
    else
        text_add(out, "hash(\"%016llx\", %zu)", (unsigned long long)blob_hash(b), b->bytes);
    text_add(out, "%s", b->splat ? ")" : "");
}
