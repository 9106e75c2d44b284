/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_integer_cases.h - part of onnx_test.c: operators on integers, ONNX's and others'. Numbers by
 * hand, or from ONNX Runtime 1.30 where that is said.
 */
#ifndef CIMC_ONNX_INTEGER_CASES_H
#define CIMC_ONNX_INTEGER_CASES_H

/* ---- base layers ---- */

/* A worked case: x - 10 = (190, -7), weights (-5, 7), bias 100: 190*-5 + -7*7 + 100 = -899, and
 * -850 where the second tap is padded. Scales 0.5 and 0.25, so that the bias counts eighths; the
 * result's scale 12.5 makes a step of 100 such eighths: -8.99 -> -9, -8.5 -> -8 (even). */
START_TEST(qlinear_conv)
{
    struct text conv = node("QLinearConv", "c", "x s z q t zw u zu b", "y");
    attr_ints(&conv, "pads", 4, (const int64_t[]){0, 0, 0, 1});
    struct model m = model_new(13);
    typed_input(&m, "x", UINT8, DIMS(1, 1, 1, 2));
    model_node(&m, conv);
    model_output(&m, "y");
    bytes(&m, "q", INT8, DIMS(1, 1, 1, 2), I8S(-5, 7));
    model_init(&m, tensor("b", INT32, DIMS(1), &(int32_t){100}, 4));
    scale(&m, "s", 0.5f);
    scale(&m, "t", 0.25f);
    scale(&m, "u", 12.5f);
    zero(&m, "z", UINT8, 10);
    zero(&m, "zw", INT8, 0);
    zero(&m, "zu", INT8, 0);
    struct text again = model_bytes(&m);
    struct onnx_options o = folding();
    struct ir_graph *g = import_bytes(again, &o);
    const struct ir_op *op = nth(g, IR_conv, 0);
    ck_assert_str_eq(op->name, "c");
    ck_assert(ir_const_f64(op->in[2].value->def->in[1].value->def, 0) == 0.125);
    struct tensor in = {.type = g->first->out->type, .data = (uint8_t[]){200, 3}}, y;
    ck_assert(eval_graph(g, &in, 1, &y, 1, NULL, diag));
    ck_assert_int_eq(((int8_t *)y.data)[0], -9);
    /* The second window: (3 - 10)*-5 + 0*7 + 100 = 135 -> 1.35 -> 1. */
    ck_assert_int_eq(((int8_t *)y.data)[1], 1);
    tensor_free(&y);
    ir_graph_free(g);
}
END_TEST

/* The last integer up to which f32 has all, one more, and the least and most of i32. */
START_TEST(pad_of_integers)
{
    static const struct {
        int32_t value;
        bool holds;
    } cases[] = {{1 << 24, true}, {(1 << 24) + 1, false}, {INT32_MIN, true}, {INT32_MAX, false}};
    struct model m = model_new(18);
    typed_input(&m, "x", INT32, DIMS(2));
    model_node(&m, node("Pad", "", "x p v", "y"));
    model_output(&m, "y");
    model_init(&m, INTS("p", 1, 0));
    model_init(&m, tensor("v", INT32, 0, NULL, &cases[_i].value, 4));
    if (!cases[_i].holds) {
        ck_assert(rejected(&m, DIAG_ONNX_ATTR, "which f32 does not hold"));
        return;
    }
    struct ir_graph *g = import_model(&m);
    struct tensor in = {.type = g->first->out->type, .data = (int32_t[]){7, 8}}, y;
    ck_assert(eval_graph(g, &in, 1, &y, 1, NULL, diag));
    ck_assert_int_eq(((int32_t *)y.data)[0], cases[_i].value);
    tensor_free(&y);
    ir_graph_free(g);
}
END_TEST

