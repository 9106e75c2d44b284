/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views_panel.c - one schedule of a picture: what every tile does over time.
 *
 * A row is a tile, divided among its PEs from the first down, and below them its vector unit and
 * its ports into network and DRAM, where those take time. A bar is a run of sets of one copy of a
 * layer on its PEs, or of works of one value. Runs with gaps too small to see are one bar, the
 * fainter the more gaps it has. A strip below shows how many PEs work.
 */
#include "views_picture.h"

#include <math.h>

static const double STRIP = 44, HEAD = 34, ABOVE = 8, GAP = 8, BELOW = 40;
static const double LEAST_LABEL = 7; /* pixels */

static double rows_height(const struct picture *p)
{
    return p->row * p->n_tiles;
}

static double head_height(const struct picture *p)
{
    return p->has_heads ? HEAD : ABOVE;
}

double picture_panel_height(const struct picture *p)
{
    return head_height(p) + rows_height(p) + GAP + STRIP + BELOW;
}

static void draw_rect(struct picture *p, const char *class, double x, double y, double width,
                      double height)
{
    fprintf(p->out, "<rect class=\"%s\"", class);
    view_print_attribute(p->out, "x", x);
    view_print_attribute(p->out, "y", y);
    view_print_attribute(p->out, "width", width);
    view_print_attribute(p->out, "height", height);
    fputs("/>", p->out);
}

/* ---- axis, rows, strip ---- */

/* 1, 2 or 5 times a power of ten: the least with labels at least 90 pixels apart. */
static uint64_t tick_cycles(double scale)
{
    static const uint64_t factor[] = {1, 2, 5};
    uint64_t ten = 1;
    for (int i = 0;; i++) {
        uint64_t step = ten * factor[i % 3];
        if ((double)step * scale >= 90)
            return step;
        if (i % 3 == 2)
            ten *= 10;
    }
}

/* Beside a panel to the left there is room for none. */
static bool has_labels(const struct picture *p, int m)
{
    return p->left[m] == p->left[0];
}

static void draw_axis(struct picture *p, int m, double top)
{
    uint64_t step = tick_cycles(p->scale[m]);
    double bottom = top + rows_height(p) + GAP + STRIP, end = p->left[m] + p->width + 0.01, x;
    char text[32];
    for (uint64_t t = 0; (x = p->left[m] + (double)t * p->scale[m]) <= end; t += step) {
        fputs("<line class=\"g\"", p->out);
        view_print_attribute(p->out, "x1", x);
        view_print_attribute(p->out, "x2", x);
        view_print_attribute(p->out, "y1", top);
        view_print_attribute(p->out, "y2", bottom + 4);
        fputs("/>", p->out);
        picture_open_text(p, x, bottom + 16, "m");
        fprintf(p->out, "%s</text>\n", view_cycles_text(t, text));
    }
    if (has_labels(p, m)) {
        picture_open_text(p, p->left[m] - 8, bottom + 16, "e");
        fputs("cycles</text>\n", p->out);
    }
}

static double row_gap(const struct picture *p)
{
    return p->row >= 6 ? 1 : 0;
}

/* Where there is room for them. */
static void label_units(struct picture *p, int m, double top)
{
    static const char *const name[] = {"", "vector", "network", "DRAM"};
    for (int u = UNIT_VECTOR; u <= UNIT_DRAM; u++) {
        if (!p->unit_row[u] || p->unit_height < LEAST_LABEL)
            continue;
        picture_open_text(p, p->left[m] - 8,
                          top + p->pes_height + p->unit_row[u] * p->unit_height - 1, "e u");
        fprintf(p->out, "%s</text>", name[u]);
    }
}

static void draw_rows(struct picture *p, int m, double top)
{
    double width = (double)p->views->mode[m].result.makespan_cycles * p->scale[m];
    uint32_t step = view_label_step(p->row, 12);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        draw_rect(p, "b", p->left[m], top + i * p->row, width, p->row - row_gap(p));
        if (i % step == 0 && has_labels(p, m)) {
            picture_open_text(p, p->left[m] - 8, top + i * p->row + p->pes_height / 2 + 4, "e");
            fprintf(p->out, "tile %u</text>", i);
            label_units(p, m, top + i * p->row);
        }
        fputc('\n', p->out);
    }
}

/* Busy PEs over time; the strip's height is the most of all modes. */
static void draw_strip(struct picture *p, int m, double top)
{
    const struct backend_result *r = &p->views->mode[m].result;
    double width = (double)r->makespan_cycles * p->scale[m], *busy = p->busy[m];
    draw_rect(p, "b", p->left[m], top, width, STRIP);
    fputs("<path class=\"s\" d=\"M", p->out);
    view_print_number(p->out, p->left[m]);
    fputc(' ', p->out);
    view_print_number(p->out, top + STRIP);
    double before = NAN;
    for (int i = 0; i < STRIP_PARTS; i++) {
        double y = top + STRIP * (1 - busy[i] / p->most_busy);
        if (fabs(y - before) < 0.005)
            continue;
        fputc('H', p->out);
        view_print_number(p->out, p->left[m] + width * i / STRIP_PARTS);
        fputc('V', p->out);
        view_print_number(p->out, y);
        before = y;
    }
    fputc('H', p->out);
    view_print_number(p->out, p->left[m] + width);
    fputc('V', p->out);
    view_print_number(p->out, top + STRIP);
    fputs("z\"/>\n", p->out);
    if (!has_labels(p, m))
        return;
    picture_open_text(p, p->left[m] - 8, top + 10, "e");
    fprintf(p->out, "%.0f PEs</text>\n", p->most_busy);
    picture_open_text(p, p->left[m] - 8, top + STRIP, "e");
    fputs("busy 0</text>\n", p->out);
}

