/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * lanes.h - the vector program of a node while it grows: operations join it one by one, or with a
 * program in front of them. lanes.c says which lanes an operation takes.
 */
#ifndef CIMC_LANES_H
#define CIMC_LANES_H

#include "ir.h"
#include "isa.h"

/* What a lane reads: an operand code, with its value if that is LANE_IMM. */
struct term {
    uint8_t code;
    bool below, above; /* an u8 that may still be less than 0, more than 255 */
    uint32_t imm;
};
struct lanes {
    struct isa_program_entry program; /* constants_view unused; tab: number in `table` */
    unsigned n_vectors;               /* constants that it reads, a row for each */
    const struct ir_op *vector[ISA_MAX_LANE_OPS];
    unsigned n_tables;
    const struct ir_op *table[ISA_MAX_LANE_OPS];
    struct term result;
    bool full; /* what was added last found no room; nothing of it counts */
};

struct lanes lanes_new(void); /* operand a as it is */
/* Which operands of an elementwise operation are values: its other operands are constants that a
 * program can hold. At most two positions; 0: it is no such operation. */
unsigned lanes_runtime(const struct ir_op *op, unsigned at[2]);
/* Adds the operation; its runtime operands are `x`, in the order of lanes_runtime. */
void lanes_append(struct lanes *l, const struct ir_op *op, const struct term x[2]);
/* Adds another program, whose operands a and b become `code`; its result becomes the program's. */
void lanes_join(struct lanes *l, const struct lanes *front, const uint8_t code[2]);
/* Makes a result that is left to a store (an u8 that may be out of bounds) the value itself. */
void lanes_settle(struct lanes *l);
/* Adds operands a and b: partial sums of a base layer. */
void lanes_add_sum(struct lanes *l, enum element element);
/* Makes a program that computes nothing a copy of operand a. */
void lanes_copy(struct lanes *l);
/* Has all found room, with `spare` more lanes free? */
bool lanes_fit(const struct lanes *l, unsigned spare);

#endif
