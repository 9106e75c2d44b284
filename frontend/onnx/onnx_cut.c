/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_cut.c - a part of the graph in place of the whole: from the tensors that options->inputs
 * name to those of options->outputs.
 *
 * In: the graph of the file. Out: another one of the same nodes, of which only those are left that
 * an output needs. A tensor that becomes an input is no longer the result of its node. Its type is
 * what the option says (NAME:1x3x8), else what the file declares, else what an import of all that
 * comes before finds. Inputs of the file stay, behind those that are named, while something needs
 * them.
 */
#include "onnx_node.h"

#include "base/closest.h"

#include <stdlib.h>
#include <string.h>

struct cut {
    struct onnx_importer *im;
    const Onnx__GraphProto *from;
    Onnx__GraphProto *to;
    struct map makers; /* of the names of results: the node */
    struct map inputs; /* names of new inputs: their place */
    struct map ports;  /* names of the file's inputs, outputs and value_info: place in `infos` */
    struct map needed; /* names that something needs: 0 */
    const Onnx__ValueInfoProto **infos;
    bool *keeps;        /* each node */
    VEC(uint32_t) open; /* nodes whose operands were not looked at */
};

static uint32_t find(const struct map *m, const char *name)
{
    return map_find(m, name, strlen(name));
}

static uint32_t note(struct map *m, const char *name, uint32_t value)
{
    return map_intern(m, name, strlen(name), value);
}

/* ---- names ---- */

static void list_infos(struct cut *c, Onnx__ValueInfoProto *const *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t next = (uint32_t)c->ports.n;
        if (v[i]->name && note(&c->ports, v[i]->name, next) == next)
            c->infos[next] = v[i];
    }
}

static void list_names(struct cut *c)
{
    const Onnx__GraphProto *g = c->from;
    c->infos = ARENA_ARRAY(c->im->arena, const Onnx__ValueInfoProto *,
                           g->n_input + g->n_value_info + g->n_output);
    list_infos(c, g->input, g->n_input);
    list_infos(c, g->value_info, g->n_value_info);
    list_infos(c, g->output, g->n_output);
    for (uint32_t i = 0; i < g->n_node; i++)
        for (size_t k = 0; k < g->node[i]->n_output; k++)
            note(&c->makers, g->node[i]->output[k], i);
}

static bool is_initializer(const struct cut *c, const char *name)
{
    for (size_t i = 0; i < c->from->n_initializer; i++)
        if (c->from->initializer[i]->name && strcmp(c->from->initializer[i]->name, name) == 0)
            return true;
    return false;
}

static bool is_input(const struct cut *c, const char *name)
{
    for (size_t i = 0; i < c->from->n_input; i++)
        if (c->from->input[i]->name && strcmp(c->from->input[i]->name, name) == 0)
            return true;
    return false;
}

static bool is_known(const struct cut *c, const char *name)
{
    return *name &&
           (find(&c->makers, name) != MAP_NONE || is_input(c, name) || is_initializer(c, name));
}

static bool refuse_name(const struct cut *c, const char *option, const char *name)
{
    struct closest close = {.to = name};
    for (size_t i = 0; i < c->from->n_input; i++)
        closest_offer(&close, c->from->input[i]->name ? c->from->input[i]->name : "");
    for (size_t i = 0; i < c->from->n_node; i++)
        for (size_t k = 0; k < c->from->node[i]->n_output; k++)
            closest_offer(&close, c->from->node[i]->output[k]);
    return diag_error(c->im->diag, (struct loc){.file = c->im->path}, DIAG_ONNX_MODEL,
                      "--%s: no tensor is named '%s'%s%s%s", option, name, CLOSEST(&close));
}

/* ---- types of new inputs ---- */

static Onnx__ValueInfoProto *new_info(struct cut *c, const char *name)
{
    Onnx__ValueInfoProto *v = ARENA_NEW(c->im->arena, Onnx__ValueInfoProto);
    onnx__value_info_proto__init(v);
    v->name = arena_strdup(c->im->arena, name);
    return v;
}

static Onnx__ValueInfoProto *typed_info(struct cut *c, const char *name, int32_t elem_type,
                                        const int64_t *dims, size_t n)
{
    struct arena *a = c->im->arena;
    Onnx__ValueInfoProto *v = new_info(c, name);
    v->type = ARENA_NEW(a, Onnx__TypeProto);
    onnx__type_proto__init(v->type);
    v->type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    Onnx__TypeProto__Tensor *t = v->type->tensor_type = ARENA_NEW(a, Onnx__TypeProto__Tensor);
    onnx__type_proto__tensor__init(t);
    t->has_elem_type = true;
    t->elem_type = elem_type;
    t->shape = ARENA_NEW(a, Onnx__TensorShapeProto);
    onnx__tensor_shape_proto__init(t->shape);
    t->shape->n_dim = n;
    t->shape->dim = ARENA_ARRAY(a, Onnx__TensorShapeProto__Dimension *, n);
    for (size_t i = 0; i < n; i++) {
        Onnx__TensorShapeProto__Dimension *d = ARENA_NEW(a, Onnx__TensorShapeProto__Dimension);
        onnx__tensor_shape_proto__dimension__init(d);
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = dims[i];
        t->shape->dim[i] = d;
    }
    return v;
}

