/*
 * access.c - which buffers a task reads and writes. One description serves ring sizes, waits and
 * operands.
 */
#include "backend_internal.h"

#include <string.h>

static void add(struct accesses *out, uint32_t buffer, struct box box, bool write, uint32_t part)
{
    struct rows rows = {0};
    if (!box_empty(&box)) /* a window may lie wholly in the padding */
        rows = (struct rows){box.lo[0], box.hi[0]};
    VEC_PUSH(&out->v, ((struct access){buffer, box, rows, write, part}));
}

/* A read whose task waits for cells that hold more rows than it reads. */
static void add_read(const struct plan *p, struct accesses *out, uint32_t buffer, struct box box,
                     struct rows awaited)
{
    const struct box *held = &p->buffers.at[buffer].held;
    add(out, buffer, box_intersect(&box, held), false, NONE);
    awaited.lo = awaited.lo > held->lo[0] ? awaited.lo : held->lo[0];
    awaited.hi = awaited.hi < held->hi[0] ? awaited.hi : held->hi[0];
    if (awaited.lo < awaited.hi)
        rows_include(&out->v.at[out->v.n - 1].rows, awaited);
}

struct box task_box(const struct plan *p, const struct task *t)
{
    const struct node *n = &p->nodes.at[t->node];
    struct box box;
    switch ((enum task_kind)t->kind) {
    case TASK_mvm: {
        box = node_cell_box(n, t->cell);
        group_channels(p, &p->groups.at[t->aux], &box.lo[2], &box.hi[2]);
        return box;
    }
    case TASK_store: return p->stores.at[t->aux].where;
    case TASK_load: {
        const struct buffer *b = &p->buffers.at[t->aux];
        const struct part *part = &p->parts[b->value->id].part[t->aux2];
        box = box_intersect(&b->held, &part->where);
        box.lo[0] = t->row;
        box.hi[0] = t->row + 1;
        return box_shift(&box, part->shift, -1);
    }
    case TASK_send: {
        const struct send_class *c = &n->classes.at[t->aux];
        box = node_cell_box(n, t->cell);
        box.lo[2] = box.lo[2] > c->lo ? box.lo[2] : c->lo;
        box.hi[2] = box.hi[2] < c->hi ? box.hi[2] : c->hi;
        return box;
    }
    default: return node_cell_box(n, t->cell);
    }
}

static void mvm_accesses(const struct plan *p, const struct task *t, const struct box *box,
                         struct accesses *out)
{
    const struct group *g = &p->groups.at[t->aux];
    struct box pixels = *box; /* every output channel reads the same */
    pixels.hi[2] = pixels.lo[2] + 1;
    add_read(p, out, g->source, read_box(g->map, &pixels), t->awaits[0]);
    add(out, g->acc, *box, true, NONE);
}

static const struct block *block_of(const struct plan *p, const struct task *t,
                                    const struct box *box)
{
    const struct node *n = &p->nodes.at[t->node];
    struct layer *l = &p->layers.at[n->layer];
    return &layer_copy_at(p, l, box->lo[0], box->lo[1])->block[t->cell % n->grid[2].n];
}

/* Epilogues and additions of partial sums. */
static void sum_accesses(const struct plan *p, const struct task *t, const struct box *box,
                         struct accesses *out)
{
    const struct node *n = &p->nodes.at[t->node];
    const struct block *b = block_of(p, t, box);
    uint32_t own = p->groups.at[b->contributor[0].group].acc;
    bool last = t->kind == TASK_finish || t->step + 1u == b->n_contributors;
    add(out, t->kind == TASK_finish || t->step == 1 ? own : b->sums[t->step - 1], *box, false,
        NONE);
    if (t->kind == TASK_sum)
        add(out, b->contributor[t->step].landing, *box, false, NONE);
    add(out, last ? plan_find_buffer(p, t->tile, n->out) : b->sums[t->step], *box, true, NONE);
}

