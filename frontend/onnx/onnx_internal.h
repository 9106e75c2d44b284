/*
 * onnx_internal.h - what the sources of this room share. onnx.pb-c.h goes no further than here.
 *
 * The way of a file: onnx_source_open (map, guard, unpack) -> onnx_import (check, order, walk)
 * -> one import_* function a node, found in operators.def.
 */
#ifndef CIMC_ONNX_INTERNAL_H
#define CIMC_ONNX_INTERNAL_H

#include "onnx.h"

#include "onnx.pb-c.h"

/* ---- guard: bytes of a file -> a small message and what was cut out of it ---- */

enum {
    ONNX_FLOAT_DATA = 4, /* field numbers of TensorProto */
    ONNX_RAW_DATA = 9,
    ONNX_DOUBLE_DATA = 10,
    ONNX_MARK = 1 << 28, /* our own: stands for a payload that was cut out */
};
struct onnx_cut {
    uint32_t field;      /* ONNX_RAW_DATA, ONNX_FLOAT_DATA or ONNX_DOUBLE_DATA */
    const uint8_t *data; /* in the file */
    size_t bytes;
};
struct onnx_wire {
    struct text message;
    struct onnx_cut *cuts;
    size_t n_cuts, cap_cuts;
};
bool onnx_guard(const struct file *f, const ProtobufCMessageDescriptor *root, struct onnx_wire *out,
                struct diag *d) CHECK_RESULT;
void onnx_wire_free(struct onnx_wire *w);
/* "a PyTorch file; ...": what bytes that are not ONNX are, and what to do; NULL if unknown. */
const char *onnx_kind_of(const uint8_t *data, size_t n);

/* ---- source: an unpacked file ---- */

struct onnx_file; /* a mapping, shared with the blobs that view it */
struct onnx_source {
    struct onnx_file *file;
    const char *path;    /* NULL: standard input */
    struct arena *arena; /* of the unpacked message */
    struct onnx_wire wire;
    const ProtobufCMessage *root;
    void **externals; /* root of the tree of files that its tensors lie in */
};
/* NULL with a diagnostic. */
struct onnx_file *onnx_file_open(const char *path, struct arena *names, struct diag *d);
const struct file *onnx_file_of(const struct onnx_file *f);
void onnx_file_unref(void *f);
bool onnx_source_open(const char *path, const ProtobufCMessageDescriptor *root,
                      struct onnx_source *out, struct diag *d) CHECK_RESULT;
void onnx_source_close(struct onnx_source *s);
/* The payload that the guard cut out of t, or NULL. */
const struct onnx_cut *onnx_source_cut(const struct onnx_source *s, const Onnx__TensorProto *t);
/* Bytes of a mapped file. */
struct onnx_bytes {
    struct onnx_file *file;
    const uint8_t *at;
    size_t n;
};
/* A blob over them. */
struct blob *onnx_bytes_view(const struct onnx_bytes *b);
/* They are not needed in memory for now. */
void onnx_bytes_forget(const struct onnx_bytes *b);
/* The bytes of a tensor that keeps them in another file; out->n says how many it needs, and is what
 * `length` says afterwards. */
bool onnx_external_find(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                        struct diag *d, struct onnx_bytes *out) CHECK_RESULT;
void onnx_externals_close(struct onnx_source *s);

/* ---- tensors ---- */

const char *onnx_dtype_name(int64_t data_type); /* "float16" */
/* The type that such elements have inside the compiler; false if they are not supported. */
bool onnx_dtype_inside(int64_t data_type, enum ir_dtype *out) CHECK_RESULT;
bool onnx_tensor_blob(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                      struct diag *d, struct ir_type *type, struct blob **out) CHECK_RESULT;
/* As f32; out->type has the stored element type. */
bool onnx_tensor_f32(const struct onnx_source *s, const Onnx__TensorProto *t, struct loc loc,
                     struct diag *d, struct onnx_tensor *out) CHECK_RESULT;

/* ---- names of a model ---- */

enum onnx_symbol_kind { ONNX_INPUT, ONNX_INITIALIZER, ONNX_NODE_OUTPUT };
struct onnx_symbol {
    const char *name;
    enum onnx_symbol_kind kind;
    uint32_t index;                  /* of the graph input, initializer or node */
    bool used;                       /* some node or graph output reads it */
    const Onnx__TensorProto *tensor; /* of an initializer, and where its bytes are */
    const struct onnx_source *source;
    struct ir_value *value; /* NULL until the walk has made it */
};

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
    REDUCE_L2,
    REDUCE_MAX,
    REDUCE_MEAN,
    REDUCE_MIN,
    REDUCE_SUM,
    LOGIC_AND,
    LOGIC_OR,
    SOFTMAX,
    LOG_SOFTMAX,
};
struct onnx_node;
struct onnx_operator {
    const char *name;
    uint8_t since, until; /* opsets of the default domain */
    uint8_t min_in, max_in;
    bool (*import)(struct onnx_node *n);
    enum ir_opcode opcode; /* what a generic import function makes */
    enum onnx_variant variant;
};
/* NULL if the compiler does not know it. */
const struct onnx_operator *onnx_operator_find(const char *name);
#define OPERATOR(name, since, until, min_in, max_in, function, opcode, variant)                    \
    bool function(struct onnx_node *n);
