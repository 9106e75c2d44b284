/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col.c - INTEGER -> CROSSBAR: every value becomes (h, w, c), every base layer an mvm.
 *
 * One walk in list order makes new operations behind the old ones; then the old ones are removed.
 * Each old value has a view (im2col.h) of the new value that holds it. Reshape and transpose only
 * change views; elementwise operations run in whatever layout their operand has; what works along
 * axes runs in the operand's own layout if that has one axis per dimension, else in the canonical
 * one: [1,C,H,W] -> (H,W,C), [1,T,C] and [T,C] -> (1,T,C), rank <= 1 -> (1,1,n). Invariant: the
 * tensors outside keep index, dtype and shape; `input`/`output` strides absorb the rest.
 */
#include "im2col.h"

#include "int.h"

#include <stdlib.h>
#include <string.h>

enum { STAT_MVM, STAT_MOVES, STAT_UNSHARED };

bool lower_error(struct lowering *lo, const char *why)
{
    return diag_error(lo->ctx->diag, lo->op->loc, DIAG_LOWER, "%s: %s",
                      pass_op_text(lo->op, lo->ctx->scratch), why);
}

/* Of what a machine cannot make of constants. */
static bool not_folded(struct lowering *lo)
{
    return lower_error(lo, arena_printf(lo->ctx->scratch,
                                        "only constants go into it, and it was not folded: its "
                                        "result takes more than %d MB, or pass fold did not run",
                                        EVAL_FOLD_BYTES >> 20));
}

/* Constants are made when somebody asks for them as a value. */
struct view lowered_view(struct lowering *lo, const struct ir_value *old)
{
    struct view **v = &lo->views[old->def->id];
    if (!*v) {
        struct pass_place at = {.g = lo->g, .loc = old->def->loc};
        struct layout flat = layout_flat(&old->type);
        int64_t dims[3] = {1, 1, ir_count(&old->type)};
        *v = ARENA_NEW(lo->ctx->scratch, struct view);
        **v = view_of_layout(pass_const_as(&at, old->def, 3, dims), &old->type, &flat);
    }
    return **v;
}

struct ir_value *view_base(struct lowering *lo, struct view *v)
{
    struct layout l;
    if (!v->base && layout_canonical(&v->type, &l))
        view_materialise(lo, v, &l);
    if (!v->base)
        view_ground(lo, v);
    return v->base;
}

struct ir_value *lower_same(struct lowering *lo, const union ir_attrs *attrs,
                            struct ir_value *const *in, uint32_t n_in)
{
    struct pass_place at = lowering_place(lo);
    struct ir_new desc = {
        .opcode = lo->op->opcode, .in = in, .n_in = n_in, .attrs = attrs, .name = lo->op->name};
    return pass_emit(&at, &desc);
}

/* ---- windows and reductions ---- */

/* Always expressible, if only after everything was moved into row-major order. */
static void reshape_view(struct lowering *lo, struct view *v, const struct ir_type *to)
{
    if (view_reshape(v, to))
        return;
    struct layout flat = layout_flat(&v->type);
    *v = view_of_layout(view_materialise(lo, v, &flat), &v->type, &flat);
    if (!view_reshape(v, to))
        BUG("a flat value does not reshape");
}

/* Windows work on each channel by itself, so the images of a batch are more channels. */
static const struct layout images_on_c = {{2, 2, 0, 1}};

static bool lower_pool(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct view x = lowered_view(lo, op->in[0].value);
    struct ir_value *in = view_materialise(lo, &x, &images_on_c);
    *out = view_of_layout(lower_same(lo, op->attrs, &in, 1), &op->out->type, &images_on_c);
    return true;
}

/* Taps are the outermost part of the channels, outside the images of a batch too. */
static bool lower_overlap_add(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct view x = lowered_view(lo, op->in[0].value);
    const int64_t *dim = x.type.dim, *kernel = op->attrs->overlap_add.kernel;
    int64_t taps = kernel[0] * kernel[1];
    bool is_batch = dim[0] > 1;
    struct ir_type apart =
        ir_type_of(IR_F32, 5, (int64_t[]){dim[0], taps, dim[1] / taps, dim[2], dim[3]});
    struct ir_type outside =
        ir_type_of(IR_F32, 5, (int64_t[]){taps, dim[0], dim[1] / taps, dim[2], dim[3]});
    static const struct layout taps_first = {{2, 2, 2, 0, 1}};
    if (is_batch) {
        reshape_view(lo, &x, &apart);
        view_transpose(&x, &outside, (const int64_t[]){1, 0, 2, 3, 4});
    }
    struct ir_value *in = view_materialise(lo, &x, is_batch ? &taps_first : &images_on_c);
    *out = view_of_layout(lower_same(lo, op->attrs, &in, 1), &op->out->type, &images_on_c);
    return true;
}

