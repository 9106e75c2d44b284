/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* eval_move.c - operations that move elements without computing, for every element type. */
#include "eval_internal.h"

#include <string.h>

static size_t elem_of(const struct tensor *t)
{
    return ir_dtype_bytes((enum ir_dtype)t->type.dtype);
}

/* One element of the result's type. */
static uint64_t fill_of(const struct tensor *out, double value)
{
    uint64_t element = 0;
    struct tensor one = {.type = ir_type_of((enum ir_dtype)out->type.dtype, 0, NULL),
                         .data = &element};
    tensor_store_f64(&one, 0, value);
    return element;
}

bool eval_concat(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                 struct diag *d)
{
    (void)d;
    int64_t axis = op->attrs->concat.axis, outer = 1, inner = 1;
    for (int64_t k = 0; k < axis; k++)
        outer *= out->type.dim[k];
    for (int64_t k = axis + 1; k < out->type.rank; k++)
        inner *= out->type.dim[k];
    size_t elem = elem_of(out), at = 0;
    size_t pitch = (size_t)(out->type.dim[axis] * inner) * elem;
    for (uint32_t i = 0; i < op->n_in; i++) {
        size_t piece = (size_t)(in[i]->type.dim[axis] * inner) * elem;
        for (int64_t o = 0; o < outer && piece; o++)
            memcpy((char *)out->data + (size_t)o * pitch + at,
                   (const char *)in[i]->data + (size_t)o * piece, piece);
        at += piece;
    }
    return true;
}

bool eval_slice(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                struct diag *d)
{
    (void)d;
    const struct ir_attrs_slice *at = &op->attrs->slice;
    int64_t stride[IR_MAX_RANK];
    dense_strides(&in[0]->type, stride);
    struct grid g = grid_new(out->type.rank, out->type.dim);
    for (unsigned k = 0; k < g.rank; k++) {
        for (int64_t i = 0; i < g.dim[k]; i++)
            g.offset[k][i] = (at->start.at[k] + i * at->step.at[k]) * stride[k];
    }
    grid_copy(&g, elem_of(out), in[0]->data, NULL, out->data);
    grid_free(&g);
    return true;
}

/* out dimension k walks x along `stride[k]` */
static void copy_strided(const struct ir_type *out, const int64_t *stride, const struct tensor *x,
                         void *data)
{
    struct grid g = grid_new(out->rank, out->dim);
    for (unsigned k = 0; k < g.rank; k++)
        grid_linear(&g, k, stride[k]);
    grid_copy(&g, elem_of(x), x->data, NULL, data);
    grid_free(&g);
}

bool eval_transpose(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                    struct diag *d)
{
    (void)d;
    int64_t dense[IR_MAX_RANK], stride[IR_MAX_RANK];
    dense_strides(&in[0]->type, dense);
    for (unsigned k = 0; k < out->type.rank; k++)
        stride[k] = dense[op->attrs->transpose.perm.at[k]];
    copy_strided(&out->type, stride, in[0], out->data);
    return true;
}

/* x (h,w,c) as one sequence in the nesting order `from`. */
static struct tensor unroll(const struct tensor *x, enum ir_order from)
{
    const uint8_t *axes = ir_order_axes(from);
    int64_t dense[IR_MAX_RANK], dim[3], stride[3];
    dense_strides(&x->type, dense);
    for (unsigned k = 0; k < 3; k++) {
        dim[k] = x->type.dim[axes[k]];
        stride[k] = dense[axes[k]];
    }
    struct ir_type type = ir_type_of((enum ir_dtype)x->type.dtype, 3, dim);
    struct tensor sequence = tensor_new(&type);
    copy_strided(&type, stride, x, sequence.data);
    return sequence;
}

bool eval_reshape(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                  struct diag *d)
{
    (void)d;
    size_t bytes = (size_t)ir_count(&out->type) * elem_of(out);
    if (op->graph->stage != IR_CROSSBAR) {
        if (bytes)
            memcpy(out->data, in[0]->data, bytes);
        return true;
    }
    const uint8_t *to = ir_order_axes(op->attrs->reshape.to);
    struct tensor sequence = unroll(in[0], op->attrs->reshape.from);
    int64_t stride[3], step = 1;
    for (unsigned k = 3; k-- > 0;) {
        stride[to[k]] = step;
        step *= out->type.dim[to[k]];
    }
    copy_strided(&out->type, stride, &sequence, out->data);
    tensor_free(&sequence);
    return true;
}

