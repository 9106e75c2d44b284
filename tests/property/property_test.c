/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * property_test.c - what must hold of every graph, tried on random ones (rig.h, gen.h).
 *
 * One test point a seed. CIMC_PROPERTY_SEEDS=FROM:TO tries the seeds FROM..TO-1 instead of the few
 * of a normal run, which are the first 20 to 50 and those that once failed; CK_RUN_CASE=exact only
 * those of that name. CIMC_PROPERTY_TRACE=1 prints every case before it is tried.
 */
#include "gen.h"
#include "pass.h"
#include "rig.h"

#include "base/asan.h"

#include "../run_suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- passes ---- */

static void run_pass(struct rig *r, const char *name, struct ir_graph **g, struct pass_ctx *ctx)
{
    static const struct dup_options no_copies = {0};
    ctx->diag = r->diag;
    ctx->scratch = arena_new();
    if (!ctx->dup)
        ctx->dup = &no_copies;
    struct ir_graph *before = ir_clone(*g);
    r->config = name;
    r->graph = before;
    rig_trace(r);
    if (ir_fingerprint(before) != ir_fingerprint(*g))
        rig_fail(r, "the clone is another graph");
    if (!pass_run_pipeline(name, g, ctx, &(struct pass_options){0}))
        rig_fail(r, "pass %s fails", name);
    rig_check_graph(r, *g);
    ir_graph_free(before);
    arena_free(ctx->scratch);
}

/* The standard pipeline up to, not including, the passes that ask for a machine. Once pass int has
 * decided what rounds, nothing changes any more where all is integers. */
static void run_machine_free_passes(struct rig *r, struct ir_graph **g, enum pass_mode mode)
{
    char *list = strdup(pass_default_pipeline), *rest = list, *name;
    struct pass_ctx ctx = {.mode = mode}; /* the first pass settles it */
    while ((name = strsep(&rest, ",")) && strcmp(name, "tile") != 0) {
        run_pass(r, name, g, &ctx);
        if (strcmp(name, "int") == 0 && r->agreement == RIG_STEPS && ctx.mode == PASS_MODE_INT)
            rig_settle(r, *g);
    }
    ck_assert_str_eq(rest, "dup,readout");
    free(list);
}

/* Slices for the machine, and copies: none, as the solver finds them, or at random; patches, where
 * there are any, likewise. */
static struct ir_graph *fit_to_machine(struct rig *r, const struct ir_graph *g, struct config *c,
                                       bool patches)
{
    struct ir_graph *fitted = ir_clone(g);
    struct dup_options dup = {.pes = -1, .cut = (enum dup_cut)rig_range(r, CUT_AUTO, CUT_2D)};
    struct dup_result result = {0};
    int64_t kind = rig_range(r, patches ? 1 : 0, 3);
    if (patches && kind >= 2)
        rig_random_patches(r, fitted);
    if (kind == 1) {
        dup.windows = patches;
        dup.objective = patches && rig_range(r, 0, 1) ? DUP_INTERVAL : DUP_SUM;
        dup.extra_pes = rig_range(r, 1, 12);
    }
    run_pass(r, "tile", &fitted, &(struct pass_ctx){.arch = &c->arch, .dup = &dup});
    if (kind >= 2) {
        rig_random_copies(r, fitted);
    } else {
        run_pass(r, "dup", &fitted,
                 &(struct pass_ctx){.arch = &c->arch, .dup = &dup, .dup_result = &result});
        c->options.pes = result.pes;
    }
    ir_number(fitted);
    return fitted;
}

/* What the graph computes from here on is what the machine's arrays are read out as. False where
 * such sums can leave 32 bits. */
static bool read_out(struct rig *r, struct ir_graph **g, const struct config *c)
{
    const struct pass_calibration images = {r->inputs, r->n_inputs, 1, 0};
    const struct dup_options no_copies = {0};
    struct pass_ctx ctx = {.diag = diag_new(),
                           .arch = &c->arch,
                           .scratch = arena_new(),
                           .dup = &no_copies,
                           .calibration = &images};
    bool ok = pass_run_pipeline("readout", g, &ctx, &(struct pass_options){.roundtrip_each = true});
    if (!ok && !rig_is_too_large(ctx.diag)) {
        diag_print(ctx.diag, stderr);
        rig_fail(r, "pass readout fails");
    }
    diag_free(ctx.diag);
    arena_free(ctx.scratch);
    ir_number(*g);
    if (ok && r->agreement == RIG_EXACT)
        rig_settle(r, *g);
    return ok;
}

/* ---- programs ---- */

