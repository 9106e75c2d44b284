/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_test.c - the simulator against hand-worked cycle counts (the programs of SIM.md) and plain
 * loops.
 *
 * Programs are built in memory through isa.h; every expected number is worked out in SIM.md or
 * beside the test, or computed by the loops below, never taken from a run.
 */
#include "sim_batch_tests.h"
#include "sim_frames_tests.h"
#include "sim_integer_tests.h"
#include "sim_mvm_tests.h"
#include "sim_readout_tests.h"
#include "sim_window_tests.h"
#include "sim_rig.h"

#include "base/half.h"
#include "tile_grid.h"
#include "../run_suite.h"

/* ---- timing: the programs of SIM.md ---- */

START_TEST(time_vector_chain) /* SIM.md program 1 */
{
    struct rig r = rig_new(1);
    set_arch(&r, "lanes=4");
    set_arch(&r, "vector_setup_cycles=3");
    uint32_t in = constant(&r, 0, 1, 4, 2, ONES), sum = view(&r, 0, 1, 4, 8);
    uint32_t act = view(&r, 0, 1, 4, 8), out = view(&r, 0, 1, 4, 4);
    group(&r, 0, in, image(&r, 2, 8, ONES));
    group(&r, 0, act, image(&r, 8, 4, ONES));
    uint32_t relu = lanes(&r, 0, 1, 0, 1, RELU);
    unsigned v = vu(&r, 0);
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 3), at(sum, 0, 0)));
    emit(&r, 0, on(from(to(inst(ISA_vmap, v, relu, 1, 3), at(act, 0, 0)), at(sum, 0, 0)), 0, 1));
    emit(&r, 0, on(to(inst(ISA_mvm, 1, 1, 1, 3), at(out, 0, 0)), v, 1));
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 1), at(sum, 0, 3)));
    emit(&r, 0, on(from(to(inst(ISA_vmap, v, relu, 1, 1), at(act, 0, 3)), at(sum, 0, 3)), 0, 2));
    emit(&r, 0, on(to(inst(ISA_mvm, 1, 1, 1, 1), at(out, 0, 3)), v, 2));
    const float *result = store(&r, 0, out, 1, 2);
    run(&r);
    ran(&r, 0, 0, 0, 3);
    ran(&r, 0, 1, 3, 12);
    ran(&r, 0, 2, 12, 15);
    ran(&r, 0, 3, 3, 4);
    ran(&r, 0, 4, 12, 17);
    ran(&r, 0, 5, 17, 18);
    ck_assert_uint_eq(r.result.cycles, 18);
    ck_assert_uint_eq(r.result.n_instructions, 7);
    ck_assert_uint_eq(r.result.pe_busy_cycles, 8);
    ck_assert(fabs(r.result.utilisation - 8.0 / 36) < 1e-12);
    for (int i = 0; i < 16; i++)
        ck_assert(result[i] == 16);
    rig_free(&r);
}
END_TEST

static uint64_t depth_cycles(const char *depth)
{
    struct rig r = rig_new(1);
    set_arch(&r, depth);
    uint32_t in = constant(&r, 0, 1, 10, 1, ONES);
    uint32_t a = view(&r, 0, 3, 10, 1), b = view(&r, 0, 1, 10, 1);
    group(&r, 0, in, image(&r, 1, 1, ONES));
    group(&r, 0, in, image(&r, 1, 1, ONES));
    for (int i = 0; i < 3; i++)
        emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 4), at(a, i, 0)));
    emit(&r, 0, to(inst(ISA_mvm, 1, 1, 1, 10), at(b, 0, 0)));
    run(&r);
    uint64_t cycles = r.result.cycles;
    rig_free(&r);
    return cycles;
}

START_TEST(time_queue_depth) /* SIM.md program 2 */
{
    ck_assert_uint_eq(depth_cycles("queue_depth=1"), 14);
    ck_assert_uint_eq(depth_cycles("queue_depth=2"), 12);
    ck_assert_uint_eq(depth_cycles("queue_depth=8"), 12);
}
END_TEST

START_TEST(time_halo_sends) /* SIM.md program 3 */
{
    struct rig r = rig_new(2);
    set_arch(&r, "link_bytes_per_cycle=8");
    set_arch(&r, "hop_cycles=5");
    uint32_t in = constant(&r, 0, 2, 4, 1, ONES), made = view(&r, 0, 2, 4, 2);
    uint32_t got = view(&r, 1, 2, 4, 2), sum = view(&r, 1, 1, 4, 1), copy = view(&r, 1, 1, 4, 1);
    group(&r, 0, in, image(&r, 1, 2, ONES));
    struct isa_group *g = group(&r, 1, got, image(&r, 4, 1, ONES));
    g->kernel[0] = 2;
    g->in_channels = 2;
    group(&r, 1, got, image(&r, 2, 1, ONES));
    uint32_t data = route(&r, 0, 1, (struct isa_target[]){{1, got, 128}});
    uint32_t done = route(&r, 0, 1, (struct isa_target[]){{1, 0, 129}});
    for (int y = 0; y < 2; y++) {
        emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 4), at(made, y, 0)));
        struct isa_inst send = from(inst(ISA_send, tx(&r, 0), data, 1, 4), at(made, y, 0));
        emit(&r, 0, on(send, 0, (uint32_t)y + 1));
    }
    emit(&r, 0, inst(ISA_signal, tx(&r, 0), done, 0, 0));
    emit(&r, 1, on(to(inst(ISA_mvm, 1, 1, 1, 4), at(copy, 0, 0)), 128, 1));
    emit(&r, 1, on(to(inst(ISA_mvm, 0, 0, 1, 4), at(sum, 0, 0)), 128, 2));
    emit(&r, 1, on(inst(ISA_wait, vu(&r, 1), 0, 0, 0), 129, 1));
    const float *result = store(&r, 1, sum, 0, 1);
    run(&r);
    ran(&r, 0, 0, 0, 4);
    ran(&r, 0, 1, 4, 8);
    ran(&r, 0, 2, 4, 8);
    ran(&r, 0, 3, 8, 12);
    ran(&r, 0, 4, 8, 12);
    ran(&r, 1, 0, 13, 17);
    ran(&r, 1, 1, 17, 21);
    ran(&r, 1, 2, 17, 17);
    ck_assert_uint_eq(r.result.cycles, 21);
    for (int i = 0; i < 4; i++)
        ck_assert(result[i] == 4);
    rig_free(&r);
}
END_TEST

