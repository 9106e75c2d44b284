/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_tags.h - tags: a number for every logical element, and which of them belongs where.
 */
#ifndef CIMC_CHECK_TAGS_H
#define CIMC_CHECK_TAGS_H

#include "check_clock.h"
#include "base/map.h"
#include "ir.h"

enum tag_kind {
    TAG_VALUE,
    TAG_PARTIAL, /* an mvm, of whose products a part is summed up (check_part.h) */
    TAG_RAW      /* preloaded bytes */
};
/* Tags [base, base + n), element (y, x, c) of dim[0] x dim[1] x dim[2] in row-major order. */
struct tag_range {
    uint64_t base, n;
    enum tag_kind kind;
    uint32_t op, part;
    int64_t dim[3];
    const uint8_t *bytes; /* TAG_RAW */
    size_t element_bytes; /* of them */
};
/* A box of a value: element `at` has tag base + sum (at - lo) * pitch. */
struct map_piece {
    int64_t lo[3], hi[3], base, pitch[3];
    const struct ir_op *constant; /* whose elements they are, or NULL */
    int64_t back;                 /* frames before: 1, of a state */
};
struct value_map {
    bool made;
    uint32_t n;
    struct map_piece *at;
};
struct tags {
    VEC(struct tag_range) ranges;
    uint64_t used;
    uint32_t anonymous;           /* without a graph: tags for what no claim names */
    struct map range_of;          /* by struct range_key */
    uint32_t n_ops, *value_range; /* of each op, or CHECK_NONE */
    const struct ir_op **ops;
    struct value_map *maps;
};

/* Which logical elements are expected somewhere: those of a value, or of a range. */
struct leaf {
    const struct ir_op *op; /* NULL: anything that was written */
    unsigned depth;         /* so many moving operations before op: their index maps apply */
    uint32_t range;         /* CHECK_NONE: the value of op */
};
struct expected {
    uint32_t n; /* this one and the next ones are consecutive; 0: there is no such element */
    bool is_fill;
    float fill;
    uint32_t tag;
    int64_t back;                 /* it is of so many frames before */
    const struct ir_op *constant; /* the bytes of this constant will do, too */
    int64_t index;
};

struct check;
struct check_view;

/* check_tags.c */
bool check_tags_prepare(struct check *k) CHECK_RESULT;
void check_tags_free(struct check *k);
/* The range of an op, made if need be. */
uint32_t check_range(struct check *k, enum tag_kind kind, uint32_t op, uint32_t part);
uint32_t check_range_raw(struct check *k, const uint8_t *bytes, uint64_t n, size_t element_bytes);
const struct tag_range *check_range_of(const struct check *k, uint32_t tag); /* NULL if none */
/* The element that was preloaded, as a lane reads it; false if it was not. */
bool check_raw(const struct check *k, uint32_t tag, uint32_t *out);
/* By the claims of a view; 0 if they say nothing. */
uint32_t check_claimed_tag(struct check *k, const struct check_view *v, int64_t y, int64_t x,
                           int64_t c);
int64_t check_dim(const struct ir_op *op, unsigned i); /* of its value */
const struct ir_op *check_op(const struct check *k, uint32_t id, enum ir_opcode opcode);
/* An element of a constant as a lane reads it: the bits of a float, or an i32. */
uint32_t check_const(const struct ir_op *constant, int64_t index);
/* So an attribute of the graph, in a value of that element. */
uint32_t check_pattern(float attribute, enum element element);
const char *check_bits_text(struct check *k, uint32_t bits, enum element element);
enum element check_element(const struct ir_op *op); /* of its value in buffers */
const char *check_tag_text(struct check *k, uint32_t tag, char *buf, size_t n);
const char *check_op_name(const struct check *k, uint32_t id);

/* check_expect.c */
/* What must lie at element `at` of the leaf, and for how many channels (at most n) on. */
struct expected check_expect(struct check *k, const struct leaf *leaf, const int64_t at[3],
                             uint32_t n);
/* One piece that covers the whole leaf with consecutive tags, or NULL. */
const struct map_piece *check_plain_leaf(struct check *k, const struct leaf *leaf,
                                         struct map_piece *room);
/* Can the leaf be found through `op` (itself or before its moving operations)? */
bool check_find_leaf(struct check *k, const struct ir_op *op, const int64_t at[3], uint32_t tag,
                     struct leaf *out);
/* Where a reshape puts the operand's element `at`; how many channels, at most n, follow each other
 * from there on, as they do in the operand. */
int64_t check_reshape_forward(const struct ir_op *op, int64_t at[3], int64_t n);

#endif
