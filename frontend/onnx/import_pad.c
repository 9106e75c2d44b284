/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_pad.c - tensors with elements added around them or repeated: Pad, Tile, Expand.
 *
 * Modes constant, edge and reflect are operations of the IR; wrap, like Tile, picks by index:
 * element i of the result is element i mod dim of the input, counted from where the input begins.
 */
#include "onnx_node.h"

#include <string.h>

struct pads {
    int64_t before[IR_MAX_RANK], after[IR_MAX_RANK];
    float value;
};

/* Attributes before opset 11, operands since; since 18 operand 3 says which dimensions they are
 * for. */
static bool read_pads(struct onnx_node *n, const struct ir_type *x, struct pads *p)
{
    struct ir_ints pads, axes = {0};
    bool seen[IR_MAX_RANK];
    *p = (struct pads){0};
    if (n->im->opset < 11) {
        pads = onnx_attr_ints(n, "pads");
        p->value = onnx_attr_f32(n, "value", 0);
        if (n->failed)
            return false;
    } else if (!onnx_const_ints(n, 1, &pads) ||
               (onnx_has_in(n, 3) && !onnx_const_ints(n, 3, &axes))) {
        return false;
    }
    bool some = onnx_has_in(n, 3);
    uint32_t count = some ? axes.n : x->rank;
    if (pads.n != 2 * count)
        return onnx_error(n, "%u pads for %u dimensions", pads.n, count);
    if (!onnx_axes(n, axes, x->rank, seen))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        int64_t axis = i;
        if (some && !onnx_axis(n, axes.at[i], x->rank, &axis))
            return false;
        p->before[axis] = pads.at[i];
        p->after[axis] = pads.at[i + count];
    }
    return true;
}

/* Takes off negative pads; what is left in *p is not negative. */
static struct ir_value *crop(struct onnx_node *n, struct ir_value *x, struct pads *p)
{
    int64_t start[IR_MAX_RANK], step[IR_MAX_RANK], count[IR_MAX_RANK];
    bool adds = false;
    for (uint32_t i = 0; i < x->type.rank; i++) {
        int64_t dim = x->type.dim[i];
        start[i] = -max_i64(min_i64(p->before[i], 0), -dim);
        count[i] = dim - start[i] + max_i64(min_i64(p->after[i], 0), -dim);
        step[i] = 1;
        if (count[i] < 1 && dim > 0) {
            onnx_error(n, "pads crop all of dimension %u", i);
            return NULL;
        }
        p->before[i] = max_i64(p->before[i], 0);
        p->after[i] = max_i64(p->after[i], 0);
        adds |= p->before[i] || p->after[i];
    }
    return onnx_slice(n, x, start, step, count, !adds);
}

/* Element i of dimension d of the result is element (i - before[d]) mod dim of x. */
static struct ir_value *repeat(struct onnx_node *n, struct ir_value *x, const int64_t *before,
                               const int64_t *counts)
{
    VEC(int64_t) index = {0};
    for (uint32_t d = 0; d < x->type.rank; d++) {
        int64_t dim = x->type.dim[d], first = dim - before[d] % dim;
        for (int64_t i = 0; i < counts[d]; i++)
            VEC_PUSH(&index, (first + i) % dim);
    }
    struct ir_value *v =
        onnx_grid_lists(n, x, counts, &(struct ir_ints){(uint32_t)index.n, index.at}, 0);
    VEC_FREE(&index);
    return v;
}

/* The dimensions of a result that is spelled out in index lists. */
static bool repeated_count(struct onnx_node *n, uint32_t axis, int64_t dim, int64_t count)
{
    return (dim > 0 && count > 0 && count <= ONNX_MOST_PICKED) ||
           onnx_error(n, "dimension %u of %lld becomes %lld; 1 to %d are supported", axis,
                      (long long)dim, (long long)count, ONNX_MOST_PICKED);
}

static struct ir_value *wrap(struct onnx_node *n, struct ir_value *x, const struct pads *p)
{
    int64_t counts[IR_MAX_RANK];
    for (uint32_t i = 0; x && i < x->type.rank; i++) {
        bool ok = add_i64(x->type.dim[i], p->before[i], &counts[i]) &&
                  add_i64(counts[i], p->after[i], &counts[i]);
        if (!repeated_count(n, i, x->type.dim[i], ok ? counts[i] : INT64_MAX))
            return NULL;
    }
    return x ? repeat(n, x, p->before, counts) : NULL;
}

