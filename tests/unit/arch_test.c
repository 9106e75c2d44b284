/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* arch_test.c - machine descriptions: defaults, YAML, limits, round trips. */
#include "arch_rig.h"
#include "energy.h"
#include "../run_suite.h"

#include <stdlib.h>

static bool same_machine(const struct arch *a, const struct arch *b)
{
    return arch_fingerprint(a, ARCH_structure) == arch_fingerprint(b, ARCH_structure) &&
           arch_fingerprint(a, ARCH_timing) == arch_fingerprint(b, ARCH_timing);
}

/* ARCH.md: 256x256, one cell per weight, 1,400 ns, everything else free, 8 crossbars per tile. */
START_TEST(preset_clsa_is_the_papers_machine)
{
    struct arch arch = clsa();
    ck_assert_str_eq(arch.name, "clsa");
    ck_assert_int_eq(arch.rows, 256);
    ck_assert_int_eq(arch.cols, 256);
    ck_assert_int_eq(arch.crossbars, 8);
    ck_assert_int_eq(arch.tiles, 0);
    ck_assert_int_eq(arch.mvm_cycles, 1);
    ck_assert_int_eq(arch.cycle_ps, 1400 * 1000);
    ck_assert_int_eq(arch.lanes, 0);
    ck_assert_int_eq(arch.buffer_bytes, 0);
    ck_assert_int_eq(arch.topology, ARCH_IDEAL);
    ck_assert_int_eq(arch_logical_cols(&arch, 0), 256);
}
END_TEST

/* The same crossbars and the same 1,400 ns for an MVM, in cycles of 1 ns; nothing is free. */
START_TEST(preset_mesh_has_the_same_crossbars)
{
    struct arch arch, paper = clsa();
    ck_assert(arch_load("mesh", arena, diag, &arch));
    ck_assert_int_eq(arch.mvm_cycles * arch.cycle_ps, paper.mvm_cycles * paper.cycle_ps);
    ck_assert_int_eq(arch.rows, paper.rows);
    ck_assert_int_eq(arch.cols, paper.cols);
    ck_assert_int_eq(arch.crossbars, paper.crossbars);
    ck_assert_int_eq(arch.topology, ARCH_MESH);
    ck_assert_int_gt(arch.lanes, 0);
    ck_assert_int_gt(arch.link_bytes_per_cycle, 0);
    ck_assert_int_gt(arch.hop_cycles, 0);
    ck_assert_int_gt(arch.dram_bytes_per_cycle, 0);
}
END_TEST

START_TEST(every_preset_loads)
{
    ck_assert_str_eq(arch_presets()[0], "clsa");
    for (const char *const *name = arch_presets(); *name; name++) {
        struct arch arch;
        ck_assert(arch_load(*name, arena, diag, &arch));
        ck_assert_str_eq(arch.name, *name);
    }
    ck_assert_uint_eq(diag->n_errors, 0);
}
END_TEST

/* Each prints, and is read back, prices too. */
START_TEST(every_preset_prints)
{
    for (const char *const *name = arch_presets(); *name; name++) {
        struct arch arch, again;
        struct text t = {0};
        ck_assert(arch_load(*name, arena, diag, &arch));
        arch_print(&arch, &t);
        ck_assert(parse(t.at, &again));
        ck_assert(same_machine(&again, &arch));
        ck_assert_mem_eq(&again.price, &arch.price, sizeof arch.price);
        text_free(&t);
    }
}
END_TEST

/* Commented text reads back to the same machine, and prints as it is. */
START_TEST(every_preset_prints_with_comments)
{
    for (const char *const *name = arch_presets(); *name; name++) {
        struct arch arch, again;
        const struct arch_notes *notes;
        struct text t = {0};
        ck_assert(arch_load_noted(*name, arena, diag, &arch, &notes));
        arch_print_commented(&arch, notes, &t);
        ck_assert(parse(t.at, &again));
        ck_assert(same_machine(&again, &arch));
        ck_assert_mem_eq(&again.price, &arch.price, sizeof arch.price);
        text_free(&t);
    }
}
END_TEST

