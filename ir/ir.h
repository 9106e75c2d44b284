/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * ir.h - the SSA graph every stage works on. IR.md is the specification.
 *
 * A graph is one list of operations in a valid topological order. An operation defines at most one
 * value; a value knows its uses, so replacing it everywhere costs O(uses). Operations, names and
 * attributes live in the graph's arena; tensor payloads are reference-counted blobs.
 */
#ifndef CIMC_IR_H
#define CIMC_IR_H

#include "base/base.h"
#include "base/element.h"
#include "blob.h"

enum { IR_MAX_RANK = 8 };
/* An i32 that a float is rounded to (quantize) is within -IR_MOST_QUANTIZED..IR_MOST_QUANTIZED:
 * exact, and far from wrapping. */
enum { IR_MOST_QUANTIZED = 1 << 30 };

/* How far a graph has been lowered. ops.def says which operation is legal where. */
enum ir_stage {
    IR_TENSOR = 1,    /* as imported: ONNX layouts (NCHW), integer shape arithmetic allowed */
    IR_CANONICAL = 2, /* all static, folded; padding and bias are operations of their own */
    IR_INTEGER = 4,   /* quantised base layers compute in integers; activations are f32, u8, i32 */
    IR_CROSSBAR = 8,  /* every value is (h, w, c); base layers are mvm on crossbars */
};

#define ENUM(name)                                                                                 \
    enum ir_##name                                                                                 \
    {
#define CHOICE(name, id, text) id,
#define END_ENUM(name, count)                                                                      \
    count                                                                                          \
    }                                                                                              \
    ;
#include "enums.def"
#undef ENUM
#undef CHOICE
#undef END_ENUM

struct ir_type {
    uint8_t dtype, rank;
    int64_t dim[IR_MAX_RANK]; /* all >= 0; unused ones are 0 */
};

/* ---- operations ---- */

enum ir_opcode {
#define OP(name, min_in, max_in, n_out, stages, traits) IR_##name,
#define ATTR(op, kind, field)
#define END(op)
#include "ops.def"
#undef OP
#undef ATTR
#undef END
    IR_N_OPCODES
};

/* Variable-length attribute; `at` lives in the graph's arena. */
struct ir_ints {
    uint32_t n;
    const int64_t *at;
};
typedef int64_t ir_attr_i64;
typedef int64_t ir_attr_i64x2[2];
typedef int64_t ir_attr_i64x3[3];
typedef int64_t ir_attr_i64x4[4];
typedef int64_t ir_attr_ones[2]; /* where left out or 0, and not printed where both are: 1 */
typedef int64_t ir_attr_opt;     /* not printed where it is 0 */
typedef int64_t ir_attr_loose;   /* the same, and in no fingerprint: no program depends on it */
typedef float ir_attr_f32;
typedef struct ir_ints ir_attr_ints;
typedef struct blob *ir_attr_blob;
#define ENUM(name) typedef enum ir_##name ir_attr_enum_##name;
#define CHOICE(name, id, text)
#define END_ENUM(name, count)
#include "enums.def"
#undef ENUM
#undef CHOICE
#undef END_ENUM

#define OP(name, min_in, max_in, n_out, stages, traits)                                            \
    struct ir_attrs_##name {                                                                       \
        char unused;
#define ATTR(op, kind, field) ir_attr_##kind field;
#define END(op)                                                                                    \
    }                                                                                              \
    ;
#include "ops.def"
#undef OP
#undef ATTR
#undef END

union ir_attrs {
#define OP(name, min_in, max_in, n_out, stages, traits) struct ir_attrs_##name name;
#define ATTR(op, kind, field)
#define END(op)
#include "ops.def"
#undef OP
#undef ATTR
#undef END
};

enum ir_trait {
    IR_BASE = 1,          /* runs on crossbars */
    IR_UNARY = 2,         /* elementwise f(x), same type */
    IR_BINARY = 4,        /* elementwise f(a, b) with numpy broadcasting */
    IR_COMMUTES = 8,      /* a, b may be swapped */
    IR_MOVES = 16,        /* moves elements without computing */
    IR_WINDOW = 32,       /* a window over h and w, or its transpose */
    IR_COMPILE_TIME = 64, /* only on constants: must fold away before CANONICAL */
    IR_IO = 128,          /* input, output: never removed or merged */
};

