/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_io.c - the inputs and outputs of the graph: element types, dimensions, constants bound to
 * inputs.
 *
 * Dimensions of run-time inputs: a number as given; a name as bound by options->dims; dimension 0
 * is 1 unless bound, and so is a dimension with the name of such a dimension 0; a nameless one may
 * be bound as "input[axis]". Everything else is an error that says what to bind.
 * Integers outside are integers inside, but in a model of integers written as floats (see
 * import_requant.c) the tensors outside are integers, and floats inside.
 */
#include "onnx_node.h"

#include "base/closest.h"

#include <stdlib.h>
#include <string.h>

static const char *value_name(const Onnx__ValueInfoProto *v)
{
    return v->name ? v->name : "";
}

/* NULL if v is no tensor. */
static const Onnx__TypeProto__Tensor *tensor_type(const Onnx__ValueInfoProto *v)
{
    bool is_tensor = v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    return is_tensor ? v->type->tensor_type : NULL;
}

/* "a sequence", where it is no tensor. */
static const char *kind_name(const Onnx__ValueInfoProto *v)
{
    switch (v->type ? v->type->value_case : ONNX__TYPE_PROTO__VALUE__NOT_SET) {
    case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE: return "a sequence";
    case ONNX__TYPE_PROTO__VALUE_MAP_TYPE: return "a map";
    case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE: return "an optional value";
    case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE: return "a sparse tensor";
    default: return "of no type";
    }
}

static struct loc loc_of(struct onnx_importer *im, const char *what, const char *name)
{
    return (struct loc){.file = im->path, .entity = arena_printf(im->arena, "%s '%s'", what, name)};
}

/* With the name that may be meant. */
static bool refuse_input(struct onnx_importer *im, struct loc loc, const char *name,
                         const char *why)
{
    struct closest c = {.to = name};
    for (size_t i = 0; i < im->graph->n_input; i++)
        closest_offer(&c, value_name(im->graph->input[i]));
    return diag_error(im->diag, loc, DIAG_ONNX_MODEL, "%s%s%s%s", why, CLOSEST(&c));
}

/* ---- constants bound to inputs ---- */

static bool bind_constant(struct onnx_importer *im, const struct onnx_constant_input *c,
                          struct onnx_source *source)
{
    struct loc loc = loc_of(im, "constant", c->name);
    struct onnx_symbol *s = onnx_symbol_find(im, c->name);
    const Onnx__ValueInfoProto *input = NULL;
    for (size_t i = 0; i < im->graph->n_input; i++)
        if (strcmp(value_name(im->graph->input[i]), c->name) == 0)
            input = im->graph->input[i];
    if (!s || !input)
        return refuse_input(im, loc, c->name, "the graph has no input of that name");
    if (input->type && !tensor_type(input))
        return diag_error(im->diag, loc, DIAG_ONNX_UNSUPPORTED, "is %s; only tensors are supported",
                          kind_name(input));
    if (!onnx_source_open(c->pb_path, &onnx__tensor_proto__descriptor, source, im->diag))
        return false;
    source->options = im->options;
    const Onnx__TensorProto *t = (const Onnx__TensorProto *)source->root;
    const Onnx__TypeProto__Tensor *declared = tensor_type(input);
    if (declared && declared->elem_type != t->data_type)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL, "%s holds %s, the input is %s",
                          c->pb_path, onnx_dtype_name(t->data_type),
                          onnx_dtype_name(declared->elem_type));
    const Onnx__TensorShapeProto *shape = declared ? declared->shape : NULL;
    bool fits = !shape || shape->n_dim == t->n_dims;
    for (size_t i = 0; fits && shape && i < shape->n_dim; i++)
        fits = shape->dim[i]->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ||
               shape->dim[i]->dim_value == t->dims[i];
    if (!fits)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL, "%s does not have the input's shape",
                          c->pb_path);
    s->kind = ONNX_INITIALIZER;
    s->tensor = t;
    s->source = source;
    return true;
}

