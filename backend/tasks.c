/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * tasks.c - the task graph: one task an instruction, with every data dependency.
 *
 * Nodes are taken in list order, so a predecessor always exists before its successors. Space (ring
 * slots, accumulators) puts no edges here: memplan.c sizes buffers from the schedule so that they
 * never delay it.
 */
#include "graph_build.h"

#include <stdlib.h>
#include <string.h>

static uint32_t queue_of(const struct building *b, const struct task *t)
{
    const struct segment *s = b->p->segment;
    uint32_t base = b->g->queue_base[t->tile], n_groups = s->tile[t->tile].n_groups;
    switch (task_kinds[t->kind].unit) {
    case QUEUE_GROUP: return base + s->group[s->group[t->mvm.group].owner].number;
    case QUEUE_VU: return base + n_groups;
    case QUEUE_TX: return base + n_groups + 1;
    case QUEUE_DMA: return base + n_groups + 2;
    case QUEUE_NONE: break;
    }
    return NONE;
}

uint32_t add_task(struct building *b, struct task t, const uint32_t *preds, uint32_t n)
{
    t.preds = (uint32_t)b->g->preds.n;
    t.n_preds = n;
    t.queue = queue_of(b, &t);
    for (uint32_t i = 0; i < n; i++)
        VEC_PUSH(&b->g->preds, preds[i]);
    VEC_PUSH(&b->g->tasks, t);
    return (uint32_t)b->g->tasks.n - 1;
}

/* Adds the task that waits for what b->preds lists. */
static uint32_t add_listed(struct building *b, struct task t)
{
    return add_task(b, t, b->preds.v.at, (uint32_t)b->preds.v.n);
}

/* The part of an mvm's window that a group's taps see: same maps, fewer taps, or with patches fewer
 * places of the window. */
static void find_maps(const struct plan *p, const struct group *g, struct axis_map map[3])
{
    const struct layer *l = &p->segment->layer[g->layer];
    const struct node *n = &p->nodes->at[l->node];
    struct box taps = group_taps(p->segment, g);
    for (int a = 0; a < 2; a++) {
        map[a] = n->operand[0].map[a];
        if (ir_mapping_has_patch(&l->mapping)) {
            map[a].kind = MAP_PATCH;
            map[a].patch = (int32_t)l->mapping.patch[a];
            map[a].from = taps.lo[a];
            map[a].to = taps.hi[a];
        } else {
            map[a].pad -= taps.lo[a] * map[a].dilation;
            map[a].kernel = taps.hi[a] - taps.lo[a];
        }
    }
    /* Every output reads the same channels. PEs of a layer work together, so of a grouped
     * convolution each PE waits for what all conv groups read. */
    int32_t extent = n->operand[0].map[2].extent;
    bool grouped = l->mapping.groups > 1;
    map[2] = (struct axis_map){.kind = MAP_WINDOW,
                               .kernel = grouped ? extent : taps.hi[2] - taps.lo[2],
                               .stride = 0,
                               .dilation = 1,
                               .pad = grouped ? 0 : -taps.lo[2],
                               .extent = extent};
}

/* Serial numbers for one reader: one for each part of what it reads. */
static uint32_t next_reader(struct building *b, const struct operand *o)
{
    uint32_t first = b->reader + 1;
    b->reader += parts_of(b->p->nodes, o->value)->n;
    return first;
}

static void group_buffers(struct building *b, const struct group *g, struct group_work *work)
{
    const struct plan *p = b->p;
    const struct layer *l = &p->segment->layer[g->layer];
    const struct node *n = &p->nodes->at[l->node];
    struct box acc = l->copy[g->copy].rect, one_channel = acc;
    find_maps(p, g, work->map);
    group_channels(p->segment, g, &acc.lo[2], &acc.hi[2]);
    work->acc = new_buffer(b, g->tile, n->root, n->dim, &acc);
    work->source = value_buffer(b, g->tile, n->operand[0].value);
    one_channel.hi[2] = one_channel.lo[2] + 1;
    hold(b, work->source, read_box(work->map, &one_channel));
}

