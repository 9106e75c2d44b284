/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_axis.c - which rows, or columns, windows read: without going through kernels, which may
 * have 65535 of them while a stream of a few bytes makes a million instructions.
 *
 * A position is o * stride + k * dilation - pad. Where both o and k are free its place is a
 * question of remainders, and the least remainder of a sequence takes as many steps as a greatest
 * common divisor.
 */
#include "isa_axis.h"

static int64_t modulo(int64_t x, int64_t m)
{
    return x - floor_div_i64(x, m) * m;
}

/* The least of (a * i + b) mod m, 0 <= i < n; INT64_MAX of none. Behind each wrap the sequence is
 * below a, where it is (b - wraps * m) mod a: again such a sequence, of at most half the modulus.
 */
static int64_t least_residue(int64_t n, int64_t m, int64_t a, int64_t b)
{
    int64_t least = INT64_MAX;
    while (n > 0) {
        a = modulo(a, m);
        b = modulo(b, m);
        if (a > m - a) { /* from the other end, in the shorter steps */
            b = modulo(a * (n - 1) + b, m);
            a = m - a;
        }
        least = min_i64(least, b);
        int64_t wrapped = m;
        n = (a * (n - 1) + b) / m;
        b -= m;
        m = a;
        a = -wrapped;
    }
    return least;
}

struct isa_axis isa_window_axis(const struct isa_window *w, unsigned axis, int64_t o0, int64_t n)
{
    return (struct isa_axis){.o0 = o0,
                             .n = n,
                             .stride = w->stride[axis],
                             .k1 = (int64_t)w->kernel[axis] - 1,
                             .dilation = w->dilation[axis],
                             .pad = axis ? w->pad_left : w->pad_top};
}

/* ---- positions ---- */

/* The least position that is not negative; INT64_MAX if there is none. */
static int64_t least_position(const struct isa_axis *a)
{
    int64_t last = a->o0 + a->n - 1;
    /* From the k `whole` on all o do, before `part` none does. */
    int64_t whole = max_i64(a->k0, ceil_div_i64(a->pad - a->o0 * a->stride, a->dilation));
    int64_t part = max_i64(a->k0, ceil_div_i64(a->pad - last * a->stride, a->dilation));
    int64_t least = whole > a->k1 ? INT64_MAX : a->o0 * a->stride + whole * a->dilation - a->pad;
    return min_i64(least, least_residue(min_i64(whole, a->k1 + 1) - part, a->stride, a->dilation,
                                        part * a->dilation - a->pad));
}

bool isa_positions_inside(const struct isa_axis *a, int64_t extent, int64_t *first, int64_t *last)
{
    int64_t end = (a->o0 + a->n - 1) * a->stride - a->pad;
    *first = a->o0 * a->stride + a->k0 * a->dilation - a->pad;
    *last = end + a->k1 * a->dilation;
    if (*first >= 0 && *last < extent)
        return true;
    struct isa_axis mirrored = *a;
    mirrored.o0 = 0;
    mirrored.pad = end + (a->k0 + a->k1) * a->dilation - (extent - 1);
    *first = least_position(a);
    *last = extent - 1 - least_position(&mirrored);
    return *first < extent;
}

/* Pixel `p` of each patch: the positions of the window that it reads, as taps of its kernel. */
static struct isa_axis pixel_axis(const struct isa_axis *a, int64_t p)
{
    const struct isa_group *g = a->m->group;
    int64_t patch = a->m->patch[a->which], patches = ceil_div_i64(a->n, patch);
    int64_t kept = a->n - (patches - 1) * patch, dilation = g->dilation[a->which];
    return (struct isa_axis){
        .n = p < kept ? patches : patches - 1,
        .stride = patch * a->stride,
        .k0 = max_i64(0, ceil_div_i64(a->k0 - p * a->stride, dilation)),
        .k1 = min_i64((int64_t)g->kernel[a->which] - 1,
                      floor_div_i64(a->k1 - p * a->stride, dilation)),
        .dilation = dilation,
        .pad = a->pad - (a->o0 + p) * a->stride,
    };
}

