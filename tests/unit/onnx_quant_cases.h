/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_quant_cases.h - part of onnx_test.c: integers in models, QuantizeLinear and
 * DequantizeLinear. Numbers by hand.
 */
#ifndef CIMC_ONNX_QUANT_CASES_H
#define CIMC_ONNX_QUANT_CASES_H

/* -8, 7, -1 or 8, 7, 15: the low half of a byte comes first. */
START_TEST(four_bit_integers_lie_two_in_a_byte)
{
    static const uint8_t raw[] = {0x78, 0x0f};
    static const struct {
        int type;
        bool typed;
        float want[3];
    } c[] = {
        {INT4, false, {-8, 7, -1}},
        {INT4, true, {-8, 7, -1}},
        {UINT4, false, {8, 7, 15}},
        {UINT4, true, {8, 7, 15}},
    };
    struct text t = {0};
    if (c[_i].typed) {
        put_int(&t, 1, 3);
        put_int(&t, 2, c[_i].type);
        put_str(&t, 8, "q");
        put_int(&t, 5, raw[0]);
        put_int(&t, 5, raw[1]);
    } else {
        t = tensor("q", c[_i].type, DIMS(3), raw, sizeof raw);
    }
    struct model m = one_node(21, node("Add", "", "x w", "y"), DIMS(3));
    struct text cast = node("Cast", "", "q", "w");
    attr_int(&cast, "to", FLOAT);
    model_node(&m, cast);
    model_init(&m, t);
    expect(&m, zeros, c[_i].want, 3);
}
END_TEST

/* ---- models of them ---- */

static struct text in_domain(const char *domain, struct text n)
{
    put_str(&n, 7, domain);
    return n;
}
static struct text microsoft(const char *op, const char *in)
{
    return in_domain("com.microsoft", node(op, "q", in, "y"));
}

static void scale(struct model *m, const char *name, float x)
{
    model_init(m, tensor(name, FLOAT, 0, NULL, &x, sizeof x));
}
static void zero(struct model *m, const char *name, int type, int x)
{
    int8_t byte = (int8_t)x; /* a uint8 has the same bits */
    model_init(m, tensor(name, type, 0, NULL, &byte, 1));
}
static void bytes(struct model *m, const char *name, int type, int n_dims, const int64_t *dims,
                  const void *at)
{
    size_t n = 1;
    for (int i = 0; i < n_dims; i++)
        n *= (size_t)dims[i];
    model_init(m, tensor(name, type, n_dims, dims, at, n));
}
static void typed_input(struct model *m, const char *name, int type, int n_dims,
                        const int64_t *dims)
{
    put_msg(&m->graph, 11, value_info(name, type, n_dims, dims, NULL));
}
/* input x of that type -> n -> y; s = 0.5, z = 1, t = 0.25, w = 2 of the input's type */
static struct model one_typed(struct text n, int type, int n_dims, const int64_t *dims)
{
    struct model m = model_new(13);
    typed_input(&m, "x", type, n_dims, dims);
    model_node(&m, n);
    model_output(&m, "y");
    scale(&m, "s", 0.5f);
    scale(&m, "t", 0.25f);
    zero(&m, "z", type, 1);
    zero(&m, "w", type, 2);
    return m;
}

/* y, integers of 8 bits, at x. */
static void expect_integers(struct model *m, enum ir_dtype dtype, const void *x, const int *want,
                            int64_t n)
{
    struct tensor y = evaluated(m, x);
    ck_assert_int_eq(y.type.dtype, dtype);
    ck_assert_int_eq(ir_count(&y.type), n);
    for (int64_t i = 0; i < n; i++) {
        int have = dtype == IR_I8 ? ((int8_t *)y.data)[i] : ((uint8_t *)y.data)[i];
        ck_assert_msg(have == want[i], "element %lld is %d, not %d", (long long)i, have, want[i]);
    }
    tensor_free(&y);
}
#define EXPECT_INTEGERS(model, dtype, x, ...)                                                      \
    expect_integers(model, dtype, x, (const int[]){__VA_ARGS__},                                   \
                    sizeof((const int[]){__VA_ARGS__}) / sizeof(int))