/* One MVM a set, in raster order: each after the one before it in its queue. */
static void group_tasks(struct building *b, uint32_t gi)
{
    const struct plan *p = b->p;
    const struct group *g = &p->segment->group[gi];
    const struct layer *l = &p->segment->layer[g->layer];
    const struct copy_sets *sets = &p->cells->sets[g->layer][g->copy];
    const struct node_cells *cells = &p->cells->of[l->node];
    const struct operand *o = &p->nodes->at[l->node].operand[0];
    struct group_work *work = &b->g->group[gi];
    group_buffers(b, g, work);

    int32_t channel_cut[2] = {0, 1};
    const uint32_t counts[3] = {sets->rows, sets->columns, 1};
    int32_t *const cuts[3] = {cells->grid[0].at + sets->iy0, cells->grid[1].at + sets->ix0,
                              channel_cut};
    struct reads *r = list_reads(b, o, counts, cuts, work->map);
    uint32_t reader = next_reader(b, o);
    uint32_t before = b->barrier[g->tile] != NONE ? b->barrier[g->tile] : b->last_mvm[g->owner];
    work->mvm = ARENA_ARRAY(p->arena, uint32_t, sets->n);
    for (uint32_t s = 0; s < sets->n; s++) {
        const uint32_t at[3] = {s / sets->columns, s % sets->columns, 0};
        struct task t = {.kind = TASK_mvm, .tile = g->tile, .node = l->node, .mvm = {gi}};
        t.cell = cell_number(cells, sets->iy0 + at[0], sets->ix0 + at[1], 0);
        b->preds.v.n = 0;
        if (before != NONE)
            VEC_PUSH(&b->preds.v, before);
        t.awaits[0] = add_reads(b, o, r, at, work->source, reader);
        before = work->mvm[s] = add_listed(b, t);
    }
    b->last_mvm[g->owner] = before;
}

/* Buffers at the homes of a copy for what other groups contribute, and for the running sums. */
static struct partial_sums *copy_sums(struct building *b, const struct layer *l, uint32_t copy)
{
    const struct plan *p = b->p;
    const struct node *n = &p->nodes->at[l->node];
    const struct node_cells *cells = &p->cells->of[l->node];
    const struct grid *channels = &cells->grid[AXIS_C];
    struct partial_sums *out = ARENA_ARRAY(p->arena, struct partial_sums, channels->n);
    for (uint32_t z = 0; z < channels->n; z++) {
        const struct block *block = &l->copy[copy].block[cells->block[z]];
        uint32_t home = p->segment->group[block->contributor[0].group].tile;
        struct box held = l->copy[copy].rect;
        held.lo[2] = channels->at[z];
        held.hi[2] = channels->at[z + 1];
        out[z].landing = ARENA_ARRAY(p->arena, uint32_t, block->n_contributors);
        out[z].sum = ARENA_ARRAY(p->arena, uint32_t, block->n_contributors);
        for (uint32_t k = 1; k < block->n_contributors; k++) {
            out[z].landing[k] = new_buffer(b, home, n->root, n->dim, &held);
            if (k + 1 < block->n_contributors)
                out[z].sum[k] = new_buffer(b, home, n->root, n->dim, &held);
        }
    }
    return out;
}

/* Partial sums of one cell to its home, added in ascending slice order, then the epilogue. */
static uint32_t finish_cell(struct building *b, uint32_t node, uint32_t cell, uint32_t set,
                            const struct block *block)
{
    const struct segment *s = b->p->segment;
    uint32_t done = b->g->group[block->contributor[0].group].mvm[set];
    struct task t = {
        .kind = TASK_finish, .tile = b->p->cells->of[node].home[cell], .node = node, .cell = cell};
    if (block->n_contributors == 1)
        return add_task(b, t, &done, 1);
    for (uint32_t k = 1; k < block->n_contributors; k++) {
        uint32_t group = block->contributor[k].group, *from = &b->g->group[group].mvm[set];
        struct task send = {.kind = TASK_partial,
                            .tile = s->group[group].tile,
                            .node = node,
                            .cell = cell,
                            .partial = {group, k}};
        uint32_t sent = add_task(b, send, from, 1);
        t.kind = TASK_sum;
        t.sum.contributor = k;
        done = add_task(b, t, (uint32_t[]){done, sent}, 2);
    }
    return done;
}

