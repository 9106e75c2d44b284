/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * quant_test.c - pass quant: grids, rounding and which values are taken, worked by hand.
 */
#include "quant/quant.h"

#include "pass_rig.h"
#include "../run_suite.h"

#include <math.h>

/* ---- grids ---- */

static struct target grid_of(const float *x, int64_t n, int64_t bits, double *out_cut_off)
{
    struct arena *a = arena_new();
    struct spread s = {0};
    ck_assert(spread_add(&s, x, n, a));
    struct target t = spread_best_grid(&s, bits);
    *out_cut_off = spread_cut_off(&s, &t);
    arena_free(a);
    return t;
}

/* 0 is on every grid: its zero point is the lowest, the highest, or between. */
START_TEST(test_zero_point)
{
    static const float up[] = {0.5f, 3.0f, 1.5f}, down[] = {-1.0f, -0.25f, 0.0f},
                       both[] = {-1.0f, 3.0f}, none[] = {0.0f, 0.0f};
    double cut_off;
    struct target t = grid_of(up, 3, 8, &cut_off);
    ck_assert_int_eq(t.zero, 0);
    ck_assert(fabs((double)t.scale - 3.0 / 255) < 0.02 * 3.0 / 255);
    t = grid_of(down, 3, 4, &cut_off);
    ck_assert_int_eq(t.zero, 15);
    ck_assert_int_eq(t.hi, 15);
    ck_assert(fabs((double)t.scale - 1.0 / 15) < 0.1 / 15);
    t = grid_of(both, 2, 8, &cut_off);
    ck_assert(t.zero >= 62 && t.zero <= 66); /* a quarter of 255 */
    t = grid_of(none, 2, 8, &cut_off);
    ck_assert(t.scale == 1.0f && t.zero == 0 && cut_off == 0);
}
END_TEST

/*
 * 10,000 elements between 0 and 1, and one of 3. A grid of 4 bits up to 3 has steps of 0.2: errors
 * of 10,000 * 0.2^2 / 12 = 33; one up to 1 has 10,000 / 15^2 / 12 = 3.7 and 4 for the one that is
 * cut off, and between 1 and 1.3 there is little less.
 */
START_TEST(test_outlier_is_cut_off)
{
    enum { N = 10001 };
    float *x = heap_alloc(N * sizeof *x);
    double cut_off;
    for (int i = 0; i < N - 1; i++)
        x[i] = (float)i / (N - 1);
    x[N - 1] = 3.0f;
    struct target t = grid_of(x, N, 4, &cut_off);
    ck_assert(15 * t.scale > 0.95f && 15 * t.scale < 1.3f);
    ck_assert(fabs(cut_off * N - 1) < 1e-6);
    heap_free(x);
}
END_TEST

/* Bins double as larger elements come: what was counted before stays. */
START_TEST(test_range_doubles)
{
    struct arena *a = arena_new();
    struct spread s = {0}, t = {0};
    static const float small_first[] = {1e-20f, 1.0f, 5000.0f, -3.0f},
                       large_first[] = {5000.0f, -3.0f, 1.0f, 1e-20f};
    ck_assert(spread_add(&s, small_first, 4, a) && spread_add(&t, large_first, 4, a));
    uint64_t n = 0, m = 0;
    for (int i = 0; i < SPREAD_BINS; i++) {
        n += s.side[1].bins[i];
        m += t.side[1].bins[i];
    }
    ck_assert(n == 3 && m == 3 && s.least == -3.0f && s.most == 5000.0f);
    ck_assert(!spread_add(&s, &(float){INFINITY}, 1, a) && !spread_add(&s, &(float){NAN}, 1, a));
    arena_free(a);
}
END_TEST

/* ---- rounding ---- */

/* Two rows that always read the same: 0.4 + 0.4 is 0.8, so one of them becomes 1. Two that have
 * nothing to do with one another: each is rounded by itself. */
START_TEST(test_feedback)
{
    const double same[4] = {10, 10, 10, 10}, apart[4] = {10, 0, 0, 10}, dead[4] = {0};
    double w[2] = {0.4, 0.4}, v[2] = {0.4, 0.4}, x[2] = {0.6, 9.0};
    quant_feedback(w, 2, 1, 7, same, 2);
    ck_assert(w[0] == 0 && w[1] == 1);
    quant_feedback(v, 2, 1, 7, apart, 2);
    ck_assert(v[0] == 0 && v[1] == 0);
    quant_feedback(x, 2, 1, 7, dead, 2);
    ck_assert(x[0] == 1 && x[1] == 7);
}
END_TEST

