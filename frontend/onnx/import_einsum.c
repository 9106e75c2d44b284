/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_einsum.c - Einsum: operands are contracted two by two, from the left.
 *
 * A label is a dimension. Of two operands: labels that only one has and nobody else wants are
 * summed first; those that both have and somebody still wants are batches of a matmul, those that
 * nobody wants are what it sums over, the others its rows and columns. Without a sum it is a
 * product of elements. A label that an operand has twice is its diagonal. What "..." stands for are
 * labels too, counted from the last one, and of extent 1 where an operand has fewer.
 */
#include "onnx_node.h"

#include <ctype.h>
#include <string.h>

enum { LETTERS = 2 * 26, LABELS = LETTERS + IR_MAX_RANK };

typedef uint8_t label_set[LABELS];

/* A value and the label of each of its dimensions. */
struct term {
    struct ir_value *v;
    int64_t label[IR_MAX_RANK];
    size_t operand; /* of the node, if it is one */
};
struct equation {
    struct onnx_node *n;
    const char *text;
    struct term *term;
    size_t n_terms;
    int64_t out[IR_MAX_RANK]; /* labels of the result */
    uint32_t n_out;
    int64_t extent[LABELS];
};

/* ---- the equation ---- */

/* The letters of one operand, or of the result, from *at on; `ellipsis`: how many labels "..." is.
 * Returns how many labels these are; -1: reported. */
static int read_labels(struct onnx_node *n, const char **at, int64_t ellipsis, int64_t *out)
{
    int count = 0;
    bool dots = false;
    for (; **at && **at != ',' && **at != '-'; ++*at) {
        int64_t more = 1;
        if (**at == ' ')
            continue;
        if (strncmp(*at, "...", 3) == 0 && !dots) {
            more = ellipsis;
            dots = true;
            *at += 2;
        } else if (!isalpha((unsigned char)**at)) {
            onnx_error(n, "the equation has an unexpected '%c'", **at);
            return -1;
        }
        if (count + more > IR_MAX_RANK) {
            onnx_error(n, "the equation has more than %d labels for one tensor", IR_MAX_RANK);
            return -1;
        }
        bool letter = **at != '.';
        int64_t place = islower((unsigned char)**at) ? **at - 'a' + 26 : **at - 'A';
        for (int64_t i = 0; i < more; i++)
            out[count++] = letter ? place : LETTERS + more - 1 - i;
    }
    return count;
}

/* How many letters are there up to the next ',' or "->"? */
static int64_t count_letters(const char *at, bool *ellipsis)
{
    int64_t n = 0;
    *ellipsis = false;
    for (; *at && *at != ',' && *at != '-'; at++) {
        n += isalpha((unsigned char)*at) != 0;
        *ellipsis |= *at == '.';
    }
    return n;
}

static bool take_extents(struct equation *e, const struct term *t)
{
    for (uint32_t i = 0; i < t->v->type.rank; i++) {
        int64_t *known = &e->extent[t->label[i]], dim = t->v->type.dim[i];
        bool spreads = t->label[i] >= LETTERS && (*known == 1 || dim == 1);
        if (*known && *known != dim && !spreads)
            return onnx_error(e->n, "a label is a dimension of %lld and of %lld elements",
                              (long long)*known, (long long)dim);
        *known = max_i64(*known, dim);
    }
    return true;
}

static bool read_terms(struct equation *e, const char **at, int64_t *most_dots)
{
    for (size_t i = 0; i < e->n_terms; i++) {
        struct term *t = &e->term[i];
        bool dots;
        if (!(t->v = onnx_in(e->n, i)))
            return false;
        t->v = onnx_known(e->n, t->v);
        t->operand = i;
        int64_t rank = t->v->type.rank, hidden = rank - count_letters(*at, &dots);
        int count = read_labels(e->n, at, dots ? max_i64(hidden, 0) : 0, t->label);
        if (count < 0)
            return false;
        if (count != rank)
            return onnx_error(e->n, "operand %zu has %lld dimensions, the equation says %d", i,
                              (long long)rank, count);
        *most_dots = dots ? max_i64(*most_dots, hidden) : *most_dots;
        if (!take_extents(e, t))
            return false;
        bool last = i + 1 == e->n_terms;
        if (!last && *(*at)++ != ',')
            return onnx_error(e->n, "the equation has fewer terms than there are operands");
    }
    return **at != ',' || onnx_error(e->n, "the equation has more terms than there are operands");
}

