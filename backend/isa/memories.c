/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * memories.c - a tile's tables as hardware holds them: records of words, fields in the order and
 * with the widths of tables.def, least significant first (ISA.md 17, DUMP.md).
 */
#include "isa_internal.h"

#include <string.h>

struct packer {
    struct arena *a;
    enum record_id id;
    struct isa_memory *out;
    uint8_t *at; /* the word at hand */
    unsigned bit;
    uint32_t first; /* of the parts that belong to it */
};

static void put(struct packer *p, uint64_t value, unsigned bits)
{
    for (; bits > 0; bits--, value >>= 1, p->bit++)
        p->at[p->bit / 8] |= (uint8_t)((value & 1) << p->bit % 8);
}

static unsigned record_bits(enum record_id id)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < isa_records[id].n_fields; i++)
        if (!isa_records[id].fields[i].list)
            bits += isa_records[id].fields[i].bits;
    return bits;
}

enum { LINK_BITS = 32 }; /* of the number of the first part, and of how many there are */

static void begin(struct packer *p, uint32_t n, unsigned bits)
{
    p->out->word_bytes = (bits + 31) / 32 * 4;
    p->at = arena_alloc_array(p->a, n, p->out->word_bytes);
    memset(p->at, 0, (size_t)n * p->out->word_bytes);
    p->out->words = p->at;
}

static void next(struct packer *p)
{
    p->at += p->out->word_bytes;
    p->bit = 0;
    p->out->n++;
}

static void put_fields(struct packer *p, const void *rec)
{
    const struct record *r = &isa_records[p->id];
    for (unsigned i = 0; i < r->n_fields; i++)
        if (!r->fields[i].list)
            put(p, record_number(r->fields[i].kind, (const char *)rec + r->fields[i].offset),
                r->fields[i].bits);
}

static void put_link(struct packer *p, uint32_t n)
{
    put(p, p->first, LINK_BITS);
    put(p, n, LINK_BITS);
    p->first += n;
}

static void put_records(struct packer *p, const void *first, uint32_t n)
{
    const char *at = first;
    for (uint32_t i = 0; i < n; i++, at += isa_records[p->id].bytes) {
        put_fields(p, at);
        next(p);
    }
}

static void plain(struct packer *p, const void *first, uint32_t n)
{
    begin(p, n, record_bits(p->id));
    put_records(p, first, n);
}

static void pack_views(const struct isa_tile *t, struct packer *p)
{
    plain(p, t->views, t->n_views);
}

static void pack_windows(const struct isa_tile *t, struct packer *p)
{
    plain(p, t->windows, t->n_windows);
}

/* Tables of records with parts: PARENT(memory, member, count, count of parts). */
#define PARENT(name, list, count, n_parts)                                                         \
    static void pack_##name(const struct isa_tile *t, struct packer *p)                            \
    {                                                                                              \
        begin(p, t->count, record_bits(p->id) + 2 * LINK_BITS);                                    \
        for (uint32_t i = 0; i < t->count; i++, next(p)) {                                         \
            put_fields(p, &t->list[i]);                                                            \
            put_link(p, t->list[i].n_parts);                                                       \
        }                                                                                          \
    }
PARENT(groups, groups, n_groups, n_pes)
PARENT(programs, programs, n_programs, n_ops)

static void pack_lanes(const struct isa_tile *t, struct packer *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_programs; i++)
        n += t->programs[i].n_ops;
    begin(p, n, record_bits(p->id));
    for (uint32_t i = 0; i < t->n_programs; i++)
        put_records(p, t->programs[i].ops, t->programs[i].n_ops);
}

static void pack_pes(const struct isa_tile *t, struct packer *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_groups; i++)
        n += t->groups[i].n_pes;
    begin(p, n, record_bits(p->id) + 2 * LINK_BITS);
    for (uint32_t i = 0; i < t->n_groups; i++)
        for (uint32_t k = 0; k < t->groups[i].n_pes; k++, next(p)) {
            put_fields(p, &t->groups[i].pes[k]);
            put_link(p, t->groups[i].pes[k].n_runs);
        }
}

