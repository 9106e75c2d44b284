/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sets.c - every stored value is cut into a grid of cells (paper section IV, stage I).
 *
 * A base layer's cells are its sets: one grid of rows x columns over the OFM, cut where copies
 * meet, and blocks of channels where homes differ. So a copy's set lies in a set of the layer
 * without copies, and is done no later. A derived value's cells are the rectangles whose last
 * element read lies in one cell of each operand (the derived sets); separable operations keep them
 * a grid. So a cell is ready exactly when its sources are.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

struct cutting {
    const struct plan *p;
    struct node_cells *of; /* of each node */
};

/* cuts[i] != 0: a cell begins at coordinate i. cuts[0] is implied. A grid may be made again. */
static void grid_from_cuts(struct arena *a, struct grid *g, const uint8_t *cuts, int32_t extent)
{
    if (!g->at) {
        g->at = ARENA_ARRAY(a, int32_t, (size_t)extent + 1);
        g->cell_of = ARENA_ARRAY(a, uint32_t, (size_t)extent);
    }
    g->n = 1;
    for (int32_t i = 1; i < extent; i++)
        g->n += cuts[i] != 0;
    uint32_t cell = 0;
    for (int32_t i = 0; i < extent; i++) {
        if (i > 0 && cuts[i])
            g->at[++cell] = i;
        g->cell_of[i] = cell;
    }
    g->at[g->n] = extent;
}

/* Marks where the cells of a value begin, through the parts it is made of. */
static void mark_value(const struct cutting *w, const struct ir_op *value, int a, uint8_t *cuts)
{
    const struct value_parts *v = parts_of(w->p->nodes, value);
    int32_t extent = (int32_t)value->out->type.dim[a];
    for (uint32_t i = 0; i < v->n; i++) {
        const struct part *part = &v->part[i];
        const struct grid *g = &w->of[part->node].grid[a];
        cuts[part->where.lo[a]] = 1;
        if (part->where.hi[a] < extent)
            cuts[part->where.hi[a]] = 1;
        uint32_t c = g->n ? g->cell_of[part->where.lo[a] - part->shift[a]] + 1 : 0;
        for (; c < g->n && g->at[c] + part->shift[a] < part->where.hi[a]; c++)
            cuts[g->at[c] + part->shift[a]] = 1;
    }
}

/*
 * Channels that take turns between cells, as after a channel shuffle, stay together: one cell that
 * waits for all of them instead of a cell a channel. A cut stays where no source cell is read on
 * both sides. cell[i]: the source cell that channel i reads last, -1 for none.
 */
static void join_turns(const int32_t *cell, int32_t extent, uint32_t n_cells, uint8_t *cuts)
{
    int32_t *end = heap_alloc(n_cells * sizeof *end);
    for (int32_t i = 0; i < extent; i++)
        if (cell[i] >= 0)
            end[cell[i]] = i;
    int32_t reach = -1;
    for (int32_t i = 0; i < extent; i++) {
        if (i <= reach)
            cuts[i] = 0;
        if (cell[i] >= 0 && end[cell[i]] > reach)
            reach = end[cell[i]];
    }
    heap_free(end);
}

/* Does the node read the reduction of `o`'s value along the axis as well, as a softmax does? Then
 * no result is there before all of that value, and where its cells begin says nothing. */
static bool waits_for_whole(const struct node *n, const struct operand *o, int a)
{
    for (unsigned i = 0; i < n->n_operands; i++) {
        const struct operand *other = &n->operand[i];
        const struct ir_op *from = other->value;
        if (other->map[a].kind == MAP_ZERO && from->opcode == IR_reduce &&
            from->in[0].value->def == o->value)
            return true;
    }
    return false;
}

