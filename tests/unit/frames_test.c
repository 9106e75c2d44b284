/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * frames_test.c - bodies for several frames: intervals and times against hand arithmetic.
 *
 * Machine: clsa, where one pixel of a base layer takes one cycle and nothing else takes time, but
 * where a test says more.
 */
#include "backend.h"
#include "eval.h"
#include "gaps.h"
#include "sim.h"
#include "../run_suite.h"

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

/* settings: "field=value" of the machine, separated by spaces */
static struct compiled compile_as(const char *text, const char *settings, enum schedule_mode mode,
                                  int64_t rows, int64_t cols, uint32_t frames, int64_t pace)
{
    struct compiled c = {.arena = arena_new(), .diag = diag_new()};
    ck_assert(arch_load("clsa", c.arena, c.diag, &c.arch));
    char *copy = arena_strdup(c.arena, settings), *rest = NULL;
    for (char *s = strtok_r(copy, " ", &rest); s; s = strtok_r(NULL, " ", &rest))
        ck_assert(arch_set(&c.arch, s, c.diag));
    c.graph = ir_parse(text, strlen(text), "test.ir", c.diag);
    ck_assert_ptr_nonnull(c.graph);
    ir_number(c.graph);
    struct backend_options o = {.mode = mode,
                                .set = {.rows = rows, .cols = cols},
                                .pes = 100,
                                .report_sets = true,
                                .report_detail = true,
                                .frames = frames,
                                .pace = pace};
    c.program = backend_compile(c.graph, &c.arch, &o, &c.result, c.diag);
    bool ok = c.program && backend_check(c.program, c.graph, c.diag) &&
              backend_check(c.program, NULL, c.diag);
    if (!ok)
        diag_print(c.diag, stderr);
    ck_assert(ok);
    return c;
}

static struct compiled compile(const char *text, const char *settings, int64_t rows, int64_t cols,
                               uint32_t frames, int64_t pace)
{
    return compile_as(text, settings, SCHEDULE_CROSS_LAYER, rows, cols, frames, pace);
}

static void release(struct compiled *c)
{
    isa_program_free(c->program);
    ir_graph_free(c->graph);
    diag_free(c->diag);
    arena_free(c->arena);
}

/* 4 x 4 x 1 -> 1x1 conv a (4 x 4 x 2) -> 1x1 conv b of every second pixel (2 x 2 x 1). */
static const char halving[] =
    "graph \"halving\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,1,4,4], strides=[4,1,16], offset=0, "
    "extent=[4,4,1]} : f32[4x4x1] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[1,2], data=random(1)} : f32[1x2]\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[4x4x2] @\"a\"\n"
    "%3 = constant {dtype=\"f32\", shape=[2,1], data=random(2)} : f32[2x1]\n"
    "%4 = mvm %2, %3 {kernel=[1,1], stride=[2,2], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[2x2x1] @\"b\"\n"
    "output %4 {index=0, dtype=\"f32\", shape=[1,1,2,2], strides=[2,1,4], offset=0} @\"y\"\n"
    "}\n";

static const char narrowing[] =
    "graph \"narrowing\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,1,6,1], strides=[1,1,6], offset=0, "
    "extent=[6,1,1]} : f32[6x1x1] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[1,2], data=random(1)} : f32[1x2]\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[6x1x2] @\"a\"\n"
    "%3 = slice %2 {start=[0,0,0], step=[1,1,1], count=[4,1,2]} : f32[4x1x2]\n"
    "%4 = constant {dtype=\"f32\", shape=[2,1], data=random(2)} : f32[2x1]\n"
    "%5 = mvm %3, %4 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=1, cut=[1,1]} : f32[4x1x1] @\"b\"\n"
    "output %5 {index=0, dtype=\"f32\", shape=[1,1,4,1], strides=[1,1,4], offset=0} @\"y\"\n"
    "}\n";