/* One compilation; false where it is too large for the machine. */
static bool try_config(struct rig *r, const struct ir_graph *g, const struct config *c,
                       uint64_t *out_cycles)
{
    struct backend_result result;
    struct isa_program *p = rig_compile(r, g, c, &result);
    if (!p)
        return false;
    *out_cycles = result.makespan_cycles;
    rig_check_program(r, g, c, p);
    if (result.pe_busy_cycles > result.makespan_cycles * (uint64_t)c->options.pes)
        rig_fail(r, "more busy cycles than there are");
    isa_program_free(p);
    return true;
}

static void try_on_machine(struct rig *r, const struct ir_graph *g, bool patches)
{
    struct config c;
    config_machine(r, &c);
    struct ir_graph *fitted = fit_to_machine(r, g, &c, patches);
    for (unsigned shape = 0; shape < N_SET_SHAPES; shape++) {
        uint64_t cross, layer;
        config_set(&c, shape, SCHEDULE_LAYER_BY_LAYER);
        bool both = try_config(r, fitted, &c, &layer);
        config_set(&c, shape, SCHEDULE_CROSS_LAYER);
        both = try_config(r, fitted, &c, &cross) && both;
        if (both && c.free && cross > layer)
            rig_fail(r, "cross-layer takes %llu cycles, layer by layer %llu",
                     (unsigned long long)cross, (unsigned long long)layer);
    }
    r->config = NULL;
    ir_graph_free(fitted);
}

static void try_machine(struct rig *r, const struct ir_graph *g)
{
    try_on_machine(r, g, false);
}

START_TEST(crossbar_graph)
{
    struct rig r;
    struct ir_graph *g = gen_crossbar((uint64_t)_i);
    rig_open(&r, "crossbar_graph", (uint64_t)_i, g);
    rig_check_graph(&r, g);
    if (_i % 4) /* a few keep what nobody uses */
        run_pass(&r, "dce", &g, &(struct pass_ctx){0});
    try_machine(&r, g);
    rig_close(&r);
    ir_graph_free(g);
}
END_TEST

START_TEST(tall_graph)
{
    struct rig r;
    struct ir_graph *g = gen_tall((uint64_t)_i);
    rig_open(&r, "tall_graph", (uint64_t)_i, g);
    run_pass(&r, "dce", &g, &(struct pass_ctx){0});
    try_machine(&r, g);
    rig_close(&r);
    ir_graph_free(g);
}
END_TEST

START_TEST(tensor_graph)
{
    struct rig r;
    struct ir_graph *g = gen_tensor((uint64_t)_i);
    rig_open(&r, "tensor_graph", (uint64_t)_i, g);
    rig_check_graph(&r, g);
    run_machine_free_passes(&r, &g, PASS_MODE_AUTO);
    try_machine(&r, g);
    rig_close(&r);
    ir_graph_free(g);
}
END_TEST

/* f32 and integers, each pass and the simulator compute the same bits. */
START_TEST(exact_graph)
{
    struct rig r;
    struct ir_graph *g = gen_quantized((uint64_t)_i, &(struct gen_quantization){.exact = true});
    rig_open(&r, "exact_graph", (uint64_t)_i, g);
    r.agreement = RIG_EXACT;
    rig_check_graph(&r, g);
    run_machine_free_passes(&r, &g, _i % 4 ? PASS_MODE_AUTO : PASS_MODE_F32);
    try_machine(&r, g);
    rig_close(&r);
    ir_graph_free(g);
}
END_TEST

/* All types: each pass and the simulator compute the same bits. */
START_TEST(typed_graph)
{
    struct rig r;
    struct ir_graph *g = gen_typed((uint64_t)_i);
    rig_open(&r, "typed_graph", (uint64_t)_i, g);
    r.agreement = RIG_EXACT;
    rig_check_graph(&r, g);
    run_machine_free_passes(&r, &g, PASS_MODE_AUTO);
    try_machine(&r, g);
    rig_close(&r);
    ir_graph_free(g);
}
END_TEST

/* Any scales: once integers are settled, each pass and the simulator compute the same bits. */
START_TEST(quantized_graph)
{
    struct rig r;
    struct ir_graph *g = gen_quantized((uint64_t)_i, &(struct gen_quantization){0});
    rig_open(&r, "quantized_graph", (uint64_t)_i, g);
    r.agreement = RIG_STEPS;
    rig_check_graph(&r, g);
    run_machine_free_passes(&r, &g, PASS_MODE_AUTO);
    try_machine(&r, g);
    rig_close(&r);
    ir_graph_free(g);
}
END_TEST

