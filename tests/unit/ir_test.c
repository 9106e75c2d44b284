/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * ir_test.c - the graph: types, payloads, rewriting, inference, verifier, text form, clone, hash.
 * Expected types and values are worked out by hand from IR.md or numpy's rules.
 */
#include "ir.h"
#include "ir_test_quantized.h"
#include "ir_test_tables.h"
#include "../run_suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- helpers ---- */

static struct ir_graph *parse(const char *text, struct diag *d)
{
    return ir_parse(text, strlen(text), "t.ir", d);
}

static struct ir_graph *parse_ok(const char *text)
{
    struct diag *d = diag_new();
    struct ir_graph *g = parse(text, d);
    if (!g)
        diag_print(d, stderr);
    ck_assert_ptr_nonnull(g);
    ck_assert_uint_eq(d->n_errors, 0);
    diag_free(d);
    return g;
}

static bool verifies(const struct ir_graph *g)
{
    struct diag *d = diag_new();
    bool ok = ir_verify(g, d);
    ck_assert(ok == (d->n_errors == 0));
    for (const struct diag_entry *e = d->first; e; e = e->next)
        ck_assert_int_eq(e->code, DIAG_IR_INVALID);
    diag_free(d);
    return ok;
}

static const char io[] = "index=0, dtype=\"f32\", shape=";

/* input -> relu -> relu -> add(both) -> output, all f32[2x3] */
static const char diamond[] =
    "graph \"d\" tensor {\n"
    "  %0 = input {index=0, dtype=\"f32\", shape=[2,3]} : f32[2x3] @\"x\"\n"
    "  %1 = relu %0 : f32[2x3]\n"
    "  %2 = neg %1 : f32[2x3]\n"
    "  %3 = add %1, %2 : f32[2x3]\n"
    "  output %3 {index=0, dtype=\"f32\", shape=[2,3]} @\"y\"\n"
    "}\n";

/* ---- types and payloads ---- */

START_TEST(test_types)
{
    char buf[64];
    enum ir_dtype t;
    int64_t n;
    struct ir_type image = ir_type_of(IR_F32, 4, (int64_t[]){1, 3, 224, 224});
    ck_assert_str_eq(ir_type_text(&image, buf, sizeof buf), "f32[1x3x224x224]");
    struct ir_type scalar = ir_type_of(IR_BOOL, 0, NULL);
    ck_assert_str_eq(ir_type_text(&scalar, buf, sizeof buf), "bool[]");
    ck_assert_str_eq(ir_type_text(&image, buf, 6), "f32[1"); /* cut, but terminated */
    ck_assert(ir_type_count(&image, &n));
    ck_assert_int_eq(n, 150528);
    ck_assert_int_eq(ir_count(&scalar), 1);
    ck_assert(ir_dtype_parse("f16", 3, &t) && t == IR_F16);
    ck_assert(!ir_dtype_parse("f1", 2, &t) && !ir_dtype_parse("f166", 4, &t));
    ck_assert_uint_eq(ir_dtype_bytes(IR_F64), 8);
    ck_assert(!ir_type_equal(&image, &scalar) && ir_type_equal(&image, &image));
    int64_t half = (int64_t)1 << 30;
    struct ir_type big =
        ir_type_of(IR_I8, 2, (int64_t[]){half, half}); /* 2^60: times 8 is too much */
    ck_assert(!ir_type_count(&big, &n));
    struct ir_type hidden = ir_type_of(IR_I8, 3, (int64_t[]){0, half, half});
    ck_assert(!ir_type_count(&hidden, &n));
    struct ir_type empty = ir_type_of(IR_I8, 2, (int64_t[]){0, half});
    ck_assert(ir_type_count(&empty, &n) && n == 0);
}
END_TEST

static void count_release(void *owner)
{
    ++*(int *)owner;
}

