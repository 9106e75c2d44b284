/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_patches.h - programs whose products yield several pixels (ISA.md 5.1): one layer each, and
 * what can be wrong with its image, its PEs and its regions.
 */
#ifndef CIMC_CHECK_PATCHES_H
#define CIMC_CHECK_PATCHES_H

#include "check_rig.h"

struct layer {
    const struct ir_op *op, *weights;
    int64_t a, b, window[2], groups, channels, columns; /* channels in and out of a conv group */
    uint32_t k, n;                                      /* of the image */
};

static struct layer layer_of(const struct rig *r, const char *mvm)
{
    struct layer l = {.op = op_named(r, mvm)};
    const struct ir_attrs_mvm *m = &l.op->attrs->mvm;
    l.weights = l.op->in[1].value->def;
    l.a = m->patch[0];
    l.b = m->patch[1];
    for (int i = 0; i < 2; i++)
        l.window[i] = (m->patch[i] - 1) * m->stride[i] + m->dilation[i] * (m->kernel[i] - 1) + 1;
    l.groups = m->group;
    l.channels = l.op->in[0].value->type.dim[2] / m->group;
    l.columns = l.op->out->type.dim[2] / m->group;
    l.k = (uint32_t)(l.window[0] * l.window[1] * l.channels);
    l.n = (uint32_t)(l.a * l.b * l.op->out->type.dim[2]);
    return l;
}

/* The row of the constant that matrix row `row` is in column `column`; -1: none, a zero. */
static int64_t weight_row(const struct layer *l, int64_t row, int64_t column)
{
    const struct ir_attrs_mvm *m = &l->op->attrs->mvm;
    int64_t pixel = column / l->columns % (l->a * l->b), c = row % l->channels, tap[2];
    const int64_t at[2] = {row / l->channels / l->window[1], row / l->channels % l->window[1]};
    const int64_t p[2] = {pixel / l->b, pixel % l->b};
    for (int i = 0; i < 2; i++) {
        int64_t d = at[i] - p[i] * m->stride[i];
        if (d < 0 || d % m->dilation[i] || d / m->dilation[i] >= m->kernel[i])
            return -1;
        tap[i] = d / m->dilation[i];
    }
    return (tap[0] * m->kernel[1] + tap[1]) * l->channels + c;
}

static uint32_t add_image(struct rig *r, const struct layer *l)
{
    struct isa_program *p = r->p;
    const float *w = ir_const_data(l->weights, p->arena);
    float *data = ARENA_ARRAY(p->arena, float, (size_t)l->k * l->n);
    for (uint32_t row = 0; row < l->k; row++)
        for (uint32_t n = 0; n < l->n; n++) {
            int64_t from = weight_row(l, row, n), q = n / (l->a * l->b * l->columns);
            if (from >= 0)
                data[row * l->n + n] =
                    w[from * l->groups * l->columns + q * l->columns + n % l->columns];
        }
    p->sections[p->n_sections] = (struct isa_section){
        .name = l->weights->name, .data = data, .length = (uint64_t)l->k * l->n * 4};
    p->images[p->n_images] = (struct isa_image){.section = p->n_sections++,
                                                .k = l->k,
                                                .n = l->n,
                                                .node = l->weights->id,
                                                .element = ELEMENT_f32};
    return p->n_images++;
}

/* PEs for columns [from, to): the rows that they read, 16 a PE. */
static void add_block(struct rig *r, struct isa_group *g, const struct layer *l, uint32_t from,
                      uint32_t to, uint32_t *pe)
{
    struct isa_pe *at = NULL;
    for (uint32_t row = 0; row < l->k; row++) {
        bool read = false;
        for (uint32_t n = from; n < to; n++)
            read |= weight_row(l, row, n) >= 0;
        if (!read)
            continue;
        if (!at || at->k == 16) {
            at = &g->pes[g->n_pes++];
            *at = (struct isa_pe){.k0 = row, .n0 = from, .n = to - from, .pe = (*pe)++};
            at->runs = ARENA_ARRAY(r->p->arena, struct isa_run, 16);
        }
        struct isa_run *last = at->n_runs ? &at->runs[at->n_runs - 1] : NULL;
        if (last && last->row + last->rows == row)
            last->rows++;
        else
            at->runs[at->n_runs++] = (struct isa_run){row, 1};
        at->k++;
    }
    for (uint32_t i = 0; i < g->n_pes; i++) /* one run is no list */
        g->pes[i].n_runs = g->pes[i].n_runs > 1 ? g->pes[i].n_runs : 0;
}