static const char one_pixel[] =
    "graph \"pixel\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,2], extent=[1,1,2], strides=[0,0,1]} @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[2,2], data=splat(1.0)} @\"w\"\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1]} @\"y\"\n"
    "output %2 {index=0, dtype=\"f32\", shape=[1,2], strides=[0,0,1]} @\"y\"\n"
    "}\n";

/* a takes 16 cycles and never waits. The last pixel that b reads, (2, 2), is a's 11th, and b is
 * done at 12; but a goes on until 16, and with it the frame. */
START_TEST(frames_follow_at_the_pace_of_the_largest_layer)
{
    const uint32_t frames[] = {1, 2, 5, 1000};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct compiled c = compile(halving, "", 1, 1, frames[i], PACE_INTERVAL);
        ck_assert_uint_eq(c.result.interval_bound_cycles, 16);
        ck_assert_uint_eq(c.result.interval_cycles, 16);
        ck_assert_uint_eq(c.result.scheduled_cycles, 16 * frames[i]);
        ck_assert_uint_eq(c.result.latency_max_cycles, 16);
        ck_assert_uint_eq(c.program->pace, 16);
        ck_assert_uint_eq(c.program->frames, frames[i]);
        release(&c);
    }
}
END_TEST

/* Whole values: b starts at 16, and takes 4. A frame is under way for two intervals. */
START_TEST(stages_are_intervals_of_a_frame)
{
    struct compiled c = compile(halving, "", 4, 4, 3, PACE_INTERVAL);
    ck_assert_uint_eq(c.result.interval_cycles, 16);
    ck_assert_uint_eq(c.result.scheduled_cycles, 2 * 16 + 20);
    ck_assert_uint_eq(c.program->latency_cycles, 20);
    const struct isa_tile *t = &c.program->tiles[0];
    uint8_t stage[2];
    for (uint32_t i = 0; i < t->n_insts; i++)
        if (t->insts[i].op == ISA_mvm)
            stage[t->insts[i].obj] = t->insts[i].stage;
    ck_assert_uint_eq(stage[1], stage[0] + 1);
    release(&c);
}
END_TEST

/* A vector unit of one lane copies a's 32 and b's 4 products: 36 cycles a frame, more than a's 16.
 * Alone a frame has a [0, 16), its copy until 48, b until 52, its copy until 56. With a frame each
 * 36 cycles b's copy goes behind that of the next frame's a, [52, 84): until 88. The last frame has
 * it at once. */
START_TEST(a_unit_of_several_layers_is_never_idle)
{
    const uint64_t cycles[] = {56, 92, 128};
    for (uint32_t frames = 1; frames <= 3; frames++) {
        struct compiled c = compile(halving, "lanes=1", 4, 4, frames, PACE_INTERVAL);
        ck_assert_uint_eq(c.result.interval_bound_cycles, 36);
        ck_assert_uint_eq(c.result.interval_cycles, 36);
        ck_assert_uint_eq(c.result.makespan_cycles, 56);
        ck_assert_uint_eq(c.result.scheduled_cycles, cycles[frames - 1]);
        release(&c);
    }
    struct compiled c = compile(halving, "lanes=1", 4, 4, 1000, PACE_INTERVAL);
    ck_assert_uint_eq(c.result.scheduled_cycles, 128 + 997 * 36);
    ck_assert_uint_eq(c.result.latency_min_cycles, 56); /* of the last */
    ck_assert_uint_eq(c.result.latency_max_cycles, 88);
    release(&c);
}
END_TEST

