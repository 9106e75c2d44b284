/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col_base.c - base layers become mvm: w is K x N with row (kh*KW + kw)*C + ci.
 *
 *   conv: the O I KH KW weights are transposed to KH KW I O; I and K are those of one conv group.
 *   matmul(x, W), W constant [K,N]: if all of x is one row of K, the kernel is the whole base of
 * x's view (h, w) and W's rows go to the places of x's elements in it, so that a flatten in front
 * costs nothing; if K is exactly the base's c axis, 1x1 over its h and w; else 1x1 over x brought
 * to (leading dimensions, second last, K). matmul(A, x) = transpose(matmul(transpose(x),
 * transpose(A))).
 */
#include "im2col.h"

#include <stdlib.h>
#include <string.h>

/* How an old constant becomes a K x N matrix. */
struct weights_key {
    bool conv;       /* O I KH KW -> rows (kh, kw, i); else a matrix */
    bool transposed; /* matrix is [N,K] */
    int64_t k, n;
    struct atoms rows; /* of a matrix: where its row k goes; none = row k */
};
struct made_weights {
    struct made_weights *next;
    struct weights_key key;
    struct ir_value *value;
    int64_t bits; /* of integers: what each of them fits in; 0 of floats */
};

/* ---- weight matrices ---- */

/* A digit of the old constant's index along K. */
struct row_digit {
    int64_t size, from, to; /* steps of that index and of the matrix's rows */
};

static int by_row(const void *a, const void *b)
{
    int64_t p = ((const struct row_digit *)a)->to, q = ((const struct row_digit *)b)->to;
    return (p < q) - (p > q);
}

/* The rows' axes, outermost first, as steps of the old constant's index along K. */
static uint32_t row_axes(const struct weights_key *key, struct blob_axis *out)
{
    struct row_digit digit[MAX_ATOMS];
    int64_t from = 1, to = key->k;
    for (uint32_t i = key->rows.n; i-- > 0; from *= key->rows.at[i].size)
        digit[i] = (struct row_digit){key->rows.at[i].size, from, key->rows.at[i].stride};
    if (key->rows.n == 0) {
        *out = (struct blob_axis){key->k, 1};
        return 1;
    }
    qsort(digit, key->rows.n, sizeof *digit, by_row);
    for (uint32_t i = 0; i < key->rows.n; i++) {
        to /= digit[i].size;
        if (digit[i].to != to)
            BUG("the window's elements are not those of a row");
        out[i] = (struct blob_axis){digit[i].size, digit[i].from};
    }
    return key->rows.n;
}

static uint32_t matrix_axes(const struct ir_op *w, const struct weights_key *key,
                            struct blob_axis *out)
{
    const int64_t *d = w->out->type.dim;
    uint32_t n = 0;
    if (key->conv) {
        out[n++] = (struct blob_axis){d[2], d[3]};
        out[n++] = (struct blob_axis){d[3], 1};
        out[n++] = (struct blob_axis){d[1], d[2] * d[3]};
    } else {
        n = row_axes(key, out);
    }
    bool columns_apart = key->conv || key->transposed;
    for (uint32_t i = 0; i < n && !columns_apart; i++)
        out[i].stride *= key->n;
    out[n++] = (struct blob_axis){key->n, columns_apart ? key->k : 1};
    return n;
}

static struct ir_value *make_weights(struct lowering *lo, const struct ir_op *w,
                                     const struct weights_key *key)
{
    struct pass_place at = lowering_place(lo);
    struct blob *b = w->attrs->constant.data;
    struct blob_axis axes[BLOB_MAX_AXES];
    int64_t dims[2] = {key->k, key->n};
    bool row_major = !key->conv && !key->transposed && key->rows.n <= 1;
    if (b->splat || row_major)
        return pass_const_as(&at, w, 2, dims);
    uint32_t n = matrix_axes(w, key, axes);
    return pass_const_permuted(&at, w, 2, dims, axes, n);
}

enum { LEAST_BITS = 2 };

/* The fewest bits, from LEAST_BITS on, that hold every weight in two's complement. */
static int64_t bits_of(const struct ir_op *w)
{
    const struct blob *b = w->attrs->constant.data;
    if (w->out->type.dtype != IR_I8)
        return 0;
    const signed char *at = blob_data(b);
    int64_t n = b->splat ? 1 : ir_count(&w->out->type), bits = LEAST_BITS;
    unsigned magnitude = 0; /* bits that any w, or of a negative one -1 - w, has */
    for (int64_t i = 0; i < n; i++)
        magnitude |= (unsigned)(at[i] < 0 ? -1 - at[i] : at[i]);
    while (magnitude >> (bits - 1))
        bits++;
    return bits;
}

static bool key_equal(const struct weights_key *a, const struct weights_key *b)
{
    return a->conv == b->conv && a->transposed == b->transposed && a->k == b->k && a->n == b->n &&
           atoms_equal(&a->rows, &b->rows);
}

