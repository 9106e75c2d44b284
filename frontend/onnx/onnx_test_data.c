/*
 * onnx_test_data.c - tensors as files of their own: a serialised TensorProto, the form of ONNX's
 * test data (test_data_set_0/input_0.pb). Values are f32 on this side of the door.
 */
#include "onnx_internal.h"

#include "base/half.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool onnx_read_tensor(const char *path, struct onnx_tensor *out, struct diag *d)
{
    struct onnx_source s;
    *out = (struct onnx_tensor){0};
    if (!onnx_source_open(path, &onnx__tensor_proto__descriptor, &s, d))
        return false;
    bool ok =
        onnx_tensor_f32(&s, (const Onnx__TensorProto *)s.root, (struct loc){.file = path}, d, out);
    onnx_source_close(&s);
    return ok;
}

struct encoding {
    int32_t data_type;
    size_t bytes;
    double least, most; /* of integers; `most` + 1 is exact as a double */
};
static const struct encoding encodings[IR_N_DTYPES] = {
    [IR_F32] = {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 4, 0, 0},
    [IR_F16] = {ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16, 2, 0, 0},
    [IR_F64] = {ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, 8, 0, 0},
    [IR_I64] = {ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 8, -0x1p63, 0x1.fffffep62},
    [IR_I32] = {ONNX__TENSOR_PROTO__DATA_TYPE__INT32, 4, -0x1p31, 0x1p31 - 1},
    [IR_I8] = {ONNX__TENSOR_PROTO__DATA_TYPE__INT8, 1, -128, 127},
    [IR_U8] = {ONNX__TENSOR_PROTO__DATA_TYPE__UINT8, 1, 0, 255},
    [IR_BOOL] = {ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, 1, 0, 1},
};

/* False where an integer type cannot hold x. */
static bool encode(enum ir_dtype t, float x, uint8_t *to)
{
    const struct encoding *e = &encodings[t];
    double wide = x;
    uint16_t half = f32_to_f16(x);
    switch (t) {
    case IR_F32: memcpy(to, &x, sizeof x); return true;
    case IR_F16: memcpy(to, &half, sizeof half); return true;
    case IR_F64: memcpy(to, &wide, sizeof wide); return true;
    default: break;
    }
    if (!(wide >= e->least && wide <= e->most) || wide != floor(wide))
        return false;
    int64_t whole = (int64_t)wide;
    memcpy(to, &whole, e->bytes); /* little endian: the low bytes come first */
    return true;
}

static bool write_packed(const char *path, const Onnx__TensorProto *t, struct diag *d)
{
    struct out o;
    if (!out_open(&o, path, d))
        return false;
    size_t n = onnx__tensor_proto__get_packed_size(t);
    uint8_t *packed = heap_alloc(n ? n : 1);
    onnx__tensor_proto__pack(t, packed);
    fwrite(packed, 1, n, o.f); /* out_commit reports what failed */
    free(packed);
    return out_commit(&o, d);
}

bool onnx_write_tensor(const char *path, const char *name, const struct ir_type *type,
                       const float *data, struct diag *d)
{
    enum ir_dtype dtype = (enum ir_dtype)type->dtype;
    size_t n = (size_t)ir_count(type), elem = encodings[dtype].bytes;
    uint8_t *raw = heap_alloc(n ? n * elem : 1);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++)
        if (!encode(dtype, data[i], raw + i * elem))
            ok = diag_error(d, (struct loc){.file = path}, DIAG_DATA,
                            "element %zu of '%s', %g, is no %s", i, name, (double)data[i],
                            ir_dtype_name(dtype));
    if (ok) {
        int64_t dims[IR_MAX_RANK];
        memcpy(dims, type->dim, sizeof dims);
        char *copy = strcpy(heap_alloc(strlen(name) + 1), name);
        Onnx__TensorProto t = ONNX__TENSOR_PROTO__INIT;
        t.n_dims = type->rank;
        t.dims = dims;
        t.has_data_type = true;
        t.data_type = encodings[dtype].data_type;
        t.name = copy;
        t.has_raw_data = true;
        t.raw_data = (ProtobufCBinaryData){n * elem, raw};
        ok = write_packed(path, &t, d);
        free(copy);
    }
    free(raw);
    return ok;
}