/* "..." and then, by the alphabet, what occurs once. */
static void implied_result(struct equation *e, int64_t dots)
{
    int count[LABELS] = {0};
    for (size_t i = 0; i < e->n_terms; i++)
        for (uint32_t k = 0; k < e->term[i].v->type.rank; k++)
            count[e->term[i].label[k]]++;
    for (int64_t k = dots - 1; k >= 0; k--)
        e->out[e->n_out++] = LETTERS + k;
    for (int64_t k = 0; k < LETTERS && e->n_out < IR_MAX_RANK; k++)
        if (count[k] == 1)
            e->out[e->n_out++] = k;
}

static bool read_result(struct equation *e, const char *at, int64_t dots)
{
    if (!*at) {
        implied_result(e, dots);
        return true;
    }
    if (strncmp(at, "->", 2) != 0)
        return onnx_error(e->n, "the equation has an unexpected '%c'", *at);
    at += 2;
    int count = read_labels(e->n, &at, dots, e->out);
    label_set seen = {0};
    for (int i = 0; i < count; i++) {
        if (!e->extent[e->out[i]] || seen[e->out[i]])
            return onnx_error(e->n, "the result has a label twice, or one that no operand has");
        seen[e->out[i]] = 1;
    }
    e->n_out = (uint32_t)(count < 0 ? 0 : count);
    return count >= 0 && (!*at || onnx_error(e->n, "the equation has an unexpected '%c'", *at));
}

/* ---- one operand ---- */

static int place_of(const struct term *t, int64_t label)
{
    for (uint32_t i = 0; t->v && i < t->v->type.rank; i++)
        if (t->label[i] == label)
            return (int)i;
    return -1;
}

/* The dimensions in this order; `n` labels, all of which the term has. */
static void order(struct equation *e, struct term *t, const int64_t *label, uint32_t n)
{
    int64_t perm[IR_MAX_RANK] = {0};
    for (uint32_t i = 0; i < n; i++)
        perm[i] = place_of(t, label[i]);
    t->v = onnx_transpose(e->n, t->v, perm, false);
    memcpy(t->label, label, n * sizeof *label);
}

/* Dimensions i < k, of equal extent: to the end, flat, and every (extent + 1)th element. */
static void take_diagonal(struct equation *e, struct term *t, uint32_t i, uint32_t k)
{
    uint32_t rank = t->v->type.rank, n = 0;
    int64_t perm[IR_MAX_RANK], dims[IR_MAX_RANK], start[IR_MAX_RANK] = {0}, step[IR_MAX_RANK];
    int64_t extent = t->v->type.dim[i], label = t->label[i];
    for (uint32_t a = 0; a < rank; a++)
        if (a != i && a != k) {
            t->label[n] = t->label[a];
            step[n] = 1;
            dims[n] = t->v->type.dim[a];
            perm[n++] = a;
        }
    perm[n] = i;
    perm[n + 1] = k;
    dims[n] = extent * extent;
    step[n] = extent + 1;
    t->label[n] = label;
    t->v = onnx_reshape(e->n, onnx_transpose(e->n, t->v, perm, false), dims, n + 1, false);
    dims[n] = extent;
    t->v = onnx_slice(e->n, t->v, start, step, dims, false);
}

static void take_diagonals(struct equation *e, struct term *t)
{
    for (uint32_t i = 0; t->v && i < t->v->type.rank; i++)
        for (uint32_t k = i + 1; t->v && k < t->v->type.rank; k++)
            if (t->label[i] == t->label[k]) {
                take_diagonal(e, t, i, k);
                i = 0;
                k = 0;
            }
}

/* Without the dimensions whose labels are not wanted. */
static void sum_unwanted(struct equation *e, struct term *t, const label_set wanted)
{
    bool axes[IR_MAX_RANK] = {0}, any = false;
    int64_t dims[IR_MAX_RANK];
    uint32_t n = 0, rank = t->v ? t->v->type.rank : 0;
    for (uint32_t i = 0; i < rank; i++) {
        any |= axes[i] = !wanted[t->label[i]];
        if (axes[i])
            continue;
        dims[n] = t->v->type.dim[i];
        t->label[n++] = t->label[i];
    }
    if (any)
        t->v = onnx_reshape(e->n, onnx_reduce(e->n, IR_REDUCE_SUM, t->v, axes), dims, n, false);
}

/* ---- two operands ---- */

/* Labels of two terms by what a product does with them. */
struct roles {
    int64_t batch[IR_MAX_RANK], rows[IR_MAX_RANK], columns[IR_MAX_RANK], sum[IR_MAX_RANK];
    uint32_t n_batch, n_rows, n_columns, n_sum;
};

