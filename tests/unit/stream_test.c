/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * stream_test.c - the encoding of streams (ISA.md 9): sections packed by hand and what they mean,
 * each kind of symbol, each fault of form; what is encoded decodes to the same, whatever it is.
 */
#include "stream_rig.h"

#include "../run_suite.h"

/* ---- walkers ---- */

/* ISA.md 9.6: four walkers of two rows. */
START_TEST(example_of_the_specification)
{
    struct section *s = section_new();
    static const struct {
        unsigned op, queue, obj, dst, a;
    } walkers[] = {{ISA_load, 3, 0, 0, 0},
                   {ISA_mvm, 0, 0, 1, 0},
                   {ISA_vmap, 1, 0, 1, 1},
                   {ISA_store, 3, 1, 0, 1}};
    for (int i = 0; i < 4; i++)
        ADD(s, LONG,
            COMMON(walkers[i].op, walkers[i].queue, walkers[i].obj, walkers[i].dst, walkers[i].a,
                   0),
            {0, 23}, {2, 23}, {0, 23}, {2, 23}, {2, 16}, {2, 16}, {2, 16}, {2, 12}, {2, 12},
            {2, 12}, {0, 4}, {0, 15});
    hex(s, SMALL, "00000000 01030400 02000400 03010400");
    hex(s, SYMBOLS, "00 01 02 03 ff");
    means(s, "q3.load dst=v0(0,0) 2x2 from(0,0,0); q0.mvm dst=v1(0,0) 2x2 3>=1; "
             "q1.vmap dst=v1(0,0) a=v1(0,0) 2x2 0>=1; q3.store a=v1(0,0) 2x2 from(0,0,0) 1>=1");
}
END_TEST

/* Rows of 10 in pieces of 4, the last 2; two rows, then from the start. */
START_TEST(raster_of_a_short_walker)
{
    struct section *s = section_new();
    mvm(s, 3, 13, 5, 7, 4);
    small(s, 0, 0, M_NONE, 0);
    hex(s, SYMBOLS, "f1 03 00 ff");
    means(s, "q0.mvm dst=v7(5,3) 1x4; q0.mvm dst=v7(5,7) 1x4; q0.mvm dst=v7(5,11) 1x2; "
             "q0.mvm dst=v7(6,3) 1x4; q0.mvm dst=v7(6,7) 1x4; q0.mvm dst=v7(6,11) 1x2; "
             "q0.mvm dst=v7(5,3) 1x4");
}
END_TEST

/* Columns 0..9: first 2, then 3, what is left when it is at most 4. Rows 0..8: first 1, then 2, gap
 * 1, the last 3. */
START_TEST(raster_of_a_long_walker)
{
    struct section *s = section_new();
    ADD(s, LONG, COMMON(ISA_mvm, 0, 2, 7, 0, 0), {0, 23}, {9, 23}, {0, 23}, {8, 23}, {3, 16},
        {2, 16}, {4, 16}, {2, 12}, {1, 12}, {3, 12}, {1, 4}, {0, 15});
    small(s, 0, 0, M_NONE, 0);
    hex(s, SYMBOLS, "f1 06 00 ff");
    means(s, "q0.mvm dst=v7(0,0) 1x2; q0.mvm dst=v7(0,2) 1x3; q0.mvm dst=v7(0,5) 1x4; "
             "q0.mvm dst=v7(2,0) 2x2; q0.mvm dst=v7(2,2) 2x3; q0.mvm dst=v7(2,5) 2x4; "
             "q0.mvm dst=v7(5,0) 3x2; q0.mvm dst=v7(5,2) 3x3; q0.mvm dst=v7(5,5) 3x4; "
             "q0.mvm dst=v7(0,0) 1x2");
}
END_TEST

static void far_walker(struct section *s, unsigned op, unsigned dst, unsigned a, unsigned b,
                       unsigned extension)
{
    ADD(s, LONG, COMMON(op, 1, 0, dst, a, b), {5, 23}, {6, 23}, {5, 23}, {6, 23}, {1, 16}, {1, 16},
        {1, 16}, {1, 12}, {1, 12}, {1, 12}, {0, 4}, {extension, 15});
}

