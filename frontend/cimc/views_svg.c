/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * views_svg.c - both schedules as one SVG picture: activity of every tile over time.
 *
 * A row is a tile, divided among its PEs from the first down; a bar is a run of sets of one copy of
 * a layer on its PEs. Runs with gaps too small to see are one bar, the paler the more gaps it has.
 * A strip below shows how many PEs work. The modes stand side by side, each with its own scale of
 * time, or one below the other on one scale; a layer has the same colour in both.
 */
#include "views.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pixels. */
static const double WIDTH = 1900, PAGE_WIDTH = 1200, LEFT = 74, RIGHT = 32, BETWEEN = 50;
static const double STRIP = 44, SMALLEST_GAP = 0.7;
enum {
    MOST_BARS = 8000, /* about 180 bytes each */
    STRIP_PARTS = 800,
    SHADES = 8,
    LEGEND_COLUMNS = 5,
    PAGE_LEGEND_COLUMNS = 3,
    LEGEND_LINE = 16,
    LEGEND_LETTERS = 34,
};

struct picture {
    const struct views *views;
    FILE *out;
    enum view_layout layout;
    int n_panels;
    bool by_frame; /* colours are those of frames, not of layers */
    uint32_t n_colours;
    double total_width;
    uint32_t legend_columns;
    double left[VIEW_MODES], width; /* of the panels */
    double scale[VIEW_MODES];       /* pixels a cycle */
    uint32_t n_tiles;
    double row; /* height of a tile */
    double busy[VIEW_MODES][STRIP_PARTS], most_busy;
};

/* ---- text ---- */

static void open_text(struct picture *p, double x, double y, const char *class)
{
    fputs("<text", p->out);
    view_print_attribute(p->out, "x", x);
    view_print_attribute(p->out, "y", y);
    fprintf(p->out, " class=\"%s\">", class);
}

/* ---- colours ---- */

/* Of the classes that have colours: two pictures may be on one page. */
static char class_of(const struct picture *p)
{
    return p->by_frame ? 'f' : 'a';
}

/* Within `.sched`: the picture may be part of a page. */
static void print_styles(struct picture *p)
{
    fputs("<style>.sched text{font-family:system-ui,'DejaVu Sans',sans-serif;font-size:11px;"
          "fill:#333}.sched .e{text-anchor:end}.sched .m{text-anchor:middle}"
          ".sched .t{font-size:20px;font-weight:600;fill:#111}"
          ".sched .h{font-size:15px;font-weight:600;fill:#111}"
          ".sched .n{font-size:12px;fill:#555}.sched .b{fill:#f1f2f4}"
          ".sched .g{stroke:#d5d8dd;stroke-width:1}.sched .s{fill:#7b8494}"
          ".sched rect:hover{stroke:#000;stroke-width:1}",
          p->out);
    for (int i = 0; i < SHADES; i++)
        fprintf(p->out, ".sched .o%d{fill-opacity:%.2f}", i, 0.25 + 0.75 * (i + 1) / SHADES);
    char colour[8];
    for (uint32_t i = 0; i < p->n_colours; i++)
        fprintf(p->out, ".sched .%c%u{fill:%s}", class_of(p), i, view_colour(i, colour));
    fputs("</style>\n", p->out);
}

/* ---- one mode ---- */

static double rows_height(const struct picture *p)
{
    return p->row * p->n_tiles;
}

static double panel_height(const struct picture *p)
{
    return 34 + rows_height(p) + 8 + STRIP + 40;
}

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

static bool is_stacked(const struct picture *p)
{
    return p->layout != VIEW_SIDE;
}

static bool has_labels(const struct picture *p, int m)
{
    return is_stacked(p) || m == 0;
}

static void draw_axis(struct picture *p, int m, double top)
{
    uint64_t step = tick_cycles(p->scale[m]);
    double bottom = top + rows_height(p) + 8 + STRIP, end = p->left[m] + p->width + 0.01, x;
    char text[32];
    for (uint64_t t = 0; (x = p->left[m] + (double)t * p->scale[m]) <= end; t += step) {
        fputs("<line class=\"g\"", p->out);
        view_print_attribute(p->out, "x1", x);
        view_print_attribute(p->out, "x2", x);
        view_print_attribute(p->out, "y1", top);
        view_print_attribute(p->out, "y2", bottom + 4);
        fputs("/>", p->out);
        open_text(p, x, bottom + 16, "m");
        fprintf(p->out, "%s</text>\n", view_cycles_text(t, text));
    }
    if (has_labels(p, m)) {
        open_text(p, p->left[m] - 8, bottom + 16, "e");
        fputs("cycles</text>\n", p->out);
    }
}