void onnx_bind_constants(struct onnx_importer *im)
{
    const struct onnx_constant_input *c = im->options->constants;
    size_t n = im->options->n_constants;
    im->constants = ARENA_ARRAY(im->arena, struct onnx_source, n);
    for (size_t i = 0; i < n; i++) {
        if (bind_constant(im, &c[i], &im->constants[i]))
            continue;
        struct onnx_symbol *s = onnx_symbol_find(im, c[i].name);
        if (s)
            s->lost = true;
    }
}

/* ---- dimensions ---- */

struct dims {
    struct onnx_importer *im;
    bool *bound_used;   /* by index into options->dims */
    const char **batch; /* names of dimension 0 that are not bound: 1 */
    size_t n_batch;
};

static bool find_binding(struct dims *x, const char *name, int64_t *out)
{
    for (size_t i = 0; i < x->im->options->n_dims; i++) {
        if (strcmp(x->im->options->dims[i].name, name) != 0)
            continue;
        x->bound_used[i] = true;
        *out = x->im->options->dims[i].size;
        return true;
    }
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_batch_name(const struct dims *x, const char *name)
{
    return x->n_batch && bsearch(&name, x->batch, x->n_batch, sizeof *x->batch, by_text);
}

/* The name of a dimension that has no number; NULL if it has a number. A negative number is how
 * some exporters write "unknown". */
static const char *dim_name(const Onnx__TensorShapeProto__Dimension *dim)
{
    if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
        return dim->dim_param ? dim->dim_param : "";
    if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
        dim->dim_value >= 0)
        return NULL;
    return "";
}

static bool resolve_dim(struct dims *x, const Onnx__ValueInfoProto *v, size_t axis,
                        const Onnx__TensorShapeProto__Dimension *dim, int64_t *out)
{
    struct onnx_importer *im = x->im;
    struct loc loc = loc_of(im, "input", value_name(v));
    const char *name = dim_name(dim);
    if (!name) {
        *out = dim->dim_value;
        return *out > 0 ? true : diag_error(im->diag, loc, DIAG_SHAPE, "dimension %zu is 0", axis);
    }
    if (!*name)
        name = arena_printf(im->arena, "%s[%zu]", value_name(v), axis);
    if (find_binding(x, name, out))
        return *out > 0 ? true
                        : diag_error(im->diag, loc, DIAG_SHAPE, "dimension '%s' is bound to %lld",
                                     name, (long long)*out);
    *out = 1;
    if (axis == 0 && im->options->assumed && !im->options->assumed->n) /* inputs share it */
        text_add(im->options->assumed,
                 "dimension 0 of input '%s', '%s', is free and taken as 1 (--dim %s=SIZE)",
                 value_name(v), name, name);
    if (axis == 0 || is_batch_name(x, name))
        return true;
    return diag_error(im->diag, loc, DIAG_SHAPE,
                      "dimension %zu, '%s', is not bound; say --dim %s=SIZE", axis, name, name);
}

static bool is_runtime_input(struct onnx_importer *im, const Onnx__ValueInfoProto *v)
{
    const struct onnx_symbol *s = onnx_symbol_find(im, value_name(v));
    return s->kind == ONNX_INPUT && !s->lost;
}

static const Onnx__TensorShapeProto *shape_of(const Onnx__ValueInfoProto *v)
{
    const Onnx__TypeProto__Tensor *t = tensor_type(v);
    return t ? t->shape : NULL;
}

static void init_dims(struct dims *x, struct onnx_importer *im)
{
    *x = (struct dims){.im = im};
    x->bound_used = ARENA_ARRAY(im->arena, bool, im->options->n_dims);
    x->batch = ARENA_ARRAY(im->arena, const char *, im->graph->n_input);
    for (size_t i = 0; i < im->graph->n_input; i++) {
        const Onnx__TensorShapeProto *shape = shape_of(im->graph->input[i]);
        const char *name = shape && shape->n_dim ? dim_name(shape->dim[0]) : NULL;
        if (name && *name && is_runtime_input(im, im->graph->input[i]))
            x->batch[x->n_batch++] = name;
    }
    if (x->n_batch)
        qsort(x->batch, x->n_batch, sizeof *x->batch, by_text);
}

