/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * simplify_stack.c - a product by a constant that holds several matrices becomes one base layer.
 *
 * numpy's matmul pairs matrices by the dimensions in front of the last two. Each such dimension is
 *   shared: both operands have it in full; each matrix multiplies its own part of x: a conv group;
 *   more:   only the constant has it; every matrix multiplies all of x: more columns;
 *   rows:   only x has it; all of it meets the same matrix: more pixels.
 * So with x as [1, shared*K, 1, rows*M] and weights [shared*more*N, K, 1, 1] it is a convolution of
 * `shared` groups, and its result [1, shared*more*N, 1, rows*M] holds every product once. A
 * constant on the left is the one on the right of the transposed product.
 */
#include "simplify_internal.h"

#include <string.h>

enum role { SHARED, MORE, ROWS, N_ROLES };

struct stack {
    const struct ir_op *w;
    struct ir_value *x;
    bool left;        /* w is the left operand */
    uint32_t n_batch; /* dimensions in front of the matrices, ones added in front of the shorter */
    int64_t x_dim[IR_MAX_RANK], w_dim[IR_MAX_RANK]; /* of all n_batch + 2 */
    int64_t k, n, m; /* w's matrices are k x n, x's m x k, as if w stood on the right */
};

/* dims with ones in front, n_batch + 2 of them. A vector on the left is a row, on the right a
 * column. */
static void raise_dims(const struct ir_type *t, uint32_t n_batch, bool column, int64_t *dims)
{
    uint32_t more = n_batch + 2 - t->rank;
    for (uint32_t d = 0; d < n_batch + 2; d++)
        dims[d] = d < more ? 1 : t->dim[d - more];
    if (t->rank == 1 && column) {
        dims[n_batch] = t->dim[0];
        dims[n_batch + 1] = 1;
    }
}

static bool find_stack(const struct ir_op *op, struct stack *s)
{
    uint32_t i;
    if (!pass_constant_operand(op, &i))
        return false;
    *s = (struct stack){.w = op->in[i].value->def, .x = op->in[1 - i].value, .left = i == 0};
    const struct ir_type *w = &s->w->out->type, *x = &s->x->type;
    s->n_batch = (uint32_t)(max_i64(max_i64(w->rank, x->rank), 2) - 2);
    if (w->rank <= 2 || ir_count(w) == 0 || ir_count(x) == 0)
        return false;
    raise_dims(w, s->n_batch, !s->left, s->w_dim);
    raise_dims(x, s->n_batch, s->left, s->x_dim);
    const int64_t *wm = &s->w_dim[s->n_batch], *xm = &s->x_dim[s->n_batch];
    s->k = wm[s->left];
    s->n = wm[!s->left];
    s->m = xm[s->left];
    bool several = false;
    for (uint32_t d = 0; d < s->n_batch; d++)
        several = several || s->w_dim[d] > 1;
    return several;
}

static enum role role_of(const struct stack *s, uint32_t d)
{
    return s->w_dim[d] == 1 ? ROWS : s->x_dim[d] == 1 ? MORE : SHARED;
}

/* Appends the batch dimensions of a role to an order. */
static uint32_t append_role(const struct stack *s, enum role role, int64_t *order, uint32_t n)
{
    for (uint32_t d = 0; d < s->n_batch; d++) {
        if (role_of(s, d) == role)
            order[n++] = d;
    }
    return n;
}

static int64_t product_of(const struct stack *s, enum role role)
{
    int64_t n = 1;
    for (uint32_t d = 0; d < s->n_batch; d++)
        n *= role_of(s, d) == role ? max_i64(s->w_dim[d], s->x_dim[d]) : 1;
    return n;
}

