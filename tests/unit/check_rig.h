/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * check_rig.h - builds programs by hand for check_test.c: tables and streams of up to two tiles
 * beside a graph parsed from IR text.
 */
#ifndef CIMC_CHECK_RIG_H
#define CIMC_CHECK_RIG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

enum { MAX = 64, MAX_TILES = 2 };

/* Tables and streams of up to two tiles, as a mutation may change them before the check. */
struct rig {
    struct diag *d;
    struct ir_graph *g;
    struct isa_program *p;
    struct isa_inst inst[MAX_TILES][MAX];
    struct isa_view view[MAX_TILES][MAX];
    uint32_t source[MAX_TILES][MAX]; /* of each instruction */
    uint64_t used[MAX_TILES];        /* bytes of the buffer */
};

static void rig_open(struct rig *r, const char *ir, unsigned n_tiles)
{
    memset(r, 0, sizeof *r);
    r->d = diag_new();
    r->g = ir_parse(ir, strlen(ir), "test", r->d);
    diag_print(r->d, stderr);
    ck_assert_ptr_nonnull(r->g);
    ir_number(r->g);
    struct isa_program *p = r->p = isa_program_new();
    ck_assert(arch_load("clsa", p->arena, r->d, &p->arch));
    ck_assert(arch_set(&p->arch, "rows=16", r->d));
    p->compiler = p->model = p->options = "";
    p->n_tiles = n_tiles;
    p->tiles = ARENA_ARRAY(p->arena, struct isa_tile, n_tiles);
    p->n_nodes = r->g->n_ops;
    p->nodes = ARENA_ARRAY(p->arena, struct isa_node, p->n_nodes);
    p->sections = ARENA_ARRAY(p->arena, struct isa_section, MAX);
    p->images = ARENA_ARRAY(p->arena, struct isa_image, MAX);
    p->bindings = ARENA_ARRAY(p->arena, struct isa_binding, MAX);
    for (const struct ir_op *op = r->g->first; op; op = op->next)
        p->nodes[op->id] = (struct isa_node){op->name, ir_op_descs[op->opcode].name, ""};
    for (unsigned t = 0; t < n_tiles; t++) {
        struct isa_tile *tile = &p->tiles[t];
        tile->views = r->view[t];
        tile->groups = ARENA_ARRAY(p->arena, struct isa_group, 4);
        tile->windows = ARENA_ARRAY(p->arena, struct isa_window, 4);
        tile->programs = ARENA_ARRAY(p->arena, struct isa_program_entry, 4);
        tile->routes = ARENA_ARRAY(p->arena, struct isa_route, 4);
        tile->gathers = ARENA_ARRAY(p->arena, struct isa_gather, 4);
        tile->preloads = ARENA_ARRAY(p->arena, struct isa_preload, 4);
    }
}

static void rig_close(struct rig *r)
{
    isa_program_free(r->p);
    ir_graph_free(r->g);
    diag_free(r->d);
}

static const struct ir_op *op_named(const struct rig *r, const char *name)
{
    for (const struct ir_op *op = r->g->first; op; op = op->next)
        if (strcmp(op->name, name) == 0)
            return op;
    ck_abort_msg("no operation %s", name);
    return NULL;
}

static uint32_t add_section(struct rig *r, const char *constant, uint64_t *bytes)
{
    const struct ir_op *op = op_named(r, constant);
    *bytes = (uint64_t)ir_count(&op->out->type) * 4;
    float *copy = arena_alloc(r->p->arena, *bytes);
    memcpy(copy, ir_const_data(op, r->p->arena), *bytes);
    r->p->sections[r->p->n_sections] =
        (struct isa_section){.name = constant, .data = copy, .length = *bytes};
    return r->p->n_sections++;
}

/* A dense view of the op's value with its own memory: all of it, or a ring of rows. */
static uint16_t add_view(struct rig *r, unsigned t, const char *value, const int64_t dim[3],
                         uint32_t ring_rows)
{
    struct isa_tile *tile = &r->p->tiles[t];
    struct isa_view *v = &r->view[t][tile->n_views];
    *v = (struct isa_view){.base = r->used[t],
                           .ring_rows = ring_rows,
                           .y1 = (int32_t)dim[0],
                           .x1 = (int32_t)dim[1],
                           .height = (uint32_t)dim[0],
                           .width = (uint32_t)dim[1],
                           .channels = (uint32_t)dim[2],
                           .row_pitch = dim[1] * dim[2] * 4,
                           .col_pitch = dim[2] * 4,
                           .channel_pitch = 4,
                           .value = op_named(r, value)->id};
    r->used[t] += ring_rows * (uint64_t)v->row_pitch;
    tile->buffer_bytes = r->used[t];
    return (uint16_t)tile->n_views++;
}

