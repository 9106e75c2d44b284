/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_frames_tests.h - bodies that are run for several frames: values, times by hand, state from
 * frame to frame, rings that go on. Times are those of SIM.md 4.
 */
#ifndef CIMC_TEST_SIM_FRAMES_H
#define CIMC_TEST_SIM_FRAMES_H

#include "isa.h"
#include "sim.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 16, FRAME_FLOATS = 32 };

/* A program and what one run of it gave. */
struct body {
    struct isa_program *p;
    struct diag *d;
    float x[MOST_FRAMES * FRAME_FLOATS], second[FRAME_FLOATS];
    float y[MOST_FRAMES * FRAME_FLOATS], last[FRAME_FLOATS];
    struct sim_result r;
};

/* Input 0 counts on through the frames, input 1 is 100, 101, ... */
static void body_open(struct body *b, const char *text)
{
    *b = (struct body){.d = diag_new()};
    b->p = isa_assemble(text, strlen(text), "text", b->d);
    diag_print(b->d, stderr);
    ck_assert_ptr_nonnull(b->p);
    for (int i = 0; i < MOST_FRAMES * FRAME_FLOATS; i++)
        b->x[i] = (float)i;
    for (int i = 0; i < FRAME_FLOATS; i++)
        b->second[i] = (float)(100 + i);
}

static void body_close(struct body *b)
{
    isa_program_free(b->p);
    diag_free(b->d);
}

static bool body_run(struct body *b, struct sim_options o)
{
    for (int i = 0; i < MOST_FRAMES * FRAME_FLOATS; i++)
        b->y[i] = -1;
    for (int i = 0; i < FRAME_FLOATS; i++)
        b->last[i] = -1;
    return sim_run(b->p, (const void *[]){b->x, b->second}, (void *[]){b->y, b->last}, &o, &b->r,
                   b->d);
}

static void look_on(void *self, const struct sim *s, uint32_t tile, uint32_t frame, uint32_t index,
                    const struct isa_inst *i)
{
    (void)self, (void)s, (void)tile, (void)frame, (void)index, (void)i;
}

/* In batches and one by one, in due time and with random latencies. */
static void body_run_all(struct body *b, uint32_t frames, void (*check)(const struct body *b))
{
    for (uint64_t seed = 0; seed < 8; seed++)
        for (int lazy = 0; lazy < 2; lazy++) {
            ck_assert(body_run(b, (struct sim_options){.frames = frames,
                                                       .latency_seed = seed,
                                                       .max_extra_cycles = 20,
                                                       .executed = lazy ? NULL : look_on}));
            check(b);
        }
}

#define FRAME_VIEW(more)                                                                           \
    "{ring_rows=1, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4, "         \
    "channel_pitch=4" more "}\n"
#define FRAME_BINDING "shape=[4], stride_w=1, height=1, width=4, channels=1, frame_stride=4}\n"
#define FRAME_GROUP                                                                                \
    "group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, "        \
    "in_channels=1} [{k=1, n=1}]\n"

/* SIM.md 4, 14. */
static const char two_stages[] =
    "isa 2 frames 3 pes 1 arch \"base: clsa\\nlanes: 1\\nvector_setup_cycles: 8\\n\"\n"
    "\"link_bytes_per_cycle: 8\\nhop_cycles: 5\\n\"\n"
    "node 0 {} section 0 \"w\" hex { 00000040 } image 0 {k=1, n=1}\n"
    "binding 0 {" FRAME_BINDING "binding 1 {index=1, shape=[4], stride_w=1, height=1, width=4, "
    "channels=1}\n"
    "binding 2 {output=1, " FRAME_BINDING "tile 0 {buffer_bytes=32, inbound_counters=1, step=[1]}\n"
    "view 0 " FRAME_VIEW(", frame_rows=1") "view 1 " FRAME_VIEW(", address=16, frame_rows=1")
        FRAME_GROUP
    "route 0 [{tile=1, counter=128}]\n"
    "q3.load b0 dst=v0(0,0) h=1 w=4 y=0 x=0 c=0 wait q0>=0\n"
    "q0.mvm g0 dst=v1(0,0) h=1 w=4 wait q3>=1, q2>=0\n"
    "q2.send r0 a=v1(0,0) h=1 w=4 wait q0>=1, i128>=1\n"
    "tile 1 {buffer_bytes=48, inbound_counters=1, step=[1]}\n"
    "view 0 " FRAME_VIEW(", frame_rows=1") "view 1 " FRAME_VIEW(
        ", address=16, frame_rows=1") "view 2 " FRAME_VIEW(", address=32") "program 0 {arity=2} "
                                                                           "[add a b]\n"
                                                                           "route 0 "
                                                                           "[{counter=128}]\n"
                                                                           "q2.load b1 first "
                                                                           "dst=v2(0,0) h=1 w=4 "
                                                                           "y=0 x=0 c=0\n"
                                                                           "q0.vmap p0 dst=v1(0,0) "
                                                                           "h=1 w=4 a=v0(0,0) "
                                                                           "b=v2(0,0) stage=1 wait "
                                                                           "i128>=0, q2>=1\n"
                                                                           "q2.store b2 a=v1(0,0) "
                                                                           "h=1 w=4 y=0 x=0 c=0 "
                                                                           "stage=1 wait q0>=1\n"
                                                                           "q1.signal r0 stage=1 "
                                                                           "wait q0>=1\n";

