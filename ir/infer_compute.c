/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* infer_compute.c - result types of base layers, crossbar products, pooling, normalisation. */
#include "ir_internal.h"
#include "mvm_mapping.h"

#include <string.h>

struct window {
    const int64_t *kernel, *stride, *dilation; /* h, w */
    const int64_t *pad;                        /* top, left, bottom, right; NULL = none */
};

/* (in + before + after - ((kernel - 1)*dilation + 1)) / stride + 1; false if no window fits. */
static bool window_extent(const struct window *w, int axis, int64_t in, int64_t *out)
{
    int64_t room = in, reach;
    if (w->pad && (!add_i64(room, w->pad[axis], &room) || !add_i64(room, w->pad[axis + 2], &room)))
        return false;
    if (!mul_i64(w->kernel[axis] - 1, w->dilation[axis], &reach) || !add_i64(reach, 1, &reach))
        return false;
    if (in < 1 || room < reach)
        return false;
    *out = (room - reach) / w->stride[axis] + 1;
    return true;
}

/* Checks the window's attributes and slides it over in[0], in[1]. */
static bool slide(const struct ir_op *op, const struct window *w, const int64_t in[2],
                  struct diag *d, int64_t out[2])
{
    if (!ir_want_least(op, "kernel", w->kernel, 2, 1, d) ||
        !ir_want_least(op, "stride", w->stride, 2, 1, d) ||
        !ir_want_least(op, "dilation", w->dilation, 2, 1, d) ||
        (w->pad && !ir_want_least(op, "pad", w->pad, 4, 0, d)))
        return false;
    for (int axis = 0; axis < 2; axis++) {
        if (!window_extent(w, axis, in[axis], &out[axis]))
            return ir_misfit(op, d, "no window fits: kernel %lld, dilation %lld over %lld %s",
                             (long long)w->kernel[axis], (long long)w->dilation[axis],
                             (long long)in[axis], axis ? "columns" : "rows");
    }
    return true;
}

static bool want_rank(const struct ir_op *op, uint32_t i, unsigned rank, const char *what,
                      struct diag *d)
{
    return ir_in(op, i)->rank == rank ||
           ir_misfit(op, d, "operand %u has rank %u, wants %s", i, ir_in(op, i)->rank, what);
}

/* f32 throughout; or, once lowered, u8 by i8 with centers i32 [columns], whose sums are i32. */
static bool product(const struct ir_op *op, int64_t columns, struct diag *d, struct ir_type *out)
{
    if (!ir_is_lowered(op) || ir_in(op, 0)->dtype == IR_F32) {
        out->dtype = IR_F32;
        return ir_want_f32(op, 0, d) && (op->n_in == 2 || op->opcode == IR_conv ||
                                         ir_misfit(op, d, "there are no centers of f32 weights"));
    }
    out->dtype = IR_I32;
    if (!ir_want_dtype(op, 0, 1u << IR_U8 | 1u << IR_F32, d) ||
        !ir_want_dtype(op, 1, 1u << IR_I8, d))
        return false;
    if (op->n_in == 2)
        return true;
    const struct ir_type *center = ir_in(op, 2);
    return ir_want_dtype(op, 2, 1u << IR_I32, d) &&
           ((center->rank == 1 && center->dim[0] == columns) ||
            ir_misfit(op, d, "the centers are not [%lld]", (long long)columns));
}

/* A number of crossbars that layers share; passes count on from the last one. */
static bool want_weights(const struct ir_op *op, int64_t weights, struct diag *d)
{
    return (weights >= 0 && weights <= UINT32_MAX) ||
           ir_misfit(op, d, "weights %lld, wants 0..2^32-1", (long long)weights);
}

