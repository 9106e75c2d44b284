/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* values_file.c - tensors in .npy files and in files of a TensorProto. */
#include "values.h"

#include "npy.h"
#include "onnx.h"

#include <string.h>

static const enum ir_dtype dtypes[NPY_N_DTYPES] = {
    [NPY_F32] = IR_F32, [NPY_F16] = IR_F16, [NPY_F64] = IR_F64, [NPY_I64] = IR_I64,
    [NPY_I32] = IR_I32, [NPY_I8] = IR_I8,   [NPY_U8] = IR_U8,   [NPY_BOOL] = IR_BOOL,
};

static enum npy_dtype npy_dtype_of(enum ir_dtype dtype)
{
    for (int i = 0; i < NPY_N_DTYPES; i++)
        if (dtypes[i] == dtype)
            return (enum npy_dtype)i;
    BUG("dtype %d", (int)dtype);
}

static bool take_npy(const struct file *f, struct diag *d, struct tensor *out)
{
    struct npy_array a;
    char error[NPY_ERROR_BYTES];
    int64_t n;
    if (!npy_parse(f->data, f->size, &a, error))
        return diag_error(d, (struct loc){.file = f->path}, DIAG_DATA, "the file %s", error);
    *out = (struct tensor){.type = ir_type_of(dtypes[a.dtype], a.rank, a.dims)};
    if (!ir_type_count(&out->type, &n))
        return diag_error(d, (struct loc){.file = f->path}, DIAG_DATA, "the tensor is too large");
    out->data = heap_alloc(a.count * npy_dtype_bytes(a.dtype));
    npy_copy(&a, out->data);
    return true;
}

static bool read_npy(const char *path, struct arena *names, struct diag *d, struct tensor *out)
{
    struct file f;
    if (!file_open(path, names, d, &f))
        return false;
    bool ok = take_npy(&f, d, out);
    file_close(&f);
    return ok;
}

bool values_read(const char *path, struct arena *names, struct diag *d, struct tensor *out)
{
    if (ends_with(path, ".npy"))
        return read_npy(path, names, d, out);
    struct onnx_tensor t;
    if (!onnx_read_tensor(path, &t, d))
        return false;
    *out = (struct tensor){.type = t.type, .data = t.data};
    return true;
}

bool values_write_npy(const char *path, const struct ir_type *type, const void *data,
                      struct diag *d)
{
    char header[NPY_HEADER_BYTES];
    struct out o;
    if (!out_open(&o, path, d))
        return false;
    size_t n = npy_header(npy_dtype_of(type->dtype), type->rank, type->dim, header);
    fwrite(header, 1, n, o.f);
    fwrite(data, ir_dtype_bytes(type->dtype), (size_t)ir_count(type), o.f);
    return out_commit(&o, d);
}
