/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_axis_test.c - what windows read along an axis: of random small ones the same as one finds by
 * going through all o and k; of the largest as soon.
 */
#include "isa_axis.h"
#include "../run_suite.h"

static uint64_t seed = 7;

static int64_t any(int64_t least, int64_t most)
{
    return least + (int64_t)(random_next(&seed) % (uint64_t)(most - least + 1));
}

static struct isa_axis any_axis(void)
{
    int64_t k0 = any(0, 3);
    return (struct isa_axis){.o0 = any(0, 9),
                             .n = any(1, 6),
                             .stride = any(1, 9),
                             .k0 = k0,
                             .k1 = k0 + any(0, 7),
                             .dilation = any(1, 9),
                             .pad = any(-20, 60)};
}

struct found {
    bool any;
    int64_t first, last;
};

static void note(struct found *f, int64_t at, int64_t extent)
{
    if (at < 0 || at >= extent)
        return;
    f->first = f->any && f->first < at ? f->first : at;
    f->last = f->any && f->last > at ? f->last : at;
    f->any = true;
}

static void same(const struct found *f, bool is, int64_t first, int64_t last)
{
    ck_assert_int_eq(is, f->any);
    if (is) {
        ck_assert_int_eq(first, f->first);
        ck_assert_int_eq(last, f->last);
    }
}

static bool counts(const struct isa_axis *a, int64_t o, int64_t lo, int64_t hi)
{
    bool any = false;
    for (int64_t k = 0; k <= a->k1; k++) {
        int64_t at = o * a->stride + k * a->dilation - a->pad;
        any |= at >= lo && at < hi;
    }
    return any;
}

START_TEST(small_windows)
{
    for (int round = 0; round < 5000; round++) {
        struct isa_axis a = any_axis();
        int64_t extent = any(1, 40), first, last, lo = any(-9, 30), hi = any(-9, 40);
        struct found positions = {0}, sources = {0};
        bool all = true;
        for (int64_t o = a.o0; o < a.o0 + a.n; o++)
            for (int64_t k = a.k0; k <= a.k1; k++) {
                note(&positions, o * a.stride + k * a.dilation - a.pad, extent);
                for (int64_t i = 0; i < extent; i++)
                    if (i * a.stride + k * a.dilation - a.pad == o)
                        note(&sources, i, extent);
            }
        bool is = isa_positions_inside(&a, extent, &first, &last);
        same(&positions, is, first, last);
        is = isa_sources_inside(&a, extent, &first, &last);
        same(&sources, is, first, last);
        a.k0 = 0;
        for (int64_t o = a.o0; o < a.o0 + a.n; o++)
            all = all && counts(&a, o, lo, hi);
        ck_assert_int_eq(isa_axis_counts(&a, lo, hi), all);
    }
}
END_TEST

/* A group of a patch along the columns, as an axis of the window's positions k0 to k1. */
static struct isa_mapping patch_mapping(struct isa_group *g)
{
    static struct isa_image image;
    struct isa_program p = {.images = &image, .n_images = 1};
    image = (struct isa_image){.k = (uint32_t)isa_window(g, 1), .n = g->patch[1]};
    return isa_mapping_of(&p, g);
}

static struct isa_group patch_group(uint32_t kernel, uint32_t stride, uint32_t dilation,
                                    uint32_t patch)
{
    return (struct isa_group){.kernel = {1, kernel},
                              .stride = {1, stride},
                              .dilation = {1, dilation},
                              .in_channels = 1,
                              .patch = {1, patch}};
}

/* Output pixel o, of those in the region, reads its taps where the window has them in [k0, k1]. */
START_TEST(small_patches)
{
    for (int round = 0; round < 5000; round++) {
        uint32_t patch = (uint32_t)any(2, 5);
        struct isa_group g =
            patch_group((uint32_t)any(1, 5), (uint32_t)any(1, 4), (uint32_t)any(1, 4), patch);
        struct isa_mapping m = patch_mapping(&g);
        struct isa_reaches reaches = {0};
        int64_t k0 = any(0, m.window_width - 1), extent = any(1, 40), first, last;
        struct isa_axis a = {.o0 = any(0, 3) * patch,
                             .n = any(1, 3 * patch),
                             .stride = g.stride[1],
                             .k0 = k0,
                             .k1 = any(k0, m.window_width - 1),
                             .dilation = 1,
                             .pad = any(-20, 30),
                             .m = &m,
                             .which = 1,
                             .reaches = &reaches};
        struct found f = {0};
        for (int64_t o = 0; o < a.n; o++)
            for (int64_t tap = 0; tap < g.kernel[1]; tap++) {
                int64_t k = o % patch * a.stride + tap * g.dilation[1];
                if (k >= a.k0 && k <= a.k1)
                    note(&f, (a.o0 + o) * a.stride + tap * g.dilation[1] - a.pad, extent);
            }
        for (int again = 0; again < 2; again++) {
            bool is = isa_patches_inside(&a, extent, &first, &last);
            same(&f, is, first, last);
        }
        isa_reaches_free(&reaches);
    }
}
END_TEST

/* Twenty thousand questions: by going through kernels they take minutes. Stride 46368, dilation
 * 28657 (of Fibonacci's): the longest way down to a remainder of 0. */
START_TEST(large_windows)
{
    struct isa_group g = patch_group(2, 1, 1, 65534);
    struct isa_mapping m = patch_mapping(&g);
    struct isa_reaches reaches = {0};
    struct isa_axis a = {.n = 65535, .stride = 46368, .k1 = 65534, .dilation = 28657};
    struct isa_axis of_patches = {.n = 65534,
                                  .stride = 1,
                                  .k1 = 65534,
                                  .dilation = 1,
                                  .pad = 7,
                                  .m = &m,
                                  .which = 1,
                                  .reaches = &reaches};
    int64_t first, last, extent = 1 << 22;
    for (int64_t i = 0; i < 20000; i++) {
        a.pad = extent + i;
        ck_assert(isa_positions_inside(&a, extent, &first, &last));
        ck_assert(isa_sources_inside(&a, extent, &first, &last));
        of_patches.o0 = i % 10 * 65534;
        ck_assert(isa_patches_inside(&of_patches, extent, &first, &last));
        ck_assert_int_eq(last, of_patches.o0 + 65534 - 7);
    }
    isa_reaches_free(&reaches);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("isa_axis");
    TCase *c = tcase_create("axis");
    tcase_add_test(c, small_windows);
    tcase_add_test(c, small_patches);
    tcase_add_test(c, large_windows);
    tcase_set_timeout(c, 20);
    suite_add_tcase(s, c);
    return run_suite(s);
}