#define I8S(...) ((const int8_t[]){__VA_ARGS__})
#define U8S(...) ((const uint8_t[]){__VA_ARGS__})

/* ---- QuantizeLinear, DequantizeLinear ---- */

/* x + dequantised constant, at x = 0. Scales by the column (axis 1) unless axis says else; one
 * scale holds for all, whatever axis says. */
START_TEST(dequantised_constants)
{
    static const struct {
        bool has_axis;
        int64_t axis;
        int n_scales;
        float want[4];
    } c[] = {{false, 0, 2, {-0.5f, 4, 1.5f, 10}},
             {true, 0, 2, {-0.5f, 1.5f, 4, 10}},
             {true, -1, 2, {-0.5f, 4, 1.5f, 10}},
             {true, 7, 1, {-0.5f, 1.5f, 1.5f, 3}}};
    static const float scales[] = {0.5f, 2};
    static const int8_t q[] = {-1, 3, 3, 6}, zero[] = {0, 1};
    struct text n = node("DequantizeLinear", "", "q s z", "w");
    if (c[_i].has_axis)
        attr_int(&n, "axis", c[_i].axis);
    struct model m = one_node(13, node("Add", "", "x w", "y"), DIMS(2, 2));
    model_node(&m, n);
    model_init(&m, tensor("q", INT8, DIMS(2, 2), q, 4));
    int64_t count = c[_i].n_scales;
    model_init(&m, tensor("s", FLOAT, DIMS(count), scales, (size_t)count * 4));
    model_init(&m, tensor("z", INT8, DIMS(count), zero, (size_t)count));
    expect(&m, zeros, c[_i].want, 4);
}
END_TEST

/* Halves go to the even neighbour, the rest saturates; without a zero point it is 0, uint8. */
START_TEST(quantised_constants_round_to_even)
{
    struct model m = one_node(13, node("Add", "", "x w", "y"), DIMS(5));
    model_node(&m, node("QuantizeLinear", "", "v s", "q"));
    model_node(&m, node("DequantizeLinear", "", "q s", "w"));
    model_init(&m, FLOATS("v", DIMS(5), 5, 7, -3, 1000, 4.9f));
    model_init(&m, tensor("s", FLOAT, 0, NULL, AT(2), 4));
    EXPECT(&m, zeros, 4, 8, 0, 510, 4);
}
END_TEST

/* 0.25/0.5 = 0.5 -> 0, 0.75/0.5 = 1.5 -> 2, both to even; then the zero point is added, then it
 * saturates. A scale of one element in a list is one for all. */
START_TEST(quantised_at_run_time)
{
    struct model m = one_node(13, node("QuantizeLinear", "q", "x s z", "y"), DIMS(1, 5));
    model_init(&m, FLOATS("s", DIMS(1), 0.5f));
    model_init(&m, tensor("z", INT8, DIMS(1), I8S(1), 1));
    struct ir_graph *g = import_model(&m);
    const struct ir_op *op = nth(g, IR_quantize, 0);
    ck_assert_str_eq(op->name, "q");
    ck_assert_int_eq(op->in[1].value->type.rank, 0);
    ck_assert_int_eq(g->last->attrs->output.dtype, IR_I8);
    ir_graph_free(g);
    m = one_node(13, node("QuantizeLinear", "q", "x s z", "y"), DIMS(1, 5));
    model_init(&m, FLOATS("s", DIMS(1), 0.5f));
    model_init(&m, tensor("z", INT8, DIMS(1), I8S(1), 1));
    EXPECT_INTEGERS(&m, IR_I8, AT(0.25f, 0.75f, -0.25f, 1000, -1000), 1, 3, 1, 127, -128);
}
END_TEST