/* Layers whose products yield several pixels: as the evaluator, which knows no patches. */
START_TEST(window_layer)
{
    struct rig r;
    struct ir_graph *g = gen_window((uint64_t)_i);
    rig_open(&r, "window_layer", (uint64_t)_i, g);
    r.agreement = ir_dtype_element((enum ir_dtype)r.reference[0].type.dtype) == ELEMENT_f32
                      ? RIG_ROUNDED
                      : RIG_EXACT;
    try_on_machine(&r, g, true);
    rig_close(&r);
    ir_graph_free(g);
}
END_TEST

/* Whole graphs of such layers. */
START_TEST(patched_graph)
{
    struct rig r;
    uint64_t seed = (uint64_t)_i / 4;
    struct ir_graph *g = _i % 4 == 0   ? gen_crossbar(seed)
                         : _i % 4 == 1 ? gen_tensor(seed)
                         : _i % 4 == 2 ? gen_tall(seed)
                                       : gen_quantized(seed, &(struct gen_quantization){0});
    rig_open(&r, "patched_graph", (uint64_t)_i, g);
    r.agreement = _i % 4 == 3 ? RIG_STEPS : RIG_ROUNDED;
    if (_i % 2)
        run_machine_free_passes(&r, &g, PASS_MODE_AUTO);
    else
        run_pass(&r, "dce", &g, &(struct pass_ctx){0});
    try_on_machine(&r, g, true);
    rig_close(&r);
    ir_graph_free(g);
}
END_TEST

/* One of all kinds, as the body of several frames. */
START_TEST(frames_of_graph)
{
    static const int64_t paces[] = {PACE_INTERVAL, PACE_INTERVAL, 0, 1, 60};
    struct rig r;
    struct config c;
    struct backend_result result;
    uint64_t seed = (uint64_t)_i / 5;
    struct ir_graph *g = _i % 5 == 0   ? gen_crossbar(seed)
                         : _i % 5 == 1 ? gen_tensor(seed)
                         : _i % 5 == 2 ? gen_tall(seed)
                         : _i % 5 == 3
                             ? gen_typed(seed)
                             : gen_quantized(seed, &(struct gen_quantization){.exact = true});
    rig_open(&r, "frames_of_graph", (uint64_t)_i, g);
    r.agreement = _i % 5 < 3 ? RIG_ROUNDED : RIG_EXACT;
    if (_i % 5 == 0 || _i % 5 == 2)
        run_pass(&r, "dce", &g, &(struct pass_ctx){0});
    else
        run_machine_free_passes(&r, &g, PASS_MODE_AUTO);
    config_machine(&r, &c);
    struct ir_graph *fitted = fit_to_machine(&r, g, &c, _i % 3 == 0);
    config_set(&c, (unsigned)rig_range(&r, 0, N_SET_SHAPES - 1),
               rig_range(&r, 0, 3) ? SCHEDULE_CROSS_LAYER : SCHEDULE_LAYER_BY_LAYER);
    c.options.frames = (uint32_t)rig_range(&r, 1, 4);
    c.options.pace = paces[rig_range(&r, 0, 4)];
    struct isa_program *p = rig_compile(&r, fitted, &c, &result);
    if (p)
        rig_check_body(&r, fitted, &c, p);
    isa_program_free(p);
    rig_close(&r);
    ir_graph_free(fitted);
    ir_graph_free(g);
}
END_TEST

/* Graphs of integers, and a few of floats, on machines whose read-out is not ideal: the evaluator
 * reads out PE by PE, the simulator corrects exact products; of some, several frames. */
START_TEST(readout_graph)
{
    struct rig r;
    struct config c;
    struct backend_result result;
    uint64_t seed = (uint64_t)_i / 3;
    bool window = _i % 3 == 0;
    struct ir_graph *g =
        window ? gen_window(seed)
               : gen_quantized(seed, &(struct gen_quantization){.exact = _i % 3 == 1});
    rig_open(&r, "readout_graph", (uint64_t)_i, g);
    bool floats =
        window && ir_dtype_element((enum ir_dtype)r.reference[0].type.dtype) == ELEMENT_f32;
    r.agreement = floats ? RIG_ROUNDED : window || _i % 3 == 1 ? RIG_EXACT : RIG_STEPS;
    if (!window)
        run_machine_free_passes(&r, &g, PASS_MODE_AUTO);
    config_machine(&r, &c);
    config_readout(&r, &c);
    struct ir_graph *fitted = fit_to_machine(&r, g, &c, rig_range(&r, 0, 1));
    bool fits = read_out(&r, &fitted, &c);
    config_set(&c, (unsigned)rig_range(&r, 0, N_SET_SHAPES - 1),
               rig_range(&r, 0, 3) ? SCHEDULE_CROSS_LAYER : SCHEDULE_LAYER_BY_LAYER);
    if (_i % 4 == 3) {
        c.options.frames = (uint32_t)rig_range(&r, 1, 4);
        c.options.pace = PACE_INTERVAL;
    }
    struct isa_program *p = fits ? rig_compile(&r, fitted, &c, &result) : NULL;
    if (p && c.options.frames) {
        rig_check_body(&r, fitted, &c, p);
    } else if (p) {
        rig_check_program(&r, fitted, &c, p);
        rig_check_planes(&r, p);
    }
    isa_program_free(p);
    rig_close(&r);
    ir_graph_free(fitted);
    ir_graph_free(g);
}
END_TEST

