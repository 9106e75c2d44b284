/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* cost_test.c - what machines charge: costs, reservations and distances, worked out by hand. */
#include "arch_rig.h"
#include "resource.h"
#include "tile_grid.h"
#include "../run_suite.h"

static uint64_t latency(const struct arch *arch, struct cost_work work)
{
    struct cost c = arch_cost(arch, &work);
    return cost_latency_cycles(&c);
}

static uint64_t occupancy(const struct arch *arch, struct cost_work work)
{
    struct cost c = arch_cost(arch, &work);
    return cost_occupancy_cycles(&c);
}

static uint64_t flight(const struct arch *arch, struct cost_work work)
{
    struct cost c = arch_cost(arch, &work);
    return cost_flight_cycles(&c);
}

START_TEST(clsa_charges_only_mvm)
{
    struct arch arch = clsa();
    ck_assert_uint_eq(latency(&arch, (struct cost_work){.kind = COST_MVM, .products = 224}), 224);
    struct cost_work free_work = {.elements = 1000, .bytes = 1000, .hops = 3};
    for (int kind = COST_VECTOR; kind <= COST_NONE; kind++) {
        free_work.kind = (enum cost_kind)kind;
        ck_assert_uint_eq(latency(&arch, free_work), 0);
        ck_assert_uint_eq(occupancy(&arch, free_work), 0);
        ck_assert_uint_eq(flight(&arch, free_work), 0);
    }
}
END_TEST

START_TEST(costs_by_hand)
{
    struct arch arch;
    ck_assert(parse("mvm_cycles: 10\nlanes: 16\nvector_setup_cycles: 2\nlink_bytes_per_cycle: 32\n"
                    "hop_cycles: 3\ndram_cycles: 100\ndram_bytes_per_cycle: 8\n",
                    &arch));
    struct cost_work mvm = {.kind = COST_MVM, .products = 7};
    ck_assert_uint_eq(occupancy(&arch, mvm), 70);
    ck_assert_uint_eq(latency(&arch, mvm), 70);
    struct cost_work vector = {.kind = COST_VECTOR, .elements = 33}; /* 2 + ceil(33/16) = 5 */
    ck_assert_uint_eq(occupancy(&arch, vector), 5);
    ck_assert_uint_eq(latency(&arch, vector), 5);
    struct cost_work send = {.kind = COST_SEND, .bytes = 65, .hops = 4}; /* 3, then 12 on links */
    ck_assert_uint_eq(occupancy(&arch, send), 3);
    ck_assert_uint_eq(latency(&arch, send), 3);
    ck_assert_uint_eq(flight(&arch, send), 12);
    struct cost_work signal = {.kind = COST_SIGNAL, .bytes = 65, .hops = 4};
    ck_assert_uint_eq(occupancy(&arch, signal), 0);
    ck_assert_uint_eq(latency(&arch, signal), 0);
    ck_assert_uint_eq(flight(&arch, signal), 12);
    struct cost_work dma = {.kind = COST_DMA, .bytes = 64, .hops = 4}; /* 8, then 100 */
    ck_assert_uint_eq(occupancy(&arch, dma), 8);
    ck_assert_uint_eq(latency(&arch, dma), 108);
    ck_assert_uint_eq(flight(&arch, dma), 0);
    struct cost c = arch_cost(&arch, &dma);
    ck_assert_uint_eq(c.n_stages, 2);
    ck_assert_int_eq(c.stage[0].unit, UNIT_DRAM);
    c = arch_cost(&arch, &send);
    ck_assert_int_eq(c.stage[0].unit, UNIT_NETWORK);
    ck_assert_int_eq(c.stage[1].unit, UNIT_LINK);
}
END_TEST

/* F phases of max(phase_cycles, ceil(columns / adc_columns_per_cycle)), F = ceil(bits / dac_bits).
 */
