/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * verify.c - is this graph what IR.md says a graph is? Every derived fact (order, use lists, types)
 * is computed afresh and compared. All faults are reported; an operation is only looked at more
 * closely once what it stands on is sound, so that one fault does not show up many times and a
 * broken graph cannot make the verifier itself fail.
 */
#include "ir_internal.h"

#include <stdlib.h>
#include <string.h>

/* "conv2d 'c1'", "graph 'g'" */
static void name_subject(const struct ir_verifier *v, const struct ir_op *op, struct text *out)
{
    if (!op) {
        text_add(out, "graph '%s'", v->graph->name);
        return;
    }
    bool known = (unsigned)op->opcode < IR_N_OPCODES;
    text_add(out, "%s", known ? ir_op_descs[op->opcode].name : "operation");
    if (op->name && *op->name)
        text_add(out, " '%s'", op->name);
}

void ir_fault(struct ir_verifier *v, const struct ir_op *op, const char *fmt, ...)
{
    struct text subject = {0};
    va_list ap;
    name_subject(v, op, &subject);
    va_start(ap, fmt);
    diag_vat(v->diag, op ? op->loc : (struct loc){0}, DIAG_IR_INVALID, subject.at, fmt, ap);
    va_end(ap);
    v->ok = false;
    text_free(&subject);
}

/* ---- the list ---- */

static bool verify_list(struct ir_verifier *v)
{
    const struct ir_graph *g = v->graph;
    const struct ir_op *previous = NULL;
    uint32_t n = 0;
    for (const struct ir_op *op = g->first; op; previous = op, op = op->next, n++) {
        if (n == g->n_ops) {
            ir_fault(v, NULL, "the list holds more than n_ops = %u operations", g->n_ops);
            return false;
        }
        if (op->prev != previous)
            ir_fault(v, op, "prev does not point to the operation before");
        if (op->graph != g)
            ir_fault(v, op, "belongs to another graph");
    }
    if (n != g->n_ops)
        ir_fault(v, NULL, "the list holds %u operations, n_ops says %u", n, g->n_ops);
    if (g->last != previous)
        ir_fault(v, NULL, "last does not point to the last operation");
    return v->ok;
}

/* ---- one operation's frame: everything that is there whatever the operation means ---- */

static bool attrs_present(struct ir_verifier *v, const struct ir_op *op)
{
    const struct ir_op_desc *desc = &ir_op_descs[op->opcode];
    for (unsigned i = 0; i < desc->n_attrs; i++) {
        const void *field = ir_attr_at(op->attrs, &desc->attrs[i]);
        const struct ir_ints *list = field;
        bool missing = false;
        if (ir_attr_is_enum(desc->attrs[i].kind))
            missing = !ir_choice_text(desc->attrs[i].kind, ir_attr_choice(field));
        else if (desc->attrs[i].kind == IR_ATTR_ints)
            missing = list->n && !list->at;
        if (missing) {
            ir_fault(v, op, "attribute %s is NULL or none of its choices", desc->attrs[i].name);
            return false;
        }
    }
    return true;
}

static bool type_possible(const struct ir_type *t)
{
    int64_t count;
    return t->dtype < IR_N_DTYPES && t->rank <= IR_MAX_RANK && ir_type_count(t, &count);
}

static bool verify_value(struct ir_verifier *v, const struct ir_op *op)
{
    if (!op->out != !ir_op_descs[op->opcode].n_out)
        ir_fault(v, op, op->out ? "has a result, but defines none" : "has no result");
    else if (op->out && op->out->def != op)
        ir_fault(v, op, "its result says another operation defines it");
    else if (op->out && !type_possible(&op->out->type))
        ir_fault(v, op, "its result has an impossible type");
    else
        return true;
    return false;
}

/* False also if an operand is unsound, which was reported where that one is defined. */
static bool verify_operands(struct ir_verifier *v, const struct ir_op *op, uint32_t position)
{
    bool sound = true;
    for (uint32_t i = 0; i < op->n_in; i++) {
        const struct ir_value *x = op->in[i].value;
        uint32_t at;
        if (!x || !x->def || !ir_index_find(&v->index, x->def, &at) || x->def->out != x)
            ir_fault(v, op, "operand %u is no value of this graph", i);
        else if (at >= position)
            ir_fault(v, op, "operand %u is defined at or after its use", i);
        else if (op->in[i].user != op)
            ir_fault(v, op, "operand %u says another operation uses it", i);
        else if (v->sound[at])
            continue;
        sound = false;
    }
    return sound;
}

