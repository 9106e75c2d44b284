/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* isa_mapping.c - what a group's crossbars multiply; isa_mapping.h has the terms. */
#include "isa_mapping.h"

/* x with x * a = 1 modulo n, which have no common divisor. */
static uint32_t inverse_modulo(int64_t a, int64_t n)
{
    int64_t x = 1, next = 0, rest = n;
    for (a %= n; rest > 0;) { /* Euclid: x * a0 = a, next * a0 = rest, modulo n */
        int64_t times = a / rest, before = rest;
        rest = a - times * rest;
        a = before;
        before = next;
        next = x - times * next;
        x = before;
    }
    return (uint32_t)((x % n + n) % n);
}

static struct isa_readers readers_of(uint32_t stride, uint32_t dilation)
{
    uint32_t common = (uint32_t)gcd_u64(stride, dilation), period = dilation / common;
    return (struct isa_readers){common, period, inverse_modulo(stride / common, period)};
}

struct isa_mapping isa_mapping_of(const struct isa_program *p, const struct isa_group *g)
{
    const struct isa_image *image = &p->images[g->image];
    uint32_t groups = isa_conv_groups(g);
    struct isa_mapping m = {.group = g,
                            .k = image->k,
                            .columns = image->n / groups,
                            .channels = g->in_channels / groups,
                            .window_width = (uint32_t)isa_window(g, 1)};
    for (unsigned axis = 0; axis < 2; axis++) {
        m.patch[axis] = isa_patch(g, axis);
        m.step[axis] = isa_has_patch(g) ? 1 : g->dilation[axis];
        m.readers[axis] = readers_of(g->stride[axis], g->dilation[axis]);
    }
    m.pixel_columns = m.columns / (m.patch[0] * m.patch[1]);
    return m;
}

uint32_t isa_mapping_group(const struct isa_mapping *m, uint32_t column)
{
    return column / m->columns;
}

struct isa_span isa_mapping_groups(const struct isa_mapping *m, const struct isa_pe *pe)
{
    return (struct isa_span){isa_mapping_group(m, pe->n0),
                             isa_mapping_group(m, pe->n0 + pe->n - 1) + 1};
}

struct isa_position isa_mapping_position(const struct isa_mapping *m, uint32_t group, uint32_t row)
{
    uint32_t position = row / m->channels;
    return (struct isa_position){.row = position / m->window_width * m->step[0],
                                 .column = position % m->window_width * m->step[1],
                                 .channel = group * m->channels + row % m->channels};
}

struct isa_pixel isa_mapping_pixel(const struct isa_mapping *m, uint32_t column)
{
    uint32_t group = column / m->columns, in_group = column % m->columns;
    uint32_t pixel = in_group / m->pixel_columns;
    return (struct isa_pixel){.row = pixel / m->patch[1],
                              .column = pixel % m->patch[1],
                              .channel = group * m->pixel_columns + in_group % m->pixel_columns};
}

/* The tap that pixel `pixel` of the patch reads a position of the window with; false if none. */
static bool find_tap(const struct isa_mapping *m, unsigned axis, uint32_t position, uint32_t pixel,
                     uint32_t *out)
{
    const struct isa_group *g = m->group;
    uint64_t first = (uint64_t)pixel * g->stride[axis];
    if (position < first || (position - first) % g->dilation[axis] != 0)
        return false;
    *out = (uint32_t)((position - first) / g->dilation[axis]);
    return *out < g->kernel[axis];
}

bool isa_mapping_weight(const struct isa_mapping *m, uint32_t row, uint32_t column,
                        struct isa_weight *out)
{
    struct isa_position at = isa_mapping_position(m, 0, row);
    struct isa_pixel pixel = isa_mapping_pixel(m, column);
    uint32_t y, x;
    if (!find_tap(m, 0, at.row, pixel.row, &y) || !find_tap(m, 1, at.column, pixel.column, &x))
        return false;
    out->row = (y * m->group->kernel[1] + x) * m->channels + at.channel;
    out->column = pixel.channel;
    return true;
}

/* Rows of a PE that a column reads. */
static uint64_t rows_read(const struct isa_mapping *m, const struct isa_pe *pe, uint32_t column)
{
    struct isa_weight weight;
    uint64_t n = 0;
    if (!isa_has_patch(m->group))
        return pe->k;
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++) {
        struct isa_run run = isa_pe_run(pe, i);
        for (uint32_t row = run.row; row < run.row + run.rows; row++)
            n += isa_mapping_weight(m, row, column, &weight);
    }
    return n;
}

uint64_t isa_mapping_held(const struct isa_mapping *m, const struct isa_pe *pe)
{
    uint64_t n = 0;
    for (uint32_t at = pe->n0, next; at < pe->n0 + pe->n; at = next) { /* pixel by pixel */
        next = at - at % m->pixel_columns + m->pixel_columns;
        next = next < pe->n0 + pe->n ? next : pe->n0 + pe->n;
        n += rows_read(m, pe, at) * (next - at);
    }
    return n;
}

struct isa_tap isa_mapping_tap(const struct isa_mapping *m, struct isa_weight weight)
{
    uint32_t tap = weight.row / m->channels, group = weight.column / m->pixel_columns;
    return (struct isa_tap){.row = tap / m->group->kernel[1],
                            .column = tap % m->group->kernel[1],
                            .channel = group * m->channels + weight.row % m->channels};
}

