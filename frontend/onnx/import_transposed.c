/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_transposed.c - operators that spread a pixel over a window: ConvTranspose, DepthToSpace.
 *
 * A transposed convolution is a product of each pixel with the weights of all taps, a 1x1
 * convolution to KH*KW*M channels (channel (kh*KW + kw)*M + m), which runs on crossbars, and then
 * overlap_add, which lays the taps over one another. With padding p at the beginning and e at the
 * end, out = (in - 1)*stride + (kernel - 1)*dilation + 1 - p - e + output_padding.
 * Where the result's size is given (output_shape, or in*stride for auto_pad SAME), p + e follows;
 * for SAME_UPPER p is the smaller half, else the larger, as ONNX has it.
 * DepthToSpace in mode DCR is overlap_add with kernel = stride = block; CRD shuffles channels
 * first.
 */
#include "onnx_node.h"

#include <string.h>

/* ---- sizes ---- */

/* Beyond any image; sums of such numbers stay inside 64 bits. */
static const int64_t MAX_SIZE = (int64_t)1 << 40;

struct spread {
    struct onnx_window win; /* what was stated is not used */
    int64_t extra[3];       /* output_padding */
    int64_t out[3];         /* output_shape; 0 = not given */
};

/* A list for the spatial dimensions; those in front that are not there get `otherwise`. */
static bool read_spatial(struct onnx_node *n, const char *name, size_t spatial, int64_t otherwise,
                         int64_t out[3])
{
    struct ir_ints list = onnx_attr_ints(n, name);
    out[0] = out[1] = out[2] = otherwise;
    if (n->failed || !onnx_has_attr(n, name))
        return !n->failed;
    bool whole_shape = strcmp(name, "output_shape") == 0 && list.n == spatial + 2;
    if (list.n != spatial && !whole_shape)
        return onnx_error(n, "%s has %u numbers, not %zu", name, list.n, spatial);
    for (size_t i = 0; i < spatial; i++) {
        int64_t x = list.at[list.n - spatial + i];
        if (x < 0 || x > INT32_MAX)
            return onnx_error(n, "%s holds %lld; 0 to %d are supported", name, (long long)x,
                              INT32_MAX);
        out[3 - spatial + i] = x;
    }
    return true;
}

/* Padding that gives a dimension of `in` the result's size that is asked for. */
static bool fit_padding(struct onnx_node *n, struct spread *s, int axis, int64_t in, bool same,
                        bool upper)
{
    struct onnx_span *span = &s->win.axis[axis];
    int64_t reach = (span->kernel - 1) * span->dilation + 1, most;
    if (!same && s->out[axis] == 0)
        return true;
    if (!mul_i64(in, span->stride, &most) || most > MAX_SIZE)
        return onnx_error(n, "a result of too many elements");
    if (s->out[axis] == 0)
        s->out[axis] = most;
    int64_t total = most - span->stride + reach + s->extra[axis] - s->out[axis];
    int64_t less = max_i64(total, 0) / 2; /* what is missing is added at the end */
    span->before = upper ? less : max_i64(total, 0) - less;
    span->after = total - s->extra[axis] - span->before;
    return true;
}

static bool read_spread(struct onnx_node *n, const struct ir_type *x, const struct ir_type *w,
                        struct spread *s)
{
    unsigned mode;
    size_t spatial = x->rank - 2u;
    if (!onnx_read_window(n, x, w->dim + 2, &s->win) ||
        !onnx_attr_choice(n, "auto_pad", CHOICES_auto_pad, &mode) ||
        !read_spatial(n, "output_padding", spatial, 0, s->extra) ||
        !read_spatial(n, "output_shape", spatial, 0, s->out))
        return false;
    for (size_t i = 0; i < spatial; i++)
        if (!fit_padding(n, s, (int)(3 - spatial + i), x->dim[2 + i], onnx_is_same(mode),
                         mode == AUTO_PAD_SAME_UPPER))
            return false;
    return true;
}

/* ---- ConvTranspose ---- */

/* [G*C, M, taps..] -> [G*taps*M, C, 1, 1] */
static struct ir_value *spread_weights(struct onnx_node *n, struct ir_value *w, int64_t group)
{
    int64_t c = w->type.dim[0] / group, m = w->type.dim[1], taps = 1;
    for (unsigned i = 2; i < w->type.rank; i++)
        taps *= w->type.dim[i];
    w = onnx_reshape(n, w, (const int64_t[]){group, c, m, taps}, 4, false);
    w = onnx_transpose(n, w, (const int64_t[]){0, 3, 2, 1}, false);
    return onnx_reshape(n, w, (const int64_t[]){group * taps * m, c, 1, 1}, 4, false);
}

