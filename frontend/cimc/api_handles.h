/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* api_handles.h - what stands behind the opaque handles of cimc.h. */
#ifndef CIMC_API_HANDLES_H
#define CIMC_API_HANDLES_H

#include "api.h"
#include "driver.h"
#include "simulate.h"
#include "trials.h"

struct cimc_model {
    struct build build; /* its models are imported, nothing is lowered */
    struct io ports;
    struct cimc_options options;
};
struct cimc_program {
    struct build build; /* of one that was compiled, or bound to its models; else empty */
    struct isa_program *isa;
    struct io ports;
    struct io first_ports; /* of before it was bound: callers may have their names */
    bool is_compiled;      /* here: build has results */
    bool has_models;
    const char *path;            /* that it was read from */
    struct cimc_options options; /* that it was compiled with */
};
struct cimc_simulation {
    struct simulation run;
    struct trials trials;
    bool is_evaluation, has_trials;
    struct build build; /* of an evaluation */
    struct io_models models;
    struct arena *arena;
    const struct cimc_model *model;     /* NULL: of a program */
    const struct cimc_program *program; /* that ran, or is to run */
    struct cimc_options options;
};

/* The caller's, whole. */
const struct cimc_source *sources_whole(const struct cimc_source *given, size_t n, struct arena *a);
/* What was said of the model when it was imported stands. */
void options_of_model(struct cimc_options *o, const struct cimc_options *model);
/* A handle of a program that was made of a text. */
struct cimc_program *program_of(struct isa_program *isa);
/* A whole one, as a file. */
bool source_open(const struct cimc_source *source, struct arena *names, struct diag *d,
                 struct file *out) CHECK_RESULT;
/* What inputs and outputs there are, without values. */
void ports_describe(struct io *io, const struct isa_program *p, const struct build *b);
/* False: there is no i-th. */
bool port_of(const struct io_tensor *ports, size_t n, size_t i, struct cimc_port *out);
/* Views the caller's arrays. */
bool values_given(struct io_given *out, const struct cimc_values *given, struct arena *a,
                  struct diag *d) CHECK_RESULT;
/* As cimc_compile, the passes going on from what the cache has; the program has no models. The
 * cache is to be settled after the call. */
enum cimc_status compile_with(cimc_context *c, const cimc_model *m, const struct cimc_options *o,
                              struct build_cache *cache, cimc_program **out);
/* Within a call, as cimc_simulation_of_program and cimc_simulate. */
bool simulation_of_program(cimc_context *c, const struct cimc_program *p,
                           const struct cimc_options *o, const struct cimc_values *v,
                           cimc_simulation **out) CHECK_RESULT;
bool simulation_go(cimc_context *c, struct cimc_simulation *s, const struct cimc_program *p,
                   const struct cimc_options *o) CHECK_RESULT;
/* Machine and options for work in this context. */
bool build_start(struct build *b, cimc_context *c, const struct cimc_options *o) CHECK_RESULT;

#endif
