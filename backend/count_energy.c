/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * count_energy.c - what a plan's run adds to the counters of energy.h: each task as the instruction
 * that it is printed as.
 *
 * In: a finished schedule. Out: counts of the run, by operation and by tile. They are a program's
 * (isa_program_energy), which is made from the same tasks: tests compare the two.
 */
#include "plan.h"

#include <stdlib.h>

/* The MVMs of a group differ in extents alone. */
struct group_mvm {
    bool known; /* the outline, of the first of them */
    struct isa_outline outline;
    struct isa_amounts amounts;
};
struct counting {
    const struct plan *p;
    struct tile_grid grid;
    struct group_mvm *of_group;
    uint64_t rows_written; /* of crossbars */
};

static struct isa_amounts amounts_of_group(const struct plan *p, const struct group *g)
{
    const struct layer *l = &p->segment->layer[g->layer];
    const struct node *n = &p->nodes->at[l->node];
    struct isa_amounts out = {.pes = g->n_pes,
                              .weight_bits = (uint32_t)n->root->attrs->mvm.weight_bits,
                              .a = value_element(n->operand[0].value),
                              .to = value_element(n->root)};
    for (uint32_t i = 0; i < g->n_columns; i++) {
        const struct group_column *c = &g->column[i];
        int64_t lo, hi;
        ir_mapping_block(&l->mapping, c->ph, &lo, &hi);
        int64_t conv_groups = (hi - 1) / l->mapping.columns - lo / l->mapping.columns + 1;
        for (uint32_t slice = c->pv0; slice < c->pv1; slice++)
            out.inputs +=
                (uint64_t)(ir_mapping_slice_rows(&l->mapping, c->ph, slice) * conv_groups);
        out.outputs += (uint64_t)(hi - lo) * (c->pv1 - c->pv0);
    }
    return out;
}

static void amounts_of_message(const struct plan *p, const struct tile_grid *grid,
                               const struct task *t, struct isa_amounts *out)
{
    uint32_t link = NONE;
    if (t->kind == TASK_partial) {
        out->n_targets = 1;
        out->all_hops = tile_grid_hops(grid, t->tile, p->cells->of[t->node].home[t->cell]);
        return;
    }
    const struct delivery *d = &p->tasks->delivery[t->node];
    for (const struct target *to; (to = next_target(d, t->send.class, t->cell, &link));) {
        out->n_targets++;
        out->all_hops += tile_grid_hops(grid, t->tile, p->tasks->buffers.at[to->buffer].tile);
    }
}

/* Of operands and result, where the kind of task does not say it. */
static void elements_of(const struct plan *p, const struct task *t, struct isa_amounts *out)
{
    const struct node *n = task_node(p, t);
    bool products = t->kind == TASK_sum || t->kind == TASK_finish;
    out->a = value_element(products ? n->root : n->operand[0].value);
    out->to = value_element(task_adds_on(p, t) ? n->root : n->out);
    if (products)
        out->b = out->a;
    else if (n->n_operands > 1)
        out->b = value_element(n->operand[1].value);
}

static uint64_t count_results(const struct plan *p, const struct task *t)
{
    struct box b = task_box(p, t);
    uint64_t n = 1;
    for (int axis = 0; axis < 3; axis++)
        n *= (uint64_t)(b.hi[axis] - b.lo[axis]);
    return n;
}

static struct energy_counts mvm_counts(const struct counting *k, const struct task *t)
{
    struct group_mvm *g = &k->of_group[t->mvm.group];
    struct box b = cell_box(&k->p->cells->of[t->node], t->cell);
    if (!g->known)
        g->outline = task_outline(k->p, &k->grid, t, NULL);
    g->known = true;
    g->outline.h = (uint32_t)(b.hi[0] - b.lo[0]);
    g->outline.w = (uint32_t)(b.hi[1] - b.lo[1]);
    return isa_counts(k->p->arch, &g->outline, &g->amounts);
}

static struct energy_counts task_counts(const struct counting *k, const struct task *t)
{
    const struct plan *p = k->p;
    struct isa_window window;
    struct isa_amounts m = {0};
    switch ((enum task_kind)t->kind) {
    case TASK_barrier: return (struct energy_counts){0};
    case TASK_mvm: return mvm_counts(k, t);
    case TASK_partial:
    case TASK_send: amounts_of_message(p, &k->grid, t, &m); break;
    case TASK_load: m.to = p->tasks->buffers.at[t->load.buffer].element; break;
    case TASK_store:
        m.a = p->tasks->buffers.at[p->tasks->stores.at[t->store.output].buffer].element;
        break;
    case TASK_reduce: m.results = count_results(p, t); /* fall through */
    default: elements_of(p, t, &m);
    }
    struct isa_outline o = task_outline(p, &k->grid, t, &window);
    return isa_counts(p->arch, &o, &m);
}

/* Of the run's frames, those in which the task is done. */
static uint64_t task_times(const struct plan *p, const struct task *t)
{
    uint32_t frames = p->options->frames;
    return frames && !task_is_of_one_frame(p, t) ? frames : 1;
}

static struct counting begin(const struct plan *p)
{
    struct counting k = {.p = p, .grid = tile_grid_of(p->arch, p->segment->n_tiles)};
    k.of_group = heap_alloc((p->segment->n_groups + 1) * sizeof *k.of_group);
    for (uint32_t i = 0; i < p->segment->n_groups; i++) {
        k.of_group[i].amounts = amounts_of_group(p, &p->segment->group[i]);
        if (p->segment->group[i].owner == i)
            k.rows_written += k.of_group[i].amounts.inputs * (uint64_t)arch_input_rows(p->arch);
    }
    return k;
}

struct isa_energy plan_energy(const struct plan *p, struct arena *a)
{
    uint32_t frames = p->options->frames ? p->options->frames : 1;
    struct isa_energy e = isa_energy_new(p->nodes->n_ops, p->segment->n_tiles, frames, a);
    struct counting k = begin(p);
    e.rows_written = k.rows_written;
    for (uint32_t i = 0; i < p->tasks->tasks.n; i++) {
        const struct task *t = &p->tasks->tasks.at[i];
        if (!schedule_has(p->schedule, i))
            continue;
        struct energy_counts c = task_counts(&k, t);
        isa_energy_add(&e, t->tile, task_source(p, t), task_times(p, t), &c);
    }
    heap_free(k.of_group);
    isa_energy_sum_up(&e);
    return e;
}