/* Each field and price once, below its meaning; groups; no comment behind a value that changed. */
START_TEST(comments_stay_with_their_values)
{
    struct arch arch;
    const struct arch_notes *notes;
    struct text t = {0};
    ck_assert(arch_load_noted("mesh", arena, diag, &arch, &notes));
    ck_assert(arch_set(&arch, "lanes=16", diag));
    arch_print_commented(&arch, notes, &t);
    ck_assert_mem_eq(t.at, "# The crossbars of preset clsa on a chip", 40);
    ck_assert_ptr_nonnull(strstr(t.at,
                                 "\n# length of a cycle (clsa: 1,400 ns) [1..1000000000000 ps]\n"
                                 "cycle_ps: 1000               # PUMA: 1 GHz\n"));
    ck_assert_ptr_nonnull(strstr(t.at, "\nlanes: 16\n"));
    ck_assert_ptr_nonnull(strstr(t.at, "\n# ---- noise of the cells ----\n"));
    struct arch_item item;
    for (unsigned i = 0; arch_item_at(&arch, i, &item); i++) {
        const char *line = arena_printf(arena, "\n%s%s: ", item.is_price ? "  " : "", item.name);
        ck_assert_msg(strstr(t.at, line) && !strstr(strstr(t.at, line) + 1, line), "%s", item.name);
    }
    text_free(&t);
}
END_TEST

/* As in ARCH.md's table: what a weight of 8 bits takes, and how long a product of inputs of
 * 8 bits that fill a crossbar. */
START_TEST(published_machines)
{
    static const struct {
        const char *name;
        int64_t rows, weights, conversions; /* logical rows; in a row; converted for a weight */
        uint64_t picoseconds;
    } of[] = {{"isaac", 128, 32, 4, 8 * 100000},   {"puma", 128, 32, 4, 8 * 100000},
              {"prime", 256, 64, 4, 3 * 100000},   {"neurram", 128, 128, 2, 12300000},
              {"raella", 512, 170, 3, 8 * 100000}, {"mnsim", 128, 16, 8, 8 * 2216000}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct arch arch;
        ck_assert(arch_load(of[i].name, arena, diag, &arch));
        ck_assert_int_eq(arch_logical_rows(&arch), of[i].rows);
        ck_assert_int_eq(arch_logical_cols(&arch, 8), of[i].weights);
        ck_assert_int_eq(arch_weight_conversions(&arch, 8), of[i].conversions);
        struct cost c = arch_cost(&arch, &(struct cost_work){.kind = COST_MVM,
                                                             .products = 1,
                                                             .x_bits = 8,
                                                             .columns = (uint64_t)arch.cols});
        ck_assert_uint_eq(cost_occupancy_cycles(&c) * (uint64_t)arch.cycle_ps, of[i].picoseconds);
    }
}
END_TEST

/* Nothing is free and nothing unbounded but what is not built yet, and the number of tiles. */
START_TEST(rtl_has_no_zeros)
{
    struct arch arch;
    ck_assert(arch_load("rtl", arena, diag, &arch));
    const int64_t fields[] = {arch.lanes,
                              arch.vector_setup_cycles,
                              arch.link_bytes_per_cycle,
                              arch.hop_cycles,
                              arch.dram_cycles,
                              arch.mvm_cycles,
                              arch.dram_bytes_per_cycle,
                              arch.issue_cycles,
                              arch.start_cycles,
                              arch.complete_cycles,
                              arch.inflight,
                              arch.buffer_bytes,
                              arch.max_templates,
                              arch.max_walkers,
                              arch.max_phrases,
                              arch.max_stream_bytes,
                              arch.max_targets,
                              arch.max_gathers,
                              arch.max_group_pes};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        ck_assert_msg(fields[i] > 0, "field %zu", i);
    ck_assert_int_eq(arch.topology, ARCH_MESH);
}
END_TEST

/* A price of the base is that of the machine, until it gives another. */
START_TEST(prices_of_a_base)
{
    struct arch arch;
    ck_assert(parse("base: isaac\nenergy: {adc_convert_pj: 1.2, router_um2: 0}\n", &arch));
    ck_assert_int_eq(arch.price.adc_convert_pj, 1200000);
    ck_assert_int_eq(arch.price.router_um2, 0);
    ck_assert_int_eq(arch.price.dac_drive_pj, 417000);
    ck_assert_int_eq(arch.crossbars, 96);
}
END_TEST

/* clsa.yaml says the same as the defaults of arch.def. */
START_TEST(defaults_are_clsa)
{
    struct arch preset = clsa(), given;
    ck_assert(parse("name: other\n", &given));
    ck_assert_str_eq(given.name, "other");
    ck_assert(same_machine(&given, &preset));
}
END_TEST

