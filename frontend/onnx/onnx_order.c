/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * onnx_order.c - in which order the nodes of a scope can be walked.
 *
 * Nodes need not be sorted in the file; a file in order keeps its order. A node also waits for what
 * its branches and loop bodies read.
 */
#include "onnx_importer.h"

#include <string.h>

enum mark { UNSEEN, OPEN, DONE };
struct visit {
    uint32_t node;
    size_t next;
};

/* Operands, then what is captured; NULL where an operand is absent. */
static const struct onnx_symbol *dependency(const struct onnx_node *n, size_t i)
{
    return i < n->proto->n_input ? n->in[i] : n->captured[i - n->proto->n_input];
}

/* The node on which the next operand of v waits, or UINT32_MAX when there is no more. */
static uint32_t next_needed(const struct onnx_scope *s, struct visit *v, const uint8_t *marks)
{
    const struct onnx_node *n = &s->nodes[v->node];
    while (v->next < n->proto->n_input + n->n_captured) {
        const struct onnx_symbol *d = dependency(n, v->next++);
        bool captured = v->next > n->proto->n_input;
        if (!d || !d->node || d->node->scope != s || (captured && d->node == n))
            continue; /* a name of the node's own bodies, which hides its result */
        if (marks[d->node->index] != DONE)
            return d->node->index;
    }
    return UINT32_MAX;
}

static bool report_cycle(const struct onnx_scope *s, const struct visit *stack, size_t depth,
                         uint32_t again)
{
    struct text t = {0};
    size_t from = depth;
    while (from > 0 && stack[from - 1].node != again)
        from--;
    for (size_t i = from ? from - 1 : 0; i < depth; i++)
        text_add(&t, "'%s' <- ", s->nodes[stack[i].node].name);
    diag_error(s->im->diag, s->nodes[again].loc, DIAG_ONNX_MODEL, "the nodes form a cycle: %s'%s'",
               t.at, s->nodes[again].name);
    text_free(&t);
    return false;
}

/* Depth-first from each node in file order, with a stack of our own: a chain may be long. */
bool onnx_order_nodes(struct onnx_scope *s)
{
    size_t n = s->body->n_nodes, n_ordered = 0;
    uint8_t *marks = ARENA_ARRAY(s->im->arena, uint8_t, n);
    struct visit *stack = ARENA_ARRAY(s->im->arena, struct visit, n);
    s->order = ARENA_ARRAY(s->im->arena, uint32_t, n);
    for (uint32_t root = 0; root < n; root++) {
        size_t depth = 0;
        if (marks[root] == UNSEEN) {
            stack[depth++] = (struct visit){root, 0};
            marks[root] = OPEN;
        }
        while (depth) {
            struct visit *top = &stack[depth - 1];
            uint32_t needed = next_needed(s, top, marks);
            if (needed == UINT32_MAX) {
                marks[top->node] = DONE;
                s->order[n_ordered++] = top->node;
                depth--;
                continue;
            }
            if (marks[needed] == OPEN)
                return report_cycle(s, stack, depth, needed);
            marks[needed] = OPEN;
            stack[depth++] = (struct visit){needed, 0};
        }
    }
    return true;
}
