/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_readout_test.c - base layers as arrays of cells give them: examples worked by hand, layers
 * against plain loops over ISA.md 5.2's formulas, and when converters change nothing.
 */
#include "eval_rig.h"
#include "arch.h"
#include "cell_rule.h"
#include "mvm_mapping.h"
#include "../run_suite.h"

/* Cells of 2 bits, weights of 4, inputs of 8 in two phases. */
static const union ir_attrs small = {.mvm = {.kernel = {1, 1},
                                             .stride = {1, 1},
                                             .dilation = {1, 1},
                                             .patch = {1, 1},
                                             .group = 1,
                                             .x_bits = 8,
                                             .weight_bits = 4,
                                             .rows = 2,
                                             .cols = 1,
                                             .cell_bits = 2,
                                             .dac_bits = 4,
                                             .encoding = IR_ENCODING_OFFSET}};

/* x = (200, 3), w = (-5, 7): -979. */
static void expect_product(const union ir_attrs *at, double want)
{
    EXPECT(RUN_AT(IR_CROSSBAR, IR_mvm, at, make(IR_U8, SHAPE(1, 1, 2), VALUES(200, 3)),
                  make(IR_I8, SHAPE(2, 1), VALUES(-5, 7))),
           IR_I32, SHAPE(1, 1, 1), VALUES(want));
}

/* P = (3, 15): slices (3, 3), (0, 3); phases (8, 3), (12, 0). Sums 33, 9, 36, 0, then - 8 * 203. */
START_TEST(offset_by_hand)
{
    static const struct {
        int64_t adc_bits, step;
        double want;
    } cases[] = {
        {0, 0, -979},  {6, 0, -979}, {5, 0, -1061},
        {4, 0, -1333}, {4, 2, -984}, {4, 1, -1082}, /* 16.5 is 16 and 4.5 is 4: halves to even */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        union ir_attrs at = small;
        int64_t step[] = {cases[i].step, cases[i].step};
        at.mvm.adc_bits = cases[i].adc_bits;
        at.mvm.shift = (struct ir_ints){cases[i].step ? 2 : 0, step};
        expect_product(&at, cases[i].want);
    }
}
END_TEST

/* A zero point of 10 is in the bias, 80 = 100 - 10 * 2, and in what pads the second tap:
 * 190 * -5 - 7 * 7 + 100 = -899 and 190 * -5 + 100 = -850. */
START_TEST(zero_point_and_padding_by_hand)
{
    for (double x = 3; x <= 10; x += 7)
        EXPECT(
            RUN_AT(IR_CROSSBAR, IR_add, NULL,
                   RUN_AT(IR_CROSSBAR, IR_mvm, &small, make(IR_U8, SHAPE(1, 1, 2), VALUES(200, x)),
                          make(IR_I8, SHAPE(2, 1), VALUES(-5, 7))),
                   make(IR_I32, SHAPE(1, 1, 1), VALUES(80))),
            IR_I32, SHAPE(1, 1, 1), VALUES(x == 3 ? -899 : -850));
}
END_TEST

/* P = (0, 7), N = (5, 0): 4 bits lose nothing when both sums are converted. Of the difference, one
 * of them is a sign: -12 becomes -8. */
START_TEST(differential_by_hand)
{
    union ir_attrs at = small;
    at.mvm.adc_bits = 4;
    at.mvm.encoding = IR_ENCODING_DIFFERENTIAL;
    expect_product(&at, -979);
    at.mvm.encoding = IR_ENCODING_ANALOG_DIFFERENTIAL;
    expect_product(&at, -659);
    at.mvm.adc_bits = 5;
    expect_product(&at, -979);
}
END_TEST

/* Levels (3, 2), stored as (0, 1): the array gives 1, which is 5 = 3 * 2 - 1. As it is, 5 needs
 * three bits. */