/* 40 layers of one cycle: one each cycle would be under way in 40 stages. */
START_TEST(too_many_stages_take_a_longer_interval)
{
    struct text t = {0};
    text_add(&t, "graph \"long\" crossbar {\n"
                 "%%0 = input {index=0, dtype=\"f32\", shape=[1,2], extent=[1,1,2], "
                 "strides=[0,0,1]} @\"x\"\n"
                 "%%1 = constant {dtype=\"f32\", shape=[2,2], data=splat(0.5)} @\"w\"\n");
    for (int i = 0; i < 40; i++)
        text_add(&t,
                 "%%%d = mvm %%%d, %%1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, "
                 "slices=[1,1]} @\"y%d\"\n",
                 i + 2, i ? i + 1 : 0, i);
    text_add(&t, "output %%41 {index=0, dtype=\"f32\", shape=[1,2], strides=[0,0,1]} @\"y\"\n}\n");
    struct compiled c = compile(t.at, "", 1, 1, 10, PACE_INTERVAL);
    ck_assert_uint_eq(c.result.interval_bound_cycles, 1);
    ck_assert_uint_eq(c.result.interval_cycles, 2);
    ck_assert_uint_eq(c.result.scheduled_cycles, 9 * 2 + 40);
    release(&c);
    text_free(&t);
}
END_TEST

/* Layer by layer a frame is over, after 16 + 4 cycles, before the next one begins. */
START_TEST(layer_by_layer_is_frame_by_frame)
{
    struct compiled c = compile_as(halving, "", SCHEDULE_LAYER_BY_LAYER, 1, 1, 5, PACE_INTERVAL);
    ck_assert_uint_eq(c.result.interval_cycles, 20);
    ck_assert_uint_eq(c.result.scheduled_cycles, 100);
    release(&c);
}
END_TEST

/* While a works on a frame, from 0 to 16, b works on the one before, from 0 to 4: 20 of 1,600
 * cycles of 100 PEs. */
START_TEST(within_an_interval_several_frames_are_under_way)
{
    struct compiled c = compile(halving, "", 4, 4, 3, PACE_INTERVAL);
    ck_assert_uint_eq(c.result.n_steady_sets, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct set_report *s = &c.result.steady_sets[i];
        ck_assert_uint_eq(s->frames_ago, s->layer);
        ck_assert_uint_eq(s->start_cycle, 0);
        ck_assert_uint_eq(s->end_cycle, s->layer ? 4 : 16);
    }
    ck_assert_double_eq(c.result.steady_utilisation, 20 / 1600.0);
    /* until 4: input and sums of a, 64 and 128 bytes; a and sums of b, 128 and 16, of the frame
     * before; alone a frame has the former until 16 and the latter from then on */
    ck_assert_uint_eq(c.result.detail->peak_bytes, 336);
    release(&c);
    c = compile(halving, "", 4, 4, 0, PACE_INTERVAL);
    ck_assert_uint_eq(c.result.detail->peak_bytes, 192);
    ck_assert_uint_eq(c.program->frames, 0);
    release(&c);
}
END_TEST

/* 6 x 1 -> a (1x1 conv, 6 cycles) -> b (of 4 rows, 4 cycles, from 4 on): each 6 cycles b's [4, 8)
 * is cut at 6. */
START_TEST(a_set_may_be_cut_at_the_end_of_the_interval)
{
    struct compiled c = compile(narrowing, "", 4, 1, 3, PACE_INTERVAL);
    uint64_t cycles[2][2] = {{0}};
    ck_assert_uint_eq(c.result.interval_cycles, 6);
    for (uint32_t i = 0; i < c.result.n_steady_sets; i++) {
        const struct set_report *s = &c.result.steady_sets[i];
        ck_assert_uint_le(s->end_cycle, 6);
        cycles[s->layer][s->frames_ago] += s->end_cycle - s->start_cycle;
    }
    ck_assert_uint_eq(cycles[0][0], 6);
    ck_assert_uint_eq(cycles[1][0], 2);
    ck_assert_uint_eq(cycles[1][1], 2);
    release(&c);
}
END_TEST

/* Work of no time in the last cycle of a frame, which is an interval later where it begins with it.
 */
