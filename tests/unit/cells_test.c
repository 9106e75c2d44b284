/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cells_test.c - what cells hold of weights, by hand, and their noise: numbers of a program of its
 * own, written from the formulas, and what a great many cells have in common. */
#include "arch.h"
#include "cell_rule.h"
#include "../run_suite.h"

#include <check.h>
#include <math.h>

static const struct cell_rule offset = {
    .encoding = ARCH_OFFSET, .weight_bits = 4, .cell_bits = 2, .flip = true};
static const struct cell_rule differential = {
    .encoding = ARCH_DIFFERENTIAL, .weight_bits = 4, .cell_bits = 2, .flip = true};

/* The weight that the levels of all slices and parts stand for. */
static int recombined(const struct cell_rule *r, int weight)
{
    int sum[2] = {0, 0};
    for (unsigned part = 0; part < cell_parts(r); part++)
        for (unsigned slice = 0; slice < cell_slices(r); slice++)
            sum[part] += (int)(cell_level(r, part, slice, weight) << r->cell_bits * slice);
    return r->encoding == ARCH_OFFSET ? sum[0] - (1 << (r->weight_bits - 1)) : sum[0] - sum[1];
}

START_TEST(slices_by_hand)
{
    static const struct {
        int weight;
        unsigned low, high; /* of offset */
        unsigned positive[2], negative[2];
    } cases[] = {{-5, 3, 0, {0, 0}, {1, 1}},
                 {7, 3, 3, {3, 1}, {0, 0}},
                 {0, 0, 2, {0, 0}, {0, 0}},
                 {-8, 0, 0, {0, 0}, {0, 2}}};
    ck_assert_uint_eq(cell_parts(&offset), 1);
    ck_assert_uint_eq(cell_parts(&differential), 2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int w = cases[i].weight;
        ck_assert_uint_eq(cell_level(&offset, 0, 0, w), cases[i].low);
        ck_assert_uint_eq(cell_level(&offset, 0, 1, w), cases[i].high);
        for (unsigned slice = 0; slice < 2; slice++) {
            ck_assert_uint_eq(cell_level(&differential, 0, slice, w), cases[i].positive[slice]);
            ck_assert_uint_eq(cell_level(&differential, 1, slice, w), cases[i].negative[slice]);
        }
    }
}
END_TEST

/* 7 bits in cells of 2: the last of four slices has one bit. */
START_TEST(a_last_slice_may_be_partial)
{
    struct cell_rule r = {.encoding = ARCH_OFFSET, .weight_bits = 7, .cell_bits = 2};
    ck_assert_uint_eq(cell_slices(&r), 4);
    ck_assert_uint_eq(cell_level(&r, 0, 3, 63), 1);
    ck_assert_uint_eq(cell_level(&r, 0, 2, 63), 3);
    ck_assert_uint_eq(cell_level(&r, 0, 3, -1), 0);
}
END_TEST

START_TEST(slices_recombine_to_the_weight)
{
    for (unsigned bits = 1; bits <= 8; bits++)
        for (unsigned cell = 1; cell <= 8; cell++)
            for (int encoding = ARCH_OFFSET; encoding <= ARCH_ANALOG_DIFFERENTIAL; encoding++)
                for (int w = -(1 << (bits - 1)); w < 1 << (bits - 1); w++) {
                    struct cell_rule r = {
                        .encoding = encoding, .weight_bits = bits, .cell_bits = cell};
                    ck_assert_int_eq(recombined(&r, w), w);
                }
}
END_TEST

