/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_path.c - the report's slowest path: the chain of work that makes the schedule as long as it
 * is.
 *
 * In: backend_detail.path, gapless from 0 to the makespan.
 */
#include "page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ENTRIES = 300, WIDTH = 1190, MOST_BOXES = 3000 };

static uint64_t cycles_of(const struct path_report *e)
{
    return e->end_cycle - e->start_cycle;
}

/* ---- by layer and kind of work ---- */

enum page_work page_work_of(const struct path_report *e)
{
    static const struct {
        const char *name;
        enum page_work work;
    } names[] = {{"MVM", WORK_MVM},   {"send", WORK_NETWORK}, {"send partial sums", WORK_NETWORK},
                 {"load", WORK_DRAM}, {"store", WORK_DRAM},   {"barrier", WORK_BARRIER}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(e->work, names[i].name) == 0)
            return names[i].work;
    return WORK_VECTOR;
}

static int compare_work(const void *a, const void *b)
{
    const struct path_report *const *x = a, *const *y = b;
    int c = strcmp((*x)->name, (*y)->name);
    c = c ? c : strcmp((*x)->work, (*y)->work);
    return c ? c : *x < *y ? -1 : 1; /* elements of one array */
}

static int compare_cycles(const void *a, const void *b)
{
    const struct page_share *x = a, *y = b;
    if (x->cycles != y->cycles)
        return x->cycles > y->cycles ? -1 : 1;
    return x->first < y->first ? -1 : 1;
}

size_t page_path_shares(const struct backend_detail *d, struct page_share *out)
{
    const struct path_report **sorted = heap_alloc((d->n_path + 1) * sizeof *sorted);
    size_t n = 0;
    for (uint32_t i = 0; i < d->n_path; i++)
        sorted[i] = &d->path[i];
    qsort(sorted, d->n_path, sizeof *sorted, compare_work);
    for (uint32_t i = 0; i < d->n_path; i++) {
        const struct path_report *e = sorted[i];
        if (i == 0 || strcmp(sorted[i - 1]->name, e->name) != 0 ||
            strcmp(sorted[i - 1]->work, e->work) != 0)
            out[n++] = (struct page_share){.first = e};
        out[n - 1].n_steps += e->n_steps;
        out[n - 1].n_input_waits += e->n_input_waits;
        out[n - 1].cycles += cycles_of(e);
    }
    heap_free(sorted);
    qsort(out, n, sizeof *out, compare_cycles);
    return n;
}

static void print_shares(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    struct page_share *shares = heap_alloc((d->n_path + 1) * sizeof *shares);
    size_t n = page_path_shares(d, shares);
    page_open_table(p, "<layer|<work|cycles|of all|steps|waited");
    for (size_t i = 0; i < n && i < MOST_ENTRIES; i++) {
        fputs("<tr>", p->out);
        page_cell_layer(p, shares[i].first->layer, shares[i].first->name);
        page_cell_text(p, shares[i].first->work);
        page_cell_number(p, shares[i].cycles);
        page_cell_percent(p, (double)shares[i].cycles / (double)p->result->makespan_cycles);
        page_cell_number(p, shares[i].n_steps);
        page_cell_number(p, shares[i].n_input_waits);
        fputs("</tr>\n", p->out);
    }
    page_close_table(p);
    heap_free(shares);
}

/* ---- over time ---- */

/* Entries [lo, hi) as one box, which has the colour of the longest. */
static void draw_entries(const struct page *p, uint32_t lo, uint32_t hi, double scale)
{
    const struct path_report *e = &p->result->detail->path[lo], *last = e + (hi - lo) - 1;
    const struct path_report *longest = e;
    char from[32], to[32];
    for (const struct path_report *x = e; x <= last; x++)
        longest = cycles_of(x) > cycles_of(longest) ? x : longest;
    fputs("<rect class=\"c ", p->out);
    page_print_colour(p, longest->layer);
    fputs("\" y=\"6\" height=\"32\"", p->out);
    view_print_attribute(p->out, "x", 4 + (double)e->start_cycle * scale);
    view_print_attribute(p->out, "width",
                         fmax((double)(last->end_cycle - e->start_cycle) * scale, 0.3));
    fputs("><title>", p->out);
    view_print_tail(p->out, longest->name, 60);
    fprintf(p->out, ": %s on tile %u", longest->work, longest->tile);
    if (e != last)
        fprintf(p->out, " and %td more", last - e);
    fprintf(p->out, ", cycles %s-%s</title></rect>\n", view_cycles_text(e->start_cycle, from),
            view_cycles_text(last->end_cycle, to));
}

