/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* sweep_table.c - a sweep for people: a line a point, as it is made. */
#include "sweep_table.h"

#include <string.h>

enum { MOST_LABEL = 40 };

/* Behind "arch-field.": what people call it. */
static const char *title_of(const struct sweep_axis *axis)
{
    const char *dot = strchr(axis->name, '.');
    return dot ? dot + 1 : axis->name;
}

/* Models are told apart by what is behind the folder that all are in. */
static const char *label_at(const struct sweep_plan *p, const struct sweep_axis *axis, size_t value)
{
    return axis->values.at[value].label + (axis->option ? 0 : p->folder);
}

static int width_of(const struct sweep_plan *p, const struct sweep_axis *axis)
{
    int width = plain_columns(title_of(axis));
    for (size_t i = 0; i < axis->values.n; i++) {
        int n = plain_columns(label_at(p, axis, i));
        width = n > width ? n : width;
    }
    return width < MOST_LABEL ? width : MOST_LABEL;
}

/* All points have it: it is no column. */
static bool is_same(const struct sweep_axis *axis)
{
    return axis->values.n == 1;
}

static void print_cell(const char *text, int width, FILE *out)
{
    print_plain(text, out);
    fprintf(out, "%*s  ", width > plain_columns(text) ? width - plain_columns(text) : 0, "");
}

/* Of these options there may be frames; a model's own batch is not known yet. */
static bool has_frames(const struct sweep_plan *p)
{
    bool found = p->options.frames > 0;
    for (size_t i = 0; i < p->axes.n; i++)
        found |= strcmp(p->axes.at[i].name, "frames") == 0;
    return found;
}

void sweep_table_head(const struct sweep_plan *p, FILE *out)
{
    for (size_t i = 0; i < p->axes.n; i++) {
        const struct sweep_axis *axis = &p->axes.at[i];
        if (is_same(axis))
            continue;
        print_cell(title_of(axis), width_of(p, axis), out);
    }
    fprintf(out, "%7s %12s %10s %8s %12s", "PEs", "cycles", "time", "speedup", "utilisation");
    fprintf(out, has_frames(p) ? " %12s\n" : "%s\n", has_frames(p) ? "interval" : "");
}

void sweep_table_point(const struct sweep_plan *p, uint64_t point, FILE *out)
{
    for (size_t i = 0; i < p->axes.n; i++) {
        const struct sweep_axis *axis = &p->axes.at[i];
        if (is_same(axis))
            continue;
        size_t value = (size_t)(sweep_value_of(p, i, point) - axis->values.at);
        print_cell(label_at(p, axis, value), width_of(p, axis), out);
    }
}

/* "4.75 ms" */
static void print_time(double seconds, FILE *out)
{
    static const char *const units[] = {"s", "ms", "us", "ns"};
    size_t u = 0;
    while (u < 3 && seconds < 1) {
        seconds *= 1000;
        u++;
    }
    fprintf(out, " %7.*f %-2s", seconds < 10 ? 3 : seconds < 100 ? 2 : 1, seconds, units[u]);
}

void sweep_table_result(const struct sweep_plan *p, const struct cimc_program_info *r, FILE *out)
{
    uint64_t cycles = r->frames ? r->scheduled_cycles : r->makespan_cycles;
    fprintf(out, "%7llu %12llu", (unsigned long long)r->pes, (unsigned long long)cycles);
    print_time(1e-12 * (double)r->cycle_ps * (double)cycles, out);
    fprintf(out, " %8.2f %10.1f %%", r->speedup, 100 * r->utilisation);
    if (has_frames(p) && r->frames)
        fprintf(out, " %12llu", (unsigned long long)r->interval_cycles);
    fputc('\n', out);
}

void sweep_table_failure(const struct diag *d, FILE *out)
{
    const struct diag_entry *e = d->first;
    while (e && e->severity != DIAG_ERROR)
        e = e->next;
    fputs(" failed: ", out);
    print_plain(e ? e->text : "internal error", out);
    fputc('\n', out);
}