/* The layer's blocks start at `block`, ascending. */
static struct isa_group *add_patch_group(struct rig *r, uint16_t source, const struct layer *l,
                                         uint32_t image, const uint32_t *block, unsigned n_blocks,
                                         uint32_t end, uint32_t *pe)
{
    struct isa_tile *tile = &r->p->tiles[0];
    struct isa_group *g = &tile->groups[tile->n_groups++];
    const struct ir_attrs_mvm *m = &l->op->attrs->mvm;
    const struct ir_op *pad = l->op->in[0].value->def;
    bool pads = pad->opcode == IR_pad;
    *g = (struct isa_group){.source_view = source,
                            .pad_top = pads ? (int32_t)pad->attrs->pad.before.at[0] : 0,
                            .pad_left = pads ? (int32_t)pad->attrs->pad.before.at[1] : 0,
                            .in_channels = r->view[0][source].channels,
                            .conv_groups = m->group > 1 ? (uint32_t)m->group : 0,
                            .image = image,
                            .pes = ARENA_ARRAY(r->p->arena, struct isa_pe, 16)};
    for (unsigned i = 0; i < 2; i++) {
        g->kernel[i] = (uint32_t)m->kernel[i];
        g->stride[i] = (uint32_t)m->stride[i];
        g->dilation[i] = (uint32_t)m->dilation[i];
        g->patch[i] = (uint32_t)m->patch[i];
    }
    for (unsigned i = 0; i < n_blocks; i++)
        add_block(r, g, l, block[i], i + 1 < n_blocks ? block[i + 1] : end, pe);
    return g;
}

static struct isa_inst *add_product(struct rig *r, unsigned group, uint16_t dst, int y, unsigned h)
{
    struct isa_inst *i = add_inst(r, 0, ISA_mvm, group, (uint16_t)group);
    rows(r, 0, i, dst, 0, y, h);
    wait(i, r->p->tiles[0].n_groups + 2, 1);
    return i;
}

static void store_products(struct rig *r, uint16_t view, unsigned queue, unsigned n)
{
    unsigned dma = r->p->tiles[0].n_groups + 2;
    struct isa_inst *i = add_inst(r, 0, ISA_store, dma, add_binding(r, "y"));
    rows(r, 0, i, 0, view, 0, r->view[0][view].height);
    wait(i, queue, (int)n);
}

static const char window_ir[] =
    "%0 = input {index=0, dtype=\"f32\", shape=[5,6,3], extent=[5,6,3], strides=[18,3,1]} @\"x\"\n"
    "%1 = pad %0 {before=[1,0,0], after=[0,1,0], mode=\"constant\"} @\"pad\"\n"
    "%2 = constant {dtype=\"f32\", shape=[12,3], data=random(1)} @\"w\"\n"
    "%3 = mvm %1, %2 {kernel=[2,2], stride=[2,1], dilation=[1,2], group=1, patch=[2,2]} @\"m\"\n"
    "output %3 {index=0, dtype=\"f32\", shape=[3,5,3], strides=[15,3,1]} @\"y\"\n";

/*
 * 3 x 5 pixels in patches of 2 x 2, those at the lower and the right edge cut. The window is 4 x 4
 * x 3, the matrix 48 x 12; each pixel reads every second column of two rows of the window. Blocks:
 * pixel (0,0); (0,1) and two channels of (1,0); the rest. They read 12, 24 and 24 rows.
 */
static const uint32_t window_blocks[] = {0, 3, 8};

static void open_window_layer(struct rig *r)
{
    open_small(r, window_ir, "", "");
    struct layer l = layer_of(r, "m");
    uint32_t pe = 0;
    uint16_t x = view_of(r, 0, "x", 0);
    add_patch_group(r, x, &l, add_image(r, &l), window_blocks, 3, l.n, &pe);
    ck_assert_uint_eq(r->p->tiles[0].groups[0].n_pes, 5);
    uint16_t m = view_of(r, 0, "m", 0);
    struct isa_inst *i = add_inst(r, 0, ISA_load, 3, add_binding(r, "x"));
    rows(r, 0, i, x, 0, 0, 5);
    add_product(r, 0, m, 0, 2);
    add_product(r, 0, m, 2, 1);
    store_products(r, m, 0, 2);
}

/* The same with the first block in a group of its own; sums of both are added. */
static void open_window_parts(struct rig *r)
{
    open_small(r, window_ir, "", "");
    struct layer l = layer_of(r, "m");
    uint32_t pe = 0, image = add_image(r, &l);
    uint16_t x = view_of(r, 0, "x", 0), part[2];
    add_patch_group(r, x, &l, image, window_blocks, 1, 3, &pe);
    add_patch_group(r, x, &l, image, window_blocks + 1, 2, l.n, &pe);
    struct isa_inst *i = add_inst(r, 0, ISA_load, 4, add_binding(r, "x"));
    rows(r, 0, i, x, 0, 0, 5);
    for (unsigned k = 0; k < 2; k++) {
        part[k] = view_of(r, 0, "m", 0);
        add_product(r, k, part[k], 0, 3);
    }
    uint16_t m = view_of(r, 0, "m", 0);
    add_program(r, 0, (struct isa_program_entry){2, 0, 1, {{LANE_ADD, LANE_A, LANE_B, 0}}});
    i = add_inst(r, 0, ISA_vmap, 2, 0);
    rows(r, 0, i, m, part[0], 0, 3);
    i->b = (struct isa_region){part[1], 0, 0};
    wait(i, 0, 1);
    wait(i, 1, 1);
    store_products(r, m, 2, 1);
}

