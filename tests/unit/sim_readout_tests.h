/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_readout_tests.h - products of machines with converters and noisy cells: by hand, and random
 * ones against the loops of ISA.md 5.2.
 */
#ifndef CIMC_SIM_READOUT_TESTS_H
#define CIMC_SIM_READOUT_TESTS_H

#include "cell_rule.h"
#include "sim_integer_tests.h"

/* Shortcuts are taken, or not, or each instruction is executed alone: the values are the same. */
static void reads(struct rig *r, const int32_t *want, size_t n)
{
    const struct sim_options options[] = {{0}, {.every_plane = true}, {.executed = watch}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        bool good = run_with(r, options[i]);
        diag_print(r->d, stderr);
        ck_assert(good);
        const int32_t *got = (const int32_t *)r->outputs[0];
        for (size_t k = 0; k < n; k++)
            ck_assert_msg(got[k] == want[k], "run %zu, element %zu: %d, not %d", i, k, got[k],
                          want[k]);
        memset(r->outputs[0], 0xee, n * sizeof *want);
    }
    rig_free(r);
}

/* ---- by hand ---- */

/* One column: x = (200, 3), w = (-5, 7) of four bits, cells of two, phases of four. */
static void pair_reads(const char *encoding, int64_t adc_bits, uint32_t shift, int32_t want)
{
    uint32_t shifts[] = {shift, shift};
    struct rig r = rig_new(1);
    set_arch(&r, encoding);
    r.p->arch.weight_bits = 4, r.p->arch.cell_bits = 2, r.p->arch.dac_bits = 4;
    r.p->arch.adc_bits = adc_bits;
    uint32_t in = typed(&r, ELEMENT_u8, 1, 1, 2, (uint8_t[]){200, 3});
    uint32_t out = typed(&r, ELEMENT_i32, 1, 1, 1, NULL);
    integer_group(&r, in, 2, 1, (int8_t[]){-5, 7}, NULL);
    if (adc_bits) {
        r.p->images[0].n_shift = 2;
        r.p->images[0].shift = shifts;
    }
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 1), at(out, 0, 0)));
    stored(&r, out, ELEMENT_i32, 0);
    reads(&r, &want, 1);
}

/* Offset: sums 33 and 9 of the lower phase, 36 and 0 of the upper, less 8 * 203. Differential: P
 * and N give 9 - 8, 3 - 8 and twice 0 - 12. */
START_TEST(converters_of_a_pair)
{
    pair_reads("encoding=offset", 0, 0, -979);
    pair_reads("encoding=offset", 5, 0, -1061); /* 31 + 9*4 + 31*16 */
    pair_reads("encoding=offset", 4, 0, -1333); /* 15 + 9*4 + 15*16 */
    pair_reads("encoding=offset", 4, 2, -984);  /* 32 + 8*4 + 36*16 */
    pair_reads("encoding=offset", 4, 1, -1082); /* 16.5 and 4.5 go to even, 18 to 15: 30, 8, 30 */
    pair_reads("encoding=differential", 0, 0, -979);
    pair_reads("encoding=differential", 4, 0, -979);
    pair_reads("encoding=analog_differential", 4, 0, -659); /* -12 becomes -8 */
}
END_TEST

/* Cells (3, 2) of a column are stored as (0, 1): of inputs (1, 1) the array gives 1, and 3 * 2 - 1
 * is read, even where the converter knows 0 and 1 only. Inverted weights (-1, 0) are (1, 2), of 4:
 * 3 is not more than half of 6, so nothing is flipped and 1 is all that is read. */