/* Of other modes nobody reads the value, whatever it is. */
START_TEST(pad_of_integers_by_themselves)
{
    struct text pad = node("Pad", "", "x p v", "y");
    attr_str(&pad, "mode", _i ? "reflect" : "edge");
    struct model m = model_new(18);
    typed_input(&m, "x", INT32, DIMS(2));
    model_node(&m, pad);
    model_output(&m, "y");
    model_init(&m, INTS("p", 1, 0));
    model_init(&m, tensor("v", INT32, 0, NULL, (int32_t[]){INT32_MAX}, 4));
    struct ir_graph *g = import_model(&m);
    struct tensor in = {.type = g->first->out->type, .data = (int32_t[]){7, 8}}, y;
    ck_assert(eval_graph(g, &in, 1, &y, 1, NULL, diag));
    ck_assert_int_eq(((int32_t *)y.data)[0], _i ? 8 : 7);
    tensor_free(&y);
    ir_graph_free(g);
}
END_TEST

/* [1,2] beside [1,0] of sevens: the two elements are all there is. */
START_TEST(integers_beside_none)
{
    struct text none = node("ConstantOfShape", "", "n", "c"),
                concat = node("Concat", "", "x c", "y");
    attr_tensor(&none, "value", tensor("", INT64, DIMS(1), &(int64_t){7}, 8));
    attr_int(&concat, "axis", 1);
    struct model m = model_new(13);
    typed_input(&m, "x", INT64, DIMS(1, 2));
    model_node(&m, none);
    model_node(&m, concat);
    model_output(&m, "y");
    model_init(&m, INTS("n", 1, 0));
    struct text file = model_bytes(&m);
    struct onnx_options o = folding();
    struct ir_graph *g = import_bytes(file, &o);
    const struct ir_type given = ir_type_of(IR_I64, DIMS(1, 2));
    struct tensor in = {.type = given, .data = (int64_t[]){-3, 5}}, y;
    ck_assert(eval_graph(g, &in, 1, &y, 1, NULL, diag));
    ck_assert_int_eq(ir_count(&y.type), 2);
    ck_assert_int_eq(((int32_t *)y.data)[0], -3);
    ck_assert_int_eq(((int32_t *)y.data)[1], 5);
    tensor_free(&y);
    ir_graph_free(g);
}
END_TEST

/* w_u = (0, 255) with zero point 121: 2*-121 + 3*134 = 160, an int32 that is wanted as float. */
START_TEST(integer_products_are_floats)
{
    struct text cast = node("Cast", "", "i", "y");
    attr_int(&cast, "to", FLOAT);
    struct model m = model_new(13);
    typed_input(&m, "x", UINT8, DIMS(1, 2));
    model_node(&m, node("MatMulInteger", "m", "x w - z", "i"));
    model_node(&m, cast);
    model_output(&m, "y");
    bytes(&m, "w", UINT8, DIMS(2, 1), U8S(0, 255));
    zero(&m, "z", UINT8, 121);
    struct text file = model_bytes(&m);
    struct onnx_options o = folding();
    struct ir_graph *g = import_bytes(file, &o);
    ck_assert_int_eq(g->last->in[0].value->def->opcode, IR_matmul);
    struct tensor in = {.type = g->first->out->type, .data = (uint8_t[]){2, 3}}, y;
    ck_assert(eval_graph(g, &in, 1, &y, 1, NULL, diag));
    ck_assert(*(float *)y.data == 160);
    tensor_free(&y);
    ir_graph_free(g);
}
END_TEST

/* As they are, where somebody wants int32. */
START_TEST(integer_products_are_integers)
{
    struct model m = one_typed(node("ConvInteger", "c", "x k z", "y"), UINT8, DIMS(1, 1, 1, 2));
    bytes(&m, "k", INT8, DIMS(1, 1, 1, 2), I8S(-100, 100));
    struct tensor y = evaluated(&m, U8S(255, 4));
    ck_assert_int_eq(y.type.dtype, IR_I32);
    ck_assert_int_eq(*(int32_t *)y.data, 254 * -100 + 3 * 100);
    tensor_free(&y);
}
END_TEST

