/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_view.c - elements of a tile's buffer, through its views.
 *
 * In: runs of pixels in logical coordinates. Out: packed elements, or elements put in place. ISA.md
 * section 4: outside the logical extents is padding; inside but not held is a fault. Elements are
 * moved as they are, 1 or 4 bytes each; the vector unit sees them as lanes of 32 bits.
 */
#include "sim_view.h"

#include "lane_ops.h"

#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Short copies: memmove's call costs more than they do. A SEND to its own tile may name places that
 * overlap: a race, but one that the simulator survives. */
ALWAYS_INLINE void copy(uint8_t *out, const uint8_t *in, size_t n, size_t size)
{
    if (n * size >= 64) {
        memmove(out, in, n * size);
        return;
    }
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * size, in + i * size, size);
}

ALWAYS_INLINE void copy_pixels(struct pixels out, struct pixels in, struct run r, size_t size)
{
    int64_t dense = (int64_t)(r.nc * size);
    bool whole = out.channel == (int64_t)size && in.channel == (int64_t)size;
    if (whole && out.col == dense && in.col == dense) {
        copy(out.at, in.at, (size_t)r.n * r.nc, size);
        return;
    }
    for (uint32_t i = 0; i < r.n; i++, out.at += out.col, in.at += in.col) {
        if (whole) {
            copy(out.at, in.at, r.nc, size);
            continue;
        }
        for (uint32_t c = 0; c < r.nc; c++)
            memcpy(out.at + c * out.channel, in.at + c * in.channel, size);
    }
}

void copy_elements(struct pixels out, struct pixels in, struct run r, size_t size)
{
    if (size == 1)
        copy_pixels(out, in, r, 1);
    else
        copy_pixels(out, in, r, sizeof(uint32_t));
}

static struct pixels packed(void *at, size_t pitch, size_t size)
{
    return (struct pixels){at, (int64_t)(pitch * size), (int64_t)size};
}

static struct pixels pixels_of(const struct sim_view *v, void *at, int64_t step)
{
    return (struct pixels){at, step * v->v.col_pitch, v->v.channel_pitch};
}

static void fill_pixels(const struct sim_view *v, struct run r, uint8_t *out, size_t pitch)
{
    uint32_t value = v->v.pad_value;
    for (uint32_t i = 0; i < r.n; i++, out += pitch * v->element_bytes) {
        if (v->element_bytes == 1)
            memset(out, (int)value, r.nc);
        else
            for (uint32_t c = 0; c < r.nc; c++)
                memcpy(out + c * sizeof value, &value, sizeof value);
    }
}

static bool holds(const struct isa_view *v, struct run r)
{
    int64_t last = r.x + (int64_t)(r.n - 1) * r.step;
    return r.y >= v->y0 && r.y < v->y1 && r.x >= v->x0 && last < v->x1 &&
           (uint64_t)r.c0 + r.nc <= v->channels;
}

static void *address(struct sim *s, const struct sim_view *v, struct run r)
{
    uint64_t at =
        view_address(&v->v, s->at_frame, r.y, r.x) + (uint64_t)(r.c0 * v->v.channel_pitch);
    return s->stores.at[v->store].memory + at;
}

static bool not_held(struct sim *s, uint32_t tile, uint32_t view, struct run r, const char *what)
{
    const struct isa_view *v = view_of(s, tile, view);
    return sim_fault(s,
                     "%s of view %u of tile %u at y=%lld, x=%lld..%lld, channels %u..%u: held are "
                     "y=%d..%d, x=%d..%d, %u channels",
                     what, view, tile, (long long)r.y, (long long)r.x,
                     (long long)(r.x + (int64_t)(r.n - 1) * r.step), r.c0, r.c0 + r.nc - 1, v->y0,
                     v->y1 - 1, v->x0, v->x1 - 1, v->channels);
}

/* Pixels of the run from its start that lie left of column `limit`. */
static uint32_t pixels_before(struct run r, int64_t limit)
{
    if (r.x >= limit)
        return 0;
    int64_t n = (limit - r.x + r.step - 1) / r.step;
    return n < r.n ? (uint32_t)n : r.n;
}

static struct run part(struct run r, uint32_t first, uint32_t end)
{
    r.x += (int64_t)first * r.step;
    r.n = end - first;
    return r;
}

bool view_read(struct sim *s, uint32_t tile, uint32_t view, struct run r, void *out, size_t pitch)
{
    const struct sim_view *v = &s->tiles[tile].views[view];
    uint32_t left = pixels_before(r, 0), end = pixels_before(r, v->v.width);
    size_t pixel = pitch * v->element_bytes;
    if (r.y < 0 || r.y >= v->v.height)
        left = end = r.n;
    fill_pixels(v, part(r, 0, left), out, pitch);
    fill_pixels(v, part(r, end, r.n), (uint8_t *)out + end * pixel, pitch);
    struct run inner = part(r, left, end);
    if (left == end)
        return true;
    if (!holds(&v->v, inner))
        return not_held(s, tile, view, inner, "a read");
    copy_elements(packed((uint8_t *)out + left * pixel, pitch, v->element_bytes),
                  pixels_of(v, address(s, v, inner), r.step), inner, v->element_bytes);
    return true;
}