/* Adds the cuts that an operand imposes on axis `a` of the node. */
static void mark_operand(const struct cutting *w, const struct node *n, const struct operand *o,
                         int a, uint8_t *cuts)
{
    const struct axis_map *m = &o->map[a];
    if (m->kind == MAP_ALL || m->kind == MAP_ZERO || waits_for_whole(n, o, a))
        return;
    int32_t extent = (int32_t)o->value->out->type.dim[a];
    uint8_t *source = heap_alloc((size_t)extent + 1);
    int32_t *cell = heap_alloc(((size_t)extent + 1) * sizeof *cell);
    int32_t *read = heap_alloc(((size_t)n->dim[a] + 1) * sizeof *read);
    uint8_t *own = heap_alloc((size_t)n->dim[a] + 1);
    mark_value(w, o->value, a, source);
    for (int32_t i = 1; i < extent; i++)
        cell[i] = cell[i - 1] + (source[i] != 0);
    int32_t before = -1;
    for (int32_t i = 0; i < n->dim[a]; i++) {
        int32_t last = need_last(m, i);
        read[i] = last < 0 ? -1 : cell[last];
        own[i] = before >= 0 && read[i] >= 0 && read[i] != before;
        if (i == 0 || last >= 0)
            before = read[i];
    }
    if (a == AXIS_C)
        join_turns(read, n->dim[a], (uint32_t)cell[extent - 1] + 1, own);
    for (int32_t i = 1; i < n->dim[a]; i++)
        cuts[i] |= own[i];
    heap_free(source);
    heap_free(cell);
    heap_free(read);
    heap_free(own);
}

static bool made_on_a_tile(const struct cutting *w, const struct ir_op *value)
{
    const struct value_parts *v = parts_of(w->p->nodes, value);
    for (uint32_t i = 0; i < v->n; i++)
        if (node_is_made(&w->p->nodes->at[v->part[i].node]))
            return true;
    return false;
}

/* Cells of more rows or columns than one instruction covers are cut, at multiples of `patch`, but
 * of a reshape: it makes all of its result at once, and lowering keeps it short enough. */
static void cut_long_cells(const struct node *n, int a, int32_t patch, uint8_t *cuts)
{
    int32_t begin = 0, most = a == AXIS_H ? ISA_MAX_H : ISA_MAX_W;
    most -= most % patch;
    for (int32_t i = 1; a != AXIS_C && n->kind != NODE_reshape && i < n->dim[a]; i++) {
        cuts[i] |= i - begin == most;
        if (cuts[i])
            begin = i;
    }
}

static void derived_grid(const struct cutting *w, uint32_t node, int a)
{
    const struct node *n = &w->p->nodes->at[node];
    bool on_tile = false, whole = false;
    uint8_t *cuts = heap_alloc((size_t)n->dim[a] + 1);
    for (unsigned i = 0; i < n->n_operands; i++) {
        on_tile |= made_on_a_tile(w, n->operand[i].value);
        whole |= n->operand[i].map[a].kind == MAP_ALL;
        mark_operand(w, n, &n->operand[i], a, cuts);
    }
    if (a == AXIS_H && !on_tile && !whole) /* inputs only: as they are loaded */
        for (int32_t i = 0, step = pieces_of(n->dim).rows; i < n->dim[a]; i += step)
            cuts[i] = 1;
    cut_long_cells(n, a, 1, cuts);
    grid_from_cuts(w->p->arena, &w->of[node].grid[a], cuts, n->dim[a]);
    heap_free(cuts);
}

static bool same_contributors(const struct block *a, const struct block *b)
{
    if (a->n_contributors != b->n_contributors)
        return false;
    for (uint32_t i = 0; i < a->n_contributors; i++)
        if (a->contributor[i].group != b->contributor[i].group ||
            a->contributor[i].pv0 != b->contributor[i].pv0 ||
            a->contributor[i].pv1 != b->contributor[i].pv1)
            return false;
    return true;
}

/* Channel cells: N blocks, joined where every copy has the same groups for both; with patches one.
 */
