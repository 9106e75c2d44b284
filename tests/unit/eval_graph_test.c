/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * eval_graph_test.c - folding of constants and the evaluation of whole graphs.
 */
#include "eval_rig.h"
#include "../run_suite.h"

/* ---- folding ---- */

static struct ir_op *add_op(struct ir_graph *g, enum ir_opcode opcode, const union ir_attrs *attrs,
                            struct ir_value *a, struct ir_value *b)
{
    struct ir_op *op = ir_op_new(g, NULL,
                                 &(struct ir_new){.opcode = opcode,
                                                  .in = (struct ir_value *[]){a, b},
                                                  .n_in = b   ? 2
                                                          : a ? 1
                                                              : 0,
                                                  .attrs = attrs,
                                                  .name = "op"},
                                 diag);
    ck_assert_msg(op != NULL, "%s", diag->first ? diag->first->text : "");
    return op;
}

static struct ir_value *constant_value(struct ir_graph *g, struct tensor t)
{
    struct ir_op *op = constant(g, &t);
    tensor_free(&t);
    return op->out;
}

START_TEST(fold_replaces_operations_on_constants)
{
    struct ir_graph *g = ir_graph_new("test", IR_TENSOR);
    struct ir_value *a = constant_value(g, line(IR_I64, 2, VALUES(1, 2)));
    struct ir_op *sum = add_op(g, IR_add, NULL, a, a);
    struct ir_op *neg = add_op(g, IR_neg, NULL, sum->out, NULL);
    ck_assert_ptr_null(eval_fold(neg, 1000, diag)); /* its operand is not constant yet */
    ck_assert_ptr_null(eval_fold(sum, 15, diag));   /* 16 bytes are too many */
    ck_assert_ptr_null(eval_fold(a->def, 1000, diag));
    struct ir_op *folded = eval_fold(sum, 16, diag);
    ck_assert_ptr_nonnull(folded);
    ck_assert(neg->in[0].value == folded->out && folded->next == neg);
    ck_assert_str_eq(folded->name, "op");
    ck_assert_int_eq(ir_const_i64(folded, 0), 2);
    ck_assert_int_eq(ir_const_i64(folded, 1), 4);
    ck_assert_uint_eq(diag->n_errors, 0);
    ir_graph_free(g);
}
END_TEST

START_TEST(fold_keeps_uniform_results_small)
{
    struct ir_graph *g = ir_graph_new("test", IR_TENSOR);
    struct ir_value *a = constant_value(g, make(IR_F32, SCALAR, VALUES(3)));
    union ir_attrs expand = {.expand = {.shape = INTS(100, 100)}};
    struct ir_op *folded = eval_fold(add_op(g, IR_expand, &expand, a, NULL), SIZE_MAX, diag);
    ck_assert(folded->attrs->constant.data->splat);
    folded = eval_fold(add_op(g, IR_add, NULL, folded->out, a), SIZE_MAX, diag);
    ck_assert(folded->attrs->constant.data->splat);
    ck_assert(ir_const_f64(folded, 9999) == 6);
    /* To be read they are spelled out, which may cost too much. */
    struct ir_value *first = constant_value(g, line(IR_I64, 1, VALUES(0)));
    struct ir_op *row = add_op(g, IR_gather, NULL, folded->out, first);
    ck_assert_ptr_null(eval_fold(row, 39999, diag));
    ck_assert_ptr_nonnull(eval_fold(row, 40000, diag));
    ir_graph_free(g);
}
END_TEST

START_TEST(fold_of_what_has_no_value_reports)
{
    struct ir_graph *g = ir_graph_new("test", IR_TENSOR);
    struct ir_value *a = constant_value(g, line(IR_I64, 1, VALUES(0)));
    struct ir_op *div = add_op(g, IR_div, NULL, a, a);
    ck_assert_ptr_null(eval_fold(div, 1000, diag));
    ck_assert_uint_eq(diag->n_errors, 1);
    ir_graph_free(g);
}
END_TEST

