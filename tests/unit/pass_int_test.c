/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * pass_int_test.c - pass int: numbers worked by hand, through the lowering to crossbars and the
 * evaluator; what it refuses and what it warns of.
 */
#include "pass.h"

#include "eval.h"
#include "pass_rig.h"
#include "../run_suite.h"

static const char lower[] = "partition,int,fold,cse,dce,im2col,cse,dce,tile";

/* What a quantised model needs to be one; values 90 and up are free in graphs that hold it. */
#define F32(n, x) "%" n " = constant {dtype=\"f32\", shape=[], data=dense(" x ")}\n"
#define BYTE(n, x) "%" n " = constant {dtype=\"u8\", shape=[], data=dense(" x ")}\n"
#define INPUT(n, dtype, index, shape)                                                              \
    "%" n " = input {index=" index ", dtype=\"" dtype "\", shape=[" shape "]}\n"
#define OUTPUT(n, dtype, index, shape)                                                             \
    "output %" n " {index=" index ", dtype=\"" dtype "\", shape=[" shape "]}\n"
#define I8(n, shape, values)                                                                       \
    "%" n " = constant {dtype=\"i8\", shape=[" shape "], data=dense(" values ")}\n"

/* A graph run on bytes or floats; outputs[0] is what comes out. */
struct tried {
    struct rig r;
    struct ir_graph *g;
    struct tensor out[2];
};

static void try_on(struct tried *t, const char *text, const void *x, size_t n_outputs)
{
    rig_open(&t->r);
    t->g = parse_text(&t->r, text);
    const struct ir_op *input = find_op(t->g, IR_input);
    struct ir_type type = input->out->type;
    struct tensor in = tensor_new(&type);
    memcpy(in.data, x, (size_t)ir_count(&type) * ir_dtype_bytes((enum ir_dtype)type.dtype));
    run_ok(&t->r, lower, &t->g);
    ck_assert(eval_graph(t->g, &in, 1, t->out, n_outputs, NULL, t->r.diag));
    tensor_free(&in);
}

static void tried_free(struct tried *t, size_t n_outputs)
{
    for (size_t i = 0; i < n_outputs; i++)
        tensor_free(&t->out[i]);
    ir_graph_free(t->g);
    rig_close(&t->r);
}

static void check_bytes(const char *text, const uint8_t *x, const int *want, int n)
{
    struct tried t;
    try_on(&t, text, x, 1);
    ck_assert_int_eq(ir_count(&t.out[0].type), n);
    for (int i = 0; i < n; i++) {
        int have = t.out[0].type.dtype == IR_I8 ? ((int8_t *)t.out[0].data)[i]
                                                : ((uint8_t *)t.out[0].data)[i];
        ck_assert_msg(have == want[i], "element %d is %d, not %d", i, have, want[i]);
    }
    tried_free(&t, 1);
}

static void check_floats(const char *text, const void *x, const float *want, int n)
{
    struct tried t;
    try_on(&t, text, x, 1);
    ck_assert_int_eq(ir_count(&t.out[0].type), n);
    for (int i = 0; i < n; i++)
        ck_assert_msg(((float *)t.out[0].data)[i] == want[i], "element %d is %a, not %a", i,
                      (double)((float *)t.out[0].data)[i], (double)want[i]);
    tried_free(&t, 1);
}

/* ---- numbers ---- */

/* 190*-5 + -7*7 + 100; -7*-5 + 190*7 + 100; 190*-5 + 100, the second tap padded. */
START_TEST(test_padding_is_the_zero_point)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,1,1,3")
        F32("1", "1.0") BYTE("2", "10") "%3 = dequantize %0, %1, %2 {axis=0}\n" I8(
            "4", "1,1,1,2", "-5, 7") "%5 = dequantize %4, %1 {axis=0}\n"
                                     "%6 = constant {dtype=\"i32\", shape=[1], data=dense(100)}\n"
                                     "%7 = dequantize %6, %1 {axis=0}\n"
                                     "%8 = conv %3, %5, %7 {kernel=[1,2], stride=[1,1], "
                                     "dilation=[1,1], pad=[0,0,0,1], "
                                     "group=1}\n" OUTPUT("8", "f32", "0", "1,1,1,3") "}\n";
    check_floats(text, (uint8_t[]){200, 3, 200}, (float[]){-899, 1465, -850}, 3);
}
END_TEST

