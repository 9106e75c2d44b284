/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_integer_tests.h - programs of integers against values worked out by hand: lanes, products,
 * windows, moves. Each runs with instructions in batches and one by one.
 */
#ifndef CIMC_SIM_INTEGER_TESTS_H
#define CIMC_SIM_INTEGER_TESTS_H

#include "sim_rig.h"

/* A view of any element; of u8 at an odd address, so that nothing relies on alignment. `data`: what
 * it starts with, or NULL. */
static uint32_t typed(struct rig *r, enum element e, uint32_t h, uint32_t w, uint32_t c,
                      const void *data)
{
    struct isa_tile *t = &r->p->tiles[0];
    uint32_t v = view(r, 0, h, w, c);
    struct isa_view *made = &t->views[v];
    int64_t size = (int64_t)element_bytes(e);
    uint64_t lead = size == 1 ? 1 : 0, bytes = (lead + (uint64_t)h * w * c * size + 3) / 4 * 4;
    if (data) {
        uint8_t *copy = ARENA_ARRAY(r->p->arena, uint8_t, bytes);
        memcpy(copy + lead, data, (size_t)h * w * c * size);
        t->preloads[t->n_preloads++] = (struct isa_preload){
            .address = made->base, .section = section(r, (void *)copy, bytes / 4), .length = bytes};
    }
    t->buffer_bytes = made->base + bytes;
    made->base += lead;
    made->element = e;
    made->row_pitch = (int64_t)w * c * size;
    made->col_pitch = c * size;
    made->channel_pitch = size;
    return v;
}

/* Stores the view as an output of `e` once the queue has completed an instruction. */
static void stored(struct rig *r, uint32_t v, enum element e, unsigned queue)
{
    store(r, 0, v, queue, 1);
    r->p->bindings[r->p->n_bindings - 1].element = e;
}

static void watch(void *self, const struct sim *s, uint32_t tile, uint32_t frame, uint32_t index,
                  const struct isa_inst *i)
{
    (void)self, (void)s, (void)tile, (void)frame, (void)index, (void)i;
}

static void same(const void *got, const void *want, size_t bytes)
{
    const uint8_t *x = got, *y = want;
    for (size_t i = 0; i < bytes; i++)
        ck_assert_msg(x[i] == y[i], "byte %zu: %02x, not %02x", i, x[i], y[i]);
}

/* Runs it twice and compares the first output. */
static void gives(struct rig *r, const void *want, size_t bytes)
{
    run(r);
    same(r->outputs[0], want, bytes);
    memset(r->outputs[0], 0xee, bytes);
    ck_assert(run_with(r, (struct sim_options){.executed = watch}));
    same(r->outputs[0], want, bytes);
    rig_free(r);
}

/* ---- lanes ---- */

enum { N_LANES = 6 };
enum { MUL_514 = LANE_CONST0, MUL_HALF = LANE_CONST0 + 2 }; /* rows, each with what is added */

/* One program over 1 x 1 x N_LANES elements: a of element `in`, the result into `out`. */
static void map_gives(enum element in, const void *a, uint32_t n, const struct isa_lane *ops,
                      enum element out, const void *want)
{
    static const int32_t k[4 * N_LANES] = {514,     514,     514,     514,     514,     514,
                                           0,       0,       0,       7,       0,       0,
                                           1 << 30, 1 << 30, 1 << 30, 1 << 30, 1 << 30, 1 << 30};
    int32_t squares[ISA_TABLE_ENTRIES];
    for (int i = 0; i < ISA_TABLE_ENTRIES; i++)
        squares[i] = i * i;
    struct rig r = rig_new(1);
    struct isa_tile *t = &r.p->tiles[0];
    uint32_t from_view = typed(&r, in, 1, 1, N_LANES, a),
             to_view = typed(&r, out, 1, 1, N_LANES, NULL);
    uint32_t constants = typed(&r, ELEMENT_i32, 4, 1, N_LANES, k);
    t->tables = ARENA_ARRAY(r.p->arena, struct isa_table, 1);
    t->tables[t->n_tables++] = (struct isa_table){
        .element = ELEMENT_i32, .section = section(&r, (void *)squares, ISA_TABLE_ENTRIES)};
    bool reads = false;
    for (uint32_t i = 0; i < n; i++)
        reads |= ops[i].x >= LANE_CONST0 || ops[i].y >= LANE_CONST0;
    uint32_t program = lanes(&r, 0, 1, reads ? constants : 0, n, ops);
    struct isa_inst i = inst(ISA_vmap, vu(&r, 0), program, 1, 1);
    emit(&r, 0, from(to(i, at(to_view, 0, 0)), at(from_view, 0, 0)));
    stored(&r, to_view, out, vu(&r, 0));
    gives(&r, want, N_LANES * element_bytes(out));
}

