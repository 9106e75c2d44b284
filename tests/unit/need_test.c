/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * need_test.c - what windows read, tap by tap: small ones, and those that lie in padding for the
 * most part.
 */
#include "need.h"
#include "../run_suite.h"

/* Of output o, tried one after another. */
static void expect_taps(const struct axis_map *m, int32_t o, int32_t *first, int32_t *last)
{
    struct need_taps taps = need_taps_of(m, o);
    *first = *last = -1;
    for (int32_t k = 0; k < m->kernel; k++) {
        int64_t at = (int64_t)o * m->stride + (int64_t)k * m->dilation - m->pad;
        bool reads = at >= 0 && at < m->extent;
        ck_assert_int_eq(need_tap(m, o, k), reads ? at : -1);
        ck_assert(!reads || (k >= taps.from && k < taps.to));
        *first = reads && *first < 0 ? (int32_t)at : *first;
        *last = reads ? (int32_t)at : *last;
    }
    if (m->kernel > 16 && taps.from < taps.to) /* fewer are not counted */
        ck_assert(need_tap(m, o, taps.from) == *first && need_tap(m, o, taps.to - 1) == *last);
    ck_assert_int_eq(need_last(m, o), *last);
}

static void expect_range(const struct axis_map *m, int32_t n)
{
    int32_t least = INT32_MAX, most = -1, first, last;
    for (int32_t o = 0; o < n; o++) {
        expect_taps(m, o, &first, &last);
        least = first >= 0 && first < least ? first : least;
        most = last > most ? last : most;
    }
    ck_assert_int_eq(need_range(m, 0, n, &first, &last), most >= 0);
    ck_assert_int_eq(last, most);
    ck_assert(most < 0 || first == least);
}

START_TEST(windows_read_what_lies_inside)
{
    static const int32_t kernels[] = {1, 2, 5, 17, 40}, extents[] = {1, 4, 50};
    for (int i = 0; i < 5 * 3 * 27; i++) {
        int32_t kernel = kernels[i % 5], extent = extents[i / 5 % 3], rest = i / 15;
        struct axis_map m = {.kind = MAP_WINDOW,
                             .kernel = kernel,
                             .stride = rest % 3 + 1,
                             .dilation = rest / 3 % 3 + 1,
                             .pad = rest / 9 % 3 * (kernel - 1) / 2,
                             .extent = extent};
        expect_range(&m, extent + m.pad);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("need");
    TCase *c = tcase_create("need");
    tcase_add_test(c, windows_read_what_lies_inside);
    suite_add_tcase(s, c);
    return run_suite(s);
}
