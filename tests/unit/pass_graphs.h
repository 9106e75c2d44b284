/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pass_graphs.h - generated TENSOR graphs for the property that no pass changes what a graph
 * computes. A graph is a function of its seed: up to 14 operations of any kind on one or two small
 * inputs, two outputs.
 */
#ifndef CIMC_PASS_GRAPHS_H
#define CIMC_PASS_GRAPHS_H

#include "ir.h"

#include <stdlib.h>
#include <string.h>

struct maker {
    struct ir_graph *g;
    struct diag *diag;
    uint64_t seed;
    struct ir_value *values[64]; /* runtime values */
    size_t n;
};

static int64_t pick(struct maker *m, int64_t least, int64_t most)
{
    return least + (int64_t)(random_next(&m->seed) % (uint64_t)(most - least + 1));
}

static struct ir_value *make_constant(struct maker *m, uint32_t rank, const int64_t *dims)
{
    struct ir_type t = ir_type_of(IR_F32, rank, dims);
    int64_t n = ir_count(&t);
    float *data = heap_alloc((size_t)n * sizeof *data + 1);
    for (int64_t i = 0; i < n; i++)
        data[i] = (float)pick(m, -8, 8) / 8.0f;
    struct blob *b = pick(m, 0, 3) ? blob_own(data, (size_t)n * sizeof *data) : NULL;
    if (!b) {
        b = blob_splat(data, sizeof *data);
        heap_free(data);
    }
    return ir_const_new(m->g, NULL, t, b, NULL, (struct loc){0})->out;
}

/* Adds an operation if it fits its operands. */
static struct ir_value *make_op(struct maker *m, enum ir_opcode opcode, const union ir_attrs *attrs,
                                struct ir_value *const *in, uint32_t n_in)
{
    struct ir_new desc = {.opcode = opcode, .in = in, .n_in = n_in, .attrs = attrs};
    struct ir_op *op = ir_op_new(m->g, NULL, &desc, m->diag);
    int64_t n = op ? ir_count(&op->out->type) : 0;
    if (!op)
        return NULL;
    if (n == 0 || n > 5000 || m->n >= 60) {
        ir_op_remove(op);
        return NULL;
    }
    return m->values[m->n++] = op->out;
}

static struct ir_value *any_value(struct maker *m)
{
    return m->values[pick(m, m->n > 4 ? (int64_t)m->n - 4 : 0, (int64_t)m->n - 1)];
}

static void make_unary(struct maker *m, struct ir_value *x)
{
    static const enum ir_opcode which[] = {IR_relu, IR_leaky_relu, IR_clip, IR_sigmoid,
                                           IR_tanh, IR_neg,        IR_abs};
    enum ir_opcode opcode = which[pick(m, 0, 6)];
    union ir_attrs attrs = {0};
    if (opcode == IR_clip)
        attrs.clip = (struct ir_attrs_clip){.lo = pick(m, 0, 1) ? 0.0f : -0.5f, .hi = 0.5f};
    if (opcode == IR_leaky_relu)
        attrs.leaky_relu.alpha = 0.125f;
    make_op(m, opcode, &attrs, &x, 1);
}

static enum ir_opcode any_binary(struct maker *m)
{
    static const enum ir_opcode which[] = {IR_add, IR_sub, IR_mul, IR_min, IR_max};
    return which[pick(m, 0, 4)];
}

static void make_with_constant(struct maker *m, struct ir_value *x)
{
    int64_t dims[IR_MAX_RANK];
    uint32_t rank = (uint32_t)pick(m, 0, x->type.rank);
    for (uint32_t i = 0; i < rank; i++)
        dims[i] = pick(m, 0, 1) ? x->type.dim[x->type.rank - rank + i] : 1;
    struct ir_value *in[2] = {x, make_constant(m, rank, dims)};
    if (pick(m, 0, 1)) {
        in[0] = in[1];
        in[1] = x;
    }
    make_op(m, any_binary(m), NULL, in, 2);
}