START_TEST(origins_of_an_extension)
{
    struct section *s = section_new();
    const uint64_t minus = UINT64_C(1) << 24;
    far_walker(s, ISA_vmap, 1, 2, 3, 1);
    far_walker(s, ISA_load, 1, 0, 0, 2);
    far_walker(s, ISA_store, 0, 1, 0, 3);
    far_walker(s, ISA_vwin, 1, 2, 0, 0);
    ADD(s, EXTENSION, {minus - 9, 24}, {1, 24}, {1 << 22, 24}, {minus - 2, 24}, {0, 24}, {0, 8});
    ADD(s, EXTENSION, {minus - 5, 24}, {2, 24}, {0, 24}, {0, 24}, {70000, 24}, {0, 8});
    ADD(s, EXTENSION, {0, 24}, {1 << 22, 24}, {0, 24}, {0, 24}, {0, 24}, {0, 8});
    for (unsigned i = 0; i < 4; i++)
        small(s, i, 0, M_NONE, 0);
    hex(s, SYMBOLS, "00 01 02 03 ff");
    means(s, "q1.vmap dst=v1(5,5) a=v2(-4,6) b=v3(4194309,3) 1x1; q1.load dst=v1(5,5) 1x1 "
             "from(0,7,70000); q1.store a=v1(5,5) 1x1 from(5,4194309,0); "
             "q1.vwin dst=v1(5,5) a=v2(0,0) 1x1");
}
END_TEST

/* After SET one region is as it says, the next ones as the raster. */
START_TEST(a_walker_is_set)
{
    struct section *s = section_new();
    mvm(s, 0, 8, 0, 9, 4);
    small(s, 0, 0, M_NONE, 0);
    hex(s, SYMBOLS, "00 f0 0000 030000 020000 0200 0100 00 00 00 ff");
    means(s, "q0.mvm dst=v7(0,0) 1x4; q0.mvm dst=v7(3,2) 1x2; q0.mvm dst=v7(3,4) 1x4; "
             "q0.mvm dst=v7(4,0) 1x4");
}
END_TEST

/* Columns 3..9, rows 1 and 2, three pixels a piece. The body has the row's last two of one frame
 * and the first four of the next; a SIGNAL of a stage in between. */
START_TEST(a_walker_goes_on_to_the_next_frame)
{
    struct section *s = section_new();
    ADD(s, SHORT, STAGED(ISA_mvm, 0, 3, 2, 7, 0, 0), {3, 14}, {10, 14}, {1, 13}, {3, 13}, {3, 13});
    ADD(s, SHORT, STAGED(ISA_signal, 1, 1, 0, 0, 0, 0), {0, 14}, {0, 14}, {0, 13}, {0, 13},
        {0, 13});
    small(s, 0, 0, M_NONE, 0);
    small(s, 1, 0, M_NONE, 0);
    hex(s, SYMBOLS, "00 01 00 f00080 00 00 f00180 01 00 00 ff");
    means(s, "q0.mvm dst=v7(2,6) 1x3 stage=3; q1.signal stage=1; q0.mvm dst=v7(2,9) 1x1 stage=3; "
             "q0.mvm dst=v7(1,3) 1x3 stage=2; q0.mvm dst=v7(1,6) 1x3 stage=2; q1.signal; "
             "q0.mvm dst=v7(1,9) 1x1 stage=2; q0.mvm dst=v7(2,3) 1x3 stage=2");
}
END_TEST

