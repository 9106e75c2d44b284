/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * readout_pass.c - how base layers of integers are read out on the machine at hand: what mvm says
 * of cells, converters and noise. In and out: CROSSBAR, with copies and patches. On a machine whose
 * read-out is ideal nothing is said, and a graph that said otherwise no longer does; else it means
 * something else afterwards, which no other pass may do.
 */
#include "readout_pass.h"

#include "base/map.h"
#include "mvm_mapping.h"

/* ---- attributes ---- */

/* Images are numbered as the weights objects are met, those of f32 included. */
static uint32_t number_objects(struct ir_graph *g)
{
    struct map numbers = {0};
    uint32_t n = 0;
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        int64_t weights = op->attrs->mvm.weights;
        uint32_t number = weights > 0 ? map_intern_u64(&numbers, (uint64_t)weights, n) : n;
        n += number == n;
        op->attrs->mvm.object = readout_has(op) ? number : 0;
    }
    map_free(&numbers);
    return n;
}

static void set_ideal(struct ir_attrs_mvm *at)
{
    at->rows = at->cols = at->cell_bits = at->dac_bits = at->adc_bits = at->flip = 0;
    at->object = at->noise_seed = at->fraction_bits = at->drift = 0;
    at->sigma_low = at->sigma_high = at->stuck_low = at->stuck_high = 0;
    at->encoding = IR_ENCODING_IDEAL;
    at->shift = (struct ir_ints){0, NULL};
}

/* All but `object` and `shift`. */
static void set_machine(struct ir_attrs_mvm *at, const struct arch *arch)
{
    at->weight_bits = at->weight_bits ? at->weight_bits : arch->weight_bits;
    at->rows = arch_logical_rows(arch);
    at->cols = arch_logical_cols(arch, at->weight_bits);
    at->cell_bits = arch->cell_bits;
    at->dac_bits = arch->dac_bits;
    at->adc_bits = arch->adc_bits;
    at->encoding = (ir_attr_enum_encoding)(IR_ENCODING_OFFSET + arch->encoding);
    at->flip = arch->column_flip && arch->encoding != ARCH_ANALOG_DIFFERENTIAL;
    at->noise_seed = arch->noise_seed;
    bool noisy = arch->noise_seed != 0;
    at->fraction_bits = noisy ? arch->cell_fraction_bits : 0;
    at->sigma_low = noisy ? arch->program_sigma_low_permille : 0;
    at->sigma_high = noisy ? arch->program_sigma_high_permille : 0;
    at->stuck_low = noisy ? arch->stuck_low_ppm : 0;
    at->stuck_high = noisy ? arch->stuck_high_ppm : 0;
    at->drift = noisy ? arch->drift_permille : 0;
}

static void set_attributes(struct ir_graph *g, const struct pass_ctx *ctx)
{
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        if (readout_has(op) && !arch_readout_is_ideal(ctx->arch))
            set_machine(&op->attrs->mvm, ctx->arch);
        else
            set_ideal(&op->attrs->mvm);
    }
}

/* ---- what a converter's step is ---- */

static int64_t slices_of(const struct ir_attrs_mvm *at)
{
    return ceil_div_i64(at->weight_bits, at->cell_bits);
}

/* The most rows that a PE has; the first slice of a block is its fullest, and conv groups agree. */
static int64_t most_rows(const struct ir_op *mvm)
{
    struct ir_mapping m = ir_mapping_of(mvm, mvm->attrs->mvm.rows, mvm->attrs->mvm.cols);
    int64_t blocks = m.per_pe > 0 ? 1 : m.n_blocks / m.groups, most = 0;
    for (int64_t block = 0; block < blocks; block++)
        most = max_i64(most, ir_mapping_slice_rows(&m, block, 0));
    return most;
}

int64_t readout_full_step(const struct ir_op *mvm)
{
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    bool is_signed = at->encoding == IR_ENCODING_ANALOG_DIFFERENTIAL;
    int64_t codes = INT64_C(1) << (at->adc_bits - is_signed), step = 0;
    int64_t most =
        most_rows(mvm) * ((INT64_C(1) << at->dac_bits) - 1) * ((INT64_C(1) << at->cell_bits) - 1);
    while (codes << step < most + 1)
        step++;
    return step;
}

static void full_steps(const struct ir_graph *g, const struct readout_steps *out)
{
    for (const struct ir_op *op = g->first; op; op = op->next) {
        int64_t step = readout_has(op) ? readout_full_step(op) : 0;
        for (int j = 0; readout_has(op) && j < READOUT_SLICES; j++)
            out->at[op->attrs->mvm.object][j] = step;
    }
}

