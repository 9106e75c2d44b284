/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_verdict.c - the report's first sentences: what holds the network up, what would help, and
 * what moving data costs.
 *
 * In: the slowest path. Only what is on it makes the schedule shorter; what would make that faster
 * is a matter of its unit.
 */
#include "page.h"

#include <stdlib.h>
#include <string.h>

static const double LEAST_SHARE = 0.05; /* of the makespan, to be worth a hint */
static const double LEAST_SHOWN = 0.0005;
enum { MOST_NAMED = 3 };

static void print_name(const struct page *p, const char *name)
{
    fputs("<b>", p->out);
    view_print_tail(p->out, name, 60);
    fputs("</b>", p->out);
}

/* ---- what holds it up ---- */

static const char *work_text(const struct path_report *e)
{
    static const char *const text[] = {"crossbar products", "vector work", "messages",
                                       "transfers from and to the DRAM", "barriers"};
    return text[page_work_of(e)];
}

static double share_of(const struct page *p, uint64_t cycles)
{
    return (double)cycles / (double)p->result->makespan_cycles;
}

static void print_first(const struct page *p, const struct page_share *s, size_t n)
{
    fputs("<p class=\"first\">", p->out);
    print_name(p, s[0].first->name);
    fprintf(p->out, " holds the network up most: %.1f&#160;%% of the makespan goes into its %s",
            100 * share_of(p, s[0].cycles), work_text(s[0].first));
    for (size_t i = 1; i < n && i < MOST_NAMED; i++) {
        fputs(i == 1 ? "; then " : " and ", p->out);
        print_name(p, s[i].first->name);
        fprintf(p->out, " (%s, %.1f&#160;%%)", work_text(s[i].first),
                100 * share_of(p, s[i].cycles));
    }
    fputs(".</p>\n", p->out);
}

struct kind_total {
    uint64_t cycles;
    uint32_t n_steps, n_waited;
};

static void add_kinds(const struct backend_detail *d, struct kind_total out[N_PAGE_WORKS])
{
    for (uint32_t i = 0; i < d->n_path; i++) {
        struct kind_total *t = &out[page_work_of(&d->path[i])];
        t->cycles += d->path[i].end_cycle - d->path[i].start_cycle;
        t->n_steps += d->path[i].n_steps;
        t->n_waited += d->path[i].n_input_waits;
    }
}

/* Where there is more than one kind. */
static void print_kinds(const struct page *p, const struct kind_total kinds[N_PAGE_WORKS])
{
    static const char *const name[] = {"crossbars", "vector units", "messages", "DRAM", "barriers"};
    if (kinds[WORK_MVM].cycles == p->result->makespan_cycles)
        return;
    fputs("<li>The slowest path, all in all: ", p->out);
    const char *comma = "";
    for (int k = 0; k < N_PAGE_WORKS; k++) {
        if (share_of(p, kinds[k].cycles) < LEAST_SHOWN)
            continue;
        fprintf(p->out, "%s%s %.1f&#160;%%", comma, name[k], 100 * share_of(p, kinds[k].cycles));
        comma = ", ";
    }
    fputs(".</li>\n", p->out);
}

/* ---- what would help ---- */

/* The share of a base layer's products that is largest. */
static const struct page_share *slowest_layer(const struct page_share *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (page_work_of(s[i].first) == WORK_MVM && s[i].first->layer != UINT32_MAX)
            return &s[i];
    return NULL;
}

static void print_copies(const struct page *p, const struct layer_report *l)
{
    fprintf(p->out, "it has %lld cop%s of %lld PE%s", (long long)l->copies,
            l->copies == 1 ? "y" : "ies", (long long)l->pes, l->pes == 1 ? "" : "s");
}

static bool has_objective(const struct page *p, const char *name)
{
    return strcmp(p->build->dup.objective, name) == 0;
}

