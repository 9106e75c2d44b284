/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* energy_test.c - counters, energies and areas, worked out by hand. */
#include "arch_rig.h"
#include "sim.h"
#include "../run_suite.h"

static struct isa_program *assemble(const char *text)
{
    struct isa_program *p = isa_assemble(text, strlen(text), "energy.s", diag);
    if (!p || !isa_validate(p, diag))
        diag_print(diag, stderr);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(diag->n_errors, 0);
    return p;
}

/* Weights of 8 bits take 4 cells, inputs of 8 bits 8 phases. Tiles stand 2 x 2. */
#define MACHINE                                                                                    \
    "isa 2\n"                                                                                      \
    "arch \"base: clsa\\ntiles: 4\\ncrossbars: 2\\nrows: 8\\ncols: 16\\ncell_bits: 2\\n"           \
    "dac_bits: 1\\ntopology: mesh\\n%s"                                                            \
    "energy: {adc_convert_pj: 1.67, dac_drive_pj: 0.417, shift_add_pj: 0.021,"                     \
    " crossbar_read_pj: 30, crossbar_write_row_pj: 165, vector_op_pj: 0.27,"                       \
    " buffer_pj_per_byte: 0.64, link_pj_per_byte_hop: 0.65, dram_pj_per_byte: 1.6,"                \
    " crossbar_leakage_uw: 2, tile_leakage_uw: 1, crossbar_um2: 25, adcs_per_crossbar: 0.5,"       \
    " adc_um2: 1200, shift_add_um2: 60, dac_um2: 0.166, buffer_um2: 83000, lane_um2: 4032,"        \
    " router_um2: 37500}\\n\"\n"

/* 3 pixels of 2 channels come from DRAM, a product on two PEs makes 3 channels of them, which go to
 * two tiles. */
#define PROGRAM                                                                                    \
    "node 0 {name=\"layer\"}\n"                                                                    \
    "node 1 {name=\"relu\"}\n"                                                                     \
    "section 0 \"weights\" hex { 010203040506 }\n"                                                 \
    "image 0 {k=2, n=3, element=i8}\n"                                                             \
    "binding 0 {element=i8, name=\"x\", shape=[6], stride_w=2, stride_c=1, height=1, width=3, "    \
    "channels=2}\n"                                                                                \
    "binding 1 {output=1, element=u8, name=\"y\", shape=[9], stride_w=3, stride_c=1, height=1, "   \
    "width=3, channels=3}\n"                                                                       \
    "tile 0 {buffer_bytes=64}\n"                                                                   \
    "view 0 {element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=2, row_pitch=6, "    \
    "col_pitch=2, channel_pitch=1}\n"                                                              \
    "view 1 {address=8, element=i32, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=3, "     \
    "row_pitch=36, col_pitch=12, channel_pitch=4}\n"                                               \
    "view 2 {address=44, element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=3, "     \
    "row_pitch=9, col_pitch=3, channel_pitch=1}\n"                                                 \
    "program 0 {arity=1} [iadd a #1, imax t0 #0]\n"                                                \
    "route 0 [{tile=1, counter=128}, {tile=3, counter=128}]\n"                                     \
    "group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, "        \
    "in_channels=2, x_bits=8} [{k=2, n=2}, {k=2, n0=2, n=1, pe=1}]\n"                              \
    "q3.load b0 dst=v0(0,0) h=1 w=3\n"                                                             \
    "q0.mvm g0 dst=v1(0,0) h=1 w=3 wait q3>=1 @0\n"                                                \
    "q1.vmap p0 dst=v2(0,0) h=1 w=3 a=v1(0,0) wait q0>=1 @1\n"                                     \
    "q2.send r0 a=v2(0,0) h=1 w=3 wait q1>=1 @1\n"                                                 \
    "tile 1 {buffer_bytes=12, inbound_counters=1}\n"                                               \
    "view 0 {element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=3, row_pitch=9, "    \
    "col_pitch=3, channel_pitch=1}\n"                                                              \
    "tile 2 {}\n"                                                                                  \
    "tile 3 {buffer_bytes=12, inbound_counters=1}\n"                                               \
    "view 0 {element=u8, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=3, row_pitch=9, "    \
    "col_pitch=3, channel_pitch=1}\n"                                                              \
    "q2.store b1 a=v0(0,0) h=1 w=3 wait i128>=1\n"

static struct isa_program *small_program(const char *more_fields)
{
    struct text t = {0};
    text_add(&t, MACHINE, more_fields);
    text_add(&t, "%s", PROGRAM);
    struct isa_program *p = assemble(t.at);
    text_free(&t);
    return p;
}

/*
 * MVM: 3 products on 2 PEs, of 2 rows each, and 2 and 1 columns of 4 cells.
 *   6 PE products; 3 * 4 = 12 rows, 3 * 3 * 4 = 36 columns; each in 8 phases:
 *   6 * 8 = 48 reads, 96 drives, 288 conversions. Each PE reads its inputs, 12 bytes; 9 i32 are
 *   written, 36.
 * LOAD: 6 bytes from DRAM, into 6 of a buffer. VMAP: 9 elements * 2; reads 36 bytes, writes 9.
 * SEND: 9 bytes to two tiles, 1 and 2 links away: 27; reads 9, writes 18. STORE: 9, reads 9.
 */