START_TEST(time_dma) /* SIM.md program 4 */
{
    struct rig r = rig_new(1);
    set_arch(&r, "dram_cycles=10");
    set_arch(&r, "dram_bytes_per_cycle=8");
    uint32_t in = view(&r, 0, 3, 4, 2), out = view(&r, 0, 1, 4, 1);
    add_binding(&r, false, 0, 3, 4, 2);
    add_binding(&r, false, 1, 1, 4, 2);
    r.p->bindings[1].element = ELEMENT_f16;
    group(&r, 0, in, image(&r, 2, 1, ONES));
    unsigned q = dma(&r, 0);
    struct isa_inst second = to(inst(ISA_load, q, 0, 1, 4), at(in, 1, 0));
    second.y = 1;
    emit(&r, 0, to(inst(ISA_load, q, 0, 1, 4), at(in, 0, 0)));
    emit(&r, 0, second);
    emit(&r, 0, to(inst(ISA_load, q, 1, 1, 4), at(in, 2, 0)));
    emit(&r, 0, on(to(inst(ISA_mvm, 0, 0, 1, 4), at(out, 0, 0)), q, 1));
    store(&r, 0, out, 0, 1);
    run(&r);
    ran(&r, 0, 0, 0, 14);
    ran(&r, 0, 1, 4, 18);
    ran(&r, 0, 2, 8, 20);
    ran(&r, 0, 3, 14, 18);
    ran(&r, 0, 4, 18, 30);
    ck_assert_uint_eq(r.result.cycles, 30);
    rig_free(&r);
}
END_TEST

/* SIM.md program 5: 5 rows through a ring of 2 at the consumer; each output row is the input row
 * with two zeros on each side. */
static const float *credit_program(struct rig *r)
{
    float data[10];
    ramp(data, 10, 1);
    set_arch(r, "hop_cycles=1");
    uint32_t in = constant(r, 0, 5, 2, 1, data), made = view(r, 0, 5, 2, 1);
    uint32_t got = ring(r, 1, 2, 5, 2, 1), out = view(r, 1, 5, 6, 1);
    group(r, 0, in, image(r, 1, 1, ONES));
    group(r, 1, got, image(r, 1, 1, ONES))->pad_left = 2;
    uint32_t rows = route(r, 0, 1, (struct isa_target[]){{1, got, 128}});
    uint32_t credit = route(r, 1, 1, (struct isa_target[]){{0, 0, 128}});
    for (uint32_t y = 0; y < 5; y++) {
        emit(r, 0, to(inst(ISA_mvm, 0, 0, 1, 2), at(made, (int)y, 0)));
        struct isa_inst send = from(inst(ISA_send, tx(r, 0), rows, 1, 2), at(made, (int)y, 0));
        send = on(send, 0, y + 1);
        emit(r, 0, y < 2 ? send : on(send, 128, y - 1));
        emit(r, 1, on(to(inst(ISA_mvm, 0, 0, 1, 6), at(out, (int)y, 0)), 128, y + 1));
        if (y < 3)
            emit(r, 1, inst(ISA_signal, 0, credit, 0, 0));
    }
    return store(r, 1, out, 0, 8);
}

static void check_credit_result(const float *result)
{
    float data[10];
    ramp(data, 10, 1);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < 6; x++)
            ck_assert(result[y * 6 + x] == (x < 2 || x > 3 ? 0 : data[y * 2 + x - 2]));
}

START_TEST(time_credits)
{
    struct rig r = rig_new(2);
    const float *result = credit_program(&r);
    run(&r);
    ran(&r, 0, 1, 2, 2);
    ran(&r, 0, 3, 4, 4);
    ran(&r, 0, 5, 10, 10);
    ran(&r, 0, 7, 16, 16);
    ran(&r, 0, 9, 22, 22);
    ran(&r, 1, 0, 3, 9);
    ran(&r, 1, 1, 3, 9);
    ran(&r, 1, 2, 9, 15);
    ran(&r, 1, 4, 15, 21);
    ran(&r, 1, 7, 27, 33);
    ck_assert_uint_eq(r.result.cycles, 33);
    check_credit_result(result);
    rig_free(&r);
}
END_TEST

