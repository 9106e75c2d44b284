/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* sim_mvm_tests.h - crossbar products: against plain loops, and conv groups by hand. */
#ifndef CIMC_TESTS_SIM_MVM_TESTS_H
#define CIMC_TESTS_SIM_MVM_TESTS_H

#include "sim_rig.h"

START_TEST(mvm_convolution)
{
    enum { H = 5, W = 6, C = 3, KH = 3, KW = 2, N = 4, OH = 3, OW = 6, K = KH * KW * C };
    float src[H * W * C], w[K * N], want[OH * OW * N] = {0};
    ramp(src, H * W * C, 1);
    ramp(w, K * N, 2);
    for (int oy = 0; oy < OH; oy++)
        for (int ox = 0; ox < OW; ox++)
            for (int k = 0; k < K; k++) {
                int y = oy * 2 + k / (C * KW) - 1, x = ox + k / C % KW * 2 - 1;
                float v = y < 0 || x < 0 || y >= H || x >= W ? 0.5f : src[(y * W + x) * C + k % C];
                for (int n = 0; n < N; n++)
                    want[(oy * OW + ox) * N + n] += v * w[k * N + n];
            }
    struct rig r = rig_new(1);
    uint32_t in = constant(&r, 0, H, W, C, src), out = view(&r, 0, OH, OW, N);
    r.p->tiles[0].views[in].pad_value = f32_bits(0.5f);
    struct isa_group *g = group(&r, 0, in, image(&r, K, N, w));
    g->kernel[0] = KH, g->kernel[1] = KW, g->in_channels = C;
    g->stride[0] = 2, g->dilation[1] = 2, g->pad_top = 1, g->pad_left = 1;
    g->n_pes = 4; /* PEs in any order; K is cut inside a tap */
    g->pes[0] = (struct isa_pe){.k0 = 0, .k = 7, .n0 = 0, .n = 3, .pe = 1};
    g->pes[1] = (struct isa_pe){.k0 = 7, .k = 11, .n0 = 0, .n = 3, .pe = 3};
    g->pes[2] = (struct isa_pe){.k0 = 0, .k = 7, .n0 = 3, .n = 1, .pe = 2};
    g->pes[3] = (struct isa_pe){.k0 = 7, .k = 11, .n0 = 3, .n = 1, .pe = 0};
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, OW), at(out, 0, 0)));
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 2, OW), at(out, 1, 0)));
    const float *got = store(&r, 0, out, 0, 2);
    run(&r);
    expect(got, want, OH * OW * N);
    ck_assert_uint_eq(r.result.pe_busy_cycles, 4 * OH * OW);
    rig_free(&r);
}
END_TEST

START_TEST(
    mvm_slices) /* block diagonal, channels cut, pixels apart, a ring that wraps, wide sets */
{
    enum { W = 300, K = 6, N = 5 };
    float src[2 * W * 4], w[K * N];
    ramp(src, 2 * W * 4, 3);
    ramp(w, K * N, 5);
    struct rig r = rig_new(1);
    struct isa_tile *t = &r.p->tiles[0];
    /* The view shows channels 1..4 of 6; columns 1..4 of the image are made. */
    uint32_t in = constant(&r, 0, 2, W, 4, src), out = view(&r, 0, 2, W, 4);
    t->views[out].ring_origin = 1;
    t->views[out].col_pitch = 6 * 4;
    t->views[out].row_pitch = W * 6 * 4;
    t->buffer_bytes = t->views[out].base + 2 * W * 6 * 4;
    struct isa_group *g = group(&r, 0, in, image(&r, K, N, w));
    g->source_channel0 = 1;
    g->channel0 = 1;
    g->n_pes = 2;
    g->pes[0] = (struct isa_pe){.k0 = 1, .k = 2, .n0 = 1, .n = 3, .pe = 0};
    g->pes[1] = (struct isa_pe){.k0 = 4, .k = 1, .n0 = 4, .n = 1, .pe = 1};
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 2, W), at(out, 0, 0)));
    const float *got = store(&r, 0, out, 0, 1);
    run(&r);
    for (int i = 0; i < 2 * W; i++)
        for (int n = 1; n < 5; n++) {
            const float *x = src + i * 4;
            float want = n == 4 ? x[3] * w[4 * N + n] : x[0] * w[N + n] + x[1] * w[2 * N + n];
            expect(got + i * 4 + n - 1, &want, 1);
        }
    rig_free(&r);
}
END_TEST

