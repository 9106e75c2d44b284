/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_test.c - the ONNX importer: hostile bytes, names and order, tensors, the meaning of
 * operators.
 *
 * Models are written by onnx_model.h. Expected values are worked out by hand; ONNX's own tests are
 * in tests/onnx.
 */
#include "onnx_model.h"
#include "../run_suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct diag *diag;

static void setup(void)
{
    diag = diag_new();
}

static void teardown(void)
{
    diag_free(diag);
}

static bool reports(const struct diag *d, enum diag_code code, const char *text)
{
    for (const struct diag_entry *e = d->first; e; e = e->next)
        if (e->severity != DIAG_WARNING && e->code == code && strstr(e->text, text))
            return true;
    return false;
}

static struct onnx_options folding(void)
{
    return (struct onnx_options){.fold = fold, .fold_self = diag};
}

static struct ir_graph *import_bytes(struct text bytes, const struct onnx_options *o)
{
    struct memory_file f = memory_file(bytes.at, bytes.n);
    text_free(&bytes);
    struct ir_graph *g = onnx_import(f.path, o, diag);
    close(f.fd);
    if (g && !ir_verify(g, diag))
        diag_print(diag, stderr);
    ck_assert(!g == (diag->n_errors > 0));
    return g;
}

static struct ir_graph *import_model(struct model *m)
{
    struct onnx_options o = folding();
    return import_bytes(model_bytes(m), &o);
}

/* Imports and hands back the diagnostics' verdict: rejected with this code and text. */
static bool rejected(struct model *m, enum diag_code code, const char *text)
{
    struct ir_graph *g = import_model(m);
    bool as_said = !g && reports(diag, code, text);
    if (!as_said)
        diag_print(diag, stderr);
    ir_graph_free(g);
    return as_said;
}

/* The k-th operation of that kind. */
static struct ir_op *nth(const struct ir_graph *g, enum ir_opcode opcode, int k)
{
    for (struct ir_op *op = g->first; op; op = op->next)
        if (op->opcode == opcode && k-- == 0)
            return op;
    return NULL;
}

static const float zeros[4096];

/* input x of these dimensions -> one node (results "y") -> output y */
static struct model one_node(int64_t opset, struct text n, int n_dims, const int64_t *dims)
{
    struct model m = model_new(opset);
    model_input(&m, "x", n_dims, dims);
    model_node(&m, n);
    model_output(&m, "y");
    return m;
}

/* ---- guard ---- */

START_TEST(bytes_that_are_no_protobuf)
{
    enum { ARCHIVE = 200000 }; /* a TorchScript file begins with its weights */
    static char archive[ARCHIVE] = "PK\3\4";
    memcpy(archive + ARCHIVE - 20, "net/data.pkl", 12);
    static const struct {
        const char *bytes;
        size_t n;
        const char *says;
    } bad[] = {
        {archive, ARCHIVE, "a PyTorch file; export"},
        {"", 0, "empty"},
        {"\x00", 1, "malformed tag"},
        {"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "reaches beyond"},
        {"\x3a\x05\x0a", 3, "reaches beyond"},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "malformed number"},
        {"\x08\xff", 2, "malformed number"},
        {"\x0b", 1, "unknown wire type"},
        {"\x3a\x00\x3a\x00", 4, "occurs twice"},
        {"\x12\x02"
         "a\0",
         4, "NUL"},
        {"\x38\x01", 2, "another type"},
        {"<html></html>", 13, "a web page"},
        {"PK\3\4..........archive/data.pkl", 30, "a PyTorch file; export"},
        {"PK\3\4.......... metadata.json", 28, "a Keras file"},
        {"PK\3\4.......... readme.txt", 25, "a zip archive"},
        {"\x80\x02}q\x01", 5, "a Python pickle"},
        {"\x1c\0\0\0TFL3\x14", 9, "a TensorFlow Lite file"},
        {"\x89HDF\r\n\x1a\n", 8, "an HDF5 file, perhaps a Keras model"},
        {"\x93NUMPY\x01", 7, "a NumPy array"},
        {"version https://git-lfs.github.com/spec/v1", 42, "a pointer of Git LFS"},
        {"CIMC\x01", 5, "no ONNX file: it is a compiled program"},
    };
    struct memory_file f = memory_file(bad[_i].bytes, bad[_i].n);
    ck_assert_ptr_null(onnx_import(f.path, NULL, diag));
    ck_assert(reports(diag, DIAG_ONNX_WIRE, bad[_i].says));
    close(f.fd);
}
END_TEST

static size_t varint_bytes(size_t x)
{
    size_t n = 1;
    for (; x >= 128; x >>= 7)
        n++;
    return n;
}

