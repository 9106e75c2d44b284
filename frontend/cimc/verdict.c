/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * verdict.c - are the outputs right? Comparison with the references, and what a difference means.
 *
 * In: the program's outputs and the references. Out: a `difference` for each output, errors for
 * those that fail. The graph's evaluator is asked only where an output differs too much: for the
 * largest magnitude that values have on the way, and whether it agrees with the program.
 */
#include "verdict.h"

#include "simulate.h"
#include "values.h"

#include <math.h>
#include <stdlib.h>

/* An f32 value that is a difference of larger ones keeps no more of them than this. */
static const double ABSOLUTE = 0x1p-22, LEAST_MAGNITUDE = 0x1p-10;

/* ---- two tensors ---- */

static double distance(double a, double b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    double x = fabs(a - b);
    return isnan(x) ? INFINITY : x;
}

struct tolerance verdict_tolerance(const struct cimc_options *s)
{
    return (struct tolerance){.relative = s->tolerance, .steps = s->tolerance_steps};
}

struct difference compare_values(enum ir_dtype dtype, const void *got, const void *want, int64_t n,
                                 double step, struct tolerance t)
{
    struct difference r = {.step = dtype == IR_F32 ? step : 1};
    for (int64_t i = 0; i < n; i++) {
        double x = values_at(dtype, want, i), error = distance(values_at(dtype, got, i), x);
        double steps = r.step > 0 ? rint(error / r.step) : 0;
        if (error > r.max_abs_error) {
            r.max_abs_error = error;
            r.worst = i;
        }
        if (isfinite(x))
            r.max_abs_reference = fmax(r.max_abs_reference, fabs(x));
        r.max_steps = fmax(r.max_steps, steps);
        r.by_steps[(int)fmin(steps, STEP_CLASSES - 1)]++;
    }
    r.pass = r.step > 0 ? r.max_steps <= (double)t.steps
                        : r.max_abs_error <= t.relative * r.max_abs_reference;
    return r;
}

void verdict_add_steps(const struct difference *r, struct text *out)
{
    static const char *const by[STEP_CLASSES] = {"", "by 1 step", "by 2 steps", "by more"};
    int64_t n = 0;
    for (int i = 0; i < STEP_CLASSES; i++)
        n += r->by_steps[i];
    text_add(out, "%lld of %lld equal", (long long)r->by_steps[0], (long long)n);
    for (int i = 1; i < STEP_CLASSES; i++) {
        if (r->by_steps[i])
            text_add(out, ", %lld %s", (long long)r->by_steps[i], by[i]);
    }
    if (r->by_steps[STEP_CLASSES - 1])
        text_add(out, ", at most %.0f", r->max_steps);
    if (r->step != 1 && r->by_steps[0] < n)
        text_add(out, " (a step is %.6g)", r->step);
}

bool is_rounded_away(const struct difference *r, double largest, double tolerance)
{
    return r->step <= 0 && largest >= LEAST_MAGNITUDE &&
           r->max_abs_error <= ABSOLUTE * (tolerance / DEFAULT_TOLERANCE);
}

/* ---- what the evaluator says ---- */

struct opinion {
    struct tensor *outputs; /* NULL: there is no model */
    double largest;         /* finite magnitude of any value */
};

static void keep_largest(void *self, const struct ir_op *op, const struct tensor *value)
{
    struct opinion *o = self;
    const float *x = value->data;
    (void)op;
    if (value->type.dtype != IR_F32)
        return;
    for (int64_t i = 0, n = ir_count(&value->type); i < n; i++)
        o->largest = isfinite(x[i]) ? fmax(o->largest, fabs((double)x[i])) : o->largest;
}

static bool ask_evaluator(const struct simulation *sim, struct opinion *out, struct diag *d)
{
    const struct io *io = &sim->io;
    struct eval_observer observer = {.seen = keep_largest, .self = out, .progress = sim->progress};
    if (!io_can_evaluate(io))
        return true;
    out->outputs = ARENA_ARRAY(io->arena, struct tensor, io->n_outputs);
    return io_evaluate(io, &observer, out->outputs, d);
}

static void free_opinion(const struct simulation *sim, struct opinion *o)
{
    for (size_t k = 0; o->outputs && k < sim->io.n_outputs; k++)
        tensor_free(&o->outputs[k]);
}

/* ---- verdicts ---- */

