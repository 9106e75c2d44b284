/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * isa_cost.c - how much work one instruction is: the question that scheduler and simulator put to
 * arch_cost, and what it adds to the counters of energy.h.
 *
 * In: an outline, which the scheduler makes of a task, and this file of an instruction and its
 * tables. Out: kind, amounts and hops; counts. Invariant: they depend on nothing else, never on
 * data or time.
 */
#include "isa_mapping.h"
#include "tile_grid.h"

/* Saturates: an absurd program then takes for ever instead of wrapping to a short time. */
static uint64_t product(uint64_t a, uint64_t b)
{
    uint64_t r;
    return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint32_t farthest_target(const struct isa_program *p, uint32_t tile,
                                const struct isa_route *route)
{
    struct tile_grid grid = tile_grid_of(&p->arch, p->n_tiles);
    struct tile_reach reach = {0};
    for (uint32_t i = 0; i < route->n_targets; i++)
        tile_reach_add(&grid, &reach, route->targets[i].tile);
    return tile_reach_hops(&grid, tile, &reach);
}

uint32_t isa_overlap_taps(uint32_t kernel, uint32_t stride, uint32_t dilation)
{
    uint32_t step = stride / (uint32_t)gcd_u64(stride, dilation);
    return (kernel + step - 1) / step;
}

/* Cells that are taken for each element of the result. */
static uint64_t window_cells(const struct isa_window *w)
{
    if (w->kind != WINDOW_OVERLAP)
        return product(w->kernel[0], w->kernel[1]);
    return product(isa_overlap_taps(w->kernel[0], w->stride[0], w->dilation[0]),
                   isa_overlap_taps(w->kernel[1], w->stride[1], w->dilation[1]));
}

static struct cost_work mvm_work(const struct isa_outline *o)
{
    uint64_t products = product((uint64_t)ceil_div_i64(o->h, o->patch[0]),
                                (uint64_t)ceil_div_i64(o->w, o->patch[1]));
    return (struct cost_work){
        .kind = COST_MVM, .products = products, .x_bits = o->x_bits, .columns = o->columns};
}

static struct cost_work vector_work(uint64_t elements, uint64_t each)
{
    return (struct cost_work){.kind = COST_VECTOR, .elements = product(elements, each ? each : 1)};
}

struct cost_work isa_work(const struct isa_outline *o)
{
    uint64_t area = (uint64_t)o->h * o->w, elements = product(area, o->channels);
    uint64_t bytes = product(elements, element_bytes(o->element));
    switch (o->op) {
    case ISA_mvm: return mvm_work(o);
    case ISA_vmap: return vector_work(elements, o->n_lane_ops);
    case ISA_vwin: return vector_work(elements, window_cells(o->window));
    case ISA_vdot: return vector_work(elements, o->n_products);
    case ISA_vred:
    case ISA_vgat:
    case ISA_vtake: return vector_work(elements, 1);
    case ISA_send: return (struct cost_work){.kind = COST_SEND, .bytes = bytes, .hops = o->hops};
    case ISA_signal: return (struct cost_work){.kind = COST_SIGNAL, .hops = o->hops};
    case ISA_load:
    case ISA_store: return (struct cost_work){.kind = COST_DMA, .bytes = bytes};
    default: return (struct cost_work){.kind = COST_NONE};
    }
}

/* ---- counts ---- */

static void count_mvm(const struct arch *arch, const struct isa_outline *o,
                      const struct isa_amounts *m, struct energy_counts *c)
{
    uint64_t products = mvm_work(o).products, phases = arch_phases(arch, o->x_bits);
    uint64_t inputs = product(products, m->inputs), outputs = product(products, m->outputs);
    c->pe_products = product(products, m->pes);
    c->active_rows = product(inputs, (uint64_t)arch_input_rows(arch));
    c->active_columns = product(outputs, (uint64_t)arch_weight_columns(arch, m->weight_bits));
    c->crossbar_reads = product(c->pe_products, phases);
    c->row_drives = product(c->active_rows, phases);
    uint64_t values = product(outputs, (uint64_t)arch_weight_conversions(arch, m->weight_bits));
    c->conversions = product(values, phases);
    c->shift_adds = c->conversions;
    c->buffer_read_bytes = product(inputs, element_bytes(m->a));
}

static void count_message(const struct isa_amounts *m, uint64_t bytes, struct energy_counts *c)
{
    c->buffer_read_bytes = bytes;
    c->buffer_written_bytes = product(bytes, m->n_targets);
    c->link_byte_hops = product(bytes, m->all_hops);
}

struct energy_counts isa_counts(const struct arch *arch, const struct isa_outline *o,
                                const struct isa_amounts *m)
{
    bool two = o->reads_b || o->op == ISA_vdot || o->op == ISA_vtake;
    struct cost_work work = isa_work(o);
    uint64_t elements = product((uint64_t)o->h * o->w, o->channels);
    uint64_t read = element_bytes(m->a) + (two ? element_bytes(m->b) : 0);
    struct energy_counts c = {.buffer_read_bytes = product(elements, read),
                              .buffer_written_bytes = product(elements, element_bytes(m->to))};
    if (work.kind == COST_VECTOR)
        c.vector_ops = work.elements;
    if (work.kind == COST_DMA)
        c.dram_bytes = work.bytes;
    switch (o->op) {
    case ISA_mvm: count_mvm(arch, o, m, &c); break;
    case ISA_vwin:
    case ISA_vdot: c.buffer_read_bytes = product(work.elements, read); break;
    case ISA_vred: c.buffer_written_bytes = product(m->results, element_bytes(m->to)); break;
    case ISA_send: count_message(m, work.bytes, &c); break;
    case ISA_load: c.buffer_read_bytes = 0; break;
    case ISA_store: c.buffer_written_bytes = 0; break;
    case ISA_vmap:
    case ISA_vgat:
    case ISA_vtake: break;
    default: return (struct energy_counts){0};
    }
    return c;
}

/* ---- instructions ---- */

/* What the time of a group's products depends on. */
static void outline_group(const struct isa_program *p, const struct isa_group *g,
                          struct isa_outline *o)
{
    uint32_t most = 0;
    for (unsigned axis = 0; axis < 2; axis++)
        o->patch[axis] = isa_patch(g, axis);
    for (uint32_t i = 0; i < g->n_pes; i++)
        most = g->pes[i].n > most ? g->pes[i].n : most;
    o->x_bits = g->x_bits;
    o->columns =
        product(most, (uint64_t)arch_weight_columns(&p->arch, p->images[g->image].weight_bits));
}

static struct isa_outline outline_of(const struct isa_program *p, uint32_t tile,
                                     const struct isa_inst *inst)
{
    const struct isa_tile *t = &p->tiles[tile];
    struct isa_outline o = {.op = inst->op, .h = inst->h, .w = inst->w};
    bool reads = inst->op == ISA_vred || inst->op == ISA_send || inst->op == ISA_store;
    bool has_view = true;
    switch (inst->op) {
    case ISA_mvm: outline_group(p, &t->groups[inst->obj], &o); break;
    case ISA_vred:
    case ISA_vgat:
    case ISA_vtake: break;
    case ISA_vmap:
        o.n_lane_ops = t->programs[inst->obj].n_ops;
        o.reads_b = t->programs[inst->obj].arity == 2;
        break;
    case ISA_vwin: o.window = &t->windows[inst->obj]; break;
    case ISA_vdot: o.n_products = t->views[inst->a.view].channels; break;
    case ISA_send: o.hops = farthest_target(p, tile, &t->routes[inst->obj]); break;
    case ISA_load:
    case ISA_store: o.element = p->bindings[inst->obj].element; break;
    case ISA_signal: o.hops = farthest_target(p, tile, &t->routes[inst->obj]); /* fall through */
    default: has_view = false;
    }
    if (has_view) {
        const struct isa_view *v = &t->views[reads ? inst->a.view : inst->dst.view];
        o.channels = v->channels;
        o.element = inst->op == ISA_send ? v->element : o.element;
    }
    return o;
}

struct cost_work isa_inst_work(const struct isa_program *p, uint32_t tile,
                               const struct isa_inst *inst)
{
    struct isa_outline o = outline_of(p, tile, inst);
    return isa_work(&o);
}

static void amounts_of_group(const struct isa_program *p, const struct isa_tile *t,
                             const struct isa_group *g, struct isa_amounts *out)
{
    struct isa_mapping m = isa_mapping_of(p, g);
    for (uint32_t i = 0; i < g->n_pes; i++) {
        out->inputs += isa_mapping_rows(&m, &g->pes[i]);
        out->outputs += g->pes[i].n;
    }
    out->pes = g->n_pes;
    out->weight_bits = p->images[g->image].weight_bits;
    out->a = t->views[g->source_view].element;
}

static void amounts_of_route(const struct isa_program *p, uint32_t tile,
                             const struct isa_route *route, struct isa_amounts *out)
{
    struct tile_grid grid = tile_grid_of(&p->arch, p->n_tiles);
    out->n_targets = route->n_targets;
    for (uint32_t i = 0; i < route->n_targets; i++)
        out->all_hops += tile_grid_hops(&grid, tile, route->targets[i].tile);
}

static uint64_t results_of_reduction(const struct isa_inst *inst, uint32_t channels)
{
    uint64_t n =
        (uint64_t)(inst->flags & VRED_H ? 1 : inst->h) * (inst->flags & VRED_W ? 1 : inst->w);
    return product(n, inst->flags & VRED_C ? 1 : channels);
}

struct energy_counts isa_inst_counts(const struct isa_program *p, uint32_t tile,
                                     const struct isa_inst *inst)
{
    const struct isa_tile *t = &p->tiles[tile];
    struct isa_outline o = outline_of(p, tile, inst);
    if (!isa_op_has_extent(inst->op))
        return (struct energy_counts){0};
    struct isa_amounts m = {.a = t->views[inst->a.view].element,
                            .b = t->views[inst->b.view].element,
                            .to = t->views[inst->dst.view].element};
    if (inst->op == ISA_mvm)
        amounts_of_group(p, t, &t->groups[inst->obj], &m);
    if (inst->op == ISA_send)
        amounts_of_route(p, tile, &t->routes[inst->obj], &m);
    if (inst->op == ISA_vred)
        m.results = results_of_reduction(inst, o.channels);
    return isa_counts(&p->arch, &o, &m);
}
