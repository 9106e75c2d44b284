/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* onnx.h - reads ONNX files into a TENSOR graph. ONNX.md at this door says what is supported. */
#ifndef CIMC_ONNX_H
#define CIMC_ONNX_H

#include "ir.h"

struct onnx_dim_binding {
    const char *name; /* dim_param */
    int64_t size;     /* >= 1 */
};
/* A graph input that is not a runtime input but the tensor in a file (`--constant name=file.pb`).
 */
struct onnx_constant_input {
    const char *name;    /* of a graph input; one that has an initializer loses it */
    const char *pb_path; /* a serialised TensorProto */
};
/* A graph input whose elements are other than its file says (`--input-type name=i8`). */
struct onnx_input_type {
    const char *name;
    enum ir_dtype dtype; /* IR_U8 or IR_I8 */
};
/* A model that is not read from its file: its bytes, which stay the caller's as long as there is a
 * constant of it. */
struct onnx_memory {
    const void *bytes; /* NULL: it is in its file */
    size_t n;
};
struct onnx_options {
    struct onnx_memory memory; /* `path` then only says how it is called; NULL: in no way */
    const struct onnx_dim_binding *dims;
    size_t n_dims;
    const struct onnx_constant_input *constants;
    size_t n_constants;
    /* Of a model of integers written as floats, whose inputs are u8 where nothing is said. */
    const struct onnx_input_type *input_types;
    size_t n_input_types;
    /* Tensors that are inputs (NAME or NAME:1x3x8) and outputs in place of the file's (`--inputs`,
     * `--outputs`); none: those of the file. */
    const char *const *inputs, *const *outputs;
    size_t n_inputs, n_outputs;
    /* Called on every new operation; folds it to a constant where all its operands are (bound to
     * eval_fold by the driver). Returns the constant or NULL; the old op is then gone. */
    struct ir_op *(*fold)(void *self, struct ir_op *op);
    void *fold_self;
    /* Called before a file that the model or a constant names for its tensors is opened; false,
     * after a diagnostic: it is not read. */
    bool (*may_read)(void *self, const char *path, struct diag *d);
    void *may_read_self;
    /* External data that is not there stands for itself (`--no-weights`): the structure of the
     * model can be compiled. Without this it is an error. */
    bool no_weights;
    size_t *n_missing;    /* gets the number of such tensors; may be NULL */
    struct text *assumed; /* gets what the file leaves open and the importer chose; may be NULL */
    /* If nodes were refused: gets a valid graph of all others, in which inputs stand for what was
     * not imported, so that passes can tell what else is in the way. Else it is left alone. The
     * caller frees it. May be NULL. */
    struct ir_graph **rest;
};
/*
 * NULL with diagnostics. The file's mapping is kept alive by the constants that view it.
 * Supported: IR versions 3..13, opsets 6..24 of the default domain ("" or "ai.onnx").
 * Runtime inputs are the graph inputs, in order, that neither have an initializer nor are among
 * `constants`; index k of an `input` operation counts those.
 */
struct ir_graph *onnx_import(const char *path, const struct onnx_options *o,
                             struct diag *d) CHECK_RESULT;

/* The run-time inputs of a model as its nodes use them: the letter of operators.def that all
 * readers agree on, x (data) where one reads it so; 0: nobody reads it. */
struct onnx_input_role {
    const char *name;
    char role;
};
struct onnx_inputs {
    struct onnx_input_role *at; /* in the file's order */
    size_t n;
};
bool onnx_input_roles(const char *path, struct arena *a, struct onnx_inputs *out,
                      struct diag *d) CHECK_RESULT;

/* A serialised TensorProto (test data): floats as f32, all else as stored. Data from heap_alloc. */
struct onnx_tensor {
    struct ir_type type;
    void *data;
};
bool onnx_read_tensor(const char *path, struct onnx_tensor *out, struct diag *d) CHECK_RESULT;
/* Names of all supported ONNX operators, NULL-terminated, sorted. */
const char *const *onnx_operators(void);
/* A table of them: opsets, numbers of operands, those that are weights or must be constant, how
 * mode int computes them. */
void onnx_print_operators(struct text *out);

#endif
