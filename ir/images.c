/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * images.c - keeps_<op> for every operation: where in its result the images are, if it keeps them
 * apart.
 *
 * In a tensor with n images one dimension has them as a digit: position (outer * n + i) * part +
 * inner is of image i. Its extent is n, and `part` 1, but where a reshape joined other dimensions
 * with the images: behind them (tokens of all texts, heads of all images; part > 1), or in front
 * (all texts' first tokens, then the second ones). The tensors of one image are the same with an
 * n-th of the extent. What does not come from an input with images is the same for all; a constant
 * that was spelt out for each of them (a class token) is cut down to one.
 */
#include "images.h"
#include "ir_internal.h"

#include <stdlib.h>

/* Where the images of a value are; axis < 0: it is the same for all. */
struct place {
    int axis;
    int64_t part; /* how far apart two images are along it */
};
static const struct place NOWHERE = {-1, 0};

struct batch {
    struct ir_graph *graph;
    int64_t n;
    struct place *of; /* by id of the operation that defines the value */
    struct diag *diag;
};

/* ---- how many ---- */

static int64_t first_extent(const struct ir_op *op)
{
    return op->out && op->out->type.rank > 0 ? op->out->type.dim[0] : 1;
}

/* Whether the first dimension came from an input as long as it is. */
static bool comes_from_input(const struct ir_op *op, const bool *from_input,
                             const struct ir_index *index)
{
    if (op->opcode == IR_input)
        return true;
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_op *def = op->in[i].value->def;
        uint32_t at;
        if (def->opcode != IR_constant && first_extent(def) == first_extent(op) &&
            ir_index_find(index, def, &at))
            return from_input[at];
    }
    return false;
}

int64_t ir_batch(const struct ir_graph *g)
{
    struct ir_index index;
    ir_index_init(&index, g);
    bool *from_input = heap_alloc(index.n * sizeof *from_input);
    int64_t n = 1;
    uint32_t at = 0;
    for (const struct ir_op *op = g->first; op && n == 1; op = op->next, at++) {
        from_input[at] = comes_from_input(op, from_input, &index);
        if (op->opcode == IR_conv && from_input[at])
            n = first_extent(op);
    }
    heap_free(from_input);
    ir_index_free(&index);
    return n;
}

/* ---- operands ---- */

static struct place place_of(const struct batch *b, const struct ir_op *op, uint32_t i)
{
    const struct ir_op *def = op->in[i].value->def;
    return def->opcode == IR_constant ? NOWHERE : b->of[def->id]; /* one that was cut has no id */
}

/* How far apart two images are among all elements. */
static int64_t run_of(const struct ir_type *t, struct place p)
{
    int64_t run = p.part;
    for (int i = p.axis + 1; i < t->rank; i++)
        run *= t->dim[i];
    return run;
}

/* A constant that is the same for all images, cut down to one; NULL if it is not. */
static struct ir_op *one_part(const struct batch *b, struct ir_op *user, const struct ir_op *c,
                              struct place p)
{
    struct arena *scratch = arena_new();
    struct ir_type type = c->out->type;
    size_t element = ir_dtype_bytes((enum ir_dtype)type.dtype);
    int64_t run = run_of(&type, p), n_runs = ir_count(&type) / (b->n * run);
    size_t bytes = (size_t)run * element;
    const char *data = ir_const_data(c, scratch);
    char *one = heap_alloc((size_t)n_runs * bytes);
    bool equal = true;
    for (int64_t r = 0; r < n_runs && equal; r++) {
        const char *from = data + (size_t)(r * b->n) * bytes;
        memcpy(one + (size_t)r * bytes, from, bytes);
        for (int64_t i = 1; i < b->n && equal; i++)
            equal = memcmp(from, from + (size_t)i * bytes, bytes) == 0;
    }
    arena_free(scratch);
    if (!equal) {
        heap_free(one);
        return NULL;
    }
    type.dim[p.axis] /= b->n;
    return ir_const_new(b->graph, user, type, blob_own(one, (size_t)n_runs * bytes), c->name,
                        c->loc);
}