static uint16_t view_of(struct rig *r, unsigned t, const char *value, uint32_t ring_rows)
{
    const int64_t *dim = op_named(r, value)->out->type.dim;
    return add_view(r, t, value, dim, ring_rows ? ring_rows : (uint32_t)dim[0]);
}

static void add_group(struct rig *r, unsigned t, uint16_t source, const char *mvm, uint32_t pad)
{
    const struct ir_op *op = op_named(r, mvm), *w = op->in[1].value->def;
    uint64_t bytes;
    uint32_t k = (uint32_t)w->out->type.dim[0], n = (uint32_t)w->out->type.dim[1];
    uint32_t section = add_section(r, w->name, &bytes), n_pes = (k + 15) / 16;
    r->p->images[r->p->n_images] = (struct isa_image){
        .section = section, .k = k, .n = n, .node = w->id, .element = ELEMENT_f32};
    struct isa_tile *tile = &r->p->tiles[t];
    struct isa_group *g = &tile->groups[tile->n_groups];
    *g = (struct isa_group){.source_view = source,
                            .pad_top = (int32_t)pad,
                            .pad_left = (int32_t)pad,
                            .in_channels = r->view[t][source].channels,
                            .conv_groups =
                                op->attrs->mvm.group > 1 ? (uint32_t)op->attrs->mvm.group : 0,
                            .image = r->p->n_images++,
                            .n_pes = n_pes};
    for (unsigned i = 0; i < 2; i++) {
        g->kernel[i] = (uint32_t)op->attrs->mvm.kernel[i];
        g->stride[i] = (uint32_t)op->attrs->mvm.stride[i];
        g->dilation[i] = (uint32_t)op->attrs->mvm.dilation[i];
    }
    g->pes = ARENA_ARRAY(r->p->arena, struct isa_pe, n_pes);
    for (uint32_t i = 0; i < n_pes; i++)
        g->pes[i] = (struct isa_pe){.k0 = 16 * i,
                                    .k = k - 16 * i < 16 ? k - 16 * i : 16,
                                    .n = n,
                                    .pe = tile->n_groups * 4 + i};
    tile->n_groups++;
}

static uint16_t add_binding(struct rig *r, const char *name)
{
    const struct ir_op *op = op_named(r, name);
    bool output = op->opcode == IR_output;
    const struct ir_ints *shape = output ? &op->attrs->output.shape : &op->attrs->input.shape;
    const int64_t *stride = output ? op->attrs->output.strides : op->attrs->input.strides;
    const struct ir_type *type = output ? &op->in[0].value->type : &op->out->type;
    uint64_t *dims = ARENA_ARRAY(r->p->arena, uint64_t, shape->n);
    for (uint32_t i = 0; i < shape->n; i++)
        dims[i] = (uint64_t)shape->at[i];
    r->p->bindings[r->p->n_bindings] = (struct isa_binding){
        .output = output,
        .index = (uint32_t)(output ? op->attrs->output.index : op->attrs->input.index),
        .name = name,
        .rank = shape->n,
        .shape = dims,
        .stride_h = stride[0],
        .stride_w = stride[1],
        .stride_c = stride[2],
        .height = (uint32_t)type->dim[0],
        .width = (uint32_t)type->dim[1],
        .channels = (uint32_t)type->dim[2],
        .node = op->id};
    return (uint16_t)r->p->n_bindings++;
}

static uint16_t add_route(struct rig *r, unsigned t, struct isa_target to)
{
    struct isa_tile *tile = &r->p->tiles[t];
    struct isa_target *copy = ARENA_NEW(r->p->arena, struct isa_target);
    *copy = to;
    tile->routes[tile->n_routes] = (struct isa_route){1, copy};
    return (uint16_t)tile->n_routes++;
}

static uint16_t add_program(struct rig *r, unsigned t, struct isa_program_entry e)
{
    struct isa_tile *tile = &r->p->tiles[t];
    tile->programs[tile->n_programs] = e;
    return (uint16_t)tile->n_programs++;
}

/* An instruction over rows [y, y + h) of all columns of the view it writes (or reads, if none). */
static struct isa_inst *add_inst(struct rig *r, unsigned t, enum isa_op op, unsigned queue,
                                 uint16_t obj)
{
    struct isa_tile *tile = &r->p->tiles[t];
    ck_assert_uint_lt(tile->n_insts, MAX);
    r->source[t][tile->n_insts] = ISA_NO_SOURCE;
    struct isa_inst *i = &r->inst[t][tile->n_insts++];
    *i = isa_inst_new(op, queue);
    i->obj = obj;
    return i;
}