START_TEST(frames_that_are_wrong)
{
    static const char *const cases[][2] = {
        {"00 f00080 00 f00080 00 ff", "no stage left"},
        {"00 f00180 00 ff", "no stage left"}, /* there is no such walker */
        {"f0 0000 000000 000000 0100 0100 f00080 00 ff", "or is SET"},
        {"00 f000", "cut off"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct section *s = section_new();
        ADD(s, SHORT, STAGED(ISA_mvm, 0, 1, 2, 7, 0, 0), {0, 14}, {1, 14}, {0, 13}, {9, 13},
            {1, 13});
        small(s, 0, 0, M_NONE, 0);
        hex(s, SYMBOLS, cases[i][0]);
        is_wrong(s, cases[i][1]);
    }
}
END_TEST

/* ---- waits ---- */

static struct section *signals(void)
{
    struct section *s = section_new();
    plain(s, ISA_signal, 1);
    plain(s, ISA_wait, 2);
    return s;
}

START_TEST(waits_on_own_queues)
{
    struct section *s = signals();
    small(s, 0, 0, M_NONE, 0);
    small(s, 1, 1, M_VALUE, 0);
    small(s, 1, 2, M_BYTE, 0);
    hex(s, SYMBOLS, "00 01 00 01 02 02 ff");
    means(s, "q1.signal; q2.wait 1>=1; q1.signal; q2.wait 1>=2; q2.wait 2>=0");
}
END_TEST

START_TEST(waits_on_messages)
{
    struct section *s = signals();
    small(s, 1, 130, M_VALUE, 3);
    small(s, 1, 130, M_BYTE, 0);
    small(s, 1, 130, M_THREE, 0);
    small(s, 1, 131, M_VALUE, 1);
    hex(s, SYMBOLS, "00 01ff 02feffff 03 00 02000001 ff");
    means(s, "q2.wait 130>=3; q2.wait 130>=258; q2.wait 130>=256; q2.wait 131>=1; "
             "q2.wait 130>=259; q2.wait 130>=65795");
}
END_TEST

START_TEST(eight_waits_in_four_records)
{
    struct section *s = signals();
    for (unsigned k = 0; k < 4; k++)
        ADD(s, LARGE, {k ? 0 : 1, 14}, {k ? 0 : 3, 2}, WAITS(130 + 2 * k, M_VALUE, 2 * k + 1),
            WAITS(131 + 2 * k, M_BYTE, 0));
    ADD(s, LARGE, {0, 14}, {0, 2}, WAITS(0, M_NONE, 0), WAITS(138, M_VALUE, 9));
    hex(s, SYMBOLS, "00 02 04 06 08 04 ff");
    means(s, "q2.wait 130>=1 131>=2 132>=3 133>=4 134>=5 135>=6 136>=7 137>=8; q1.signal 138>=9");
}
END_TEST

/* ---- symbols ---- */

static struct section *two_templates(void)
{
    struct section *s = signals();
    small(s, 0, 0, M_NONE, 0);
    small(s, 1, 0, M_NONE, 0);
    return s;
}

START_TEST(phrases_in_phrases)
{
    struct section *s = two_templates();
    phrase(s, 0, 1); /* 2: signal */
    phrase(s, 0, 2); /* 3: signal, wait */
    phrase(s, 2, 4); /* 4: twice 3 */
    phrase(s, 6, 1); /* 5: 4 */
    hex(s, MEMORY, "00 01 f2020003 04");
    hex(s, SYMBOLS, "05 02 ff");
    means(s, "q1.signal; q2.wait; q1.signal; q2.wait; q1.signal");
}
END_TEST

/* 3000 templates: 240 is F3 00, 3055 the last of the pages, 3056 is FE 00 00. */
START_TEST(numbers_of_more_bytes)
{
    struct section *s = signals();
    for (unsigned i = 0; i < 3057; i++)
        small(s, i == 240 || i == 3055, 0, M_NONE, 0);
    phrase(s, 0, 1);
    hex(s, MEMORY, "ef");
    hex(s, SYMBOLS, "f300 fdff fe0000 fe0100 f100 fe0100 ff");
    means(s, "q2.wait; q2.wait; q1.signal; q1.signal; q1.signal; q1.signal; q1.signal; q1.signal");
}
END_TEST

START_TEST(an_empty_stream)
{
    struct section *s = section_new();
    hex(s, SYMBOLS, "ff");
    means(s, "");
}
END_TEST

/* ---- faults ---- */

/* Symbols of two templates, one phrase for each `memory` byte. */
static void wrong_symbols(const char *symbols, const char *memory, const char *words)
{
    struct section *s = two_templates();
    hex(s, MEMORY, memory);
    for (unsigned i = 0; i < s->n[MEMORY]; i++)
        phrase(s, i, 1);
    hex(s, SYMBOLS, symbols);
    is_wrong(s, words);
}

START_TEST(symbols_that_are_wrong)
{
    wrong_symbols("00", "", "HALT is missing");
    wrong_symbols("", "", "HALT is missing");
    wrong_symbols("ff00", "", "bytes after HALT");
    wrong_symbols("02ff", "ff", "HALT in a phrase");
    wrong_symbols("02ff", "", "no such template");
    wrong_symbols("f300ff", "", "no such template");
    wrong_symbols("f3", "", "cut off");
    wrong_symbols("fe00", "", "cut off");
    wrong_symbols("f1", "", "cut off");
    wrong_symbols("f20100", "", "cut off");
    wrong_symbols("f2000000ff", "", "a run of none");
    wrong_symbols("f100f10000ff", "", "names no template");
    wrong_symbols("f100ffff", "", "names no template");
    wrong_symbols("f100f0ff", "", "names no template");
    wrong_symbols("02ff", "f1", "cut off");
    wrong_symbols("f0 0000", "", "cut off");
    wrong_symbols("f0 0000 000000 000000 0100 0100 00 ff", "", "has no region");
    wrong_symbols("f0 0900 000000 000000 0100 0100 00 ff", "", "has no region");
    wrong_symbols("02ff", "0304050600", "nested too deep"); /* phrases 2 to 6 */
    wrong_symbols("02ff", "02", "nested too deep");
}
END_TEST

START_TEST(sets_that_are_wrong)
{
    static const char *const cases[][2] = {
        {"f0 0000 000000 000000 0100 0100 ff", "without effect"},
        {"f0 0000 000000 000000 0100 0100 f0 0000 000000 000000 0100 0100 00 ff", "without effect"},
        {"f0 0000 000000 000000 0000 0100 00 ff", "of no region"},
        {"f0 0000 000000 000000 0100 0000 00 ff", "of no region"},
        {"f0 0000 000000 000000 0100 0010 00 ff", "of no region"},
        {"00 f0 0000 000000 080000 0400 0100 00 00 ff", "beyond its raster"}, /* x 8..12 of 10 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct section *s = section_new();
        mvm(s, 0, 10, 0, 1, 4);
        small(s, 0, 0, M_NONE, 0);
        hex(s, SYMBOLS, cases[i][0]);
        is_wrong(s, cases[i][1]);
    }
}
END_TEST

static struct section *one_mvm(void)
{
    struct section *s = section_new();
    mvm(s, 0, 1, 0, 1, 1);
    hex(s, SYMBOLS, "ff");
    return s;
}

START_TEST(tables_that_are_wrong)
{
    struct section *s = section_new();
    ADD(s, SHORT, {16, 5}, {0, 59}, {0, 64});
    hex(s, SYMBOLS, "ff");
    is_wrong(s, "operation 16");
    s = section_new(); /* PROG is kept for later */
    ADD(s, SHORT, {6, 5}, {0, 59}, {0, 64});
    hex(s, SYMBOLS, "ff");
    is_wrong(s, "not supported yet");
    s = section_new();
    ADD(s, SHORT, COMMON(ISA_mvm, 0, 0, 0, 1, 0), {0, 67});
    hex(s, SYMBOLS, "ff");
    is_wrong(s, "does not have");
    s = section_new();
    ADD(s, SHORT, COMMON(ISA_wait, 0, 0, 0, 0, 0), {0, 14}, {1, 14}, {0, 39});
    hex(s, SYMBOLS, "ff");
    is_wrong(s, "has no region");
    s = section_new();
    ADD(s, LONG, COMMON(ISA_wait, 0, 0, 0, 0, 0), {0, 195});
    hex(s, SYMBOLS, "ff");
    is_wrong(s, "has no region");
    s = one_mvm();
    ADD(s, LONG, COMMON(ISA_mvm, 0, 0, 0, 0, 0), {0, 180}, {1, 15});
    is_wrong(s, "no extension 0");
    s = one_mvm();
    ADD(s, EXTENSION, {0, 60}, {0, 60}, {1, 8});
    is_wrong(s, "extension 0: bits set");
    s = one_mvm();
    small(s, 1, 0, M_NONE, 0);
    is_wrong(s, "walker 1");
    s = one_mvm();
    small(s, 0, 0, M_NONE, 1);
    is_wrong(s, "means nothing");
    s = one_mvm();
    small(s, 0, 5, M_NONE, 0);
    is_wrong(s, "means nothing");
    s = one_mvm();
    small(s, 0, 5, M_BYTE, 1);
    is_wrong(s, "means nothing");
    s = one_mvm();
    small(s, 0, 1023, M_VALUE, 0);
    is_wrong(s, "means nothing");
    s = one_mvm();
    ADD(s, LARGE, {0, 14}, {1, 2}, WAITS(0, M_NONE, 0), WAITS(0, M_NONE, 0));
    is_wrong(s, "goes on");
    s = one_mvm();
    ADD(s, LARGE, {0, 14}, {1, 2}, {0, 48});
    ADD(s, LARGE, {0, 14}, {0, 2}, {0, 48});
    s->n[SYMBOLS] = 0;
    hex(s, SYMBOLS, "01ff");
    is_wrong(s, "continues another");
    s = one_mvm();
    small(s, 0, 1, M_BYTE, 0);
    s->n[SYMBOLS] = 0;
    hex(s, SYMBOLS, "f10000ff");
    is_wrong(s, "a run of a template that takes bytes");
    s = one_mvm();
    phrase(s, 0, 0);
    is_wrong(s, "phrase 0");
    s = one_mvm();
    hex(s, MEMORY, "00");
    phrase(s, 0, 2);
    is_wrong(s, "phrase 0");
}
END_TEST

START_TEST(sections_that_are_wrong)
{
    struct section *s = one_mvm();
    struct isa_bytes b = section_bytes(s);
    struct isa_stream out;
    const char *fault;
    for (uint64_t n = 0; n < b.n; n++)
        ck_assert(!isa_stream_decode(b.at, n, 10, s->arena, &out, &fault));
    uint8_t *at = arena_alloc(s->arena, b.n);
    for (int part = 0; part < N_PARTS; part++) { /* counts of four thousand millions */
        memcpy(at, b.at, b.n);
        memset(at + 4 * (size_t)part, 0xff, 4);
        ck_assert(!isa_stream_decode(at, b.n, 10, s->arena, &out, &fault));
    }
    section_free(s);
}
END_TEST

/* Runs of runs of runs: 65535^5 instructions of 60 bytes. */
START_TEST(streams_that_explode)
{
    struct section *s = two_templates();
    hex(s, MEMORY, "f2ffff00 f2ffff02 f2ffff03 f2ffff04");
    for (unsigned i = 0; i < 4; i++)
        phrase(s, 4 * i, 4);
    hex(s, SYMBOLS, "f2ffff05ff");
    is_wrong(s, "too many instructions");
    s = section_new(); /* phrases that make nothing do not get far either */
    mvm(s, 0, 10, 0, 1, 4);
    small(s, 0, 0, M_NONE, 0);
    hex(s, MEMORY, "f0 0000 000000 000000 0100 0100 f2ffff01 f2ffff02 f2ffff03");
    phrase(s, 0, 13);
    for (unsigned i = 0; i < 3; i++)
        phrase(s, 13 + 4 * i, 4);
    hex(s, SYMBOLS, "f2ffff04ff");
    is_wrong(s, "without effect");
}
END_TEST

/* ---- encoding ---- */

struct sequence {
    VEC(struct isa_inst) insts;
    VEC(uint32_t) sources;
    uint64_t random;
    uint32_t dispatched[ISA_N_QUEUES], last[1024];
};

static uint32_t below(struct sequence *q, uint32_t n)
{
    return (uint32_t)(random_next(&q->random) % n);
}

static void append(struct sequence *q, struct isa_inst i)
{
    q->dispatched[i.queue]++;
    VEC_PUSH(&q->insts, i);
    VEC_PUSH(&q->sources, below(q, 9) ? i.obj : below(q, 3));
}

/* A layer's row: products of pieces of w, each awaited by an operation on it. */
static void append_piece(struct sequence *q, unsigned layer, int32_t y, int32_t x, unsigned w)
{
    struct isa_inst m = isa_inst_new(ISA_mvm, layer), v = isa_inst_new(ISA_vmap, 9);
    m.obj = (uint16_t)layer;
    m.h = v.h = (uint16_t)(1 + layer % 2);
    m.w = v.w = (uint16_t)w;
    m.dst = (struct isa_region){(uint16_t)layer, y, x};
    v.a = m.dst;
    v.dst = (struct isa_region){(uint16_t)(layer + 8), y, x};
    v.b = (struct isa_region){layer == 3 ? 5 : 0, layer == 3 ? y - 2 : y, x};
    if (below(q, 3) == 0)
        isa_inst_wait(&m, 128 + layer, q->last[128 + layer] += below(q, 40) ? 1 : below(q, 5000));
    append(q, m);
    isa_inst_wait(&v, layer, q->dispatched[layer] - (below(q, 30) ? 0 : 1));
    append(q, v);
}

/* Anything that an instruction can say. */
static void append_noise(struct sequence *q)
{
    static const uint8_t ops[] = {ISA_nop,  ISA_mvm,   ISA_vmap,  ISA_vwin, ISA_vred,
                                  ISA_vgat, ISA_vdot,  ISA_vtake, ISA_send, ISA_signal,
                                  ISA_load, ISA_store, ISA_wait};
    unsigned op = ops[below(q, sizeof ops)];
    struct isa_inst i = isa_inst_new(op, below(q, 123));
    struct isa_region r = {(uint16_t)below(q, 1024), (int32_t)below(q, 1 << 22),
                           (int32_t)below(q, 1 << 22)};
    bool dma = op == ISA_load || op == ISA_store, from_a = op == ISA_send || op == ISA_store;
    bool flagged = op == ISA_vred || op == ISA_vdot || op == ISA_vtake;
    i.obj = op == ISA_nop || op == ISA_wait || flagged ? 0 : (uint16_t)below(q, 1024);
    i.stage = (uint8_t)below(q, 3);
    unsigned flags[] = {1 + below(q, 7), 1u << below(q, 3), below(q, 2)};
    i.flags = (uint8_t)(op == ISA_vred    ? flags[0]
                        : op == ISA_vtake ? flags[1]
                        : op == ISA_vdot  ? flags[2]
                                          : 0);
    if (isa_op_has_dst(op))
        i.dst = r;
    if (from_a || op == ISA_vmap || flagged)
        i.a = r, i.a.y -= from_a ? 0 : (int32_t)below(q, 1 << 21);
    if (op == ISA_vwin || op == ISA_vgat)
        i.a.view = (uint16_t)below(q, 1024);
    if (op == ISA_vmap || op == ISA_vdot || op == ISA_vtake)
        i.b = (struct isa_region){(uint16_t)below(q, 1024), -(int32_t)below(q, 1 << 22), r.x};
    if (isa_op_has_extent(op))
        i.h = (uint16_t)(1 + below(q, 4095)), i.w = (uint16_t)(1 + below(q, 65535));
    if (dma)
        i.y = (int32_t)below(q, 1 << 22), i.x = r.x, i.c = below(q, 1 << 24);
    for (uint32_t k = below(q, 9); k > 0; k--)
        isa_inst_wait(&i, below(q, 1023), below(q, 1 << 22));
    append(q, i);
}

static void append_layers(struct sequence *q, uint32_t n_rows, uint32_t noise)
{
    enum { WIDTH = 20 };
    for (uint32_t y = 0; y < n_rows; y++)
        for (unsigned layer = 0; layer < 4; layer++) {
            unsigned piece = 3 + layer;
            for (unsigned x = 0; x < WIDTH; x += piece)
                append_piece(q, layer, (int32_t)(y * (1 + layer % 2)), (int32_t)x,
                             x + piece > WIDTH ? WIDTH - x : piece);
            if (noise && below(q, noise) == 0)
                append_noise(q);
        }
}

/* Encodes twice, decodes, compares; the bytes of the stream. */
static uint64_t round_trip(struct sequence *q)
{
    struct arena *a = arena_new();
    struct isa_tile t = {
        .n_insts = (uint32_t)q->insts.n, .insts = q->insts.at, .sources = q->sources.at};
    struct isa_tile again = t, back = {0};
    const char *fault = "";
    ck_assert(isa_tile_encode(&t, a) && isa_tile_encode(&again, a));
    ck_assert_uint_eq(t.stream.n, again.stream.n);
    ck_assert_mem_eq(t.stream.at, again.stream.at, t.stream.n);
    ck_assert_msg(isa_tile_decode(&back, &t.stream, &t.source_map, t.n_insts, a, &fault), "%s",
                  fault);
    ck_assert_uint_eq(back.n_insts, t.n_insts);
    for (uint32_t i = 0; i < t.n_insts; i++) {
        ck_assert_msg(isa_inst_equal(&back.insts[i], &t.insts[i]), "instruction %u", i);
        ck_assert_uint_eq(back.sources[i], t.sources[i]);
    }
    if (t.n_insts)
        ck_assert(!isa_tile_decode(&back, &t.stream, &t.source_map, t.n_insts - 1, a, &fault));
    uint64_t bytes = t.stream.n;
    arena_free(a);
    VEC_FREE(&q->insts);
    VEC_FREE(&q->sources);
    return bytes;
}

#include "stream_limits.h"

START_TEST(layers_come_back)
{
    struct sequence q = {.random = (uint64_t)_i + 1};
    append_layers(&q, (uint32_t)_i * 3, _i % 2 ? 20 : 0);
    round_trip(&q);
}
END_TEST

/* A body that begins within its frame: what comes first, of the frame before, is a stage later. It
 * takes no second walker for anything: a FRAME of 3 bytes for each, and for eleven of the templates
 * another wait or place. */
START_TEST(bodies_begin_anywhere)
{
    struct sequence q = {.random = 1};
    append_layers(&q, 40, 0);
    uint32_t n = (uint32_t)q.insts.n, cut = (uint32_t)(n * (unsigned)_i / 10);
    for (uint32_t i = 0; i < cut; i++)
        q.insts.at[n - cut + i].stage = 1;
    struct isa_inst *turned = heap_alloc(n * sizeof *turned);
    memcpy(turned, q.insts.at + n - cut, cut * sizeof *turned);
    memcpy(turned + cut, q.insts.at, (n - cut) * sizeof *turned);
    memcpy(q.insts.at, turned, n * sizeof *turned);
    heap_free(turned);
    for (uint32_t i = 0; i < n; i++)
        q.insts.at[i].n_waits = 0;
    struct sequence whole = {.random = 1};
    append_layers(&whole, 40, 0);
    for (uint32_t i = 0; i < n; i++)
        whole.insts.at[i].n_waits = 0;
    uint64_t least = round_trip(&whole), bytes = round_trip(&q);
    ck_assert_uint_le(bytes, least + 100);
}
END_TEST

/* A step of rows of twelve pixels, each of which begins when half of the one before is done: a
 * pixel of each. */
static void append_step(struct sequence *q, int32_t step, int32_t n_rows, unsigned stage)
{
    int32_t row = step / 6, x = step % 6;
    struct isa_inst older = isa_inst_new(ISA_mvm, 0), newer = older;
    older.h = older.w = newer.h = newer.w = 1;
    older.dst = (struct isa_region){7, row ? row - 1 : n_rows - 1, x + 6};
    newer.dst = (struct isa_region){7, row, x};
    older.stage = (uint8_t)(stage + (row == 0)); /* the last row of the frame before */
    newer.stage = (uint8_t)stage;
    append(q, older);
    append(q, newer);
}

/* So the last row of a frame and the first one of the next take turns. Wherever the body begins two
 * walkers, of every second row each, take all steps, and are SET never. */
START_TEST(rows_end_their_frames_one_after_the_other)
{
    enum { ROWS = 20, STEPS = 6 * ROWS };
    struct sequence q = {.random = 1};
    for (int32_t i = 0; i < STEPS; i++) {
        int32_t step = (_i * 11 + i) % STEPS;
        append_step(&q, step, ROWS, step >= _i * 11);
    }
    memset(q.sources.at, 0, q.sources.n * sizeof *q.sources.at);
    /* head 32, walkers 2 x 32, templates 2 x 4, FRAME 2 x 3, HALT; what is left is what repeats
     * itself ten times: less than five SETs */
    ck_assert_uint_le(round_trip(&q), 32 + 64 + 8 + 6 + 1 + 60);
}
END_TEST

START_TEST(noise_comes_back)
{
    struct sequence q = {.random = (uint64_t)_i + 77};
    for (uint32_t n = below(&q, 300) * (1 + (_i == 0) * 20); n > 0; n--)
        append_noise(&q);
    round_trip(&q);
}
END_TEST

/* A row again and again is one phrase: code grows with the logarithm of the rows at most. */
START_TEST(repetition_costs_nothing)
{
    struct sequence q = {.random = 1};
    uint64_t bytes[2];
    for (int k = 0; k < 2; k++) {
        for (int32_t y = 0; y < (k ? 4000 : 40); y++)
            for (int32_t x = 0; x < 9; x++) {
                struct isa_inst m = isa_inst_new(ISA_mvm, 0), v = isa_inst_new(ISA_vmap, 1);
                m.h = m.w = v.h = v.w = 1;
                m.dst = v.dst = v.a = v.b = (struct isa_region){0, y, x};
                append(&q, m);
                isa_inst_wait(&v, 0, q.dispatched[0]);
                append(&q, v);
            }
        memset(q.sources.at, 0, q.sources.n * sizeof *q.sources.at);
        bytes[k] = round_trip(&q);
        memset(q.dispatched, 0, sizeof q.dispatched);
    }
    /* head 32, walkers 2 x 16, templates 2 x 4, a phrase 4 + 2, a run 4, HALT */
    ck_assert_uint_le(bytes[0], 32 + 32 + 8 + 6 + 4 + 1);
    ck_assert_uint_le(bytes[1], bytes[0] + 4);
}
END_TEST

/* Loops in loops, deeper than phrases nest. */
START_TEST(deep_loops_come_back)
{
    struct sequence q = {.random = 5};
    for (uint32_t i = 0; i < 20000; i++) {
        unsigned queue = 0; /* the ruler: how often 2 or 3 divides i */
        for (uint32_t k = i + 1; k % (queue % 2 ? 3 : 2) == 0; queue++)
            k /= queue % 2 ? 3 : 2;
        append(&q, isa_inst_new(ISA_nop, queue));
    }
    ck_assert_uint_lt(round_trip(&q), 20000 / 4);
}
END_TEST

/* Each number of instructions that a run can have. */
START_TEST(runs_come_back)
{
    static const uint32_t lengths[] = {0, 1, 3, 4, 5, 259, 260, 65534, 65535, 65536, 65539, 140000};
    struct sequence q = {.random = 5};
    for (uint32_t n = lengths[_i]; n > 0; n--)
        append(&q, isa_inst_new(ISA_nop, 3));
    ck_assert_uint_le(round_trip(&q), 32 + 16 + 4 + 13);
}
END_TEST

/* Bytes of a stream and of its sources at random: a fault, or instructions. */
START_TEST(damaged_streams_are_survived)
{
    struct sequence q = {.random = 9};
    append_layers(&q, 12, 9);
    struct arena *a = arena_new();
    struct isa_tile t = {
        .n_insts = (uint32_t)q.insts.n, .insts = q.insts.at, .sources = q.sources.at};
    ck_assert(isa_tile_encode(&t, a));
    struct isa_bytes in[] = {t.stream, t.source_map};
    for (int round = 0; round < 20000; round++) {
        struct arena *scratch = arena_new();
        struct isa_bytes *b = &in[round % 8 == 0];
        uint8_t *bytes = arena_alloc(scratch, b->n);
        const uint8_t *kept = b->at;
        const char *fault = NULL;
        memcpy(bytes, b->at, b->n);
        for (uint32_t k = 1 + below(&q, 3); k > 0; k--)
            bytes[below(&q, (uint32_t)b->n)] ^= (uint8_t)(1 << below(&q, 8));
        b->at = bytes;
        struct isa_tile back = {0};
        ck_assert(isa_tile_decode(&back, &in[0], &in[1], 100000, scratch, &fault) || fault);
        b->at = kept;
        arena_free(scratch);
    }
    arena_free(a);
    VEC_FREE(&q.insts);
    VEC_FREE(&q.sources);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("stream");
    TCase *decoding = tcase_create("decoding"), *faults = tcase_create("faults"),
          *encoding = tcase_create("encoding");
    tcase_add_test(decoding, example_of_the_specification);
    tcase_add_test(decoding, raster_of_a_short_walker);
    tcase_add_test(decoding, raster_of_a_long_walker);
    tcase_add_test(decoding, origins_of_an_extension);
    tcase_add_test(decoding, a_walker_is_set);
    tcase_add_test(decoding, a_walker_goes_on_to_the_next_frame);
    tcase_add_test(decoding, frames_that_are_wrong);
    tcase_add_test(decoding, waits_on_own_queues);
    tcase_add_test(decoding, waits_on_messages);
    tcase_add_test(decoding, eight_waits_in_four_records);
    tcase_add_test(decoding, phrases_in_phrases);
    tcase_add_test(decoding, numbers_of_more_bytes);
    tcase_add_test(decoding, an_empty_stream);
    tcase_add_test(faults, symbols_that_are_wrong);
    tcase_add_test(faults, sets_that_are_wrong);
    tcase_add_test(faults, tables_that_are_wrong);
    tcase_add_test(faults, sections_that_are_wrong);
    tcase_add_test(faults, streams_that_explode);
    tcase_add_test(faults, damaged_streams_are_survived);
    tcase_set_timeout(faults, 60);
    tcase_add_loop_test(encoding, bodies_begin_anywhere, 0, 10);
    tcase_add_loop_test(encoding, rows_end_their_frames_one_after_the_other, 0, 11);
    tcase_add_loop_test(encoding, layers_come_back, 0, 12);
    tcase_add_loop_test(encoding, noise_comes_back, 0, 12);
    tcase_add_test(encoding, repetition_costs_nothing);
    tcase_add_test(encoding, deep_loops_come_back);
    tcase_add_loop_test(encoding, runs_come_back, 0, 12);
    tcase_add_test(encoding, too_many_walkers);
    tcase_add_test(encoding, too_many_templates);
    tcase_add_test(encoding, too_many_phrases);
    tcase_set_timeout(encoding, 60);
    suite_add_tcase(s, decoding);
    suite_add_tcase(s, faults);
    suite_add_tcase(s, encoding);
    return run_suite(s);
}