/* The same question gets the same constant: users of one `weights` object must name one matrix. */
static const struct made_weights *weights(struct lowering *lo, const struct ir_op *w,
                                          const struct weights_key *key)
{
    struct made_weights **list = &lo->weights[w->id];
    for (struct made_weights *m = *list; m; m = m->next) {
        if (key_equal(&m->key, key))
            return m;
    }
    struct made_weights *made = ARENA_NEW(lo->ctx->scratch, struct made_weights);
    made->key = *key;
    made->value = make_weights(lo, w, key);
    made->bits = bits_of(w);
    made->next = *list;
    *list = made;
    return made;
}

enum { X_BITS = 8 }; /* of a quantised input */

/* Of x and w, with the centers of the operation at hand, if it has any. */
static struct ir_value *emit_mvm(struct lowering *lo, struct ir_value *x,
                                 const struct made_weights *w, const union ir_attrs *attrs)
{
    struct pass_place at = lowering_place(lo);
    struct ir_value *in[] = {x, w->value, NULL};
    union ir_attrs all = *attrs;
    uint32_t n_in = lo->op->n_in;
    if (n_in > 2) {
        const struct ir_op *center = lo->op->in[2].value->def;
        in[2] = pass_const_as(&at, center, 1, center->out->type.dim);
    }
    all.mvm.x_bits = x->type.dtype == IR_U8 ? X_BITS : 0;
    all.mvm.weight_bits = w->bits;
    return pass_emit(
        &at, &(struct ir_new){
                 .opcode = IR_mvm, .in = in, .n_in = n_in, .attrs = &all, .name = lo->op->name});
}

/* ---- conv ---- */

bool lower_conv(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    const struct ir_attrs_conv *a = &op->attrs->conv;
    struct view x = lowered_view(lo, op->in[0].value);
    struct layout image;
    if (!layout_canonical(&x.type, &image) || !layout_canonical(&op->out->type, &image))
        return lower_error(lo, "the batch dimension must be 1");
    const struct ir_op *w = op->in[1].value->def;
    if (w->opcode != IR_constant)
        return lower_error(lo, "the weights must be constant");
    struct weights_key key = {.conv = true};
    key.n = w->out->type.dim[0];
    key.k = ir_count(&w->out->type) / key.n;
    union ir_attrs attrs = {.mvm = {.group = a->group, .weights = a->weights}};
    memcpy(attrs.mvm.kernel, a->kernel, sizeof a->kernel);
    memcpy(attrs.mvm.stride, a->stride, sizeof a->stride);
    memcpy(attrs.mvm.dilation, a->dilation, sizeof a->dilation);
    struct ir_value *image_x = view_materialise(lo, &x, &image);
    struct ir_value *y = emit_mvm(lo, image_x, weights(lo, w, &key), &attrs);
    *out = view_of_layout(y, &op->out->type, &image);
    return true;
}

/* ---- matmul ---- */

struct dense {
    const struct ir_op *w;
    bool transposed; /* w is [N,K] */
    int64_t weights, k, n;
};

/* Is x's last dimension, K, the base's c axis? Then all others lie on h and w, somehow. */
static bool has_rows_of(const struct view *x, int64_t k)
{
    uint32_t first[IR_MAX_RANK + 1], last = x->type.rank - 1u;
    struct atoms split;
    if (!x->base || x->base->type.dim[2] != k)
        return false;
    view_split(x, &split, first);
    return k == 1 || (first[last + 1] - first[last] == 1 && split.at[first[last]].stride == 1);
}

/* The view of type `t` of `base`, which has other channels than x's base, on the same pixels. */
static struct view rows_of(struct ir_value *base, const struct ir_type *t, const struct view *x,
                           int64_t k)
{
    struct view y = {.type = *t, .base = base};
    uint32_t first[IR_MAX_RANK + 1], last = t->rank - 1u;
    struct atoms split;
    int64_t n = t->dim[last];
    view_split(x, &split, first);
    for (uint32_t i = 0; i < first[last]; i++)
        atoms_append(&y.atoms, &(struct atom){split.at[i].size, split.at[i].stride / k * n}, 1);
    atoms_append(&y.atoms, &(struct atom){n, 1}, n > 1);
    return y;
}

/* x's last dimension is K, all others are rows; y gets the type x[..:-1] + [n]. */
static struct view dense_rows(struct lowering *lo, struct view *x, const struct dense *m,
                              const struct ir_type *y_type)
{
    if (!has_rows_of(x, m->k)) {
        struct layout l;
        for (int d = 0; d < x->type.rank; d++)
            l.axis[d] = (int8_t)max_i64(d + 3 - x->type.rank, 0);
        *x = view_of_layout(view_materialise(lo, x, &l), &x->type, &l);
    }
    struct weights_key key = {.transposed = m->transposed};
    key.k = m->k;
    key.n = m->n;
    union ir_attrs attrs = {.mvm = {.kernel = {1, 1},
                                    .stride = {1, 1},
                                    .dilation = {1, 1},
                                    .group = 1,
                                    .weights = m->weights}};
    struct ir_value *y = emit_mvm(lo, x->base, weights(lo, m->w, &key), &attrs);
    return rows_of(y, y_type, x, m->k);
}