bool view_write(struct sim *s, uint32_t tile, uint32_t view, struct run r, const void *in,
                size_t pitch)
{
    const struct sim_view *v = &s->tiles[tile].views[view];
    if (r.n == 0 || r.nc == 0)
        return true;
    if (!holds(&v->v, r))
        return not_held(s, tile, view, r, "a write");
    copy_elements(pixels_of(v, address(s, v, r), r.step),
                  packed((void *)in, pitch, v->element_bytes), r, v->element_bytes);
    return true;
}

void *view_pixels(struct sim *s, uint32_t tile, uint32_t view, struct run r)
{
    const struct sim_view *v = &s->tiles[tile].views[view];
    bool dense = v->channel == 1 || r.nc == 1;
    return dense && holds(&v->v, r) ? address(s, v, r) : NULL;
}

void *view_rows(struct sim *s, uint32_t tile, uint32_t view, struct run r, uint32_t rows)
{
    const struct sim_view *v = &s->tiles[tile].views[view];
    uint8_t *at = view_pixels(s, tile, view, r);
    if (rows == 1 || !at)
        return at;
    struct run last = r;
    last.y += rows - 1;
    bool adjacent = v->row == v->col * r.n && last.y < v->v.y1 &&
                    view_pixels(s, tile, view, last) == at + (rows - 1) * v->v.row_pitch;
    return adjacent ? at : NULL;
}

void *view_direct(struct sim *s, uint32_t tile, uint32_t view, struct run r)
{
    bool dense = s->tiles[tile].views[view].col * r.step == r.nc || r.n == 1;
    return dense ? view_pixels(s, tile, view, r) : NULL;
}

/* ---- lanes ---- */

const void *lanes_read(struct sim *s, uint32_t tile, uint32_t view, struct run r, void *room)
{
    bool bytes = s->tiles[tile].views[view].element_bytes == 1;
    const void *at = view_direct(s, tile, view, r);
    if (!at) {
        at = bytes ? (void *)s->bytes : room;
        if (!view_read(s, tile, view, r, (void *)at, r.nc))
            return NULL;
    }
    if (!bytes)
        return at;
    lanes_widen(room, at, r.n * r.nc);
    return room;
}

void *lanes_direct(struct sim *s, uint32_t tile, uint32_t view, struct run r)
{
    return s->tiles[tile].views[view].element_bytes == 1 ? NULL : view_direct(s, tile, view, r);
}

bool lanes_write(struct sim *s, uint32_t tile, uint32_t view, struct run r, const void *lanes)
{
    if (s->tiles[tile].views[view].element_bytes != 1)
        return view_write(s, tile, view, r, lanes, r.nc);
    uint8_t *direct = view_direct(s, tile, view, r);
    lanes_narrow(direct ? direct : s->bytes, lanes, r.n * r.nc);
    return direct || view_write(s, tile, view, r, s->bytes, r.nc);
}

bool chunks_next(struct chunks *all, struct chunk *out)
{
    struct chunk *k = &all->next;
    if (all->w == 0 || k->y >= all->h || k->c0 >= all->channels)
        return false;
    *out = *k;
    out->n = all->pixels < all->w - k->x ? all->pixels : all->w - k->x;
    out->nc = all->step < all->channels - k->c0 ? all->step : all->channels - k->c0;
    if (!all->by_channel) {
        k->c0 += all->step;
        if (k->c0 < all->channels)
            return true;
        k->c0 = 0;
    }
    k->x += all->pixels;
    if (k->x < all->w)
        return true;
    k->x = 0;
    if (++k->y < all->h || !all->by_channel)
        return true;
    k->y = 0;
    k->c0 += all->step;
    return true;
}

uint32_t sim_read(const struct sim *s, uint32_t tile, uint32_t view, int32_t y, int32_t x,
                  uint32_t c)
{
    const struct sim_view *placed = &s->tiles[tile].views[view];
    const struct isa_view *v = &placed->v;
    if (y < 0 || x < 0 || (uint32_t)y >= v->height || (uint32_t)x >= v->width)
        return v->pad_value;
    if (y < v->y0 || y >= v->y1 || x < v->x0 || x >= v->x1 || c >= v->channels)
        BUG("tile %u does not hold (%d, %d, %u) of view %u", tile, y, x, c, view);
    uint32_t value = 0; /* the machine is little endian */
    uint64_t at = view_address(v, s->at_frame, y, x) + (uint64_t)(c * v->channel_pitch);
    memcpy(&value, s->stores.at[placed->store].memory + at, placed->element_bytes);
    return value;
}
