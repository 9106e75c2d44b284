/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pass_readout_test.c - pass readout: what mvm says of a machine, steps of converters by hand, and
 * what is refused; and x_bits, of pass tile, by what makes a layer's inputs.
 */
#include "pass_rig.h"
#include "eval.h"
#include "../run_suite.h"

#include <stdlib.h>

#define LAYER                                                                                      \
    "{kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1], x_bits=8, weight_bits=8"

/* Four pixels of one channel, and one weight: -127, which offset cells hold as 1. */
static const char one_weight[] =
    "graph \"t\" crossbar {\n"
    "%1 = input {index=0, dtype=\"u8\", shape=[4], extent=[1,4,1], strides=[4,1,1]} : u8[1x4x1]\n"
    "%2 = constant {dtype=\"i8\", shape=[1,1], data=splat(-127)} : i8[1x1]\n"
    "%3 = mvm %1, %2 " LAYER ", weights=1} : i32[1x4x1] @\"layer\"\n"
    "output %3 {index=0, dtype=\"i32\", shape=[4], strides=[4,1,1]}\n"
    "}\n";

static const struct ir_attrs_mvm *layer_of(const struct ir_graph *g)
{
    return &find_op(g, IR_mvm)->attrs->mvm;
}

START_TEST(an_ideal_machine_changes_nothing)
{
    struct rig r;
    rig_open(&r);
    r.arch.cell_bits = 2;
    r.arch.encoding = ARCH_DIFFERENTIAL;
    r.arch.column_flip = 1;
    r.arch.adc_range = ARCH_RANGE_CALIBRATED;
    r.arch.noise_seed = 5; /* of noise that there is none of */
    struct ir_graph *g = parse_text(&r, one_weight);
    uint64_t before = ir_fingerprint(g);
    run_ok(&r, "readout", &g);
    ck_assert(ir_fingerprint(g) == before);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(the_machine_is_written_down)
{
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, one_weight);
    uint64_t ideal = ir_fingerprint(g);
    r.arch.cell_bits = 2;
    r.arch.dac_bits = 1;
    r.arch.adc_bits = 6;
    r.arch.encoding = ARCH_DIFFERENTIAL;
    r.arch.pair_axis = ARCH_PAIR_ROWS;
    r.arch.column_flip = 1;
    run_ok(&r, "readout", &g);
    const struct ir_attrs_mvm *at = layer_of(g);
    ck_assert_int_eq(at->rows, 128);
    ck_assert_int_eq(at->cols, 64);
    ck_assert_int_eq(at->cell_bits, 2);
    ck_assert_int_eq(at->dac_bits, 1);
    ck_assert_int_eq(at->adc_bits, 6);
    ck_assert_int_eq(at->encoding, IR_ENCODING_DIFFERENTIAL);
    ck_assert_int_eq(at->flip, 1);
    ck_assert_int_eq(at->shift.n, 0);
    uint64_t read = ir_fingerprint(g);
    ck_assert(read != ideal);
    /* Noise is of a chip, not of the program: no fingerprint knows it. */
    r.arch.noise_seed = 7;
    r.arch.cell_fraction_bits = 3;
    r.arch.program_sigma_high_permille = 20;
    run_ok(&r, "readout", &g);
    at = layer_of(g);
    ck_assert_int_eq(at->noise_seed, 7);
    ck_assert_int_eq(at->fraction_bits, 3);
    ck_assert_int_eq(at->sigma_high, 20);
    ck_assert(ir_fingerprint(g) == read);
    /* Nor with converters that are ideal, whether the chip at hand is or not. */
    r.arch.adc_bits = 0;
    run_ok(&r, "readout", &g);
    uint64_t noisy = ir_fingerprint(g);
    r.arch.noise_seed = 0;
    run_ok(&r, "readout", &g);
    ck_assert_int_eq(layer_of(g)->noise_seed, 0);
    ck_assert(ir_fingerprint(g) == noisy);
    /* And back. */
    r.arch.program_sigma_high_permille = 0;
    run_ok(&r, "readout", &g);
    ck_assert(ir_fingerprint(g) == ideal);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* Layers of one object and a float one between them: images 0, 1, 0, 2. */
START_TEST(objects_are_numbered_as_they_are_met)
{
    struct rig r;
    rig_open(&r);
    r.arch.adc_bits = 8;
    struct ir_graph *g = parse_text(
        &r, "graph \"t\" crossbar {\n"
            "%1 = input {index=0, dtype=\"u8\", shape=[4], extent=[1,4,1], strides=[4,1,1]} : "
            "u8[1x4x1]\n"
            "%2 = input {index=1, dtype=\"f32\", shape=[4], extent=[1,4,1], strides=[4,1,1]} : "
            "f32[1x4x1]\n"
            "%3 = constant {dtype=\"i8\", shape=[1,1], data=splat(1)} : i8[1x1]\n"
            "%4 = constant {dtype=\"f32\", shape=[1,1], data=splat(1)} : f32[1x1]\n"
            "%5 = constant {dtype=\"i8\", shape=[1,1], data=splat(2)} : i8[1x1]\n"
            "%6 = mvm %1, %3 " LAYER ", weights=5} : i32[1x4x1]\n"
            "%7 = mvm %2, %4 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1], "
            "weights=9} : f32[1x4x1]\n"
            "%8 = mvm %1, %3 " LAYER ", weights=5} : i32[1x4x1]\n"
            "%9 = mvm %1, %5 " LAYER ", weights=2} : i32[1x4x1]\n"
            "output %6 {index=0, dtype=\"i32\", shape=[4], strides=[4,1,1]}\n"
            "output %7 {index=1, dtype=\"f32\", shape=[4], strides=[4,1,1]}\n"
            "output %8 {index=2, dtype=\"i32\", shape=[4], strides=[4,1,1]}\n"
            "output %9 {index=3, dtype=\"i32\", shape=[4], strides=[4,1,1]}\n"
            "}\n");
    run_ok(&r, "readout", &g);
    static const int64_t object[] = {0, 0, 0, 2}; /* a float layer has no read-out */
    int i = 0;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        if (op->opcode != IR_mvm)
            continue;
        ck_assert_int_eq(op->attrs->mvm.object, object[i]);
        ck_assert_int_eq(op->attrs->mvm.encoding != IR_ENCODING_IDEAL, i != 1);
        i++;
    }
    ck_assert_int_eq(i, 4);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* 36 rows of 1-bit phases and 2-bit cells: sums up to 108. Of 64 codes each stands for 2, of the 32
 * above 0 for 4; 128 codes are enough. In PEs of 20 rows: 60, which 64 codes hold. */
START_TEST(full_range_by_hand)
{
    static const struct {
        int64_t rows, encoding, adc_bits, step;
    } cases[] = {
        {256, ARCH_OFFSET, 6, 1}, {256, ARCH_ANALOG_DIFFERENTIAL, 6, 2}, {256, ARCH_OFFSET, 7, 0},
        {20, ARCH_OFFSET, 6, 0},  {256, ARCH_DIFFERENTIAL, 1, 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        rig_open(&r);
        r.arch.cell_bits = 2;
        r.arch.dac_bits = 1;
        r.arch.adc_range = ARCH_RANGE_FULL;
        r.arch.rows = cases[i].rows;
        r.arch.encoding = cases[i].encoding;
        r.arch.adc_bits = cases[i].adc_bits;
        struct ir_graph *g = parse_text(
            &r, "graph \"t\" crossbar {\n"
                "%1 = input {index=0, dtype=\"u8\", shape=[36], extent=[3,3,4], "
                "strides=[12,4,1]} : u8[3x3x4]\n"
                "%2 = constant {dtype=\"i8\", shape=[36,1], data=splat(3)} : i8[36x1]\n"
                "%3 = mvm %1, %2 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, x_bits=8, "
                "weight_bits=8, weights=1} : i32[1x1x1]\n"
                "output %3 {index=0, dtype=\"i32\", shape=[1], strides=[1,1,1]}\n"
                "}\n");
        run_ok(&r, "readout", &g);
        const struct ir_ints *shift = &layer_of(g)->shift;
        ck_assert_uint_eq(shift->n, 4);
        for (uint32_t j = 0; j < shift->n; j++)
            ck_assert_int_eq(shift->at[j], cases[i].step);
        ir_graph_free(g);
        rig_close(&r);
    }
}
END_TEST

/* Two images of four pixels; the sum that is converted is the pixel. Codes 0..3. */
static int64_t calibrated_step(const uint8_t pixels[2][4])
{
    struct rig r;
    rig_open(&r);
    struct ir_type type = ir_type_of(IR_U8, 1, (int64_t[]){4});
    struct tensor images[2];
    for (int i = 0; i < 2; i++) {
        images[i] = tensor_new(&type);
        memcpy(images[i].data, pixels[i], 4);
    }
    struct pass_calibration calibration = {.inputs = images, .n_inputs = 1, .n_images = 2};
    r.ctx.calibration = &calibration;
    r.arch.adc_bits = 2;
    r.arch.adc_range = ARCH_RANGE_CALIBRATED;
    struct ir_graph *g = parse_text(&r, one_weight);
    run_ok(&r, "readout", &g);
    ck_assert_uint_eq(layer_of(g)->shift.n, 1);
    int64_t step = layer_of(g)->shift.at[0];
    ir_graph_free(g);
    for (int i = 0; i < 2; i++)
        tensor_free(&images[i]);
    rig_close(&r);
    return step;
}

START_TEST(calibrated_range_by_hand)
{
    /* Step 1 gives 3 of 4 and of 12: errors 7 + 81. 2 gives 4 and 6: 36. 4: none. 8: 16 of 12 and 0
     * of 4, as halves go to even: 7 * 16 + 16. */
    static const uint8_t spread[2][4] = {{4, 4, 4, 12}, {4, 4, 4, 4}};
    ck_assert_int_eq(calibrated_step(spread), 2);
    /* 2 and 4 are right: the smaller one is taken. */
    static const uint8_t equal[2][4] = {{4, 4, 4, 4}, {4, 4, 4, 4}};
    ck_assert_int_eq(calibrated_step(equal), 1);
    /* Rarely saturating costs less than a coarse step: 5 * 5 for one 8, but 2 * 2 * 7 for 2s. */
    static const uint8_t rare[2][4] = {{2, 2, 2, 8}, {1, 1, 3, 3}};
    ck_assert_int_eq(calibrated_step(rare), 1);
}
END_TEST

START_TEST(calibrated_steps_stay)
{
    struct rig r;
    rig_open(&r);
    r.arch.adc_bits = 8;
    r.arch.adc_range = ARCH_RANGE_CALIBRATED;
    struct ir_graph *g = parse_text(&r, one_weight);
    ck_assert(!run(&r, "readout", &g));
    ck_assert(has_error(&r, DIAG_CAPACITY, "--calibrate"));
    ir_graph_free(g);
    rig_close(&r);
    rig_open(&r);
    r.arch.adc_bits = 8;
    r.arch.adc_range = ARCH_RANGE_FULL;
    g = parse_text(&r, one_weight);
    run_ok(&r, "readout", &g);
    int64_t step = layer_of(g)->shift.at[0];
    ck_assert_int_gt(step, 0);
    r.arch.adc_range = ARCH_RANGE_CALIBRATED;
    run_ok(&r, "readout", &g);
    ck_assert_int_eq(layer_of(g)->shift.at[0], step);
    /* Not those of other slices. */
    r.arch.cell_bits /= 2;
    ck_assert(!run(&r, "readout", &g));
    ck_assert(has_error(&r, DIAG_CAPACITY, "--calibrate"));
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* 128 * 255 * 65,793 = 2^31 - 128 is the most that centers of 128 times all inputs can be; a bias
 * comes on top. */
START_TEST(sums_beyond_32_bits_are_refused)
{
    static const struct {
        int rows, bias;
        bool fits;
    } cases[] = {{65793, 127, true}, {65793, 128, false}, {65794, 0, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        rig_open(&r);
        r.arch.adc_bits = 8;
        char *text = arena_printf(
            r.arena,
            "graph \"t\" crossbar {\n"
            "%%1 = input {index=0, dtype=\"u8\", shape=[%d], extent=[1,1,%d], "
            "strides=[%d,%d,1]} : u8[1x1x%d]\n"
            "%%2 = constant {dtype=\"i8\", shape=[%d,1], data=splat(0)} : i8[%dx1]\n"
            "%%3 = mvm %%1, %%2 " LAYER ", weights=1} : i32[1x1x1] @\"long\"\n"
            "%%4 = constant {dtype=\"i32\", shape=[1,1,1], data=splat(%d)} : i32[1x1x1]\n"
            "%%5 = add %%3, %%4 : i32[1x1x1]\n"
            "output %%5 {index=0, dtype=\"i32\", shape=[1], strides=[1,1,1]}\n"
            "}\n",
            cases[i].rows, cases[i].rows, cases[i].rows, cases[i].rows, cases[i].rows,
            cases[i].rows, cases[i].rows, cases[i].bias);
        struct ir_graph *g = parse_text(&r, text);
        ck_assert_int_eq(run(&r, "readout", &g), cases[i].fits);
        ck_assert_int_eq(has_error(&r, DIAG_CAPACITY, "'long' (mvm)"), !cases[i].fits);
        ir_graph_free(g);
        rig_close(&r);
    }
}
END_TEST

START_TEST(noise_on_wide_cells_is_refused)
{
    struct rig r;
    rig_open(&r);
    r.arch.noise_seed = 1; /* 255 * 255 */
    r.arch.drift_permille = 1;
    struct ir_graph *g = parse_text(&r, one_weight);
    ck_assert(!run(&r, "readout", &g));
    ck_assert(has_error(&r, DIAG_CAPACITY, "16383"));
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* ---- x_bits ---- */

START_TEST(inputs_have_the_bits_of_what_makes_them)
{
    static const struct {
        const char *ops; /* %3 from the model's input %1 and the f32 %2 */
        int64_t bits;
    } cases[] = {
        {"%3 = slice %1 {start=[0,0,0], step=[1,1,1], count=[1,4,1]}", 8},
        {"%3 = quantize %2, %10 {dtype=\"u8\", hi=15}", 4},
        {"%3 = quantize %2, %10 {dtype=\"u8\", hi=16}", 5},
        {"%3 = quantize %2, %10 {dtype=\"u8\", hi=0}", 1},
        {"%4 = quantize %2, %10 {dtype=\"u8\", hi=15}\n"
         "%3 = pad %4 {before=[0,0,0], after=[0,0,0], mode=\"constant\", value=100}",
         7},
        {"%4 = quantize %2, %10 {dtype=\"u8\", hi=15}\n%3 = max_pool %4 {kernel=[1,1], "
         "stride=[1,1], dilation=[1,1]}",
         4},
        {"%3 = table %1, %11", 3},
        {"%3 = clip %1 {lo=0, hi=63}", 6},
        {"%4 = quantize %2, %10 {dtype=\"u8\", hi=15}\n%3 = clip %4 {lo=-1, hi=inf}", 4},
        {"%4 = quantize %2, %10 {dtype=\"u8\", hi=15}\n%3 = clip %4 {lo=16, hi=inf}", 5},
        {"%4 = quantize %2, %10 {dtype=\"u8\", hi=15}\n%3 = clip %4 {lo=200, hi=100}", 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig r;
        rig_open(&r);
        struct ir_graph *g = parse_text(
            &r, arena_printf(r.arena,
                             "graph \"t\" crossbar {\n"
                             "%%1 = input {index=0, dtype=\"u8\", shape=[4], extent=[1,4,1], "
                             "strides=[4,1,1]}\n"
                             "%%2 = input {index=1, dtype=\"f32\", shape=[4], extent=[1,4,1], "
                             "strides=[4,1,1]}\n"
                             "%%10 = constant {dtype=\"f32\", shape=[1,1,1], data=splat(1)}\n"
                             "%%11 = constant {dtype=\"u8\", shape=[256], data=splat(5)}\n"
                             "%s\n"
                             "%%12 = constant {dtype=\"i8\", shape=[1,1], data=splat(1)}\n"
                             "%%13 = mvm %%3, %%12 " LAYER ", weights=1}\n"
                             "output %%13 {index=0, dtype=\"i32\", shape=[4], strides=[4,1,1]}\n"
                             "}\n",
                             cases[i].ops));
        run_ok(&r, "tile", &g);
        ck_assert_msg(layer_of(g)->x_bits == cases[i].bits, "%s", cases[i].ops);
        ir_graph_free(g);
        rig_close(&r);
    }
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("readout");
    tcase_add_test(tc, an_ideal_machine_changes_nothing);
    tcase_add_test(tc, the_machine_is_written_down);
    tcase_add_test(tc, objects_are_numbered_as_they_are_met);
    tcase_add_test(tc, full_range_by_hand);
    tcase_add_test(tc, calibrated_range_by_hand);
    tcase_add_test(tc, calibrated_steps_stay);
    tcase_add_test(tc, sums_beyond_32_bits_are_refused);
    tcase_add_test(tc, noise_on_wide_cells_is_refused);
    tcase_add_test(tc, inputs_have_the_bits_of_what_makes_them);
    Suite *suite = suite_create("pass_readout");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
