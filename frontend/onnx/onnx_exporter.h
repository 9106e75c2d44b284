/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_exporter.h - the export of one graph: values get names, operations become nodes.
 *
 * One export_* function an operation, found in exports.def; it appends nodes in order. What no
 * output needs is dropped at the end, so that a function may write more than will be used: a
 * convolution takes over the operation that pads its input, and an addition the convolution before
 * it, whose own nodes then have no readers.
 */
#ifndef CIMC_ONNX_EXPORTER_H
#define CIMC_ONNX_EXPORTER_H

#include "onnx_source.h"

#include "base/map.h"

struct onnx_exporter {
    const struct ir_graph *g; /* numbered */
    struct diag *diag;
    struct arena *arena;  /* until the export ends */
    struct map names;     /* of tensors; numbered from 0 */
    uint32_t n_names;     /* how many */
    uint32_t n_tries;     /* numbers behind names that were taken */
    const char **tensor;  /* of values, by the id of their operation; NULL: not written yet */
    const char **claimed; /* by the same id: an output's name, which the value shall have */
    struct map numbers;   /* small constants: their places in `initializers` */
    VEC(Onnx__NodeProto *) nodes;
    VEC(Onnx__TensorProto *) initializers;
    VEC(const struct ir_op *)
    constants; /* where the bytes of each come from; NULL: they are there */
    VEC(Onnx__ValueInfoProto *) inputs;
    VEC(Onnx__ValueInfoProto *) outputs;
};

/* ---- nodes ---- */

enum export_attr_kind { EXPORT_NO_ATTR, EXPORT_INT, EXPORT_FLOAT, EXPORT_INTS, EXPORT_STRING };
struct export_attr {
    const char *name;
    enum export_attr_kind kind;
    int64_t i;
    float f;
    const int64_t *list; /* i long */
    const char *s;
};
enum { EXPORT_MOST_ATTRS = 6 };
struct export_node {
    const char *type;
    const char *const *in; /* names of tensors */
    size_t n_in;
    struct export_attr attrs[EXPORT_MOST_ATTRS];
};
#define EXPORT_IN(...)                                                                             \
    .in = (const char *const[]){__VA_ARGS__},                                                      \
    .n_in = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)
#define INT_ATTR(attr, x)                                                                          \
    {                                                                                              \
        .name = (attr), .kind = EXPORT_INT, .i = (x)                                               \
    }
#define FLOAT_ATTR(attr, x)                                                                        \
    {                                                                                              \
        .name = (attr), .kind = EXPORT_FLOAT, .f = (x)                                             \
    }
#define INTS_ATTR(attr, x, n)                                                                      \
    {                                                                                              \
        .name = (attr), .kind = EXPORT_INTS, .list = (x), .i = (n)                                 \
    }
#define STRING_ATTR(attr, x)                                                                       \
    {                                                                                              \
        .name = (attr), .kind = EXPORT_STRING, .s = (x)                                            \
    }

/* A node on the way to op's value; the name of its result. */
const char *export_helper(struct onnx_exporter *e, const struct ir_op *op,
                          const struct export_node *n);
/* Of one that has no attributes. */
const char *export_helper1(struct onnx_exporter *e, const struct ir_op *op, const char *type,
                           const char *x);
const char *export_helper2(struct onnx_exporter *e, const struct ir_op *op, const char *type,
                           const char *a, const char *b);
/* The node that gives op's value, and carries op's name; true. */
bool export_result(struct onnx_exporter *e, const struct ir_op *op, const struct export_node *n);
/* The same of a node whose result is of another type. */
bool export_result_of(struct onnx_exporter *e, const struct ir_op *op, const struct export_node *n,
                      enum ir_dtype dtype);
/* Of a node that carries another name. */
bool export_named(struct onnx_exporter *e, const struct ir_op *op, const char *name,
                  const struct export_node *n);
/* Converted by a Cast, if it has to be. */
const char *export_cast(struct onnx_exporter *e, const struct ir_op *op, const char *x,
                        enum ir_dtype from, enum ir_dtype to);
/* False, with an error at op. */
bool export_refuse(struct onnx_exporter *e, const struct ir_op *op, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* ---- tensors ---- */

/* TensorProto's number of a type. */
int32_t export_dtype(enum ir_dtype t);
/* The tensor that holds operand i of op, or value v. */
const char *export_in(struct onnx_exporter *e, const struct ir_op *op, uint32_t i);
const char *export_value(struct onnx_exporter *e, const struct ir_value *v);
/* A constant's elements in another shape. */
const char *export_constant_as(struct onnx_exporter *e, const struct ir_op *constant, uint32_t rank,
                               const int64_t *dims);
/* Constants of the file's own, one for all equal ones: of any shape, a number of rank 0, the same
 * in each of [n], a list of int64. */
const char *export_small(struct onnx_exporter *e, enum ir_dtype dtype, uint32_t rank,
                         const int64_t *dims, const void *data);
const char *export_number(struct onnx_exporter *e, enum ir_dtype dtype, double x);
const char *export_numbers(struct onnx_exporter *e, enum ir_dtype dtype, double x, int64_t n);
const char *export_list(struct onnx_exporter *e, const int64_t *at, size_t n);
/* An unused name of a tensor, `want` if that is one. */
const char *export_fresh(struct onnx_exporter *e, const char *want);

/* ---- operations ---- */

/* Appends what computes op's value; `type` is the name that exports.def has for it. */
typedef bool export_fn(struct onnx_exporter *e, const struct ir_op *op, const char *type);
#define EXPORT(op, function, type) export_fn function;
#include "exports.def"
#undef EXPORT

/* What an addition of a bias and what is in front of it are together; false: `add` is no such. */
bool export_biased(struct onnx_exporter *e, const struct ir_op *add);

#endif
