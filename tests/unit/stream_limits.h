/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* stream_limits.h - more kinds of instructions than a stream has numbers for. */
#ifndef CIMC_TEST_STREAM_LIMITS_H
#define CIMC_TEST_STREAM_LIMITS_H

/* More families than walkers have numbers for. */
START_TEST(too_many_walkers)
{
    struct sequence q = {.random = 5};
    struct arena *a = arena_new();
    for (uint32_t i = 0; i <= 1 << 14; i++) {
        struct isa_inst s = isa_inst_new(ISA_signal, i / 1024);
        s.obj = (uint16_t)(i % 1024);
        append(&q, s);
    }
    struct isa_tile t = {
        .n_insts = (uint32_t)q.insts.n, .insts = q.insts.at, .sources = q.sources.at};
    ck_assert(!isa_tile_encode(&t, a));
    t.n_insts--;
    ck_assert(isa_tile_encode(&t, a));
    VEC_FREE(&q.insts);
    VEC_FREE(&q.sources);
    arena_free(a);
}
END_TEST

/* More templates than symbols have numbers for: waits for two counters, each two another pair. */
START_TEST(too_many_templates)
{
    enum { COUNTERS = 400, MOST = 240 + 11 * 256 + (1 << 16) };
    struct sequence q = {.random = 5};
    struct arena *a = arena_new();
    for (uint32_t i = 0; i <= MOST; i++) {
        struct isa_inst w = isa_inst_new(ISA_wait, 0);
        isa_inst_wait(&w, 128 + i / COUNTERS, 1);
        isa_inst_wait(&w, 128 + COUNTERS + i % COUNTERS, 1);
        append(&q, w);
    }
    struct isa_tile t = {
        .n_insts = (uint32_t)q.insts.n, .insts = q.insts.at, .sources = q.sources.at};
    ck_assert(!isa_tile_encode(&t, a));
    t.n_insts -= 1000;
    ck_assert(isa_tile_encode(&t, a));
    VEC_FREE(&q.insts);
    VEC_FREE(&q.sources);
    arena_free(a);
}
END_TEST

/* Products at n places of a column, from the last one up. */
static void append_column(struct sequence *q, int32_t y, int32_t n)
{
    for (int32_t i = n; i-- > 0;) {
        struct isa_inst m = isa_inst_new(ISA_mvm, 0);
        m.h = m.w = 1;
        m.dst.y = y + 3 * i;
        append(q, m);
    }
}

/* The same at random, each twice. */
static void append_pairs(struct sequence *q, int32_t y, uint32_t n)
{
    int32_t *at = heap_alloc(2 * n * sizeof *at);
    for (uint32_t i = 0; i < 2 * n; i++)
        at[i] = y + 3 * (int32_t)(i / 2);
    for (uint32_t i = 2 * n; i-- > 0;) {
        uint32_t other = below(q, i + 1);
        append_column(q, at[other], 1);
        at[other] = at[i];
    }
    heap_free(at);
}

/* A phrase is named by another one, both too long to be one, and more would pay than there are
 * numbers for: the first stays a phrase. */
START_TEST(too_many_phrases)
{
    /* Eight walkers take turns: lengths are multiples of 8. */
    enum { LONG_ONE = 200, PAIRS = 40000 };
    struct sequence q = {.random = 5};
    for (int32_t i = 0; i < 4; i++) {
        if (i % 2)
            append_column(&q, 0, LONG_ONE);
        append_column(&q, 1000000, LONG_ONE);
        append_column(&q, 2000000 + 100 * i, 8);
    }
    append_pairs(&q, 3000000, PAIRS);
    round_trip(&q);
}
END_TEST

#endif