/* Operand i, where the result has images at `p` of it (an axis that it may lack): it has them there
 * too, or is the same for all. */
static bool agrees(const struct batch *b, struct ir_op *op, uint32_t i, struct place p)
{
    struct ir_value *x = op->in[i].value;
    struct place is = place_of(b, op, i);
    if (is.axis >= 0)
        return is.axis == p.axis && is.part == p.part;
    if (p.axis < 0 || x->type.dim[p.axis] == 1)
        return true;
    if (x->def->opcode != IR_constant || x->type.dim[p.axis] % (b->n * p.part) != 0)
        return false;
    struct ir_op *one = one_part(b, op, x->def, p);
    if (!one)
        return false;
    ir_set_operand(op, i, one->out);
    return true;
}

/* The first operand with images. */
static uint32_t carrier(const struct batch *b, const struct ir_op *op)
{
    uint32_t i = 0;
    while (place_of(b, op, i).axis < 0)
        i++;
    return i;
}

/* Only operand 0 has images; where. */
static bool only_first(const struct batch *b, const struct ir_op *op, struct place *out)
{
    *out = place_of(b, op, 0);
    for (uint32_t i = 1; i < op->n_in; i++)
        if (place_of(b, op, i).axis >= 0)
            return false;
    return out->axis >= 0;
}

/* ---- operations ---- */

/* Operands broadcast to the result, dimensions aligned at the last. */
static bool keeps_broadcast(const struct batch *b, struct ir_op *op, struct place *out)
{
    int rank = op->out->type.rank;
    uint32_t first = carrier(b, op);
    *out = place_of(b, op, first);
    out->axis += rank - op->in[first].value->type.rank;
    for (uint32_t i = 0; i < op->n_in; i++) {
        int axis = out->axis - (rank - op->in[i].value->type.rank);
        if (!agrees(b, op, i, (struct place){axis, out->part}))
            return false;
    }
    return true;
}

/* Along the dimensions `axes` the result depends on all of the operand. */
static bool keeps_but(const struct batch *b, const struct ir_op *op, const int64_t *axes,
                      uint32_t n, struct place *out)
{
    bool ok = only_first(b, op, out);
    for (uint32_t i = 0; i < n; i++)
        ok = ok && axes[i] != out->axis;
    return ok;
}

/* Images stand along the first dimension; the others are those of an image. */
static bool keeps_first(const struct batch *b, const struct ir_op *op, struct place *out)
{
    return only_first(b, op, out) && out->axis == 0;
}

/* [N,C,...] with parameters, or one result, for each channel. */
static bool keeps_channels(const struct batch *b, struct ir_op *op, struct place *out)
{
    return only_first(b, op, out) && out->axis != 1;
}

/* Windows over the dimensions after the second. */
static bool keeps_pixels(const struct batch *b, struct ir_op *op, struct place *out)
{
    return only_first(b, op, out) && out->axis < 2;
}

/* Parameters for all, or for each index of a dimension. */
static bool keeps_parameters(const struct batch *b, const struct ir_op *op, int64_t axis,
                             struct place *out)
{
    bool single = true;
    for (uint32_t i = 1; i < op->n_in; i++)
        single &= ir_count(&op->in[i].value->type) == 1;
    return only_first(b, op, out) && (single || axis != out->axis);
}

/* Where operand i has the dimension `axis` of the result, as one of the dimensions in front of the
 * matrices; the dimension of the result where operand i has its `axis`. */
static int stack_shift(const struct ir_op *op, uint32_t i)
{
    int matrix = (op->in[0].value->type.rank > 1) + (op->in[1].value->type.rank > 1);
    int rank = op->in[i].value->type.rank;
    return (op->out->type.rank - matrix) - (rank > 2 ? rank - 2 : 0);
}

