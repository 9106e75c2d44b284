/* import_conv.c - base layers: Conv, Gemm, MatMul. */
#include "onnx_node.h"

#include <string.h>

/* Constant weights of one 1-D convolution gain a kernel row: [O,C,L] -> [O,C,1,L], as its input. */
bool import_conv(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *w = onnx_in(n, 1), *b = NULL;
    struct onnx_window win;
    if (!x || !w || (onnx_has_in(n, 2) && !(b = onnx_in(n, 2))))
        return false;
    if (w->type.rank != x->type.rank)
        return onnx_error(n, "the weights have %u dimensions, the input has %u", w->type.rank,
                          x->type.rank);
    int64_t group = onnx_attr_i64(n, "group", 1);
    if (!onnx_read_window(n, &x->type, w->type.dim + 2, &win))
        return false;
    union ir_attrs attrs = {.conv = {.group = group}};
    memcpy(attrs.conv.kernel, win.kernel, sizeof win.kernel);
    memcpy(attrs.conv.stride, win.stride, sizeof win.stride);
    memcpy(attrs.conv.dilation, win.dilation, sizeof win.dilation);
    memcpy(attrs.conv.pad, win.pad, sizeof win.pad);
    struct ir_value *in[] = {onnx_to_2d(n, x), onnx_to_2d(n, w), b};
    struct ir_value *v = onnx_emit(n, IR_conv, &attrs, in, b ? 3 : 2);
    if (v && onnx_is_const(in[1]))
        onnx_note_weights(n, v, 1, group);
    return onnx_set_out(n, 0, onnx_from_2d(n, v, x));
}

static struct ir_value *swap_last_two(struct onnx_node *n, struct ir_value *x)
{
    return onnx_transpose(n, x, (const int64_t[]){1, 0}, false);
}

static struct ir_value *scaled(struct onnx_node *n, struct ir_value *x, float by)
{
    if (by == 1.0f || !x)
        return x;
    return onnx_emit_helper(n, IR_mul, NULL, (struct ir_value *[]){x, onnx_scalar(n, by)}, 2);
}

/* A base operation has its weights on the right; they are worth sharing if they are one matrix. */
static void note_matrix(struct onnx_node *n, struct ir_value *v, const struct ir_value *weights,
                        int64_t transposed)
{
    if (v && onnx_is_const(weights) && weights->type.rank == 2)
        onnx_note_weights(n, v, 1, transposed);
}

/* alpha * A' * B' + beta * C, where ' is a transposition if transA, transB say so. */
bool import_gemm(struct onnx_node *n)
{
    struct ir_value *a = onnx_in(n, 0), *b = onnx_in(n, 1), *c = NULL;
    if (!a || !b || (onnx_has_in(n, 2) && !(c = onnx_in(n, 2))))
        return false;
    if (a->type.rank != 2 || b->type.rank != 2)
        return onnx_error(n, "A and B have %u and %u dimensions, not 2", a->type.rank,
                          b->type.rank);
    float alpha = onnx_attr_f32(n, "alpha", 1), beta = onnx_attr_f32(n, "beta", 1);
    bool trans_b = onnx_attr_i64(n, "transB", 0) != 0;
    if (onnx_attr_i64(n, "transA", 0) != 0)
        a = swap_last_two(n, a);
    if (trans_b)
        b = swap_last_two(n, b);
    if (!a || !b)
        return false;
    struct ir_value *v = onnx_emit2(n, IR_matmul, NULL, a, b);
    note_matrix(n, v, b, trans_b);
    v = scaled(n, v, alpha);
    if (!c || beta == 0 || !v)
        return onnx_set_out(n, 0, v);
    struct ir_type product = v->type;
    v = onnx_emit_helper(n, IR_add, NULL, (struct ir_value *[]){v, scaled(n, c, beta)}, 2);
    if (v && !ir_type_equal(&product, &v->type))
        return onnx_error(n, "C does not broadcast to the product");
    return onnx_set_out(n, 0, v);
}

bool import_matmul(struct onnx_node *n)
{
    struct ir_value *a = onnx_in(n, 0), *b = onnx_in(n, 1);
    struct ir_value *v = onnx_emit2(n, IR_matmul, NULL, a, b);
    if (v)
        note_matrix(n, v, b, 0);
    return onnx_set_out(n, 0, v);
}