/* ModelProto.graph.node.attribute.g.node.attribute.g ..., 200,000 messages deep. */
START_TEST(nesting_is_bounded)
{
    enum { LEVELS = 200000 };
    static const unsigned fields[] = {6, 1, 5}; /* g, node, attribute */
    static size_t length[LEVELS + 1];           /* of the contents, from the inside */
    struct text graph = {0}, bytes = {0};
    for (int i = 0; i < LEVELS; i++)
        length[i + 1] = 1 + varint_bytes(length[i]) + length[i];
    for (int i = 1; i <= LEVELS; i++) {
        put_tag(&graph, fields[i % 3], 2);
        put_varint(&graph, length[LEVELS - i]);
    }
    put_msg(&bytes, 7, graph);
    ck_assert_ptr_null(import_bytes(bytes, NULL));
    ck_assert(reports(diag, DIAG_ONNX_WIRE, "nested too deep"));
}
END_TEST

START_TEST(number_of_messages_is_bounded)
{
    struct text graph = {0}, bytes = {0};
    for (int i = 0; i < 3000000; i++)
        text_add_bytes(&graph, "\x0a\x00", 2);
    put_msg(&bytes, 7, graph);
    ck_assert_ptr_null(import_bytes(bytes, NULL));
    ck_assert(reports(diag, DIAG_ONNX_WIRE, "too many messages"));
}
END_TEST

/* Every prefix of a model is either refused or a smaller model. */
static void cut_everywhere(const char *bytes, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i += step) {
        struct text part = {0};
        text_add_bytes(&part, bytes, i);
        if (!i)
            text_add(&part, "%s", "");
        struct onnx_options o = folding();
        ir_graph_free(import_bytes(part, &o));
        diag_free(diag);
        diag = diag_new();
    }
}

static struct model small_network(void)
{
    struct model m = model_new(13);
    struct text conv = node("Conv", "c", "x w", "a"), gemm = node("Gemm", "g", "f v b", "y");
    attr_ints(&conv, "pads", 4, (const int64_t[]){1, 1, 1, 1});
    attr_int(&gemm, "transB", 1);
    model_input(&m, "x", DIMS(1, 2, 4, 4));
    model_init(&m, tensor("w", FLOAT, DIMS(3, 2, 3, 3), zeros, 3 * 2 * 9 * 4));
    model_init(&m, tensor("v", FLOAT, DIMS(5, 48), zeros, 5 * 48 * 4));
    model_init(&m, tensor("b", FLOAT, DIMS(5), zeros, 5 * 4));
    model_node(&m, conv);
    model_node(&m, node("Relu", "", "a", "r"));
    model_node(&m, node("Flatten", "", "r", "f"));
    model_node(&m, gemm);
    model_output(&m, "y");
    return m;
}

START_TEST(truncated_models)
{
    struct model m = small_network();
    struct text bytes = model_bytes(&m);
    cut_everywhere(bytes.at, bytes.n, 1);
    ir_graph_free(import_bytes(bytes, NULL));
    ck_assert_int_eq(diag->n_errors, 0);
}
END_TEST

/* A model from outside, named by the environment. */
START_TEST(truncated_real_model)
{
    const char *path = getenv("CIMC_TEST_MODEL");
    struct arena *a = arena_new();
    struct file f;
    if (path) {
        ck_assert(file_open(path, a, diag, &f));
        cut_everywhere((const char *)f.data, f.size, 97);
        file_close(&f);
    }
    arena_free(a);
}
END_TEST

/* One byte changed at a time. */
START_TEST(flipped_bytes)
{
    struct model m = small_network();
    struct text bytes = model_bytes(&m);
    uint64_t random = 1;
    for (int i = 0; i < 3000; i++) {
        struct text copy = {0};
        text_add_bytes(&copy, bytes.at, bytes.n);
        copy.at[random_next(&random) % bytes.n] = (char)random_next(&random);
        struct onnx_options o = folding();
        ir_graph_free(import_bytes(copy, &o));
        diag_free(diag);
        diag = diag_new();
    }
    text_free(&bytes);
}
END_TEST

/* ---- tensors ---- */

/* y = x + t, evaluated at x = 0. */
static struct tensor value_of(struct text t, int64_t n)
{
    struct model m = one_node(13, node("Add", "", "x t", "y"), DIMS(n));
    model_init(&m, t);
    struct ir_graph *g = import_model(&m);
    ck_assert_ptr_nonnull(g);
    struct tensor in = {.type = ir_type_of(IR_F32, 1, &n), .data = (void *)zeros}, out;
    ck_assert(eval_graph(g, &in, 1, &out, 1, NULL, diag));
    ir_graph_free(g);
    return out;
}