/* Sums 12345, -4500, 127500, 499, 501 of scale f32(.02f * .005f), by .1: m = 0x1.0624dcp-10. */
START_TEST(test_requantize)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,1")
        F32("1", "0.02") "%3 = dequantize %0, %1 {axis=0}\n" I8("4", "1,5", "1, 1, 1, 1, 1") F32(
            "5", "0.005") "%6 = dequantize %4, %5 {axis=0}\n"
                          "%7 = matmul %3, %6 @\"dense\"\n"
                          "%8 = constant {dtype=\"i32\", shape=[5], data=dense(12345, -4500, "
                          "127500, 499, 501)}\n" F32(
                              "9", "1e-04") "%10 = dequantize %8, %9 {axis=0}\n"
                                            "%11 = add %7, %10\n" F32("12", "0.1") I8(
                                                "13", "",
                                                "3") "%14 = quantize %11, %12, %13 {dtype=\"i8\", "
                                                     "axis=0, lo=-128, hi=127}\n" OUTPUT(
                                                         "14", "i8", "0", "1,5") "}\n";
    check_bytes(text, (uint8_t[]){0}, (int[]){15, -1, 127, 3, 4}, 5);
}
END_TEST

/* 2*(0-121) + 3*(255-121) */
START_TEST(test_bytes_as_weights)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,2")
        F32("1", "1.0") "%2 = dequantize %0, %1 {axis=0}\n"
                        "%3 = constant {dtype=\"u8\", shape=[2,1], data=dense(0, 255)}\n" BYTE(
                            "4", "121") "%5 = dequantize %3, %1, %4 {axis=0}\n%6 = matmul %2, "
                                        "%5\n" OUTPUT("6", "f32", "0", "1,1") "}\n";
    check_floats(text, (uint8_t[]){2, 3}, (float[]){160}, 1);
}
END_TEST

/* The bias has more digits than f32: (1073741952 + 7*3 - 2^30) exactly, and not through it. */
START_TEST(test_bias_keeps_its_digits)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,1")
        F32("1", "1.0") "%2 = dequantize %0, %1 {axis=0}\n" I8(
            "3", "1,1", "3") "%4 = dequantize %3, %1 {axis=0}\n"
                             "%5 = matmul %2, %4\n"
                             "%6 = constant {dtype=\"i32\", shape=[1], data=dense(1073741952)}\n"
                             "%7 = dequantize %6, %1 {axis=0}\n%8 = add %5, %7\n"
                             "%9 = constant {dtype=\"i32\", shape=[1], data=dense(-1073741824)}\n"
                             "%10 = dequantize %9, %1 {axis=0}\n%11 = add %8, %10\n" OUTPUT(
                                 "11", "f32", "0", "1,1") "}\n";
    check_floats(text, (uint8_t[]){7}, (float[]){149}, 1);
}
END_TEST

/* (0.5 + 1.3) / 0.5 = 3.6 steps are 4: a bias of another scale is rounded to steps of the sums. */
START_TEST(test_bias_of_another_scale)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,1")
        F32("1", "0.5") "%2 = dequantize %0, %1 {axis=0}\n" I8("3", "1,1", "1")
            F32("4", "1.0") "%5 = dequantize %3, %4 {axis=0}\n%6 = matmul %2, %5\n"
                            "%7 = constant {dtype=\"i32\", shape=[1], data=dense(13)}\n" F32(
                                "8", "0.1") "%9 = dequantize %7, %8 {axis=0}\n%10 = add %6, "
                                            "%9\n" OUTPUT("10", "f32", "0", "1,1") "}\n";
    check_floats(text, (uint8_t[]){1}, (float[]){2.0f}, 1);
}
END_TEST