/* The row with the larger moment is rounded first, and the other makes up for it: row 1 loses 0.4,
 * of which 0.4 * 20 / 10.25 = 0.78 goes to row 0. */
START_TEST(test_feedback_order)
{
    const double second[4] = {10, 20, 20, 40};
    double w[2] = {0.1, 0.4};
    quant_feedback(w, 2, 1, 7, second, 2);
    ck_assert(w[1] == 0 && w[0] == 1);
}
END_TEST

/* ---- the pass ---- */

#define INPUT(shape) "%0 = input {index=0, dtype=\"f32\", shape=[" shape "]}\n"
#define F32(n, shape, values)                                                                      \
    "%" n " = constant {dtype=\"f32\", shape=[" shape "], data=" values "}\n"
#define CONV(n, x, w, name)                                                                        \
    "%" n " = conv %" x ", %" w                                                                    \
    " {kernel=[1,1], stride=[1,1], dilation=[1,1], pad=[0,0,0,0], group=1, weights=0} @\"" name    \
    "\"\n"
#define OUTPUT(x, shape) "output %" x " {index=0, dtype=\"f32\", shape=[" shape "]}\n"

struct quantised {
    struct rig r;
    struct ir_graph *g;
    struct quant_options options;
    struct tensor x[2];
    struct pass_calibration calibration;
};

/* `values`: two images. */
static void open_text(struct quantised *q, const char *text, const float *values)
{
    rig_open(&q->r);
    q->g = parse_text(&q->r, text);
    q->options = (struct quant_options){.weight_bits = 4, .activation_bits = 8};
    const struct ir_type *t = &find_op(q->g, IR_input)->out->type;
    size_t n = (size_t)ir_count(t);
    for (int i = 0; i < 2; i++) {
        q->x[i] = tensor_new(t);
        memcpy(q->x[i].data, values + (size_t)i * n, n * sizeof *values);
    }
    q->calibration = (struct pass_calibration){q->x, 1, 2, 0};
    q->r.ctx.calibration = &q->calibration;
    q->r.ctx.quant = &q->options;
}

static void close_text(struct quantised *q)
{
    tensor_free(&q->x[0]);
    tensor_free(&q->x[1]);
    ir_graph_free(q->g);
    rig_close(&q->r);
}

static const char dense[] = "graph \"dense\" canonical {\n" INPUT("1,2")
    F32("1", "2,2", "dense(0.7, -0.15, 0.26, 0.4)") "%2 = matmul %0, %1 {weights=0} @\"fc\"\n" F32(
        "3", "2", "dense(0.05, -1.0)") "%4 = add %2, %3\n" OUTPUT("4", "1,2") "}\n";

/* Column 0: the largest is 0.7 = 7 steps of 0.1; 0.26 is 2.6. Column 1: 0.4 is 7 steps, -0.15 is
 * -2.6. The sums are not quantised, so the only quantize is that of the input. */
START_TEST(test_weights)
{
    static const float x[] = {0, 1, 2, 3};
    static const int want[] = {7, -3, 3, 7};
    struct quantised q;
    open_text(&q, dense, x);
    q.options.rounding = QUANT_NEAREST;
    run_ok(&q.r, "quant", &q.g);
    ck_assert_str_eq(q.r.ctx.mode_reason, "quantised by calibration");
    const struct ir_op *layer = find_op(q.g, IR_matmul), *dq = layer->in[1].value->def;
    const struct ir_op *bias = find_op(q.g, IR_add)->in[1].value->def;
    ck_assert(dq->opcode == IR_dequantize && dq->attrs->dequantize.axis == 1);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(ir_const_i64(dq->in[0].value->def, i), want[i]);
    double scale = ir_const_f64(dq->in[1].value->def, 0),
           step = ir_const_f64(bias->in[1].value->def, 0);
    ck_assert(fabs(scale - 0.1) < 1e-7);
    ck_assert(bias->opcode == IR_dequantize && bias->in[0].value->type.dtype == IR_I32);
    ck_assert(fabs((double)ir_const_i64(bias->in[0].value->def, 0) * step - 0.05) <= step / 2);
    run_ok(&q.r, "int", &q.g);
    ck_assert_ptr_nonnull(find_op(q.g, IR_quantize));
    ck_assert(find_op(q.g, IR_matmul)->out->type.dtype == IR_I32);
    close_text(&q);
}
END_TEST

