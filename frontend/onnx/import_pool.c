/*
 * import_pool.c - windows over the spatial dimensions: their attributes (shared with Conv),
 * MaxPool, AveragePool, LpPool.
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
static void same_pad(const struct onnx_window *w, int axis, int64_t in, unsigned mode,
                     int64_t *before, int64_t *after)
{
    int64_t out = ceil_div_i64(in, w->stride[axis]);
    int64_t reach = (w->kernel[axis] - 1) * w->dilation[axis] + 1;
    int64_t total = max_i64((out - 1) * w->stride[axis] + reach - in, 0);
    *before = mode == AUTO_PAD_SAME_UPPER ? total / 2 : total - total / 2;
    *after = total - *before;
}

/* Moves what was read for one dimension from the place of rows to that of columns. */
static void widen(struct onnx_window *w)
{
    w->kernel[1] = w->kernel[0];
    w->stride[1] = w->stride[0];
    w->dilation[1] = w->dilation[0];
    w->kernel[0] = w->stride[0] = w->dilation[0] = 1;
    w->pad[3] = w->pad[1]; /* [begin, end] -> [0, begin, 0, end] */
    w->pad[1] = w->pad[0];
    w->pad[0] = w->pad[2] = 0;
}

bool onnx_read_window(struct onnx_node *n, const struct ir_type *x, const int64_t *weights,
                      struct onnx_window *out)
{
    unsigned mode;
    size_t spatial = x->rank - 2u;
    *out = (struct onnx_window){0};
    if (x->rank != 3 && x->rank != 4)
        return onnx_error(n, "an input of %u dimensions; [N,C,L] and [N,C,H,W] are supported",
                          x->rank);
    if (!read_kernel(n, spatial, weights, out->kernel) ||
        !read_list(n, "strides", spatial, 1, 1, out->stride) ||
        !read_list(n, "dilations", spatial, 1, 1, out->dilation) ||
        !read_list(n, "pads", 2 * spatial, 0, 0, out->pad) ||
        !onnx_attr_choice(n, "auto_pad", CHOICES_auto_pad, &mode))
        return false;
    if (spatial == 1)
        widen(out);
    if (mode == AUTO_PAD_VALID)
        memset(out->pad, 0, sizeof out->pad);
    for (int axis = 0; axis < 2 && onnx_is_same(mode); axis++) {
        int64_t in = spatial == 2 ? x->dim[2 + axis] : axis == 1 ? x->dim[2] : 1;
        same_pad(out, axis, in, mode, &out->pad[axis], &out->pad[axis + 2]);
    }
    memcpy(out->counted, out->pad, sizeof out->pad);
    return true;
}

/* ---- 1-D as 2-D ---- */

struct ir_value *onnx_to_2d(struct onnx_node *n, struct ir_value *x)
{
    if (!x || x->type.rank != 3)
        return x;
    return onnx_reshape(n, x, (const int64_t[]){x->type.dim[0], x->type.dim[1], 1, x->type.dim[2]},
                        4, false);
}

struct ir_value *onnx_from_2d(struct onnx_node *n, struct ir_value *v, const struct ir_value *x)
{
    if (!v || x->type.rank != 3)
        return v;
    return onnx_reshape(n, v, (const int64_t[]){v->type.dim[0], v->type.dim[1], v->type.dim[3]}, 3,
                        false);
}

/* ---- pooling ---- */

/* Sets the end padding of one dimension so that the plain formula gives the ceil_mode count. */
static void apply_ceil(struct onnx_window *w, int axis, int64_t in)
{
    int64_t begin = w->pad[axis], stride = w->stride[axis];
    int64_t reach = (w->kernel[axis] - 1) * w->dilation[axis] + 1;
    int64_t room = in + begin + w->pad[axis + 2] - reach;
    if (room < 0)
        return; /* no window fits; inference says so */
    int64_t out = ceil_div_i64(room, stride) + 1;
    if ((out - 1) * stride >= in + begin)
        out--;
    w->pad[axis + 2] = max_i64((out - 1) * stride + reach - in - begin, 0);
    w->counted[axis + 2] = min_i64(w->counted[axis + 2], w->pad[axis + 2]);
}