/* Rows of levels 3 and 2: 2 * 5 > 2 * 3. Half of what there could be is not more than half. */
START_TEST(columns_that_flip)
{
    ck_assert(cell_column_flips(&offset, 5, 2));
    ck_assert(!cell_column_flips(&offset, 3, 2));
    ck_assert(cell_column_flips(&offset, 4, 2));
    ck_assert(!cell_column_flips(&offset, 0, 0));
    struct arch arch = {.weight_bits = 8, .cell_bits = 2, .column_flip = 1};
    struct cell_rule r = cell_rule_of(&arch, 0, 0);
    ck_assert(cell_column_flips(&r, 5, 2));
    arch.encoding = ARCH_ANALOG_DIFFERENTIAL; /* differences of columns: nothing to gain */
    r = cell_rule_of(&arch, 0, 0);
    ck_assert(!cell_column_flips(&r, 5, 2));
}
END_TEST

START_TEST(rules_of_a_machine)
{
    struct arch arch = {.encoding = ARCH_DIFFERENTIAL,
                        .weight_bits = 8,
                        .cell_bits = 2,
                        .cell_fraction_bits = 3,
                        .program_sigma_low_permille = 1,
                        .program_sigma_high_permille = 2,
                        .stuck_low_ppm = 3,
                        .stuck_high_ppm = 4,
                        .drift_permille = 5,
                        .noise_seed = 6};
    struct cell_rule r = cell_rule_of(&arch, 0, 7);
    ck_assert_uint_eq(cell_slices(&r), 4);
    ck_assert_uint_eq(cell_parts(&r), 2);
    ck_assert_uint_eq(r.fraction_bits, 3);
    ck_assert_uint_eq(r.sigma_low, 1);
    ck_assert_uint_eq(r.sigma_high, 2);
    ck_assert_uint_eq(r.stuck_low, 3);
    ck_assert_uint_eq(r.stuck_high, 4);
    ck_assert_uint_eq(r.drift, 5);
    ck_assert_uint_eq(r.seed, 6);
    ck_assert_uint_eq(r.object, 7);
    r = cell_rule_of(&arch, 3, 0);
    ck_assert_uint_eq(cell_slices(&r), 2);
}
END_TEST

/* Without a seed all else about noise plays no role. */
START_TEST(ideal_cells_conduct_their_level)
{
    struct cell_rule r = {.cell_bits = 2, .sigma_low = 1000, .stuck_low = 1000000, .drift = 1000};
    ck_assert_uint_eq(cell_conductance(&r, 0, 0, 5, 6, 3), 3);
    r.fraction_bits = 4;
    ck_assert_uint_eq(cell_conductance(&r, 0, 0, 5, 6, 3), 48);
}
END_TEST

/* Cells of a program of its own: each coordinate counts, errors are clamped at both ends, stuck
 * cells do not drift and halves go to even (7.5 is 8). */
