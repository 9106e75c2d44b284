/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_conv.c - convolution in ONNX layout, tap by tap: for each kernel tap one matrix product over
 * the input channels, added into the output. Window matrices are never built.
 *
 * A tap at stride s reads every s-th row and column, so the zero-padded input is first split into
 * its s x s phases; within a phase the tap's pixels lie side by side. Output rows are computed at
 * the phase's pitch in one product, junk columns included, and cut out afterwards.
 */
#include "eval_internal.h"

#include "base/gemm.h"

#include <stdlib.h>
#include <string.h>

/* One image of one group. */
struct conv {
    int64_t c, h, w;   /* input channels of the group, input size */
    int64_t o, oh, ow; /* output channels of the group, output size */
    int64_t kernel[2], stride[2], dilation[2], pad[2];
    int64_t plane_h, plane_w, plane_step; /* of a phase; distance between its channels */
    const float *x;
    const float *weights; /* [tap][o][c] */
    float *wide;          /* [o][oh][plane_w] */
    bool direct;          /* x serves as its own phase */
};

static int64_t phase_extent(const struct conv *v, int axis, int64_t out)
{
    return (v->kernel[axis] - 1) * v->dilation[axis] / v->stride[axis] + out;
}

/* Is tap k the first of this axis in its phase? */
static bool opens_phase(const struct conv *v, int axis, int64_t k)
{
    int64_t phase = k * v->dilation[axis] % v->stride[axis];
    for (int64_t earlier = 0; earlier < k; earlier++) {
        if (earlier * v->dilation[axis] % v->stride[axis] == phase)
            return false;
    }
    return true;
}

/* plane[c][i][j] = padded x[c][i*stride + phase][j*stride + phase] */
static void fill_plane(const struct conv *v, const int64_t phase[2], float *plane)
{
    memset(plane, 0, (size_t)(v->c * v->plane_step) * sizeof *plane);
    for (int64_t c = 0; c < v->c; c++) {
        for (int64_t i = 0; i < v->plane_h; i++) {
            int64_t y = i * v->stride[0] + phase[0] - v->pad[0];
            if (y < 0 || y >= v->h)
                continue;
            const float *from = v->x + (c * v->h + y) * v->w;
            float *to = plane + c * v->plane_step + i * v->plane_w;
            for (int64_t j = 0; j < v->plane_w; j++) {
                int64_t x = j * v->stride[1] + phase[1] - v->pad[1];
                if (x >= 0 && x < v->w)
                    to[j] = from[x];
            }
        }
    }
}

/* Adds the taps of one phase. */
static void add_taps(const struct conv *v, const int64_t phase[2], const float *plane)
{
    int64_t pixels = (v->oh - 1) * v->plane_w + v->ow;
    for (int64_t tap = 0; tap < v->kernel[0] * v->kernel[1]; tap++) {
        int64_t y = tap / v->kernel[1] * v->dilation[0], x = tap % v->kernel[1] * v->dilation[1];
        if (y % v->stride[0] != phase[0] || x % v->stride[1] != phase[1])
            continue;
        const float *from = plane + y / v->stride[0] * v->plane_w + x / v->stride[1];
        gemm_f32(v->o, pixels, v->c, v->weights + tap * v->o * v->c, v->c, from, v->plane_step,
                 v->wide, v->oh * v->plane_w, true);
    }
}

/* Adds all taps, phase by phase; phases without a tap are passed over, however large the stride. */
static void add_phases(const struct conv *v, float *plane)
{
    for (int64_t kh = 0; kh < v->kernel[0]; kh++) {
        for (int64_t kw = 0; kw < v->kernel[1]; kw++) {
            if (!opens_phase(v, 0, kh) || !opens_phase(v, 1, kw))
                continue;
            int64_t phase[2] = {kh * v->dilation[0] % v->stride[0],
                                kw * v->dilation[1] % v->stride[1]};
            if (plane)
                fill_plane(v, phase, plane);
            add_taps(v, phase, plane ? plane : v->x);
        }
    }
}