START_TEST(random_latencies_change_no_value)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct rig r = rig_new(2);
        const float *result = credit_program(&r);
        struct sim_options o = {.latency_seed = seed, .max_extra_cycles = seed % 2 ? 9 : 1};
        ck_assert(run_with(&r, o));
        ck_assert_uint_ge(r.result.cycles, 33);
        check_credit_result(result);
        rig_free(&r);
    }
}
END_TEST

START_TEST(time_mesh) /* SIM.md program 6 */
{
    struct rig r = rig_new(4);
    set_arch(&r, "topology=mesh");
    set_arch(&r, "hop_cycles=3");
    uint32_t data = constant(&r, 0, 1, 2, 1, ONES);
    uint32_t far = view(&r, 3, 1, 2, 1), near = view(&r, 1, 1, 2, 1);
    uint32_t to_far = route(&r, 0, 1, (struct isa_target[]){{3, far, 128}});
    uint32_t to_near = route(&r, 0, 1, (struct isa_target[]){{1, near, 128}});
    uint32_t own = view(&r, 0, 1, 2, 1);
    uint32_t to_own = route(&r, 0, 1, (struct isa_target[]){{0, own, 128}});
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), to_near, 1, 2), at(data, 0, 0)));
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), to_far, 1, 2), at(data, 0, 0)));
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), to_own, 1, 2), at(data, 0, 0)));
    emit(&r, 0, on(inst(ISA_wait, 0, 0, 0, 0), 128, 1));
    emit(&r, 1, on(inst(ISA_wait, 0, 0, 0, 0), 128, 1));
    emit(&r, 1, inst(ISA_nop, 0, 0, 0, 0));
    emit(&r, 3, on(inst(ISA_wait, 0, 0, 0, 0), 128, 1));
    run(&r);
    for (uint32_t i = 0; i < 4; i++)
        ran(&r, 0, i, 0, 0);
    ran(&r, 1, 0, 3, 3);
    ran(&r, 1, 1, 3, 3);
    ran(&r, 3, 0, 6, 6);
    struct tile_grid grid = tile_grid_of(&r.p->arch, r.p->n_tiles);
    ck_assert_uint_eq(tile_grid_hops(&grid, 1, 2), 2);
    ck_assert_uint_eq(tile_grid_hops(&grid, 2, 2), 0);
    rig_free(&r);
}
END_TEST

START_TEST(time_overtaking) /* SIM.md program 8 */
{
    struct rig r = rig_new(4);
    set_arch(&r, "topology=mesh");
    set_arch(&r, "hop_cycles=3");
    uint32_t data = constant(&r, 0, 1, 2, 1, ONES), got = view(&r, 1, 1, 2, 1);
    uint32_t both = route(&r, 0, 2, (struct isa_target[]){{3, 0, 128}, {1, 0, 128}});
    uint32_t same = route(&r, 0, 1, (struct isa_target[]){{1, got, 128}});
    uint32_t other = route(&r, 0, 1, (struct isa_target[]){{1, got, 129}});
    emit(&r, 0, inst(ISA_signal, tx(&r, 0), both, 0, 0));
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), same, 1, 2), at(data, 0, 0)));
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), other, 1, 2), at(data, 0, 0)));
    emit(&r, 1, on(inst(ISA_wait, vu(&r, 1), 0, 0, 0), 128, 1));
    emit(&r, 1, on(inst(ISA_wait, tx(&r, 1), 0, 0, 0), 128, 2));
    emit(&r, 1, on(inst(ISA_wait, dma(&r, 1), 0, 0, 0), 129, 1));
    emit(&r, 3, on(inst(ISA_wait, vu(&r, 3), 0, 0, 0), 128, 1));
    run(&r);
    for (uint32_t i = 0; i < 3; i++)
        ran(&r, 0, i, 0, 0);
    ran(&r, 1, 0, 6, 6);
    ran(&r, 1, 1, 6, 6);
    ran(&r, 1, 2, 3, 3);
    ran(&r, 3, 0, 6, 6);
    rig_free(&r);
}
END_TEST

struct heard {
    uint32_t n, index[4], tile[4], counter[4];
    uint64_t counted[4];
};

static void hear(void *self, const struct sim_message *m)
{
    struct heard *h = self;
    ck_assert(h->n < 4 && m->from.tile == 0 && m->from.frame == 0);
    h->index[h->n] = m->from.index;
    h->tile[h->n] = m->to_tile;
    h->counter[h->n] = m->counter;
    h->counted[h->n++] = m->counted;
}

