/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * int_table.c - what is computed of one 8-bit value, element by element, has 256 results: a table.
 *
 * They are computed here with the operations of the graph in its order, one IEEE operation each;
 * those of a mathematical library in f64, rounded once. So a table holds what the operations would
 * give, and no machine needs a library.
 */
#include "int.h"

#include <math.h>

/* An operation has four operands at most. */
enum { ENTRIES = 256, MOST_OPS = 64, MOST_VALUES = 5 * MOST_OPS };

/* ---- is it of one value? ---- */

struct chain {
    struct ir_value *q; /* the one value; NULL until found */
    uint32_t n;
};

static bool is_elementwise(const struct ir_op *op)
{
    switch (op->opcode) {
    case IR_quantize:
    case IR_dequantize:
    case IR_requantize:
    case IR_cast:
    case IR_where: return true;
    default: return pass_has_trait(op, IR_UNARY | IR_BINARY);
    }
}

/* A byte that is no quantised number. */
static bool is_truth(const struct ir_op *op)
{
    return op->opcode == IR_equal || op->opcode == IR_less || op->opcode == IR_greater;
}

/* Does every element of v depend on the same element of c->q, and on constants of one number? */
static bool follow(const struct ir_value *v, const struct ir_type *t, struct chain *c)
{
    if (ir_is(v, IR_constant))
        return ir_count(&v->type) == 1 || v->def->attrs->constant.data->splat;
    if (++c->n > MOST_OPS || v->type.rank != t->rank ||
        memcmp(v->type.dim, t->dim, sizeof t->dim) != 0)
        return false;
    if (v->type.dtype == IR_U8 && !is_truth(v->def)) {
        bool same = !c->q || c->q == v;
        c->q = v->def->out;
        return same;
    }
    bool all = is_elementwise(v->def);
    for (uint32_t i = 0; i < v->def->n_in && all; i++)
        all = follow(v->def->in[i].value, t, c);
    return all;
}

/* Of the operands of op: its own value may be a byte too. */
static bool follow_operands(const struct ir_op *op, struct chain *c)
{
    bool all = true;
    for (uint32_t i = 0; i < op->n_in && all; i++)
        all = follow(op->in[i].value, &op->out->type, c);
    return all && c->q;
}

/* ---- its 256 results ---- */

/* A graph of its own in which q is the constant 0..255. */
struct work {
    struct ir_graph *g;
    struct diag *diag;
    uint32_t n;
    const struct ir_value *old[MOST_VALUES];
    struct ir_value *made[MOST_VALUES];
};

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double (*library_function(enum ir_opcode opcode))(double)
{
    switch (opcode) {
    case IR_exp: return exp;
    case IR_log: return log;
    case IR_sigmoid: return sigmoid;
    case IR_tanh: return tanh;
    case IR_erf: return erf;
    case IR_sin: return sin;
    case IR_cos: return cos;
    default: return NULL;
    }
}

/* f of each element of constants, one number or all, in f64, rounded once; NULL of another
 * operation. */
static struct ir_value *by_library(struct work *w, const struct ir_op *op,
                                   struct ir_value *const *in)
{
    double (*f)(double) = library_function(op->opcode);
    if (!f && op->opcode != IR_pow)
        return NULL;
    struct pass_place at = {.g = w->g};
    const struct ir_type *t = f || in[0]->type.rank ? &in[0]->type : &in[1]->type;
    int64_t n = ir_count(t);
    float *data = heap_alloc((size_t)n * sizeof *data);
    for (int64_t i = 0; i < n; i++) {
        double x = ir_const_f64(in[0]->def, in[0]->type.rank ? i : 0);
        data[i] = (float)(f ? f(x) : pow(x, ir_const_f64(in[1]->def, in[1]->type.rank ? i : 0)));
    }
    return pass_const(&at, t->rank, t->dim, data);
}

static struct ir_value *computed(struct work *w, const struct ir_value *v);

/* NULL where a sum leaves 32 bits. */
static struct ir_value *compute(struct work *w, const struct ir_op *op)
{
    struct pass_place at = {.g = w->g};
    struct ir_value *in[4] = {NULL}; /* a requantize has most */
    if (op->opcode == IR_constant)
        return pass_const_as(&at, op, 0, NULL);
    for (uint32_t i = 0; i < op->n_in; i++) {
        in[i] = computed(w, op->in[i].value);
        if (!in[i])
            return NULL;
    }
    struct ir_value *known = by_library(w, op, in);
    if (known)
        return known;
    struct ir_new desc = {.opcode = op->opcode, .in = in, .n_in = op->n_in, .attrs = op->attrs};
    struct ir_op *folded = eval_fold(pass_emit(&at, &desc)->def, EVAL_FOLD_BYTES, w->diag);
    return folded ? folded->out : NULL;
}

static struct ir_value *computed(struct work *w, const struct ir_value *v)
{
    for (uint32_t i = 0; i < w->n; i++) {
        if (w->old[i] == v)
            return w->made[i];
    }
    struct ir_value *made = compute(w, v->def);
    if (!made)
        return NULL;
    if (w->n >= MOST_VALUES)
        BUG("a chain of one value has more operations than were counted");
    w->old[w->n] = v;
    w->made[w->n++] = made;
    return made;
}

/* NULL as compute(). */
static struct blob *entries(const struct ir_value *v, const struct ir_value *q)
{
    struct work w = {.g = ir_graph_new("table", IR_INTEGER), .diag = diag_new()};
    struct pass_place at = {.g = w.g};
    uint8_t *all = heap_alloc(ENTRIES);
    for (int i = 0; i < ENTRIES; i++)
        all[i] = (uint8_t)i;
    w.old[w.n] = q;
    w.made[w.n++] =
        pass_constant(&at, ir_type_of(IR_U8, 1, (int64_t[]){ENTRIES}), blob_own(all, ENTRIES));
    const struct ir_value *result = computed(&w, v);
    struct blob *b = result ? blob_ref(result->def->attrs->constant.data) : NULL;
    ir_graph_free(w.g);
    diag_free(w.diag);
    return b;
}

static struct ir_value *table(struct ir_op *op, const struct chain *c)
{
    struct pass_place at = pass_before(op);
    struct ir_type type = ir_type_of((enum ir_dtype)op->out->type.dtype, 1, (int64_t[]){ENTRIES});
    struct blob *b = entries(op->out, c->q);
    if (!b)
        return NULL;
    struct ir_value *in[] = {c->q, pass_constant(&at, type, b)};
    return pass_emit(&at,
                     &(struct ir_new){.opcode = IR_table, .in = in, .n_in = 2, .name = op->name});
}

struct ir_value *int_rule_to_table(struct ir_op *op, struct pass_ctx *ctx)
{
    struct chain c = {.q = NULL};
    (void)ctx;
    return op->out->type.dtype == IR_U8 && follow_operands(op, &c) ? table(op, &c) : NULL;
}

/* Without a quantize behind it: so that no library is needed at run time. */
struct ir_value *int_rule_library(struct ir_op *op, struct pass_ctx *ctx)
{
    struct chain c = {.q = NULL};
    (void)ctx;
    return follow_operands(op, &c) ? table(op, &c) : NULL;
}