START_TEST(test_blob_references)
{
    int released = 0;
    float two[2] = {1, 2};
    struct blob *view = blob_view(two, sizeof two, count_release, &released);
    struct diag *d = diag_new();
    struct ir_graph *g = ir_graph_new("g", IR_TENSOR);
    struct ir_type type = ir_type_of(IR_F32, 1, (int64_t[]){2});
    struct ir_op *c = ir_const_new(g, NULL, type, blob_ref(view), "c", (struct loc){0});
    struct ir_graph *copy = ir_clone(g);
    ck_assert_uint_eq(view->refs, 3);
    ir_op_remove(c); /* gives its reference back at once */
    ck_assert_uint_eq(view->refs, 2);
    ir_graph_free(copy);
    ir_graph_free(g);
    ck_assert_int_eq(released, 0);
    blob_unref(view);
    ck_assert_int_eq(released, 1);
    struct blob *splat = blob_splat(two, 4), *dense = blob_view(two, 4, NULL, NULL);
    ck_assert(splat->splat && splat->bytes == 4 && splat->hash == dense->hash);
    blob_unref(splat);
    blob_unref(dense);
    blob_unref(NULL);
    diag_free(d);
}
END_TEST

static uint32_t position(const struct ir_graph *g, const struct ir_op *op)
{
    uint32_t n = 0;
    for (const struct ir_op *o = g->first; o != op; o = o->next)
        n++;
    return n;
}

/* Whatever was done to the uses of a value, those of its copy stand in the same order. */
START_TEST(test_clone_keeps_uses)
{
    struct ir_graph *g = parse_ok("graph \"\" tensor {\n"
                                  "  %0 = input {index=0, dtype=\"f32\", shape=[2]} @\"x\"\n"
                                  "  %1 = add %0, %0\n"
                                  "  %2 = relu %0\n"
                                  "  %3 = relu %0\n"
                                  "  output %1 {index=0, dtype=\"f32\", shape=[2]}\n"
                                  "}\n");
    struct ir_op *add = g->first->next;
    ir_set_operand(add, 1, add->next->out->def->in[0].value); /* now the latest */
    ir_set_operand(add->next, 0, g->first->out);
    struct ir_graph *copy = ir_clone(g);
    const struct ir_use *u = g->first->out->uses, *v = copy->first->out->uses;
    ck_assert_uint_eq(position(g, u->user), 2);
    for (; u; u = u->next, v = v->next) {
        ck_assert_ptr_nonnull(v);
        ck_assert_ptr_eq(*v->link, v);
        ck_assert_uint_eq(position(g, u->user), position(copy, v->user));
        ck_assert_int_eq(u - u->user->in, v - v->user->in);
    }
    ck_assert_ptr_null(v);
    ck_assert(verifies(copy));
    ir_graph_free(copy);
    ir_graph_free(g);
}
END_TEST

/* binary16 bit patterns: IEEE 754-2008 section 3.4. */
START_TEST(test_constant_elements)
{
    struct ir_graph *g =
        parse_ok("graph \"\" tensor {\n"
                 "  %0 = constant {dtype=\"f16\", shape=[9], data=dense(1, 65504, 65520, "
                 "5.9604644775390625e-8,"
                 " 0.1, 2049, 2051, -2, 6.103515625e-5)}\n"
                 "  %1 = constant {dtype=\"i8\", shape=[2], data=dense(-128, 127)}\n"
                 "  %2 = constant {dtype=\"u8\", shape=[1], data=dense(255)}\n"
                 "  %3 = constant {dtype=\"bool\", shape=[2], data=dense(true, false)}\n"
                 "  %4 = constant {dtype=\"i64\", shape=[1000], data=splat(-9223372036854775808)}\n"
                 "  %5 = constant {dtype=\"f64\", shape=[], data=dense(-2.75)}\n"
                 "  %6 = constant {dtype=\"i32\", shape=[3], data=iota}\n"
                 "  %7 = constant {dtype=\"f32\", shape=[3], data=dense(1e30, nan, -1e30)}\n"
                 "  %8 = input {index=0, dtype=\"f32\", shape=[]}\n"
                 "  output %8 {index=0, dtype=\"f32\", shape=[]}\n"
                 "}");
    const uint16_t half[] = {0x3c00, 0x7bff, 0x7c00, 0x0001, 0x2e66,
                             0x6800, 0x6802, 0xc000, 0x0400};
    ck_assert_mem_eq(blob_data(nth(g, 0)->attrs->constant.data), half, sizeof half);
    const double value[] = {1, 65504, INFINITY, 0x1p-24, 0.0999755859375, 2048, 2052, -2, 0x1p-14};
    for (int i = 0; i < 9; i++)
        ck_assert(ir_const_f64(nth(g, 0), i) == value[i]);
    ck_assert_int_eq(ir_const_i64(nth(g, 1), 0), -128);
    ck_assert(ir_const_f64(nth(g, 1), 1) == 127);
    ck_assert_int_eq(ir_const_i64(nth(g, 2), 0), 255);
    ck_assert_int_eq(ir_const_i64(nth(g, 3), 0), 1);
    ck_assert_int_eq(ir_const_i64(nth(g, 3), 1), 0);
    ck_assert(ir_const_i64(nth(g, 4), 999) == INT64_MIN);
    ck_assert_int_eq(ir_const_i64(nth(g, 5), 0), -2);
    ck_assert_int_eq(ir_const_i64(nth(g, 6), 2), 2);
    ck_assert(ir_const_i64(nth(g, 7), 0) == INT64_MAX && ir_const_i64(nth(g, 7), 1) == 0);
    ck_assert(ir_const_i64(nth(g, 7), 2) == INT64_MIN);
    struct arena *a = arena_new();
    const int64_t *expanded = ir_const_data(nth(g, 4), a);
    ck_assert(expanded[0] == INT64_MIN && expanded[999] == INT64_MIN);
    ck_assert_ptr_eq(ir_const_data(nth(g, 6), a), blob_data(nth(g, 6)->attrs->constant.data));
    arena_free(a);
    ir_graph_free(g);
}
END_TEST

