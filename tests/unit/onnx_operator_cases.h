/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_operator_cases.h - part of onnx_test.c: what operators become, with numbers worked out by
 * hand.
 */
#ifndef CIMC_ONNX_OPERATOR_CASES_H
#define CIMC_ONNX_OPERATOR_CASES_H

/* SAME: in 5, kernel 2, stride 2: out 3, total (3-1)*2 + 2 - 5 = 1. With kernel 3, dilation 2:
 * total (3-1)*2 + 5 - 5 = 4. */
START_TEST(auto_pad)
{
    static const struct {
        const char *mode;
        int64_t kernel, dilation, want[4];
    } c[] = {{"SAME_UPPER", 2, 1, {0, 0, 1, 1}},
             {"SAME_LOWER", 2, 1, {1, 1, 0, 0}},
             {"SAME_UPPER", 3, 2, {2, 2, 2, 2}},
             {"VALID", 2, 1, {0, 0, 0, 0}},
             {"NOTSET", 2, 1, {1, 2, 1, 2}}};
    struct text conv = node("Conv", "c", "x w", "y");
    attr_str(&conv, "auto_pad", c[_i].mode);
    attr_ints(&conv, "strides", 2, (const int64_t[]){2, 2});
    attr_ints(&conv, "dilations", 2, (const int64_t[]){c[_i].dilation, c[_i].dilation});
    if (_i == 4)
        attr_ints(&conv, "pads", 4, (const int64_t[]){1, 2, 1, 2});
    struct model m = one_node(13, conv, DIMS(1, 1, 5, 5));
    int64_t k = c[_i].kernel;
    model_init(&m, tensor("w", FLOAT, DIMS(1, 1, k, k), zeros, (size_t)(k * k) * 4));
    struct ir_graph *g = import_model(&m);
    ck_assert_mem_eq(nth(g, IR_conv, 0)->attrs->conv.pad, c[_i].want, sizeof c[_i].want);
    ir_graph_free(g);
}
END_TEST

/* Rows: in 5, kernel 2, stride 2: the third window hangs over by one. Columns: kernel 1, stride 5
 * in 5: a second window would begin at 5, outside, and is dropped. */
START_TEST(ceil_mode_becomes_padding)
{
    struct text pool = node("AveragePool", "p", "x", "y");
    attr_int(&pool, "ceil_mode", 1);
    attr_int(&pool, "count_include_pad", 1);
    attr_ints(&pool, "kernel_shape", 2, (const int64_t[]){2, 1});
    attr_ints(&pool, "strides", 2, (const int64_t[]){2, 5});
    struct model m = one_node(13, pool, DIMS(1, 1, 5, 5));
    struct ir_graph *g = import_model(&m);
    const struct ir_op *op = nth(g, IR_avg_pool, 0);
    ck_assert_mem_eq(op->attrs->avg_pool.pad, ((const int64_t[]){0, 0, 1, 0}), 32);
    ck_assert_mem_eq(op->attrs->avg_pool.counted, ((const int64_t[]){0, 0, 0, 0}), 32);
    ck_assert_int_eq(op->out->type.dim[2], 3);
    ck_assert_int_eq(op->out->type.dim[3], 1);
    ir_graph_free(g);
}
END_TEST

/* As ONNX Runtime has it: -2, 0.5, 2 become -2, 0.5, 1. */
START_TEST(a_bound_that_is_no_number_is_none)
{
    struct model m = one_node(13, node("Clip", "", "x lo hi", "y"), DIMS(3));
    const float lo = NAN, hi = 1;
    model_init(&m, tensor("lo", FLOAT, 0, NULL, &lo, 4));
    model_init(&m, tensor("hi", FLOAT, 0, NULL, &hi, 4));
    struct ir_graph *g = import_model(&m);
    ck_assert(nth(g, IR_clip, 0)->attrs->clip.lo == -INFINITY);
    ck_assert(nth(g, IR_clip, 0)->attrs->clip.hi == 1);
    ir_graph_free(g);
}
END_TEST

/* Only the upper bound: operand 1 is absent, not the first one given. */
START_TEST(absent_operands_keep_their_place)
{
    struct model m = one_node(13, node("Clip", "", "x - six", "y"), DIMS(4));
    const float six = 6;
    model_init(&m, tensor("six", FLOAT, 0, NULL, &six, 4));
    struct ir_graph *g = import_model(&m);
    ck_assert(nth(g, IR_clip, 0)->attrs->clip.hi == 6);
    ck_assert(nth(g, IR_clip, 0)->attrs->clip.lo < -3e38f);
    ir_graph_free(g);
}
END_TEST

/* [1, 1, 1, 4] to 6 columns; by hand from the formulas: x_in = (x + 0.5) * 4/6 - 0.5 =
 * -0.17, 0.5, 1.17, 1.83, 2.5, 3.17; asymmetric x * 4/6 = 0, .67, 1.33, 2, 2.67, 3.33; aligned
 * x * 3/5 = 0, .6, 1.2, 1.8, 2.4, 3. */