/* x as [1, shared*K, 1, rows*M]. */
static struct ir_value *make_operand(const struct stack *s, const struct pass_place *at)
{
    uint32_t rank = s->n_batch + 2, n = 0;
    int64_t order[IR_MAX_RANK];
    n = append_role(s, SHARED, order, n);
    n = append_role(s, MORE, order, n);
    order[n++] = s->n_batch + !s->left; /* K */
    n = append_role(s, ROWS, order, n);
    order[n++] = s->n_batch + s->left; /* M */
    struct ir_type raised = ir_type_of(IR_F32, rank, s->x_dim);
    struct ir_type flat = ir_type_of(
        IR_F32, 4, (int64_t[]){1, product_of(s, SHARED) * s->k, 1, product_of(s, ROWS) * s->m});
    struct ir_value *x = pass_transpose(at, pass_reshape(at, s->x, &raised), order);
    return pass_reshape(at, x, &flat);
}

/* w as [shared*more*N, K, 1, 1]. */
static struct ir_value *make_weights(const struct stack *s, const struct pass_place *at)
{
    uint32_t rank = s->n_batch + 2, n = 0;
    int64_t order[IR_MAX_RANK],
        dims[4] = {product_of(s, SHARED) * product_of(s, MORE) * s->n, s->k, 1, 1};
    n = append_role(s, SHARED, order, n);
    n = append_role(s, MORE, order, n);
    n = append_role(s, ROWS, order, n);
    order[n++] = s->n_batch + !s->left; /* N */
    order[n++] = s->n_batch + s->left;  /* K */
    struct blob *b = s->w->attrs->constant.data;
    if (b->splat)
        return pass_const_as(at, s->w, 4, dims);
    int64_t stride[IR_MAX_RANK], step = 1;
    for (uint32_t d = rank; d-- > 0; step *= s->w_dim[d])
        stride[d] = step;
    struct blob_axis axes[IR_MAX_RANK];
    for (uint32_t i = 0; i < rank; i++)
        axes[i] = (struct blob_axis){s->w_dim[order[i]], stride[order[i]]};
    return pass_const_of(at, 4, dims, blob_permuted(b, axes, rank));
}

/* [1, shared*more*N, 1, rows*M] as numpy has it. */
static struct ir_value *put_back(const struct stack *s, const struct pass_place *at,
                                 struct ir_value *y, const struct ir_type *want)
{
    uint32_t rank = s->n_batch + 2, n = 0;
    int64_t order[IR_MAX_RANK], dims[IR_MAX_RANK], perm[IR_MAX_RANK];
    n = append_role(s, SHARED, order, n);
    n = append_role(s, MORE, order, n);
    order[n++] = s->n_batch + !s->left; /* N */
    n = append_role(s, ROWS, order, n);
    order[n++] = s->n_batch + s->left; /* M */
    for (uint32_t i = 0; i < rank; i++) {
        bool is_n = order[i] == s->n_batch + !s->left;
        dims[i] = order[i] >= s->n_batch ? is_n ? s->n : s->m
                                         : max_i64(s->w_dim[order[i]], s->x_dim[order[i]]);
        perm[order[i]] = i;
    }
    struct ir_type apart = ir_type_of(IR_F32, rank, dims);
    return pass_reshape(at, pass_transpose(at, pass_reshape(at, y, &apart), perm), want);
}

struct ir_value *rule_matmul_by_stack(struct ir_op *op)
{
    struct stack s;
    if (!find_stack(op, &s))
        return NULL;
    struct pass_place at = pass_before(op);
    struct ir_value *in[2] = {make_operand(&s, &at), make_weights(&s, &at)};
    union ir_attrs attrs = {.conv = {.kernel = {1, 1},
                                     .stride = {1, 1},
                                     .dilation = {1, 1},
                                     .group = product_of(&s, SHARED)}};
    struct ir_value *y = pass_emit(
        &at, &(struct ir_new){
                 .opcode = IR_conv, .in = in, .n_in = 2, .attrs = &attrs, .name = op->name});
    return put_back(&s, &at, y, &op->out->type);
}