/* ---- graphs ---- */

static struct ir_op *input(struct ir_graph *g, int64_t index, enum ir_dtype dtype, int64_t n)
{
    union ir_attrs at = {.input = {.index = index, .dtype = dtype, .shape = INTS(1, n)}};
    return add_op(g, IR_input, &at, NULL, NULL);
}

static void output(struct ir_graph *g, int64_t index, enum ir_dtype dtype, int64_t n,
                   struct ir_value *v)
{
    union ir_attrs at = {.output = {.index = index, .dtype = dtype, .shape = INTS(1, n)}};
    add_op(g, IR_output, &at, v, NULL);
}

static void count_values(void *self, const struct ir_op *op, const struct tensor *value)
{
    int *n = self;
    ck_assert(op->out && value->data && ir_type_equal(&op->out->type, &value->type));
    ++*n;
}

START_TEST(graph_runs_in_order)
{
    struct ir_graph *g = ir_graph_new("test", IR_CANONICAL);
    struct ir_op *x = input(g, 0, IR_F32, 3), *y = input(g, 1, IR_F32, 3);
    struct ir_value *k = constant_value(g, line(IR_F32, 3, VALUES(1, 2, 3)));
    struct ir_op *product = add_op(g, IR_mul, NULL, x->out, k);
    struct ir_op *sum = add_op(g, IR_add, NULL, product->out, y->out);
    add_op(g, IR_neg, NULL, sum->out, NULL); /* used by nobody */
    output(g, 1, IR_F32, 3, sum->out);
    output(g, 0, IR_F32, 3, x->out); /* an input straight through */
    struct tensor in[2] = {make(IR_F32, SHAPE(1, 3), VALUES(1, 10, 100)),
                           make(IR_F32, SHAPE(3), VALUES(0.5, 0.5, 0.5))};
    struct tensor out[2];
    int seen = 0;
    struct eval_observer observer = {.seen = count_values, .self = &seen, .all = _i};
    ck_assert(eval_graph(g, in, 2, out, 2, &observer, diag));
    ck_assert_int_eq(seen, 5 + _i);
    EXPECT(out[1], IR_F32, SHAPE(1, 3), VALUES(1.5, 20.5, 300.5));
    EXPECT(out[0], IR_F32, SHAPE(1, 3), VALUES(1, 10, 100));
    /* ids need not be dense: nothing in the graph is numbered here */
    tensor_free(&in[0]);
    tensor_free(&in[1]);
    ir_graph_free(g);
}
END_TEST

/* Integers by 0 have no value, which matters where somebody asks for it. */
START_TEST(what_nobody_needs_is_not_in_the_way)
{
    struct ir_graph *g = ir_graph_new("test", IR_TENSOR);
    struct ir_value *zero = constant_value(g, line(IR_I64, 1, VALUES(0)));
    add_op(g, IR_neg, NULL, add_op(g, IR_div, NULL, zero, zero)->out, NULL);
    output(g, 0, IR_F32, 2, input(g, 0, IR_F32, 2)->out);
    struct tensor in = make(IR_F32, SHAPE(1, 2), VALUES(1, 2)), out;
    struct eval_observer observer = {.all = true};
    ck_assert(eval_graph(g, &in, 1, &out, 1, NULL, diag));
    EXPECT(out, IR_F32, SHAPE(1, 2), VALUES(1, 2));
    ck_assert_uint_eq(diag->n_errors, 0);
    ck_assert(!eval_graph(g, &in, 1, &out, 1, &observer, diag));
    ck_assert_uint_eq(diag->n_errors, 1);
    tensor_free(&in);
    ir_graph_free(g);
}
END_TEST