static struct ir_value *emit_reduce(struct lowering *lo, const union ir_attrs *attrs,
                                    struct ir_value *x, const char *name);

/* The sum along these axes, divided. */
static struct ir_value *mean_of_axes(struct lowering *lo, struct ir_value *x, const bool on_axis[3])
{
    struct pass_place at = lowering_place(lo);
    const int64_t one[] = {1, 1, 1};
    int64_t axes[3], count = 1;
    uint32_t n = 0;
    for (int k = 0; k < 3; k++) {
        if (on_axis[k]) {
            axes[n++] = k;
            count *= x->type.dim[k];
        }
    }
    union ir_attrs sum = {.reduce = {.kind = IR_REDUCE_SUM, .axes = {n, axes}}};
    struct ir_value *in[] = {n ? emit_reduce(lo, &sum, x, NULL) : x,
                             pass_const_splat(&at, 3, one, (float)count)};
    return pass_emit(&at,
                     &(struct ir_new){.opcode = IR_div, .in = in, .n_in = 2, .name = lo->op->name});
}

/* The mean does not ask in which order h and w come: where the channels, of all images, are c, it
 * is a window, if there is one so large. Else it is a sum, wherever the dimensions lie. */
static bool lower_global_avg_pool(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct view x = lowered_view(lo, op->in[0].value);
    bool reduced[IR_MAX_RANK], on_axis[3];
    struct layout l;
    for (uint32_t d = 0; d < x.type.rank; d++) {
        l.axis[d] = d < 2 ? 2 : 1;
        reduced[d] = d >= 2;
    }
    struct view probe = x;
    struct ir_type two = {.dtype = x.type.dtype, .rank = 2};
    two.dim[0] = x.type.dim[0] * x.type.dim[1];
    two.dim[1] = ir_count(&x.type) / two.dim[0];
    bool in_place = x.base && view_reshape(&probe, &two) && x.base->type.dim[2] == two.dim[0] &&
                    (two.dim[0] == 1 || probe.atoms.at[0].stride == 1) &&
                    (two.dim[0] == 1 || probe.atoms.at[0].size == two.dim[0]);
    if (!in_place && x.base && view_reduce(&x, reduced, &op->out->type, on_axis, out)) {
        out->base = mean_of_axes(lo, x.base, on_axis);
        return true;
    }
    struct ir_value *in = in_place ? x.base : view_materialise(lo, &x, &l);
    bool is_window = max_i64(in->type.dim[0], in->type.dim[1]) <= ARCH_MOST_KERNEL;
    *out = view_of_layout(is_window ? lower_same(lo, op->attrs, &in, 1)
                                    : mean_of_axes(lo, in, (const bool[]){true, true, false}),
                          &op->out->type, &l);
    return true;
}

/* Each dimension on an axis of its own if possible; else what is reduced on w. */
static struct layout reduce_layout(const struct ir_type *t, const bool reduced[IR_MAX_RANK])
{
    struct layout l;
    if (layout_canonical(t, &l))
        return l;
    bool after = true; /* every dimension reduced */
    for (uint32_t d = t->rank; d-- > 0;) {
        after = after && !reduced[d];
        l.axis[d] = (int8_t)(reduced[d] ? 1 : after ? 2 : 0);
    }
    return l;
}

static struct ir_value *reduce_at_once(struct lowering *lo, const union ir_attrs *attrs,
                                       struct ir_value *x, const char *name)
{
    struct pass_place at = lowering_place(lo);
    struct ir_new desc = {.opcode = IR_reduce, .in = &x, .n_in = 1, .attrs = attrs, .name = name};
    return pass_emit(&at, &desc);
}

static struct ir_value *reduce_in_parts(struct lowering *lo, const union ir_attrs *attrs,
                                        struct ir_value *x, int64_t axis, const char *name)
{
    int64_t extent = x->type.dim[axis], most = lowering_covers((int)axis);
    struct ir_value *part[MOST_PARTS];
    uint32_t n = 0;
    for (int64_t at = 0; at < extent; at += most) {
        struct ir_value *some = emit_run(lo, x, (int)axis, at, min_i64(most, extent - at), "");
        part[n++] = emit_reduce(lo, attrs, some, name);
    }
    union ir_attrs over_parts = {.reduce = {.kind = attrs->reduce.kind, .axes = {1, &axis}}};
    return reduce_at_once(lo, &over_parts, emit_concat(lo, part, n, (uint32_t)axis), name);
}