static struct roles roles_of(const struct term *a, const struct term *b, const label_set wanted)
{
    struct roles r = {0};
    for (uint32_t i = 0; i < a->v->type.rank; i++) {
        int64_t label = a->label[i];
        if (place_of(b, label) < 0)
            r.rows[r.n_rows++] = label;
        else if (wanted[label])
            r.batch[r.n_batch++] = label;
        else
            r.sum[r.n_sum++] = label;
    }
    for (uint32_t i = 0; i < b->v->type.rank; i++)
        if (place_of(a, b->label[i]) < 0)
            r.columns[r.n_columns++] = b->label[i];
    return r;
}

struct label_list {
    int64_t at[3 * IR_MAX_RANK];
    uint32_t n;
};

static void append(struct label_list *l, const int64_t *label, uint32_t n)
{
    memcpy(l->at + l->n, label, n * sizeof *label);
    l->n += n;
}

/* The extents of the term's dimensions with these labels; those of `n` from `from` on as one. */
static uint32_t joined_dims(const struct term *t, const struct label_list *l, uint32_t from,
                            uint32_t n, int64_t *dims)
{
    uint32_t rank = 0;
    int64_t together = 1;
    for (uint32_t i = 0; i < l->n; i++) {
        int64_t dim = t->v ? t->v->type.dim[place_of(t, l->at[i])] : 1;
        if (i >= from && i < from + n)
            together *= dim;
        if (i < from || i >= from + n)
            dims[rank++] = dim;
        else if (i == from + n - 1)
            dims[rank++] = together;
    }
    if (n == 0) { /* there is one of extent 1 */
        memmove(dims + from + 1, dims + from, (rank - from) * sizeof *dims);
        dims[from] = 1;
        rank++;
    }
    return rank;
}

/* batches, `first` labels as one dimension unless `apart`, `second` labels as one */
static struct ir_value *matrix_of(struct equation *e, struct term *t, const struct roles *r,
                                  const int64_t *first, uint32_t n_first, const int64_t *second,
                                  uint32_t n_second, bool apart)
{
    struct label_list l = {0};
    int64_t dims[3 * IR_MAX_RANK];
    append(&l, r->batch, r->n_batch);
    append(&l, first, n_first);
    append(&l, second, n_second);
    order(e, t, l.at, l.n);
    uint32_t rank = joined_dims(t, &l, l.n - n_second, n_second, dims);
    struct ir_value *v = onnx_reshape(e->n, t->v, dims, rank, false);
    if (apart || !v)
        return v;
    int64_t rows = 1;
    for (uint32_t i = r->n_batch; i + 1 < v->type.rank; i++)
        rows *= v->type.dim[i];
    memcpy(dims, v->type.dim, v->type.rank * sizeof *dims);
    dims[r->n_batch] = rows;
    dims[r->n_batch + 1] = v->type.dim[v->type.rank - 1];
    return onnx_reshape(e->n, v, dims, r->n_batch + 2, false);
}

/* Labels batch, rows, columns of the result, and their extents. */
static uint32_t result_labels(struct equation *e, const struct roles *r, struct term *out,
                              int64_t *dims)
{
    struct label_list l = {0};
    append(&l, r->batch, r->n_batch);
    append(&l, r->rows, r->n_rows);
    append(&l, r->columns, r->n_columns);
    if (l.n > IR_MAX_RANK) {
        onnx_error(e->n, "a product of %u dimensions; at most %d are supported", l.n, IR_MAX_RANK);
        return 0;
    }
    for (uint32_t i = 0; i < l.n; i++) {
        out->label[i] = l.at[i];
        dims[i] = e->extent[l.at[i]];
    }
    return l.n;
}

/* Rows stay as many dimensions as they are where the right matrix is one for all batches. */
static void contract(struct equation *e, struct term *a, struct term *b, const struct roles *r,
                     struct term *out)
{
    int64_t dims[IR_MAX_RANK];
    bool apart = r->n_batch == 0 && r->n_rows > 0;
    struct ir_value *left = matrix_of(e, a, r, r->rows, r->n_rows, r->sum, r->n_sum, apart);
    struct ir_value *right = matrix_of(e, b, r, r->sum, r->n_sum, r->columns, r->n_columns, false);
    uint32_t rank = result_labels(e, r, out, dims);
    struct ir_value *ab[] = {left, right};
    struct ir_value *v = e->n->named ? onnx_emit_helper(e->n, IR_matmul, NULL, ab, 2)
                                     : onnx_emit(e->n, IR_matmul, NULL, ab, 2);
    if (b->operand < e->n_terms)
        onnx_note_weights(e->n, v, b->operand,
                          arena_printf(e->n->im->arena, "Einsum %s %zu;", e->text, b->operand));
    out->v = onnx_reshape(e->n, v, dims, rank, false);
}