bool infer_conv(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_conv *at = &op->attrs->conv;
    const struct ir_type *x = ir_in(op, 0), *w = ir_in(op, 1);
    if (!want_rank(op, 0, 4, "[N,C,H,W]", d) || !want_rank(op, 1, 4, "[O,C/group,KH,KW]", d) ||
        !ir_want_least(op, "group", &at->group, 1, 1, d) || !want_weights(op, at->weights, d))
        return false;
    if (w->dim[2] != at->kernel[0] || w->dim[3] != at->kernel[1])
        return ir_misfit(op, d, "kernel [%lld,%lld], but w is [%lld,%lld]",
                         (long long)at->kernel[0], (long long)at->kernel[1], (long long)w->dim[2],
                         (long long)w->dim[3]);
    if (x->dim[1] % at->group || x->dim[1] / at->group != w->dim[1] || w->dim[0] % at->group)
        return ir_misfit(op, d, "%lld channels and w [%lld,%lld,..] do not make %lld groups",
                         (long long)x->dim[1], (long long)w->dim[0], (long long)w->dim[1],
                         (long long)at->group);
    if (op->n_in == 3 && (ir_in(op, 2)->rank != 1 || ir_in(op, 2)->dim[0] != w->dim[0]))
        return ir_misfit(op, d, "the bias is not [%lld]", (long long)w->dim[0]);
    struct window window = {at->kernel, at->stride, at->dilation, at->pad};
    *out = ir_type_of(IR_F32, 4, x->dim);
    out->dim[1] = w->dim[0];
    return product(op, w->dim[0], d, out) && slide(op, &window, x->dim + 2, d, out->dim + 2);
}

/* numpy.matmul: a vector on the left gains a leading, on the right a trailing dimension of 1, which
 * the result loses again; the dimensions before the last two broadcast. */
bool infer_matmul(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_type *a = ir_in(op, 0), *b = ir_in(op, 1);
    struct ir_type sums = {.dtype = IR_I32};
    bool bytes = ir_is_lowered(op) && op->n_in == 2 && a->dtype == IR_U8 && b->dtype == IR_U8;
    if (!want_weights(op, op->attrs->matmul.weights, d) ||
        (!bytes && !product(op, b->rank ? b->dim[b->rank - 1] : 0, d, &sums)))
        return false;
    if (!bytes && sums.dtype == IR_I32 && !want_rank(op, 1, 2, "[K,N]", d))
        return false;
    if (a->rank == 0 || b->rank == 0)
        return ir_misfit(op, d, "an operand is a scalar");
    int64_t ka = a->dim[a->rank - 1], kb = b->dim[b->rank == 1 ? 0 : b->rank - 2];
    if (ka != kb)
        return ir_misfit(op, d, "inner dimensions are %lld and %lld", (long long)ka, (long long)kb);
    struct ir_type batch_a = *a, batch_b = *b;
    batch_a.rank = (uint8_t)(a->rank > 2 ? a->rank - 2 : 0);
    batch_b.rank = (uint8_t)(b->rank > 2 ? b->rank - 2 : 0);
    if (!ir_broadcast(op, &batch_a, &batch_b, d, out))
        return false;
    out->dtype = sums.dtype;
    if (a->rank > 1)
        out->dim[out->rank++] = a->dim[a->rank - 2];
    if (b->rank > 1)
        out->dim[out->rank++] = b->dim[b->rank - 1];
    return true;
}

bool infer_batch_norm(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_type *x = ir_in(op, 0);
    *out = *x;
    if (!ir_want_f32(op, 0, d))
        return false;
    if (x->rank < 2)
        return ir_misfit(op, d, "x has rank %u, wants [N,C,...]", x->rank);
    for (uint32_t i = 1; i < op->n_in; i++) {
        if (ir_in(op, i)->rank != 1 || ir_in(op, i)->dim[0] != x->dim[1])
            return ir_misfit(op, d, "operand %u is not [%lld]", i, (long long)x->dim[1]);
    }
    return true;
}

