/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* import_conv.c - base layers: Conv, Gemm, MatMul. */
#include "onnx_node.h"

#include <string.h>

static int64_t reach_of(const struct onnx_span *s)
{
    return (s->kernel - 1) * s->dilation + 1;
}

/*
 * A convolution over three dimensions is one over rows and columns of images that hold the planes
 * of a window as channels: [N,C,D,H,W] -> [N*OD,C*KD,H,W], channel c*KD + kd of image od is plane
 * od*stride + kd*dilation of channel c. The weights [O,C,KD,KH,KW] are [O,C*KD,KH,KW] as they lie.
 */
static struct ir_value *planes_as_channels(struct onnx_node *n, struct ir_value *x,
                                           const struct onnx_span *depth)
{
    int64_t reach = reach_of(depth), before[5] = {0}, after[5] = {0};
    union ir_attrs pad = {.pad = {.before = {5, before}, .after = {5, after}}};
    struct ir_value *plane[256];
    before[2] = depth->before;
    after[2] = depth->after;
    if (before[2] || after[2])
        x = onnx_helper1(n, IR_pad, &pad, x);
    if (!x || depth->kernel > (int64_t)(sizeof plane / sizeof *plane) || x->type.dim[2] < reach) {
        if (x)
            onnx_error(n, "a kernel %lld deep; at most 256 and the input's depth are supported",
                       (long long)reach);
        return NULL;
    }
    const int64_t *d = x->type.dim, out = (d[2] - reach) / depth->stride + 1;
    for (int64_t k = 0; k < depth->kernel; k++) {
        const int64_t start[] = {0, 0, k * depth->dilation, 0, 0};
        const int64_t step[] = {1, 1, depth->stride, 1, 1};
        const int64_t count[] = {d[0], d[1], out, d[3], d[4]};
        plane[k] = onnx_slice(n, x, start, step, count, false);
    }
    const int64_t to_batch[] = {0, 2, 1, 3, 4}, c = d[1] * depth->kernel;
    /* [N,C*OD,...] side by side in dimension 2 is [N,C,KD*OD,H,W]. */
    struct ir_value *v = onnx_concat(n, plane, (size_t)depth->kernel, 2, false);
    v = onnx_reshape(n, v, (const int64_t[]){d[0], c, out, d[3], d[4]}, 5, false);
    v = onnx_transpose(n, v, to_batch, false);
    return onnx_reshape(n, v, (const int64_t[]){d[0] * out, c, d[3], d[4]}, 4, false);
}

/* [N*OD,O,H,W] -> [N,O,OD,H,W] */
static struct ir_value *images_as_planes(struct onnx_node *n, struct ir_value *v,
                                         const struct ir_type *x, const struct onnx_span *depth)
{
    if (!v)
        return NULL;
    int64_t padded = x->dim[2] + depth->before + depth->after;
    int64_t out = (padded - reach_of(depth)) / depth->stride + 1;
    const int64_t *d = v->type.dim, dims[] = {x->dim[0], out, d[1], d[2], d[3]};
    return onnx_transpose(n, onnx_reshape(n, v, dims, 5, false), (const int64_t[]){0, 2, 1, 3, 4},
                          false);
}

/* Weights of one 1-D convolution gain a kernel row, [O,C,L] -> [O,C,1,L], as its input. */
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
    struct onnx_plane plane = onnx_plane(&win, ONNX_ROWS_AND_COLUMNS);
    union ir_attrs attrs = {.conv = {.group = group}};
    memcpy(attrs.conv.kernel, plane.kernel, sizeof plane.kernel);
    memcpy(attrs.conv.stride, plane.stride, sizeof plane.stride);
    memcpy(attrs.conv.dilation, plane.dilation, sizeof plane.dilation);
    memcpy(attrs.conv.pad, plane.pad, sizeof plane.pad);
    bool deep = x->type.rank == 5;
    struct ir_value *in[] = {deep ? planes_as_channels(n, x, &win.axis[0]) : onnx_to_2d(n, x),
                             onnx_to_2d(n, w), bias};
    struct ir_value *v = onnx_emit(n, IR_conv, &attrs, in, bias ? 3 : 2);
    onnx_note_weights(n, v, weights,
                      arena_printf(n->im->arena, "groups %lld;%s", (long long)group, variant));
    return deep ? images_as_planes(n, v, &x->type, &win.axis[0]) : onnx_from_2d(n, v, x);
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
    int64_t perm[IR_MAX_RANK];
    if (!x)
        return NULL;
    int rank = x->type.rank;
    if (rank < 2) {
        onnx_error(n, "a matrix has %d dimensions", rank);
        return NULL;
    }
    for (int i = 0; i < rank; i++)
        perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return onnx_transpose(n, x, perm, false);
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

struct ir_value *onnx_gemm(struct onnx_node *n)
{
    struct ir_value *a = onnx_in(n, 0), *b = onnx_in(n, 1), *c = NULL;
    if (!a || !b || (onnx_has_in(n, 2) && !(c = onnx_in(n, 2))))
        return NULL;
    if (a->type.rank != 2 || b->type.rank != 2) {
        onnx_error(n, "A and B have %u and %u dimensions, not 2", a->type.rank, b->type.rank);
        return NULL;
    }
    onnx_ignore_attr(n, "broadcast"); /* of C, before opset 7 */
    float alpha = onnx_attr_f32(n, "alpha", 1), beta = onnx_attr_f32(n, "beta", 1);
    bool across[] = {onnx_attr_i64(n, "transA", 0) != 0, onnx_attr_i64(n, "transB", 0) != 0};
    struct ir_value *ab[] = {a, onnx_integer_weights(n, b)};
    struct ir_value *v = scaled(n, onnx_product(n, ab, across, 1, ""), alpha);
    if (!c || beta == 0 || !v)
        return v;
    struct ir_type product = v->type;
    v = onnx_helper2(n, IR_add, v, scaled(n, c, beta));
    if (!v || ir_type_equal(&product, &v->type))
        return v;
    onnx_error(n, "C does not broadcast to the product");
    return NULL;
}

bool import_gemm(struct onnx_node *n)
{
    return onnx_set_out(n, 0, onnx_gemm(n));
}

bool import_matmul(struct onnx_node *n)
{
    struct ir_value *ab[] = {onnx_in(n, 0), onnx_integer_weights(n, onnx_in(n, 1))};
    return onnx_set_out(n, 0, onnx_product(n, ab, (const bool[]){false, false}, 1, ""));
}

/* com.microsoft: alpha * A' * B' */
bool import_fused_matmul(struct onnx_node *n)
{
    float alpha = onnx_attr_f32(n, "alpha", 1);
    bool across[] = {onnx_attr_i64(n, "transA", 0) != 0, onnx_attr_i64(n, "transB", 0) != 0};
    if (onnx_attr_i64(n, "transBatchA", 0) != 0 || onnx_attr_i64(n, "transBatchB", 0) != 0)
        return onnx_error(n, "transBatchA and transBatchB are not supported");
    struct ir_value *ab[] = {onnx_in(n, 0), onnx_integer_weights(n, onnx_in(n, 1))};
    return onnx_set_out(n, 0, scaled(n, onnx_product(n, ab, across, 1, ""), alpha));
}
