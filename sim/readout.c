/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * readout.c - what converters and noise make of the sums of a strip.
 *
 * In: its plan, inputs of some products, their exact sums (with noise 0). Out: what is read.
 * Arrays go one after the other: phases of inputs that are full enough are rows of a matrix of
 * planes; times the cells of the lines (read_lines.c) that gives the sums in front of the
 * converters. All is modulo 2^32, so the order does not matter.
 */
#include "sim_internal.h"

#include "base/clones.h"
#include "base/gemm.h"

#include <stdlib.h>
#include <string.h>

/* Of the matrices that are made at a time, so that they stay in the cache. */
enum { SUMS = 1 << 18, PLANE_BYTES = 1 << 18, MOST_ROWS = 1024, LEAST_ROWS = 16 };
/* Products of which two fit 16 bits. */
enum { LOW_PRODUCT = 16383 };

/* A phase of one product's inputs. */
struct read_row {
    uint32_t pixel, phase, bias; /* bias: what cells were made smaller by, times inputs */
};

struct reader {
    struct sim *s;
    const struct reading *r;
    const struct mvm_factor *in;
    struct mvm_array *array;
    struct read_holding holds;
    struct read_lines *lines; /* NULL: not needed yet */
    uint64_t quiet;           /* a phase of inputs of at most this sum is exact */
    uint32_t *out;
    int64_t pitch;
    size_t width; /* of a row of planes: whole words */
    uint32_t n_rows, most_rows;
};

/* ---- planes ---- */

/* The inputs of the array, one after the other. */
static void take_inputs(const struct reader *x, int64_t pixel, uint8_t *out)
{
    const uint8_t *from = (const uint8_t *)x->in->at + pixel * x->in->pitch;
    const struct mvm_block *b = x->holds.blocks;
    for (uint32_t i = 0; i < x->holds.n_blocks; i++, out += b->k, b++)
        memcpy(out, from + b->at, b->k);
}

/* out = (in >> low) & mask of each byte, of whole words; returns the sum. */
CLONES static uint64_t make_plane(const uint8_t *in, size_t width, unsigned low, unsigned mask,
                                  uint8_t *out)
{
    const uint64_t every = mask * UINT64_C(0x0101010101010101);
    for (size_t i = 0; i < width; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, in + i, sizeof word);
        word = word >> low & every;
        memcpy(out + i, &word, sizeof word);
    }
    uint32_t sum = 0;
    for (size_t i = 0; i < width; i++)
        sum += out[i];
    return sum;
}

/* ---- conversions ---- */

/* a / 2^bits, 1..31 of them, to nearest, ties to even. */
static inline __attribute__((always_inline)) uint32_t rounded(uint32_t a, unsigned bits)
{
    const uint32_t rest = (1u << bits) - 1, half = rest >> 1;
    uint32_t down = a >> bits;
    return down + (((a & rest) + half + (down & 1)) >> bits);
}

static inline __attribute__((always_inline)) int32_t rounded_signed(int32_t a, unsigned bits)
{
    const uint32_t rest = (1u << bits) - 1, half = rest >> 1;
    int32_t down = a >> bits;
    return down + (int32_t)((((uint32_t)a & rest) + half + ((uint32_t)down & 1)) >> bits);
}

/* What a code of a slice is made of: `bits` are rounded off, of which `drop` come back. */
struct converter {
    unsigned bits, drop;
    uint32_t most, exact; /* exact: 1 if the sum itself is taken off */
};

/* to += what is read of a + bias, less the exact sum, << phase */
static inline __attribute__((always_inline)) void convert(const struct converter *v,
                                                          const uint32_t *restrict a, uint32_t n,
                                                          uint32_t bias, unsigned phase,
                                                          uint32_t *restrict to)
{
    const struct converter c = *v;
    if (c.bits == 0)
        for (uint32_t i = 0; i < n; i++) {
            uint32_t sum = a[i] + bias, code = sum < c.most ? sum : c.most;
            to[i] += (code - sum * c.exact) << phase;
        }
    else
        for (uint32_t i = 0; i < n; i++) {
            uint32_t sum = a[i] + bias, code = rounded(sum, c.bits);
            code = code < c.most ? code : c.most;
            to[i] += ((code << c.drop) - sum * c.exact) << phase;
        }
}

