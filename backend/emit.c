/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * emit.c - prints L: one instruction a task, in L's order, each into its tile's stream.
 *
 * In: a plan with schedule and addresses. Out: a program. Nothing is decided here but numbers of
 * table entries and counters; reordering would void the argument that streams run as scheduled.
 */
#include "emit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ENTRIES = 1024, MAX_INBOUND = ISA_LAST_COUNTER + 1 - ISA_FIRST_INBOUND };

void emit_inst(struct emitter *e, uint32_t tile, uint32_t queue, struct isa_inst inst,
               uint32_t source)
{
    struct emit_tile *t = &e->tiles[tile];
    inst.queue = (uint8_t)(queue - e->p->tasks->queue_base[tile]);
    inst.stage = e->stage;
    if (t->views.n > MAX_ENTRIES || t->programs.n > MAX_ENTRIES || t->windows.n > MAX_ENTRIES ||
        t->routes.n > MAX_ENTRIES || t->gathers.n > MAX_ENTRIES || t->inbound.n > MAX_INBOUND) {
        e->failed = true; /* numbers no longer fit a word; tables_fit says so */
        return;
    }
    VEC_PUSH(&e->order, ((struct isa_place){tile, (uint32_t)t->insts.n}));
    VEC_PUSH(&e->order_task, isa_op_works(inst.op) ? e->task : NONE);
    VEC_PUSH(&t->insts, inst);
    VEC_PUSH(&t->sources, source);
    e->queue_count[queue]++;
}

static const struct task *task_at(const struct emitter *e, uint32_t id)
{
    return &e->p->tasks->tasks.at[id];
}

static struct isa_region region(uint32_t view, const struct box *b)
{
    return (struct isa_region){(uint16_t)view, b->lo[0], b->lo[1]};
}

static void set_extent(struct isa_inst *inst, const struct box *b)
{
    inst->h = (uint16_t)(b->hi[0] - b->lo[0]);
    inst->w = (uint16_t)(b->hi[1] - b->lo[1]);
}

static uint32_t plain_view(struct emitter *e, const struct access *a)
{
    return emit_view(e, a->buffer, a->box.lo[2], a->box.hi[2], 0);
}

static struct isa_inst vmap_inst(struct emitter *e, uint32_t id, const struct accesses *acc,
                                 const struct box *box)
{
    const struct task *t = task_at(e, id);
    const struct node *n = &e->p->nodes->at[t->node];
    const struct access *dst = &acc->v.at[acc->v.n - 1];
    struct isa_inst inst = isa_inst_new(ISA_vmap, 0);
    set_extent(&inst, box);
    inst.obj = (uint16_t)emit_program(e, t, box);
    inst.dst = emit_place(e, dst->buffer, box, 0);
    inst.b = (struct isa_region){0, inst.dst.y, inst.dst.x}; /* where it has none */
    for (size_t i = 0; i + 1 < acc->v.n; i++) {
        uint32_t buffer = acc->v.at[i].buffer;
        bool map = t->kind == TASK_map;
        struct isa_region r = map ? emit_operand(e, buffer, &n->operand[i], n->dim, box, 0)
                                  : emit_place(e, buffer, box, 0);
        *(i == 0 ? &inst.a : &inst.b) = r;
    }
    return inst;
}

/* flags of VRED */
static uint8_t reduction_flags(const struct node *n)
{
    unsigned axes = 0;
    const struct ir_attrs_reduce *r = &n->root->attrs->reduce;
    for (uint32_t i = 0; i < r->axes.n; i++)
        axes |= 1u << r->axes.at[i];
    return (uint8_t)(axes | (r->kind == IR_REDUCE_SUM ? VRED_SUM : 0));
}