/* Source of padded element i: itself, the nearest, the mirror image (the border itself is not
 * repeated; the verifier bounds such pads by the extent), or none. */
static int64_t padded_index(int64_t i, int64_t dim, enum ir_pad_mode mode)
{
    if (i >= 0 && i < dim)
        return i;
    if (mode == IR_PAD_EDGE)
        return i < 0 ? 0 : dim - 1;
    if (mode == IR_PAD_REFLECT)
        return i < 0 ? -i : 2 * (dim - 1) - i;
    return -1;
}

bool eval_pad(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
              struct diag *d)
{
    (void)d;
    const struct ir_attrs_pad *at = &op->attrs->pad;
    int64_t stride[IR_MAX_RANK];
    dense_strides(&in[0]->type, stride);
    struct grid g = grid_new(out->type.rank, out->type.dim);
    for (unsigned k = 0; k < g.rank; k++) {
        for (int64_t i = 0; i < g.dim[k]; i++) {
            int64_t from = padded_index(i - at->before.at[k], in[0]->type.dim[k], at->mode);
            g.offset[k][i] = from < 0 ? -1 : from * stride[k];
        }
    }
    uint64_t fill = fill_of(out, (double)at->value);
    grid_copy(&g, elem_of(out), in[0]->data, &fill, out->data);
    grid_free(&g);
    return true;
}

bool eval_gather_grid(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
                      struct diag *d)
{
    (void)d;
    const struct ir_attrs_gather_grid *at = &op->attrs->gather_grid;
    int64_t stride[IR_MAX_RANK];
    dense_strides(&in[0]->type, stride);
    struct grid g = grid_new(out->type.rank, out->type.dim);
    const int64_t *index = at->index.at;
    for (unsigned k = 0; k < g.rank; k++) {
        for (int64_t i = 0; i < g.dim[k]; i++, index++)
            g.offset[k][i] = *index < 0 ? -1 : *index * stride[k];
    }
    uint64_t fill = fill_of(out, (double)at->value);
    grid_copy(&g, elem_of(out), in[0]->data, &fill, out->data);
    grid_free(&g);
    return true;
}

/* Row-major distances of an operand that is repeated along dimensions of 1. */
static void repeated_strides(const struct ir_type *t, int64_t stride[IR_MAX_RANK])
{
    dense_strides(t, stride);
    for (unsigned k = 0; k < t->rank; k++)
        stride[k] = t->dim[k] == 1 ? 0 : stride[k];
}

bool eval_take(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
               struct diag *d)
{
    (void)d;
    const struct ir_attrs_take *attrs = &op->attrs->take;
    int64_t x_stride[IR_MAX_RANK], i_stride[IR_MAX_RANK], at[IR_MAX_RANK] = {0};
    repeated_strides(&in[0]->type, x_stride);
    repeated_strides(&in[1]->type, i_stride);
    int64_t step = x_stride[attrs->axis], extent = in[0]->type.dim[attrs->axis];
    int64_t x_at = 0, i_at = 0, n = ir_count(&out->type);
    size_t size = elem_of(out);
    uint64_t fill = fill_of(out, (double)attrs->value);
    x_stride[attrs->axis] = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t index = ((const int32_t *)in[1]->data)[i_at];
        index += index < 0 ? extent : 0;
        bool inside = index >= 0 && index < extent;
        memcpy((uint8_t *)out->data + (size_t)i * size,
               inside ? (const uint8_t *)in[0]->data + (size_t)(x_at + index * step) * size
                      : (const uint8_t *)&fill,
               size);
        for (unsigned k = out->type.rank; k-- > 0;) { /* odometer */
            x_at += x_stride[k];
            i_at += i_stride[k];
            if (++at[k] < out->type.dim[k])
                break;
            x_at -= x_stride[k] * at[k];
            i_at -= i_stride[k] * at[k];
            at[k] = 0;
        }
    }
    return true;
}