START_TEST(a_frame_may_end_with_what_takes_no_time)
{
    struct compiled c = compile(one_pixel, "", 1, 1, 3, PACE_INTERVAL);
    ck_assert_uint_eq(c.result.interval_cycles, 1);
    ck_assert_uint_eq(c.result.scheduled_cycles, 3);
    release(&c);
}
END_TEST

/* s = s * 1 + x, from frame to frame; y = s + s. A cycle for the product, six of a vector unit of
 * one lane for three sums of two: seven from s to s, of which y, in the middle or behind, may take
 * part. */
static const char sums[] =
    "graph \"sums\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,2], extent=[1,1,2], strides=[0,0,1]} @\"x\"\n"
    "%1 = input {index=1, dtype=\"f32\", shape=[1,2], extent=[1,1,2], strides=[0,0,1], state=1} "
    "@\"s\"\n"
    "%2 = constant {dtype=\"f32\", shape=[2,2], data=dense(1.0, 0.0, 0.0, 1.0)} @\"w\"\n"
    "%3 = mvm %1, %2 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, slices=[1,1]}\n"
    "%4 = add %3, %0\n"
    "%5 = add %4, %4\n"
    "output %4 {index=0, dtype=\"f32\", shape=[1,2], strides=[0,0,1]} @\"t\"\n"
    "output %5 {index=1, dtype=\"f32\", shape=[1,2], strides=[0,0,1]} @\"y\"\n"
    "}\n";

START_TEST(a_frame_leaves_its_state_to_the_next_one)
{
    static const char *const machines[] = {"", "lanes=1", "lanes=1 hop_cycles=9 crossbars=1",
                                           "dram_cycles=30 mvm_cycles=5"};
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
        struct compiled c = compile(sums, machines[i], 1, 1, 3, PACE_INTERVAL);
        const float x[] = {1, 2, 3, 4, 5, 6}, s[] = {1, 10};
        const float want[] = {4, 24, 10, 32, 20, 44};
        for (uint64_t seed = 0; seed < 4; seed++) {
            float t[2] = {0}, y[6] = {0};
            struct sim_result r;
            struct sim_options o = {.latency_seed = seed, .max_extra_cycles = 20};
            bool ok = sim_run(c.program, (const void *[]){x, s}, (void *[]){t, y}, &o, &r, c.diag);
            if (!ok)
                diag_print(c.diag, stderr);
            ck_assert(ok);
            ck_assert_float_eq(t[0], 10);
            ck_assert_float_eq(t[1], 22);
            ck_assert_mem_eq(y, want, sizeof want);
            if (seed == 0)
                ck_assert_uint_eq(r.cycles, c.result.scheduled_cycles);
        }
        release(&c);
    }
}
END_TEST

/* The outputs of three frames of sums[], for these latencies. */
static bool sums_are_right(const struct compiled *c, uint64_t seed)
{
    const float x[] = {1, 2, 3, 4, 5, 6}, s[] = {1, 10}, want[] = {4, 24, 10, 32, 20, 44};
    float t[2] = {0}, y[6] = {0};
    struct sim_result r;
    struct sim_options o = {.latency_seed = seed, .max_extra_cycles = 30};
    struct diag *d = diag_new();
    bool ok = sim_run(c->program, (const void *[]){x, s}, (void *[]){t, y}, &o, &r, d);
    diag_free(d);
    return ok && t[0] == 10 && t[1] == 22 && memcmp(y, want, sizeof want) == 0;
}

/* Without one of its waits, or as an instruction of another frame: rejected, or no harm is done. */
static void break_instruction(struct compiled *c, struct isa_inst *in, unsigned how)
{
    const struct isa_inst before = *in;
    if (how < in->n_waits)
        in->wait[how] = in->wait[--in->n_waits];
    else
        in->stage++;
    struct diag *d = diag_new();
    bool ok = backend_check(c->program, c->graph, d);
    diag_free(d);
    for (uint64_t seed = 0; seed < 10 && ok; seed++)
        ck_assert_msg(sums_are_right(c, seed), "%s, %u, seed %u", isa_op_name(in->op), how,
                      (unsigned)seed);
    *in = before;
}