static bool read_pool(struct onnx_node *n, const struct ir_value *x, struct onnx_window *w)
{
    if (!x || !onnx_read_window(n, &x->type, NULL, w))
        return false;
    bool ceil_mode = onnx_attr_i64(n, "ceil_mode", 0) != 0;
    for (int axis = 0; ceil_mode && axis < 2; axis++)
        apply_ceil(w, axis,
                   x->type.rank == 4 ? x->type.dim[2 + axis]
                   : axis == 1       ? x->type.dim[2]
                                     : 1);
    return true;
}

bool import_max_pool(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct onnx_window w;
    onnx_ignore_attr(n, "storage_order"); /* of the Indices */
    if (onnx_out_used(n, 1))
        return diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                          "the Indices result is not supported");
    if (!read_pool(n, x, &w))
        return false;
    union ir_attrs attrs = {0};
    memcpy(attrs.max_pool.kernel, w.kernel, sizeof w.kernel);
    memcpy(attrs.max_pool.stride, w.stride, sizeof w.stride);
    memcpy(attrs.max_pool.dilation, w.dilation, sizeof w.dilation);
    memcpy(attrs.max_pool.pad, w.pad, sizeof w.pad);
    struct ir_value *v = onnx_emit1(n, IR_max_pool, &attrs, onnx_to_2d(n, x));
    return onnx_set_out(n, 0, onnx_from_2d(n, v, x));
}

struct ir_value *onnx_avg_pool(struct onnx_node *n, struct ir_value *x)
{
    struct onnx_window w;
    bool count_pad = onnx_attr_i64(n, "count_include_pad", 0) != 0;
    if (!read_pool(n, x, &w))
        return NULL;
    union ir_attrs attrs = {.avg_pool = {.count_pad = count_pad}};
    memcpy(attrs.avg_pool.kernel, w.kernel, sizeof w.kernel);
    memcpy(attrs.avg_pool.stride, w.stride, sizeof w.stride);
    memcpy(attrs.avg_pool.dilation, w.dilation, sizeof w.dilation);
    memcpy(attrs.avg_pool.pad, w.pad, sizeof w.pad);
    if (count_pad)
        memcpy(attrs.avg_pool.counted, w.counted, sizeof w.counted);
    struct ir_value *v = onnx_emit1(n, IR_avg_pool, &attrs, onnx_to_2d(n, x));
    return onnx_from_2d(n, v, x);
}

bool import_avg_pool(struct onnx_node *n)
{
    return onnx_set_out(n, 0, onnx_avg_pool(n, onnx_in(n, 0)));
}

/* (sum of |x|^p over the window)^(1/p): the sum is the mean over all cells of the window, padding
 * among them, times their number. */
bool import_lp_pool(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t p = onnx_attr_i64(n, "p", 2);
    struct onnx_window w;
    if (p < 1)
        return onnx_error(n, "p is %lld; at least 1 is supported", (long long)p);
    if (!read_pool(n, x, &w))
        return false;
    union ir_attrs attrs = {.avg_pool = {.count_pad = true}};
    memcpy(attrs.avg_pool.kernel, w.kernel, sizeof w.kernel);
    memcpy(attrs.avg_pool.stride, w.stride, sizeof w.stride);
    memcpy(attrs.avg_pool.dilation, w.dilation, sizeof w.dilation);
    memcpy(attrs.avg_pool.pad, w.pad, sizeof w.pad);
    memcpy(attrs.avg_pool.counted, w.pad, sizeof w.pad);
    struct ir_value *v = p % 2 ? onnx_helper1(n, IR_abs, NULL, x) : x;
    v = onnx_to_2d(n, onnx_power(n, v, (double)p, true));
    v = onnx_helper1(n, IR_avg_pool, &attrs, v);
    v = onnx_helper2(n, IR_mul, v, onnx_scalar(n, (float)(w.kernel[0] * w.kernel[1])));
    return onnx_set_out(n, 0, onnx_from_2d(n, onnx_power(n, v, 1 / (double)p, true), x));
}
