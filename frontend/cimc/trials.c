/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * trials.c - `sim --trials N`: the same program on N machines that differ by the noise of their
 * cells, and how much accuracy and signal-to-noise ratio of the outputs spread.
 *
 * In: a program, values, references, labels. Out: a trial for each seed. What is compared with is
 * the model as its file says it, without converters and noise.
 */
#include "trials.h"

#include "common_json.h"
#include "values.h"

#include <math.h>

/* ---- runs ---- */

/* 10 log10 of the reference's energy over the error's; NaN where either is not finite. */
static double snr_db(const struct io *io, size_t k)
{
    const struct io_tensor *got = &io->outputs[k], *want = &io->references[k];
    double signal = 0, noise = 0;
    if (!want->data)
        return NAN;
    for (int64_t i = 0, n = ir_count(&got->type) * io_frames(io, got); i < n; i++) {
        double x = values_at(want->type.dtype, want->data, i);
        double error = values_at(got->type.dtype, got->data, i) - x;
        signal += x * x;
        noise += error * error;
    }
    return noise == 0 ? INFINITY : 10 * log10(signal / noise);
}

static bool run_one(struct simulation *sim, struct trial *t, struct diag *d)
{
    if (!simulation_execute(sim, d))
        return false;
    t->n_right = labels_right(&sim->labels, &sim->io);
    t->snr_db = ARENA_ARRAY(sim->io.arena, double, sim->io.n_outputs);
    for (size_t k = 0; k < sim->io.n_outputs; k++)
        t->snr_db[k] = snr_db(&sim->io, k);
    return true;
}

bool trials_run(struct simulation *sim, struct isa_program *p, struct trials *out, struct diag *d)
{
    int64_t first = p->arch.noise_seed;
    if (first > INT32_MAX - (sim->settings->trials - 1))
        return diag_error(d, (struct loc){0}, DIAG_USAGE,
                          "--trials: the last of %lld noise seeds from %lld on is more than %lld",
                          (long long)sim->settings->trials, (long long)first, (long long)INT32_MAX);
    bool ok = simulation_prepare(sim, d);
    for (int64_t i = 0; ok && i < sim->settings->trials; i++) {
        struct trial t = {.seed = first + i};
        p->arch.noise_seed = t.seed;
        ok = run_one(sim, &t, d);
        if (ok)
            VEC_PUSH(&out->at, t);
    }
    return ok;
}

void trials_free(struct trials *t)
{
    VEC_FREE(&t->at);
}

/* ---- spread ---- */

struct spread {
    double mean, deviation, least, most;
};

/* Of output k's ratio, or, where k is none of them, of the share of right frames in percent. */
static double value_of(const struct trials *t, size_t i, const struct simulation *sim, size_t k)
{
    if (k < sim->io.n_outputs)
        return t->at.at[i].snr_db[k];
    return 100 * (double)t->at.at[i].n_right / (double)sim->labels.of_frame.n;
}

/* The deviation of a sample: of n - 1; where the mean is no number, what the mean is. */
static struct spread spread_of(const struct trials *t, const struct simulation *sim, size_t k)
{
    struct spread s = {.least = INFINITY, .most = -INFINITY};
    size_t n = t->at.n;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        double x = value_of(t, i, sim, k);
        s.mean += x / (double)n;
        s.least = fmin(s.least, x);
        s.most = fmax(s.most, x);
    }
    for (size_t i = 0; i < n; i++) {
        double x = value_of(t, i, sim, k) - s.mean;
        squares += x * x;
    }
    if (s.least == s.most)
        s.deviation = 0;
    else
        s.deviation = isfinite(s.mean) ? sqrt(squares / (double)(n - 1)) : s.mean;
    return s;
}

/* ---- reports ---- */

static void print_spread(const struct spread *s, const char *unit, FILE *out)
{
    fprintf(out, "mean %.2f %s, standard deviation %.2f, least %.2f, most %.2f\n", s->mean, unit,
            s->deviation, s->least, s->most);
}

void trials_report(const struct trials *t, const struct simulation *sim, FILE *out)
{
    const struct io *io = &sim->io;
    fprintf(out, "%zu trial%s, noise seeds from %lld on, %lld frame%s each\n", t->at.n,
            t->at.n == 1 ? "" : "s", (long long)t->at.at[0].seed, (long long)io->frames,
            io->frames == 1 ? "" : "s");
    for (size_t k = 0; k < io->n_outputs; k++) {
        struct spread s = spread_of(t, sim, k);
        if (!io->outputs[k].known)
            continue;
        fprintf(out, "output %zu '", k);
        print_plain(io->outputs[k].name, out);
        fputs("': ", out);
        if (!io->references[k].data) {
            fputs("no reference\n", out);
        } else if (isnan(s.mean)) {
            fputs("SNR unknown: not all values are finite\n", out);
        } else {
            fputs("SNR ", out);
            print_spread(&s, "dB", out);
        }
    }
    if (sim->labels.of_frame.n) {
        struct spread s = spread_of(t, sim, io->n_outputs);
        fputs("accuracy: ", out);
        print_spread(&s, "%", out);
    }
}

static void spread_json(const struct spread *s, const char *key, struct json *j)
{
    json_open_map(j, key);
    json_real(j, "mean", s->mean);
    json_real(j, "standard_deviation", s->deviation);
    json_real(j, "least", s->least);
    json_real(j, "most", s->most);
    json_close_map(j);
}

static void runs_json(const struct trials *t, const struct simulation *sim, struct json *j)
{
    json_open_array(j, "runs");
    for (size_t i = 0; i < t->at.n; i++) {
        const struct trial *r = &t->at.at[i];
        json_open_map(j, NULL);
        json_integer(j, "noise_seed", r->seed);
        if (sim->labels.of_frame.n)
            json_integer(j, "right", r->n_right);
        json_open_array(j, "snr_db");
        for (size_t k = 0; k < sim->io.n_outputs; k++)
            json_real(j, NULL, r->snr_db[k]);
        json_close_array(j);
        json_close_map(j);
    }
    json_close_array(j);
}

void trials_report_json(const struct trials *t, const struct simulation *sim, struct json *j)
{
    origin_json(sim->program->options, &sim->program->arch, j);
    json_open_map(j, "trials");
    json_integer(j, "frames", sim->io.frames);
    json_open_array(j, "outputs");
    for (size_t k = 0; k < sim->io.n_outputs; k++) {
        struct spread s = spread_of(t, sim, k);
        json_open_map(j, NULL);
        json_text(j, "name", sim->io.outputs[k].known ? sim->io.outputs[k].name : "");
        spread_json(&s, "snr_db", j);
        json_close_map(j);
    }
    json_close_array(j);
    if (sim->labels.of_frame.n) {
        struct spread s = spread_of(t, sim, sim->io.n_outputs);
        spread_json(&s, "accuracy_percent", j);
    }
    runs_json(t, sim, j);
    json_close_map(j);
}
