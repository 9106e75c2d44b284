/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/* mutate_tables.c - mutations of tables: programs of lanes, groups, windows, gathers, images. */
#include "mutate_pick.h"

static bool has_program(const struct isa_tile *t)
{
    return t->n_programs > 0;
}

bool other_lane(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_program);
    if (!t)
        return false;
    struct isa_program_entry *e = &t->programs[pick(state, 0, (int64_t)t->n_programs - 1)];
    struct isa_lane *l = &e->ops[pick(state, 0, (int64_t)e->n_ops - 1)];
    uint32_t op;
    switch (pick(state, 0, 3)) {
    case 0:
        pick_other(state, N_LANE_OPS, l->op, &op);
        l->op = (uint8_t)op;
        break;
    case 1: l->imm = other_value(state, l->imm, isa_lane_operand(l->op, 0) == ISA_TYPE_F32); break;
    case 2: {
        uint8_t x = l->x;
        l->x = l->y;
        l->y = x;
        return l->x != l->y;
    }
    default:
        if (e->n_ops < 2)
            return false;
        e->n_ops--;
    }
    return true;
}

static bool has_table(const struct isa_tile *t)
{
    return t->n_tables > 0;
}

/* Another of the tile's tables, or the same bytes from another place or as other numbers. */
bool other_table(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_table);
    if (!t)
        return false;
    struct isa_table *table = &t->tables[pick(state, 0, (int64_t)t->n_tables - 1)];
    switch (pick(state, 0, 2)) {
    case 0: *table = t->tables[pick(state, 0, (int64_t)t->n_tables - 1)]; break;
    case 1: table->offset += (uint64_t)(4 * one_up_or_down(state)); break;
    default: table->element = table->element == ELEMENT_f32 ? ELEMENT_i32 : ELEMENT_f32;
    }
    return true;
}

static bool has_group(const struct isa_tile *t)
{
    return t->n_groups > 0;
}

static struct isa_group *pick_group(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_group);
    return t ? &t->groups[pick(state, 0, (int64_t)t->n_groups - 1)] : NULL;
}

bool other_pe(struct isa_program *p, uint64_t *state)
{
    struct isa_group *g = pick_group(p, state);
    if (!g || !g->n_pes)
        return false;
    struct isa_pe *pe = &g->pes[pick(state, 0, (int64_t)g->n_pes - 1)];
    uint32_t *field[] = {&pe->k0, &pe->n0, &pe->k, &pe->n, &pe->pe};
    *field[pick(state, 0, 4)] += (uint32_t)one_up_or_down(state);
    return true;
}

static bool has_runs(const struct isa_tile *t)
{
    for (uint32_t i = 0; i < t->n_groups; i++)
        for (uint32_t k = 0; k < t->groups[i].n_pes; k++)
            if (t->groups[i].pes[k].n_runs)
                return true;
    return false;
}

/* One of the tile's PEs with runs. */
static struct isa_pe *pick_pe_with_runs(struct isa_tile *t, uint64_t *state)
{
    for (;;) {
        struct isa_group *g = &t->groups[pick(state, 0, (int64_t)t->n_groups - 1)];
        struct isa_pe *pe = &g->pes[pick(state, 0, (int64_t)g->n_pes - 1)];
        if (pe->n_runs)
            return pe;
    }
}

/* A run elsewhere, longer or shorter, or none: what the PE's totals say follows. */
bool other_run(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_runs);
    if (!t)
        return false;
    struct isa_pe *pe = pick_pe_with_runs(t, state);
    struct isa_run *run = &pe->runs[pick(state, 0, (int64_t)pe->n_runs - 1)];
    uint32_t up = (uint32_t)one_up_or_down(state);
    switch (pick(state, 0, 2)) {
    case 0: run->row += up; break;
    case 1: run->rows += up; break;
    default: *run = pe->runs[--pe->n_runs];
    }
    pe->k = 0;
    for (uint32_t i = 0; i < pe->n_runs; i++)
        pe->k += pe->runs[i].rows;
    pe->k0 = pe->runs[0].row;
    pe->n_runs = pe->n_runs > 1 ? pe->n_runs : 0;
    return true;
}

bool other_group(struct isa_program *p, uint64_t *state)
{
    struct isa_group *g = pick_group(p, state);
    if (!g)
        return false;
    uint32_t up = (uint32_t)one_up_or_down(state);
    switch (pick(state, 0, 11)) {
    case 0: g->pad_top += (int32_t)up; break;
    case 1: g->pad_left += (int32_t)up; break;
    case 2: g->stride[pick(state, 0, 1)] += up; break;
    case 3: g->dilation[pick(state, 0, 1)] += up; break;
    case 4: g->source_channel0 += up; break;
    case 5: g->channel0 += up; break;
    case 6: return pick_other(state, p->n_images, g->image, &g->image);
    case 7: {
        uint32_t h = g->kernel[0];
        g->kernel[0] = g->kernel[1];
        g->kernel[1] = h;
        return h != g->kernel[0];
    }
    case 8: g->conv_groups += up; break;
    case 9: g->x_bits += up; break;
    case 10: g->patch[pick(state, 0, 1)] += up; break;
    default: g->source_view += up;
    }
    return true;
}

static bool has_window(const struct isa_tile *t)
{
    return t->n_windows > 0;
}