/* raw_data and float_data, at both sides of the size from which the guard cuts them out, at every
 * alignment in the file. */
START_TEST(large_payloads_are_views_of_the_file)
{
    static const size_t counts[] = {8, 1023, 1024, 4000};
    float data[4000];
    size_t n = counts[_i];
    for (size_t i = 0; i < n; i++)
        data[i] = (float)i + 0.5f;
    for (int shift = 0; shift < 8; shift++) {
        struct text t = {0};
        put_int(&t, 1, (int64_t)n);
        put_int(&t, 2, FLOAT);
        put_str(&t, 12, &"........"[shift]); /* doc_string */
        put_str(&t, 8, "t");
        put_int(&t, 1 << 28, 7); /* what the guard itself writes must not be forged */
        put_bytes(&t, shift % 2 ? 9 : 4, data, n * sizeof *data);
        put_tag(&t, 1 << 28, 5);
        text_add_bytes(&t, "\xff\xff\xff\xff", 4);
        struct tensor out = value_of(t, (int64_t)n);
        ck_assert_mem_eq(out.data, data, n * sizeof *data);
        tensor_free(&out);
    }
}
END_TEST

/* -2, 0.5, 65504 (the largest fp16), 2^-24 (the smallest) as fp16 patterns. */
START_TEST(half_precision_in_raw_data_and_in_int32_data)
{
    static const uint16_t half[] = {0xc000, 0x3800, 0x7bff, 0x0001};
    static const float want[] = {-2, 0.5f, 65504, 0x1p-24f};
    struct text raw = tensor("t", FLOAT16, DIMS(4), half, sizeof half), typed = {0};
    put_int(&typed, 1, 4);
    put_int(&typed, 2, FLOAT16);
    put_str(&typed, 8, "t");
    for (int i = 0; i < 4; i++)
        put_int(&typed, 5, half[i]); /* not packed */
    struct text both[] = {raw, typed};
    struct tensor out = value_of(both[_i], 4);
    text_free(&both[1 - _i]);
    ck_assert_mem_eq(out.data, want, sizeof want);
    tensor_free(&out);
}
END_TEST

START_TEST(bfloat16_and_double_become_f32)
{
    static const uint16_t bf16[] = {0x3f80, 0xc040, 0x7f80};
    static const double f64[] = {1, -3, 0x1p-149};
    struct tensor out = value_of(tensor("t", BFLOAT16, DIMS(3), bf16, sizeof bf16), 3);
    ck_assert(((float *)out.data)[0] == 1 && ((float *)out.data)[1] == -3);
    ck_assert(isinf(((float *)out.data)[2]));
    tensor_free(&out);
    out = value_of(tensor("t", DOUBLE, DIMS(3), f64, sizeof f64), 3);
    ck_assert(((float *)out.data)[2] == 0x1p-149f);
    tensor_free(&out);
}
END_TEST

/* Tensors that contradict themselves. */
static struct text bad_tensor(int i, const char **says)
{
    struct text t = {0};
    const double large = 1e39;
    switch (i) {
    case 0: *says = "12 bytes where"; return tensor("t", FLOAT, DIMS(4), zeros, 12);
    case 1:
        *says = "too many elements";
        return tensor("t", FLOAT, DIMS(1LL << 40, 1LL << 40), zeros, 16);
    case 2: *says = "negative dimension"; return tensor("t", FLOAT, DIMS(-1), zeros, 4);
    case 3:
        *says = "9 dimensions";
        return tensor("t", FLOAT, DIMS(1, 1, 1, 1, 1, 1, 1, 1, 1), zeros, 4);
    case 4: *says = "is string"; return tensor("t", STRING, DIMS(1), zeros, 0);
    case 5: *says = "of an unknown type"; return tensor("t", 99, DIMS(1), zeros, 0);
    case 6: *says = "too large for float"; return tensor("t", DOUBLE, DIMS(1), &large, 8);
    case 7:
        *says = "external data";
        t = tensor("t", FLOAT, DIMS(1), zeros, 4);
        put_int(&t, 14, 1);
        return t;
    case 8:
        *says = "element 0 is 300";
        put_int(&t, 1, 1);
        put_int(&t, 2, UINT8);
        put_str(&t, 8, "t");
        put_int(&t, 5, 300);
        return t;
    case 9:
        *says = "2 bytes where its dimensions ask for 3";
        return tensor("t", INT4, DIMS(5), zeros, 2);
    case 10: *says = "is float8e4m3fn"; return tensor("t", 17, DIMS(1), zeros, 1);
    default:
        *says = "0 elements where";
        put_int(&t, 1, 3);
        put_int(&t, 2, FLOAT);
        put_str(&t, 8, "t");
        return t;
    }
}