static void run_group(const struct conv *v, float *out)
{
    float *plane = v->direct ? NULL : heap_alloc((size_t)(v->c * v->plane_step) * sizeof *plane);
    memset(v->wide, 0, (size_t)(v->o * v->oh * v->plane_w) * sizeof *v->wide);
    add_phases(v, plane);
    for (int64_t row = 0; row < v->o * v->oh; row++)
        memcpy(out + row * v->ow, v->wide + row * v->plane_w, (size_t)v->ow * sizeof *out);
    heap_free(plane);
}

/* Sizes of phases; false if they pass the limit (a huge dilation over huge padding). */
static bool plan_planes(struct conv *v)
{
    v->plane_h = phase_extent(v, 0, v->oh);
    v->plane_w = phase_extent(v, 1, v->ow);
    v->direct = v->stride[0] == 1 && v->stride[1] == 1 && v->pad[0] == 0 && v->pad[1] == 0 &&
                v->h >= v->plane_h && v->w >= v->plane_w;
    if (v->direct) { /* unpadded at stride 1, the input is its own only phase */
        v->plane_h = v->h;
        v->plane_w = v->w;
    }
    int64_t bytes = (int64_t)sizeof(float);
    return mul_i64(v->plane_h, v->plane_w, &v->plane_step) &&
           value_fits(v->plane_step, v->c, bytes) && value_fits(v->plane_w, v->o * v->oh, bytes);
}

/* [o][c][tap] -> [tap][o][c] */
static const float *order_weights(const float *w, int64_t rows, int64_t taps, float *out)
{
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t tap = 0; tap < taps; tap++)
            out[tap * rows + row] = w[row * taps + tap];
    }
    return out;
}

static void add_bias(const struct tensor *bias, struct tensor *out)
{
    int64_t channels = out->type.dim[1], pixels = out->type.dim[2] * out->type.dim[3];
    for (int64_t plane = 0; plane < out->type.dim[0] * channels; plane++) {
        float b = tensor_f32(bias)[plane % channels], *at = tensor_f32(out) + plane * pixels;
        for (int64_t i = 0; i < pixels; i++)
            at[i] += b;
    }
}

bool eval_conv(const struct ir_op *op, const struct tensor *const *in, struct tensor *out,
               struct diag *d)
{
    if (in[0]->type.dtype == IR_U8)
        return integer_conv(op, in, out, d);
    if (!want_f32(op, in, d))
        return false;
    const struct ir_attrs_conv *at = &op->attrs->conv;
    const int64_t *x = in[0]->type.dim, *y = out->type.dim;
    if (ir_count(&out->type) == 0)
        return true;
    struct conv v = {
        .c = x[1] / at->group, .h = x[2], .w = x[3], .o = y[1] / at->group, .oh = y[2], .ow = y[3]};
    memcpy(v.kernel, at->kernel, sizeof v.kernel);
    memcpy(v.stride, at->stride, sizeof v.stride);
    memcpy(v.dilation, at->dilation, sizeof v.dilation);
    memcpy(v.pad, at->pad, sizeof v.pad);
    if (!plan_planes(&v))
        return diag_error(d, op->loc, DIAG_CAPACITY, "conv: the padded input is too large");
    int64_t taps = at->kernel[0] * at->kernel[1], group_weights = v.o * v.c * taps;
    /* A single tap is in order already. */
    float *ordered = taps > 1 ? heap_alloc((size_t)group_weights * sizeof *ordered) : NULL;
    v.wide = heap_alloc((size_t)(v.o * v.oh * v.plane_w) * sizeof *v.wide);
    for (int64_t g = 0; g < at->group; g++) {
        v.weights = tensor_f32(in[1]) + g * group_weights;
        if (ordered)
            v.weights = order_weights(v.weights, v.o * v.c, taps, ordered);
        for (int64_t n = 0; n < x[0]; n++) {
            v.x = tensor_f32(in[0]) + (n * at->group + g) * v.c * v.h * v.w;
            run_group(&v, tensor_f32(out) + (n * at->group + g) * v.o * v.oh * v.ow);
        }
    }
    heap_free(v.wide);
    heap_free(ordered);
    if (op->n_in == 3)
        add_bias(in[2], out);
    return true;
}
