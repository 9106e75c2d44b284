/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * import_control.c - If, Loop and Scan whose course is known when the model is read.
 *
 * A condition or trip count that folds to a constant (given, or computed from shapes) decides which
 * body is run, or how often: the branch is inlined, the loop unrolled. A Loop's own condition is
 * asked after each iteration, so it may also be computed from what the iteration makes, as long as
 * that folds. Everything else would decide at run time what the machine does.
 */
#include "onnx_node.h"

#include <string.h>

/* ---- what decides ---- */

static bool decided_at_run_time(struct onnx_node *n, const char *what)
{
    diag_error(n->im->diag, n->loc, DIAG_ONNX_UNSUPPORTED,
               "operator %s is not supported where its %s is computed at run time", n->op->name,
               what);
    onnx_look_into(n->im, n->proto, n->loc.entity);
    return false;
}

/* A constant of one element: a condition, which is bool, or a number of int64. */
static bool read_one(struct onnx_node *n, struct ir_value *v, enum ir_dtype dtype, const char *what,
                     int64_t *out)
{
    if (!v)
        return false;
    if (!onnx_is_const(v))
        return decided_at_run_time(n, what);
    if (v->type.dtype != dtype && !(dtype == IR_I64 && v->type.dtype == IR_I32))
        return onnx_error(n, "its %s is %s, not %s", what,
                          ir_dtype_name((enum ir_dtype)v->type.dtype), ir_dtype_name(dtype));
    if (ir_count(&v->type) != 1)
        return onnx_error(n, "its %s has %lld elements, not 1", what,
                          (long long)ir_count(&v->type));
    if (v->def->attrs->constant.data->missing)
        return onnx_error(n, "its %s must be known, but the data is missing", what);
    *out = ir_const_i64(v->def, 0);
    return true;
}

static const Onnx__GraphProto *graph_attribute(struct onnx_node *n, const char *name)
{
    onnx_ignore_attr(n, name);
    for (size_t i = 0; i < n->proto->n_attribute; i++) {
        const Onnx__AttributeProto *a = n->proto->attribute[i];
        if (a->name && strcmp(a->name, name) == 0 && a->g)
            return a->g;
    }
    onnx_error(n, "attribute '%s' is no graph", name);
    return NULL;
}

/* ---- If ---- */

bool import_if(struct onnx_node *n)
{
    int64_t condition;
    const Onnx__GraphProto *branches[] = {graph_attribute(n, "else_branch"),
                                          graph_attribute(n, "then_branch")};
    if (!branches[0] || !branches[1] ||
        !read_one(n, onnx_in(n, 0), IR_BOOL, "condition", &condition))
        return false;
    const Onnx__GraphProto *g = branches[condition != 0];
    if (g->n_input || g->n_output != n->proto->n_output)
        return onnx_error(n, "its branch has %zu inputs and %zu outputs, not 0 and %zu", g->n_input,
                          g->n_output, n->proto->n_output);
    struct onnx_scope *s = onnx_run_body(n, onnx_graph_body(n->im, g),
                                         condition ? "then_branch" : "else_branch", NULL, NULL);
    for (size_t k = 0; s && k < g->n_output; k++)
        onnx_set_symbol(n, k, onnx_result(s, k));
    return s != NULL;
}

/* ---- what loops gather ---- */

struct gathered {
    VEC(struct ir_value *) parts;
    bool lost; /* an iteration could not make its part, which is reported */
};

static bool is_lost(const struct onnx_symbol *s)
{
    return s->lost && !s->value;
}

static struct ir_value *given_value(struct onnx_node *n, struct onnx_symbol *s)
{
    struct ir_value *v = onnx_graph_value(n->im, s, n->loc);
    if (!v)
        onnx_error(n, "what its body gives as '%s' is no tensor", s->name);
    return v;
}

/* One more slice of a result: [1, ...] at `axis`. */
static bool gather(struct onnx_node *n, struct gathered *to, struct onnx_symbol *s, int64_t axis)
{
    to->lost |= is_lost(s);
    if (to->lost)
        return true;
    struct ir_value *v = given_value(n, s);
    if (!v)
        return false;
    v = onnx_axis(n, axis, (int64_t)v->type.rank + 1, &axis) ? onnx_with_axis(n, v, axis) : NULL;
    VEC_PUSH(&to->parts, v);
    return v != NULL;
}

static void turn(struct gathered *g)
{
    for (size_t i = 0; i < g->parts.n / 2; i++) {
        struct ir_value *first = g->parts.at[i];
        g->parts.at[i] = g->parts.at[g->parts.n - 1 - i];
        g->parts.at[g->parts.n - 1 - i] = first;
    }
}

/* Result k is all of them, one behind the other. */
static bool set_gathered(struct onnx_node *n, size_t k, const struct gathered *g, int64_t axis)
{
    if (!onnx_out_used(n, k))
        return true;
    if (g->lost)
        return n->out[k]->lost = true;
    if (!g->parts.n)
        return onnx_error(n, "without an iteration the shape of result %zu is not known", k);
    if (!onnx_axis(n, axis, g->parts.at[0]->type.rank, &axis))
        return false;
    return onnx_set_out(n, k, onnx_concat(n, g->parts.at, g->parts.n, axis, true));
}

