/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_grid.c - copies whose source offset is a sum of one term for each result dimension: slices,
 * pads, transposes, gathers. Terms come from tables, so that one loop serves all of them.
 */
#include "eval_internal.h"

#include <stdlib.h>
#include <string.h>

struct grid grid_new(unsigned rank, const int64_t *dim)
{
    struct grid g = {.rank = rank};
    for (unsigned k = 0; k < rank; k++) {
        g.dim[k] = dim[k];
        g.offset[k] = heap_alloc((size_t)dim[k] * sizeof *g.offset[k]);
    }
    return g;
}

void grid_free(struct grid *g)
{
    for (unsigned k = 0; k < g->rank; k++)
        heap_free(g->offset[k]);
    *g = (struct grid){0};
}

void grid_linear(struct grid *g, unsigned k, int64_t stride)
{
    for (int64_t i = 0; i < g->dim[k]; i++)
        g->offset[k][i] = i * stride;
}

/* One innermost row; offset NULL = all fill. */
struct row {
    int64_t n;
    const int64_t *offset;
    const char *x, *fill;
    char *out;
    bool contiguous;
};

/* Inlined for each element size, which turns memcpy into one move. */
static inline __attribute__((always_inline)) void copy_elements(const struct row *r, size_t elem)
{
    for (int64_t i = 0; i < r->n; i++) {
        bool outside = !r->offset || r->offset[i] < 0;
        const char *from = outside ? r->fill : r->x + r->offset[i] * (int64_t)elem;
        memcpy(r->out + (size_t)i * elem, from, elem);
    }
}

static void copy_row(const struct row *r, size_t elem)
{
    if (r->offset && r->contiguous) {
        memcpy(r->out, r->x + r->offset[0] * (int64_t)elem, (size_t)r->n * elem);
        return;
    }
    switch (elem) {
    case 1: copy_elements(r, 1); break;
    case 2: copy_elements(r, 2); break;
    case 4: copy_elements(r, 4); break;
    case 8: copy_elements(r, 8); break;
    default: BUG("elements of %zu bytes", elem);
    }
}

static bool is_contiguous(const int64_t *offset, int64_t n)
{
    bool yes = offset[0] >= 0;
    for (int64_t i = 1; i < n && yes; i++)
        yes = offset[i] == offset[i - 1] + 1;
    return yes;
}

void grid_copy(const struct grid *g, size_t elem, const void *x, const void *fill, void *out)
{
    static const int64_t zero = 0;
    int64_t rows = 1, at[IR_MAX_RANK] = {0};
    unsigned inner = g->rank ? g->rank - 1 : 0;
    for (unsigned k = 0; k < inner; k++)
        rows *= g->dim[k];
    struct row r = {.n = g->rank ? g->dim[inner] : 1, .fill = fill, .out = out};
    if (rows == 0 || r.n == 0)
        return;
    const int64_t *inner_offset = g->rank ? g->offset[inner] : &zero;
    r.contiguous = is_contiguous(inner_offset, r.n);
    for (; rows > 0; rows--, r.out += (size_t)r.n * elem) {
        int64_t base = 0;
        bool inside = true;
        for (unsigned k = 0; k < inner; k++) {
            int64_t term = g->offset[k][at[k]];
            inside &= term >= 0;
            base += term;
        }
        r.offset = inside ? inner_offset : NULL;
        r.x = inside ? (const char *)x + base * (int64_t)elem : NULL;
        copy_row(&r, elem);
        for (unsigned k = inner; k-- > 0 && ++at[k] == g->dim[k];)
            at[k] = 0;
    }
}