START_TEST(column_is_flipped)
{
    static const struct {
        int8_t w[2];
        int64_t adc_bits;
        int32_t want;
    } cases[] = {{{1, 0}, 0, 1}, {{1, 0}, 1, 1}, {{-1, 0}, 2, -1}, {{-1, 0}, 1, -3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r = rig_new(1);
        r.p->arch.weight_bits = r.p->arch.cell_bits = 2;
        r.p->arch.dac_bits = r.p->arch.column_flip = 1;
        r.p->arch.adc_bits = cases[i].adc_bits;
        uint32_t in = typed(&r, ELEMENT_u8, 1, 1, 2, (uint8_t[]){1, 1});
        uint32_t out = typed(&r, ELEMENT_i32, 1, 1, 1, NULL);
        integer_group(&r, in, 2, 1, cases[i].w, NULL);
        emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 1), at(out, 0, 0)));
        stored(&r, out, ELEMENT_i32, 0);
        reads(&r, &cases[i].want, 1);
    }
}
END_TEST

/* uint8 weights (0, 255) with zero point 121 are (-128, 127) with center 7, and with offset cells 0
 * and 255: x = (2, 3) drives 765, which 9 bits read as 511, less (128 - 7) * 5. Each row in a PE of
 * its own: 0 and 765. Two inputs of 1 with 255 of 8 bits: 255 twice, or 510 in one PE. */
START_TEST(range_is_of_a_pe)
{
    static const struct {
        uint8_t x[2];
        int8_t w[2];
        uint32_t pes;
        int64_t adc_bits;
        int32_t want;
    } cases[] = {{{2, 3}, {-128, 127}, 1, 0, 160},      {{2, 3}, {-128, 127}, 1, 9, 511 - 605},
                 {{2, 3}, {-128, 127}, 2, 10, 160},     {{1, 1}, {127, 127}, 1, 8, 255 - 242},
                 {{1, 1}, {127, 127}, 2, 8, 510 - 242}, {{1, 1}, {127, 127}, 1, 9, 510 - 242}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r = rig_new(1);
        r.p->arch.adc_bits = cases[i].adc_bits;
        uint32_t in = typed(&r, ELEMENT_u8, 1, 1, 2, cases[i].x);
        uint32_t out = typed(&r, ELEMENT_i32, 1, 1, 1, NULL);
        struct isa_group *g = integer_group(&r, in, 2, 1, cases[i].w, (int32_t[]){7});
        g->n_pes = cases[i].pes;
        for (uint32_t k = 0; k < g->n_pes; k++)
            g->pes[k] = (struct isa_pe){.k0 = k, .k = 2 / g->n_pes, .n = 1, .pe = k};
        emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 1), at(out, 0, 0)));
        stored(&r, out, ELEMENT_i32, 0);
        reads(&r, &cases[i].want, 1);
    }
}
END_TEST

/* ---- plain loops ---- */

/* Of a product: what is read of one column of one PE. x, w: its rows; at: where they are in the
 * image. */
struct column {
    const struct arch *arch;
    struct cell_rule rule;
    const uint32_t *shift;
    unsigned x_bits;
    uint32_t k, at[64], n;
    uint8_t x[64];
    int8_t w[64];
};

/* a / 2^bits to nearest, ties to even. */
static int64_t nearest(int64_t a, unsigned bits)
{
    int64_t unit = INT64_C(1) << bits, down = floor_div_i64(a, unit), rest = a - down * unit;
    return down + (2 * rest > unit || (2 * rest == unit && down % 2 != 0));
}

static int64_t code_of(const struct column *c, int64_t a, unsigned slice, bool is_signed)
{
    unsigned fraction = c->rule.seed ? c->rule.fraction_bits : 0,
             bits = (unsigned)c->arch->adc_bits;
    if (bits == 0)
        return nearest(a, fraction);
    unsigned t = c->shift ? c->shift[slice] : 0;
    int64_t range = INT64_C(1) << (is_signed ? bits - 1 : bits), code = nearest(a, t + fraction);
    code = code > range - 1 ? range - 1 : code;
    code = code < (is_signed ? -range : 0) ? (is_signed ? -range : 0) : code;
    return code * (INT64_C(1) << t);
}