/* One row of pixels through conv groups; values worked out by hand. */
struct grouped {
    uint32_t groups, c, n, kernel, pad; /* c, n: of all groups; kernel 1 x `kernel` */
    uint32_t width, out_width;
    float x[8], w[16], want[8];
    uint32_t n_pes;
    struct isa_pe pes[4];
};
static const struct grouped grouped_cases[] = {
    /* Groups (1,2) and (3,4) with columns (1,5) (2,6) | (3,7) (4,8), both along one diagonal:
     * 1*1 + 2*5, 1*2 + 2*6, 3*3 + 4*7, 3*4 + 4*8. */
    {2,
     4,
     4,
     1,
     0,
     1,
     1,
     {1, 2, 3, 4},
     {1, 2, 3, 4, 5, 6, 7, 8},
     {11, 14, 37, 44},
     1,
     {{.k = 2, .n = 4}}},
    /* A PE for each group, not in order. */
    {2,
     4,
     4,
     1,
     0,
     1,
     1,
     {1, 2, 3, 4},
     {1, 2, 3, 4, 5, 6, 7, 8},
     {11, 14, 37, 44},
     2,
     {{.k = 2, .n = 2, .pe = 1}, {.k = 2, .n0 = 2, .n = 2}}},
    /* Each group in two slices. */
    {2,
     4,
     4,
     1,
     0,
     1,
     1,
     {1, 2, 3, 4},
     {1, 2, 3, 4, 5, 6, 7, 8},
     {11, 14, 37, 44},
     4,
     {{.k = 1, .n = 2},
      {.k0 = 1, .k = 1, .n = 2, .pe = 1},
      {.k = 1, .n0 = 2, .n = 2, .pe = 2},
      {.k0 = 1, .k = 1, .n0 = 2, .n = 2, .pe = 3}}},
    /* The second slices only: 2*5, 2*6, 4*7, 4*8. */
    {2,
     4,
     4,
     1,
     0,
     1,
     1,
     {1, 2, 3, 4},
     {1, 2, 3, 4, 5, 6, 7, 8},
     {10, 12, 28, 32},
     2,
     {{.k0 = 1, .k = 1, .n = 2}, {.k0 = 1, .k = 1, .n0 = 2, .n = 2, .pe = 1}}},
    /* Depthwise, two taps, padding of 0.5 on the left: 0.5*1 + 1*10, 0.5*2 + 2*20; then
     * 1*1 + 3*10, 2*2 + 4*20. */
    {2, 2, 2, 2, 1, 2, 2, {1, 2, 3, 4}, {1, 2, 10, 20}, {10.5f, 41, 31, 84}, 1, {{.k = 2, .n = 2}}},
    /* Depthwise, its taps in two slices: the same. */
    {2,
     2,
     2,
     2,
     1,
     2,
     2,
     {1, 2, 3, 4},
     {1, 2, 10, 20},
     {10.5f, 41, 31, 84},
     4,
     {{.k = 1, .n = 1},
      {.k0 = 1, .k = 1, .n = 1, .pe = 1},
      {.k = 1, .n0 = 1, .n = 1, .pe = 2},
      {.k0 = 1, .k = 1, .n0 = 1, .n = 1, .pe = 3}}},
    /* Two columns for each channel: 2*1, 2*10 | 3*2, 3*20. */
    {2, 2, 4, 1, 0, 1, 1, {2, 3}, {1, 10, 2, 20}, {2, 20, 6, 60}, 1, {{.k = 1, .n = 4}}},
};

START_TEST(mvm_groups)
{
    const struct grouped *k = &grouped_cases[_i];
    struct rig r = rig_new(1);
    uint32_t in = constant(&r, 0, 1, k->width, k->c, k->x);
    uint32_t out = view(&r, 0, 1, k->out_width, k->n);
    r.p->tiles[0].views[in].pad_value = f32_bits(0.5f);
    struct isa_group *g = group(&r, 0, in, image(&r, k->kernel * (k->c / k->groups), k->n, k->w));
    g->in_channels = k->c;
    g->conv_groups = k->groups;
    g->kernel[1] = k->kernel;
    g->pad_left = (int32_t)k->pad;
    g->n_pes = k->n_pes;
    memcpy(g->pes, k->pes, k->n_pes * sizeof *k->pes);
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, k->out_width), at(out, 0, 0)));
    const float *got = store(&r, 0, out, 0, 1);
    run(&r);
    expect(got, k->want, k->out_width * k->n);
    ck_assert_uint_eq(r.result.cycles, k->out_width); /* as an ungrouped one */
    rig_free(&r);
}
END_TEST

/* One channel of two, three by two taps: more taps than runs of rows. 1..6 with weights 1, 10, ...
 * of the first column. */
START_TEST(mvm_depthwise_one_channel)
{
    struct rig r = rig_new(1);
    const float x[] = {1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0};
    const float w[] = {1, 0, 10, 0, 100, 0, 1000, 0, 10000, 0, 100000, 0}, want = 654321;
    uint32_t in = constant(&r, 0, 3, 2, 2, x), out = view(&r, 0, 1, 1, 1);
    struct isa_group *g = group(&r, 0, in, image(&r, 6, 2, w));
    g->in_channels = g->conv_groups = 2;
    g->kernel[0] = 3;
    g->kernel[1] = 2;
    g->n_pes = 1;
    g->pes[0] = (struct isa_pe){.k = 6, .n = 1};
    emit(&r, 0, to(inst(ISA_mvm, 0, 0, 1, 1), at(out, 0, 0)));
    const float *got = store(&r, 0, out, 0, 1);
    run(&r);
    expect(got, &want, 1);
    rig_free(&r);
}
END_TEST

static TCase *mvm_tests(void)
{
    TCase *c = tcase_create("crossbar products");
    tcase_add_test(c, mvm_convolution);
    tcase_add_test(c, mvm_depthwise_one_channel);
    tcase_add_test(c, mvm_slices);
    tcase_add_loop_test(c, mvm_groups, 0, sizeof grouped_cases / sizeof *grouped_cases);
    return c;
}

#endif