static bool verify_frame(struct ir_verifier *v, const struct ir_op *op, uint32_t position)
{
    if ((unsigned)op->opcode >= IR_N_OPCODES) {
        ir_fault(v, op, "unknown opcode %d", (int)op->opcode);
        return false;
    }
    const struct ir_op_desc *desc = &ir_op_descs[op->opcode];
    if (!op->attrs || !op->name) {
        ir_fault(v, op, "attributes or name are NULL");
        return false;
    }
    bool fine = attrs_present(v, op);
    fine = verify_value(v, op) && fine;
    if (op->n_in < desc->min_in || op->n_in > desc->max_in) {
        ir_fault(v, op, "has %u operands, wants %u to %u", op->n_in, desc->min_in, desc->max_in);
        fine = false;
    }
    return verify_operands(v, op, position) && fine;
}

/* ---- types ---- */

static bool verify_type(struct ir_verifier *v, const struct ir_op *op)
{
    struct diag *why = diag_new(); /* inference speaks of wrong models; here it is a wrong graph */
    struct ir_type type;
    bool fits = ir_infer(op, why, &type);
    if (!fits && why->first)
        diag_error(v->diag, op->loc, DIAG_IR_INVALID, "%s", why->first->text);
    diag_free(why);
    if (!fits) {
        v->ok = false;
    } else if (op->out && !ir_type_equal(&type, &op->out->type)) {
        char have[200], want[200];
        ir_fault(v, op, "the result has type %s, inference says %s",
                 ir_type_text(&op->out->type, have, sizeof have),
                 ir_type_text(&type, want, sizeof want));
        fits = false;
    }
    return fits;
}

/* ---- use lists, rebuilt as counts ---- */

/* Every link of the list is a slot that holds the value and is linked back to. */
static bool use_is_right(const struct ir_verifier *v, const struct ir_use *u,
                         const struct ir_value *value, struct ir_use *const *link)
{
    uint32_t at;
    return u->value == value && u->link == link && u->user &&
           ir_index_find(&v->index, u->user, &at) && u >= u->user->in &&
           u < u->user->in + u->user->n_in;
}

static void verify_uses(struct ir_verifier *v, const struct ir_op *op, uint32_t expected)
{
    uint32_t n = 0;
    struct ir_use *const *link = &op->out->uses;
    for (; *link; link = &(*link)->next, n++) {
        if (n == expected) {
            ir_fault(v, op, "its use list holds more than the %u uses there are", expected);
            return;
        }
        if (!use_is_right(v, *link, op->out, link)) {
            ir_fault(v, op, "its use list is damaged");
            return;
        }
    }
    if (n != expected)
        ir_fault(v, op, "its use list holds %u of %u uses", n, expected);
}

static void verify_all_uses(struct ir_verifier *v)
{
    uint32_t *uses = heap_alloc(v->index.n * sizeof *uses), at;
    for (const struct ir_op *op = v->graph->first; op; op = op->next) {
        for (uint32_t i = 0; i < op->n_in; i++) {
            if (op->in[i].value && op->in[i].value->def &&
                ir_index_find(&v->index, op->in[i].value->def, &at))
                uses[at]++;
        }
    }
    uint32_t position = 0;
    for (const struct ir_op *op = v->graph->first; op; op = op->next, position++) {
        if (op->out)
            verify_uses(v, op, uses[position]);
    }
    heap_free(uses);
}

/* ---- all ---- */

static void verify_ops(struct ir_verifier *v)
{
    uint32_t position = 0;
    bool all_sound = true;
    for (const struct ir_op *op = v->graph->first; op; op = op->next, position++) {
        v->sound[position] = verify_frame(v, op, position) && verify_type(v, op);
        all_sound &= v->sound[position];
        if (v->sound[position])
            ir_verify_stage(v, op);
    }
    verify_all_uses(v);
    if (all_sound)
        ir_verify_interface(v);
}

bool ir_verify(const struct ir_graph *g, struct diag *d)
{
    struct ir_verifier v = {.graph = g, .diag = d, .ok = true};
    if (!ir_stage_name(g->stage))
        ir_fault(&v, NULL, "unknown stage %d", (int)g->stage);
    if (verify_list(&v)) {
        ir_index_init(&v.index, g);
        v.sound = heap_alloc(v.index.n * sizeof *v.sound);
        verify_ops(&v);
        heap_free(v.sound);
        ir_index_free(&v.index);
    }
    return v.ok;
}
