/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_part.c - which weights of a base layer's matrix a sum has in it. Sums may be added where
 * none has a weight of the other; they are whole when together they have all that a pixel reads.
 */
#include "check_matrix.h"
#include "check_run.h"

#include <stdlib.h>
#include <string.h>

struct matrix check_matrix_of_op(const struct ir_op *mvm)
{
    const struct ir_attrs_mvm *a = &mvm->attrs->mvm;
    struct matrix m = {.groups = a->group};
    bool single = a->patch[0] * a->patch[1] == 1;
    for (unsigned i = 0; i < 2; i++) {
        m.patch[i] = a->patch[i];
        m.kernel[i] = a->kernel[i];
        m.stride[i] = a->stride[i];
        m.step[i] = single ? 1 : a->dilation[i];
        m.window[i] = (m.patch[i] - 1) * m.stride[i] + (m.kernel[i] - 1) * m.step[i] + 1;
    }
    m.channels = check_dim(mvm->in[0].value->def, 2) / m.groups;
    m.columns = check_dim(mvm, 2) / m.groups;
    return m;
}

struct matrix check_matrix_of_group(const struct isa_program *p, const struct isa_group *g)
{
    struct matrix m = {.groups = isa_conv_groups(g)};
    for (unsigned i = 0; i < 2; i++)
        m.patch[i] = isa_patch(g, i);
    bool single = check_matrix_pixels(&m) == 1;
    for (unsigned i = 0; i < 2; i++) {
        m.kernel[i] = g->kernel[i];
        m.stride[i] = g->stride[i];
        m.step[i] = single ? 1 : g->dilation[i];
        m.window[i] = (m.patch[i] - 1) * m.stride[i] + (m.kernel[i] - 1) * m.step[i] + 1;
    }
    m.channels = g->in_channels / m.groups;
    m.columns = p->images[g->image].n / (m.groups * check_matrix_pixels(&m));
    return m;
}

/* A position is read if a pixel begins there, or its number of steps before it is one of a tap. */
void check_matrix_positions(const struct matrix *m, unsigned axis, int64_t n, bool *reads)
{
    int64_t *steps = heap_alloc((size_t)m->window[axis] * sizeof *steps); /* since a pixel began */
    for (int64_t at = 0; at < m->window[axis]; at++) {
        bool begins = at % m->stride[axis] == 0 && at / m->stride[axis] < n;
        int64_t before = at >= m->step[axis] ? steps[at - m->step[axis]] : m->kernel[axis];
        steps[at] = begins ? 0 : before + 1;
        reads[at] = steps[at] < m->kernel[axis];
    }
    heap_free(steps);
}

/* ---- making parts ---- */

static int by_place(const void *a, const void *b)
{
    const struct part_piece *x = a, *y = b;
    if (x->n0 != y->n0)
        return x->n0 < y->n0 ? -1 : 1;
    return (x->k0 > y->k0) - (x->k0 < y->k0);
}

/* Sorts, and joins what touches. Returns how many are left, CHECK_NONE if they are no part. */
static uint32_t tidy(struct part_piece *at, uint32_t n)
{
    uint32_t kept = 0;
    qsort(at, n, sizeof *at, by_place);
    for (uint32_t i = 0; i < n; i++) {
        struct part_piece *last = kept ? &at[kept - 1] : NULL;
        bool same = last && last->n0 == at[i].n0 && last->n1 == at[i].n1;
        if (last && (same ? at[i].k0 < last->k1 : at[i].n0 < last->n1))
            return CHECK_NONE;
        if (same && at[i].k0 == last->k1)
            last->k1 = at[i].k1;
        else
            at[kept++] = at[i];
    }
    return kept;
}

uint32_t check_part(struct check *k, struct part_piece *pieces, uint32_t n)
{
    n = tidy(pieces, n);
    if (n == CHECK_NONE)
        return CHECK_NONE;
    uint32_t fresh = (uint32_t)k->parts.n;
    uint32_t known = map_intern(&k->part_of, pieces, n * sizeof *pieces, fresh);
    if (known < fresh)
        return known;
    struct part p = {n, ARENA_ARRAY(k->arena, struct part_piece, (size_t)n + 1)};
    memcpy(p.at, pieces, n * sizeof *pieces);
    VEC_PUSH(&k->parts, p);
    return fresh;
}