static void make_with_value(struct maker *m, struct ir_value *x)
{
    struct ir_value *in[2] = {x, any_value(m)};
    make_op(m, any_binary(m), NULL, in, 2);
}

static void make_conv(struct maker *m, struct ir_value *x)
{
    if (x->type.rank != 4)
        return;
    union ir_attrs attrs = {.conv = {.group = 1}};
    struct ir_attrs_conv *a = &attrs.conv;
    for (int i = 0; i < 2; i++) {
        a->kernel[i] = pick(m, 1, 3);
        a->stride[i] = pick(m, 1, 2);
        a->dilation[i] = pick(m, 1, 2);
    }
    for (int i = 0; i < 4; i++)
        a->pad[i] = pick(m, 0, 2);
    int64_t o = pick(m, 1, 4), w[4] = {o, x->type.dim[1], a->kernel[0], a->kernel[1]};
    struct ir_value *in[3] = {x, make_constant(m, 4, w), NULL};
    uint32_t n_in = 2;
    if (pick(m, 0, 1))
        in[n_in++] = make_constant(m, 1, &o);
    struct ir_value *y = make_op(m, IR_conv, &attrs, in, n_in);
    if (y && pick(m, 0, 1)) {
        struct ir_value *bn[5] = {y};
        for (int i = 1; i < 5; i++)
            bn[i] = make_constant(m, 1, &o);
        bn[4] = ir_const_new(m->g, NULL, bn[4]->type, blob_splat(&(float){0.75f}, 4), NULL,
                             (struct loc){0})
                    ->out;
        union ir_attrs norm = {.batch_norm = {.epsilon = 0.25f}};
        make_op(m, IR_batch_norm, &norm, bn, 5);
    }
}

static void make_pool(struct maker *m, struct ir_value *x)
{
    if (x->type.rank != 4)
        return;
    union ir_attrs attrs = {0};
    bool max = pick(m, 0, 1);
    struct ir_attrs_max_pool p = {0};
    for (int i = 0; i < 2; i++) {
        p.kernel[i] = pick(m, 1, 3);
        p.stride[i] = pick(m, 1, 2);
        p.dilation[i] = 1;
    }
    for (int i = 0; i < 4; i++)
        p.pad[i] = p.kernel[i % 2] > 1 ? pick(m, 0, 1) : 0;
    if (max) {
        attrs.max_pool = p;
    } else {
        memcpy(attrs.avg_pool.kernel, p.kernel, sizeof p.kernel);
        memcpy(attrs.avg_pool.stride, p.stride, sizeof p.stride);
        memcpy(attrs.avg_pool.dilation, p.dilation, sizeof p.dilation);
        memcpy(attrs.avg_pool.pad, p.pad, sizeof p.pad);
    }
    make_op(m, max ? IR_max_pool : IR_avg_pool, &attrs, &x, 1);
}

static void make_overlap(struct maker *m, struct ir_value *x)
{
    if (x->type.rank != 4)
        return;
    union ir_attrs attrs = {0};
    struct ir_attrs_overlap_add *a = &attrs.overlap_add;
    for (int i = 0, left = (int)x->type.dim[1]; i < 2; i++) {
        a->kernel[i] = pick(m, 1, 2);
        a->kernel[i] = left % a->kernel[i] ? 1 : a->kernel[i];
        left /= (int)a->kernel[i];
        a->stride[i] = pick(m, 1, 3);
        a->dilation[i] = pick(m, 1, 2);
    }
    for (int i = 0; i < 4; i++)
        a->pad[i] = pick(m, -1, 1);
    make_op(m, IR_overlap_add, &attrs, &x, 1);
}