START_TEST(noisy_cells_one_by_one)
{
    static const struct {
        uint64_t seed;
        uint32_t object;
        unsigned part, slice;
        uint64_t row, column;
        unsigned level, cell_bits, fraction, low, high, stuck_low, stuck_high, drift, expected;
    } cases[] = {
        {1, 0, 0, 0, 0, 0, 8, 4, 3, 50, 50, 0, 0, 0, 59},
        {1, 0, 0, 0, 0, 1, 8, 4, 3, 50, 50, 0, 0, 0, 66},
        {1, 0, 0, 0, 1, 0, 8, 4, 3, 50, 50, 0, 0, 0, 64},
        {1, 0, 1, 0, 0, 0, 8, 4, 3, 50, 50, 0, 0, 0, 54},
        {1, 0, 0, 1, 0, 0, 8, 4, 3, 50, 50, 0, 0, 0, 53},
        {1, 3, 0, 0, 0, 0, 8, 4, 3, 50, 50, 0, 0, 0, 64},
        {2147483647, 119, 1, 7, 65535, 1048575, 0, 1, 4, 300, 100, 0, 0, 0, 1},
        {7, 5, 0, 3, 4607, 511, 3, 2, 4, 10, 100, 1000, 1000, 25, 48},
        {7, 5, 0, 3, 4608, 511, 3, 2, 4, 10, 100, 1000, 1000, 25, 41},
        {9, 2, 1, 1, 12, 34, 15, 4, 0, 0, 500, 0, 0, 0, 11},
        {9, 2, 1, 1, 12, 35, 15, 4, 0, 0, 500, 0, 0, 0, 15},
        {9, 2, 1, 1, 12, 36, 15, 4, 0, 0, 500, 300000, 300000, 500, 0},
        {9, 2, 1, 1, 12, 37, 15, 4, 0, 0, 500, 300000, 300000, 500, 15},
        {9, 2, 1, 1, 12, 38, 15, 4, 0, 0, 500, 300000, 300000, 500, 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cell_rule r = {.encoding = ARCH_DIFFERENTIAL,
                              .weight_bits = 8,
                              .cell_bits = cases[i].cell_bits,
                              .fraction_bits = cases[i].fraction,
                              .sigma_low = cases[i].low,
                              .sigma_high = cases[i].high,
                              .stuck_low = cases[i].stuck_low,
                              .stuck_high = cases[i].stuck_high,
                              .drift = cases[i].drift,
                              .seed = cases[i].seed,
                              .object = cases[i].object};
        ck_assert_uint_eq(cell_conductance(&r, cases[i].part, cases[i].slice, cases[i].row,
                                           cases[i].column, cases[i].level),
                          cases[i].expected);
    }
}
END_TEST

/* 2 % of the 15 levels of an empty cell, 6 % of a full one: in the middle 4 %, 9.6 of the 240 steps
 * that a range has. */
START_TEST(spread_of_many_cells)
{
    enum { CELLS = 40000 };
    struct cell_rule r = {.encoding = ARCH_OFFSET,
                          .weight_bits = 4,
                          .cell_bits = 4,
                          .fraction_bits = 4,
                          .sigma_low = 20,
                          .sigma_high = 60,
                          .seed = 11};
    for (unsigned level = 7; level <= 8; level++) {
        double sum = 0, squares = 0;
        for (uint64_t i = 0; i < CELLS; i++) {
            double e = (double)cell_conductance(&r, 0, 0, i / 200, i % 200, level) - 16. * level;
            sum += e;
            squares += e * e;
        }
        double sigma = .24 * ((15 - level) * 20 + level * 60) / 15;
        ck_assert_double_lt(fabs(sum / CELLS), 4 * sigma / 200);
        ck_assert_double_lt(fabs(sqrt(squares / CELLS) / sigma - 1), .02);
    }
}
END_TEST

/* 10 % and 20 %, and what is not stuck loses a tenth. */
START_TEST(shares_of_stuck_cells)
{
    enum { CELLS = 40000 };
    struct cell_rule r = {.cell_bits = 4,
                          .weight_bits = 4,
                          .stuck_low = 100000,
                          .stuck_high = 200000,
                          .drift = 100,
                          .seed = 3};
    unsigned count[16] = {0};
    for (uint64_t i = 0; i < CELLS; i++)
        count[cell_conductance(&r, 0, 0, i, 3, 10)]++;
    ck_assert_uint_eq(count[0] + count[9] + count[15], CELLS);
    ck_assert_double_lt(fabs(count[0] / (double)CELLS - .1), .01);
    ck_assert_double_lt(fabs(count[15] / (double)CELLS - .2), .01);
}
END_TEST

/* ---- rows, and ISA.md 5.2 as it is written ---- */

static const uint64_t G = 0x9e3779b97f4a7c15;

static uint64_t mix(uint64_t z)
{
    z ^= z >> 30;
    z *= 0xbf58476d1ce4e5b9;
    z ^= z >> 27;
    z *= 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static int64_t conducts(const struct cell_rule *r, unsigned part, unsigned slice, uint64_t row,
                        uint64_t column, int64_t level)
{
    int64_t most = (1 << r->cell_bits) - 1, one = 1 << r->fraction_bits, normal = -6 * 65535;
    uint64_t q = mix(r->seed + G * (1 + (uint64_t)r->object * 16 + part * 8 + slice));
    uint64_t base = mix(q + G * (1 + (row << 24) + column));
    uint64_t u = (mix(base) & UINT32_MAX) * 1000000 >> 32;
    if (u < r->stuck_low)
        return 0;
    if (u < r->stuck_low + r->stuck_high)
        return most * one;
    for (unsigned field = 0; field < 12; field++)
        normal += mix(base + G * (1 + field / 4)) >> field % 4 * 16 & 0xffff;
    int64_t sigma = r->sigma_low * (most - level) + r->sigma_high * level;
    int64_t g = level * one + rne_div_i64(normal * sigma * one, 1000 * 65536);
    g = max_i64(0, min_i64(g, (most + 1) * one - 1));
    return rne_div_i64(g * (1000 - (int64_t)r->drift), 1000);
}

static unsigned below(uint64_t *state, uint64_t n)
{
    return (unsigned)(mix(*state += G) % n);
}

static void check_row(const struct cell_rule *r, uint64_t *state)
{
    enum { MOST = 600 };
    uint8_t levels[MOST], g[MOST];
    unsigned n = 1 + below(state, MOST), part = below(state, 2), slice = below(state, 8);
    unsigned row = below(state, UINT32_MAX), column = below(state, 1 << 24);
    for (unsigned i = 0; i < n; i++)
        levels[i] = (uint8_t)below(state, UINT64_C(1) << r->cell_bits);
    cell_conductances(r, part, slice, row, column, n, levels, g);
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(g[i], conducts(r, part, slice, row, column + i, levels[i]));
    ck_assert_uint_eq(cell_conductance(r, part, slice, row, column, levels[0]), g[0]);
}

/* None, all, or any share of `all`. */
static unsigned share(uint64_t *state, unsigned all)
{
    unsigned kind = below(state, 3);
    return kind == 0 ? 0 : kind == 1 ? all : below(state, all);
}

START_TEST(rows_of_random_rules)
{
    uint64_t state = 1;
    for (unsigned i = 0; i < 1000; i++) {
        struct cell_rule r = {.cell_bits = 1 + below(&state, 8),
                              .sigma_low = share(&state, 1000),
                              .sigma_high = share(&state, 1000),
                              .drift = share(&state, 1000),
                              .seed = 1 + below(&state, INT32_MAX),
                              .object = below(&state, UINT32_MAX)};
        r.fraction_bits = below(&state, min_i64(4, 8 - r.cell_bits) + 1);
        if (below(&state, 2)) {
            r.stuck_low = below(&state, 500000);
            r.stuck_high = below(&state, 500000);
        }
        check_row(&r, &state);
    }
}
END_TEST

/* Errors are the deviates' 20 bits less 12: one of 4096 is half a unit. */
START_TEST(rows_with_errors_of_a_half)
{
    struct cell_rule r = {
        .cell_bits = 1, .fraction_bits = 4, .sigma_low = 1000, .sigma_high = 1000, .seed = 5};
    uint64_t state = 2;
    for (unsigned i = 0; i < 300; i++)
        check_row(&r, &state);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("cells");
    tcase_add_test(tc, slices_by_hand);
    tcase_add_test(tc, a_last_slice_may_be_partial);
    tcase_add_test(tc, slices_recombine_to_the_weight);
    tcase_add_test(tc, columns_that_flip);
    tcase_add_test(tc, rules_of_a_machine);
    tcase_add_test(tc, ideal_cells_conduct_their_level);
    tcase_add_test(tc, noisy_cells_one_by_one);
    tcase_add_test(tc, spread_of_many_cells);
    tcase_add_test(tc, shares_of_stuck_cells);
    tcase_add_test(tc, rows_of_random_rules);
    tcase_add_test(tc, rows_with_errors_of_a_half);
    Suite *suite = suite_create("cells");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