/* A matrix of each image on one side: of its other dimensions, rows or columns of the result. */
static bool keeps_rows(const struct batch *b, struct ir_op *op, uint32_t side, struct place *out)
{
    const struct ir_type *x = &op->in[side].value->type, *to = &op->out->type;
    struct place is = place_of(b, op, side);
    int summed = side == 0 || x->rank == 1 ? x->rank - 1 : x->rank - 2;
    bool has_columns = op->in[1].value->type.rank > 1;
    *out = (struct place){side == 0 ? to->rank - 1 - has_columns : to->rank - 1, is.part};
    return is.axis != summed && place_of(b, op, !side).axis < 0;
}

static bool keeps_matmul(const struct batch *b, struct ir_op *op, struct place *out)
{
    uint32_t side = carrier(b, op);
    struct place is = place_of(b, op, side);
    if (op->n_in > 2 || is.axis >= op->in[side].value->type.rank - 2)
        return op->n_in == 2 && keeps_rows(b, op, side, out);
    *out = (struct place){is.axis + stack_shift(op, side), is.part};
    for (uint32_t i = 0; i < 2; i++) {
        int axis = out->axis - stack_shift(op, i);
        if (!agrees(b, op, i, (struct place){axis, is.part}))
            return false;
    }
    return true;
}

static bool keeps_concat(const struct batch *b, struct ir_op *op, struct place *out)
{
    *out = place_of(b, op, carrier(b, op));
    bool ok = out->axis != op->attrs->concat.axis;
    for (uint32_t i = 0; i < op->n_in && ok; i++)
        ok = agrees(b, op, i, *out);
    return ok;
}

static bool keeps_slice(const struct batch *b, struct ir_op *op, struct place *out)
{
    const struct ir_attrs_slice *s = &op->attrs->slice;
    *out = place_of(b, op, 0);
    return s->start.at[out->axis] == 0 && s->step.at[out->axis] == 1 &&
           s->count.at[out->axis] == op->in[0].value->type.dim[out->axis];
}

static bool keeps_transpose(const struct batch *b, struct ir_op *op, struct place *out)
{
    const struct ir_ints *perm = &op->attrs->transpose.perm;
    struct place is = place_of(b, op, 0);
    for (uint32_t i = 0; i < perm->n; i++)
        if (perm->at[i] == is.axis)
            *out = (struct place){(int)i, is.part};
    return true;
}

/* The images are as far apart as they were, and a digit of one dimension. */
static bool keeps_reshape(const struct batch *b, struct ir_op *op, struct place *out)
{
    const struct ir_type *to = &op->out->type;
    int64_t run = run_of(&op->in[0].value->type, place_of(b, op, 0)), behind = 1;
    for (int i = to->rank - 1; i >= 0 && behind <= run; behind *= to->dim[i--]) {
        if (run % behind != 0 || to->dim[i] % (b->n * (run / behind)) != 0)
            continue;
        *out = (struct place){i, run / behind};
        return true;
    }
    return false;
}

static bool keeps_pad(const struct batch *b, struct ir_op *op, struct place *out)
{
    const struct ir_attrs_pad *p = &op->attrs->pad;
    *out = place_of(b, op, 0);
    return p->before.at[out->axis] == 0 && p->after.at[out->axis] == 0;
}

/* Where the list of a dimension begins. */
static int64_t first_index(const struct ir_attrs_gather_grid *g, int axis)
{
    int64_t first = 0;
    for (int i = 0; i < axis; i++)
        first += g->count.at[i];
    return first;
}

static bool keeps_gather_grid(const struct batch *b, struct ir_op *op, struct place *out)
{
    const struct ir_attrs_gather_grid *g = &op->attrs->gather_grid;
    *out = place_of(b, op, 0);
    int64_t n = op->in[0].value->type.dim[out->axis], first = first_index(g, out->axis);
    bool ok = g->count.at[out->axis] == n;
    for (int64_t i = 0; i < n && ok; i++)
        ok = g->index.at[first + i] == i;
    return ok;
}

