/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_memory.c - the report's buffers: how large the rings of each tile are and how full they get;
 * what else a tile's memories hold.
 *
 * In: backend_detail, the program. The table of buffers shows the largest buffers; what it leaves
 * out is stated.
 */
#include "page.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_BUFFERS = 300, MOST_TILES = 1100, HEIGHT = 150, WIDTH = 1120, LEFT = 70 };

static void draw_level(const struct page *p, double y, uint64_t bytes)
{
    char text[32];
    fprintf(p->out, "<line class=\"g\" x1=\"%d\" x2=\"%d\"", LEFT, LEFT + WIDTH);
    view_print_attribute(p->out, "y1", y);
    view_print_attribute(p->out, "y2", y);
    fputs("/>", p->out);
    page_svg_text(p, LEFT - 6, y + 4, "end", page_bytes_text(bytes, text));
}

static void draw_bar(const struct page *p, double x, double width, double height, int shade,
                     const char *title)
{
    fprintf(p->out, "<rect class=\"c h%d\"", shade);
    view_print_attribute(p->out, "x", x);
    view_print_attribute(p->out, "y", 10 + HEIGHT - height);
    view_print_attribute(p->out, "width", width);
    view_print_attribute(p->out, "height", height);
    fprintf(p->out, "><title>%s</title></rect>\n", title);
}

static void draw_tiles(const struct page *p)
{
    const struct tile_report *t = p->result->detail->tiles;
    uint32_t n = p->result->n_tiles < MOST_TILES ? p->result->n_tiles : MOST_TILES;
    uint64_t most = 1;
    for (uint32_t i = 0; i < n; i++)
        most = t[i].buffer_bytes > most ? t[i].buffer_bytes : most;
    double step = fmin((double)WIDTH / n, 60), gap = step > 4 ? 2 : 0;
    page_open_svg(p, LEFT + WIDTH + 10, HEIGHT + 32, "buffers of each tile");
    draw_level(p, 10, most);
    for (uint32_t i = 0; i < n; i++) {
        char title[160], a[32], b[32];
        snprintf(title, sizeof title, "tile %u: buffers %s, at most %s in use at one time", i,
                 page_bytes_text(t[i].buffer_bytes, a), page_bytes_text(t[i].peak_bytes, b));
        double all = HEIGHT * (double)t[i].buffer_bytes / (double)most;
        double used = HEIGHT * (double)t[i].peak_bytes / (double)most;
        draw_bar(p, LEFT + i * step, step - gap, all, 5, title);
        draw_bar(p, LEFT + i * step, step - gap, used, 14, title);
    }
    page_svg_text(p, LEFT, HEIGHT + 26, "start", "tile 0");
    char last[32];
    snprintf(last, sizeof last, "tile %u", n - 1);
    if (n > 1)
        page_svg_text(p, LEFT + n * step, HEIGHT + 26, "end", last);
    page_close_svg(p);
    if (n < p->result->n_tiles)
        fprintf(p->out, "<p class=\"note\">The first %u of %u tiles are drawn.</p>\n", n,
                p->result->n_tiles);
}

static void draw_time(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    char text[48], cycles[32];
    double most = d->peak_bytes ? (double)d->peak_bytes : 1;
    page_open_svg(p, LEFT + WIDTH + 10, HEIGHT + 32, "bytes in use over time");
    draw_level(p, 10, d->peak_bytes);
    fprintf(p->out, "<path class=\"c h14\" d=\"M%d %d", LEFT, 10 + HEIGHT);
    for (int i = 0; i < DETAIL_PARTS; i++) {
        fputc('L', p->out);
        view_print_number(p->out, LEFT + (double)WIDTH * i / DETAIL_PARTS);
        fputc(' ', p->out);
        double y = 10 + HEIGHT * (1 - (double)d->in_use[i] / most);
        view_print_number(p->out, y);
        fputc('H', p->out);
        view_print_number(p->out, LEFT + (double)WIDTH * (i + 1) / DETAIL_PARTS);
    }
    fprintf(p->out, "V%dz\"/>\n", 10 + HEIGHT);
    page_svg_text(p, LEFT, HEIGHT + 26, "start", "cycle 0");
    snprintf(text, sizeof text, "cycle %s", view_cycles_text(p->result->makespan_cycles, cycles));
    page_svg_text(p, LEFT + WIDTH, HEIGHT + 26, "end", text);
    page_close_svg(p);
}

static int compare_bytes(const void *a, const void *b)
{
    const struct buffer_report *const *x = a, *const *y = b;
    if ((*x)->bytes != (*y)->bytes)
        return (*x)->bytes > (*y)->bytes ? -1 : 1;
    return (*x < *y) ? -1 : 1; /* elements of one array */
}

static void cell_name(const struct page *p, const char *name)
{
    fputs("<td class=\"l\" title=\"", p->out);
    view_print_escaped(p->out, name);
    fputs("\">", p->out);
    view_print_tail(p->out, name, 48);
    fputs("</td>", p->out);
}