/* First outputs of splitmix64, published with the algorithm: seed 0: 0xe220a8397b1dcdaf,
 * seed 1234567: 6457827717110365317 (0x599ed017fb08fc85). */
START_TEST(test_generated_payloads)
{
    struct ir_graph *g =
        parse_ok("graph \"\" tensor {\n"
                 "  %0 = constant {dtype=\"f32\", shape=[1], data=random(0)}\n"
                 "  %1 = constant {dtype=\"f32\", shape=[1], data=random(1234567)}\n"
                 "  %2 = constant {dtype=\"u8\", shape=[300], data=iota}\n"
                 "  %3 = constant {dtype=\"f16\", shape=[3], data=iota}\n"
                 "  %4 = constant {dtype=\"f64\", shape=[0], data=iota}\n"
                 "  %5 = input {index=0, dtype=\"f32\", shape=[]}\n"
                 "  output %5 {index=0, dtype=\"f32\", shape=[]}\n"
                 "}");
    ck_assert(ir_const_f64(nth(g, 0), 0) == 0xe220a8 / 8388608.0 - 1);
    ck_assert(ir_const_f64(nth(g, 1), 0) == 0x599ed0 / 8388608.0 - 1);
    ck_assert_int_eq(ir_const_i64(nth(g, 2), 299), 43);
    ck_assert(ir_const_f64(nth(g, 3), 2) == 2);
    ir_graph_free(g);
}
END_TEST

START_TEST(test_file_payload)
{
    char dir[] = "/tmp/ir_test_XXXXXX", path[64], text[512];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/w.bin", dir);
    FILE *f = fopen(path, "wb");
    const float w[3] = {0, 1.5f, -2};
    fwrite("\1", 1, 1, f); /* so that the view is not aligned */
    fwrite(w, sizeof w, 1, f);
    fclose(f);
    static const char form[] =
        "graph \"\" tensor {\n"
        "%%0 = constant {dtype=\"f32\", shape=[2], data=file(\"%s\", %d, %d)}\n"
        "output %%0 {index=0, dtype=\"f32\", shape=[2]}\n}";
    snprintf(text, sizeof text, form, "w.bin", 5, 8);
    struct diag *d = diag_new();
    char ir[64];
    snprintf(ir, sizeof ir, "%s/t.ir", dir);
    struct ir_graph *g = ir_parse(text, strlen(text), ir, d); /* beside the IR file */
    ck_assert_ptr_nonnull(g);
    ck_assert(ir_const_f64(nth(g, 0), 0) == 1.5 && ir_const_f64(nth(g, 0), 1) == -2);
    struct arena *a = arena_new();
    const float *aligned = ir_const_data(nth(g, 0), a);
    ck_assert(aligned[1] == -2);
    arena_free(a);
    ir_graph_free(g);

    char fifo[64];
    snprintf(fifo, sizeof fifo, "%s/fifo", dir);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    const struct {
        const char *path;
        int offset, bytes;
    } bad[] = {{"w.bin", 6, 8}, {"w.bin", -1, 8}, {"w.bin", 0, 4}, {"none", 0, 8},
               {"fifo", 0, 8},  {".", 0, 8},      {"-", 0, 8}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, form, bad[i].path, bad[i].offset, bad[i].bytes);
        ck_assert_ptr_null(ir_parse(text, strlen(text), ir, d));
    }
    diag_free(d);
    unlink(fifo);
    unlink(path);
    rmdir(dir);
}
END_TEST