static bool keeps_take(const struct batch *b, struct ir_op *op, struct place *out)
{
    struct place is = place_of(b, op, carrier(b, op));
    return is.axis != op->attrs->take.axis && keeps_broadcast(b, op, out);
}

/* One image after another. */
static bool keeps_output(const struct batch *b, struct ir_op *op, struct place *out)
{
    return keeps_first(b, op, out) && op->in[0].value->type.dim[0] == b->n * out->part;
}

static bool mixes(const struct batch *b, struct ir_op *op, struct place *out)
{
    (void)b;
    (void)op;
    (void)out;
    return false;
}

#define AS(name, rule)                                                                             \
    static bool keeps_##name(const struct batch *b, struct ir_op *op, struct place *out)           \
    {                                                                                              \
        return rule(b, op, out);                                                                   \
    }
#define BUT(name, axes, n)                                                                         \
    static bool keeps_##name(const struct batch *b, struct ir_op *op, struct place *out)           \
    {                                                                                              \
        const struct ir_attrs_##name *at = &op->attrs->name;                                       \
        return keeps_but(b, op, axes, n, out);                                                     \
    }
#define PARAMETERS(name)                                                                           \
    static bool keeps_##name(const struct batch *b, struct ir_op *op, struct place *out)           \
    {                                                                                              \
        return keeps_parameters(b, op, op->attrs->name.axis, out);                                 \
    }
AS(relu, keeps_broadcast)
AS(leaky_relu, keeps_broadcast)
AS(hard_sigmoid, keeps_broadcast)
AS(clip, keeps_broadcast)
AS(exp, keeps_broadcast)
AS(log, keeps_broadcast)
AS(sqrt, keeps_broadcast)
AS(sigmoid, keeps_broadcast)
AS(tanh, keeps_broadcast)
AS(neg, keeps_broadcast)
AS(abs, keeps_broadcast)
AS(erf, keeps_broadcast)
AS(sin, keeps_broadcast)
AS(cos, keeps_broadcast)
AS(floor, keeps_broadcast)
AS(ceil, keeps_broadcast)
AS(round, keeps_broadcast)
AS(add, keeps_broadcast)
AS(sub, keeps_broadcast)
AS(mul, keeps_broadcast)
AS(div, keeps_broadcast)
AS(min, keeps_broadcast)
AS(max, keeps_broadcast)
AS(pow, keeps_broadcast)
AS(mod, keeps_broadcast)
AS(equal, keeps_broadcast)
AS(less, keeps_broadcast)
AS(greater, keeps_broadcast)
AS(where, keeps_broadcast)
AS(cast, keeps_broadcast)
AS(conv, keeps_first)
AS(overlap_add, keeps_first)
AS(batch_norm, keeps_channels)
AS(max_pool, keeps_pixels)
AS(avg_pool, keeps_pixels)
AS(global_avg_pool, keeps_pixels)
BUT(layer_norm, at->axes.at, at->axes.n)
BUT(interpolate, at->axes.at, at->axes.n)
BUT(reduce, at->axes.at, at->axes.n)
BUT(softmax, &at->axis, 1)
PARAMETERS(quantize)
PARAMETERS(dequantize)
PARAMETERS(requantize)
/* Without operands; computed at compile time or refused elsewhere; of later stages. */
AS(input, mixes)
AS(constant, mixes)
AS(gather, mixes)
AS(expand, mixes)
AS(range, mixes)
AS(mvm, mixes)
AS(dot, mixes)
AS(table, mixes)
AS(mask, mixes)
AS(merge, mixes)

static bool keeps(const struct batch *b, struct ir_op *op, struct place *out)
{
    static bool (*const table[IR_N_OPCODES])(const struct batch *, struct ir_op *,
                                             struct place *) = {
#define OP(name, min_in, max_in, n_out, stages, traits) [IR_##name] = keeps_##name,
#define ATTR(op, kind, field)
#define END(op)
#include "ops.def"
#undef OP
#undef ATTR
#undef END
    };
    return table[op->opcode](b, op, out);
}

