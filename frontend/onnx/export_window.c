/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * export_window.c - pools, reductions, norms.
 *
 * ONNX's pools divide by a whole window or by what it covers of the input, and runtimes want less
 * padding than the kernel is long. Windows that this does not describe are gathered, rows and then
 * columns, and summed.
 */
#include "onnx_exporter.h"

#include <math.h>
#include <stdlib.h>

/* ---- padding ---- */

/* x [N,C,H,W] with `value` around its rows and columns. */
static const char *padded(struct onnx_exporter *e, const struct ir_op *op, const char *x,
                          enum ir_dtype dtype, const int64_t pad[4], double value)
{
    const int64_t pads[] = {0, 0, pad[0], pad[1], 0, 0, pad[2], pad[3]};
    const struct export_node n = {
        "Pad", EXPORT_IN(x, export_list(e, pads, 8), export_number(e, dtype, value)),
        .attrs = {{0}}};
    return pad[0] || pad[1] || pad[2] || pad[3] ? export_helper(e, op, &n) : x;
}

static bool is_less_than_kernel(const int64_t pad[4], const int64_t kernel[2])
{
    return pad[0] < kernel[0] && pad[1] < kernel[1] && pad[2] < kernel[0] && pad[3] < kernel[1];
}

/* ---- pools ---- */

bool export_max_pool(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    static const int64_t none[4];
    const struct ir_attrs_max_pool *at = &op->attrs->max_pool;
    enum ir_dtype dtype = (enum ir_dtype)op->out->type.dtype;
    bool fits = is_less_than_kernel(at->pad, at->kernel);
    const char *x = export_in(e, op, 0);
    if (!fits)
        x = padded(e, op, x, dtype, at->pad,
                   dtype == IR_U8   ? 0
                   : dtype == IR_I8 ? INT8_MIN
                                    : (double)-INFINITY);
    const struct export_node n = {type, EXPORT_IN(x),
                                  .attrs = {INTS_ATTR("dilations", at->dilation, 2),
                                            INTS_ATTR("kernel_shape", at->kernel, 2),
                                            INTS_ATTR("pads", fits ? at->pad : none, 4),
                                            INTS_ATTR("strides", at->stride, 2)}};
    return export_result(e, op, &n);
}

/* Does AveragePool divide by the same numbers? */
static bool is_plain_mean(const struct ir_attrs_avg_pool *at)
{
    bool plain =
        at->dilation[0] == 1 && at->dilation[1] == 1 && is_less_than_kernel(at->pad, at->kernel);
    for (int i = 0; i < 4; i++)
        plain = plain && (!at->count_pad || at->counted[i] == at->pad[i]);
    return plain;
}

/* Along one axis, [out, kernel]: which element of the padded input each tap of each window is. */
static const char *taps(struct onnx_exporter *e, const struct ir_attrs_avg_pool *at, int axis,
                        int64_t out)
{
    const int64_t dims[] = {out, at->kernel[axis]};
    int64_t *index = heap_alloc((size_t)(out * at->kernel[axis]) * sizeof *index);
    for (int64_t i = 0; i < out; i++)
        for (int64_t k = 0; k < at->kernel[axis]; k++)
            index[i * at->kernel[axis] + k] = i * at->stride[axis] + k * at->dilation[axis];
    const char *name = export_small(e, IR_I64, 2, dims, index);
    heap_free(index);
    return name;
}

/* How many taps of window i count, along one axis of `in` elements. */
static int64_t counted_taps(const struct ir_attrs_avg_pool *at, int axis, int64_t in, int64_t i)
{
    int64_t n = 0, before = at->count_pad ? at->counted[axis] : 0,
            after = at->count_pad ? at->counted[axis + 2] : 0;
    for (int64_t k = 0; k < at->kernel[axis]; k++) {
        int64_t x = i * at->stride[axis] + k * at->dilation[axis] - at->pad[axis];
        n += x >= -before && x < in + after;
    }
    return n;
}

/* [OH, OW] */
static const char *cells(struct onnx_exporter *e, const struct ir_attrs_avg_pool *at,
                         const int64_t *in, const int64_t *out)
{
    float *n = heap_alloc((size_t)(out[0] * out[1]) * sizeof *n);
    for (int64_t x = 0; x < out[1]; x++)
        n[x] = (float)counted_taps(at, 1, in[1], x);
    for (int64_t y = out[0] - 1; y >= 0; y--) { /* row 0, which all are made of, last */
        float rows = (float)counted_taps(at, 0, in[0], y);
        for (int64_t x = 0; x < out[1]; x++)
            n[y * out[1] + x] = n[x] * rows;
    }
    const char *name = export_small(e, IR_F32, 2, out, n);
    heap_free(n);
    return name;
}

