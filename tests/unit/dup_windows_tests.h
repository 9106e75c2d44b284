/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dup_windows_tests.h - kernel windows as they are published, and what a patch takes here. */
#ifndef CIMC_DUP_WINDOWS_TESTS_H
#define CIMC_DUP_WINDOWS_TESTS_H

/*
 * VW-SDK (Rhe, Moon, Ko, "VW-SDK: efficient convolutional weight mapping using variable windows",
 * DATE 2022): cycles of a layer without padding on one array of 512 x 512 that is used again and
 * again, cycles = positions of the window x row cuts x column cuts.
 *   im2col  one output a cycle
 *   SDK     the largest square of outputs that takes no more cuts than im2col
 *   VW-SDK  the best rectangle, whole input channels in a row cut
 * It is not our machine, where all cuts have crossbars of their own; windows are the same.
 */
enum { VW_ROWS = 512, VW_COLS = 512 };

struct vw_layer {
    int64_t image, kernel, in, out;
};

static int64_t vw_positions(const struct vw_layer *l, int64_t height, int64_t width)
{
    int64_t size = l->image - l->kernel + 1;
    return ceil_div_i64(size, height) * ceil_div_i64(size, width);
}

/* Cuts of a window of height x width outputs, rows cut anywhere. */
static int64_t vw_cuts(const struct vw_layer *l, int64_t height, int64_t width)
{
    int64_t rows = (l->kernel + height - 1) * (l->kernel + width - 1) * l->in;
    return ceil_div_i64(rows, VW_ROWS) * ceil_div_i64(height * width * l->out, VW_COLS);
}

static int64_t vw_im2col(const struct vw_layer *l)
{
    return vw_positions(l, 1, 1) * vw_cuts(l, 1, 1);
}

static int64_t vw_sdk(const struct vw_layer *l)
{
    int64_t side = 1;
    while (vw_cuts(l, side + 1, side + 1) <= vw_cuts(l, 1, 1))
        side++;
    return vw_positions(l, side, side) * vw_cuts(l, side, side);
}

/* INT64_MAX: not one channel's rows, or one channel's columns, fit the array. */
static int64_t vw_window(const struct vw_layer *l, int64_t height, int64_t width)
{
    int64_t in = VW_ROWS / ((l->kernel + height - 1) * (l->kernel + width - 1));
    int64_t out = VW_COLS / (height * width);
    if (in == 0 || out == 0)
        return INT64_MAX;
    return vw_positions(l, height, width) * ceil_div_i64(l->in, in) * ceil_div_i64(l->out, out);
}

static int64_t vw_vw_sdk(const struct vw_layer *l)
{
    int64_t best = vw_im2col(l), size = l->image - l->kernel + 1;
    for (int64_t height = 1; height <= size; height++)
        for (int64_t width = 1; width <= size; width++)
            best = min_i64(best, vw_window(l, height, width));
    return best;
}

static const struct {
    struct vw_layer layer;
    int64_t im2col, sdk, vw_sdk;
} vw_published[] = {
    {{224, 3, 3, 64}, 49284, 12321, 6216},  {{224, 3, 64, 64}, 98568, 24642, 24642},
    {{112, 3, 64, 128}, 24200, 6050, 6050}, {{112, 3, 128, 128}, 36300, 36300, 12100},
    {{56, 3, 128, 256}, 8748, 8748, 5832},  {{56, 3, 256, 256}, 14580, 14580, 10206},
    {{112, 7, 3, 64}, 11236, 2809, 1431},   {{56, 3, 64, 64}, 5832, 1458, 1458},
    {{28, 3, 128, 128}, 2028, 2028, 676},   {{14, 3, 256, 256}, 720, 720, 504},
};
enum { VW_PUBLISHED = sizeof vw_published / sizeof *vw_published };

START_TEST(test_published_windows)
{
    const struct vw_layer *l = &vw_published[_i].layer;
    ck_assert_int_eq(vw_im2col(l), vw_published[_i].im2col);
    ck_assert_int_eq(vw_sdk(l), vw_published[_i].sdk);
    ck_assert_int_eq(vw_vw_sdk(l), vw_published[_i].vw_sdk);
}
END_TEST

static struct ir_op *vw_mvm(struct ir_graph *g, const struct vw_layer *l, struct diag *d)
{
    float zero = 0;
    union ir_attrs in = {.input = {.dtype = IR_F32,
                                   .shape = {3, (int64_t[]){l->image, l->image, l->in}},
                                   .strides = {l->image * l->in, l->in, 1},
                                   .extent = {l->image, l->image, l->in}}};
    union ir_attrs mvm = {.mvm = {.kernel = {l->kernel, l->kernel},
                                  .stride = {1, 1},
                                  .dilation = {1, 1},
                                  .group = 1,
                                  .slices = {1, 1},
                                  .copies = 1,
                                  .cut = {1, 1}}};
    struct ir_type wt = ir_type_of(IR_F32, 2, (int64_t[]){l->kernel * l->kernel * l->in, l->out});
    struct ir_op *x = ir_op_new(g, NULL, &(struct ir_new){.opcode = IR_input, .attrs = &in}, d);
    struct ir_op *w =
        ir_const_new(g, NULL, wt, blob_splat(&zero, sizeof zero), "", (struct loc){0});
    ck_assert(x && w);
    struct ir_value *operands[] = {x->out, w->out};
    return ir_op_new(
        g, NULL,
        &(struct ir_new){.opcode = IR_mvm, .in = operands, .n_in = 2, .attrs = &mvm, .name = "m"},
        d);
}

/* Rows and columns that are cut anywhere, in the order of the pixels, never need more arrays than
 * whole channels do, whatever the window. */
START_TEST(test_flat_cuts)
{
    const struct vw_layer *l = &vw_published[_i].layer;
    struct diag *d = diag_new();
    struct ir_graph *g = ir_graph_new("g", IR_CROSSBAR);
    struct ir_op *mvm = vw_mvm(g, l, d);
    ck_assert_ptr_nonnull(mvm);
    for (int64_t height = 1; height <= 4; height++)
        for (int64_t width = 1; width <= 16 && width <= l->image - l->kernel + 1; width++) {
            const int64_t patch[2] = {height, width};
            struct ir_mapping m = ir_mapping_with(mvm, VW_ROWS, VW_COLS, patch);
            int64_t size = l->image - l->kernel + 1;
            int64_t products = ir_mapping_products(&m, size, size);
            ck_assert_int_eq(products, vw_positions(l, height, width));
            int64_t theirs = vw_window(l, height, width);
            ck_assert(theirs == INT64_MAX || products * ir_mapping_pes(&m) <= theirs);
        }
    ir_graph_free(g);
    diag_free(d);
}
END_TEST

#endif