/* ---- building and rewriting ---- */

static unsigned count_uses(const struct ir_value *v)
{
    unsigned n = 0;
    for (const struct ir_use *u = v->uses; u; u = u->next)
        n++;
    return n;
}

START_TEST(test_rewriting)
{
    struct ir_graph *g = parse_ok(diamond);
    struct ir_op *x = nth(g, 0), *relu = nth(g, 1), *neg = nth(g, 2), *add = nth(g, 3);
    ck_assert_uint_eq(count_uses(relu->out), 2);
    ck_assert(!ir_has_one_use(relu->out) && ir_has_one_use(neg->out));
    ck_assert_ptr_eq(relu->out->uses->user, add); /* the latest use first */

    ir_replace_uses(relu->out, x->out); /* x: relu, neg, add */
    ck_assert_uint_eq(count_uses(x->out), 3);
    ck_assert_ptr_null(relu->out->uses);
    ir_replace_uses(x->out, x->out);
    ck_assert_uint_eq(count_uses(x->out), 3);
    ck_assert(verifies(g));
    ir_op_remove(relu);
    ck_assert_uint_eq(g->n_ops, 4);
    ck_assert(verifies(g));

    ir_set_operand(add, 0, neg->out);
    ck_assert_uint_eq(count_uses(x->out), 1);
    ck_assert_uint_eq(count_uses(neg->out), 2);
    ck_assert(verifies(g));

    ir_op_move_before(neg, NULL); /* after its users */
    ck_assert(!verifies(g));
    ir_op_move_before(neg, add);
    ck_assert(verifies(g));
    ck_assert_uint_eq(ir_number(g), 4);
    ck_assert_uint_eq(add->id, 2);
    ir_graph_free(g);
}
END_TEST

START_TEST(test_new_op_copies)
{
    struct diag *d = diag_new();
    struct ir_graph *g = ir_graph_new("g", IR_TENSOR);
    char name[] = "layer", entity[] = "node 1";
    int64_t shape[] = {2, 3};
    union ir_attrs attrs = {.input = {.shape = {2, shape}}};
    struct ir_new new = {
        .opcode = IR_input, .attrs = &attrs, .name = name, .loc = {.entity = entity}};
    struct ir_op *x = ir_op_new(g, NULL, &new, d);
    ck_assert_ptr_nonnull(x);
    name[0] = entity[0] = '?';
    shape[0] = -1;
    ck_assert_str_eq(x->name, "layer");
    ck_assert_str_eq(x->loc.entity, "node 1");
    ck_assert_int_eq(x->attrs->input.shape.at[0], 2);

    struct ir_new bad = {.opcode = IR_add, .in = &x->out, .n_in = 1, .loc = {.entity = "node 7"}};
    ck_assert_ptr_null(ir_op_new(g, NULL, &bad, d));
    ck_assert_uint_eq(d->n_errors, 1);
    ck_assert_int_eq(d->first->code, DIAG_SHAPE);
    ck_assert_str_eq(d->first->loc.entity, "node 7");
    ck_assert_uint_eq(g->n_ops, 1);
    ck_assert_ptr_null(x->out->uses);

    struct ir_new before = {.opcode = IR_constant};
    ck_assert_ptr_null(ir_op_new(g, x, &before, d)); /* no dtype, no data */
    float one = 1;
    struct ir_op *c =
        ir_const_new(g, x, ir_type_of(IR_F32, 0, NULL), blob_splat(&one, 4), NULL, (struct loc){0});
    ck_assert_ptr_eq(g->first, c);
    ck_assert_str_eq(c->name, "");
    /* There is no element that one could stand for. */
    struct ir_op *none = ir_const_new(g, x, ir_type_of(IR_F32, 1, (int64_t[]){0}),
                                      blob_splat(&one, 4), NULL, (struct loc){0});
    ck_assert(!none->attrs->constant.data->splat);
    ck_assert_uint_eq(none->attrs->constant.data->bytes, 0);
    diag_free(d);
    ir_graph_free(g);
}
END_TEST