START_TEST(integer_lanes)
{
    static const int32_t a[N_LANES] = {-3, 0, 5, 257, INT32_MAX, INT32_MIN};
    static const struct {
        struct isa_lane op;
        int32_t want[N_LANES];
    } cases[] = {
        {{LANE_MOV, LANE_A, 0, 0}, {-3, 0, 5, 257, INT32_MAX, INT32_MIN}},
        {{LANE_IADD, LANE_A, LANE_IMM, 1}, {-2, 1, 6, 258, INT32_MIN, INT32_MIN + 1}},
        {{LANE_ISUB, LANE_IMM, LANE_A, 1}, {4, 1, -4, -256, INT32_MIN + 2, INT32_MIN + 1}},
        {{LANE_IMUL, LANE_A, LANE_IMM, 3}, {-9, 0, 15, 771, INT32_MAX - 2, INT32_MIN}},
        {{LANE_IMIN, LANE_A, LANE_IMM, 5}, {-3, 0, 5, 5, 5, INT32_MIN}},
        {{LANE_IMAX, LANE_A, LANE_IMM, (uint32_t)-2}, {-2, 0, 5, 257, INT32_MAX, -2}},
        {{LANE_TAB, LANE_A, 0, 0}, {253 * 253, 0, 25, 1, 255 * 255, 0}},
        {{LANE_RQ, LANE_A, MUL_514, 0}, {-1542, 0, 2570, 132105, INT32_MAX, INT32_MIN}},
        {{LANE_RQ, LANE_A, MUL_HALF, 31}, {-1, 0, 3, 129, 1 << 30, -(1 << 30)}},
        {{LANE_ILT, LANE_A, LANE_IMM, 5}, {1, 1, 0, 0, 0, 1}},
        {{LANE_IEQ, LANE_A, LANE_IMM, 257}, {0, 0, 0, 1, 0, 0}},
        {{LANE_IDIV, LANE_A, LANE_IMM, (uint32_t)-2}, {1, 0, -2, -128, -1073741823, 1 << 30}},
        {{LANE_IDIV, LANE_A, LANE_IMM, (uint32_t)-1}, {3, 0, -5, -257, -INT32_MAX, INT32_MIN}},
        {{LANE_IDIV, LANE_IMM, LANE_A, 7}, {-2, 0, 1, 0, 0, 0}},
        {{LANE_IMOD, LANE_A, LANE_IMM, (uint32_t)-4}, {-3, 0, -3, -3, -1, 0}},
        {{LANE_IMOD, LANE_IMM, LANE_A, 7}, {-2, 0, 2, 7, 7, INT32_MIN + 7}},
        {{LANE_IAND, LANE_A, LANE_IMM, 255}, {253, 0, 5, 1, 255, 0}},
        {{LANE_IOR, LANE_A, LANE_IMM, 256}, {-3, 256, 261, 257, INT32_MAX, INT32_MIN + 256}},
        {{LANE_MASK, LANE_A, LANE_IMM, 9}, {9, 0, 9, 9, 9, 9}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        map_gives(ELEMENT_i32, a, 1, &cases[i].op, ELEMENT_i32, cases[i].want);
}
END_TEST

/* Comparisons of floats are 0 or 1, with a NaN 0; -0 equals 0. */
START_TEST(floats_are_compared)
{
    static const float a[N_LANES] = {-2, -0.0f, 0.5f, NAN, INFINITY, 0x1p-149f};
    static const struct isa_lane less[] = {{LANE_FLT, LANE_A, LANE_IMM, 0}},
                                 equal[] = {{LANE_FEQ, LANE_A, LANE_IMM, 0}},
                                 number[] = {{LANE_FEQ, LANE_A, LANE_A, 0}};
    map_gives(ELEMENT_f32, a, 1, less, ELEMENT_i32, (int32_t[N_LANES]){1, 0, 0, 0, 0, 0});
    map_gives(ELEMENT_f32, a, 1, equal, ELEMENT_u8, (uint8_t[N_LANES]){0, 1, 0, 0, 0, 0});
    map_gives(ELEMENT_f32, a, 1, number, ELEMENT_i32, (int32_t[N_LANES]){1, 1, 1, 0, 1, 1});
    /* where(a < .5, a, 1) */
    static const struct isa_lane where[] = {{LANE_FLT, LANE_A, LANE_IMM, 0x3f000000},
                                            {LANE_IEQ, 0, LANE_IMM, 0},
                                            {LANE_MASK, 0, LANE_A, 0},
                                            {LANE_MASK, 1, LANE_IMM, 0x3f800000},
                                            {LANE_IOR, 2, 3, 0}};
    map_gives(ELEMENT_f32, a, 5, where, ELEMENT_f32,
              (float[N_LANES]){-2, -0.0f, 1, 1, 1, 0x1p-149f});
}
END_TEST

START_TEST(views_of_bytes_widen_and_saturate)
{
    static const uint8_t a[N_LANES] = {0, 1, 127, 128, 200, 255};
    static const struct isa_lane shift[] = {{LANE_ISUB, LANE_A, LANE_IMM, 100},
                                            {LANE_IMUL, 0, LANE_IMM, 2}};
    map_gives(ELEMENT_u8, a, 2, shift, ELEMENT_i32,
              (int32_t[N_LANES]){-200, -198, 54, 56, 200, 310});
    map_gives(ELEMENT_u8, a, 2, shift, ELEMENT_u8, (uint8_t[N_LANES]){0, 0, 54, 56, 200, 255});
}
END_TEST

/* To the nearest, ties to even, over the whole range; clamped to +-2^30; NaN is 0. */
START_TEST(floats_become_integers)
{
    static const struct isa_lane round[] = {{LANE_F2I, LANE_A, 0, 0}};
    map_gives(ELEMENT_f32, (float[N_LANES]){0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f}, 1, round,
              ELEMENT_i32, (int32_t[N_LANES]){0, 2, 2, 0, -2, -2});
    map_gives(ELEMENT_f32,
              (float[N_LANES]){0x1p22f + 0.5f, 0x1p22f + 1.5f, 0x1p23f - 0.5f, -0x1p23f + 0.5f,
                               0x1p24f + 2, 0.49999997f},
              1, round, ELEMENT_i32,
              (int32_t[N_LANES]){1 << 22, (1 << 22) + 2, 1 << 23, -(1 << 23), (1 << 24) + 2, 0});
    map_gives(ELEMENT_f32,
              (float[N_LANES]){NAN, INFINITY, -INFINITY, 1e30f, 0x1p30f - 64, -0x1p31f}, 1, round,
              ELEMENT_i32,
              (int32_t[N_LANES]){0, 1 << 30, -(1 << 30), 1 << 30, (1 << 30) - 64, -(1 << 30)});
    static const struct isa_lane widen[] = {{LANE_I2F, LANE_A, 0, 0}};
    map_gives(
        ELEMENT_i32,
        (int32_t[N_LANES]){(1 << 24) + 1, (1 << 24) + 3, -(1 << 24) - 1, INT32_MAX, INT32_MIN, -1},
        1, widen, ELEMENT_f32,
        (float[N_LANES]){0x1p24f, 0x1p24f + 4, -0x1p24f, 0x1p31f, -0x1p31f, -1});
}
END_TEST

/* s_x = .02, s_w = .005, s_y = .1: m = 0x1.0624dcp-10; zero point 3, results of i8. */
START_TEST(requantise_by_float)
{
    const struct isa_lane ops[] = {{LANE_I2F, LANE_A, 0, 0},
                                   {LANE_MUL, 0, LANE_IMM, f32_bits(0x1.0624dcp-10f)},
                                   {LANE_F2I, 1, 0, 0},
                                   {LANE_IADD, 2, LANE_IMM, 3},
                                   {LANE_IMAX, 3, LANE_IMM, (uint32_t)-128},
                                   {LANE_IMIN, 4, LANE_IMM, 127}};
    map_gives(ELEMENT_i32, (int32_t[N_LANES]){12345, -4500, 127500, 499, 501, 0}, 6, ops,
              ELEMENT_i32, (int32_t[N_LANES]){15, -1, 127, 3, 4, 3});
    const struct isa_lane half[] = {
        {LANE_I2F, LANE_A, 0, 0}, {LANE_MUL, 0, LANE_IMM, f32_bits(0.5f)}, {LANE_F2I, 1, 0, 0}};
    map_gives(ELEMENT_i32, (int32_t[N_LANES]){-3, 5, 3, -5, 1, 7}, 3, half, ELEMENT_i32,
              (int32_t[N_LANES]){-2, 2, 2, -2, 0, 4});
}
END_TEST

/* RequantShift, mul 514, 16 bits: (x * 514 + 2^15) >> 16, unsigned. */
START_TEST(requantise_by_shift)
{
    static const int32_t a[N_LANES] = {64, 63, -25088, 32444, 32700, 0};
    static const struct isa_lane ops[] = {{LANE_RQ, LANE_A, MUL_514, 16}};
    map_gives(ELEMENT_i32, a, 1, ops, ELEMENT_i32, (int32_t[N_LANES]){1, 0, -197, 254, 256, 0});
    map_gives(ELEMENT_i32, a, 1, ops, ELEMENT_u8, (uint8_t[N_LANES]){1, 0, 0, 254, 255, 0});
}
END_TEST

/* 91 (zero 0, scale .05) + 100 (zero 20, scale .03) with scale .08, zero 10: 97. */
START_TEST(sum_of_two_scales)
{
    const struct isa_lane ops[] = {{LANE_I2F, LANE_A, 0, 0},
                                   {LANE_MUL, 0, LANE_IMM, f32_bits(0.05f)},
                                   {LANE_ISUB, LANE_B, LANE_IMM, 20},
                                   {LANE_I2F, 2, 0, 0},
                                   {LANE_MUL, 3, LANE_IMM, f32_bits(0.03f)},
                                   {LANE_ADD, 1, 4, 0},
                                   {LANE_DIV, 5, LANE_IMM, f32_bits(0.08f)},
                                   {LANE_F2I, 6, 0, 0},
                                   {LANE_IADD, 7, LANE_IMM, 10}};
    struct rig r = rig_new(1);
    uint32_t a = typed(&r, ELEMENT_u8, 1, 1, 1, (uint8_t[]){91});
    uint32_t b = typed(&r, ELEMENT_u8, 1, 1, 1, (uint8_t[]){100});
    uint32_t out = typed(&r, ELEMENT_u8, 1, 1, 1, NULL);
    struct isa_inst i = inst(ISA_vmap, vu(&r, 0), lanes(&r, 0, 2, 0, 9, ops), 1, 1);
    i.b = at(b, 0, 0);
    emit(&r, 0, from(to(i, at(out, 0, 0)), at(a, 0, 0)));
    stored(&r, out, ELEMENT_u8, vu(&r, 0));
    gives(&r, (uint8_t[]){97}, 1);
}
END_TEST

/* ---- products ---- */

static struct isa_group *integer_group(struct rig *r, uint32_t source, uint32_t k, uint32_t n,
                                       const int8_t *weights, const int32_t *center)
{
    int8_t *copy = ARENA_ARRAY(r->p->arena, int8_t, (k * n + 3) / 4 * 4);
    memcpy(copy, weights, k * n);
    uint32_t id = r->p->n_images++;
    r->p->images[id] = (struct isa_image){.section = section(r, (void *)copy, (k * n + 3) / 4),
                                          .k = k,
                                          .n = n,
                                          .element = ELEMENT_i8};
    if (center)
        r->p->images[id].center = section(r, (const void *)center, n) + 1;
    struct isa_group *g = group(r, 0, source, id);
    g->x_bits = 8;
    return g;
}

/* Kernel 1 x 2 over one row of x with zero point 10: w = (-5, 7), bias 100 - 10 * 2 = 80. */
static void zero_point(uint32_t width, int32_t want)
{
    static const struct isa_lane bias[] = {{LANE_IADD, LANE_A, LANE_IMM, 80}};
    struct rig r = rig_new(1);
    uint32_t in = typed(&r, ELEMENT_u8, 1, width, 1, (uint8_t[]){200, 3});
    r.p->tiles[0].views[in].pad_value = 10;
    uint32_t sums = typed(&r, ELEMENT_i32, 1, 1, 1, NULL),
             out = typed(&r, ELEMENT_i32, 1, 1, 1, NULL);
    struct isa_group *g = integer_group(&r, in, 2, 1, (int8_t[]){-5, 7}, NULL);
    g->kernel[1] = 2;
    g->in_channels = 1;
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 1), at(sums, 0, 0)));
    struct isa_inst i = inst(ISA_vmap, vu(&r, 0), lanes(&r, 0, 1, 0, 1, bias), 1, 1);
    emit(&r, 0, on(from(to(i, at(out, 0, 0)), at(sums, 0, 0)), 0, 1));
    stored(&r, out, ELEMENT_i32, vu(&r, 0));
    gives(&r, &want, sizeof want);
}

