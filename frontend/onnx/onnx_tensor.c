/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_tensor.c - the elements of a TensorProto.
 *
 * In: a TensorProto and the source that holds its bytes. Out: a type and a blob, or f32 values.
 * Inside the compiler every floating-point tensor is f32: float16 and bfloat16 widen exactly,
 * double rounds to nearest and must not overflow. Elements are in raw_data (little endian, as this
 * host), in another file, or in the typed field that onnx.proto names for the data type; their
 * number must be exactly the product of the dimensions. 4-bit integers lie two in a byte, the first
 * in its low half, and are 8-bit ones inside.
 */
#include "onnx_source.h"

#include "base/half.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw_data is little endian");

/* Which typed field holds a data type's elements when raw_data does not. */
enum holder { IN_FLOAT, IN_INT32, IN_INT64, IN_DOUBLE };

/* Data types that are younger than the schema we build with. */
enum { UINT4 = 21, INT4 = 22 };

struct onnx_dtype {
    int32_t data_type;
    const char *name;
    enum ir_dtype stored, inside;
    enum holder holder;
    size_t bytes; /* of one element of raw_data, or of two halves */
};
static const struct onnx_dtype dtypes[] = {
    {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, "float", IR_F32, IR_F32, IN_FLOAT, 4},
    {ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, "uint8", IR_U8, IR_U8, IN_INT32, 1},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT8, "int8", IR_I8, IR_I8, IN_INT32, 1},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT32, "int32", IR_I32, IR_I32, IN_INT32, 4},
    {ONNX__TENSOR_PROTO__DATA_TYPE__INT64, "int64", IR_I64, IR_I64, IN_INT64, 8},
    {ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, "bool", IR_BOOL, IR_BOOL, IN_INT32, 1},
    {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, "float16", IR_F16, IR_F32, IN_INT32, 2},
    {ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, "double", IR_F64, IR_F32, IN_DOUBLE, 8},
    {ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16, "bfloat16", IR_F32, IR_F32, IN_INT32, 2},
    {INT4, "int4", IR_I8, IR_I8, IN_INT32, 1},
    {UINT4, "uint4", IR_U8, IR_U8, IN_INT32, 1},
};
/* Names for messages only. */
static const char *const other_names[] = {
    [ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED] = "undefined",
    [ONNX__TENSOR_PROTO__DATA_TYPE__UINT16] = "uint16",
    [ONNX__TENSOR_PROTO__DATA_TYPE__INT16] = "int16",
    [ONNX__TENSOR_PROTO__DATA_TYPE__STRING] = "string",
    [ONNX__TENSOR_PROTO__DATA_TYPE__UINT32] = "uint32",
    [ONNX__TENSOR_PROTO__DATA_TYPE__UINT64] = "uint64",
    [ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX64] = "complex64",
    [ONNX__TENSOR_PROTO__DATA_TYPE__COMPLEX128] = "complex128",
    [17] = "float8e4m3fn",
    [18] = "float8e4m3fnuz",
    [19] = "float8e5m2",
    [20] = "float8e5m2fnuz",
    [23] = "float4e2m1",
    [24] = "float8e8m0",
    [25] = "uint2",
    [26] = "int2",
};

static const struct onnx_dtype *find_dtype(int64_t data_type)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (dtypes[i].data_type == data_type)
            return &dtypes[i];
    return NULL;
}

/* Do two elements lie in a byte? */
static bool in_halves(const struct onnx_dtype *t)
{
    return t->data_type == INT4 || t->data_type == UINT4;
}

const char *onnx_dtype_name(int64_t data_type)
{
    const struct onnx_dtype *t = find_dtype(data_type);
    if (t)
        return t->name;
    bool known = data_type >= 0 &&
                 data_type < (int64_t)(sizeof other_names / sizeof *other_names) &&
                 other_names[data_type];
    return known ? other_names[data_type] : "of an unknown type";
}

