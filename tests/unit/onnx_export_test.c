/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_export_test.c - what graphs look like as ONNX models: which operators and tensors are in the
 * file, and what the importer makes of it. That the meaning stays is tested on random graphs
 * (tests/property/export_test.c) and whole models (tests/numeric/written_test.py).
 */
#include "onnx_export.h"
#include "onnx_model.h"
#include "../run_suite.h"

#include <check.h>
#include <string.h>

static struct diag *diag;
static struct text file;

static void setup(void)
{
    diag = diag_new();
}

static void teardown(void)
{
    text_free(&file);
    diag_free(diag);
}

static struct ir_graph *parse(const char *text)
{
    struct ir_graph *g = ir_parse(text, strlen(text), "test.ir", diag);
    bool ok = g && ir_verify(g, diag);
    if (!ok)
        diag_print(diag, stderr);
    ck_assert(ok);
    return g;
}

/* Writes the graph of this text, to `file`; false where that is refused. */
static bool writes(const char *text)
{
    struct ir_graph *g = parse(text);
    file.n = 0;
    bool ok = onnx_export(g, &file, diag);
    ir_graph_free(g);
    return ok;
}

static struct ir_graph *read_back(void)
{
    struct ir_graph *g = import_folded(&file, diag);
    if (!g)
        diag_print(diag, stderr);
    ck_assert_ptr_nonnull(g);
    return g;
}

static struct ir_graph *there_and_back(const char *text)
{
    ck_assert(writes(text));
    return read_back();
}

/* How often the file holds this string, a name or an operator, with its length in front. */
static int count(const char *name)
{
    int n = 0;
    size_t length = strlen(name);
    for (size_t i = 1; i + length <= file.n; i++)
        n += file.at[i - 1] == (char)length && memcmp(file.at + i, name, length) == 0;
    return n;
}

static const struct ir_op *only(const struct ir_graph *g, enum ir_opcode opcode)
{
    const struct ir_op *found = NULL;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        ck_assert(op->opcode != opcode || !found);
        found = op->opcode == opcode ? op : found;
    }
    ck_assert_ptr_nonnull(found);
    return found;
}

static bool reports(const char *text)
{
    for (const struct diag_entry *e = diag->first; e; e = e->next)
        if (e->severity == DIAG_ERROR && strstr(e->text, text))
            return true;
    return false;
}

/* As quantising leaves a layer: all of it is in the one node. */
START_TEST(layer_is_whole)
{
    struct ir_graph *g = there_and_back(
        "graph \"g\" canonical {\n"
        "  %0 = input {index=0, dtype=\"f32\", shape=[1,1,2,2]} @\"x\"\n"
        "  %1 = constant {dtype=\"f32\", shape=[], data=dense(0.5)}\n"
        "  %2 = quantize %0, %1 {dtype=\"u8\", lo=0, hi=255}\n"
        "  %3 = dequantize %2, %1\n"
        "  %4 = pad %3 {before=[0,0,1,2], after=[0,0,0,1], mode=\"constant\"}\n"
        "  %5 = constant {dtype=\"i8\", shape=[2,1,1,1], data=dense(1, -7)}\n"
        "  %6 = constant {dtype=\"f32\", shape=[2], data=dense(0.25, 0.125)}\n"
        "  %7 = dequantize %5, %6 {axis=0}\n"
        "  %8 = conv %4, %7 {kernel=[1,1], stride=[1,1], dilation=[1,1], pad=[0,0,0,0], group=1} "
        "@\"layer\"\n"
        "  %9 = constant {dtype=\"i32\", shape=[2,1,1], data=dense(1073741825, -3)}\n"
        "  %10 = constant {dtype=\"f32\", shape=[2], data=dense(0.125, 0.0625)}\n"
        "  %11 = dequantize %9, %10 {axis=0}\n"
        "  %12 = add %8, %11 @\"bias\"\n"
        "  output %12 {index=0, dtype=\"f32\", shape=[1,2,3,5]} @\"y\"\n"
        "}\n");
    const struct ir_op *conv = only(g, IR_conv);
    const int64_t pad[] = {1, 2, 0, 1};
    ck_assert_uint_eq(conv->n_in, 3);
    ck_assert_str_eq(conv->name, "layer");
    ck_assert_mem_eq(conv->attrs->conv.pad, pad, sizeof pad);
    const struct ir_op *bias = conv->in[2].value->def;
    ck_assert(bias->opcode == IR_dequantize && bias->in[0].value->type.dtype == IR_I32);
    ck_assert_int_eq(ir_const_i64(bias->in[0].value->def, 0), 1073741825);
    ck_assert_int_eq(count("Add") + count("Pad"), 0);
    ck_assert(count("layer_quantized") && count("layer_scale") && count("bias_scale"));
    ir_graph_free(g);
}
END_TEST