START_TEST(resize_nearest)
{
    static const struct {
        const char *transform, *nearest;
        int64_t want[6];
    } c[] = {{"half_pixel", "round_prefer_floor", {0, 0, 1, 2, 2, 3}},
             {"half_pixel", "round_prefer_ceil", {0, 1, 1, 2, 3, 3}},
             {"half_pixel", "floor", {0, 0, 1, 1, 2, 3}},
             {"half_pixel", "ceil", {0, 1, 2, 2, 3, 3}},
             {"asymmetric", "floor", {0, 0, 1, 2, 2, 3}},
             {"asymmetric", "round_prefer_floor", {0, 1, 1, 2, 3, 3}},
             {"align_corners", "round_prefer_floor", {0, 1, 1, 2, 2, 3}},
             {"tf_half_pixel_for_nn", "floor", {0, 1, 1, 2, 3, 3}}};
    struct text n = node("Resize", "", "x - - sizes", "y");
    attr_str(&n, "coordinate_transformation_mode", c[_i].transform);
    attr_str(&n, "nearest_mode", c[_i].nearest);
    struct model m = one_node(11, n, DIMS(1, 1, 1, 4));
    model_init(&m, INTS("sizes", 1, 1, 1, 6));
    struct ir_graph *g = import_model(&m);
    const struct ir_attrs_gather_grid *grid = &nth(g, IR_gather_grid, 0)->attrs->gather_grid;
    ck_assert_int_eq(grid->index.n, 9);
    ck_assert_mem_eq(grid->index.at + 3, c[_i].want, sizeof c[_i].want);
    ir_graph_free(g);
}
END_TEST

/* The shape of a Reshape, computed by Shape, Gather, Unsqueeze and Concat. */
START_TEST(shape_arithmetic_folds)
{
    struct model m = model_new(11);
    struct text concat = node("Concat", "", "n1 rest", "shape"),
                un = node("Unsqueeze", "", "n", "n1");
    attr_int(&concat, "axis", 0);
    attr_ints(&un, "axes", 1, (const int64_t[]){0});
    model_input(&m, "x", DIMS(2, 3, 4));
    model_init(&m, tensor("zero", INT64, 0, NULL, &(int64_t){0}, 8));
    model_init(&m, INTS("rest", -1));
    model_node(&m, node("Shape", "", "x", "s"));
    model_node(&m, node("Gather", "", "s zero", "n"));
    model_node(&m, un);
    model_node(&m, concat);
    model_node(&m, node("Reshape", "flat", "x shape", "y"));
    model_output(&m, "y");
    struct ir_graph *g = import_model(&m);
    ck_assert_int_eq(g->n_ops, 3);
    ck_assert_mem_eq(nth(g, IR_reshape, 0)->out->type.dim, ((const int64_t[]){2, 12}), 16);
    ir_graph_free(g);
}
END_TEST

/* What a node says that cannot be; the message names it. */
static struct model bad_node(int i, const char **says)
{
    struct text n = node("LeakyRelu", "", "x", "y");
    struct model m;
    switch (i) {
    case 0:
        *says = "attribute 'alpha' is not a float";
        attr_int(&n, "alpha", 1);
        return one_node(13, n, DIMS(4));
    case 1:
        *says = "attribute 'alpha' is given twice";
        attr_float(&n, "alpha", 1);
        attr_float(&n, "alpha", 2);
        return one_node(13, n, DIMS(4));
    default: break;
    }
    text_free(&n);
    switch (i) {
    case 2:
        *says = "operand 1, 'x', is not known at compile time";
        return one_node(13, node("Reshape", "", "x x", "y"), DIMS(4));
    case 3:
        *says = "axis 4 is not one of 2 dimensions";
        n = node("Softmax", "", "x", "y");
        attr_int(&n, "axis", 4);
        return one_node(13, n, DIMS(4, 4));
    case 4:
        *says = "strides holds 0";
        n = node("MaxPool", "", "x", "y");
        attr_ints(&n, "kernel_shape", 2, (const int64_t[]){2, 2});
        attr_ints(&n, "strides", 2, (const int64_t[]){0, 1});
        return one_node(13, n, DIMS(1, 1, 4, 4));
    case 5:
        *says = "kernel_shape says 2 where the weights have 1";
        n = node("Conv", "", "x w", "y");
        attr_ints(&n, "kernel_shape", 2, (const int64_t[]){2, 2});
        m = one_node(13, n, DIMS(1, 1, 4, 4));
        model_init(&m, tensor("w", FLOAT, DIMS(1, 1, 1, 1), zeros, 4));
        return m;
    case 6:
        *says = "-1 twice";
        m = one_node(13, node("Reshape", "", "x s", "y"), DIMS(4));
        model_init(&m, INTS("s", -1, -1));
        return m;
    case 7:
        *says = "mode is 'area'; nearest, linear and cubic";
        n = node("Resize", "", "x - s", "y");
        attr_str(&n, "mode", "area");
        m = one_node(13, n, DIMS(4));
        model_init(&m, FLOATS("s", DIMS(1), 2));
        return m;
    case 8:
        *says = "becomes 1000000000";
        m = one_node(13, node("Resize", "", "x - - s", "y"), DIMS(4));
        model_init(&m, INTS("s", 1000000000));
        return m;
    default:
        *says = "the parts do not add up to 4";
        m = one_node(13, node("Split", "", "x parts", "y z"), DIMS(4));
        model_init(&m, INTS("parts", 1, 2));
        return m;
    }
}

START_TEST(nodes_that_cannot_be)
{
    const char *says;
    struct model m = bad_node(_i, &says);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, says));
}
END_TEST

START_TEST(unknown_attributes_are_warned_about)
{
    struct text n = node("Relu", "", "x", "y");
    attr_int(&n, "colour", 3);
    struct model m = one_node(13, n, DIMS(1));
    struct ir_graph *g = import_model(&m);
    ck_assert_ptr_nonnull(g);
    ck_assert(diag->first && strstr(diag->first->text, "'colour'"));
    ir_graph_free(g);
}
END_TEST

START_TEST(results_that_are_not_given)
{
    struct text n = node("MaxPool", "", "x", "v y");
    attr_ints(&n, "kernel_shape", 2, (const int64_t[]){2, 2});
    struct model m = one_node(13, n, DIMS(1, 1, 4, 4));
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "Indices"));
}
END_TEST

#endif