uint32_t check_part_whole(struct check *k, const struct ir_op *mvm)
{
    struct matrix m = check_matrix_of_op(mvm);
    int64_t columns = m.groups * check_matrix_pixels(&m) * m.columns;
    struct part_piece all = {.n1 = (uint32_t)columns,
                             .k1 = (uint32_t)(m.window[0] * m.window[1] * m.channels)};
    return check_part(k, &all, 1);
}

uint32_t check_part_join(struct check *k, uint32_t a, uint32_t b)
{
    const struct part *x = &k->parts.at[a], *y = &k->parts.at[b];
    uint32_t n = x->n + y->n;
    struct part_piece *both = heap_alloc(((size_t)n + 1) * sizeof *both);
    memcpy(both, x->at, x->n * sizeof *both);
    memcpy(both + x->n, y->at, y->n * sizeof *both);
    uint32_t part = check_part(k, both, n);
    heap_free(both);
    return part;
}

/* ---- completeness ---- */

/* Do the pieces [at, end), of the same columns, hold all rows that pixel (py, px) reads? */
static bool has_rows(const struct part_piece *at, const struct part_piece *end,
                     const struct matrix *m, int64_t py, int64_t px)
{
    bool dense = m->step[1] == 1;
    int64_t taps = dense ? 1 : m->kernel[1], n = (dense ? m->kernel[1] : 1) * m->channels;
    for (int64_t kh = 0; kh < m->kernel[0]; kh++)
        for (int64_t kw = 0; kw < taps; kw++) {
            int64_t y = py * m->stride[0] + kh * m->step[0];
            int64_t x = px * m->stride[1] + kw * m->step[1];
            int64_t row = (y * m->window[1] + x) * m->channels;
            while (at < end && at->k1 <= row)
                at++;
            if (at == end || at->k0 > row || at->k1 < row + n)
                return false;
        }
    return true;
}

/* The first piece whose columns end after `column`. */
static const struct part_piece *find_piece(const struct part *p, int64_t column)
{
    uint32_t lo = 0, hi = p->n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (p->at[mid].n1 > column)
            hi = mid;
        else
            lo = mid + 1;
    }
    return p->at + lo;
}

/* All rows that pixel (py, px) reads, in columns [from, to) of it. */
static bool has_columns(const struct part *p, const struct matrix *m, int64_t py, int64_t px,
                        int64_t from, int64_t to)
{
    const struct part_piece *at = find_piece(p, from), *end = p->at + p->n, *next;
    for (; from < to; from = at->n1, at = next) {
        if (at == end || at->n0 > from)
            return false;
        for (next = at; next < end && next->n0 == at->n0;)
            next++;
        if (!has_rows(at, next, m, py, px))
            return false;
    }
    return true;
}

bool check_part_complete(const struct check *k, uint32_t part, const struct ir_op *mvm,
                         int64_t from, int64_t n)
{
    struct matrix m = check_matrix_of_op(mvm);
    int64_t all = m.groups * m.columns, end = min_i64(from + n, all);
    if (all == 1) /* the same for all channels of who reads it */
        from = 0;
    for (int64_t q = from / m.columns; q * m.columns < end; q++)
        for (int64_t py = 0; py < m.patch[0]; py++)
            for (int64_t px = 0; px < m.patch[1]; px++) {
                int64_t first = ((q * m.patch[0] + py) * m.patch[1] + px) * m.columns;
                int64_t c0 = max_i64(from - q * m.columns, 0);
                int64_t c1 = min_i64(end - q * m.columns, m.columns);
                if (!has_columns(&k->parts.at[part], &m, py, px, first + c0, first + c1))
                    return false;
            }
    return true;
}

void check_part_text(const struct check *k, uint32_t part, char *buf, size_t n)
{
    const struct part *p = &k->parts.at[part];
    if (p->n == 1 && p->at->n0 == 0)
        snprintf(buf, n, " summed over rows %u..%u only", p->at->k0, p->at->k1 - 1);
    else
        snprintf(buf, n, " summed over some columns' rows only");
}