/* Channel (g*taps + tap)*m + k becomes channel (tap*G + g)*m + k. */
static struct ir_value *taps_first(struct onnx_node *n, struct ir_value *v, int64_t group,
                                   int64_t taps)
{
    if (!v || group == 1 || taps == 1)
        return v;
    int64_t channels = v->type.dim[1], m = channels / group / taps;
    int64_t *list = onnx_pick_list(n, 1, channels);
    for (int64_t i = 0; list && i < channels; i++)
        list[i] = (i / m % group * taps + i / m / group) * m + i % m;
    return list ? onnx_grid(n, v, v->type.dim, 1, list, 0) : NULL;
}

/* Taps of the rows and columns, or of the depth as rows. */
static struct ir_value *overlap_plane(struct onnx_node *n, struct ir_value *v,
                                      const struct spread *s, enum onnx_planes which)
{
    union ir_attrs attrs = {0};
    struct onnx_plane p = onnx_plane(&s->win, which);
    memcpy(attrs.overlap_add.kernel, p.kernel, sizeof p.kernel);
    memcpy(attrs.overlap_add.stride, p.stride, sizeof p.stride);
    memcpy(attrs.overlap_add.dilation, p.dilation, sizeof p.dilation);
    memcpy(attrs.overlap_add.pad, p.pad, sizeof p.pad);
    for (int i = 0; i < 2; i++) {
        int axis = which == ONNX_DEPTH ? 0 : 1 + i;
        if (s->out[axis] == 0 && (which != ONNX_DEPTH || i == 0))
            attrs.overlap_add.pad[i + 2] -= s->extra[axis];
    }
    return onnx_helper1(n, IR_overlap_add, &attrs, v);
}

/* [N, KD*KH*KW*M, D*H, W] -> [N, M, OD, OH, OW]: rows and columns of each plane and tap of the
 * depth, then the depth. */
static struct ir_value *overlap_volume(struct onnx_node *n, struct ir_value *v,
                                       const struct spread *s, int64_t depth)
{
    if (!v)
        return NULL;
    int64_t taps = s->win.axis[0].kernel, batch = v->type.dim[0], c = v->type.dim[1] / taps;
    const int64_t apart[] = {batch, taps, c, depth, v->type.dim[2] / depth, v->type.dim[3]};
    const int64_t planes[] = {batch * taps * depth, c, apart[4], apart[5]};
    v = onnx_transpose(n, onnx_reshape(n, v, apart, 6, false), (const int64_t[]){0, 1, 3, 2, 4, 5},
                       false);
    v = overlap_plane(n, onnx_reshape(n, v, planes, 4, false), s, ONNX_ROWS_AND_COLUMNS);
    if (!v)
        return NULL;
    const int64_t m = v->type.dim[1], h = v->type.dim[2], w = v->type.dim[3];
    v = onnx_reshape(n, v, (const int64_t[]){batch, taps, depth, m, h * w}, 5, false);
    v = onnx_transpose(n, v, (const int64_t[]){0, 1, 3, 2, 4}, false);
    v = onnx_reshape(n, v, (const int64_t[]){batch, taps * m, depth, h * w}, 4, false);
    if (!(v = overlap_plane(n, v, s, ONNX_DEPTH)))
        return NULL;
    return onnx_reshape(n, v, (const int64_t[]){batch, m, v->type.dim[2], h, w}, 5, false);
}

/* b [M] -> [M, 1, ..] */
static struct ir_value *add_bias(struct onnx_node *n, struct ir_value *v, struct ir_value *b)
{
    if (!v || !b)
        return v;
    if (b->type.rank != 1 || b->type.dim[0] != v->type.dim[1]) {
        onnx_error(n, "the bias does not have one element for each of %lld channels",
                   (long long)v->type.dim[1]);
        return NULL;
    }
    b = onnx_reshape(n, b, (const int64_t[]){b->type.dim[0], 1, 1, 1}, v->type.rank - 1u, false);
    return onnx_helper2(n, IR_add, v, b);
}

