/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_energy.c - the report's energy: what the run of the schedule costs, by unit, by layer, by
 * tile, and what was counted for it.
 *
 * In: the counts of the program and the machine's prices. Where a machine gives none there are the
 * counts alone.
 */
#include "page.h"

#include "energy_report.h"
#include "report.h"

#include <math.h>

enum { MOST_TILES = 300, BAR_WIDTH = 1120, BAR_HEIGHT = 26, N_SHARES = N_ENERGY_UNITS + 1 };

static millionths share_of(const struct energy_report *r, unsigned unit)
{
    return unit < N_ENERGY_UNITS ? r->by_unit[unit] : r->leakage;
}

static void cell_energy(const struct page *p, const struct energy_report *r, millionths pj)
{
    char text[ENERGY_TEXT];
    if (!r->has_prices)
        fputs("<td data-v=\"0\">-</td>", p->out);
    else
        fprintf(p->out, "<td data-v=\"%.9g\">%s</td>", millionths_real(pj), energy_text(pj, text));
}

static void cell_share(const struct page *p, const struct energy_report *r, millionths part)
{
    page_cell_percent(p, r->total ? (double)part / (double)r->total : (double)NAN);
}

/* ---- by unit ---- */

static void draw_share(const struct page *p, unsigned unit, double x, double width,
                       const char *title)
{
    fprintf(p->out, "<rect y=\"4\" height=\"%d\" class=\"c e%u\"", BAR_HEIGHT, unit);
    view_print_attribute(p->out, "x", x);
    view_print_attribute(p->out, "width", width);
    fprintf(p->out, "><title>%s</title></rect>\n", title);
}

static void draw_units(const struct page *p, const struct energy_report *r)
{
    double x = 0;
    page_open_svg(p, BAR_WIDTH, BAR_HEIGHT + 8, "energy by unit");
    for (unsigned u = 0; u < N_SHARES; u++) {
        double width = BAR_WIDTH * (double)share_of(r, u) / (double)r->total;
        char title[96], name[ENERGY_UNIT_TEXT], text[ENERGY_TEXT];
        snprintf(title, sizeof title, "%s: %s, %.3g %%", energy_unit_text(u, name),
                 energy_text(share_of(r, u), text), 100 * width / BAR_WIDTH);
        if (width > 0)
            draw_share(p, u, x, width, title);
        x += width;
    }
    page_close_svg(p);
}

static void print_units(const struct page *p, const struct energy_report *r)
{
    char name[ENERGY_UNIT_TEXT];
    page_open_table(p, "<unit|energy|share|area in mm&#178;");
    for (unsigned u = 0; u < N_SHARES; u++) {
        double area = u < N_ENERGY_UNITS ? millionths_real(r->area_by_unit[u]) / 1e6 : 0;
        fprintf(p->out, "<tr><td class=\"l\"><span class=\"key e%u\"></span>%s</td>", u,
                energy_unit_text(u, name));
        cell_energy(p, r, share_of(r, u));
        cell_share(p, r, share_of(r, u));
        if (r->area > 0)
            fprintf(p->out, "<td data-v=\"%.9g\">%.4g</td></tr>\n", area, area);
        else
            fputs("<td data-v=\"0\">-</td></tr>\n", p->out);
    }
    page_close_table(p);
}

/* ---- by layer, by tile ---- */

static void print_layers(const struct page *p, const struct energy_report *r)
{
    fputs("<h3>Base layers, with what is fused behind them</h3>\n", p->out);
    page_open_table(p, "<layer|products of PEs|conversions|energy|share");
    for (uint32_t i = 0; i < p->result->n_layers; i++) {
        const struct layer_report *l = &p->result->layers[i];
        millionths energy = energy_of(r->arch, &l->counts);
        fputs("<tr>", p->out);
        page_cell_layer(p, i, l->name);
        page_cell_number(p, l->counts.pe_products);
        page_cell_number(p, l->counts.conversions);
        cell_energy(p, r, energy);
        cell_share(p, r, energy);
        fputs("</tr>\n", p->out);
    }
    page_close_table(p);
}

static void print_tiles(const struct page *p, const struct energy_report *r)
{
    uint32_t n = r->counts->n_tiles < MOST_TILES ? r->counts->n_tiles : MOST_TILES;
    fputs("<h3>Tiles, without leakage</h3>\n", p->out);
    page_open_table(p, "tile|products of PEs|energy|share");
    for (uint32_t t = 0; t < n; t++) {
        const struct energy_counts *c = &r->counts->of_tile[t];
        millionths energy = energy_of(r->arch, c);
        fputs("<tr>", p->out);
        page_cell_number(p, t);
        page_cell_number(p, c->pe_products);
        cell_energy(p, r, energy);
        cell_share(p, r, energy);
        fputs("</tr>\n", p->out);
    }
    page_close_table(p);
    if (n < r->counts->n_tiles)
        fprintf(p->out, "<p class=\"note\">The first %u of %u tiles.</p>\n", n, r->counts->n_tiles);
}

/* ---- what was counted ---- */

static void print_counters(const struct page *p, const struct energy_report *r)
{
    char price[MILLIONTHS_TEXT];
    fputs("<h3>Counters</h3>\n", p->out);
    page_open_table(p, "<counted|number|price, pJ|energy|<what it is");
    for (unsigned i = 0; i < N_ENERGY_COUNTERS; i++) {
        const struct energy_counter *c = &energy_counters[i];
        uint64_t n = energy_count(&r->counts->total, c);
        millionths each = energy_price(r->arch, c);
        fputs("<tr>", p->out);
        page_cell_text(p, c->name);
        page_cell_number(p, n);
        if (each > 0) {
            fprintf(p->out, "<td data-v=\"%.9g\">%s</td>", millionths_real(each),
                    millionths_text(each, price));
            cell_energy(p, r, n * each);
        } else {
            fputs("<td data-v=\"0\">-</td><td data-v=\"0\">-</td>", p->out);
        }
        page_cell_text(p, c->doc);
        fputs("</tr>\n", p->out);
    }
    page_close_table(p);
}

void page_energy(const struct page *p)
{
    struct energy_report r = report_build_energy(p->build);
    char text[ENERGY_TEXT];
    page_open_section(
        p, "energy", "Energy",
        "Every event of the run is counted, exactly, and paid for at the machine's prices; leakage "
        "is that of all tiles for as long as the run takes. Sums over units, and over layers, "
        "tiles "
        "and what is in neither, are the total. Weights are loaded once, which is not part of it.");
    if (r.has_prices) {
        fprintf(p->out, "<p>%s", energy_text(r.total, text));
        if (r.counts->frames > 1)
            fprintf(p->out, " for %u frames", r.counts->frames);
        fprintf(p->out, "; loading the weights takes %s.</p>\n", energy_text(r.loading, text));
    } else {
        fputs("<p class=\"note\">The machine gives no prices (<code>energy:</code> of its "
              "file).</p>\n",
              p->out);
    }
    if (r.total > 0)
        draw_units(p, &r);
    fputs("<div class=\"columns\"><div>\n", p->out);
    print_units(p, &r);
    print_layers(p, &r);
    fputs("</div><div>\n", p->out);
    print_counters(p, &r);
    print_tiles(p, &r);
    fputs("</div></div>\n", p->out);
    page_close_section(p);
}
