/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views_svg.c - schedules as SVG pictures: both in a file with a legend beside them, or one alone
 * for a page, which has the rest.
 *
 * A picture is as wide as there is room (viewBox). Colours are classes (views_style.c); a layer has
 * the same one in both modes.
 */
#include "views_picture.h"

#include <math.h>
#include <stdlib.h>

/* Pixels. */
static const double LEFT = 74, RIGHT = 32, BETWEEN = 50, TITLE = 66, SMALLEST_GAP = 0.7;
static const double PANEL_WIDTH = 1100, LEGEND_WIDTH = 330, LEGEND_LINE = 16;
static const double LEGEND_HEAD = 40, UNIT_SHARE = 0.18;
enum {
    MOST_COLUMNS = 2, /* of the legend */
    MOST_BARS = 4000, /* of a panel; about 180 bytes each */
};

void picture_open_text(struct picture *p, double x, double y, const char *class)
{
    fputs("<text", p->out);
    view_print_attribute(p->out, "x", x);
    view_print_attribute(p->out, "y", y);
    fprintf(p->out, " class=\"%s\">", class);
}

/* ---- sizes ---- */

static const struct backend_result *result_of(const struct picture *p, int m)
{
    return &p->views->mode[m].result;
}

static void find_rows(struct picture *p)
{
    static const struct {
        uint32_t most_tiles;
        double row;
    } sizes[] = {{10, 44}, {20, 26}, {48, 17}, {150, 9}};
    int n_units = 0;
    for (int m = 0; m < VIEW_MODES; m++) {
        p->n_tiles = result_of(p, m)->n_tiles > p->n_tiles ? result_of(p, m)->n_tiles : p->n_tiles;
        for (uint32_t i = 0; i < result_of(p, m)->n_works; i++)
            p->unit_row[result_of(p, m)->works[i].unit] = 1;
    }
    for (int u = UNIT_VECTOR; u <= UNIT_DRAM; u++)
        if (p->unit_row[u])
            p->unit_row[u] = ++n_units;
    double row = fmax(1400.0 / p->n_tiles, 0.5);
    for (size_t i = sizeof sizes / sizeof *sizes; i-- > 0;)
        if (p->n_tiles <= sizes[i].most_tiles)
            row = sizes[i].row;
    p->pes_height = row - (row >= 6 ? 1 : 0);
    p->unit_height = UNIT_SHARE * row;
    p->row = row + n_units * p->unit_height;
}

static void find_busy(struct picture *p)
{
    p->most_busy = 1;
    for (int m = 0; m < VIEW_MODES; m++) {
        view_profile(result_of(p, m), STRIP_PARTS, p->busy[m]);
        for (int i = 0; i < STRIP_PARTS; i++)
            p->most_busy = fmax(p->most_busy, ceil(p->busy[m][i]));
    }
}

static double cycles_of(const struct picture *p, int m)
{
    uint64_t cycles = result_of(p, m)->makespan_cycles;
    return cycles ? (double)cycles : 1;
}

static void draw_mode(struct picture *p, int m, double top)
{
    view_runs runs = {0};
    view_merge_to(result_of(p, m), (uint64_t)(SMALLEST_GAP / p->scale[m]), MOST_BARS, &runs);
    picture_draw_panel(p, m, &runs, top);
    VEC_FREE(&runs);
}

static void open_svg(struct picture *p, const char *label, double width, double height)
{
    fprintf(
        p->out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sched\" width=\"100%%\" role=\"img\" "
        "aria-label=\"%s\" viewBox=\"0 0 ",
        label);
    view_print_number(p->out, width);
    fputc(' ', p->out);
    view_print_number(p->out, height);
    fputc('"', p->out);
}

/* ---- for a page ---- */

/* Where cycle 0 is, and pixels a cycle: scripts tell the cycle under the pointer. */
static void draw_alone(struct picture *p, int m, const char *label)
{
    p->left[0] = p->left[1] = LEFT;
    p->width = PANEL_WIDTH;
    p->scale[m] = PANEL_WIDTH / cycles_of(p, m);
    find_rows(p);
    find_busy(p);
    open_svg(p, label, LEFT + PANEL_WIDTH + RIGHT, picture_panel_height(p));
    fprintf(p->out, " data-left=\"%g\" data-scale=\"%.9g\" data-cycles=\"%llu\">\n", LEFT,
            p->scale[m], (unsigned long long)result_of(p, m)->makespan_cycles);
    draw_mode(p, m, 0);
    fputs("</svg>\n", p->out);
}

void view_draw_mode(const struct views *v, int mode, FILE *out)
{
    struct picture p = {.views = v, .out = out};
    draw_alone(&p, mode, v->mode[mode].name);
}

uint32_t view_steady_images(const struct backend_result *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->n_steady_sets; i++)
        n = r->steady_sets[i].frames_ago + 1 > n ? r->steady_sets[i].frames_ago + 1 : n;
    return n;
}

/* An interval looks like a schedule as long as it. */
void view_draw_steady(const struct build *b, FILE *out)
{
    struct views v = {.build = b, .mode = {{.name = "steady state", .result = b->backend}}};
    struct backend_result *r = &v.mode[0].result;
    struct picture p = {.views = &v, .out = out, .by_frame = true};
    r->sets = r->steady_sets;
    r->n_sets = r->n_steady_sets;
    r->n_works = 0; /* those of one frame are known, not what an interval has of several */
    r->makespan_cycles = r->interval_cycles;
    r->utilisation = r->steady_utilisation;
    view_sort(r);
    draw_alone(&p, 0, v.mode[0].name);
}

/* ---- a file ---- */

