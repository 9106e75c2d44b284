/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * readout_calibrate.c - the steps of converters from what these are given by calibration data: of a
 * weights object and slice, the one of least squared error of all conversions, the smaller of equal
 * ones. In: a graph with read-out attributes. The evaluator runs it with converters that are ideal
 * and cells without noise, so that a layer sees what it would see if only it were not; sums of
 * squares are taken conversion by conversion, in the order of images, and nothing is kept of them.
 */
#include "readout_pass.h"

#include "eval.h"

enum { MAX_STEPS = 33 }; /* sums of 65,536 rows have 32 bits */

/* Of a slice of an object: squared errors by step. */
struct errors {
    double at[MAX_STEPS];
};

struct search {
    int64_t adc_bits;
    int64_t *most; /* by object: the step at which nothing saturates */
    struct errors (*of)[READOUT_SLICES];
};

static void add_errors(void *self, const struct ir_op *mvm, unsigned slice, const int64_t *a,
                       int64_t n)
{
    const struct search *s = self;
    const struct ir_attrs_mvm *at = &mvm->attrs->mvm;
    int64_t codes = INT64_C(1) << s->adc_bits;
    int64_t lo = at->encoding == IR_ENCODING_ANALOG_DIFFERENTIAL ? -codes / 2 : 0;
    double *errors = s->of[at->object][slice].at;
    for (int64_t step = 0; step <= s->most[at->object]; step++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++) {
            int64_t code = rne_shift_i64(a[i], (unsigned)step);
            code = max_i64(lo, min_i64(code, lo + codes - 1));
            double error = (double)(code * (INT64_C(1) << step) - a[i]);
            sum += error * error;
        }
        errors[step] += sum;
    }
}

/* The graph as it is to be watched. */
static struct ir_graph *ideal_copy(const struct ir_graph *g)
{
    struct ir_graph *copy = ir_clone(g);
    for (struct ir_op *op = copy->first; op; op = op->next) {
        if (!readout_has(op))
            continue;
        struct ir_attrs_mvm *at = &op->attrs->mvm;
        at->adc_bits = at->noise_seed = at->fraction_bits = 0;
        at->shift = (struct ir_ints){0, NULL};
    }
    return copy;
}

static int64_t least(const struct errors *e, int64_t most)
{
    int64_t best = 0;
    for (int64_t step = 1; step <= most; step++)
        best = e->at[step] < e->at[best] ? step : best;
    return best;
}

bool readout_calibrate(const struct ir_graph *g, struct pass_ctx *ctx,
                       const struct readout_steps *out)
{
    struct search s = {.adc_bits = ctx->arch->adc_bits};
    s.most = ARENA_ARRAY(ctx->scratch, int64_t, out->n_objects);
    s.of = arena_alloc_array(ctx->scratch, out->n_objects, sizeof *s.of);
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (readout_has(op))
            s.most[op->attrs->mvm.object] = readout_full_step(op);
    struct ir_graph *copy = ideal_copy(g);
    struct eval_observer observer = {.converted = add_errors, .self = &s, .all = true};
    bool ok = pass_run_images(copy, ctx, "calibrate converters", &observer);
    ir_graph_free(copy);
    for (uint32_t i = 0; i < out->n_objects; i++)
        for (int j = 0; j < READOUT_SLICES; j++)
            out->at[i][j] = least(&s.of[i][j], s.most[i]);
    return ok;
}
