/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * parse_blob.c - payload literals: splat, dense, hex, iota, random, file. Memory stays bounded by
 * the text: what is generated from nothing has a limit, everything else is at least a byte of text
 * a byte.
 */
#include "ir_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct payload {
    struct lex *lex;
    struct arena *scratch;
    enum ir_dtype dtype;
    size_t elem, bytes; /* of an element, of the whole dense payload */
    int64_t count;
};

/* Together in one text. */
static const uint64_t MAX_GENERATED_BYTES = (uint64_t)1 << 30;

/* ---- elements ---- */

static bool int_element(struct lex *l, int64_t least, int64_t most, void *out, size_t bytes)
{
    int64_t x;
    if (!lex_i64(l, &x))
        return false;
    if (x < least || x > most)
        return lex_error(l, "%lld is not between %lld and %lld", (long long)x, (long long)least,
                         (long long)most);
    memcpy(out, &x, bytes); /* little-endian: the low bytes come first */
    return true;
}

/* All NaN literals are one and the same number. */
static bool float_element(struct lex *l, enum ir_dtype t, void *out)
{
    float f;
    double d;
    if (t == IR_F64) {
        if (!lex_f64(l, &d))
            return false;
        uint64_t bits = IR_NAN_F64;
        memcpy(out, isnan(d) ? (const void *)&bits : &d, sizeof d);
        return true;
    }
    if (!lex_f32(l, &f))
        return false;
    if (t == IR_F16) {
        uint16_t bits = isnan(f) ? IR_NAN_F16 : f32_to_f16(f);
        memcpy(out, &bits, sizeof bits);
    } else {
        uint32_t bits = IR_NAN_F32;
        memcpy(out, isnan(f) ? (const void *)&bits : &f, sizeof f);
    }
    return true;
}

static bool bool_element(struct lex *l, void *out)
{
    struct span w;
    if (!lex_word(l, "true or false", &w))
        return false;
    bool yes = lex_word_is(&w, "true");
    if (!yes && !lex_word_is(&w, "false"))
        return lex_error(l, "expected true or false");
    *(uint8_t *)out = yes;
    return true;
}

static bool element(struct lex *l, enum ir_dtype t, void *out)
{
    switch (t) {
    case IR_I64: return int_element(l, INT64_MIN, INT64_MAX, out, 8);
    case IR_I32: return int_element(l, INT32_MIN, INT32_MAX, out, 4);
    case IR_I8: return int_element(l, INT8_MIN, INT8_MAX, out, 1);
    case IR_U8: return int_element(l, 0, UINT8_MAX, out, 1);
    case IR_BOOL: return bool_element(l, out);
    default: return float_element(l, t, out);
    }
}

/* ---- forms; the cursor is behind the opening parenthesis, the closing one is the caller's ---- */

