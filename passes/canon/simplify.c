/*
 * simplify.c - the driver of the rule table simplify.def.
 *
 * A queue holds the operations to look at, at first all of them in list order. When a rule fires,
 * the root's users move to the new value and are queued again, as are the operations the rule made,
 * and the users of values that have only one use left. Every rule makes the graph smaller, or moves
 * it to a form that no rule moves back, so the queue runs dry.
 */
#include "simplify_internal.h"

#include <stdlib.h>

struct rule {
    enum ir_opcode root;
    struct ir_value *(*apply)(struct ir_op *op);
};
static const struct rule rules[] = {
#define RULE(root, name, doc) {IR_##root, rule_##name},
#include "simplify.def"
#undef RULE
};
enum { N_RULES = sizeof rules / sizeof *rules };
_Static_assert((int)N_RULES <= (int)PASS_MAX_STATS, "each rule has a statistic");

struct queue {
    VEC(struct ir_op *) ops;
    size_t head;
    size_t first_rule[IR_N_OPCODES]; /* index of the opcode's first rule; N_RULES if it has none */
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
static bool apply_rules(struct queue *q, struct ir_op *op, struct pass_ctx *ctx)
{
    for (size_t i = q->first_rule[op->opcode]; i < N_RULES && rules[i].root == op->opcode; i++) {
        struct ir_op *before = op->prev;
        struct ir_value *with = rules[i].apply(op);
        if (!with)
            continue;
        replace(q, op, before, with);
        ctx->stats[i]++;
        return true;
    }
    return false;
}

static enum pass_result run_simplify(struct pass_ctx *ctx, struct ir_graph *g)
{
    struct queue q = {.head = 0};
    bool changed = false;
    for (size_t i = 0; i < IR_N_OPCODES; i++)
        q.first_rule[i] = N_RULES;
    for (size_t i = N_RULES; i-- > 0;)
        q.first_rule[rules[i].root] = i;
    for (struct ir_op *op = g->first; op; op = op->next)
        VEC_PUSH(&q.ops, op);
    while (q.head < q.ops.n) {
        struct ir_op *op = q.ops.at[q.head++];
        if (op->graph && op->out && op->out->uses)
            changed = apply_rules(&q, op, ctx) || changed;
    }
    VEC_FREE(&q.ops);
    return changed ? PASS_CHANGED : PASS_UNCHANGED;
}

static const char *const stats[] = {
#define RULE(root, name, doc) #name,
#include "simplify.def"
#undef RULE
    NULL,
};
const struct pass pass_simplify = {
    .name = "simplify",
    .summary = "apply the rewrite rules of simplify.def until none matches",
    .needs = IR_TENSOR | IR_CANONICAL,
    .stats = stats,
    .run = run_simplify,
};
