/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * need.h - which elements of an operand an element of the result reads, at stage CROSSBAR: the one
 * answer that duplication, sets, schedule and emission share.
 *
 * All our operations are separable: the element read along an axis depends on the result's
 * coordinate along that axis alone. So a need is three axis maps, and boxes map to boxes. What
 * cannot be said this way (reshape, transpose) reads the whole axis, which is conservative.
 */
#ifndef CIMC_IR_NEED_H
#define CIMC_IR_NEED_H

#include "ir.h"

enum axis { AXIS_H, AXIS_W, AXIS_C };

/* The elements of an operand that element `o` of the result reads, along one axis. */
struct axis_map {
    enum { MAP_WINDOW, MAP_OVERLAP, MAP_PATCH, MAP_TABLE, MAP_ALL, MAP_ZERO } kind;
    /* k < kernel. WINDOW: o*stride + k*dilation - pad; OVERLAP: i with
     * i*stride + k*dilation - pad = o; PATCH: as WINDOW, where (o mod patch)*stride + k*dilation,
     * the place in what a patch of results reads, is in [from, to) */
    int32_t kernel, stride, dilation, pad;
    int32_t patch, from, to;
    const int64_t *table; /* TABLE: table[o]; -1 = nothing */
    int32_t extent;       /* of the operand: what falls outside is not read */
};

/* What every machine walks: kernels, strides and dilations, and paddings. A stride of one step, or
 * a dilation of one tap, may be larger than any extent. */
enum { NEED_MOST_STEP = 65535, NEED_MOST_PAD = 1 << 22 };
/* Before all else, as maps are of 32 bits. False: an error of code CAPACITY. */
bool need_check(const struct ir_op *op, struct diag *d) CHECK_RESULT;
/* The three maps of operand `i` of `op`, by table over all operations. */
void need(const struct ir_op *op, unsigned i, struct axis_map out[3]);
/* What operand `i` of `op` reads on the machine. A base layer reads through a constant pad of rows
 * and columns in front of it: `value` is what that pads, the maps are `value`'s, and what they read
 * outside is pad_value. */
struct need_source {
    const struct ir_op *value;
    struct axis_map map[3];
    float pad_value;
};
struct need_source need_source(const struct ir_op *op, unsigned i);
/* A pad that base layers alone read: nobody asks for its value. */
bool need_reads_through(const struct ir_op *pad);
/* Smallest and largest element read by outputs [lo, hi); false if none. */
bool need_range(const struct axis_map *m, int32_t lo, int32_t hi, int32_t *first, int32_t *last);
/* Largest element read by output o; -1 if none. */
int32_t need_last(const struct axis_map *m, int32_t o);

/* How many elements one output reads at most. */
static inline int32_t need_taps(const struct axis_map *m)
{
    switch (m->kind) {
    case MAP_WINDOW:
    case MAP_OVERLAP:
    case MAP_PATCH: return m->kernel;
    case MAP_ALL: return m->extent;
    case MAP_TABLE:
    case MAP_ZERO: break;
    }
    return 1;
}

/* Of the taps of output o those that can read an element: the others lie in padding, which may be
 * far larger than the operand. */
struct need_taps {
    int32_t from, to;
};
static inline struct need_taps need_taps_of(const struct axis_map *m, int32_t o)
{
    enum { FEW = 16 }; /* are tried sooner than counted */
    struct need_taps all = {0, need_taps(m)};
    if (m->kind != MAP_WINDOW || m->kernel <= FEW)
        return all;
    int64_t start = (int64_t)o * m->stride - m->pad;
    int64_t from = max_i64(ceil_div_i64(-start, m->dilation), 0);
    int64_t to = min_i64(ceil_div_i64(m->extent - start, m->dilation), m->kernel);
    return from < to ? (struct need_taps){(int32_t)from, (int32_t)to} : (struct need_taps){0, 0};
}

/* The k-th element that output o reads; -1 where it has none. */
static inline int32_t need_tap(const struct axis_map *m, int32_t o, int32_t k)
{
    int64_t at = 0;
    switch (m->kind) {
    case MAP_WINDOW: at = (int64_t)o * m->stride + (int64_t)k * m->dilation - m->pad; break;
    case MAP_OVERLAP:
        at = (int64_t)o + m->pad - (int64_t)k * m->dilation;
        at = at % m->stride == 0 ? at / m->stride : -1;
        break;
    case MAP_PATCH:
        at = (int64_t)(o % m->patch) * m->stride + (int64_t)k * m->dilation;
        if (at < m->from || at >= m->to)
            return -1;
        at += (int64_t)(o - o % m->patch) * m->stride - m->pad;
        break;
    case MAP_TABLE: at = m->table[o]; break;
    case MAP_ALL: at = k; break;
    case MAP_ZERO: break;
    }
    return at >= 0 && at < m->extent ? (int32_t)at : -1;
}

#endif
