/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * ir_internal.h - what the sources of this room share and nobody else sees.
 */
#ifndef CIMC_IR_INTERNAL_H
#define CIMC_IR_INTERNAL_H

#include "ir.h"

#include "base/half.h"

#include <string.h>

/* ---- attributes ---- */

static inline const void *ir_attr_at(const union ir_attrs *attrs, const struct ir_attr_desc *desc)
{
    return (const char *)attrs + desc->offset;
}
/* Deep copy of lists into `a`; blobs are copied as pointers, without a reference. A NULL source
 * gives zeros, or ones where that is what they mean. */
union ir_attrs *ir_attrs_copy(enum ir_opcode opcode, const union ir_attrs *from, struct arena *a);
/* Has it the value that leaving it out means? Then neither text nor fingerprint has it. */
bool ir_attr_is_implied(const void *field, enum ir_attr_kind kind);
/* The value of an attribute of a kind of enums.def; its text, NULL if it is none of the choices;
 * and the choice with a text. */
static inline unsigned ir_attr_choice(const void *field)
{
    unsigned choice;
    memcpy(&choice, field, sizeof choice);
    return choice;
}
const char *ir_choice_text(enum ir_attr_kind kind, unsigned choice);
bool ir_choice_parse(enum ir_attr_kind kind, const char *text, size_t n,
                     unsigned *out) CHECK_RESULT;
/* The blob of a constant, or NULL. */
struct blob *ir_op_blob(const struct ir_op *op);
/* Stored bytes are what the type wants: one element for a splat, all of them otherwise. */
bool ir_blob_fits(const struct blob *b, const struct ir_type *t);

/* ---- building in two steps, so that clone need not infer ---- */

/* In the arena, not yet in the list, uses not yet linked. */
struct ir_op *ir_op_detached(struct ir_graph *g, const struct ir_new *desc);
/* Links uses, takes a reference to a blob, gives it its value and its place. */
void ir_op_attach(struct ir_op *op, struct ir_op *before, const struct ir_type *type);

/* ---- position of an operation in list order, without writing to the graph ---- */

struct ir_index {
    const struct ir_op **key;
    uint32_t *position;
    size_t mask;
    uint32_t n;
};
/* Stops after n_ops + 1 operations, so that a broken (cyclic) list ends. */
void ir_index_init(struct ir_index *x, const struct ir_graph *g);
bool ir_index_find(const struct ir_index *x, const struct ir_op *op, uint32_t *out);
void ir_index_free(struct ir_index *x);

/* ---- inference ---- */

#define OP(name, min_in, max_in, n_out, stages, traits)                                            \
    bool infer_##name(const struct ir_op *op, struct diag *d, struct ir_type *out);
#define ATTR(op, kind, field)
#define END(op)
#include "ops.def"
#undef OP
#undef ATTR
#undef END