bool import_conv_transpose(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0), *w = onnx_in(n, 1), *b = NULL;
    struct spread s = {0};
    if (!x || !w || (onnx_has_in(n, 2) && !(b = onnx_in(n, 2))))
        return false;
    if (w->type.rank != x->type.rank)
        return onnx_error(n, "the weights have %u dimensions, the input has %u", w->type.rank,
                          x->type.rank);
    int64_t group = onnx_attr_i64(n, "group", 1);
    if (!read_spread(n, &x->type, &w->type, &s))
        return false;
    if (group < 1 || w->type.dim[0] < group || w->type.dim[0] % group ||
        w->type.dim[0] != x->type.dim[1])
        return onnx_error(n, "%lld groups, an input of %lld channels, weights for %lld",
                          (long long)group, (long long)x->type.dim[1], (long long)w->type.dim[0]);
    if (w->type.dim[1] < 1)
        return onnx_error(n, "weights for no channels of the result");
    int64_t taps = s.win.axis[0].kernel * s.win.axis[1].kernel * s.win.axis[2].kernel;
    union ir_attrs attrs = {
        .conv = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = group}};
    const int64_t *d = x->type.dim;
    bool deep = x->type.rank == 5;
    struct ir_value *rows =
        deep ? onnx_reshape(n, x, (const int64_t[]){d[0], d[1], d[2] * d[3], d[4]}, 4, false)
             : onnx_to_2d(n, x);
    struct ir_value *in[] = {rows, spread_weights(n, w, group)};
    struct ir_value *v = onnx_emit(n, IR_conv, &attrs, in, 2);
    onnx_note_weights(n, v, 1, arena_printf(n->im->arena, "taps of %lld;", (long long)group));
    v = taps_first(n, v, group, taps);
    v = deep ? overlap_volume(n, v, &s, d[2]) : overlap_plane(n, v, &s, ONNX_ROWS_AND_COLUMNS);
    v = add_bias(n, v, b);
    return onnx_set_out(n, 0, deep ? v : onnx_from_2d(n, v, x));
}

/* ---- DepthToSpace ---- */

/* Channel c*taps + tap becomes channel tap*C + c. */
static struct ir_value *columns_first(struct onnx_node *n, struct ir_value *x, int64_t taps)
{
    int64_t channels = x->type.dim[1], each = channels / taps;
    int64_t *list = onnx_pick_list(n, 1, channels);
    for (int64_t i = 0; list && i < channels; i++)
        list[i] = i % each * taps + i / each;
    return list ? onnx_grid(n, x, x->type.dim, 1, list, 0) : NULL;
}

bool import_depth_to_space(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    unsigned mode;
    int64_t block = onnx_attr_i64(n, "blocksize", 0), taps;
    if (!x || !onnx_attr_choice(n, "mode", CHOICES_depth_mode, &mode))
        return false;
    if (x->type.rank != 4)
        return onnx_error(n, "an input of %u dimensions, not 4", x->type.rank);
    if (block < 1 || !mul_i64(block, block, &taps) || x->type.dim[1] % taps)
        return onnx_error(n, "%lld channels do not make blocks of %lld x %lld",
                          (long long)x->type.dim[1], (long long)block, (long long)block);
    const struct onnx_span side = {.kernel = block, .stride = block, .dilation = 1};
    struct spread s = {.win = {.axis = {{.kernel = 1, .stride = 1, .dilation = 1}, side, side}}};
    if (mode == DEPTH_CRD && taps > 1)
        x = columns_first(n, x, taps);
    return onnx_set_out(n, 0, overlap_plane(n, x, &s, ONNX_ROWS_AND_COLUMNS));
}

/* ---- SpaceToDepth ---- */

/* Channel (by*block + bx)*C + c is channel c of the pixels at (by, bx) of the blocks. */
bool import_space_to_depth(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t b = onnx_attr_i64(n, "blocksize", 0), channels;
    if (!x)
        return false;
    const int64_t *d = x->type.dim;
    if (x->type.rank != 4)
        return onnx_error(n, "an input of %u dimensions, not 4", x->type.rank);
    bool fits = b >= 1 && d[2] % b == 0 && d[3] % b == 0;
    if (!fits || !mul_i64(d[1], b, &channels) || !mul_i64(channels, b, &channels))
        return onnx_error(n, "%lld x %lld pixels do not make blocks of %lld x %lld",
                          (long long)d[2], (long long)d[3], (long long)b, (long long)b);
    const int64_t blocks[] = {d[0], d[1], d[2] / b, b, d[3] / b, b};
    const int64_t inside_first[] = {0, 3, 5, 1, 2, 4};
    const int64_t dims[] = {d[0], channels, d[2] / b, d[3] / b};
    struct ir_value *v = onnx_reshape(n, x, blocks, 6, false);
    return onnx_set_out(n, 0,
                        onnx_reshape(n, onnx_transpose(n, v, inside_first, false), dims, 4, false));
}