bool import_pad(struct onnx_node *n)
{
    struct ir_value *x = onnx_in(n, 0);
    struct pads p;
    static const enum ir_pad_mode modes[] = {
        [PAD_CONSTANT] = IR_PAD_CONSTANT, [PAD_EDGE] = IR_PAD_EDGE, [PAD_REFLECT] = IR_PAD_REFLECT};
    unsigned mode;
    if (!x || !onnx_attr_choice(n, "mode", CHOICES_pad_mode, &mode) || !read_pads(n, &x->type, &p))
        return false;
    uint32_t rank = x->type.rank;
    x = crop(n, x, &p);
    bool adds = false;
    for (uint32_t i = 0; i < rank; i++)
        adds |= p.before[i] || p.after[i];
    if (!adds || !x)
        return onnx_set_out(n, 0, x);
    if (mode == PAD_WRAP)
        return onnx_set_out(n, 0, wrap(n, x, &p));
    if (mode == PAD_CONSTANT && n->im->opset >= 11 && onnx_has_in(n, 2) &&
        !onnx_const_f32(n, 2, &p.value))
        return false;
    union ir_attrs attrs = {.pad = {.before = {rank, p.before},
                                    .after = {rank, p.after},
                                    .mode = modes[mode],
                                    .value = p.value}};
    return onnx_set_out(n, 0, onnx_emit1(n, IR_pad, &attrs, x));
}

bool import_tile(struct onnx_node *n)
{
    static const int64_t none[IR_MAX_RANK];
    struct ir_value *x = onnx_in(n, 0);
    struct ir_ints repeats;
    int64_t counts[IR_MAX_RANK];
    bool changes = false;
    if (!x || !onnx_const_ints(n, 1, &repeats))
        return false;
    if (repeats.n != x->type.rank)
        return onnx_error(n, "%u repeats for %u dimensions", repeats.n, x->type.rank);
    for (uint32_t i = 0; i < repeats.n; i++) {
        if (!mul_i64(x->type.dim[i], repeats.at[i], &counts[i]))
            counts[i] = INT64_MAX;
        if (!repeated_count(n, i, x->type.dim[i], counts[i]))
            return false;
        changes |= repeats.at[i] != 1;
    }
    return onnx_set_out(n, 0, changes ? repeat(n, x, none, counts) : x);
}

/* Constants stay one element where they are (IR expand); run-time values are repeated where the
 * shape makes a dimension of 1 longer. */
bool import_expand(struct onnx_node *n)
{
    static const int64_t none[IR_MAX_RANK];
    struct ir_value *x = onnx_in(n, 0);
    struct ir_ints shape;
    int64_t dims[IR_MAX_RANK], counts[IR_MAX_RANK];
    if (!x || !onnx_const_ints(n, 1, &shape))
        return false;
    if (onnx_is_const(x)) {
        union ir_attrs attrs = {.expand = {.shape = shape}};
        return onnx_set_out(n, 0, onnx_emit1(n, IR_expand, &attrs, x));
    }
    uint32_t rank = shape.n > x->type.rank ? shape.n : x->type.rank;
    if (rank > IR_MAX_RANK)
        return onnx_error(n, "a result of %u dimensions; at most %d are supported", rank,
                          IR_MAX_RANK);
    bool changes = false;
    for (uint32_t i = 0; i < rank; i++) { /* from the last dimension to the first */
        uint32_t at = rank - 1 - i;
        dims[at] = i < x->type.rank ? x->type.dim[x->type.rank - 1 - i] : 1;
        int64_t want = i < shape.n ? shape.at[shape.n - 1 - i] : 1;
        if (want != 1 && dims[at] != 1 && want != dims[at])
            return onnx_error(n, "dimension %u of %lld does not broadcast to %lld", at,
                              (long long)dims[at], (long long)want);
        counts[at] = dims[at] == 1 ? want : dims[at];
        changes |= counts[at] != dims[at];
        if (!repeated_count(n, at, dims[at], counts[at]))
            return false;
    }
    x = onnx_reshape(n, x, dims, rank, !changes);
    return onnx_set_out(n, 0, changes && x ? repeat(n, x, none, counts) : x);
}
