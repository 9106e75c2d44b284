/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * export_test.c - a graph written as an ONNX model and read back computes the same, tried on random
 * graphs (rig.h, gen.h), as they are imported and as `partition` leaves them; written again, it is
 * the same file.
 *
 * One test point a seed. CIMC_PROPERTY_SEEDS=FROM:TO tries the seeds FROM..TO-1.
 */
#include "gen.h"
#include "onnx_export.h"
#include "pass.h"
#include "rig.h"
#include "../run_suite.h"
#include "../unit/onnx_model.h"

static void run_passes(struct rig *r, struct ir_graph **g)
{
    static const char up_to_partition[] =
        "fold,cse,dce,simplify,layout,fold-bn,simplify,fold,cse,dce,partition,cse,dce";
    struct pass_ctx ctx = {.diag = r->diag, .scratch = arena_new()};
    if (!pass_run_pipeline(up_to_partition, g, &ctx, &(struct pass_options){0}))
        rig_fail(r, "the passes fail");
    arena_free(ctx.scratch);
}

static struct ir_graph *import(struct rig *r, const struct text *file)
{
    struct ir_graph *g = import_folded(file, r->diag);
    if (!g)
        rig_fail(r, "the file is not read back");
    return g;
}

/* g written and read, which the rig's references hold for. */
static struct ir_graph *there_and_back(struct rig *r, const struct ir_graph *g, struct text *file)
{
    r->graph = g;
    rig_trace(r);
    if (!onnx_export(g, file, r->diag))
        rig_fail(r, "the graph is not written");
    struct ir_graph *back = import(r, file);
    rig_check_graph(r, back);
    return back;
}

/* The first times operators are taken apart, and what has no name gets one. */
enum { N_ROUNDS = 4 };

/* After that nothing is added any more; where no pass moves things to and fro, nothing changes. */
static void try_graph(const char *what, int seed, struct ir_graph *g, enum rig_agreement agreement,
                      bool settles)
{
    struct rig r;
    struct text file[2] = {{0}};
    uint32_t n_ops = 0;
    rig_open(&r, what, (uint64_t)seed, g);
    r.agreement = agreement;
    struct ir_graph *back = there_and_back(&r, g, &file[0]);
    ir_graph_free(back);
    run_passes(&r, &g);
    for (int i = 0; i < N_ROUNDS; i++) {
        n_ops = g->n_ops;
        file[i % 2].n = 0;
        back = there_and_back(&r, g, &file[i % 2]);
        ir_graph_free(g);
        run_passes(&r, &back);
        g = back;
    }
    if (g->n_ops != n_ops)
        rig_fail(&r, "written again it is another graph");
    if (settles && (file[0].n != file[1].n || memcmp(file[0].at, file[1].at, file[0].n) != 0))
        rig_fail(&r, "written again it is another file");
    text_free(&file[0]);
    text_free(&file[1]);
    rig_close(&r);
    ir_graph_free(g);
}

START_TEST(tensor_graph)
{
    try_graph("tensor", _i, gen_tensor((uint64_t)_i), RIG_ROUNDED, false);
}
END_TEST

START_TEST(typed_graph)
{
    try_graph("typed", _i, gen_typed((uint64_t)_i), RIG_EXACT, false);
}
END_TEST

START_TEST(exact_graph)
{
    try_graph("exact", _i, gen_quantized((uint64_t)_i, &(struct gen_quantization){.exact = true}),
              RIG_EXACT, true);
}
END_TEST

START_TEST(quantized_graph)
{
    try_graph("quantized", _i, gen_quantized((uint64_t)_i, &(struct gen_quantization){0}),
              RIG_STEPS, true);
}
END_TEST

START_TEST(all_operations)
{
    for (unsigned i = 0; i < IR_N_OPCODES; i++)
        ck_assert_msg(!(ir_op_descs[i].stages & (IR_TENSOR | IR_CANONICAL)) ==
                          !onnx_exports((enum ir_opcode)i),
                      "%s", ir_op_descs[i].name);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test, int from, int to)
{
    TCase *tc = tcase_create(name);
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, test, from, to);
    suite_add_tcase(s, tc);
}

int main(void)
{
    int from = 0, to = 40;
    const char *seeds = getenv("CIMC_PROPERTY_SEEDS");
    if (seeds && (sscanf(seeds, "%d:%d", &from, &to) != 2 || from < 0 || to < from)) {
        fprintf(stderr, "CIMC_PROPERTY_SEEDS: wants FROM:TO\n");
        return 2;
    }
    Suite *s = suite_create("export");
    add(s, "all", all_operations, 0, 1);
    add(s, "tensor", tensor_graph, from, to);
    add(s, "typed", typed_graph, from, to);
    add(s, "exact", exact_graph, from, to);
    add(s, "quantized", quantized_graph, from, to);
    return run_suite(s);
}