enum ir_attr_kind {
    IR_ATTR_i64,
    IR_ATTR_i64x2,
    IR_ATTR_i64x3,
    IR_ATTR_i64x4,
    IR_ATTR_ones,
    IR_ATTR_opt,
    IR_ATTR_loose,
    IR_ATTR_f32,
    IR_ATTR_ints,
    IR_ATTR_blob,
#define ENUM(name) IR_ATTR_enum_##name,
#define CHOICE(name, id, text)
#define END_ENUM(name, count)
#include "enums.def"
#undef ENUM
#undef CHOICE
#undef END_ENUM
};
/* Is it one of enums.def? They come last. */
static inline bool ir_attr_is_enum(enum ir_attr_kind kind)
{
    return kind > IR_ATTR_blob;
}
struct ir_attr_desc {
    const char *name;
    enum ir_attr_kind kind;
    size_t offset; /* into union ir_attrs */
};
struct ir_op_desc {
    const char *name;
    uint8_t min_in, max_in, n_out, stages;
    unsigned traits;
    unsigned n_attrs;
    const struct ir_attr_desc *attrs;
};
extern const struct ir_op_desc ir_op_descs[IR_N_OPCODES];
/* Of the attribute in a field of `union ir_attrs`: equal ones have equal hashes. */
uint64_t ir_attr_hash(const void *field, enum ir_attr_kind kind, uint64_t seed);
bool ir_attr_equal(const void *x, const void *y, enum ir_attr_kind kind);

struct ir_use {
    struct ir_value *value; /* never NULL while the operation is in a graph */
    struct ir_op *user;
    struct ir_use *next, **link; /* in value->uses */
};

struct ir_value {
    struct ir_op *def;
    struct ir_use *uses; /* most recently added first */
    struct ir_type type;
};

struct ir_op {
    struct ir_op *prev, *next; /* list order is a valid topological order */
    struct ir_graph *graph;
    enum ir_opcode opcode;
    uint32_t id;      /* dense in list order after ir_number(); index into side tables */
    const char *name; /* the layer's name (unique among imported nodes); "" if none */
    struct loc loc;   /* the ONNX node it came from; kept through every rewrite */
    union ir_attrs *attrs;
    struct ir_value *out; /* NULL for operations without a value (output) */
    uint32_t n_in;
    struct ir_use in[]; /* operand slots */
};

struct ir_graph {
    struct arena *arena; /* owned */
    const char *name;
    enum ir_stage stage;
    struct ir_op *first, *last;
    uint32_t n_ops;
};

struct ir_graph *ir_graph_new(const char *name, enum ir_stage stage);
void ir_graph_free(struct ir_graph *g); /* unrefs the blobs of all constants; NULL is fine */

/* Description of a new operation; strings and lists are copied into the graph's arena. */
struct ir_new {
    enum ir_opcode opcode;
    struct ir_value *const *in;
    uint32_t n_in;
    const union ir_attrs *attrs; /* NULL = all zero; a blob attribute gains one reference */
    const char *name;            /* NULL = "" */
    struct loc loc;
};
/* Inserts before `before` (NULL = at the end), infers the result type.
 * NULL with a diagnostic (code SHAPE, located at the new op's loc) if operands do not fit. */
struct ir_op *ir_op_new(struct ir_graph *g, struct ir_op *before, const struct ir_new *desc,
                        struct diag *d) CHECK_RESULT;
/* A constant; takes over the caller's reference to `b`. The blob must fit the type. */
struct ir_op *ir_const_new(struct ir_graph *g, struct ir_op *before, struct ir_type type,
                           struct blob *b, const char *name, struct loc loc);
/* The operation must have no uses left. */
void ir_op_remove(struct ir_op *op);
void ir_op_move_before(struct ir_op *op, struct ir_op *before);
void ir_set_operand(struct ir_op *op, uint32_t i, struct ir_value *v);
void ir_replace_uses(struct ir_value *old, struct ir_value *with);
bool ir_has_one_use(const struct ir_value *v);
/* Gives dense ids in list order and returns how many. */
uint32_t ir_number(struct ir_graph *g);