/* ---- inference ---- */

static struct ir_graph *parse_with(const char *stage, const char *values, const char *line,
                                   struct diag *d)
{
    struct text t = {0};
    text_add(&t, "graph \"\" %s {\n%s%s\n", stage, values, line);
    if (strcmp(stage, "crossbar") == 0)
        text_add(&t, "output %%0 {%s[6,8,4], strides=[32,4,1]}\n}", io);
    else
        text_add(&t, "output %%0 {%s[1,4,6,8]}\n}", io);
    struct ir_graph *g = ir_parse(t.at, t.n, "t.ir", d);
    text_free(&t);
    return g;
}

static void expect_good(const char *stage, const char *values, const char *line)
{
    char numbered[512];
    struct diag *d = diag_new();
    snprintf(numbered, sizeof numbered, "%%99 = %s", line);
    struct ir_graph *g = parse_with(stage, values, numbered, d);
    if (!g)
        diag_print(d, stderr);
    ck_assert_msg(g != NULL, "%s", line);
    ir_graph_free(g);
    diag_free(d);
}

static void expect_bad(const char *stage, const char *values, const struct bad_line *bad)
{
    char numbered[512];
    struct diag *d = diag_new();
    snprintf(numbered, sizeof numbered, "%%99 = %s", bad->text);
    ck_assert_msg(!parse_with(stage, values, numbered, d), "%s", bad->text);
    ck_assert_msg(d->first->code == bad->code, "%s: %s", bad->text, d->first->text);
    ck_assert_uint_gt(d->first->loc.line, 0);
    diag_free(d);
}

#define GOOD(stage, values, lines)                                                                 \
    for (size_t i = 0; i < sizeof(lines) / sizeof *(lines); i++)                                   \
    expect_good(stage, values, (lines)[i])
#define BAD(stage, values, lines)                                                                  \
    for (size_t i = 0; i < sizeof(lines) / sizeof *(lines); i++)                                   \
    expect_bad(stage, values, &(lines)[i])

START_TEST(test_good_types)
{
    GOOD("tensor", tensor_values, good_tensor_lines);
    GOOD("tensor", quantized_values, good_quantized_lines);
    GOOD("canonical", quantized_values, good_quantized_lines);
    GOOD("integer", integer_values, good_integer_lines);
    GOOD("crossbar", crossbar_values, good_crossbar_lines);
    GOOD("crossbar", integer_crossbar_values, good_integer_crossbar_lines);
}
END_TEST

START_TEST(test_bad_types)
{
    BAD("tensor", tensor_values, bad_tensor_lines);
    BAD("tensor", quantized_values, bad_quantized_lines);
    BAD("integer", integer_values, bad_integer_lines);
    BAD("crossbar", crossbar_values, bad_crossbar_lines);
    BAD("crossbar", integer_crossbar_values, bad_integer_crossbar_lines);
}
END_TEST

/* ---- text form, clone, fingerprint ---- */

static struct ir_graph *every_op_graph(void)
{
    struct diag *d = diag_new();
    struct ir_graph *g = parse_with("tensor", tensor_values, every_op, d);
    diag_print(d, stderr);
    ck_assert_ptr_nonnull(g);
    diag_free(d);
    return g;
}

static void mark_opcodes(const struct ir_graph *g, bool *seen)
{
    for (const struct ir_op *op = g->first; op; op = op->next)
        seen[op->opcode] = true;
}

/* parse(print(g)) == g, and it prints the same. */
static void expect_round_trip(const struct ir_graph *g)
{
    struct text once = {0}, again = {0};
    struct ir_print_options inline_blobs = {.inline_blobs = true};
    ir_print(g, &inline_blobs, &once);
    struct ir_graph *copy = parse_ok(once.at);
    ck_assert_uint_eq(ir_fingerprint(copy), ir_fingerprint(g));
    ir_print(copy, &inline_blobs, &again);
    ck_assert_str_eq(once.at, again.at);
    ir_graph_free(copy);
    copy = ir_clone(g);
    ck_assert_uint_eq(ir_fingerprint(copy), ir_fingerprint(g));
    ck_assert(verifies(copy));
    ir_graph_free(copy);
    text_free(&once);
    text_free(&again);
}

