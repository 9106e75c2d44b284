/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * validate_tables.c - the tables of one tile: every index, range and address in them (ISA.md 4-7).
 * validate_group.c has those of groups.
 */
#include "isa_internal.h"

#include <inttypes.h>
#include <string.h>

/* A list of an entry, for which a field of the machine says how long it may be; 0: as it likes. */
static bool list_fits(const char *what, uint32_t index, uint64_t n, int64_t most, const char *field,
                      struct fault_sink *s)
{
    return most == 0 || n <= (uint64_t)most ||
           isa_misfit(s, what, index,
                      "a list of %" PRIu64 ", the machine has %" PRId64 ": raise %s", n, most,
                      field);
}

static bool check_counts(const struct isa_program *p, const struct isa_tile *t,
                         struct fault_sink *s)
{
    const struct arch *a = &p->arch;
    const struct {
        const char *what;
        uint32_t n;
        int64_t most;
    } tables[] = {
        {"groups", t->n_groups, min_i64(a->max_groups, ISA_N_QUEUES - 3)},
        {"views", t->n_views, min_i64(a->max_views, ISA_MAX_TABLE)},
        {"inbound counters", t->n_inbound,
         min_i64(a->max_inbound, ISA_LAST_COUNTER + 1 - ISA_FIRST_INBOUND)},
        {"routes", t->n_routes, min_i64(a->max_routes, ISA_MAX_TABLE)},
        {"windows", t->n_windows, ISA_MAX_TABLE},
        {"vector programs", t->n_programs, ISA_MAX_TABLE},
        {"gather tables", t->n_gathers, ISA_MAX_TABLE},
        {"tables", t->n_tables, ISA_MAX_LANE_TABLES},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (tables[i].n > tables[i].most)
            ok = isa_fault(s, NULL, 0, "%u %s, the machine has %" PRId64, tables[i].n,
                           tables[i].what, tables[i].most);
    struct isa_stream_limit of_stream[ISA_STREAM_LIMITS] = {0};
    if (t->stream.at)
        isa_stream_limits(a, &t->stream, of_stream);
    for (int i = 0; i < ISA_STREAM_LIMITS; i++)
        if (of_stream[i].most && of_stream[i].n > of_stream[i].most)
            ok = isa_fault(s, NULL, 0, "%" PRIu64 " %s, the machine has %" PRIu64, of_stream[i].n,
                           of_stream[i].what, of_stream[i].most);
    /* One with a FRAME may leave no instruction that has a stage. */
    if (t->stream.at && !p->frames && isa_stream_has_stages(&t->stream))
        ok = isa_fault(s, NULL, 0, "a walker with a stage in a program without frames");
    for (uint32_t i = 0; i < t->n_groups; i++)
        ok &= list_fits("group", i, t->groups[i].n_pes, a->max_group_pes, "max_group_pes", s);
    if (t->n_steps != t->n_inbound && (p->frames || t->n_steps))
        ok = isa_fault(s, NULL, 0, "%u steps for %u inbound counters", t->n_steps, t->n_inbound);
    if (t->buffer_bytes % ISA_WORD_BYTES != 0 || t->buffer_bytes > (uint64_t)ISA_MAX_BYTES)
        ok = isa_fault(s, NULL, 0, "a buffer of %" PRIu64 " bytes", t->buffer_bytes);
    else if (a->buffer_bytes && t->buffer_bytes > (uint64_t)a->buffer_bytes)
        ok = isa_fault(s, NULL, 0, "%" PRIu64 " buffer bytes, the machine has %" PRId64,
                       t->buffer_bytes, a->buffer_bytes);
    return ok;
}

/* ---- views ---- */

static bool view_fits(const struct isa_view *v, uint64_t buffer_bytes)
{
    struct isa_extent e;
    return isa_view_is_empty(v) ||
           (isa_view_extent(v, &e) && e.lo >= 0 && e.hi <= (int64_t)buffer_bytes);
}

static bool check_view(const struct isa_program *p, const struct isa_tile *t, uint32_t index,
                       struct fault_sink *s)
{
    const struct isa_view *v = &t->views[index];
    if (!isa_check_element(s, "view", index, v->element, ELEMENT_IN_BUFFER))
        return false;
    const int64_t size = (int64_t)element_bytes(v->element);
    if (v->height > ISA_MAX_EXTENT || v->width > ISA_MAX_EXTENT ||
        !isa_within(v->channels, 1, ISA_MAX_CHANNELS))
        return isa_fault(s, "view", index, "extents %u x %u x %u are out of range", v->height,
                         v->width, v->channels);
    if (v->y0 < 0 || v->y0 > v->y1 || v->y1 > (int64_t)v->height || v->x0 < 0 || v->x0 > v->x1 ||
        v->x1 > (int64_t)v->width)
        return isa_fault(s, "view", index, "held [%d, %d) x [%d, %d) is not inside %u x %u", v->y0,
                         v->y1, v->x0, v->x1, v->height, v->width);
    if (!isa_within(v->ring_rows, 1, ISA_MAX_EXTENT) ||
        !isa_within(v->ring_origin, -ISA_MAX_EXTENT, ISA_MAX_EXTENT))
        return isa_fault(s, "view", index, "a ring of %u rows from %d is out of range",
                         v->ring_rows, v->ring_origin);
    if (v->frame_rows > (p->frames ? (uint32_t)ISA_MAX_EXTENT : 0))
        return isa_fault(s, "view", index,
                         p->frames ? "frame_rows %u is out of range"
                                   : "frame_rows %u in a program without frames",
                         v->frame_rows);
    const int64_t pitches[] = {v->row_pitch, v->col_pitch, v->channel_pitch};
    for (size_t i = 0; i < 3; i++)
        if (pitches[i] % size != 0 || !isa_within(pitches[i], -ISA_MAX_BYTES, ISA_MAX_BYTES))
            return isa_fault(s, "view", index, "pitch %" PRId64 " is misaligned or too large",
                             pitches[i]);
    if (v->base % (uint64_t)size != 0 || v->base > (uint64_t)ISA_MAX_BYTES)
        return isa_fault(s, "view", index, "address %" PRIu64 " is misaligned or too large",
                         v->base);
    if (!isa_is_value(v->pad_value, v->element))
        return isa_fault(s, "view", index, "pads %s elements with %u", element_name(v->element),
                         v->pad_value);
    if (v->value >= p->n_nodes && v->value != ISA_NO_SOURCE)
        return isa_fault(s, "view", index, "no node %u", v->value);
    if (!view_fits(v, t->buffer_bytes))
        return isa_fault(s, "view", index, "held elements leave the buffer of %" PRIu64 " bytes",
                         t->buffer_bytes);
    return true;
}

/* ---- windows ---- */

static bool check_window(const struct isa_window *w, uint32_t index, struct fault_sink *s)
{
    bool ok = w->kind <= WINDOW_OVERLAP &&
              isa_geometry_fits(w->kernel, w->stride, w->dilation, w->pad_top, w->pad_left);
    for (int i = 0; i < 4; i++)
        ok &= w->counted[i] <= ISA_MAX_EXTENT;
    return ok || isa_fault(s, "window", index, "its kind or geometry is out of range");
}

/* ---- vector programs ---- */

/* An operand of lane operation k; constants raise *n_constants. */
static bool operand_exists(const struct isa_program_entry *e, uint32_t k, unsigned code,
                           uint32_t *n_constants)
{
    if (code < ISA_MAX_LANE_OPS)
        return code < k;
    if (code >= LANE_CONST0 && code <= ISA_LAST_CONSTANT) {
        if (code - LANE_CONST0 >= *n_constants)
            *n_constants = code - LANE_CONST0 + 1;
        return true;
    }
    bool immediate = code == LANE_IMM && !isa_lane_takes_number(e->ops[k].op);
    return code == LANE_A || immediate || (code == LANE_B && e->arity == 2);
}

/* rq: a multiplier, then what is added, in neighbouring rows of the constants. */
static bool rq_valid(const struct isa_program_entry *e, uint32_t k, uint32_t *n_constants)
{
    const struct isa_lane *l = &e->ops[k];
    return l->y >= LANE_CONST0 && l->imm <= ISA_MAX_SHIFT &&
           operand_exists(e, k, l->y + 1u, n_constants);
}

static bool lane_valid(const struct isa_tile *t, const struct isa_program_entry *e, uint32_t k,
                       uint32_t *n_constants)
{
    const struct isa_lane *l = &e->ops[k];
    if (!isa_lane_name(l->op) || !operand_exists(e, k, l->x, n_constants))
        return false;
    bool binary = isa_lane_arity(l->op) == 2;
    if (binary ? !operand_exists(e, k, l->y, n_constants) : l->y != 0)
        return false;
    if (l->op == LANE_RQ)
        return rq_valid(e, k, n_constants);
    if (l->op == LANE_TAB)
        return l->imm < t->n_tables;
    return l->imm == 0 || l->x == LANE_IMM || (binary && l->y == LANE_IMM);
}

/* A row of constants is of one type in all operations that say which. */
static bool constant_types_fit(const struct isa_program_entry *e)
{
    enum isa_type row[ISA_LAST_CONSTANT + 1] = {ISA_TYPE_NONE};
    for (uint32_t k = 0; k < e->n_ops; k++) {
        const struct isa_lane *l = &e->ops[k];
        const unsigned codes[] = {l->x, l->y, l->op == LANE_RQ ? l->y + 1u : 0};
        for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++) {
            enum isa_type takes = isa_lane_operand(l->op, i > 0);
            if (codes[i] < LANE_CONST0 || takes == ISA_TYPE_NONE)
                continue;
            if (row[codes[i]] != ISA_TYPE_NONE && row[codes[i]] != takes)
                return false;
            row[codes[i]] = takes;
        }
    }
    return true;
}

