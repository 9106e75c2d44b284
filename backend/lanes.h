/*
 * lanes.h - the vector program of a node while it grows: operations join it one by one, or with a
 * program in front of them. lanes.c says which lanes an operation takes.
 */
#ifndef CIMC_LANES_H
#define CIMC_LANES_H

#include "ir.h"
#include "isa.h"

struct lanes {
    struct isa_program_entry program; /* constants_view unused */
    unsigned n_vectors;               /* per-channel constants that it reads, a row each */
    const struct ir_op *vector[ISA_MAX_LANE_OPS];
    bool full; /* what was added last found no room; nothing of it counts */
};
/* What a lane reads: an operand code, with its value if that is LANE_IMM. */
struct term {
    uint8_t code;
    uint32_t imm; /* its pattern */
};

/* Which operands of an elementwise operation are made at run time or are no constants that a
 * program can hold, at most two: their positions. 0: it is none. */
unsigned lanes_runtime(const struct ir_op *op, unsigned at[2]);
/* What the program has computed so far: its last lane, or operand a as it is. */
struct term lanes_result(const struct lanes *l);
/* Adds the operation; its runtime operands are `x`, in the order of lanes_runtime. */
void lanes_append(struct lanes *l, const struct ir_op *op, const struct term x[2]);
/* Adds another program, whose operands a and b become `code`, and tells where its result is. */
struct term lanes_join(struct lanes *l, const struct lanes *front, const uint8_t code[2]);
/* Adds operands a and b: partial sums of a base layer. */
struct term lanes_add_sum(struct lanes *l);
/* Makes a program that computes nothing a copy of operand a. */
void lanes_add_copy(struct lanes *l);
/* Has all found room, with `spare` more lanes free? */
bool lanes_fit(const struct lanes *l, unsigned spare);

#endif