static void draw_rows(struct picture *p, int m, double top)
{
    double width = (double)p->views->mode[m].result.makespan_cycles * p->scale[m];
    double gap = p->row >= 6 ? 1 : 0;
    uint32_t step = view_label_step(p->row, 12);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        fputs("<rect class=\"b\"", p->out);
        view_print_attribute(p->out, "x", p->left[m]);
        view_print_attribute(p->out, "y", top + i * p->row);
        view_print_attribute(p->out, "width", width);
        view_print_attribute(p->out, "height", p->row - gap);
        fputs("/>", p->out);
        if (i % step == 0 && has_labels(p, m)) {
            open_text(p, p->left[m] - 8, top + (i + 0.5) * p->row + 4, "e");
            fprintf(p->out, "tile %u</text>", i);
        }
        fputc('\n', p->out);
    }
}

static void draw_bar(struct picture *p, int m, const struct view_run *r, double top)
{
    const struct backend_result *result = &p->views->mode[m].result;
    double pe = (p->row - (p->row >= 6 ? 1 : 0)) / (double)p->views->build->arch.crossbars;
    double busy = (double)r->busy_cycles / (double)(r->end - r->start);
    char from[32], to[32];
    fprintf(p->out, "<rect class=\"%c%u o%d\"", class_of(p), p->by_frame ? r->frames_ago : r->layer,
            (int)fmin(busy * SHADES, SHADES - 1));
    view_print_attribute(p->out, "x", p->left[m] + (double)r->start * p->scale[m]);
    view_print_attribute(p->out, "y", top + r->tile * p->row + r->first_pe * pe);
    view_print_attribute(p->out, "width", fmax((double)(r->end - r->start) * p->scale[m], 0.5));
    view_print_attribute(p->out, "height", r->n_pes * pe);
    fputs("><title>", p->out);
    view_print_tail(p->out, result->layers[r->layer].name, 2 * LEGEND_LETTERS);
    fprintf(p->out, " copy %u: cycles %s-%s, %u set%s, %.0f %% busy, %u PEs", r->copy,
            view_cycles_text(r->start, from), view_cycles_text(r->end, to), r->n_sets,
            r->n_sets == 1 ? "" : "s", 100 * busy, r->n_pes);
    if (p->by_frame)
        fprintf(p->out, ", image %u before the one that begins", r->frames_ago);
    fputs("</title></rect>\n", p->out);
}

/* Busy PEs over time; the strip's height is the most of both modes. */
static void draw_strip(struct picture *p, int m, double top)
{
    const struct backend_result *r = &p->views->mode[m].result;
    double width = (double)r->makespan_cycles * p->scale[m], *busy = p->busy[m];
    fputs("<rect class=\"b\"", p->out);
    view_print_attribute(p->out, "x", p->left[m]);
    view_print_attribute(p->out, "y", top);
    view_print_attribute(p->out, "width", width);
    view_print_attribute(p->out, "height", STRIP);
    fputs("/><path class=\"s\" d=\"M", p->out);
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
    open_text(p, p->left[m] - 8, top + 10, "e");
    fprintf(p->out, "%.0f PEs</text>\n", p->most_busy);
    open_text(p, p->left[m] - 8, top + STRIP, "e");
    fputs("busy 0</text>\n", p->out);
}

static void print_head(struct picture *p, int m, double top)
{
    const struct backend_result *r = &p->views->mode[m].result, *other = &p->views->mode[!m].result;
    char text[32];
    const char *name = p->views->mode[m].name;
    open_text(p, p->left[m], top + 22, "h");
    fprintf(p->out, "%c%s: %s cycles", name[0] - 'a' + 'A', name + 1,
            view_cycles_text(r->makespan_cycles, text));
    if (r->makespan_cycles > 0)
        fprintf(p->out, ", PEs busy %.2f %% of the time", 100 * r->utilisation);
    if (m == 1 && r->makespan_cycles > 0)
        fprintf(p->out, ", %.2f times as fast",
                (double)other->makespan_cycles / (double)r->makespan_cycles);
    fputs("</text>\n", p->out);
}