/* SIM.md program 18, of tile 0: who looks on is told when each message will be counted. */
START_TEST(messages_are_told)
{
    static const uint64_t want[4][4] = {
        {0, 3, 128, 8}, {0, 1, 128, 8}, {1, 1, 128, 9}, {2, 1, 129, 7}};
    struct rig r = rig_new(4);
    set_arch(&r, "topology=mesh");
    set_arch(&r, "hop_cycles=3");
    set_arch(&r, "complete_cycles=2");
    uint32_t data = constant(&r, 0, 1, 2, 1, ONES), got = view(&r, 1, 1, 2, 1);
    uint32_t both = route(&r, 0, 2, (struct isa_target[]){{3, 0, 128}, {1, 0, 128}});
    uint32_t same = route(&r, 0, 1, (struct isa_target[]){{1, got, 128}});
    uint32_t other = route(&r, 0, 1, (struct isa_target[]){{1, got, 129}});
    emit(&r, 0, inst(ISA_signal, tx(&r, 0), both, 0, 0));
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), same, 1, 2), at(data, 0, 0)));
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), other, 1, 2), at(data, 0, 0)));
    struct heard h = {0};
    struct sim_options o = {.no_function = true, .sent = hear, .self = &h};
    struct sim_result result;
    ck_assert(sim_run(r.p, NULL, NULL, &o, &result, r.d));
    ck_assert_uint_eq(h.n, 4);
    for (int i = 0; i < 4; i++)
        ck_assert(h.index[i] == want[i][0] && h.tile[i] == want[i][1] &&
                  h.counter[i] == want[i][2] && h.counted[i] == want[i][3]);
    ck_assert_uint_eq(result.cycles, 2); /* a message under way is nobody's completion */
    rig_free(&r);
}
END_TEST

START_TEST(time_send_completion) /* SIM.md program 9 */
{
    struct rig r = rig_new(2);
    set_arch(&r, "link_bytes_per_cycle=4");
    set_arch(&r, "hop_cycles=20");
    set_arch(&r, "lanes=1");
    uint32_t first = constant(&r, 0, 1, 2, 2, ONES), second = constant(&r, 0, 1, 2, 2, ONES);
    uint32_t a = view(&r, 1, 1, 2, 2), b = view(&r, 1, 1, 2, 2);
    uint32_t to_a = route(&r, 0, 1, (struct isa_target[]){{1, a, 128}});
    uint32_t to_b = route(&r, 0, 1, (struct isa_target[]){{1, b, 128}});
    uint32_t copy = lanes(&r, 0, 1, 0, 1, COPY);
    unsigned q = tx(&r, 0);
    emit(&r, 0, from(inst(ISA_send, q, to_a, 1, 2), at(first, 0, 0)));
    emit(&r, 0, from(inst(ISA_send, q, to_b, 1, 2), at(second, 0, 0)));
    struct isa_inst vmap = to(inst(ISA_vmap, vu(&r, 0), copy, 1, 2), at(first, 0, 0));
    emit(&r, 0, on(from(vmap, at(second, 0, 0)), q, 1));
    emit(&r, 1, on(inst(ISA_wait, vu(&r, 1), 0, 0, 0), 128, 1));
    run(&r);
    ran(&r, 0, 0, 0, 4);
    ran(&r, 0, 1, 4, 8);
    ran(&r, 0, 2, 4, 8);
    ran(&r, 1, 0, 24, 24);
    ck_assert_uint_eq(r.result.cycles, 24);
    rig_free(&r);
}
END_TEST

static uint64_t set_random(struct rig *r, const char *field, uint64_t *seed, unsigned n)
{
    char text[64];
    uint64_t value = random_next(seed) % n;
    snprintf(text, sizeof text, "%s=%u", field, (unsigned)value);
    set_arch(r, text);
    return value;
}

/* Random streams of one tile against the recurrences of SIM.md section 2. */
static void check_recurrences(uint64_t seed)
{
    enum { N = 60, QUEUES = 4 };
    struct rig r = rig_new(1);
    unsigned depth = 1 + (unsigned)(random_next(&seed) % 3);
    set_arch(&r, (const char *[]){"queue_depth=1", "queue_depth=2", "queue_depth=3"}[depth - 1]);
    set_arch(&r, "lanes=1");
    bool plain = seed % 2 == 0; /* dispatch, start and count take no time */
    uint64_t issue = plain ? 0 : set_random(&r, "issue_cycles", &seed, 4);
    uint64_t before_start = plain ? 0 : set_random(&r, "start_cycles", &seed, 3);
    uint64_t complete = plain ? 0 : set_random(&r, "complete_cycles", &seed, 4);
    uint64_t places = plain ? 0 : set_random(&r, "inflight", &seed, 4), step = complete > 0;
    uint32_t in = view(&r, 0, 1, 9, 1), out = view(&r, 0, 1, 9, 1);
    group(&r, 0, in, image(&r, 1, 1, ONES));
    group(&r, 0, in, image(&r, 1, 1, ONES));
    uint32_t copy = lanes(&r, 0, 1, 0, 1, COPY);
    uint64_t start[N], end[N], unit_free[QUEUES] = {0}, dispatched = 0;
    uint32_t member[QUEUES][N], count[QUEUES] = {0};
    for (uint32_t i = 0; i < N; i++) {
        unsigned q = (unsigned)(random_next(&seed) % QUEUES),
                 w = 1 + (unsigned)(random_next(&seed) % 9);
        bool unit = q < 3 && random_next(&seed) % 5 != 0;
        struct isa_inst x = inst(unit ? (q < 2 ? ISA_mvm : ISA_vmap) : ISA_wait, q, 0, 0, 0);
        if (unit)
            x = to(inst((enum isa_op)x.op, q, q < 2 ? q : copy, 1, w), at(out, 0, 0));
        if (unit && q == 2)
            x = from(x, at(in, 0, 0));
        uint32_t n = count[q];
        if (n >= depth && start[member[q][n - depth]] > dispatched)
            dispatched = start[member[q][n - depth]];
        start[i] = dispatched;
        dispatched += issue;
        if (places > 0 && n >= places && end[member[q][n - places]] + complete > start[i])
            start[i] = end[member[q][n - places]] + complete;
        if (n > 0 && start[member[q][n - 1]] > start[i])
            start[i] = start[member[q][n - 1]];
        if (unit && unit_free[q] > start[i])
            start[i] = unit_free[q];
        for (unsigned k = 0; k < 2; k++) { /* waits for what was emitted before */
            unsigned from_queue = (unsigned)(random_next(&seed) % QUEUES);
            uint32_t most = count[from_queue];
            uint32_t threshold = most == 0 ? 0 : (uint32_t)(random_next(&seed) % (most + 1));
            x = on(x, from_queue, threshold);
            if (threshold > 0 && end[member[from_queue][threshold - 1]] + complete > start[i])
                start[i] = end[member[from_queue][threshold - 1]] + complete;
        }
        start[i] += before_start;
        end[i] = start[i] + (unit ? w : 0);
        unit_free[q] = unit ? end[i] : unit_free[q];
        if (n > 0 && end[member[q][n - 1]] + step > end[i])
            end[i] = end[member[q][n - 1]] + step;
        member[q][count[q]++] = i;
        emit(&r, 0, x);
    }
    ck_assert(run_with(&r, (struct sim_options){.no_function = true}));
    for (uint32_t i = 0; i < N; i++)
        ran(&r, 0, i, start[i], end[i]);
    rig_free(&r);
}