START_TEST(product_with_zero_point)
{
    zero_point(2, -899); /* 190 * -5 + -7 * 7 + 100 */
    zero_point(1, -850); /* the second tap is padded: 190 * -5 + 100 */
}
END_TEST

/* uint8 weights (0, 255) with zero 121 are (-128, 127) with center 7: 2 * -121 + 3 * 134. In one PE
 * or in two of a row each; and as a depthwise layer, tap by tap. */
START_TEST(product_with_center)
{
    for (int pes = 1; pes <= 2; pes++) {
        struct rig r = rig_new(1);
        uint32_t in = typed(&r, ELEMENT_u8, 1, 1, 2, (uint8_t[]){2, 3});
        uint32_t out = typed(&r, ELEMENT_i32, 1, 1, 1, NULL);
        struct isa_group *g = integer_group(&r, in, 2, 1, (int8_t[]){-128, 127}, (int32_t[]){7});
        g->n_pes = (uint32_t)pes;
        for (int i = 0; i < pes; i++)
            g->pes[i] = (struct isa_pe){
                .k0 = (uint32_t)i, .k = 2 / (uint32_t)pes, .n = 1, .pe = (uint32_t)i};
        emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 1), at(out, 0, 0)));
        stored(&r, out, ELEMENT_i32, 0);
        gives(&r, (int32_t[]){160}, sizeof(int32_t));
    }
}
END_TEST

