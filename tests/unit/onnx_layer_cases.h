/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_layer_cases.h - part of onnx_test.c: operators that become several operations, evaluated,
 * and what opsets 18 to 21 say differently. Numbers by hand; those of transposed convolution also
 * from ONNX Runtime 1.30.
 */
#ifndef CIMC_ONNX_LAYER_CASES_H
#define CIMC_ONNX_LAYER_CASES_H

/* y of a model with one input, evaluated at x. */
static struct tensor evaluated(struct model *m, const void *x)
{
    struct ir_graph *g = import_model(m);
    if (!g)
        diag_print(diag, stderr);
    ck_assert_ptr_nonnull(g);
    struct tensor in = {.type = g->first->out->type, .data = (void *)(uintptr_t)x}, out;
    if (g->first->attrs->input.dtype == IR_I64)
        in.type.dtype = IR_I64;
    ck_assert(eval_graph(g, &in, 1, &out, 1, NULL, diag));
    ir_graph_free(g);
    return out;
}

static void expect(struct model *m, const void *x, const float *want, int64_t n)
{
    struct tensor y = evaluated(m, x);
    const float *have = y.data;
    ck_assert_int_eq(ir_count(&y.type), n);
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(have[i] - want[i]) <= 2e-6f * fmaxf(1, fabsf(want[i])),
                      "element %lld is %g, not %g", (long long)i, (double)have[i], (double)want[i]);
    tensor_free(&y);
}
#define EXPECT(model, x, ...)                                                                      \
    expect(model, x, (const float[]){__VA_ARGS__},                                                 \
           sizeof((const float[]){__VA_ARGS__}) / sizeof(float))
#define AT(...) ((const float[]){__VA_ARGS__})

START_TEST(hard_activations)
{
    struct text sigmoid = node("HardSigmoid", "h", "x", "y");
    attr_float(&sigmoid, "alpha", 0.25f);
    struct model m = one_node(13, sigmoid, DIMS(4));
    EXPECT(&m, AT(-3, 0, 1, 4), 0, 0.5f, 0.75f, 1);
    m = one_node(14, node("HardSwish", "h", "x", "y"), DIMS(5));
    EXPECT(&m, AT(-4, -1.5f, 0, 1.5f, 6), 0, -0.375f, 0, 1.125f, 6);
}
END_TEST

/* The operation that yields the result carries the node's name, whatever it became. */
START_TEST(results_carry_the_name)
{
    struct model m = one_node(14, node("HardSwish", "h", "x", "y"), DIMS(1));
    struct ir_graph *g = import_model(&m);
    ck_assert_str_eq(g->last->in[0].value->def->name, "h");
    ck_assert_str_eq(nth(g, IR_hard_sigmoid, 0)->name, "");
    ir_graph_free(g);
}
END_TEST

START_TEST(prelu)
{
    struct model m = one_node(13, node("PRelu", "", "x s", "y"), DIMS(1, 2, 1, 2));
    model_init(&m, FLOATS("s", DIMS(2, 1, 1), 0.5f, 0.25f));
    EXPECT(&m, AT(-1, 2, -3, 4), -0.5f, 2, -0.75f, 4);
    m = one_node(13, node("PRelu", "", "x s", "y"), DIMS(1, 2, 1, 2));
    model_init(&m, FLOATS("s", DIMS(1), 0.5f));
    struct ir_graph *g = import_model(&m);
    ck_assert(nth(g, IR_leaky_relu, 0)->attrs->leaky_relu.alpha == 0.5f);
    ir_graph_free(g);
    m = one_node(13, node("PRelu", "", "x s", "y"), DIMS(1, 2, 1, 1));
    model_init(&m, FLOATS("s", DIMS(1, 1, 2), 1, 2));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "does not broadcast to the input"));
}
END_TEST

