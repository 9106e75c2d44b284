/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_export.c - a graph as an ONNX model: the walk over its operations, inputs and outputs, what
 * is left out, the file.
 *
 * Opset 13 has all that is needed: scales for each channel, axes as operands. Values have the names
 * of their operations, made unique; inputs and outputs keep theirs.
 */
#include "onnx_export.h"

#include "onnx_exporter.h"

#include <string.h>

enum { OPSET = 13, IR_VERSION = 7 };

/* ---- inputs and outputs ---- */

static Onnx__ValueInfoProto *port(struct onnx_exporter *e, const struct ir_op *op,
                                  enum ir_dtype dtype, const struct ir_ints *shape)
{
    Onnx__ValueInfoProto *v = ARENA_NEW(e->arena, Onnx__ValueInfoProto);
    Onnx__TypeProto *type = ARENA_NEW(e->arena, Onnx__TypeProto);
    Onnx__TypeProto__Tensor *tensor = ARENA_NEW(e->arena, Onnx__TypeProto__Tensor);
    Onnx__TensorShapeProto *dims = ARENA_NEW(e->arena, Onnx__TensorShapeProto);
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(dims);
    v->name = (char *)export_fresh(e, *op->name ? op->name : ir_op_descs[op->opcode].name);
    v->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    tensor->has_elem_type = true;
    tensor->elem_type = export_dtype(dtype);
    tensor->shape = dims;
    dims->n_dim = shape->n;
    dims->dim = ARENA_ARRAY(e->arena, Onnx__TensorShapeProto__Dimension *, shape->n);
    for (uint32_t i = 0; i < shape->n; i++) {
        Onnx__TensorShapeProto__Dimension *d =
            ARENA_NEW(e->arena, Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(d);
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = shape->at[i];
        dims->dim[i] = d;
    }
    e->tensor[op->id] = v->name;
    return v;
}

/* The value gets the output's name, unless it has another, or is of another type. */
static void claim(struct onnx_exporter *e, const struct ir_op *output)
{
    const struct ir_value *v = output->in[0].value;
    const char **name = &e->claimed[v->def->id];
    if (!*name && v->def->opcode != IR_input && v->def->opcode != IR_constant &&
        v->type.dtype == output->attrs->output.dtype)
        *name = e->tensor[output->id];
}

/* Their names come first: no other tensor gets one of them. Indices count from 0 without a gap. */
static void add_ports(struct onnx_exporter *e)
{
    size_t n[2] = {0};
    for (const struct ir_op *op = e->g->first; op; op = op->next) {
        n[0] += op->opcode == IR_input;
        n[1] += op->opcode == IR_output;
    }
    VEC_RESERVE(&e->inputs, n[0]);
    VEC_RESERVE(&e->outputs, n[1]);
    e->inputs.n = n[0];
    e->outputs.n = n[1];
    for (const struct ir_op *op = e->g->first; op; op = op->next) {
        const struct ir_attrs_input *in = &op->attrs->input;
        const struct ir_attrs_output *out = &op->attrs->output;
        if (op->opcode == IR_input)
            e->inputs.at[in->index] = port(e, op, in->dtype, &in->shape);
        if (op->opcode == IR_output)
            e->outputs.at[out->index] = port(e, op, out->dtype, &out->shape);
    }
    for (const struct ir_op *op = e->g->first; op; op = op->next)
        if (op->opcode == IR_output)
            claim(e, op);
}

/* Integers of 64 bits and floats of 16 are i32 and f32 inside. */
bool export_input(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    enum ir_dtype outside = op->attrs->input.dtype, inside = (enum ir_dtype)op->out->type.dtype;
    const struct export_node n = {type, EXPORT_IN(e->tensor[op->id]),
                                  .attrs = {INT_ATTR("to", export_dtype(inside))}};
    return outside == inside || export_result(e, op, &n);
}

bool export_output(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    enum ir_dtype outside = op->attrs->output.dtype;
    const char *x = export_in(e, op, 0);
    const struct export_node same = {type, EXPORT_IN(x), .attrs = {{0}}};
    const struct export_node cast = {"Cast", EXPORT_IN(x),
                                     .attrs = {INT_ATTR("to", export_dtype(outside))}};
    if (x == e->tensor[op->id])
        return true;
    return export_named(e, op, "", outside == op->in[0].value->type.dtype ? &same : &cast);
}

/* Written where it is read. */
bool export_constant(struct onnx_exporter *e, const struct ir_op *op, const char *type)
{
    (void)type;
    return !op->attrs->constant.data->missing ||
           export_refuse(e, op, "its data is missing (--no-weights)");
}

/* ---- the walk ---- */

static const struct exporter {
    export_fn *function;
    const char *type;
} exporters[IR_N_OPCODES] = {
#define EXPORT(op, function, type) [IR_##op] = {function, type},
#include "exports.def"
#undef EXPORT
};

bool onnx_exports(enum ir_opcode opcode)
{
    return exporters[opcode].function != NULL;
}

/* ONNX's Reshape takes a 0 for "as it was", and few runtimes know what to do with nothing. */
static bool has_elements(struct onnx_exporter *e, const struct ir_op *op)
{
    return !op->out || ir_count(&op->out->type) > 0 || export_refuse(e, op, "it has no elements");
}

static bool export_ops(struct onnx_exporter *e)
{
    bool ok = true;
    for (const struct ir_op *op = e->g->first; op; op = op->next) {
        const struct exporter *x = &exporters[op->opcode];
        if (!x->function)
            BUG("%s is of no stage that is exported", ir_op_descs[op->opcode].name);
        ok = has_elements(e, op) && x->function(e, op, x->type) && ok;
    }
    return ok;
}

/* ---- what is needed ---- */

static bool *name_mark(struct onnx_exporter *e, bool *marks, const char *name)
{
    return &marks[map_find(&e->names, name, strlen(name))];
}

/* Drops nodes and constants that no output needs. */
static void keep_needed(struct onnx_exporter *e)
{
    bool *needed = ARENA_ARRAY(e->arena, bool, e->n_names);
    size_t first = e->nodes.n, n = 0;
    for (size_t i = 0; i < e->outputs.n; i++)
        *name_mark(e, needed, e->outputs.at[i]->name) = true;
    for (size_t i = e->nodes.n; i-- > 0;) {
        Onnx__NodeProto *node = e->nodes.at[i];
        if (!*name_mark(e, needed, node->output[0]))
            continue;
        for (size_t k = 0; k < node->n_input; k++)
            if (*node->input[k])
                *name_mark(e, needed, node->input[k]) = true;
        e->nodes.at[--first] = node;
    }
    e->nodes.n -= first;
    memmove(e->nodes.at, e->nodes.at + first, e->nodes.n * sizeof *e->nodes.at);
    for (size_t i = 0; i < e->initializers.n; i++) {
        if (!*name_mark(e, needed, e->initializers.at[i]->name))
            continue;
        e->initializers.at[n] = e->initializers.at[i];
        e->constants.at[n++] = e->constants.at[i];
    }
    e->initializers.n = e->constants.n = n;
}

/* ---- the file ---- */

static bool too_large(struct onnx_exporter *e)
{
    return diag_error(e->diag, (struct loc){.file = e->g->name}, DIAG_ONNX_WIRE,
                      "as ONNX it would have 2 GiB or more, which no file of that format can have");
}

static uint64_t bytes_of(const struct ir_op *constant)
{
    const struct ir_type *t = &constant->out->type;
    return (uint64_t)ir_count(t) * ir_dtype_bytes((enum ir_dtype)t->dtype);
}

/* The bytes of all constants, unless they are too many. */
static bool read_constants(struct onnx_exporter *e)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < e->constants.n && bytes <= INT32_MAX; i++)
        bytes += e->constants.at[i] ? bytes_of(e->constants.at[i]) : 0;
    if (bytes > INT32_MAX)
        return too_large(e);
    for (size_t i = 0; i < e->constants.n; i++) {
        const struct ir_op *c = e->constants.at[i];
        if (c)
            e->initializers.at[i]->raw_data =
                (ProtobufCBinaryData){(size_t)bytes_of(c), (uint8_t *)ir_const_data(c, e->arena)};
    }
    return true;
}

