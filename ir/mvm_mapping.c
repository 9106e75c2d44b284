/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mvm_mapping.c - a base layer's matrix, cut into PEs; mvm_mapping.h has the rule.
 *
 * How many positions a block reads is counted in closed form, as duplication asks it of every patch
 * of every layer. Along an axis, tap j of pixel i reads position i * stride + j * dilation. Reduced
 * by their common divisor to s and d, taps meet at one position exactly where pixels are t * d and
 * taps t * s apart, so that each position is a chain (i, j), (i + d, j - s), ... of taps, and
 * positions = taps - links of chains.
 */
#include "mvm_mapping.h"

#include <string.h>

/* A patch's matrix is written out, zeros and all, and grows with the square of the patch. Windows
 * are as kernels may be. */
enum { MOST_EXTENT = 1 << 24, MOST_ELEMENTS = 1 << 26, MOST_WINDOW = 65535 };

struct links {
    int64_t pixels, taps; /* d, s */
};

static struct links links_of(const struct ir_mapping *m, int axis)
{
    int64_t common = (int64_t)gcd_u64((uint64_t)m->stride[axis], (uint64_t)m->dilation[axis]);
    return (struct links){m->dilation[axis] / common, m->stride[axis] / common};
}

/* Positions that n neighbouring pixels read along an axis. */
static int64_t span(const struct ir_mapping *m, int axis, int64_t n)
{
    struct links l = links_of(m, axis);
    return n * m->kernel[axis] - max_i64(n - l.pixels, 0) * max_i64(m->kernel[axis] - l.taps, 0);
}

/* Columns that both pixels [0, end) and pixels [start, patch) of a row read, start >= end: of each
 * class of pixels that can meet, the last before `end` meets the first from `start` on. */
static int64_t common_columns(const struct ir_mapping *m, int64_t end, int64_t start)
{
    struct links l = links_of(m, 1);
    int64_t common = 0;
    for (int64_t last = max_i64(end - l.pixels, 0); last < end; last++) {
        int64_t links = ceil_div_i64(start - last, l.pixels);
        if (last + links * l.pixels < m->patch[1])
            common += max_i64(m->kernel[1] - links * l.taps, 0);
    }
    return common;
}

/* Positions that pixels [first, last], counted row by row, read: those of the full rows of pixels,
 * and what the partial rows before and behind them read in other rows of the window. */
static int64_t positions(const struct ir_mapping *m, int64_t first, int64_t last)
{
    int64_t width = m->patch[1], x0 = first % width, x1 = last % width;
    if (first / width == last / width)
        return m->kernel[0] * span(m, 1, x1 - x0 + 1);
    bool before = x0 > 0, behind = x1 < width - 1;
    int64_t full = last / width - first / width + 1 - before - behind;
    struct links l = links_of(m, 0);
    int64_t outside =
        full >= l.pixels ? min_i64(m->kernel[0], l.taps) : m->kernel[0]; /* of a partial row */
    int64_t shared =
        before && behind && full + 1 == l.pixels ? max_i64(m->kernel[0] - l.taps, 0) : 0;
    int64_t upper = before ? span(m, 1, width - x0) : 0, lower = behind ? span(m, 1, x1 + 1) : 0;
    int64_t both = x0 <= x1 + 1 ? span(m, 1, width) : upper + lower - common_columns(m, x1 + 1, x0);
    return span(m, 0, full) * span(m, 1, width) + (outside - shared) * (upper + lower) +
           shared * both;
}

static bool is_diagonal(const struct ir_mapping *m)
{
    return m->per_pe > 0;
}

/* Blocks that the columns of one conv group are cut into. */
static int64_t blocks_of_group(const struct ir_mapping *m)
{
    return ceil_div_i64(m->columns, m->cols);
}

static void set_axes(struct ir_mapping *m, const struct ir_attrs_mvm *at, const int64_t patch[2])
{
    bool one = patch[0] == 1 && patch[1] == 1;
    for (int i = 0; i < 2; i++) {
        m->patch[i] = patch[i];
        m->kernel[i] = at->kernel[i];
        m->stride[i] = at->stride[i];
        m->dilation[i] = one ? 1 : at->dilation[i];
        m->step[i] = one ? at->dilation[i] : 1;
        m->window[i] = (patch[i] - 1) * m->stride[i] + m->dilation[i] * (m->kernel[i] - 1) + 1;
    }
}