static void begin_cells(struct building *b, uint32_t node)
{
    const struct node_cells *cells = &b->p->cells->of[node];
    b->g->delivery[node].done = ARENA_ARRAY(b->p->arena, uint32_t, cells->n);
    b->asked[node] = ARENA_ARRAY(b->p->arena, uint32_t, cells->n);
    for (uint32_t c = 0; c < cells->n; c++) {
        struct box held = cell_box(cells, c);
        uint32_t buffer = value_buffer(b, cells->home[c], b->p->nodes->at[node].out);
        box_include(&b->g->buffers.at[buffer].held, &held);
    }
}

/* One barrier a tile of the next base layer: complete when the news of every cell has come there.
 */
static void end_layer(struct building *b, uint32_t node)
{
    const struct segment *s = b->p->segment;
    uint32_t layer = s->layer_of[node];
    if (layer + 1 == s->n_layers)
        return;
    memset(b->barrier, 0xff, s->n_tiles * sizeof *b->barrier);
    const struct layer *next = &s->layer[layer + 1];
    uint32_t preds = (uint32_t)b->g->preds.n, n_preds = b->p->cells->of[node].n;
    for (uint32_t cell = 0; cell < n_preds; cell++)
        VEC_PUSH(&b->g->preds, b->g->delivery[node].done[cell]);
    for (uint32_t c = 0; c < next->n_copies; c++)
        for (uint32_t g = 0; g < next->copy[c].n_groups; g++) {
            uint32_t tile = s->group[next->copy[c].first_group + g].tile;
            if (b->barrier[tile] != NONE)
                continue;
            struct task t = {.kind = TASK_barrier, .tile = tile, .node = node};
            uint32_t id = b->g->barrier[layer] = b->barrier[tile] = add_task(b, t, NULL, 0);
            b->g->tasks.at[id].preds = preds; /* all of them wait for the same */
            b->g->tasks.at[id].n_preds = n_preds;
        }
}

static void mvm_tasks(struct building *b, uint32_t node)
{
    const struct plan *p = b->p;
    uint32_t layer = p->segment->layer_of[node];
    const struct layer *l = &p->segment->layer[layer];
    const struct node_cells *cells = &p->cells->of[node];
    for (uint32_t c = 0; c < l->n_copies; c++)
        for (uint32_t g = 0; g < l->copy[c].n_groups; g++)
            group_tasks(b, l->copy[c].first_group + g);
    b->g->sums[layer] = ARENA_ARRAY(p->arena, struct partial_sums *, l->n_copies);
    for (uint32_t c = 0; c < l->n_copies; c++)
        b->g->sums[layer][c] = copy_sums(b, l, c);
    begin_cells(b, node);
    for (uint32_t cell = 0; cell < cells->n; cell++) {
        uint32_t at[3];
        cell_place(cells, cell, at);
        const struct copy *c =
            layer_copy_at(p->nodes, l, cells->grid[0].at[at[0]], cells->grid[1].at[at[1]]);
        const struct copy_sets *sets = &p->cells->sets[layer][c - l->copy];
        uint32_t set = (at[0] - sets->iy0) * sets->columns + at[1] - sets->ix0;
        b->g->delivery[node].done[cell] =
            finish_cell(b, node, cell, set, &c->block[cells->block[at[2]]]);
    }
    if (p->options->mode == SCHEDULE_LAYER_BY_LAYER)
        end_layer(b, node);
}

static enum task_kind derived_kind(const struct node *n)
{
    static const enum task_kind kinds[] = {
#define NODE(name, task) TASK_##task,
#include "nodes.def"
#undef NODE
    };
    return kinds[n->kind];
}

static void derived_tasks(struct building *b, uint32_t node)
{
    const struct node *n = &b->p->nodes->at[node];
    const struct node_cells *cells = &b->p->cells->of[node];
    struct reads *reads[2] = {0};
    begin_cells(b, node);
    for (unsigned i = 0; i < n->n_operands; i++)
        reads[i] = list_reads(
            b, &n->operand[i], (uint32_t[3]){cells->grid[0].n, cells->grid[1].n, cells->grid[2].n},
            (int32_t *[3]){cells->grid[0].at, cells->grid[1].at, cells->grid[2].at},
            n->operand[i].map);
    for (uint32_t cell = 0; cell < cells->n; cell++) {
        struct box box = cell_box(cells, cell);
        struct task t = {.kind = (uint8_t)derived_kind(n),
                         .tile = cells->home[cell],
                         .node = node,
                         .cell = cell};
        uint32_t at[3];
        cell_place(cells, cell, at);
        b->preds.v.n = 0;
        for (unsigned i = 0; i < n->n_operands; i++) {
            uint32_t buffer = value_buffer(b, t.tile, n->operand[i].value);
            hold(b, buffer, read_box(n->operand[i].map, &box));
            t.awaits[i] =
                add_reads(b, &n->operand[i], reads[i], at, buffer, next_reader(b, &n->operand[i]));
        }
        b->g->delivery[node].done[cell] = add_listed(b, t);
    }
}