/* There are PEs for one more copy: why is it not there? */
static void print_why_not(const struct page *p)
{
    bool may_cut = p->options->cut != (int64_t)CUT_2D, may_search = !has_objective(p, "makespan");
    if (may_cut)
        fputs("; <code>--cut 2d</code> allows more copies", p->out);
    if (may_search)
        fprintf(p->out,
                "%s <code>--duplicate makespan</code> looks for those that make the "
                "schedule shorter",
                may_cut ? ", and" : ";");
    if (!may_cut && !may_search)
        fputs(", and no more copies were found that make the schedule shorter", p->out);
}

/* What more copies would take. */
static void print_need(const struct page *p, const struct layer_report *l)
{
    const struct dup_result *dup = &p->build->dup;
    uint64_t n_free = (uint64_t)(dup->pes - dup->pes_used);
    char some[32], all[32];
    if (has_objective(p, "none") || has_objective(p, "given")) {
        fputs(", as was asked for; <code>--duplicate makespan</code> looks for better ones",
              p->out);
        return;
    }
    fprintf(p->out, ", and %s of %s PEs %s free", view_cycles_text(n_free, some),
            view_cycles_text((uint64_t)dup->pes, all), n_free == 1 ? "is" : "are");
    if (n_free >= (uint64_t)l->pes)
        print_why_not(p);
    else if (p->build->arch.tiles > 0)
        fputs("; a machine with more tiles (<code>tiles</code>) has more", p->out);
    else
        fputs("; <code>--extra-pes</code> gives more", p->out);
}

static void help_crossbars(const struct page *p, const struct page_share *s)
{
    const struct dup_result *dup = &p->build->dup;
    const struct layer_report *l = &p->result->layers[s->first->layer];
    char text[32];
    fputs("<li>", p->out);
    print_name(p, l->name);
    if (l->copies >= l->ofm[0] * l->ofm[1]) {
        fputs(" has a copy for each of its output pixels: only faster crossbar products would "
              "help.</li>\n",
              p->out);
        return;
    }
    fputs(" would be faster with more copies: ", p->out);
    print_copies(p, l);
    print_need(p, l);
    if (dup->has_interval && dup->next_pes > 0)
        fprintf(p->out, ": with %s the interval from image to image is the next shorter",
                view_cycles_text((uint64_t)(dup->next_pes - dup->pe_min), text));
    fputs(".", p->out);
    if (dup->has_bound && dup->lower_bound_cycles == p->result->makespan_cycles)
        fputs(" No other copies on these PEs give a shorter schedule.", p->out);
    fputs("</li>\n", p->out);
}

static void help_vector(const struct page *p)
{
    const struct arch *a = &p->build->arch;
    fprintf(p->out, "<li>Vector units: more than %lld lanes (<code>lanes</code>)",
            (long long)a->lanes);
    if (a->vector_setup_cycles > 0)
        fprintf(p->out, ", or less than %lld cycles to start (<code>vector_setup_cycles</code>)",
                (long long)a->vector_setup_cycles);
    fputs(".</li>\n", p->out);
}

/* A port that was idle before most of its steps is fast enough: what is left is the way. */
static bool is_mostly_idle(const struct kind_total *t)
{
    return 2 * t->n_waited > t->n_steps;
}

static void help_network(const struct page *p, const struct kind_total *t)
{
    const struct arch *a = &p->build->arch;
    fprintf(p->out, "<li>Network: the port was idle before %u of %u steps, so ", t->n_waited,
            t->n_steps);
    if (is_mostly_idle(t) && a->hop_cycles > 0)
        fprintf(p->out,
                "shorter ways would help most: a hop takes %lld cycles (<code>hop_cycles</code>), "
                "a tile sends %lld bytes a cycle (<code>link_bytes_per_cycle</code>).</li>\n",
                (long long)a->hop_cycles, (long long)a->link_bytes_per_cycle);
    else
        fprintf(p->out,
                "wider links would help most: a tile sends %lld bytes a cycle "
                "(<code>link_bytes_per_cycle</code>).</li>\n",
                (long long)a->link_bytes_per_cycle);
}

