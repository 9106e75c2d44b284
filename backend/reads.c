/*
 * reads.c - who needs what where: buffers, read lists, deliveries.
 *
 * A task that reads a value names the buffer it reads and asks for the cells its boxes touch. A
 * cell whose home is that very buffer is there when it is done; any other is sent, and the request
 * is remembered in the cell's target set, so exactly the cells that somebody reads travel. Rows of
 * inputs are loaded by each tile.
 */
#include "backend_internal.h"

#include <stdlib.h>
#include <string.h>

uint32_t plan_new_buffer(struct plan *p, uint32_t tile, const struct ir_op *shows,
                         const int32_t dim[3], const struct box *held)
{
    struct buffer b = {.tile = tile, .shows = shows, .element = value_element(shows)};
    memcpy(b.dim, dim, sizeof b.dim);
    if (held)
        b.held = *held;
    VEC_PUSH(&p->buffers, b);
    return (uint32_t)p->buffers.n - 1;
}

uint32_t plan_find_buffer(const struct plan *p, uint32_t tile, const struct ir_op *value)
{
    uint32_t b = map_find_u64(&p->buffer_of, map_pair(value->id, tile));
    if (b == MAP_NONE)
        BUG("no buffer of %s on tile %u", value->name, tile);
    return b;
}

uint32_t plan_buffer(struct plan *p, uint32_t tile, const struct ir_op *value)
{
    uint32_t known =
        map_intern_u64(&p->buffer_of, map_pair(value->id, tile), (uint32_t)p->buffers.n);
    if (known < p->buffers.n)
        return known;
    int32_t dim[3];
    for (int a = 0; a < 3; a++)
        dim[a] = (int32_t)value->out->type.dim[a];
    uint32_t id = plan_new_buffer(p, tile, value, dim, NULL);
    struct buffer *b = &p->buffers.at[id];
    b->value = value;
    const struct value_parts *v = &p->parts[value->id];
    for (uint32_t i = 0; i < v->n; i++)
        if (p->nodes.at[v->part[i].node].kind == NODE_INPUT && !b->load_task) {
            size_t n = (size_t)v->n * (size_t)dim[0];
            b->load_task = ARENA_ARRAY(p->arena, uint32_t, n);
            memset(b->load_task, 0xff, n * sizeof *b->load_task);
        }
    b->constant =
        p->node_of[value->id] != NONE && p->nodes.at[p->node_of[value->id]].kind == NODE_CONSTANT;
    if (b->constant)
        b->held = box_whole(dim);
    return id;
}

static uint32_t queue_of(const struct plan *p, const struct task *t)
{
    switch (task_kinds[t->kind].unit) {
    case QUEUE_GROUP: {
        const struct group *g = &p->groups.at[t->aux];
        return p->queue_base[g->tile] + p->groups.at[g->owner].number;
    }
    case QUEUE_VU: return queue_vu(p, t->tile);
    case QUEUE_TX: return queue_tx(p, t->tile);
    case QUEUE_DMA: return queue_dma(p, t->tile);
    case QUEUE_NONE: break;
    }
    return NONE;
}

