/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* dot.c - a graph as DOT text for Graphviz: base layers filled, constants dashed. */
#include "ir_internal.h"

static void add_node(const struct ir_op *op, uint32_t at, struct text *out)
{
    static const struct ir_print_options plain = {0};
    unsigned traits = ir_op_descs[op->opcode].traits;
    bool constant = op->opcode == IR_constant;
    struct text label = {0};
    char type[200];
    text_add(&label, "%s", ir_op_descs[op->opcode].name);
    if (*op->name)
        text_add(&label, " %s", op->name);
    if (op->out)
        text_add(&label, "\n%s", ir_type_text(&op->out->type, type, sizeof type));
    if (!constant && !(traits & IR_IO) && ir_op_descs[op->opcode].n_attrs) {
        text_add(&label, "\n");
        ir_print_attrs(op, &plain, &label);
    }
    text_add(out, "  n%u [label=", at);
    text_add_quoted(out, label.at);
    text_add(out, "%s];\n",
             constant           ? ", style=dashed"
             : traits & IR_BASE ? ", style=filled, fillcolor=lightblue"
             : traits & IR_IO   ? ", shape=ellipse"
                                : "");
    text_free(&label);
}

void ir_print_dot(const struct ir_graph *g, struct text *out)
{
    struct ir_index index;
    uint32_t at = 0, from;
    ir_index_init(&index, g);
    text_add(out, "digraph ");
    text_add_quoted(out, g->name);
    text_add(out, " {\n  node [shape=box];\n");
    for (const struct ir_op *op = g->first; op; op = op->next, at++) {
        add_node(op, at, out);
        for (uint32_t i = 0; i < op->n_in; i++) {
            if (op->in[i].value && op->in[i].value->def &&
                ir_index_find(&index, op->in[i].value->def, &from))
                text_add(out, "  n%u -> n%u;\n", from, at);
        }
    }
    text_add(out, "}\n");
    ir_index_free(&index);
}
