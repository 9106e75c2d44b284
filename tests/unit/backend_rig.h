/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * backend_rig.h - compiles IR text for a machine, and runs it against the evaluator.
 *
 * Machine: clsa, where one pixel of a base layer takes one cycle and nothing else takes time.
 */
#ifndef CIMC_TEST_BACKEND_RIG_H
#define CIMC_TEST_BACKEND_RIG_H

#include "backend.h"
#include "eval.h"
#include "sim.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct compiled {
    struct arena *arena;
    struct diag *diag;
    struct arch arch;
    struct ir_graph *graph;
    struct isa_program *program;
    struct backend_result result;
};

static inline struct set_shape shape(int64_t rows, int64_t cols)
{
    return (struct set_shape){.rows = rows, .cols = cols};
}

/* Compiles IR text; settings are "field=value" of the machine, separated by spaces. */
static inline struct compiled compile_on(int64_t pes, const char *text, const char *settings,
                                         enum schedule_mode mode, struct set_shape set)
{
    struct compiled c = {.arena = arena_new(), .diag = diag_new()};
    ck_assert(arch_load("clsa", c.arena, c.diag, &c.arch));
    char *copy = arena_strdup(c.arena, settings), *rest = NULL;
    for (char *s = strtok_r(copy, " ", &rest); s; s = strtok_r(NULL, " ", &rest))
        ck_assert(arch_set(&c.arch, s, c.diag));
    c.graph = ir_parse(text, strlen(text), "test.ir", c.diag);
    if (!c.graph)
        diag_print(c.diag, stderr);
    ck_assert_ptr_nonnull(c.graph);
    ir_number(c.graph);
    struct backend_options o = {
        .mode = mode, .set = set, .pes = pes, .report_sets = true, .report_detail = true};
    c.program = backend_compile(c.graph, &c.arch, &o, &c.result, c.diag);
    return c;
}

static inline struct compiled compile(const char *text, const char *settings,
                                      enum schedule_mode mode, struct set_shape set)
{
    return compile_on(10000, text, settings, mode, set);
}

static inline void release(struct compiled *c)
{
    isa_program_free(c->program);
    ir_graph_free(c->graph);
    diag_free(c->diag);
    arena_free(c->arena);
}

static inline struct tensor outside(const struct ir_ints *shape, uint64_t *seed)
{
    struct ir_type t = ir_type_of(IR_F32, shape->n, shape->at);
    struct tensor x = tensor_new(&t);
    for (int64_t i = 0; seed && i < ir_count(&t); i++)
        ((float *)x.data)[i] = (float)(random_next(seed) >> 40) * 0x1p-23f - 1;
    return x;
}

/* One input, one output: the checked program, run with the given latencies, gives what the
 * evaluator gives. Returns the simulated cycles. */
static inline uint64_t run(struct compiled *c, uint64_t latency_seed)
{
    struct tensor in = {0}, want = {0}, got = {0};
    uint64_t seed = 1;
    for (const struct ir_op *op = c->graph->first; op; op = op->next) {
        if (op->opcode == IR_input && !in.data)
            in = outside(&op->attrs->input.shape, &seed);
        if (op->opcode == IR_output)
            got = outside(&op->attrs->output.shape, NULL);
    }
    bool ok = backend_check(c->program, c->graph, c->diag) &&
              eval_graph(c->graph, &in, 1, &want, 1, NULL, c->diag);
    struct sim_options o = {.latency_seed = latency_seed, .max_extra_cycles = 9};
    struct sim_result r = {0};
    const void *ins[1] = {in.data};
    void *outs[1] = {got.data};
    ok = ok && sim_run(c->program, ins, outs, &o, &r, c->diag);
    if (!ok)
        diag_print(c->diag, stderr);
    ck_assert(ok);
    double most = 0, error = 0;
    for (int64_t i = 0; i < ir_count(&want.type); i++) {
        double x = ((float *)want.data)[i], y = ((float *)got.data)[i];
        most = fmax(most, fabs(x));
        error = fmax(error, isnan(y) ? (double)INFINITY : fabs(x - y));
    }
    ck_assert_double_le(error, 1e-4 * most);
    tensor_free(&in);
    tensor_free(&want);
    tensor_free(&got);
    return r.cycles;
}

/* Compiles, checks the makespan against hand arithmetic, runs as predicted and with other
 * latencies. */
static inline void expect(const char *text, const char *settings, enum schedule_mode mode,
                          struct set_shape set, uint64_t cycles)
{
    struct compiled c = compile(text, settings, mode, set);
    if (!c.program)
        diag_print(c.diag, stderr);
    ck_assert_ptr_nonnull(c.program);
    ck_assert_uint_eq(c.result.makespan_cycles, cycles);
    ck_assert_uint_eq(run(&c, 0), cycles);
    for (uint64_t s = 1; s <= 3; s++)
        run(&c, s);
    release(&c);
}

#endif