static void pack_runs(const struct isa_tile *t, struct packer *p)
{
    enum { NUMBER_BITS = 32 };
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_groups; i++)
        for (uint32_t k = 0; k < t->groups[i].n_pes; k++)
            n += t->groups[i].pes[k].n_runs;
    begin(p, n, 2 * NUMBER_BITS);
    for (uint32_t i = 0; i < t->n_groups; i++)
        for (uint32_t k = 0; k < t->groups[i].n_pes; k++)
            for (uint32_t j = 0; j < t->groups[i].pes[k].n_runs; j++, next(p)) {
                put(p, t->groups[i].pes[k].runs[j].row, NUMBER_BITS);
                put(p, t->groups[i].pes[k].runs[j].rows, NUMBER_BITS);
            }
}

static void pack_steps(const struct isa_tile *t, struct packer *p)
{
    begin(p, t->n_steps, 32);
    for (uint32_t i = 0; i < t->n_steps; i++, next(p))
        put(p, t->step[i], 32);
}

/* A route has nothing but its targets, so it is no record. */
static void pack_routes(const struct isa_tile *t, struct packer *p)
{
    begin(p, t->n_routes, 2 * LINK_BITS);
    for (uint32_t i = 0; i < t->n_routes; i++, next(p))
        put_link(p, t->routes[i].n_targets);
}

static void pack_targets(const struct isa_tile *t, struct packer *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_routes; i++)
        n += t->routes[i].n_targets;
    begin(p, n, record_bits(p->id));
    for (uint32_t i = 0; i < t->n_routes; i++)
        put_records(p, t->routes[i].targets, t->routes[i].n_targets);
}

static void pack_gathers(const struct isa_tile *t, struct packer *p)
{
    begin(p, t->n_gathers, record_bits(p->id) + 3 * 2 * LINK_BITS);
    for (uint32_t i = 0; i < t->n_gathers; i++, next(p)) {
        const struct isa_gather *g = &t->gathers[i];
        put_fields(p, g);
        put_link(p, g->n_rows);
        put_link(p, g->n_cols);
        put_link(p, g->n_channels);
    }
}

static void put_entries(struct packer *p, const int32_t *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++, next(p))
        put(p, (uint32_t)list[i], 32);
}

static void pack_entries(const struct isa_tile *t, struct packer *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_gathers; i++)
        n += t->gathers[i].n_rows + t->gathers[i].n_cols + t->gathers[i].n_channels;
    begin(p, n, 32);
    for (uint32_t i = 0; i < t->n_gathers; i++) {
        const struct isa_gather *g = &t->gathers[i];
        put_entries(p, g->rows, g->n_rows);
        put_entries(p, g->cols, g->n_cols);
        put_entries(p, g->channels, g->n_channels);
    }
}

struct isa_memory isa_tile_memory(const struct isa_tile *t, unsigned i, struct arena *a)
{
    static const struct {
        const char *name;
        enum record_id id;
        void (*pack)(const struct isa_tile *t, struct packer *p);
    } memories[ISA_MEMORIES] = {
        {"views", REC_view, pack_views},
        {"groups", REC_group, pack_groups},
        {"pes", REC_pe, pack_pes},
        {"runs", REC_pe, pack_runs},
        {"windows", REC_window, pack_windows},
        {"programs", REC_program_entry, pack_programs},
        {"lanes", REC_lane, pack_lanes},
        {"routes", REC_target, pack_routes},
        {"targets", REC_target, pack_targets},
        {"gathers", REC_gather, pack_gathers},
        {"entries", REC_gather, pack_entries},
        {"steps", REC_tile, pack_steps},
    };
    struct isa_memory out = {.name = memories[i].name};
    struct packer p = {.a = a, .id = memories[i].id, .out = &out};
    memories[i].pack(t, &p);
    return out;
}
