/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * gen.h - random graphs from a seed: the same seed gives the same graph, with any compiler. So no
 * expression draws two numbers whose order C leaves open.
 *
 * Values are kept tame (no division by what may be near 0, no root near 0, weights scaled by their
 * fan-in), so that float rounding cannot be told from a wrong answer only where something is wrong.
 */
#ifndef CIMC_GEN_H
#define CIMC_GEN_H

#include "ir.h"

enum { GEN_MAX_ELEMENTS = 1200, GEN_MAX_TALL_ELEMENTS = 6000 }; /* of a value */

struct gen {
    struct ir_graph *g;
    struct diag *d;
    uint64_t state; /* of random_next */
    int64_t max_elements;
    unsigned n_names, n_weights;
    VEC(struct ir_value *) values; /* candidates for operands */
};

/* CROSSBAR: every operation and every form of input and output that is legal there. */
struct ir_graph *gen_crossbar(uint64_t seed);
/* CROSSBAR: a few convolutions of many rows, so that rings are used again and again, also where
 * several tiles write into one. */
struct ir_graph *gen_tall(uint64_t seed);
/* CROSSBAR: one or two base layers of all kernels, strides, dilations, pads and conv groups, of
 * floats (then both results are rounded alike) or of integers. */
struct ir_graph *gen_window(uint64_t seed);
/* TENSOR: a small network as an importer makes it, for the whole pass pipeline. */
struct ir_graph *gen_tensor(uint64_t seed);
/* TENSOR: a few exact operations on values of every type that there is at run time. */
struct ir_graph *gen_typed(uint64_t seed);
/* TENSOR: a small quantised network. Of one seed, all graphs with equal `exact` and `unit` alike 0
 * or not are one network. */
struct gen_quantization {
    bool exact; /* f32 and integers compute the same, bit for bit */
    float unit; /* not 0: factor of all scales of activations; no operation of others then */
    enum gen_spelling {
        GEN_EITHER,
        GEN_U8,
        GEN_I8
    } spelling; /* of all activations; ports are f32 then */
};
struct ir_graph *gen_quantized(uint64_t seed, const struct gen_quantization *how);

/* ---- gen.c: what both generators stand on ---- */

void gen_start(struct gen *r, uint64_t seed, enum ir_stage stage);
struct ir_graph *gen_finish(struct gen *r);
int64_t gen_range(struct gen *r, int64_t lo, int64_t hi); /* lo..hi, both included */
bool gen_chance(struct gen *r, unsigned percent);
int64_t gen_choice(struct gen *r, const int64_t *list, size_t n);
#define GEN_CHOICE(r, ...)                                                                         \
    gen_choice(r, (const int64_t[]){__VA_ARGS__},                                                  \
               sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
/* A divisor of `channels`: mostly 1, now and then all of them (depthwise) or another. */
int64_t gen_groups(struct gen *r, int64_t channels);
void gen_permutation(struct gen *r, int64_t *perm, unsigned n);
/* f32, uniform in [lo, hi). */
struct ir_value *gen_constant(struct gen *r, unsigned rank, const int64_t *dims, float lo,
                              float hi);
struct ir_value *gen_op(struct gen *r, enum ir_opcode opcode, const union ir_attrs *attrs,
                        struct ir_value *const *in, uint32_t n_in);
struct ir_value *gen_unary(struct gen *r, enum ir_opcode opcode, struct ir_value *x);
struct ir_value *gen_binary(struct gen *r, enum ir_opcode opcode, struct ir_value *a,
                            struct ir_value *b);
void gen_keep(struct gen *r, struct ir_value *v);
/* A value to go on from: mostly one of the last. */
struct ir_value *gen_pick(struct gen *r);
/* Any value of that type but `not_this`; NULL if there is none. */
struct ir_value *gen_pick_like(struct gen *r, const struct ir_type *t,
                               const struct ir_value *not_this);
/* One or a few elementwise operations, tame. */
struct ir_value *gen_elementwise(struct gen *r, struct ir_value *x);
/* a (+, -, *, /, min, max) b, tame. */
struct ir_value *gen_join(struct gen *r, struct ir_value *a, struct ir_value *b);
/* Attributes of a random pooling window over h x w in which every window meets the input. */
bool gen_pool_attrs(struct gen *r, int64_t h, int64_t w, bool average, union ir_attrs *out);
/* Attributes of a random transposed window over h x w; false if its result is large or nothing. */
bool gen_overlap_attrs(struct gen *r, int64_t h, int64_t w, const int64_t kernel[2],
                       union ir_attrs *out);
/* The maximum or mean over some dimensions; NULL if it came to none. */
struct ir_value *gen_reduce(struct gen *r, struct ir_value *x);
/* `count` random sources of `extent`, now and then -1. */
void gen_index(struct gen *r, int64_t extent, int64_t count, bool holes, int64_t *out);
/* Elements of x along some dimension, by constant indices of its own shape or repeated along the
 * others; no more than x has. */
struct ir_value *gen_take(struct gen *r, struct ir_value *x);

#endif