/* Two models in one graph: names, indices and numbers of weights stay apart. */
START_TEST(test_append)
{
    struct ir_graph *one =
        parse_ok("graph \"\" tensor {\n"
                 "  %0 = input {index=0, dtype=\"f32\", shape=[1,2]} @\"x\"\n"
                 "  %1 = constant {dtype=\"f32\", shape=[2,2], data=splat(1.0)}\n"
                 "  %2 = matmul %0, %1 {weights=1} @\"fc\"\n"
                 "  output %2 {index=0, dtype=\"f32\", shape=[1,2]} @\"y\"\n"
                 "}\n");
    struct ir_graph *both = ir_graph_new("g", IR_TENSOR);
    ir_append(both, one, &(struct ir_append){.prefix = "a/"});
    ir_append(both, one, &(struct ir_append){"b/", 1, 1, 1});
    ck_assert(verifies(both));
    ck_assert_str_eq(both->first->name, "a/x");
    ck_assert_int_eq(both->last->attrs->output.index, 1);
    ck_assert_str_eq(both->last->name, "b/y");
    ck_assert_int_eq(both->last->prev->attrs->matmul.weights, 2);
    ck_assert_str_eq(both->last->prev->name, "b/fc");
    ir_graph_free(one);
    ir_graph_free(both);
}
END_TEST

START_TEST(test_round_trip)
{
    static const struct {
        const char *stage, *values, *lines;
    } texts[] = {{"tensor", tensor_values, every_op},
                 {"tensor", quantized_values, quantized_op},
                 {"integer", integer_values, integer_op},
                 {"crossbar", crossbar_values, crossbar_op}};
    bool seen[IR_N_OPCODES] = {false};
    struct diag *d = diag_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ir_graph *g = parse_with(texts[i].stage, texts[i].values, texts[i].lines, d);
        ck_assert_msg(g != NULL, "%s", g ? "" : d->first->text);
        mark_opcodes(g, seen);
        expect_round_trip(g);
        ir_graph_free(g);
    }
    for (unsigned i = 0; i < IR_N_OPCODES; i++)
        ck_assert_msg(seen[i], "%s is in no test", ir_op_descs[i].name);
    diag_free(d);
}
END_TEST

START_TEST(test_print)
{
    static const char want[] =
        "graph \"n\" canonical {\n"
        "  %0 = input {index=0, dtype=\"f16\", shape=[1,1,4,4], extent=[0,0,0], strides=[0,0,0], "
        "offset=0} : f32[1x1x4x4] @\"x\"\n"
        "  %1 = constant {dtype=\"f32\", shape=[1,1,3,3], data=splat(0.5)} : f32[1x1x3x3]\n"
        "  %2 = conv %0, %1 {kernel=[3,3], stride=[1,1], dilation=[1,1], pad=[0,0,0,0], group=1, "
        "weights=0} : f32[1x1x2x2] @\"c\" loc(\"node 2 'c' (Conv)\")\n"
        "  %3 = relu %2 : f32[1x1x2x2]\n"
        "  output %3 {index=0, dtype=\"f32\", shape=[1,1,2,2], strides=[0,0,0], offset=0} @\"y\"\n"
        "}\n";
    struct ir_graph *g = parse_ok(want);
    struct text t = {0};
    ir_print(g, NULL, &t);
    ck_assert_str_eq(t.at, want);
    ck_assert_str_eq(nth(g, 2)->loc.entity, "node 2 'c' (Conv)");
    ck_assert_uint_eq(nth(g, 2)->loc.line, 4);
    ck_assert_uint_eq(nth(g, 2)->loc.col, 3);
    ir_graph_free(g);
    text_free(&t);

    g = parse_ok("; a comment\ngraph \"x\" tensor { ; and one here\r\n"
                 "%7 = constant {dtype=\"f32\", ; lists may go on\n  shape=[1,65], data=iota}\n\n"
                 "output %7 {index=0, dtype=\"f32\", shape=[1,65]} }\n;end");
    ir_print(g, NULL, &t);
    ck_assert_ptr_nonnull(strstr(t.at, "data=hash(\""));
    ck_assert_ptr_nonnull(strstr(t.at, "\", 260)} : f32[1x65]\n"));
    struct diag *d = diag_new();
    ck_assert_ptr_null(parse(t.at, d));
    ck_assert_ptr_nonnull(strstr(d->first->text, "inline"));
    diag_free(d);
    text_free(&t);
    ir_graph_free(g);
}
END_TEST

