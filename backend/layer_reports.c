/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * layer_reports.c - what each base layer is on the machine, and what it does in the schedule of one
 * frame.
 */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

uint64_t plan_layer_cycles(const struct plan *p, const struct layer *l)
{
    struct cost_work work = layer_work(p, l);
    struct cost cost = arch_cost(p->arch, &work);
    return cost_occupancy_cycles(&cost);
}

/* ---- the matrix ---- */

static void report_matrix(const struct ir_mapping *m, struct arena *a, struct layer_report *r)
{
    int64_t *rows = ARENA_ARRAY(a, int64_t, m->n_slices);
    int64_t *columns = ARENA_ARRAY(a, int64_t, m->n_blocks), most = 0;
    while (ir_mapping_slices(m, most) < m->n_slices)
        most++;
    for (int64_t i = 0; i < m->n_slices; i++)
        rows[i] = ir_mapping_slice_rows(m, most, i);
    for (int64_t i = 0; i < m->n_blocks; i++) {
        int64_t lo, hi;
        ir_mapping_block(m, i, &lo, &hi);
        columns[i] = hi - lo;
    }
    r->matrix[0] = m->k;
    r->matrix[1] = m->n;
    r->slices[0] = m->n_slices;
    r->slices[1] = m->n_blocks;
    r->slice_rows = rows;
    r->block_columns = columns;
}

static void report_cells(const struct plan *p, const struct layer *l, struct layer_report *r)
{
    uint64_t each = (uint64_t)arch_weight_cells(p->arch, r->weight_bits);
    r->cells_used = (uint64_t)ir_mapping_all_weights(&l->mapping) * each;
    r->fill =
        (double)r->cells_used / ((double)r->pes * (double)p->arch->rows * (double)p->arch->cols);
}

static void report_layer(const struct plan *p, const struct layer *l, struct arena *a,
                         struct layer_report *r)
{
    const struct node *n = &p->nodes->at[l->node];
    const char *entity = n->root->loc.entity;
    r->name = arena_strdup(a, *n->root->name || !entity ? n->root->name : entity);
    r->weights = n->root->attrs->mvm.weights;
    for (int axis = 0; axis < 3; axis++)
        r->ofm[axis] = n->dim[axis];
    for (int axis = 0; axis < 2; axis++)
        r->patch[axis] = l->mapping.patch[axis];
    r->start_cycle = UINT64_MAX; /* until its first product */
    r->pes = ir_mapping_pes(&l->mapping);
    r->cycles = plan_layer_cycles(p, l);
    r->copies = l->n_copies;
    r->weight_bits = n->root->attrs->mvm.weight_bits;
    if (!r->weight_bits)
        r->weight_bits = p->arch->weight_bits;
    report_matrix(&l->mapping, a, r);
    report_cells(p, l, r);
}

/* ---- in the schedule ---- */

static int by_number(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

static void report_tiles(const struct plan *p, const struct layer *l, struct arena *a,
                         struct layer_report *r)
{
    uint32_t n = 0, all = 0;
    for (uint32_t c = 0; c < l->n_copies; c++)
        all += l->copy[c].n_groups;
    uint32_t *tiles = ARENA_ARRAY(a, uint32_t, all);
    for (uint32_t c = 0; c < l->n_copies; c++)
        for (uint32_t g = 0; g < l->copy[c].n_groups; g++)
            tiles[n++] = p->segment->group[l->copy[c].first_group + g].tile;
    qsort(tiles, n, sizeof *tiles, by_number);
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || tiles[i] != tiles[i - 1])
            tiles[r->n_tiles++] = tiles[i];
    r->tiles = tiles;
}

static void add_products(const struct plan *p, uint32_t task, struct backend_result *out)
{
    const struct task *t = &p->tasks->tasks.at[task];
    if (t->kind != TASK_mvm)
        return;
    const struct group *g = &p->segment->group[t->mvm.group];
    struct layer_report *r = &out->layers[g->layer];
    uint64_t start = p->single->start[task], end = p->single->end[task];
    r->start_cycle = r->start_cycle < start ? r->start_cycle : start;
    r->end_cycle = max_u64(r->end_cycle, end);
    r->busy_cycles += (end - start) * g->n_pes;
}

/* ---- all ---- */

void plan_report_layers(const struct plan *p, struct arena *a, struct backend_result *out)
{
    out->n_layers = p->segment->n_layers;
    out->layers = ARENA_ARRAY(a, struct layer_report, out->n_layers);
    for (uint32_t i = 0; i < out->n_layers; i++) {
        const struct layer *l = &p->segment->layer[i];
        const struct node *n = &p->nodes->at[l->node];
        struct layer_report *r = &out->layers[i];
        report_layer(p, l, a, r);
        report_tiles(p, l, a, r);
        r->counts = out->energy.of_node[n->root->id];
        if (n->out != n->root)
            energy_add(&r->counts, &out->energy.of_node[n->out->id], 1);
    }
    for (uint32_t i = 0; i < p->single->n; i++)
        add_products(p, p->single->order[i], out);
}
