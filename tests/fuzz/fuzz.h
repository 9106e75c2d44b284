/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * fuzz.h - what the fuzz targets share. A target takes any bytes as one kind of input and goes as
 * far with them as the command line would: up to the checker and a simulation. TESTS.md.
 *
 * A finding is what AddressSanitizer, UBSan or LeakSanitizer say, a BUG, a leak, too much time or
 * memory, and a broken promise of the rooms (fuzz_require). A diagnostic is none.
 */
#ifndef CIMC_FUZZ_H
#define CIMC_FUZZ_H

#include "backend.h"
#include "eval.h"
#include "sim.h"

/* libFuzzer's entry points. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed);

/* Ends the process with `promise`, what is broken, unless `holds`. `d` (may be NULL) is printed. */
void fuzz_require(bool holds, const char *promise, const struct diag *d);
/* Whoever fails says why, and nobody else. Also prints the diagnostics, to nowhere. */
void fuzz_judge(bool ok, const struct diag *d);

/* Whether the input is as somebody wrote it, and no mutant: then what it says of itself is true. */
extern bool fuzz_is_written;

/* The path of a file with these bytes, alone in its folder; the one of the last call is gone. */
const char *fuzz_file(const uint8_t *data, size_t n);
/* A folder without anything in it: what was there since the last call is gone. */
const char *fuzz_folder(void);

/* ---- bounded work: what is larger is left alone ---- */

bool fuzz_graph_is_small(const struct ir_graph *g);
bool fuzz_program_is_small(const struct isa_program *p);

/* ---- the way on ---- */

/* Takes over a verified graph of any stage; as an ONNX model and back, if its stage has that;
 * passes, backend, checker, simulation. `arch` NULL: machine and options are one of a few, by the
 * graph. */
void fuzz_graph(struct ir_graph *g, const struct arch *arch);
/* A valid program: text and back, checker, simulation. */
void fuzz_program(const struct isa_program *p);

#endif
