/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * npy.c - reads and writes the header of a .npy file, a Python dictionary with the keys descr,
 * fortran_order and shape, and puts elements in C order.
 */
#include "npy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";
enum { MAGIC_BYTES = sizeof magic - 1, ALIGN = 64 };

static const struct {
    const char *descr;
    size_t bytes;
} dtypes[NPY_N_DTYPES] = {
    [NPY_F32] = {"<f4", 4}, [NPY_F16] = {"<f2", 2}, [NPY_F64] = {"<f8", 8}, [NPY_I64] = {"<i8", 8},
    [NPY_I32] = {"<i4", 4}, [NPY_I8] = {"|i1", 1},  [NPY_U8] = {"|u1", 1},  [NPY_BOOL] = {"|b1", 1},
};

size_t npy_dtype_bytes(enum npy_dtype dtype)
{
    return dtypes[dtype].bytes;
}

/* ---- the header's text ---- */

struct cursor {
    const char *at, *end;
    char *error;
};
struct word {
    const char *at;
    size_t n;
};

static bool __attribute__((format(printf, 2, 3))) fail(char *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(error, NPY_ERROR_BYTES, format, args);
    va_end(args);
    return false;
}

static bool is_malformed(const struct cursor *c)
{
    return fail(c->error, "is no .npy file that can be read: its header is no dictionary of descr, "
                          "fortran_order and shape");
}

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && *c->at && strchr(" \t\r\n", *c->at))
        c->at++;
}

/* Blanks, then this character. */
static bool take(struct cursor *c, char what)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != what)
        return false;
    c->at++;
    return true;
}

static bool take_string(struct cursor *c, struct word *out)
{
    char quote = take(c, '\'') ? '\'' : '"';
    if (quote == '"' && !take(c, '"'))
        return false;
    const char *end = memchr(c->at, quote, (size_t)(c->end - c->at));
    if (!end)
        return false;
    *out = (struct word){c->at, (size_t)(end - c->at)};
    c->at = end + 1;
    return true;
}

static bool is_word(struct word w, const char *text)
{
    return w.n == strlen(text) && memcmp(w.at, text, w.n) == 0;
}

static bool take_bool(struct cursor *c, bool *out)
{
    *out = take(c, 'T');
    const char *rest = *out ? "rue" : "alse";
    size_t n = strlen(rest);
    if ((!*out && !take(c, 'F')) || (size_t)(c->end - c->at) < n || memcmp(c->at, rest, n) != 0)
        return false;
    c->at += n;
    return true;
}

/* The order that a single byte names says nothing: NumPy writes '|', others '<'. */
static bool is_dtype(struct word descr, enum npy_dtype i)
{
    const char *name = dtypes[i].descr;
    bool is_byte = dtypes[i].bytes == 1 && descr.n == 3 && memchr("<>=", *descr.at, 3);
    return is_word(descr, name) || (is_byte && memcmp(descr.at + 1, name + 1, 2) == 0);
}

/* What has no name in dtypes is shown as it stands there, without what is not printable. */
static bool find_dtype(const struct cursor *c, struct word descr, enum npy_dtype *out)
{
    char shown[16];
    size_t n = 0;
    for (int i = 0; i < NPY_N_DTYPES; i++) {
        if (is_dtype(descr, (enum npy_dtype)i)) {
            *out = (enum npy_dtype)i;
            return true;
        }
    }
    for (size_t i = 0; i < descr.n && n < sizeof shown - 1; i++)
        if (descr.at[i] > ' ' && descr.at[i] <= '~')
            shown[n++] = descr.at[i];
    shown[n] = 0;
    return fail(c->error,
                "has elements of type '%s'; f2, f4, f8, i1, i4, i8, u1 and bool are read, "
                "little-endian: NumPy's astype makes others these",
                shown);
}

static bool take_dtype(struct cursor *c, enum npy_dtype *out)
{
    struct word descr;
    if (take(c, '['))
        return fail(c->error, "has elements that are structures; arrays of numbers are read");
    return take_string(c, &descr) ? find_dtype(c, descr, out) : is_malformed(c);
}