/* What one instruction cannot reduce is reduced in parts, and then those; but not what takes too
 * many of them, which the backend refuses. */
static struct ir_value *emit_reduce(struct lowering *lo, const union ir_attrs *attrs,
                                    struct ir_value *x, const char *name)
{
    for (uint32_t i = 0; i < attrs->reduce.axes.n; i++) {
        int64_t axis = attrs->reduce.axes.at[i];
        int64_t n_parts = (x->type.dim[axis] - 1) / lowering_covers((int)axis) + 1;
        if (n_parts > 1 && n_parts <= MOST_PARTS)
            return reduce_in_parts(lo, attrs, x, axis, name);
    }
    return reduce_at_once(lo, attrs, x, name);
}

static bool lower_reduce(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    const struct ir_attrs_reduce *a = &op->attrs->reduce;
    const struct ir_type *from = &op->in[0].value->type, *to = &op->out->type;
    struct view x = lowered_view(lo, op->in[0].value);
    bool reduced[IR_MAX_RANK] = {false}, on_axis[3];
    for (uint32_t i = 0; i < a->axes.n; i++)
        reduced[a->axes.at[i]] = true;
    if (!x.base || !view_reduce(&x, reduced, to, on_axis, out)) {
        struct layout l = reduce_layout(from, reduced);
        x = view_of_layout(view_materialise(lo, &x, &l), from, &l);
        if (!view_reduce(&x, reduced, to, on_axis, out))
            BUG("a reduction does not fit the layout made for it");
    }
    int64_t axes[3];
    uint32_t n = 0;
    for (int k = 0; k < 3; k++) {
        if (on_axis[k])
            axes[n++] = k;
    }
    union ir_attrs attrs = {.reduce = {.kind = a->kind, .axes = {n, axes}}};
    struct pass_place at = lowering_place(lo);
    out->base = n ? emit_reduce(lo, &attrs, x.base, op->name) : x.base;
    if (out->base->type.dtype != to->dtype) /* a sum of one byte */
        out->base = int_cast(&at, out->base, (enum ir_dtype)to->dtype);
    return true;
}

/* The view whose dimension `dim` is an axis of its base, and which. */
static struct view on_an_axis(struct lowering *lo, struct view v, uint32_t dim, int64_t *axis)
{
    bool reduced[IR_MAX_RANK] = {false}, on_axis[3];
    struct view rest;
    struct ir_type t = v.type;
    reduced[dim] = true;
    t.dim[dim] = 1;
    if (v.type.dim[dim] > 1 && v.base && view_reduce(&v, reduced, &t, on_axis, &rest) &&
        on_axis[0] + on_axis[1] + on_axis[2] == 1) {
        *axis = on_axis[0] ? 0 : on_axis[1] ? 1 : 2;
        return v;
    }
    struct layout l;
    bool has_axis = (layout_of_view(&v, &l) || layout_canonical(&v.type, &l)) && l.axis[dim] >= 0;
    if (!has_axis)
        l = layout_around(&v.type, dim, 2);
    *axis = l.axis[dim];
    return view_of_layout(view_materialise(lo, &v, &l), &v.type, &l);
}

/* The machine has no softmax: m = max(x), e = exp(x - m), e / sum(e). */
static bool lower_softmax(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    int64_t axis;
    *out =
        on_an_axis(lo, lowered_view(lo, op->in[0].value), (uint32_t)op->attrs->softmax.axis, &axis);
    union ir_attrs max = {.reduce = {.kind = IR_REDUCE_MAX, .axes = {1, &axis}}};
    union ir_attrs sum = {.reduce = {.kind = IR_REDUCE_SUM, .axes = {1, &axis}}};
    struct ir_value *x = out->base, *most = emit_reduce(lo, &max, x, NULL);
    struct pass_place at = lowering_place(lo);
    struct ir_value *e = pass_emit1(&at, IR_exp, NULL, pass_emit2(&at, IR_sub, NULL, x, most));
    struct ir_value *in[] = {e, emit_reduce(lo, &sum, e, NULL)};
    struct ir_new quotient = {.opcode = IR_div, .in = in, .n_in = 2, .name = op->name};
    out->base = pass_emit(&at, &quotient);
    return true;
}

/* ---- moves ---- */