/* "1x3x8"; false if it is something else. */
static bool read_dims(const char *text, int64_t *dims, size_t *n)
{
    *n = 0;
    for (const char *at = text;; at++) {
        char *end;
        long long x = strtoll(at, &end, 10);
        if (*at < '1' || *at > '9' || x > INT32_MAX || *n == IR_MAX_RANK)
            return false;
        dims[(*n)++] = x;
        at = end;
        if (!*at)
            return true;
        if (*at != 'x')
            return false;
    }
}

/* As the file declares it; NULL if it does not say how long every dimension is. */
static const Onnx__ValueInfoProto *declared(const struct cut *c, const char *name)
{
    uint32_t i = find(&c->ports, name);
    const Onnx__ValueInfoProto *v = i == MAP_NONE ? NULL : c->infos[i];
    bool is_tensor = v && v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    const Onnx__TensorShapeProto *shape = is_tensor ? v->type->tensor_type->shape : NULL;
    if (!shape)
        return NULL;
    for (size_t k = 0; k < shape->n_dim && !is_input(c, name); k++)
        if (shape->dim[k]->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
            return NULL;
    return v;
}

static int32_t declared_element(const struct cut *c, const char *name)
{
    uint32_t i = find(&c->ports, name);
    const Onnx__ValueInfoProto *v = i == MAP_NONE ? NULL : c->infos[i];
    bool is_tensor = v && v->type && v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    return is_tensor && v->type->tensor_type->elem_type ? v->type->tensor_type->elem_type
                                                        : ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
}

/* By an import of all that comes before it. */
static Onnx__ValueInfoProto *computed(struct cut *c, const char *name)
{
    static const int32_t outside[IR_N_DTYPES] = {
        [IR_F32] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
        [IR_F16] = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16,
        [IR_U8] = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8,
        [IR_I8] = ONNX__TENSOR_PROTO__DATA_TYPE__INT8,
        [IR_I32] = ONNX__TENSOR_PROTO__DATA_TYPE__INT32,
        [IR_I64] = ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
        [IR_BOOL] = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL,
    };
    struct onnx_options o = *c->im->options;
    struct diag *d = diag_new();
    Onnx__ValueInfoProto *v = NULL;
    o.inputs = NULL;
    o.n_inputs = 0;
    o.outputs = &name;
    o.n_outputs = 1;
    o.assumed = NULL;
    struct ir_graph *g = c->im->model.path ? onnx_import(c->im->model.path, &o, d) : NULL;
    if (g) {
        const struct ir_value *x = g->last->in[0].value;
        v = typed_info(c, name, outside[g->last->attrs->output.dtype], x->type.dim, x->type.rank);
    } else {
        diag_error(c->im->diag, (struct loc){.file = c->im->path}, DIAG_SHAPE,
                   "--inputs: the shape of '%s' is not known; say --inputs %s:DxDxD", name, name);
    }
    ir_graph_free(g);
    diag_free(d);
    return v;
}

/* NAME or NAME:DxDxD; a name may hold colons. */
static const Onnx__ValueInfoProto *new_input(struct cut *c, const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t dims[IR_MAX_RANK];
    size_t n;
    if (is_known(c, text)) {
        const Onnx__ValueInfoProto *v = declared(c, text);
        return v ? v : computed(c, text);
    }
    const char *name = colon ? arena_strndup(c->im->arena, text, (size_t)(colon - text)) : text;
    if (!is_known(c, name)) {
        refuse_name(c, "inputs", name);
        return NULL;
    }
    if (!read_dims(colon + 1, dims, &n)) {
        diag_error(c->im->diag, (struct loc){.file = c->im->path}, DIAG_ONNX_MODEL,
                   "--inputs: '%s' is no shape such as 1x3x224x224", colon + 1);
        return NULL;
    }
    return typed_info(c, name, declared_element(c, name), dims, n);
}

/* ---- what is needed ---- */

static void need(struct cut *c, const char *name)
{
    if (!*name || find(&c->needed, name) != MAP_NONE)
        return;
    note(&c->needed, name, 0);
    uint32_t maker = find(&c->inputs, name) == MAP_NONE ? find(&c->makers, name) : MAP_NONE;
    if (maker != MAP_NONE && !c->keeps[maker]) {
        c->keeps[maker] = true;
        VEC_PUSH(&c->open, maker);
    }
}

static void need_of_node(struct cut *c, const Onnx__NodeProto *p);

static void need_of_graph(struct cut *c, const Onnx__GraphProto *g)
{
    for (size_t i = 0; i < g->n_node; i++)
        need_of_node(c, g->node[i]);
    for (size_t i = 0; i < g->n_output; i++)
        need(c, g->output[i]->name ? g->output[i]->name : "");
}

static void need_of_node(struct cut *c, const Onnx__NodeProto *p)
{
    for (size_t i = 0; i < p->n_input; i++)
        need(c, p->input[i]);
    for (size_t i = 0; i < p->n_attribute; i++) {
        if (p->attribute[i]->g)
            need_of_graph(c, p->attribute[i]->g);
        for (size_t k = 0; k < p->attribute[i]->n_graphs; k++)
            need_of_graph(c, p->attribute[i]->graphs[k]);
    }
}

/* ---- the new graph ---- */

static bool set_outputs(struct cut *c)
{
    const struct onnx_options *o = c->im->options;
    bool ok = true;
    if (!o->n_outputs)
        return true;
    c->to->n_output = o->n_outputs;
    c->to->output = ARENA_ARRAY(c->im->arena, Onnx__ValueInfoProto *, o->n_outputs);
    for (size_t i = 0; i < o->n_outputs; i++) {
        uint32_t info = find(&c->ports, o->outputs[i]);
        if (!is_known(c, o->outputs[i]))
            ok = refuse_name(c, "outputs", o->outputs[i]);
        c->to->output[i] = info == MAP_NONE ? new_info(c, o->outputs[i])
                                            : (Onnx__ValueInfoProto *)(uintptr_t)c->infos[info];
    }
    return ok;
}

/* Those that are named, which are then no initializers. */
static bool set_inputs(struct cut *c)
{
    const struct onnx_options *o = c->im->options;
    Onnx__GraphProto *to = c->to;
    bool ok = true;
    to->input = ARENA_ARRAY(c->im->arena, Onnx__ValueInfoProto *, o->n_inputs + c->from->n_input);
    to->n_input = 0;
    for (size_t i = 0; i < o->n_inputs; i++) {
        const Onnx__ValueInfoProto *v = new_input(c, o->inputs[i]);
        ok &= v != NULL;
        if (!v)
            continue;
        if (note(&c->inputs, v->name, (uint32_t)i) != i)
            ok = diag_error(c->im->diag, (struct loc){.file = c->im->path}, DIAG_ONNX_MODEL,
                            "--inputs: '%s' is named twice", v->name);
        to->input[to->n_input++] = (Onnx__ValueInfoProto *)(uintptr_t)v;
    }
    to->initializer = ARENA_ARRAY(c->im->arena, Onnx__TensorProto *, c->from->n_initializer);
    to->n_initializer = 0;
    for (size_t i = 0; i < c->from->n_initializer; i++) {
        Onnx__TensorProto *t = c->from->initializer[i];
        if (find(&c->inputs, t->name ? t->name : "") == MAP_NONE)
            to->initializer[to->n_initializer++] = t;
    }
    return ok;
}

/* The node without the results that are inputs now. */
static Onnx__NodeProto *without_inputs(struct cut *c, Onnx__NodeProto *p)
{
    Onnx__NodeProto *copy = p;
    for (size_t k = 0; k < p->n_output; k++) {
        if (find(&c->inputs, p->output[k]) == MAP_NONE)
            continue;
        if (copy == p) {
            copy = ARENA_NEW(c->im->arena, Onnx__NodeProto);
            *copy = *p;
            copy->output = ARENA_ARRAY(c->im->arena, char *, p->n_output);
            memcpy(copy->output, p->output, p->n_output * sizeof *p->output);
        }
        copy->output[k] = arena_strdup(c->im->arena, "");
    }
    return copy;
}

static void keep_needed(struct cut *c)
{
    Onnx__GraphProto *to = c->to;
    c->keeps = ARENA_ARRAY(c->im->arena, bool, c->from->n_node);
    for (size_t i = 0; i < to->n_output; i++)
        need(c, to->output[i]->name ? to->output[i]->name : "");
    while (c->open.n)
        need_of_node(c, c->from->node[c->open.at[--c->open.n]]);
    to->node = ARENA_ARRAY(c->im->arena, Onnx__NodeProto *, c->from->n_node);
    to->n_node = 0;
    uint32_t *numbers = ARENA_ARRAY(c->im->arena, uint32_t, c->from->n_node);
    for (uint32_t i = 0; i < c->from->n_node; i++) {
        if (!c->keeps[i])
            continue;
        numbers[to->n_node] = i;
        to->node[to->n_node++] = without_inputs(c, c->from->node[i]);
    }
    c->im->numbers = numbers;
    for (size_t i = 0; i < c->from->n_input; i++) {
        Onnx__ValueInfoProto *v = c->from->input[i];
        const char *name = v->name ? v->name : "";
        if (find(&c->needed, name) != MAP_NONE && find(&c->inputs, name) == MAP_NONE)
            to->input[to->n_input++] = v;
    }
}

bool onnx_cut_graph(struct onnx_importer *im)
{
    if (!im->options->n_inputs && !im->options->n_outputs)
        return true;
    struct cut c = {.im = im, .from = im->graph, .to = ARENA_NEW(im->arena, Onnx__GraphProto)};
    *c.to = *im->graph;
    list_names(&c);
    bool ok = set_outputs(&c);
    ok &= set_inputs(&c);
    if (ok)
        keep_needed(&c);
    map_free(&c.makers);
    map_free(&c.inputs);
    map_free(&c.ports);
    map_free(&c.needed);
    VEC_FREE(&c.open);
    im->graph = c.to;
    return ok;
}
