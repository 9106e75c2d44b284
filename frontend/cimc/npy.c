/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * npy.c - tensors in NumPy's .npy format (numpy.lib.format, versions 1 to 3).
 *
 * Booleans, integers and floats, little-endian, in C order; elements keep their type.
 */
#include "values.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
enum { MAGIC_BYTES = sizeof magic, HEADER_ALIGN = 64 };

struct header {
    const char *text;
    size_t n, data_at;
};

static bool find_header(const struct file *f, struct header *h)
{
    if (f->size < MAGIC_BYTES + 6 || memcmp(f->data, magic, MAGIC_BYTES) != 0)
        return false;
    const uint8_t *p = f->data + MAGIC_BYTES;
    bool is_long = p[0] >= 2;
    size_t start = MAGIC_BYTES + (is_long ? 6 : 4);
    h->n = p[2] | (size_t)p[3] << 8;
    if (is_long)
        h->n |= (size_t)p[4] << 16 | (size_t)p[5] << 24;
    h->text = (const char *)f->data + start;
    h->data_at = start + h->n;
    return p[0] >= 1 && p[0] <= 3 && h->data_at <= f->size;
}

/* The value after 'key': in the header's dictionary; NULL if it is not there. */
static const char *find_key(const char *header, const char *key)
{
    const char *at = strstr(header, key);
    if (!at)
        return NULL;
    at += strlen(key);
    at += strspn(at, " ");
    if (*at != ':')
        return NULL;
    return at + 1 + strspn(at + 1, " ");
}

static const char *descr_of(enum ir_dtype dtype)
{
    static const char *const descr[IR_N_DTYPES] = {
        [IR_F32] = "'<f4'", [IR_F16] = "'<f2'", [IR_F64] = "'<f8'", [IR_I64] = "'<i8'",
        [IR_I32] = "'<i4'", [IR_I8] = "'|i1'",  [IR_U8] = "'|u1'",  [IR_BOOL] = "'|b1'",
    };
    return descr[dtype];
}

static bool parse_dtype(const char *descr, enum ir_dtype *out)
{
    for (int i = 0; descr && i < IR_N_DTYPES; i++) {
        if (strncmp(descr, descr_of(i), strlen(descr_of(i))) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool parse_shape(const char *shape, struct ir_type *out)
{
    if (!shape || *shape++ != '(')
        return false;
    for (;;) {
        shape += strspn(shape, " ,");
        if (*shape == ')')
            return true;
        char *end;
        long long dim = strtoll(shape, &end, 10);
        if (end == shape || dim < 0 || out->rank == IR_MAX_RANK)
            return false;
        out->dim[out->rank++] = dim;
        shape = end;
    }
}

static bool read_values(const struct file *f, struct arena *a, struct diag *d, struct tensor *out)
{
    struct loc loc = {.file = f->path};
    struct header h;
    enum ir_dtype dtype;
    if (!find_header(f, &h))
        return diag_error(d, loc, DIAG_DATA, "is not a .npy file");
    char *text = arena_strndup(a, h.text, h.n);
    const char *order = find_key(text, "'fortran_order'");
    *out = (struct tensor){0};
    if (!parse_dtype(find_key(text, "'descr'"), &dtype) || !order || strncmp(order, "False", 5) ||
        !parse_shape(find_key(text, "'shape'"), &out->type))
        return diag_error(d, loc, DIAG_DATA,
                          "only little-endian real elements in C order are read: %s", text);
    int64_t n;
    size_t elem = ir_dtype_bytes(dtype);
    out->type.dtype = (uint8_t)dtype;
    if (!ir_type_count(&out->type, &n) || (uint64_t)n > (f->size - h.data_at) / elem)
        return diag_error(d, loc, DIAG_DATA, "the file is shorter than its shape");
    out->data = heap_alloc((size_t)n * elem);
    memcpy(out->data, f->data + h.data_at, (size_t)n * elem);
    return true;
}

bool npy_read(const char *path, struct arena *names, struct diag *d, struct tensor *out)
{
    struct file f;
    if (!file_open(path, names, d, &f))
        return false;
    bool ok = read_values(&f, names, d, out);
    file_close(&f);
    return ok;
}

bool npy_write(const char *path, const struct ir_type *type, const void *data, struct diag *d)
{
    struct out o;
    if (!out_open(&o, path, d))
        return false;
    struct text header = {0};
    text_add(&header, "{'descr': %s, 'fortran_order': False, 'shape': (", descr_of(type->dtype));
    for (unsigned i = 0; i < type->rank; i++)
        text_add(&header, "%lld,%s", (long long)type->dim[i], i + 1 < type->rank ? " " : "");
    text_add(&header, "), }");
    while ((MAGIC_BYTES + 4 + header.n + 1) % HEADER_ALIGN)
        text_add(&header, " ");
    text_add(&header, "\n");
    const uint8_t sizes[] = {1, 0, (uint8_t)(header.n & 255), (uint8_t)(header.n >> 8)};
    fwrite(magic, 1, MAGIC_BYTES, o.f);
    fwrite(sizes, 1, sizeof sizes, o.f);
    fwrite(header.at, 1, header.n, o.f);
    fwrite(data, ir_dtype_bytes(type->dtype), (size_t)ir_count(type), o.f);
    text_free(&header);
    return out_commit(&o, d);
}