/* Columns have scales 0.5 and 2. */
START_TEST(quantised_by_axis_at_run_time)
{
    struct text back = node("DequantizeLinear", "", "q s z", "y");
    attr_int(&back, "axis", -1);
    struct model m = one_node(13, node("QuantizeLinear", "", "x s z", "q"), DIMS(2, 2));
    model_node(&m, back);
    model_init(&m, FLOATS("s", DIMS(2), 0.5f, 2));
    model_init(&m, tensor("z", UINT8, DIMS(2), U8S(0, 3), 2));
    EXPECT(&m, AT(1.2f, 1.2f, -5, -5), 1, 2, 0, -4);
}
END_TEST

/* int4 saturates at -8 and 7, and is int8 otherwise. */
START_TEST(four_bits_saturate_early)
{
    struct text back = node("DequantizeLinear", "", "q s z", "y");
    struct model m = one_node(21, node("QuantizeLinear", "", "x s z", "q"), DIMS(4));
    model_node(&m, back);
    scale(&m, "s", 0.5f);
    if (_i) {
        struct text constant = node("Constant", "", "", "z");
        attr_tensor(&constant, "value", tensor("", INT4, 0, NULL, "", 1));
        model_node(&m, constant);
    } else {
        zero(&m, "z", INT4, 0);
    }
    EXPECT(&m, AT(-9, 9, 1, 3.5f), -4, 3.5f, 1, 3.5f);
}
END_TEST

/* x is quantised by s and z, or dequantised: refused, for the reason given. */
START_TEST(scales_that_cannot_be)
{
    static const uint8_t none[16];
    static const float one[] = {1, 1, 1, 1};
    static const struct {
        const char *says, *op;
        float scale; /* 0: `none` is it */
        int n_scales, n_zeros, zero_type, axis;
    } c[] = {
        {"scale 0 is 0,", "QuantizeLinear", 0, 1, 1, UINT8, 1},
        {"scale 0 is -1,", "QuantizeLinear", -1, 1, 1, UINT8, 1},
        {"scale 0 is inf,", "DequantizeLinear", INFINITY, 1, 1, UINT8, 1},
        {"no positive normal number", "QuantizeLinear", NAN, 1, 1, UINT8, 1},
        {"no positive normal number", "DequantizeLinear", 1e-40f, 1, 1, UINT8, 1},
        {"2 scales for dimension 1, which is 3", "QuantizeLinear", 1, 2, 2, UINT8, 1},
        {"3 scales, but 1 zero points", "DequantizeLinear", 1, 3, 1, UINT8, 1},
        {"axis 2 is not one of 2 dimensions", "DequantizeLinear", 1, 3, 3, UINT8, 2},
        {"to int32 is not supported", "QuantizeLinear", 1, 1, 1, INT32, 1},
        {"its zero point is of another type", "DequantizeLinear", 1, 1, 1, INT8, 1},
    };
    struct text n = node(c[_i].op, "bad", "x s z", "y");
    attr_int(&n, "axis", c[_i].axis);
    struct model m = model_new(21);
    typed_input(&m, "x", *c[_i].op == 'Q' ? FLOAT : UINT8, DIMS(2, 3));
    model_node(&m, n);
    model_output(&m, "y");
    const float *s = c[_i].scale == 1 ? one : c[_i].scale == 0 ? (const float *)none : &c[_i].scale;
    model_init(&m, tensor("s", FLOAT, DIMS(c[_i].n_scales), s, (size_t)c[_i].n_scales * 4));
    size_t bytes = (size_t)c[_i].n_zeros * (c[_i].zero_type == INT32 ? 4 : 1);
    model_init(&m, tensor("z", c[_i].zero_type, DIMS(c[_i].n_zeros), none, bytes));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, c[_i].says));
    ck_assert_ptr_nonnull(strstr(diag->first->loc.entity, "node 0 'bad'"));
}
END_TEST

