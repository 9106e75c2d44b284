/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views.c - a schedule to look at: which views are asked for, the second schedule that they compare
 * with, and sets merged into bars.
 *
 * In: a compiled build whose backend_result has its sets. Out: files. The other mode (layer by
 * layer beside cross-layer, or the reverse) is scheduled here, with the same copies and sets.
 */
#include "page.h"

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

static int compare_work(const void *a, const void *b)
{
    const struct work_report *x = a, *y = b;
    int c = compare_u64(x->tile, y->tile);
    c = c ? c : compare_u64(x->unit, y->unit);
    c = c ? c : compare_u64(x->start_cycle, y->start_cycle);
    return c ? c : compare_u64(x->task, y->task);
}

void view_sort(struct backend_result *r)
{
    if (r->n_sets)
        qsort(r->sets, r->n_sets, sizeof *r->sets, compare_place);
    if (r->n_works)
        qsort(r->works, r->n_works, sizeof *r->works, compare_work);
}

static struct view_run run_of_set(const struct set_report *s)
{
    return (struct view_run){.unit = UNIT_PE,
                             .layer = s->layer,
                             .copy = s->copy,
                             .tile = s->tile,
                             .first_pe = s->first_pe,
                             .n_pes = s->n_pes,
                             .n_sets = 1,
                             .frames_ago = s->frames_ago,
                             .task = s->task,
                             .waited_for = s->waited_for,
                             .y = s->y,
                             .x = s->x,
                             .h = s->h,
                             .w = s->w,
                             .start = s->start_cycle,
                             .end = s->end_cycle,
                             .busy_cycles = s->end_cycle - s->start_cycle};
}

static struct view_run run_of_work(const struct work_report *w)
{
    return (struct view_run){.unit = w->unit,
                             .name = w->name,
                             .work = w->work,
                             .layer = w->layer,
                             .tile = w->tile,
                             .n_sets = 1,
                             .task = w->task,
                             .waited_for = w->waited_for,
                             .start = w->start_cycle,
                             .end = w->end_cycle,
                             .busy_cycles = w->end_cycle - w->start_cycle};
}

static bool are_alike(const struct view_run *a, const struct view_run *b)
{
    if (a->unit != UNIT_PE)
        return a->name == b->name && a->work == b->work;
    return a->first_pe == b->first_pe && a->n_pes == b->n_pes && a->layer == b->layer &&
           a->copy == b->copy && a->frames_ago == b->frames_ago;
}

/* Works too short to be seen: what they are of does not matter. */
static bool are_small(const struct view_run *a, const struct view_run *b, uint64_t gap_cycles)
{
    return a->unit != UNIT_PE && (!a->name || a->end - a->start <= gap_cycles) &&
           b->end - b->start <= gap_cycles;
}

static void add_run(const struct view_run *r, uint64_t gap_cycles, view_runs *out)
{
    struct view_run *last = out->n ? &out->at[out->n - 1] : NULL;
    bool is_near = last && last->tile == r->tile && last->unit == r->unit &&
                   r->start >= last->end && r->start - last->end <= gap_cycles;
    if (!is_near || (!are_alike(last, r) && !are_small(last, r, gap_cycles))) {
        VEC_PUSH(out, *r);
        return;
    }
    if (!are_alike(last, r)) {
        last->name = last->work = NULL;
        last->layer = UINT32_MAX;
    }
    last->n_sets++;
    last->end = r->end;
    last->busy_cycles += r->busy_cycles;
}

void view_each(const struct backend_result *r, view_runs *out)
{
    out->n = 0;
    VEC_RESERVE(out, (size_t)r->n_sets + r->n_works);
    for (uint32_t i = 0; i < r->n_sets; i++)
        VEC_PUSH(out, run_of_set(&r->sets[i]));
    for (uint32_t i = 0; i < r->n_works; i++)
        VEC_PUSH(out, run_of_work(&r->works[i]));
}

/* Merges what has gaps of at most `gap_cycles` between it. */
static void merge(const struct backend_result *r, uint64_t gap_cycles, view_runs *out)
{
    out->n = 0;
    for (uint32_t i = 0; i < r->n_sets; i++) {
        struct view_run run = run_of_set(&r->sets[i]);
        add_run(&run, gap_cycles, out);
    }
    for (uint32_t i = 0; i < r->n_works; i++) {
        struct view_run run = run_of_work(&r->works[i]);
        add_run(&run, gap_cycles, out);
    }
}

void view_merge_to(const struct backend_result *r, uint64_t gap_cycles, size_t most_runs,
                   view_runs *out)
{
    merge(r, gap_cycles, out);
    while (out->n > most_runs && gap_cycles < r->makespan_cycles) {
        gap_cycles = gap_cycles ? 2 * gap_cycles : 1;
        merge(r, gap_cycles, out);
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
        view_sort(&v.mode[m].result);
    if (ok && s->schedule_svg)
        ok = view_write_svg(&v, (enum view_layout)s->svg_layout, s->schedule_svg, d);
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