/* Strides, dilation, padding, K cut inside a tap, columns cut, against plain loops. */
START_TEST(integer_convolution)
{
    enum { H = 5, W = 6, C = 3, KH = 3, KW = 2, NO = 4, OH = 3, OW = 6, K = KH * KW * C };
    uint8_t src[H * W * C];
    int8_t w[K * NO];
    int32_t want[OH * OW * NO] = {0}, center[NO] = {0, -128, 7, 300};
    for (int i = 0; i < H * W * C; i++)
        src[i] = (uint8_t)(i * 37 + 255);
    for (int i = 0; i < K * NO; i++)
        w[i] = (int8_t)(i * 53 - 128);
    for (int oy = 0; oy < OH; oy++)
        for (int ox = 0; ox < OW; ox++)
            for (int k = 0; k < K; k++) {
                int y = oy * 2 + k / (C * KW) - 1, x = ox + k / C % KW * 2 - 1;
                int32_t v = y < 0 || x < 0 || y >= H || x >= W ? 10 : src[(y * W + x) * C + k % C];
                for (int n = 0; n < NO; n++)
                    want[(oy * OW + ox) * NO + n] += v * (w[k * NO + n] + center[n]);
            }
    struct rig r = rig_new(1);
    uint32_t in = typed(&r, ELEMENT_u8, H, W, C, src);
    uint32_t out = typed(&r, ELEMENT_i32, OH, OW, NO, NULL);
    r.p->tiles[0].views[in].pad_value = 10;
    struct isa_group *g = integer_group(&r, in, K, NO, w, center);
    g->kernel[0] = KH, g->kernel[1] = KW, g->in_channels = C;
    g->stride[0] = 2, g->dilation[1] = 2, g->pad_top = 1, g->pad_left = 1;
    g->n_pes = 4;
    g->pes[0] = (struct isa_pe){.k0 = 0, .k = 7, .n0 = 0, .n = 3, .pe = 1};
    g->pes[1] = (struct isa_pe){.k0 = 7, .k = 11, .n0 = 0, .n = 3, .pe = 3};
    g->pes[2] = (struct isa_pe){.k0 = 0, .k = 7, .n0 = 3, .n = 1, .pe = 2};
    g->pes[3] = (struct isa_pe){.k0 = 7, .k = 11, .n0 = 3, .n = 1, .pe = 0};
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, OH, OW), at(out, 0, 0)));
    stored(&r, out, ELEMENT_i32, 0);
    gives(&r, want, sizeof want);
}
END_TEST