/* Two bits are -1, 0 and 1 steps. A step of 1.0 loses 4 * 0.4^2 = 0.64, one of s that takes all
 * five as 1 loses (1 - s)^2 + 4 * (0.4 - s)^2, least near s = 0.52: of twentieths 0.5 is the best.
 */
START_TEST(test_few_bits)
{
    static const char text[] = "graph \"few\" canonical {\n" INPUT("1,5")
        F32("1", "5,1", "dense(1.0, 0.4, 0.4, 0.4, 0.4)") "%2 = matmul %0, %1 {weights=0} "
                                                          "@\"fc\"\n" OUTPUT("2", "1,1") "}\n";
    static const float x[10] = {1, 2, 3, 4, 5, 5, 4, 3, 2, 1};
    struct quantised q;
    open_text(&q, text, x);
    q.options.weight_bits = 2;
    q.options.rounding = QUANT_NEAREST;
    run_ok(&q.r, "quant", &q.g);
    const struct ir_op *dq = find_op(q.g, IR_matmul)->in[1].value->def;
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(ir_const_i64(dq->in[0].value->def, i), 1);
    ck_assert(ir_const_f64(dq->in[1].value->def, 0) == 0.5);
    close_text(&q);
}
END_TEST

/* Weights that are nearly nothing beside the bias: 0.5 would be 2^53 steps of the sums. Their
 * scale grows until it is 2^30. */
START_TEST(test_bias_widens_the_scale)
{
    static const char text[] = "graph \"dead\" canonical {\n" INPUT("1,1")
        F32("1", "1,1", "dense(1e-15)") "%2 = matmul %0, %1 {weights=0} @\"fc\"\n" F32(
            "3", "1", "dense(0.5)") "%4 = add %2, %3\n" OUTPUT("4", "1,1") "}\n";
    static const float x[] = {1, 2};
    struct quantised q;
    open_text(&q, text, x);
    run_ok(&q.r, "quant", &q.g);
    const struct ir_op *bias = find_op(q.g, IR_add)->in[1].value->def;
    int64_t steps = ir_const_i64(bias->in[0].value->def, 0);
    ck_assert(llabs(steps - (INT64_C(1) << 30)) < 256);
    ck_assert(fabs((double)steps * ir_const_f64(bias->in[1].value->def, 0) - 0.5) < 1e-6);
    run_ok(&q.r, "int", &q.g);
    close_text(&q);
}
END_TEST

/* y = 1 * x: the weight is 127 steps of 1/127, so what is lost is what the input's grid loses, and
 * x = 1000 of the test tensors is cut off to the last step. */
START_TEST(test_report)
{
    static const char text[] = "graph \"one\" canonical {\n" INPUT("1,3") F32(
        "1", "3,3",
        "dense(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)") "%2 = matmul %0, %1 {weights=0} "
                                                              "@\"fc\"\n" OUTPUT("2", "1,3") "}\n";
    static const float x[] = {0.11f, 0.95f, 0.37f, 0.59f, 0.02f, 1.0f},
                       other[] = {1000, 0, 0, 1000, 0, 0};
    struct quantised q, test;
    open_text(&q, text, x);
    open_text(&test, text, other);
    struct quant_report report = {.arena = q.r.arena};
    q.options.weight_bits = 8;
    q.r.ctx.quant_report = &report;
    q.r.ctx.quant_test = &test.calibration;
    run_ok(&q.r, "quant", &q.g);
    ck_assert(report.n_rows == 2 && report.n_images == 2 && report.n_test_images == 2);
    const struct quant_row *input = &report.rows[0], *fc = &report.rows[1];
    ck_assert(input->weight_bits == 0 && input->bits == 8 && input->least == 0 && input->most == 1);
    ck_assert(strcmp(fc->name, "fc") == 0 && fc->weight_bits == 8 && fc->bits == 0);
    double signal = 0, noise = 0, scale = (double)input->scale;
    for (int i = 0; i < 6; i++) {
        double error = (double)x[i] - scale * fmin(rint((double)x[i] / scale), 255);
        signal += (double)x[i] * (double)x[i];
        noise += error * error;
    }
    double snr = 10 * log10(signal / noise), lost = 1000 - 255 * scale;
    ck_assert(fabs(input->layer_snr - snr) < 0.01 && fabs(input->own_snr - snr) < 0.01);
    ck_assert(fabs(report.snr - snr) < 0.01 && fc->own_snr > 120);
    ck_assert(fabs(report.test_snr - 20 * log10(1000 / lost)) < 0.001);
    close_text(&q);
    close_text(&test);
}
END_TEST

