/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_view.h - elements of a tile's buffer in runs and chunks, through its views. sim_view.c.
 */
#ifndef CIMC_SIM_VIEW_H
#define CIMC_SIM_VIEW_H

#include "sim_internal.h"

enum { SIM_CHUNK = 1024 }; /* elements that a vector operation works on at a time */

/* n pixels of row y, columns x, x + step, ..., channels [c0, c0 + nc). */
struct run {
    int64_t y, x, step;
    uint32_t n, c0, nc;
};
/* Pixels in a buffer, packed ones, or those of a tensor. */
struct pixels {
    uint8_t *at;
    int64_t col, channel; /* bytes */
};
/* The run's pixels, of elements of 1 or 4 bytes. */
void copy_elements(struct pixels out, struct pixels in, struct run r, size_t size);
/* To out, pixels `pitch` elements apart, as they lie in the buffer; padding where the view pads. */
bool view_read(struct sim *s, uint32_t tile, uint32_t view, struct run r, void *out,
               size_t pitch) CHECK_RESULT;
/* All of the run must be held. */
bool view_write(struct sim *s, uint32_t tile, uint32_t view, struct run r, const void *in,
                size_t pitch) CHECK_RESULT;
/* Where the run lies, if all of it is held and a pixel's channels are contiguous; else NULL. */
void *view_pixels(struct sim *s, uint32_t tile, uint32_t view, struct run r);
/* As view_pixels, for `rows` rows whose pixels are all equally far apart. */
void *view_rows(struct sim *s, uint32_t tile, uint32_t view, struct run r, uint32_t rows);
/* As view_pixels, if its pixels are contiguous too. */
void *view_direct(struct sim *s, uint32_t tile, uint32_t view, struct run r);

/* Lanes: 32 bits for each element, packed. What follows takes at most SIM_CHUNK elements. */

/* The run's lanes: where they lie, or made in `room`; NULL after a fault. */
const void *lanes_read(struct sim *s, uint32_t tile, uint32_t view, struct run r, void *room);
/* Where lanes of the run may be written in place, or NULL. */
void *lanes_direct(struct sim *s, uint32_t tile, uint32_t view, struct run r);
/* u8: saturated. */
bool lanes_write(struct sim *s, uint32_t tile, uint32_t view, struct run r,
                 const void *lanes) CHECK_RESULT;

static inline const struct isa_view *view_of(const struct sim *s, uint32_t tile, uint32_t view)
{
    return &s->tiles[tile].views[view].v;
}
/* A chunk of a region: n pixels from column x of row y on (both relative), channels c0 .. c0 + nc;
 * pixels are whole, or there is one. */
struct chunk {
    uint32_t y, x, n, c0, nc;
};
/* The chunks of h x w x channels, row by row. By channel: channels, where a pixel does not fit into
 * a chunk, outermost. */
struct chunks {
    uint32_t h, w, channels, pixels, step; /* of a full chunk */
    bool by_channel;
    struct chunk next;
};
static inline struct chunks chunks_of(uint32_t h, uint32_t w, uint32_t channels)
{
    bool fit = channels > 0 && channels <= SIM_CHUNK;
    return (struct chunks){.h = h,
                           .w = w,
                           .channels = channels,
                           .pixels = fit ? SIM_CHUNK / channels : 1,
                           .step = fit ? channels : SIM_CHUNK};
}
static inline struct run chunk_run(const struct isa_region *r, const struct chunk *k)
{
    return (struct run){.y = r->y + (int64_t)k->y,
                        .x = r->x + (int64_t)k->x,
                        .step = 1,
                        .n = k->n,
                        .c0 = k->c0,
                        .nc = k->nc};
}
/* False when there are no more. */
bool chunks_next(struct chunks *all, struct chunk *out);

/* Of row y of a frame: its number from the first frame's ring origin on. */
static inline int64_t view_row(const struct isa_view *v, uint32_t frame, int64_t y)
{
    return (int64_t)frame * v->frame_rows + y - v->ring_origin;
}
/* As isa_address: the remainder is rarely needed. */
static inline uint64_t view_address(const struct isa_view *v, uint32_t frame, int64_t y, int64_t x)
{
    int64_t slot = view_row(v, frame, y);
    if (slot < 0 || slot >= v->ring_rows) {
        slot %= v->ring_rows;
        slot += slot < 0 ? v->ring_rows : 0;
    }
    return v->base + (uint64_t)(slot * v->row_pitch + (x - v->x0) * v->col_pitch);
}
/* Clips the run to what the view holds; false if that is nothing. */
static inline bool clip_run(const struct isa_view *v, struct run *r)
{
    if (r->y < v->y0 || r->y >= v->y1 || r->x >= v->x1 || r->nc == 0)
        return false;
    int64_t skipped = r->x < v->x0 ? (v->x0 - r->x + r->step - 1) / r->step : 0;
    int64_t end = (v->x1 - r->x + r->step - 1) / r->step;
    if (end > r->n)
        end = r->n;
    if (skipped >= end)
        return false;
    r->x += skipped * r->step;
    r->n = (uint32_t)(end - skipped);
    return true;
}

/* How many channels from c on, before `end`, come from neighbouring ones (1 where c is a fill). */
uint32_t gather_run(const struct isa_gather *g, uint32_t c, uint32_t end);
/* The pixels among n in a row, from (y, x) of dst on, that tap kh * kernel_w + kw of an overlap
 * window meets: every stride-th from the first on, and the pixels of `a` that it takes for them,
 * one after the other. */
struct overlap_row {
    int64_t y, x;      /* of a */
    uint32_t first, n; /* n = 0: none */
};
struct overlap_row overlap_row(const struct isa_window *w, const struct isa_view *a, uint32_t tap,
                               int64_t y, int64_t x, uint32_t n);

#endif