static struct isa_inst inst_reduce(struct emitter *e, uint32_t id, const struct accesses *acc,
                                   const struct box *box)
{
    (void)box; /* what is read */
    const struct task *t = task_at(e, id);
    struct isa_inst inst = isa_inst_new(ISA_vred, 0);
    set_extent(&inst, &acc->v.at[0].box);
    inst.flags = reduction_flags(&e->p->nodes->at[t->node]);
    inst.a = region(plain_view(e, &acc->v.at[0]), &acc->v.at[0].box);
    inst.dst = region(plain_view(e, &acc->v.at[1]), &acc->v.at[1].box);
    return inst;
}

static struct isa_inst inst_dot(struct emitter *e, uint32_t id, const struct accesses *acc,
                                const struct box *box)
{
    const struct node *n = &e->p->nodes->at[task_at(e, id)->node];
    const struct operand *b = &n->operand[1];
    struct isa_inst inst = isa_inst_new(ISA_vdot, 0);
    set_extent(&inst, box);
    inst.flags = n->root->attrs->dot.kn ? VDOT_KN : 0;
    inst.dst = region(plain_view(e, &acc->v.at[2]), box);
    inst.a = region(plain_view(e, &acc->v.at[0]), box);
    struct box factors = {{box->lo[0], box->lo[1], 0},
                          {box->hi[0], box->hi[1], b->map[AXIS_C].extent}};
    inst.b = emit_operand(e, acc->v.at[1].buffer, b, n->dim, &factors, 0);
    return inst;
}

static struct isa_inst inst_copy(struct emitter *e, uint32_t id, const struct accesses *acc,
                                 const struct box *box)
{
    const struct task *t = task_at(e, id);
    const struct node *n = &e->p->nodes->at[t->node];
    struct isa_inst inst = isa_inst_new(ISA_vmap, 0);
    uint32_t source = acc->v.at[0].buffer, result = acc->v.at[1].buffer;
    struct box whole = *box;
    inst.obj = (uint16_t)emit_program(e, t, box);
    if (n->kind == NODE_transpose) {
        inst.a = region(emit_permuted_view(e, source, n->root->attrs->transpose.perm.at), box);
        inst.dst = region(plain_view(e, &acc->v.at[1]), box);
        inst.b = region(0, box);
    } else {
        int32_t dim[3];
        for (int a = 0; a < 3; a++)
            dim[a] = (int32_t)n->root->in[0].value->type.dim[a];
        whole = box_whole(dim);
        inst.a.view = (uint16_t)emit_view(e, source, 0, dim[2], 0.0f);
        inst.dst.view = (uint16_t)emit_reshaped_view(e, result, n->root);
    }
    set_extent(&inst, &whole);
    return inst;
}

static struct isa_inst window_inst(struct emitter *e, uint32_t id, const struct accesses *acc,
                                   const struct box *box)
{
    const struct task *t = task_at(e, id);
    const struct node *n = &e->p->nodes->at[t->node];
    const struct buffer *b = buffer_at(e, acc->v.at[0].buffer);
    bool gather = t->kind == TASK_gather;
    bool least = n->root->opcode == IR_max_pool && b->element == ELEMENT_f32; /* of an u8 it is 0 */
    struct isa_inst inst = isa_inst_new(gather ? ISA_vgat : ISA_vwin, 0);
    set_extent(&inst, box);
    inst.dst = region(plain_view(e, &acc->v.at[1]), box);
    inst.obj = (uint16_t)(gather ? emit_gather(e, t, box) : emit_window(e, t));
    bool all_channels = gather ? e->tiles[t->tile].gathers.at[inst.obj].n_channels > 0
                               : n->root->opcode == IR_overlap_add;
    inst.a.view =
        (uint16_t)emit_view(e, acc->v.at[0].buffer, all_channels ? 0 : box->lo[2],
                            all_channels ? b->dim[2] : box->hi[2], least ? f32_bits(-INFINITY) : 0);
    return inst;
}