static void send_accesses(const struct plan *p, const struct task *t, const struct box *box,
                          struct accesses *out)
{
    const struct node *n = &p->nodes.at[t->node];
    add(out, plan_find_buffer(p, t->tile, n->out), *box, false, NONE);
    for (uint32_t i = 0; i < n->targets.n; i++) {
        const struct target *target = &n->targets.at[i];
        if (!node_sends(n, t->cell, i) || target->class != t->aux)
            continue;
        const struct buffer *b = &p->buffers.at[target->buffer];
        const struct part *part = &p->parts[b->value->id].part[target->part];
        struct box there = box_shift(box, part->shift, 1);
        there = box_intersect(&there, &part->where);
        there = box_intersect(&there, &b->held);
        add(out, target->buffer, there, true, target->part);
    }
}

static void derived_accesses(const struct plan *p, const struct task *t, const struct box *box,
                             struct accesses *out)
{
    const struct node *n = &p->nodes.at[t->node];
    for (unsigned i = 0; i < n->n_operands; i++) {
        uint32_t b = plan_find_buffer(p, t->tile, n->operand[i].value);
        add_read(p, out, b, read_box(n->operand[i].map, box), t->awaits[i]);
    }
    add(out, plan_find_buffer(p, t->tile, n->out), *box, true, NONE);
}

void task_accesses(const struct plan *p, const struct task *t, struct accesses *out)
{
    out->v.n = 0;
    if (t->kind == TASK_barrier)
        return;
    struct box box = task_box(p, t);
    switch ((enum task_kind)t->kind) {
    case TASK_mvm: mvm_accesses(p, t, &box, out); break;
    case TASK_partial: {
        add(out, p->groups.at[t->aux].acc, box, false, NONE);
        add(out, block_of(p, t, &box)->contributor[t->step].landing, box, true, NONE);
        break;
    }
    case TASK_sum:
    case TASK_finish: sum_accesses(p, t, &box, out); break;
    case TASK_map:
    case TASK_window:
    case TASK_reduce:
    case TASK_gather:
    case TASK_copy: derived_accesses(p, t, &box, out); break;
    case TASK_send: send_accesses(p, t, &box, out); break;
    case TASK_load: {
        const struct part *part = &p->parts[p->buffers.at[t->aux].value->id].part[t->aux2];
        add(out, t->aux, box_shift(&box, part->shift, 1), true, t->aux2);
        break;
    }
    case TASK_store: {
        const struct output_store *s = &p->stores.at[t->aux];
        const struct buffer *b = &p->buffers.at[s->buffer];
        bool moved =
            b->value == s->output->in[0].value->def && p->nodes.at[t->node].out != b->value;
        add_read(p, out, s->buffer, moved ? box_shift(&box, s->shift, 1) : box, t->awaits[0]);
        break;
    }
    case TASK_barrier: break;
    }
}

void task_program(const struct plan *p, const struct task *t, struct isa_program_entry *out)
{
    const struct node *n = &p->nodes.at[t->node];
    *out = (struct isa_program_entry){.arity = 1};
    bool last = true;
    if (t->kind == TASK_sum) {
        struct box box = task_box(p, t);
        last = t->step + 1u == block_of(p, t, &box)->n_contributors;
        out->arity = 2;
        out->ops[out->n_ops++] = (struct isa_lane){LANE_ADD, LANE_A, LANE_B, 0.0f};
    }
    if (n->kind == NODE_MAP)
        out->arity = n->program.arity;
    uint8_t shift = (uint8_t)out->n_ops;
    for (unsigned i = 0; last && i < n->program.n_ops; i++) {
        struct isa_lane op = n->program.ops[i];
        uint8_t *code[2] = {&op.x, &op.y};
        for (int k = 0; k < 2; k++)
            if (shift && *code[k] == LANE_A)
                *code[k] = (uint8_t)(shift - 1); /* the sum takes the place of operand a */
            else if (*code[k] < 16 && (k == 0 || isa_lane_arity(op.op) == 2))
                *code[k] = (uint8_t)(*code[k] + shift);
        out->ops[out->n_ops++] = op;
    }
    if (out->n_ops == 0)
        out->ops[out->n_ops++] = (struct isa_lane){LANE_MOV, LANE_A, 0, 0.0f};
}