START_TEST(a_state_needs_its_waits)
{
    static const char *const machines[] = {"lanes=1", "lanes=1 hop_cycles=9 crossbars=1"};
    struct compiled c = compile(sums, machines[_i], 1, 1, 3, PACE_INTERVAL);
    for (uint32_t t = 0; t < c.program->n_tiles; t++)
        for (uint32_t i = 0; i < c.program->tiles[t].n_insts; i++) {
            struct isa_inst *in = (struct isa_inst *)(uintptr_t)&c.program->tiles[t].insts[i];
            for (unsigned how = 0; how <= in->n_waits; how++)
                break_instruction(&c, in, how);
        }
    release(&c);
}
END_TEST

/* A picture that is left from frame to frame: s = relu(3x3 conv of s, two copies, + x); y = 2x2
 * max of s, and s also as it was before. */
static const char picture[] =
    "graph \"picture\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,4,6,6], strides=[6,1,36], offset=0, "
    "extent=[6,6,4]} : f32[6x6x4] @\"x\"\n"
    "%1 = input {index=1, dtype=\"f32\", shape=[1,4,6,6], strides=[6,1,36], offset=0, "
    "extent=[6,6,4], state=1} : f32[6x6x4] @\"s\"\n"
    "%2 = constant {dtype=\"f32\", shape=[36,4], data=random(3)} : f32[36x4]\n"
    "%3 = pad %1 {before=[1,1,0], after=[1,1,0], mode=\"constant\", value=0.0} : f32[8x8x4]\n"
    "%4 = mvm %3, %2 {kernel=[3,3], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=2, cut=[1,2]} : f32[6x6x4] @\"a\"\n"
    "%5 = add %4, %0 : f32[6x6x4]\n"
    "%6 = relu %5 : f32[6x6x4]\n"
    "%7 = max_pool %6 {kernel=[2,2], stride=[2,2], dilation=[1,1], pad=[0,0,0,0]} : "
    "f32[3x3x4]\n"
    "%8 = neg %1 : f32[6x6x4]\n"
    "output %6 {index=0, dtype=\"f32\", shape=[1,4,6,6], strides=[6,1,36], offset=0} @\"t\"\n"
    "output %7 {index=1, dtype=\"f32\", shape=[1,4,3,3], strides=[3,1,9], offset=0} @\"y\"\n"
    "output %8 {index=2, dtype=\"f32\", shape=[1,4,6,6], strides=[6,1,36], offset=0} @\"z\"\n"
    "}\n";
enum { N_FRAMES = 4, PIXELS = 4 * 6 * 6, POOLED = 4 * 3 * 3 };

/* Frame by frame, as the evaluator has it: the last s, all y, all z. */
static void evaluate(struct compiled *c, const float *x, const float *s, float *t, float *y,
                     float *z)
{
    const int64_t dim[] = {1, 4, 6, 6};
    struct ir_type type = ir_type_of(IR_F32, 4, dim);
    struct tensor in[2] = {tensor_new(&type), tensor_new(&type)}, out[3];
    memcpy(in[1].data, s, PIXELS * sizeof *s);
    for (int f = 0; f < N_FRAMES; f++) {
        memcpy(in[0].data, x + f * PIXELS, PIXELS * sizeof *x);
        ck_assert(eval_graph(c->graph, in, 2, out, 3, NULL, c->diag));
        memcpy(in[1].data, out[0].data, PIXELS * sizeof *t);
        memcpy(t, out[0].data, PIXELS * sizeof *t);
        memcpy(y + f * POOLED, out[1].data, POOLED * sizeof *y);
        memcpy(z + f * PIXELS, out[2].data, PIXELS * sizeof *z);
        for (int k = 0; k < 3; k++)
            tensor_free(&out[k]);
    }
    tensor_free(&in[0]);
    tensor_free(&in[1]);
}

