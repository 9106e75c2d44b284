/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * mvm_plan.c - how a group's products are made, worked out once.
 *
 * In: a group's PE table and mapping. Out: segments, which are gathered into the panel; strips of
 * columns with the blocks of rows that each sums. The panel has only the K rows that some PE of the
 * group holds. Runs of PEs that touch are merged: K ranges of equal N range into one block, equal
 * lists of blocks of adjacent N ranges into one strip. With conv groups, row k of group q is row
 * q*K + k of an image of all groups, one below the other, of which each strip meets one group's;
 * only depthwise convolution (one channel in and out) goes tap by tap over all channels. With a
 * patch, what no PE holds of its columns is a strip without blocks. Where what a PE gives is not
 * the exact sum, or its sum has to have its order, strips also know the rows of each PE. Invariant:
 * blocks of a strip ascend in K.
 */
#include "sim_internal.h"

#include <stdlib.h>
#include <string.h>

struct range {
    uint32_t begin, end;
};

static int by_begin(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* Sorts ranges and joins those that touch; returns how many are left. */
static uint32_t join_ranges(struct range *r, uint32_t n)
{
    if (n == 0)
        return 0;
    qsort(r, n, sizeof *r, by_begin);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < n; i++) {
        if (r[i].begin > r[kept - 1].end)
            r[kept++] = r[i];
        else if (r[i].end > r[kept - 1].end)
            r[kept - 1].end = r[i].end;
    }
    return kept;
}

struct planner {
    const struct isa_group *g;
    struct isa_mapping m;
    uint32_t n_parts, n_runs;             /* pairs of a PE and one of its conv groups; their runs */
    struct range *rows, *blocks, *strips; /* rows: of the panel */
    uint32_t *row_at;                     /* where each begins in the panel */
    uint32_t n_rows, n_blocks_total, n_arrays, n_held;
};

/* Its image rows, in the columns of group q; returns how many runs. */
static uint32_t rows_of(const struct planner *w, const struct isa_pe *pe, uint32_t q,
                        struct range *out)
{
    uint32_t n = isa_pe_runs(pe);
    for (uint32_t i = 0; i < n; i++) {
        struct isa_run run = isa_pe_run(pe, i);
        out[i].begin = q * w->m.k + run.row;
        out[i].end = out[i].begin + run.rows;
    }
    return n;
}

/* Its image columns that are group q's. */
static struct range columns_of(const struct planner *w, const struct isa_pe *pe, uint32_t q)
{
    uint32_t begin = q * w->m.columns, end = begin + w->m.columns, last = pe->n0 + pe->n;
    return (struct range){pe->n0 > begin ? pe->n0 : begin, last < end ? last : end};
}

/* K rows that any PE of the group holds; the panel has these, packed in ascending order. */
static void find_rows(struct planner *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->g->n_pes; i++) {
        struct isa_span q = isa_mapping_groups(&w->m, &w->g->pes[i]);
        for (; q.from < q.to; q.from++)
            n += rows_of(w, &w->g->pes[i], q.from, w->rows + n);
    }
    w->n_rows = join_ranges(w->rows, n);
    for (uint32_t i = 1; i < w->n_rows; i++)
        w->row_at[i] = w->row_at[i - 1] + w->rows[i - 1].end - w->rows[i - 1].begin;
}

/* Of a row that some PE holds. */
static uint32_t panel_column(const struct planner *w, uint32_t k)
{
    uint32_t low = 0, high = w->n_rows;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (w->rows[middle].begin <= k)
            low = middle;
        else
            high = middle;
    }
    return w->row_at[low] + k - w->rows[low].begin;
}

static void add_segment(struct mvm_plan *plan, struct mvm_segment segment)
{
    segment.at = plan->panel_width;
    plan->panel_width += segment.taps * segment.n;
    plan->segments[plan->n_segments++] = segment;
}

/* Takes the first segment off a joined range of rows, which may go on from one conv group into the
 * next; false if the range is empty. */
