/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views.c - a schedule to look at: which views are asked for, the second schedule that they compare
 * with, and sets merged into bars.
 *
 * In: a compiled build whose backend_result has its sets. Out: files. The other mode (layer by
 * layer beside cross-layer, or the reverse) is scheduled here, with the same copies and sets.
 */
#include "views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool views_wanted(const struct cimc_options *s)
{
    return s->schedule_out || s->schedule_svg || s->trace || s->report;
}

/* ---- bars ---- */

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_place(const void *a, const void *b)
{
    const struct set_report *x = a, *y = b;
    int c = compare_u64(x->tile, y->tile);
    c = c ? c : compare_u64(x->first_pe, y->first_pe);
    c = c ? c : compare_u64(x->start_cycle, y->start_cycle);
    c = c ? c : compare_u64(x->layer, y->layer);
    return c ? c : compare_u64(x->copy, y->copy);
}

static bool joins(const struct view_run *r, const struct set_report *s, uint64_t gap_cycles)
{
    return r->tile == s->tile && r->first_pe == s->first_pe && r->n_pes == s->n_pes &&
           r->layer == s->layer && r->copy == s->copy && r->frames_ago == s->frames_ago &&
           s->start_cycle >= r->end && s->start_cycle - r->end <= gap_cycles;
}

static struct view_run run_of(const struct set_report *s)
{
    return (struct view_run){.layer = s->layer,
                             .copy = s->copy,
                             .tile = s->tile,
                             .first_pe = s->first_pe,
                             .n_pes = s->n_pes,
                             .n_sets = 1,
                             .frames_ago = s->frames_ago,
                             .y = s->y,
                             .x = s->x,
                             .h = s->h,
                             .w = s->w,
                             .start = s->start_cycle,
                             .end = s->end_cycle,
                             .busy_cycles = s->end_cycle - s->start_cycle};
}

void view_each(const struct backend_result *r, view_runs *out)
{
    out->n = 0;
    VEC_RESERVE(out, r->n_sets);
    for (uint32_t i = 0; i < r->n_sets; i++)
        VEC_PUSH(out, run_of(&r->sets[i]));
}

/* Merges sets with gaps of at most `gap_cycles` between them. */
static void merge(const struct backend_result *r, uint64_t gap_cycles, view_runs *out)
{
    out->n = 0;
    for (uint32_t i = 0; i < r->n_sets; i++) {
        const struct set_report *s = &r->sets[i];
        struct view_run *last = out->n ? &out->at[out->n - 1] : NULL;
        if (!last || !joins(last, s, gap_cycles)) {
            VEC_PUSH(out, run_of(s));
            continue;
        }
        last->n_sets++;
        last->end = s->end_cycle;
        last->busy_cycles += s->end_cycle - s->start_cycle;
    }
}

void view_merge_to(const struct views *v, const uint64_t gap_cycles[VIEW_MODES], size_t most_runs,
                   view_runs out[VIEW_MODES])
{
    uint64_t gap[VIEW_MODES];
    memcpy(gap, gap_cycles, sizeof gap);
    for (;;) {
        size_t n = 0;
        bool can_grow = false;
        for (int m = 0; m < VIEW_MODES; m++) {
            const struct backend_result *r = &v->mode[m].result;
            merge(r, gap[m], &out[m]);
            n += out[m].n;
            can_grow |= gap[m] < r->makespan_cycles;
            gap[m] = gap[m] ? 2 * gap[m] : 1;
        }
        if (n <= most_runs || !can_grow)
            return;
    }
}

void view_profile(const struct backend_result *r, size_t n, double *out)
{
    double width = (double)r->makespan_cycles / (double)n;
    memset(out, 0, n * sizeof *out);
    for (uint32_t i = 0; i < r->n_sets; i++) {
        const struct set_report *s = &r->sets[i];
        double start = (double)s->start_cycle / width, end = (double)s->end_cycle / width;
        for (size_t k = (size_t)start; k < n && (double)k < end; k++)
            out[k] += s->n_pes * (fmin(end, (double)k + 1) - fmax(start, (double)k));
    }
}

const char *view_cycles_text(uint64_t cycles, char out[32])
{
    char digits[24];
    size_t n = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)cycles), at = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
    return out;
}

/* ---- both modes ---- */

void view_sort_sets(struct set_report *sets, uint32_t n)
{
    if (n)
        qsort(sets, n, sizeof *sets, compare_place);
}

static bool write_pictures(const struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct backend_options o = driver_backend_options(b, s);
    bool is_cross = o.mode == SCHEDULE_CROSS_LAYER;
    struct views v = {.build = b, .mode = {{.name = "layer by layer"}, {.name = "cross-layer"}}};
    struct backend_result *other = &v.mode[!is_cross].result;
    v.mode[is_cross].result = b->backend;
    o.mode = is_cross ? SCHEDULE_LAYER_BY_LAYER : SCHEDULE_CROSS_LAYER;
    o.report_detail = false;
    o.frames = 0; /* one image in each mode */
    bool ok = backend_schedule(b->graph, &b->arch, &o, b->arena, other, d);
    for (int m = 0; m < VIEW_MODES && ok; m++)
        view_sort_sets(v.mode[m].result.sets, v.mode[m].result.n_sets);
    if (ok && s->schedule_svg)
        ok = view_write_svg(&v, s->svg_layout == 1 ? VIEW_STACKED : VIEW_SIDE, s->schedule_svg, d);
    if (ok && s->trace)
        ok = view_write_trace(&v, s->trace, d);
    if (ok && s->report)
        ok = page_write(&v, s, s->report, d);
    return ok;
}

bool views_write(const struct build *b, const struct cimc_options *s, struct diag *d)
{
    if (s->schedule_out && !view_write_csv(b, s->schedule_out, d))
        return false;
    if (s->print_plan && !driver_write_plan(&b->backend, s->print_plan, d))
        return false;
    return (!s->schedule_svg && !s->trace && !s->report) || write_pictures(b, s, d);
}