static bool lower_concat(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    const struct ir_type *t = &op->out->type;
    uint32_t axis = (uint32_t)op->attrs->concat.axis;
    struct layout l;
    bool has_layout = false;
    for (uint32_t i = 0; i < op->n_in && !has_layout; i++) {
        struct view x = lowered_view(lo, op->in[i].value);
        has_layout = runtime_layout(&x, &x.type, &l) && layout_add(&l, t, axis);
    }
    if (!has_layout && !(layout_canonical(t, &l) && layout_add(&l, t, axis)))
        l = layout_around(t, axis, 1);
    struct ir_value **in = ARENA_ARRAY(lo->ctx->scratch, struct ir_value *, op->n_in);
    bool known = true;
    for (uint32_t i = 0; i < op->n_in; i++) {
        struct view x = lowered_view(lo, op->in[i].value);
        in[i] = view_materialise(lo, &x, &l);
        known = known && ir_is(in[i], IR_constant);
    }
    if (known)
        return not_folded(lo);
    *out = view_of_layout(emit_concat(lo, in, op->n_in, (uint32_t)l.axis[axis]), t, &l);
    return true;
}

static bool lower_reshape(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    *out = lowered_view(lo, op->in[0].value);
    reshape_view(lo, out, &op->out->type);
    return true;
}

static bool lower_transpose(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    *out = lowered_view(lo, op->in[0].value);
    view_transpose(out, &op->out->type, op->attrs->transpose.perm.at);
    return true;
}

/* ---- inputs and outputs ---- */

static bool lower_model_input(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    (void)lo;
    *out = view_of_input(op);
    return true;
}

static int by_base_stride(const void *a, const void *b)
{
    const struct atom *x = a, *y = b;
    return x[0].stride > y[0].stride ? -1 : x[0].stride < y[0].stride;
}

/* Strides outside of the base's axes, if each axis steps evenly through the tensor outside. */
static bool output_strides(const struct view *v, int64_t strides[3])
{
    struct atom pair[MAX_ATOMS][2]; /* stride in the base; stride outside */
    int64_t outside = 1;
    uint32_t n = v->atoms.n;
    for (uint32_t i = n; i-- > 0;) {
        pair[i][0] = v->atoms.at[i];
        pair[i][1] = (struct atom){v->atoms.at[i].size, outside};
        outside *= v->atoms.at[i].size;
    }
    qsort(pair, n, sizeof *pair, by_base_stride);
    struct atoms ordered = {.n = n};
    for (uint32_t i = 0; i < n; i++)
        ordered.at[i] = pair[i][1];
    uint32_t first[4];
    if (!atoms_split(&ordered, v->base->type.dim, 3, &ordered, first))
        return false;
    for (int a = 0; a < 3; a++) {
        if (first[a + 1] - first[a] > 1)
            return false;
        strides[a] = first[a + 1] > first[a] ? ordered.at[first[a]].stride : 0;
    }
    return true;
}

static bool lower_output(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    (void)out;
    struct view x = lowered_view(lo, op->in[0].value);
    view_base(lo, &x);
    union ir_attrs attrs = *op->attrs;
    if (!output_strides(&x, attrs.output.strides)) {
        struct layout l;
        if (!layout_canonical(&x.type, &l))
            l = layout_flat(&x.type);
        x = view_of_layout(view_materialise(lo, &x, &l), &x.type, &l);
        if (!output_strides(&x, attrs.output.strides))
            BUG("a value in row-major order has no strides outside");
    }
    lower_same(lo, &attrs, &x.base, 1);
    return true;
}

/* ---- the walk ---- */

typedef bool lower_fn(struct lowering *lo, const struct ir_op *op, struct view *out);
static lower_fn *const special[IR_N_OPCODES] = {
    [IR_input] = lower_model_input,
    [IR_output] = lower_output,
    [IR_conv] = lower_conv,
    [IR_matmul] = lower_matmul,
    [IR_quantize] = lower_quantised,
    [IR_dequantize] = lower_quantised,
    [IR_requantize] = lower_quantised,
    [IR_table] = lower_table,
    [IR_cast] = lower_unary,
    [IR_where] = lower_where,
    [IR_max_pool] = lower_pool,
    [IR_avg_pool] = lower_pool,
    [IR_overlap_add] = lower_overlap_add,
    [IR_reduce] = lower_reduce,
    [IR_softmax] = lower_softmax,
    [IR_global_avg_pool] = lower_global_avg_pool,
    [IR_concat] = lower_concat,
    [IR_slice] = lower_slice,
    [IR_reshape] = lower_reshape,
    [IR_transpose] = lower_transpose,
    [IR_pad] = lower_pad,
    [IR_gather_grid] = lower_gather_grid,
    [IR_take] = lower_take,
};

