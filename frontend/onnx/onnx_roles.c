/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_roles.c - what the inputs of a model are to the operators that read them, by the roles of
 * operands in operators.def: data, weights, or what must be constant.
 *
 * Exporters make weights initializers; test data often has them as inputs. Names are looked up
 * without scopes: a name that a subgraph uses again makes its role stricter, never looser.
 */
#include "onnx_source.h"

#include "onnx_operator.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    const struct onnx_input_role *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

enum { DATA = 'x', STORED = '~' }; /* the letters are in order of strictness: c, w, x, ~ */

struct roles {
    struct onnx_input_role **sorted;
    size_t n;
};

/* What is data to one reader is data; "c" only what is so for all. */
static void note(struct roles *r, const char *name, char role)
{
    struct onnx_input_role key = {.name = name ? name : ""}, *at = &key;
    struct onnx_input_role **found =
        r->n == 0 ? NULL : bsearch(&at, r->sorted, r->n, sizeof *r->sorted, by_name);
    if (found && role > (*found)->role)
        (*found)->role = role;
}

static void walk(struct roles *r, const Onnx__GraphProto *g);

static void walk_node(struct roles *r, const Onnx__NodeProto *n)
{
    const struct onnx_operator *op =
        onnx_operator_find(n->domain ? n->domain : "", n->op_type ? n->op_type : "");
    const char *roles = op && *op->roles ? op->roles : "x";
    for (size_t i = 0; i < n->n_input; i++) {
        note(r, n->input[i], *roles);
        roles += roles[1] != 0;
    }
    for (size_t i = 0; i < n->n_attribute; i++)
        if (n->attribute[i]->g)
            walk(r, n->attribute[i]->g);
}

static void walk(struct roles *r, const Onnx__GraphProto *g)
{
    for (size_t i = 0; i < g->n_node; i++)
        walk_node(r, g->node[i]);
    for (size_t i = 0; i < g->n_output; i++)
        note(r, g->output[i]->name, DATA);
}

/* Run-time inputs, in order: those that no initializer has taken. */
static struct onnx_inputs collect(const Onnx__GraphProto *g, struct arena *a)
{
    struct onnx_input_role *all = ARENA_ARRAY(a, struct onnx_input_role, g->n_input);
    struct roles r = {ARENA_ARRAY(a, struct onnx_input_role *, g->n_input), g->n_input};
    struct onnx_inputs out = {.at = ARENA_ARRAY(a, struct onnx_input_role, g->n_input)};
    for (size_t i = 0; i < g->n_input; i++) {
        all[i].name = g->input[i]->name ? arena_strdup(a, g->input[i]->name) : "";
        r.sorted[i] = &all[i];
    }
    if (r.n)
        qsort(r.sorted, r.n, sizeof *r.sorted, by_name);
    for (size_t i = 0; i < g->n_initializer; i++)
        note(&r, g->initializer[i]->name, STORED);
    walk(&r, g);
    for (size_t i = 0; i < r.n; i++)
        if (all[i].role != STORED)
            out.at[out.n++] = all[i];
    return out;
}

bool onnx_input_roles(const char *path, struct arena *a, struct onnx_inputs *out, struct diag *d)
{
    struct onnx_source s;
    *out = (struct onnx_inputs){0};
    if (!onnx_source_open(path, &onnx__model_proto__descriptor, &s, d))
        return false;
    const Onnx__ModelProto *m = (const Onnx__ModelProto *)s.root;
    if (m->graph)
        *out = collect(m->graph, a);
    onnx_source_close(&s);
    return true;
}