static struct isa_inst inst_take(struct emitter *e, uint32_t id, const struct accesses *acc,
                                 const struct box *box)
{
    const struct node *n = task_node(e->p, task_at(e, id));
    const struct ir_attrs_take *take = &n->root->attrs->take;
    const struct operand *x = &n->operand[0];
    struct isa_inst inst = isa_inst_new(ISA_vtake, 0);
    set_extent(&inst, box);
    inst.flags = (uint8_t)(1u << take->axis);
    inst.dst = region(plain_view(e, &acc->v.at[2]), box);
    struct box from = *box;
    if (take->axis == AXIS_C) {
        from.lo[2] = 0;
        from.hi[2] = x->map[AXIS_C].extent;
    }
    inst.a = emit_operand(e, acc->v.at[0].buffer, x, n->dim, &from,
                          element_bits(take->value, value_element(n->root)));
    inst.b = emit_operand(e, acc->v.at[1].buffer, &n->operand[1], n->dim, box, 0);
    return inst;
}

static struct isa_inst send_inst(struct emitter *e, uint32_t id, const struct accesses *acc,
                                 const struct box *box)
{
    const struct task *t = task_at(e, id);
    struct isa_inst inst = isa_inst_new(ISA_send, 0);
    set_extent(&inst, box);
    inst.a = emit_place(e, acc->v.at[0].buffer, box, 0);
    struct isa_target *targets = heap_alloc(acc->v.n * sizeof *targets);
    uint32_t n = 0;
    for (size_t i = 1; i < acc->v.n; i++) {
        const struct access *a = &acc->v.at[i];
        uint32_t view = emit_target_view(e, a, acc->v.at[0].buffer, box);
        uint32_t tile = buffer_at(e, a->buffer)->tile;
        uint32_t counter = sync_message(e, tile, id, MESSAGE_DATA);
        targets[n++] = (struct isa_target){tile, view, counter};
    }
    inst.obj = (uint16_t)emit_route(e, t->tile, targets, n);
    heap_free(targets);
    return inst;
}

/* A transfer of the box to or from element `outside` of a binding. */
static struct isa_inst dma_inst(enum isa_op op, uint32_t binding, const struct box *box,
                                const struct box *outside)
{
    struct isa_inst inst = isa_inst_new(op, 0);
    set_extent(&inst, box);
    inst.obj = (uint16_t)binding;
    inst.y = outside->lo[0];
    inst.x = outside->lo[1];
    inst.c = (uint32_t)outside->lo[2];
    return inst;
}

static struct isa_inst inst_load(struct emitter *e, uint32_t id, const struct accesses *acc,
                                 const struct box *box)
{
    const struct access *a = &acc->v.at[0];
    uint32_t binding = e->binding_of[task_node(e->p, task_at(e, id))->out->id];
    struct isa_inst inst = dma_inst(ISA_load, binding, box, box);
    inst.dst = region(emit_target_view(e, a, NONE, box), box);
    inst.flags = task_is_of_one_frame(e->p, task_at(e, id)) ? DMA_FIRST : 0;
    return inst;
}

static struct isa_inst inst_store(struct emitter *e, uint32_t id, const struct accesses *acc,
                                  const struct box *box)
{
    const struct access *a = &acc->v.at[0];
    const struct output_store *s = &e->p->tasks->stores.at[task_at(e, id)->store.output];
    struct box outside = box_shift(box, s->shift, 1);
    struct isa_inst inst = dma_inst(ISA_store, e->binding_of[s->output->id], box, &outside);
    inst.a = emit_place(e, a->buffer, &a->box, 0);
    inst.flags = s->state ? DMA_LAST : 0;
    return inst;
}

static struct isa_inst inst_mvm(struct emitter *e, uint32_t id, const struct accesses *acc,
                                const struct box *box)
{
    struct isa_inst inst = isa_inst_new(ISA_mvm, 0);
    const struct task *t = task_at(e, id);
    inst.obj = (uint16_t)e->p->segment->group[t->mvm.group].number;
    set_extent(&inst, box);
    inst.dst = group_is_stacked(e, t->mvm.group) ? emit_place(e, acc->v.at[1].buffer, box, 0)
                                                 : region(plain_view(e, &acc->v.at[1]), box);
    return inst;
}

