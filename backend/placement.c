/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* placement.c - what follows from a placement: who computes an output, what a group multiplies. */
#include "placement.h"

const struct copy *layer_copy_at(const struct node_list *nodes, const struct layer *l, int32_t y,
                                 int32_t x)
{
    const struct node *n = &nodes->at[l->node];
    const int64_t *patch = l->mapping.patch;
    int64_t i = ir_cut_owner(y / patch[0], l->copies_h, layer_products(l, n, AXIS_H));
    int64_t j = ir_cut_owner(x / patch[1], l->copies_w, layer_products(l, n, AXIS_W));
    return &l->copy[i * l->copies_w + j];
}

void group_channels(const struct segment *s, const struct group *g, int32_t *lo, int32_t *hi)
{
    const struct ir_mapping *m = &s->layer[g->layer].mapping;
    int64_t first = 0, last = m->groups * m->pixel_columns, unused;
    if (!ir_mapping_has_patch(m)) {
        ir_mapping_channels(m, g->column[0].ph, &first, &unused);
        ir_mapping_channels(m, g->column[g->n_columns - 1].ph, &unused, &last);
    }
    *lo = (int32_t)first;
    *hi = (int32_t)last;
}

int64_t group_most_columns(const struct segment *s, const struct group *g)
{
    int64_t most = 0, lo, hi;
    for (uint32_t i = 0; i < g->n_columns; i++) {
        ir_mapping_block(&s->layer[g->layer].mapping, g->column[i].ph, &lo, &hi);
        most = max_i64(most, hi - lo);
    }
    return most;
}

struct box group_taps(const struct segment *s, const struct group *g)
{
    const struct ir_mapping *m = &s->layer[g->layer].mapping;
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