START_TEST(flip_by_hand)
{
    union ir_attrs at = small;
    at.mvm.weight_bits = 2;
    at.mvm.dac_bits = 1;
    at.mvm.adc_bits = 1;
    for (at.mvm.flip = 0; at.mvm.flip <= 1; at.mvm.flip++)
        EXPECT(RUN_AT(IR_CROSSBAR, IR_mvm, &at, make(IR_U8, SHAPE(1, 1, 2), VALUES(1, 1)),
                      make(IR_I8, SHAPE(2, 1), VALUES(1, 0))),
               IR_I32, SHAPE(1, 1, 1), VALUES(at.mvm.flip ? 5 - 4 : 1 - 4));
}
END_TEST

/* w_u = (0, 255), z_w = 121: 2 * -121 + 3 * 134. */
START_TEST(center_by_hand)
{
    union ir_attrs at = small;
    at.mvm.weight_bits = at.mvm.cell_bits = 8;
    EXPECT(RUN_AT(IR_CROSSBAR, IR_mvm, &at, make(IR_U8, SHAPE(1, 1, 2), VALUES(2, 3)),
                  make(IR_I8, SHAPE(2, 1), VALUES(-128, 127)), line(IR_I32, 1, VALUES(7))),
           IR_I32, SHAPE(1, 1, 1), VALUES(160));
}
END_TEST

/* Two pixels of 1 x 2 taps (1, 1) are read from three positions: a column has cells 3, 3, and one
 * that stands for 0 and is 2. All driven by 1 they sum up to 8, of which three bits keep 7: 7 - 6.
 * In the last product the third position is driven by nobody: 6 - 4. */
START_TEST(patches_by_hand)
{
    union ir_attrs at = small;
    at.mvm.kernel[1] = 2;
    at.mvm.weight_bits = 2;
    at.mvm.dac_bits = 8;
    at.mvm.adc_bits = 3;
    at.mvm.rows = 3;
    at.mvm.cols = 2;
    for (int64_t pixels = 1; pixels <= 2; pixels++) {
        at.mvm.patch[1] = pixels;
        EXPECT(RUN_AT(IR_CROSSBAR, IR_mvm, &at, make(IR_U8, SHAPE(1, 4, 1), VALUES(1, 1, 1, 1)),
                      make(IR_I8, SHAPE(2, 1), VALUES(1, 1))),
               IR_I32, SHAPE(1, 3, 1), VALUES(pixels == 1 ? 2 : 1, pixels == 1 ? 2 : 1, 2));
    }
}
END_TEST

/* Rows 1 and 2 of 3 in one PE, the last alone: (3 * 1 + 3 * 1 -> 3) - 4 and 3 - 2. */
START_TEST(sums_are_cut_where_the_machine_cuts_them)
{
    union ir_attrs at = small;
    at.mvm.weight_bits = at.mvm.adc_bits = 2;
    EXPECT(RUN_AT(IR_CROSSBAR, IR_mvm, &at, make(IR_U8, SHAPE(1, 1, 3), VALUES(1, 1, 1)),
                  make(IR_I8, SHAPE(3, 1), VALUES(1, 1, 1))),
           IR_I32, SHAPE(1, 1, 1), VALUES(-1 + 1));
}
END_TEST

