/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* node_facts.c - what follows from one node or operand alone: windows, boxes read, names. */
#include "nodes.h"

struct isa_window node_window(const struct node *n)
{
    static const struct {
        enum ir_opcode op;
        enum isa_window_kind kind;
    } kinds[] = {{IR_max_pool, WINDOW_MAX}, {IR_overlap_add, WINDOW_OVERLAP}};
    const struct axis_map *m = n->operand[0].map;
    struct isa_window w = {.kind = WINDOW_AVERAGE, .pad_top = m[0].pad, .pad_left = m[1].pad};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (n->root->opcode == kinds[i].op)
            w.kind = kinds[i].kind;
    for (int i = 0; i < 2; i++) {
        bool all = m[i].kind == MAP_ALL; /* global pooling */
        w.kernel[i] = (uint32_t)(all ? m[i].extent : m[i].kernel);
        w.stride[i] = all ? 1 : (uint32_t)m[i].stride;
        w.dilation[i] = all ? 1 : (uint32_t)m[i].dilation;
    }
    if (n->root->opcode == IR_avg_pool && n->root->attrs->avg_pool.count_pad)
        for (int i = 0; i < 4; i++)
            w.counted[i] = (uint32_t)n->root->attrs->avg_pool.counted[i];
    return w;
}

struct box read_box(const struct axis_map map[3], const struct box *out)
{
    struct box b;
    for (int a = 0; a < 3; a++) {
        int32_t first, last;
        bool any = need_range(&map[a], out->lo[a], out->hi[a], &first, &last);
        b.lo[a] = any ? first : 0;
        b.hi[a] = any ? last + 1 : 0;
    }
    return b;
}

enum element port_element(const struct ir_op *port)
{
    return ir_dtype_element(port->opcode == IR_output ? port->attrs->output.dtype
                                                      : port->attrs->input.dtype);
}

const char *op_title(const struct ir_op *op, struct arena *a)
{
    return *op->name ? arena_strdup(a, op->name)
                     : arena_printf(a, "(%s)", ir_op_descs[op->opcode].name);
}