bool other_window(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_window);
    if (!t)
        return false;
    struct isa_window *w = &t->windows[pick(state, 0, (int64_t)t->n_windows - 1)];
    uint32_t up = (uint32_t)one_up_or_down(state), kind;
    switch (pick(state, 0, 6)) {
    case 0: w->pad_top += (int32_t)up; break;
    case 1: w->pad_left += (int32_t)up; break;
    case 2: w->stride[pick(state, 0, 1)] += up; break;
    case 3: w->dilation[pick(state, 0, 1)] += up; break;
    case 4: w->kernel[pick(state, 0, 1)] += up; break;
    case 5: w->counted[pick(state, 0, 3)] += up; break;
    default: pick_other(state, 4, w->kind, &kind); w->kind = kind;
    }
    return true;
}

static bool has_gather(const struct isa_tile *t)
{
    return t->n_gathers > 0;
}

bool other_gather(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_gather);
    if (!t)
        return false;
    struct isa_gather *g = &t->gathers[pick(state, 0, (int64_t)t->n_gathers - 1)];
    int32_t *lists[] = {g->rows, g->cols, g->channels};
    uint32_t n[] = {g->n_rows, g->n_cols, g->n_channels};
    int64_t which = pick(state, 0, 3);
    if (which == 3)
        g->fill = other_value(state, g->fill, pick(state, 0, 1));
    else if (!n[which])
        return false;
    else
        lists[which][pick(state, 0, (int64_t)n[which] - 1)] += one_up_or_down(state);
    return true;
}

static bool has_preload(const struct isa_tile *t)
{
    return t->n_preloads > 0;
}

bool other_preload(struct isa_program *p, uint64_t *state)
{
    struct isa_tile *t = pick_tile(p, state, has_preload);
    if (!t)
        return false;
    struct isa_preload *l = &t->preloads[pick(state, 0, (int64_t)t->n_preloads - 1)];
    int64_t by = 4 * one_up_or_down(state);
    switch (pick(state, 0, 2)) {
    case 0: l->address += (uint64_t)by; break;
    case 1: l->offset += (uint64_t)by; break;
    default: l->length += (uint64_t)by;
    }
    return true;
}

bool other_image(struct isa_program *p, uint64_t *state)
{
    if (!p->n_images)
        return false;
    struct isa_image *i = &p->images[pick(state, 0, (int64_t)p->n_images - 1)];
    switch (pick(state, 0, 5)) {
    case 0: i->offset += 64; break;
    case 3: i->element = i->element == ELEMENT_f32 ? ELEMENT_i8 : ELEMENT_f32; break;
    case 4: i->center = i->center ? 0 : i->section + 1; break;
    case 5: i->center_offset += (uint64_t)(4 * one_up_or_down(state)); break;
    case 1: i->k += (uint32_t)one_up_or_down(state); break;
    default: i->n += (uint32_t)one_up_or_down(state);
    }
    return true;
}

/* One of a machine's fields. */
static bool other_machine(struct arch *a, uint64_t *state)
{
    int64_t *field[] = {&a->adc_bits,   &a->dac_bits, &a->column_flip,
                        &a->noise_seed, &a->rows,     &a->cell_fraction_bits};
    switch (pick(state, 0, 7)) {
    case 0: a->pair_axis = a->pair_axis ? ARCH_PAIR_COLUMNS : ARCH_PAIR_ROWS; break;
    case 1: a->encoding = a->encoding ? ARCH_OFFSET : ARCH_DIFFERENTIAL; break;
    default: *field[pick(state, 0, 5)] += one_up_or_down(state);
    }
    return true;
}

/* Steps of the converters, bits of weights and inputs, the machine that all layers have. */
bool other_readout(struct isa_program *p, uint64_t *state)
{
    struct isa_group *g = pick_group(p, state);
    if (!g || !g->x_bits)
        return false;
    struct isa_image *i = &p->images[g->image];
    const struct isa_image *other = &p->images[pick(state, 0, (int64_t)p->n_images - 1)];
    switch (pick(state, 0, 5)) {
    case 0: i->weight_bits += (uint32_t)one_up_or_down(state); break;
    case 1: g->x_bits += (uint32_t)one_up_or_down(state); break;
    case 2: i->n_shift = i->n_shift ? 0 : other->n_shift; break;
    case 3: i->shift = other->shift; return other != i && i->n_shift == other->n_shift;
    case 4:
        if (!i->n_shift)
            return false;
        i->shift[pick(state, 0, (int64_t)i->n_shift - 1)] += (uint32_t)one_up_or_down(state);
        break;
    default: return other_machine(&p->arch, state);
    }
    return true;
}

bool other_binding(struct isa_program *p, uint64_t *state)
{
    if (!p->n_bindings)
        return false;
    struct isa_binding *b = &p->bindings[pick(state, 0, (int64_t)p->n_bindings - 1)];
    int64_t kept = b->stride_h;
    switch (pick(state, 0, 6)) {
    case 0: b->stride_h += one_up_or_down(state); break;
    case 1: b->stride_w += one_up_or_down(state); break;
    case 2: b->stride_c += one_up_or_down(state); break;
    case 3: b->offset += (uint64_t)one_up_or_down(state); break;
    case 4:
        b->element = b->element == ELEMENT_f32  ? ELEMENT_f16
                     : b->element == ELEMENT_u8 ? ELEMENT_i8
                     : b->element == ELEMENT_i8 ? ELEMENT_u8
                                                : ELEMENT_f32;
        break;
    case 5:
        b->stride_h = b->stride_w;
        b->stride_w = kept;
        return kept != b->stride_h;
    default: b->height += (uint32_t)one_up_or_down(state);
    }
    return true;
}
