/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* box.h - boxes of a value's elements, and ranges of its rows: half open on each axis. */
#ifndef CIMC_BOX_H
#define CIMC_BOX_H

#include "base/base.h"

#define NONE UINT32_MAX

struct box { /* [lo, hi) on each axis */
    int32_t lo[3], hi[3];
};
struct rows { /* [lo, hi); empty if lo == hi */
    int32_t lo, hi;
};

static inline bool box_empty(const struct box *b)
{
    return b->lo[0] >= b->hi[0] || b->lo[1] >= b->hi[1] || b->lo[2] >= b->hi[2];
}
struct box box_intersect(const struct box *a, const struct box *b);
void box_include(struct box *a, const struct box *b); /* an empty `a` becomes b */
struct box box_shift(const struct box *b, const int32_t shift[3], int sign);
struct box box_whole(const int32_t dim[3]);
void rows_include(struct rows *a, struct rows b);

#endif