/* 2*5 + 3*-7 + 1000 = 989; the bias stays int32 behind its scale, as that of QLinearConv. */
START_TEST(biases_of_integer_products)
{
    struct text cast = node("Cast", "", "s", "y");
    attr_int(&cast, "to", FLOAT);
    struct model m = model_new(13);
    typed_input(&m, "x", UINT8, DIMS(1, 2));
    model_node(&m, node("MatMulInteger", "m", "x w", "i"));
    model_node(&m, node("Add", "a", "b i", "s"));
    model_node(&m, cast);
    model_output(&m, "y");
    bytes(&m, "w", INT8, DIMS(2, 1), I8S(5, -7));
    model_init(&m, tensor("b", INT32, DIMS(1), &(int32_t){1000}, 4));
    struct text file = model_bytes(&m);
    struct onnx_options o = folding();
    struct ir_graph *g = import_bytes(file, &o);
    const struct ir_op *add = g->last->in[0].value->def;
    ck_assert_int_eq(add->opcode, IR_add);
    ck_assert_int_eq(add->in[0].value->def->in[0].value->type.dtype, IR_I32);
    struct tensor in = {.type = g->first->out->type, .data = (uint8_t[]){2, 3}}, y;
    ck_assert(eval_graph(g, &in, 1, &y, 1, NULL, diag));
    ck_assert(*(float *)y.data == 989);
    tensor_free(&y);
    ir_graph_free(g);
}
END_TEST

START_TEST(integers_are_pooled)
{
    struct text pool = node("MaxPool", "", "x", "y");
    attr_ints(&pool, "kernel_shape", 2, (const int64_t[]){1, 2});
    attr_ints(&pool, "pads", 4, (const int64_t[]){0, 1, 0, 0});
    struct model m = one_typed(pool, INT8, DIMS(1, 1, 1, 3));
    EXPECT_INTEGERS(&m, IR_I8, I8S(-128, -3, -7), -128, -3, -3); /* padding never wins */
}
END_TEST

/* Columns of scales 1 and 2, zero points 0 and 1: x - 1 = (1, 2) by ((1, 2), (3, 4)) - zeros:
 * 0.5 * (7*1, 7*2) = 3.5, 7 in steps of 0.25, + 2. */
START_TEST(columns_have_scales_of_their_own)
{
    struct model m =
        one_typed(node("QLinearMatMul", "", "x s z b sb zb t w", "y"), INT8, DIMS(1, 2));
    bytes(&m, "b", INT8, DIMS(2, 2), I8S(1, 2, 3, 4));
    model_init(&m, FLOATS("sb", DIMS(2), 1, 2));
    bytes(&m, "zb", INT8, DIMS(2), I8S(0, 1));
    EXPECT_INTEGERS(&m, IR_I8, I8S(2, 3), 16, 30);
    m = one_typed(node("QLinearMatMul", "rows", "x sa za b s z t w", "y"), INT8, DIMS(2, 2));
    bytes(&m, "b", INT8, DIMS(2, 2), I8S(1, 2, 3, 4));
    model_init(&m, FLOATS("sa", DIMS(2), 1, 2));
    bytes(&m, "za", INT8, DIMS(2), I8S(0, 1));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "several scales or zero points of operand 0"));
}
END_TEST

/* alpha * (A B' + C): 2 * 0.5 * 0.25 * ((x - 1) B' + C), B = ((1, 2), (3, 4)) by row; floats
 * without a scale of the result. */
START_TEST(qgemm)
{
    struct text n = microsoft("QGemm", "x s z b t zb c");
    attr_int(&n, "transB", 1);
    attr_float(&n, "alpha", 2);
    struct model m = one_typed(n, UINT8, DIMS(1, 2));
    bytes(&m, "b", INT8, DIMS(2, 2), I8S(1, 2, 3, 4));
    zero(&m, "zb", INT8, 0);
    model_init(&m, tensor("c", INT32, DIMS(2), ((int32_t[]){3, -1}), 8));
    struct tensor y = evaluated(&m, U8S(2, 3));
    ck_assert_mem_eq(y.data, AT(2, 2.5f), 8); /* 0.25 * (5 + 3, 11 - 1) */
    tensor_free(&y);
}
END_TEST

static void add_dequantised(struct model *m, const char *out, const char *in)
{
    struct text n = node("DequantizeLinear", "", in, out);
    attr_int(&n, "axis", 1);
    model_node(m, n);
}

/* Each use has a DequantizeLinear of its own, and one a Transpose, as Gemm has: one matrix. With
 * another scale it is another. */
