/* import_conv.c - base layers: Conv, Gemm, MatMul. */
#include "onnx_node.h"

#include <string.h>

struct ir_value *onnx_conv(struct onnx_node *n, struct ir_value *x, struct ir_value *w,
                           struct ir_value *bias, size_t weights, const char *variant)
{
    struct onnx_window win;
    if (!x || !w)
        return NULL;
    if (w->type.rank != x->type.rank) {
        onnx_error(n, "the weights have %u dimensions, the input has %u", w->type.rank,
                   x->type.rank);
        return NULL;
    }
    int64_t group = onnx_attr_i64(n, "group", 1);
    if (!onnx_read_window(n, &x->type, w->type.dim + 2, &win))
        return NULL;
    union ir_attrs attrs = {.conv = {.group = group}};
    memcpy(attrs.conv.kernel, win.kernel, sizeof win.kernel);
    memcpy(attrs.conv.stride, win.stride, sizeof win.stride);
    memcpy(attrs.conv.dilation, win.dilation, sizeof win.dilation);
    memcpy(attrs.conv.pad, win.pad, sizeof win.pad);
    /* Weights of one 1-D convolution gain a kernel row, [O,C,L] -> [O,C,1,L], as its input. */
    struct ir_value *in[] = {onnx_to_2d(n, x), onnx_to_2d(n, w), bias};
    struct ir_value *v = onnx_emit(n, IR_conv, &attrs, in, bias ? 3 : 2);
    onnx_note_weights(n, v, weights,
                      arena_printf(n->im->arena, "groups %lld;%s", (long long)group, variant));
    return onnx_from_2d(n, v, x);
}

bool import_conv(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *w = onnx_in(n, 1), *b = NULL;
    if (!x || !w || (onnx_has_in(n, 2) && !(b = onnx_in(n, 2))))
        return false;
    return onnx_set_out(n, 0, onnx_conv(n, x, onnx_integer_weights(n, w), b, 1, ""));
}

static struct ir_value *swap_last_two(struct onnx_node *n, struct ir_value *x)
{
    if (x && x->type.rank != 2) {
        onnx_error(n, "a matrix has %u dimensions, not 2", x->type.rank);
        return NULL;
    }
    return onnx_transpose(n, x, (const int64_t[]){1, 0}, false);
}

static struct ir_value *scaled(struct onnx_node *n, struct ir_value *x, float by)
{
    if (by == 1.0f || !x)
        return x;
    return onnx_emit_helper(n, IR_mul, NULL, (struct ir_value *[]){x, onnx_scalar(n, by)}, 2);
}

/* Base operations have their weights on the right; they are worth sharing if they are one matrix.
 */
struct ir_value *onnx_product(struct onnx_node *n, struct ir_value *const ab[2],
                              const bool across[2], size_t weights, const char *variant)
{
    struct ir_value *in[2];
    for (int i = 0; i < 2; i++)
        if (!(in[i] = across[i] ? swap_last_two(n, ab[i]) : ab[i]))
            return NULL;
    struct ir_value *v = onnx_emit(n, IR_matmul, NULL, in, 2);
    if (in[1]->type.rank == 2)
        onnx_note_weights(
            n, v, weights,
            arena_printf(n->im->arena, "%s%s", across[1] ? "Transpose perm 1 0;" : "", variant));
    return v;
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
    onnx_ignore_attr(n, "broadcast"); /* of C, before opset 7 */
    float alpha = onnx_attr_f32(n, "alpha", 1), beta = onnx_attr_f32(n, "beta", 1);
    bool across[] = {onnx_attr_i64(n, "transA", 0) != 0, onnx_attr_i64(n, "transB", 0) != 0};
    struct ir_value *ab[] = {a, onnx_integer_weights(n, b)};
    struct ir_value *v = scaled(n, onnx_product(n, ab, across, 1, ""), alpha);
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
    struct ir_value *ab[] = {onnx_in(n, 0), onnx_integer_weights(n, onnx_in(n, 1))};
    return onnx_set_out(n, 0, onnx_product(n, ab, (const bool[]){false, false}, 1, ""));
}