static inline __attribute__((always_inline)) void convert_signed(const struct converter *v,
                                                                 const int32_t *restrict a,
                                                                 uint32_t n, unsigned phase,
                                                                 uint32_t *restrict to)
{
    const struct converter c = *v;
    const int32_t most = (int32_t)c.most, least = -most - 1;
    for (uint32_t i = 0; i < n; i++) {
        int32_t code = c.bits ? rounded_signed(a[i], c.bits) : a[i];
        code = code < most ? code : most;
        code = code > least ? code : least;
        to[i] += (((uint32_t)code << c.drop) - (uint32_t)a[i] * c.exact) << phase;
    }
}

static struct converter converter_of(const struct reading *r, unsigned slice)
{
    unsigned drop = r->drop[slice], bits = drop + (r->noisy ? r->rule.fraction_bits : 0);
    /* Sums of noisy cells are below 2^31 and so nothing of 2^32 or more. */
    return (struct converter){bits < 32 ? bits : 31, drop, bits < 32 ? r->code_most : 0, !r->noisy};
}

/* Adds what lines have gathered of a product to the columns. */
static inline __attribute__((always_inline)) void
add_to_columns(const struct read_lines *l, const uint32_t *restrict sums, uint32_t *restrict out)
{
    for (uint32_t i = 0; i < l->n_runs; i++) {
        const struct read_run *run = &l->runs[i];
        const uint32_t *restrict from = sums + run->line;
        const int32_t *restrict scale = l->scale + run->line;
        uint32_t *restrict to = out + run->column;
        for (uint32_t c = 0; c < run->n; c++)
            to[c] += from[c] * (uint32_t)scale[c];
    }
}

/* The rows, which ascend by product: a (rows x lines) is what their planes gave. */
CLONES static void convert_rows(const struct reader *x, const struct read_row *rows,
                                const uint32_t *a, uint32_t *gathered)
{
    const struct read_lines *l = x->lines;
    struct converter of[READ_MOST_SLICES];
    for (unsigned slice = 0; slice < x->r->slices; slice++)
        of[slice] = converter_of(x->r, slice);
    for (uint32_t i = 0; i < x->n_rows; i++, a += l->n) {
        if (i == 0 || rows[i].pixel != rows[i - 1].pixel)
            memset(gathered, 0, l->n * sizeof *gathered);
        for (unsigned slice = 0; slice < x->r->slices; slice++) {
            uint32_t at = l->first[slice], n = l->first[slice + 1] - at;
            if (x->r->is_signed)
                convert_signed(&of[slice], (const int32_t *)a + at, n, rows[i].phase,
                               gathered + at);
            else
                convert(&of[slice], a + at, n, rows[i].bias, rows[i].phase, gathered + at);
        }
        if (i + 1 == x->n_rows || rows[i].pixel != rows[i + 1].pixel)
            add_to_columns(l, gathered, x->out + rows[i].pixel * x->pitch);
    }
}

/* ---- one array ---- */

/* What two cells give, apart: the difference. */
CLONES static void subtract(uint32_t *sums, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < n; c++)
            sums[i * n + c] = sums[2 * i * n + c] - sums[(2 * i + 1) * n + c];
}

static void flush(struct reader *x)
{
    struct read_state *read = &x->s->read;
    const struct read_lines *l = x->lines;
    if (x->n_rows == 0)
        return;
    const int8_t *cells = read_cells_of(x->s, &x->holds, x->lines);
    uint32_t cell = x->r->cell_most > INT8_MAX ? -INT8_MIN : x->r->cell_most;
    enum gemm_way way = gemm_u8s8_way();
    if (way == GEMM_NIBBLES && x->r->input_most * cell <= LOW_PRODUCT)
        way = GEMM_BYTES;
    uint32_t *sums = read->sums + l->n;
    int64_t columns = (int64_t)read_columns(x->r, l);
    gemm_u8s8_by(way, x->n_rows, columns, l->k, read->planes, (int64_t)x->width, cells, columns,
                 (int32_t *)sums, columns, false);
    if (read_is_wide(x->r))
        subtract(sums, x->n_rows, l->n);
    convert_rows(x, read->rows, sums, read->sums);
    x->n_rows = 0;
}

static void *at_least(void *memory, size_t *have, size_t bytes)
{
    if (bytes <= *have)
        return memory;
    heap_free(memory);
    return heap_alloc(*have = bytes);
}