static inline bool ir_is(const struct ir_value *v, enum ir_opcode opcode)
{
    return v->def->opcode == opcode;
}

/* ---- types ---- */
size_t ir_dtype_bytes(enum ir_dtype t);
/* Stands for data that is missing: a splat, which costs nothing. `seed` chooses its value, for
 * nothing shall be made use of that holds by chance: zeros that add nothing, equal weights. */
struct blob *ir_missing_blob(enum ir_dtype dtype, uint64_t seed);
enum element ir_dtype_element(enum ir_dtype t); /* N_ELEMENTS: machines have no such */
/* ir_dtype_name(IR_F32) = "f32", ir_pad_mode_name, ...; "?" if it is none. */
#define ENUM(name) const char *ir_##name##_name(enum ir_##name x);
#define CHOICE(name, id, text)
#define END_ENUM(name, count)
#include "enums.def"
#undef ENUM
#undef CHOICE
#undef END_ENUM
/* Of the value of an input or output whose tensor outside has this dtype. */
enum ir_dtype ir_port_dtype(enum ir_dtype outside, enum ir_stage stage);
bool ir_dtype_parse(const char *name, size_t n, enum ir_dtype *out);
/* The axis (0, 1, 2 = h, w, c) at each place of a nesting order, outermost first. */
const uint8_t *ir_order_axes(enum ir_order order);
struct ir_type ir_type_of(enum ir_dtype dtype, uint32_t rank, const int64_t *dims);
bool ir_type_equal(const struct ir_type *a, const struct ir_type *b);
/* Product of the dimensions; false if it, times 8 bytes, overflows. */
bool ir_type_count(const struct ir_type *t, int64_t *out) CHECK_RESULT;
int64_t ir_count(const struct ir_type *t); /* for types that are in a graph (already checked) */
const char *ir_type_text(const struct ir_type *t, char *buf, size_t n); /* "f32[1x3x224x224]" */

/* Logical element i of a constant, for small integer and float operands. */
int64_t ir_const_i64(const struct ir_op *constant, int64_t i);
double ir_const_f64(const struct ir_op *constant, int64_t i);
/* The constant's elements expanded; returns blob data itself when dense. Arena-allocated if not. */
const void *ir_const_data(const struct ir_op *constant, struct arena *a);

/* Result type of `op` from its operands and attributes: infer_<op> of every operation, by table.
 * `op->out` need not exist yet. Reports what does not fit, at op->loc. */
bool ir_infer(const struct ir_op *op, struct diag *d, struct ir_type *out) CHECK_RESULT;

/* ---- whole graphs ---- */

/* Arity, types re-inferred and compared, order, use lists rebuilt and compared, attribute ranges,
 * stage legality. Reports every fault (code IR_INVALID); true = fine. Never aborts. */
bool ir_verify(const struct ir_graph *g, struct diag *d) CHECK_RESULT;
/* Text form (IR.md). Payloads of more than 64 elements print as their hash, which does not parse.
 */
struct ir_print_options {
    bool inline_blobs; /* print every payload, so that the text parses back to the same graph */
};
void ir_print(const struct ir_graph *g, const struct ir_print_options *o, struct text *out);
/* NULL with diagnostics (file:line:col). `text` need not be terminated. */
struct ir_graph *ir_parse(const char *text, size_t n, const char *file,
                          struct diag *d) CHECK_RESULT;
struct ir_graph *ir_clone(const struct ir_graph *g);
/* One more model in a graph of the same stage: what its operations become there. */
struct ir_append {
    const char *prefix;                /* in front of their names */
    int64_t first_input, first_output; /* added to indices */
    int64_t first_weights;             /* added to numbers of weights, where there is one */
};
void ir_append(struct ir_graph *to, const struct ir_graph *g, const struct ir_append *how);
/* Of structure, attributes, types, names and blob contents; not of locations. */
uint64_t ir_fingerprint(const struct ir_graph *g);
/* For "did it change?" within a process: as the fingerprint, but which blob a constant has counts
 * instead of what is in it, so that nothing is read. */
uint64_t ir_digest(const struct ir_graph *g);
/* DOT text of the graph. */
void ir_print_dot(const struct ir_graph *g, struct text *out);

#endif
