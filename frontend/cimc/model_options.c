/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * model_options.c - what the command line says of one model's tensors: sizes, constants, types, and
 * between which tensors the part lies that is compiled.
 *
 * In: options, of which each is this model's or another's. Out: the importer's options.
 */
#include "models.h"

#include "onnx.h"

#include <stdlib.h>
#include <string.h>

/* "name=value": the name's copy and the value; false if there is no '='. */
static bool split_assignment(const char *text, const char *option, struct arena *a, struct diag *d,
                             const char **out_name, const char **out_value)
{
    const char *equals = strrchr(text, '=');
    if (!equals || equals == text)
        return diag_error(d, (struct loc){0}, DIAG_USAGE, "--%s: '%s' has no NAME=", option, text);
    *out_name = arena_strndup(a, text, (size_t)(equals - text));
    *out_value = equals + 1;
    return true;
}

/* What the command line says of one model. */
struct of_model {
    const struct model *model;
    struct arena *arena;
    struct onnx_options *out;
    struct diag *diag;
};

static bool bind_dims(const struct of_model *m, const struct cimc_strings *list)
{
    struct onnx_dim_binding *all = ARENA_ARRAY(m->arena, struct onnx_dim_binding, list->n);
    for (size_t i = 0; i < list->n; i++) {
        const char *value = NULL, *own = models_own(m->model, list->at[i]);
        struct onnx_dim_binding *at = &all[m->out->n_dims];
        char *end;
        if (!own)
            continue;
        if (!split_assignment(own, "dim", m->arena, m->diag, &at->name, &value))
            return false;
        at->size = strtoll(value, &end, 10);
        if (*end || end == value || at->size < 1 || at->size > INT32_MAX)
            return diag_error(m->diag, (struct loc){0}, DIAG_USAGE,
                              "--dim: '%s' is not a size from 1 to %d", value, INT32_MAX);
        m->out->n_dims++;
    }
    m->out->dims = all;
    return true;
}

static bool bind_constants(const struct of_model *m, const struct cimc_strings *list)
{
    struct onnx_constant_input *all = ARENA_ARRAY(m->arena, struct onnx_constant_input, list->n);
    for (size_t i = 0; i < list->n; i++) {
        struct onnx_constant_input *at = &all[m->out->n_constants];
        const char *own = models_own(m->model, list->at[i]);
        if (!own)
            continue;
        if (!split_assignment(own, "constant", m->arena, m->diag, &at->name, &at->pb_path))
            return false;
        m->out->n_constants++;
    }
    m->out->constants = all;
    return true;
}

static bool bind_input_types(const struct of_model *m, const struct cimc_strings *list)
{
    struct onnx_input_type *all = ARENA_ARRAY(m->arena, struct onnx_input_type, list->n);
    for (size_t i = 0; i < list->n; i++) {
        const char *value = NULL, *own = models_own(m->model, list->at[i]);
        struct onnx_input_type *at = &all[m->out->n_input_types];
        if (!own)
            continue;
        if (!split_assignment(own, "input-type", m->arena, m->diag, &at->name, &value))
            return false;
        at->dtype = strcmp(value, "i8") == 0 ? IR_I8 : IR_U8;
        if (at->dtype == IR_U8 && strcmp(value, "u8") != 0)
            return diag_error(m->diag, (struct loc){0}, DIAG_USAGE,
                              "--input-type: '%s' is none of u8, i8", value);
        m->out->n_input_types++;
    }
    m->out->input_types = all;
    return true;
}

/* "a,b"; false if a name is empty. */
static bool split_names(const struct of_model *m, const char *list, const char *option,
                        const char *const **out, size_t *n_out)
{
    size_t most = 1;
    if (!list)
        return true;
    for (const char *at = list; *at; at++)
        most += *at == ',';
    const char **names = ARENA_ARRAY(m->arena, const char *, most);
    for (size_t i = 0; i < most; i++) {
        size_t length = strcspn(list, ",");
        if (!length)
            return diag_error(m->diag, (struct loc){0}, DIAG_USAGE, "--%s: a name is empty",
                              option);
        const char *own = models_own(m->model, arena_strndup(m->arena, list, length));
        if (own)
            names[(*n_out)++] = own;
        list += length + (list[length] == ',');
    }
    *out = names;
    return true;
}

bool model_options(const struct model *m, const struct cimc_options *s, struct arena *a,
                   struct onnx_options *out, struct diag *d)
{
    struct of_model of = {m, a, out, d};
    return bind_dims(&of, &s->dims) && bind_constants(&of, &s->constants) &&
           bind_input_types(&of, &s->input_types) &&
           split_names(&of, s->cut_inputs, "inputs", &out->inputs, &out->n_inputs) &&
           split_names(&of, s->cut_outputs, "outputs", &out->outputs, &out->n_outputs);
}
