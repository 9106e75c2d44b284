/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_broadcast.c - numpy broadcasting as a walk over rows.
 *
 * Each operand gets a stride for each dimension of the result, 0 where it is repeated. Dimensions
 * of one element are dropped, and two neighbours are joined where, for every operand, the outer
 * stride is the inner stride times the inner extent. What is left innermost has step 0 or 1 for
 * every operand.
 */
#include "eval_internal.h"

struct walk {
    unsigned rank, n_in;
    int64_t dim[IR_MAX_RANK];
    int64_t stride[IR_MAX_RANK][BROADCAST_OPERANDS];
};

/* Stride of operand `t` along dimension k of the result. */
static int64_t stride_along(const struct ir_type *out, const struct ir_type *t, unsigned k)
{
    int64_t dense[IR_MAX_RANK];
    dense_strides(t, dense);
    if (k + t->rank < out->rank)
        return 0;
    unsigned own = k + t->rank - out->rank;
    if (t->dim[own] != 1 && t->dim[own] != out->dim[k])
        BUG("operand of %lld elements along a dimension of %lld", (long long)t->dim[own],
            (long long)out->dim[k]);
    return t->dim[own] == 1 ? 0 : dense[own];
}

static bool can_join(const struct walk *w, const int64_t inner[], int64_t extent)
{
    for (unsigned i = 0; i < w->n_in; i++) {
        if (w->stride[w->rank - 1][i] != inner[i] * extent)
            return false;
    }
    return true;
}

static struct walk plan(const struct ir_type *out, const struct tensor *const *in, unsigned n_in)
{
    struct walk w = {.n_in = n_in};
    for (unsigned k = 0; k < out->rank; k++) {
        int64_t stride[BROADCAST_OPERANDS];
        for (unsigned i = 0; i < n_in; i++)
            stride[i] = stride_along(out, &in[i]->type, k);
        if (out->dim[k] == 1)
            continue;
        bool join = w.rank > 0 && can_join(&w, stride, out->dim[k]);
        unsigned at = join ? w.rank - 1 : w.rank++;
        w.dim[at] = (join ? w.dim[at] : 1) * out->dim[k];
        for (unsigned i = 0; i < n_in; i++)
            w.stride[at][i] = stride[i];
    }
    if (w.rank == 0)
        w.dim[w.rank++] = 1;
    return w;
}

void broadcast_rows(const struct ir_type *out, const struct tensor *const *in, unsigned n_in,
                    void (*row)(void *self, const struct broadcast_row *r), void *self)
{
    struct walk w = plan(out, in, n_in);
    unsigned inner = w.rank - 1;
    struct broadcast_row r = {.n = w.dim[inner]};
    int64_t at[IR_MAX_RANK] = {0}, count = ir_count(out);
    for (unsigned i = 0; i < n_in; i++)
        r.step[i] = w.stride[inner][i];
    for (; r.out_at < count; r.out_at += r.n) {
        row(self, &r);
        /* Odometer over the outer dimensions. */
        for (unsigned k = inner; k-- > 0;) {
            bool carry = ++at[k] == w.dim[k];
            for (unsigned i = 0; i < n_in; i++)
                r.at[i] += carry ? -w.stride[k][i] * (w.dim[k] - 1) : w.stride[k][i];
            if (!carry)
                break;
            at[k] = 0;
        }
    }
}