void isa_mapping_cell(const struct isa_mapping *m, struct isa_weight weight, uint32_t pixel_row,
                      uint32_t pixel_column, uint32_t *out_row, uint32_t *out_column)
{
    const struct isa_group *g = m->group;
    struct isa_tap tap = isa_mapping_tap(m, weight);
    uint32_t y = (pixel_row * g->stride[0] + tap.row * g->dilation[0]) / m->step[0];
    uint32_t x = (pixel_column * g->stride[1] + tap.column * g->dilation[1]) / m->step[1];
    uint32_t group = weight.column / m->pixel_columns;
    *out_row = (y * m->window_width + x) * m->channels + tap.channel % m->channels;
    *out_column =
        ((group * m->patch[0] + pixel_row) * m->patch[1] + pixel_column) * m->pixel_columns +
        weight.column % m->pixel_columns;
}

struct isa_weight isa_mapping_weights(const struct isa_mapping *m)
{
    const struct isa_group *g = m->group;
    return (struct isa_weight){g->kernel[0] * g->kernel[1] * m->channels,
                               m->pixel_columns * isa_conv_groups(g)};
}

/* Where the kernel has no gaps: the first pixel whose window reaches the position, unless it begins
 * behind it. */
static uint32_t reader_without_gaps(const struct isa_mapping *m, unsigned axis, uint32_t position)
{
    uint32_t stride = m->group->stride[axis], reach = m->group->kernel[axis] - 1;
    uint32_t beyond = position > reach ? position - reach : 0;
    uint32_t pixel = stride == 1 ? beyond : beyond / stride + (beyond % stride > 0);
    bool reads = pixel < m->patch[axis] && (uint64_t)pixel * stride <= position;
    return reads ? pixel : m->patch[axis];
}

/* Of the pixels that read a position p, p - pixel * stride is a multiple of the dilation: they are
 * those of one residue modulo the period, from the first whose window reaches it on. */
uint32_t isa_mapping_reader(const struct isa_mapping *m, unsigned axis, uint32_t position)
{
    const struct isa_group *g = m->group;
    const struct isa_readers *r = &m->readers[axis];
    int64_t reach = (int64_t)g->dilation[axis] * (g->kernel[axis] - 1), period = r->period;
    if (g->dilation[axis] == 1) /* most: no division of 64 bits */
        return reader_without_gaps(m, axis, position);
    if (position % r->common != 0)
        return m->patch[axis];
    int64_t least = max_i64(ceil_div_i64((int64_t)position - reach, g->stride[axis]), 0);
    int64_t residue = (int64_t)(position / r->common) % period * r->inverse % period;
    int64_t pixel = least + (residue - least % period + period) % period;
    bool reads = pixel < m->patch[axis] && pixel * g->stride[axis] <= position;
    return reads ? (uint32_t)pixel : m->patch[axis];
}

static bool is_read(const struct isa_mapping *m, uint32_t row)
{
    struct isa_position at = isa_mapping_position(m, 0, row);
    return isa_mapping_reader(m, 0, at.row) < m->patch[0] &&
           isa_mapping_reader(m, 1, at.column) < m->patch[1];
}

struct isa_segment isa_mapping_segment(const struct isa_mapping *m, uint32_t group, uint32_t row,
                                       uint32_t end)
{
    struct isa_segment s = {.at = isa_mapping_position(m, group, row), .positions = 1};
    uint32_t in_position = m->channels - row % m->channels;
    uint32_t in_row = m->window_width - row / m->channels % m->window_width;
    s.n = in_position < end - row ? in_position : end - row;
    if (s.n < m->channels)
        return s;
    uint32_t whole = (end - row) / m->channels, most = whole < in_row ? whole : in_row;
    bool read = is_read(m, row);
    while (s.positions < most && is_read(m, row + s.positions * m->channels) == read)
        s.positions++;
    return s;
}

uint32_t isa_mapping_rows(const struct isa_mapping *m, const struct isa_pe *pe)
{
    struct isa_span q = isa_mapping_groups(m, pe);
    return pe->k * (q.to - q.from);
}

/* First crossbar row of the conv group of an image column. */
static uint32_t diagonal_start(const struct isa_mapping *m, const struct isa_pe *pe,
                               uint32_t column)
{
    return (isa_mapping_group(m, column) - isa_mapping_group(m, pe->n0)) * pe->k;
}

bool isa_mapping_crossbar_row(const struct isa_mapping *m, const struct isa_pe *pe, uint32_t row,
                              uint32_t column, uint32_t *out)
{
    uint32_t before = diagonal_start(m, pe, column);
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++) {
        struct isa_run run = isa_pe_run(pe, i);
        if (row < run.row)
            return false;
        if (row - run.row < run.rows) {
            *out = before + row - run.row;
            return true;
        }
        before += run.rows;
    }
    return false;
}

bool isa_mapping_image_row(const struct isa_mapping *m, const struct isa_pe *pe,
                           uint32_t crossbar_row, uint32_t column, uint32_t *out)
{
    uint32_t start = diagonal_start(m, pe, column);
    if (crossbar_row < start)
        return false;
    uint32_t left = crossbar_row - start;
    for (uint32_t i = 0; i < isa_pe_runs(pe); i++) {
        struct isa_run run = isa_pe_run(pe, i);
        if (left < run.rows) {
            *out = run.row + left;
            return true;
        }
        left -= run.rows;
    }
    return false;
}
