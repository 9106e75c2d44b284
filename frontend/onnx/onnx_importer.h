/*
 * onnx_importer.h - the import of one model: names, nodes, the graph that is being made.
 *
 * The way of a file: onnx_source_open (map, guard, unpack) -> onnx_import (check, order, walk)
 * -> one import_* function a node, found in operators.def.
 */
#ifndef CIMC_ONNX_IMPORTER_H
#define CIMC_ONNX_IMPORTER_H

#include "onnx_operator.h"
#include "onnx_source.h"

/* ---- names of a model ---- */

enum onnx_symbol_kind { ONNX_INPUT, ONNX_INITIALIZER, ONNX_NODE_OUTPUT };
struct onnx_symbol {
    const char *name;
    enum onnx_symbol_kind kind;
    uint32_t index;                   /* of the graph input, initializer or node */
    bool used;                        /* some node or graph output reads it */
    const Onnx__TensorProto *tensor;  /* of an initializer or Constant; of the former also */
    const struct onnx_source *source; /* where its bytes are */
    struct ir_value *value;           /* NULL until the walk has made it */
    struct ir_value *exact;           /* int32 results of a product: the same numbers as floats */
};

/* ---- the import of one model ---- */

struct onnx_node {
    struct onnx_importer *im;
    const Onnx__NodeProto *proto;
    const struct onnx_operator *op;
    uint32_t index;
    const char *name;        /* of the layer; unique */
    struct loc loc;          /* "node 12 'conv1' (Conv)" */
    struct onnx_symbol **in; /* by position; NULL where the name is "" */
    struct onnx_symbol **out;
    uint64_t attrs_read;  /* bit by position */
    bool failed;          /* an attribute was wrong; reported already */
    bool at_run_time;     /* needs run-time values where only constants are possible */
    bool named;           /* an operation carries the name */
    struct ir_op *before; /* last operation of the graph before this node's */
};
/* An operation whose weights are made of one initializer. */
struct onnx_weight_use {
    struct ir_op *op;
    const struct onnx_symbol *symbol;
    const char *variant; /* how they are made; uses with another one hold another matrix */
};
struct onnx_importer {
    const char *path;
    const struct onnx_options *options;
    struct diag *diag;
    struct arena *arena; /* until the import ends */
    struct onnx_source model;
    const Onnx__ModelProto *proto;
    const Onnx__GraphProto *graph;
    struct onnx_source *constants; /* files bound to inputs, as many as options->n_constants */
    int64_t opset;
    struct onnx_symbol *symbols; /* sorted by name */
    size_t n_symbols;
    struct onnx_node *nodes; /* in the file's order */
    uint32_t *order;         /* a topological order of them */
    bool integral;           /* holds a RequantShift: floats of the file are integers */
    struct ir_graph *g;
    VEC(struct onnx_weight_use) weights;
};

/* onnx_check.c: versions, and every operator that is not supported, in one report. */
bool onnx_check_model(struct onnx_importer *im) CHECK_RESULT;
/* "node 12 'conv1' (Conv)", in arena a. */
const char *onnx_node_entity(struct arena *a, const Onnx__NodeProto *p, uint32_t index);

/* onnx_names.c: symbols, layer names, order. */
bool onnx_collect_symbols(struct onnx_importer *im) CHECK_RESULT;
struct onnx_symbol *onnx_symbol_find(const struct onnx_importer *im, const char *name);
bool onnx_collect_nodes(struct onnx_importer *im) CHECK_RESULT;
bool onnx_order_nodes(struct onnx_importer *im) CHECK_RESULT;

/* onnx_weights.c: equal numbers for base operations that hold the same matrix. */
void onnx_number_weights(struct onnx_importer *im);

/* onnx_io.c: run-time inputs and outputs of the graph. */
bool onnx_bind_constants(struct onnx_importer *im) CHECK_RESULT;
bool onnx_make_inputs(struct onnx_importer *im) CHECK_RESULT;
bool onnx_make_outputs(struct onnx_importer *im) CHECK_RESULT;

#endif
