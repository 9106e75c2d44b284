/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_mapping_test.c - what a program's group multiplies: of random kernels and patches, every
 * place of the image by the formulas of ISA.md 5 and 5.1, asked of each pixel and tap.
 */
#include "isa_mapping.h"
#include "../run_suite.h"

#include <stdlib.h>

static uint64_t seed = 5;

static uint32_t any(uint32_t least, uint32_t most)
{
    return least + (uint32_t)(random_next(&seed) % (most - least + 1));
}

/* A program of one image and one group, without PEs. */
struct made {
    struct isa_program program;
    struct isa_image image;
    struct isa_group group;
    struct isa_mapping m;
    uint32_t channels, outputs, conv_groups, patch[2], window[2]; /* channels of a conv group */
};

static void make(struct made *x, bool is_patch)
{
    struct isa_group *g = &x->group;
    *x = (struct made){.channels = any(1, 3), .outputs = any(1, 3), .conv_groups = any(1, 3)};
    for (int axis = 0; axis < 2; axis++) {
        g->kernel[axis] = any(1, 4);
        g->stride[axis] = any(1, 6);
        g->dilation[axis] = any(1, 6);
        x->patch[axis] = is_patch ? any(1, 5) : 1;
        x->window[axis] = g->kernel[axis];
        g->patch[axis] = is_patch ? x->patch[axis] : 0;
    }
    if (x->patch[0] > 1 || x->patch[1] > 1)
        for (int axis = 0; axis < 2; axis++)
            x->window[axis] = (x->patch[axis] - 1) * g->stride[axis] +
                              g->dilation[axis] * (g->kernel[axis] - 1) + 1;
    g->in_channels = x->channels * x->conv_groups;
    g->conv_groups = x->conv_groups > 1 ? x->conv_groups : 0;
    x->image.k = x->window[0] * x->window[1] * x->channels;
    x->image.n = x->patch[0] * x->patch[1] * x->outputs * x->conv_groups;
    x->program.images = &x->image;
    x->program.n_images = 1;
    x->m = isa_mapping_of(&x->program, g);
}

/* The place of a weight for a pixel, by ISA.md's formulas. */
static void place_of(const struct made *x, const uint32_t tap[2], uint32_t channel, uint32_t q,
                     uint32_t ko, const uint32_t pixel[2], uint32_t *row, uint32_t *column)
{
    uint32_t at[2];
    for (int axis = 0; axis < 2; axis++)
        at[axis] = isa_has_patch(&x->group)
                       ? pixel[axis] * x->group.stride[axis] + tap[axis] * x->group.dilation[axis]
                       : tap[axis];
    *row = (at[0] * x->window[1] + at[1]) * x->channels + channel;
    *column = ((q * x->patch[0] + pixel[0]) * x->patch[1] + pixel[1]) * x->outputs + ko;
}

/* Each weight of a tap, for a pixel; marks its place. False: the answers are others. */
static bool visit(const struct made *x, const uint32_t tap[2], const uint32_t pixel[2],
                  bool *marked)
{
    bool ok = true;
    for (uint32_t q = 0; q < x->conv_groups; q++)
        for (uint32_t ko = 0; ko < x->outputs; ko++)
            for (uint32_t c = 0; c < x->channels; c++) {
                uint32_t row, column, r, n;
                struct isa_weight found,
                    w = {(tap[0] * x->group.kernel[1] + tap[1]) * x->channels + c,
                         q * x->outputs + ko};
                place_of(x, tap, c, q, ko, pixel, &row, &column);
                isa_mapping_cell(&x->m, w, pixel[0], pixel[1], &r, &n);
                ok &= r == row && n == column;
                ok &= isa_mapping_weight(&x->m, row, column, &found);
                ok &= found.row == w.row && found.column == w.column;
                struct isa_pixel p = isa_mapping_pixel(&x->m, column);
                ok &= p.row == pixel[0] && p.column == pixel[1] && p.channel == w.column;
                struct isa_tap t = isa_mapping_tap(&x->m, w);
                ok &= t.row == tap[0] && t.column == tap[1];
                ok &= t.channel == q * x->channels + c;
                marked[row * x->image.n + column] = true;
            }
    return ok;
}

static uint64_t marked_in(const struct made *x, const struct isa_pe *pe, const bool *marked)
{
    uint64_t n = 0;
    for (uint32_t row = pe->k0; row < pe->k0 + pe->k; row++)
        for (uint32_t column = pe->n0; column < pe->n0 + pe->n; column++)
            n += marked[row * x->image.n + column];
    return n;
}