/* What must change the fingerprint, each made from the diamond by replacing one piece of text. */
START_TEST(test_fingerprint)
{
    static const char *const edits[][2] = {
        {"graph \"d\"", "graph \"e\""},
        {"tensor {", "canonical {"},
        {"relu", "abs"},
        {"neg %1", "neg %0"},
        {"%1, %2", "%2, %1"},
        {"@\"x\"", "@\"z\""},
        {"f32\", shape=[2,3]} @", "f16\", shape=[2,3]} @"},
    };
    struct ir_graph *g = parse_ok(diamond);
    uint64_t base = ir_fingerprint(g);
    nth(g, 1)->loc.entity = "elsewhere"; /* locations do not count */
    nth(g, 1)->id = 1000;
    ck_assert_uint_eq(ir_fingerprint(g), base);
    ir_graph_free(g);
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        struct text t = {0};
        const char *at = strstr(diamond, edits[i][0]);
        ck_assert_ptr_nonnull(at);
        text_add_bytes(&t, diamond, (size_t)(at - diamond));
        text_add(&t, "%s%s", edits[i][1], at + strlen(edits[i][0]));
        g = parse_ok(t.at);
        ck_assert_msg(ir_fingerprint(g) != base, "%s", edits[i][1]);
        ir_graph_free(g);
        text_free(&t);
    }
}
END_TEST

START_TEST(test_dot)
{
    struct ir_graph *g = every_op_graph();
    struct text t = {0};
    ir_print_dot(g, &t);
    ck_assert_int_eq(strncmp(t.at, "digraph \"\" {\n", 13), 0);
    ck_assert_ptr_nonnull(strstr(t.at, "  n0 -> n18;\n  n6 -> n18;\n  n9 -> n18;\n"));
    ck_assert_ptr_nonnull(strstr(t.at, "label=\"conv c \\\"1\\\""));
    text_free(&t);
    ir_graph_free(g);
}
END_TEST

/* ---- verifier ---- */

START_TEST(test_verifier_sees)
{
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        struct ir_graph *g = parse_ok(diamond);
        struct arena *arena = g->arena;
        ck_assert(verifies(g));
        breaks[i](g);
        ck_assert_msg(!verifies(g), "fault %zu was not seen", i);
        arena_free(arena); /* no constants inside; the list may be broken */
    }
}
END_TEST

START_TEST(test_interface)
{
    for (size_t i = 0; i < sizeof interfaces / sizeof *interfaces; i++) {
        struct text t = {0};
        struct diag *d = diag_new();
        text_add(&t, "graph \"\" %s {\n%s%s}", interfaces[i].stage, crossbar_values,
                 interfaces[i].lines);
        struct ir_graph *g = parse(t.at, d);
        ck_assert_msg((g != NULL) == interfaces[i].good, "%s", interfaces[i].lines);
        ck_assert(g || d->first->code == DIAG_IR_INVALID);
        ir_graph_free(g);
        diag_free(d);
        text_free(&t);
    }
    struct ir_graph *g =
        parse_ok("graph \"\" tensor {\n%0 = input {index=0, dtype=\"f32\", shape=[1,1,2,2]}\n"
                 "%1 = constant {dtype=\"f32\", shape=[1,1,1,1], data=splat(1)}\n"
                 "%2 = conv %0, %1 {kernel=[1,1], stride=[1,1], dilation=[1,1],"
                 " pad=[0,0,0,0], group=1}\n"
                 "output %2 {index=0, dtype=\"f32\", shape=[1,1,2,2]}\n}");
    g->stage = IR_CANONICAL;
    ck_assert(verifies(g));
    nth(g, 2)->attrs->conv.pad[3] = 1;
    nth(g, 2)->out->type.dim[3] = 3;
    ck_assert(!verifies(g)); /* padding is an operation of its own there */
    ir_graph_free(g);
}
END_TEST

