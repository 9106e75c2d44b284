/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_readout.c - a base layer of integers as a machine's arrays give it, plane by plane as ISA.md
 * 5.2 has it: slices of weights in cells, phases of inputs, converters, shift and add.
 *
 * In: an mvm with read-out attributes and its operands. Out: i32 sums, modulo 2^32. PEs are those
 * of its mapping, as every one of them is read out by itself: rows are cut where the machine cuts
 * them, and what a pixel of a patch does not read is a cell that stands for 0. Cells off the
 * diagonal of a PE with several conv groups do not exist: each conv group's columns and rows are an
 * array here.
 */
#include "eval_internal.h"

#include "cell_rule.h"

#include "base/gemm.h"
#include "mvm_mapping.h"

#include <stdlib.h>
#include <string.h>

/* Products that are read out together. gemm_u8s8 takes signed cells: CELL_BIAS less. */
enum { MOST_PRODUCTS = 256, CELL_BIAS = 128, MAX_PARTS = 2, MAX_SLICES = 8 };

/* Where a row finds its input, from the first pixel of the product's window on, and the first pixel
 * of the patch, down and across, that reads it. */
struct source {
    int64_t offset, reader[2];
};

/* Columns [column, column + n) of one conv group in a PE, and the rows that they multiply. */
struct array {
    int64_t group, column, n, n_rows;
    int64_t *row; /* of the image */
    struct source *source;
    int *weight;                          /* [row][column], whatever stands for 0 included */
    int8_t *cells[MAX_PARTS][MAX_SLICES]; /* [row][column] */
    bool *flipped[MAX_PARTS][MAX_SLICES]; /* [column] */
    int64_t *center;                      /* [column] */
};

/* Products [first, first + n), row by row of patches, of an array. */
struct batch {
    int64_t first, n;
    uint8_t *x, *driven;   /* [product][row]: inputs, a phase of them */
    int64_t *sum_x, *sum;  /* [product]: of the inputs, of the phase */
    int32_t *product;      /* [product][column] */
    int64_t *a[MAX_PARTS]; /* [product][column]: what is converted */
    uint32_t *out;         /* [product][column] */
};

struct readout {
    const struct ir_op *op;
    const struct ir_attrs_mvm *at;
    const struct layer *layer;
    const struct integers *data;
    const struct eval_observer *observer;
    struct ir_mapping m;
    struct cell_rule rule;
    unsigned n_slices, n_parts, n_phases;
    int64_t across; /* products of a row */
};

static bool is_analog(const struct readout *r)
{
    return r->at->encoding == IR_ENCODING_ANALOG_DIFFERENTIAL;
}

static struct cell_rule rule_of(const struct ir_attrs_mvm *at)
{
    return (struct cell_rule){.encoding = (int)at->encoding - (int)IR_ENCODING_OFFSET,
                              .weight_bits = (unsigned)at->weight_bits,
                              .cell_bits = (unsigned)at->cell_bits,
                              .fraction_bits = at->noise_seed ? (unsigned)at->fraction_bits : 0,
                              .flip = at->flip != 0,
                              .sigma_low = (unsigned)at->sigma_low,
                              .sigma_high = (unsigned)at->sigma_high,
                              .stuck_low = (unsigned)at->stuck_low,
                              .stuck_high = (unsigned)at->stuck_high,
                              .drift = (unsigned)at->drift,
                              .seed = (uint64_t)at->noise_seed,
                              .object = (uint32_t)at->object};
}

/* ---- an array ---- */

/* The tap of the kernel that pixel `pixel` of a patch reads at a position, along an axis; none: -1.
 */
static int64_t tap_of(const struct ir_mapping *m, int axis, int64_t pixel, int64_t position)
{
    int64_t at = position - pixel * m->stride[axis];
    bool reads = at >= 0 && at % m->dilation[axis] == 0 && at / m->dilation[axis] < m->kernel[axis];
    return reads ? at / m->dilation[axis] : -1;
}

static int64_t first_reader(const struct ir_mapping *m, int axis, int64_t position)
{
    int64_t pixel = 0;
    while (tap_of(m, axis, pixel, position) < 0)
        pixel++;
    return pixel;
}

static struct source source_of(const struct readout *r, int64_t group, int64_t row)
{
    struct ir_mapping_tap t = ir_mapping_tap(&r->m, group, row);
    return (struct source){
        .offset = (t.row * r->m.step[0] * r->layer->w + t.column * r->m.step[1]) * r->layer->c +
                  t.channel,
        .reader = {first_reader(&r->m, 0, t.row), first_reader(&r->m, 1, t.column)}};
}

