/*
 * mvm_plan.c - how a group's products are made, worked out once.
 *
 * In: a group's PE table and mapping. Out: segments, which are gathered into the panel; strips of
 * columns with the blocks of rows that each sums. The panel has only the K rows that some PE of the
 * group holds. PEs that touch are merged: K ranges of equal N range into one block, equal lists of
 * blocks of adjacent N ranges into one strip. With conv groups, row k of group q is row q*K + k of
 * an image of all groups, one below the other, of which each strip meets one group's; only
 * depthwise convolution (one channel in and out) goes tap by tap over all channels.
 * Invariant: blocks of a strip ascend in K.
 */
#include "sim_internal.h"

#include "isa_mapping.h"

#include <stdlib.h>

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
    uint32_t n_parts;                     /* pairs of a PE and one of its conv groups */
    struct range *rows, *blocks, *strips; /* rows: of the panel */
    uint32_t n_rows, n_blocks_total;
};

/* Its image rows, in the column of group q. */
static struct range rows_of(const struct planner *w, const struct isa_pe *pe, uint32_t q)
{
    return (struct range){q * w->m.k + pe->k0, q * w->m.k + pe->k0 + pe->k};
}

/* Its image columns that are group q's. */
static struct range columns_of(const struct planner *w, const struct isa_pe *pe, uint32_t q)
{
    uint32_t begin = q * w->m.columns, end = begin + w->m.columns, last = pe->n0 + pe->n;
    return (struct range){pe->n0 > begin ? pe->n0 : begin, last < end ? last : end};
}

/* K rows that any PE of the group holds; the panel has these, packed in ascending order. */
static uint32_t needed_rows(const struct planner *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->g->n_pes; i++) {
        struct isa_span q = isa_mapping_groups(&w->m, &w->g->pes[i]);
        for (; q.from < q.to; q.from++)
            w->rows[n++] = rows_of(w, &w->g->pes[i], q.from);
    }
    return join_ranges(w->rows, n);
}

static uint32_t panel_column(const struct range *rows, uint32_t n, uint32_t k)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (k < rows[i].end)
            return at + k - rows[i].begin;
        at += rows[i].end - rows[i].begin;
    }
    BUG("K row %u is in no range", k);
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
    *out = (struct mvm_segment){.kh = s.tap.row,
                                .kw = s.tap.column,
                                .taps = s.taps,
                                .channel = s.tap.channel - w->g->source_channel0,
                                .n = s.n};
    r->begin += s.taps * s.n;
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
            out[count++] = rows_of(w, pe, isa_mapping_group(&w->m, n.begin));
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
        if (b->at != panel_column(w->rows, w->n_rows, r[i].begin) || b->k != r[i].end - r[i].begin)
            return false;
    }
    return true;
}

static void plan_strip(struct planner *w, struct range n, struct mvm_plan *plan)
{
    uint32_t count = strip_blocks(w, n, w->blocks);
    struct mvm_strip *last = plan->n_strips > 0 ? &plan->strips[plan->n_strips - 1] : NULL;
    if (last && last->n0 + last->n == n.begin && same_blocks(w, plan, last, w->blocks, count)) {
        last->n += n.end - n.begin;
        return;
    }
    plan->strips[plan->n_strips++] =
        (struct mvm_strip){n.begin, n.end - n.begin, w->n_blocks_total, count};
    for (uint32_t i = 0; i < count; i++)
        plan->blocks[w->n_blocks_total++] =
            (struct mvm_block){panel_column(w->rows, w->n_rows, w->blocks[i].begin),
                               w->blocks[i].end - w->blocks[i].begin, w->blocks[i].begin % w->m.k};
}

/* N ranges of PEs are equal or disjoint: each distinct one in ascending order, and each conv group
 * in it, is tried as a strip. */
static void plan_strips(struct planner *w, struct mvm_plan *plan)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->g->n_pes; i++) {
        struct isa_span q = isa_mapping_groups(&w->m, &w->g->pes[i]);
        for (; q.from < q.to; q.from++)
            w->strips[n++] = columns_of(w, &w->g->pes[i], q.from);
    }
    qsort(w->strips, n, sizeof *w->strips, by_begin);
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || w->strips[i].begin != w->strips[i - 1].begin)
            plan_strip(w, w->strips[i], plan);
}

/* One channel in and out of each conv group, all taps of a channel in one PE. */
static bool is_depthwise(const struct planner *w)
{
    bool ok = isa_conv_groups(w->g) > 1 && w->m.channels == 1 && w->m.columns == 1;
    for (uint32_t i = 0; i < w->g->n_pes && ok; i++)
        ok = w->g->pes[i].k == w->m.k;
    return ok;
}

/* Columns of the group's PEs are adjacent, so are the channels they read: the same numbers. */
static void plan_depthwise(const struct planner *w, struct mvm_plan *plan)
{
    const struct isa_group *g = w->g;
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n_pes; i++)
        n += g->pes[i].n;
    plan->depthwise = true;
    for (uint32_t k = 0; k < w->m.k; k++) {
        struct isa_tap tap = isa_mapping_tap(&w->m, 0, k);
        add_segment(plan, (struct mvm_segment){.kh = tap.row,
                                               .kw = tap.column,
                                               .taps = 1,
                                               .channel = g->channel0 - g->source_channel0,
                                               .n = n});
    }
    plan->strips[plan->n_strips++] = (struct mvm_strip){.n0 = g->channel0, .n = n};
}

void mvm_plan_make(struct arena *a, const struct isa_program *p, const struct isa_group *g,
                   struct mvm_plan *plan)
{
    struct planner w = {.g = g, .m = isa_mapping_of(p, g)};
    for (uint32_t i = 0; i < g->n_pes; i++) {
        struct isa_span q = isa_mapping_groups(&w.m, &g->pes[i]);
        w.n_parts += q.to - q.from;
    }
    w.rows = ARENA_ARRAY(a, struct range, w.n_parts);
    w.blocks = ARENA_ARRAY(a, struct range, w.n_parts);
    w.strips = ARENA_ARRAY(a, struct range, w.n_parts);
    w.n_rows = needed_rows(&w);
    bool depthwise = is_depthwise(&w);
    uint64_t n_segments = depthwise ? w.m.k : 0; /* a tap each, or runs of rows */
    for (uint32_t i = 0; i < w.n_rows && !depthwise; i++)
        n_segments += count_segments(&w, w.rows[i]);
    *plan = (struct mvm_plan){.segments = ARENA_ARRAY(a, struct mvm_segment, n_segments),
                              .strips = ARENA_ARRAY(a, struct mvm_strip, w.n_parts),
                              .blocks = ARENA_ARRAY(a, struct mvm_block, w.n_parts)};
    if (depthwise) {
        plan_depthwise(&w, plan);
        return;
    }
    for (uint32_t i = 0; i < w.n_rows; i++)
        plan_rows(&w, w.rows[i], plan);
    plan_strips(&w, plan);
}