static int64_t driven(const struct column *c, uint32_t k, unsigned phase)
{
    return c->x[k] >> c->arch->dac_bits * phase & ((1 << c->arch->dac_bits) - 1);
}

/* The converted sum, and what undoes a flip: sign * read + *rest. */
static int64_t array_sum(const struct column *c, unsigned part, unsigned slice, unsigned phase,
                         int64_t *sign, int64_t *rest)
{
    const int64_t top = (1 << c->rule.cell_bits) - 1;
    int64_t levels = 0, sum = 0, inputs = 0;
    for (uint32_t k = 0; k < c->k; k++)
        levels += cell_level(&c->rule, part, slice, c->w[k]);
    bool flips = c->rule.flip && 2 * levels > c->k * top;
    for (uint32_t k = 0; k < c->k; k++) {
        int64_t level = cell_level(&c->rule, part, slice, c->w[k]);
        level = flips ? top - level : level;
        sum += driven(c, k, phase) *
               (int64_t)(c->rule.seed ? cell_conductance(&c->rule, part, slice, c->at[k], c->n,
                                                         (unsigned)level)
                                      : level);
        inputs += driven(c, k, phase);
    }
    *sign = flips ? -1 : 1;
    *rest = flips ? top * inputs : 0;
    return sum;
}

static int64_t value_of(const struct column *c, unsigned slice, unsigned phase)
{
    int64_t sign[2], rest[2], a[2] = {0, 0}, read[2] = {0, 0};
    for (unsigned part = 0; part < cell_parts(&c->rule); part++) {
        a[part] = array_sum(c, part, slice, phase, &sign[part], &rest[part]);
        read[part] = sign[part] * code_of(c, a[part], slice, false) + rest[part];
    }
    if (c->rule.encoding == ARCH_ANALOG_DIFFERENTIAL)
        return code_of(c, a[0] - a[1], slice, true);
    return read[0] - read[1];
}

static int32_t column_reads(const struct column *c, int64_t center)
{
    const unsigned phases =
        (c->x_bits + (unsigned)c->arch->dac_bits - 1) / (unsigned)c->arch->dac_bits;
    int64_t sum = 0;
    if (c->rule.encoding == ARCH_OFFSET)
        center -= INT64_C(1) << (c->rule.weight_bits - 1);
    for (uint32_t k = 0; k < c->k; k++)
        sum += center * c->x[k];
    for (unsigned slice = 0; slice < cell_slices(&c->rule); slice++)
        for (unsigned phase = 0; phase < phases; phase++)
            sum += value_of(c, slice, phase) *
                   (INT64_C(1) << (c->rule.cell_bits * slice + c->arch->dac_bits * phase));
    return (int32_t)(uint32_t)sum;
}

/* ---- random layers ---- */

enum { LAYER_W = 7, LAYER_TAPS = 3, LAYER_C = 12, LAYER_N = 24, LAYER_OUT = LAYER_W - 2 };

/* A convolution of kernel 1 x 3 over a row of pixels. */
struct layer {
    uint32_t groups, channels, k, n; /* k: of a conv group, n: of all */
    uint8_t x[LAYER_W * LAYER_C];
    int8_t w[LAYER_TAPS * LAYER_C * LAYER_N];
    int32_t center[LAYER_N];
    uint32_t shift[8];
    unsigned x_bits;
};

static uint32_t below(uint64_t *state, uint32_t n)
{
    return (uint32_t)(random_next(state) % n);
}

static void random_machine(struct arch *a, uint64_t *state)
{
    a->encoding = below(state, 3);
    a->weight_bits = 1 + below(state, 8);
    a->cell_bits = 1 + below(state, 8);
    a->dac_bits = 1 + below(state, 8);
    a->adc_bits = below(state, 11);
    a->column_flip = below(state, 2);
    if (below(state, 3) > 0)
        return;
    a->noise_seed = 1 + below(state, 1000);
    a->cell_fraction_bits = below(state, (uint32_t)max_i64(1, min_i64(5, 8 - a->cell_bits)));
    a->program_sigma_low_permille = below(state, 300);
    a->program_sigma_high_permille = below(state, 300);
    a->stuck_low_ppm = below(state, 2) * below(state, 300000);
    a->stuck_high_ppm = below(state, 2) * below(state, 300000);
    a->drift_permille = below(state, 2) * below(state, 500);
}

