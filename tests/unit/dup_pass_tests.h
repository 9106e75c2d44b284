/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dup_pass_tests.h - pass dup on a graph of three layers, two of which share their weights. */
#ifndef CIMC_DUP_PASS_TESTS_H
#define CIMC_DUP_PASS_TESTS_H

struct fixture {
    struct ir_graph *g;
    struct diag *d;
    struct arch arch;
    struct arena *scratch;
    struct dup_result result;
    struct ir_op *mvm[3];
};

static struct ir_op *add(struct fixture *f, const struct ir_new *desc)
{
    struct ir_op *op = ir_op_new(f->g, NULL, desc, f->d);
    ck_assert_ptr_nonnull(op);
    return op;
}

/* A 3x3 product, (h, w, 8) -> (h - 2, w - 2, 8). */
static struct ir_op *add_mvm(struct fixture *f, struct ir_value *x, const char *name,
                             int64_t weights, int64_t pes)
{
    float zero = 0;
    struct ir_type wt = ir_type_of(IR_F32, 2, (int64_t[]){72, 8});
    struct ir_op *w =
        ir_const_new(f->g, NULL, wt, blob_splat(&zero, sizeof zero), "", (struct loc){0});
    union ir_attrs a = {.mvm = {.kernel = {3, 3},
                                .stride = {1, 1},
                                .dilation = {1, 1},
                                .group = 1,
                                .weights = weights,
                                .slices = {pes, 1},
                                .copies = 1,
                                .cut = {1, 1}}};
    return add(f, &(struct ir_new){.opcode = IR_mvm,
                                   .in = (struct ir_value *[]){x, w->out},
                                   .n_in = 2,
                                   .attrs = &a,
                                   .name = name});
}

/* Three layers of 10 x 12, 8 x 10 and 6 x 8 pixels; the last two share their weights. */
static void set_up(struct fixture *f)
{
    *f = (struct fixture){
        .g = ir_graph_new("g", IR_CROSSBAR), .d = diag_new(), .scratch = arena_new()};
    ck_assert(arch_load("clsa", f->d->arena, f->d, &f->arch));
    union ir_attrs in = {.input = {.dtype = IR_F32,
                                   .shape = {3, (int64_t[]){12, 14, 8}},
                                   .strides = {112, 8, 1},
                                   .extent = {12, 14, 8}}};
    struct ir_value *x = add(f, &(struct ir_new){.opcode = IR_input, .attrs = &in})->out;
    static const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        f->mvm[i] = add_mvm(f, x, names[i], i > 0 ? 1 : 0, i > 0 ? 2 : 1);
        x = f->mvm[i]->out;
    }
}

static void tear_down(struct fixture *f)
{
    ir_graph_free(f->g);
    diag_free(f->d);
    arena_free(f->scratch);
}

static enum pass_result run(struct fixture *f, struct dup_options o)
{
    struct pass_ctx ctx = {
        .diag = f->d, .arch = &f->arch, .scratch = f->scratch, .dup = &o, .dup_result = &f->result};
    return pass_dup.run(&ctx, f->g);
}

static struct dup_options options(enum dup_objective objective, enum dup_cut cut, int64_t pes,
                                  int64_t extra_pes)
{
    return (struct dup_options){
        .objective = objective, .cut = cut, .pes = pes, .extra_pes = extra_pes};
}

static void check_mvm(const struct ir_op *op, int64_t copies, int64_t dh, int64_t dw)
{
    ck_assert_int_eq(op->attrs->mvm.copies, copies);
    ck_assert_int_eq(op->attrs->mvm.cut[0], dh);
    ck_assert_int_eq(op->attrs->mvm.cut[1], dw);
}

/* t = 120 with c = 1, and 80 + 48 = 128 with c = 2 (once): with 4 more PEs, d = 5, 1 gives 152, d =
 * 3, 2 gives 104 and d = 1, 3 gives 162.7. */
START_TEST(test_pass_sum)
{
    struct fixture f;
    set_up(&f);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_AUTO, -1, 4)), PASS_CHANGED);
    check_mvm(f.mvm[0], 3, 1, 3);
    check_mvm(f.mvm[1], 2, 1, 2);
    check_mvm(f.mvm[2], 2, 1, 2);
    ck_assert_int_eq(f.result.pe_min, 3);
    ck_assert_int_eq(f.result.pes, 7);
    ck_assert_double_eq(f.result.value, 104);
    ck_assert_str_eq(f.result.objective, "sum");
    ck_assert_str_eq(f.result.status, "optimal");
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_AUTO, 7, 0)), PASS_UNCHANGED);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_H, 7, 0)), PASS_CHANGED);
    check_mvm(f.mvm[0], 3, 3, 1);
    tear_down(&f);
}
END_TEST

/* Three more PEs: the layer of 120 pixels alone would take them all (10 rows x 3 columns), but 80 +
 * 48 for the other two are then the longest. Two copies of these (4 PEs) leave 5 x 8 + 4 x 6 = 64,
 * and two of the first 6 x 10 = 60. */
