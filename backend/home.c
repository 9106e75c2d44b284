/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * home.c - which tile finishes each cell.
 *
 * A base layer's cell: the tile with the first K slice of its channels. A derived cell: the home of
 * its first operand made on a tile, at the last row and column read (the copy that finishes last),
 * first channel. From inputs and constants alone: the tile of the first base layer it reaches, else
 * tile 0. Where that asks too much of a tile (plan.spread), another operand's home or another tile.
 *
 * Products of two values are more work than all else on vector units, so their rows (heads) are
 * dealt out to the tiles with the fewest products; what is computed from them stays there.
 */
#include "plan.h"

#include <stdlib.h>

struct homing {
    const struct plan *p;
    struct node_cells *cells;
    uint32_t *n_values; /* per tile: of which it finishes cells, and what counts as much */
    uint32_t *counted;  /* per tile: the last node counted there, + 1 */
    uint32_t emptiest;  /* tile, while homes of one node are looked for; NONE: not asked yet */
    uint64_t *products; /* per tile */
    bool *is_dealt;     /* per node: its first operand is a product of two values, or is dealt */
};

static uint32_t element_home(const struct plan *p, const struct node_cells *cells,
                             const struct ir_op *value, const int32_t at[3])
{
    const struct value_parts *v = parts_of(p->nodes, value);
    for (uint32_t i = 0; i < v->n; i++) {
        const struct part *part = &v->part[i];
        const struct node_cells *c = &cells[part->node];
        bool inside = c->home != NULL;
        for (int a = 0; a < 3; a++)
            inside &= at[a] >= part->where.lo[a] && at[a] < part->where.hi[a];
        if (inside)
            return c->home[cell_number(c, c->grid[0].cell_of[at[0] - part->shift[0]],
                                       c->grid[1].cell_of[at[1] - part->shift[1]],
                                       c->grid[2].cell_of[at[2] - part->shift[2]])];
    }
    return NONE;
}

/* For each operation: the first base layer (in list order) that its value reaches, or NONE. */
static uint32_t *first_layer_reached(const struct plan *p)
{
    uint32_t *reach = heap_alloc(p->nodes->n_ops * sizeof *reach);
    uint32_t layer = p->segment->n_layers; /* mvm operations are met last to first */
    for (const struct ir_op *op = p->graph->last; op; op = op->prev) {
        uint32_t best = NONE;
        if (op->opcode == IR_mvm) /* layers are numbered in list order */
            best = --layer;
        for (const struct ir_use *u = op->out ? op->out->uses : NULL; u; u = u->next) {
            uint32_t r = reach[u->user->id];
            best = r < best ? r : best;
        }
        reach[op->id] = best;
    }
    return reach;
}

/* The tile with the fewest values, the first of them. */
static uint32_t emptiest_tile(struct homing *h)
{
    uint32_t best = 0;
    if (h->emptiest != NONE)
        return h->emptiest;
    for (uint32_t t = 1; t < h->p->segment->n_tiles; t++)
        if (h->n_values[t] < h->n_values[best])
            best = t;
    return h->emptiest = best;
}

/* Where operand `o` has the last element that the box of results reads, or NONE. */
static uint32_t operand_home(const struct homing *h, const struct operand *o, const struct box *b)
{
    int32_t at[3], first, last;
    for (int a = 0; a < 3; a++) {
        bool any =
            need_range(&o->map[a], b->lo[a], a == AXIS_C ? b->lo[a] + 1 : b->hi[a], &first, &last);
        at[a] = !any ? 0 : a == AXIS_C ? first : last;
    }
    return element_home(h->p, h->cells, o->value, at);
}

/* The first operand's home; spread, that of the operands' homes with fewest values, or the emptiest
 * tile where those have their share. */
static uint32_t derived_home(struct homing *h, const struct node *n, const struct box *b,
                             uint32_t fallback)
{
    uint32_t home = NONE;
    for (unsigned i = 0; i < n->n_operands && (home == NONE || h->p->spread); i++) {
        uint32_t other = operand_home(h, &n->operand[i], b);
        if (home == NONE || (other != NONE && h->n_values[other] < h->n_values[home]))
            home = other;
    }
    home = home == NONE ? fallback : home;
    bool full = h->p->spread && h->n_values[home] >= tile_share(h->p);
    return full ? emptiest_tile(h) : home;
}

/* Does the node's first operand come from products of two values, from no base layer in between? */
static bool follows_products(const struct homing *h, const struct node *n)
{
    const struct value_parts *v = parts_of(h->p->nodes, n->operand[0].value);
    return v->n > 0 && h->is_dealt[v->part[0].node];
}

struct tile_load {
    uint64_t products;
    bool is_away; /* from where the first operand is made */
    uint32_t tile;
};

