/*
 * sim_view.c - elements of a tile's buffer, through its views.
 *
 * In: runs of pixels in logical coordinates. Out: packed floats, or floats put in place. ISA.md
 * section 4: outside the logical extents is padding; inside but not held is a fault.
 */
#include "sim_view.h"

#include <string.h>

/* Short copies: memcpy's call costs more than they do. */
static inline void copy_floats(float *out, const float *in, size_t n)
{
    if (n >= 16) {
        memcpy(out, in, n * sizeof *out);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = in[i];
}

/* Reads what is held: n pixels from `at` on, `col` elements apart. */
static void read_pixels(const float *at, int64_t col, int64_t channel, struct run r, float *out,
                        size_t pitch)
{
    if (channel == 1 && col == r.nc && pitch == r.nc) {
        copy_floats(out, at, (size_t)r.n * r.nc);
        return;
    }
    for (uint32_t i = 0; i < r.n; i++, at += col, out += pitch) {
        if (channel == 1) {
            copy_floats(out, at, r.nc);
            continue;
        }
        for (uint32_t c = 0; c < r.nc; c++)
            out[c] = at[c * channel];
    }
}

static void write_pixels(float *at, int64_t col, int64_t channel, struct run r, const float *in,
                         size_t pitch)
{
    if (channel == 1 && col == r.nc && pitch == r.nc) {
        copy_floats(at, in, (size_t)r.n * r.nc);
        return;
    }
    for (uint32_t i = 0; i < r.n; i++, at += col, in += pitch) {
        if (channel == 1) {
            copy_floats(at, in, r.nc);
            continue;
        }
        for (uint32_t c = 0; c < r.nc; c++)
            at[c * channel] = in[c];
    }
}

static void fill_pixels(float value, struct run r, float *out, size_t pitch)
{
    for (uint32_t i = 0; i < r.n; i++, out += pitch)
        for (uint32_t c = 0; c < r.nc; c++)
            out[c] = value;
}

static bool holds(const struct isa_view *v, struct run r)
{
    int64_t last = r.x + (int64_t)(r.n - 1) * r.step;
    return r.y >= v->y0 && r.y < v->y1 && r.x >= v->x0 && last < v->x1 &&
           (uint64_t)r.c0 + r.nc <= v->channels;
}

static float *address(struct sim *s, const struct sim_view *v, struct run r)
{
    uint64_t at = view_address(&v->v, r.y, r.x) + (uint64_t)(r.c0 * v->v.channel_pitch);
    return (float *)(void *)(s->stores.at[v->store].memory + at);
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

bool view_read(struct sim *s, uint32_t tile, uint32_t view, struct run r, float *out, size_t pitch)
{
    const struct sim_view *placed = &s->tiles[tile].views[view];
    const struct isa_view *v = &placed->v;
    uint32_t left = pixels_before(r, 0), end = pixels_before(r, v->width);
    if (r.y < 0 || r.y >= v->height)
        left = end = r.n;
    fill_pixels(isa_f32_of(v->pad_value), part(r, 0, left), out, pitch);
    fill_pixels(isa_f32_of(v->pad_value), part(r, end, r.n), out + end * pitch, pitch);
    struct run inner = part(r, left, end);
    if (left == end)
        return true;
    if (!holds(v, inner))
        return not_held(s, tile, view, inner, "a read");
    read_pixels(address(s, placed, inner), r.step * placed->col, placed->channel, inner,
                out + left * pitch, pitch);
    return true;
}

bool view_write(struct sim *s, uint32_t tile, uint32_t view, struct run r, const float *in,
                size_t pitch)
{
    const struct sim_view *v = &s->tiles[tile].views[view];
    if (r.n == 0 || r.nc == 0)
        return true;
    if (!holds(&v->v, r))
        return not_held(s, tile, view, r, "a write");
    write_pixels(address(s, v, r), v->col, v->channel, r, in, pitch);
    return true;
}

float *view_pixels(struct sim *s, uint32_t tile, uint32_t view, struct run r)
{
    const struct sim_view *v = &s->tiles[tile].views[view];
    bool dense = v->channel == 1 || r.nc == 1;
    return dense && holds(&v->v, r) ? address(s, v, r) : NULL;
}

float *view_rows(struct sim *s, uint32_t tile, uint32_t view, struct run r, uint32_t rows)
{
    const struct sim_view *v = &s->tiles[tile].views[view];
    float *at = view_pixels(s, tile, view, r);
    if (rows == 1 || !at)
        return at;
    struct run last = r;
    last.y += rows - 1;
    bool adjacent = v->row == v->col * r.n && last.y < v->v.y1 &&
                    view_pixels(s, tile, view, last) == at + (rows - 1) * v->row;
    return adjacent ? at : NULL;
}

float *view_direct(struct sim *s, uint32_t tile, uint32_t view, struct run r)
{
    bool dense = s->tiles[tile].views[view].col * r.step == r.nc || r.n == 1;
    return dense ? view_pixels(s, tile, view, r) : NULL;
}

float sim_read(const struct sim *s, uint32_t tile, uint32_t view, int32_t y, int32_t x, uint32_t c)
{
    const struct isa_view *v = view_of(s, tile, view);
    if (y < 0 || x < 0 || (uint32_t)y >= v->height || (uint32_t)x >= v->width)
        return isa_f32_of(v->pad_value);
    if (y < v->y0 || y >= v->y1 || x < v->x0 || x >= v->x1 || c >= v->channels)
        BUG("tile %u does not hold (%d, %d, %u) of view %u", tile, y, x, c, view);
    float value;
    uint64_t at = view_address(v, y, x) + (uint64_t)(c * v->channel_pitch);
    memcpy(&value, s->stores.at[s->tiles[tile].views[view].store].memory + at, sizeof value);
    return value;
}