START_TEST(powers)
{
    static const struct {
        float exponent, want[3];
    } c[] = {{3, {1, 64, 4096}},
             {-1, {1, 0.25f, 0.0625f}},
             {1.5f, {1, 8, 64}},
             {0, {1, 1, 1}},
             {-0.5f, {1, 0.5f, 0.25f}},
             {0.25f, {1, 1.41421356f, 2}},
             {0.75f, {1, 2.8284271f, 8}},
             {0.3f, {1, 1.5157166f, 2.2973967f}},
             {1, {1, 4, 16}},
             {7, {1, 16384, 268435456}}};
    struct model m = one_node(13, node("Pow", "", "x e", "y"), DIMS(3));
    model_init(&m, FLOATS("e", DIMS(1), c[_i].exponent));
    expect(&m, AT(1, 4, 16), c[_i].want, 3);
}
END_TEST

/* Whole powers of negative numbers; others have none. */
START_TEST(powers_that_are_special)
{
    struct model m = one_node(13, node("Pow", "", "x e", "y"), DIMS(2));
    model_init(&m, INTS("e", 3));
    EXPECT(&m, AT(-2, 0), -8, 0);
    m = one_node(13, node("Pow", "", "x e", "y"), DIMS(2));
    model_init(&m, FLOATS("e", DIMS(2), 1, 2));
    EXPECT(&m, AT(-2, 3), -2, 9);
    m = one_node(13, node("Pow", "", "x e", "y"), DIMS(2));
    model_init(&m, FLOATS("e", DIMS(2), 0.3f, 0.3f));
    struct tensor y = evaluated(&m, AT(-2, 0));
    ck_assert(isnan(((float *)y.data)[0]) && ((float *)y.data)[1] == 0);
    tensor_free(&y);
    m = one_node(13, node("Pow", "", "x e", "y"), DIMS(2));
    model_init(&m, FLOATS("e", DIMS(1), 5001));
    EXPECT(&m, AT(-1, 1), -1, 1);
}
END_TEST

/* What C's pow, IEEE 754's, says of special numbers, at each kind of exponent. */
START_TEST(powers_of_special_numbers)
{
    static const float exponents[] = {0.5f,  -0.5f, 0.25f, -0.25f, 0.75f, 1.5f, -1.5f, 2.5f, 0.3f,
                                      -0.3f, 1,     -1,    2,      -2,    3,    -3,    0};
    const float x[] = {-INFINITY, INFINITY, -0.0f, 0, -2, 4, NAN, -1e30f};
    struct model m = one_node(13, node("Pow", "", "x e", "y"), DIMS(8));
    model_init(&m, FLOATS("e", DIMS(1), exponents[_i]));
    struct tensor y = evaluated(&m, x);
    for (int i = 0; i < 8; i++) {
        float have = ((float *)y.data)[i], want = powf(x[i], exponents[_i]);
        bool same = isnan(want) ? isnan(have)
                                : signbit(have) == signbit(want) &&
                                      (have == want || fabsf(have / want - 1) < 1e-5f);
        ck_assert_msg(same, "%g^%g is %g, not %g", (double)x[i], (double)exponents[_i],
                      (double)have, (double)want);
    }
    tensor_free(&y);
}
END_TEST

/* The result's shape is the broadcast one, though the exponent is one number. */
START_TEST(powers_broadcast)
{
    struct model m = one_node(13, node("Pow", "", "x e", "y"), DIMS(2));
    model_init(&m, FLOATS("e", DIMS(2, 1), 2, 2));
    EXPECT(&m, AT(3, -4), 9, 16, 9, 16);
    m = one_node(13, node("Pow", "", "x e", "y"), 0, NULL);
    model_init(&m, FLOATS("e", DIMS(1), 0.5f));
    struct tensor y = evaluated(&m, AT(9));
    ck_assert_int_eq(y.type.rank, 1);
    ck_assert(((float *)y.data)[0] == 3);
    tensor_free(&y);
}
END_TEST

/* A constant made bfloat16: to nearest, ties to even, NaN stays NaN; as ONNX's casts. */
START_TEST(constants_cast_to_bfloat16_are_rounded)
{
    struct text cast = node("Cast", "", "c", "b"), back = node("Cast", "", "b", "w");
    attr_int(&cast, "to", BFLOAT16);
    attr_int(&back, "to", FLOAT);
    struct model m = one_node(13, node("Add", "", "x w", "y"), DIMS(6));
    model_node(&m, cast);
    model_node(&m, back);
    model_init(&m,
               FLOATS("c", DIMS(6), 1.00390625f, 1.01171875f, 1.0040f, -3.389e38f, 3.4e38f, NAN));
    struct tensor y = evaluated(&m, zeros);
    const float *have = y.data;
    ck_assert(have[0] == 1 && have[1] == 1.015625f && have[2] == 1.0078125f);
    ck_assert(have[3] == -0x1.fep127f && have[4] == INFINITY && isnan(have[5]));
    tensor_free(&y);
}
END_TEST