static int by_products(const void *a, const void *b)
{
    const struct tile_load *x = a, *y = b;
    if (x->products != y->products)
        return x->products < y->products ? -1 : 1;
    if (x->is_away != y->is_away)
        return y->is_away ? -1 : 1;
    return x->tile < y->tile ? -1 : 1;
}

/* As many rows to each of the tiles with the fewest products. All cells of a row go together: they
 * read the same matrix. */
static void deal_products(struct homing *h, uint32_t node)
{
    struct node_cells *own = &h->cells[node];
    const struct node *n = &h->p->nodes->at[node];
    uint32_t n_tiles = h->p->segment->n_tiles, rows = own->grid[AXIS_H].n;
    uint32_t row = own->n / rows, used = rows < n_tiles ? rows : n_tiles;
    uint64_t pixel = (uint64_t)n->dim[AXIS_C] * (uint64_t)n->operand[0].map[AXIS_C].extent;
    struct tile_load *load = heap_alloc(n_tiles * sizeof *load);
    struct box first = cell_box(own, 0);
    uint32_t home = operand_home(h, &n->operand[0], &first);
    for (uint32_t t = 0; t < n_tiles; t++)
        load[t] = (struct tile_load){h->products[t], t != home, t};
    qsort(load, n_tiles, sizeof *load, by_products);
    for (uint32_t c = 0; c < own->n; c++) {
        struct box b = cell_box(own, c);
        uint32_t tile = own->home[c] = load[(uint64_t)(c / row) * used / rows].tile;
        h->products[tile] += (uint64_t)((b.hi[0] - b.lo[0]) * (b.hi[1] - b.lo[1])) * pixel;
    }
    heap_free(load);
}

static void derived_homes(struct homing *h, uint32_t node, uint32_t fallback)
{
    struct node_cells *own = &h->cells[node];
    const struct node *n = &h->p->nodes->at[node];
    bool follows = follows_products(h, n);
    h->emptiest = NONE;
    h->is_dealt[node] = follows || n->kind == NODE_dot;
    if (n->kind == NODE_dot && !follows) {
        deal_products(h, node);
        return;
    }
    for (uint32_t c = 0; c < own->n; c++) {
        struct box b = cell_box(own, c);
        own->home[c] = derived_home(h, n, &b, fallback);
    }
}

/* Counts the node's value on each tile that finishes cells of it. */
static void count_value(const struct homing *h, uint32_t node)
{
    const struct node_cells *own = &h->cells[node];
    for (uint32_t c = 0; c < own->n; c++) {
        uint32_t tile = own->home[c];
        h->n_values[tile] += h->counted[tile] != node + 1;
        h->counted[tile] = node + 1;
    }
}

static void mvm_homes(const struct plan *p, const struct layer *l, struct node_cells *own)
{
    for (uint32_t c = 0; c < own->n; c++) {
        struct box b = cell_box(own, c);
        const struct copy *copy = layer_copy_at(p->nodes, l, b.lo[AXIS_H], b.lo[AXIS_W]);
        const struct block *block = &copy->block[own->block[c % own->grid[AXIS_C].n]];
        own->home[c] = p->segment->group[block->contributor[0].group].tile;
    }
}

/* What base layers read in many parts takes a view a part on their tiles: as much as a quarter of a
 * value of their own. */
static void count_parts(const struct homing *h)
{
    const struct segment *s = h->p->segment;
    for (uint32_t g = 0; g < s->n_groups; g++) {
        const struct node *n = &h->p->nodes->at[s->layer[s->group[g].layer].node];
        h->n_values[s->group[g].tile] += parts_of(h->p->nodes, n->operand[0].value)->n / 4;
    }
}

void find_homes(const struct plan *p, struct node_cells *cells)
{
    uint32_t *reach = first_layer_reached(p), n_tiles = p->segment->n_tiles;
    struct homing h = {.p = p, .cells = cells};
    h.n_values = heap_alloc(n_tiles * sizeof *h.n_values);
    h.counted = heap_alloc(n_tiles * sizeof *h.counted);
    h.products = heap_alloc(n_tiles * sizeof *h.products);
    h.is_dealt = heap_alloc((p->nodes->n + 1) * sizeof *h.is_dealt);
    count_parts(&h);
    for (uint32_t i = 0; i < p->nodes->n; i++) {
        const struct node *n = &p->nodes->at[i];
        if (!node_is_made(n))
            continue;
        cells[i].home = ARENA_ARRAY(p->arena, uint32_t, cells[i].n);
        uint32_t layer = reach[n->out->id];
        uint32_t group = layer == NONE ? NONE : p->segment->layer[layer].copy[0].first_group;
        if (n->kind == NODE_mvm)
            mvm_homes(p, node_layer(p, i), &cells[i]);
        else
            derived_homes(&h, i, group == NONE ? 0 : p->segment->group[group].tile);
        count_value(&h, i);
    }
    heap_free(h.n_values);
    heap_free(h.counted);
    heap_free(h.products);
    heap_free(h.is_dealt);
    heap_free(reach);
}