/* ---- bars ---- */

static void print_what(struct picture *p, int m, const struct view_run *r)
{
    static const char *const unit[] = {"", "vector unit", "network port", "DRAM port"};
    if (r->unit == UNIT_PE) {
        view_print_tail(p->out, p->views->mode[m].result.layers[r->layer].name, 2 * LEGEND_LETTERS);
        fprintf(p->out, " copy %u", r->copy);
    } else if (r->name) {
        view_print_tail(p->out, r->name, 2 * LEGEND_LETTERS);
        fprintf(p->out, ", %s of the %s", r->work, unit[r->unit]);
    } else {
        fprintf(p->out, "several values, %s", unit[r->unit]);
    }
}

static void print_title(struct picture *p, int m, const struct view_run *r, double busy)
{
    char from[32], to[32];
    fputs("<title>", p->out);
    print_what(p, m, r);
    fprintf(p->out, ": cycles %s-%s, %u %s%s, %.0f %% busy", view_cycles_text(r->start, from),
            view_cycles_text(r->end, to), r->n_sets, r->unit == UNIT_PE ? "set" : "step",
            r->n_sets == 1 ? "" : "s", 100 * busy);
    if (r->unit == UNIT_PE)
        fprintf(p->out, ", %u PE%s", r->n_pes, r->n_pes == 1 ? "" : "s");
    fprintf(p->out, ", tile %u", r->tile);
    if (p->by_frame)
        fprintf(p->out, ", image %u before the one that begins", r->frames_ago);
    fputs("</title>", p->out);
}

static void draw_bar(struct picture *p, int m, const struct view_run *r, double top)
{
    double pe = p->pes_height / (double)p->views->build->arch.crossbars;
    double busy = (double)r->busy_cycles / (double)(r->end - r->start);
    double y = top + r->tile * p->row;
    if (r->unit == UNIT_PE)
        y += r->first_pe * pe;
    else
        y += p->pes_height + (p->unit_row[r->unit] - 1) * p->unit_height;
    if (r->unit != UNIT_PE && r->layer == UINT32_MAX)
        fputs("<rect class=\"ax", p->out);
    else
        fprintf(p->out, "<rect class=\"%c%u", p->by_frame ? 'f' : 'a',
                p->by_frame ? r->frames_ago : r->layer);
    fprintf(p->out, " o%d\"", (int)fmin(busy * VIEW_OPACITIES, VIEW_OPACITIES - 1));
    view_print_attribute(p->out, "x", p->left[m] + (double)r->start * p->scale[m]);
    view_print_attribute(p->out, "y", y);
    view_print_attribute(p->out, "width", fmax((double)(r->end - r->start) * p->scale[m], 0.5));
    view_print_attribute(p->out, "height", r->unit == UNIT_PE ? r->n_pes * pe : p->unit_height);
    fputc('>', p->out);
    print_title(p, m, r, busy);
    fputs("</rect>\n", p->out);
}

static void print_head(struct picture *p, int m, double top)
{
    const struct backend_result *r = &p->views->mode[m].result, *other = &p->views->mode[!m].result;
    char text[32], time[32];
    const char *name = p->views->mode[m].name;
    picture_open_text(p, p->left[m], top + 22, "h");
    fprintf(p->out, "%c%s: %s cycles = %s", name[0] - 'a' + 'A', name + 1,
            view_cycles_text(r->makespan_cycles, text),
            view_time_text(r->makespan_cycles, p->views->build->arch.cycle_ps, time));
    if (r->makespan_cycles > 0)
        fprintf(p->out, ", PEs busy %.2f %% of the time", 100 * r->utilisation);
    if (m == 1 && r->makespan_cycles > 0)
        fprintf(p->out, ", %.2f times as fast",
                (double)other->makespan_cycles / (double)r->makespan_cycles);
    fputs("</text>\n", p->out);
}

void picture_draw_panel(struct picture *p, int m, const view_runs *runs, double top)
{
    if (p->has_heads)
        print_head(p, m, top);
    top += head_height(p);
    draw_rows(p, m, top);
    draw_strip(p, m, top + rows_height(p) + GAP);
    draw_axis(p, m, top);
    fputs("<g class=\"bars\">\n", p->out);
    for (size_t i = 0; i < runs->n; i++)
        draw_bar(p, m, &runs->at[i], top);
    fputs("</g>\n", p->out);
}
