/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * im2col_dot.c - products of two values of run time: matmul becomes dot.
 *
 * Dimensions of the stack that both operands have lie on h, so that each row has a matrix of its
 * own. One that a alone has is more rows of a, on w; one that b alone has is more columns of b. So
 * nothing is ever repeated, and heads that were cut out of channels lie on h by slices alone.
 */
#include "im2col.h"

struct product {
    struct view x[2];    /* [stack.., m, k] and [stack.., k, n], of one rank */
    struct ir_type type; /* [stack.., m, n] */
};

static struct product product_of(struct lowering *lo, const struct ir_op *op)
{
    struct product p;
    uint32_t rank = 2;
    for (int i = 0; i < 2; i++) {
        struct view *v = &p.x[i];
        *v = lowered_view(lo, op->in[i].value);
        struct ir_type column =
            ir_type_of((enum ir_dtype)v->type.dtype, 2, (int64_t[]){v->type.dim[0], 1});
        if (v->type.rank == 1 && (i == 0 || !view_reshape(v, &column)))
            view_raise(v, 2);
        rank = v->type.rank > rank ? v->type.rank : rank;
    }
    for (int i = 0; i < 2; i++)
        view_raise(&p.x[i], rank);
    p.type = p.x[0].type;
    p.type.dtype = op->out->type.dtype;
    p.type.dim[rank - 1] = p.x[1].type.dim[rank - 1];
    for (uint32_t d = 0; d + 2 < rank; d++)
        p.type.dim[d] = max_i64(p.x[0].type.dim[d], p.x[1].type.dim[d]);
    return p;
}

/* Inputs and constants come in any layout. */
static bool is_free(const struct view *v)
{
    return !v->base || ir_is(v->base, IR_constant);
}

/* Is the dimension the innermost one of its base, so that it can be c where it is? */
static bool is_innermost(const struct view *v, uint32_t dim)
{
    struct atoms split;
    uint32_t first[IR_MAX_RANK + 1];
    view_split(v, &split, first);
    return is_free(v) || v->type.dim[dim] == 1 || split.at[first[dim + 1] - 1].stride == 1;
}

/* (a b)^T = b^T a^T, where k is b's innermost dimension and not a's. */
static bool turn(struct product *p)
{
    uint32_t r = p->type.rank;
    if (is_innermost(&p->x[0], r - 1) || !is_innermost(&p->x[1], r - 2))
        return false;
    struct view a = p->x[0];
    p->x[0] = p->x[1];
    p->x[1] = a;
    for (int i = 0; i < 2; i++)
        view_swap_last(&p->x[i]);
    int64_t m = p->type.dim[r - 2];
    p->type.dim[r - 2] = p->type.dim[r - 1];
    p->type.dim[r - 1] = m;
    return true;
}

static void permute(struct view *v, const int64_t *perm)
{
    struct ir_type t = v->type;
    for (uint32_t d = 0; d < t.rank; d++)
        t.dim[d] = v->type.dim[perm[d]];
    view_transpose(v, &t, perm);
}

/* How far out the dimension is to lie on h: what lies there already keeps its place, innermost;
 * what comes from channels is outermost (try_slices). */
static int64_t depth(const struct view *v, const struct atoms *split, const uint32_t *first,
                     uint32_t dim)
{
    int64_t stride[3], step = first[dim + 1] > first[dim] ? split->at[first[dim]].stride : 0;
    if (is_free(v))
        return -(int64_t)dim;
    axis_strides(v->base->type.dim, stride);
    return step >= stride[0] ? step : step >= stride[1] ? INT64_MAX - 1 : INT64_MAX;
}

/* The order of the stack is free; that of a's base moves least, or of b's where a is free. */
static void order_stack(const struct product *p, int64_t *perm)
{
    const struct view *a = &p->x[is_free(&p->x[0]) ? 1 : 0];
    uint32_t first[IR_MAX_RANK + 1], m = p->type.rank - 2u;
    struct atoms split;
    int64_t key[IR_MAX_RANK];
    view_split(a, &split, first);
    for (uint32_t d = 0; d < p->type.rank; d++) {
        uint32_t at = d;
        int64_t own = d < m ? depth(a, &split, first, d) : 0;
        for (; d < m && at > 0 && key[at - 1] < own; at--) {
            key[at] = key[at - 1];
            perm[at] = perm[at - 1];
        }
        key[at] = own;
        perm[at] = d;
    }
}

/* Where the dimensions of a, b and the result lie. */
struct layouts {
    struct layout a, b, out;
    bool kn;
};

static struct layouts layouts_of(const struct product *p)
{
    struct layouts l;
    uint32_t n = p->type.rank - 1u, m = n - 1;
    l.kn = !is_innermost(&p->x[1], m);
    int8_t b_n = l.kn ? 2 : 1;
    for (uint32_t d = 0; d < m; d++) {
        bool in_a = p->x[0].type.dim[d] == p->type.dim[d];
        bool in_b = p->x[1].type.dim[d] == p->type.dim[d];
        l.a.axis[d] = !in_b ? 1 : 0;
        l.b.axis[d] = !in_a ? b_n : 0;
        l.out.axis[d] = !in_b ? 1 : !in_a ? 2 : 0;
    }
    l.a.axis[m] = l.out.axis[m] = 1;
    l.a.axis[n] = l.out.axis[n] = 2;
    l.b.axis[m] = l.kn ? 1 : 2;
    l.b.axis[n] = b_n;
    return l;
}

bool lower_dot(struct lowering *lo, const struct ir_op *op, struct view *out)
{
    struct product p = product_of(lo, op);
    int64_t perm[IR_MAX_RANK], back[IR_MAX_RANK];
    bool turned = turn(&p);
    order_stack(&p, perm);
    for (int i = 0; i < 2; i++)
        permute(&p.x[i], perm);
    struct ir_type t = p.type;
    for (uint32_t d = 0; d < t.rank; d++) {
        t.dim[d] = p.type.dim[perm[d]];
        back[perm[d]] = d;
    }
    p.type = t;
    struct layouts l = layouts_of(&p);
    struct ir_value *in[] = {view_materialise(lo, &p.x[0], &l.a),
                             view_materialise(lo, &p.x[1], &l.b)};
    struct pass_place at = lowering_place(lo);
    union ir_attrs attrs = {.dot = {.kn = l.kn}};
    struct ir_new desc = {.opcode = IR_dot, .in = in, .n_in = 2, .attrs = &attrs, .name = op->name};
    *out = view_of_layout(pass_emit(&at, &desc), &p.type, &l.out);
    permute(out, back);
    if (turned)
        view_swap_last(out);
    if (!view_reshape(out, &op->out->type))
        BUG("a product of %lld elements got another type", (long long)ir_count(&out->type));
    return true;
}
