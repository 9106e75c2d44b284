/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * page_costs.c - the report's comparison: the same copies, sets and PEs where moving data and
 * vector work are free, and where they take time.
 *
 * In: two results of the backend. What is moved hardly differs between them; what it costs does.
 */
#include "page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A value that a machine does not have. */
static const uint64_t NOTHING = UINT64_MAX;

struct totals {
    uint64_t vector_elements, sent, copied, delivered, hop_bytes, read, written;
    uint64_t busiest_vector, busiest_network, busiest_dram; /* cycles of a tile */
    uint64_t busiest_link;                                  /* bytes; a mesh only */
    uint64_t path[N_PAGE_WORKS];
};

static void add_up(const struct page_machine *m, struct totals *t)
{
    const struct backend_detail *d = m->result.detail;
    *t = (struct totals){.busiest_link = NOTHING};
    for (uint32_t i = 0; i < m->result.n_tiles; i++) {
        const struct tile_report *r = &d->tiles[i];
        t->vector_elements += r->vector_elements;
        t->sent += r->sent_bytes;
        t->copied += r->copied_bytes;
        t->read += r->read_bytes;
        t->written += r->written_bytes;
        t->busiest_vector = max_u64(t->busiest_vector, r->busy_cycles[UNIT_VECTOR]);
        t->busiest_network = max_u64(t->busiest_network, r->busy_cycles[UNIT_NETWORK]);
        t->busiest_dram = max_u64(t->busiest_dram, r->busy_cycles[UNIT_DRAM]);
    }
    for (uint32_t i = 0; i < d->n_traffic; i++) {
        t->delivered += d->traffic[i].bytes;
        t->hop_bytes += d->traffic[i].bytes * d->traffic[i].hops;
    }
    for (uint32_t i = 0; i < d->n_path; i++)
        t->path[page_work_of(&d->path[i])] += d->path[i].end_cycle - d->path[i].start_cycle;
}

/* ---- the table ---- */

enum form { CYCLES, BYTES, PLAIN };

static void row(const struct page *p, const char *name, enum form form, const uint64_t value[2])
{
    char text[2][32];
    fprintf(p->out, "<tr><td class=\"l\">%s</td>", name);
    for (int i = 0; i < 2; i++) {
        const struct page_machine *m = i ? &p->priced : &p->free;
        if (!m->exists || value[i] == NOTHING)
            fputs("<td data-v=\"-1\">-</td>", p->out);
        else if (form == BYTES)
            page_cell_bytes(p, value[i]);
        else
            fprintf(p->out, "<td data-v=\"%llu\">%s%s</td>", (unsigned long long)value[i],
                    view_cycles_text(value[i], text[i]), form == CYCLES ? " cycles" : "");
    }
    fputs("</tr>\n", p->out);
}

static void row_time(const struct page *p)
{
    fputs("<tr><td class=\"l\">makespan in time</td>", p->out);
    for (int i = 0; i < 2; i++) {
        const struct page_machine *m = i ? &p->priced : &p->free;
        uint64_t cycles = m->result.makespan_cycles;
        char text[32];
        if (m->exists)
            fprintf(p->out, "<td data-v=\"%.9g\">%s</td>",
                    (double)cycles * (double)m->arch.cycle_ps,
                    view_time_text(cycles, m->arch.cycle_ps, text));
        else
            fputs("<td data-v=\"-1\">-</td>", p->out);
    }
    fputs("</tr>\n<tr><td class=\"l\">utilisation of the PEs</td>", p->out);
    page_cell_percent(p, p->free.exists ? p->free.result.utilisation : NAN);
    page_cell_percent(p, p->priced.exists ? p->priced.result.utilisation : NAN);
    fputs("</tr>\n", p->out);
}