/* "[0, 1, 44, 4]" */
static const char *place_text(const struct ir_type *t, int64_t element, struct arena *a)
{
    struct text out = {0};
    int64_t at[IR_MAX_RANK] = {0};
    for (unsigned i = t->rank; i-- > 0; element /= t->dim[i])
        at[i] = element % t->dim[i];
    text_add(&out, "[");
    for (unsigned i = 0; i < t->rank; i++)
        text_add(&out, "%s%lld", i ? ", " : "", (long long)at[i]);
    text_add(&out, "]");
    const char *text = arena_strdup(a, out.at);
    text_free(&out);
    return text;
}

static struct difference compare_output(const struct simulation *sim, size_t k, int64_t frame,
                                        const void *all_wanted)
{
    const struct io_tensor *t = &sim->io.outputs[k];
    const char *want = (const char *)all_wanted + io_frame_offset(t, frame);
    return compare_values(t->type.dtype, io_frame(t, frame), want, ir_count(&t->type), t->step,
                          verdict_tolerance(sim->settings));
}

static void note_evaluator(const struct simulation *sim, size_t k, int64_t frame,
                           const struct opinion *o, struct diag *d)
{
    struct difference e = compare_output(sim, k, frame, o->outputs[k].data);
    if (e.pass || is_rounded_away(&e, o->largest, sim->settings->tolerance))
        diag_note(d, (struct loc){0}, "the built-in evaluator agrees with the program: %s",
                  simulation_difference(sim, k, frame)->max_steps == 1
                      ? "exact integers may differ by a step from floats (--tolerance-steps 1)"
                      : "model and expected values differ");
    else
        diag_note(d, (struct loc){0},
                  "the built-in evaluator differs from the program too, by %.3g", e.max_abs_error);
}

static void report_mismatch(const struct simulation *sim, size_t k, int64_t frame,
                            const struct opinion *o, struct diag *d)
{
    const struct io_tensor *t = &sim->io.outputs[k], *want = &sim->io.references[k];
    const struct difference *r = simulation_difference(sim, k, frame);
    struct text how = {0};
    if (sim->io.frames > 1)
        text_add(&how, " in frame %lld", (long long)frame);
    text_add(&how, r->step > 0 ? ": " : " by ");
    if (r->step > 0)
        verdict_add_steps(r, &how);
    else
        text_add(&how, "%.3g of %.3g", r->max_abs_error, r->max_abs_reference);
    diag_error(d, (struct loc){0}, DIAG_MISMATCH,
               "output %zu '%s' differs%s, worst at %s: %.9g, expected %.9g", k, t->name, how.at,
               place_text(&t->type, r->worst, sim->io.arena),
               values_at(t->type.dtype, io_frame(t, frame), r->worst),
               values_at(t->type.dtype, io_frame(want, frame), r->worst));
    text_free(&how);
    if (o->outputs && want->given && sim->program)
        note_evaluator(sim, k, frame, o, d);
}

/* Each frame that differs too much, until the evaluator says that it was rounded away. */
static bool judge_output(struct simulation *sim, size_t k, const struct opinion *o, struct diag *d)
{
    bool ok = true;
    int64_t frames = io_frames(&sim->io, &sim->io.outputs[k]);
    for (int64_t f = 0; f < frames && sim->io.references[k].data; f++) {
        struct difference *r = simulation_difference(sim, k, f);
        if (r->pass)
            continue;
        r->pass = r->is_absolute = is_rounded_away(r, o->largest, sim->settings->tolerance);
        if (!r->pass && ok) /* one says enough */
            report_mismatch(sim, k, f, o, d);
        ok &= r->pass;
    }
    return ok;
}

static bool judge(struct simulation *sim, struct diag *d)
{
    struct opinion o = {0};
    bool ok = ask_evaluator(sim, &o, d), all = ok;
    for (size_t k = 0; ok && k < sim->io.n_outputs; k++)
        all &= judge_output(sim, k, &o, d);
    free_opinion(sim, &o);
    return all;
}

bool verdict(struct simulation *sim, struct diag *d)
{
    const struct io *io = &sim->io;
    bool all = true;
    sim->differences =
        ARENA_ARRAY(io->arena, struct difference, io->n_outputs * (size_t)io->frames);
    for (size_t k = 0; k < io->n_outputs; k++) {
        int64_t frames = io_frames(io, &io->outputs[k]);
        for (int64_t f = 0; f < frames && io->references[k].data; f++) {
            struct difference *r = simulation_difference(sim, k, f);
            *r = compare_output(sim, k, f, io->references[k].data);
            all &= r->pass;
        }
    }
    return all || judge(sim, d);
}
