/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * simplify_internal.h - the rules of simplify.def: rule_<name>(root).
 * What a rule returns and may do is said in rewrite.h.
 */
#ifndef CIMC_SIMPLIFY_INTERNAL_H
#define CIMC_SIMPLIFY_INTERNAL_H

#include "passes_internal.h"

/* f(other, constant of one number), f commutative, or f is NULL: other, of f's type, and the
 * number.
 */
bool simplify_number(const struct ir_op *f, struct ir_value **other, float *out);

#define RULE(root, name, doc) struct ir_value *rule_##name(struct ir_op *op);
#include "simplify.def"
#undef RULE

#endif
