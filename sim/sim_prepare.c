/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * sim_prepare.c - a program's bytes become the flat records that the engine walks.
 *
 * In: a valid program. Out: instructions with their costs, waits and queue successors; queues,
 * counters, message targets, all numbered through the tiles; with function also buffers and plans.
 * Invariant: nothing is allocated for an instruction once the engine runs.
 */
#include "sim_view.h"

#include <stdlib.h>
#include <string.h>

/* Where one program's numbering may end: ids and events are 32 bit. */
#define MOST_RECORDS (UINT32_C(1) << 31)
/* Of a run with all its iterations: more would take hours. */
#define MOST_INSTANCES (UINT64_C(1) << 34)
/* Buffers of all tiles together; up to the lesser sum unwritten bytes are poisoned. */
#define MOST_BUFFER_BYTES (UINT64_C(16) << 30)
#define MOST_POISON_BYTES (UINT64_C(1) << 30)
/* Cells of small images that are always kept. */
#define SMALL_CELL_BYTES (UINT64_C(64) << 20)

static uint64_t route_targets(const struct isa_tile *t)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < t->n_routes; i++)
        n += t->routes[i].n_targets;
    return n;
}

/* Numbers the tiles' queues, counters and instructions. */
static bool number_tiles(struct sim *s)
{
    uint64_t insts = 0, queues = 0, counters = 0, targets = 0;
    for (uint32_t i = 0; i < s->p->n_tiles; i++) {
        const struct isa_tile *from = &s->p->tiles[i];
        struct sim_tile *t = &s->tiles[i];
        t->n_queues = isa_n_queues(from);
        t->n_counters = t->n_queues + from->n_inbound;
        t->first_inst = (uint32_t)insts;
        t->first_queue = (uint32_t)queues;
        t->first_counter = (uint32_t)counters;
        insts += from->n_insts;
        queues += t->n_queues;
        counters += t->n_counters;
        targets += route_targets(from);
        if (insts + queues + s->p->n_tiles > MOST_RECORDS || counters > MOST_RECORDS ||
            targets > MOST_RECORDS)
            return sim_fault(s, "the program has more than 2^31 instructions, counters or targets");
    }
    s->n_queues = (uint32_t)queues;
    s->insts = heap_in_large_pages(ARENA_ARRAY(s->arena, struct sim_inst, insts),
                                   insts * sizeof *s->insts);
    s->family = sim_is_lazy(s) ? ARENA_ARRAY(s->arena, uint32_t, insts) : NULL;
    s->queues = ARENA_ARRAY(s->arena, struct sim_queue, queues);
    resource_init(&s->time, &s->p->arch, s->n_queues);
    s->pace_counter = (uint32_t)counters++;
    s->counters = ARENA_ARRAY(s->arena, struct sim_counter, counters);
    s->targets = ARENA_ARRAY(s->arena, struct sim_target, targets);
    s->work = ARENA_ARRAY(s->arena, uint32_t, queues + s->p->n_tiles);
    for (uint64_t i = 0; i < counters; i++)
        s->counters[i].parked = SIM_NONE;
    return true;
}

static void prepare_queues(struct sim *s, uint32_t tile)
{
    const struct isa_tile *from = &s->p->tiles[tile];
    const struct sim_tile *t = &s->tiles[tile];
    for (uint32_t i = 0; i < from->n_steps; i++)
        s->counters[t->first_counter + t->n_queues + i].step = from->step[i];
    for (uint32_t i = 0; i < t->n_queues; i++)
        s->queues[t->first_queue + i] = (struct sim_queue){.tile = tile,
                                                           .first = SIM_NONE,
                                                           .head = SIM_NONE,
                                                           .oldest = SIM_NONE,
                                                           .counter = t->first_counter + i,
                                                           .parked_on = SIM_NONE};
}

/* A tile's counter in the numbering through all tiles, at the end of which is the pace. */
static uint32_t counter_id(const struct sim *s, uint32_t tile, uint32_t counter)
{
    const struct sim_tile *t = &s->tiles[tile];
    if (counter == ISA_PACE_COUNTER)
        return s->pace_counter;
    uint32_t at = counter < ISA_FIRST_INBOUND ? counter : counter - ISA_FIRST_INBOUND + t->n_queues;
    return t->first_counter + at;
}

/* Appends the tile's routes to s->targets; returns where each route starts. */
static uint32_t *prepare_routes(struct sim *s, uint32_t tile)
{
    const struct isa_tile *t = &s->p->tiles[tile];
    uint32_t *first = ARENA_ARRAY(s->arena, uint32_t, t->n_routes);
    for (uint32_t r = 0; r < t->n_routes; r++) {
        first[r] = s->n_targets;
        for (uint32_t i = 0; i < t->routes[r].n_targets; i++) {
            const struct isa_target *to = &t->routes[r].targets[i];
            s->targets[s->n_targets++] = (struct sim_target){
                .tile = to->tile, .counter = counter_id(s, to->tile, to->counter)};
        }
    }
    return first;
}