static bool check_constants(const struct isa_tile *t, uint32_t index, uint32_t n_constants,
                            struct fault_sink *s)
{
    const struct isa_program_entry *e = &t->programs[index];
    if (n_constants == 0)
        return e->constants_view == 0 ||
               isa_fault(s, "program", index, "a view of constants that no operation reads");
    if (e->constants_view >= t->n_views)
        return isa_fault(s, "program", index, "no view %u", e->constants_view);
    const struct isa_view *v = &t->views[e->constants_view];
    if (element_bytes(v->element) != sizeof(uint32_t) || !constant_types_fit(e))
        return isa_fault(s, "program", index, "constants are f32 or i32, each row one of them");
    return (v->y0 == 0 && v->y1 >= (int64_t)n_constants && v->x0 == 0 && v->x1 >= 1) ||
           isa_fault(s, "program", index, "view %u does not hold %u constants", e->constants_view,
                     n_constants);
}

static bool check_program(const struct isa_tile *t, uint32_t index, struct fault_sink *s)
{
    const struct isa_program_entry *e = &t->programs[index];
    uint32_t n_constants = 0;
    if (e->arity < 1 || e->arity > 2 || e->n_ops < 1 || e->n_ops > ISA_MAX_LANE_OPS)
        return isa_fault(s, "program", index, "%u operands, %u operations", e->arity, e->n_ops);
    for (uint32_t k = 0; k < e->n_ops; k++)
        if (!lane_valid(t, e, k, &n_constants))
            return isa_fault(s, "program", index, "lane operation %u is illegal", k);
    return check_constants(t, index, n_constants, s);
}