static struct layer random_layer(const struct arch *a, uint64_t *state)
{
    struct layer l = {.groups = 1 + below(state, 4), .x_bits = 1 + below(state, 8)};
    l.channels = 1 + below(state, LAYER_C / l.groups);
    l.k = LAYER_TAPS * l.channels;
    l.n = l.groups * (1 + below(state, LAYER_N / l.groups));
    const uint32_t half = 1u << (a->weight_bits - 1), large = below(state, 3);
    for (size_t i = 0; i < sizeof l.x; i++)
        l.x[i] = (uint8_t)(below(state, 1u << l.x_bits) |
                           (below(state, 3) < large ? (1u << l.x_bits) - 1 : 0));
    for (size_t i = 0; i < sizeof l.w; i++)
        l.w[i] = (int8_t)(below(state, 2 * half) - half);
    for (size_t i = 0; i < LAYER_N; i++)
        l.center[i] = (int32_t)below(state, 255) - 127;
    for (size_t i = 0; i < 8; i++)
        l.shift[i] = below(state, 4);
    return l;
}

/* Cuts columns in up to two, or conv groups in two, who have all rows then, or in all; and rows. */
static void random_pes(struct isa_group *g, const struct layer *l, uint64_t *state)
{
    uint32_t unit = l->groups > 1 ? l->n / l->groups : 1, all = l->n / unit, pe = 0;
    uint32_t cut = below(state, all), row = below(state, l->k);
    bool alone = l->groups > 1 && below(state, 2);
    row = l->groups > 1 && !alone ? 0 : row;
    g->n_pes = 0;
    for (uint32_t n0 = 0, n_end; n0 < all; n0 = n_end) {
        n_end = alone ? n0 + 1 : n0 < cut ? cut : all;
        for (uint32_t k0 = 0, k_end; k0 < l->k; k0 = k_end) {
            k_end = k0 < row ? row : l->k;
            g->pes[g->n_pes++] = (struct isa_pe){
                .k0 = k0, .k = k_end - k0, .n0 = n0 * unit, .n = (n_end - n0) * unit, .pe = pe++};
        }
    }
}

/* What a PE's converters give for a column, or its exact sum. */
static int32_t pe_gives(const struct rig *r, const struct layer *l, const struct isa_pe *pe,
                        uint32_t pixel, uint32_t n, bool exact)
{
    const struct isa_image *image = &r->p->images[0];
    struct column c = {.arch = &r->p->arch,
                       .rule = cell_rule_of(&r->p->arch, 0, 0),
                       .shift = image->n_shift ? l->shift : NULL,
                       .x_bits = l->x_bits,
                       .k = pe->k,
                       .n = n};
    const int32_t center = image->center ? l->center[n] : 0;
    uint32_t q = n / (l->n / l->groups);
    int32_t sum = 0;
    for (uint32_t k = 0; k < pe->k; k++) {
        uint32_t row = pe->k0 + k, tap = row / l->channels, channel = row % l->channels;
        c.at[k] = row;
        c.w[k] = l->w[row * l->n + n];
        c.x[k] = l->x[(pixel + tap) * l->channels * l->groups + q * l->channels + channel];
        sum += c.x[k] * (c.w[k] + center);
    }
    return exact ? sum : column_reads(&c, center);
}