static void two_stages_values(const struct body *b)
{
    for (uint32_t i = 0; i < MOST_FRAMES * 4; i++)
        ck_assert_float_eq(b->y[i], i < 4 * b->r.frames ? (float)(2 * i + 100 + i % 4) : -1);
}

static void latencies(const struct body *b, uint64_t cycles, uint64_t least, uint64_t most)
{
    ck_assert_uint_eq(b->r.cycles, cycles);
    ck_assert_uint_eq(b->r.latency_min_cycles, least);
    ck_assert_uint_eq(b->r.latency_max_cycles, most);
}

START_TEST(frames_of_two_stages)
{
    struct body b;
    body_open(&b, two_stages);
    body_run_all(&b, 0, two_stages_values);
    body_run_all(&b, 1, two_stages_values);
    body_run_all(&b, 16, two_stages_values);
    ck_assert(body_run(&b, (struct sim_options){0}));
    ck_assert_uint_eq(b.r.frames, 3);
    latencies(&b, 71, 23, 61);
    ck_assert_double_eq(b.r.interval_cycles, 24);
    ck_assert_double_eq_tol(b.r.steady_utilisation, 4.0 / 24, 1e-12);
    ck_assert_uint_eq(b.r.pe_busy_cycles, 12);
    ck_assert_uint_eq(b.r.n_instructions, 3 * 6 + 1); /* the rest is skipped */
    ck_assert(body_run(&b, (struct sim_options){.frames = 1}));
    latencies(&b, 23, 23, 23);
    ck_assert(isnan(b.r.interval_cycles) && isnan(b.r.steady_utilisation));
    ck_assert(body_run(&b, (struct sim_options){.frames = 5, .no_function = true}));
    latencies(&b, 119, 23, 61);
    /* The sequencer is held up, but what bounds the interval is the credit. */
    b.p->arch.queue_depth = 1;
    ck_assert(body_run(&b, (struct sim_options){0}));
    two_stages_values(&b);
    ck_assert_double_eq(b.r.interval_cycles, 24);
    body_close(&b);
}
END_TEST

/* SIM.md 4, 15. */
static const char paced[] =
    "isa 2 frames 3 pace 4 arch \"base: clsa\\ndram_cycles: 2\\n\"\n"
    "node 0 {} section 0 \"w\" hex { 00000040 } image 0 {k=1, n=1}\n"
    "binding 0 {" FRAME_BINDING "binding 1 {output=1, " FRAME_BINDING "tile 0 {buffer_bytes=64}\n"
    "view 0 {ring_rows=2, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16, col_pitch=4,\n"
    "  channel_pitch=4, frame_rows=1}\n"
    "view 1 {address=32, ring_rows=2, y1=1, x1=4, height=1, width=4, channels=1, row_pitch=16,\n"
    "  col_pitch=4, channel_pitch=4, frame_rows=1}\n" FRAME_GROUP
    "q3.load b0 dst=v0(0,0) h=1 w=3 y=0 x=0 c=0 wait i1022>=1, q0>=-1\n"
    "q3.store b1 a=v1(0,0) h=1 w=3 y=0 x=0 c=0 stage=1 wait q0>=0\n"
    "q0.mvm g0 dst=v1(0,0) h=1 w=3 wait q3>=1\n";

static void paced_values(const struct body *b)
{
    for (uint32_t i = 0; i < 4 * b->r.frames; i++)
        ck_assert_float_eq(b->y[i], i % 4 < 3 ? (float)(2 * i) : -1);
}

START_TEST(frames_at_a_pace)
{
    struct body b;
    body_open(&b, paced);
    body_run_all(&b, 0, paced_values);
    ck_assert(body_run(&b, (struct sim_options){0}));
    latencies(&b, 15, 7, 7);
    ck_assert_double_eq(b.r.interval_cycles, 4);
    ck_assert(body_run(&b, (struct sim_options){.frames = 11}));
    latencies(&b, 10 * 4 + 7, 7, 7);
    b.p->pace = ((uint64_t)1 << 62) - 100;
    ck_assert(body_run(&b, (struct sim_options){.frames = 2}));
    ck_assert(!body_run(&b, (struct sim_options){.frames = 3}));
    ck_assert_ptr_nonnull(strstr(b.d->first->text, "it would start after 2^62 cycles"));
    body_close(&b);
}
END_TEST

