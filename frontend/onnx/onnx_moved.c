/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_moved.c - reshaping and transposing what is a dequantised constant: its integers are moved,
 * and its scales are those of another dimension then.
 *
 * An element with flat index e has scale (e / inner) % n, where `inner` is the product of the
 * dimensions after that of the scales. In another shape that is known from the index i of a
 * dimension with `below` elements after it, i = e / below % extent, if the extent is a multiple of
 * inner / below * n: the scale is then (i / (inner / below)) % n. So scales of the second dimension
 * of a transposed convolution's weights are repeated for each tap of the kernel.
 */
#include "onnx_node.h"

bool onnx_is_dequantized(const struct ir_value *x)
{
    return ir_is(x, IR_dequantize) && onnx_is_const(x->def->in[0].value);
}

bool onnx_reshaped_scales(const struct ir_value *x, const int64_t *dims, uint32_t rank,
                          struct onnx_scale_place *out)
{
    int64_t axis = x->def->attrs->dequantize.axis, inner = 1, below = 1;
    *out = (struct onnx_scale_place){.axis = 0, .each = 1};
    if (x->def->in[1].value->type.rank == 0)
        return true;
    for (int64_t i = axis + 1; i < x->type.rank; i++)
        inner *= x->type.dim[i];
    for (out->axis = (int64_t)rank - 1; out->axis >= 0; out->axis--) {
        out->each = inner / below;
        if (inner % below == 0 && dims[out->axis] % (out->each * x->type.dim[axis]) == 0)
            return true;
        below *= dims[out->axis];
    }
    return false;
}

/* One for each index of the dimension, which has `extent`; what holds for all stays as it is. */
static struct ir_value *repeated(struct onnx_node *n, struct ir_value *v, int64_t extent,
                                 int64_t each)
{
    int64_t count = v->type.rank ? v->type.dim[0] : extent;
    if (count == extent)
        return v;
    int64_t *list = onnx_pick_list(n, 0, extent);
    for (int64_t i = 0; list && i < extent; i++)
        list[i] = i / each % count;
    return list ? onnx_grid(n, v, &extent, 0, list, 0) : NULL;
}

struct ir_value *onnx_dequantize_moved(struct onnx_node *n, const struct ir_value *x,
                                       struct ir_value *q, const struct onnx_scale_place *place,
                                       bool named)
{
    const struct ir_op *op = x->def;
    union ir_attrs attrs = {.dequantize = {.axis = place->axis}};
    struct ir_value *in[3] = {q};
    int64_t extent = q && q->type.rank ? q->type.dim[place->axis] : 1;
    for (uint32_t i = 1; q && i < op->n_in; i++)
        in[i] = repeated(n, op->in[i].value, extent, place->each);
    return named ? onnx_emit(n, IR_dequantize, &attrs, in, op->n_in)
                 : onnx_emit_helper(n, IR_dequantize, &attrs, in, op->n_in);
}