/* The weight of a cell; where its pixel does not read the row, the one that makes nothing of it. */
static int weight_of(const struct readout *r, int64_t row, int64_t column)
{
    const struct ir_mapping *m = &r->m;
    struct ir_mapping_tap t = ir_mapping_tap(m, 0, row);
    struct ir_mapping_pixel p = ir_mapping_pixel(m, column);
    int64_t down = tap_of(m, 0, p.row, t.row), across = tap_of(m, 1, p.column, t.column);
    if (down < 0 || across < 0)
        return r->data->center ? -r->data->center[p.channel] : 0;
    int64_t k = (down * m->kernel[1] + across) * m->channels + t.channel;
    return r->data->w[k * r->layer->n + p.channel];
}

static int64_t center_of(const struct readout *r, int64_t column)
{
    int64_t own =
        r->at->encoding == IR_ENCODING_OFFSET ? -(INT64_C(1) << (r->at->weight_bits - 1)) : 0;
    return own + (r->data->center ? r->data->center[ir_mapping_pixel(&r->m, column).channel] : 0);
}

/* The cells of a slice of a part, and which columns of them are stored inverted. */
static void program(const struct readout *r, struct array *a, unsigned part, unsigned slice)
{
    int8_t *cells = a->cells[part][slice] = heap_alloc((size_t)(a->n_rows * a->n));
    bool *flipped = a->flipped[part][slice] = heap_alloc((size_t)a->n * sizeof *flipped);
    unsigned top = (1u << r->rule.cell_bits) - 1;
    for (int64_t n = 0; n < a->n; n++) {
        uint64_t levels = 0;
        for (int64_t k = 0; k < a->n_rows; k++)
            levels += cell_level(&r->rule, part, slice, a->weight[k * a->n + n]);
        flipped[n] = cell_column_flips(&r->rule, levels, (uint64_t)a->n_rows);
        for (int64_t k = 0; k < a->n_rows; k++) {
            unsigned level = cell_level(&r->rule, part, slice, a->weight[k * a->n + n]);
            unsigned g =
                cell_conductance(&r->rule, part, slice, (uint64_t)a->row[k],
                                 (uint64_t)(a->column + n), flipped[n] ? top - level : level);
            cells[k * a->n + n] = (int8_t)((int)g - CELL_BIAS);
        }
    }
}

/* Of conv group `group`, what slice `slice` of a block holds. */
static struct array array_new(const struct readout *r, int64_t block, int64_t slice, int64_t group)
{
    int64_t lo, hi, from, to;
    ir_mapping_block(&r->m, block, &lo, &hi);
    lo = max_i64(lo, group * r->m.columns);
    hi = min_i64(hi, (group + 1) * r->m.columns);
    struct array a = {.group = group, .column = lo, .n = hi - lo};
    struct ir_mapping_rows rows = ir_mapping_rows_of(&r->m, block, slice);
    a.row = heap_alloc((size_t)min_i64(r->m.rows, r->m.k) * sizeof *a.row);
    while (ir_mapping_next_run(&rows, &from, &to))
        for (int64_t row = from; row < to; row++)
            a.row[a.n_rows++] = row;
    a.source = heap_alloc((size_t)a.n_rows * sizeof *a.source);
    a.weight = heap_alloc((size_t)(a.n_rows * a.n) * sizeof *a.weight);
    a.center = heap_alloc((size_t)a.n * sizeof *a.center);
    for (int64_t k = 0; k < a.n_rows; k++) {
        a.source[k] = source_of(r, group, a.row[k]);
        for (int64_t n = 0; n < a.n; n++)
            a.weight[k * a.n + n] = weight_of(r, a.row[k], lo + n);
    }
    for (int64_t n = 0; n < a.n; n++)
        a.center[n] = center_of(r, lo + n);
    for (unsigned part = 0; part < r->n_parts; part++)
        for (unsigned j = 0; j < r->n_slices; j++)
            program(r, &a, part, j);
    return a;
}

static void array_free(const struct readout *r, struct array *a)
{
    heap_free(a->row);
    heap_free(a->source);
    heap_free(a->weight);
    heap_free(a->center);
    for (unsigned part = 0; part < r->n_parts; part++)
        for (unsigned j = 0; j < r->n_slices; j++) {
            heap_free(a->cells[part][j]);
            heap_free(a->flipped[part][j]);
        }
}

/* ---- products of it ---- */

/* The first pixel of a product, and how many rows and columns of its patch the output has. */
static void pixels_of(const struct readout *r, int64_t product, int64_t at[2], int64_t kept[2])
{
    at[0] = product / r->across * r->m.patch[0];
    at[1] = product % r->across * r->m.patch[1];
    kept[0] = min_i64(r->layer->oh - at[0], r->m.patch[0]);
    kept[1] = min_i64(r->layer->ow - at[1], r->m.patch[1]);
}

/* The inputs of the rows; 0 where no pixel that the output has reads one. False: one has more bits
 * than x_bits. */
