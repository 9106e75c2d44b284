/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_sums.c - no sum of integers of a base layer leaves 32 bits, with its bias or without,
 * whatever its inputs are, and whatever its read-out makes of it (ISA.md 5.2). The inputs have no
 * more bits than the read-out drives.
 */
#include "check_meaning.h"

#include "mvm_mapping.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes that drive a layer ---- */

static int64_t most_of_constant(const struct ir_op *constant)
{
    int64_t most = 0;
    for (int64_t i = 0; i < ir_count(&constant->out->type); i++)
        most = max_i64(most, ir_const_i64(constant, i));
    return most;
}

/* The largest element that a value of bytes can have, from those of its operands. */
static int64_t most_of(const struct ir_op *op, const uint8_t *known)
{
    int64_t in = 0, fill = 0;
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_op *x = op->in[i].value->def;
        if (x->out->type.dtype == IR_U8)
            in = max_i64(in, known[x->id]);
    }
    switch (op->opcode) {
    case IR_constant: return most_of_constant(op);
    case IR_quantize: return op->attrs->quantize.hi;
    case IR_requantize: return op->attrs->requantize.hi;
    case IR_table: {
        const struct ir_op *table = op->in[1].value->def;
        return table->opcode == IR_constant ? most_of_constant(table) : UINT8_MAX;
    }
    case IR_clip: return op->attrs->clip.hi < (float)in ? (int64_t)op->attrs->clip.hi : in;
    case IR_pad: fill = (int64_t)op->attrs->pad.value; break;
    case IR_gather_grid: fill = (int64_t)op->attrs->gather_grid.value; break;
    case IR_take: fill = (int64_t)op->attrs->take.value; break;
    case IR_concat:
    case IR_slice:
    case IR_reshape:
    case IR_max_pool:
    case IR_max:
    case IR_merge: break;
    default: return UINT8_MAX;
    }
    return max_i64(in, fill);
}

uint8_t *check_bytes(struct check *k)
{
    uint8_t *most = ARENA_ARRAY(k->arena, uint8_t, (size_t)k->tags.n_ops + 1);
    for (const struct ir_op *op = k->g ? k->g->first : NULL; op; op = op->next)
        if (op->out && op->out->type.dtype == IR_U8)
            most[op->id] = (uint8_t)max_i64(0, min_i64(most_of(op, most), UINT8_MAX));
    return most;
}

/* All that a column's sum can be is in [lo, hi]. A double is exact as far as it matters. */
struct range {
    double lo, hi;
};

/* ---- exact products ---- */

/* How far a sum of each column goes, of its positive or negative weights, for inputs up to `most`.
 */
static struct range *exact_ranges(const struct ir_op *mvm, int64_t most)
{
    const struct ir_op *weights = mvm->in[1].value->def;
    const struct blob *b = weights->attrs->constant.data;
    const int8_t *w = blob_data(b);
    size_t rows = (size_t)check_dim(weights, 0), columns = (size_t)check_dim(weights, 1);
    struct range *range = heap_alloc((columns + 1) * sizeof *range);
    for (size_t n = 0; n < columns; n++)
        range[n] = (struct range){0, 0};
    for (size_t k = 0; k < rows; k++)
        for (size_t n = 0; n < columns; n++) {
            int64_t center = mvm->n_in > 2 ? ir_const_i64(mvm->in[2].value->def, (int64_t)n) : 0;
            int64_t weight = w[b->splat ? 0 : k * columns + n] + center;
            *(weight > 0 ? &range[n].hi : &range[n].lo) += (double)(weight * most);
        }
    return range;
}

/* ---- read-outs that are not ideal ---- */

/* What the converted sums of a column, put together, can be: for each unit of its inputs, and in
 * all. Saturated ones are nearer to 0. */
struct reading {
    double most, least;
    double steps; /* and beyond that, by rounding */
    double codes; /* no more in any case */
};

/* Of a part of the weights, in one PE. A value is what was converted, or what that lacks to full
 * cells. Noisy cells hold up to a level more, but for the last fraction of one. */