/* Up to opset 13 a named further result is what asks for training. */
START_TEST(batch_norm_in_training_form)
{
    static const struct {
        int64_t opset;
        const char *out;
        bool trains;
    } c[] = {{7, "y m v sm sv", true}, {9, "y m", true}, {13, "y - - - sv", true},
             {9, "y - - - -", false},  {13, "y", false}, {15, "y m v", false}};
    struct model m = one_node(c[_i].opset, node("BatchNormalization", "", "x s s s s", c[_i].out),
                              DIMS(1, 1, 2));
    model_init(&m, FLOATS("s", DIMS(1), 1));
    if (c[_i].trains)
        ck_assert(rejected(&m, DIAG_ONNX_ATTR, "training mode"));
    else
        EXPECT(&m, AT(1, 1), 1, 1);
}
END_TEST

/* The mean of no cells has no meaning; ONNX Runtime refuses such padding too. Counted padding is
 * zeros: (0 + 0)/2, (0 + 2)/2, ... */
START_TEST(averages_of_padding_alone)
{
    for (int64_t count = 1; count >= 0; count--) {
        struct text n = node("AveragePool", "", "x", "y");
        attr_ints(&n, "kernel_shape", 1, (const int64_t[]){2});
        attr_ints(&n, "pads", 2, (const int64_t[]){2, 1});
        attr_int(&n, "count_include_pad", count);
        struct model m = one_node(13, n, DIMS(1, 1, 3));
        if (count)
            EXPECT(&m, AT(2, 4, 6), 0, 1, 3, 5, 3);
        else
            ck_assert(rejected(&m, DIAG_SHAPE, "no cell to take the mean of"));
    }
}
END_TEST

/* A part without elements adds nothing, whether it is in the file or cut from a run-time value. */
START_TEST(values_without_elements)
{
    struct text concat = node("Concat", "", "x e n", "y");
    attr_int(&concat, "axis", 0);
    struct model m = one_node(13, concat, DIMS(2));
    model_node(&m, node("Slice", "", "x from to", "n"));
    model_init(&m, tensor("e", FLOAT, DIMS(0), zeros, 0));
    model_init(&m, INTS("from", 2));
    model_init(&m, INTS("to", 2));
    EXPECT(&m, AT(5, 7), 5, 7);
}
END_TEST

/* Squares 1, 4, 9; an even size reaches one further ahead: 5, 13, 9. */
START_TEST(lrn)
{
    static const struct {
        float beta, want[3];
    } c[] = {{1, {1.0f / 6, 1.0f / 7, 0.3f}},
             {0.5f, {0.40824829f, 0.53452248f, 0.9486833f}},
             {0.3f, {0.5841907f, 0.9061322f, 1.5035617f}}};
    struct text n = node("LRN", "", "x", "y");
    attr_int(&n, "size", 2);
    attr_float(&n, "alpha", 2);
    attr_float(&n, "beta", c[_i].beta);
    struct model m = one_node(13, n, DIMS(1, 3, 1));
    expect(&m, AT(1, 2, 3), c[_i].want, 3);
}
END_TEST

/* A window over more channels than there are. */
START_TEST(lrn_over_all_channels)
{
    struct text n = node("LRN", "", "x", "y");
    attr_int(&n, "size", INT64_MAX);
    attr_float(&n, "alpha", 0);
    struct model m = one_node(13, n, DIMS(1, 3, 1));
    EXPECT(&m, AT(1, 2, 3), 1, 2, 3);
}
END_TEST

/* e^-200 underflows, its logarithm must not. */
START_TEST(log_softmax_does_not_underflow)
{
    struct model m = one_node(13, node("LogSoftmax", "", "x", "y"), DIMS(1, 2));
    EXPECT(&m, AT(0, -200), 0, -200);
}
END_TEST

