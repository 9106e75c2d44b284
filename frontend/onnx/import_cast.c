/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_cast.c - Cast, CastLike, and the types that values have at run time: of floats f32, of
 * integers those of 8 bits and i32, and bool. Only constants have others.
 */
#include "onnx_node.h"

#include "base/half.h"

#include <stdlib.h>

enum ir_dtype onnx_runtime_dtype(enum ir_dtype dtype)
{
    switch (dtype) {
    case IR_I64: return IR_I32;
    case IR_F16:
    case IR_F64: return IR_F32;
    default: return dtype;
    }
}

struct ir_value *onnx_cast(struct onnx_node *n, struct ir_value *x, enum ir_dtype to)
{
    if (x && !onnx_is_const(x))
        to = onnx_runtime_dtype(to);
    if (!x || x->type.dtype == to)
        return x;
    union ir_attrs attrs = {.cast = {.to = to}};
    return onnx_helper1(n, IR_cast, &attrs, x);
}

/* ---- operands of one type ---- */

struct ir_value *onnx_narrowed(struct onnx_node *n, struct ir_value *x)
{
    if (!onnx_is_const(x)) { /* it was too large to be computed now */
        onnx_error(n, "an int64 operand is not known at compile time");
        return NULL;
    }
    int64_t count = x->def->attrs->constant.data->splat ? 1 : ir_count(&x->type);
    for (int64_t i = 0; i < count; i++) {
        int64_t number = ir_const_i64(x->def, i);
        if (number < INT32_MIN || number > INT32_MAX) {
            onnx_error(n, "a constant is %lld, but integers at run time have 32 bits",
                       (long long)number);
            return NULL;
        }
    }
    return onnx_cast(n, x, IR_I32);
}

struct ir_value *onnx_at_run_time(struct onnx_node *n, struct ir_value *x)
{
    return x && x->type.dtype == IR_I64 ? onnx_narrowed(n, x) : x;
}

bool onnx_common_types(struct onnx_node *n, struct ir_value **in, uint32_t n_in)
{
    bool meets = false;
    for (uint32_t i = 0; i < n_in; i++)
        meets |= in[i] && !onnx_is_const(in[i]);
    for (uint32_t i = 0; meets && i < n_in; i++)
        if (in[i] && in[i]->type.dtype == IR_I64 && !(in[i] = onnx_narrowed(n, in[i])))
            return false;
    return true;
}

/* ---- Cast ---- */

/* A constant of floats rounded to what bfloat16 can hold. */
static struct ir_value *rounded_to_bf16(struct onnx_node *n, struct ir_value *x)
{
    if (!x || !onnx_is_const(x)) {
        if (x)
            onnx_error(n, "a constant of %lld elements is too large to be rounded to bfloat16",
                       (long long)ir_count(&x->type));
        return NULL;
    }
    bool splat = x->def->attrs->constant.data->splat;
    int64_t count = splat ? 1 : ir_count(&x->type);
    float *data = heap_alloc((size_t)max_i64(count, 1) * sizeof *data);
    for (int64_t i = 0; i < count; i++)
        data[i] = bf16_round((float)ir_const_f64(x->def, i));
    struct blob *b =
        splat ? blob_splat(data, sizeof *data) : blob_own(data, (size_t)count * sizeof *data);
    if (splat)
        heap_free(data);
    return onnx_const(n, x->type, b);
}

static struct ir_value *to_float(struct onnx_node *n, struct ir_value *x)
{
    bool is_integer = x->type.dtype != IR_F32 && x->type.dtype != IR_BOOL;
    return is_integer && !onnx_is_const(x) ? onnx_as_float(n, x) : onnx_cast(n, x, IR_F32);
}

/* Between float types: nothing to do, since all are f32 inside; but constants that become float16
 * or bfloat16 are rounded to what those can hold. Integers computed at run time become floats by
 * `dequantize`. */
static bool cast_to(struct onnx_node *n, int64_t to)
{
    enum ir_dtype inside;
    if (!onnx_dtype_inside(to, &inside))
        return onnx_error(n, "to %s is not supported", onnx_dtype_name(to));
    if (inside == IR_F32 && onnx_is_exact(n, 0))
        return onnx_set_out(n, 0, n->in[0]->exact);
    struct ir_value *x = onnx_in(n, 0);
    if (!x)
        return false;
    bool known = onnx_is_const(x);
    if (to == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 && known)
        x = onnx_cast(n, x, IR_F16);
    x = x && inside == IR_F32 ? to_float(n, x) : onnx_cast(n, x, inside);
    if (to == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 && known)
        x = rounded_to_bf16(n, x);
    return onnx_set_out(n, 0, x);
}

/* To the type of the second operand, of which nothing else is read. */
bool import_cast_like(struct onnx_node *n)
{
    static const int64_t types[IR_N_DTYPES] = {
        [IR_F32] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
        [IR_I64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
        [IR_I32] = ONNX__TENSOR_PROTO__DATA_TYPE__INT32,
        [IR_I8] = ONNX__TENSOR_PROTO__DATA_TYPE__INT8,
        [IR_U8] = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8,
        [IR_BOOL] = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL,
    };
    struct ir_value *like = onnx_in(n, 1);
    onnx_ignore_attr(n, "saturate");
    onnx_ignore_attr(n, "round_mode");
    if (!like)
        return false;
    const Onnx__TensorProto *t = n->in[1]->tensor;
    return cast_to(n, t ? t->data_type : types[like->type.dtype]);
}

bool import_cast(struct onnx_node *n)
{
    onnx_ignore_attr(n, "saturate"); /* of 8-bit floats, as round_mode */
    onnx_ignore_attr(n, "round_mode");
    return cast_to(n, onnx_attr_i64(n, "to", 0));
}
