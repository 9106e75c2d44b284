/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_summary.c - the report's numbers at a glance: those of `compile --json`.
 */
#include "page.h"

#include "report.h"

#include <math.h>

static void card_number(const struct page *p, const char *name, uint64_t x, const char *unit)
{
    char text[32];
    page_card(p, name, view_cycles_text(x, text), unit);
}

static void card_real(const struct page *p, const char *name, double x, const char *unit)
{
    char text[32] = "-";
    if (x >= 1000)
        view_cycles_text((uint64_t)llround(x), text);
    else if (!isnan(x))
        snprintf(text, sizeof text, "%.4g", x);
    page_card(p, name, text, unit);
}

static void print_objective(const struct page *p)
{
    const struct build *b = p->build;
    char text[32];
    uint64_t hundredths = (uint64_t)llround(100 * b->dup.value);
    fprintf(p->out, "<p class=\"note\">Copies: objective %s, %s", b->dup.objective,
            view_cycles_text(hundredths / 100, text));
    if (hundredths % 100)
        fprintf(p->out, ".%02u", (unsigned)(hundredths % 100));
    fprintf(p->out, " cycles (%s).", b->dup.status);
}

static void print_choices(const struct page *p)
{
    const struct build *b = p->build;
    char text[32];
    print_objective(p);
    if (b->dup.has_bound)
        fprintf(p->out, " No copies that fit give a schedule of less than %s cycles.",
                view_cycles_text(b->dup.lower_bound_cycles, text));
    if (b->chosen.set)
        fprintf(p->out, " Best sets: %s (%u tried).", b->chosen.set, b->chosen.n_tried);
    fputs("</p>\n", p->out);
}

/* Of images in a row. */
static void print_throughput(const struct page *p)
{
    const struct backend_result *r = p->result;
    card_number(p, "from image to image, in the steady state", r->interval_cycles, "cycles");
    card_real(p, "throughput", report_images_per_second(p->build), "images/s");
    card_number(p, "latency of an image, at most", r->latency_max_cycles, "cycles");
    card_real(p, "utilisation in the steady state", 100 * r->steady_utilisation, "%");
    card_number(p, "images that the program is for", r->frames, "");
}

static void print_times(const struct page *p)
{
    const struct backend_result *r = p->result;
    char text[32];
    double speedup =
        r->makespan_cycles ? (double)r->layer_by_layer_cycles / (double)r->makespan_cycles : NAN;
    page_card(p, "makespan in time",
              view_time_text(r->makespan_cycles, p->build->arch.cycle_ps, text), "");
    card_number(p, "makespan: until the last output is stored", r->makespan_cycles, "cycles");
    card_number(p, "layer by layer, with these copies", p->views->mode[0].result.makespan_cycles,
                "cycles");
    card_number(p, "layer by layer, without copies", r->layer_by_layer_cycles, "cycles");
    card_real(p, "speedup over layer by layer without copies", speedup, "times");
    card_real(p, "utilisation: mean over all PEs", 100 * r->utilisation, "%");
}

void page_summary(const struct page *p)
{
    const struct backend_result *r = p->result;
    char text[32];
    fputs("<div class=\"cards\">\n", p->out);
    print_times(p);
    if (r->frames)
        print_throughput(p);
    card_number(p, "PEs of the machine", (uint64_t)p->build->dup.pes, "PEs");
    card_number(p, "PEs that one copy of all layers needs", (uint64_t)p->build->dup.pe_min, "PEs");
    card_number(p, "of the machine", r->n_tiles, r->n_tiles == 1 ? "tile" : "tiles");
    card_number(p, "on crossbars", r->crossbar_macs, "multiply-adds");
    card_number(p, "on vector units", r->vector_macs,
                r->vector_macs && !p->build->arch.lanes ? "multiply-adds, which take no time here"
                                                        : "multiply-adds");
    card_number(p, "in all streams", r->n_instructions, "instructions");
    page_card(p, "code", page_bytes_text(r->code_bytes, text), "");
    fputs("</div>\n", p->out);
    print_choices(p);
}
