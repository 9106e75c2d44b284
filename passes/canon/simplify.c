/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* simplify.c - applies the rules of simplify.def, each of which makes the graph smaller or brings
 * it to a form that no rule leaves again. */
#include "rewrite.h"
#include "simplify_internal.h"

static const enum ir_opcode roots[] = {
#define RULE(root, name, doc) IR_##root,
#include "simplify.def"
#undef RULE
};
static struct ir_value *(*const rules[])(struct ir_op *op) = {
#define RULE(root, name, doc) rule_##name,
#include "simplify.def"
#undef RULE
};
enum { N_RULES = sizeof roots / sizeof *roots };
_Static_assert((int)N_RULES <= (int)PASS_MAX_STATS, "each rule has a statistic");

static struct ir_value *apply(void *self, size_t i, struct ir_op *root)
{
    (void)self;
    return rules[i](root);
}

static enum pass_result run_simplify(struct pass_ctx *ctx, struct ir_graph *g)
{
    struct rewrite_rules all = {.n = N_RULES, .roots = roots, .apply = apply};
    return rewrite_graph(g, &all, ctx->stats) ? PASS_CHANGED : PASS_UNCHANGED;
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