static void channel_grid(const struct cutting *w, const struct layer *l)
{
    int32_t n_channels = w->p->nodes->at[l->node].dim[AXIS_C];
    struct node_cells *c = &w->of[l->node];
    struct grid *g = &c->grid[AXIS_C];
    uint8_t *cuts = heap_alloc((size_t)n_channels + 1);
    for (uint32_t b = 1; b < layer_blocks(l); b++)
        for (uint32_t i = 0; i < l->n_copies; i++)
            if (!same_contributors(&l->copy[i].block[b - 1], &l->copy[i].block[b])) {
                int64_t lo, hi;
                ir_mapping_channels(&l->mapping, b, &lo, &hi);
                cuts[lo] = 1;
            }
    grid_from_cuts(w->p->arena, g, cuts, n_channels);
    c->block = ARENA_ARRAY(w->p->arena, uint32_t, g->n);
    for (uint32_t z = 0; z < g->n; z++)
        c->block[z] =
            layer_blocks(l) == 1 ? 0 : (uint32_t)ir_mapping_block_of(&l->mapping, g->at[z]);
    heap_free(cuts);
}

/* Rows or columns: every `step` products (0 = none), and where copies meet. */
static void set_grid(const struct cutting *w, const struct layer *l, int a, int32_t step)
{
    const struct node *n = &w->p->nodes->at[l->node];
    uint32_t parts = a == AXIS_H ? l->copies_h : l->copies_w;
    uint8_t *cuts = heap_alloc((size_t)n->dim[a] + 1);
    int32_t patch = (int32_t)l->mapping.patch[a];
    int64_t products = layer_products(l, n, a);
    for (int32_t i = 1; i < products; i++) {
        bool meet = ir_cut_owner(i, parts, products) != ir_cut_owner(i - 1, parts, products);
        cuts[i * patch] = (step && i % step == 0) || meet;
    }
    cut_long_cells(n, a, patch, cuts);
    grid_from_cuts(w->p->arena, &w->of[l->node].grid[a], cuts, n->dim[a]);
    heap_free(cuts);
}

static void make_grids(const struct cutting *w, int a, int32_t step)
{
    for (uint32_t i = 0; i < w->p->nodes->n; i++) {
        const struct node *n = &w->p->nodes->at[i];
        if (!node_is_made(n))
            continue;
        if (n->kind != NODE_mvm)
            derived_grid(w, i, a);
        else if (a == AXIS_C)
            channel_grid(w, node_layer(w->p, i));
        else
            set_grid(w, node_layer(w->p, i), a, step);
    }
}

/* About one instruction a set and group, one that finishes a cell and one that sends it, and two
 * for every further share of a sum. */
static int64_t count_instructions(const struct cutting *w)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < w->p->nodes->n; i++) {
        const struct node *n = &w->p->nodes->at[i];
        const struct node_cells *c = &w->of[i];
        if (!node_is_made(n))
            continue;
        int64_t sets = (int64_t)c->grid[AXIS_H].n * c->grid[AXIS_W].n;
        total += 2 * sets * c->grid[AXIS_C].n;
        if (n->kind != NODE_mvm)
            continue;
        const struct copy *copy = &node_layer(w->p, i)->copy[0];
        total += sets * copy->n_groups;
        for (uint32_t z = 0; z < c->grid[AXIS_C].n; z++)
            total += sets * 2 * (copy->block[c->block[z]].n_contributors - 1);
    }
    return total;
}

/* Rows cut into segments of the least width whose program keeps to the budget. */
static int32_t make_finest_columns(const struct cutting *w, int64_t budget)
{
    int32_t step = 1, columns;
    do {
        columns = step < ISA_MAX_EXTENT ? step : 0;
        make_grids(w, AXIS_W, columns);
        step *= 2;
    } while (step <= ISA_MAX_EXTENT && count_instructions(w) > budget);
    return columns;
}