START_TEST(time_recurrences)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        check_recurrences(seed);
}
END_TEST

START_TEST(program_from_text) /* SIM.md program 7 */
{
    static const char text[] =
        "isa 2  pes 1  arch \"base: clsa\\nlanes: 2\\n\"\n"
        "node 0 {name=\"fc\"}\n"
        "section 0 \"weights\" hex { 00000040 00004040 }\n"         /* 2, 3 */
        "section 1 \"pixels\" hex { 0000803f 000080bf 00000040 }\n" /* 1, -1, 2 */
        "image 0 {k=1, n=2}\n"
        "binding 0 {output=1, name=\"y\", shape=[3, 2], stride_w=2, stride_c=1, height=1, width=3, "
        "channels=2}\n"
        "tile 0 {buffer_bytes=36}\n"
        "view 0 {ring_rows=1, y1=1, x1=3, height=1, width=3, channels=1, row_pitch=12, "
        "col_pitch=4, "
        "channel_pitch=4}\n"
        "view 1 {address=12, ring_rows=1, y1=1, x1=3, height=1, width=3, channels=2, row_pitch=24, "
        "col_pitch=8, channel_pitch=4}\n"
        "group 0 {kernel_h=1, kernel_w=1, stride_h=1, stride_w=1, dilation_h=1, dilation_w=1, "
        "in_channels=1} [{k=1, n=2}]\n"
        "program 0 {arity=1} [max a #0.0]\n"
        "preload 0 {section=1, length=12}\n"
        "q0.mvm g0 dst=v1(0,0) h=1 w=3\n"
        "q1.vmap p0 dst=v1(0,0) h=1 w=3 a=v1(0,0) wait q0>=1\n"
        "q3.store b0 a=v1(0,0) h=1 w=3 wait q1>=1\n"
        "";
    struct diag *d = diag_new();
    struct isa_program *p = isa_assemble(text, sizeof text - 1, "text", d);
    diag_print(d, stderr);
    ck_assert(p);
    float y[6];
    struct sim_result result;
    ck_assert(sim_run(p, NULL, (void *[]){y}, NULL, &result, d));
    expect(y, (float[]){2, 3, 0, 0, 4, 6}, 6);
    ck_assert_uint_eq(result.cycles, 6); /* 3 pixels, then 6 elements on 2 lanes */
    isa_program_free(p);
    diag_free(d);
}
END_TEST

/* ---- function against plain loops ---- */

/* One program over 1 x 1 x 6 elements. */
static void check_lanes(uint32_t n, const struct isa_lane *ops, const float *want)
{
    static const float a[6] = {-2, -0.5f, 0, 0.5f, 3, NAN}, b[6] = {1, 2, 3, 4, 0.5f, 1};
    static const float k[12] = {1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7};
    struct rig r = rig_new(1);
    uint32_t va = constant(&r, 0, 1, 1, 6, a), vb = constant(&r, 0, 1, 1, 6, b);
    uint32_t constants = constant(&r, 0, 2, 1, 6, k), out = view(&r, 0, 1, 1, 6);
    bool constant_read = false;
    for (uint32_t i = 0; i < n; i++)
        constant_read |= ops[i].x >= LANE_CONST0 || ops[i].y >= LANE_CONST0;
    uint32_t program = lanes(&r, 0, 2, constant_read ? constants : 0, n, ops);
    struct isa_inst i = inst(ISA_vmap, vu(&r, 0), program, 1, 1);
    i.b = at(vb, 0, 0);
    emit(&r, 0, from(to(i, at(out, 0, 0)), at(va, 0, 0)));
    const float *got = store(&r, 0, out, vu(&r, 0), 1);
    run(&r);
    expect(got, want, 6);
    rig_free(&r);
}