#define INST(kind, by)                                                                             \
    static struct isa_inst inst_##kind(struct emitter *e, uint32_t id, const struct accesses *acc, \
                                       const struct box *box)                                      \
    {                                                                                              \
        return by(e, id, acc, box);                                                                \
    }
INST(sum, vmap_inst)
INST(finish, vmap_inst)
INST(map, vmap_inst)
INST(window, window_inst)
INST(gather, window_inst)
INST(partial, send_inst)
INST(send, send_inst)

static struct isa_inst inst_barrier(struct emitter *e, uint32_t id, const struct accesses *acc,
                                    const struct box *box)
{
    (void)e, (void)acc, (void)box;
    BUG("task %u is a barrier, which has no instruction", id);
}

static struct isa_inst task_inst(struct emitter *e, uint32_t id, const struct accesses *acc)
{
    static struct isa_inst (*const table[])(struct emitter *, uint32_t, const struct accesses *,
                                            const struct box *) = {
#define TASK(name, inst, unit, work) inst_##name,
#include "tasks.def"
#undef TASK
    };
    struct box box = task_box(e->p, task_at(e, id));
    return table[task_at(e, id)->kind](e, id, acc, &box);
}

static void take_wait(struct emitter *e, struct emit_tile *t, struct isa_inst *inst, size_t wait)
{
    isa_inst_wait(inst, e->waits.at[wait].counter, (uint32_t)t->waits.n);
    VEC_PUSH(&t->waits, e->waits.at[wait]);
}

/* Waits beyond what the instruction carries go into WAITs in front of it. */
static void attach_waits(struct emitter *e, const struct task *t, struct isa_inst *inst,
                         uint32_t source)
{
    size_t next = 0;
    while (e->waits.n - next > ISA_MAX_WAITS) {
        struct isa_inst wait = isa_inst_new(ISA_wait, 0);
        for (unsigned i = 0; i < ISA_MAX_WAITS && e->waits.n - next > ISA_MAX_WAITS; i++)
            take_wait(e, &e->tiles[t->tile], &wait, next++);
        emit_inst(e, t->tile, t->queue, wait, source);
    }
    while (next < e->waits.n)
        take_wait(e, &e->tiles[t->tile], inst, next++);
}

static void emit_task(struct emitter *e, uint32_t id, struct accesses *acc)
{
    const struct task *t = &e->p->tasks->tasks.at[id];
    if (t->kind == TASK_barrier)
        return;
    e->task = id;
    e->stage = e->p->schedule->stage[id];
    task_accesses(e->p, t, acc);
    sync_waits(e, id, acc);
    uint32_t source = task_source(e->p, t);
    struct isa_inst inst = task_inst(e, id, acc);
    attach_waits(e, t, &inst, source);
    emit_inst(e, t->tile, t->queue, inst, source);
    e->count_after[id] = e->queue_count[t->queue];
    sync_after(e, id, acc);
}

static uint32_t first_queue(const struct emitter *e, uint32_t tile)
{
    return tile < e->p->segment->n_tiles ? e->p->tasks->queue_base[tile] : e->p->tasks->n_queues;
}

/* What a tile's tables and buffers may hold, and one list of a table. */
struct limit {
    const char *what, *field; /* of the machine, or NULL */
    int64_t has;              /* this machine; without a field: any; 0 = any number */
};
enum { N_LIMITS = 11 };