static void warn_of_dim(struct onnx_importer *im, const char *name)
{
    struct closest c = {.to = name};
    for (size_t i = 0; i < im->graph->n_input; i++) {
        const Onnx__TensorShapeProto *shape = shape_of(im->graph->input[i]);
        for (size_t k = 0; shape && k < shape->n_dim; k++)
            if (dim_name(shape->dim[k]))
                closest_offer(&c, dim_name(shape->dim[k]));
    }
    diag_warn(im->diag, (struct loc){.file = im->path}, DIAG_SHAPE,
              "no dimension of an input is named '%s'%s%s%s", name, CLOSEST(&c));
}

/* ---- inputs ---- */

/* 0 if it is not stated. */
static int64_t declared_type(const Onnx__ValueInfoProto *v)
{
    const Onnx__TypeProto__Tensor *t = tensor_type(v);
    return t ? t->elem_type : 0;
}

static bool is_float(int64_t elem_type)
{
    return elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ||
           elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16;
}

/* The element types that tensors outside may have. Inside, f32 stands for float16, i32 for int64.
 */
#define OUTSIDE "float, float16, uint8, int8, int32, int64 and bool"
static bool outside_dtype(int64_t elem_type, enum ir_dtype *out)
{
    switch (elem_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT: return *out = IR_F32, true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16: return *out = IR_F16, true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8: return *out = IR_U8, true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8: return *out = IR_I8, true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32: return *out = IR_I32, true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64: return *out = IR_I64, true;
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL: return *out = IR_BOOL, true;
    default: return false;
    }
}

/* In a model of integers written as floats, what the user says, or u8. */
static enum ir_dtype stated_dtype(const struct onnx_importer *im, const char *name,
                                  enum ir_dtype file)
{
    if (!im->integral || (file != IR_F32 && file != IR_F16))
        return file;
    for (size_t i = 0; i < im->options->n_input_types; i++)
        if (strcmp(im->options->input_types[i].name, name) == 0)
            return im->options->input_types[i].dtype;
    return IR_U8;
}

/* The type of the tensor outside. */
static bool input_type(struct dims *x, const Onnx__ValueInfoProto *v, struct ir_type *out)
{
    enum ir_dtype dtype;
    struct onnx_importer *im = x->im;
    struct loc loc = loc_of(im, "input", value_name(v));
    const Onnx__TypeProto__Tensor *t = tensor_type(v);
    int64_t dims[IR_MAX_RANK], count;
    bool ok = true;
    if (!t)
        return diag_error(im->diag, loc, DIAG_ONNX_UNSUPPORTED, "is %s; only tensors are supported",
                          kind_name(v));
    if (!outside_dtype(t->elem_type, &dtype))
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                          "is %s; only " OUTSIDE " inputs are supported",
                          onnx_dtype_name(t->elem_type));
    if (!t->shape)
        return diag_error(im->diag, loc, DIAG_SHAPE, "has no shape");
    if (t->shape->n_dim > IR_MAX_RANK)
        return diag_error(im->diag, loc, DIAG_SHAPE, "has %zu dimensions; at most %d are supported",
                          t->shape->n_dim, IR_MAX_RANK);
    for (size_t i = 0; i < t->shape->n_dim; i++)
        ok &= resolve_dim(x, v, i, t->shape->dim[i], &dims[i]);
    if (!ok)
        return false;
    *out = ir_type_of(stated_dtype(im, value_name(v), dtype), (uint32_t)t->shape->n_dim, dims);
    return ir_type_count(out, &count) ||
           diag_error(im->diag, loc, DIAG_SHAPE, "has too many elements");
}

static struct ir_op *new_input(struct onnx_importer *im, const char *name, struct loc loc,
                               struct ir_type outside, int64_t index)
{
    union ir_attrs attrs = {.input = {
                                .index = index,
                                .dtype = (enum ir_dtype)outside.dtype,
                                .shape = {outside.rank, outside.dim},
                            }};
    const struct ir_new desc = {.opcode = IR_input, .attrs = &attrs, .name = name, .loc = loc};
    return ir_op_new(im->g, NULL, &desc, im->diag);
}

