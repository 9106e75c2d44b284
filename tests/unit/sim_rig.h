/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_rig.h - small programs, built in memory through isa.h, run and looked at; for tests of the
 * simulator.
 *
 * In: calls that add views, groups, routes and instructions. Out: tensors, and when each
 * instruction ran.
 */
#ifndef CIMC_SIM_RIG_H
#define CIMC_SIM_RIG_H

#include "sim.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, MOST_INSTS = 512 };

/* What a test holds: a program, its diagnostics, input and output tensors, and when things ran. */
struct rig {
    struct isa_program *p;
    struct diag *d;
    float *inputs[4], *outputs[4];
    struct sim_result result;
    uint64_t start[4][MOST_INSTS], end[4][MOST_INSTS];
};

static struct rig rig_new(uint32_t n_tiles)
{
    struct rig r = {.p = isa_program_new(), .d = diag_new()};
    struct isa_program *p = r.p;
    ck_assert(arch_load("clsa", p->arena, r.d, &p->arch));
    p->pes = 2;
    p->n_tiles = n_tiles;
    p->tiles = ARENA_ARRAY(p->arena, struct isa_tile, n_tiles);
    p->nodes = ARENA_ARRAY(p->arena, struct isa_node, 1);
    p->nodes[0] = (struct isa_node){"conv1", "Conv", "node 0 'conv1' (Conv)"};
    p->n_nodes = 1;
    p->images = ARENA_ARRAY(p->arena, struct isa_image, MOST);
    p->sections = ARENA_ARRAY(p->arena, struct isa_section, MOST);
    p->bindings = ARENA_ARRAY(p->arena, struct isa_binding, MOST);
    for (uint32_t i = 0; i < n_tiles; i++) {
        struct isa_tile *t = &p->tiles[i];
        t->views = ARENA_ARRAY(p->arena, struct isa_view, MOST);
        t->groups = ARENA_ARRAY(p->arena, struct isa_group, MOST);
        t->windows = ARENA_ARRAY(p->arena, struct isa_window, MOST);
        t->programs = ARENA_ARRAY(p->arena, struct isa_program_entry, MOST);
        t->routes = ARENA_ARRAY(p->arena, struct isa_route, MOST);
        t->gathers = ARENA_ARRAY(p->arena, struct isa_gather, MOST);
        t->preloads = ARENA_ARRAY(p->arena, struct isa_preload, MOST);
        t->insts = ARENA_ARRAY(p->arena, struct isa_inst, MOST_INSTS);
        t->sources = ARENA_ARRAY(p->arena, uint32_t, MOST_INSTS);
    }
    return r;
}

static void rig_free(struct rig *r)
{
    for (int i = 0; i < 4; i++) {
        heap_free(r->inputs[i]);
        heap_free(r->outputs[i]);
    }
    isa_program_free(r->p);
    diag_free(r->d);
}

static void set_arch(struct rig *r, const char *assignment)
{
    ck_assert(arch_set(&r->p->arch, assignment, r->d));
}

/* A ring of `rows` rows, dense, all of h x w held. */
static uint32_t ring(struct rig *r, uint32_t tile, uint32_t rows, uint32_t h, uint32_t w,
                     uint32_t c)
{
    struct isa_tile *t = &r->p->tiles[tile];
    t->views[t->n_views] = (struct isa_view){.base = t->buffer_bytes,
                                             .ring_rows = rows,
                                             .y1 = (int32_t)h,
                                             .x1 = (int32_t)w,
                                             .height = h,
                                             .width = w,
                                             .channels = c,
                                             .row_pitch = (int64_t)w * c * 4,
                                             .col_pitch = (int64_t)c * 4,
                                             .channel_pitch = 4};
    t->buffer_bytes += (uint64_t)rows * w * c * 4;
    return t->n_views++;
}

static uint32_t view(struct rig *r, uint32_t tile, uint32_t h, uint32_t w, uint32_t c)
{
    return ring(r, tile, h, h, w, c);
}

static uint32_t section(struct rig *r, const float *data, size_t n)
{
    float *copy = ARENA_ARRAY(r->p->arena, float, n);
    memcpy(copy, data, n * sizeof *copy);
    r->p->sections[r->p->n_sections] =
        (struct isa_section){.name = "data", .data = copy, .length = n * sizeof *copy};
    return r->p->n_sections++;
}