static void expect_close(const float *got, const float *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(got[i] - want[i]) <= 1e-4f * fmaxf(1, fabsf(want[i])),
                      "%zu: %g, want %g", i, (double)got[i], (double)want[i]);
}

START_TEST(a_picture_is_left_to_the_next_frame)
{
    static const char *const machines[] = {"", "crossbars=1 lanes=2 hop_cycles=3",
                                           ("topology=mesh crossbars=1 hop_cycles=20 dram_cycles=9 "
                                            "link_bytes_per_cycle=8 queue_depth=1")};
    static const int64_t sets[][2] = {{1, 0}, {1, 1}, {3, 2}, {0, 0}};
    struct compiled c = compile(picture, machines[_i % 3], sets[_i / 3][0], sets[_i / 3][1],
                                N_FRAMES, _i % 2 ? 0 : PACE_INTERVAL);
    float x[N_FRAMES * PIXELS], s[PIXELS], t[2][PIXELS], y[2][N_FRAMES * POOLED];
    float z[2][N_FRAMES * PIXELS];
    uint64_t random = (uint64_t)_i + 1;
    for (int i = 0; i < N_FRAMES * PIXELS; i++)
        x[i] = (float)(random_next(&random) >> 40) * 0x1p-23f - 1;
    memcpy(s, x + PIXELS / 2, sizeof s);
    evaluate(&c, x, s, t[1], y[1], z[1]);
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct sim_result r;
        struct sim_options o = {.latency_seed = seed, .max_extra_cycles = 40};
        void *out[] = {t[0], y[0], z[0]};
        bool ok = sim_run(c.program, (const void *[]){x, s}, out, &o, &r, c.diag);
        if (!ok)
            diag_print(c.diag, stderr);
        ck_assert(ok);
        ck_assert(seed || r.cycles == c.result.scheduled_cycles);
        expect_close(t[0], t[1], PIXELS);
        expect_close(y[0], y[1], N_FRAMES * POOLED);
        expect_close(z[0], z[1], N_FRAMES * PIXELS);
    }
    release(&c);
}
END_TEST

/* What no tile makes cannot be sent. */
START_TEST(a_state_is_made_on_tiles)
{
    char *text = strdup(sums);
    memcpy(strstr(text, "output %4"), "output %0", strlen("output %0"));
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct arch arch;
    struct backend_result result;
    ck_assert(arch_load("clsa", a, d, &arch));
    struct ir_graph *g = ir_parse(text, strlen(text), "test.ir", d);
    ir_number(g);
    struct backend_options o = {.set = {.rows = 1}, .pes = 100, .frames = 2};
    ck_assert_ptr_null(backend_compile(g, &arch, &o, &result, d));
    ck_assert_uint_eq(d->n_errors, 1);
    ck_assert_str_eq(
        d->first->text,
        "input 's' continues an output that no tile makes, or that has other elements");
    ir_graph_free(g);
    diag_free(d);
    arena_free(a);
    free(text);
}
END_TEST

/* 30 cycles are asked for; or nothing, and credits alone hold the frames apart: as long as a.
 */
START_TEST(the_pace_is_a_choice)
{
    struct compiled c = compile(halving, "", 4, 4, 3, 30);
    ck_assert_uint_eq(c.result.interval_cycles, 30);
    ck_assert_uint_eq(c.result.interval_bound_cycles, 16);
    ck_assert_uint_eq(c.result.scheduled_cycles, 2 * 30 + 20);
    release(&c);
    c = compile(halving, "", 4, 4, 3, 0);
    ck_assert_uint_eq(c.program->pace, 0);
    ck_assert_uint_eq(c.result.scheduled_cycles, 2 * 16 + 20);
    release(&c);
    c = compile(halving, "", 4, 4, 1000000, 0);
    ck_assert_uint_eq(c.result.scheduled_cycles, 999999 * 16 + 20);
    release(&c);
}
END_TEST