/* What the passes tile and dup decide; all 0 before them. */
static bool mvm_decisions(const struct ir_op *op, const int64_t ofm[2], struct diag *d)
{
    const struct ir_attrs_mvm *at = &op->attrs->mvm;
    if (!want_weights(op, at->weights, d) || !ir_want_least(op, "patch", at->patch, 2, 1, d) ||
        !ir_want_least(op, "slices", at->slices, 2, 0, d) ||
        !ir_want_least(op, "copies", &at->copies, 1, 0, d) ||
        !ir_want_least(op, "cut", at->cut, 2, 0, d))
        return false;
    int64_t matrix[2];
    if (at->patch[0] > ofm[0] || at->patch[1] > ofm[1])
        return ir_misfit(op, d, "patch [%lld,%lld] of a %lld x %lld result",
                         (long long)at->patch[0], (long long)at->patch[1], (long long)ofm[0],
                         (long long)ofm[1]);
    if (!ir_mapping_matrix(op, at->patch, matrix))
        return ir_misfit(op, d, "the matrix of a patch [%lld,%lld] is too large",
                         (long long)at->patch[0], (long long)at->patch[1]);
    if ((at->slices[0] == 0) != (at->slices[1] == 0) || at->slices[0] > matrix[0] ||
        at->slices[1] > matrix[1])
        return ir_misfit(op, d, "slices [%lld,%lld] of a %lld x %lld matrix",
                         (long long)at->slices[0], (long long)at->slices[1], (long long)matrix[0],
                         (long long)matrix[1]);
    int64_t down = ceil_div_i64(ofm[0], at->patch[0]), across = ceil_div_i64(ofm[1], at->patch[1]);
    int64_t product;
    if (at->copies > 0 && (!mul_i64(at->cut[0], at->cut[1], &product) || product != at->copies ||
                           at->cut[0] > down || at->cut[1] > across))
        return ir_misfit(op, d, "cut [%lld,%lld] of %lld x %lld products into %lld copies",
                         (long long)at->cut[0], (long long)at->cut[1], (long long)down,
                         (long long)across, (long long)at->copies);
    return true;
}

enum { MAX_WEIGHT_BITS = 8, MAX_FRACTION_BITS = 4, MAX_FINE_BITS = 7, MAX_ADC_SHIFT = 31 };

/* A byte holds a conductance. */
static int64_t most_fraction_bits(int64_t cell_bits)
{
    return max_i64(min_i64(MAX_FINE_BITS - cell_bits, MAX_FRACTION_BITS), 0);
}

struct limit {
    const char *name;
    int64_t value, least, most;
};

static bool within(const struct ir_op *op, const struct limit *at, size_t n, struct diag *d)
{
    for (size_t i = 0; i < n; i++) {
        if (at[i].value < at[i].least || at[i].value > at[i].most)
            return ir_misfit(op, d, "%s %lld, wants %lld..%lld", at[i].name, (long long)at[i].value,
                             (long long)at[i].least, (long long)at[i].most);
    }
    return true;
}

/* How arrays are read out; of an ideal read-out nothing is said. */
static bool mvm_readout(const struct ir_op *op, struct diag *d)
{
    const struct ir_attrs_mvm *at = &op->attrs->mvm;
    bool floats = ir_in(op, 0)->dtype == IR_F32, real = at->encoding != IR_ENCODING_IDEAL;
    if (floats && real)
        return ir_misfit(op, d, "encoding \"%s\" of f32", ir_encoding_name(at->encoding));
    int64_t most_ppm = real ? 1000000 : 0, most_permille = real ? 1000 : 0;
    const struct limit limits[] = {
        {"x_bits", at->x_bits, !floats, floats ? 0 : 8},
        {"weight_bits", at->weight_bits, real, floats ? 0 : MAX_WEIGHT_BITS},
        {"rows", at->rows, real, real ? 65536 : 0},
        {"cols", at->cols, real, real ? 65536 : 0},
        {"cell_bits", at->cell_bits, real, real ? MAX_WEIGHT_BITS : 0},
        {"dac_bits", at->dac_bits, real, real ? 8 : 0},
        {"adc_bits", at->adc_bits, 0, real ? 16 : 0},
        {"flip", at->flip, 0, real},
        {"object", at->object, 0, real ? UINT32_MAX : 0},
        {"noise_seed", at->noise_seed, 0, real ? INT32_MAX : 0},
        {"fraction_bits", at->fraction_bits, 0, real ? most_fraction_bits(at->cell_bits) : 0},
        {"sigma_low", at->sigma_low, 0, most_permille},
        {"sigma_high", at->sigma_high, 0, most_permille},
        {"stuck_low", at->stuck_low, 0, most_ppm},
        {"stuck_high", at->stuck_high, 0, most_ppm - at->stuck_low},
        {"drift", at->drift, 0, most_permille},
    };
    if (!within(op, limits, sizeof limits / sizeof *limits, d))
        return false;
    int64_t slices = real ? ceil_div_i64(at->weight_bits, at->cell_bits) : 0;
    if (at->shift.n != 0 && at->shift.n != slices)
        return ir_misfit(op, d, "%u entries in shift of %lld slices", at->shift.n,
                         (long long)slices);
    for (uint32_t i = 0; i < at->shift.n; i++) {
        struct limit step = {"shift", at->shift.at[i], 0, MAX_ADC_SHIFT};
        if (!within(op, &step, 1, d))
            return false;
    }
    return true;
}