/* Have all slices of all layers steps already, from an earlier run? */
static bool has_steps(const struct ir_graph *g)
{
    bool has = true;
    for (const struct ir_op *op = g->first; op; op = op->next)
        has = has && (!readout_has(op) || op->attrs->mvm.shift.n == slices_of(&op->attrs->mvm));
    return has;
}

static bool find_steps(const struct ir_graph *g, struct pass_ctx *ctx,
                       const struct readout_steps *out)
{
    if (ctx->arch->adc_range == ARCH_RANGE_FULL) {
        full_steps(g, out);
        return true;
    }
    if (ctx->calibration)
        return readout_calibrate(g, ctx, out);
    return diag_error(ctx->diag, (struct loc){0}, DIAG_CAPACITY,
                      "the machine's converters have a range for each layer (adc_range "
                      "calibrated): images are needed to find them (--calibrate)");
}

/* `shift` of all layers; of range unit, or without converters, it is empty. */
static bool set_steps(struct ir_graph *g, struct pass_ctx *ctx, uint32_t n_objects)
{
    bool none = ctx->arch->adc_bits == 0 || ctx->arch->adc_range == ARCH_RANGE_UNIT;
    bool keep =
        !none && ctx->arch->adc_range == ARCH_RANGE_CALIBRATED && !ctx->calibration && has_steps(g);
    if (keep)
        return true;
    struct readout_steps steps = {.n_objects = n_objects};
    steps.at = arena_alloc_array(ctx->scratch, n_objects, sizeof *steps.at);
    if (!none && !find_steps(g, ctx, &steps))
        return false;
    for (struct ir_op *op = g->first; op; op = op->next) {
        if (!readout_has(op))
            continue;
        struct ir_attrs_mvm *at = &op->attrs->mvm;
        int64_t n = none ? 0 : slices_of(at), *shift = ARENA_ARRAY(g->arena, int64_t, (size_t)n);
        for (int64_t j = 0; j < n; j++)
            shift[j] = steps.at[at->object][j];
        at->shift = (struct ir_ints){(uint32_t)n, shift};
    }
    return true;
}

/* ---- bounds ---- */

static const int64_t BEYOND = INT64_MAX / 4; /* what 32 bits hold, by far */

static int64_t product(int64_t a, int64_t b)
{
    int64_t x;
    return mul_i64(a, b, &x) ? min_i64(x, BEYOND) : BEYOND;
}

/* The most that the layer's sum is off from what its cells are by the rounding of converters. */
static int64_t most_error(const struct ir_attrs_mvm *at, int64_t pes)
{
    int64_t error = 0, phases = ceil_div_i64(at->x_bits, at->dac_bits), scale = 0;
    bool both = at->encoding == IR_ENCODING_DIFFERENTIAL;
    for (int64_t f = 0; f < phases; f++)
        scale += INT64_C(1) << (at->dac_bits * f);
    for (int64_t j = 0; j < slices_of(at); j++) {
        int64_t step = at->shift.n ? at->shift.at[j] : 0;
        int64_t half = step > 0 ? (INT64_C(1) << step) / 2 : at->noise_seed != 0;
        error += half << (at->cell_bits * j);
    }
    return product(pes * (1 + both), product(scale, error));
}

/* The most that the slices of a weight's part can add up to. Stored inverted, or with noise, cells
 * can be full that a weight would not fill; a noisy one holds up to 2^cell_bits - 2^-fraction_bits.
 */
static int64_t most_weight(const struct ir_attrs_mvm *at)
{
    bool any = at->flip || at->noise_seed, offset = at->encoding == IR_ENCODING_OFFSET;
    if (!any)
        return offset ? (INT64_C(1) << at->weight_bits) - 1 : INT64_C(1) << (at->weight_bits - 1);
    int64_t full = (INT64_C(1) << (at->cell_bits * slices_of(at))) - 1;
    int64_t top = ((INT64_C(1) << at->cell_bits) - 1) << at->fraction_bits;
    int64_t cell = (INT64_C(1) << (at->cell_bits + at->fraction_bits)) - 1;
    return ceil_div_i64(full * cell, top);
}

/* The largest and the smallest center of a column, and that of the encoding. */
static void centers(const struct ir_op *mvm, int64_t *lo, int64_t *hi)
{
    const struct ir_op *center = mvm->n_in > 2 ? mvm->in[2].value->def : NULL;
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    int64_t own = at->encoding == IR_ENCODING_OFFSET ? -(INT64_C(1) << (at->weight_bits - 1)) : 0;
    *lo = *hi = own;
    for (int64_t i = 0, n = center ? ir_count(&center->out->type) : 0; i < n; i++) {
        int64_t c = own + ir_const_i64(center, i);
        *lo = i ? min_i64(*lo, c) : c;
        *hi = i ? max_i64(*hi, c) : c;
    }
}

