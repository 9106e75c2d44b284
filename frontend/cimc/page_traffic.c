/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_traffic.c - the report's traffic: what each tile sends to each other, and on a mesh what
 * every link carries.
 *
 * In: backend_detail.traffic. On the mesh a message goes along the row first, then along the column
 * (XY routes, as the hops are counted); one with several targets counts for each of them.
 */
#include "page.h"
#include "tile_grid.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_CELLS = 6000, MOST_PAIRS = 40, SIDE = 560 };

static int compare_bytes(const void *a, const void *b)
{
    const struct traffic_report *const *x = a, *const *y = b;
    if ((*x)->bytes != (*y)->bytes)
        return (*x)->bytes > (*y)->bytes ? -1 : 1;
    return *x < *y ? -1 : 1; /* elements of one array */
}

static const struct traffic_report **sort_pairs(const struct backend_detail *d)
{
    const struct traffic_report **sorted = heap_alloc((d->n_traffic + 1) * sizeof *sorted);
    for (uint32_t i = 0; i < d->n_traffic; i++)
        sorted[i] = &d->traffic[i];
    qsort(sorted, d->n_traffic, sizeof *sorted, compare_bytes);
    return sorted;
}

static void draw_axes(const struct page *p, uint32_t n, double cell)
{
    char text[32];
    fprintf(p->out, "<rect x=\"50\" y=\"34\" class=\"frame\"");
    view_print_attribute(p->out, "width", n * cell);
    view_print_attribute(p->out, "height", n * cell);
    fputs("/>\n", p->out);
    for (uint32_t i = 0; i < n; i += view_label_step(cell, 26)) {
        snprintf(text, sizeof text, "%u", i);
        page_svg_text(p, 50 + (i + 0.5) * cell, 28, "middle", text);
        page_svg_text(p, 44, 38 + (i + 0.5) * cell, "end", text);
    }
    page_svg_text(p, 50, 12, "start", "to tile");
    page_svg_text(p, 44, 12, "end", "from");
}

/* Colours by the logarithm: few pairs carry most of the bytes. */
static void draw_matrix(const struct page *p, const struct traffic_report *const *sorted)
{
    const struct backend_detail *d = p->result->detail;
    uint32_t n = p->result->n_tiles;
    double cell = fmin((double)SIDE / n, 26), most = log((double)sorted[0]->bytes + 1);
    page_open_svg(p, 60 + n * cell, 44 + n * cell, "bytes from tile to tile");
    draw_axes(p, n, cell);
    for (uint32_t i = 0; i < d->n_traffic && i < MOST_CELLS; i++) {
        const struct traffic_report *t = sorted[i];
        char bytes[32];
        double share = most > 0 ? log((double)t->bytes + 1) / most : 0;
        fprintf(p->out, "<rect class=\"c h%d\"", view_shade(pow(share, 3)));
        view_print_attribute(p->out, "x", 50 + t->to * cell);
        view_print_attribute(p->out, "y", 34 + t->from * cell);
        view_print_attribute(p->out, "width", cell > 4 ? cell - 1 : cell);
        view_print_attribute(p->out, "height", cell > 4 ? cell - 1 : cell);
        fprintf(p->out, "><title>tile %u to tile %u: %s in %llu messages</title></rect>\n", t->from,
                t->to, page_bytes_text(t->bytes, bytes), (unsigned long long)t->messages);
    }
    page_close_svg(p);
    if (d->n_traffic > MOST_CELLS)
        fprintf(p->out, "<p class=\"note\">The %d busiest of %u pairs are drawn.</p>\n", MOST_CELLS,
                d->n_traffic);
}

static void print_pairs(const struct page *p, const struct traffic_report *const *sorted)
{
    const struct backend_detail *d = p->result->detail;
    page_open_table(p, "from|to|hops|messages|bytes");
    for (uint32_t i = 0; i < d->n_traffic && i < MOST_PAIRS; i++) {
        fputs("<tr>", p->out);
        page_cell_number(p, sorted[i]->from);
        page_cell_number(p, sorted[i]->to);
        page_cell_number(p, sorted[i]->hops);
        page_cell_number(p, sorted[i]->messages);
        page_cell_bytes(p, sorted[i]->bytes);
        fputs("</tr>\n", p->out);
    }
    page_close_table(p);
    if (d->n_traffic > MOST_PAIRS)
        fprintf(p->out, "<p class=\"note\">The %d busiest of %u pairs.</p>\n", MOST_PAIRS,
                d->n_traffic);
}

/* ---- links of a mesh ---- */

static const int across[4] = {1, -1, 0, 0}, down[4] = {0, 0, 1, -1};

