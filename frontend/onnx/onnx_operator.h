/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_operator.h - the tables of this room: operators.def, one import function an operator, and
 * choices.def, the strings that attributes may be.
 */
#ifndef CIMC_ONNX_OPERATOR_H
#define CIMC_ONNX_OPERATOR_H

#include "ir.h"

/* ---- choices of string attributes: enum resize_mode ..., and the sets that they are ---- */

#define CHOICES(set) enum set {
#define CHOICE(set, id, text, since) id,
#define END_CHOICES(set)                                                                           \
    }                                                                                              \
    ;
#include "choices.def"
#undef CHOICES
#undef CHOICE
#undef END_CHOICES
enum onnx_choices {
#define CHOICES(set) CHOICES_##set,
#define CHOICE(set, id, text, since)
#define END_CHOICES(set)
#include "choices.def"
#undef CHOICES
#undef CHOICE
#undef END_CHOICES
    N_ONNX_CHOICES
};

/* ---- operators ---- */

/* Which of the operators that share an import function. */
enum onnx_variant {
    ONLY, /* there is one */
    ARG_GREATEST,
    ARG_LEAST,
    REDUCE_L1,
    REDUCE_L2,
    REDUCE_LOG_SUM,
    REDUCE_LOG_SUM_EXP,
    REDUCE_MAX,
    REDUCE_MEAN,
    REDUCE_MIN,
    REDUCE_PROD,
    REDUCE_SUM,
    REDUCE_SUM_SQUARE,
    SOFTMAX,
    LOG_SOFTMAX,
    HARDMAX,
    SIMPLIFIED,
    SWISH,
    QUICK_GELU,
    BIAS_GELU,
    FAST_GELU,
    RECURRENT_GRU,
    RECURRENT_LSTM,
    RECURRENT_RNN,
    ROTARY_MICROSOFT,
};
struct onnx_node;
struct onnx_operator {
    const char *name;     /* with its domain where that is another than ONNX's */
    uint8_t since, until; /* opsets of the default domain */
    uint8_t min_in, max_in;
    const char *roles; /* of operands, as operators.def says */
    bool (*import)(struct onnx_node *n);
    enum ir_opcode opcode; /* what a generic import function makes */
    enum onnx_variant variant;
};
enum { ONNX_MANY = 255 }; /* max_in without a limit */
/* All of them, sorted by name. */
const struct onnx_operator *onnx_operator_table(size_t *n);
/* Is this the domain of ONNX itself? */
bool onnx_is_default_domain(const char *domain);
/* NULL if the compiler does not know it. */
const struct onnx_operator *onnx_operator_find(const char *domain, const char *name);
#define OPERATOR(name, since, until, min_in, max_in, roles, function, opcode, variant)             \
    bool function(struct onnx_node *n);
#include "operators.def"
#undef OPERATOR

#endif