/* The layer as group 0, cut at random. */
static struct isa_group *layer_group(struct rig *r, const struct layer *l, uint64_t *state)
{
    uint32_t in = typed(r, ELEMENT_u8, 1, LAYER_W, l->channels * l->groups, l->x);
    struct isa_group *g =
        integer_group(r, in, l->k, l->n, l->w, below(state, 2) ? l->center : NULL);
    g->kernel[1] = LAYER_TAPS;
    g->in_channels = l->channels * l->groups;
    g->conv_groups = l->groups > 1 ? l->groups : 0;
    g->x_bits = l->x_bits;
    r->p->arch.cols = 65536;
    random_pes(g, l, state);
    return g;
}

static void layer_gives(struct rig *r, const struct layer *l, const struct isa_group *g, bool exact)
{
    uint32_t out = typed(r, ELEMENT_i32, 1, LAYER_OUT, l->n, NULL);
    int32_t want[LAYER_OUT * LAYER_N] = {0};
    for (uint32_t pixel = 0; pixel < LAYER_OUT; pixel++)
        for (uint32_t i = 0; i < g->n_pes; i++)
            for (uint32_t n = g->pes[i].n0; n < g->pes[i].n0 + g->pes[i].n; n++)
                want[pixel * l->n + n] += pe_gives(r, l, &g->pes[i], pixel, n, exact);
    emit(r, 0, to(inst(ISA_mvm, 0, 0, 1, LAYER_OUT), at(out, 0, 0)));
    stored(r, out, ELEMENT_i32, 0);
    reads(r, want, LAYER_OUT * l->n);
}

START_TEST(random_products_are_read_as_written)
{
    for (uint64_t i = 1; i <= 600; i++) {
        uint64_t state = i + 1000 * (uint64_t)_i;
        struct rig r = rig_new(1);
        random_machine(&r.p->arch, &state);
        struct layer l = random_layer(&r.p->arch, &state);
        struct isa_group *g = layer_group(&r, &l, &state);
        if (r.p->arch.adc_bits && below(&state, 2)) {
            r.p->images[0].n_shift = (uint32_t)arch_weight_slices(&r.p->arch, 0);
            r.p->images[0].shift = l.shift;
        }
        layer_gives(&r, &l, g, false);
    }
}
END_TEST

/* Converters of ceil(log2(rows * (2^d - 1) * (2^c - 1) + 1)) bits lose nothing; one bit less is
 * enough where columns are flipped, one more is needed for the sign of a difference. */
START_TEST(enough_bits_are_exact)
{
    for (uint64_t i = 1; i <= 300; i++) {
        uint64_t state = i;
        struct rig r = rig_new(1);
        struct arch *a = &r.p->arch;
        a->encoding = below(&state, 3);
        a->weight_bits = 1 + below(&state, 8);
        a->cell_bits = 1 + below(&state, 4);
        a->dac_bits = 1 + below(&state, 4);
        a->column_flip = below(&state, 2);
        struct layer l = random_layer(a, &state);
        struct isa_group *g = layer_group(&r, &l, &state);
        uint32_t rows = 0, most;
        for (uint32_t k = 0; k < g->n_pes; k++)
            rows = g->pes[k].k > rows ? g->pes[k].k : rows;
        most = rows * ((1u << a->dac_bits) - 1) * ((1u << a->cell_bits) - 1);
        bool is_signed = a->encoding == ARCH_ANALOG_DIFFERENTIAL;
        a->adc_bits = is_signed;
        for (; most > 0; most >>= 1)
            a->adc_bits++;
        if (a->column_flip && !is_signed && a->adc_bits > 1)
            a->adc_bits--;
        layer_gives(&r, &l, g, true);
    }
}
END_TEST

static TCase *readout_tests(void)
{
    TCase *c = tcase_create("readout");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, converters_of_a_pair);
    tcase_add_test(c, column_is_flipped);
    tcase_add_test(c, range_is_of_a_pe);
    tcase_add_loop_test(c, random_products_are_read_as_written, 0, 5);
    tcase_add_test(c, enough_bits_are_exact);
    return c;
}

#endif