static void draw_ribbon(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    double scale = (double)WIDTH / (double)p->result->makespan_cycles;
    double least = d->n_path > MOST_BOXES ? (double)WIDTH / MOST_BOXES : 0; /* width of a box */
    char text[48], to[32];
    page_open_svg(p, WIDTH + 10, 60, "the slowest path over time");
    for (uint32_t lo = 0, hi; lo < d->n_path; lo = hi) {
        uint64_t start = d->path[lo].start_cycle;
        for (hi = lo + 1; hi < d->n_path; hi++)
            if ((double)(d->path[hi - 1].end_cycle - start) * scale >= least)
                break;
        draw_entries(p, lo, hi, scale);
    }
    page_svg_text(p, 4, 54, "start", "cycle 0");
    snprintf(text, sizeof text, "cycle %s", view_cycles_text(p->result->makespan_cycles, to));
    page_svg_text(p, 4 + WIDTH, 54, "end", text);
    page_close_svg(p);
}

static int compare_length(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

/* The least cycles of an entry that is shown. */
static uint64_t find_limit(const struct backend_detail *d)
{
    uint64_t *cycles = heap_alloc((d->n_path + 1) * sizeof *cycles);
    for (uint32_t i = 0; i < d->n_path; i++)
        cycles[i] = cycles_of(&d->path[i]);
    qsort(cycles, d->n_path, sizeof *cycles, compare_length);
    uint64_t limit = d->n_path > MOST_ENTRIES ? cycles[MOST_ENTRIES - 1] : 0;
    heap_free(cycles);
    return limit;
}

static void print_entries(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    uint64_t limit = find_limit(d), left_out = 0;
    uint32_t n = 0;
    page_open_table(p, "from|to|cycles|<layer|<work|tile|steps|waited");
    for (uint32_t i = 0; i < d->n_path; i++) {
        const struct path_report *e = &d->path[i];
        if (cycles_of(e) < limit || n == MOST_ENTRIES) {
            left_out += cycles_of(e);
            continue;
        }
        n++;
        fputs("<tr>", p->out);
        page_cell_number(p, e->start_cycle);
        page_cell_number(p, e->end_cycle);
        page_cell_number(p, cycles_of(e));
        page_cell_layer(p, e->layer, e->name);
        page_cell_text(p, e->work);
        page_cell_number(p, e->tile);
        page_cell_number(p, e->n_steps);
        page_cell_number(p, e->n_input_waits);
        fputs("</tr>\n", p->out);
    }
    page_close_table(p);
    char text[32];
    if (n < d->n_path)
        fprintf(p->out,
                "<p class=\"note\">The %u longest of %u entries, in order of time; the others take "
                "%s cycles together.</p>\n",
                n, d->n_path, view_cycles_text(left_out, text));
}

void page_path(const struct page *p)
{
    page_open_section(
        p, "path", "Slowest path",
        "Why the schedule is not shorter: a chain of work without a gap from cycle 0 to the "
        "makespan. Each step began when the one before it ended: its PEs or its unit were busy "
        "with that, or it needed the result and its unit was idle (<b>waited</b>: how many of the "
        "steps). Making something faster that is not on this path does not make the schedule "
        "shorter. <b>MVM</b>: crossbar products. Grey: work that is not a base layer's.");
    if (p->result->makespan_cycles > 0) {
        draw_ribbon(p);
        fputs("<div class=\"columns low\"><div><h3>What is on the path</h3>\n", p->out);
        print_shares(p);
        fputs("</div><div><h3>The path in order of time</h3>\n", p->out);
        print_entries(p);
        fputs("</div></div>\n", p->out);
    } else {
        fputs("<p>The makespan is 0: nothing takes time.</p>\n", p->out);
    }
    page_close_section(p);
}