START_TEST(weights_are_shared_behind_their_scales)
{
    struct model m = model_new(13);
    struct text across = node("Gemm", "g3", "c w2", "d"), perm = node("Transpose", "", "w3", "v");
    attr_int(&across, "transB", 1);
    attr_ints(&perm, "perm", 2, (const int64_t[]){1, 0});
    model_input(&m, "x", DIMS(2, 2));
    bytes(&m, "q", INT8, DIMS(2, 2), I8S(1, 2, 3, 4));
    scale(&m, "s", 1);
    scale(&m, "other", 2);
    add_dequantised(&m, "w0", "q s");
    add_dequantised(&m, "w1", "q s");
    add_dequantised(&m, "w2", "q s");
    add_dequantised(&m, "w3", "q s");
    add_dequantised(&m, "w4", "q other");
    model_node(&m, node("MatMul", "m0", "x w0", "a"));
    model_node(&m, node("MatMul", "m1", "a w1", "b"));
    model_node(&m, node("MatMul", "m2", "b w4", "c"));
    model_node(&m, across);
    model_node(&m, perm);
    model_node(&m, node("MatMul", "m4", "d v", "y"));
    model_output(&m, "y");
    static const int64_t want[] = {1, 1, 0, 2, 2};
    struct ir_graph *g = import_model(&m);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(nth(g, IR_matmul, i)->attrs->matmul.weights, want[i]);
    ir_graph_free(g);
}
END_TEST

/* ---- Microsoft's ---- */

/* A worked case: 91 * 0.05 + (100 - 20) * 0.03 = 6.95, in steps of 0.08 86.875 -> 87, + 10. */
START_TEST(qlinear_add)
{
    struct model m = one_typed(microsoft("QLinearAdd", "x sa za b sb zb sc zc"), UINT8, DIMS(1));
    bytes(&m, "b", UINT8, DIMS(1), U8S(100));
    scale(&m, "sa", 0.05f);
    scale(&m, "sb", 0.03f);
    scale(&m, "sc", 0.08f);
    zero(&m, "za", UINT8, 0);
    zero(&m, "zb", UINT8, 20);
    zero(&m, "zc", UINT8, 10);
    EXPECT_INTEGERS(&m, IR_U8, U8S(91), 97);
}
END_TEST

/* 21 * 33 * (0.35f * 0.7f / 0.77f) is a little below 220.5; factors that are scaled one by one, and
 * rounded to floats, would give 221. */
START_TEST(qlinear_mul)
{
    struct model m = one_typed(microsoft("QLinearMul", "x sa  b sb  sc "), UINT8, DIMS(1));
    bytes(&m, "b", UINT8, DIMS(1), U8S(33));
    scale(&m, "sa", 0.35f);
    scale(&m, "sb", 0.7f);
    scale(&m, "sc", 0.77f);
    EXPECT_INTEGERS(&m, IR_U8, U8S(21), 220);
}
END_TEST

/* x = 0.5 * (q - 1), the result in steps of 0.25 from 2 on. */
START_TEST(qlinear_operators)
{
    static const struct {
        const char *op, *operands;
        int want[4];
    } c[] = {
        {"QLinearMul", "x s z x s z t w", {3, 3, 6, 11}}, /* 0.25, 0.25, 1, 2.25 */
        {"QLinearLeakyRelu", "x s z t w", {1, 4, 6, 8}},  /* -0.25, 0.5, 1, 1.5 */
        {"QLinearSigmoid", "x s z t w", {4, 4, 5, 5}},    /* 0.38, 0.62, 0.73, 0.82 */
        {"QLinearConcat", "t w x s z", {0, 4, 6, 8}},     /* -0.5, 0.5, 1, 1.5 */
        {"QLinearGlobalAveragePool",
         "x s z t w",
         {4, 4, 4, 4}} /* (-1 + 1 + 2 + 3)/4 * 0.5 = 0.625 */
    };
    struct text n = microsoft(c[_i].op, c[_i].operands);
    if (_i == 1)
        attr_float(&n, "alpha", 0.5f);
    if (_i == 3)
        attr_int(&n, "axis", -1);
    struct model m = one_typed(n, UINT8, DIMS(1, 1, 2, 2));
    expect_integers(&m, IR_U8, U8S(0, 2, 3, 4), c[_i].want, _i == 4 ? 1 : 4);
}
END_TEST

