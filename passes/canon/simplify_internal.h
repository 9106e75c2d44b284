/*
 * simplify_internal.h - the rules of simplify.def: rule_<name>(root).
 * A rule returns the value that takes the root's place (of the same type; new operations stand
 * before the root), or NULL if it does not match. It removes nothing and replaces nothing itself.
 */
#ifndef CIMC_SIMPLIFY_INTERNAL_H
#define CIMC_SIMPLIFY_INTERNAL_H

#include "passes_internal.h"

#define RULE(root, name, doc) struct ir_value *rule_##name(struct ir_op *op);
#include "simplify.def"
#undef RULE

#endif