static uint32_t add_store(struct building *b, const struct ir_op *output, const struct part *part,
                          const struct box *where, uint32_t buffer)
{
    struct output_store s = {
        .output = output, .where = *where, .buffer = buffer, .state = b->stores_state};
    memcpy(s.shift, part->shift, sizeof s.shift);
    VEC_PUSH(&b->g->stores, s);
    return (uint32_t)b->g->stores.n - 1;
}

/* Homes store their cells. */
static void store_cells(struct building *b, const struct ir_op *output, const struct part *part)
{
    const struct node_cells *cells = &b->p->cells->of[part->node];
    struct box wanted = box_shift(&part->where, part->shift, -1);
    for (uint32_t cell = 0; cell < cells->n; cell++) {
        struct box box = cell_box(cells, cell), where = box_intersect(&box, &wanted);
        if (box_empty(&where))
            continue;
        struct task t = {.kind = TASK_store,
                         .tile = cells->home[cell],
                         .node = part->node,
                         .cell = cell,
                         .awaits = {{box.lo[0], box.hi[0]}}};
        uint32_t buffer = value_buffer(b, t.tile, b->p->nodes->at[part->node].out);
        t.store.output = add_store(b, output, part, &where, buffer);
        add_task(b, t, &b->g->delivery[part->node].done[cell], 1);
    }
}

static void store_piece(struct building *b, const struct ir_op *output, uint32_t part_index,
                        uint32_t buffer, uint32_t piece)
{
    const struct ir_op *value = output->in[0].value->def;
    const struct part *part = &parts_of(b->p->nodes, value)->part[part_index];
    bool input = b->p->nodes->at[part->node].kind == NODE_input;
    int32_t dim[3];
    value_dims(value, dim);
    struct box where = piece_box(dim, piece);
    where = box_intersect(&where, &part->where);
    where = box_shift(&where, part->shift, -1);
    struct task t = {.kind = TASK_store, .node = part->node};
    uint32_t load = input ? load_piece(b, buffer, part_index, piece) : NONE;
    t.store.output = add_store(b, output, part, &where, buffer);
    add_task(b, t, &load, input);
}

/* An output that is an input or a constant goes through tile 0, piece by piece. */
static void store_pieces(struct building *b, const struct ir_op *output, uint32_t part_index)
{
    const struct ir_op *value = output->in[0].value->def;
    const struct part *part = &parts_of(b->p->nodes, value)->part[part_index];
    const struct node *n = &b->p->nodes->at[part->node];
    bool input = n->kind == NODE_input;
    uint32_t buffer = value_buffer(b, 0, input ? value : n->out);
    struct box wanted = box_shift(&part->where, part->shift, -1);
    box_include(&b->g->buffers.at[buffer].held, input ? &part->where : &wanted);
    int32_t dim[3];
    value_dims(value, dim);
    struct pieces p = pieces_of(dim);
    for (int32_t y = part->where.lo[0] / p.rows; y * p.rows < part->where.hi[0]; y++)
        for (int32_t x = part->where.lo[1] / p.columns; x * p.columns < part->where.hi[1]; x++)
            store_piece(b, output, part_index, buffer, (uint32_t)y * p.across + (uint32_t)x);
}

static void store_outputs(struct building *b)
{
    for (const struct ir_op *op = b->p->graph->first; op; op = op->next) {
        if (op->opcode != IR_output)
            continue;
        const struct value_parts *v = parts_of(b->p->nodes, op->in[0].value->def);
        b->stores_state = plan_has_states(b->p) && output_is_state(b->p->graph, op);
        for (uint32_t i = 0; i < v->n; i++)
            if (node_is_made(&b->p->nodes->at[v->part[i].node]))
                store_cells(b, op, &v->part[i]);
            else
                store_pieces(b, op, i);
    }
}