START_TEST(what_does_not_fit_is_an_error)
{
    union ir_attrs at = small;
    at.mvm.x_bits = 7; /* 200 has 8 */
    struct tensor out =
        RUN_AT(IR_CROSSBAR, IR_mvm, &at, make(IR_U8, SHAPE(1, 1, 2), VALUES(200, 3)),
               make(IR_I8, SHAPE(2, 1), VALUES(-5, 7)));
    ck_assert_ptr_null(out.data);
    ck_assert_ptr_nonnull(strstr(diag->last->text, "more than 7 bits"));
    at = small;
    at.mvm.weight_bits = 3;
    out = RUN_AT(IR_CROSSBAR, IR_mvm, &at, make(IR_U8, SHAPE(1, 1, 2), VALUES(200, 3)),
                 make(IR_I8, SHAPE(2, 1), VALUES(-5, 7)));
    ck_assert_ptr_null(out.data);
    ck_assert_ptr_nonnull(strstr(diag->last->text, "weight 0 is -5"));
    at = small;
    at.mvm.kernel[1] = at.mvm.patch[1] = 2;
    out = RUN_AT(IR_CROSSBAR, IR_mvm, &at, make(IR_U8, SHAPE(1, 3, 1), VALUES(1, 2, 3)),
                 make(IR_I8, SHAPE(2, 1), VALUES(-5, 7)), line(IR_I32, 1, VALUES(-8)));
    ck_assert_ptr_null(out.data); /* 8 needs 5 bits */
    ck_assert_ptr_nonnull(strstr(diag->last->text, "stands for 0"));
}
END_TEST

/* ---- random layers ---- */

struct layer_case {
    union ir_attrs at;
    struct tensor x, w, center;
};

static struct tensor integers(uint64_t *seed, enum ir_dtype dtype, size_t rank, const int64_t *dim,
                              int64_t least, int64_t most)
{
    struct ir_type type = ir_type_of(dtype, (uint32_t)rank, dim);
    struct tensor t = tensor_new(&type);
    for (int64_t i = 0; i < ir_count(&type); i++)
        put(&t, i, (double)(least + random_below(seed, most - least + 1)));
    return t;
}

/* A layer without read-out; centers let a patch have a weight that stands for 0. */
static struct layer_case layer_case(uint64_t *seed)
{
    struct layer_case c = {0};
    struct ir_attrs_mvm *at = &c.at.mvm;
    int64_t x[3], channels = 1 + random_below(seed, 4);
    at->group = 1 + random_below(seed, 3);
    at->x_bits = 1 + random_below(seed, 8);
    at->weight_bits = 1 + random_below(seed, 8);
    at->patch[0] = at->patch[1] = 1;
    for (int i = 0; i < 2; i++) {
        at->kernel[i] = 1 + random_below(seed, 3);
        at->stride[i] = 1 + random_below(seed, 2);
        at->dilation[i] = 1 + random_below(seed, 2);
        x[i] = (at->kernel[i] - 1) * at->dilation[i] + 1 + random_below(seed, 5);
    }
    x[2] = channels * at->group;
    int64_t w[] = {at->kernel[0] * at->kernel[1] * channels,
                   at->group * (1 + random_below(seed, 3))};
    int64_t half = INT64_C(1) << (at->weight_bits - 1);
    c.x = integers(seed, IR_U8, 3, x, 0, (INT64_C(1) << at->x_bits) - 1);
    c.w = integers(seed, IR_I8, 2, w, -half, half - 1);
    c.center = integers(seed, IR_I32, 1, w + 1, 1 - half, half);
    return c;
}

/* Its patch is at most its output. */
static void choose_patch(struct layer_case *c, uint64_t *seed)
{
    struct ir_attrs_mvm *at = &c->at.mvm;
    for (int i = 0; i < 2; i++) {
        int64_t out =
            (c->x.type.dim[i] - (at->kernel[i] - 1) * at->dilation[i] - 1) / at->stride[i] + 1;
        at->patch[i] = 1 + random_below(seed, out);
    }
}

static void choose_readout(struct layer_case *c, uint64_t *seed)
{
    struct ir_attrs_mvm *at = &c->at.mvm;
    at->encoding = (ir_attr_enum_encoding)(IR_ENCODING_OFFSET + random_below(seed, 3));
    at->rows = 1 + random_below(seed, 40);
    at->cols = 1 + random_below(seed, 6);
    at->cell_bits = 1 + random_below(seed, 8);
    at->dac_bits = 1 + random_below(seed, 8);
    at->flip = random_below(seed, 2) && at->encoding != IR_ENCODING_ANALOG_DIFFERENTIAL;
}

