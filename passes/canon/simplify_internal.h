/*
 * simplify_internal.h - the rules of simplify.def: rule_<name>(root).
 * What a rule returns and may do is said in rewrite.h.
 */
#ifndef CIMC_SIMPLIFY_INTERNAL_H
#define CIMC_SIMPLIFY_INTERNAL_H

#include "passes_internal.h"

#define RULE(root, name, doc) struct ir_value *rule_##name(struct ir_op *op);
#include "simplify.def"
#undef RULE

#endif