START_TEST(counters_of_a_small_program)
{
    struct isa_program *p = small_program("");
    struct isa_energy e = isa_program_energy(p, 1, arena);
    const struct energy_counts *c = &e.total;
    ck_assert_uint_eq(c->pe_products, 6);
    ck_assert_uint_eq(c->active_rows, 12);
    ck_assert_uint_eq(c->active_columns, 36);
    ck_assert_uint_eq(c->crossbar_reads, 48);
    ck_assert_uint_eq(c->row_drives, 96);
    ck_assert_uint_eq(c->conversions, 288);
    ck_assert_uint_eq(c->shift_adds, 288);
    ck_assert_uint_eq(c->vector_ops, 18);
    ck_assert_uint_eq(c->buffer_read_bytes, 12 + 36 + 9 + 9);
    ck_assert_uint_eq(c->buffer_written_bytes, 6 + 36 + 9 + 18);
    ck_assert_uint_eq(c->link_byte_hops, 27);
    ck_assert_uint_eq(c->dram_bytes, 15);
    ck_assert_uint_eq(e.rows_written, 4);
    ck_assert_uint_eq(e.of_node[0].conversions, 288);
    ck_assert_uint_eq(e.of_node[1].vector_ops, 18);
    ck_assert_uint_eq(e.of_node[2].dram_bytes, 15); /* of no node */
    ck_assert_uint_eq(e.of_tile[3].buffer_read_bytes, 9);
    isa_program_free(p);
}
END_TEST

/*
 *   288 * 1.67 = 480.96    96 * 0.417 = 40.032    288 * 0.021 = 6.048    48 * 30 = 1440
 *   18 * 0.27 = 4.86       135 * 0.64 = 86.4      27 * 0.65 = 17.55      15 * 1.6 = 24
 * together 2099.85 pJ. 4 tiles of 2 crossbars leak 4 * (2 * 2 + 1) = 20 uW; of 3 cycles of 1.4 us
 * these are 84 pJ.
 */
START_TEST(energy_of_a_small_program)
{
    struct isa_program *p = small_program("");
    struct isa_energy e = isa_program_energy(p, 1, arena);
    millionths sum = 0, nodes = 0, tiles = 0;
    for (unsigned u = 0; u < N_ENERGY_UNITS; u++)
        sum += energy_of_unit(&p->arch, &e.total, u);
    for (uint32_t i = 0; i <= e.n_nodes; i++)
        nodes += energy_of(&p->arch, &e.of_node[i]);
    for (uint32_t i = 0; i < e.n_tiles; i++)
        tiles += energy_of(&p->arch, &e.of_tile[i]);
    ck_assert(energy_of(&p->arch, &e.total) == 2099850000);
    ck_assert(sum == 2099850000 && nodes == sum && tiles == sum);
    ck_assert(energy_of_unit(&p->arch, &e.total, ENERGY_converters) == 480960000);
    ck_assert(energy_of_unit(&p->arch, &e.total, ENERGY_buffers) == 86400000);
    ck_assert(energy_leakage(&p->arch, 4, 3) == 84000000);
    isa_program_free(p);
}
END_TEST

/* 4 tiles with 2 crossbars of 8 rows, half a converter each; no lanes. */
START_TEST(area_of_a_small_chip)
{
    struct isa_program *p = small_program("");
    ck_assert(energy_area(&p->arch, 4, ENERGY_crossbars) == 8 * 25 * 1000000ULL);
    ck_assert(energy_area(&p->arch, 4, ENERGY_converters) == 4 * 1200 * 1000000ULL);
    ck_assert(energy_area(&p->arch, 4, ENERGY_shift_adds) == 4 * 60 * 1000000ULL);
    ck_assert(energy_area(&p->arch, 4, ENERGY_drivers) == 64 * 166000ULL);
    ck_assert(energy_area(&p->arch, 4, ENERGY_buffers) == 4 * 83000 * 1000000ULL);
    ck_assert(energy_area(&p->arch, 4, ENERGY_vector_units) == 0);
    ck_assert(energy_area(&p->arch, 4, ENERGY_network) == 4 * 37500 * 1000000ULL);
    ck_assert(energy_area(&p->arch, 4, ENERGY_dram) == 0);
    p->arch.price.adc_um2 = 3; /* 8 halves of it, none rounded by itself */
    ck_assert(energy_area(&p->arch, 4, ENERGY_converters) == 12);
    isa_program_free(p);
}
END_TEST

/* Pairs in columns: 8 cells a weight, both parts are converted. Subtracted in front of the
 * converters: as many cells, half of the conversions. Pairs in rows: twice the rows. */