static const char *dense(const char *bias, const char *name)
{
    static char text[1000];
    snprintf(text, sizeof text,
             "graph \"g\" canonical {\n"
             "  %%0 = input {index=0, dtype=\"f32\", shape=[1,2]} @\"x\"\n"
             "  %%1 = constant {dtype=\"f32\", shape=[2,3], data=dense(1, 2, 3, 4, 5, 6)}\n"
             "  %%2 = matmul %%0, %%1 @\"dense\"\n"
             "  %%3 = constant {dtype=\"f32\", shape=%s, data=splat(0.5)}\n"
             "  %%4 = add %%2, %%3%s\n"
             "  output %%4 {index=0, dtype=\"f32\", shape=[1,3]} @\"y\"\n"
             "}\n",
             bias, name);
    return text;
}

/* A float addition with a name of its own is a layer of its own; a number is no bias of channels.
 */
START_TEST(matrix_with_a_bias)
{
    ck_assert(writes(dense("[3]", "")) && count("Gemm") == 1 && count("Add") == 0);
    ck_assert(writes(dense("[1,3]", "")) && count("Gemm") == 1);
    ck_assert(writes(dense("[3]", " @\"add\"")) && count("MatMul") == 1 && count("Add") == 1);
    ck_assert(writes(dense("[]", "")) && count("MatMul") == 1 && count("Add") == 1);
}
END_TEST

/* Bounds of fewer bits are a Clip of the integers; scales by channel keep their axis; the zero
 * point is there. */
START_TEST(few_bits)
{
    struct ir_graph *g =
        there_and_back("graph \"g\" tensor {\n"
                       "  %0 = input {index=0, dtype=\"f32\", shape=[2,3]} @\"x\"\n"
                       "  %1 = constant {dtype=\"f32\", shape=[3], data=dense(0.5, 1, 2)}\n"
                       "  %2 = quantize %0, %1 {dtype=\"i8\", axis=1, lo=-8, hi=7} @\"q\"\n"
                       "  output %2 {index=0, dtype=\"i8\", shape=[2,3]} @\"y\"\n"
                       "}\n");
    const struct ir_attrs_quantize *q = &only(g, IR_quantize)->attrs->quantize;
    const struct ir_op *clip = only(g, IR_clip);
    ck_assert(q->dtype == IR_I8 && q->axis == 1);
    ck_assert_uint_eq(only(g, IR_quantize)->n_in, 3);
    ck_assert(clip->attrs->clip.lo == -8 && clip->attrs->clip.hi == 7);
    ck_assert_str_eq(clip->name, "q");
    ir_graph_free(g);
}
END_TEST

START_TEST(types_outside)
{
    static const struct {
        const char *outside, *inside;
    } types[] = {{"f32", "f32"}, {"f16", "f32"}, {"u8", "u8"},    {"i8", "i8"},
                 {"i32", "i32"}, {"i64", "i32"}, {"bool", "bool"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "graph \"g\" tensor {\n"
                 "  %%0 = input {index=0, dtype=\"%s\", shape=[2,1]} @\"in\"\n"
                 "  %%1 = transpose %%0 {perm=[1,0]}\n"
                 "  output %%1 {index=1, dtype=\"%s\", shape=[1,2]} @\"turned\"\n"
                 "  output %%0 {index=0, dtype=\"%s\", shape=[2,1]} @\"as it is\"\n"
                 "}\n",
                 types[i].outside, types[i].outside, types[i].outside);
        struct ir_graph *g = there_and_back(text);
        const struct ir_op *in = only(g, IR_input);
        ck_assert_str_eq(in->name, "in");
        ck_assert_str_eq(ir_dtype_name(in->attrs->input.dtype), types[i].outside);
        ck_assert_str_eq(ir_dtype_name((enum ir_dtype)in->out->type.dtype), types[i].inside);
        for (const struct ir_op *op = g->first; op; op = op->next) {
            if (op->opcode != IR_output)
                continue;
            bool turned = op->attrs->output.index == 1;
            ck_assert_str_eq(op->name, turned ? "turned" : "as it is");
            ck_assert_str_eq(ir_dtype_name(op->attrs->output.dtype), types[i].outside);
        }
        ir_graph_free(g);
    }
}
END_TEST

