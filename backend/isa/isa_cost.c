/*
 * isa_cost.c - how much work one instruction is: the question that scheduler and simulator put to
 * arch_cost.
 *
 * In: an outline, which the scheduler makes of a task, and this file of an instruction and its
 * tables. Out: kind, amounts and hops. Invariant: they depend on nothing else, never on data or
 * time.
 */
#include "isa.h"
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

struct cost_work isa_inst_work(const struct isa_program *p, uint32_t tile,
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
    case ISA_vmap: o.n_lane_ops = t->programs[inst->obj].n_ops; break;
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
    return isa_work(&o);
}
