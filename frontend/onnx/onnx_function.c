/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_function.c - functions that a model brings along: operators that are graphs.
 *
 * A node that names one (domain, name, overload) is its body, inlined. An operator of operators.def
 * is itself even if the file also has a function of that name. Attributes of nodes in a function
 * may refer to attributes of the call; what the call leaves out has the function's default, and
 * without one the node does without the attribute.
 */
#include "onnx_importer.h"

#include <string.h>

/* ---- finding ---- */

static void write_key(struct text *out, const char *domain, const char *name, const char *overload)
{
    out->n = 0;
    text_add(out, "%s\n%s\n%s", onnx_is_default_domain(domain) ? "" : domain, name ? name : "",
             overload ? overload : "");
}

static bool list_functions(struct onnx_importer *im)
{
    struct text key = {0};
    bool ok = true;
    for (uint32_t i = 0; i < im->proto->n_functions; i++) {
        const Onnx__FunctionProto *f = im->proto->functions[i];
        write_key(&key, f->domain, f->name, f->overload);
        if (map_intern(&im->functions, key.at, key.n, i) != i)
            ok = diag_error(im->diag, (struct loc){.file = im->path}, DIAG_ONNX_MODEL,
                            "function '%s' is defined twice", f->name ? f->name : "");
    }
    text_free(&key);
    return ok;
}

/* Its number; MAP_NONE if the node calls none. */
static uint32_t find(const struct onnx_importer *im, const Onnx__NodeProto *p)
{
    struct text key = {0};
    if (!im->functions.n || onnx_operator_find(p->domain, p->op_type ? p->op_type : ""))
        return MAP_NONE;
    write_key(&key, p->domain, p->op_type, p->overload);
    uint32_t found = map_find(&im->functions, key.at, key.n);
    text_free(&key);
    return found;
}

const Onnx__FunctionProto *onnx_function_find(const struct onnx_importer *im,
                                              const Onnx__NodeProto *p)
{
    uint32_t found = find(im, p);
    return found == MAP_NONE ? NULL : im->proto->functions[found];
}

/* ---- how deep calls go ---- */

enum { MOST_CALLS = 64, UNSEEN = 0, OPEN = 255 };

struct depths {
    struct onnx_importer *im;
    uint8_t *of; /* each function: UNSEEN, OPEN, or 1 + the depth of what it calls */
};

static bool measure(struct depths *d, uint32_t function, unsigned depth);

/* The deepest call of some nodes and of the bodies in them. */
static bool measure_nodes(struct depths *d, Onnx__NodeProto *const *nodes, size_t n, unsigned depth,
                          uint8_t *deepest)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t called = find(d->im, nodes[i]);
        if (called != MAP_NONE && !measure(d, called, depth))
            return false;
        if (called != MAP_NONE && d->of[called] > *deepest)
            *deepest = d->of[called];
        for (size_t k = 0; k < nodes[i]->n_attribute; k++) {
            const Onnx__AttributeProto *a = nodes[i]->attribute[k];
            if (a->g && !measure_nodes(d, a->g->node, a->g->n_node, depth, deepest))
                return false;
            for (size_t g = 0; g < a->n_graphs; g++)
                if (!measure_nodes(d, a->graphs[g]->node, a->graphs[g]->n_node, depth, deepest))
                    return false;
        }
    }
    return true;
}

static bool measure(struct depths *d, uint32_t function, unsigned depth)
{
    const Onnx__FunctionProto *f = d->im->proto->functions[function];
    struct loc loc = {.file = d->im->path};
    uint8_t deepest = 0;
    if (d->of[function] == OPEN)
        return diag_error(d->im->diag, loc, DIAG_ONNX_MODEL, "function '%s' calls itself",
                          f->name ? f->name : "");
    if (d->of[function] != UNSEEN)
        return true;
    d->of[function] = OPEN;
    bool ok = depth < MOST_CALLS && measure_nodes(d, f->node, f->n_node, depth + 1, &deepest);
    if (depth >= MOST_CALLS || (ok && deepest >= MOST_CALLS))
        ok = diag_error(d->im->diag, loc, DIAG_ONNX_UNSUPPORTED,
                        "calls of functions are nested more than %d deep at '%s'", MOST_CALLS,
                        f->name ? f->name : "");
    d->of[function] = (uint8_t)(deepest + 1);
    return ok;
}

