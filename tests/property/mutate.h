/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mutate.h - programs with one fault put in on purpose, to test the program checker.
 *
 * A mutation works on a decoded copy and always changes something; whether that something matters
 * is for the checker and the simulator to say.
 */
#ifndef CIMC_MUTATE_H
#define CIMC_MUTATE_H

#include "isa.h"

/* A copy whose tables and streams may be written; the sections are shared with `p`. */
struct isa_program *mutate_clone(const struct isa_program *p);

struct mutation {
    const char *name;
    /* False if the program has no place for it. Draws from the random state. */
    bool (*apply)(struct isa_program *p, uint64_t *state);
};
extern const struct mutation mutations[];
extern const unsigned n_mutations;

#endif