/* Whatever instructions take besides their work: frames that repeat are passed over, but not before
 * what fell behind at first, the pace or the dispatches, has been caught up with. And LOADs know
 * whom they wait for where a product starts late because few are in flight. */
START_TEST(instructions_take_time)
{
    static const struct {
        const char *machine;
        int64_t set, pace;
    } of[] = {
        {"issue_cycles=1 start_cycles=1 complete_cycles=1 inflight=4", 1, 0},
        {"issue_cycles=7 complete_cycles=5 inflight=3 hop_cycles=9 crossbars=1 lanes=4", 1, 0},
        {"issue_cycles=2 queue_depth=2 start_cycles=2 complete_cycles=2 dram_cycles=5 crossbars=1 "
         "dram_bytes_per_cycle=5",
         3, 35},
        {"issue_cycles=2 queue_depth=1 start_cycles=1 complete_cycles=2 inflight=3 lanes=2 "
         "crossbars=2 dram_bytes_per_cycle=6",
         2, 31},
        {"issue_cycles=5 queue_depth=3 start_cycles=1 complete_cycles=2 lanes=1 hop_cycles=2 "
         "crossbars=2 dram_bytes_per_cycle=2",
         3, 76},
        {"issue_cycles=1 queue_depth=5 start_cycles=2 complete_cycles=2 inflight=1 lanes=2 "
         "crossbars=1 dram_bytes_per_cycle=6",
         1, PACE_INTERVAL},
        {"queue_depth=64 inflight=64 complete_cycles=3 start_cycles=1 dram_cycles=300", 1, 0},
    };
    struct sim_options o = {.no_function = true};
    struct sim_result r;
    struct compiled c = compile(halving, of[_i].machine, of[_i].set, of[_i].set, 0, 0);
    ck_assert(sim_run(c.program, NULL, NULL, &o, &r, c.diag));
    ck_assert_uint_eq(r.cycles, c.program->scheduled_cycles);
    ck_assert_uint_eq(r.cycles, c.result.makespan_cycles);
    release(&c);
    c = compile(halving, of[_i].machine, of[_i].set, of[_i].set, 60, of[_i].pace);
    ck_assert(sim_run(c.program, NULL, NULL, &o, &r, c.diag));
    ck_assert_uint_eq(r.cycles, c.result.scheduled_cycles);
    ck_assert_uint_eq(r.latency_min_cycles, c.result.latency_min_cycles);
    ck_assert_uint_eq(r.latency_max_cycles, c.result.latency_max_cycles);
    release(&c);
}
END_TEST

/* Rows of five pixels: one copy makes three of each, the other two. */
static const char paces[] =
    "graph \"paces\" crossbar {\n"
    "%0 = input {index=0, dtype=\"f32\", shape=[1,1,240,5], strides=[5,1,1200], offset=0, "
    "extent=[240,5,1]} : f32[240x5x1] @\"x\"\n"
    "%1 = constant {dtype=\"f32\", shape=[1,1], data=splat(2.0)} : f32[1x1]\n"
    "%2 = mvm %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1], group=1, weights=0, "
    "slices=[1,1], copies=2, cut=[1,2]} : f32[240x5x1] @\"a\"\n"
    "output %2 {index=0, dtype=\"f32\", shape=[1,1,240,5], strides=[5,1,1200], offset=0} @\"y\"\n"
    "}\n";

/* A frame takes the slower copy 3 x 240 cycles. The faster one asks for the rows, so the slower one
 * is ever more rows behind; with frames a row also waits until its slot is free. Waits that are all
 * different would take more than a byte an instruction; rounded ones take less. That delays
 * nothing, however few instructions are dispatched ahead, and is right at other latencies. */
