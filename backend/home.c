/*
 * home.c - which tile finishes each cell.
 *
 * A base layer's cell: the tile with the first K slice of its channels. A derived cell: the home of
 * its first operand made on a tile, at the last row and column read (the copy that finishes last),
 * first channel. From inputs and constants alone: the tile of the first base layer it reaches, else
 * tile 0.
 */
#include "plan.h"

#include <stdlib.h>

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

static void derived_homes(const struct plan *p, struct node_cells *cells, uint32_t node,
                          uint32_t fallback)
{
    const struct node *n = &p->nodes->at[node];
    struct node_cells *own = &cells[node];
    for (uint32_t c = 0; c < own->n; c++) {
        struct box b = cell_box(own, c);
        own->home[c] = NONE;
        for (unsigned i = 0; i < n->n_operands && own->home[c] == NONE; i++) {
            const struct operand *o = &n->operand[i];
            int32_t at[3], first, last;
            for (int a = 0; a < 3; a++) {
                bool any = need_range(&o->map[a], b.lo[a], a == AXIS_C ? b.lo[a] + 1 : b.hi[a],
                                      &first, &last);
                at[a] = !any ? 0 : a == AXIS_C ? first : last;
            }
            own->home[c] = element_home(p, cells, o->value, at);
        }
        if (own->home[c] == NONE)
            own->home[c] = fallback;
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

void find_homes(const struct plan *p, struct node_cells *cells)
{
    uint32_t *reach = first_layer_reached(p);
    for (uint32_t i = 0; i < p->nodes->n; i++) {
        const struct node *n = &p->nodes->at[i];
        if (!node_is_made(n))
            continue;
        cells[i].home = ARENA_ARRAY(p->arena, uint32_t, cells[i].n);
        if (n->kind == NODE_mvm) {
            mvm_homes(p, node_layer(p, i), &cells[i]);
            continue;
        }
        uint32_t layer = reach[n->out->id];
        uint32_t group = layer == NONE ? NONE : p->segment->layer[layer].copy[0].first_group;
        derived_homes(p, cells, i, group == NONE ? 0 : p->segment->group[group].tile);
    }
    free(reach);
}