static void list_limits(const struct arch *a, struct limit out[N_LIMITS])
{
    const struct limit limits[N_LIMITS] = {
        {"views", "max_views", a->max_views},
        {"inbound counters", "max_inbound", a->max_inbound},
        {"routes", "max_routes", a->max_routes},
        {"vector programs", NULL, MAX_ENTRIES},
        {"windows", NULL, MAX_ENTRIES},
        {"gather tables", NULL, MAX_ENTRIES},
        {"tables of lanes", NULL, ISA_MAX_LANE_TABLES},
        {"bytes of buffer", "buffer_bytes", a->buffer_bytes},
        {"PEs of one group", "max_group_pes", a->max_group_pes},
        {"targets of one route", "max_targets", a->max_targets},
        {"entries of one gather table", "max_gathers", a->max_gathers},
    };
    memcpy(out, limits, sizeof limits);
}

static void count_entries(const struct emitter *e, uint32_t tile, uint64_t out[N_LIMITS])
{
    const struct emit_tile *t = &e->tiles[tile];
    const struct isa_tile *made = &e->out->tiles[tile];
    uint64_t pes = 0, targets = 0, entries = 0;
    for (uint32_t i = 0; i < made->n_groups; i++)
        pes = max_u64(pes, made->groups[i].n_pes);
    for (size_t i = 0; i < t->routes.n; i++)
        targets = max_u64(targets, t->routes.at[i].n_targets);
    for (size_t i = 0; i < t->gathers.n; i++)
        entries = max_u64(entries, isa_gather_entries(&t->gathers.at[i]));
    const uint64_t n[N_LIMITS] = {t->views.n,   t->inbound.n, t->routes.n, t->programs.n,
                                  t->windows.n, t->gathers.n, t->tables.n, t->bytes,
                                  pes,          targets,      entries};
    memcpy(out, n, sizeof n);
}

/* Says what the tile that lacks most needs; once, however many tiles lack. */
static bool tables_fit(const struct emitter *e)
{
    struct limit limits[N_LIMITS];
    uint64_t n[N_LIMITS], most[N_LIMITS] = {0};
    uint32_t tile[N_LIMITS] = {0};
    bool ok = true;
    list_limits(e->p->arch, limits);
    for (uint32_t t = 0; t < e->p->segment->n_tiles; t++) {
        count_entries(e, t, n);
        for (int i = 0; i < N_LIMITS; i++)
            if (n[i] > most[i]) {
                most[i] = n[i];
                tile[i] = t;
            }
    }
    for (int i = 0; i < N_LIMITS; i++) {
        const struct limit *l = &limits[i];
        uint64_t any = (uint64_t)(l->field ? arch_field_most(l->field) : l->has);
        if (most[i] > any)
            ok = diag_error(e->p->diag, (struct loc){0}, DIAG_CAPACITY,
                            "tile %u needs more than the %llu %s that a tile can have", tile[i],
                            (unsigned long long)any, l->what);
        else if (!e->failed && l->has > 0 && most[i] > (uint64_t)l->has)
            ok = diag_error(e->p->diag, (struct loc){0}, DIAG_CAPACITY,
                            "tile %u needs %llu %s, the machine has %lld: raise %s to %llu",
                            tile[i], (unsigned long long)most[i], l->what, (long long)l->has,
                            l->field, (unsigned long long)most[i]);
    }
    return ok;
}

struct most {
    uint32_t count, tile;
    const char *what;
};

static void note_count(struct most *m, uint32_t count, uint32_t tile, const char *what)
{
    if (count > m->count)
        *m = (struct most){count, tile, what};
}

/* Likewise for the counter that counts most. Of several frames it must not come to be further from
 * a wait than it can tell. */