/* Means of -0.5, 0.5 and of 1, 1.5. */
START_TEST(qlinear_average_pool)
{
    struct text n = microsoft("QLinearAveragePool", "x s z t w");
    attr_ints(&n, "kernel_shape", 2, (const int64_t[]){1, 2});
    struct model m = one_typed(n, INT8, DIMS(1, 1, 2, 2));
    EXPECT_INTEGERS(&m, IR_I8, I8S(0, 2, 3, 4), 2, 7);
    n = microsoft("QLinearAveragePool", "x s z t w");
    attr_int(&n, "channels_last", 1);
    m = one_typed(n, INT8, DIMS(1, 1, 2, 2));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "channels_last is not supported"));
}
END_TEST

/* A worked case: (10, 0, -20) in steps of 0.1: 0.705, 0.259, 0.0351, in steps of 1/256. */
START_TEST(qlinear_softmax)
{
    struct text n = microsoft("QLinearSoftmax", "x sx zx sy zy");
    attr_int(&n, "opset", 13);
    struct model m = one_typed(n, INT8, DIMS(1, 3));
    scale(&m, "sx", 0.1f);
    scale(&m, "sy", 0x1p-8f);
    zero(&m, "zx", INT8, 0);
    zero(&m, "zy", INT8, -128);
    EXPECT_INTEGERS(&m, IR_I8, I8S(10, 0, -20), 53, -62, -119);
}
END_TEST

START_TEST(qlinear_concat_counts_its_operands)
{
    struct text n = microsoft("QLinearConcat", "t w x s z x");
    attr_int(&n, "axis", 0);
    struct model m = one_typed(n, INT8, DIMS(1));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "6 operands are no whole number of tensors"));
}
END_TEST

/* ---- scales of the values at hand ---- */

/* (0, 3.5, 5.1): scale 5.1/255, zero 0; all 0: scale 1, as ONNX Runtime 1.30 has it. */
START_TEST(dynamic_scales)
{
    struct model m = one_node(13, node("DynamicQuantizeLinear", "", "x", "q y z"), DIMS(3));
    EXPECT(&m, AT(0, 3.5f, 5.1f), 5.1f / 255);
    m = one_node(13, node("DynamicQuantizeLinear", "", "x", "q y z"), DIMS(3));
    EXPECT(&m, zeros, 1);
    m = one_node(13, node("DynamicQuantizeLinear", "", "x", "q s z"), DIMS(3));
    model_node(&m, node("DequantizeLinear", "", "q s z", "y"));
    EXPECT(&m, AT(-255, 0, 0), -255, 0, 0);
    m = one_node(13, node("DynamicQuantizeLinear", "", "x", "q s z"), DIMS(3));
    model_node(&m, node("DequantizeLinear", "", "q s z", "f"));
    model_node(&m, node("Mul", "", "f c", "g"));
    model_node(&m, node("Mul", "", "g d", "y"));
    scale(&m, "c", 0x1p127f);
    scale(&m, "d", 0x1p13f);
    EXPECT(&m, AT(0x3p-140f, 0, 0xffp-140f), 3, 0, 255);
}
END_TEST

/* ---- QONNX, Brevitas ---- */

static struct model quant(const char *domain, float bits, bool is_signed, bool narrow)
{
    struct text n = in_domain(domain, node("Quant", "q", "x s z b", "y"));
    attr_int(&n, "signed", is_signed);
    attr_int(&n, "narrow", narrow);
    attr_str(&n, "rounding_mode", "ROUND");
    struct model m = one_node(13, n, DIMS(1, 4));
    model_init(&m, FLOATS("s", DIMS(1, 1), 0.5f));
    model_init(&m, FLOATS("b", DIMS(1), bits));
    return m;
}