/* Lines are needed: rows may follow. False if no line is. */
static bool find_lines(struct reader *x)
{
    struct read_state *read = &x->s->read;
    if (!x->array->lines)
        x->array->lines = read_lines_of(x->s, &x->holds);
    x->lines = x->array->lines;
    if (x->lines->n == 0)
        return false;
    const size_t columns = read_columns(x->r, x->lines);
    size_t rows = SUMS / columns, fitting = PLANE_BYTES / x->width;
    rows = rows < fitting ? rows : fitting;
    rows = rows < MOST_ROWS ? rows : MOST_ROWS;
    x->most_rows = (uint32_t)(rows > LEAST_ROWS ? rows : LEAST_ROWS);
    if (x->r->collapses)
        x->quiet = x->r->code_most / x->lines->most;
    read->rows = at_least(read->rows, &read->rows_bytes, x->most_rows * sizeof *read->rows);
    read->sums =
        at_least(read->sums, &read->sums_bytes, (x->most_rows + 1) * columns * sizeof *read->sums);
    return true;
}

/* out(n) += center(n) * sum of the product's inputs */
static void add_center(const struct reader *x, int64_t pixel, uint32_t sum)
{
    uint32_t *out = x->out + pixel * x->pitch;
    for (uint32_t c = 0; c < x->holds.n; c++)
        out[c] += (uint32_t)x->lines->center[c] * sum;
}

/* Of one product. False if the array needs no reading at all. */
static bool read_product(struct reader *x, int64_t pixel, const uint8_t *inputs)
{
    struct read_state *read = &x->s->read;
    uint32_t total = 0;
    for (unsigned f = 0; f < x->r->phases; f++) {
        unsigned low = f * x->r->dac_bits, mask = ((1u << x->r->dac_bits) - 1) & (UINT8_MAX >> low);
        uint8_t *plane = read->planes + x->n_rows * x->width;
        uint64_t sum = make_plane(inputs, x->width, low, mask, plane);
        total += (uint32_t)sum << low;
        if (sum > x->quiet && !x->lines && !find_lines(x))
            return false;
        if (sum <= x->quiet)
            continue;
        read->rows[x->n_rows++] =
            (struct read_row){(uint32_t)pixel, low, (uint32_t)sum * read_bias(x->r)};
        if (x->n_rows == x->most_rows)
            flush(x);
    }
    if (x->r->noisy)
        add_center(x, pixel, total);
    return true;
}

static void read_array(struct reader *x, int64_t pixels)
{
    struct read_state *read = &x->s->read;
    const size_t word = sizeof(uint64_t);
    x->n_rows = 0;
    x->lines = NULL;
    x->width = (x->array->k + word - 1) / word * word;
    x->quiet = x->r->collapses ? x->r->code_most / x->r->cell_most : 0;
    size_t planes = LEAST_ROWS * x->width;
    read->planes = at_least(read->planes, &read->planes_bytes,
                            x->width + (planes > PLANE_BYTES ? planes : PLANE_BYTES));
    if ((x->array->lines || x->r->noisy) && !find_lines(x))
        return;
    uint8_t *inputs = read->planes + read->planes_bytes - x->width;
    memset(inputs, 0, x->width);
    for (int64_t pixel = 0; pixel < pixels; pixel++) {
        take_inputs(x, pixel, inputs);
        if (!read_product(x, pixel, inputs))
            return;
    }
    flush(x);
}

static struct read_holding holding_of(const struct sim *s, const struct isa_group *g,
                                      const struct mvm_plan *plan, const struct mvm_strip *strip,
                                      const struct mvm_array *array)
{
    const int32_t *center = isa_image_center(s->p, g->image);
    return (struct read_holding){.image = g->image,
                                 .x_bits = g->x_bits,
                                 .r = plan->reading,
                                 .weights =
                                     (const int8_t *)isa_image_data(s->p, g->image) + strip->n0,
                                 .pitch = s->p->images[g->image].n,
                                 .n0 = strip->n0,
                                 .n = strip->n,
                                 .n_blocks = array->n_blocks,
                                 .blocks = &plan->held[array->first_block],
                                 .center = center ? center + strip->n0 : NULL};
}

void read_out(struct sim *s, const struct isa_group *g, const struct mvm_plan *plan,
              const struct mvm_strip *strip, const struct mvm_factor *in, int64_t pixels,
              uint32_t *out, int64_t pitch)
{
    struct reader x = {.s = s, .r = plan->reading, .in = in, .out = out, .pitch = pitch};
    for (uint32_t i = 0; i < strip->n_arrays; i++) {
        x.array = &plan->arrays[strip->first_array + i];
        x.holds = holding_of(s, g, plan, strip, x.array);
        read_array(&x, pixels);
    }
}
