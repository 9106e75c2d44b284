/* import_norm.c - BatchNormalization with stored statistics, Softmax. */
#include "onnx_internal.h"

bool import_batch_norm(struct onnx_node *n)
{
    struct ir_value *in[5];
    onnx_ignore_attr(n, "momentum"); /* of training */
    float epsilon = onnx_attr_f32(n, "epsilon", 1e-5f);
    if (onnx_attr_i64(n, "training_mode", 0) != 0)
        return onnx_error(n, "in training mode");
    if (n->im->opset < 9 && onnx_attr_i64(n, "spatial", 1) != 1)
        return onnx_error(n, "with spatial=0");
    for (size_t k = 1; k < n->proto->n_output; k++)
        if (onnx_out_used(n, k))
            return onnx_error(n, "result %zu exists only in training mode", k);
    for (size_t i = 0; i < 5; i++)
        in[i] = onnx_in(n, i);
    union ir_attrs attrs = {.batch_norm = {.epsilon = epsilon}};
    return onnx_set_out(n, 0, onnx_emit(n, IR_batch_norm, &attrs, in, 5));
}

static struct ir_value *softmax(struct onnx_node *n, struct ir_value *x, int64_t axis)
{
    union ir_attrs attrs = {.softmax = {.axis = axis}};
    return onnx_emit1(n, IR_softmax, &attrs, x);
}

/* Since opset 13 along one axis, by default the last. Before, the dimensions from `axis` (by
 * default 1) on count as one: a reshape to two dimensions, unless all but one of them are 1. */
bool import_softmax(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    bool flattens = n->im->opset < 13;
    int64_t axis = onnx_attr_i64(n, "axis", flattens ? 1 : -1);
    if (!x)
        return false;
    /* axis = rank is legal before 13: every row has one element. */
    bool at_end = flattens && axis == x->type.rank;
    if (at_end)
        axis = x->type.rank;
    else if (!onnx_axis(n, axis, x->type.rank, &axis))
        return false;
    int64_t rows = 1, columns = 1, wide = axis, n_wide = 0;
    for (int64_t i = 0; i < x->type.rank; i++) {
        *(i < axis ? &rows : &columns) *= x->type.dim[i];
        if (i >= axis && x->type.dim[i] != 1) {
            wide = i;
            n_wide++;
        }
    }
    if (!flattens)
        return onnx_set_out(n, 0, softmax(n, x, axis));
    if (n_wide <= 1 && !at_end)
        return onnx_set_out(n, 0, softmax(n, x, wide));
    struct ir_value *flat = onnx_reshape(n, x, (const int64_t[]){rows, columns}, 2, false);
    struct ir_value *v = flat ? softmax(n, flat, 1) : NULL;
    return onnx_set_out(n, 0, onnx_reshape(n, v, x->type.dim, x->type.rank, false));
}