/* 2049 is halfway between the fp16 values 2048 and 2050; 2048 + 1 rounds back to 2048. */
START_TEST(f16_rounds_at_the_border_only)
{
    struct ir_graph *g = ir_graph_new("test", IR_CANONICAL);
    struct ir_op *x = input(g, 0, IR_F16, 2);
    struct ir_value *k = constant_value(g, line(IR_F32, 1, VALUES(1)));
    struct ir_op *sum = add_op(g, IR_add, NULL, x->out, k);
    output(g, 0, IR_F16, 2, sum->out);
    output(g, 1, IR_F32, 2, sum->out);
    struct tensor in = make(IR_F32, SHAPE(1, 2), VALUES(2049, 0.1)), out[2];
    ck_assert(eval_graph(g, &in, 1, out, 2, NULL, diag));
    EXPECT(out[1], IR_F32, SHAPE(1, 2), VALUES(2049, (double)(0.0999755859375f + 1.0f)));
    EXPECT(out[0], IR_F32, SHAPE(1, 2), VALUES(2048, 1.099609375));
    ck_assert(get(&in, 0) == 2049); /* the caller's tensor is as it was */
    tensor_free(&in);
    ir_graph_free(g);
}
END_TEST

/* Outside [1,C=2,H=1,W=3]; inside (h,w,c) through strides; each channel leaves by its own output.
 */
START_TEST(crossbar_inputs_and_outputs_are_views)
{
    struct ir_graph *g = ir_graph_new("test", IR_CROSSBAR);
    union ir_attrs in = {.input = {.index = 0,
                                   .dtype = IR_F32,
                                   .shape = INTS(1, 2, 1, 3),
                                   .extent = {1, 3, 2},
                                   .strides = {3, 1, 3}}};
    union ir_attrs one = {.input = {.index = 0,
                                    .dtype = IR_F32,
                                    .shape = INTS(1, 2, 1, 3),
                                    .extent = {1, 3, 1},
                                    .strides = {0, -1, 0},
                                    .offset = 5}};
    struct ir_op *x = add_op(g, IR_input, &in, NULL, NULL);
    struct ir_op *y = add_op(g, IR_input, &one, NULL, NULL);
    union ir_attrs to = {
        .output = {
            .index = 0, .dtype = IR_F32, .shape = INTS(3, 3), .strides = {0, 3, 1}, .offset = 1}};
    add_op(g, IR_output, &to, x->out, NULL);
    to.output.offset = 0;
    add_op(g, IR_output, &to, y->out, NULL);
    struct tensor given = make(IR_F32, SHAPE(1, 2, 1, 3), VALUES(1, 2, 3, 4, 5, 6)), out;
    ck_assert(eval_graph(g, &given, 1, &out, 1, NULL, diag));
    /* row w: y(w) = 6 5 4, then x(w, c) */
    EXPECT(out, IR_F32, SHAPE(3, 3), VALUES(6, 1, 4, 5, 2, 5, 4, 3, 6));
    tensor_free(&given);
    ir_graph_free(g);
}
END_TEST

START_TEST(graph_with_wrong_tensors_reports)
{
    struct ir_graph *g = ir_graph_new("test", IR_CANONICAL);
    output(g, 0, IR_F32, 3, input(g, 0, IR_F32, 3)->out);
    struct tensor small = make(IR_F32, SHAPE(2), VALUES(1, 2)),
                  whole = make(IR_I32, SHAPE(3), VALUES(1, 2, 3)),
                  good = make(IR_F32, SHAPE(3), VALUES(1, 2, 3)), out[2];
    ck_assert(!eval_graph(g, &small, 1, out, 1, NULL, diag));
    ck_assert(!eval_graph(g, &whole, 1, out, 1, NULL, diag));
    ck_assert(!eval_graph(g, NULL, 0, out, 1, NULL, diag));
    ck_assert(!eval_graph(g, &good, 1, NULL, 0, NULL, diag));
    ck_assert(!eval_graph(g, &good, 1, out, 2, NULL, diag));
    ck_assert(out[0].data == NULL && out[1].data == NULL);
    ck_assert_uint_eq(diag->n_errors, 5);
    for (const struct diag_entry *e = diag->first; e; e = e->next)
        ck_assert_int_eq(e->code, DIAG_DATA);
    tensor_free(&small);
    tensor_free(&whole);
    tensor_free(&good);
    ir_graph_free(g);
}
END_TEST

