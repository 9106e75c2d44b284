/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * index.c - from an operation to its position in list order. Ids may be stale in a const graph, so
 * printing, hashing and verifying look positions up in a table keyed by address; nothing that
 * leaves this room depends on the order of addresses.
 */
#include "ir_internal.h"

#include <stdlib.h>

static size_t start(const struct ir_index *x, const struct ir_op *op)
{
    uint64_t key = (uintptr_t)op;
    return (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & x->mask;
}

void ir_index_init(struct ir_index *x, const struct ir_graph *g)
{
    uint32_t most = g->n_ops < UINT32_MAX ? g->n_ops + 1 : g->n_ops;
    size_t slots = 16;
    while (slots < 2 * (size_t)most)
        slots *= 2;
    *x = (struct ir_index){.mask = slots - 1};
    x->key = heap_alloc(slots * sizeof *x->key);
    x->position = heap_alloc(slots * sizeof *x->position);
    for (const struct ir_op *op = g->first; op && x->n < most; op = op->next) {
        size_t at = start(x, op);
        while (x->key[at] && x->key[at] != op)
            at = (at + 1) & x->mask;
        if (!x->key[at]) {
            x->key[at] = op;
            x->position[at] = x->n;
        }
        x->n++;
    }
}

bool ir_index_find(const struct ir_index *x, const struct ir_op *op, uint32_t *out)
{
    for (size_t at = start(x, op); x->key[at]; at = (at + 1) & x->mask) {
        if (x->key[at] == op) {
            *out = x->position[at];
            return true;
        }
    }
    return false;
}

void ir_index_free(struct ir_index *x)
{
    heap_free(x->key);
    heap_free(x->position);
    *x = (struct ir_index){0};
}
