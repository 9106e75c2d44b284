/*
 * isa_cost.c - how much work one instruction is: the question that scheduler and simulator put to
 * arch_cost.
 *
 * In: a program's tables, a tile and a decoded instruction of it. Out: kind, amounts and hops.
 * Invariant: the amounts depend on the instruction and the tables alone, never on data or time.
 */
#include "isa.h"

/* Saturates: an absurd program then takes for ever instead of wrapping to a short time. */
static uint64_t product(uint64_t a, uint64_t b)
{
    uint64_t r;
    return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t area(const struct isa_inst *inst)
{
    return (uint64_t)inst->h * inst->w;
}

static uint64_t elements(const struct isa_inst *inst, const struct isa_tile *t, uint32_t view)
{
    return product(area(inst), t->views[view].channels);
}

uint32_t isa_mesh_columns(const struct isa_program *p)
{
    uint32_t tiles = p->arch.tiles > 0 ? (uint32_t)p->arch.tiles : p->n_tiles;
    uint32_t columns = 1;
    while ((uint64_t)columns * columns < tiles)
        columns++;
    return columns;
}

uint32_t isa_grid_hops(uint32_t columns, uint32_t from, uint32_t to)
{
    int64_t dx = (int64_t)(from % columns) - to % columns;
    int64_t dy = (int64_t)(from / columns) - to / columns;
    return (uint32_t)((dx < 0 ? -dx : dx) + (dy < 0 ? -dy : dy));
}

uint32_t isa_hops(const struct isa_program *p, uint32_t from, uint32_t to)
{
    if (from == to)
        return 0;
    if (p->arch.topology == ARCH_IDEAL)
        return 1;
    return isa_grid_hops(isa_mesh_columns(p), from, to);
}

static uint64_t view_bytes(const struct isa_inst *inst, const struct isa_tile *t, uint32_t view)
{
    return product(elements(inst, t, view), element_bytes(t->views[view].element));
}

static uint32_t farthest_target(const struct isa_program *p, uint32_t tile,
                                const struct isa_route *route)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < route->n_targets; i++) {
        uint32_t hops = isa_hops(p, tile, route->targets[i].tile);
        most = hops > most ? hops : most;
    }
    return most;
}

static struct cost_work dma_work(const struct isa_inst *inst, const struct isa_tile *t,
                                 const struct isa_binding *binding, uint32_t view)
{
    uint64_t bytes = product(elements(inst, t, view), element_bytes(binding->element));
    return (struct cost_work){.kind = COST_DMA, .bytes = bytes};
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

static struct cost_work vector_work(const struct isa_inst *inst, const struct isa_tile *t)
{
    uint64_t each = 1;
    uint32_t view = inst->dst.view;
    if (inst->op == ISA_vmap)
        each = t->programs[inst->obj].n_ops;
    else if (inst->op == ISA_vwin)
        each = window_cells(&t->windows[inst->obj]);
    else if (inst->op == ISA_vred) /* h, w and channels of what is read */
        view = inst->a.view;
    uint64_t n = product(elements(inst, t, view), each > 0 ? each : 1);
    return (struct cost_work){.kind = COST_VECTOR, .elements = n};
}

struct cost_work isa_inst_work(const struct isa_program *p, uint32_t tile,
                               const struct isa_inst *inst)
{
    const struct isa_tile *t = &p->tiles[tile];
    switch (inst->op) {
    case ISA_mvm: return (struct cost_work){.kind = COST_MVM, .products = area(inst)};
    case ISA_vmap:
    case ISA_vwin:
    case ISA_vred:
    case ISA_vgat: return vector_work(inst, t);
    case ISA_send:
        return (struct cost_work){.kind = COST_SEND,
                                  .bytes = view_bytes(inst, t, inst->a.view),
                                  .hops = farthest_target(p, tile, &t->routes[inst->obj])};
    case ISA_signal:
        return (struct cost_work){.kind = COST_SIGNAL,
                                  .hops = farthest_target(p, tile, &t->routes[inst->obj])};
    case ISA_load: return dma_work(inst, t, &p->bindings[inst->obj], inst->dst.view);
    case ISA_store: return dma_work(inst, t, &p->bindings[inst->obj], inst->a.view);
    default: return (struct cost_work){.kind = COST_NONE};
    }
}