/* What is added to sums that are integers varies along any axes; pass int may take for a bias only
 * what varies along the layer's columns. Of x = 1, 2, 3, 4 and weights 1, 2. */
#define ADDED(shape, values, axis)                                                                 \
    "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,1,2,2")                                      \
        F32("1", "1.0") "%2 = dequantize %0, %1 {axis=0}\n" I8(                                    \
            "3", "2,1,1,1", "1, 2") "%4 = dequantize %3, %1 {axis=0}\n%5 = conv %2, %4 "           \
                                    "{kernel=[1,1], stride=[1,1], "                                \
                                    "dilation=[1,1], group=1}\n"                                   \
                                    "%6 = constant {dtype=\"i32\", shape=[" shape                  \
                                    "], data=dense(" values ")}\n"                                 \
                                    "%7 = dequantize %6, %1 {axis=0}\n%8 = add %5, %7\n"           \
                                    "%9 = quantize %8, %1 {dtype=\"i32\", axis=0, "                \
                                    "lo=-1073741824, hi=1073741824}\n"                             \
                                    "%10 = dequantize %9, %1 {axis=" axis                          \
                                    "}\n%11 = relu %10\n%12 = quantize %11, %1 "                   \
                                    "{dtype=\"u8\", axis=0, lo=0, hi=255}\n" OUTPUT(               \
                                        "12", "u8", "0", "1,2,2,2") "}\n"

START_TEST(test_added_along_any_axis)
{
    static const struct {
        const char *text;
        int want[8];
    } cases[] = {
        {ADDED("1,2,1,1", "10, 20", "0"), {11, 12, 13, 14, 22, 24, 26, 28}},
        {ADDED("1,2,1,1", "10, 20", "1"), {11, 12, 13, 14, 22, 24, 26, 28}},
        {ADDED("", "10", "3"), {11, 12, 13, 14, 12, 14, 16, 18}},
        {ADDED("1,1,2,2", "10, 20, 30, 40", "0"), {11, 22, 33, 44, 12, 24, 36, 48}},
        {ADDED("1,1,2,2", "10, 20, 30, 40", "1"), {11, 22, 33, 44, 12, 24, 36, 48}},
        {ADDED("1,1,1,2", "10, 20", "1"), {11, 22, 13, 24, 12, 24, 16, 28}},
        {ADDED("2,1", "10, 20", "2"), {11, 12, 23, 24, 12, 14, 26, 28}},
        {ADDED("1,2,1,2", "10, 20, 30, 40", "1"), {11, 22, 13, 24, 32, 44, 36, 48}},
    };
    check_bytes(cases[_i].text, (uint8_t[]){1, 2, 3, 4}, cases[_i].want, 8);
}
END_TEST

/* 91*.05 + (100-20)*.03 = 6.9499998, / .08 = 86.875, + 10: what two values make stays float. */
START_TEST(test_sum_of_two)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,2")
        F32("1", "0.05") F32("2", "0.03") BYTE("3", "20") F32("4", "0.08")
            BYTE("5", "10") "%6 = slice %0 {start=[0,0], step=[1,1], count=[1,1]}\n"
                            "%7 = slice %0 {start=[0,1], step=[1,1], count=[1,1]}\n"
                            "%8 = dequantize %6, %1 {axis=0}\n%9 = dequantize %7, %2, %3 {axis=0}\n"
                            "%10 = add %8, %9\n"
                            "%11 = quantize %10, %4, %5 {dtype=\"u8\", axis=0, lo=0, hi=255}\n"
                            "%12 = dequantize %11, %4, %5 {axis=0}\n" I8(
                                "13", "1,1",
                                "1") "%14 = dequantize %13, %4 {axis=0}\n%15 = matmul %12, "
                                     "%14\n" F32("16", "0.0064") "%17 = quantize %15, %16, %5 "
                                                                 "{dtype=\"u8\", axis=0, lo=0, "
                                                                 "hi=255}\n" OUTPUT("17", "u8", "0",
                                                                                    "1,1") "}\n";
    check_bytes(text, (uint8_t[]){91, 100}, (int[]){97}, 1);
}
END_TEST