START_TEST(vmap_operations)
{
    static const struct {
        struct isa_lane op;
        float want[6];
    } cases[] = {
        {{LANE_MOV, LANE_B, 0, 0}, {1, 2, 3, 4, 0.5f, 1}},
        {{LANE_ADD, LANE_A, LANE_B, 0}, {-1, 1.5f, 3, 4.5f, 3.5f, NAN}},
        {{LANE_SUB, LANE_A, LANE_IMM, ONE}, {-3, -1.5f, -1, -0.5f, 2, NAN}},
        {{LANE_MUL, LANE_B, LANE_CONST0 + 1, 0}, {2, 6, 12, 20, 3, 7}},
        {{LANE_DIV, LANE_B, LANE_B, 0}, {1, 1, 1, 1, 1, 1}},
        {{LANE_MIN, LANE_A, LANE_IMM, QUARTER}, {-2, -0.5f, 0, 0.25f, 0.25f, NAN}},
        {{LANE_MAX, LANE_A, LANE_IMM, 0}, {0, 0, 0, 0.5f, 3, NAN}},
        {{LANE_LEAKY, LANE_A, LANE_IMM, HALF}, {-1, -0.25f, 0, 0.5f, 3, NAN}},
        {{LANE_EXP, LANE_A, 0, 0}, {0.135335283f, 0.606530660f, 1, 1.64872127f, 20.0855369f, NAN}},
        {{LANE_SQRT, LANE_B, 0, 0}, {1, 1.41421356f, 1.73205081f, 2, 0.707106781f, 1}},
        {{LANE_SIGMOID, LANE_A, 0, 0},
         {0.119202922f, 0.377540669f, 0.5f, 0.622459331f, 0.952574127f, NAN}},
        {{LANE_TANH, LANE_A, 0, 0},
         {-0.964027580f, -0.462117157f, 0, 0.462117157f, 0.995054754f, NAN}},
        {{LANE_NEG, LANE_A, 0, 0}, {2, 0.5f, 0, -0.5f, -3, NAN}},
        {{LANE_ABS, LANE_A, 0, 0}, {2, 0.5f, 0, 0.5f, 3, NAN}},
        {{LANE_LOG, LANE_B, 0, 0}, {0, 0.693147181f, 1.09861229f, 1.38629436f, -0.693147181f, 0}},
        {{LANE_FLOOR, LANE_A, 0, 0}, {-2, -1, 0, 0, 3, NAN}},
        {{LANE_CEIL, LANE_A, 0, 0}, {-2, 0, 0, 1, 3, NAN}},
        {{LANE_RINT, LANE_A, 0, 0}, {-2, 0, 0, 0, 3, NAN}},
        {{LANE_TRUNC, LANE_A, 0, 0}, {-2, 0, 0, 0, 3, NAN}},
        {{LANE_FMOD, LANE_A, LANE_B, 0}, {0, -0.5f, 0, 0.5f, 0, NAN}},
        {{LANE_IAND, LANE_A, LANE_IMM, 0x7fffffff}, {2, 0.5f, 0, 0.5f, 3, NAN}},
        {{LANE_IOR, LANE_B, LANE_IMM, 0x80000000}, {-1, -2, -3, -4, -0.5f, -1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_lanes(1, &cases[i].op, cases[i].want);
    /* (a + 1) * constant row 1 - (a + 1), each immediate its own */
    static const struct isa_lane chain[] = {{LANE_ADD, LANE_A, LANE_IMM, ONE},
                                            {LANE_MUL, 0, LANE_CONST0 + 1, 0},
                                            {LANE_SUB, 1, 0, 0},
                                            {LANE_ADD, 2, LANE_IMM, TEN}};
    check_lanes(4, chain, (float[]){9, 11, 13, 16, 30, NAN});
}
END_TEST

START_TEST(
    vmap_broadcast_and_wide) /* more channels than a chunk, b one value for each channel, padding */
{
    enum { W = 3, C = 1500 };
    float *a = heap_alloc(W * C * sizeof *a), *b = heap_alloc(C * sizeof *b);
    ramp(a, W * C, 1);
    ramp(b, C, 2);
    struct rig r = rig_new(1);
    uint32_t va = constant(&r, 0, 1, W, C, a), vb = constant(&r, 0, 1, 1, C, b);
    uint32_t out = view(&r, 0, 1, W + 1, C);
    struct isa_view *shown = &r.p->tiles[0].views[vb];
    shown->width = W, shown->x1 = W, shown->col_pitch = 0;
    shown->pad_value = f32_bits(100);
    r.p->tiles[0].views[va].pad_value = f32_bits(1);
    uint32_t add = lanes(&r, 0, 2, 0, 1, (struct isa_lane[]){{LANE_ADD, LANE_A, LANE_B, 0}});
    struct isa_inst i = inst(ISA_vmap, vu(&r, 0), add, 1, W + 1);
    i.b = at(vb, 0, -1);
    emit(&r, 0, from(to(i, at(out, 0, 0)), at(va, 0, -1)));
    const float *got = store(&r, 0, out, vu(&r, 0), 1);
    run(&r);
    for (int x = 0; x <= W; x++)
        for (int c = 0; c < C; c++)
            ck_assert(got[x * C + c] == (x == 0 ? 101 : a[(x - 1) * C + c] + b[c]));
    rig_free(&r);
    heap_free(a);
    heap_free(b);
}
END_TEST

START_TEST(send_clips_and_multicasts)
{
    float a[2 * 5];
    ramp(a, 10, 2);
    struct rig r = rig_new(3);
    uint32_t src = constant(&r, 0, 2, 5, 1, a), all = view(&r, 1, 2, 5, 1);
    uint32_t some = constant(&r, 2, 2, 2, 1, ONES);
    struct isa_view *part = &r.p->tiles[2].views[some];
    part->height = 3, part->width = 5, part->x0 = 3, part->x1 = 5, part->y0 = 1, part->y1 = 3;
    part->ring_origin = 1;
    uint32_t both = route(&r, 0, 2, (struct isa_target[]){{1, all, 128}, {2, some, 128}});
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), both, 2, 4), at(src, 0, 0)));
    emit(&r, 0, from(inst(ISA_send, tx(&r, 0), both, 2, 1), at(src, 0, 4)));
    const float *got = store(&r, 1, all, 128, 2);
    add_binding(&r, true, 1, 3, 5, 1);
    struct isa_inst out = from(inst(ISA_store, dma(&r, 2), 1, 2, 2), at(some, 1, 3));
    out.y = 1, out.x = 3;
    emit(&r, 2, on(out, 128, 2));
    run(&r);
    expect(got, a, 10);
    const float want[15] = {0, 0, 0, 0, 0, 0, 0, 0, a[8], a[9], 0, 0, 0, 1, 1};
    expect(r.outputs[1], want, 15);
    rig_free(&r);
}
END_TEST

