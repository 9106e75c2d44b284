/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * tiles_test.c - programs on many tiles, and on tiles that have little room: where layers go, rings
 * and views, vector work that spreads, what is said of a machine that lacks something.
 */
#include "backend_rig.h"
#include "../run_suite.h"

/* Nine 1x1 layers of one PE, one after the other, on tiles of one crossbar. */
static char *chain_of_nine(void)
{
    struct text t = {0};
    text_add(&t, "graph \"chain\" crossbar {\n"
                 "%%0 = input {index=0, dtype=\"f32\", shape=[1,2,3,3], strides=[3,1,9], offset=0, "
                 "extent=[3,3,2]} : f32[3x3x2] @\"x\"\n"
                 "%%1 = constant {dtype=\"f32\", shape=[2,2], data=random(1)} : f32[2x2]\n");
    for (int i = 0; i < 9; i++)
        text_add(&t,
                 "%%%d = mvm %%%d, %%1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
                 "weights=0, slices=[1,1], copies=1, cut=[1,1]} : f32[3x3x2] @\"l%d\"\n",
                 i + 2, i ? i + 1 : 0, i);
    text_add(&t, "output %%10 {index=0, dtype=\"f32\", shape=[1,2,3,3], strides=[3,1,9], offset=0} "
                 "@\"y\"\n}\n");
    return t.at;
}

/* Rows of three (nine tiles) or four (a machine of 16): row by row, from one row to the next it
 * would be three or four hops; laid out well, each message has one. */
START_TEST(on_a_mesh_neighbours_in_the_network_are_neighbours)
{
    static const char *const machines[] = {"crossbars=1 topology=mesh hop_cycles=5",
                                           "crossbars=1 topology=mesh hop_cycles=5 tiles=16",
                                           "crossbars=1 hop_cycles=5"};
    char *text = chain_of_nine();
    for (size_t m = 0; m < sizeof machines / sizeof *machines; m++) {
        struct compiled c = compile(text, machines[m], SCHEDULE_CROSS_LAYER, shape(0, 0));
        const struct backend_detail *d = c.result.detail;
        ck_assert_ptr_nonnull(c.program);
        ck_assert_uint_eq(c.program->n_tiles, 9);
        ck_assert_uint_eq(d->n_traffic, 8);
        for (uint32_t i = 0; i < d->n_traffic; i++) {
            ck_assert_uint_eq(d->traffic[i].hops, 1);
            ck_assert_uint_eq(d->traffic[i].bytes, 3 * 3 * 2 * 4);
        }
        ck_assert_uint_eq(c.result.makespan_cycles, 9 * 9 + 8 * 5);
        release(&c);
    }
    heap_free(text);
}
END_TEST

/* Three layers side by side, 48 x 48 tiles each; every one ends for all homes and begins on all
 * tiles. What each tile waits for is worked out once, or this takes minutes. */
START_TEST(layers_of_many_tiles)
{
    struct text t = {0};
    text_add(&t,
             "graph \"wide\" crossbar {\n"
             "%%0 = input {index=0, dtype=\"f32\", shape=[1,192,2,2], strides=[2,1,4], offset=0, "
             "extent=[2,2,192]} : f32[2x2x192] @\"x\"\n"
             "%%1 = constant {dtype=\"f32\", shape=[192,192], data=random(1)} : f32[192x192]\n");
    for (int i = 0; i < 3; i++)
        text_add(&t,
                 "%%%d = mvm %%0, %%1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
                 "weights=%d, slices=[48,48], copies=1, cut=[1,1]} : f32[2x2x192] @\"l%d\"\n"
                 "output %%%d {index=%d, dtype=\"f32\", shape=[1,192,2,2], strides=[2,1,4], "
                 "offset=0} @\"y%d\"\n",
                 i + 2, i, i, i + 2, i, i);
    text_add(&t, "}\n");
    struct compiled c = compile(t.at, "crossbars=1 rows=4 cols=4 topology=mesh hop_cycles=4",
                                SCHEDULE_CROSS_LAYER, shape(0, 0));
    ck_assert_ptr_nonnull(c.program);
    ck_assert_uint_eq(c.program->n_tiles, 3 * 48 * 48);
    release(&c);
    text_free(&t);
}
END_TEST