/* The network of a seed after all passes that need no machine, and in *r what it computes. */
static struct ir_graph *lowered(struct rig *r, const char *what, int seed,
                                const struct gen_quantization *how)
{
    struct ir_graph *g = gen_quantized((uint64_t)seed, how);
    rig_open(r, what, (uint64_t)seed, g);
    if (how->unit != 0)
        rig_scale_inputs(r, how->unit);
    rig_settle(r, g);
    r->agreement = how->exact ? RIG_EXACT : RIG_STEPS;
    run_machine_free_passes(r, &g, PASS_MODE_AUTO);
    rig_settle(r, g);
    return g;
}

/* Twice as large scales of twice as large inputs: the same integers, floats twice as large. */
START_TEST(other_unit)
{
    struct rig one, two;
    struct gen_quantization how = {.exact = _i % 2 == 0, .unit = 1};
    struct ir_graph *a = lowered(&one, "other_unit", _i, &how);
    how.unit = 2;
    struct ir_graph *b = lowered(&two, "other_unit", _i, &how);
    if (!rig_is_multiple(&two, &one, 2))
        rig_fail(&two, "the unit of scales changes what is computed");
    rig_close(&one);
    rig_close(&two);
    ir_graph_free(a);
    ir_graph_free(b);
}
END_TEST

/* Activations of i8 and of u8 are one graph once integers are settled. */
START_TEST(other_spelling)
{
    struct rig u8, i8;
    struct gen_quantization how = {.exact = _i % 2 == 0, .spelling = GEN_U8};
    struct ir_graph *a = lowered(&u8, "other_spelling", _i, &how);
    how.spelling = GEN_I8;
    struct ir_graph *b = lowered(&i8, "other_spelling", _i, &how);
    if (ir_fingerprint(a) != ir_fingerprint(b)) {
        u8.graph = a;
        rig_trace(&u8);
        rig_fail(&i8, "i8 is lowered to another graph than u8");
    }
    rig_close(&u8);
    rig_close(&i8);
    ir_graph_free(a);
    ir_graph_free(b);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test, int from, int to)
{
    TCase *tc = tcase_create(name);
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, test, from, to);
    suite_add_tcase(s, tc);
}

/* Sanitizers take their time; the long suite has more for them. */
#ifdef BASE_ASAN
enum { FEW = 8 };
#else
enum { FEW = 24 };
#endif

int main(void)
{
    int from = 0, to = FEW;
    const char *seeds = getenv("CIMC_PROPERTY_SEEDS");
    if (seeds && (sscanf(seeds, "%d:%d", &from, &to) != 2 || from < 0 || to < from)) {
        fprintf(stderr, "CIMC_PROPERTY_SEEDS: wants FROM:TO\n");
        return 2;
    }
    Suite *s = suite_create("property");
    add(s, "crossbar", crossbar_graph, from, to);
    add(s, "tensor", tensor_graph, from, to);
    add(s, "tall", tall_graph, from, seeds ? to : FEW / 2);
    add(s, "exact", exact_graph, from, seeds ? to : FEW);
    add(s, "typed", typed_graph, from, to);
    add(s, "quantized", quantized_graph, from, seeds ? to : FEW);
    add(s, "window", window_layer, from, seeds ? to : FEW);
    add(s, "patched", patched_graph, from, seeds ? to : FEW / 2);
    add(s, "frames", frames_of_graph, from, seeds ? to : FEW);
    add(s, "readout", readout_graph, from, seeds ? to : FEW);
    add(s, "unit", other_unit, from, to);
    add(s, "spelling", other_spelling, from, to);
    if (!seeds) {
        /* The checker took a row of a slot's earlier lap for the present one: deliveries ran ahead.
         */
        add(s, "laps", tensor_graph, 2082, 2083);
        /* A view lay outside its buffer, of which only padding was read. */
        add(s, "views", tall_graph, 64, 65);
        /* A slot was written again though an element that nobody read might yet come to it. */
        add(s, "slots", tall_graph, 136, 137);
    }
    return run_suite(s);
}