START_TEST(scales_of_two_dimensions)
{
    struct model m = one_node(13, node("QuantizeLinear", "", "x s", "y"), DIMS(2, 3));
    model_init(&m, FLOATS("s", DIMS(1, 3), 1, 1, 1));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "scale and zero point have 2 dimensions"));
}
END_TEST

/* What quantised tensors may not be names the node that wants them. */
START_TEST(types_that_cannot_be_quantised)
{
    static const uint8_t none[4];
    struct model m = one_node(21, node("QuantizeLinear", "wide", "x s z", "y"), DIMS(1));
    scale(&m, "s", 1);
    model_init(&m, tensor("z", 4 /* uint16 */, 0, NULL, none, 2));
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, "tensor 'z' is uint16, which is not supported"));
    ck_assert_ptr_nonnull(strstr(diag->first->loc.entity, "node 0 'wide'"));
    struct text n = node("QuantizeLinear", "asked", "x s", "y");
    attr_int(&n, "output_dtype", 17);
    m = one_node(21, n, DIMS(1));
    scale(&m, "s", 1);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "to float8e4m3fn is not supported"));
    n = node("QuantizeLinear", "two", "x s z", "y");
    attr_int(&n, "output_dtype", UINT8);
    m = one_node(21, n, DIMS(1));
    scale(&m, "s", 1);
    model_init(&m, tensor("z", INT8, 0, NULL, none, 1));
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "output_dtype is uint8, but the zero point is int8"));
    m = one_node(13, node("Add", "", "x w", "y"), DIMS(1));
    model_node(&m, node("QuantizeLinear", "", "v s", "q"));
    model_node(&m, node("DequantizeLinear", "", "q s", "w"));
    model_init(&m, FLOATS("v", DIMS(1), NAN));
    scale(&m, "s", 1);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "a NaN cannot be quantised"));
}
END_TEST

/* Integers as large as they can be stay what they are: -128, 2^31 - 1. */
START_TEST(dequantised_constants_keep_their_integers)
{
    struct model m = one_node(13, node("Conv", "c", "x w b", "y"), DIMS(1, 2, 1, 1));
    model_node(&m, node("DequantizeLinear", "", "q s z", "w"));
    model_node(&m, node("DequantizeLinear", "", "i s zero", "b"));
    bytes(&m, "q", INT8, DIMS(1, 2, 1, 1), I8S(-128, 127));
    model_init(&m, tensor("i", INT32, DIMS(1), &(int32_t){INT32_MAX}, 4));
    model_init(&m, tensor("zero", INT32, 0, NULL, &(int32_t){0}, 4));
    scale(&m, "s", 1);
    zero(&m, "z", INT8, 0);
    struct ir_graph *g = import_model(&m);
    const struct ir_op *conv = nth(g, IR_conv, 0);
    const struct ir_op *w = conv->in[1].value->def, *b = conv->in[2].value->def;
    ck_assert_int_eq(w->opcode, IR_dequantize);
    ck_assert_int_eq(ir_const_i64(w->in[0].value->def, 0), -128);
    ck_assert_int_eq(b->opcode, IR_dequantize);
    ck_assert_int_eq(b->n_in, 2); /* int32 has no zero point */
    ck_assert_int_eq(ir_const_i64(b->in[0].value->def, 0), INT32_MAX);
    ir_graph_free(g);
}
END_TEST

START_TEST(zero_points_of_int32_are_zero)
{
    struct model m = one_node(13, node("Add", "", "x w", "y"), DIMS(1));
    model_node(&m, node("DequantizeLinear", "d", "i s z", "w"));
    model_init(&m, tensor("i", INT32, DIMS(1), &(int32_t){5}, 4));
    model_init(&m, tensor("z", INT32, 0, NULL, &(int32_t){1}, 4));
    scale(&m, "s", 1);
    ck_assert(rejected(&m, DIAG_ONNX_ATTR, "a tensor is i32; its zero point is not 0"));
}
END_TEST

