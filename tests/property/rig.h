/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * rig.h - one random case: a graph, inputs for it, what the evaluator says about them; machines and
 * options to compile it for; and what must hold of the program. The first failure prints seed,
 * machine, diagnostics and IR text, and ends the test.
 */
#ifndef CIMC_RIG_H
#define CIMC_RIG_H

#include "backend.h"
#include "eval.h"
#include "sim.h"

enum { RIG_MAX_IO = 8 };

/* How near outputs have to be to the reference: but for rounding of floats; that rounding having
 * moved quantised values by steps, which later layers enlarge; bit for bit. */
enum rig_agreement { RIG_ROUNDED, RIG_STEPS, RIG_EXACT };

struct rig {
    const char *what; /* name of the test */
    uint64_t seed, state;
    struct diag *diag;
    const struct ir_graph *graph; /* as it is now, for messages */
    const char *config;           /* machine and options, for messages; may be NULL */
    size_t n_inputs, n_outputs;
    struct tensor inputs[RIG_MAX_IO], reference[RIG_MAX_IO];
    bool is_half[RIG_MAX_IO]; /* output k is fp16 outside */
    double step[RIG_MAX_IO];  /* of an output that is dequantised, its scale; else 0 */
    enum rig_agreement agreement;
};

/* Makes inputs from the seed and the reference outputs. The graph is only looked at. */
void rig_open(struct rig *r, const char *what, uint64_t seed, const struct ir_graph *g);
void rig_close(struct rig *r);
/* Each input and output becomes a tensor of n frames, one after the other, with values of its own;
 * there are no references then. Nothing happens where n is 0. */
void rig_repeat(struct rig *r, uint32_t n);
/* With CIMC_PROPERTY_TRACE set: prints the case before it is tried, for those that crash. */
void rig_trace(const struct rig *r);
/* Floats in [-1, 1), bytes of any value, and words that stay words when a few are multiplied. */
void rig_fill_input(struct rig *r, struct tensor *t);
/* Output k is as near as has to be to what is wanted, or the test ends. */
void rig_compare(struct rig *r, size_t k, const struct tensor *got, const struct tensor *want,
                 const char *who);
_Noreturn void rig_fail(struct rig *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
int64_t rig_range(struct rig *r, int64_t lo, int64_t hi);
/* From here on the reference is what `g` computes, and all have to agree with it exactly. */
void rig_settle(struct rig *r, const struct ir_graph *g);
/* Multiplies the inputs that are floats. */
void rig_scale_inputs(struct rig *r, float factor);
/* Are r's references those of `one`, floats times `factor`? */
bool rig_is_multiple(const struct rig *r, const struct rig *one, float factor);
/* The graph at hand computes what the first one did, and its text reads back as the same graph. */
void rig_check_graph(struct rig *r, const struct ir_graph *g);

/* ---- programs ---- */

struct config {
    struct arch arch;
    struct backend_options options;
    bool free; /* the machine is one where only an MVM takes time */
    char text[400];
};
/* One of the machines; `options` are left for config_set. */
void config_machine(struct rig *r, struct config *c);
/* Makes its read-out one that is not ideal. (rig_readout.c) */
void config_readout(struct rig *r, struct config *c);
/* Where the simulator multiplies each plane of cells and phases, it computes the same. */
void rig_check_planes(struct rig *r, const struct isa_program *p);
enum { N_SET_SHAPES = 5 };
void config_set(struct config *c, unsigned shape, enum schedule_mode mode);
/* Are all errors that a machine has no room? */
bool rig_is_too_large(const struct diag *d);
/* Compiles and checks; NULL where the program does not fit the machine's tables. */
struct isa_program *rig_compile(struct rig *r, const struct ir_graph *g, const struct config *c,
                                struct backend_result *out);
/* The program is well formed and accepted, compiled again the same, and reads back from text and
 * file.
 */
void rig_check_form(struct rig *r, const struct ir_graph *g, const struct config *c,
                    struct isa_program *p);
/* Everything that must hold of a program of `g` that is no body: its form, the evaluator's results,
 * the scheduled cycles, the same results for any latencies. */
void rig_check_program(struct rig *r, const struct ir_graph *g, const struct config *c,
                       struct isa_program *p);
/* The same of a body, whose frames have inputs of their own. (rig_frames.c) */
void rig_check_body(struct rig *r, const struct ir_graph *g, const struct config *c,
                    struct isa_program *p);
/* Lets products of all mvm yield patches of pixels at random, at most 4 x 4; users of the same
 * weights get equal ones. Before pass tile. */
void rig_random_patches(struct rig *r, struct ir_graph *g);
/* Sets cuts of all mvm at random; users of the same weights get equal numbers of copies. */
void rig_random_copies(struct rig *r, struct ir_graph *g);

/* The program file's bytes; of heap_alloc. */
uint8_t *program_bytes(const struct isa_program *p, size_t *out_n);
/* Zeroed outputs of the model's types; freed by outputs_free. */
void outputs_new(const struct rig *r, struct tensor out[RIG_MAX_IO]);
void outputs_free(struct tensor out[RIG_MAX_IO]);
/* Bit for bit. */
bool outputs_equal(const struct rig *r, const struct tensor *a, const struct tensor *b);
/* But for rounding: the simulator joins products of equal shape into one, and how many joins
 * depends on the program. */
bool outputs_close(const struct rig *r, const struct tensor *a, const struct tensor *b);
/* Runs a program on the rig's inputs. */
bool outputs_simulate(const struct rig *r, const struct isa_program *p, const struct sim_options *o,
                      struct tensor out[RIG_MAX_IO], struct sim_result *result,
                      struct diag *d) CHECK_RESULT;

#endif