/* Means 3.5 and 4.5 of equal grids are ties, which go to the even number. */
START_TEST(test_mean)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,1,1,4") F32("1",
                                                                                             "0.5")
        BYTE("2",
             "7") "%3 = dequantize %0, %1, %2 {axis=0}\n"
                  "%4 = avg_pool %3 {kernel=[1,2], stride=[1,2], dilation=[1,1], pad=[0,0,0,0], "
                  "count_pad=0, counted=[0,0,0,0]}\n"
                  "%5 = quantize %4, %1, %2 {dtype=\"u8\", axis=0, lo=0, hi=255}\n"
                  "%6 = dequantize %5, %1, %2 {axis=0}\n" I8("7", "1,1,1,1", "1")
                      F32("8", "1.0") "%9 = dequantize %7, %8 {axis=0}\n"
                                      "%10 = conv %6, %9 {kernel=[1,1], stride=[1,1], "
                                      "dilation=[1,1], pad=[0,0,0,0], group=1}\n"
                                      "%11 = quantize %10, %1, %2 {dtype=\"u8\", axis=0, lo=0, "
                                      "hi=255}\n" OUTPUT("11", "u8", "0", "1,1,1,2") "}\n";
    check_bytes(text, (uint8_t[]){3, 4, 4, 5}, (int[]){4, 4}, 2);
}
END_TEST

/* Windows of 9,000,000 bytes, whose sum takes 33 bits, and padding of 2^33 by 2^33 that counts. */
#define MEAN(extent, pool, result)                                                                 \
    "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,1," extent)                                  \
        F32("1", "1.0") "%2 = dequantize %0, %1 {axis=0}\n" I8(                                    \
            "3", "1,1,1,1",                                                                        \
            "1") "%4 = dequantize %3, %1 {axis=0}\n%5 = avg_pool %2 {dilation=[1,1], " pool "}\n"  \
                 "%6 = conv %2, %4 {kernel=[1,1], stride=[1,1], dilation=[1,1], "                  \
                 "group=1}\n" OUTPUT("5", "f32", "0", "1,1," result)                               \
                     OUTPUT("6", "f32", "1", "1,1," extent) "}\n"

START_TEST(test_mean_of_too_many)
{
    static const char *const texts[] = {
        MEAN("3000,3000", "kernel=[3000,3000], stride=[1,1]", "1,1"),
        MEAN("4,4",
             "kernel=[1,1], stride=[4294967296,4294967296], count_pad=1, "
             "pad=[4294967296,4294967296,4294967296,4294967296], "
             "counted=[4294967296,4294967296,4294967296,4294967296]",
             "3,3"),
    };
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, texts[_i]);
    run_ok(&r, "partition,int", &g);
    ck_assert(find_op(g, IR_avg_pool)->in[0].value->type.dtype == IR_F32);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* E = 1048576, 385750, 52206; p = .70538408, .25949660, .03511932, by 1/256 from -128 on. */