static void help_dram(const struct page *p, const struct kind_total *t)
{
    const struct arch *a = &p->build->arch;
    fprintf(p->out, "<li>DRAM: the port was idle before %u of %u steps, so ", t->n_waited,
            t->n_steps);
    if (is_mostly_idle(t) && a->dram_cycles > 0)
        fprintf(p->out,
                "rows that are loaded earlier, or a faster answer, would help most: it comes after "
                "%lld cycles (<code>dram_cycles</code>).</li>\n",
                (long long)a->dram_cycles);
    else
        fprintf(p->out,
                "more bytes a cycle would help most: a tile gets %lld "
                "(<code>dram_bytes_per_cycle</code>).</li>\n",
                (long long)a->dram_bytes_per_cycle);
}

static void help(const struct page *p, int kind, const struct kind_total *t,
                 const struct page_share *layer)
{
    switch (kind) {
    case WORK_MVM:
        if (layer)
            help_crossbars(p, layer);
        break;
    case WORK_VECTOR: help_vector(p); break;
    case WORK_NETWORK: help_network(p, t); break;
    case WORK_DRAM: help_dram(p, t); break;
    default: break;
    }
}

/* The largest part of the path first. */
static void print_helps(const struct page *p, const struct page_share *s, size_t n,
                        const struct kind_total kinds[N_PAGE_WORKS])
{
    bool told[N_PAGE_WORKS] = {false};
    for (;;) {
        int best = -1;
        for (int k = 0; k < N_PAGE_WORKS; k++)
            if (!told[k] && (best < 0 || kinds[k].cycles > kinds[best].cycles))
                best = k;
        if (best < 0 || share_of(p, kinds[best].cycles) < LEAST_SHARE)
            return;
        told[best] = true;
        help(p, best, &kinds[best], slowest_layer(s, n));
    }
}

static void help_schedule(const struct page *p)
{
    const struct backend_result *cross = &p->views->mode[1].result;
    char text[32];
    if (!p->is_cross && cross->makespan_cycles < p->result->makespan_cycles)
        fprintf(p->out,
                "<li>The schedule is layer by layer; cross-layer (<code>--schedule cross</code>) "
                "takes %s cycles.</li>\n",
                view_cycles_text(cross->makespan_cycles, text));
}

/* ---- what moving data costs ---- */

static double picoseconds(const struct page_machine *m)
{
    return (double)m->result.makespan_cycles * (double)m->arch.cycle_ps;
}

static const char *time_of(const struct page_machine *m, char text[32])
{
    return view_time_text(m->result.makespan_cycles, m->arch.cycle_ps, text);
}

static void print_movement(const struct page *p)
{
    char with[32], without[32];
    if (!p->free.exists || !p->priced.exists)
        return;
    double more = 100 * (picoseconds(&p->priced) / picoseconds(&p->free) - 1);
    if (p->asked_is_free) {
        fputs("<li>Moving data and vector work are free here; with all costs of ", p->out);
        print_name(p, p->priced_name);
        fprintf(p->out, " the network would take %s instead of %s", time_of(&p->priced, with),
                time_of(&p->free, without));
    } else {
        fprintf(p->out,
                "<li>Moving data and vector work take time here: %s, and %s if they were free",
                time_of(&p->priced, with), time_of(&p->free, without));
    }
    fprintf(p->out, " (%+.1f&#160;%%, <a href=\"#movement\">cost of movement</a>).</li>\n", more);
}

void page_verdict(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    struct kind_total kinds[N_PAGE_WORKS] = {{0}};
    fputs("<div class=\"verdict\">\n", p->out);
    if (p->result->makespan_cycles == 0) {
        fputs("<p class=\"first\">Nothing takes time: the makespan is 0.</p></div>\n", p->out);
        return;
    }
    struct page_share *shares = heap_alloc((d->n_path + 1) * sizeof *shares);
    size_t n = page_path_shares(d, shares);
    add_kinds(d, kinds);
    print_first(p, shares, n);
    fputs("<ul>\n", p->out);
    print_helps(p, shares, n, kinds);
    help_schedule(p);
    print_kinds(p, kinds);
    print_movement(p);
    fputs("</ul></div>\n", p->out);
    heap_free(shares);
}
