/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * work.c - what work a task is: the outline of the instruction it is printed as, priced as
 * instructions are (isa_work), so that scheduler and simulator cannot differ.
 */
#include "plan.h"

const struct task_kind_info task_kinds[] = {
#define TASK(name, inst, unit, work) {#name, ISA_##inst, QUEUE_##unit, work},
#include "tasks.def"
#undef TASK
};

/* Links to the farthest tile that the message goes to. */
static uint32_t message_hops(const struct plan *p, const struct tile_grid *grid,
                             const struct task *t)
{
    const struct delivery *d = &p->tasks->delivery[t->node];
    if (t->kind == TASK_partial)
        return tile_grid_hops(grid, t->tile, p->cells->of[t->node].home[t->cell]);
    struct tile_reach reach = {0};
    uint32_t link = NONE;
    for (const struct target *to; (to = next_target(d, t->send.class, t->cell, &link));)
        tile_reach_add(grid, &reach, p->tasks->buffers.at[to->buffer].tile);
    return tile_reach_hops(grid, t->tile, &reach);
}

static void set_extent(struct isa_outline *o, const struct box *b)
{
    o->h = (uint32_t)(b->hi[0] - b->lo[0]);
    o->w = (uint32_t)(b->hi[1] - b->lo[1]);
    o->channels = (uint32_t)(b->hi[2] - b->lo[2]);
}

static void outline_program(const struct plan *p, const struct task *t, struct isa_outline *o)
{
    struct lanes lanes;
    task_program(p, t, &lanes);
    o->n_lane_ops = lanes.program.n_ops;
    o->reads_b = lanes.program.arity == 2;
}

/* On PEs of which the fullest holds so many columns of the layer's matrix. */
static void outline_mvm(const struct plan *p, const struct layer *l, int64_t columns,
                        struct isa_outline *o)
{
    const struct ir_attrs_mvm *m = &p->nodes->at[l->node].root->attrs->mvm;
    for (int a = 0; a < 2; a++)
        o->patch[a] = (uint32_t)l->mapping.patch[a];
    o->x_bits = (uint32_t)m->x_bits;
    o->columns = (uint64_t)(columns * arch_weight_columns(p->arch, m->weight_bits));
}

struct cost_work layer_work(const struct plan *p, const struct layer *l)
{
    const int32_t *dim = p->nodes->at[l->node].dim;
    struct isa_outline o = {.op = ISA_mvm, .h = (uint32_t)dim[0], .w = (uint32_t)dim[1]};
    outline_mvm(p, l, ir_mapping_most_columns(&l->mapping), &o);
    return isa_work(&o);
}

struct isa_outline task_outline(const struct plan *p, const struct tile_grid *grid,
                                const struct task *t, struct isa_window *window)
{
    const struct node *n = task_node(p, t);
    struct isa_outline o = {.op = task_kinds[t->kind].op};
    struct box box = task_box(p, t);
    switch ((enum task_kind)t->kind) {
    case TASK_sum:
    case TASK_finish:
    case TASK_map:
    case TASK_copy: outline_program(p, t, &o); break;
    case TASK_window:
        *window = node_window(n);
        o.window = window;
        break;
    case TASK_dot: o.n_products = (uint32_t)n->operand[0].map[AXIS_C].extent; break;
    case TASK_reduce: box = read_box(n->operand[0].map, &box); break;
    case TASK_partial:
    case TASK_send:
        o.hops = message_hops(p, grid, t);
        o.element = value_element(t->kind == TASK_send ? n->out : n->root);
        break;
    case TASK_load: o.element = port_element(n->root); break;
    case TASK_store: o.element = port_element(p->tasks->stores.at[t->store.output].output); break;
    case TASK_mvm:
        outline_mvm(p, node_layer(p, t->node),
                    group_most_columns(p->segment, &p->segment->group[t->mvm.group]), &o);
        break;
    case TASK_gather:
    case TASK_take:
    case TASK_barrier: break;
    }
    set_extent(&o, &box);
    return o;
}

struct cost_work task_work(const struct plan *p, const struct tile_grid *grid, const struct task *t)
{
    struct isa_window window;
    struct isa_outline o = task_outline(p, grid, t, &window);
    return isa_work(&o);
}

uint32_t task_source(const struct plan *p, const struct task *t)
{
    const struct node *n = task_node(p, t);
    if (t->kind == TASK_store)
        return p->tasks->stores.at[t->store.output].output->id;
    bool products = t->kind == TASK_mvm || t->kind == TASK_partial || task_adds_on(p, t);
    return products ? n->root->id : n->out->id;
}