/* x = 1 10 100, w = 1 2 3 (4), stride 2. In full 1 2 13 20 130 200 300; with four taps
 * 1 2 13 24 130 240 300 400. */
START_TEST(transposed_convolution)
{
    static const struct {
        const char *auto_pad;
        int64_t kernel, out_shape, out_pad, pads[2], n;
        float want[9];
    } c[] = {
        {"NOTSET", 3, 0, 0, {0, 0}, 7, {1, 2, 13, 20, 130, 200, 300}},
        {"NOTSET", 3, 0, 1, {1, 1}, 6, {2, 13, 20, 130, 200, 300}},
        {"NOTSET", 3, 0, 1, {0, 0}, 8, {1, 2, 13, 20, 130, 200, 300, 0}},
        {"SAME_UPPER", 3, 0, 0, {0, 0}, 6, {1, 2, 13, 20, 130, 200}},
        {"SAME_LOWER", 3, 0, 0, {0, 0}, 6, {2, 13, 20, 130, 200, 300}},
        {"VALID", 3, 0, 0, {1, 1}, 7, {1, 2, 13, 20, 130, 200, 300}},
        {"NOTSET", 4, 7, 0, {0, 0}, 7, {2, 13, 24, 130, 240, 300, 400}},
        {"SAME_UPPER", 4, 7, 0, {0, 0}, 7, {1, 2, 13, 24, 130, 240, 300}},
        {"SAME_LOWER", 4, 7, 0, {0, 0}, 7, {2, 13, 24, 130, 240, 300, 400}},
        {"NOTSET", 3, 7, 1, {0, 0}, 7, {2, 13, 20, 130, 200, 300, 0}},
        {"SAME_UPPER", 1, 0, 0, {0, 0}, 6, {1, 0, 10, 0, 100, 0}},
    };
    static const float w[] = {1, 2, 3, 4};
    struct text n = node("ConvTranspose", "up", "x w", "y");
    attr_str(&n, "auto_pad", c[_i].auto_pad);
    attr_ints(&n, "strides", 1, (const int64_t[]){2});
    attr_ints(&n, "pads", 2, c[_i].pads);
    attr_ints(&n, "output_padding", 1, &c[_i].out_pad);
    if (c[_i].out_shape)
        attr_ints(&n, "output_shape", 1, &c[_i].out_shape);
    struct model m = one_node(13, n, DIMS(1, 1, 3));
    model_init(&m, tensor("w", FLOAT, DIMS(1, 1, c[_i].kernel), w, (size_t)c[_i].kernel * 4));
    expect(&m, AT(1, 10, 100), c[_i].want, c[_i].n);
}
END_TEST

/* Two groups of one channel in, two out, two taps each; the layer is one grouped product. */
START_TEST(grouped_transposed_convolution)
{
    struct text n = node("ConvTranspose", "up", "x w b", "y");
    attr_int(&n, "group", 2);
    struct model m = one_node(13, n, DIMS(1, 2, 1, 1));
    model_init(&m, FLOATS("w", DIMS(2, 2, 1, 2), 1, 2, 3, 4, 5, 6, 7, 8));
    model_init(&m, FLOATS("b", DIMS(4), 10, 20, 30, 40));
    struct text copy = {0};
    text_add_bytes(&copy, m.graph.at, m.graph.n);
    struct model again = {copy, m.ir_version, m.opset, m.domain, {0}};
    EXPECT(&m, AT(2, 3), 12, 14, 26, 28, 45, 48, 61, 64);
    struct ir_graph *g = import_model(&again);
    const struct ir_op *conv = nth(g, IR_conv, 0);
    ck_assert_str_eq(conv->name, "up");
    ck_assert_int_eq(conv->attrs->conv.group, 2);
    ck_assert_mem_eq(conv->in[1].value->type.dim, ((const int64_t[]){8, 1, 1, 1}), 32);
    ir_graph_free(g);
}
END_TEST

