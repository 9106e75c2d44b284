/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * rewrite.h - the driver of tables of rewrite rules (simplify.def, int.def).
 *
 * A queue holds the operations to look at, at first all of them in list order. When a rule fires,
 * the root's users move to the new value and are queued again, as are the operations the rule made,
 * and the users of values that have only one use left. Where every rule makes the graph smaller, or
 * moves it to a form that no rule moves back, the queue runs dry.
 */
#ifndef CIMC_REWRITE_H
#define CIMC_REWRITE_H

#include "passes_internal.h"

struct rewrite_rules {
    size_t n;
    const enum ir_opcode *roots; /* of each rule; rules of one root stand together */
    /* Rule i at its root: the value that takes the root's place (of the same type; new operations
     * stand before the root), or NULL if it does not match. It removes and replaces nothing. */
    struct ir_value *(*apply)(void *self, size_t i, struct ir_op *root);
    void *self;
};
/* counts[i] grows by how often rule i fired. Did any? */
bool rewrite_graph(struct ir_graph *g, const struct rewrite_rules *rules, uint64_t *counts);

#endif
