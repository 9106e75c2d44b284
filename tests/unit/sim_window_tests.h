/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* sim_window_tests.h - VWIN, VRED, VGAT, VDOT against values worked out by hand or by plain loops.
 */
#ifndef CIMC_SIM_WINDOW_TESTS_H
#define CIMC_SIM_WINDOW_TESTS_H

#include "sim_rig.h"

static void check_window(uint32_t kind, const float *want)
{
    static const float a[12] = {1, -2, 3, 4, 5, 6, -7, 8, 9, 10, 11, 12}; /* 3 x 4 */
    struct rig r = rig_new(1);
    uint32_t in = constant(&r, 0, 3, 4, 1, a), out = view(&r, 0, 2, 2, 1);
    r.p->tiles[0].views[in].pad_value = f32_bits(kind == WINDOW_MAX ? -INFINITY : 0);
    r.p->tiles[0].windows[0] = (struct isa_window){.kind = kind,
                                                   .kernel = {2, 3},
                                                   .stride = {2, 2},
                                                   .dilation = {1, 1},
                                                   .pad_top = 1,
                                                   .pad_left = 1,
                                                   .counted = {0, 1, 0, 0}};
    r.p->tiles[0].n_windows = 1;
    emit(&r, 0, from(to(inst(ISA_vwin, vu(&r, 0), 0, 2, 2), at(out, 0, 0)), at(in, 0, 0)));
    const float *got = store(&r, 0, out, vu(&r, 0), 1);
    run(&r);
    expect(got, want, 4);
    rig_free(&r);
}

START_TEST(vwin_kinds)
{
    /* Windows: rows -1..0 and 1..2, columns -1..1 and 1..3. Counted: column -1 yes, row -1 no. */
    check_window(WINDOW_MAX, (float[]){1, 4, 10, 12});
    check_window(WINDOW_SUM, (float[]){-1, 5, 30, 40});
    check_window(WINDOW_AVERAGE, (float[]){-1.0f / 3, 5.0f / 3, 30.0f / 6, 40.0f / 6});
}
END_TEST

/* 2 x 3 pixels of the channels of 2 x 2 taps for two channels, pixels two rows and one column
 * apart, taps one row and two columns: 4 x 5 pixels, of which the first row and the last column are
 * cropped and one row of zeros is added. Element = 100 * row + 10 * column + channel. */
START_TEST(vwin_overlap)
{
    enum { H = 2, W = 3, C = 8, OH = 4, OW = 4 };
    float a[H * W * C];
    for (int i = 0; i < H * W * C; i++)
        a[i] = (float)(100 * (i / (W * C)) + 10 * (i / C % W) + i % C);
    /* row 0 (of y + 1 = 1): tap row 1 of pixel row 0, channels 4.. and, of tap column 1, 6..;
     * column 2 has both columns: x(0, 2, 4) + x(0, 0, 6) = 24 + 6 */
    static const float want[OH * OW * 2] = {
        4,   5,   14,  15,  30,  32,  16,  17,  /* (0,0,4) (0,1,4) (0,2,4)+(0,0,6) (0,1,6) */
        100, 101, 110, 111, 222, 224, 112, 113, /* (1,0,0) (1,1,0) (1,2,0)+(1,0,2) (1,1,2) */
        104, 105, 114, 115, 230, 232, 116, 117, /* the same of tap row 1 */
        0,   0,   0,   0,   0,   0,   0,   0};
    struct rig r = rig_new(1);
    uint32_t in = constant(&r, 0, H, W, C, a), out = view(&r, 0, OH, OW, 2);
    r.p->tiles[0].views[in].pad_value = f32_bits(1000);
    set_arch(&r, "lanes=1");
    r.p->tiles[0].windows[0] = (struct isa_window){.kind = WINDOW_OVERLAP,
                                                   .kernel = {2, 2},
                                                   .stride = {2, 1},
                                                   .dilation = {1, 2},
                                                   .pad_top = 1};
    r.p->tiles[0].n_windows = 1;
    emit(&r, 0, from(to(inst(ISA_vwin, vu(&r, 0), 0, OH, OW), at(out, 0, 0)), at(in, 0, 0)));
    const float *got = store(&r, 0, out, vu(&r, 0), 1);
    run(&r);
    expect(got, want, OH * OW * 2);
    /* 32 elements; rows two apart: one tap row meets a pixel; columns one apart: both tap columns
     */
    ck_assert_uint_eq(r.result.cycles, 32 * 1 * 2);
    rig_free(&r);
}
END_TEST

