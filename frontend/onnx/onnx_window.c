/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_window.c - windows over the spatial dimensions, of pools and convolutions: their attributes,
 * and any number of dimensions as two.
 *
 * auto_pad (SAME_UPPER, SAME_LOWER): out = ceil(in / stride), and the padding is
 * max((out - 1)*stride + (kernel - 1)*dilation + 1 - in, 0), its odd cell at the end for UPPER, at
 * the beginning for LOWER. VALID: none. ceil_mode becomes end padding: a last window that is cut
 * off by the end counts, unless it would begin beyond the input and its padding at the beginning.
 * Such extra cells never enter an average's divisor, stated pads do if count_include_pad says so.
 */
#include "onnx_node.h"

#include <string.h>

/* Beyond any image; keeps products of two such numbers inside 64 bits. */
static const int64_t MAX_CELLS = INT32_MAX;

/* ---- attributes ---- */

/* A list with `n_want` numbers in least..MAX_CELLS; absent = all `otherwise`. */
static bool read_list(struct onnx_node *n, const char *name, size_t n_want, int64_t least,
                      int64_t otherwise, int64_t *out)
{
    struct ir_ints list = onnx_attr_ints(n, name);
    if (n->failed)
        return false;
    if (list.n == 0) {
        for (size_t i = 0; i < n_want; i++)
            out[i] = otherwise;
        return true;
    }
    if (list.n != n_want)
        return onnx_error(n, "%s has %u numbers, not %zu", name, list.n, n_want);
    for (size_t i = 0; i < n_want; i++) {
        if (list.at[i] < least || list.at[i] > MAX_CELLS)
            return onnx_error(n, "%s holds %lld; %lld to %lld are supported", name,
                              (long long)list.at[i], (long long)least, (long long)MAX_CELLS);
        out[i] = list.at[i];
    }
    return true;
}

static bool read_kernel(struct onnx_node *n, size_t spatial, const int64_t *weights, int64_t *out)
{
    if (!weights && !onnx_has_attr(n, "kernel_shape"))
        return onnx_error(n, "has no kernel_shape");
    if (!read_list(n, "kernel_shape", spatial, 1, 0, out))
        return false;
    for (size_t i = 0; weights && i < spatial; i++) {
        if (out[i] == 0)
            out[i] = weights[i];
        if (out[i] != weights[i])
            return onnx_error(n, "kernel_shape says %lld where the weights have %lld",
                              (long long)out[i], (long long)weights[i]);
        if (out[i] < 1 || out[i] > MAX_CELLS)
            return onnx_error(n, "the weights have a kernel of %lld", (long long)out[i]);
    }
    return true;
}

/* Padding of one dimension under SAME. */
static void pad_same(struct onnx_span *s, int64_t in, unsigned mode)
{
    int64_t out = ceil_div_i64(in, s->stride), reach = (s->kernel - 1) * s->dilation + 1;
    int64_t total = max_i64((out - 1) * s->stride + reach - in, 0);
    s->before = mode == AUTO_PAD_SAME_UPPER ? total / 2 : total - total / 2;
    s->after = total - s->before;
}

bool onnx_read_window(struct onnx_node *n, const struct ir_type *x, const int64_t *weights,
                      struct onnx_window *out)
{
    unsigned mode;
    int64_t kernel[3], stride[3], dilation[3], pad[6];
    size_t spatial = x->rank - 2u, first = 3 - spatial;
    if (x->rank < 3 || x->rank > 5)
        return onnx_error(n, "an input of %u dimensions; 1 to 3 behind [N,C] are supported",
                          x->rank);
    if (!read_kernel(n, spatial, weights, kernel) ||
        !read_list(n, "strides", spatial, 1, 1, stride) ||
        !read_list(n, "dilations", spatial, 1, 1, dilation) ||
        !read_list(n, "pads", 2 * spatial, 0, 0, pad) ||
        !onnx_attr_choice(n, "auto_pad", CHOICES_auto_pad, &mode))
        return false;
    for (size_t a = 0; a < 3; a++)
        out->axis[a] = (struct onnx_span){.kernel = 1, .stride = 1, .dilation = 1};
    for (size_t i = 0; i < spatial; i++) {
        struct onnx_span *s = &out->axis[first + i];
        *s = (struct onnx_span){.kernel = kernel[i], .stride = stride[i], .dilation = dilation[i]};
        if (onnx_is_same(mode))
            pad_same(s, x->dim[2 + i], mode);
        else if (mode != AUTO_PAD_VALID)
            *s = (struct onnx_span){kernel[i], stride[i], dilation[i], pad[i], pad[spatial + i],
                                    0,         0};
        s->counted_before = s->before;
        s->counted_after = s->after;
    }
    return true;
}

struct onnx_plane onnx_plane(const struct onnx_window *w, enum onnx_planes which)
{
    static const struct onnx_span one = {.kernel = 1, .stride = 1, .dilation = 1};
    bool deep = which == ONNX_DEPTH;
    const struct onnx_span *r = deep ? &w->axis[0] : &w->axis[1], *c = deep ? &one : &w->axis[2];
    return (struct onnx_plane){
        {r->kernel, c->kernel},
        {r->stride, c->stride},
        {r->dilation, c->dilation},
        {r->before, c->before, r->after, c->after},
        {r->counted_before, c->counted_before, r->counted_after, c->counted_after}};
}

/* ---- any number of spatial dimensions as two ---- */

struct ir_value *onnx_to_2d(struct onnx_node *n, struct ir_value *x)
{
    if (!x || x->type.rank == 4)
        return x;
    const int64_t *d = x->type.dim;
    return x->type.rank == 3
               ? onnx_reshape(n, x, (const int64_t[]){d[0], d[1], 1, d[2]}, 4, false)
               : onnx_reshape(n, x, (const int64_t[]){d[0], d[1] * d[2], d[3], d[4]}, 4, false);
}

struct ir_value *onnx_from_2d(struct onnx_node *n, struct ir_value *v, const struct ir_value *x)
{
    if (!v || x->type.rank == 4)
        return v;
    const int64_t *d = v->type.dim, *from = x->type.dim;
    return x->type.rank == 3
               ? onnx_reshape(n, v, (const int64_t[]){d[0], d[1], d[3]}, 3, false)
               : onnx_reshape(n, v, (const int64_t[]){d[0], from[1], from[2], d[2], d[3]}, 5,
                              false);
}
