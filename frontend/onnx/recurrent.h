/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * recurrent.h - LSTM, GRU and RNN: one direction of a node, and the step of each kind of cell.
 * import_recurrent.c walks the sequence, recurrent_cell.c makes steps.
 */
#ifndef CIMC_RECURRENT_H
#define CIMC_RECURRENT_H

#include "onnx_node.h"

enum { MOST_FUNCTIONS = 3, MOST_STATES = 2, MOST_GATES = 4 };

struct cell_function {
    unsigned is; /* enum cell_function_name */
    float alpha, beta;
};

/* One direction. Values of a step are [1, batch, channels]; gates lie side by side in channels. */
struct recurrence {
    struct onnx_node *n;
    const struct cell_kind *kind;
    int64_t direction, hidden, batch;
    struct cell_function f[MOST_FUNCTIONS];
    float clip; /* infinite: none */
    bool input_forget, linear_before_reset;
    struct ir_value *r[2];        /* [hidden, gates * hidden], as the step multiplies by them */
    struct ir_value *hidden_bias; /* [1, 1, gates * hidden], of GRU with linear_before_reset */
    struct ir_value *peephole[3]; /* of i, o, f; NULL: none */
};

/* What differs between the three operators. */
struct cell_kind {
    unsigned gates, states, functions;
    const unsigned *usual; /* functions, if none are named */
    /* x: [1, batch, gates * hidden], what the inputs and biases add. NULL states are errors. */
    void (*step)(const struct recurrence *r, struct ir_value *x, struct ir_value *state[]);
};
const struct cell_kind *cell_kind_of(enum onnx_variant variant);
/* Functions of a direction from attributes; all directions' are in one list. */
bool read_cell_functions(struct onnx_node *n, const struct cell_kind *kind, int64_t directions,
                         struct cell_function *out) CHECK_RESULT;
/* Columns [from, from + count) * hidden of x. */
struct ir_value *cell_gates(const struct recurrence *r, struct ir_value *x, int64_t from,
                            int64_t count);

#endif
