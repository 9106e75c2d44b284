/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * layout.c - makes the transposes of channels-last exports vanish.
 *
 * y = transpose(x, p) has y.dim[i] = x.dim[p[i]]. One walk down the list moves transposes behind
 * their users, f(transpose(x)) -> transpose(f'(x)), where f works elementwise or dimension by
 * dimension; opposite transposes then meet and cancel. A flatten in front of a matmul by a constant
 * takes the transpose into the order of the constant's rows. A second walk moves a transpose that
 * is left back in front of such users where it then follows an input (whose strides absorb it at
 * CROSSBAR) or equals another transpose of the same value (cse merges them), as those of all slices
 * of a value do.
 */
#include "passes_internal.h"

#include <stdlib.h>
#include <string.h>

enum { STAT_SUNK, STAT_COMPOSED, STAT_ROWS, STAT_RAISED };

/* ---- permutations ---- */

static const int64_t *perm_of(const struct ir_op *transpose)
{
    return transpose->attrs->transpose.perm.at;
}

static bool same_perm(const struct ir_op *a, const struct ir_op *b)
{
    return a->out->type.rank == b->out->type.rank &&
           memcmp(perm_of(a), perm_of(b), a->out->type.rank * sizeof *perm_of(a)) == 0;
}

/* out[p[i]] = in[i]: what speaks of y's dimensions speaks of x's. */
static void undo(const int64_t *p, uint32_t rank, const int64_t *in, int64_t *out)
{
    for (uint32_t i = 0; i < rank; i++)
        out[p[i]] = in[i];
}

static void invert(const int64_t *p, uint32_t rank, int64_t *out)
{
    for (uint32_t i = 0; i < rank; i++)
        out[p[i]] = i;
}

static struct ir_op *transposed(const struct ir_value *v)
{
    return ir_is(v, IR_transpose) ? v->def : NULL;
}

/* ---- constants ---- */

/* A constant, or a bias that stays in integers until pass int. */
static bool is_known(const struct ir_value *v)
{
    return ir_is(v, IR_dequantize) ? ir_is(v->def->in[0].value, IR_constant)
                                   : ir_is(v, IR_constant);
}

static struct ir_value *shaped(const struct pass_place *at, struct ir_value *v, uint32_t rank,
                               const int64_t *dims)
{
    struct ir_type to = ir_type_of((enum ir_dtype)v->type.dtype, rank, dims);
    return ir_is(v, IR_constant) ? pass_const_as(at, v->def, rank, dims) : pass_reshape(at, v, &to);
}

/* The constant that meets x where `k` met transpose(x, p): k with leading ones, its dimensions
 * moved. With inverse permutations, the other way round. */
static struct ir_value *move_constant(const struct pass_place *at, struct ir_value *k,
                                      const int64_t *p, uint32_t rank)
{
    const struct ir_type *t = &k->type;
    int64_t wide[IR_MAX_RANK], dims[IR_MAX_RANK], inverse[IR_MAX_RANK];
    uint32_t more = rank - t->rank, n_long = 0;
    for (uint32_t i = 0; i < rank; i++) {
        wide[i] = i < more ? 1 : t->dim[i - more];
        n_long += wide[i] != 1;
    }
    undo(p, rank, wide, dims);
    if (n_long <= 1) /* nothing moves but ones */
        return shaped(at, k, rank, dims);
    invert(p, rank, inverse);
    return pass_transpose(at, shaped(at, k, rank, wide), inverse);
}

/* ---- moving a transpose behind its user ---- */

/* transpose(f'(x..), p) takes op's place. */
static void finish(struct ir_op *op, struct ir_value *moved, const struct ir_op *t,
                   struct pass_ctx *ctx)
{
    struct pass_place at = pass_before(op);
    uint32_t n = op->n_in;
    struct ir_value **was = ARENA_ARRAY(ctx->scratch, struct ir_value *, n);
    for (uint32_t i = 0; i < n; i++)
        was[i] = op->in[i].value;
    pass_replace(op, pass_transpose(&at, moved, perm_of(t)));
    for (uint32_t i = 0; i < n; i++)
        pass_remove_unused(was[i]);
}

static struct ir_value *again(struct ir_op *op, const union ir_attrs *attrs,
                              struct ir_value *const *in)
{
    struct pass_place at = pass_before(op);
    struct ir_new desc = {
        .opcode = op->opcode, .in = in, .n_in = op->n_in, .attrs = attrs, .name = op->name};
    return pass_emit(&at, &desc);
}

static void permute_list(struct ir_ints *list, const int64_t *p, struct arena *a)
{
    int64_t *moved = ARENA_ARRAY(a, int64_t, list->n);
    undo(p, list->n, list->at, moved);
    list->at = moved;
}

/* The index lists of a gather_grid, one dimension after another. */
static void permute_index(struct ir_attrs_gather_grid *g, const int64_t *p, struct arena *a)
{
    const int64_t *lists[IR_MAX_RANK], *next = g->index.at;
    int64_t *index = ARENA_ARRAY(a, int64_t, g->index.n), *to = index;
    for (uint32_t i = 0; i < g->count.n; next += g->count.at[i++])
        lists[p[i]] = next;
    permute_list(&g->count, p, a);
    for (uint32_t d = 0; d < g->count.n; to += g->count.at[d++]) {
        if (g->count.at[d])
            memcpy(to, lists[d], (size_t)g->count.at[d] * sizeof *to);
    }
    g->index.at = index;
}

/* A set of dimensions, ascending. */
static void permute_axes(struct ir_ints *axes, const int64_t *p, struct arena *a)
{
    bool has[IR_MAX_RANK] = {false};
    int64_t *moved = ARENA_ARRAY(a, int64_t, axes->n), n = 0;
    for (uint32_t i = 0; i < axes->n; i++)
        has[p[axes->at[i]]] = true;
    for (int64_t d = 0; d < IR_MAX_RANK; d++) {
        if (has[d])
            moved[n++] = d;
    }
    axes->at = moved;
}

/* Dimensions in an order that matters. */
static void permute_each(struct ir_ints *axes, const int64_t *p, struct arena *a)
{
    int64_t *moved = ARENA_ARRAY(a, int64_t, axes->n);
    for (uint32_t i = 0; i < axes->n; i++)
        moved[i] = p[axes->at[i]];
    axes->at = moved;
}

/* One number for all has no axis, whatever the attribute says. */
static void permute_axis(int64_t *axis, const struct ir_op *f, const int64_t *p)
{
    if (*axis >= 0 && *axis < f->out->type.rank)
        *axis = p[*axis];
}

/* The attributes of f' in f(transpose(x, p)) = transpose(f'(x), p). With inverse permutations, the
 * other way round. */
static union ir_attrs permute_attrs(const struct ir_op *f, const int64_t *p, struct arena *a)
{
    union ir_attrs attrs = *f->attrs;
    switch (f->opcode) {
    case IR_pad:
        permute_list(&attrs.pad.before, p, a);
        permute_list(&attrs.pad.after, p, a);
        break;
    case IR_slice:
        permute_list(&attrs.slice.start, p, a);
        permute_list(&attrs.slice.step, p, a);
        permute_list(&attrs.slice.count, p, a);
        break;
    case IR_gather_grid: permute_index(&attrs.gather_grid, p, a); break;
    case IR_reduce: permute_axes(&attrs.reduce.axes, p, a); break;
    case IR_layer_norm: permute_axes(&attrs.layer_norm.axes, p, a); break;
    case IR_interpolate: permute_each(&attrs.interpolate.axes, p, a); break;
    case IR_softmax: attrs.softmax.axis = p[attrs.softmax.axis]; break;
    case IR_quantize: permute_axis(&attrs.quantize.axis, f, p); break;
    case IR_dequantize: permute_axis(&attrs.dequantize.axis, f, p); break;
    case IR_requantize: permute_axis(&attrs.requantize.axis, f, p); break;
    case IR_concat: attrs.concat.axis = p[attrs.concat.axis]; break;
    default: break;
    }
    return attrs;
}

enum { MOST_PARAMETERS = 8 };
/* Operations that work elementwise or dimension by dimension of operand 0; all others are
 * parameters, of one dimension at most. */
static bool is_permutable(const struct ir_op *op)
{
    switch (op->opcode) {
    case IR_pad:
    case IR_slice:
    case IR_gather_grid:
    case IR_softmax:
    case IR_reduce:
    case IR_layer_norm:
    case IR_interpolate:
    case IR_quantize:
    case IR_dequantize:
    case IR_requantize:
    case IR_cast: return true;
    default: return pass_has_trait(op, IR_UNARY);
    }
}

/* Elementwise of several operands, which broadcast. */
static bool broadcasts(const struct ir_op *op)
{
    return pass_has_trait(op, IR_BINARY) || op->opcode == IR_where;
}

static bool sink_one(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_op *t = transposed(op->in[0].value);
    if (!t)
        return false;
    struct ir_value *in[MOST_PARAMETERS + 1];
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = i ? op->in[i].value : t->in[0].value;
    union ir_attrs attrs = permute_attrs(op, perm_of(t), ctx->scratch);
    finish(op, again(op, &attrs, in), t, ctx);
    return true;
}

static bool sink_broadcast(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_op *t[MOST_PARAMETERS], *any = NULL;
    uint32_t rank = op->out->type.rank;
    for (uint32_t i = 0; i < op->n_in; i++) {
        t[i] = transposed(op->in[i].value);
        any = any ? any : t[i];
    }
    if (!any || any->out->type.rank != rank)
        return false;
    struct pass_place at = pass_before(op);
    struct ir_value *in[MOST_PARAMETERS];
    for (uint32_t i = 0; i < op->n_in; i++) { /* check all before anything is made */
        if (!is_known(op->in[i].value) && (!t[i] || !same_perm(t[i], any)))
            return false;
    }
    for (uint32_t i = 0; i < op->n_in; i++)
        in[i] = t[i] ? t[i]->in[0].value : move_constant(&at, op->in[i].value, perm_of(any), rank);
    finish(op, again(op, op->attrs, in), any, ctx);
    return true;
}

static bool sink_concat(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_op *any = NULL;
    for (uint32_t i = 0; i < op->n_in; i++) {
        struct ir_op *t = transposed(op->in[i].value);
        if (!t && !is_known(op->in[i].value))
            return false;
        if (t && any && !same_perm(t, any))
            return false;
        any = any ? any : t;
    }
    if (!any)
        return false;
    struct pass_place at = pass_before(op);
    struct ir_value **in = ARENA_ARRAY(ctx->scratch, struct ir_value *, op->n_in);
    for (uint32_t i = 0; i < op->n_in; i++) {
        struct ir_op *t = transposed(op->in[i].value);
        in[i] = t ? t->in[0].value
                  : move_constant(&at, op->in[i].value, perm_of(any), any->out->type.rank);
    }
    union ir_attrs attrs = permute_attrs(op, perm_of(any), ctx->scratch);
    finish(op, again(op, &attrs, in), any, ctx);
    return true;
}

/* transpose(transpose(x, p), q) = transpose(x, r), r[i] = p[q[i]]; the identity vanishes. */
static bool compose(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_op *t = transposed(op->in[0].value);
    uint32_t rank = op->out->type.rank;
    int64_t r[IR_MAX_RANK];
    bool identity = true;
    for (uint32_t i = 0; i < rank; i++) {
        r[i] = t ? perm_of(t)[perm_of(op)[i]] : perm_of(op)[i];
        identity = identity && r[i] == i;
    }
    if (!t && !identity)
        return false;
    struct ir_value *inner = op->in[0].value, *x = t ? t->in[0].value : inner;
    struct pass_place at = pass_before(op);
    pass_replace(op, identity ? x : pass_transpose(&at, x, r));
    pass_remove_unused(inner);
    ctx->stats[STAT_COMPOSED]++;
    return true;
}

/* ---- flatten in front of a constant matrix ---- */

/* Dimensions > 1 of transpose's result: their sizes and the order they have in x. */
struct flatten {
    uint32_t n, first;           /* dimensions first.. make K */
    int64_t size[IR_MAX_RANK];   /* in the result's order */
    int64_t source[IR_MAX_RANK]; /* x's dimension */
};

/* Do the dimensions before those that make K come first, in the same order, in x as well? */
static bool find_flatten(const struct ir_op *t, int64_t k, struct flatten *out)
{
    *out = (struct flatten){0};
    for (uint32_t i = 0; i < t->out->type.rank; i++) {
        if (t->out->type.dim[i] == 1)
            continue;
        out->size[out->n] = t->out->type.dim[i];
        out->source[out->n++] = perm_of(t)[i];
    }
    int64_t product = 1;
    for (out->first = out->n; product < k && out->first > 0;)
        product *= out->size[--out->first];
    if (product != k)
        return false;
    for (uint32_t i = 0; i < out->first; i++) {
        for (uint32_t j = i + 1; j < out->n; j++) {
            if (out->source[j] < out->source[i])
                return false;
        }
    }
    return true;
}

/* The matrix with its rows in x's order. */
static struct ir_value *permute_rows(const struct pass_place *at, const struct ir_op *w,
                                     const struct flatten *f)
{
    const struct ir_type *t = &w->out->type;
    struct blob *b = w->attrs->constant.data;
    struct blob_axis axes[IR_MAX_RANK + 1];
    if (b->splat)
        return w->out;
    int64_t step = t->dim[1];
    for (uint32_t i = f->n; i-- > f->first; step *= f->size[i]) {
        uint32_t place = 0;
        for (uint32_t j = f->first; j < f->n; j++)
            place += f->source[j] < f->source[i];
        axes[place] = (struct blob_axis){f->size[i], step};
    }
    axes[f->n - f->first] = (struct blob_axis){t->dim[1], 1};
    return pass_const_of(at, 2, t->dim, blob_permuted(b, axes, f->n - f->first + 1));
}

static bool absorb_in_matrix(struct ir_op *op, struct pass_ctx *ctx)
{
    struct ir_value *flat = op->in[0].value;
    const struct ir_op *w = pass_f32_constant(op->in[1].value);
    struct ir_op *t = ir_is(flat, IR_reshape) ? transposed(flat->def->in[0].value) : NULL;
    struct flatten f;
    if (!w || w->out->type.rank != 2 || !t || !find_flatten(t, w->out->type.dim[0], &f))
        return false;
    struct pass_place at = pass_before(op);
    struct ir_value *in[2] = {pass_reshape(&at, t->in[0].value, &flat->type),
                              permute_rows(&at, w, &f)};
    union ir_attrs attrs = {.matmul = {.weights = 0}}; /* another matrix than other users' */
    pass_replace(op, again(op, &attrs, in));
    pass_remove_unused(flat);
    pass_remove_unused(w->out);
    ctx->stats[STAT_ROWS]++;
    return true;
}

/* ---- moving a transpose up again ---- */

/* The operand through which a transpose may move up past this operation; false if it may not. */
static bool runtime_operand(const struct ir_op *op, uint32_t *out)
{
    uint32_t n = 0;
    *out = 0;
    if (is_permutable(op))
        return true;
    for (uint32_t i = 0; i < op->n_in && broadcasts(op); i++) {
        if (ir_is(op->in[i].value, IR_constant))
            continue;
        *out = i;
        n++;
    }
    if (n != 1)
        return false;
    const struct ir_type *x = &op->in[*out].value->type, *y = &op->out->type;
    return x->rank == y->rank && memcmp(x->dim, y->dim, sizeof x->dim) == 0;
}

/* Among the uses at the head of the list; a value with more of them is not worth the search. */
static bool has_equal_transpose(const struct ir_value *v, const struct ir_op *t)
{
    int left = 64;
    for (const struct ir_use *u = v->uses; u && left > 0; u = u->next, left--) {
        if (u->user->opcode == IR_transpose && same_perm(u->user, t))
            return true;
    }
    return false;
}

/* Does v have several users, of which each ends in such a transpose, past one operation, and
 * together no fewer elements than v? */
static bool all_end_in(const struct ir_value *v, const struct ir_op *t)
{
    int left = 64;
    int64_t count = 0;
    for (const struct ir_use *u = v->uses; u; u = u->next, left--) {
        const struct ir_op *f = u->user;
        if (left == 0 || !is_permutable(f) || u != &f->in[0] || !ir_has_one_use(f->out) ||
            f->out->uses->user->opcode != IR_transpose || !same_perm(f->out->uses->user, t))
            return false;
        count += ir_count(&f->out->type);
    }
    return left < 63 && count >= ir_count(&v->type);
}

/* How many operations to move past: of one use each, leading up to a place named at the head of
 * this file; 0 if they do not. */
static unsigned steps_up(const struct ir_op *t)
{
    const struct ir_value *v = t->in[0].value;
    unsigned n = 0;
    if (ir_has_one_use(v) && is_permutable(v->def) && all_end_in(v->def->in[0].value, t))
        return 1;
    for (uint32_t i; ir_has_one_use(v) && runtime_operand(v->def, &i); n++)
        v = v->def->in[i].value;
    return n && (ir_is(v, IR_input) || has_equal_transpose(v, t)) ? n : 0;
}

/* transpose(f(x)) -> f'(transpose(x)), past one operation. Returns the new transpose. */
static struct ir_op *raise_once(struct ir_op *t, struct pass_ctx *ctx)
{
    struct ir_op *f = t->in[0].value->def;
    uint32_t xi, rank = t->out->type.rank;
    int64_t inverse[IR_MAX_RANK];
    if (!runtime_operand(f, &xi))
        BUG("a transpose cannot move past this operation");
    struct pass_place at = pass_before(t);
    struct ir_value *x = pass_transpose(&at, f->in[xi].value, perm_of(t));
    struct ir_value *in[MOST_PARAMETERS + 1];
    invert(perm_of(t), rank, inverse);
    for (uint32_t i = 0; i < f->n_in; i++)
        in[i] = f->in[i].value;
    for (uint32_t i = 0; i < f->n_in && broadcasts(f); i++)
        in[i] = i == xi ? x : move_constant(&at, in[i], inverse, rank);
    in[xi] = x;
    union ir_attrs attrs = permute_attrs(f, inverse, ctx->scratch);
    struct ir_new desc = {
        .opcode = f->opcode, .in = in, .n_in = f->n_in, .attrs = &attrs, .name = f->name};
    pass_replace(t, pass_emit(&at, &desc));
    pass_remove_unused(f->out);
    return x->def;
}

/* ---- the pass ---- */

/* Not integers that shapes are computed with. */
static bool is_data(const struct ir_value *v)
{
    return v->type.dtype != IR_I64;
}

static bool sink(struct ir_op *op, struct pass_ctx *ctx)
{
    if (!op->out || !is_data(op->out))
        return false;
    if (op->opcode == IR_concat)
        return sink_concat(op, ctx);
    if (is_permutable(op))
        return sink_one(op, ctx);
    return broadcasts(op) && sink_broadcast(op, ctx);
}

static enum pass_result run_layout(struct pass_ctx *ctx, struct ir_graph *g)
{
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next; /* what is made or removed stands before it */
        if (op->opcode == IR_transpose)
            compose(op, ctx);
        else if (op->opcode == IR_matmul)
            absorb_in_matrix(op, ctx);
        else if (sink(op, ctx))
            ctx->stats[STAT_SUNK]++;
    }
    for (struct ir_op *op = g->first, *next; op; op = next) {
        next = op->next;
        unsigned n = op->opcode == IR_transpose ? steps_up(op) : 0;
        for (; n; n--) {
            op = raise_once(op, ctx);
            ctx->stats[STAT_RAISED]++;
        }
    }
    bool changed = false;
    for (int i = 0; i <= STAT_RAISED; i++)
        changed = changed || ctx->stats[i];
    return changed ? PASS_CHANGED : PASS_UNCHANGED;
}

static const char *const stats[] = {"transposes moved down", "transposes composed",
                                    "transposes put into rows of a matrix", "transposes moved up",
                                    NULL};
const struct pass pass_layout = {
    .name = "layout",
    .summary = "move transposes until they cancel",
    .needs = IR_TENSOR,
    .stats = stats,
    .run = run_layout,
};