static bool take_dim(struct cursor *c, int64_t *out)
{
    const char *start = c->at;
    *out = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        int digit = *c->at - '0';
        if (*out > (INT64_MAX - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return c->at > start;
}

static bool take_shape(struct cursor *c, struct npy_array *out)
{
    if (!take(c, '('))
        return is_malformed(c);
    while (!take(c, ')')) {
        if (out->rank == NPY_MOST_DIMS)
            return fail(c->error, "has more than %d dimensions", NPY_MOST_DIMS);
        skip_blanks(c);
        if (!take_dim(c, &out->dims[out->rank++]))
            return is_malformed(c);
        take(c, ',');
    }
    return true;
}

enum { HAS_DTYPE = 1, HAS_ORDER = 2, HAS_SHAPE = 4, HAS_ALL = 7 };

static bool take_entry(struct cursor *c, struct npy_array *out, unsigned *has)
{
    struct word key;
    if (!take_string(c, &key) || !take(c, ':'))
        return is_malformed(c);
    unsigned bit = is_word(key, "descr")           ? HAS_DTYPE
                   : is_word(key, "fortran_order") ? HAS_ORDER
                   : is_word(key, "shape")         ? HAS_SHAPE
                                                   : 0;
    if (!bit || (*has & bit))
        return is_malformed(c);
    *has |= bit;
    if (bit == HAS_DTYPE)
        return take_dtype(c, &out->dtype);
    if (bit == HAS_SHAPE)
        return take_shape(c, out);
    return take_bool(c, &out->is_fortran) || is_malformed(c);
}

static bool parse_header(struct cursor *c, struct npy_array *out)
{
    unsigned has = 0;
    if (!take(c, '{'))
        return is_malformed(c);
    while (!take(c, '}')) {
        if (!take_entry(c, out, &has))
            return false;
        take(c, ',');
    }
    skip_blanks(c);
    return (has == HAS_ALL && c->at == c->end) || is_malformed(c);
}

/* ---- the file ---- */

/* Where the header's text begins and ends. */
static bool find_header(const uint8_t *p, size_t n, struct cursor *c)
{
    if (n < MAGIC_BYTES || memcmp(p, magic, MAGIC_BYTES) != 0)
        return fail(c->error, "is not a .npy file");
    unsigned version = n > MAGIC_BYTES ? p[MAGIC_BYTES] : 1;
    if (version < 1 || version > 3)
        return fail(c->error, "is a .npy file of version %u; 1 to 3 are read", version);
    size_t start = MAGIC_BYTES + (version > 1 ? 6 : 4);
    if (n < start)
        return fail(c->error, "ends within its header");
    const uint8_t *size = p + MAGIC_BYTES + 2;
    size_t text = size[0] | (size_t)size[1] << 8;
    if (version > 1)
        text |= (size_t)size[2] << 16 | (size_t)size[3] << 24;
    if (text > n - start)
        return fail(c->error, "ends within its header");
    c->at = (const char *)p + start;
    c->end = c->at + text;
    return true;
}

/* Elements of the shape, but no more than `most` + 1. */
static size_t count_elements(const struct npy_array *a, size_t most)
{
    size_t count = 1;
    for (unsigned i = 0; i < a->rank; i++)
        if (a->dims[i] == 0)
            return 0;
    for (unsigned i = 0; i < a->rank; i++)
        count = (uint64_t)a->dims[i] > most / count ? most + 1 : count * (size_t)a->dims[i];
    return count;
}

bool npy_parse(const void *bytes, size_t n, struct npy_array *out, char error[NPY_ERROR_BYTES])
{
    struct cursor c = {.error = error};
    *out = (struct npy_array){0};
    if (!find_header(bytes, n, &c) || !parse_header(&c, out))
        return false;
    const char *data = c.end;
    size_t have = n - (size_t)(data - (const char *)bytes), most = have / dtypes[out->dtype].bytes;
    out->count = count_elements(out, most);
    out->data = data;
    return out->count <= most || fail(error,
                                      "is shorter than its shape: it has %zu bytes of elements of "
                                      "%zu bytes each",
                                      have, dtypes[out->dtype].bytes);
}

/* ---- elements ---- */

/* The index goes on in C order; how far that is in the file, in elements. */
static size_t step(const struct npy_array *a, const size_t *strides, int64_t *index, size_t at)
{
    for (unsigned i = a->rank; i-- > 0;) {
        at += strides[i];
        if (++index[i] < a->dims[i])
            break;
        at -= strides[i] * (size_t)a->dims[i];
        index[i] = 0;
    }
    return at;
}

void npy_copy(const struct npy_array *a, void *out)
{
    size_t bytes = dtypes[a->dtype].bytes, strides[NPY_MOST_DIMS], stride = 1, at = 0;
    int64_t index[NPY_MOST_DIMS] = {0};
    if (!a->is_fortran || a->count == 0) {
        if (a->count)
            memcpy(out, a->data, a->count * bytes);
        return;
    }
    for (unsigned i = 0; i < a->rank; i++) {
        strides[i] = stride;
        stride *= (size_t)a->dims[i];
    }
    for (size_t i = 0; i < a->count; i++, at = step(a, strides, index, at))
        memcpy((char *)out + i * bytes, (const char *)a->data + at * bytes, bytes);
}

size_t npy_header(enum npy_dtype dtype, unsigned rank, const int64_t *dims,
                  char out[NPY_HEADER_BYTES])
{
    char text[NPY_HEADER_BYTES];
    int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                     dtypes[dtype].descr);
    for (unsigned i = 0; i < rank; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%lld,%s", (long long)dims[i],
                      i + 1 < rank ? " " : "");
    n += snprintf(text + n, sizeof text - (size_t)n, "), }");
    size_t start = MAGIC_BYTES + 4, all = (start + (size_t)n + 1 + ALIGN - 1) / ALIGN * ALIGN;
    size_t length = all - start;
    memset(out, ' ', all);
    memcpy(out, magic, MAGIC_BYTES);
    memcpy(out + MAGIC_BYTES, (char[]){1, 0, (char)(length & 255), (char)(length >> 8)}, 4);
    memcpy(out + start, text, (size_t)n);
    out[all - 1] = '\n';
    return all;
}
