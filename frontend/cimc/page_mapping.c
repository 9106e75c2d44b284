/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_mapping.c - the report's table of base layers, and how full and how busy every PE is.
 *
 * In: layer reports, and the sets in order of tile, PE and start. The numbers of the summary and of
 * the columns output, PEs, copies and cycles are those of `compile --json`.
 */
#include "page.h"

#include <math.h>

/* ---- a picture of all PEs: a column is a tile ---- */

enum { TILES_A_BAND = 64, MOST_GROUPS = 4000 };

struct pe_map {
    double most, tile_width, pe_height, band_height;
};

static struct pe_map pe_map_of(const struct page *p, uint32_t n_tiles)
{
    struct pe_map m = {0};
    m.tile_width = fmin(1140.0 / (n_tiles < TILES_A_BAND ? n_tiles : TILES_A_BAND), 90);
    m.pe_height = fmin(fmax(110.0 / (double)p->build->arch.crossbars, 2), 14);
    m.band_height = (double)p->build->arch.crossbars * m.pe_height + 24;
    return m;
}

/* The tiles' frames; the picture is still open. */
static void open_tiles(const struct page *p, const struct pe_map *m, uint32_t n_tiles,
                       const char *label)
{
    uint32_t bands = (n_tiles + TILES_A_BAND - 1) / TILES_A_BAND;
    char text[64];
    page_open_svg(p, 1200, 20 + bands * m->band_height, label);
    for (uint32_t b = 0; b < bands; b++) {
        uint32_t last = (b + 1) * TILES_A_BAND < n_tiles ? (b + 1) * TILES_A_BAND : n_tiles;
        double y = 20 + b * m->band_height, n = last - b * TILES_A_BAND;
        fputs("<rect class=\"none\" x=\"49.5\"", p->out);
        view_print_attribute(p->out, "y", y - 0.5);
        view_print_attribute(p->out, "width", n * m->tile_width);
        view_print_attribute(p->out, "height", (double)p->build->arch.crossbars * m->pe_height);
        fputs("/>\n", p->out);
        page_svg_text(p, 44, y + 10, "end", "PE 0");
        snprintf(text, sizeof text, "tile %u", b * TILES_A_BAND);
        page_svg_text(p, 50, y - 5, "start", text);
        snprintf(text, sizeof text, "tile %u", last - 1);
        if (last - 1 > b * TILES_A_BAND)
            page_svg_text(p, 50 + n * m->tile_width - 1, y - 5, "end", text);
    }
}

/* PEs first_pe .. first_pe + n_pes - 1 of a tile; the rectangle is still open. */
static void open_pes(const struct page *p, const struct pe_map *m, uint32_t tile, uint32_t first_pe,
                     uint32_t n_pes, double share)
{
    fprintf(p->out, "<rect class=\"c h%d\"", view_shade(share));
    view_print_attribute(p->out, "x", 50 + tile % TILES_A_BAND * m->tile_width);
    view_print_attribute(p->out, "y",
                         20 + tile / TILES_A_BAND * m->band_height + first_pe * m->pe_height);
    view_print_attribute(p->out, "width", m->tile_width - 1);
    view_print_attribute(p->out, "height", n_pes * m->pe_height - 0.5);
    fprintf(p->out, "><title>tile %u, PE", tile);
    fprintf(p->out, n_pes > 1 ? "s %u-%u: " : " %u: ", first_pe, first_pe + n_pes - 1);
}

/* What white and blue mean. */
static void draw_scale(const struct page *p, const char *least, double most)
{
    char text[64];
    page_open_svg(p, 420, 20, "scale of colours");
    for (int i = 0; i < VIEW_SHADES; i++)
        fprintf(p->out, "<rect x=\"%d\" y=\"4\" width=\"10\" height=\"12\" class=\"c h%d\"/>",
                90 + 10 * i, i + 1);
    page_svg_text(p, 84, 14, "end", least);
    snprintf(text, sizeof text, "%.3g %%", 100 * most);
    page_svg_text(p, 296, 14, "start", text);
    page_close_svg(p);
}

/* ---- mapping ---- */

static void print_layer(const struct page *p, uint32_t i)
{
    const struct layer_report *l = &p->result->layers[i];
    char text[80];
    fprintf(p->out, "<tr data-layer=\"%u\"><td data-v=\"%u\">%u</td>", i, i, i);
    page_cell_layer(p, i, l->name);
    snprintf(text, sizeof text, "%lld x %lld x %lld", (long long)l->ofm[0], (long long)l->ofm[1],
             (long long)l->ofm[2]);
    page_cell_text(p, text);
    page_cell_number(p, (uint64_t)l->pes);
    page_cell_number(p, (uint64_t)l->copies);
    page_cell_number(p, (uint64_t)l->cycles);
    snprintf(text, sizeof text, l->n_tiles == 1 ? "%u" : "%u-%u", l->tiles[0],
             l->tiles[l->n_tiles - 1]);
    page_cell_text(p, text);
    page_cell_number(p, l->start_cycle);
    page_cell_number(p, l->end_cycle);
    double pes = (double)l->pes * (double)l->copies, span = (double)(l->end_cycle - l->start_cycle);
    page_cell_percent(p, span > 0 ? (double)l->busy_cycles / (pes * span) : NAN);
    page_cell_percent(p, l->fill);
    fputs("</tr>\n", p->out);
}