/* A view that starts with the given values. */
static uint32_t constant(struct rig *r, uint32_t tile, uint32_t h, uint32_t w, uint32_t c,
                         const float *data)
{
    struct isa_tile *t = &r->p->tiles[tile];
    uint32_t v = view(r, tile, h, w, c);
    t->preloads[t->n_preloads++] =
        (struct isa_preload){.address = t->views[v].base,
                             .section = section(r, data, (size_t)h * w * c),
                             .length = (uint64_t)h * w * c * 4};
    return v;
}

static uint32_t image(struct rig *r, uint32_t k, uint32_t n, const float *data)
{
    r->p->images[r->p->n_images] =
        (struct isa_image){.section = section(r, data, (size_t)k * n), .k = k, .n = n};
    return r->p->n_images++;
}

/* A group of one PE that holds all of the image; kernel 1x1, stride 1, no padding. */
static struct isa_group *group(struct rig *r, uint32_t tile, uint32_t source, uint32_t image_id)
{
    struct isa_tile *t = &r->p->tiles[tile];
    struct isa_group *g = &t->groups[t->n_groups];
    *g = (struct isa_group){.source_view = source,
                            .kernel = {1, 1},
                            .stride = {1, 1},
                            .dilation = {1, 1},
                            .image = image_id,
                            .n_pes = 1,
                            .in_channels = r->p->images[image_id].k};
    g->pes = ARENA_ARRAY(r->p->arena, struct isa_pe, MOST);
    g->pes[0] = (struct isa_pe){
        .k = r->p->images[image_id].k, .n = r->p->images[image_id].n, .pe = t->n_groups};
    t->n_groups++;
    return g;
}

static uint32_t route(struct rig *r, uint32_t tile, uint32_t n, const struct isa_target *targets)
{
    struct isa_tile *t = &r->p->tiles[tile];
    struct isa_target *copy = ARENA_ARRAY(r->p->arena, struct isa_target, n);
    for (uint32_t i = 0; i < n; i++) {
        struct isa_tile *to = &r->p->tiles[targets[i].tile];
        uint32_t inbound = targets[i].counter - ISA_FIRST_INBOUND + 1;
        copy[i] = targets[i];
        to->n_inbound = to->n_inbound > inbound ? to->n_inbound : inbound;
    }
    t->routes[t->n_routes] = (struct isa_route){n, copy};
    return t->n_routes++;
}

static uint32_t lanes(struct rig *r, uint32_t tile, uint32_t arity, uint32_t constants, uint32_t n,
                      const struct isa_lane *ops)
{
    struct isa_tile *t = &r->p->tiles[tile];
    struct isa_program_entry *e = &t->programs[t->n_programs];
    *e = (struct isa_program_entry){.arity = arity, .constants_view = constants, .n_ops = n};
    memcpy(e->ops, ops, n * sizeof *ops);
    return t->n_programs++;
}

static struct isa_region at(uint32_t v, int y, int x)
{
    return (struct isa_region){(uint16_t)v, (int16_t)y, (int16_t)x};
}

static struct isa_inst inst(enum isa_op op, unsigned queue, uint32_t obj, uint32_t h, uint32_t w)
{
    struct isa_inst i = isa_inst_new(op, queue);
    i.obj = (uint16_t)obj;
    i.h = (uint16_t)h;
    i.w = (uint16_t)w;
    return i;
}

static struct isa_inst to(struct isa_inst i, struct isa_region dst)
{
    i.dst = dst;
    return i;
}

static struct isa_inst from(struct isa_inst i, struct isa_region a)
{
    i.a = a;
    return i;
}

/* The instruction with one more wait. */
static struct isa_inst on(struct isa_inst i, unsigned counter, uint32_t threshold)
{
    isa_inst_wait(&i, counter, threshold);
    return i;
}

static void emit(struct rig *r, uint32_t tile, struct isa_inst i)
{
    struct isa_tile *t = &r->p->tiles[tile];
    if (i.op == ISA_vmap && t->programs[i.obj].arity == 1)
        i.b = (struct isa_region){0, i.dst.y, i.dst.x};
    ((struct isa_inst *)(uintptr_t)t->insts)[t->n_insts++] = i;
}