/* Ports keep their names, whoever else has them; what nobody needs is not there. */
START_TEST(names)
{
    struct ir_graph *g = there_and_back("graph \"g\" tensor {\n"
                                        "  %0 = input {index=0, dtype=\"f32\", shape=[2]} @\"x\"\n"
                                        "  %1 = relu %0 @\"y\"\n"
                                        "  %2 = exp %1 @\"x\"\n"
                                        "  %3 = neg %1 @\"unused\"\n"
                                        "  output %2 {index=0, dtype=\"f32\", shape=[2]} @\"y\"\n"
                                        "  output %2 {index=1, dtype=\"f32\", shape=[2]} @\"z\"\n"
                                        "}\n");
    ck_assert_int_eq(count("unused") + count("Neg"), 0);
    ck_assert_str_eq(only(g, IR_input)->name, "x");
    ck_assert_str_eq(only(g, IR_relu)->name, "y");
    ck_assert_str_eq(only(g, IR_exp)->name, "x");
    for (const struct ir_op *op = g->first; op; op = op->next)
        ck_assert(op->opcode != IR_output ||
                  (ir_is(op->in[0].value, IR_exp) &&
                   strcmp(op->name, op->attrs->output.index ? "z" : "y") == 0));
    ir_graph_free(g);
}
END_TEST

/* The same graph, the same bytes, behind what is there. */
START_TEST(same_bytes)
{
    struct ir_graph *g = parse(dense("[3]", ""));
    ck_assert(onnx_export(g, &file, diag));
    size_t n = file.n;
    ck_assert(onnx_export(g, &file, diag));
    ck_assert_uint_eq(file.n, 2 * n);
    ck_assert_mem_eq(file.at, file.at + n, n);
    ir_graph_free(g);
}
END_TEST

/* By no number of files: 2^29 floats, in one constant or two, are 2 GiB. */
START_TEST(too_large)
{
    ck_assert(!writes("graph \"g\" tensor {\n"
                      "  %0 = constant {dtype=\"f32\", shape=[536870912], data=splat(1)}\n"
                      "  output %0 {index=0, dtype=\"f32\", shape=[536870912]} @\"y\"\n"
                      "}\n"));
    ck_assert(reports("2 GiB"));
    ck_assert_uint_eq(file.n, 0);
    ck_assert(!writes("graph \"g\" tensor {\n"
                      "  %0 = constant {dtype=\"f32\", shape=[268435456], data=splat(1)}\n"
                      "  %1 = constant {dtype=\"f32\", shape=[268435456], data=splat(2)}\n"
                      "  output %0 {index=0, dtype=\"f32\", shape=[268435456]} @\"y\"\n"
                      "  output %1 {index=1, dtype=\"f32\", shape=[268435456]} @\"z\"\n"
                      "}\n"));
}
END_TEST

START_TEST(refused)
{
    ck_assert(!writes(
        "graph \"g\" crossbar {\n"
        "  %0 = input {index=0, dtype=\"f32\", shape=[1,1,1], extent=[1,1,1], strides=[1,1,1]}\n"
        "  output %0 {index=0, dtype=\"f32\", shape=[1,1,1], strides=[1,1,1]}\n"
        "}\n"));
    ck_assert(reports("lowered too far"));
    ck_assert(!writes("graph \"g\" tensor {\n"
                      "  %0 = input {index=0, dtype=\"f32\", shape=[0]} @\"nothing\"\n"
                      "  %1 = relu %0 @\"layer\"\n"
                      "  output %1 {index=0, dtype=\"f32\", shape=[0]}\n"
                      "}\n"));
    ck_assert(reports("relu 'layer' cannot be written as ONNX: it has no elements"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("onnx_export");
    TCase *t = tcase_create("onnx_export");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, layer_is_whole);
    tcase_add_test(t, matrix_with_a_bias);
    tcase_add_test(t, few_bits);
    tcase_add_test(t, types_outside);
    tcase_add_test(t, names);
    tcase_add_test(t, same_bytes);
    tcase_add_test(t, too_large);
    tcase_add_test(t, refused);
    suite_add_tcase(s, t);
    return run_suite(s);
}
