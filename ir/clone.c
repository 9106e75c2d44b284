/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * clone.c - operations of one graph made anew in another: a second graph with an arena of its own,
 * or one more model beside those that are there. Payloads are shared by reference. Uses of a value
 * stand in the order that they had, so that passes do with a copy what they do with the graph.
 */
#include "ir_internal.h"

#include <stdlib.h>

/* The attributes of the copy; lists stay those of `op`. */
static union ir_attrs moved_attrs(const struct ir_op *op, const struct ir_append *how)
{
    union ir_attrs a = *op->attrs;
    int64_t *weights = NULL;
    switch (op->opcode) {
    case IR_input:
        a.input.index += how->first_input;
        a.input.state += a.input.state ? how->first_output : 0;
        break;
    case IR_output: a.output.index += how->first_output; break;
    case IR_conv: weights = &a.conv.weights; break;
    case IR_matmul: weights = &a.matmul.weights; break;
    case IR_mvm: weights = &a.mvm.weights; break;
    default: break;
    }
    if (weights && *weights)
        *weights += how->first_weights;
    return a;
}

static struct ir_op *copy_op(struct ir_graph *to, const struct ir_op *op,
                             struct ir_value *const *in, const struct ir_append *how,
                             struct text *name)
{
    union ir_attrs attrs = moved_attrs(op, how);
    bool is_longer = *op->name && *how->prefix;
    name->n = 0;
    if (is_longer)
        text_add(name, "%s%s", how->prefix, op->name);
    struct ir_new desc = {.opcode = op->opcode,
                          .in = in,
                          .n_in = op->n_in,
                          .attrs = &attrs,
                          .name = is_longer ? name->at : op->name,
                          .loc = op->loc};
    struct ir_op *copy = ir_op_detached(to, &desc);
    ir_op_attach(copy, NULL, op->out ? &op->out->type : NULL);
    return copy;
}

/* Operations of a graph, and what became of them, by position. */
struct copies {
    struct ir_index index;
    struct ir_op **at;
};

static struct ir_op *copy_of(const struct copies *c, const struct ir_op *op, uint32_t end)
{
    uint32_t at;
    if (!ir_index_find(&c->index, op, &at) || at >= end)
        BUG("cloning an unverified graph");
    return c->at[at];
}

static void order_uses(const struct copies *c, const struct ir_value *v, struct ir_value *copy)
{
    struct ir_use **link = &copy->uses;
    for (const struct ir_use *u = v->uses; u; u = u->next) {
        struct ir_use *same = &copy_of(c, u->user, c->index.n)->in[u - u->user->in];
        same->link = link;
        *link = same;
        link = &same->next;
    }
    *link = NULL;
}

void ir_append(struct ir_graph *to, const struct ir_graph *g, const struct ir_append *how)
{
    struct copies c;
    ir_index_init(&c.index, g);
    c.at = heap_alloc(c.index.n * sizeof *c.at);
    VEC(struct ir_value *) in = {0};
    struct text name = {0};
    uint32_t position = 0;
    for (const struct ir_op *op = g->first; op; op = op->next, position++) {
        in.n = 0;
        for (uint32_t i = 0; i < op->n_in; i++)
            VEC_PUSH(&in, copy_of(&c, op->in[i].value->def, position)->out);
        c.at[position] = copy_op(to, op, in.at, how, &name);
    }
    for (const struct ir_op *op = g->first; op; op = op->next)
        if (op->out)
            order_uses(&c, op->out, copy_of(&c, op, position)->out);
    text_free(&name);
    VEC_FREE(&in);
    heap_free(c.at);
    ir_index_free(&c.index);
}

struct ir_graph *ir_clone(const struct ir_graph *g)
{
    struct ir_graph *to = ir_graph_new(g->name, g->stage);
    ir_append(to, g, &(struct ir_append){.prefix = ""});
    return to;
}