#include "operators.def"
#undef OPERATOR

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
/* An operation whose weights are an initializer named directly. */
struct onnx_weight_use {
    struct ir_op *op;
    const struct onnx_symbol *symbol;
    int64_t variant; /* uses with another variant hold another matrix */
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

/* onnx_io.c: run-time inputs and outputs of the graph. */
bool onnx_bind_constants(struct onnx_importer *im) CHECK_RESULT;
bool onnx_make_inputs(struct onnx_importer *im) CHECK_RESULT;
bool onnx_make_outputs(struct onnx_importer *im) CHECK_RESULT;

/* ---- onnx_node.c: what import functions work with. Every value may be NULL, meaning that an error
 * was reported; functions given a NULL do nothing and return NULL or false. ---- */

bool onnx_error(struct onnx_node *n, const char *fmt, ...) PRINTF_LIKE(2, 3); /* DIAG_ONNX_ATTR */

/* The value of a symbol, an initializer made a constant now; NULL if it has none. */
struct ir_value *onnx_graph_value(struct onnx_importer *im, struct onnx_symbol *s);
bool onnx_has_in(const struct onnx_node *n, size_t i);
struct ir_value *onnx_in(struct onnx_node *n, size_t i);
bool onnx_is_const(const struct ir_value *v);
/* A constant operand of integers, of rank 0 or 1. */
bool onnx_const_ints(struct onnx_node *n, size_t i, struct ir_ints *out) CHECK_RESULT;
/* A constant operand with exactly one element, of any type of numbers; or a list of floats. */
bool onnx_const_f32(struct onnx_node *n, size_t i, float *out) CHECK_RESULT;
bool onnx_const_f32s(struct onnx_node *n, size_t i, const float **out, size_t *n_out) CHECK_RESULT;

/* Attributes; a missing one gives the default. A wrong type sets n->failed. */
bool onnx_has_attr(struct onnx_node *n, const char *name);
int64_t onnx_attr_i64(struct onnx_node *n, const char *name, int64_t otherwise);
float onnx_attr_f32(struct onnx_node *n, const char *name, float otherwise);
const char *onnx_attr_str(struct onnx_node *n, const char *name, const char *otherwise);
/* The place of the attribute's value in a set of choices.def, 0 where it is missing. False with an
 * error if the set has no such choice at the model's opset. */
bool onnx_attr_choice(struct onnx_node *n, const char *name, enum onnx_choices set,
                      unsigned *out) CHECK_RESULT;
struct ir_ints onnx_attr_ints(struct onnx_node *n, const char *name);
const float *onnx_attr_f32s(struct onnx_node *n, const char *name, size_t *n_out);
const Onnx__TensorProto *onnx_attr_tensor(struct onnx_node *n, const char *name);
void onnx_ignore_attr(struct onnx_node *n, const char *name);
/* Reports attributes nobody asked for, as a warning. */
void onnx_warn_unread(struct onnx_node *n);

/* 0 <= axis < rank after counting negative ones from the end. */
bool onnx_axis(struct onnx_node *n, int64_t axis, int64_t rank, int64_t *out) CHECK_RESULT;
/* Axes that may be negative -> a flag for each dimension; refuses repeated ones. */
bool onnx_axes(struct onnx_node *n, struct ir_ints axes, int64_t rank,
               bool flags[IR_MAX_RANK]) CHECK_RESULT;

/* Makes an operation and folds it where it can be. The base operation carries the node's name, or
 * what onnx_emit makes; if there is neither, the operation that yields the first result does. */
struct ir_value *onnx_emit(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                           struct ir_value *const *in, uint32_t n_in);
struct ir_value *onnx_emit_helper(struct onnx_node *n, enum ir_opcode opcode,
                                  const union ir_attrs *attrs, struct ir_value *const *in,
                                  uint32_t n_in);
struct ir_value *onnx_emit1(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                            struct ir_value *x);
struct ir_value *onnx_emit2(struct onnx_node *n, enum ir_opcode opcode, const union ir_attrs *attrs,
                            struct ir_value *a, struct ir_value *b);
/* One and two operands, without a name. */
struct ir_value *onnx_helper1(struct onnx_node *n, enum ir_opcode opcode,
                              const union ir_attrs *attrs, struct ir_value *x);
struct ir_value *onnx_helper2(struct onnx_node *n, enum ir_opcode opcode, struct ir_value *a,
                              struct ir_value *b);
/* Does numpy's rule make `from` into a tensor of exactly the dimensions of `to`? */
bool onnx_broadcasts_to(const struct ir_type *from, const struct ir_type *to);
/* A constant of this node; takes over the blob. */
struct ir_value *onnx_const(struct onnx_node *n, struct ir_type type, struct blob *b);
struct ir_value *onnx_scalar(struct onnx_node *n, float x);
struct ir_value *onnx_ints_const(struct onnx_node *n, const int64_t *at, uint32_t count);
/* Helpers without a name that give x itself where there is nothing to do. */
struct ir_value *onnx_reshape(struct onnx_node *n, struct ir_value *x, const int64_t *dims,
                              uint32_t rank, bool named);
struct ir_value *onnx_transpose(struct onnx_node *n, struct ir_value *x, const int64_t *perm,
                                bool named);
/* start, step, count for each dimension of x. */
struct ir_value *onnx_slice(struct onnx_node *n, struct ir_value *x, const int64_t *start,
                            const int64_t *step, const int64_t *count, bool named);

/* Of a dimension that an index list picks: lists are spelled out, and no sensible one is longer. */
enum { ONNX_MOST_PICKED = 1 << 20 };
/* gather_grid: x with dimension `axis` picked by a list of counts[axis] entries, the others as they
 * are; or with lists of all dimensions, one after another. An index of -1 gives `value`. */
struct ir_value *onnx_grid(struct onnx_node *n, struct ir_value *x, const int64_t *counts,
                           int64_t axis, const int64_t *list, float value);
struct ir_value *onnx_grid_lists(struct onnx_node *n, struct ir_value *x, const int64_t *counts,
                                 const struct ir_ints *index, float value);
/* Nothing if x has that element type already. */
struct ir_value *onnx_cast(struct onnx_node *n, struct ir_value *x, enum ir_dtype to);

/* Gives output k its value. False if the value is NULL. */
bool onnx_set_out(struct onnx_node *n, size_t k, struct ir_value *v);
/* Does anything read output k? */
bool onnx_out_used(const struct onnx_node *n, size_t k);
/* Remembers that base operation v takes its weights from operand i. */
void onnx_note_weights(struct onnx_node *n, struct ir_value *v, size_t i, int64_t variant);

/* ---- import_activation.c ---- */

/* x^exponent, element by element, for special values too as IEEE 754's pow; is_positive: x has no
 * sign bit anywhere. */
struct ir_value *onnx_power(struct onnx_node *n, struct ir_value *x, double exponent,
                            bool is_positive);

/* ---- import_reduce.c ---- */

/* Over the dimensions flagged, which stay as 1. */
struct ir_value *onnx_reduce(struct onnx_node *n, enum ir_reduce_kind kind, struct ir_value *x,
                             const bool *axes);

/* ---- import_pool.c, shared with import_conv.c ---- */

/* A window over the last two dimensions; a 1-D window has a first dimension of one cell. */
struct onnx_window {
    int64_t kernel[2], stride[2], dilation[2], pad[4], counted[4];
};
static inline bool onnx_is_same(unsigned auto_pad)
{
    return auto_pad == AUTO_PAD_SAME_UPPER || auto_pad == AUTO_PAD_SAME_LOWER;
}
/* `x` becomes rank 4; kernel (one entry a spatial dimension) from `kernel_shape`, checked against
 * `weights` where that is not NULL. */
bool onnx_read_window(struct onnx_node *n, const struct ir_type *x, const int64_t *weights,
                      struct onnx_window *out) CHECK_RESULT;
/* [N,C,L] -> [N,C,1,L]; others as they are. */
struct ir_value *onnx_to_2d(struct onnx_node *n, struct ir_value *x);
/* The result v of such an input: back to [N,C,L] where x is. */
struct ir_value *onnx_from_2d(struct onnx_node *n, struct ir_value *v, const struct ir_value *x);

/* ---- resize_axis.c: coordinates of one dimension of Resize ---- */

struct resize_axis {
    enum resize_transform transform;
    int64_t in, out;          /* both >= 1 */
    float scale;              /* as given; 0: none was, see `ratio` */
    double ratio;             /* scale that several dimensions share; 0 = out / in */
    float roi_start, roi_end; /* RESIZE_TF_CROP */
};

/* The source element; -1 where extrapolation gives the value. */
int64_t resize_nearest(const struct resize_axis *a, enum resize_rounding rounding, int64_t at);
/* (1 - weight) * source[low] + weight * source[high]; both -1 where extrapolation gives it. */
struct resize_pair {
    int64_t low, high;
    float weight;
};
struct resize_pair resize_linear(const struct resize_axis *a, int64_t at);

#endif
