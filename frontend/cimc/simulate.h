/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* simulate.h - runs a program, finds the references and compares. */
#ifndef CIMC_SIMULATE_H
#define CIMC_SIMULATE_H

#include "labels.h"
#include "sim.h"
#include "spans.h"
#include "tensors.h"
#include "verdict.h"

struct simulation {
    const struct cimc_options *settings;
    const struct progress *progress;   /* NULL: nobody watches */
    const struct isa_program *program; /* NULL: the outputs are the evaluator's */
    bool is_compiled;                  /* by this very command */
    bool may_lack_values;              /* then only times are simulated */
    struct io_models models;           /* may be none */
    struct io_given given;             /* values that no file has */
    const struct ir_graph *graph;      /* CROSSBAR, for --compare-layers; may be NULL */
    /* results */
    bool ran; /* to the end */
    bool times_only;
    struct io io;
    struct labels labels;
    int64_t n_right; /* with labels: frames whose class is right */
    struct sim_result result;
    struct difference *differences; /* per output and frame; only where there is a reference */
    uint32_t n_compared;            /* --compare-layers: operations */
    double simulate_seconds, evaluate_seconds;
    struct spans spans; /* the same one by one */
};
/* Values of the inputs and given outputs, before there is a program; else simulate() does it.
 * `frames`: what there are where nothing else says it. */
bool simulation_load(struct simulation *sim, int64_t frames, struct diag *d) CHECK_RESULT;
/* Of output k; NULL where nothing was compared. */
struct difference *simulation_difference(const struct simulation *sim, size_t k, int64_t frame);
/* Its scheduled cycles are those of so many frames. */
bool simulation_is_scheduled(const struct simulation *sim);
/* What simulate() does but for running and comparing: there are values, and references if files or
 * models have them. */
bool simulation_prepare(struct simulation *sim, struct diag *d) CHECK_RESULT;
/* One run, of which nobody looks on. */
bool simulation_execute(struct simulation *sim, struct diag *d) CHECK_RESULT;
/* Reads --labels, once there are values. */
bool simulation_load_labels(struct simulation *sim, struct diag *d) CHECK_RESULT;
/* Instead: the outputs are what the one model says of its inputs, compared with given ones. It
 * takes `images` at once. */
bool simulation_evaluate(struct simulation *sim, int64_t images, struct diag *d) CHECK_RESULT;
/* False where the machine faults or anything differs. `sim->ran`: there is something to report. */
bool simulate(struct simulation *sim, struct diag *d) CHECK_RESULT;
void simulation_free(struct simulation *sim);

#endif