bool onnx_check_functions(struct onnx_importer *im)
{
    struct depths d = {im, ARENA_ARRAY(im->arena, uint8_t, im->proto->n_functions)};
    bool ok = list_functions(im);
    for (uint32_t i = 0; ok && i < im->proto->n_functions; i++)
        ok = measure(&d, i, 0);
    return ok;
}

/* ---- attributes ---- */

static const Onnx__AttributeProto *find_attribute(Onnx__AttributeProto *const *at, size_t n,
                                                  const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (at[i]->name && strcmp(at[i]->name, name) == 0)
            return at[i];
    return NULL;
}

static bool refers(const Onnx__AttributeProto *a)
{
    return a->ref_attr_name && *a->ref_attr_name;
}

/* What the call says; NULL: nothing. */
static const Onnx__AttributeProto *meant(const struct onnx_call *c, const char *name)
{
    const Onnx__AttributeProto *a =
        find_attribute(c->proto->attribute, c->proto->n_attribute, name);
    return a ? a
             : find_attribute(c->function->attribute_proto, c->function->n_attribute_proto, name);
}

const Onnx__NodeProto *onnx_bind_attributes(const struct onnx_scope *s, const Onnx__NodeProto *p,
                                            struct loc loc)
{
    size_t n_refer = 0;
    for (size_t i = 0; i < p->n_attribute; i++)
        n_refer += refers(p->attribute[i]);
    if (!n_refer || p->n_attribute > ONNX_MOST_ATTRIBUTES) /* which is refused later */
        return p;
    if (!s->call) {
        diag_error(s->im->diag, loc, DIAG_ONNX_MODEL,
                   "refers to an attribute of a function that it is not in");
        return NULL;
    }
    Onnx__NodeProto *bound = ARENA_NEW(s->im->arena, Onnx__NodeProto);
    *bound = *p;
    bound->attribute = ARENA_ARRAY(s->im->arena, Onnx__AttributeProto *, p->n_attribute);
    bound->n_attribute = 0;
    for (size_t i = 0; i < p->n_attribute; i++) {
        const Onnx__AttributeProto *a = p->attribute[i];
        const Onnx__AttributeProto *from = refers(a) ? meant(s->call, a->ref_attr_name) : a;
        if (!from)
            continue;
        Onnx__AttributeProto *copy = ARENA_NEW(s->im->arena, Onnx__AttributeProto);
        *copy = *from;
        copy->name = a->name;
        bound->attribute[bound->n_attribute++] = copy;
    }
    return bound;
}

/* ---- calls ---- */

static const struct onnx_body *body_of(struct onnx_importer *im, const Onnx__FunctionProto *f)
{
    struct onnx_body *b = ARENA_NEW(im->arena, struct onnx_body);
    *b = (struct onnx_body){.inputs = (const char *const *)f->input,
                            .n_inputs = f->n_input,
                            .outputs = (const char *const *)f->output,
                            .n_outputs = f->n_output,
                            .nodes = f->node,
                            .n_nodes = f->n_node};
    return b;
}

bool onnx_import_call(struct onnx_node *n)
{
    struct onnx_importer *im = n->im;
    const Onnx__FunctionProto *f = n->function;
    if (n->proto->n_input > f->n_input || n->proto->n_output > f->n_output)
        return diag_error(im->diag, n->loc, DIAG_ONNX_MODEL,
                          "has %zu operands and %zu results; function '%s' has %zu and %zu",
                          n->proto->n_input, n->proto->n_output, f->name ? f->name : "", f->n_input,
                          f->n_output);
    if (n->proto->n_attribute > ONNX_MOST_ATTRIBUTES || f->n_attribute_proto > ONNX_MOST_ATTRIBUTES)
        return diag_error(im->diag, n->loc, DIAG_ONNX_MODEL, "has %zu attributes, %zu by default",
                          n->proto->n_attribute, f->n_attribute_proto);
    struct onnx_symbol **in = ARENA_ARRAY(im->arena, struct onnx_symbol *, f->n_input);
    for (size_t i = 0; i < n->proto->n_input; i++)
        in[i] = n->in[i];
    struct onnx_call *call = ARENA_NEW(im->arena, struct onnx_call);
    *call = (struct onnx_call){n->proto, f};
    struct onnx_scope *s = onnx_run_body(n, body_of(im, f), "", in, call);
    if (!s)
        return false;
    for (size_t k = 0; k < n->proto->n_output; k++)
        onnx_set_symbol(n, k, onnx_result(s, k));
    return true;
}
