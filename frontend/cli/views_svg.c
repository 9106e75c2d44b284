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
static const double WIDTH = 1900, LEFT = 74, RIGHT = 32, BETWEEN = 50;
static const double STRIP = 44, SMALLEST_GAP = 0.7;
enum {
    MOST_BARS = 8000, /* about 180 bytes each */
    STRIP_PARTS = 800,
    SHADES = 8,
    LEGEND_COLUMNS = 5,
    LEGEND_LINE = 16,
    LEGEND_LETTERS = 34,
};

struct picture {
    const struct views *views;
    FILE *out;
    bool is_stacked;
    double left[VIEW_MODES], width; /* of the panels */
    double scale[VIEW_MODES];       /* pixels a cycle */
    uint32_t n_tiles;
    double row; /* height of a tile */
    double busy[VIEW_MODES][STRIP_PARTS], most_busy;
};

/* ---- text ---- */

/* At most two decimals, none of them a trailing zero. */
static void print_number(FILE *out, double x)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.2f", x);
    while (text[n - 1] == '0')
        n--;
    if (text[n - 1] == '.')
        n--;
    fprintf(out, "%.*s", n, text);
}

static void print_attribute(FILE *out, const char *name, double x)
{
    fprintf(out, " %s=\"", name);
    print_number(out, x);
    fputc('"', out);
}

/* XML has no control characters, and not U+FFFE and U+FFFF. */
static void print_escaped(FILE *out, const char *s)
{
    char *text = valid_utf8(s);
    for (char *p = text; *p; p++) {
        if (strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0)
            p[0] = p[1] = p[2] = '?';
        switch (*p) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc((unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p, out);
        }
    }
    free(text);
}