bool onnx_dtype_inside(int64_t data_type, enum ir_dtype *out)
{
    const struct onnx_dtype *t = find_dtype(data_type);
    bool known = t && !in_halves(t);
    if (known)
        *out = t->inside;
    return known;
}

bool onnx_dtype_quantized(int64_t data_type, struct onnx_integers *out)
{
    const struct onnx_dtype *t = find_dtype(data_type);
    if (!t || t->bytes != 1 || t->inside == IR_BOOL)
        return false;
    int64_t n = in_halves(t) ? 16 : 256;
    *out = (struct onnx_integers){t->inside, 0, n - 1};
    if (t->inside == IR_I8)
        *out = (struct onnx_integers){t->inside, -n / 2, n / 2 - 1};
    return true;
}

/* ---- where the elements are ---- */

struct elements {
    const struct onnx_dtype *dtype;
    struct ir_type type; /* with the stored dtype */
    size_t n;
    const uint8_t *bytes;   /* stored_units() * dtype->bytes of them, or NULL: */
    const int32_t *words;   /* the bit patterns or values, one a unit */
    struct onnx_file *file; /* that `bytes` lie in, or NULL */
    bool missing;           /* in a file that is not there */
};

struct tensor_ctx {
    const struct onnx_source *source;
    const Onnx__TensorProto *proto;
    struct loc loc;
    struct diag *diag;
};

static const char *name_of(const struct tensor_ctx *c)
{
    return c->proto->name ? c->proto->name : "";
}

/* Elements, or bytes of two halves. */
static size_t stored_units(const struct elements *e)
{
    return in_halves(e->dtype) ? e->n / 2 + e->n % 2 : e->n;
}

static bool read_type(const struct tensor_ctx *c, struct elements *e)
{
    const Onnx__TensorProto *t = c->proto;
    int64_t n;
    e->dtype = find_dtype(t->data_type);
    if (!e->dtype)
        return diag_error(c->diag, c->loc, DIAG_ONNX_MODEL,
                          "tensor '%s' is %s, which is not supported", name_of(c),
                          onnx_dtype_name(t->data_type));
    if (t->n_dims > IR_MAX_RANK)
        return diag_error(c->diag, c->loc, DIAG_ONNX_MODEL,
                          "tensor '%s' has %zu dimensions, at most %d are supported", name_of(c),
                          t->n_dims, IR_MAX_RANK);
    e->type = ir_type_of(e->dtype->stored, (uint32_t)t->n_dims, t->dims);
    if (!ir_type_count(&e->type, &n))
        return diag_error(c->diag, c->loc, DIAG_ONNX_MODEL,
                          "tensor '%s' has a negative dimension or too many elements", name_of(c));
    e->n = (size_t)n;
    return true;
}

static bool has_count(const struct tensor_ctx *c, size_t want, size_t have, const char *what)
{
    if (want == have)
        return true;
    return diag_error(c->diag, c->loc, DIAG_ONNX_MODEL,
                      "tensor '%s' has %zu %s where its dimensions ask for %zu", name_of(c), have,
                      what, want);
}

static bool find_external(const struct tensor_ctx *c, size_t want_bytes, struct elements *e)
{
    struct onnx_bytes found = {.n = want_bytes};
    if (!onnx_external_find(c->source, c->proto, c->loc, c->diag, &found))
        return false;
    e->missing = !found.file;
    if (e->missing)
        return true;
    e->bytes = found.at;
    e->file = found.file;
    return has_count(c, want_bytes, found.n, "bytes");
}

/* In the typed field that the data type names. */
static bool find_typed(const struct tensor_ctx *c, struct elements *e)
{
    const Onnx__TensorProto *t = c->proto;
    switch (e->dtype->holder) {
    case IN_FLOAT:
        e->bytes = (const uint8_t *)t->float_data;
        return has_count(c, e->n, t->n_float_data, "elements");
    case IN_DOUBLE:
        e->bytes = (const uint8_t *)t->double_data;
        return has_count(c, e->n, t->n_double_data, "elements");
    case IN_INT64:
        e->bytes = (const uint8_t *)t->int64_data;
        return has_count(c, e->n, t->n_int64_data, "elements");
    case IN_INT32: break;
    }
    if (e->dtype->bytes == 4)
        e->bytes = (const uint8_t *)t->int32_data;
    else
        e->words = t->int32_data;
    return has_count(c, stored_units(e), t->n_int32_data, "elements");
}