static void free_gathered(struct gathered *g, size_t n)
{
    for (size_t i = 0; i < n; i++)
        VEC_FREE(&g[i].parts);
}

static struct onnx_symbol *constant_symbol(struct onnx_node *n, struct ir_value *v)
{
    struct onnx_symbol *s = onnx_new_symbol(n->im, "", n);
    s->value = v;
    return s;
}

/* What the first iteration gets: operands [first, first + count), all of which there must be. */
static bool take_states(struct onnx_node *n, size_t first, size_t count, struct onnx_symbol **to)
{
    for (size_t i = 0; i < count; i++)
        if (!(to[i] = n->in[first + i]))
            return onnx_error(n, "operand %zu is missing", first + i);
    return true;
}

/* ---- Loop ---- */

struct loop {
    const struct onnx_body *body;
    size_t n_carried, n_gathered;
    struct onnx_symbol **in; /* of the next iteration: its number, the condition, what is carried */
    struct gathered *gathered;
    int64_t limit;      /* -1: none */
    bool goes_on, lost; /* lost: whether it goes on is not known */
};

static struct ir_value *bool_const(struct onnx_node *n, bool x)
{
    uint8_t *data = heap_alloc(1);
    *data = x;
    return onnx_const(n, ir_type_of(IR_BOOL, 0, NULL), blob_own(data, 1));
}

static bool open_loop(struct onnx_node *n, struct loop *l)
{
    const Onnx__GraphProto *g = graph_attribute(n, "body");
    size_t given = n->proto->n_input < 2 ? 2 : n->proto->n_input;
    int64_t goes_on = 1;
    if (!g)
        return false;
    *l = (struct loop){.body = onnx_graph_body(n->im, g), .n_carried = given - 2, .limit = -1};
    if (g->n_input != given || g->n_output < l->n_carried + 1 ||
        n->proto->n_output > g->n_output - 1)
        return onnx_error(n, "its body has %zu inputs and %zu outputs, which do not fit",
                          g->n_input, g->n_output);
    if (onnx_has_in(n, 0) && !read_one(n, onnx_in(n, 0), IR_I64, "trip count", &l->limit))
        return false;
    if (onnx_has_in(n, 1) && !read_one(n, onnx_in(n, 1), IR_BOOL, "condition", &goes_on))
        return false;
    l->limit = onnx_has_in(n, 0) ? max_i64(l->limit, 0) : -1;
    l->goes_on = goes_on != 0;
    l->n_gathered = g->n_output - 1 - l->n_carried;
    l->gathered = ARENA_ARRAY(n->im->arena, struct gathered, l->n_gathered);
    l->in = ARENA_ARRAY(n->im->arena, struct onnx_symbol *, g->n_input);
    l->in[1] = constant_symbol(n, bool_const(n, l->goes_on));
    return take_states(n, 2, l->n_carried, l->in + 2);
}

static struct ir_value *number_const(struct onnx_node *n, int64_t x)
{
    return onnx_reshape(n, onnx_ints_const(n, &x, 1), NULL, 0, false);
}

static bool iterate(struct onnx_node *n, struct loop *l, int64_t number)
{
    struct onnx_importer *im = n->im;
    unsigned errors = im->diag->n_errors;
    int64_t goes_on;
    l->in[0] = constant_symbol(n, number_const(n, number));
    struct onnx_scope *s =
        onnx_run_body(n, l->body, arena_printf(im->arena, "%lld", (long long)number), l->in, NULL);
    if (!s || im->diag->n_errors > errors)
        return false;
    l->in[1] = onnx_result(s, 0);
    for (size_t i = 0; i < l->n_carried; i++)
        l->in[i + 2] = onnx_result(s, i + 1);
    for (size_t i = 0; i < l->n_gathered; i++)
        if (!gather(n, &l->gathered[i], onnx_result(s, l->n_carried + 1 + i), 0))
            return false;
    l->lost = is_lost(l->in[1]);
    if (l->lost)
        return true;
    if (!read_one(n, given_value(n, l->in[1]), IR_BOOL, "condition", &goes_on))
        return false;
    l->goes_on = goes_on != 0;
    return true;
}

static bool run_loop(struct onnx_node *n, struct loop *l)
{
    for (int64_t i = 0; l->goes_on && !l->lost && (l->limit < 0 || i < l->limit); i++)
        if (!iterate(n, l, i))
            return false;
    if (l->lost)
        onnx_lose(n);
    for (size_t k = 0; !l->lost && k < n->proto->n_output; k++) {
        if (k < l->n_carried)
            onnx_set_symbol(n, k, l->in[k + 2]);
        else if (!set_gathered(n, k, &l->gathered[k - l->n_carried], 0))
            return false;
    }
    return true;
}

