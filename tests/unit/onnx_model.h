/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_model.h - ONNX bytes written by hand, for tests of the importer: an independent writer of
 * the protobuf wire format that can also write what no library would.
 */
#ifndef CIMC_ONNX_MODEL_H
#define CIMC_ONNX_MODEL_H

#include "eval.h"
#include "onnx.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- wire format ---- */

static inline void put_varint(struct text *t, uint64_t x)
{
    for (; x >= 128; x >>= 7)
        text_add_bytes(t, &(uint8_t){(uint8_t)(x | 128)}, 1);
    text_add_bytes(t, &(uint8_t){(uint8_t)x}, 1);
}
static inline void put_tag(struct text *t, unsigned field, unsigned wire)
{
    put_varint(t, field << 3 | wire);
}
static inline void put_int(struct text *t, unsigned field, int64_t x)
{
    put_tag(t, field, 0);
    put_varint(t, (uint64_t)x);
}
static inline void put_f32(struct text *t, unsigned field, float x)
{
    put_tag(t, field, 5);
    text_add_bytes(t, &x, sizeof x);
}
static inline void put_bytes(struct text *t, unsigned field, const void *at, size_t n)
{
    put_tag(t, field, 2);
    put_varint(t, n);
    if (n)
        text_add_bytes(t, at, n);
}
static inline void put_str(struct text *t, unsigned field, const char *s)
{
    put_bytes(t, field, s, strlen(s));
}
/* A nested message; takes over and frees it. */
static inline void put_msg(struct text *t, unsigned field, struct text inner)
{
    put_bytes(t, field, inner.at, inner.n);
    text_free(&inner);
}

/* ---- files in memory ---- */

struct memory_file {
    int fd;
    char path[64];
};
static inline struct memory_file memory_file(const void *bytes, size_t n)
{
    struct memory_file f = {.fd = memfd_create("onnx", MFD_CLOEXEC)};
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    if (f.fd < 0 || write(f.fd, bytes, n) != (ssize_t)n)
        BUG("cannot write %zu bytes to memory", n);
    return f;
}

static inline struct ir_op *fold(void *self, struct ir_op *op)
{
    return eval_fold(op, (size_t)1 << 26, self);
}

/* The file's graph, constants folded; NULL with a diagnostic. */
static inline struct ir_graph *import_folded(const struct text *file, struct diag *d)
{
    struct onnx_options o = {.fold = fold, .fold_self = d};
    struct memory_file f = memory_file(file->at, file->n);
    struct ir_graph *g = onnx_import(f.path, &o, d);
    close(f.fd);
    return g;
}

/* ---- ONNX: field numbers are those of onnx.proto ---- */

enum {
    FLOAT = 1,
    UINT8 = 2,
    INT8 = 3,
    INT32 = 6,
    INT64 = 7,
    STRING = 8,
    BOOL = 9,
    FLOAT16 = 10,
    DOUBLE = 11,
    BFLOAT16 = 16,
    UINT4 = 21,
    INT4 = 22
};

/* TensorProto with raw data. */
static inline struct text tensor(const char *name, int type, int n_dims, const int64_t *dims,
                                 const void *raw, size_t bytes)
{
    struct text t = {0};
    for (int i = 0; i < n_dims; i++)
        put_int(&t, 1, dims[i]);
    put_int(&t, 2, type);
    put_str(&t, 8, name);
    put_bytes(&t, 9, raw, bytes);
    return t;
}
#define DIMS(...)                                                                                  \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
/* name, DIMS(...), float values */
#define FLOATS(name, dims, ...)                                                                    \
    tensor(name, FLOAT, dims, (const float[]){__VA_ARGS__}, sizeof((float[]){__VA_ARGS__}))