START_TEST(copies_at_different_paces_take_few_bytes)
{
    enum { VALUES = 240 * 5, TIMES = 3 };
    struct compiled one = compile(paces, "", 1, 5, 0, PACE_INTERVAL);
    const char *settings[] = {"queue_depth=8", "queue_depth=1"};
    float x[TIMES * VALUES], y[TIMES * VALUES];
    for (int i = 0; i < TIMES * VALUES; i++)
        x[i] = (float)i;
    struct compiled c = compile(paces, settings[_i], 1, 5, TIMES, PACE_INTERVAL);
    ck_assert_uint_eq(one.result.scheduled_cycles, 3 * 240);
    ck_assert_uint_eq(c.result.scheduled_cycles, TIMES * 3 * 240);
    ck_assert_uint_eq(one.result.n_instructions, 240 + 3 * 480); /* LOADs, and MVM, VMAP, STORE */
    ck_assert_uint_lt(one.result.code_bytes, one.result.n_instructions);
    ck_assert_uint_lt(c.result.code_bytes, c.result.n_instructions);
    for (uint64_t seed = 0; seed < 3; seed++) {
        struct sim_result r;
        struct sim_options o = {.latency_seed = seed, .max_extra_cycles = 40};
        ck_assert(sim_run(c.program, (const void *[]){x}, (void *[]){y}, &o, &r, c.diag));
        ck_assert(seed || r.cycles == c.result.scheduled_cycles);
        for (int i = 0; i < TIMES * VALUES; i++)
            ck_assert_float_eq(y[i], 2 * x[i]);
    }
    release(&one);
    release(&c);
}
END_TEST

/* 3 of 10 cycles are taken three times: [4, 7), [7, 10), [0, 3) of the next, where 4 begins the
 * interval; one is left. */
START_TEST(idle_times_of_a_unit)
{
    struct gaps g = {0};
    uint64_t at = 4;
    gaps_reset(&g, 10);
    ck_assert(gaps_take(&g, 3, &at));
    ck_assert_uint_eq(at, 4);
    at = 15;
    ck_assert(gaps_take(&g, 3, &at));
    ck_assert_uint_eq(at, 17);
    at = 24;
    ck_assert(gaps_take(&g, 3, &at));
    ck_assert_uint_eq(at, 30);
    at = 31;
    ck_assert(!gaps_take(&g, 2, &at));
    ck_assert(gaps_take(&g, 1, &at));
    ck_assert_uint_eq(at, 33);
    ck_assert(!gaps_take(&g, 1, &at));
    gaps_free(&g);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("frames");
    TCase *t = tcase_create("frames");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, frames_follow_at_the_pace_of_the_largest_layer);
    tcase_add_test(t, stages_are_intervals_of_a_frame);
    tcase_add_test(t, a_frame_may_end_with_what_takes_no_time);
    tcase_add_test(t, within_an_interval_several_frames_are_under_way);
    tcase_add_test(t, a_set_may_be_cut_at_the_end_of_the_interval);
    tcase_add_test(t, a_unit_of_several_layers_is_never_idle);
    tcase_add_test(t, too_many_stages_take_a_longer_interval);
    tcase_add_test(t, layer_by_layer_is_frame_by_frame);
    tcase_add_test(t, a_frame_leaves_its_state_to_the_next_one);
    tcase_add_test(t, a_state_is_made_on_tiles);
    tcase_add_loop_test(t, a_state_needs_its_waits, 0, 2);
    tcase_add_loop_test(t, a_picture_is_left_to_the_next_frame, 0, 12);
    tcase_add_test(t, the_pace_is_a_choice);
    tcase_add_loop_test(t, instructions_take_time, 0, 7);
    tcase_add_loop_test(t, copies_at_different_paces_take_few_bytes, 0, 2);
    tcase_add_test(t, idle_times_of_a_unit);
    suite_add_tcase(s, t);
    return run_suite(s);
}