static bool gather(const struct readout *r, const struct array *a, struct batch *b)
{
    const struct layer *l = r->layer;
    unsigned all = 0;
    for (int64_t i = 0; i < b->n; i++) {
        int64_t at[2], kept[2];
        pixels_of(r, b->first + i, at, kept);
        const uint8_t *window =
            r->data->x + (at[0] * l->stride[0] * l->w + at[1] * l->stride[1]) * l->c;
        b->sum_x[i] = 0;
        for (int64_t k = 0; k < a->n_rows; k++) {
            const struct source *s = &a->source[k];
            bool read = s->reader[0] < kept[0] && s->reader[1] < kept[1];
            uint8_t x = b->x[i * a->n_rows + k] = read ? window[s->offset] : 0;
            b->sum_x[i] += x;
            all |= x;
        }
    }
    return all >> r->at->x_bits == 0;
}

/* Phase `phase` of the inputs. */
static void drive(const struct readout *r, const struct array *a, struct batch *b, unsigned phase)
{
    unsigned low = (unsigned)r->at->dac_bits * phase, mask = (1u << r->at->dac_bits) - 1;
    for (int64_t i = 0; i < b->n; i++) {
        b->sum[i] = 0;
        for (int64_t k = i * a->n_rows; k < (i + 1) * a->n_rows; k++) {
            b->driven[k] = (uint8_t)(b->x[k] >> low & mask);
            b->sum[i] += b->driven[k];
        }
    }
}

/* What the columns of a part's slice sum up to, in units of 2^-fraction_bits. */
static void sum_cells(const struct array *a, struct batch *b, unsigned part, unsigned slice)
{
    gemm_u8s8(b->n, a->n, a->n_rows, b->driven, a->n_rows, a->cells[part][slice], a->n, b->product,
              a->n, false);
    for (int64_t i = 0; i < b->n; i++)
        for (int64_t n = i * a->n; n < (i + 1) * a->n; n++)
            b->a[part][n] = b->product[n] + CELL_BIAS * b->sum[i];
}

struct converter {
    unsigned step; /* a code stands for 2^shift, which is 2^step units */
    unsigned shift;
    int64_t lo, hi; /* codes */
};

static struct converter converter_of(const struct readout *r, unsigned slice)
{
    struct converter c = {.lo = INT64_MIN, .hi = INT64_MAX};
    if (r->at->adc_bits) {
        int64_t codes = INT64_C(1) << r->at->adc_bits;
        c.shift = r->at->shift.n ? (unsigned)r->at->shift.at[slice] : 0;
        c.lo = is_analog(r) ? -codes / 2 : 0;
        c.hi = c.lo + codes - 1;
    }
    c.step = c.shift + r->rule.fraction_bits;
    return c;
}

static int64_t convert(const struct converter *c, int64_t a)
{
    int64_t code = max_i64(c->lo, min_i64(rne_shift_i64(a, c->step), c->hi));
    return code * (INT64_C(1) << c->shift);
}

/* Adds what a slice and a phase give: converted, flips undone, at their place. */
static void add_plane(const struct readout *r, const struct array *a, struct batch *b,
                      unsigned slice, unsigned phase)
{
    unsigned n_read = is_analog(r) ? 1 : r->n_parts;
    unsigned place = r->rule.cell_bits * slice + (unsigned)r->at->dac_bits * phase;
    int64_t top = (INT64_C(1) << r->rule.cell_bits) - 1;
    struct converter c = converter_of(r, slice);
    for (unsigned part = 0; part < r->n_parts; part++)
        sum_cells(a, b, part, slice);
    for (int64_t i = 0; is_analog(r) && i < b->n * a->n; i++)
        b->a[0][i] -= b->a[1][i];
    for (unsigned part = 0; part < n_read; part++) {
        if (r->observer && r->observer->converted)
            r->observer->converted(r->observer->self, r->op, slice, b->a[part], b->n * a->n);
        for (int64_t i = 0; i < b->n * a->n; i++) {
            int64_t v = convert(&c, b->a[part][i]);
            if (a->flipped[part][slice][i % a->n])
                v = top * b->sum[i / a->n] - v;
            b->out[i] += (uint32_t)(part ? -v : v) << place;
        }
    }
}

/* To the pixels of the products that the output has. */
static void deliver(const struct readout *r, const struct array *a, const struct batch *b)
{
    const struct layer *l = r->layer;
    uint32_t *out = (uint32_t *)r->data->out;
    for (int64_t i = 0; i < b->n; i++) {
        int64_t at[2], kept[2];
        pixels_of(r, b->first + i, at, kept);
        for (int64_t n = 0; n < a->n; n++) {
            struct ir_mapping_pixel p = ir_mapping_pixel(&r->m, a->column + n);
            if (p.row < kept[0] && p.column < kept[1])
                out[((at[0] + p.row) * l->ow + at[1] + p.column) * l->n + p.channel] +=
                    b->out[i * a->n + n];
        }
    }
}