bool infer_mvm(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_mvm *at = &op->attrs->mvm;
    const struct ir_type *x = ir_in(op, 0), *w = ir_in(op, 1);
    if (!want_rank(op, 0, 3, "(h, w, c)", d) || !want_rank(op, 1, 2, "K x N", d))
        return false;
    struct window window = {at->kernel, at->stride, at->dilation, NULL};
    *out = ir_type_of(IR_F32, 3, (int64_t[]){0, 0, w->dim[1]});
    if (!product(op, w->dim[1], d, out) || !mvm_readout(op, d) ||
        !slide(op, &window, x->dim, d, out->dim))
        return false;
    if (at->group < 1 || x->dim[2] % at->group != 0 || w->dim[1] % at->group != 0)
        return ir_misfit(op, d, "%lld input and %lld output channels in %lld groups",
                         (long long)x->dim[2], (long long)w->dim[1], (long long)at->group);
    int64_t rows, channels = x->dim[2] / at->group;
    if (!mul_i64(at->kernel[0], at->kernel[1], &rows) || !mul_i64(rows, channels, &rows) ||
        rows != w->dim[0])
        return ir_misfit(op, d, "w has %lld rows, wants %lld x %lld x %lld", (long long)w->dim[0],
                         (long long)at->kernel[0], (long long)at->kernel[1], (long long)channels);
    return mvm_decisions(op, out->dim, d);
}

bool infer_dot(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_type *a = ir_in(op, 0), *b = ir_in(op, 1);
    int64_t kn = op->attrs->dot.kn;
    if (!want_rank(op, 0, 3, "(h, w, k)", d) || !want_rank(op, 1, 3, "(h or 1, n, k)", d) ||
        !ir_want_dtype(op, 0, 1u << IR_U8 | 1u << IR_F32, d) ||
        !ir_want_dtype(op, 1, 1u << a->dtype, d))
        return false;
    if (kn != 0 && kn != 1)
        return ir_misfit(op, d, "kn %lld, wants 0 or 1", (long long)kn);
    if ((b->dim[0] != 1 && b->dim[0] != a->dim[0]) || b->dim[2 - kn] != a->dim[2])
        return ir_misfit(op, d, "(%lld, %lld, %lld) and (%lld, %lld, %lld) do not make a product",
                         (long long)a->dim[0], (long long)a->dim[1], (long long)a->dim[2],
                         (long long)b->dim[0], (long long)b->dim[1], (long long)b->dim[2]);
    *out = ir_type_of(a->dtype == IR_F32 ? IR_F32 : IR_I32, 3,
                      (int64_t[]){a->dim[0], a->dim[1], b->dim[1 + kn]});
    return true;
}

static bool pool(const struct ir_op *op, const struct window *w, struct diag *d,
                 struct ir_type *out)
{
    bool crossbar = ir_at_crossbar(op);
    *out = *ir_in(op, 0);
    return want_rank(op, 0, crossbar ? 3 : 4, crossbar ? "(h, w, c)" : "[N,C,H,W]", d) &&
           slide(op, w, ir_in(op, 0)->dim + (crossbar ? 0 : 2), d, out->dim + (crossbar ? 0 : 2));
}

/* Along one axis, does each window have a cell in lo..hi-1? Those that begin there do. Where taps
 * could step over all of it, what decides is where a window begins modulo the dilation: of hi-lo+1
 * such numbers one misses, or they repeat. So there may be any number of windows. */