static void make_input(struct dims *x, const Onnx__ValueInfoProto *v, int64_t index)
{
    struct onnx_importer *im = x->im;
    struct onnx_node nobody = {.im = im, .loc = loc_of(im, "input", value_name(v))};
    struct onnx_symbol *s = onnx_symbol_find(im, value_name(v));
    struct ir_type type;
    s->lost = !input_type(x, v, &type);
    if (s->lost)
        return;
    struct ir_op *op = new_input(im, value_name(v), nobody.loc, type, index);
    if (op)
        s->value = is_float(declared_type(v)) && op->out->type.dtype != IR_F32
                       ? onnx_as_float(&nobody, op->out)
                       : op->out;
}

/* Those that name an input of floats in a model of integers. */
static void check_input_types(struct onnx_importer *im)
{
    for (size_t i = 0; i < im->options->n_input_types; i++) {
        const char *name = im->options->input_types[i].name;
        const struct onnx_symbol *s = onnx_symbol_find(im, name);
        if (!s || s->kind != ONNX_INPUT || !is_float(declared_type(im->graph->input[s->index])))
            diag_error(im->diag, loc_of(im, "input type", name), DIAG_ONNX_MODEL,
                       "the graph has no input of floats of that name");
        else if (!im->integral)
            diag_error(im->diag, loc_of(im, "input", name), DIAG_ONNX_MODEL,
                       "its type can be stated only where the model's floats are integers "
                       "(RequantShift)");
    }
}

void onnx_make_inputs(struct onnx_importer *im)
{
    struct dims x;
    int64_t index = 0;
    check_input_types(im);
    init_dims(&x, im);
    for (size_t i = 0; i < im->graph->n_input; i++)
        if (is_runtime_input(im, im->graph->input[i]))
            make_input(&x, im->graph->input[i], index++);
    for (size_t i = 0; i < im->options->n_dims; i++)
        if (!x.bound_used[i])
            warn_of_dim(im, im->options->dims[i].name);
}

/* What the file says of a value inside the graph; NULL if it says nothing. */
static const Onnx__ValueInfoProto *declared(struct onnx_importer *im, const char *name)
{
    Onnx__ValueInfoProto *const *v = im->graph->value_info;
    for (uint32_t i = 0; !im->declared.n && i < im->graph->n_value_info; i++)
        map_intern(&im->declared, value_name(v[i]), strlen(value_name(v[i])), i);
    uint32_t found = map_find(&im->declared, name, strlen(name));
    return found == MAP_NONE ? NULL : v[found];
}

struct ir_value *onnx_stand_in(struct onnx_node *n, const char *name)
{
    struct onnx_importer *im = n->im;
    const Onnx__ValueInfoProto *v = n->scope == im->top ? declared(im, name) : NULL;
    const Onnx__TensorShapeProto *shape = v ? shape_of(v) : NULL;
    int64_t dims[IR_MAX_RANK], count;
    if (!shape || !is_float(declared_type(v)) || shape->n_dim > IR_MAX_RANK)
        return NULL;
    for (size_t i = 0; i < shape->n_dim; i++) {
        if (dim_name(shape->dim[i]) || shape->dim[i]->dim_value == 0)
            return NULL;
        dims[i] = shape->dim[i]->dim_value;
    }
    struct ir_type type = ir_type_of(IR_F32, (uint32_t)shape->n_dim, dims);
    if (!ir_type_count(&type, &count))
        return NULL;
    struct ir_op *op = new_input(im, name, n->loc, type, (int64_t)im->graph->n_input);
    return op ? op->out : NULL;
}

/* ---- outputs ---- */

/* Numbers that the file states and that are not so: it was made for other inputs, or is stale. What
 * was computed holds, as in ONNX Runtime. */
static void check_declared(struct onnx_importer *im, const Onnx__ValueInfoProto *v,
                           const struct ir_type *is, struct loc loc)
{
    const Onnx__TensorShapeProto *shape = shape_of(v);
    struct text declared = {0};
    char text[256];
    if (!shape)
        return;
    bool same = shape->n_dim == is->rank;
    for (size_t i = 0; i < shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = shape->dim[i];
        bool known = !dim_name(dim);
        same = same && (!known || dim->dim_value == is->dim[i]);
        text_add(&declared, "%s", i ? "x" : "");
        if (known)
            text_add(&declared, "%lld", (long long)dim->dim_value);
        else
            text_add(&declared, "?");
    }
    if (!same)
        diag_warn(im->diag, loc, DIAG_SHAPE, "is declared as [%s] and computed as %s",
                  declared.n ? declared.at : "", ir_type_text(is, text, sizeof text));
    text_free(&declared);
}