START_TEST(test_softmax)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "i8", "0", "1,3")
        F32("1", "1.0") "%2 = dequantize %0, %1 {axis=0}\n" I8(
            "3", "3,3",
            "1, 0, 0, 0, 1, 0, 0, 0, 1") "%4 = dequantize %3, %1 {axis=0}\n%5 = matmul %2, "
                                         "%4\n" F32(
                                             "6", "0.1") "%7 = mul %5, %6\n"
                                                         "%8 = quantize %7, %6 {dtype=\"i8\", "
                                                         "axis=0, lo=-128, hi=127}\n"
                                                         "%9 = dequantize %8, %6 {axis=0}\n%10 = "
                                                         "softmax %9 {axis=1}\n" F32("11",
                                                                                     "0.00390625")
                                                             I8("12", "",
                                                                "-128") "%13 = "
                                                                        "quantize %10, "
                                                                        "%11, %12 "
                                                                        "{dtype=\"i8\","
                                                                        " axis=0, "
                                                                        "lo=-128, "
                                                                        "hi=127}"
                                                                        "\n" OUTPUT("13", "i8", "0",
                                                                                    "1,3") "}"
                                                                                           "\n";
    check_bytes(text, (uint8_t[]){10, 0, (uint8_t)-20}, (int[]){53, -62, -119}, 3);
}
END_TEST

/* ---- layers that the model left float ---- */

/* A layer of bytes, and one of floats -0.5, 2: range 2.5, zero 51; (-51*1 + 204*3) * 2.5/255 / 2.
 */
static const char half_quantised[] =
    "graph \"g\" tensor {\n" INPUT("0", "f32", "0", "1,2") F32("1", "0.5")
        I8("2", "2,1", "1, 3") "%3 = dequantize %2, %1 {axis=0}\n"
                               "%4 = quantize %0, %1 {dtype=\"u8\", axis=0, lo=0, hi=255}\n"
                               "%5 = dequantize %4, %1 {axis=0}\n%6 = matmul %5, %3 @\"bytes\"\n"
                               "%7 = matmul %0, %3 @\"floats\"\n" OUTPUT("6", "f32", "0", "1,1")
                                   OUTPUT("7", "f32", "1", "1,1") "}\n";

START_TEST(test_own_range)
{
    struct tried t;
    try_on(&t, half_quantised, (float[]){-0.5f, 2.0f}, 2);
    float bytes = *(float *)t.out[0].data, floats = *(float *)t.out[1].data;
    ck_assert(bytes == 3.0f); /* (0*1 + 4*3) / 4 */
    ck_assert(floats > 2.749999f && floats < 2.750001f);
    ck_assert_uint_eq(t.r.diag->n_errors, 0);
    ck_assert(has_text(&t.r, DIAG_WARNING, "'floats' (matmul): its input is not quantised"));
    ck_assert(!has_text(&t.r, DIAG_WARNING, "'bytes'"));
    ck_assert(find_op(t.g, IR_mvm)->out->type.dtype == IR_I32);
    tried_free(&t, 2);
}
END_TEST

START_TEST(test_own_range_of_nothing)
{
    struct tried t;
    try_on(&t, half_quantised, (float[]){0, 0}, 2); /* scale 0 */
    ck_assert(*(float *)t.out[1].data == 0.0f);
    tried_free(&t, 2);
}
END_TEST

/* (1 + 2 + 3) * 0.25, of integers: floats have an order. */
START_TEST(test_sum_of_bytes)
{
    static const char text[] = "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1,3") F32("1",
                                                                                         "0.25")
        BYTE("2", "100") "%3 = dequantize %0, %1, %2 {axis=0}\n"
                         "%4 = reduce %3 {kind=\"sum\", axes=[1]}\n" I8(
                             "5", "3,1", "1, 1, 1") "%6 = dequantize %5, %1 {axis=0}\n%7 = matmul "
                                                    "%3, %6\n" OUTPUT("4", "f32", "0", "1,1")
                                                        OUTPUT("7", "f32", "1", "1,1") "}\n";
    struct tried t;
    try_on(&t, text, (uint8_t[]){101, 102, 103}, 2);
    ck_assert(*(float *)t.out[0].data == 1.5f);
    ck_assert(find_op(t.g, IR_reduce)->out->type.dtype == IR_I32);
    tried_free(&t, 2);
}
END_TEST