static void layer_free(struct layer_case *c)
{
    tensor_free(&c->x);
    tensor_free(&c->w);
    tensor_free(&c->center);
}

static struct tensor run_layer(const struct layer_case *c, const union ir_attrs *at)
{
    return RUN_AT(IR_CROSSBAR, IR_mvm, at, tensor_copy(&c->x), tensor_copy(&c->w),
                  tensor_copy(&c->center));
}

static bool same(struct tensor a, struct tensor b)
{
    bool equal = a.data && b.data && ir_type_equal(&a.type, &b.type) &&
                 memcmp(a.data, b.data, (size_t)ir_count(&a.type) * sizeof(int32_t)) == 0;
    tensor_free(&a);
    tensor_free(&b);
    return equal;
}

/* The layer without read-out: exact. */
static union ir_attrs ideal_of(const struct layer_case *c)
{
    const struct ir_attrs_mvm *at = &c->at.mvm;
    union ir_attrs ideal = {.mvm = {.group = at->group,
                                    .x_bits = at->x_bits,
                                    .weight_bits = at->weight_bits,
                                    .patch = {1, 1}}};
    memcpy(ideal.mvm.kernel, at->kernel, sizeof at->kernel);
    memcpy(ideal.mvm.stride, at->stride, sizeof at->stride);
    memcpy(ideal.mvm.dilation, at->dilation, sizeof at->dilation);
    return ideal;
}

/* The most rows of a PE: of a patch's window, or of the matrix. */
static int64_t rows_of(const struct layer_case *c)
{
    const struct ir_attrs_mvm *at = &c->at.mvm;
    int64_t rows = c->x.type.dim[2] / at->group;
    for (int i = 0; i < 2; i++)
        rows *= (at->patch[i] - 1) * at->stride[i] + at->dilation[i] * (at->kernel[i] - 1) + 1;
    return rows < at->rows ? rows : at->rows;
}

/* Bits that no sum exceeds; a difference has a sign, a flipped column at most half the sum. */
static int64_t bits_enough(const struct layer_case *c)
{
    const struct ir_attrs_mvm *at = &c->at.mvm;
    int64_t most = rows_of(c) * ((1 << at->dac_bits) - 1) * ((1 << at->cell_bits) - 1), bits = 0;
    while (most >> bits)
        bits++;
    bits += at->encoding == IR_ENCODING_ANALOG_DIFFERENTIAL;
    return bits - (at->flip && at->encoding == IR_ENCODING_OFFSET && bits > 1);
}

enum { CASES_A_TEST = 100 };

/* Ideal converters give the product, whatever the encoding; so do those of enough bits, also when
 * the seed of a noise that is 0 is set. */
START_TEST(enough_bits_give_the_product)
{
    uint64_t seed = 1000 + (uint64_t)_i;
    for (int i = 0; i < CASES_A_TEST; i++) {
        struct layer_case c = layer_case(&seed);
        choose_readout(&c, &seed);
        choose_patch(&c, &seed);
        union ir_attrs ideal = ideal_of(&c), read = c.at;
        ck_assert(same(run_layer(&c, &ideal), run_layer(&c, &read)));
        read.mvm.adc_bits = bits_enough(&c);
        read.mvm.adc_bits = read.mvm.adc_bits > 16 ? 0 : read.mvm.adc_bits;
        ck_assert(same(run_layer(&c, &ideal), run_layer(&c, &read)));
        read.mvm.noise_seed = 1;
        read.mvm.fraction_bits = read.mvm.cell_bits < 4 ? random_below(&seed, 5) : 0;
        ck_assert(same(run_layer(&c, &ideal), run_layer(&c, &read)));
        layer_free(&c);
    }
}
END_TEST

/* ---- against plain loops ---- */

struct column {
    const struct layer_case *c;
    struct cell_rule rule;
    int64_t pixel[2], n, k0, k1; /* rows [k0, k1) are a PE's */
};

