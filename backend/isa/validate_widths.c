/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * validate_widths.c - every field of every table fits the bits that tables.def gives it (ISA.md
 * 17): hardware has no more.
 */
#include "isa_internal.h"

static bool fits(const struct record_field *f, const void *at)
{
    bool is_signed = f->kind == RECORD_i32 || f->kind == RECORD_i64;
    return f->kind == RECORD_str || isa_number_fits(record_number(f->kind, at), f->bits, is_signed);
}

static bool field_fits(const struct record_field *f, const void *rec)
{
    const char *at = (const char *)rec + f->offset;
    if (!f->list)
        return fits(f, at);
    size_t n = record_list_numbers(f, rec);
    const char *entry = *(const char *const *)at;
    for (size_t i = 0; i < n; i++, entry += record_value_bytes(f->kind))
        if (!fits(f, entry))
            return false;
    return true;
}

bool isa_record_fits(struct fault_sink *s, const char *what, uint32_t index, enum record_id id,
                     const void *rec)
{
    const struct record *r = &isa_records[id];
    for (unsigned i = 0; i < r->n_fields; i++)
        if (!field_fits(&r->fields[i], rec))
            return isa_fault(s, what, index, "%s does not fit in %u bits", r->fields[i].name,
                             r->fields[i].bits);
    return true;
}

/* `n` records one after the other; all of them are named by their number, or are parts of one. */
static bool all_fit(struct fault_sink *s, const char *what, enum record_id id, const void *first,
                    uint32_t n)
{
    bool ok = true;
    const char *at = first;
    for (uint32_t i = 0; i < n; i++, at += isa_records[id].bytes)
        ok &= isa_record_fits(s, what, i, id, at);
    return ok;
}

bool isa_validate_widths(const struct isa_tile *t, struct fault_sink *s)
{
    bool ok = all_fit(s, "view", REC_view, t->views, t->n_views);
    ok &= all_fit(s, "group", REC_group, t->groups, t->n_groups);
    ok &= all_fit(s, "window", REC_window, t->windows, t->n_windows);
    ok &= all_fit(s, "program", REC_program_entry, t->programs, t->n_programs);
    ok &= all_fit(s, "gather", REC_gather, t->gathers, t->n_gathers);
    ok &= all_fit(s, "preload", REC_preload, t->preloads, t->n_preloads);
    ok &= all_fit(s, "table", REC_table, t->tables, t->n_tables);
    for (uint32_t i = 0; i < t->n_groups; i++)
        ok &= all_fit(s, "PE", REC_pe, t->groups[i].pes, t->groups[i].n_pes);
    for (uint32_t i = 0; i < t->n_programs; i++)
        ok &= all_fit(s, "lane", REC_lane, t->programs[i].ops, t->programs[i].n_ops);
    for (uint32_t i = 0; i < t->n_routes; i++)
        ok &= all_fit(s, "target", REC_target, t->routes[i].targets, t->routes[i].n_targets);
    return ok;
}