static bool windows_meet(const struct window *w, int axis, int64_t out, int64_t lo, int64_t hi)
{
    int64_t at = -w->pad[axis], stride = w->stride[axis], dilation = w->dilation[axis];
    if (at + (out - 1) * stride >= hi || at + (w->kernel[axis] - 1) * dilation < lo)
        return false;
    int64_t n = dilation <= hi - lo ? 0 : min_i64(out, hi - lo + 1);
    for (int64_t i = 0; i < n && at < lo; i++, at += stride) {
        if (at + ceil_div_i64(lo - at, dilation) * dilation >= hi)
            return false;
    }
    return true;
}

/* Each window has a cell of the input or of the `counted` padding (NULL = none) around it. */
static bool want_cells(const struct ir_op *op, const struct window *w, const int64_t *counted,
                       const struct ir_type *out, struct diag *d)
{
    for (int a = 0; a < 2; a++) {
        unsigned d_at = (unsigned)a + (ir_at_crossbar(op) ? 0 : 2);
        int64_t before = counted ? counted[a] : 0, after = counted ? counted[a + 2] : 0;
        if (!windows_meet(w, a, out->dim[d_at], -before, ir_in(op, 0)->dim[d_at] + after))
            return ir_misfit(op, d,
                             "a window lies in the padding and has no cell to take the %s of; "
                             "padding must be smaller than the kernel",
                             op->opcode == IR_avg_pool ? "mean" : "maximum");
    }
    return true;
}

bool infer_max_pool(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_max_pool *at = &op->attrs->max_pool;
    struct window w = {at->kernel, at->stride, at->dilation, at->pad};
    return ir_want_dtype(op, 0, 1u << IR_F32 | 1u << IR_U8 | 1u << IR_I8, d) &&
           pool(op, &w, d, out) && (out->dtype == IR_F32 || want_cells(op, &w, NULL, out, d));
}

/* Of a window's cells of u8. */
static bool sum_fits(const struct window *w, const int64_t in[2])
{
    int64_t cells;
    return mul_i64(min_i64(w->kernel[0], in[0]), min_i64(w->kernel[1], in[1]), &cells) &&
           cells <= INT32_MAX / UINT8_MAX;
}

bool infer_avg_pool(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_avg_pool *at = &op->attrs->avg_pool;
    struct window w = {at->kernel, at->stride, at->dilation, at->pad};
    if (!ir_want_dtype(op, 0, 1u << IR_F32 | 1u << IR_U8, d) || !pool(op, &w, d, out))
        return false;
    if (out->dtype == IR_U8 && !sum_fits(&w, ir_in(op, 0)->dim + (ir_at_crossbar(op) ? 0 : 2)))
        return ir_misfit(op, d, "the sum of a window does not fit 32 bits");
    out->dtype = IR_F32;
    if (at->count_pad != 0 && at->count_pad != 1)
        return ir_misfit(op, d, "count_pad is %lld, wants 0 or 1", (long long)at->count_pad);
    for (int i = 0; i < 4; i++) {
        if (at->counted[i] < 0 || at->counted[i] > at->pad[i])
            return ir_misfit(op, d, "counted %lld of %lld padding cells", (long long)at->counted[i],
                             (long long)at->pad[i]);
    }
    return want_cells(op, &w, at->count_pad ? at->counted : NULL, out, d);
}

bool infer_global_avg_pool(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_type *x = ir_in(op, 0);
    bool crossbar = ir_at_crossbar(op);
    if (!ir_want_f32(op, 0, d))
        return false;
    if (crossbar ? x->rank != 3 : x->rank < 3)
        return ir_misfit(op, d, "x has rank %u, wants %s", x->rank,
                         crossbar ? "(h, w, c)" : "[N,C,...]");
    *out = *x;
    for (unsigned i = crossbar ? 0 : 2; i < (crossbar ? 2u : x->rank); i++) {
        if (x->dim[i] == 0)
            return ir_misfit(op, d, "the mean of no elements");
        out->dim[i] = 1;
    }
    return true;
}

bool infer_softmax(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    int64_t axis = op->attrs->softmax.axis;
    *out = *ir_in(op, 0);
    if (!ir_want_f32(op, 0, d))
        return false;
    return (axis >= 0 && axis < out->rank) ||
           ir_misfit(op, d, "axis %lld of rank %u", (long long)axis, out->rank);
}

/* Far beyond all extents; differences from what an image has are no overflow. */
static const int64_t MOST_CROP = (int64_t)1 << 40;