/* ceil(kernel / (stride / gcd(stride, dilation))): taps 0, 3, 6 of 7; 0, 2, 4 of 5 for 4 and 2; all
 * where every tap lands on the stride. */
START_TEST(overlap_taps)
{
    ck_assert_uint_eq(isa_overlap_taps(7, 3, 1), 3);
    ck_assert_uint_eq(isa_overlap_taps(5, 4, 2), 3);
    ck_assert_uint_eq(isa_overlap_taps(3, 2, 2), 3);
    ck_assert_uint_eq(isa_overlap_taps(2, 5, 1), 1);
}
END_TEST

START_TEST(vred_axes)
{
    enum { H = 2, W = 3, C = 2 };
    float a[H * W * C];
    ramp(a, H * W * C, 4);
    for (unsigned flags = 1; flags < 16; flags++) {
        if ((flags & 7) == 0)
            continue;
        unsigned h = flags & 1 ? 1 : H, w = flags & 2 ? 1 : W, c = flags & 4 ? 1 : C;
        float want[H * W * C];
        for (unsigned i = 0; i < h * w * c; i++)
            want[i] = flags & 8 ? 0 : -INFINITY;
        for (unsigned i = 0; i < H * W * C; i++) {
            unsigned y = i / (W * C) % h, x = i / C % W % w, k = i % C % c;
            float *o = &want[(y * w + x) * c + k];
            *o = flags & 8 ? *o + a[i] : fmaxf(*o, a[i]);
        }
        struct rig r = rig_new(1);
        uint32_t in = constant(&r, 0, H, W, C, a), out = view(&r, 0, h, w, c);
        struct isa_inst i = inst(ISA_vred, vu(&r, 0), 0, H, W);
        i.flags = (uint8_t)flags;
        emit(&r, 0, from(to(i, at(out, 0, 0)), at(in, 0, 0)));
        const float *got = store(&r, 0, out, vu(&r, 0), 1);
        run(&r);
        expect(got, want, h * w * c);
        rig_free(&r);
    }
}
END_TEST

START_TEST(vgat_tables)
{
    float a[2 * 2 * 3];
    ramp(a, 12, 1);
    int32_t rows[4] = {0, 0, 1, -1}, cols[4] = {1, 1, 0, 0}, channels[6] = {2, -1, 0, 1, 2, 2};
    struct rig r = rig_new(1);
    struct isa_tile *t = &r.p->tiles[0];
    uint32_t in = constant(&r, 0, 2, 2, 3, a), out = view(&r, 0, 4, 4, 3),
             out2 = view(&r, 0, 2, 2, 6);
    t->gathers[0] = (struct isa_gather){
        .n_rows = 4, .n_cols = 4, .rows = rows, .cols = cols, .fill = f32_bits(9)};
    t->gathers[1] = (struct isa_gather){.n_channels = 6, .channels = channels, .fill = f32_bits(7)};
    t->n_gathers = 2;
    emit(&r, 0, from(to(inst(ISA_vgat, vu(&r, 0), 0, 4, 4), at(out, 0, 0)), at(in, 0, 0)));
    emit(&r, 0, from(to(inst(ISA_vgat, vu(&r, 0), 1, 2, 2), at(out2, 0, 0)), at(in, 0, 0)));
    const float *got = store(&r, 0, out, vu(&r, 0), 2), *got2 = store(&r, 0, out2, vu(&r, 0), 2);
    run(&r);
    for (int i = 0; i < 48; i++) {
        int y = rows[i / 12], x = cols[i / 3 % 4];
        ck_assert(got[i] == (y < 0 ? 9 : a[(y * 2 + x) * 3 + i % 3]));
    }
    for (int i = 0; i < 24; i++)
        ck_assert(got2[i] == (channels[i % 6] < 0 ? 7 : a[i / 6 * 3 + channels[i % 6]]));
    rig_free(&r);
}
END_TEST

