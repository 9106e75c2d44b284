/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dump_golden.c - golden data: what each instruction of a run writes and when, queue by queue, in
 * order; what comes to each inbound counter; buffers and counters at the end.
 *
 * In: a program and values of its inputs. Out: the records of DUMP.md, and the outputs.
 */
#include "base/half.h"
#include "dump_final.h"
#include "dump_log.h"
#include "sim.h"

#include <string.h>

enum { KIND_BUFFER = 0, KIND_DRAM = 1, KIND_INSTRUCTION = 0x8000, KIND_MESSAGE = 0x9000 };

struct golden {
    const struct dump *dump;
    struct dump_log log;
    struct dump_final final;
    /* of the instruction at hand */
    const struct sim *sim;
    uint32_t frame, target; /* target: the next of its route to be told */
    struct log_file *into;
    size_t n; /* records of it */
};

static void add(struct golden *g, unsigned kind, uint32_t where, uint64_t address, uint32_t value)
{
    isa_put_golden(&(struct isa_golden){value, address, where, kind}, dump_log_add(g->into));
    g->n++;
}

/* A head, whose number of writes end_entry knows; it is `begin_entry` bytes into what is pending.
 */
static size_t begin_entry(struct golden *g, struct log_file *into)
{
    size_t at = into->pending.n;
    g->into = into;
    g->n = 0;
    dump_log_add(into);
    return at;
}

static void end_entry(struct golden *g, size_t head, unsigned kind, uint32_t where,
                      uint64_t address)
{
    isa_put_golden(&(struct isa_golden){(uint32_t)g->n, address, where, kind},
                   g->into->pending.at + head);
    dump_log_settle(&g->log, (g->n + 1) * g->into->record_bytes);
}

/* ---- what an instruction writes ---- */

/* Elements [y, y + h) x [x, x + w) of a view, as far as it holds them; values from `source`. */
static void add_region(struct golden *g, uint32_t tile, uint32_t view, struct isa_region from,
                       uint32_t source_tile, const struct isa_inst *size)
{
    const struct isa_view *v = &g->dump->program->tiles[tile].views[view];
    int32_t y1 = min_i32(from.y + size->h, v->y1), x1 = min_i32(from.x + size->w, v->x1);
    for (int32_t y = max_i32(from.y, v->y0); y < y1; y++) {
        for (int32_t x = max_i32(from.x, v->x0); x < x1; x++) {
            uint64_t address = isa_address(v, g->frame, y, x);
            for (uint32_t c = 0; c < v->channels; c++) {
                uint64_t at = address + (uint64_t)((int64_t)c * v->channel_pitch);
                uint32_t value = sim_read(g->sim, source_tile, from.view, y, x, c);
                add(g, KIND_BUFFER, tile, at, value);
                dump_final_write(&g->final, tile, at, value, element_bytes(v->element));
            }
        }
    }
}

static void add_send(struct golden *g, uint32_t tile, const struct isa_inst *inst)
{
    const struct isa_route *r = &g->dump->program->tiles[tile].routes[inst->obj];
    for (uint32_t i = 0; i < r->n_targets; i++)
        add_region(g, r->targets[i].tile, r->targets[i].view, inst->a, tile, inst);
}

/* What STORE makes of an element of the buffer. */
static uint32_t stored(enum element element, uint32_t value)
{
    if (element == ELEMENT_f16)
        return f32_bits(f16_round(f32_of_bits(value)));
    return element == ELEMENT_i8 ? value ^ 0x80 : value;
}

static void add_store(struct golden *g, uint32_t tile, const struct isa_inst *inst)
{
    const struct isa_program *p = g->dump->program;
    const struct isa_binding *b = &p->bindings[inst->obj];
    uint32_t channels = p->tiles[tile].views[inst->a.view].channels;
    for (int32_t i = 0; i < inst->h; i++) {
        for (int32_t j = 0; j < inst->w; j++) {
            int64_t at = (int64_t)b->offset + g->frame * b->frame_stride +
                         (inst->y + i) * b->stride_h + (inst->x + j) * b->stride_w +
                         inst->c * b->stride_c;
            for (uint32_t k = 0; k < channels; k++)
                add(g, KIND_DRAM, b->index, (uint64_t)(at + k * b->stride_c),
                    stored(b->element,
                           sim_read(g->sim, tile, inst->a.view, inst->a.y + i, inst->a.x + j, k)));
        }
    }
}

static void add_writes(struct golden *g, uint32_t tile, const struct isa_inst *inst)
{
    struct isa_inst size = *inst;
    switch (inst->op) {
    case ISA_send: add_send(g, tile, inst); return;
    case ISA_store: add_store(g, tile, inst); return;
    case ISA_mvm:
    case ISA_vmap:
    case ISA_vwin:
    case ISA_vgat:
    case ISA_vdot:
    case ISA_vtake:
    case ISA_load: break;
    case ISA_vred:
        size.h = inst->flags & VRED_H ? 1 : inst->h;
        size.w = inst->flags & VRED_W ? 1 : inst->w;
        break;
    default: return;
    }
    add_region(g, tile, inst->dst.view, inst->dst, tile, &size);
}

/* Once the simulator runs, buffers are known to fit in memory. */
static void begin_final(struct golden *g)
{
    if (!g->final.tiles)
        dump_final_open(&g->final, g->dump);
}