START_TEST(tensors_that_contradict_themselves)
{
    const char *says;
    struct model m = one_node(13, node("Add", "", "x t", "y"), DIMS(1));
    model_init(&m, bad_tensor(_i, &says));
    ck_assert(rejected(&m, DIAG_ONNX_MODEL, says));
}
END_TEST

/* {1, 0} in each type of elements. */
START_TEST(tensor_files_keep_their_integers)
{
    static const struct {
        int type;
        enum ir_dtype dtype;
        size_t bytes;
        const char *raw;
    } cases[] = {
        {FLOAT, IR_F32, 8, "\0\0\x80\x3f\0\0\0\0"},
        {FLOAT16, IR_F32, 4, "\0\x3c\0\0"},
        {DOUBLE, IR_F32, 16, "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\0"},
        {INT64, IR_I64, 16, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
        {INT32, IR_I32, 8, "\1\0\0\0\0\0\0\0"},
        {INT8, IR_I8, 2, "\1\0"},
        {UINT8, IR_U8, 2, "\1\0"},
        {BOOL, IR_BOOL, 2, "\1\0"},
        {INT4, IR_I8, 1, "\1"},
        {UINT4, IR_U8, 1, "\1"},
    };
    struct text t = tensor("t", cases[_i].type, DIMS(2), cases[_i].raw, cases[_i].bytes);
    struct ir_type type = ir_type_of(cases[_i].dtype, 1, (const int64_t[]){2});
    struct onnx_tensor read;
    char path[] = "onnx_test_XXXXXX";
    FILE *f = fdopen(mkstemp(path), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(t.at, 1, t.n, f), t.n);
    fclose(f);
    ck_assert(onnx_read_tensor(path, &read, diag));
    unlink(path);
    ck_assert(ir_type_equal(&read.type, &type));
    if (type.dtype == IR_F32)
        ck_assert(((float *)read.data)[0] == 1 && ((float *)read.data)[1] == 0);
    else /* little endian */
        ck_assert(((char *)read.data)[0] == 1 &&
                  ((char *)read.data)[ir_dtype_bytes(type.dtype)] == 0);
    heap_free(read.data);
    text_free(&t);
}
END_TEST

#include "onnx_name_cases.h"

#include "onnx_operator_cases.h"

#include "onnx_layer_cases.h"

#include "onnx_body_cases.h"

#include "onnx_cut_cases.h"

#include "onnx_math_cases.h"

#include "onnx_index_cases.h"

#include "onnx_quant_cases.h"

#include "onnx_recurrent_cases.h"

#include "onnx_einsum_cases.h"

#include "onnx_attention_cases.h"

#include "onnx_integer_cases.h"

#include "onnx_external_cases.h"

int main(void)
{
    TCase *tc = tcase_create("onnx");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, bytes_that_are_no_protobuf, 0, 21);
    tcase_add_test(tc, nesting_is_bounded);
    tcase_add_test(tc, number_of_messages_is_bounded);
    tcase_add_test(tc, truncated_models);
    tcase_add_test(tc, truncated_real_model);
    tcase_add_test(tc, flipped_bytes);
    tcase_add_loop_test(tc, large_payloads_are_views_of_the_file, 0, 4);
    tcase_add_loop_test(tc, half_precision_in_raw_data_and_in_int32_data, 0, 2);
    tcase_add_test(tc, bfloat16_and_double_become_f32);
    tcase_add_loop_test(tc, tensors_that_contradict_themselves, 0, 12);
    tcase_add_loop_test(tc, tensor_files_keep_their_integers, 0, 10);
    tcase_add_loop_test(tc, auto_pad, 0, 5);
    tcase_add_test(tc, ceil_mode_becomes_padding);
    tcase_add_test(tc, absent_operands_keep_their_place);
    tcase_add_test(tc, a_bound_that_is_no_number_is_none);
    tcase_add_loop_test(tc, resize_nearest, 0, 8);
    tcase_add_test(tc, shape_arithmetic_folds);
    tcase_add_loop_test(tc, nodes_that_cannot_be, 0, 10);
    tcase_add_test(tc, unknown_attributes_are_warned_about);
    tcase_add_test(tc, results_that_are_not_given);
    add_name_cases(tc);
    add_layer_cases(tc);
    add_body_cases(tc);
    add_cut_cases(tc);
    add_math_cases(tc);
    add_index_cases(tc);
    add_quant_cases(tc);
    add_recurrent_cases(tc);
    add_einsum_cases(tc);
    add_attention_cases(tc);
    add_integer_cases(tc);
    add_external_cases(tc);
    Suite *suite = suite_create("onnx");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