static void make_reduction(struct maker *m, struct ir_value *x)
{
    int64_t which = pick(m, 0, 2), axes[IR_MAX_RANK], n = 0;
    for (uint32_t d = 0; d < x->type.rank; d++) {
        if (pick(m, 0, 1))
            axes[n++] = d;
    }
    if (x->type.rank >= 3 && which == 0) {
        make_op(m, IR_global_avg_pool, NULL, &x, 1);
    } else if (n && which == 1) {
        union ir_attrs attrs = {.reduce = {.kind = pick(m, 0, 1) ? IR_REDUCE_SUM : IR_REDUCE_MAX,
                                           .axes = {(uint32_t)n, axes}}};
        make_op(m, IR_reduce, &attrs, &x, 1);
    } else if (x->type.rank) {
        union ir_attrs attrs = {.softmax = {.axis = pick(m, 0, x->type.rank - 1)}};
        make_op(m, IR_softmax, &attrs, &x, 1);
    }
}

static void make_transpose(struct maker *m, struct ir_value *x)
{
    int64_t perm[IR_MAX_RANK];
    uint32_t rank = x->type.rank;
    for (uint32_t i = 0; i < rank; i++) {
        uint32_t j = (uint32_t)pick(m, 0, i);
        perm[i] = perm[j];
        perm[j] = i;
    }
    bool channels_last = rank == 4 && pick(m, 0, 1);
    static const int64_t common[2][4] = {{0, 2, 3, 1}, {0, 3, 1, 2}};
    union ir_attrs attrs = {
        .transpose = {.perm = {rank, channels_last ? common[pick(m, 0, 1)] : perm}}};
    make_op(m, IR_transpose, &attrs, &x, 1);
}

static void make_reshape(struct maker *m, struct ir_value *x)
{
    int64_t dims[IR_MAX_RANK], left = ir_count(&x->type);
    uint32_t rank = (uint32_t)pick(m, 1, 5);
    for (uint32_t i = 0; i < rank; i++) {
        dims[i] = 1;
        if (rank >= 3 && i == 0)
            continue;
        for (int64_t f = 2; i + 1 < rank && f <= left; f++) {
            while (left % f == 0 && pick(m, 0, 2) == 0) {
                dims[i] *= f;
                left /= f;
            }
        }
    }
    dims[rank - 1] *= left;
    union ir_attrs attrs = {.reshape = {.shape = {rank, dims}}};
    make_op(m, IR_reshape, &attrs, &x, 1);
}

static void make_pad(struct maker *m, struct ir_value *x)
{
    int64_t before[IR_MAX_RANK], after[IR_MAX_RANK];
    for (uint32_t i = 0; i < x->type.rank; i++) {
        before[i] = i ? pick(m, -3, 1) : 0;
        before[i] = before[i] < 0 ? 0 : before[i];
        after[i] = i ? pick(m, 0, 1) * before[i] : 0;
    }
    union ir_attrs attrs = {.pad = {.before = {x->type.rank, before},
                                    .after = {x->type.rank, after},
                                    .mode = (enum ir_pad_mode)pick(m, 0, 2),
                                    .value = (float)pick(m, 0, 1)}};
    make_op(m, IR_pad, &attrs, &x, 1);
}

static void make_slice(struct maker *m, struct ir_value *x)
{
    int64_t list[3][IR_MAX_RANK];
    for (uint32_t i = 0; i < x->type.rank; i++) {
        int64_t n = x->type.dim[i];
        list[0][i] = pick(m, 0, 1) ? pick(m, 0, n - 1) : 0;
        list[1][i] = pick(m, 0, 3) ? 1 : pick(m, -2, 2);
        list[1][i] = list[1][i] ? list[1][i] : 1;
        int64_t room = list[1][i] > 0 ? n - 1 - list[0][i] : list[0][i];
        list[2][i] = room / llabs(list[1][i]) + 1;
    }
    uint32_t r = x->type.rank;
    union ir_attrs attrs = {
        .slice = {.start = {r, list[0]}, .step = {r, list[1]}, .count = {r, list[2]}}};
    make_op(m, IR_slice, &attrs, &x, 1);
}