START_TEST(test_pass_interval)
{
    struct fixture f;
    set_up(&f);
    ck_assert_int_eq(run(&f, options(DUP_INTERVAL, CUT_AUTO, -1, 3)), PASS_CHANGED);
    check_mvm(f.mvm[0], 2, 1, 2);
    check_mvm(f.mvm[1], 2, 1, 2);
    check_mvm(f.mvm[2], 2, 1, 2);
    ck_assert_double_eq(f.result.value, 64);
    ck_assert_str_eq(f.result.objective, "interval");
    ck_assert_str_eq(f.result.status, "optimal");
    tear_down(&f);
}
END_TEST

/* With PEs for everyone the smaller user bounds both: 6 rows, 8 columns, 6 x 8 parts. */
START_TEST(test_pass_bounds)
{
    struct fixture f;
    set_up(&f);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, 100000, 0)), PASS_CHANGED);
    check_mvm(f.mvm[0], 12, 1, 12);
    check_mvm(f.mvm[1], 8, 1, 8);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_H, 100000, 0)), PASS_CHANGED);
    check_mvm(f.mvm[0], 10, 10, 1);
    check_mvm(f.mvm[1], 6, 6, 1);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_2D, 100000, 0)), PASS_CHANGED);
    check_mvm(f.mvm[0], 120, 10, 12);
    check_mvm(f.mvm[1], 48, 6, 8);
    check_mvm(f.mvm[2], 48, 6, 8);
    tear_down(&f);
}
END_TEST

static struct dup_options windows(enum dup_objective objective, int64_t extra_pes)
{
    struct dup_options o = options(objective, CUT_W, -1, extra_pes);
    o.windows = true;
    return o;
}

/* With the slices that the matrices have: all layers fit a PE. */
static void set_up_windows(struct fixture *f)
{
    set_up(f);
    for (int i = 0; i < 3; i++)
        f->mvm[i]->attrs->mvm.slices[0] = 1;
}

/* Users of one matrix have one patch; slices and PEs are those of its mapping. The second and third
 * layer, 8 x 10 and 6 x 8 pixels, can share no patch of more than 6 x 8. */
START_TEST(test_pass_windows)
{
    for (int64_t extra = 0; extra < 12; extra++) {
        struct fixture f;
        int64_t pes = 0;
        double value = 0;
        set_up_windows(&f);
        ck_assert_int_ne(run(&f, windows(DUP_SUM, extra)), PASS_FAILED);
        for (int i = 0; i < 3; i++) {
            const struct ir_attrs_mvm *a = &f.mvm[i]->attrs->mvm;
            const int64_t *dim = f.mvm[i]->out->type.dim;
            struct ir_mapping m = ir_mapping_with(f.mvm[i], 256, 256, a->patch);
            pes += i < 2 ? a->copies * ir_mapping_pes(&m) : 0;
            value += (double)ir_mapping_products(&m, dim[0], dim[1]) / (double)a->copies;
            ck_assert(a->slices[0] == m.n_slices && a->slices[1] == m.n_blocks);
        }
        ck_assert_mem_eq(f.mvm[1]->attrs->mvm.patch, f.mvm[2]->attrs->mvm.patch, 16);
        ck_assert_int_le(f.mvm[1]->attrs->mvm.patch[0], 6);
        ck_assert_int_le(f.mvm[1]->attrs->mvm.patch[1], 8);
        ck_assert_int_le(pes, 2 + extra);
        ck_assert_int_eq(pes, f.result.pes_used);
        ck_assert_double_eq_tol(value, f.result.value, 1e-9);
        /* 2 x 6 pixels read 4 * 8 * 8 rows, which one PE has: 5 * 2 + 4 * 2 + 3 * 2 products */
        ck_assert_double_le(value, 24);
        ck_assert_int_eq(f.result.pe_min, 2);
        ck_assert_int_eq(run(&f, windows(DUP_SUM, extra)), PASS_UNCHANGED);
        ck_assert_int_eq(run(&f, options(DUP_NONE, CUT_W, -1, extra)), PASS_CHANGED);
        check_mvm(f.mvm[1], 1, 1, 1); /* and back to single pixels */
        ck_assert_int_eq(f.mvm[1]->attrs->mvm.patch[0] * f.mvm[1]->attrs->mvm.patch[1], 1);
        tear_down(&f);
    }
}
END_TEST

/* Where a product takes as long as its columns are read, one column a cycle, n pixels a product
 * take n times as long: single pixels are as fast, and smaller. */