static bool begins_letter(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* The end of a long name tells more than its start. */
static void print_tail(FILE *out, const char *s, size_t letters)
{
    size_t n = 0;
    const char *p = s + strlen(s);
    while (p > s && n < letters)
        n += begins_letter(*--p);
    if (p > s)
        fputs("\xe2\x80\xa6", out);
    print_escaped(out, p);
}

static void open_text(struct picture *p, double x, double y, const char *class)
{
    fputs("<text", p->out);
    print_attribute(p->out, "x", x);
    print_attribute(p->out, "y", y);
    fprintf(p->out, " class=\"%s\">", class);
}

/* ---- colours ---- */

static int colour_channel(double hue, double saturation, double lightness, double n)
{
    double k = fmod(n + hue / 30, 12), a = saturation * fmin(lightness, 1 - lightness);
    return (int)lround(255 * (lightness - a * fmax(-1, fmin(fmin(k - 3, 9 - k), 1))));
}

/* Steps of the golden angle keep neighbours apart however many layers there are. */
static void print_styles(struct picture *p)
{
    static const double lightness[] = {0.42, 0.56, 0.34};
    fputs("<style>text{font-family:system-ui,'DejaVu Sans',sans-serif;font-size:11px;fill:#333}"
          ".e{text-anchor:end}.m{text-anchor:middle}.t{font-size:20px;font-weight:600;fill:#111}"
          ".h{font-size:15px;font-weight:600;fill:#111}.n{font-size:12px;fill:#555}"
          ".b{fill:#f1f2f4}.g{stroke:#d5d8dd;stroke-width:1}.s{fill:#7b8494}"
          "rect:hover{stroke:#000;stroke-width:1}",
          p->out);
    for (int i = 0; i < SHADES; i++)
        fprintf(p->out, ".o%d{fill-opacity:%.2f}", i, 0.25 + 0.75 * (i + 1) / SHADES);
    uint32_t n = p->views->mode[0].result.n_layers;
    for (uint32_t i = 0; i < n; i++) {
        double hue = fmod(210 + 137.50776405 * i, 360), light = lightness[i % 3];
        fprintf(p->out, ".a%u{fill:#%02x%02x%02x}", i, colour_channel(hue, 0.65, light, 0),
                colour_channel(hue, 0.65, light, 8), colour_channel(hue, 0.65, light, 4));
    }
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

static bool has_labels(const struct picture *p, int m)
{
    return p->is_stacked || m == 0;
}

static void draw_axis(struct picture *p, int m, double top)
{
    uint64_t step = tick_cycles(p->scale[m]);
    double bottom = top + rows_height(p) + 8 + STRIP, end = p->left[m] + p->width + 0.01, x;
    char text[32];
    for (uint64_t t = 0; (x = p->left[m] + (double)t * p->scale[m]) <= end; t += step) {
        fputs("<line class=\"g\"", p->out);
        print_attribute(p->out, "x1", x);
        print_attribute(p->out, "x2", x);
        print_attribute(p->out, "y1", top);
        print_attribute(p->out, "y2", bottom + 4);
        fputs("/>", p->out);
        open_text(p, x, bottom + 16, "m");
        fprintf(p->out, "%s</text>\n", view_cycles_text(t, text));
    }
    if (has_labels(p, m)) {
        open_text(p, p->left[m] - 8, bottom + 16, "e");
        fputs("cycles</text>\n", p->out);
    }
}

/* A label every so many tiles that they do not touch. */
static uint32_t label_step(double row)
{
    static const uint32_t step[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10000};
    for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
        if (row * step[i] >= 12)
            return step[i];
    }
    return 100000;
}

static void draw_rows(struct picture *p, int m, double top)
{
    double width = (double)p->views->mode[m].result.makespan_cycles * p->scale[m];
    double gap = p->row >= 6 ? 1 : 0;
    uint32_t step = label_step(p->row);
    for (uint32_t i = 0; i < p->n_tiles; i++) {
        fputs("<rect class=\"b\"", p->out);
        print_attribute(p->out, "x", p->left[m]);
        print_attribute(p->out, "y", top + i * p->row);
        print_attribute(p->out, "width", width);
        print_attribute(p->out, "height", p->row - gap);
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
    fprintf(p->out, "<rect class=\"a%u o%d\"", r->layer, (int)fmin(busy * SHADES, SHADES - 1));
    print_attribute(p->out, "x", p->left[m] + (double)r->start * p->scale[m]);
    print_attribute(p->out, "y", top + r->tile * p->row + r->first_pe * pe);
    print_attribute(p->out, "width", fmax((double)(r->end - r->start) * p->scale[m], 0.5));
    print_attribute(p->out, "height", r->n_pes * pe);
    fputs("><title>", p->out);
    print_tail(p->out, result->layers[r->layer].name, 2 * LEGEND_LETTERS);
    fprintf(p->out, " copy %u: cycles %s-%s, %u set%s, %.0f %% busy, %u PEs</title></rect>\n",
            r->copy, view_cycles_text(r->start, from), view_cycles_text(r->end, to), r->n_sets,
            r->n_sets == 1 ? "" : "s", 100 * busy, r->n_pes);
}

/* Busy PEs over time; the strip's height is the most of both modes. */
static void draw_strip(struct picture *p, int m, double top)
{
    const struct backend_result *r = &p->views->mode[m].result;
    double width = (double)r->makespan_cycles * p->scale[m], *busy = p->busy[m];
    fputs("<rect class=\"b\"", p->out);
    print_attribute(p->out, "x", p->left[m]);
    print_attribute(p->out, "y", top);
    print_attribute(p->out, "width", width);
    print_attribute(p->out, "height", STRIP);
    fputs("/><path class=\"s\" d=\"M", p->out);
    print_number(p->out, p->left[m]);
    fputc(' ', p->out);
    print_number(p->out, top + STRIP);
    double before = NAN;
    for (int i = 0; i < STRIP_PARTS; i++) {
        double y = top + STRIP * (1 - busy[i] / p->most_busy);
        if (fabs(y - before) < 0.005)
            continue;
        fputc('H', p->out);
        print_number(p->out, p->left[m] + width * i / STRIP_PARTS);
        fputc('V', p->out);
        print_number(p->out, y);
        before = y;
    }
    fputc('H', p->out);
    print_number(p->out, p->left[m] + width);
    fputc('V', p->out);
    print_number(p->out, top + STRIP);
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
    fprintf(p->out, "%c%s: %s cycles, PEs busy %.2f %% of the time", name[0] - 'a' + 'A', name + 1,
            view_cycles_text(r->makespan_cycles, text), 100 * r->utilisation);
    if (m == 1)
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
    uint32_t n = p->views->mode[0].result.n_layers;
    return 30 + (double)((n + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS) * LEGEND_LINE;
}

static void draw_legend(struct picture *p, double top)
{
    const struct backend_result *r = &p->views->mode[0].result;
    uint32_t lines = (r->n_layers + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
    open_text(p, LEFT, top + 14, "n");
    fputs("Layers, with their copies where there are several. A paler bar has gaps: fewer of its "
          "cycles are busy.</text>\n",
          p->out);
    for (uint32_t i = 0; i < r->n_layers; i++) {
        double x = LEFT + (i / lines) * ((WIDTH - LEFT - RIGHT) / LEGEND_COLUMNS);
        double y = top + 24 + (i % lines) * LEGEND_LINE;
        fprintf(p->out, "<rect class=\"a%u\"", i);
        print_attribute(p->out, "x", x);
        print_attribute(p->out, "y", y);
        fputs(" width=\"11\" height=\"11\"/>", p->out);
        open_text(p, x + 16, y + 10, "l");
        print_tail(p->out, r->layers[i].name, LEGEND_LETTERS);
        if (r->layers[i].copies > 1)
            fprintf(p->out, " \xc3\x97%lld", (long long)r->layers[i].copies);
        fputs("</text>\n", p->out);
    }
}

static void open_picture(struct picture *p, double height)
{
    const struct build *b = p->views->build;
    const char *slash = strrchr(b->model, '/');
    fprintf(p->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    print_attribute(p->out, "width", WIDTH);
    print_attribute(p->out, "height", height);
    fputs(" viewBox=\"0 0 ", p->out);
    print_number(p->out, WIDTH);
    fputc(' ', p->out);
    print_number(p->out, height);
    fputs("\">\n", p->out);
    print_styles(p);
    fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", p->out);
    open_text(p, LEFT, 32, "t");
    print_escaped(p->out, slash ? slash + 1 : b->model);
    fputs("</text>\n", p->out);
    open_text(p, LEFT, 51, "n");
    fputs("machine ", p->out);
    print_escaped(p->out, b->arch.name);
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
    double plot = WIDTH - LEFT - RIGHT;
    p->width = p->is_stacked ? plot : (plot - BETWEEN) / 2;
    for (int m = 0; m < VIEW_MODES; m++) {
        const struct backend_result *r = &p->views->mode[m].result;
        makespan[m] = r->makespan_cycles ? r->makespan_cycles : 1;
        longest = makespan[m] > longest ? makespan[m] : longest;
        p->n_tiles = r->n_tiles > p->n_tiles ? r->n_tiles : p->n_tiles;
    }
    for (int m = 0; m < VIEW_MODES; m++) {
        p->scale[m] = p->width / (double)(p->is_stacked ? longest : makespan[m]);
        p->left[m] = LEFT + (p->is_stacked ? 0 : m * (p->width + BETWEEN));
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

bool view_write_svg(const struct views *v, bool is_stacked, const char *path, struct diag *d)
{
    struct out out;
    view_runs runs[VIEW_MODES] = {0};
    if (!out_open(&out, path, d))
        return false;
    struct picture p = {.views = v, .out = out.f, .is_stacked = is_stacked};
    layout(&p);
    profile(&p);
    merge(&p, runs);
    double top = 66, panels = (is_stacked ? VIEW_MODES : 1) * panel_height(&p);
    open_picture(&p, top + panels + legend_height(&p) + 16);
    for (int m = 0; m < VIEW_MODES; m++) {
        draw_panel(&p, m, &runs[m], top + (is_stacked ? m * panel_height(&p) : 0));
        VEC_FREE(&runs[m]);
    }
    draw_legend(&p, top + panels);
    fputs("</svg>\n", p.out);
    return out_commit(&out, d);
}
