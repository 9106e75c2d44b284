/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* export_node.c - nodes, names of tensors and constants, of which a model is made. */
#include "onnx_exporter.h"

#include "base/half.h"

#include <string.h>

bool export_refuse(struct onnx_exporter *e, const struct ir_op *op, const char *fmt, ...)
{
    const char *prefix =
        arena_printf(e->arena, "%s%s%s%s cannot be written as ONNX", ir_op_descs[op->opcode].name,
                     *op->name ? " '" : "", op->name, *op->name ? "'" : "");
    va_list ap;
    va_start(ap, fmt);
    diag_vat(e->diag, op->loc, DIAG_ONNX_UNSUPPORTED, prefix, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- names ---- */

static bool take_name(struct onnx_exporter *e, const char *name)
{
    if (map_intern(&e->names, name, strlen(name), e->n_names) != e->n_names)
        return false;
    e->n_names++;
    return true;
}

/* Numbers only go up, so that many equal names cost no more than their number. */
const char *export_fresh(struct onnx_exporter *e, const char *want)
{
    const char *name = want;
    while (!*name || !take_name(e, name))
        name = arena_printf(e->arena, "%s_%u", want, ++e->n_tries);
    return name;
}

/* What op's value is to `user`. */
static const char *role(const struct ir_op *op, const struct ir_op *user)
{
    static const char *const roles[] = {"quantized", "scale", "zero_point"};
    bool scales = user->opcode == IR_quantize || user->opcode == IR_dequantize;
    for (uint32_t i = 0; scales && op->opcode == IR_constant && i < user->n_in; i++)
        if (user->in[i].value == op->out)
            return roles[i];
    return ir_op_descs[op->opcode].name;
}

enum { MOST_STEPS = 4 };

/* Of a value without a name: the name of what it is made for, or NULL. A bias is the layer's in
 * front of the addition. */
static const char *purpose(struct onnx_exporter *e, const struct ir_op *op, unsigned steps)
{
    const struct ir_use *first = NULL;
    for (const struct ir_use *u = op->out ? op->out->uses : NULL; u; u = u->next)
        first = !first || *u->user->name || !*first->user->name ? u : first;
    if (!first || first->user->opcode == IR_output || steps == MOST_STEPS)
        return NULL;
    const struct ir_op *user = first->user;
    if (*user->name)
        return user->name;
    if (user->opcode == IR_add) {
        const struct ir_op *layer = user->in[first == &user->in[0]].value->def;
        return *layer->name ? arena_printf(e->arena, "%s_bias", layer->name) : NULL;
    }
    bool passes = user->opcode == IR_dequantize || user->opcode == IR_quantize ||
                  user->opcode == IR_reshape || user->opcode == IR_transpose;
    return passes ? purpose(e, user, steps + 1) : NULL;
}

static const char *base_name(struct onnx_exporter *e, const struct ir_op *op)
{
    if (*op->name)
        return op->name;
    bool is_made = op->opcode == IR_constant || op->opcode == IR_dequantize;
    const char *what = is_made ? purpose(e, op, 0) : NULL;
    if (what)
        return arena_printf(e->arena, "%s_%s", what, role(op, op->out->uses->user));
    return arena_printf(e->arena, "%s_%u", ir_op_descs[op->opcode].name, op->id);
}

/* ---- nodes ---- */

static Onnx__AttributeProto *new_attr(struct onnx_exporter *e, const struct export_attr *a)
{
    Onnx__AttributeProto *p = ARENA_NEW(e->arena, Onnx__AttributeProto);
    onnx__attribute_proto__init(p);
    p->name = (char *)a->name;
    p->has_type = true;
    switch (a->kind) {
    case EXPORT_INT:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        p->has_i = true;
        p->i = a->i;
        break;
    case EXPORT_FLOAT:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        p->has_f = true;
        p->f = a->f;
        break;
    case EXPORT_INTS:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        p->n_ints = (size_t)a->i;
        p->ints = ARENA_ARRAY(e->arena, int64_t, p->n_ints);
        for (size_t i = 0; i < p->n_ints; i++)
            p->ints[i] = a->list[i];
        break;
    case EXPORT_STRING:
        p->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        p->has_s = true;
        p->s = (ProtobufCBinaryData){strlen(a->s), (uint8_t *)a->s};
        break;
    case EXPORT_NO_ATTR: break;
    }
    return p;
}

static void add_node(struct onnx_exporter *e, const struct export_node *n, const char *name,
                     const char *result)
{
    Onnx__NodeProto *p = ARENA_NEW(e->arena, Onnx__NodeProto);
    onnx__node_proto__init(p);
    p->op_type = (char *)n->type;
    p->name = (char *)name;
    p->n_input = n->n_in;
    p->input = ARENA_ARRAY(e->arena, char *, n->n_in);
    for (size_t i = 0; i < n->n_in; i++)
        p->input[i] = (char *)n->in[i];
    p->n_output = 1;
    p->output = ARENA_NEW(e->arena, char *);
    *p->output = (char *)result;
    p->attribute = ARENA_ARRAY(e->arena, Onnx__AttributeProto *, EXPORT_MOST_ATTRS);
    for (size_t i = 0; i < EXPORT_MOST_ATTRS && n->attrs[i].kind != EXPORT_NO_ATTR; i++)
        p->attribute[p->n_attribute++] = new_attr(e, &n->attrs[i]);
    VEC_PUSH(&e->nodes, p);
}

const char *export_helper(struct onnx_exporter *e, const struct ir_op *op,
                          const struct export_node *n)
{
    const char *result =
        export_fresh(e, arena_printf(e->arena, "%s_%s", base_name(e, op), n->type));
    add_node(e, n, NULL, result);
    return result;
}

const char *export_helper1(struct onnx_exporter *e, const struct ir_op *op, const char *type,
                           const char *x)
{
    return export_helper(e, op, &(struct export_node){type, EXPORT_IN(x), .attrs = {{0}}});
}

const char *export_helper2(struct onnx_exporter *e, const struct ir_op *op, const char *type,
                           const char *a, const char *b)
{
    return export_helper(e, op, &(struct export_node){type, EXPORT_IN(a, b), .attrs = {{0}}});
}

bool export_named(struct onnx_exporter *e, const struct ir_op *op, const char *name,
                  const struct export_node *n)
{
    const char *result = op->opcode == IR_output ? e->tensor[op->id] : e->claimed[op->id];
    if (!result)
        result = export_fresh(e, base_name(e, op));
    add_node(e, n, *name ? name : NULL, result);
    e->tensor[op->id] = result;
    return true;
}

bool export_result(struct onnx_exporter *e, const struct ir_op *op, const struct export_node *n)
{
    return export_named(e, op, op->name, n);
}

bool export_result_of(struct onnx_exporter *e, const struct ir_op *op, const struct export_node *n,
                      enum ir_dtype dtype)
{
    if (dtype == op->out->type.dtype)
        return export_result(e, op, n);
    const struct export_node cast = {
        "Cast", EXPORT_IN(export_helper(e, op, n)),
        .attrs = {INT_ATTR("to", export_dtype((enum ir_dtype)op->out->type.dtype))}};
    return export_result(e, op, &cast);
}

const char *export_cast(struct onnx_exporter *e, const struct ir_op *op, const char *x,
                        enum ir_dtype from, enum ir_dtype to)
{
    const struct export_node cast = {"Cast", EXPORT_IN(x),
                                     .attrs = {INT_ATTR("to", export_dtype(to))}};
    return from == to ? x : export_helper(e, op, &cast);
}

/* ---- tensors ---- */

int32_t export_dtype(enum ir_dtype t)
{
    static const int32_t types[IR_N_DTYPES] = {
        [IR_F32] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
        [IR_F16] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16,
        [IR_F64] = ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE,
        [IR_I64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
        [IR_I32] = ONNX__TENSOR_PROTO__DATA_TYPE__INT32,
        [IR_I8] = ONNX__TENSOR_PROTO__DATA_TYPE__INT8,
        [IR_U8] = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8,
        [IR_BOOL] = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL,
    };
    return types[t];
}

static Onnx__TensorProto *add_tensor(struct onnx_exporter *e, const char *want, enum ir_dtype dtype,
                                     uint32_t rank, const int64_t *dims)
{
    Onnx__TensorProto *t = ARENA_NEW(e->arena, Onnx__TensorProto);
    onnx__tensor_proto__init(t);
    t->name = (char *)export_fresh(e, want);
    t->has_data_type = true;
    t->data_type = export_dtype(dtype);
    t->n_dims = rank;
    t->dims = ARENA_ARRAY(e->arena, int64_t, rank);
    for (uint32_t i = 0; i < rank; i++)
        t->dims[i] = dims[i];
    t->has_raw_data = true;
    VEC_PUSH(&e->initializers, t);
    return t;
}

const char *export_constant_as(struct onnx_exporter *e, const struct ir_op *constant, uint32_t rank,
                               const int64_t *dims)
{
    Onnx__TensorProto *t =
        add_tensor(e, base_name(e, constant), (enum ir_dtype)constant->out->type.dtype, rank, dims);
    VEC_PUSH(&e->constants, constant);
    return t->name;
}

const char *export_value(struct onnx_exporter *e, const struct ir_value *v)
{
    const struct ir_op *def = v->def;
    if (!e->tensor[def->id])
        e->tensor[def->id] = export_constant_as(e, def, v->type.rank, v->type.dim);
    return e->tensor[def->id];
}

const char *export_in(struct onnx_exporter *e, const struct ir_op *op, uint32_t i)
{
    return export_value(e, op->in[i].value);
}

const char *export_small(struct onnx_exporter *e, enum ir_dtype dtype, uint32_t rank,
                         const int64_t *dims, const void *data)
{
    struct text key = {0};
    size_t bytes = ir_dtype_bytes(dtype);
    const uint8_t head[] = {(uint8_t)dtype, (uint8_t)rank};
    for (uint32_t i = 0; i < rank; i++)
        bytes *= (size_t)dims[i];
    text_add_bytes(&key, head, sizeof head);
    text_add_bytes(&key, dims, rank * sizeof *dims);
    text_add_bytes(&key, data, bytes);
    uint32_t next = (uint32_t)e->initializers.n;
    uint32_t at = map_intern(&e->numbers, key.at, key.n, next);
    text_free(&key);
    if (at != next)
        return e->initializers.at[at]->name;
    uint8_t *copy = arena_alloc(e->arena, bytes);
    memcpy(copy, data, bytes);
    Onnx__TensorProto *t = add_tensor(
        e, arena_printf(e->arena, "%s_%u", ir_dtype_name(dtype), next), dtype, rank, dims);
    t->raw_data = (ProtobufCBinaryData){bytes, copy};
    VEC_PUSH(&e->constants, NULL);
    return t->name;
}

static void store(void *at, enum ir_dtype dtype, double x)
{
    switch (dtype) {
    case IR_F64: *(double *)at = x; break;
    case IR_F16: *(uint16_t *)at = f32_to_f16((float)x); break;
    case IR_I64: *(int64_t *)at = x < 0x1p63 ? (int64_t)x : INT64_MAX; break;
    case IR_I32: *(int32_t *)at = (int32_t)x; break;
    case IR_I8: *(int8_t *)at = (int8_t)x; break;
    case IR_U8:
    case IR_BOOL: *(uint8_t *)at = (uint8_t)x; break;
    default: *(float *)at = (float)x;
    }
}

static const char *repeated(struct onnx_exporter *e, enum ir_dtype dtype, double x, uint32_t rank,
                            int64_t n)
{
    size_t bytes = ir_dtype_bytes(dtype);
    uint8_t *data = heap_alloc((size_t)n * bytes);
    for (int64_t i = 0; i < n; i++)
        store(data + (size_t)i * bytes, dtype, x);
    const char *name = export_small(e, dtype, rank, &n, data);
    heap_free(data);
    return name;
}

const char *export_number(struct onnx_exporter *e, enum ir_dtype dtype, double x)
{
    return repeated(e, dtype, x, 0, 1);
}

const char *export_numbers(struct onnx_exporter *e, enum ir_dtype dtype, double x, int64_t n)
{
    return repeated(e, dtype, x, 1, n);
}

const char *export_list(struct onnx_exporter *e, const int64_t *at, size_t n)
{
    return export_small(e, IR_I64, 1, (const int64_t[]){(int64_t)n}, at);
}
