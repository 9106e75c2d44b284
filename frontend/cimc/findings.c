/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * findings.c - what holds the network up, and what would help.
 *
 * In: the slowest path. Only what is on it makes the schedule shorter. All of one unit counts
 * first, then its largest pieces; what would help is tried: a schedule with half of a time, or
 * twice of what works.
 */
#include "findings.h"

#include "common_json.h"

#include <stdlib.h>
#include <string.h>

static const double LEAST_SHARE = 0.05; /* of the makespan */

double findings_share(const struct page *p, uint64_t cycles)
{
    return (double)cycles / (double)p->result->makespan_cycles;
}

bool findings_counts(const struct page *p, const struct finding_unit *u)
{
    return findings_share(p, u->cycles) >= LEAST_SHARE;
}

/* ---- the units of the path ---- */

static int compare_units(const void *a, const void *b)
{
    const struct finding_unit *x = a, *y = b;
    if (x->cycles != y->cycles)
        return x->cycles > y->cycles ? -1 : 1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

static void find_units(const struct backend_detail *d, struct findings *out)
{
    struct finding_unit all[N_PAGE_WORKS] = {{0}};
    for (uint32_t i = 0; i < d->n_path; i++) {
        struct finding_unit *u = &all[page_work_of(&d->path[i])];
        u->cycles += d->path[i].end_cycle - d->path[i].start_cycle;
        u->n_steps += d->path[i].n_steps;
        u->n_input_waits += d->path[i].n_input_waits;
    }
    for (enum page_work k = 0; k < N_PAGE_WORKS; k++) {
        all[k].unit = k;
        if (all[k].cycles)
            out->units[out->n_units++] = all[k];
    }
    qsort(out->units, out->n_units, sizeof *out->units, compare_units);
}

/* The layer whose products are the largest piece. */
static uint32_t find_slowest_layer(const struct findings *f)
{
    for (size_t i = 0; i < f->n_pieces; i++)
        if (page_work_of(f->pieces[i].first) == WORK_MVM)
            return f->pieces[i].first->layer;
    return UINT32_MAX;
}

/* ---- what would help ---- */

#define FIELD(name) #name, offsetof(struct arch, name)
const struct finding_field finding_fields[N_FINDING_FIELDS] = {
    {WORK_VECTOR, FIELD(lanes), true},
    {WORK_VECTOR, FIELD(vector_setup_cycles), false},
    {WORK_NETWORK, FIELD(link_bytes_per_cycle), true},
    {WORK_NETWORK, FIELD(hop_cycles), false},
    {WORK_DRAM, FIELD(dram_bytes_per_cycle), true},
    {WORK_DRAM, FIELD(dram_cycles), false},
};

int64_t finding_field_value(const struct finding_field *f, const struct arch *a)
{
    return *(const int64_t *)((const char *)a + f->offset);
}

static void add_help(struct findings *f, size_t first, struct finding_help help)
{
    size_t at = f->n_helps++;
    for (; at > first && f->helps[at - 1].makespan_cycles > help.makespan_cycles; at--)
        f->helps[at] = f->helps[at - 1];
    f->helps[at] = help;
}

static void try_field(const struct page *p, struct findings *f, size_t first,
                      const struct finding_field *field)
{
    int64_t from = finding_field_value(field, &p->build->arch);
    struct finding_help help = {.unit = field->unit,
                                .field = field->name,
                                .layer = UINT32_MAX,
                                .from = from,
                                .to = field->is_rate ? 2 * from : from / 2};
    if (from > 0 && what_if_field(p, field->name, help.to, &help.makespan_cycles))
        add_help(f, first, help);
}

/* Twice as many, or where these cannot share the output one more. */
static void try_copies(const struct page *p, struct findings *f)
{
    uint32_t layer = f->slowest_layer;
    if (layer == UINT32_MAX)
        return;
    const struct layer_report *l = &p->result->layers[layer];
    const struct dup_result *dup = &p->build->dup;
    const int64_t tries[] = {2 * l->copies, l->copies + 1};
    size_t n_tries = tries[0] == tries[1] ? 1 : 2;
    for (size_t i = 0; i < n_tries; i++) {
        struct finding_help help = {
            .unit = WORK_MVM, .layer = layer, .from = l->copies, .to = tries[i]};
        help.pes = max_i64((help.to - l->copies) * l->pes - (dup->pes - dup->pes_used), 0);
        if (!what_if_copies(p, layer, help.to, &help.makespan_cycles))
            continue;
        add_help(f, f->n_helps, help);
        return;
    }
}

static void try_unit(const struct page *p, struct findings *f, enum page_work unit)
{
    size_t first = f->n_helps;
    if (unit == WORK_MVM)
        try_copies(p, f);
    for (size_t i = 0; i < N_FINDING_FIELDS; i++)
        if (finding_fields[i].unit == unit)
            try_field(p, f, first, &finding_fields[i]);
}

struct findings *findings_new(const struct page *p)
{
    const struct backend_detail *d = p->result->detail;
    struct arena *a = p->build->arena;
    struct findings *f = ARENA_NEW(a, struct findings);
    f->pieces = ARENA_ARRAY(a, struct page_share, d->n_path + 1);
    f->n_pieces = page_path_shares(d, f->pieces);
    f->slowest_layer = find_slowest_layer(f);
    find_units(d, f);
    for (size_t i = 0; i < f->n_units; i++)
        if (findings_counts(p, &f->units[i]))
            try_unit(p, f, f->units[i].unit);
    findings_say(p, f);
    return f;
}

/* ---- JSON ---- */

const char *findings_unit_name(enum page_work unit)
{
    static const char *const names[] = {[WORK_MVM] = "crossbar",
                                        [WORK_VECTOR] = "vector",
                                        [WORK_NETWORK] = "network",
                                        [WORK_DRAM] = "dram",
                                        [WORK_BARRIER] = "barrier"};
    return names[unit];
}

static void time_json(const struct page *p, uint64_t cycles, struct json *j)
{
    json_cycles(j, "", cycles, p->build->arch.cycle_ps);
    json_real(j, "share", findings_share(p, cycles));
}

static void units_json(const struct page *p, const struct findings *f, struct json *j)
{
    json_open_array(j, "units");
    for (size_t i = 0; i < f->n_units; i++) {
        json_open_map(j, NULL);
        json_text(j, "unit", findings_unit_name(f->units[i].unit));
        time_json(p, f->units[i].cycles, j);
        json_integer(j, "steps", f->units[i].n_steps);
        json_integer(j, "input_waits", f->units[i].n_input_waits);
        json_close_map(j);
    }
    json_close_array(j);
}

static void pieces_json(const struct page *p, const struct findings *f, uint32_t most,
                        struct json *j)
{
    json_open_array(j, "bottlenecks");
    for (size_t i = 0; i < f->n_pieces && i < most; i++) {
        const struct page_share *s = &f->pieces[i];
        json_open_map(j, NULL);
        json_text(j, "unit", findings_unit_name(page_work_of(s->first)));
        json_text(j, "name", s->first->name);
        json_layer(j, "layer", s->first->layer);
        json_text(j, "work", s->first->work);
        time_json(p, s->cycles, j);
        json_integer(j, "steps", s->n_steps);
        json_integer(j, "input_waits", s->n_input_waits);
        json_close_map(j);
    }
    json_close_array(j);
}

static void helps_json(const struct page *p, const struct findings *f, struct json *j)
{
    json_open_array(j, "helps");
    for (size_t i = 0; i < f->n_helps; i++) {
        const struct finding_help *h = &f->helps[i];
        json_open_map(j, NULL);
        json_text(j, "unit", findings_unit_name(h->unit));
        json_text(j, "change", h->field ? h->field : "copies");
        json_layer(j, "layer", h->layer);
        json_integer(j, "from", h->from);
        json_integer(j, "to", h->to);
        json_integer(j, "more_pes", h->pes);
        json_cycles(j, "makespan", h->makespan_cycles, p->build->arch.cycle_ps);
        json_real(j, "saves", 1 - findings_share(p, h->makespan_cycles));
        json_close_map(j);
    }
    json_close_array(j);
}

/* Without marks. */
static void sentence_json(const struct page *p, const char *s, struct json *j)
{
    char *plain = arena_strdup(p->build->arena, s), *to = plain;
    for (; *s; s++)
        if (*s > MARK_END || *s < 0)
            *to++ = *s;
    *to = 0;
    json_text(j, NULL, plain);
}

void findings_json(const struct page *p, uint32_t most, struct json *j)
{
    const struct findings *f = p->findings;
    json_open_map(j, "verdict");
    json_open_array(j, "sentences");
    sentence_json(p, f->first, j);
    for (size_t i = 0; i < f->n_others; i++)
        sentence_json(p, f->others[i], j);
    json_close_array(j);
    units_json(p, f, j);
    pieces_json(p, f, most, j);
    helps_json(p, f, j);
    json_close_map(j);
}