START_TEST(products_by_phases_and_columns)
{
    static const struct {
        int64_t mvm, phase, adc, dac;
        uint32_t x_bits;
        uint64_t columns, products, cycles;
    } cases[] = {
        {0, 1, 128, 1, 8, 128, 1, 8},     /* 32 weights of 4 columns: 8 * 1 */
        {0, 1, 128, 1, 8, 132, 1, 16},    /* 33: 8 * 2 */
        {0, 1, 128, 1, 8, 132, 7, 112},   /* seven of these */
        {0, 1, 128, 8, 8, 132, 1, 2},     /* all bits at once: 1 * 2 */
        {0, 1, 128, 3, 8, 256, 1, 6},     /* 3, 3 and 2 bits: 3 * 2 */
        {0, 1, 128, 3, 4, 256, 1, 4},     /* 3 and 1 bits: 2 * 2 */
        {0, 1, 128, 3, 0, 256, 1, 6},     /* f32 as 8 bits */
        {0, 5, 0, 2, 8, 65536, 1, 20},    /* all columns at once: 4 * 5 */
        {0, 100, 128, 1, 8, 256, 1, 800}, /* read in 2 while the next settles for 100 */
        {0, 0, 1, 8, 8, 256, 1, 256},     /* one by one, and nothing to settle */
        {0, 0, 0, 1, 8, 256, 224, 0},     /* nothing takes time */
        {10, 100, 1, 1, 8, 256, 7, 70},   /* as given, whatever else there is */
        {0, 1000000, 1, 1, 8, 1, UINT64_MAX / 2, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arch arch = clsa();
        arch.mvm_cycles = cases[i].mvm;
        arch.phase_cycles = cases[i].phase;
        arch.adc_columns_per_cycle = cases[i].adc;
        arch.dac_bits = cases[i].dac;
        struct cost_work work = {.kind = COST_MVM,
                                 .products = cases[i].products,
                                 .x_bits = cases[i].x_bits,
                                 .columns = cases[i].columns};
        ck_assert_msg(occupancy(&arch, work) == cases[i].cycles, "case %zu: %llu", i,
                      (unsigned long long)occupancy(&arch, work));
        ck_assert_uint_eq(latency(&arch, work), cases[i].cycles);
    }
}
END_TEST

START_TEST(events_by_time_and_rank)
{
    /* (time, rank); added in this order */
    static const uint64_t added[][2] = {{5, 1}, {3, 9}, {5, 0}, {3, 2}, {7, 0}, {3, 4}};
    static const uint64_t wanted[][2] = {{3, 2}, {3, 4}, {3, 9}, {5, 0}, {5, 1}, {7, 0}};
    struct resources r;
    struct event e;
    struct arch arch = clsa();
    unsigned n = 0;
    resource_init(&r, &arch, 1);
    for (unsigned i = 0; i < 6; i++)
        event_add(&r, (struct event){added[i][0], added[i][1], EVENT_COMPLETE, i});
    while (resource_next_time(&r))
        while (resource_next_event(&r, &e)) {
            ck_assert_uint_eq(e.time, r.now);
            ck_assert_uint_eq(e.time, wanted[n][0]);
            ck_assert_uint_eq(e.rank, wanted[n][1]);
            n++;
        }
    ck_assert_uint_eq(n, 6);
    resource_free(&r);
}
END_TEST

START_TEST(units_are_reserved)
{
    struct resources r;
    struct arch arch = clsa();
    struct cost dma = {.n_stages = 2, .stage = {{UNIT_DRAM, 8}, {UNIT_DRAM, 100}}};
    struct cost send = {.n_stages = 2, .stage = {{UNIT_NETWORK, 3}, {UNIT_LINK, 12}}};
    struct cost signal = {.n_stages = 1, .stage = {{UNIT_LINK, 4}}}, none = {0};
    resource_init(&r, &arch, 2);
    struct reservation got = resource_reserve(&r, 0, r.now, &dma, 0);
    ck_assert(got.unit_free == 8 && got.end == 108 && got.arrival == 108);
    r.now = 10; /* a short one is complete with the long one before it */
    got = resource_reserve(&r, 0, r.now, &none, 5);
    ck_assert(got.unit_free == 8 && got.end == 108);
    got = resource_reserve(&r, 1, r.now, &send, 0);
    ck_assert(got.unit_free == 13 && got.end == 13 && got.arrival == 25);
    got = resource_reserve(&r, 1, r.now, &signal, 2); /* asks for no unit */
    ck_assert(got.unit_free == 13 && got.end == 13 && got.arrival == 17);
    ck_assert(resource_takes_unit(&send) && !resource_takes_unit(&signal));
    ck_assert(!resource_takes_unit(&none));
    got = resource_reserve(&r, 0, r.now, &dma, UINT64_MAX);
    ck_assert_uint_eq(got.end, UINT64_MAX);
    struct channel c = {0};
    ck_assert_uint_eq(channel_count(&r, &c, 25), 25);
    ck_assert_uint_eq(channel_count(&r, &c, 17), 25);
    ck_assert_uint_eq(channel_count(&r, &c, 26), 26);
    resource_free(&r);
}
END_TEST

/* By hand, as in program 19 of SIM.md 4: 4 cycles of the unit, 10 more, two in flight. */
START_TEST(few_are_in_flight)
{
    struct resources r;
    struct arch arch = clsa();
    struct cost dma = {.n_stages = 2, .stage = {{UNIT_DRAM, 4}, {UNIT_DRAM, 10}}}, none = {0};
    arch.inflight = 2;
    arch.complete_cycles = 3;
    resource_init(&r, &arch, 1);
    ck_assert_uint_eq(resource_ready_at(&r, 0, true), 0);
    struct reservation got = resource_reserve(&r, 0, 0, &dma, 0);
    ck_assert(got.end == 14 && got.counted == 17 && got.arrival == 17);
    ck_assert_uint_eq(resource_ready_at(&r, 0, true), 4);
    ck_assert_uint_eq(resource_ready_at(&r, 0, false), 0); /* asks for no unit */
    got = resource_reserve(&r, 0, 4, &none, 0);
    ck_assert(got.end == 15 && got.counted == 18); /* a cycle after the one before */
    ck_assert_uint_eq(resource_ready_at(&r, 0, false), 17);
    got = resource_reserve(&r, 0, 17, &dma, 0);
    ck_assert(got.end == 31 && got.counted == 34);
    ck_assert_uint_eq(resource_ready_at(&r, 0, true), 21);
    ck_assert_uint_eq(resource_ready_at(&r, 0, false), 18);
    struct channel c = {0}; /* counts one a cycle */
    ck_assert_uint_eq(channel_count(&r, &c, 0), 0);
    ck_assert_uint_eq(channel_count(&r, &c, 25), 25);
    ck_assert_uint_eq(channel_count(&r, &c, 25), 26);
    resource_free(&r);
}
END_TEST

START_TEST(farthest_of_a_set)
{
    uint64_t seed = 1;
    for (int i = 0; i < 400; i++) {
        struct arch arch = {.topology = i % 5 == 0 ? ARCH_IDEAL : ARCH_MESH};
        arch.tiles = 1 + (int64_t)(random_next(&seed) % 30);
        uint32_t n_tiles = (uint32_t)arch.tiles, most = 0;
        uint32_t from = (uint32_t)(random_next(&seed) % n_tiles);
        struct tile_grid grid = tile_grid_of(&arch, 1);
        struct tile_reach reach = {0};
        for (uint64_t k = random_next(&seed) % 4; k > 0; k--) {
            uint32_t to = (uint32_t)(random_next(&seed) % n_tiles);
            uint32_t hops = tile_grid_hops(&grid, from, to);
            tile_reach_add(&grid, &reach, to);
            most = hops > most ? hops : most;
        }
        ck_assert_uint_eq(tile_reach_hops(&grid, from, &reach), most);
    }
}
END_TEST

/* The smallest square: of the machine's tiles, else of those used. */
START_TEST(columns_of_tiles)
{
    struct arch mesh = {.topology = ARCH_MESH}, fixed = {.topology = ARCH_MESH, .tiles = 10};
    for (uint32_t columns = 1; columns < 300; columns++) {
        ck_assert_uint_eq(tile_grid_of(&mesh, columns * columns).columns, columns);
        ck_assert_uint_eq(tile_grid_of(&mesh, columns * columns + 1).columns, columns + 1);
    }
    ck_assert_uint_eq(tile_grid_of(&fixed, 3).columns, 4);
}
END_TEST

START_TEST(costs_saturate)
{
    struct arch arch;
    ck_assert(parse("mvm_cycles: 10\nlanes: 1\nvector_setup_cycles: 2\nlink_bytes_per_cycle: 1\n"
                    "hop_cycles: 1\n",
                    &arch));
    ck_assert_uint_eq(latency(&arch, (struct cost_work){.kind = COST_MVM, .products = UINT64_MAX}),
                      UINT64_MAX);
    ck_assert_uint_eq(
        latency(&arch, (struct cost_work){.kind = COST_VECTOR, .elements = UINT64_MAX}),
        UINT64_MAX);
    ck_assert_uint_eq(
        latency(&arch, (struct cost_work){.kind = COST_SEND, .bytes = UINT64_MAX, .hops = 1}),
        UINT64_MAX);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("cost");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, clsa_charges_only_mvm);
    tcase_add_test(tc, costs_by_hand);
    tcase_add_test(tc, products_by_phases_and_columns);
    tcase_add_test(tc, events_by_time_and_rank);
    tcase_add_test(tc, units_are_reserved);
    tcase_add_test(tc, few_are_in_flight);
    tcase_add_test(tc, farthest_of_a_set);
    tcase_add_test(tc, columns_of_tiles);
    tcase_add_test(tc, costs_saturate);
    Suite *suite = suite_create("cost");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