#define INTS(name, ...)                                                                            \
    tensor(name, INT64, DIMS(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                  \
           (const int64_t[]){__VA_ARGS__}, sizeof((int64_t[]){__VA_ARGS__}))

/* ValueInfoProto; a dimension is a number or, where it is negative, names[i] ("" = neither). */
static inline struct text value_info(const char *name, int type, int n_dims, const int64_t *dims,
                                     const char *const *names)
{
    struct text shape = {0}, tensor_type = {0}, any = {0}, v = {0};
    for (int i = 0; i < n_dims; i++) {
        struct text dim = {0};
        if (dims[i] >= 0)
            put_int(&dim, 1, dims[i]);
        else if (*names[i])
            put_str(&dim, 2, names[i]);
        put_msg(&shape, 1, dim);
    }
    put_int(&tensor_type, 1, type);
    put_msg(&tensor_type, 2, shape);
    put_msg(&any, 1, tensor_type);
    put_str(&v, 1, name);
    put_msg(&v, 2, any);
    return v;
}

/* AttributeProto of one kind, wrapped as field 5 of a node. */
static inline struct text attr(const char *name, int type)
{
    struct text a = {0};
    put_str(&a, 1, name);
    put_int(&a, 20, type);
    return a;
}
static inline void attr_int(struct text *node, const char *name, int64_t x)
{
    struct text a = attr(name, 2);
    put_int(&a, 3, x);
    put_msg(node, 5, a);
}
static inline void attr_float(struct text *node, const char *name, float x)
{
    struct text a = attr(name, 1);
    put_f32(&a, 2, x);
    put_msg(node, 5, a);
}
static inline void attr_str(struct text *node, const char *name, const char *s)
{
    struct text a = attr(name, 3);
    put_str(&a, 4, s);
    put_msg(node, 5, a);
}
static inline void attr_ints(struct text *node, const char *name, int n, const int64_t *at)
{
    struct text a = attr(name, 7);
    for (int i = 0; i < n; i++)
        put_int(&a, 8, at[i]);
    put_msg(node, 5, a);
}
static inline void attr_floats(struct text *node, const char *name, int n, const float *at)
{
    struct text a = attr(name, 6);
    for (int i = 0; i < n; i++)
        put_f32(&a, 7, at[i]);
    put_msg(node, 5, a);
}
static inline void attr_tensor(struct text *node, const char *name, struct text t)
{
    struct text a = attr(name, 4);
    put_msg(&a, 5, t);
    put_msg(node, 5, a);
}

/* NodeProto; operands and results are separated by blanks, "-" is an empty name. */
static inline void put_names(struct text *t, unsigned field, const char *names)
{
    while (*names) {
        size_t n = strcspn(names, " ");
        put_bytes(t, field, names, n == 1 && *names == '-' ? 0 : n);
        names += n + (names[n] == ' ');
    }
}
static inline struct text node(const char *op, const char *name, const char *in, const char *out)
{
    struct text t = {0};
    put_names(&t, 1, in);
    put_names(&t, 2, out);
    put_str(&t, 3, name);
    put_str(&t, 4, op);
    return t;
}

/* A ModelProto being put together. */
struct model {
    struct text graph;
    int64_t ir_version, opset;
    const char *domain;
    struct text functions; /* and what else a ModelProto holds */
};
static inline struct model model_new(int64_t opset)
{
    return (struct model){.ir_version = 7, .opset = opset, .domain = ""};
}
static inline void model_node(struct model *m, struct text n)
{
    put_msg(&m->graph, 1, n);
}
static inline void model_init(struct model *m, struct text t)
{
    put_msg(&m->graph, 5, t);
}
static inline void model_input(struct model *m, const char *name, int n_dims, const int64_t *dims)
{
    put_msg(&m->graph, 11, value_info(name, FLOAT, n_dims, dims, NULL));
}
static inline void model_output(struct model *m, const char *name)
{
    struct text v = {0};
    put_str(&v, 1, name);
    put_msg(&m->graph, 12, v);
}
/* FunctionProto, to which nodes (field 7) are added. */
static inline struct text function(const char *domain, const char *name, const char *in,
                                   const char *out)
{
    struct text f = {0};
    put_str(&f, 1, name);
    put_names(&f, 4, in);
    put_names(&f, 5, out);
    put_str(&f, 10, domain);
    return f;
}
static inline void model_function(struct model *m, struct text f)
{
    put_msg(&m->functions, 25, f);
}
/* A node of a function. */
static inline struct text call(const char *domain, const char *name, const char *label,
                               const char *in, const char *out)
{
    struct text n = node(name, label, in, out);
    put_str(&n, 7, domain);
    return n;
}

/* GraphProto of a branch or loop body; names of inputs and outputs are separated by blanks. */
static inline void put_ports(struct text *graph, unsigned field, const char *names)
{
    while (*names) {
        struct text v = {0};
        size_t n = strcspn(names, " ");
        put_bytes(&v, 1, names, n);
        put_msg(graph, field, v);
        names += n + (names[n] == ' ');
    }
}
static inline struct text body(const char *in, const char *out)
{
    struct text g = {0};
    put_ports(&g, 11, in);
    put_ports(&g, 12, out);
    return g;
}
static inline void attr_graph(struct text *node, const char *name, struct text graph)
{
    struct text a = attr(name, 5);
    put_msg(&a, 6, graph);
    put_msg(node, 5, a);
}
/* An attribute that is the call's `refers_to`. */
static inline void attr_ref(struct text *node, const char *name, int type, const char *refers_to)
{
    struct text a = attr(name, type);
    put_str(&a, 21, refers_to);
    put_msg(node, 5, a);
}

/* Frees the parts. */
static inline struct text model_bytes(struct model *m)
{
    struct text bytes = {0}, set = {0};
    put_int(&bytes, 1, m->ir_version);
    put_msg(&bytes, 7, m->graph);
    put_str(&set, 1, m->domain);
    put_int(&set, 2, m->opset);
    put_msg(&bytes, 8, set);
    if (m->functions.n)
        text_add_bytes(&bytes, m->functions.at, m->functions.n);
    text_free(&m->functions);
    m->graph = (struct text){0};
    return bytes;
}

#endif
