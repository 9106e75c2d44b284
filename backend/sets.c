/*
 * sets.c - every stored value is cut into a grid of cells (paper section IV, stage I).
 *
 * A base layer's cells are its sets: one grid of rows x columns over the OFM, cut where copies
 * meet, and blocks of channels where homes differ. So a copy's set lies in a set of the layer
 * without copies, and is done no later. A derived value's cells are the rectangles whose last
 * element read lies in one cell of each operand (the derived sets); separable operations keep them
 * a grid. So a cell is ready exactly when its sources are.
 */
#include "backend_internal.h"

#include <stdlib.h>
#include <string.h>

static const int64_t AUTO_INSTRUCTIONS = 100000; /* budget of --set auto */

/* cuts[i] != 0: a cell begins at coordinate i. cuts[0] is implied. A grid may be made again. */
static void grid_from_cuts(struct plan *p, struct grid *g, const uint8_t *cuts, int32_t extent)
{
    if (!g->at) {
        g->at = ARENA_ARRAY(p->arena, int32_t, (size_t)extent + 1);
        g->cell_of = ARENA_ARRAY(p->arena, uint32_t, (size_t)extent);
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
static void mark_value(const struct plan *p, const struct ir_op *value, int a, uint8_t *cuts)
{
    const struct value_parts *v = &p->parts[value->id];
    int32_t extent = (int32_t)value->out->type.dim[a];
    for (uint32_t i = 0; i < v->n; i++) {
        const struct part *part = &v->part[i];
        const struct node *n = &p->nodes.at[part->node];
        cuts[part->where.lo[a]] = 1;
        if (part->where.hi[a] < extent)
            cuts[part->where.hi[a]] = 1;
        for (uint32_t c = 0; c < n->grid[a].n; c++) {
            int32_t at = n->grid[a].at[c] + part->shift[a];
            if (at > part->where.lo[a] && at < part->where.hi[a])
                cuts[at] = 1;
        }
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
    free(end);
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
static void mark_operand(const struct plan *p, const struct node *n, const struct operand *o, int a,
                         uint8_t *cuts)
{
    const struct axis_map *m = &o->map[a];
    if (m->kind == MAP_ALL || m->kind == MAP_ZERO || waits_for_whole(n, o, a))
        return;
    int32_t extent = (int32_t)o->value->out->type.dim[a];
    uint8_t *source = heap_alloc((size_t)extent + 1);
    int32_t *cell = heap_alloc(((size_t)extent + 1) * sizeof *cell);
    int32_t *read = heap_alloc(((size_t)n->dim[a] + 1) * sizeof *read);
    uint8_t *own = heap_alloc((size_t)n->dim[a] + 1);
    mark_value(p, o->value, a, source);
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
    free(source);
    free(cell);
    free(read);
    free(own);
}

static bool made_on_a_tile(const struct plan *p, const struct ir_op *value)
{
    const struct value_parts *v = &p->parts[value->id];
    for (uint32_t i = 0; i < v->n; i++) {
        enum node_kind kind = p->nodes.at[v->part[i].node].kind;
        if (kind != NODE_INPUT && kind != NODE_CONSTANT)
            return true;
    }
    return false;
}

/* Cells of more rows than one instruction covers are cut, but of a reshape: it makes all of its
 * result at once, and lowering keeps it short enough. */
static void cut_tall_cells(const struct node *n, int a, uint8_t *cuts)
{
    int32_t begin = 0;
    for (int32_t i = 1; a == AXIS_H && n->kind != NODE_RESHAPE && i < n->dim[a]; i++) {
        cuts[i] |= i - begin == ISA_MAX_H;
        if (cuts[i])
            begin = i;
    }
}

static void derived_grid(struct plan *p, struct node *n, int a)
{
    bool on_tile = false, whole = false;
    uint8_t *cuts = heap_alloc((size_t)n->dim[a] + 1);
    for (unsigned i = 0; i < n->n_operands; i++) {
        on_tile |= made_on_a_tile(p, n->operand[i].value);
        whole |= n->operand[i].map[a].kind == MAP_ALL;
        mark_operand(p, n, &n->operand[i], a, cuts);
    }
    if (a == AXIS_H && !on_tile && !whole) /* inputs only: one row a piece */
        memset(cuts, 1, (size_t)n->dim[a]);
    cut_tall_cells(n, a, cuts);
    grid_from_cuts(p, &n->grid[a], cuts, n->dim[a]);
    free(cuts);
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

/* Channel cells: N blocks, joined where every copy has the same groups for both. Then copy->block
 * holds one entry a cell. */
static void channel_grid(struct plan *p, struct node *n, struct layer *l)
{
    uint8_t *cuts = heap_alloc((size_t)n->dim[AXIS_C] + 1);
    for (uint32_t b = 1; b < l->ph; b++)
        for (uint32_t c = 0; c < l->n_copies; c++)
            if (!same_contributors(&l->copy[c].block[b - 1], &l->copy[c].block[b])) {
                int64_t lo, hi;
                ir_mapping_channels(&l->mapping, b, &lo, &hi);
                cuts[lo] = 1;
            }
    grid_from_cuts(p, &n->grid[AXIS_C], cuts, n->dim[AXIS_C]);
    for (uint32_t c = 0; c < l->n_copies; c++)
        for (uint32_t z = 0; z < n->grid[AXIS_C].n; z++)
            l->copy[c].block[z] =
                l->copy[c].block[ir_mapping_block_of(&l->mapping, n->grid[AXIS_C].at[z])];
    free(cuts);
}

/* Rows or columns: multiples of `step` (0 = none), and where copies meet. */
static void set_grid(struct plan *p, struct node *n, int a, int32_t step)
{
    const struct layer *l = &p->layers.at[n->layer];
    uint32_t parts = a == AXIS_H ? l->copies_h : l->copies_w;
    uint8_t *cuts = heap_alloc((size_t)n->dim[a] + 1);
    for (int32_t i = 1; i < n->dim[a]; i++) {
        bool meet = ir_cut_owner(i, parts, n->dim[a]) != ir_cut_owner(i - 1, parts, n->dim[a]);
        cuts[i] = (step && i % step == 0) || meet;
    }
    cut_tall_cells(n, a, cuts);
    grid_from_cuts(p, &n->grid[a], cuts, n->dim[a]);
    free(cuts);
}

static void make_grids(struct plan *p, int a, int32_t step)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        struct node *n = &p->nodes.at[i];
        if (n->kind == NODE_INPUT || n->kind == NODE_CONSTANT)
            continue;
        if (n->kind != NODE_MVM)
            derived_grid(p, n, a);
        else if (a == AXIS_C)
            channel_grid(p, n, &p->layers.at[n->layer]);
        else
            set_grid(p, n, a, step);
    }
}

/* Which cells each copy owns. */
static void share_out(struct layer *l, const struct node *n)
{
    for (uint32_t c = 0; c < l->n_copies; c++) {
        struct copy *copy = &l->copy[c];
        copy->iy0 = n->grid[AXIS_H].cell_of[copy->rect.lo[AXIS_H]];
        copy->ix0 = n->grid[AXIS_W].cell_of[copy->rect.lo[AXIS_W]];
        copy->sets_y = n->grid[AXIS_H].cell_of[copy->rect.hi[AXIS_H] - 1] + 1 - copy->iy0;
        copy->sets_x = n->grid[AXIS_W].cell_of[copy->rect.hi[AXIS_W] - 1] + 1 - copy->ix0;
        copy->n_sets = copy->sets_y * copy->sets_x;
    }
}

/* About one instruction a set and group, one that finishes a cell and one that sends it, and two
 * for every further share of a sum. */
static int64_t count_instructions(const struct plan *p)
{
    int64_t total = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        const struct node *n = &p->nodes.at[i];
        if (n->kind == NODE_INPUT || n->kind == NODE_CONSTANT)
            continue;
        int64_t sets = (int64_t)n->grid[AXIS_H].n * n->grid[AXIS_W].n;
        total += 2 * sets * n->grid[AXIS_C].n;
        if (n->kind != NODE_MVM)
            continue;
        const struct copy *c = &p->layers.at[n->layer].copy[0];
        total += sets * c->n_groups;
        for (uint32_t z = 0; z < n->grid[AXIS_C].n; z++)
            total += sets * 2 * (c->block[z].n_contributors - 1);
    }
    return total;
}

/* `auto`: rows cut into segments of the least width whose program keeps to the budget. */
static void make_auto_columns(struct plan *p)
{
    int32_t step = 1;
    do {
        make_grids(p, AXIS_W, step < ISA_MAX_COORD ? step : 0);
        step *= 2;
    } while (step <= ISA_MAX_COORD && count_instructions(p) > AUTO_INSTRUCTIONS);
}

void plan_sets(struct plan *p)
{
    const struct set_shape *shape = &p->options->set;
    make_grids(p, AXIS_C, 0);
    make_grids(p, AXIS_H, shape->automatic ? 1 : (int32_t)shape->rows);
    if (shape->automatic)
        make_auto_columns(p);
    else
        make_grids(p, AXIS_W, (int32_t)shape->cols);
    for (size_t i = 0; i < p->nodes.n; i++) {
        struct node *n = &p->nodes.at[i];
        n->n_cells = n->grid[0].n * n->grid[1].n * n->grid[2].n;
        if (n->kind == NODE_MVM)
            share_out(&p->layers.at[n->layer], n);
    }
}

struct box node_cell_box(const struct node *n, uint32_t cell)
{
    const struct grid *g = n->grid;
    uint32_t i[3] = {cell / g[AXIS_C].n / g[AXIS_W].n, cell / g[AXIS_C].n % g[AXIS_W].n,
                     cell % g[AXIS_C].n};
    struct box b;
    for (int a = 0; a < 3; a++) {
        b.lo[a] = g[a].at[i[a]];
        b.hi[a] = g[a].at[i[a] + 1];
    }
    return b;
}
