/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * view.c - where a view lies in its tile's buffer: the one answer for validator, simulator and
 * dump. (The checker has its own.)
 */
#include "isa.h"

/* Slots of the held rows, in all frames: all from *first to *last in memory are used or lie between
 * used ones. */
static void slot_range(const struct isa_view *v, int64_t *first, int64_t *last)
{
    int64_t n = (int64_t)v->y1 - v->y0, ring = v->ring_rows;
    int64_t slot = ((v->y0 - (int64_t)v->ring_origin) % ring + ring) % ring;
    bool wraps = slot + n > ring || v->frame_rows % v->ring_rows != 0;
    *first = wraps ? 0 : slot;
    *last = wraps ? ring - 1 : slot + n - 1;
}

/* Widens the extent by the multiples first..last of a pitch. */
static bool add_axis(int64_t first, int64_t last, int64_t pitch, struct isa_extent *e)
{
    int64_t a, b;
    if (!mul_i64(first, pitch, &a) || !mul_i64(last, pitch, &b))
        return false;
    return add_i64(e->lo, min_i64(a, b), &e->lo) && add_i64(e->hi, max_i64(a, b), &e->hi);
}

bool isa_view_extent(const struct isa_view *v, struct isa_extent *out)
{
    int64_t first, last;
    if (v->base > INT64_MAX)
        return false;
    out->lo = (int64_t)v->base;
    slot_range(v, &first, &last);
    return add_i64(out->lo, (int64_t)element_bytes(v->element), &out->hi) &&
           add_axis(first, last, v->row_pitch, out) &&
           add_axis(0, (int64_t)v->x1 - v->x0 - 1, v->col_pitch, out) &&
           add_axis(0, (int64_t)v->channels - 1, v->channel_pitch, out);
}