/* r = relu(a(x)); s = b(r); t = relu(s + r); c(concat(t, r)): x, r, s and the concat become bytes,
 * t does as a part of the concat, and what c makes leaves as floats. */
static const char block[] = "graph \"block\" canonical {\n" INPUT("1,2,2,2")
    F32("1", "2,2,1,1", "dense(0.5, -0.25, 0.75, 1.0)")
        CONV("2", "0", "1", "a") "%3 = relu %2 @\"r\"\n" CONV(
            "4", "3", "1", "b") "%5 = add %4, %3 @\"sum\"\n%6 = relu %5 @\"t\"\n"
                                "%7 = concat %6, %3 {axis=1} @\"join\"\n" F32("8", "1,4,1,1",
                                                                              "splat(0.5)")
                                    CONV("9", "7", "8", "c") OUTPUT("9", "1,1,2,2") "}\n";

static unsigned count_ops(const struct ir_graph *g, enum ir_opcode opcode)
{
    unsigned n = 0;
    for (const struct ir_op *op = g->first; op; op = op->next)
        n += op->opcode == opcode;
    return n;
}

static const float block_x[] = {0, 1, 2, 3, 4, 5, 6, 7, -1, -2, 3, 1, 0, 2, 5, 1};

START_TEST(test_values_taken)
{
    struct quantised q;
    open_text(&q, block, block_x);
    run_ok(&q.r, "quant", &q.g);
    ck_assert_uint_eq(count_ops(q.g, IR_quantize), 4);
    const struct ir_op *out = q.g->last;
    ck_assert(out->opcode == IR_output && ir_is(out->in[0].value, IR_conv));
    run_ok(&q.r, "int,fold,cse,dce", &q.g);
    ck_assert_uint_eq(count_ops(q.g, IR_conv), 3);
    for (const struct ir_op *op = q.g->first; op; op = op->next)
        ck_assert(op->opcode != IR_conv || op->out->type.dtype == IR_I32);
    ck_assert(find_op(q.g, IR_concat)->out->type.dtype == IR_U8);
    close_text(&q);
}
END_TEST

/* The bits of a layer's weights and of what it reads; another layer reads r too, with 8. */
START_TEST(test_overrides)
{
    static const struct quant_override layers[] = {{"a", 2, 4}, {"1", 0, 5}};
    static const struct quant_override wrong[] = {{"d", 4, 0}};
    struct quantised q;
    open_text(&q, block, block_x);
    q.options.layers = layers;
    q.options.n_layers = 2;
    run_ok(&q.r, "quant", &q.g);
    const struct ir_op *input = find_op(q.g, IR_quantize);
    ck_assert_int_eq(input->attrs->quantize.hi, 15); /* a reads it */
    const struct ir_op *w = find_op(q.g, IR_conv)->in[1].value->def->in[0].value->def;
    for (int i = 0; i < 4; i++)
        ck_assert_int_le(llabs(ir_const_i64(w, i)), 1);
    close_text(&q);
    open_text(&q, block, block_x);
    q.options.layers = wrong;
    q.options.n_layers = 1;
    ck_assert(!run(&q.r, "quant", &q.g));
    ck_assert(has_error(&q.r, DIAG_LOWER, "'d' is no base layer"));
    close_text(&q);
}
END_TEST

START_TEST(test_result_is_not_finite)
{
    float x[16] = {0};
    struct quantised q;
    for (int i = 0; i < 16; i++)
        x[i] = 3e38f;
    open_text(&q, block, x);
    ck_assert(!run(&q.r, "quant", &q.g));
    ck_assert(has_error(&q.r, DIAG_DATA, "no finite number"));
    close_text(&q);
}
END_TEST

