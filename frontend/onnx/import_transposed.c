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
    struct onnx_window win; /* counted is not used */
    int64_t extra[2];       /* output_padding */
    int64_t out[2];         /* output_shape; 0 = not given */
};

/* A list for the spatial dimensions; 1-D: for columns, rows get `otherwise`. */
static bool read_pair(struct onnx_node *n, const char *name, size_t spatial, int64_t otherwise,
                      int64_t out[2])
{
    struct ir_ints list = onnx_attr_ints(n, name);
    out[0] = out[1] = otherwise;
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
        out[2 - spatial + i] = x;
    }
    return true;
}

static bool read_spread(struct onnx_node *n, const struct ir_type *x, const struct ir_type *w,
                        struct spread *s)
{
    unsigned mode;
    size_t spatial = x->rank - 2u;
    if (!onnx_read_window(n, x, w->dim + 2, &s->win) ||
        !onnx_attr_choice(n, "auto_pad", CHOICES_auto_pad, &mode) ||
        !read_pair(n, "output_padding", spatial, 0, s->extra) ||
        !read_pair(n, "output_shape", spatial, 0, s->out))
        return false;
    bool same = onnx_is_same(mode), upper = mode == AUTO_PAD_SAME_UPPER;
    for (int axis = 0; axis < 2; axis++) {
        bool absent = spatial == 1 && axis == 0;
        int64_t in = absent ? 1 : x->dim[x->rank - 2 + axis];
        int64_t reach = (s->win.kernel[axis] - 1) * s->win.dilation[axis] + 1, most;
        if (absent || (!same && s->out[axis] == 0))
            continue;
        if (!mul_i64(in, s->win.stride[axis], &most) || most > MAX_SIZE)
            return onnx_error(n, "a result of too many elements");
        if (s->out[axis] == 0)
            s->out[axis] = most;
        int64_t total = most - s->win.stride[axis] + reach + s->extra[axis] - s->out[axis];
        int64_t less = max_i64(total, 0) / 2; /* what is missing is added at the end */
        s->win.pad[axis] = upper ? less : max_i64(total, 0) - less;
        s->win.pad[axis + 2] = total - s->extra[axis] - s->win.pad[axis];
    }
    return true;
}

/* ---- ConvTranspose ---- */

/* [C, M, KH, KW] -> [KH*KW*M, C, 1, 1], for each group: [G*C, M, KH, KW] -> [G*KH*KW*M, C, 1, 1] */
static struct ir_value *spread_weights(struct onnx_node *n, struct ir_value *w, int64_t group)
{
    const int64_t *d = w->type.dim, c = d[0] / group, rows = group * d[1] * d[2] * d[3];
    w = onnx_reshape(n, w, (const int64_t[]){group, c, d[1], d[2], d[3]}, 5, false);
    w = onnx_transpose(n, w, (const int64_t[]){0, 3, 4, 2, 1}, false);
    return onnx_reshape(n, w, (const int64_t[]){rows, c, 1, 1}, 4, false);
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

static struct ir_value *overlap_add(struct onnx_node *n, struct ir_value *v, const struct spread *s)
{
    union ir_attrs attrs = {0};
    memcpy(attrs.overlap_add.kernel, s->win.kernel, sizeof s->win.kernel);
    memcpy(attrs.overlap_add.stride, s->win.stride, sizeof s->win.stride);
    memcpy(attrs.overlap_add.dilation, s->win.dilation, sizeof s->win.dilation);
    memcpy(attrs.overlap_add.pad, s->win.pad, sizeof s->win.pad);
    for (int axis = 0; axis < 2; axis++)
        if (s->out[axis] == 0)
            attrs.overlap_add.pad[axis + 2] -= s->extra[axis];
    return onnx_helper1(n, IR_overlap_add, &attrs, v);
}

/* b [M] -> [M, 1, 1] */
static struct ir_value *add_bias(struct onnx_node *n, struct ir_value *v, struct ir_value *b)
{
    if (!v || !b)
        return v;
    if (b->type.rank != 1 || b->type.dim[0] != v->type.dim[1]) {
        onnx_error(n, "the bias does not have one element for each of %lld channels",
                   (long long)v->type.dim[1]);
        return NULL;
    }
    b = onnx_reshape(n, b, (const int64_t[]){b->type.dim[0], 1, 1}, 3, false);
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
    int64_t taps = s.win.kernel[0] * s.win.kernel[1];
    union ir_attrs attrs = {
        .conv = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = group}};
    struct ir_value *w2 = onnx_to_2d(n, w);
    struct ir_value *in[] = {onnx_to_2d(n, x), w2 ? spread_weights(n, w2, group) : NULL};
    struct ir_value *v = onnx_emit(n, IR_conv, &attrs, in, 2);
    onnx_note_weights(n, v, 1, arena_printf(n->im->arena, "taps of %lld;", (long long)group));
    v = overlap_add(n, taps_first(n, v, group, taps), &s);
    return onnx_set_out(n, 0, onnx_from_2d(n, add_bias(n, v, b), x));
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
    struct spread s = {
        .win = {.kernel = {block, block}, .stride = {block, block}, .dilation = {1, 1}}};
    if (mode == DEPTH_CRD && taps > 1)
        x = columns_first(n, x, taps);
    return onnx_set_out(n, 0, overlap_add(n, x, &s));
}

/* ---- SpaceToDepth ---- */

/* Channel (by*block + bx)*C + c is channel c of the pixels at (by, bx) of the blocks. */
bool import_space_to_depth(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    int64_t b = onnx_attr_i64(n, "blocksize", 0);
    if (!x)
        return false;
    const int64_t *d = x->type.dim;
    if (x->type.rank != 4)
        return onnx_error(n, "an input of %u dimensions, not 4", x->type.rank);
    if (b < 1 || d[2] % b || d[3] % b)
        return onnx_error(n, "%lld x %lld pixels do not make blocks of %lld x %lld",
                          (long long)d[2], (long long)d[3], (long long)b, (long long)b);
    const int64_t blocks[] = {d[0], d[1], d[2] / b, b, d[3] / b, b};
    const int64_t inside_first[] = {0, 3, 5, 1, 2, 4};
    const int64_t dims[] = {d[0], d[1] * b * b, d[2] / b, d[3] / b};
    struct ir_value *v = onnx_reshape(n, x, blocks, 6, false);
    return onnx_set_out(n, 0,
                        onnx_reshape(n, onnx_transpose(n, v, inside_first, false), dims, 4, false));
}