/* Exactly `bytes` bytes; *out from the heap. */
static bool hex_bytes(struct lex *l, size_t bytes, uint8_t **out)
{
    struct span s;
    if (!lex_raw_string(l, &s))
        return false;
    if (s.n % 2 || s.n / 2 != bytes)
        return lex_error(l, "%zu hexadecimal digits, wants %zu bytes", s.n, bytes);
    *out = heap_alloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        int high = hex_value(s.at[2 * i]), low = hex_value(s.at[2 * i + 1]);
        if (high < 0 || low < 0) {
            heap_free(*out);
            return lex_error(l, "the string before holds something else than hexadecimal digits");
        }
        (*out)[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static bool parse_hex(struct payload *p, struct blob **out)
{
    uint8_t *data;
    if (!hex_bytes(p->lex, p->bytes, &data))
        return false;
    *out = blob_own(data, p->bytes);
    return true;
}

static bool splat_of_hex(struct payload *p, struct blob **out)
{
    struct span w;
    uint8_t *data;
    if (!lex_word(p->lex, "hex", &w))
        return false;
    if (!lex_word_is(&w, "hex"))
        return lex_error(p->lex, "expected a number or hex(");
    if (!lex_want(p->lex, '(') || !hex_bytes(p->lex, p->elem, &data))
        return false;
    *out = blob_splat(data, p->elem);
    heap_free(data);
    return lex_want(p->lex, ')');
}

/* splat(v) or splat(hex("...")) */
static bool parse_splat(struct payload *p, struct blob **out)
{
    uint8_t bits[8];
    if (lex_peek(p->lex, 'h'))
        return splat_of_hex(p, out);
    if (!element(p->lex, p->dtype, bits))
        return false;
    *out = blob_splat(bits, p->elem);
    return true;
}

static bool parse_dense(struct payload *p, struct blob **out)
{
    struct lex *l = p->lex;
    VEC(uint8_t) data = {0};
    int64_t n = 0;
    bool ok = true;
    if (p->count > 0) {
        do {
            VEC_RESERVE(&data, data.n + p->elem);
            ok = element(l, p->dtype, data.at + data.n);
            data.n += p->elem;
            n++;
        } while (ok && n <= p->count && lex_take(l, ','));
    }
    if (ok && n != p->count)
        ok = lex_error(l, "%s elements, wants %lld", n > p->count ? "too many" : "too few",
                       (long long)p->count);
    if (!ok) {
        heap_free(data.at);
        return false;
    }
    *out = blob_own(data.at, data.n);
    return true;
}

static void put_integer(int64_t i, enum ir_dtype t, uint8_t *out)
{
    float f = (float)i;
    double d = (double)i;
    uint16_t h;
    switch (t) {
    case IR_F32: memcpy(out, &f, sizeof f); break;
    case IR_F64: memcpy(out, &d, sizeof d); break;
    case IR_F16:
        h = f32_to_f16(f);
        memcpy(out, &h, sizeof h);
        break;
    default: memcpy(out, &i, ir_dtype_bytes(t)); /* little-endian: modulo 2^bits */
    }
}

static bool may_generate(struct payload *p, uint64_t *generated_bytes)
{
    if (p->bytes > MAX_GENERATED_BYTES - *generated_bytes)
        return lex_error(p->lex, "iota and random may make %llu bytes in one text",
                         (unsigned long long)MAX_GENERATED_BYTES);
    *generated_bytes += p->bytes;
    return true;
}

/* 0, 1, 2, ... converted to the dtype. */
static bool parse_iota(struct payload *p, uint64_t *generated_bytes, struct blob **out)
{
    if (p->dtype == IR_BOOL)
        return lex_error(p->lex, "iota makes numbers, not bool");
    if (!may_generate(p, generated_bytes))
        return false;
    uint8_t *data = heap_alloc(p->bytes);
    for (int64_t i = 0; i < p->count; i++)
        put_integer(i, p->dtype, data + (size_t)i * p->elem);
    *out = blob_own(data, p->bytes);
    return true;
}

/* Uniform in [-1, 1): the upper 24 bits of splitmix64 times 2^-23, minus 1; every step is exact. */
static bool parse_random(struct payload *p, uint64_t *generated_bytes, struct blob **out)
{
    int64_t seed;
    if (!lex_i64(p->lex, &seed))
        return false;
    if (p->dtype != IR_F32)
        return lex_error(p->lex, "random makes f32 only");
    if (!may_generate(p, generated_bytes))
        return false;
    float *data = heap_alloc(p->bytes);
    uint64_t state = (uint64_t)seed;
    for (int64_t i = 0; i < p->count; i++)
        data[i] = (float)(random_next(&state) >> 40) * 0x1p-23f - 1.0f;
    *out = blob_own(data, p->bytes);
    return true;
}

static void release_file(void *owner)
{
    file_close(owner);
    heap_free(owner);
}

/* A relative path starts at the folder of the IR file. */
static const char *beside(const struct payload *p, const char *path)
{
    const char *file = p->lex->file, *slash = file ? strrchr(file, '/') : NULL;
    if (*path == '/')
        return path;
    if (!slash)
        return arena_printf(p->scratch, "./%s", path); /* "-" is no name for stdin here */
    return arena_printf(p->scratch, "%.*s/%s", (int)(slash - file), file, path);
}

/* file("path", offset, bytes): regular files only, a pipe could make us wait for ever. */
static bool parse_file(struct payload *p, struct blob **out)
{
    struct lex *l = p->lex;
    char *name;
    int64_t offset, bytes;
    struct stat st;
    if (!lex_string(l, p->scratch, &name) || !lex_want(l, ',') || !lex_i64(l, &offset) ||
        !lex_want(l, ',') || !lex_i64(l, &bytes))
        return false;
    if (bytes < 0 || (uint64_t)bytes != p->bytes)
        return lex_error(l, "%lld bytes, the type wants %zu", (long long)bytes, p->bytes);
    const char *path = beside(p, name);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return lex_error(l, "there is no regular file '%s'", path);
    struct file *f = heap_alloc(sizeof *f);
    if (!file_open(path, p->scratch, l->diag, f)) {
        heap_free(f);
        return false;
    }
    if (offset < 0 || (uint64_t)offset > f->size || p->bytes > f->size - (uint64_t)offset) {
        lex_error(l, "'%s' has %zu bytes", path, f->size);
        release_file(f);
        return false;
    }
    f->path = NULL; /* it lives in the scratch arena, the mapping outlives it */
    const uint8_t *data = p->bytes ? f->data + offset : NULL;
    *out = blob_view(data, p->bytes, release_file, f);
    return true;
}

bool ir_parse_blob(struct lex *l, const struct ir_type *t, struct arena *scratch,
                   uint64_t *generated_bytes, struct blob **out)
{
    struct payload p = {.lex = l, .scratch = scratch, .dtype = (enum ir_dtype)t->dtype};
    struct span form;
    *out = NULL;
    p.elem = ir_dtype_bytes(p.dtype);
    p.count = ir_count(t);
    p.bytes = (size_t)p.count * p.elem;
    if (!lex_word(l, "a payload", &form))
        return false;
    if (lex_word_is(&form, "iota"))
        return parse_iota(&p, generated_bytes, out);
    if (lex_word_is(&form, "hash"))
        return lex_error(l, "the data was not printed; `cimc opt --inline` prints it");
    bool (*parse)(struct payload *, struct blob **) = lex_word_is(&form, "splat")   ? parse_splat
                                                      : lex_word_is(&form, "dense") ? parse_dense
                                                      : lex_word_is(&form, "hex")   ? parse_hex
                                                      : lex_word_is(&form, "file")  ? parse_file
                                                                                    : NULL;
    if (!parse && !lex_word_is(&form, "random"))
        return lex_error(l,
                         "unknown payload form; known are splat, dense, hex, iota, random, file");
    if (!lex_want(l, '('))
        return false;
    return (parse ? parse(&p, out) : parse_random(&p, generated_bytes, out)) && lex_want(l, ')');
}
