/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * memories.c - a tile's tables as hardware holds them: the words of memories.def, least significant
 * field first (ISA.md 17, DUMP.md). Values are put in the order of the fields.
 */
#include "pack.h"
#include "tile_grid.h"

#include <string.h>

static const struct isa_tile *tile_of(const struct packer *p)
{
    return &p->program->tiles[p->tile];
}

static void put_record(struct packer *p, enum record_id id, const void *rec)
{
    const struct record *r = &isa_records[id];
    for (unsigned i = 0; i < r->n_fields; i++)
        if (!r->fields[i].list && r->fields[i].bits)
            pack_number(p,
                        record_number(r->fields[i].kind, (const char *)rec + r->fields[i].offset));
}

/* Where its parts begin, and how many they are. */
static void put_link(struct packer *p, uint32_t n)
{
    pack_number(p, p->first);
    pack_number(p, n);
    p->first += n;
}

static uint64_t modulo(int64_t value, int64_t by)
{
    return (uint64_t)((value % by + by) % by);
}

static void pack_views(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_views; i++, pack_next(p)) {
        const struct isa_view *v = &t->views[i];
        put_record(p, REC_view, v);
        pack_number(p, modulo(-(int64_t)v->ring_origin, v->ring_rows));
        pack_number(p, v->frame_rows % v->ring_rows);
    }
}

/* ---- crossbars ---- */

/* All shifts of an image, 5 bits each. */
static uint64_t shifts_of(const struct isa_image *image)
{
    enum { SHIFT_BITS = 5 };
    uint64_t all = 0;
    for (uint32_t i = 0; i < image->n_shift; i++)
        all |= (uint64_t)image->shift[i] << SHIFT_BITS * i;
    return all;
}

static uint64_t product_cycles(const struct packer *p, uint32_t group)
{
    const struct isa_group *g = &tile_of(p)->groups[group];
    const struct isa_inst one = {.op = ISA_mvm,
                                 .obj = (uint16_t)group,
                                 .h = (uint16_t)isa_patch(g, 0),
                                 .w = (uint16_t)isa_patch(g, 1)};
    struct cost_work work = isa_inst_work(p->program, p->tile, &one);
    struct cost cost = arch_cost(&p->program->arch, &work);
    return cost_occupancy_cycles(&cost);
}

static uint32_t weight_bits(const struct isa_program *p, const struct isa_image *image)
{
    if (image->element == ELEMENT_f32)
        return 0;
    return image->weight_bits ? image->weight_bits : (uint32_t)p->arch.weight_bits;
}

static void pack_groups(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_groups; i++, pack_next(p)) {
        const struct isa_group *g = &t->groups[i];
        const struct isa_image *image = &p->program->images[g->image];
        struct isa_mapping m = isa_mapping_of(p->program, g);
        put_record(p, REC_group, g);
        put_link(p, g->n_pes);
        pack_number(p, isa_window(g, 0));
        pack_number(p, isa_window(g, 1));
        pack_number(p, m.step[0]);
        pack_number(p, m.step[1]);
        pack_number(p, m.channels);
        pack_number(p, m.columns);
        pack_number(p, m.pixel_columns);
        pack_number(p, image->element);
        pack_number(p, weight_bits(p->program, image));
        pack_number(p, image->center != 0);
        pack_number(p, shifts_of(image));
        pack_number(p, product_cycles(p, i));
    }
}

/* Row and column of the window, and the channel, of an image row. */
static void put_position(struct packer *p, const struct isa_mapping *m, uint32_t row)
{
    pack_number(p, row / m->channels / m->window_width);
    pack_number(p, row / m->channels % m->window_width);
    pack_number(p, row % m->channels);
}

static void put_pe(struct packer *p, const struct isa_group *g, const struct isa_pe *pe)
{
    struct isa_mapping m = isa_mapping_of(p->program, g);
    struct isa_span q = isa_mapping_groups(&m, pe);
    put_record(p, REC_pe, pe);
    put_link(p, pe->n_runs);
    pack_number(p, q.from);
    pack_number(p, q.to - q.from);
    pack_number(p, isa_mapping_rows(&m, pe));
    put_position(p, &m, pe->k0);
}

static void pack_pes(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_groups; i++)
        for (uint32_t k = 0; k < t->groups[i].n_pes; k++, pack_next(p))
            put_pe(p, &t->groups[i], &t->groups[i].pes[k]);
}