/* y = the sum of all frames up to now and the second input, in a buffer that all frames share. */
static const char with_state[] =
    "isa 2 frames 5 arch \"base: clsa\\n\" node 0 {}\n"
    "binding 0 {" FRAME_BINDING "binding 1 {index=1, shape=[4], stride_w=1, height=1, width=4, "
    "channels=1}\n"
    "binding 2 {output=1, " FRAME_BINDING
    "binding 3 {output=1, index=1, shape=[4], stride_w=1, height=1, width=4, channels=1}\n"
    "tile 0 {buffer_bytes=32}\n"
    "view 0 " FRAME_VIEW(", frame_rows=1") "view 1 " FRAME_VIEW(
        ", address=16") "program 0 {arity=2} [add a b]\n"
                        "q2.load b1 first dst=v1(0,0) h=1 w=4 y=0 x=0 c=0\n"
                        "q2.load b0 dst=v0(0,0) h=1 w=4 y=0 x=0 c=0 wait q0>=0\n"
                        "q0.vmap p0 dst=v1(0,0) h=1 w=4 a=v1(0,0) b=v0(0,0) wait q2>=2\n"
                        "q2.store b2 a=v1(0,0) h=1 w=4 y=0 x=0 c=0 wait q0>=1\n"
                        "q2.store b3 last a=v1(0,0) h=1 w=4 y=0 x=0 c=0 wait q0>=1\n";

static void state_values(const struct body *b)
{
    float sum[4] = {100, 101, 102, 103};
    for (uint32_t i = 0; i < 4 * b->r.frames; i++) {
        sum[i % 4] += (float)i;
        ck_assert_float_eq(b->y[i], sum[i % 4]);
    }
    for (uint32_t i = 0; i < 4; i++)
        ck_assert_float_eq(b->last[i], sum[i]);
}

START_TEST(frames_hand_on_their_state)
{
    struct body b;
    body_open(&b, with_state);
    body_run_all(&b, 0, state_values);
    body_run_all(&b, 1, state_values);
    body_run_all(&b, 9, state_values);
    body_close(&b);
}
END_TEST

/* Five rows a frame through rings of two and three rows, which no frame waits to see empty: y = 2 x
 * + 2, by a lane program of two tiles. Without `credits` rows are overwritten too early. */
static char *row_by_row(bool credits)
{
    struct text t = {0};
    text_add(&t,
             "isa 2 frames 3 arch \"base: clsa\\nlanes: 1\\nlink_bytes_per_cycle: 4\\n\" node 0 "
             "{}\n");
    for (int i = 0; i < 2; i++)
        text_add(&t,
                 "binding %d {%sshape=[5, 4], stride_h=4, stride_w=1, height=5, width=4, "
                 "channels=1, frame_stride=20}\n",
                 i, i ? "output=1, " : "");
    for (int tile = 0; tile < 2; tile++) {
        text_add(&t, "tile %d {buffer_bytes=80, inbound_counters=1, step=[5]}\n", tile);
        for (int v = 0; v < 2; v++)
            text_add(&t,
                     "view %d {ring_rows=%d, address=%d, y1=5, x1=4, height=5, width=4, "
                     "channels=1, row_pitch=16, col_pitch=4, channel_pitch=4, frame_rows=5}\n",
                     v, 2 + v, 32 * v);
        text_add(&t,
                 "program 0 {arity=1} [add a #1.0, mul t0 #%d.0]\nroute 0 [{tile=%d, "
                 "counter=128}]\n",
                 1 + tile, 1 - tile);
        for (int y = 0; y < 5 && tile == 0; y++) {
            text_add(&t, "q2.load b0 dst=v0(%d,0) h=1 w=4 y=%d x=0 c=0 wait q0>=%d\n", y, y, y - 1);
            text_add(&t, "q0.vmap p0 dst=v1(%d,0) h=1 w=4 a=v0(%d,0) wait q2>=%d, q1>=%d\n", y, y,
                     y + 1, y - 2);
            text_add(&t, "q1.send r0 a=v1(%d,0) h=1 w=4 wait q0>=%d%s%d\n", y, y + 1,
                     credits ? ", i128>=" : " ; ", y - 1);
        }
        for (int y = 0; y < 5 && tile == 1; y++) {
            text_add(&t, "q0.vmap p0 dst=v1(%d,0) h=1 w=4 a=v0(%d,0) wait i128>=%d, q2>=%d\n", y, y,
                     y + 1, y - 2);
            text_add(&t, "q1.signal r0 wait q0>=%d\n", y + 1);
            text_add(&t, "q2.store b1 a=v1(%d,0) h=1 w=4 y=%d x=0 c=0 wait q0>=%d\n", y, y, y + 1);
        }
    }
    return t.at;
}