static bool check_table(const struct isa_program *p, const struct isa_tile *t, uint32_t index,
                        struct fault_sink *s)
{
    const struct isa_table *table = &t->tables[index];
    if (table->element != ELEMENT_f32 && table->element != ELEMENT_i32)
        return isa_fault(s, "table", index, "its entries are neither f32 nor i32");
    return (table->offset % sizeof(uint32_t) == 0 &&
            isa_section_holds(p, table->section, table->offset,
                              ISA_TABLE_ENTRIES * sizeof(uint32_t))) ||
           isa_fault(s, "table", index, "no section %u, or its %d entries leave it", table->section,
                     ISA_TABLE_ENTRIES);
}

/* ---- routes, gathers, preloads ---- */

static bool check_route(const struct isa_program *p, const struct isa_tile *t, uint32_t index,
                        struct fault_sink *s)
{
    const struct isa_route *r = &t->routes[index];
    if (r->n_targets == 0)
        return isa_fault(s, "route", index, "no targets");
    if (!list_fits("route", index, r->n_targets, p->arch.max_targets, "max_targets", s))
        return false;
    for (uint32_t i = 0; i < r->n_targets; i++) {
        const struct isa_target *to = &r->targets[i];
        if (to->tile >= p->n_tiles)
            return isa_fault(s, "route", index, "no tile %u", to->tile);
        if (to->counter < ISA_FIRST_INBOUND ||
            to->counter - ISA_FIRST_INBOUND >= p->tiles[to->tile].n_inbound)
            return isa_fault(s, "route", index, "tile %u has no inbound counter %u", to->tile,
                             to->counter);
    }
    return true;
}