START_TEST(dram_layout_and_half) /* NCHW in, NHWC in the tile, half precision out */
{
    enum { H = 2, W = 3, C = 2 };
    struct rig r = rig_new(1);
    uint32_t v = view(&r, 0, H, W, C);
    add_binding(&r, false, 0, H, W, C);
    add_binding(&r, true, 1, H, W, C);
    struct isa_binding *in = &r.p->bindings[0];
    in->stride_c = H * W, in->stride_h = W, in->stride_w = 1;
    r.p->bindings[1].element = ELEMENT_f16;
    for (int i = 0; i < H * W * C; i++)
        r.inputs[0][i] = 1.0f + (float)i / 3;
    emit(&r, 0, to(inst(ISA_load, dma(&r, 0), 0, H, W), at(v, 0, 0)));
    emit(&r, 0, on(from(inst(ISA_store, dma(&r, 0), 1, H, W), at(v, 0, 0)), dma(&r, 0), 1));
    run(&r);
    for (int i = 0; i < H * W; i++)
        for (int c = 0; c < C; c++)
            ck_assert(r.outputs[1][i * C + c] ==
                      f16_to_f32(f32_to_f16(r.inputs[0][c * H * W + i])));
    rig_free(&r);
}
END_TEST

static void see(void *self, const struct sim *s, uint32_t tile, uint32_t frame, uint32_t index,
                const struct isa_inst *i)
{
    float *seen = self;
    (void)index, (void)frame;
    seen[0] = f32_of_bits(sim_read(s, tile, i->dst.view, 0, 1, 0));
    seen[1] = f32_of_bits(sim_read(s, tile, i->dst.view, 0, 7, 0));
    seen[2]++;
}

START_TEST(observer_reads_views)
{
    struct rig r = rig_new(1);
    uint32_t in = constant(&r, 0, 1, 2, 1, (float[]){3, 4}), out = view(&r, 0, 1, 2, 1);
    r.p->tiles[0].views[out].pad_value = f32_bits(5);
    uint32_t copy = lanes(&r, 0, 1, 0, 1, COPY);
    emit(&r, 0, from(to(inst(ISA_vmap, vu(&r, 0), copy, 1, 2), at(out, 0, 0)), at(in, 0, 0)));
    float seen[3] = {0};
    struct sim_options o = {.executed = see, .self = seen};
    ck_assert(sim_run(r.p, NULL, NULL, &o, &r.result, r.d));
    expect(seen, (float[]){4, 5, 1}, 3);
    ck_assert(isnan(r.result.utilisation)); /* no cycles */
    rig_free(&r);
}
END_TEST

/* ---- what goes wrong ---- */

static bool said(const struct rig *r, enum diag_code code, const char *text)
{
    bool found = false;
    for (const struct diag_entry *e = r->d->first; e; e = e->next)
        found = found || strstr(e->text, text) || (e->loc.entity && strstr(e->loc.entity, text));
    return found && r->d->first->code == code;
}

START_TEST(deadlock_circle)
{
    struct rig r = rig_new(2);
    for (uint32_t t = 0; t < 2; t++) {
        uint32_t other = route(&r, t, 1, (struct isa_target[]){{1 - t, 0, 128}});
        emit(&r, t, on(inst(ISA_wait, 0, 0, 0, 0), 128, 1));
        emit(&r, t, inst(ISA_signal, 0, other, 0, 0));
    }
    ck_assert(!run_with(&r, (struct sim_options){0}));
    ck_assert(said(&r, DIAG_DEADLOCK, "circle"));
    ck_assert(said(&r, DIAG_DEADLOCK, "tile 0: instruction 0 (q0.wait): node 0 'conv1' (Conv)"));
    ck_assert(said(&r, DIAG_DEADLOCK, "waits for i128 >= 1, which is 0; tile 1 queue 0 writes it"));
    ck_assert(said(&r, DIAG_DEADLOCK, "tile 1: instruction 0"));
    rig_free(&r);
}
END_TEST

