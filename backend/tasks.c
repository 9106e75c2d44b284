/*
 * tasks.c - the task graph: one task an instruction, with every data dependency.
 *
 * Nodes are taken in list order, so a predecessor always exists before its successors. Space (ring
 * slots, accumulators) puts no edges here: memplan.c sizes buffers from the schedule so that they
 * never delay it.
 */
#include "backend_internal.h"

#include <stdlib.h>
#include <string.h>

struct builder {
    struct plan *p;
    uint32_t reader;   /* serial number of whoever asks for cells */
    uint32_t *barrier; /* layer by layer, per tile: the task that says the layer before has ended */
};

void group_channels(const struct plan *p, const struct group *g, int32_t *lo, int32_t *hi)
{
    const struct layer *l = &p->layers.at[g->layer];
    int64_t first, last, unused;
    ir_mapping_channels(&l->mapping, g->column[0].ph, &first, &unused);
    ir_mapping_channels(&l->mapping, g->column[g->n_columns - 1].ph, &unused, &last);
    *lo = (int32_t)first;
    *hi = (int32_t)last;
}

struct box group_taps(const struct plan *p, const struct group *g)
{
    const struct ir_mapping *m = &p->layers.at[g->layer].mapping;
    struct box b = {{0}, {0}}, taps;
    for (uint32_t i = 0; i < g->n_columns; i++) {
        int64_t lo[3], hi[3];
        ir_mapping_taps(m, g->column[i].ph, g->column[i].pv0, g->column[i].pv1, lo, hi);
        for (int a = 0; a < 3; a++) {
            taps.lo[a] = (int32_t)lo[a];
            taps.hi[a] = (int32_t)hi[a];
        }
        box_include(&b, &taps);
    }
    return b;
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

/* A buffer that is read holds all channels, also where a window sees nothing but padding: what
 * messages carry does not depend on who reads what. */
static void hold(struct plan *p, uint32_t buffer, struct box read)
{
    struct buffer *b = &p->buffers.at[buffer];
    read.lo[2] = 0;
    read.hi[2] = b->dim[2];
    box_include(&b->held, &read);
    if (!box_empty(&b->held)) {
        b->held.lo[2] = 0;
        b->held.hi[2] = b->dim[2];
    }
}

/* The part of an mvm's window that a group's taps see: same maps, fewer taps. */
static void find_maps(const struct plan *p, struct group *g)
{
    const struct node *n = &p->nodes.at[p->layers.at[g->layer].node];
    struct box taps = group_taps(p, g);
    for (int a = 0; a < 2; a++) {
        g->map[a] = n->operand[0].map[a];
        g->map[a].pad -= taps.lo[a] * g->map[a].dilation;
        g->map[a].kernel = taps.hi[a] - taps.lo[a];
    }
    /* Every output reads the same channels. PEs of a layer work together, so of a grouped
     * convolution each PE waits for what all conv groups read. */
    int32_t extent = n->operand[0].map[2].extent;
    bool grouped = p->layers.at[g->layer].mapping.groups > 1;
    g->map[2] = (struct axis_map){.kind = MAP_WINDOW,
                                  .kernel = grouped ? extent : taps.hi[2] - taps.lo[2],
                                  .stride = 0,
                                  .dilation = 1,
                                  .pad = grouped ? 0 : -taps.lo[2],
                                  .extent = extent};
}

/* Serial numbers for one reader: one for each part of what it reads. */
static uint32_t next_reader(struct builder *b, const struct operand *o)
{
    uint32_t first = b->reader + 1;
    b->reader += b->p->parts[o->value->id].n;
    return first;
}

static void group_tasks(struct builder *b, uint32_t gi)
{
    struct plan *p = b->p;
    struct group *g = &p->groups.at[gi];
    struct group *owner = &p->groups.at[g->owner];
    const struct layer *l = &p->layers.at[g->layer];
    const struct copy *c = &l->copy[g->copy];
    const struct node *n = &p->nodes.at[l->node];
    const struct operand *o = &n->operand[0];
    struct box acc = c->rect;
    find_maps(p, g);
    group_channels(p, g, &acc.lo[2], &acc.hi[2]);
    g->acc = plan_new_buffer(p, g->tile, n->root, n->dim, &acc);
    g->source = plan_buffer(p, g->tile, o->value);
    struct box one_channel = c->rect;
    one_channel.hi[2] = one_channel.lo[2] + 1;
    hold(p, g->source, read_box(g->map, &one_channel));

    int32_t channel_cut[2] = {0, 1};
    const uint32_t counts[3] = {c->sets_y, c->sets_x, 1};
    int32_t *const cuts[3] = {n->grid[0].at + c->iy0, n->grid[1].at + c->ix0, channel_cut};
    struct reads *r = plan_reads(p, o, counts, cuts, g->map);
    uint32_t reader = next_reader(b, o);
    g->mvm = ARENA_ARRAY(p->arena, uint32_t, c->n_sets);
    for (uint32_t s = 0; s < c->n_sets; s++) {
        struct task t = {.kind = TASK_mvm, .tile = g->tile, .node = l->node, .aux = gi};
        t.cell = node_cell(n, c->iy0 + s / c->sets_x, c->ix0 + s % c->sets_x, 0);
        t.pred0 = s                             ? g->mvm[s - 1]
                  : b->barrier[g->tile] != NONE ? b->barrier[g->tile]
                                                : owner->last_mvm;
        size_t first_pred = p->preds.n;
        const uint32_t at[3] = {s / c->sets_x, s % c->sets_x, 0};
        t.awaits[0] = plan_add_reads(p, o, r, at, g->source, reader);
        g->mvm[s] = plan_add_task(p, t, first_pred);
    }
    owner->last_mvm = g->mvm[c->n_sets - 1];
}

/* Buffers at the home for what other groups contribute, and for the running sums. */
static void partial_buffers(struct plan *p, struct node *n, struct layer *l)
{
    for (uint32_t c = 0; c < l->n_copies; c++)
        for (uint32_t z = 0; z < n->grid[2].n; z++) {
            struct block *block = &l->copy[c].block[z];
            struct box held = l->copy[c].rect;
            held.lo[2] = n->grid[2].at[z];
            held.hi[2] = n->grid[2].at[z + 1];
            uint32_t home = p->groups.at[block->contributor[0].group].tile;
            struct contributor *own = block->contributor;
            /* blocks were joined by copying: each keeps contributors of its own from here on */
            block->contributor = ARENA_ARRAY(p->arena, struct contributor, block->n_contributors);
            memcpy(block->contributor, own, block->n_contributors * sizeof *own);
            block->sums = ARENA_ARRAY(p->arena, uint32_t, block->n_contributors);
            for (uint32_t k = 1; k < block->n_contributors; k++) {
                block->contributor[k].landing = plan_new_buffer(p, home, n->root, n->dim, &held);
                if (k + 1 < block->n_contributors)
                    block->sums[k] = plan_new_buffer(p, home, n->root, n->dim, &held);
            }
        }
}

/* Partial sums of one cell to its home, added in ascending slice order, then the epilogue. */
static uint32_t finish_cell(struct plan *p, uint32_t ni, uint32_t cell, uint32_t set,
                            const struct block *block)
{
    uint32_t home = p->nodes.at[ni].home[cell], none = (uint32_t)p->preds.n;
    uint32_t done = p->groups.at[block->contributor[0].group].mvm[set];
    struct task t = {.kind = TASK_finish, .tile = home, .node = ni, .cell = cell, .pred0 = done};
    if (block->n_contributors == 1)
        return plan_add_task(p, t, none);
    for (uint32_t k = 1; k < block->n_contributors; k++) {
        const struct group *from = &p->groups.at[block->contributor[k].group];
        struct task send = {.kind = TASK_partial,
                            .tile = from->tile,
                            .node = ni,
                            .cell = cell,
                            .step = (uint16_t)k,
                            .aux = block->contributor[k].group,
                            .pred0 = from->mvm[set]};
        uint32_t sent = plan_add_task(p, send, p->preds.n);
        t.kind = TASK_sum;
        t.step = (uint16_t)k;
        t.pred0 = done;
        size_t first_pred = p->preds.n;
        VEC_PUSH(&p->preds, sent);
        done = plan_add_task(p, t, first_pred);
    }
    return done;
}

static void begin_cells(struct plan *p, struct node *n)
{
    n->done = ARENA_ARRAY(p->arena, uint32_t, n->n_cells);
    n->asked = ARENA_ARRAY(p->arena, uint32_t, n->n_cells);
    for (uint32_t c = 0; c < n->n_cells; c++) {
        struct box held = node_cell_box(n, c);
        uint32_t b = plan_buffer(p, n->home[c], n->out);
        box_include(&p->buffers.at[b].held, &held);
    }
}

/* One barrier a tile of the next base layer: complete when the news of every cell has come there.
 */
static void end_layer(struct builder *b, uint32_t ni)
{
    struct plan *p = b->p;
    const struct node *n = &p->nodes.at[ni];
    if (n->layer + 1 == p->layers.n)
        return;
    memset(b->barrier, 0xff, p->tiles.n * sizeof *b->barrier);
    size_t first_pred = p->preds.n;
    for (uint32_t cell = 0; cell < n->n_cells; cell++)
        VEC_PUSH(&p->preds, n->done[cell]);
    const struct layer *next = &p->layers.at[n->layer + 1];
    for (uint32_t c = 0; c < next->n_copies; c++)
        for (uint32_t g = 0; g < next->copy[c].n_groups; g++) {
            uint32_t tile = p->groups.at[next->copy[c].first_group + g].tile;
            struct task t = {.kind = TASK_barrier, .tile = tile, .node = ni, .pred0 = NONE};
            if (b->barrier[tile] == NONE)
                p->barrier[n->layer] = b->barrier[tile] = plan_add_task(p, t, first_pred);
        }
}

static void mvm_tasks(struct builder *b, uint32_t ni)
{
    struct plan *p = b->p;
    struct node *n = &p->nodes.at[ni];
    struct layer *l = &p->layers.at[n->layer];
    for (uint32_t c = 0; c < l->n_copies; c++)
        for (uint32_t g = 0; g < l->copy[c].n_groups; g++)
            group_tasks(b, l->copy[c].first_group + g);
    partial_buffers(p, n, l);
    begin_cells(p, n);
    for (uint32_t cell = 0; cell < n->n_cells; cell++) {
        struct box box = node_cell_box(n, cell);
        struct copy *c = layer_copy_at(p, l, box.lo[0], box.lo[1]);
        uint32_t yx = cell / n->grid[2].n;
        uint32_t set = (yx / n->grid[1].n - c->iy0) * c->sets_x + (yx % n->grid[1].n - c->ix0);
        n->done[cell] = finish_cell(p, ni, cell, set, &c->block[cell % n->grid[2].n]);
    }
    if (p->options->mode == SCHEDULE_LAYER_BY_LAYER)
        end_layer(b, ni);
}

static enum task_kind derived_kind(const struct node *n)
{
    switch (n->kind) {
    case NODE_MAP: return TASK_map;
    case NODE_WINDOW: return TASK_window;
    case NODE_GATHER: return TASK_gather;
    case NODE_REDUCE: return TASK_reduce;
    default: return TASK_copy;
    }
}

static void derived_tasks(struct builder *b, uint32_t ni)
{
    struct plan *p = b->p;
    struct node *n = &p->nodes.at[ni];
    struct reads *reads[2] = {0};
    begin_cells(p, n);
    for (unsigned i = 0; i < n->n_operands; i++)
        reads[i] = plan_reads(
            p, &n->operand[i], (uint32_t[3]){n->grid[0].n, n->grid[1].n, n->grid[2].n},
            (int32_t *[3]){n->grid[0].at, n->grid[1].at, n->grid[2].at}, n->operand[i].map);
    for (uint32_t cell = 0; cell < n->n_cells; cell++) {
        struct box box = node_cell_box(n, cell);
        struct task t = {.kind = (uint8_t)derived_kind(n),
                         .tile = n->home[cell],
                         .node = ni,
                         .cell = cell,
                         .pred0 = NONE};
        size_t first_pred = p->preds.n;
        const uint32_t at[3] = {cell / n->grid[2].n / n->grid[1].n,
                                cell / n->grid[2].n % n->grid[1].n, cell % n->grid[2].n};
        for (unsigned i = 0; i < n->n_operands; i++) {
            uint32_t buffer = plan_buffer(p, t.tile, n->operand[i].value);
            hold(p, buffer, read_box(n->operand[i].map, &box));
            t.awaits[i] = plan_add_reads(p, &n->operand[i], reads[i], at, buffer,
                                         next_reader(b, &n->operand[i]));
        }
        n->done[cell] = plan_add_task(p, t, first_pred);
    }
}

static uint32_t add_store(struct plan *p, const struct ir_op *output, const struct part *part,
                          const struct box *where, uint32_t buffer)
{
    struct output_store s = {.output = output, .where = *where, .buffer = buffer};
    memcpy(s.shift, part->shift, sizeof s.shift);
    VEC_PUSH(&p->stores, s);
    return (uint32_t)p->stores.n - 1;
}

/* Homes store their cells. */
static void store_cells(struct plan *p, const struct ir_op *output, const struct part *part)
{
    const struct node *n = &p->nodes.at[part->node];
    struct box wanted = box_shift(&part->where, part->shift, -1);
    for (uint32_t cell = 0; cell < n->n_cells; cell++) {
        struct box box = node_cell_box(n, cell), where = box_intersect(&box, &wanted);
        if (box_empty(&where))
            continue;
        struct task t = {.kind = TASK_store,
                         .tile = n->home[cell],
                         .node = part->node,
                         .cell = cell,
                         .awaits = {{box.lo[0], box.hi[0]}},
                         .pred0 = n->done[cell]};
        t.aux = add_store(p, output, part, &where, plan_buffer(p, t.tile, n->out));
        plan_add_task(p, t, p->preds.n);
    }
}

/* An output that is an input or a constant goes through tile 0, row by row. */
static void store_rows(struct plan *p, const struct ir_op *output, uint32_t part_index)
{
    const struct ir_op *value = output->in[0].value->def;
    const struct part *part = &p->parts[value->id].part[part_index];
    bool input = p->nodes.at[part->node].kind == NODE_INPUT;
    uint32_t buffer = plan_buffer(p, 0, input ? value : p->nodes.at[part->node].out);
    struct box wanted = box_shift(&part->where, part->shift, -1);
    box_include(&p->buffers.at[buffer].held, input ? &part->where : &wanted);
    for (int32_t row = part->where.lo[0]; row < part->where.hi[0]; row++) {
        struct box where = wanted;
        where.lo[0] = row - part->shift[0];
        where.hi[0] = where.lo[0] + 1;
        struct task t = {.kind = TASK_store, .node = part->node};
        t.pred0 = input ? plan_load(p, buffer, part_index, row) : NONE;
        t.aux = add_store(p, output, part, &where, buffer);
        plan_add_task(p, t, p->preds.n);
    }
}

static bool cells_fit(struct plan *p, const struct node *n)
{
    if (n->kind == NODE_REDUCE && n->operand[0].map[0].kind == MAP_ALL &&
        n->operand[0].map[0].extent > ISA_MAX_H)
        return diag_error(p->diag, n->root->loc, DIAG_CAPACITY,
                          "a reduction of %d rows exceeds an instruction's %d",
                          n->operand[0].map[0].extent, ISA_MAX_H);
    for (uint32_t i = 0; i < n->grid[0].n; i++)
        if (n->grid[0].at[i + 1] - n->grid[0].at[i] > ISA_MAX_H)
            return diag_error(p->diag, n->root->loc, DIAG_CAPACITY,
                              "a set of %d rows exceeds an instruction's %d",
                              n->grid[0].at[i + 1] - n->grid[0].at[i], ISA_MAX_H);
    return true;
}

bool plan_tasks(struct plan *p)
{
    struct builder b = {.p = p, .barrier = ARENA_ARRAY(p->arena, uint32_t, p->tiles.n)};
    memset(b.barrier, 0xff, p->tiles.n * sizeof *b.barrier);
    p->barrier = ARENA_ARRAY(p->arena, uint32_t, p->layers.n);
    memset(p->barrier, 0xff, p->layers.n * sizeof *p->barrier);
    p->queue_base = ARENA_ARRAY(p->arena, uint32_t, p->tiles.n);
    for (size_t t = 0; t < p->tiles.n; t++) {
        p->queue_base[t] = p->n_queues;
        p->n_queues += p->tiles.at[t].n_groups + 3;
    }
    for (uint32_t i = 0; i < p->nodes.n; i++) {
        enum node_kind kind = p->nodes.at[i].kind;
        if (!cells_fit(p, &p->nodes.at[i]))
            return false;
        if (kind == NODE_MVM)
            mvm_tasks(&b, i);
        else if (kind != NODE_INPUT && kind != NODE_CONSTANT)
            derived_tasks(&b, i);
    }
    for (const struct ir_op *op = p->graph->first; op; op = op->next) {
        if (op->opcode != IR_output)
            continue;
        const struct value_parts *v = &p->parts[op->in[0].value->def->id];
        for (uint32_t i = 0; i < v->n; i++)
            if (p->nodes.at[v->part[i].node].home)
                store_cells(p, op, &v->part[i]);
            else
                store_rows(p, op, i);
    }
    return true;
}
