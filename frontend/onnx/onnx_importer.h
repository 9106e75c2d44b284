/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
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

#include "base/map.h"

/* ---- names of a model ---- */

enum onnx_symbol_kind { ONNX_INPUT, ONNX_INITIALIZER, ONNX_NODE_OUTPUT };
struct onnx_symbol {
    const char *name;
    enum onnx_symbol_kind kind;
    uint32_t index;                   /* of the graph input or initializer */
    uint32_t number;                  /* among all that the import makes, from 1 */
    struct onnx_node *node;           /* whose result it is */
    bool used;                        /* some node or graph output reads it */
    bool lost;                        /* its node, or one before it, could not be imported */
    const Onnx__TensorProto *tensor;  /* of an initializer or Constant; of the former also */
    const struct onnx_source *source; /* where its bytes are */
    struct ir_value *value;           /* NULL until the walk has made it */
    struct ir_value *exact;           /* int32 results of a product: the same numbers as floats */
    const struct onnx_sequence *sequence; /* it is no tensor but a list of them */
};
struct onnx_sequence {
    size_t n;
    struct ir_value *const *at;
};

/* ---- bodies: the graph of a file, a function, a branch, what a loop repeats ---- */

/* What is written there; it may be run many times. */
struct onnx_body {
    const char *const *inputs, *const *outputs;
    Onnx__NodeProto *const *nodes;
    size_t n_inputs, n_outputs, n_nodes, n_initializers;
    struct onnx_symbol *initializers;
    const uint32_t *numbers; /* of the nodes in the file; NULL: in order */
};
/* Whose attributes nodes of a function may refer to. */
struct onnx_call {
    const Onnx__NodeProto *proto;
    const Onnx__FunctionProto *function;
};
struct onnx_name {
    const char *name;
    struct onnx_symbol *symbol; /* NULL: an operand of a function that the call leaves out */
};
/* One run of a body. */
struct onnx_scope {
    struct onnx_importer *im;
    const struct onnx_scope *outer; /* whose names it sees, too; NULL: none */
    const struct onnx_body *body;
    const struct onnx_call *call; /* of the function that it is in, or NULL */
    int64_t opset;
    const char *prefix, *place; /* of layers' names, and of locations: "block/", "node 3 (F): " */
    struct onnx_name *names;    /* sorted */
    size_t n_names;
    struct onnx_node *nodes; /* in the file's order */
    uint32_t *order;         /* a topological order of them */
};

/* ---- the import of one model ---- */

struct onnx_node {
    struct onnx_importer *im;
    struct onnx_scope *scope;
    const Onnx__NodeProto *proto;
    const struct onnx_operator *op;      /* NULL: not supported */
    const Onnx__FunctionProto *function; /* that it calls, or NULL */
    uint32_t index;
    const char *name;        /* of the layer; unique */
    struct loc loc;          /* "node 12 'conv1' (Conv)" */
    struct onnx_symbol **in; /* by position; NULL where the name is "" */
    struct onnx_symbol **out;
    struct onnx_symbol **captured; /* of its scope, that its branches and loop bodies read */
    size_t n_captured;
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
    const uint32_t *numbers;       /* of its nodes in the file, if it was cut */
    struct onnx_source *constants; /* files bound to inputs, as many as options->n_constants */
    int64_t opset;                 /* of the scope that is walked */
    struct onnx_scope *top;        /* the graph of the file */
    struct map layer_names;
    struct map functions, declared; /* places among proto's functions and graph's value_info */
    struct map body_of;             /* of a GraphProto: its place in `bodies` */
    VEC(struct onnx_body *) bodies;
    uint32_t n_symbols, n_expanded; /* the latter: nodes of bodies that were run */
    uint64_t n_folded;              /* elements that were computed for constants of bodies */
    uint64_t folded_bytes;          /* of constants that were computed outside of them */
    bool is_too_much;               /* bodies ask for more than they may; that is reported */
    bool integral;                  /* holds a RequantShift: floats of the file are integers */
    struct ir_graph *g;
    VEC(struct onnx_weight_use) weights;
};

/* onnx_check.c: versions and form of the file; functions that call themselves. */
bool onnx_check_model(struct onnx_importer *im) CHECK_RESULT;
/* Of the default domain; 0 if there is none, -1 if there are two. */
int64_t onnx_default_opset(Onnx__OperatorSetIdProto *const *imports, size_t n);
/* "node 12 'conv1' (Conv)", in arena a. */
const char *onnx_node_entity(struct arena *a, const Onnx__NodeProto *p, uint32_t index);