void page_count_links(const struct page_machine *m, struct page_links *out)
{
    const struct backend_detail *d = m->result.detail;
    uint32_t columns = tile_grid_of(&m->arch, m->result.n_tiles).columns;
    uint32_t rows = (m->result.n_tiles + columns - 1) / columns;
    *out = (struct page_links){.columns = columns, .rows = rows};
    out->bytes = heap_alloc((size_t)columns * rows * 4 * sizeof *out->bytes);
    for (uint32_t i = 0; i < d->n_traffic; i++) {
        uint32_t x = d->traffic[i].from % columns, y = d->traffic[i].from / columns;
        uint32_t to_x = d->traffic[i].to % columns, to_y = d->traffic[i].to / columns;
        while (x != to_x || y != to_y) {
            int way = x < to_x ? 0 : x > to_x ? 1 : y < to_y ? 2 : 3;
            uint64_t *bytes = &out->bytes[(y * columns + x) * 4 + (uint32_t)way];
            *bytes += d->traffic[i].bytes;
            out->most = *bytes > out->most ? *bytes : out->most;
            x = (uint32_t)((int)x + across[way]);
            y = (uint32_t)((int)y + down[way]);
        }
    }
}

static void draw_link(const struct page *p, const struct page_links *l, uint32_t at, int way,
                      double cell)
{
    uint64_t bytes = l->bytes[at * 4 + (uint32_t)way];
    if (bytes == 0)
        return;
    double x = 20 + (at % l->columns + 0.5) * cell, y = 20 + (at / l->columns + 0.5) * cell;
    double aside = 0.11 * cell; /* both directions can be seen */
    char text[32];
    fprintf(p->out, "<line class=\"c h%d\"",
            view_shade(0.15 + 0.85 * (double)bytes / (double)l->most));
    view_print_attribute(p->out, "stroke-width", 1 + 0.16 * cell * (double)bytes / (double)l->most);
    view_print_attribute(p->out, "x1", x - down[way] * aside + across[way] * 0.28 * cell);
    view_print_attribute(p->out, "y1", y + across[way] * aside + down[way] * 0.28 * cell);
    view_print_attribute(p->out, "x2", x - down[way] * aside + across[way] * 0.72 * cell);
    view_print_attribute(p->out, "y2", y + across[way] * aside + down[way] * 0.72 * cell);
    fprintf(p->out, "><title>tile %u to tile %u: %s</title></line>\n", at,
            (uint32_t)((int)at + across[way] + down[way] * (int)l->columns),
            page_bytes_text(bytes, text));
}

/* Places without a tile only pass messages on. */
static void draw_tile(const struct page *p, const struct page_machine *m, uint32_t i,
                      uint32_t columns, double cell)
{
    double x = 20 + (i % columns + 0.5) * cell, y = 20 + (i / columns + 0.5) * cell;
    bool exists = i < m->result.n_tiles;
    char text[32];
    fputs(exists ? "<rect class=\"tile\" rx=\"2\"" : "<rect class=\"none\" rx=\"2\"", p->out);
    view_print_attribute(p->out, "x", x - 0.27 * cell);
    view_print_attribute(p->out, "y", y - 0.27 * cell);
    view_print_attribute(p->out, "width", 0.54 * cell);
    view_print_attribute(p->out, "height", 0.54 * cell);
    if (exists)
        fprintf(p->out, "><title>tile %u: %u PEs, sends %s</title></rect>\n", i,
                m->result.detail->tiles[i].n_pes,
                page_bytes_text(m->result.detail->tiles[i].sent_bytes, text));
    else
        fputs("><title>no tile</title></rect>\n", p->out);
    snprintf(text, sizeof text, "%u", i);
    if (cell >= 36 && exists)
        page_svg_text(p, x, y + 4, "middle", text);
}

void page_draw_mesh(const struct page *p, const struct page_machine *m, const struct page_links *l)
{
    double cell = fmin(fmax(700.0 / l->columns, 12), 90);
    if (l->columns > 100)
        return; /* nothing could be seen */
    page_open_svg(p, 40 + l->columns * cell, 40 + l->rows * cell,
                  "bytes over each link of the mesh");
    for (uint32_t i = 0; i < l->columns * l->rows; i++)
        draw_tile(p, m, i, l->columns, cell);
    for (uint32_t at = 0; at < l->columns * l->rows; at++)
        for (int way = 0; way < 4; way++)
            draw_link(p, l, at, way, cell);
    page_close_svg(p);
}

void page_traffic(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    uint64_t sent = 0, delivered = 0;
    for (uint32_t t = 0; t < p->result->n_tiles; t++)
        sent += d->tiles[t].sent_bytes;
    for (uint32_t i = 0; i < d->n_traffic; i++)
        delivered += d->traffic[i].bytes;
    page_open_section(
        p, "traffic", "Traffic between tiles",
        "Values and partial sums that one tile sends to another (inputs and outputs go to and from "
        "the DRAM and are not in here). A message with several targets is sent once and counts for "
        "each of them below. The stronger the colour, the more bytes (on a logarithmic scale).");
    char a[32], b[32];
    fprintf(p->out, "<p>%s sent, %s delivered, between %u pairs of tiles.</p>\n",
            page_bytes_text(sent, a), page_bytes_text(delivered, b), d->n_traffic);
    if (d->n_traffic > 0) {
        const struct traffic_report **sorted = sort_pairs(d);
        fputs("<div class=\"columns\"><div>", p->out);
        draw_matrix(p, sorted);
        fputs("</div><div>", p->out);
        print_pairs(p, sorted);
        fputs("</div></div>\n", p->out);
        heap_free(sorted);
    }
    page_close_section(p);
}
