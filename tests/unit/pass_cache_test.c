/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* pass_cache_test.c - what passes are given, and runs that go on from what others kept. */
#include "pass_rig.h"
#include "pass_steps.h"

#include "../run_suite.h"

/* A layer of 300 rows and 4 columns; its input, a float, is not quantised though the other's is. */
static const char layer[] = "graph \"g\" tensor {\n"
                            "  %0 = input {index=0, dtype=\"f32\", shape=[1,300]} @\"x\"\n"
                            "  %1 = constant {dtype=\"f32\", shape=[300,4], data=splat(1.0)}\n"
                            "  %2 = matmul %0, %1 {weights=0} @\"m\"\n"
                            "  output %2 {index=0, dtype=\"f32\", shape=[1,4]} @\"y\"\n"
                            "}\n";
static const char pipeline[] = "fold,cse,partition,quant,int,im2col,tile,dup,readout";
enum { BEFORE_TILE = 6, BEFORE_DUP = 7, BEFORE_READOUT = 8, ALL = 9 };

struct cached {
    struct rig rig;
    struct pass_cache cache;
    struct dup_result dup;
    bool layer_is_bottleneck;
};

static void cached_open(struct cached *c)
{
    *c = (struct cached){0};
    rig_open(&c->rig);
    c->rig.options.cache = &c->cache;
    c->rig.ctx.dup_result = &c->dup;
}

static void cached_close(struct cached *c)
{
    pass_cache_drop(&c->cache);
    rig_close(&c->rig);
}

/* Slices that the layer has then. */
static int64_t slices(struct cached *c)
{
    struct ir_graph *g = pass_cache_start(&c->cache) ? NULL : parse_text(&c->rig, layer);
    run_ok(&c->rig, pipeline, &g);
    int64_t n = find_op(g, IR_mvm)->attrs->mvm.slices[0];
    c->layer_is_bottleneck = c->dup.bottleneck && strcmp(c->dup.bottleneck, "m") == 0;
    ir_graph_free(g); /* and the name */
    pass_cache_settle(&c->cache, true);
    return n;
}

/* 300 rows on crossbars of 256 and of 100: 2 slices and 3. */
START_TEST(goes_on_before_the_first_that_reads_it)
{
    struct cached c;
    cached_open(&c);
    ck_assert_int_eq(slices(&c), 2);
    ck_assert_uint_eq(c.cache.n_passes, 0);
    ck_assert_int_eq(c.dup.pes_used, 2);
    uint64_t serial = c.cache.serial;
    ck_assert_int_eq(slices(&c), 2);
    ck_assert_uint_eq(c.cache.n_passes, ALL);
    ck_assert_uint_eq(c.cache.serial, serial);
    c.rig.arch.rows = 100;
    c.dup = (struct dup_result){0};
    ck_assert_int_eq(slices(&c), 3);
    ck_assert_uint_eq(c.cache.n_passes, BEFORE_TILE);
    ck_assert_int_eq(c.dup.pes_used, 3);
    ck_assert_uint_ne(c.cache.serial, serial);
    c.rig.arch.crossbars = 5;
    ck_assert_int_eq(slices(&c), 3);
    ck_assert_uint_eq(c.cache.n_passes, BEFORE_DUP);
    c.rig.arch.adc_bits = 8; /* of layers of integers, which this is not */
    c.dup = (struct dup_result){0};
    ck_assert_int_eq(slices(&c), 3);
    ck_assert_uint_eq(c.cache.n_passes, BEFORE_READOUT);
    ck_assert_int_eq(c.dup.pes_used, 3); /* as dup, which did not run, had left it */
    ck_assert(c.layer_is_bottleneck);
    c.rig.arch.lanes = 4; /* no pass reads it */
    ck_assert_int_eq(slices(&c), 3);
    ck_assert_uint_eq(c.cache.n_passes, ALL);
    cached_close(&c);
}
END_TEST

/* Another pipeline begins with the same graph, and goes on from nothing else. */
START_TEST(another_pipeline)
{
    struct cached c;
    cached_open(&c);
    ck_assert_int_eq(slices(&c), 2);
    c.rig.options.skip = "readout";
    ck_assert_int_eq(slices(&c), 2);
    ck_assert_uint_eq(c.cache.n_passes, 0);
    cached_close(&c);
}
END_TEST

/* A pass that fails leaves what was kept before it. */
START_TEST(a_failure_in_between)
{
    struct cached c;
    struct ir_graph *g = NULL;
    cached_open(&c);
    ck_assert_int_eq(slices(&c), 2);
    c.rig.arch.cols = 0; /* no column is left for a weight */
    ck_assert(!run(&c.rig, pipeline, &g));
    ck_assert(has_error(&c.rig, DIAG_CAPACITY, "wider than a crossbar"));
    ir_graph_free(g);
    pass_cache_settle(&c.cache, true);
    c.rig.arch.cols = 256;
    ck_assert_int_eq(slices(&c), 2);
    ck_assert_uint_eq(c.cache.n_passes, BEFORE_TILE);
    cached_close(&c);
}
END_TEST

