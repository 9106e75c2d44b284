/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page.c - the report: one HTML page with everything a person wants to look at after a compilation.
 *
 * In: a compiled build with sets and detail, the schedule in the other mode. Out: a page that needs
 * nothing but itself. The same backend is asked once more for a machine on which moving data costs
 * time, or, if it costs time on the machine asked for, for one on which it is free; PEs, tiles and
 * buffers are the same. Equal input gives equal bytes: there is no time of day and no duration.
 */
#include "findings.h"

#include "diff.h"
#include "energy.h"
#include "page_files.h"

#include <stdlib.h>
#include <string.h>

/* ---- two machines ---- */

void page_print_product(const struct page *p, const struct arch *a)
{
    if (a->mvm_cycles > 0) {
        fprintf(p->out, "%lld", (long long)a->mvm_cycles);
        return;
    }
    fprintf(p->out, "for each %lld bits of an input %lld", (long long)a->dac_bits,
            (long long)a->phase_cycles);
    if (a->adc_columns_per_cycle > 0)
        fprintf(p->out, ", or as long as it takes to read %lld columns in each",
                (long long)a->adc_columns_per_cycle);
}

static bool movement_is_free(const struct arch *a)
{
    return a->lanes == 0 && a->link_bytes_per_cycle == 0 && a->hop_cycles == 0 &&
           a->dram_cycles == 0 && a->dram_bytes_per_cycle == 0;
}

/* The PEs and tiles of `machine`, the speeds and the network of `costs`. */
static struct arch with_costs_of(const struct arch *machine, const struct arch *costs)
{
    struct arch a = *machine;
    a.mvm_cycles = costs->mvm_cycles;
    a.phase_cycles = costs->phase_cycles;
    a.adc_columns_per_cycle = costs->adc_columns_per_cycle;
    a.dac_bits = costs->dac_bits;
    a.cycle_ps = costs->cycle_ps;
    a.lanes = costs->lanes;
    a.vector_setup_cycles = costs->vector_setup_cycles;
    a.link_bytes_per_cycle = costs->link_bytes_per_cycle;
    a.hop_cycles = costs->hop_cycles;
    a.dram_cycles = costs->dram_cycles;
    a.dram_bytes_per_cycle = costs->dram_bytes_per_cycle;
    a.topology = costs->topology;
    return a;
}

static struct arch with_free_movement(const struct arch *machine)
{
    struct arch a = *machine;
    a.lanes = a.vector_setup_cycles = a.link_bytes_per_cycle = a.hop_cycles = 0;
    a.dram_cycles = a.dram_bytes_per_cycle = 0;
    return a;
}

/* The first error's text, for the page. */
static const char *first_error(const struct diag *d, struct arena *a)
{
    for (const struct diag_entry *e = d->first; e; e = e->next) {
        if (e->severity == DIAG_ERROR)
            return arena_strdup(a, e->text);
    }
    return "";
}

static void schedule_elsewhere(struct page *p, const struct cimc_options *s)
{
    struct page_machine *m = p->asked_is_free ? &p->priced : &p->free;
    if (!m->arch.name)
        return;
    struct backend_options o = driver_backend_options(p->build, s);
    struct diag *trial = diag_new();
    o.report_sets = false;
    o.frames = 0;
    m->exists = backend_schedule(p->build->graph, &m->arch, &o, p->build->arena, &m->result, trial);
    if (!m->exists)
        p->problem = first_error(trial, p->build->arena);
    diag_free(trial);
}

/* The first preset on which moving data takes time; NULL: there is none. */
static const char *priced_preset(struct arena *a, struct diag *d)
{
    struct arch arch;
    for (const char *const *name = arch_presets(); *name; name++) {
        if (arch_load(*name, a, d, &arch) && !movement_is_free(&arch))
            return *name;
    }
    return NULL;
}

static bool set_machines(struct page *p, const struct cimc_options *s, struct diag *d)
{
    const struct arch *asked = &p->build->arch;
    struct arch costs;
    p->asked_is_free = movement_is_free(asked);
    p->priced_name = !p->asked_is_free ? asked->name
                     : s->report_arch  ? s->report_arch
                                       : priced_preset(p->build->arena, d);
    if (!p->asked_is_free) {
        p->priced = (struct page_machine){*asked, *p->result, true};
        p->free.arch = with_free_movement(asked);
        return true;
    }
    p->free = (struct page_machine){*asked, *p->result, true};
    if (!p->priced_name)
        return true;
    if (!arch_load(p->priced_name, p->build->arena, d, &costs))
        return false;
    p->priced.arch = with_costs_of(asked, &costs);
    return true;
}