static bool next_segment(const struct planner *w, struct range *r, struct mvm_segment *out)
{
    if (r->begin >= r->end)
        return false;
    uint32_t q = r->begin / w->m.k, first = q * w->m.k;
    uint32_t end = r->end < first + w->m.k ? r->end : first + w->m.k;
    struct isa_segment s = isa_mapping_segment(&w->m, q, r->begin - first, end - first);
    bool read = isa_mapping_reader(&w->m, 1, s.at.column) < w->m.patch[1];
    *out = (struct mvm_segment){.y = s.at.row,
                                .x = s.at.column,
                                .taps = s.positions,
                                .channel = s.at.channel - w->g->source_channel0,
                                .n = s.n,
                                .reader =
                                    read ? isa_mapping_reader(&w->m, 0, s.at.row) : w->m.patch[0]};
    r->begin += s.positions * s.n;
    return true;
}

static void plan_rows(const struct planner *w, struct range r, struct mvm_plan *plan)
{
    struct mvm_segment s;
    while (next_segment(w, &r, &s))
        add_segment(plan, s);
}

static uint64_t count_segments(const struct planner *w, struct range r)
{
    struct mvm_segment s;
    uint64_t n = 0;
    while (next_segment(w, &r, &s))
        n++;
    return n;
}

/* The blocks of image columns [n.begin, n.end), all held by the same PEs. */
static uint32_t strip_blocks(const struct planner *w, struct range n, struct range *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->g->n_pes; i++) {
        const struct isa_pe *pe = &w->g->pes[i];
        if (pe->n0 <= n.begin && n.end <= pe->n0 + pe->n)
            count += rows_of(w, pe, isa_mapping_group(&w->m, n.begin), out + count);
    }
    return join_ranges(out, count);
}

static bool same_blocks(const struct planner *w, const struct mvm_plan *plan,
                        const struct mvm_strip *s, const struct range *r, uint32_t n)
{
    if (s->n_blocks != n)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct mvm_block *b = &plan->blocks[s->first_block + i];
        if (b->at != panel_column(w, r[i].begin) || b->k != r[i].end - r[i].begin)
            return false;
    }
    return true;
}

static struct mvm_block block_of(const struct planner *w, struct range r)
{
    return (struct mvm_block){panel_column(w, r.begin), r.end - r.begin, r.begin % w->m.k};
}

/* The rows of each PE that holds image columns [n.begin, n.end), behind the arrays of the plan;
 * returns how many PEs. */
static uint32_t strip_arrays(struct planner *w, struct range n, struct mvm_plan *plan)
{
    uint32_t count = 0, held = w->n_held;
    for (uint32_t i = 0; i < w->g->n_pes; i++) {
        const struct isa_pe *pe = &w->g->pes[i];
        if (pe->n0 > n.begin || n.end > pe->n0 + pe->n)
            continue;
        uint32_t runs = rows_of(w, pe, isa_mapping_group(&w->m, n.begin), w->blocks);
        plan->arrays[w->n_arrays + count++] = (struct mvm_array){held, runs, pe->k, NULL};
        for (uint32_t r = 0; r < runs; r++)
            plan->held[held++] = block_of(w, w->blocks[r]);
    }
    return count;
}

static bool same_arrays(const struct planner *w, const struct mvm_plan *plan,
                        const struct mvm_strip *s, uint32_t n)
{
    bool same = s->n_arrays == n;
    for (uint32_t i = 0; i < n && same; i++) {
        const struct mvm_array *a = &plan->arrays[s->first_array + i];
        const struct mvm_array *b = &plan->arrays[w->n_arrays + i];
        same = a->n_blocks == b->n_blocks &&
               memcmp(&plan->held[a->first_block], &plan->held[b->first_block],
                      a->n_blocks * sizeof *plan->held) == 0;
    }
    return same;
}

static void plan_strip(struct planner *w, struct range n, struct mvm_plan *plan)
{
    uint32_t arrays = plan->arrays ? strip_arrays(w, n, plan) : 0;
    uint32_t count = strip_blocks(w, n, w->blocks);
    struct mvm_strip *last = plan->n_strips > 0 ? &plan->strips[plan->n_strips - 1] : NULL;
    if (last && last->n0 + last->n == n.begin && same_blocks(w, plan, last, w->blocks, count) &&
        same_arrays(w, plan, last, arrays)) {
        last->n += n.end - n.begin;
        return;
    }
    plan->strips[plan->n_strips++] =
        (struct mvm_strip){n.begin, n.end - n.begin, w->n_blocks_total, count, w->n_arrays, arrays};
    for (uint32_t i = 0; i < arrays; i++)
        w->n_held += plan->arrays[w->n_arrays++].n_blocks;
    for (uint32_t i = 0; i < count; i++)
        plan->blocks[w->n_blocks_total++] = block_of(w, w->blocks[i]);
}