static void draw_panel(struct picture *p, int m, const view_runs *runs, double top)
{
    print_head(p, m, top);
    top += 34;
    draw_rows(p, m, top);
    double strip = top + rows_height(p) + 8;
    draw_strip(p, m, strip);
    draw_axis(p, m, top);
    for (size_t i = 0; i < runs->n; i++)
        draw_bar(p, m, &runs->at[i], top);
}

/* ---- the picture ---- */

static double legend_height(const struct picture *p)
{
    uint32_t lines = (p->n_colours + p->legend_columns - 1) / p->legend_columns;
    return 30 + (double)lines * LEGEND_LINE;
}

/* Where the sets of each layer are: colours alone do not tell many layers apart. */
struct tile_range {
    uint32_t first, last;
};

static struct tile_range *find_tiles(const struct backend_result *r)
{
    struct tile_range *tiles = heap_alloc(r->n_layers * sizeof *tiles);
    for (uint32_t i = 0; i < r->n_layers; i++)
        tiles[i] = (struct tile_range){.first = UINT32_MAX};
    for (uint32_t i = 0; i < r->n_sets; i++) {
        struct tile_range *t = &tiles[r->sets[i].layer];
        t->first = r->sets[i].tile < t->first ? r->sets[i].tile : t->first;
        t->last = r->sets[i].tile > t->last ? r->sets[i].tile : t->last;
    }
    return tiles;
}

static void print_tiles(FILE *out, const struct tile_range *t)
{
    if (t->first > t->last)
        return;
    fprintf(out, ", tile%s %u", t->first == t->last ? "" : "s", t->first);
    if (t->first < t->last)
        fprintf(out, "-%u", t->last);
}

static void print_layer(struct picture *p, uint32_t i, const struct tile_range *tiles)
{
    const struct layer_report *l = &p->views->mode[0].result.layers[i];
    view_print_tail(p->out, l->name, LEGEND_LETTERS);
    if (l->copies > 1)
        fprintf(p->out, " \xc3\x97%lld", (long long)l->copies);
    print_tiles(p->out, &tiles[i]);
}

static void print_frame(struct picture *p, uint32_t ago)
{
    if (ago == 0)
        fputs("the image that begins", p->out);
    else
        fprintf(p->out, "%u image%s before it", ago, ago == 1 ? "" : "s");
}

static void draw_legend(struct picture *p, double top)
{
    struct tile_range *tiles = find_tiles(&p->views->mode[0].result);
    uint32_t lines = (p->n_colours + p->legend_columns - 1) / p->legend_columns;
    open_text(p, LEFT, top + 14, "n");
    fprintf(p->out, "%s A paler bar has gaps: fewer of its cycles are busy.</text>\n",
            p->by_frame ? "Images in the machine."
                        : "Layers, with their copies where there are several, and tiles.");
    for (uint32_t i = 0; i < p->n_colours; i++) {
        double x = LEFT + (i / lines) * ((p->total_width - LEFT - RIGHT) / p->legend_columns);
        double y = top + 24 + (i % lines) * LEGEND_LINE;
        fprintf(p->out, "<rect class=\"%c%u\"", class_of(p), i);
        view_print_attribute(p->out, "x", x);
        view_print_attribute(p->out, "y", y);
        fputs(" width=\"11\" height=\"11\"/>", p->out);
        open_text(p, x + 16, y + 10, "l");
        if (p->by_frame)
            print_frame(p, i);
        else
            print_layer(p, i, tiles);
        fputs("</text>\n", p->out);
    }
    heap_free(tiles);
}

static void open_svg(struct picture *p, double height)
{
    fputs("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"sched\"", p->out);
    view_print_attribute(p->out, "width", p->total_width);
    view_print_attribute(p->out, "height", height);
    fputs(" viewBox=\"0 0 ", p->out);
    view_print_number(p->out, p->total_width);
    fputc(' ', p->out);
    view_print_number(p->out, height);
    fputs("\">\n", p->out);
    print_styles(p);
    fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", p->out);
}

static void draw_title(struct picture *p)
{
    const struct build *b = p->views->build;
    open_text(p, LEFT, 32, "t");
    view_print_escaped(p->out, driver_file_name(b->model));
    fputs("</text>\n", p->out);
    open_text(p, LEFT, 51, "n");
    fputs("machine ", p->out);
    view_print_escaped(p->out, b->arch.name);
    fprintf(p->out, ": %lld PEs on %u tiles of %lld; one cycle is %.6g ns</text>\n",
            (long long)b->dup.pes, p->n_tiles, (long long)b->arch.crossbars,
            (double)b->arch.cycle_ps / 1000);
}