START_TEST(quant_is_a_pair)
{
    struct model m = quant("qonnx.custom_op.general", 4, true, false);
    scale(&m, "z", 0);
    EXPECT(&m, AT(-9, 0.25f, 0.75f, 9), -4, 0, 1, 3.5f);
    m = quant("onnx.brevitas", 4, true, true);
    scale(&m, "z", 0);
    EXPECT(&m, AT(-9, 0.25f, 0.75f, 9), -3.5f, 0, 1, 3.5f);
    m = quant("finn.custom_op.general", 2, false, false);
    scale(&m, "z", 0);
    EXPECT(&m, AT(-9, 0.25f, 0.75f, 9), 0, 0, 1, 1.5f);
    m = quant("qonnx.custom_op.general", 9, true, false);
    scale(&m, "z", 0);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "9 bits; 2 to 8 are supported"));
    m = quant("qonnx.custom_op.general", 4, true, false);
    scale(&m, "z", 1);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "the zero point is 1; 0 is supported"));
}
END_TEST

/* One scale a row; weights are integers behind it. */
START_TEST(bipolar_weights)
{
    struct model m = one_node(13, node("MatMul", "", "x w", "y"), DIMS(1, 2));
    model_node(&m, in_domain("qonnx.custom_op.general", node("BipolarQuant", "", "f s", "w")));
    model_init(&m, FLOATS("f", DIMS(2, 2), 0.3f, -2, -0.0f, 4));
    model_init(&m, FLOATS("s", DIMS(1, 2), 0.5f, 2));
    EXPECT(&m, AT(1, 10), 5.5f, 18);
    m = one_node(13, in_domain("qonnx.custom_op.general", node("BipolarQuant", "", "x s", "y")),
                 DIMS(1, 2));
    scale(&m, "s", 1);
    ck_assert(rejected(&m, DIAG_ONNX_UNSUPPORTED, "values computed at run time"));
}
END_TEST

/* ---- integers written as floats ---- */

/* (255, 59, 196, 1) by columns that give 64, 63, -25088, 32444, requantised. */
static struct model requantised(const char *domain, float levels, float is_signed, float div,
                                struct text mul)
{
    struct text n = in_domain(domain, node("RequantShift", "r", "p mul add", "y"));
    attr_tensor(&n, "div", tensor("", FLOAT, 0, NULL, &div, 4));
    attr_tensor(&n, "n_levels_out", tensor("", FLOAT, 0, NULL, &levels, 4));
    attr_tensor(&n, "signed", tensor("", FLOAT, DIMS(1), &is_signed, 4));
    struct model m = one_node(10, node("MatMul", "m", "x w", "p"), DIMS(1, 4));
    model_node(&m, n);
    model_init(&m, FLOATS("w", DIMS(4, 4), 0, 0, 0, 127, 0, 0, 0, 1, 0, 0, -128, 0, 64, 63, 0, 0));
    model_init(&m, mul);
    model_init(&m, tensor("add", FLOAT, DIMS(1, 1), zeros, 4));
    return m;
}

/* x*514 / 2^16, halves up: 0.502 -> 1, 0.494 -> 0, -196.8, 254.5 -> 254 (32444*514 + 2^15 is short
 * of 255*2^16); in their range. */
START_TEST(requant_shift)
{
    static const struct {
        const char *domain;
        float levels, is_signed, want[4];
    } c[] = {
        {"", 256, 0, {1, 0, 0, 254}},
        {"PACTOps", 256, 1, {1, 0, -128, 127}},
        {"PACTOps", 16, 1, {1, 0, -8, 7}},
        {"", 16, 0, {1, 0, 0, 15}},
    };
    struct model m = requantised(c[_i].domain, c[_i].levels, c[_i].is_signed, 0x1p16f,
                                 FLOATS("mul", DIMS(1), 514));
    struct text file = model_bytes(&m);
    struct onnx_options o = folding();
    struct ir_graph *g = import_bytes(file, &o);
    ck_assert_int_eq(g->first->attrs->input.dtype, IR_U8);
    const struct ir_op *product = nth(g, IR_matmul, 0);
    ck_assert_int_eq(product->in[1].value->def->opcode, IR_dequantize);
    struct tensor in = {.type = g->first->out->type, .data = (uint8_t[]){255, 59, 196, 1}}, y;
    ck_assert(eval_graph(g, &in, 1, &y, 1, NULL, diag));
    ck_assert_mem_eq(y.data, c[_i].want, sizeof c[_i].want);
    tensor_free(&y);
    ir_graph_free(g);
}
END_TEST