/* Which cells each copy owns. */
static struct copy_sets *share_out(const struct cutting *w, const struct layer *l)
{
    const struct grid *g = w->of[l->node].grid;
    struct copy_sets *out = ARENA_ARRAY(w->p->arena, struct copy_sets, l->n_copies);
    for (uint32_t c = 0; c < l->n_copies; c++) {
        const struct box *r = &l->copy[c].rect;
        struct copy_sets *s = &out[c];
        s->iy0 = g[AXIS_H].cell_of[r->lo[AXIS_H]];
        s->ix0 = g[AXIS_W].cell_of[r->lo[AXIS_W]];
        s->rows = g[AXIS_H].cell_of[r->hi[AXIS_H] - 1] + 1 - s->iy0;
        s->columns = g[AXIS_W].cell_of[r->hi[AXIS_W] - 1] + 1 - s->ix0;
        s->n = s->rows * s->columns;
    }
    return out;
}

static bool count_fits(const struct plan *p, const struct node *n, uint64_t sets, uint64_t most)
{
    return sets <= most || diag_error(p->diag, n->root->loc, DIAG_CAPACITY,
                                      "%llu sets in one queue, at most %llu can be counted: use "
                                      "larger sets",
                                      (unsigned long long)sets, (unsigned long long)most);
}

/* Before anything is made for each set: a queue counts the sets of its copy. */
static bool counts_fit(const struct cutting *w, const struct copy_sets *const *sets)
{
    const struct plan *p = w->p;
    bool ok = true;
    for (uint32_t i = 0; i < p->nodes->n; i++) {
        const struct grid *g = w->of[i].grid;
        ok &= count_fits(p, &p->nodes->at[i], (uint64_t)g[0].n * g[1].n * g[2].n, INT32_MAX);
    }
    for (uint32_t i = 0; i < p->segment->n_layers; i++) {
        const struct layer *l = &p->segment->layer[i];
        uint32_t most = 0;
        for (uint32_t c = 0; c < l->n_copies; c++)
            most = sets[i][c].n > most ? sets[i][c].n : most;
        ok &= count_fits(p, &p->nodes->at[l->node], most, ISA_MAX_COUNT);
    }
    return ok;
}

const struct cells *plan_cells(const struct plan *p)
{
    struct cells *out = ARENA_NEW(p->arena, struct cells);
    struct cutting w = {p, ARENA_ARRAY(p->arena, struct node_cells, p->nodes->n)};
    const struct copy_sets **sets =
        ARENA_ARRAY(p->arena, const struct copy_sets *, p->segment->n_layers);
    struct set_shape set = p->options->set;
    if (set.budget)
        set.rows = 1;
    make_grids(&w, AXIS_C, 0);
    make_grids(&w, AXIS_H, (int32_t)set.rows);
    if (set.budget)
        set.cols = make_finest_columns(&w, set.budget);
    else
        make_grids(&w, AXIS_W, (int32_t)set.cols);
    for (uint32_t i = 0; i < p->nodes->n; i++)
        w.of[i].n = w.of[i].grid[0].n * w.of[i].grid[1].n * w.of[i].grid[2].n;
    for (uint32_t l = 0; l < p->segment->n_layers; l++)
        sets[l] = share_out(&w, &p->segment->layer[l]);
    if (!counts_fit(&w, sets))
        return NULL;
    find_homes(p, w.of);
    set.budget = 0;
    *out = (struct cells){.set = set, .of = w.of, .sets = sets};
    return out;
}

void cell_place(const struct node_cells *c, uint32_t cell, uint32_t at[3])
{
    at[AXIS_C] = cell % c->grid[AXIS_C].n;
    cell /= c->grid[AXIS_C].n;
    at[AXIS_W] = cell % c->grid[AXIS_W].n;
    at[AXIS_H] = cell / c->grid[AXIS_W].n;
}

struct box cell_box(const struct node_cells *c, uint32_t cell)
{
    uint32_t i[3];
    struct box b;
    cell_place(c, cell, i);
    for (int a = 0; a < 3; a++) {
        b.lo[a] = c->grid[a].at[i[a]];
        b.hi[a] = c->grid[a].at[i[a] + 1];
    }
    return b;
}
