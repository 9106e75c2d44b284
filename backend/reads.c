/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * reads.c - who needs what where: buffers, read lists, deliveries.
 *
 * A task that reads a value names the buffer it reads and asks for the cells its boxes touch. A
 * cell whose home is that very buffer is there when it is done; any other is sent, and the request
 * is remembered in the cell's target set, so exactly the cells that somebody reads travel. Pieces
 * of inputs are loaded by each tile.
 */
#include "graph_build.h"

#include <stdlib.h>
#include <string.h>

uint32_t new_buffer(struct building *b, uint32_t tile, const struct ir_op *shows,
                    const int32_t dim[3], const struct box *held)
{
    struct buffer buffer = {.tile = tile, .shows = shows, .element = value_element(shows)};
    memcpy(buffer.dim, dim, sizeof buffer.dim);
    if (held)
        buffer.held = *held;
    VEC_PUSH(&b->g->buffers, buffer);
    VEC_PUSH(&b->loads, NULL);
    return (uint32_t)b->g->buffers.n - 1;
}

uint32_t graph_buffer(const struct task_graph *g, uint32_t tile, const struct ir_op *value)
{
    uint32_t buffer = map_find_u64(&g->buffer_of, map_pair(value->id, tile));
    if (buffer == MAP_NONE)
        BUG("no buffer of %s on tile %u", value->name, tile);
    return buffer;
}

enum { MOST_PIECES = 1 << 15 }; /* of rows */

struct pieces pieces_of(const int32_t dim[3])
{
    struct pieces p = {.rows = (dim[0] - 1) / MOST_PIECES + 1, .columns = ISA_MAX_W};
    p.down = (uint32_t)((dim[0] - 1) / p.rows + 1);
    p.across = (uint32_t)((dim[1] - 1) / p.columns + 1);
    return p;
}

struct box piece_box(const int32_t dim[3], uint32_t piece)
{
    struct pieces p = pieces_of(dim);
    int32_t y = (int32_t)(piece / p.across) * p.rows, x = (int32_t)(piece % p.across) * p.columns;
    struct box whole = box_whole(dim), box = {{y, x, 0}, {y + p.rows, x + p.columns, dim[2]}};
    return box_intersect(&box, &whole);
}

/* LOADs of a value with input parts, none made so far. */
static uint32_t *new_loads(const struct building *b, const struct ir_op *value)
{
    const struct value_parts *v = parts_of(b->p->nodes, value);
    for (uint32_t i = 0; i < v->n; i++)
        if (b->p->nodes->at[v->part[i].node].kind == NODE_input) {
            int32_t dim[3];
            value_dims(value, dim);
            struct pieces pieces = pieces_of(dim);
            size_t n = (size_t)v->n * pieces.down * pieces.across;
            uint32_t *loads = ARENA_ARRAY(b->p->arena, uint32_t, n);
            return memset(loads, 0xff, n * sizeof *loads);
        }
    return NULL;
}

uint32_t value_buffer(struct building *b, uint32_t tile, const struct ir_op *value)
{
    const struct node_list *nodes = b->p->nodes;
    uint32_t fresh = (uint32_t)b->g->buffers.n;
    uint32_t known = map_intern_u64(&b->g->buffer_of, map_pair(value->id, tile), fresh);
    if (known < fresh)
        return known;
    int32_t dim[3];
    value_dims(value, dim);
    uint32_t id = new_buffer(b, tile, value, dim, NULL), node = nodes->node_of[value->id];
    struct buffer *buffer = &b->g->buffers.at[id];
    buffer->value = value;
    b->loads.at[id] = new_loads(b, value);
    buffer->constant = node != NONE && nodes->at[node].kind == NODE_constant;
    if (buffer->constant)
        buffer->held = box_whole(dim);
    return id;
}