static void prepare_waits(struct sim *s, uint32_t tile, const struct isa_inst *inst,
                          struct sim_inst *out)
{
    out->wait = (uint32_t)s->waits.n;
    out->n_waits = inst->n_waits;
    for (unsigned i = 0; i < inst->n_waits; i++) {
        const struct isa_wait *w = &inst->wait[i];
        struct sim_wait wait = {counter_id(s, tile, w->counter), w->threshold};
        VEC_PUSH(&s->waits, wait);
    }
}

static void append_to_queue(struct sim *s, uint32_t queue, uint32_t id, uint32_t *last)
{
    struct sim_queue *q = &s->queues[queue];
    s->insts[id].queue = queue;
    if (*last == SIM_NONE)
        q->first = q->head = q->oldest = id;
    else
        s->insts[*last].next = id;
    s->counters[q->counter].step++;
    *last = id;
}

static void name_sender(struct sim *s, const struct sim_inst *i)
{
    for (uint32_t k = 0; k < i->n_targets; k++) {
        s->targets[i->route + k].queue = i->queue;
        s->targets[i->route + k].used = true;
    }
}

/* Finds or makes the family: a tile's instructions that differ in extents, places and waits only.
 */
static uint32_t family_of(struct sim *s, uint32_t tile, const struct isa_inst *inst)
{
    if (!isa_op_has_extent(inst->op))
        return SIM_NONE;
    const uint32_t key[] = {tile,      inst->op,       inst->flags,  inst->stage,
                            inst->obj, inst->dst.view, inst->a.view, inst->b.view};
    uint32_t i = map_intern(&s->family_of, key, sizeof key, (uint32_t)s->families.n);
    if (i == s->families.n)
        VEC_PUSH(&s->families, ((struct sim_family){.inst = *inst, .tile = tile}));
    return i;
}

static void prepare_stream(struct sim *s, uint32_t tile)
{
    const struct isa_tile *from = &s->p->tiles[tile];
    struct sim_tile *t = &s->tiles[tile];
    uint32_t *route = prepare_routes(s, tile);
    uint32_t last[ISA_N_QUEUES];
    memset(last, 0xff, sizeof last);
    t->n_insts = from->n_insts;
    for (uint32_t i = 0; i < t->n_insts; i++) {
        const struct isa_inst *inst = &from->insts[i];
        uint32_t id = t->first_inst + i;
        struct sim_inst *out = &s->insts[id];
        struct cost_work work = isa_inst_work(s->p, tile, inst);
        *out = (struct sim_inst){.cost = arch_cost(&s->p->arch, &work),
                                 .next = SIM_NONE,
                                 .op = inst->op,
                                 .stage = inst->stage,
                                 .frames = isa_frame_flags(inst)};
        if (s->family)
            s->family[id] = family_of(s, tile, inst);
        prepare_waits(s, tile, inst, out);
        append_to_queue(s, t->first_queue + inst->queue, id, &last[inst->queue]);
        if (inst->op == ISA_send || inst->op == ISA_signal) {
            out->route = route[inst->obj];
            out->n_targets = from->routes[inst->obj].n_targets;
            name_sender(s, out);
        }
    }
    s->n_insts += t->n_insts;
}

bool sim_prepare(struct sim *s)
{
    s->tiles = ARENA_ARRAY(s->arena, struct sim_tile, s->p->n_tiles);
    s->depth = (uint32_t)s->p->arch.queue_depth;
    s->issue_cycles = (uint64_t)s->p->arch.issue_cycles;
    s->start_cycles = (uint64_t)s->p->arch.start_cycles;
    if (!number_tiles(s))
        return false;
    for (uint32_t t = 0; t < s->p->n_tiles; t++) {
        s->at_tile = t;
        prepare_queues(s, t);
        prepare_stream(s, t);
    }
    s->iterations = isa_iterations(s->p, s->frames);
    if (sim_n_instances(s) > MOST_INSTANCES)
        return sim_fault(s, "the run has more than 2^34 instructions");
    s->frame = ARENA_ARRAY(s->arena, struct sim_frame, s->frames);
    for (uint32_t f = 0; f < s->frames; f++)
        s->frame[f].begin = UINT64_MAX;
    if (s->o.completed)
        s->begins = ARENA_ARRAY(s->arena, struct sim_begins, s->n_queues);
    return true;
}

/* ---- function ---- */