static void put_runs(struct packer *p, const struct isa_group *g, const struct isa_pe *pe)
{
    struct isa_mapping m = isa_mapping_of(p->program, g);
    for (uint32_t i = 0; i < pe->n_runs; i++, pack_next(p)) {
        pack_number(p, pe->runs[i].row);
        pack_number(p, pe->runs[i].rows);
        put_position(p, &m, pe->runs[i].row);
    }
}

static void pack_runs(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_groups; i++)
        for (uint32_t k = 0; k < t->groups[i].n_pes; k++)
            put_runs(p, &t->groups[i], &t->groups[i].pes[k]);
}

/* ---- the vector unit ---- */

static void pack_windows(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_windows; i++, pack_next(p)) {
        const struct isa_window *w = &t->windows[i];
        const int32_t pad[2] = {w->pad_top, w->pad_left};
        put_record(p, REC_window, w);
        for (unsigned axis = 0; axis < 2; axis++) {
            pack_number(p, modulo(pad[axis], w->stride[axis]));
            pack_number(p, (uint64_t)floor_div_i64(pad[axis], w->stride[axis]));
        }
        for (unsigned axis = 0; axis < 2; axis++) {
            pack_number(p, w->dilation[axis] % w->stride[axis]);
            pack_number(p, w->dilation[axis] / w->stride[axis]);
        }
    }
}

static void pack_programs(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_programs; i++, pack_next(p)) {
        put_record(p, REC_program_entry, &t->programs[i]);
        put_link(p, t->programs[i].n_ops);
    }
}

static void pack_lanes(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_programs; i++)
        for (uint32_t k = 0; k < t->programs[i].n_ops; k++, pack_next(p))
            put_record(p, REC_lane, &t->programs[i].ops[k]);
}

static void pack_luts(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_tables; i++) {
        const uint32_t *data = isa_table_data(p->program, &t->tables[i]);
        for (unsigned k = 0; k < ISA_TABLE_ENTRIES; k++, pack_next(p))
            pack_number(p, data[k]);
    }
}

static void pack_gathers(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_gathers; i++, pack_next(p)) {
        const struct isa_gather *g = &t->gathers[i];
        put_record(p, REC_gather, g);
        put_link(p, g->n_rows);
        put_link(p, g->n_cols);
        put_link(p, g->n_channels);
    }
}

static void put_entries(struct packer *p, const int32_t *list, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++, pack_next(p))
        pack_number(p, (uint64_t)list[i]);
}

static void pack_entries(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_gathers; i++) {
        const struct isa_gather *g = &t->gathers[i];
        put_entries(p, g->rows, g->n_rows);
        put_entries(p, g->cols, g->n_cols);
        put_entries(p, g->channels, g->n_channels);
    }
}

/* ---- messages, frames, the outside ---- */

static struct tile_grid grid_of(const struct packer *p)
{
    return tile_grid_of(&p->program->arch, p->program->n_tiles);
}

static void pack_routes(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    struct tile_grid grid = grid_of(p);
    for (uint32_t i = 0; i < t->n_routes; i++, pack_next(p)) {
        struct tile_reach reach = {0};
        for (uint32_t k = 0; k < t->routes[i].n_targets; k++)
            tile_reach_add(&grid, &reach, t->routes[i].targets[k].tile);
        put_link(p, t->routes[i].n_targets);
        pack_number(p, tile_reach_hops(&grid, p->tile, &reach));
    }
}

static void pack_targets(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    struct tile_grid grid = grid_of(p);
    for (uint32_t i = 0; i < t->n_routes; i++)
        for (uint32_t k = 0; k < t->routes[i].n_targets; k++, pack_next(p)) {
            const struct isa_target *target = &t->routes[i].targets[k];
            put_record(p, REC_target, target);
            pack_number(p, tile_grid_hops(&grid, p->tile, target->tile));
        }
}

static void pack_steps(struct packer *p)
{
    const struct isa_tile *t = tile_of(p);
    for (uint32_t i = 0; i < t->n_steps; i++, pack_next(p))
        pack_number(p, t->step[i]);
}

static void pack_bindings(struct packer *p)
{
    for (uint32_t i = 0; i < p->program->n_bindings; i++, pack_next(p))
        put_record(p, REC_binding, &p->program->bindings[i]);
}