/* One initializer, read as the weights of a Conv and of two ConvTransposes: two matrices. */
START_TEST(transposed_weights_are_shared_among_themselves)
{
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(1, 2, 3, 3));
    model_init(&m, tensor("w", FLOAT, DIMS(2, 2, 1, 1), zeros, 16));
    model_node(&m, node("Conv", "", "x w", "a"));
    model_node(&m, node("ConvTranspose", "", "a w", "b"));
    model_node(&m, node("ConvTranspose", "", "b w", "c"));
    model_node(&m, node("Conv", "", "c w", "y"));
    model_output(&m, "y");
    static const int64_t want[] = {1, 2, 2, 1};
    struct ir_graph *g = import_model(&m);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(nth(g, IR_conv, i)->attrs->conv.weights, want[i]);
    ir_graph_free(g);
}
END_TEST

/* [1, 3] to four: half_pixel reads at -0.25, 0.25, 0.75, 1.25, outside is the edge. To one:
 * half_pixel at 0.5, pytorch_half_pixel at 0. */
START_TEST(resize_linear)
{
    static const struct {
        const char *transform;
        int64_t n;
        float want[4];
    } c[] = {{"half_pixel", 4, {1, 1.5f, 2.5f, 3}},
             {"align_corners", 4, {1, 5.0f / 3, 7.0f / 3, 3}},
             {"asymmetric", 4, {1, 2, 3, 3}},
             {"pytorch_half_pixel", 4, {1, 1.5f, 2.5f, 3}},
             {"half_pixel", 1, {2}},
             {"pytorch_half_pixel", 1, {1}},
             {"half_pixel", 2, {1, 3}}};
    struct text n = node("Resize", "", "x - - s", "y");
    attr_str(&n, "mode", "linear");
    attr_str(&n, "coordinate_transformation_mode", c[_i].transform);
    struct model m = one_node(13, n, DIMS(1, 1, 2));
    model_init(&m, INTS("s", 1, 1, c[_i].n));
    expect(&m, AT(1, 3), c[_i].want, c[_i].n);
}
END_TEST

/* Two dimensions, one after the other; the one that stays as it is costs nothing. */
START_TEST(resize_linear_in_two_dimensions)
{
    struct text n = node("Upsample", "", "x s", "y");
    attr_str(&n, "mode", "linear");
    struct model m = one_node(9, n, DIMS(1, 1, 2, 2));
    model_init(&m, FLOATS("s", DIMS(4), 1, 1, 2, 2));
    EXPECT(&m, AT(0, 2, 4, 6), 0, 1, 2, 2, 2, 3, 4, 4, 4, 5, 6, 6, 4, 5, 6, 6);
    n = node("Upsample", "", "x s", "y");
    attr_str(&n, "mode", "linear");
    m = one_node(9, n, DIMS(1, 1, 2, 2));
    model_init(&m, FLOATS("s", DIMS(4), 1, 1, 1, 2));
    struct ir_graph *g = import_model(&m);
    ck_assert_uint_eq(nth(g, IR_interpolate, 0)->attrs->interpolate.axes.n, 1);
    ir_graph_free(g);
}
END_TEST

/* ---- opsets 18 to 21 ---- */

/* 4 * 0.6 = 2.4 becomes 2; the centre stays: 0.333 + 0.5/0.6 - 0.5 = 0.667, and 2.333. */
START_TEST(resize_19_keeps_the_centre)
{
    for (int64_t opset = 19; opset >= 18; opset--) {
        struct text n = node("Resize", "", "x - s", "y");
        attr_str(&n, "mode", "linear");
        attr_str(&n, "coordinate_transformation_mode", "half_pixel_symmetric");
        struct model m = one_node(opset, n, DIMS(1, 1, 4));
        model_init(&m, FLOATS("s", DIMS(3), 1, 1, 0.6f));
        if (opset == 19)
            EXPECT(&m, AT(0, 1, 2, 3), 0.6666667f, 2.3333333f);
        else
            ck_assert(rejected(&m, DIAG_ONNX_ATTR, "'half_pixel_symmetric'"));
    }
}
END_TEST