void hold(struct building *b, uint32_t buffer, struct box read)
{
    struct buffer *held_by = &b->g->buffers.at[buffer];
    read.lo[2] = 0;
    read.hi[2] = held_by->dim[2];
    box_include(&held_by->held, &read);
    if (!box_empty(&held_by->held)) {
        held_by->held.lo[2] = 0;
        held_by->held.hi[2] = held_by->dim[2];
    }
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Adds what output o reads of the part: cells of its node, or for an input pieces of `size`. */
static void add_read(const struct building *b, const struct axis_map *m, int32_t o, int32_t size,
                     const struct part *part, int a, struct number_list *out, size_t from)
{
    const struct grid *grid = &b->p->cells->of[part->node].grid[a];
    struct need_taps taps = need_taps_of(m, o);
    for (int32_t k = taps.from; k < taps.to; k++) {
        int32_t at = need_tap(m, o, k);
        if (at < part->where.lo[a] || at >= part->where.hi[a])
            continue;
        uint32_t cell = grid->cell_of ? grid->cell_of[at - part->shift[a]] : (uint32_t)(at / size);
        if (out->v.n == from || out->v.at[out->v.n - 1] != cell)
            VEC_PUSH(&out->v, cell);
    }
}

/* One axis: lists for intervals cut[0..n]. */
static void axis_reads(const struct building *b, const struct axis_map *m, int32_t size,
                       const struct part *part, int a, uint32_t n, const int32_t *cut,
                       struct reads *r)
{
    struct number_list out = {0};
    r->start[a] = ARENA_ARRAY(b->p->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        size_t from = out.v.n;
        r->start[a][i] = (uint32_t)from;
        for (int32_t o = cut[i]; o < cut[i + 1]; o++) {
            add_read(b, m, o, size, part, a, &out, from);
            if (m->kind == MAP_ALL || m->kind == MAP_ZERO)
                break;
        }
        /* overlapping windows name a cell more than once */
        size_t kept = from, n_found = out.v.n - from;
        if (n_found > 1)
            qsort(out.v.at + from, n_found, sizeof *out.v.at, compare_u32);
        for (size_t k = from; k < out.v.n; k++)
            if (k == from || out.v.at[k] != out.v.at[kept - 1])
                out.v.at[kept++] = out.v.at[k];
        out.v.n = kept;
    }
    r->start[a][n] = (uint32_t)out.v.n;
    r->at[a] = ARENA_ARRAY(b->p->arena, uint32_t, out.v.n);
    if (out.v.n)
        memcpy(r->at[a], out.v.at, out.v.n * sizeof *out.v.at);
    VEC_FREE(&out.v);
}

struct reads *list_reads(const struct building *b, const struct operand *o, const uint32_t n[3],
                         int32_t *const cut[3], const struct axis_map map[3])
{
    const struct value_parts *v = parts_of(b->p->nodes, o->value);
    struct reads *r = ARENA_ARRAY(b->p->arena, struct reads, v->n);
    int32_t dim[3];
    value_dims(o->value, dim);
    struct pieces pieces = pieces_of(dim);
    const int32_t size[3] = {pieces.rows, pieces.columns, dim[2]};
    for (uint32_t i = 0; i < v->n; i++) {
        r[i].part = i;
        for (int a = 0; a < 3; a++)
            axis_reads(b, &map[a], size[a], &v->part[i], a, n[a], cut[a], &r[i]);
    }
    return r;
}

uint32_t load_piece(struct building *b, uint32_t buffer, uint32_t part, uint32_t piece)
{
    const struct buffer *into = &b->g->buffers.at[buffer];
    struct pieces pieces = pieces_of(into->dim);
    uint32_t *slot = &b->loads.at[buffer][(size_t)part * pieces.down * pieces.across + piece];
    if (*slot == NONE) {
        struct task t = {
            .kind = TASK_load, .demand = true, .tile = into->tile, .load = {buffer, part, piece}};
        t.node = parts_of(b->p->nodes, into->value)->part[part].node;
        *slot = add_task(b, t, NULL, 0);
    }
    return *slot;
}

/* The class of messages that carry the channels of the part. */
static uint32_t class_of(const struct building *b, struct delivery *d, const struct part *part,
                         bool state)
{
    int32_t lo = part->where.lo[2] - part->shift[2], hi = part->where.hi[2] - part->shift[2];
    for (uint32_t i = 0; i < d->classes.n; i++)
        if (d->classes.at[i].lo == lo && d->classes.at[i].hi == hi &&
            d->classes.at[i].state == state)
            return i;
    uint32_t n_cells = b->p->cells->of[part->node].n;
    struct send_class c = {lo, hi, state, ARENA_ARRAY(b->p->arena, uint32_t, n_cells),
                           ARENA_ARRAY(b->p->arena, uint32_t, n_cells)};
    memset(c.send, 0xff, n_cells * sizeof *c.send);
    memset(c.last, 0xff, n_cells * sizeof *c.last);
    VEC_PUSH(&d->classes, c);
    return (uint32_t)d->classes.n - 1;
}

uint32_t find_target(struct building *b, uint32_t buffer, uint32_t part)
{
    const struct part *from = buffer_part(b->p, b->g, buffer, part);
    struct delivery *d = &b->g->delivery[from->node];
    uint32_t fresh = (uint32_t)d->targets.n;
    uint32_t known = map_intern_u64(&b->target_of, map_pair(buffer, part), fresh);
    if (known < fresh)
        return known;
    VEC_PUSH(&d->targets, ((struct target){buffer, part, class_of(b, d, from, part & STATE_PART)}));
    return fresh;
}

/* Targets mostly come in their order, or the same again. */
void add_target(struct delivery *d, uint32_t target, uint32_t cell)
{
    uint32_t *last = &d->classes.at[d->targets.at[target].class].last[cell];
    uint32_t link = (uint32_t)d->links.n, before = *last;
    if (before == NONE) {
        VEC_PUSH(&d->links, ((struct target_link){target, link}));
        *last = link;
        return;
    }
    bool grows = d->links.at[before].target < target;
    while (!grows) { /* the last one in front of it */
        uint32_t next = d->links.at[before].next;
        if (d->links.at[next].target == target || d->links.at[*last].target == target)
            return;
        if (d->links.at[next].target > target)
            break;
        before = next;
    }
    VEC_PUSH(&d->links, ((struct target_link){target, d->links.at[before].next}));
    d->links.at[before].next = link;
    if (grows)
        *last = link;
}

/* The task after which the cell is in the buffer. */
static uint32_t deliver(struct building *b, uint32_t node, uint32_t cell, uint32_t buffer,
                        uint32_t part)
{
    const struct buffer *into = &b->g->buffers.at[buffer];
    struct delivery *d = &b->g->delivery[node];
    uint32_t home = b->p->cells->of[node].home[cell];
    if (into->value == b->p->nodes->at[node].out && into->tile == home)
        return d->done[cell];
    uint32_t target = find_target(b, buffer, part), class = d->targets.at[target].class;
    add_target(d, target, cell);
    uint32_t *send = &d->classes.at[class].send[cell];
    if (*send == NONE) {
        struct task t = {
            .kind = TASK_send, .tile = home, .node = node, .cell = cell, .send = {class}};
        *send = add_task(b, t, &d->done[cell], 1);
    }
    return *send;
}

static void add_loads(struct building *b, const struct reads *r, const uint32_t i[3],
                      uint32_t buffer)
{
    uint32_t across = pieces_of(b->g->buffers.at[buffer].dim).across;
    if (r->start[2][i[2]] == r->start[2][i[2] + 1])
        return;
    for (uint32_t y = r->start[0][i[0]]; y < r->start[0][i[0] + 1]; y++)
        for (uint32_t x = r->start[1][i[1]]; x < r->start[1][i[1] + 1]; x++) {
            uint32_t load = load_piece(b, buffer, r->part, r->at[0][y] * across + r->at[1][x]);
            VEC_PUSH(&b->preds.v, load);
        }
}

/* Rows of the value that the cells in row iy of the part's grid fill. */
static struct rows cell_rows(const struct building *b, const struct part *part, uint32_t iy)
{
    const int32_t *at = b->p->cells->of[part->node].grid[0].at, shift = part->shift[0];
    struct rows r = {at[iy] + shift, at[iy + 1] + shift};
    r.lo = r.lo > part->where.lo[0] ? r.lo : part->where.lo[0];
    r.hi = r.hi < part->where.hi[0] ? r.hi : part->where.hi[0];
    return r;
}

/* The cells of one part; returns their rows. */
static struct rows add_cells(struct building *b, const struct reads *r, const struct part *part,
                             const uint32_t i[3], uint32_t buffer, uint32_t reader)
{
    const struct node_cells *cells = &b->p->cells->of[part->node];
    uint32_t *asked = b->asked[part->node];
    struct rows rows = {0};
    for (uint32_t y = r->start[0][i[0]]; y < r->start[0][i[0] + 1]; y++)
        for (uint32_t x = r->start[1][i[1]]; x < r->start[1][i[1] + 1]; x++)
            for (uint32_t z = r->start[2][i[2]]; z < r->start[2][i[2] + 1]; z++) {
                uint32_t cell = cell_number(cells, r->at[0][y], r->at[1][x], r->at[2][z]);
                if (asked[cell] == reader)
                    continue;
                asked[cell] = reader;
                uint32_t pred = deliver(b, part->node, cell, buffer, r->part);
                VEC_PUSH(&b->preds.v, pred);
                rows_include(&rows, cell_rows(b, part, r->at[0][y]));
            }
    return rows;
}

struct rows add_reads(struct building *b, const struct operand *o, const struct reads *reads,
                      const uint32_t i[3], uint32_t buffer, uint32_t reader)
{
    struct rows rows = {0};
    const struct value_parts *v = parts_of(b->p->nodes, o->value);
    for (uint32_t k = 0; k < v->n; k++) {
        const struct part *part = &v->part[k];
        enum node_kind kind = b->p->nodes->at[part->node].kind;
        if (kind == NODE_input)
            add_loads(b, &reads[k], i, buffer);
        else if (kind != NODE_constant)
            rows_include(&rows, add_cells(b, &reads[k], part, i, buffer, reader + k));
    }
    return rows;
}