/* The taps of a plane are numbers of a file: of no more than this. */
static const int64_t MOST_TAPS = (int64_t)1 << 24;

/* x [N,C,H,W] -> [N,C,OH,KH,OW,KW], of which KH and KW are summed. */
static bool gathered_mean(struct onnx_exporter *e, const struct ir_op *op, const char *x)
{
    static const int64_t window[] = {3, 5};
    const struct ir_attrs_avg_pool *at = &op->attrs->avg_pool;
    const int64_t *in = op->in[0].value->type.dim + 2, *out = op->out->type.dim + 2;
    int64_t rows, columns;
    if (!mul_i64(out[0], at->kernel[0], &rows) || rows > MOST_TAPS ||
        !mul_i64(out[1], at->kernel[1], &columns) || columns > MOST_TAPS ||
        out[0] * out[1] > MOST_TAPS)
        return export_refuse(e, op, "its windows have too many cells");
    x = padded(e, op, x, IR_F32, at->pad, 0);
    const struct export_node y = {"Gather", EXPORT_IN(x, taps(e, at, 0, out[0])),
                                  .attrs = {INT_ATTR("axis", 2)}};
    const struct export_node xs = {"Gather",
                                   EXPORT_IN(export_helper(e, op, &y), taps(e, at, 1, out[1])),
                                   .attrs = {INT_ATTR("axis", 4)}};
    const struct export_node sum = {"ReduceSum",
                                    EXPORT_IN(export_helper(e, op, &xs), export_list(e, window, 2)),
                                    .attrs = {INT_ATTR("keepdims", 0)}};
    const struct export_node mean = {
        "Div", EXPORT_IN(export_helper(e, op, &sum), cells(e, at, in, out)), .attrs = {{0}}};
    return export_result(e, op, &mean);
}

bool export_avg_pool(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct ir_attrs_avg_pool *at = &op->attrs->avg_pool;
    enum ir_dtype from = (enum ir_dtype)op->in[0].value->type.dtype;
    const char *x = export_cast(e, op, export_in(e, op, 0), from, IR_F32);
    if (!is_plain_mean(at))
        return gathered_mean(e, op, x);
    const struct export_node n = {type, EXPORT_IN(x),
                                  .attrs = {INT_ATTR("count_include_pad", at->count_pad),
                                            INTS_ATTR("kernel_shape", at->kernel, 2),
                                            INTS_ATTR("pads", at->pad, 4),
                                            INTS_ATTR("strides", at->stride, 2)}};
    return export_result(e, op, &n);
}

/* ---- reductions, norms ---- */

bool export_reduce(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    const struct ir_attrs_reduce *at = &op->attrs->reduce;
    enum ir_dtype from = (enum ir_dtype)op->in[0].value->type.dtype;
    const char *x = export_in(e, op, 0);
    const struct export_node most = {"ReduceMax", EXPORT_IN(x),
                                     .attrs = {INTS_ATTR("axes", at->axes.at, at->axes.n)}};
    if (at->kind == IR_REDUCE_MAX)
        return export_result(e, op, &most);
    const struct export_node sum = {
        "ReduceSum",
        EXPORT_IN(export_cast(e, op, x, from, (enum ir_dtype)op->out->type.dtype),
                  export_list(e, at->axes.at, at->axes.n)),
        .attrs = {{0}}};
    return export_result(e, op, &sum);
}

/* (x - m) / sqrt(mean((x - m)^2) + epsilon), as exporters write it before opset 17. */
bool export_layer_norm(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    const struct ir_attrs_layer_norm *at = &op->attrs->layer_norm;
    struct export_node mean = {"ReduceMean", EXPORT_IN(export_in(e, op, 0)),
                               .attrs = {INTS_ATTR("axes", at->axes.at, at->axes.n)}};
    const char *d = export_helper2(e, op, "Sub", export_in(e, op, 0), export_helper(e, op, &mean));
    const char *square = export_helper2(e, op, "Mul", d, d);
    mean.in = &square;
    const char *v = export_helper2(e, op, "Add", export_helper(e, op, &mean),
                                   export_number(e, IR_F32, (double)at->epsilon));
    const struct export_node n = {"Div", EXPORT_IN(d, export_helper1(e, op, "Sqrt", v)),
                                  .attrs = {{0}}};
    return export_result(e, op, &n);
}

bool export_softmax(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    const struct export_node n = {type, EXPORT_IN(export_in(e, op, 0)),
                                  .attrs = {INT_ATTR("axis", op->attrs->softmax.axis)}};
    return export_result(e, op, &n);
}