START_TEST(
    deadlock_full_queue) /* the writer stands behind a full queue: depth 1 stops, depth 2 runs */
{
    for (int depth = 1; depth <= 2; depth++) {
        struct rig r = rig_new(1);
        set_arch(&r, depth == 1 ? "queue_depth=1" : "queue_depth=2");
        emit(&r, 0, on(inst(ISA_wait, 0, 0, 0, 0), 1, 1));
        emit(&r, 0, inst(ISA_nop, 0, 0, 0, 0));
        emit(&r, 0, inst(ISA_nop, 1, 0, 0, 0));
        ck_assert_int_eq(run_with(&r, (struct sim_options){0}), depth == 2);
        if (depth == 1)
            ck_assert(said(&r, DIAG_DEADLOCK, "the sequencer, which stands at full queue 0"));
        rig_free(&r);
    }
}
END_TEST

START_TEST(deadlock_ended_writer)
{
    struct rig r = rig_new(2);
    uint32_t signal = route(&r, 0, 1, (struct isa_target[]){{1, 0, 128}});
    emit(&r, 0, inst(ISA_signal, 0, signal, 0, 0));
    emit(&r, 1, on(inst(ISA_wait, 0, 0, 0, 0), 128, 2));
    ck_assert(!run_with(&r, (struct sim_options){0}));
    ck_assert(
        said(&r, DIAG_DEADLOCK, "which is 1; tile 0 queue 0 writes it and has no instruction"));
    rig_free(&r);
}
END_TEST

START_TEST(buffers_are_bounded)
{
    struct rig r = rig_new(2);
    r.p->tiles[0].buffer_bytes = UINT64_C(9) << 30;
    r.p->tiles[1].buffer_bytes = UINT64_C(9) << 30;
    ck_assert(!run_with(&r, (struct sim_options){0}));
    ck_assert(said(&r, DIAG_SIM_FAULT, "larger than 16 GiB"));
    rig_free(&r);
}
END_TEST

START_TEST(time_is_bounded) /* a program that would run for 2^63 cycles */
{
    struct rig r = rig_new(1);
    set_arch(&r, "lanes=1");
    uint32_t in = view(&r, 0, 1, 1, 1), out = view(&r, 0, 1, 1, 1);
    for (uint32_t v = 0; v < 2; v++) {
        struct isa_view *huge = &r.p->tiles[0].views[v == 0 ? in : out];
        huge->height = huge->width = 4095, huge->channels = 128;
        huge->y1 = huge->x1 = 4095;
        huge->row_pitch = huge->col_pitch = huge->channel_pitch = 0;
    }
    struct isa_view *written = &r.p->tiles[0].views[out];
    written->channel_pitch = 4, written->col_pitch = 4 * 128, written->row_pitch = 4095 * 4 * 128;
    written->ring_rows = 4095;
    r.p->tiles[0].buffer_bytes = UINT64_C(9) << 30;
    r.p->tiles[0].windows[0] = (struct isa_window){
        .kind = WINDOW_SUM, .kernel = {65535, 65535}, .stride = {1, 1}, .dilation = {1, 1}};
    r.p->tiles[0].n_windows = 1;
    emit(&r, 0, from(to(inst(ISA_vwin, vu(&r, 0), 0, 4095, 4095), at(out, 0, 0)), at(in, 0, 0)));
    ck_assert(!run_with(&r, (struct sim_options){.no_function = true}));
    ck_assert(said(&r, DIAG_SIM_FAULT, "2^62"));
    rig_free(&r);
}
END_TEST

START_TEST(unwritten_bytes_are_poison)
{
    struct rig r = rig_new(1);
    const float *got = store(&r, 0, view(&r, 0, 1, 1, 1), 0, 0);
    run(&r);
    ck_assert(isnan(got[0]));
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim");
    TCase *c = tcase_create("timing");
    tcase_add_test(c, time_vector_chain);
    tcase_add_test(c, time_queue_depth);
    tcase_add_test(c, time_halo_sends);
    tcase_add_test(c, time_dma);
    tcase_add_test(c, time_credits);
    tcase_add_test(c, time_mesh);
    tcase_add_test(c, time_overtaking);
    tcase_add_test(c, messages_are_told);
    tcase_add_test(c, time_send_completion);
    tcase_add_test(c, time_recurrences);
    tcase_add_test(c, program_from_text);
    tcase_add_test(c, random_latencies_change_no_value);
    suite_add_tcase(suite, c);
    c = tcase_create("function");
    tcase_add_test(c, vmap_operations);
    tcase_add_test(c, vmap_broadcast_and_wide);
    window_tests(c);
    tcase_add_test(c, send_clips_and_multicasts);
    tcase_add_test(c, dram_layout_and_half);
    tcase_add_test(c, observer_reads_views);
    suite_add_tcase(suite, c);
    c = tcase_create("faults");
    tcase_add_test(c, deadlock_circle);
    tcase_add_test(c, deadlock_full_queue);
    tcase_add_test(c, deadlock_ended_writer);
    tcase_add_test(c, buffers_are_bounded);
    tcase_add_test(c, time_is_bounded);
    tcase_add_test(c, unwritten_bytes_are_poison);
    suite_add_tcase(suite, c);
    suite_add_tcase(suite, integer_tests());
    suite_add_tcase(suite, mvm_tests());
    suite_add_tcase(suite, readout_tests());
    suite_add_tcase(suite, batch_tests());
    suite_add_tcase(suite, frames_tests());
    return run_suite(suite);
}