static int64_t input_of(const struct column *m, int64_t k)
{
    const struct ir_attrs_mvm *at = &m->c->at.mvm;
    const int64_t *x = m->c->x.type.dim;
    int64_t channels = x[2] / at->group, tap = k / channels;
    int64_t q = m->n / (m->c->w.type.dim[1] / at->group);
    int64_t row = m->pixel[0] * at->stride[0] + tap / at->kernel[1] * at->dilation[0];
    int64_t col = m->pixel[1] * at->stride[1] + tap % at->kernel[1] * at->dilation[1];
    return (int64_t)get(&m->c->x, (row * x[1] + col) * x[2] + q * channels + k % channels);
}

static int weight_at(const struct column *m, int64_t k)
{
    return (int)get(&m->c->w, k * m->c->w.type.dim[1] + m->n);
}

/* Is the slice of a part stored inverted? */
static bool is_flipped(const struct column *m, unsigned part, unsigned slice)
{
    uint64_t sum = 0;
    for (int64_t k = m->k0; k < m->k1; k++)
        sum += cell_level(&m->rule, part, slice, weight_at(m, k));
    return cell_column_flips(&m->rule, sum, (uint64_t)(m->k1 - m->k0));
}

/* What the converter of a part is given. */
static int64_t sum_of(const struct column *m, unsigned part, unsigned slice, unsigned phase)
{
    const struct ir_attrs_mvm *at = &m->c->at.mvm;
    unsigned top = (1u << at->cell_bits) - 1;
    bool flipped = is_flipped(m, part, slice);
    int64_t sum = 0;
    for (int64_t k = m->k0; k < m->k1; k++) {
        unsigned level = cell_level(&m->rule, part, slice, weight_at(m, k));
        int64_t x = input_of(m, k) >> at->dac_bits * phase & ((1 << at->dac_bits) - 1);
        sum += x * cell_conductance(&m->rule, part, slice, (uint64_t)k, (uint64_t)m->n,
                                    flipped ? top - level : level);
    }
    return sum;
}

static int64_t read_sum(const struct column *m, int64_t a, unsigned slice, bool is_signed)
{
    const struct ir_attrs_mvm *at = &m->c->at.mvm;
    int64_t step = at->adc_bits ? at->shift.at[slice] : 0;
    int64_t unit = INT64_C(1) << (step + (int64_t)m->rule.fraction_bits);
    int64_t code = (int64_t)nearbyint((double)a / (double)unit);
    int64_t codes = INT64_C(1) << at->adc_bits, lo = is_signed ? -codes / 2 : 0;
    if (at->adc_bits)
        code = code < lo ? lo : code > lo + codes - 1 ? lo + codes - 1 : code;
    return code * (INT64_C(1) << step);
}

static int64_t part_of(const struct column *m, unsigned part, unsigned slice, unsigned phase)
{
    const struct ir_attrs_mvm *at = &m->c->at.mvm;
    int64_t v = read_sum(m, sum_of(m, part, slice, phase), slice, false), driven = 0;
    for (int64_t k = m->k0; k < m->k1; k++)
        driven += input_of(m, k) >> at->dac_bits * phase & ((1 << at->dac_bits) - 1);
    return is_flipped(m, part, slice) ? ((1 << at->cell_bits) - 1) * driven - v : v;
}

static int64_t plane_of(const struct column *m, unsigned slice, unsigned phase)
{
    if (m->c->at.mvm.encoding == IR_ENCODING_ANALOG_DIFFERENTIAL)
        return read_sum(m, sum_of(m, 0, slice, phase) - sum_of(m, 1, slice, phase), slice, true);
    return part_of(m, 0, slice, phase) -
           (cell_parts(&m->rule) > 1 ? part_of(m, 1, slice, phase) : 0);
}

