/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mapping_test.c - a base layer on crossbars: blocks, slices, rows that they hold, of single pixels
 * and of patches. Counted by hand from mvm_mapping.h's rule, or tap by tap.
 */
#include "mvm_mapping.h"
#include "../run_suite.h"

struct shape { /* of an mvm's operand, result and window; pairs: h, w */
    long h, w, c, n, group, kernel[2], stride[2], dilation[2], patch[2];
};

static long extent(const struct shape *s, int axis)
{
    return ((axis ? s->w : s->h) - (s->kernel[axis] - 1) * s->dilation[axis] - 1) /
               s->stride[axis] +
           1;
}

/* A graph of that mvm, which is its third operation. */
static struct ir_graph *one_mvm(const struct shape *s)
{
    long oh = extent(s, 0), ow = extent(s, 1);
    struct text t = {0};
    text_add(&t,
             "graph \"\" crossbar {\n%%0 = input {index=0, dtype=\"f32\", shape=[%ld,%ld,%ld], "
             "extent=[%ld,%ld,%ld], strides=[%ld,%ld,1]}\n"
             "%%1 = constant {dtype=\"f32\", shape=[%ld,%ld], data=splat(1)}\n",
             s->h, s->w, s->c, s->h, s->w, s->c, s->w * s->c, s->c,
             s->kernel[0] * s->kernel[1] * s->c / s->group, s->n);
    text_add(&t,
             "%%2 = mvm %%0, %%1 {kernel=[%ld,%ld], stride=[%ld,%ld], dilation=[%ld,%ld], "
             "group=%ld, patch=[%ld,%ld]}\n",
             s->kernel[0], s->kernel[1], s->stride[0], s->stride[1], s->dilation[0], s->dilation[1],
             s->group, s->patch[0], s->patch[1]);
    text_add(&t, "output %%2 {index=0, dtype=\"f32\", shape=[%ld,%ld,%ld], strides=[%ld,%ld,1]}\n}",
             oh, ow, s->n, ow * s->n, s->n);
    struct diag *d = diag_new();
    struct ir_graph *g = ir_parse(t.at, t.n, "t.ir", d);
    if (!g)
        diag_print(d, stderr);
    ck_assert_ptr_nonnull(g);
    diag_free(d);
    text_free(&t);
    return g;
}

static struct shape square(long extent, long kernel, long c, long n, long group)
{
    return (struct shape){extent, extent, c, n, group, {kernel, kernel}, {1, 1}, {1, 1}, {1, 1}};
}

static struct ir_mapping mapping(const struct ir_graph *g, int64_t rows, int64_t cols)
{
    return ir_mapping_of(g->first->next->next, rows, cols);
}

/* Conv groups on PEs of 256 x 256 and smaller; counted by hand from g = min(rows / K, cols /
 * (N/G)). */
