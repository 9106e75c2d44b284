/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * print_plan.c - the plan as text: nodes, groups, cells, tasks in order of L with what they wait
 * for, buffers with their rings. For people, and for tests of each stage. BACKEND.md has the form.
 */
#include "plan.h"

#include <inttypes.h>

static void add_value(struct text *out, const struct ir_op *op)
{
    text_add(out, "%%%u", op->id);
    if (*op->name)
        text_add(out, " '%s'", op->name);
}

/* [0,4) x [0,3) x [2,5): rows, columns, channels. */
static void add_box(struct text *out, const struct box *b)
{
    for (int a = 0; a < 3; a++)
        text_add(out, "%s[%d,%d)", a ? " x " : "", b->lo[a], b->hi[a]);
}

/* ---- nodes ---- */

static void print_node(const struct plan *p, uint32_t i, struct text *out)
{
    static const char *const names[] = {
#define NODE(name, task) #name,
#include "nodes.def"
#undef NODE
    };
    const struct node *n = &p->nodes->at[i];
    text_add(out, "  n%u %s ", i, names[n->kind]);
    add_value(out, n->out);
    text_add(out, ": %d x %d x %d", n->dim[0], n->dim[1], n->dim[2]);
    for (unsigned k = 0; k < n->n_operands; k++) {
        text_add(out, k ? ", " : " reads ");
        add_value(out, n->operand[k].value);
    }
    const struct isa_program_entry *program = &n->lanes.program;
    for (unsigned k = 0; k < program->n_ops; k++)
        text_add(out, "%s%s", k ? ", " : " program ", isa_lane_name(program->ops[k].op));
    text_add(out, "\n");
}

/* Values that are made of other nodes' values: concat, slice. */
static void print_parts(const struct plan *p, const struct ir_op *op, struct text *out)
{
    const struct value_parts *v = parts_of(p->nodes, op);
    if (v->n == 0 || p->nodes->node_of[op->id] != NONE)
        return;
    text_add(out, "  ");
    add_value(out, op);
    for (uint32_t i = 0; i < v->n; i++) {
        text_add(out, i ? "; n%u " : " is n%u ", v->part[i].node);
        struct box from = box_shift(&v->part[i].where, v->part[i].shift, -1);
        add_box(out, &from);
    }
    text_add(out, "\n");
}

/* ---- groups ---- */

static void print_group(const struct plan *p, uint32_t i, struct text *out)
{
    const struct group *g = &p->segment->group[i];
    const struct layer *l = &p->segment->layer[g->layer];
    text_add(out, "  g%u n%u copy %u of %u: tile %u PEs [%u,%u)", i, l->node, g->copy, l->n_copies,
             g->tile, g->first_pe, g->first_pe + g->n_pes);
    if (g->owner != i)
        text_add(out, " of g%u", g->owner);
    if (ir_mapping_has_patch(&l->mapping))
        text_add(out, " patch %ld x %ld", (long)l->mapping.patch[0], (long)l->mapping.patch[1]);
    for (uint32_t c = 0; c < g->n_columns; c++)
        text_add(out, "%s block %u slices [%u,%u)", c ? "," : "", g->column[c].ph, g->column[c].pv0,
                 g->column[c].pv1);
    text_add(out, "\n");
}

/* ---- cells ---- */

static void print_cells(const struct plan *p, uint32_t node, struct text *out)
{
    static const char *const axes[] = {"rows", "columns", "channels"};
    const struct node_cells *c = &p->cells->of[node];
    text_add(out, "  n%u", node);
    for (int a = 0; a < 3; a++) {
        text_add(out, " %s", axes[a]);
        for (uint32_t i = 0; i <= c->grid[a].n; i++)
            text_add(out, " %d", c->grid[a].at[i]);
    }
    text_add(out, ":");
    for (uint32_t first = 0, next; first < c->n; first = next) {
        for (next = first; next < c->n && c->home[next] == c->home[first]; next++)
            ;
        text_add(out, "%s cells [%u,%u) on tile %u", first ? "," : "", first, next, c->home[first]);
    }
    text_add(out, "\n");
}