/* onnx_body.c: what is written in a graph, and how often it is run. */
struct onnx_body *onnx_graph_body(struct onnx_importer *im, const Onnx__GraphProto *g);
/* n_nodes more of them, and one; false with an error where they are too many. */
bool onnx_may_expand(struct onnx_node *n, size_t n_nodes) CHECK_RESULT;
/* The same of what node n is called: its name and location are written for each run. */
bool onnx_may_name(struct onnx_node *n) CHECK_RESULT;
/* The same of what folding op, or a constant like it, takes. */
bool onnx_may_fold(struct onnx_node *n, const struct ir_op *op) CHECK_RESULT;
/* op as a constant; NULL where it stays as it is, or with an error where bodies ask for too much.
 */
struct ir_op *onnx_fold(struct onnx_node *n, struct ir_op *op);
/* Runs a body of node n (with `call` the function it calls): its inputs are `in`; `label` tells it
 * from others of the node, or is "". Results are then in the scope. NULL with an error. */
struct onnx_scope *onnx_run_body(struct onnx_node *n, const struct onnx_body *body,
                                 const char *label, struct onnx_symbol *const *in,
                                 const struct onnx_call *call);
/* NULL with an error if it is not defined. */
struct onnx_symbol *onnx_result(const struct onnx_scope *s, size_t k);
/* Result k of n is what `from` is. */
void onnx_set_symbol(struct onnx_node *n, size_t k, struct onnx_symbol *from);
/* onnx_import.c: imports the nodes; errors are in the diagnostics. */
void onnx_walk(struct onnx_scope *s);

/* onnx_function.c: functions that the model brings along. */
/* Each is there once, and none calls itself. */
bool onnx_check_functions(struct onnx_importer *im) CHECK_RESULT;
const Onnx__FunctionProto *onnx_function_find(const struct onnx_importer *im,
                                              const Onnx__NodeProto *p);
bool onnx_import_call(struct onnx_node *n);
enum { ONNX_MOST_ATTRIBUTES = 64 }; /* of a node, and by default of a function */
/* p with attributes in place of those that refer to the call's. NULL with an error. */
const Onnx__NodeProto *onnx_bind_attributes(const struct onnx_scope *s, const Onnx__NodeProto *p,
                                            struct loc loc);

/* onnx_names.c: symbols, layer names. */
bool onnx_collect_symbols(struct onnx_scope *s, struct onnx_symbol *const *in) CHECK_RESULT;
struct onnx_symbol *onnx_new_symbol(struct onnx_importer *im, const char *name,
                                    struct onnx_node *node);
struct onnx_symbol *onnx_symbol_find(const struct onnx_importer *im, const char *name);
/* The entry of s or of a scope around it; NULL if there is none. */
const struct onnx_name *onnx_name_find(const struct onnx_scope *s, const char *name);
bool onnx_collect_nodes(struct onnx_scope *s) CHECK_RESULT;

/* onnx_cut.c: im->graph becomes the part that the options ask for. */
bool onnx_cut_graph(struct onnx_importer *im) CHECK_RESULT;

/* onnx_order.c */
bool onnx_order_nodes(struct onnx_scope *s) CHECK_RESULT;

/* onnx_blocker.c: nodes that cannot be imported. */
/* Why n cannot be imported at all; false after an error. */
bool onnx_check_operator(struct onnx_node *n) CHECK_RESULT;
/* Refuses an operator whose result has as many elements as its data says; false. */
bool onnx_depends_on_data(struct onnx_node *n);
/* Reports the operators that are not known, of a graph that is not walked, and of the branches and
 * loop bodies of a node; `place` of theirs, or "". */
void onnx_look_at(struct onnx_importer *im, const Onnx__GraphProto *g, const char *place);
void onnx_look_into(struct onnx_importer *im, const Onnx__NodeProto *p, const char *place);
/* Results of n are not known. */
void onnx_lose(struct onnx_node *n);
bool onnx_waits_for_lost(const struct onnx_node *n);
/* What can be compiled in spite of errors, as a note. */
void onnx_advise_cut(struct onnx_importer *im);
/* Makes what was imported a graph of its own, with outputs where nodes were lost. False: there is
 * nothing to look at. */
bool onnx_rest(struct onnx_importer *im);
void onnx_drop_unused_constants(struct ir_graph *g);

/* onnx_weights.c: equal numbers for base operations that hold the same matrix. */
void onnx_number_weights(struct onnx_importer *im);

/* onnx_io.c: run-time inputs and outputs of the graph. */
/* What fails is reported and lost. */
void onnx_bind_constants(struct onnx_importer *im);
void onnx_make_inputs(struct onnx_importer *im);
void onnx_make_outputs(struct onnx_importer *im);
/* An input in place of a lost result, of the type that the file declares for it; NULL if it does
 * not, or if it holds other than floats. */
struct ir_value *onnx_stand_in(struct onnx_node *n, const char *name);

#endif