/* All PEs of a column, for one pixel. */
static int64_t plain_readout(struct column *m)
{
    const struct ir_attrs_mvm *at = &m->c->at.mvm;
    int64_t result = 0, center = (int64_t)get(&m->c->center, m->n);
    center -= at->encoding == IR_ENCODING_OFFSET ? INT64_C(1) << (at->weight_bits - 1) : 0;
    for (m->k0 = 0; m->k0 < m->c->w.type.dim[0]; m->k0 = m->k1) {
        m->k1 = min_i64(m->k0 + at->rows, m->c->w.type.dim[0]);
        for (unsigned j = 0; j < cell_slices(&m->rule); j++)
            for (unsigned f = 0; f < (at->x_bits + at->dac_bits - 1) / at->dac_bits; f++)
                result += plane_of(m, j, f) * (1 << (at->cell_bits * j + at->dac_bits * f));
        for (int64_t k = m->k0; k < m->k1; k++)
            result += center * input_of(m, k);
    }
    return result;
}

/* Few bits and noise; also where PEs hold several conv groups, of which each is alone. */
START_TEST(readout_against_plain_loops)
{
    uint64_t seed = 2000 + (uint64_t)_i;
    for (int i = 0; i < CASES_A_TEST / 5; i++) {
        struct layer_case c = layer_case(&seed);
        struct ir_attrs_mvm *at = &c.at.mvm;
        choose_readout(&c, &seed);
        int64_t shift[8];
        for (int j = 0; j < 8; j++)
            shift[j] = random_below(&seed, 4);
        at->adc_bits = random_below(&seed, 9);
        at->shift = (struct ir_ints){
            at->adc_bits ? (uint32_t)((at->weight_bits + at->cell_bits - 1) / at->cell_bits) : 0,
            shift};
        at->object = random_below(&seed, 3);
        at->noise_seed = random_below(&seed, 2);
        at->fraction_bits = at->noise_seed && at->cell_bits < 4 ? random_below(&seed, 5) : 0;
        at->sigma_low = random_below(&seed, 100);
        at->sigma_high = random_below(&seed, 300);
        at->stuck_low = at->stuck_high = random_below(&seed, 100000);
        at->drift = random_below(&seed, 100);
        struct arch arch = {.encoding = (int64_t)at->encoding - IR_ENCODING_OFFSET,
                            .cell_bits = at->cell_bits,
                            .column_flip = at->flip,
                            .noise_seed = at->noise_seed,
                            .cell_fraction_bits = at->fraction_bits,
                            .program_sigma_low_permille = at->sigma_low,
                            .program_sigma_high_permille = at->sigma_high,
                            .stuck_low_ppm = at->stuck_low,
                            .stuck_high_ppm = at->stuck_high,
                            .drift_permille = at->drift};
        struct column m = {.c = &c,
                           .rule = cell_rule_of(&arch, at->weight_bits, (uint32_t)at->object)};
        struct tensor out = run_layer(&c, &c.at);
        ck_assert_ptr_nonnull(out.data);
        for (int64_t at_out = 0; at_out < ir_count(&out.type); at_out++) {
            m.n = at_out % out.type.dim[2];
            m.pixel[1] = at_out / out.type.dim[2] % out.type.dim[1];
            m.pixel[0] = at_out / out.type.dim[2] / out.type.dim[1];
            ck_assert_int_eq((int64_t)get(&out, at_out), plain_readout(&m));
        }
        tensor_free(&out);
        layer_free(&c);
    }
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("readout");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, offset_by_hand);
    tcase_add_test(tc, zero_point_and_padding_by_hand);
    tcase_add_test(tc, differential_by_hand);
    tcase_add_test(tc, flip_by_hand);
    tcase_add_test(tc, center_by_hand);
    tcase_add_test(tc, patches_by_hand);
    tcase_add_test(tc, sums_are_cut_where_the_machine_cuts_them);
    tcase_add_test(tc, what_does_not_fit_is_an_error);
    tcase_add_loop_test(tc, enough_bits_give_the_product, 0, 30);
    tcase_add_loop_test(tc, readout_against_plain_loops, 0, 5);
    Suite *suite = suite_create("eval_readout");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
