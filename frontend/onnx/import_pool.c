/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_pool.c - MaxPool, AveragePool, LpPool.
 *
 * Of three dimensions: a pool over rows and columns, the depth being more channels, and then one
 * over the depth. That is exact for maxima, and for means too: the number of cells of a window is a
 * product of one for each dimension.
 */
#include "onnx_node.h"

#include <string.h>

/* Sets the end padding of one dimension so that the plain formula gives the ceil_mode count. */
static void apply_ceil(struct onnx_span *s, int64_t in)
{
    int64_t reach = (s->kernel - 1) * s->dilation + 1, room = in + s->before + s->after - reach;
    if (room < 0)
        return; /* no window fits; inference says so */
    int64_t out = ceil_div_i64(room, s->stride) + 1;
    if ((out - 1) * s->stride >= in + s->before)
        out--;
    s->after = max_i64((out - 1) * s->stride + reach - in - s->before, 0);
    s->counted_after = min_i64(s->counted_after, s->after);
}

static bool read_pool(struct onnx_node *n, const struct ir_value *x, struct onnx_window *w)
{
    if (!x || !onnx_read_window(n, &x->type, NULL, w))
        return false;
    bool ceil_mode = onnx_attr_i64(n, "ceil_mode", 0) != 0;
    for (unsigned i = 2; ceil_mode && i < x->type.rank; i++)
        apply_ceil(&w->axis[3 - x->type.rank + i], x->type.dim[i]);
    return true;
}

enum kind { MAX, MEAN, MEAN_WITH_PADDING };

static struct ir_value *pool_plane(struct onnx_node *n, struct ir_value *x, enum kind kind,
                                   const struct onnx_plane *p, bool named)
{
    union ir_attrs attrs = {0};
    enum ir_opcode opcode = kind == MAX ? IR_max_pool : IR_avg_pool;
    if (kind == MAX) {
        memcpy(attrs.max_pool.kernel, p->kernel, sizeof p->kernel);
        memcpy(attrs.max_pool.stride, p->stride, sizeof p->stride);
        memcpy(attrs.max_pool.dilation, p->dilation, sizeof p->dilation);
        memcpy(attrs.max_pool.pad, p->pad, sizeof p->pad);
    } else {
        attrs.avg_pool.count_pad = kind == MEAN_WITH_PADDING;
        memcpy(attrs.avg_pool.kernel, p->kernel, sizeof p->kernel);
        memcpy(attrs.avg_pool.stride, p->stride, sizeof p->stride);
        memcpy(attrs.avg_pool.dilation, p->dilation, sizeof p->dilation);
        memcpy(attrs.avg_pool.pad, p->pad, sizeof p->pad);
        if (attrs.avg_pool.count_pad)
            memcpy(attrs.avg_pool.counted, p->counted, sizeof p->counted);
    }
    return named ? onnx_emit1(n, opcode, &attrs, x) : onnx_helper1(n, opcode, &attrs, x);
}

/* [N,C,D,H,W] -> [N,C,OD,H,W] */
static struct ir_value *pool_depth(struct onnx_node *n, struct ir_value *x, enum kind kind,
                                   const struct onnx_window *w)
{
    struct onnx_plane deep = onnx_plane(w, ONNX_DEPTH);
    const int64_t *d = x->type.dim, dims[] = {d[0], d[1], d[2], d[3] * d[4]}, h = d[3], v = d[4];
    x = pool_plane(n, onnx_reshape(n, x, dims, 4, false), kind, &deep, false);
    if (!x)
        return NULL;
    return onnx_reshape(
        n, x, (const int64_t[]){x->type.dim[0], x->type.dim[1], x->type.dim[2], h, v}, 5, false);
}

static struct ir_value *pool(struct onnx_node *n, struct ir_value *x, enum kind kind,
                             const struct onnx_window *w, bool named)
{
    struct onnx_plane flat = onnx_plane(w, ONNX_ROWS_AND_COLUMNS);
    struct ir_value *v = pool_plane(n, onnx_to_2d(n, x), kind, &flat, named);
    v = onnx_from_2d(n, v, x);
    return v && x->type.rank == 5 ? pool_depth(n, v, kind, w) : v;
}

bool import_max_pool(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct onnx_window w;
    onnx_ignore_attr(n, "storage_order"); /* of the Indices */
    if (onnx_out_used(n, 1))
        return diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
                          "the Indices result is not supported");
    return read_pool(n, x, &w) && onnx_set_out(n, 0, pool(n, x, MAX, &w, true));
}

struct ir_value *onnx_avg_pool(struct onnx_node *n, struct ir_value *x)
{
    struct onnx_window w;
    bool count_pad = onnx_attr_i64(n, "count_include_pad", 0) != 0;
    return read_pool(n, x, &w) ? pool(n, x, count_pad ? MEAN_WITH_PADDING : MEAN, &w, true) : NULL;
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
    float cells = 1;
    for (int i = 0; i < 3; i++) {
        w.axis[i].counted_before = w.axis[i].before;
        w.axis[i].counted_after = w.axis[i].after;
        cells *= (float)w.axis[i].kernel;
    }
    struct ir_value *v = p % 2 ? onnx_helper1(n, IR_abs, NULL, x) : x;
    if (!(v = onnx_power(n, v, (double)p, true)))
        return false;
    v = onnx_helper2(n, IR_mul, pool(n, v, MEAN_WITH_PADDING, &w, false), onnx_scalar(n, cells));
    return onnx_set_out(n, 0, onnx_power(n, v, 1 / (double)p, true));
}
