/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* box.c - boxes of a value's elements, and ranges of its rows: half open on each axis. */
#include "box.h"

struct box box_whole(const int32_t dim[3])
{
    return (struct box){{0, 0, 0}, {dim[0], dim[1], dim[2]}};
}

struct box box_intersect(const struct box *a, const struct box *b)
{
    struct box r;
    for (int i = 0; i < 3; i++) {
        r.lo[i] = max_i32(a->lo[i], b->lo[i]);
        r.hi[i] = min_i32(a->hi[i], b->hi[i]);
    }
    return r;
}

void box_include(struct box *a, const struct box *b)
{
    if (box_empty(b))
        return;
    if (box_empty(a)) {
        *a = *b;
        return;
    }
    for (int i = 0; i < 3; i++) {
        a->lo[i] = min_i32(a->lo[i], b->lo[i]);
        a->hi[i] = max_i32(a->hi[i], b->hi[i]);
    }
}

struct box box_shift(const struct box *b, const int32_t shift[3], int sign)
{
    struct box r = *b;
    for (int i = 0; i < 3; i++) {
        r.lo[i] += sign * shift[i];
        r.hi[i] += sign * shift[i];
    }
    return r;
}

void rows_include(struct rows *a, struct rows b)
{
    if (b.lo >= b.hi)
        return;
    if (a->lo >= a->hi) {
        *a = b;
        return;
    }
    a->lo = min_i32(a->lo, b.lo);
    a->hi = max_i32(a->hi, b.hi);
}