START_TEST(encodings)
{
    static const struct {
        const char *fields;
        uint64_t rows, columns, conversions;
    } of[] = {{"encoding: differential\\n", 12, 36 * 2, 288 * 2},
              {"encoding: analog_differential\\n", 12, 36 * 2, 288},
              {"encoding: analog_differential\\npair_axis: rows\\n", 24, 36, 288},
              {"encoding: differential\\npair_axis: rows\\n", 24, 36, 288 * 2},
              {"weight_bits: 3\\n", 12, 18, 144}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct isa_program *p = small_program(of[i].fields);
        struct energy_counts c = isa_program_energy(p, 1, arena).total;
        ck_assert_uint_eq(c.active_rows, of[i].rows);
        ck_assert_uint_eq(c.active_columns, of[i].columns);
        ck_assert_uint_eq(c.conversions, of[i].conversions);
        ck_assert_uint_eq(c.row_drives, 8 * of[i].rows);
        ck_assert_uint_eq(c.buffer_read_bytes, 66);
        isa_program_free(p);
    }
}
END_TEST

/* A LOAD of the first frame alone, all else in each. */
static const char frames[] =
    "isa 2\nframes 3\narch \"base: clsa\\n\"\nnode 0 {name=\"add\"}\n"
    "binding 0 {name=\"x\", shape=[4], stride_w=1, height=1, width=4, channels=1}\n"
    "binding 1 {output=1, name=\"y\", shape=[4], stride_w=1, height=1, width=4, channels=1, "
    "frame_stride=4}\n"
    "tile 0 {buffer_bytes=32}\n"
    "view 0 {ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, "
    "channel_pitch=4}\n"
    "view 1 {address=16, ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, "
    "col_pitch=4, channel_pitch=4, frame_rows=1}\n"
    "program 0 {arity=2} [add a b]\n"
    "q2.load b0 first dst=v0(0,0) h=1 w=4\n"
    "q0.vmap p0 dst=v1(0,0) h=1 w=4 a=v0(0,0) b=v0(0,0) wait q2>=1\n"
    "q2.store b1 a=v1(0,0) h=1 w=4 wait q0>=1\n";

struct executed {
    const struct isa_program *p;
    struct energy_counts sum;
};

static void add_executed(void *self, const struct isa_inst *inst, const struct sim_times *times)
{
    struct executed *e = self;
    if (sim_is_skipped(&times->at))
        return;
    struct energy_counts c = isa_inst_counts(e->p, times->at.tile, inst);
    energy_add(&e->sum, &c, 1);
}

/* By hand: 16 bytes for the first frame, 16 stored, 4 sums of 32 bytes read for each. And what the
 * simulator executes adds up to the same. */
START_TEST(counters_of_frames)
{
    struct isa_program *p = assemble(frames);
    const uint32_t n[] = {1, 3, 10};
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
        struct executed e = {.p = p};
        struct energy_counts c = isa_program_energy(p, n[i], arena).total;
        struct sim_options o = {
            .no_function = true, .frames = n[i], .completed = add_executed, .self = &e};
        struct sim_result r;
        ck_assert(sim_run(p, NULL, NULL, &o, &r, diag));
        ck_assert_uint_eq(c.dram_bytes, 16 + 16 * n[i]);
        ck_assert_uint_eq(c.vector_ops, 4 * n[i]);
        ck_assert_uint_eq(c.buffer_read_bytes, (32 + 16) * n[i]);
        ck_assert_uint_eq(c.buffer_written_bytes, 16 + 16 * n[i]);
        ck_assert_mem_eq(&c, &e.sum, sizeof c);
    }
    isa_program_free(p);
}
END_TEST

START_TEST(texts_are_exact)
{
    static const struct {
        millionths value;
        const char *text;
    } of[] = {{0, "0"},
              {1, "0.000001"},
              {1500000, "1.5"},
              {10000000, "10"},
              {UINT64_MAX, "18446744073709.551615"},
              {(millionths)UINT64_MAX * 1000000, "18446744073709551615"}};
    char buffer[MILLIONTHS_TEXT];
    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        ck_assert_str_eq(millionths_text(of[i].value, buffer), of[i].text);
}
END_TEST

START_TEST(absurd_amounts_saturate)
{
    struct energy_counts sum = {.conversions = 5}, c = {.conversions = UINT64_MAX / 2};
    energy_add(&sum, &c, 3);
    ck_assert_uint_eq(sum.conversions, UINT64_MAX);
    struct arch a = {.cycle_ps = 1000000000000, .crossbars = 1024};
    a.price.crossbar_leakage_uw = INT64_C(1000000000) * ARCH_PRICE_ONE;
    ck_assert(energy_leakage(&a, 65535, UINT64_MAX) == ~(millionths)0 / ARCH_PRICE_ONE);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("energy");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, counters_of_a_small_program);
    tcase_add_test(tc, energy_of_a_small_program);
    tcase_add_test(tc, area_of_a_small_chip);
    tcase_add_test(tc, encodings);
    tcase_add_test(tc, counters_of_frames);
    tcase_add_test(tc, texts_are_exact);
    tcase_add_test(tc, absurd_amounts_saturate);
    Suite *suite = suite_create("energy");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
