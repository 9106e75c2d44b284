/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* eval_tensor.c - dense tensors and access to single elements of any type. */
#include "eval_internal.h"

#include "base/half.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t bytes_of(const struct ir_type *t)
{
    return (size_t)ir_count(t) * ir_dtype_bytes((enum ir_dtype)t->dtype);
}

static const int64_t MAX_VALUE_BYTES = (int64_t)16 << 30;

bool value_fits(int64_t a, int64_t b, int64_t c)
{
    int64_t bytes;
    return mul_i64(a, b, &bytes) && mul_i64(bytes, c, &bytes) && bytes <= MAX_VALUE_BYTES;
}

bool type_fits(const struct ir_type *t)
{
    int64_t n;
    return ir_type_count(t, &n) &&
           value_fits(n, 1, (int64_t)ir_dtype_bytes((enum ir_dtype)t->dtype));
}

struct tensor tensor_new(const struct ir_type *t)
{
    return (struct tensor){.type = *t, .data = heap_alloc(bytes_of(t))};
}

void tensor_free(struct tensor *t)
{
    heap_free(t->data);
    *t = (struct tensor){0};
}

struct tensor tensor_copy(const struct tensor *t)
{
    struct tensor copy = tensor_new(&t->type);
    size_t bytes = bytes_of(&t->type);
    if (bytes)
        memcpy(copy.data, t->data, bytes);
    return copy;
}

static double load_float(const struct tensor *t, int64_t i)
{
    switch (t->type.dtype) {
    case IR_F32: return (double)((const float *)t->data)[i];
    case IR_F16: return (double)f16_to_f32(((const uint16_t *)t->data)[i]);
    case IR_F64: return ((const double *)t->data)[i];
    default: BUG("dtype %d is no float", t->type.dtype);
    }
}

static int64_t load_integer(const struct tensor *t, int64_t i)
{
    switch (t->type.dtype) {
    case IR_I64: return ((const int64_t *)t->data)[i];
    case IR_I32: return ((const int32_t *)t->data)[i];
    case IR_I8: return ((const int8_t *)t->data)[i];
    case IR_U8: return ((const uint8_t *)t->data)[i];
    case IR_BOOL: return ((const uint8_t *)t->data)[i] != 0;
    default: BUG("dtype %d is no integer", t->type.dtype);
    }
}

/* Toward zero, into [least, most]. The bounds' double values are exact or one above `most`, so an x
 * that is not below it saturates. */
static int64_t saturate(double x, int64_t least, int64_t most)
{
    if (isnan(x))
        return 0;
    if (x >= (double)most)
        return most;
    return x <= (double)least ? least : (int64_t)x;
}

double tensor_load_f64(const struct tensor *t, int64_t i)
{
    return dtype_is_float(t->type.dtype) ? load_float(t, i) : (double)load_integer(t, i);
}

int64_t tensor_load_i64(const struct tensor *t, int64_t i)
{
    return dtype_is_float(t->type.dtype) ? saturate(load_float(t, i), INT64_MIN, INT64_MAX)
                                         : load_integer(t, i);
}

void tensor_store_i64(struct tensor *t, int64_t i, int64_t x)
{
    switch ((enum ir_dtype)t->type.dtype) {
    case IR_F32: ((float *)t->data)[i] = (float)x; break;
    case IR_F16: ((uint16_t *)t->data)[i] = f32_to_f16((float)x); break;
    case IR_F64: ((double *)t->data)[i] = (double)x; break;
    case IR_I64: ((int64_t *)t->data)[i] = x; break;
    case IR_I32: ((int32_t *)t->data)[i] = (int32_t)x; break;
    case IR_I8: ((int8_t *)t->data)[i] = (int8_t)x; break;
    case IR_U8: ((uint8_t *)t->data)[i] = (uint8_t)x; break;
    case IR_BOOL: ((uint8_t *)t->data)[i] = x != 0; break;
    case IR_N_DTYPES: BUG("no such dtype");
    }
}

void tensor_store_f64(struct tensor *t, int64_t i, double x)
{
    switch ((enum ir_dtype)t->type.dtype) {
    case IR_F32: ((float *)t->data)[i] = (float)x; break;
    case IR_F16: ((uint16_t *)t->data)[i] = f32_to_f16((float)x); break;
    case IR_F64: ((double *)t->data)[i] = x; break;
    case IR_I64: ((int64_t *)t->data)[i] = saturate(x, INT64_MIN, INT64_MAX); break;
    case IR_I32: ((int32_t *)t->data)[i] = (int32_t)saturate(x, INT32_MIN, INT32_MAX); break;
    case IR_I8: ((int8_t *)t->data)[i] = (int8_t)saturate(x, INT8_MIN, INT8_MAX); break;
    case IR_U8: ((uint8_t *)t->data)[i] = (uint8_t)saturate(x, 0, UINT8_MAX); break;
    case IR_BOOL: ((uint8_t *)t->data)[i] = x != 0; break;
    case IR_N_DTYPES: BUG("no such dtype");
    }
}

void dense_strides(const struct ir_type *t, int64_t stride[IR_MAX_RANK])
{
    int64_t step = 1;
    for (unsigned k = t->rank; k-- > 0;) {
        stride[k] = step;
        step *= t->dim[k];
    }
}

struct tensor constant_tensor(const struct ir_op *constant, bool *owned)
{
    const struct ir_type *type = &constant->out->type;
    const struct blob *b = constant->attrs->constant.data;
    size_t elem = ir_dtype_bytes((enum ir_dtype)type->dtype), n = (size_t)ir_count(type);
    /* A view of a file may begin anywhere; kernels want natural alignment. What is made for this
     * reading is not kept. */
    *owned = b->splat || b->derivation || (uintptr_t)b->at % elem != 0;
    if (!*owned)
        return (struct tensor){.type = *type, .data = (void *)b->at};
    struct tensor t = tensor_new(type);
    const void *at = blob_read(b, t.data);
    if (!b->splat && n && at != t.data)
        memcpy(t.data, at, n * elem);
    for (size_t i = 0; b->splat && i < n; i++)
        memcpy((char *)t.data + i * elem, at, elem);
    return t;
}

bool want_f32(const struct ir_op *op, const struct tensor *const *in, struct diag *d)
{
    bool ok = op->out->type.dtype == IR_F32;
    for (uint32_t i = 0; i < op->n_in; i++)
        ok &= in[i]->type.dtype == IR_F32;
    return ok || diag_error(d, op->loc, DIAG_SHAPE, "%s is computed in f32 only",
                            ir_op_descs[op->opcode].name);
}

struct image image_of(const struct ir_op *op, const struct ir_type *t)
{
    if (op->graph->stage == IR_CROSSBAR)
        return (struct image){.outer = 1, .h = t->dim[0], .w = t->dim[1], .inner = t->dim[2]};
    return (struct image){
        .outer = t->dim[0] * t->dim[1], .h = t->dim[2], .w = t->dim[3], .inner = 1};
}
