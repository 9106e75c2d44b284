/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* types.c - element types, shapes, and reading single elements of constants. */
#include "ir_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A machine's elements bear the names they have here; truth is a byte. */
enum element ir_dtype_element(enum ir_dtype t)
{
    const char *name = ir_dtype_name(t == IR_BOOL ? IR_U8 : t);
    return element_find(name, strlen(name));
}

size_t ir_dtype_bytes(enum ir_dtype t)
{
    static const uint8_t bytes[IR_N_DTYPES] = {
        [IR_F32] = 4, [IR_F16] = 2, [IR_F64] = 8, [IR_I64] = 8,
        [IR_I32] = 4, [IR_I8] = 1,  [IR_U8] = 1,  [IR_BOOL] = 1,
    };
    return bytes[t];
}

enum ir_dtype ir_port_dtype(enum ir_dtype outside, enum ir_stage stage)
{
    bool lowered = stage == IR_INTEGER || stage == IR_CROSSBAR;
    switch (outside) {
    case IR_F16: return IR_F32;
    case IR_I64: return IR_I32;
    case IR_I8:
    case IR_BOOL: return lowered ? IR_U8 : outside;
    default: return outside;
    }
}

struct ir_type ir_type_of(enum ir_dtype dtype, uint32_t rank, const int64_t *dims)
{
    if (rank > IR_MAX_RANK)
        BUG("type of rank %u", rank);
    struct ir_type t = {.dtype = (uint8_t)dtype, .rank = (uint8_t)rank};
    if (rank)
        memcpy(t.dim, dims, rank * sizeof *dims);
    return t;
}

bool ir_type_equal(const struct ir_type *a, const struct ir_type *b)
{
    return a->dtype == b->dtype && a->rank == b->rank &&
           memcmp(a->dim, b->dim, a->rank * sizeof *a->dim) == 0;
}

/* A zero among huge dimensions must not hide that strides computed from the others overflow. */
bool ir_type_count(const struct ir_type *t, int64_t *out)
{
    int64_t nonzero = 1, bytes;
    bool empty = false;
    for (unsigned i = 0; i < t->rank; i++) {
        if (t->dim[i] < 0 || (t->dim[i] > 0 && !mul_i64(nonzero, t->dim[i], &nonzero)))
            return false;
        empty |= t->dim[i] == 0;
    }
    *out = empty ? 0 : nonzero;
    return mul_i64(nonzero, 8, &bytes);
}

int64_t ir_count(const struct ir_type *t)
{
    int64_t n;
    if (!ir_type_count(t, &n))
        BUG("a type with too many elements is in a graph");
    return n;
}

const char *ir_type_text(const struct ir_type *t, char *buf, size_t n)
{
    size_t used = 0;
    const char *separator = "[";
    int wrote = snprintf(buf, n, "%s", ir_dtype_name((enum ir_dtype)t->dtype));
    for (unsigned i = 0; i <= t->rank && wrote >= 0; i++, separator = "x") {
        used = (size_t)wrote < n - used ? used + (size_t)wrote : n;
        if (used >= n)
            break;
        if (i < t->rank)
            wrote = snprintf(buf + used, n - used, "%s%lld", separator, (long long)t->dim[i]);
        else
            snprintf(buf + used, n - used, "%s", t->rank ? "]" : "[]");
    }
    return buf;
}

static const void *element(const struct ir_op *constant, int64_t i, size_t bytes)
{
    const struct blob *b = ir_op_blob(constant);
    if (!b || i < 0 || i >= ir_count(&constant->out->type))
        BUG("element %lld of op %u (%s)", (long long)i, constant->id,
            ir_op_descs[constant->opcode].name);
    return (const char *)blob_data(b) + (b->splat ? 0 : (size_t)i * bytes);
}

/* Data may be a view of a file at any alignment, hence memcpy. */
double ir_const_f64(const struct ir_op *constant, int64_t i)
{
    enum ir_dtype t = (enum ir_dtype)constant->out->type.dtype;
    const void *p = element(constant, i, ir_dtype_bytes(t));
    float f;
    double d;
    uint16_t h;
    switch (t) {
    case IR_F32: return memcpy(&f, p, sizeof f), (double)f;
    case IR_F64: return memcpy(&d, p, sizeof d), d;
    case IR_F16: return memcpy(&h, p, sizeof h), (double)f16_to_f32(h);
    default: return (double)ir_const_i64(constant, i);
    }
}

int64_t ir_const_i64(const struct ir_op *constant, int64_t i)
{
    enum ir_dtype t = (enum ir_dtype)constant->out->type.dtype;
    const void *p = element(constant, i, ir_dtype_bytes(t));
    int64_t wide;
    int32_t word;
    switch (t) {
    case IR_I64: return memcpy(&wide, p, sizeof wide), wide;
    case IR_I32: return memcpy(&word, p, sizeof word), word;
    case IR_I8: return *(const int8_t *)p;
    case IR_U8: return *(const uint8_t *)p;
    case IR_BOOL: return *(const uint8_t *)p != 0;
    default: break;
    }
    double x = ir_const_f64(constant, i); /* truncates; NaN is 0, what is too big saturates */
    if (isnan(x))
        return 0;
    return x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

const void *ir_const_data(const struct ir_op *constant, struct arena *a)
{
    const struct blob *b = ir_op_blob(constant);
    if (!b)
        BUG("data of op %u, which is no constant", constant->id);
    size_t elem = ir_dtype_bytes((enum ir_dtype)constant->out->type.dtype);
    size_t n = (size_t)ir_count(&constant->out->type);
    const void *at = blob_data(b);
    if (!b->splat && (uintptr_t)at % elem == 0)
        return at;
    char *data = ARENA_ARRAY(a, char, n *elem);
    if (!b->splat && n)
        return memcpy(data, at, n * elem);
    for (size_t i = 0; i < n; i++)
        memcpy(data + i * elem, at, elem);
    return data;
}