/* Two channels, each with its own kernel 1 x 2, on one PE: 2 * (3 + 1) + 4 * (-2 + 1) and
 * 255 * (-128 + 2) + 5 * (10 + 2). */
START_TEST(integer_depthwise)
{
    struct rig r = rig_new(1);
    uint32_t in = typed(&r, ELEMENT_u8, 1, 2, 2, (uint8_t[]){2, 255, 4, 5});
    uint32_t out = typed(&r, ELEMENT_i32, 1, 1, 2, NULL);
    struct isa_group *g =
        integer_group(&r, in, 2, 2, (int8_t[]){3, -128, -2, 10}, (int32_t[]){1, 2});
    g->kernel[1] = 2;
    g->in_channels = g->conv_groups = 2;
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 1), at(out, 0, 0)));
    stored(&r, out, ELEMENT_i32, 0);
    gives(&r, (int32_t[]){4, -32070}, 2 * sizeof(int32_t));
}
END_TEST

/* ---- windows, reductions ---- */

static void add_window(struct rig *r, struct isa_window w)
{
    struct isa_tile *t = &r->p->tiles[0];
    w.stride[0] = w.stride[1] = w.dilation[0] = w.dilation[1] = 1;
    t->windows[t->n_windows++] = w;
}

/* One window of 2 x 2 over a column of padding and one of a. */
static void window_gives(enum isa_window_kind kind, const uint8_t *a, enum element e,
                         const void *want)
{
    struct rig r = rig_new(1);
    uint32_t in = typed(&r, ELEMENT_u8, 2, 1, 1, a), out = typed(&r, e, 1, 1, 1, NULL);
    if (kind == WINDOW_MAX) /* is not looked at */
        r.p->tiles[0].views[in].pad_value = 255;
    add_window(&r, (struct isa_window){.kind = kind, .kernel = {2, 2}, .pad_left = 1});
    emit(&r, 0, from(to(inst(ISA_vwin, vu(&r, 0), 0, 1, 1), at(out, 0, 0)), at(in, 0, 0)));
    stored(&r, out, e, vu(&r, 0));
    gives(&r, want, element_bytes(e));
}