/* Where the sets of each layer are: colours alone do not tell many layers apart. */
struct tile_range {
    uint32_t first, last;
};

static struct tile_range *find_tiles(const struct backend_result *r)
{
    struct tile_range *tiles = heap_alloc((r->n_layers + 1) * sizeof *tiles);
    for (uint32_t i = 0; i < r->n_layers; i++)
        tiles[i] = (struct tile_range){.first = UINT32_MAX};
    for (uint32_t i = 0; i < r->n_sets; i++) {
        struct tile_range *t = &tiles[r->sets[i].layer];
        t->first = r->sets[i].tile < t->first ? r->sets[i].tile : t->first;
        t->last = r->sets[i].tile > t->last ? r->sets[i].tile : t->last;
    }
    return tiles;
}

static void print_layer(struct picture *p, uint32_t i, const struct tile_range *t)
{
    const struct layer_report *l = &result_of(p, 0)->layers[i];
    view_print_tail(p->out, l->name, LEGEND_LETTERS);
    if (l->copies > 1)
        fprintf(p->out, " \xc3\x97%lld", (long long)l->copies);
    if (t->first > t->last)
        return;
    fprintf(p->out, ", tile%s %u", t->first == t->last ? "" : "s", t->first);
    if (t->first < t->last)
        fprintf(p->out, "-%u", t->last);
}

/* As tall as the panels, or in so many columns that they would be far too narrow. */
static uint32_t legend_lines(const struct picture *p, double panels)
{
    uint32_t n = result_of(p, 0)->n_layers,
             least = (uint32_t)((panels - LEGEND_HEAD) / LEGEND_LINE);
    uint32_t half = (n + MOST_COLUMNS - 1) / MOST_COLUMNS;
    return n <= least ? n : least > half ? least : half;
}

static void draw_legend(struct picture *p, uint32_t lines, double left, double top)
{
    struct tile_range *tiles = find_tiles(result_of(p, 0));
    picture_open_text(p, left, top + 14, "n");
    fputs("Layers, with their copies where there are several,</text>", p->out);
    picture_open_text(p, left, top + 30, "n");
    fputs("and tiles. A fainter bar has gaps.</text>\n", p->out);
    for (uint32_t i = 0; i < result_of(p, 0)->n_layers; i++) {
        double x = left + i / lines * LEGEND_WIDTH;
        double y = top + LEGEND_HEAD + i % lines * LEGEND_LINE;
        fprintf(p->out, "<g class=\"bars\"><rect class=\"a%u\"", i);
        view_print_attribute(p->out, "x", x);
        view_print_attribute(p->out, "y", y);
        fputs(" width=\"11\" height=\"11\"/></g>", p->out);
        picture_open_text(p, x + 16, y + 10, "l");
        print_layer(p, i, &tiles[i]);
        fputs("</text>\n", p->out);
    }
    heap_free(tiles);
}

static void draw_title(struct picture *p)
{
    const struct build *b = p->views->build;
    picture_open_text(p, LEFT, 32, "t");
    view_print_escaped(p->out, driver_file_name(b->model));
    fputs("</text>\n", p->out);
    picture_open_text(p, LEFT, 51, "n");
    fputs("machine ", p->out);
    view_print_escaped(p->out, b->arch.name);
    fprintf(p->out, ": %lld PEs on %u tiles of %lld; one cycle is %.6g ns", (long long)b->dup.pes,
            p->n_tiles, (long long)b->arch.crossbars, (double)b->arch.cycle_ps / 1000);
    fputs(p->unit_row[UNIT_VECTOR] || p->unit_row[UNIT_NETWORK] || p->unit_row[UNIT_DRAM]
              ? "; below a tile's PEs: its vector unit and its ports into network and DRAM</text>\n"
              : "</text>\n",
          p->out);
}

/* Returns the picture's width without its legend. */
static double find_panels(struct picture *p, enum view_layout how)
{
    double longest = fmax(cycles_of(p, 0), cycles_of(p, 1));
    p->width = how == VIEW_SIDE ? 0.8 * PANEL_WIDTH : PANEL_WIDTH;
    for (int m = 0; m < VIEW_MODES; m++) {
        p->left[m] = LEFT + (how == VIEW_SIDE ? m * (p->width + BETWEEN) : 0);
        p->scale[m] = p->width / (how == VIEW_ONE_SCALE ? longest : cycles_of(p, m));
    }
    return p->left[1] + p->width + RIGHT;
}

static void draw(struct picture *p, enum view_layout how)
{
    double legend = find_panels(p, how);
    find_rows(p);
    find_busy(p);
    double step = how == VIEW_SIDE ? 0 : picture_panel_height(p);
    double panels = step + picture_panel_height(p);
    uint32_t lines = legend_lines(p, panels);
    uint32_t columns = lines ? (result_of(p, 0)->n_layers + lines - 1) / lines : 1;
    open_svg(p, "schedules", legend + columns * LEGEND_WIDTH,
             TITLE + fmax(panels, LEGEND_HEAD + lines * LEGEND_LINE) + 16);
    fputs(">\n<style>", p->out);
    view_print_style(p->out);
    view_print_colours(p->out, 'a', result_of(p, 0)->n_layers);
    fputs("</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n", p->out);
    draw_title(p);
    for (int m = 0; m < VIEW_MODES; m++)
        draw_mode(p, m, TITLE + m * step);
    draw_legend(p, lines, legend, TITLE);
    fputs("</svg>\n", p->out);
}

void view_print_svg(const struct views *v, enum view_layout how, FILE *out)
{
    struct picture p = {.views = v, .out = out, .has_heads = true};
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
    draw(&p, how);
}