#define ONE_WEIGHT(w, b)                                                                           \
    "graph \"one\" canonical {\n" INPUT("1,1")                                                     \
        F32("1", "1,1", "dense(" w ")") "%2 = matmul %0, %1 {weights=0} @\"fc\"\n" F32(            \
            "3", "1", "dense(" b ")") "%4 = add %2, %3\n" OUTPUT("4", "1,1") "}\n"

static void refuses(const char *text, float x, const char *message)
{
    struct quantised q;
    open_text(&q, text, (const float[]){x, x});
    ck_assert(!run(&q.r, "quant", &q.g));
    ck_assert(has_error(&q.r, DIAG_DATA, message));
    close_text(&q);
}

/* 255 steps of the input are 1e5, 127 of the weight 2e38: one of the sum is 6e38. */
START_TEST(test_constant_is_not_finite)
{
    refuses(ONE_WEIGHT("inf", "0.0"), 1, "its weights or its bias");
    refuses(ONE_WEIGHT("nan", "0.0"), 1, "its weights or its bias");
    refuses(ONE_WEIGHT("1.0", "nan"), 1, "its weights or its bias");
    refuses(ONE_WEIGHT("1.0", "-inf"), 1, "its weights or its bias");
    refuses(ONE_WEIGHT("2e38", "0.0"), 1e5f, "a step of its sums");
}
END_TEST

/* The product of both scales would be 1e-58: the weight's grows until a step is a normal number. */
START_TEST(test_steps_stay_normal)
{
    struct quantised q;
    open_text(&q, ONE_WEIGHT("1e-27", "0.0"), (const float[]){1e-27f, 1e-27f});
    run_ok(&q.r, "quant", &q.g);
    const struct ir_op *bias = find_op(q.g, IR_add)->in[1].value->def;
    ck_assert(ir_const_f64(bias->in[1].value->def, 0) >= 0x1p-126);
    run_ok(&q.r, "int", &q.g);
    close_text(&q);
}
END_TEST

/* A product beyond f32 has neither signal nor noise: that is not the same as no error. */
START_TEST(test_snr_is_not_finite)
{
    struct quantised q;
    open_text(&q, ONE_WEIGHT("3e38", "0.0"), (const float[]){2, 2});
    struct quant_report report = {.arena = q.r.arena};
    q.r.ctx.quant_report = &report;
    run_ok(&q.r, "quant", &q.g);
    ck_assert(isnan(report.snr));
    close_text(&q);
}
END_TEST

/* Without options or tensors, and of what is quantised already, the pass changes nothing. */
START_TEST(test_nothing_to_do)
{
    struct quantised q;
    open_text(&q, block, block_x);
    q.r.ctx.quant = NULL;
    run_ok(&q.r, "quant", &q.g);
    ck_assert_uint_eq(count_ops(q.g, IR_quantize), 0);
    close_text(&q);
    open_text(&q, block, block_x);
    run_ok(&q.r, "quant", &q.g);
    uint64_t once = ir_fingerprint(q.g);
    run_ok(&q.r, "quant", &q.g);
    ck_assert(ir_fingerprint(q.g) == once);
    close_text(&q);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("quant");
    TCase *t = tcase_create("quant");
    tcase_add_test(t, test_zero_point);
    tcase_add_test(t, test_outlier_is_cut_off);
    tcase_add_test(t, test_range_doubles);
    tcase_add_test(t, test_feedback);
    tcase_add_test(t, test_feedback_order);
    tcase_add_test(t, test_weights);
    tcase_add_test(t, test_few_bits);
    tcase_add_test(t, test_bias_widens_the_scale);
    tcase_add_test(t, test_report);
    tcase_add_test(t, test_values_taken);
    tcase_add_test(t, test_overrides);
    tcase_add_test(t, test_result_is_not_finite);
    tcase_add_test(t, test_constant_is_not_finite);
    tcase_add_test(t, test_steps_stay_normal);
    tcase_add_test(t, test_snr_is_not_finite);
    tcase_add_test(t, test_nothing_to_do);
    suite_add_tcase(s, t);
    return run_suite(s);
}