struct ir_mapping ir_mapping_with(const struct ir_op *mvm, int64_t rows, int64_t cols,
                                  const int64_t patch[2])
{
    struct ir_mapping m = {.groups = mvm->attrs->mvm.group, .rows = rows, .cols = cols};
    set_axes(&m, &mvm->attrs->mvm, patch);
    m.channels = mvm->in[0].value->type.dim[2] / m.groups;
    m.pixel_columns = mvm->in[1].value->type.dim[1] / m.groups;
    m.columns = patch[0] * patch[1] * m.pixel_columns;
    m.n = m.columns * m.groups;
    m.k = m.window[0] * m.window[1] * m.channels;
    int64_t read = span(&m, 0, patch[0]) * span(&m, 1, patch[1]) * m.channels;
    m.per_pe = min_i64(rows / read, cols / m.columns);
    if (is_diagonal(&m)) {
        m.n_slices = 1;
        m.n_pes = m.n_blocks = ceil_div_i64(m.groups, m.per_pe);
        return m;
    }
    m.n_blocks = m.groups * blocks_of_group(&m);
    for (int64_t block = 0; block < blocks_of_group(&m); block++) {
        int64_t slices = ir_mapping_slices(&m, block);
        m.n_slices = max_i64(m.n_slices, slices);
        m.n_pes += m.groups * slices;
    }
    return m;
}

struct ir_mapping ir_mapping_of(const struct ir_op *mvm, int64_t rows, int64_t cols)
{
    return ir_mapping_with(mvm, rows, cols, mvm->attrs->mvm.patch);
}

bool ir_mapping_matrix(const struct ir_op *mvm, const int64_t patch[2], int64_t extent[2])
{
    const struct ir_type *w = &mvm->in[1].value->type;
    struct ir_mapping m;
    memcpy(extent, w->dim, 2 * sizeof *extent);
    if (patch[0] == 1 && patch[1] == 1)
        return extent[0] <= INT32_MAX && extent[1] <= INT32_MAX; /* the operand itself */
    set_axes(&m, &mvm->attrs->mvm, patch);
    return m.window[0] <= MOST_WINDOW && m.window[1] <= MOST_WINDOW &&
           mul_i64(m.window[0], m.window[1], &extent[0]) &&
           mul_i64(extent[0], mvm->in[0].value->type.dim[2] / mvm->attrs->mvm.group, &extent[0]) &&
           mul_i64(patch[0], patch[1], &extent[1]) && mul_i64(extent[1], w->dim[1], &extent[1]) &&
           extent[0] <= MOST_EXTENT && extent[1] <= MOST_EXTENT &&
           extent[0] * extent[1] <= MOST_ELEMENTS;
}

bool ir_mapping_has_zero(const struct ir_op *mvm, int64_t bits)
{
    const struct ir_op *center = mvm->n_in > 2 ? mvm->in[2].value->def : NULL;
    int64_t most = (INT64_C(1) << (bits - 1)) - 1;
    for (int64_t i = 0; center && i < ir_count(&center->out->type); i++) {
        int64_t zero = -ir_const_i64(center, i);
        if (zero > most || zero < -most - 1)
            return false;
    }
    return true;
}

int64_t ir_mapping_products(const struct ir_mapping *m, int64_t h, int64_t w)
{
    return ceil_div_i64(h, m->patch[0]) * ceil_div_i64(w, m->patch[1]);
}

/* First and last pixel of the patch that a block has columns of. */
static void block_pixels(const struct ir_mapping *m, int64_t block, int64_t pixel[2])
{
    int64_t lo, hi;
    ir_mapping_block(m, block, &lo, &hi);
    pixel[0] = is_diagonal(m) ? 0 : lo % m->columns / m->pixel_columns;
    pixel[1] = (hi - 1) % m->columns / m->pixel_columns;
}