/* All of x is one row: the window is the whole base. */
static struct view dense_all(struct lowering *lo, struct view *x, const struct dense *m,
                             const struct ir_type *y_type)
{
    if (!x->base)
        view_ground(lo, x);
    const int64_t *dim = x->base->type.dim;
    struct weights_key key = {.transposed = m->transposed};
    key.k = m->k;
    key.n = m->n;
    key.rows = x->atoms;
    atoms_merge(&key.rows);
    if (key.rows.n == 1) /* in order, as if there were no map */
        key.rows.n = 0;
    union ir_attrs attrs = {.mvm = {.kernel = {dim[0], dim[1]},
                                    .stride = {1, 1},
                                    .dilation = {1, 1},
                                    .group = 1,
                                    .weights = m->weights}};
    struct ir_value *y = emit_mvm(lo, x->base, weights(lo, m->w, &key), &attrs);
    struct layout flat = layout_flat(y_type);
    return view_of_layout(y, y_type, &flat);
}

static struct view dense(struct lowering *lo, struct view *x, const struct dense *m)
{
    struct ir_type y = x->type;
    y.dtype = lo->op->out->type.dtype;
    y.dim[y.rank - 1] = m->n;
    bool one_row = ir_count(&x->type) == m->k;
    return one_row ? dense_all(lo, x, m, &y) : dense_rows(lo, x, m, &y);
}

/* The constant as [.., rows, cols] with only ones in front; false otherwise. */
static bool is_matrix(const struct ir_type *t)
{
    for (int d = 0; d + 2 < t->rank; d++) {
        if (t->dim[d] != 1)
            return false;
    }
    return true;
}

bool lower_matmul(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    bool swapped[2];
    const struct ir_op *constant[2];
    for (int i = 0; i < 2; i++)
        constant[i] = pass_matrix_constant(op->in[i].value, &swapped[i]);
    if (op->in[1].value->type.dtype == IR_I8) /* in integers it stands there, as it is */
        constant[1] = op->in[1].value->def;
    int wi = constant[1] ? 1 : 0;
    const struct ir_op *w = constant[wi];
    const struct ir_type *t = &op->in[wi].value->type;
    if (!w || !is_matrix(t))
        return lower_dot(lo, op, out);
    bool left = wi == 0;
    struct view x = lowered_view(lo, op->in[1 - wi].value);
    struct dense m = {.w = w, .weights = op->attrs->matmul.weights};
    m.transposed = left != swapped[wi];
    m.k = left || t->rank == 1 ? t->dim[t->rank - 1] : t->dim[t->rank - 2];
    m.n = t->rank == 1 ? 1 : left ? t->dim[t->rank - 2] : t->dim[t->rank - 1];
    bool swap = left && x.type.rank > 1;
    if (swap)
        view_swap_last(&x);
    *out = dense(lo, &x, &m);
    if (swap)
        view_swap_last(out);
    /* Dimensions of 1 come and go with vectors and with a constant of higher rank. */
    if (!view_reshape(out, &op->out->type))
        BUG("a product of %lld elements got another type", (long long)ir_count(&out->type));
    return true;
}

/* ---- sharing ---- */

static int by_weights(const void *a, const void *b)
{
    const struct ir_op *x = *(struct ir_op *const *)a, *y = *(struct ir_op *const *)b;
    int64_t p = x->attrs->mvm.weights, q = y->attrs->mvm.weights;
    if (p != q)
        return p < q ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static bool same_centers(const struct ir_op *a, const struct ir_op *b)
{
    if (a->n_in < 3 || b->n_in < 3)
        return a->n_in == b->n_in;
    return blob_equal(a->in[2].value->def->attrs->constant.data,
                      b->in[2].value->def->attrs->constant.data);
}

uint64_t unshare_weights(struct ir_graph *g)
{
    uint64_t n_unshared = 0;
    VEC(struct ir_op *) users = {0};
    ir_number(g);
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode == IR_mvm && op->attrs->mvm.weights > 0)
            VEC_PUSH(&users, op);
    }
    if (users.n)
        qsort(users.at, users.n, sizeof *users.at, by_weights);
    const struct ir_op *first = NULL;
    for (size_t i = 0; i < users.n; i++) {
        struct ir_op *op = users.at[i];
        if (!first || first->attrs->mvm.weights != op->attrs->mvm.weights)
            first = op;
        else if (first->in[1].value != op->in[1].value || !same_centers(first, op) ||
                 first->attrs->mvm.group != op->attrs->mvm.group ||
                 first->attrs->mvm.weight_bits != op->attrs->mvm.weight_bits) {
            op->attrs->mvm.weights = 0;
            n_unshared++;
        }
    }
    VEC_FREE(&users);
    return n_unshared;
}