static void row_values(const struct body *b)
{
    for (uint32_t i = 0; i < 20 * b->r.frames; i++)
        ck_assert_float_eq(b->y[i], (float)(2 * (i + 2)));
}

START_TEST(frames_follow_each_other_through_rings)
{
    struct body b;
    char *text = row_by_row(true);
    body_open(&b, text);
    body_run_all(&b, 0, row_values);
    body_run_all(&b, 1, row_values);
    body_run_all(&b, 16, row_values);
    heap_free(text);
    body_close(&b);
}
END_TEST

/* What a racy program gives depends on times, but not on how it is executed. */
START_TEST(frames_that_race_give_the_same_in_batches)
{
    struct body b;
    char *text = row_by_row(false);
    float y[MOST_FRAMES * FRAME_FLOATS];
    unsigned n_wrong = 0;
    body_open(&b, text);
    for (uint64_t seed = 0; seed < 16; seed++) {
        struct sim_options o = {.frames = 7, .latency_seed = seed, .max_extra_cycles = 30};
        ck_assert(body_run(&b, o));
        memcpy(y, b.y, sizeof y);
        o.executed = look_on;
        ck_assert(body_run(&b, o));
        ck_assert_mem_eq(y, b.y, sizeof y);
        n_wrong += y[139] != 2 * (139 + 2) || y[0] != 4;
    }
    ck_assert_uint_gt(n_wrong, 0);
    heap_free(text);
    body_close(&b);
}
END_TEST

START_TEST(frames_are_named_where_they_stand_still)
{
    struct body b;
    char text[sizeof two_stages + 8];
    strcpy(text, two_stages);
    memcpy(strstr(text, "i128>=1\n"), "i128>=2", 7);
    body_open(&b, text);
    ck_assert(!body_run(&b, (struct sim_options){0}));
    const struct diag_entry *e = b.d->first;
    ck_assert_ptr_nonnull(strstr(e->text, "the machine cannot go on at cycle 4"));
    bool found = false;
    for (; e; e = e->next)
        found =
            found || (e->loc.entity &&
                      strstr(e->loc.entity, "tile 0: instruction 2 (q2.send), frame 0: no node") &&
                      strstr(e->text, "waits for i128 >= 2, which is 1"));
    ck_assert(found);
    body_close(&b);
}
END_TEST

START_TEST(frames_that_cannot_be)
{
    static const char *const one = "isa 2 arch \"base: clsa\\n\" node 0 {} tile 0 {} q0.nop\n";
    struct body b;
    body_open(&b, one);
    ck_assert(body_run(&b, (struct sim_options){.frames = 1}));
    ck_assert(!body_run(&b, (struct sim_options){.frames = 2}));
    ck_assert_ptr_nonnull(strstr(b.d->first->text, "2 frames of a program that was made for one"));
    body_close(&b);
    body_open(&b, two_stages);
    ck_assert(!body_run(&b, (struct sim_options){.frames = ISA_MAX_FRAMES + 1}));
    ck_assert_ptr_nonnull(strstr(b.d->first->text, "1048577 frames, more than 1048576"));
    body_close(&b);
    struct text t = {0};
    text_add(&t, "isa 2 frames 1 arch \"base: clsa\\n\" node 0 {} tile 0 {}\n");
    for (int i = 0; i <= 1 << 14; i++)
        text_add(&t, "q0.nop\n");
    body_open(&b, t.at);
    ck_assert(body_run(&b, (struct sim_options){.frames = 3}));
    ck_assert(!body_run(&b, (struct sim_options){.frames = ISA_MAX_FRAMES}));
    ck_assert_ptr_nonnull(strstr(b.d->first->text, "more than 2^34 instructions"));
    body_close(&b);
    text_free(&t);
}
END_TEST

static TCase *frames_tests(void)
{
    TCase *c = tcase_create("frames");
    tcase_add_test(c, frames_of_two_stages);
    tcase_add_test(c, frames_at_a_pace);
    tcase_add_test(c, frames_hand_on_their_state);
    tcase_add_test(c, frames_follow_each_other_through_rings);
    tcase_add_test(c, frames_that_race_give_the_same_in_batches);
    tcase_add_test(c, frames_are_named_where_they_stand_still);
    tcase_add_test(c, frames_that_cannot_be);
    return c;
}

#endif