static bool check_gather(const struct isa_program *p, const struct isa_gather *g, uint32_t index,
                         struct fault_sink *s)
{
    const int32_t *const lists[] = {g->rows, g->cols, g->channels};
    const uint32_t n[] = {g->n_rows, g->n_cols, g->n_channels};
    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < n[k]; i++)
            if (lists[k][i] < -1)
                return isa_fault(s, "gather", index, "index %d", lists[k][i]);
    return list_fits("gather", index, isa_gather_entries(g), p->arch.max_gathers, "max_gathers", s);
}

static bool check_preload(const struct isa_program *p, const struct isa_tile *t, uint32_t index,
                          struct fault_sink *s)
{
    const struct isa_preload *l = &t->preloads[index];
    if (l->section >= p->n_sections)
        return isa_fault(s, "preload", index, "no section %u", l->section);
    uint64_t section = p->sections[l->section].length;
    if (l->address % ISA_WORD_BYTES != 0 || l->offset % ISA_WORD_BYTES != 0 ||
        l->length % ISA_WORD_BYTES != 0)
        return isa_fault(s, "preload", index, "misaligned");
    if (l->length > section || l->offset > section - l->length || l->length > t->buffer_bytes ||
        l->address > t->buffer_bytes - l->length)
        return isa_fault(s, "preload", index, "leaves its section or the buffer");
    return true;
}

/* Views first: the rest refers to them. */
static bool check_views(const struct isa_program *p, const struct isa_tile *t, struct fault_sink *s)
{
    bool ok = true;
    for (uint32_t i = 0; i < t->n_views; i++)
        ok &= check_view(p, t, i, s);
    return ok;
}

static bool check_groups(const struct isa_program *p, const struct isa_tile *t,
                         struct arena *scratch, struct group_facts *facts, struct fault_sink *s)
{
    bool ok = true;
    bool *taken = ARENA_ARRAY(scratch, bool, (size_t)p->arch.crossbars);
    for (uint32_t i = 0; i < t->n_groups; i++)
        ok &= isa_validate_group(p, t, i, taken, scratch, &facts[i], s);
    return ok;
}

bool isa_validate_tables(const struct isa_program *p, uint32_t tile, struct group_facts *facts,
                         struct arena *scratch, struct fault_sink *s)
{
    const struct isa_tile *t = &p->tiles[tile];
    if (!check_counts(p, t, s) || !check_views(p, t, s))
        return false;
    bool ok = check_groups(p, t, scratch, facts, s);
    for (uint32_t i = 0; i < t->n_windows; i++)
        ok &= check_window(&t->windows[i], i, s);
    for (uint32_t i = 0; i < t->n_tables; i++)
        ok &= check_table(p, t, i, s);
    for (uint32_t i = 0; i < t->n_programs; i++)
        ok &= check_program(t, i, s);
    for (uint32_t i = 0; i < t->n_routes; i++)
        ok &= check_route(p, t, i, s);
    for (uint32_t i = 0; i < t->n_gathers; i++)
        ok &= check_gather(p, &t->gathers[i], i, s);
    for (uint32_t i = 0; i < t->n_preloads; i++)
        ok &= check_preload(p, t, i, s);
    return isa_validate_widths(t, s) && ok;
}