START_TEST(fields_come_in_any_order_and_over_a_base)
{
    struct arch arch;
    ck_assert(parse("%YAML 1.1\n---\n# mine\ntopology: mesh\nrows: 128\nbase: clsa\n"
                    "\"lanes\": 16 # many\nname: 'my \"chip\"'\n...\n",
                    &arch));
    ck_assert_str_eq(arch.name, "my \"chip\"");
    ck_assert_int_eq(arch.topology, ARCH_MESH);
    ck_assert_int_eq(arch.rows, 128);
    ck_assert_int_eq(arch.lanes, 16);
    ck_assert_int_eq(arch.cols, 256);
    ck_assert(parse("{rows: 7, cols: 9}", &arch));
    ck_assert_int_eq(arch.rows, 7);
    ck_assert_int_eq(arch.cols, 9);
    ck_assert_str_eq(arch.name, "custom");
}
END_TEST

START_TEST(print_and_parse_agree)
{
    struct arch arch = clsa(), again;
    arch.name = "a \\ \"quoted\" name";
    ck_assert(arch_set(&arch, "topology=mesh", diag));
    ck_assert(arch_set(&arch, "buffer_bytes=1099511627776", diag));
    ck_assert(arch_set(&arch, "tiles=65535", diag));
    struct text t = {0}, u = {0};
    arch_print(&arch, &t);
    ck_assert(parse(t.at, &again));
    arch_print(&again, &u);
    ck_assert_str_eq(t.at, u.at);
    ck_assert_str_eq(again.name, arch.name);
    ck_assert(same_machine(&again, &arch));
    text_free(&t);
    text_free(&u);
}
END_TEST

/* Millionths, so that no digit is lost; what has no price is not printed. */
START_TEST(prices_are_exact)
{
    struct arch arch = clsa(), again;
    struct text t = {0};
    arch_print(&arch, &t);
    ck_assert_ptr_null(strstr(t.at, "energy"));
    text_free(&t);
    ck_assert(parse("energy:\n  adc_convert_pj: 1.67 # 8 bits\n  dram_pj_per_byte: 26\n"
                    "  lane_um2: 0.000001\nrows: 7\n",
                    &arch));
    ck_assert_int_eq(arch.rows, 7);
    ck_assert_int_eq(arch.price.adc_convert_pj, 1670000);
    ck_assert_int_eq(arch.price.dram_pj_per_byte, 26000000);
    ck_assert_int_eq(arch.price.lane_um2, 1);
    ck_assert_int_eq(arch.price.dac_drive_pj, 0);
    ck_assert(arch_set(&arch, "router_um2=1000000000.000000", diag));
    ck_assert(arch_set(&arch, "adc_convert_pj=0.10", diag));
    arch_print(&arch, &t);
    ck_assert_ptr_nonnull(strstr(t.at, "energy:\n  adc_convert_pj: 0.1\n  dram_pj_per_byte: 26\n"
                                       "  lane_um2: 0.000001\n  router_um2: 1000000000\n"));
    ck_assert(parse(t.at, &again));
    ck_assert_mem_eq(&again.price, &arch.price, sizeof arch.price);
    ck_assert(same_machine(&again, &arch));
    text_free(&t);
}
END_TEST

/* Prices of a base hold where no other is given. */
START_TEST(prices_are_inherited)
{
    struct arch arch = clsa();
    struct text t = {0};
    ck_assert(arch_set(&arch, "vector_op_pj=0.27", diag));
    arch_print(&arch, &t);
    text_add(&t, "base: clsa\n");
    ck_assert(parse(t.at, &arch));
    ck_assert_int_eq(arch.price.vector_op_pj, 270000);
    text_free(&t);
    ck_assert(!arch_set(&arch, "vector_op_pj=-1", diag));
    ck_assert(!arch_set(&arch, "vector_op_pj=1e3", diag));
    ck_assert(!arch_set(&arch, "vector_op=1", diag));
    ck_assert_int_eq(arch.price.vector_op_pj, 270000);
}
END_TEST