/* Each PE's cells. */
static void draw_fill(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    double all = (double)p->build->arch.rows * (double)p->build->arch.cols, sum = 0;
    struct pe_map m = pe_map_of(p, p->result->n_tiles > 0 ? p->result->n_tiles : 1);
    for (uint32_t i = 0; i < d->n_crossbars; i++)
        sum += (double)d->crossbars[i].cells;
    fputs("<h3>Cells that hold a weight, of each PE", p->out);
    fprintf(p->out, d->n_crossbars ? ": mean %.2f %%</h3>\n" : "</h3>\n",
            100 * sum / (all * d->n_crossbars));
    draw_scale(p, "0 %", 1);
    open_tiles(p, &m, p->result->n_tiles, "cells of each PE that hold a weight");
    for (uint32_t i = 0; i < d->n_crossbars && i < MOST_GROUPS; i++) {
        const struct crossbar_report *c = &d->crossbars[i];
        open_pes(p, &m, c->tile, c->pe, 1, (double)c->cells / all);
        view_print_tail(p->out, p->result->layers[c->layer].name, 60);
        fprintf(p->out, " copy %u, %llu of %.0f cells, %.2f %%</title></rect>\n", c->copy,
                (unsigned long long)c->cells, all, 100 * (double)c->cells / all);
    }
    page_close_svg(p);
    if (d->n_crossbars > MOST_GROUPS)
        fprintf(p->out, "<p class=\"note\">The first %d of %u PEs are drawn.</p>\n", MOST_GROUPS,
                d->n_crossbars);
}

void page_mapping(const struct page *p)
{
    page_open_section(
        p, "mapping", "Mapping",
        "Base layers are those that run on crossbars (PEs). A layer's weights fill as many PEs as "
        "their matrix needs; copies of them share the output among each other. "
        "<b>cycles</b>: what one copy would need alone, a crossbar product for each output pixel. "
        "<b>first</b>, <b>last</b>: the cycles in which the schedule starts and ends the layer. "
        "<b>busy</b>: how much of that time its PEs work; the rest they wait for inputs. "
        "<b>fill</b>: how many of its PEs' cells hold a weight.");
    page_open_table(
        p, "#|<layer|<output h x w x c|PEs of a copy|copies|cycles|<tiles|first|last|busy|fill");
    for (uint32_t i = 0; i < p->result->n_layers; i++)
        print_layer(p, i);
    page_close_table(p);
    draw_fill(p);
    page_close_section(p);
}

/* ---- utilisation ---- */

/* PEs that work together, over the whole schedule. */
struct group_use {
    uint32_t tile, first_pe, n_pes, layer, copy;
    uint64_t busy_cycles;
};
typedef VEC(struct group_use) group_uses;

static void find_groups(const struct backend_result *r, group_uses *out)
{
    for (uint32_t i = 0; i < r->n_sets; i++) {
        const struct set_report *s = &r->sets[i];
        struct group_use *g = out->n ? &out->at[out->n - 1] : NULL;
        if (!g || g->tile != s->tile || g->first_pe != s->first_pe)
            VEC_PUSH(out,
                     ((struct group_use){s->tile, s->first_pe, s->n_pes, s->layer, s->copy, 0}));
        out->at[out->n - 1].busy_cycles += s->end_cycle - s->start_cycle;
    }
}

static void draw_group(const struct page *p, const struct pe_map *m, const struct backend_result *r,
                       const struct group_use *g)
{
    double use = (double)g->busy_cycles / (double)(r->makespan_cycles ? r->makespan_cycles : 1);
    open_pes(p, m, g->tile, g->first_pe, g->n_pes, m->most > 0 ? use / m->most : 0);
    view_print_tail(p->out, r->layers[g->layer].name, 60);
    fprintf(p->out, " copy %u, busy %.2f %% of the makespan</title></rect>\n", g->copy, 100 * use);
}

static void draw_use(const struct page *p, const struct view_mode *v, const group_uses *groups,
                     struct pe_map m)
{
    const struct backend_result *r = &v->result;
    fprintf(p->out, "<h3>%c%s", v->name[0] - 'a' + 'A', v->name + 1);
    fprintf(p->out, r->makespan_cycles ? ": mean %.2f %%</h3>\n" : "</h3>\n", 100 * r->utilisation);
    open_tiles(p, &m, r->n_tiles, "busy share of each PE");
    for (size_t i = 0; i < groups->n && i < MOST_GROUPS; i++)
        draw_group(p, &m, r, &groups->at[i]);
    page_close_svg(p);
    if (groups->n > MOST_GROUPS)
        fprintf(p->out, "<p class=\"note\">The first %d of %zu groups of PEs are drawn.</p>\n",
                MOST_GROUPS, groups->n);
}

void page_utilisation(const struct page *p)
{
    group_uses groups[VIEW_MODES] = {0};
    uint32_t n_tiles = 1;
    double most = 0;
    for (int k = 0; k < VIEW_MODES; k++) {
        const struct backend_result *r = &p->views->mode[k].result;
        find_groups(r, &groups[k]);
        n_tiles = r->n_tiles > n_tiles ? r->n_tiles : n_tiles;
        for (size_t i = 0; i < groups[k].n && r->makespan_cycles; i++)
            most = fmax(most, (double)groups[k].at[i].busy_cycles / (double)r->makespan_cycles);
    }
    struct pe_map m = pe_map_of(p, n_tiles);
    m.most = most;
    page_open_section(p, "utilisation", "Utilisation of each PE",
                      "How much of the makespan every PE works: a column is a tile, a cell the PEs "
                      "that work together on one copy. Dashed border: PEs without weights. Point "
                      "at a cell for its layer and numbers.");
    draw_scale(p, "busy: 0 %", m.most);
    for (int k = VIEW_MODES; k-- > 0;) {
        draw_use(p, &p->views->mode[k], &groups[k], m);
        VEC_FREE(&groups[k]);
    }
    page_close_section(p);
}
