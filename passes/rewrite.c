/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* rewrite.c - applies rules until none matches: see rewrite.h. */
#include "rewrite.h"

struct queue {
    const struct rewrite_rules *rules;
    uint64_t *counts;
    VEC(struct ir_op *) ops;
    size_t head;
    size_t first_rule[IR_N_OPCODES]; /* index of the opcode's first rule; n if it has none */
};

static void push_users(struct queue *q, const struct ir_value *v)
{
    for (const struct ir_use *u = v->uses; u; u = u->next)
        VEC_PUSH(&q->ops, u->user);
}

/* Removes what nobody uses any more; graph = NULL marks it for the queue. */
static void remove_unused(struct queue *q, struct ir_op *root)
{
    VEC(struct ir_op *) todo = {0};
    VEC_PUSH(&todo, root);
    while (todo.n) {
        struct ir_op *op = todo.at[--todo.n];
        if (!op->graph || op->out->uses || pass_has_trait(op, IR_IO)) {
            if (op->graph && ir_has_one_use(op->out))
                push_users(q, op->out); /* a rule may wait for this */
            continue;
        }
        for (uint32_t i = 0; i < op->n_in; i++)
            VEC_PUSH(&todo, op->in[i].value->def);
        ir_op_remove(op);
        op->graph = NULL;
    }
    VEC_FREE(&todo);
}

static void replace(struct queue *q, struct ir_op *op, struct ir_op *before, struct ir_value *with)
{
    if (!ir_type_equal(&with->type, &op->out->type))
        BUG("a rule changed the type of a %s", ir_op_descs[op->opcode].name);
    push_users(q, op->out);
    for (struct ir_op *made = op->prev; made != before; made = made->prev)
        VEC_PUSH(&q->ops, made);
    ir_replace_uses(op->out, with);
    remove_unused(q, op);
}

/* The first rule that matches. */
static bool apply_rules(struct queue *q, struct ir_op *op)
{
    const struct rewrite_rules *rules = q->rules;
    for (size_t i = q->first_rule[op->opcode]; i < rules->n && rules->roots[i] == op->opcode; i++) {
        struct ir_op *before = op->prev;
        struct ir_value *with = rules->apply(rules->self, i, op);
        if (!with)
            continue;
        replace(q, op, before, with);
        q->counts[i]++;
        return true;
    }
    return false;
}

bool rewrite_graph(struct ir_graph *g, const struct rewrite_rules *rules, uint64_t *counts)
{
    struct queue q = {.rules = rules, .counts = counts};
    bool changed = false;
    for (size_t i = 0; i < IR_N_OPCODES; i++)
        q.first_rule[i] = rules->n;
    for (size_t i = rules->n; i-- > 0;)
        q.first_rule[rules->roots[i]] = i;
    for (struct ir_op *op = g->first; op; op = op->next)
        VEC_PUSH(&q.ops, op);
    while (q.head < q.ops.n) {
        struct ir_op *op = q.ops.at[q.head++];
        if (op->graph && op->out && op->out->uses)
            changed = apply_rules(&q, op) || changed;
    }
    VEC_FREE(&q.ops);
    return changed;
}