/* Constants of i32 that are added to the sums: the largest magnitude. */
static int64_t most_added(const struct ir_op *mvm)
{
    int64_t most = 0;
    for (const struct ir_use *u = mvm->out->uses; u; u = u->next) {
        bool adds = u->user->opcode == IR_add || u->user->opcode == IR_requantize;
        const struct ir_op *bias = adds ? u->user->in[1].value->def : NULL;
        for (int64_t i = 0; bias && bias->opcode == IR_constant && i < ir_count(&bias->out->type);
             i++) {
            int64_t b = ir_const_i64(bias, i);
            most = max_i64(most, b < 0 ? -b : b);
        }
    }
    return most;
}

/* 32 bits hold the sums of any weights and inputs, whatever saturates: what a column's cells give
 * is between nothing and all cells full, and its center's share has the same inputs. */
static bool sums_fit(const struct ir_op *mvm, struct pass_ctx *ctx)
{
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    struct ir_mapping m = ir_mapping_of(mvm, at->rows, at->cols);
    bool offset = at->encoding == IR_ENCODING_OFFSET;
    int64_t lo, hi, full = most_weight(at), inputs = m.k * ((INT64_C(1) << at->x_bits) - 1);
    centers(mvm, &lo, &hi);
    int64_t above = max_i64(full + hi, 0), below = max_i64((offset ? 0 : full) - lo, 0);
    int64_t most = product(max_i64(above, below), inputs) + most_error(at, m.n_slices);
    int64_t added = most_added(mvm);
    return most + added <= INT32_MAX ||
           diag_error(ctx->diag, mvm->loc, DIAG_CAPACITY,
                      "%s: as the machine reads them out its sums can reach %lld with a bias of "
                      "%lld, which 32 bits do not hold",
                      pass_op_text(mvm, ctx->scratch), (long long)most, (long long)added);
}

static bool all_fit(const struct ir_graph *g, struct pass_ctx *ctx)
{
    bool ok = true;
    for (const struct ir_op *op = g->first; op; op = op->next)
        ok &= !readout_has(op) || sums_fit(op, ctx);
    return ok;
}

/* ---- the pass ---- */

static bool check_machine(struct pass_ctx *ctx)
{
    const struct arch *a = ctx->arch;
    return a->noise_seed == 0 || arch_noise_fits(a) ||
           diag_error(ctx->diag, (struct loc){0}, DIAG_CAPACITY,
                      "inputs of %lld bits (dac_bits) times noisy cells of %lld and %lld bits "
                      "(cell_bits, cell_fraction_bits) can exceed 16383",
                      (long long)a->dac_bits, (long long)a->cell_bits,
                      (long long)a->cell_fraction_bits);
}

static bool has_any(const struct ir_graph *g)
{
    bool has = false;
    for (const struct ir_op *op = g->first; op; op = op->next)
        has = has || readout_has(op);
    return has;
}

static enum pass_result run_readout(struct pass_ctx *ctx, struct ir_graph *g)
{
    if (!ctx->arch)
        BUG("pass readout runs without a machine");
    uint64_t before = ir_digest(g);
    bool reads = !arch_readout_is_ideal(ctx->arch) && has_any(g);
    if (reads && !check_machine(ctx))
        return PASS_FAILED;
    set_attributes(g, ctx);
    if (reads) {
        uint32_t n_objects = number_objects(g);
        if (!set_steps(g, ctx, n_objects) || !all_fit(g, ctx))
            return PASS_FAILED;
    }
    for (const struct ir_op *op = g->first; op; op = op->next)
        ctx->stats[0] += reads && readout_has(op);
    return ir_digest(g) == before ? PASS_UNCHANGED : PASS_CHANGED;
}

static const char *const stats[] = {"base layers read out", NULL};
static const struct arch fields = {.rows = 1,
                                   .cols = 1,
                                   .weight_bits = 1,
                                   .cell_bits = 1,
                                   .encoding = 1,
                                   .pair_axis = 1,
                                   .column_flip = 1,
                                   .dac_bits = 1,
                                   .adc_bits = 1,
                                   .adc_range = 1,
                                   .noise_seed = 1,
                                   .cell_fraction_bits = 1,
                                   .program_sigma_low_permille = 1,
                                   .program_sigma_high_permille = 1,
                                   .stuck_low_ppm = 1,
                                   .stuck_high_ppm = 1,
                                   .drift_permille = 1};
const struct pass pass_readout = {
    .name = "readout",
    .summary = "say how the machine's converters and cells read base layers of integers out; the "
               "one pass after which a graph means something else",
    .needs = IR_CROSSBAR,
    .reads = READS_CALIBRATION,
    .fields = &fields,
    .stats = stats,
    .run = run_readout,
};