/* Matrix rows that a block reads. */
static int64_t block_rows(const struct ir_mapping *m, int64_t block)
{
    int64_t pixel[2];
    block_pixels(m, block, pixel);
    return positions(m, pixel[0], pixel[1]) * m->channels;
}

int64_t ir_mapping_slices(const struct ir_mapping *m, int64_t block)
{
    return is_diagonal(m) ? 1 : ceil_div_i64(block_rows(m, block), m->rows);
}

int64_t ir_mapping_slice_rows(const struct ir_mapping *m, int64_t block, int64_t slice)
{
    return min_i64(block_rows(m, block) - slice * m->rows, m->rows);
}

int64_t ir_mapping_most_columns(const struct ir_mapping *m)
{
    return is_diagonal(m) ? min_i64(m->per_pe, m->groups) * m->columns
                          : min_i64(m->columns, m->cols);
}

struct ir_mapping_rows ir_mapping_rows_of(const struct ir_mapping *m, int64_t block, int64_t slice)
{
    struct ir_mapping_rows rows = {.m = m, .first = slice * m->rows, .end = (slice + 1) * m->rows};
    block_pixels(m, block, rows.pixel);
    return rows;
}

/* Does one of the pixels read the position? */
static bool is_read(const struct ir_mapping_rows *rows, int64_t wy, int64_t wx)
{
    const struct ir_mapping *m = rows->m;
    for (int64_t i = 0; i < m->kernel[0]; i++) {
        int64_t y = wy - i * m->dilation[0], py = y / m->stride[0];
        if (y < 0 || y % m->stride[0] || py >= m->patch[0])
            continue;
        for (int64_t j = 0; j < m->kernel[1]; j++) {
            int64_t x = wx - j * m->dilation[1], px = x / m->stride[1];
            int64_t pixel = py * m->patch[1] + px;
            if (x >= 0 && x % m->stride[1] == 0 && px < m->patch[1] && pixel >= rows->pixel[0] &&
                pixel <= rows->pixel[1])
                return true;
        }
    }
    return false;
}

bool ir_mapping_next_run(struct ir_mapping_rows *rows, int64_t *lo, int64_t *hi)
{
    const struct ir_mapping *m = rows->m;
    bool found = false;
    for (; rows->position < m->window[0] * m->window[1] && rows->passed < rows->end;
         rows->position++) {
        if (!is_read(rows, rows->position / m->window[1], rows->position % m->window[1])) {
            if (found)
                return true;
            continue;
        }
        int64_t first = max_i64(rows->first - rows->passed, 0);
        int64_t end = min_i64(rows->end - rows->passed, m->channels);
        rows->passed += m->channels;
        if (first >= end)
            continue;
        *lo = found ? *lo : rows->position * m->channels + first;
        *hi = rows->position * m->channels + end;
        found = true;
    }
    return found;
}

static bool pixel_reads(const struct ir_mapping *m, int axis, int64_t pixel, int64_t position)
{
    int64_t at = position - pixel * m->stride[axis];
    return at >= 0 && at % m->dilation[axis] == 0 && at / m->dilation[axis] < m->kernel[axis];
}

/* Columns [from, to) whose pixel reads the position. */
static int64_t readers(const struct ir_mapping *m, int64_t from, int64_t to, int64_t position)
{
    int64_t n = 0, next;
    for (int64_t column = from; column < to; column = next) {
        struct ir_mapping_pixel p = ir_mapping_pixel(m, column);
        next = min_i64(column - column % m->pixel_columns + m->pixel_columns, to);
        if (pixel_reads(m, 0, p.row, position / m->window[1]) &&
            pixel_reads(m, 1, p.column, position % m->window[1]))
            n += next - column;
    }
    return n;
}

int64_t ir_mapping_weights(const struct ir_mapping *m, int64_t block, int64_t slice)
{
    struct ir_mapping_rows rows = ir_mapping_rows_of(m, block, slice);
    int64_t from, to, lo, hi, next, n = 0;
    ir_mapping_block(m, block, &from, &to);
    while (ir_mapping_next_run(&rows, &lo, &hi))
        for (int64_t row = lo; row < hi; row = next) {
            next = min_i64(row - row % m->channels + m->channels, hi);
            n += (next - row) * readers(m, from, to, row / m->channels);
        }
    return n;
}