/* Was it this tensor's payload that the guard cut out? */
static bool cut_holds(const struct onnx_cut *cut, const struct elements *e)
{
    if (!cut || cut->field == ONNX_RAW_DATA)
        return cut != NULL;
    return (cut->field == ONNX_FLOAT_DATA && e->dtype->holder == IN_FLOAT) ||
           (cut->field == ONNX_DOUBLE_DATA && e->dtype->holder == IN_DOUBLE);
}

/* Finds the elements: in another file, cut out by the guard, in raw_data, or in a typed field. */
static bool find_elements(const struct tensor_ctx *c, struct elements *e)
{
    const Onnx__TensorProto *t = c->proto;
    const struct onnx_cut *cut = onnx_source_cut(c->source, t);
    size_t want_bytes = stored_units(e) * e->dtype->bytes;
    if (t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return find_external(c, want_bytes, e);
    if (!t->has_raw_data && cut_holds(cut, e)) {
        e->bytes = cut->data;
        e->file = c->source->file;
        return has_count(c, want_bytes, cut->bytes, "bytes");
    }
    if (t->has_raw_data) {
        e->bytes = t->raw_data.data;
        return has_count(c, want_bytes, t->raw_data.len, "bytes");
    }
    return find_typed(c, e);
}

static bool open_elements(const struct tensor_ctx *c, struct elements *e)
{
    *e = (struct elements){0};
    return read_type(c, e) && find_elements(c, e);
}

/* ---- conversion ---- */

/* The i-th 16-bit pattern. */
static uint16_t load_16(const struct elements *e, size_t i)
{
    uint16_t x;
    if (e->words)
        return (uint16_t)e->words[i];
    memcpy(&x, e->bytes + 2 * i, sizeof x);
    return x;
}

/* The range that an element of a type stored in int32_data may have. */
static bool words_in_range(const struct tensor_ctx *c, const struct elements *e)
{
    static const int32_t limits[IR_N_DTYPES][2] = {
        [IR_F32] = {0, 65535}, [IR_F16] = {0, 65535}, [IR_I8] = {-128, 127},
        [IR_U8] = {0, 255},    [IR_BOOL] = {0, 1},
    };
    const int32_t *range = limits[in_halves(e->dtype) ? IR_U8 : e->dtype->stored];
    for (size_t i = 0; e->words && i < stored_units(e); i++)
        if (e->words[i] < range[0] || e->words[i] > range[1])
            return diag_error(c->diag, c->loc, DIAG_ONNX_MODEL,
                              "tensor '%s': element %zu is %d, which is no %s", name_of(c), i,
                              e->words[i], e->dtype->name);
    return true;
}

static bool widen(const struct tensor_ctx *c, const struct elements *e, float *out)
{
    switch (e->dtype->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
        for (size_t i = 0; i < e->n; i++)
            out[i] = f16_to_f32(load_16(e, i));
        return true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
        for (size_t i = 0; i < e->n; i++) {
            uint32_t bits = (uint32_t)load_16(e, i) << 16;
            memcpy(&out[i], &bits, sizeof bits);
        }
        return true;
    default: break;
    }
    for (size_t i = 0; i < e->n; i++) {
        double x;
        memcpy(&x, e->bytes + sizeof x * i, sizeof x);
        out[i] = (float)x;
        if (isinf(out[i]) && !isinf(x))
            return diag_error(c->diag, c->loc, DIAG_ONNX_MODEL,
                              "tensor '%s': element %zu, %g, is too large for float", name_of(c), i,
                              x);
    }
    return true;
}

static void unpack_halves(const struct elements *e, uint8_t *out)
{
    uint8_t sign = e->dtype->inside == IR_I8 ? 8 : 0;
    for (size_t i = 0; i < e->n; i++) {
        unsigned both = e->bytes ? e->bytes[i / 2] : (unsigned)e->words[i / 2];
        unsigned half = both >> 4 * (i % 2) & 15;
        out[i] = (uint8_t)((half ^ sign) - sign);
    }
}

/* Into elements of the dtype used inside. */
static bool convert(const struct tensor_ctx *c, const struct elements *e, void *out)
{
    if (!words_in_range(c, e))
        return false;
    if (e->dtype->inside != e->dtype->stored || e->dtype->bytes == 2)
        return widen(c, e, out);
    if (in_halves(e->dtype)) {
        unpack_halves(e, out);
        return true;
    }
    if (e->bytes && e->n)
        memcpy(out, e->bytes, e->n * e->dtype->bytes);
    for (size_t i = 0; e->words && i < e->n; i++)
        ((uint8_t *)out)[i] = (uint8_t)e->words[i]; /* int8, uint8, bool */
    for (size_t i = 0; e->dtype->inside == IR_BOOL && i < e->n; i++)
        ((uint8_t *)out)[i] = ((uint8_t *)out)[i] != 0;
    return true;
}

/* What can be widened element by element, each of them being fine, when it is read. */
static bool find_encoding(int32_t data_type, enum blob_encoding *out)
{
    switch (data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT: return *out = BLOB_F32, true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16: return *out = BLOB_F16, true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16: return *out = BLOB_BF16, true;
    default: return false;
    }
}

bool onnx_tensor_blob(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                      struct diag *d, struct ir_type *type, struct blob **out)
{
    const struct tensor_ctx c = {s, t, loc, d};
    struct elements e;
    if (!open_elements(&c, &e))
        return false;
    *type = e.type;
    type->dtype = (uint8_t)e.dtype->inside;
    if (e.missing) {
        *out = ir_missing_blob(e.dtype->inside, hash_bytes(name_of(&c), strlen(name_of(&c)), 0));
        return true;
    }
    size_t elem = ir_dtype_bytes(e.dtype->inside), bytes = e.n * elem;
    bool same = e.dtype->inside == e.dtype->stored && e.dtype->bytes == elem && !e.words &&
                !in_halves(e.dtype);
    enum blob_encoding encoding;
    if (same && e.file && e.dtype->inside != IR_BOOL && (uintptr_t)e.bytes % elem == 0) {
        *out = onnx_bytes_view(&(struct onnx_bytes){e.file, e.bytes, bytes});
        return true;
    }
    if (e.file && find_encoding(e.dtype->data_type, &encoding)) {
        struct blob *raw =
            onnx_bytes_view(&(struct onnx_bytes){e.file, e.bytes, e.n * e.dtype->bytes});
        *out = blob_widened(raw, encoding);
        blob_unref(raw);
        return true;
    }
    void *data = heap_alloc(bytes ? bytes : 1);
    if (!convert(&c, &e, data)) {
        heap_free(data);
        return false;
    }
    if (e.file)
        onnx_bytes_forget(&(struct onnx_bytes){e.file, e.bytes, stored_units(&e) * e.dtype->bytes});
    *out = blob_own(data, bytes);
    return true;
}

bool onnx_tensor_values(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                        struct diag *d, struct onnx_tensor *out)
{
    const struct tensor_ctx c = {s, t, loc, d};
    struct elements e;
    if (!open_elements(&c, &e))
        return false;
    if (e.missing)
        return diag_error(d, loc, DIAG_DATA, "tensor '%s': its data is missing", name_of(&c));
    void *data = heap_alloc(e.n ? e.n * ir_dtype_bytes(e.dtype->inside) : 1);
    if (!convert(&c, &e, data)) {
        heap_free(data);
        return false;
    }
    *out = (struct onnx_tensor){.type = e.type, .data = data};
    out->type.dtype = (uint8_t)e.dtype->inside;
    return true;
}