static void make_gather(struct maker *m, struct ir_value *x)
{
    int64_t count[IR_MAX_RANK];
    VEC(int64_t) index = {0};
    for (uint32_t i = 0; i < x->type.rank; i++) {
        bool keep = x->type.dim[i] > 20 || pick(m, 0, 1);
        count[i] = keep ? x->type.dim[i] : pick(m, 1, 4);
        for (int64_t k = 0; k < count[i]; k++)
            VEC_PUSH(&index, keep ? k : pick(m, -1, x->type.dim[i] - 1));
    }
    union ir_attrs attrs = {.gather_grid = {.count = {x->type.rank, count},
                                            .index = {(uint32_t)index.n, index.at},
                                            .value = 0.5f}};
    make_op(m, IR_gather_grid, &attrs, &x, 1);
    VEC_FREE(&index);
}

static void make_concat(struct maker *m, struct ir_value *x)
{
    if (!x->type.rank)
        return;
    struct ir_value *in[3] = {x, x, any_value(m)};
    union ir_attrs attrs = {.concat = {.axis = pick(m, 0, x->type.rank - 1)}};
    if (pick(m, 0, 1))
        in[1] = make_constant(m, x->type.rank, x->type.dim);
    make_op(m, IR_concat, &attrs, in, (uint32_t)pick(m, 1, 3));
}

static void make_matmul(struct maker *m, struct ir_value *x)
{
    uint32_t r = x->type.rank;
    if (!r)
        return;
    union ir_attrs attrs = {0};
    bool left = r > 1 && pick(m, 0, 2) == 0;
    int64_t n = pick(m, 1, 4), k = x->type.dim[left ? r - 2 : r - 1];
    int64_t dims[3] = {1, left ? n : k, left ? k : n};
    uint32_t rank = (uint32_t)pick(m, 1, 3);
    struct ir_value *w =
        rank == 1 ? make_constant(m, 1, &k) : make_constant(m, rank, dims + (rank == 2));
    struct ir_value *in[2] = {left ? w : x, left ? x : w};
    make_op(m, IR_matmul, &attrs, in, 2);
}

static void make_input(struct maker *m, int64_t index)
{
    int64_t dims[4] = {1, pick(m, 1, 4), pick(m, 1, 6), pick(m, 1, 6)};
    uint32_t rank = pick(m, 0, 2) ? 4 : (uint32_t)pick(m, 0, 3);
    union ir_attrs attrs = {
        .input = {.index = index, .dtype = IR_F32, .shape = {rank, dims + (rank < 3 ? 1 : 0)}}};
    make_op(m, IR_input, &attrs, NULL, 0);
}

static struct ir_graph *make_graph(uint64_t seed, struct diag *d)
{
    static void (*const makers[])(struct maker *, struct ir_value *) = {
        make_unary,   make_with_constant, make_with_value, make_conv,  make_pool,   make_reduction,
        make_reshape, make_transpose,     make_pad,        make_slice, make_gather, make_concat,
        make_matmul,  make_transpose,     make_reshape,    make_conv,  make_overlap};
    struct maker m = {.g = ir_graph_new("made", IR_TENSOR), .diag = d, .seed = seed};
    int64_t n_inputs = pick(&m, 1, 2), n_ops = pick(&m, 1, 14);
    for (int64_t i = 0; i < n_inputs; i++)
        make_input(&m, i);
    for (int64_t i = 0; i < n_ops; i++)
        makers[pick(&m, 0, 16)](&m, any_value(&m));
    for (int64_t i = 0; i < 2; i++) {
        struct ir_value *v = i ? any_value(&m) : m.values[m.n - 1];
        union ir_attrs attrs = {
            .output = {.index = i, .dtype = IR_F32, .shape = {v->type.rank, v->type.dim}}};
        struct ir_new desc = {.opcode = IR_output, .in = &v, .n_in = 1, .attrs = &attrs};
        if (!ir_op_new(m.g, NULL, &desc, d))
            BUG("the output does not fit");
    }
    return m.g;
}

#endif