/* A value that shows the input twice, in a ring of as many rows as the input has: a lap later each
 * slot gets the very element that it held, which is no mistake. */
START_TEST(a_ring_may_meet_an_element_again)
{
    static const char text[] =
        "graph \"twice\" crossbar {\n"
        "%0 = input {index=0, dtype=\"f32\", shape=[12,7,4], extent=[12,7,4], strides=[28,4,1]}\n"
        "%1 = concat %0, %0 {axis=0}\n"
        "%2 = reduce %1 {kind=\"sum\", axes=[1,2]}\n"
        "%3 = constant {dtype=\"f32\", shape=[1,1,1], data=dense(0.25)}\n"
        "%4 = mul %2, %3\n"
        "%5 = pad %4 {before=[2,0,0], after=[2,1,0], mode=\"constant\", value=0.0}\n"
        "%6 = constant {dtype=\"f32\", shape=[1,1], data=dense(0.5)}\n"
        "%7 = mvm %5, %6 {kernel=[1,1], stride=[1,3], dilation=[2,1], group=1, slices=[1,1]}\n"
        "output %7 {index=0, dtype=\"f32\", shape=[28,1,1], strides=[1,1,1]}\n}\n";
    struct compiled c =
        compile(text,
                "crossbars=64 rows=16 cols=16 lanes=32 vector_setup_cycles=1 "
                "link_bytes_per_cycle=1 hop_cycles=90 dram_cycles=3 dram_bytes_per_cycle=64",
                SCHEDULE_LAYER_BY_LAYER, shape(2, 0));
    if (!c.program)
        diag_print(c.diag, stderr);
    ck_assert_ptr_nonnull(c.program);
    ck_assert_uint_eq(run(&c, 0), c.result.makespan_cycles);
    run(&c, 1);
    release(&c);
}
END_TEST

/* One factor a channel, for 2 x 2 pixels and then for 4 x 4: a view for each. */
START_TEST(a_value_is_spread_over_two_sizes)
{
    static const char text[] =
        "graph \"spread\" crossbar {\n"
        "%0 = input {index=0, dtype=\"f32\", shape=[4,4,2], extent=[4,4,2], strides=[8,2,1]}\n"
        "%1 = constant {dtype=\"f32\", shape=[2,2], data=random(1)}\n"
        "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1]}\n"
        "%3 = global_avg_pool %2\n"
        "%4 = max_pool %2 {kernel=[2,2], stride=[2,2], dilation=[1,1], pad=[0,0,0,0]}\n"
        "%5 = mul %4, %3\n"
        "%6 = gather_grid %5 {count=[4,4,2], index=[0,0,1,1, 0,0,1,1, 0,1], value=0.0}\n"
        "%7 = mul %6, %3\n"
        "output %7 {index=0, dtype=\"f32\", shape=[4,4,2], strides=[8,2,1]}\n}\n";
    expect(text, "", SCHEDULE_CROSS_LAYER, shape(1, 0), 16);
}
END_TEST

/* Tile 0 holds only x's channels of the concatenation, in a ring: a row of the view that shows all
 * channels begins before what is loaded there, and ends after the next row has begun. */