/* What passes warned of is said in each run: a model in mode int that leaves a layer float. */
START_TEST(warnings_are_repeated)
{
    struct cached c;
    cached_open(&c);
    c.rig.ctx.mode = PASS_MODE_INT;
    c.rig.ctx.mode_reason = "";
    ck_assert_int_eq(slices(&c), 2);
    unsigned n = 0, again = 0;
    for (const struct diag_entry *e = c.rig.diag->first; e; e = e->next)
        n += e->severity == DIAG_WARNING;
    ck_assert_uint_eq(n, 1);
    c.rig.diag = c.rig.ctx.diag = (diag_free(c.rig.diag), diag_new());
    ck_assert_int_eq(slices(&c), 2);
    ck_assert_uint_eq(c.cache.n_passes, ALL);
    for (const struct diag_entry *e = c.rig.diag->first; e; e = e->next)
        again += e->severity == DIAG_WARNING;
    ck_assert_uint_eq(again, 1);
    cached_close(&c);
}
END_TEST

/* ---- what is given ---- */

static struct pass_given given_of(const char *pass, const struct pass_ctx *all)
{
    struct pass_given given;
    pass_give(pass_find(pass), all, &given);
    return given;
}

START_TEST(no_pass_sees_what_it_does_not_read)
{
    struct rig r;
    rig_open(&r);
    struct quant_options quant = {.weight_bits = 5};
    struct dup_schedule schedule = {.arch = &r.arch};
    r.ctx.quant = &quant;
    r.ctx.schedule = &schedule;
    r.ctx.mode = PASS_MODE_INT;
    r.ctx.unquantised_is_error = true;
    r.arch.lanes = r.arch.hop_cycles = 7;
    struct pass_given g = given_of("cse", &r.ctx);
    ck_assert(!g.ctx.arch && !g.ctx.quant && !g.ctx.dup && !g.ctx.schedule);
    ck_assert(g.ctx.mode == PASS_MODE_AUTO && !g.ctx.unquantised_is_error);
    ck_assert_ptr_eq(g.ctx.diag, r.diag);
    ck_assert_int_eq(given_of("int", &r.ctx).ctx.mode, PASS_MODE_INT);
    ck_assert_int_eq(given_of("quant", &r.ctx).quant.weight_bits, 5);
    g = given_of("tile", &r.ctx);
    ck_assert_int_eq(g.arch.rows, 256);
    ck_assert_int_eq(g.arch.crossbars, 0);
    ck_assert_ptr_null(g.ctx.dup);
    g = given_of("dup", &r.ctx);
    ck_assert_int_eq(g.arch.crossbars, 8);
    ck_assert_int_eq(g.arch.lanes, 0); /* that is the schedule's */
    ck_assert_int_eq(g.schedule_arch.lanes, 7);
    ck_assert_int_eq(g.schedule_arch.hop_cycles, 7);
    rig_close(&r);
}
END_TEST

/* Whatever is given makes another hash, whatever is not makes none. */
START_TEST(hash_of_what_is_given)
{
    struct rig r;
    rig_open(&r);
    uint64_t tile = given_of("tile", &r.ctx).hash, dup = given_of("dup", &r.ctx).hash;
    r.arch.crossbars = 9;
    ck_assert_uint_eq(given_of("tile", &r.ctx).hash, tile);
    ck_assert_uint_ne(given_of("dup", &r.ctx).hash, dup);
    r.arch.crossbars = 8;
    r.arch.rows = 255;
    ck_assert_uint_ne(given_of("tile", &r.ctx).hash, tile);
    r.arch.rows = 256;
    r.dup.fixed = &(struct dup_fixed){.layer = "a", .copies = 2};
    r.dup.n_fixed = 1;
    uint64_t two = given_of("dup", &r.ctx).hash;
    ck_assert_uint_ne(two, dup);
    r.dup.fixed = &(struct dup_fixed){.layer = "b", .copies = 2};
    ck_assert_uint_ne(given_of("dup", &r.ctx).hash, two);
    r.dup.n_fixed = 0;
    ck_assert_uint_eq(given_of("dup", &r.ctx).hash, dup);
    struct pass_calibration images = {.hash = 1};
    uint64_t none = given_of("readout", &r.ctx).hash;
    r.ctx.calibration = &images;
    uint64_t first = given_of("readout", &r.ctx).hash;
    images.hash = 2;
    ck_assert_uint_ne(first, none);
    ck_assert_uint_ne(given_of("readout", &r.ctx).hash, first);
    rig_close(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pass_cache");
    TCase *t = tcase_create("pass_cache");
    tcase_add_test(t, goes_on_before_the_first_that_reads_it);
    tcase_add_test(t, another_pipeline);
    tcase_add_test(t, a_failure_in_between);
    tcase_add_test(t, warnings_are_repeated);
    tcase_add_test(t, no_pass_sees_what_it_does_not_read);
    tcase_add_test(t, hash_of_what_is_given);
    suite_add_tcase(s, t);
    return run_suite(s);
}