/* ---- the page ---- */

static void print_styles(const struct page *p)
{
    view_print_style(p->out);
    fputs(page_css, p->out);
    view_print_shades(p->out);
    view_print_colours(p->out, 'a', p->result->n_layers);
    view_print_colours(p->out, 'e', N_ENERGY_UNITS + 1);
    view_print_colours(p->out, 'f', view_steady_images(p->result));
}

/* What the page has, in its order. */
static const struct section {
    const char *id, *name;
    void (*print)(const struct page *);
} sections[] = {
    {"against", "Against", page_against},
    {"path", "Slowest path", page_path},
    {"schedule", "Schedule", page_schedule},
    {"steady", "Images in a row", page_steady},
    {"mapping", "Mapping", page_mapping},
    {"utilisation", "Utilisation", page_utilisation},
    {"memory", "Memories", page_memory},
    {"traffic", "Traffic", page_traffic},
    {"movement", "Cost of movement", page_costs},
    {"energy", "Energy", page_energy},
    {"quantisation", "Quantisation", page_quality},
};
enum { N_SECTIONS = sizeof sections / sizeof *sections };

static bool has_section(const struct page *p, const struct section *s)
{
    if (s->print == page_steady)
        return p->result->n_steady_sets > 0;
    if (s->print == page_against)
        return p->against != NULL;
    return s->print != page_quality || p->build->quality.n_rows > 0;
}

static void print_links(const struct page *p)
{
    fputs("<nav>", p->out);
    for (size_t i = 0; i < N_SECTIONS; i++)
        if (has_section(p, &sections[i]))
            fprintf(p->out, "<a href=\"#%s\">%s</a>", sections[i].id, sections[i].name);
    fputs("<span class=\"tools\" hidden=\"\"><input id=\"filter\" type=\"search\" size=\"16\" "
          "placeholder=\"find layers ( / )\" aria-label=\"show only layers with these letters in "
          "their name\"/></span></nav>\n",
          p->out);
}

static void print_head(const struct page *p)
{
    const struct build *b = p->build;
    const char *name = driver_file_name(b->model); /* not the folder: equal input, equal bytes */
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
          "<meta name=\"viewport\" content=\"width=device-width\"/><title>",
          p->out);
    view_print_escaped(p->out, name);
    fputs(" - cimc report</title>\n<style>", p->out);
    print_styles(p);
    fputs("</style></head>\n<body><main>\n<h1>", p->out);
    view_print_escaped(p->out, name);
    fputs("</h1>\n<div class=\"note\">compiled by cimc " CIMC_VERSION " for the machine ", p->out);
    view_print_escaped(p->out, b->arch.name);
    fprintf(p->out,
            ": %lld PEs (crossbars of %lld x %lld cells) on %u tiles of %lld; a cycle is %.6g ns, "
            "one crossbar product takes ",
            (long long)b->dup.pes, (long long)b->arch.rows, (long long)b->arch.cols,
            p->result->n_tiles, (long long)b->arch.crossbars, (double)b->arch.cycle_ps / 1000);
    page_print_product(p, &b->arch);
    fputs("</div>\n", p->out);
    print_links(p);
}

static void print_page(const struct page *p)
{
    print_head(p);
    page_verdict(p);
    page_summary(p);
    for (size_t i = 0; i < N_SECTIONS; i++)
        if (has_section(p, &sections[i]))
            sections[i].print(p);
    fputs("</main>\n", p->out);
    page_data(p);
    fprintf(p->out, "<script>%s</script>\n</body></html>\n", page_js);
}

bool page_print(const struct views *v, const struct cimc_options *s, enum cimc_form form, FILE *out,
                struct diag *d)
{
    bool is_cross = s->schedule == CIMC_CROSS_LAYER;
    struct page p = {.out = out,
                     .views = v,
                     .build = v->build,
                     .options = s,
                     .result = &v->mode[is_cross].result,
                     .is_cross = is_cross};
    if (!set_machines(&p, s, d) ||
        (s->against && !diff_read(s->against, p.build->arena, d, &p.against)))
        return false;
    schedule_elsewhere(&p, s);
    p.findings = findings_new(&p);
    if (form == CIMC_HTML)
        print_page(&p);
    else
        page_json(&p);
    return true;
}