static bool counters_fit(const struct emitter *e)
{
    const struct schedule *s = e->p->schedule;
    uint32_t limit =
        schedule_repeats(s) ? (ISA_MAX_COUNT - 1) / (s->n_stages + 1) : (uint32_t)ISA_MAX_COUNT;
    struct most most = {0};
    for (uint32_t t = 0; t < e->p->segment->n_tiles; t++) {
        for (uint32_t q = first_queue(e, t); q < first_queue(e, t + 1); q++)
            note_count(&most, e->queue_count[q], t, "instructions in one queue");
        for (size_t i = 0; i < e->tiles[t].inbound.n; i++)
            note_count(&most, e->tiles[t].inbound.at[i].count, t, "messages of one queue");
    }
    return most.count <= limit ||
           diag_error(e->p->diag, (struct loc){0}, DIAG_CAPACITY,
                      "tile %u has %u %s, at most %u can be counted: use larger sets", most.tile,
                      most.count, most.what, limit);
}

static void *keep(struct emitter *e, const void *at, size_t n, size_t size)
{
    void *copy = arena_alloc_array(e->out->arena, n, size);
    if (n)
        memcpy(copy, at, n * size);
    return copy;
}

#define KEEP(field)                                                                                \
    (out->n_##field = (uint32_t)t->field.n,                                                        \
     out->field = keep(e, t->field.at, t->field.n, sizeof *t->field.at))

static void keep_steps(struct emitter *e, const struct emit_tile *t, struct isa_tile *out)
{
    out->n_steps = (uint32_t)t->inbound.n;
    out->step = ARENA_ARRAY(e->out->arena, uint32_t, t->inbound.n);
    for (size_t i = 0; i < t->inbound.n; i++)
        out->step[i] = t->inbound.at[i].count;
}

static void finish_tile(struct emitter *e, uint32_t tile)
{
    struct emit_tile *t = &e->tiles[tile];
    struct isa_tile *out = &e->out->tiles[tile];
    KEEP(views);
    KEEP(windows);
    KEEP(programs);
    KEEP(tables);
    KEEP(routes);
    KEEP(gathers);
    KEEP(preloads);
    out->n_inbound = (uint32_t)t->inbound.n;
    keep_steps(e, t, out);
    out->buffer_bytes = t->bytes;
    KEEP(insts);
    out->sources = keep(e, t->sources.at, t->sources.n, sizeof *t->sources.at);
}

static void emitter_free(struct emitter *e)
{
    sync_free(e);
    for (size_t i = 0; i < e->p->segment->n_tiles; i++) {
        struct emit_tile *t = &e->tiles[i];
        VEC_FREE(&t->insts);
        VEC_FREE(&t->sources);
        VEC_FREE(&t->views);
        VEC_FREE(&t->windows);
        VEC_FREE(&t->programs);
        VEC_FREE(&t->tables);
        VEC_FREE(&t->routes);
        VEC_FREE(&t->gathers);
        VEC_FREE(&t->preloads);
        for (size_t k = 0; k < t->inbound.n; k++)
            VEC_FREE(&t->inbound.at[k].sent);
        VEC_FREE(&t->inbound);
        VEC_FREE(&t->waits);
        map_free(&t->view_of);
        map_free(&t->route_of);
        map_free(&t->inbound_of);
        map_free(&t->table_of);
        map_free(&t->program_of);
        map_free(&t->made);
    }
    for (size_t q = 0; q < (size_t)e->p->tasks->n_queues * e->p->schedule->n_stages; q++)
        VEC_FREE(&e->waited[q].at);
    VEC_FREE(&e->order);
    VEC_FREE(&e->order_task);
    VEC_FREE(&e->waits);
    VEC_FREE(&e->constants);
    VEC_FREE(&e->row_offset);
    map_free(&e->row_of);
    arena_free(e->arena);
}

