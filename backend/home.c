/*
 * home.c - which tile finishes each cell.
 *
 * A base layer's cell: the tile with the first K slice of its channels. A derived cell: the home of
 * its first operand made on a tile, at the last row and column read (the copy that finishes last),
 * first channel. From inputs and constants alone: the tile of the first base layer it reaches, else
 * tile 0.
 */
#include "backend_internal.h"

#include <stdlib.h>

static uint32_t element_home(const struct plan *p, const struct ir_op *value, const int32_t at[3])
{
    const struct value_parts *v = &p->parts[value->id];
    for (uint32_t i = 0; i < v->n; i++) {
        const struct part *part = &v->part[i];
        const struct node *n = &p->nodes.at[part->node];
        bool inside = n->home != NULL;
        for (int a = 0; a < 3; a++)
            inside &= at[a] >= part->where.lo[a] && at[a] < part->where.hi[a];
        if (inside)
            return n->home[node_cell(n, n->grid[0].cell_of[at[0] - part->shift[0]],
                                     n->grid[1].cell_of[at[1] - part->shift[1]],
                                     n->grid[2].cell_of[at[2] - part->shift[2]])];
    }
    return NONE;
}

/* For each operation: the first base layer (in list order) that its value reaches, or NONE. */
static uint32_t *first_layer_reached(const struct plan *p)
{
    uint32_t *reach = heap_alloc(p->n_ops * sizeof *reach);
    uint32_t layer = (uint32_t)p->layers.n; /* mvm operations are met last to first */
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

static void derived_homes(struct plan *p, struct node *n, uint32_t fallback)
{
    for (uint32_t c = 0; c < n->n_cells; c++) {
        struct box b = node_cell_box(n, c);
        n->home[c] = NONE;
        for (unsigned i = 0; i < n->n_operands && n->home[c] == NONE; i++) {
            const struct operand *o = &n->operand[i];
            int32_t at[3], first, last;
            for (int a = 0; a < 3; a++) {
                bool any = need_range(&o->map[a], b.lo[a], a == AXIS_C ? b.lo[a] + 1 : b.hi[a],
                                      &first, &last);
                at[a] = !any ? 0 : a == AXIS_C ? first : last;
            }
            n->home[c] = element_home(p, o->value, at);
        }
        if (n->home[c] == NONE)
            n->home[c] = fallback;
    }
}

static void mvm_homes(struct plan *p, struct node *n)
{
    struct layer *l = &p->layers.at[n->layer];
    for (uint32_t c = 0; c < n->n_cells; c++) {
        struct box b = node_cell_box(n, c);
        const struct copy *copy = layer_copy_at(p, l, b.lo[AXIS_H], b.lo[AXIS_W]);
        const struct block *block = &copy->block[c % n->grid[AXIS_C].n];
        n->home[c] = p->groups.at[block->contributor[0].group].tile;
    }
}

void plan_homes(struct plan *p)
{
    uint32_t *reach = first_layer_reached(p);
    for (size_t i = 0; i < p->nodes.n; i++) {
        struct node *n = &p->nodes.at[i];
        if (n->kind == NODE_INPUT || n->kind == NODE_CONSTANT)
            continue;
        n->home = ARENA_ARRAY(p->arena, uint32_t, n->n_cells);
        if (n->kind == NODE_MVM) {
            mvm_homes(p, n);
            continue;
        }
        uint32_t layer = reach[n->out->id];
        uint32_t group = layer == NONE ? NONE : p->layers.at[layer].copy[0].first_group;
        derived_homes(p, n, group == NONE ? 0 : p->groups.at[group].tile);
    }
    free(reach);
}