static bool run_batch(const struct readout *r, const struct array *a, struct batch *b)
{
    if (!gather(r, a, b))
        return false;
    for (int64_t i = 0; i < b->n * a->n; i++)
        b->out[i] = (uint32_t)(a->center[i % a->n] * b->sum_x[i / a->n]);
    for (unsigned phase = 0; phase < r->n_phases; phase++) {
        drive(r, a, b, phase);
        for (unsigned j = 0; j < r->n_slices; j++)
            add_plane(r, a, b, j, phase);
    }
    deliver(r, a, b);
    return true;
}

static bool run_array(const struct readout *r, const struct array *a)
{
    int64_t n = r->across * ceil_div_i64(r->layer->oh, r->m.patch[0]);
    size_t most = (size_t)min_i64(n, MOST_PRODUCTS), cells = most * (size_t)a->n;
    struct batch b = {.x = heap_alloc(most * (size_t)a->n_rows * 2),
                      .sum_x = heap_alloc(most * 2 * sizeof *b.sum_x),
                      .product = heap_alloc(cells * sizeof *b.product),
                      .out = heap_alloc(cells * sizeof *b.out)};
    b.driven = b.x + most * (size_t)a->n_rows;
    b.sum = b.sum_x + most;
    for (unsigned part = 0; part < r->n_parts; part++)
        b.a[part] = heap_alloc(cells * sizeof *b.a[part]);
    bool ok = true;
    for (; ok && b.first < n; b.first += b.n) {
        b.n = min_i64(n - b.first, MOST_PRODUCTS);
        ok = run_batch(r, a, &b);
    }
    heap_free(b.x);
    heap_free(b.sum_x);
    heap_free(b.product);
    heap_free(b.out);
    for (unsigned part = 0; part < r->n_parts; part++)
        heap_free(b.a[part]);
    return ok;
}

/* ---- the layer ---- */

/* The weights have the bits that they are said to have, or cells could not hold them; and so has
 * what stands for 0 in the columns of a patch. */
static bool weights_fit(const struct readout *r, struct diag *d)
{
    int64_t most = (INT64_C(1) << (r->at->weight_bits - 1)) - 1;
    for (int64_t i = 0, n = ir_count(&r->op->in[1].value->type); i < n; i++) {
        if (r->data->w[i] > most || r->data->w[i] < -most - 1)
            return diag_error(d, r->op->loc, DIAG_DATA,
                              "mvm: weight %lld is %d, of more than %lld bits", (long long)i,
                              r->data->w[i], (long long)r->at->weight_bits);
    }
    bool zeros = r->data->center && ir_mapping_has_patch(&r->m);
    for (int64_t n = 0; zeros && n < r->layer->n; n++) {
        int64_t center = r->data->center[n];
        if (-center > most || -center < -most - 1)
            return diag_error(d, r->op->loc, DIAG_DATA,
                              "mvm: with center %lld no weight of %lld bits stands for 0",
                              (long long)center, (long long)r->at->weight_bits);
    }
    return true;
}

static bool run_blocks(const struct readout *r)
{
    bool ok = true;
    for (int64_t block = 0; ok && block < r->m.n_blocks; block++) {
        int64_t lo, hi;
        ir_mapping_block(&r->m, block, &lo, &hi);
        for (int64_t slice = 0; ok && slice < ir_mapping_slices(&r->m, block); slice++)
            for (int64_t q = lo / r->m.columns; ok && q <= (hi - 1) / r->m.columns; q++) {
                struct array a = array_new(r, block, slice, q);
                ok = run_array(r, &a);
                array_free(r, &a);
            }
    }
    return ok;
}

bool readout_layer(const struct ir_op *mvm, const struct layer *l, const struct integers *v,
                   const struct eval_observer *observer, struct diag *d)
{
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    struct readout r = {.op = mvm,
                        .at = at,
                        .layer = l,
                        .data = v,
                        .observer = observer,
                        .m = ir_mapping_of(mvm, at->rows, at->cols),
                        .rule = rule_of(at)};
    r.n_slices = cell_slices(&r.rule);
    r.n_parts = cell_parts(&r.rule);
    r.n_phases = (unsigned)ceil_div_i64(at->x_bits, at->dac_bits);
    r.across = ceil_div_i64(l->ow, r.m.patch[1]);
    if (!weights_fit(&r, d))
        return false;
    return run_blocks(&r) ||
           diag_error(d, mvm->loc, DIAG_DATA, "mvm: an input of more than %lld bits",
                      (long long)at->x_bits);
}