START_TEST(requant_shift_by_channel)
{
    struct model m =
        requantised("", 256, 0, 0x1p16f, FLOATS("mul", DIMS(1, 4), 1024, 2048, -514, 0));
    EXPECT(&m, U8S(255, 59, 196, 1), 1, 2, 197, 0);
}
END_TEST

START_TEST(requant_shifts_that_cannot_be)
{
    static const struct {
        float levels, is_signed, div, mul;
        const char *says;
    } c[] = {
        {256, 0, 3, 1, "div is 3; powers of two"},
        {256, 0, 0, 1, "div is 0; powers of two"},
        {300, 0, 1, 1, "300 levels; 2 to 256"},
        {15, 1, 1, 1, "15 levels; 2 to 256 are supported, signed ones by twos"},
        {256, 0, 1, 0.5f, "operand 1 holds 0.5, which is no 32-bit integer"},
        {256, 0, 1, 1e12f, "operand 1 holds 1e+12"},
    };
    struct text mul = tensor("mul", FLOAT, 0, NULL, &c[_i].mul, 4);
    struct model m = requantised("", c[_i].levels, c[_i].is_signed, c[_i].div, mul);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, c[_i].says));
}
END_TEST

/* The file says float; the user that these are signed. Only such models can be told. */
START_TEST(input_types)
{
    const struct onnx_input_type types[] = {{"x", IR_I8}, {"v", IR_I8}};
    struct onnx_options o = folding();
    o.input_types = types;
    o.n_input_types = 1;
    struct model m = requantised("", 256, 0, 1, FLOATS("mul", DIMS(1), 1));
    struct ir_graph *g = import_bytes(model_bytes(&m), &o);
    ck_assert_int_eq(g->first->attrs->input.dtype, IR_I8);
    ir_graph_free(g);
    o.n_input_types = 2;
    m = requantised("", 256, 0, 1, FLOATS("mul", DIMS(1), 1));
    ck_assert_ptr_null(import_bytes(model_bytes(&m), &o));
    ck_assert(reports(diag, DIAG_ONNX_MODEL, "no input of floats of that name"));
    o.n_input_types = 1;
    m = one_node(13, node("Relu", "", "x", "y"), DIMS(2));
    ck_assert_ptr_null(import_bytes(model_bytes(&m), &o));
    ck_assert(reports(diag, DIAG_ONNX_MODEL, "only where the model's floats are integers"));
}
END_TEST

static void add_integer_cases(TCase *tc)
{
    tcase_add_test(tc, qlinear_conv);
    tcase_add_loop_test(tc, pad_of_integers, 0, 4);
    tcase_add_loop_test(tc, pad_of_integers_by_themselves, 0, 2);
    tcase_add_test(tc, integers_beside_none);
    tcase_add_test(tc, integer_products_are_floats);
    tcase_add_test(tc, integer_products_are_integers);
    tcase_add_test(tc, biases_of_integer_products);
    tcase_add_test(tc, integers_are_pooled);
    tcase_add_test(tc, columns_have_scales_of_their_own);
    tcase_add_test(tc, qgemm);
    tcase_add_test(tc, weights_are_shared_behind_their_scales);
    tcase_add_test(tc, qlinear_add);
    tcase_add_test(tc, qlinear_mul);
    tcase_add_loop_test(tc, qlinear_operators, 0, 5);
    tcase_add_test(tc, qlinear_average_pool);
    tcase_add_test(tc, qlinear_softmax);
    tcase_add_test(tc, qlinear_concat_counts_its_operands);
    tcase_add_test(tc, dynamic_scales);
    tcase_add_test(tc, quant_is_a_pair);
    tcase_add_test(tc, bipolar_weights);
    tcase_add_loop_test(tc, requant_shift, 0, 4);
    tcase_add_test(tc, requant_shift_by_channel);
    tcase_add_loop_test(tc, requant_shifts_that_cannot_be, 0, 6);
    tcase_add_test(tc, input_types);
}

#endif