START_TEST(windows_of_bytes)
{
    const uint8_t a[] = {3, 4}, b[] = {255, 254};
    window_gives(WINDOW_MAX, a, ELEMENT_u8, (uint8_t[]){4});
    window_gives(WINDOW_MAX, b, ELEMENT_u8, (uint8_t[]){255});
    window_gives(WINDOW_SUM, b, ELEMENT_i32, (int32_t[]){509});
    window_gives(WINDOW_AVERAGE, a, ELEMENT_f32, (float[]){3.5f}); /* padding does not count */
    window_gives(WINDOW_AVERAGE, b, ELEMENT_f32, (float[]){254.5f});
}
END_TEST

/* The mean of two with equal scales: ties to even. */
START_TEST(mean_of_bytes)
{
    static const struct isa_lane round[] = {{LANE_F2I, LANE_A, 0, 0}};
    map_gives(ELEMENT_f32, (float[N_LANES]){3.5f, 4.5f, 0, 0, 0, 0}, 1, round, ELEMENT_u8,
              (uint8_t[N_LANES]){4, 4, 0, 0, 0, 0});
}
END_TEST

/* Two pixels of two taps, a column apart: the middle one meets both. */
START_TEST(overlap_of_integers)
{
    struct rig r = rig_new(1);
    uint32_t in = typed(&r, ELEMENT_i32, 1, 2, 2, (int32_t[]){INT32_MAX, 5, 7, -9});
    uint32_t out = typed(&r, ELEMENT_i32, 1, 3, 1, NULL);
    add_window(&r, (struct isa_window){.kind = WINDOW_OVERLAP, .kernel = {1, 2}});
    emit(&r, 0, from(to(inst(ISA_vwin, vu(&r, 0), 0, 1, 3), at(out, 0, 0)), at(in, 0, 0)));
    stored(&r, out, ELEMENT_i32, vu(&r, 0));
    gives(&r, (int32_t[]){INT32_MAX, 12, -9}, 3 * sizeof(int32_t));
}
END_TEST

