/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_schedule.c - the report's drawings: both schedules with a list of layers beside them, and an
 * interval of the steady state.
 *
 * The page's script makes them larger, marks layers and tells the cycle under the pointer; without
 * it they are pictures with tooltips.
 */
#include "page.h"

enum { MANY_LAYERS = 24 }; /* so many do not show much layer by layer: it is folded */

static void print_tools(const struct page *p)
{
    fputs("<div class=\"tools\" hidden=\"\"><button data-zoom=\"1.5\" aria-label=\"larger\">+"
          "</button><button data-zoom=\"0.667\" aria-label=\"smaller\">&#8722;</button>"
          "<button data-zoom=\"0\">all</button> <output></output></div>\n<div class=\"wide\">",
          p->out);
}

static void print_facts(const struct page *p, int m)
{
    const struct backend_result *r = &p->views->mode[m].result, *other = &p->views->mode[!m].result;
    char text[32], time[32];
    fprintf(p->out,
            m ? "Cross-layer: %s cycles = %s" : "Layer by layer, with these copies: %s cycles = %s",
            view_cycles_text(r->makespan_cycles, text),
            view_time_text(r->makespan_cycles, p->build->arch.cycle_ps, time));
    if (r->makespan_cycles > 0)
        fprintf(p->out, ", PEs busy %.2f %% of the time", 100 * r->utilisation);
    if (m == 1 && r->makespan_cycles > 0)
        fprintf(p->out, ", %.2f times as fast as layer by layer",
                (double)other->makespan_cycles / (double)r->makespan_cycles);
}

static void print_mode(const struct page *p, int m)
{
    bool is_open = m == p->is_cross || p->result->n_layers <= MANY_LAYERS;
    fputs(is_open ? "<details open=\"\"><summary>" : "<details><summary>", p->out);
    print_facts(p, m);
    fputs("</summary>\n", p->out);
    print_tools(p);
    view_draw_mode(p->views, m, p->out);
    fputs("</div></details>\n", p->out);
}

/* Legend, and what the script marks layers by. */
static void print_layers(const struct page *p)
{
    fputs("<aside><h3>Layers</h3>\n<div class=\"layers\">\n", p->out);
    for (uint32_t i = 0; i < p->result->n_layers; i++) {
        const struct layer_report *l = &p->result->layers[i];
        fputs("<button title=\"", p->out);
        view_print_escaped(p->out, l->name);
        fprintf(p->out, "\"><span class=\"key a%u\"></span>", i);
        view_print_tail(p->out, l->name, 30);
        if (l->copies > 1)
            fprintf(p->out, " &#215;%lld", (long long)l->copies);
        fputs("</button>\n", p->out);
    }
    fputs("</div>\n<div class=\"tools\" id=\"picked\" aria-live=\"polite\" "
          "hidden=\"\"></div></aside>\n",
          p->out);
}

void page_schedule(const struct page *p)
{
    page_open_section(
        p, "schedule", "Schedule",
        "What every tile does over time, with the same copies and sets in both modes: cross-layer, "
        "where a set starts as soon as its inputs exist, and layer by layer. A row is a tile, "
        "divided among its PEs and, where they take time, its vector unit and its ports into "
        "network and DRAM; a bar is a run of sets of one copy of a layer, the fainter the more "
        "gaps it has. The strip below shows how many PEs work. Each mode has its own scale of "
        "time. A click on a bar or a layer marks it; in a drawing + and - zoom, arrows and "
        "dragging move, 0 shows all, and so do Ctrl and the wheel; Esc ends all.");
    fputs("<div class=\"split\"><div>\n", p->out);
    print_mode(p, p->is_cross);
    print_mode(p, !p->is_cross);
    fputs("</div>\n", p->out);
    print_layers(p);
    fputs("</div>\n", p->out);
    page_close_section(p);
}

void page_steady(const struct page *p)
{
    uint32_t n = view_steady_images(p->result);
    page_open_section(
        p, "steady", "Images in a row",
        "One interval of the steady state: an image begins at its left end, and everything "
        "repeats from its right end on. Colours tell images apart, which work at the same time in "
        "different layers.");
    fputs("<p>", p->out);
    for (uint32_t i = 0; i < n; i++) {
        fprintf(p->out, "<span class=\"key f%u\"></span>", i);
        if (i == 0)
            fputs("the image that begins ", p->out);
        else
            fprintf(p->out, "%u image%s before it ", i, i == 1 ? "" : "s");
    }
    fputs("</p>\n", p->out);
    print_tools(p);
    view_draw_steady(p->build, p->out);
    fputs("</div>\n", p->out);
    page_close_section(p);
}