START_TEST(a_ring_holds_some_channels_of_a_view)
{
    static const char text[] =
        "graph \"side\" crossbar {\n"
        "%0 = input {index=0, dtype=\"f32\", shape=[8,4,3], extent=[8,4,3], strides=[12,3,1]}\n"
        "%9 = reduce %0 {kind=\"max\", axes=[1]}\n"
        "%10 = sub %0, %9\n"
        "%11 = exp %10\n"
        "%12 = reduce %11 {kind=\"sum\", axes=[1]}\n"
        "%1 = div %11, %12\n"
        "%2 = constant {dtype=\"f32\", shape=[3,3], data=random(1)}\n"
        "%3 = mvm %0, %2 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1]}\n"
        "%4 = concat %1, %0 {axis=2}\n"
        "%5 = gather_grid %4 {count=[8,4,6], index=[0,1,2,3,4,5,6,7, 3,2,1,0, 0,1,2,3,4,5], "
        "value=0.0}\n"
        "%6 = reduce %4 {kind=\"sum\", axes=[1]}\n"
        "%14 = reshape %6 {shape=[1,8,6], from=\"hwc\", to=\"hwc\"}\n"
        "%7 = constant {dtype=\"f32\", shape=[6,1], data=random(2)}\n"
        "%8 = mvm %14, %7 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1]}\n"
        "output %3 {index=0, dtype=\"f32\", shape=[8,4,3], strides=[12,3,1]}\n"
        "output %5 {index=1, dtype=\"f32\", shape=[8,4,6], strides=[24,6,1]}\n"
        "output %8 {index=2, dtype=\"f32\", shape=[8,1], strides=[1,1,1]}\n}\n";
    struct compiled c =
        compile(text, "crossbars=1 lanes=1 vector_setup_cycles=4 dram_bytes_per_cycle=6",
                SCHEDULE_CROSS_LAYER, shape(1, 0));
    if (!c.program)
        diag_print(c.diag, stderr);
    ck_assert_ptr_nonnull(c.program);
    ck_assert(backend_check(c.program, c.graph, c.diag));
    release(&c);
}
END_TEST

/* x, then 40 times x + conv(x): each sum begins with the sum before it. */
static char *residual_chain(void)
{
    struct text t = {0};
    text_add(&t, "graph \"chain\" crossbar {\n"
                 "%%0 = input {index=0, dtype=\"f32\", shape=[1,2,2,2], strides=[4,1,2], offset=0, "
                 "extent=[2,2,2]} : f32[2x2x2] @\"x\"\n"
                 "%%1 = constant {dtype=\"f32\", shape=[2,2], data=random(1)} : f32[2x2]\n"
                 "%%2 = mvm %%0, %%1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
                 "weights=0, slices=[1,1], copies=1, cut=[1,1]} : f32[2x2x2]\n");
    for (int i = 3; i < 83; i += 2)
        text_add(&t,
                 "%%%d = mvm %%%d, %%1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
                 "weights=0, slices=[1,1], copies=1, cut=[1,1]} : f32[2x2x2]\n"
                 "%%%d = add %%%d, %%%d : f32[2x2x2]\n",
                 i, i - 1, i + 1, i - 1, i);
    text_add(&t, "output %%82 {index=0, dtype=\"f32\", shape=[1,2,2,2], strides=[4,1,2], "
                 "offset=0} @\"y\"\n}\n");
    return t.at;
}

/* x scaled by 2, 3, ... 31, all of them one beside the other, and a convolution of that. */
static char *scaled_branches(void)
{
    struct text t = {0};
    text_add(&t, "graph \"branches\" crossbar {\n"
                 "%%0 = input {index=0, dtype=\"f32\", shape=[1,1,2,2], strides=[2,1,1], offset=0, "
                 "extent=[2,2,1]} : f32[2x2x1] @\"x\"\n");
    for (int i = 1; i <= 30; i++)
        text_add(&t,
                 "%%%d = constant {dtype=\"f32\", shape=[1,1,1], data=splat(%d)} : f32[1x1x1]\n"
                 "%%%d = mul %%0, %%%d : f32[2x2x1]\n",
                 2 * i - 1, i + 1, 2 * i, 2 * i - 1);
    text_add(&t, "%%61 = concat ");
    for (int i = 1; i <= 30; i++)
        text_add(&t, "%s%%%d", i > 1 ? ", " : "", 2 * i);
    text_add(&t, " {axis=2} : f32[2x2x30]\n"
                 "%%62 = constant {dtype=\"f32\", shape=[30,2], data=random(1)} : f32[30x2]\n"
                 "%%63 = mvm %%61, %%62 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
                 "weights=0, slices=[1,1], copies=1, cut=[1,1]} : f32[2x2x2]\n"
                 "output %%63 {index=0, dtype=\"f32\", shape=[1,2,2,2], strides=[4,1,2], "
                 "offset=0} @\"y\"\n}\n");
    return t.at;
}