static void reduction_gives(enum element e, const void *a, unsigned flags, enum element to_e,
                            uint32_t n, const void *want)
{
    struct rig r = rig_new(1);
    uint32_t in = typed(&r, e, 2, 1, 2, a), out = typed(&r, to_e, 1, 1, n, NULL);
    struct isa_inst i = inst(ISA_vred, vu(&r, 0), 0, 2, 1);
    i.flags = (uint8_t)flags;
    emit(&r, 0, from(to(i, at(out, 0, 0)), at(in, 0, 0)));
    stored(&r, out, to_e, vu(&r, 0));
    gives(&r, want, n * element_bytes(to_e));
}

START_TEST(reductions_of_integers)
{
    const uint8_t a[] = {1, 200, 255, 100};
    const int32_t b[] = {INT32_MAX, -5, 2, 3}, c[] = {INT32_MIN, -5, INT32_MIN, -7};
    reduction_gives(ELEMENT_u8, a, VRED_H, ELEMENT_u8, 2, (uint8_t[]){255, 200});
    reduction_gives(ELEMENT_u8, a, VRED_H | VRED_C, ELEMENT_u8, 1, (uint8_t[]){255});
    reduction_gives(ELEMENT_u8, a, VRED_H | VRED_SUM, ELEMENT_i32, 2, (int32_t[]){256, 300});
    reduction_gives(ELEMENT_i32, b, VRED_H | VRED_SUM, ELEMENT_i32, 2,
                    (int32_t[]){INT32_MIN + 1, -2});
    reduction_gives(ELEMENT_i32, c, VRED_H, ELEMENT_i32, 2, (int32_t[]){INT32_MIN, -5});
    reduction_gives(ELEMENT_i32, c, VRED_H | VRED_C, ELEMENT_i32, 1, (int32_t[]){-5});
    reduction_gives(ELEMENT_i32, b, VRED_H | VRED_C | VRED_SUM, ELEMENT_i32, 1,
                    (int32_t[]){INT32_MAX});
}
END_TEST