/* ---- text that does not parse ---- */

START_TEST(test_malformed)
{
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        struct diag *d = diag_new();
        ck_assert_msg(!parse(malformed[i].text, d), "%s", malformed[i].text);
        ck_assert_ptr_nonnull(d->first);
        ck_assert_msg(d->first->loc.line == malformed[i].line &&
                          d->first->loc.col == malformed[i].col,
                      "%s\n%u:%u: %s", malformed[i].text, d->first->loc.line, d->first->loc.col,
                      d->first->text);
        diag_free(d);
    }
}
END_TEST

START_TEST(test_many_errors)
{
    struct text t = {0};
    struct diag *d = diag_new();
    text_add(&t, "graph \"\" tensor {\n%%0 = what\n%%1 = relu %%0\n%%2 = add %%0, %%1\n?\nrelu\n}");
    ck_assert_ptr_null(parse(t.at, d));
    ck_assert_uint_eq(d->n_errors, 3); /* the users of what is wrong say nothing */
    ck_assert_uint_eq(d->first->next->loc.line, 5);
    t.n = 0;
    text_add(&t, "graph \"\" tensor {\n");
    for (int i = 0; i < 100; i++)
        text_add(&t, "what\n");
    struct diag *many = diag_new();
    ck_assert_ptr_null(parse(t.at, many));
    ck_assert_uint_eq(many->n_errors, 20);
    diag_free(many);
    diag_free(d);
    text_free(&t);
}
END_TEST

/* A splat of 2^59 elements takes no memory. */
START_TEST(test_huge_splat)
{
    ir_graph_free(parse_ok(
        "graph \"\" tensor {\n%0 = constant {dtype=\"f32\", shape=[576460752303423488],"
        " data=splat(1)}\noutput %0 {index=0, dtype=\"f32\", shape=[576460752303423488]}\n}"));
}
END_TEST

/* Whatever is done to a text: either a verified graph or a diagnostic. */
static void expect_answer(const char *text, size_t n)
{
    struct diag *d = diag_new();
    char *exact = malloc(n + 1); /* so that ASan sees a read at the end */
    memcpy(exact, text, n);
    char *end = realloc(exact, n ? n : 1);
    struct ir_graph *g = ir_parse(end, n, "t.ir", d);
    ck_assert((g != NULL) == (d->n_errors == 0));
    ir_graph_free(g);
    free(end);
    diag_free(d);
}

START_TEST(test_damaged_text)
{
    static const char pieces[] = "%=,:;@{}[]()\"\\-x0123456789.\n \t\r\xff\0neafhi";
    struct ir_graph *g = every_op_graph();
    struct text t = {0};
    uint64_t seed = 11;
    ir_print(g, &(struct ir_print_options){.inline_blobs = true}, &t);
    ir_graph_free(g);
    for (size_t n = 0; n < t.n; n += 1 + random_next(&seed) % 31)
        expect_answer(t.at, n);
    for (int i = 0; i < 1500; i++) {
        char saved[3];
        size_t at = random_next(&seed) % (t.n - 3), len = 1 + random_next(&seed) % 3;
        memcpy(saved, t.at + at, 3);
        for (size_t k = 0; k < len; k++)
            t.at[at + k] = pieces[random_next(&seed) % (sizeof pieces - 1)];
        expect_answer(t.at, t.n);
        memcpy(t.at + at, saved, 3);
    }
    text_free(&t);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_types,
        test_blob_references,
        test_clone_keeps_uses,
        test_constant_elements,
        test_generated_payloads,
        test_file_payload,
        test_rewriting,
        test_new_op_copies,
        test_good_types,
        test_bad_types,
        test_append,
        test_round_trip,
        test_print,
        test_fingerprint,
        test_dot,
        test_verifier_sees,
        test_interface,
        test_malformed,
        test_many_errors,
        test_huge_splat,
        test_damaged_text,
    };
    Suite *s = suite_create("ir");
    TCase *c = tcase_create("ir");
    tcase_set_timeout(c, 60);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return run_suite(s);
}
