/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright The cimc authors */
/*
 * dump_golden.c - golden vectors: what each instruction of a run writes, queue by queue, in order.
 *
 * In: a program and values of its inputs. Out: for each queue the records of DUMP.md, and the
 * outputs. Records wait in memory until they are many, then go to the ends of their files: the
 * memory is bounded, and so are the open files, whatever the number of queues.
 */
#include "dump.h"

#include "base/half.h"
#include "sim.h"

#include <string.h>

enum { RECORD_BYTES = 16, RECORD_DIGITS = 2 * RECORD_BYTES };
enum { KIND_BUFFER = 0, KIND_DRAM = 1, KIND_INSTRUCTION = 0x8000 };
enum { MOST_PENDING = 1 << 21 }; /* records */

struct record {
    uint8_t at[RECORD_BYTES];
};
typedef VEC(struct record) records;

struct golden {
    const struct dump *dump;
    uint32_t *first_queue; /* of each tile */
    records *queues;
    size_t n_pending;
    bool failed;
    struct diag *d;
    /* of the instruction at hand */
    const struct sim *sim;
    uint32_t frame; /* of the instruction at hand */
    records *into;
};

static struct record new_record(unsigned kind, uint32_t where, uint64_t address, uint32_t value)
{
    struct record r;
    const uint64_t low = address << 32 | value;
    const uint64_t high = (uint64_t)kind << 48 | (uint64_t)(where & 0xffff) << 32 | address >> 32;
    for (unsigned i = 0; i < 8; i++) {
        r.at[i] = (uint8_t)(low >> 8 * i);
        r.at[8 + i] = (uint8_t)(high >> 8 * i);
    }
    return r;
}

/* ---- files ---- */

static bool append(const struct golden *g, uint32_t tile, uint32_t queue, const records *r,
                   bool is_bin)
{
    const struct folder *f = &g->dump->folder;
    struct text name = {0};
    text_add(&name, "tile_%04u/golden_%03u.%s", tile, queue, is_bin ? "bin" : "hex");
    FILE *out = folder_file(f, name.at, "a", g->d);
    if (out && is_bin && r->n)
        fwrite(r->at, sizeof *r->at, r->n, out);
    else if (out && !is_bin)
        dump_hex_words(r->at, r->n, RECORD_BYTES, out);
    bool ok = out && folder_close(f, out, name.at, g->d);
    text_free(&name);
    return ok;
}

/* All pending records to their files; `create` also makes those of queues that did nothing. */
static bool flush(struct golden *g, bool create)
{
    const struct isa_program *p = g->dump->program;
    bool ok = !g->failed;
    for (uint32_t t = 0; ok && t < p->n_tiles; t++) {
        for (uint32_t q = 0; ok && q < isa_n_queues(&p->tiles[t]); q++) {
            records *r = &g->queues[g->first_queue[t] + q];
            if (r->n || create)
                ok = (!g->dump->hex || append(g, t, q, r, false)) &&
                     (!g->dump->bin || append(g, t, q, r, true));
            r->n = 0;
        }
    }
    g->n_pending = 0;
    g->failed = !ok;
    return ok;
}

static void add(struct golden *g, unsigned kind, uint32_t where, uint64_t address, uint32_t value)
{
    VEC_PUSH(g->into, new_record(kind, where, address, value));
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
            for (uint32_t c = 0; c < v->channels; c++)
                add(g, KIND_BUFFER, tile, address + (uint64_t)((int64_t)c * v->channel_pitch),
                    sim_read(g->sim, source_tile, from.view, y, x, c));
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

static void executed(void *self, const struct sim *s, uint32_t tile, uint32_t frame, uint32_t index,
                     const struct isa_inst *inst)
{
    struct golden *g = self;
    g->sim = s;
    g->frame = frame;
    g->into = &g->queues[g->first_queue[tile] + inst->queue];
    size_t head = g->into->n;
    VEC_PUSH(g->into, (struct record){0});
    add_writes(g, tile, inst);
    size_t n = g->into->n - head;
    g->into->at[head] = new_record(KIND_INSTRUCTION | inst->op, tile, index, (uint32_t)(n - 1));
    g->n_pending += n;
    if (g->n_pending > MOST_PENDING && !g->failed && !flush(g, false))
        g->failed = true;
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
    struct sim_options o = {
        .executed = executed, .self = g, .frames = (uint32_t)io->frames, .ordered_sums = true};
    struct sim_result result;
    for (size_t k = 0; k < io->n_inputs; k++)
        inputs[k] = io->inputs[k].data;
    for (size_t k = 0; k < io->n_outputs; k++)
        outputs[k] = io->outputs[k].data;
    return sim_run(g->dump->program, inputs, outputs, &o, &result, d) && flush(g, true) &&
           dump_tensors(g->dump, io, "input", io->inputs, io->n_inputs, d) &&
           dump_tensors(g->dump, io, "output", io->outputs, io->n_outputs, d);
}

bool dump_golden(const struct dump *dump, struct io *io, struct diag *d)
{
    const struct isa_program *p = dump->program;
    struct golden g = {.dump = dump, .d = d};
    uint32_t n = 0;
    g.first_queue = ARENA_ARRAY(dump->folder.arena, uint32_t, p->n_tiles);
    for (uint32_t t = 0; t < p->n_tiles; t++) {
        g.first_queue[t] = n;
        n += isa_n_queues(&p->tiles[t]);
    }
    g.queues = ARENA_ARRAY(dump->folder.arena, records, n);
    io_alloc_outputs(io);
    bool ok = run(&g, io, d);
    for (uint32_t i = 0; i < n; i++)
        VEC_FREE(&g.queues[i]);
    return ok;
}