START_TEST(conv_groups_share_pes)
{
    static const struct {
        int64_t kernel, c, n, group, rows, cols, per_pe, slices, blocks, last[2]; /* last block */
    } cases[] = {
        {3, 64, 64, 64, 256, 256, 28, 1, 3, {56, 64}},    /* depthwise: 28 windows of 9 rows */
        {3, 128, 128, 32, 256, 256, 7, 1, 5, {112, 128}}, /* K 36, 4 columns each */
        {1, 8, 512, 2, 256, 256, 1, 1, 2, {256, 512}},
        {3, 128, 600, 2, 256, 256, 0, 3, 4, {556, 600}}, /* K 576 in 3 slices, 300 columns in 2 */
        {5, 4, 4, 4, 16, 256, 0, 2, 4, {3, 4}},          /* a window of 25 rows on PEs of 16 */
        {3, 64, 300, 1, 256, 256, 0, 3, 2, {256, 300}},  /* no groups: the plain cut */
        {1, 20, 30, 1, 256, 256, 8, 1, 1, {0, 30}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shape shape = square(9, cases[i].kernel, cases[i].c, cases[i].n, cases[i].group);
        int64_t lo, hi;
        struct ir_graph *g = one_mvm(&shape);
        struct ir_mapping m = mapping(g, cases[i].rows, cases[i].cols);
        ck_assert_int_eq(m.per_pe, cases[i].per_pe);
        ck_assert_int_eq(m.n_slices, cases[i].slices);
        ck_assert_int_eq(m.n_blocks, cases[i].blocks);
        ir_mapping_block(&m, m.n_blocks - 1, &lo, &hi);
        ck_assert(lo == cases[i].last[0] && hi == cases[i].last[1]);
        ck_assert_int_eq(ir_mapping_block_of(&m, lo), m.n_blocks - 1);
        ck_assert_int_eq(ir_mapping_block_of(&m, hi - 1), m.n_blocks - 1);
        ir_graph_free(g);
    }
}
END_TEST

/* What slices multiply: kernel row, kernel column, channel; without patches. */
START_TEST(mapping_knows_what_a_slice_multiplies)
{
    static const struct {
        long kernel, c, n, group, rows, cols;
        int64_t block, slice0, slice1, lo[3], hi[3];
    } cases[] = {
        /* 3x3x64: rows 256..511 are taps 4 = (1,1) to 7 = (2,1) */
        {3, 64, 300, 1, 256, 256, 1, 1, 2, {1, 0, 0}, {3, 3, 64}},
        /* 5x5 of one channel: rows 0..15 are taps (0,0) to (3,0), 16..24 (3,1) to (4,4); both */
        {5, 4, 4, 4, 16, 256, 3, 0, 1, {0, 0, 3}, {4, 5, 4}},
        {5, 4, 4, 4, 16, 256, 3, 1, 2, {3, 0, 3}, {5, 5, 4}},
        {5, 4, 4, 4, 16, 256, 3, 0, 2, {0, 0, 3}, {5, 5, 4}},
        /* 1x1: a slice is a run of channels */
        {1, 600, 8, 1, 256, 256, 0, 1, 3, {0, 0, 256}, {1, 1, 600}},
        /* part of one tap: rows 4, 5 of 2x2x3 are channels 1, 2 of tap (0,1) */
        {2, 3, 8, 1, 2, 256, 0, 2, 3, {0, 1, 1}, {1, 2, 3}},
        /* depthwise, 28 conv groups a PE: block 1 is channels 28..55 */
        {3, 64, 64, 64, 256, 256, 1, 0, 1, {0, 0, 28}, {3, 3, 56}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t lo[3], hi[3];
        struct shape shape = square(9, cases[i].kernel, cases[i].c, cases[i].n, cases[i].group);
        struct ir_graph *g = one_mvm(&shape);
        struct ir_mapping m = mapping(g, cases[i].rows, cases[i].cols);
        ir_mapping_taps(&m, cases[i].block, cases[i].slice0, cases[i].slice1, lo, hi);
        for (int a = 0; a < 3; a++) {
            ck_assert_int_eq(lo[a], cases[i].lo[a]);
            ck_assert_int_eq(hi[a], cases[i].hi[a]);
        }
        ck_assert_int_eq(ir_mapping_products(&m, 5, 7), 35);
        ir_graph_free(g);
    }
}
END_TEST

/* Rows of a block, counted by asking of every pixel and tap where it reads. */
static int64_t rows_by_taps(const struct ir_mapping *m, int64_t block)
{
    bool read[4096] = {false};
    int64_t lo, hi, n = 0;
    ck_assert_int_le(m->k, (int64_t)sizeof read);
    ir_mapping_block(m, block, &lo, &hi);
    for (int64_t column = lo; column < hi; column++) {
        struct ir_mapping_pixel p = ir_mapping_pixel(m, column);
        for (int64_t tap = 0; tap < m->kernel[0] * m->kernel[1]; tap++) {
            int64_t y = p.row * m->stride[0] + tap / m->kernel[1] * m->dilation[0];
            int64_t x = p.column * m->stride[1] + tap % m->kernel[1] * m->dilation[1];
            for (int64_t c = 0; c < m->channels; c++)
                read[(y * m->window[1] + x) * m->channels + c] = true;
        }
    }
    for (int64_t row = 0; row < m->k; row++)
        n += read[row];
    return n;
}

/* The runs of the slices of a block are ascending, apart, full but for the last, and as many rows
 * as its pixels' taps read; together they hold all taps of each of its columns. */
static void expect_runs(const struct ir_mapping *m, int64_t block)
{
    int64_t lo, hi, end = 0, rows = 0, weights = 0;
    for (int64_t slice = 0; slice < ir_mapping_slices(m, block); slice++) {
        struct ir_mapping_rows runs = ir_mapping_rows_of(m, block, slice);
        int64_t before = rows;
        for (int i = 0; ir_mapping_next_run(&runs, &lo, &hi); i++) {
            ck_assert(lo < hi && (i && slice == 0 ? lo > end : lo >= end));
            rows += hi - lo;
            end = hi;
        }
        ck_assert_int_eq(rows - before, ir_mapping_slice_rows(m, block, slice));
        ck_assert(rows - before == m->rows || slice == ir_mapping_slices(m, block) - 1);
        ck_assert_int_gt(rows, before);
        weights += ir_mapping_weights(m, block, slice);
    }
    ir_mapping_block(m, block, &lo, &hi);
    ck_assert_int_eq(weights, (hi - lo) * m->kernel[0] * m->kernel[1] * m->channels);
    ck_assert_int_eq(rows, rows_by_taps(m, block));
    ck_assert_int_le(end, m->k);
}

/* Kernel windows: blocks, slices and PEs of a copy; the machine study's two among them. */
START_TEST(mapping_of_patches)
{
    static const struct {
        struct shape shape;
        long rows, cols;
        int64_t slices, blocks, pes, products, window[2]; /* products of 5 x 7 pixels */
    } cases[] = {
        /* TinyYOLOv3's first layer: 27 x 16 cells of 256 x 256; 16 pixels read 3x18x3 = 162 rows */
        {{9, 34, 3, 16, 1, {3, 3}, {1, 1}, {1, 1}, {1, 16}}, 256, 256, 1, 1, 1, 5, {3, 18}},
        /* VW-SDK's 4x3 window over 128 channels: 1536 rows, 3 arrays of 512 */
        {{9, 9, 128, 128, 1, {3, 3}, {1, 1}, {1, 1}, {2, 1}}, 512, 512, 3, 1, 3, 21, {4, 3}},
        /* 2x2 pixels of 128 channels are 512 columns, 4x4x128 rows */
        {{9, 9, 128, 128, 1, {3, 3}, {1, 1}, {1, 1}, {2, 2}}, 512, 512, 4, 1, 4, 12, {4, 4}},
        /* in two blocks, a row of pixels each: 3x4x128 rows */
        {{9, 9, 128, 128, 1, {3, 3}, {1, 1}, {1, 1}, {2, 2}}, 512, 256, 3, 2, 6, 12, {4, 4}},
        /* blocks of 3 columns of 2x2 pixels with 2 channels: of pixels 0-1, 1-2 and 3, which read
         * 12, 14 and 9 positions, as (0,1) and (1,0) have 4 of 9 in common */
        {{9, 9, 1, 2, 1, {3, 3}, {1, 1}, {1, 1}, {2, 2}}, 13, 3, 2, 3, 4, 12, {4, 4}},
        /* 1x1, stride 2: nobody reads between the taps, 2 positions of 3 */
        {{9, 9, 4, 8, 1, {1, 1}, {2, 2}, {1, 1}, {1, 2}}, 8, 16, 1, 1, 1, 20, {1, 3}},
        /* dilation 2: neighbours share nothing, 18 positions of 5 x 6 */
        {{9, 9, 1, 4, 1, {3, 3}, {1, 1}, {2, 2}, {1, 2}}, 18, 8, 1, 1, 1, 20, {5, 6}},
        {{9, 9, 1, 4, 1, {3, 3}, {1, 1}, {2, 2}, {1, 2}}, 17, 8, 2, 1, 2, 20, {5, 6}},
        /* depthwise: 12 rows a channel, 21 channels a PE */
        {{9, 9, 64, 64, 64, {3, 3}, {1, 1}, {1, 1}, {1, 2}}, 256, 256, 1, 4, 4, 20, {3, 4}},
        /* conv groups that do not fit: of each, 2 blocks, one a pixel, 9 rows in 3 slices */
        {{9, 9, 2, 4, 2, {3, 3}, {1, 1}, {1, 1}, {1, 2}}, 4, 2, 3, 4, 12, 20, {3, 4}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ir_graph *g = one_mvm(&cases[i].shape);
        struct ir_mapping m = mapping(g, cases[i].rows, cases[i].cols);
        ck_assert_int_eq(m.n_slices, cases[i].slices);
        ck_assert_int_eq(m.n_blocks, cases[i].blocks);
        ck_assert_int_eq(ir_mapping_pes(&m), cases[i].pes);
        ck_assert_int_eq(ir_mapping_products(&m, 5, 7), cases[i].products);
        for (int a = 0; a < 2; a++)
            ck_assert_int_eq(m.window[a], cases[i].window[a]);
        for (int64_t block = 0; block < m.n_blocks; block++)
            expect_runs(&m, block);
        ck_assert_int_eq(ir_mapping_all_weights(&m),
                         m.patch[0] * m.patch[1] * ir_count(&g->first->next->out->type));
        ir_graph_free(g);
    }
}
END_TEST

/* A matrix grows with the square of its patch: of 1x1 by 64 to 64 channels, 8 x 8 pixels have 64 *
 * 64 rows and columns, 2^24 elements, 16 x 16 have 2^28, and 2^26 are the most. */
START_TEST(matrices_are_limited)
{
    struct shape s = square(16, 1, 64, 64, 1);
    struct ir_graph *g = one_mvm(&s);
    const struct ir_op *mvm = g->first->next->next;
    int64_t extent[2];
    ck_assert(ir_mapping_matrix(mvm, (const int64_t[2]){8, 8}, extent));
    ck_assert(extent[0] == 4096 && extent[1] == 4096);
    ck_assert(!ir_mapping_matrix(mvm, (const int64_t[2]){16, 16}, extent));
    ir_graph_free(g);
}
END_TEST

/* The closed form counts what the taps read, whatever pixels a block ends at. */
START_TEST(mapping_counts_rows_of_any_patch)
{
    uint64_t seed = 12;
    for (int i = 0; i < 100; i++) {
        struct shape s = {30, 30, 2, .group = 1};
        s.n = 1 + (long)(random_next(&seed) % 5);
        for (int a = 0; a < 2; a++) {
            s.kernel[a] = 1 + (long)(random_next(&seed) % 3);
            s.stride[a] = 1 + (long)(random_next(&seed) % 3);
            s.dilation[a] = 1 + (long)(random_next(&seed) % 3);
            s.patch[a] = 1 + (long)(random_next(&seed) % 5);
        }
        struct ir_graph *g = one_mvm(&s);
        for (int64_t cols = 1; cols < 12; cols++) {
            struct ir_mapping m = mapping(g, 5, cols);
            int64_t pes = 0;
            for (int64_t block = 0; block < m.n_blocks; block++) {
                expect_runs(&m, block);
                pes += ir_mapping_slices(&m, block);
            }
            ck_assert_int_eq(pes, ir_mapping_pes(&m));
        }
        ir_graph_free(g);
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        conv_groups_share_pes, mapping_knows_what_a_slice_multiplies, mapping_of_patches,
        matrices_are_limited,  mapping_counts_rows_of_any_patch,
    };
    Suite *s = suite_create("mapping");
    TCase *c = tcase_create("mapping");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return run_suite(s);
}
