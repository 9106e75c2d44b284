/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * export_transposed.c - overlap_add, the second half of a transposed convolution.
 *
 * Behind the 1x1 convolution that it was imported as, the two are ConvTranspose again; the weights
 * [G*taps*M, C, 1, 1] become [G*C, M, KH, KW] by nodes that runtimes fold. Blocks side by side are
 * DepthToSpace. What is neither is gathered and summed, rows and then columns.
 */
#include "onnx_exporter.h"

#include <stdlib.h>

/* ConvTranspose of x with weights w, in `group` groups; it has no negative padding. */
static bool spread(struct onnx_exporter *e, const struct ir_op *op, const char *name, const char *x,
                   const char *w, int64_t group)
{
    const struct ir_attrs_overlap_add *at = &op->attrs->overlap_add;
    int64_t crop[4], pads[8] = {0};
    bool grows = false;
    for (int i = 0; i < 4; i++) {
        crop[i] = max_i64(at->pad[i], 0);
        pads[i / 2 * 4 + 2 + i % 2] = max_i64(-at->pad[i], 0);
        grows = grows || at->pad[i] < 0;
    }
    const struct export_node n = {
        "ConvTranspose", EXPORT_IN(x, w),
        .attrs = {INTS_ATTR("dilations", at->dilation, 2), INT_ATTR("group", group),
                  INTS_ATTR("kernel_shape", at->kernel, 2), INTS_ATTR("pads", crop, 4),
                  INTS_ATTR("strides", at->stride, 2)}};
    if (!grows)
        return export_named(e, op, name, &n);
    const struct export_node pad = {
        "Pad", EXPORT_IN(export_helper(e, op, &n), export_list(e, pads, 8)), .attrs = {{0}}};
    return export_named(e, op, name, &pad);
}

/* ---- behind its convolution ---- */

/* Does channel (tap*G + g)*m + k come from channel (g*taps + tap)*m + k, and nothing else move? */
static bool puts_taps_first(const struct ir_op *op, int64_t group, int64_t taps)
{
    const struct ir_attrs_gather_grid *at = &op->attrs->gather_grid;
    const struct ir_type *x = &op->in[0].value->type;
    const int64_t *index = at->index.at;
    int64_t m = x->dim[1] / group / taps;
    for (uint32_t d = 0; d < at->count.n; index += at->count.at[d++]) {
        if (at->count.at[d] != x->dim[d])
            return false;
        for (int64_t i = 0; i < x->dim[d]; i++) {
            int64_t from = (i / m % group * taps + i / m / group) * m + i % m;
            if (index[i] != (d == 1 ? from : i))
                return false;
        }
    }
    return true;
}

/* The convolution that makes the taps, or NULL. */
static const struct ir_op *maker(const struct ir_op *op, int64_t taps)
{
    const struct ir_op *conv = op->in[0].value->def, *moved = NULL;
    if (conv->opcode == IR_gather_grid && ir_has_one_use(conv->out)) {
        moved = conv;
        conv = conv->in[0].value->def;
    }
    const struct ir_attrs_conv *at = &conv->attrs->conv;
    if (conv->opcode != IR_conv || conv->n_in != 2 || !ir_has_one_use(conv->out) ||
        at->kernel[0] != 1 || at->kernel[1] != 1 || at->stride[0] != 1 || at->stride[1] != 1 ||
        at->pad[0] || at->pad[1] || at->pad[2] || at->pad[3] ||
        conv->out->type.dim[1] % (at->group * taps))
        return NULL;
    bool plain = at->group == 1 || taps == 1;
    return (plain ? !moved : moved && puts_taps_first(moved, at->group, taps)) ? conv : NULL;
}

static bool transposed(struct onnx_exporter *e, const struct ir_op *op, const struct ir_op *conv,
                       int64_t taps)
{
    static const int64_t perm[] = {0, 3, 2, 1};
    const struct ir_attrs_overlap_add *at = &op->attrs->overlap_add;
    int64_t g = conv->attrs->conv.group, m = conv->out->type.dim[1] / g / taps,
            c = conv->in[1].value->type.dim[1];
    const int64_t apart[] = {g, taps, m, c}, whole[] = {g * c, m, at->kernel[0], at->kernel[1]};
    const char *w =
        export_helper2(e, op, "Reshape", export_in(e, conv, 1), export_list(e, apart, 4));
    const struct export_node turn = {"Transpose", EXPORT_IN(w),
                                     .attrs = {INTS_ATTR("perm", perm, 4)}};
    w = export_helper2(e, op, "Reshape", export_helper(e, op, &turn), export_list(e, whole, 4));
    return spread(e, op, *conv->name ? conv->name : op->name, export_in(e, conv, 0), w, g);
}

/* ---- without one ---- */

static bool is_blocks(const struct ir_attrs_overlap_add *at)
{
    bool fits = at->kernel[0] == at->kernel[1];
    for (int i = 0; i < 2; i++)
        fits = fits && at->stride[i] == at->kernel[i] && !at->pad[i] && !at->pad[2 + i] &&
               (at->dilation[i] == 1 || at->kernel[i] == 1);
    return fits;
}