static lower_fn *lowerer(const struct ir_op *op)
{
    if (special[op->opcode])
        return special[op->opcode];
    if (pass_has_trait(op, IR_UNARY))
        return lower_unary;
    return pass_has_trait(op, IR_BINARY) ? lower_binary : NULL;
}

/* A constant of i8 that is no base layer's weights. */
static bool reads_signed_bytes(const struct ir_op *op)
{
    for (uint32_t i = 0; i < op->n_in; i++) {
        if (op->in[i].value->type.dtype == IR_I8 && !(i == 1 && pass_has_trait(op, IR_BASE)))
            return true;
    }
    return false;
}

static bool lower_op(struct lowering *lo, const struct ir_op *op)
{
    struct view out;
    lower_fn *lower = lowerer(op);
    lo->op = op;
    if (op->opcode == IR_constant)
        return true;
    if (!lower)
        return lower_error(lo, "this operation has no mapping onto the machine");
    if (reads_signed_bytes(op))
        return not_folded(lo);
    if (!lower(lo, op, &out))
        return false;
    if (op->out) {
        struct view *kept = ARENA_NEW(lo->ctx->scratch, struct view);
        *kept = out;
        lo->views[op->id] = kept;
    }
    return true;
}

/* Weights are the bulk of a model: the old matrix goes as soon as its last reader is lowered. */
static void release_weights(struct ir_op **old, struct ir_op *op)
{
    if (op->opcode != IR_conv && op->opcode != IR_matmul)
        return;
    uint32_t wi = ir_is(op->in[1].value, IR_constant) ? 1 : 0;
    struct ir_op *w = op->in[wi].value->def;
    if (w->opcode != IR_constant)
        return;
    ir_set_operand(op, wi, op->in[1 - wi].value);
    if (!w->out->uses) {
        old[w->id] = NULL;
        ir_op_remove(w);
    }
}

/* Nobody may read an input, but it stays part of the model's interface. */
static void keep_input(struct lowering *lo, const struct ir_op *input)
{
    struct view v = view_of_input(input);
    if (!lo->is_read[input->id])
        view_ground(lo, &v);
}

/* After an error the walk goes on with what does not depend on it, to report all errors at once. */
static bool can_lower(const struct lowering *lo, const struct ir_op *op)
{
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_op *def = op->in[i].value->def;
        if (def->opcode != IR_constant && !lo->views[def->id])
            return false;
    }
    return true;
}

static bool lower_all(struct lowering *lo, struct ir_op **old, uint32_t n)
{
    bool ok = true;
    for (uint32_t i = 0; i < n; i++) {
        ok = can_lower(lo, old[i]) && lower_op(lo, old[i]) && ok;
        if (ok)
            release_weights(old, old[i]);
    }
    if (!ok)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (old[i] && old[i]->opcode == IR_input)
            keep_input(lo, old[i]);
    }
    for (uint32_t i = n; i-- > 0;) {
        if (old[i])
            ir_op_remove(old[i]);
    }
    return true;
}

static enum pass_result run_im2col(struct pass_ctx *ctx, struct ir_graph *g)
{
    if (!int_check_sums(g, ctx))
        return PASS_FAILED;
    uint32_t n = ir_number(g);
    struct ir_op **old = ARENA_ARRAY(ctx->scratch, struct ir_op *, n);
    struct lowering lo = {.g = g, .ctx = ctx};
    lo.views = ARENA_ARRAY(ctx->scratch, struct view *, n);
    lo.weights = ARENA_ARRAY(ctx->scratch, struct made_weights *, n);
    lo.inputs = ARENA_ARRAY(ctx->scratch, struct made_input *, INPUT_BUCKETS);
    lo.is_read = ARENA_ARRAY(ctx->scratch, bool, n);
    uint32_t i = 0;
    for (struct ir_op *op = g->first; op; op = op->next)
        old[i++] = op;
    g->stage = IR_CROSSBAR;
    bool ok = lower_all(&lo, old, n);
    if (!ok)
        return PASS_FAILED;
    ctx->stats[STAT_UNSHARED] = unshare_weights(g);
    ctx->stats[STAT_MOVES] = lo.n_rearrangements;
    for (const struct ir_op *op = g->first; op; op = op->next)
        ctx->stats[STAT_MVM] += op->opcode == IR_mvm;
    return PASS_CHANGED;
}

static const char *const stats[] = {"base layers", "rearrangements", "weights unshared", NULL};
const struct pass pass_im2col = {
    .name = "im2col",
    .summary = "bring every value to (h, w, c) and base layers to mvm",
    .needs = IR_INTEGER,
    .gives = IR_CROSSBAR,
    .stats = stats,
    .run = run_im2col,
};
