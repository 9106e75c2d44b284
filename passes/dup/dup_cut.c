/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dup_cut.c - how an output feature map is divided among the copies of a layer. */
#include "dup.h"

static bool set_cut(int64_t h, int64_t w, int64_t rows, int64_t columns, int64_t out_cut[2])
{
    if (h > rows || w > columns)
        return false;
    out_cut[0] = h;
    out_cut[1] = w;
    return true;
}

/* Divisors from the square root down: the first that fits is the squarest. */
static bool find_square_cut(int64_t copies, int64_t rows, int64_t columns, int64_t out_cut[2])
{
    int64_t root = 1, longest = max_i64(rows, columns);
    while (root <= copies / root)
        root++;
    for (int64_t small = root - 1; small > 0; small--) {
        int64_t large = copies / small;
        if (large > longest)
            return false;
        if (copies % small == 0 && (set_cut(small, large, rows, columns, out_cut) ||
                                    set_cut(large, small, rows, columns, out_cut)))
            return true;
    }
    return false;
}

bool dup_find_cut(enum dup_cut cut, int64_t copies, int64_t rows, int64_t columns,
                  int64_t out_cut[2])
{
    rows = max_i64(rows, 1);
    columns = max_i64(columns, 1);
    switch (cut) {
    case CUT_H: return set_cut(copies, 1, rows, columns, out_cut);
    case CUT_2D: return find_square_cut(copies, rows, columns, out_cut);
    case CUT_AUTO:
    case CUT_W: break;
    }
    return set_cut(1, copies, rows, columns, out_cut);
}

int64_t dup_most_copies(enum dup_cut cut, int64_t rows, int64_t columns)
{
    int64_t most = cut == CUT_H ? rows : columns;
    if (cut == CUT_2D && !mul_i64(rows, columns, &most))
        most = INT64_MAX;
    return max_i64(most, 1);
}