/* Views of a file begin anywhere. */
START_TEST(unaligned_constants_are_read)
{
    struct ir_graph *g = ir_graph_new("test", IR_CANONICAL);
    char bytes[13];
    float values[3] = {1, 2, 3};
    memcpy(bytes + 1, values, sizeof values);
    struct ir_op *k = ir_const_new(g, NULL, ir_type_of(IR_F32, SHAPE(1, 3)),
                                   blob_view(bytes + 1, 12, NULL, NULL), "k", (struct loc){0});
    output(g, 0, IR_F32, 3, add_op(g, IR_add, NULL, k->out, input(g, 0, IR_F32, 3)->out)->out);
    struct tensor in = make(IR_F32, SHAPE(3), VALUES(1, 1, 1)), out;
    ck_assert(eval_graph(g, &in, 1, &out, 1, NULL, diag));
    EXPECT(out, IR_F32, SHAPE(1, 3), VALUES(2, 3, 4));
    tensor_free(&in);
    ir_graph_free(g);
}
END_TEST

static int n_forgotten;
static void note_forgotten(void *owner, const void *data, size_t bytes)
{
    ck_assert(owner == data && bytes == 24);
    n_forgotten++;
}

/* (1,10,100) times the transpose of ((1,2,3), (4,5,6)), also where the transpose itself is read.
 * The file's pages are let go of after their last use. */
START_TEST(transposed_weights)
{
    static float stored[6] = {1, 2, 3, 4, 5, 6};
    static const int64_t swap[] = {1, 0};
    const union ir_attrs perm = {.transpose = {.perm = {.n = 2, .at = swap}}};
    struct ir_graph *g = ir_graph_new("test", IR_TENSOR);
    struct blob *b = blob_view(stored, sizeof stored, NULL, stored);
    b->forget = note_forgotten;
    n_forgotten = 0;
    struct ir_value *w =
        ir_const_new(g, NULL, ir_type_of(IR_F32, SHAPE(2, 3)), b, "w", (struct loc){0})->out;
    struct ir_value *t = add_op(g, IR_transpose, &perm, w, NULL)->out;
    output(g, 0, IR_F32, 2, add_op(g, IR_matmul, NULL, input(g, 0, IR_F32, 3)->out, t)->out);
    union ir_attrs second = {.output = {.index = 1, .dtype = IR_F32, .shape = INTS(3, 2)}};
    if (_i == 1)
        add_op(g, IR_output, &second, add_op(g, IR_neg, NULL, t, NULL)->out, NULL);
    struct tensor in = make(IR_F32, SHAPE(3), VALUES(1, 10, 100)), out[2];
    ck_assert(eval_graph(g, &in, 1, out, 1 + (size_t)_i, NULL, diag));
    EXPECT(out[0], IR_F32, SHAPE(1, 2), VALUES(321, 654));
    if (_i == 1)
        EXPECT(out[1], IR_F32, SHAPE(3, 2), VALUES(-1, -4, -2, -5, -3, -6));
    ck_assert_int_eq(n_forgotten, _i == 0 ? 2 : 1);
    tensor_free(&in);
    ir_graph_free(g);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("eval_graph");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, fold_replaces_operations_on_constants);
    tcase_add_test(tc, fold_keeps_uniform_results_small);
    tcase_add_test(tc, fold_of_what_has_no_value_reports);
    tcase_add_loop_test(tc, graph_runs_in_order, 0, 2);
    tcase_add_test(tc, what_nobody_needs_is_not_in_the_way);
    tcase_add_test(tc, f16_rounds_at_the_border_only);
    tcase_add_test(tc, crossbar_inputs_and_outputs_are_views);
    tcase_add_test(tc, graph_with_wrong_tensors_reports);
    tcase_add_test(tc, unaligned_constants_are_read);
    tcase_add_loop_test(tc, transposed_weights, 0, 2);
    Suite *suite = suite_create("eval_graph");
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