/* A tile shows 48 views: the sums, or the branches beside what the convolution reads of them, are
 * too many for the tile of their first operand. */
START_TEST(vector_work_spreads_where_a_tile_has_no_room)
{
    char *texts[] = {residual_chain(), scaled_branches()};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct compiled c = compile(texts[i], "max_views=48", SCHEDULE_CROSS_LAYER, shape(0, 0));
        if (!c.program)
            diag_print(c.diag, stderr);
        ck_assert_ptr_nonnull(c.program);
        ck_assert_uint_eq(run(&c, 0), c.result.makespan_cycles);
        run(&c, 1);
        release(&c);
        heap_free(texts[i]);
    }
}
END_TEST

/* Several tiles of one crossbar lack what is said of the one that lacks most: with that it works.
 */
START_TEST(what_tiles_lack_is_said_once_and_is_enough)
{
    static const char *const lacking[] = {"max_views=3",   "max_routes=1",    "buffer_bytes=1",
                                          "max_walkers=1", "max_templates=1", "max_stream_bytes=1"};
    char *text = residual_chain(), machine[80], field[20];
    unsigned long long enough;
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++) {
        snprintf(machine, sizeof machine, "crossbars=1 %s", lacking[i]);
        struct compiled c = compile(text, machine, SCHEDULE_CROSS_LAYER, shape(0, 0));
        ck_assert_ptr_null(c.program);
        ck_assert_uint_eq(c.diag->n_errors, 1);
        const char *raise = strstr(c.diag->first->text, ": raise ");
        ck_assert_int_eq(sscanf(raise, ": raise %19s to %llu", field, &enough), 2);
        snprintf(machine, sizeof machine, "crossbars=1 %s=%llu", field, enough);
        release(&c);
        c = compile(text, machine, SCHEDULE_CROSS_LAYER, shape(0, 0));
        ck_assert_ptr_nonnull(c.program);
        release(&c);
    }
    heap_free(text);
}
END_TEST

/* 256 x 257 crossbars of one cell. */
static const char many_tiles[] =
    "graph \"many\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[256], extent=[1,1,256], strides=[0,0,1]} @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[256,257], data=splat(1.0)} @\"w\"\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[256,257]} "
    "@\"y\"\n"
    "output %2 {index=0, dtype=\"f32\", shape=[257], strides=[0,0,1]} @\"y\"\n"
    "}\n";

START_TEST(more_tiles_than_a_program_names_are_an_error)
{
    struct compiled c = compile_on(70000, many_tiles, "rows=1 cols=1 crossbars=1",
                                   SCHEDULE_CROSS_LAYER, shape(1, 0));
    ck_assert_ptr_null(c.program);
    ck_assert_uint_eq(c.diag->n_errors, 1);
    ck_assert_int_eq(c.diag->first->code, DIAG_CAPACITY);
    ck_assert_ptr_nonnull(strstr(c.diag->first->text, "needs 65792 tiles"));
    release(&c);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        on_a_mesh_neighbours_in_the_network_are_neighbours,
        layers_of_many_tiles,
        a_ring_may_meet_an_element_again,
        a_value_is_spread_over_two_sizes,
        a_ring_holds_some_channels_of_a_view,
        vector_work_spreads_where_a_tile_has_no_room,
        what_tiles_lack_is_said_once_and_is_enough,
        more_tiles_than_a_program_names_are_an_error,
    };
    Suite *s = suite_create("tiles");
    TCase *t = tcase_create("tiles");
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(t, tests[i]);
    return run_suite(s);
}