static bool pack(struct onnx_exporter *e, struct text *out)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT;
    Onnx__OperatorSetIdProto *opsets[] = {&opset};
    opset.domain = "";
    opset.has_version = true;
    opset.version = OPSET;
    model.has_ir_version = true;
    model.ir_version = IR_VERSION;
    model.producer_name = "cimc";
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.graph = &graph;
    graph.name = (char *)(*e->g->name ? e->g->name : "graph");
    graph.n_node = e->nodes.n;
    graph.node = e->nodes.at;
    graph.n_initializer = e->initializers.n;
    graph.initializer = e->initializers.at;
    graph.n_input = e->inputs.n;
    graph.input = e->inputs.at;
    graph.n_output = e->outputs.n;
    graph.output = e->outputs.at;
    size_t size = onnx__model_proto__get_packed_size(&model);
    if (size > INT32_MAX)
        return too_large(e);
    out->at = vec_reserve(out->at, &out->cap, out->n + size + 1, 1);
    out->n += onnx__model_proto__pack(&model, (uint8_t *)out->at + out->n);
    out->at[out->n] = '\0';
    return true;
}

bool onnx_export(const struct ir_graph *g, struct text *out, struct diag *d)
{
    if (g->stage != IR_TENSOR && g->stage != IR_CANONICAL)
        return diag_error(
            d, (struct loc){.file = g->name}, DIAG_USAGE,
            "the graph is lowered too far to be written as ONNX, which has what there "
            "is up to pass partition");
    struct ir_graph *copy = ir_clone(g);
    uint32_t n = ir_number(copy);
    struct onnx_exporter e = {.g = copy, .diag = d, .arena = arena_new()};
    e.tensor = ARENA_ARRAY(e.arena, const char *, n);
    e.claimed = ARENA_ARRAY(e.arena, const char *, n);
    add_ports(&e);
    bool ok = export_ops(&e);
    if (ok)
        keep_needed(&e);
    ok = ok && read_constants(&e) && pack(&e, out);
    VEC_FREE(&e.nodes);
    VEC_FREE(&e.initializers);
    VEC_FREE(&e.constants);
    VEC_FREE(&e.inputs);
    VEC_FREE(&e.outputs);
    map_free(&e.names);
    map_free(&e.numbers);
    arena_free(e.arena);
    ir_graph_free(copy);
    return ok;
}