static void begin(struct emitter *e)
{
    const struct plan *p = e->p;
    struct isa_program *out = e->out;
    e->arena = arena_new();
    e->tiles = ARENA_ARRAY(e->arena, struct emit_tile, p->segment->n_tiles);
    e->queue_count = ARENA_ARRAY(e->arena, uint32_t, p->tasks->n_queues);
    e->waited =
        ARENA_ARRAY(e->arena, struct waited, (size_t)p->tasks->n_queues * p->schedule->n_stages);
    e->count_after = ARENA_ARRAY(e->arena, uint32_t, p->tasks->tasks.n);
    e->constant_offset = ARENA_ARRAY(e->arena, uint64_t, p->nodes->n_ops);
    e->binding_of = ARENA_ARRAY(e->arena, uint32_t, p->nodes->n_ops);
    for (size_t t = 0; t < p->segment->n_tiles; t++)
        e->tiles[t].bytes = p->memory->tile_bytes[t];
    out->n_tiles = p->segment->n_tiles;
    out->tiles = ARENA_ARRAY(out->arena, struct isa_tile, out->n_tiles);
    e->image_of = ARENA_ARRAY(e->arena, uint32_t, p->segment->n_layers);
    for (size_t l = 0; l < p->segment->n_layers; l++)
        e->constants_section += p->segment->layer[l].shares == NONE; /* images come first */
    out->n_sections = e->constants_section + 1;
    out->sections = ARENA_ARRAY(out->arena, struct isa_section, out->n_sections);
    sync_prepare(e);
    emit_nodes(e);
    emit_bindings(e);
    emit_images(e);
    emit_groups(e);
    emit_constant_buffers(e);
}

/* The schedule knows when the tasks of one frame run where instructions take no time themselves;
 * else the instructions tell. */
static void time_one_frame(struct emitter *e, struct program_times *out)
{
    if (arch_instructions_take_time(e->p->arch))
        out->as_run = plan_as_run(
            e->p, e->out,
            &(struct emitted_order){e->order.at, e->order_task.at, (uint32_t)e->order.n});
    e->out->scheduled_cycles = (out->as_run ? out->as_run : e->p->schedule)->makespan;
}

/* What follows from how the body runs. */
static bool time_frames(struct emitter *e, struct timeline *out)
{
    const struct schedule *s = e->p->schedule;
    e->out->frames = e->p->options->frames;
    e->out->pace = s->pace;
    e->out->interval_cycles = s->interval;
    if (!timeline_of(e->out, e->order.at, (uint32_t)e->order.n, NULL, out))
        return diag_error(
            e->p->diag, (struct loc){0}, DIAG_CAPACITY,
            "the times of %u frames do not repeat, and are too many to be told: fewer "
            "frames, or a pace",
            e->out->frames);
    e->out->scheduled_cycles = out->cycles;
    e->out->latency_cycles = out->first_latency;
    return true;
}

struct isa_program *plan_emit(const struct plan *p, struct program_times *out)
{
    struct emitter e = {.p = p, .out = isa_program_new()};
    e.out->arch = *p->arch;
    begin(&e);
    struct accesses acc = {0};
    for (uint32_t i = 0; i < p->schedule->n && !e.failed; i++) {
        emit_task(&e, p->schedule->order[i], &acc);
        if (i % PROGRESS_TASKS == 0)
            progress_tell(p->options->progress, "write instructions", i, p->schedule->n);
    }
    progress_tell(p->options->progress, "write instructions", p->schedule->n, p->schedule->n);
    VEC_FREE(&acc.v);
    bool ok = tables_fit(&e) && counters_fit(&e);
    if (ok)
        sync_resolve(&e);
    for (uint32_t t = 0; ok && t < p->segment->n_tiles; t++)
        finish_tile(&e, t);
    struct isa_section *constants = &e.out->sections[e.constants_section];
    constants->name = "constants";
    constants->data = keep(&e, e.constants.at, e.constants.n, 1);
    constants->length = e.constants.n;
    e.out->arch.name = arena_strdup(e.out->arena, p->arch->name);
    if (ok && schedule_repeats(p->schedule))
        ok = time_frames(&e, &out->frames);
    else if (ok)
        time_one_frame(&e, out);
    e.out->pes = (uint64_t)p->options->pes;
    emitter_free(&e);
    if (ok && isa_program_encode(e.out, p->diag))
        return e.out;
    isa_program_free(e.out);
    return NULL;
}