bool import_loop(struct onnx_node *n)
{
    struct loop l = {0};
    bool ok = open_loop(n, &l);
    ok = ok && run_loop(n, &l);
    if (l.gathered)
        free_gathered(l.gathered, l.n_gathered);
    return ok;
}

/* ---- Scan, as since opset 9 ---- */

struct scan {
    const struct onnx_body *body;
    size_t n_states, n_scanned, n_gathered;
    int64_t length;
    struct onnx_symbol **in;
    struct gathered *gathered;
    struct ir_ints in_axes, in_turned, out_axes, out_turned;
};

static int64_t listed(const struct ir_ints *list, size_t i)
{
    return i < list->n ? list->at[i] : 0;
}

static bool open_scan(struct onnx_node *n, struct scan *s)
{
    const Onnx__GraphProto *g = graph_attribute(n, "body");
    int64_t n_scanned = onnx_attr_i64(n, "num_scan_inputs", 0);
    size_t n_in = n->proto->n_input;
    *s = (struct scan){.length = -1};
    if (!g)
        return false;
    if (n_scanned < 1 || (size_t)n_scanned > n_in || g->n_input != n_in ||
        g->n_output != n->proto->n_output || g->n_output < n_in - (size_t)n_scanned)
        return onnx_error(n, "its body has %zu inputs and %zu outputs, which do not fit",
                          g->n_input, g->n_output);
    s->body = onnx_graph_body(n->im, g);
    s->n_scanned = (size_t)n_scanned;
    s->n_states = n_in - s->n_scanned;
    s->n_gathered = g->n_output - s->n_states;
    s->in_axes = onnx_attr_ints(n, "scan_input_axes");
    s->in_turned = onnx_attr_ints(n, "scan_input_directions");
    s->out_axes = onnx_attr_ints(n, "scan_output_axes");
    s->out_turned = onnx_attr_ints(n, "scan_output_directions");
    s->in = ARENA_ARRAY(n->im->arena, struct onnx_symbol *, n_in);
    s->gathered = ARENA_ARRAY(n->im->arena, struct gathered, s->n_gathered);
    return take_states(n, 0, s->n_states, s->in);
}

static bool find_length(struct onnx_node *n, struct scan *s)
{
    for (size_t i = 0; i < s->n_scanned; i++) {
        const struct ir_value *x = onnx_in(n, s->n_states + i);
        int64_t axis;
        if (!x || !onnx_axis(n, listed(&s->in_axes, i), x->type.rank, &axis))
            return false;
        if (s->length >= 0 && s->length != x->type.dim[axis])
            return onnx_error(n, "its scanned operands have %lld and %lld slices",
                              (long long)s->length, (long long)x->type.dim[axis]);
        s->length = x->type.dim[axis];
    }
    return true;
}

/* Slice `at` of scanned operand i, without the dimension. */
static struct ir_value *sliced(struct onnx_node *n, const struct scan *s, size_t i, int64_t at)
{
    struct ir_value *x = onnx_in(n, s->n_states + i);
    int64_t axis = listed(&s->in_axes, i);
    axis = axis < 0 ? axis + x->type.rank : axis;
    x = onnx_run(n, x, axis, listed(&s->in_turned, i) ? s->length - 1 - at : at, 1);
    return onnx_without_axis(n, x, axis);
}

static bool scan_step(struct onnx_node *n, struct scan *s, int64_t at)
{
    struct onnx_importer *im = n->im;
    unsigned errors = im->diag->n_errors;
    for (size_t i = 0; i < s->n_scanned; i++)
        s->in[s->n_states + i] = constant_symbol(n, sliced(n, s, i, at));
    struct onnx_scope *run =
        onnx_run_body(n, s->body, arena_printf(im->arena, "%lld", (long long)at), s->in, NULL);
    if (!run || im->diag->n_errors > errors)
        return false;
    for (size_t i = 0; i < s->n_states; i++)
        s->in[i] = onnx_result(run, i);
    for (size_t i = 0; i < s->n_gathered; i++)
        if (!gather(n, &s->gathered[i], onnx_result(run, s->n_states + i), listed(&s->out_axes, i)))
            return false;
    return true;
}

static bool run_scan(struct onnx_node *n, struct scan *s)
{
    for (int64_t at = 0; at < s->length; at++)
        if (!scan_step(n, s, at))
            return false;
    for (size_t i = 0; i < s->n_states; i++)
        onnx_set_symbol(n, i, s->in[i]);
    for (size_t i = 0; i < s->n_gathered; i++) {
        if (listed(&s->out_turned, i))
            turn(&s->gathered[i]);
        if (!set_gathered(n, s->n_states + i, &s->gathered[i], listed(&s->out_axes, i)))
            return false;
    }
    return true;
}

bool import_scan(struct onnx_node *n)
{
    struct scan s = {0};
    bool ok = open_scan(n, &s) && find_length(n, &s) && run_scan(n, &s);
    if (s.gathered)
        free_gathered(s.gathered, s.n_gathered);
    return ok;
}