/* Two conv groups along the diagonal of one PE, 1 x 3 patches; a stride of 2 leaves the last column
 * of x unread, also by the patch that hangs over: it is never loaded. */
static void open_window_diagonal(struct rig *r)
{
    open_small(
        r,
        "%0 = input {index=0, dtype=\"f32\", shape=[2,11,2], extent=[2,11,2], strides=[22,2,1]} "
        "@\"x\"\n",
        "%1 = constant {dtype=\"f32\", shape=[2,2], data=random(3)} @\"w\"\n"
        "%2 = mvm %0, %1 {kernel=[1,2], stride=[1,2], dilation=[1,1], group=2, patch=[1,3]} "
        "@\"m\"\n",
        "output %2 {index=0, dtype=\"f32\", shape=[2,5,2], strides=[10,2,1]} @\"y\"\n");
    struct layer l = layer_of(r, "m");
    uint32_t pe = 0, block = 0;
    uint16_t x = view_of(r, 0, "x", 0);
    struct isa_group *g = add_patch_group(r, x, &l, add_image(r, &l), &block, 1, l.n, &pe);
    ck_assert_uint_eq(g->n_pes, 1);
    uint16_t m = view_of(r, 0, "m", 0);
    struct isa_inst *i = add_inst(r, 0, ISA_load, 3, add_binding(r, "x"));
    rows(r, 0, i, x, 0, 0, 2);
    i->w = 10;
    add_product(r, 0, m, 0, 2);
    store_products(r, m, 0, 1);
}

static struct isa_pe *window_pe(struct rig *r, unsigned i)
{
    return &r->p->tiles[0].groups[0].pes[i];
}
static float *window_cell(struct rig *r, unsigned row, unsigned column)
{
    return (float *)(uintptr_t)r->p->sections[0].data + row * r->p->images[0].n + column;
}

static void patch_turned(struct rig *r)
{
    r->p->tiles[0].groups[0].patch[0] = 3; /* its window has as many rows */
    r->p->tiles[0].groups[0].patch[1] = 1;
}
static void patch_of_one(struct rig *r)
{
    r->p->tiles[0].groups[0].patch[0] = 1;
}
static void run_dropped(struct rig *r)
{
    struct isa_pe *pe = window_pe(r, 0);
    pe->k -= pe->runs[--pe->n_runs].rows;
}
static void run_moved(struct rig *r)
{
    window_pe(r, 0)->runs[1].row++;
}
static void run_shorter(struct rig *r)
{
    window_pe(r, 0)->runs[1].rows--;
    window_pe(r, 0)->k--;
}
static void block_moved(struct rig *r)
{
    window_pe(r, 0)->n0++;
    window_pe(r, 0)->n--;
}
static void block_shorter(struct rig *r)
{
    window_pe(r, 0)->n--;
}
static void pe_missing(struct rig *r)
{
    r->p->tiles[0].groups[0].n_pes--;
}
static void weight_changed(struct rig *r)
{
    *window_cell(r, 0, 1) += 1; /* pixel (0,0), channel 1, at the first tap */
}
static void weight_of_next_pixel(struct rig *r)
{
    *window_cell(r, 0, 3) = *window_cell(r, 0, 0); /* pixel (0,1) does not read there */
}
static void product_unaligned(struct rig *r)
{
    struct isa_inst *i = nth(r, 0, ISA_mvm, 1);
    i->dst.y = 1;
    i->h = 2;
}
static void product_cut_inside(struct rig *r)
{
    nth(r, 0, ISA_mvm, 0)->w = 3;
}
static void products_of_too_few_rows(struct rig *r)
{
    nth(r, 0, ISA_load, 0)->h = 4; /* the last pixels read row 4 */
}
static void last_column_unloaded(struct rig *r)
{
    nth(r, 0, ISA_load, 0)->w--;
}
static void part_twice(struct rig *r)
{
    nth(r, 0, ISA_vmap, 0)->b.view = nth(r, 0, ISA_vmap, 0)->a.view;
}
static void part_alone(struct rig *r)
{
    struct isa_program_entry *e = &r->p->tiles[0].programs[0];
    *e = (struct isa_program_entry){1, 0, 1, {{LANE_MOV, LANE_A, 0, 0}}};
    nth(r, 0, ISA_vmap, 0)->b = (struct isa_region){0};
}
static void part_overlaps(struct rig *r)
{
    struct isa_group *g = &r->p->tiles[0].groups[0];
    g->pes[1] = r->p->tiles[0].groups[1].pes[0];
    g->pes[1].pe = 7;
    g->n_pes = 2;
}

#endif