/* A constant of int64 as the i32 that machines have. */
static struct ir_value *narrowed(struct onnx_importer *im, struct ir_value *v, struct loc loc)
{
    const struct blob *wide = v->def->attrs->constant.data;
    int64_t n = wide->splat ? 1 : ir_count(&v->type);
    int32_t *data = heap_alloc((size_t)n * sizeof *data);
    for (int64_t i = 0; i < n; i++) {
        int64_t x = ir_const_i64(v->def, i);
        data[i] = (int32_t)x;
        if (data[i] == x)
            continue;
        heap_free(data);
        diag_error(im->diag, loc, DIAG_DATA, "element %lld is %lld, which is no i32", (long long)i,
                   (long long)x);
        return NULL;
    }
    struct ir_type type = ir_type_of(IR_I32, v->type.rank, v->type.dim);
    struct blob *narrow = blob_own(data, (size_t)n * sizeof *data);
    narrow->splat = wide->splat;
    return ir_const_new(im->g, NULL, type, narrow, "", loc)->out;
}

/* The type of the tensor outside, of which the file has a say between float and float16, between
 * int32 and int64. */
static bool output_dtype(struct onnx_importer *im, const Onnx__ValueInfoProto *v,
                         const struct ir_value *value, struct loc loc, enum ir_dtype *out)
{
    enum ir_dtype is = (enum ir_dtype)value->type.dtype, declared = is;
    int64_t type = declared_type(v);
    *out = is;
    if (is == IR_F32)
        *out = type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 ? IR_F16 : IR_F32;
    else if (is == IR_I32)
        *out = type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 ? IR_I64 : IR_I32;
    else if (is != IR_U8 && is != IR_I8 && is != IR_BOOL)
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                          "is %s; only " OUTSIDE " outputs are supported", ir_dtype_name(is));
    else if (type && !outside_dtype(type, &declared))
        return diag_error(im->diag, loc, DIAG_ONNX_MODEL,
                          "is %s; only " OUTSIDE " outputs are supported", onnx_dtype_name(type));
    return true;
}

static bool make_output(struct onnx_importer *im, const Onnx__ValueInfoProto *v, int64_t index)
{
    struct loc loc = loc_of(im, "output", value_name(v));
    struct onnx_symbol *s = onnx_symbol_find(im, value_name(v));
    enum ir_dtype dtype;
    if (s->lost)
        return false;
    if (s->sequence)
        return diag_error(im->diag, loc, DIAG_ONNX_UNSUPPORTED,
                          "is a sequence; only tensors are supported");
    struct ir_value *value = onnx_graph_value(im, s, loc);
    if (!value)
        return diag_error(im->diag, loc, DIAG_ONNX_UNSUPPORTED,
                          "is a result that its node does not give");
    bool wide = value->type.dtype == IR_I64 && ir_is(value, IR_constant);
    value = wide ? narrowed(im, value, loc) : value;
    if (!value || !output_dtype(im, v, value, loc, &dtype))
        return false;
    if (ir_count(&value->type) == 0)
        return diag_error(im->diag, loc, DIAG_SHAPE, "has no elements");
    check_declared(im, v, &value->type, loc);
    union ir_attrs attrs = {.output = {
                                .index = index,
                                .dtype = dtype,
                                .shape = {value->type.rank, value->type.dim},
                            }};
    return ir_op_new(im->g, NULL,
                     &(struct ir_new){.opcode = IR_output,
                                      .in = &value,
                                      .n_in = 1,
                                      .attrs = &attrs,
                                      .name = value_name(v),
                                      .loc = loc},
                     im->diag) != NULL;
}

void onnx_make_outputs(struct onnx_importer *im)
{
    for (size_t i = 0; i < im->graph->n_output; i++)
        make_output(im, im->graph->output[i], (int64_t)i);
}
