/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* import_constant.c - nodes that are known when the model is read, and those that do nothing. */
#include "onnx_node.h"

#include <stdlib.h>
#include <string.h>

static struct ir_value *floats_const(struct onnx_node *n, const float *at, size_t count)
{
    int64_t length = (int64_t)count;
    size_t bytes = count * sizeof *at;
    float *data = heap_alloc(bytes ? bytes : 1);
    if (bytes)
        memcpy(data, at, bytes);
    return onnx_const(n, ir_type_of(IR_F32, 1, &length), blob_own(data, bytes));
}

static struct ir_value *tensor_const(struct onnx_node *n, const Onnx__TensorProto *t)
{
    struct ir_type type;
    struct blob *b;
    if (!t || !onnx_tensor_blob(&n->im->model, t, n->loc, n->im->diag, &type, &b))
        return NULL;
    return onnx_const(n, type, b);
}

/* One of value, value_int, value_ints, value_float, value_floats (the latter four since opset 12).
 */
bool import_constant(struct onnx_node *n)
{
    struct ir_value *v = NULL;
    size_t count;
    if (onnx_has_attr(n, "value")) {
        const Onnx__TensorProto *t = onnx_attr_tensor(n, "value");
        v = tensor_const(n, t);
        if (n->out[0])
            n->out[0]->tensor = t;
    } else if (onnx_has_attr(n, "value_int")) {
        int64_t x = onnx_attr_i64(n, "value_int", 0);
        v = onnx_reshape(n, onnx_ints_const(n, &x, 1), NULL, 0, false);
    } else if (onnx_has_attr(n, "value_ints")) {
        struct ir_ints list = onnx_attr_ints(n, "value_ints");
        v = onnx_ints_const(n, list.at, list.n);
    } else if (onnx_has_attr(n, "value_float")) {
        v = onnx_scalar(n, onnx_attr_f32(n, "value_float", 0));
    } else if (onnx_has_attr(n, "value_floats")) {
        const float *at = onnx_attr_f32s(n, "value_floats", &count);
        v = floats_const(n, at, count);
    } else {
        return onnx_error(n, "has none of value, value_int(s), value_float(s)");
    }
    return onnx_set_out(n, 0, v);
}

/* Whoever computes with a constant may have to spell it out. */
static const int64_t MAX_ELEMENTS = (int64_t)1 << 29;

/* The shape as a type of elements `dtype`. */
static bool shape_type(struct onnx_node *n, const struct ir_ints *shape, enum ir_dtype dtype,
                       struct ir_type *out)
{
    int64_t count;
    if (shape->n > IR_MAX_RANK)
        return onnx_error(n, "a shape of %u dimensions; at most %d are supported", shape->n,
                          IR_MAX_RANK);
    *out = ir_type_of(dtype, shape->n, shape->at);
    if (!ir_type_count(out, &count) || count > MAX_ELEMENTS)
        return onnx_error(n, "the shape has a negative dimension or too many elements");
    return true;
}

/* A splat: one element stands for all, however many there are. */
bool import_constant_of_shape(struct onnx_node *n)
{
    struct ir_ints shape;
    struct ir_type element = ir_type_of(IR_F32, 0, NULL), type;
    const float zero = 0;
    struct blob *b;
    if (!onnx_const_ints(n, 0, &shape))
        return false;
    const Onnx__TensorProto *t = onnx_attr_tensor(n, "value");
    if (!t)
        b = blob_splat(&zero, sizeof zero);
    else if (!onnx_tensor_blob(&n->im->model, t, n->loc, n->im->diag, &element, &b))
        return false;
    enum ir_dtype dtype = (enum ir_dtype)element.dtype;
    bool ok = ir_count(&element) == 1 || onnx_error(n, "value has more or less than one element");
    ok = ok && shape_type(n, &shape, dtype, &type);
    struct blob *splat = ok ? blob_splat(blob_data(b), ir_dtype_bytes(dtype)) : NULL;
    blob_unref(b);
    return ok && onnx_set_out(n, 0, onnx_const(n, type, splat));
}

/* Shapes are static, so these two are constants whatever the operand is. */
bool import_shape(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    if (!x)
        return false;
    int64_t rank = x->type.rank;
    int64_t start = onnx_attr_i64(n, "start", 0), end = onnx_attr_i64(n, "end", rank);
    start = min_i64(max_i64(start < 0 ? start + rank : start, 0), rank);
    end = min_i64(max_i64(end < 0 ? end + rank : end, start), rank);
    return onnx_set_out(n, 0, onnx_ints_const(n, x->type.dim + start, (uint32_t)(end - start)));
}

bool import_size(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    if (!x)
        return false;
    int64_t *count = heap_alloc(sizeof *count);
    *count = ir_count(&x->type);
    return onnx_set_out(n, 0,
                        onnx_const(n, ir_type_of(IR_I64, 0, NULL), blob_own(count, sizeof *count)));
}

bool import_identity(struct onnx_node *n)
{
    if (n->in[0] && n->in[0]->sequence) {
        onnx_set_symbol(n, 0, n->in[0]);
        return true;
    }
    if (n->in[0] && n->out[0])
        n->out[0]->tensor = n->in[0]->tensor;
    return onnx_set_out(n, 0, onnx_in(n, 0));
}

static bool is_training(struct onnx_node *n)
{
    struct ir_value *training = onnx_has_in(n, 2) ? onnx_in(n, 2) : NULL;
    return training && (!onnx_is_const(training) || ir_count(&training->type) != 1 ||
                        ir_const_i64(training->def, 0) != 0);
}

/* torch's window attention asks for training, of a ratio of 0. */
static bool drops_nothing(struct onnx_node *n)
{
    float ratio;
    return onnx_has_in(n, 1) && onnx_in(n, 1) && onnx_is_const(onnx_in(n, 1)) &&
           onnx_const_f32(n, 1, &ratio) && ratio == 0;
}

/* What is kept: everything. */
static bool set_mask(struct onnx_node *n)
{
    const struct ir_value *x = onnx_in(n, 0);
    const uint8_t kept = 1;
    if (!x)
        return false;
    if (n->im->opset < 10)
        return diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                          "the mask result is not supported before opset 10");
    struct ir_type type = x->type;
    type.dtype = IR_BOOL;
    return onnx_set_out(n, 1, onnx_const(n, type, blob_splat(&kept, 1)));
}

/* Nothing at inference. Since opset 12 ratio and training_mode are operands. */
bool import_dropout(struct onnx_node *n)
{
    onnx_ignore_attr(n, "ratio");
    onnx_ignore_attr(n, "seed");
    onnx_ignore_attr(n, "is_test"); /* before opset 7 */
    if (onnx_out_used(n, 1) && !set_mask(n))
        return false;
    if (is_training(n) && !drops_nothing(n))
        return onnx_error(n, "training mode is not supported");
    return onnx_set_out(n, 0, onnx_in(n, 0));
}
