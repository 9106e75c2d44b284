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
#include "views.h"

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

static const char style[] =
    "body{font:15px/1.45 system-ui,'DejaVu Sans',sans-serif;color:#222;background:#f4f5f7;"
    "margin:0}"
    "main{max-width:1240px;margin:0 auto;padding:12px 16px 60px}"
    "h1{font-size:26px;margin:18px 0 2px}h2{font-size:20px;margin:0 0 4px}"
    "h3{font-size:15px;margin:16px 0 4px}"
    "section{background:#fff;border:1px solid #dcdfe4;border-radius:6px;padding:14px 18px;"
    "margin:16px 0}"
    ".about{color:#555;max-width:100ch;margin:0 0 12px}nav{margin:8px 0}nav a{margin-right:16px}"
    "a{color:#1257a8}"
    ".cards{display:flex;flex-wrap:wrap;gap:10px}"
    ".card{background:#fff;border:1px solid #dcdfe4;border-radius:6px;padding:8px 14px;"
    "min-width:120px}"
    ".card b{font-size:21px}.card span{color:#555;font-size:13px}"
    ".scroll{max-height:560px;overflow:auto;border:1px solid #e4e6ea;margin:6px 0;"
    "width:fit-content;max-width:100%}"
    "table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}"
    "th,td{padding:3px 10px;text-align:right;white-space:nowrap}"
    "th{position:sticky;top:0;background:#eceef2;cursor:pointer;font-weight:600}"
    "tbody tr:nth-child(even){background:#f7f8fa}tbody tr:hover{background:#e8f0fb}"
    ".l{text-align:left}td.l{max-width:420px;overflow:hidden;text-overflow:ellipsis}"
    ".key{display:inline-block;width:11px;height:11px;margin-right:6px}"
    ".pic{display:block;max-width:100%;margin:6px 0}"
    ".pic text{font:11px system-ui,'DejaVu Sans',sans-serif;fill:#333}"
    ".pic rect:hover,.pic line:hover{stroke:#000}"
    ".sched{max-width:100%;height:auto}.columns{display:flex;flex-wrap:wrap;gap:28px}"
    ".note{color:#555;font-size:13px}";

/* Sorts a table by a click on a head: numbers from the largest, text from the first. Without '<'
 * and '&', so that the page is XML too. */
static const char script[] =
    "document.querySelectorAll('table').forEach(function(table){"
    "var body=table.tBodies[0];"
    "Array.from(table.tHead.rows[0].cells).forEach(function(head,column){"
    "head.title='sorts by this column; again: the other way round';"
    "head.addEventListener('click',function(){"
    "var up=head.dataset.up==='1';head.dataset.up=up?'0':'1';"
    "var key=function(row){var cell=row.cells[column];"
    "return cell.dataset.v===undefined?cell.textContent:Number(cell.dataset.v);};"
    "var rows=Array.from(body.rows).map(function(row){return [key(row),row];});"
    "rows.sort(function(a,b){var c=a[0]===b[0]?0:a[0]>b[0]?1:-1;"
    "return (typeof a[0]==='number')===up?c:-c;});"
    "rows.forEach(function(pair){body.appendChild(pair[1]);});"
    "});});});";

static void print_head(const struct page *p)
{
    const struct build *b = p->build;
    const char *name = driver_file_name(b->model); /* not the folder: equal input, equal bytes */
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>", p->out);
    view_print_escaped(p->out, name);
    fprintf(p->out, " - cimc report</title>\n<style>%s</style></head>\n<body><main>\n<h1>", style);
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
    fprintf(p->out, "<nav><a href=\"#mapping\">Mapping</a><a href=\"#schedule\">Schedule</a>%s",
            p->result->n_steady_sets ? "<a href=\"#steady\">Images in a row</a>" : "");
    fputs("<a href=\"#utilisation\">Utilisation</a><a href=\"#memory\">Buffers</a>"
          "<a href=\"#traffic\">Traffic</a><a href=\"#path\">Slowest path</a>"
          "<a href=\"#movement\">Cost of movement</a><a href=\"#energy\">Energy</a>",
          p->out);
    if (b->quality.n_rows)
        fputs("<a href=\"#quantisation\">Quantisation</a>", p->out);
    fputs("</nav>\n", p->out);
}

static void page_schedule(const struct page *p)
{
    page_open_section(
        p, "schedule", "Schedule",
        "What every tile does over time, with the same copies and sets in both modes: layer by "
        "layer, and cross-layer, where a set starts as soon as its inputs exist. A row is a tile, "
        "divided among its PEs; a bar is a run of sets of one copy of a layer. The grey strip "
        "below "
        "shows how many PEs work. Each mode has its own scale of time.");
    view_draw_schedules(p->views, VIEW_PAGE, p->out);
    page_close_section(p);
}

static void page_steady(const struct page *p)
{
    page_open_section(
        p, "steady", "Images in a row",
        "One interval of the steady state: an image begins at its left end, and everything "
        "repeats from its right end on. Colours tell images apart, which work at the same time in "
        "different layers.");
    view_draw_steady(p->build, p->out);
    page_close_section(p);
}

static void print_page(const struct page *p)
{
    print_head(p);
    page_summary(p);
    page_mapping(p);
    page_schedule(p);
    if (p->result->n_steady_sets)
        page_steady(p);
    page_utilisation(p);
    page_memory(p);
    page_traffic(p);
    page_path(p);
    page_costs(p);
    page_energy(p);
    if (p->build->quality.n_rows)
        page_quality(p);
    fputs("</main>\n", p->out);
    page_data(p);
    fprintf(p->out, "<script>%s</script>\n</body></html>\n", script);
}

bool page_write(const struct views *v, const struct cimc_options *s, const char *path,
                struct diag *d)
{
    bool is_cross = s->schedule == CIMC_CROSS_LAYER;
    struct page p = {.views = v, .build = v->build, .result = &v->mode[is_cross].result};
    struct out out;
    if (!set_machines(&p, s, d) || !out_open(&out, path, d))
        return false;
    schedule_elsewhere(&p, s);
    p.out = out.f;
    print_page(&p);
    return out_commit(&out, d);
}