static const struct {
    const char *name;
    enum form form;
    size_t at; /* in struct totals */
} amounts[] = {
    {"vector work (results x operations)", PLAIN, offsetof(struct totals, vector_elements)},
    {"sent to other tiles", BYTES, offsetof(struct totals, sent)},
    {"delivered, each target for itself", BYTES, offsetof(struct totals, delivered)},
    {"carried over links (bytes x hops)", BYTES, offsetof(struct totals, hop_bytes)},
    {"busiest link", BYTES, offsetof(struct totals, busiest_link)},
    {"copied within tiles", BYTES, offsetof(struct totals, copied)},
    {"read from DRAM", BYTES, offsetof(struct totals, read)},
    {"written to DRAM", BYTES, offsetof(struct totals, written)},
    {"busiest vector unit", CYCLES, offsetof(struct totals, busiest_vector)},
    {"busiest sender", CYCLES, offsetof(struct totals, busiest_network)},
    {"busiest DRAM port", CYCLES, offsetof(struct totals, busiest_dram)},
    {"on the slowest path: crossbars", CYCLES, offsetof(struct totals, path[WORK_MVM])},
    {"on the slowest path: vector units", CYCLES, offsetof(struct totals, path[WORK_VECTOR])},
    {"on the slowest path: messages", CYCLES, offsetof(struct totals, path[WORK_NETWORK])},
    {"on the slowest path: DRAM", CYCLES, offsetof(struct totals, path[WORK_DRAM])},
    {"on the slowest path: barriers", CYCLES, offsetof(struct totals, path[WORK_BARRIER])},
};

static void print_rows(const struct page *p, const struct totals t[2])
{
    row(p, "makespan", CYCLES,
        (uint64_t[2]){p->free.result.makespan_cycles, p->priced.result.makespan_cycles});
    row_time(p);
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        uint64_t value[2];
        for (int k = 0; k < 2; k++)
            memcpy(&value[k], (const char *)&t[k] + amounts[i].at, sizeof *value);
        row(p, amounts[i].name, amounts[i].form, value);
    }
}

static void print_prices(const struct page *p)
{
    const struct arch *a = &p->priced.arch;
    fputs("<p>The costs of <b>", p->out);
    view_print_escaped(p->out, p->priced_name);
    fprintf(p->out,
            "</b>: a cycle is %.6g ns; cycles of a crossbar product: ", (double)a->cycle_ps / 1000);
    page_print_product(p, a);
    fprintf(p->out,
            "; a vector unit has "
            "%lld lanes and starts in %lld cycles; a tile sends %lld bytes a cycle, a hop takes "
            "%lld cycles (%s); the DRAM answers after %lld cycles and gives a tile %lld bytes a "
            "cycle. 0 lanes or bytes a cycle mean: takes no time.</p>\n",
            (long long)a->lanes, (long long)a->vector_setup_cycles,
            (long long)a->link_bytes_per_cycle, (long long)a->hop_cycles,
            a->topology == ARCH_MESH ? "tiles in rows and columns"
                                     : "one hop between any two tiles",
            (long long)a->dram_cycles, (long long)a->dram_bytes_per_cycle);
}

static void print_problem(const struct page *p)
{
    if (!p->problem)
        return;
    fputs("<p class=\"note\">The network does not fit the other machine: ", p->out);
    view_print_escaped(p->out, p->problem);
    fputs("</p>\n", p->out);
}

void page_costs(const struct page *p)
{
    struct totals t[2] = {{.busiest_link = NOTHING}, {.busiest_link = NOTHING}};
    struct page_links links = {0};
    page_open_section(
        p, "movement", "What free movement hides",
        "The same copies, sets and PEs twice: where nothing but crossbars takes time (as on the "
        "machine of the CLSA-CIM paper), and where vector work, messages, hops and DRAM do. "
        "Links have latency and width but no contention: messages do not queue for them, so bytes "
        "of the busiest link are a warning, not a cost.");
    if (p->priced.arch.name)
        print_prices(p);
    else
        fputs("<p class=\"note\">--report-arch names a machine to compare with.</p>\n", p->out);
    print_problem(p);
    if (p->free.exists)
        add_up(&p->free, &t[0]);
    if (p->priced.exists)
        add_up(&p->priced, &t[1]);
    bool is_mesh = p->priced.exists && p->priced.arch.topology == ARCH_MESH;
    if (is_mesh) {
        page_count_links(&p->priced, &links);
        t[1].busiest_link = links.most;
    }
    fprintf(p->out, "<div class=\"columns\"><div>\n");
    page_open_table(p, "<|free movement|with costs");
    print_rows(p, t);
    page_close_table(p);
    fputs("</div><div>\n", p->out);
    if (is_mesh) {
        fputs("<h3>Bytes over each link</h3>\n", p->out);
        page_draw_mesh(p, &p->priced, &links);
    }
    fputs("</div></div>\n", p->out);
    heap_free(links.bytes);
    page_close_section(p);
}