static void rows(struct rig *r, unsigned t, struct isa_inst *i, uint16_t dst, uint16_t a, int y,
                 unsigned h)
{
    const struct isa_view *v = &r->view[t][i->op == ISA_store || i->op == ISA_send ? a : dst];
    i->dst = (struct isa_region){dst, y, 0};
    i->a = (struct isa_region){a, y, 0};
    if (i->op == ISA_mvm || i->op == ISA_load)
        i->a = (struct isa_region){0};
    if (i->op == ISA_send || i->op == ISA_store)
        i->dst = (struct isa_region){0};
    if (i->op == ISA_vwin || i->op == ISA_vgat)
        i->a = (struct isa_region){a, 0, 0};
    if (i->op == ISA_load || i->op == ISA_store)
        i->y = y;
    if (i->op == ISA_vmap || i->op == ISA_vtake)
        i->b = (struct isa_region){0, y, 0};
    i->h = (uint16_t)h;
    i->w = (uint16_t)v->width;
}

static void wait(struct isa_inst *i, unsigned counter, int threshold)
{
    if (threshold > 0)
        isa_inst_wait(i, counter, (uint32_t)threshold);
}

/* Completes the streams and checks. */
static bool check_rig(struct rig *r, bool with_graph)
{
    for (uint32_t t = 0; t < r->p->n_tiles; t++) {
        struct isa_tile *tile = &r->p->tiles[t];
        tile->insts = r->inst[t];
        tile->sources = r->source[t];
    }
    return backend_check(r->p, with_graph ? r->g : NULL, r->d);
}

static void expect_fine(struct rig *r, bool with_graph)
{
    bool ok = check_rig(r, with_graph);
    if (!ok)
        diag_print(r->d, stderr);
    ck_assert(ok);
    ck_assert_uint_eq(r->d->n_errors, 0);
}

/* Some fault must hold the text, be it of meaning or of form. */
static void expect_fault(struct rig *r, bool with_graph, const char *text)
{
    ck_assert_msg(!check_rig(r, with_graph), "not found: %s", text);
    bool found = false;
    for (const struct diag_entry *e = r->d->first; e; e = e->next) {
        ck_assert(e->code == DIAG_CHECK || e->code == DIAG_PROGRAM);
        found |= strstr(e->text, text) != NULL;
    }
    if (!found)
        diag_print(r->d, stderr);
    ck_assert_msg(found, "no fault says: %s", text);
}

/* The n-th instruction of an operation in a tile. */
static struct isa_inst *nth(struct rig *r, unsigned t, enum isa_op op, unsigned n)
{
    for (uint32_t i = 0; i < r->p->tiles[t].n_insts; i++)
        if (r->inst[t][i].op == op && n-- == 0)
            return &r->inst[t][i];
    ck_abort_msg("no such instruction");
    return NULL;
}

/* ---- one-tile programs ---- */

/* x and y are (4,4,2) unless said otherwise; line is what lies between input and output. */
static void open_small(struct rig *r, const char *inputs, const char *lines, const char *output)
{
    struct text t = {0};
    text_add(&t, "graph \"small\" crossbar {\n%s%s%s}\n", inputs, lines, output);
    rig_open(r, t.at, 1);
    text_free(&t);
}

static const char one_input[] =
    "%0 = input {index=0, dtype=\"f32\", shape=[32], extent=[4,4,2], strides=[8,2,1]} @\"x\"\n";

/* LOAD of all of x into a view of its own. */
static uint16_t load_all(struct rig *r, const char *name)
{
    uint16_t view = view_of(r, 0, name, 0);
    struct isa_inst *i =
        add_inst(r, 0, ISA_load, r->p->tiles[0].n_groups + 2, add_binding(r, name));
    rows(r, 0, i, view, 0, 0, r->view[0][view].height);
    return view;
}

static void store_all(struct rig *r, uint16_t view)
{
    unsigned groups = r->p->tiles[0].n_groups;
    struct isa_inst *i = add_inst(r, 0, ISA_store, groups + 2, add_binding(r, "y"));
    rows(r, 0, i, 0, view, 0, r->view[0][view].height);
    uint32_t done = 0;
    for (uint32_t k = 0; k < r->p->tiles[0].n_insts; k++)
        done += r->inst[0][k].queue == groups && r->inst[0][k].op != ISA_load;
    wait(i, groups, (int)done);
}

/* A vector instruction over the whole view, after all loads. */
static struct isa_inst *vector(struct rig *r, enum isa_op op, uint16_t obj, uint16_t dst,
                               uint16_t a)
{
    unsigned groups = r->p->tiles[0].n_groups;
    struct isa_inst *i = add_inst(r, 0, op, groups, obj);
    rows(r, 0, i, dst, a, 0, r->view[0][dst].height);
    wait(i, groups + 2, (int)r->p->n_bindings);
    return i;
}

#endif