static bool crop_fits(int64_t crop)
{
    return crop >= -MOST_CROP && crop <= MOST_CROP;
}

/* (in - 1)*stride + (kernel - 1)*dilation + 1 - before - after; false if nothing is left of it. */
static bool overlap_extent(const struct window *w, int axis, int64_t in, int64_t *out)
{
    int64_t reach, extent;
    return in >= 1 && crop_fits(w->pad[axis]) && crop_fits(w->pad[axis + 2]) &&
           mul_i64(in - 1, w->stride[axis], &extent) &&
           mul_i64(w->kernel[axis] - 1, w->dilation[axis], &reach) &&
           add_i64(extent, reach, &extent) && add_i64(extent, 1, &extent) &&
           add_i64(extent, -w->pad[axis] - w->pad[axis + 2], out) && *out >= 1;
}

bool infer_overlap_add(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_overlap_add *at = &op->attrs->overlap_add;
    const struct window w = {at->kernel, at->stride, at->dilation, at->pad};
    bool crossbar = ir_at_crossbar(op);
    unsigned rows = crossbar ? 0 : 2, channels = crossbar ? 2 : 1;
    int64_t taps;
    if (!ir_want_f32(op, 0, d) ||
        !want_rank(op, 0, crossbar ? 3 : 4, crossbar ? "(h, w, c)" : "[N,C,H,W]", d) ||
        !ir_want_least(op, "kernel", at->kernel, 2, 1, d) ||
        !ir_want_least(op, "stride", at->stride, 2, 1, d) ||
        !ir_want_least(op, "dilation", at->dilation, 2, 1, d))
        return false;
    *out = *ir_in(op, 0);
    if (!mul_i64(at->kernel[0], at->kernel[1], &taps) || out->dim[channels] % taps)
        return ir_misfit(op, d, "%lld channels are not split by a kernel of %lld x %lld",
                         (long long)out->dim[channels], (long long)at->kernel[0],
                         (long long)at->kernel[1]);
    out->dim[channels] /= taps;
    for (int axis = 0; axis < 2; axis++) {
        int64_t in = out->dim[rows + (unsigned)axis];
        if (!overlap_extent(&w, axis, in, &out->dim[rows + (unsigned)axis]))
            return ir_misfit(op, d, "pad %lld, %lld leaves none of the %s that %lld make",
                             (long long)at->pad[axis], (long long)at->pad[axis + 2],
                             axis ? "columns" : "rows", (long long)in);
    }
    return true;
}

/* Ascending dimensions of the operand, `what` over elements of which there are some. */
static bool want_axes(const struct ir_op *op, const struct ir_ints *axes, const char *what,
                      struct diag *d)
{
    const struct ir_type *x = ir_in(op, 0);
    if (axes->n == 0)
        return ir_misfit(op, d, "axes is empty");
    for (uint32_t i = 0; i < axes->n; i++) {
        int64_t axis = axes->at[i];
        if (axis < 0 || axis >= x->rank || (i && axis <= axes->at[i - 1]))
            return ir_misfit(op, d, "axes are not ascending dimensions of rank %u", x->rank);
        if (x->dim[axis] == 0)
            return ir_misfit(op, d, "the %s of no elements", what);
    }
    return true;
}

bool infer_layer_norm(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    *out = *ir_in(op, 0);
    return ir_want_f32(op, 0, d) && want_axes(op, &op->attrs->layer_norm.axes, "mean", d);
}

bool infer_reduce(const struct ir_op *op, struct diag *d, struct ir_type *out)
{
    const struct ir_attrs_reduce *at = &op->attrs->reduce;
    *out = *ir_in(op, 0);
    if (!ir_want_dtype(op, 0, 1u << IR_F32 | 1u << IR_U8 | 1u << IR_I32, d))
        return false;
    if (out->dtype == IR_U8 && at->kind == IR_REDUCE_SUM)
        out->dtype = IR_I32;
    if (!want_axes(op, &at->axes, ir_reduce_kind_name(at->kind), d))
        return false;
    for (uint32_t i = 0; i < at->axes.n; i++)
        out->dim[at->axes.at[i]] = 1;
    return true;
}