static unsigned vu(const struct rig *r, uint32_t tile)
{
    return isa_queue_vu(&r->p->tiles[tile]);
}
static unsigned tx(const struct rig *r, uint32_t tile)
{
    return isa_queue_tx(&r->p->tiles[tile]);
}
static unsigned dma(const struct rig *r, uint32_t tile)
{
    return isa_queue_dma(&r->p->tiles[tile]);
}

static void add_binding(struct rig *r, bool output, uint32_t index, uint32_t h, uint32_t w,
                        uint32_t c)
{
    uint64_t *shape = ARENA_ARRAY(r->p->arena, uint64_t, 3);
    shape[0] = h, shape[1] = w, shape[2] = c;
    r->p->bindings[r->p->n_bindings++] = (struct isa_binding){.output = output,
                                                              .index = index,
                                                              .name = output ? "out" : "in",
                                                              .rank = 3,
                                                              .shape = shape,
                                                              .stride_h = (int64_t)w * c,
                                                              .stride_w = c,
                                                              .stride_c = 1,
                                                              .height = h,
                                                              .width = w,
                                                              .channels = c};
    float **tensor = output ? &r->outputs[index] : &r->inputs[index];
    *tensor = heap_alloc((size_t)h * w * c * sizeof **tensor);
}

/* Stores a whole view as an output once `counter` has reached `threshold`. */
static const float *store(struct rig *r, uint32_t tile, uint32_t v, unsigned counter,
                          uint32_t threshold)
{
    const struct isa_view *shown = &r->p->tiles[tile].views[v];
    uint32_t index = r->p->n_bindings;
    add_binding(r, true, index, shown->height, shown->width, shown->channels);
    struct isa_inst i = inst(ISA_store, dma(r, tile), index, shown->height, shown->width);
    emit(r, tile, on(from(i, at(v, 0, 0)), counter, threshold));
    return r->outputs[index];
}

static void note_time(void *self, const struct isa_inst *i, const struct sim_times *times)
{
    struct rig *r = self;
    (void)i;
    if (sim_is_skipped(&times->at))
        return;
    r->start[times->at.tile][times->at.index] = times->start;
    r->end[times->at.tile][times->at.index] = times->end;
}

static bool run_with(struct rig *r, struct sim_options o)
{
    o.completed = note_time;
    o.self = r;
    const void *in[4];
    void *out[4];
    for (int k = 0; k < 4; k++) {
        in[k] = r->inputs[k];
        out[k] = r->outputs[k];
    }
    return sim_run(r->p, in, out, &o, &r->result, r->d);
}

static void run(struct rig *r)
{
    bool good = run_with(r, (struct sim_options){0});
    diag_print(r->d, stderr);
    ck_assert(good);
}

static void ran(const struct rig *r, uint32_t tile, uint32_t index, uint64_t start, uint64_t end)
{
    ck_assert_msg(r->start[tile][index] == start && r->end[tile][index] == end,
                  "tile %u instruction %u: %lu..%lu, not %lu..%lu", tile, index,
                  (unsigned long)r->start[tile][index], (unsigned long)r->end[tile][index],
                  (unsigned long)start, (unsigned long)end);
}

static void expect(const float *got, const float *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(fabsf(got[i] - want[i]) <= 1e-5f * (1 + fabsf(want[i])) ||
                          got[i] == want[i] || (isnan(got[i]) && isnan(want[i])),
                      "element %zu: %g, not %g", i, (double)got[i], (double)want[i]);
}

/* Small distinct values with exact sums. */
static void ramp(float *out, size_t n, int seed)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)((int)((i * 7 + (size_t)seed * 3) % 23) - 11) / 4;
}

static const float ONES[64] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
/* Immediates of lane operations: the bits of floats. */
enum {
    EIGHTH = 0x3e000000,
    QUARTER = 0x3e800000,
    HALF = 0x3f000000,
    ONE = 0x3f800000,
    TEN = 0x41200000
};
static const struct isa_lane RELU[] = {{LANE_MAX, LANE_A, LANE_IMM, 0}};
static const struct isa_lane COPY[] = {{LANE_MOV, LANE_A, 0, 0}};

#endif