static void profile(struct picture *p)
{
    p->most_busy = 1;
    for (int m = 0; m < VIEW_MODES; m++) {
        view_profile(&p->views->mode[m].result, STRIP_PARTS, p->busy[m]);
        for (int i = 0; i < STRIP_PARTS; i++)
            p->most_busy = fmax(p->most_busy, ceil(p->busy[m][i]));
    }
}

static void layout(struct picture *p)
{
    uint64_t makespan[VIEW_MODES], longest = 1;
    p->total_width = p->layout == VIEW_PAGE ? PAGE_WIDTH : WIDTH;
    p->legend_columns = p->layout == VIEW_PAGE ? PAGE_LEGEND_COLUMNS : LEGEND_COLUMNS;
    double plot = p->total_width - LEFT - RIGHT;
    p->width = is_stacked(p) ? plot : (plot - BETWEEN) / 2;
    for (int m = 0; m < VIEW_MODES; m++) {
        const struct backend_result *r = &p->views->mode[m].result;
        makespan[m] = r->makespan_cycles ? r->makespan_cycles : 1;
        longest = makespan[m] > longest ? makespan[m] : longest;
        p->n_tiles = r->n_tiles > p->n_tiles ? r->n_tiles : p->n_tiles;
    }
    for (int m = 0; m < VIEW_MODES; m++) {
        p->scale[m] = p->width / (double)(p->layout == VIEW_STACKED ? longest : makespan[m]);
        p->left[m] = LEFT + (is_stacked(p) ? 0 : m * (p->width + BETWEEN));
    }
    p->row = p->n_tiles <= 10   ? 44
             : p->n_tiles <= 20 ? 26
             : p->n_tiles <= 48 ? 17
             : p->n_tiles < 150 ? 9
                                : fmax(1400.0 / p->n_tiles, 0.5);
}

/* The widest gaps that a bar may hide: where both scales differ, those of each. */
static void merge(const struct picture *p, view_runs runs[VIEW_MODES])
{
    uint64_t gap[VIEW_MODES];
    for (int m = 0; m < VIEW_MODES; m++)
        gap[m] = (uint64_t)(SMALLEST_GAP / p->scale[m]);
    view_merge_to(p->views, gap, MOST_BARS, runs);
}

static void draw(struct picture *p)
{
    view_runs runs[VIEW_MODES] = {0};
    layout(p);
    profile(p);
    merge(p, runs);
    double top = p->layout == VIEW_PAGE ? 0 : 66;
    double panels = (is_stacked(p) ? p->n_panels : 1) * panel_height(p);
    open_svg(p, top + panels + legend_height(p) + 16);
    if (p->layout != VIEW_PAGE)
        draw_title(p);
    for (int m = 0; m < p->n_panels; m++)
        draw_panel(p, m, &runs[m], top + (is_stacked(p) ? m * panel_height(p) : 0));
    draw_legend(p, top + panels);
    fputs("</svg>\n", p->out);
    for (int m = 0; m < VIEW_MODES; m++)
        VEC_FREE(&runs[m]);
}

void view_draw_schedules(const struct views *v, enum view_layout how, FILE *out)
{
    struct picture p = {.views = v,
                        .out = out,
                        .layout = how,
                        .n_panels = VIEW_MODES,
                        .n_colours = v->mode[0].result.n_layers};
    draw(&p);
}

/* An interval looks like a schedule as long as it. */
void view_draw_steady(const struct build *b, FILE *out)
{
    struct views v = {.build = b, .mode = {{.name = "steady state", .result = b->backend}}};
    struct backend_result *r = &v.mode[0].result;
    struct picture p = {
        .views = &v, .out = out, .layout = VIEW_PAGE, .n_panels = 1, .by_frame = true};
    r->sets = r->steady_sets;
    r->n_sets = r->n_steady_sets;
    r->makespan_cycles = r->interval_cycles;
    r->utilisation = r->steady_utilisation;
    view_sort_sets(r->sets, r->n_sets);
    for (uint32_t i = 0; i < r->n_sets; i++)
        p.n_colours = max_i32((int32_t)p.n_colours, (int32_t)r->sets[i].frames_ago + 1);
    draw(&p);
}

bool view_write_svg(const struct views *v, enum view_layout how, const char *path, struct diag *d)
{
    struct out out;
    if (!out_open(&out, path, d))
        return false;
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out.f);
    view_draw_schedules(v, how, out.f);
    return out_commit(&out, d);
}