/* Sizes 4 x 2 of 2 x 4 for the axes listed: scales 2 and 0.5; all dimensions take one of them. */
START_TEST(resize_18_keeps_the_ratio)
{
    static const struct {
        const char *policy;
        int64_t want[4];
    } c[] = {
        {"stretch", {1, 1, 4, 2}}, {"not_larger", {1, 1, 1, 2}}, {"not_smaller", {1, 1, 4, 8}}};
    struct text n = node("Resize", "", "x - - s", "y");
    attr_str(&n, "mode", "linear");
    attr_ints(&n, "axes", 2, (const int64_t[]){-1, 2});
    attr_str(&n, "keep_aspect_ratio_policy", c[_i].policy);
    struct model m = one_node(18, n, DIMS(1, 1, 2, 4));
    model_init(&m, INTS("s", 2, 4));
    struct tensor y = evaluated(&m, zeros);
    ck_assert_mem_eq(y.type.dim, c[_i].want, sizeof c[_i].want);
    tensor_free(&y);
}
END_TEST

/* 1 to 16 in rows of four, made shorter by 0.6 or to 3; answers of ONNX Runtime 1.30. */
START_TEST(resize_with_antialias)
{
    static const struct {
        const char *mode;
        int64_t n;
        float want[9];
    } c[] = {{"linear", 2, {2.875f, 4.5f, 9.375f, 11}},
             {"cubic", 2, {2.5180721f, 4.285887f, 9.58933f, 11.357143f}},
             {"linear",
              3,
              {2.3636365f, 3.590909f, 4.818182f, 7.272727f, 8.5f, 9.727273f, 12.181818f, 13.40909f,
               14.636365f}},
             {"cubic",
              3,
              {1.7750088f, 3.120007f, 4.4650054f, 7.1550026f, 8.5f, 9.844997f, 12.534993f,
               13.879992f, 15.224989f}}};
    float x[16];
    for (int i = 0; i < 16; i++)
        x[i] = (float)(i + 1);
    bool by_scale = c[_i].n == 2;
    struct text n = node("Resize", "", by_scale ? "x - s" : "x - - s", "y");
    attr_str(&n, "mode", c[_i].mode);
    attr_int(&n, "antialias", 1);
    struct model m = one_node(18, n, DIMS(1, 1, 4, 4));
    if (by_scale)
        model_init(&m, FLOATS("s", DIMS(4), 1, 1, 0.6f, 0.6f));
    else
        model_init(&m, INTS("s", 1, 1, c[_i].n, c[_i].n));
    expect(&m, x, c[_i].want, c[_i].n * c[_i].n);
}
END_TEST

/* Between 0 and 1 Keys' kernel with a = -0.75 weighs -0.10546875 0.87890625 0.26171875 -0.03515625
 * at 0.25; outside repeats the ends, or does not count. 100 elements become one of 2 * 200. */
START_TEST(resize_cubic)
{
    struct text n = node("Resize", "", "x - - s", "y");
    attr_str(&n, "mode", "cubic");
    struct model m = one_node(11, n, DIMS(2));
    model_init(&m, INTS("s", 4));
    EXPECT(&m, AT(0, 1), -0.10546875f, 0.2265625f, 0.7734375f, 1.10546875f);
    n = node("Resize", "", "x - - s", "y");
    attr_str(&n, "mode", "cubic");
    attr_int(&n, "exclude_outside", 1);
    m = one_node(11, n, DIMS(2));
    model_init(&m, INTS("s", 4));
    EXPECT(&m, AT(0, 1), -0.13636364f, 0.22945206f, 0.77054795f, 1.1363636f);
    n = node("Resize", "", "x - - s", "y");
    attr_str(&n, "mode", "cubic");
    attr_int(&n, "antialias", 1);
    m = one_node(18, n, DIMS(100));
    model_init(&m, INTS("s", 1));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "is made of 400; 256 are supported"));
}
END_TEST

static struct model split_model(int64_t opset, const char *outs, int64_t parts)
{
    struct text n = node("Split", "", "x", outs);
    if (opset >= 18)
        attr_int(&n, "num_outputs", parts);
    return one_node(opset, n, DIMS(7));
}