/* ---- tasks ---- */

static void add_queue(const struct task *t, struct text *out)
{
    static const char *const units[] = {"group", "vector", "network", "dram", "none"};
    enum task_unit unit = task_kinds[t->kind].unit;
    text_add(out, " tile %u %s", t->tile, units[unit]);
    if (unit == QUEUE_GROUP)
        text_add(out, " g%u", t->mvm.group);
}

/* Where what a message carries goes. */
static void add_targets(const struct plan *p, const struct task *t, struct text *out)
{
    struct accesses acc = {0};
    task_accesses(p, t, &acc);
    for (size_t i = 0; i < acc.v.n; i++)
        if (acc.v.at[i].write)
            text_add(out, " to b%u", acc.v.at[i].buffer);
    VEC_FREE(&acc.v);
}

static void add_waits(const struct plan *p, uint32_t id, struct text *out)
{
    const struct task *t = &p->tasks->tasks.at[id];
    uint32_t asked_by = p->schedule->asked_by[id];
    if (t->kind == TASK_barrier) { /* the same many on each tile */
        text_add(out, "after all its cells");
        return;
    }
    for (uint32_t i = 0; i < t->n_preds; i++)
        text_add(out, "%st%u", i ? " " : " after ", p->tasks->preds.at[t->preds + i]);
    if (asked_by != NONE)
        text_add(out, " asked after t%u", asked_by);
}

static void print_task(const struct plan *p, uint32_t id, struct text *out)
{
    const struct task *t = &p->tasks->tasks.at[id];
    text_add(out, "  t%u %s", id, task_kinds[t->kind].name);
    add_queue(t, out);
    text_add(out, " n%u ", t->node);
    if (t->kind != TASK_barrier) {
        struct box box = task_box(p, t);
        add_box(out, &box);
    }
    if (task_is_message(t))
        add_targets(p, t, out);
    add_waits(p, id, out);
    text_add(out, ": %" PRIu64 "..%" PRIu64, p->schedule->start[id], p->schedule->end[id]);
    if (schedule_repeats(p->schedule))
        text_add(out, " stage %u", p->schedule->stage[id]);
    text_add(out, "\n");
}

/* ---- buffers ---- */

static void print_buffer(const struct plan *p, uint32_t i, struct text *out)
{
    const struct buffer *b = &p->tasks->buffers.at[i];
    const struct storage *s = &p->memory->of[i];
    text_add(out, "  b%u tile %u %s ", i, b->tile,
             b->constant ? "constant"
             : b->value  ? "value"
                         : "sums of");
    add_value(out, b->shows);
    text_add(out, " ");
    add_box(out, &b->held);
    text_add(out, " ring %u: %" PRIu64 " bytes at %" PRIu64 "\n", s->ring, s->bytes, s->base);
}

const char *plan_print(const struct plan *p, struct arena *a)
{
    struct text out = {0};
    text_add(&out, "nodes\n");
    for (uint32_t i = 0; i < p->nodes->n; i++)
        print_node(p, i, &out);
    for (uint32_t i = 0; i < p->nodes->n_ops; i++)
        print_parts(p, p->nodes->ops[i], &out);
    text_add(&out, "groups\n");
    for (uint32_t i = 0; i < p->segment->n_groups; i++)
        print_group(p, i, &out);
    text_add(&out, "cells\n");
    for (uint32_t i = 0; i < p->nodes->n; i++)
        if (node_is_made(&p->nodes->at[i]))
            print_cells(p, i, &out);
    text_add(&out, "tasks");
    if (schedule_repeats(p->schedule))
        text_add(&out, " of a frame each %" PRIu64 " cycles", p->schedule->interval);
    text_add(&out, "\n");
    for (uint32_t i = 0; i < p->schedule->n; i++)
        print_task(p, p->schedule->order[i], &out);
    text_add(&out, "buffers\n");
    for (uint32_t i = 0; i < p->tasks->buffers.n; i++)
        print_buffer(p, i, &out);
    const char *kept = arena_strndup(a, out.at, out.n);
    text_free(&out);
    return kept;
}
