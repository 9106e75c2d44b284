/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * clone.c - operations of one graph made anew in another: a second graph with an arena of its own,
 * or one more model beside those that are there. Payloads are shared by reference.
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
    name->n = 0;
    text_add(name, "%s%s", *op->name ? how->prefix : "", op->name);
    struct ir_new desc = {.opcode = op->opcode,
                          .in = in,
                          .n_in = op->n_in,
                          .attrs = &attrs,
                          .name = name->at,
                          .loc = op->loc};
    struct ir_op *copy = ir_op_detached(to, &desc);
    ir_op_attach(copy, NULL, op->out ? &op->out->type : NULL);
    return copy;
}

void ir_append(struct ir_graph *to, const struct ir_graph *g, const struct ir_append *how)
{
    struct ir_index index;
    ir_index_init(&index, g);
    struct ir_value **values = heap_alloc(index.n * sizeof *values);
    VEC(struct ir_value *) in = {0};
    struct text name = {0};
    uint32_t position = 0;
    for (const struct ir_op *op = g->first; op; op = op->next) {
        in.n = 0;
        for (uint32_t i = 0; i < op->n_in; i++) {
            uint32_t at;
            if (!ir_index_find(&index, op->in[i].value->def, &at) || at >= position)
                BUG("cloning an unverified graph");
            VEC_PUSH(&in, values[at]);
        }
        values[position++] = copy_op(to, op, in.at, how, &name)->out;
    }
    text_free(&name);
    VEC_FREE(&in);
    heap_free(values);
    ir_index_free(&index);
}

struct ir_graph *ir_clone(const struct ir_graph *g)
{
    struct ir_graph *to = ir_graph_new(g->name, g->stage);
    ir_append(to, g, &(struct ir_append){.prefix = ""});
    return to;
}