/* Scales by row, which no crossbar can apply: 2*(1*1) + 4*(3*0.5). */
START_TEST(test_scales_of_rows)
{
    static const char text[] =
        "graph \"g\" tensor {\n" INPUT("0", "f32", "0", "1,2") F32("1", "0.5")
            I8("2", "2,1",
               "1, 3") "%3 = constant {dtype=\"f32\", shape=[2], data=dense(1.0, 0.5)}\n"
                       "%4 = dequantize %2, %3 {axis=0}\n"
                       "%5 = quantize %0, %1 {dtype=\"u8\", axis=0, lo=0, hi=255}\n"
                       "%6 = dequantize %5, %1 {axis=0}\n"
                       "%7 = matmul %6, %4 @\"rows\"\n" OUTPUT("7", "f32", "0", "1,1") "}\n";
    struct tried t;
    try_on(&t, text, (float[]){2.0f, 4.0f}, 1);
    ck_assert(*(float *)t.out[0].data == 8.0f);
    ck_assert(has_text(&t.r, DIAG_WARNING, "'rows' (matmul): its weights do not have one scale"));
    tried_free(&t, 1);
}
END_TEST

START_TEST(test_unquantised_is_an_error)
{
    struct rig r;
    rig_open(&r);
    r.ctx.unquantised_is_error = true;
    struct ir_graph *g = parse_text(&r, half_quantised);
    ck_assert(!run(&r, lower, &g));
    ck_assert_uint_eq(r.diag->n_errors, 1);
    ck_assert(has_error(&r, DIAG_LOWER, "'floats' (matmul): its input is not quantised"));
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* ---- what is refused ---- */

#define LAYER(k, weights)                                                                          \
    "graph \"g\" tensor {\n" INPUT("0", "u8", "0", "1," k)                                         \
        F32("1", "1.0") "%2 = dequantize %0, %1 {axis=0}\n"                                        \
                        "%3 = constant {dtype=\"i8\", shape=[" k ",1], data=" weights "}\n"        \
                        "%4 = dequantize %3, %1 {axis=0}\n%5 = matmul %2, %4 @\"dense\"\n"
#define BIAS(x, scale)                                                                             \
    "%6 = constant {dtype=\"i32\", shape=[1], data=dense(" x                                       \
    ")}\n" F32("7", scale) "%8 = dequantize %6, %7 {axis=0}\n%9 = add %5, %8\n" OUTPUT(            \
        "9", "f32", "0", "1,1") "}\n"

#define FLOAT_BIAS(x)                                                                              \
    "%6 = constant {dtype=\"f32\", shape=[1], data=dense(" x ")}\n%7 = add %5, %6\n"               \
    "%8 = quantize %7, %1 {dtype=\"u8\", axis=0, lo=0, hi=255}\n" OUTPUT("8", "u8", "0",           \
                                                                         "1,1") "}\n"

START_TEST(test_refused)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {LAYER("1", "dense(1)") BIAS("2147483647", "2.0"),
         "'dense' (matmul): the bias of output channel 0 is 4294967294 steps of its sums"},
        {LAYER("1", "dense(1)") BIAS("2147483647", "1.0"),
         "'dense' (matmul): sums of output channel 0 can reach 255 with a bias of 2147483647"},
        {LAYER("66312", "splat(127)") BIAS("0", "1.0"),
         "'dense' (matmul): sums of output channel 0 can reach 2147514120"},
        {LAYER("1", "dense(1)") FLOAT_BIAS("nan"),
         "'dense' (matmul): the bias of output channel 0 is nan steps of its sums"},
        {LAYER("1", "dense(1)") FLOAT_BIAS("-inf"),
         "'dense' (matmul): the bias of output channel 0 is -inf steps of its sums"},
    };
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, cases[_i].text);
    ck_assert(!run(&r, lower, &g));
    ck_assert_uint_eq(r.diag->n_errors, 1);
    ck_assert_msg(has_error(&r, DIAG_LOWER, cases[_i].part), "%s", r.diag->first->text);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* A layer's sums and who reads them, as written at INTEGER: no pass int saw them. */