/* Seven in three: 3, 3, 1. In five: 2 each, and none is left for the last. */
START_TEST(split_18_has_a_shorter_last_part)
{
    struct model m = split_model(18, "a b y", 3);
    EXPECT(&m, AT(1, 2, 3, 4, 5, 6, 7), 7);
    m = split_model(13, "a b y", 3);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "does not split"));
    m = split_model(18, "a b c d y", 5);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "does not split"));
    m = split_model(18, "a b y", 2);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "num_outputs is 2"));
}
END_TEST

START_TEST(pad_18_lists_axes)
{
    struct model m = one_node(18, node("Pad", "", "x p v a", "y"), DIMS(2, 2));
    model_init(&m, INTS("p", 1, 0));
    model_init(&m, tensor("v", FLOAT, 0, NULL, AT(9), 4));
    model_init(&m, INTS("a", -1));
    EXPECT(&m, AT(1, 2, 3, 4), 9, 1, 2, 9, 3, 4);
}
END_TEST

/* Five in front of three elements go round almost twice; one is cropped at the end first. */
START_TEST(pad_19_wraps)
{
    struct text n = node("Pad", "", "x p", "y");
    attr_str(&n, "mode", "wrap");
    struct model m = one_node(19, n, DIMS(4));
    model_init(&m, INTS("p", 5, -1));
    EXPECT(&m, AT(1, 2, 3, 4), 2, 3, 1, 2, 3, 1, 2, 3);
    n = node("Pad", "", "x p", "y");
    attr_str(&n, "mode", "wrap");
    m = one_node(18, n, DIMS(4));
    model_init(&m, INTS("p", 1, 0));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "mode is 'wrap'"));
}
END_TEST

/* axes: an operand since 18 (ReduceSum: 13), an attribute before; none at all are all. */
START_TEST(reduce_axes)
{
    struct text n = node("ReduceMean", "", "x", "y");
    attr_ints(&n, "axes", 1, (const int64_t[]){-1});
    struct model m = one_node(17, n, DIMS(2, 2));
    EXPECT(&m, AT(1, 3, 5, 9), 2, 7);
    m = one_node(18, node("ReduceMean", "", "x a", "y"), DIMS(2, 2));
    model_init(&m, INTS("a", 0));
    EXPECT(&m, AT(1, 3, 5, 9), 3, 6);
    m = one_node(13, node("ReduceSum", "", "x", "y"), DIMS(2, 2));
    EXPECT(&m, AT(1, 3, 5, 9), 18);
    n = node("ReduceMax", "", "x - ", "y");
    attr_int(&n, "noop_with_empty_axes", 1);
    m = one_node(18, n, DIMS(2, 2));
    EXPECT(&m, AT(1, 3, 5, 9), 1, 3, 5, 9);
    m = one_node(13, node("ReduceMin", "", "x", "y"), DIMS(2, 2));
    EXPECT(&m, AT(4, 3, 5, 9), 3);
}
END_TEST

/* At run time too; dimensions that do not broadcast are refused. */
START_TEST(expand_repeats)
{
    struct model m = one_node(13, node("Expand", "", "x s", "y"), DIMS(2, 1));
    model_init(&m, INTS("s", 2, 1, 2));
    EXPECT(&m, AT(1, 2), 1, 1, 2, 2, 1, 1, 2, 2);
    m = one_node(13, node("Expand", "", "x s", "y"), DIMS(2));
    model_init(&m, INTS("s", 3));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "does not broadcast to 3"));
}
END_TEST

/* The mean over the map is the pooling that has hardware behind it, of a batch too. */
START_TEST(mean_over_the_map_is_global_pooling)
{
    struct text n = node("ReduceMean", "head", "x", "y");
    attr_ints(&n, "axes", 2, (const int64_t[]){3, 2});
    attr_int(&n, "keepdims", 0);
    struct model m = one_node(13, n, DIMS(1, 2, 2, 2));
    struct ir_graph *g = import_model(&m);
    ck_assert_ptr_nonnull(nth(g, IR_global_avg_pool, 0));
    ck_assert_int_eq(g->last->in[0].value->type.rank, 2);
    ir_graph_free(g);
    n = node("ReduceMean", "", "x", "y");
    attr_ints(&n, "axes", 2, (const int64_t[]){2, 3});
    m = one_node(13, n, DIMS(2, 1, 1, 2));
    EXPECT(&m, AT(1, 3, 5, 9), 2, 7);
}
END_TEST