static struct reading part_reading(const struct ir_attrs_mvm *at)
{
    bool offset = at->encoding == IR_ENCODING_OFFSET, noise = at->noise_seed != 0;
    double full = exp2((double)at->cell_bits) - 1, fraction = exp2(-(double)at->fraction_bits);
    double levels = 0, phases = 0;
    struct reading r = {.codes = at->adc_bits && !at->flip ? 0 : INFINITY};
    for (int64_t from = 0; from < at->x_bits; from += at->dac_bits)
        phases += exp2((double)from);
    int64_t slice = 0;
    for (int64_t from = 0; from < at->weight_bits; from += at->cell_bits, slice++) {
        double shift = slice < (int64_t)at->shift.n ? (double)at->shift.at[slice] : 0;
        double scale = exp2((double)from);
        levels += scale * full;
        r.steps += scale * phases * (shift > 0 ? exp2(shift - 1) : noise ? 0.5 : 0);
        r.codes += scale * phases * exp2(shift) * (exp2((double)at->adc_bits) - 1);
    }
    double noisy = noise ? levels * (1 - fraction) / full : 0;
    double weight = exp2((double)(at->weight_bits - !offset)) - offset; /* the largest */
    r.most = noise ? levels + noisy : at->flip ? levels : weight;
    r.least = at->flip ? -noisy : 0;
    return r;
}

/* The center is added exactly, for the same inputs; one takes the offset away again. */
static struct range readout_range(const struct ir_op *mvm, const struct ir_mapping *m, int64_t n)
{
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    double sum = (double)m->k * (exp2((double)at->x_bits) - 1), slices = (double)m->n_slices;
    double center = mvm->n_in > 2 ? (double)ir_const_i64(mvm->in[2].value->def, n) : 0;
    struct reading r = part_reading(at);
    double least_code = 0, steps = slices * r.steps, codes = slices * r.codes;
    if (at->encoding == IR_ENCODING_OFFSET) {
        center -= exp2((double)at->weight_bits - 1);
    } else {
        r.most -= r.least;
        r.least = -r.most;
        steps *= at->encoding == IR_ENCODING_DIFFERENTIAL ? 2 : 1; /* converters of a sum */
        least_code = -codes;
    }
    return (struct range){
        fmax(fmin(r.least + center, 0) * sum - steps,
             isinf(codes) ? -INFINITY : least_code + fmin(center, 0) * sum),
        fmin(fmax(r.most + center, 0) * sum + steps, codes + fmax(center, 0) * sum)};
}

/* ---- together with the bias ---- */

/* What is added to column n of the sums at once: the bias of who reads them. */
static int64_t bias_bound(const struct ir_op *mvm, int64_t n)
{
    int64_t most = 0;
    for (const struct ir_use *u = mvm->out->uses; u; u = u->next) {
        const struct ir_op *op = u->user;
        bool adds = op->opcode == IR_requantize || op->opcode == IR_add;
        const struct ir_op *bias = adds ? op->in[u == &op->in[0]].value->def : NULL;
        if (!bias || bias->opcode != IR_constant)
            continue;
        int64_t b = ir_const_i64(bias, check_dim(bias, 2) == 1 ? 0 : n);
        most = max_i64(most, b < 0 ? -b : b);
    }
    return most;
}

/* The first column whose sums can leave 32 bits; all of them if none can. */
static int64_t first_too_large(const struct ir_op *mvm)
{
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    bool ideal = at->encoding == IR_ENCODING_IDEAL;
    struct range *exact = ideal ? exact_ranges(mvm, (INT64_C(1) << at->x_bits) - 1) : NULL;
    struct ir_mapping m = {0};
    if (!ideal)
        m = ir_mapping_with(mvm, at->rows, at->cols, at->patch);
    int64_t n = 0;
    for (; n < check_dim(mvm, 2); n++) {
        struct range r = ideal ? exact[n] : readout_range(mvm, &m, n);
        if (fmax(-r.lo, r.hi) + (double)bias_bound(mvm, n) > INT32_MAX)
            break;
    }
    heap_free(exact);
    return n;
}

bool check_sums(struct actor *a, const struct ir_op *mvm)
{
    if (a->k->sums_fit[mvm->id])
        return true;
    uint8_t most = a->k->most_bytes[mvm->in[0].value->def->id];
    if (most >> mvm->attrs->mvm.x_bits)
        return check_fault(a, "inputs of '%s' go up to %u, which are more than %" PRId64 " bits",
                           check_op_name(a->k, mvm->id), most, mvm->attrs->mvm.x_bits);
    int64_t n = first_too_large(mvm);
    a->k->sums_fit[mvm->id] = n == check_dim(mvm, 2);
    return a->k->sums_fit[mvm->id] ||
           check_fault(a, "sums of column %" PRId64 " of '%s' can leave 32 bits", n,
                       check_op_name(a->k, mvm->id));
}