int64_t ir_mapping_all_weights(const struct ir_mapping *m)
{
    return m->n * m->kernel[0] * m->kernel[1] * m->channels;
}

void ir_mapping_block(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi)
{
    if (is_diagonal(m)) {
        *lo = block * m->per_pe * m->columns;
        *hi = min_i64(*lo + m->per_pe * m->columns, m->n);
        return;
    }
    int64_t start = block / blocks_of_group(m) * m->columns;
    *lo = start + block % blocks_of_group(m) * m->cols;
    *hi = min_i64(*lo + m->cols, start + m->columns);
}

int64_t ir_mapping_block_of(const struct ir_mapping *m, int64_t column)
{
    if (is_diagonal(m))
        return column / m->columns / m->per_pe;
    return column / m->columns * blocks_of_group(m) + column % m->columns / m->cols;
}

void ir_mapping_channels(const struct ir_mapping *m, int64_t block, int64_t *lo, int64_t *hi)
{
    int64_t first, end;
    ir_mapping_block(m, block, &first, &end);
    struct ir_mapping_pixel a = ir_mapping_pixel(m, first), b = ir_mapping_pixel(m, end - 1);
    bool one = a.row == b.row && a.column == b.column;
    *lo = one ? a.channel : a.channel / m->pixel_columns * m->pixel_columns;
    *hi = one ? b.channel + 1 : (b.channel / m->pixel_columns + 1) * m->pixel_columns;
}

struct ir_mapping_tap ir_mapping_tap(const struct ir_mapping *m, int64_t group, int64_t row)
{
    int64_t position = row / m->channels;
    return (struct ir_mapping_tap){.row = position / m->window[1],
                                   .column = position % m->window[1],
                                   .channel = group * m->channels + row % m->channels};
}

struct ir_mapping_pixel ir_mapping_pixel(const struct ir_mapping *m, int64_t column)
{
    int64_t group = column / m->columns, pixel = column % m->columns / m->pixel_columns;
    return (struct ir_mapping_pixel){.row = pixel / m->patch[1],
                                     .column = pixel % m->patch[1],
                                     .channel =
                                         group * m->pixel_columns + column % m->pixel_columns};
}

/* Widens the bounds by a run of rows of conv group `group`. What goes on at a further position has
 * reached the last channel of one and begins at the first of the next; columns alike. */
static void include_run(const struct ir_mapping *m, int64_t group, int64_t from, int64_t to,
                        int64_t lo[3], int64_t hi[3])
{
    struct ir_mapping_tap a = ir_mapping_tap(m, group, from), b = ir_mapping_tap(m, group, to - 1);
    bool one_row = a.row == b.row, one_tap = one_row && a.column == b.column;
    int64_t channel0 = group * m->channels;
    const int64_t first[3] = {a.row, one_row ? a.column : 0, one_tap ? a.channel : channel0};
    const int64_t end[3] = {b.row + 1, one_row ? b.column + 1 : m->window[1],
                            one_tap ? b.channel + 1 : channel0 + m->channels};
    for (int axis = 0; axis < 3; axis++) {
        lo[axis] = min_i64(lo[axis], first[axis]);
        hi[axis] = max_i64(hi[axis], end[axis]);
    }
}

void ir_mapping_taps(const struct ir_mapping *m, int64_t block, int64_t slice0, int64_t slice1,
                     int64_t lo[3], int64_t hi[3])
{
    int64_t column, end, from, to;
    ir_mapping_block(m, block, &column, &end);
    for (int axis = 0; axis < 3; axis++) {
        lo[axis] = INT64_MAX;
        hi[axis] = 0;
    }
    for (int64_t slice = slice0; slice < slice1; slice++) {
        struct ir_mapping_rows rows = ir_mapping_rows_of(m, block, slice);
        while (ir_mapping_next_run(&rows, &from, &to)) {
            include_run(m, column / m->columns, from, to, lo, hi);
            include_run(m, (end - 1) / m->columns, from, to, lo, hi);
        }
    }
}
