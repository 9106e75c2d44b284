/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * access.c - which buffers a task reads and writes. One description serves ring sizes, waits and
 * operands.
 */
#include "plan.h"

#include <string.h>

static void add(struct accesses *out, uint32_t buffer, struct box box, bool write, uint32_t part)
{
    struct rows rows = {0};
    if (!box_empty(&box)) /* a window may lie wholly in the padding */
        rows = (struct rows){box.lo[0], box.hi[0]};
    bool next = part != NONE && part & STATE_PART;
    VEC_PUSH(&out->v, ((struct access){buffer, box, rows, write, next, part}));
}

/* A read whose task waits for cells that hold more rows than it reads. */
static void add_read(const struct plan *p, struct accesses *out, uint32_t buffer, struct box box,
                     struct rows awaited)
{
    const struct box *held = &p->tasks->buffers.at[buffer].held;
    add(out, buffer, box_intersect(&box, held), false, NONE);
    awaited.lo = awaited.lo > held->lo[0] ? awaited.lo : held->lo[0];
    awaited.hi = awaited.hi < held->hi[0] ? awaited.hi : held->hi[0];
    rows_include(&out->v.at[out->v.n - 1].rows, awaited);
}

const struct part *buffer_part(const struct plan *p, const struct task_graph *g, uint32_t buffer,
                               uint32_t part)
{
    return part & STATE_PART ? &g->state_parts.at[part - STATE_PART]
                             : &parts_of(p->nodes, g->buffers.at[buffer].value)->part[part];
}

static const struct part *part_in(const struct plan *p, uint32_t buffer, uint32_t part)
{
    return buffer_part(p, p->tasks, buffer, part);
}

/* ---- boxes ---- */

static struct box box_of_cell(const struct plan *p, const struct task *t)
{
    return cell_box(&p->cells->of[t->node], t->cell);
}

static struct box box_mvm(const struct plan *p, const struct task *t)
{
    struct box box = box_of_cell(p, t);
    group_channels(p->segment, &p->segment->group[t->mvm.group], &box.lo[2], &box.hi[2]);
    return box;
}

static struct box box_send(const struct plan *p, const struct task *t)
{
    const struct send_class *c = &p->tasks->delivery[t->node].classes.at[t->send.class];
    struct box box = box_of_cell(p, t);
    box.lo[2] = box.lo[2] > c->lo ? box.lo[2] : c->lo;
    box.hi[2] = box.hi[2] < c->hi ? box.hi[2] : c->hi;
    return box;
}

static struct box box_load(const struct plan *p, const struct task *t)
{
    const struct part *part = part_in(p, t->load.buffer, t->load.part);
    struct box box = box_intersect(&p->tasks->buffers.at[t->load.buffer].held, &part->where);
    struct box piece = piece_box(p->tasks->buffers.at[t->load.buffer].dim, t->load.piece);
    box = box_intersect(&box, &piece);
    return box_shift(&box, part->shift, -1);
}

static struct box box_store(const struct plan *p, const struct task *t)
{
    return p->tasks->stores.at[t->store.output].where;
}

#define BOX_OF_CELL(kind)                                                                          \
    static struct box box_##kind(const struct plan *p, const struct task *t)                       \
    {                                                                                              \
        return box_of_cell(p, t);                                                                  \
    }
BOX_OF_CELL(partial)
BOX_OF_CELL(sum)
BOX_OF_CELL(finish)
BOX_OF_CELL(map)
BOX_OF_CELL(window)
BOX_OF_CELL(gather)
BOX_OF_CELL(take)
BOX_OF_CELL(copy)
BOX_OF_CELL(reduce)
BOX_OF_CELL(dot)
BOX_OF_CELL(barrier)

struct box task_box(const struct plan *p, const struct task *t)
{
    static struct box (*const table[])(const struct plan *, const struct task *) = {
#define TASK(name, inst, unit, work) box_##name,
#include "tasks.def"
#undef TASK
    };
    return table[t->kind](p, t);
}

/* ---- accesses ---- */

static void accesses_mvm(const struct plan *p, const struct task *t, const struct box *box,
                         struct accesses *out)
{
    const struct group_work *g = &p->tasks->group[t->mvm.group];
    struct box pixels = *box; /* every output channel reads the same */
    pixels.hi[2] = pixels.lo[2] + 1;
    add_read(p, out, g->source, read_box(g->map, &pixels), t->awaits[0]);
    add(out, g->acc, *box, true, NONE);
}

/* Of the cell of a base layer: who computes it, and where partial sums of it lie. */
struct shares {
    const struct block *block;
    const struct partial_sums *at_home;
};

static struct shares shares_of(const struct plan *p, const struct task *t)
{
    struct box box = box_of_cell(p, t);
    uint32_t layer = p->segment->layer_of[t->node], at[3];
    const struct layer *l = &p->segment->layer[layer];
    const struct copy *copy = layer_copy_at(p->nodes, l, box.lo[0], box.lo[1]);
    cell_place(&p->cells->of[t->node], t->cell, at);
    return (struct shares){&copy->block[p->cells->of[t->node].block[at[2]]],
                           &p->tasks->sums[layer][copy - l->copy][at[2]]};
}