/* More products than a float sums exactly, all as great as they get: 1000 * 255 * 255. */
START_TEST(products_of_bytes)
{
    enum { K = 1000 };
    uint8_t a[2 * K], b[K];
    memset(a, 255, sizeof a);
    memset(b, 255, sizeof b);
    a[K] = 0;
    b[1] = 1;
    struct rig r = rig_new(1);
    uint32_t in = typed(&r, ELEMENT_u8, 1, 2, K, a), matrix = typed(&r, ELEMENT_u8, 1, 1, K, b);
    uint32_t out = typed(&r, ELEMENT_i32, 1, 2, 1, NULL);
    struct isa_inst i = from(to(inst(ISA_vdot, vu(&r, 0), 0, 1, 2), at(out, 0, 0)), at(in, 0, 0));
    i.b = at(matrix, 0, 0);
    emit(&r, 0, i);
    stored(&r, out, ELEMENT_i32, vu(&r, 0));
    gives(&r, (int32_t[]){999 * 65025 + 255, 998 * 65025 + 255}, 8);
}
END_TEST

/* ---- moves ---- */

/* LOAD of i8 or u8, VGAT that turns rows around with a fill between, SEND to the own tile, STORE.
 */
static void moves_give(enum element outside, const uint8_t *want)
{
    static const int8_t x[] = {-128, -1, 0, 127};
    static const int32_t rows[] = {1, -1, 0};
    struct rig r = rig_new(1);
    struct isa_tile *t = &r.p->tiles[0];
    uint32_t in = typed(&r, ELEMENT_u8, 2, 1, 2, NULL), mid = typed(&r, ELEMENT_u8, 3, 1, 2, NULL);
    uint32_t out = typed(&r, ELEMENT_u8, 3, 1, 2, NULL);
    t->gathers[t->n_gathers++] =
        (struct isa_gather){.n_rows = 3, .rows = (int32_t *)rows, .fill = 200};
    uint32_t to_out = route(&r, 0, 1, &(struct isa_target){.view = out, .counter = 128});
    add_binding(&r, false, 1, 2, 1, 2);
    r.p->bindings[0].element = outside;
    memcpy(r.inputs[1], x, sizeof x);
    emit(&r, 0, to(inst(ISA_load, dma(&r, 0), 0, 2, 1), at(in, 0, 0)));
    struct isa_inst turn = inst(ISA_vgat, vu(&r, 0), 0, 3, 1);
    emit(&r, 0, on(from(to(turn, at(mid, 0, 0)), at(in, 0, 0)), dma(&r, 0), 1));
    emit(&r, 0, on(from(inst(ISA_send, tx(&r, 0), to_out, 3, 1), at(mid, 0, 0)), vu(&r, 0), 1));
    add_binding(&r, true, 0, 3, 1, 2);
    r.p->bindings[1].element = outside;
    emit(&r, 0, on(from(inst(ISA_store, dma(&r, 0), 1, 3, 1), at(out, 0, 0)), 128, 1));
    gives(&r, want, 6);
}

START_TEST(moves_of_bytes)
{
    moves_give(ELEMENT_u8, (uint8_t[]){0, 127, 200, 200, 128, 255});
    moves_give(ELEMENT_i8, (uint8_t[]){0, 127, 200 ^ 128, 200 ^ 128, 128, 255});
}
END_TEST

static TCase *integer_tests(void)
{
    TCase *c = tcase_create("integers");
    tcase_add_test(c, integer_lanes);
    tcase_add_test(c, floats_are_compared);
    tcase_add_test(c, views_of_bytes_widen_and_saturate);
    tcase_add_test(c, floats_become_integers);
    tcase_add_test(c, requantise_by_float);
    tcase_add_test(c, requantise_by_shift);
    tcase_add_test(c, sum_of_two_scales);
    tcase_add_test(c, product_with_zero_point);
    tcase_add_test(c, product_with_center);
    tcase_add_test(c, integer_convolution);
    tcase_add_test(c, integer_depthwise);
    tcase_add_test(c, windows_of_bytes);
    tcase_add_test(c, mean_of_bytes);
    tcase_add_test(c, overlap_of_integers);
    tcase_add_test(c, reductions_of_integers);
    tcase_add_test(c, products_of_bytes);
    tcase_add_test(c, moves_of_bytes);
    return c;
}

#endif