#define SUMS(bias, shape)                                                                          \
    "graph \"g\" integer {\n" INPUT("0", "u8", "0", "3,1")                                         \
        I8("1", "1,2",                                                                             \
           "1, -2") "%2 = matmul %0, %1 @\"dense\"\n%3 = constant {dtype=\"i32\", shape=[" shape   \
                    "], data=dense(" bias ")}\n"

/* Columns 1, 2 and -1, 2 of weights, whose centers are these. */
#define CENTERS(values)                                                                            \
    "graph \"g\" integer {\n" INPUT("0", "u8", "0", "1,2") I8(                                     \
        "1", "2,2",                                                                                \
        "1, -1, 2, 2") "%2 = constant {dtype=\"i32\", shape=[2], data=dense(" values ")}\n"        \
                       "%3 = matmul %0, %1, %2 @\"dense\"\n" OUTPUT("3", "i32", "0", "1,2") "}\n"

START_TEST(test_refused_sums)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {SUMS("0, -2147483648", "2")
             F32("4", "1.0") "%5 = requantize %2, %3, %4 {kind=\"f32\", axis=1, zero=0, lo=0, "
                             "hi=255, shift=0, scale=1.0}\n" OUTPUT("5", "u8", "0", "3,2") "}\n",
         "'dense' (matmul): sums of output channel 1 can reach 510 with a bias of 2147483648"},
        {SUMS("0, 2147483138", "2") "%4 = add %2, %3\n" OUTPUT("4", "i32", "0", "3,2") "}\n",
         "'dense' (matmul): sums of output channel 1 can reach 510 with a bias of 2147483138"},
        {SUMS("0, 2147483138", "2") "%4 = add %3, %2\n" OUTPUT("4", "i32", "0", "3,2") "}\n",
         "'dense' (matmul): sums of output channel 1 can reach 510 with a bias of 2147483138"},
        {SUMS("0, 0, 2147483393", "3,1") "%4 = add %2, %3\n" OUTPUT("4", "i32", "0", "3,2") "}\n",
         "'dense' (matmul): sums of output channel 0 can reach 255 with a bias of 2147483393"},
        {CENTERS("-2147483648, 0"), /* 255 * (2 * 2147483648 - 3) */
         "'dense' (matmul): sums of output channel 0 can reach 1095216659715 with a bias of 0"},
        {CENTERS("0, 2147483647"), /* 255 * (2 * 2147483647 + 1) */
         "'dense' (matmul): sums of output channel 1 can reach 1095216660225 with a bias of 0"},
        {CENTERS("4210751, 4210751"), /* 255 * (2 * 4210751 + 3), of the other column 1 */
         "'dense' (matmul): sums of output channel 0 can reach 2147483775 with a bias of 0"},
    };
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, cases[_i].text);
    ck_assert(!run(&r, "im2col", &g));
    ck_assert_uint_eq(r.diag->n_errors, 1);
    ck_assert_msg(has_error(&r, DIAG_LOWER, cases[_i].part), "%s", r.diag->first->text);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_sums_that_fit)
{
    struct rig r;
    rig_open(&r);
    struct ir_graph *g =
        parse_text(&r, SUMS("2147483392, -2147483137",
                            "2") "%4 = add %2, %3\n" OUTPUT("4", "i32", "0", "3,2") "}\n");
    run_ok(&r, "im2col", &g);
    ir_graph_free(g);
    g = parse_text(&r, CENTERS("4210750, -4210750")); /* 255 * 8421503, 255 * 8421499 */
    run_ok(&r, "im2col", &g);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_too_many_bits)
{
    struct rig r;
    rig_open(&r);
    r.arch.weight_bits = 4;
    struct ir_graph *g = parse_text(&r, LAYER("1", "dense(8)") BIAS("0", "1.0"));
    ck_assert(!run(&r, lower, &g)); /* 8 has five bits, with its sign */
    ck_assert(has_error(&r, DIAG_CAPACITY,
                        "'dense' (mvm): its weights have 5 bits, the machine "
                        "holds 4 (weight_bits)"));
    ir_graph_free(g);
    g = parse_text(&r, LAYER("1", "dense(-8)") BIAS("0", "1.0"));
    run_ok(&r, lower, &g);
    ck_assert_int_eq(find_op(g, IR_mvm)->attrs->mvm.weight_bits, 4);
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

/* ---- mode ---- */

static const char floats[] = "graph \"g\" tensor {\n" INPUT("0", "f32", "0", "1,1") F32("1", "0.5")
    I8("2", "1,1", "3") "%3 = dequantize %2, %1 {axis=0}\n%4 = matmul %0, %3\n" OUTPUT(
        "4", "f32", "0", "1,1") "}\n";

START_TEST(test_mode_of_graphs)
{
    struct rig r;
    rig_open(&r);
    struct ir_graph *g = parse_text(&r, floats); /* weights alone make no quantised model */
    run_ok(&r, "fold", &g);
    ck_assert_int_eq(r.ctx.mode, PASS_MODE_F32);
    ck_assert_str_eq(r.ctx.mode_reason, "no base layer has a quantised input");
    ck_assert_ptr_null(find_op(g, IR_dequantize));
    ir_graph_free(g);
    rig_close(&r);
    rig_open(&r);
    g = parse_text(&r, half_quantised);
    run_ok(&r, "fold", &g);
    ck_assert_int_eq(r.ctx.mode, PASS_MODE_INT);
    ck_assert_str_eq(r.ctx.mode_reason, "base layers have quantised inputs");
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

START_TEST(test_mode_asked_for)
{
    struct rig r;
    rig_open(&r);
    r.ctx.mode = PASS_MODE_INT;
    struct ir_graph *g = parse_text(&r, floats);
    ck_assert(!run(&r, "fold", &g));
    ck_assert(has_error(&r, DIAG_PASS, "cimc quantize"));
    ir_graph_free(g);
    rig_close(&r);
    rig_open(&r);
    r.ctx.mode = PASS_MODE_F32;
    g = parse_text(&r, half_quantised);
    run_ok(&r, pass_default_pipeline, &g);
    ck_assert_str_eq(r.ctx.mode_reason, "as asked for");
    ck_assert(find_op(g, IR_mvm)->out->type.dtype == IR_F32);
    ck_assert_ptr_nonnull(find_op(g, IR_quantize)); /* the pair of run time stays, on floats */
    ir_graph_free(g);
    rig_close(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pass_int");
    TCase *t = tcase_create("pass_int");
    tcase_add_test(t, test_padding_is_the_zero_point);
    tcase_add_test(t, test_requantize);
    tcase_add_test(t, test_bytes_as_weights);
    tcase_add_test(t, test_bias_keeps_its_digits);
    tcase_add_test(t, test_bias_of_another_scale);
    tcase_add_loop_test(t, test_added_along_any_axis, 0, 8);
    tcase_add_test(t, test_sum_of_two);
    tcase_add_test(t, test_mean);
    tcase_add_loop_test(t, test_mean_of_too_many, 0, 2);
    tcase_add_test(t, test_softmax);
    tcase_add_test(t, test_own_range);
    tcase_add_test(t, test_own_range_of_nothing);
    tcase_add_test(t, test_sum_of_bytes);
    tcase_add_test(t, test_scales_of_rows);
    tcase_add_test(t, test_unquantised_is_an_error);
    tcase_add_loop_test(t, test_refused, 0, 5);
    tcase_add_loop_test(t, test_refused_sums, 0, 7);
    tcase_add_test(t, test_sums_that_fit);
    tcase_add_test(t, test_too_many_bits);
    tcase_add_test(t, test_mode_of_graphs);
    tcase_add_test(t, test_mode_asked_for);
    suite_add_tcase(s, t);
    return run_suite(s);
}