/* ---- to one image ---- */

static struct ir_ints with_extent(struct ir_graph *g, const struct ir_ints *list, int axis,
                                  int64_t extent)
{
    int64_t *at = ARENA_ARRAY(g->arena, int64_t, list->n);
    memcpy(at, list->at, list->n * sizeof *at);
    at[axis] = extent;
    return (struct ir_ints){list->n, at};
}

static struct ir_ints without_others(struct ir_graph *g, const struct ir_attrs_gather_grid *a,
                                     int axis, int64_t extent)
{
    int64_t n = a->count.at[axis], end = first_index(a, axis) + extent;
    int64_t *at = ARENA_ARRAY(g->arena, int64_t, a->index.n);
    memcpy(at, a->index.at, (size_t)end * sizeof *at);
    memcpy(at + end, a->index.at + end + n - extent,
           (size_t)(a->index.n - end - n + extent) * sizeof *at);
    return (struct ir_ints){(uint32_t)(a->index.n - n + extent), at};
}

static void take_one(struct ir_op *op, int axis, int64_t n)
{
    struct ir_graph *g = op->graph;
    union ir_attrs *a = op->attrs;
    struct ir_ints *shape = NULL;
    switch (op->opcode) {
    case IR_input: shape = &a->input.shape; break;
    case IR_output: shape = &a->output.shape; break;
    case IR_reshape: shape = &a->reshape.shape; break;
    case IR_slice: shape = &a->slice.count; break;
    case IR_gather_grid:
        shape = &a->gather_grid.count;
        a->gather_grid.index = without_others(g, &a->gather_grid, axis, shape->at[axis] / n);
        break;
    default: return;
    }
    *shape = with_extent(g, shape, axis, shape->at[axis] / n);
}

/* What has no elements has no images in it. */
static bool is_empty(const struct ir_op *op)
{
    bool empty = op->out && ir_count(&op->out->type) == 0;
    for (uint32_t i = 0; i < op->n_in; i++)
        empty |= ir_count(&op->in[i].value->type) == 0;
    return empty;
}

/* Operands are looked at as they were with all images: types change only when all is known. */
static bool find_places(struct batch *b)
{
    for (struct ir_op *op = b->graph->first; op; op = op->next) {
        bool carries = op->opcode == IR_output;
        b->of[op->id] = NOWHERE;
        if (op->opcode == IR_input && first_extent(op) == b->n)
            b->of[op->id] = (struct place){0, 1};
        for (uint32_t i = 0; i < op->n_in; i++)
            carries |= place_of(b, op, i).axis >= 0;
        if (carries && (is_empty(op) || !keeps(b, op, &b->of[op->id])))
            return diag_error(b->diag, op->loc, DIAG_LOWER,
                              "%s does not keep the %lld images of the batch apart, which are "
                              "frames: one after another on the machine",
                              ir_op_descs[op->opcode].name, (long long)b->n);
    }
    return true;
}

bool ir_take_image(struct ir_graph *g, int64_t n, struct diag *d)
{
    uint32_t n_ops = ir_number(g);
    struct batch b = {.graph = g, .n = n, .diag = d};
    b.of = heap_alloc(n_ops * sizeof *b.of);
    bool ok = find_places(&b);
    for (struct ir_op *op = g->first; op && ok; op = op->next) {
        if (op->opcode != IR_constant && b.of[op->id].axis >= 0)
            take_one(op, b.of[op->id].axis, n);
        ok = !op->out || ir_infer(op, d, &op->out->type);
    }
    heap_free(b.of);
    return ok;
}

bool ir_keeps_images(const struct ir_graph *g, int64_t n, struct diag *d)
{
    struct ir_graph *one = ir_clone(g);
    bool ok = ir_take_image(one, n, d);
    ir_graph_free(one);
    return ok;
}