/* Columns that no PE holds: of a patch they are 0, without one there are none. */
static void plan_gap(struct planner *w, uint32_t begin, uint32_t end, struct mvm_plan *plan)
{
    if (isa_has_patch(w->g) && begin < end)
        plan_strip(w, (struct range){begin, end}, plan);
}

/* N ranges of PEs are equal or disjoint: each distinct one in ascending order, and each conv group
 * in it, is tried as a strip, and so is what lies between. */
static void plan_strips(struct planner *w, struct mvm_plan *plan)
{
    uint32_t n = 0, end = 0, all = w->m.columns * isa_conv_groups(w->g);
    for (uint32_t i = 0; i < w->g->n_pes; i++) {
        struct isa_span q = isa_mapping_groups(&w->m, &w->g->pes[i]);
        for (; q.from < q.to; q.from++)
            w->strips[n++] = columns_of(w, &w->g->pes[i], q.from);
    }
    qsort(w->strips, n, sizeof *w->strips, by_begin);
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && w->strips[i].begin == w->strips[i - 1].begin)
            continue;
        plan_gap(w, end, w->strips[i].begin, plan);
        if (plan->depthwise.n == 0)
            plan_strip(w, w->strips[i], plan);
        end = w->strips[i].end;
    }
    plan_gap(w, end, all, plan);
}

/* How the group is read, if that is not exactly; room for the PEs' rows, if they matter. */
static void plan_reading(struct arena *a, const struct isa_program *p, const struct planner *w,
                         const struct sim_options *o, struct mvm_plan *plan)
{
    struct reading *reading = ARENA_NEW(a, struct reading);
    bool ordered = o->ordered_sums && p->images[w->g->image].element == ELEMENT_f32;
    if (reading_of(p, w->g, o->every_plane, reading))
        plan->reading = reading;
    else if (!ordered)
        return;
    plan->arrays = ARENA_ARRAY(a, struct mvm_array, w->n_parts);
    plan->held = ARENA_ARRAY(a, struct mvm_block, w->n_runs);
}

void mvm_plan_make(struct arena *a, const struct isa_program *p, const struct isa_group *g,
                   const struct sim_options *o, struct mvm_plan *plan)
{
    struct planner w = {.g = g, .m = isa_mapping_of(p, g)};
    for (uint32_t i = 0; i < g->n_pes; i++) {
        struct isa_span q = isa_mapping_groups(&w.m, &g->pes[i]);
        w.n_parts += q.to - q.from;
        w.n_runs += (q.to - q.from) * isa_pe_runs(&g->pes[i]);
    }
    w.rows = ARENA_ARRAY(a, struct range, w.n_runs);
    w.row_at = ARENA_ARRAY(a, uint32_t, w.n_runs);
    w.blocks = ARENA_ARRAY(a, struct range, w.n_runs);
    w.strips = ARENA_ARRAY(a, struct range, w.n_parts);
    find_rows(&w);
    *plan = (struct mvm_plan){.m = w.m,
                              .strips = ARENA_ARRAY(a, struct mvm_strip, 2 * w.n_parts + 1),
                              .blocks = ARENA_ARRAY(a, struct mvm_block, w.n_runs)};
    plan_reading(a, p, &w, o, plan);
    if (plan->arrays || !depthwise_plan(a, p, g, plan)) {
        uint64_t n_segments = 0;
        for (uint32_t i = 0; i < w.n_rows; i++)
            n_segments += count_segments(&w, w.rows[i]);
        plan->segments = ARENA_ARRAY(a, struct mvm_segment, n_segments);
        for (uint32_t i = 0; i < w.n_rows; i++)
            plan_rows(&w, w.rows[i], plan);
    }
    plan_strips(&w, plan);
}