/* The integers of a dequantised constant are moved, with the dimension of their scales: [2,3] by
 * row, transposed, is by column; [2,3] as [2,1,3] is still by dimension 0, as [1,6] by columns, of
 * which three each have a scale. */
START_TEST(dequantised_constants_are_moved_as_integers)
{
    struct text back = node("DequantizeLinear", "", "q s", "w");
    attr_int(&back, "axis", 0);
    static const int64_t axes[] = {1, 0, 1};
    struct text move = node(_i ? "Reshape" : "Transpose", "", _i ? "w shape" : "w", "v");
    struct model m = one_node(13, node("Add", "", "x v", "y"), DIMS(1));
    model_node(&m, back);
    model_node(&m, move);
    bytes(&m, "q", UINT8, DIMS(2, 3), U8S(1, 2, 3, 4, 5, 6));
    model_init(&m, FLOATS("s", DIMS(2), 1, 10));
    model_init(&m, _i == 1 ? INTS("shape", 2, 1, 3) : INTS("shape", 1, 6));
    struct ir_graph *g = import_model(&m);
    const struct ir_op *op = nth(g, IR_add, 0)->in[1].value->def;
    ck_assert_int_eq(op->opcode, IR_dequantize);
    ck_assert_int_eq(op->attrs->dequantize.axis, axes[_i]);
    ck_assert_int_eq(op->in[0].value->def->opcode, IR_constant);
    ck_assert_int_eq(ir_const_i64(op->in[0].value->def, 1), _i ? 2 : 4);
    const struct ir_op *scales = op->in[1].value->def;
    for (int i = 0; i < 6 && _i == 2; i++)
        ck_assert(ir_const_f64(scales, i) == (i < 3 ? 1 : 10));
    ir_graph_free(g);
}
END_TEST

/* Scales of two elements each along dimension 1: (q - z) * s. */
START_TEST(scales_of_blocks_make_floats)
{
    struct text back = node("DequantizeLinear", "b", "q s z", "w");
    attr_int(&back, "axis", 1);
    attr_int(&back, "block_size", 2);
    struct model m = one_node(21, node("Add", "", "x w", "y"), DIMS(1, 3));
    model_node(&m, back);
    bytes(&m, "q", INT8, DIMS(1, 3), I8S(4, 5, 6));
    model_init(&m, FLOATS("s", DIMS(1, 2), 0.5f, 2));
    bytes(&m, "z", INT8, DIMS(1, 2), I8S(1, 2));
    EXPECT(&m, zeros, 1.5f, 2, 8);
    ck_assert(strstr(diag->first->text, "scales of blocks of 2 elements"));
}
END_TEST

START_TEST(bounds_may_be_dequantised)
{
    struct model m = one_node(13, node("Clip", "", "x lo hi", "y"), DIMS(3));
    model_node(&m, node("DequantizeLinear", "", "q s", "lo"));
    model_node(&m, node("DequantizeLinear", "", "r s", "hi"));
    zero(&m, "q", UINT8, 2);
    zero(&m, "r", UINT8, 4);
    scale(&m, "s", 0.5f);
    EXPECT(&m, AT(0, 1.5f, 3), 1, 1.5f, 2);
}
END_TEST

/* Brevitas writes fewer than 8 bits by a Clip of the integers. */
START_TEST(integers_are_clipped)
{
    struct model m = one_node(13, node("QuantizeLinear", "", "x s z", "q"), DIMS(4));
    model_node(&m, node("Clip", "", "q lo hi", "c"));
    model_node(&m, node("DequantizeLinear", "", "c s z", "y"));
    scale(&m, "s", 0.5f);
    zero(&m, "z", INT8, 0);
    zero(&m, "lo", INT8, -8);
    zero(&m, "hi", INT8, 7);
    EXPECT(&m, AT(-9, 9, 1, 3.5f), -4, 3.5f, 1, 3.5f);
}
END_TEST