START_TEST(test_pass_wide_readout)
{
    struct fixture f;
    set_up_windows(&f);
    f.arch.mvm_cycles = 0;
    f.arch.adc_columns_per_cycle = 1;
    ck_assert_int_eq(run(&f, windows(DUP_SUM, 0)), PASS_UNCHANGED);
    ck_assert_double_eq(f.result.value, 8 * (120 + 80 + 48));
    f.arch.phase_cycles = 32; /* as long as four pixels are read */
    ck_assert_int_eq(run(&f, windows(DUP_SUM, 0)), PASS_CHANGED);
    ck_assert_int_eq(f.mvm[0]->attrs->mvm.patch[0] * f.mvm[0]->attrs->mvm.patch[1], 4);
    tear_down(&f);
}
END_TEST

/* A patch that the user fixed stands; the sum is that of its products. */
START_TEST(test_pass_fixed_patch)
{
    static const struct dup_patch patches[] = {{"a", {2, 3}}, {"2", {1, 2}}};
    struct fixture f;
    struct dup_options o = options(DUP_NONE, CUT_W, -1, 4);
    set_up_windows(&f);
    o.patches = patches;
    o.n_patches = 2;
    ck_assert_int_eq(run(&f, o), PASS_CHANGED);
    ck_assert_mem_eq(f.mvm[0]->attrs->mvm.patch, patches[0].patch, 16);
    ck_assert_mem_eq(f.mvm[1]->attrs->mvm.patch, patches[1].patch, 16);
    ck_assert_mem_eq(f.mvm[2]->attrs->mvm.patch, patches[1].patch, 16);
    ck_assert_double_eq(f.result.value, 5 * 4 + 8 * 5 + 6 * 4);
    o.objective = DUP_INTERVAL;
    ck_assert_int_ne(run(&f, o), PASS_FAILED);
    ck_assert_mem_eq(f.mvm[0]->attrs->mvm.patch, patches[0].patch, 16);
    tear_down(&f);
}
END_TEST

START_TEST(test_pass_none)
{
    struct fixture f;
    set_up(&f);
    f.mvm[1]->attrs->mvm.copies = 5;
    ck_assert_int_eq(run(&f, options(DUP_NONE, CUT_W, 50, 0)), PASS_CHANGED);
    check_mvm(f.mvm[1], 1, 1, 1);
    ck_assert_str_eq(f.result.status, "none");
    ck_assert_double_eq(f.result.value, 120 + 80 + 48);
    ck_assert_int_eq(f.result.pes, 50);
    tear_down(&f);
}
END_TEST

static void check_failure(struct dup_options o, int64_t tiles, enum diag_code code,
                          const char *text)
{
    struct fixture f;
    set_up(&f);
    f.arch.tiles = tiles;
    f.arch.crossbars = 2;
    ck_assert_int_eq(run(&f, o), PASS_FAILED);
    ck_assert_int_eq(f.d->first->code, code);
    ck_assert_msg(strstr(f.d->first->text, text) != NULL, "%s", f.d->first->text);
    tear_down(&f);
}

/* Two tiles of two crossbars: four PEs, one of them for a second copy of the first layer. */
START_TEST(test_pass_whole_machine)
{
    struct fixture f;
    set_up(&f);
    f.arch.tiles = f.arch.crossbars = 2;
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, -1)), PASS_CHANGED);
    ck_assert_int_eq(f.result.pes, 4);
    ck_assert_int_eq(f.result.pes_used, 4);
    check_mvm(f.mvm[0], 2, 1, 2);
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, 0)), PASS_CHANGED);
    ck_assert_int_eq(f.result.pes, 3);
    f.arch.tiles = 0;
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, -1)), PASS_UNCHANGED);
    ck_assert_int_eq(f.result.pes, 3);
    tear_down(&f);
}
END_TEST

START_TEST(test_pass_failures)
{
    check_failure(options(DUP_SUM, CUT_W, 2, 0), 0, DIAG_CAPACITY,
                  "the network needs 3 PEs, --pes gives 2");
    check_failure(options(DUP_SUM, CUT_W, -1, -1), 1, DIAG_CAPACITY,
                  "the network needs 3 PEs, the machine has 2 (1 tiles of 2 crossbars)");
    check_failure(options(DUP_SUM, CUT_W, -1, INT64_MAX), 2, DIAG_CAPACITY,
                  "--extra-pes asks for 9223372036854775807 PEs, the machine has 4 (2 tiles of 2 "
                  "crossbars); at most --extra-pes 1");
    check_failure(options(DUP_MAKESPAN, CUT_W, -1, 0), 0, DIAG_DUPLICATION, "needs a schedule");
}
END_TEST

START_TEST(test_pass_bad_graphs)
{
    struct fixture f;
    set_up(&f);
    f.mvm[2]->attrs->mvm.slices[0] = 3;
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, 0)), PASS_FAILED);
    ck_assert_int_eq(f.d->last->code, DIAG_LOWER);
    f.mvm[0]->attrs->mvm.slices[0] = 0;
    ck_assert_int_eq(run(&f, options(DUP_SUM, CUT_W, -1, 0)), PASS_FAILED);
    ck_assert_int_eq(f.d->last->code, DIAG_PASS);
    tear_down(&f);
}
END_TEST

#endif