/* ---- whole graphs ---- */

/* Two inputs, three outputs, one of them read further on. */
START_TEST(several_inputs_and_outputs)
{
    struct model m = model_new(13);
    model_input(&m, "a", DIMS(2));
    model_input(&m, "b", DIMS(2));
    model_node(&m, node("Sub", "", "a b", "d"));
    model_node(&m, node("Relu", "", "d", "r"));
    model_node(&m, node("Neg", "", "r", "n"));
    model_output(&m, "n");
    model_output(&m, "d");
    model_output(&m, "r");
    struct ir_graph *g = import_model(&m);
    int64_t two = 2;
    struct ir_type type = ir_type_of(IR_F32, 1, &two);
    float a[] = {5, 1}, b[] = {2, 3};
    struct tensor in[] = {{.type = type, .data = a}, {.type = type, .data = b}}, out[3];
    ck_assert(eval_graph(g, in, 2, out, 3, NULL, diag));
    ck_assert_mem_eq(out[0].data, AT(-3, -0.0f), 8);
    ck_assert_mem_eq(out[1].data, AT(3, -2), 8);
    ck_assert_mem_eq(out[2].data, AT(3, 0), 8);
    for (int i = 0; i < 3; i++)
        tensor_free(&out[i]);
    ir_graph_free(g);
}
END_TEST

/* What ONNX says of Upsample is not what PyTorch computed: said where PyTorch wrote the file. */
START_TEST(upsample_of_pytorch)
{
    struct text up = node("Upsample", "", "x s", "y");
    attr_str(&up, "mode", "linear");
    struct model m = one_node(9, up, DIMS(1, 1, 2, 2));
    model_init(&m, FLOATS("s", DIMS(4), 1, 1, 2, 2));
    put_str(&m.functions, 2, _i ? "pytorch" : "another");
    ir_graph_free(import_model(&m));
    ck_assert_int_eq(diag->n_errors, 0);
    ck_assert_int_eq(diag->first != NULL, _i);
}
END_TEST

static void add_layer_cases(TCase *tc)
{
    tcase_add_test(tc, hard_activations);
    tcase_add_test(tc, results_carry_the_name);
    tcase_add_test(tc, prelu);
    tcase_add_loop_test(tc, powers, 0, 10);
    tcase_add_test(tc, powers_that_are_special);
    tcase_add_loop_test(tc, powers_of_special_numbers, 0, 17);
    tcase_add_test(tc, powers_broadcast);
    tcase_add_test(tc, constants_cast_to_bfloat16_are_rounded);
    tcase_add_loop_test(tc, batch_norm_in_training_form, 0, 6);
    tcase_add_test(tc, averages_of_padding_alone);
    tcase_add_test(tc, values_without_elements);
    tcase_add_loop_test(tc, lrn, 0, 3);
    tcase_add_test(tc, lrn_over_all_channels);
    tcase_add_test(tc, log_softmax_does_not_underflow);
    tcase_add_loop_test(tc, transposed_convolution, 0, 11);
    tcase_add_test(tc, grouped_transposed_convolution);
    tcase_add_test(tc, transposed_weights_are_shared_among_themselves);
    tcase_add_loop_test(tc, resize_linear, 0, 7);
    tcase_add_test(tc, resize_linear_in_two_dimensions);
    tcase_add_test(tc, resize_19_keeps_the_centre);
    tcase_add_loop_test(tc, resize_18_keeps_the_ratio, 0, 3);
    tcase_add_loop_test(tc, resize_with_antialias, 0, 4);
    tcase_add_test(tc, resize_cubic);
    tcase_add_test(tc, split_18_has_a_shorter_last_part);
    tcase_add_test(tc, pad_18_lists_axes);
    tcase_add_test(tc, pad_19_wraps);
    tcase_add_test(tc, reduce_axes);
    tcase_add_test(tc, expand_repeats);
    tcase_add_test(tc, mean_over_the_map_is_global_pooling);
    tcase_add_loop_test(tc, upsample_of_pytorch, 0, 2);
    tcase_add_test(tc, several_inputs_and_outputs);
}

#endif
