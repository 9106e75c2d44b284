/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * print.c - a graph as text (grammar in IR.md). Everything that the fingerprint covers is printed,
 * so parsing gives the same graph back; payloads are print_blob.c's.
 */
#include "ir_internal.h"

static void print_list(const int64_t *at, uint32_t n, struct text *out)
{
    text_add(out, "[");
    for (uint32_t i = 0; i < n; i++)
        text_add(out, "%s%lld", i ? "," : "", (long long)at[i]);
    text_add(out, "]");
}

static void print_choice(enum ir_attr_kind kind, unsigned choice, struct text *out)
{
    const char *text = ir_choice_text(kind, choice);
    text_add_quoted(out, text ? text : "?"); /* a broken graph can still be looked at */
}

static void print_attr(const struct ir_op *op, const struct ir_attr_desc *desc,
                       const struct ir_print_options *o, struct text *out)
{
    const void *field = ir_attr_at(op->attrs, desc);
    const struct ir_ints *list = field;
    switch (desc->kind) {
    case IR_ATTR_i64:
    case IR_ATTR_opt:
    case IR_ATTR_loose: text_add(out, "%lld", (long long)*(const int64_t *)field); break;
    case IR_ATTR_i64x2:
    case IR_ATTR_ones: print_list(field, 2, out); break;
    case IR_ATTR_i64x3: print_list(field, 3, out); break;
    case IR_ATTR_i64x4: print_list(field, 4, out); break;
    case IR_ATTR_f32: text_add_f32(out, *(const float *)field); break;
    case IR_ATTR_ints: print_list(list->at, list->n, out); break;
    case IR_ATTR_blob: ir_print_blob(op, o, out); break;
    default: print_choice(desc->kind, ir_attr_choice(field), out);
    }
}

void ir_print_attrs(const struct ir_op *op, const struct ir_print_options *o, struct text *out)
{
    const struct ir_op_desc *desc = &ir_op_descs[op->opcode];
    if (!desc->n_attrs)
        return;
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        if (ir_attr_is_implied(ir_attr_at(op->attrs, &desc->attrs[i]), desc->attrs[i].kind))
            continue;
        text_add(out, "%s%s=", i ? ", " : "{", desc->attrs[i].name);
        print_attr(op, &desc->attrs[i], o, out);
    }
    text_add(out, "}");
}

static void print_operands(const struct ir_op *op, const struct ir_index *index, struct text *out)
{
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_value *x = op->in[i].value;
        uint32_t at;
        text_add(out, "%s ", i ? "," : "");
        if (x && x->def && ir_index_find(index, x->def, &at))
            text_add(out, "%%%u", at);
        else
            text_add(out, "%%?"); /* a broken graph can still be looked at */
    }
}

static void print_op(const struct ir_op *op, const struct ir_index *index,
                     const struct ir_print_options *o, struct text *out)
{
    char type[200];
    uint32_t at = 0;
    text_add(out, "  ");
    if (op->out && ir_index_find(index, op, &at))
        text_add(out, "%%%u = ", at);
    text_add(out, "%s", ir_op_descs[op->opcode].name);
    print_operands(op, index, out);
    text_add(out, "%s", ir_op_descs[op->opcode].n_attrs ? " " : "");
    ir_print_attrs(op, o, out);
    if (op->out)
        text_add(out, " : %s", ir_type_text(&op->out->type, type, sizeof type));
    if (*op->name) {
        text_add(out, " @");
        text_add_quoted(out, op->name);
    }
    if (op->loc.entity) {
        text_add(out, " loc(");
        text_add_quoted(out, op->loc.entity);
        text_add(out, ")");
    }
    text_add(out, "\n");
}

void ir_print(const struct ir_graph *g, const struct ir_print_options *o, struct text *out)
{
    static const struct ir_print_options plain = {0};
    struct ir_index index;
    ir_index_init(&index, g);
    text_add(out, "graph ");
    text_add_quoted(out, g->name);
    text_add(out, " %s {\n", ir_stage_name(g->stage) ? ir_stage_name(g->stage) : "?");
    for (const struct ir_op *op = g->first; op; op = op->next)
        print_op(op, &index, o ? o : &plain, out);
    text_add(out, "}\n");
    ir_index_free(&index);
}