uint32_t plan_add_task(struct plan *p, struct task t, size_t first_pred)
{
    t.preds = (uint32_t)first_pred;
    t.n_preds = (uint32_t)(p->preds.n - first_pred);
    t.queue = queue_of(p, &t);
    VEC_PUSH(&p->tasks, t);
    return (uint32_t)p->tasks.n - 1;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct list {
    VEC(uint32_t) v;
};

/* Adds what output o reads of the part: cells of its node, or rows for an input. */
static void add_read(const struct plan *p, const struct axis_map *m, int32_t o,
                     const struct part *part, int a, struct list *out, size_t from)
{
    const struct node *n = &p->nodes.at[part->node];
    int32_t count = need_taps(m);
    for (int32_t k = 0; k < count; k++) {
        int32_t at = need_tap(m, o, k);
        if (at < part->where.lo[a] || at >= part->where.hi[a])
            continue;
        at -= part->shift[a];
        uint32_t cell = n->grid[a].cell_of ? n->grid[a].cell_of[at] : (uint32_t)at;
        if (out->v.n == from || out->v.at[out->v.n - 1] != cell)
            VEC_PUSH(&out->v, cell);
    }
}

/* One axis: lists for intervals cut[0..n]. */
static void axis_reads(struct plan *p, const struct axis_map *m, const struct part *part, int a,
                       uint32_t n, const int32_t *cut, struct reads *r)
{
    struct list out = {0};
    r->start[a] = ARENA_ARRAY(p->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        size_t from = out.v.n;
        r->start[a][i] = (uint32_t)from;
        for (int32_t o = cut[i]; o < cut[i + 1]; o++) {
            add_read(p, m, o, part, a, &out, from);
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
    r->at[a] = ARENA_ARRAY(p->arena, uint32_t, out.v.n);
    if (out.v.n)
        memcpy(r->at[a], out.v.at, out.v.n * sizeof *out.v.at);
    VEC_FREE(&out.v);
}

struct reads *plan_reads(struct plan *p, const struct operand *o, const uint32_t n[3],
                         int32_t *const cut[3], const struct axis_map map[3])
{
    const struct value_parts *v = &p->parts[o->value->id];
    struct reads *r = ARENA_ARRAY(p->arena, struct reads, v->n);
    for (uint32_t i = 0; i < v->n; i++) {
        r[i].part = i;
        for (int a = 0; a < 3; a++)
            axis_reads(p, &map[a], &v->part[i], a, n[a], cut[a], &r[i]);
    }
    return r;
}

/* The LOAD of one row (in the value's coordinates) into the buffer, made at first request. */
uint32_t plan_load(struct plan *p, uint32_t buffer, uint32_t part, int32_t row)
{
    struct buffer *b = &p->buffers.at[buffer];
    uint32_t *slot = &b->load_task[(size_t)part * (size_t)b->dim[0] + (size_t)row];
    if (*slot == NONE) {
        struct task t = {.kind = TASK_load,
                         .demand = true,
                         .tile = b->tile,
                         .aux = buffer,
                         .aux2 = part,
                         .row = row,
                         .pred0 = NONE};
        t.node = p->parts[b->value->id].part[part].node;
        *slot = plan_add_task(p, t, p->preds.n);
    }
    return *slot;
}

/* The class of messages that carry the channels of the part. */
static uint32_t class_of(struct plan *p, struct node *n, const struct part *part)
{
    int32_t lo = part->where.lo[2] - part->shift[2], hi = part->where.hi[2] - part->shift[2];
    for (uint32_t i = 0; i < n->classes.n; i++)
        if (n->classes.at[i].lo == lo && n->classes.at[i].hi == hi)
            return i;
    struct send_class c = {lo, hi, ARENA_ARRAY(p->arena, uint32_t, n->n_cells)};
    memset(c.send, 0xff, n->n_cells * sizeof *c.send);
    VEC_PUSH(&n->classes, c);
    return (uint32_t)n->classes.n - 1;
}

/* The target's number, with room for its bit in every cell's set. */
static uint32_t find_target(struct plan *p, struct node *n, uint32_t buffer, uint32_t part)
{
    uint32_t known = map_intern_u64(&p->target_of, map_pair(buffer, part), (uint32_t)n->targets.n);
    if (known < n->targets.n)
        return known;
    const struct ir_op *value = p->buffers.at[buffer].value;
    struct target target = {buffer, part, class_of(p, n, &p->parts[value->id].part[part])};
    VEC_PUSH(&n->targets, target);
    if (n->targets.n > (size_t)n->target_words * 64) {
        uint32_t words = n->target_words ? n->target_words * 2 : 1;
        uint64_t *sets = heap_alloc((size_t)n->n_cells * words * sizeof *sets);
        for (uint32_t c = 0; c < n->n_cells && n->target_words; c++)
            memcpy(sets + (size_t)c * words, n->target_sets + (size_t)c * n->target_words,
                   n->target_words * sizeof *sets);
        free(n->target_sets);
        n->target_sets = sets;
        n->target_words = words;
    }
    return (uint32_t)n->targets.n - 1;
}

/* The task after which the cell is in the buffer. */
static uint32_t deliver(struct plan *p, struct node *n, uint32_t cell, uint32_t buffer,
                        uint32_t part)
{
    const struct buffer *b = &p->buffers.at[buffer];
    if (b->value == n->out && b->tile == n->home[cell])
        return n->done[cell];
    uint32_t target = find_target(p, n, buffer, part), class = n->targets.at[target].class;
    n->target_sets[(size_t)cell * n->target_words + target / 64] |= (uint64_t)1 << target % 64;
    uint32_t *send = &n->classes.at[class].send[cell];
    if (*send == NONE) {
        struct task t = {.kind = TASK_send, .tile = n->home[cell], .cell = cell, .aux = class};
        t.node = (uint32_t)(n - p->nodes.at);
        t.pred0 = n->done[cell];
        *send = plan_add_task(p, t, p->preds.n);
    }
    return *send;
}

static void add_loads(struct plan *p, const struct reads *r, const struct part *part,
                      const uint32_t i[3], uint32_t buffer)
{
    if (r->start[1][i[1]] == r->start[1][i[1] + 1] || r->start[2][i[2]] == r->start[2][i[2] + 1])
        return;
    for (uint32_t y = r->start[0][i[0]]; y < r->start[0][i[0] + 1]; y++) {
        uint32_t load = plan_load(p, buffer, r->part, (int32_t)r->at[0][y] + part->shift[0]);
        VEC_PUSH(&p->preds, load);
    }
}

/* Rows of the value that the cells in row iy of the part's grid fill. */
static struct rows cell_rows(const struct plan *p, const struct part *part, uint32_t iy)
{
    const int32_t *at = p->nodes.at[part->node].grid[0].at, shift = part->shift[0];
    struct rows r = {at[iy] + shift, at[iy + 1] + shift};
    r.lo = r.lo > part->where.lo[0] ? r.lo : part->where.lo[0];
    r.hi = r.hi < part->where.hi[0] ? r.hi : part->where.hi[0];
    return r;
}

struct rows plan_add_reads(struct plan *p, const struct operand *o, const struct reads *reads,
                           const uint32_t i[3], uint32_t buffer, uint32_t reader)
{
    struct rows rows = {0};
    const struct value_parts *v = &p->parts[o->value->id];
    for (uint32_t k = 0; k < v->n; k++) {
        const struct reads *r = &reads[k];
        struct node *n = &p->nodes.at[v->part[k].node];
        if (n->kind == NODE_CONSTANT)
            continue;
        if (n->kind == NODE_INPUT) {
            add_loads(p, r, &v->part[k], i, buffer);
            continue;
        }
        for (uint32_t y = r->start[0][i[0]]; y < r->start[0][i[0] + 1]; y++)
            for (uint32_t x = r->start[1][i[1]]; x < r->start[1][i[1] + 1]; x++)
                for (uint32_t z = r->start[2][i[2]]; z < r->start[2][i[2] + 1]; z++) {
                    uint32_t cell = node_cell(n, r->at[0][y], r->at[1][x], r->at[2][z]);
                    if (n->asked[cell] == reader + k)
                        continue;
                    n->asked[cell] = reader + k;
                    uint32_t pred = deliver(p, n, cell, buffer, r->part);
                    VEC_PUSH(&p->preds, pred);
                    rows_include(&rows, cell_rows(p, &v->part[k], r->at[0][y]));
                }
    }
    return rows;
}