static bool cells_fit(const struct plan *p, uint32_t node)
{
    const struct node *n = &p->nodes->at[node];
    static const int32_t most[] = {ISA_MAX_H, ISA_MAX_W};
    static const char *const what[] = {"rows", "columns"};
    for (int a = AXIS_H; a <= AXIS_W; a++) {
        const struct axis_map *read = &n->operand[0].map[a];
        const struct grid *g = &p->cells->of[node].grid[a];
        if (n->kind == NODE_reduce && read->kind == MAP_ALL && read->extent > most[a])
            return diag_error(p->diag, n->root->loc, DIAG_CAPACITY,
                              "a reduction of %d %s exceeds an instruction's %d", read->extent,
                              what[a], most[a]);
        for (uint32_t i = 0; i < g->n; i++)
            if (g->at[i + 1] - g->at[i] > most[a])
                return diag_error(p->diag, n->root->loc, DIAG_CAPACITY,
                                  "a set of %d %s exceeds an instruction's %d",
                                  g->at[i + 1] - g->at[i], what[a], most[a]);
    }
    return true;
}

/* Products that share a group read their source as a whole, as the others do: so all their sources
 * are alike. */
static void hold_sources(const struct plan *p, struct task_graph *g)
{
    for (size_t i = 0; i < g->buffers.n; i++) {
        struct buffer *b = &g->buffers.at[i];
        uint32_t family = b->value ? p->nodes->family[b->value->id].family : NONE;
        if (family != NONE && p->segment->stacked[family] && !box_empty(&b->held))
            b->held = box_whole(b->dim);
    }
}

static uint32_t *no_tasks(const struct plan *p, uint32_t n)
{
    uint32_t *list = ARENA_ARRAY(p->arena, uint32_t, n);
    if (n)
        memset(list, 0xff, n * sizeof *list);
    return list;
}

static void number_queues(const struct segment *s, struct task_graph *g)
{
    for (uint32_t t = 0; t < s->n_tiles; t++) {
        g->queue_base[t] = g->n_queues;
        g->n_queues += s->tile[t].n_groups + 3;
    }
}

const struct task_graph *plan_tasks(const struct plan *p)
{
    const struct segment *s = p->segment;
    struct task_graph *g = ARENA_NEW(p->arena, struct task_graph);
    *g = (struct task_graph){.n_nodes = p->nodes->n,
                             .delivery = ARENA_ARRAY(p->arena, struct delivery, p->nodes->n),
                             .group = ARENA_ARRAY(p->arena, struct group_work, s->n_groups),
                             .sums = ARENA_ARRAY(p->arena, struct partial_sums **, s->n_layers),
                             .barrier = no_tasks(p, s->n_layers),
                             .queue_base = ARENA_ARRAY(p->arena, uint32_t, s->n_tiles)};
    struct building b = {.p = p,
                         .g = g,
                         .asked = ARENA_ARRAY(p->arena, uint32_t *, p->nodes->n),
                         .last_mvm = no_tasks(p, s->n_groups),
                         .barrier = no_tasks(p, s->n_tiles)};
    number_queues(s, g);
    bool ok = true;
    for (uint32_t i = 0; ok && i < p->nodes->n; i++) {
        ok = cells_fit(p, i);
        if (ok && p->nodes->at[i].kind == NODE_mvm)
            mvm_tasks(&b, i);
        else if (ok && node_is_made(&p->nodes->at[i]))
            derived_tasks(&b, i);
    }
    if (ok) {
        store_outputs(&b);
        hold_sources(p, g);
        ok = !plan_has_states(p) || add_states(&b);
    }
    VEC_FREE(&b.preds.v);
    VEC_FREE(&b.loads);
    map_free(&b.target_of);
    if (ok)
        return g;
    task_graph_free(g);
    return NULL;
}

void task_graph_free(const struct task_graph *g)
{
    struct task_graph *own = (struct task_graph *)g; /* const to all but its end */
    if (!own)
        return;
    for (uint32_t i = 0; i < own->n_nodes; i++) {
        VEC_FREE(&own->delivery[i].classes);
        VEC_FREE(&own->delivery[i].targets);
        VEC_FREE(&own->delivery[i].links);
    }
    VEC_FREE(&own->tasks);
    VEC_FREE(&own->preds);
    VEC_FREE(&own->buffers);
    VEC_FREE(&own->stores);
    VEC_FREE(&own->state_parts);
    VEC_FREE(&own->carries);
    map_free(&own->buffer_of);
}