static void accesses_partial(const struct plan *p, const struct task *t, const struct box *box,
                             struct accesses *out)
{
    struct shares s = shares_of(p, t);
    add(out, p->tasks->group[t->partial.group].acc, *box, false, NONE);
    add(out, s.at_home->landing[t->partial.contributor], *box, true, NONE);
}

/* The home's own products. */
static uint32_t own_products(const struct plan *p, const struct shares *s)
{
    return p->tasks->group[s->block->contributor[0].group].acc;
}

static void accesses_sum(const struct plan *p, const struct task *t, const struct box *box,
                         struct accesses *out)
{
    struct shares s = shares_of(p, t);
    uint32_t k = t->sum.contributor;
    bool last = k + 1 == s.block->n_contributors;
    add(out, k == 1 ? own_products(p, &s) : s.at_home->sum[k - 1], *box, false, NONE);
    add(out, s.at_home->landing[k], *box, false, NONE);
    add(out, last ? graph_buffer(p->tasks, t->tile, task_node(p, t)->out) : s.at_home->sum[k], *box,
        true, NONE);
}

static void accesses_finish(const struct plan *p, const struct task *t, const struct box *box,
                            struct accesses *out)
{
    struct shares s = shares_of(p, t);
    add(out, own_products(p, &s), *box, false, NONE);
    add(out, graph_buffer(p->tasks, t->tile, task_node(p, t)->out), *box, true, NONE);
}

static void derived_accesses(const struct plan *p, const struct task *t, const struct box *box,
                             struct accesses *out)
{
    const struct node *n = task_node(p, t);
    for (unsigned i = 0; i < n->n_operands; i++) {
        uint32_t buffer = graph_buffer(p->tasks, t->tile, n->operand[i].value);
        add_read(p, out, buffer, read_box(n->operand[i].map, box), t->awaits[i]);
    }
    add(out, graph_buffer(p->tasks, t->tile, n->out), *box, true, NONE);
}

#define DERIVED(kind)                                                                              \
    static void accesses_##kind(const struct plan *p, const struct task *t, const struct box *box, \
                                struct accesses *out)                                              \
    {                                                                                              \
        derived_accesses(p, t, box, out);                                                          \
    }
DERIVED(map)
DERIVED(window)
DERIVED(gather)
DERIVED(take)
DERIVED(copy)
DERIVED(reduce)
DERIVED(dot)

static void accesses_send(const struct plan *p, const struct task *t, const struct box *box,
                          struct accesses *out)
{
    const struct delivery *d = &p->tasks->delivery[t->node];
    add(out, graph_buffer(p->tasks, t->tile, task_node(p, t)->out), *box, false, NONE);
    uint32_t link = NONE;
    for (const struct target *target; (target = next_target(d, t->send.class, t->cell, &link));) {
        const struct part *part = part_in(p, target->buffer, target->part);
        struct box there = box_shift(box, part->shift, 1);
        there = box_intersect(&there, &part->where);
        there = box_intersect(&there, &p->tasks->buffers.at[target->buffer].held);
        add(out, target->buffer, there, true, target->part);
    }
}

static void accesses_load(const struct plan *p, const struct task *t, const struct box *box,
                          struct accesses *out)
{
    const struct part *part = part_in(p, t->load.buffer, t->load.part);
    add(out, t->load.buffer, box_shift(box, part->shift, 1), true, t->load.part);
}

static void accesses_store(const struct plan *p, const struct task *t, const struct box *box,
                           struct accesses *out)
{
    const struct output_store *s = &p->tasks->stores.at[t->store.output];
    const struct ir_op *value = p->tasks->buffers.at[s->buffer].value;
    bool moved = value == s->output->in[0].value->def && task_node(p, t)->out != value;
    add_read(p, out, s->buffer, moved ? box_shift(box, s->shift, 1) : *box, t->awaits[0]);
}

static void accesses_barrier(const struct plan *p, const struct task *t, const struct box *box,
                             struct accesses *out)
{
    (void)p, (void)t, (void)box, (void)out; /* none */
}

void task_accesses(const struct plan *p, const struct task *t, struct accesses *out)
{
    static void (*const table[])(const struct plan *, const struct task *, const struct box *,
                                 struct accesses *) = {
#define TASK(name, inst, unit, work) accesses_##name,
#include "tasks.def"
#undef TASK
    };
    struct box box = task_box(p, t);
    out->v.n = 0;
    table[t->kind](p, t, &box, out);
}

/* ---- programs ---- */

bool task_adds_on(const struct plan *p, const struct task *t)
{
    return t->kind == TASK_sum && t->sum.contributor + 1 < shares_of(p, t).block->n_contributors;
}

void task_program(const struct plan *p, const struct task *t, struct lanes *out)
{
    const struct node *n = task_node(p, t);
    uint8_t operand[2] = {LANE_A, LANE_B};
    *out = lanes_new();
    if (t->kind == TASK_sum) { /* the sum takes the place of operand a */
        lanes_add_sum(out, value_element(n->root));
        operand[0] = out->result.code;
    }
    if (n->kind == NODE_map)
        out->program.arity = n->lanes.program.arity;
    if (!task_adds_on(p, t))
        lanes_join(out, &n->lanes, operand);
    lanes_copy(out);
}
