/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * rig_frames.c - what must hold of a body: each frame of a run of any number of frames computes
 * what the evaluator does, for any latencies, and a run of as many as it was compiled for takes the
 * scheduled cycles.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

/* Inputs and references of several frames; inputs of a kind one after the other. */
struct frames {
    uint32_t n;
    void *inputs[RIG_MAX_IO];
    struct tensor (*reference)[RIG_MAX_IO]; /* [frame] */
};

static size_t bytes_of(const struct tensor *t)
{
    return (size_t)ir_count(&t->type) * ir_dtype_bytes((enum ir_dtype)t->type.dtype);
}

/* Frame 0 has the rig's own inputs. What they then are is lost: they become the last frame's. */
static struct frames make_frames(struct rig *r, const struct ir_graph *g, uint32_t n)
{
    struct frames f = {.n = n, .reference = heap_alloc(n * sizeof *f.reference)};
    for (size_t k = 0; k < r->n_inputs; k++)
        f.inputs[k] = heap_alloc(n * bytes_of(&r->inputs[k]) + 1);
    for (uint32_t i = 0; i < n; i++) {
        for (size_t k = 0; k < r->n_inputs; k++) {
            size_t bytes = bytes_of(&r->inputs[k]);
            if (i > 0)
                rig_fill_input(r, &r->inputs[k]);
            memcpy((char *)f.inputs[k] + i * bytes, r->inputs[k].data, bytes);
        }
        memset(f.reference[i], 0, sizeof f.reference[i]);
        if (!eval_graph(g, r->inputs, r->n_inputs, f.reference[i], r->n_outputs, NULL, r->diag))
            rig_fail(r, "the evaluator gives up");
    }
    return f;
}

static void free_frames(const struct rig *r, struct frames *f)
{
    for (size_t k = 0; k < r->n_inputs; k++)
        heap_free(f->inputs[k]);
    for (uint32_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < r->n_outputs; k++)
            tensor_free(&f->reference[i][k]);
    heap_free(f->reference);
}

/* The first n frames. Returns the cycles that they took. */
static uint64_t run_frames(struct rig *r, const struct isa_program *p, const struct frames *f,
                           uint32_t n, struct sim_options o, void *const outputs[RIG_MAX_IO])
{
    const void *in[RIG_MAX_IO] = {0};
    struct sim_result result;
    o.frames = n;
    for (size_t k = 0; k < r->n_inputs; k++)
        in[k] = f->inputs[k];
    if (!sim_run(p, in, outputs, &o, &result, r->diag))
        rig_fail(r, "%u frames: the simulator stops (latency seed %llu)", n,
                 (unsigned long long)o.latency_seed);
    return result.cycles;
}

static void compare_frames(struct rig *r, const struct frames *f, uint32_t n,
                           void *const outputs[RIG_MAX_IO])
{
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < r->n_outputs; k++) {
            const struct tensor *want = &f->reference[i][k];
            struct tensor got = {.type = want->type,
                                 .data = (char *)outputs[k] + i * bytes_of(want)};
            char who[60];
            snprintf(who, sizeof who, "frame %u of %u", i, n);
            rig_compare(r, k, &got, want, who);
        }
}

/* A run of n frames, and others with other latencies. */
static uint64_t check_run(struct rig *r, const struct isa_program *p, const struct frames *f,
                          uint32_t n)
{
    static const uint64_t most[] = {0, 3, 60};
    void *outputs[RIG_MAX_IO] = {0};
    for (size_t k = 0; k < r->n_outputs; k++)
        outputs[k] = heap_alloc(n * bytes_of(&f->reference[0][k]) + 1);
    uint64_t cycles = 0;
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        struct sim_options o = {.latency_seed = i ? r->seed * 4 + i : 0,
                                .max_extra_cycles = most[i]};
        uint64_t taken = run_frames(r, p, f, n, o, outputs);
        cycles = i ? cycles : taken;
        compare_frames(r, f, n, outputs);
    }
    for (size_t k = 0; k < r->n_outputs; k++)
        heap_free(outputs[k]);
    return cycles;
}

void rig_check_body(struct rig *r, const struct ir_graph *g, const struct config *c,
                    struct isa_program *p)
{
    const uint32_t n = c->options.frames, runs[] = {n, 1, n + 3};
    struct frames f = make_frames(r, g, n + 3);
    rig_check_form(r, g, c, p);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        uint64_t cycles = check_run(r, p, &f, runs[i]);
        if (runs[i] == n && cycles != p->scheduled_cycles)
            rig_fail(r, "%u frames: %llu cycles simulated, %llu scheduled", n,
                     (unsigned long long)cycles, (unsigned long long)p->scheduled_cycles);
    }
    free_frames(r, &f);
}