/* Plain loops, to the bit: 3 rows, of which b has one each or one for all. */
static void check_dot(bool kn, uint32_t b_rows)
{
    enum { H = 3, W = 6, K = 70, N = 37 };
    float a[H * W * K], b[H * N * K], want[H * W * N];
    for (int i = 0; i < H * W * K; i++)
        a[i] = (float)(i * 7919 % 1000 - 500) / 7;
    for (int i = 0; i < H * N * K; i++)
        b[i] = (float)(i * 104729 % 1000 - 500) / 3;
    for (unsigned i = 0; i < H * W * N; i++) {
        unsigned y = i / (W * N), n = i % N;
        const float *x = a + i / N * K, *m = b + (b_rows == 1 ? 0 : y) * N * K;
        want[i] = 0;
        for (unsigned k = 0; k < K; k++)
            want[i] = want[i] + x[k] * m[kn ? k * N + n : n * K + k];
    }
    struct rig r = rig_new(1);
    uint32_t in = constant(&r, 0, H, W, K, a), out = view(&r, 0, H, W, N);
    uint32_t matrix = constant(&r, 0, b_rows, kn ? K : N, kn ? N : K, b);
    struct isa_view *v = &r.p->tiles[0].views[matrix];
    if (b_rows == 1) {
        v->row_pitch = 0;
        v->height = v->ring_rows = (uint32_t)(v->y1 = H);
    }
    set_arch(&r, "lanes=1");
    for (int x = 0; x < W; x += 5) { /* 5 pixels a row, then the last of each */
        struct isa_inst i = inst(ISA_vdot, vu(&r, 0), 0, H, x == 0 ? 5 : W - 5);
        i.flags = kn ? VDOT_KN : 0;
        i = from(to(i, at(out, 0, x)), at(in, 0, x));
        i.b = at(matrix, 0, x);
        emit(&r, 0, i);
    }
    const float *got = store(&r, 0, out, vu(&r, 0), 2);
    run(&r);
    expect(got, want, H * W * N);
    ck_assert_uint_eq(r.result.cycles, H * W * N * K);
    rig_free(&r);
}

START_TEST(vdot_orders)
{
    check_dot(_i & 1, _i & 2 ? 3 : 1);
}
END_TEST

/* The i-th element along the axis from the other end; beyond it the padding. */
START_TEST(vtake_axes)
{
    enum { H = 3, W = 2, C = 4, N = H * W * C };
    const unsigned dim[] = {H, W, C}, pitch[] = {W * C, C, 1};
    float a[N];
    ramp(a, N, 1);
    for (unsigned axis = 0; axis < 3; axis++) {
        int32_t index[N];
        float want[N];
        for (unsigned i = 0; i < N; i++) {
            unsigned at = i / pitch[axis] % dim[axis];
            index[i] = i % 5 == 4 ? (i % 2 ? (int)dim[axis] : INT32_MIN) : -1 - (int32_t)at;
            want[i] = i % 5 == 4 ? 7 : a[i + (dim[axis] - 1 - 2 * at) * pitch[axis]];
        }
        struct rig r = rig_new(1);
        uint32_t x = constant(&r, 0, H, W, C, a), out = view(&r, 0, H, W, C);
        uint32_t k = constant(&r, 0, H, W, C, (float *)index);
        r.p->tiles[0].views[x].pad_value = f32_bits(7);
        r.p->tiles[0].views[k].element = ELEMENT_i32;
        struct isa_inst i = inst(ISA_vtake, vu(&r, 0), 0, H, W);
        i.flags = (uint8_t)(1 << axis);
        i.b = at(k, 0, 0);
        emit(&r, 0, from(to(i, at(out, 0, 0)), at(x, 0, 0)));
        const float *got = store(&r, 0, out, vu(&r, 0), 1);
        run(&r);
        expect(got, want, N);
        rig_free(&r);
    }
}
END_TEST

static void window_tests(TCase *c)
{
    tcase_add_test(c, vwin_kinds);
    tcase_add_test(c, vwin_overlap);
    tcase_add_test(c, overlap_taps);
    tcase_add_test(c, vred_axes);
    tcase_add_test(c, vgat_tables);
    tcase_add_loop_test(c, vdot_orders, 0, 4);
    tcase_add_test(c, vtake_axes);
}

#endif