static void executed(void *self, const struct sim *s, uint32_t tile, uint32_t frame, uint32_t index,
                     const struct isa_inst *inst)
{
    struct golden *g = self;
    g->sim = s;
    g->frame = frame;
    begin_final(g);
    size_t head = begin_entry(g, dump_log_file(&g->log, tile, LOG_GOLDEN, inst->queue));
    add_writes(g, tile, inst);
    end_entry(g, head, KIND_INSTRUCTION | inst->op, tile, index);
}

/* After `executed`, if it was not skipped, and before `sent`. */
static void completed(void *self, const struct isa_inst *inst, const struct sim_times *t)
{
    struct golden *g = self;
    begin_final(g);
    struct log_file *f = dump_log_file(&g->log, t->at.tile, LOG_TIMES, inst->queue);
    isa_put_times(&(struct isa_times){t->at.index, t->at.iteration, t->dispatch, t->start, t->end},
                  dump_log_add(f));
    dump_log_settle(&g->log, f->record_bytes);
    dump_final_count(&g->final, t->at.tile, inst->queue);
    g->target = 0;
}

/* What a message brings to its target's buffer. */
static void sent(void *self, const struct sim_message *m)
{
    struct golden *g = self;
    const struct isa_tile *t = &g->dump->program->tiles[m->from.tile];
    const struct isa_inst *inst = &t->insts[m->from.index];
    const struct isa_target *target = &t->routes[inst->obj].targets[g->target++];
    size_t head = begin_entry(g, dump_log_file(&g->log, m->to_tile, LOG_RECEIVE, m->counter));
    if (inst->op == ISA_send && !sim_is_skipped(&m->from))
        add_region(g, m->to_tile, target->view, inst->a, m->from.tile, inst);
    end_entry(g, head, KIND_MESSAGE, m->from.tile, m->counted);
    dump_final_count(&g->final, m->to_tile, m->counter);
}

/* Those of all iterations as they are dispatched. */
static bool add_instructions(struct golden *g, uint32_t frames)
{
    const struct isa_program *p = g->dump->program;
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        struct log_file *f = dump_log_file(&g->log, t, LOG_INSTRUCTIONS, 0);
        for (uint32_t i = 0; i < isa_iterations(p, frames); i++) {
            struct arena *a = arena_new();
            struct isa_memory m = isa_tile_instructions(p, t, frames, i, a);
            for (uint32_t k = 0; k < m.n; k++)
                memcpy(dump_log_add(f), m.words + (size_t)k * m.word_bytes, m.word_bytes);
            arena_free(a);
            dump_log_settle(&g->log, (size_t)m.n * m.word_bytes);
        }
    }
    return !g->log.failed;
}

/* ---- the run ---- */

static bool dump_tensors(const struct dump *dump, const struct io *io, const char *what,
                         const struct io_tensor *tensors, size_t n, struct diag *d)
{
    bool ok = true;
    for (size_t k = 0; ok && k < n; k++) {
        char type[200];
        if (!tensors[k].data)
            continue;
        const char *name = arena_printf(dump->folder.arena, "%s_%zu", what, k);
        struct ir_type all = io_type_of_all(io, &tensors[k]);
        ir_type_text(&all, type, sizeof type);
        ok = dump_words(dump, name, type, tensors[k].data, (size_t)ir_count(&all),
                        ir_dtype_bytes((enum ir_dtype)all.dtype), d);
    }
    return ok;
}

static bool run(struct golden *g, struct io *io, struct diag *d)
{
    const void **inputs = ARENA_ARRAY(io->arena, const void *, io->n_inputs);
    void **outputs = ARENA_ARRAY(io->arena, void *, io->n_outputs);
    const struct cimc_options *settings = g->dump->settings;
    struct sim_options o = {.executed = executed,
                            .completed = completed,
                            .sent = sent,
                            .self = g,
                            .frames = (uint32_t)io->frames,
                            .latency_seed = (uint64_t)settings->latency_seed,
                            .max_extra_cycles = (uint64_t)settings->max_extra_cycles,
                            .ordered_sums = true};
    struct sim_result result;
    for (size_t k = 0; k < io->n_inputs; k++)
        inputs[k] = io->inputs[k].data;
    for (size_t k = 0; k < io->n_outputs; k++)
        outputs[k] = io->outputs[k].data;
    if (!sim_run(g->dump->program, inputs, outputs, &o, &result, d))
        return false;
    begin_final(g);
    dump_constant(g->dump, result.cycles, "cycles");
    return add_instructions(g, (uint32_t)io->frames) && dump_log_close(&g->log) &&
           dump_final_close(&g->final, d) &&
           dump_words(g->dump, "cycles", "of the run", &result.cycles, 1, sizeof result.cycles,
                      d) &&
           dump_tensors(g->dump, io, "input", io->inputs, io->n_inputs, d) &&
           dump_tensors(g->dump, io, "output", io->outputs, io->n_outputs, d);
}

bool dump_golden(const struct dump *dump, struct io *io, struct diag *d)
{
    struct golden g = {.dump = dump};
    dump_log_open(&g.log, dump, d);
    io_alloc_outputs(io);
    bool ok = run(&g, io, d);
    dump_log_free(&g.log);
    dump_final_free(&g.final);
    return ok;
}