static bool check_buffers(struct sim *s)
{
    uint64_t sum = 0;
    for (uint32_t t = 0; t < s->p->n_tiles; t++) {
        uint64_t bytes = s->p->tiles[t].buffer_bytes;
        sum = bytes > MOST_BUFFER_BYTES ? bytes : sum + bytes;
        s->at_tile = t;
        if (sum > MOST_BUFFER_BYTES)
            return sim_fault(s, "the tiles' buffers are together larger than 16 GiB");
    }
    s->poisoned = sum <= MOST_POISON_BYTES;
    return true;
}

/* Without batches all memory is there from the start. */
static bool open_stores(struct sim *s)
{
    if (!sim_prepare_stores(s, false))
        BUG("stores that are not unrolled do not fit");
    for (size_t i = 0; i < s->stores.n; i++) {
        s->at_tile = s->stores.at[i].tile;
        if (!sim_open_store(s, &s->stores.at[i]))
            return false;
    }
    return true;
}

/* Plans of the tile's groups and programs; returns the widest panel. */
static uint32_t new_plans(struct sim *s, uint32_t tile)
{
    const struct isa_tile *from = &s->p->tiles[tile];
    struct sim_tile *t = &s->tiles[tile];
    uint32_t widest = 0;
    t->mvm = ARENA_ARRAY(s->arena, struct mvm_plan, from->n_groups);
    for (uint32_t g = 0; g < from->n_groups; g++) {
        mvm_plan_make(s->arena, s->p, &from->groups[g], &s->o, &t->mvm[g]);
        widest = t->mvm[g].panel_width > widest ? t->mvm[g].panel_width : widest;
    }
    t->lanes = ARENA_ARRAY(s->arena, struct lane_plan, from->n_programs);
    for (uint32_t i = 0; i < from->n_programs; i++)
        lane_plan_make(&from->programs[i], &t->lanes[i]);
    return widest;
}

/* Room for the order of completion of all that has a function. */
static bool reserve_completions(struct sim *s)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < s->n_insts; i++)
        n += s->family[i] != SIM_NONE;
    if (n * s->frames > MOST_RECORDS)
        return sim_fault(s, "values of %llu instructions are too many: there are times only",
                         (unsigned long long)(n * s->frames));
    VEC_RESERVE(&s->completed, n * s->frames);
    return true;
}

/* Of what a program's matrices take, as much again, and something for small ones. */
static uint64_t room_for_cells(const struct isa_program *p)
{
    uint64_t room = SMALL_CELL_BYTES;
    for (uint32_t i = 0; i < p->n_images; i++)
        room += (uint64_t)p->images[i].k * p->images[i].n * element_bytes(p->images[i].element);
    return room;
}

bool sim_prepare_function(struct sim *s)
{
    s->at_inst = SIM_NONE;
    if (!check_buffers(s))
        return false;
    uint32_t widest = 0;
    s->read.room = s->o.every_plane ? 0 : room_for_cells(s->p);
    for (uint32_t t = 0; t < s->p->n_tiles; t++) {
        uint32_t width = new_plans(s, t);
        widest = width > widest ? width : widest;
    }
    s->panel = heap_alloc((size_t)widest * SIM_PANEL_PRODUCTS * sizeof(float) + 1);
    uint32_t *slots = ARENA_ARRAY(s->arena, uint32_t, (size_t)N_SLOTS * SIM_CHUNK);
    for (unsigned i = 0; i < N_SLOTS; i++)
        s->slot[i] = slots + (size_t)i * SIM_CHUNK;
    s->bytes = ARENA_ARRAY(s->arena, uint8_t, SIM_CHUNK);
    if (!sim_is_lazy(s))
        return open_stores(s);
    return reserve_completions(s);
}

void *sim_scratch(struct sim *s, size_t n)
{
    if (n * sizeof(uint32_t) > s->scratch_bytes) {
        s->scratch_bytes = n * sizeof(uint32_t);
        s->scratch = heap_realloc(s->scratch, s->scratch_bytes);
    }
    return s->scratch;
}

void sim_release(struct sim *s)
{
    for (size_t i = 0; i < s->stores.n; i++)
        sim_close_store(s, &s->stores.at[i]);
    pool_free(&s->pool);
    read_release(s);
    VEC_FREE(&s->stores);
    VEC_FREE(&s->families);
    map_free(&s->family_of);
    heap_free(s->panel);
    heap_free(s->scratch);
    for (uint32_t i = 0; s->begins && i < s->n_queues; i++)
        heap_free(s->begins[i].at);
    resource_free(&s->time);
    VEC_FREE(&s->waits);
    VEC_FREE(&s->completed);
    arena_free(s->arena);
}