START_TEST(integers_outside)
{
    struct text cast = node("Cast", "", "x", "y");
    attr_int(&cast, "to", FLOAT);
    struct model m = one_typed(cast, UINT8, DIMS(3));
    struct tensor y = evaluated(&m, U8S(0, 7, 255));
    ck_assert_mem_eq(y.data, AT(0, 7, 255), 12);
    tensor_free(&y);
    m = one_typed(node("Transpose", "", "x", "y"), INT8, DIMS(1, 3));
    EXPECT_INTEGERS(&m, IR_I8, I8S(-128, 0, 127), -128, 0, 127);
    m = model_new(13);
    typed_input(&m, "x", DOUBLE, DIMS(1));
    model_node(&m, node("Identity", "", "x", "y"));
    model_output(&m, "y");
    ck_assert(rejected(&m, DIAG_ONNX_MODEL,
                       "is double; only float, float16, uint8, int8, int32, int64 and bool"));
}
END_TEST

/* An i64 outside is i32 inside. */
START_TEST(words_and_truth_outside)
{
    struct model m = model_new(13);
    typed_input(&m, "x", INT64, DIMS(2));
    model_node(&m, node("Identity", "", "x", "y"));
    put_msg(&m.graph, 12, value_info("y", INT64, DIMS(2), NULL));
    struct tensor y = evaluated(&m, (const int64_t[]){-1, INT32_MAX});
    ck_assert_uint_eq(y.type.dtype, IR_I64);
    ck_assert_mem_eq(y.data, ((const int64_t[]){-1, INT32_MAX}), 16);
    tensor_free(&y);
    m = model_new(13);
    typed_input(&m, "x", BOOL, DIMS(3));
    model_node(&m, node("Identity", "", "x", "y"));
    put_msg(&m.graph, 12, value_info("y", BOOL, DIMS(3), NULL));
    EXPECT_INTEGERS(&m, IR_BOOL, U8S(0, 1, 7), 0, 1, 1);
}
END_TEST

START_TEST(constant_words_outside)
{
    struct model m = model_new(13);
    model_input(&m, "x", DIMS(2, 3));
    model_node(&m, node("Shape", "", "x", "y"));
    model_node(&m, node("Mul", "", "y k", "z"));
    model_init(&m, INTS("k", 2000000000, 1));
    put_msg(&m.graph, 12, value_info("z", INT64, DIMS(2), NULL));
    ck_assert(rejected(&m, DIAG_DATA, "element 0 is 4000000000, which is no i32"));
}
END_TEST

static void add_quant_cases(TCase *tc)
{
    tcase_add_loop_test(tc, four_bit_integers_lie_two_in_a_byte, 0, 4);
    tcase_add_loop_test(tc, dequantised_constants, 0, 4);
    tcase_add_test(tc, quantised_constants_round_to_even);
    tcase_add_test(tc, quantised_at_run_time);
    tcase_add_test(tc, quantised_by_axis_at_run_time);
    tcase_add_loop_test(tc, four_bits_saturate_early, 0, 2);
    tcase_add_loop_test(tc, scales_that_cannot_be, 0, 10);
    tcase_add_test(tc, scales_of_two_dimensions);
    tcase_add_test(tc, types_that_cannot_be_quantised);
    tcase_add_test(tc, dequantised_constants_keep_their_integers);
    tcase_add_test(tc, zero_points_of_int32_are_zero);
    tcase_add_loop_test(tc, dequantised_constants_are_moved_as_integers, 0, 3);
    tcase_add_test(tc, scales_of_blocks_make_floats);
    tcase_add_test(tc, bounds_may_be_dequantised);
    tcase_add_test(tc, integers_are_clipped);
    tcase_add_test(tc, integers_outside);
    tcase_add_test(tc, words_and_truth_outside);
    tcase_add_test(tc, constant_words_outside);
}

#endif