/* The term with dimensions of extent 1 for labels that it lacks. */
static struct ir_value *spread(struct equation *e, struct term *t, const struct term *like,
                               uint32_t rank)
{
    int64_t dims[IR_MAX_RANK], have[IR_MAX_RANK];
    uint32_t n = 0;
    for (uint32_t i = 0; i < rank; i++) {
        int place = place_of(t, like->label[i]);
        dims[i] = place < 0 ? 1 : t->v->type.dim[place];
        if (place >= 0)
            have[n++] = like->label[i];
    }
    order(e, t, have, n);
    return onnx_reshape(e->n, t->v, dims, rank, false);
}

static void multiply(struct equation *e, struct term *a, struct term *b, const struct roles *r,
                     struct term *out)
{
    int64_t dims[IR_MAX_RANK];
    uint32_t rank = result_labels(e, r, out, dims);
    if (!a->v || !b->v || (!rank && r->n_rows + r->n_columns + r->n_batch))
        return;
    out->v = onnx_helper2(e->n, IR_mul, spread(e, a, out, rank), spread(e, b, out, rank));
}

/* Do the batches of both have the extents of the result? Else what is summed may not be joined. */
static bool sums_are_whole(const struct equation *e, const struct term *t, const struct roles *r)
{
    for (uint32_t i = 0; i < r->n_sum; i++)
        if (t->v->type.dim[place_of(t, r->sum[i])] != e->extent[r->sum[i]])
            return false;
    return true;
}

/* a becomes the product of both. The right one should be constant: such are base layers. */
static bool join(struct equation *e, struct term *a, struct term *b, const label_set later)
{
    label_set wanted[2];
    struct term out = {.operand = SIZE_MAX};
    for (int i = 0; i < 2; i++) {
        const struct term *other = i ? a : b;
        memcpy(wanted[i], later, sizeof(label_set));
        for (uint32_t k = 0; k < other->v->type.rank; k++)
            wanted[i][other->label[k]] = 1;
    }
    sum_unwanted(e, a, wanted[0]);
    sum_unwanted(e, b, wanted[1]);
    if (!a->v || !b->v)
        return false;
    if (onnx_is_const(a->v) && !onnx_is_const(b->v)) {
        struct term swap = *a;
        *a = *b;
        *b = swap;
    }
    struct roles r = roles_of(a, b, later);
    if (!sums_are_whole(e, a, &r) || !sums_are_whole(e, b, &r))
        return onnx_error(e->n,
                          "a sum over a dimension that only one operand has is not supported");
    (r.n_sum ? contract : multiply)(e, a, b, &r, &out);
    *a = out;
    return a->v != NULL;
}

static void count_labels(int64_t *count, const int64_t *label, uint32_t n, int by)
{
    for (uint32_t k = 0; k < n; k++)
        count[label[k]] += by;
}

bool import_einsum(struct onnx_node *n)
{
    const char *at = onnx_attr_str(n, "equation", NULL);
    int64_t dots = 0;
    struct equation e = {.n = n, .text = at, .n_terms = n->proto->n_input};
    if (n->failed || !at)
        return n->failed ? false : onnx_error(n, "has no equation");
    e.term = ARENA_ARRAY(n->im->arena, struct term, e.n_terms);
    if (!read_terms(&e, &at, &dots) || !read_result(&e, at, dots))
        return false;
    for (size_t i = 0; i < e.n_terms; i++)
        take_diagonals(&e, &e.term[i]);
    struct term *all = &e.term[0];
    int64_t wants[LABELS] = {0}; /* how many of the result and of the terms to come */
    count_labels(wants, e.out, e.n_out, 1);
    for (size_t i = 1; i < e.n_terms; i++)
        if (e.term[i].v)
            count_labels(wants, e.term[i].label, e.term[i].v->type.rank, 1);
    for (size_t i = 1; i < e.n_terms; i++) {
        label_set later = {0};
        if (e.term[i].v)
            count_labels(wants, e.term[i].label, e.term[i].v->type.rank, -1);
        for (int k = 0; k < LABELS; k++)
            later[k] = wants[k] > 0;
        if (!all->v || !e.term[i].v || !join(&e, all, &e.term[i], later))
            return false;
    }
    label_set wanted = {0};
    for (uint32_t k = 0; k < e.n_out; k++)
        wanted[e.out[k]] = 1;
    sum_unwanted(&e, all, wanted);
    if (all->v)
        order(&e, all, e.out, e.n_out);
    return onnx_set_out(n, 0, all->v);
}