START_TEST(every_place_of_an_image)
{
    for (int i = 0; i < 200; i++) {
        struct made x;
        struct isa_weight unused;
        make(&x, i % 4 > 0);
        size_t n = (size_t)x.image.k * x.image.n;
        bool ok = true, *marked = heap_alloc(n);
        for (uint32_t kh = 0; kh < x.group.kernel[0]; kh++)
            for (uint32_t kw = 0; kw < x.group.kernel[1]; kw++)
                for (uint32_t py = 0; py < x.patch[0]; py++)
                    for (uint32_t px = 0; px < x.patch[1]; px++)
                        ok &= visit(&x, (uint32_t[2]){kh, kw}, (uint32_t[2]){py, px}, marked);
        for (uint32_t row = 0; row < x.image.k; row++)
            for (uint32_t column = 0; column < x.image.n; column++)
                ok &= isa_mapping_weight(&x.m, row, column, &unused) ==
                      marked[row * x.image.n + column];
        struct isa_pe part = {.k0 = any(0, x.image.k - 1), .n0 = any(0, x.image.n - 1)};
        part.k = any(1, x.image.k - part.k0);
        part.n = any(1, x.image.n - part.n0);
        ok &= isa_mapping_held(&x.m, &part) == marked_in(&x, &part, marked);
        heap_free(marked);
        ck_assert(ok);
    }
}
END_TEST

/* The first pixel with a tap at the position, found by trying each. */
START_TEST(readers_of_every_position)
{
    for (int i = 0; i < 1000; i++) {
        struct made x;
        bool ok = true;
        make(&x, true);
        for (unsigned axis = 0; axis < 2 && isa_has_patch(&x.group); axis++)
            for (uint32_t position = 0; position < x.window[axis]; position++) {
                uint32_t first = x.patch[axis];
                for (uint32_t pixel = x.patch[axis]; pixel-- > 0;)
                    for (uint32_t tap = 0; tap < x.group.kernel[axis]; tap++)
                        if (pixel * x.group.stride[axis] + tap * x.group.dilation[axis] == position)
                            first = pixel;
                ok &= isa_mapping_reader(&x.m, axis, position) == first;
            }
        ck_assert(ok);
    }
}
END_TEST

/* Rows 1, 2, 5 of two conv groups: crossbar rows 0, 1, 2 and 3, 4, 5. */
START_TEST(runs_on_the_diagonal)
{
    struct isa_run runs[] = {{1, 2}, {5, 1}};
    struct isa_pe pe = {.k0 = 1, .k = 3, .n = 4, .n_runs = 2, .runs = runs};
    struct made x = {.image = {.k = 6, .n = 4},
                     .group = {.kernel = {1, 6},
                               .stride = {1, 1},
                               .dilation = {1, 1},
                               .in_channels = 2,
                               .conv_groups = 2,
                               .n_pes = 1,
                               .pes = &pe}};
    x.program.images = &x.image;
    x.m = isa_mapping_of(&x.program, &x.group);
    static const uint32_t held[] = {1, 2, 5};
    uint32_t at;
    ck_assert_uint_eq(isa_mapping_rows(&x.m, &pe), 6);
    ck_assert_uint_eq(isa_mapping_held(&x.m, &pe), 3 * 4);
    for (uint32_t column = 0; column < 4; column++) {
        uint32_t start = column / 2 * 3;
        for (uint32_t i = 0; i < 3; i++) {
            ck_assert(isa_mapping_crossbar_row(&x.m, &pe, held[i], column, &at));
            ck_assert_uint_eq(at, start + i);
            ck_assert(isa_mapping_image_row(&x.m, &pe, start + i, column, &at));
            ck_assert_uint_eq(at, held[i]);
        }
        ck_assert(!isa_mapping_crossbar_row(&x.m, &pe, 0, column, &at));
        ck_assert(!isa_mapping_crossbar_row(&x.m, &pe, 4, column, &at));
        ck_assert(!isa_mapping_image_row(&x.m, &pe, start ? 2 : 3, column, &at));
        ck_assert(!isa_mapping_image_row(&x.m, &pe, 6, column, &at));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("isa_mapping");
    TCase *c = tcase_create("isa_mapping");
    tcase_add_test(c, every_place_of_an_image);
    tcase_add_test(c, readers_of_every_position);
    tcase_add_test(c, runs_on_the_diagonal);
    suite_add_tcase(s, c);
    return run_suite(s);
}
