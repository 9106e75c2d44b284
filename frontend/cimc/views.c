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

/* A build does not change by being looked at. */
static void copy_sets(struct backend_result *r, struct arena *a)
{
    struct set_report *sets = ARENA_ARRAY(a, struct set_report, r->n_sets);
    struct work_report *works = ARENA_ARRAY(a, struct work_report, r->n_works);
    if (r->n_sets)
        memcpy(sets, r->sets, r->n_sets * sizeof *sets);
    if (r->n_works)
        memcpy(works, r->works, r->n_works * sizeof *works);
    r->sets = sets;
    r->works = works;
}

/* Both modes, of which the build has one. */
static bool make_views(struct views *v, const struct build *b, const struct cimc_options *s,
                       struct diag *d)
{
    struct backend_options o = driver_backend_options(b, s);
    bool is_cross = o.mode == SCHEDULE_CROSS_LAYER;
    *v = (struct views){.build = b, .mode = {{.name = "layer by layer"}, {.name = "cross-layer"}}};
    v->mode[is_cross].result = b->backend;
    copy_sets(&v->mode[is_cross].result, b->arena);
    o.mode = is_cross ? SCHEDULE_LAYER_BY_LAYER : SCHEDULE_CROSS_LAYER;
    o.report_sets = true;
    o.report_detail = o.print_plan = false;
    o.frames = 0; /* one image in each mode */
    if (!backend_schedule(b->graph, &b->arch, &o, b->arena, &v->mode[!is_cross].result, d))
        return false;
    for (int m = 0; m < VIEW_MODES; m++)
        view_sort(&v->mode[m].result);
    return true;
}

static bool print_picture(const struct views *v, const struct cimc_options *s, enum cimc_form form,
                          FILE *out, struct diag *d)
{
    if (form == CIMC_HTML || form == CIMC_REPORT)
        return page_print(v, s, form, out, d);
    if (form == CIMC_SVG)
        view_print_svg(v, (enum view_layout)s->svg_layout, out);
    else
        view_print_trace(v, out);
    return true;
}

/* What was kept for it when the build was made. */
static bool is_kept(const struct build *b, enum cimc_form form, struct diag *d)
{
    const struct backend_result *r = &b->backend;
    bool wants_detail = form == CIMC_HTML || form == CIMC_REPORT || form == CIMC_TRACE;
    const char *option = form == CIMC_PLAN            ? r->plan ? NULL : "keep_plan"
                         : r->n_layers && !r->sets    ? "keep_schedule"
                         : wants_detail && !r->detail ? "keep_detail"
                                                      : NULL;
    return !option || diag_error(d, (struct loc){0}, DIAG_USAGE,
                                 "the program was compiled without %s", option);
}

bool views_print(const struct build *b, const struct cimc_options *s, enum cimc_form form,
                 FILE *out, struct diag *d)
{
    struct views v;
    if (!is_kept(b, form, d))
        return false;
    switch (form) {
    case CIMC_CSV: view_print_csv(b, out); return true;
    case CIMC_PLAN: fputs(b->backend.plan, out); return true;
    default: return make_views(&v, b, s, d) && print_picture(&v, s, form, out, d);
    }
}

/* Each file that is asked for, as what it shows. `v`: of those that show both modes. */
static bool write_file(const struct build *b, const struct views *v, const struct cimc_options *s,
                       enum cimc_form form, const char *path, struct diag *d)
{
    struct out o;
    if (!path)
        return true;
    if (!out_open(&o, path, d))
        return false;
    if (v ? print_picture(v, s, form, o.f, d) : views_print(b, s, form, o.f, d))
        return out_commit(&o, d);
    out_discard(&o);
    return false;
}

bool views_write(const struct build *b, const struct cimc_options *s, struct diag *d)
{
    struct views v;
    if (!write_file(b, NULL, s, CIMC_CSV, s->schedule_out, d) ||
        !write_file(b, NULL, s, CIMC_PLAN, s->print_plan, d))
        return false;
    if (!s->schedule_svg && !s->trace && !s->report)
        return true;
    return is_kept(b, s->report || s->trace ? CIMC_HTML : CIMC_SVG, d) && make_views(&v, b, s, d) &&
           write_file(b, &v, s, CIMC_SVG, s->schedule_svg, d) &&
           write_file(b, &v, s, CIMC_TRACE, s->trace, d) &&
           write_file(b, &v, s, CIMC_HTML, s->report, d);
}