/* ---- how many they are ---- */

#define COUNT(table)                                                                               \
    static uint32_t count_##table(const struct isa_program *p, uint32_t tile)                      \
    {                                                                                              \
        return p->tiles[tile].n_##table;                                                           \
    }
COUNT(views)
COUNT(groups)
COUNT(windows)
COUNT(programs)
COUNT(routes)
COUNT(gathers)
COUNT(steps)

static uint32_t count_pes(const struct isa_program *p, uint32_t tile)
{
    const struct isa_tile *t = &p->tiles[tile];
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_groups; i++)
        n += t->groups[i].n_pes;
    return n;
}

static uint32_t count_runs(const struct isa_program *p, uint32_t tile)
{
    const struct isa_tile *t = &p->tiles[tile];
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_groups; i++)
        for (uint32_t k = 0; k < t->groups[i].n_pes; k++)
            n += t->groups[i].pes[k].n_runs;
    return n;
}

static uint32_t count_lanes(const struct isa_program *p, uint32_t tile)
{
    const struct isa_tile *t = &p->tiles[tile];
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_programs; i++)
        n += t->programs[i].n_ops;
    return n;
}

static uint32_t count_luts(const struct isa_program *p, uint32_t tile)
{
    return p->tiles[tile].n_tables * ISA_TABLE_ENTRIES;
}

static uint32_t count_targets(const struct isa_program *p, uint32_t tile)
{
    const struct isa_tile *t = &p->tiles[tile];
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_routes; i++)
        n += t->routes[i].n_targets;
    return n;
}

static uint32_t count_entries(const struct isa_program *p, uint32_t tile)
{
    const struct isa_tile *t = &p->tiles[tile];
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n_gathers; i++)
        n += (uint32_t)isa_gather_entries(&t->gathers[i]);
    return n;
}

static uint32_t count_bindings(const struct isa_program *p, uint32_t tile)
{
    (void)tile;
    return p->n_bindings;
}

struct memory {
    const char *name;
    enum word_id id;
    uint32_t (*count)(const struct isa_program *p, uint32_t tile);
    void (*pack)(struct packer *p);
};
static const struct memory of_tile[ISA_MEMORIES] = {
    {"views", WORD_view, count_views, pack_views},
    {"groups", WORD_group, count_groups, pack_groups},
    {"pes", WORD_pe, count_pes, pack_pes},
    {"runs", WORD_run, count_runs, pack_runs},
    {"windows", WORD_window, count_windows, pack_windows},
    {"programs", WORD_program, count_programs, pack_programs},
    {"lanes", WORD_lane, count_lanes, pack_lanes},
    {"luts", WORD_lut, count_luts, pack_luts},
    {"routes", WORD_route, count_routes, pack_routes},
    {"targets", WORD_target, count_targets, pack_targets},
    {"gathers", WORD_gather, count_gathers, pack_gathers},
    {"entries", WORD_entry, count_entries, pack_entries},
    {"steps", WORD_step, count_steps, pack_steps},
};
static const struct memory of_program[ISA_PROGRAM_MEMORIES] = {
    {"bindings", WORD_binding, count_bindings, pack_bindings},
};

static struct isa_memory fill(const struct memory *m, const struct isa_program *program,
                              uint32_t tile, struct arena *a)
{
    struct isa_memory out = {.name = m->name};
    struct packer p = {.program = program, .tile = tile, .a = a, .id = m->id, .out = &out};
    uint32_t n = m->count(program, tile);
    pack_begin(&p, n);
    m->pack(&p);
    if (out.n != n)
        BUG("%s: %u words in the room of %u", m->name, out.n, n);
    return out;
}

struct isa_memory isa_tile_memory(const struct isa_program *p, uint32_t tile, unsigned i,
                                  struct arena *a)
{
    return fill(&of_tile[i], p, tile, a);
}

struct isa_memory isa_tile_memory_size(const struct isa_program *p, uint32_t tile, unsigned i)
{
    const struct memory *m = &of_tile[i];
    return (struct isa_memory){
        .name = m->name, .n = m->count(p, tile), .word_bytes = word_bits(m->id) / 8};
}

struct isa_memory isa_program_memory(const struct isa_program *p, unsigned i, struct arena *a)
{
    return fill(&of_program[i], p, 0, a);
}