/* Reports "conv: ..." with code SHAPE at the operation; always false. */
bool ir_misfit(const struct ir_op *op, struct diag *d, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Type of operand i. */
static inline const struct ir_type *ir_in(const struct ir_op *op, uint32_t i)
{
    return &op->in[i].value->type;
}
static inline bool ir_at_crossbar(const struct ir_op *op)
{
    return op->graph->stage == IR_CROSSBAR;
}
/* Are base layers integers where they can be? */
static inline bool ir_is_lowered(const struct ir_op *op)
{
    return op->graph->stage == IR_INTEGER || op->graph->stage == IR_CROSSBAR;
}
/* All operands from `first` on are f32. */
bool ir_want_f32(const struct ir_op *op, uint32_t first, struct diag *d);
/* Operand i is of one of `dtypes`, a set of bits 1 << dtype. */
bool ir_want_dtype(const struct ir_op *op, uint32_t i, unsigned dtypes, struct diag *d);
/* An attribute of a float is an exact element of an integer dtype; floats take any. */
bool ir_want_element(const struct ir_op *op, const char *attr, enum ir_dtype dtype, float x,
                     struct diag *d);
/* numpy broadcasting of the dimensions of a and b; out's dtype is a's. */
bool ir_broadcast(const struct ir_op *op, const struct ir_type *a, const struct ir_type *b,
                  struct diag *d, struct ir_type *out);
/* Are all n numbers >= least? Names the attribute if not. */
bool ir_want_least(const struct ir_op *op, const char *attr, const int64_t *v, uint32_t n,
                   int64_t least, struct diag *d);
/* A dtype and a shape from attributes. */
bool ir_shape_type(const struct ir_op *op, enum ir_dtype dtype, const struct ir_ints *shape,
                   struct diag *d, struct ir_type *out);

const char *ir_stage_name(enum ir_stage s); /* "tensor"; NULL if it is none */

/* ---- verifier ---- */

struct ir_verifier {
    const struct ir_graph *graph;
    struct diag *diag;
    struct ir_index index;
    bool ok;
    /* By position: frame, operands and type are right, so that users may be looked at. */
    bool *sound;
};
/* Reports "conv: ..." with code IR_INVALID at the operation (NULL = the graph). */
void ir_fault(struct ir_verifier *v, const struct ir_op *op, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* What a stage demands of one sound operation beyond its type. */
void ir_verify_stage(struct ir_verifier *v, const struct ir_op *op);
/* The part of it that begins with stage INTEGER: which operation has a form for which dtypes. */
void ir_verify_lowered(struct ir_verifier *v, const struct ir_op *op);
/* Indices of inputs and outputs, coverage of outputs, shared weights; all operations are sound. */
void ir_verify_interface(struct ir_verifier *v);

/* ---- text ---- */

/* "{kernel=[3,3], ...}", or nothing where the operation has no attributes. */
void ir_print_attrs(const struct ir_op *op, const struct ir_print_options *o, struct text *out);
void ir_print_blob(const struct ir_op *constant, const struct ir_print_options *o,
                   struct text *out);

/* The bits that the literal `nan` stands for; other NaNs need the hex form. */
enum { IR_NAN_F16 = 0x7e00, IR_NAN_F32 = 0x7fc00000 };
#define IR_NAN_F64 0x7ff8000000000000u

/* Reads text without tokens of its own: each lex_* takes one thing at the cursor, or reports (code
 * IR_SYNTAX) and answers false. Blanks and comments before it are skipped; ends of lines too, but
 * only while `multiline`. */
struct lex {
    const char *at, *end, *line_start;
    const char *file;
    uint32_t line;
    bool multiline;
    struct diag *diag;
};
struct span {
    const char *at;
    size_t n;
};
struct loc lex_loc(struct lex *l); /* of the next thing */
bool lex_error(struct lex *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool lex_at_end(struct lex *l);
bool lex_peek(struct lex *l, char c); /* does it come next? */
/* Takes the character if it comes next. */
bool lex_take(struct lex *l, char c);
bool lex_want(struct lex *l, char c);
bool lex_word(struct lex *l, const char *what, struct span *out); /* [A-Za-z_][A-Za-z0-9_]* */
bool lex_word_is(const struct span *w, const char *s);
bool lex_i64(struct lex *l, int64_t *out);
bool lex_u64(struct lex *l, uint64_t *out); /* digits, at the cursor itself: nothing is skipped */
bool lex_f64(struct lex *l, double *out);   /* nan, inf, -inf too */
bool lex_f32(struct lex *l, float *out);    /* rounded once */
/* "..." decoded into `a`. */
bool lex_string(struct lex *l, struct arena *a, char **out);
/* The raw characters of a string without escapes. */
bool lex_raw_string(struct lex *l, struct span *out);
void lex_skip_line(struct lex *l);
/* From here on, ends of lines are blanks. */
void lex_skip_blank_lines(struct lex *l);

/* A payload for type `t`; *out is the caller's reference. `generated_bytes` adds up what payloads
 * made from nothing (iota, random) take in this text. */
bool ir_parse_blob(struct lex *l, const struct ir_type *t, struct arena *scratch,
                   uint64_t *generated_bytes, struct blob **out);

#endif