/* Along one axis, [out, kernel]: which row (or column) of which tap comes there, taps one after the
 * other; none is the one behind them all. */
static const char *sources(struct onnx_exporter *e, const struct ir_attrs_overlap_add *at, int axis,
                           int64_t in, int64_t out)
{
    int64_t kernel = at->kernel[axis], stride = at->stride[axis];
    const int64_t dims[] = {out, kernel};
    int64_t *index = heap_alloc((size_t)(out * kernel) * sizeof *index);
    for (int64_t i = 0; i < out * kernel; i++) {
        int64_t tap = i % kernel, from = i / kernel + at->pad[axis] - tap * at->dilation[axis];
        bool is_there = from >= 0 && from % stride == 0 && from / stride < in;
        index[i] = is_there ? tap * in + from / stride : kernel * in;
    }
    const char *name = export_small(e, IR_I64, 2, dims, index);
    heap_free(index);
    return name;
}

/* One axis of x [N, K*C, H, W], of `kernel` = K taps: [N, C, .., K*in, ..], one 0 behind, out of it
 * the taps of each element of the result, and their sum. */
static const char *laid_along(struct onnx_exporter *e, const struct ir_op *op, const char *x,
                              const int64_t *d, int axis, int64_t out)
{
    const struct ir_attrs_overlap_add *at = &op->attrs->overlap_add;
    int64_t k = at->kernel[axis], in = d[2 + axis], taps = 3 + axis;
    const int64_t rows[] = {0, 2, 1, 3, 4}, columns[] = {0, 2, 3, 1, 4};
    const int64_t apart[] = {d[0], k, d[1] / k, d[2], d[3]};
    const int64_t joined[] = {d[0], d[1] / k, axis ? d[2] : k * in, axis ? k * in : d[3]};
    const int64_t pads[] = {0, 0, 0, 0, 0, 0, !axis, axis};
    const char *v = export_helper2(e, op, "Reshape", x, export_list(e, apart, 5));
    const struct export_node turn = {"Transpose", EXPORT_IN(v),
                                     .attrs = {INTS_ATTR("perm", axis ? columns : rows, 5)}};
    v = export_helper2(e, op, "Reshape", export_helper(e, op, &turn), export_list(e, joined, 4));
    v = export_helper2(e, op, "Pad", v, export_list(e, pads, 8));
    const struct export_node gather = {"Gather", EXPORT_IN(v, sources(e, at, axis, in, out)),
                                       .attrs = {INT_ATTR("axis", 2 + axis)}};
    const struct export_node sum = {
        "ReduceSum", EXPORT_IN(export_helper(e, op, &gather), export_list(e, &taps, 1)),
        .attrs = {INT_ATTR("keepdims", 0)}};
    return export_helper(e, op, &sum);
}

/* Of one axis; and padding, which two ends may take from one another. */
static const int64_t MOST_SOURCES = (int64_t)1 << 24, MOST_PADDING = (int64_t)1 << 40;

static bool is_padded_far(const int64_t pad[4])
{
    bool far = false;
    for (int i = 0; i < 4; i++)
        far = far || pad[i] > MOST_PADDING || pad[i] < -MOST_PADDING;
    return far;
}

/* Rows first, then columns. */
static bool laid_over(struct onnx_exporter *e, const struct ir_op *op)
{
    const int64_t *x = op->in[0].value->type.dim, *y = op->out->type.dim;
    const int64_t *kernel = op->attrs->overlap_add.kernel;
    int64_t n[2];
    for (int i = 0; i < 2; i++)
        if (!mul_i64(y[2 + i], kernel[i], &n[i]) || n[i] > MOST_SOURCES)
            return export_refuse(e, op, "its windows have too many cells");
    const int64_t half[] = {x[0], x[1] / kernel[0], y[2], x[3]};
    const char *v = laid_along(e, op, export_in(e, op, 0), x, 0, y[2]);
    const struct export_node same = {"Identity", EXPORT_IN(laid_along(e, op, v, half, 1, y[3])),
                                     .attrs = {{0}}};
    return export_result(e, op, &same);
}

bool export_overlap_add(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    const struct ir_attrs_overlap_add *at = &op->attrs->overlap_add;
    int64_t taps = at->kernel[0] * at->kernel[1];
    const struct ir_op *conv = maker(op, taps);
    if (is_padded_far(at->pad))
        return export_refuse(e, op, "its padding is more than 2^40");
    if (conv)
        return transposed(e, op, conv, taps);
    const struct export_node blocks = {
        "DepthToSpace", EXPORT_IN(export_in(e, op, 0)),
        .attrs = {INT_ATTR("blocksize", at->kernel[0]), STRING_ATTR("mode", "DCR")}};
    return is_blocks(at) ? export_result(e, op, &blocks) : laid_over(e, op);
}