static struct isa_reach reach_of_patches(const struct isa_axis *a, int64_t extent)
{
    int64_t pixels = min_i64(a->m->patch[a->which], a->n);
    struct isa_reach r = {INT64_MAX, -1};
    for (int64_t p = 0; p < pixels; p++) {
        struct isa_axis pixel = pixel_axis(a, p);
        int64_t first, last;
        if (pixel.k0 > pixel.k1 || !isa_positions_inside(&pixel, extent, &first, &last))
            continue;
        r.first = min_i64(r.first, first);
        r.last = max_i64(r.last, last);
    }
    return r;
}

bool isa_patches_inside(const struct isa_axis *a, int64_t extent, int64_t *first, int64_t *last)
{
    struct isa_reaches *r = a->reaches;
    const int64_t key[] = {(intptr_t)a->m, a->which, a->k0, a->k1, a->o0, a->n, extent};
    uint32_t i = map_intern(&r->known, key, sizeof key, (uint32_t)r->at.n);
    if (i == r->at.n)
        VEC_PUSH(&r->at, reach_of_patches(a, extent));
    *first = r->at.at[i].first;
    *last = r->at.at[i].last;
    return *last >= 0;
}

void isa_reaches_free(struct isa_reaches *r)
{
    map_free(&r->known);
    VEC_FREE(&r->at);
}

/* ---- sources ---- */

/* How many i from 0 on until (stride * i + b) mod m is less than `most`; n if none of n is. */
static int64_t first_residue(int64_t n, int64_t m, int64_t stride, int64_t b, int64_t most)
{
    int64_t before = 0, behind = n;
    while (before < behind) {
        int64_t middle = before + (behind - before) / 2;
        if (least_residue(middle + 1, m, stride, b) < most)
            behind = middle;
        else
            before = middle + 1;
    }
    return before;
}

/* The least i >= 0 with o = i * stride + k * dilation - pad for an o and a k; INT64_MAX if none. */
static int64_t least_source(const struct isa_axis *a)
{
    int64_t o = a->o0 + a->pad, stride = a->stride;
    /* From `whole` on, to `most`, k0 does; before `part` not even k1 does. Between, the k that is
     * first at o or behind it. */
    int64_t whole = max_i64(0, ceil_div_i64(o - a->k0 * a->dilation, stride));
    int64_t part = max_i64(0, ceil_div_i64(o - a->k1 * a->dilation, stride));
    int64_t most = floor_div_i64(o + a->n - 1 - a->k0 * a->dilation, stride);
    int64_t i = part + first_residue(whole - part, a->dilation, stride, part * stride - o, a->n);
    return i < whole || i <= most ? i : INT64_MAX;
}

bool isa_sources_inside(const struct isa_axis *a, int64_t extent, int64_t *first, int64_t *last)
{
    struct isa_axis mirrored = *a;
    mirrored.o0 =
        (extent - 1) * a->stride + (a->k0 + a->k1) * a->dilation - (a->o0 + a->pad + a->n - 1);
    mirrored.pad = 0;
    *first = least_source(a);
    *last = extent - 1 - least_source(&mirrored);
    return *first < extent;
}

/* ---- cells that count ---- */

bool isa_axis_counts(const struct isa_axis *a, int64_t lo, int64_t hi)
{
    int64_t first = a->o0 * a->stride - a->pad, last = first + (a->n - 1) * a->stride;
    if (lo >= hi || last >= hi || first + a->k1 * a->dilation < lo)
        return false;
    /* Of those that begin before lo the cell that is first behind it: how far behind, at most? */
    int64_t before = min_i64(a->n, ceil_div_i64(lo - first, a->stride));
    int64_t least = least_residue(before, a->dilation, -a->stride, lo - 1 - first);
    return before <= 0 || a->dilation - 1 - least < hi - lo;
}