/* A field changes the fingerprint of its part, and not the other. */
START_TEST(fingerprints_see_every_field)
{
    struct arch arch = clsa();
    uint64_t before[] = {arch_fingerprint(&arch, ARCH_structure),
                         arch_fingerprint(&arch, ARCH_timing)};
    arch.name = "renamed";
#define FIELD(field, part, state, initial, least, most, unit, doc)                                 \
    arch.field++;                                                                                  \
    ck_assert_msg(arch_fingerprint(&arch, ARCH_##part) != before[ARCH_##part], #field);            \
    ck_assert_msg(arch_fingerprint(&arch, !ARCH_##part) == before[!ARCH_##part], #field);          \
    arch.field--;
#define CHOICE(field, part, state, initial, choices, doc) FIELD(field, part, , initial, , , , doc)
#include "arch.def"
#undef FIELD
#undef CHOICE
    ck_assert(arch_fingerprint(&arch, ARCH_structure) == before[ARCH_structure]);
    ck_assert(arch_fingerprint(&arch, ARCH_timing) == before[ARCH_timing]);
}
END_TEST

/* By hand: 1 / 1.28 GHz = 781.25 ps; 1.4 us are 1792.6 of 781 ps; 6.4 GB/s * 781 ps = 4.998 B. */
START_TEST(numbers_have_units)
{
    struct arch arch;
    ck_assert(parse("mvm_cycles: 1.4us\nrows: 1_024\nbuffer_bytes: 64 KiB\ncycle_ps: 1.4us\n"
                    "dram_cycles: 0.0126ms\nlink_bytes_per_cycle: 0.75GB/s\nhop_cycles: 0ns\n"
                    "energy: {adc_convert_pj: 250fJ, tile_leakage_uw: 1.5mW, buffer_um2: 0.083mm2,"
                    " dac_drive_pj: 1_000.000_001}\n",
                    &arch));
    ck_assert_ptr_null(diag->first); /* all of it comes out even */
    ck_assert_int_eq(arch.mvm_cycles, 1);
    ck_assert_int_eq(arch.rows, 1024);
    ck_assert_int_eq(arch.buffer_bytes, 65536);
    ck_assert_int_eq(arch.cycle_ps, 1400000);
    ck_assert_int_eq(arch.dram_cycles, 9);
    ck_assert_int_eq(arch.link_bytes_per_cycle, 1050);
    ck_assert_int_eq(arch.hop_cycles, 0);
    ck_assert_int_eq(arch.price.adc_convert_pj, 250000);
    ck_assert_int_eq(arch.price.tile_leakage_uw, INT64_C(1500000000));
    ck_assert_int_eq(arch.price.buffer_um2, INT64_C(83000000000));
    ck_assert_int_eq(arch.price.dac_drive_pj, INT64_C(1000000001));
}
END_TEST

/* A latency is rounded up, a bandwidth down, the length of a cycle to the nearest; notes say so. */
START_TEST(what_is_not_even_is_noted)
{
    struct arch arch = clsa();
    static const char *const set[] = {"mvm_cycles=1.4us", "link_bytes_per_cycle=6.4GB/s",
                                      "cycle_ps=1.28GHz"};
    ck_assert(arch_set_all(&arch, set, 3, diag));
    ck_assert_int_eq(arch.cycle_ps, 781);
    ck_assert_int_eq(arch.mvm_cycles, 1793);
    ck_assert_int_eq(arch.link_bytes_per_cycle, 4);
    ck_assert_ptr_nonnull(strstr(diag->last->text, "6.4GB/s is no whole number of bytes/cycle of "
                                                   "781 ps: 4 is taken"));
    ck_assert_uint_eq(diag->n_errors, 0);
}
END_TEST

/* text -> line:col of the first error, its code, a piece of its message */
static const struct bad {
    const char *yaml;
    unsigned line, col;
    enum diag_code code;
    const char *says;
} bad[] = {
    {"", 1, 1, DIAG_ARCH_SYNTAX, "no machine"},
    {"# nothing\n", 2, 1, DIAG_ARCH_SYNTAX, "no machine"},
    {"rows\n", 1, 1, DIAG_ARCH_SYNTAX, "field: value"},
    {"- rows\n", 1, 1, DIAG_ARCH_SYNTAX, "field: value"},
    {"rows: 1\ncolumns: 2\n", 2, 1, DIAG_ARCH_VALUE, "no field 'columns'"},
    {"rows: 1\nrows: 2\n", 2, 1, DIAG_ARCH_VALUE, "given twice"},
    {"name: a\nname: a\n", 2, 1, DIAG_ARCH_VALUE, "given twice"},
    {"rows: 0\n", 1, 7, DIAG_ARCH_VALUE, "outside 1..65536"},
    {"cols: 1\nrows:   65537\n", 2, 9, DIAG_ARCH_VALUE, "outside 1..65536"},
    {"rows: -1\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows: 0x10\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows: 010\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows: 1.5\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows: 2 cells\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows:\n", 1, 6, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows: 99999999999999999999999\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows: '128'\n", 1, 7, DIAG_ARCH_VALUE, "quoted"},
    {"adc_per_phase: 0\n", 1, 16, DIAG_ARCH_VALUE, "'adc_per_phase' = 0: not yet"},
    {"topology: torus\n", 1, 11, DIAG_ARCH_VALUE, "ideal|mesh"},
    {"topology: ide\n", 1, 11, DIAG_ARCH_VALUE, "ideal|mesh"},
    {"topology: 1\n", 1, 11, DIAG_ARCH_VALUE, "ideal|mesh"},
    {"rows: [1]\n", 1, 7, DIAG_ARCH_SYNTAX, "nested"},
    {"rows: {a: 1}\n", 1, 7, DIAG_ARCH_SYNTAX, "nested"},
    {"? [a]\n: 1\n", 1, 3, DIAG_ARCH_SYNTAX, "nested"},
    {"rows: &a 1\ncols: *a\n", 1, 7, DIAG_ARCH_SYNTAX, "anchors"},
    {"rows: 1\ncols: *a\n", 2, 7, DIAG_ARCH_SYNTAX, "alias"},
    {"&m\nrows: 1\n", 1, 1, DIAG_ARCH_SYNTAX, "anchors"},
    {"rows: !!int 1\n", 1, 7, DIAG_ARCH_SYNTAX, "tags"},
    {"%TAG !a! x\n---\nrows: 1\n", 1, 1, DIAG_ARCH_SYNTAX, "tags"},
    {"rows: 1\n---\ncols: 1\n", 2, 1, DIAG_ARCH_SYNTAX, "more than one document"},
    {"---\nrows: 1\n...\ncols: 1\n", 4, 1, DIAG_ARCH_SYNTAX, "more than one document"},
    {"rows: [[[[[[[[1]]]]]]]]\n", 1, 14, DIAG_ARCH_SYNTAX, "too deep"},
    {"rows: 1\n cols: 2\n", 2, 6, DIAG_ARCH_SYNTAX, "not YAML"},
    {"rows: 1\n\tcols: 2\n", 2, 1, DIAG_ARCH_SYNTAX, "not YAML"},
    {"rows: 1\ncols: \xff\n", 2, 7, DIAG_ARCH_SYNTAX, "not YAML"},
    {"rows: \"1", 1, 9, DIAG_ARCH_SYNTAX, "not YAML"},
    {"{rows: 1", 2, 1, DIAG_ARCH_SYNTAX, "not YAML"},
    {"energy:\n", 1, 8, DIAG_ARCH_SYNTAX, "expected prices"},
    {"energy: 1\n", 1, 9, DIAG_ARCH_SYNTAX, "expected prices"},
    {"energy: &p {}\n", 1, 9, DIAG_ARCH_SYNTAX, "anchors"},
    {"energy:\n  rows: 1\n", 2, 3, DIAG_ARCH_VALUE, "no price 'rows'"},
    {"adc_convert_pj: 1\n", 1, 1, DIAG_ARCH_VALUE, "no field 'adc_convert_pj'"},
    {"energy:\n  lane_um2: [1]\n", 2, 13, DIAG_ARCH_SYNTAX, "nested"},
    {"energy:\n  lane_um2: 1\n  lane_um2: 1\n", 3, 3, DIAG_ARCH_VALUE, "given twice"},
    {"energy: {}\nenergy: {}\n", 2, 1, DIAG_ARCH_VALUE, "given twice"},
    {"energy:\n  lane_um2: '1'\n", 2, 13, DIAG_ARCH_VALUE, "quoted"},
    {"energy:\n  lane_um2: 0.0000001\n", 2, 13, DIAG_ARCH_VALUE, "at most 6 places"},
    {"rows: 64.0\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"energy:\n  lane_um2: 0.0000010\n", 2, 13, DIAG_ARCH_VALUE, "at most 6 places"},
    {"energy:\n  lane_um2: 1.\n", 2, 13, DIAG_ARCH_VALUE, "plain decimal"},
    {"energy:\n  lane_um2: .5\n", 2, 13, DIAG_ARCH_VALUE, "plain decimal"},
    {"energy:\n  lane_um2: 01\n", 2, 13, DIAG_ARCH_VALUE, "plain decimal"},
    {"energy:\n  lane_um2: -1\n", 2, 13, DIAG_ARCH_VALUE, "plain decimal"},
    {"energy:\n  lane_um2: 9999999999999\n", 2, 13, DIAG_ARCH_VALUE, "outside 0..1000000000 um2"},
    {"energy:\n  lane_um2: 1000000000.1\n", 2, 13, DIAG_ARCH_VALUE, "outside 0..1000000000 um2"},
    {"mvm_cycles: 64KiB\n", 1, 13, DIAG_ARCH_VALUE, "64KiB is no number of cycles"},
    {"rows: 3ns\n", 1, 7, DIAG_ARCH_VALUE, "3ns is no number of cells"},
    {"lanes: 1MHz\n", 1, 8, DIAG_ARCH_VALUE, "1MHz is no number of lanes"},
    {"buffer_bytes: 64KB\n", 1, 15, DIAG_ARCH_VALUE, "kB are 1,000, KiB 1,024 bytes"},
    {"buffer_bytes: 0.3KiB\n", 1, 15, DIAG_ARCH_VALUE, "the nearest is 307"},
    {"buffer_bytes: 2048GiB\n", 1, 15, DIAG_ARCH_VALUE, "outside 0..1099511627776 bytes"},
    {"buffer_bytes: 9999999999999999GiB\n", 1, 15, DIAG_ARCH_VALUE, "outside"},
    {"buffer_bytes: 64KiB/s\n", 1, 15, DIAG_ARCH_VALUE, "64KiB/s is no number of bytes"},
    {"cycle_ps: 0.5ps\n", 1, 11, DIAG_ARCH_VALUE, "no whole number of ps; the nearest is 1"},
    {"cycle_ps: 0MHz\n", 1, 11, DIAG_ARCH_VALUE, "0MHz is no number of ps"},
    {"dram_bytes_per_cycle: 1kB/s\n", 1, 23, DIAG_ARCH_VALUE, "less than a byte per cycle"},
    {"link_bytes_per_cycle: 0B/s\n", 1, 23, DIAG_ARCH_VALUE, "less than a byte per cycle"},
    {"link_bytes_per_cycle: 0.5B\n", 1, 23, DIAG_ARCH_VALUE, "less than a byte per cycle"},
    {"rows: 1_\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows: 1__0\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"rows: 0_1\n", 1, 7, DIAG_ARCH_VALUE, "plain decimal"},
    {"energy:\n  lane_um2: 1pJ\n", 2, 13, DIAG_ARCH_VALUE, "1pJ is no number of um2"},
    {"energy:\n  lane_um2: 0.5nm2\n", 2, 13, DIAG_ARCH_VALUE, "no whole number of millionths"},
    {"name: \"a\\0b\"\n", 1, 7, DIAG_ARCH_SYNTAX, "NUL"},
    {"name: \"\"\n", 1, 7, DIAG_ARCH_VALUE, "a name is"},
    {"name: \"a\\nb\"\n", 1, 7, DIAG_ARCH_VALUE, "a name is"},
    {"base: nothing\n", 1, 7, DIAG_ARCH_VALUE, "no preset 'nothing'"},
    {"cols: 8\ncell_bits: 1\nencoding: differential\n", 1, 1, DIAG_ARCH_VALUE, "does not fit"},
};

START_TEST(bad_text_is_refused_where_it_is_bad)
{
    const struct bad *b = &bad[_i];
    struct arch arch;
    ck_assert_msg(!parse(b->yaml, &arch), "accepted: %s", b->yaml);
    ck_assert_ptr_nonnull(diag->first);
    const struct diag_entry *e = diag->first;
    ck_assert_msg(strstr(e->text, b->says) != NULL, "%s: says \"%s\"", b->yaml, e->text);
    ck_assert_int_eq(e->code, b->code);
    ck_assert_str_eq(e->loc.file, "m.yaml");
    ck_assert_msg(e->loc.line == b->line && e->loc.col == b->col, "%s: at %u:%u", b->yaml,
                  e->loc.line, e->loc.col);
}
END_TEST

START_TEST(all_value_faults_are_reported_together)
{
    struct arch arch;
    ck_assert(!parse("rows: 0\ncols: x\ntopology: ring\n", &arch));
    ck_assert_uint_eq(diag->n_errors, 3);
}
END_TEST

START_TEST(hostile_text_is_bounded)
{
    struct arch arch;
    struct text t = {0};
    for (int i = 0; i < 20000; i++)
        text_add(&t, "x%d: 1\n", i);
    ck_assert(!parse(t.at, &arch));
    ck_assert_uint_le(diag->n_errors, 20);
    text_free(&t);
    for (int i = 0; i < 200000; i++)
        text_add(&t, "[");
    ck_assert(!parse(t.at, &arch));
    text_free(&t);
    for (int i = 0; i < 60000; i++)
        text_add(&t, "%%TAG !%d! x\n", i);
    text_add(&t, "---\nrows: 1\n");
    ck_assert(!parse(t.at, &arch));
    text_free(&t);
    text_add(&t, "rows: 1\n");
    for (int i = 0; i < 20000; i++)
        text_add(&t, "%s", "# sixty characters of comment, sixty characters of comment\n");
    ck_assert(!parse(t.at, &arch));
    ck_assert_ptr_nonnull(strstr(diag->last->text, "longer than"));
    text_free(&t);
}
END_TEST

START_TEST(missing_file_names_the_presets)
{
    struct arch arch;
    ck_assert(!arch_load("no/such/machine.yaml", arena, diag, &arch));
    ck_assert_int_eq(diag->first->code, DIAG_IO);
    ck_assert_ptr_nonnull(strstr(diag->last->text, "clsa"));
}
END_TEST

START_TEST(assignments)
{
    struct arch arch = clsa();
    ck_assert(arch_set(&arch, "crossbars=64", diag));
    ck_assert_int_eq(arch.crossbars, 64);
    static const char *const wrong[] = {
        "crossbars", "crossbars=", "crossbars=0",  "crossbars=1025", "=1", "crossbar=1",
        "name=x",    "topology=",  "crossbars =1", "crossbars= 1",   ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(!arch_set(&arch, wrong[i], diag), "%s", wrong[i]);
        ck_assert_int_eq(diag->last->code, DIAG_ARCH_VALUE);
    }
    ck_assert_int_eq(arch.crossbars, 64);
}
END_TEST

/* ceil(8 / 3) = 3 columns a weight, 6 when differential: 256 / 6 = 42. */
START_TEST(logical_columns)
{
    struct arch arch = clsa();
    ck_assert(arch_set(&arch, "cell_bits=3", diag));
    ck_assert_int_eq(arch_logical_cols(&arch, 0), 85);
    ck_assert(arch_set(&arch, "encoding=differential", diag));
    ck_assert_int_eq(arch_logical_cols(&arch, 0), 42);
    ck_assert_int_eq(arch_logical_rows(&arch), 256);
}
END_TEST

/* Weights of 4 and 5 bits in cells of 2: 2 and 3 slices; their pairs in columns or in rows. */
START_TEST(cells_of_a_weight)
{
    struct arch arch = clsa();
    arch.cell_bits = 2;
    ck_assert_int_eq(arch_weight_slices(&arch, 4), 2);
    ck_assert_int_eq(arch_weight_slices(&arch, 5), 3);
    ck_assert_int_eq(arch_weight_columns(&arch, 0), 4);
    arch.encoding = ARCH_ANALOG_DIFFERENTIAL;
    ck_assert_int_eq(arch_weight_columns(&arch, 5), 6);
    ck_assert_int_eq(arch_logical_cols(&arch, 5), 42);
    arch.pair_axis = ARCH_PAIR_ROWS;
    ck_assert_int_eq(arch_weight_columns(&arch, 5), 3);
    ck_assert_int_eq(arch_weight_cells(&arch, 5), 6);
    ck_assert_int_eq(arch_logical_rows(&arch), 128);
    arch.encoding = ARCH_OFFSET;
    ck_assert_int_eq(arch_logical_rows(&arch), 256);
}
END_TEST

/* One conversion of what all phases have gathered. */
START_TEST(what_is_not_built_is_refused)
{
    struct arch arch = clsa();
    ck_assert(!arch_set(&arch, "adc_per_phase=0", diag));
    ck_assert_int_eq(diag->last->code, DIAG_ARCH_VALUE);
    ck_assert_msg(strstr(diag->last->text, "field 'adc_per_phase'") == diag->last->text, "%s",
                  diag->last->text);
    ck_assert(arch_set(&arch, "adc_per_phase=1", diag));
}
END_TEST

/* What is right for each field may be wrong for several. */
START_TEST(fields_that_do_not_fit_each_other)
{
    static const struct {
        const char *yaml, *message;
    } cases[] = {
        {"cols: 15\ncell_bits: 1\nencoding: differential\n", "two for each sign"},
        {"rows: 1\nencoding: differential\npair_axis: rows\n", "two rows"},
        {"cell_bits: 4\ncell_fraction_bits: 4\n", "more than 7"},
        {"stuck_low_ppm: 600000\nstuck_high_ppm: 400001\n", "more than all"},
    };
    static const char *const fit[] = {"cols: 15\ncell_bits: 1\n", "rows: 1\npair_axis: rows\n",
                                      "cell_bits: 3\ncell_fraction_bits: 4\n",
                                      "stuck_low_ppm: 600000\nstuck_high_ppm: 400000\n"};
    struct arch arch;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(parse(fit[i], &arch), "%s", fit[i]);
        ck_assert_msg(!parse(cases[i].yaml, &arch), "%s", cases[i].yaml);
        ck_assert_int_eq(diag->last->code, DIAG_ARCH_VALUE);
        ck_assert_msg(strstr(diag->last->text, cases[i].message) != NULL, "%s", diag->last->text);
    }
}
END_TEST

/* 255 * 63 is within 2^14, 255 * 127 is not; without a seed nobody asks. */
START_TEST(read_out_of_a_machine)
{
    struct arch arch = clsa();
    ck_assert(arch_readout_is_ideal(&arch));
    arch.adc_bits = 8;
    ck_assert(!arch_readout_is_ideal(&arch));
    arch.adc_bits = 0;
    arch.noise_seed = 1; /* of no noise */
    ck_assert(arch_readout_is_ideal(&arch));
    arch.drift_permille = 1;
    arch.noise_seed = 0;
    ck_assert(!arch_readout_is_ideal(&arch));
    arch.cell_bits = 6;
    ck_assert(arch_noise_fits(&arch));
    arch.cell_bits = 3;
    arch.cell_fraction_bits = 4;
    ck_assert(!arch_noise_fits(&arch));
    arch.dac_bits = 7;
    ck_assert(arch_noise_fits(&arch));
}
END_TEST

/* A full cell of 2 bits is 3 steps, with 4 bits of fractions 48: half a step is 166.7 and 10.4
 * thousandths of it. */
START_TEST(noise_below_half_a_step)
{
    struct arch arch = clsa();
    arch.cell_bits = 2;
    ck_assert(!arch_noise_is_lost(&arch));
    arch.program_sigma_low_permille = 166;
    ck_assert(arch_noise_is_lost(&arch));
    arch.program_sigma_high_permille = 167;
    ck_assert(!arch_noise_is_lost(&arch));
    arch.drift_permille = 11;
    ck_assert(arch_noise_is_lost(&arch));
    arch.cell_fraction_bits = 4;
    ck_assert(!arch_noise_is_lost(&arch));
    arch.drift_permille = 10;
    ck_assert(arch_noise_is_lost(&arch));
}
END_TEST

START_TEST(a_renamed_field_says_so)
{
    struct arch arch = clsa();
    ck_assert(!arch_set(&arch, "differential=0", diag));
    ck_assert_ptr_nonnull(strstr(diag->last->text, "`encoding: offset` 0"));
    ck_assert(!parse("rows: 1\ndifferential: 0\n", &arch));
    ck_assert_ptr_nonnull(strstr(diag->last->text, "`encoding: offset` 0"));
    ck_assert_int_eq(diag->last->loc.line, 2);
}
END_TEST

START_TEST(field_table_lists_all)
{
    struct text t = {0};
    arch_print_fields(&t);
    ck_assert_ptr_nonnull(
        strstr(t.at, "| `rows` | 256 | 1..65536 | cells | structure | rows of a crossbar"));
    ck_assert_ptr_nonnull(
        strstr(t.at, "| `topology` | `ideal` | `ideal`, `mesh` | choice | structure | "));
    text_free(&t);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("arch");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, preset_clsa_is_the_papers_machine);
    tcase_add_test(tc, preset_mesh_has_the_same_crossbars);
    tcase_add_test(tc, every_preset_loads);
    tcase_add_test(tc, every_preset_prints);
    tcase_add_test(tc, every_preset_prints_with_comments);
    tcase_add_test(tc, comments_stay_with_their_values);
    tcase_add_test(tc, published_machines);
    tcase_add_test(tc, rtl_has_no_zeros);
    tcase_add_test(tc, prices_of_a_base);
    tcase_add_test(tc, defaults_are_clsa);
    tcase_add_test(tc, fields_come_in_any_order_and_over_a_base);
    tcase_add_test(tc, print_and_parse_agree);
    tcase_add_test(tc, prices_are_exact);
    tcase_add_test(tc, prices_are_inherited);
    tcase_add_test(tc, numbers_have_units);
    tcase_add_test(tc, what_is_not_even_is_noted);
    tcase_add_test(tc, fingerprints_see_every_field);
    tcase_add_loop_test(tc, bad_text_is_refused_where_it_is_bad, 0,
                        (int)(sizeof bad / sizeof *bad));
    tcase_add_test(tc, all_value_faults_are_reported_together);
    tcase_add_test(tc, hostile_text_is_bounded);
    tcase_add_test(tc, missing_file_names_the_presets);
    tcase_add_test(tc, assignments);
    tcase_add_test(tc, logical_columns);
    tcase_add_test(tc, field_table_lists_all);
    tcase_add_test(tc, cells_of_a_weight);
    tcase_add_test(tc, what_is_not_built_is_refused);
    tcase_add_test(tc, fields_that_do_not_fit_each_other);
    tcase_add_test(tc, read_out_of_a_machine);
    tcase_add_test(tc, noise_below_half_a_step);
    tcase_add_test(tc, a_renamed_field_says_so);
    Suite *suite = suite_create("arch");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