static void print_buffer(const struct page *p, const struct buffer_report *b)
{
    static const char *const kind[] = {"value", "sums", "constant"};
    fputs("<tr>", p->out);
    page_cell_number(p, b->tile);
    cell_name(p, b->name);
    page_cell_text(p, kind[b->kind]);
    page_cell_number(p, b->rows);
    page_cell_number(p, b->ring_rows);
    page_cell_number(p, b->peak_rows);
    page_cell_percent(p, (double)b->peak_rows / (double)b->ring_rows);
    page_cell_bytes(p, b->row_bytes);
    page_cell_bytes(p, b->bytes);
    fputs("</tr>\n", p->out);
}

static void print_buffers(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    const struct buffer_report **sorted = heap_alloc((d->n_buffers + 1) * sizeof *sorted);
    uint64_t left_out = 0;
    for (uint32_t i = 0; i < d->n_buffers; i++)
        sorted[i] = &d->buffers[i];
    qsort(sorted, d->n_buffers, sizeof *sorted, compare_bytes);
    page_open_table(p, "tile|<value|<what|rows|ring|peak|full|a row|bytes");
    for (uint32_t i = 0; i < d->n_buffers; i++) {
        if (i < MOST_BUFFERS)
            print_buffer(p, sorted[i]);
        else
            left_out += sorted[i]->bytes;
    }
    page_close_table(p);
    char text[32];
    if (d->n_buffers > MOST_BUFFERS)
        fprintf(
            p->out,
            "<p class=\"note\">The %d largest of %u buffers; the others have %s together.</p>\n",
            MOST_BUFFERS, d->n_buffers, page_bytes_text(left_out, text));
    heap_free(sorted);
}

/* A tile and what its memories hold. */
struct tile_line {
    uint32_t tile;
    struct isa_tile_bytes bytes;
    double share;
};

/* Those with most code and tables for their weights first, then tiles without weights. */
static int compare_shares(const void *a, const void *b)
{
    const struct tile_line *x = a, *y = b;
    double left = isnan(x->share) ? -1 : x->share, right = isnan(y->share) ? -1 : y->share;
    if (left != right)
        return left > right ? -1 : 1;
    return x->tile < y->tile ? -1 : x->tile > y->tile;
}

static void print_tile(const struct page *p, const struct tile_line *t)
{
    fputs("<tr>", p->out);
    page_cell_number(p, t->tile);
    page_cell_bytes(p, t->bytes.code);
    page_cell_bytes(p, t->bytes.tables);
    page_cell_bytes(p, t->bytes.weights);
    page_cell_percent(p, t->share);
    page_cell_bytes(p, t->bytes.buffer);
    fputs("</tr>\n", p->out);
}

static void print_tiles(const struct page *p)
{
    const struct isa_program *program = p->build->program;
    struct tile_line *lines = heap_alloc(program->n_tiles * sizeof *lines);
    for (uint32_t i = 0; i < program->n_tiles; i++) {
        lines[i] = (struct tile_line){.tile = i, .bytes = isa_tile_bytes(program, i)};
        lines[i].share = isa_tile_share(&lines[i].bytes);
    }
    qsort(lines, program->n_tiles, sizeof *lines, compare_shares);
    page_open_table(p, "tile|code|tables|weights|code and tables|buffer");
    for (uint32_t i = 0; i < program->n_tiles && i < MOST_BUFFERS; i++)
        print_tile(p, &lines[i]);
    page_close_table(p);
    if (program->n_tiles > MOST_BUFFERS)
        fprintf(p->out, "<p class=\"note\">%d of %u tiles.</p>\n", MOST_BUFFERS, program->n_tiles);
    heap_free(lines);
}

void page_memory(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    uint64_t all = 0, whole = 0;
    for (uint32_t i = 0; i < d->n_buffers; i++) {
        all += d->buffers[i].bytes;
        whole += d->buffers[i].rows * d->buffers[i].row_bytes;
    }
    char a[32], b[32], c[32];
    page_open_section(
        p, "memory", "Memories: buffers and rings, code, tables, weights",
        "A tile keeps the rows of a value that it still needs in a ring: fewer slots than the "
        "value "
        "has rows, used again in turn. <b>rows</b>: of the value that the tile sees; <b>ring</b>: "
        "slots; <b>peak</b>: most rows in use at one time, from the first write to the last read. "
        "What: values; sums of crossbars' products before they are finished; "
        "constants.");
    fprintf(p->out,
            "<p>All buffers together: %s. At most %s are in use at one time. Without rings "
            "the same values would take %s.</p>\n",
            page_bytes_text(all, a), page_bytes_text(d->peak_bytes, b), page_bytes_text(whole, c));
    fputs("<h3>Buffers of each tile: all, and (strong colour) most in use at one time</h3>\n",
          p->out);
    draw_tiles(p);
    fputs("<h3>Bytes in use on all tiles, over time</h3>\n", p->out);
    draw_time(p);
    print_buffers(p);
    fputs("<h3>What each tile's memories hold</h3>\n"
          "<p class=\"note\">Code: its stream of instructions; tables: views, groups, programs, "
          "routes, gather lists, as <code>cimc dump</code> writes them; weights: of the bits that "
          "its cells hold; code and tables: as a share of the weights, the largest first.</p>\n",
          p->out);
    print_tiles(p);
    page_close_section(p);
}
